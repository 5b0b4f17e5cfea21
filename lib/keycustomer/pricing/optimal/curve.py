"""Profit, quantity and retention at every price: what a price slider shows.

Question: what would happen at this price?  :func:`price_curve` computes a grid of prices once;
:meth:`PriceCurve.at` tells any price on it.  With one demand curve it shows a period; with a
probability to leave and a retention response it also shows who stays and the profit over a
horizon, where the best price is another one: what a dearer price brings at once it loses later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.optimal.demand_curves import above_zero
from keycustomer.pricing.optimal.price_responses import PriceResponses, read_responses
from keycustomer.stats.samples import FloatArray

GRID = 121
"""Prices of a curve, if none are given."""


@dataclass(frozen=True, eq=False)
class PriceCurve:
    """What follows at each price.

    Attributes
    ----------
    frame : DataFrame
        One row a price: price, change (against today, share), quantity (per month), revenue,
        profit (per month at today's customers, currency), and where the customers' leaving is
        known retention (share of today's customers still there after twelve months) and
        lifetime_profit (over the horizon, currency).
    today : float
        Today's price.
    floor_price : float
        Lowest allowed price; prices below it are not on the curve.
    measure : {"profit", "lifetime_profit"}
        What the best price makes largest.
    horizon : int or None
        Months of the lifetime profit.
    currency : str
        Unit of money.
    simulated : bool
        Whether the customers are.
    """

    frame: pd.DataFrame
    today: float
    floor_price: float
    measure: str
    horizon: int | None = None
    currency: str = ""
    simulated: bool = False
    _rows: Callable[[FloatArray], pd.DataFrame] = field(repr=False, kw_only=True)

    @property
    def best(self) -> float:
        """Price on the curve at which the measure is largest."""
        return float(self.frame["price"].iloc[self._top])

    @property
    def at_edge(self) -> bool:
        """Whether the measure still rises at the end of the curve."""
        return self._top == len(self.frame) - 1

    @property
    def _top(self) -> int:
        return int(self.frame[self.measure].to_numpy().argmax())

    def at(self, price: float) -> pd.Series:
        """Tell what follows at one price within the curve's range, or at today's.

        Raises
        ------
        ValueError
            When the price is off the curve.
        """
        ends = self.frame["price"].iloc[[0, -1]].to_numpy()
        if not (ends[0] <= price <= ends[1] or price == self.today):
            raise ValueError(f"price={price!r} must be from {ends[0]:g} to {ends[1]:g}")
        return self._rows(np.array([float(price)])).iloc[0]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a price."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        rows = pd.DataFrame([self.at(self.today), self.at(self.best)]).assign(
            what=["today", "best"]
        )
        kind = "Simulated: " if self.simulated else ""
        said = f"{kind}best price {self.best:,.4g}, today {self.today:,.4g} (by {self.measure})."
        return sentence_html(said.replace("_", " "), rows, numbers=",.4g")


def price_curve(
    own_price_elasticity: float,
    unit_cost: float,
    price: float,
    quantity: float = 1.0,
    *,
    churn: float | None = None,
    retention_response: float | None = None,
    cost_to_serve: float = 0.0,
    horizon: int = 36,
    discount_rate: float = 0.1,
    floor: float = 0.0,
    within: tuple[float, float] = (0.5, 2.0),
    prices: npt.ArrayLike | None = None,
    currency: str = "",
    simulated: bool = False,
) -> PriceCurve:
    """Compute what follows at each of many prices.

    Parameters
    ----------
    own_price_elasticity : float
        Of what is used, below 0.
    unit_cost, price, quantity : float
        Cost of a unit, today's price (currency) and units per month.
    churn, retention_response : float, optional
        Probability to leave per month at today's price, and log-odds of leaving per log price;
        both or none.
    cost_to_serve : float
        Per month, currency.
    horizon, discount_rate
        Months of the lifetime profit, and its rate per year.
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost.
    within : tuple of float
        Range of prices, multiples of today's.
    prices : array, optional
        The prices to show instead.
    currency, simulated
        What the figures say.

    Raises
    ------
    ValueError
        When a number makes no sense, or only one of `churn` and `retention_response` is given.
    """
    for name, value in (("unit_cost", unit_cost), ("price", price), ("quantity", quantity)):
        above_zero(name, value)
    if (churn is None) != (retention_response is None):
        raise ValueError("churn and retention_response: give both, or none")
    one = {"revenue": price * quantity, "goods_cost": unit_cost * quantity, "price": price}
    row = pd.DataFrame([one | {"cost_to_serve": cost_to_serve, "churn": churn or 0.0}])
    responses = read_responses(
        row,
        own_price_elasticity,
        retention_response or 0.0,
        horizon=horizon,
        discount_rate=discount_rate,
    )
    return curve_of(
        responses,
        floor=floor,
        within=within,
        prices=prices,
        leaving=churn is not None,
        currency=currency,
        simulated=simulated,
    )


def curve_of(
    responses: PriceResponses,
    *,
    floor: float = 0.0,
    within: tuple[float, float] = (0.5, 2.0),
    prices: npt.ArrayLike | None = None,
    leaving: bool = True,
    currency: str = "",
    simulated: bool = False,
) -> PriceCurve:
    """Compute the curve of one price for some customers, each at its floor at least."""
    units = responses.revenue / responses.price
    today = float(responses.revenue.sum() / units.sum())
    lowest = responses.floor_price(floor)
    at = np.linspace(*within, GRID) * today if prices is None else np.sort(np.ravel(prices))
    at = np.asarray(at, dtype=float)
    if not at.size:
        raise ValueError("prices is empty: give at least one, or leave prices out for a grid")
    shown = at[at >= lowest.min()]
    if not shown.size or not np.isfinite(at).all():
        raise ValueError(
            f"prices: none of {at.min():g} to {at.max():g} is at or above the floor price "
            f"{lowest.min():g}"
        )

    def rows(price: FloatArray) -> pd.DataFrame:
        paid = np.maximum(price[:, None], lowest)
        used = responses.quantity_factor(paid) * units
        columns = {
            "price": price,
            "change": price / today - 1,
            "quantity": used.sum(axis=1),
            "revenue": (used * paid).sum(axis=1),
            "profit": responses.monthly_profit(paid).sum(axis=1),
        }
        if leaving:
            columns["retention"] = ((1 - responses.churn_at(paid)) ** 12).mean(axis=1)
            columns["lifetime_profit"] = responses.lifetime_profit(paid).sum(axis=1)
        return pd.DataFrame(columns)

    return PriceCurve(
        rows(shown),
        today,
        float(lowest.min()),
        "lifetime_profit" if leaving else "profit",
        responses.horizon if leaving else None,
        currency,
        simulated,
        _rows=rows,
    )
