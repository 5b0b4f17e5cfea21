"""Customers month by month: they agree with the simulated truth, and say what they left out."""

import numpy as np
import pandas as pd
import pytest
from contract_bases import contract_base, contracts
from keycustomer.relationships import LEVELS, customer_months
from keycustomer.relationships.months.terms import term_of
from keycustomer.simulate import CHANNELS, simulate_company

ROUNDED = 0.005
"""Amounts of a base are rounded to four decimals a line, at most twelve lines a month."""

SAME_SHARE = 1e-4
"""Discounts are ratios of such amounts, the smallest of some euro."""


@pytest.fixture(scope="module")
def company():
    """One simulated company of this file."""
    return simulate_company(400, 30, 5)


@pytest.fixture(scope="module")
def months(company):
    """Give its months."""
    return customer_months(company)


def made(tmp_path, rows, **tables):
    return contract_base(tmp_path / "made.duckdb", {"contracts": contracts(*rows)} | tables)


def of(months, customer_id="A"):
    frame = months.frame
    return frame[frame["customer_id"] == customer_id].set_index("number")


def test_every_month_of_the_simulated_process_is_there_and_no_other(company, months):
    frame, panel = months.frame, company.panel
    assert len(frame) == panel.active.sum()
    number = frame["customer_id"].str[1:].astype(int).to_numpy() - 1
    at = (frame["number"].to_numpy(), number)
    assert panel.active[at].all()
    for name, truth in {
        "level": panel.level,
        "contract_left": panel.contract_left,
        "visit": panel.visits,
        "call": panel.calls,
        "complaints": panel.complaints,
        "resolved_first": panel.first_contact,
        "competitor_offer": panel.offer,
    }.items():
        assert (frame[name] == truth[at]).all(), name
    assert (frame["left"] == (panel.left[number] == at[0])).all()
    assert (frame["contacts"] == frame["visit"] + frame["call"]).all()
    assert (frame["channel"] == np.array(CHANNELS)[panel.channel[at]]).all()
    owned = (panel.adopted[number] <= at[0][:, None]).sum(axis=1)
    assert (frame["products"] == owned).all()


def test_amounts_follow_the_simulated_process(company, months):
    frame, panel = months.frame, company.panel
    at = (frame["number"].to_numpy(), frame["customer_id"].str[1:].astype(int).to_numpy() - 1)
    # quantities are billed to the hundredth of a unit, half of one for each of twelve products
    for name, truth in {"revenue": panel.revenue, "margin": panel.margin}.items():
        assert np.corrcoef(frame[name], truth[at])[0, 1] > 0.999999
        assert frame[name].sum() == pytest.approx(float(truth[at].sum()), rel=1e-4)
    # single cheap products are billed with a minimum, which lets the share move a little
    assert np.abs(frame["discount"] - panel.discount[at]).max() < 0.001


def test_a_year_is_the_sum_of_the_twelve_months_before(months):
    frame = months.frame
    whole = frame.groupby("customer_id")["margin"].transform(
        lambda margin: margin.shift().rolling(12, min_periods=1).mean() * 12
    )
    np.testing.assert_allclose(frame["last_year_margin"], whole, rtol=1e-9)
    first = frame.groupby("customer_id")["number"].transform("min") == frame["number"]
    assert frame.loc[first, "last_year_revenue"].isna().all()
    assert frame.loc[~first, "last_year_revenue"].notna().all()


def test_trouble_is_counted_as_known_at_the_end_of_each_month(company, months):
    complaints = company.tables()["interactions"].query("kind == 'complaint'")
    for _, row in months.frame.sample(60, random_state=1).iterrows():
        end = row["month"] + pd.offsets.MonthEnd(0)
        own = complaints[(complaints["customer_id"] == row["customer_id"])]
        known = own[own["date"] <= end]
        still_open = known["resolved_on"].isna() | (known["resolved_on"] > end)
        assert row["open_complaints"] == still_open.sum()
        closed = known[known["resolved_on"].between(row["month"], end)]
        days = (closed["resolved_on"] - closed["date"]).dt.days.mean()
        np.testing.assert_allclose(row["resolution_days"], days)


def test_a_base_and_the_company_it_was_made_from_give_the_same_months(telecom_base):
    base = customer_months(telecom_base)
    size = telecom_base.simulation
    company = customer_months(simulate_company(size["accounts"], size["months"], size["seed"]))
    assert list(base.frame) == list(company.frame)
    assert base.present.equals(company.present)
    amounts = ["revenue", "margin", "list_revenue", "discount"]
    amounts += ["last_year_margin", "last_year_revenue"]
    pd.testing.assert_frame_equal(
        base.frame.drop(columns=amounts), company.frame.drop(columns=amounts), check_dtype=False
    )
    for name in amounts:
        allowed = {"discount": SAME_SHARE, "last_year_margin": 12 * ROUNDED}.get(name, ROUNDED)
        allowed = 12 * ROUNDED if name == "last_year_revenue" else allowed
        np.testing.assert_allclose(base.frame[name], company.frame[name], atol=allowed, rtol=0)
    pd.testing.assert_frame_equal(base.customers, company.customers, check_dtype=False)
    assert base.churn == company.churn
    assert (base.start, base.end) == (company.start, company.end)


def test_a_term_counts_down_to_one_and_begins_anew(tmp_path):
    months = made(
        tmp_path,
        [
            ("A", "2023-11-01", "2024-04-30", "basic", "6 months"),
            ("A", "2024-05-01", None, "basic", "6 months"),
        ],
    )
    counted = customer_months(months).frame["contract_left"].tolist()
    assert counted == [4, 3, 2, 1, 6, 5, 4, 3, 2, 1, 6, 5]


def test_a_change_of_level_does_not_begin_a_new_term(tmp_path):
    base = made(
        tmp_path,
        [
            ("A", "2024-01-01", "2024-03-31", "basic", "12 months"),
            ("A", "2024-04-01", None, " Proactive ", "12 months"),
        ],
    )
    frame = of(customer_months(base))
    assert frame["contract_left"].tolist() == list(range(12, 0, -1))
    assert frame["level"].tolist() == [0] * 3 + [LEVELS.index("proactive")] * 9


def test_a_term_that_begins_within_a_month_ends_within_one(tmp_path):
    base = made(tmp_path, [("A", "2024-02-15", None, None, "3 months")])
    frame = of(customer_months(base))
    # 15 February to 14 May, then to 14 August, to 14 November
    assert frame["contract_left"].loc[1:8].tolist() == [4, 3, 2, 1, 3, 2, 1, 3]


def test_who_left_is_seen_from_the_last_contract(tmp_path):
    base = made(
        tmp_path,
        [
            ("ended", "2024-01-01", "2024-05-31", None, None),
            ("ends on the last day", "2024-01-01", "2024-12-31", None, None),
            ("runs", "2024-01-01", None, None, None),
            ("ends later", "2024-01-01", "2025-03-31", None, None),
            ("follows", "2024-01-01", "2024-12-31", None, None),
            ("follows", "2025-01-01", None, None, None),
            ("back", "2024-01-01", "2024-02-10", None, None),
            ("back", "2024-06-20", "2024-07-15", None, None),
        ],
    )
    months = customer_months(base)
    left = months.frame[months.frame["left"]].set_index("customer_id")["number"].to_dict()
    assert left == {"back": 6, "ended": 4, "ends on the last day": 11}
    assert months.present.tolist() == ["ends later", "follows", "runs"]
    assert of(months, "back").index.tolist() == [0, 1, 5, 6]
    assert any("1 customers came back" in note for note in months.notes)


def test_who_left_before_the_month_was_over_is_told(tmp_path):
    rows = [("a", "2024-01-01", "2024-05-12", None, None), ("b", "2024-01-01", None, None, None)]
    last = ("c", "2024-01-01", "2024-06-30", None, None)
    cut = customer_months(made(tmp_path, [*rows, last]))
    assert any("1 of 2 who left did so before the month was over" in note for note in cut.notes)
    (tmp_path / "whole").mkdir()
    whole = customer_months(made(tmp_path / "whole", [rows[1], last]))
    assert not any("before the month was over" in note for note in whole.notes)


def test_customers_and_rows_that_no_month_holds_are_counted(tmp_path):
    day = pd.Timestamp("2024-03-05")
    base = made(
        tmp_path,
        [
            ("A", "2024-01-01", "2024-02-29", None, None),
            ("old", "2020-01-01", "2021-12-31", None, None),
            ("new", "2025-02-01", None, None, None),
        ],
        customers=pd.DataFrame({"customer_id": ["A", "old", "new", "never"]}),
        interactions=pd.DataFrame({"customer_id": ["A"], "date": [day], "kind": ["visit"]}),
    )
    months = customer_months(base, complaint_kinds=())
    assert set(map(tuple, months.excluded.to_numpy().tolist())) == {
        ("customers without a contract", 1, 1),
        ("customers whose contracts begin after the window", 1, 1),
        ("customers whose contracts ended before the window", 1, 1),
        ("contacts in months without a contract", 1, 1),
    }
    assert "customers without a contract" in months._repr_html_()


def test_what_a_base_does_not_have_is_missing_and_said(tmp_path):
    base = made(tmp_path, [("A", "2023-06-01", None, "gold", "tariff x")])
    months = customer_months(base)
    frame = months.frame
    for name in ("revenue", "margin", "discount", "products", "contacts", "open_complaints"):
        assert frame[name].isna().all(), name
    assert (frame["level"] == -1).all() and (frame["contract_left"] == 0).all()
    assert frame["tenure"].iloc[0] == pytest.approx(214 / 365.25)  # 1 June to 1 January
    told = " ".join(months.notes)
    for word in ("12 customer-months", "transactions", "interactions", "tariff x"):
        assert word in told


def test_a_margin_is_assumed_only_where_the_case_does(tmp_path):
    lines = pd.DataFrame(
        {
            "customer_id": ["A", "A", "A"],
            "date": pd.to_datetime(["2024-01-10", "2024-01-20", "2024-02-10"]),
            "product_id": ["p", "q", "p"],
            "revenue": [80.0, 50.0, 40.0],
            "discount": [20.0, 0.0, 0.0],
            "cost": [None, 30.0, 10.0],
            "channel": ["shop", "web", None],
        }
    )
    rows = [("A", "2024-01-01", None, None, None)]
    products = pd.DataFrame({"product_id": ["p", "q"], "category": ["c", "c"]})
    known = of(customer_months(made(tmp_path, rows, transactions=lines, products=products)))
    assert known["margin"].isna().tolist()[:3] == [True, False, False]
    assert known["margin"].iloc[1:3].tolist() == [30.0, 0.0]
    assert known.loc[0, ["revenue", "list_revenue", "products", "categories"]].tolist() == [
        *(130.0, 150.0),
        *(2, 1),
    ]
    assert known["discount"].iloc[0] == pytest.approx(20 / 150)
    assert known["channel"].iloc[0] == "shop" and known["channel"].iloc[1:].isna().all()
    assumed = contract_base(
        tmp_path / "assumed.duckdb",
        {"contracts": contracts(*rows), "transactions": lines},
        margin="0.4",
    )
    # 80 paid for a list value of 100, which cost 60; and 50 that cost 30
    assert of(customer_months(assumed))["margin"].iloc[0] == pytest.approx(80 - 60 + 20)


def test_kinds_of_contacts_become_columns_and_keep_clear_of_the_others(tmp_path):
    kinds = ["e-mail", "E mail", "left", "complaint"]
    contacts = pd.DataFrame(
        {"customer_id": "A", "date": pd.Timestamp("2024-01-05"), "kind": kinds, "cost": 2.0}
    )
    base = made(tmp_path, [("A", "2024-01-01", None, None, None)], interactions=contacts)
    months = customer_months(base, contact_kinds=("e-mail", "E mail"))
    first = of(months).iloc[0]
    assert first[["e_mail", "left_contacts", "contacts", "complaints"]].tolist() == [2, 1, 2, 1]
    assert first["contact_cost"] == 8 and first["open_complaints"] == 1
    assert not first["left"]


def test_attributes_are_typed_by_what_they_hold(tmp_path):
    customers = pd.DataFrame(
        {
            "customer_id": ["A", "B"],
            "joined_on": pd.to_datetime(["2019-01-01", None]),
            "sites": ["3", "12"],
            "key": ["true", "false"],
            "code": ["007", "12"],
            "colour": ["red", None],
        }
    )
    rows = [(name, "2023-01-01", None, None, None) for name in "AB"]
    base = contract_base(
        tmp_path / "typed.duckdb",
        {"contracts": contracts(*rows), "customers": customers},
        attributes={"firm": ["sites", "key", "code", "colour"]},
    )
    months = customer_months(base)
    people = months.customers.set_index("customer_id")
    assert people["sites"].tolist() == [3, 12] and people["key"].tolist() == [True, False]
    assert people["code"].tolist() == ["007", "12"]
    assert people["manager"].isna().all()
    assert of(months, "A")["tenure"].iloc[0] == pytest.approx(5, abs=0.01)
    assert of(months, "B")["tenure"].iloc[0] == pytest.approx(1, abs=0.01)


def test_sources_that_cannot_be_laid_out_are_refused(tmp_path, hand_made_base):
    with pytest.raises(ValueError, match="no contracts table, so nobody can be said to have left"):
        customer_months(hand_made_base({"transactions": []}))
    with pytest.raises(TypeError, match="source=DataFrame: a prepared CustomerBase"):
        customer_months(pd.DataFrame())
    good = ("A", "2024-01-01", None, None, None)
    with pytest.raises(TypeError, match="contact_kinds='visit': a sequence of texts"):
        customer_months(made(tmp_path, [good]), contact_kinds="visit")
    wrong = [("B", "2024-05-01", "2024-04-01", None, None), good]
    (tmp_path / "made.duckdb").unlink()
    with pytest.raises(ValueError, match=r"1 contracts end before they begin .*\['B'\]"):
        customer_months(made(tmp_path, wrong))
    (tmp_path / "made.duckdb").unlink()
    with pytest.raises(ValueError, match="no contract runs between 2024-01-01 and 2024-12-31"):
        customer_months(made(tmp_path, [("A", "2025-06-01", None, None, None)]))


def test_contracts_without_days_and_unknown_kinds_are_refused(tmp_path):
    undated = contracts(("A", "2024-01-01", None, None, None)).drop(columns="start")
    base = contract_base(tmp_path / "undated.duckdb", {"contracts": undated.assign(tenure=3)})
    with pytest.raises(ValueError, match=r"no first days \(column start\)"):
        customer_months(base)
    contacts = pd.DataFrame(
        {"customer_id": ["A"], "date": [pd.Timestamp("2024-01-05")], "kind": ["chat"]}
    )
    base = made(tmp_path, [("A", "2024-01-01", None, None, None)], interactions=contacts)
    with pytest.raises(ValueError, match=r"contact_kinds=.*there are \['chat'\]"):
        customer_months(base)


@pytest.mark.parametrize(
    ("plan", "term"),
    [
        ("12 months", 12),
        ("24-month", 24),
        ("Two year", 24),
        ("One year", 12),
        ("monthly", 0),
        ("Month-to-month", 0),
        ("no fixed term", 0),
        ("Tariff 2024", None),
        ("gold", None),
    ],
)
def test_the_length_of_a_contract_is_read_from_its_plan(plan, term):
    assert term_of(plan) == term
