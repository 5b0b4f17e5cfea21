"""A slider beside a figure, for the classroom.

Question: how does a room see what another budget would do, without running the notebook again?
:func:`show_slider` draws a figure anew whenever the slider stops; a run's report has no kernel
behind it and shows the static figure instead.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

STEPS = 100
"""Positions of a slider."""


def can_slide() -> bool:
    """Whether there is a kernel to draw anew, and ipywidgets (of the extra `coursework`)."""
    if find_spec("ipywidgets") is None:
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def show_slider(
    draw: Callable[[float], Any], low: float, high: float, start: float, label: str
) -> None:
    """Show a slider and the figure that follows it.

    Parameters
    ----------
    draw : callable
        Gives the axes of a figure for a position of the slider.
    low, high, start : float
        Ends of the slider, and where it stands at first.
    label : str
        What it sets, with its unit.

    Raises
    ------
    ValueError
        When the ends are not in order, or the start is not between them.
    """
    if not low <= start <= high or low == high:
        raise ValueError(
            f"low={low:g}, start={start:g}, high={high:g}: a slider needs two ends in order and "
            "a start between them"
        )
    from IPython.display import display
    from ipywidgets import HTML, FloatSlider, Layout, VBox

    handle = FloatSlider(
        value=start,
        min=low,
        max=high,
        step=(high - low) / STEPS,
        description=label,
        continuous_update=False,
        readout_format=",.0f",
        style={"description_width": "initial"},
        layout=Layout(width="90%"),
    )
    shown = HTML(_picture(draw(start)))

    def redraw(change: dict[str, Any]) -> None:
        shown.value = _picture(draw(change["new"]))

    handle.observe(redraw, names="value")
    display(VBox([handle, shown]))


def _picture(ax: Any) -> str:
    """Give the figure as an image with its text alternative, and close it."""
    from matplotlib import pyplot

    from keycustomer.plots import description

    figure, image = ax.figure, io.BytesIO()
    figure.savefig(image, format="png")
    pyplot.close(figure)
    data = base64.b64encode(image.getvalue()).decode()
    width = round(96 * figure.get_size_inches()[0])
    alt = html.escape(description(ax), quote=True)
    return f'<img src="data:image/png;base64,{data}" alt="{alt}" width="{width}">'
