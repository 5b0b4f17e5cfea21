"""A prediction that is dear, computed at few ages and carried over to all.

What is expected of customers of each frequency and age?  As a function of age an expectation is as
smooth as a function can be, with nothing irregular before the purchases would have had to begin
even earlier than at age 0.  So a few well-chosen ages say all of it: :func:`over_ages` computes at
Chebyshev points in the logarithm of age and interpolates, to the accuracy of the computing itself,
and a base of a hundred ages costs what one of ten does.

Source: Trefethen (2013), "Approximation Theory and Approximation Practice", chapters 5 and 8.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from keycustomer.lifetime.discounting import ALL_DIGITS
from keycustomer.stats.samples import FloatArray

SPARE = 6.5
"""Digits lost where customers differ much and are young: a function of age may be a million times
larger off the real ages than on them."""

CHUNK = 2**14
"""Pairs interpolated at once."""


def over_ages(
    function: Callable[[FloatArray, FloatArray], FloatArray],
    x: FloatArray,
    T: FloatArray,
    offset: float,
    digits: int = ALL_DIGITS,
) -> FloatArray:
    """Compute a function of frequency and age for many pairs.

    Parameters
    ----------
    function : callable
        Takes frequencies and ages, shape (n,) each, gives values (n,); analytic in the age but for
        ages of -`offset` and less.
    x, T : ndarray, shape (pairs,)
        Frequencies and ages.
    offset : float
        Length of time above 0, in the ages' unit.
    digits : int
        Digits needed.

    Returns
    -------
    ndarray, shape (pairs,)
        Computed pair by pair where the pairs are few.
    """
    levels, level = np.unique(x, return_inverse=True)
    ages, age = np.unique(T, return_inverse=True)
    low, high = np.log(offset + ages[[0, -1]])
    count = _points_needed(float(high - low) / 2, digits)
    if count * levels.size >= x.size:
        return function(x, T)
    points = np.cos(np.pi * np.arange(count) / (count - 1))
    nodes = np.exp((low + high) / 2 + (high - low) / 2 * points) - offset
    values = function(np.repeat(levels, count), np.tile(nodes, levels.size))
    grid = values.reshape(levels.size, count)
    share = _interpolation(points, (2 * np.log(offset + ages) - low - high) / (high - low))
    found = np.empty(x.size)
    for start in range(0, x.size, CHUNK):
        part = slice(start, start + CHUNK)
        np.einsum("ij,ij->i", grid[level[part]], share[age[part]], out=found[part])
    return found


def _points_needed(half_width: float, digits: int) -> int:
    """Chebyshev points for a function of a logarithm, irregular only where its sign turns."""
    if half_width == 0:
        return 2
    reach = math.pi / half_width
    return 3 + math.ceil((digits + SPARE) * math.log(10) / math.asinh(reach))


def _interpolation(points: FloatArray, at: FloatArray) -> FloatArray:
    """Weights (at, points) of the barycentric formula at Chebyshev points of the second kind."""
    signs = (-1.0) ** np.arange(points.size)
    signs[[0, -1]] /= 2
    distance = at[:, None] - points
    hit = distance == 0
    weights = signs / np.where(hit, 1.0, distance)
    weights = np.where(hit.any(axis=1, keepdims=True), hit, weights)
    return weights / weights.sum(axis=1, keepdims=True)
