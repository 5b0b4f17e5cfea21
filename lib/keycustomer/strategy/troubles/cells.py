"""What a customer bought of a product in two parts of the window: quantity, prices, unit cost.

Question: which customers bought the same product early and late, at which list price, discount and
cost?  :func:`read_cells` reads a base, :func:`company_cells` a simulated company,
:func:`with_prices` sets the prices of both parts beside each other.

A customer that bought a product in one part only has no price of its own in the other.  There it
gets its own price moved by the change that the same product saw among those who bought it in both
parts (of products that nobody did, the change of all products): what only one part holds then
tells nothing of prices, and counts as mix.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.stats.samples import FloatArray

if TYPE_CHECKING:
    from keycustomer.simulate import Company

YEAR = 12
"""Months of a part, where the window has two years or more."""

PRICES = ("list", "kept", "unit_cost")
"""List price and cost a unit, and the share of the list value that is paid."""

_AMOUNTS = ("quantity", "list_value", "revenue", "cost")


@dataclass(frozen=True)
class Parts:
    """First and last part of a window.

    Attributes
    ----------
    first, last : tuple of date
        First and last day of each, inclusive.
    months : int
        Length of each.
    """

    first: tuple[dt.date, dt.date]
    last: tuple[dt.date, dt.date]
    months: int

    @property
    def same_season(self) -> bool:
        """Whether both hold the same months of the year."""
        apart = (self.last[0].year - self.first[0].year) * 12
        return (
            self.months % YEAR == 0 or (apart + self.last[0].month - self.first[0].month) % 12 == 0
        )


def parts_of(start: dt.date, end: dt.date, months: int | None = None) -> Parts:
    """Cut the first and the last part out of a window.

    Parameters
    ----------
    start, end : date
        The window, inclusive.
    months : int, optional
        Length of each part; left out, a year, or half the window where it is shorter than two.

    Raises
    ------
    ValueError
        When the two do not fit into the window.
    """
    whole = (end.year - start.year) * 12 + end.month - start.month + (1 if end.day > 27 else 0)
    length = min(YEAR, whole // 2) if months is None else months
    if isinstance(length, bool) or not isinstance(length, int) or not 1 <= 2 * length <= whole:
        raise ValueError(
            f"months={months!r}: two parts of whole months must fit into the window {start} to "
            f"{end} ({whole} months)"
        )
    after = pd.Timestamp(start) + pd.DateOffset(months=length)
    before = pd.Timestamp(end) + pd.Timedelta(days=1) - pd.DateOffset(months=length)
    day = dt.timedelta(days=1)
    return Parts((start, after.date() - day), (before.date(), end), length)


def read_cells(base: CustomerBase, parts: Parts) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add up the order lines of a base by customer, product and part.

    Returns
    -------
    cells : DataFrame
        customer_id, product_id, then quantity, list_value, revenue, cost (currency) with "_0" in
        the first and "_1" in the last part; 0 where nothing was bought.
    excluded : DataFrame
        reason, rows, revenue.
    """
    listed = "discount" if base.has("transactions", "discount") else "0"
    usable = f"quantity > 0 and revenue > 0 and cost is not null and revenue + {listed} > 0"
    window = {"a": parts.first[0], "b": parts.first[1], "c": parts.last[0], "d": parts.last[1]}
    rows = base.query(
        "select customer_id, product_id, date >= $c as late, "  # noqa: S608
        f"coalesce({usable}, false) as usable, count(*) as lines, "
        f"sum(quantity)::double as quantity, sum(revenue + {listed})::double as list_value, "
        "sum(revenue)::double as revenue, sum(cost)::double as cost from transactions "
        "where date between $a and $b or date between $c and $d group by all order by all",
        **window,
    )
    out = rows[~rows["usable"]]
    excluded = pd.DataFrame(
        {
            "reason": ["returns, or lines without quantity, discount or cost"],
            "rows": [int(out["lines"].sum())],
            "revenue": [float(out["revenue"].sum())],
        }
    )
    return _side_by_side(rows[rows["usable"]]), excluded[excluded["rows"] > 0]


def _side_by_side(rows: pd.DataFrame) -> pd.DataFrame:
    keys = ["customer_id", "product_id"]
    early, late = (
        rows[rows["late"] == side].set_index(keys)[list(_AMOUNTS)].add_suffix(f"_{int(side)}")
        for side in (False, True)
    )
    return early.join(late, how="outer").fillna(0.0).reset_index()


def company_cells(company: Company, months: int = YEAR) -> pd.DataFrame:
    """Add up a simulated company's sales by account, product and part, as `read_cells` does.

    Parameters
    ----------
    company : Company
        With a window of at least two parts.
    months : int
        Length of each part.
    """
    panel, accounts, products = company.panel, company.accounts, company.products
    amounts: dict[str, FloatArray] = {}
    for side, start in enumerate((0, panel.months - months)):
        sums = np.zeros((4, len(accounts), len(products.weight)))
        for month in range(start, start + months):
            sold = panel.quantities(month, accounts, products)
            listed = sold * panel.list_prices(month, products)
            kept = 1 - np.nan_to_num(panel.discount[month].astype(float))
            goods = panel.unit_costs(month, products)[accounts.region]
            sums += (sold, listed, listed * kept[:, None], sold * goods)
        amounts |= {f"{name}_{side}": one for name, one in zip(_AMOUNTS, sums, strict=True)}
    who, what = np.nonzero(amounts["quantity_0"] + amounts["quantity_1"])
    keys = {"customer_id": who, "product_id": what}
    return pd.DataFrame(keys | {name: one[who, what] for name, one in amounts.items()})


def with_prices(cells: pd.DataFrame) -> pd.DataFrame:
    """Set the prices of both parts beside each other, cell by cell.

    Returns
    -------
    DataFrame
        The cells with list, kept and unit_cost "_0" and "_1" (list price and cost a unit, share of
        the list value that is paid) and `matched` (bought in both parts).

    Raises
    ------
    ValueError
        When nobody bought the same product in both parts.
    """
    columns = {name: cells[name].to_numpy(dtype=float) for name in cells.columns[2:]}
    matched = (columns["quantity_0"] > 0) & (columns["quantity_1"] > 0)
    if not matched.any():
        raise ValueError(
            "no customer bought the same product in both parts of the window, so that no change "
            "of prices can be told"
        )
    prices: dict[str, FloatArray] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for side in ("0", "1"):
            quantity, listed = columns[f"quantity_{side}"], columns[f"list_value_{side}"]
            prices[f"list_{side}"] = listed / quantity
            prices[f"kept_{side}"] = columns[f"revenue_{side}"] / listed
            prices[f"unit_cost_{side}"] = columns[f"cost_{side}"] / quantity
    told = cells.assign(**prices, matched=matched)
    for name in PRICES:
        moved = price_change(told, name)
        sides = prices[f"{name}_0"], prices[f"{name}_1"]
        told[f"{name}_0"] = np.where(np.isnan(sides[0]), sides[1] / moved.ratio, sides[0])
        told[f"{name}_1"] = np.where(np.isnan(sides[1]), sides[0] * moved.ratio, sides[1])
    return told


@dataclass(frozen=True, eq=False)
class PriceChange:
    """How a price moved between the parts, by those who bought in both.

    Attributes
    ----------
    group : ndarray of int, shape (cells,)
        The product of each cell, or the last number where nobody bought it in both parts.
    ratio : ndarray, shape (cells,)
        Relative price of the cell's group in the last part.
    before, after : ndarray, shape (cells,)
        Value at the prices of both parts of matched cells, else 0; of a product their sums'
        quotient is the ratio.
    product : ndarray of int, shape (cells,)
        The product of each cell.
    """

    group: npt.NDArray[np.int64]
    ratio: FloatArray
    before: FloatArray
    after: FloatArray
    product: npt.NDArray[np.int64]


def price_change(told: pd.DataFrame, name: str) -> PriceChange:
    """Tell how a price moved, product by product.

    Parameters
    ----------
    told : DataFrame
        Cells with prices, quantities and `matched`.
    name : str
        One of `PRICES`.
    """
    product = pd.factorize(told["product_id"])[0].astype(np.int64)
    sold, listed, price = (
        [told[f"{what}_{side}"].to_numpy(dtype=float) for side in "01"]
        for what in ("quantity", "list", name)
    )
    weight = sold[0] + sold[1]
    if name == "kept":
        weight = weight * (listed[0] + listed[1])
    matched = told["matched"].to_numpy()
    before, after = (np.where(matched, weight * one, 0.0) for one in price)
    count = int(product.max()) + 1
    sums = [np.bincount(product, one, minlength=count) for one in (before, after)]
    known = (sums[0] > 0) & (sums[1] > 0)
    whole = after.sum() / before.sum() if known.any() else 1.0
    ratios = np.append(np.divide(sums[1], sums[0], out=np.ones(count), where=known), whole)
    group = np.where(known[product], product, count)
    return PriceChange(group, ratios[group], before, after, product)
