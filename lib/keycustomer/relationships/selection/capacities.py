"""Capacities: what, besides money, a plan may take no more of.

How many customers may have a level, and how many hours has a manager?  A :class:`Capacity` says
what a customer takes of something at each level, whose it is, and how much there is:
:func:`level_capacity` (most customers at a level) and :func:`manager_hours` (hours of each manager
for the customers it is in charge of) cover the common ones.  The zero level must fit: it is always
available.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.relationships.selection.alternatives import (
    ROUNDING,
    SHOWN,
    ZERO,
    Alternatives,
    CodeArray,
    per_customer,
)
from keycustomer.stats.samples import FloatArray

NOBODY = -1
"""Group code of customers whom a capacity does not concern."""


@dataclass(frozen=True, eq=False)
class Capacity:
    """What customers take of something at each level, and how much of it there is.

    Attributes
    ----------
    name : str
        What it is, such as `hours`.
    use : mapping of level to float, array of shape (levels,) or (n, levels)
        What a customer takes at each level, 0 or more; levels not in a mapping take nothing.
    limit : float or mapping of group to float
        How much there is, for every group or by group.
    groups : sequence of shape (n,), optional
        Whose it is by customer, such as its manager; missing where the capacity does not concern
        the customer.  Left out, there is one for all.
    """

    name: str
    use: Mapping[str | int, float] | npt.ArrayLike = field(repr=False)
    limit: float | Mapping[Any, float]
    groups: Sequence[Any] | pd.Series | npt.NDArray[Any] | None = field(default=None, repr=False)


def level_capacity(level: str | int, most: float) -> Capacity:
    """Limit how many customers may have a level.

    Parameters
    ----------
    level : str or int
        Name or code of the level, not the zero level.
    most : float
        Most customers at this level; a fraction of a customer is none.
    """
    whole = math.floor(most) if math.isfinite(most) else most
    return Capacity(f"customers at {level}", {level: 1.0}, whole)


def manager_hours(
    managers: Sequence[Any] | pd.Series | npt.NDArray[Any],
    hours: Mapping[str | int, float] | npt.ArrayLike,
    available: float | Mapping[Any, float],
) -> Capacity:
    """Limit the hours each manager spends on the customers it is in charge of.

    Parameters
    ----------
    managers : sequence of shape (n,)
        Manager in charge of each customer; missing where nobody is.
    hours : mapping of level to float, array of shape (levels,) or (n, levels)
        Hours a customer takes at each level, over the same horizon as the costs.
    available : float or mapping of manager to float
        Hours of every manager, or by manager.
    """
    return Capacity("hours of manager", hours, available, managers)


Capacities = Mapping[str | int, float] | Capacity | Sequence[Capacity]


@dataclass(frozen=True, eq=False)
class Limit:
    """A capacity as it is computed with.

    Attributes
    ----------
    name : str
        What it is.
    use : ndarray, shape (n, levels)
        What a customer takes at each level.
    group : ndarray of int, shape (n,)
        Whose it is, `NOBODY` where it does not concern the customer.
    most : ndarray, shape (groups,)
        How much there is.
    labels : tuple
        Names of the groups.
    """

    name: str
    use: FloatArray
    group: npt.NDArray[np.int64]
    most: FloatArray
    labels: tuple[Any, ...]

    def used(self, codes: CodeArray) -> FloatArray:
        """Add up what a plan takes, shape (groups,)."""
        taken = self.use[np.arange(codes.size), codes]
        return self.add_up(taken)

    def add_up(self, taken: FloatArray) -> FloatArray:
        """Sum what customers take by group, shape (groups,)."""
        sums = np.bincount(self.group + 1, weights=taken, minlength=self.most.size + 1)[1:]
        return sums.astype(np.float64)

    def by_customer(self, amounts: FloatArray) -> FloatArray:
        """Spread amounts of the groups over their customers, 0 for others, shape (n,)."""
        return np.append(amounts, 0.0)[self.group]

    def within_reach(self) -> FloatArray:
        """Limits, an endless one lowered to what could be taken at most, shape (groups,)."""
        return np.minimum(self.most, self.add_up(self.use.max(axis=1)))

    def table(self, codes: CodeArray, prices: FloatArray) -> list[tuple[Any, ...]]:
        """List name, group, used, limit and price, a row a group."""
        used = self.used(codes)
        return [
            (self.name, label, *numbers)
            for label, *numbers in zip(
                self.labels, used.tolist(), self.most.tolist(), prices.tolist(), strict=True
            )
        ]

    def spare(self) -> FloatArray:
        """Amount above the limit that rounding alone makes, shape (groups,)."""
        return ROUNDING * self.within_reach()


def read_capacities(capacities: Capacities | None, alternatives: Alternatives) -> list[Limit]:
    """Read capacities as they are computed with.

    Parameters
    ----------
    capacities : mapping of level to most customers, Capacity or sequence of them
        What limits a plan.
    alternatives : Alternatives
        The customers and levels.

    Raises
    ------
    TypeError
        When one is no capacity.
    ValueError
        When a use or limit is negative or unknown, a group has no limit, shapes do not fit, or the
        zero level does not fit.
    """
    limits = [_limit(one, alternatives) for one in _each(capacities, alternatives)]
    nothing = np.full(len(alternatives), ZERO)
    for limit in limits:
        used = limit.used(nothing)
        short = np.flatnonzero(used > limit.most + limit.spare())
        if short.size:
            first = short[0]
            raise ValueError(
                f"capacity {limit.name!r}: {limit.most[first]:,.6g} for "
                f"{limit.labels[first]!r}, but its customers take {used[first]:,.6g} at the zero "
                f"level {alternatives.levels[ZERO]!r} already (first of {short.size:,} such); "
                "the zero level must always be available: raise the limit or lower its use"
            )
    return limits


def _each(capacities: Capacities | None, alternatives: Alternatives) -> Iterator[Capacity]:
    """Give the capacities one by one, a level's limit as a capacity."""
    if capacities is None:
        return
    if isinstance(capacities, Mapping):
        for level, most in capacities.items():
            if alternatives.code(level) == ZERO:
                raise ValueError(
                    f"capacities: {level!r} is the zero level, which is always available; limit "
                    "other levels"
                )
            yield level_capacity(level, most)
        return
    given = [capacities] if isinstance(capacities, Capacity) else list(capacities)
    for one in given:
        if not isinstance(one, Capacity):
            raise TypeError(
                f"capacities: {one!r} is no capacity; give a mapping of level to most customers, "
                "level_capacity(...), manager_hours(...) or a list of them"
            )
        yield one


def _limit(capacity: Capacity, alternatives: Alternatives) -> Limit:
    use = _use(capacity, alternatives)
    group, labels = _groups(capacity, alternatives)
    if isinstance(capacity.limit, Mapping):
        missing = [label for label in labels if label not in capacity.limit]
        if missing:
            raise ValueError(
                f"capacity {capacity.name!r}: no limit for {', '.join(map(repr, missing[:SHOWN]))}"
                f" ({len(missing):,} such); give one for every group, or leave the group of "
                "customers it does not concern missing"
            )
        amounts = [capacity.limit[label] for label in labels]
    else:
        amounts = [capacity.limit] * len(labels)
    most = np.asarray(amounts, dtype=np.float64)
    # an unlimited capacity binds nobody, so infinity is welcome here
    if not (most >= 0).all():
        wrong = labels[int(np.flatnonzero(~(most >= 0))[0])]
        raise ValueError(
            f"capacity {capacity.name!r}: the limit for {wrong!r} must be a number of at least 0"
        )
    return Limit(capacity.name, use, group, most, labels)


def _use(capacity: Capacity, alternatives: Alternatives) -> FloatArray:
    shape = alternatives.value.shape
    if isinstance(capacity.use, Mapping):
        use = np.zeros(shape[1])
        for level, taken in capacity.use.items():
            use[alternatives.code(level)] = taken
    else:
        use = np.asarray(capacity.use, dtype=np.float64)
    if use.shape not in (shape, shape[1:]):
        raise ValueError(
            f"capacity {capacity.name!r}: use has shape {use.shape}; a number a level "
            f"({shape[1]},) or a customer and level {shape} is needed"
        )
    if not (np.isfinite(use) & (use >= 0)).all():
        raise ValueError(
            f"capacity {capacity.name!r}: use must be finite and at least 0 at every level"
        )
    return np.broadcast_to(use, shape).astype(np.float64)


def _groups(
    capacity: Capacity, alternatives: Alternatives
) -> tuple[npt.NDArray[np.int64], tuple[Any, ...]]:
    """Codes of the groups and their names."""
    if capacity.groups is None:
        return np.zeros(len(alternatives), np.int64), ("all customers",)
    argument = f"capacity {capacity.name!r}: groups"
    given = per_customer(capacity.groups, alternatives, argument)
    codes, labels = pd.factorize(pd.Series(given, dtype=object), use_na_sentinel=True)
    return codes.astype(np.int64), tuple(labels)
