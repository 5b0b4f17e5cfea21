"""Figures that put estimates beside the truth of simulated data.

:func:`truth_dots` draws every estimate with its interval and a mark where the truth lies.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from keycustomer.plots.labels import shorten
from keycustomer.plots.style import PALETTE, describe, finding, new_axes

ROW = 0.26
"""Height of a row, inches."""

WIDEST = 34
"""Characters of a label."""


def truth_dots(beside: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw estimates with their intervals, and the truth.

    Parameters
    ----------
    beside : DataFrame
        measure, group, estimate, lower, upper, truth, held, such as
        :meth:`keycustomer.dimensions.KnownTruth.beside` gives; rows without an interval are left
        out.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        When no row has an interval.
    """
    rows = beside[beside["held"].notna()].reset_index(drop=True)
    if rows.empty:
        raise ValueError("beside: no estimate has both an interval and a known truth")
    height = 1.8 + ROW * len(rows)
    ax = new_axes(ax, size=(10, height))
    place = np.arange(len(rows))[::-1]
    for held, colour, said in (
        (True, PALETTE["blue"], "interval holds the truth"),
        (False, PALETTE["vermilion"], "interval misses it"),
    ):
        own = (rows["held"] == held).to_numpy(dtype=bool)
        if own.any():
            ax.hlines(place[own], rows["lower"][own], rows["upper"][own], color=colour, linewidth=3)
            ax.plot(rows["estimate"][own], place[own], "o", color=colour, label=said)
    ax.plot(rows["truth"], place, "|", color="black", markersize=13, mew=2.5, label="truth")
    names = (rows["measure"] + " " + rows["group"]).str.strip()
    ax.set_yticks(place, [shorten(name, WIDEST) for name in names], fontsize="x-small")
    ax.set_xlabel("value of the measure (simulated data)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.8 / height), ncols=3)
    found, total = int(rows["held"].sum()), len(rows)
    title = f"Simulated: {found} of {total} intervals hold the truth"
    finding(ax, title)
    missed = ", ".join(names[~rows["held"].astype(bool)]) or "none"
    return describe(ax, f"{title}. Those that miss it: {missed}.")
