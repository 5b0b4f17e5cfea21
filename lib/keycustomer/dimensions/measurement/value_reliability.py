"""Reliability of value indices: what of their differences between customers is not chance.

How far would the same customers be ordered alike if they were asked again by other questions of the
same kind?  :func:`index_reliability` answers for benefits, sacrifices and their difference by
stratified alpha, since errors of sums and differences add up; and for the ratio by halves of
the questions: two ratios, each of one half of every dimension, are correlated over many random
splits and stepped up to full length (Spearman and Brown).  For a ratio that is not exact, and a
little too low (by .02 to .05 in simulations on a scale from 1 to 7); a linear approximation of the
ratio's error was tried and is far off, since small sacrifices are bounded by the scale.

Sources: Cronbach, Schönemann & McKie, "Alpha coefficients for stratified parallel tests" (EPM
1965); Lord & Novick (1968), chapter 4; Spearman (BJP 1910) and Brown (BJP 1910).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from keycustomer.dimensions.measurement.moments import ItemMoments
from keycustomer.stats.bootstrap import Progress, Seed, bootstrap, bootstrap_estimate
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

Groups: TypeAlias = list[npt.NDArray[np.int64]]

INDICES = ("benefits", "sacrifices", "ratio", "difference")
"""What is measured of every respondent."""

SPLITS = 30
"""Random splits of the questions into halves."""

UNIT = "share of variance"

ALONE = "a dimension with one question shows no error of measurement"

NO_HALF = "some respondents have no sacrifices above 0 in half of the questions"


def index_reliability(
    values: FloatArray,
    benefits: Groups,
    sacrifices: Groups,
    *,
    draws: int,
    seed: Seed,
    level: float = 0.95,
    progress: Progress | None = None,
) -> dict[str, Estimate]:
    """Reliability of benefits, sacrifices, ratio and difference, with bootstrap intervals.

    Parameters
    ----------
    values : array, shape (respondents, items)
        Answers without holes, counted from the origin of the ratio.
    benefits, sacrifices : list of arrays of int
        Columns of each dimension.
    draws, seed, level
        Of the bootstrap of respondents; the seed also splits the questions.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Returns
    -------
    dict of str to Estimate
        Without interval, and NaN, where an index has no reliability; its method says why.
    """
    generator = np.random.default_rng(seed)
    halves = _halves(values, benefits, sacrifices, generator)
    doubts = _doubts(benefits, sacrifices, halves)
    n = len(values)
    estimates = {
        name: Estimate.without_interval(math.nan, UNIT, n, why, level)
        for name, why in doubts.items()
        if why
    }
    statistics = {
        name: statistic
        for name, statistic in _statistics(values, benefits, sacrifices, halves).items()
        if not doubts[name]
    }
    if statistics:

        def statistic(counts: FloatArray) -> FloatArray:
            return np.column_stack([one(counts) for one in statistics.values()])

        point = statistic(np.ones((1, n)))[0]
        drawn = bootstrap(statistic, np.ones(n), draws=draws, seed=generator, progress=progress)
        estimates |= {
            name: bootstrap_estimate(float(point[k]), drawn[:, k], unit=UNIT, n=n, level=level)
            for k, name in enumerate(statistics)
        }
    return {name: estimates[name] for name in INDICES}


def _doubts(benefits: Groups, sacrifices: Groups, halves: FloatArray | None) -> dict[str, str]:
    """Why an index has no reliability, by index; empty where it has one."""
    alone = [any(len(group) < 2 for group in side) for side in (benefits, sacrifices)]
    either = ALONE if any(alone) else ""
    ratio = either or (NO_HALF if halves is None else "")
    told = (ALONE if alone[0] else "", ALONE if alone[1] else "", ratio, either)
    return dict(zip(INDICES, told, strict=True))


def _statistics(
    values: FloatArray, benefits: Groups, sacrifices: Groups, halves: FloatArray | None
) -> dict[str, Callable[[FloatArray], FloatArray]]:
    """Reliability by index, each a function of how often the respondents are counted."""
    moments = ItemMoments(values)
    sides = {
        "benefits": [(benefits, 1.0)],
        "sacrifices": [(sacrifices, 1.0)],
        "difference": [(benefits, 1.0), (sacrifices, -1.0)],
    }

    def linear(parts: list[tuple[Groups, float]]) -> Callable[[FloatArray], FloatArray]:
        weights = _weights(parts, values.shape[1])
        groups = [(group, len(side)) for side, _ in parts for group in side]

        def share(counts: FloatArray) -> FloatArray:
            covariances = moments.weighted(counts)[1]
            error = sum(_error(covariances, group) / number**2 for group, number in groups)
            return 1 - error / np.einsum("i,dij,j->d", weights, covariances, weights)

        return share

    found: dict[str, Callable[[FloatArray], FloatArray]] = {
        name: linear(parts) for name, parts in sides.items()
    }
    if halves is not None:
        found["ratio"] = lambda counts: stepped_up(counts, halves)
    return found


def _weights(parts: list[tuple[Groups, float]], items: int) -> FloatArray:
    """Weight of every item in an index that is a sum of mean answers."""
    weights = np.zeros(items)
    for side, sign in parts:
        for group in side:
            weights[group] += sign / (len(group) * len(side))
    return weights


def _error(covariances: FloatArray, group: npt.NDArray[np.int64]) -> FloatArray:
    """Error variance of the mean of some items: its variance times one less alpha."""
    own = covariances[:, group[:, None], group]
    k = len(group)
    return (k * np.trace(own, axis1=1, axis2=2) - own.sum(axis=(1, 2))) / ((k - 1) * k**2)


def _halves(
    values: FloatArray, benefits: Groups, sacrifices: Groups, generator: np.random.Generator
) -> FloatArray | None:
    """Ratios of both halves of every split, shape (2, splits, respondents); None if undefined."""
    if any(len(group) < 2 for group in (*benefits, *sacrifices)):
        return None
    ratios = np.empty((2, SPLITS, len(values)))
    for split in range(SPLITS):
        above, below = (_half_means(values, side, generator) for side in (benefits, sacrifices))
        if (below <= 0).any():
            return None
        ratios[:, split] = above / below
    return ratios


def _half_means(values: FloatArray, side: Groups, generator: np.random.Generator) -> FloatArray:
    """Mean answers to either half of the questions of every dimension, dimensions alike."""
    means = np.zeros((2, len(values)))
    for group in side:
        mixed = generator.permutation(group)
        # of an odd number of questions either half gets the one left over, by chance
        middle = (len(group) + int(generator.integers(2))) // 2
        means[0] += values[:, mixed[:middle]].mean(axis=1)
        means[1] += values[:, mixed[middle:]].mean(axis=1)
    return means / len(side)


def stepped_up(counts: FloatArray, halves: FloatArray) -> FloatArray:
    """Correlation of two halves, stepped up to full length, averaged over the splits.

    Parameters
    ----------
    counts : array, shape (draws, respondents)
        How often each respondent is counted.
    halves : array, shape (2, splits, respondents)
        A measure of every respondent from either half.

    Returns
    -------
    ndarray, shape (draws,)
    """
    centred = halves - halves.mean(axis=2, keepdims=True)
    first, second = centred
    size = counts.sum(axis=1, keepdims=True)
    means = [counts @ half.T / size for half in (first, second)]
    squares = [
        counts @ (half**2).T / size - mean**2
        for half, mean in zip((first, second), means, strict=True)
    ]
    product = counts @ (first * second).T / size - means[0] * means[1]
    correlation = product / np.sqrt(squares[0] * squares[1])
    return np.asarray((2 * correlation / (1 + correlation)).mean(axis=1), dtype=float)
