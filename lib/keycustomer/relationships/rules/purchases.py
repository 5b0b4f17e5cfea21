"""What customers bought, cut by calendar periods that can be put together anew.

Which periods of a window does a judgement rest on?  :class:`Purchases` holds the purchase days of
a base with the number of their period; any choice of periods (a half of the window, every second
month) gets a clock of its own in which the chosen periods follow each other without the rest, so
that a rhythm can be told from half of the data alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers import CustomerBase, purchase_days
from keycustomer.dimensions.behaviour.windows import observed_window
from keycustomer.lifetime.arguments import Day

PERIODS = {"week": "W-SUN", "month": "M", "quarter": "Q-DEC", "year": "Y-DEC"}
"""Kinds of calendar period, weeks from Monday."""

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Purchases:
    """Purchases of a window, by customer, day and calendar period.

    Attributes
    ----------
    days : DataFrame
        One row a customer and day with a purchase in the window: customer (position in `ids`),
        day (days since the window's start), period (0 = the first), revenue (currency); sorted by
        customer and day.
    categories : DataFrame or None
        One row a customer, period and category (or product) bought; None where not known.
    ids : ndarray of str
        Customers who bought in the window, sorted.
    first : ndarray of int
        Period of each customer's first purchase, negative where it lies before the window.
    ends : ndarray of int
        Day on which each period ends, not included, counted from the window's start.
    start, end : date
        First and last day.
    every : str
        Kind of period.
    """

    days: pd.DataFrame = field(repr=False)
    categories: pd.DataFrame | None = field(repr=False)
    ids: npt.NDArray[np.object_] = field(repr=False)
    first: IntArray = field(repr=False)
    ends: IntArray = field(repr=False)
    start: dt.date
    end: dt.date
    every: str

    @property
    def periods(self) -> int:
        """Number of periods in the window."""
        return len(self.ends)

    def length(self, chosen: IntArray) -> int:
        """Days in the chosen periods."""
        return int(np.diff(self.ends, prepend=0)[chosen].sum())

    def within(self, chosen: IntArray) -> pd.DataFrame:
        """Purchase days in the chosen periods, with `clock`: the days of these periods before."""
        lengths = np.diff(self.ends, prepend=0)
        starts = self.ends - lengths
        offset = np.full(self.periods, -1)
        offset[chosen] = np.cumsum(lengths[chosen]) - lengths[chosen]
        period = self.days["period"].to_numpy()
        inside = offset[period] >= 0
        own = self.days[inside]
        clock = own["day"].to_numpy() - starts[period[inside]] + offset[period[inside]]
        return own.assign(clock=clock)

    def kinds_bought(self, chosen: IntArray) -> npt.NDArray[np.float64] | None:
        """Categories that each customer bought in the chosen periods; None where not known."""
        if self.categories is None:
            return None
        own = self.categories[self.categories["period"].isin(chosen)]
        pairs = own[["customer", "category"]].drop_duplicates()
        return np.bincount(pairs["customer"], minlength=len(self.ids)).astype(float)

    def exposed(self, chosen: IntArray) -> IntArray:
        """Chosen periods from each customer's first purchase on."""
        return len(chosen) - np.searchsorted(chosen, self.first)


def read_purchases(
    base: CustomerBase, *, every: str = "month", start: Day = None, end: Day = None
) -> Purchases:
    """Read the purchases of a window.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with transactions.
    every : {"week", "month", "quarter", "year"}
        Kind of calendar period.
    start, end : date or ISO string, optional
        First and last day, inclusive; default: all that was observed.

    Raises
    ------
    ValueError
        When the base has no transactions, nobody bought in the window, or `every` is unknown.
    """
    if every not in PERIODS:
        raise ValueError(f"every={every!r}: choose one of {', '.join(map(repr, PERIODS))}")
    window = observed_window(base, start, end)
    first_day, last_day = window["start"], window["end"]
    known = purchase_days(base, end=last_day)
    inside = known["date"] >= pd.Timestamp(first_day)
    if not inside.any():
        raise ValueError(f"{base.title}: nobody bought anything from {first_day} to {last_day}")
    own = known[inside]
    codes, ids = pd.factorize(own["customer_id"], sort=True)
    began = known.groupby("customer_id")["date"].min().reindex(ids)
    days = pd.DataFrame(
        {
            "customer": codes,
            "day": (own["date"] - pd.Timestamp(first_day)).dt.days.to_numpy(),
            "period": _numbered(own["date"], first_day, every),
            "revenue": own["revenue"].to_numpy(float),
        }
    ).sort_values(["customer", "day"], ignore_index=True)
    return Purchases(
        days,
        _categories(base, first_day, last_day, every, ids),
        np.asarray(ids, dtype=object),
        _numbered(began, first_day, every),
        _ends(first_day, last_day, every),
        first_day,
        last_day,
        every,
    )


def _numbered(dates: pd.Series, start: dt.date, every: str) -> IntArray:
    """Calendar period of each date, 0 the one of the start."""
    first = pd.Timestamp(start).to_period(PERIODS[every]).ordinal
    periods = pd.DatetimeIndex(dates).to_period(PERIODS[every])
    return np.asarray(periods.asi8, dtype=np.int64) - first


def _ends(start: dt.date, end: dt.date, every: str) -> IntArray:
    """Day after each period, counted from the start; the last ends with the window."""
    calendar = pd.period_range(start, end, freq=PERIODS[every])
    after = (calendar.end_time.normalize() - pd.Timestamp(start)).days.to_numpy() + 1
    return np.minimum(after, (end - start).days + 1).astype(np.int64)


def _categories(
    base: CustomerBase, start: dt.date, end: dt.date, every: str, ids: Sequence[str] | pd.Index
) -> pd.DataFrame | None:
    """Categories bought by customer and period: of products where known, else the products."""
    if not base.has("transactions", "product_id"):
        return None
    by_category = base.has("products", "category")
    name = "p.category" if by_category else "t.product_id"
    joined = "join products p on p.product_id = t.product_id" if by_category else ""
    found = base.query(
        "select t.customer_id, date_trunc($unit, t.date) as day, "  # noqa: S608
        f"{name} as category from transactions t {joined} "
        f"where t.date between $start and $end and t.quantity > 0 and {name} is not null "
        "group by all",
        unit=every,
        start=start,
        end=end,
    )
    codes = pd.Index(ids).get_indexer(found["customer_id"])
    table = pd.DataFrame(
        {
            "customer": codes,
            "period": _numbered(found["day"], start, every),
            "category": pd.factorize(found["category"])[0],
        }
    )
    return table[codes >= 0]
