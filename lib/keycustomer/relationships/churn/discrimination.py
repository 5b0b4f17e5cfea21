"""The area under the ROC curve: how well predictions tell those who leave from those who stay.

It is the probability that one who left had been given more than one who stayed, ties counting half
(Mann & Whitney 1947; Hanley & McNeil 1982, Radiology 143).  :func:`area_under_curve` takes the
predictions, :class:`AreaByWeights` gives it for many weightings of the customers at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray


class AreaByWeights:
    """The area for weights of customers, the order of the predictions worked out once.

    Parameters
    ----------
    left : ndarray of bool, shape (rows,)
        Who left.
    probability : ndarray, shape (rows,)
        What was predicted.
    cluster : ndarray of int, shape (rows,)
        Customer of each row, from 0 on.
    """

    def __init__(
        self,
        left: npt.NDArray[np.bool_],
        probability: FloatArray,
        cluster: npt.NDArray[np.int64],
    ) -> None:
        order = np.argsort(probability, kind="stable")
        ranked = probability[order]
        self._cluster = cluster[order]
        self._left = left[order].astype(float)
        # rows of one prediction are a tie, counted together
        self._starts = np.flatnonzero(np.append(True, np.diff(ranked) > 0))

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Work out the area for weights of shape (draws, customers); NaN where nobody left."""
        rows = weights[:, self._cluster]
        gone = np.add.reduceat(rows * self._left, self._starts, axis=1)
        there = np.add.reduceat(rows, self._starts, axis=1) - gone
        below = np.cumsum(there, axis=1) - there / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            area = (gone * below).sum(axis=1) / (gone.sum(axis=1) * there.sum(axis=1))
        return np.asarray(area, dtype=np.float64)


def area_under_curve(left: npt.NDArray[np.bool_], probability: FloatArray) -> float:
    """Area under the ROC curve of predictions; NaN when all left, or nobody."""
    rows = np.arange(len(left))
    return float(AreaByWeights(left, probability, rows)(np.ones((1, len(left))))[0])
