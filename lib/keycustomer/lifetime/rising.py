"""Logarithms of rising factorials: what counts of purchases do to a gamma or beta law.

How likely is a count when the rate or probability behind it is gamma or beta distributed?  Ratios
of gamma functions at arguments a count apart answer it.  Taken as differences of two logarithms
they lose their digits where the argument is large, just where a law shrinks to a point;
:func:`log_rising` and :func:`rising_slopes` keep them.

Source: Abramowitz & Stegun (1964), 6.1.41 (Stirling's series), 6.3 and 6.4 (its derivatives).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, psi, zeta

from keycustomer.stats.samples import FloatArray

LARGE = 16.0
"""Arguments from which Stirling's series is exact to the last digit."""

STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
"""Coefficients of 1/z, 1/z**3, ... in the series for log gamma(z)."""


def log_rising(start: FloatArray, steps: FloatArray) -> FloatArray:
    """Logarithm of gamma(start + steps) / gamma(start).

    Parameters
    ----------
    start : ndarray or float
        Positive numbers.
    steps : ndarray
        Numbers of at least 0; the two broadcast.

    Returns
    -------
    ndarray
        For whole steps the logarithm of start (start + 1) ... (start + steps - 1).
    """
    start = np.asarray(start, dtype=float)
    plain = gammaln(start + steps) - gammaln(start)
    large = start > LARGE
    if not large.any():
        return plain
    start = np.maximum(start, LARGE)
    end = start + steps
    powers = (start - 0.5) * np.log1p(steps / start) + steps * (np.log(end) - 1)
    return np.where(large, powers + (_remainder(end) - _remainder(start)), plain)


def rising_slopes(start: FloatArray, steps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """First and second derivative of :func:`log_rising` with regard to its start."""
    end = np.asarray(start + steps, dtype=float)
    start = np.asarray(start, dtype=float)
    return psi(end) - psi(start), zeta(2.0, end) - zeta(2.0, start)


def _remainder(z: FloatArray) -> FloatArray:
    """Stirling's series, what log gamma(z) exceeds its leading terms by."""
    inverse = 1 / z
    square = inverse * inverse
    total = np.zeros_like(z)
    for coefficient in reversed(STIRLING):
        total = total * square + coefficient
    return total * inverse
