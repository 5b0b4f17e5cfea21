"""Prepared bases with contracts, written from frames without an import step."""

import json
from pathlib import Path

import duckdb
import pandas as pd
from keycustomer.customers import CustomerBase, open_base
from prepared_base import FACTS


def contract_base(path: Path, tables: dict[str, pd.DataFrame], **facts: object) -> CustomerBase:
    """Write frames as the tables of a base, and open it."""
    said = FACTS | {k: v if isinstance(v, str) else json.dumps(v) for k, v in facts.items()}
    with duckdb.connect(str(path)) as connection:
        for name, frame in tables.items():
            connection.register("given", frame)
            kinds = [f'"{c}"::date as "{c}"' for c in frame.select_dtypes("datetime")]
            chosen = f"* replace ({', '.join(kinds)})" if kinds else "*"
            connection.execute(f"create table {name} as select {chosen} from given")
            connection.unregister("given")
        connection.execute("create table provenance (key varchar, value varchar)")
        connection.executemany("insert into provenance values (?, ?)", list(said.items()))
    return open_base(path, threads=1)


def contracts(*rows: tuple[str, str, str | None, str | None, str | None]) -> pd.DataFrame:
    """Contracts: customer_id, start, end, relationship_level, price_plan."""
    names = ["customer_id", "start", "end", "relationship_level", "price_plan"]
    table = pd.DataFrame(rows, columns=names)
    for name in ("start", "end"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[s]")
    return table.astype({"relationship_level": "str", "price_plan": "str"})
