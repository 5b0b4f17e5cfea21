"""The prepared customer base: one DuckDB file that chapters and readers query.

`open_base` opens it read-only as a `CustomerBase`. Money in it is `DECIMAL(18,4)`, physically a
64-bit integer in 1/10,000 of the currency unit, so that sums are exact and ranks never flip.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import os
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from keycustomer.customers.schema import SQL_TYPES, TABLES
from keycustomer.customers.statements import identifier

DATA_VERSION = 3
"""Raised whenever the same inputs would give another base; older bases are then made anew."""

# Tables that later queries join to; where a case lacks one, an empty view stands in.
_JOINED = ("customers", "products", "interactions")


@dataclass(frozen=True)
class CustomerBase:
    """A prepared customer base, opened read-only.

    Attributes
    ----------
    path : Path
        The DuckDB file.
    title, data, currency, time_zone : str
        As the case file states them.
    simulated, identifiable : bool
        Whether the data are made up; whether customers may be named.
    window : tuple of datetime.date or None
        First and last day observed, inclusive; None where a base of answers alone states none.
    margin : float or None
        Assumed gross margin as a share of list value, 0..1, where no cost is recorded.
    cost_per_order : float
        Assumed cost of handling one order, currency.
    attributes : dict of str to list of str
        Attribute columns of the customers by kind.
    constructs : dict of str to list of str
        Items of the survey by what they ask about.
    simulation : dict of str to int or None
        Accounts, months and seed of the simulated company the base was made from.
    tables : frozenset of str
        The data-model tables the base has.
    fingerprint : str
        Hash of the specification and the inputs the base was made from.
    """

    path: Path
    title: str
    data: str
    currency: str
    time_zone: str
    simulated: bool
    identifiable: bool
    window: tuple[dt.date, dt.date] | None
    margin: float | None
    cost_per_order: float
    attributes: dict[str, list[str]]
    constructs: dict[str, list[str]]
    simulation: dict[str, int] | None
    tables: frozenset[str]
    fingerprint: str
    inputs: list[dict[str, Any]] = field(repr=False)
    connection: duckdb.DuckDBPyConnection = field(repr=False, compare=False)

    @property
    def start(self) -> dt.date:
        """First day observed."""
        return self._observed()[0]

    @property
    def end(self) -> dt.date:
        """Last day observed."""
        return self._observed()[1]

    def _observed(self) -> tuple[dt.date, dt.date]:
        if self.window is None:
            raise ValueError(
                f"the base {self.title!r} does not say which days it covers: it holds answers "
                "without days; write `observed: {start: ..., end: ...}` in its case file"
            )
        return self.window

    @property
    def days(self) -> int:
        """Number of days observed."""
        return (self.end - self.start).days + 1

    @property
    def exclusions(self) -> pd.DataFrame:
        """Rows and value removed by each rule: table_name, rule, action, rows, value, note."""
        return self.query("from exclusions")

    @property
    def findings(self) -> pd.DataFrame:
        """What the checks found: table_name, column_name, rule, severity, rows, examples, cure."""
        return self.query("from findings")

    def query(self, sql: str, /, **parameters: Any) -> pd.DataFrame:
        """Run a query on the base's tables.

        Parameters
        ----------
        sql : str
            A query; parameters stand as `$name`.
        **parameters
            Values of the parameters, bound, never pasted.

        Returns
        -------
        DataFrame
            The result; amounts come as float64 in the currency unit.
        """
        return self.connection.execute(sql, parameters or None).df()

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether the base has a table, or a column of it with at least one value."""
        if table not in self.tables or column is None:
            return table in self.tables
        columns = self.query(f"describe {table}")["column_name"]
        if column not in set(columns):
            return False
        filled = f"select 1 from {table} where {identifier(column)} is not null limit 1"  # noqa: S608
        return len(self.query(filled)) > 0

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def _repr_html_(self) -> str:
        facts = {
            "Data": self.data,
            "Observed": f"{self.start} to {self.end} ({self.days} days)"
            if self.window
            else "days not stated",
            "Currency, time zone": f"{self.currency}, {self.time_zone}",
            "Tables": ", ".join(sorted(self.tables)),
            "Assumed margin": "none" if self.margin is None else f"{self.margin:.0%} of list value",
        }
        if self.simulated:
            facts = {"Simulated data": "made up by a program; no real customer"} | facts
        rows = "".join(
            f"<tr><th scope='row'>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>"
            for k, v in facts.items()
        )
        return f"<table><caption>{html.escape(self.title)}</caption><tbody>{rows}</tbody></table>"


def open_base(
    path: str | Path, *, threads: int | None = None, memory_limit: str | None = None
) -> CustomerBase:
    """Open a prepared base read-only.

    Parameters
    ----------
    path : str or Path
        The DuckDB file that `prepare_base` wrote.
    threads : int, optional
        Threads of the engine; default: environment `KEYCUSTOMER_THREADS`, else all cores.
    memory_limit : str, optional
        Memory limit of the engine, such as `2GB`; default: `KEYCUSTOMER_MEMORY_LIMIT`, else the
        engine's own.

    Returns
    -------
    CustomerBase

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When the file is not a prepared base.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no prepared customer base at {path}; run the case first")
    connection = _connect(path)
    configure(connection, threads=threads, memory_limit=memory_limit)
    present = {row[0] for row in connection.execute("show tables").fetchall()}
    if "provenance" not in present:
        connection.close()
        raise ValueError(f"{path} is not a prepared customer base: it has no provenance table")
    _stand_in_for_absent(connection, present)
    facts = dict(connection.execute("select key, value from provenance").fetchall())
    if facts.get("data_version") != str(DATA_VERSION):
        connection.close()
        raise ValueError(f"{path} was prepared by another version of the library; run the case")
    return _from_facts(path, facts, frozenset(present & set(TABLES)), connection)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a file read-only in an engine of its own.

    Connecting to the path itself would share the engine of an earlier connection in this process,
    and with it the former content of a file that has been replaced since.
    """
    connection = in_memory()
    place = str(path).replace("'", "''")
    try:
        connection.execute(f"attach '{place}' as base (read_only)")
    except duckdb.Error:
        connection.close()
        raise
    connection.execute("use base")
    return connection


def in_memory() -> duckdb.DuckDBPyConnection:
    """Open an engine without a file.

    What does not fit into memory goes to the system's folder for temporary files; by the engine's
    default it would go into the reader's working folder.
    """
    spill = Path(tempfile.gettempdir()) / f"keycustomer-{uuid.uuid4().hex}"
    return duckdb.connect(config={"temp_directory": str(spill)})


def configure(
    connection: duckdb.DuckDBPyConnection,
    *,
    threads: int | None = None,
    memory_limit: str | None = None,
) -> None:
    """Set the engine's limits and keep it from fetching extensions."""
    threads = threads or int(os.environ.get("KEYCUSTOMER_THREADS", "0")) or None
    memory_limit = memory_limit or os.environ.get("KEYCUSTOMER_MEMORY_LIMIT") or None
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute("set autoload_known_extensions = false")
    if threads:
        connection.execute("set threads = $threads", {"threads": int(threads)})
    if memory_limit:
        connection.execute("set memory_limit = $limit", {"limit": str(memory_limit)})


def _stand_in_for_absent(connection: duckdb.DuckDBPyConnection, present: set[str]) -> None:
    for name in _JOINED:
        kinds = {column: SQL_TYPES[c.kind] for column, c in TABLES[name].columns.items()}
        if name not in present:
            empty = ", ".join(f'null::{kind} as "{column}"' for column, kind in kinds.items())
            connection.execute(f"create temp view {name} as select {empty} where false")
        elif name != "customers":
            _stand_in_for_columns(connection, name, kinds)


def _stand_in_for_columns(
    connection: duckdb.DuckDBPyConnection, name: str, kinds: dict[str, str]
) -> None:
    """Add the columns that a source did not have, so that queries need not ask."""
    known = {row[0] for row in connection.execute(f"describe {name}").fetchall()}
    absent = [f'null::{kind} as "{c}"' for c, kind in kinds.items() if c not in known]
    if absent:
        catalog = connection.execute("select current_catalog()").fetchall()[0][0]
        quoted = '"' + catalog.replace('"', '""') + '"'
        connection.execute(
            f"create temp view {name} as select *, {', '.join(absent)} "  # noqa: S608
            f"from {quoted}.main.{name}"
        )


def _from_facts(
    path: Path,
    facts: dict[str, str],
    tables: frozenset[str],
    connection: duckdb.DuckDBPyConnection,
) -> CustomerBase:
    return CustomerBase(
        path=path,
        title=facts["title"],
        data=facts["data"],
        currency=facts["currency"],
        time_zone=facts["time_zone"],
        simulated=facts["simulated"] == "true",
        identifiable=facts["identifiable"] == "true",
        window=_window(facts),
        margin=float(facts["margin"]) if facts["margin"] else None,
        cost_per_order=float(facts["cost_per_order"] or 0),
        attributes=json.loads(facts["attributes"]),
        constructs=json.loads(facts["constructs"]),
        simulation=json.loads(facts["simulation"]),
        tables=tables,
        fingerprint=facts["fingerprint"],
        inputs=json.loads(facts["inputs"]),
        connection=connection,
    )


def _window(facts: dict[str, str]) -> tuple[dt.date, dt.date] | None:
    if not facts["start"]:
        return None
    return dt.date.fromisoformat(facts["start"]), dt.date.fromisoformat(facts["end"])
