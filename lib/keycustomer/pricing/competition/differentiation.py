"""The same price war where products are alike, and where service sets ours apart.

Question: does being different make buyers less sensitive to price (T4)?  :func:`compare_wars` lets
a rival cut its price by the same share in several markets, and tells how elastic the demand for our
product is there, and what the war costs us if we hold our price, and if we answer.

Sources: Hauser & Shugan (1983), Marketing Science 2(4), 319-360, for defence; Boulding, Lee &
Staelin (1994), Journal of Marketing Research 31(2), 159-172, for differentiation and elasticity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.competition.equilibrium import equilibrium_prices
from keycustomer.pricing.competition.price_market import PriceMarket
from keycustomer.pricing.competition.price_wars import PriceWar, price_war


@dataclass(frozen=True, eq=False)
class ComparedWars:
    """The same war in several markets.

    Attributes
    ----------
    ours, attacker : str
        Our firm, and the one that cuts its price and stays there.
    cut : float
        Share by which it does.
    frame : DataFrame
        A row a market: market, price (ours at its equilibrium), markup (Lerner index),
        own_price_elasticity (there), elasticity_at_first (at the prices of the first market),
        cross_price_elasticity (of our quantity by the attacker's price), profit (ours at peace,
        per period), loss_holding, loss_answering (share of that profit lost per period of war).
    wars : dict of str to PriceWar
        The wars in which we answer, by market.
    """

    ours: str
    attacker: str
    cut: float
    frame: pd.DataFrame
    wars: Mapping[str, PriceWar] = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        first, last = self.frame.iloc[0], self.frame.iloc[-1]
        said = (
            f"{self.attacker} cuts its price by {self.cut:.0%} and stays there. If we answer, it "
            f"costs us {first['loss_answering']:.1%} of our profit in {first['market']!r}, "
            f"{last['loss_answering']:.1%} in {last['market']!r}."
        )
        return sentence_html(said, self.frame, numbers=",.4g")


def compare_wars(
    markets: Mapping[str, PriceMarket],
    *,
    ours: str | None = None,
    attacker: str | None = None,
    cut: float = 0.2,
    periods: int = 24,
) -> ComparedWars:
    """Let a rival cut its price in several markets, and tell what it costs us.

    Parameters
    ----------
    markets : mapping of str to PriceMarket
        Markets by name, the same products in each, such as ``{"alike": market, "with service":
        market.with_service("we", 2.0, unit_cost=0.5)}``.
    ours, attacker : str, optional
        Firms; left out, the first and the last.
    cut : float
        Share by which the attacker cuts its price from the equilibrium, to stay there.
    periods : int
        Periods of war.

    Raises
    ------
    KeyError, ValueError
        When there is no market, a firm is unknown, or products differ.
    """
    first = _first(markets)
    mine = first.names[0] if ours is None else ours
    rival = first.names[-1] if attacker is None else attacker
    if mine == rival:
        raise ValueError(f"ours={mine!r} and attacker={rival!r} must be two firms")
    usual = equilibrium_prices(first).prices
    rows, wars = [], {}
    for name, market in markets.items():
        row, wars[name] = _compared(market, mine, rival, cut, periods, usual)
        rows.append({"market": name} | row)
    return ComparedWars(mine, rival, cut, pd.DataFrame(rows), wars)


def _first(markets: Mapping[str, PriceMarket]) -> PriceMarket:
    if not markets:
        raise ValueError("markets: none given; a mapping of names to markets is needed")
    first = next(iter(markets.values()))
    for name, market in markets.items():
        if market.products != first.products or market.firms != first.firms:
            raise ValueError(f"markets[{name!r}]: products and owners differ from the first's")
    return first


def _compared(
    market: PriceMarket, ours: str, rival: str, cut: float, periods: int, usual: np.ndarray
) -> tuple[dict[str, float], PriceWar]:
    """Figures of one market, averages over our products by what they sell."""
    calm = equilibrium_prices(market)
    mine, theirs = market.of_firm(ours), market.of_firm(rival)
    sold = calm.quantities[mine]
    there = market.elasticities(calm.prices).to_numpy()
    alike = market.elasticities(usual).to_numpy()
    wars = [
        price_war(
            market,
            attacker=rival,
            cut=cut,
            peace="equilibrium",
            holding=holding,
            periods=periods,
        )
        for holding in ((rival,), market.names)
    ]
    figures = {
        "price": np.average(calm.prices[mine], weights=sold),
        "markup": np.average(calm.markups[mine], weights=calm.prices[mine] * sold),
        "own_price_elasticity": np.average(np.diag(there)[mine], weights=sold),
        "elasticity_at_first": np.average(
            np.diag(alike)[mine], weights=market.quantities(usual)[mine]
        ),
        "cross_price_elasticity": np.average(there[np.ix_(mine, theirs)].sum(axis=1), weights=sold),
        "profit": calm.profits[ours],
        "loss_holding": wars[1].loss_shares[ours],
        "loss_answering": wars[0].loss_shares[ours],
    }
    return {name: float(value) for name, value in figures.items()}, wars[0]
