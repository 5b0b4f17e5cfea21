"""The greedy plan: buy the steps that bring most value for their cost until the money is gone.

How near does it come to the best plan there is?  The steps of all hulls in order of efficiency
solve the linear relaxation; only one step, the first that no longer fits, would be taken in part.
So the plan comes with a bound that no plan can exceed, and with the shadow price of the budget, the
value that one more unit of money would buy.  :func:`greedy_plan` then spends what is left: down
the list, leaving out what does not fit, and by the one or two changes of level that add most
(levels off the hull and steps down among them).

More money never makes the plan worse, since each of these ways is best in a set of plans that only
grows with the budget.

Sources: Sinha & Zoltners (1979), Operations Research 27; Pisinger (1995), "A minimal algorithm for
the multiple-choice knapsack problem", European Journal of Operational Research 83.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keycustomer.relationships.selection.alternatives import Alternatives, CodeArray, slack
from keycustomer.relationships.selection.hull import HullSteps, hull_steps
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class BoundedPlan:
    """A plan with what no plan can exceed.

    Attributes
    ----------
    codes : ndarray, shape (n,)
        Level of every customer.
    bound : float
        Value no plan within the limits exceeds, currency.
    shadow_price : float
        Value that one more unit of budget would buy.
    """

    codes: CodeArray
    bound: float
    shadow_price: float


def greedy_plan(alternatives: Alternatives, budget: float) -> BoundedPlan:
    """Choose levels under a budget by efficiency of the steps.

    Parameters
    ----------
    alternatives : Alternatives
        Value and cost of every level for every customer.
    budget : float
        Money for all customers together, in the unit of cost.

    Raises
    ------
    ValueError
        When the budget does not reach for the cheapest level of everybody.
    """
    steps = hull_steps(alternatives)
    value, cost = alternatives.totals(steps.start)
    room = budget - cost
    spare = slack(budget, alternatives.cost)
    if room < -spare:
        raise ValueError(
            f"budget={budget:,.6g} does not reach for the cheapest level of everybody, which costs "
            f"{cost:,.6g}; give at least that much, or leave customers out"
        )
    spent = np.cumsum(steps.cost)
    taken = int(np.searchsorted(spent, room + spare, side="right"))
    codes = steps.start.copy()
    # steps of a customer stand in the order they are taken, and the last assignment stays
    codes[steps.customer[:taken]] = steps.level[:taken]
    value += float(steps.value[:taken].sum())
    if taken == len(steps):
        return BoundedPlan(codes, value, 0.0)
    left = max(room - (float(spent[taken - 1]) if taken else 0.0), 0.0)
    price = float(steps.efficiency[taken])
    bound = value + float(steps.value[taken]) * (left / float(steps.cost[taken]))
    gain, filled = _fill(steps, taken, left, codes)
    if math.isfinite(price):
        filled = _exchange(alternatives, codes, price, left, gain, filled)
    return BoundedPlan(filled, max(bound, alternatives.totals(filled)[0]), price)


def _fill(steps: HullSteps, taken: int, left: float, codes: CodeArray) -> tuple[float, CodeArray]:
    """Go on down the list with the money left, past steps that do not fit: gain, levels."""
    filled, gain = codes.copy(), 0.0
    dead = np.full(len(codes), len(steps))
    tail = np.arange(taken, len(steps))
    while tail.size:
        large = tail[steps.cost[tail] > left]
        # of several steps too large, the first one of a customer is written last
        dead[steps.customer[large[::-1]]] = large[::-1]
        tail = tail[tail < dead[steps.customer[tail]]]
        within = int(np.searchsorted(np.cumsum(steps.cost[tail]), left, side="right"))
        bought = tail[:within]
        filled[steps.customer[bought]] = steps.level[bought]
        gain += float(steps.value[bought].sum())
        left = max(left - float(steps.cost[bought].sum()), 0.0)
        tail = tail[within:]
    return gain, filled


def _exchange(
    alternatives: Alternatives,
    codes: CodeArray,
    price: float,
    left: float,
    gain: float,
    filled: CodeArray,
) -> CodeArray:
    """Make the one or two changes that add most, where they add more than `gain` does.

    A change that gains g and costs c loses price * c - g >= 0 against the linear optimum, which
    gains price * left; two changes whose losses leave less than `gain` need no look.
    """
    value, cost = alternatives.chosen(codes)
    gains, costs = alternatives.value - value[:, None], alternatives.cost - cost[:, None]
    loss = price * costs - gains
    near = (loss < price * left - gain) & ((gains != 0) | (costs != 0))
    customer, level = np.nonzero(near)
    gains, costs = gains[customer, level], costs[customer, level]
    single = np.flatnonzero((costs <= left) & (gains > gain))
    best: tuple[int, ...] = ()
    if single.size:
        first = int(single[gains[single].argmax()])
        gain, best = float(gains[first]), (first,)
    pair = _best_pair(customer, gains, costs, left, gain)
    best = pair or best
    if not best:
        return filled
    changed = codes.copy()
    changed[customer[list(best)]] = level[list(best)]
    return changed


def _best_pair(
    customer: CodeArray, gains: FloatArray, costs: FloatArray, left: float, gain: float
) -> tuple[int, ...]:
    """Two changes of different customers that fit and gain most, none when below `gain`."""
    if customer.size < 2:
        return ()
    order = np.argsort(costs, kind="stable")
    leader = _leaders(gains[order])
    # how many changes, in order of cost, fit beside each one
    fitting = np.searchsorted(costs[order], left - costs, side="right")
    partner = np.where(fitting > 0, leader[np.maximum(fitting, 1) - 1], -1)
    total = np.where(partner >= 0, gains + gains[order][partner], -np.inf)
    best: tuple[int, ...] = ()
    for one in np.argsort(-total, kind="stable"):
        if not total[one] > gain:
            break
        found, other = total[one], int(order[partner[one]])
        if customer[other] == customer[one]:
            beside = order[: fitting[one]]
            beside = beside[customer[beside] != customer[one]]
            if not beside.size:
                continue
            other = int(beside[gains[beside].argmax()])
            found = gains[one] + gains[other]
        if found > gain:
            gain, best = float(found), (int(one), other)
    return best


def _leaders(gains: FloatArray) -> CodeArray:
    """Place of the largest gain among the first 1, 2, 3, ... gains."""
    highest = np.maximum.accumulate(gains)
    new = np.concatenate([[True], gains[1:] > highest[:-1]])
    return np.maximum.accumulate(np.where(new, np.arange(gains.size), 0))
