"""Gains by depth agree with closed forms, brute force and each other."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.relationships import (
    cross_fit_uplift,
    profit_curves,
    qini_curves,
    read_trial,
    simulate_trial,
    targeting_rules,
)
from keycustomer.relationships.targeting.ranking import Ranking

EXACT = 1e-9  # rounding of sums
GRID = 5e-4  # a straight line between 101 depths against a parabola
FEW = 2  # draws where intervals are not looked at


def paired(effect, cost: float = 0.0, n: int = 1_000):
    """Pairs of equal customers, one with the offer: every difference is the effect, without noise.

    The score u runs from 1 down to 0; outcome 1 is what the other of the pair has without it.
    """
    u = np.repeat((np.arange(n) + 0.5) / n, 2)
    offer = np.tile([1, 0], n)
    frame = pd.DataFrame({"u": u, "offer": offer, "y": 1 + effect(u) * offer})
    return read_trial(
        frame, treated="offer", outcome="y", features=["u"], contact_cost=cost, propensity=0.5
    )


def scored(trial, **columns):
    return pd.DataFrame(columns, index=trial.customers)


def test_qini_of_uplift_in_proportion_to_the_score_is_a_twelfth() -> None:
    # gain(d) = a (d - d^2/2), straight line a d/2, area a (1/2 - 1/6 - 1/4)
    trial = paired(lambda u: 0.6 * u)
    found = qini_curves(
        trial, scored(trial, best=trial.features["u"], worst=-trial.features["u"]), draws=FEW
    )
    assert found.area["best"].estimate == pytest.approx(0.6 / 12, abs=GRID)
    assert found.area["worst"].estimate == pytest.approx(-0.6 / 12, abs=GRID)
    curve = found.curve("best")
    d = curve["depth"]
    assert curve["gain"].to_numpy() == pytest.approx((0.6 * (d - d**2 / 2)).to_numpy(), abs=GRID)


def test_qini_of_a_share_that_can_be_kept() -> None:
    # a share p has uplift 1: gain(d) = min(d, p), area p (1 - p) / 2
    p = 0.3
    trial = paired(lambda u: (u > 1 - p).astype(float))
    found = qini_curves(trial, scored(trial, best=trial.features["u"]), draws=FEW)
    assert found.area["best"].estimate == pytest.approx(p * (1 - p) / 2, abs=GRID)


def test_best_profit_in_closed_form() -> None:
    # uplift a u at a cost c: worth it above u = c/a, which earns (a - c)^2 / (2 a)
    a, c = 0.8, 0.2
    trial = paired(lambda u: a * u, cost=c)
    table = profit_curves(trial, scored(trial, best=trial.features["u"]), draws=FEW).to_frame()
    assert table.loc[0, "best_depth"] == pytest.approx(1 - c / a, abs=0.01)
    assert table.loc[0, "best_gain"] == pytest.approx((a - c) ** 2 / (2 * a), abs=GRID)
    assert table.loc[0, "gain_of_all"] == pytest.approx(a / 2 - c, abs=EXACT)


def test_radcliffe_does_not_move_when_all_outcomes_do() -> None:
    trial = simulate_trial(500, 1).trial
    rules = scored(trial, spend=trial.features["spend"])
    raised = replace(trial, outcome=trial.outcome + 100.0)
    one, other = (qini_curves(t, rules, draws=FEW).curve("spend")["gain"] for t in (trial, raised))
    assert one.to_numpy() == pytest.approx(other.to_numpy(), abs=1e-7)  # 100 has fewer digits left


def test_a_score_that_is_the_same_for_all_gives_the_straight_line() -> None:
    trial = simulate_trial(500, 1).trial
    fitted = cross_fit_uplift(trial)
    for source in (None, fitted):
        found = qini_curves(trial, scored(trial, random=0.0), source, draws=50)
        curve = found.curve("random")
        line = curve["depth"] * curve["gain"].iloc[-1]
        assert curve["gain"].to_numpy() == pytest.approx(line.to_numpy(), abs=EXACT)
        assert abs(found.area["random"].upper) < EXACT


def test_every_order_ends_at_the_mean_effect() -> None:
    trial = simulate_trial(500, 2).trial
    fitted = cross_fit_uplift(trial)
    rules = targeting_rules(trial, fitted)
    ends = qini_curves(trial, rules, fitted, draws=FEW).to_frame()["gain_of_all"]
    assert ends.to_numpy() == pytest.approx(fitted.average.estimate, abs=EXACT)
    money = profit_curves(trial, rules, fitted, draws=FEW).to_frame()["gain_of_all"]
    assert money.to_numpy() == pytest.approx(fitted.average_money.estimate, abs=EXACT)


def test_intervals_hold_the_true_area_and_tell_good_orders_from_bad() -> None:
    held = 0
    for seed in range(20):
        known = simulate_trial(800, seed, tie=-0.8)
        rules = scored(known.trial, risk=known.true_risk, uplift=known.true_uplift)
        found = qini_curves(known.trial, rules, draws=200)
        exact = Ranking.of(known.true_risk, np.linspace(0, 1, 101))
        gain = exact.sums(known.true_uplift, np.ones((1, 800)))[0] / 800
        truth = np.trapezoid(gain, exact.depths) - gain[-1] / 2
        held += found.area["risk"].lower <= truth <= found.area["risk"].upper
        assert found.area["uplift"].estimate > found.area["risk"].estimate
    assert held >= 17  # 20 intervals of 95 %: fewer than 17 has a chance of 2 in 1,000


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.integers(2, 12),
    st.floats(0, 1),
)
def test_a_ranking_gives_each_depth_its_share(scores, points, depth) -> None:
    score = np.array(scores, dtype=float)
    n = len(score)
    depths = np.linspace(0, 1, points)
    ranking = Ranking.of(score, depths)
    assert np.asarray(ranking.steps.sum(axis=1)) == pytest.approx(1.0)
    assert np.bincount(ranking.group) @ ranking.steps == pytest.approx(n * np.diff(depths))
    offered = ranking.offered(depth)
    assert offered.sum() == pytest.approx(depth * n)
    assert (np.diff(offered[np.argsort(-score)]) <= EXACT).all()  # never more to a lower score
    by_steps = np.array([ranking.offered(float(d)).sum() for d in depths])
    assert ranking.sums(np.ones(n), np.ones((1, n)))[0] == pytest.approx(by_steps)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(3, 40))
def test_sums_agree_with_brute_force(seed, n) -> None:
    generator = np.random.default_rng(seed)
    score, amount = generator.integers(0, 6, n).astype(float), generator.normal(size=n)
    weights = generator.integers(0, 3, n).astype(float)
    depths = np.linspace(0, 1, 5)
    ranking = Ranking.of(score, depths)
    found = ranking.sums(amount, weights[None, :])[0]
    slow = [(ranking.offered(float(d)) * amount * weights).sum() for d in depths]
    assert found == pytest.approx(slow, abs=EXACT)


def test_scores_that_do_not_fit_are_refused() -> None:
    known = simulate_trial(200, 1)
    trial = known.trial
    with pytest.raises(ValueError, match="3 rows of scores, and not of the trial's 200"):
        qini_curves(trial, pd.DataFrame({"a": [1, 2, 3]}))
    with pytest.raises(ValueError, match="no column of scores"):
        qini_curves(trial, scored(trial))
    with pytest.raises(ValueError, match="scores of 'a' are unknown or infinite"):
        qini_curves(trial, scored(trial, a=np.nan))
    with pytest.raises(ValueError, match=r"not given by lot.*cross_fit_uplift"):
        qini_curves(replace(trial, propensity=None), scored(trial, a=1.0))
    with pytest.raises(KeyError, match="no rule 'b'; there is: a"):
        qini_curves(trial, scored(trial, a=1.0), draws=FEW).curve("b")
    with pytest.raises(ValueError, match="points=1"):
        qini_curves(trial, scored(trial, a=1.0), points=1)
    assert "<table" in qini_curves(trial, scored(trial, a=1.0), draws=FEW)._repr_html_()
