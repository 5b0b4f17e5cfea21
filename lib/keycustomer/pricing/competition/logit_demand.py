"""Logit demand for the products of several firms, with segments and with alike products.

Question: how many buy what at given prices?  In a :class:`LogitMarket` every buyer takes the
product with the largest utility, ``worth + price coefficient x price + chance``, or none.  Two
things set products apart.  Segments: buyers of one kind find worth what others do not.  And
`nesting`: how alike the products seem beside going without, 0 each for itself (plain logit), near 1
all the same, so that a little cheaper takes nearly all.

Sources: McFadden (1978), in Karlqvist and others, Spatial Interaction Theory and Planning Models,
75-96, for nests; Berry (1994), RAND Journal of Economics 25(2), 242-262, for their derivatives;
Small & Rosen (1981), Econometrica 49(1), 105-130, for the surplus; Morrow & Skerlos (2011),
Operations Research 59(2), 328-345, for the step to best replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp

from keycustomer.pricing.competition.price_market import (
    PriceMarket,
    owner_names,
    product_names,
    product_numbers,
)
from keycustomer.pricing.optimal.demand_curves import LogitDemand, above_zero, falling
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class LogitMarket(PriceMarket):
    """Market with logit demand, made by :func:`logit_market`.

    Attributes
    ----------
    worths : ndarray, shape (segments, products)
        Utility of each product at the price 0.
    price_coefficients : ndarray, shape (segments,)
        Utility per currency, below 0.
    unit_costs : ndarray, shape (products,)
        Cost of a unit, currency.
    products, firms : tuple of str
        Names, and the owner of each product.
    weights : ndarray, shape (segments,)
        Shares of the segments among the buyers.
    nesting : float
        How alike the products are beside going without, from 0 to below 1.
    size : float
        Possible buyers (units) per period.
    """

    worths: FloatArray
    price_coefficients: FloatArray
    unit_costs: FloatArray
    products: tuple[str, ...]
    firms: tuple[str, ...]
    weights: FloatArray
    nesting: float = 0.0
    size: float = 1.0

    @property
    def one_peak(self) -> bool:
        """Whether all buyers are of one kind; of several, a price may suit one or the other."""
        return len(self.weights) == 1

    def shares(self, prices: npt.ArrayLike) -> FloatArray:
        """Share of the possible buyers who take each product, shape (products,)."""
        return self.weights @ self._choices(np.asarray(prices, dtype=float))[0]

    def quantities(self, prices: npt.ArrayLike) -> FloatArray:
        """Units sold per period at given prices, shape (products,)."""
        return self.size * self.shares(prices)

    def slopes(self, prices: npt.ArrayLike) -> FloatArray:
        """Change of quantities per currency: row a quantity, column a price."""
        diagonal, rest = self._slope_parts(*self._choices(np.asarray(prices, dtype=float)))
        return np.diag(diagonal) - rest

    def consumer_surplus(self, prices: npt.ArrayLike) -> float:
        """Sum up the expected best utility over going without, currency per period."""
        best = np.logaddexp(0.0, self._inclusive(np.asarray(prices, dtype=float))[1])
        return float(-self.size * (self.weights * best / self.price_coefficients).sum())

    def first_prices(self) -> FloatArray:
        """Prices from which a search for the equilibrium starts: those of tiny firms.

        Raises
        ------
        ValueError
            When nobody would buy a product there.
        """
        markup = (1 - self.nesting) / float(self.weights @ self.price_coefficients)
        start = self.unit_costs - markup
        sold = self.shares(start)
        if not (sold > 0).all():
            worst = int(np.argmin(sold))
            raise ValueError(
                f"{self.products[worst]!r}: nobody buys it at {start[worst]:g}, little above its "
                f"unit cost of {self.unit_costs[worst]:g}, beside the others; leave it out, or see "
                "whether worths (utilities) and price_coefficient go with the unit of prices"
            )
        return start

    def reply_step(self, prices: FloatArray, own: npt.NDArray[np.bool_]) -> FloatArray:
        """Step of Morrow & Skerlos, whose fixed point holds the first-order conditions."""
        shares, among = self._choices(prices)
        diagonal, rest = self._slope_parts(shares, among)
        passed = np.where(own, rest, 0.0).T @ (prices - self.unit_costs)
        return self.unit_costs + (passed - self.size * (self.weights @ shares)) / diagonal

    def residual_demand(self, product: str, prices: npt.ArrayLike) -> LogitDemand:
        """Demand for one product while the others keep their prices.

        Raises
        ------
        ValueError
            When there are several segments, or nesting: the curve is then not logistic.
        """
        if len(self.weights) > 1 or self.nesting:
            raise ValueError(
                f"residual_demand of {len(self.weights)} segments with nesting={self.nesting:g}: "
                "only one segment without nesting leaves a logistic curve"
            )
        j = self.products.index(product)
        at = np.asarray(prices, dtype=float)
        utility = self.worths[0] + self.price_coefficients[0] * at
        rivals = float(logsumexp(np.append(np.delete(utility, j), 0.0)))
        coefficient = float(self.price_coefficients[0])
        return LogitDemand(float(self.worths[0, j]) - rivals, coefficient, self.size)

    def with_service(
        self, product: str, worth: float | Sequence[float], *, unit_cost: float = 0.0
    ) -> LogitMarket:
        """Give the market in which one product comes with better service.

        Parameters
        ----------
        product : str
            Which one.
        worth : float or sequence of float
            What the service is worth to buyers, currency a unit, for all or by segment.
        unit_cost : float
            What it costs, currency a unit.
        """
        j = self.products.index(product)
        worths, costs = self.worths.copy(), self.unit_costs.copy()
        worths[:, j] -= self.price_coefficients * np.asarray(worth, dtype=float)
        costs[j] += unit_cost
        return replace(self, worths=worths, unit_costs=costs)

    def with_nesting(self, nesting: float) -> LogitMarket:
        """Give the market with products more or less alike.

        Raises
        ------
        ValueError
            When `nesting` is not from 0 to below 1.
        """
        return replace(self, nesting=_checked_nesting(nesting))

    def with_product(
        self, product: str, worth: float | Sequence[float], unit_cost: float, firm: str
    ) -> LogitMarket:
        """Give the market with one product more.

        Parameters
        ----------
        product : str
            Its name.
        worth : float or sequence of float
            Utility at the price 0, for all or by segment.
        unit_cost : float
            Cost of a unit, currency.
        firm : str
            Its owner.
        """
        names = product_names(len(self.products) + 1, (*self.products, product))
        column = np.broadcast_to(np.asarray(worth, dtype=float), self.weights.shape)
        return replace(
            self,
            worths=np.column_stack([self.worths, column]),
            unit_costs=np.append(self.unit_costs, unit_cost),
            products=names,
            firms=(*self.firms, firm),
        )

    def _inclusive(self, prices: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Shares among those who buy, and the utility of the best product, by segment."""
        within = (self.worths + self.price_coefficients[:, None] * prices) / (1 - self.nesting)
        largest = within.max(axis=1, keepdims=True)
        above = np.exp(within - largest)
        total = above.sum(axis=1, keepdims=True)
        nest = (1 - self.nesting) * (largest + np.log(total))[:, 0]
        return above / total, nest

    def _choices(self, prices: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Shares by segment, of all and of those who buy, each (segments, products)."""
        among, nest = self._inclusive(prices)
        return among * expit(nest)[:, None], among

    def _slope_parts(self, shares: FloatArray, among: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Slopes as a diagonal less a matrix: what a price does alone, and through others."""
        scaled = self.size * self.weights * self.price_coefficients / (1 - self.nesting)
        mixed = self.nesting * among + (1 - self.nesting) * shares
        weighed = scaled[:, None] * shares
        return weighed.sum(axis=0), weighed.T @ mixed


def logit_market(
    worths: npt.ArrayLike,
    price_coefficient: npt.ArrayLike,
    unit_costs: npt.ArrayLike,
    *,
    firms: Sequence[object] | None = None,
    products: Sequence[object] | None = None,
    weights: npt.ArrayLike | None = None,
    nesting: float = 0.0,
    size: float = 1.0,
) -> LogitMarket:
    """Make a market with logit demand.

    Parameters
    ----------
    worths : array, shape (products,) or (segments, products)
        Utility of each product at the price 0, beside 0 of going without.
    price_coefficient : float or array, shape (segments,)
        Utility per currency, below 0, as a choice model estimates it.
    unit_costs : array, shape (products,)
        Cost of a unit, currency, 0 or above.
    firms : sequence, optional
        Owner of each product; left out, each has its own.
    products : sequence, optional
        Names; left out, "product 1" and so on.
    weights : array, shape (segments,), optional
        Sizes of the segments, above 0; left out, equal.
    nesting : float
        How alike the products seem beside going without, from 0 to below 1.
    size : float
        Possible buyers (units) per period.

    Raises
    ------
    ValueError
        When shapes do not fit or a number makes no demand.

    Examples
    --------
    >>> from keycustomer.pricing import equilibrium_prices
    >>> market = logit_market([2.0, 2.0], -1.0, [1.0, 1.0])
    >>> [round(float(price), 6) for price in equilibrium_prices(market).prices]
    [2.401058, 2.401058]
    """
    table = np.atleast_2d(np.asarray(worths, dtype=float))
    names = product_names(table.shape[1], products)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise ValueError("worths: finite utilities, a row a segment and a column a product")
    slopes = _by_segment("price_coefficient", price_coefficient, len(table))
    for slope in slopes:
        falling("price_coefficient", float(slope))
    parts = _by_segment("weights", 1.0 if weights is None else weights, len(table))
    for part in parts:
        above_zero("weights", float(part))
    above_zero("size", size)
    return LogitMarket(
        table,
        slopes,
        product_numbers("unit_costs", unit_costs, names, least=0.0),
        names,
        owner_names(names, firms),
        parts / parts.sum(),
        _checked_nesting(nesting),
        float(size),
    )


def _by_segment(name: str, given: Any, segments: int) -> FloatArray:
    numbers = np.asarray(given, dtype=float)
    if numbers.shape not in ((), (1,), (segments,)):
        raise ValueError(
            f"{name}: {numbers.size} numbers for {segments} segments; give one for each, or one"
        )
    return np.broadcast_to(numbers, segments).astype(float)


def _checked_nesting(nesting: float) -> float:
    if not (np.isfinite(nesting) and 0 <= nesting < 1):
        raise ValueError(
            f"nesting={nesting!r} must be from 0 (each product for itself) to below 1 (all alike)"
        )
    return float(nesting)
