"""What is the same for all accounts of a month: list prices, competitors' prices, costs, seasons.

`market_paths` makes the `Paths` of a window: the price war of the second year, in which
competitors' prices fall and the own list prices follow late and part of the way; wholesale costs,
which differ by region and month by chance; seasons by industry.  :func:`category_factors` tells
how far quantities react to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.parameters import Parameters, PriceParameters
from keycustomer.simulate.policy import Policy
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.streams import stream
from keycustomer.simulate.vocabulary import CATEGORIES, INDUSTRIES, REGIONS

Array = npt.NDArray[Any]

_PEAKS: dict[str, tuple[float, float]] = {
    "manufacturing": (9.0, 0.35),
    "retail": (11.0, 0.80),
    "tourism": (6.5, 1.00),
    "logistics": (10.5, 0.50),
    "health": (1.0, 0.20),
    "finance": (0.5, 0.25),
    "public sector": (3.0, 0.30),
    "professional services": (2.5, 0.25),
}
"""Month of the peak (0 = January) and strength of the season of each industry."""


@dataclass(frozen=True, eq=False)
class Paths:
    """What is the same for all accounts of a month.

    Attributes
    ----------
    war : ndarray of float, shape (months,)
        How far the price war has gone, 0 none .. 1 fully.
    list_index : ndarray of float, shape (months, categories)
        Own list price relative to the start; the only path that a policy moves.
    competitor_index : ndarray of float, shape (months, categories)
        Competitors' price relative to the own list price at the start.
    cost_index : ndarray of float, shape (months, regions)
        Unit cost relative to the start, `cost_shock` included.
    cost_shock : ndarray of float, shape (months, regions)
        Random part of its logarithm, by region and month: an instrument of the discount.
    season : ndarray of float, shape (12, industries)
        Seasonal factor of usage by calendar month (0 = January).
    """

    war: Array
    list_index: Array
    competitor_index: Array
    cost_index: Array
    cost_shock: Array
    season: Array


def market_paths(settings: Settings, parameters: Parameters, policy: Policy) -> Paths:
    """Make the paths of a window under a policy."""
    prices = parameters.prices
    month = np.arange(settings.span, dtype=float)
    war = _war(month, prices)
    depth = np.asarray(prices.war_depth, dtype=float)
    shock = _cost_shock(settings, prices)
    cost = np.exp(prices.cost_drift * month[:, None] + shock)
    competitor = prices.competitor_start * (1 - depth * war[:, None])
    return Paths(
        war=war,
        list_index=_list_index(month, prices, policy),
        competitor_index=competitor,
        cost_index=cost,
        cost_shock=shock,
        season=_season(parameters.demand.season),
    )


def _war(month: Array, prices: PriceParameters) -> Array:
    return np.clip((month - prices.war_starts + 1) / prices.war_lasts, 0, 1)


def _list_index(month: Array, prices: PriceParameters, policy: Policy) -> Array:
    """Own list prices: as today before the policy starts, then as it says."""
    fall = np.asarray(prices.war_depth) * _war(month - prices.following_lag, prices)[:, None]
    following = np.full(len(month), prices.following)
    if policy.pricing is not None and policy.pricing.following is not None:
        following[month >= policy.start] = policy.pricing.following
    dearer = np.where(month >= policy.start, 1 + policy.list_price, 1.0)
    eroded = np.exp(prices.drift * month) * dearer
    return eroded[:, None] * (1 - following[:, None] * fall)


def _cost_shock(settings: Settings, prices: PriceParameters) -> Array:
    """First-order autoregression by region."""
    shocks = np.zeros((settings.span, len(REGIONS)))
    keep = prices.cost_persistence
    for month in range(settings.span):
        drawn = stream(settings.seed, "wholesale cost", month).standard_normal(len(REGIONS))
        if month == 0:
            shocks[0] = prices.cost_shock * drawn
        else:
            shocks[month] = keep * shocks[month - 1]
            shocks[month] += prices.cost_shock * np.sqrt(1 - keep**2) * drawn
    return shocks


def _season(strength: float) -> Array:
    """Cosine of the calendar month around each industry's peak; 1 on average over a year."""
    peak, size = np.array([_PEAKS[industry] for industry in INDUSTRIES]).T
    angle = 2 * np.pi * (np.arange(12)[:, None] - peak) / 12
    return 1 + strength * size * np.cos(angle)


def category_factors(paths: Paths, month: int, accounts: Accounts) -> Array:
    """Response of quantities to list and competitors' prices, factor by category, (n, categories).

    ``(list index)^elasticity x (competitor index / that of the start)^cross elasticity``, the
    elasticities being the account's.
    """
    own = np.log(paths.list_index[month])
    other = np.log(paths.competitor_index[month] / paths.competitor_index[0])
    power = np.empty((len(accounts), len(CATEGORIES)))
    for category in range(len(CATEGORIES)):
        power[:, category] = accounts.elasticity * own[category]
        power[:, category] += accounts.cross_elasticity * other[category]
    return np.exp(power, out=power)
