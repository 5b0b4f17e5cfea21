"""Prepared bases filled by hand, for tests that know every number in advance."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb
import pandas as pd
from keycustomer.customers.base import DATA_VERSION, CustomerBase, open_base
from keycustomer.customers.schema import SQL_TYPES, TABLES
from keycustomer.customers.statements import identifier

LINE = {
    "line": "BIGINT",
    "customer_id": "VARCHAR",
    "order_id": "VARCHAR",
    "date": "DATE",
    "product_id": "VARCHAR",
    "quantity": "DECIMAL(18,4)",
    "revenue": "DECIMAL(18,4)",
    "discount": "DECIMAL(18,4)",
    "cost": "DECIMAL(18,4)",
    "channel": "VARCHAR",
}


def lines(*rows: tuple, **defaults: object) -> pd.DataFrame:
    """Order lines from (customer, date, revenue[, product[, cost]])."""
    frame = pd.DataFrame(
        [(*row, *[None] * (5 - len(row))) for row in rows],
        columns=["customer_id", "date", "revenue", "product_id", "cost"],
    )
    frame["order_id"] = [f"o{i}" for i in range(len(frame))]
    frame["quantity"] = 1
    return frame.assign(line=range(1, len(frame) + 1), **defaults)


def handmade_base(
    path: Path,
    *,
    start: str = "2020-01-01",
    end: str = "2020-12-31",
    attributes: dict[str, list[str]] | None = None,
    identifiable: bool = False,
    margin: str = "",
    cost_per_order: str = "0",
    **tables: pd.DataFrame,
) -> CustomerBase:
    """Write a prepared base of the given tables and open it."""
    with duckdb.connect(str(path)) as connection:
        for name, frame in tables.items():
            _fill(connection, name, frame, attributes or {})
        _declare(
            connection,
            title="By hand",
            data="made for a test",
            currency="USD",
            time_zone="UTC",
            simulated="false",
            identifiable=str(identifiable).lower(),
            start=dt.date.fromisoformat(start).isoformat(),
            end=dt.date.fromisoformat(end).isoformat(),
            margin=margin,
            cost_per_order=cost_per_order,
            attributes=json.dumps(attributes or {}),
            constructs="{}",
            simulation="null",
            data_version=str(DATA_VERSION),
            fingerprint="by hand",
            inputs="[]",
        )
    return open_base(path, threads=1)


def _fill(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    frame: pd.DataFrame,
    attributes: dict[str, list[str]],
) -> None:
    types = LINE if name == "transactions" else {k: SQL_TYPES[c.kind] for k, c in _columns(name)}
    if name == "customers":
        types |= {column: "VARCHAR" for kind in attributes.values() for column in kind}
    if name != "transactions":
        # A prepared table has the columns that its source has; transactions always have all.
        types = {column: kind for column, kind in types.items() if column in frame}
    columns = ", ".join(f"{identifier(column)} {kind}" for column, kind in types.items())
    connection.execute(f'create table "{name}" ({columns})')
    known = [column for column in types if column in frame]
    quoted = ", ".join(identifier(column) for column in known)
    values = frame[known].astype(object).where(frame[known].notna(), None)
    connection.register("values", values)
    connection.execute(f'insert into "{name}" ({quoted}) select {quoted} from "values"')
    connection.unregister("values")


def _columns(name: str) -> list:
    return list(TABLES[name].columns.items())


def _declare(connection: duckdb.DuckDBPyConnection, **facts: str) -> None:
    connection.execute("create table provenance (key varchar, value varchar)")
    connection.executemany("insert into provenance values (?, ?)", [*map(list, facts.items())])
    connection.execute(
        "create table exclusions (table_name varchar, rule varchar, action varchar, "
        "rows bigint, value decimal(18,4), note varchar)"
    )
    connection.execute(
        "create table findings (table_name varchar, column_name varchar, rule varchar, "
        "severity varchar, rows bigint, examples varchar, cure varchar)"
    )
