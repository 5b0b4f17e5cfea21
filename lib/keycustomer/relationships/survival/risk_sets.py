"""Who could leave at each time at which somebody left.

A `RiskSets` places every spell among the distinct times of leaving: it is at risk at those after
its entry and up to its tenure.  Sums over all who are at risk then cost one pass, whatever the
number of times, since a sum changes only where spells enter and leave the set.  Strata have times
of their own.  Used by survival curves, log-rank tests, Cox regression and its checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Spells among the distinct times of leaving.

    Attributes
    ----------
    times : ndarray, shape (cells,)
        Distinct times of leaving, rising within each stratum.
    stratum : ndarray of int, shape (cells,)
        Stratum of each.
    first, last : ndarray of int, shape (n,)
        A spell is at risk in the cells first <= cell < last.
    cell : ndarray of int, shape (n,)
        Cell in which a spell ended; -1 for those that did not.
    """

    times: FloatArray
    stratum: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    cell: npt.NDArray[np.int64]

    def at_risk(self, values: npt.ArrayLike) -> FloatArray:
        """Sum values over the spells at risk in each cell, (n,) or (n, p) -> (cells, ...)."""
        sums: FloatArray = np.cumsum(self._changes @ np.asarray(values, dtype=float), axis=0)[:-1]
        return sums

    def ending(self, values: npt.ArrayLike) -> FloatArray:
        """Sum values over the spells that ended in each cell, (n,) or (n, p) -> (cells, ...)."""
        rows, begin = self._leavers
        return np.add.reduceat(np.asarray(values, dtype=float)[rows], begin, axis=0)

    @cached_property
    def _changes(self) -> Any:
        """Matrix (cells + 1, n): 1 where a spell comes under risk, -1 where it leaves the set."""
        used = np.flatnonzero(self.last > self.first)
        sign = np.repeat([1.0, -1.0], used.size)
        places = np.append(self.first[used], self.last[used]), np.append(used, used)
        return sparse.csr_matrix((sign, places), shape=(self.times.size + 1, self.first.size))

    @cached_property
    def _leavers(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows that ended, in the order of their cells, and where each cell begins."""
        rows = np.flatnonzero(self.cell >= 0)
        rows = rows[np.argsort(self.cell[rows], kind="stable")]
        counts = np.bincount(self.cell[rows], minlength=self.times.size)
        return rows, np.cumsum(counts) - counts


def risk_sets(
    entry: FloatArray,
    tenure: FloatArray,
    ended: npt.NDArray[np.bool_],
    stratum: npt.NDArray[Any] | None = None,
) -> RiskSets:
    """Place spells among the times of leaving.

    Parameters
    ----------
    entry, tenure : ndarray, shape (n,)
        A spell is at risk at times t with entry < t <= tenure.
    ended : ndarray of bool, shape (n,)
        Whether it ended at its tenure.
    stratum : ndarray of int, shape (n,), optional
        Spells are compared within strata only; left out, all are.

    Returns
    -------
    RiskSets
    """
    group = np.zeros(len(tenure), np.int64) if stratum is None else stratum.astype(np.int64)
    moments = np.unique(np.concatenate([entry, tenure]))
    width = moments.size + 1
    # one axis for all strata: cells of different strata never overlap on it
    leaves = group * width + np.searchsorted(moments, tenure)
    enters = group * width + np.searchsorted(moments, entry)
    cells = np.unique(leaves[ended])
    place = np.where(ended, np.searchsorted(cells, leaves), -1)
    return RiskSets(
        times=moments[cells % width],
        stratum=cells // width,
        first=np.searchsorted(cells, enters, side="right"),
        last=np.searchsorted(cells, leaves, side="right"),
        cell=place,
    )
