"""Interval of the ratio of two responses, in which the lower one may be near zero.

How many units of one thing do what one unit of another does?  :func:`ratio_interval` gives -b / -p,
the fall of log-odds by a level over their rise by log price, with Fieller's interval, that of the
delta method, or that of customers drawn again.

The ratio b / p runs through infinity where p passes zero: from "a huge discount" to "no discount".
Both are written as infinity, so that the order small, large, none is kept.

Source: Fieller (1954), Journal of the Royal Statistical Society B 16, 175-185.
"""

from __future__ import annotations

import math

import numpy as np

from keycustomer.stats.bootstrap import Seed, bootstrap
from keycustomer.stats.regressions.fieller import fieller_roots
from keycustomer.stats.samples import FloatArray

INTERVALS = ("fieller", "delta", "bootstrap")


def ratio_interval(
    coefficients: FloatArray,
    covariance: FloatArray,
    influence: FloatArray,
    interval: str,
    *,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
) -> tuple[float, float, float]:
    """Ratio of the fall by a level to the rise by log price, with its ends.

    Parameters
    ----------
    coefficients : ndarray, shape (2,)
        Log-odds of leaving by level (negative where service keeps) and by log price.
    covariance : ndarray, shape (2, 2)
        Theirs.
    influence : ndarray, shape (customers, 2)
        By how much each customer moves them.
    interval : {"fieller", "delta", "bootstrap"}
        Which one.
    level, draws, seed
        Confidence level; of the bootstrap.

    Returns
    -------
    ratio, lower, upper : float
        Infinite where a lower price keeps nobody; ends NaN where nothing is ruled out.
    """
    from scipy.stats import norm

    fall, rise = -float(coefficients[0]), float(coefficients[1])
    critical = float(norm.ppf((1 + level) / 2))
    matrix = covariance * np.array([[1.0, -1.0], [-1.0, 1.0]])
    if interval == "fieller":
        ends = _fieller(fall, rise, matrix, critical)
    elif interval == "delta":
        ends = _delta(fall, rise, matrix, critical)
    else:
        ends = _drawn(np.array([fall, rise]), influence * [-1.0, 1.0], level, draws, seed)
    return (fall / rise if rise > 0 else math.inf, *ends)


def _fieller(
    fall: float, rise: float, covariance: FloatArray, critical: float
) -> tuple[float, float]:
    """Ratios r at which fall - r x rise lies within its error of zero."""
    (spread, both), (_, under) = covariance
    square, rest, *ends = fieller_roots(fall, rise, spread, both, under, critical)
    first, second = map(float, ends)
    if math.isnan(first) or square == 0 or (square < 0 and rest <= 0):
        return math.nan, math.nan
    if square > 0:
        return (first, second) if rise > 0 else (math.inf, math.inf)
    # the set is open: it runs from its positive end through infinity to the negative one
    return max(first, second), math.inf


def _delta(
    fall: float, rise: float, covariance: FloatArray, critical: float
) -> tuple[float, float]:
    if rise <= 0:
        return math.nan, math.nan
    slope = np.array([1 / rise, -fall / rise**2])
    away = critical * math.sqrt(float(slope @ covariance @ slope))
    return fall / rise - away, fall / rise + away


def _drawn(
    point: FloatArray, influence: FloatArray, level: float, draws: int, seed: Seed
) -> tuple[float, float]:
    """Percentiles of customers drawn again, by their influence."""

    def statistic(weights: FloatArray) -> FloatArray:
        return np.asarray(point + weights @ influence)

    moved = bootstrap(statistic, np.ones(len(influence)), draws=draws, seed=seed)
    with np.errstate(divide="ignore"):
        ratios = np.where(moved[:, 1] > 0, moved[:, 0] / moved[:, 1], math.inf)
    tail = (1 - level) / 2
    ends = np.quantile(ratios, [tail, 1 - tail], method="inverted_cdf")
    return float(ends[0]), float(ends[1])
