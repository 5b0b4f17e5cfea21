"""How strongly instruments move what they stand for: F of the first stage.

:func:`joint_f` is Wald's statistic of the instruments over their number, :func:`effective_f` the
one that also holds with several instruments and errors of unequal spread; below `WEAK_F`
instruments count as weak by the rule of thumb.

Sources: Staiger & Stock (1997), Econometrica 65, 557-586; Montiel Olea & Pflueger (2013), Journal
of Business & Economic Statistics 31, 358-369.
"""

from __future__ import annotations

import numpy as np

from keycustomer.stats.regressions.wald import wald_distance
from keycustomer.stats.samples import FloatArray

WEAK_F = 10.0
"""First-stage F below which instruments count as weak (Staiger & Stock 1997)."""


def joint_f(coefficients: FloatArray, covariance: FloatArray) -> float:
    """Wald's statistic of the instruments over their number.

    Parameters
    ----------
    coefficients : ndarray, shape (instruments,)
        Of the instruments in the first stage.
    covariance : ndarray, shape (instruments, instruments)
        Theirs.
    """
    return wald_distance(coefficients, covariance) / len(coefficients)


def effective_f(coefficients: FloatArray, covariance: FloatArray) -> float:
    """Effective F of Montiel Olea and Pflueger; with one instrument the same as :func:`joint_f`.

    Parameters
    ----------
    coefficients : ndarray, shape (instruments,)
        First-stage coefficients, in units in which the instruments are orthonormal.
    covariance : ndarray, shape (instruments, instruments)
        Theirs.
    """
    return float(coefficients @ coefficients / np.trace(covariance))
