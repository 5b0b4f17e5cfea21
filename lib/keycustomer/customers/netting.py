"""Returns set against the purchases they undo.

Each return takes its value from the latest earlier (or same-day) purchases of the same customer and
product, then from the ones before, never below zero; a return that names the order of such a
purchase takes only from that order. What finds no purchase stays as a negative line (whatever sign
the source gave it) and is reported. Units are set off in the same way. Discount and cost of a
purchase shrink with its value.

Taking from the latest first is a stack. The height of the stack after each line, in order of time,
is the running sum of purchases less returns, kept from falling below zero; what is left of a
purchase in the end is the part of its own layer that lies below the lowest height reached after
it. Both are window functions, so no loop over lines is needed (`net_layer.sql`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from keycustomer.customers.casting import TypedTable
from keycustomer.customers.checks import shown_value
from keycustomer.customers.errors import EXAMPLES, Finding
from keycustomer.customers.exclusions import Excluded
from keycustomer.customers.rendering import counted
from keycustomer.customers.statements import statement

if TYPE_CHECKING:
    import duckdb

TABLE = "work.netted"
"""Lines that netting changes: source_row, kept, and the new quantity, revenue, discount, cost."""


@dataclass(frozen=True)
class Netting:
    """What setting returns against purchases did.

    Attributes
    ----------
    removed : int
        Returns that are gone, their whole value set against purchases.
    purchases : int
        Purchase lines that lost value.
    returned_value, purchase_value : Decimal
        Revenue that the return lines (negative) and the purchase lines lost, currency.
    """

    removed: int
    purchases: int
    returned_value: Decimal
    purchase_value: Decimal

    def exclusions(self) -> list[Excluded]:
        """Rows of the exclusions table: the returns, and what purchases lost to them."""
        gone = "returns set against earlier purchases"
        lost = f"subtracted from {counted(self.purchases, 'purchase line')}"
        what = ("transactions", "returns", "net")
        rows = []
        if self.removed or self.returned_value:
            rows.append(Excluded(*what, self.removed, self.returned_value, gone))
        if self.purchases:
            rows.append(Excluded(*what, 0, self.purchase_value, lost))
        return rows


def net_returns(
    connection: duckdb.DuckDBPyConnection, lines: TypedTable, remaining: str
) -> tuple[Netting, list[Finding]]:
    """Write `work.netted`: what becomes of the lines that returns touch.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With `work.transactions` written.
    lines : TypedTable
        The order lines.
    remaining : str
        SQL of the lines that no rule has dropped.

    Returns
    -------
    netting : Netting
        Counts and values.
    findings : list of Finding
        Returns without a purchase, when there are any.
    """
    connection.execute(statement("net_touched", remaining=remaining))
    _layer(connection, "net_own", "customer_id, product_id, order_id", "own_order")
    _layer(connection, "net_rest", "customer_id, product_id", "not own_order")
    connection.execute(statement("net_result"))
    row = connection.execute(statement("net_summary")).fetchone() or (0, 0, Decimal(0), Decimal(0))
    return Netting(*row), _unmatched(connection, lines)


def _layer(connection: duckdb.DuckDBPyConnection, result: str, group: str, condition: str) -> None:
    """Let the returns that fulfil the condition take from the purchases of their group."""
    connection.execute(statement("net_layer", result=result, group=group, condition=condition))
    connection.execute(statement("net_take", result=result))


def _unmatched(connection: duckdb.DuckDBPyConnection, lines: TypedTable) -> list[Finding]:
    rows = connection.execute(statement("net_unmatched", limit=str(EXAMPLES))).fetchall()
    if not rows:
        return []
    count, value = rows[0][:2]
    finding = Finding(
        table="transactions",
        column="quantity",
        rule="returns",
        severity="warning",
        what=f"{counted(count, 'return')}, value {shown_value(value)}, without enough earlier "
        "purchases of the same customer and product",
        rows=count,
        examples=tuple(f"row {row:,}: {shown_value(left)} left" for *_, row, left in rows),
        cure="they stay as negative lines; their purchases may lie before the data begin",
        source=lines.binding.label,
    )
    return [finding]
