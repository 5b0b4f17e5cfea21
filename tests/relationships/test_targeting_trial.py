"""Trials are read whole or refused with the cure."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import cross_fit_uplift, fit_uplift, read_trial


def table(n: int = 200, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer": [f"C{k:04d}" for k in range(n)],
            "offer": np.arange(n) % 2 == 0,
            "stayed": generator.integers(0, 2, n),
            "tenure": generator.gamma(2.0, 2.0, n),
            "segment": generator.choice(["north", "south", "<b>"], n),
            "worth": generator.lognormal(3, 1, n) - 5,
        }
    )
    return frame


def read(frame: pd.DataFrame, **changes: object):
    given: dict = {"treated": "offer", "outcome": "stayed", "features": ["tenure", "segment"]}
    given |= {"value": "worth", "propensity": 0.5, "customer": "customer"}
    return read_trial(frame, **given | changes)


def test_money_is_outcome_times_value_less_costs_of_the_offer() -> None:
    frame = table()
    trial = read(frame, contact_cost=2.0, offer_cost=7.0, accepted="stayed")
    expected = frame["stayed"] * frame["worth"] - frame["offer"] * (2 + 7 * frame["stayed"])
    assert trial.money == pytest.approx(expected.to_numpy())
    assert trial.to_frame().shape == (200, 10)
    assert trial.summary().loc["without", "customers"] == 100
    assert read(frame, money="worth").money == pytest.approx(frame["worth"].to_numpy())


def test_nothing_given_is_changed() -> None:
    frame = table()
    before = frame.copy()
    trial = read(frame)
    trial.features.iloc[0, 0] = -1.0
    cross_fit_uplift(trial, folds=2)
    pd.testing.assert_frame_equal(frame, before)


def test_identification_is_said() -> None:
    assert "by lot with known probability" in read(table()).identification
    said = read(table(), propensity=None).identification
    assert "tenure, segment" in said and "cannot show" in said


def test_unknown_and_useless_features_are_noted_and_kept() -> None:
    frame = table().assign(same=1)
    frame.loc[:9, "tenure"] = np.nan
    trial = read(frame, features=["tenure", "segment", "same"])
    assert trial.notes == (
        "Unknown values of features, marked as unknown: tenure 10.",
        "Features the same for all, which tell nothing: same.",
    )
    fitted = cross_fit_uplift(trial, folds=2)
    assert len(fitted.to_frame()) == 200 and np.isfinite(fitted.to_frame()).all(axis=None)
    assert "tenure 10" in fitted._repr_html_()


def test_names_from_data_are_escaped() -> None:
    html = read(table().rename(columns={"segment": "<b>"}), features=["<b>"], propensity=None)
    assert "<b>" not in html._repr_html_() and "&lt;b&gt;" in html._repr_html_()


@pytest.mark.parametrize(
    ("change", "given", "error", "message"),
    [
        ({}, {"treated": "ofer"}, KeyError, "no column 'ofer'.*did you mean 'offer'"),
        ({"offer": 2}, {}, ValueError, "offer: 200 values are neither true nor false.*rows 0, 1"),
        (
            {"offer": True},
            {},
            ValueError,
            "200 customers with the offer and 0 without; at least 20",
        ),
        ({"stayed": np.nan}, {}, ValueError, "stayed cannot be measured.*not known"),
        ({"stayed": "yes"}, {}, TypeError, "stayed holds 200 values that are not numbers"),
        ({"worth": np.inf}, {}, ValueError, "worth cannot be measured.*infinite"),
        ({"customer": "A"}, {}, ValueError, "stand in more than one row, first 'A'.*groupby"),
        ({}, {"features": []}, ValueError, "at least one column that was known before"),
        ({}, {"features": ["stayed"]}, ValueError, "'stayed' is what the offer leads to"),
        ({}, {"offer_cost": -1.0}, ValueError, "offer_cost: 200 costs are below zero"),
        ({}, {"value": np.inf}, ValueError, "value=inf must be a column or a finite number"),
        ({}, {"accepted": "worth"}, ValueError, "accepted: column 'worth' must hold shares"),
        ({}, {"propensity": 1.0}, ValueError, "propensity: 1 must lie above 0 and below 1.*out"),
        ({"tenure": pd.Timestamp("2024-01-01")}, {}, TypeError, "holds days or durations"),
    ],
)
def test_what_is_no_trial_is_refused(change, given, error, message) -> None:
    with pytest.raises(error, match=message):
        read(table().assign(**change), **given)


def test_settings_of_learners_are_checked() -> None:
    trial = read(table())
    with pytest.raises(ValueError, match="learner='X' must be one of 'T', 'DR', 'by risk'"):
        fit_uplift(trial, "X")
    with pytest.raises(ValueError, match="models='forest' must be one of 'linear', 'boosting'"):
        cross_fit_uplift(trial, models="forest")
    with pytest.raises(ValueError, match="folds=30: the smaller group has 100 customers"):
        cross_fit_uplift(trial, folds=30)
    with pytest.raises(KeyError, match=r"no column 'tenure'; the model was fitted with tenure"):
        fit_uplift(trial).predict(pd.DataFrame({"segment": ["north"]}))
