"""Bases written in bulk from tables, for what needs more rows than one writes by hand."""

import duckdb
from keycustomer.customers.base import open_base
from prepared_base import COLUMNS, FACTS


def write_base(folder, tables, **facts):
    """Write tables into a prepared base in a folder and open it."""
    path = folder / f"base{len(list(folder.iterdir()))}.duckdb"
    with duckdb.connect(str(path)) as connection:
        for name, frame in tables.items():
            connection.register("given", frame)
            connection.execute(f"create table {name} ({COLUMNS[name]})")
            connection.execute(f"insert into {name} by name select * from given")
            connection.unregister("given")
        connection.execute("create table provenance (key varchar, value varchar)")
        rows = list((FACTS | facts).items())
        connection.executemany("insert into provenance values (?, ?)", rows)
    return open_base(path, threads=1)
