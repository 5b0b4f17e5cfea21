"""Figures of PLS path models: which paths are there, and where an improvement moves most.

:func:`effect_bars` draws path coefficients, indirect or total effects with their intervals,
:func:`construct_map` sets the importance of constructs for a target against their performance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from keycustomer.plots.audit import counted, title_width
from keycustomer.plots.drivers import FIELD_COLOURS
from keycustomer.plots.labels import interval_text, name_points, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    describe,
    escape_label,
    finding,
    new_axes,
)

if TYPE_CHECKING:
    from keycustomer.dimensions.pls.performance import ConstructPerformance
    from keycustomer.dimensions.pls.resampled import PlsBootstrap

LONGEST_NAME = 18
"""Characters of a construct's name at an axis."""

MOST_ROWS = 24
"""Effects drawn; the smallest others are counted."""

ALL_ROUTES = "all routes"
"""What the sum over all routes of an indirect effect is called."""

EFFECTS = {"path": "path", "indirect": "indirect effect", "total": "total effect"}
"""What can be drawn, in words."""

LONGEST_TITLE = 40
"""Characters of a route in a title; of longer ones the title names the two ends."""

LONGEST_LINE = 26
"""Characters of a route's line; longer routes take two."""


def effect_bars(
    result: PlsBootstrap,
    ax: Axes | None = None,
    *,
    effects: Literal["path", "indirect", "total"] = "path",
) -> Axes:
    """Draw effects with their intervals, the largest on top.

    Parameters
    ----------
    result : PlsBootstrap
        From `keycustomer.dimensions.bootstrap_pls`.
    ax : Axes, optional
        Axes to draw into.
    effects : {"path", "indirect", "total"}
        Direct effects, effects along routes, or both together.
    """
    if effects not in EFFECTS:
        raise ValueError(f"effects={effects!r}: choose one of {', '.join(map(repr, EFFECTS))}")
    tables = {
        "path": result.paths,
        "indirect": result.indirect_effects,
        "total": result.total_effects,
    }
    frame = tables[effects]()
    if not len(frame):
        ax = new_axes(ax)
        return describe(finding(ax, "No route leads over another construct"), "Empty figure.")
    order = frame["estimate"].abs().sort_values(ascending=False, kind="stable").index
    shown = frame.loc[order[:MOST_ROWS]].iloc[::-1].reset_index(drop=True)
    names = [_route(row) for row in shown.to_dict("records")]
    lines = sum(1 + name.count("\n") for name in names)
    ax = new_axes(ax, size=(10, max(3.8, 2.4 + 0.3 * len(shown) + 0.16 * lines)))
    _draw_effects(ax, shown, names)
    left = len(frame) - len(shown)
    unshown = [f"{counted(left, 'smaller effect')} not shown"] if left else []
    unit = "effect of one standard deviation, in standard deviations"
    ax.set_xlabel("\n".join([unit, *unshown]))
    legend_below(ax, 2, _legend())
    finding(ax, _effect_sentence(frame, effects), width=title_width(ax, names))
    told = [
        f"{_route(row, None)} {interval_text(row['estimate'], row['lower'], row['upper'])}"
        for row in shown.iloc[::-1].to_dict("records")
    ]
    return describe(
        ax,
        f"Effects with percentile intervals, {counted(result.fit.respondents, 'respondent')}, "
        f"{counted(result.count, 'draw')}: {'; '.join([*told, *unshown])}.",
    )


def _draw_effects(ax: Axes, shown: pd.DataFrame, names: list[str]) -> None:
    places = np.arange(len(shown))
    sure = _sure(shown)
    for own, colour in ((sure, PALETTE["blue"]), (~sure, PALETTE["grey"])):
        rows = shown[own]
        ax.hlines(places[own], rows["lower"], rows["upper"], color=colour, lw=4)
        ax.plot(rows["estimate"], places[own], "o", color=colour, ms=10)
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    ax.set_yticks(places, names, fontsize=12)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.set_ylim(-0.6, len(shown) - 0.4)


def _legend() -> list[Line2D]:
    looks = {"differs from zero": PALETTE["blue"], "may be zero": PALETTE["grey"]}
    return [
        Line2D([], [], marker="o", color=colour, lw=4, ms=10, label=label)
        for label, colour in looks.items()
    ]


def _sure(frame: pd.DataFrame) -> np.ndarray:
    """Whether an interval leaves zero out; false where there is none."""
    return ((frame["lower"] > 0) | (frame["upper"] < 0)).to_numpy()


def _route(row: dict, width: int | None = LONGEST_NAME) -> str:
    """Write a row's constructs with arrows."""
    over = [] if row.get("via") in (None, ALL_ROUTES) else str(row["via"]).split(" -> ")
    names = [row["from"], *over, row["to"]]
    mark = " (all)" if row.get("via") == ALL_ROUTES else ""
    if width is None:
        return " → ".join(map(str, names)) + mark
    short = [shorten(name, max(width * 3 // len(names), 10)) for name in names]
    text = " → ".join(short) + mark
    if len(text) > LONGEST_LINE:
        half = (len(short) + 1) // 2
        lines = " → ".join(short[:half]) + " →", " → ".join(short[half:]) + mark
        return "\n".join(escape_label(line) for line in lines)
    return escape_label(text)


def _brief(row: dict) -> str:
    """Write a row's two ends, short enough for a title."""
    return f"{shorten(row['from'], LONGEST_NAME)} → {shorten(row['to'], LONGEST_NAME)}"


def _effect_sentence(frame: pd.DataFrame, effects: str) -> str:
    noun = EFFECTS[effects]
    sure = int(_sure(frame).sum())
    if frame["lower"].isna().all():
        return f"{counted(len(frame), noun)} without intervals"
    first = frame.iloc[int(frame["estimate"].abs().argmax())].to_dict()
    named = _route(first, None)
    named = named if len(named) <= LONGEST_TITLE else _brief(first)
    differ = "differs" if sure == 1 else "differ"
    return (
        f"{sure} of {counted(len(frame), noun)} {differ} from zero; strongest: "
        f"{named}, {first['estimate']:.2f}"
    )


def construct_map(result: ConstructPerformance, ax: Axes | None = None) -> Axes:
    """Draw the importance of constructs for a target against their performance.

    Parameters
    ----------
    result : ConstructPerformance
        From `keycustomer.dimensions.construct_performance`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 7.5))
    frame = result.constructs
    colours = [FIELD_COLOURS[own] for own in frame["field"]]
    x, y = frame["performance"], frame["importance"]
    if frame["importance_lower"].notna().any():
        ax.hlines(y, frame["performance_lower"], frame["performance_upper"], colors=colours, lw=2.5)
        ax.vlines(x, frame["importance_lower"], frame["importance_upper"], colors=colours, lw=2.5)
    ax.scatter(x, y, s=110, c=colours, zorder=3)
    ax.axvline(result.performance_border, color=PALETTE["grey"], lw=1.5, ls="--")
    ax.axhline(result.importance_border, color=PALETTE["grey"], lw=1.5, ls="--")
    ax.margins(x=0.16, y=0.12)
    ax.set_xlabel("performance: mean score (0 worst, 100 best)")
    target = escape_label(shorten(result.target, LONGEST_NAME))
    ax.set_ylabel(f"importance: points of {target} a point")
    for own, colour in FIELD_COLOURS.items():
        if (frame["field"] == own).any():
            ax.plot([], [], "o", color=colour, ms=11, label=own)
    legend_below(ax, 4)
    name_points(ax, x, y, list(frame["construct"]), colours=colours)
    first = frame.iloc[0]
    finding(
        ax,
        f"A point more of {shorten(first['construct'], 24)} goes with {first['importance']:.2f} "
        f"more of {shorten(result.target, 24)}; it stands at {first['performance']:.0f} of 100",
    )
    told = "; ".join(
        f"{row['construct']}: importance "
        f"{interval_text(row['importance'], row['importance_lower'], row['importance_upper'])}, "
        f"performance {row['performance']:.0f}, {row['field']}"
        for row in frame.to_dict("records")
    )
    return describe(
        ax,
        f"Importance for {result.target} against performance, borders at the means "
        f"({result.importance_border:.2f}, {result.performance_border:.0f}): {told}.",
    )
