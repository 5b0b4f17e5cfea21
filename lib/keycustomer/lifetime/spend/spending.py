"""Spend per purchase as a customer table holds it, ready for a model of it.

What does a model of spend see of a customer?  How often it came back (frequency x) and the mean
revenue of those repeat purchases (monetary value m).  :func:`read_spending` reads both, sets apart
who tells nothing of spend (no repeat purchase, or one that brought in nothing), and counts them;
:attr:`Spending.correlation` says whether frequent buyers spend more a purchase, which the models
assume they do not.

Sources: Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value"; Steiger & Hakstian
(1982), British Journal of Mathematical and Statistical Psychology 35, for the interval of a
correlation without a normal law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from keycustomer.lifetime.arguments import need_columns
from keycustomer.lifetime.histories import number_columns
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import IntArray
from keycustomer.stats.samples import FloatArray

SHOWN = 3
"""Offending rows named in a message."""

DENSE = 2**20
"""Frequencies below this are counted in an array with a place for each; beyond, by sorting."""


@dataclass(frozen=True, eq=False)
class Spending:
    """Customers' repeat purchases and their mean spend.

    Attributes
    ----------
    frequency : ndarray, shape (rows,)
        Repeat purchases x, at least 1.
    monetary_value : ndarray, shape (rows,)
        Mean revenue of the repeat purchases m, above 0, currency.
    weights : ndarray, shape (rows,)
        How many such customers there are: ones as read, the draws of a bootstrap otherwise.
    rows_of_table : ndarray of int, shape (rows,), optional
        The row of the table each was read from, counted from 0.
    no_repeat : int
        Customers without repeat purchase, set apart.
    no_revenue : int
        Customers whose repeat purchases brought in nothing or less (free or returned), set apart.
    """

    frequency: FloatArray
    monetary_value: FloatArray
    weights: FloatArray
    rows_of_table: IntArray | None = field(default=None, repr=False)
    no_repeat: int = 0
    no_revenue: int = 0

    @cached_property
    def customers(self) -> float:
        """Number of customers, the sum of the weights."""
        return float(self.weights.sum())

    @cached_property
    def mean_spend(self) -> float:
        """Mean revenue of a repeat purchase, currency."""
        purchases = self.weights * self.frequency
        return float(purchases @ self.monetary_value / purchases.sum())

    @cached_property
    def by_frequency(self) -> tuple[FloatArray, FloatArray]:
        """The different frequencies and the customers who have each."""
        if self.frequency.max() < DENSE:
            counts = np.bincount(self.frequency.astype(np.int64), self.weights).astype(float)
            found = np.flatnonzero(counts)
            return found.astype(float), counts[found]
        levels, index = np.unique(self.frequency, return_inverse=True)
        return levels, np.bincount(index, self.weights).astype(float)

    def reweighted(self, weights: FloatArray) -> Spending:
        """Return the same with other numbers of customers; rows of none are left out."""
        kept = weights > 0
        return Spending(self.frequency[kept], self.monetary_value[kept], weights[kept])

    @cached_property
    def correlation(self) -> Estimate:
        """Pearson's correlation of frequency and mean spend between customers.

        The interval needs no normal law; it is NaN where a correlation is not defined.
        """
        n = self.customers
        unit, method = "correlation", "asymptotically distribution-free"
        x, m = (self._standardised(one) for one in (self.frequency, self.monetary_value))
        r = float(self.weights @ (x * m) / n) if n else math.nan
        if not -1 < r < 1:
            return Estimate.without_interval(r, unit, int(n), "not defined")
        influence = x * m - r * (x * x + m * m) / 2
        error = math.sqrt(float(self.weights @ influence**2)) / n / (1 - r * r)
        lower, upper = np.tanh(math.atanh(r) + error * ndtri([0.025, 0.975]))
        return Estimate(r, float(lower), float(upper), unit, int(n), method)

    def _standardised(self, values: FloatArray) -> FloatArray:
        centred = values - self.weights @ values / self.customers
        scale = math.sqrt(float(self.weights @ centred**2) / self.customers)
        with np.errstate(invalid="ignore", divide="ignore"):
            return centred / scale if scale > 1e-12 * np.abs(values).max() else values * np.nan


def read_spending(
    customers: pd.DataFrame,
    *,
    frequency: str = "frequency",
    monetary_value: str = "monetary_value",
) -> Spending:
    """Read spend per purchase from a customer table.

    Parameters
    ----------
    customers : DataFrame
        One row a customer with frequency and monetary_value, such as
        :func:`keycustomer.customers.customer_table` gives.
    frequency, monetary_value : str
        Columns of the table: repeat purchases, and their mean revenue (currency), which may be
        missing where there was none.

    Returns
    -------
    Spending
        Customers with repeat purchases of positive revenue, in the table's order; the others
        counted.

    Raises
    ------
    TypeError
        When the customers are no table.
    ValueError
        When columns are missing or hold no numbers, or with every complaint about the numbers:
        frequencies that are negative or not whole, spend that is missing or infinite.
    """
    x, m = checked_spending(customers, frequency, monetary_value)
    repeat = x > 0
    kept = np.flatnonzero(repeat & (m > 0))
    return Spending(
        x[kept],
        m[kept],
        np.ones(kept.size),
        kept,
        no_repeat=int(x.size - repeat.sum()),
        no_revenue=int(repeat.sum() - kept.size),
    )


def checked_spending(
    customers: pd.DataFrame, frequency: str = "frequency", monetary_value: str = "monetary_value"
) -> tuple[FloatArray, FloatArray]:
    """Frequency and mean spend of every customer; 0 and 0 for one without repeat purchase.

    Raises
    ------
    TypeError, ValueError
        As :func:`read_spending`.
    """
    x, m = _columns(customers, (frequency, monetary_value))
    never = np.isnan(x)
    if never.any():
        x = np.where(never & np.isnan(m), 0.0, x)
    repeat = x > 0
    wrong: list[tuple[str, Any]] = [
        (
            f"{frequency!r} is not a whole number of at least 0",
            ~((x >= 0) & (np.floor(x) == x) & (x < np.inf)),
        ),
        (f"{monetary_value!r} is not a finite number", repeat & ~np.isfinite(m)),
    ]
    complaints = [
        f"customers: {what} in {rows.sum():,} rows ({_shown(customers, rows, x, m)}); "
        "correct or drop them"
        for what, rows in wrong
        if rows.any()
    ]
    if complaints:
        raise ValueError("\n".join(complaints))
    return x, np.where(repeat, m, 0.0)


def _shown(customers: pd.DataFrame, rows: Any, x: FloatArray, m: FloatArray) -> str:
    first = np.flatnonzero(rows)[:SHOWN]
    return "; ".join(
        f"row {customers.index[n]!r}: frequency={x[n]:g}, monetary_value={m[n]:g}" for n in first
    )


def _columns(customers: pd.DataFrame, names: tuple[str, str]) -> list[FloatArray]:
    if not isinstance(customers, pd.DataFrame):
        raise TypeError(
            "customers: a customer table (DataFrame) is needed, since spend differs between "
            f"customers of equal histories; got {type(customers).__name__}"
        )
    need_columns(customers, names, "customers")
    return number_columns(customers, names)
