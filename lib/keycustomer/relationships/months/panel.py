"""Customers month by month: who was there, what was bought, how they were served, who left.

Question: what is known of each customer in each month, so that leaving and margin can be explained
by what came before?  Main names: :func:`customer_months`, `CustomerMonths`.

A customer is there in every month in which one of its contracts ran for at least a day.  It *left*
in the month in which its last contract ended, when none follows.  The columns of a month hold what
was known at its end, so that a model of leaving may use them all without looking ahead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import made_up_note, report_html
from keycustomer.relationships.months.from_base import months_of_base
from keycustomer.relationships.months.from_company import months_of_company

if TYPE_CHECKING:
    from keycustomer.simulate import Company


@dataclass(frozen=True, eq=False)
class CustomerMonths:
    """Customers by calendar month.

    Attributes
    ----------
    frame : DataFrame
        One row a customer and month, sorted by customer_id and month; see :func:`customer_months`.
    customers : DataFrame
        One row a customer of `frame`: customer_id, joined_on, manager, agent, then the attribute
        columns; one whose known values are all numbers, or all true or false, is typed so.
    start, end : date
        First and last day of the window.
    present : Index
        Ids of the customers who are still there after the last day.
    currency : str
        Unit of all amounts.
    simulated : bool
        Whether the data are made up.
    excluded : DataFrame
        reason, customers, rows: what the base has and no month holds.
    notes : tuple of str
        What the reader must know of this panel.
    """

    frame: pd.DataFrame
    customers: pd.DataFrame
    start: dt.date
    end: dt.date
    present: pd.Index
    currency: str
    simulated: bool
    excluded: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def months(self) -> int:
        """Number of calendar months of the window."""
        years = self.end.year - self.start.year
        return 12 * years + self.end.month - self.start.month + 1

    @property
    def churn(self) -> float:
        """Share of the customer-months at whose end the customer left."""
        return float(self.frame["left"].mean())

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def __repr__(self) -> str:
        """Say how many customers and months there are, and how many left."""
        told = "simulated: " if self.simulated else ""
        return (
            f"CustomerMonths({told}{len(self.customers):,} customers, {self.months} months, "
            f"{len(self.frame):,} rows, {int(self.frame['left'].sum()):,} left)"
        )

    def _repr_html_(self) -> str:
        sentences = [
            *made_up_note(self.simulated),
            f"{len(self.customers):,} customers, {self.start} to {self.end}, "
            f"{len(self.frame):,} customer-months, amounts in {self.currency}.",
            f"{int(self.frame['left'].sum()):,} left, {self.churn:.2%} of the customer-months; "
            f"{len(self.present):,} are there after the last day.",
            *self.notes,
        ]
        return report_html("Customers month by month", sentences, {"Left out": self.excluded})


def customer_months(
    source: CustomerBase | Company,
    *,
    contact_kinds: Sequence[str] = ("visit", "call"),
    complaint_kinds: Sequence[str] = ("complaint",),
) -> CustomerMonths:
    """Lay out a base, or a simulated company, by customer and calendar month.

    Parameters
    ----------
    source : CustomerBase or Company
        A prepared base with a contracts table, or a simulated company.
    contact_kinds, complaint_kinds : sequence of str
        Kinds of interactions that count as contacts and as complaints.

    Returns
    -------
    CustomerMonths
        Columns of `frame`: customer_id; month (first day); number (0 is the window's first month);
        tenure (years at the month's start, since the customer joined or its first contract began);
        left (its last month: the last contract ended by the window's end and none follows);
        contract_left (months until the term runs out, 1 in its last month, 0 without a term);
        price_plan, level (position in `LEVELS`, -1 unknown); revenue, margin (before cost to
        serve), list_revenue (currency), discount (share of list value, 0..1); products,
        categories (distinct this month); channel (that of most revenue); contacts and a count of
        every kind (blanks and hyphens written as _); complaints; resolved_first (of these, at the
        first contact); open_complaints (at the month's end); resolution_days (mean of those
        resolved this month); contact_cost (currency); last_year_margin, last_year_revenue (the
        twelve months before this one, scaled to a year where fewer are known).
        NaN where the base does not tell, and in last year's columns of a customer's first month.

    Raises
    ------
    TypeError
        When the source is neither, or kinds are not a sequence of texts.
    ValueError
        When the base has no contracts with days, a contract ends before it begins, none runs
        within the window, or a kind does not exist.

    Notes
    -----
    The level and plan of a month are those of the contract that began last.  The term is read from
    the price plan ("12 months", "two year"); one that names no length has no term.  A recorded end
    is not used for it: it is only known once the customer has left.
    """
    from keycustomer.simulate import Company

    kinds = (_texts(contact_kinds, "contact_kinds"), _texts(complaint_kinds, "complaint_kinds"))
    if isinstance(source, Company):
        return CustomerMonths(**months_of_company(source, *kinds))
    if isinstance(source, CustomerBase):
        return CustomerMonths(**months_of_base(source, *kinds))
    raise TypeError(
        f"source={type(source).__name__}: a prepared CustomerBase (customers.open_base) or a "
        "simulated Company (simulate.simulate_company) is needed"
    )


def _texts(kinds: Sequence[str], name: str) -> list[str]:
    if isinstance(kinds, str) or not all(isinstance(kind, str) for kind in kinds):
        raise TypeError(f"{name}={kinds!r}: a sequence of texts is needed, such as ('visit',)")
    return list(kinds)
