"""Figures of several cases side by side.

:func:`case_dots` draws one measure in all cases that report it, with its intervals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import names_in_words, short_names
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
    palette,
    percent,
    percent_axis,
)

if TYPE_CHECKING:
    from keycustomer.casework.across.comparing import ComparedCases

MOST_GROUPS = 10
"""Groups of a measure that one figure shows."""

MOST_ROWS = 36
"""Dots below each other that one figure shows, if need be of fewer groups."""

WIDEST = 30
"""Characters of a label."""

LEGEND = 72
"""Characters that the legend may take in a row."""

ROW = 0.34
"""Height of a dot's row, inches."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def case_dots(compared: ComparedCases, measure: str, ax: Axes | None = None) -> Axes:
    """Draw a measure in all cases that report it.

    Parameters
    ----------
    compared : ComparedCases
        From `keycustomer.casework.across.comparing.compare_cases`.
    measure : str
        Name of the measure; of its groups, those that most cases report.
    ax : Axes, optional
        Axes to draw into.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        When no case knows the measure, or their units differ.
    """
    rows = _rows(compared, measure)
    groups, left_out = _groups(rows)
    rows = rows[rows["group"].isin(groups)]
    cases = [name for name in compared.cases["case"] if name in set(rows["case"])]
    single = len(groups) == 1
    ax = new_axes(ax, size=(11, 2.6 + ROW * (len(groups) * (len(cases) + 0.6))))
    labels = _labels(cases, rows)
    for place, case in enumerate(cases):
        own = rows[rows["case"] == case].set_index("group").reindex(groups)
        _draw(ax, own, np.arange(len(groups)) * (len(cases) + 0.6) + place, place, labels[case])
    _name_rows(ax, groups, list(labels.values()), single)
    unit = str(rows["unit"].iloc[0])
    ax.set_xlabel(unit if len(unit) < 60 else "value")
    _number_format(ax, unit)
    if not single:
        longest = max(len(label) for label in ax.get_legend_handles_labels()[1])
        legend_below(ax, columns=min(len(cases), max(LEGEND // (longest + 5), 1)))
    return _tell(ax, compared, measure, rows, left_out)


def _rows(compared: ComparedCases, measure: str) -> pd.DataFrame:
    """Known estimates of a measure; refused where they do not go on one axis."""
    rows = compared.frame[compared.frame["measure"] == measure]
    rows = rows[rows["estimate"].notna()].drop_duplicates(["group", "case"])
    if rows.empty:
        raise ValueError(f"measure={measure!r}: no case knows its value")
    units = {"share" if unit.startswith("share") else unit.lower() for unit in rows["unit"]}
    if len(units) > 1:
        raise ValueError(
            f"measure={measure!r}: its units differ between cases ({', '.join(sorted(units))}); "
            "choose cases of one unit"
        )
    return rows


def _groups(rows: pd.DataFrame) -> tuple[list[str], int]:
    """Return the groups shown, in their order, and the number of those left out."""
    counts = rows.groupby("group", sort=False)["case"].nunique()
    most = min(MOST_GROUPS, max(MOST_ROWS // rows["case"].nunique(), 1))
    kept = counts.sort_values(ascending=False, kind="stable").index[:most]
    return [group for group in counts.index if group in set(kept)], len(counts) - len(kept)


def _made_up(rows: pd.DataFrame) -> bool:
    return bool(rows["simulated"].any())


def _labels(cases: Sequence[str], rows: pd.DataFrame) -> dict[str, str]:
    """Short names of cases that stay apart, with a word on what is simulated."""
    short = short_names(cases, WIDEST)
    return {
        case: escape_label(short[case])
        + (" (simulated)" if _made_up(rows[rows["case"] == case]) else "")
        for case in cases
    }


def _draw(ax: Axes, own: pd.DataFrame, slots: np.ndarray, place: int, label: str) -> None:
    """Draw a case's estimates with their intervals; hollow where simulated."""
    colours = palette()
    colour = colours[place % len(colours)]
    # After a round of colours each has another marker.
    marker = _MARKERS[(place + place // len(colours)) % len(_MARKERS)]
    known = own["estimate"].notna().to_numpy()
    with_interval = (own["lower"].notna() & own["upper"].notna()).to_numpy()
    ax.hlines(
        slots[with_interval],
        own["lower"][with_interval],
        own["upper"][with_interval],
        color=colour,
        linewidth=3,
    )
    hollow = _made_up(own[known])
    ax.plot(
        own["estimate"][known],
        slots[known],
        marker,
        color=colour,
        markersize=11,
        markerfacecolor="white" if hollow else colour,
        markeredgewidth=2.5,
        label=label,
    )


def _name_rows(ax: Axes, groups: Sequence[str], cases: Sequence[str], single: bool) -> None:
    """Write the cases at their rows, or the groups in the middle of theirs."""
    block = len(cases) + 0.6
    if single:
        ax.set_yticks(range(len(cases)), list(cases))
    else:
        short = short_names([group or "all" for group in groups], WIDEST)
        labels = [escape_label(short[group or "all"]) for group in groups]
        ax.set_yticks([n * block + (len(cases) - 1) / 2 for n in range(len(groups))], labels)
        for n in range(1, len(groups)):
            ax.axhline(n * block - 0.8, color="#E6E6E6", linewidth=1)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.set_ylim(len(groups) * block - 1.0, -0.7)


def _number_format(ax: Axes, unit: str) -> None:
    if unit.startswith("share"):
        percent_axis(ax.xaxis, digits=0 if np.ptp(ax.get_xlim()) > 0.05 else 1)
    else:
        number_axis(ax.xaxis)


def _written(value: float, unit: str) -> str:
    return percent(value) if unit.startswith("share") else compact_number(value)


def _tell(
    ax: Axes, compared: ComparedCases, measure: str, rows: pd.DataFrame, left_out: int
) -> Axes:
    """Set the title and the text alternative."""
    title = _title(compared, measure, rows)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    finding(ax, title, width=title_width(ax, labels))
    more = f" {left_out} more groups are in the table." if left_out else ""
    told = "; ".join(_row_text(row) for row in rows.to_dict("records")[: 3 * MOST_GROUPS])
    made_up = sorted({row["case"] for row in rows.to_dict("records") if row["simulated"]})
    simulated = f" Simulated: {names_in_words(made_up)}." if made_up else ""
    return describe(ax, f"Dots with intervals, by case. {title}. {told}.{more}{simulated}")


def _title(compared: ComparedCases, measure: str, rows: pd.DataFrame) -> str:
    """Say what the figure found."""
    name = measure.replace("_", " ")
    groups = list(dict.fromkeys(rows["group"]))
    if len(groups) > 1:
        return f"{name}: {_apart(compared, measure, groups)}"
    name += f", {groups[0]}" if groups[0] else ""
    high, *others = rows.sort_values("estimate", ascending=False).to_dict("records")
    told = {row["case"]: _written(row["estimate"], row["unit"]) for row in (high, *others)}
    first = high["case"]
    if not others:
        return f"{name}: {told[first]} in {first}, the only case that knows it"
    last = others[-1]["case"]
    said = f"{name}: highest in {first} ({told[first]}), lowest in {last} ({told[last]})"
    return f"{said}; intervals overlap" if high["lower"] <= others[-1]["upper"] else said


def _apart(compared: ComparedCases, measure: str, groups: Sequence[str]) -> str:
    """Say in how many groups cases differ by more than their intervals leave open."""
    own = compared.differences[
        (compared.differences["measure"] == measure)
        & compared.differences["group"].isin(list(groups))
        & (compared.differences["finding"] != "")
    ]
    if own.empty:
        return f"in {len(groups)} groups, without intervals of the differences"
    apart = int((own["finding"] != "not told apart").sum())
    return f"{apart} of {len(own)} differences between cases lie away from zero"


def _row_text(row: dict[Any, Any]) -> str:
    value = _written(float(row["estimate"]), str(row["unit"]))
    ends = [float(row["lower"]), float(row["upper"])]
    interval = ""
    if not any(map(math.isnan, ends)):
        interval = f" [{', '.join(_written(end, str(row['unit'])) for end in ends)}]"
    return f"{row['case']}{', ' + row['group'] if row['group'] else ''}: {value}{interval}"
