"""Tables and queries of any database SQLAlchemy knows, streamed into the engine.

A table is read whole, a query as written. Only one query that begins with SELECT or WITH is taken,
in a read-only transaction where the database has them, and rolled back: the check keeps slips from
doing harm, it is no wall against the case file's author, for whom the database account should be
read-only too. Values keep the driver's types (decimals exact, dates, ids as text); what a driver
says in an error is passed on without secrets.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import duckdb

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.batches import BATCH, Sink
from keycustomer.customers.reading.files import locate
from keycustomer.customers.reading.records import InputRecord, SourceError, StagedTable, listed
from keycustomer.customers.reading.secrets import Address, open_address
from keycustomer.customers.reading.separated import refuse_names
from keycustomer.customers.specification import TableSpecification
from keycustomer.customers.statements import identifier

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_LITERALS_AND_COMMENTS = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | --[^\n]* | /\*.*?\*/
    | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)""",
    re.VERBOSE | re.DOTALL,
)
_LAZY_NOTE = "the hash of a database extract is known once it has been read"
_EXTRACT_NOTE = "hash of the query and of its rows, whatever their order"


def stage_sql(
    connection: duckdb.DuckDBPyConnection, name: str, table: TableSpecification, folder: Path
) -> StagedTable:
    """Stage a table or query of a database.

    Raises
    ------
    SourceError
        When the URL, the driver, the table or the query will not do; never with a secret in it.
    """
    address = open_address(table.location)
    if table.query is not None:
        refuse_statement(table.query)
    relation = f"staged_{name}"
    columns, rows, problem = _read(connection, relation, table, address, folder)
    if problem:
        raise SourceError(problem)
    location = _location(table)
    sha256 = extract_hash(connection, relation, columns, location)
    return StagedTable(
        name=name,
        relation=relation,
        columns=columns,
        inputs=(InputRecord(location, None, sha256, rows, _EXTRACT_NOTE),),
        label=f"database {table.location}",
        notes=("rows are numbered as the database delivered them",),
        typed=True,
    )


def sql_inputs(table: TableSpecification) -> tuple[InputRecord, ...]:
    """Name a database extract without reading it."""
    open_address(table.location)
    return (InputRecord(_location(table), None, None, None, _LAZY_NOTE),)


def refuse_statement(query: str) -> None:
    """Refuse anything but one SELECT or WITH query.

    Raises
    ------
    SourceError
        For another statement, or more than one.
    """
    bare = _LITERALS_AND_COMMENTS.sub(" ", query).strip().rstrip(";").strip()
    words = re.match(r"[\s(]*(\w+)", bare)
    first = words[1].upper() if words else ""
    if first not in ("SELECT", "WITH"):
        raise SourceError(
            f"query must begin with SELECT or WITH, got {printable(first or query)!r}; "
            "data are only read"
        )
    if ";" in bare:
        raise SourceError("query must be one statement; remove what follows the first `;`")


def extract_hash(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: dict[str, str], location: str
) -> str:
    """Hash a staged extract so that the order of its rows does not matter.

    Each row is hashed as JSON; the sums of the two halves of the hashes, with the number of rows,
    the columns and the location, are hashed again.
    """
    names = ", ".join(f"{identifier(c)} := {_zoneless(c, kind)}" for c, kind in columns.items())
    query = f"""
        SELECT count(*), sum(md5_number_lower(row)::HUGEINT), sum(md5_number_upper(row)::HUGEINT)
        FROM (SELECT to_json(struct_pack({names}))::VARCHAR AS row FROM {identifier(relation)})
        """  # noqa: S608 - quoted
    sums = connection.execute(query).fetchone()
    return hashlib.sha256(repr((location, list(columns.items()), sums)).encode()).hexdigest()


def _zoneless(column: str, kind: str) -> str:
    """Write an instant as a number, whose text does not hang on the session's time zone."""
    quoted = identifier(column)
    return f"epoch_us({quoted})" if kind == "TIMESTAMP WITH TIME ZONE" else quoted


def _location(table: TableSpecification) -> str:
    what = f"table {table.table}" if table.table is not None else f"query {table.query}"
    return f"{table.location}: {what}"


def _read(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    table: TableSpecification,
    address: Address,
    folder: Path,
) -> tuple[dict[str, str], int, str]:
    """Stream the extract; give its columns and rows, or the problem in words without secrets.

    A driver's error is turned into words here and raised by the caller: an exception raised from
    it would carry it along, with everything its frames hold.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with _connected(address, folder) as source:
            query = table.query or _whole_table(source, str(table.table))
            sink = _stream(source, query, connection, relation)
            return sink.finish(), sink.rows, ""
    except SourceError as error:
        return {}, 0, "; ".join(error.problems)
    except (ModuleNotFoundError, ImportError) as error:
        return {}, 0, _no_driver(address, error)
    except SQLAlchemyError as error:
        return {}, 0, _said(address, error)
    except (sqlite3.Error, OSError, UnicodeError, duckdb.Error) as error:
        return {}, 0, _said(address, error)


def _said(address: Address, error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    text = address.redact(" ".join(str(cause).split()))
    return f"{address.written}: {type(cause).__name__}: {text}"


def _no_driver(address: Address, error: ImportError) -> str:
    missing = printable(error.name or "a driver")
    return (
        f"{address.written}: the database driver {missing!r} is not installed; for PostgreSQL "
        "install the extra `engines`, for others the driver SQLAlchemy names"
    )


@contextmanager
def _connected(address: Address, folder: Path) -> Iterator[Connection]:
    engine = _engine(address, folder)
    try:
        with engine.connect() as plain:
            source = plain.execution_options(**_read_only(engine.dialect.name))
            _begin_read_only(source)
            try:
                yield source
            finally:
                source.rollback()
    finally:
        engine.dispose()


def _engine(address: Address, folder: Path) -> Engine:
    from importlib.util import find_spec

    from sqlalchemy import NullPool, create_engine

    url = address.url
    if url.get_backend_name() == "sqlite":
        path = locate(_sqlite_path(url.database), folder)
        uri = f"file:{quote(str(path.resolve()))}?mode=ro"
        return create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=NullPool
        )
    if url.drivername == "postgresql" and find_spec("psycopg2") is None:
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, poolclass=NullPool, hide_parameters=True)


def _sqlite_path(database: str | None) -> str:
    if not database or database == ":memory:" or database.startswith("file:"):
        raise SourceError("sql: an SQLite URL must name a file, as in sqlite:///orders.db")
    return database


def _read_only(dialect: str) -> dict[str, Any]:
    return {"postgresql_readonly": True} if dialect == "postgresql" else {}


def _begin_read_only(source: Connection) -> None:
    statement = {
        "sqlite": "PRAGMA query_only = ON",
        "mysql": "SET TRANSACTION READ ONLY",
        "mariadb": "SET TRANSACTION READ ONLY",
        "oracle": "SET TRANSACTION READ ONLY",
    }.get(source.dialect.name)
    if statement:
        source.exec_driver_sql(statement)


def _whole_table(source: Connection, wanted: str) -> str:
    """Write the query of a whole table, named alone or with its schema."""
    from sqlalchemy import inspect

    inspector = inspect(source)
    quoted = source.dialect.identifier_preparer.quote_identifier
    there = [*inspector.get_table_names(), *inspector.get_view_names()]
    if wanted in there:
        return f"SELECT * FROM {quoted(wanted)}"  # noqa: S608 - quoted
    schema, dot, name = wanted.partition(".")
    if dot and schema in inspector.get_schema_names():
        inside = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
        if name in inside:
            return f"SELECT * FROM {quoted(schema)}.{quoted(name)}"  # noqa: S608 - quoted
        there = [f"{schema}.{each}" for each in inside]
    raise SourceError(
        f"sql: no table {printable(wanted)!r} in the database; it has {listed(there)}"
    )


def _stream(
    source: Connection, query: str, connection: duckdb.DuckDBPyConnection, relation: str
) -> Sink:
    streaming = source.execution_options(stream_results=True, no_parameters=True)
    result = streaming.exec_driver_sql(query).yield_per(BATCH)
    names = tuple(result.keys())
    refuse_names(names, "sql: the query's result")
    sink = Sink(connection, relation, names)
    for rows in result.partitions(BATCH):
        sink.take([tuple(row) for row in rows])
    return sink
