"""Prices of the budget and of capacities, and the bound they give.

What is a unit of money, an hour of a manager, a place at a level worth?  With a price for each,
every customer takes the level of most value less what it would pay; whatever the prices, the sum of
that and of all that there is at its price exceeds the value of every plan (the Lagrangian dual).
:func:`find_prices` looks for the prices of the lowest such bound: it smooths the choice of the best
level by a temperature and lowers that step by step.

Sources: Fisher (1981), "The Lagrangian relaxation method for solving integer programming problems",
Management Science 27; Nesterov (2005), "Smooth minimization of non-smooth functions", Mathematical
Programming 103.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.relationships.selection.alternatives import Alternatives
from keycustomer.relationships.selection.capacities import Limit
from keycustomer.stats.samples import FloatArray

TEMPERATURES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Temperatures gone through, as parts of the spread of values."""

STEPS = 60
"""Most steps of the search at each temperature."""


@dataclass(frozen=True, eq=False)
class Prices:
    """Prices, and what they prove.

    Attributes
    ----------
    budget : float
        Value of one more unit of money.
    limits : tuple of ndarray, each of shape (groups,)
        Value of one more unit of each capacity, by group.
    bound : float
        Value no plan within budget and limits exceeds, currency.
    """

    budget: float
    limits: tuple[FloatArray, ...]
    bound: float


def net_values(
    alternatives: Alternatives, limits: list[Limit], price: float, by_limit: tuple[FloatArray, ...]
) -> FloatArray:
    """Value of every level less what the customer would pay for it, shape (n, levels)."""
    net = alternatives.value - price * alternatives.cost
    for limit, prices in zip(limits, by_limit, strict=True):
        net -= limit.by_customer(prices)[:, None] * limit.use
    return net


def bound_at(
    alternatives: Alternatives,
    budget: float,
    limits: list[Limit],
    price: float,
    by_limit: tuple[FloatArray, ...],
) -> float:
    """Bound that these prices prove, currency."""
    best = net_values(alternatives, limits, price, by_limit).max(axis=1).sum()
    held = sum(
        float(prices @ limit.within_reach()) for limit, prices in zip(limits, by_limit, strict=True)
    )
    return float(best) + price * budget + held


def find_prices(
    alternatives: Alternatives, budget: float, limits: list[Limit], start: float
) -> list[Prices]:
    """Find the prices of the lowest bound.

    Parameters
    ----------
    alternatives : Alternatives
        Value and cost of every level for every customer.
    budget : float
        Money for all customers together.
    limits : list of Limit
        Capacities.
    start : float
        Price of the budget without the capacities.

    Returns
    -------
    list of Prices
        The best found at each temperature, from the highest down: of use for plans all of them.
    """
    from scipy.optimize import minimize

    smoothed = _Smoothed(alternatives, budget, limits)
    at = np.zeros(smoothed.size)
    at[0] = start / smoothed.unit[0]
    found = []
    for temperature in TEMPERATURES:
        result = minimize(
            smoothed,
            at,
            args=(temperature * smoothed.spread,),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None)] * smoothed.size,
            options={"maxiter": STEPS, "ftol": 0.0, "gtol": 1e-9},
        )
        at = np.maximum(result.x, 0.0)
        price, by_limit = smoothed.split(at)
        bound = bound_at(alternatives, budget, limits, price, by_limit)
        found.append(Prices(price, by_limit, bound))
    return found


class _Smoothed:
    """The smoothed bound and its slope, in prices scaled so that all are of the same size."""

    def __init__(self, alternatives: Alternatives, budget: float, limits: list[Limit]) -> None:
        self.alternatives, self.budget, self.limits = alternatives, budget, limits
        value, cost = alternatives.value, alternatives.cost
        # differences within a customer are what decides, so their size is the scale
        self.spread = float(np.ptp(value, axis=1).mean()) or 1.0
        self.sizes = [limit.most.size for limit in limits]
        self.size = 1 + sum(self.sizes)
        ranges = [np.array([np.ptp(cost, axis=1).mean()])]
        for limit in limits:
            total = limit.add_up(np.ptp(limit.use, axis=1))
            ranges.append(total / np.maximum(limit.add_up(np.ones(len(value))), 1))
        whole = np.concatenate(ranges)
        self.unit = self.spread / np.where(whole > 0, whole, 1.0)

    def split(self, at: FloatArray) -> tuple[float, tuple[FloatArray, ...]]:
        """Prices of the budget and of each capacity."""
        prices = at * self.unit
        parts = np.split(prices[1:], np.cumsum(self.sizes)[:-1]) if self.sizes else []
        return float(prices[0]), tuple(parts)

    def __call__(self, at: FloatArray, temperature: float) -> tuple[float, FloatArray]:
        """Bound per unit of spread, and its slope."""
        price, by_limit = self.split(at)
        net = net_values(self.alternatives, self.limits, price, by_limit)
        best = net.max(axis=1)
        weight = np.exp((net - best[:, None]) / temperature)
        total = weight.sum(axis=1)
        bound = float((best + temperature * np.log(total)).sum()) + price * self.budget
        share = weight / total[:, None]
        slopes = [np.array([self.budget - float((share * self.alternatives.cost).sum())])]
        for limit, prices in zip(self.limits, by_limit, strict=True):
            reach = limit.within_reach()
            bound += float(prices @ reach)
            slopes.append(reach - limit.add_up((share * limit.use).sum(axis=1)))
        scale = self.spread * len(net)
        return bound / scale, np.concatenate(slopes) * self.unit / scale
