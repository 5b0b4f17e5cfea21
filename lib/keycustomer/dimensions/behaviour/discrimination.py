"""How well a score tells those who do from those who do not: the area under the ROC curve.

The area is the chance that one who does has the higher score than one who does not, equal scores
counting half.  Here it is a function of weights, so that a resample of customers costs one pass.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray


def weighted_auc(
    weights: FloatArray,
    score: FloatArray,
    positive: npt.NDArray[np.bool_],
    strata: npt.NDArray[np.int64] | None = None,
) -> FloatArray:
    """Area under the ROC curve in each row of weights.

    Parameters
    ----------
    weights : ndarray, shape (rows, n)
        How often each case counts.
    score : ndarray, shape (n,)
        Higher for those held more likely.
    positive : ndarray of bool, shape (n,)
        Who does.
    strata : ndarray of int, shape (n,), optional
        Cases are compared only with those of the same stratum; areas are averaged by the number of
        pairs.

    Returns
    -------
    ndarray, shape (rows,)
        0..1, NaN where there is no pair to compare.
    """
    groups = np.zeros(len(score), dtype=np.int64) if strata is None else strata
    above, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for group in np.unique(groups):
        chosen = groups == group
        won, compared = _pairs(weights[:, chosen], score[chosen], positive[chosen])
        above, pairs = above + won, pairs + compared
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, above / pairs, np.nan)


def _pairs(
    weights: FloatArray, score: FloatArray, positive: npt.NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Weight of the pairs in which the positive one scores higher, and of all pairs."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
    yes = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    no = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    lower = np.cumsum(no, axis=1) - no / 2
    return (yes * lower).sum(axis=1), yes.sum(axis=1) * no.sum(axis=1)
