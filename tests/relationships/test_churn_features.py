"""Features of customer months: nothing of the future is in them, and the truth is not beaten."""

import numpy as np
import pandas as pd
import pytest
from contract_bases import contract_base, contracts
from keycustomer.relationships import (
    CHURN_FEATURES,
    CustomerMonths,
    churn_features,
    churn_over_companies,
    churn_scores,
    customer_months,
    fit_churn,
    month_ahead,
    retention_curves,
    true_hazards,
    validate_churn,
)
from keycustomer.simulate import Policy, compare_policies, simulate_company

ACCOUNTS, MONTHS, SEED = 700, 30, 3


@pytest.fixture(scope="module")
def company():
    """One simulated company of this file."""
    return simulate_company(ACCOUNTS, MONTHS, SEED)


@pytest.fixture(scope="module")
def months(company):
    """Give its months."""
    return customer_months(company)


@pytest.fixture(scope="module")
def table(months):
    """Make the rows of a forecast a month ahead."""
    return churn_features(months)


def cut(months: CustomerMonths, last: int) -> CustomerMonths:
    """The months as they were known after month `last`."""
    frame = months.frame[months.frame["number"] <= last].reset_index(drop=True)
    there = frame.loc[(frame["number"] == last) & ~frame["left"], "customer_id"]
    return CustomerMonths(
        frame, months.customers, months.start, months.end, pd.Index(there), "EUR", True,
        months.excluded,
    )  # fmt: skip


@pytest.mark.parametrize("lead", [0, 1, 3])
def test_nothing_of_the_future_is_in_a_row(months, lead):
    whole, earlier = churn_features(months, lead=lead), churn_features(cut(months, 14), lead=lead)
    known = whole.frame[whole.frame["number"] <= 14].reset_index(drop=True)
    pd.testing.assert_frame_equal(known, earlier.frame)


def test_what_is_forecast_is_what_the_next_month_s_row_reads(months):
    """`upcoming` after month 14 has the features of the rows of month 15."""
    ahead = churn_features(cut(months, 14)).upcoming.set_index("customer_id")
    rows = churn_features(months).frame
    following = rows[rows["number"] == 15].set_index("customer_id")
    shared = ahead.index.intersection(following.index)
    assert len(shared) == len(ahead)
    features = [name for name in CHURN_FEATURES if name != "tenure_log"]
    pd.testing.assert_frame_equal(ahead.loc[shared, features], following.loc[shared, features])
    # a month is a twelfth of a year there, and counted from the day of joining here
    np.testing.assert_allclose(
        ahead.loc[shared, "tenure"], following.loc[shared, "tenure"], atol=1 / 12
    )


def test_a_lead_moves_what_is_known_and_not_what_is_agreed(months):
    now, later = (churn_features(months, lead=n).frame for n in (0, 2))
    both = later.merge(now.assign(number=now["number"] + 2), on=["customer_id", "number"])
    for name in ("size_log", "products", "contacts_log", "level", "discount"):
        pd.testing.assert_series_equal(both[f"{name}_x"], both[f"{name}_y"], check_names=False)
    same = later.merge(now, on=["customer_id", "number"])
    for name in ("left", "under_term", "term_ends", "tenure_log"):
        assert same[f"{name}_x"].equals(same[f"{name}_y"])


def test_rows_without_a_past_are_counted(months, table):
    first = months.frame.groupby("customer_id")["number"].transform("min")
    assert table.excluded["rows"].tolist() == [int((months.frame["number"] == first).sum())]
    assert len(table.frame) + table.excluded["rows"].sum() == len(months.frame)
    assert table.upcoming["customer_id"].tolist() == months.present.tolist()
    assert "left" not in table.upcoming and set(table.features) <= set(table.upcoming)
    assert "13 features" in repr(table) and "size_log" in table._repr_html_()


def test_months_ahead_count_terms_down_and_renew_them(table):
    start = table.upcoming
    term, left = start["term"].to_numpy(), start["contract_left"].to_numpy()
    for step in (1, 7, 30):
        later = month_ahead(start, step)
        expected = np.where(term > 0, (left - 1 - step) % np.maximum(term, 1) + 1, 0)
        assert (later["contract_left"] == expected).all()
        assert (later["term_ends"] == (expected == 1)).all()
        np.testing.assert_allclose(later["tenure"] - start["tenure"], step / 12)
    assert (start["contract_left"] == left).all()


def test_attributes_can_be_read_too(months):
    table = churn_features(months, attributes=("industry", "employees"))
    model = fit_churn(table, features=["industry", "employees"])
    assert {"industry", "employees"} == set(model.features)
    with pytest.raises(ValueError, match="the customers have"):
        churn_features(months, attributes=("shoe_size",))
    with pytest.raises(ValueError, match=r"lead=1\.5: a whole number"):
        churn_features(months, lead=1.5)


def test_a_base_that_tells_little_gives_few_features(tmp_path):
    starts = pd.date_range("2023-01-01", periods=40, freq="MS")
    rows = [
        (f"c{n}", str(day.date()), None if n % 3 else f"2024-0{1 + n % 9}-28", None, None)
        for n, day in enumerate(starts[:12].repeat(6))
    ]
    months = customer_months(
        contract_base(tmp_path / "few.duckdb", {"contracts": contracts(*rows)})
    )
    table = churn_features(months)
    assert table.features == ("tenure_log", "under_term", "term_ends")
    assert "does not tell" in table.notes[0] and "size_log" in table.notes[0]
    assert fit_churn(table).rows == len(table.frame)


def test_true_hazards_are_those_of_the_process_and_calibrated(company, months):
    hazard = true_hazards(company, months.frame)
    scores = churn_scores(months.frame["left"], hazard, months.frame["customer_id"], draws=40)
    assert scores.calibrated
    for name, right in (("slope", 1.0), ("intercept", 0.0)):
        assert scores.estimates[name].lower <= right <= scores.estimates[name].upper
    strange = months.frame.head(1).assign(customer_id="K9999999")
    with pytest.raises(ValueError, match=r"1 rows are no month .*K9999999"):
        true_hazards(company, strange)
    gone = months.frame[months.frame["left"]].head(1)
    with pytest.raises(ValueError, match="no month of a customer"):
        true_hazards(company, gone.assign(number=gone["number"] + 1))


def test_models_see_much_of_what_can_be_seen_and_never_more(company, table):
    rows = table.with_rows(table.frame.assign(hazard=true_hazards(company, table.frame)))
    checked = validate_churn(rows, how="customers", truth="hazard", folds=3, draws=40, seed=2)
    attainable = checked.attainable_auc
    for name in checked.models:
        reached = checked.scores[name].auc.estimate
        assert 0.5 + 0.4 * (attainable - 0.5) < reached < attainable
        assert checked.difference("truth", name).lower > 0
    assert checked.scores["logistic"].p_value > 0.001


def test_the_expected_stay_is_near_the_true_one(table):
    truth = compare_policies(
        {"as it is": Policy()}, accounts=ACCOUNTS, months=MONTHS, seed=SEED, ahead=12
    ).outcomes["as it is"]
    survival = pd.Series(truth.survival, index=[f"K{n + 1:07d}" for n in range(ACCOUNTS)])
    curves = retention_curves(fit_churn(table), table, 12)
    expected = pd.Series(curves.retention[:, -1], index=curves.customers)
    true = survival.loc[curves.customers]
    assert expected.mean() == pytest.approx(true.mean(), abs=0.03)
    assert expected.corr(true) > 0.6


def test_over_companies_the_spread_is_told():
    found = churn_over_companies(2, accounts=300, months=24, models=("logistic",), seed=4)
    frame = found.to_frame()
    assert sorted(frame["company"].unique()) == [4, 5]
    assert set(frame["model"]) == {"logistic", "same for all", "truth"}
    truth = frame[frame["model"] == "truth"]
    np.testing.assert_allclose(truth["auc_share"], 1)
    summary = found.summary("auc").set_index("model")
    assert summary.loc["logistic", "best"] == 1 and np.isnan(summary.loc["truth", "best"])
    assert (summary["lower"] <= summary["upper"]).all()
    assert found.summary("slope")["best"].isna().all()
    assert "2 companies of 300 accounts" in found._repr_html_()
    with pytest.raises(ValueError, match="measure='gini'"):
        found.summary("gini")
    with pytest.raises(ValueError, match="companies=1: at least 2"):
        churn_over_companies(1)
