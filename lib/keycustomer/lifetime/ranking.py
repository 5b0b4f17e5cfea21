"""Customers from the best down, equals together: what the top, or each equal group, holds.

How much do the top fifth hold, or each tenth, when customers at the border are equal?  They are
taken in equal parts, so that the order of the table decides nothing.  :class:`Ranking` answers for
any number of copies of each customer, as a bootstrap draws them.
"""

from __future__ import annotations

import numpy as np

from keycustomer.stats.samples import FloatArray


class Ranking:
    """Customers, or groups of equal ones, from the highest rank value down.

    Parameters
    ----------
    by : ndarray, shape (n,)
        What they are ranked by.
    """

    def __init__(self, by: FloatArray) -> None:
        self.order = np.argsort(-by, kind="stable")
        falling = by[self.order]
        self.starts = np.flatnonzero(np.r_[True, falling[1:] != falling[:-1]])

    def reached(self, weights: FloatArray, *values: FloatArray, shares: FloatArray) -> FloatArray:
        """Sum values over the top shares of customers.

        Parameters
        ----------
        weights : ndarray, shape (rows, n)
            Copies of each customer.
        *values : ndarray, shape (n,)
            What is summed.
        shares : ndarray, shape (shares,)
            Top shares of the customers, 0..1.

        Returns
        -------
        ndarray, shape (rows, values * shares)
        """
        falling = weights[:, self.order]
        customers = self._line(falling)
        sums = (self._line(falling * one[self.order]) for one in values)
        # within equals the line is straight, which takes them in equal parts
        found = [
            [
                np.interp(shares * line[-1], line, reached)
                for line, reached in zip(customers, lines, strict=True)
            ]
            for lines in sums
        ]
        return np.concatenate(found, axis=1)

    def group_means(self, weights: FloatArray, *values: FloatArray, groups: int) -> FloatArray:
        """Average values over equal groups of customers, the best first.

        Parameters
        ----------
        weights, *values
            As in :meth:`reached`.
        groups : int
            Number of groups.

        Returns
        -------
        ndarray, shape (rows, values * groups)
        """
        reached = self.reached(weights, *values, shares=np.linspace(0, 1, groups + 1))
        sums = np.diff(reached.reshape(len(weights), len(values), groups + 1))
        return sums.reshape(len(weights), -1) * groups / weights.sum(axis=1, keepdims=True)

    def _line(self, falling: FloatArray) -> FloatArray:
        """Cumulated sums from the top, at the ends of equals."""
        sums = np.add.reduceat(falling, self.starts, axis=1)
        return np.pad(np.cumsum(sums, axis=1), ((0, 0), (1, 0)))
