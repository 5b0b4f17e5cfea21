"""The budget curve: what every budget brings, and what one more unit of it is worth.

How much money are relationships worth?  The steps of all hulls in order of efficiency are the best
plans of all budgets at once: :func:`budget_curve` lists value, shadow price and levels along them.
The shadow price falls as the budget grows; where it falls below 1 a unit of money brings less than
itself, so that is the budget of most value less cost (`best_budget`).
:func:`budget_sensitivity` tells what a little more or less money changes in a plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.selection.alternatives import (
    Alternatives,
    checked_budget,
    read_alternatives,
)
from keycustomer.relationships.selection.hull import HullSteps, hull_steps
from keycustomer.relationships.selection.level_selection import select_levels
from keycustomer.stats.samples import FloatArray

POINTS = 400
"""Points kept of the curve."""

CHANGES = (-0.5, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5)
"""Changes of the budget that are looked at."""


@dataclass(frozen=True, eq=False)
class BudgetCurve:
    """The best plans of all budgets.

    Attributes
    ----------
    frame : DataFrame
        A row a point, the cheapest plan first: budget, value, gain (over the zero level for
        everybody), gain_share (of the most there is to gain), shadow_price (value the next unit of
        money buys), and the number of customers at each level.
    best_budget : float
        Budget of most value less cost, where the shadow price falls below 1.
    spent, value, efficiency : ndarray, shape (steps + 1,), (steps + 1,), (steps,)
        The whole curve: money and value after each step, and the step's value per unit of money.
    alternatives : Alternatives
        What is chosen from.
    """

    frame: pd.DataFrame = field(repr=False)
    best_budget: float
    spent: FloatArray = field(repr=False)
    value: FloatArray = field(repr=False)
    efficiency: FloatArray = field(repr=False)
    alternatives: Alternatives = field(repr=False)

    def bound(self, budget: float | FloatArray) -> FloatArray:
        """Value that no plan of a budget exceeds, currency; NaN below the cheapest plan."""
        return np.asarray(np.interp(budget, self.spent, self.value, left=np.nan))

    def shadow_price(self, budget: float | FloatArray) -> FloatArray:
        """Value that one more unit of money buys at a budget; 0 at the end of the curve."""
        place = np.searchsorted(self.spent, budget, side="right") - 1
        prices = np.append(self.efficiency, 0.0)[np.maximum(place, 0)]
        return np.where(place < 0, np.nan, prices)

    def to_frame(self) -> pd.DataFrame:
        """One row a point, a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"{len(self.alternatives):,} customers: the cheapest plan costs {self.spent[0]:,.2f}, "
            f"above {self.spent[-1]:,.2f} nothing more is gained. Up to {self.best_budget:,.2f} a "
            "unit of money brings more than itself."
        )
        shown = self.frame.iloc[np.linspace(0, len(self.frame) - 1, 11).round().astype(int)]
        return sentence_html(said, shown.drop_duplicates())


def budget_curve(value: Any, cost: Any = None, *, points: int = POINTS) -> BudgetCurve:
    """List what every budget brings, in one pass.

    Parameters
    ----------
    value, cost
        As in :func:`select_levels`.
    points : int
        Points kept in the frame; the curve itself is whole.
    """
    if points < 2:
        raise ValueError(f"points={points!r}: at least 2 are needed, the first and the last")
    alternatives = read_alternatives(value, cost)
    steps = hull_steps(alternatives)
    start_value, start_cost = alternatives.totals(steps.start)
    spent = start_cost + np.concatenate([[0.0], np.cumsum(steps.cost)])
    gained = start_value + np.concatenate([[0.0], np.cumsum(steps.value)])
    kept = _kept(spent, points)
    last = float(gained[-1]) - alternatives.zero_value
    gain = gained[kept] - alternatives.zero_value
    frame = pd.DataFrame(
        {
            "budget": spent[kept],
            "value": gained[kept],
            "gain": gain,
            "gain_share": gain / last if last > 0 else np.nan,
            "shadow_price": np.append(steps.efficiency, 0.0)[kept],
        }
        | _customers_by_level(alternatives, steps, kept)
    )
    paying = int((steps.efficiency >= 1).sum())
    return BudgetCurve(frame, float(spent[paying]), spent, gained, steps.efficiency, alternatives)


def _kept(spent: FloatArray, points: int) -> Any:
    """Places of points at even distances of money, the first and last among them."""
    amounts = np.linspace(spent[0], spent[-1], points)
    return np.unique(np.minimum(np.searchsorted(spent, amounts), len(spent) - 1))


def _customers_by_level(
    alternatives: Alternatives, steps: HullSteps, kept: Any
) -> dict[str, FloatArray]:
    """Count the customers at each level, at the points kept."""
    at_start = np.bincount(steps.start, minlength=len(alternatives.levels))
    counts = {}
    for code, level in enumerate(alternatives.levels):
        change = (steps.level == code).astype(np.int64) - (steps.origin == code)
        counts[level] = at_start[code] + np.concatenate([[0], np.cumsum(change)])[kept]
    return counts


def budget_sensitivity(
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    changes: Sequence[float] = CHANGES,
) -> pd.DataFrame:
    """Tell what more or less money changes.

    Parameters
    ----------
    value, cost, budget
        As in :func:`select_levels`.
    changes : sequence of float
        Changes of what is spent above the zero level, as shares: 0.1 is a tenth more.

    Returns
    -------
    DataFrame
        A row a change: change, budget, value, gain, gain_change (against no change, currency),
        shadow_price, higher and lower (customers whose level is higher or lower than without
        change).
    """
    alternatives, money = read_alternatives(value, cost), checked_budget(budget)
    base = select_levels(alternatives, budget=money)
    zero = alternatives.zero_cost
    rows = []
    for change in changes:
        changed = max(zero + (money - zero) * (1 + change), float(alternatives.cost.min(1).sum()))
        plan = select_levels(alternatives, budget=changed)
        rows.append(
            {
                "change": change,
                "budget": changed,
                "value": plan.value,
                "gain": plan.gain,
                "gain_change": plan.gain - base.gain,
                "shadow_price": plan.shadow_price,
                "higher": int((plan.levels > base.levels).sum()),
                "lower": int((plan.levels < base.levels).sum()),
            }
        )
    return pd.DataFrame(rows)
