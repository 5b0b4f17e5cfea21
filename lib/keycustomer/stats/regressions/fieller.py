"""Fieller's ends of a ratio of two estimates, from its quadratic inequality.

A ratio r is not rejected where top - r x below lies within `margin` of its own standard errors of
zero.  With little known of `below` these ratios are not between the two ends but outside them, or
all: :func:`fieller_roots` leaves the reading to its callers.

Source: Fieller (1954), Journal of the Royal Statistical Society B 16, 175-185.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray


class FiellerRoots(NamedTuple):
    """Where the inequality holds with equality.

    Attributes
    ----------
    square, rest : ndarray
        Factor of the squared ratio, and what stands without it; `square` is above 0 where `below`
        is told from zero, `rest` where `top` is.
    first, second : ndarray
        The two ratios, in rising order where `square` is above 0; NaN where there is none.
    """

    square: FloatArray
    rest: FloatArray
    first: FloatArray
    second: FloatArray


def fieller_roots(
    top: npt.ArrayLike,
    below: npt.ArrayLike,
    spread: npt.ArrayLike,
    both: npt.ArrayLike,
    under: npt.ArrayLike,
    margin: float,
) -> FiellerRoots:
    """Solve (top - r below)^2 = margin^2 (spread - 2 r both + r^2 under) for r.

    Parameters
    ----------
    top, below : array
        What is divided by what.
    spread, both, under : array
        Variance of `top`, covariance, variance of `below`.
    margin : float
        Standard errors to each side.
    """
    above, line = np.asarray(top, dtype=float), np.asarray(below, dtype=float)
    square = line**2 - margin**2 * np.asarray(under)
    half = above * line - margin**2 * np.asarray(both)
    rest = above**2 - margin**2 * np.asarray(spread)
    inside = half**2 - square * rest
    root = np.sqrt(np.where(inside >= 0, inside, np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        return FiellerRoots(square, rest, (half - root) / square, (half + root) / square)
