"""Gains by depth: what the first so many of an order bring, for many resamples at once.

A `Ranking` is the order that a score gives.  Customers with the same score are a group and share
the offer alike, so that a score which is the same for all gives the straight line of choosing at
random.  A depth stands for a cut of the score: customers drawn twice do not move it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from keycustomer.relationships.targeting.learners import IntArray
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class Ranking:
    """Order of n customers by a score, the highest first, cut at k depths.

    Attributes
    ----------
    group : ndarray of int, shape (n,)
        Place of each customer's score among the scores, 0 the highest; the same for equal scores.
    depths : ndarray, shape (k,)
        Shares of the customers, rising from 0 to 1.
    """

    group: IntArray
    depths: FloatArray

    @classmethod
    def of(cls, score: FloatArray, depths: FloatArray) -> Ranking:
        """Order customers by a score."""
        return cls(np.unique(-score, return_inverse=True)[1], depths)

    @cached_property
    def order(self) -> IntArray:
        """Positions of the customers, the highest score first."""
        return np.argsort(self.group, kind="stable")

    @cached_property
    def starts(self) -> IntArray:
        """Place in the order of the first customer of each group, shape (groups,)."""
        counts = np.bincount(self.group)
        return np.cumsum(counts) - counts

    @cached_property
    def steps(self) -> Any:
        """Share of the offer that a group gets from one depth to the next, (groups, k - 1)."""
        counts = np.bincount(self.group)
        stop = np.cumsum(counts) / len(self.group)
        start = np.concatenate([[0.0], stop[:-1]])
        first = np.searchsorted(self.depths, start, side="right") - 1
        last = np.maximum(np.searchsorted(self.depths, stop, side="left") - 1, first)
        touched = last - first + 1
        row = np.repeat(np.arange(len(counts)), touched)
        column = np.arange(len(row)) - np.repeat(np.cumsum(touched) - touched, touched)
        column = np.minimum(column + first[row], len(self.depths) - 2)
        upper = np.minimum(stop[row], self.depths[column + 1])
        share = (upper - np.maximum(start[row], self.depths[column])) / (stop - start)[row]
        shape = (len(counts), len(self.depths) - 1)
        return sparse.csr_array((np.maximum(share, 0.0), (row, column)), shape=shape)

    def offered(self, depth: float) -> FloatArray:
        """Share of the offer that each customer gets at any depth, shape (n,)."""
        counts = np.bincount(self.group)
        share = np.clip((depth * len(self.group) - self.starts) / counts, 0.0, 1.0)
        return np.asarray(share)[self.group]

    def sums(self, amounts: FloatArray, weights: FloatArray) -> FloatArray:
        """Sum amounts down to each depth.

        Parameters
        ----------
        amounts : ndarray, shape (n,)
            Amount of each customer.
        weights : ndarray, shape (rows, n)
            How often each customer counts.

        Returns
        -------
        ndarray, shape (rows, k)
        """
        ranked = (weights * amounts)[:, self.order]
        between = np.add.reduceat(ranked, self.starts, axis=1) @ self.steps
        return np.concatenate([np.zeros((len(weights), 1)), np.cumsum(between, axis=1)], axis=1)
