"""Linear demand for the products of several firms, and the symmetric duopoly in closed form.

Question: what do two firms charge whose sales fall by b for each unit of currency of the own price
and rise by g for each of the other's?  :class:`LinearMarket` is the general case,
:func:`linear_duopoly` the symmetric one, whose equilibrium (A + b c)/(2 b - g) and joint price
(A + (b - g) c)/(2 (b - g)) every other computation here is checked against.

Sources: Singh & Vives (1984), RAND Journal of Economics 15(4), 546-554; Vives, "Oligopoly Pricing"
(1999), chapter 6.
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

SYMMETRIC = 1e-9
"""Relative difference of mirrored cross effects below which a surplus is defined."""


@dataclass(frozen=True, eq=False)
class LinearMarket(PriceMarket):
    """Market with linear demand, made by :func:`linear_market`.

    Attributes
    ----------
    intercepts : ndarray, shape (products,)
        Units per period were all prices 0.
    responses : ndarray, shape (products, products)
        Change of quantities per currency: row a quantity, column a price; the diagonal below 0.
    unit_costs : ndarray, shape (products,)
        Cost of a unit, currency.
    products, firms : tuple of str
        Names, and the owner of each product.
    """

    intercepts: FloatArray
    responses: FloatArray
    unit_costs: FloatArray
    products: tuple[str, ...]
    firms: tuple[str, ...]

    def quantities(self, prices: npt.ArrayLike) -> FloatArray:
        """Units sold per period at given prices, shape (products,).

        Below 0 where a product is too dear for the line to hold.
        """
        return self.intercepts + self.responses @ np.asarray(prices, dtype=float)

    def slopes(self, prices: npt.ArrayLike) -> FloatArray:
        """Change of quantities per currency, the same at all prices."""
        return self.responses

    def consumer_surplus(self, prices: npt.ArrayLike) -> float:
        """Surplus of a buyer with quadratic utility; NaN where cross effects do not mirror."""
        mirrored = np.allclose(self.responses, self.responses.T, rtol=SYMMETRIC, atol=0.0)
        if not mirrored:
            return float("nan")
        sold = self.quantities(prices)
        return float(sold @ np.linalg.solve(-self.responses, sold) / 2)

    def first_prices(self) -> FloatArray:
        """Prices from which a search for the equilibrium starts: those of lone sellers."""
        own = -np.diag(self.responses)
        return np.maximum((self.intercepts / own + self.unit_costs) / 2, self.unit_costs)

    def reply_step(self, prices: FloatArray, own: npt.NDArray[np.bool_]) -> FloatArray:
        """Best price of each product while all others keep theirs."""
        slope = np.diag(self.responses)
        owned = np.where(own & ~np.eye(len(slope), dtype=bool), self.responses, 0.0)
        passed = owned.T @ (prices - self.unit_costs)
        others = self.quantities(prices) - slope * prices
        return (slope * self.unit_costs - others - passed) / (2 * slope)


def linear_market(
    intercepts: npt.ArrayLike,
    responses: npt.ArrayLike,
    unit_costs: npt.ArrayLike,
    *,
    firms: Sequence[object] | None = None,
    products: Sequence[object] | None = None,
) -> LinearMarket:
    """Make a market with linear demand.

    Parameters
    ----------
    intercepts : array, shape (products,)
        Units per period were all prices 0.
    responses : array, shape (products, products)
        Change of quantities per currency: row a quantity, column a price.
    unit_costs : array, shape (products,)
        Cost of a unit, currency, 0 or above.
    firms, products : sequence, optional
        Owner and name of each product; left out, each has its own, by number.

    Raises
    ------
    ValueError
        When shapes do not fit, or quantities do not fall with the own price.
    NoOptimalPrice
        When quantities do not fall when all prices rise together: every price could be raised.
    """
    start = np.atleast_1d(np.asarray(intercepts, dtype=float))
    names = product_names(start.size, products)
    matrix = np.asarray(responses, dtype=float)
    if matrix.shape != (start.size, start.size) or not np.isfinite(matrix).all():
        raise ValueError(
            f"responses: finite numbers of shape ({start.size}, {start.size}) are needed, got "
            f"shape {matrix.shape}"
        )
    for name, slope in zip(names, np.diag(matrix), strict=True):
        if not slope < 0:
            raise ValueError(
                f"responses: the own effect {slope:g} of {name!r} must be below 0; what sells more "
                "when it is dearer is not a demand curve"
            )
    if not (np.linalg.eigvalsh(matrix + matrix.T) < 0).all():
        raise NoOptimalPrice(
            "responses: cross effects are as large as own effects, so that prices raised together "
            "lose nothing and could rise without end; check the estimates of cross effects"
        )
    return LinearMarket(
        product_numbers("intercepts", start, names),
        matrix,
        product_numbers("unit_costs", unit_costs, names, least=0.0),
        names,
        owner_names(names, firms),
    )


def linear_duopoly(
    intercept: float,
    own: float,
    cross: float,
    unit_cost: float,
    *,
    products: Sequence[object] = ("we", "rival"),
) -> LinearMarket:
    """Make two equal firms, each selling ``intercept - own x price + cross x rival's price``.

    Parameters
    ----------
    intercept : float
        Units per period were both prices 0.
    own, cross : float
        Units lost per currency of the own price, and won per currency of the rival's; 0 <= cross
        < own.
    unit_cost : float
        Cost of a unit, currency.
    products : sequence
        Names of the two.

    Examples
    --------
    >>> from keycustomer.pricing import equilibrium_prices
    >>> equilibrium_prices(linear_duopoly(100, 2, 1, 10)).prices.round(6).tolist()
    [40.0, 40.0]
    """
    matrix = np.array([[-own, cross], [cross, -own]], dtype=float)
    return linear_market([intercept] * 2, matrix, [unit_cost] * 2, products=products)
