"""How patient rivals must be to keep the peace.

Question: high prices bring all more, and every firm would gain by undercutting for a while; when
does nobody?  If a breach is answered by a price war for ever (grim trigger), peace holds for a firm
that values the next period at least by the critical discount factor ``(D - P)/(D - N)``: the gain
of the breach over the gain and the loss that follows (:func:`critical_discount_factor`).  A breach
that goes unnoticed for several periods makes it harder.

Agreements among rivals on prices are forbidden nearly everywhere; the factor tells how far a market
is from war, not what to agree on.

Sources: Friedman (1971), Review of Economic Studies 38(1), 1-12; Ivaldi and others, "The Economics
of Tacit Collusion" (European Commission, 2003), for the lag of detection.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.competition.equilibrium import equilibrium_prices
from keycustomer.pricing.competition.price_market import Floor, PriceMarket
from keycustomer.pricing.competition.price_wars import Peace, need_rivals, peace_prices
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class PeaceTerms:
    """What peace needs of each firm.

    Attributes
    ----------
    frame : DataFrame
        A row a firm: firm, peace, breach, war (profit per period at peace, undercutting the
        others at peace, and at the equilibrium, currency), critical_discount_factor (infinite
        where war brings the firm no less than peace).
    prices : DataFrame
        A row a product: product, firm, peace, breach (its owner undercutting), war (prices).
    lag : int
        Periods until a breach is answered.
    """

    frame: pd.DataFrame
    prices: pd.DataFrame = field(repr=False)
    lag: int

    @property
    def critical(self) -> float:
        """Smallest worth of the next period at which every firm keeps the peace.

        Infinite where some firm would not at any.
        """
        return float(self.frame["critical_discount_factor"].max())

    def highest_rate(self, periods_per_year: float = 12.0) -> float:
        """Highest interest rate at which peace holds, per year; below 0 where it cannot.

        Parameters
        ----------
        periods_per_year : float
            Periods in which prices can be changed.
        """
        return float(self.critical**-periods_per_year - 1)

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        if self.critical < 1:
            said = (
                f"Peace holds while the next period is worth at least {self.critical:.4f} of this "
                f"one (a breach is answered after {self.lag} of them)."
            )
        else:
            said = "No patience makes every firm keep this peace."
        return sentence_html(said, self.frame, self.prices, numbers=",.4g")


def critical_discount_factor(
    market: PriceMarket, *, peace: Peace = "joint", lag: int = 1, floor: Floor = None
) -> PeaceTerms:
    """Tell how patient every firm must be to keep the peace.

    Parameters
    ----------
    market : PriceMarket
        The market.
    peace : {"joint", "equilibrium"} or prices
        Prices at peace: those that bring all firms most together, or given ones by product.
    lag : int
        Periods until a breach is answered, at least 1.
    floor : float or mapping of str to float, optional
        Least margin over unit cost, share of the cost: for all firms, or by firm.

    Raises
    ------
    ValueError
        When prices do not fit, the lag is no whole number of at least 1, or there is one firm only.

    Examples
    --------
    >>> from keycustomer.pricing import linear_duopoly
    >>> round(critical_discount_factor(linear_duopoly(100, 2, 1, 10)).critical, 4)
    0.5294
    """
    if isinstance(lag, bool) or not isinstance(lag, int) or lag < 1:
        raise ValueError(f"lag={lag!r}: a whole number of periods of at least 1 is needed")
    need_rivals(market)
    calm = peace_prices(market, peace, floor)
    war = equilibrium_prices(market, floor=floor).prices
    breach, breached = calm.copy(), []
    for firm in market.names:
        mine = market.of_firm(firm)
        deviating = market.best_reply(firm, calm, floor=floor)
        breach[mine] = deviating[mine]
        breached.append(float(market.profits(deviating)[firm]))
    frame = pd.DataFrame(
        {
            "firm": market.names,
            "peace": market.profits(calm).to_numpy(),
            "breach": breached,
            "war": market.profits(war).to_numpy(),
        }
    )
    told = {"product": market.products, "firm": market.firms}
    prices = pd.DataFrame(told | {"peace": calm, "breach": breach, "war": war})
    return PeaceTerms(frame.assign(critical_discount_factor=_critical(frame, lag)), prices, lag)


def _critical(frame: pd.DataFrame, lag: int) -> FloatArray:
    """Factor at which breach for `lag` periods and war after it is worth peace for ever."""
    peace, breach, war = (frame[name].to_numpy(dtype=float) for name in ("peace", "breach", "war"))
    gained = np.maximum(breach - peace, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (gained / (breach - war)) ** (1 / lag)
    return np.where(gained == 0, 0.0, np.where(peace > war, factor, np.inf))
