"""Cumulated shares of respondents by price, and where two of them cross.

Question: at which price do as many respondents say one thing as say the other?  :func:`shares`
gives the four curves of van Westendorp's price meter on a grid of prices, for many sets of weights
at once, and :func:`crossing` the price at which a rising curve meets a falling one.

People name round prices, so that many name exactly the same one.  At that price half of them count
(`ties="half"`): counting all of them moves every curve, and with them every crossing, by half the
distance between round prices towards zero.  ``ties="passed"`` does so, as the R package
pricesensitivitymeter does.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray

Ties = Literal["half", "passed"]

SAME = 1e-9
"""Difference of two shares that rounding alone makes."""


def named_up_to(named: FloatArray, weights: FloatArray, grid: FloatArray, ties: Ties) -> FloatArray:
    """Share of respondents who named a price up to each price of a grid.

    Parameters
    ----------
    named : ndarray, shape (respondents,)
        The price each one named.
    weights : ndarray, shape (rows, respondents)
        Weights; each row gives a curve.
    grid : ndarray, shape (prices,)
        Rising prices.
    ties : {"half", "passed"}
        Whether those who named exactly the price count by half or whole.

    Returns
    -------
    ndarray, shape (rows, prices)
        Shares, rising along the grid.
    """
    order = np.argsort(named, kind="stable")
    sums = np.zeros((len(weights), len(named) + 1))
    np.cumsum(weights[:, order], axis=1, out=sums[:, 1:])
    rising = named[order]
    reached = sums[:, np.searchsorted(rising, grid, side="right")]
    if ties == "half":
        reached = (reached + sums[:, np.searchsorted(rising, grid, side="left")]) / 2
    return reached / sums[:, -1:]


def shares(answers: FloatArray, weights: FloatArray, grid: FloatArray, ties: Ties) -> FloatArray:
    """Shares who find a price too cheap, cheap, expensive, too expensive.

    Parameters
    ----------
    answers : ndarray, shape (respondents, 4)
        Prices from too cheap to too expensive.
    weights, grid, ties
        As in :func:`named_up_to`.

    Returns
    -------
    ndarray, shape (4, rows, prices)
        The first two fall along the grid, the last two rise.
    """
    reached = np.stack([named_up_to(column, weights, grid, ties) for column in answers.T])
    reached[:2] = 1 - reached[:2]
    return reached


def crossing(
    grid: FloatArray, rising: FloatArray, falling: FloatArray, *, interpolate: bool = True
) -> FloatArray:
    """Price at which a rising curve meets a falling one.

    Parameters
    ----------
    grid : ndarray, shape (prices,)
        Rising prices.
    rising, falling : ndarray, shape (rows, prices)
        The curves.
    interpolate : bool
        Whether the curves run straight between prices of the grid; then, where they run together
        for a while, the middle of that stretch is given.  Otherwise the first price of the grid at
        which the rising curve has reached the falling one.

    Returns
    -------
    ndarray, shape (rows,)
        NaN where the rising curve never reaches the falling one.
    """
    gap = rising - falling
    first = (gap < -SAME).sum(axis=1)
    met = first < len(grid)
    at = np.minimum(first, len(grid) - 1)
    if not interpolate:
        return np.where(met, grid[at], np.nan)
    last = (gap <= SAME).sum(axis=1) - 1
    together = last >= at
    flat = (grid[at] + grid[np.maximum(last, 0)]) / 2
    found = np.where(together, flat, _between(grid, gap, at))
    return np.where(met, found, np.nan)


def _between(grid: FloatArray, gap: FloatArray, at: npt.NDArray[np.intp]) -> FloatArray:
    """Price at which a straight gap passes zero before the place where it is above."""
    rows, before = np.arange(len(gap)), np.maximum(at - 1, 0)
    low, high = gap[rows, before], gap[rows, at]
    part = np.where(high > low, -low / np.where(high > low, high - low, 1.0), 0.0)
    inside: FloatArray = grid[before] + np.clip(part, 0, 1) * (grid[at] - grid[before])
    return inside
