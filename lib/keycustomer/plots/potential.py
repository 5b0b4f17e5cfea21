"""Figures of the second kind of key customer, and of what a model expects of the first.

Who is valuable now, and who later?  :func:`value_map` draws every customer by current and potential
value with the borders between the four groups, :func:`group_bars` what each group brings,
:func:`rank_map` how ranks change.  How much is luck?  :func:`implied_windows` draws the top share
over growing windows, seen and implied, beside what chance alone would make and the lasting share;
:func:`expected_fall` the groups of one period in the next beside what a model expected of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from keycustomer.plots.audit import (
    BLUES,
    DAYS_OF_MONTH,
    axis_label,
    counted,
    draw_second,
    title_width,
)
from keycustomer.plots.style import (
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

if TYPE_CHECKING:
    from keycustomer.lifetime.concentration.growing_windows import WindowConcentration
    from keycustomer.lifetime.concentration.regression import ForeseenFall
    from keycustomer.lifetime.value.potential import PotentialMap

COLOURS = (PALETTE["blue"], PALETTE["vermilion"], PALETTE["green"], PALETTE["grey"])
"""Colours of the four groups, in their order."""

PLACES = ((0.98, 0.97), (0.98, 0.03), (0.02, 0.97), (0.02, 0.03))
"""Corners of the map that the groups' names stand in, in their order."""

SMALLEST = 1e-3
"""Values are drawn down to this part of the border; smaller ones stand at the edge."""

UNDERLAY = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
"""What letters that lines may cross stand on."""

CERTAIN = 0.95
"""Certainty of its group below which a customer is drawn in black."""


def value_map(result: PotentialMap, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw every customer by current and potential value.

    Parameters
    ----------
    result : PotentialMap
        From `keycustomer.lifetime.map_potential`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axes.
    """
    ax = new_axes(ax, size=(10, 7))
    frame, table = result.frame, result.groups.fillna(0)
    lines = result.current_border, result.potential_border
    x, y = (
        _drawable(frame[name], line)
        for name, line in zip(("current", "potential"), lines, strict=True)
    )
    for group, colour in reversed(list(zip(table["group"], COLOURS, strict=True))):
        own = (frame["group"] == group).to_numpy()
        ax.scatter(x[own], y[own], s=9, color=colour, alpha=0.35, lw=0, rasterized=True)
    unsure = (frame["certainty"] < CERTAIN).to_numpy()
    if unsure.any():
        ax.scatter(x[unsure], y[unsure], s=9, color=PALETTE["black"], lw=0, rasterized=True)
    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        number_axis(axis)
    for line, shown, draw in zip(lines, (x, y), (ax.axvline, ax.axhline), strict=True):
        if shown.min() <= line <= shown.max():
            draw(line, color=PALETTE["black"], lw=1.5, ls="--")
    # room in the corners for the names of the groups
    ax.margins(x=0.08, y=0.2)
    _name_the_groups(ax, table)
    ax.set_xlabel(axis_label(f"current value: {_words(result.current)}", unit))
    ax.set_ylabel(axis_label(f"potential value: {_words(result.potential)}", unit))
    finding(ax, _map_sentence(table))
    told = "; ".join(
        f"{row['group']}: {counted(row['customers'], 'customer')} with "
        f"{percent(row['current_share'])} of the current and {percent(row['potential_share'])} of "
        "the potential value"
        for row in table.to_dict("records")
    )
    doubt = f" For {counted(int(unsure.sum()), 'customer')} the group is uncertain."
    return describe(
        ax,
        f"Map of {counted(len(frame), 'customer')} by {_words(result.current)} and "
        f"{_words(result.potential)}, "
        f"borders at {compact_number(lines[0])} and {compact_number(lines[1])}. {told}."
        + (doubt if result.draws else ""),
    )


def _words(column: str) -> str:
    """Name a column in words: residual value."""
    return column.replace("_", " ")


def _drawable(values: pd.Series, border: float) -> np.ndarray:
    """Values no smaller than what the logarithmic axis shows."""
    numbers = values.to_numpy(float)
    positive = numbers[numbers > 0]
    if not positive.size:
        return np.ones(numbers.size)
    return np.maximum(numbers, max(SMALLEST * border, float(positive.min())))


def _name_the_groups(ax: Axes, table: pd.DataFrame) -> None:
    for row, colour, (x, y) in zip(table.to_dict("records"), COLOURS, PLACES, strict=True):
        ax.annotate(
            f"{row['group']}: {row['customers']:,}",
            (x, y),
            xycoords="axes fraction",
            ha="right" if x > 0.5 else "left",
            va="top" if y > 0.5 else "bottom",
            weight="bold",
            fontsize=15,
            color=colour,
            bbox=UNDERLAY,
        )


def _map_sentence(table: pd.DataFrame) -> str:
    rows = table.set_index("group")["customers"].tolist()
    key = rows[0] + rows[1]
    if not key:
        return "Nobody is a key customer now"
    if not rows[0] + rows[2]:
        return "Nobody is a key customer of the future"
    return (
        f"Of {counted(key, 'key customer')} {percent(rows[1] / key, 0)} are fading; "
        f"{rows[2]:,} others have the potential of one"
    )


def group_bars(result: PotentialMap, ax: Axes | None = None) -> Axes:
    """Draw what share of customers, current and potential value each group has.

    Parameters
    ----------
    result : PotentialMap
        From `keycustomer.lifetime.map_potential`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    table = result.groups
    bars = (
        ("customer_share", "customers", PALETTE["light grey"]),
        ("current_share", f"current value ({_words(result.current)})", PALETTE["sky"]),
        ("potential_share", f"potential value ({_words(result.potential)})", PALETTE["blue"]),
    )
    places = np.arange(len(table))
    for n, (column, _, colour) in enumerate(bars):
        shares = table[column].fillna(0).to_numpy()
        at = places + 0.27 * (n - 1)
        ax.barh(at, shares, height=0.25, color=colour)
        for place, share in zip(at, shares, strict=True):
            ax.annotate(
                percent(share),
                (max(share, 0), place),
                (6, 0),
                textcoords="offset points",
                va="center",
                fontsize=13,
            )
    ax.set_yticks(places, list(table["group"]))
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.margins(x=0.14)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of the whole")
    handles = [Patch(color=colour, label=escape_label(name, 40)) for _, name, colour in bars]
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=3)
    later = table["current_share"], table["potential_share"]
    key = [float(shares[:2].sum(skipna=False)) for shares in later]
    finding(
        ax,
        f"Today's key customers brought {percent(key[0], 0)} of the current value and hold "
        f"{percent(key[1], 0)} of the potential"
        if np.isfinite(key).all()
        else "What the groups bring",
        width=title_width(ax, table["group"]),
    )
    told = "; ".join(
        f"{row['group']}: {percent(row['customer_share'])} of the customers, "
        f"{percent(row['current_share'])} of the current value, "
        f"{percent(row['potential_share'])} of the potential value"
        for row in table.fillna(0).to_dict("records")
    )
    return describe(ax, f"Bars of four groups of customers. {told}.")


def rank_map(result: PotentialMap, ax: Axes | None = None) -> Axes:
    """Draw customers by present and potential rank, the best at the left and at the top.

    Parameters
    ----------
    result : PotentialMap
        From `keycustomer.lifetime.map_potential`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(8.5, 7.5))
    frame = result.frame
    n = len(frame)
    x, y = ((frame[name] - 0.5) / n for name in ("current_rank", "potential_rank"))
    cells = int(np.clip(math.sqrt(n) / 3, 4, 40))
    extent = (0.0, 1.0, 0.0, 1.0)
    ax.hexbin(x, y, gridsize=cells, cmap=BLUES, bins="log", extent=extent, mincnt=1, lw=0.1)
    ax.plot([0, 1], [0, 1], color=PALETTE["black"], lw=1.5, ls="--")
    ax.annotate("same rank", (0.64, 0.64), fontsize=13, ha="center", va="center", bbox=UNDERLAY)
    key = [(frame["group"].isin(names)).mean() for names in _key_groups(result)]
    ax.axvline(key[0], color=PALETTE["vermilion"], lw=1.5)
    ax.axhline(key[1], color=PALETTE["green"], lw=1.5)
    ax.set_xlim(0, 1)
    ax.set_ylim(1, 0)
    percent_axis(ax.xaxis)
    percent_axis(ax.yaxis)
    ax.set_xlabel(axis_label(f"rank by {_words(result.current)}: share of customers ahead"))
    ax.set_ylabel(axis_label(f"rank by {_words(result.potential)}: share ahead"))
    better = float((frame["rise"] > 0).mean())
    far = float((np.abs(frame["rise"]) > 0.2 * n).mean())
    finding(
        ax, f"For {percent(far, 0)} of the customers the two ranks are a fifth of the base apart"
    )
    return describe(
        ax,
        f"Density of {counted(n, 'customer')} by rank. Rank correlation "
        f"{_number(result.rank_correlation)}; {percent(better)} rank better by potential than by "
        f"current value, {percent(far)} differ by more than a fifth of the customers. Key now are "
        f"{percent(float(key[0]))}, key later {percent(float(key[1]))}.",
    )


def _key_groups(result: PotentialMap) -> tuple[list[str], list[str]]:
    names = list(result.groups["group"])
    return names[:2], [names[0], names[2]]


def _number(value: float) -> str:
    return "not known" if math.isnan(value) else f"{value:.2f}"


def implied_windows(result: WindowConcentration, ax: Axes | None = None) -> Axes:
    """Draw the top share over growing windows, seen and implied, beside luck alone.

    Parameters
    ----------
    result : WindowConcentration
        From `keycustomer.lifetime.concentration_by_age` or `concentration_by_window`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 6.5))
    looks = {
        "all": ("all customers", PALETTE["orange"], "s"),
        "buyers": ("buyers of the window", PALETTE["blue"], "o"),
    }
    for population, (_, colour, marker) in looks.items():
        rows = result.of(population)  # type: ignore[arg-type]
        months = rows["days"] / DAYS_OF_MONTH
        known = rows["implied_lower"].notna()
        ax.fill_between(
            months[known],
            rows["implied_lower"][known],
            rows["implied_upper"][known],
            color=colour,
            alpha=0.2,
            lw=0,
        )
        ax.plot(months, rows["implied"], color=colour)
        ax.plot(months, rows["luck_alone"], color=colour, lw=1.5, ls=":")
        ends = [rows["seen"] - rows["lower"], rows["upper"] - rows["seen"]]
        bars = np.nan_to_num(np.maximum(ends, 0))
        ax.errorbar(months, rows["seen"], yerr=bars, fmt=marker, ms=8, lw=2, color=colour)
    ax.axhline(result.lasting.estimate, color=PALETTE["green"], lw=2, ls="--")
    ax.set_ylim(0, 1.04)
    ax.set_xlim(left=0)
    percent_axis(ax.yaxis)
    who = f"top {percent(result.top, 0)}"
    ax.set_ylabel(axis_label(f"share of {result.value} from the {who}"))
    ax.set_xlabel(
        "Time since the first purchase (months)"
        if result.by_age
        else "Length of the window (months)"
    )
    ax.legend(handles=_window_keys(looks), loc="lower right", ncols=2, fontsize=13)
    finding(ax, _window_sentence(result, who))
    told = "; ".join(_window_told(result, population) for population in looks)
    return describe(
        ax,
        f"Share of {result.value} from the {who} by length of the window, {result.model}. {told}. "
        f"By true rate alone the {who} have {percent(result.lasting.estimate)}.",
    )


def _window_keys(looks: dict[str, tuple[str, str, str]]) -> list[Any]:
    grey = PALETTE["black"]
    people = [
        Line2D([], [], color=colour, marker=marker, ms=8, label=name)
        for name, colour, marker in looks.values()
    ]
    return [
        *people,
        Line2D([], [], color=PALETTE["green"], lw=2, ls="--", label="by true rate, no luck"),
        Line2D([], [], color=grey, marker="o", ms=8, ls="", label="seen"),
        Line2D([], [], color=grey, label="implied by the model"),
        Line2D([], [], color=grey, lw=1.5, ls=":", label="luck alone"),
    ]


def _window_sentence(result: WindowConcentration, who: str) -> str:
    last = result.of("buyers" if not result.by_age else "all").iloc[-1]
    months = counted(round(last["days"] / DAYS_OF_MONTH), "month")
    return (
        f"After {months} the {who} bring {_share(last['seen'])}: {_share(last['implied'])} by the "
        f"model, {_share(last['luck_alone'])} by luck alone"
    )


def _share(value: float) -> str:
    return "not known" if math.isnan(value) else percent(value, 0)


def _window_told(result: WindowConcentration, population: str) -> str:
    rows = result.of(population)  # type: ignore[arg-type]
    ends = rows.iloc[[0, -1]] if len(rows) > 1 else rows
    shares = ", ".join(
        f"{_share(row['seen'])} seen, {_share(row['implied'])} implied and "
        f"{_share(row['luck_alone'])} by luck alone in {counted(row['days'], 'day')}"
        for row in ends.to_dict("records")
    )
    return f"{population}: {shares}"


def expected_fall(result: ForeseenFall, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the groups of one period in the next, beside what the model expected of them.

    Parameters
    ----------
    result : ForeseenFall
        From `keycustomer.lifetime.foreseen_fall`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    ax = new_axes(ax)
    frame = result.frame
    x = frame["group"]
    ax.plot(x, frame["same_again"], color=PALETTE["grey"], ls="--", label="the same again")
    ax.plot(x, frame["if_alive"], color=PALETTE["sky"], label="expected if nobody had left")
    ax.plot(x, frame["expected"], color=PALETTE["orange"], label=f"expected by {result.model}")
    draw_second(ax, frame, "seen")
    ax.set_xticks(x)
    ax.set_xlabel(f"Groups of equal size by {result.value} from {result.first}, 1 the best")
    ax.set_ylabel(axis_label(f"mean {result.value} in the next period", unit))
    number_axis(ax.yaxis)
    ax.set_ylim(bottom=0)
    ax.legend(loc="upper right")
    finding(ax, _fall_sentence(result))
    best, parts = frame.iloc[0], result.parts().iloc[0]
    return describe(
        ax,
        f"Mean {result.value} from {result.second} by group of the period before. Best group: "
        f"{_amount(best['same_again'])} if it brought the same again, {_amount(best['if_alive'])} "
        f"expected if nobody had left, {_amount(best['expected'])} expected by {result.model}, "
        f"{_amount(best['second'])} seen. Of the fall of {_amount(parts['fall'])} "
        f"{_amount(parts['not_repeated'])} does not come again, {_amount(parts['left'])} has left, "
        f"{_amount(parts['not_foreseen'])} was not foreseen.",
    )


def _fall_sentence(result: ForeseenFall) -> str:
    best, share = result.frame.iloc[0], result.foreseen.estimate
    seen, same = _amount(best["second"]), _amount(best["same_again"])
    if math.isnan(share):
        return f"The best group did not fall: it brought {seen}, {same} the time before"
    opening = f"The best group brought {seen} after {same}"
    if share >= 1:
        return f"{opening}: the model had expected all of that fall"
    return f"{opening}: the model had expected {percent(max(share, 0), 0)} of that fall"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
