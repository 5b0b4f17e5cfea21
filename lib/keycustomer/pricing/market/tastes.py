"""Tastes of a market's buyers: what they choose at given prices, and how choices respond.

`Tastes` holds the utilities of products without their price and the price coefficients of buyers
(one kind of buyer for the logit, many for random coefficients), and gives for any prices the shares
and their derivatives, market by market.  :func:`priced` finds the prices at which no firm gains by
changing its own, by the fixed point of Morrow & Skerlos, which converges where the plain condition
p = c + markup, taken by turns, does not.

Sources: Berry (1994); Morrow & Skerlos (2011), Operations Research 59, 328-345 (zeta fixed point);
Small & Rosen (1981), Econometrica 49, 105-130 (consumer surplus).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from keycustomer.stats.samples import FloatArray

RESIDUAL = 1e-12
"""Largest first-order residual of equilibrium prices, as a share of the largest price."""

MOST_STEPS = 5_000


@dataclass(frozen=True, eq=False)
class MarketTastes:
    """Tastes of the buyers of one market.

    Attributes
    ----------
    utility : ndarray, shape (products, buyers)
        Utility of each product to each kind of buyer, without its price.
    slope : ndarray, shape (buyers,)
        Their price coefficients, utility per unit of price.
    weight : ndarray, shape (buyers,)
        Their shares of the market.
    nest : ndarray of int, shape (products,)
        Nest of each product, from 0 on; one product a nest where there are none.
    nesting : float
        Nesting coefficient, 0 (plain logit) to below 1.
    """

    utility: FloatArray = field(repr=False)
    slope: FloatArray = field(repr=False)
    weight: FloatArray = field(repr=False)
    nest: np.ndarray = field(repr=False)
    nesting: float = 0.0

    def chances(self, price: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Chance of each buyer to take each product, and that within the product's nest.

        Parameters
        ----------
        price : ndarray, shape (products,)

        Returns
        -------
        (ndarray, ndarray), each of shape (products, buyers)
        """
        value = (self.utility + self.slope * price[:, None]) / (1 - self.nesting)
        top = np.maximum(value.max(axis=0), 0)
        own = np.exp(value - top)
        if not self.nesting:
            return own / (np.exp(-top) + own.sum(axis=0)), np.ones_like(own)
        inside = self._nest_sums(own)
        log_nest = (1 - self.nesting) * (np.log(np.maximum(inside, 1e-300)) + top)
        high = np.maximum(log_nest.max(axis=0), 0)
        nests = np.exp(log_nest - high)
        nests = np.where(inside > 0, nests, 0) / (np.exp(-high) + nests.sum(axis=0))
        within = own / inside[self.nest]
        return within * nests[self.nest], within

    def shares(self, price: FloatArray) -> FloatArray:
        """Shares of the products at given prices, shape (products,)."""
        return self.chances(price)[0] @ self.weight

    def derivatives(self, price: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give the derivatives of shares by prices, in two parts.

        Returns
        -------
        (ndarray, shape (products,), ndarray, shape (products, products))
            `own` and `shared`: the derivative of share j by price k is own_j (where j is k) less
            shared_jk.
        """
        chance, within = self.chances(price)
        moved = chance * (self.slope * self.weight)
        own = moved.sum(axis=1) / (1 - self.nesting)
        shared = moved @ chance.T
        if self.nesting:
            same = self.nest[:, None] == self.nest
            shared += self.nesting / (1 - self.nesting) * same * (moved @ within.T)
        return own, shared

    def jacobian(self, price: FloatArray) -> FloatArray:
        """Give the derivatives of shares (rows) by prices (columns), shape (products, products)."""
        own, shared = self.derivatives(price)
        return np.diag(own) - shared

    def elasticities(self, price: FloatArray) -> FloatArray:
        """Elasticities of shares (rows) to prices (columns), shape (products, products)."""
        return self.jacobian(price) * price / self.shares(price)[:, None]

    def diversion(self, price: FloatArray) -> FloatArray:
        """Where buyers go who leave a product for its price, shape (products, products + 1).

        Row j holds the shares of product j's lost buyers that go to each other product, and last
        to none of them; 0 at the product itself.
        """
        moved = self.jacobian(price)
        outside = -moved.sum(axis=0)
        lost = -np.diag(moved)
        ratios = np.column_stack([moved.T, outside]) / lost[:, None]
        ratios[np.arange(len(price)), np.arange(len(price))] = 0
        return ratios

    def markups(self, price: FloatArray, own: FloatArray) -> FloatArray:
        """Price less marginal cost at which every firm's first-order conditions hold.

        Parameters
        ----------
        price : ndarray, shape (products,)
        own : ndarray, shape (products, products)
            1 where two products belong to the same firm, else 0.
        """
        return np.asarray(-np.linalg.solve(own * self.jacobian(price).T, self.shares(price)))

    def surplus(self, price: FloatArray) -> float:
        """Consumer surplus a potential buyer, in units of price, up to a constant.

        Infinite where a kind of buyer does not mind the price.
        """
        value = (self.utility + self.slope * price[:, None]) / (1 - self.nesting)
        if self.nesting:
            top = value.max(axis=0)
            inside = self._nest_sums(np.exp(value - top))
            with np.errstate(divide="ignore"):
                value = (1 - self.nesting) * (np.log(inside) + top)
        inclusive = np.logaddexp(np.logaddexp.reduce(value, axis=0), 0)
        if (self.slope >= 0).any():
            return float("inf")
        return float((self.weight * inclusive / -self.slope).sum())

    def _nest_sums(self, own: FloatArray) -> FloatArray:
        sums = np.zeros((int(self.nest.max()) + 1, own.shape[1]))
        np.add.at(sums, self.nest, own)
        return sums


def priced(
    tastes: MarketTastes, cost: FloatArray, own: FloatArray, start: FloatArray
) -> tuple[FloatArray, float]:
    """Find prices at which no firm's profit grows with any of its own prices.

    Parameters
    ----------
    tastes : MarketTastes
        Of the market.
    cost : ndarray, shape (products,)
        Marginal costs.
    own : ndarray, shape (products, products)
        1 where two products belong to the same firm, else 0.
    start : ndarray, shape (products,)
        Prices to begin with.

    Returns
    -------
    (ndarray, shape (products,), float)
        Prices, and the largest first-order residual (price less cost less markup), in prices.

    Raises
    ------
    ValueError
        When the fixed point is not reached: some prices then run away, since buyers hardly mind
        them.
    """
    price = np.array(start, dtype=float)
    for _ in range(MOST_STEPS):
        slope, shared = tastes.derivatives(price)
        step = cost + ((own * shared.T) @ (price - cost) - tastes.shares(price)) / slope - price
        price = price + step
        if not np.isfinite(price).all():
            break
        # The step is in prices; once it is rounding, another one cannot improve it.
        if np.abs(step).max() <= RESIDUAL * np.abs(price).max():
            return price, float(np.abs(price - cost - tastes.markups(price, own)).max())
    raise ValueError(
        f"no equilibrium prices were found in {MOST_STEPS:,} steps (last {price[:3]}): buyers mind "
        "some prices too little for an optimum; look at the own-price elasticities"
    )
