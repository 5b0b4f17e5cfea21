"""Legends under the axes, a fixed distance below the label, whatever the height of the axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation


def legend_below(ax: Axes, columns: int = 1, handles: Sequence[Any] | None = None) -> None:
    """Set the legend under the label of the axis, whatever the height of the axes.

    Parameters
    ----------
    ax : Axes
        Axes with their label.
    columns : int
        Columns of the legend.
    handles : sequence of artists, optional
        What it explains; left out, everything with a label.
    """
    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure):
        return
    lines = 1 + ax.get_xlabel().count("\n")
    down = ScaledTranslation(0, -0.45 - 0.24 * lines, figure.dpi_scale_trans)
    told = ax.get_legend_handles_labels()[0] if handles is None else list(handles)
    ax.legend(
        handles=told,
        loc="upper center",
        bbox_to_anchor=(0.4, 0),
        bbox_transform=ax.transAxes + down,
        ncols=columns,
    )
