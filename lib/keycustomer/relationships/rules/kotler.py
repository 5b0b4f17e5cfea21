"""Kotler's table: a relationship level from the number of customers and their margin.

Which relationship does the textbook rule give a customer?  Where a class has many customers with
thin margins they get the basic level; few customers with fat margins get partnership; the cells
between lie between.  :data:`KOTLER_TABLE` is the table itself, :func:`kotler_level` one cell of it,
and :func:`kotler_levels` applies it to every customer, all cut-offs being parameters: from which
share of the customers a class counts as few or many, and from which margin it is fat or thin.

The rule looks at a customer's class and margin, and at nothing else: neither at what a level costs
nor at what it changes.  What that loses under a budget is told by
:mod:`keycustomer.relationships.selection`.

Source: Kotler & Keller, "Marketing Management" (2016), chapter 5: levels of relationship marketing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.relationships.rules.one_row import one_row_a_customer
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats import finite_values

NUMBERS = ("many", "medium", "few")
"""Classes by their number of customers."""

MARGINS = ("high", "medium", "low")
"""Classes of margin."""

KOTLER_TABLE: dict[tuple[str, str], str] = {
    ("many", "high"): "accountable",
    ("many", "medium"): "reactive",
    ("many", "low"): "basic",
    ("medium", "high"): "proactive",
    ("medium", "medium"): "accountable",
    ("medium", "low"): "reactive",
    ("few", "high"): "partnership",
    ("few", "medium"): "proactive",
    ("few", "low"): "accountable",
}
"""Level by number of customers in the class and margin."""

MarginOf: TypeAlias = Literal["customer", "group"]

ROUNDING = 1e-9
"""Share of customers that rounding may be off at a cut-off."""


@dataclass(frozen=True, eq=False)
class KotlerLevels:
    """Levels of the customers by Kotler's table.

    Attributes
    ----------
    frame : DataFrame
        One row a customer, in the order given: customer_id, group, number (many, medium, few),
        margin (what was compared with the cut-offs), margin_class (high, medium, low), level
        (its name), code (its place in `LEVELS`).
    groups : DataFrame
        One row a group: group, customers, share, number, margin (mean a customer).
    number_cuts : (float, float)
        Share of the customers up to which a group counts as few, and from which as many.
    margin_cuts : (float, float)
        Margin below which it is low, and from which it is high.
    margin : str
        Column the margin comes from.
    margin_of : {"customer", "group"}
        Whose margin is compared.
    rule : str
        The rule in words.
    """

    frame: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    number_cuts: tuple[float, float]
    margin_cuts: tuple[float, float]
    margin: str
    margin_of: str
    rule: str

    @property
    def codes(self) -> pd.Series:
        """Place of each customer's level in `LEVELS`, by customer_id."""
        return self.frame.set_index("customer_id")["code"]

    @property
    def counts(self) -> pd.DataFrame:
        """Customers by number class (rows) and margin class (columns), 3 by 3."""
        table = pd.crosstab(self.frame["number"], self.frame["margin_class"])
        return table.reindex(index=list(NUMBERS), columns=list(MARGINS), fill_value=0)

    @property
    def shares(self) -> pd.DataFrame:
        """One row a level, empty ones included: level, customers, share."""
        counts = self.frame["level"].value_counts().reindex(list(LEVELS), fill_value=0)
        share = counts / len(self.frame)
        return pd.DataFrame({"level": LEVELS, "customers": counts, "share": share}).reset_index(
            drop=True
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a customer."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        tables = {
            "Customers by cell": self.counts.rename_axis(columns=None).reset_index(),
            "Levels": self.shares,
            "Groups": self.groups,
        }
        said = [counted(len(self.frame), "customer"), self.rule]
        return report_html("Kotler's table", said, tables)


def kotler_table() -> pd.DataFrame:
    """Show the table: number of customers in the class (rows) by margin (columns)."""
    cells = [[KOTLER_TABLE[number, margin] for margin in MARGINS] for number in NUMBERS]
    return pd.DataFrame(
        cells,
        index=pd.Index(NUMBERS, name="customers in the class"),
        columns=pd.Index(MARGINS, name="margin"),
    )


def kotler_level(number: str, margin: str) -> str:
    """Look up one cell of the table.

    Parameters
    ----------
    number : {"many", "medium", "few"}
        Number of customers in the class.
    margin : {"high", "medium", "low"}
        Their margin.

    Raises
    ------
    KeyError
        When there is no such cell.

    Examples
    --------
    >>> kotler_level("few", "high")
    'partnership'
    """
    if (number, margin) not in KOTLER_TABLE:
        raise KeyError(
            f"no cell ({number!r}, {margin!r}): number is one of {', '.join(NUMBERS)}, margin one "
            f"of {', '.join(MARGINS)}"
        )
    return KOTLER_TABLE[number, margin]


def kotler_levels(
    table: pd.DataFrame,
    *,
    margin: str = "margin",
    group: str | None = None,
    rank_by: str | None = None,
    group_shares: Sequence[float] = (0.05, 0.15),
    number_cuts: tuple[float, float] = (0.10, 0.50),
    margin_cuts: tuple[float, float] | None = None,
    margin_of: MarginOf = "customer",
    customer: str = "customer_id",
) -> KotlerLevels:
    """Give every customer the level of Kotler's table.

    Parameters
    ----------
    table : DataFrame
        One row a customer.
    margin : str
        Column with the margin, currency a year or a share of revenue.
    group : str, optional
        Column with the class of each customer (a tier, a segment); left out, classes are made by
        rank: the first of `group_shares` of the customers, the next, ..., and the rest.
    rank_by : str, optional
        Column the classes are ranked by, the largest first, equal ones by id; default: `margin`.
    group_shares : sequence of float
        Shares of the customers in the ranked classes, from the top; the rest is the last class.
    number_cuts : (float, float)
        Share of all customers up to which a class has few, and from which it has many.
    margin_cuts : (float, float), optional
        Margin below which it is low, and from which it is high; default: thirds of the customers.
    margin_of : {"customer", "group"}
        Compare each customer's own margin, or the mean of its class.
    customer : str
        Column with the id.

    Raises
    ------
    KeyError, TypeError, ValueError
        When a column is missing, a value unknown, an id repeated, or cut-offs do not rise.
    """
    needed = [margin, *([group] if group else [rank_by or margin])]
    rows = one_row_a_customer(table, customer, needed)
    _check_cuts(group_shares, number_cuts, margin_cuts, margin_of)
    own = finite_values(rows[margin], margin)
    by = rank_by or margin
    groups = (
        _named_groups(rows[group], group)
        if group
        else _ranked_groups(finite_values(rows[by], by), rows.index, group_shares)
    )
    known = pd.DataFrame({"customer_id": rows.index, "group": groups, "own": own})
    sizes = _group_table(known, number_cuts)
    known["number"] = known["group"].map(sizes.set_index("group")["number"])
    means = known["group"].map(sizes.set_index("group")["margin"])
    known["margin"] = means if margin_of == "group" else own
    cuts = margin_cuts or _thirds(known["margin"].to_numpy())
    place = np.digitize(known["margin"], cuts)
    known["margin_class"] = np.array(MARGINS[::-1])[place]
    cells = zip(known["number"], known["margin_class"], strict=True)
    known["level"] = [KOTLER_TABLE[cell] for cell in cells]
    known["code"] = known["level"].map(LEVELS.index).astype(np.int64)
    return KotlerLevels(
        known.drop(columns="own"),
        sizes,
        tuple(map(float, number_cuts)),  # type: ignore[arg-type]
        (float(cuts[0]), float(cuts[1])),
        margin,
        margin_of,
        _rule(group, by, group_shares, number_cuts, cuts, margin, margin_of, margin_cuts is None),
    )


def _check_cuts(
    shares: Sequence[float],
    numbers: tuple[float, float],
    margins: tuple[float, float] | None,
    margin_of: str,
) -> None:
    complaints = []
    whole = list(shares)
    if not all(0 < share < 1 for share in whole) or sum(whole) >= 1:
        complaints.append(
            f"group_shares={tuple(whole)!r}: shares of the customers above 0 that leave a rest, "
            "such as (0.05, 0.15)"
        )
    if len(numbers) != 2 or not 0 <= numbers[0] < numbers[1] <= 1:
        complaints.append(
            f"number_cuts={numbers!r}: two rising shares of the customers, such as (0.10, 0.50)"
        )
    if margins is not None and (
        len(margins) != 2 or not all(map(math.isfinite, margins)) or margins[0] > margins[1]
    ):
        complaints.append(f"margin_cuts={margins!r}: two rising margins, in the column's unit")
    if margin_of not in get_args(MarginOf):
        complaints.append(f"margin_of={margin_of!r}: 'customer' or 'group'")
    refuse(complaints)


def _named_groups(values: pd.Series, column: str) -> npt.NDArray[np.object_]:
    unknown = values.isna()
    if unknown.any():
        first = ", ".join(map(repr, values.index[unknown][:3]))
        raise ValueError(
            f"{column} is not known for {counted(int(unknown.sum()), 'customer')}, first {first}: "
            "drop them or name their class"
        )
    return values.astype(str).to_numpy(dtype=object)


def _ranked_groups(
    values: npt.NDArray[np.float64], ids: pd.Index, shares: Sequence[float]
) -> npt.NDArray[np.object_]:
    """Name the classes by rank, a fraction of a customer counting as one."""
    order = np.lexsort((ids.to_numpy(dtype=object), -values))
    ends = [math.ceil(round(sum(shares[: k + 1]) * len(ids), 9)) for k in range(len(shares))]
    starts = [0.0, *np.cumsum(shares)]
    names = ["top " + _percent(shares[0])]
    names += [f"next {_percent(share)}" for share in shares[1:]]
    names.append(f"last {_percent(1 - starts[-1])}")
    groups = np.empty(len(ids), dtype=object)
    groups[order] = np.array(names, dtype=object)[
        np.searchsorted(ends, np.arange(len(ids)), side="right")
    ]
    return groups


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _group_table(known: pd.DataFrame, cuts: tuple[float, float]) -> pd.DataFrame:
    """Count the groups, smallest first, and class them by their number of customers."""
    own = known.groupby("group", sort=False)["own"]
    sizes = pd.DataFrame({"customers": own.size(), "margin": own.mean()}).reset_index()
    sizes = sizes.sort_values("customers", kind="stable", ignore_index=True)
    share = sizes["customers"] / len(known)
    few, many = share <= cuts[0] + ROUNDING, share >= cuts[1] - ROUNDING
    number = np.select([few, many], ["few", "many"], "medium")
    sizes = sizes.assign(share=share, number=number)
    return sizes[["group", "customers", "share", "number", "margin"]]


def _thirds(margins: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(margins, [1 / 3, 2 / 3])
    return float(low), float(high)


def _rule(
    group: str | None,
    by: str,
    shares: Sequence[float],
    numbers: tuple[float, float],
    margins: tuple[float, float],
    margin: str,
    margin_of: str,
    thirds: bool,
) -> str:
    classes = group or f"rank by {by} ({', '.join(map(_percent, shares))}, rest)"
    whose = "of each customer" if margin_of == "customer" else "mean of the class"
    borders = " (thirds of the customers)" if thirds else ""
    return (
        f"classes: {classes}; few up to {_percent(numbers[0])} of the customers, many from "
        f"{_percent(numbers[1])}; {margin} {whose}: low below {margins[0]:,.6g}, high from "
        f"{margins[1]:,.6g}{borders}"
    )
