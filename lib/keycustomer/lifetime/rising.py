"""Logarithms of rising factorials: what counts of purchases do to a gamma or beta law.

How likely is a count when the rate or probability behind it is gamma or beta distributed?  Ratios
of gamma functions at arguments a count apart answer it.  Taken as differences of two logarithms
they lose their digits where the argument is large, just where a law shrinks to a point;
:func:`log_rising` keeps them, derivatives included.

Source: Abramowitz & Stegun (1964), 6.1.22 (the product), 6.1.41 (Stirling's series), 6.3 and 6.4
(its derivatives).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, psi, zeta

from keycustomer.stats.samples import FloatArray

LARGE = 16.0
"""Arguments from which Stirling's series is exact to the last digit."""

STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
"""Coefficients of 1/z, 1/z**3, ... in the series for log gamma(z)."""

LONGEST = 4_096
"""Steps up to which adding up the factors is quicker than the gamma functions."""


def log_rising(
    start: float | FloatArray, steps: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Logarithm of gamma(start + steps) / gamma(start), with derivatives by the start.

    Parameters
    ----------
    start : float or ndarray, shape (n,)
        Positive numbers.
    steps : ndarray, shape (n,)
        Whole numbers of at least 0.

    Returns
    -------
    tuple of ndarray, shape (n,)
        Logarithm of start (start + 1) ... (start + steps - 1), its first and second derivative.
    """
    if np.ndim(start) == 0 and steps.max(initial=0.0) <= LONGEST:
        return _added_up(float(start), steps.astype(np.intp))
    start = np.asarray(start, dtype=float)
    end = start + steps
    slope, bend = psi(end) - psi(start), zeta(2.0, end) - zeta(2.0, start)
    return _log_ratio(start, steps), slope, bend


def _added_up(start: float, steps: np.ndarray) -> tuple[FloatArray, FloatArray, FloatArray]:
    factors = start + np.arange(steps.max(initial=0))
    parts = np.zeros((3, factors.size + 1))
    np.log(factors, out=parts[0, 1:])
    np.divide(1, factors, out=parts[1, 1:])
    np.negative(parts[1] ** 2, out=parts[2])
    value, slope, bend = parts.cumsum(axis=1)[:, steps]
    return value, slope, bend


def _log_ratio(start: FloatArray, steps: FloatArray) -> FloatArray:
    plain = gammaln(start + steps) - gammaln(start)
    large = start > LARGE
    if not large.any():
        return plain
    start = np.maximum(start, LARGE)
    end = start + steps
    powers = (start - 0.5) * np.log1p(steps / start) + steps * (np.log(end) - 1)
    return np.where(large, powers + (_remainder(end) - _remainder(start)), plain)


def _remainder(z: FloatArray) -> FloatArray:
    """Stirling's series, what log gamma(z) exceeds its leading terms by."""
    inverse = 1 / z
    square = inverse * inverse
    total = np.zeros_like(z)
    for coefficient in reversed(STIRLING):
        total = total * square + coefficient
    return total * inverse
