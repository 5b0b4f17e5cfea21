"""What a choice design may show: attributes and levels as given, checked and made into numbers.

:func:`checked_attributes` reads attributes and levels, :func:`rules_of` makes them, directions and
prohibited combinations into the rules of the search, :func:`check_sizes` refuses what cannot be
estimated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.pricing.choice.choice_data import KEYS, NONE_COLUMN
from keycustomer.pricing.choice.design_search import DesignRules
from keycustomer.pricing.choice.worth import PER_UNIT
from keycustomer.simulate.choice_tasks import NONE
from keycustomer.stats.samples import FloatArray

MOST_PROFILES = 200_000
"""Possible packages up to which it is counted whether prohibited combinations leave some."""

Levels = Mapping[str, tuple[object, ...]]


def checked_attributes(
    attributes: Mapping[str, Sequence[object]], price: str
) -> dict[str, tuple[object, ...]]:
    """Attributes and levels, or every complaint about them."""
    if not isinstance(attributes, Mapping):
        raise TypeError(
            f"attributes is a {type(attributes).__name__}; give name -> levels, such as "
            '{"price": [60, 90], "energy": ["standard", "green"]}'
        )
    wrong = list(_complaints(attributes, price))
    if wrong:
        raise ValueError("; ".join(wrong))
    return {str(name): tuple(map(_plain, levels)) for name, levels in attributes.items()}


def _plain(level: object) -> object:
    """Give numbers as floats, others as text."""
    return float(level) if _is_number(level) else str(level)  # type: ignore[arg-type]


def _is_number(level: object) -> bool:
    return isinstance(level, int | float | np.integer | np.floating) and not isinstance(level, bool)


def _complaints(attributes: Mapping[str, Sequence[object]], price: str) -> Iterator[str]:
    if price not in attributes:
        yield f"attributes has no {price!r}; add its levels, or say price=... which one it is"
    if len(attributes) < 2:
        yield "attributes: at least the price and one more are needed"
    if len(set(map(str, attributes))) < len(attributes):
        yield f"attributes {list(attributes)} bear a name twice, as words; give each its own"
    for name, levels in attributes.items():
        if name in (*KEYS, NONE_COLUMN, "block"):
            yield f"attribute {name!r} is the name of a column of the tasks; call it otherwise"
        if isinstance(levels, str | bytes | set | frozenset) or not hasattr(levels, "__len__"):
            yield f"attribute {name!r}: give a list of levels, got {levels!r}"
            continue
        if not 2 <= len({str(_plain(level)) for level in levels}) == len(levels):
            yield f"attribute {name!r}: at least two different levels are needed, got {levels!r}"
        if any(level is None or level is pd.NA or str(level).strip() == "" for level in levels):
            yield f"attribute {name!r} has an empty level: {levels!r}"
        if taken := {NONE, PER_UNIT} & set(map(str, levels)):
            yield f"attribute {name!r}: {min(taken)!r} has a meaning of its own; call it otherwise"
        numbers = [_is_number(level) for level in levels]
        if any(numbers) and not all(numbers):
            yield f"attribute {name!r} mixes numbers and words: {levels!r}"
        if all(numbers) and not np.isfinite(np.array(levels, dtype=float)).all():
            yield f"attribute {name!r} has a level that is no finite number: {levels!r}"
        if name == price and not (all(numbers) and min(levels, default=-1) >= 0):  # type: ignore[type-var,operator]
            yield f"the price {name!r} must be numbers of at least 0, got {levels!r}"


def rules_of(
    levels: Levels,
    alternatives: int,
    directions: Mapping[str, str],
    prohibited: Sequence[Mapping[str, object]],
) -> DesignRules:
    """Make attributes, directions and prohibited combinations into rules of the search."""
    if not isinstance(directions, Mapping):
        raise TypeError(f'directions={directions!r}: give name -> "more" or "less"')
    for name, direction in directions.items():
        if name not in levels or direction not in ("more", "less"):
            raise ValueError(
                f"directions={{{name!r}: {direction!r}}}: attributes are {', '.join(levels)}, "
                "directions are 'more' and 'less'"
            )
    names = list(levels)
    combinations = tuple(_combination(one, levels) for one in prohibited)
    _check_some_allowed(levels, combinations)
    ranks = np.full((len(names), max(map(len, levels.values()))), np.nan)
    for name, direction in directions.items():
        own = levels[name]
        order = np.array(own) if _is_number(own[0]) else np.arange(len(own))
        ranks[names.index(name), : len(own)] = order if direction == "more" else -order
    return DesignRules(
        tuple(_columns(own) for own in levels.values()), ranks, combinations, alternatives
    )


def _columns(levels: tuple[object, ...]) -> FloatArray:
    """Columns of coefficients by level: the number itself, or one for every level but the first."""
    if _is_number(levels[0]):
        return np.array(levels, dtype=float)[:, None]
    return np.eye(len(levels))[:, 1:]


def _combination(one: Mapping[str, object], levels: Levels) -> tuple[tuple[int, int], ...]:
    if not isinstance(one, Mapping) or len(one) < 2:
        raise ValueError(
            f"prohibited holds {one!r}; give the levels of at least two attributes, such as "
            '{"energy": "green", "contract": "monthly"}'
        )
    found = []
    for name, level in one.items():
        if name not in levels or _plain(level) not in levels[name]:
            there = levels.get(name)
            raise ValueError(
                f"prohibited names {name!r}: {level!r}; "
                + (f"levels are {list(there)}" if there else f"attributes are {list(levels)}")
            )
        found.append((list(levels).index(name), levels[name].index(_plain(level))))
    return tuple(found)


def _check_some_allowed(
    levels: Levels, combinations: tuple[tuple[tuple[int, int], ...], ...]
) -> None:
    """Refuse combinations that leave a level no package at all."""
    sizes = [len(own) for own in levels.values()]
    touched = sorted({a for one in combinations for a, _ in one})
    if not touched or np.prod([sizes[a] for a in touched], dtype=float) > MOST_PROFILES:
        return
    places = [
        dict(zip(touched, each, strict=True))
        for each in product(*map(range, (sizes[a] for a in touched)))
    ]
    allowed = [p for p in places if not any(all(p[a] == k for a, k in one) for one in combinations)]
    for a in touched:
        gone = set(range(sizes[a])) - {p[a] for p in allowed}
        if gone:
            name = list(levels)[a]
            raise ValueError(
                f"prohibited leaves no package with {name} {levels[name][min(gone)]!r}; take the "
                "level out of attributes, or allow a combination"
            )


def check_sizes(rules: DesignRules, tasks: int, alternatives: int, blocks: int, swaps: int) -> None:
    """Refuse numbers of tasks that cannot be, or do not identify the coefficients."""
    least = {"tasks": 1, "alternatives": 2, "blocks": 1, "swaps": 0}
    given = {"tasks": tasks, "alternatives": alternatives, "blocks": blocks, "swaps": swaps}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least[name]:
            raise ValueError(f"{name}={value!r}: give a whole number of at least {least[name]}")
    if tasks * blocks * (alternatives - 1) < rules.columns:
        raise ValueError(
            f"{counted(tasks * blocks, 'task')} of {alternatives} packages cannot tell "
            f"{rules.columns} coefficients apart: at least "
            f"{-(-rules.columns // (alternatives - 1))} tasks over all blocks are needed"
        )
