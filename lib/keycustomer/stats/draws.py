"""From bootstrap draws to an estimate with its interval.

:func:`estimate_from_draws` names the method, and gives no interval where there are no draws or
where some of them have no value (a share of nothing).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keycustomer.stats.bootstrap import percentile_interval
from keycustomer.stats.estimate import Estimate


def estimate_from_draws(
    point: float, draws: npt.ArrayLike, *, unit: str, n: int, level: float = 0.95
) -> Estimate:
    """Estimate with the percentile interval of its bootstrap draws.

    Parameters
    ----------
    point : float
        The estimate on the customers themselves.
    draws : array, shape (draws,)
        The estimate on resamples; empty when none were made.
    unit : str
        Unit of the estimate.
    n : int
        Customers it rests on.
    level : float
        Confidence level, 0..1.
    """
    values = np.asarray(draws, dtype=np.float64)
    if not values.size:
        return Estimate(float(point), math.nan, math.nan, unit, n, "no interval", level)
    lower, upper = percentile_interval(values, level)
    method = f"percentile bootstrap over customers, {values.size} draws"
    return Estimate(float(point), lower, upper, unit, n, method, level)
