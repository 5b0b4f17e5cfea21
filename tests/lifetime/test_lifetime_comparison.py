"""Models side by side: likelihoods of the same data only, criteria by their formulas."""

import math

import numpy as np
import pytest
from keycustomer import lifetime
from known_models import Steady, sample_models, sample_split, toy_split

# Likelihoods published with one decimal, run with four.
FOUR_DECIMALS = 5.1e-5


@pytest.fixture(scope="module")
def sample():
    return lifetime.compare_models(sample_models(), sample_split(), draws=20)


def test_likelihoods_of_the_cdnow_sample(sample):
    frame = sample.to_frame().set_index("predictor")
    assert frame.loc["BG/NBD", "log_likelihood"] == pytest.approx(-9582.4292, abs=FOUR_DECIMALS)
    assert frame.loc["Pareto/NBD", "log_likelihood"] == pytest.approx(-9594.9762, abs=FOUR_DECIMALS)
    assert sample.likeliest == "BG/NBD"


def test_criteria_follow_their_formulas(sample):
    row = sample.frame.iloc[1]
    assert row["parameters"] == 4
    assert row["aic"] == pytest.approx(8 - 2 * row["log_likelihood"])
    assert row["bic"] == pytest.approx(4 * math.log(2357) - 2 * row["log_likelihood"])
    assert row["aic_difference"] == pytest.approx(row["aic"] - sample.frame["aic"].iloc[0])


def test_baselines_stand_below_without_a_likelihood(sample):
    frame = sample.frame
    assert frame["predictor"].tolist()[2:] == [*lifetime.BASELINES, "perfect foresight"]
    assert frame.loc[2:, ["parameters", "log_likelihood", "aic", "bic"]].isna().all(axis=None)
    scores = lifetime.holdout_scores(sample_models(), sample_split(), draws=20).to_frame()
    for measure in ("rmse", "mae", "total_ratio", "correlation", "capture"):
        np.testing.assert_array_equal(frame[measure], scores[measure])


def test_parameters_stand_beside_each_other(sample):
    estimates = sample.estimates
    assert estimates["model"].tolist() == ["BG/NBD"] * 4 + ["Pareto/NBD"] * 4
    assert estimates["parameter"].tolist() == ["r", "alpha", "a", "b", "r", "alpha", "s", "beta"]
    assert (estimates["lower"] < estimates["estimate"]).all()


def test_histories_counted_in_the_engine_are_the_same_data(cdnow_base):
    split = lifetime.split_holdout(cdnow_base, "1997-09-30")
    counted = lifetime.count_histories(cdnow_base, end="1997-09-30")
    assert lifetime.fitted_on(Steady(1, histories=counted), split) is True
    in_days = counted.in_unit("day")
    assert lifetime.fitted_on(Steady(1, histories=in_days), split) is True
    assert lifetime.fitted_on(Steady(1), split) is None


def test_likelihoods_of_other_data_are_refused():
    split = sample_split()
    fewer = lifetime.fit_paretonbd(split.calibration.iloc[:500])
    with pytest.raises(ValueError, match=r"'fewer' not fitted on split.calibration \(2,357 cust"):
        lifetime.compare_models({"all": sample_models()[1], "fewer": fewer}, split)


def test_other_predictions_are_scored_only():
    split = toy_split()
    result = lifetime.compare_models({"mine": np.ones(40), "<i>": Steady(0.1)}, split, draws=5)
    assert result.likeliest == ""
    assert result.frame.loc[:1, "log_likelihood"].isna().all()
    assert result.estimates.empty
    assert "&lt;i&gt;" in result._repr_html_()
    assert "<i>" not in result._repr_html_()


def test_the_table_of_a_notebook_has_no_nan(sample):
    shown = sample._repr_html_()
    assert "nan" not in shown.lower()
    assert "-9,582.43" in shown
