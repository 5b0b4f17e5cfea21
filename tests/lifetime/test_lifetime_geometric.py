"""BG/NBD and MBG/NBD alike: likelihood, derivatives, predictions, limits, starts, weights."""

from collections.abc import Callable

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.lifetime import (
    BetaLaw,
    BgNbd,
    GammaLaw,
    Histories,
    MbgNbd,
    PointLaw,
    SplitLaw,
    fit_bgnbd,
    fit_mbgnbd,
    simulate_customers,
)
from keycustomer.lifetime.geometric.dropout_after_purchase import (
    GeometricDropoutModel,
    fit_geometric,
)
from keycustomer.lifetime.geometric.likelihood import CHUNK, GeometricLikelihood, Rows
from keycustomer.lifetime.geometric.terms import geometric_terms
from known_models import history_table
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

mpmath.mp.dps = 40

ROUNDING = 1e-13
"""Relative, of sums of logarithms and their derivatives in closed form."""

ODDS = 1e-11
"""Relative, of a probability alive: rounding of log-odds of some thousands."""

QUADRATURE = 3e-13
"""Relative, of means over a beta law."""

SLOPE = 1e-7
"""Relative, of derivatives by central differences."""

SAME_PLACE = 1e-7
"""Relative difference of parameters by searches from different starts: the stopping rule's."""

SAME_HEIGHT = 1e-9
"""Relative difference of log-likelihoods that were reached in different ways."""

MODELS = {"BG/NBD": (fit_bgnbd, BgNbd, 0), "MBG/NBD": (fit_mbgnbd, MbgNbd, 1)}
TEXTBOOK = (0.25, 4.8, 0.72, 2.2)

both = pytest.mark.parametrize("name", MODELS)

HARD = [
    (0.0, 0.0, 0.0),
    (0.0, 0.0, 1000.0),
    (1.0, 0.14, 0.14),
    (1.0, 0.14, 1000.0),
    (3.0, 20.0, 38.9),
    (26.0, 30.9, 31.0),
    (300.0, 400.0, 1000.0),
    (5000.0, 999.0, 1000.0),
    (5000.0, 10.0, 1000.0),
]
"""Histories (x, t_x, T in weeks) from none to 5,000 purchases, up to 1,000 weeks."""

PARAMETERS = [TEXTBOOK, (0.01, 50.0, 0.05, 0.1), (40.0, 0.3, 1.0, 5.0), (3e5, 1e6, 2e4, 7e4)]


def columns(histories: list[tuple[float, float, float]]) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*histories, strict=True)]


def histories(rows: list[tuple[float, float, float]], weights: list[float] | None = None):
    return Histories(*columns(rows), np.array(weights or [1.0] * len(rows)), "week")


def cohort(seed: int, customers: int, name: str = "BG/NBD", laws: tuple = TEXTBOOK) -> pd.DataFrame:
    """Customers simulated over 39 weeks, in whole days."""
    r, alpha, a, b = laws
    return simulate_customers(
        name,
        GammaLaw(r, alpha),
        BetaLaw(a, b),
        np.random.default_rng(seed).integers(190, 274, customers) / 7,
        whole_days=True,
        seed=seed,
    )


def in_weeks(customers: pd.DataFrame) -> list[np.ndarray]:
    """Frequency, recency and T in weeks."""
    days = customers[["frequency", "recency", "T"]].to_numpy(float) / [1, 7, 7]
    return list(days.T)


def model_of(name: str, purchasing, dropout, unit: str = "week") -> GeometricDropoutModel:
    """A model with given laws, fitted on nothing of interest."""
    _, model, _ = MODELS[name]
    return model(
        model=name,
        names=(),
        values=np.zeros(0),
        covariance=np.zeros((0, 0)),
        log_likelihood=0.0,
        customers=1.0,
        purchasing=purchasing,
        dropout=dropout,
        histories=Histories(*np.ones((4, 1)), unit),
    )


# ------------------------------------------------------------------ likelihood and derivatives


def exact_states(row, parameters, first):
    """Log-likelihood of being alive and of having left, by mpmath."""
    x, t_x, T = (mpmath.mpf(float(v)) for v in row)
    r, alpha, a, b = (mpmath.mpf(float(v)) if isinstance(v, float) else v for v in parameters)
    log_beta = lambda p, q: mpmath.loggamma(p) + mpmath.loggamma(q) - mpmath.loggamma(p + q)  # noqa: E731
    k = x + first
    common = mpmath.loggamma(r + x) - mpmath.loggamma(r) + r * mpmath.log(alpha)
    alive = common + log_beta(a, b + k) - log_beta(a, b) - (r + x) * mpmath.log(alpha + T)
    if k == 0:
        return alive, mpmath.mpf("-inf")
    left = log_beta(a + 1, b + k - 1) - log_beta(a, b) - (r + x) * mpmath.log(alpha + t_x)
    return alive, common + left


def exact_likelihood(row, parameters, first):
    alive, left = exact_states(row, parameters, first)
    return mpmath.log(mpmath.exp(alive) + mpmath.exp(left))


@both
@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
def test_likelihoods_of_hard_histories_are_mpmaths(name: str, parameters: tuple) -> None:
    first = MODELS[name][2]
    found = geometric_terms(*columns(HARD), *parameters, first=first)[0]
    expected = [float(exact_likelihood(row, parameters, first)) for row in HARD]
    assert found == pytest.approx(expected, rel=ROUNDING, abs=1e-14)


@both
@pytest.mark.parametrize("row", [HARD[0], HARD[1], HARD[3], HARD[4], HARD[7]], ids=str)
def test_derivatives_of_hard_histories_are_mpmaths(name: str, row: tuple) -> None:
    first = MODELS[name][2]
    _, score, hessian = geometric_terms(*columns([row]), *TEXTBOOK, first=first)

    def likelihood(*parameters):
        return exact_likelihood(row, parameters, first)

    at = tuple(map(mpmath.mpf, TEXTBOOK))
    for i in range(4):
        order = tuple(int(k == i) for k in range(4))
        expected = float(mpmath.diff(likelihood, at, order))
        assert score[i, 0] == pytest.approx(expected, rel=1e-11, abs=1e-13)
        for j in range(4):
            order = tuple(int(k == i) + int(k == j) for k in range(4))
            expected = float(mpmath.diff(likelihood, at, order))
            assert hessian[i, j, 0] == pytest.approx(expected, rel=1e-10, abs=1e-12)


LAWS = {
    "purchasing": {"gamma": [0.7, 5.0], "point": [0.2]},
    "dropout": {"beta": [0.8, 2.4], "point": [0.3], "split": [0.4], "nobody": []},
}


def mixed_rows(first: int) -> Rows:
    generator = np.random.default_rng(3)
    x = np.sort(generator.integers(0, 9, 80)).astype(float)
    T = generator.uniform(5, 40, 80)
    t_x = np.where(x > 0, T * generator.uniform(0.1, 1, 80), 0.0)
    weights = generator.integers(1, 5, 80).astype(float)
    return Rows.of(Histories(x, t_x, T, weights, "week"), first)


@both
@pytest.mark.parametrize("purchasing", LAWS["purchasing"])
@pytest.mark.parametrize("dropout", LAWS["dropout"])
def test_derivatives_are_the_slopes_of_every_pair_of_laws(name, purchasing, dropout) -> None:
    likelihood = GeometricLikelihood(mixed_rows(MODELS[name][2]), purchasing, dropout)
    at = np.array(LAWS["purchasing"][purchasing] + LAWS["dropout"][dropout])
    _, score, hessian = likelihood(at)
    for i, value in enumerate(at):
        step = np.where(np.arange(at.size) == i, 1e-5 * value, 0.0)
        above, below = likelihood(at + step), likelihood(at - step)
        assert score[i] == pytest.approx((above[0] - below[0]) / (2 * step[i]), rel=SLOPE)
        assert hessian[i] == pytest.approx((above[1] - below[1]) / (2 * step[i]), rel=SLOPE)


@both
def test_the_sum_over_customers_is_the_sum_of_the_rows(name: str) -> None:
    rows = mixed_rows(MODELS[name][2])
    found = GeometricLikelihood(rows, "gamma", "beta")(np.array(TEXTBOOK))
    terms = geometric_terms(rows.x, rows.t_x, rows.T, *TEXTBOOK, first=rows.first)
    for total, each in zip(found, terms, strict=True):
        assert total == pytest.approx(each @ rows.weights, rel=1e-11)


@both
def test_rows_in_several_pieces_add_up(name: str) -> None:
    first = MODELS[name][2]
    generator = np.random.default_rng(8)
    size = 2 * CHUNK + 77
    x = generator.negative_binomial(0.5, 0.1, size).astype(float)
    T = generator.uniform(20, 40, size)
    t_x = np.where(x > 0, T * generator.random(size), 0.0)
    rows = Rows.of(Histories(x, t_x, T, np.ones(size), "week"), first)
    found = GeometricLikelihood(rows, "gamma", "beta")(np.array(TEXTBOOK))
    terms = geometric_terms(x, t_x, T, *TEXTBOOK, first=first)
    for total, each in zip(found, terms, strict=True):
        assert total == pytest.approx(each.sum(axis=-1), rel=1e-10)


@both
@pytest.mark.parametrize("dropout", ["point", "split", "nobody"])
@pytest.mark.parametrize("purchasing", ["gamma", "point"])
def test_limits_are_what_the_textbook_laws_tend_to(name, purchasing, dropout) -> None:
    rows = mixed_rows(MODELS[name][2])
    rates, chances = LAWS["purchasing"][purchasing], LAWS["dropout"][dropout]
    limit = GeometricLikelihood(rows, purchasing, dropout)(np.array(rates + chances))[0]
    far = 1e9
    share = chances[0] / (1 + chances[0]) if chances else 0.0
    a, b = {
        "point": (far * share, far * (1 - share)),
        "split": (share / far, (1 - share) / far),
        "nobody": (1 / far, 1.0),
    }[dropout]
    near = rates if purchasing == "gamma" else [far * rates[0], far]
    textbook = GeometricLikelihood(rows, "gamma", "beta")(np.array([*near, a, b]))[0]
    assert textbook == pytest.approx(limit, rel=1e-6)


# ------------------------------------------------------------------ predictions


@both
@pytest.mark.parametrize("parameters", PARAMETERS[:3], ids=str)
def test_the_probability_alive_of_hard_histories_is_mpmaths(name: str, parameters) -> None:
    r, alpha, a, b = parameters
    found = model_of(name, GammaLaw(r, alpha), BetaLaw(a, b)).probability_alive(histories(HARD))
    for row, probability in zip(HARD, found, strict=True):
        alive, left = exact_states(row, parameters, MODELS[name][2])
        assert probability == pytest.approx(float(1 / (1 + mpmath.exp(left - alive))), rel=ODDS)


def exact_purchases(t, x, T, parameters, first):
    """Purchases expected within t of a customer alive, by Gauss's function."""
    r, alpha, a, b = (mpmath.mpf(v) for v in parameters)
    events, reach, b = r + x, t / (alpha + T), b + x + first
    if a == 1:
        a += mpmath.mpf(10) ** -22
    once = mpmath.hyp2f1(events, a, a + b, -reach)
    twice = mpmath.hyp2f1(events, a - 1, a + b, -reach)
    return float((1 - once) + b / (a - 1) * (1 - twice))


@both
@pytest.mark.parametrize("parameters", [TEXTBOOK, (0.01, 50.0, 0.05, 0.1), (40.0, 0.3, 1.0, 5.0)])
@pytest.mark.parametrize("t", [0.1, 39.0, 5000.0])
def test_expected_purchases_are_the_hypergeometric_closed_form(name, parameters, t) -> None:
    first = MODELS[name][2]
    r, alpha, a, b = parameters
    model = model_of(name, GammaLaw(r, alpha), BetaLaw(a, b))
    rows = [HARD[n] for n in (0, 1, 4, 6)]
    found = model.expected_purchases(t, histories(rows))
    alive = model.probability_alive(histories(rows))
    each = [exact_purchases(t, x, T, parameters, first) for x, _, T in rows]
    assert found == pytest.approx(alive * each, rel=QUADRATURE)


@both
def test_a_new_customer_buys_what_an_unknown_one_does(name: str) -> None:
    first = MODELS[name][2]
    r, alpha, a, b = TEXTBOOK
    model = model_of(name, GammaLaw(r, alpha), BetaLaw(a, b))
    stays = b / (a + b) if first else 1.0
    horizons = np.array([0.0, 1.0, 39.0, 500.0])
    expected = [stays * exact_purchases(t, 0.0, 0.0, TEXTBOOK, first) for t in horizons]
    assert model.expected_purchases_new(horizons) == pytest.approx(expected, rel=QUADRATURE)


def mean_over(law, function: Callable) -> float:
    """Mean of a function over a law, by mpmath."""
    if isinstance(law, PointLaw):
        return function(mpmath.mpf(law.value))
    if isinstance(law, SplitLaw):
        share = mpmath.mpf(law.share)
        return share * function(mpmath.mpf(1)) + (1 - share) * function(mpmath.mpf(0))
    if isinstance(law, BetaLaw):
        weigh = lambda p: p ** (law.a - 1) * (1 - p) ** (law.b - 1)  # noqa: E731
        places = [0, 0.02, 0.3, 1]
    else:
        weigh = lambda p: p ** (law.shape - 1) * mpmath.exp(-law.rate * p)  # noqa: E731
        places = [0, 0.05, 0.4, 2, mpmath.inf]
    top = mpmath.quad(lambda p: weigh(p) * function(p), places)
    return top / mpmath.quad(weigh, places)


PAIRS = [
    *((GammaLaw(1.3, 6.0), law) for law in (PointLaw(0.27), PointLaw(0.0), SplitLaw(0.3))),
    (PointLaw(0.21), BetaLaw(1.4, 2.3)),
    *((PointLaw(0.21), law) for law in (PointLaw(0.27), PointLaw(0.0), SplitLaw(0.3))),
]
"""All pairs but the textbook's, whose closed form is tested above."""


def integrals(law, x: float, t_x: float, T: float, t: float, rates, first: int) -> tuple:
    """Probability alive and purchases within t, by integrals over both laws."""
    k = int(x + first)

    def rate_mean(function):
        return mean_over(rates, function)

    def chance_mean(function):
        return mean_over(law, function)

    alive = chance_mean(lambda p: (1 - p) ** k) * rate_mean(
        lambda rate: rate**x * mpmath.exp(-rate * T)
    )
    left = 0
    if k:
        left = chance_mean(lambda p: p * (1 - p) ** (k - 1)) * rate_mean(
            lambda rate: rate**x * mpmath.exp(-rate * t_x)
        )

    def bought(rate, p):
        return rate * t if p == 0 else (1 - mpmath.exp(-rate * p * t)) / p

    joint = chance_mean(
        lambda p: (
            (1 - p) ** k * rate_mean(lambda rate: bought(rate, p) * rate**x * mpmath.exp(-rate * T))
        )
    )
    return float(alive / (alive + left)), float(joint / (alive + left))


@both
@pytest.mark.parametrize(("rates", "law"), PAIRS, ids=str)
def test_predictions_of_the_limits_are_integrals_over_their_laws(name, rates, law) -> None:
    with mpmath.workdps(15):
        for row in [(0.0, 0.0, 30.0), (1.0, 4.0, 30.0), (4.0, 25.0, 30.0)]:
            model = model_of(name, rates, law)
            expected = integrals(law, *row, 26.0, rates, MODELS[name][2])
            one = histories([row])
            assert model.probability_alive(one)[0] == pytest.approx(expected[0], rel=1e-8)
            assert model.expected_purchases(26.0, one)[0] == pytest.approx(expected[1], rel=1e-8)


def test_laws_of_their_own_for_each_customer_give_what_each_alone_gives() -> None:
    generator = np.random.default_rng(5)
    rows = histories([HARD[n] for n in (1, 4, 5, 4)])
    a, b = generator.uniform(0.3, 3, 4), generator.uniform(0.3, 3, 4)
    alpha = generator.uniform(2, 9, 4)
    together = model_of("BG/NBD", GammaLaw(0.4, alpha), BetaLaw(a, b))
    times = np.array([[1.0], [39.0]])
    found = together._purchases_if_alive(times, rows.frequency, rows.T)
    for n in range(4):
        alone = model_of("BG/NBD", GammaLaw(0.4, alpha[n]), BetaLaw(a[n], b[n]))
        expected = alone._purchases_if_alive(times[:, 0], rows.frequency[n], rows.T[n])
        assert found[:, n] == pytest.approx(expected, rel=QUADRATURE)


@both
def test_what_is_discounted_is_less_than_what_is_expected(name: str) -> None:
    model = MODELS[name][0](cohort(1, 400))
    rows = model.histories
    year = model.expected_purchases(52.0, rows)
    assert model.discounted_purchases(rows, 0.0, 52.0) == pytest.approx(year, rel=1e-9)
    assert (model.discounted_purchases(rows, 0.1, 52.0) < year).all()
    assert (model.discounted_purchases(rows, 0.1) > 0).all()


# ------------------------------------------------------------------ fits


def log_likelihood(z: np.ndarray, x, t_x, T, first: int) -> float:
    """The textbook's log-likelihood as it is printed, parameters in logarithms."""
    r, alpha, a, b = np.exp(z)
    k = x + first
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    alive = betaln(a, b + k) - (r + x) * np.log(alpha + T)
    left = betaln(a + 1, b + np.maximum(k, 1) - 1) - (r + x) * np.log(alpha + t_x)
    return float((common + np.logaddexp(alive, np.where(k > 0, left, -np.inf))).sum())


@both
def test_fifty_random_starts_end_at_one_place(name: str) -> None:
    customers = cohort(4, 600, name)
    fit, _, first = MODELS[name]
    model = fit(customers)
    starts = np.exp(np.random.default_rng(1).normal(0, 2.5, (50, 4)))
    for start in starts:
        again = fit(customers, start=start)
        assert again.values == pytest.approx(model.values, rel=SAME_PLACE)
        assert again.covariance == pytest.approx(model.covariance, rel=1e-4)
    numbers = in_weeks(customers)
    assert model.log_likelihood == pytest.approx(
        log_likelihood(np.log(model.values), *numbers, first), rel=1e-12
    )


@both
def test_standard_errors_are_those_of_a_numerical_hessian(name: str) -> None:
    customers = cohort(4, 600, name)
    fit, _, first = MODELS[name]
    model = fit(customers)
    numbers = in_weeks(customers)
    at, step = np.log(model.values), 1e-3
    hessian = np.empty((4, 4))
    for i in range(4):
        for j in range(4):
            corners = [
                (one * two, at + step * (one * np.eye(4)[i] + two * np.eye(4)[j]))
                for one in (1, -1)
                for two in (1, -1)
            ]
            total = sum(sign * log_likelihood(z, *numbers, first) for sign, z in corners)
            hessian[i, j] = total / (4 * step**2)
    errors = np.sqrt(np.diag(np.linalg.inv(-hessian))) * model.values
    assert list(model.standard_errors.values()) == pytest.approx(errors, rel=1e-4)


@both
@pytest.mark.parametrize("seed", range(4))
def test_small_cohorts_end_in_the_highest_place_or_a_named_limit(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    fit, _, first = MODELS[name]
    customers = cohort(seed + 20, int(generator.choice([5, 12, 50])), name)
    model = fit(customers)
    numbers = in_weeks(customers)
    for _ in range(4):
        found = minimize(
            lambda z: -log_likelihood(z, *numbers, first),
            generator.normal(0, 2, 4),
            method="L-BFGS-B",
            bounds=[(-9, 9)] * 4,
        )
        assert -found.fun <= model.log_likelihood + 1e-7
    assert bool(model.limit) == (set(model.names) != {"r", "alpha", "a", "b"})
    assert np.isfinite(model.covariance).all()
    assert np.isfinite(model.expected_purchases(52.0, customers)).all()


@both
@pytest.mark.parametrize("seed", range(3))
def test_small_cohorts_end_at_one_place_from_any_start(name: str, seed: int) -> None:
    fit = MODELS[name][0]
    customers = cohort(seed + 60, 50, name)
    model = fit(customers)
    for start in np.exp(np.random.default_rng(seed).normal(0, 3, (4, 4))):
        again = fit(customers, start=start)
        assert again.names == model.names
        assert again.log_likelihood == pytest.approx(model.log_likelihood, rel=SAME_HEIGHT)


@both
def test_a_refit_is_the_fit_of_the_customers_drawn(name: str) -> None:
    fit, model_class, _ = MODELS[name]
    customers = cohort(9, 500, name)
    model = fit(customers)
    known = model.histories
    drawn = np.random.default_rng(2).multinomial(500, known.weights / 500).astype(float)
    again = model.refit(drawn)
    alone = fit_geometric(model_class, known.reweighted(drawn))
    assert isinstance(again, model_class)
    assert again.values == pytest.approx(alone.values, rel=SAME_PLACE)
    assert again.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12)
    assert again.customers == 500
    assert again.evaluations < alone.evaluations


@both
def test_a_limit_can_be_left_by_a_refit_and_reached_by_one(name: str) -> None:
    fit = MODELS[name][0]
    customers = cohort(9, 300, name)
    model = fit(customers)
    once = model.refit(np.where(np.arange(model.histories.rows) == 0, 7.0, 0.0))
    assert once.limit
    stayers = history_table([(3, 63, 70), (5, 70, 70), (4, 68, 70), (1, 70, 70), (2, 66, 70)])
    everybody = pd.concat([customers, stayers])
    limit = fit(everybody)
    only = (limit.histories.T == 10).astype(float)
    assert limit.refit(only).refit(only[only > 0]).limit


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(1, 200), st.integers(0, 80)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(sorted(MODELS)),
)
@settings(max_examples=12)
def test_units_and_repetition_change_nothing(found: list, name: str) -> None:
    rows = [(x, last if x else 0, (last if x else 0) + more) for x, last, more in found]
    fit = MODELS[name][0]
    model = fit(history_table(rows))
    days = fit(history_table(rows), unit="day")
    twice = fit(history_table(rows * 2))
    bought = sum(x for x, _, _ in rows)
    assert days.names == model.names == twice.names
    assert days.log_likelihood == pytest.approx(
        model.log_likelihood - bought * np.log(7), rel=1e-8, abs=1e-8
    )
    assert twice.log_likelihood == pytest.approx(2 * model.log_likelihood, rel=1e-8, abs=1e-8)
    everybody = history_table(rows)
    alive = model.probability_alive(everybody)
    assert ((alive >= 0) & (alive <= 1)).all()
    if not model.limit:
        assert days.probability_alive(everybody) == pytest.approx(alive, rel=1e-3, abs=1e-6)
    assert np.isfinite(model.expected_purchases(26.0, everybody)).all()
    assert np.isfinite(model.discounted_purchases(everybody, 0.1)).all()


@given(
    st.tuples(*(st.floats(-3, 3) for _ in range(4))).map(lambda z: np.exp(z).tolist()),
    st.integers(1, 300),
    st.floats(1.0, 200.0),
    st.sampled_from(sorted(MODELS)),
)
@settings(max_examples=25)
def test_the_longer_the_silence_the_less_is_expected(parameters, x, T, name) -> None:
    r, alpha, a, b = parameters
    model = model_of(name, GammaLaw(r, alpha), BetaLaw(a, b))
    lasts = [(float(x), T * share, T) for share in (0.1, 0.5, 0.9, 1.0)]
    alive = model.probability_alive(histories(lasts))
    assert (np.diff(alive) >= 0).all()
    assert (np.diff(model.expected_purchases(10.0, histories(lasts))) >= 0).all()
    ages = [(float(x), 1.0, age) for age in (1.0, 5.0, 50.0)]
    assert (np.diff(model.probability_alive(histories(ages))) <= 0).all()
    ahead = np.array([model.expected_purchases(t, histories(lasts))[3] for t in (0.0, 1.0, 9.0)])
    assert ahead[0] == 0
    assert (np.diff(ahead) > 0).all()
    assert ahead[1] <= (r + x) / (alpha + T) * (1 + QUADRATURE)


# ------------------------------------------------------------------ limits


@both
def test_nobody_came_back(name: str) -> None:
    model = MODELS[name][0](history_table([(0, 0, 30), (0, 0, 70), (0, 0, 0)]))
    assert (model.purchasing, model.dropout) == (PointLaw(0.0), PointLaw(0.0))
    assert model.limit.startswith("Nobody bought again")
    assert model.log_likelihood == 0
    assert model.names == ()
    assert model.to_frame().empty
    assert model.aic == 0
    assert model.probability_alive(model.histories).tolist() == [1, 1, 1]
    assert model.expected_purchases_new(50.0) == 0
    assert "Nobody bought again" in model._repr_html_()


@both
def test_one_customer_is_a_point(name: str) -> None:
    model = MODELS[name][0](history_table([(4, 70, 70)]))
    assert model.purchasing == PointLaw(pytest.approx(0.4))
    assert model.dropout == PointLaw(0.0)
    assert "no differences in purchase rates" in model.limit
    assert "r/alpha = 0.4 purchases a week" in model.limit
    assert "nobody leaves" in model.limit
    assert model.log_likelihood == pytest.approx(4 * np.log(0.4) - 4, rel=1e-12)
    assert model.standard_errors["purchase_rate"] == pytest.approx(0.2)
    assert model.expected_purchases(5.0, model.histories).tolist() == pytest.approx([2.0])


@both
def test_customers_who_never_bought_are_counted_apart(name: str) -> None:
    customers = pd.concat([cohort(2, 300, name), history_table([(0.0, np.nan, np.nan)] * 2)])
    model = MODELS[name][0](customers)
    assert model.notes == ("2 customers never bought and are set apart.",)
    assert np.isnan(model.probability_alive(customers)[-2:]).all()


@both
def test_a_share_has_an_interval_of_shares(name: str) -> None:
    rows = [(1, 14, 270)] * 6 + [(2, 20, 270)] * 4 + [(5, 60, 270)] * 2 + [(0, 0, 9)]
    model = MODELS[name][0](history_table(rows))
    assert set(model.names) & {"dropout_probability", "dropout_share"}
    frame = model.to_frame().set_index("parameter")
    share = frame.loc[frame.index.str.startswith("dropout")].iloc[0]
    assert 0 < share.lower < share.estimate < share.upper < 1
    odds = share.estimate / (1 - share.estimate)
    error = share.standard_error / (share.estimate * (1 - share.estimate))
    assert share.upper / (1 - share.upper) == pytest.approx(
        odds * np.exp(1.959964 * error), rel=1e-6
    )


# ------------------------------------------------------------------ refusals


@both
@pytest.mark.parametrize("start", [(1, 1, 1), (1, 1, 1, 0), (1, 1, -1, 1), (1, np.nan, 1, 1)])
def test_a_start_that_is_none_is_refused(name: str, start: tuple) -> None:
    with pytest.raises(ValueError, match="4 positive numbers are needed, r, alpha, a, b"):
        MODELS[name][0](history_table([(1, 7, 14)]), start=start)


@both
def test_weights_that_are_none_are_refused(name: str) -> None:
    model = MODELS[name][0](history_table([(1, 7, 14), (0, 0, 14)]))
    with pytest.raises(ValueError, match="one number for each of the 2 rows"):
        model.refit(np.ones(3))
    for weights in ([0.0, 0.0], [1.0, -1.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="at least 0 are needed, not all of them 0"):
            model.refit(np.array(weights))
