"""The price that brings most over the customers' lifetime.

Question: what to charge when a dearer price also drives customers away?  Usage of business lines is
inelastic (elasticity above -1): by one period's profit no price is the best one, and by the static
rule every rise pays.  Customers who leave pay nothing, so :func:`lifetime_optimal_price` weighs the
margin of a month against the months that are left: profit over a horizon from elasticity and
retention response, discounted, for one price for all, one for each group, or each customer's own.

The best price is looked for within a range around today's: responses are not known beyond it.
Where profit still rises at an end of the range, the result says so.

Sources: see :mod:`keycustomer.pricing.optimal.price_responses`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.optimal.curve import PriceCurve, curve_of
from keycustomer.pricing.optimal.demand_curves import NoOptimalPrice, above_zero
from keycustomer.pricing.optimal.price_responses import PriceResponses, Response, read_responses
from keycustomer.stats.samples import FloatArray

GRID = 61
"""Prices tried first, evenly spaced in logarithms; then the best one is refined."""

THIRDS = 60
"""Times the interval around the best price tried is cut to two thirds: all digits."""

EVERYBODY = "all"
"""Name of the only group where one price is charged to all."""


@dataclass(frozen=True, eq=False)
class LifetimePrice:
    """Prices that bring most over a horizon.

    Attributes
    ----------
    frame : DataFrame
        One row a group: group, customers, price_today (paid per unit, mean by units), price,
        change (share), static_price (best for one month alone; infinite where there is none),
        quantity_change (share), retention_today and retention (still there after twelve months),
        profit_today and profit (over the horizon, currency), lifted (customers whose floor price
        is higher and who pay that), at_edge (profit still rises at an end of the range).
    prices : Series
        Price of each customer, by customer_id, none below its floor price.
    responses : PriceResponses
        What was assumed of the customers.
    groups : Series
        Group of each customer, by customer_id.
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost.
    within : tuple of float
        Range of prices, multiples of today's.
    currency : str
        Unit of money.
    simulated : bool
        Whether the customers are.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    prices: pd.Series = field(repr=False)
    responses: PriceResponses = field(repr=False)
    groups: pd.Series = field(repr=False)
    floor: float
    within: tuple[float, float]
    currency: str = ""
    simulated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def profit(self) -> float:
        """Profit over the horizon at the best prices, currency."""
        return float(self.frame["profit"].sum())

    @property
    def gain(self) -> float:
        """Profit over the horizon beyond that at today's prices, currency."""
        return self.profit - float(self.frame["profit_today"].sum())

    def curve(self, group: Any = None, prices: npt.ArrayLike | None = None) -> PriceCurve:
        """Compute profit, quantity and retention at each price of a group (or of all customers).

        Parameters
        ----------
        group : optional
            One of the groups; left out, one price for all customers.
        prices : array, optional
            The prices to show; left out, the range that was looked at.

        Raises
        ------
        KeyError
            When there is no such group.
        """
        mask = np.ones(len(self.groups), bool)
        if group is not None:
            mask = (self.groups == group).to_numpy()
            if not mask.any():
                raise KeyError(f"no group {group!r}; there is: {', '.join(map(str, self._names))}")
        return curve_of(
            self.responses.only(mask),
            floor=self.floor,
            within=self.within,
            prices=prices,
            currency=self.currency,
            simulated=self.simulated,
        )

    @property
    def _names(self) -> list[Any]:
        return self.frame["group"].tolist()

    def to_frame(self) -> pd.DataFrame:
        """Return one row a group."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        kind = "Simulated: " if self.simulated else ""
        said = (
            f"{kind}{self.gain:+,.0f} {self.currency} over {self.responses.horizon} months against "
            f"today's prices. {' '.join(self.notes)}"
        )
        return sentence_html(said.strip(), self.frame.head(25), numbers=",.4g")


def lifetime_optimal_price(
    customers: pd.DataFrame,
    own_price_elasticity: Response,
    retention_response: Response,
    *,
    by: pd.Series | str | None = None,
    horizon: int = 36,
    discount_rate: float = 0.1,
    floor: float = 0.0,
    within: tuple[float, float] = (0.5, 2.0),
    currency: str = "",
    simulated: bool = False,
) -> LifetimePrice:
    """Find the price that brings the largest profit over a horizon.

    Parameters
    ----------
    customers : DataFrame
        One row a customer (or group), as :func:`customers_at_prices` gives it: customer_id (or
        the index), revenue and goods_cost per month (currency), churn (probability to leave per
        month), optional cost_to_serve (per month) and price (paid per unit; 1 where left out).
    own_price_elasticity, retention_response : float, Estimate, Series or mapping
        Elasticity of usage (0 or below), and log-odds of leaving per log price (0 or above), for
        all or by customer.
    by : Series or str, optional
        Group of each customer by customer_id, such as its tier, or a column of `customers`; left
        out, one price for all.  "customer_id" gives each customer its own price.
    horizon : int
        Months counted.
    discount_rate : float
        Effective rate per year, a share.
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost; it holds for every customer.
    within : tuple of float
        Range of prices looked at, multiples of each group's price today.
    currency, simulated
        What the result says.

    Raises
    ------
    NoOptimalPrice
        When nobody reacts to the price, neither in usage nor by leaving.
    KeyError, ValueError
        When columns, customers or groups are missing, or a number makes no sense.
    """
    responses = read_responses(
        customers,
        own_price_elasticity,
        retention_response,
        horizon=horizon,
        discount_rate=discount_rate,
    )
    above_zero("floor", floor, zero=True)
    _check_range(within)
    if not (responses.own_price_elasticity.any() or responses.retention_response.any()):
        raise NoOptimalPrice(
            "own_price_elasticity and retention_response are 0 for everybody: nothing speaks "
            "against any price. Estimate them, they are not 0"
        )
    groups = _groups(by, customers, responses.customers)
    codes, names = pd.factorize(groups, sort=True)
    search = _Search(responses, codes, len(names), responses.floor_price(floor))
    best, edge = search.best(within)
    frame = _frame(search, best, names, within).assign(at_edge=edge)
    return LifetimePrice(
        frame,
        pd.Series(search.paid(best), responses.customers, name="price"),
        responses,
        groups,
        float(floor),
        within,
        currency,
        simulated,
        _notes(frame, within),
    )


class _Search:
    """Prices of groups of customers, and what they bring."""

    def __init__(
        self, responses: PriceResponses, codes: npt.NDArray[Any], count: int, lowest: FloatArray
    ) -> None:
        self.responses, self.codes, self.count, self.lowest = responses, codes, count, lowest
        units = responses.revenue / responses.price
        self.today = self.sums(responses.revenue) / self.sums(units)

    def sums(self, values: npt.NDArray[Any]) -> FloatArray:
        """Add up by group."""
        return np.bincount(self.codes, values, self.count).astype(np.float64)

    def paid(self, price: FloatArray) -> FloatArray:
        """Price of each customer at the groups' prices."""
        return np.asarray(np.maximum(price[self.codes], self.lowest))

    def profit(self, price: FloatArray) -> FloatArray:
        """Profit of each group over the horizon at the groups' prices."""
        return self.sums(self.responses.lifetime_profit(self.paid(price)))

    def monthly(self, price: FloatArray) -> FloatArray:
        """Profit of each group in a month, nobody leaving."""
        return self.sums(self.responses.monthly_profit(self.paid(price)))

    def best(
        self, within: tuple[float, float], monthly: bool = False
    ) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Best price of each group, and whether it lies at an end of the range."""
        value = self.monthly if monthly else self.profit
        factors = np.geomspace(*within, GRID)
        tried = np.array([value(factor * self.today) for factor in factors])
        top = tried.argmax(axis=0)
        low = np.log(factors[np.maximum(top - 1, 0)])
        high = np.log(factors[np.minimum(top + 1, GRID - 1)])
        for _ in range(THIRDS):
            left, right = (2 * low + high) / 3, (low + 2 * high) / 3
            rises = value(np.exp(left) * self.today) < value(np.exp(right) * self.today)
            low, high = np.where(rises, left, low), np.where(rises, high, right)
        found = np.exp((low + high) / 2)
        # at the lower end a floor that holds is the reason, not the range
        edge = np.isclose(found, within[1]) | np.isclose(found, within[0])
        held = self.sums(self.paid(found * self.today) > (found * self.today)[self.codes])
        return found * self.today, edge & (held < self.sums(np.ones(len(self.codes))))


def _frame(
    search: _Search, best: FloatArray, names: pd.Index, within: tuple[float, float]
) -> pd.DataFrame:
    responses, sums = search.responses, search.sums
    units, now, paid = responses.revenue / responses.price, responses.price, search.paid(best)
    count = sums(np.ones(len(now)))
    static, edge = search.best(within, monthly=True)
    inelastic = sums((responses.own_price_elasticity >= -1).astype(float)) > 0
    return pd.DataFrame(
        {
            "group": names,
            "customers": count.astype(int),
            "price_today": search.today,
            "price": best,
            "change": best / search.today - 1,
            "static_price": np.where(inelastic | (edge & (static > search.today)), np.inf, static),
            "quantity_change": sums(responses.quantity_factor(paid) * units) / sums(units) - 1,
            "retention_today": sums((1 - responses.churn) ** 12) / count,
            "retention": sums((1 - responses.churn_at(paid)) ** 12) / count,
            "profit_today": sums(responses.lifetime_profit(now)),
            "profit": sums(responses.lifetime_profit(paid)),
            "lifted": sums((paid > best[search.codes]).astype(float)).astype(int),
        }
    )


def _check_range(within: tuple[float, float]) -> None:
    low, high = within
    if not 0 < low < high < np.inf:
        raise ValueError(f"within={within!r} must be two rising multiples of today's price")


def _groups(by: pd.Series | str | None, customers: pd.DataFrame, index: pd.Index) -> pd.Series:
    """Group of each customer in the order of the index."""
    if by is None:
        return pd.Series(EVERYBODY, index)
    if isinstance(by, str):
        if by == "customer_id":
            return pd.Series(index, index)
        if by not in customers:
            raise KeyError(f"by={by!r}: customers has no such column")
        groups = pd.Series(customers[by].to_numpy(), index)
    else:
        groups = by.reindex(index)
    if groups.isna().any():
        first = groups.index[groups.isna()][:3].tolist()
        raise KeyError(f"by: no group for {first} ({int(groups.isna().sum()):,} customers)")
    return groups


def _notes(frame: pd.DataFrame, within: tuple[float, float]) -> tuple[str, ...]:
    said = []
    without = int(np.isinf(frame["static_price"]).sum())
    if without:
        said.append(
            f"By one month's profit {without} of {len(frame)} prices would rise without end (an "
            "elasticity of -1 or above); leaving customers set the limit."
        )
    if frame["at_edge"].any():
        said.append(
            f"{int(frame['at_edge'].sum())} of {len(frame)} best prices lie at an end of the range "
            f"looked at ({within[0]:g} to {within[1]:g} times today's): no best price within it."
        )
    if frame["lifted"].any():
        said.append(
            f"{int(frame['lifted'].sum()):,} customers pay their floor price, which is above their "
            "group's."
        )
    return tuple(said)
