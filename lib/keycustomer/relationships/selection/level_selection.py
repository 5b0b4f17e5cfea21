"""A relationship level for every customer, under a budget: the multiple-choice knapsack.

Which relationship is each customer worth?  Every level has a value and a cost for every customer;
one level is chosen for each so that the values add up to most and the costs stay within the budget
(and, where there are any, within capacities): :func:`select_levels` gives a :class:`Selection`
with a bound that no plan can exceed, the gap to it, and the shadow price of the budget.

Source: Sinha & Zoltners (1979), "The multiple-choice knapsack problem", Operations Research 27.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.relationships.selection.alternatives import (
    ZERO,
    Alternatives,
    CodeArray,
    checked_budget,
    read_alternatives,
    slack,
)
from keycustomer.relationships.selection.capacities import Capacities, Limit, read_capacities
from keycustomer.relationships.selection.exact import exact_plan
from keycustomer.relationships.selection.fitting_plans import fit_plan
from keycustomer.relationships.selection.greedy import greedy_plan
from keycustomer.relationships.selection.plans import LevelPlan
from keycustomer.relationships.selection.prices import Prices, find_prices

METHODS = ("greedy", "exact")

TIME_LIMIT = 60.0
"""Seconds given to the exact solver."""

CAPACITY_COLUMNS = ("capacity", "group", "used", "limit", "shadow_price")
"""Columns of the table of capacities."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Selection(LevelPlan):
    """A level for every customer, with the bound that no plan exceeds.

    Attributes
    ----------
    alternatives : Alternatives
        What was chosen from.
    levels : ndarray of int, shape (n,)
        Code of the level of every customer.
    budget : float
        What the plan may cost, currency.
    method : str
        One of `METHODS`.
    notes : tuple of str
        What a reader must know.
    bound : float
        Value no plan within the budget (and the capacities) exceeds, currency.
    limits : tuple of Limit
        Capacities it keeps.
    prices : Prices
        Prices of budget and capacities, of the linear relaxation.
    """

    bound: float
    limits: tuple[Limit, ...] = field(repr=False)
    prices: Prices = field(repr=False)

    @property
    def shadow_price(self) -> float:
        """Value that one more unit of budget would buy; 0 when money is no longer short."""
        return self.prices.budget

    @property
    def capacities(self) -> pd.DataFrame:
        """Tell what each capacity is used for.

        Returns
        -------
        DataFrame
            A row a capacity and group: capacity, group, used, limit, shadow_price (value that one
            more unit of it would buy); no rows without capacities.
        """
        rows = [
            row
            for limit, prices in zip(self.limits, self.prices.limits, strict=True)
            for row in limit.table(self.levels, prices)
        ]
        return pd.DataFrame(rows, columns=list(CAPACITY_COLUMNS))

    @property
    def gap(self) -> float:
        """Value that may be missing to the best plan, as a share of the bound."""
        missing = self.bound - self.value
        return missing / abs(self.bound) if missing > 0 and self.bound else 0.0

    def _said(self) -> str:
        return (
            f"{super()._said()} No plan brings more than {self.bound:,.2f} (gap {self.gap:.1e}). "
            f"One more unit of budget buys {self.shadow_price:.4g}."
        )


def select_levels(
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    capacities: Capacities | None = None,
    method: str = "greedy",
    time_limit: float = TIME_LIMIT,
    customers: Sequence[Any] | pd.Index | None = None,
    levels: Sequence[str] | None = None,
) -> Selection:
    """Choose a level for every customer so that value is most within a budget.

    Parameters
    ----------
    value : array or DataFrame, shape (n, levels), or a result that has `value` and `cost`
        Expected value of every level for every customer over a horizon, before cost, currency.
        The first level is the zero level.
    cost : array or DataFrame, shape (n, levels), optional
        Expected cost over the same horizon; left out where `value` is a result that has both.
    budget : float
        What all customers together may cost, in the unit of `cost`.
    capacities : mapping of level to most customers, Capacity or sequence of them, optional
        What else is short, see `level_capacity` and `manager_hours`.
    method : {"greedy", "exact"}
        Greedy takes milliseconds (seconds with capacities) and tells how far it may be off; exact
        hands what greedy leaves open to a solver, for up to about a thousand customers.
    time_limit : float
        Seconds given to the exact solver; the plan then tells how far it may be off.
    customers, levels : sequence, optional
        Names; left out, those of the table or result.

    Returns
    -------
    Selection
        Costs stay within the budget up to the rounding of sums (a part in 10^12).

    Raises
    ------
    TypeError, ValueError
        When arguments make no sense (see `read_alternatives`), or the budget does not reach for
        the cheapest level of everybody.

    Examples
    --------
    >>> plan = select_levels([[0, 8, 9], [0, 2, 20]], [[0, 4, 9], [0, 1, 5]], budget=9)
    >>> plan.levels.tolist(), plan.value, plan.bound
    ([1, 2], 28.0, 28.0)
    """
    alternatives = read_alternatives(value, cost, customers=customers, levels=levels)
    money = checked_budget(budget)
    if method not in METHODS:
        raise ValueError(f"method={method!r}: choose one of {', '.join(map(repr, METHODS))}")
    limits = read_capacities(capacities, alternatives)
    codes, prices = _greedy(alternatives, money, limits)
    bound = prices.bound
    notes: tuple[str, ...] = ()
    if method == "exact":
        best = exact_plan(alternatives, money, limits, prices, codes, time_limit=time_limit)
        codes, bound, notes = best.codes, best.bound, best.notes
    return Selection(
        alternatives=alternatives,
        levels=codes,
        budget=money,
        method=method,
        notes=notes,
        bound=max(bound, alternatives.totals(codes)[0]),
        limits=tuple(limits),
        prices=prices,
    )


def _greedy(
    alternatives: Alternatives, budget: float, limits: list[Limit]
) -> tuple[CodeArray, Prices]:
    """Best of the plans that prices lead to, and the prices of the lowest bound."""
    plan = greedy_plan(alternatives, budget)
    prices = Prices(plan.shadow_price, (), plan.bound)
    if not limits:
        return plan.codes, prices
    _check_zero_level(alternatives, budget)
    free = Prices(
        plan.shadow_price, tuple(np.zeros(limit.most.size) for limit in limits), plan.bound
    )
    found = [free, *find_prices(alternatives, budget, limits, plan.shadow_price)]
    plans = [fit_plan(alternatives, budget, limits, one) for one in found]
    best = max(plans, key=lambda codes: alternatives.totals(codes)[0])
    return best, min(found, key=lambda one: one.bound)


def _check_zero_level(alternatives: Alternatives, budget: float) -> None:
    """Refuse a budget that does not reach for the zero level, which plans fall back on."""
    if budget + slack(budget, alternatives.cost) < alternatives.zero_cost:
        raise ValueError(
            f"budget={budget:,.6g} does not reach for the zero level "
            f"{alternatives.levels[ZERO]!r} of everybody, which costs "
            f"{alternatives.zero_cost:,.6g}; with capacities it must, since plans fall back on it"
        )
