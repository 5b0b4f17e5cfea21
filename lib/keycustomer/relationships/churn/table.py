"""Rows of a churn model: what was known of a customer, and whether it left.

Which columns does a model of leaving read?  :func:`churn_features` makes them from customer
months; :func:`person_periods` expands a cross-section (one row a customer with its tenure) to one
row a period; `ChurnTable` is what both give and :func:`~keycustomer.relationships.fit_churn` takes.

A forecast may only read what is known when it is made.  With `lead=1` a row holds what was known at
the end of the month before the one in which the customer may leave; the state of its contract and
its tenure are known ahead.  With `lead=0` the month itself is read too, with the competitor's offer
and the trouble that made the customer go: better discrimination, too late to act.

Sources: Allison (1982), Sociological Methodology 13, for discrete-time models on person-periods.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from keycustomer.customers.rendering import report_html


@dataclass(frozen=True, eq=False)
class ChurnTable:
    """Rows of a churn model.

    Attributes
    ----------
    frame : DataFrame
        One row a customer and period, or a customer: `customer`, `time`, `event`, the features.
    upcoming : DataFrame
        The same columns, without `event`, of the customers who are there after the last period:
        what is known of them for the next one.
    features : tuple of str
        Columns a model may read.
    event, customer, time : str
        Columns: whether the customer left, who it is, when; `time` is "" for a cross-section.
    lead : int
        Periods between what is known and the period of leaving.
    excluded : DataFrame
        reason, rows: what was not used.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    upcoming: pd.DataFrame = field(repr=False)
    features: tuple[str, ...]
    event: str
    customer: str
    time: str
    lead: int = 0
    excluded: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    notes: tuple[str, ...] = ()

    def with_rows(self, frame: pd.DataFrame) -> ChurnTable:
        """Return the same table with other rows."""
        return ChurnTable(
            frame, self.upcoming, self.features, self.event, self.customer, self.time, self.lead,
            self.excluded, self.notes,
        )  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of the rows."""
        return self.frame.copy()

    def __repr__(self) -> str:
        """Say how many rows, customers and events there are."""
        return (
            f"ChurnTable({len(self.frame):,} rows, {self.frame[self.customer].nunique():,} "
            f"customers, {int(self.frame[self.event].sum()):,} left, {len(self.features)} features)"
        )

    def _repr_html_(self) -> str:
        rate = self.frame[self.event].mean()
        sentences = [
            f"{len(self.frame):,} rows of {self.frame[self.customer].nunique():,} customers; "
            f"{int(self.frame[self.event].sum()):,} left, {rate:.2%} of the rows.",
            f"Features: {', '.join(self.features)}.",
            *self.notes,
        ]
        return report_html("Rows of a churn model", sentences, {"Not used": self.excluded})
