"""The customer bootstrap: the spread of an estimate over customers that could have been ours.

A customer base is taken as a sample of the customers the firm could have had.  Drawing as many
customers with replacement and computing the estimate again, a thousand times, shows its
spread.  A resample is a vector of weights: how often each customer was drawn
(:func:`bootstrap_counts`), so an estimate that is a function of weighted sums needs no copy of
the data, and memory stays bounded at any number of customers.

Two intervals come out of the draws.  :func:`percentile_interval` cuts off equal tails.
:func:`bca_interval` (bias-corrected and accelerated) moves the cuts by the median bias of the
draws and by the skewness of the estimate, which it takes from leaving out one customer at a
time; where leaving one out has a closed form, as for all concentration measures, BCa costs
next to nothing more.  The library shows BCa intervals wherever it has that closed form, and
percentile intervals elsewhere; every `Estimate` names its interval.  In simulations BCa came
closer to its nominal coverage for nearly all concentration measures (the table stands in
:mod:`keycustomer.pareto.concentration`).

Sources: Efron, "Better bootstrap confidence intervals" (JASA 1987); Efron & Tibshirani, "An
Introduction to the Bootstrap" (1993), chapters 13 and 14.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from numbers import Integral
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

Seed: TypeAlias = int | np.random.Generator
Statistic: TypeAlias = Callable[[FloatArray], FloatArray]
Progress: TypeAlias = Callable[[int, int], None]
IntArray: TypeAlias = npt.NDArray[np.int64]

CELLS = 2**17
"""Weights held at once: a chunk has as many draws as fit, at least one (1 MiB, fits in cache)."""

BLOCK = 2**15
"""Customers drawn together: counting within a block stays in cache, at a fifth of the time."""

SAME = 1e-14
"""Relative difference that rounding alone makes."""

NORMAL = NormalDist()
"""The standard normal distribution."""

QUIET_SECONDS = 2.0
"""Progress is reported only for work that takes longer than this."""


def bootstrap_counts(n: int, draws: int, seed: Seed) -> Iterator[IntArray]:
    """Yield resamples of `n` customers as counts, in chunks.

    Parameters
    ----------
    n : int
        Number of customers.
    draws : int
        Number of resamples.
    seed : int or Generator
        The same seed gives the same resamples, whatever the chunk size.

    Yields
    ------
    ndarray of int64, shape (draws in this chunk, n)
        How often each customer was drawn; every row sums to `n`.

    Raises
    ------
    ValueError
        When `n` or `draws` is below 1.
    """
    if isinstance(draws, bool) or not isinstance(draws, Integral):
        raise ValueError(f"draws={draws!r}: a whole number of at least 1 is needed")
    if n < 1 or draws < 1:
        raise ValueError(f"bootstrap of n={n} customers in draws={draws}: both must be at least 1")
    generator = np.random.default_rng(seed)
    sizes = np.diff(np.append(np.arange(0, n, BLOCK), n))
    rows = max(1, CELLS // n)
    for start in range(0, draws, rows):
        counts = np.empty((min(rows, draws - start), n), dtype=np.int64)
        for row in counts:
            _draw(row, sizes, generator)
        yield counts


def _draw(counts: IntArray, sizes: IntArray, generator: np.random.Generator) -> None:
    """Fill `counts` with one multinomial draw: first how many per block, then whom."""
    start = 0
    for size, drawn in zip(
        sizes.tolist(), generator.multinomial(counts.size, sizes / counts.size), strict=True
    ):
        whom = generator.integers(0, size, size=drawn)
        counts[start : start + size] = np.bincount(whom, minlength=size)
        start += size


def bootstrap(
    statistic: Statistic,
    multiplicities: npt.ArrayLike,
    *,
    draws: int = 1000,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> FloatArray:
    """Compute a statistic on resamples of customers.

    Parameters
    ----------
    statistic : callable
        Takes weights of shape (rows, groups), gives estimates of shape (rows, columns).
    multiplicities : array of int, shape (groups,)
        How many customers each group of equal customers has: ones when all differ.  Equal
        customers are drawn one by one and then counted together.
    draws, seed
        As in :func:`bootstrap_counts`.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Returns
    -------
    ndarray, shape (draws, columns)

    Raises
    ------
    ValueError
        When the multiplicities are no whole numbers of at least 0, all are 0, or draws is below 1.
    """
    sizes = _whole_customers(multiplicities)
    filled = np.flatnonzero(sizes)
    starts = (np.cumsum(sizes) - sizes)[filled]
    report = after_quiet(progress)
    parts: list[FloatArray] = []
    done = 0
    for counts in bootstrap_counts(int(sizes.sum()), draws, seed):
        grouped = np.zeros((len(counts), sizes.size))
        grouped[:, filled] = (
            counts if counts.shape[1] == filled.size else np.add.reduceat(counts, starts, 1)
        )
        parts.append(statistic(grouped))
        done += len(counts)
        report(done, draws)
    return np.concatenate(parts)


def _whole_customers(multiplicities: npt.ArrayLike) -> IntArray:
    given = np.asarray(multiplicities, dtype=float)
    whole = (given >= 0) & (given < np.inf) & (np.floor(given) == given)
    if not whole.all():
        raise ValueError(
            "bootstrap: whole numbers of customers are needed, since customers are drawn; got "
            f"{given[~whole][:3].tolist()}. Give numbers of customers "
            "in place of shares or other weights"
        )
    return given.astype(np.int64)


def after_quiet(progress: Progress | None) -> Progress:
    """Wrap a progress callback: short work stays silent, long work reports twice a second."""
    due = time.monotonic() + QUIET_SECONDS

    def report(done: int, draws: int) -> None:
        nonlocal due
        if progress is not None and time.monotonic() >= due:
            progress(done, draws)
            due = time.monotonic() + 0.5

    return report


def percentile_interval(draws: npt.ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Interval that leaves equal shares of the draws on both sides.

    Parameters
    ----------
    draws : array, shape (draws,)
        Bootstrap estimates.
    level : float
        Confidence level, 0..1.

    Returns
    -------
    (lower, upper) : tuple of float
        NaN both when any draw is not a number: an interval from the other draws would be too
        short.
    """
    tail = (1 - checked_level(level)) / 2
    return _quantiles(np.asarray(draws, dtype=np.float64), tail, 1 - tail)


def bca_interval(
    estimate: float,
    draws: npt.ArrayLike,
    acceleration: float,
    level: float = 0.95,
) -> tuple[float, float]:
    """Bias-corrected and accelerated interval.

    Parameters
    ----------
    estimate : float
        The estimate on the customers themselves.
    draws : array, shape (draws,)
        Bootstrap estimates.
    acceleration : float
        Skewness of the estimate, from :func:`acceleration`.
    level : float
        Confidence level, 0..1.

    Returns
    -------
    (lower, upper) : tuple of float
        NaN both when any draw is not a number, or when the correction is infinite, as it is
        when all draws lie on one side of the estimate.
    """
    values = np.asarray(draws, dtype=np.float64)
    below = float((values < estimate).mean() + (values <= estimate).mean()) / 2
    tail = (1 - checked_level(level)) / 2
    if not 0 < below < 1 or not math.isfinite(acceleration):
        return math.nan, math.nan
    bias = NORMAL.inv_cdf(below)
    z = [bias + NORMAL.inv_cdf(end) for end in (tail, 1 - tail)]
    if max(acceleration * end for end in z) >= 1:
        return math.nan, math.nan
    lower, upper = (NORMAL.cdf(bias + end / (1 - acceleration * end)) for end in z)
    return _quantiles(values, lower, upper)


def acceleration(leave_one_out: npt.ArrayLike, multiplicities: npt.ArrayLike) -> float:
    """Skewness of an estimate, from its values with one customer left out.

    Parameters
    ----------
    leave_one_out : array, shape (groups,)
        The estimate without one customer of each group.
    multiplicities : array, shape (groups,)
        Customers in each group.

    Returns
    -------
    float
        0 where leaving a customer out changes nothing.
    """
    values = np.asarray(leave_one_out, dtype=np.float64)
    sizes = np.asarray(multiplicities, dtype=np.float64)
    deviation = values @ sizes / sizes.sum() - values
    scale = np.abs(deviation).max()
    if scale <= SAME * max(1.0, np.abs(values).max()):
        return 0.0
    deviation /= scale
    squares = deviation * deviation
    return float((sizes @ (squares * deviation)) / (6 * (sizes @ squares) ** 1.5))


def bootstrap_estimate(
    estimate: float,
    draws: npt.ArrayLike,
    *,
    unit: str,
    n: int,
    leave_one_out: npt.ArrayLike | None = None,
    multiplicities: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Estimate with the best interval its draws allow, and the interval's name.

    Parameters
    ----------
    estimate : float
        The estimate on the customers themselves.
    draws : array, shape (draws,)
        Bootstrap estimates.
    unit : str
        Unit of the estimate.
    n : int
        Number of customers.
    leave_one_out, multiplicities : array, shape (groups,), optional
        As in :func:`acceleration`; with them the interval is BCa, without them percentile.
    level : float
        Confidence level, 0..1.

    Returns
    -------
    Estimate
        Without interval (NaN) when one customer is all there is, or when some resamples have
        no estimate; the method says so.
    """
    values = np.asarray(draws, dtype=np.float64)
    count = f"bootstrap of customers, {values.size:,} draws"
    missing = int((~np.isfinite(values)).sum())
    if n < 2 or missing or not math.isfinite(estimate):
        why = (
            f"not defined in {missing:,} of {values.size:,} resamples" if n > 1 else "one customer"
        )
        return Estimate.without_interval(estimate, unit, n, why, level)
    if leave_one_out is not None:
        sizes = np.ones(n) if multiplicities is None else multiplicities
        ends = bca_interval(estimate, values, acceleration(leave_one_out, sizes), level)
        if not math.isnan(ends[0]):
            return Estimate(estimate, *ends, unit, n, f"BCa {count}", level)
    return Estimate(
        estimate, *percentile_interval(values, level), unit, n, f"percentile {count}", level
    )


def _quantiles(draws: FloatArray, lower: float, upper: float) -> tuple[float, float]:
    if not np.isfinite(draws).all():
        return math.nan, math.nan
    low, high = np.quantile(draws, [lower, upper])
    return float(low), float(high)


def checked_level(level: float) -> float:
    """Check that a confidence level is a share between 0 and 1, both excluded.

    Raises
    ------
    ValueError
        When it is not.
    """
    if isinstance(level, str) or not 0 < level < 1:
        raise ValueError(f"level={level!r} must be a share between 0 and 1; 95 % is level=0.95")
    return level
