"""Ends of a ratio of two estimates: a closed form, and what a precise divisor leaves of it."""

import math

import numpy as np
import pytest
from keycustomer.stats.regressions.fieller import fieller_roots

ROUNDING = 1e-12
"""Both sides are computed with double precision from the same numbers."""


def test_a_certain_divisor_gives_the_usual_interval() -> None:
    roots = fieller_roots(3.0, 2.0, 0.25, 0.0, 0.0, 1.96)
    assert float(roots.first) == pytest.approx((3 - 1.96 * 0.5) / 2, abs=ROUNDING)
    assert float(roots.second) == pytest.approx((3 + 1.96 * 0.5) / 2, abs=ROUNDING)


def test_ends_are_those_that_are_just_rejected() -> None:
    top, below, spread, both, under = 3.0, np.array([2.0, 5.0]), 0.3, 0.1, 0.2
    roots = fieller_roots(top, below, spread, both, under, 1.96)
    for ratio in (roots.first, roots.second):
        error = np.sqrt(spread - 2 * ratio * both + ratio**2 * under)
        assert np.abs(top - ratio * below) == pytest.approx(1.96 * error, abs=ROUNDING)


def test_a_divisor_near_zero_bounds_nothing() -> None:
    roots = fieller_roots(0.1, 0.1, 1.0, 0.0, 1.0, 1.96)
    assert float(roots.square) < 0
    assert math.isnan(float(roots.first)) and math.isnan(float(roots.second))
