"""Discounting what is expected to come, whatever the model expects.

What are purchases expected over time worth today?  :func:`discounted` takes the expected total by
any time t and gives the total discounted to now.  By parts, the discounted total is
``exp(-d H) E(H) + d * integral of exp(-d t) E(t) dt``, which needs no rate of purchase, only the
expected total.  The integral is taken at the nodes of a double-exponential rule, for which totals
that bend early and go on for ever are no trouble.

Source: Takahasi & Mori (1974), Publications of the RIMS 9, for the rule.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from keycustomer.stats.samples import FloatArray

STEP = 0.125
"""Distance of the nodes: to 1e-10 relative for totals that follow any power of time."""

NODES = np.arange(-4.6, 4.2, STEP)
"""Places of the double-exponential rule; beyond them the weights vanish."""


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
    if horizon is None and force == 0:
        raise ValueError(
            "discount_rate=0 without a horizon: purchases for ever may add up to infinity; "
            "give a discount rate above 0 or a horizon"
        )
    if force == 0:
        return total(np.asarray(horizon, dtype=float))
    times, weights = _rule(force, horizon)
    inside = sum(weight * total(time) for time, weight in zip(times, weights, strict=True))
    if horizon is None:
        return force * inside
    return np.exp(-force * horizon) * total(np.asarray(horizon, dtype=float)) + force * inside


def _rule(force: float, horizon: float | None) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of the integral of exp(-force t) E(t) from 0 to the horizon."""
    if horizon is None:
        scaled = np.exp(NODES - np.exp(-NODES))
        slope = scaled * (1 + np.exp(-NODES))
        times, weights = scaled / force, STEP * slope / force
    else:
        bend = np.tanh(np.pi / 2 * np.sinh(NODES))
        times = horizon * (1 + bend) / 2
        slope = np.pi / 2 * np.cosh(NODES) / np.cosh(np.pi / 2 * np.sinh(NODES)) ** 2
        weights = STEP * horizon / 2 * slope
    weights = weights * np.exp(-force * times)
    used = weights * np.maximum(times, 1.0) > 1e-18 * weights.max()
    return times[used], weights[used]
