"""Figures of cohorts: what layers the base is made of, who stays, what a customer brings.

:func:`cohort_layers` draws the value of every period by cohort (the C3 picture),
:func:`retention_triangle` the share of each cohort that still buys, :func:`cohort_value` what a
customer won has brought by age.  What is not observed yet stays empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from keycustomer.plots.audit import axis_label, counted, heat_map, title_width
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    finding,
    new_axes,
    number_axis,
    percent,
)

if TYPE_CHECKING:
    from keycustomer.pareto.cohorts import Cohorts

MOST_NAMED = 6
"""Cohorts up to which every one is named in a picture; of more, the first and the last are."""


def _name(day: Any, every: str) -> str:
    """Name a period by its first day, a Timestamp."""
    if every == "quarter":
        return f"{day:%Y} Q{day.quarter}"
    return day.strftime({"month": "%Y-%m", "year": "%Y"}.get(every, "%Y-%m-%d"))


def _colours(count: int) -> list[tuple[float, float, float, float]]:
    """Colours from old (dark) to new (light) cohorts, told apart in grey too."""
    return [colormaps["viridis"](place) for place in np.linspace(0.05, 0.95, count)]


def cohort_layers(result: Cohorts, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the value of every whole period in layers, one a cohort, the oldest at the bottom.

    Parameters
    ----------
    result : Cohorts
        From `keycustomer.pareto.build_cohorts`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    ax = new_axes(ax)
    whole = result.frame[result.frame["complete"]]
    if whole.empty:
        sentence = "No period is wholly observed yet"
        return describe(finding(ax, sentence), sentence)
    layers = whole.pivot(index="period", columns="cohort", values="value").fillna(0.0)
    edges = np.arange(len(layers) + 1) - 0.5
    reached = np.zeros(len(layers))
    for cohort, colour in zip(layers, _colours(layers.shape[1]), strict=True):
        top = reached + layers[cohort].to_numpy()
        # returns may make a layer negative; it then hides a part of the one below
        ax.stairs(top, edges, baseline=reached, fill=True, color=colour, lw=0)
        ax.stairs(top, edges, baseline=None, color="white", lw=0.6)
        reached = top
    _name_layers(ax, layers, result.every)
    shown = range(0, len(layers), -(-len(layers) // 6))
    ax.set_xticks(shown, [_name(layers.index[place], result.every) for place in shown])
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(min(0, reached.min() * 1.05), max(reached.max() * 1.08, 1e-9))
    number_axis(ax.yaxis)
    ax.set_ylabel(axis_label(f"{result.value} per {result.every}", unit))
    ax.set_xlabel(f"Period ({result.every}s)")
    sentence = _layer_sentence(layers, result)
    # the legend takes two inches at the right
    finding(ax, sentence, width=44)
    first, last = layers.sum(axis=1).iloc[[0, -1]]
    return describe(
        ax,
        f"Layers of {result.value} by {result.every} of the first purchase, "
        f"{counted(layers.shape[1], 'cohort')}: {compact_number(first)} in the first and "
        f"{compact_number(last)} in the last of {len(layers)} periods. {sentence}.",
    )


def _name_layers(ax: Axes, layers: pd.DataFrame, every: str) -> None:
    colours = _colours(layers.shape[1])
    places = _named(layers.shape[1])[::-1]
    handles = [Patch(color=colours[place]) for place in places]
    names = [_name(layers.columns[place], every) for place in places]
    ax.legend(handles, names, title="First purchase", loc="center left", bbox_to_anchor=(1.01, 0.5))


def _named(count: int) -> list[int]:
    """Cohorts that the legend names."""
    if count <= MOST_NAMED:
        return list(range(count))
    return sorted({0, 1, 2, count // 2, count - 1})


def _layer_sentence(layers: pd.DataFrame, result: Cohorts) -> str:
    last = layers.iloc[-1]
    when = _name(layers.index[-1], result.every)
    if len(layers) == 1 or not last.sum() > 0:
        total = compact_number(layers.sum(axis=1).iloc[-1])
        return f"{result.value[:1].upper()}{result.value[1:]} of {when}: {total}"
    oldest = _name(layers.columns[0], result.every)
    share = last.iloc[0] / last.sum()
    return f"Customers first seen in {oldest} bring {percent(share)} of {result.value} in {when}"


def retention_triangle(result: Cohorts, ax: Axes | None = None) -> Axes:
    """Draw the share of each cohort that buys, by age; ages not reached yet stay empty.

    Parameters
    ----------
    result : Cohorts
        From `keycustomer.pareto.build_cohorts`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(11, 6.5))
    table = result.triangle("retention")
    # everybody buys at age 0: that column would hide all differences
    later = table.drop(columns=0, errors="ignore").dropna(how="all")
    if later.empty:
        sentence = f"No cohort is older than its first {result.every} yet"
        return describe(finding(ax, sentence), sentence)
    sizes = result.sizes
    named = later.set_axis([_name(day, result.every) for day in later.index])
    heat_map(ax, named, size=12 if later.shape[1] > 12 else 14)
    labels = [
        f"{name}  ({sizes[day]:,})" for name, day in zip(named.index, later.index, strict=True)
    ]
    _thin_labels(ax, labels, [str(age) for age in later.columns])
    ax.set_xlabel(f"Age in {result.every}s (numbers: percent of the cohort that buys)")
    ax.set_ylabel("First purchase (customers)")
    age = int(later.columns[(len(later.columns) - 1) // 2])
    shares = table[age].dropna()
    mean = float(np.average(shares, weights=sizes[shares.index]))
    later_by = counted(age, result.every)
    sentence = f"{later_by} after the first purchase, {percent(mean)} of the customers buy"
    finding(ax, sentence, width=title_width(ax, labels))
    return describe(
        ax,
        f"Triangle of the share of each cohort that buys, in percent, by age. {sentence}; by "
        f"cohort from {percent(shares.min())} to {percent(shares.max())}.",
    )


def _thin_labels(ax: Axes, rows: list[str], columns: list[str]) -> None:
    """Label at most some twenty rows and columns."""
    for axis, labels in ((ax.yaxis, rows), (ax.xaxis, columns)):
        step = -(-len(labels) // 20)
        axis.set_ticks(range(0, len(labels), step), labels[::step])


def cohort_value(result: Cohorts, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw what a customer won has brought so far, by age, one line a cohort.

    Parameters
    ----------
    result : Cohorts
        From `keycustomer.pareto.build_cohorts`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    """
    ax = new_axes(ax)
    table = result.triangle("cumulative_value_per_customer").dropna(how="all")
    if table.empty:
        sentence = "No period is wholly observed yet"
        return describe(finding(ax, sentence), sentence)
    named = _named(len(table))
    for place, (row, colour) in enumerate(zip(table.index, _colours(len(table)), strict=True)):
        label = _name(row, result.every) if place in named else None
        ax.plot(table.columns, table.loc[row], color=colour, marker="o", ms=5, label=label)
    ax.legend(title="First purchase", loc="best")
    ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    number_axis(ax.yaxis)
    ax.set_xlabel(f"Age ({result.every}s since the first purchase)")
    ax.set_ylabel(axis_label(f"{result.value} so far per customer won", unit))
    age = int(table.notna().sum(axis=1).median()) - 1
    reached = table[age].dropna()
    low, high = compact_number(reached.min()), compact_number(reached.max())
    steps = counted(age, result.every)
    sentence = f"After {steps}, a customer won has brought {low}"
    if len(reached) > 1:
        sentence = f"After {steps}, a customer won has brought {low} to {high}, by cohort"
    finding(
        ax, sentence if len(reached) > 1 else sentence.removesuffix(", depending on its cohort")
    )
    ax.axvline(age, color=PALETTE["grey"], lw=1, ls=":")
    means = ", ".join(
        f"{_name(day, result.every)}: {compact_number(x)}" for day, x in reached.items()
    )
    return describe(
        ax, f"Cumulated {result.value} per customer won, by age and cohort. After {steps}: {means}."
    )
