"""Discounting what is expected to come, whatever the model expects.

What are purchases expected over time worth today?  :func:`discounted` takes the expected total by
any time t and gives the total discounted to now.  By parts, the discounted total up to a horizon H
is ``exp(-d H) E(H) + d * integral of exp(-d t) E(t) dt``, which needs no rate of purchase, only the
expected total.  With the share of the discounting done, v = 1 - exp(-d t), as the variable, the
integral is one over a finite interval, with or without horizon, and a double-exponential rule takes
it: totals that bend early, or go on for ever, are no trouble.

Source: Takahasi & Mori (1974), Publications of the RIMS 9, for the rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import expit

from keycustomer.lifetime.arguments import refuse_endless
from keycustomer.stats.samples import FloatArray

ALL_DIGITS = 13
"""Digits of a present value of totals that follow any power of time; of totals reached within a
millionth of the time over which is discounted, there are five fewer."""

STEP = {8: 0.2, ALL_DIGITS: 0.1}
"""Distance of the nodes of the double-exponential rule, by the digits that it gives."""

REACH = 3.2
"""Where the nodes end: beyond, the weights vanish."""


def discounted(
    total: Callable[[FloatArray], FloatArray], force: float, horizon: float | None = None
) -> FloatArray:
    """Present value of an expected total that accrues over time.

    Parameters
    ----------
    total : callable
        Gives the expected total by time t, one value a customer, shape (customers,).
    force : float
        Continuous discount rate per unit of time, at least 0.
    horizon : float, optional
        Time up to which to count; left out, for ever.

    Returns
    -------
    ndarray, shape (customers,)

    Raises
    ------
    ValueError
        When nothing is discounted and the time is without end: the sum may be infinite.
    """
    times, weights = present_value_rule(force, horizon)
    return sum(weight * total(time) for time, weight in zip(times, weights, strict=True))


def present_value_rule(
    force: float, horizon: float | None = None, digits: int = ALL_DIGITS
) -> tuple[FloatArray, FloatArray]:
    """Give times and weights with which expected totals add up to their present value.

    Parameters
    ----------
    force, horizon
        As in :func:`discounted`.
    digits : int
        Digits needed, at most 13; fewer need fewer times.

    Returns
    -------
    times, weights : ndarray, shape (nodes,)

    Raises
    ------
    ValueError
        As :func:`discounted`.
    """
    refuse_endless(force, horizon, "purchases")
    if force == 0:
        return np.array([horizon], dtype=float), np.ones(1)
    step = STEP[8 if digits <= 8 else ALL_DIGITS]
    nodes = np.arange(-REACH, REACH, step)
    bend = np.pi * np.sinh(nodes)
    done, left = expit(bend), expit(-bend)
    last = 0.0 if horizon is None else math.exp(-force * horizon)
    whole = 1.0 if horizon is None else -math.expm1(-force * horizon)
    spent = done * whole
    # What is left of 1 keeps its digits where it is small, what is spent where that is small.
    rest = np.maximum(left, np.finfo(float).tiny) + done * last
    times = np.where(spent < 0.5, -np.log1p(-np.minimum(spent, 0.5)), -np.log(rest)) / force
    weights = whole * step * np.pi * np.cosh(nodes) * done * left
    if horizon is None:
        return times, weights
    return np.append(times, horizon), np.append(weights, last)
