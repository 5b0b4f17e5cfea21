"""Bertrand-Nash equilibrium: prices at which no firm gains by changing its own.

Question: where do prices settle when every firm answers the others'?  :func:`equilibrium_prices`
solves the first-order conditions for any :class:`PriceMarket` and checks what makes them an
equilibrium: how far the conditions are from holding, whether each firm's profit has a peak there
(second-order conditions), whether a firm gains by going far, and whether searches that begin
elsewhere end at the same prices.

Sources: Morrow & Skerlos (2011), Operations Research 59(2), 328-345; Caplin & Nalebuff (1991),
Econometrica 59(1), 25-59, for when there is one; Lerner (1934) for the markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.competition.price_market import Floor, PriceMarket, search
from keycustomer.stats.samples import FloatArray

STEP = 1e-5
"""Step of numerical derivatives of the first-order conditions, relative to the price."""

BOUND = 1e-9
"""Relative distance to a floor price below which it binds."""

FAR = 3.0
"""Multiple of the first prices from which the equilibrium is searched once more."""

ROUNDS = 25
"""Rounds of best replies by which an equilibrium is looked for where there are several peaks."""

GAIN = 1e-7
"""Share of profit beyond which a firm that moves far is said to gain."""

SAME = 1e-6
"""Relative difference of prices above which two equilibria are two."""


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """Prices at which no firm gains by changing its own.

    Attributes
    ----------
    market : PriceMarket
        The market.
    prices : ndarray, shape (products,)
        Price of each product, currency.
    quantities : ndarray, shape (products,)
        Units sold per period.
    profits : Series
        Profit per period by firm, currency.
    consumer_surplus : float
        Currency per period; NaN where the demand system does not define one.
    residual : float
        Largest violation of the first-order conditions: units of profit per unit of price, as a
        share of the largest quantity.
    peaks : bool
        Whether every firm's profit has a peak at its prices (second-order conditions; prices at
        their floor held there), and no multiple of them brings it more.
    at_floor : tuple of str
        Products whose floor price binds.
    notes : tuple of str
        What the reader must know.
    """

    market: PriceMarket = field(repr=False)
    prices: FloatArray
    quantities: FloatArray
    profits: pd.Series
    consumer_surplus: float
    residual: float
    peaks: bool
    at_floor: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def markups(self) -> FloatArray:
        """Lerner index, (price - unit cost) / price, shape (products,)."""
        return (self.prices - self.market.unit_costs) / self.prices

    def to_frame(self) -> pd.DataFrame:
        """List the products.

        Returns
        -------
        DataFrame
            A row a product: product, firm, unit_cost, price, markup (Lerner index), quantity,
            own_price_elasticity (at these prices), profit (currency per period).
        """
        market = self.market
        return pd.DataFrame(
            {
                "product": market.products,
                "firm": market.firms,
                "unit_cost": market.unit_costs,
                "price": self.prices,
                "markup": self.markups,
                "quantity": self.quantities,
                "own_price_elasticity": np.diag(market.elasticities(self.prices)),
                "profit": market.product_profits(self.prices),
            }
        )

    def _repr_html_(self) -> str:
        said = (
            f"Equilibrium of {len(self.market.names)} firms: no firm gains by changing its prices "
            f"(first-order conditions hold to {self.residual:.1e}). {' '.join(self.notes)}"
        )
        return sentence_html(said, self.to_frame(), numbers=",.4g")


def equilibrium_prices(market: PriceMarket, *, floor: Floor = None) -> Equilibrium:
    """Find the prices at which no firm gains by changing its own.

    Parameters
    ----------
    market : PriceMarket
        From :func:`logit_market`, :func:`linear_market`, :func:`linear_duopoly`,
        :func:`constant_elasticity_market` or :func:`calibrated_market`.
    floor : float or mapping of str to float, optional
        Least margin over unit cost, share of the cost: for all firms, or by firm.

    Raises
    ------
    RuntimeError
        When none is found.
    TypeError, ValueError
        When it is no market, a product does not sell at the prices found, or a floor makes no
        sense.
    """
    if not isinstance(market, PriceMarket):
        raise TypeError(
            f"market={type(market).__name__}: give a market from logit_market, linear_market, "
            "constant_elasticity_market or calibrated_market"
        )
    return equilibrium_above(market, market.floor_prices(floor))


def equilibrium_above(
    market: PriceMarket, lowest: FloatArray, *, of: PriceMarket | None = None
) -> Equilibrium:
    """Find an equilibrium at or above floor prices.

    Parameters
    ----------
    market : PriceMarket
        Whose owners set the prices.
    lowest : ndarray, shape (products,)
        Floor prices, minus infinity without.
    of : PriceMarket, optional
        Whose firms' profits are told; left out, the market's.
    """
    own = market.ownership

    def step(prices: FloatArray) -> FloatArray:
        return np.maximum(market.reply_step(prices, own), lowest)

    found, notes = [search(step, np.maximum(market.first_prices(), lowest), "the equilibrium")], ""
    for start in _other_starts(market, found[0], lowest):
        try:
            found.append(search(step, start, "the equilibrium"))
        except RuntimeError:
            notes = "One search from other prices does not end: there may be other equilibria."
    good = [prices for prices in found if _gain(market, prices, lowest) <= GAIN]
    chosen = good[0] if good else found[0]
    apart = max(float(np.abs(one / chosen - 1).max()) for one in (chosen, *good))
    if apart > SAME:
        notes = f"There are several equilibria: another is up to {apart:.1%} away."
    return _described(of or market, market, chosen, lowest, (notes,) if notes else ())


def joint_prices(market: PriceMarket, *, floor: Floor = None) -> Equilibrium:
    """Find the prices at which all firms together earn most.

    The profits told are those of the firms, each with its own products.
    """
    return equilibrium_above(market.joined(), market.floor_prices(floor), of=market)


def _other_starts(
    market: PriceMarket, found: FloatArray, lowest: FloatArray
) -> Iterator[FloatArray]:
    """Prices to search from again: far ones, and where profits have several peaks the highest."""
    yield FAR * np.maximum(market.first_prices(), lowest)
    if market.one_peak:
        return
    prices = found
    for _ in range(ROUNDS):
        before = prices
        for firm in market.names:
            prices = market.reply_above(firm, prices, lowest)
        if np.abs(prices / before - 1).max() <= SAME:
            break
    yield prices


def _described(
    market: PriceMarket,
    rules: PriceMarket,
    prices: FloatArray,
    lowest: FloatArray,
    notes: tuple[str, ...],
) -> Equilibrium:
    """Describe prices at which the conditions of `rules` hold, with the profits of `market`."""
    sold = market.quantities(prices)
    need_sales(market, prices, sold)
    free = prices > lowest + BOUND * np.abs(prices)
    slope = rules.marginal_profits(prices)
    # below the floor nobody may go: there profit may fall with the price, but not rise
    violated = np.where(free, np.abs(slope), np.maximum(slope, 0.0))
    peaks, gain = _peaks(rules, prices, free), _gain(rules, prices, lowest)
    if gain > GAIN:
        notes += (f"No equilibrium: some firm gains {gain:.2%} by going far from these prices.",)
    return Equilibrium(
        market,
        prices,
        sold,
        market.profits(prices),
        market.consumer_surplus(prices),
        float(violated.max() / sold.max()),
        peaks and gain <= GAIN,
        tuple(name for name, loose in zip(market.products, free, strict=True) if not loose),
        notes,
    )


def _gain(market: PriceMarket, prices: FloatArray, lowest: FloatArray) -> float:
    """Largest share by which a firm earns more at a multiple of its prices."""
    if market.one_peak:
        return 0.0
    gains = []
    for firm in market.names:
        mine = market.of_firm(firm)
        moved = np.maximum(market.best_multiple(firm, prices), lowest)
        before, after = (float(market.product_profits(one)[mine].sum()) for one in (prices, moved))
        gains.append(after / before - 1)
    return max(gains)


def need_sales(market: PriceMarket, prices: FloatArray, sold: FloatArray) -> None:
    """Refuse prices at which the demand system sells less than nothing.

    Raises
    ------
    ValueError
        With the product and its price.
    """
    if not (sold > 0).all():
        worst = int(np.argmin(sold))
        raise ValueError(
            f"{market.products[worst]!r} does not sell at its price {prices[worst]:g} beside the "
            "others': leave it out of the market, or make it cheaper"
        )


def _peaks(market: PriceMarket, prices: FloatArray, free: npt.NDArray[np.bool_]) -> bool:
    """Whether every firm's profit is curved downwards in the prices that are free."""
    curvature = _curvature(market, prices)
    for firm in market.names:
        mine = market.of_firm(firm) & free
        block = curvature[np.ix_(mine, mine)]
        if mine.any() and np.linalg.eigvalsh((block + block.T) / 2).max() >= 0:
            return False
    return True


def _curvature(market: PriceMarket, prices: FloatArray) -> FloatArray:
    """Differentiate the first-order conditions by all prices, by central differences."""
    columns = []
    for j, price in enumerate(prices):
        move = np.zeros_like(prices)
        move[j] = STEP * max(abs(price), STEP)
        higher = market.marginal_profits(prices + move)
        columns.append((higher - market.marginal_profits(prices - move)) / (2 * move[j]))
    return np.column_stack(columns)


def reply_slopes(market: PriceMarket, prices: FloatArray) -> FloatArray:
    """How far best replies move per unit of rivals' prices at an equilibrium.

    Returns
    -------
    ndarray, shape (products, products)
        Row a price that replies, column a price replied to; 0 within a firm.

    Raises
    ------
    ValueError
        When there is not one price above 0 for each product.
    """
    prices = market.price_vector(prices, "prices")
    curvature, own = _curvature(market, prices), market.ownership
    inside = np.where(own, curvature, 0.0)
    return -np.linalg.solve(inside, np.where(own, 0.0, curvature))
