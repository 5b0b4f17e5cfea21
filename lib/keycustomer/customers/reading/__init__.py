"""Reading: one table of a case, from wherever it is, into the engine without guessing.

Question: what exactly did the source say? `stage` brings a shipped set, a CSV or Excel file,
Parquet, a DuckDB file or a database table into a temporary relation: text stays exactly as written,
typed sources keep their types, every row has its number in the source. `inputs` fingerprints a
source without reading it into the engine. Casting to the data model comes after, by the declared
formats. A source that cannot be read surely is refused with a `SourceError` that says the cure.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from keycustomer.customers.reading.records import (
    InputRecord,
    SourceError,
    StagedTable,
    fingerprint,
)
from keycustomer.customers.specification import TableSpecification

__all__ = ["InputRecord", "SourceError", "StagedTable", "inputs", "stage"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def stage(
    connection: duckdb.DuckDBPyConnection, name: str, table: TableSpecification, folder: Path
) -> StagedTable:
    """Make a source readable by SQL.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The engine; the relation is temporary and belongs to this very connection, not to its
        cursors. A former one of the same table is replaced.
    name : str
        Name of the table in the data model.
    table : TableSpecification
        Its source, as the case file describes it.
    folder : Path
        Folder of the case file, to which paths are relative.

    Returns
    -------
    StagedTable
        Relation ``staged_<name>`` with every source column and `source_row`.

    Raises
    ------
    SourceError
        When the source cannot be read as described: all problems found, each with its cure, never
        with a secret.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a table in the data model")
    try:
        return _stage(connection, name, table, folder)
    except SourceError as error:
        problems = error.problems
    raise SourceError(problems, name)


def inputs(table: TableSpecification, folder: Path, name: str = "") -> tuple[InputRecord, ...]:
    """Fingerprint a source without staging it, to see whether it has changed.

    Parameters
    ----------
    table : TableSpecification
        The source.
    folder : Path
        Folder of the case file.
    name : str
        Name of the table in the data model; of a shipped set, only that table's files are
        recorded then.

    Returns
    -------
    tuple of InputRecord
        One a file. A database extract has no hash before it is read, which its `note` says.

    Raises
    ------
    SourceError
        When the source is missing.
    """
    from keycustomer.customers.reading.columnar import parquet_inputs
    from keycustomer.customers.reading.database import sql_inputs
    from keycustomer.customers.reading.files import locate
    from keycustomer.customers.reading.shipped import shipped_inputs

    if table.kind == "shipped":
        return shipped_inputs(table, name or None)
    if table.kind == "sql":
        return sql_inputs(table)
    if table.kind == "parquet":
        return parquet_inputs(table, folder)
    return (fingerprint(locate(table.location, folder), table.location),)


def _stage(
    connection: duckdb.DuckDBPyConnection, name: str, table: TableSpecification, folder: Path
) -> StagedTable:
    _drop_former(connection, name)
    if table.kind == "shipped":
        from keycustomer.customers.reading.shipped import stage_shipped

        return stage_shipped(connection, name, table)
    if table.kind == "csv":
        from keycustomer.customers.reading.separated import stage_csv as read
    elif table.kind == "parquet":
        from keycustomer.customers.reading.columnar import stage_parquet as read
    elif table.kind == "excel":
        from keycustomer.customers.reading.workbook import stage_excel as read
    elif table.kind == "duckdb":
        from keycustomer.customers.reading.attached import stage_duckdb as read
    else:
        from keycustomer.customers.reading.database import stage_sql as read
    return read(connection, name, table, folder)


def _drop_former(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Drop a former relation of the same name, be it a view or a table."""
    for kind in ("VIEW", "TABLE"):
        found = connection.execute(
            f"SELECT 1 FROM duckdb_{kind.lower()}s() WHERE {kind.lower()}_name = $name "  # noqa: S608
            "AND temporary",
            {"name": f"staged_{name}"},
        ).fetchone()
        if found:
            connection.execute(f"DROP {kind} temp.staged_{name}")
