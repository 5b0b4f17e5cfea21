"""Discounts for customers at risk: who gets how much, under a budget and above the floor (T4).

Question: how should a sum for discounts be spent so that it keeps most profit?
:func:`allocate_discounts` chooses at most one depth for each customer so that expected gains add up
to most within the budget (a multiple-choice knapsack, with a bound that no plan exceeds and the
shadow price of the budget).  :func:`discount_plans` sets the usual rules beside it: most at risk
first with the deepest discount, one depth for all, and none.

Source: Sinha & Zoltners (1979), "The multiple-choice knapsack problem", Operations Research 27.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.discounts.options import DiscountOptions
from keycustomer.relationships.selection.alternatives import checked_budget
from keycustomer.relationships.selection.level_selection import select_levels
from keycustomer.stats.samples import FloatArray

UPLIFT, RISK, BLANKET, NOBODY = (
    "uplift x value",
    "most at risk first, deepest",
    "one discount for all",
    "none",
)
"""Names of the rules."""

CodeArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DiscountPlan:
    """A discount, or none, for every customer.

    Attributes
    ----------
    options : DiscountOptions
        What was chosen from.
    codes : ndarray of int, shape (n,)
        0 for none, j for the j-th of the depths.
    budget : float
        What discounts may cost, currency.
    rule : str
        How it was made.
    bound : float
        Gain that no plan within the budget exceeds; NaN where the rule proves none.
    shadow_price : float
        Gain that one more unit of budget would buy; NaN where the rule tells none.
    """

    options: DiscountOptions = field(repr=False)
    codes: CodeArray = field(repr=False)
    budget: float
    rule: str
    bound: float = np.nan
    shadow_price: float = np.nan

    @property
    def discounts(self) -> pd.Series:
        """Discount of each customer, share of the list price, 0 for none."""
        shares = np.array([0.0, *self.options.depths])[self.codes]
        return pd.Series(shares, self.options.customers, name="discount")

    @property
    def gain(self) -> float:
        """Expected profit against no discount for anybody, currency."""
        return self.options.totals(self.codes)[0]

    @property
    def spent(self) -> float:
        """What the discounts cost the budget, currency."""
        return self.options.totals(self.codes)[1]

    @property
    def discounted(self) -> int:
        """Customers who get a discount."""
        return int((self.codes > 0).sum())

    def to_frame(self) -> pd.DataFrame:
        """One row a customer: customer_id, risk, discount, gain, cost."""
        gain, cost = (_chosen(one, self.codes) for one in (self.options.gain, self.options.cost))
        return pd.DataFrame(
            {
                "customer_id": self.options.customers.to_numpy(),
                "risk": self.options.risk,
                "discount": self.discounts.to_numpy(),
                "gain": gain,
                "cost": cost,
            }
        )

    def by_discount(self) -> pd.DataFrame:
        """One row a depth, none first: discount, customers, gain, cost, mean risk."""
        by = self.to_frame().groupby("discount")
        told = by.agg(gain=("gain", "sum"), cost=("cost", "sum"), mean_risk=("risk", "mean"))
        told.insert(0, "customers", by.size())
        return told.reset_index()

    def _repr_html_(self) -> str:
        said = [
            f"{self.rule}: {self.discounted:,} of {len(self.codes):,} customers get a discount; "
            f"expected gain {self.gain:,.0f}, put aside {self.spent:,.0f} of {self.budget:,.0f}."
        ]
        if np.isfinite(self.bound):
            said.append(
                f"No plan gains more than {self.bound:,.0f}; one more unit of budget buys "
                f"{self.shadow_price:,.3g}."
            )
        return report_html("Plan of discounts", said, {"By discount": self.by_discount()})


def allocate_discounts(
    options: DiscountOptions, budget: float, *, method: str = "greedy"
) -> DiscountPlan:
    """Choose a discount, or none, for every customer so that the gain is most within a budget.

    Parameters
    ----------
    options : DiscountOptions
        From :func:`discount_options` or :func:`read_discount_options`.
    budget : float
        What discounts may cost, currency, at least 0.
    method : {"greedy", "exact"}
        As in :func:`keycustomer.relationships.select_levels`: greedy takes milliseconds and tells
        how far it may be off; exact asks a solver.

    Returns
    -------
    DiscountPlan
        Never below the floor, never above the budget (up to the rounding of sums), and no discount
        where none gains anything.

    Raises
    ------
    ValueError
        When the budget is no amount of at least 0.
    """
    money = _checked(budget)
    # what the floor forbids is offered as nothing at all
    nothing = np.zeros((len(options), 1))
    gain = np.hstack([nothing, np.where(options.allowed, options.gain, 0.0)])
    cost = np.hstack([nothing, np.where(options.allowed, options.cost, 0.0)])
    names = ["none", *(f"{depth:.4%}" for depth in options.depths)]
    found = select_levels(gain, cost, money, method=method, levels=names)
    codes = np.asarray(found.levels, dtype=np.int64)
    worth = _chosen(np.where(options.allowed, options.gain, 0.0), codes) > 0
    codes = np.where(worth, codes, 0)
    return DiscountPlan(options, codes, money, UPLIFT, found.bound, found.shadow_price)


def discount_plans(
    options: DiscountOptions, budget: float, *, method: str = "greedy"
) -> dict[str, DiscountPlan]:
    """Make the plans of all rules for the same budget.

    Parameters
    ----------
    options : DiscountOptions
        With risks, which the rule "most at risk first" goes by.
    budget : float
        What discounts may cost, currency.
    method : {"greedy", "exact"}
        As in :func:`allocate_discounts`.

    Returns
    -------
    dict of str to DiscountPlan
        "uplift x value"; "most at risk first, deepest": down the list of risks, each the deepest
        discount that the floor allows, while the money reaches; "one discount for all": the deepest
        the money reaches for, less where the floor demands it; "none".

    Raises
    ------
    ValueError
        When the budget is no amount of at least 0, or no risks are known.
    """
    money = _checked(budget)
    if np.isnan(options.risk).any():
        raise ValueError(
            "options.risk: not known for all customers, so that nobody can be put first; give "
            "risk= to read_discount_options"
        )
    return {
        UPLIFT: allocate_discounts(options, money, method=method),
        RISK: DiscountPlan(options, _most_at_risk(options, money), money, RISK),
        BLANKET: DiscountPlan(options, _for_all(options, money), money, BLANKET),
        NOBODY: DiscountPlan(options, np.zeros(len(options), np.int64), money, NOBODY),
    }


def _most_at_risk(options: DiscountOptions, budget: float) -> CodeArray:
    """Go down the list of risks with the deepest discounts; skip whom the rest is too small for."""
    codes = np.zeros(len(options), dtype=np.int64)
    deepest, left = options.deepest, budget
    cost = _chosen(options.cost, deepest)
    for row in np.argsort(-options.risk, kind="stable"):
        if deepest[row] and cost[row] <= left:
            codes[row] = deepest[row]
            left -= cost[row]
    return codes


def _for_all(options: DiscountOptions, budget: float) -> CodeArray:
    """Deepest common depth within the budget; who may not get it gets the deepest allowed."""
    for code in range(len(options.depths), 0, -1):
        codes = np.minimum(options.deepest, code)
        if options.totals(codes)[1] <= budget:
            return codes
    return np.zeros(len(options), dtype=np.int64)


def _chosen(matrix: FloatArray, codes: npt.NDArray[Any]) -> FloatArray:
    """Entry of each customer at its code, 0 at none."""
    rows = np.arange(len(codes))
    return np.where(codes > 0, matrix[rows, np.maximum(codes, 1) - 1], 0.0)


def _checked(budget: float) -> float:
    money = checked_budget(budget)
    if money < 0:
        raise ValueError(f"budget={budget!r}: an amount of at least 0 is needed; 0 is no discount")
    return money
