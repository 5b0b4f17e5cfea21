"""Holdout scores: published and run numbers, brute force, independent measures, hostile input."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import lifetime, pareto
from known_models import Steady, sample_models, sample_split, toy_split

# The numbers of the table have four decimals.
FOUR_DECIMALS = 5.1e-5
THREE_DECIMALS = 5.1e-4
# Sums of a few thousand numbers in another order.
ROUNDING = 1e-12
# Standard deviation of 2,000 draws: 2 % of sampling error, and what linearising leaves out.
SPREAD = 0.1


def scored(models, split, **options):
    return lifetime.holdout_scores(models, split, draws=options.pop("draws", 20), **options)


def points(result, name):
    return {measure: one.estimate for measure, one in result.estimates[name].items()}


@pytest.fixture(scope="module")
def sample():
    return scored(sample_models(), sample_split(), draws=100)


@pytest.mark.parametrize(
    ("name", "rmse", "ratio", "correlation"),
    [("BG/NBD", 1.6080, 0.8785, 0.6256), ("Pareto/NBD", 1.6028, 0.8850, 0.6302)],
)
def test_the_holdout_of_the_cdnow_sample(sample, name, rmse, ratio, correlation):
    found = points(sample, name)
    assert found["rmse"] == pytest.approx(rmse, abs=FOUR_DECIMALS)
    assert found["total_ratio"] == pytest.approx(ratio, abs=FOUR_DECIMALS)
    assert found["correlation"] == pytest.approx(correlation, abs=FOUR_DECIMALS)


def test_everybody_zero_on_the_cdnow_sample(sample):
    found = points(sample, "everybody zero")
    assert found["mae"] == pytest.approx(0.7985, abs=FOUR_DECIMALS)
    assert found["total_ratio"] == 0
    assert np.isnan(found["correlation"])
    assert found["capture"] == pytest.approx(0.2, abs=ROUNDING)


def test_the_capture_of_the_cdnow_sample(sample):
    held = {name: points(sample, name)["capture"] for name in sample.kinds}
    assert held["BG/NBD"] == pytest.approx(0.633, abs=THREE_DECIMALS)
    assert held["perfect foresight"] == pytest.approx(0.887, abs=THREE_DECIMALS)
    # one customer in eleven shares the count at the border: in equal parts that is .6336
    assert held["same count again"] == pytest.approx(0.6336, abs=FOUR_DECIMALS)


def test_taking_the_border_by_customer_id_gives_another_capture():
    split = sample_split()
    count = split.calibration["frequency"].to_numpy()
    best = np.argsort(-count, kind="stable")[: round(0.2 * split.customers)]
    share = split.purchases[best].sum() / split.purchases.sum()
    assert share == pytest.approx(0.623, abs=THREE_DECIMALS)


def test_foresight_is_the_pareto_share(sample):
    purchases = sample_split().purchases
    shares = [pareto.pareto_share(purchases, top) for top in (0.05, 0.2, 0.37)]
    curve = sample.curve[sample.curve["predictor"] == "perfect foresight"].set_index("customers")
    found = [curve.loc[top, "purchases"] for top in (0.05, 0.2, 0.37)]
    np.testing.assert_allclose(found, shares, rtol=ROUNDING)


def test_scores_are_what_numpy_computes():
    split = toy_split()
    values = np.random.default_rng(1).gamma(2, 1.0, split.customers)
    found = points(scored({"mine": values}, split), "mine")
    error = values - split.purchases
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)))
    assert found["mae"] == pytest.approx(np.abs(error).mean())
    assert found["total_ratio"] == pytest.approx(values.sum() / split.purchases.sum())
    assert found["correlation"] == pytest.approx(np.corrcoef(values, split.purchases)[0, 1])
    best = np.argsort(-values)[:8]
    assert found["capture"] == pytest.approx(split.purchases[best].sum() / split.purchases.sum())


def test_equal_parts_are_the_mean_of_all_orders():
    split = toy_split(customers=5)
    values = np.array([2.0, 1.0, 1.0, 1.0, 0.0])
    found = points(scored({"mine": values}, split, top=0.4), "mine")["capture"]
    held = [split.purchases[[0, order[0]]].sum() for order in itertools.permutations([1, 2, 3])]
    assert found == pytest.approx(np.mean(held) / split.purchases.sum())


def test_baselines_are_scaled_to_the_holdout():
    split = sample_split()
    frame = lifetime.predict_holdout({"m": split.purchases}, split).frame
    table = split.calibration
    np.testing.assert_allclose(frame["same count again"], table["frequency"])
    np.testing.assert_allclose(frame["same rate"], table["frequency"] / table["T"] * 273)
    short = dataclasses.replace(split, end=split.split + (split.end - split.split) / 3)
    third = lifetime.predict_holdout({"m": split.purchases}, short).frame
    np.testing.assert_allclose(third["same count again"], table["frequency"] / 3)


def test_a_customer_won_on_the_day_of_the_split_has_no_rate():
    split = toy_split(border=1)
    assert (split.calibration["T"] == 0).any()
    frame = lifetime.predict_holdout(Steady(0.1), split).frame
    assert (frame["same rate"] == 0).all()


@settings(max_examples=25)
@given(
    values=st.lists(st.integers(0, 4), min_size=12, max_size=12), order=st.permutations(range(12))
)
def test_the_order_of_the_customers_decides_nothing(values, order):
    split = toy_split(customers=12)
    predicted = np.array(values, dtype=float)
    other = dataclasses.replace(
        split,
        calibration=split.calibration.iloc[order].reset_index(drop=True),
        purchases=split.purchases[order],
        revenue=split.revenue[order],
    )
    one = points(scored({"mine": predicted}, split, draws=2), "mine")
    two = points(scored({"mine": predicted[order]}, other, draws=2), "mine")
    assert one == pytest.approx(two, nan_ok=True, rel=1e-9)


def test_the_same_seed_gives_the_same_intervals():
    frames = [scored(Steady(0.1), toy_split(), seed=3).to_frame() for _ in range(2)]
    pd.testing.assert_frame_equal(*frames)


def test_the_draws_spread_as_the_delta_method_says():
    split = sample_split()
    values = split.calibration["frequency"].to_numpy(float)
    cloud = scored({"mine": values}, split, draws=2000).cloud[:, 0]
    actual, size = split.purchases, split.customers
    ratio = values.sum() / actual.sum()
    influence = (values - ratio * actual) / actual.mean()
    assert cloud[:, 2].std() == pytest.approx(influence.std() / np.sqrt(size), rel=SPREAD)
    squares = (values - actual) ** 2
    error = squares.std() / np.sqrt(size) / (2 * np.sqrt(squares.mean()))
    assert cloud[:, 0].std() == pytest.approx(error, rel=SPREAD)


def test_a_difference_is_surer_than_its_parts(sample):
    gap = sample.difference("rmse", "BG/NBD", "same count again")
    back = sample.difference("rmse", "same count again", "BG/NBD")
    assert gap.estimate == -back.estimate
    assert gap.lower == pytest.approx(-back.upper)
    assert gap.upper < 0
    models = sample.difference("rmse", "BG/NBD", "Pareto/NBD")
    alone = sample.estimates["BG/NBD"]["rmse"]
    assert models.upper - models.lower < (alone.upper - alone.lower) / 5


def test_the_frame_holds_the_estimates(sample):
    frame = sample.to_frame().set_index("predictor")
    one = sample.estimates["BG/NBD"]["capture"]
    assert frame.loc["BG/NBD", "capture_lower"] == one.lower < one.estimate < one.upper
    assert frame["kind"].tolist() == [*["model"] * 2, *["baseline"] * 3, "foresight"]


def test_nobody_bought_is_no_error():
    split = toy_split()
    silent = dataclasses.replace(split, purchases=np.zeros(split.customers))
    result = scored(Steady(0.1), silent)
    found = points(result, "steady")
    assert found["rmse"] == pytest.approx(3.0)
    assert np.isnan([found["total_ratio"], found["correlation"], found["capture"]]).all()
    assert result.curve["purchases"].isna().all()


def test_one_customer_has_scores_without_intervals():
    result = scored(Steady(0.1), toy_split(customers=1))
    assert np.isnan(result.estimates["steady"]["rmse"].lower)


def test_a_model_that_saw_the_holdout_is_refused():
    split = sample_split()
    whole = lifetime.split_holdout(
        sample_split().calibration.rename(columns={"first_order": "date"}),
        "1997-03-01",
        end="1997-09-30",
    )
    seen = Steady(0.1, histories=lifetime.read_histories(split.calibration))
    with pytest.raises(ValueError, match=r"histories of up to 272 days.*has 60: it has seen"):
        scored(seen, whole)


def test_a_model_of_other_customers_is_noted():
    split = sample_split()
    others = Steady(0.1, histories=lifetime.read_histories(split.calibration.iloc[:100]))
    assert scored(others, split).notes == (
        "steady: fitted on other customers than those of the split's calibration table.",
    )


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        ({}, ValueError, "at least one"),
        ([], ValueError, "at least one"),
        ([Steady(1), Steady(2)], ValueError, "two are called 'steady'"),
        ({"same rate": Steady(1)}, ValueError, "'same rate' is the name of a baseline"),
        ("BG/NBD", TypeError, "a fitted model, a list .* got str"),
        (np.ones(40), TypeError, "predictions by other means need a name"),
        ({"mine": np.ones(3)}, ValueError, r"each of the 40 customers .* shape \(3,\)"),
        ({"mine": np.full(40, -1.0)}, ValueError, "40 predictions are no finite .* '000'"),
        ({"mine": np.full(40, np.nan)}, ValueError, "first nan for customer '000'"),
    ],
)
def test_what_is_no_model_is_refused(models, error, message):
    with pytest.raises(error, match=message):
        scored(models, toy_split())


def test_wrong_arguments_are_refused():
    split = toy_split()
    with pytest.raises(ValueError, match=r"top=20 must be a share.* top=0.2"):
        scored(Steady(1), split, top=20)
    result = scored(Steady(1), split)
    with pytest.raises(ValueError, match="measure='r2': one of 'rmse'"):
        result.difference("r2", "steady", "same rate")
    with pytest.raises(ValueError, match="predictor='me': one of 'steady'"):
        result.difference("rmse", "me", "same rate")


def test_names_are_shown_as_they_stand():
    shown = scored({"<i>": Steady(1)}, toy_split())._repr_html_()
    assert "&lt;i&gt;" in shown
    assert "<i>" not in shown
