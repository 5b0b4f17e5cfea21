"""BG/NBD: the published fit, an independent package, and what only this model says."""

import numpy as np
import pytest
from keycustomer.lifetime import BetaLaw, GammaLaw, PointLaw, SplitLaw, fit_bgnbd
from keycustomer.lifetime.geometric.terms import geometric_terms
from known_models import history_table, sample_summary
from lifetimes import BetaGeoFitter

PUBLISHED = {"r": (0.243, 3), "alpha": (4.414, 3), "a": (0.793, 3), "b": (2.426, 3)}
"""Fader, Hardie & Lee (2005), table 2, with the digits printed."""

PUBLISHED_LIKELIHOOD = -9582.4

ROUNDING = 1e-9
"""Of a log-likelihood of some thousands, summed in another order."""

OTHER_OPTIMISER = 1e-4
"""Relative: lifetimes stops where its own tolerance of 1e-7 a customer is met."""

SAME_FORMULA = 1e-8
"""Relative, at the same parameters: lifetimes' closed form loses some digits."""


def test_the_sample_gives_the_published_parameters() -> None:
    model = fit_bgnbd(sample_summary())
    for name, (value, digits) in PUBLISHED.items():
        assert round(model.parameters[name], digits) == value
    assert round(model.log_likelihood, 1) == PUBLISHED_LIKELIHOOD
    assert model.customers == 2357
    assert not model.limit
    assert not model.notes


def test_few_looks_at_the_likelihood_are_enough() -> None:
    assert fit_bgnbd(sample_summary()).evaluations <= 8


def test_an_independent_package_finds_the_same_and_no_better() -> None:
    customers = sample_summary()
    weeks = (customers["frequency"], customers["recency"] / 7, customers["T"] / 7)
    other = BetaGeoFitter().fit(*weeks)
    model = fit_bgnbd(customers)
    assert model.values == pytest.approx(other.params_.to_numpy(), rel=OTHER_OPTIMISER)
    theirs = geometric_terms(*(w.to_numpy(float) for w in weeks), *other.params_, first=0)[0].sum()
    assert -ROUNDING <= model.log_likelihood - theirs < 1e-5
    fitted = fit_bgnbd(customers)
    other.params_[:] = fitted.values
    assert fitted.probability_alive(customers) == pytest.approx(
        other.conditional_probability_alive(*weeks), rel=SAME_FORMULA
    )
    ahead = other.conditional_expected_number_of_purchases_up_to_time(39, *weeks)
    assert fitted.expected_purchases(39, customers) == pytest.approx(ahead, rel=SAME_FORMULA)
    new = other.expected_number_of_purchases_up_to_time(39)
    assert fitted.expected_purchases_new(39) == pytest.approx(new, rel=SAME_FORMULA)


def test_a_customer_without_a_repeat_purchase_cannot_have_left() -> None:
    model = fit_bgnbd(sample_summary())
    found = model.probability_alive(history_table([(0, 0, 7), (0, 0, 7000)]))
    assert found.tolist() == [1.0, 1.0]


def test_everybody_left_after_the_first_repeat_purchase() -> None:
    rows = [(1, 2 + n % 3, 270) for n in range(20)] + [(0, 0, 1), (0, 0, 2)]
    model = fit_bgnbd(history_table(rows))
    assert model.dropout == PointLaw(1.0)
    assert "everybody leaves at the first occasion" in model.limit
    one, none = model.probability_alive(history_table([(1, 3, 3), (0, 0, 3)]))
    assert (one, none) == (0.0, 1.0)
    bought = model.expected_purchases(1e6, history_table([(1, 3, 3), (0, 0, 3)]))
    assert bought == pytest.approx([0.0, 1.0], abs=1e-6)


def test_some_leave_at_once_and_the_others_never() -> None:
    once = [(1, 7 + n % 4, 273) for n in range(30)]
    stay = [(38 + n % 3, 273, 273) for n in range(30)]
    model = fit_bgnbd(history_table(once + stay))
    assert isinstance(model.dropout, SplitLaw)
    assert model.dropout.share == pytest.approx(0.5, abs=0.02)
    assert "customers who never leave" in model.limit
    assert model.probability_alive(history_table([(2, 5, 273)])).tolist() == [1.0]
    assert model.standard_errors["dropout_share"] == pytest.approx(np.sqrt(0.25 / 60), rel=0.02)


def test_all_leave_with_one_probability() -> None:
    generator = np.random.default_rng(2)
    x = generator.geometric(0.3, 400)
    rows = history_table([(n, 7 * n, 7 * n + 700) for n in x])
    model = fit_bgnbd(rows)
    assert model.dropout == PointLaw(pytest.approx(1 / x.mean(), rel=1e-3))
    assert f"a/(a+b) = {model.dropout.value:.4g}" in model.limit
    assert list(model.parameters)[-1] == "dropout_probability"


def test_laws_carry_the_parameters() -> None:
    model = fit_bgnbd(sample_summary())
    r, alpha, a, b = model.values
    assert (model.purchasing, model.dropout) == (GammaLaw(r, alpha), BetaLaw(a, b))
    days = fit_bgnbd(sample_summary(), unit="day")
    assert days.purchasing.rate == pytest.approx(7 * alpha, rel=1e-9)
    assert days.standard_errors["alpha"] == pytest.approx(
        7 * model.standard_errors["alpha"], rel=1e-6
    )
    assert days.unit == "day"
