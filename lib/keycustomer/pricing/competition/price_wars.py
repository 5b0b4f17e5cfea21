"""Price war: one firm cuts its price, the others answer, and nobody gets back what it cost.

Question: what does a price war cost each side against staying at peace?  :func:`price_war` starts
from prices at peace, lets one firm strike, and follows best replies period by period, all at once
or one firm after the other.  The path ends at the equilibrium; each round the distance shrinks by
the slope of the best replies, in a symmetric linear duopoly g/(2 b).  Firms may also hold their
price: the attacker who stays cheap, the defender who does not follow.

Best replies are short-sighted: nobody foresees the answer.  That is the point: each step pays, and
the path does not.

Sources: Cournot (1838), chapter 7, for the path of replies; Vives, "Oligopoly Pricing" (1999),
chapter 2, for its convergence; Heil & Helsen (2001), International Journal of Research in Marketing
18(1-2), 83-98, for price wars in practice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.competition.equilibrium import (
    Equilibrium,
    equilibrium_prices,
    joint_prices,
    need_sales,
    reply_slopes,
)
from keycustomer.pricing.competition.price_market import Floor, PriceMarket
from keycustomer.stats.samples import FloatArray

Peace: TypeAlias = "Literal['joint', 'equilibrium'] | Sequence[float] | Mapping[str, float]"
"""Prices at peace: those that bring all most, those of the equilibrium, or given ones."""

SETTLED = 0.01
"""Relative distance of every price from its end at which a war has settled."""


@dataclass(frozen=True, eq=False)
class PriceWar:
    """A price war period by period.

    Attributes
    ----------
    market : PriceMarket
        The market.
    attackers : tuple of str
        Who strikes first.
    holding : tuple of str
        Firms that do not answer; an attacker among them stays at its first price.
    order : {"simultaneous", "alternating"}
        Who replies in a period: all, or one firm after the other.
    prices : ndarray, shape (periods + 1, products)
        Prices by period, the first row at peace.
    earned : DataFrame
        Profit by period (0 at peace) and firm, currency.
    equilibrium : Equilibrium
        Prices at which nobody would change its own.
    contraction : float
        Factor by which one round of replies shrinks a small distance from the equilibrium; NaN
        where some firm holds its price.
    discount_factor : float
        Worth of an amount one period later.
    """

    market: PriceMarket = field(repr=False)
    attackers: tuple[str, ...]
    holding: tuple[str, ...]
    order: str
    prices: FloatArray = field(repr=False)
    earned: pd.DataFrame = field(repr=False)
    equilibrium: Equilibrium = field(repr=False)
    contraction: float
    discount_factor: float = 1.0

    @property
    def periods(self) -> int:
        """Periods of war."""
        return len(self.prices) - 1

    @property
    def losses(self) -> pd.Series:
        """What the war cost each firm against peace, currency, discounted to its start."""
        worth = self.discount_factor ** np.arange(self.periods)
        lost = self.earned.iloc[0] - self.earned.iloc[1:]
        return pd.Series(lost.to_numpy().T @ worth, lost.columns, name="loss")

    @property
    def loss_shares(self) -> pd.Series:
        """What the war cost each firm, share of its profit at peace."""
        worth = float((self.discount_factor ** np.arange(self.periods)).sum())
        return (self.losses / (worth * self.earned.iloc[0])).rename("loss_share")

    @property
    def settled_in(self) -> int | None:
        """First period from which no price is 1 % from where the path ends; None if it still moves.

        A path that has not ended in the last period is still moving.
        """
        near = np.abs(self.prices / self.prices[-1] - 1).max(axis=1) <= SETTLED
        moving = np.flatnonzero(~near)
        first = int(moving[-1]) + 1 if moving.size else 0
        return first if first < self.periods else None

    @property
    def ahead_until(self) -> int:
        """Last period in which the first attacker has earned more than at peace, all told; or 0."""
        own = self.earned[self.attackers[0]]
        gain = own - own.iloc[0]
        worth = self.discount_factor ** np.arange(self.periods)
        told = np.cumsum(gain.to_numpy()[1:] * worth)
        return int(np.flatnonzero(told > 0)[-1]) + 1 if (told > 0).any() else 0

    def to_frame(self) -> pd.DataFrame:
        """List periods and products.

        Returns
        -------
        DataFrame
            A row a period and product: period (0 at peace), product, firm, price, quantity,
            profit (currency).
        """
        count = len(self.market.products)
        rows = [
            {
                "period": np.full(count, number),
                "product": self.market.products,
                "firm": self.market.firms,
                "price": prices,
                "quantity": self.market.quantities(prices),
                "profit": self.market.product_profits(prices),
            }
            for number, prices in enumerate(self.prices)
        ]
        return pd.concat([pd.DataFrame(row) for row in rows], ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """Sum up by firm: firm, profit_at_peace, profit_at_end (per period), loss, loss_share."""
        frame = pd.DataFrame(
            {
                "profit_at_peace": self.earned.iloc[0],
                "profit_at_end": self.earned.iloc[-1],
                "loss": self.losses,
                "loss_share": self.loss_shares,
            }
        )
        return frame.rename_axis("firm").reset_index()

    def _repr_html_(self) -> str:
        lost = ", ".join(f"{firm} {share:.1%}" for firm, share in self.loss_shares.items())
        ends = self.settled_in
        when = "is still moving" if ends is None else f"settles in period {ends}"
        strikers, ahead = " and ".join(self.attackers), self.ahead_until
        gained = f"is ahead of peace until period {ahead}" if ahead else "is never ahead of peace"
        said = (
            f"Price war started by {strikers}: of what peace would have brought in {self.periods} "
            f"periods it costs {lost}. The path {when}; {self.attackers[0]} {gained}."
        )
        return sentence_html(said, self.summary(), numbers=",.4g")


def price_war(
    market: PriceMarket,
    *,
    attacker: str | Sequence[str] | None = None,
    cut: float | None = None,
    peace: Peace = "joint",
    order: Literal["simultaneous", "alternating"] = "simultaneous",
    holding: Sequence[str] = (),
    periods: int = 24,
    floor: Floor = None,
    discount_factor: float = 1.0,
) -> PriceWar:
    """Follow a price war from peace on.

    Parameters
    ----------
    market : PriceMarket
        The market.
    attacker : str or sequence of str, optional
        Who strikes in the first period, one firm or several; left out, the last one.
    cut : float, optional
        Share by which prices are cut; left out, attackers take their best reply to peace.
    peace : {"joint", "equilibrium"} or prices
        Prices before: those that bring all firms most together, those of the equilibrium, or
        today's, by product.
    order : {"simultaneous", "alternating"}
        Whether all firms answer the last period's prices at once, or one firm a period.
    holding : sequence of str
        Firms that never answer: a defender stays at peace prices, the attacker at its cut.
    periods : int
        Periods of war, at least 1.
    floor : float or mapping of str to float, optional
        Least margin over unit cost, share of the cost: for all firms, or by firm.
    discount_factor : float
        Worth of an amount one period later, above 0 up to 1.

    Raises
    ------
    KeyError, ValueError
        When a firm is unknown, a number out of range, or there is one firm only.
    """
    given = market.names[-1] if attacker is None else attacker
    strikers = (given,) if isinstance(given, str) else tuple(given)
    for firm in (*strikers, *holding):
        market.of_firm(firm)
    _check(cut, order, periods, discount_factor)
    need_rivals(market)
    lowest = market.floor_prices(floor)
    path = [peace_prices(market, peace, floor)]
    path.append(_strike(market, path[0], strikers, cut, floor))
    turns = _turns(market.names, strikers[0], set(holding), order)
    for number in range(periods - 1):
        path.append(_answers(market, path[-1], turns[number % len(turns)], floor))
    prices = np.maximum(np.array(path), np.r_[[np.full_like(lowest, -np.inf)], [lowest] * periods])
    settled = equilibrium_prices(market, floor=floor)
    return PriceWar(
        market,
        strikers,
        tuple(holding),
        order,
        prices,
        pd.DataFrame([_earned(market, row) for row in prices]).rename_axis("period"),
        settled,
        np.nan if holding else _contraction(market, settled, order, strikers[0]),
        discount_factor,
    )


def peace_prices(market: PriceMarket, peace: Peace, floor: Floor = None) -> FloatArray:
    """Read prices at peace, given or found.

    Raises
    ------
    ValueError
        When a word is unknown, or prices do not fit.
    """
    if isinstance(peace, str):
        if peace not in ("joint", "equilibrium"):
            raise ValueError(f"peace={peace!r} must be 'joint', 'equilibrium' or prices")
        find = joint_prices if peace == "joint" else equilibrium_prices
        return find(market, floor=floor).prices
    return market.price_vector(peace, "peace")


def _check(cut: float | None, order: str, periods: Any, discount_factor: float) -> None:
    if cut is not None and not 0 < cut < 1:
        raise ValueError(f"cut={cut!r}: a share of the price above 0 and below 1, such as 0.2")
    if order not in ("simultaneous", "alternating"):
        raise ValueError(f"order={order!r} must be 'simultaneous' or 'alternating'")
    if isinstance(periods, bool) or not isinstance(periods, int) or periods < 1:
        raise ValueError(f"periods={periods!r}: a whole number of at least 1 is needed")
    check_discount_factor(discount_factor)


def need_rivals(market: PriceMarket) -> None:
    """Refuse a market of one owner: nobody is there to fight, or to keep peace with.

    Raises
    ------
    ValueError
        When there are not two firms.
    """
    if len(market.names) < 2:
        raise ValueError(
            f"firms: all products belong to {market.names[0]}; two owners are needed for war and "
            "peace, see with_firms"
        )


def check_discount_factor(discount_factor: float) -> None:
    """Refuse what is no worth of an amount one period later."""
    if not 0 < discount_factor <= 1:
        raise ValueError(
            f"discount_factor={discount_factor!r} must be above 0 and at most 1: what an amount "
            "is worth one period later, such as 0.9"
        )


def _strike(
    market: PriceMarket,
    peace: FloatArray,
    attackers: tuple[str, ...],
    cut: float | None,
    floor: Floor,
) -> FloatArray:
    if cut is None:
        return _answers(market, peace, attackers, floor)
    striking = np.any([market.of_firm(firm) for firm in attackers], axis=0)
    return np.where(striking, np.maximum((1 - cut) * peace, market.floor_prices(floor)), peace)


def _turns(
    names: Sequence[str], attacker: str, holding: set[str], order: str
) -> list[tuple[str, ...]]:
    """Who answers in each period of a round, beginning after the attacker."""
    place = list(names).index(attacker) + 1
    answering = [firm for firm in (*names[place:], *names[:place]) if firm not in holding]
    if order == "simultaneous" or not answering:
        return [tuple(answering)]
    return [(firm,) for firm in answering]


def _answers(
    market: PriceMarket, prices: FloatArray, firms: tuple[str, ...], floor: Floor
) -> FloatArray:
    """Prices after some firms have answered the same prices."""
    new = prices.copy()
    for firm in firms:
        mine = market.of_firm(firm)
        new[mine] = market.best_reply(firm, prices, floor=floor)[mine]
    return new


def _earned(market: PriceMarket, prices: FloatArray) -> pd.Series:
    need_sales(market, prices, market.quantities(prices))
    return market.profits(prices)


def _contraction(market: PriceMarket, settled: Equilibrium, order: str, attacker: str) -> float:
    """Largest absolute eigenvalue of one round of replies at the equilibrium."""
    if settled.at_floor:
        return float("nan")
    slopes = reply_slopes(market, settled.prices)
    turns = _turns(market.names, attacker, set(), order)
    moved = np.eye(len(slopes))
    for firms in turns:
        mine = np.any([market.of_firm(firm) for firm in firms], axis=0)
        moved = np.where(mine[:, None], slopes @ moved, moved)
    return float(np.abs(np.linalg.eigvals(moved)).max())
