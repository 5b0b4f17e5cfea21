"""Likelihood of single customers who leave at a purchase, with derivatives.

How likely is one history under parameters of its own?  :func:`geometric_terms` gives what
:class:`~keycustomer.lifetime.geometric.likelihood.GeometricLikelihood` adds up, row by row: for
covariates, where parameters differ between rows, and for a bootstrap, whose draws weigh the same
rows anew.

Sources: as in :mod:`keycustomer.lifetime.geometric.likelihood`.
"""

from __future__ import annotations

import numpy as np

from keycustomer.lifetime.geometric.likelihood import Purchasing
from keycustomer.lifetime.geometric.occasions import Dropout, Terms, dropout_tables
from keycustomer.lifetime.rising import log_rising
from keycustomer.stats.samples import FloatArray


def geometric_terms(
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    *parameters: float | FloatArray,
    first: int,
    purchasing: Purchasing = "gamma",
    dropout: Dropout = "beta",
) -> Terms:
    """Log-likelihood of each row, with derivatives, where each may have parameters of its own.

    Parameters
    ----------
    x, t_x, T : ndarray, shape (n,)
        Histories.
    *parameters : float or ndarray, shape (n,)
        Those of the purchasing law, then those of the dropout law: r, alpha, a and b for a gamma
        and a beta law.
    first : int
        1 where the first purchase is an occasion to leave, else 0.
    purchasing : {"gamma", "point"}
        Law of the purchase rate: r and alpha, or the rate itself.
    dropout : {"beta", "point", "split", "nobody"}
        Law of the dropout probability, as in
        :func:`~keycustomer.lifetime.geometric.occasions.dropout_tables`.

    Returns
    -------
    tuple of ndarray
        Log-likelihood (n,), score (k, n) and Hessian (k, k, n) in natural parameters.
    """
    own = 2 if purchasing == "gamma" else 1
    rates, size = parameters[:own], len(parameters)
    stay, odds = dropout_tables(dropout, x + first, parameters[own:])
    gradient = np.empty((size, x.size))
    gradient[own:] = odds[1]
    if purchasing == "gamma":
        alive = _alive_terms(x, T, *rates)
        r, alpha = rates
        silence, bends = _silence(x, t_x, T - t_x, r, alpha, gradient)
    else:
        alive = _alive_terms_of_equals(x, T, *rates)
        silence, bends = rates[0] * (T - t_x), np.zeros((1, 1, x.size))
        gradient[0] = T - t_x
    dead, extra = chance_of_having_left(odds[0] + silence)
    score = gradient * dead
    score[:own] += alive[1]
    score[own:] += stay[1]
    hessian = gradient[:, None] * gradient * (dead * (1 - dead))
    hessian[:own, :own] += alive[2] + bends * dead
    hessian[own:, own:] += stay[2]
    diagonal = np.arange(own, size)
    hessian[diagonal, diagonal] += odds[2] * dead
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


def _alive_terms_of_equals(x: FloatArray, T: FloatArray, rate: float | FloatArray) -> Terms:
    """Logarithm of rate^x exp(-rate T), with derivatives."""
    return x * np.log(rate) - rate * T, (x / rate - T)[None], (-x / rate**2)[None, None]


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
