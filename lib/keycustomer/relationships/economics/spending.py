"""Blattberg & Deighton: how much to spend on winning customers, and how much on keeping them.

Question: is the next unit of currency better spent on prospects or on customers?  A prospect on
whom A is spent becomes a customer with probability a(A); a customer brings a margin every period
and, when R is spent on it, stays for the next with probability r(R).  A customer just won and one
just kept are then worth the same, and that lifetime value does not depend on how it was won:

    value = (margin - R v) / (1 - r v), v = 1 / (1 + discount rate),
    customer equity a prospect = a(A) value - A.

So retention comes first: :func:`best_spending` finds the R with the largest value, then A.  At the
optimum one customer more costs the same to win and to keep, and that is what it is worth
(Pfeifer's equal-margin property): :attr:`SpendingPlan.equal_margin_gap` tells how far a plan is
from it.  Average costs tell nothing of the kind.

Sources: Blattberg & Deighton (1996), Harvard Business Review 74(4), 136-144; Pfeifer (2005),
Journal of Targeting, Measurement and Analysis for Marketing 13(2), 179-188.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.lifetime.units import force_of_interest
from keycustomer.relationships.economics.responses import ExponentialResponse

ROOT = 1e-12
"""Spending is found to this share of the largest that could pay."""


@dataclass(frozen=True)
class SpendingPlan:
    """Spending on winning and on keeping customers, with what follows from it.

    Attributes
    ----------
    margin : float
        Margin of a customer per period before what is spent on keeping it, currency.
    acquisition, retention : ExponentialResponse
        How the share of prospects won, of customers kept for another period, answers to spending.
    acquisition_spending, retention_spending : float
        Currency per prospect (once), and per customer and period; the latter falls due with the
        next margin, as in Blattberg & Deighton.
    discount_rate : float
        Effective rate per year, a share.
    unit : str
        Length of a period.
    """

    margin: float
    acquisition: ExponentialResponse
    retention: ExponentialResponse
    acquisition_spending: float
    retention_spending: float
    discount_rate: float
    unit: str

    @property
    def acquisition_rate(self) -> float:
        """Share of prospects won."""
        return float(self.acquisition.rate(self.acquisition_spending))

    @property
    def retention_rate(self) -> float:
        """Share of customers kept for another period."""
        return float(self.retention.rate(self.retention_spending))

    @property
    def lifetime_value(self) -> float:
        """Worth of a customer just won or kept, its margin of the period included, currency."""
        return _value(
            self.margin, self.retention, self.retention_spending, self.discount_rate, self.unit
        )

    @property
    def customer_equity(self) -> float:
        """Worth of a prospect less what is spent on it, currency."""
        return self.acquisition_rate * self.lifetime_value - self.acquisition_spending

    @property
    def average_acquisition_cost(self) -> float:
        """Spending per customer won, currency."""
        return float(self.acquisition.average_cost(self.acquisition_spending))

    @property
    def average_retention_cost(self) -> float:
        """Spending per customer kept for a period, currency."""
        return float(self.retention.average_cost(self.retention_spending))

    @property
    def marginal_acquisition_cost(self) -> float:
        """What winning one customer more costs, currency."""
        return float(self.acquisition.marginal_cost(self.acquisition_spending))

    @property
    def marginal_retention_cost(self) -> float:
        """What keeping one customer more costs, currency."""
        return float(self.retention.marginal_cost(self.retention_spending))

    @property
    def equal_margin_gap(self) -> float:
        """Marginal cost of winning less that of keeping, as a share of the lifetime value.

        0 at the optimum, unless it is best to spend nothing on one of them; above 0 money is
        better moved from winning to keeping, below 0 from keeping to winning.  Infinite where
        spending is so high that nobody more can be won.
        """
        apart = self.marginal_acquisition_cost - self.marginal_retention_cost
        return apart / abs(self.lifetime_value)

    def to_frame(self) -> pd.DataFrame:
        """List winning and keeping.

        Returns
        -------
        DataFrame
            A row each: of (winning, keeping), spending (currency a head), rate, average_cost,
            marginal_cost, lifetime_value, next_gain (what one customer more is worth beyond its
            cost, currency).
        """
        rows = [
            {
                "of": of,
                "spending": getattr(self, f"{kind}_spending"),
                "rate": getattr(self, f"{kind}_rate"),
                "average_cost": getattr(self, f"average_{kind}_cost"),
                "marginal_cost": getattr(self, f"marginal_{kind}_cost"),
                "lifetime_value": self.lifetime_value,
            }
            for of, kind in (("winning", "acquisition"), ("keeping", "retention"))
        ]
        frame = pd.DataFrame(rows)
        return frame.assign(next_gain=frame["lifetime_value"] - frame["marginal_cost"])

    def _repr_html_(self) -> str:
        said = (
            f"A customer just won or kept is worth {self.lifetime_value:,.2f}, a prospect "
            f"{self.customer_equity:,.2f} beyond its spending. Equal-margin gap "
            f"{self.equal_margin_gap:+.1%} of the lifetime value."
        )
        return sentence_html(said, self.to_frame(), numbers=",.4g")


def spending_plan(
    margin: float,
    acquisition: ExponentialResponse,
    retention: ExponentialResponse,
    *,
    acquisition_spending: float,
    retention_spending: float,
    discount_rate: float = 0.1,
    unit: str = "year",
) -> SpendingPlan:
    """Value given spendings on winning and keeping customers, such as today's.

    Parameters
    ----------
    margin : float
        Margin of a customer per period before what is spent on keeping it, currency above 0.
    acquisition, retention : ExponentialResponse
        From :func:`calibrate_response` or :func:`fit_response`.
    acquisition_spending, retention_spending : float
        Currency per prospect, and per customer and period.
    discount_rate : float
        Effective rate per year, a share.
    unit : {"day", "week", "month", "quarter", "year"}
        Length of a period.

    Raises
    ------
    TypeError, ValueError
        When an argument makes no sense, or customers are kept for ever and nothing is discounted.
    """
    _check(margin, acquisition, retention, discount_rate, unit)
    for name, spent in (
        ("acquisition_spending", acquisition_spending),
        ("retention_spending", retention_spending),
    ):
        if not (isinstance(spent, Real) and 0 <= spent < math.inf):
            raise ValueError(f"{name}={spent!r} must be a finite amount of at least 0")
    return SpendingPlan(
        float(margin),
        acquisition,
        retention,
        float(acquisition_spending),
        float(retention_spending),
        discount_rate,
        unit,
    )


def best_spending(
    margin: float,
    acquisition: ExponentialResponse,
    retention: ExponentialResponse,
    *,
    discount_rate: float = 0.1,
    unit: str = "year",
) -> SpendingPlan:
    """Find the spendings that make a prospect worth most.

    The lifetime value rises with spending on retention as long as keeping one customer more costs
    less than it is worth, and falls thereafter: there is one best spending.  Where even the first
    customer costs more than it is worth, nothing is spent.

    Parameters
    ----------
    margin, acquisition, retention, discount_rate, unit
        As in :func:`spending_plan`.

    Raises
    ------
    TypeError, ValueError
        When an argument makes no sense.
    """
    _check(margin, acquisition, retention, discount_rate, unit)
    keeping = _best_retention(float(margin), retention, discount_rate, unit)
    worth = _value(float(margin), retention, keeping, discount_rate, unit)
    winning = float(acquisition.spending_at(worth))
    return SpendingPlan(
        float(margin), acquisition, retention, winning, keeping, discount_rate, unit
    )


def _best_retention(
    margin: float, retention: ExponentialResponse, discount_rate: float, unit: str
) -> float:
    """Spending at which one customer more costs what it is worth; 0 if the first costs more."""
    from scipy.optimize import brentq

    def short(spending: float) -> float:
        worth = _value(margin, retention, spending, discount_rate, unit)
        return float(retention.slope(spending)) * worth - 1

    if short(0.0) <= 0:
        return 0.0
    most = margin * math.exp(force_of_interest(discount_rate, unit))
    return float(brentq(short, 0.0, most, xtol=ROOT * most))


def _value(
    margin: float, retention: ExponentialResponse, spending: float, discount_rate: float, unit: str
) -> float:
    """Lifetime value of a customer just won or kept."""
    factor = math.exp(-force_of_interest(discount_rate, unit))
    leaving = 1 - factor * float(retention.rate(spending))
    if leaving <= 0:
        raise ValueError(
            "discount_rate=0 while every customer is kept for ever: the lifetime value is "
            "infinite; give a discount rate above 0 or a ceiling below 1"
        )
    return (margin - factor * spending) / leaving


def _check(
    margin: float,
    acquisition: ExponentialResponse,
    retention: ExponentialResponse,
    discount_rate: float,
    unit: str,
) -> None:
    for name, given in (("acquisition", acquisition), ("retention", retention)):
        if not isinstance(given, ExponentialResponse):
            raise TypeError(
                f"{name}={given!r} must be an ExponentialResponse; make one by "
                "calibrate_response(spending, rate, ceiling)"
            )
    if not (isinstance(margin, Real) and 0 < margin < math.inf):
        raise ValueError(
            f"margin={margin!r} must be a finite amount above 0 per {unit}: without a margin no "
            "customer is worth winning"
        )
    force_of_interest(discount_rate, unit)
