"""Tables and queries of a DuckDB file, which is only ever opened for reading.

A table is attached and read in place; a query runs in an instance of its own, in which it sees that
file and nothing else, and its result is copied.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.database import refuse_statement
from keycustomer.customers.reading.files import literal, locate
from keycustomer.customers.reading.records import (
    SourceError,
    StagedTable,
    fingerprint,
    listed,
)
from keycustomer.customers.reading.separated import file_order, refuse_names
from keycustomer.customers.specification import TableSpecification
from keycustomer.customers.statements import identifier

_BATCH = 100_000


def stage_duckdb(
    connection: duckdb.DuckDBPyConnection, name: str, table: TableSpecification, folder: Path
) -> StagedTable:
    """Stage a table or query of a DuckDB file with the types it has.

    Raises
    ------
    SourceError
        When the file, the table or the query will not do.
    """
    path = locate(table.location, folder)
    relation = f"staged_{name}"
    if table.query is not None:
        refuse_statement(table.query)
        problem = _copy_query(connection, relation, path, table.query)
        what = f"query {table.query}"
    else:
        problem = _view_table(connection, relation, path, str(table.table))
        what = f"table {table.table}"
    if problem:
        raise SourceError(problem)
    columns = _columns(connection, relation)
    return StagedTable(
        name=name,
        relation=relation,
        columns=columns,
        inputs=(fingerprint(path, table.location),),
        label=f"DuckDB file {table.location}, {what}",
        typed=True,
    )


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    described = connection.execute(f"DESCRIBE {identifier(relation)}").fetchall()
    return {name: kind for name, kind, *_ in described if name != "source_row"}


def _view_table(
    connection: duckdb.DuckDBPyConnection, relation: str, path: Path, wanted: str
) -> str:
    try:
        alias = _attach(connection, path)
        place = _find(connection, alias, wanted)
        if place is None:
            return f"{path.name} has no table {printable(wanted)!r}; {_there(connection, alias)}"
        schema, table, is_view = place
        source = f"{identifier(alias)}.{identifier(schema)}.{identifier(table)}"
        names = connection.execute(f"DESCRIBE {source}").fetchall()
        refuse_names(tuple(name for name, *_ in names), path.name)
        number = "row_number() OVER ()" if is_view else "rowid + 1"
        view = f"SELECT *, {number} AS source_row FROM {source}"  # noqa: S608 - quoted
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {identifier(relation)} AS {view}")
    except duckdb.Error as error:
        return _said(path, error)
    return ""


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    """Attach a file once, whatever number of tables is read from it."""
    attached = connection.execute("SELECT database_name, path FROM duckdb_databases()").fetchall()
    here = str(path.resolve())
    for alias, where in attached:
        if where and str(Path(where).resolve()) == here:
            return str(alias)
    alias = f"source_{len(attached)}"
    connection.execute(f"ATTACH {literal(here)} AS {identifier(alias)} (READ_ONLY, TYPE duckdb)")
    return alias


def _find(
    connection: duckdb.DuckDBPyConnection, alias: str, wanted: str
) -> tuple[str, str, bool] | None:
    """Find a table by its name, alone in schema main or with its schema."""
    for schema, table, is_view in _tables(connection, alias):
        if wanted in (f"{schema}.{table}", table if schema == "main" else None):
            return schema, table, is_view
    return None


def _tables(connection: duckdb.DuckDBPyConnection, alias: str) -> list[tuple[str, str, bool]]:
    return connection.execute(
        """
        SELECT schema_name, table_name, false FROM duckdb_tables()
        WHERE database_name = $alias AND NOT internal
        UNION ALL
        SELECT schema_name, view_name, true FROM duckdb_views()
        WHERE database_name = $alias AND NOT internal
        ORDER BY ALL
        """,
        {"alias": alias},
    ).fetchall()


def _there(connection: duckdb.DuckDBPyConnection, alias: str) -> str:
    found = _tables(connection, alias)
    return "it has " + listed(t if s == "main" else f"{s}.{t}" for s, t, _ in found)


def _copy_query(
    connection: duckdb.DuckDBPyConnection, relation: str, path: Path, query: str
) -> str:
    copy = "SELECT *, row_number() OVER () AS source_row FROM staging_query"
    try:
        with duckdb.connect(path, read_only=True) as apart:
            apart.execute("SET enable_external_access = false")
            apart.execute("SET python_enable_replacements = false")
            reader: Any = apart.sql(query).to_arrow_reader(_BATCH)
            refuse_names(tuple(reader.schema.names), f"{path.name}: the query's result")
            connection.register("staging_query", reader)
            with file_order(connection):
                connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(relation)} AS {copy}")
            connection.unregister("staging_query")
    except duckdb.Error as error:
        return _said(path, error)
    return ""


def _said(path: Path, error: duckdb.Error) -> str:
    text = " ".join(str(error).split())
    return f"{path.name} cannot be read as a DuckDB file, table or query: {text}"
