"""What rules of choice earn: by hand, against known truth, and with honest depths and intervals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import (
    cross_fit_uplift,
    profits_by_tie,
    read_trial,
    simulate_trial,
    targeting_profits,
    targeting_rules,
    targeting_value,
)
from keycustomer.relationships.targeting.known_trial import BASE, EFFECT

EXACT = 1e-9  # rounding of sums
TRIALS = 20
FEWEST_HELD = 17  # of 20 intervals of 95 %: fewer has a chance of 2 in 1,000
FEW = 2  # draws where intervals are not looked at


def judged(seed: int, tie: float, customers: int = 1_000, draws: int = 100, **settings):
    known = simulate_trial(customers, seed, tie=tie)
    fitted = cross_fit_uplift(known.trial, folds=3, seed=seed)
    rules = targeting_rules(known.trial, fitted)
    return known, targeting_profits(known.trial, fitted, rules, draws=draws, **settings)


def test_a_choice_is_valued_by_those_whose_lot_agrees() -> None:
    n = 80
    frame = pd.DataFrame(
        {"x": np.arange(n) % 4 < 2, "offer": np.arange(n) % 2, "y": np.arange(n) % 4}
    )
    # y without the offer is 0 for x and 2 else, with it 1 and 3
    trial = read_trial(
        frame, treated="offer", outcome="y", features=["x"], contact_cost=0.25, propensity=0.5
    )
    everybody = targeting_value(trial, np.ones(n, dtype=bool), draws=200)
    assert everybody.estimate == pytest.approx(1 - 0.25)
    assert targeting_value(trial, frame["x"], draws=200).estimate == pytest.approx(0.75 / 2)
    assert targeting_value(trial, np.zeros(n, dtype=bool), draws=200).estimate == 0.0
    fitted = cross_fit_uplift(trial)
    assert targeting_value(trial, frame["x"], fitted).estimate == pytest.approx(0.375, abs=0.01)
    assert everybody.lower < 0.75 < everybody.upper


def test_who_is_chosen_is_asked_of_all_customers() -> None:
    trial = simulate_trial(100, 1).trial
    with pytest.raises(ValueError, match=r"chosen: \(3,\) values.*needed \(100\)"):
        targeting_value(trial, [True, False, True])
    with pytest.raises(ValueError, match="not given by lot"):
        targeting_value(replace(trial, propensity=None), np.ones(100, dtype=bool))


def test_two_ways_of_valuing_a_choice_agree_and_one_is_narrower() -> None:
    known = simulate_trial(6_000, 1, tie=0.5)
    trial = known.trial
    fitted = cross_fit_uplift(trial)
    chosen = trial.features["usage_fall"] > 0.5
    plain = targeting_value(trial, chosen, draws=300)
    robust = targeting_value(trial, chosen, fitted, draws=300)
    truth = float(np.where(chosen, known.true_gain, 0.0).mean())
    for found in (plain, robust):
        assert found.lower <= truth <= found.upper
    assert robust.upper - robust.lower < 0.8 * (plain.upper - plain.lower)


def test_intervals_of_profits_and_gaps_hold_the_truth() -> None:
    held = {"profit": 0, "random": 0, "gap": 0}
    for seed in range(TRIALS):
        known = simulate_trial(600, seed, tie=0.4)
        fitted = cross_fit_uplift(known.trial, learners=("DR",), folds=2, seed=seed)
        rules = targeting_rules(known.trial, fitted)[["uplift x value", "churn risk", "random"]]
        profits = targeting_profits(known.trial, fitted, rules, draws=100)
        truth = profits.truth(known.true_gain)
        for name, rule in (("profit", "uplift x value"), ("random", "random")):
            found = profits.profits[rule, "fixed depth"]
            held[name] += found.lower <= truth[rule, "fixed depth"] <= found.upper
        gap = profits.gap("uplift x value", stop="fixed depth")
        true_gap = truth["uplift x value", "fixed depth"] - truth["churn risk", "fixed depth"]
        held["gap"] += gap.lower <= true_gap <= gap.upper
    assert min(held.values()) >= FEWEST_HELD


def test_the_risky_who_cannot_be_kept_make_risk_worse_than_random() -> None:
    study = profits_by_tie((-0.8,), repeats=20, customers=600, folds=2)
    table = study.to_frame().set_index("rule")
    assert table.loc["churn risk", "below_random"] == 20
    assert table.loc["uplift x value (DR)", "below_random"] == 0
    assert table.loc["uplift x value (DR)", "least"] > table.loc["churn risk", "most"]
    assert "in 20 of 20 trials" in study._repr_html_()
    together = (
        profits_by_tie((0.8,), repeats=3, customers=800, folds=2).to_frame().set_index("rule")
    )
    assert together.loc["churn risk", "below_random"] == 0


def test_verdicts_follow_the_interval_of_the_difference() -> None:
    _, against = judged(1, -0.8, customers=6_000)
    assert against.verdict("uplift x value (DR)", stop="fixed depth") == "supported"
    assert against.verdict("churn risk", "random", "fixed depth") == "not supported"
    _, small = judged(1, 0.8, customers=200)
    assert small.verdict("uplift x value (T)", "uplift x value (DR)") == "undecided"
    with pytest.raises(KeyError, match="no gap of 'value' and 'nobody'"):
        small.gap("value", "nobody")


def test_differences_are_of_the_same_customers() -> None:
    _, profits = judged(3, 0.8)
    rule, other = "uplift x value (T)", "uplift x value (DR)"
    one, two = profits.profits[rule, "fixed depth"], profits.profits[other, "fixed depth"]
    gap = profits.gap(rule, other, "fixed depth")
    assert gap.estimate == pytest.approx(one.estimate - two.estimate, abs=EXACT)
    unpaired = np.hypot(one.upper - one.lower, two.upper - two.lower)
    assert gap.upper - gap.lower < 0.8 * unpaired


def test_the_best_depth_of_noise_promises_nothing() -> None:
    # scores without meaning and an offer without effect or cost: on average nothing is earned,
    # where the top of each curve, read off the same customers, always promises something
    promised, top = [], []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        frame = pd.DataFrame({"x": generator.normal(size=400), "y": generator.normal(size=400)})
        frame["offer"] = generator.random(400) < 0.5
        trial = read_trial(frame, treated="offer", outcome="y", features=["x"], propensity=0.5)
        fitted = cross_fit_uplift(trial, learners=("T",), folds=3, seed=seed)
        rules = pd.DataFrame({"churn risk": frame["x"].to_numpy()}, index=trial.customers)
        found = targeting_profits(trial, fitted, rules, draws=FEW)
        promised.append(found.profits["churn risk", "best depth"].estimate)
        order = np.argsort(-frame["x"].to_numpy())
        top.append(max(0.0, np.cumsum(fitted.money_gain[order]).max() / 400))
    error = np.std(promised, ddof=1) / np.sqrt(20)
    assert np.mean(promised) < 3 * error
    assert np.mean(top) > np.mean(promised) + 3 * error


def test_stops_and_choices() -> None:
    known, profits = judged(1, 0.8, depth=0.35, draws=FEW)
    n = len(known.trial)
    frame = profits.to_frame().set_index(["rule", "stop"])
    assert frame.loc[("churn risk", "fixed depth"), "chosen"] == pytest.approx(0.35)
    assert set(profits.chosen["random", "fixed depth"].round(9)) == {0.35}
    assert ("churn risk", "gain above 0") not in frame.index
    rules = targeting_rules(known.trial, cross_fit_uplift(known.trial, folds=3, seed=1))
    above = (rules["uplift x value (T)"] > 0).mean()
    assert frame.loc[("uplift x value (T)", "gain above 0"), "chosen"] == pytest.approx(above)
    truth = profits.truth(known.true_gain)
    assert truth["random", "fixed depth"] == pytest.approx(0.35 * known.true_gain.sum() / n)
    assert "best depths were chosen on other" in profits._repr_html_().lower()


def test_shares_are_checked() -> None:
    with pytest.raises(ValueError, match=r"depth=20 must be a share.*0.2"):
        judged(1, 0.8, depth=20, draws=FEW, customers=100)
    with pytest.raises(ValueError, match=r"level=95 must be a share"):
        judged(1, 0.8, level=95, draws=FEW, customers=100)


def test_the_made_up_truth_is_the_stated_one() -> None:
    known = simulate_trial(50_000, 4, tie=0.0)
    typical = known.frame[["usage_fall", "price_interest"]].abs().max(axis=1) < 0.15
    quiet = (typical & (known.frame["complaints"] == 1)).to_numpy()
    stay = 1 / (1 + np.exp(-BASE))
    stay_with = 1 / (1 + np.exp(-BASE - EFFECT))
    assert known.true_risk[quiet].mean() == pytest.approx(1 - stay, abs=0.005)
    assert known.true_uplift[quiet].mean() == pytest.approx(stay_with - stay, abs=0.005)
    offered = known.trial.treated
    drawn = known.trial.outcome[offered].mean() - known.trial.outcome[~offered].mean()
    assert drawn == pytest.approx(known.true_uplift.mean(), abs=0.015)  # four standard errors
    with pytest.raises(ValueError, match="tie=2 must be a correlation"):
        simulate_trial(tie=2)
    with pytest.raises(ValueError, match="customers"):
        simulate_trial(10)
