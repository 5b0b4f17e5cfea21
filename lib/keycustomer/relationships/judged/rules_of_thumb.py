"""The plans a firm could make from what it knows, all with the same money.

Question: the estimates of what each level is worth are there; does weighing them against the cost
do better than the rules of thumb that need no estimates?  :func:`usual_plans` makes the plans that
the chapter compares from one result of :func:`keycustomer.relationships.level_values`:

- optimised: the multiple-choice knapsack on the estimates;
- optimised, shrunk: the same on estimates drawn towards their mean, as far as they are not known;
- by segment: one level for each segment, optimised;
- Kotler's table: by number of customers in a class and margin, with the cut-offs that make most of
  this money by the estimates, so that the table is not blamed for a budget it was not made for;
- largest first: the highest level to the largest customers until the money is gone;
- churn risk first: the same in order of the estimated chance to leave;
- uniform: one level for everybody, and what money is left by lot for the next one;
- today: the levels as they are.

:func:`planner` does so in any company, for :func:`judge_over_companies`.  Where the money does not
reach for what a rule asks, the customers it names first get theirs and the others the next lower
level that is paid for.

Source: Kotler, "Marketing Management", for the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.rules.kotler import kotler_levels
from keycustomer.relationships.selection.alternatives import (
    ZERO,
    CodeArray,
    checked_budget,
    per_customer,
    read_alternatives,
)
from keycustomer.relationships.selection.level_selection import select_levels
from keycustomer.relationships.selection.plans import LevelPlan
from keycustomer.relationships.selection.rivals import (
    plan_by_table,
    plan_churn_risk_first,
    plan_largest_first,
    plan_uniform,
)
from keycustomer.relationships.selection.segment_plans import select_by_segment
from keycustomer.relationships.selection.shrinkage import (
    ShrunkValues,
    shrink_values,
    uplift_errors,
)
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import finite_values

if TYPE_CHECKING:
    from keycustomer.relationships.effects.values_by_level import LevelValues

Planner = Callable[[CustomerMonths, float], Mapping[str, LevelPlan]]

STRICTNESS = np.linspace(-0.9, 0.9, 7)
"""Cut-offs of the table that are tried, from the most generous to the strictest; 0 are the usual
ones."""


def budget_like_today(values: LevelValues, share: float = 1.0) -> float:
    """Budget between nothing for anybody and what today's levels cost, by the estimates.

    Parameters
    ----------
    values : LevelValues
        From :func:`keycustomer.relationships.level_values`.
    share : float
        Of what today's levels cost beyond the zero level for everybody; 1 is the same money.

    Returns
    -------
    float
        Estimated cost over the horizon, currency.

    Raises
    ------
    ValueError
        When the share is negative or not finite, or today's level of a customer is not known.
    """
    if isinstance(share, bool) or not 0 <= share < np.inf:
        raise ValueError(f"share={share!r}: a finite share of at least 0 is needed, 1 is today")
    alternatives = read_alternatives(values)
    today = alternatives.totals(_present(values))[1]
    return alternatives.zero_cost + share * (today - alternatives.zero_cost)


def usual_plans(
    values: LevelValues,
    budget: float,
    *,
    segments: pd.Series | None = None,
    draws: int = 100,
    seed: Seed = 0,
) -> dict[str, LevelPlan]:
    """Make the plans that the chapter compares.

    Parameters
    ----------
    values : LevelValues
        From :func:`keycustomer.relationships.level_values`.
    budget : float
        Money for all customers over the horizon, in the estimates' currency, such as
        :func:`budget_like_today`.
    segments : Series, optional
        Segment by customer_id; left out, ten groups of equal number by margin.
    draws : int
        Draws of the estimates from which it is told how uncertain they are, for shrinking.
    seed : int or Generator
        Of the draws.

    Returns
    -------
    dict of str to LevelPlan
        Plans by name, each with the value and cost that the estimates promise of it.  "today" is
        the one that may cost more than the budget.

    Raises
    ------
    ValueError
        When the budget does not reach for the zero level of everybody, or today's levels are not
        known.
    """
    money = checked_budget(budget)
    alternatives = read_alternatives(values)
    margin = pd.Series(values.yearly_margin, alternatives.customers, name="margin")
    present = _present(values)
    risk = 1 - values.staying[np.arange(len(present)), present]
    shrunk = _shrunk(values, margin, draws, seed)
    groups = _tenths(margin) if segments is None else segments
    return {
        "optimised": select_levels(alternatives, budget=money),
        "optimised, shrunk": select_levels(shrunk, budget=money),
        "by segment": select_by_segment(alternatives, budget=money, segments=groups).plan,
        "Kotler's table": plan_by_best_table(alternatives, budget=money, margin=margin),
        "largest first": plan_largest_first(alternatives, budget=money, size=margin),
        "churn risk first": plan_churn_risk_first(alternatives, budget=money, risk=risk),
        "uniform": plan_uniform(alternatives, budget=money),
        "today": LevelPlan(
            alternatives=alternatives, levels=present, budget=money, method="as they are"
        ),
    }


def _shrunk(values: LevelValues, margin: pd.Series, draws: int, seed: Seed) -> ShrunkValues:
    """Draw uplifts towards what the customer's size and chance to stay predict.

    Uplifts grow with both, and so do their errors: drawn towards one mean, which those of small
    errors make, the large ones would be drawn too far.
    """
    errors = uplift_errors(values, values.draws(draws, seed), scale=margin)
    known = np.column_stack([np.log1p(np.maximum(margin, 0.0)), values.staying[:, ZERO]])
    return shrink_values(values, standard_error=errors, scale=margin, predictors=known)


def _tenths(margin: pd.Series) -> pd.Series:
    """Give numbers 0 to 9 by margin, to groups of equal number."""
    rank = margin.rank(method="first") - 1
    return (10 * rank // max(len(margin), 1)).astype(int)


def plan_by_best_table(
    value: Any, cost: Any = None, budget: float | None = None, *, margin: Any
) -> LevelPlan:
    """Give the levels of Kotler's table, with the cut-offs that make most of the money.

    The cells of the table stay as they are.  Strict cut-offs make the classes of the best few
    smaller and ask for higher margins, generous ones the contrary; of those tried the plan with the
    largest value is taken.  Where the money does not reach for all that a table asks, those of the
    highest margin come first.

    Parameters
    ----------
    value, cost, budget
        As in :func:`keycustomer.relationships.select_levels`.
    margin : Series by customer, or array of shape (n,)
        Margin that customers are ranked and classed by, currency a year.

    Raises
    ------
    ValueError
        When the budget does not reach for the zero level of everybody, or margins are not known.
    """
    alternatives, money = read_alternatives(value, cost), checked_budget(budget)
    own = finite_values(per_customer(margin, alternatives, "margin"), "margin")
    table = pd.DataFrame({"customer_id": alternatives.customers, "margin": own})
    asked = (_table_codes(table, strictness) for strictness in STRICTNESS)
    plans = [plan_by_table(alternatives, budget=money, codes=one, score=own) for one in asked]
    return max(plans, key=lambda plan: plan.value)


def _table_codes(table: pd.DataFrame, strictness: float) -> CodeArray:
    """Read the table with cut-offs moved from the usual ones, at 0, to nobody, at 1."""
    usual, shares = np.array([1, 2]) / 3, np.array([0.05, 0.15])
    if strictness >= 0:
        quantiles, shares = usual + strictness * (1 - usual), shares * (1 - strictness)
    else:
        # classes stay below a tenth and a half of the customers, few and medium to the table
        quantiles, shares = usual * (1 + strictness), shares - strictness * np.array([0.04, 0.25])
    low, high = np.quantile(table["margin"], quantiles).tolist()
    levels = kotler_levels(table, group_shares=tuple(shares), margin_cuts=(low, high))
    return levels.codes.reindex(table["customer_id"]).to_numpy()


def planner(
    level_costs: Sequence[float],
    *,
    horizon: int = 36,
    discount_rate: float = 0.1,
    **assumptions: Any,
) -> Planner:
    """Make a function that makes the usual plans from a firm's customer-months.

    Parameters
    ----------
    level_costs : sequence of 5 float
        Cost of each level, currency a customer and month, as the firm states it.
    horizon : int
        Months ahead.
    discount_rate : float
        Effective rate per year, a share.
    **assumptions
        Further arguments of :func:`keycustomer.relationships.level_values`.

    Returns
    -------
    callable
        Takes customer-months and a share of today's money (see :func:`budget_like_today`), gives
        :func:`usual_plans`: what :func:`judge_over_companies` asks for.
    """

    def make(months: CustomerMonths, share: float) -> Mapping[str, LevelPlan]:
        from keycustomer.relationships.effects.values_by_level import level_values

        values = level_values(
            months, level_costs, horizon=horizon, discount_rate=discount_rate, **assumptions
        )
        return usual_plans(values, budget_like_today(values, share))

    return make


def _present(values: LevelValues) -> Any:
    """Codes of today's levels, all of them known."""
    unknown = values.present_level < ZERO
    if unknown.any():
        raise ValueError(
            f"today's level is not known for {int(unknown.sum()):,} of {len(unknown):,} customers, "
            f"first {values.customers[unknown][0]!r}; give the budget as an amount, and plans "
            "without what is done today"
        )
    return values.present_level.astype(np.int8)
