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
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase, purchase_days
from keycustomer.customers.table import Day
from keycustomer.lifetime.units import days_in
from keycustomer.stats.samples import FloatArray

SHOWN = 3
"""Offending rows named in a message."""


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


class _Log(NamedTuple):
    """Purchase days by customer and day: who (codes), when (days since the first), how much."""

    ids: pd.Index
    who: np.ndarray
    day: np.ndarray
    amount: FloatArray


class _Window(NamedTuple):
    start: dt.date
    split: dt.date
    end: dt.date


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
        First and last day to count, inclusive; default: all that was observed, for a table from
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
        window = _window(purchases.start, purchases.end, (start, split, end))
        table = purchase_days(purchases, start=window.start, end=window.end)
        names: tuple[str, str, str | None] = ("customer_id", "date", "revenue")
        return _split(_log(table, names, window), window)
    names = (customer_id, date, revenue)
    _complain(purchases, names)
    days = purchases[date].dt
    window = _window(days.date.min(), days.date.max(), (start, split, end))
    return _split(_log(purchases, names, window), window)


def _complain(table: pd.DataFrame, names: tuple[str, str, str | None]) -> None:
    """Raise one error with every complaint about the table."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            "purchases: a prepared base or a table (DataFrame) of purchases is needed, got "
            f"{type(table).__name__}"
        )
    missing = [name for name in names if name is not None and name not in table.columns]
    if missing:
        raise ValueError(
            f"purchases: column {', '.join(map(repr, missing))} is missing; columns found: "
            f"{', '.join(map(str, table.columns)) or 'none'}"
            + ("; without amounts: revenue=None" if names[2] in missing else "")
        )
    if table.empty:
        raise ValueError("purchases: the table has no rows")
    complaints = list(filter(None, _complaints(table, *names)))
    if complaints:
        raise ValueError("\n".join(complaints))


def _complaints(
    table: pd.DataFrame, customer_id: str, date: str, revenue: str | None
) -> list[str | None]:
    found = [_rows("is not known", table[customer_id], table[customer_id].isna())]
    if pd.api.types.is_datetime64_any_dtype(table[date]):
        found.append(_rows("is not known", table[date], table[date].isna()))
    else:
        found.append(
            f"purchases: {date!r} holds no dates; convert it first with pandas.to_datetime"
        )
    if revenue is None:
        return found
    if not pd.api.types.is_numeric_dtype(table[revenue]):
        cure = "convert it first with pandas.to_numeric"
        return [*found, f"purchases: {revenue!r} holds no numbers; {cure}"]
    amount = table[revenue].to_numpy(np.float64, na_value=np.nan)
    negative = "is negative, which is a return and no purchase,"
    return [
        *found,
        _rows("is not a finite number", table[revenue], ~np.isfinite(amount)),
        _rows(negative, table[revenue], np.isfinite(amount) & (amount < 0)),
    ]


def _rows(what: str, column: pd.Series, wrong: Any) -> str | None:
    places = np.flatnonzero(wrong)
    if not places.size:
        return None
    shown = ", ".join(f"row {column.index[n]!r}: {column.iloc[n]}" for n in places[:SHOWN])
    return (
        f"purchases: {column.name!r} {what} in {places.size:,} rows ({shown}); correct or drop them"
    )


def _window(first: dt.date, last: dt.date, days: tuple[Day, Day, Day]) -> _Window:
    """Days of the split, or what is wrong with them."""
    start, split, end = (
        _day(day, name) for day, name in zip(days, ("start", "split", "end"), strict=True)
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


def _day(value: Day, argument: str) -> dt.date | None:
    if value is None:
        return None
    try:
        day = pd.Timestamp(value)
    except (TypeError, ValueError):
        day = None
    if day is None or pd.isna(day):
        raise ValueError(f"{argument} is a day such as '2017-06-30', got {value!r}")
    return day.date()


def _log(table: pd.DataFrame, names: tuple[str, str, str | None], window: _Window) -> _Log:
    """Purchases within the window, one a customer and day, by customer and day."""
    customer_id, date, revenue = names
    local = table[date].dt.tz_localize(None)
    number = (local.dt.normalize() - pd.Timestamp(window.start)).dt.days.to_numpy()
    inside = (number >= 0) & (number <= (window.end - window.start).days)
    who, ids = pd.factorize(table[customer_id][inside], sort=True)
    amount = np.full(len(table), np.nan) if revenue is None else table[revenue].to_numpy(float)
    span = (window.end - window.start).days + 1
    keys, index = np.unique(who.astype(np.int64) * span + number[inside], return_inverse=True)
    sums = np.bincount(index, amount[inside], keys.size).astype(np.float64)
    return _Log(pd.Index(ids), keys // span, keys % span, sums)


def _split(log: _Log, window: _Window) -> HoldoutSplit:
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


def _table(log: _Log, known: np.ndarray, window: _Window) -> tuple[pd.DataFrame, np.ndarray]:
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


def _daily(log: _Log, of_known: np.ndarray, window: _Window) -> pd.DataFrame:
    """First and repeat purchases of the known customers by day."""
    who, day = log.who[of_known], log.day[of_known]
    first = np.r_[True, who[1:] != who[:-1]]
    dates = pd.date_range(window.start, window.end, freq="D")
    won, repeats = (np.bincount(day[rows], minlength=len(dates)) for rows in (first, ~first))
    return pd.DataFrame({"date": dates, "won": won, "repeats": repeats})
