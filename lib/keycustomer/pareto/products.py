"""The product view: what do customers buy first, and what do the best ones buy.

:func:`first_purchases` groups customers by the category of their first purchase and shows what
they brought later; :func:`best_customer_categories` sets the categories of the best customers
beside those of the rest.  Both describe; neither says that leading customers to a category would
make them better ones.

Several categories bought on the first day are tied: the customer then counts for each of them in
equal parts, and the share of such customers is reported.

Source: Fader, Hardie & Ross, "The Customer-Base Audit" (2022), the product view.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from keycustomer.pareto.migration import whole_customers
from keycustomer.pareto.panel import (
    bad_numbers,
    complain,
    missing_columns,
    ranked,
    read_panel,
    repeated_keys,
)
from keycustomer.stats import bootstrap, percentile_interval, share_of
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.proportion import newcombe_interval


@dataclass(frozen=True)
class FirstPurchases:
    """Customers by the category of their first purchase.

    Attributes
    ----------
    value : str
        What is averaged.
    customers : int
        Customers in all rows together.
    tied : float
        Share of customers who bought several categories on their first day.
    overall : float
        Mean value over all customers.
    frame : DataFrame
        One row a category, most customers first: ``category``, ``customers`` (a customer with k
        first categories counts 1/k in each), ``share``, ``repeat_share`` (share that came back,
        NaN when not known), ``mean_value`` with ``lower`` and ``upper``, ``ratio`` to `overall`,
        ``stands_out`` (whether it differs from `overall` even when as many comparisons as there
        are rows are allowed for, by Bonferroni's rule).
    """

    value: str
    customers: int
    tied: float
    overall: float
    frame: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a category."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = html.escape(
            f"{self.value} per customer by category of the first purchase; {self.tied:.1%} of the "
            f"{self.customers:,} customers bought several categories on their first day."
        )
        table = self.frame.to_html(index=False, escape=True, float_format="{:,.3f}".format)
        return f"<p>{note}</p>{table}"


def first_purchases(
    categories: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    value: str | None = None,
    at_least: int = 30,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    customer_id: str = "customer_id",
    category: str = "category",
    first_date: str = "first_date",
) -> FirstPurchases:
    """Compare customers by the category (or product) of their first purchase.

    Parameters
    ----------
    categories : DataFrame
        One row a customer and category (``customers.customer_categories``).
    customers : DataFrame
        One row a customer (``customers.customer_table``).
    value : str, optional
        Column of `customers` to average; left out, the revenue of all purchase days after the
        first (``frequency`` x ``monetary_value``), so that the first purchase itself does not
        count.
    at_least : int
        Categories that fewer customers began with are taken together as "other".
    draws, seed, level
        Bootstrap of customers.
    customer_id, category, first_date : str
        Columns of `categories`; `customer_id` of `customers` too.

    Returns
    -------
    FirstPurchases
        One row a category.

    Raises
    ------
    ValueError
        With every complaint about the tables, or about customers without a row.
    """
    bought = _read_categories(categories, customer_id, category, first_date)
    worth = _read_customers(customers, customer_id, ["frequency", "monetary_value"], value)
    _refuse_unknown(bought, worth)
    first = bought[bought["date"] == bought.groupby("customer_id")["date"].transform("min")]
    number = first.groupby("customer_id")["category"].transform("size")
    weights = _matrix(first.assign(weight=1 / number), "weight", at_least)
    values = worth.loc[weights.customers, "value"].to_numpy()
    again = worth.loc[weights.customers, "again"].to_numpy()
    frame = _first_frame(weights, values, again, draws, seed, level)
    tied = float((number.groupby(first["customer_id"]).first() > 1).mean())
    name = value or "later revenue"
    return FirstPurchases(name, len(values), tied, float(values.mean()), frame)


def _read_categories(
    frame: pd.DataFrame, customer_id: str, category: str, first_date: str
) -> pd.DataFrame:
    """Columns customer_id, category, date, revenue (if any), checked and sorted."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"categories: a pandas DataFrame is needed, got {type(frame).__name__}")
    complain("categories", missing_columns(frame, [customer_id, category, first_date, "revenue"]))
    unnamed = int(frame[category].isna().sum())
    complaints = [f"column {category!r} is empty in {unnamed} rows"] if unnamed else []
    complain("categories", [*complaints, *repeated_keys(frame, customer_id, category)])
    read_panel(
        frame,
        customer_id=customer_id,
        period=first_date,
        orders=None,
        repeated=True,
        argument="categories",
    )
    names = {customer_id: "customer_id", category: "category", first_date: "date"}
    chosen = frame[[*names, "revenue"]].rename(columns=names)
    chosen = chosen.assign(category=chosen["category"].astype(str))
    return chosen.sort_values(["customer_id", "category"], ignore_index=True)


def _read_customers(
    frame: pd.DataFrame, customer_id: str, repeat: list[str], value: str | None
) -> pd.DataFrame:
    """Columns value and again (came back: 0, 1, NaN when not known) by customer."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"customers: a pandas DataFrame is needed, got {type(frame).__name__}")
    needed = repeat if value is None else [value]
    complain("customers", missing_columns(frame, [customer_id, *needed]))
    # nobody's mean repeat purchase is known without repeat purchases: that is no fault
    numbers = frame.fillna({"monetary_value": 0.0}) if value is None else frame
    complaints = [*bad_numbers(numbers, needed), *repeated_keys(frame, customer_id)]
    complain("customers", complaints)
    worth = numbers[needed].prod(axis=1).to_numpy(float)
    again = frame["frequency"] > 0 if "frequency" in frame else np.full(len(frame), np.nan)
    index = pd.Index(frame[customer_id].astype(object), name="customer_id")
    return pd.DataFrame({"value": worth, "again": np.asarray(again, float)}, index=index)


def _refuse_unknown(bought: pd.DataFrame, worth: pd.DataFrame) -> None:
    ids = pd.Index(bought["customer_id"].unique())
    unknown = ids[~ids.isin(worth.index)]
    if len(unknown):
        shown = ", ".join(map(repr, unknown[:5]))
        raise ValueError(
            f"customers: {len(unknown)} customers of the table categories have no row (first: "
            f"{shown}); both tables must come from the same base"
        )


@dataclass(frozen=True)
class _Weights:
    """A number for each customer (row) and category (column)."""

    customers: pd.Index
    categories: list[str]
    matrix: csr_matrix

    def sums(self, copies: np.ndarray) -> np.ndarray:
        """Add up over customers (draws, categories), each customer counted in copies."""
        return np.asarray((self.matrix.T @ copies.T).T)


def _matrix(rows: pd.DataFrame, number: str, at_least: int) -> _Weights:
    size = rows.groupby("category")["customer_id"].nunique()
    small = size.index[size < at_least]
    other = f"other ({len(small)} smaller ones)"
    names = rows["category"].where(~rows["category"].isin(small), other)
    customer, customers = pd.factorize(rows["customer_id"], sort=True)
    code, categories = pd.factorize(names, sort=True)
    shape = (len(customers), len(categories))
    matrix = csr_matrix((rows[number].to_numpy(float), (customer, code)), shape=shape)
    return _Weights(pd.Index(customers), [str(name) for name in categories], matrix)


def _first_frame(
    weights: _Weights,
    values: np.ndarray,
    again: np.ndarray,
    draws: int,
    seed: Seed,
    level: float,
) -> pd.DataFrame:
    def means(copies: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return weights.sums(copies * values) / weights.sums(copies)

    ones = np.ones((1, len(values)))
    size, mean = weights.sums(ones)[0], means(ones)[0]
    drawn = bootstrap(
        lambda copies: np.hstack([means(copies), copies @ values[:, None] / len(values)]),
        ones[0],
        draws=draws,
        seed=seed,
    )
    lower, upper = np.array([percentile_interval(column, level) for column in drawn.T[:-1]]).T
    frame = pd.DataFrame(
        {
            "category": weights.categories,
            "customers": size,
            "share": size / len(values),
            "repeat_share": weights.sums(again[None, :])[0] / size,
            "mean_value": mean,
            "lower": lower,
            "upper": upper,
            "ratio": mean / (values.mean() or np.nan),
            "stands_out": _stands_out(mean - values.mean(), drawn[:, :-1] - drawn[:, -1:], level),
        }
    )
    return frame.sort_values(["customers", "category"], ascending=[False, True], ignore_index=True)


def _stands_out(difference: np.ndarray, drawn: np.ndarray, level: float) -> np.ndarray:
    """Whether differences exceed what the largest of so many would be by chance."""
    each = 1 - (1 - level) / len(difference)
    return np.abs(difference) > NormalDist().inv_cdf((1 + each) / 2) * drawn.std(axis=0)


@dataclass(frozen=True)
class BestCustomerCategories:
    """Categories of the best customers beside those of the rest.

    Attributes
    ----------
    value : str
        What "best" is measured by.
    top : float
        Share of customers called best (0..1).
    best, rest : int
        Customers in both groups.
    tied : int
        Customers whose value equals that of another one across the cut (their ids decided).
    frame : DataFrame
        One row a category, the largest difference first: ``category``, ``best_buyers`` and
        ``rest_buyers`` (share of the group that bought it), ``difference`` with ``lower`` and
        ``upper`` (Newcombe), ``best_mix`` and ``rest_mix`` (share in the group's revenue),
        ``mix_ratio`` with ``mix_lower`` and ``mix_upper`` (bootstrap; NaN when not defined in
        every draw), ``revenue``.
    """

    value: str
    top: float
    best: int
    rest: int
    tied: int
    frame: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a category."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = html.escape(
            f"What the best {self.top:.0%} by {self.value} ({self.best:,} customers) and the "
            f"other {self.rest:,} buy."
        )
        table = self.frame.to_html(index=False, escape=True, float_format="{:,.3f}".format)
        return f"<p>{note}</p>{table}"


def best_customer_categories(
    categories: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    top: float = 0.2,
    value: str = "revenue",
    at_least: int = 30,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    customer_id: str = "customer_id",
    category: str = "category",
    first_date: str = "first_date",
) -> BestCustomerCategories:
    """Compare what the best customers buy with what the rest buys.

    The best customers buy more of nearly everything, so the share of buyers is higher for them in
    most categories; the mix of their revenue shows what they buy more of than others do.

    Parameters
    ----------
    categories, customers, at_least, draws, seed, level, customer_id, category, first_date
        As in :func:`first_purchases`; categories with fewer buyers than `at_least` are taken
        together.
    top : float
        Share of the customers with a purchase that is called best, 0..1.
    value : str
        Column of `customers` they are ranked by.

    Returns
    -------
    BestCustomerCategories
        One row a category.

    Raises
    ------
    ValueError
        With every complaint about the tables, or when one of the groups is empty.
    """
    bought = _read_categories(categories, customer_id, category, first_date)
    worth = _read_customers(customers, customer_id, [], value)
    _refuse_unknown(bought, worth)
    amounts = _matrix(bought, "revenue", at_least)
    ranking = ranked(worth.loc[amounts.customers, "value"])
    best = int(whole_customers(share_of(top, "top"), len(ranking)))
    if not 0 < best < len(ranking):
        raise ValueError(
            f"top={top}: {best} of {len(ranking)} customers would be best; both groups need some"
        )
    edge = worth["value"].loc[ranking[best - 1 : best + 1]].to_numpy()
    tied = int((worth.loc[ranking, "value"] == edge[0]).sum()) if edge[0] == edge[1] else 0
    inside = amounts.customers.isin(ranking[:best])
    frame = _best_frame(bought, amounts, inside, at_least, draws, seed, level)
    return BestCustomerCategories(value, top, best, len(ranking) - best, tied, frame)


def _best_frame(
    bought: pd.DataFrame,
    amounts: _Weights,
    inside: np.ndarray,
    at_least: int,
    draws: int,
    seed: Seed,
    level: float,
) -> pd.DataFrame:
    buyers = _matrix(bought.assign(buys=1.0), "buys", at_least)
    buyers.matrix.data[:] = 1.0  # several small categories of one customer count once
    groups = np.stack([inside, ~inside]).astype(float)
    hits, sizes = buyers.sums(groups), groups.sum(axis=1)
    shares = hits / sizes[:, None]
    lower, upper = newcombe_interval(hits[0], sizes[0], hits[1], sizes[1], level)
    ones = np.ones((1, len(inside)))
    mixes = [_mix(amounts, ones * group)[0] for group in groups]
    frame = pd.DataFrame(
        {
            "category": amounts.categories,
            "best_buyers": shares[0],
            "rest_buyers": shares[1],
            "difference": shares[0] - shares[1],
            "lower": lower,
            "upper": upper,
            "best_mix": mixes[0],
            "rest_mix": mixes[1],
            **_mix_ratio(amounts, groups, draws, seed, level),
            "revenue": amounts.sums(ones)[0],
        }
    )
    return frame.sort_values(["difference", "category"], ascending=[False, True], ignore_index=True)


def _mix(amounts: _Weights, copies: np.ndarray) -> np.ndarray:
    """Share of each category in revenue (draws, categories)."""
    sums = amounts.sums(copies)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / sums.sum(axis=1, keepdims=True)


def _mix_ratio(
    amounts: _Weights, groups: np.ndarray, draws: int, seed: Seed, level: float
) -> dict[str, np.ndarray]:
    def ratio(copies: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return _mix(amounts, copies * groups[0]) / _mix(amounts, copies * groups[1])

    ones = np.ones((1, groups.shape[1]))
    drawn = bootstrap(ratio, ones[0], draws=draws, seed=seed)
    lower, upper = np.array([percentile_interval(column, level) for column in drawn.T]).T
    return {"mix_ratio": ratio(ones)[0], "mix_lower": lower, "mix_upper": upper}
