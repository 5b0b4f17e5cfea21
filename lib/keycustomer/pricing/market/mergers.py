"""A merger in an estimated market: prices, shares, profits and consumer surplus before and after.

Marginal costs are those at which the observed prices are best answers of the owners before; the
merged firm then sets the prices of all its products together, and all others answer.

Source: Nevo (2000), RAND Journal of Economics 31, 395-421 (mergers with market power and the
cereal industry).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.market.demand import MarketDemand, Ownership
from keycustomer.pricing.market.tastes import MarketTastes, priced
from keycustomer.stats.samples import FloatArray

LEAST_RESIDUAL = 1e-10
"""First-order residual of the prices after, as a share of the largest price, that is accepted."""


@dataclass(frozen=True, eq=False)
class MarketMerger:
    """What a merger does to a market.

    Attributes
    ----------
    frame : DataFrame
        market, product, owner, new_owner, marginal_cost, price, new_price, change (of the price,
        relative), share, new_share, profit, new_profit (per potential buyer, in units of price).
    surplus : DataFrame
        By market: surplus_change (of consumers, per potential buyer, in units of price),
        profit_change (of all firms) and their sum, welfare_change.
    merging : tuple of str
        Owners that merge.
    residual : float
        Largest first-order residual of the prices after, in prices.
    simulated : bool
        Whether the market is simulated.
    currency : str
        Currency of the prices; empty where unknown.
    """

    frame: pd.DataFrame = field(repr=False)
    surplus: pd.DataFrame = field(repr=False)
    merging: tuple[str, ...]
    residual: float
    simulated: bool = False
    currency: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Give a row a product and market."""
        return self.frame.copy()

    def by_product(self) -> pd.DataFrame:
        """Give means over markets by product and owner, with the change of the mean price."""
        means = self.frame.groupby(["product", "owner"], sort=True, as_index=False)[
            ["price", "new_price", "share", "new_share"]
        ].mean()
        merges = means["owner"].isin(self.merging)
        return means.assign(merging=merges, change=means["new_price"] / means["price"] - 1)

    @property
    def sentence(self) -> str:
        """What the merger does, in words."""
        rows = self.frame
        inside = rows["owner"].isin(self.merging)
        data = "Simulated: " if self.simulated else ""
        change = self.surplus["surplus_change"].mean()
        rest = rows.loc[~inside, "change"]
        others = f", those of the others by {_percent(rest)}" if len(rest) else ""
        unit = f" {self.currency}" if self.currency else ""
        return (
            f"{data}prices of the merging firms ({', '.join(self.merging)}) change by "
            f"{_percent(rows.loc[inside, 'change'])} on average{others}; consumers "
            f"{'gain' if change > 0 else 'lose'} {abs(change):.3g}{unit} a potential buyer"
        )

    def _repr_html_(self) -> str:
        tables = {"By product, mean of markets": self.by_product()}
        return report_html("A merger", [f"{self.sentence}."], tables)


def market_merger(
    demand: MarketDemand,
    merging: Mapping[str, str] | list[str] | tuple[str, ...],
    *,
    ownership: Ownership = "firm",
    cost_saving: float = 0.0,
) -> MarketMerger:
    """Let firms merge in every market.

    Parameters
    ----------
    demand : MarketDemand
        The estimated demand.
    merging : list of str, or mapping
        Owners that become one; or the new owner by old owner.
    ownership : str or mapping
        Owners before (see `MarketDemand.markups`).
    cost_saving : float
        Share by which marginal costs of the merging owners fall, 0..1.

    Returns
    -------
    MarketMerger

    Raises
    ------
    ValueError
        When an owner is not in the market, fewer than two merge, demand is not falling in price, or
        no equilibrium is found.
    """
    before = demand.markups(ownership)
    new = _new_owners(before["owner"], merging)
    if not all((one.slope < 0).all() for one in demand.tastes.values()):
        raise ValueError(
            "some buyers' price coefficients are not negative: no prices are best answers there; "
            "look at the coefficients before a merger is computed"
        )
    if not 0 <= cost_saving < 1:
        raise ValueError(f"cost_saving={cost_saving!r}: a share from 0 to below 1 is needed")
    owner = before["owner"].map(new).to_numpy()
    changed = before["owner"].isin(_merging(new)).to_numpy()
    cost = before["marginal_cost"].to_numpy() * np.where(changed, 1 - cost_saving, 1.0)
    price, found, surplus = before["price"].to_numpy(), [], []
    worst = 0.0
    for (name, rows), same in zip(
        demand.table.places.items(), demand.same_owner(owner), strict=True
    ):
        tastes = demand.tastes[name]
        after, residual = priced(tastes, cost[rows], same, price[rows])
        if residual > LEAST_RESIDUAL * after.max():
            raise ValueError(f"market {name!r}: first-order conditions fail by {residual:.1e}")
        worst = max(worst, residual)
        found.append(after)
        surplus.append((name, _surplus_change(tastes, price[rows], after)))
    frame = _rows(demand, before, owner, cost, np.concatenate(found))
    return MarketMerger(
        frame,
        _welfare(frame, surplus),
        _merging(new),
        worst,
        demand.table.simulated,
        demand.table.currency,
    )


def _new_owners(
    owner: pd.Series, merging: Mapping[str, str] | list[str] | tuple[str, ...]
) -> dict[str, str]:
    """Give the new owner of every old one."""
    there = sorted(set(owner))
    if isinstance(merging, str):
        raise ValueError(f"merging={merging!r}: give at least two owners, such as {there[:2]}")
    given = (
        {str(old): str(to) for old, to in merging.items()}
        if isinstance(merging, Mapping)
        else {str(old): " + ".join(map(str, merging)) for old in merging}
    )
    unknown = sorted(set(given) - set(there))
    if unknown:
        raise ValueError(f"merging: there is no owner {unknown}; owners are {there}")
    new = {name: given.get(name, name) for name in there}
    if not _merging(new):
        raise ValueError(f"merging={merging!r}: at least two of the owners {there} must become one")
    return new


def _merging(new: dict[str, str]) -> tuple[str, ...]:
    """Give the owners that share their new owner with another."""
    to = list(new.values())
    return tuple(name for name, one in new.items() if to.count(one) > 1)


def _surplus_change(tastes: MarketTastes, old: FloatArray, new: FloatArray) -> float:
    return tastes.surplus(new) - tastes.surplus(old)


def _rows(
    demand: MarketDemand,
    before: pd.DataFrame,
    owner: np.ndarray,
    cost: FloatArray,
    price: FloatArray,
) -> pd.DataFrame:
    share = np.concatenate(
        [demand.tastes[name].shares(price[rows]) for name, rows in demand.table.places.items()]
    )
    return before[["market", "product", "owner"]].assign(
        new_owner=owner,
        marginal_cost=cost,
        price=before["price"],
        new_price=price,
        change=price / before["price"] - 1,
        share=before["share"],
        new_share=share,
        profit=before["margin"] * before["share"],
        new_profit=(price - cost) * share,
    )


def _percent(changes: pd.Series) -> str:
    return f"{100 * changes.mean():+.1f} %"


def _welfare(frame: pd.DataFrame, surplus: list[tuple[str, float]]) -> pd.DataFrame:
    told = pd.DataFrame(surplus, columns=["market", "surplus_change"]).set_index("market")
    sums = frame.groupby("market", sort=False)[["profit", "new_profit"]].sum()
    told["profit_change"] = sums["new_profit"] - sums["profit"]
    return told.assign(welfare_change=told.sum(axis=1)).reset_index()
