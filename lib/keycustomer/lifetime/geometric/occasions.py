"""Occasions to leave, and what their number says of a customer's dropout probability.

How likely is it to stay through all occasions, and how much likelier or less likely to leave at the
last of them instead?  The two questions are all that a model of dropout at a purchase asks of its
dropout law; :func:`dropout_tables` answers them for each law, with derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from keycustomer.lifetime.rising import log_rising
from keycustomer.stats.samples import FloatArray

Terms: TypeAlias = tuple[FloatArray, FloatArray, FloatArray]
"""Value (n,), gradient (k, n) and Hessian (k, k, n)."""

Dropout: TypeAlias = Literal["beta", "point", "split", "nobody"]
"""Laws of the dropout probability: parameters a and b; the odds p / (1 - p) of everybody's
probability; the odds of the share that leaves at its first occasion; or nothing."""


def dropout_tables(
    law: Dropout, occasions: FloatArray, chances: Sequence[float | FloatArray] | FloatArray
) -> tuple[Terms, Terms]:
    """Give what numbers of occasions say of the dropout probability.

    Parameters
    ----------
    law : {"beta", "point", "split", "nobody"}
        Law of the dropout probability.
    occasions : ndarray, shape (n,)
        Numbers of occasions, whole.
    chances : sequence
        Parameters of the law, k numbers or arrays (n,).

    Returns
    -------
    tuple of tuples
        Logarithm of the chance to stay through all occasions: value (n,), gradient (k, n) and
        Hessian (k, k, n); and log-odds of leaving at the last of them instead: value, gradient and
        the diagonal of the Hessian (k, n), beside which it is zero.
    """
    if law == "beta":
        return _beta_tables(occasions, *chances)
    if law == "nobody":
        nothing = np.zeros((0, occasions.size))
        never = np.full(occasions.size, -np.inf)
        return (np.zeros(occasions.size), nothing, nothing[None][:0]), (never, nothing, nothing)
    times = occasions if law == "point" else np.minimum(occasions, 1.0)
    possible = occasions > 0 if law == "point" else occasions == 1
    return _odds_tables(times, possible, *chances)


def _beta_tables(
    occasions: FloatArray, a: float | FloatArray, b: float | FloatArray
) -> tuple[Terms, Terms]:
    value, slope_b, bend_b = log_rising(b, occasions)
    less, slope_ab, bend_ab = log_rising(a + b, occasions)
    slopes, bends = np.empty((2, occasions.size)), np.empty((2, 2, occasions.size))
    np.negative(slope_ab, out=slopes[0])
    np.subtract(slope_b, slope_ab, out=slopes[1])
    np.negative(bend_ab, out=bends)
    bends[1, 1] += bend_b
    return (value - less, slopes, bends), _beta_odds(occasions, a, b)


def _beta_odds(occasions: FloatArray, a: float | FloatArray, b: float | FloatArray) -> Terms:
    some = occasions > 0
    before = np.where(some, b + occasions - 1, 1.0)
    slopes, bends = np.empty((2, occasions.size)), np.empty((2, occasions.size))
    slopes[0] = some / a
    np.divide(-1.0, before, out=slopes[1])
    slopes[1] *= some
    np.multiply(slopes, slopes, out=bends)
    bends[0] *= -1
    return np.where(some, np.log(a / before), -np.inf), slopes, bends


def _odds_tables(times: FloatArray, possible: np.ndarray, odds: float) -> tuple[Terms, Terms]:
    stay = (
        -times * np.log1p(odds),
        -(times / (1 + odds))[None],
        (times / (1 + odds) ** 2)[None, None],
    )
    slope = (possible / odds)[None]
    return stay, (np.where(possible, np.log(odds), -np.inf), slope, -(slope**2))
