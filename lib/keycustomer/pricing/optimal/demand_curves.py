"""Demand curves of one product: how much is sold at a price, and the price that brings most.

Question: what follows from a price?  :class:`ConstantElasticityDemand`, :class:`LinearDemand` and
:class:`LogitDemand` give quantity, elasticity, revenue, profit and consumer surplus at any price,
and the price with the largest profit in closed form.  Each can be drawn through today's price and
quantity with an estimated elasticity (``through``).

Where no best price exists the curve says so (:class:`NoOptimalPrice`) instead of giving the end of
a search: with a constant elasticity of -1 or above (nearer to 0) every rise of the price raises
profit, without end.

Sources: Lerner (1934), Review of Economic Studies 1(3), 157-175, for (p - c)/p = -1/elasticity;
Aravindakshan & Ratchford (2011), Review of Marketing Science 9(1), for logit prices by Lambert's W;
Small & Rosen (1981), Econometrica 49(1), 105-130, for the surplus of logit buyers.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, wrightomega


class NoOptimalPrice(ValueError):
    """No price brings the largest profit: the message says why, and what can be done."""


class DemandCurve(ABC):
    """Quantity of one product per period as a function of its price.

    Prices are per unit, currency; a single price gives a float, an array an array of its shape.
    """

    @abstractmethod
    def quantity(self, price: npt.ArrayLike) -> Any:
        """Units sold per period at a price."""

    @abstractmethod
    def elasticity(self, price: npt.ArrayLike) -> Any:
        """Own-price elasticity at a price, below 0."""

    @abstractmethod
    def price_at(self, quantity: npt.ArrayLike) -> Any:
        """Price at which so many units are sold."""

    @abstractmethod
    def surplus(self, price: npt.ArrayLike) -> Any:
        """Consumer surplus per period at a price: worth to the buyers beyond what they pay."""

    @abstractmethod
    def best_price(self, unit_cost: float) -> float:
        """Price with the largest profit at a unit cost.

        Raises
        ------
        NoOptimalPrice
            When there is none.
        """

    @property
    def without_end(self) -> bool:
        """Whether profit rises with the price without end, so that no price is the best one."""
        return False

    def revenue(self, price: npt.ArrayLike) -> Any:
        """Revenue per period at a price, currency."""
        return checked_prices(price) * self.quantity(price)

    def profit(self, price: npt.ArrayLike, unit_cost: float) -> Any:
        """Profit per period at a price, ``(price - unit cost) x quantity``, currency."""
        above_zero("unit_cost", unit_cost, zero=True)
        return (checked_prices(price) - unit_cost) * self.quantity(price)


@dataclass(frozen=True)
class ConstantElasticityDemand(DemandCurve):
    """Demand ``scale x price^elasticity``: a straight line between logarithms.

    Attributes
    ----------
    scale : float
        Units per period at the price 1, above 0.
    own_price_elasticity : float
        Per cent of quantity per per cent of price, below 0.

    Raises
    ------
    ValueError
        When a number makes no demand curve.

    Examples
    --------
    >>> round(ConstantElasticityDemand(1000.0, -2.5).best_price(6.0), 6)
    10.0
    """

    scale: float
    own_price_elasticity: float

    def __post_init__(self) -> None:
        """Refuse what is no demand curve."""
        above_zero("scale", self.scale)
        falling("own_price_elasticity", self.own_price_elasticity)

    @classmethod
    def through(
        cls, price: float, quantity: float, own_price_elasticity: float
    ) -> ConstantElasticityDemand:
        """Draw the curve through today's price and quantity."""
        above_zero("price", price)
        above_zero("quantity", quantity)
        falling("own_price_elasticity", own_price_elasticity)
        return cls(quantity * price**-own_price_elasticity, own_price_elasticity)

    @property
    def without_end(self) -> bool:
        """Whether profit rises with the price without end: an elasticity of -1 or above."""
        return self.own_price_elasticity >= -1

    def quantity(self, price: npt.ArrayLike) -> Any:
        """Units sold per period at a price above 0."""
        return self.scale * positive_prices(price) ** self.own_price_elasticity

    def elasticity(self, price: npt.ArrayLike) -> Any:
        """Own-price elasticity, the same at every price."""
        return np.full_like(positive_prices(price), self.own_price_elasticity)[()]

    def price_at(self, quantity: npt.ArrayLike) -> Any:
        """Price at which so many units are sold."""
        units = positive_prices(quantity, "quantity")
        return (units / self.scale) ** (1 / self.own_price_elasticity)

    def surplus(self, price: npt.ArrayLike) -> Any:
        """Consumer surplus; infinite where the elasticity is -1 or above."""
        at, slope = positive_prices(price), 1 + self.own_price_elasticity
        if slope >= 0:
            return np.full_like(at, np.inf)[()]
        return -self.scale * at**slope / slope

    def best_price(self, unit_cost: float) -> float:
        """Price ``cost x elasticity / (1 + elasticity)``.

        Raises
        ------
        NoOptimalPrice
            When the elasticity is -1 or above: profit rises with the price without end.
        """
        above_zero("unit_cost", unit_cost, zero=True)
        own = self.own_price_elasticity
        if own >= -1:
            raise NoOptimalPrice(
                f"own_price_elasticity={own:g}: at -1 or above a dearer unit always brings more "
                "than is lost in units, so that no price is the best one. Take the price that "
                "customers stay at (lifetime_optimal_price), or give the highest price that can "
                "be asked"
            )
        if unit_cost == 0:
            raise NoOptimalPrice(
                f"unit_cost=0: with own_price_elasticity={own:g} revenue rises as the price falls, "
                "without end; give the cost of a unit"
            )
        return unit_cost * own / (1 + own)


@dataclass(frozen=True)
class LinearDemand(DemandCurve):
    """Demand ``intercept - slope x price``, nothing above the choke price.

    Attributes
    ----------
    intercept : float
        Units per period at the price 0, above 0.
    slope : float
        Units lost per unit of currency, above 0.

    Raises
    ------
    ValueError
        When a number makes no demand curve.
    """

    intercept: float
    slope: float

    def __post_init__(self) -> None:
        """Refuse what is no demand curve."""
        above_zero("intercept", self.intercept)
        above_zero("slope", self.slope)

    @classmethod
    def through(cls, price: float, quantity: float, own_price_elasticity: float) -> LinearDemand:
        """Draw the line through today's price and quantity, with today's elasticity."""
        above_zero("price", price)
        above_zero("quantity", quantity)
        falling("own_price_elasticity", own_price_elasticity)
        slope = -own_price_elasticity * quantity / price
        return cls(quantity + slope * price, slope)

    @property
    def choke_price(self) -> float:
        """Price from which nothing is sold."""
        return self.intercept / self.slope

    def quantity(self, price: npt.ArrayLike) -> Any:
        """Units sold per period at a price; 0 above the choke price."""
        return np.maximum(self.intercept - self.slope * checked_prices(price), 0.0)[()]

    def elasticity(self, price: npt.ArrayLike) -> Any:
        """Own-price elasticity; NaN where nothing is sold."""
        units, at = np.asarray(self.quantity(price)), checked_prices(price)
        sold = units > 0
        return np.where(sold, -self.slope * at / np.where(sold, units, 1.0), np.nan)[()]

    def price_at(self, quantity: npt.ArrayLike) -> Any:
        """Price at which so many units are sold, 0 <= quantity <= intercept."""
        units = checked_prices(quantity, "quantity")
        if (np.asarray(units) > self.intercept).any():
            raise ValueError(f"quantity must be at most intercept={self.intercept:g}")
        return (self.intercept - units) / self.slope

    def surplus(self, price: npt.ArrayLike) -> Any:
        """Consumer surplus, the triangle above the price."""
        return self.quantity(price) ** 2 / (2 * self.slope)

    def best_price(self, unit_cost: float) -> float:
        """Price half-way between the unit cost and the choke price.

        Raises
        ------
        NoOptimalPrice
            When the unit cost is not below the choke price: no unit sells at a profit.
        """
        above_zero("unit_cost", unit_cost, zero=True)
        if unit_cost >= self.choke_price:
            raise NoOptimalPrice(
                f"unit_cost={unit_cost:g}: nothing is sold from {self.choke_price:g} on, so that "
                "no unit sells at a profit; leave the product, or make it cheaper"
            )
        return (self.choke_price + unit_cost) / 2


@dataclass(frozen=True)
class LogitDemand(DemandCurve):
    """Demand ``size x share``, the share of buyers being logistic in the price.

    Each of `size` possible buyers takes the product with utility ``worth + price_coefficient x
    price`` or goes without it, with utility 0.

    Attributes
    ----------
    worth : float
        Utility at the price 0.
    price_coefficient : float
        Utility per unit of currency, below 0, as a choice model estimates it.
    size : float
        Possible buyers (units) per period, above 0; left out, quantities are shares.

    Raises
    ------
    ValueError
        When a number makes no demand curve.

    Examples
    --------
    >>> round(LogitDemand(3.0, -0.8).best_price(2.0), 6)
    4.154456
    """

    worth: float
    price_coefficient: float
    size: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no demand curve."""
        if not math.isfinite(self.worth):
            raise ValueError(f"worth={self.worth!r} must be finite: utility at the price 0")
        falling("price_coefficient", self.price_coefficient)
        above_zero("size", self.size)

    @classmethod
    def through(
        cls, price: float, quantity: float, own_price_elasticity: float, size: float
    ) -> LogitDemand:
        """Draw the curve through today's price and quantity, with today's elasticity.

        Raises
        ------
        ValueError
            When the quantity is not below the size of the market.
        """
        above_zero("price", price)
        above_zero("quantity", quantity)
        falling("own_price_elasticity", own_price_elasticity)
        if not quantity < size:
            raise ValueError(
                f"quantity={quantity:g} must be below size={size:g}: some of those who could buy "
                "go without, or the share tells no utility"
            )
        share = quantity / size
        coefficient = own_price_elasticity / (price * (1 - share))
        return cls(math.log(share / (1 - share)) - coefficient * price, coefficient, size)

    def share(self, price: npt.ArrayLike) -> Any:
        """Share of the possible buyers who buy at a price."""
        return expit(self.worth + self.price_coefficient * checked_prices(price))[()]

    def quantity(self, price: npt.ArrayLike) -> Any:
        """Units sold per period at a price."""
        return self.size * self.share(price)

    def elasticity(self, price: npt.ArrayLike) -> Any:
        """Own-price elasticity, ``coefficient x price x (1 - share)``."""
        at = checked_prices(price)
        return self.price_coefficient * at * (1 - self.share(price))

    def price_at(self, quantity: npt.ArrayLike) -> Any:
        """Price at which so many units are sold, 0 < quantity < size."""
        share = positive_prices(quantity, "quantity") / self.size
        if (np.asarray(share) >= 1).any():
            raise ValueError(f"quantity must be below size={self.size:g}")
        return (np.log(share / (1 - share)) - self.worth) / self.price_coefficient

    def surplus(self, price: npt.ArrayLike) -> Any:
        """Consumer surplus, the expected best utility in currency."""
        utility = self.worth + self.price_coefficient * checked_prices(price)
        return (-self.size * np.logaddexp(0.0, utility) / self.price_coefficient)[()]

    def best_price(self, unit_cost: float) -> float:
        """Price ``cost + (1 + W(exp(worth - a cost - 1)))/a``, a minus the price coefficient."""
        above_zero("unit_cost", unit_cost, zero=True)
        steepness = -self.price_coefficient
        # omega(x) is Lambert's W of exp(x), without the overflow of exp
        mass = wrightomega(self.worth - steepness * unit_cost - 1)
        return float(unit_cost + (1 + mass) / steepness)


def above_zero(name: str, value: float, *, zero: bool = False) -> None:
    """Refuse what is no finite number above 0 (or 0, where `zero` allows it)."""
    right = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        allowed = "0 or above" if zero else "above 0"
        raise ValueError(f"{name}={value!r} must be one finite number {allowed}")


def falling(name: str, value: float) -> None:
    """Refuse a response to price that is not below 0."""
    if not (isinstance(value, (int, float, np.number)) and math.isfinite(value) and value < 0):
        raise ValueError(
            f"{name}={value!r} must be one finite number below 0: what sells more when it is "
            "dearer is not a demand curve. An estimate above 0 says that price followed demand; "
            "estimate it again with fixed effects or instruments"
        )


def positive_prices(price: npt.ArrayLike, name: str = "price") -> Any:
    """Read prices (or quantities) that must be above 0."""
    return checked_prices(price, name, zero=False)


def checked_prices(price: npt.ArrayLike, name: str = "price", *, zero: bool = True) -> Any:
    """Read prices (or quantities) that must be finite and 0 or above (above 0 without `zero`)."""
    try:
        numbers = np.asarray(price, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}={price!r}: give a number, or an array of numbers") from error
    right = np.isfinite(numbers) & ((numbers >= 0) if zero else (numbers > 0))
    if not right.all():
        first = numbers[~right].flat[0]
        raise ValueError(
            f"{name}: {first:g} must be {'0 or above' if zero else 'above 0'}, and finite"
        )
    return numbers[()]
