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
    blocks: list[tuple[Any, ...]] = []
    for first in range(0, len(alternatives), BLOCK):
        rows = slice(first, first + BLOCK)
        value = np.ascontiguousarray(alternatives.value[rows].T)
        cost = np.ascontiguousarray(alternatives.cost[rows].T)
        starts.append(_start(value, cost))
        blocks.append(_steps(value, cost, starts[-1]))
    # all first steps, then all second steps: the stable sort keeps this order among equals
    columns = [np.concatenate(parts, axis=1).ravel() for parts in zip(*blocks, strict=True)]
    there = np.flatnonzero(columns[-1])
    order = there[np.argsort(-columns[-1][there], kind="stable")]
    return HullSteps(
        np.concatenate(starts),
        order % len(alternatives),
        *(column[order] for column in columns),
    )


def _start(value: FloatArray, cost: FloatArray) -> CodeArray:
    """Cheapest level of each customer, of those the one of most value, of those the first."""
    cheapest = cost == cost.min(axis=0)
    return np.where(cheapest, value, -np.inf).argmax(axis=0).astype(np.int8)


def _steps(value: FloatArray, cost: FloatArray, start: CodeArray) -> tuple[Any, ...]:
    """Levels, cost, value, efficiency (0: none) of the steps, shape (rounds, customers)."""
    everybody, shape = np.arange(value.shape[1]), (len(value) - 1, value.shape[1])
    origins, levels = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
    costs, values, efficiencies = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    origin, at_value, at_cost = start, value[start, everybody], cost[start, everybody]
    before = np.full(everybody.size, np.inf)
    for number in range(shape[0]):
        to, efficiency = _best_step(value, cost, at_value, at_cost)
        if not efficiency.any():
            break
        # who has no further step stays, which adds nothing
        to = np.where(efficiency > 0, to, origin)
        next_value, next_cost = value[to, everybody], cost[to, everybody]
        # rounding must not let a step overtake the one it follows
        before = np.minimum(efficiency, before)
        origins[number], levels[number], efficiencies[number] = origin, to, before
        costs[number], values[number] = next_cost - at_cost, next_value - at_value
        origin, at_value, at_cost = to, next_value, next_cost
    return origins, levels, costs, values, efficiencies


def _best_step(
    value: FloatArray, cost: FloatArray, at_value: FloatArray, at_cost: FloatArray
) -> tuple[CodeArray, FloatArray]:
    """Level that brings most value for its cost from where a customer is; 0 where none does."""
    added, more = cost - at_cost, value - at_value
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        efficiency = np.where((added > 0) & (more > 0), more / added, 0.0)
    return efficiency.argmax(axis=0).astype(np.int8), efficiency.max(axis=0)
