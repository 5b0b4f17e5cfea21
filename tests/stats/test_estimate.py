"""Estimates and verdicts."""

import math

import pytest
from keycustomer.stats.estimate import (
    Estimate,
    verdict_above,
    verdict_at_least,
    verdict_below,
)

NAN = float("nan")


def share(estimate, lower, upper):
    return Estimate(estimate, lower, upper, "share of revenue", 100, "bootstrap")


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        (share(0.85, 0.82, 0.90), "supported"),
        (share(0.79, 0.75, 0.80), "supported"),
        (share(0.67, 0.65, 0.7999), "not supported"),
        (share(0.67, NAN, NAN), "undecided"),
        (share(NAN, 0.1, 0.9), "undecided"),
    ],
)
def test_verdict_at_least_follows_the_interval(estimate, verdict):
    assert verdict_at_least(estimate, 0.80) == verdict


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        (0.01, 0.2, "supported"),
        (0.0, 0.2, "undecided"),
        (-0.1, 0.1, "undecided"),
        (-0.2, 0.0, "not supported"),
        (NAN, NAN, "undecided"),
    ],
)
def test_verdict_above_needs_the_whole_interval(lower, upper, verdict):
    assert verdict_above(share(0.05, lower, upper)) == verdict


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        (0.7, 0.89, "supported"),
        (0.7, 0.9, "undecided"),
        (0.9, 0.95, "not supported"),
        (NAN, NAN, "undecided"),
    ],
)
def test_verdict_below_needs_the_whole_interval(lower, upper, verdict):
    assert verdict_below(share(0.8, lower, upper), 0.9) == verdict


def test_text():
    assert str(share(0.677, 0.655, 0.699)) == "0.677 [0.655, 0.699]"
    assert str(share(5_906_802.36, 9_999.44, 6_301_422.4)) == "5,906,802 [9,999.4, 6,301,422]"
    assert share(0.677, 0.655, 0.699).as_percent() == "67.7 % [65.5, 69.9]"
    assert share(0.677, NAN, NAN).as_percent() == "67.7 %"
    assert str(Estimate(7707.0, 7600.2, 7800.0, "customers", 1, "")) == "7,707 [7,600.2, 7,800]"


def test_the_standard_error_is_that_of_a_normal_interval():
    one = Estimate(2.0, 2.0 - 1.959964, 2.0 + 1.959964, "euro", 10, "normal")
    assert one.standard_error == pytest.approx(1.0, abs=1e-6)  # digits of the quantile
    assert math.isnan(Estimate.without_interval(2.0, "euro", 1, "one customer").standard_error)
