"""Which rows the rules take out, each by the first rule that drops it.

Rules are applied in the order of the registry. Per table and rule the rows and, for order lines,
the revenue taken out are known in the end, so that rows read = rows kept + rows excluded, and the
same for the value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from keycustomer.customers.casting import TypedTable, bound
from keycustomer.customers.checks import Facts, rule_conditions
from keycustomer.customers.comparisons import unknown_relation
from keycustomer.customers.rules import RULES
from keycustomer.customers.statements import identifier, statement

if TYPE_CHECKING:
    import duckdb

COLUMNS = {
    "table_name": "VARCHAR",
    "rule": "VARCHAR",
    "action": "VARCHAR",
    "rows": "BIGINT",
    "value": "DECIMAL(18,4)",
    "note": "VARCHAR",
}
"""Columns of the exclusions table, with their types in the engine."""


class Excluded(NamedTuple):
    """One row of the exclusions table: what a rule took out of a table.

    Attributes
    ----------
    table, rule, action : str
        Where, and by which rule.
    rows : int
        How many rows are gone.
    value : Decimal or None
        Revenue that is gone with them, currency; None for tables other than the order lines.
    note : str
        What the rule flags.
    """

    table: str
    rule: str
    action: str
    rows: int
    value: Decimal | None
    note: str


# Rules that compare rows look at what the rules on single rows have left.
_AFTER_SINGLE_ROWS = (
    "duplicate_line",
    "duplicate_order",
    "duplicate_customer",
    "duplicate_product",
    "returns",
)
_UNKNOWN = {
    ("unknown_product", "transactions"): "product_id",
    ("unknown_customer", "interactions"): "customer_id",
    ("unknown_customer", "contracts"): "customer_id",
}


@dataclass
class Exclusions:
    """The rows taken out so far, in `work.excluded_<table>(source_row, rule)`.

    Attributes
    ----------
    connection : DuckDBPyConnection
        With the typed tables in `work`.
    facts : Facts
        What the rules do.
    dropped : dict of str to int
        Rows taken out so far, by table.
    """

    connection: duckdb.DuckDBPyConnection
    facts: Facts
    dropped: dict[str, int] = field(default_factory=dict)

    def single_rows(self, table: TypedTable, unknown: set[str]) -> None:
        """Apply the rules on single rows, in one pass.

        Parameters
        ----------
        table : TypedTable
            The table.
        unknown : set of str
            Tables whose unknown ids have been collected.
        """
        self.connection.execute(statement("excluded", table=identifier(self._name(table.name))))
        self.dropped[table.name] = 0
        conditions = rule_conditions(table, self.facts)
        for (rule, name), column in _UNKNOWN.items():
            if name == table.name and name in unknown:
                conditions[rule] = statement(
                    "among_unknown", column=column, relation=unknown_relation(name)
                )
        cases = [
            f"when {conditions[rule]} then '{rule}'"
            for rule in RULES
            if rule in conditions and rule not in _AFTER_SINGLE_ROWS and self._drops(rule)
        ]
        if cases:
            self._insert("exclude_single_rows", table.name, cases="\n        ".join(cases))

    def listed(self, table: str, rule: str, relation: str) -> None:
        """Apply a rule whose rows stand in a table of the engine, among those still there."""
        if self._drops(rule):
            self._insert("exclude_listed", table, rule=rule, listed=relation)

    def returns(self, lines: TypedTable) -> None:
        """Drop returns, where that is the rule."""
        if self._drops("returns"):
            condition = rule_conditions(lines, self.facts)["returns"]
            self._insert(
                "exclude_single_rows", lines.name, cases=f"when {condition} then 'returns'"
            )

    def remaining(self, table: str) -> str:
        """Write the SQL relation of the rows still there."""
        whole = f"work.{identifier(table)}"
        if not self.dropped.get(table):
            return whole
        return f"(from {whole} anti join work.{identifier(self._name(table))} using (source_row))"

    def summary(self, tables: list[TypedTable]) -> list[Excluded]:
        """Sum up what is gone, by table and rule."""
        rows: list[Excluded] = []
        for table in tables:
            if self.dropped.get(table.name):
                has_value = table.name == "transactions"
                sql = statement(
                    "excluded_summary",
                    table=identifier(table.name),
                    excluded=identifier(self._name(table.name)),
                    value="coalesce(sum(revenue), 0)" if has_value else "null",
                )
                found = {r[0]: r for r in self.connection.execute(sql).fetchall()}
                rows += [
                    Excluded(
                        table.name, rule, "drop", found[rule][1], found[rule][2], RULES[rule].flags
                    )
                    for rule in RULES
                    if rule in found
                ]
        return rows

    def _drops(self, rule: str) -> bool:
        decisions = self.facts.decisions
        return rule in decisions and decisions[rule].action == "drop"

    def _insert(self, step: str, table: str, **fragments: str) -> None:
        sql = statement(
            step,
            excluded=identifier(self._name(table)),
            remaining=self.remaining(table),
            **fragments,
        )
        self.connection.execute(sql, bound(self.connection, sql, self.facts.values()))
        count = statement("excluded_count", excluded=identifier(self._name(table)))
        row = self.connection.execute(count).fetchone()
        self.dropped[table] = row[0] if row else 0

    @staticmethod
    def _name(table: str) -> str:
        return f"excluded_{table}"


def exclusions_frame(rows: list[Excluded]) -> pd.DataFrame:
    """Frame of exclusions, values as float64."""
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["value"] = pd.to_numeric(frame["value"]).astype("float64")
    return frame
