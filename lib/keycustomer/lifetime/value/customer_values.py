"""What customers are still worth: residual lifetime value, and its sum, customer equity.

What will each customer still bring in, and how sure is that?  The expected discounted purchases of
a model of purchases, times the spend a purchase expected by the Gamma-Gamma model, times the share
of revenue that is kept: :func:`value_customers`.  The values of all customers add up to customer
equity.  Customers drawn again and both models fitted again give the intervals.

Value is counted from the end of observation (each customer's T), so what a customer has brought in
already is no part of it.

Sources: Fader, Hardie & Lee (2005), "RFM and CLV: using iso-value curves for customer base
analysis", Journal of Marketing Research 42; Gupta & Lehmann (2005), "Managing Customers as
Investments", for customer equity.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.lifetime.histories import Histories, read_histories
from keycustomer.lifetime.matrices import DISCRETE
from keycustomer.lifetime.resampling import ModelDraws, bootstrap_models
from keycustomer.lifetime.spend.gammagamma import GammaGamma
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.lifetime.units import days_in
from keycustomer.lifetime.value.drawn_values import (
    DrawnPurchases,
    ValuedCustomers,
    equity_draws,
    redrawn_values,
    value_intervals,
)
from keycustomer.stats import Estimate, bootstrap_estimate, share_of
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

MONEY = "currency"
"""Unit of values."""


@dataclass(frozen=True, eq=False)
class CustomerValues:
    """Residual lifetime values of customers.

    Attributes
    ----------
    frame : DataFrame
        One row a customer, in the table's order: customer_id, probability_alive,
        expected_purchases (within `ahead`), expected_spend (currency a purchase),
        discounted_purchases, residual_value (currency); with draws lower and upper, the ends of
        its interval.  NaN for customers who never bought.
    equity : Estimate
        Sum of the residual values, currency.
    margin : float
        Share of revenue that is kept.
    discount_rate : float
        Effective rate per year, a share.
    horizon : float or None
        Length of time counted, in `unit`; None is for ever.
    ahead : float
        Length of time of expected_purchases, in `unit`.
    unit : str
        Unit of time.
    models : tuple of str
        Names of the models.
    notes : tuple of str
        What a reader must know.
    drawn : DrawnPurchases or None
        Purchases by the models of every draw; None without draws.
    """

    frame: pd.DataFrame = field(repr=False)
    equity: Estimate
    margin: float
    discount_rate: float
    horizon: float | None
    ahead: float
    unit: str
    models: tuple[str, str]
    notes: tuple[str, ...] = ()
    drawn: DrawnPurchases | None = field(default=None, repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row a customer, a copy of `frame`."""
        return self.frame.copy()

    def redrawn(self) -> Iterator[FloatArray]:
        """Give the residual values over again, by the models of every bootstrap draw.

        Yields
        ------
        ndarray, shape (customers,)
            In the order of `frame`, currency; NaN for customers who never bought.  Draws whose
            spend has no mean are left out.

        Raises
        ------
        ValueError
            When the customers were valued without draws.
        """
        if self.drawn is None:
            raise ValueError("these values have no draws: give value_customers(..., draws=200)")
        yield from redrawn_values(self.drawn)

    def _repr_html_(self) -> str:
        terms = "for ever" if self.horizon is None else f"over {self.horizon:g} {self.unit}s"
        said = [
            f"Customer equity {self.equity}: {self.equity.n:,} customers, {terms}, "
            f"{self.margin:.4g} of revenue kept, discounted by {self.discount_rate:.4g} a year "
            f"({' and '.join(self.models)}). Expected purchases: within {self.ahead:.4g} "
            f"{self.unit}s.",
            *self.notes,
        ]
        best = self.frame.nlargest(10, "residual_value")
        table = best.to_html(index=False, escape=True, float_format="{:,.2f}".format)
        return "".join(f"<p>{html.escape(one)}</p>" for one in said) + table


def value_customers(
    transactions: TransactionModel,
    spend: GammaGamma,
    customers: pd.DataFrame,
    *,
    margin: float = 1.0,
    discount_rate: float = 0.1,
    horizon: float | None = None,
    draws: int | ModelDraws = 0,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> CustomerValues:
    """Value every customer by what it is expected to bring in from now on.

    Parameters
    ----------
    transactions : TransactionModel
        Model of purchases.
    spend : GammaGamma
        Model of spend per purchase.
    customers : DataFrame
        Customer table: frequency, recency, T (days), monetary_value, customer_id (else the index
        names the customers).
    margin : float
        Share of revenue that is kept, 0..1; with 1 the values are revenue.
    discount_rate : float
        Effective rate per year, a share.
    horizon : float, optional
        Length of time to count, in the unit of `transactions`; left out, for ever, and expected
        purchases are those of a year.
    draws : int or ModelDraws
        Number of bootstrap draws for the intervals, 0 for none; or draws of the customers the
        models were fitted on, where others are to be valued.
    seed : int or Generator
        The same seed gives the same intervals.
    level : float
        Confidence level of the intervals, 0..1.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Returns
    -------
    CustomerValues
        The equity's interval draws the customers too, as a sample of those that could have been
        ours; where other customers are valued it is that of the models alone.

    Raises
    ------
    ValueError
        When margin, rate, horizon or level make no sense, mean spend does not exist (q of 1 or
        less), the table is refused, or draws are asked of customers the models were not fitted on.
    TypeError
        When a model is none, or the two stand in the wrong order.

    References
    ----------
    Fader, Hardie & Lee (2005), Journal of Marketing Research 42, equation 3.
    """
    _check_models(transactions, spend)
    kept, level = share_of(margin, "margin"), checked_level(level)
    known = read_histories(customers, unit=transactions.unit, keep_customers=True)
    valued = ValuedCustomers.of(customers, known, kept, discount_rate, horizon)
    ahead = days_in("year") / days_in(known.unit) if horizon is None else horizon
    frame = _frame(valued, transactions, spend, customers, ahead)
    total = float(np.nansum(frame["residual_value"]))
    drawn = draws
    if not isinstance(drawn, ModelDraws) and drawn:
        drawn = bootstrap_models(
            customers, transactions, spend, draws=drawn, seed=seed, progress=progress
        )
    purchases = DrawnPurchases(valued, drawn) if isinstance(drawn, ModelDraws) else None
    if purchases is not None:
        frame["lower"], frame["upper"] = value_intervals(valued, purchases, level)
        sums = equity_draws(valued, purchases)
        equity = bootstrap_estimate(total, sums, unit=MONEY, n=valued.buyers.size, level=level)
    else:
        equity = Estimate.without_interval(total, MONEY, valued.buyers.size, "no draws", level)
    return CustomerValues(
        frame=frame,
        equity=equity,
        margin=kept,
        discount_rate=discount_rate,
        horizon=horizon,
        ahead=ahead,
        unit=transactions.unit,
        models=(transactions.model, spend.model),
        notes=_notes(transactions, spend, known),
        drawn=purchases,
    )


def _check_models(transactions: TransactionModel, spend: GammaGamma) -> None:
    """Refuse what is no such model, above all the two in the wrong order."""
    wanted = (("transactions", transactions, TransactionModel), ("spend", spend, GammaGamma))
    for argument, given, kind in wanted:
        if not isinstance(given, kind):
            raise TypeError(
                f"{argument}: a {kind.__name__} is needed, got {type(given).__name__}; "
                "value_customers takes the model of purchases, that of spend, then the customers"
            )
    if transactions.model in DISCRETE:
        raise TypeError(
            f"transactions: {transactions.model} counts opportunities, not the days of a customer "
            "table; multiply its discounted_purchases by the expected_spend"
        )


def _frame(
    valued: ValuedCustomers,
    transactions: TransactionModel,
    spend: GammaGamma,
    customers: pd.DataFrame,
    ahead: float,
) -> pd.DataFrame:
    """Values of the fitted models, one row a customer."""
    each = valued.per_customer
    purchases = each(valued.purchases(transactions, valued.rows))
    intercept, slope = (each(part) for part in spend.spend_line(valued.rows.frequency))
    spent = intercept + slope * valued.m
    named = customers["customer_id"] if "customer_id" in customers else customers.index
    return pd.DataFrame(
        {
            "customer_id": named,
            "probability_alive": each(transactions.probability_alive(valued.rows)),
            "expected_purchases": each(transactions.expected_purchases(ahead, valued.rows)),
            "expected_spend": spent,
            "discounted_purchases": purchases,
            "residual_value": valued.margin * purchases * spent,
        },
        index=customers.index,
    )


def _notes(transactions: TransactionModel, spend: GammaGamma, known: Histories) -> tuple[str, ...]:
    said = [f"{model.model}: {model.limit}" for model in (transactions, spend) if model.limit]
    if known.never_bought:
        said.append(f"{known.never_bought:,} customers never bought and have no value here.")
    return tuple(said)
