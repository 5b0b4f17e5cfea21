"""What all regressions of relationships stand on: the walk, spreads, folds and draws."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.relationships.many_companies import simulated_companies
from keycustomer.stats.regressions.clustering import (
    clustered_error,
    covariance_over_customers,
    folds_of,
    sums_by_customer,
)
from keycustomer.stats.regressions.links import event_log_likelihood, logit
from keycustomer.stats.regressions.newton import climb
from keycustomer.stats.regressions.normal_draws import covariance_root
from keycustomer.stats.regressions.wald import wald_test

# Two walks to the same place, each to the last step.
FITTED = 1e-8
ROUNDING = 1e-10


def made(seed=0, n=500):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    event = rng.random(n) < 1 / (1 + np.exp(1 - design @ [0.0, 0.8, -0.4]))
    return design, event.astype(float), rng.integers(0, 60, n)


def test_weights_and_offset_are_those_of_statsmodels():
    design, event, _ = made()
    rng = np.random.default_rng(1)
    weights, offset = rng.integers(1, 4, len(event)).astype(float), rng.normal(size=len(event))
    own = climb(design, event, "logistic", weights=weights, offset=offset)
    model = sm.GLM(event, design, sm.families.Binomial(), offset=offset, freq_weights=weights)
    theirs = model.fit(tol=1e-14)
    assert own.at_rest
    np.testing.assert_allclose(own.coefficients, theirs.params, atol=FITTED)
    errors = np.sqrt(np.diag(np.linalg.inv(own.information)))
    np.testing.assert_allclose(errors, theirs.bse, rtol=1e-6)


def test_where_it_starts_does_not_matter():
    design, event, _ = made(2)
    first = climb(design, event, "logistic", penalty=2.0)
    again = climb(design, event, "logistic", penalty=2.0, start=np.array([3.0, -2.0, 2.0]))
    np.testing.assert_allclose(again.coefficients, first.coefficients, atol=FITTED)


def test_a_coefficient_that_runs_away_ends_the_walk():
    flag = np.repeat([0.0, 1.0], 50)
    design = np.column_stack([np.ones(100), flag])
    outcome = np.where(flag == 1, 1.0, np.tile([0.0, 1.0], 50))
    found = climb(design, outcome, "logistic", furthest=20.0)
    assert 20 < found.coefficients[1] < 25
    assert found.coefficients[0] == pytest.approx(0.0, abs=FITTED)


@given(st.integers(2, 40), st.integers(0, 1000))
@settings(max_examples=20)
def test_sums_are_those_of_pandas_and_folds_keep_customers(customers, seed):
    rng = np.random.default_rng(seed)
    customer = np.append(np.arange(customers), rng.integers(0, customers, 50))
    values = rng.normal(size=(len(customer), 3))
    theirs = pd.DataFrame(values).groupby(customer).sum().to_numpy()
    np.testing.assert_allclose(sums_by_customer(values, customer), theirs, atol=ROUNDING)
    fold = folds_of(customer, 2, seed)
    assert (pd.Series(fold).groupby(customer).nunique() == 1).all()
    sizes = np.bincount(fold[:customers], minlength=2)
    assert abs(sizes[0] - sizes[1]) <= 1


def test_the_error_of_a_mean_is_that_of_statsmodels_by_customer():
    """Without the factor for few columns that statsmodels multiplies with as well."""
    _, event, customer = made(3)
    customer = pd.factorize(customer)[0]
    theirs = sm.OLS(event, np.ones(len(event))).fit(
        cov_type="cluster", cov_kwds={"groups": customer, "use_correction": False}
    )
    groups = customer.max() + 1
    own = clustered_error(event - event.mean(), customer)
    assert own == pytest.approx(theirs.bse[0] * np.sqrt(groups / (groups - 1)), rel=ROUNDING)
    assert np.isnan(covariance_over_customers(np.ones((1, 2)))).all()


def test_the_root_of_a_covariance_does_not_turn():
    rng = np.random.default_rng(5)
    shape = rng.normal(size=(6, 4))
    covariance = shape @ shape.T
    root = covariance_root(covariance)
    np.testing.assert_allclose(root @ root, covariance, atol=ROUNDING)
    np.testing.assert_allclose(root, root.T, atol=ROUNDING)
    np.testing.assert_allclose(covariance_root(np.eye(3) + 1e-14), np.eye(3), atol=ROUNDING)


def test_wald_is_that_of_statsmodels():
    design, event, _ = made(6)
    fitted = sm.OLS(event, design).fit()
    theirs = fitted.wald_test(np.eye(3)[1:], use_f=False, scalar=True).pvalue
    own = wald_test(fitted.params[1:], fitted.cov_params()[1:, 1:])
    assert own == pytest.approx(float(theirs), rel=1e-6)


def test_probabilities_of_nothing_and_everything_stay_finite():
    ends = np.array([0.0, 0.5, 1.0])
    odds = logit(ends)
    assert np.isfinite(odds).all() and odds[1] == 0 and odds[2] == pytest.approx(-odds[0], rel=1e-4)
    assert np.isfinite(event_log_likelihood(np.array([1, 0, 0]), ends)).all()


def test_companies_have_seeds_that_follow_one_another():
    made_up = list(simulated_companies(2, 20, 6, 7))
    assert [one.settings.seed for one in made_up] == [7, 8]
    for wrong in (1, True, 2.5):
        with pytest.raises(ValueError, match=f"companies={wrong}: at least 2"):
            next(simulated_companies(wrong, 20, 6, 7, least=2))
