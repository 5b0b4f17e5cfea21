"""Figures of the six tools as a system (T7), all of simulated companies.

:func:`tool_subset_map` draws what every subset of the tools brings, :func:`system_bars` all
together beside the sum of each alone, :func:`tool_contribution_dots` the share of each tool,
:func:`tool_interaction_map` which pairs work together, :func:`introduction_lines` orders of
introducing them; :func:`interplay_origin_dots` what is left when links between tools are cut,
:func:`tool_trial_dots` what a trial finds, and :func:`trial_size_dots` how many customers it takes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from keycustomer.plots.audit import BLUES, title_width
from keycustomer.plots.labels import UNDERLAY, name_points, name_rows, names_in_words, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    palette,
    percent,
    percent_axis,
)
from keycustomer.plots.words import MINUS
from keycustomer.stats.student import student_quantile

if TYPE_CHECKING:
    from keycustomer.strategy.tools.contributions import ToolContributions
    from keycustomer.strategy.tools.experiment import ToolExperiment
    from keycustomer.strategy.tools.interactions import ToolInteractions
    from keycustomer.strategy.tools.introduction import IntroductionOrder
    from keycustomer.strategy.tools.origin import InterplayOrigin
    from keycustomer.strategy.tools.subsets import ToolSubsets

LONGEST = 44
"""Characters of the name of an effect."""

NAMED = 22
"""Characters of a name in the figure."""

SIGNED = LinearSegmentedColormap.from_list(
    "keycustomer signed", [PALETTE["vermilion"], "#FBFBFB", PALETTE["blue"]]
)
"""Colours from below 0 over 0 to above."""


def tool_subset_map(result: ToolSubsets, ax: Axes | None = None, *, against: str = "churn") -> Axes:
    """Draw the profit gained by every subset of the tools.

    Parameters
    ----------
    result : ToolSubsets
        From `keycustomer.strategy.tool_subsets`.
    ax : Axes, optional
        Axes to draw into.
    against : {"churn", "tools"}
        The other axis: customers lost a month, or how many tools are in use.

    Raises
    ------
    ValueError
        When `against` is something else.
    """
    if against not in ("churn", "tools"):
        raise ValueError(f"against={against!r} must be 'churn' or 'tools'")
    means = result.means()
    ax = new_axes(ax, size=(10, 6.8))
    x, y = means[against].to_numpy(dtype=float), means["gain"].to_numpy(dtype=float)
    shade = BLUES(0.15 + 0.85 * means["tools"].to_numpy() / len(result.tools))
    ax.scatter(x, y, s=110, c=shade, edgecolor=PALETTE["grey"], lw=0.8, zorder=3)
    ax.axhline(0, color=PALETTE["grey"], lw=1.5)
    ax.margins(x=0.14, y=0.12)
    percent_axis(ax.yaxis)
    if against == "churn":
        percent_axis(ax.xaxis, digits=1 if np.ptp(x) > 0.004 else 2)
    named = means[(means["tools"] <= 1) | (means["tools"] == len(result.tools))]
    if against == "tools":
        named = means.loc[means.groupby("tools")["gain"].idxmax()]
    ax.set_xlabel(
        "Customers lost a month (simulated)" if against == "churn" else "Tools in use (simulated)"
    )
    ax.set_ylabel("Profit gained, share of the usual")
    if against == "churn":
        legend_below(ax, columns=4, handles=_shade_keys(len(result.tools)))
    finding(ax, _subset_sentence(means, len(result.tools)))
    words = [_set_name(name, count, len(result.tools)) for name, count in _rows(named)]
    name_points(ax, named[against], named["gain"], words, width=30)
    best = means.iloc[0]
    told = "; ".join(
        f"{name} alone {percent(gain)}, {percent(churn, 2)} lost a month"
        for name, gain, churn, count in means[["subset", "gain", "churn", "tools"]].to_numpy()
        if count == 1
    )
    return describe(
        ax,
        f"Profit gained by {len(means)} subsets of {len(result.tools)} tools over "
        f"{len(result.companies)} simulated companies. Best: {best['subset']}, "
        f"{percent(best['gain'])}. {told}.",
    )


def _rows(named: pd.DataFrame) -> list[tuple[str, int]]:
    return [(str(row["subset"]), int(row["tools"])) for row in named.to_dict("records")]


def _set_name(name: str, count: int, tools: int) -> str:
    if count == tools:
        return f"all {tools}"
    return name if count <= 1 else f"best {count}: {name}" if count == 2 else f"best {count}"


def _shade_keys(tools: int) -> list[Line2D]:
    counts = sorted({0, tools // 3, 2 * tools // 3, tools})
    return [
        Line2D(
            [], [], marker="o", ms=11, ls="", color=BLUES(0.15 + 0.85 * count / tools),
            markeredgecolor=PALETTE["grey"], label=f"{count} tools",
        )
        for count in counts
    ]  # fmt: skip


def _subset_sentence(means: pd.DataFrame, tools: int) -> str:
    best = means.iloc[0]
    which = f"all {tools} tools" if best["tools"] == tools else f"{int(best['tools'])} tools"
    if math.isnan(best["gain"]):
        return "Simulated: not every company has a profit as usual"
    single = means[means["tools"] == 1].iloc[0]
    return (
        f"Simulated: {which} bring most, {percent(best['gain'], 0)} of the usual profit; the best "
        f"alone, {shorten(single['subset'], NAMED)}, {percent(single['gain'], 0)}"
    )


def system_bars(result: ToolSubsets, ax: Axes | None = None, *, measure: str = "profit") -> Axes:
    """Draw what all tools bring together beside the sum of what each brings alone.

    Parameters
    ----------
    result : ToolSubsets
        From `keycustomer.strategy.tool_subsets`.
    ax : Axes, optional
        Axes to draw into.
    measure : {"profit", "margin", "revenue"}
        An amount.
    """
    gains = result.gains(measure).mean(axis=0)
    beyond = result.gains(measure)[:, -1] - _alone(result, measure).sum(axis=1)
    alone = _alone(result, measure).mean(axis=0)
    ax = new_axes(ax, size=(10, 5.2))
    bottom = np.zeros(2)
    for place, colour in zip(np.argsort(-alone), palette(len(alone)), strict=True):
        side = int(alone[place] < 0)
        ax.barh(1, alone[place], left=bottom[side], color=colour, height=0.5, edgecolor="white")
        bottom[side] += alone[place]
    ax.barh(0, gains[-1], color=PALETTE["black"], height=0.5)
    ax.plot([bottom.sum()] * 2, [-0.4, 1.4], color=PALETTE["grey"], lw=2, ls="--")
    _write_ends(ax, [(bottom[0], 1, bottom.sum()), (max(gains[-1], 0.0), 0, gains[-1])])
    ax.axvline(0, color=PALETTE["grey"], lw=1.5)
    labels = ["all together", "each alone,\nadded up"]
    name_rows(ax, labels)
    percent_axis(ax.xaxis)
    ax.set_xlim(min(1.1 * bottom[1], 0.0), 1.16 * max(bottom[0], gains[-1], 1e-9))
    ax.set_xlabel(f"Gain, share of the usual {measure} (simulated)")
    order = np.argsort(-alone)
    keys = [
        Patch(color=colour, label=escape_label(result.tools[place], NAMED))
        for place, colour in zip(order, palette(len(alone)), strict=True)
    ]
    legend_below(ax, columns=3, handles=keys)
    finding(ax, _system_sentence(beyond, measure), width=title_width(ax, labels))
    told = ", ".join(f"{result.tools[place]} {percent(alone[place])}" for place in order)
    return describe(
        ax,
        f"Gain in {measure} over {len(result.companies)} simulated companies: all tools "
        f"{percent(gains[-1])}, the sum of each alone {percent(float(alone.sum()))} ({told}).",
    )


def _system_sentence(beyond: np.ndarray, measure: str) -> str:
    """Say whether all tools bring more than one by one, or that it cannot be told."""
    count, mean = len(beyond), float(beyond.mean())
    if math.isnan(mean):
        return f"Simulated: not every company has a usual {measure}"
    error = float(beyond.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    if count < 2 or abs(mean) <= student_quantile(0.95, count - 1) * error:
        return (
            f"Simulated: {count} {'company does' if count == 1 else 'companies do'} not tell "
            "whether the tools together bring more than one by one"
        )
    return (
        f"Simulated: together the tools bring {percent(abs(mean), 0)} of the usual {measure} "
        f"{'more' if mean > 0 else 'less'} than one by one"
    )


def _alone(result: ToolSubsets, measure: str) -> np.ndarray:
    return np.asarray(result.gains(measure)[:, 1 << np.arange(len(result.tools))])


def _write_ends(ax: Axes, ends: list[tuple[float, float, float]]) -> None:
    """Write values beyond the ends of bars: place along the axis, row, value."""
    for end, row, value in ends:
        ax.annotate(
            percent(value, 0),
            (end, row),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=15,
            bbox=UNDERLAY,
        )


def tool_contribution_dots(result: ToolContributions, ax: Axes | None = None) -> Axes:
    """Draw the Shapley value of every tool, beside what it brings alone and as the last one.

    Parameters
    ----------
    result : ToolContributions
        From `keycustomer.strategy.tool_contributions`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.7 * len(frame)))
    places = np.arange(len(frame))
    looks = (
        ("alone", "o", PALETTE["orange"], "alone", 0.22),
        ("shapley", "D", PALETTE["black"], "Shapley value", 0.0),
        ("last", "s", PALETTE["blue"], "as the last one", -0.22),
    )
    for name, marker, colour, said, up in looks:
        ends = frame[f"{name}_lower"], frame[f"{name}_upper"]
        ax.hlines(places + up, *ends, color=colour, lw=3.5)
        ax.plot(frame[name], places + up, marker, color=colour, ms=10, ls="", label=said)
    ax.axvline(0, color=PALETTE["grey"], lw=1.5)
    labels = [escape_label(name, NAMED) for name in frame["tool"]]
    name_rows(ax, labels)
    percent_axis(ax.xaxis, digits=2 if result.measure == "churn" else 0)
    ax.set_xlabel(f"{_change_label(result.measure)} (simulated, 95 %)")
    legend_below(ax, columns=3)
    finding(ax, _contribution_sentence(result), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['tool']} {_share(row['shapley'], result.measure)}, alone "
        f"{_share(row['alone'], result.measure)}, last {_share(row['last'], result.measure)}"
        for row in result.frame.to_dict("records")
    )
    companies = result.companies["company"].nunique()
    return describe(
        ax, f"Contributions to {result.measure} over {companies} simulated companies: {told}."
    )


def _change_label(measure: str) -> str:
    if measure == "churn":
        return "Change of the share of customers lost a month"
    return f"Contribution, share of the usual {measure}"


def _share(value: float, measure: str) -> str:
    if math.isnan(value):
        return "not known"
    return percent(value, 3 if measure == "churn" else 1)


def _contribution_sentence(result: ToolContributions) -> str:
    best = result.frame.iloc[0]
    name = shorten(best["tool"], NAMED)
    if result.measure == "churn":
        fewer = int((result.frame["shapley_upper"] < 0).sum())
        raised = int((result.frame["shapley_lower"] > 0).sum())
        return f"Simulated: {fewer} tools lower churn, {raised} raise it; {name} lowers it most"
    depending = result.frame.loc[result.frame["last_less_alone_lower"] > 0, "tool"]
    said = f"Simulated: {name} contributes most, {_share(best['shapley'], result.measure)}"
    if depending.empty:
        return f"{said}; no tool clearly lives on the others"
    few = "tool lives" if len(depending) == 1 else "tools live"
    return f"{said}; {len(depending)} {few} on the others"


def tool_interaction_map(result: ToolInteractions, ax: Axes | None = None) -> Axes:
    """Draw the interaction of every pair of tools; pairs that are open in brackets.

    Parameters
    ----------
    result : ToolInteractions
        From `keycustomer.strategy.tool_interactions`.
    ax : Axes, optional
        Axes to draw into.
    """
    table = result.matrix()
    cells = np.where(np.tri(len(table), k=-1, dtype=bool), table.to_numpy(dtype=float), np.nan)
    shown = cells[1:, :-1]
    ax = new_axes(ax, size=(10, 6.6))
    top = float(np.nanmax(np.abs(shown))) if np.isfinite(shown).any() else 1.0
    norm = Normalize(-(top or 1.0), top or 1.0)
    ax.imshow(np.ma.masked_invalid(shown), cmap=SIGNED, norm=norm, aspect="auto")
    ax.set_yticks(range(len(shown)), [escape_label(n, NAMED) for n in table.index[1:]])
    ax.set_xticks(range(len(shown)), [_two_lines(name) for name in table.columns[:-1]])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    open_pairs = set(result.frame.loc[result.frame["relation"] == "open", "pair"])
    _write_cells(ax, shown, table, open_pairs, result.measure, 0.6 * top)
    unit = "points a month" if result.measure == "churn" else f"% of the usual {result.measure}"
    ax.set_xlabel(f"Interaction in {unit} (simulated); in brackets: open")
    finding(ax, _interaction_sentence(result), width=title_width(ax, list(table.index[1:])))
    told = "; ".join(
        f"{row['pair']} {_share(row['index'], result.measure)} ({row['relation']})"
        for row in result.frame.to_dict("records")
    )
    return describe(ax, f"Shapley interaction index of pairs of tools: {told}.")


def _two_lines(name: str) -> str:
    return escape_label(shorten(name, 14)).replace(" ", "\n")


def _write_cells(
    ax: Axes,
    shown: np.ndarray,
    table: pd.DataFrame,
    open_pairs: set[str],
    measure: str,
    dark: float,
) -> None:
    digits = 3 if measure == "churn" else 1
    for (row, column), value in np.ndenumerate(shown):
        if not math.isfinite(value):
            continue
        number = f"{round(100 * value, digits) + 0.0:+.{digits}f}".replace("-", MINUS)
        one, other = str(table.index[row + 1]), str(table.columns[column])
        pair = {f"{one} + {other}", f"{other} + {one}"}
        ax.text(
            column,
            row,
            f"({number})" if pair & open_pairs else number,
            ha="center",
            va="center",
            fontsize=16,
            color="white" if abs(value) > dark else PALETTE["black"],
        )


def _interaction_sentence(result: ToolInteractions) -> str:
    counts = result.frame["relation"].value_counts()
    best = result.frame.iloc[0]
    helped, replaced = counts.get("complement", 0), counts.get("replace each other", 0)
    said = f"Simulated: {helped} of {len(result.frame)} pairs complement each other"
    said += f", {replaced} replace each other"
    return f"{said}; most: {shorten(best['pair'], 2 * NAMED)}" if helped else said


def introduction_lines(result: IntroductionOrder, ax: Axes | None = None) -> Axes:
    """Draw what is gained after every step, in the best, the greedy and the worst order.

    Parameters
    ----------
    result : IntroductionOrder
        From `keycustomer.strategy.introduction_order`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 7))
    same = result.path("best") == result.path("greedy")
    looks = [("worst", PALETTE["vermilion"], "s", "worst order")]
    if not same:
        looks.append(("greedy", PALETTE["orange"], "D", "greedy order"))
    looks.append(("best", PALETTE["blue"], "o", "best order" + same * " (greedy finds it too)"))
    points: list[tuple[float, float, str, str]] = []
    for name, colour, marker, said in looks:
        rows = result.frame[result.frame["order"] == name]
        steps = np.append(0, rows["step"])
        ax.plot(steps, np.append(0.0, rows["gain"]), marker=marker, ms=10, color=colour, label=said)
        ax.fill_between(
            rows["step"], rows["gain_lower"], rows["gain_upper"], color=colour, alpha=0.15, lw=0
        )
        last = len(rows) if name != "best" else len(rows) + 1
        some = rows[rows["step"] < last]
        points += [
            (row["step"], row["gain"], row["tool"], colour) for row in some.to_dict("records")
        ]
    ax.axhline(0, color=PALETTE["grey"], lw=1.5)
    ax.margins(x=0.1, y=0.12)
    percent_axis(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Tools in use (simulated)")
    ax.set_ylabel("Profit gained, share of the usual")
    legend_below(ax, columns=2)
    cost = result.difference("best", "worst")
    finding(
        ax,
        f"Simulated: start with {names_in_words(result.path('best')[:2], 2, NAMED)}; the worst "
        f"order earns {percent(cost.estimate, 0)} of the usual profit less on the way",
    )
    x, y, names, colours = (list(column) for column in zip(*points, strict=True))
    name_points(ax, x, y, names, colours=colours)
    told = "; ".join(f"{name}: {', '.join(result.path(name))}" for name, *_ in looks[::-1])
    chance = result.difference("best", "chance")
    return describe(
        ax,
        f"Orders of introduction, {told}. The best earns {chance.as_percent()} of the usual profit "
        "a stage more than an order by chance, judged on companies it was not picked on.",
    )


def interplay_origin_dots(result: InterplayOrigin, ax: Axes | None = None) -> Axes:
    """Draw what the tools bring beyond the sum of each alone, with links between them cut.

    Parameters
    ----------
    result : InterplayOrigin
        From `keycustomer.strategy.interplay_origin`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.6 * len(frame)))
    places = np.arange(len(frame))
    ends = {"as it is": PALETTE["black"], "all of these": PALETTE["vermilion"]}
    colours = [ends.get(name, PALETTE["blue"]) for name in frame["without"]]
    ax.hlines(places, frame["beyond_lower"], frame["beyond_upper"], color=colours, lw=4)
    ax.scatter(frame["beyond"], places, s=130, color=colours, zorder=4)
    ax.axvline(0, color=PALETTE["black"], lw=2)
    labels = [escape_label(shorten(name, 32)) for name in frame["without"]]
    name_rows(ax, labels)
    percent_axis(ax.xaxis)
    ax.set_xlabel("All beyond the sum of each,\nshare of the usual profit (simulated, 95 %)")
    whole, left = result.of("as it is"), result.of()
    finding(
        ax,
        f"Simulated: the system is built in; {percent(whole.estimate, 0)} beyond the sum become "
        f"{percent(left.estimate, 0)} when its links are cut",
        width=title_width(ax, labels),
    )
    told = "; ".join(
        f"{row['without']} {percent(row['beyond'])}" for row in result.frame.to_dict("records")
    )
    return describe(
        ax, f"What all tools bring beyond the sum of each alone, by which link is cut: {told}."
    )


def tool_trial_dots(result: ToolExperiment, ax: Axes | None = None) -> Axes:
    """Draw the effects that a trial finds, beside the truth.

    Parameters
    ----------
    result : ToolExperiment
        From `keycustomer.strategy.tool_experiment`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 3.0 + 0.62 * len(frame)))
    places = np.arange(len(frame))
    clear = (frame["lower"] > 0) | (frame["upper"] < 0)
    colours = np.where(clear, PALETTE["blue"], PALETTE["grey"])
    ax.hlines(places, frame["lower"], frame["upper"], color=colours, lw=4)
    ax.scatter(frame["estimate"], places, s=120, color=colours, zorder=4)
    ax.plot(frame["truth"], places, "|", color=PALETTE["vermilion"], ms=24, mew=4, ls="", zorder=5)
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    labels = [_effect_label(name) for name in frame["effect"]]
    name_rows(ax, labels)
    ax.tick_params(axis="y", labelsize=13 if len(frame) < 12 else 11)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of last year's profit (simulated)")
    keys = [
        Line2D([], [], color=PALETTE["blue"], marker="o", ms=11, lw=4, label="stands out, 95 %"),
        Line2D([], [], color=PALETTE["grey"], marker="o", ms=11, lw=4, label="holds 0"),
        Line2D([], [], color=PALETTE["vermilion"], marker="|", ms=18, mew=4, ls="", label="truth"),
    ]
    legend_below(ax, columns=3, handles=keys)
    singles = frame[frame["kind"] == "tool"]
    found = int(clear[frame["kind"] == "tool"].sum())
    system = result.of()
    seen = "and so does" if not system.lower <= 0 <= system.upper else "not"
    finding(
        ax,
        f"Simulated: in a trial with {result.customers:,} customers {found} of {len(singles)} "
        f"tools stand out, {seen} the system",
        width=title_width(ax, labels),
    )
    told = "; ".join(
        f"{row['effect']} {percent(row['estimate'])} (truth {percent(row['truth'])})"
        for row in result.frame.to_dict("records")
    )
    return describe(
        ax, f"Effects found by the trial {result.design.name!r}, {result.months} months: {told}."
    )


def _effect_label(name: str) -> str:
    """Write an effect on lines that are short enough."""
    return "\n".join(escape_label(shorten(part, LONGEST)) for part in name.split(" = "))


def trial_size_dots(result: ToolExperiment, ax: Axes | None = None) -> Axes:
    """Draw how many customers each design needs to find what all bring beyond the sum.

    Parameters
    ----------
    result : ToolExperiment
        From `keycustomer.strategy.tool_experiment`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.designs.sort_values("needed", ascending=False, ignore_index=True)
    frame = frame[np.isfinite(frame["needed"])].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.62 * max(len(frame), 2)))
    labels = [f"{escape_label(row['design'], 30)}: {row['runs']}" for row in _records(frame)]
    ax.plot(frame["needed"], np.arange(len(frame)), "o", color=PALETTE["blue"], ms=13, ls="")
    ax.axvline(result.customers, color=PALETTE["vermilion"], lw=3)
    for place, needed in enumerate(frame["needed"]):
        _write_needed(ax, needed, place)
    name_rows(ax, labels)
    ax.set_xscale("log")
    ax.set_xlim(
        0.6 * min([result.customers, *frame["needed"]]),
        4 * max([result.customers, *frame["needed"]]),
    )
    ax.xaxis.set_major_locator(LogLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact_number(value)))
    ax.set_xlabel(f"Customers needed for a chance of {percent(result.power, 0)} (simulated)")
    ax.set_ylabel("Design: groups")
    there = Line2D([], [], color=PALETTE["vermilion"], label=f"there are {result.customers:,}")
    legend_below(ax, handles=[there])
    finding(ax, _size_sentence(frame, result.customers), width=title_width(ax, labels))
    told = "; ".join(f"{row['design']} {compact_number(row['needed'])}" for row in _records(frame))
    return describe(
        ax,
        f"Customers that a trial of {result.months} months needs to find what all tools bring "
        f"beyond the sum of each alone: {told or 'there is nothing to find'}. There are "
        f"{result.customers:,}.",
    )


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _write_needed(ax: Axes, needed: float, place: int) -> None:
    ax.annotate(
        compact_number(needed),
        (needed, place),
        (12, 0),
        textcoords="offset points",
        va="center",
        fontsize=14,
        bbox=UNDERLAY,
    )


def _size_sentence(frame: pd.DataFrame, customers: int) -> str:
    if frame.empty:
        return "Simulated: there is nothing beyond the sum that a trial could find"
    least = float(frame["needed"].min())
    times = least / customers
    if times <= 1:
        return "Simulated: there are customers enough to find the system by trial"
    return (
        f"Simulated: to find the system by trial takes {compact_number(least)} customers, "
        f"{compact_number(times)} times as many as there are"
    )
