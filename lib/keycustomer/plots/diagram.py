"""Boxes and arrows, placed so that they can be read.

Where do boxes stand and how do arrows run, so that no arrow crosses a box and no label another?
:func:`layers` puts what acts to the left of what it acts on; :func:`draw_diagram` tries for each
arrow some bends and places of its label and takes those that collide least.

Source: Sugiyama, Tagawa & Toda, "Methods for visual understanding of hierarchical system
structures" (IEEE Transactions on Systems, Man and Cybernetics 11, 1981), for layers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from keycustomer.plots.style import PALETTE, escape_label

LETTER = 0.1
"""Width of a letter of a label in inches, at 13 points."""

LINE = 0.24
"""Height of a line of text in inches."""

BENDS = (0.0, 0.12, -0.12, 0.24, -0.24, 0.38, -0.38, 0.55, -0.55)
"""Bends of an arrow that are tried, as parts of its length."""

FEW_COLUMNS = 4
"""Columns up to which single boxes stand in one line."""

SPREAD = 1.15
"""How far rows stand from the middle, beside an even share of the height."""

LABEL_AT = (0.5, 0.38, 0.62, 0.28, 0.72, 0.2, 0.8)
"""Places of a label along an arrow that are tried."""


@dataclass(frozen=True)
class Box:
    """A variable: its name, what to write, a second line, its column."""

    name: str
    text: str
    below: str
    column: int


@dataclass(frozen=True)
class Arrow:
    """An arrow: where from, where to, how strong, its label, whether it differs from 0."""

    start: str
    end: str
    strength: float
    label: str
    sure: bool


Rectangle = tuple[float, float, float, float]
"""Left, bottom, right, top, in inches."""


def layers(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Put names into columns, each right of all that act on it.

    Parameters
    ----------
    names : sequence of str
        Variables.
    arrows : sequence of (str, str)
        Pairs of who acts and on whom; without circles.

    Returns
    -------
    list of list of str
        Names by column, from top to bottom.
    """
    depth = dict.fromkeys(names, 0)
    for _ in names:
        for start, end in arrows:
            depth[end] = max(depth[end], depth[start] + 1)
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for name in names:
        columns[depth[name]].append(name)
    height: dict[str, float] = {}
    for column in columns:
        middle = {
            name: np.mean([height[s] for s, e in arrows if e == name and s in height] or [0.5])
            for name in column
        }
        column.sort(key=lambda name: float(middle[name]))
        height |= {name: (i + 0.5) / len(column) for i, name in enumerate(column)}
    return columns


def draw_diagram(
    ax: Axes,
    boxes: Sequence[Box],
    columns: Sequence[Sequence[str]],
    arrows: Sequence[Arrow],
    links: Sequence[Arrow] = (),
) -> None:
    """Draw boxes, arrows between columns and links within the first.

    Parameters
    ----------
    ax : Axes
        Axes to draw into; their axis lines are taken away.
    boxes : sequence of Box
        Variables.
    columns : sequence of sequence of str
        Their names by column, from top to bottom.
    arrows : sequence of Arrow
        One-way arrows.
    links : sequence of Arrow
        Two-way arrows within a column, drawn at its left.
    """
    width, height = _size(ax)
    room = 0.35 + 0.55 * bool(links)
    rectangles = _places(boxes, columns, width, height, room)
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    taken: list[Rectangle] = []
    for link in links:
        taken.append(_draw_link(ax, link, rectangles))
    for arrow in sorted(arrows, key=lambda a: -_length(a, rectangles)):
        taken.append(_draw_arrow(ax, arrow, rectangles, taken))
    for box in boxes:
        _draw_box(ax, box, rectangles[box.name])


def _size(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes in inches, once the figure has been laid out."""
    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure):
        return 10.0, 6.0
    figure.draw_without_rendering()
    place = ax.get_window_extent()
    return max(place.width / figure.dpi, 2.0), max(place.height / figure.dpi, 1.5)


def _places(
    boxes: Sequence[Box],
    columns: Sequence[Sequence[str]],
    width: float,
    height: float,
    room: float,
) -> dict[str, Rectangle]:
    """Rectangle of every box."""
    count = len(columns)
    step = (width - room - 0.1) / max(count, 1)
    staggered = count > FEW_COLUMNS
    broad = max(min(1.75, (0.95 if staggered else 0.5) * step), 0.8)
    lines = {box.name: len(_lines(box.text, broad)) + bool(box.below) for box in boxes}
    gap = (width - room - 0.1 - broad) / max(count - 1, 1)
    places = {}
    for number, column in enumerate(columns):
        left = room + number * gap if count > 1 else (width - broad) / 2
        for row, name in enumerate(column):
            share = (row + 0.5) / len(column)
            if staggered and len(column) == 1 and 0 < number < count - 1:
                # a chain of single boxes zigzags, so that arrows between them are long
                share = 0.82 if number % 2 else 0.18
            # a little apart from each other, as boxes of few rows would crowd the middle
            middle = 0.35 + (height - 0.4) * (0.5 - SPREAD * (share - 0.5))
            half = 0.12 + lines[name] * LINE / 2
            middle = float(np.clip(middle, half, height - half))
            places[name] = (left, middle - half, left + broad, middle + half)
    return places


def _lines(text: str, broad: float) -> list[str]:
    return textwrap.wrap(text, max(int(broad / 0.135), 6))[:3] or [""]


def _draw_box(ax: Axes, box: Box, place: Rectangle) -> None:
    left, bottom, right, top = place
    ax.add_patch(
        FancyBboxPatch(
            (left + 0.06, bottom + 0.06),
            right - left - 0.12,
            top - bottom - 0.12,
            boxstyle="round,pad=0.06",
            facecolor="#EAF3FA",
            edgecolor=PALETTE["black"],
            lw=1.5,
            zorder=4,
        )
    )
    lines = _lines(box.text, right - left)
    middle = (bottom + top) / 2 + (LINE / 2 if box.below else 0)
    x = (left + right) / 2
    ax.text(
        x, middle, "\n".join(lines), ha="center", va="center", weight="bold", fontsize=13, zorder=5
    )
    if box.below:
        ax.text(
            x,
            bottom + 0.1,
            escape_label(box.below),
            ha="center",
            va="bottom",
            fontsize=12,
            zorder=5,
        )


def _ends(arrow: Arrow, places: dict[str, Rectangle]) -> tuple[np.ndarray, np.ndarray]:
    start, end = places[arrow.start], places[arrow.end]
    # arrows meet a box at the height of where they come from, not all in one point
    rise = (end[1] + end[3] - start[1] - start[3]) / 2
    lean = float(np.clip(rise / 6, -0.22, 0.22))
    return (
        np.array([start[2], (start[1] + start[3]) / 2 + lean * (start[3] - start[1])]),
        np.array([end[0] - 0.03, (end[1] + end[3]) / 2 - lean * (end[3] - end[1])]),
    )


def _length(arrow: Arrow, places: dict[str, Rectangle]) -> float:
    start, end = _ends(arrow, places)
    return float(np.hypot(*(end - start)))


def _curve(start: np.ndarray, end: np.ndarray, bend: float) -> tuple[np.ndarray, np.ndarray]:
    """Control point of a quadratic curve, and points along it."""
    way = end - start
    control = (start + end) / 2 + bend * np.array([-way[1], way[0]])
    t = np.linspace(0, 1, 41)[:, None]
    return control, (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def _draw_arrow(
    ax: Axes, arrow: Arrow, places: dict[str, Rectangle], taken: list[Rectangle]
) -> Rectangle:
    start, end = _ends(arrow, places)
    others = [box for name, box in places.items() if name not in (arrow.start, arrow.end)]
    ownbox = [places[arrow.start], places[arrow.end]]
    label = arrow.label
    if end[0] - start[0] < len(label) * LETTER + 0.4:
        label = label.replace(" [", "\n[")
    half = _half(label)
    limits = ax.get_xlim()[1], ax.get_ylim()[1]
    best: tuple[float, float, np.ndarray] | None = None
    for bend in BENDS:
        _, points = _curve(start, end, bend)
        crossing = sum(_inside(points, box) for box in [*others, *taken])
        outside = ((points < 0.05) | (points > np.array(limits) - 0.05)).sum()
        for at in LABEL_AT:
            middle = points[int(at * 40)]
            place = (*(middle - half), *(middle + half))
            hits = sum(_overlap(place, box) for box in [*others, *ownbox, *taken])
            cost = 4 * crossing + 60 * hits + 4 * outside + 12 * abs(bend) + abs(at - 0.5)
            if best is None or cost < best[0]:
                best = cost, bend, middle
    assert best is not None  # noqa: S101 - bends and places are never empty
    _, bend, middle = best
    control, _ = _curve(start, end, bend)
    colour = PALETTE["blue"] if arrow.strength >= 0 else PALETTE["vermilion"]
    ax.add_patch(
        FancyArrowPatch(
            path=Path([start, control, end], [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
            arrowstyle="-|>",
            mutation_scale=16,
            color=colour if arrow.sure else PALETTE["grey"],
            lw=1.2 + 5 * min(abs(arrow.strength), 1) if arrow.sure else 1.5,
            ls="-" if arrow.sure else (0, (5, 3)),
            shrinkA=0,
            shrinkB=0,
            zorder=2,
        )
    )
    _write(ax, middle, label, colour if arrow.sure else "#555555")
    return (*(middle - half), *(middle + half))


def _draw_link(ax: Axes, link: Arrow, places: dict[str, Rectangle]) -> Rectangle:
    """Draw a correlation as a bow at the left of two boxes."""
    first, second = places[link.start], places[link.end]
    begin = np.array([first[0], (first[1] + first[3]) / 2])
    end = np.array([second[0], (second[1] + second[3]) / 2])
    apart = abs(begin[1] - end[1])
    control = np.array([begin[0] - min(0.5 + 0.2 * apart, 1.4), (begin[1] + end[1]) / 2])
    ax.add_patch(
        FancyArrowPatch(
            path=Path([begin, control, end], [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
            arrowstyle="<|-|>",
            mutation_scale=11,
            color=PALETTE["grey"],
            lw=1.5,
            shrinkA=0,
            shrinkB=0,
            zorder=2,
        )
    )
    middle = (begin + 2 * control + end) / 4
    half = _half(link.label)
    middle[0] = max(middle[0], half[0])
    _write(ax, middle, link.label, "#555555")
    return (*(middle - half), *(middle + half))


def _half(label: str) -> np.ndarray:
    """Half the width and height of a label in inches."""
    lines = label.split("\n")
    return np.array([max(map(len, lines)) * LETTER, len(lines) * LINE]) / 2


def _write(ax: Axes, middle: np.ndarray, text: str, colour: str) -> None:
    ax.text(
        middle[0],
        middle[1],
        text,
        ha="center",
        va="center",
        fontsize=13,
        color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        zorder=3,
    )


def _inside(points: np.ndarray, box: Rectangle) -> int:
    left, bottom, right, top = box
    x, y = points.T
    return int(((x > left) & (x < right) & (y > bottom) & (y < top)).sum())


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
