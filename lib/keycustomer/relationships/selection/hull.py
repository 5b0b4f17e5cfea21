"""The steps of every customer that are worth taking: the upper concave hull of its levels.

In which order would money be spent on a customer?  Its levels are points (cost, value).  From the
cheapest one the best step is the one that brings most value for its cost, and so on: that is the
upper hull, and each step brings less for its cost than the one before.  Levels off the hull (those
that cost more and bring less, and those a mixture of two others beats) are never in the linear
optimum.  :func:`hull_steps` finds the steps of all customers together, whatever the number and the
order of the levels, with equal costs, negative uplifts and costs of zero.

Source: Sinha & Zoltners (1979), "The multiple-choice knapsack problem", Operations Research 27.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from keycustomer.relationships.selection.alternatives import Alternatives, CodeArray
from keycustomer.stats.samples import FloatArray

BLOCK = 2**14
"""Customers computed together, so that their matrices stay in cache."""


@dataclass(frozen=True, eq=False)
class HullSteps:
    """Steps along the hulls of all customers.

    Attributes
    ----------
    start : ndarray, shape (n,)
        Level every customer starts from: its cheapest, of those the one of most value, of those
        the first.
    customer, origin, level : ndarray, shape (steps,)
        Row of the customer, codes of the level stepped from and to.
    cost, value : ndarray, shape (steps,)
        What the step adds, both above 0, currency.
    efficiency : ndarray, shape (steps,)
        Value per unit of cost; never rises from a customer's step to its next.

    Steps stand in order of efficiency, those of a customer in the order they are taken.
    """

    start: CodeArray
    customer: CodeArray
    origin: CodeArray
    level: CodeArray
    cost: FloatArray
    value: FloatArray
    efficiency: FloatArray

    def __len__(self) -> int:
        """Count the steps."""
        return len(self.customer)


def hull_steps(alternatives: Alternatives) -> HullSteps:
    """Find the steps of all customers, in order of efficiency.

    Parameters
    ----------
    alternatives : Alternatives
        Value and cost of every level for every customer.

    References
    ----------
    Sinha & Zoltners (1979), propositions 1 and 2.
    """
    starts: list[CodeArray] = []
    parts: list[tuple[Any, ...]] = []
    for first in range(0, len(alternatives), BLOCK):
        rows = slice(first, first + BLOCK)
        value = np.ascontiguousarray(alternatives.value[rows].T)
        cost = np.ascontiguousarray(alternatives.cost[rows].T)
        starts.append(_start(value, cost))
        for number, step in enumerate(_steps(value, cost, starts[-1])):
            parts.append((np.full(len(step[0]), number, np.int8), step[0] + first, *step[1:]))
    start = np.concatenate(starts)
    if not parts:
        none, code = np.empty(0), np.empty(0, np.int8)
        return HullSteps(start, np.empty(0, np.int64), code, code, none, none, none)
    # all first steps, then all second steps: the stable sort keeps this order among equals
    parts.sort(key=lambda part: part[0][0])
    _, *columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(-columns[-1], kind="stable")
    return HullSteps(start, *(column[order] for column in columns))


def _start(value: FloatArray, cost: FloatArray) -> CodeArray:
    """Cheapest level of each customer, of those the one of most value, of those the first."""
    cheapest = cost == cost.min(axis=0)
    return np.where(cheapest, value, -np.inf).argmax(axis=0).astype(np.int8)


def _steps(value: FloatArray, cost: FloatArray, start: CodeArray) -> list[tuple[Any, ...]]:
    """First, second, ... steps: customer, levels, cost, value, efficiency of those who have one."""
    rows, origin = np.arange(value.shape[1]), start
    at_value, at_cost = value[start, rows], cost[start, rows]
    before = np.full(rows.size, np.inf)
    found = []
    for _ in range(len(value) - 1):
        to, efficiency = _best_step(value, cost, at_value, at_cost)
        going = np.flatnonzero(to >= 0)
        if not going.size:
            break
        rows, to, before = rows[going], to[going], before[going]
        value, cost = value[:, going], cost[:, going]
        places = np.arange(rows.size)
        next_value, next_cost = value[to, places], cost[to, places]
        # rounding must not let a step overtake the one it follows
        before = np.minimum(efficiency[going], before)
        added = next_cost - at_cost[going], next_value - at_value[going]
        found.append((rows, origin[going], to, *added, before))
        origin = to
        at_value, at_cost = next_value, next_cost
    return found


def _best_step(
    value: FloatArray, cost: FloatArray, at_value: FloatArray, at_cost: FloatArray
) -> tuple[CodeArray, FloatArray]:
    """Level that brings most value for its cost from where a customer is, -1 where none does."""
    to = np.full(at_value.size, -1, np.int8)
    best = np.zeros(at_value.size)
    for code in range(len(value)):
        added, more = cost[code] - at_cost, value[code] - at_value
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            efficiency = more / added
        better = (added > 0) & (more > 0) & (efficiency > best)
        best = np.where(better, efficiency, best)
        to[better] = code
    return to, best
