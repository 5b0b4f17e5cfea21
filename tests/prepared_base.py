"""A small prepared base made by hand, so that table and report tests need no import step."""

import duckdb
import pytest
from keycustomer.customers.base import DATA_VERSION, open_base

COLUMNS = {
    "transactions": "line bigint, customer_id varchar, order_id varchar, date date, "
    "product_id varchar, quantity decimal(18,4), revenue decimal(18,4), discount decimal(18,4), "
    "cost decimal(18,4), channel varchar",
    "customers": "customer_id varchar, name varchar",
    "products": "product_id varchar, category varchar",
    "interactions": "customer_id varchar, date date, kind varchar, cost decimal(18,4)",
    "contracts": 'customer_id varchar, start date, "end" date',
}
FACTS = {
    "title": "Hand-made",
    "data": "Made by hand for a test.",
    "currency": "EUR",
    "time_zone": "UTC",
    "simulated": "true",
    "identifiable": "true",
    "start": "2024-01-01",
    "end": "2024-12-31",
    "margin": "",
    "cost_per_order": "0",
    "attributes": "{}",
    "constructs": "{}",
    "simulation": "null",
    "data_version": str(DATA_VERSION),
    "fingerprint": "0",
    "inputs": "[]",
}


@pytest.fixture
def hand_made_base(tmp_path):
    """Return a function that writes rows by table and opens the base."""

    def make(rows, **facts):
        path = tmp_path / f"base{len(list(tmp_path.iterdir()))}.duckdb"
        with duckdb.connect(str(path)) as connection:
            for table, values in rows.items():
                connection.execute(f"create table {table} ({COLUMNS[table]})")
                marks = ", ".join("?" * len(COLUMNS[table].split(", ")))
                if values:
                    connection.executemany(f"insert into {table} values ({marks})", values)
            connection.execute("create table provenance (key varchar, value varchar)")
            connection.executemany(
                "insert into provenance values (?, ?)", list((FACTS | facts).items())
            )
        return open_base(path, threads=1)

    return make
