"""Parquet: a file, a folder or a glob, read in place as a view, so that size does not matter.

`stage_parquet` compares the files' schemas first and names every difference; rows are numbered
through the files in sorted order from the files' own row numbers, without materialising anything.
"""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import duckdb

from keycustomer.customers.reading.files import as_pattern, literal, locate_many
from keycustomer.customers.reading.records import (
    InputRecord,
    SourceError,
    StagedTable,
    fingerprint,
    listed,
    plural,
)
from keycustomer.customers.reading.separated import refuse_names
from keycustomer.customers.specification import TableSpecification
from keycustomer.customers.statements import identifier

Schema = dict[str, str]
_VIRTUAL = frozenset({"file_row_number", "file_index"})


def stage_parquet(
    connection: duckdb.DuckDBPyConnection, name: str, table: TableSpecification, folder: Path
) -> StagedTable:
    """Stage Parquet files as a view with the types they have.

    Raises
    ------
    SourceError
        When a file is missing, is no Parquet, or differs from the first in its columns.
    """
    found = locate_many(table.location, folder, ".parquet")
    schemas = _schemas(found)
    _refuse_differences(found, schemas)
    rows = [count for _, count in schemas]
    relation = f"staged_{name}"
    paths = [path for path, _ in found]
    connection.execute(_view(relation, paths, list(schemas[0][0]), rows))
    columns = _columns(connection, relation)
    return StagedTable(
        name=name,
        relation=relation,
        columns=columns,
        inputs=parquet_inputs(table, folder),
        label=f"Parquet {'file' if len(found) == 1 else 'files'} {table.location}",
        notes=_remarks(columns),
        typed=True,
    )


def parquet_inputs(table: TableSpecification, folder: Path) -> tuple[InputRecord, ...]:
    """Fingerprint every file a Parquet source names."""
    found = locate_many(table.location, folder, ".parquet")
    schemas = _schemas(found)
    return tuple(
        fingerprint(path, location, rows)
        for (path, location), (_, rows) in zip(found, schemas, strict=True)
    )


def _schemas(found: list[tuple[Path, str]]) -> list[tuple[Schema, int]]:
    """Columns with types, and rows, of each file from its footer."""
    from pyarrow import ArrowException
    from pyarrow import parquet as pq

    schemas: list[tuple[Schema, int]] = []
    problems: list[str] = []
    for path, location in found:
        try:
            with pq.ParquetFile(path) as file:
                arrow = file.schema_arrow
                refuse_names(tuple(arrow.names), location, reserved=_VIRTUAL)
                types = {field.name: str(field.type) for field in arrow}
                schemas.append((types, file.metadata.num_rows))
        except SourceError as error:
            problems += error.problems
        except (ArrowException, OSError):
            problems.append(f"{location} is no readable Parquet file; export it again")
    if problems:
        raise SourceError(problems)
    return schemas


def _refuse_differences(found: list[tuple[Path, str]], schemas: list[tuple[Schema, int]]) -> None:
    first, first_location = schemas[0][0], found[0][1]
    problems = []
    for (_, location), (schema, _) in zip(found[1:], schemas[1:], strict=True):
        differences = _differences(first, schema)
        if differences:
            problems.append(f"{location} {'; '.join(differences)}, against {first_location}")
    if problems:
        more = len(problems) - 5
        shown = problems[:5] + ([f"... and {plural(more, 'more file')}"] if more > 0 else [])
        raise SourceError([*shown, "write the files with the same columns and types"])


def _differences(first: Schema, other: Schema) -> list[str]:
    missing = [column for column in first if column not in other]
    added = [column for column in other if column not in first]
    changed = [
        f"{column} ({other[column]} instead of {first[column]})"
        for column in first
        if column in other and other[column] != first[column]
    ]
    named = [("lacks", missing), ("has besides", added), ("has another type for", changed)]
    return [f"{what} {listed(columns)}" for what, columns in named if columns]


def _view(relation: str, paths: list[Path], names: list[str], rows: list[int]) -> str:
    files = ", ".join(literal(as_pattern(path)) for path in paths)
    columns = ", ".join(identifier(name) for name in names)
    starts = ", ".join(map(str, accumulate(rows[:-1], initial=0)))
    offset = "" if len(rows) == 1 else f" + ([{starts}]::BIGINT[])[file_index::BIGINT + 1]"
    return f"""
        CREATE OR REPLACE TEMP VIEW {identifier(relation)} AS
        SELECT {columns}, file_row_number + 1{offset} AS source_row
        FROM read_parquet(
            [{files}], hive_partitioning = false, union_by_name = false
        )"""  # noqa: S608 - names and paths are quoted


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    described = connection.execute(f"DESCRIBE {identifier(relation)}").fetchall()
    return {name: kind for name, kind, *_ in described if name != "source_row"}


def _remarks(columns: dict[str, str]) -> tuple[str, ...]:
    binary = [name for name, kind in columns.items() if kind == "BLOB"]
    if not binary:
        return ()
    return (f"columns of bytes, not text: {listed(binary)}; write them as strings",)
