"""Intervals of proportions: how far a share of customers may be off.

:func:`wilson_interval` for one share, :func:`newcombe_interval` for the difference of two
independent shares.  Both keep within their bounds and hold their level at shares near 0 and 1,
where the textbook interval (share plus or minus two standard errors) does not.

Sources: Wilson (1927), Journal of the American Statistical Association 22; Newcombe (1998),
Statistics in Medicine 17, 857-872 (one proportion) and 873-890 (differences, method 10).
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np


def wilson_interval(hits: Any, trials: Any, level: float = 0.95) -> tuple[Any, Any]:
    """Score interval of a share.

    Parameters
    ----------
    hits, trials : array_like
        Number of cases with the property, and of all cases.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    lower, upper : ndarray
        Ends of the interval, NaN where there are no trials.

    Raises
    ------
    ValueError
        When `hits` are not between 0 and `trials`, or `level` not between 0 and 1.
    """
    hits, trials = np.asarray(hits, float), np.asarray(trials, float)
    if ((hits < 0) | (hits > trials)).any():
        raise ValueError("hits: every number must lie between 0 and its trials")
    if not 0 < level < 1:
        raise ValueError(f"level={level}: must lie between 0 and 1, such as 0.95")
    square = NormalDist().inv_cdf((1 + level) / 2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (hits + square / 2) / (trials + square)
        spread = hits * (trials - hits) / trials + square / 4
        half = np.sqrt(square * spread) / (trials + square)
    # at no hits and at all hits the exact ends are 0 and 1, which rounding would miss
    lower = np.where(hits == 0, 0.0, centre - half)
    upper = np.where(hits == trials, 1.0, centre + half)
    unknown = trials == 0
    return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)


def newcombe_interval(
    hits: Any, trials: Any, other_hits: Any, other_trials: Any, level: float = 0.95
) -> tuple[Any, Any]:
    """Interval of the difference of two independent shares (Newcombe's method 10).

    Parameters
    ----------
    hits, trials, other_hits, other_trials : array_like
        Cases with the property and all cases, in the one and in the other group.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    lower, upper : ndarray
        Ends of the interval of ``hits / trials - other_hits / other_trials``.
    """
    lower, upper = wilson_interval(hits, trials, level)
    other_lower, other_upper = wilson_interval(other_hits, other_trials, level)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.asarray(hits, float) / np.asarray(trials, float)
        other = np.asarray(other_hits, float) / np.asarray(other_trials, float)
    down = np.hypot(share - lower, other_upper - other)
    up = np.hypot(upper - share, other - other_lower)
    return share - other - down, share - other + up
