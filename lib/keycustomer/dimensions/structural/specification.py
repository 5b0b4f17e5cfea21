"""Coefficients of a model: those that were written and those that convention adds.

Which numbers does a model estimate?  :func:`specify` turns a model text into cells of two
matrices: A holds the one-way arrows (loadings and paths), S the two-way ones (variances and
covariances).  The conventions are lavaan's: the first item of a construct has the loading 1 (or,
on request, constructs have the variance 1); every variable has a variance; a construct measured
by one item equals it; constructs that nothing acts on vary together, and so do the remainders of
those that act on nothing.  One departure: observed variables that act on others count as random,
with variances and covariances of their own (lavaan's ``fixed.x = FALSE``).

Sources: McArdle & McDonald, "Some algebraic properties of the reticular action model for moment
structures" (British Journal of Mathematical and Statistical Psychology 37, 1984), for A and S;
Rosseel, "lavaan" (2012), for the conventions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias, get_args

from keycustomer.dimensions.complaints import did_you_mean, listed
from keycustomer.dimensions.structural.formulas import Formulas, read_formulas
from keycustomer.dimensions.structural.syntax import (
    COVARIANCE,
    LOADING,
    PATH,
    ModelError,
    ModelText,
    Term,
    read_model_text,
)

Scale: TypeAlias = Literal["marker", "variance"]
"""What gives a construct its unit: its first item, or a variance of 1."""

FIXED = -1
"""Number of the free coefficient of a cell that has none."""


@dataclass(frozen=True)
class Cell:
    """One coefficient of a model.

    Attributes
    ----------
    left, operator, right : str
        As in the text: `Loyalty`, `~`, `Satisfaction`.
    row, column : int
        Its place: the arrow's end and its beginning, or the two that vary together.
    label : str
        Its label, empty without one.
    value : float
        The number it is fixed at; meaningless for a free one.
    free : int
        Number of the free coefficient, shared by cells of one label; -1 when it is fixed.
    """

    left: str
    operator: str
    right: str
    row: int
    column: int
    label: str
    value: float
    free: int

    @property
    def name(self) -> str:
        """The coefficient in the notation of the text, `Loyalty~Satisfaction`."""
        return f"{self.left}{self.operator}{self.right}"


@dataclass(frozen=True)
class Specification:
    """All coefficients of a model.

    Attributes
    ----------
    model : ModelText
        The text.
    items : tuple of str
        Observed variables, in the order of the matrices.
    constructs : tuple of str
        Constructs, which follow the items there.
    cells : tuple of Cell
        Coefficients that may differ from 0.
    free : tuple of str
        Name of each free coefficient: its label, else as in the text.
    formulas : Formulas
        Quantities to be computed.
    scale : {"marker", "variance"}
        What gives constructs their unit.
    """

    model: ModelText
    items: tuple[str, ...]
    constructs: tuple[str, ...]
    cells: tuple[Cell, ...]
    free: tuple[str, ...]
    formulas: Formulas
    scale: Scale

    @property
    def variables(self) -> tuple[str, ...]:
        """Items, then constructs."""
        return self.items + self.constructs

    @property
    def moments(self) -> int:
        """Variances and covariances of the items."""
        return len(self.items) * (len(self.items) + 1) // 2

    def of(self, operator: str) -> list[int]:
        """Numbers of the cells of one kind (`=~`, `~`, `~~`)."""
        return [i for i, cell in enumerate(self.cells) if cell.operator == operator]

    def items_of(self, construct: str) -> list[str]:
        """Items that measure a construct."""
        return [
            cell.right
            for cell in self.cells
            if cell.operator == LOADING and cell.left == construct and cell.right in self.items
        ]


def specify(text: str, columns: Iterable[object], *, scale: Scale = "marker") -> Specification:
    """Read a model text and complete it.

    Parameters
    ----------
    text : str
        The model.
    columns : iterable
        Names of the columns of answers.
    scale : {"marker", "variance"}
        What gives a construct its unit.

    Returns
    -------
    Specification

    Raises
    ------
    ModelError
        With every unknown or clashing name, repeated term, feedback loop and formula.
    ValueError
        When the scale is neither.
    """
    if scale not in get_args(Scale):
        raise ValueError(
            f"scale={scale!r}: give 'marker' (the first item has the loading 1) or 'variance' "
            "(constructs have the variance 1)"
        )
    model = read_model_text(text)
    there = [str(column) for column in columns]
    complaints = [*_wrong_names(model, there), *_repeated(model)]
    if complaints:
        raise ModelError(complaints)
    _refuse_loops(model)
    builder = _Builder(model, scale)
    cells = builder.complete()
    labels = [cell.label for cell in cells if cell.label]
    formulas = read_formulas(model, labels)
    return Specification(
        model, builder.items, builder.constructs, cells, _free_names(cells), formulas, scale
    )


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _constructs(model: ModelText) -> list[str]:
    return _unique(term.left for term in model.terms if term.operator == LOADING)


def _wrong_names(model: ModelText, columns: Sequence[str]) -> list[str]:
    """Complain about names that are neither a construct nor a column, or both."""
    constructs = _constructs(model)
    told: dict[str, str] = {}
    for term in model.terms:
        for name, place in ((term.left, term.left_place), (term.right, term.place)):
            if name in told:
                continue
            if name in constructs and name in columns:
                said = (
                    f"{name!r} is measured here and is a column of the answers too; give the "
                    "construct another name"
                )
                told[name] = model.complaint(place, said)
            elif name not in constructs and name not in columns:
                told[name] = model.complaint(place, _unknown(name, constructs, columns))
    return list(told.values())


def _unknown(name: str, constructs: Sequence[str], columns: Sequence[str]) -> str:
    meant = did_you_mean(name, [*constructs, *columns]) or f"; columns are {listed(columns)}"
    return f"{name!r} is neither a column of the answers nor measured by '{name} =~ ...'{meant}"


def _repeated(model: ModelText) -> list[str]:
    """Complain about terms that stand twice, and that act on or are measured by themselves."""
    told, seen = [], set()
    for term in model.terms:
        pair = (
            frozenset((term.left, term.right))
            if term.operator == COVARIANCE
            else (term.left, term.right)
        )
        if (term.operator, pair) in seen:
            told.append(
                model.complaint(
                    term.place,
                    f"{term.left} {term.operator} {term.right} stands here a second time; "
                    "remove one of the two",
                )
            )
        seen.add((term.operator, pair))
        if term.operator != COVARIANCE and term.left == term.right:
            verb = "be measured by" if term.operator == LOADING else "depend on"
            told.append(model.complaint(term.place, f"{term.left!r} cannot {verb} itself"))
    return told


def _refuse_loops(model: ModelText) -> None:
    """Refuse feedback: a model of one survey needs arrows that never come back."""
    ends: dict[str, list[Term]] = {}
    for term in model.terms:
        if term.operator != COVARIANCE:
            start = term.left if term.operator == LOADING else term.right
            ends.setdefault(start, []).append(term)
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> None:
        for term in ends.get(name, ()):
            end = term.right if term.operator == LOADING else term.left
            if end in way:
                loop = " -> ".join([*way[way.index(end) :], end])
                said = (
                    f"the arrows run in a circle, {loop}; answers of one moment cannot tell the "
                    "two directions apart, so remove one arrow (or write ~~ for 'vary together')"
                )
                raise ModelError([model.complaint(term.place, said)])
            if end not in done:
                walk(end, [*way, end])
        done.add(name)

    for name in list(ends):
        if name not in done:
            walk(name, [name])


class _Builder:
    """Cells of a model: the written ones, then what convention adds."""

    def __init__(self, model: ModelText, scale: Scale) -> None:
        self.model = model
        self.scale = scale
        terms = model.terms
        self.constructs = tuple(_constructs(model))
        self.loadings = [term for term in terms if term.operator == LOADING]
        paths = [term for term in terms if term.operator == PATH]
        self.covariances = [term for term in terms if term.operator == COVARIANCE]
        indicators = [term.right for term in self.loadings]
        named = [name for term in terms for name in (term.left, term.right)]
        names = _unique([*indicators, *named])
        self.items = tuple(name for name in names if name not in self.constructs)
        self.number = {name: i for i, name in enumerate((*self.items, *self.constructs))}
        self.indicators = set(indicators)
        self.dependent = {term.left for term in paths}
        self.acting = {term.right for term in paths}
        self.paths = paths
        self.written = {frozenset((term.left, term.right)) for term in self.covariances}

    def complete(self) -> tuple[Cell, ...]:
        terms = [
            *self._marked(),
            *self.paths,
            *self.covariances,
            *self._variances(),
            *self._joint_variation(),
        ]
        return self._numbered([self._cell(term) for term in terms])

    def _marked(self) -> list[Term]:
        """Take the loadings, each construct's first one fixed at 1 under the marker scale."""
        first: set[str] = set()
        marked = []
        for term in self.loadings:
            marker = self.scale == "marker" and term.left not in first
            first.add(term.left)
            fix = marker and term.value is None and not term.freed
            marked.append(replace(term, value=1.0) if fix else term)
        return marked

    def _variances(self) -> list[Term]:
        terms = []
        single = self._measured_alone()
        for name in self.number:
            if frozenset((name,)) in self.written:
                continue
            value = 1.0 if name in self.constructs and self.scale == "variance" else None
            terms.append(self._added(name, name, 0.0 if name in single else value))
        return terms

    def _measured_alone(self) -> set[str]:
        """Items that are the only one of their construct: they equal it."""
        by = {c: [t.right for t in self.loadings if t.left == c] for c in self.constructs}
        alone = [names[0] for names in by.values() if len(names) == 1]
        return {name for name in alone if [t.right for t in self.loadings].count(name) == 1}

    def _joint_variation(self) -> list[Term]:
        """Covariances of what nothing acts on, and of the remainders of what acts on nothing."""
        beginnings = [
            name
            for name in self.number
            if name not in self.dependent
            and name not in self.indicators
            and (name in self.constructs or name in self.acting)
        ]
        ends = [
            name
            for name in self.number
            if name in self.dependent and name not in self.acting and name not in self.indicators
        ]
        pairs = [*combinations(beginnings, 2), *combinations(ends, 2)]
        return [self._added(a, b, None) for a, b in pairs if frozenset((a, b)) not in self.written]

    def _added(self, left: str, right: str, value: float | None) -> Term:
        return Term(left, COVARIANCE, right, "", value, False, 0, 0)

    def _cell(self, term: Term) -> Cell:
        left, right = self.number[term.left], self.number[term.right]
        row, column = (right, left) if term.operator == LOADING else (left, right)
        free = FIXED if term.value is not None else 0
        value = term.value if term.value is not None else 0.0
        return Cell(term.left, term.operator, term.right, row, column, term.label, value, free)

    def _numbered(self, cells: list[Cell]) -> tuple[Cell, ...]:
        """Give free coefficients their numbers; a label with a fixed cell is fixed everywhere."""
        fixed = {cell.label: cell.value for cell in cells if cell.label and cell.free == FIXED}
        numbers: dict[object, int] = {}
        numbered = []
        for i, cell in enumerate(cells):
            if cell.free == FIXED or cell.label in fixed:
                value = fixed.get(cell.label, cell.value)
                numbered.append(replace(cell, free=FIXED, value=value))
                continue
            number = numbers.setdefault(cell.label or i, len(numbers))
            numbered.append(replace(cell, free=number))
        return tuple(numbered)


def _free_names(cells: Sequence[Cell]) -> tuple[str, ...]:
    names: dict[int, str] = {}
    for cell in cells:
        if cell.free != FIXED:
            names.setdefault(cell.free, cell.label or cell.name)
    return tuple(names[i] for i in range(len(names)))
