"""What a path model says: which construct is measured by which items and depends on which others.

:func:`read_path_model` reads paths given as a mapping (construct to its predecessors) or as text
(``Image -> Expectation; Image + Quality -> Satisfaction``) and the items of each construct, and
says everything that is wrong with them at once: constructs nobody has items for, paths twice,
circles.  Names: :class:`PathModel`, :func:`read_path_model`.

Source: Tenenhaus, Esposito Vinzi, Chatelin & Lauro, "PLS path modeling" (CSDA 2005), sections 1-2.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from keycustomer.dimensions.complaints import did_you_mean, listed, refuse
from keycustomer.dimensions.measurement.answers import Constructs, named_items

Mode: TypeAlias = Literal["A", "B"]
Modes: TypeAlias = Mode | Mapping[str, Mode]
Paths: TypeAlias = str | Mapping[str, Sequence[str]]
Arrow: TypeAlias = tuple[str, str]

MODES: tuple[Mode, ...] = ("A", "B")
"""A: weights are correlations of items with the construct; B: regression weights."""


@dataclass(frozen=True, eq=False)
class PathModel:
    """Constructs, their items and the paths between them.

    Attributes
    ----------
    constructs : tuple of str
        Constructs that are in a path, causes before effects.
    items : tuple of str
        Items of all constructs, each once.
    blocks : tuple of tuple of int
        Positions in `items` of each construct's items.
    modes : tuple of {"A", "B"}
        How each construct's weights are made.
    predecessors : tuple of tuple of int
        Positions in `constructs` of those with a path to each construct.
    left_out : tuple of str
        Constructs that have items but no path.
    """

    constructs: tuple[str, ...]
    items: tuple[str, ...]
    blocks: tuple[tuple[int, ...], ...]
    modes: tuple[Mode, ...]
    predecessors: tuple[tuple[int, ...], ...]
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of constructs."""
        return len(self.constructs)

    @property
    def arrows(self) -> list[tuple[int, int]]:
        """Paths as (cause, effect), positions in `constructs`."""
        return [(j, i) for i, before in enumerate(self.predecessors) for j in before]

    @property
    def membership(self) -> npt.NDArray[np.bool_]:
        """Whether an item belongs to a construct, (items, constructs)."""
        member = np.zeros((len(self.items), self.size), dtype=bool)
        for construct, block in enumerate(self.blocks):
            member[list(block), construct] = True
        return member

    @property
    def neighbours(self) -> npt.NDArray[np.bool_]:
        """Whether a path joins two constructs, in either direction, (constructs, constructs)."""
        joined = np.zeros((self.size, self.size), dtype=bool)
        for cause, effect in self.arrows:
            joined[cause, effect] = joined[effect, cause] = True
        return joined

    @property
    def routes(self) -> list[tuple[int, ...]]:
        """Ways of at least two paths from one construct to another, shortest first."""
        found: list[tuple[int, ...]] = []
        growing = [tuple(arrow) for arrow in self.arrows]
        while growing:
            growing = [(*way, i) for way in growing for j, i in self.arrows if j == way[-1]]
            found += growing
        return found

    def items_of(self, construct: int) -> tuple[str, ...]:
        """Items of the construct at a position."""
        return tuple(self.items[item] for item in self.blocks[construct])

    def position(self, construct: str) -> int:
        """Position of a construct.

        Raises
        ------
        ValueError
            When it is in no path.
        """
        if construct not in self.constructs:
            raise ValueError(f"construct {construct!r} {_unknown(construct, self.constructs)}")
        return self.constructs.index(construct)


def read_path_model(paths: Paths, constructs: Constructs, modes: Modes = "A") -> PathModel:
    """Read the paths and the items of a model.

    Parameters
    ----------
    paths : str or mapping of str to sequences of str
        Text of arrows, ``A + B -> C``, several separated by semicolons or lines, ``#`` starting a
        comment; or construct -> the constructs it depends on.
    constructs : mapping of str to sequences of str
        Construct -> its items.  An item may measure several constructs.
    modes : {"A", "B"} or mapping of str to them
        How weights are made: correlation weights (A, the default) or regression weights (B, for
        items that make up the construct).

    Raises
    ------
    ValueError
        With every complaint: syntax, unknown constructs, circles, items named twice, modes.
    """
    blocks, _ = named_items(constructs)
    arrows = list(_arrows(paths))
    complaints = [
        *_arrow_complaints(arrows, blocks),
        *(f"construct {c!r} has no items" for c, items in blocks.items() if not items),
        *_repeated_items(blocks),
        *_mode_complaints(modes, blocks),
    ]
    refuse(complaints, "the path model cannot be read")
    return _model(arrows, blocks, modes)


def _arrows(paths: Paths) -> Iterator[Arrow]:
    if isinstance(paths, Mapping):
        for effect, causes in paths.items():
            for cause in (causes,) if isinstance(causes, str) else causes:
                yield str(cause), str(effect)
        return
    if not isinstance(paths, str):
        raise TypeError(
            f"paths must be text such as 'Value -> Satisfaction' or a mapping from a construct to "
            f"its predecessors, got {type(paths).__name__}"
        )
    for number, line in enumerate(paths.splitlines(), 1):
        for statement in line.split("#")[0].split(";"):
            if statement.strip():
                yield from _arrows_of(statement.strip(), number)


def _arrows_of(statement: str, line: int) -> Iterator[Arrow]:
    """Arrows of one statement; ``A -> B -> C`` is a chain."""
    stations = [
        [name.strip() for name in station.replace(",", "+").split("+")]
        for station in statement.split("->")
    ]
    if len(stations) < 2 or not all(all(names) for names in stations):
        raise ValueError(
            f"paths, line {line}: {statement!r} is no path; write 'Value -> Satisfaction', "
            "'Image + Quality -> Satisfaction' or a chain 'Value -> Satisfaction -> Loyalty'"
        )
    for before, after in itertools.pairwise(stations):
        yield from ((cause, effect) for effect in after for cause in before)


def _arrow_complaints(arrows: Sequence[Arrow], blocks: Mapping[str, object]) -> Iterator[str]:
    if not arrows:
        yield "there is no path: give at least one, such as 'Value -> Satisfaction'"
        return
    for name in dict.fromkeys(name for arrow in arrows for name in arrow):
        if name not in blocks:
            yield f"paths name {name!r}, which {_unknown(name, blocks)}"
    for cause, effect in dict.fromkeys(arrow for arrow in arrows if arrows.count(arrow) > 1):
        yield f"the path {cause} -> {effect} is given {arrows.count((cause, effect))} times"
    circle = _circle(arrows)
    if circle:
        yield (
            f"the paths run in a circle: {' -> '.join(circle)}; PLS needs a direction, "
            "take one of these paths out"
        )


def _circle(arrows: Iterable[Arrow]) -> list[str]:
    before: dict[str, list[str]] = {}
    for cause, effect in arrows:
        before.setdefault(effect, []).append(cause)
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


def _unknown(name: str, known: Iterable[str]) -> str:
    names = list(known)
    return f"is none of the constructs {listed(names)}{did_you_mean(name, names, 1)}"


def _repeated_items(blocks: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for construct, items in blocks.items():
        twice = [item for item in dict.fromkeys(items) if items.count(item) > 1]
        if twice:
            yield f"construct {construct!r} names {', '.join(map(repr, twice))} more than once"


def _mode_complaints(modes: Modes, blocks: Mapping[str, object]) -> Iterator[str]:
    if not isinstance(modes, Mapping):
        if modes not in MODES:
            yield f"modes={modes!r}: choose 'A' or 'B', or give one by construct"
        return
    for construct, mode in modes.items():
        if construct not in blocks:
            yield f"modes name {construct!r}, which {_unknown(str(construct), blocks)}"
        if mode not in MODES:
            yield f"mode of {construct!r} is {mode!r}: choose 'A' or 'B'"


def _model(arrows: list[Arrow], blocks: dict[str, tuple[str, ...]], modes: Modes) -> PathModel:
    before: dict[str, list[str]] = {name: [] for name in blocks if any(name in a for a in arrows)}
    for cause, effect in arrows:
        before[effect].append(cause)
    order = tuple(TopologicalSorter(before).static_order())
    items = tuple(dict.fromkeys(item for name in order for item in blocks[name]))
    return PathModel(
        constructs=order,
        items=items,
        blocks=tuple(tuple(items.index(item) for item in blocks[name]) for name in order),
        modes=tuple(_mode_of(name, modes) for name in order),
        predecessors=tuple(tuple(order.index(cause) for cause in before[name]) for name in order),
        left_out=tuple(name for name in blocks if name not in before),
    )


def _mode_of(construct: str, modes: Modes) -> Mode:
    return modes.get(construct, "A") if isinstance(modes, Mapping) else modes
