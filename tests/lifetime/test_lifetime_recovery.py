"""The fits find the truth of simulated customers, and their intervals contain it."""

import numpy as np
import pandas as pd
import pytest
from keycustomer import lifetime
from keycustomer.lifetime import BetaLaw, GammaLaw, simulate_customers, simulate_spend
from scipy.stats import binom, chi2, kstest

UNLIKELY = 1e-4
"""Probability below which a deviation of simulated customers from the truth is no accident."""

SPREAD = 4.5
"""Standard errors within which a mean must lie: a miss by chance is 7 in a million."""

PURCHASING = GammaLaw(0.6, 6.0)
DROPOUT = {
    "BG/NBD": BetaLaw(0.8, 2.4),
    "MBG/NBD": BetaLaw(0.8, 2.4),
    "Pareto/NBD": GammaLaw(0.8, 12.0),
}
SPEND = (6.25, 3.74, 15.44)
MODELS = (*DROPOUT, "Gamma-Gamma")
OBSERVED = np.arange(20.0, 40.0, 1 / 7)
"""Weeks since the first purchase, as of customers won over twenty weeks."""


def fit(model, table):
    names = {
        "BG/NBD": "fit_bgnbd",
        "MBG/NBD": "fit_mbgnbd",
        "Pareto/NBD": "fit_paretonbd",
        "Gamma-Gamma": "fit_gammagamma",
    }
    return getattr(lifetime, names[model])(table)


def cohort(model, customers, seed, horizon=0.0):
    if model == "Gamma-Gamma":
        generator = np.random.default_rng(seed)
        return simulate_spend(generator.geometric(0.4, customers) - 1, *SPEND, seed=generator)
    return simulate_customers(
        model, PURCHASING, DROPOUT[model], OBSERVED, customers=customers, horizon=horizon, seed=seed
    )


def truth(model):
    if model == "Gamma-Gamma":
        return np.array(SPEND)
    return np.array([*vars(PURCHASING).values(), *vars(DROPOUT[model]).values()])


@pytest.mark.parametrize("model", MODELS)
def test_known_parameters_are_recovered(model):
    # In large cohorts the estimates' logarithms are normal around the truth, so that their
    # distances from it, in units of their covariance, add up to a chi-squared number.
    distance, cohorts, true = 0.0, 4, truth(model)
    for seed in range(cohorts):
        fitted = fit(model, cohort(model, 40_000, seed))
        away = np.log(fitted.values / true)
        distance += away @ np.linalg.solve(fitted.covariance / np.outer(true, true), away)
        assert not fitted.limit
        np.testing.assert_allclose(fitted.values, true, rtol=0.25)
    assert UNLIKELY < chi2.sf(distance, cohorts * true.size) < 1 - UNLIKELY


@pytest.mark.parametrize("model", MODELS)
def test_intervals_contain_the_truth_as_often_as_they_say(model):
    cohorts, true = 60, truth(model)
    covered = np.zeros(true.size)
    for seed in range(cohorts):
        ends = fit(model, cohort(model, 2_000, 100 + seed)).to_frame(level=0.9)
        covered += ((ends["lower"] <= true) & (true <= ends["upper"])).to_numpy()
    assert binom.cdf(covered, cohorts, 0.9).min() > UNLIKELY


@pytest.mark.parametrize("model", DROPOUT)
def test_who_is_alive_and_what_they_buy(model):
    table = cohort(model, 40_000, seed=7, horizon=30.0)
    fitted = fit(model, table)
    alive = fitted.probability_alive(table)
    ahead = fitted.expected_purchases(30.0, table)
    groups = pd.qcut(alive, 8, labels=False, duplicates="drop")
    for group in np.unique(groups):
        unbiased(table["alive"][groups == group] - alive[groups == group])
    for x in range(6):
        same = table["frequency"] == x if x < 5 else table["frequency"] >= 5
        unbiased((table["future_purchases"] - ahead)[same])
    new = simulate_customers(model, PURCHASING, DROPOUT[model], 30.0, customers=40_000, seed=8)
    unbiased(new["frequency"] - fitted.expected_purchases_new(30.0))


def unbiased(errors):
    """Check that errors have the mean 0, up to chance in the customers and in the estimates.

    The estimates rest on as many customers, so that both are of one size.
    """
    spread = np.sqrt(2) * np.std(errors) / np.sqrt(len(errors))
    assert abs(np.mean(errors)) < SPREAD * spread


def test_spend_is_recovered():
    table = cohort("Gamma-Gamma", 40_000, seed=3)
    fitted = fit("Gamma-Gamma", table)
    expected = fitted.expected_spend(table)
    for x in range(4):
        unbiased((table["true_spend"] - expected)[table["frequency"] == x])


@pytest.mark.parametrize("model", ["BG/NBD", "Pareto/NBD"])
def test_effects_of_covariates_are_recovered(model):
    effects = {"BG/NBD": (0.5, 0.4, -0.2), "Pareto/NBD": (0.5, 0.6)}[model]
    parts = []
    for group in (0, 1):
        up = np.array(effects) * group
        law = DROPOUT[model]
        moved = (
            BetaLaw(law.a * np.exp(up[1]), law.b * np.exp(up[2]))
            if model == "BG/NBD"
            else GammaLaw(law.shape, law.rate * np.exp(-up[1]))
        )
        rates = GammaLaw(PURCHASING.shape, PURCHASING.rate * np.exp(-up[0]))
        part = simulate_customers(model, rates, moved, OBSERVED, customers=20_000, seed=group)
        parts.append(part.assign(group=f"g{group}"))
    table = pd.concat(parts, ignore_index=True)
    fitted = lifetime.fit_with_covariates(table, ["group"], model=model)
    true = np.append(truth(model), effects)
    # Base values are compared by their logarithms, effects as they are.
    slope = np.append(true[:4], np.ones(len(effects)))
    away = np.append(np.log(fitted.values[:4] / true[:4]), (fitted.values - true)[4:])
    distance = away @ np.linalg.solve(fitted.covariance / np.outer(slope, slope), away)
    assert UNLIKELY < chi2.sf(distance, true.size) < 1 - UNLIKELY
    assert fitted.likelihood_ratio.p_value < 1e-20


def test_covariates_without_effect_are_found_so():
    p_values = []
    for seed in range(40):
        table = cohort("BG/NBD", 800, 500 + seed)
        table["noise"] = np.random.default_rng(seed).normal(size=len(table))
        fitted = lifetime.fit_with_covariates(table, ["noise"])
        p_values.append(fitted.likelihood_ratio.p_value)
    assert kstest(p_values, "uniform").pvalue > UNLIKELY
