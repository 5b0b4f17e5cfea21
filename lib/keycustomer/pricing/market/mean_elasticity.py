"""Mean own-price elasticity under random coefficients, with its interval.

The elasticity depends on spreads and demographics also through the mean utilities, which are those
that give the observed shares.  :func:`mean_own_elasticity` moves each parameter a little, finds
these again by Newton's method, and applies the delta method.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from keycustomer.pricing.market.tables import MarketTable
from keycustomer.pricing.market.tastes import MarketTastes
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

MOST_STEPS = 50

CLOSE = 1e-11
"""Largest gap of shares, relative, at which mean utilities count as found."""

MOVE = 1e-4
"""How far a parameter is moved, in its standard errors (or its size, where smaller)."""

Make = Callable[[FloatArray, float, FloatArray], dict[str, MarketTastes]]


def mean_own_elasticity(
    make: Make,
    table: MarketTable,
    parameters: FloatArray,
    slope: float,
    delta: FloatArray,
    covariance: FloatArray,
    linear_price: bool,
    critical: float,
    level: float,
) -> Estimate:
    """Mean own-price elasticity with its interval by the delta method.

    Parameters
    ----------
    make : callable
        Gives the tastes by market for nonlinear parameters, mean price coefficient, mean utilities.
    table : MarketTable
        The rows.
    parameters : ndarray, shape (p,)
        Nonlinear parameters.
    slope : float
        Mean price coefficient.
    delta : ndarray, shape (rows,)
        Mean utilities at the estimates.
    covariance : ndarray, shape (k, k)
        Of the nonlinear parameters (first) and all linear ones, the price last where it is linear.
    linear_price : bool
        Whether the price has a mean coefficient.
    critical : float
        Errors to each side of the interval.
    level : float
        Confidence level.
    """
    error = np.sqrt(np.diag(covariance))
    places = [*range(len(parameters)), *([len(error) - 1] if linear_price else [])]
    point = np.array([*parameters, *([slope] if linear_price else [])])

    def at(values: FloatArray) -> float:
        own = values[: len(parameters)]
        alpha = float(values[-1]) if linear_price else 0.0
        found = shares_matched(lambda given: make(own, alpha, given), table, delta)
        return _mean(make(own, alpha, found), table)

    middle = at(point)
    known = bool(np.isfinite(error[places]).all())
    if not known:
        return Estimate.without_interval(
            middle, "per cent per per cent", len(table), "the errors are not known", level
        )
    gradient = np.zeros(len(point))
    for k in range(len(point)):
        moved = point.copy()
        moved[k] += MOVE * min(error[places[k]], max(abs(point[k]), 1e-3))
        gradient[k] = (at(moved) - middle) / (moved[k] - point[k])
    spread = covariance[np.ix_(places, places)]
    reach = critical * math.sqrt(float(gradient @ spread @ gradient))
    return Estimate(
        middle, middle - reach, middle + reach, "per cent per per cent", len(table),
        "delta method", level,
    )  # fmt: skip


def shares_matched(
    make: Callable[[FloatArray], dict[str, MarketTastes]], table: MarketTable, delta: FloatArray
) -> FloatArray:
    """Find the mean utilities that give the observed shares, by Newton's method from `delta`.

    Raises
    ------
    ValueError
        When they are not found.
    """
    found = np.array(delta, dtype=float)
    rows = table.frame
    price, share = rows["price"].to_numpy(), rows["share"].to_numpy()
    places = table.places
    for _ in range(MOST_STEPS):
        tastes = make(found)
        worst = 0.0
        for name, one in places.items():
            chance, _ = tastes[name].chances(price[one])
            weighted = chance * tastes[name].weight
            gap = share[one] - weighted.sum(axis=1)
            worst = max(worst, float(np.abs(gap / share[one]).max()))
            found[one] += np.linalg.solve(np.diag(weighted.sum(axis=1)) - weighted @ chance.T, gap)
        if worst < CLOSE:
            return found
    raise ValueError(f"the shares are not met after {MOST_STEPS} steps (relative gap {worst:.1e})")


def _mean(tastes: dict[str, MarketTastes], table: MarketTable) -> float:
    rows = table.frame
    price = rows["price"].to_numpy()
    total = 0.0
    for name, places in table.places.items():
        total += float(np.diag(tastes[name].elasticities(price[places])).sum())
    return total / len(rows)
