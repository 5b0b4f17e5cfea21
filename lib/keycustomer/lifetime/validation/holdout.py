"""Calibration and holdout: what was known on a day, and what came after it.

Would a model fitted then have foretold what happened since?  :func:`split_holdout` cuts the
purchases at a day: the customers known by then with their histories (what a model is fitted on),
and what each of them bought afterwards (what it is judged by).  Customers won later are left out
and counted: nobody could have foretold anything of them.

Source: Fader, Hardie & Lee (2005), Marketing Science 24, section 4, for the design.
"""

from __future__ import annotations

import datetime as dt
import html
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase
from keycustomer.customers.table import Day
from keycustomer.lifetime.arguments import day_of
from keycustomer.lifetime.purchase_log import PurchaseLog, observed_days, read_log
from keycustomer.lifetime.units import days_in
from keycustomer.stats import share_of
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class HoldoutSplit:
    """Customers known on a day, and what they bought after it.

    Attributes
    ----------
    calibration : DataFrame
        The customer table of the calibration period, one row a customer by customer_id:
        customer_id, frequency, recency, T (days, as in `keycustomer.customers.customer_table`),
        monetary_value (mean revenue of repeat purchase days), revenue (of purchases), first_order,
        last_order.  Fit models on it.
    purchases : ndarray, shape (customers,)
        Purchase days of each customer in the holdout period.
    revenue : ndarray, shape (customers,)
        Its revenue in the holdout period, currency; NaN where revenue is not known.
    daily : DataFrame
        One row a day from `start` to `end`: date, won (customers with their first purchase) and
        repeats (repeat purchases of the customers above).
    start, split, end : datetime.date
        First day observed, last day of the calibration period, last day of the holdout period.
    won_later : int
        Customers left out because they first bought after `split`.
    """

    calibration: pd.DataFrame = field(repr=False)
    purchases: FloatArray = field(repr=False)
    revenue: FloatArray = field(repr=False)
    daily: pd.DataFrame = field(repr=False)
    start: dt.date
    split: dt.date
    end: dt.date
    won_later: int

    @property
    def customers(self) -> int:
        """Number of customers known on the day of the split."""
        return len(self.calibration)

    @property
    def calibration_days(self) -> int:
        """Length of the calibration period."""
        return (self.split - self.start).days + 1

    @property
    def holdout_days(self) -> int:
        """Length of the holdout period."""
        return (self.end - self.split).days

    def horizon(self, unit: str = "week") -> float:
        """Length of the holdout period in a unit of time, for `expected_purchases`."""
        return self.holdout_days / days_in(unit)

    def to_frame(self) -> pd.DataFrame:
        """Return the calibration table with holdout_purchases and holdout_revenue beside it."""
        return self.calibration.assign(
            holdout_purchases=self.purchases, holdout_revenue=self.revenue
        )

    def _repr_html_(self) -> str:
        bought = float((self.purchases > 0).mean())
        told = (
            f"Calibration {self.start} to {self.split} ({self.calibration_days} days), holdout to "
            f"{self.end} ({self.holdout_days} days). {self.customers:,} customers known by "
            f"{self.split}; {bought:.1%} of them bought again, on {self.purchases.sum():,.0f} "
            f"purchase days. {self.won_later:,} customers won later are left out."
        )
        table = self.to_frame().head(10).to_html(index=False, escape=True)
        return f"<p>{html.escape(told)}</p>{table}"


class _Window(NamedTuple):
    start: dt.date
    split: dt.date
    end: dt.date


def calibration_end(base: CustomerBase, share: float) -> dt.date:
    """Last day of the first part of the days a base was observed.

    Parameters
    ----------
    base : CustomerBase
        A prepared base.
    share : float
        Length of the calibration period as a share of all days, between 0 and 1.

    Raises
    ------
    ValueError
        When the share leaves no day on one side.
    """
    days = round(share_of(share, "share") * base.days)
    if not 0 < days < base.days:
        raise ValueError(
            f"share={share!r} of {base.days:,} days observed leaves no day for "
            f"{'calibration' if days == 0 else 'the holdout'}; 0.5 cuts in the middle"
        )
    return base.start + dt.timedelta(days=days - 1)


def split_holdout(
    purchases: CustomerBase | pd.DataFrame,
    split: Day,
    *,
    start: Day = None,
    end: Day = None,
    customer_id: str = "customer_id",
    date: str = "date",
    revenue: str | None = "revenue",
) -> HoldoutSplit:
    """Cut purchases at a day into what was known then and what came after.

    Parameters
    ----------
    purchases : CustomerBase or DataFrame
        A prepared base, or one row a purchase (`keycustomer.customers.purchase_days`); purchases
        of one customer and day are merged.
    split : date or ISO string
        Last day of the calibration period.
    start, end : date or ISO string, optional
        First and last day to count, inclusive; left out, all that was observed, for a table from
        its first purchase to its last.
    customer_id, date, revenue : str
        Columns of the table; ``revenue=None`` when it has no amounts.

    Returns
    -------
    HoldoutSplit
        Customers with a purchase from `start` to `split`, by customer_id.

    Raises
    ------
    ValueError
        With every complaint about the table; when the days make no sense, or nobody bought by
        `split`.

    Notes
    -----
    A customer who had bought before `start` counts as won at its first purchase since.
    """
    if isinstance(purchases, CustomerBase):
        observed = purchases.start, purchases.end
    else:
        observed = observed_days(purchases, (customer_id, date, revenue))
    window = _window(*observed, (start, split, end))
    log = read_log(purchases, window.start, window.end, (customer_id, date, revenue))
    return _split(log, window)


def _window(first: dt.date, last: dt.date, days: tuple[Day, Day, Day]) -> _Window:
    """Days of the split, or what is wrong with them."""
    start, split, end = (
        day_of(day, name) for day, name in zip(days, ("start", "split", "end"), strict=True)
    )
    observed = f"observed: {first} to {last}"
    start, end = start or first, end or last
    if split is None:
        raise ValueError(f"split: the last day of the calibration period is needed; {observed}")
    if not start <= split < end:
        raise ValueError(
            f"split={str(split)!r}: a day from {start} on and before {end} is needed, so that both "
            f"periods have at least one day; {observed}"
        )
    return _Window(start, split, end)


def _split(log: PurchaseLog, window: _Window) -> HoldoutSplit:
    border = (window.split - window.start).days
    known = log.day <= border
    if not known.any():
        raise ValueError(
            f"nobody bought between {window.start} and {window.split}; split later, or look at "
            "start"
        )
    table, customers = _table(log, known, window)
    place = np.full(len(log.ids), -1)
    place[customers] = np.arange(customers.size)
    of_known = place[log.who]
    after = (of_known >= 0) & ~known
    counts, amounts = (
        np.bincount(of_known[after], values, customers.size).astype(np.float64)
        for values in (None, log.amount[after])
    )
    # unknown amounts must stay unknown for those who bought nothing
    unknown = np.isnan(log.amount).any()
    return HoldoutSplit(
        table,
        counts,
        np.full(customers.size, np.nan) if unknown else amounts,
        _daily(log, of_known >= 0, window),
        *window,
        won_later=len(log.ids) - customers.size,
    )


def _table(log: PurchaseLog, known: np.ndarray, window: _Window) -> tuple[pd.DataFrame, np.ndarray]:
    """Make the customer table of the calibration period; the customers' codes beside it."""
    who, day, amount = log.who[known], log.day[known], log.amount[known]
    starts = np.flatnonzero(np.r_[True, who[1:] != who[:-1]])
    frequency = np.diff(starts, append=who.size) - 1
    first, last = day[starts], day[starts + frequency]
    total = np.add.reduceat(amount, starts)
    again = np.where(frequency > 0, total - amount[starts], np.nan)
    origin = pd.Timestamp(window.start)
    frame = {
        "customer_id": log.ids[who[starts]],
        "frequency": frequency,
        "recency": (last - first).astype(np.float64),
        "T": ((window.split - window.start).days - first).astype(np.float64),
        "monetary_value": again / np.maximum(frequency, 1),
        "revenue": total,
        "first_order": origin + pd.to_timedelta(first, unit="D"),
        "last_order": origin + pd.to_timedelta(last, unit="D"),
    }
    return pd.DataFrame(frame), who[starts]


def _daily(log: PurchaseLog, of_known: np.ndarray, window: _Window) -> pd.DataFrame:
    """First and repeat purchases of the known customers by day."""
    who, day = log.who[of_known], log.day[of_known]
    first = np.r_[True, who[1:] != who[:-1]]
    dates = pd.date_range(window.start, window.end, freq="D")
    won, repeats = (np.bincount(day[rows], minlength=len(dates)) for rows in (first, ~first))
    return pd.DataFrame({"date": dates, "won": won, "repeats": repeats})
