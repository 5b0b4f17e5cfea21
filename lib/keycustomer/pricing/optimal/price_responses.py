"""What customers bring at other prices: they use less, and more of them leave.

Question: what is a customer worth over a horizon at a price?  :class:`PriceResponses` holds what
each customer brings a month at today's price, its probability to leave, and its two responses:
own-price elasticity of usage, and retention response (log-odds of leaving per log price).  It gives
quantity, margin, retention and lifetime profit at any prices.

With price factor f (new price over today's), revenue R, cost of goods G and cost to serve S a
month, elasticity e, monthly probability to leave h and retention response b,

    profit(f) = sum over months k = 1..H of d^k (1 - h(f))^(k - 1) (R f^(1 + e) - G f^e - S),
    log-odds of h(f) = log-odds of h + b log f,      d = (1 + rate)^(-1/12):

who leaves pays for the month of leaving, as in the simulated company.

Sources: Gupta & Lehmann (2003), Journal of Interactive Marketing 17(1), 9-24, for margin times
retention; the two responses to price are those of the simulated operator
(:mod:`keycustomer.simulate`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from keycustomer.lifetime.arguments import whole_number
from keycustomer.pricing.panels.numbers import numbers_in
from keycustomer.stats import Estimate
from keycustomer.stats.samples import FloatArray

Response: TypeAlias = float | Estimate | pd.Series | Mapping[Any, float]
"""One number (or estimate) for all customers, or one for each by customer_id."""

_BY_CUSTOMER = (
    "price",
    "revenue",
    "goods_cost",
    "cost_to_serve",
    "churn",
    "own_price_elasticity",
    "retention_response",
)

SHOWN = 3
"""Customers named in a message."""


@dataclass(frozen=True, eq=False)
class PriceResponses:
    """What each of n customers brings a month, and how it responds to price.

    Attributes
    ----------
    customers : Index
        Who stands in which row.
    price : ndarray, shape (n,)
        Today's price paid per unit, currency or index.
    revenue, goods_cost, cost_to_serve : ndarray, shape (n,)
        Per month at today's price, currency.
    churn : ndarray, shape (n,)
        Probability to leave per month at today's price, 0..1.
    own_price_elasticity : ndarray, shape (n,)
        Of usage, 0 or below.
    retention_response : ndarray, shape (n,)
        Log-odds of leaving per log price, 0 or above.
    horizon : int
        Months counted.
    discount_rate : float
        Effective rate per year, a share.
    """

    customers: pd.Index = field(repr=False)
    price: FloatArray = field(repr=False)
    revenue: FloatArray = field(repr=False)
    goods_cost: FloatArray = field(repr=False)
    cost_to_serve: FloatArray = field(repr=False)
    churn: FloatArray = field(repr=False)
    own_price_elasticity: FloatArray = field(repr=False)
    retention_response: FloatArray = field(repr=False)
    horizon: int
    discount_rate: float

    def __len__(self) -> int:
        """Count the customers."""
        return len(self.price)

    @property
    def unit_cost(self) -> FloatArray:
        """Cost of goods per unit, in the unit of `price`, shape (n,)."""
        return np.asarray(self.price * self.goods_cost / self.revenue)

    def floor_price(self, floor: float) -> FloatArray:
        """Lowest allowed price of each customer, ``unit cost x (1 + floor)``, shape (n,)."""
        return self.unit_cost * (1 + floor)

    def quantity_factor(self, price: FloatArray) -> FloatArray:
        """Usage at some prices over today's, shape of `price` against (n,)."""
        return np.asarray((price / self.price) ** self.own_price_elasticity)

    def monthly_profit(self, price: FloatArray) -> FloatArray:
        """Profit of a month in which the customer is there, currency."""
        factor, used = np.asarray(price / self.price), self.quantity_factor(price)
        kept = self.revenue * factor * used - self.goods_cost * used
        return np.asarray(kept - self.cost_to_serve)

    def churn_at(self, price: FloatArray) -> FloatArray:
        """Probability to leave per month at some prices."""
        moved = self.retention_response * np.log(price / self.price)
        return np.asarray(expit(logit(self.churn) + moved))

    def months_at(self, price: FloatArray) -> FloatArray:
        """Discounted months that a customer is expected to stay within the horizon."""
        month = (1 + self.discount_rate) ** (-1 / 12)
        stay = month * (1 - self.churn_at(price))
        gone = 1 - stay
        # (1 - x^H)/(1 - x) without cancellation where hardly anybody leaves
        summed = -np.expm1(self.horizon * np.log(np.maximum(stay, np.finfo(float).tiny)))
        return np.asarray(
            month * np.where(gone > 0, summed / np.maximum(gone, 1e-300), self.horizon)
        )

    def lifetime_profit(self, price: FloatArray) -> FloatArray:
        """Add up the expected discounted profit over the horizon, currency."""
        return self.monthly_profit(price) * self.months_at(price)

    def only(self, rows: npt.NDArray[Any]) -> PriceResponses:
        """Keep some customers, by a mask or positions."""
        kept = {name: getattr(self, name)[rows] for name in _BY_CUSTOMER}
        return PriceResponses(
            self.customers[rows],
            **kept,
            horizon=self.horizon,
            discount_rate=self.discount_rate,
        )


def read_responses(
    customers: pd.DataFrame,
    own_price_elasticity: Response,
    retention_response: Response,
    *,
    horizon: int = 36,
    discount_rate: float = 0.1,
) -> PriceResponses:
    """Read what customers bring and how they respond to price.

    Parameters
    ----------
    customers : DataFrame
        One row a customer (or group), its name in the column customer_id or the index: revenue and
        goods_cost per month (currency), churn (probability to leave per month), optional
        cost_to_serve (per month, currency; 0 where left out) and price (paid per unit; 1, today's
        prices as an index, where left out).
    own_price_elasticity : float, Estimate, Series or mapping
        Elasticity of usage, 0 or below, for all or by customer.
    retention_response : float, Estimate, Series or mapping
        Log-odds of leaving per log price, 0 or above, for all or by customer.
    horizon : int
        Months counted.
    discount_rate : float
        Effective rate per year, a share.

    Raises
    ------
    KeyError, ValueError
        When columns or customers are missing or a number makes no sense; the first are named.
    """
    frame = customers.set_index("customer_id") if "customer_id" in customers else customers
    missing = [name for name in ("revenue", "goods_cost", "churn") if name not in frame]
    if missing:
        raise KeyError(f"customers has no column {', '.join(missing)}")
    if frame.empty or not frame.index.is_unique:
        what = "is empty" if frame.empty else "has customers that come more than once"
        raise ValueError(f"customers {what}; one row a customer is needed")
    if not -1 < discount_rate < np.inf:
        raise ValueError(f"discount_rate={discount_rate!r} must be a share a year, such as .1")
    frame = frame.assign(
        cost_to_serve=frame.get("cost_to_serve", 0.0), price=frame.get("price", 1.0)
    )
    columns = {
        "price": (1e-12, np.inf),
        "revenue": (1e-12, np.inf),
        "goods_cost": (0.0, np.inf),
        "cost_to_serve": (-np.inf, np.inf),
        "churn": (0.0, 1.0),
    }
    parts = {
        name: _within(frame[name], f"customers[{name!r}]", *at) for name, at in columns.items()
    }
    own = _response(own_price_elasticity, frame.index, "own_price_elasticity", (-np.inf, 0.0))
    kept = _response(retention_response, frame.index, "retention_response", (0.0, np.inf))
    months = whole_number(horizon, "horizon", of="months", least=1)
    return PriceResponses(
        frame.index,
        **parts,
        own_price_elasticity=own,
        retention_response=kept,
        horizon=months,
        discount_rate=float(discount_rate),
    )


def _response(
    given: Response, customers: pd.Index, name: str, within: tuple[float, float]
) -> FloatArray:
    """Read one response for all, or one by customer."""
    if isinstance(given, Estimate):
        given = given.estimate
    if isinstance(given, (Mapping, pd.Series)):
        series = pd.Series(given).reindex(customers)
        if series.isna().any():
            first = series.index[series.isna()][:SHOWN].tolist()
            raise KeyError(f"{name}: none for {first} ({int(series.isna().sum()):,} customers)")
    else:
        series = pd.Series(given, index=customers)
    return _within(series, name, *within)


def _within(series: pd.Series, name: str, low: float, high: float) -> FloatArray:
    """Read finite numbers within bounds, naming the first that are not."""
    numbers = numbers_in(series, name).to_numpy()
    wrong = ~(np.isfinite(numbers) & (numbers >= low) & (numbers <= high))
    if not wrong.any():
        return np.asarray(numbers)
    first = ", ".join(
        f"{numbers[row]:g} ({series.index[row]!r})" for row in np.flatnonzero(wrong)[:SHOWN]
    )
    ends = {"at least": low, "at most": high}
    allowed = [f"{word} {end:g}" for word, end in ends.items() if np.isfinite(end)]
    cure = {
        "own_price_elasticity": "; what sells more when it is dearer is not a demand curve",
        "retention_response": "; an estimate below 0 says that discounts followed risk",
    }.get(name, "; drop these customers or give them a value")
    bounds = " and ".join(["finite", *allowed]).replace("at least 1e-12", "above 0")
    more = " and more" if wrong.sum() > SHOWN else ""
    raise ValueError(f"{name}: {first}{more} must be {bounds}{cure}")
