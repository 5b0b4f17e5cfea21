"""Likelihood of single customers who leave at a purchase, with derivatives.

How likely is one history under parameters of its own?  :func:`geometric_terms` gives what
:class:`~keycustomer.lifetime.geometric_likelihood.GeometricLikelihood` adds up, row by row: for
covariates, where parameters differ between rows, and for a bootstrap, whose draws weigh the same
rows anew.

Sources: as in :mod:`keycustomer.lifetime.geometric_likelihood`.
"""

from __future__ import annotations

import numpy as np

from keycustomer.lifetime.occasions import Terms, dropout_tables
from keycustomer.lifetime.rising import log_rising
from keycustomer.stats.samples import FloatArray


def geometric_terms(
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    r: float | FloatArray,
    alpha: float | FloatArray,
    a: float | FloatArray,
    b: float | FloatArray,
    *,
    first: int,
) -> Terms:
    """Log-likelihood of each row, with derivatives, where each may have parameters of its own.

    Parameters
    ----------
    x, t_x, T : ndarray, shape (n,)
        Histories.
    r, alpha, a, b : float or ndarray, shape (n,)
        Parameters of the gamma and the beta law.
    first : int
        1 where the first purchase is an occasion to leave, else 0.

    Returns
    -------
    tuple of ndarray
        Log-likelihood (n,), score (4, n) and Hessian (4, 4, n) in natural parameters.
    """
    alive = _alive_terms(x, T, r, alpha)
    stay, odds = dropout_tables("beta", x + first, (a, b))
    gradient = np.empty((4, x.size))
    gradient[2:] = odds[1]
    silence, bends = _silence(x, t_x, T - t_x, r, alpha, gradient)
    dead, extra = chance_of_having_left(odds[0] + silence)
    score = gradient * dead
    score[:2] += alive[1]
    score[2:] += stay[1]
    hessian = gradient[:, None] * gradient * (dead * (1 - dead))
    hessian[:2, :2] += alive[2] + bends * dead
    hessian[2:, 2:] += stay[2]
    hessian[[2, 3], [2, 3]] += odds[2] * dead
    return alive[0] + stay[0] + extra, score, hessian


def chance_of_having_left(log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probability of having left, and log(1 + odds), from the logarithm of the odds."""
    small = np.exp(-np.abs(log_odds))
    one = 1 + small
    dead = np.where(log_odds > 0, 1.0, small) / one
    return dead, np.log(one) + np.maximum(log_odds, 0.0)


def _alive_terms(
    x: FloatArray, T: FloatArray, r: float | FloatArray, alpha: float | FloatArray
) -> Terms:
    """Logarithm of E[l^x exp(-l T)] over a gamma law, with derivatives.

    All is written in T / alpha, since r log(alpha / (alpha + T)) loses its digits for a large r.
    """
    value, slope, bend = log_rising(r, x)
    age = T / alpha
    longer = np.log1p(age)
    end = 1 / (alpha + T)
    mixed = age * end
    curve = (x - r * age * (2 + age)) * end**2
    return (
        value - x * np.log(alpha) - (r + x) * longer,
        np.stack([slope - longer, (r * age - x) * end]),
        np.array([[bend, mixed], [mixed, curve]]),
    )


def _silence(
    x: FloatArray,
    t_x: FloatArray,
    gap: FloatArray,
    r: float | FloatArray,
    alpha: float | FloatArray,
    gradient: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Log of E[l^x exp(-l t_x)] / E[l^x exp(-l T)] and its Hessian; the gradient is filled in."""
    last, end = 1 / (alpha + t_x), 1 / (alpha + t_x + gap)
    grown = np.log1p(gap * last)
    nearer = gap * last * end
    steeper = (r + x) * nearer
    gradient[0] = grown
    gradient[1] = -steeper
    none = np.zeros_like(nearer)
    return (r + x) * grown, np.array([[none, -nearer], [-nearer, steeper * (last + end)]])
