"""Purchases by customer and day, read once for all that looks at them over time.

Who bought on which day, and for how much?  :func:`read_log` reads it from a prepared base or from
a table of purchases, merges the purchases of one customer and day, and refuses what is no
purchase; :func:`observed_days` gives the days a table spans.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase, purchase_days
from keycustomer.lifetime.arguments import need_columns
from keycustomer.stats.samples import FloatArray

Columns: TypeAlias = tuple[str, str, str | None]
"""Columns of a table of purchases: customer, date, revenue (None where it has no amounts)."""

SHOWN = 3
"""Offending rows named in a message."""


class PurchaseLog(NamedTuple):
    """Purchase days by customer and day: who (codes), when (days since the first), how much."""

    ids: pd.Index
    who: np.ndarray
    day: np.ndarray
    amount: FloatArray


def read_log(
    purchases: CustomerBase | pd.DataFrame, start: dt.date, end: dt.date, names: Columns
) -> PurchaseLog:
    """Read the purchases between two days.

    Parameters
    ----------
    purchases : CustomerBase or DataFrame
        A prepared base, or one row a purchase (`keycustomer.customers.purchase_days`).
    start, end : datetime.date
        First and last day, inclusive.
    names : (str, str, str or None)
        Columns of a table: customer, date, revenue.

    Returns
    -------
    PurchaseLog
        One entry a customer and day, by customer and day.

    Raises
    ------
    TypeError, ValueError
        With every complaint about the table.
    """
    if isinstance(purchases, CustomerBase):
        table = purchase_days(purchases, start=start, end=end)
        return _log(table, ("customer_id", "date", "revenue"), start, end)
    _complain(purchases, names)
    return _log(purchases, names, start, end)


def observed_days(purchases: pd.DataFrame, names: Columns) -> tuple[dt.date, dt.date]:
    """First and last day of a table of purchases.

    Raises
    ------
    TypeError, ValueError
        With every complaint about the table.
    """
    _complain(purchases, names)
    days = purchases[names[1]]
    return days.min().date(), days.max().date()


def _complain(table: pd.DataFrame, names: Columns) -> None:
    """Raise one error with every complaint about the table."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            "purchases: a prepared base or a table (DataFrame) of purchases is needed, got "
            f"{type(table).__name__}"
        )
    cure = "" if names[2] in table.columns else "without amounts: revenue=None"
    need_columns(table, filter(None, names), "purchases", cure=cure)
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


def _log(table: pd.DataFrame, names: Columns, start: dt.date, end: dt.date) -> PurchaseLog:
    """Purchases within the window, one a customer and day, by customer and day."""
    customer_id, date, revenue = names
    local = table[date].dt.tz_localize(None)
    number = (local.dt.normalize() - pd.Timestamp(start)).dt.days.to_numpy()
    inside = (number >= 0) & (number <= (end - start).days)
    who, ids = pd.factorize(table[customer_id][inside], sort=True)
    amount = np.full(len(table), np.nan) if revenue is None else table[revenue].to_numpy(float)
    span = (end - start).days + 1
    keys, index = np.unique(who.astype(np.int64) * span + number[inside], return_inverse=True)
    sums = np.bincount(index, amount[inside], keys.size).astype(np.float64)
    return PurchaseLog(pd.Index(ids), keys // span, keys % span, sums)
