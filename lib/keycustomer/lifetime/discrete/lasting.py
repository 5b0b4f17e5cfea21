"""How long customers last who face one chance of leaving after the other.

A customer leaves at every occasion with a probability of its own, theta, which differs between
customers by a law.  Of a customer that has lasted `lived` occasions, :func:`lasting` says how
likely it is to last so many more, :func:`total_lasting` how many more it is expected to last, or
what one unit at each of them is worth now.  The longer a customer has lasted, the lower its theta
probably is: nobody changes, but the others are gone.

For a beta law the endless discounted sum is a hypergeometric function 2F1(1, b; c; z).  Gauss's
continued fraction gives it for every z below 1, without the cancellation that its series and
transformations suffer near z = 1 (a month discounted at a few per cent a year).

Sources: Fader & Hardie (2010), Marketing Science 29, 85-93, equations 5 and 6, for the sum under
a beta law; Gauss (1813) for the continued fraction.
"""

from __future__ import annotations

import math

import numpy as np

from keycustomer.lifetime.discrete.powers import ChanceLaw
from keycustomer.lifetime.laws import BetaLaw, PointLaw, SplitLaw
from keycustomer.stats.samples import FloatArray

DIGITS = 40.0
"""The continued fraction is cut where its error is below exp(-DIGITS)."""


def lasting(law: ChanceLaw, lived: FloatArray, ahead: int) -> FloatArray:
    """Probability to last so many more occasions.

    Parameters
    ----------
    law : BetaLaw, PointLaw or SplitLaw
        Law of the probability of leaving at an occasion.
    lived : ndarray, shape (n,)
        Occasions lasted so far.
    ahead : int
        Further occasions.

    Returns
    -------
    ndarray, shape (n,)
    """
    lived = np.asarray(lived, dtype=float)
    if isinstance(law, PointLaw):
        return np.full(lived.shape, (1 - law.value) ** ahead)
    if isinstance(law, SplitLaw):
        return np.where((lived > 0) | (ahead == 0), 1.0, 1 - law.share)
    reached = np.ones(lived.shape)
    for occasion in range(ahead):
        reached *= _stays(law, lived + occasion)
    return reached


def total_lasting(
    law: ChanceLaw, lived: FloatArray, horizon: int | None = None, force: float = 0.0
) -> FloatArray:
    """Count the further occasions expected to be lasted, discounted where a force is given.

    Parameters
    ----------
    law : BetaLaw, PointLaw or SplitLaw
        Law of the probability of leaving at an occasion.
    lived : ndarray, shape (n,)
        Occasions lasted so far.
    horizon : int, optional
        Occasions to look ahead; left out, without end.
    force : float
        Continuous discount rate per occasion; the next occasion is one unit of time away.

    Returns
    -------
    ndarray, shape (n,)
        Infinite where so many customers never leave that the endless sum is.
    """
    lived = np.asarray(lived, dtype=float)
    if horizon is not None:
        return _finite_sum(law, lived, horizon, math.exp(-force))
    factor = math.exp(-force)
    with np.errstate(divide="ignore"):
        if isinstance(law, PointLaw):
            stays = np.float64(1 - law.value)
            return np.full(lived.shape, factor * stays / (1 - factor * stays))
        if isinstance(law, SplitLaw):
            return lasting(law, lived, 1) * factor / (np.float64(1) - factor)
        if force == 0:
            return (law.b + lived) / max(law.a - 1, 0.0) if law.a > 1 else lived + math.inf
    return factor * _stays(law, lived) * _gauss(law, lived, factor)


def _finite_sum(law: ChanceLaw, lived: FloatArray, horizon: int, factor: float) -> FloatArray:
    total, reached = np.zeros(lived.shape), np.ones(lived.shape)
    for occasion in range(horizon):
        reached = reached * factor * _stays(law, lived + occasion)
        total += reached
    return total


def _stays(law: ChanceLaw, lived: FloatArray) -> FloatArray:
    """Probability to last the next occasion."""
    if isinstance(law, BetaLaw):
        return (law.b + lived) / (law.a + law.b + lived)
    if isinstance(law, PointLaw):
        return np.full(lived.shape, 1 - law.value)
    return np.where(lived > 0, 1.0, 1 - law.share)


def _gauss(law: BetaLaw, lived: FloatArray, z: float) -> FloatArray:
    """Hypergeometric 2F1(1, b + lived + 1; a + b + lived + 1; z) by its continued fraction."""
    b, c = law.b + lived + 1, law.a + law.b + lived + 1
    root = math.sqrt(-math.expm1(math.log(z))) if z > 0 else 1.0
    pairs = math.ceil(DIGITS / (2 * math.atanh(root))) + 2 if root < 1 else 2
    value = np.ones(lived.shape)
    for m in range(pairs, -1, -1):
        even = (m + 1) * (c - b + m) / ((c + 2 * m) * (c + 2 * m + 1))
        odd = (b + m) * (c - 1 + m) / ((c - 1 + 2 * m) * (c + 2 * m))
        value = 1 - odd * z / (1 - even * z / value)
    return 1 / value
