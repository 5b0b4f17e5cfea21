"""A plan: one level for every customer, with what it brings and costs.

What does a plan give whom?  :class:`LevelPlan` holds the codes of the levels beside the
alternatives they were chosen from, and lists them by customer and by level.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.selection.alternatives import (
    ZERO,
    Alternatives,
    CodeArray,
    slack,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class LevelPlan:
    """A level for every customer.

    Attributes
    ----------
    alternatives : Alternatives
        What was chosen from.
    levels : ndarray of int, shape (n,)
        Code of the level of every customer.
    budget : float
        What the plan may cost, currency.
    method : str
        How it was chosen.
    notes : tuple of str
        What a reader must know.
    """

    alternatives: Alternatives = field(repr=False)
    levels: CodeArray = field(repr=False)
    budget: float
    method: str
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """Value of the whole plan, currency."""
        return self.alternatives.totals(self.levels)[0]

    @property
    def cost(self) -> float:
        """Cost of the whole plan, currency."""
        return self.alternatives.totals(self.levels)[1]

    @property
    def gain(self) -> float:
        """Value gained over the zero level for everybody, currency."""
        return self.value - self.alternatives.zero_value

    @property
    def within_budget(self) -> bool:
        """Whether the plan costs no more than the budget, up to rounding."""
        return self.cost <= self.budget + slack(self.budget, self.alternatives.cost)

    def codes(self) -> pd.Series:
        """Code of the level, by customer_id."""
        return pd.Series(self.levels.astype(np.int64), self.alternatives.customers, name="level")

    def to_frame(self) -> pd.DataFrame:
        """List the customers with their level.

        Returns
        -------
        DataFrame
            A row a customer: customer_id, level (its name), value, cost, and gain, the value
            above the zero level's (currency).
        """
        value, cost = self.alternatives.chosen(self.levels)
        return pd.DataFrame(
            {
                "customer_id": self.alternatives.customers,
                "level": np.array(self.alternatives.levels)[self.levels],
                "value": value,
                "cost": cost,
                "gain": value - self.alternatives.value[:, ZERO],
            }
        )

    def level_shares(self) -> pd.DataFrame:
        """List the levels with what they take and bring.

        Returns
        -------
        DataFrame
            A row a level: level, customers, share (of customers), value, cost, gain (currency).
        """
        frame = self.to_frame()
        grouped = frame.groupby("level")[["value", "cost", "gain"]].sum()
        grouped.insert(0, "customers", frame["level"].value_counts())
        grouped = grouped.reindex(list(self.alternatives.levels)).fillna(0.0)
        grouped["customers"] = grouped["customers"].astype(int)
        grouped.insert(1, "share", grouped["customers"] / len(frame))
        return grouped.rename_axis("level").reset_index()

    def _said(self) -> str:
        """Give what stands above the table in a notebook."""
        return (
            f"{len(self.levels):,} customers, {self.method}: value {self.value:,.2f} for "
            f"{self.cost:,.2f} of a budget of {self.budget:,.2f}."
        )

    def _repr_html_(self) -> str:
        said = " ".join([self._said(), *self.notes])
        return sentence_html(said, self.level_shares())
