"""A Markov chain of customers by recency, estimated from their purchases.

How likely is a customer to buy next month who bought last month, two months ago, or ten?  Counting
over all customers and months gives the probabilities of the recency chain of Pfeifer & Carraway,
what a buying month brings gives its reward, and with both the value of every state.
:func:`fit_recency_chain` does so; :class:`RecencyChain` adds the intervals and the customer equity.

The chain knows of a customer only when it bought last, not how often it used to: a stated limit of
the method, which the models of :mod:`keycustomer.lifetime.transactions` do not have.

Source: Pfeifer & Carraway (2000), Journal of Interactive Marketing 14(2), 43-55.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase
from keycustomer.customers.table import Day
from keycustomer.lifetime.arguments import whole_number
from keycustomer.lifetime.chains.markov import CustomerChain, recency_chain
from keycustomer.lifetime.discrete.opportunities import bought_periods
from keycustomer.lifetime.discrete.powers import IntArray
from keycustomer.stats import Estimate, bootstrap_counts, bootstrap_estimate
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.samples import FloatArray, share_of


@dataclass(frozen=True, eq=False)
class _Waits:
    """What customers did, period by period, in few numbers.

    `gap` and `owner` hold one entry a repeat purchase: periods since the one before, and whose it
    is.  `wait` (periods since the last purchase), `revenue` and `periods` (with a purchase) hold
    one entry a customer.
    """

    gap: IntArray
    owner: IntArray
    wait: IntArray
    revenue: FloatArray
    periods: FloatArray

    def tally(self, longest: int, weights: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Count customers at risk and buying at each recency, and revenue of a buying period."""
        bought = _counted(np.minimum(self.gap, longest + 1), weights[self.owner], longest + 2)
        waited = _counted(np.minimum(self.wait, longest + 1), weights, longest + 2)
        at_risk = np.cumsum((bought + waited)[::-1])[::-1]
        spend = float(weights @ self.revenue) / float(weights @ self.periods)
        return at_risk[1 : longest + 1], bought[1 : longest + 1], spend


def _counted(places: IntArray, weights: FloatArray, size: int) -> FloatArray:
    """Sum weights by place."""
    return np.bincount(places, weights, size).astype(np.float64, copy=False)


@dataclass(frozen=True, eq=False)
class RecencyChain:
    """A recency chain with the customers it was estimated from.

    Attributes
    ----------
    chain : CustomerChain
        The chain.
    margin : float
        Share of revenue that is kept.
    contact_cost : float
        Spent per period on a customer who is not given up, currency.
    counts : DataFrame
        One row a recency: recency, at_risk (times that customers were there), bought (of these in
        the next period), probability, lower, upper (Wilson, 95 %; they take times of one customer
        as independent).
    customers : DataFrame
        One row a customer, sorted by customer_id: customer_id, state (at the end of observation).
    returned : float
        Share of the repeat purchases made by customers the chain had given up, 0..1: where it is
        not small, more states are needed.
    """

    chain: CustomerChain
    margin: float
    contact_cost: float
    counts: pd.DataFrame = field(repr=False)
    customers: pd.DataFrame = field(repr=False)
    returned: float
    waits: _Waits = field(repr=False)

    @property
    def longest(self) -> int:
        """Last recency before a customer is given up."""
        return len(self.counts)

    def value(
        self,
        discount_rate: float,
        horizon: int | None = None,
        *,
        draws: int = 0,
        seed: Seed = 0,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Value of the customers in each state.

        Parameters
        ----------
        discount_rate : float
            Effective rate per year, a share.
        horizon : int, optional
            Periods to look ahead; left out, for ever.
        draws : int
            Number of bootstrap draws for the intervals, 0 for none.
        seed : int or Generator
            The same seed gives the same intervals.
        level : float
            Confidence level of the intervals, 0..1.

        Returns
        -------
        DataFrame
            One row a state: state, customers (in it now), value (the reward on entering it
            included), to_come (without the purchase just made: what such a customer is worth from
            now on), lower, upper (of to_come; NaN without draws), currency.
        """
        to_come = self._to_come(self.chain, discount_rate, horizon)
        drawn = self._drawn(discount_rate, horizon, draws, seed)
        lower, upper = np.full((2, to_come.size), math.nan)
        if len(drawn):
            lower, upper = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return pd.DataFrame(
            {
                "state": self.chain.states,
                "customers": self._sizes(),
                "value": self.chain.value(discount_rate, horizon),
                "to_come": to_come,
                "lower": lower,
                "upper": upper,
            }
        )

    def equity(
        self,
        discount_rate: float,
        horizon: int | None = None,
        *,
        draws: int = 0,
        seed: Seed = 0,
        level: float = 0.95,
    ) -> Estimate:
        """Sum what all customers are worth from now on.

        Parameters
        ----------
        discount_rate, horizon, draws, seed, level
            As in :meth:`value`.

        Returns
        -------
        Estimate
            Currency; its interval says how far the chain may be off, for these customers.
        """
        sizes = self._sizes()
        total = float(self._to_come(self.chain, discount_rate, horizon) @ sizes)
        sums = self._drawn(discount_rate, horizon, draws, seed) @ sizes
        n = len(self.customers)
        if not sums.size:
            return Estimate.without_interval(total, "currency", n, "no draws", level)
        return bootstrap_estimate(total, sums, unit="currency", n=n, level=level)

    def to_frame(self) -> pd.DataFrame:
        """Return the counts, one row a recency."""
        return self.counts.copy()

    def _repr_html_(self) -> str:
        said = (
            f"{len(self.customers):,} customers by periods since they bought, one a "
            f"{self.chain.unit}; a buying period brings {self._contribution():,.2f}. Of the repeat "
            f"purchases {self.returned:.1%} came after the last recency, from customers given up."
        )
        table = self.counts.to_html(index=False, na_rep="", float_format="{:,.4f}".format)
        return f"<p>{html.escape(said)}</p>{table}"

    def _contribution(self) -> float:
        return float(self.chain.reward[0]) + self.contact_cost

    def _sizes(self) -> IntArray:
        return np.bincount(
            np.minimum(self.waits.wait, self.longest), minlength=self.longest + 1
        ).astype(np.int64)

    def _to_come(
        self, chain: CustomerChain, discount_rate: float, horizon: int | None
    ) -> FloatArray:
        """Value of each state without the purchase that led to it."""
        just_made = np.zeros(len(chain.states))
        just_made[0] = chain.reward[0] + self.contact_cost
        return chain.value(discount_rate, horizon) - just_made

    def _drawn(
        self, discount_rate: float, horizon: int | None, draws: int, seed: Seed
    ) -> FloatArray:
        """Values to come of chains estimated from customers drawn again, shape (draws, states)."""
        if draws == 0:
            return np.empty((0, self.longest + 1))
        return np.array(
            [self._to_come(chain, discount_rate, horizon) for chain in self._redrawn(draws, seed)]
        )

    def _redrawn(self, draws: int, seed: Seed) -> Iterator[CustomerChain]:
        for counts in bootstrap_counts(len(self.customers), draws, seed):
            for weights in counts.astype(np.float64):
                at_risk, bought, spend = self.waits.tally(self.longest, weights)
                chances = bought / np.where(at_risk > 0, at_risk, 1.0)
                yield recency_chain(
                    chances, spend * self.margin, self.contact_cost, unit=self.chain.unit
                )


def fit_recency_chain(
    purchases: CustomerBase | pd.DataFrame,
    every: str = "month",
    *,
    longest: int = 12,
    margin: float = 1.0,
    contact_cost: float = 0.0,
    start: Day = None,
    end: Day = None,
) -> RecencyChain:
    """Estimate the recency chain of customers.

    Parameters
    ----------
    purchases : CustomerBase or DataFrame
        A prepared base, or one row a customer and purchase day with customer_id, date and
        revenue, such as :func:`keycustomer.customers.purchase_days` gives.
    every : {"day", "week", "month", "quarter", "year"}
        Calendar period of the chain.
    longest : int
        Recency after which a customer who does not buy is given up; one that buys nevertheless
        begins anew, and is counted.
    margin : float
        Share of revenue that is kept, 0..1.
    contact_cost : float
        Spent per period on a customer who is not given up, currency.
    start, end : date or ISO string, optional
        First and last day to count, inclusive; a last period that is not over by `end` is not
        counted.

    Returns
    -------
    RecencyChain

    Raises
    ------
    ValueError
        When an argument makes no sense, or nobody has ever waited for `longest` periods.
    """
    share_of(margin, "margin")
    longest = whole_number(longest, "longest", of="periods", least=1)
    bought, complete = bought_periods(purchases, every, start=start, end=end)
    bought = bought[bought["period"] <= complete]
    if bought.empty:
        raise ValueError(f"purchases: no {every} with a purchase is over yet")
    waits, ids = _waits(bought, complete)
    at_risk, buying, spend = waits.tally(longest, np.ones(len(ids)))
    if not at_risk.all():
        seen = int((at_risk > 0).sum())
        raise ValueError(
            f"longest={longest}: nobody was seen for so many {every}s after a purchase; give at "
            f"most {seen}" + ("" if seen else ", or a longer time of observation")
        )
    chain = recency_chain(buying / at_risk, spend * margin, contact_cost, unit=every)
    lower, upper = wilson_interval(buying, at_risk)
    counts = pd.DataFrame(
        {
            "recency": np.arange(1, longest + 1),
            "at_risk": at_risk.astype(np.int64),
            "bought": buying.astype(np.int64),
            "probability": buying / at_risk,
            "lower": lower,
            "upper": upper,
        }
    )
    state = np.array(chain.states, dtype=object)[np.minimum(waits.wait, longest)]
    late = float((waits.gap > longest).mean()) if waits.gap.size else 0.0
    customers = pd.DataFrame({"customer_id": ids, "state": state})
    return RecencyChain(chain, margin, contact_cost, counts, customers, late, waits)


def _waits(bought: pd.DataFrame, complete: int) -> tuple[_Waits, pd.Index]:
    """Gaps and waits from one row a customer and buying period, sorted by both."""
    owner, ids = pd.factorize(bought["customer_id"])
    period = bought["period"].to_numpy(np.int64)
    again = owner[1:] == owner[:-1]
    last = np.append(~again, True)
    waits = _Waits(
        gap=np.diff(period)[again],
        owner=owner[1:][again],
        wait=complete - period[last],
        revenue=_counted(owner, bought["revenue"].to_numpy(float), len(ids)),
        periods=np.bincount(owner).astype(np.float64),
    )
    return waits, ids
