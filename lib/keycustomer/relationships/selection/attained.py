"""What plans attain: their gain as a share of what the best plan gains under the same budget.

How much better is weighing value against cost than a rule?  :func:`attainable_gain_share` is what a
plan gains over the zero level for everybody, as a share of what the best plan gains;
:func:`compare_plans` lists it for several plans, :func:`compare_over_budgets` for ways to plan over
several budgets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.selection.alternatives import (
    CodeArray,
    checked_budget,
    read_alternatives,
    read_codes,
    slack,
)
from keycustomer.relationships.selection.capacities import Capacities
from keycustomer.relationships.selection.level_selection import Selection, select_levels


def attainable_gain_share(
    plan: Any,
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    best: Selection | None = None,
) -> float:
    """Tell what share of the attainable gain a plan has.

    Parameters
    ----------
    plan : LevelPlan, Series by customer or array of shape (n,)
        Levels, as codes or names.
    value, cost, budget
        As in :func:`select_levels`: what the plan is judged by, such as the truth.
    best : Selection, optional
        The best plan for these values and this budget; left out, it is looked for.

    Returns
    -------
    float
        Gain of the plan over the zero level for everybody, divided by that of the best plan; NaN
        where nothing is to be gained.  Above 1 for a plan that costs more than the budget.
    """
    alternatives, money = read_alternatives(value, cost), checked_budget(budget)
    attainable = select_levels(alternatives, budget=money) if best is None else best
    gain = alternatives.totals(read_codes(plan, alternatives, "plan"))[0] - alternatives.zero_value
    return gain / attainable.gain if attainable.gain > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class ComparedPlans:
    """Plans under the same budget.

    Attributes
    ----------
    frame : DataFrame
        A row a plan, the best one first: plan, value, cost, gain (over the zero level for
        everybody, currency), attainable_gain_share, within_budget, and the number of customers
        at each level.
    best : Selection
        The best plan, with its bound.
    """

    frame: pd.DataFrame = field(repr=False)
    best: Selection

    def to_frame(self) -> pd.DataFrame:
        """One row a plan, a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"Plans for {len(self.best.levels):,} customers under a budget of "
            f"{self.best.budget:,.2f}; the best one is within {self.best.gap:.1e} of the bound."
        )
        return sentence_html(said, self.frame, numbers=",.3f")


def compare_plans(
    plans: Mapping[str, Any],
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    capacities: Capacities | None = None,
    method: str = "greedy",
) -> ComparedPlans:
    """Compare plans with the best one under the same budget.

    Parameters
    ----------
    plans : mapping of name to LevelPlan, Series by customer or array of shape (n,)
        Levels, as codes or names.
    value, cost, budget, capacities, method
        As in :func:`select_levels`: what the plans are judged by, and how the best one is found.
    """
    alternatives, money = read_alternatives(value, cost), checked_budget(budget)
    best = select_levels(alternatives, budget=money, capacities=capacities, method=method)
    rows = [_row("best plan", best.levels, best)]
    for name, plan in plans.items():
        rows.append(_row(str(name), read_codes(plan, alternatives, f"plans[{name!r}]"), best))
    return ComparedPlans(pd.DataFrame(rows), best)


def compare_over_budgets(
    plans: Mapping[str, Callable[[float], Any]],
    value: Any,
    cost: Any = None,
    budgets: Sequence[float] = (),
) -> pd.DataFrame:
    """Compare ways to plan over several budgets.

    Parameters
    ----------
    plans : mapping of name to callable
        Each takes a budget and gives a plan, such as
        ``lambda budget: plan_uniform(value, cost, budget)``.
    value, cost
        As in :func:`select_levels`.
    budgets : sequence of float
        Amounts, in the unit of cost.

    Returns
    -------
    DataFrame
        A row a budget and plan, the best one among them: budget, and the columns of
        `ComparedPlans.frame`.
    """
    alternatives = read_alternatives(value, cost)
    tables = []
    for budget in budgets:
        made = {name: plan(float(budget)) for name, plan in plans.items()}
        table = compare_plans(made, alternatives, budget=float(budget)).frame
        table.insert(0, "budget", float(budget))
        tables.append(table)
    if not tables:
        raise ValueError("budgets is empty: give at least one amount")
    return pd.concat(tables, ignore_index=True)


def _row(name: str, codes: CodeArray, best: Selection) -> dict[str, Any]:
    alternatives = best.alternatives
    value, cost = alternatives.totals(codes)
    gain = value - alternatives.zero_value
    counts = np.bincount(codes, minlength=len(alternatives.levels))
    return {
        "plan": name,
        "value": value,
        "cost": cost,
        "gain": gain,
        "attainable_gain_share": gain / best.gain if best.gain > 0 else float("nan"),
        "within_budget": cost <= best.budget + slack(best.budget, alternatives.cost),
    } | dict(zip(alternatives.levels, counts.tolist(), strict=True))
