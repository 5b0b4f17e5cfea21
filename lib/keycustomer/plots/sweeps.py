"""Figures of sweeps: a measure against a parameter.

:func:`sweep_lines` draws one measure over one parameter of the grid, with curves by a second one.
A number becomes a line with the band of its intervals, anything else dots with theirs; where the
grid repeats a place (other seeds), the repetitions are faint dots and the line is their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from keycustomer.plots.labels import short_names, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
    palette,
)
from keycustomer.plots.words import made_up

if TYPE_CHECKING:
    from keycustomer.casework.sweeps.grid import Axis
    from keycustomer.casework.sweeps.results import Sweep

MOST_CURVES = 6
"""Curves that can be told apart; a second parameter with more values is drawn as repetitions."""

WIDEST = 16
"""Characters of a label under the axis."""

_MARKS = ("o", "s", "^", "D", "v", "P")
_SLOT = 0.6
_TRUTH_ROOM = 400
_COMPACT = 1e4
_STEADY = 1e-9


@dataclass(frozen=True)
class _Picture:
    """What is drawn: rows with `place`, `curve` and the estimates, and how they are called."""

    rows: pd.DataFrame
    over: Axis
    by: Axis | None
    labels: list[str]
    name: str
    unit: str

    @property
    def curves(self) -> list[str]:
        """Curves, in the order of the grid."""
        return [] if self.by is None else [_text(value) for value in self.by.values]

    @property
    def repeated(self) -> bool:
        """Whether a curve has several points at a place."""
        return bool(self.rows.duplicated(["place", "curve"]).any())

    @property
    def line(self) -> bool:
        """Whether the places are numbers in a row, not repetitions or names."""
        return self.over.numeric and not self.over.is_seed


def sweep_lines(
    sweep: Sweep,
    measure: str,
    group: str = "",
    *,
    over: str | None = None,
    by: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a measure over a parameter of a sweep.

    Parameters
    ----------
    sweep : Sweep
        A sweep that has been run.
    measure, group : str
        What to draw.
    over : str, optional
        Parameter along the axis; default: the first that is no seed.
    by : str, optional
        Parameter with a curve a value; default: the next one of at most six values that is no
        seed.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    ValueError
        When the sweep has no such measure, group or parameter, or no estimate to draw.
    """
    picture = _picture(sweep, measure, group, over, by)
    ax = new_axes(ax)
    colours = palette(max(len(picture.curves), 1))
    for n, curve in enumerate(picture.curves or [""]):
        own = picture.rows[picture.rows["curve"] == curve].sort_values("place")
        if len(own):
            _draw(ax, picture, own, colours[n], _MARKS[n % len(_MARKS)], _shift(picture, n))
    _truth(ax, picture)
    _label(ax, picture)
    told = _finding(picture)
    finding(ax, made_up(sweep) + told)
    return describe(ax, _description(sweep, picture, told))


def _picture(sweep: Sweep, measure: str, group: str, over: str | None, by: str | None) -> _Picture:
    rows = sweep.values(measure, group).dropna(subset=["estimate"])
    if rows.empty:
        raise ValueError(f"measure {measure!r}, group {group!r}: no point has an estimate")
    along = _axis(sweep, over, "over") if over else _first(sweep.axes)
    beside = _axis(sweep, by, "by") if by else _second(sweep.axes, along)
    labels = [_text(value) for value in along.values]
    texts = rows[sweep.column(along.name)].map(_text)
    numeric = along.numeric and not along.is_seed
    place = rows[sweep.column(along.name)].astype(float) if numeric else texts.map(labels.index)
    curve = "" if beside is None else rows[sweep.column(beside.name)].map(_text)
    placed = rows.assign(place=np.asarray(place, dtype=float), curve=curve)
    words = measure.replace("_", " ")
    name = f"{words}, {group}" if group else words
    return _Picture(placed, along, beside, labels, name, str(rows["unit"].iloc[0]))


def _axis(sweep: Sweep, name: str, argument: str) -> Axis:
    for axis in sweep.axes:
        if axis.name == name:
            return axis
    known = ", ".join(axis.name for axis in sweep.axes)
    raise ValueError(f"{argument}={name!r}: the grid has no such parameter; it has: {known}")


def _first(axes: Sequence[Axis]) -> Axis:
    return next((axis for axis in axes if not axis.is_seed and len(axis.values) > 1), axes[0])


def _second(axes: Sequence[Axis], along: Axis) -> Axis | None:
    return next(
        (
            axis
            for axis in axes
            if axis.name != along.name and not axis.is_seed and 1 < len(axis.values) <= MOST_CURVES
        ),
        None,
    )


def _text(value: Any) -> str:
    """Write a value as it would be typed; a table may hold a whole number as a float."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "none"
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, list | tuple):
        return "+".join(map(_text, value))
    if isinstance(value, int | float | np.integer | np.floating):
        return f"{value:.15g}"
    return str(value)


def _shift(picture: _Picture, n: int) -> float:
    """Where dots of a curve stand beside the others."""
    count = len(picture.curves)
    if picture.line or count < 2:
        return 0.0
    return _SLOT * (n / (count - 1) - 0.5)


def _draw(
    ax: Axes, picture: _Picture, own: pd.DataFrame, colour: str, mark: str, shift: float
) -> None:
    label = str(own["curve"].iloc[0])
    shown = None
    if picture.by is not None:
        shown = escape_label(f"{picture.by.name} = {shorten(label, 2 * WIDEST)}")
    means = own.groupby("place")["estimate"].mean()
    if picture.repeated:
        ax.plot(own["place"] + shift, own["estimate"], mark, color=colour, alpha=0.3, ms=5)
    else:
        _interval(ax, picture, own, colour, shift)
    style = "-" if picture.line else "none"
    ax.plot(
        means.index.to_numpy() + shift, means.to_numpy(), linestyle=style, marker=mark,
        color=colour, label=shown, ms=8,
    )  # fmt: skip


def _interval(ax: Axes, picture: _Picture, own: pd.DataFrame, colour: str, shift: float) -> None:
    known = own.dropna(subset=["lower", "upper"])
    place = known["place"].to_numpy() + shift
    if picture.line and len(known) > 1:
        ax.fill_between(place, known["lower"], known["upper"], color=colour, alpha=0.18, lw=0)
    else:
        ax.vlines(place, known["lower"], known["upper"], color=colour, lw=3, alpha=0.6)


def _truth(ax: Axes, picture: _Picture) -> None:
    """Mark the truth where it is known."""
    known = picture.rows.dropna(subset=["truth"]).drop_duplicates(["place", "truth"])
    if len(known):
        ax.plot(
            known["place"], known["truth"], "_", color=PALETTE["black"], mew=2.5,
            ms=float(np.clip(_TRUTH_ROOM / len(picture.labels), 5, 22)),
            label="truth", zorder=5,
        )  # fmt: skip


def _label(ax: Axes, picture: _Picture) -> None:
    ax.set_ylabel(
        f"{escape_label(shorten(picture.name, 36))}\n({escape_label(shorten(picture.unit, 36))})"
    )
    if picture.rows["estimate"].abs().max() >= _COMPACT:
        number_axis(ax.yaxis)
    ax.set_xlabel(escape_label(picture.over.name))
    if not picture.line:
        _name_places(ax, picture.labels)
    handles, _ = ax.get_legend_handles_labels()
    if handles:
        legend_below(ax, columns=min(len(handles), 3))


def _name_places(ax: Axes, labels: Sequence[str]) -> None:
    """Write names under the axis: every one, or of many only some, and none over another."""
    step = max(-(-len(labels) // 20), 1)
    ticks = range(0, len(labels), step)
    names = short_names(labels, WIDEST)
    short = [escape_label(names[labels[n]]) for n in ticks]
    long = sum(len(text) + 2 for text in short) > 60
    ax.set_xticks(list(ticks), short, rotation=30 if long else 0, ha="right" if long else "center")
    ax.set_xlim(-0.6, len(labels) - 0.4)
    ax.grid(visible=False, axis="x")


def _number(value: float) -> str:
    if abs(value) >= _COMPACT:
        return compact_number(value)
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _finding(picture: _Picture) -> str:
    """Say how the measure moves."""
    rows, name, over = picture.rows, picture.name, picture.over.name
    held = rows.dropna(subset=["lower", "upper", "truth"])
    if picture.over.is_seed and len(held):
        count = int(held["truth"].between(held["lower"], held["upper"]).sum())
        return f"{name}: {count} of {len(held)} intervals hold the truth"
    means = rows.groupby("place")["estimate"].mean()
    if np.isclose(rows["estimate"].min(), rows["estimate"].max(), rtol=_STEADY, atol=0.0):
        return f"{name}: {_number(float(means.iloc[0]))} whatever {over} is"
    if picture.line and picture.by is None:
        mean = "on average " if picture.repeated else ""
        first, last = _number(float(means.iloc[0])), _number(float(means.iloc[-1]))
        ends = (_text(means.index[0]), _text(means.index[-1]))
        return f"{name}: {mean}{first} at {over} = {ends[0]}, {last} at {ends[1]}"
    beside = f" and {picture.by.name}" if picture.by is not None else ""
    smallest, largest = _number(rows["estimate"].min()), _number(rows["estimate"].max())
    return f"{name}: {smallest} to {largest} over {over}{beside}"


def _description(sweep: Sweep, picture: _Picture, told: str) -> str:
    means = picture.rows.groupby(["curve", "place"], sort=False)["estimate"].mean()
    ends = []
    for curve in means.index.get_level_values("curve").unique():
        own = means.loc[curve].sort_index()
        head = f"{picture.by.name} {curve}: " if picture.by is not None else ""
        first, last = _number(own.iloc[0]), _number(own.iloc[-1])
        ends.append(f"{head}{first} at the first value, {last} at the last")
    return (
        f"{sweep.title}: {picture.name} ({picture.unit}) over {picture.over.name}. {told}. "
        f"{'; '.join(ends)}."
    )
