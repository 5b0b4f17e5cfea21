"""What the entry of a discounter does to a market.

Question: a cheap rival comes; should prices follow, and what is left?  :func:`entry_effect`
compares three states: before, with the entrant while the others keep their prices, and the new
equilibrium.  Prices usually fall; where buyers differ, those who stay with an incumbent may be the
ones who mind the price least, and then its price rises.

Sources: Frank & Salkever (1992), Southern Economic Journal 59(2), 165-179, for prices that rise;
Chen & Riordan (2008), RAND Journal of Economics 39(4), 1042-1058, for when they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.competition.equilibrium import Equilibrium, equilibrium_prices
from keycustomer.pricing.competition.price_market import Floor, PriceMarket
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class EntryEffect:
    """A market before and after an entry.

    Attributes
    ----------
    entrants : tuple of str
        Products that are new.
    before, after : Equilibrium
        The two equilibria.
    held : ndarray, shape (products after,)
        Prices while incumbents keep theirs and the entrant takes its best reply.
    frame : DataFrame
        A row a product: product, firm, price_before, price_after, price_change (share),
        quantity_before, quantity_held, quantity_after; NaN before for what is new.
    """

    entrants: tuple[str, ...]
    before: Equilibrium
    after: Equilibrium
    held: FloatArray
    frame: pd.DataFrame = field(repr=False)

    @property
    def surplus_change(self) -> float:
        """Change of consumer surplus, currency per period."""
        return self.after.consumer_surplus - self.before.consumer_surplus

    def profits(self) -> pd.DataFrame:
        """Profit per period by firm: firm, before, held, after, loss_share (after, of before)."""
        frame = pd.DataFrame(
            {
                "before": self.before.profits.reindex(list(self.after.market.names)),
                "held": self.after.market.profits(self.held),
                "after": self.after.profits,
            }
        )
        frame["loss_share"] = 1 - frame["after"] / frame["before"]
        return frame.rename_axis("firm").reset_index()

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        told = self.frame.dropna(subset="price_before")
        said = (
            f"Entry of {', '.join(self.entrants)}: incumbents' prices change by "
            f"{told['price_change'].min():+.1%} to {told['price_change'].max():+.1%}, consumer "
            f"surplus by {self.surplus_change:+,.4g} a period."
        )
        return sentence_html(said, self.frame, self.profits(), numbers=",.4g")


def entry_effect(before: PriceMarket, after: PriceMarket, *, floor: Floor = None) -> EntryEffect:
    """Tell what new products do to prices, sales and profits.

    Parameters
    ----------
    before : PriceMarket
        Without the entrant.
    after : PriceMarket
        With it, such as ``before.with_product("discounter", 1.0, 0.6, "discounter")``; the
        products of before under the same names and owners.
    floor : float or mapping of str to float, optional
        Least margin over unit cost, share of the cost: for all firms, or by firm.

    Raises
    ------
    ValueError
        When the markets do not fit, or nothing is new.
    """
    owners = dict(zip(after.products, after.firms, strict=True))
    moved = [
        name
        for name, firm in zip(before.products, before.firms, strict=True)
        if owners.get(name) != firm
    ]
    new = tuple(name for name in after.products if name not in before.products)
    if moved or not new:
        raise ValueError(
            f"after: products {', '.join(after.products)} must be those of before "
            f"({', '.join(before.products)}) with the same owners, and at least one more"
        )
    old_floor = floor
    if isinstance(floor, Mapping):
        old_floor = {firm: share for firm, share in floor.items() if firm in before.names}
    first = equilibrium_prices(before, floor=old_floor)
    second = equilibrium_prices(after, floor=floor)
    held = _held(first, second, new, floor)
    return EntryEffect(new, first, second, held, _rows(first, second, held))


def _held(
    before: Equilibrium, after: Equilibrium, new: tuple[str, ...], floor: Floor
) -> FloatArray:
    """Prices while incumbents keep theirs: the entrants answer one another and them."""
    market = after.market
    kept = dict(zip(before.market.products, before.prices, strict=True))
    prices = np.array(
        [kept.get(name, at) for name, at in zip(market.products, after.prices, strict=True)]
    )
    owners = dict(zip(market.products, market.firms, strict=True))
    coming = [firm for firm in market.names if all(owners[n] != firm for n in kept)]
    fresh = np.isin(np.asarray(market.products, dtype=object), new)
    while coming:
        last = prices.copy()
        for firm in coming:
            prices = market.best_reply(firm, prices, floor=floor)
        if np.allclose(last, prices, rtol=1e-10) or len(coming) == 1:
            break
    return np.where(fresh, prices, [kept.get(name, np.nan) for name in market.products])


def _rows(before: Equilibrium, after: Equilibrium, held: FloatArray) -> pd.DataFrame:
    names, market = list(after.market.products), after.market
    old = list(before.market.products)
    frame = pd.DataFrame(
        {
            "product": names,
            "firm": market.firms,
            "price_before": pd.Series(before.prices, old).reindex(names).to_numpy(),
            "price_after": after.prices,
        }
    )
    frame["price_change"] = frame["price_after"] / frame["price_before"] - 1
    frame["quantity_before"] = pd.Series(before.quantities, old).reindex(names).to_numpy()
    frame["quantity_held"] = market.quantities(held)
    frame["quantity_after"] = after.quantities
    return frame
