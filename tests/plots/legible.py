"""What the tests of every figure ask: that it says something, stays legible and shows nothing."""

import warnings
from collections.abc import Callable, Iterator

import matplotlib
import pytest
from keycustomer import plots
from matplotlib.axes import Axes

matplotlib.use("Agg")

import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def fresh_figures() -> Iterator[None]:
    """Draw in the house style, and leave no figure behind."""
    plots.use_style()
    yield
    plt.close("all")


def title(ax: Axes) -> str:
    """Title in one line with plain blanks."""
    return ax.get_title(loc="left").replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def drawn(ax: Axes) -> Axes:
    """Draw, letting warnings (missing glyphs, layouts that do not fit) fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if len(plots.fonts()) == 1:
            warnings.filterwarnings("ignore", message="Glyph .* missing")
        ax.figure.canvas.draw()
    return ax


def check_edges(ax: Axes) -> None:
    """Check that nothing of a drawn figure lies beyond its edges."""
    box, edge = ax.get_tightbbox(), ax.figure.bbox
    assert edge.x0 - 1 <= box.x0 and box.x1 <= edge.x1 + 1
    assert edge.y0 - 1 <= box.y0 and box.y1 <= edge.y1 + 1


def check_figure(ax: Axes) -> None:
    """Check a figure's finding, description, label and edges."""
    drawn(ax)
    assert len(title(ax)) > 15
    assert len(plots.description(ax)) > 60
    assert "nan" not in title(ax) + plots.description(ax)
    assert ax.get_xlabel()
    check_edges(ax)


def check_given_axes(draw: Callable[[Axes], Axes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that a figure is drawn into the axes given, in no figure more, and not shown."""
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("plt.show() was called"))
    _, ax = plt.subplots()
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1
