"""Learners of uplift find known effects, and never look at the customers they predict for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import (
    cross_fit_uplift,
    fit_uplift,
    read_trial,
    simulate_trial,
    targeting_rules,
)
from keycustomer.relationships.targeting.expected_outcomes import fit_mean
from keycustomer.relationships.targeting.learners import doubly_robust

TRIALS = 20
# 20 intervals of 95 %: fewer than 17 that hold the truth has a chance of 2 in 1,000.
FEWEST_HELD = 17
EXACT = 1e-9  # rounding of sums


def made(effect, n: int = 1_200, seed: int = 0, *, chance=0.5, known: bool = True):
    """Customers with a feature x, whose outcome the offer raises by effect(x)."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(-1, 1, n)
    likely = np.broadcast_to(chance(x) if callable(chance) else chance, n)
    offer = generator.random(n) < likely
    y = 2 * x + effect(x) * offer + 0.5 * generator.standard_normal(n)
    frame = pd.DataFrame({"x": x, "offer": offer, "y": y, "e": likely})
    trial = read_trial(
        frame, treated="offer", outcome="y", features=["x"], propensity="e" if known else None
    )
    return trial, effect(x)


def test_average_effects_are_within_their_intervals() -> None:
    held = 0
    for seed in range(TRIALS):
        known = simulate_trial(600, seed, tie=0.4)
        average = cross_fit_uplift(known.trial, learners=("T",), folds=2, seed=seed).average
        held += average.lower <= known.true_uplift.mean() <= average.upper
    assert held >= FEWEST_HELD


def test_averages_hold_without_a_lot_where_plain_differences_do_not() -> None:
    held, plain = 0, []
    for seed in range(TRIALS):
        known = simulate_trial(1_000, seed, tie=0.4, by_lot=False)
        trial = known.trial
        fitted = cross_fit_uplift(trial, learners=("T",), folds=2, seed=seed)
        held += fitted.average.lower <= known.true_uplift.mean() <= fitted.average.upper
        means = [trial.outcome[trial.treated == offered].mean() for offered in (True, False)]
        plain.append(means[0] - means[1] - known.true_uplift.mean())
    assert held >= FEWEST_HELD
    # the offer went to the risky: the plain difference is wrong by several points, always one way
    assert np.mean(plain) < -0.05 and max(plain) < 0


@pytest.mark.parametrize("learner", ["T", "DR"])
def test_uplift_that_goes_with_a_feature_is_found(learner: str) -> None:
    trial, truth = made(lambda x: 1 + x)
    found = cross_fit_uplift(trial, learners=(learner,)).uplift[learner]
    assert np.corrcoef(found, truth)[0, 1] > 0.97
    assert np.abs(found - truth).mean() < 0.1  # a few standard errors of two regressions


def test_boosting_finds_a_step_that_straight_lines_miss() -> None:
    trial, truth = made(lambda x: np.where(np.abs(x) > 0.5, 1.5, 0.0), n=2_000)
    errors = {
        models: np.abs(
            cross_fit_uplift(trial, learners=("T",), models=models, folds=2).uplift["T"] - truth
        ).mean()
        for models in ("linear", "boosting")
    }
    assert errors["boosting"] < errors["linear"] / 2


def test_the_last_step_takes_what_goes_with_the_outcome_without_the_offer() -> None:
    # uplift is a straight line of the expected outcome 2x, which is all the features tell
    trial, truth = made(lambda x: 0.5 - x, n=2_000)
    found = cross_fit_uplift(trial, learners=("DR",)).uplift["DR"]
    assert np.polyfit(truth, found, 1) == pytest.approx([1.0, 0.0], abs=0.1)


def test_the_learner_by_risk_takes_one_number_from_the_trial() -> None:
    known = simulate_trial(2_000, 1, tie=0.8)
    fitted = cross_fit_uplift(known.trial, learners=("by risk",))
    found, risk = fitted.uplift["by risk"], 1 - fitted.nuisances.untreated
    for part in range(5):
        share = found[fitted.part == part] / risk[fitted.part == part]
        assert share == pytest.approx(share[0], abs=EXACT)
    assert found.mean() == pytest.approx(fitted.average.estimate, abs=0.01)
    model = fit_uplift(known.trial, "by risk").predict(known.trial.features)
    assert (model["uplift"] / (1 - model["untreated"])).std() == pytest.approx(0, abs=EXACT)
    numbers, _ = made(lambda x: x)
    with pytest.raises(ValueError, match="learner='by risk' needs an outcome of 1 for who stayed"):
        cross_fit_uplift(numbers, learners=("by risk",))


def test_scores_are_right_if_either_part_is() -> None:
    generator = np.random.default_rng(3)
    n = 200_000
    x = generator.uniform(-1, 1, n)
    chance = 0.5 + 0.3 * x
    offer = generator.random(n) < chance
    y = x + offer * (1 + x) + generator.standard_normal(n)
    nothing = np.zeros(n)
    error = 0.02  # four standard errors of the mean of 200,000 scores
    for means, likely in (
        ((x, x + 1 + x), np.full(n, 0.5)),
        ((nothing, nothing), chance),
    ):
        scores = doubly_robust(y, offer, *means, likely)
        assert scores.mean() == pytest.approx(1.0, abs=error)
        assert scores[x > 0].mean() == pytest.approx(1.5, abs=2 * error)
    wrong = doubly_robust(y, offer, nothing, nothing, np.full(n, 0.5))
    assert abs(wrong.mean() - 1.0) > 5 * error


def test_no_model_sees_the_customers_it_predicts_for() -> None:
    trial = simulate_trial(400, 1).trial
    first = cross_fit_uplift(trial, seed=7)
    held = first.part == 0
    changed = replace(
        trial,
        outcome=np.where(held, 1 - trial.outcome, trial.outcome),
        money=np.where(held, -trial.money, trial.money),
    )
    second = cross_fit_uplift(changed, seed=7)
    for learner in ("T", "DR"):
        assert (first.uplift[learner][held] == second.uplift[learner][held]).all()
        assert not (first.uplift[learner][~held] == second.uplift[learner][~held]).all()


def test_known_probabilities_are_used_and_others_are_kept_from_the_edge() -> None:
    trial, _ = made(lambda x: x, chance=0.3)
    assert (cross_fit_uplift(trial).nuisances.propensity == 0.3).all()
    sharp, _ = made(lambda x: x, chance=lambda x: 1 / (1 + np.exp(-40 * x)), known=False)
    fitted = cross_fit_uplift(sharp)
    assert fitted.nuisances.propensity.min() == 0.02
    assert fitted.nuisances.clipped > 0
    assert any("kept at 2% from 0 or 1" in note for note in fitted.notes)


def test_the_same_seed_gives_the_same() -> None:
    trial = simulate_trial(300, 5).trial
    frames = [cross_fit_uplift(trial, seed=s).to_frame() for s in (1, 1, 2)]
    pd.testing.assert_frame_equal(frames[0], frames[1])
    assert not frames[0].equals(frames[2])


def test_a_fitted_model_serves_customers_outside_the_trial() -> None:
    known, others = simulate_trial(3_000, 1, tie=0.8), simulate_trial(500, 2, tie=0.8)
    for learner in ("T", "DR"):
        model = fit_uplift(known.trial, learner)
        told = model.predict(others.trial.features)
        assert np.corrcoef(told["uplift"], others.true_uplift)[0, 1] > 0.8
        gain = model.expected_gain(
            others.trial.features, others.trial.value, contact_cost=2.0, offer_cost=8.0
        )
        by_hand = told["uplift"] * others.trial.value - 2.0 - 8.0 * told["accepted"]
        assert gain.to_numpy() == pytest.approx(by_hand.to_numpy(), abs=EXACT)
    words = others.trial.features.assign(usage_fall=np.nan)
    assert np.isfinite(model.predict(words)).all(axis=None)


def test_everybody_stays_and_nothing_is_gained() -> None:
    trial = simulate_trial(300, 1).trial
    same = replace(trial, outcome=np.ones(len(trial)))
    fitted = cross_fit_uplift(same)
    assert fitted.average.estimate == 0.0
    assert all((uplift == 0).all() for uplift in fitted.uplift.values())


def test_words_count_as_features() -> None:
    generator = np.random.default_rng(0)
    n = 1_500
    town = generator.choice(["coast", "hills", "plain", None], n)
    offer = generator.random(n) < 0.5
    effect = pd.Series(town).map({"coast": 2.0, "hills": 0.0, "plain": 1.0}).fillna(-1.0)
    y = effect * offer + generator.standard_normal(n)
    frame = pd.DataFrame({"town": town, "offer": offer, "y": y})
    trial = read_trial(frame, treated="offer", outcome="y", features=["town"], propensity=0.5)
    found = cross_fit_uplift(trial, learners=("T",)).uplift["T"]
    assert np.abs(found - effect).max() < 0.5  # four standard errors of a town's difference


def test_regressions_without_any_feature_give_the_mean() -> None:
    nothing, outcome = np.empty((4, 0)), np.array([0.0, 1.0, 1.0, 0.0])
    assert fit_mean(nothing, outcome)(np.empty((2, 0))).tolist() == [0.5, 0.5]


def test_orders_for_the_outcome_give_every_part_the_same_mean() -> None:
    trial = simulate_trial(800, 1).trial
    fitted = cross_fit_uplift(trial)
    rules = targeting_rules(trial, fitted, "outcome")
    assert list(rules) == ["uplift (T)", "uplift (DR)", "churn risk", "random"]
    means = rules["uplift (DR)"].groupby(fitted.part).mean()
    assert means.to_numpy() == pytest.approx(fitted.uplift["DR"].mean(), abs=EXACT)
    with pytest.raises(ValueError, match="of='profit' must be one of 'money', 'outcome'"):
        targeting_rules(trial, fitted, "profit")
    with pytest.raises(ValueError, match="made of another trial"):
        targeting_rules(simulate_trial(800, 2).trial, replace(fitted, customers=pd.Index([1])))
