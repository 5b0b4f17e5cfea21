"""Residual values over bootstrap draws: of each customer, and of all together.

How far could a customer's value lie from its estimate, and how far their sum?  Each draw brings a
model of purchases and one of spend.  A value is the purchases expected of a history times a spend
that is a line in the customer's own mean, so the dear part is computed once a different history,
and the sum over customers needs only two numbers a history, however many customers share it.
Nothing holds all customers and all draws at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from keycustomer.lifetime.discounting import ALL_DIGITS
from keycustomer.lifetime.histories import Histories
from keycustomer.lifetime.resampling import IntArray, ModelDraws
from keycustomer.lifetime.spend.gammagamma import GammaGamma
from keycustomer.lifetime.spend.spending import checked_spending
from keycustomer.lifetime.transactions import TransactionModel, one_horizon
from keycustomer.lifetime.units import force_of_interest
from keycustomer.stats import bootstrap
from keycustomer.stats.samples import FloatArray

CELLS = 2**22
"""Values of customers and draws held at once, 32 MiB."""


@dataclass(frozen=True, eq=False)
class ValuedCustomers:
    """Customers to be valued, and the terms.

    Attributes
    ----------
    rows : Histories
        Their different histories.
    row : ndarray of int, shape (customers,)
        Place of each customer's history among them; -1 for one that never bought.
    m : ndarray, shape (customers,)
        Their mean spend, currency; 0 where there is none.
    margin : float
        Share of revenue that is kept.
    discount_rate : float
        Effective rate per year, a share.
    horizon : float or None
        Length of time counted; None is for ever.
    """

    rows: Histories
    row: IntArray
    m: FloatArray
    margin: float
    discount_rate: float
    horizon: float | None

    @classmethod
    def of(
        cls,
        customers: pd.DataFrame,
        known: Histories,
        margin: float,
        discount_rate: float,
        horizon: float | None,
    ) -> ValuedCustomers:
        """Take the customers of a table whose histories are `known`, customers kept."""
        _, m = checked_spending(customers)
        row = known.row_of_customer
        if row is None:
            raise ValueError("known: histories read with keep_customers=True are needed")
        rows = replace(known, row_of_customer=None)
        return cls(rows, row, np.maximum(m, 0.0), margin, discount_rate, horizon)

    @cached_property
    def buyers(self) -> IntArray:
        """Places of the customers who ever bought."""
        return np.flatnonzero(self.row >= 0)

    def per_customer(self, values: FloatArray) -> FloatArray:
        """Spread values of the rows over the customers; NaN for those who never bought."""
        return np.append(values, np.nan)[self.row]

    def purchases(
        self, model: TransactionModel, rows: Histories, digits: int = ALL_DIGITS
    ) -> FloatArray:
        """Discounted purchases expected of customers with these histories."""
        force = force_of_interest(self.discount_rate, rows.unit)
        ahead = None if self.horizon is None else float(one_horizon(self.horizon, rows.unit))
        return model.discounted_by_row(rows, force, ahead, digits)

    def line(self, spend: GammaGamma | None) -> tuple[FloatArray, FloatArray]:
        """Value of a purchase of each row as a line in mean spend; NaN where there is no mean."""
        if spend is None or spend.q <= 1:
            unknown = np.full(self.rows.rows, np.nan)
            return unknown, unknown
        intercept, slope = spend.spend_line(self.rows.frequency)
        return self.margin * intercept, self.margin * slope


class DrawnPurchases:
    """Discounted purchases of each history in each draw; kept where they are few.

    Parameters
    ----------
    valued : ValuedCustomers
        Customers to be valued.
    drawn : ModelDraws
        The models of each draw.
    """

    def __init__(self, valued: ValuedCustomers, drawn: ModelDraws) -> None:
        self.valued = valued
        self.drawn = drawn
        self._kept: FloatArray | None = None
        if drawn.draws * valued.rows.rows <= CELLS:
            everything = slice(0, valued.rows.rows)
            self._kept = np.stack([self._compute(n, everything) for n in range(drawn.draws)])

    def __call__(self, draw: int, part: slice) -> FloatArray:
        """Discounted purchases of part of the rows in a draw."""
        return self._compute(draw, part) if self._kept is None else self._kept[draw, part]

    def _compute(self, draw: int, part: slice) -> FloatArray:
        rows = self.valued.rows
        cut = Histories(
            rows.frequency[part], rows.recency[part], rows.T[part], rows.weights[part], rows.unit
        )
        return self.valued.purchases(self.drawn.transactions[draw], cut, digits=8)


def equity_draws(valued: ValuedCustomers, purchases: DrawnPurchases) -> FloatArray:
    """Sum of all customers' values in each draw.

    Parameters
    ----------
    valued : ValuedCustomers
        Customers to be valued.
    purchases : DrawnPurchases
        Their discounted purchases in each draw.

    Returns
    -------
    ndarray, shape (draws,)
        Currency; of the customers drawn, where the draws were made from these customers, else of
        these customers by the models of the draw.  NaN where a draw has no mean spend.
    """
    drawn, rows = purchases.drawn, valued.rows.rows
    row, m = valued.row[valued.buyers], valued.m[valued.buyers]
    numbers = iter(range(drawn.draws))

    def total(weights: FloatArray) -> FloatArray:
        draw = next(numbers)
        intercept, slope = valued.line(drawn.spend[draw])
        customers = np.bincount(row, weights, rows)
        spent = np.bincount(row, weights * m, rows)
        return purchases(draw, slice(0, rows)) @ (intercept * customers + slope * spent)

    def totals(weights: FloatArray) -> FloatArray:
        return np.array([[total(one)] for one in weights])

    one_each = np.ones(row.size)
    if drawn.drawn_from(replace(valued.rows, row_of_customer=valued.row)):
        return bootstrap(totals, one_each, draws=drawn.draws, seed=drawn.seed)[:, 0]
    return np.array([total(one_each) for _ in range(drawn.draws)])


def redrawn_values(purchases: DrawnPurchases) -> Iterator[FloatArray]:
    """Value all customers by the models of each draw; draws without mean spend are left out.

    Yields
    ------
    ndarray, shape (customers,)
        Currency; NaN for customers who never bought.
    """
    valued = purchases.valued
    for draw, spend in enumerate(purchases.drawn.spend):
        if spend is not None and spend.q > 1:
            intercept, slope = (valued.per_customer(part) for part in valued.line(spend))
            bought = valued.per_customer(purchases(draw, slice(0, valued.rows.rows)))
            yield bought * (intercept + slope * valued.m)


def value_intervals(
    valued: ValuedCustomers, purchases: DrawnPurchases, level: float
) -> tuple[FloatArray, FloatArray]:
    """Percentile interval of each customer's value over the draws.

    Parameters
    ----------
    valued : ValuedCustomers
        Customers to be valued.
    purchases : DrawnPurchases
        Their discounted purchases in each draw.
    level : float
        Confidence level of the intervals, 0..1.

    Returns
    -------
    lower, upper : ndarray, shape (customers,)
        Currency; NaN for customers who never bought, and for all where a draw has no mean spend.
    """
    row, m, cell = _cells(valued)
    ends = np.full((2, row.size + 1), np.nan)
    tail = (1 - level) / 2
    for part, values in _values_by_cell(valued, purchases, row, m):
        ends[:, part] = np.quantile(values, [tail, 1 - tail], axis=1)
    lower, upper = ends[:, cell]
    return lower, upper


def _cells(valued: ValuedCustomers) -> tuple[IntArray, FloatArray, IntArray]:
    """Tell customers of different value apart: their rows and mean spend, each one's place.

    Customers without repeat purchase tell nothing of their spend, so one stands for all of a row.
    """
    silent = np.flatnonzero(valued.rows.frequency == 0)
    cell = np.full(valued.row.size, -1)
    bought = valued.buyers[np.argsort(valued.row[valued.buyers], kind="stable")]
    repeat = bought[valued.rows.frequency[valued.row[bought]] > 0]
    place = np.full(valued.rows.rows, -1)
    place[silent] = np.arange(silent.size)
    cell[valued.buyers] = place[valued.row[valued.buyers]]
    cell[repeat] = silent.size + np.arange(repeat.size)
    row = np.concatenate([silent, valued.row[repeat]])
    return row, np.concatenate([np.zeros(silent.size), valued.m[repeat]]), cell


def _values_by_cell(
    valued: ValuedCustomers, purchases: DrawnPurchases, row: IntArray, m: FloatArray
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield cells, as many as may be held, and their values, shape (cells, draws)."""
    drawn = purchases.drawn
    lines = [valued.line(spend) for spend in drawn.spend]
    step = max(1, CELLS // (4 * drawn.draws))
    for start in range(0, row.size, step):
        part = slice(start, min(start + step, row.size))
        low = int(row[part].min())
        rows = slice(low, int(row[part].max()) + 1)
        values = np.empty((part.stop - start, drawn.draws))
        for draw, (intercept, slope) in enumerate(lines):
            spent = intercept[row[part]] + slope[row[part]] * m[part]
            values[:, draw] = purchases(draw, rows)[row[part] - low] * spent
        yield part, values
