"""Windows of observed days, for what is estimated in one and checked in a later one."""

from __future__ import annotations

import datetime as dt

from keycustomer.customers.base import CustomerBase
from keycustomer.lifetime.arguments import Day, day_of


def observed_window(base: CustomerBase, start: Day = None, end: Day = None) -> dict[str, dt.date]:
    """First and last day of a window, inclusive; what is left out is that of the base.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    start, end : date or ISO string, optional
        First and last day.

    Raises
    ------
    ValueError
        When the base has no transactions, or `start` lies after `end`.
    """
    if not base.has("transactions"):
        raise ValueError(f"{base.title}: the base has no transactions table")
    first, last = day_of(start, "start") or base.start, day_of(end, "end") or base.end
    if first > last:
        raise ValueError(f"start {first} lies after end {last}")
    return {"start": first, "end": last}


def split_day(base: CustomerBase, split: Day) -> dt.date:
    """Last day of the first of two windows.

    Raises
    ------
    ValueError
        When it does not leave a day on both sides.
    """
    day = day_of(split, "split")
    if day is None or not base.start <= day < base.end:
        raise ValueError(
            f"split is the last day of the first window, from {base.start} to before {base.end}, "
            f"got {split!r}"
        )
    return day


def need_categories(base: CustomerBase) -> None:
    """Refuse a base that does not know the categories of its purchases.

    Raises
    ------
    ValueError
        When it has no transactions, or knows no products of its lines or no categories of its
        products.
    """
    if not base.has("transactions"):
        raise ValueError(f"{base.title}: the base has no transactions table")
    for table, column in (("transactions", "product_id"), ("products", "category")):
        if not base.has(table, column):
            raise ValueError(
                f"{base.title}: the base knows no {table}.{column}; map the column in the case file"
            )
