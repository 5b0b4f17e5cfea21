"""Estimates with percentile intervals from draws of which a few may have no solution.

How far could an estimate be off, when its model cannot be fitted to every resample?  Leaving
such draws out would make the interval too short.  :func:`drawn_estimate` counts each of them as
beyond the lower and beyond the upper end, so that the interval can only come out too long; with
more of them than a tail holds there is none.  :func:`interval_table` writes estimates as a table.

Source: Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.stats import Estimate, percentile_interval
from keycustomer.stats.samples import FloatArray


def drawn_estimate(
    estimate: float, draws: FloatArray, *, unit: str, n: int, level: float = 0.95
) -> Estimate:
    """Estimate with a percentile interval over draws of respondents.

    Parameters
    ----------
    estimate : float
        The estimate on the respondents themselves.
    draws : array, shape (draws,)
        Bootstrap estimates, NaN where a draw has none.
    unit : str
        Unit of the estimate.
    n : int
        Number of respondents.
    level : float
        Confidence level, 0..1.
    """
    missing = int((~np.isfinite(draws)).sum())
    known = np.where(np.isfinite(draws), draws, np.nan)
    with np.errstate(invalid="ignore"):
        lower, _ = percentile_interval(np.nan_to_num(known, nan=-math.inf), level)
        _, upper = percentile_interval(np.nan_to_num(known, nan=math.inf), level)
    if not (math.isfinite(estimate) and math.isfinite(lower) and math.isfinite(upper)):
        why = f"not defined in {missing:,} of {draws.size:,} resamples"
        return Estimate.without_interval(estimate, unit, n, why, level)
    method = f"percentile bootstrap of respondents, {counted(draws.size, 'draw')}"
    if missing:
        method += f", of which {missing:,} without solution count beyond both ends"
    return Estimate(estimate, lower, upper, unit, n, method, level)


def interval_table(
    labels: pd.DataFrame, estimates: Sequence[Estimate], draws: FloatArray
) -> pd.DataFrame:
    """Table of estimates: the labels, estimate, lower, upper, standard_error, n, method.

    Parameters
    ----------
    labels : DataFrame
        What each row is about.
    estimates : sequence of Estimate
        One a row.
    draws : array, shape (draws, rows)
        Bootstrap draws, for the standard errors of estimates that have an interval.
    """
    return labels.assign(
        estimate=[own.estimate for own in estimates],
        lower=[own.lower for own in estimates],
        upper=[own.upper for own in estimates],
        standard_error=[_spread(own, d) for own, d in zip(estimates, draws.T, strict=True)],
        n=[own.n for own in estimates],
        method=[own.method for own in estimates],
    )


def _spread(estimate: Estimate, draws: FloatArray) -> float:
    known = draws[np.isfinite(draws)]
    if math.isnan(estimate.lower) or known.size < 2:
        return math.nan
    return float(known.std(ddof=1))
