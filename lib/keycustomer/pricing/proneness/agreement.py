"""How two noisy estimates of the same customers go together.

Question: are they related, and how closely would they be without their errors?  Both are drawn
towards their means as far as they are not known; their correlation is smaller than that of the
true values.  :func:`agreement` gives it and the correlation of the true values: the covariance of
the unshrunken estimates, whose errors are independent, over spreads from which the error variances
are subtracted, each customer weighted by how well it is known.  All parts are sums over customers,
so that a resample of customers repeats the whole correction.

Sources: Spearman (1904), American Journal of Psychology 15, 72-101 (attenuation); Efron &
Tibshirani, "An Introduction to the Bootstrap" (1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray

LEAST_RELIABLE = 0.02
"""Least part of the spread of estimates that is taken to be true, so that nothing is divided by
nothing."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Estimates of one trait.

    Attributes
    ----------
    raw, variance : ndarray, shape (customers,)
        Unshrunken estimate and its error variance.
    shrunken, share : ndarray, shape (customers,)
        Drawn towards the mean, and the weight of the own estimate, 0..1.
    """

    raw: FloatArray
    variance: FloatArray
    shrunken: FloatArray
    share: FloatArray

    def among(self, kept: FloatArray) -> Measured:
        """Those of some customers."""
        parts = (self.raw, self.variance, self.shrunken, self.share)
        return Measured(*(part[kept] for part in parts))


@dataclass(frozen=True)
class Agreement:
    """Correlations of two traits over customers.

    Attributes
    ----------
    correlation : Estimate
        Of the shrunken estimates.
    true_correlation : Estimate
        Of the true values: corrected for the errors of both; may leave -1..1 by chance.
    """

    correlation: Estimate
    true_correlation: Estimate


def agreement(
    first: Measured, second: Measured, *, level: float, draws: int, seed: Seed
) -> Agreement:
    """Correlate two traits with and without their errors.

    Parameters
    ----------
    first, second : Measured
        Estimates of the same customers from different purchases.
    level, draws, seed
        Bootstrap of customers.
    """
    n = len(first.raw)
    plain = _plain_parts(first.shrunken, second.shrunken)
    corrected = np.hstack([_parts(first, second), _own_parts(first), _own_parts(second)])

    def both(weights: FloatArray) -> FloatArray:
        return np.column_stack([_correlation(weights @ plain), _true(weights @ corrected)])

    point = both(np.ones((1, n)))[0]
    drawn = bootstrap(both, np.ones(n), draws=draws, seed=seed)
    names = ("correlation of estimates", "correlation of true values")
    found = [
        bootstrap_estimate(float(value), drawn[:, k], unit=name, n=n, level=level)
        for k, (value, name) in enumerate(zip(point, names, strict=True))
    ]
    return Agreement(*found)


def _plain_parts(x: FloatArray, y: FloatArray) -> FloatArray:
    return np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y])


def _correlation(sums: FloatArray) -> FloatArray:
    n, x, y, xx, yy, xy = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return (xy - x * y / n) / np.sqrt((xx - x * x / n) * (yy - y * y / n))


def _parts(first: Measured, second: Measured) -> FloatArray:
    """Give the parts of the covariance, weighted by how well both are known."""
    x, y, w = first.raw, second.raw, first.share * second.share
    return np.column_stack([w, w * x, w * y, w * x * y])


def _own_parts(trait: Measured) -> FloatArray:
    """Give the parts of mean and true variance of one trait, weighted as its likelihood does."""
    x, s = trait.raw, trait.share
    q = s * s
    return np.column_stack([s, s * x, q, q * x, q * x * x, q * trait.variance])


def _true(sums: FloatArray) -> FloatArray:
    w, wx, wy, wxy = sums.T[:4]
    of_first, of_second = sums.T[4:10], sums.T[10:16]
    x, y = of_first[1] / of_first[0], of_second[1] / of_second[0]
    covariance = (wxy - x * wy - y * wx + x * y * w) / w
    return covariance / np.sqrt(_variance(of_first, x) * _variance(of_second, y))


def _variance(sums: FloatArray, mean: FloatArray) -> FloatArray:
    _, _, q, qx, qxx, qv = sums
    seen = (qxx - 2 * mean * qx + mean**2 * q) / q
    return np.maximum(seen - qv / q, LEAST_RELIABLE * seen)
