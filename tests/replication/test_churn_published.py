"""Churn models against published numbers: a textbook's logistic regression, and wa_churn."""

import numpy as np
import pytest
from keycustomer.relationships import class_weight_trap, fit_churn, person_periods, validate_churn
from known_surveys import r_data

THREE_DECIMALS = 5e-4
"""The textbook prints three decimals."""


@pytest.mark.surveys
def test_hosmer_and_lemeshow_low_birth_weight():
    """Hosmer & Lemeshow, "Applied Logistic Regression", table 2.2: 189 births."""
    births = r_data("MASS", "birthwt")
    births["race"] = births["race"].map({1: "white", 2: "black", 3: "other"})
    births["low"] = births["low"].astype(bool)
    model = fit_churn(
        births, event="low", customer=None, time=None, features=["age", "lwt", "race", "ftv"]
    )
    table = model.odds_ratios()
    found = dict(zip(model.design.labels, table["coefficient"], strict=True))
    published = {"age": -0.024, "lwt": -0.014, "race: black": 1.004, "race: other": 0.433,
                 "ftv": -0.049}  # fmt: skip
    for label, coefficient in published.items():
        assert found[label] == pytest.approx(coefficient, abs=THREE_DECIMALS)
    design = model.design
    intercept = model.fit.coefficients[0] - design.means @ table["coefficient"]
    assert intercept == pytest.approx(1.295, abs=THREE_DECIMALS)


@pytest.fixture(scope="module")
def telco():
    """Customers of wa_churn as one row each."""
    frame = r_data("modeldata", "wa_churn").drop(columns="rownames")
    return frame.assign(churn=frame["churn"] == "Yes")


@pytest.mark.surveys
def test_wa_churn_is_forecast_as_well_as_others_do(telco):
    """Logistic regression reaches an AUC of about .845 on it, as in many published analyses."""
    checked = validate_churn(
        telco, ("logistic",), how="customers", event="churn", customer=None, time=None, draws=40
    )
    scores = checked.scores["logistic"]
    assert scores.rows == 7_043 and scores.events == 1_869
    assert 0.835 < scores.auc.estimate < 0.855
    assert scores.ece.estimate < 0.025
    assert scores.estimates["brier_skill"].lower > 0.25
    notes = " ".join(fit_churn(telco, event="churn", customer=None, time=None).notes)
    assert "no internet service" in notes.lower()


@pytest.mark.surveys
def test_longer_contracts_go_with_staying_in_wa_churn(telco):
    model = fit_churn(telco, event="churn", customer=None, time=None,
                      features=["contract", "tenure", "monthly_charges"])  # fmt: skip
    table = model.odds_ratios().set_index("word")
    assert table.loc["Two year", "upper"] < table.loc["One year", "odds_ratio"] < 1
    assert table.loc["One year", "per"] == "against Month-to-month"


@pytest.mark.surveys
def test_weights_ruin_the_probabilities_of_wa_churn_too(telco):
    trap = class_weight_trap(
        telco, how="customers", event="churn", customer=None, time=None, folds=3, draws=2,
        features=["contract", "tenure", "monthly_charges", "internet_service"],
    )  # fmt: skip
    table = trap.to_frame().set_index("fitted")
    assert abs(table["auc"].iloc[1] - table["auc"].iloc[0]) < 0.01
    assert table["ece"].iloc[1] > 5 * table["ece"].iloc[0]


@pytest.mark.surveys
def test_wa_churn_by_months_of_tenure(telco):
    periods = person_periods(telco, ended="churn", features=["contract", "monthly_charges"])
    assert len(periods.frame) == telco["tenure"].sum()
    assert periods.excluded["rows"].tolist() == [int((telco["tenure"] == 0).sum())]
    model = fit_churn(periods)
    assert model.rate == pytest.approx(1_869 / 227_990, abs=1e-9)
    table = model.odds_ratios().set_index("word")
    # against two years, the most frequent among the months
    assert table.loc["Month-to-month", "lower"] > table.loc["One year", "upper"] > 1
    assert np.isfinite(table["lower"]).all()
