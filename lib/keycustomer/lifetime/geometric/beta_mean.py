"""Means over a beta law of what a customer does until it leaves.

What is expected of a customer whose dropout probability p is known only as a beta law?  The mean
of a function of p.  For purchases it has a closed form by Gauss's hypergeometric function, of which
a, b and the horizon together leave no representation that keeps its digits everywhere.  So the
mean is taken by the trapezoidal rule in the logarithm of the odds of p, stretched exponentially at
both ends, where powers of p and 1 - p would take for ever to vanish: a hundred nodes give thirteen
digits, whatever the arguments, and the integrand is positive, so nothing cancels.

Source: Takahasi & Mori (1974), Publications of the RIMS 9; Trefethen & Weideman (2014), SIAM
Review 56, for the accuracy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import log_expit

from keycustomer.stats.samples import FloatArray

STEP = 0.19
"""Distance of the nodes in widths of the narrowest law: relative error below 1e-13."""

MARGIN = 4.0
"""Widths on each side of the laws' centres before the stretching begins."""

EARLIER = 2.0
"""How far below the function's own bend, in log-odds, the stretching begins."""

VANISHED = 60.0
"""Exponent at which the tails are cut: exp(-60) is beyond the last digit."""

NARROW = 10.0
"""First parameter from which a law is too narrow to see a bend far below its centre."""

SMALLEST = 1e-280
"""Probability that stands for all smaller ones, so that a division by it cannot overflow."""

CHUNK = 12_000
"""Values computed at a time, so that they stay in the processor's cache."""


def beta_nodes(a: FloatArray, b: FloatArray, bend: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of the means over beta laws, the nodes the same for all.

    Parameters
    ----------
    a, b : ndarray, shape (n,)
        Parameters of the laws.
    bend : float
        The functions to be averaged are constant for p far below 1 / bend.

    Returns
    -------
    tuple of ndarray
        Probabilities (nodes,), and weights (n, nodes) that add up to 1 for each law.
    """
    width = 1 / np.sqrt(max(1.0, float((a * b / (a + b)).max())))
    centre = np.log(np.maximum(a, 1.0) / np.maximum(b, 1.0))
    low, high = centre.min() - MARGIN * width, centre.max() + MARGIN * width
    if a.min() < NARROW:
        low = min(low, -np.log1p(bend) - EARLIER)
    tails = [1 + np.log(VANISHED / min(float(one.min()), 1.0)) for one in (a, b)]
    u = np.arange(low - tails[0] * width, high + tails[1] * width, STEP * width)
    left, right = np.exp((low - u) / width), np.exp((u - high) / width)
    place = u + width * (right - left)
    log_p, log_q = log_expit(place), log_expit(-place)
    density = np.multiply.outer(a, log_p) + np.multiply.outer(b, log_q)
    density += np.log(1 + left + right)
    weights = np.exp(density - density.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.maximum(np.exp(log_p), SMALLEST), weights


def purchases_before_leaving(
    exponent: Callable[[slice, FloatArray], FloatArray],
    size: int,
    index: np.ndarray,
    nodes: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Mean of (1 - exp(-f(p))) / p over beta laws, for each of several functions f.

    Parameters
    ----------
    exponent : callable
        Gives f for a slice of the cases at all nodes p, shape (cases, nodes).
    size : int
        Number of cases.
    index : ndarray of int, shape (size,)
        The law of each case.
    nodes : tuple of ndarray
        What :func:`beta_nodes` gives of the laws.

    Returns
    -------
    ndarray, shape (size,)
        The means.
    """
    p, weights = nodes
    weights = weights / p
    means = np.empty(size)
    cases = max(1, CHUNK // p.size)
    for low in range(0, size, cases):
        part = slice(low, low + cases)
        values = np.expm1(-exponent(part, p))
        means[part] = -np.einsum("ij,ij->i", values, weights[index[part]])
    return means
