"""A logit market through what is observed: prices, shares and a price coefficient.

Question: which market would have made the prices and shares of today?  With the price coefficient
of a demand or choice model, shares tell what each product is worth to buyers, and the first-order
conditions what a unit must cost its owner, if prices are an equilibrium
(:func:`calibrated_market`).  What costs are not known from the books are an implication of that
conduct, not a measurement.

Sources: Berry (1994), RAND Journal of Economics 25(2), 242-262, for the worths; Rosse (1970),
Econometrica 38(2), 256-274, and Nevo (2001), Econometrica 69(2), 307-342, for the costs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from keycustomer.pricing.competition.logit_demand import LogitMarket, logit_market
from keycustomer.pricing.competition.price_market import (
    PriceMarket,
    product_names,
    product_numbers,
)
from keycustomer.pricing.optimal.demand_curves import falling
from keycustomer.stats.samples import FloatArray

NAMED = 4
"""Products named in a message."""


def calibrated_market(
    prices: npt.ArrayLike,
    shares: npt.ArrayLike,
    price_coefficient: float,
    *,
    firms: Sequence[object] | None = None,
    products: Sequence[object] | None = None,
    unit_costs: npt.ArrayLike | None = None,
    nesting: float = 0.0,
    size: float = 1.0,
) -> LogitMarket:
    """Make the logit market whose prices and shares are those observed.

    Parameters
    ----------
    prices : array, shape (products,)
        Price of each product, currency a unit, above 0.
    shares : array, shape (products,)
        Share of all possible buyers (units) who take each product, above 0; together below 1, the
        rest going without.
    price_coefficient : float
        Utility per currency, below 0.
    firms : sequence, optional
        Owner of each product; left out, each has its own.
    products : sequence, optional
        Names; left out, "product 1" and so on.
    unit_costs : array, shape (products,), optional
        Costs where they are known; left out, those at which today's prices are an equilibrium.
    nesting : float
        How alike the products seem beside going without, as estimated; from 0 to below 1.
    size : float
        Possible buyers (units) per period.

    Raises
    ------
    ValueError
        When shares do not leave any buyer without, or costs would have to be below 0.
    """
    names = product_names(np.atleast_1d(np.asarray(prices)).size, products)
    at = product_numbers("prices", prices, names, above=0.0)
    taken = product_numbers("shares", shares, names, above=0.0)
    falling("price_coefficient", price_coefficient)
    bought = float(taken.sum())
    if bought >= 1:
        raise ValueError(
            f"shares: they add up to {bought:.4g}; they must leave some of the possible buyers "
            "without, so take a larger market size"
        )
    utility = np.log(taken / (1 - bought)) - nesting * np.log(taken / bought)
    market = logit_market(
        utility - price_coefficient * at,
        price_coefficient,
        np.zeros(len(names)) if unit_costs is None else unit_costs,
        firms=firms,
        products=names,
        nesting=nesting,
        size=size,
    )
    if unit_costs is not None:
        return market
    return market.with_costs(_need_positive(market, at, implied_costs(market, at)))


def implied_costs(market: PriceMarket, prices: npt.ArrayLike) -> FloatArray:
    """Invert the first-order conditions: unit costs at which given prices are an equilibrium.

    Raises
    ------
    ValueError
        When there is not one price above 0 for each product.
    """
    at = market.price_vector(prices, "prices")
    owned = np.where(market.ownership, market.slopes(at), 0.0)
    return at + np.linalg.solve(owned.T, market.quantities(at))


def _need_positive(market: LogitMarket, prices: FloatArray, costs: FloatArray) -> FloatArray:
    wrong = np.flatnonzero(costs < 0)
    if wrong.size:
        own = np.diag(market.elasticities(prices))
        told = ", ".join(
            f"{market.products[j]} (price {prices[j]:.4g}, elasticity {own[j]:.3g}, cost "
            f"{costs[j]:.4g})"
            for j in wrong[:NAMED]
        )
        raise ValueError(
            f"price_coefficient={market.price_coefficients[0]:g}: {wrong.size} of {len(costs)} "
            f"products would cost less than nothing, such as {told}. Demand is too inelastic for "
            "these prices to be an equilibrium; estimate it with instruments, or give unit_costs"
        )
    return costs
