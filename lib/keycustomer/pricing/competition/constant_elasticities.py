"""Constant elasticities between the products of several firms: no price war, by construction.

Question: what does a market look like in which a price rise of 1 % costs the same share of sales
everywhere?  :class:`ConstantElasticityMarket` multiplies powers of all prices.  A firm with one
product then charges ``c e/(1 + e)`` whatever its rivals do: best replies do not react, a cut is not
answered, and nothing is left of a price war but the first strike.  Log-log estimates of cross
elasticities imply this, which is worth knowing before they are used to foretell one.

Source: Vives, "Oligopoly Pricing" (1999), chapter 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keycustomer.pricing.competition.price_market import (
    PriceMarket,
    owner_names,
    product_names,
    product_numbers,
)
from keycustomer.pricing.optimal.demand_curves import NoOptimalPrice
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class ConstantElasticityMarket(PriceMarket):
    """Market with constant elasticities, made by :func:`constant_elasticity_market`.

    Attributes
    ----------
    scales : ndarray, shape (products,)
        Units per period were all prices 1.
    matrix : ndarray, shape (products, products)
        Elasticities: row a quantity, column a price; the diagonal below -1.
    unit_costs : ndarray, shape (products,)
        Cost of a unit, currency.
    products, firms : tuple of str
        Names, and the owner of each product.
    """

    scales: FloatArray
    matrix: FloatArray
    unit_costs: FloatArray
    products: tuple[str, ...]
    firms: tuple[str, ...]

    def quantities(self, prices: npt.ArrayLike) -> FloatArray:
        """Units sold per period at given prices, shape (products,)."""
        return self.scales * np.exp(self.matrix @ np.log(np.asarray(prices, dtype=float)))

    def slopes(self, prices: npt.ArrayLike) -> FloatArray:
        """Change of quantities per currency: row a quantity, column a price."""
        at = np.asarray(prices, dtype=float)
        return self.matrix * self.quantities(at)[:, None] / at

    def consumer_surplus(self, prices: npt.ArrayLike) -> float:
        """Not defined: constant cross elasticities come from no utility; NaN."""
        return float("nan")

    def first_prices(self) -> FloatArray:
        """Prices from which a search for the equilibrium starts: those of single products."""
        own = np.diag(self.matrix)
        return self.unit_costs * own / (1 + own)

    def reply_step(self, prices: FloatArray, own: npt.NDArray[np.bool_]) -> FloatArray:
        """Lerner price of each product, raised by what it passes on to others of its owner."""
        elasticity = -np.diag(self.matrix)
        earned = self.product_profits(prices)
        cross = np.where(own & ~np.eye(len(elasticity), dtype=bool), self.matrix, 0.0)
        passed = cross.T @ earned / self.quantities(prices)
        # a step cannot leave the range in which prices are prices
        return np.maximum((self.unit_costs * elasticity + passed) / (elasticity - 1), 1e-12)


def constant_elasticity_market(
    scales: npt.ArrayLike,
    elasticities: npt.ArrayLike,
    unit_costs: npt.ArrayLike,
    *,
    firms: Sequence[object] | None = None,
    products: Sequence[object] | None = None,
) -> ConstantElasticityMarket:
    """Make a market with constant elasticities.

    Parameters
    ----------
    scales : array, shape (products,)
        Units per period were all prices 1, above 0.
    elasticities : array, shape (products, products)
        Row a quantity, column a price; own elasticities, on the diagonal, below -1.
    unit_costs : array, shape (products,)
        Cost of a unit, currency, above 0.
    firms, products : sequence, optional
        Owner and name of each product; left out, each has its own, by number.

    Raises
    ------
    ValueError
        When shapes do not fit or a number makes no demand.
    NoOptimalPrice
        When an own elasticity is -1 or above: no price is the best one.
    """
    start = np.atleast_1d(np.asarray(scales, dtype=float))
    names = product_names(start.size, products)
    matrix = np.asarray(elasticities, dtype=float)
    if matrix.shape != (start.size, start.size) or not np.isfinite(matrix).all():
        raise ValueError(
            f"elasticities: finite numbers of shape ({start.size}, {start.size}) are needed, got "
            f"shape {matrix.shape}"
        )
    for name, own in zip(names, np.diag(matrix), strict=True):
        if own >= -1:
            raise NoOptimalPrice(
                f"elasticities: {own:g} of {name!r} is not below -1: profit rises with the price "
                "without end, so that there is no equilibrium. Take logit or linear demand "
                "through today's prices, whose elasticity rises with the price"
            )
    return ConstantElasticityMarket(
        product_numbers("scales", start, names, above=0.0),
        matrix,
        product_numbers("unit_costs", unit_costs, names, above=0.0),
        names,
        owner_names(names, firms),
    )
