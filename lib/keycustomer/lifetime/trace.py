"""One customer, followed day by day.

When does a silence begin to speak?  The probability that a customer is alive falls while it is
silent and jumps when it buys.  How fast it falls depends on how often the customer used to buy:
two months of silence say much of a weekly buyer and little of a yearly one.
:func:`trace_customer` follows one customer from its first purchase; the result is a
:class:`CustomerTrace`.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.customers.table import Day
from keycustomer.lifetime.arguments import day_of, need_columns
from keycustomer.lifetime.transactions import TransactionModel

NAMED = 3
"""Customers named in a message as examples."""


@dataclass(frozen=True, eq=False)
class CustomerTrace:
    """A customer's history and what a model made of it, day by day.

    Attributes
    ----------
    customer_id : str
        The customer.
    model : str
        Name of the model.
    purchases : DatetimeIndex
        Days with a purchase, the first one included.
    frame : DataFrame
        One row a day from the first purchase: date, frequency, recency and T (days), and
        probability_alive (share) at the end of the day.
    """

    customer_id: str
    model: str
    purchases: pd.DatetimeIndex
    frame: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """One row a day: date, frequency, recency, T (days), probability_alive."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        last = self.frame.iloc[-1]
        said = (
            f"Customer {self.customer_id}: {len(self.purchases)} purchase days, "
            f"{self.purchases[0]:%Y-%m-%d} to {self.purchases[-1]:%Y-%m-%d}; alive on "
            f"{last['date']:%Y-%m-%d} with probability {last['probability_alive']:.3f} "
            f"({self.model})"
        )
        return f"<p>{html.escape(said)}</p>"


def trace_customer(
    model: TransactionModel, purchases: pd.DataFrame, customer_id: str, *, until: Day = None
) -> CustomerTrace:
    """Follow one customer's probability of being alive from its first purchase on.

    Parameters
    ----------
    model : TransactionModel
        A fitted model, such as :func:`fit_bgnbd` gives.
    purchases : DataFrame
        Purchase days with customer_id and date, such as
        :func:`keycustomer.customers.purchase_days` gives.
    customer_id : str
        The customer to follow.
    until : date or ISO string, optional
        Last day; left out, the last day on which anybody in `purchases` bought.

    Returns
    -------
    CustomerTrace

    Raises
    ------
    ValueError
        When a column is missing, the customer has no purchase, or its first lies after `until`.
    """
    dates = _dates(purchases, customer_id)
    end = pd.Timestamp(day_of(until, "until") or purchases["date"].max()).normalize()
    if dates[0] > end:
        raise ValueError(
            f"until={end:%Y-%m-%d}: customer {customer_id!r} first bought on {dates[0]:%Y-%m-%d}"
        )
    dates = dates[dates <= end]
    ages = np.arange((end - dates[0]).days + 1)
    bought = (dates - dates[0]).days.to_numpy()
    frequency = np.searchsorted(bought, ages, side="right") - 1
    frame = pd.DataFrame(
        {
            "date": dates[0] + pd.to_timedelta(ages, unit="D"),
            "frequency": frequency,
            "recency": bought[frequency].astype(float),
            "T": ages.astype(float),
        }
    )
    frame["probability_alive"] = model.probability_alive(frame)
    return CustomerTrace(str(customer_id), model.model, dates, frame)


def _dates(purchases: pd.DataFrame, customer_id: str) -> pd.DatetimeIndex:
    """Days on which the customer bought, rising."""
    need_columns(purchases, ("customer_id", "date"), "purchases")
    own = purchases.loc[purchases["customer_id"] == customer_id, "date"].dropna()
    if own.empty:
        known = ", ".join(map(repr, purchases["customer_id"].unique()[:NAMED].tolist()))
        raise ValueError(
            f"customer_id={customer_id!r} has no purchase; customers of the table are, for "
            f"example, {known or 'none'}"
        )
    return pd.DatetimeIndex(np.sort(pd.to_datetime(own).dt.normalize().unique()))
