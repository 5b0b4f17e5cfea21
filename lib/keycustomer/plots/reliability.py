"""Figures of reliability and validity: how well constructs are measured, and how well apart.

:func:`reliability_bars` draws alpha and omega of every construct with intervals,
:func:`dropped_bars` how alpha changes without an item, :func:`trait_ratio_map` HTMT or HTMT2 of
every pair of constructs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from keycustomer.plots.audit import counted, title_width
from keycustomer.plots.labels import interval_text, name_rows, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    describe,
    escape_label,
    finding,
    new_axes,
    palette,
)

if TYPE_CHECKING:
    from keycustomer.dimensions.measurement.reliability import Reliability
    from keycustomer.dimensions.measurement.validity import TraitRatios

SUFFICIENT = 0.7
"""Reliability from which on a score is commonly used in research (Nunnally 1978)."""

LONGEST_NAME = 24
"""Characters of a name at an axis."""

WORDS = {
    "alpha": "alpha (raw)",
    "alpha_standardised": "alpha (standardised)",
    "omega": "omega",
    "composite_reliability": "composite reliability",
    "ave": "average variance extracted",
}
"""Measures as the legend calls them."""

VERDICTS = {
    "distinct": ("#DCEBF5", "shown to be distinct"),
    "undecided": ("#F9E4BC", "undecided"),
    "not distinct": ("#F3C2A7", "not distinct"),
}
"""Shade and words of a verdict."""


def reliability_bars(
    result: Reliability,
    ax: Axes | None = None,
    *,
    measures: Sequence[str] = ("alpha", "omega"),
) -> Axes:
    """Draw the reliability of every construct with its interval.

    Parameters
    ----------
    result : Reliability
        From `keycustomer.dimensions.measure_reliability`.
    ax : Axes, optional
        Axes to draw into.
    measures : sequence of str
        Which measures, up to three.
    """
    unknown = [name for name in measures if name not in WORDS]
    if unknown or not 1 <= len(measures) <= 3:
        raise ValueError(f"measures={list(measures)}: one to three of {', '.join(WORDS)}")
    names = [str(name) for name in result.frame["construct"].unique()][::-1]
    ax = new_axes(ax, size=(10, max(3.8, 2.2 + 0.34 * len(measures) * len(names))))
    offsets = np.linspace(0.2, -0.2, len(measures)) if len(measures) > 1 else np.zeros(1)
    for measure, offset, colour, marker in zip(
        measures, offsets, palette(len(measures)), "osD", strict=False
    ):
        rows = result.frame[result.frame["measure"] == measure].set_index("construct").loc[names]
        at = np.arange(len(names)) + offset
        ax.hlines(at, rows["lower"], rows["upper"], color=colour, lw=4)
        ax.plot(rows["estimate"], at, marker, color=colour, ms=10, label=WORDS[measure])
    ax.axvline(SUFFICIENT, color=PALETTE["grey"], lw=1.5, ls="--")
    name_rows(ax, [_with_items(result, name) for name in names])
    _write_missing(ax, result, names, measures)
    ax.set_xlim(right=1.0)
    ax.set_xlabel(f"share of variance (0 noise, 1 no noise; dashed: {SUFFICIENT})")
    legend_below(ax, len(measures))
    finding(
        ax,
        _reliability_sentence(result, "omega" if "omega" in measures else measures[0]),
        width=title_width(ax, [_with_items(result, name) for name in names]),
    )
    return describe(ax, _reliability_description(result, measures))


def _with_items(result: Reliability, name: str) -> str:
    items = int(result.frame.loc[result.frame["construct"] == name, "items"].iloc[0])
    return f"{escape_label(shorten(name, LONGEST_NAME))} ({items})"


def _write_missing(
    ax: Axes, result: Reliability, names: Sequence[str], measures: Sequence[str]
) -> None:
    """Say which measures a construct does not have; the reasons are in the notes."""
    table = result.table
    left = float(
        np.nanmin([*result.frame["lower"], *table[list(measures)].to_numpy().ravel(), 0.6])
    )
    ax.set_xlim(left=min(left - 0.05, 0.5))
    for at, name in enumerate(names):
        told = [
            f"no {WORDS[m]}" if math.isnan(own.estimate) else f"{WORDS[m]} without interval"
            for m in measures
            if math.isnan((own := result.of(name, m)).lower)
        ]
        if told:
            ax.annotate(
                ", ".join(told),
                (0.99, at - 0.32),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="center",
                fontsize=12,
                color=PALETTE["grey"],
            )


def _reliability_sentence(result: Reliability, measure: str) -> str:
    rows = result.frame[(result.frame["measure"] == measure) & result.frame["estimate"].notna()]
    if not len(rows):
        return f"No construct has {WORDS[measure]}"
    constructs = result.frame["construct"].nunique()
    enough = int((rows["lower"] >= SUFFICIENT).sum())
    worst = rows.iloc[int(rows["estimate"].argmin())]
    certain = "is" if enough == 1 else "are"
    return (
        f"{enough} of {counted(constructs, 'construct')} {certain} reliable for certain "
        f"({WORDS[measure]} from {SUFFICIENT} on); least: {shorten(worst['construct'], 18)}, "
        f"{worst['estimate']:.2f}"
    )


def _reliability_description(result: Reliability, measures: Sequence[str]) -> str:
    rows = result.frame[result.frame["measure"].isin(measures) & result.frame["estimate"].notna()]
    told = "; ".join(
        f"{row['construct']} {WORDS[row['measure']]} "
        f"{interval_text(row['estimate'], row['lower'], row['upper'])}"
        for row in rows.to_dict("records")
    )
    return (
        f"Reliability of {counted(result.frame['construct'].nunique(), 'construct')}, "
        f"{counted(result.respondents, 'respondent')}: {told}."
    )


def dropped_bars(result: Reliability, ax: Axes | None = None) -> Axes:
    """Draw how alpha changes when an item is left out.

    Parameters
    ----------
    result : Reliability
        From `keycustomer.dimensions.measure_reliability`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.dropped.iloc[::-1].reset_index(drop=True)
    if not len(frame):
        ax = new_axes(ax)
        sentence = "No construct has three items, so none can be left out"
        return describe(finding(ax, sentence), sentence)
    names = [
        f"{escape_label(shorten(row['construct'], 14))}: {escape_label(shorten(row['item'], 22))}"
        for row in frame.to_dict("records")
    ]
    ax = new_axes(ax, size=(10, max(3.6, 1.8 + 0.42 * len(frame))))
    better = (frame["lower"] > 0).to_numpy()
    for own, colour, label in (
        (~better, PALETTE["blue"], "keep"),
        (better, PALETTE["vermilion"], "alpha rises for certain without it"),
    ):
        at = np.flatnonzero(own)
        rows = frame[own]
        ax.hlines(at, rows["lower"], rows["upper"], color=colour, lw=4)
        ax.plot(rows["change"], at, "o", color=colour, ms=10, label=label if len(rows) else None)
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    name_rows(ax, names)
    ax.set_xlabel("change of alpha (raw) without the item")
    if better.any():
        legend_below(ax, 2)
    worst = frame.iloc[int(frame["change"].argmax())]
    count = int(better.sum())
    sentence = (
        f"Without {shorten(worst['item'], 18)} alpha of {shorten(worst['construct'], 18)} rises "
        f"by {worst['change']:.2f}"
        if count
        else "No item lowers alpha for certain: all may stay"
    )
    finding(ax, sentence, width=title_width(ax, names))
    told = "; ".join(
        f"{row['construct']} without {row['item']} {row['change']:+.3f} "
        f"[{row['lower']:.3f}, {row['upper']:.3f}]"
        for row in result.dropped.to_dict("records")
    )
    return describe(ax, f"Change of alpha when an item is left out: {told}.")


def trait_ratio_map(result: TraitRatios, ax: Axes | None = None) -> Axes:
    """Draw HTMT or HTMT2 of every pair of constructs, shaded by the verdict.

    Parameters
    ----------
    result : TraitRatios
        From `keycustomer.dimensions.heterotrait_monotrait`.
    ax : Axes, optional
        Axes to draw into.
    """
    names = list(result.constructs)
    size = len(names)
    ax = new_axes(ax, size=(max(7.5, 3.4 + 1.15 * size), max(5.0, 2.6 + 0.85 * size)))
    shades = list(VERDICTS)
    for row in result.pairs.to_dict("records"):
        a, b = sorted((names.index(row["construct"]), names.index(row["other"])))
        _draw_pair(ax, row, a, b - 1, VERDICTS[row["verdict"]][0])
    ax.set_xlim(-0.5, size - 1.5)
    ax.set_ylim(size - 1.5, -0.5)
    labels = [escape_label(shorten(name, LONGEST_NAME)) for name in names]
    ax.set_xticks(range(size - 1), labels[:-1], rotation=30, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(size - 1), labels[1:])
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    there = [name for name in shades if (result.pairs["verdict"] == name).any()]
    handles = [Patch(color=VERDICTS[name][0], label=VERDICTS[name][1]) for name in there]
    place = {"loc": "upper right"} if size > 3 else {"loc": "upper left", "bbox_to_anchor": (1, 1)}
    ax.legend(handles=handles, title=f"{result.kind} below {result.threshold:g}", **place)
    finding(ax, _ratio_sentence(result), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['construct']} and {row['other']} "
        f"{interval_text(row['estimate'], row['lower'], row['upper'])} {row['verdict']}"
        for row in result.pairs.to_dict("records")
    )
    return describe(ax, f"{result.kind} of pairs of constructs: {told}.")


def _draw_pair(ax: Axes, row: dict, column: int, line: int, shade: str) -> None:
    ax.fill_between([column - 0.48, column + 0.48], line - 0.47, line + 0.47, color=shade, lw=0)
    ax.text(column, line - 0.1, f"{row['estimate']:.2f}", ha="center", va="center", fontsize=16)
    if not math.isnan(row["lower"]):
        ends = f"{row['lower']:.2f} to {row['upper']:.2f}"
        ax.text(column, line + 0.24, ends, ha="center", va="center", fontsize=11)


def _ratio_sentence(result: TraitRatios) -> str:
    pairs: pd.DataFrame = result.pairs
    closest = pairs.iloc[int(pairs["estimate"].argmax())]
    named = f"{shorten(closest['construct'], 18)} and {shorten(closest['other'], 18)}"
    doubtful = len(result.doubtful)
    if len(pairs) == 1:
        verdict = {"distinct": "are distinct", "undecided": "are not shown to be distinct"}
        return f"{named} {verdict.get(closest['verdict'], 'are not distinct')}"
    if not doubtful:
        return (
            f"All {counted(len(pairs), 'pair')} of constructs are distinct; closest: "
            f"{named}, {closest['estimate']:.2f}"
        )
    are = "is" if doubtful == 1 else "are"
    return (
        f"{doubtful} of {counted(len(pairs), 'pair')} {are} not shown to be distinct; closest: "
        f"{named}, {closest['estimate']:.2f}"
    )
