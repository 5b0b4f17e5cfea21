"""One level for every segment: plans where those for single customers are not practical.

What does it cost to treat all customers of a segment alike?  Value and cost of a level add up over
a segment's customers; one level is chosen for each segment, exactly, since there are few of them:
:func:`select_by_segment`.  Beside it stands the plan for single customers under the same budget, so
that what sameness loses is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.selection.alternatives import (
    Alternatives,
    checked_budget,
    named,
    per_customer,
    read_alternatives,
)
from keycustomer.relationships.selection.level_selection import Selection, select_levels
from keycustomer.relationships.selection.plans import LevelPlan


@dataclass(frozen=True, eq=False)
class SegmentSelection:
    """One level for every segment, beside the plan for single customers.

    Attributes
    ----------
    plan : LevelPlan
        The plan by customer.
    segments : Selection
        The plan by segment, with its bound and shadow price.
    single : Selection
        The plan for single customers under the same budget.
    frame : DataFrame
        A row a segment: segment, customers, level, value, cost, gain (over the zero level), and
        single_gain, what the plan for single customers gains in it (currency).
    """

    plan: LevelPlan
    segments: Selection
    single: Selection
    frame: pd.DataFrame = field(repr=False)

    @property
    def kept_gain(self) -> float:
        """Gain as a share of what the plan for single customers gains; NaN where that is none."""
        return self.plan.gain / self.single.gain if self.single.gain > 0 else float("nan")

    def codes(self) -> pd.Series:
        """Code of the level, by customer_id."""
        return self.plan.codes()

    def to_frame(self) -> pd.DataFrame:
        """One row a segment, a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"One level for each of {len(self.frame):,} segments gains {self.plan.gain:,.2f} for "
            f"{self.plan.cost:,.2f} of a budget of {self.plan.budget:,.2f}; a level for each of "
            f"{len(self.plan.levels):,} customers gains {self.single.gain:,.2f}."
        )
        return sentence_html(said, self.frame)


def select_by_segment(
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    segments: Any,
) -> SegmentSelection:
    """Choose one level for every segment so that value is most within a budget.

    Parameters
    ----------
    value, cost, budget
        As in :func:`select_levels`.
    segments : Series by customer, or array of shape (n,)
        Segment of each customer.

    Raises
    ------
    ValueError
        When customers have no segment, or the budget does not reach for the cheapest level of
        every segment.
    """
    alternatives, money = read_alternatives(value, cost), checked_budget(budget)
    given = pd.Series(per_customer(segments, alternatives, "segments"), dtype=object)
    if given.isna().any():
        without = alternatives.customers[given.isna().to_numpy()]
        raise ValueError(
            f"segments: {len(without):,} customers have none, first "
            f"{named(without)}; give them a segment of their own or leave "
            "them out"
        )
    group, names = pd.factorize(given)
    added = _added_up(alternatives, group, names)
    by_segment = select_levels(added, budget=money, method="exact")
    plan = LevelPlan(
        alternatives=alternatives,
        levels=by_segment.levels[group],
        budget=money,
        method="one level a segment",
    )
    single = select_levels(alternatives, budget=money)
    table = by_segment.to_frame().rename(columns={"customer_id": "segment"})
    table.insert(1, "customers", np.bincount(group, minlength=len(names)))
    table["single_gain"] = np.bincount(
        group, weights=single.to_frame()["gain"], minlength=len(names)
    )
    return SegmentSelection(plan, by_segment, single, table)


def _added_up(alternatives: Alternatives, group: Any, names: pd.Index) -> Alternatives:
    """Value and cost of every level for every segment."""
    value, cost = (np.zeros((len(names), len(alternatives.levels))) for _ in range(2))
    np.add.at(value, group, alternatives.value)
    np.add.at(cost, group, alternatives.cost)
    return Alternatives(value, cost, pd.Index(names, name="segment"), alternatives.levels)
