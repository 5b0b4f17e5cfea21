"""Lines bought on deal by customer, set beside what others' purchases make expect.

The share of deals in a basket says first what is in it: milk is often on deal, wine hardly ever.
Each line therefore carries an expectation, the share of deals among the purchases of all other
customers in the same category and month; :func:`read_deals` sums lines, deals and expectations by
customer in the engine.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.dimensions.behaviour.windows import need_categories
from keycustomer.dimensions.statements import statement
from keycustomer.stats.samples import FloatArray, share_of

PRIOR_LINES = 30.0
"""Lines at the category's own rate that steady the expectation where others bought little."""

CLASSES = 20
"""Classes of expectation by which the lines of a customer are summed."""


@dataclass(frozen=True, eq=False)
class DealCounts:
    """Lines and deals of customers.

    Attributes
    ----------
    customers : Index, shape (customers,)
        Their ids, sorted.
    lines, deals, expected : ndarray, shape (customers, 2, classes)
        Lines, those on deal, and the expectation, mean of its class (one half where there is no
        line), by half of the baskets and class of expectation.
    dispersion : float
        Variance between baskets of one customer as a multiple of what independent lines would
        have.
    orders : ndarray, shape (customers,)
        Baskets.
    excluded : DataFrame
        reason, lines not used.
    """

    customers: pd.Index
    lines: FloatArray
    deals: FloatArray
    expected: FloatArray
    dispersion: float
    orders: npt.NDArray[np.int64]
    excluded: pd.DataFrame

    def totals(self, half: int | None = None) -> pd.DataFrame:
        """Lines, deals and expected deals of each customer, of all baskets or of one half."""
        halves = [0, 1] if half is None else [half]
        parts = {
            "lines": self.lines,
            "deals": self.deals,
            "expected": self.lines * self.expected,
        }
        sums = {name: values[:, halves].sum(axis=(1, 2)) for name, values in parts.items()}
        return pd.DataFrame(sums, index=self.customers)


def read_deals(
    base: CustomerBase, window: dict[str, dt.date], deeper_than: float = 0.0
) -> DealCounts:
    """Sum the lines of a window by customer.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with discounts and categories.
    window : dict
        `start` and `end`, inclusive.
    deeper_than : float
        A line is on deal when its discount is a larger share of its list value than this.

    Raises
    ------
    ValueError
        When the base knows no discounts or categories, no purchase of the window tells about
        deals, or all or none are on deal.
    """
    depth = share_of(deeper_than, "deeper_than")
    need_categories(base)
    if not base.has("transactions", "discount"):
        raise ValueError(
            f"{base.title}: the base knows no discounts, so nobody can be said to buy on deal; map "
            "discount, list_amount or list_price in the case file"
        )
    sql = statement("deal_sums", deal_lines=statement("deal_lines"))
    sums = base.query(sql, classes=CLASSES, prior=PRIOR_LINES, deeper_than=depth, **window)
    cells, baskets = sums[sums["class"].notna()], sums[sums["class"].isna()]
    _refuse_without_contrast(base, window, cells)
    customers = pd.Index(baskets["customer_id"], name="customer_id")
    columns = (customers.get_indexer(cells["customer_id"]), cells["half"], cells["class"])
    places = tuple(np.asarray(column, dtype=np.int64) for column in columns)
    shape = (len(customers), 2, CLASSES)
    return DealCounts(
        customers=customers,
        lines=_filled(shape, places, cells["lines"], 0.0),
        deals=_filled(shape, places, cells["deals"], 0.0),
        expected=_filled(shape, places, cells["expected"], 0.5),
        dispersion=_dispersion(baskets),
        orders=baskets["orders"].to_numpy(np.int64),
        excluded=base.query(statement("deal_excluded"), **window),
    )


def _refuse_without_contrast(
    base: CustomerBase, window: dict[str, dt.date], cells: pd.DataFrame
) -> None:
    lines, deals = int(cells["lines"].sum()), int(cells["deals"].sum())
    if not 0 < deals < lines or cells["customer_id"].nunique() < 2:
        raise ValueError(
            f"{base.title}: of {lines:,} purchase lines of {cells['customer_id'].nunique():,} "
            f"customers between {window['start']} and {window['end']} with a known discount and "
            f"category, {deals:,} are on deal: there is nothing to tell customers apart by"
        )


def _filled(
    shape: tuple[int, int, int],
    places: tuple[npt.NDArray[np.int64], ...],
    values: pd.Series,
    empty: float,
) -> FloatArray:
    array = np.full(shape, empty)
    array[places] = values.to_numpy(float)
    return array


def _dispersion(baskets: pd.DataFrame) -> float:
    """Spread of the excess deals of a customer's baskets around its own mean excess.

    A basket's excess, less its lines times the customer's mean, has the variance of its lines times
    the dispersion; the last factor is what estimating the mean takes away.
    """
    lines, squares = baskets["lines"], baskets["lines_squared"]
    mean = baskets["excess"] / lines
    spread = baskets["excess_squared"] - 2 * mean * baskets["lines_excess"] + mean**2 * squares
    free = baskets["variance"] * (1 - squares / lines**2)
    return max(1.0, float(spread.sum() / free.sum())) if free.sum() > 0 else 1.0
