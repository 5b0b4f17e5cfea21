"""Demand for several products that take customers from each other.

Question: what does the price of one product do to the others?  :class:`LinearProductDemand`,
:class:`LogitProductDemand` and :class:`ConstantElasticityProductDemand` give quantities, their
changes by prices and elasticities at any prices, and the prices with the largest profit where
there are some.  Each can be drawn through today's prices and quantities.

Sources: Morrow & Skerlos (2011), Operations Research 59(2), 328-345, and Anderson, de Palma &
Thisse (1992), "Discrete Choice Theory of Product Differentiation", chapter 7, for equal markups
under logit; Tirole (1988), "The Theory of Industrial Organization", section 1.1.2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keycustomer.pricing.optimal.demand_curves import NoOptimalPrice, above_zero, falling
from keycustomer.stats.samples import FloatArray

HALVINGS = 200
"""Halvings of the interval in which the profit of a logit market is looked for: all digits."""

FLAT = 1e-9
"""Curvature, relative to that of single products, below which profit has no top."""


class ProductDemand(ABC):
    """Quantities of several products per period as functions of all their prices."""

    @abstractmethod
    def quantity(self, prices: npt.ArrayLike) -> FloatArray:
        """Units sold per period, shape (products,)."""

    @abstractmethod
    def jacobian(self, prices: npt.ArrayLike) -> FloatArray:
        """Change of quantities (rows) by prices (columns), shape (products, products)."""

    @abstractmethod
    def best_prices(self, unit_cost: FloatArray, lowest: FloatArray) -> FloatArray:
        """Prices with the largest profit, none below its lowest.

        Raises
        ------
        NoOptimalPrice
            When there are none.
        """

    def elasticities(self, prices: npt.ArrayLike) -> FloatArray:
        """Own and cross-price elasticities at some prices, shape (products, products)."""
        at = np.asarray(prices, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.jacobian(at) * at[None, :] / self.quantity(at)[:, None])

    def profit(self, prices: npt.ArrayLike, unit_cost: npt.ArrayLike) -> float:
        """Profit of all products per period, currency."""
        margin = np.asarray(prices, dtype=float) - np.asarray(unit_cost, dtype=float)
        return float(margin @ self.quantity(prices))

    def slope(self, prices: npt.ArrayLike, unit_cost: npt.ArrayLike) -> FloatArray:
        """Change of profit by each price; 0 at a best price without limits."""
        margin = np.asarray(prices, dtype=float) - np.asarray(unit_cost, dtype=float)
        return self.quantity(prices) + self.jacobian(prices).T @ margin


@dataclass(frozen=True, eq=False)
class LinearProductDemand(ProductDemand):
    """Quantities ``intercept + slopes @ prices``.

    Attributes
    ----------
    intercept : ndarray, shape (products,)
        Units per period at prices of 0.
    slopes : ndarray, shape (products, products)
        Units per unit of currency: row whose quantity, column whose price.
    """

    intercept: FloatArray
    slopes: FloatArray

    @classmethod
    def through(
        cls, prices: FloatArray, quantities: FloatArray, elasticities: FloatArray
    ) -> LinearProductDemand:
        """Draw the system through today's prices and quantities with today's elasticities."""
        slopes = elasticities * quantities[:, None] / prices[None, :]
        return cls(quantities - slopes @ prices, slopes)

    def quantity(self, prices: npt.ArrayLike) -> FloatArray:
        """Units sold per period; below 0 where the system is carried too far."""
        return np.asarray(self.intercept + self.slopes @ np.asarray(prices, dtype=float))

    def jacobian(self, prices: npt.ArrayLike) -> FloatArray:
        """Slopes, the same at all prices."""
        return self.slopes

    def best_prices(self, unit_cost: FloatArray, lowest: FloatArray) -> FloatArray:
        """Maximise the concave quadratic of profit above the lowest prices.

        Raises
        ------
        NoOptimalPrice
            When profit is not concave in the prices.
        """
        from scipy.optimize import lsq_linear

        curvature = -(self.slopes + self.slopes.T)
        # scaled, so that products of cents and of thousands weigh alike in the check
        scale = np.sqrt(np.abs(np.diag(curvature)))
        if np.linalg.eigvalsh(curvature / np.outer(scale, scale)).min() <= FLAT:
            raise NoOptimalPrice(
                "elasticities: the cross-price elasticities outweigh the own ones, so that raising "
                "several prices together brings more without end; estimate them again, or give "
                "within, the range of prices to stay in"
            )
        root = np.linalg.cholesky(curvature)
        aim = np.linalg.solve(root, self.intercept - self.slopes.T @ unit_cost)
        free = np.linalg.solve(root.T, aim)
        if (free >= lowest).all():
            return np.asarray(free)
        limits = (lowest, np.full(len(lowest), np.inf))
        return np.asarray(lsq_linear(root.T, aim, limits, method="bvls", tol=1e-14).x)


@dataclass(frozen=True, eq=False)
class LogitProductDemand(ProductDemand):
    """Each of `size` possible buyers takes the best of the products, or none of them.

    Attributes
    ----------
    worth : ndarray, shape (products,)
        Utility at the price 0; going without has utility 0.
    price_coefficient : float
        Utility per unit of currency, below 0.
    size : float
        Possible buyers (units) per period.
    """

    worth: FloatArray
    price_coefficient: float
    size: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no demand."""
        falling("price_coefficient", self.price_coefficient)
        above_zero("size", self.size)

    @classmethod
    def through(
        cls, prices: FloatArray, quantities: FloatArray, price_coefficient: float, size: float
    ) -> LogitProductDemand:
        """Find the worths at which today's quantities are sold at today's prices.

        Raises
        ------
        ValueError
            When nobody is left who buys nothing.
        """
        falling("price_coefficient", price_coefficient)
        above_zero("size", size)
        outside = 1 - quantities.sum() / size
        if outside <= 0 or (quantities <= 0).any():
            raise ValueError(
                f"quantities must be above 0 and add up to less than size={size:g} (they add up "
                f"to {quantities.sum():g}): some who could buy go without"
            )
        worth = np.log(quantities / size) - np.log(outside) - price_coefficient * prices
        return cls(np.asarray(worth), price_coefficient, size)

    def shares(self, prices: npt.ArrayLike) -> FloatArray:
        """Share of the possible buyers who take each product, shape (products,)."""
        utility = self.worth + self.price_coefficient * np.asarray(prices, dtype=float)
        top = max(float(utility.max()), 0.0)
        exponents = np.exp(utility - top)
        return np.asarray(exponents / (np.exp(-top) + exponents.sum()))

    def quantity(self, prices: npt.ArrayLike) -> FloatArray:
        """Units sold per period, shape (products,)."""
        return self.size * self.shares(prices)

    def jacobian(self, prices: npt.ArrayLike) -> FloatArray:
        """Change of quantities by prices."""
        shares = self.shares(prices)
        return self.size * self.price_coefficient * (np.diag(shares) - np.outer(shares, shares))

    def best_prices(self, unit_cost: FloatArray, lowest: FloatArray) -> FloatArray:
        """Charge the same markup for all products, more where the lowest price asks for it.

        A price is right when its markup is ``1/a`` plus the profit of a possible buyer; where the
        floor is higher it holds.  The profit of a possible buyer is found by halving.
        """
        steepness = -self.price_coefficient

        def prices_at(profit: float) -> FloatArray:
            return np.asarray(np.maximum(unit_cost + 1 / steepness + profit, lowest))

        def surplus(profit: float) -> float:
            prices = prices_at(profit)
            return float((prices - unit_cost) @ self.shares(prices)) - profit

        low, high = 0.0, 1.0 / steepness
        while surplus(high) > 0:
            low, high = high, 2 * high
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if middle in (low, high):
                break
            low, high = (middle, high) if surplus(middle) > 0 else (low, middle)
        return prices_at(high)


@dataclass(frozen=True, eq=False)
class ConstantElasticityProductDemand(ProductDemand):
    """Quantities ``quantity today x product of (price / price today)^elasticity``.

    Attributes
    ----------
    prices, quantities : ndarray, shape (products,)
        Today's.
    constant : ndarray, shape (products, products)
        Elasticities: row whose quantity, column whose price.
    """

    prices: FloatArray
    quantities: FloatArray
    constant: FloatArray

    def quantity(self, prices: npt.ArrayLike) -> FloatArray:
        """Units sold per period, shape (products,)."""
        change = np.log(np.asarray(prices, dtype=float) / self.prices)
        return np.asarray(self.quantities * np.exp(self.constant @ change))

    def jacobian(self, prices: npt.ArrayLike) -> FloatArray:
        """Change of quantities by prices."""
        at = np.asarray(prices, dtype=float)
        return np.asarray(self.constant * self.quantity(at)[:, None] / at[None, :])

    def best_prices(self, unit_cost: FloatArray, lowest: FloatArray) -> FloatArray:
        """Price each product on its own where none takes buyers from another.

        Raises
        ------
        NoOptimalPrice
            When products react to each other's prices, or an elasticity is -1 or above.
        """
        own = np.diag(self.constant)
        if (self.constant != np.diag(own)).any() or (own >= -1).any():
            raise NoOptimalPrice(
                "constant elasticities with cross-price effects (or an own elasticity of -1 or "
                "above) have no best prices: one price raised without end drives its buyers to "
                "the other products. Give within, the range of prices to stay in, or take "
                "form='linear'"
            )
        return np.maximum(unit_cost * own / (1 + own), lowest)
