"""Prepared bases of order lines, written from frames without an import step."""

from pathlib import Path

import duckdb
import pandas as pd
from keycustomer.customers import CustomerBase, open_base
from prepared_base import FACTS

DATES = ("date",)


def sold_base(path: Path, tables: dict[str, pd.DataFrame], **facts: str) -> CustomerBase:
    """Write frames as the tables of a base, and open it."""
    with duckdb.connect(str(path)) as connection:
        for name, frame in tables.items():
            connection.register("given", frame)
            days = [f'"{c}"::date as "{c}"' for c in frame.columns if c in DATES]
            chosen = f"* replace ({', '.join(days)})" if days else "*"
            connection.execute(f"create table {name} as select {chosen} from given")
            connection.unregister("given")
        connection.execute("create table provenance (key varchar, value varchar)")
        said = list((FACTS | facts).items())
        connection.executemany("insert into provenance values (?, ?)", said)
    return open_base(path, threads=1)
