"""Names of items in figures: shortened so that they stay apart, placed so that none is covered.

:func:`short_names` takes out the words that all names share, since the items of a survey often
begin alike.  :func:`name_points` tries places around each point, near ones first, and takes the
one that covers least; a name that had to move away is tied to its point by a thin line.
:func:`name_rows` writes the labels of rows; :func:`names_in_words` and :func:`interval_text` write
names and estimates in titles and descriptions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from keycustomer.plots.style import PALETTE, escape_label

DIRECTIONS = [(1, 1), (1, -1), (-1, 1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1)]
"""Where a name is tried: first the corners, since intervals cross at the point."""

DISTANCES = (5, 16, 30, 48)
"""Points between a name and its point; from the second on a line ties them."""

UNDERLAY = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1}
"""What letters stand on, so that lines do not cross them."""

TIED = 10
"""Distance in points from which a line is drawn."""


def shorten(name: object, width: int) -> str:
    """Shorten a name from its middle: ``shorten("service of the hotline", 12)``.

    Parameters
    ----------
    name : object
        A name from data.
    width : int
        Longest result in characters, at least 5.

    Examples
    --------
    >>> shorten("service of the hotline", 12)
    'serv…hotline'
    """
    text = " ".join(str(name).split())
    if len(text) <= width:
        return text
    start = max((width - 1) * 2 // 5, 1)
    return f"{text[:start].rstrip()}…{text[-(width - 1 - start) :].lstrip()}"


def short_names(names: Sequence[object], width: int) -> dict[object, str]:
    """Shorten names that stand side by side, so that they can still be told apart.

    Parameters
    ----------
    names : sequence
        Names of one figure.
    width : int
        Longest result in characters.

    Returns
    -------
    dict
        Short name by name.  Where some are too long, the words that all begin or end with go
        first; a number is put before names that would still be the same.

    Examples
    --------
    >>> list(short_names(["quality of the hotline", "price of the hotline"], 12).values())
    ['quality', 'price']
    """
    texts = [" ".join(str(name).split()) for name in names]
    if any(len(text) > width for text in texts):
        texts = _without_common(texts)
    short = [shorten(text, width) for text in texts]
    if len(set(short)) < len(set(names)):
        short = [f"{n} {shorten(text, width - 3)}" for n, text in enumerate(texts, start=1)]
    return dict(zip(names, short, strict=True))


def _without_common(texts: list[str]) -> list[str]:
    """Leave out the words that all names begin with, and those that all end with."""
    words = [text.split(" ") for text in texts]
    spare = min(map(len, words)) - 1 if len(set(texts)) > 1 else 0
    start = _common(words, spare)
    end = _common([list(reversed(part)) for part in words], spare - start)
    return [" ".join(part[start : len(part) - end]) for part in words]


def _common(words: list[list[str]], most: int) -> int:
    """Count the first words that all have in common, at most so many."""
    places = range(max(most, 0))
    return next((n for n in places if len({part[n] for part in words}) > 1), len(places))


def names_in_words(names: Iterable[object], most: int = 3, width: int = 26) -> str:
    """List names in a sentence, with the number of those that are left out.

    Examples
    --------
    >>> names_in_words(["price", "trust", "service", "brand"])
    'price, trust and 2 others'
    """
    told = [shorten(name, width) for name in names]
    if len(told) > most:
        told = [*told[: most - 1], f"{len(told) - most + 1} others"]
    return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]])) if told else "none"


def interval_text(estimate: float, lower: float, upper: float) -> str:
    """Write an estimate with its interval, where there is one: `0.49 [0.39, 0.59]`."""
    return f"{estimate:.2f}" + ("" if math.isnan(lower) else f" [{lower:.2f}, {upper:.2f}]")


def name_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Write the labels of rows, the first at the bottom, with half a row around them."""
    ax.set_yticks(range(len(labels)), list(labels))
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.set_ylim(-0.6, len(labels) - 0.4)


def name_points(
    ax: Axes,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    names: Sequence[object],
    *,
    colours: Sequence[str] | None = None,
    width: int = 24,
    fontsize: float = 13,
) -> None:
    """Write a name beside each point of a map.

    Parameters
    ----------
    ax : Axes
        Axes whose limits are set already.
    x, y : array, shape (points,)
        The points, in data units.
    names : sequence
        Their names; ``$`` is shown as it stands.
    colours : sequence of str, optional
        Colour of each name.
    width : int
        Longest name in characters; longer ones end in an ellipsis.
    fontsize : float
        Size of the letters in points.
    """
    figure = ax.get_figure(root=True)
    if isinstance(figure, Figure):
        figure.draw_without_rendering()
    points = np.column_stack([x, y])
    pixels = ax.transData.transform(points)
    unit = float(ax.figure.dpi) / 72
    taken = [
        Bbox.from_bounds(px - 6 * unit, py - 6 * unit, 12 * unit, 12 * unit) for px, py in pixels
    ]
    frame = ax.get_window_extent()
    for n, (name, point) in enumerate(zip(names, pixels, strict=True)):
        text = ax.annotate(
            escape_label(name, width),
            tuple(points[n]),
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=fontsize,
            color=colours[n] if colours else PALETTE["black"],
            annotation_clip=False,
            bbox=UNDERLAY,
            arrowprops={"arrowstyle": "-", "color": PALETTE["grey"], "lw": 0, "shrinkA": 0},
        )
        box = text.get_window_extent()
        size = box.width, box.height
        others = taken[:n] + taken[n + 1 :]
        candidates = [
            (_cost(_box(point, size, d, step, unit), others, frame, (d, step)), d, step)
            for step in DISTANCES
            for d in DIRECTIONS
        ]
        _, direction, step = min(candidates)
        taken.append(_box(point, size, direction, step, unit))
        _settle(text, direction, step)


def _box(
    point: np.ndarray,
    size: tuple[float, float],
    direction: tuple[int, int],
    step: float,
    unit: float,
) -> Bbox:
    """Box of a name at a place, in pixels."""
    (px, py), (w, h), (dx, dy) = point, size, direction
    left = px + dx * step * unit - w * (1 - dx) / 2
    bottom = py + dy * step * unit - h * (1 - dy) / 2
    return Bbox.from_bounds(left, bottom, w, h)


def _cost(
    box: Bbox, others: Sequence[Bbox], frame: Bbox, place: tuple[tuple[int, int], float]
) -> float:
    """Pixels covered, far more for those outside the axes; a little for distance."""
    covered = sum(_shared(box, other) for other in others)
    outside = box.width * box.height - _shared(box, frame)
    return covered + 20 * outside + place[1] + 0.1 * DIRECTIONS.index(place[0])


def _shared(one: Bbox, other: Bbox) -> float:
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(wide, 0.0) * max(high, 0.0)


def _settle(text: Any, direction: tuple[int, int], step: float) -> None:
    dx, dy = direction
    text.set_position((dx * step, dy * step))
    text.set_horizontalalignment({1: "left", 0: "center", -1: "right"}[dx])
    text.set_verticalalignment({1: "bottom", 0: "center", -1: "top"}[dy])
    if step > TIED:
        text.arrow_patch.set_linewidth(1)
