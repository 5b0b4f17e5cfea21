"""Ids survive every kind of source exactly as text, whatever they are."""

from __future__ import annotations

import csv
import sqlite3

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from keycustomer.customers.reading import stage
from keycustomer.customers.specification import TableSpecification
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

ids = st.lists(
    st.text(
        st.characters(exclude_categories=("Cs",), exclude_characters="\x00"),
        min_size=1,
        max_size=12,
    ),
    min_size=1,
    max_size=8,
)
AWKWARD = ["007", "1e5", " 12", "12 ", "NA", "null", "-", "1,5", '"', "'", "TRUE", "2020-01-02"]

exact = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("roundtrip")


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        yield connection


def read(connection, folder, **source):
    staged = stage(connection, "transactions", TableSpecification(**source), folder)
    assert staged.columns["id"] == "VARCHAR"
    rows = connection.execute(f"SELECT id FROM {staged.relation} ORDER BY source_row").fetchall()
    return [row[0] for row in rows]


@exact
@given(values=ids)
@example(values=AWKWARD)
@example(values=["a\rb", "a\nb", "a\r\nb", "\r", "\n"])
def test_csv(connection, folder, values):
    with (folder / "x.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([["id", "n"], *([value, "1"] for value in values)])
    assert read(connection, folder, csv="x.csv") == values


@exact
@given(values=ids)
@example(values=AWKWARD)
def test_parquet(connection, folder, values):
    pq.write_table(pa.table({"id": values}), folder / "x.parquet")
    assert read(connection, folder, parquet="x.parquet") == values


@exact
@given(values=ids)
@example(values=AWKWARD)
def test_sqlite(connection, folder, values):
    with sqlite3.connect(folder / "x.db") as file:
        file.execute("DROP TABLE IF EXISTS t")
        file.execute("CREATE TABLE t (id TEXT)")
        file.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
    file.close()
    assert read(connection, folder, sql="sqlite:///x.db", table="t") == values


@settings(exact, max_examples=25)
@given(values=ids)
@example(values=AWKWARD)
def test_excel(connection, folder, values):
    legal = [ILLEGAL_CHARACTERS_RE.sub("", value).replace("\r", "") for value in values]
    kept = [value for value in legal if value and not value.startswith("=")] or ["007"]
    book = Workbook()
    book.active.append(["id"])
    for row, value in enumerate(kept, 2):
        cell = book.active.cell(row, 1)
        cell.value = value
        cell.data_type = "s"
    book.save(folder / "x.xlsx")
    assert read(connection, folder, excel="x.xlsx") == kept


@settings(exact, max_examples=60)
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
@example(numbers=[0.1, 7.0, 1e22, 5e-324, -0.0, 123456789.125])
def test_numbers_in_excel_are_the_same_numbers_as_text(numbers):
    from keycustomer.customers.reading.batches import shortest

    for number in numbers:
        text = shortest(number)
        assert float(text) == number
        assert "e" not in text.lower()
