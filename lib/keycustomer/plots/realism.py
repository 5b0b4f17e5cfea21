"""Figure of the realism report: the simulated company's moments beside those of real data.

:func:`realism_map` draws every moment on the scale of what would still be like the real sets, so
that shares, correlations and ratios stand in one picture.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from keycustomer.plots.audit import title_width
from keycustomer.plots.style import PALETTE, describe, escape_label, finding, new_axes

if TYPE_CHECKING:
    from keycustomer.realism.comparison import RealismReport
    from keycustomer.realism.real_sets import RealSet

EDGE = 2.6
"""Moments further out than this many half-widths of the band are drawn at the edge."""

LABEL_WIDTH = 58
"""Columns of a moment's name."""


def realism_map(result: RealismReport, ax: Axes | None = None) -> Axes:
    """Draw each moment of the simulated company within or outside the band of the real sets.

    Parameters
    ----------
    result : RealismReport
        From `keycustomer.realism.compare_with_real`.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When no moment could be compared, since no real set is installed.
    """
    frame = result.frame[result.frame["verdict"] != "not compared"][::-1].reset_index(drop=True)
    if frame.empty:
        raise ValueError(
            "realism_map: no moment was compared; install the real sets (extra `surveys`)"
        )
    ax = new_axes(ax, size=(13, max(4.0, 2.2 + 0.42 * len(frame))))
    ax.axvspan(-1, 1, color=PALETTE["light grey"], alpha=0.35, lw=0)
    for place, row in enumerate(frame.to_dict("records")):
        _draw_moment(ax, place, row, result.sets)
    labels = [f"{escape_label(row['meaning'], LABEL_WIDTH)}" for row in frame.to_dict("records")]
    ax.set_yticks(range(len(frame)), labels, fontsize=12)
    ax.set_ylim(-0.7, len(frame) - 0.3)
    ax.set_xlim(-EDGE - 0.2, EDGE + 0.9)
    ax.set_xticks([-1, 1], ["lowest still\nlike the real", "highest still\nlike the real"])
    ax.annotate("simulated", (EDGE + 0.25, len(frame) - 0.5), fontsize=12, annotation_clip=False)
    _legend(ax)
    away = frame[frame["verdict"] == "departs"]
    sentence = (
        f"{len(frame) - len(away)} of {len(frame)} moments of the simulated company lie in the "
        "range of real data or near it"
    )
    finding(ax, sentence, width=title_width(ax, ["x" * 40]))
    told = "; ".join(
        f"{row['meaning']}: simulated {row['simulated']:.3g}, real {row['real']}, {row['verdict']}"
        for row in frame[::-1].to_dict("records")
    )
    return describe(ax, f"Moments of a simulated company beside real data. {sentence}. {told}.")


def _draw_moment(
    ax: Axes, place: int, row: Mapping[Hashable, Any], sets: Sequence[RealSet]
) -> None:
    """Draw the real sets and the simulated value, written beside them."""
    values = [one.moments[row["moment"]] for one in sets if row["moment"] in one.moments]
    real = [_scaled(row, value) for value in values if math.isfinite(value)]
    simulated = _scaled(row, row["simulated"])
    ax.plot([min(real), max(real)], [place, place], color=PALETTE["grey"], lw=2)
    ax.plot(real, [place] * len(real), "o", color=PALETTE["grey"], ms=11)
    departs = row["verdict"] == "departs"
    colour = PALETTE["vermilion"] if departs else PALETTE["blue"]
    shown = float(np.clip(simulated, -EDGE, EDGE))
    marker = "D" if shown == simulated else (">" if simulated > 0 else "<")
    ax.plot(shown, place, marker, color=colour, ms=11, zorder=3)
    ax.annotate(
        f"{row['simulated']:.2g}",
        (EDGE + 0.25, place),
        va="center",
        fontsize=12,
        color=colour,
        annotation_clip=False,
    )


def _scaled(row: Mapping[Hashable, Any], value: float) -> float:
    """Place of a value on the scale whose band reaches from -1 to 1."""
    lower, upper = float(row["lower"]), float(row["upper"])
    if row["scale"] == "factor":
        if value <= 0:
            return -math.inf
        lower, upper, value = math.log(lower), math.log(upper), math.log(value)
    return (value - (lower + upper) / 2) / ((upper - lower) / 2)


def _legend(ax: Axes) -> None:
    ax.plot([], [], "o", color=PALETTE["grey"], ms=11, label="real sets")
    ax.plot([], [], "D", color=PALETTE["blue"], ms=11, label="simulated, like the real")
    ax.plot([], [], "D", color=PALETTE["vermilion"], ms=11, label="simulated, departs")
    ax.legend(loc="upper center", bbox_to_anchor=(0.3, -0.09), ncols=3, fontsize=12)
