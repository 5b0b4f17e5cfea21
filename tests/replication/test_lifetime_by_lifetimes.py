"""CDNOW: the library against lifetimes, an independent implementation of the same models.

Two things are compared: the maxima that both find, ours never below theirs, and, at the same
parameters, what both say of each customer.  The likelihood that lifetimes stores is not that of
the data: its times are scaled so that the oldest customer has age 1, and it is a mean (of the
Pareto/NBD, a sum); so it is computed anew here.
"""

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keycustomer.lifetime import (
    fit_bgnbd,
    fit_gammagamma,
    fit_mbgnbd,
    fit_paretonbd,
    read_histories,
)

with warnings.catch_warnings():
    # at its import it sets options that pandas has given up
    warnings.simplefilter("ignore")
    import lifetimes
    from lifetimes.utils import _customer_lifetime_value

STOPPED = 2e-3
"""Relative: lifetimes stops where a step gains 1e-7 of the mean likelihood, which is flat there."""

SHORT = 0.01
"""Log units that lifetimes may stop below the maximum on these data."""

FORMULA = 1e-8
"""Relative: both evaluate closed forms; lifetimes' hypergeometric functions lose some digits."""

MODELS = {
    "BG/NBD": (fit_bgnbd, lifetimes.BetaGeoFitter),
    "MBG/NBD": (fit_mbgnbd, lifetimes.ModifiedBetaGeoFitter),
    "Pareto/NBD": (fit_paretonbd, lifetimes.ParetoNBDFitter),
}
HORIZONS = (1.0, 39.0, 520.0)


@pytest.fixture(scope="module")
def table():
    folder = Path(importlib.util.find_spec("lifetimes").origin).parent / "datasets"
    read = pd.read_csv(folder / "cdnow_customers_summary_with_transactions.csv")
    names = {"x": "frequency", "t_x": "recency", "zbar": "monetary_value"}
    return read.rename(columns=names)


@pytest.fixture(scope="module")
def histories(table):
    return read_histories(table, recorded_in="week", keep_customers=True)


@pytest.fixture(scope="module")
def fits(table, histories):
    """Both fits of every model."""
    np.random.seed(7)
    given = [table[name] for name in ("frequency", "recency", "T")]
    return {
        name: (ours(histories), theirs().fit(*given)) for name, (ours, theirs) in MODELS.items()
    }


def at_our_parameters(ours, theirs):
    """Return their fitter with our parameters."""
    fitter = type(theirs)()
    fitter.params_ = pd.Series(ours.values, index=theirs.params_.index)
    fitter.data = theirs.data
    return fitter


def likelihood_of_the_data(name, theirs, table):
    """Log-likelihood in weeks of all customers, from what lifetimes stores."""
    customers = 1 if name == "Pareto/NBD" else len(table)
    scaled = -theirs._negative_log_likelihood_ * customers
    return scaled + table["frequency"].sum() * np.log(theirs._scale)


@pytest.mark.parametrize("name", MODELS)
def test_both_find_the_same_maximum(fits, table, name):
    ours, theirs = fits[name]
    assert ours.names == tuple(theirs.params_.index)
    np.testing.assert_allclose(ours.values, theirs.params_, rtol=STOPPED)
    short = ours.log_likelihood - likelihood_of_the_data(name, theirs, table)
    assert -1e-8 <= short <= SHORT


def test_the_likelihood_lifetimes_stores_is_another(fits, table):
    ours, theirs = fits["BG/NBD"]
    stored = -theirs._negative_log_likelihood_ * len(table)
    assert abs(stored - ours.log_likelihood) > 1000


def test_standard_errors_agree_where_lifetimes_gives_them(fits):
    ours, theirs = fits["BG/NBD"]
    errors = list(ours.standard_errors.values())
    np.testing.assert_allclose(errors, theirs.standard_errors_, rtol=STOPPED)


@pytest.mark.parametrize("name", MODELS)
def test_the_probability_alive_is_the_same(fits, table, histories, name):
    ours, theirs = fits[name]
    fitter = at_our_parameters(ours, theirs)
    given = [table[column].to_numpy(float) for column in ("frequency", "recency", "T")]
    known = np.asarray(fitter.conditional_probability_alive(*given))
    np.testing.assert_allclose(ours.probability_alive(histories), known, rtol=FORMULA)


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("name", MODELS)
def test_the_expected_purchases_are_the_same(fits, table, histories, name, horizon):
    ours, theirs = fits[name]
    fitter = at_our_parameters(ours, theirs)
    given = [table[column].to_numpy(float) for column in ("frequency", "recency", "T")]
    known = fitter.conditional_expected_number_of_purchases_up_to_time(horizon, *given)
    expected = ours.expected_purchases(horizon, histories)
    np.testing.assert_allclose(expected, known, rtol=FORMULA)


@pytest.mark.parametrize("name", MODELS)
def test_a_new_customer_is_expected_to_buy_the_same(fits, name):
    ours, theirs = fits[name]
    fitter = at_our_parameters(ours, theirs)
    horizons = np.array(HORIZONS)
    known = fitter.expected_number_of_purchases_up_to_time(horizons)
    np.testing.assert_allclose(ours.expected_purchases_new(horizons), known, rtol=FORMULA)


def test_spend_is_the_same(table):
    repeat = table[table["frequency"] > 0]
    ours = fit_gammagamma(table)
    theirs = lifetimes.GammaGammaFitter().fit(repeat["frequency"], repeat["monetary_value"])
    np.testing.assert_allclose(ours.values, theirs.params_, rtol=STOPPED)
    short = ours.log_likelihood + theirs._negative_log_likelihood_ * len(repeat)
    assert -1e-8 <= short <= SHORT
    fitter = at_our_parameters(ours, theirs)
    known = fitter.conditional_expected_average_profit(
        repeat["frequency"], repeat["monetary_value"]
    )
    np.testing.assert_allclose(ours.expected_spend(repeat), known, rtol=FORMULA)


@pytest.mark.parametrize("name", MODELS)
def test_lifetime_value_is_the_same_by_the_month(fits, table, histories, name):
    """A year's value, each month's purchases discounted at its end, as lifetimes does it."""
    ours, theirs = fits[name]
    spend = fit_gammagamma(table)
    fitter = at_our_parameters(ours, theirs)
    fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    given = [table[column] for column in ("frequency", "recency", "T")]
    a_purchase = spend.expected_spend(table)
    known = _customer_lifetime_value(
        fitter, *given, pd.Series(a_purchase), time=12, discount_rate=0.01, freq="W"
    )
    totals = [np.zeros(len(table))]
    totals += [ours.expected_purchases(4.345 * month, histories) for month in range(1, 13)]
    months = np.diff(totals, axis=0) / 1.01 ** np.arange(1, 13)[:, np.newaxis]
    np.testing.assert_allclose(a_purchase * months.sum(axis=0), known, rtol=FORMULA)


def test_discounting_by_the_day_gives_a_little_more_than_by_the_month(fits, table, histories):
    ours, _ = fits["BG/NBD"]
    yearly = 1.01**12 - 1
    weeks = 12 * 4.345
    by_month = sum(
        (
            ours.expected_purchases(4.345 * n, histories).sum()
            - ours.expected_purchases(4.345 * (n - 1), histories).sum()
        )
        / 1.01**n
        for n in range(1, 13)
    )
    by_day = ours.discounted_purchases(histories, yearly, weeks).sum()
    # half a month's discount at the most
    assert by_month < by_day < by_month * 1.01
