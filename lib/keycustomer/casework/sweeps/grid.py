"""A grid of values: what its text says, whether the values fit, and its points.

Question: which runs does ``draws=10,100`` beside ``simulation.seed=1..20`` mean?

- :func:`parse_axis`: one ``NAME=V1,V2,...`` to a name and texts of values; :func:`split_values`.
- :func:`read_grid`: axes checked against the chapters' parameters and the keys of the case file.
- :class:`Axis`, :class:`Point`: one parameter with its values; one combination of them.

A value with a comma stands in double quotes, a list in brackets; ``1..5`` are the whole numbers
from 1 to 5, ``0.1..0.5..0.2`` steps of 0.2.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keycustomer.casework.errors import CaseError, did_you_mean
from keycustomer.casework.parameters import Parameter

MOST_POINTS = 10_000
"""Largest number of points of a grid."""

CASE_KEYS: dict[str, Parameter] = {
    name: Parameter(name, scalar, None)
    for name, scalar in {
        "simulation.accounts": "int",
        "simulation.months": "int",
        "simulation.seed": "int",
        "economics.margin": "float",
        "economics.cost_per_order": "float",
        "observed.start": "str",
        "observed.end": "str",
        "minimum_cell": "int",
    }.items()
}
"""Keys of the case file that a grid may set, beside those under `rules`."""

_RULE = re.compile(r"rules\.[a-z0-9_]+")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER}?)\.\.({_NUMBER})(?:\.\.({_NUMBER}))?")
_PLAIN = re.compile(r"[a-z0-9.+-]{0,23}[a-z0-9]")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Axis:
    """One parameter of a grid.

    Attributes
    ----------
    name : str
        The parameter, or the key of the case file with dots.
    values : tuple
        Its values, of the declared type, each once.
    in_case : bool
        Whether it is a key of the case file.
    """

    name: str
    values: tuple[Any, ...]
    in_case: bool = False

    @property
    def numeric(self) -> bool:
        """Whether all values are numbers."""
        return all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in self.values
        )

    @property
    def is_seed(self) -> bool:
        """Whether it only repeats the same with other random numbers."""
        return self.name.rpartition(".")[2] == "seed"


@dataclass(frozen=True)
class Point:
    """One combination of values.

    Attributes
    ----------
    values : tuple of (str, object)
        Value by axis.
    """

    values: tuple[tuple[str, Any], ...]

    @property
    def name(self) -> str:
        """Name of its folder: readable, safe on every file system, its own.

        What cannot stand in such a name is replaced, and a hash of the values added.
        """
        texts = [(name, value_text(value)) for name, value in self.values]
        readable = ",".join(f"{name}={_safe(text)}" for name, text in texts)
        lists = any(isinstance(value, list | tuple) for _, value in self.values)
        exact = not lists and all(_PLAIN.fullmatch(text) for _, text in texts)
        if exact and len(readable) <= _LONGEST_NAME:
            return readable
        said = json.dumps([list(pair) for pair in self.values], ensure_ascii=False)
        mark = hashlib.sha256(said.encode()).hexdigest()[:8]
        return f"{readable[:_LONGEST_NAME].rstrip('.,-')},{mark}"

    def part(self, axes: Iterable[Axis]) -> dict[str, Any]:
        """Values of some axes."""
        names = {axis.name for axis in axes}
        return {name: value for name, value in self.values if name in names}


def value_text(value: Any) -> str:
    """Write a value of a grid: ``0.1``, ``true``, ``none``, ``a+b``."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "+".join(map(value_text, value)) or "empty"
    return repr(value) if isinstance(value, float) else str(value)


def _safe(text: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9.+-]+", "-", text)[:24]
    return readable.rstrip(".+-") or "other"


def parse_axis(text: str) -> tuple[str, list[str]]:
    """Split ``NAME=V1,V2,...`` into the name and the texts of its values.

    Raises
    ------
    CaseError
        When there is no name, no value, or an open quote or bracket.

    Examples
    --------
    >>> parse_axis("share=0.1,0.2")
    ('share', ['0.1', '0.2'])
    """
    name, equals, values = text.partition("=")
    if not equals or not name.strip():
        raise CaseError(f"--grid {text}: write it as NAME=V1,V2,... or NAME=FIRST..LAST")
    found = split_values(values, text)
    if not found:
        raise CaseError(f"--grid {text}: no value is given; write NAME=V1,V2,...")
    return name.strip(), found


def split_values(text: str, grid: str) -> list[str]:
    """Split values at commas outside quotes and brackets, and take off the quotes."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == '"'
        depth += 0 if quoted else {"[": 1, "]": -1}.get(character, 0)
        if character == "," and not quoted and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if quoted or depth:
        raise CaseError(f"--grid {grid}: a quote or bracket is open; close it")
    stripped = [part.strip() for part in parts]
    if stripped == [""]:
        return []
    return [_unquoted(part) for part in stripped]


def _unquoted(text: str) -> str:
    inside = text[1:-1]
    return inside if text == f'"{inside}"' and '"' not in inside else text


def read_grid(
    grid: Mapping[str, Sequence[Any]],
    declared: Mapping[str, Mapping[str, Parameter]],
) -> tuple[Axis, ...]:
    """Check a grid and give its values the declared types.

    Parameters
    ----------
    grid : mapping of str to sequence
        Values, or texts of values and ranges, by name.
    declared : mapping of str to mapping
        Parameters by chapter, for the chapters that run.

    Returns
    -------
    tuple of Axis

    Raises
    ------
    CaseError
        With all names that are unknown, values that do not fit or stand twice, or when there are
        too many points or none.
    """
    axes: list[Axis] = []
    problems: list[str] = []
    for name, values in grid.items():
        try:
            axes.append(_axis(name, values, declared))
        except CaseError as error:
            problems += error.problems
    if not grid:
        problems.append("the grid is empty; give --grid NAME=V1,V2,... at least once")
    points = math.prod(len(axis.values) for axis in axes)
    if points > MOST_POINTS:
        problems.append(
            f"the grid has {points:,} points; at most {MOST_POINTS:,} are run: sweep fewer values"
        )
    if problems:
        raise CaseError(*problems)
    return tuple(axes)


def _axis(
    name: str, values: Sequence[Any], declared: Mapping[str, Mapping[str, Parameter]]
) -> Axis:
    kinds = [own[name] for own in declared.values() if name in own and name != "case"]
    in_case = not kinds
    if in_case:
        kinds = [_case_key(name, declared)]
    converted: list[Any] = []
    for value in itertools.chain.from_iterable(_expanded(v, kinds[0], name) for v in values):
        try:
            read = [kind.convert(value) for kind in kinds]
        except ValueError as error:
            raise CaseError(f"--grid {name}: {error}") from error
        if read[0] in converted:
            raise CaseError(f"--grid {name}: the value {value_text(read[0])} stands twice")
        converted.append(read[0])
    if not converted:
        raise CaseError(f"--grid {name}: no value is given")
    return Axis(name, tuple(converted), in_case)


def _case_key(name: str, declared: Mapping[str, Mapping[str, Parameter]]) -> Parameter:
    """How a key of the case file is read."""
    if name in CASE_KEYS:
        return CASE_KEYS[name]
    if _RULE.fullmatch(name):
        return Parameter(name, "str", None)
    parameters = sorted({own for known in declared.values() for own in known} - {"case"})
    last = [key for key in CASE_KEYS if key.rpartition(".")[2] == name]
    near = (
        f" (did you mean {last[0]!r}?)" if last else did_you_mean(name, [*parameters, *CASE_KEYS])
    )
    raise CaseError(
        f"--grid {name}: no chapter of this sweep has such a parameter, and no such key of the "
        f"case file can be swept{near}; parameters: {', '.join(parameters) or 'none'}; keys: "
        f"{', '.join(CASE_KEYS)}, rules.<name>"
    )


def _expanded(value: Any, kind: Parameter, name: str) -> list[Any]:
    """Values of a range, or the value itself."""
    numbers = kind.scalar in ("int", "float") and not kind.many
    found = _RANGE.fullmatch(value.strip()) if numbers and isinstance(value, str) else None
    if found is None:
        return [value]
    first, last, step = map(float, found.groups("1"))
    if step <= 0 or last < first:
        raise CaseError(f"--grid {name}: {value} counts nowhere; write FIRST..LAST..STEP, upward")
    count = math.floor((last - first) / step * (1 + 1e-12) + 1e-9) + 1
    if count > MOST_POINTS:
        raise CaseError(f"--grid {name}: {value} are {count:,} values; at most {MOST_POINTS:,}")
    return [_tidy(first + step * n) for n in range(count)]


def _tidy(value: float) -> float:
    """Take the noise of adding steps from a number."""
    return float(f"{value:.12g}")


def grid_points(axes: Sequence[Axis]) -> list[Point]:
    """All combinations; the last axis changes fastest."""
    names = [axis.name for axis in axes]
    combinations = itertools.product(*(axis.values for axis in axes))
    return [Point(tuple(zip(names, values, strict=True))) for values in combinations]
