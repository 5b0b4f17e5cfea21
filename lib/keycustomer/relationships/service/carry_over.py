"""Carry-over: how much of earlier contacts a customer still remembers.

What is a visit of last month worth today?  :func:`carried` adds up what happened, each earlier
month counting less by a fixed factor, ``stock_t = x_t + d stock_(t-1)``; the factor follows from
the half-life in months, ``d = .5 ** (1 / half_life)``.  What happened before the first month seen
is not known, so that stocks of the first months are too small: leave those out.

Source: Broadbent (1979), "One way TV advertisements work", Journal of the Market Research Society
21(3), 139-166, for advertising; the same arithmetic serves every contact that is remembered.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def carry_factor(half_life: float) -> float:
    """Share of a stock that is left after a month.

    Parameters
    ----------
    half_life : float
        Months after which half is left; 0 when nothing is carried over.

    Raises
    ------
    ValueError
        When it is negative or no finite number.
    """
    if not 0 <= half_life < np.inf:
        raise ValueError(f"half_life={half_life!r} must be a number of months, 0 or larger")
    return 0.5 ** (1 / half_life) if half_life else 0.0


def carried(values: npt.ArrayLike, customer: Array, number: Array, factor: float) -> Array:
    """Stocks at the end of each month, with what earlier months left.

    Parameters
    ----------
    values : array, shape (n,) or (n, k)
        What happened in each customer-month.
    customer : ndarray of int, shape (n,)
        Code of the customer, 0 or larger.
    number : ndarray of int, shape (n,)
        Number of the month; months of a customer that are missing count as months without events.
    factor : float
        Share left after a month, 0..1.

    Returns
    -------
    ndarray of float, shape of `values`
    """
    amounts = np.asarray(values, dtype=float)
    stock = np.zeros((int(customer.max(initial=-1)) + 1, *amounts.shape[1:]))
    result = np.empty_like(amounts)
    order = np.argsort(number, kind="stable")
    ordered = number[order]
    later = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    previous: int | None = None
    for rows in np.split(order, later) if len(order) else []:
        now = int(number[rows[0]])
        stock *= factor ** (now - previous) if previous is not None else 0.0
        np.add.at(stock, customer[rows], amounts[rows])
        result[rows] = stock[customer[rows]]
        previous = now
    return result
