"""The price of one product that brings most, above a floor and within capacity.

Question: what should be charged?  :func:`optimal_price` takes a demand curve and the cost of a unit
and gives an :class:`OptimalPrice`: the best price, what keeps it from being another one (the floor,
the capacity, the highest price that can be asked), what it brings, and how little is lost near it.

Profit rises up to the best price and falls beyond it for all three demand curves, so that a limit
moves the price to the limit and no further: the floor price and the price at which the capacity is
just sold lift it, the highest price lowers it.

Sources: Lerner (1934), Review of Economic Studies 1(3), 157-175; Phillips (2005), "Pricing and
Revenue Optimization", sections 3.3 and 5.2, for capacity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.optimal.demand_curves import DemandCurve, NoOptimalPrice, above_zero
from keycustomer.stats.samples import share_of

HALVINGS = 200
"""Halvings of the interval in which an end of the flat range is looked for: all digits."""


@dataclass(frozen=True, eq=False)
class OptimalPrice:
    """The price of one product that brings most.

    Attributes
    ----------
    demand : DemandCurve
        Units by price.
    unit_cost : float
        Cost of a unit, currency.
    price : float
        The best price that is allowed, currency per unit.
    unconstrained_price : float
        The best price without limits; infinite where profit rises without end.
    binding : {"none", "floor", "capacity", "highest price"}
        What keeps the price from being the unconstrained one.
    floor_price : float
        ``unit cost x (1 + floor)``, currency.
    capacity : float
        Units that can be delivered per period; infinite without a limit.
    highest : float
        Highest price that can be asked; infinite without a limit.
    """

    demand: DemandCurve
    unit_cost: float
    price: float
    unconstrained_price: float
    binding: str
    floor_price: float
    capacity: float = field(default=np.inf)
    highest: float = field(default=np.inf)

    def sold_at(self, price: npt.ArrayLike) -> Any:
        """Units sold per period at a price: no more than the capacity."""
        return np.minimum(self.demand.quantity(price), self.capacity)[()]

    def profit_at(self, price: npt.ArrayLike) -> Any:
        """Profit per period at a price within capacity, currency."""
        return (np.asarray(price, dtype=float)[()] - self.unit_cost) * self.sold_at(price)

    @property
    def quantity(self) -> float:
        """Units sold per period at the best price."""
        return float(self.sold_at(self.price))

    @property
    def profit(self) -> float:
        """Profit per period at the best price, currency."""
        return float(self.profit_at(self.price))

    @property
    def markup(self) -> float:
        """Markup over the unit cost as a share of the price (the Lerner index)."""
        return (self.price - self.unit_cost) / self.price

    def loss(self, price: npt.ArrayLike) -> Any:
        """Share of the best profit that another price loses.

        Parameters
        ----------
        price : float or array
            Prices per unit, currency.

        Returns
        -------
        float or ndarray
            0 at the best price, above 1 where the other price makes a loss.  Below 0 only for
            prices that are not allowed.

        Raises
        ------
        NoOptimalPrice
            When the best price brings no profit.
        """
        best = self.profit
        if best <= 0:
            raise NoOptimalPrice(
                f"the best price {self.price:g} brings a profit of {best:g}: there is none to lose"
            )
        return 1 - self.profit_at(price) / best

    def flat_range(self, keeping: float = 0.99) -> tuple[float, float]:
        """Find the allowed prices around the best one that keep a share of its profit.

        Parameters
        ----------
        keeping : float
            Share of the best profit to be kept, 0..1.

        Returns
        -------
        tuple of float
            Lowest and highest such price, currency; limits count as ends.
        """
        allowed = 1 - share_of(keeping, "keeping")
        ceiling = self._far_price(allowed)
        return (
            self._end(min(self.floor_price, self.price), allowed),
            self._end(ceiling, allowed),
        )

    def _far_price(self, allowed: float) -> float:
        """Price beyond which the loss is larger than allowed, or the highest price."""
        far = self.price
        while far < self.highest and self.loss(far) <= allowed and np.isfinite(far):
            far = min(2 * far, self.highest)
        return far

    def _end(self, far: float, allowed: float) -> float:
        """Halve the way between the best price (kept) and a far one until the loss is allowed."""
        if self.loss(far) <= allowed:
            return far
        near = self.price
        for _ in range(HALVINGS):
            middle = (near + far) / 2
            if middle in (near, far):
                break
            near, far = (middle, far) if self.loss(middle) <= allowed else (near, middle)
        return near

    def to_frame(self) -> pd.DataFrame:
        """List the result in one row.

        Returns
        -------
        DataFrame
            price, unconstrained_price, binding, floor_price, unit_cost, quantity, revenue, profit
            (per period, currency), markup (share of the price), own_price_elasticity (at the
            price), unserved (units asked for beyond the capacity).
        """
        asked = float(self.demand.quantity(self.price))
        row = {
            "price": self.price,
            "unconstrained_price": self.unconstrained_price,
            "binding": self.binding,
            "floor_price": self.floor_price,
            "unit_cost": self.unit_cost,
            "quantity": self.quantity,
            "revenue": self.price * self.quantity,
            "profit": self.profit,
            "markup": self.markup,
            "own_price_elasticity": float(self.demand.elasticity(self.price)),
            "unserved": asked - self.quantity,
        }
        return pd.DataFrame([row])

    def _repr_html_(self) -> str:
        limits = "" if self.binding == "none" else f", set by the {self.binding}"
        return sentence_html(
            f"Best price {self.price:,.4g}{limits}.", self.to_frame(), numbers=",.4g"
        )


def optimal_price(
    demand: DemandCurve,
    unit_cost: float,
    *,
    floor: float = 0.0,
    capacity: float | None = None,
    highest: float | None = None,
) -> OptimalPrice:
    """Find the price of one product that brings the largest profit.

    Parameters
    ----------
    demand : DemandCurve
        Units per period by price.
    unit_cost : float
        Cost of a unit, currency.
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost, 0 or above.
    capacity : float, optional
        Units that can be delivered per period; left out, any number.
    highest : float, optional
        Highest price that can be asked, such as the dearest the data have seen; needed where
        profit rises with the price without end.

    Raises
    ------
    NoOptimalPrice
        When no price is the best one, or none is allowed.
    ValueError
        When a number makes no sense.

    Examples
    --------
    >>> from keycustomer.pricing import ConstantElasticityDemand
    >>> demand = ConstantElasticityDemand(1000.0, -2.5)
    >>> round(optimal_price(demand, 6.0).price, 6)
    10.0
    >>> round(optimal_price(demand, 6.0, capacity=2.0).price, 6)
    12.011244
    """
    check_demand(demand)
    above_zero("unit_cost", unit_cost, zero=True)
    above_zero("floor", floor, zero=True)
    ceiling = _limit("highest", highest)
    if demand.without_end and np.isfinite(ceiling):
        best = np.inf
    else:
        best = demand.best_price(unit_cost)
    limits = {
        "none": best,
        "floor": unit_cost * (1 + floor),
        "capacity": _capacity_price(demand, _limit("capacity", capacity)),
    }
    binding = max(limits, key=lambda name: limits[name])
    price = limits[binding]
    if limits["floor"] > ceiling:
        raise NoOptimalPrice(
            f"the floor price {limits['floor']:g} (unit_cost={unit_cost:g}, floor={floor:g}) is "
            f"above highest={ceiling:g}: no price is allowed"
        )
    if price > ceiling:
        binding, price = "highest price", ceiling
    if not demand.quantity(price) > 0:
        raise NoOptimalPrice(
            f"nothing is sold at {price:g}, the lowest price that is allowed ({binding}); lower "
            "the floor, or leave the product"
        )
    return OptimalPrice(
        demand,
        float(unit_cost),
        float(price),
        float(best),
        binding,
        float(limits["floor"]),
        _limit("capacity", capacity),
        ceiling,
    )


def check_demand(demand: Any) -> None:
    """Refuse what is no demand curve, naming the cure."""
    if not isinstance(demand, DemandCurve):
        raise TypeError(
            f"demand={demand!r} must be a demand curve, such as "
            "ConstantElasticityDemand.through(price, quantity, own_price_elasticity)"
        )


def _limit(name: str, given: float | None) -> float:
    """Read a limit, infinite where none is given."""
    if given is None:
        return np.inf
    above_zero(name, given)
    return float(given)


def _capacity_price(demand: DemandCurve, capacity: float) -> float:
    """Price at which the capacity is just sold; minus infinity where it never runs out."""
    most = getattr(demand, "size", np.inf)
    return float(demand.price_at(capacity)) if capacity < most else -np.inf
