"""Customers sorted from the largest value down, and what can be read off that order.

Which value stands at which place of the order, for the customers as they are, for a bootstrap
resample of them, and with one customer left out?  :class:`Ladder` holds each distinct value
once with the number of customers that have it: sorting once serves every measure and every
resample, since a resample is the same order with other weights.

The curve from the top is a broken line: between two customers it is straight, so that any share
of customers has a value, and the measures do not depend on how equal customers are ordered.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from keycustomer.stats.bootstrap import IntArray
from keycustomer.stats.samples import FloatArray

INDICES = ("gini", "hhi", "theil")
"""The three indices, in the order of their columns."""


@dataclass(frozen=True)
class Ladder:
    """Distinct values from the largest down, each with its number of customers.

    Attributes
    ----------
    values : ndarray, shape (groups,)
        Distinct values, falling.
    sizes : ndarray of int, shape (groups,)
        Customers that have each value.
    """

    values: FloatArray
    sizes: IntArray

    @classmethod
    def of(cls, values: FloatArray) -> Ladder:
        """Sort customers' values and join equal ones."""
        rising, sizes = np.unique(values, return_counts=True)
        return cls(rising[::-1].copy(), sizes[::-1].astype(np.int64))

    @property
    def customers(self) -> int:
        """Number of customers."""
        return int(self.sizes.sum())

    @cached_property
    def total(self) -> float:
        """Sum of the values."""
        return float(self.values @ self.sizes)

    @cached_property
    def has_negatives(self) -> bool:
        """Whether some customer's value is below zero."""
        return bool(self.values[-1] < 0)

    @cached_property
    def positive(self) -> int:
        """Number of distinct values above zero: the part where the curve rises."""
        return int((self.values > 0).sum())

    @cached_property
    def moments(self) -> FloatArray:
        """Squares and x log x of the values, which HHI and Theil sum; shape (groups, 2)."""
        x = np.maximum(self.values, 0)
        logs = np.log(x, where=x > 0, out=np.zeros_like(x))
        return np.column_stack([x**2, x * logs])

    @property
    def once(self) -> FloatArray:
        """Weights that take every customer once; shape (1, groups)."""
        return self.sizes[None, :].astype(np.float64)

    def joined(self, weights: FloatArray) -> FloatArray:
        """Weights by distinct value, from weights by place; shapes (rows, customers or groups)."""
        if self.sizes.size == weights.shape[1]:
            return weights
        starts = np.append(0, np.cumsum(self.sizes)[:-1])
        return np.add.reduceat(weights, starts, axis=1)

    def curve(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Cumulate customers and value from the top, for every row of weights.

        Parameters
        ----------
        weights : ndarray, shape (rows, groups)

        Returns
        -------
        customers, value : ndarray, shape (rows, groups + 1)
            Both start at zero.
        """
        shape = (len(weights), self.values.size + 1)
        customers, value = np.zeros(shape), np.zeros(shape)
        np.cumsum(weights, axis=1, out=customers[:, 1:])
        np.cumsum(weights * self.values, axis=1, out=value[:, 1:])
        return customers, value

    def measures(self, weights: FloatArray, tops: FloatArray, shares: FloatArray) -> FloatArray:
        """Every measure, for every row of weights.

        Parameters
        ----------
        weights : ndarray, shape (rows, groups)
            Customers drawn of each group; a row is one resample.
        tops : ndarray
            Shares of customers whose share of value is wanted.
        shares : ndarray
            Shares of value whose share of customers is wanted.

        Returns
        -------
        ndarray, shape (rows, len(tops) + len(shares) + 3)
            Value of the tops, customers for the shares, Gini, HHI, Theil.  NaN in rows whose
            total is not above zero.
        """
        customers, value = self.curve(weights)
        count, total = customers[:, -1:], _positive_or_nan(value[:, -1:])
        rising = slice(0, self.positive + 1)
        top_value = [
            interpolate(k, c, v) for k, c, v in zip(tops * count, customers, value, strict=True)
        ]
        needed = [
            interpolate(s, v[rising], c[rising])
            for s, c, v in zip(shares * total, customers, value, strict=True)
        ]
        area = np.einsum("rg,rg->r", weights, value[:, :-1] + value[:, 1:])[:, None]
        squares, logs = np.hsplit(weights @ self.moments, 2)
        gini = area / (count * total) - 1
        theil = logs / total - np.log(total / count)
        return np.hstack(
            [np.array(top_value) / total, np.array(needed) / count, gini, squares / total**2, theil]
        )


def _positive_or_nan(total: FloatArray) -> FloatArray:
    return np.where(total > 0, total, np.nan)


def interpolate(wanted: FloatArray, steps: FloatArray, heights: FloatArray) -> FloatArray:
    """Height of a broken line at the first place where its steps reach what is wanted.

    Unlike `numpy.interp` this is the first place also where the line is flat, so that zeros at
    the bottom of the order are not needed to reach the total.
    """
    right = np.clip(np.searchsorted(steps, wanted, side="left"), 1, steps.size - 1)
    left = right - 1
    run = steps[right] - steps[left]
    part = np.divide(wanted - steps[left], run, out=np.zeros_like(wanted), where=run > 0)
    return heights[left] + np.minimum(part, 1) * (heights[right] - heights[left])


@dataclass(frozen=True)
class LeaveOneOut:
    """The measures of a ladder with one customer left out, in closed form.

    Leaving out the customer at place j moves everyone below up by one place: the top k of the
    others holds C(k) when j lies below, C(k + 1) - x_j otherwise, where C cumulates value from
    the top.  Each result has one number a group, since equal customers leave the same rest.
    """

    ladder: Ladder

    @cached_property
    def _line(self) -> tuple[FloatArray, FloatArray]:
        customers, value = self.ladder.curve(self.ladder.once)
        return customers[0], value[0]

    @cached_property
    def _rest(self) -> FloatArray:
        """Total without one customer of each group; NaN where nothing is left."""
        return _positive_or_nan(self.ladder.total - self.ladder.values)

    def top_share(self, top: float) -> FloatArray:
        """Share of value of the top customers; shape (groups,)."""
        customers, value = self._line
        k = top * (customers[-1] - 1)
        below, within = np.interp([k, k + 1], customers, value)
        above_others = customers[1:] - 1 < k
        return np.where(above_others, within - self.ladder.values, below) / self._rest

    def customers_for(self, share: float) -> FloatArray:
        """Share of customers that brings a share of value; shape (groups,)."""
        customers, value = self._line
        rising = slice(0, self.ladder.positive + 1)
        x, target = self.ladder.values, share * self._rest
        own = target > value[1:] - x
        place = np.interp(np.where(own, target + x, target), value[rising], customers[rising])
        return (place - own) / (customers[-1] - 1)

    def index(self, name: str) -> FloatArray:
        """One of the `INDICES`; shape (groups,)."""
        n, rest = self.ladder.customers, self._rest
        if name == "gini":
            return self._gini()
        squares, logs = self.ladder.moments.T
        column = squares if name == "hhi" else logs
        others = self.ladder.sizes @ column - column
        return others / rest**2 if name == "hhi" else others / rest - np.log(rest / (n - 1))

    def _gini(self) -> FloatArray:
        """Gini from the sum of place times value, less the customer's and the move up below it."""
        customers, value = self._line
        x, n = self.ladder.values, self.ladder.customers
        middle = (customers[:-1] + customers[1:] + 1) / 2
        moment = self.ladder.sizes @ (middle * x)
        without = moment - customers[1:] * x - (self.ladder.total - value[1:])
        return n / (n - 1) - 2 * without / ((n - 1) * self._rest)
