"""MBG/NBD: the known likelihood, an independent package, and what only this model says."""

import numpy as np
import pytest
from keycustomer.lifetime import (
    BetaLaw,
    GammaLaw,
    PointLaw,
    fit_bgnbd,
    fit_mbgnbd,
    simulate_customers,
)
from keycustomer.lifetime.geometric.terms import geometric_terms
from known_models import history_table, sample_summary
from lifetimes import ModifiedBetaGeoFitter

LIKELIHOOD = -9582.1357
"""Of the CDNOW sample, by an independent maximisation."""

ROUNDING = 1e-9
"""Of a log-likelihood of some thousands, summed in another order."""

OTHER_OPTIMISER = 1e-4
"""Relative: lifetimes stops where its own tolerance of 1e-7 a customer is met."""

SAME_FORMULA = 1e-8
"""Relative, at the same parameters: lifetimes' closed form loses some digits."""


def test_the_sample_gives_the_known_likelihood() -> None:
    model = fit_mbgnbd(sample_summary())
    assert round(model.log_likelihood, 4) == LIKELIHOOD
    assert list(model.parameters) == ["r", "alpha", "a", "b"]
    assert model.model == "MBG/NBD"
    assert model.evaluations <= 8


def test_an_independent_package_finds_the_same_and_no_better() -> None:
    customers = sample_summary()
    weeks = (customers["frequency"], customers["recency"] / 7, customers["T"] / 7)
    other = ModifiedBetaGeoFitter().fit(*weeks)
    model = fit_mbgnbd(customers)
    assert model.values == pytest.approx(other.params_.to_numpy(), rel=OTHER_OPTIMISER)
    theirs = geometric_terms(*(w.to_numpy(float) for w in weeks), *other.params_, first=1)[0].sum()
    assert -ROUNDING <= model.log_likelihood - theirs < 1e-5
    other.params_[:] = model.values
    assert model.probability_alive(customers) == pytest.approx(
        np.asarray(other.conditional_probability_alive(*weeks)), rel=SAME_FORMULA
    )
    ahead = other.conditional_expected_number_of_purchases_up_to_time(39, *weeks)
    assert model.expected_purchases(39, customers) == pytest.approx(ahead, rel=SAME_FORMULA)
    new = other.expected_number_of_purchases_up_to_time(39)
    assert model.expected_purchases_new(39) == pytest.approx(new, rel=SAME_FORMULA)


@pytest.mark.parametrize("seed", [81, 89, 627])
def test_a_start_near_a_second_lower_maximum_does_not_matter(seed: int) -> None:
    customers = simulate_customers(
        "MBG/NBD",
        GammaLaw(0.2, 1.0),
        BetaLaw(0.2, 0.2),
        observed=40.0,
        customers=300,
        seed=seed,
        whole_days=True,
    )
    free, begun = (fit_mbgnbd(customers, start=start) for start in (None, (0.5, 4, 0.3, 0.3)))
    assert begun.log_likelihood == pytest.approx(free.log_likelihood, rel=1e-12)
    assert begun.values == pytest.approx(free.values, rel=1e-6)


def test_a_customer_without_a_repeat_purchase_may_have_left() -> None:
    model = fit_mbgnbd(sample_summary())
    found = model.probability_alive(history_table([(0, 0, 0), (0, 0, 7), (0, 0, 700)]))
    a, b = model.dropout.a, model.dropout.b
    assert found[0] == pytest.approx(b / (a + b), rel=1e-12)
    assert (np.diff(found) < 0).all()


def test_a_customer_just_won_is_expected_to_buy_less_than_one_known_to_be_alive() -> None:
    model = fit_mbgnbd(sample_summary())
    fresh = model.expected_purchases(39, history_table([(0, 0, 0)]))
    assert model.expected_purchases_new(39) == pytest.approx(fresh[0], rel=1e-12)


def test_nobody_left() -> None:
    rows = [(n, 7 * n, 7 * n) for n in (1, 2, 3, 5, 9, 30)]
    for fit in (fit_bgnbd, fit_mbgnbd):
        model = fit(history_table(rows))
        assert model.dropout == PointLaw(0.0)
        assert "nobody leaves" in model.limit
