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
import numpy.typing as npt
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
    there = np.isfinite(draws)
    missing = int((~there).sum())
    lower, upper = _cautious_ends(draws, there, level)
    if not (math.isfinite(estimate) and math.isfinite(lower)):
        why = f"not defined in {missing:,} of {draws.size:,} resamples"
        return Estimate.without_interval(estimate, unit, n, why, level)
    method = f"percentile bootstrap of respondents, {counted(draws.size, 'draw')}"
    if missing:
        method += f", of which {missing:,} without solution count beyond both ends"
    return Estimate(estimate, lower, upper, unit, n, method, level)


def _cautious_ends(
    draws: FloatArray, there: npt.NDArray[np.bool_], level: float
) -> tuple[float, float]:
    """Cut tails with absent draws beyond either end; NaN when an end falls on them."""
    if not there.any():
        return math.nan, math.nan
    least, most = float(draws[there].min()), float(draws[there].max())
    beyond = most - least + 1.0
    lower, _ = percentile_interval(np.where(there, draws, least - beyond), level)
    _, upper = percentile_interval(np.where(there, draws, most + beyond), level)
    return (lower, upper) if lower >= least and upper <= most else (math.nan, math.nan)


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


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Table for readers: three decimals, ends of an interval in brackets, no method.

    Parameters
    ----------
    table : DataFrame
        With columns `lower`, `upper`, or such with a name before them.

    Examples
    --------
    >>> rows = pd.DataFrame({"path": ["A"], "estimate": [0.5], "lower": [0.41], "upper": [0.6]})
    >>> readable(rows).to_dict("list")
    {'path': ['A'], 'estimate': ['0.500'], 'interval': ['[0.410, 0.600]']}
    """
    shown: dict[str, list[object]] = {}
    for name in map(str, table.columns):
        if name.endswith("lower"):
            ends = zip(table[name], table[name.removesuffix("lower") + "upper"], strict=True)
            label = name.removesuffix("lower") + "interval"
            shown[label] = [_between(lower, upper) for lower, upper in ends]
        elif not name.endswith("upper") and name not in ("method", "n"):
            shown[name] = [_written(value) for value in table[name]]
    return pd.DataFrame(shown)


def _written(value: object) -> object:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def _between(lower: float, upper: float) -> str:
    return "" if math.isnan(lower) else f"[{_written(lower)}, {_written(upper)}]"
