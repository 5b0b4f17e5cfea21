"""Scores of churn models: closed forms, other packages, calibration by chance, class weights."""

import numpy as np
import pandas as pd
import pytest
from churn_rows import known_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import weighted_auc
from keycustomer.relationships import (
    brier_parts,
    churn_scores,
    class_weight_trap,
    expected_calibration_error,
    reliability_groups,
    validate_churn,
)
from keycustomer.relationships.churn.reliability import error_if_calibrated, group_of

FEATURES = ["lasting", "passing", "plan"]

ROUNDING = 1e-12
"""Sums in another order."""


@pytest.fixture(scope="module")
def rows():
    """Rows of 900 customers with a known truth."""
    return known_rows(900, seed=11)


@pytest.fixture(scope="module")
def checked(rows):
    """Validate two models out of time, the truth beside them."""
    return validate_churn(rows, features=FEATURES, truth="truth", draws=100)


@given(st.integers(2, 60), st.integers(0, 10_000), st.booleans())
@settings(max_examples=40)
def test_the_area_is_the_share_of_pairs_in_the_right_order(n, seed, tied):
    generator = np.random.default_rng(seed)
    chance = generator.random(n).round(1 if tied else 9)
    left = np.append(generator.random(n - 2) < 0.4, [True, False])
    pairs = chance[left][:, None] - chance[~left]
    share = ((pairs > 0) + (pairs == 0) / 2).mean()
    area = weighted_auc(np.ones((1, n)), chance, left)[0]
    assert area == pytest.approx(share, abs=ROUNDING)


def test_the_area_with_weights_agrees_with_scikit_learn(rows):
    from sklearn.metrics import roc_auc_score

    cluster = pd.factorize(rows["customer_id"])[0]
    chance = rows["truth"].round(3).to_numpy()
    weights = np.random.default_rng(0).integers(0, 4, (3, cluster.max() + 1)).astype(float)
    ours = weighted_auc(weights[:, cluster], chance, rows["left"].to_numpy())
    theirs = [roc_auc_score(rows["left"], chance, sample_weight=w[cluster]) for w in weights]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@given(st.integers(1, 200), st.integers(1, 15), st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=60)
def test_groups_are_of_equal_size_but_for_equal_predictions(n, bins, seed, digits):
    chance = np.random.default_rng(seed).random(n).round(digits)
    group = group_of(chance, bins)
    assert set(group) == set(range(group.max() + 1)) and group.max() < bins
    for value in np.unique(chance):
        assert len(set(group[chance == value])) == 1
    order = np.argsort(chance, kind="stable")
    assert (np.diff(group[order]) >= 0).all()
    if len(np.unique(chance)) == n >= bins:
        assert np.ptp(np.bincount(group)) <= 1


def test_the_calibration_error_of_a_case_made_by_hand():
    left = np.array([False, False, False, True, True, False, True, True])
    chance = np.array([0.1, 0.1, 0.2, 0.2, 0.7, 0.7, 0.9, 0.9])
    # two groups: means 0.15 and 0.8, shares 1/4 and 3/4
    assert expected_calibration_error(left, chance, bins=2) == pytest.approx((0.1 + 0.05) / 2)
    table = reliability_groups(left, chance, bins=2)
    assert table["predicted"].tolist() == pytest.approx([0.15, 0.8])
    assert table["observed"].tolist() == [0.25, 0.75]
    assert table[["from", "to"]].to_numpy().tolist() == [[0.1, 0.2], [0.7, 0.9]]


@given(st.integers(0, 10_000), st.integers(1, 12))
@settings(max_examples=30)
def test_the_parts_of_the_brier_score_add_up(seed, bins):
    generator = np.random.default_rng(seed)
    chance = generator.random(150).round(2)
    left = generator.random(150) < chance
    parts = brier_parts(left, chance, bins=bins)
    assert parts.brier == pytest.approx(float(((chance - left) ** 2).mean()), abs=ROUNDING)
    assert min(parts.reliability, parts.resolution) >= 0


def test_murphy_s_parts_are_whole_where_predictions_are_few():
    generator = np.random.default_rng(2)
    chance = generator.choice([0.1, 0.3, 0.6], 3_000)
    left = generator.random(3_000) < chance
    parts = brier_parts(left, chance, bins=10)
    assert parts.within == pytest.approx(0, abs=ROUNDING)
    assert parts.uncertainty == pytest.approx(left.mean() * (1 - left.mean()), abs=ROUNDING)


@pytest.mark.parametrize(("base", "n"), [(0.012, 6_000), (0.3, 400)])
def test_the_error_of_a_perfect_model_is_what_chance_gives(base, n):
    generator = np.random.default_rng(4)
    chance = 1 / (1 + np.exp(-np.log(base / (1 - base)) - generator.normal(size=n)))
    drawn = error_if_calibrated(chance, draws=400, seed=1)
    direct = [expected_calibration_error(generator.random(n) < chance, chance) for _ in range(400)]
    # means of 400 errors that vary by a quarter: two in a hundred apart is chance
    assert drawn.mean() == pytest.approx(np.mean(direct), rel=0.06)
    assert np.quantile(drawn, 0.95) == pytest.approx(np.quantile(direct, 0.95), rel=0.12)


def test_perfect_models_are_called_wrong_once_in_twenty():
    generator = np.random.default_rng(5)
    wrong = 0
    for seed in range(100):
        chance = 1 / (1 + np.exp(3 - generator.normal(size=1_000)))
        scores = churn_scores(generator.random(1_000) < chance, chance, draws=2, seed=seed)
        wrong += not scores.calibrated
    # 100 at 5 %: more than 13 have a probability below one in a thousand
    assert wrong <= 13


def test_a_model_too_extreme_or_too_high_is_told(rows):
    odds = np.log(rows["truth"] / (1 - rows["truth"]))
    for stretched, name, expected in (
        (2 * odds, "slope", 0.5),
        (odds + 1, "intercept", -1.0),
    ):
        scores = churn_scores(
            rows["left"], 1 / (1 + np.exp(-stretched)), rows["customer_id"], draws=20
        )
        estimate = scores.estimates[name]
        assert estimate.lower <= expected <= estimate.upper
        assert not scores.calibrated and scores.p_value < 0.05
        assert "more than the" in scores.sentence()


def test_scores_agree_with_scikit_learn_and_the_skill_with_its_formula(rows):
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    scores = churn_scores(rows["left"], rows["truth"], rows["customer_id"], draws=20)
    found = {name: one.estimate for name, one in scores.estimates.items()}
    assert found["auc"] == pytest.approx(roc_auc_score(rows["left"], rows["truth"]), rel=1e-10)
    assert found["brier"] == pytest.approx(brier_score_loss(rows["left"], rows["truth"]), rel=1e-10)
    assert found["log_loss"] == pytest.approx(log_loss(rows["left"], rows["truth"]), rel=1e-10)
    assert found["brier_skill"] == pytest.approx(1 - found["brier"] / scores.parts.uncertainty)
    assert found["brier"] == pytest.approx(scores.parts.brier)
    assert scores.to_frame()["measure"].tolist()[:2] == ["auc", "brier"]


def test_intervals_of_the_area_hold_the_true_one():
    everything = known_rows(15_000, seed=21)
    left, chance = everything["left"].to_numpy(), everything["truth"].to_numpy()
    truth = weighted_auc(np.ones((1, len(left))), chance, left)[0]
    held = 0
    for seed in range(40):
        rows = known_rows(150, seed=500 + seed)
        auc = churn_scores(rows["left"], rows["truth"], rows["customer_id"], draws=120).auc
        held += auc.lower <= truth <= auc.upper
    # 40 intervals of 95 %: 32 or fewer have a probability below one in a thousand
    assert held > 32


def test_later_periods_are_forecast_from_earlier_ones_only(rows, checked):
    assert checked.since == 8
    assert (checked.predictions["number"] >= 8).all()
    changed = rows.assign(passing=rows["passing"].where(rows["number"] < 8, 0.0))
    again = validate_churn(changed, ("logistic",), features=FEATURES, draws=2)
    plain = validate_churn(rows, ("logistic",), features=FEATURES, draws=2)
    # another future gives other predictions, from the same coefficients
    assert not again.predictions["logistic"].equals(plain.predictions["logistic"])
    assert again.predictions["same for all"].equals(plain.predictions["same for all"])
    early = rows.loc[rows["number"] < 8, "left"].mean()
    np.testing.assert_allclose(plain.predictions["same for all"], early)


def test_no_model_beats_the_truth_by_more_than_chance(checked):
    for name in checked.models:
        assert checked.difference(name, "truth").lower <= 0
        assert checked.difference("truth", name, "log_loss").lower <= 0
        assert checked.scores[name].p_value > 0.001
    assert checked.difference("logistic", "same for all").lower > 0
    assert checked.attainable_auc == checked.scores["truth"].auc.estimate
    assert checked.scores["same for all"].auc.estimate == 0.5
    assert set(checked.table()["model"]) == {"logistic", "boosting", "same for all", "truth"}
    assert "logistic" in checked._repr_html_()


@pytest.mark.parametrize("how", ["customers", "both"])
def test_customers_tested_were_not_learnt_from(rows, how):
    # a number of its own tells a tree who a customer is, and helps with others not at all
    known = rows.assign(own=rows["customer_id"].astype(float), passing=0.0)
    found = validate_churn(
        known, {"tree": {"model": "boosting"}}, how=how, features=["own"], folds=3, draws=20
    )
    assert abs(found.scores["tree"].auc.estimate - 0.5) < 0.08
    tested = len(rows) if how == "customers" else int((rows["number"] >= 8).sum())
    assert found.tested == tested and found.predictions["tree"].notna().all()


def test_models_are_named_and_refused_when_unknown(rows):
    ridge = {"ridge": {"model": "logistic", "penalty": 10.0}}
    assert validate_churn(rows, ridge, features=FEATURES, draws=2).models == ["ridge"]
    cases = {
        "how='later'": {"how": "later"},
        "since=0": {"since": 0},
        "folds=1": {"how": "customers", "folds": 1},
        "at least one": {"models": ()},
        "are taken": {"models": {"truth": {}}},
        "no column 'p'": {"truth": "p"},
    }
    for message, arguments in cases.items():
        with pytest.raises(ValueError, match=message):
            validate_churn(rows, **({"features": FEATURES} | arguments))
    with pytest.raises(ValueError, match="the table is a cross-section"):
        validate_churn(rows, features=FEATURES, time=None)
    found = validate_churn(rows, ("logistic",), features=FEATURES, draws=2)
    with pytest.raises(ValueError, match="no model 'x'"):
        found.difference("x", "logistic")
    with pytest.raises(ValueError, match="measure='gini'"):
        found.difference("logistic", "same for all", "gini")


def test_class_weights_keep_the_ranking_and_ruin_the_probabilities(rows):
    trap = class_weight_trap(rows, features=FEATURES, draws=20)
    table = trap.to_frame().set_index("fitted")
    plain, weighted, mended = (table.iloc[n] for n in range(3))
    assert abs(weighted["auc"] - plain["auc"]) < 0.01
    assert weighted["times_too_high"] > 3 and not weighted["calibrated"]
    assert weighted["brier_skill"] < 0 < plain["brier_skill"]
    assert plain["calibrated"] and mended["calibrated"]
    assert mended["mean_predicted"] == pytest.approx(plain["mean_predicted"], rel=0.1)
    assert weighted["expected_periods"] < plain["expected_periods"] / 3
    assert "keep the ranking" in trap.sentence()
    assert "class weights" in trap._repr_html_()


def test_scores_refuse_what_they_cannot_score():
    left = [True, False, True]
    with pytest.raises(ValueError, match="between 0 and 1, got"):
        churn_scores(left, [0.1, 1.2, 0.3])
    with pytest.raises(ValueError, match=r"not known \(NaN\)"):
        churn_scores(left, [0.1, np.nan, 0.3])
    with pytest.raises(ValueError, match="must be of the same rows"):
        churn_scores(left, [0.1, 0.2])
    with pytest.raises(ValueError, match="3 of 3 rows ended in leaving"):
        churn_scores([True] * 3, [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="bins=0"):
        churn_scores(left, [0.1, 0.2, 0.3], bins=0)
