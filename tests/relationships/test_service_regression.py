"""The regression on customer-months, beside statsmodels and closed forms."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships.service.phases import equal_slopes
from keycustomer.relationships.service.regression import fit_regression, independent

# The ridge that keeps coefficients finite moves them by less than this.
RIDGE_MOVES = 1e-5
ROUNDING = 1e-9


def made(n=3000, customers=300, seed=0, logistic=True):
    rng = np.random.default_rng(seed)
    customer = np.sort(rng.integers(0, customers, n))
    customer = pd.factorize(customer)[0]
    x = np.column_stack([rng.normal(size=n), rng.random(n) < 0.3]).astype(float)
    own = rng.normal(size=customers)[customer]
    score = -1 + 0.5 * x[:, 0] - 0.8 * x[:, 1] + 0.7 * own
    y = (rng.random(n) < 1 / (1 + np.exp(-score))) if logistic else score + rng.normal(size=n)
    return y.astype(float), x, customer


@pytest.mark.parametrize("logistic", [True, False])
def test_coefficients_and_clustered_errors_are_those_of_statsmodels(logistic):
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.regression.linear_model import OLS

    y, x, customer = made(logistic=logistic)
    family = "logistic" if logistic else "linear"
    own = fit_regression(y, x, ["a", "b"], customer, family)
    full = np.column_stack([np.ones(len(x)), x])
    model = GLM(y, full, Binomial()) if logistic else OLS(y, full)
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": customer})
    np.testing.assert_allclose(own.coefficients, theirs.params, rtol=RIDGE_MOVES)
    errors = np.sqrt(np.diag(own.covariance))
    np.testing.assert_allclose(errors, theirs.bse, rtol=RIDGE_MOVES)
    np.testing.assert_allclose(own.predict(x), theirs.predict(), rtol=RIDGE_MOVES)


def test_change_of_a_single_flag_is_the_difference_of_two_means():
    y, x, customer = made()
    flag = x[:, 1:]
    own = fit_regression(y, flag, ["flag"], customer)
    one = own.change(np.ones_like(flag), np.zeros_like(flag), "share")
    means = y[flag[:, 0] == 1].mean() - y[flag[:, 0] == 0].mean()
    assert one.estimate == pytest.approx(means, abs=RIDGE_MOVES)
    thousand = own.change(np.ones_like(flag), np.zeros_like(flag), "share", per=-1000)
    assert thousand.estimate == pytest.approx(-1000 * one.estimate)
    assert thousand.upper - thousand.lower == pytest.approx(1000 * (one.upper - one.lower))


def test_interval_of_a_change_has_the_spread_of_the_customer_bootstrap():
    """The influence of customers and drawing them again agree to the noise of 250 draws."""
    y, x, customer = made(n=2000, customers=250, seed=1)
    other = np.column_stack([x[:, 0] + 0.5, np.zeros(len(x))])
    own = fit_regression(y, x, ["a", "b"], customer).change(other, x, "share")
    rows = [np.flatnonzero(customer == k) for k in range(customer.max() + 1)]
    rng, draws = np.random.default_rng(2), []
    for _ in range(250):
        chosen = [rows[k] for k in rng.integers(0, len(rows), len(rows))]
        at = np.concatenate(chosen)
        who = np.repeat(np.arange(len(chosen)), [len(k) for k in chosen])
        draws.append(fit_regression(y[at], x[at], ["a", "b"], who).change(other[at], x[at], "")
                     .estimate)  # fmt: skip
    error = (own.upper - own.lower) / (2 * 1.959964)
    assert error == pytest.approx(np.std(draws), rel=0.15)


def test_columns_that_say_nothing_new_are_left_out_and_named():
    y, x, customer = made()
    more = np.column_stack([x, x[:, 0] + 2 * x[:, 1], np.ones(len(x))])
    own = fit_regression(y, more, ["a", "b", "sum", "same"], customer)
    assert own.left_out == ("sum", "same")
    assert own.coefficients[3:].tolist() == [0.0, 0.0]
    plain = fit_regression(y, x, ["a", "b"], customer)
    np.testing.assert_allclose(own.predict(more), plain.predict(x), atol=ROUNDING)
    assert independent(np.ones((5, 2))) == []


def test_a_group_in_which_nobody_left_keeps_a_finite_coefficient():
    y, x, customer = made()
    alone = (np.arange(len(y)) < 60).astype(float)
    y = np.where(alone == 1, 0.0, y)
    own = fit_regression(y, np.column_stack([x, alone]), ["a", "b", "alone"], customer)
    assert -30 < own.coefficients[3] < -5
    assert np.isfinite(own.covariance).all()


def test_what_tells_leavers_without_exception_has_no_interval():
    y, x, customer = made()
    x[:, 1] = y
    own = fit_regression(y, x, ["a", "b"], customer)
    assert own.unbounded and np.isnan(own.coefficient("b").lower)
    changed = x.copy()
    changed[:, 1] = 0
    assert np.isnan(own.change(changed, x, "leavers").lower)
    # a group without leavers has no bound itself, and leaves the others theirs
    y, x, customer = made()
    y[x[:, 1] == 1] = 0
    own = fit_regression(y, x, ["a", "b"], customer)
    assert own.unbounded == ("b",)
    assert np.isnan(own.coefficient("b").upper) and np.isfinite(own.coefficient("a").upper)


def test_a_column_left_out_has_no_coefficient():
    y, x, customer = made()
    own = fit_regression(y, np.column_stack([x, np.zeros(len(x))]), ["a", "b", "never"], customer)
    assert own.left_out == ("never",)
    assert np.isnan(equal_slopes(own, ["a", "never"])) and 0 <= equal_slopes(own, ["a", "b"]) <= 1
    told = own.coefficient("never")
    assert np.isnan([told.estimate, told.lower, told.upper]).all() and "same" in told.method


def test_what_cannot_be_fitted_is_said():
    y, x, customer = made(n=50, customers=10)
    with pytest.raises(ValueError, match="0 in some rows and 1 in others"):
        fit_regression(np.zeros(len(y)), x, ["a", "b"], customer)
    with pytest.raises(ValueError, match="infinite in some rows: b"):
        fit_regression(y, np.where(x == x[0, 1], np.nan, x), ["a", "b"], customer)
    with pytest.raises(ValueError, match="at least two customers"):
        fit_regression(y, x, ["a", "b"], np.zeros(len(y), dtype=int))
    with pytest.raises(KeyError, match="there is: constant, a, b"):
        fit_regression(y, x, ["a", "b"], customer).coefficient("c")
