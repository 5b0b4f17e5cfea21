"""Purchases counted by opportunity: in how many of the periods it had did a customer buy.

Where customers buy when they are asked, or at most once in a while, what counts is in which
periods they bought, not on which days.  :func:`opportunity_table` counts calendar periods since
each customer's first purchase; the BG/BB model reads the table.

Source: Fader, Hardie & Shang (2010), Marketing Science 29, 1086-1108, who count by year.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase, purchase_days
from keycustomer.customers.table import Day
from keycustomer.lifetime.arguments import day_of, need_columns
from keycustomer.lifetime.discrete.powers import IntArray

PERIODS = ("day", "week", "month", "quarter", "year")
"""Calendar periods; weeks begin on Monday."""


def opportunity_table(
    purchases: CustomerBase | pd.DataFrame,
    every: str = "month",
    *,
    start: Day = None,
    end: Day = None,
) -> pd.DataFrame:
    """Count the opportunities that customers had and took.

    Parameters
    ----------
    purchases : CustomerBase or DataFrame
        A prepared base, or one row a customer and purchase day with customer_id, date and
        revenue, such as :func:`keycustomer.customers.purchase_days` gives.
    every : {"day", "week", "month", "quarter", "year"}
        Calendar period that is one opportunity.
    start, end : date or ISO string, optional
        First and last day to count, inclusive; left out, all that was observed (for a table, its
        first and last day).  A last period that is not over by `end` is not counted.

    Returns
    -------
    DataFrame
        One row a customer, sorted by customer_id: frequency (periods with a purchase after the
        first), recency (the last of them, in periods since the first; 0 if none), opportunities
        (complete periods since the first), monetary_value (mean revenue of the repeat periods,
        currency).  All are NaN for customers whose first purchase lies in the incomplete period.

    Raises
    ------
    ValueError
        When `every` is none of the above, a column is missing, or no purchase is left.
    """
    return _table(*bought_periods(purchases, every, start=start, end=end))


def bought_periods(
    purchases: CustomerBase | pd.DataFrame,
    every: str = "month",
    *,
    start: Day = None,
    end: Day = None,
) -> tuple[pd.DataFrame, int]:
    """Find the calendar periods in which customers bought.

    Parameters
    ----------
    purchases, every, start, end
        As in :func:`opportunity_table`.

    Returns
    -------
    bought : DataFrame
        One row a customer and period with a purchase, sorted by both: customer_id, period (its
        number, counted without gaps), revenue.
    complete : int
        Number of the last period that is over by `end`; rows of a later one are there too.

    Raises
    ------
    ValueError
        When `every` is none of the above, a column is missing, or no purchase is left.
    """
    if every not in PERIODS:
        raise ValueError(f"every={every!r}: one of {', '.join(map(repr, PERIODS))} is needed")
    days, last_day = _days(purchases, start, end)
    complete = int(_period(np.array([last_day + np.timedelta64(1, "D")]), every)[0]) - 1
    bought = (
        days.assign(period=_period(days["date"].to_numpy(), every))
        .groupby(["customer_id", "period"], sort=True)["revenue"]
        .sum()
        .reset_index()
    )
    return bought, complete


def _table(bought: pd.DataFrame, complete: int) -> pd.DataFrame:
    """One row a customer from one row a customer and period, sorted by both."""
    first = bought.groupby("customer_id")["period"].transform("min")
    counted = bought[(bought["period"] > first) & (bought["period"] <= complete)]
    repeat = counted.groupby("customer_id").agg(
        frequency=("period", "size"), last=("period", "max"), revenue=("revenue", "sum")
    )
    table = bought.groupby("customer_id")["period"].min().rename("first").to_frame().join(repeat)
    frequency = table["frequency"].fillna(0)
    known = table["first"] <= complete
    counts = {
        "frequency": frequency,
        "recency": (table["last"] - table["first"]).fillna(0),
        "opportunities": complete - table["first"],
        "monetary_value": table["revenue"] / frequency.where(frequency > 0),
    }
    return pd.DataFrame(counts).astype(float).where(known).reset_index()


def _days(
    purchases: CustomerBase | pd.DataFrame, start: Day, end: Day
) -> tuple[pd.DataFrame, np.datetime64]:
    """Purchase days within the window, and its last day."""
    start, end = day_of(start, "start"), day_of(end, "end")
    if isinstance(purchases, CustomerBase):
        days = purchase_days(purchases, start=start, end=end)
    else:
        days = _within(purchases, start, end)
    if days.empty:
        raise ValueError(
            f"purchases: nobody bought between {start or 'the first day'} and {end or 'the last'}"
        )
    observed = purchases.end if isinstance(purchases, CustomerBase) else days["date"].max()
    return days, np.datetime64(pd.Timestamp(end or observed).date(), "D")


def _within(table: pd.DataFrame, start: Day, end: Day) -> pd.DataFrame:
    need_columns(table, ("customer_id", "date", "revenue"), "purchases")
    dates = pd.to_datetime(table["date"])
    inside = dates.notna()
    if start is not None:
        inside &= dates >= pd.Timestamp(start)
    if end is not None:
        inside &= dates <= pd.Timestamp(end)
    return table.assign(date=dates)[inside]


def _period(dates: np.ndarray, every: str) -> IntArray:
    """Give the number of the calendar period of each day."""
    if every in ("day", "week"):
        day = dates.astype("datetime64[D]").astype(np.int64)
        return day if every == "day" else (day + 3) // 7  # day 0, 1970-01-01, was a Thursday
    month = dates.astype("datetime64[M]").astype(np.int64)
    return month // {"month": 1, "quarter": 3, "year": 12}[every]
