"""Figures of two periods: who came and went, who stayed on top, and what is luck.

How did value change, through whom and through what?  :func:`bridge` draws the steps from one
period's value to the next one's, :func:`change_parts` its factors, :func:`migration_map` customers
by class, :func:`fall_of_the_best` the groups of one period in the next beside what luck alone
would leave, :func:`window_curve` the top share by length of the window.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from keycustomer.plots.style import (
    FIGURE_SIZE,
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
    percent,
    percent_axis,
)
from keycustomer.plots.words import capital

if TYPE_CHECKING:
    from keycustomer.pareto.audit import Bridge, Decomposition
    from keycustomer.pareto.migration import Migration
    from keycustomer.pareto.persistence import RegressionToMean
    from keycustomer.pareto.windows import WindowShares
    from keycustomer.stats import Estimate

BLUES = LinearSegmentedColormap.from_list("keycustomer", ["#F4F8FB", PALETTE["sky"], "#00436B"])
"""Colours of heat maps, from little to much."""

DAYS_OF_MONTH = 30.4375
"""Mean length of a month."""

UNCLASSED = ("returned", "new")
"""Rows of a migration for those who did not buy in the first period."""

MOST_WRITTEN_CELLS = 160
"""Cells up to which a heat map carries numbers."""


def bridge(result: Bridge, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the waterfall from the first period's value to the second's.

    Parameters
    ----------
    result : Bridge
        From `keycustomer.pareto.revenue_bridge`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    ax = new_axes(ax)
    frame = result.frame
    total = (frame["kind"] == "total").to_numpy()
    amount = frame["amount"].to_numpy()
    ends = np.where(total, amount, amount[0] + np.cumsum(np.where(total, 0, amount)))
    starts = np.where(total, 0, ends - amount)
    places = np.arange(len(frame))
    colours = np.select(
        [total, amount < 0], [PALETTE["grey"], PALETTE["vermilion"]], PALETTE["blue"]
    )
    ax.bar(places, ends - starts, bottom=starts, color=list(colours), width=0.72)
    ax.hlines(ends[:-1], places[:-1] + 0.36, places[1:] - 0.36, color=PALETTE["grey"], lw=1)
    _write_steps(ax, frame, np.maximum(starts, ends))
    names = [_step_name(step, result) for step in frame["step"]]
    ax.set_xticks(places, [_wrapped(name, 11) for name in names])
    ax.tick_params(axis="x", labelsize=13)
    ax.grid(visible=False, axis="x")
    ax.axhline(0, color=PALETTE["grey"], lw=1)
    # room for two lines of letters above the bars, and for totals below zero
    low, high = min(0, *ends, *starts), max(0, *ends, *starts)
    ax.set_ylim(low * 1.08, high + 0.2 * ((high - low) or 1))
    number_axis(ax.yaxis)
    ax.set_ylabel(axis_label(result.value, unit))
    ax.set_xlabel("Number of customers in grey")
    finding(ax, _bridge_sentence(result))
    steps = "; ".join(
        f"{name} {_signed(change)} ({counted(customers, 'customer')})"
        for name, change, customers in zip(
            names[1:-1], amount[1:-1], frame["customers"][1:-1], strict=True
        )
    )
    return describe(
        ax,
        f"Waterfall of {result.value} from {compact_number(amount[0])} in {result.first} to "
        f"{compact_number(amount[-1])} in {result.second}: {steps}.",
    )


def _write_steps(ax: Axes, frame: pd.DataFrame, tops: np.ndarray) -> None:
    for place, (row, top) in enumerate(zip(frame.to_dict("records"), tops, strict=True)):
        is_total = row["kind"] == "total"
        change = compact_number(row["amount"]) if is_total else _signed(row["amount"])
        looks: list[tuple[str, int, dict[str, Any]]] = [
            (change, 24, {"weight": "bold", "fontsize": 16}),
            (f"{row['customers']:,}", 6, {"fontsize": 13, "color": PALETTE["grey"]}),
        ]
        for text, above, look in looks:
            ax.annotate(
                text, (place, top), (0, above), textcoords="offset points", ha="center", **look
            )


def _step_name(step: str, result: Bridge) -> str:
    if step == "new" and not result.history:
        return "new, or back after a pause"
    return step


def _bridge_sentence(result: Bridge) -> str:
    amounts = result.frame["amount"].to_numpy()
    steps = result.frame[result.frame["kind"] == "change"]
    change = amounts[-1] - amounts[0]
    opening = f"{capital(result.value)} {_grew(amounts[0], amounts[-1])}"
    sign = -1 if change < 0 else 1
    largest = steps.iloc[int((steps["amount"] * sign).argmax())]
    if largest["amount"] * sign <= 0:
        return opening
    what = "loss" if sign < 0 else "gain"
    name = _step_name(largest["step"], result)
    return f"{opening}; the largest {what}: {name} ({_signed(largest['amount'])})"


def _grew(before: float, after: float) -> str:
    """Say how a total changed: fell 13.5 % to 564 k."""
    if before <= 0:
        return f"went from {compact_number(before)} to {compact_number(after)}"
    change = after / before - 1
    verb = "fell" if change < 0 else "grew"
    if abs(change) < 0.0005:
        return f"stayed at {compact_number(after)}"
    return f"{verb} {percent(abs(change))} to {compact_number(after)}"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + compact_number(value)


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 customer, 2,389 customers."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(escape_label(text), width) or [""])


def axis_label(value: str, unit: str = "") -> str:
    """Name a quantity with its unit, as the label of an axis."""
    return escape_label(f"{capital(value)} ({unit})" if unit else capital(value))


def change_parts(result: Decomposition, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw what each factor contributed to the change.

    Parameters
    ----------
    result : Decomposition
        From `keycustomer.pareto.decompose_change`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    ax = new_axes(ax, size=(10, 5))
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    parts = frame["contribution"].to_numpy()
    colours = [PALETTE["vermilion"] if part < 0 else PALETTE["blue"] for part in parts]
    ax.barh(frame.index, parts, color=colours, height=0.6)
    rows = frame.to_dict("records")
    for place, row in enumerate(rows):
        ahead = row["contribution"] >= 0
        ax.annotate(
            _signed(row["contribution"]),
            (row["contribution"], place),
            (8 if ahead else -8, 0),
            textcoords="offset points",
            ha="left" if ahead else "right",
            va="center",
            weight="bold",
            fontsize=16,
        )
    labels = [
        f"{escape_label(capital(row['factor']))}\n{_amount(row['first'])} → "
        f"{_amount(row['second'])}"
        for row in rows
    ]
    ax.set_yticks(frame.index, labels)
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    ax.grid(visible=False, axis="y")
    ax.margins(x=0.22)
    number_axis(ax.xaxis)
    ax.set_xlabel(axis_label(f"contribution to the change of {result.value}", unit))
    sign = -1 if result.after < result.before else 1
    largest = rows[int((sign * parts).argmax())]
    finding(
        ax,
        f"{capital(result.value)} {_grew(result.before, result.after)}, most of all through "
        f"{largest['factor']} ({_signed(largest['contribution'])})",
        width=title_width(ax, labels),
    )
    told = "; ".join(f"{row['factor']} {_signed(row['contribution'])}" for row in rows[::-1])
    return describe(
        ax,
        f"Bars of the contributions to the change of {result.value} from {result.first} to "
        f"{result.second}, which add up to {_signed(result.after - result.before)}: {told}.",
    )


def title_width(ax: Axes, labels: Iterable[str]) -> int:
    """Columns of a title above axes whose labels at the left take more than an inch."""
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    figure = ax.get_figure(root=True)
    width = figure.get_size_inches()[0] if isinstance(figure, Figure) else FIGURE_SIZE[0]
    # a letter of a label is an eighth of an inch wide at most, one of a title a sixth
    return max(int((width - 0.7 - longest / 8) * 6), 20)


def _amount(value: float) -> str:
    if not math.isfinite(value):
        return "not known"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def heat_map(
    ax: Axes, table: pd.DataFrame, *, highest: float | None = None, size: float = 14
) -> None:
    """Draw a table of shares as a heat map with its numbers; missing cells stay empty.

    Parameters
    ----------
    ax : Axes
        Axes to draw into.
    table : DataFrame
        Shares, 0..1; index and columns are the labels.
    highest : float, optional
        Share that gets the darkest colour; the largest one when left out.
    size : float
        Letter size of the numbers.
    """
    cells = table.to_numpy(float)
    known = cells[np.isfinite(cells)]
    top = highest or (known.max() if known.size else 1.0) or 1.0
    norm = Normalize(0, top)
    ax.imshow(np.ma.masked_invalid(cells), cmap=BLUES, norm=norm, aspect="auto")
    ax.set_xticks(range(table.shape[1]), [escape_label(name, 18) for name in table.columns])
    ax.set_yticks(range(table.shape[0]), [escape_label(name, 22) for name in table.index])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    if cells.size > MOST_WRITTEN_CELLS:
        return
    for (row, column), share in np.ndenumerate(cells):
        if math.isfinite(share):
            dark = norm(share) > 0.6
            ax.text(
                column,
                row,
                f"{100 * share:.0f}",
                ha="center",
                va="center",
                fontsize=size,
                color="white" if dark else PALETTE["black"],
            )


def migration_map(result: Migration, ax: Axes | None = None) -> Axes:
    """Draw a heat map of the row shares of a class migration.

    Parameters
    ----------
    result : Migration
        From `keycustomer.pareto.class_migration`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 7))
    size = result.counts.sum(axis=1)
    shares = result.shares[size > 0].copy()
    # who bought in the second period only cannot be gone in it
    shares.loc[shares.index.isin(UNCLASSED), "gone"] = np.nan
    heat_map(ax, shares, size=18 if len(shares) <= 5 else 13)
    ax.set_yticklabels([f"{escape_label(name, 16)}  ({size[name]:,})" for name in shares.index])
    ax.set_xlabel(f"Class in {result.second} (numbers: percent of the row)")
    ax.set_ylabel(f"Class in {result.first} (customers)")
    best = result.counts.index[0]
    if size[best] == 0:
        sentence = f"Nobody bought in {result.first}"
        return describe(finding(ax, sentence), sentence)
    stayed, gone = (float(shares[name].iloc[0]) for name in (best, "gone"))
    sentence = (
        f"Of the best class ({best}), {percent(stayed, 0)} stay in it and "
        f"{percent(gone, 0)} buy nothing in the next period"
    )
    finding(ax, sentence)
    diagonal = ", ".join(
        f"{name} {percent(share, 0)}"
        for name, share in zip(shares.index, np.diag(shares), strict=False)
        if name not in UNCLASSED
    )
    return describe(
        ax,
        f"Heat map of customers by class in {result.first} and {result.second}, in percent of the "
        f"row. {sentence}. Share that stays, by class: {diagonal}.",
    )


def fall_of_the_best(result: RegressionToMean, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the second period's value by group of the first, beside what luck alone would leave.

    Parameters
    ----------
    result : RegressionToMean
        From `keycustomer.pareto.regression_to_mean`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    ax = new_axes(ax)
    frame = result.frame
    x = frame["group"]
    ax.plot(x, frame["full_persistence"], color=PALETTE["grey"], ls="--", lw=2)
    ax.plot(x, frame["no_persistence"], color=PALETTE["grey"], ls=":", lw=2)
    if frame["luck_only"].notna().any():
        ax.plot(x, frame["luck_only"], color=PALETTE["orange"])
    draw_second(ax, frame)
    _name_the_lines(ax, result)
    ax.set_xticks(x)
    ax.set_xlabel(f"Groups of equal size by {result.value} in {result.first}, 1 the best")
    ax.set_ylabel(axis_label(f"mean {result.value} in {result.second}", unit))
    number_axis(ax.yaxis)
    ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
    finding(ax, _luck_sentence(result))
    best = frame.iloc[0]
    return describe(
        ax,
        f"Mean {result.value} in {result.second} by group of {result.first}. Best group: "
        f"{_amount(best['second'])} seen, {_amount(best['full_persistence'])} if everybody kept "
        f"its multiple of the mean, {_amount(best['luck_only'])} if only luck was not repeated, "
        f"{_amount(best['no_persistence'])} if nobody differed. Reliability "
        f"{_said(result.reliability)}, share of the fall that is luck "
        f"{_said(result.luck_share)}.",
    )


def draw_second(ax: Axes, frame: pd.DataFrame, label: str | None = None) -> None:
    """Mark what every group brought in the second period, with its interval."""
    below, above = frame["second"] - frame["lower"], frame["upper"] - frame["second"]
    ax.errorbar(
        frame["group"],
        frame["second"],
        yerr=np.maximum([below, above], 0),
        fmt="o",
        ms=10,
        lw=2.5,
        color=PALETTE["blue"],
        label=label,
    )


def _said(estimate: Estimate) -> str:
    return "not known" if math.isnan(estimate.estimate) else str(estimate)


def _name_the_lines(ax: Axes, result: RegressionToMean) -> None:
    lines = ax.get_lines()
    names = ["everybody keeps its multiple of the mean", "nobody differs", "only luck is lost"]
    handles = list(zip([lines[0], lines[1], *lines[2:3]], names, strict=False))
    if result.frame["luck_only"].isna().all():
        handles = handles[:2]
    seen = ax.containers[0]
    ax.legend(
        [seen, *(line for line, _ in handles)],
        [f"seen in {result.second}", *(name for _, name in handles)],
        loc="upper right",
    )


def _luck_sentence(result: RegressionToMean) -> str:
    best = result.frame.iloc[0]
    seen, kept = _amount(best["second"]), _amount(best["full_persistence"])
    share = result.luck_share.estimate
    if not best["second"] < best["full_persistence"]:
        return f"The best group kept all of its lead: it brought {seen}, not {kept}"
    opening = f"The best group brought {seen}, not {kept} as its lead promised"
    if math.isnan(share):
        return f"{opening}; how much of that is luck is not known"
    if share >= 1:
        return f"{opening}: luck alone explains all of that"
    return f"{opening}: luck alone explains {percent(share, 0)} of that"


def window_curve(result: WindowShares, ax: Axes | None = None) -> Axes:
    """Draw the top share by length of the window, or by period.

    Parameters
    ----------
    result : WindowShares
        From `keycustomer.pareto.pareto_by_window` or `pareto_by_period`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    looks = {
        "all": ("all customers", PALETTE["orange"], "s"),
        "buyers": ("buyers of the window", PALETTE["blue"], "o"),
    }
    for population, (name, colour, marker) in looks.items():
        rows = result.of(population)
        x = rows["days"] / DAYS_OF_MONTH if result.growing else rows["start"]
        ax.fill_between(x, rows["lower"], rows["upper"], color=colour, alpha=0.25, lw=0)
        ax.plot(x, rows["share"], color=colour, marker=marker, ms=8, label=name)
    ax.axhline(0.8, color=PALETTE["grey"], ls=":", lw=1.5)
    ax.annotate(
        "80 %: the rule",
        (1, 0.8),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 5),
        textcoords="offset points",
        ha="right",
        fontsize=13,
        color=PALETTE["grey"],
    )
    low = result.frame[["share", "lower"]].min().min()
    ax.set_ylim(min(0.4, math.floor(10 * low) / 10), 1.03)
    percent_axis(ax.yaxis)
    who = f"top {percent(result.top, 0)}"
    ax.set_ylabel(axis_label(f"share of {result.value} from the {who}"))
    ax.set_xlabel("Length of the window (months)" if result.growing else "Period beginning")
    if not result.growing:
        places = AutoDateLocator(minticks=2, maxticks=7)
        ax.xaxis.set_major_locator(places)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(places))
    ax.legend(loc="best")
    finding(ax, _window_sentence(result, who))
    told = "; ".join(_window_ends(result, population) for population in looks)
    return describe(ax, f"Share of {result.value} from the {who} of customers: {told}.")


def _window_sentence(result: WindowShares, who: str) -> str:
    rows = result.of("buyers")
    first, last = rows.iloc[0], rows.iloc[-1]
    if not result.growing:
        low, high = percent(rows["share"].min(), 0), percent(rows["share"].max(), 0)
        return f"In single periods the {who} of buyers bring {low} to {high} of {result.value}"
    if len(rows) == 1:
        share = percent(first["share"])
        return f"In {_length(first['days'])} the {who} of buyers bring {share} of {result.value}"
    verb = "grows" if last["share"] > first["share"] else "goes"
    return (
        f"From {_length(first['days'])} to {_length(last['days'])} the share of the {who} of "
        f"buyers {verb} from {percent(first['share'], 0)} to {percent(last['share'], 0)}"
    )


def _length(days: int) -> str:
    """Length of a window in words: 30 days, 15 months."""
    if days < 45:
        return counted(int(days), "day")
    return counted(round(days / DAYS_OF_MONTH), "month")


def _window_ends(result: WindowShares, population: str) -> str:
    rows = result.of(population)
    ends = rows.iloc[[0, -1]] if len(rows) > 1 else rows
    shares = ", ".join(
        f"{percent(row['share'])}{_between(row['lower'], row['upper'])} in "
        f"{counted(row['days'], 'day')} from {row['start']:%Y-%m-%d}"
        for row in ends.to_dict("records")
    )
    return f"{population}: {shares}"


def _between(lower: float, upper: float) -> str:
    return "" if math.isnan(lower) else f" ({percent(lower)} to {percent(upper)})"
