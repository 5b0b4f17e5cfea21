"""Stated prices agree with closed forms, with published counts, and with the R package's vignette.

The vignette "Using Weighted Survey Data" of pricesensitivitymeter (Alletsee) prints the price
points of data that it draws with R's generator (Mersenne Twister, normals by inversion), which is
followed here, so that the very same answers are analysed.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import bdm_demand, bdm_surplus, gabor_granger, price_sensitivity
from keycustomer.pricing.stated.price_answers import QUESTIONS
from scipy.special import ndtr, ndtri

FEW = 20
"""Draws: the estimates do not depend on them."""

MEANS, SPREADS = np.array([8.5, 10, 12, 13]), np.array([1, 1, 0.75, 1])
"""The answers mu + s w of respondents with one normal w each."""

PRINTED = 0.0051
"""The vignette prints two digits."""

CENT = 0.0101
"""With weights the package looks prices up rounded to the cent, which an answer times 1.5 can miss
by a rounding error, so that it takes the next price named."""

SAMPLING = 0.001
"""Answers at 20,000 even quantiles of w stand for a population: crossings err by less."""


class RRandom:
    """R's generator: `set.seed`, `runif` and `rnorm`."""

    def __init__(self, seed):
        state = seed
        for _ in range(50):
            state = (69069 * state + 1) % 2**32
        key = []
        for _ in range(625):
            state = (69069 * state + 1) % 2**32
            key.append(state)
        self.bits = np.random.MT19937()
        twister = {"key": np.array(key[1:], dtype=np.uint32), "pos": 624}
        self.bits.state = {"bit_generator": "MT19937", "state": twister}

    def uniform(self, n):
        return self.bits.random_raw(n) * 2.3283064365386963e-10

    def normal(self, n, mean, sd):
        coarse, fine = self.uniform(2 * n).reshape(n, 2).T
        return mean + sd * ndtri((np.floor(2.0**27 * coarse) + fine) / 2.0**27)


def test_the_generator_is_that_of_r():
    drawn = RRandom(42).normal(5, 0, 1)
    assert drawn.round(7).tolist() == [1.3709584, -0.5646982, 0.3631284, 0.6328626, 0.4042683]


def vignette(seed, means, women):
    """Give the vignette's answers, and who is a woman, given how R turns a number into a sex."""
    generator = RRandom(seed)
    answers = np.column_stack([generator.normal(250, mean, 0.5).round(2) for mean in means])
    female = women(generator.uniform(250))
    answers[female] *= 1.5
    return pd.DataFrame(answers, columns=list(QUESTIONS)), female


def as_r(answers, **options):
    """Read the points as the R package does, without interpolation."""
    found = price_sensitivity(answers, interpolate=False, ties="passed", draws=FEW, **options)
    points = {name: round(one.estimate, 4) for name, one in found.points.items()}
    return points, found


def test_the_weighted_example_of_the_vignette():
    answers, female = vignette(1976, (8, 12, 13, 15), lambda drawn: drawn > 2 / 3)
    weights = np.where(female, 1 / female.sum(), 1 / (~female).sum())
    points, found = as_r(answers, weights=weights)
    printed = {"pmc": 11.91, "opp": 13.63, "idp": 13.69, "pme": 15.63}
    assert points == pytest.approx(printed, abs=CENT)
    assert (found.respondents, len(found.invalid)) == (228, 22)


def test_the_unweighted_example_of_the_vignette():
    answers, _ = vignette(20, (4, 8, 12, 16), lambda drawn: drawn <= 1 / 2)
    points, found = as_r(answers)
    assert (points["opp"], points["idp"]) == (7.995, 12.06)
    assert (points["pmc"], points["pme"]) == pytest.approx((7.17, 16.82), abs=PRINTED)
    assert (found.respondents, len(found.invalid)) == (250, 0)


@cache
def comonotone():
    w = ndtri((np.arange(20_000) + 0.5) / 20_000)
    return pd.DataFrame(MEANS + SPREADS * w[:, None], columns=list(QUESTIONS))


def crossing(i, j):
    return (MEANS[j] * SPREADS[i] + MEANS[i] * SPREADS[j]) / (SPREADS[i] + SPREADS[j])


@pytest.mark.parametrize(
    ("convention", "pairs"),
    [
        ("original", {"idp": (1, 2), "opp": (0, 3), "pmc": (0, 1), "pme": (2, 3)}),
        ("narrower", {"idp": (1, 2), "opp": (0, 3), "pmc": (0, 2), "pme": (1, 3)}),
    ],
)
def test_crossings_of_normal_answers(convention, pairs):
    found = price_sensitivity(comonotone(), convention=convention, draws=1, validate=False)
    for name, (i, j) in pairs.items():
        assert found.points[name].estimate == pytest.approx(crossing(i, j), abs=SAMPLING)


def test_the_four_points_to_the_printed_digits():
    closed = {"idp": (1, 2), "opp": (0, 3), "pmc": (0, 1), "pme": (2, 3)}
    printed = {"idp": 11.142857, "opp": 10.75, "pmc": 9.25, "pme": 12.428571}
    assert {name: round(float(crossing(*pair)), 6) for name, pair in closed.items()} == printed
    share = ndtr((printed["idp"] - MEANS[2]) / SPREADS[2])
    found = price_sensitivity(comonotone(), draws=1, validate=False)
    at = np.interp(printed["idp"], found.frame["price"], found.frame["expensive"])
    assert at == pytest.approx(share, abs=SAMPLING)


def test_gabor_granger_of_55_respondents():
    prices = [1000, 1500, 2000, 2500, 3000]
    dearest = np.repeat([0, *prices], [1, 14, 11, 9, 12, 8])
    found = gabor_granger(dearest, draws=FEW)
    assert found.respondents == 55
    assert found.frame["buyers"].tolist() == [54, 40, 29, 20, 8]
    assert found.frame["revenue"].tolist() == [54_000, 60_000, 58_000, 50_000, 24_000]
    assert found.best_revenue.estimate == 1_500
    # midpoint formula by hand: (40 - 54)/47 over (1500 - 1000)/1250
    assert found.frame["arc_elasticity"].iloc[1] == pytest.approx(-14 / 47 / 0.4)


def test_even_willingness_to_pay_has_its_best_prices_half_way():
    worth = np.arange(1, 101.0)
    found = gabor_granger(worth, np.arange(1, 101.0), unit_cost=20, draws=FEW)
    # accepting p: 101 - p of 100; (p - c)(101 - p) is largest at (101 + c)/2, on the grid a tie
    assert found.best_revenue.estimate in (50, 51)
    assert found.best_profit.estimate in (60, 61)
    assert (
        bdm_demand(worth, np.arange(1, 101.0), unit_cost=20, draws=FEW)
        .frame["demand"]
        .equals(found.frame["demand"])
    )


def test_an_honest_bid_is_best_where_the_price_is_drawn():
    bids = np.linspace(0, 100, 1001)
    gains = bdm_surplus(bids, 60, highest=100)
    assert bids[gains.argmax()] == pytest.approx(60)
    assert bdm_surplus(60, 60, highest=100) == pytest.approx(60**2 / 200)
    own = bdm_surplus(bids, 60, highest=100, pays="own bid")
    assert bids[own.argmax()] == pytest.approx(30)


def test_the_expected_gain_is_the_mean_of_draws():
    drawn = (np.arange(200_000) + 0.5) / 2_000
    for bid in (20.0, 60.0, 85.0, 130.0):
        gain = np.where(bid >= drawn, 60 - drawn, 0).mean()
        assert bdm_surplus(bid, 60, highest=100) == pytest.approx(gain, abs=1e-3)
