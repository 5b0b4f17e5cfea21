"""Prepared bases with every table of the data model, written from frames without an import step."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from keycustomer.customers import CustomerBase, open_base
from keycustomer.simulate import simulate_company
from prepared_base import FACTS

CONSTRUCTS = ("functional", "convenience", "social", "experiential", "sacrifice", "satisfaction")
KINDS = {
    "firmographic": ["industry", "employees", "sites", "ownership"],
    "geographic": ["region", "settlement"],
    "psychographic": ["price_orientation", "innovativeness"],
    "value": ["estimated_potential"],
}


def write_base(path: Path, tables: dict[str, pd.DataFrame], **facts: Any) -> CustomerBase:
    """Write frames as the tables of a base, and open it."""
    said = FACTS | {k: v if isinstance(v, str) else json.dumps(v) for k, v in facts.items()}
    with duckdb.connect(str(path)) as connection:
        for name, frame in tables.items():
            connection.register("given", frame)
            days = [c for c, kind in frame.dtypes.items() if kind.kind == "M"]
            dated = ", ".join(f'"{c}"::date as "{c}"' for c in days)
            chosen = f"select * replace ({dated})" if days else ""
            connection.execute(f"create table {name} as {chosen} from given")
            connection.unregister("given")
        connection.execute("create table provenance (key varchar, value varchar)")
        connection.executemany("insert into provenance values (?, ?)", list(said.items()))
    return open_base(path, threads=1)


def order_lines(table: pd.DataFrame) -> pd.DataFrame:
    """Order lines as a base keeps them: revenue, discount and cost of the line."""
    units = table["quantity"]
    lines = table[["customer_id", "order_id", "date", "product_id", "quantity", "channel"]]
    return lines.assign(
        line=range(len(table)),
        revenue=units * table["price"],
        discount=units * (table["list_price"] - table["price"]),
        cost=units * table["unit_cost"],
    )


def telecom_base(path: Path, accounts: int = 300, **facts: Any) -> CustomerBase:
    """Base of the simulated operator, with all its tables."""
    tables = dict(simulate_company(accounts=accounts, seed=4).tables())
    tables["transactions"] = order_lines(tables["transactions"])
    survey = tables["survey"]
    asked = {kind: [c for c in survey if c.startswith(f"{kind}_")] for kind in CONSTRUCTS}
    end = pd.to_datetime(tables["transactions"]["date"]).max() + pd.offsets.MonthEnd(0)
    known = {
        "title": "Business customers of a simulated operator",
        "simulated": "true",
        "start": "2023-01-01",
        "end": str(end.date()),
        "attributes": KINDS,
        "constructs": asked,
    }
    return write_base(path, tables, **(known | facts))
