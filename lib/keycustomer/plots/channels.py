"""Figures of channels: who overlaps with whom, what channels cost, what a rule is worth, who works.

:func:`overlap_map` draws the accounts that agents share with managers, :func:`channel_dots` margin,
cost to serve or profit by channel as they stand and like with like, :func:`responsibility_dots` the
gain by a rule of responsibility over simulated companies, :func:`workload_bars` managers' hours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from keycustomer.plots.audit import BLUES, MOST_WRITTEN_CELLS, counted, title_width
from keycustomer.plots.labels import UNDERLAY, name_rows, short_names, shorten
from keycustomer.plots.legends import legend_below
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
    from keycustomer.relationships.channels.comparison import ChannelComparison
    from keycustomer.relationships.channels.overlap import ChannelOverlap
    from keycustomer.relationships.channels.responsibility import ResponsibilityEffect
    from keycustomer.relationships.channels.workloads import ManagerWorkloads

LONGEST_NAME = 26

SIDE_NAME = 16
"""Letters of a name beside a map."""

LETTERS_ACROSS = 48
"""Letters that fit side by side under a map; names with more stand upright."""

MOST_ROWS = 24
"""Agents, or managers, that a figure shows; of more those with most."""

WAY_COLOURS = {"as they stand": PALETTE["grey"], "like with like": PALETTE["blue"]}
"""Colours of the ways of comparing."""

WORDS = {
    "revenue": "revenue",
    "margin": "margin before cost to serve",
    "cost_to_serve": "cost to serve",
    "profit": "profit (margin less cost to serve)",
    "cost_share": "cost to serve",
}


def overlap_map(result: ChannelOverlap, ax: Axes | None = None) -> Axes:
    """Draw how many accounts each agent shares with each manager.

    Parameters
    ----------
    result : ChannelOverlap
        From `keycustomer.relationships.channel_overlap`.
    ax : Axes, optional
        Axes to draw into.
    """
    if result.matrix.empty:
        ax = new_axes(ax)
        ax.set_xlabel("manager")
        said = "No account has both an agent and a manager on file"
        return describe(finding(ax, said), f"{said}; {result.sentence}.")
    rows = result.matrix.sum(axis=1).nlargest(MOST_ROWS).index
    columns = result.matrix.loc[rows].sum().nlargest(MOST_ROWS).index
    table = result.matrix.loc[sorted(rows), sorted(columns)]
    table = table[table.sum(axis=1) > 0]
    ax = new_axes(ax, size=(max(9.0, 3.2 + 0.42 * table.shape[1]), max(5.0, 3 + 0.36 * len(table))))
    values = table.to_numpy()
    image = ax.imshow(values, cmap=BLUES, aspect="auto", vmin=0)
    if values.size <= MOST_WRITTEN_CELLS:
        for (row, column), count in np.ndenumerate(values):
            colour = "white" if count > 0.6 * values.max() else PALETTE["black"]
            if count:
                ax.text(column, row, f"{count}", ha="center", va="center", color=colour)
    else:
        ax.figure.colorbar(image, ax=ax, label="accounts shared", shrink=0.8)
    labels = _name_sides(ax, table)
    finding(ax, result.sentence, width=title_width(ax, labels))
    left = result.matrix.size - table.size
    more = f" {left:,} pairs of those with fewer accounts are not drawn." if left else ""
    most = result.agents.iloc[int(result.agents["shared"].argmax())]
    return describe(
        ax,
        f"Accounts shared by {counted(len(result.matrix), 'agent')} and "
        f"{counted(result.matrix.shape[1], 'manager')}. {result.sentence}. Most are shared by "
        f"{most['agent']}: {int(most['shared']):,} of {int(most['customers']):,}.{more}",
    )


def _name_sides(ax: Axes, table: pd.DataFrame) -> list[str]:
    """Write the names of managers and agents; give those at the left."""
    size = 14 if max(table.shape) <= 12 else 11
    above, beside = (
        [escape_label(short) for short in short_names(list(names), SIDE_NAME).values()]
        for names in (table.columns, table.index)
    )
    upright = max(map(len, above)) * len(above) > LETTERS_ACROSS
    ax.set_xticks(range(table.shape[1]), above, rotation=90 if upright else 0, fontsize=size)
    ax.set_yticks(range(len(table)), beside, fontsize=size)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.set_xlabel("manager")
    ax.set_ylabel("agent")
    return beside


def channel_dots(
    result: ChannelComparison, ax: Axes | None = None, *, measure: str = "cost_share"
) -> Axes:
    """Draw one measure of every channel, as it stands and like with like.

    Parameters
    ----------
    result : ChannelComparison
        From `keycustomer.relationships.compare_channels`.
    ax : Axes, optional
        Axes to draw into.
    measure : {"revenue", "margin", "cost_to_serve", "profit", "cost_share"}
        What to draw.
    """
    if measure not in WORDS:
        raise ValueError(f"measure={measure!r}: one of {', '.join(WORDS)}")
    table = result.frame[result.frame["measure"] == measure]
    channels = list(result.channels)[::-1]
    ax = new_axes(ax, size=(10, max(4.2, 2.6 + 0.8 * len(channels))))
    for (way, colour), offset in zip(WAY_COLOURS.items(), (0.16, -0.16), strict=True):
        own = table[table["way"] == way].set_index("channel").loc[channels]
        at = np.arange(len(channels)) + offset
        ax.hlines(at, own["lower"], own["upper"], color=colour, lw=4)
        ax.plot(own["estimate"], at, "o", color=colour, ms=11, label=way)
    labels = [escape_label(shorten(name, LONGEST_NAME)) for name in channels]
    name_rows(ax, labels)
    share = measure == "cost_share"
    (percent_axis if share else number_axis)(ax.xaxis)
    ax.margins(x=0.08)
    unit = "share of revenue" if share else f"{result.currency or 'currency'} a customer and year"
    ax.set_xlabel(escape_label(f"{WORDS[measure]}, {unit}"))
    legend_below(ax, 2)
    finding(ax, _channel_sentence(result, measure), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['channel']} {row['way']} {_written(row['estimate'], share)} "
        f"({_written(row['lower'], share)} to {_written(row['upper'], share)})"
        for row in table.to_dict("records")
    )
    return describe(ax, f"{WORDS[measure].capitalize()} by channel, {unit}: {told}.")


def _written(value: float, share: bool) -> str:
    if math.isnan(value):
        return "not known"
    return percent(value) if share else compact_number(value)


def _channel_sentence(result: ChannelComparison, measure: str) -> str:
    alike = [result.of(name, measure) for name in result.channels]
    order = np.argsort([one.estimate for one in alike])
    low, high = (alike[int(order[k])] for k in (0, -1))
    names = [shorten(result.channels[int(order[k])], 20) for k in (-1, 0)]
    share = measure == "cost_share"
    ends = f"{_written(high.estimate, share)} against {_written(low.estimate, share)}"
    apart = "" if high.lower > low.upper else " (intervals overlap)"
    word = WORDS[measure].split(" (")[0].split(" before")[0]
    return f"Like with like, {word} is highest with {names[0]}: {ends} with {names[1]}{apart}"


def responsibility_dots(
    result: ResponsibilityEffect, ax: Axes | None = None, *, measure: str = "profit"
) -> Axes:
    """Draw what each rule of responsibility changes, company by company.

    Parameters
    ----------
    result : ResponsibilityEffect
        From `keycustomer.relationships.responsibility_effect`.
    ax : Axes, optional
        Axes to draw into.
    measure : {"profit", "survival", "last_year"}
        What to draw.
    """
    table = result.frame[result.frame["measure"] == measure]
    if not len(table):
        known = ", ".join(result.frame["measure"].unique())
        raise ValueError(f"measure={measure!r}: one of {known}")
    rules = list(table["rule"])[::-1]
    ax = new_axes(ax, size=(10, 2.4 + 0.6 * len(rules)))
    for place, rule in enumerate(rules):
        own = result.companies[result.companies["rule"] == rule]
        row = table[table["rule"] == rule].iloc[0]
        ax.plot(own[measure], np.full(len(own), place), "o", color=PALETTE["sky"], ms=8, alpha=0.6)
        ax.hlines(place, row["lower"], row["upper"], color=PALETTE["blue"], lw=7)
        ax.plot(row["mean"], place, "D", color=PALETTE["blue"], ms=11, mec="white")
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    name_rows(ax, rules)
    points = measure == "survival"
    if points:
        percent_axis(ax.xaxis, digits=1)
    else:
        number_axis(ax.xaxis)
    ax.set_xlabel(
        "change of the chance to stay (points)" if points else "change of profit, EUR an account"
    )
    _explain_companies(ax)
    count = result.companies["seed"].nunique()
    best = table.iloc[int(table["mean"].argmax())]
    gain = (
        f"{100 * best['mean']:.1f} points more stay"
        if points
        else f"{compact_number(best['mean'])} EUR more an account"
    )
    finding(
        ax,
        f"Simulated, with one in charge: best is {best['rule']!r}, {gain}",
        width=title_width(ax, rules),
    )
    told = "; ".join(
        f"{row['rule']} {row['mean']:.4g} ({row['lower']:.4g} to {row['upper']:.4g}), "
        f"{percent(row['gaining'], 0)} of the companies gain"
        for row in table.to_dict("records")
    )
    return describe(
        ax, f"Simulated data: change of {measure} by rule over {count} companies: {told}."
    )


def _explain_companies(ax: Axes) -> None:
    blue = PALETTE["blue"]
    handles = [
        Line2D([], [], marker="o", color=PALETTE["sky"], ls="none", ms=8,
               label="a simulated company"),
        Line2D([], [], marker="D", color=blue, lw=7, ms=11, mec="white",
               label="mean and its interval"),
    ]  # fmt: skip
    legend_below(ax, 2, handles)


def workload_bars(result: ManagerWorkloads, ax: Axes | None = None) -> Axes:
    """Draw the hours a year of each manager, those with too much marked.

    Parameters
    ----------
    result : ManagerWorkloads
        From `keycustomer.relationships.manager_workloads`.
    ax : Axes, optional
        Axes to draw into.
    """
    table = result.frame.head(MOST_ROWS).iloc[::-1].reset_index(drop=True)
    names = short_names([str(name) for name in table[result.staff]], LONGEST_NAME)
    labels = [escape_label(names[str(name)]) for name in table[result.staff]]
    ax = new_axes(ax, size=(10, max(4.2, 2.3 + 0.3 * len(table))))
    colours = [PALETTE["vermilion" if own else "blue"] for own in table["overloaded"]]
    ax.barh(np.arange(len(table)), table["hours"], color=colours, height=0.74)
    name_rows(ax, labels)
    ax.tick_params(axis="y", labelsize=11 if len(table) > 14 else 14)
    limit = result.multiple * float(result.frame["hours"].median())
    ax.axvline(limit, color=PALETTE["black"], lw=1.5, ls="--")
    most = float(table["hours"].max())
    for place, row in enumerate(table.to_dict("records")):
        ax.annotate(
            f"{row['customers']:,} accounts", (row["hours"], place), xytext=(5, 0),
            textcoords="offset points", va="center", fontsize=11, color=PALETTE["grey"],
            bbox=UNDERLAY,
        )  # fmt: skip
    ax.set_xlim(0, max(1.2 * most, 1.05 * limit, 1.0))
    ax.set_xlabel(f"hours a year, assumed per contact (dashed: {result.multiple:g} x the median)")
    finding(ax, result.sentence, width=title_width(ax, labels))
    left = len(result.frame) - len(table)
    more = f" {counted(left, result.staff)} with fewer hours not drawn." if left else ""
    told = "; ".join(
        f"{row[result.staff]} {row['hours']:,.0f} hours"
        for row in result.frame.head(8).to_dict("records")
    )
    return describe(ax, f"Hours a year by {result.staff}: {told}. {result.sentence}.{more}")
