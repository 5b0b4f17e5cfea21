"""Are the probabilities right?  Groups of rows by prediction, and how far they are off.

:func:`reliability_groups` cuts the rows into groups of equal size by what was predicted, and sets
the share that left beside the mean prediction.  :func:`expected_calibration_error` is the mean
distance between the two; since groups are finite even a perfect model shows some, and
:func:`error_if_calibrated` says how much.  :func:`brier_parts` takes the Brier score apart.

Sources: Murphy (1973), Journal of Applied Meteorology 12, with the terms within groups of
Stephenson, Coelho & Jolliffe (2008), Weather and Forecasting 23; Bröcker & Smith (2007), Weather
and Forecasting 22, for outcomes drawn from the predictions; Naeini, Cooper & Hauskrecht (2015),
AAAI, for the calibration error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.samples import FloatArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BrierParts:
    """The Brier score taken apart: `brier` = reliability - resolution + uncertainty + within.

    Attributes
    ----------
    reliability : float
        Mean squared distance of the groups' predictions from what happened; 0 is best.
    resolution : float
        Mean squared distance of the groups' shares from the overall share; large is best.
    uncertainty : float
        Variance of the outcome: what "the same for all" scores.
    within : float
        What the spread of predictions within the groups adds or takes away.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within: float

    @property
    def brier(self) -> float:
        """The Brier score."""
        return self.reliability - self.resolution + self.uncertainty + self.within


def group_of(probability: FloatArray, groups: int) -> IntArray:
    """Group of each row, from 0 (least predicted) on; equal predictions share a group.

    Parameters
    ----------
    probability : ndarray, shape (rows,)
        Predictions.
    groups : int
        Number of groups of equal size; fewer come out where predictions are equal.

    Raises
    ------
    ValueError
        When `groups` is no whole number of at least 1.
    """
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1:
        raise ValueError(f"bins={groups!r}: a whole number of groups of at least 1 is needed")
    order = np.argsort(probability, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) * groups // len(order)
    # all rows of one prediction go where their first one is
    ranked = probability[order]
    first = np.maximum.accumulate(
        np.where(np.append(True, np.diff(ranked) > 0), np.arange(len(order)), 0)
    )
    place[order] = place[order][first]
    return np.asarray(np.unique(place, return_inverse=True)[1], dtype=np.int64)


def reliability_groups(
    left: npt.NDArray[np.bool_], probability: FloatArray, *, bins: int = 10, level: float = 0.95
) -> pd.DataFrame:
    """Set what happened beside what was predicted, in groups of equal size.

    Returns
    -------
    DataFrame
        One row a group, least predicted first: group (from 1), rows, left, predicted (mean),
        observed (share that left), lower, upper (Wilson, of `observed`), from, to (predictions).

    Notes
    -----
    Given what is known of a customer, its months are independent trials until it leaves, so that an
    interval of a share holds for them too.
    """
    group = group_of(probability, bins)
    frame = pd.DataFrame({"group": group + 1, "left": left, "predicted": probability})
    table = frame.groupby("group").agg(
        rows=("left", "size"),
        left=("left", "sum"),
        predicted=("predicted", "mean"),
        lowest=("predicted", "min"),
        highest=("predicted", "max"),
    )
    lower, upper = wilson_interval(table["left"], table["rows"], level)
    shares = table["left"] / table["rows"]
    table = table.assign(observed=shares, lower=lower, upper=upper).reset_index()
    names = ["group", "rows", "left", "predicted", "observed", "lower", "upper"]
    return table[[*names, "lowest", "highest"]].rename(columns={"lowest": "from", "highest": "to"})


def expected_calibration_error(
    left: npt.NDArray[np.bool_], probability: FloatArray, *, bins: int = 10
) -> float:
    """Mean distance between prediction and outcome over groups of equal size.

    Parameters
    ----------
    left : ndarray of bool, shape (rows,)
        Who left.
    probability : ndarray, shape (rows,)
        What was predicted.
    bins : int
        Number of groups.
    """
    group = group_of(probability, bins)
    gaps = np.bincount(group, weights=probability - left)
    return float(np.abs(gaps).sum() / len(left))


def error_if_calibrated(
    probability: FloatArray, *, bins: int = 10, draws: int = 500, seed: Seed = 0
) -> FloatArray:
    """Draw the calibration errors of predictions that are exactly right, shape (draws,).

    What happens is drawn from the predictions, so that only chance is off.  In groups of some size
    the number that leaves is nearly normal with the variance of independent trials; groups are
    drawn as sums of trials where they are small.
    """
    generator = np.random.default_rng(seed)
    group = group_of(probability, bins)
    count = int(group.max()) + 1
    variance = np.bincount(group, weights=probability * (1 - probability))
    errors = np.empty((draws, count))
    for n in range(count):
        errors[:, n] = _gaps(probability[group == n], variance[n], draws, generator)
    return np.asarray(np.abs(errors).sum(axis=1) / len(probability))


NEARLY_NORMAL = 25.0
"""Variance of a group's number of events from which it is drawn as normal."""

CELLS = 2_000_000
"""Trials drawn at once."""


def _gaps(
    probability: FloatArray, variance: float, draws: int, generator: np.random.Generator
) -> FloatArray:
    """Events of a group less their expectation."""
    if variance > NEARLY_NORMAL:
        return generator.normal(0.0, np.sqrt(variance), draws)
    at_once = max(1, CELLS // max(len(probability), 1))
    parts = [
        (generator.random((min(at_once, draws - start), len(probability))) < probability).sum(1)
        for start in range(0, draws, at_once)
    ]
    return np.concatenate(parts) - probability.sum()


def brier_parts(
    left: npt.NDArray[np.bool_], probability: FloatArray, *, bins: int = 10
) -> BrierParts:
    """Take the Brier score apart, in groups of equal size.

    Parameters
    ----------
    left : ndarray of bool, shape (rows,)
        Who left.
    probability : ndarray, shape (rows,)
        What was predicted.
    bins : int
        Number of groups.

    Notes
    -----
    Murphy's (1973) three parts add up to the score when the predictions within a group are equal;
    `within` is what is left otherwise.
    """
    group = group_of(probability, bins)
    rows = np.bincount(group)
    predicted = np.bincount(group, weights=probability) / rows
    observed = np.bincount(group, weights=left) / rows
    share, overall = rows / len(left), float(left.mean())
    score = float(((probability - left) ** 2).mean())
    reliability = float(share @ (predicted - observed) ** 2)
    resolution = float(share @ (observed - overall) ** 2)
    uncertainty = overall * (1 - overall)
    within = score - reliability + resolution - uncertainty
    return BrierParts(reliability, resolution, uncertainty, within)
