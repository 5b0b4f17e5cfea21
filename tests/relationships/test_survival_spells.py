"""Spells: read from contracts with days or tenures, checked, laid out by month."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from contract_bases import contract_base, contracts
from keycustomer.customers import CustomerBase
from keycustomer.relationships import (
    LEVELS,
    NOT_RECORDED,
    Spells,
    customer_months,
    month_spells,
    read_spells,
)
from keycustomer.simulate import simulate_company


def spells(**columns):
    return read_spells(pd.DataFrame(columns))


def test_simulated_base_gives_back_its_panel(telecom_base: CustomerBase) -> None:
    found = read_spells(telecom_base)
    company = simulate_company(**telecom_base.simulation)
    panel, joined = company.panel, company.accounts.joined.astype(int)
    frame = found.frame
    assert len(frame) == found.customers == len(joined)
    assert frame["entry"].to_numpy() == pytest.approx(np.maximum(-joined, 0))
    last = np.minimum(panel.left, panel.months - 1)
    assert frame["tenure"].to_numpy() == pytest.approx(last - joined + 1)
    assert (frame["ended"] == (panel.left < panel.months)).all()
    assert frame["reason"].notna().sum() > 0.7 * found.left
    assert frame.loc[~frame["ended"], "reason"].isna().all()
    first = np.where(joined > 0, joined, 0)
    levels = panel.level[first, np.arange(len(joined))]
    assert (frame["relationship_level"].cat.codes == levels).all()
    assert frame["relationship_level"].cat.categories.tolist() == list(LEVELS)
    assert frame["employees"].dtype.kind == "i"  # an attribute, typed
    assert any("not in the window" in note for note in found.notes)


def test_months_are_the_same_spells_in_pieces(telecom_base: CustomerBase) -> None:
    pieces = month_spells(customer_months(telecom_base))
    whole = read_spells(telecom_base)
    joined = pieces.frame.groupby("customer_id").agg(
        entry=("entry", "min"), tenure=("tenure", "max"), ended=("ended", "max")
    )
    expected = whole.frame.set_index("customer_id")[["entry", "tenure", "ended"]]
    pd.testing.assert_frame_equal(joined.reindex(expected.index), expected)
    assert (pieces.frame["tenure"] - pieces.frame["entry"] == 1).all()
    assert pieces.frame["estimated_potential"].notna().all()


def test_calendar_time_counts_from_the_window(telecom_base: CustomerBase) -> None:
    pieces = month_spells(customer_months(telecom_base), time="calendar")
    assert (pieces.frame["entry"] == pieces.frame["number"]).all()
    assert pieces.scale == "calendar" and pieces.frame["years"].min() >= 0
    with pytest.raises(ValueError, match=r"time='week' must be 'tenure' or 'calendar'"):
        month_spells(customer_months(telecom_base), time="week")  # type: ignore[arg-type]


def test_undated_contracts_are_tenures(wa_churn_base: CustomerBase) -> None:
    found = read_spells(wa_churn_base)
    assert found.left == 1869 and found.customers == 7032
    assert found.excluded.to_numpy().tolist() == [
        ["never under observation: tenure equals entry", 11]
    ]
    assert set(found.frame["price_plan"]) == {"Month-to-month", "One year", "Two year"}
    assert "monthly_charges" in found.frame
    assert any("as recorded" in note for note in found.notes)
    assert any("had time to come to a longer contract" in note for note in found.notes)


def test_contracts_that_follow_are_one_stay(tmp_path: Path) -> None:
    table = contracts(
        ("a", "2023-11-10", "2024-02-29", "basic", "monthly"),
        ("a", "2024-03-01", None, "proactive", "monthly"),
        ("b", "2024-02-15", "2024-04-30", "reactive", "12 months"),
        ("c", "2022-01-01", "2023-12-31", "basic", "monthly"),
        ("d", "2024-01-01", "2024-02-10", "basic", "monthly"),
        ("d", "2024-05-01", "2024-06-15", "basic", "monthly"),
        ("e", "2025-02-01", None, "basic", "monthly"),
    )
    base = contract_base(tmp_path / "base.duckdb", {"contracts": table})
    found = read_spells(base)
    frame = found.frame.set_index("customer_id")
    rows = frame[["entry", "tenure", "ended"]].to_numpy().tolist()
    assert rows == [[2.0, 14.0, False], [0.0, 3.0, True], [0.0, 6.0, True]]
    assert frame["relationship_level"].tolist() == ["basic", "reactive", "basic"]
    assert found.excluded.to_numpy().tolist() == [
        ["left before the window opened", 1],
        ["contract begins after the window", 1],
    ]
    assert any("1 customers had a pause" in note for note in found.notes)


def test_tables_without_entry_start_at_zero_and_keep_their_columns() -> None:
    found = spells(tenure=[3, 5.5], ended=[True, False], plan=["a", "b"])
    assert found.frame["entry"].tolist() == [0, 0]
    assert found.frame["customer_id"].tolist() == [0, 1]
    assert found.frame["plan"].tolist() == ["a", "b"]
    assert found.reasons().tolist() == [NOT_RECORDED, None]
    assert "2 customers, 1 of whom left" in found._repr_html_()


def test_input_is_not_changed() -> None:
    table = pd.DataFrame({"tenure": [3, 2], "ended": [True, False]})
    before = table.copy()
    found = read_spells(table)
    copy = found.to_frame()
    copy["tenure"] = 0
    pd.testing.assert_frame_equal(table, before)
    assert found.frame["tenure"].tolist() == [3, 2]


def test_covariates_by_customer() -> None:
    known = pd.Series(["x", "y"], index=["b", "a"], name="tier")
    table = pd.DataFrame({"customer_id": ["a", "b"], "tenure": [1, 2], "ended": [True, False]})
    assert read_spells(table, covariates=known).frame["tier"].tolist() == ["y", "x"]
    with pytest.raises(ValueError, match=r"1 spells are of customers who are not in it .*'b'"):
        read_spells(table, covariates=known.drop("b"))
    with pytest.raises(ValueError, match=r"customers \['a'\] stand in it more than once"):
        read_spells(table, covariates=pd.concat([known, known.tail(1)]))
    with pytest.raises(ValueError, match=r"the spells have a column 'ended'"):
        read_spells(table, covariates=known.rename("ended"))


def test_one_reason_as_the_only_event() -> None:
    found = spells(tenure=[1, 2, 3], ended=[True, True, False], reason=["price", "service", None])
    assert found.of_reason("price").frame["ended"].tolist() == [True, False, False]
    with pytest.raises(ValueError, match=r"nobody left for it; reasons found: 'price', 'service'"):
        found.of_reason("moved")


def test_taken_as_if_seen_from_the_start() -> None:
    found = spells(tenure=[3.0, 5.0], ended=[True, False], entry=[1.0, 4.0])
    naive = found.as_if_seen_from_the_start()
    assert naive.frame["entry"].tolist() == [0, 0] and "survivors" in naive.notes[-1].lower()
    pieces = spells(customer_id=["a", "a"], entry=[0, 1], tenure=[1, 2], ended=[False, True])
    with pytest.raises(ValueError, match="in several pieces"):
        pieces.as_if_seen_from_the_start()


COMPLAINTS = [
    ({"tenure": [1]}, "column 'ended' is missing; columns found: tenure"),
    ({"tenure": [], "ended": []}, "no customer in the table"),
    ({"tenure": [1, 2], "ended": [1, 0]}, "'ended' must be True or False"),
    ({"tenure": [1, np.nan], "ended": [True, False]}, r"source\['tenure'\] cannot be measured"),
    ({"tenure": [1, np.inf], "ended": [True, False]}, "infinite"),
    ({"tenure": [1], "ended": [True], "entry": [-1]}, "an entry below 0"),
    ({"tenure": [1], "ended": [True], "entry": [2]}, r"a tenure below its entry \(1 rows"),
    (
        {"customer_id": ["a", "a"], "entry": [0, 1], "tenure": [2, 3], "ended": [False, True]},
        r"rows of one customer that overlap .*\['a'\]",
    ),
    (
        {"customer_id": ["a", "a"], "entry": [0, 2], "tenure": [2, 3], "ended": [True, True]},
        r"rows after the customer has left .*\['a'\]",
    ),
    ({"tenure": [2, 3], "ended": [True, False], "entry": [2, 3]}, "nobody was under observation"),
]


@pytest.mark.parametrize(("columns", "message"), COMPLAINTS)
def test_what_cannot_be_read_is_told(columns, message) -> None:
    with pytest.raises(ValueError, match=message):
        read_spells(pd.DataFrame(columns))


def test_several_complaints_come_together() -> None:
    table = pd.DataFrame({"tenure": [1.0, 4.0], "ended": [True] * 2, "entry": [2.0, -1.0]})
    with pytest.raises(ValueError, match=r"(?s)an entry below 0.*a tenure below its entry"):
        read_spells(table)


def test_other_sources_are_refused(cdnow_base: CustomerBase) -> None:
    with pytest.raises(TypeError, match="source=list"):
        read_spells([1, 2])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no contracts table"):
        read_spells(cdnow_base)


def test_names_in_data_are_escaped() -> None:
    table = pd.DataFrame({"tenure": [0.0, 1.0], "ended": [False, True], "reason": [None, "<b>"]})
    assert "<b>" not in Spells(table.assign(customer_id="<i>", entry=0.0))._repr_html_()


def test_joining_day_on_file_counts_before_the_first_contract(tmp_path: Path) -> None:
    table = contracts(("a", "2024-02-10", None, None, None), ("b", "2024-05-03", None, None, None))
    people = pd.DataFrame({"customer_id": ["a", "b"]})
    people["joined_on"] = pd.to_datetime(["2022-12-31", None]).astype("datetime64[s]")
    base = contract_base(tmp_path / "base.duckdb", {"contracts": table, "customers": people})
    frame = read_spells(base).frame
    assert frame[["entry", "tenure"]].to_numpy().tolist() == [[13, 25], [0, 8]]


def test_a_customers_table_without_joining_days_does_no_harm(tmp_path: Path) -> None:
    table = contracts(("a", "2023-11-10", None, None, None), ("b", "2024-05-03", None, None, None))
    people = pd.DataFrame({"customer_id": ["a", "b"], "name": ["A", "B"]})
    base = contract_base(tmp_path / "base.duckdb", {"contracts": table, "customers": people})
    assert read_spells(base).frame[["entry", "tenure"]].to_numpy().tolist() == [[2, 14], [0, 8]]


def test_contracts_that_end_before_they_begin_are_refused(tmp_path: Path) -> None:
    table = contracts(("a", "2024-02-10", "2024-02-01", None, None))
    base = contract_base(tmp_path / "base.duckdb", {"contracts": table})
    with pytest.raises(ValueError, match=r"1 contracts end before they begin .*\['a'\]"):
        read_spells(base)


def test_two_undated_contracts_of_a_customer_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"customer_id": ["a", "a"], "tenure": [1, 2], "ended": [True, False]})
    base = contract_base(tmp_path / "base.duckdb", {"contracts": table})
    with pytest.raises(ValueError, match=r"cannot be put in order"):
        read_spells(base)
