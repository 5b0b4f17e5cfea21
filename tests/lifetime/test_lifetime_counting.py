"""Probabilities of purchase counts: closed forms, mpmath, simulated customers, limits."""

from types import SimpleNamespace

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.lifetime.concentration.counting import alike_probabilities, count_probabilities
from keycustomer.lifetime.laws import BetaLaw, GammaLaw, PointLaw, SplitLaw
from keycustomer.lifetime.simulation import simulate_customers

EXACT = 2e-12  # rounding of sums of some hundred logarithms
LIMIT = 1e-4  # a law of shape 1e6 is its limit up to about the inverse square root of that, squared
CHANCE = 4.5  # standard errors; about thirty counts are compared

PARETO = (GammaLaw(0.553, 10.578), GammaLaw(0.606, 11.669))
GEOMETRIC = (GammaLaw(0.243, 4.414), BetaLaw(0.793, 2.426))


def model(name, purchasing, dropout):
    """Stand in for a fitted model: only its laws are read."""
    return SimpleNamespace(model=name, purchasing=purchasing, dropout=dropout)


def pareto_count(n, time, rates, deaths):
    """Probability of n purchases by integrating over the time of leaving with 30 digits."""
    with mp.workdps(30):
        r, alpha, s, beta = map(mp.mpf, (rates.shape, rates.rate, deaths.shape, deaths.rate))

        def stays(y):
            return (
                mp.rf(r, n) / mp.factorial(n) * (alpha / (alpha + y)) ** r * (y / (alpha + y)) ** n
            )

        def leaves(y):
            return s / beta * (1 + y / beta) ** (-s - 1) * stays(y)

        edges = [0, *(mp.mpf(time) * mp.mpf(2) ** -k for k in range(14, -1, -1))]
        return stays(mp.mpf(time)) * (beta / (beta + time)) ** s + mp.quad(leaves, edges)


def beta_geometric_count(n, time, rates, beta):
    """Probability of n purchases, Fader, Hardie & Lee (2005), equation 8."""
    with mp.workdps(40):
        r, alpha, a, b = map(mp.mpf, (rates.shape, rates.rate, beta.a, beta.b))

        def stays(k):
            return (
                mp.rf(r, k)
                / mp.factorial(k)
                * (alpha / (alpha + time)) ** r
                * (time / (alpha + time)) ** k
            )

        whole = mp.beta(a, b + n) / mp.beta(a, b) * stays(n)
        if n == 0:
            return whole
        fewer = sum(stays(k) for k in range(n))
        return whole + mp.beta(a + 1, b + n - 1) / mp.beta(a, b) * (1 - fewer)


@pytest.mark.parametrize("n", [0, 1, 5, 30, 100])
@pytest.mark.parametrize(
    ("laws", "time"),
    [
        (PARETO, 39.0),
        ((GammaLaw(300.0, 50.0), GammaLaw(0.6, 11.0)), 100.0),
        ((GammaLaw(0.2, 10.0), GammaLaw(5.0, 0.1)), 1000.0),
    ],
)
def test_counts_of_pareto_nbd_agree_with_thirty_digits(n, laws, time):
    chance = count_probabilities(model("Pareto/NBD", *laws), time)[n]
    assert chance == pytest.approx(float(pareto_count(n, time, *laws)), rel=EXACT)


@pytest.mark.parametrize("n", [0, 1, 2, 10, 60])
def test_counts_of_bg_nbd_agree_with_the_published_formula(n):
    chance = count_probabilities(model("BG/NBD", *GEOMETRIC), 39.0)[n]
    assert chance == pytest.approx(float(beta_geometric_count(n, 39, *GEOMETRIC)), rel=1e-11)


def test_counts_of_different_ages_are_their_mixture():
    ages, weights = [10.0, 39.0, 10.0, 0.0], [1.0, 5.0, 2.0, 2.0]
    for name, laws in (("Pareto/NBD", PARETO), ("BG/NBD", GEOMETRIC), ("MBG/NBD", GEOMETRIC)):
        one = model(name, *laws)
        mixed = count_probabilities(one, ages, weights)
        young, old, new = (count_probabilities(one, age) for age in (10.0, 39.0, 0.0))
        for n in range(10):
            expected = 0.3 * young[n] + 0.5 * old[n] + 0.2 * new[n]
            assert mixed[n] == pytest.approx(expected, rel=EXACT)


LAWS = [
    ("Pareto/NBD", *PARETO),
    ("Pareto/NBD", GammaLaw(0.55, 10.0), PointLaw(0.02)),
    ("Pareto/NBD", PointLaw(0.05), GammaLaw(0.6, 12.0)),
    ("Pareto/NBD", GammaLaw(0.5, 10.0), SplitLaw(0.3)),
    ("Pareto/NBD", PointLaw(0.05), PointLaw(0.0)),
    ("BG/NBD", *GEOMETRIC),
    ("BG/NBD", PointLaw(0.05), PointLaw(0.2)),
    ("BG/NBD", GammaLaw(0.25, 4.4), SplitLaw(0.3)),
    ("MBG/NBD", GammaLaw(0.6, 7.0), BetaLaw(0.8, 1.2)),
    ("MBG/NBD", GammaLaw(0.6, 7.0), SplitLaw(0.2)),
    ("MBG/NBD", PointLaw(0.1), PointLaw(1.0)),
]


@pytest.mark.parametrize("laws", LAWS, ids=str)
def test_simulated_customers_follow_the_probabilities(laws):
    ages = np.arange(27, 40) * 1.0
    chances = count_probabilities(model(*laws), ages)
    drawn = simulate_customers(*laws, ages, customers=100_000, seed=5)["frequency"]
    seen = np.bincount(drawn.astype(int), minlength=chances.size)[: chances.size]
    common = chances > 1e-4
    deviation = (seen - 1e5 * chances) / np.sqrt(1e5 * chances * (1 - chances) + 1e-9)
    assert np.abs(deviation[common]).max() < CHANCE


@pytest.mark.parametrize("laws", LAWS, ids=str)
def test_probabilities_add_up_to_one(laws):
    for ages in (0.0, 1 / 7, 39.0, [1.0, 500.0]):
        assert count_probabilities(model(*laws), ages).sum() == pytest.approx(1, abs=EXACT)


@pytest.mark.parametrize(
    ("name", "near", "limit"),
    [
        ("Pareto/NBD", (GammaLaw(1e6, 2e7), PARETO[1]), (PointLaw(0.05), PARETO[1])),
        ("Pareto/NBD", (PARETO[0], GammaLaw(1e6, 5e7)), (PARETO[0], PointLaw(0.02))),
        ("Pareto/NBD", (PARETO[0], GammaLaw(1e-9, 1.0)), (PARETO[0], PointLaw(0.0))),
        ("BG/NBD", (GEOMETRIC[0], BetaLaw(2e5, 8e5)), (GEOMETRIC[0], PointLaw(0.2))),
        ("MBG/NBD", (GEOMETRIC[0], BetaLaw(2e-9, 8e-9)), (GEOMETRIC[0], SplitLaw(0.2))),
    ],
)
def test_limits_are_where_the_laws_lead(name, near, limit):
    almost, exactly = (count_probabilities(model(name, *laws), 39.0) for laws in (near, limit))
    np.testing.assert_allclose(almost[:40], exactly[:40], rtol=LIMIT, atol=1e-9)


@settings(max_examples=20)
@given(
    st.floats(0.05, 20),
    st.floats(1, 100),
    st.floats(0.05, 20),
    st.floats(1, 100),
    st.floats(0.1, 100),
)
def test_counts_do_not_depend_on_the_unit_of_time(r, alpha, s, beta, time):
    weeks = model("Pareto/NBD", GammaLaw(r, alpha), GammaLaw(s, beta))
    days = model("Pareto/NBD", GammaLaw(r, 7 * alpha), GammaLaw(s, 7 * beta))
    one, other = count_probabilities(weeks, time), count_probabilities(days, 7 * time)
    assert one.sum() == pytest.approx(1, abs=1e-10)
    np.testing.assert_allclose(one, other[: one.size], rtol=1e-9, atol=1e-14)


def test_customers_alike_differ_by_chance_alone():
    one = SimpleNamespace(expected_purchases_new=lambda t: 0.05 * np.asarray(t))
    chances = alike_probabilities(one, [20.0, 40.0])
    for n in range(8):
        poisson = [mp.exp(-m) * mp.mpf(m) ** n / mp.factorial(n) for m in (1, 2)]
        assert chances[n] == pytest.approx(float(sum(poisson) / 2), rel=EXACT)


@pytest.mark.parametrize(
    ("ages", "weights", "message"),
    [
        ([1.0, -2.0], None, "finite times of at least 0"),
        ([1.0, np.inf], None, "finite times of at least 0"),
        ([1.0, 2.0], [1.0], "ages of 2 groups with 1 weights"),
        ([], None, "ages of 0 groups"),
        ([1.0], [0.0], "not all 0"),
    ],
)
def test_ages_that_make_no_sense_are_refused(ages, weights, message):
    with pytest.raises(ValueError, match=message):
        count_probabilities(model("BG/NBD", *GEOMETRIC), ages, weights)


def test_a_model_whose_counts_are_not_known_is_named():
    with pytest.raises(ValueError, match="BG/XY: the probabilities of its counts are not known"):
        count_probabilities(model("BG/XY", *GEOMETRIC), 39.0)


def test_many_ages_take_no_more_nodes_and_lose_no_digit():
    ages = np.random.default_rng(0).uniform(0, 80, 300)
    one = model("Pareto/NBD", *PARETO)
    mixed = count_probabilities(one, ages)
    apart = np.mean([count_probabilities(one, age)[:12] for age in ages], axis=0)
    np.testing.assert_allclose(mixed[:12], apart, rtol=EXACT)
