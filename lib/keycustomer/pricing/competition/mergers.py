"""What a merger does to prices, and what it must save to leave them as they are.

Question: two rivals get one owner, who no longer fears that buyers go from one to the other; how
much dearer does everything get?  :func:`merger_effect` compares the equilibria before and after,
and tells upward pricing pressure, which needs no equilibrium, and the compensating reductions of
unit costs at which prices would stay.

Sources: Werden (1996), Journal of Industrial Economics 44(4), 409-413, for compensating reductions;
Farrell & Shapiro (2010), B.E. Journal of Theoretical Economics 10(1), for upward pricing pressure;
Werden & Froeb (1994), Journal of Law, Economics & Organization 10(2), 407-426, for logit mergers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.competition.calibration import implied_costs
from keycustomer.pricing.competition.equilibrium import (
    Equilibrium,
    equilibrium_above,
    equilibrium_prices,
)
from keycustomer.pricing.competition.price_market import Floor, PriceMarket
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class MergerEffect:
    """A market before and after a merger.

    Attributes
    ----------
    merging : tuple of str
        Firms that merge.
    before, after : Equilibrium
        The two equilibria.
    cost_change : float
        Relative change of the merging firms' unit costs that was assumed.
    frame : DataFrame
        A row a product: product, firm (before), merging (whether its firm merges), price_before,
        price_after, price_change (share), pricing_pressure (what buyers that go to the partner are
        worth, share of the price: GUPPI), cost_reduction_needed (share of the unit cost at which
        no price would change; 0 for others).
    """

    merging: tuple[str, ...]
    before: Equilibrium
    after: Equilibrium
    cost_change: float
    frame: pd.DataFrame = field(repr=False)

    @property
    def price_change(self) -> float:
        """Mean price change of the merging firms' products, weighed by sales before, share."""
        merging = self.frame["merging"].to_numpy()
        weights = (self.before.quantities * self.before.prices)[merging]
        return float(np.average(self.frame["price_change"].to_numpy()[merging], weights=weights))

    @property
    def surplus_change(self) -> float:
        """Change of consumer surplus, currency per period."""
        return self.after.consumer_surplus - self.before.consumer_surplus

    @property
    def concentration(self) -> tuple[float, float]:
        """Herfindahl-Hirschman index of unit shares among buyers before and after, 0..1.

        As merger guidelines do, the shares of before are kept for both.
        """
        owners = [self.before.market.firms, self.after.market.firms]
        shares = self.before.quantities / self.before.quantities.sum()
        before, after = (
            float((pd.Series(shares).groupby(list(firms)).sum() ** 2).sum()) for firms in owners
        )
        return before, after

    def profits(self) -> pd.DataFrame:
        """Profit per period by firm, the merging ones as one: firm, before, after, change."""
        owners = self.after.market.names
        earned = self.before.market.with_firms(self.after.market.firms)
        before = earned.profits(self.before.prices).reindex(list(owners))
        after = self.after.profits.reindex(list(owners))
        frame = pd.DataFrame({"before": before, "after": after, "change": after - before})
        return frame.rename_axis("firm").reset_index()

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        first, second = self.concentration
        said = (
            f"{' and '.join(self.merging)} under one owner: their prices change by "
            f"{self.price_change:+.1%}, consumer surplus by {self.surplus_change:+,.4g} a period, "
            f"concentration from {10_000 * first:,.0f} to {10_000 * second:,.0f}."
        )
        return sentence_html(said, self.frame, self.profits(), numbers=",.4g")


def merger_effect(
    market: PriceMarket,
    firms: Sequence[str],
    *,
    cost_change: float = 0.0,
    floor: Floor = None,
) -> MergerEffect:
    """Tell what happens when firms get one owner.

    Parameters
    ----------
    market : PriceMarket
        Before the merger.
    firms : sequence of str
        Two or more firms that merge.
    cost_change : float
        Relative change of their unit costs by the merger; -.05 saves 5 %.
    floor : float or mapping of str to float, optional
        Least margin over unit cost, share of the cost.

    Raises
    ------
    KeyError, ValueError
        When a firm is unknown, there are not two, or the change of cost makes no sense.
    """
    merging = tuple(dict.fromkeys(firms))
    if isinstance(firms, str) or len(merging) < 2:
        raise ValueError(f"firms={firms!r}: two or more of {', '.join(market.names)} must merge")
    if not -1 < cost_change < np.inf:
        raise ValueError(
            f"cost_change={cost_change!r}: a share of unit cost above -1, such as -.05 where 5 % "
            "are saved"
        )
    joined = market.joined(merging)
    party = np.isin(np.asarray(market.firms, dtype=object), merging)
    before = equilibrium_prices(market, floor=floor)
    saved = joined.with_costs(market.unit_costs * np.where(party, 1 + cost_change, 1.0))
    lowest = market.with_costs(saved.unit_costs).floor_prices(floor)
    after = equilibrium_above(saved, lowest)
    return MergerEffect(merging, before, after, cost_change, _rows(before, after, joined, party))


def _rows(
    before: Equilibrium, after: Equilibrium, joined: PriceMarket, party: np.ndarray
) -> pd.DataFrame:
    market, prices = before.market, before.prices
    needed = 1 - implied_costs(joined, prices) / np.where(
        market.unit_costs > 0, market.unit_costs, np.nan
    )
    return pd.DataFrame(
        {
            "product": market.products,
            "firm": market.firms,
            "merging": party,
            "price_before": prices,
            "price_after": after.prices,
            "price_change": after.prices / prices - 1,
            "pricing_pressure": _pressure(market, joined, prices),
            "cost_reduction_needed": np.where(party, needed, 0.0),
        }
    )


def _pressure(market: PriceMarket, joined: PriceMarket, prices: FloatArray) -> FloatArray:
    """Tell what a lost unit brings the partner, as a share of the own price."""
    slopes = market.slopes(prices)
    partner = joined.ownership & ~market.ownership
    diverted = np.where(partner, slopes, 0.0) / -np.diag(slopes)
    return diverted.T @ (prices - market.unit_costs) / prices
