"""Direct, indirect and total effects: along which ways value reaches loyalty.

A path model draws arrows; an effect is the product of the coefficients along a way, an indirect
effect one with something in between.  :func:`read_ways` finds every way between any two variables
that paths join; :meth:`Ways.products` multiplies, for one solution or for thousands of bootstrap
draws.

Source: Bollen, "Total, direct, and indirect effects in structural equation models" (Sociological
Methodology 17, 1987).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.dimensions.structural.specification import Specification
from keycustomer.dimensions.structural.syntax import PATH

MOST_WAYS = 2_000
"""Ways that are told one by one; a model with more is told by its totals only."""

ARROW = " -> "


@dataclass(frozen=True)
class Effect:
    """One effect: its words, its kind, and the ways (tuples of cells) that add up to it.

    Attributes
    ----------
    name : str
        `Image -> Satisfaction -> Loyalty`, for totals `Image -> Loyalty`.
    start, end : str
        Where it begins and ends.
    kind : str
        `direct`, `indirect` (along one way), `total indirect`, `total`.
    ways : tuple of tuple of int
        Numbers of the cells of each way.
    """

    name: str
    start: str
    end: str
    kind: str
    ways: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Ways:
    """All effects of a model.

    Attributes
    ----------
    effects : tuple of Effect
        By start and end: direct, each indirect, total indirect, total.
    """

    effects: tuple[Effect, ...]

    def products(self, values: np.ndarray) -> np.ndarray:
        """Size of every effect, shape (draws, effects), from values of cells (draws, cells)."""
        known: dict[tuple[int, ...], np.ndarray] = {}
        columns = []
        for effect in self.effects:
            for way in effect.ways:
                if way not in known:
                    known[way] = values[:, list(way)].prod(axis=1)
            columns.append(sum(known[way] for way in effect.ways))
        return np.stack(columns, axis=1) if columns else np.empty((len(values), 0))


def read_ways(specification: Specification) -> Ways:
    """Find every way along the paths of a model."""
    arrows: dict[str, list[tuple[str, int]]] = {}
    for number in specification.of(PATH):
        cell = specification.cells[number]
        arrows.setdefault(cell.right, []).append((cell.left, number))
    effects: list[Effect] = []
    for start in arrows:
        found: dict[str, list[tuple[tuple[str, ...], tuple[int, ...]]]] = {}
        _walk(arrows, (start,), (), found)
        for end, ways in found.items():
            effects += _effects(start, end, ways)
    return Ways(tuple(effects))


def _walk(
    arrows: dict[str, list[tuple[str, int]]],
    names: tuple[str, ...],
    cells: tuple[int, ...],
    found: dict[str, list[tuple[tuple[str, ...], tuple[int, ...]]]],
) -> None:
    for end, number in arrows.get(names[-1], ()):
        way = (*names, end), (*cells, number)
        found.setdefault(end, []).append(way)
        _walk(arrows, *way, found)


def _effects(
    start: str, end: str, ways: list[tuple[tuple[str, ...], tuple[int, ...]]]
) -> list[Effect]:
    """Effects of one variable on another."""
    every = tuple(cells for _, cells in ways)
    indirect = [(names, cells) for names, cells in ways if len(cells) > 1]
    pair = ARROW.join((start, end))
    effects = [Effect(pair, start, end, "direct", (c,)) for c in every if len(c) == 1]
    if len(indirect) <= MOST_WAYS:
        effects += [Effect(ARROW.join(n), start, end, "indirect", (c,)) for n, c in indirect]
    if indirect:
        together = tuple(cells for _, cells in indirect)
        effects.append(Effect(pair, start, end, "total indirect", together))
    return [*effects, Effect(pair, start, end, "total", every)]
