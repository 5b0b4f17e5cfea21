"""The service record: from a base and from the company behind it, and what it leaves out."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from contract_bases import contract_base
from keycustomer.relationships import read_service
from keycustomer.relationships.service.record import OPINIONS
from keycustomer.simulate import simulate_company

ROUNDING = 1e-9


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    company = simulate_company(120, 24, seed=4)
    tables = dict(company.tables())
    sold = tables["transactions"]
    tables["transactions"] = sold.assign(
        line=range(len(sold)),
        revenue=sold["quantity"] * sold["price"],
        discount=sold["quantity"] * (sold["list_price"] - sold["price"]),
        cost=sold["quantity"] * sold["unit_cost"],
    ).drop(columns=["price", "list_price", "unit_cost"])
    items = {k: [c for c in tables["survey"] if c.startswith(f"{k}_")] for k in OPINIONS}
    days = {"start": "2023-01-01", "end": "2024-12-31", "constructs": items}
    base = contract_base(tmp_path_factory.mktemp("service") / "b.duckdb", tables, **days)
    return read_service(base), read_service(company)


def test_base_and_company_tell_the_same(both):
    one, other = both
    order = ["row", "date", "kind", "phase", "first", "cost"]
    lists = [
        record.contacts[order].astype({"date": "datetime64[s]", "kind": str, "phase": str})
        .sort_values(["row", "date", "kind", "phase"]).reset_index(drop=True)
        for record in both
    ]  # fmt: skip
    pd.testing.assert_frame_equal(*lists, check_dtype=False)
    sort = ["row", "satisfaction", "loyalty"]
    answers = [record.answers.sort_values(sort).reset_index(drop=True) for record in both]
    pd.testing.assert_frame_equal(*answers, atol=ROUNDING)
    assert one.unmatched == other.unmatched and one.outside == other.outside == 0


def test_counts_are_those_of_the_panel(both):
    record = both[0]
    company = simulate_company(120, 24, seed=4)
    visits = record.count((record.contacts["kind"] == "visit").to_numpy())
    active = company.panel.active.T
    np.testing.assert_array_equal(visits, company.panel.visits.T[active])
    assert list(record.to_frame())[:2] == ["customer_id", "month"]
    assert "customer-months" in record._repr_html_()


def test_contacts_of_nobody_are_counted_and_a_base_without_any_is_refused(hand_made_base):
    day = dt.date(2024, 3, 5)
    rows = {
        "customers": [("c1", "One"), ("c2", "Two")],
        "contracts": [("c1", dt.date(2024, 2, 1), None), ("c2", dt.date(2024, 1, 1), None)],
        "transactions": [],
        "products": [],
    }
    contacts = [("c1", day, "call", 3), ("c1", dt.date(2024, 1, 9), "call", 3),
                ("c9", day, "complaint", 3)]  # fmt: skip
    record = read_service(hand_made_base(rows | {"interactions": contacts}))
    assert record.outside == 2 and len(record.contacts) == 1
    assert record.contacts["phase"].isna().all() and record.answers.empty
    with pytest.raises(ValueError, match="has no interactions table"):
        read_service(hand_made_base(rows))


def test_months_laid_out_already_are_taken_as_they_are(both):
    company = simulate_company(120, 24, seed=4)
    again = read_service(company, months=both[1].months)
    assert again.months is both[1].months
