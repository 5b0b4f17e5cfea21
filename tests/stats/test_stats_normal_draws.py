"""Draws of coefficients: their moments, and that units do not matter."""

import numpy as np
import pytest
from keycustomer.stats.regressions.normal_draws import normal_draws

MEANS = np.array([1.0, -2.0])
COVARIANCE = np.array([[0.04, 0.03], [0.03, 0.09]])

CHANCE = 4 * 0.3 / np.sqrt(40_000)
"""Four standard errors of the mean with the larger spread."""

ROUNDING = 1e-9
"""The same numbers in other units, computed with double precision."""


def test_draws_have_the_moments_asked_for() -> None:
    drawn = normal_draws(MEANS, COVARIANCE, 40_000, seed=1)
    assert drawn.mean(axis=0) == pytest.approx(MEANS, abs=CHANCE)
    assert np.cov(drawn.T) == pytest.approx(COVARIANCE, abs=CHANCE)


def test_units_of_a_coefficient_do_not_change_the_draws() -> None:
    units = np.array([1e-6, 1e7])
    plain = normal_draws(MEANS, COVARIANCE, 50, seed=2)
    scaled = normal_draws(MEANS * units, COVARIANCE * np.outer(units, units), 50, seed=2)
    assert scaled / units == pytest.approx(plain, rel=ROUNDING, abs=ROUNDING)


def test_a_coefficient_that_is_known_stays_as_it_is() -> None:
    drawn = normal_draws(MEANS, np.diag([0.0, 1.0]), 20, seed=3)
    assert (drawn[:, 0] == MEANS[0]).all()
