"""Estimates are uncertain: shrinkage, promised against delivered, regret."""

import math

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import (
    optimisers_curse,
    plan_uniform,
    promised_delivered,
    regret_over_draws,
    select_levels,
    shrink_values,
    uplift_errors,
)
from level_instances import retention_case

MEAN_OF_POSITIVE = 1 / math.sqrt(2 * math.pi)
"""E max(0, Z) for a standard normal Z."""

COMPANIES = 20


def worthless_levels(customers, draws, seed):
    """A level worth nothing and costing nothing, and estimates of it with errors of 1."""
    generator = np.random.default_rng(seed)
    value = np.zeros((customers, 2))
    drawn = np.zeros((draws, customers, 2))
    drawn[:, :, 1] = generator.normal(size=(draws, customers))
    return value, np.zeros_like(value), drawn


def test_curse_of_a_worthless_level_is_known():
    value, cost, drawn = worthless_levels(400, 300, 0)
    curse = optimisers_curse(value, cost, 0, draws=drawn, level=0.999)
    assert curse.curse.lower <= 400 * MEAN_OF_POSITIVE <= curse.curse.upper
    assert curse.promised == 0 and (curse.frame["delivered"] == 0).all()
    assert curse.expected == -curse.curse.estimate and math.isnan(curse.share)


def test_perfect_information_on_a_worthless_level_is_known():
    value, cost, drawn = worthless_levels(400, 300, 1)
    known = regret_over_draws({"nothing": np.zeros(400, int)}, value, cost, 0, draws=drawn)
    regret = known.frame.set_index("plan")["mean_regret"]
    error = math.sqrt(0.5 - MEAN_OF_POSITIVE**2) * math.sqrt(400 / 300)
    assert regret["nothing"] == pytest.approx(400 * MEAN_OF_POSITIVE, abs=4 * error)
    assert known.perfect_information <= regret["nothing"]
    assert known.certainty["certainty"].between(0.4, 0.7).all()


def noisy_case(seed):
    """Truth, estimates of it and their errors: uplifts around a mean, budget short."""
    generator = np.random.default_rng(seed)
    n, levels = 300, 4
    margin = generator.lognormal(4, 1, n)
    mean, spread, error = np.array([0.1, 0.2, 0.3]), 0.05, 0.15
    uplift = mean + spread * generator.normal(size=(n, levels - 1))
    base = 5 * margin[:, None]
    errors = np.column_stack([np.zeros(n), *[error * margin] * 3])
    truth = np.column_stack([base, base + margin[:, None] * uplift])
    estimates = truth + errors * generator.normal(size=truth.shape)
    cost = np.tile([0.0, 2, 6, 20], (n, 1))
    return truth, estimates, errors, cost, 0.15 * cost[:, -1].sum(), margin


def test_shrunk_plans_promise_what_they_deliver_and_deliver_more():
    kept, gained = [], []
    for seed in range(COMPANIES):
        truth, estimates, errors, cost, budget, margin = noisy_case(seed)
        shrunk = shrink_values(estimates, cost, standard_error=errors, scale=margin)
        plans = {
            "estimates": select_levels(estimates, cost, budget),
            "shrunk": select_levels(shrunk, budget=budget),
        }
        table = promised_delivered(plans, truth, cost, budget).frame.set_index("plan")
        kept.append(table["kept"])
        gained.append(table["attainable_gain_share"])
    kept, gained = pd.DataFrame(kept), pd.DataFrame(gained)
    error = kept.std() / math.sqrt(COMPANIES)
    assert (kept["estimates"] < 0.8).all()
    assert kept["shrunk"].mean() == pytest.approx(1, abs=3 * error["shrunk"] + 0.02)
    assert (gained["shrunk"] > gained["estimates"]).mean() > 0.9
    assert (gained <= 1 + 1e-4).all(axis=None)


def test_shrinkage_recovers_mean_and_spread():
    tables = []
    for seed in range(COMPANIES):
        _, estimates, errors, cost, _, margin = noisy_case(seed)
        shrunk = shrink_values(estimates, cost, standard_error=errors, scale=margin)
        tables.append(shrunk.frame[["mean_uplift", "spread", "own_weight"]])
    mean = np.mean(tables, axis=0)
    error = np.std(tables, axis=0) / math.sqrt(COMPANIES)
    assert mean[:, 0] == pytest.approx([0.1, 0.2, 0.3], abs=4 * error[:, 0].max())
    # the spread is a third of the error, and estimated as 0 in some companies
    assert mean[:, 1] == pytest.approx(0.05, abs=0.015)
    assert mean[:, 2] == pytest.approx(0.1, abs=0.05)


def test_equal_errors_have_the_closed_form():
    generator = np.random.default_rng(5)
    estimate = generator.normal(2, 3, 50)
    value = np.column_stack([np.zeros(50), estimate])
    shrunk = shrink_values(value, 0 * value, standard_error=np.ones_like(value))
    toward = (50 - 3) / ((estimate - estimate.mean()) ** 2).sum()
    expected = estimate.mean() + (1 - toward) * (estimate - estimate.mean())
    assert shrunk.value[:, 1] == pytest.approx(expected)
    assert (shrunk.value[:, 0] == 0).all() and (shrunk.weight[:, 0] == 1).all()


def test_unequal_errors_by_their_equations():
    generator = np.random.default_rng(6)
    errors = generator.uniform(0.2, 2, 80)
    x = generator.normal(size=80)
    estimate = 1 + 2 * x + generator.normal(0, 1, 80) + errors * generator.normal(size=80)
    value, error = np.column_stack([np.zeros(80), estimate]), np.column_stack([errors, errors])
    shrunk = shrink_values(value, 0 * value, standard_error=error, predictors=x[:, None])
    variance = shrunk.frame["spread"][0] ** 2
    weight = 1 / (variance + errors**2)
    design = np.column_stack([np.ones(80), x - x.mean()])
    slope = np.linalg.solve((design.T * weight) @ design, (design.T * weight) @ estimate)
    left = estimate - design @ slope
    assert (weight * left**2).sum() == pytest.approx(78)  # Paule & Mandel's equation
    own = 1 - 76 / 78 * errors**2 * weight
    assert shrunk.weight[:, 1] == pytest.approx(own)
    assert shrunk.value[:, 1] == pytest.approx(design @ slope + own * left)
    # an estimate of larger error is drawn further
    assert (np.diff(shrunk.weight[np.argsort(errors), 1]) < 0).all()


def test_known_values_and_few_customers_stay():
    value, cost, _ = retention_case(10, 0)
    sure = shrink_values(value, cost, standard_error=np.zeros_like(value))
    assert sure.value == pytest.approx(value)
    few = shrink_values(value[:3], cost[:3], standard_error=np.ones((3, 5)))
    assert few.value == pytest.approx(value[:3]) and "so few customers" in few.notes[0]
    scale = np.r_[0.0, np.ones(9)]
    some = shrink_values(value, cost, standard_error=np.ones((10, 5)), scale=scale)
    assert some.excluded == 1 and (some.value[0] == value[0]).all()
    assert "1 customers have no positive scale" in some._repr_html_()


def test_values_without_spread_are_drawn_to_their_mean():
    generator = np.random.default_rng(7)
    value = np.column_stack([np.zeros(2_000), 3 + 0.1 * generator.normal(size=2_000)])
    shrunk = shrink_values(value, 0 * value, standard_error=np.ones_like(value))
    assert shrunk.frame["spread"][0] == 0
    assert np.ptp(shrunk.value[:, 1]) < 0.01


def test_errors_of_uplifts_are_split():
    generator = np.random.default_rng(8)
    n, draws = 200, 400
    margin = generator.lognormal(0, 1, n)
    value = np.column_stack([margin, margin])
    common = 0.5 * generator.normal(size=(draws, 1))
    own = 0.2 * generator.normal(size=(draws, n))
    drawn = np.zeros((draws, n, 2))
    drawn[:, :, 0] = value[:, 0] + generator.normal(size=(draws, 1))
    drawn[:, :, 1] = drawn[:, :, 0] + margin * (common + own)
    errors = uplift_errors(value, drawn, scale=margin)
    assert errors.common[1] == pytest.approx(0.5, rel=0.15)
    assert (errors.own[:, 1] / margin).mean() == pytest.approx(0.2, rel=0.02)
    assert (errors.own[:, 0] == 0).all()


def test_plan_for_the_mean_regrets_least():
    truth, estimates, errors, cost, budget, _ = noisy_case(3)
    draws = estimates + errors * np.random.default_rng(0).normal(size=(40, *estimates.shape))
    done = []
    plans = {
        "estimates": select_levels(estimates, cost, budget),
        "uniform": plan_uniform(estimates, cost, budget),
        "truth": select_levels(truth, cost, budget),
    }
    result = regret_over_draws(
        plans, estimates, cost, budget, draws=draws, progress=lambda *step: done.append(step)
    )
    regret = result.frame["mean_regret"]
    # the best plan is found up to its gap
    assert regret.iloc[0] <= regret.min() + 1e-4 * result.robust.gain
    assert (result.frame["worst"] >= result.frame["high"]).all()
    assert done[-1] == (40, 40)
    assert "40 draws" in result._repr_html_()
    again = regret_over_draws(plans, estimates, cost, budget, draws=iter(draws))
    pd.testing.assert_frame_equal(again.frame, result.frame)


def test_promises_need_plans_that_promise():
    with pytest.raises(TypeError, match="plans\\['x'\\] is list"):
        promised_delivered({"x": [0]}, [[0, 1]], [[0, 1]], 1)


def test_costs_may_be_delivered_otherwise_too():
    plan = select_levels([[0, 5]], [[0, 1]], 1)
    row = promised_delivered({"x": plan}, [[0, 4]], [[0, 2]], 1).frame.iloc[0]
    assert (row["promised"], row["delivered"], row["delivered_cost"]) == (5, 4, 2)
    assert not row["within_budget"] and math.isnan(row["attainable_gain_share"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optimisers_curse([[0, 1]], [[0, 1]], 1, draws=[[[0, 1]]]), "1 given"),
        (lambda: optimisers_curse([[0, 1]], [[0, 1]], 1, draws=np.zeros((3, 2, 2))), "draw 0 has"),
        (lambda: uplift_errors([[0, 1]], [[[0, 1]]]), "1 given"),
        (lambda: uplift_errors([[0, 1]], np.zeros((3, 2, 2))), "draw 0 has shape"),
        (lambda: shrink_values([[0, 1]], [[0, 1]], standard_error=[[0, -1]]), "negative"),
        (lambda: shrink_values([[0, 1]], [[0, 1]], standard_error=[0, 1]), r"shape \(2,\)"),
        (
            lambda: shrink_values(
                [[0, 1]], [[0, 1]], standard_error=[[0, 1]], predictors=[[np.nan]]
            ),
            "predictors has shape",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
