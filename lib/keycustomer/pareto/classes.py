"""Classes of customers: A, B and C by value, X, Y and Z by regularity.

Which customers are large, and which of them buy regularly?  :func:`abc_by_rank` makes A of the
top 5 % of customers, B of the next 15 % and C of the rest (course item R2);
:func:`abc_by_value` makes A of the fewest customers that bring 80 % of the value, B of those up
to 95 %.  :func:`abc_change` compares classes by two measures, for example revenue and profit.
:func:`xyz_classes` sorts customers by the coefficient of variation of their periods, and
:func:`abc_xyz` crosses both.

Equal values are ordered by customer id, so that a class is the same in every run; how many
customers a border cuts apart from equals is reported.

Sources: Juran (1954) and Dickie, "ABC inventory analysis" (Factory Management 1951) for classes
by value; Scholz-Reiter et al. (2012) for ABC-XYZ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.stats import Estimate, finite_values, share_of
from keycustomer.stats.proportion import wilson_interval

Rule: TypeAlias = Literal["rank", "value"]

ABC = ("A", "B", "C")
XYZ = ("X", "Y", "Z")

TOO_NEW = "too new"
"""XYZ class of customers seen for too few periods to judge."""

NO_MEAN = "no sales"
"""XYZ class of customers whose periods do not sum to more than zero."""

SUMMARY = [
    "abc",
    "customers",
    "customer_share",
    "value",
    "value_share",
    "smallest",
    "largest",
    "tied_below",
]

ROUNDING = 1e-9
"""Share of customers or of value that rounding may be off at a border."""


@dataclass(frozen=True)
class AbcClasses:
    """Customers with their class by value.

    Attributes
    ----------
    by : str
        The column the classes rest on.
    rule : str
        The rule in words.
    customers : DataFrame
        `customer_id`, `value`, `rank` (1 = largest), `share` and `cumulative_share` of value,
        `abc`; from the largest customer down.
    summary : DataFrame
        One row a class, empty ones included: `abc`, `customers`, `customer_share`, `value`,
        `value_share`, `smallest`, `largest`, and `tied_below`: customers of the next class
        whose value equals the smallest of this one.
    """

    by: str
    rule: str
    customers: pd.DataFrame = field(repr=False)
    summary: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Give the customers with their classes."""
        return self.customers.copy()

    def _repr_html_(self) -> str:
        table = self.summary.to_html(index=False, na_rep="", float_format=lambda v: f"{v:,.4g}")
        return f"{table}<p>{escape(self.by)}: {escape(self.rule)}</p>"


def abc_by_rank(
    table: pd.DataFrame,
    by: str = "revenue",
    *,
    a: float = 0.05,
    b: float = 0.15,
    customer: str = "customer_id",
) -> AbcClasses:
    """Class customers by their place: the top 5 % are A, the next 15 % B, the rest C.

    Parameters
    ----------
    table : DataFrame
        One row a customer.
    by : str
        Column with the value.
    a, b : float
        Shares of customers in A and in B; a fraction of a customer counts as one.
    customer : str
        Column with the id.

    Raises
    ------
    KeyError, TypeError, ValueError
        When a column is missing, a value unknown, an id repeated, or the shares exceed 1.
    """
    ranked = _ranked(table, by, customer)
    _two_shares(a, b, a + b)
    counts = [math.ceil(round(share * len(ranked), 9)) for share in (a, a + b)]
    place = ranked["rank"].to_numpy()
    classes = np.select([place <= counts[0], place <= counts[1]], ["A", "B"], "C")
    rule = f"A the top {100 * a:g} % of customers, B the next {100 * b:g} %, C the rest"
    return _classes(ranked, classes, by, rule)


def abc_by_value(
    table: pd.DataFrame,
    by: str = "revenue",
    *,
    a: float = 0.8,
    b: float = 0.95,
    customer: str = "customer_id",
) -> AbcClasses:
    """Class customers by cumulative value: A brings 80 % of it, A and B together 95 %.

    A is the smallest set of customers that reaches its share: the customer who crosses the
    border is in.

    Parameters
    ----------
    table : DataFrame
        One row a customer.
    by : str
        Column with the value; its sum must be above zero.
    a, b : float
        Cumulative shares of value of A, and of A and B together.
    customer : str
        Column with the id.

    Raises
    ------
    KeyError, TypeError, ValueError
        As :func:`abc_by_rank`, and when the values do not sum to more than zero.
    """
    ranked = _ranked(table, by, customer)
    if not ranked["value"].sum() > 0:
        raise ValueError(
            f"{by} of {len(ranked):,} customers sums to {ranked['value'].sum():g}: classes by "
            "share of value need a total above zero; use abc_by_rank"
        )
    _two_shares(a, b - a, b)
    before = (ranked["cumulative_share"] - ranked["share"]).to_numpy()
    positive = ranked["value"].to_numpy() > 0
    in_a, in_b = positive & (before < a - ROUNDING), positive & (before < b - ROUNDING)
    rule = (
        f"A the fewest customers with {100 * a:g} % of the value, B up to {100 * b:g} %, C the rest"
    )
    return _classes(ranked, np.select([in_a, in_b], ["A", "B"], "C"), by, rule)


def _two_shares(a: float, b: float, together: float) -> None:
    for name, share in (("a", a), ("b", together)):
        share_of(share, name)
    if b < 0:
        raise ValueError(f"b must not be below a: got a={a:g}, b={together:g}")


def _ranked(table: pd.DataFrame, by: str, customer: str) -> pd.DataFrame:
    """Rank customers from the largest down, equal values by id, with cumulative shares."""
    _need_columns(table, [customer, by])
    ids = table[customer].astype(str)
    if ids.duplicated().any():
        first = ids[ids.duplicated()].iloc[:3].tolist()
        raise ValueError(
            f"{customer} must be unique, one row a customer; repeated: {', '.join(first)}; "
            "sum the rows of a customer first"
        )
    values = finite_values(pd.Series(table[by].to_numpy(), index=ids), by)
    order = np.lexsort((ids.to_numpy(dtype=object), -values))
    value = values[order]
    total = value.sum()
    share = value / total if total > 0 else np.full(value.size, np.nan)
    return pd.DataFrame(
        {
            "customer_id": ids.to_numpy()[order],
            "value": value,
            "rank": np.arange(1, value.size + 1),
            "share": share,
            "cumulative_share": np.cumsum(share),
        }
    )


def _need_columns(table: pd.DataFrame, columns: list[str]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise KeyError(
            f"the table has no column {', '.join(map(repr, missing))}; "
            f"it has {', '.join(map(repr, table.columns))}"
        )


def _classes(ranked: pd.DataFrame, classes: npt.NDArray, by: str, rule: str) -> AbcClasses:
    customers = ranked.assign(abc=pd.Categorical(classes, ABC, ordered=True))
    return AbcClasses(by, rule, customers, _summary(customers))


def _summary(customers: pd.DataFrame) -> pd.DataFrame:
    grouped = customers.groupby("abc", observed=False)["value"]
    summary = grouped.agg(customers="size", value="sum", smallest="min", largest="max")
    total = summary["value"].sum()
    following = summary["largest"].bfill().shift(-1)
    tied = [
        int(((customers["abc"] > abc) & (customers["value"] == smallest)).sum())
        for abc, smallest in summary["smallest"].items()
    ]
    return summary.assign(
        customer_share=summary["customers"] / len(customers),
        value_share=summary["value"] / total if total > 0 else np.nan,
        tied_below=np.where(summary["smallest"] == following, tied, 0),
    ).reset_index()[SUMMARY]


@dataclass(frozen=True)
class AbcChange:
    """Customers whose class depends on the measure.

    Attributes
    ----------
    first, second : str
        The two measures.
    rule : str
        The rule in words.
    customers : DataFrame
        `customer_id`, the two values, `abc_<first>`, `abc_<second>`, `change` (`same`, `up`,
        `down`); those that change first, then by id.
    counts : DataFrame
        Customers by class on the first measure (rows) and on the second (columns), 3 by 3.
    """

    first: str
    second: str
    rule: str
    customers: pd.DataFrame = field(repr=False)
    counts: pd.DataFrame

    @property
    def moved(self) -> int:
        """Number of customers that change class."""
        return int((self.customers["change"] != "same").sum())

    @property
    def contested(self) -> Estimate:
        """Share of class A on the first measure that is not class A on the second, 0..1."""
        best = self.counts.loc["A"].to_numpy()
        outside, size = int(best[1:].sum()), int(best.sum())
        lower, upper = wilson_interval(outside, size)
        share = outside / size if size else math.nan
        method = "Wilson interval"
        return Estimate(share, float(lower), float(upper), "share of customers", size, method)

    def to_frame(self) -> pd.DataFrame:
        """Give the customers with both classes."""
        return self.customers.copy()

    def _repr_html_(self) -> str:
        who = f"{self.moved:,} of {len(self.customers):,} customers change class"
        how = f"rows {escape(self.first)}, columns {escape(self.second)}"
        return f"{self.counts.to_html()}<p>{who} ({how}).</p>"


def abc_change(
    table: pd.DataFrame,
    first: str = "revenue",
    second: str = "profit",
    *,
    rule: Rule = "rank",
    customer: str = "customer_id",
) -> AbcChange:
    """Compare classes on two measures, to see who is large in revenue but not in profit.

    Parameters
    ----------
    table : DataFrame
        One row a customer.
    first, second : str
        Columns with the two values.
    rule : {"rank", "value"}
        :func:`abc_by_rank` or :func:`abc_by_value`, with their usual borders.
    customer : str
        Column with the id.
    """
    if rule not in get_args(Rule):
        raise ValueError(f"rule={rule!r} is not known; choose one of 'rank', 'value'")
    classify = abc_by_rank if rule == "rank" else abc_by_value
    one, two = (classify(table, by, customer=customer) for by in (first, second))
    both = one.customers[["customer_id", "value", "abc"]].merge(
        two.customers[["customer_id", "value", "abc"]], on="customer_id", suffixes=("_1", "_2")
    )
    step = both["abc_1"].cat.codes - both["abc_2"].cat.codes
    both["change"] = np.select([step > 0, step < 0], ["up", "down"], "same")
    both = both.sort_values(
        ["change", "customer_id"], key=lambda c: c == "same" if c.name == "change" else c
    )
    counts = pd.crosstab(both["abc_1"], both["abc_2"], dropna=False)
    counts = counts.reindex(index=list(ABC), columns=list(ABC), fill_value=0)
    names = {"value_1": first, "value_2": second, "abc_1": f"abc_{first}", "abc_2": f"abc_{second}"}
    return AbcChange(
        first,
        second,
        one.rule,
        both.rename(columns=names).reset_index(drop=True),
        counts.rename_axis(index=f"by {first}", columns=f"by {second}"),
    )


def xyz_classes(
    periods: pd.DataFrame,
    by: str = "revenue",
    *,
    x: float = 0.5,
    y: float = 1.0,
    minimum: int = 3,
    before_first: Literal["leave out", "zero"] = "leave out",
    calendar: Sequence[pd.Timestamp] | None = None,
) -> pd.DataFrame:
    """Class customers by how regular their periods are: X steady, Y varying, Z irregular.

    The coefficient of variation is the standard deviation (divided by n) over the mean of a
    customer's periods.  A period without purchase counts as zero.  Periods before a customer's
    first purchase are left out, unless `before_first="zero"`: a new customer is not irregular
    because it was not yet there.

    Parameters
    ----------
    periods : DataFrame
        `customer_id`, `period`, and the column `by`: rows of `customer_periods`, which has only
        periods with transactions.
    by : str
        Column with the value of a period.
    x, y : float
        Largest coefficient of variation of X, and of Y.
    minimum : int
        Customers with fewer periods are `too new` to judge.
    before_first : {"leave out", "zero"}
        What to do with periods before a customer's first purchase.
    calendar : sequence of Timestamp, optional
        Every period of the window; left out, all periods in which anybody bought.

    Returns
    -------
    DataFrame
        `customer_id`, `periods`, `active_periods`, `mean`, `variation`, `xyz`, sorted by id.
        Customers whose periods do not sum to more than zero are classed `no sales`.
    """
    _need_columns(periods, ["customer_id", "period", by])
    if before_first not in ("leave out", "zero"):
        raise ValueError(f"before_first={before_first!r} is not known; 'leave out' or 'zero'")
    if not 0 < x < y:
        raise ValueError(f"x={x!r}, y={y!r}: borders must rise from above zero")
    window = np.unique(pd.to_datetime(list(periods["period"] if calendar is None else calendar)))
    stray = ~periods["period"].isin(window)
    if stray.any():
        first = periods.loc[stray, "period"].iloc[0]
        raise ValueError(f"{stray.sum():,} rows lie outside the calendar, first {first:%Y-%m-%d}")
    seen = _variation(periods, by, window, before_first)
    judged = seen["periods"] >= minimum
    classes = [~judged, seen["mean"] <= 0, seen["variation"] <= x, seen["variation"] <= y]
    seen["xyz"] = pd.Categorical(
        np.select(classes, [TOO_NEW, NO_MEAN, "X", "Y"], "Z"), [*XYZ, TOO_NEW, NO_MEAN]
    )
    return seen


def _variation(
    periods: pd.DataFrame, by: str, window: npt.NDArray, before_first: str
) -> pd.DataFrame:
    """Mean and coefficient of variation of each customer's periods, zeros included."""
    rows = pd.DataFrame(
        {
            "customer_id": periods["customer_id"].astype(str).to_numpy(),
            "period": periods["period"].to_numpy(),
            "value": finite_values(periods[by], by),
        }
    )
    grouped = rows.groupby("customer_id", sort=True)
    seen = grouped.agg(
        first=("period", "min"), active_periods=("period", "nunique"), sum=("value", "sum")
    )
    before = np.searchsorted(window, seen["first"].to_numpy()) if before_first == "leave out" else 0
    seen["periods"] = window.size - before
    seen["mean"] = seen["sum"] / seen["periods"]
    off = (rows["value"].to_numpy() - seen["mean"].reindex(rows["customer_id"]).to_numpy()) ** 2
    squares = pd.Series(off).groupby(rows["customer_id"].to_numpy()).sum().reindex(seen.index)
    silent = seen["periods"] - seen["active_periods"]
    spread = np.sqrt((squares + silent * seen["mean"] ** 2) / seen["periods"])
    seen["variation"] = np.where(
        seen["mean"] > 0, spread / seen["mean"].where(seen["mean"] > 0), np.nan
    )
    return seen.reset_index()[["customer_id", "periods", "active_periods", "mean", "variation"]]


@dataclass(frozen=True)
class AbcXyz:
    """Customers by size and regularity.

    Attributes
    ----------
    by : str
        The measure of size.
    cells : DataFrame
        One row a cell, empty ones included: `abc`, `xyz`, `customers`, `customer_share`,
        `value`, `value_share`.
    customers : DataFrame
        `customer_id`, `value`, `abc`, `xyz`, `variation`.
    """

    by: str
    cells: pd.DataFrame
    customers: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Give the cells."""
        return self.cells.copy()

    def table(self, column: str = "customers") -> pd.DataFrame:
        """Lay out a column of the cells as a table, A to C down and X to Z across."""
        return self.cells.pivot(index="abc", columns="xyz", values=column)

    def _repr_html_(self) -> str:
        note = f"<p>Customers by class of {escape(self.by)} and regularity.</p>"
        return self.table().to_html() + note


def abc_xyz(abc: AbcClasses, xyz: pd.DataFrame) -> AbcXyz:
    """Cross classes by size with classes by regularity.

    Parameters
    ----------
    abc : AbcClasses
        From :func:`abc_by_rank` or :func:`abc_by_value`.
    xyz : DataFrame
        From :func:`xyz_classes`; customers not in it never bought and are classed `no sales`.
    """
    customers = abc.customers[["customer_id", "value", "abc"]].merge(
        xyz[["customer_id", "xyz", "variation"]], on="customer_id", how="left"
    )
    customers["xyz"] = customers["xyz"].fillna(NO_MEAN)
    rest = [name for name in (TOO_NEW, NO_MEAN) if (customers["xyz"] == name).any()]
    customers["xyz"] = customers["xyz"].cat.set_categories([*XYZ, *rest], ordered=True)
    grouped = customers.groupby(["abc", "xyz"], observed=False)["value"]
    cells = grouped.agg(customers="size", value="sum").reset_index()
    total = customers["value"].sum()
    cells.insert(3, "customer_share", cells["customers"] / len(customers))
    cells["value_share"] = cells["value"] / total if total > 0 else np.nan
    return AbcXyz(abc.by, cells, customers)
