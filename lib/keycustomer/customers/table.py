"""The customer table: one row a customer, computed in the engine from the order lines.

`customer_table` is what every later chapter works on; `customer_periods` cuts the same figures by
calendar period, `customer_categories` by product category; `purchase_days` gives the single days,
`customer_histories` counts customers with the same frequency, recency and T.

Frequency, recency, T and monetary value are those of Fader, Hardie & Lee (2005): repeat purchase
days, age at the last purchase, age at the end of observation, mean revenue of repeat purchase days.
"""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.statements import statement

Day = dt.date | str | None


def customer_table(
    base: CustomerBase,
    *,
    start: Day = None,
    end: Day = None,
    margin: float | None = None,
    cost_per_order: float | None = None,
) -> pd.DataFrame:
    """One row a customer, sorted by customer_id.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    start, end : date or ISO string, optional
        First and last day to count, inclusive; default: all that was observed.
    margin : float, optional
        Assumed gross margin as a share of list value, 0..1, for lines without a recorded cost;
        default: the case's assumption.
    cost_per_order : float, optional
        Assumed cost of handling one order, currency; default: the case's assumption.

    Returns
    -------
    DataFrame
        customer_id; frequency (repeat purchase days); recency, T (days); monetary_value (mean
        revenue of repeat purchase days, currency; NaN without any); orders; units; revenue (net of
        returns), discount, margin, cost_to_serve, profit (currency; NaN where neither recorded nor
        assumed); first_order, last_order; products (distinct); deal_share (share of purchase
        revenue on lines with a discount, 0..1); returns (value, currency); on_file (whether the
        customer stands in the customers table). Customers on file who never bought have zero
        orders and no dates.

    Raises
    ------
    ValueError
        When the base has no transactions, or the days, margin or cost make no sense.

    Notes
    -----
    Margin is revenue minus recorded cost; for lines without one, minus (1 - margin) x list value,
    so that a discount comes out of the margin. Profit is margin minus cost to serve (recorded
    contacts plus `cost_per_order` an order), or margin alone where nothing is known of that.
    """
    terms = _terms(base, start, end, margin, cost_per_order)
    table = base.query(statement("customer_table"), **terms)
    table["profit"] = table["margin"] - table["cost_to_serve"].fillna(0)
    for column in ("first_order", "last_order"):
        table[column] = pd.to_datetime(table[column])
    names = list(table.columns)
    names.insert(names.index("cost_to_serve") + 1, names.pop(names.index("profit")))
    return table[names]


def customer_periods(
    base: CustomerBase,
    every: str = "month",
    *,
    start: Day = None,
    end: Day = None,
    margin: float | None = None,
    cost_per_order: float | None = None,
) -> pd.DataFrame:
    """One row a customer and period in which it has order lines.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    every : str
        `week` (from Monday), `month`, `quarter`, `year`, or `N days` counted from `start`.
    start, end, margin, cost_per_order
        As in `customer_table`.

    Returns
    -------
    DataFrame
        customer_id, period (first day), orders, units, revenue, discount, margin, profit (currency
        per period), sorted by customer and period. A customer without lines in a period has no
        row, so the cost of its contacts in such a period is in none.

    Raises
    ------
    ValueError
        When `every` is none of the above, or the base has no transactions.
    """
    unit, width = _period(every)
    terms = _terms(base, start, end, margin, cost_per_order)
    table = base.query(statement("customer_periods"), unit=unit, width=width, **terms)
    table["period"] = pd.to_datetime(table["period"])
    return table


def customer_categories(base: CustomerBase, level: str = "category") -> pd.DataFrame:
    """One row a customer and product category (or product) bought.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    level : {"category", "product"}
        Categories come from the products table; products from the order lines.

    Returns
    -------
    DataFrame
        customer_id, category, first_date, orders, revenue (currency); lines without a category
        are left out.

    Raises
    ------
    ValueError
        When `level` is unknown, or the base does not know categories or products.
    """
    if level not in ("category", "product"):
        raise ValueError(f"level is 'category' or 'product', got {level!r}")
    _need_transactions(base)
    known = base.has("transactions", "product_id")
    if not known or (level == "category" and not base.has("products", "category")):
        needed = "products.category" if known else "transactions.product_id"
        raise ValueError(f"the base has no {needed}; map it in the case file to see {level} views")
    table = base.query(statement("customer_categories"), by_product=level == "product")
    table["first_date"] = pd.to_datetime(table["first_date"])
    return table


def purchase_days(base: CustomerBase, *, start: Day = None, end: Day = None) -> pd.DataFrame:
    """One row a customer and day on which it bought something.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    start, end : date or ISO string, optional
        First and last day to count, inclusive; default: all that was observed.

    Returns
    -------
    DataFrame
        customer_id, date, revenue (of the day's purchases, currency), sorted by customer and day.
        Days with nothing but returns are no purchases.

    Raises
    ------
    ValueError
        When the base has no transactions, or the days make no sense.
    """
    table = _of_purchases("purchase_days", base, start, end)
    table["date"] = pd.to_datetime(table["date"])
    return table


def customer_histories(base: CustomerBase, *, start: Day = None, end: Day = None) -> pd.DataFrame:
    """One row a different purchase history, counted in the engine.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    start, end : date or ISO string, optional
        First and last day to count, inclusive; default: all that was observed.

    Returns
    -------
    DataFrame
        frequency, recency, T (days, as in `customer_table`) and customers (with this history);
        customers who never bought are in none.

    Raises
    ------
    ValueError
        When the base has no transactions, or the days make no sense.
    """
    return _of_purchases("customer_histories", base, start, end)


def _of_purchases(name: str, base: CustomerBase, start: Day, end: Day) -> pd.DataFrame:
    """Run a statement on the lines of purchases between two days."""
    sql = statement(name, purchase_lines=statement("purchase_lines"))
    return base.query(sql, **_window(base, start, end))


def _period(every: str) -> tuple[str, int]:
    days = re.fullmatch(r"(\d+) days", every)
    if days and int(days[1]) > 0:
        return "day", int(days[1])
    if every not in ("week", "month", "quarter", "year"):
        raise ValueError(
            f"every is 'week', 'month', 'quarter', 'year' or 'N days' with N > 0, got {every!r}"
        )
    return every, 0


def _need_transactions(base: CustomerBase) -> None:
    if not base.has("transactions"):
        raise ValueError(f"{base.title}: the base has no transactions table")


def _terms(
    base: CustomerBase,
    start: Day,
    end: Day,
    margin: float | None,
    cost_per_order: float | None,
) -> dict[str, object]:
    window = _window(base, start, end)
    margin = base.margin if margin is None else margin
    if margin is not None and not 0 <= margin <= 1:
        raise ValueError(f"margin is a share of list value in 0..1, got {margin!r}")
    cost = base.cost_per_order if cost_per_order is None else cost_per_order
    if not 0 <= cost < float("inf"):
        raise ValueError(f"cost_per_order is an amount of at least 0, got {cost!r}")
    serve = cost > 0 or base.has("interactions", "cost")
    return {
        **window,
        "margin": margin,
        "cost_per_order": cost,
        "has_cost_to_serve": serve,
    }


def _window(base: CustomerBase, start: Day, end: Day) -> dict[str, dt.date]:
    _need_transactions(base)
    first, last = _day(start, base.start, "start"), _day(end, base.end, "end")
    if first > last:
        raise ValueError(f"start {first} lies after end {last}")
    return {"start": first, "end": last}


def _day(value: Day, default: dt.date, name: str) -> dt.date:
    if value is None:
        return default
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{name} is a day such as '2017-12-31', got {value!r}") from None
    return value.date() if isinstance(value, dt.datetime) else value
