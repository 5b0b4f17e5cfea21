"""Order lines: what was paid, what it would have cost at list price, and what it cost us.

A source may state a line's money per line or per unit. `cast_lines` brings all of it to one form::

    revenue  = amount       or  price x quantity
    list     = list_amount  or  list_price x quantity  or  revenue + discount
    discount = list - revenue
    cost     = cost         or  unit_cost x quantity

Multiplication comes before rounding to four decimals, half away from zero. Where a source states
one thing twice and differently, the statement per line counts and the line is marked. A purchase
paid above list is marked too and counts as bought without discount, since a discount below zero
would raise the margin that is reckoned from list value; on a return the discount is negative, as
the rest of the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keycustomer.customers.casting import (
    AMOUNT,
    Cast,
    TypedTable,
    bits,
    bound,
    cast,
    flags,
    listed,
    plausible_days,
    raw_name,
    raw_values,
    readings,
    trimmed_marks,
    unreadable,
)
from keycustomer.customers.mapping import Binding
from keycustomer.customers.schema import TABLES
from keycustomer.customers.statements import identifier, statement

if TYPE_CHECKING:
    import duckdb

LINE_COLUMNS = (
    "customer_id",
    "order_id",
    "date",
    "product_id",
    "quantity",
    "revenue",
    "discount",
    "cost",
    "channel",
)
"""Columns of the transactions in a prepared base, after `line`."""

_PLAIN = ("customer_id", "order_id", "date", "product_id", "channel")
_STATED = {
    "amount": "stated_amount",
    "list_amount": "stated_list_amount",
    "cost": "stated_cost",
    "discount": "stated_discount",
    "price": "unit_price",
    "list_price": "unit_list_price",
    "unit_cost": "unit_cost",
}


def cast_lines(
    connection: duckdb.DuckDBPyConnection,
    binding: Binding,
    zone: str,
    currency: str,
    *,
    trim_ids: bool = False,
) -> TypedTable:
    """Write `work.transactions`: one typed order line a source row.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With the source staged and a database attached as `work`.
    binding : Binding
        Where the columns come from.
    zone : str
        Time zone whose calendar days are used.
    currency : str
        The case's currency.
    trim_ids : bool
        Whether blanks around ids are removed.

    Returns
    -------
    TypedTable
        `row_flags` marks what is unreadable, more precise than four decimals (`rounded`), stated
        twice and differently (`contradiction`), paid above list (`above_list`), of negative unit
        price (`negative_price`) or in another currency (`currency`).
    """
    kinds = TABLES["transactions"].columns
    casts = {
        ours: cast(kinds[ours].kind, column, binding, trim_ids=trim_ids)
        for ours, column in binding.columns.items()
    }
    marks = _marks(casts, binding) | (trimmed_marks(binding) if trim_ids else {})
    early = bits(marks)
    sql = statement(
        "typed_lines",
        relation=identifier(binding.relation),
        plain=listed(_plain(casts)),
        money=listed(_money(casts)),
        raw=listed(raw_values(binding)),
        days=plausible_days(["date"]),
        early_flags=flags(marks),
        first_late_bit=str(1 << len(early)),
    )
    values = readings(binding, zone) | {"currency": currency.strip()}
    connection.execute(sql, bound(connection, sql, values))
    late = {what: len(early) + n for n, what in enumerate(_LATE_MARKS)}
    return TypedTable("transactions", binding, tuple(casts), early | late)


# Marks that need the finished amounts; typed_lines.sql sets them in this order.
_LATE_MARKS = (
    "unreadable.too_large",
    "contradiction.amount",
    "contradiction.list_amount",
    "contradiction.cost",
    "contradiction.discount",
    "above_list",
)


def _plain(casts: dict[str, Cast]) -> dict[str, str]:
    absent = {"date": "null::date"}
    return {c: casts[c].value if c in casts else absent.get(c, "null::varchar") for c in _PLAIN}


def _money(casts: dict[str, Cast]) -> dict[str, str]:
    """Quantity, values per line, values per unit as stored and before rounding."""
    nothing = f"null::{AMOUNT}"
    one = Cast(f"1::{AMOUNT}", "1::decimal(20,0)")
    quantity = casts.get("quantity", one)
    # Twelve decimals of a price and eight of a quantity leave 18 digits for the product.
    columns = {
        "quantity": quantity.value,
        "fine_quantity": f"try_cast({quantity.fine} as decimal(22,8))",
    }
    absent = Cast(nothing, nothing)
    for ours, typed in _STATED.items():
        columns[typed] = casts.get(ours, absent).value
        columns[f"fine_{typed}"] = casts.get(ours, absent).fine
    return columns


def _marks(casts: dict[str, Cast], binding: Binding) -> dict[str, str]:
    """Condition of each mark that the source's own columns can tell."""
    kinds = TABLES["transactions"].columns
    marks = {
        f"unreadable.{ours}": unreadable(_STATED.get(ours, ours), ours, binding.columns[ours])
        for ours in casts
        if kinds[ours].kind not in ("id", "text")
    }
    for ours in ("amount", "list_amount", "discount", "cost"):
        if ours in casts:
            marks[f"rounded.{ours}"] = f"fine_{_STATED[ours]} <> {_STATED[ours]}"
    if "price" in casts:
        marks["negative_price"] = "fine_unit_price < 0"
    if "currency" in casts:
        raw = raw_name("currency")
        other = f"lower(trim({raw}::varchar, $blanks)) is distinct from lower($currency)"
        marks["currency"] = f"case when {raw}::varchar = $currency then false else {other} end"
    return marks
