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
    cast,
    flags,
    readings,
    trimmed_marks,
    unreadable_marks,
    used,
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
_UNIT = {"amount": "price", "list_amount": "list_price", "cost": "unit_cost"}


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
    sql = statement(
        "typed_lines",
        relation=identifier(binding.relation),
        plain=",\n        ".join(_plain(casts)),
        money=",\n        ".join(_money(casts)),
        early_flags=flags(marks),
        first_late_bit=str(1 << len(bits(marks))),
    )
    values = readings(binding, zone) | {"currency": currency.strip().casefold()}
    connection.execute(sql, used(sql, values))
    late = {f"{what}": len(bits(marks)) + n for n, what in enumerate(_LATE_MARKS)}
    return TypedTable("transactions", binding, tuple(casts), bits(marks) | late)


# Marks that need the finished amounts; typed_lines.sql sets them in this order.
_LATE_MARKS = (
    "unreadable.too_large",
    "contradiction.amount",
    "contradiction.list_amount",
    "contradiction.cost",
    "contradiction.discount",
    "above_list",
)


def _plain(casts: dict[str, Cast]) -> list[str]:
    types = {"date": "date"}
    return [
        f"{casts[c].value if c in casts else 'null::' + types.get(c, 'varchar')} as {c}"
        for c in _PLAIN
    ]


def _money(casts: dict[str, Cast]) -> list[str]:
    """Quantity, per line values and per unit values before rounding; NULL where not mapped."""
    quantity = casts.get("quantity", Cast(f"1::{AMOUNT}", fine="1::decimal(20,0)"))
    columns = [f"{quantity.value} as quantity", f"{_quantity(quantity)} as fine_quantity"]
    for per_line, per_unit in _UNIT.items():
        line = casts[per_line].value if per_line in casts else f"null::{AMOUNT}"
        unit = casts[per_unit].fine if per_unit in casts else f"null::{AMOUNT}"
        columns += [f"{line} as stated_{per_line}", f"{unit} as fine_{per_unit}"]
    discount = casts["discount"].value if "discount" in casts else f"null::{AMOUNT}"
    return [*columns, f"{discount} as stated_discount"]


def _quantity(quantity: Cast) -> str:
    # Twelve decimals of a price and eight of a quantity leave 18 digits for the product.
    return f"try_cast({quantity.fine} as decimal(22,8))"


def _marks(casts: dict[str, Cast], binding: Binding) -> dict[str, str]:
    marks = unreadable_marks(casts)
    for ours in ("amount", "list_amount", "discount", "cost"):
        if ours in casts:
            marks[f"rounded.{ours}"] = f"({casts[ours].fine}) <> ({casts[ours].value})"
    if "price" in casts:
        marks["negative_price"] = f"({casts['price'].fine}) < 0"
    if "currency" in casts:
        written = identifier(binding.columns["currency"].name)
        same = f"lower(trim({written}::varchar, $blanks)) is not distinct from $currency"
        marks["currency"] = f"not ({same})"
    return marks
