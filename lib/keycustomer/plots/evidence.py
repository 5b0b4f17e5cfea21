"""Figures of the evidence ledger: verdicts by claim and case, estimates by case.

Which claims hold where, and how strongly?  :func:`evidence_matrix` marks every verdict by
shape, letter and colour; :func:`evidence_dots` draws the estimates behind the verdicts on one
claim against what its rule asks for; :func:`yardstick_dots` draws a measure of the cases beside
published numbers.  Made-up cases are set apart from real data in each of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import name_rows, short_names
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
    percent,
    percent_axis,
)
from keycustomer.plots.words import capital, with_minus

if TYPE_CHECKING:
    from keycustomer.casework.across.ledger import EvidenceLedger

_MARKS = {
    "supported": ("o", PALETTE["green"], "\N{CHECK MARK}"),
    "not supported": ("s", PALETTE["vermilion"], "\N{BALLOT X}"),
    "undecided": ("D", "white", "?"),
}
_LONGEST = 26
_SHARES = "share"


def evidence_matrix(ledger: EvidenceLedger, ax: Axes | None = None, *, article: str = "") -> Axes:
    """Mark the verdict on every tested claim in every case.

    Parameters
    ----------
    ledger : EvidenceLedger
        From `keycustomer.casework.evidence_ledger`.
    ax : Axes, optional
        Axes to draw into.
    article : {"", "K", "T", "R", "M", "V"}
        The article whose claims are drawn; empty: all.

    Raises
    ------
    ValueError
        When no case has tested a claim of it.
    """
    claims = ledger.claims
    claims = claims[claims["claim"].str.startswith(article)]
    cells = ledger.verdicts[ledger.verdicts["claim"].isin(claims["claim"])]
    if cells.empty:
        raise ValueError(
            f"article={article!r}: no case has tested a claim of it; run cases first, or leave "
            "the article away"
        )
    claims = claims[claims["claim"].isin(cells["claim"])]
    columns = [name for name in ledger.outputs["output"] if name in set(cells["output"])]
    size = (max(10.0, 5.4 + 0.85 * len(columns)), 3.6 + 0.42 * len(claims))
    ax = new_axes(ax, size=size)
    rows = {name: place for place, name in enumerate(claims["claim"][::-1])}
    _draw_marks(ax, cells, rows, {name: place for place, name in enumerate(columns)})
    labels = claims["claim"] + " " + claims["name"]
    name_rows(ax, [escape_label(label) for label in labels[::-1]])
    _name_columns(ax, ledger, columns)
    finding(ax, _matrix_finding(claims), width=title_width(ax, labels))
    return describe(ax, _matrix_words(cells, claims))


def _draw_marks(
    ax: Axes, cells: pd.DataFrame, rows: dict[str, int], columns: dict[str, int]
) -> None:
    """Draw the marks: shape, letter and colour say the same."""
    for verdict, (shape, colour, letter) in _MARKS.items():
        own = cells[cells["verdict"] == verdict]
        x, y = own["output"].map(columns), own["claim"].map(rows)
        edge = PALETTE["grey"] if colour == "white" else colour
        ax.plot(x, y, shape, color=colour, mec=edge, mew=1.6, ms=_size(shape), ls="", label=verdict)
        for one, other in zip(x, y, strict=True):
            ink = PALETTE["black"] if colour == "white" else "white"
            ax.text(
                one, other, letter, color=ink, ha="center", va="center_baseline", fontsize=12,
                weight="bold",
            )  # fmt: skip


def _size(shape: str) -> float:
    return {"o": 19, "s": 17, "D": 14}[shape]


def _name_columns(ax: Axes, ledger: EvidenceLedger, columns: list[str]) -> None:
    """Write the names of the cases on top, and set made-up ones on grey."""
    made_up = ledger.outputs.set_index("output")["simulated"].astype(bool)
    for place, name in enumerate(columns):
        if made_up[name]:
            ax.axvspan(place - 0.5, place + 0.5, color="#EDEDED", zorder=0, lw=0)
    names = [escape_label(one) for one in short_names(columns, 22).values()]
    ax.xaxis.tick_top()
    ax.set_xticks(range(len(columns)), names, rotation=35, ha="left", rotation_mode="anchor")
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.grid(visible=False, axis="x")
    ax.grid(visible=True, axis="y")
    shown = int(made_up[columns].sum())
    grey = " (on grey: simulated)" if shown else ""
    ax.set_xlabel(f"Case{grey}")
    handles = [
        Line2D([], [], marker=shape, ls="", ms=_size(shape) * 0.75, label=f"{verdict} {letter}")
        for verdict, (shape, colour, letter) in _MARKS.items()
    ]
    for handle, (_, colour, _) in zip(handles, _MARKS.values(), strict=True):
        handle.set_color(PALETTE["grey"] if colour == "white" else colour)
        handle.set_markerfacecolor(colour)
    legend_below(ax, columns=3, handles=handles)


def _matrix_finding(claims: pd.DataFrame) -> str:
    """Count claims by finding."""
    found = claims["finding"].value_counts()
    held, not_held = int(found.get("supported", 0)), int(found.get("not supported", 0))
    torn = int(found.get("contradictory", 0))
    tested = "claim" if len(claims) == 1 else "claims"
    made_up = int((claims["real_cases"] == 0).sum())
    said = (
        f"Of {len(claims)} {tested} tested, {held} supported and {not_held} not supported "
        "wherever tested"
    )
    said += f", {torn} here but not there" if torn else ""
    return said + (f"; {made_up} on simulated data only" if made_up else "")


def _matrix_words(cells: pd.DataFrame, claims: pd.DataFrame) -> str:
    """Say all verdicts in words."""
    told = []
    for claim in claims["claim"]:
        own = cells[cells["claim"] == claim]
        told.append(
            f"{claim}: " + ", ".join(f"{row.verdict} in {row.output}" for row in own.itertuples())
        )
    cases = cells.drop_duplicates("output")
    made_up = int(cases["simulated"].sum())
    counts = f"{len(cases)} in all, {made_up} of them simulated"
    return f"Verdicts by claim and case ({counts}). {'; '.join(told)}."


def evidence_dots(ledger: EvidenceLedger, claim: str, measure: str, ax: Axes | None = None) -> Axes:
    """Draw the estimates behind the verdicts on a claim, by case.

    Parameters
    ----------
    ledger : EvidenceLedger
        From `keycustomer.casework.evidence_ledger`.
    claim, measure : str
        Which rows.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When there is no such row, or none with an estimate.
    """
    frame = ledger.frame
    rows = frame[(frame["claim"] == claim) & (frame["measure"] == measure)]
    rows = rows.dropna(subset="estimate")
    if rows.empty:
        known = frame[["claim", "measure"]].drop_duplicates()
        there = ", ".join(f"{one.claim} {one.measure}" for one in known.itertuples())
        raise ValueError(
            f"claim={claim!r}, measure={measure!r}: no case has an estimate; there is: {there}"
        )
    rows = rows.sort_values("estimate", kind="stable").reset_index(drop=True)
    shares = rows["unit"].iloc[0].startswith(_SHARES)
    ax = new_axes(ax, size=(10, 3.2 + 0.55 * max(len(rows), 2)))
    for verdict, (shape, colour, letter) in _MARKS.items():
        own = rows[rows["verdict"] == verdict]
        if own.empty:
            continue
        dark = PALETTE["grey"] if colour == "white" else colour
        ax.hlines(own.index, own["lower"], own["upper"], color=dark, lw=3)
        ax.plot(own["estimate"], own.index, shape, color=colour, mec=dark, ms=12, ls="",
                label=f"{verdict} {letter}")  # fmt: skip
    threshold = float(rows["threshold"].iloc[0])
    if not math.isnan(threshold):
        ax.axvline(threshold, color=PALETTE["black"], lw=2, ls="--", label="asked for")
    labels = _case_labels(rows["output"], rows["simulated"].astype(bool))
    name_rows(ax, labels)
    (percent_axis if shares else number_axis)(ax.xaxis)
    ax.set_xlabel(capital(escape_label(rows["unit"].iloc[0])))
    legend_below(ax, columns=4)
    finding(ax, _dots_finding(rows, claim), width=title_width(ax, labels))
    told = "; ".join(f"{row.output} {row.estimate:.3g}, {row.verdict}" for row in rows.itertuples())
    return describe(ax, with_minus(f"{claim}, {measure}, {rows['unit'].iloc[0]} by case: {told}."))


def _case_labels(names: pd.Series, made_up: pd.Series) -> list[str]:
    short = short_names(list(names), _LONGEST)
    return [
        escape_label(short[name]) + (" (simulated)" if one else "")
        for name, one in zip(names, made_up, strict=True)
    ]


def _dots_finding(rows: pd.DataFrame, claim: str) -> str:
    """Count cases by verdict."""
    counts = rows["verdict"].value_counts()
    said = ", ".join(
        f"{verdict} in {int(counts[verdict])}" for verdict in _MARKS if verdict in counts
    )
    return f"{claim}, {rows['name'].iloc[0]}: {said} of {len(rows)} cases"


def yardstick_dots(ledger: EvidenceLedger, measure: str, ax: Axes | None = None) -> Axes:
    """Draw a measure of the cases beside published numbers.

    Parameters
    ----------
    ledger : EvidenceLedger
        From `keycustomer.casework.evidence_ledger`.
    measure : str
        A measure with published numbers.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When nothing is published of it.
    """
    frame = ledger.yardsticks
    rows = frame[frame["measure"] == measure]
    if rows.empty:
        there = ", ".join(frame["measure"].drop_duplicates())
        raise ValueError(f"measure={measure!r}: nothing is published of it; there is: {there}")
    rows = rows.sort_values("value", kind="stable").reset_index(drop=True)
    ax = new_axes(ax, size=(10, 3.2 + 0.5 * len(rows)))
    looks = {
        "claimed": ("X", PALETTE["black"], "claimed"),
        "published": ("D", PALETTE["grey"], "published"),
        "case": ("o", PALETTE["blue"], "case, real data"),
        "simulated case": ("s", PALETTE["orange"], "case, simulated"),
    }
    for kind, (shape, colour, label) in looks.items():
        own = rows[rows["kind"] == kind]
        if own.empty:
            continue
        ax.hlines(own.index, own["lower"], own["upper"], color=colour, lw=4)
        ax.plot(own["value"], own.index, shape, color=colour, ms=11, ls="", label=label)
    short = short_names(list(rows["whose"]), 40)
    labels = [escape_label(short[name]) for name in rows["whose"]]
    name_rows(ax, labels)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of value of the top 20 %" if measure == "pareto_share"
                  else "Share of the best still among the best")  # fmt: skip
    legend_below(ax, columns=2)
    finding(ax, _yardstick_finding(rows), width=title_width(ax, labels))
    pairs = zip(rows["whose"][::-1], rows["value"][::-1], strict=True)
    told = "; ".join(f"{whose} {percent(value)}" for whose, value in pairs)
    return describe(ax, f"{measure}, published and by case, largest first: {told}.")


def _yardstick_finding(rows: pd.DataFrame) -> str:
    """Range of the cases and of what is published."""
    ranges = []
    for words, own in (
        ("cases", rows[rows["kind"].str.contains("case")]),
        ("published", rows[rows["kind"] == "published"]),
    ):
        if not own.empty:
            low, high = np.min(own["value"]), np.max(own["value"])
            span = percent(low, 0) if low == high else f"{percent(low, 0)} to {percent(high, 0)}"
            made_up = " (some simulated)" if (own["kind"] == "simulated case").any() else ""
            ranges.append(f"{words} {span}{made_up}")
    return capital("; ".join(ranges))
