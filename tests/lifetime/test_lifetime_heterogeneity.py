"""Shares of customers by purchase rate and by dropout: against draws from the laws."""

from dataclasses import replace

import numpy as np
import pytest
from keycustomer.lifetime import (
    BetaLaw,
    GammaLaw,
    PointLaw,
    SplitLaw,
    dropout_shares,
    fit_paretonbd,
    purchasing_shares,
    simulate_customers,
)

DRAWN = 200_000
SAMPLING = 5 / np.sqrt(4 * DRAWN)
"""Five standard errors of a share among the draws."""


@pytest.fixture(scope="module")
def fitted():
    drawn = simulate_customers(
        "Pareto/NBD", GammaLaw(0.6, 11), GammaLaw(0.5, 9), 39.0, customers=800, whole_days=True
    )
    return fit_paretonbd(drawn)


def counted(result, draws):
    ends = np.append(result.frame["lower"], result.frame["upper"].iloc[-1])
    return np.histogram(draws, ends)[0] / DRAWN


@pytest.mark.parametrize("which", ["purchasing", "dropout"])
def test_rates_are_shared_out_as_the_law_draws_them(fitted, which):
    result = (purchasing_shares if which == "purchasing" else dropout_shares)(fitted)
    draws = getattr(fitted, which).sample(DRAWN, np.random.default_rng(3)) * 365.25 / 7
    np.testing.assert_allclose(result.frame["share"], counted(result, draws), atol=SAMPLING)
    assert result.mean == pytest.approx(getattr(fitted, which).mean * 365.25 / 7)
    assert (
        result.quantity
        == {
            "purchasing": "purchases per year",
            "dropout": "rate of leaving per year",
        }[which]
    )


def test_probabilities_are_shared_out_as_the_law_draws_them(fitted):
    law = BetaLaw(0.8, 2.4)
    result = dropout_shares(replace(fitted, model="BG/NBD", dropout=law))
    draws = law.sample(DRAWN, np.random.default_rng(3))
    np.testing.assert_allclose(result.frame["share"], counted(result, draws), atol=SAMPLING)
    assert result.frame["upper"].iloc[-1] == 1
    assert result.quantity == "probability of leaving after a purchase"


@pytest.mark.parametrize(
    ("law", "places"),
    [
        (PointLaw(0.0), {0: 1.0}),
        (PointLaw(0.52), {10: 1.0}),
        (PointLaw(1.0), {19: 1.0}),
        (SplitLaw(0.3), {0: 0.7, 19: 0.3}),
    ],
)
def test_limits_are_masses(fitted, law, places):
    result = dropout_shares(replace(fitted, model="BG/BB", dropout=law))
    share = result.frame["share"].to_numpy()
    assert {int(n): pytest.approx(share[n]) for n in np.flatnonzero(share)} == places
    assert result.alike == isinstance(law, PointLaw)


@pytest.mark.parametrize("value", [0.0, 0.4])
def test_a_rate_of_all_customers_stands_within_the_groups(fitted, value):
    result = purchasing_shares(replace(fitted, purchasing=PointLaw(value)), per="week")
    (row,) = result.frame[result.frame["share"] == 1].to_dict("records")
    assert row["lower"] <= value < row["upper"] < np.inf


def test_shares_add_up_and_units_only_rename(fitted):
    week, year = (purchasing_shares(fitted, per=unit) for unit in ("week", "year"))
    assert week.frame["share"].sum() == pytest.approx(1)
    np.testing.assert_allclose(week.frame["share"], year.frame["share"])
    np.testing.assert_allclose(week.frame["lower"] * 365.25 / 7, year.frame["lower"])


def test_unknown_units_and_models_are_refused(fitted):
    with pytest.raises(ValueError, match="per='decade': one of 'day', 'week'"):
        purchasing_shares(fitted, per="decade")
    with pytest.raises(ValueError, match="laws of NBD are not known; those of BG/NBD, MBG"):
        dropout_shares(replace(fitted, model="NBD"))
