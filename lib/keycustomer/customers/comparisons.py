"""Checks that compare rows: duplicates, ids that look alike, ids that another table lacks.

Each leaves the offending rows in a table of the engine, for the rules, and returns findings.
Candidates are found by comparing 64-bit hashes, which spill to disk in small pieces, and only the
candidates are then compared in full: lines in every column of their source, so that two scans of a
product at different times, or under different line numbers, are not taken for one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keycustomer.customers.casting import BLANKS, TypedTable
from keycustomer.customers.checks import Facts
from keycustomer.customers.errors import EXAMPLES, Finding, quoted
from keycustomer.customers.lines import LINE_COLUMNS
from keycustomer.customers.rendering import counted
from keycustomer.customers.statements import identifier, statement

if TYPE_CHECKING:
    import duckdb

Tables = dict[str, TypedTable]

_FOLDS = {
    "id_blanks": ("by blanks", r"regexp_replace(id, '[\s\p{Z}]+', '', 'g')"),
    "id_case": ("by upper and lower case", "lower(id)"),
    "id_leading_zeros": ("by leading zeros", "ltrim(id, '0')"),
}
_ID_TABLES = {
    "customer_id": ("transactions", "customers", "interactions", "contracts"),
    "product_id": ("transactions", "products"),
    "order_id": ("transactions",),
}
_SHOWN_TWINS = 4


def collect_ids(connection: duckdb.DuckDBPyConnection, tables: Tables) -> None:
    """Write `work.ids_customer_id` and `work.ids_product_id`: each id of each table, counted."""
    for column in ("customer_id", "product_id"):
        holders = [t for t in _ID_TABLES[column] if t in tables and column in tables[t].columns]
        parts = [
            statement("ids", table=identifier(t), table_name=t, column=identifier(column))
            for t in holders
        ] or [statement("no_ids")]
        connection.execute(
            statement("collect_ids", column=column, parts="\nunion all\n".join(parts))
        )


def look_alikes(
    connection: duckdb.DuckDBPyConnection, tables: Tables, facts: Facts
) -> list[Finding]:
    """Find ids that differ only by blanks, case or leading zeros."""
    findings = []
    for column, holders in _ID_TABLES.items():
        having = [t for t in holders if t in tables and column in tables[t].columns]
        if not any(tables[t].binding.columns[column].is_text for t in having):
            continue
        relation = f"work.ids_{column}"
        values = "id"
        if column == "order_id":
            relation, values = "work.transactions", "order_id"
        hints = _hints(connection, relation, values)
        for rule, (by, fold) in _FOLDS.items():
            if hints[rule]:
                finding = _twins(connection, (relation, values), column, rule, (by, fold), facts)
                findings += [_placed(finding, having, tables)] if finding else []
        if hints["id_blanks"] and facts.decisions["id_blanks"].action != "trim":
            surrounded = _surrounded(connection, (relation, values), column, facts)
            findings += [_placed(surrounded, having, tables)] if surrounded else []
    return findings


def _hints(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> dict[str, bool]:
    """Whether any id could have a twin at all: a cheap look that spares the grouping of most."""
    sql = statement("id_hints", relation=relation, column=column)
    row = connection.execute(sql).fetchone() or (False, False, False)
    return dict(zip(_FOLDS, map(bool, row), strict=True))


def _twins(
    connection: duckdb.DuckDBPyConnection,
    ids: tuple[str, str],
    column: str,
    rule: str,
    kind: tuple[str, str],
    facts: Facts,
) -> Finding | None:
    by, fold = kind
    sql = statement("id_twins", relation=ids[0], column=ids[1], fold=fold, limit=str(EXAMPLES))
    rows = connection.execute(sql).fetchall()
    if not rows:
        return None
    groups, total = rows[0][:2]
    return Finding(
        table="",
        column=column,
        rule=rule,
        severity=facts.decisions[rule].severity,
        what=f"{counted(total, 'id')} that differ only {by}, in {counted(groups, 'group')}",
        rows=groups,
        examples=tuple(_twin_names(names) for *_, names in rows),
        cure="write each id in one way in the source; as they stand they count as different",
    )


def _twin_names(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN_TWINS} more" if len(names) > _SHOWN_TWINS else ""
    return ", ".join(map(quoted, names[:_SHOWN_TWINS])) + more


def _surrounded(
    connection: duckdb.DuckDBPyConnection, ids: tuple[str, str], column: str, facts: Facts
) -> Finding | None:
    sql = statement("ids_in_blanks", relation=ids[0], column=ids[1], limit=str(EXAMPLES))
    rows = connection.execute(sql, {"blanks": BLANKS}).fetchall()
    if not rows:
        return None
    total = rows[0][0]
    return Finding(
        table="",
        column=column,
        rule="id_blanks",
        severity=facts.decisions["id_blanks"].severity,
        what=f"{counted(total, 'id')} with blanks around",
        rows=total,
        examples=tuple(quoted(name) for _, name in rows),
        cure="choose `rules: {id_blanks: trim}`, or keep",
    )


def _placed(finding: Finding, having: list[str], tables: Tables) -> Finding:
    source = " and ".join(tables[t].binding.source(finding.column) for t in having)
    return replace(finding, table=having[0], source=source)


def unknown_products(
    connection: duckdb.DuckDBPyConnection, tables: Tables, facts: Facts
) -> list[Finding]:
    """Write `work.unknown_products`: products of order lines that the products table lacks."""
    known = "transactions" in tables and "product_id" in tables["transactions"].columns
    if not known or "products" not in tables:
        return []
    return _unknown(
        connection, tables["transactions"], "product_id", ("products",), "unknown_product", facts
    )


def unknown_customers(
    connection: duckdb.DuckDBPyConnection, tables: Tables, facts: Facts
) -> list[Finding]:
    """Find contacts and contracts of unknown customers, and buyers who are not on file."""
    findings = []
    for name in ("interactions", "contracts"):
        if name in tables and {"customers", "transactions"} & set(tables):
            known = ("customers", "transactions")
            findings += _unknown(
                connection, tables[name], "customer_id", known, "unknown_customer", facts
            )
    return findings + _not_on_file(connection, tables)


def _unknown(
    connection: duckdb.DuckDBPyConnection,
    table: TypedTable,
    column: str,
    known: tuple[str, ...],
    rule: str,
    facts: Facts,
) -> list[Finding]:
    relation = unknown_relation(table.name)
    names = {"table_name": table.name, "known": list(known)}
    connection.execute(statement("unknown_ids", relation=relation, column=column), names)
    ids, rows, examples = _summary(connection, relation)
    if not ids:
        return []
    missing = " and ".join(known)
    finding = Finding(
        table=table.name,
        column=column,
        rule=rule,
        severity=facts.decisions[rule].severity,
        what=f"{counted(rows, 'row')} of {counted(ids, 'id')} missing from {missing}",
        rows=rows,
        examples=examples,
        cure=f"complete the table, or choose `rules: {{{rule}: drop}}`, keep or error",
        source=table.binding.source(column),
    )
    return [finding]


def unknown_relation(table: str) -> str:
    """Name of the engine's table with the unknown ids of a table."""
    return f"work.unknown_in_{table}"


def _summary(
    connection: duckdb.DuckDBPyConnection, relation: str
) -> tuple[int, int, tuple[str, ...]]:
    sql = statement("unknown_summary", relation=relation, limit=str(EXAMPLES))
    found = connection.execute(sql).fetchall()
    if not found:
        return 0, 0, ()
    examples = tuple(f"row {row:,}: {quoted(name)}" for _, _, row, name in found)
    return int(found[0][0]), int(found[0][1]), examples


def _not_on_file(connection: duckdb.DuckDBPyConnection, tables: Tables) -> list[Finding]:
    if not {"transactions", "customers"} <= set(tables):
        return []
    relation = "work.not_on_file"
    names: dict[str, Any] = {"table_name": "transactions", "known": ["customers"]}
    connection.execute(statement("unknown_ids", relation=relation, column="customer_id"), names)
    ids, rows, examples = _summary(connection, relation)
    if not ids:
        return []
    rows_said = counted(rows, "order line")
    what = f"{counted(ids, 'customer')} with {rows_said} not in the customers table"
    cure = "nothing, where the customers table is known to be partial: they count as not on file"
    place = ("transactions", "customer_id", "not_on_file")
    return [Finding(*place, "note", what, ids, examples, cure)]


def duplicate_lines(
    connection: duckdb.DuckDBPyConnection, lines: TypedTable, remaining: str, facts: Facts
) -> list[Finding]:
    """Write `work.repeated_lines`: source rows that repeat an earlier one in every column.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With `work.transactions` written and its source staged.
    lines : TypedTable
        The order lines.
    remaining : str
        SQL of the lines that no earlier rule has dropped.
    facts : Facts
        What the rules do.
    """
    connection.execute(
        statement("similar_lines", remaining=remaining, columns=", ".join(LINE_COLUMNS))
    )
    if not connection.execute(statement("any_similar_line")).fetchall():
        connection.execute(statement("no_repeated_lines"))
        return []
    relation = identifier(lines.binding.relation)
    described = connection.execute(statement("source_columns", relation=relation)).fetchall()
    columns = [identifier(row[0]) for row in described if row[0] != "source_row"]
    connection.execute(statement("repeated_lines", relation=relation, columns=", ".join(columns)))
    sql = statement("repeated_first", limit=str(EXAMPLES))
    rows = connection.execute(sql).fetchall()
    if not rows:
        return []
    decision = facts.decisions["duplicate_line"]
    finding = Finding(
        table="transactions",
        column="",
        rule="duplicate_line",
        severity=decision.severity,
        what=f"{counted(rows[0][0], 'row')} repeating an earlier row in every column",
        rows=rows[0][0],
        examples=tuple(f"row {row:,} repeats row {first:,}" for _, row, first in rows),
        cure="choose `rules: {duplicate_line: drop}` (a slip of the export) or keep (bought twice)",
        source=lines.binding.label,
    )
    return [finding]


def duplicate_orders(
    connection: duckdb.DuckDBPyConnection, lines: TypedTable, remaining: str, facts: Facts
) -> list[Finding]:
    """Write `work.stray_lines`: lines of an order that belong to another customer or day."""
    if "order_id" not in lines.columns:
        connection.execute(statement("no_stray_lines"))
        return []
    connection.execute(statement("mixed_orders", remaining=remaining))
    connection.execute(statement("stray_lines", remaining=remaining))
    sql = statement("mixed_orders_first", limit=str(EXAMPLES))
    rows = connection.execute(sql).fetchall()
    if not rows:
        return []
    finding = Finding(
        table="transactions",
        column="order_id",
        rule="duplicate_order",
        severity=facts.decisions["duplicate_order"].severity,
        what=f"{counted(rows[0][0], 'order')} with several customers or days",
        rows=rows[0][0],
        examples=tuple(
            f"order {quoted(order)}: {counted(customers, 'customer')}, {counted(days, 'day')}, "
            f"first in row {row:,}"
            for _, order, customers, days, row in rows
        ),
        cure="map the column that tells orders apart, or choose `rules: {duplicate_order: keep}` "
        "(parts of an order on several days) or drop",
        source=lines.binding.source("order_id"),
    )
    return [finding]


def duplicate_keys(
    connection: duckdb.DuckDBPyConnection, table: TypedTable, remaining: str, facts: Facts
) -> list[Finding]:
    """Write `work.repeated_<table>`: records that stand more than once under their id."""
    rule = {"customers": "duplicate_customer", "products": "duplicate_product"}[table.name]
    key = {"customers": "customer_id", "products": "product_id"}[table.name]
    newest = "updated_on desc nulls last, " if "updated_on" in table.columns else ""
    connection.execute(
        statement("repeated_keys", table=table.name, key=key, order=newest, remaining=remaining)
    )
    sql = statement("repeated_keys_first", table=table.name, limit=str(EXAMPLES))
    rows = connection.execute(sql).fetchall()
    if not rows:
        return []
    what = f"{counted(rows[0][0], 'row')} whose {key} another row has too"
    finding = Finding(
        table=table.name,
        column=key,
        rule=rule,
        severity=facts.decisions[rule].severity,
        what=what,
        rows=rows[0][0],
        examples=tuple(f"row {row:,}: {quoted(value)}" for _, row, value in rows),
        cure=f"merge the records in the source, or choose `rules: {{{rule}: drop}}`",
        source=table.binding.source(key),
    )
    return [finding]
