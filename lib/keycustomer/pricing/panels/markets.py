"""Price panels from a market table: products by region and month, or by market.

Question: what did a product cost in a market, and how much of it was sold there?

Main name: :func:`market_panel`.
"""

from __future__ import annotations

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted
from keycustomer.pricing.panels.names import names_of
from keycustomer.pricing.panels.panel import PricePanel, checked_rows
from keycustomer.relationships.months.typed import typed_columns

KNOWN = ("market", "product", "price", "quantity", "share")
"""Columns of a market table that are not attributes."""


def market_panel(
    source: CustomerBase | pd.DataFrame,
    *,
    unit: str | None = None,
    period: str | None = None,
) -> PricePanel:
    """Lay out a market table as a price panel.

    Parameters
    ----------
    source : CustomerBase or DataFrame
        A base with a market table, or such a table: market, product, price, quantity (or share),
        and attributes, among them instruments and controls.
    unit : str, optional
        Column of what the panel is over; left out, "region" where there is one, else "market".
    period : str, optional
        Column of the days; left out, "period" or "month" where there is one, else the panel has
        no time.

    Returns
    -------
    PricePanel
        With all columns of the market table.  Without quantities, shares stand in for them.

    Raises
    ------
    TypeError, ValueError
        When there is no market table, a column is missing, or no row can be used.
    """
    table, what = _table(source)
    unit = unit or ("region" if "region" in table else "market")
    period = period or next((name for name in ("period", "month") if name in table), None)
    absent = [name for name in (unit, period) if name is not None and name not in table]
    if absent:
        raise ValueError(
            f"{what}: no column {', '.join(absent)}; there are {list(map(str, table.columns))}"
        )
    if "product" in table:
        table = table.assign(product=names_of(table["product"]))
    laid = table.assign(
        unit=names_of(table[unit]),
        period=_days(table, period, what),
    )
    sold = "quantity" in laid and laid["quantity"].notna().any()
    if not sold and "share" in laid:
        laid["quantity"] = laid["share"]
    rows, excluded = checked_rows(laid, what)
    rows = _with_discount(rows)
    front = ["product", "unit", "period", "quantity", "price", "revenue"]
    base = source if isinstance(source, CustomerBase) else None
    return PricePanel(
        frame=rows[[*front, *(c for c in rows if c not in front)]],
        per="units" if sold else "share of the market",
        every="month" if period else "market",
        excluded=excluded,
        simulated=base.simulated if base else False,
        currency=base.currency if base else "",
        notes=() if sold else ("quantities are not known: shares of the market stand in",),
    )


def _table(source: CustomerBase | pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Read the market table with typed attributes, and its name for messages."""
    if isinstance(source, CustomerBase):
        if not source.has("market"):
            raise ValueError(
                f"{source.title}: the base has no market table; lay out its transactions by "
                "sales_panel, or map a market table in the case file"
            )
        table, what = source.query("from market"), f"{source.title}, table market"
    elif isinstance(source, pd.DataFrame):
        table, what = source, "market table"
    else:
        raise TypeError(
            f"source={type(source).__name__}: a CustomerBase with a market table or a DataFrame "
            "is needed"
        )
    return typed_columns(table, [str(name) for name in table if name not in KNOWN]), what


def _days(table: pd.DataFrame, column: str | None, what: str) -> pd.Series:
    """First days of the periods; not known where the table has no time."""
    if column is None:
        return pd.Series(pd.NaT, table.index, dtype="datetime64[s]")
    given = table[column]
    if pd.api.types.is_numeric_dtype(given.dtype):
        raise ValueError(
            f"{what}: column {column!r} holds numbers, days are needed; turn them into dates first "
            "(months counted from a start are no days)"
        )
    days = pd.to_datetime(given.astype(object), errors="coerce", format="ISO8601")
    wrong = days.isna()
    if wrong.any():
        first = given[wrong].head(3)
        raise ValueError(
            f"{what}: column {column!r} holds {counted(int(wrong.sum()), 'value')} that are no "
            f"days, first at rows {first.index.tolist()}: {', '.join(map(repr, first))}; write "
            "days as 2026-01-31, or name another column as period"
        )
    return days.astype("datetime64[s]")


def _with_discount(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the discount where the list price is known and the discount is not."""
    if "list_price" not in rows or "discount" in rows:
        return rows
    listed = rows["list_price"].where(rows["list_price"] > 0)
    return rows.assign(discount=(1 - rows["price"] / listed).clip(lower=0))
