"""Likelihood of the Gamma-Gamma model and of its limits, with exact derivatives.

How likely are these mean amounts at given parameters?  :class:`SpendingLikelihood` holds the sums
over customers that do not depend on the parameters and gives log-likelihood, score and Hessian.
What depends on the frequency alone is computed once a different frequency; what depends on the
amount enters through six sums, so an evaluation costs one logarithm and two divisions a customer.

Both limits are of one form, a gamma law whose mean is known and whose shape is sought:
:func:`fit_shape` finds it, to full precision at any size.

Amounts are counted in units of their mean, which makes the search the same in every currency.

Source: Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", equation 1a.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.special import gammaln, psi, zeta

from keycustomer.lifetime.newton import maximise
from keycustomer.lifetime.spend.spending import Spending
from keycustomer.stats.samples import FloatArray

Derivatives: TypeAlias = tuple[float, FloatArray, FloatArray]

CHUNK = 2**14
"""Customers summed at once: their terms stay in cache."""

ALIKE = 1e-6
"""Relative difference of mean amounts up to which all are alike; averages carry rounding."""

LARGE = 1e3
"""Arguments from which Stirling's series is exact to the last digit."""


@dataclass(frozen=True)
class Shape:
    """Most likely shape of a gamma law.

    Attributes
    ----------
    value : float
        The shape.
    variance : float
        Its variance, from the observed information.
    log_likelihood : float
        Its log-likelihood, up to what does not depend on the shape.
    evaluations : int
        Times it was computed.
    """

    value: float
    variance: float
    log_likelihood: float
    evaluations: int


def fit_shape(levels: FloatArray, counts: FloatArray, gap: float) -> Shape:
    """Fit the shape k of sums of `levels` gamma variables with a known mean.

    Parameters
    ----------
    levels, counts : ndarray, shape (different numbers,)
        How many variables were summed, and how often.
    gap : float
        Sum of ``level (m / mean - 1 - log(m / mean))`` over the observed means m, above 0.

    Returns
    -------
    Shape
        The maximum of ``-k gap + sum of counts R(k levels)``, R(y) = y log y - y - log Gamma(y).
    """
    first = float(counts.sum()) / (2 * gap)

    def objective(scaled: FloatArray) -> Derivatives:
        y = first * scaled[0] * levels
        value, slope, bend = _stirling_gap(y)
        score = float((counts * levels) @ slope) - gap
        curvature = float((counts * levels**2) @ bend)
        total = float(counts @ value) - first * scaled[0] * gap
        return total, np.array([score * first]), np.array([[curvature * first**2]])

    found = maximise(objective, (1.0,))
    variance = first**2 * float(found.covariance[0, 0])
    return Shape(
        first * float(found.parameters[0]), variance, found.log_likelihood, found.evaluations
    )


def _stirling_gap(y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """R(y) = y log y - y - log Gamma(y) and its two derivatives, without cancellation."""
    near = np.minimum(y, LARGE)
    far = 1 / np.maximum(y, LARGE)
    large = y > LARGE
    value = np.where(
        large,
        -(np.log(2 * np.pi * far) + far / 6 - far**3 / 180) / 2,
        near * np.log(near) - near - gammaln(near),
    )
    slope = np.where(large, far / 2 + far**2 / 12 - far**4 / 120, np.log(near) - psi(near))
    bend = np.where(large, -(far**2) / 2 - far**3 / 6 + far**5 / 30, 1 / near - _trigamma(near))
    return value, slope, bend


def _trigamma(y: FloatArray) -> FloatArray:
    """Second derivative of log Gamma, which is Hurwitz' zeta function of 2."""
    return zeta(2, y)


class SpendingLikelihood:
    """Log-likelihoods of mean amounts, in units of the mean amount of a purchase.

    Parameters
    ----------
    spending : Spending
        Customers' repeat purchases and mean amounts.

    Attributes
    ----------
    unit : float
        Mean amount of a purchase, currency.
    harmonic : float
        Harmonic mean over customers of their mean amounts, in units.
    alike : bool
        Whether all mean amounts are the same.
    """

    def __init__(self, spending: Spending) -> None:
        self.unit = spending.mean_spend
        m = spending.monetary_value / self.unit
        self.alike = bool(m.max() - m.min() <= ALIKE)
        self.levels, self.counts = spending.by_frequency
        self.n = spending.customers
        w = spending.weights
        self.totals = spending.frequency * m
        self.both = np.stack([w, w * spending.frequency])
        self.log_mean, self.weighted_log_mean = (self.both @ np.log(m)).tolist()
        self.harmonic = self.n / float(w @ (1 / m))
        self.log_total = self.log_mean + float(self.counts @ np.log(self.levels))
        self.constant = -self.log_mean - self.n * math.log(self.unit)

    def customers_alike(self) -> Shape:
        """Fit the limit where all customers have the same mean: shape p of the purchases."""
        return fit_shape(self.levels, self.counts, -self.weighted_log_mean)

    def purchases_alike(self) -> Shape:
        """Fit the limit where each customer always spends the same: shape q of the customers."""
        gap = self.log_mean - self.n * math.log(self.harmonic)
        return fit_shape(np.ones(1), np.array([self.n]), gap)

    def gamma_gamma(self, parameters: FloatArray) -> Derivatives:
        """Log-likelihood and its derivatives with regard to p, q and v (in units)."""
        p, q, v = parameters.tolist()
        x, c, n = self.levels, self.counts, self.n
        (log, inverse, square), (x_log, x_inverse, x_square) = self._sums(v).tolist()
        a, px = p * x + q, p * x
        value = (
            c @ (gammaln(a) - gammaln(px))
            + n * (q * math.log(v) - gammaln(q))
            - q * (self.log_total + log)
            - p * x_log
            + self.constant
        )
        psi_a, tri_a = psi(a), _trigamma(a)
        score = [
            (c * x) @ (psi_a - psi(px)) - x_log,
            c @ psi_a + n * (math.log(v) - psi(q)) - self.log_total - log,
            n * q / v - (p * x_inverse + q * inverse),
        ]
        pq, pv = (c * x) @ tri_a, -x_inverse
        qq, qv = c @ tri_a - n * _trigamma(q), n / v - inverse
        pp = (c * x * x) @ (tri_a - _trigamma(px))
        vv = -n * q / v**2 + p * x_square + q * square
        return float(value), np.array(score), np.array([[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]])

    def _sums(self, v: float) -> FloatArray:
        """Sum log(1 + v/xm), 1/(xm + v) and its square, over customers and over purchases."""
        sums = np.zeros((2, 3))
        terms = np.empty((3, min(CHUNK, self.totals.size)))
        for start in range(0, self.totals.size, CHUNK):
            total = self.totals[start : start + CHUNK]
            log, inverse, square = part = terms[:, : total.size]
            np.add(total, v, out=square)
            np.divide(square, total, out=log)
            np.log(log, out=log)
            np.divide(1.0, square, out=inverse)
            np.multiply(inverse, inverse, out=square)
            sums += self.both[:, start : start + CHUNK] @ part.T
        return sums

    def centred(self, parameters: FloatArray) -> Derivatives:
        """Log-likelihood and its derivatives with regard to p, q and pv/q, a typical mean.

        The data tell p and q apart from the typical mean far better than from v.
        """
        p, q, mean = parameters.tolist()
        v = mean * q / p
        value, score, hessian = self.gamma_gamma(np.array([p, q, v]))
        slope = centring(p, q, mean)
        bend = np.array(
            [
                [2 * v / p**2, -mean / p**2, -q / p**2],
                [-mean / p**2, 0, 1 / p],
                [-q / p**2, 1 / p, 0],
            ]
        )
        return value, slope.T @ score, slope.T @ hessian @ slope + score[2] * bend


def centring(p: float, q: float, mean: float) -> FloatArray:
    """Give the derivatives of (p, q, v) with regard to (p, q, pv/q), shape (3, 3)."""
    return np.array([[1, 0, 0], [0, 1, 0], [-mean * q / p**2, mean / p, q / p]])
