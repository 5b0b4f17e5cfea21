"""Customers between two periods: who stays in its class, who among the best.

:func:`class_migration` counts customers by their class in one period and in the next (with "new"
and "gone"); :func:`retained_top` follows the best customers of the first period into the second.
How much of their fall is luck, :mod:`~keycustomer.pareto.persistence` tells.

Classes are cut at shares of the customers who bought in a period.  Customers of equal value on
both sides of a cut are put in the order of their ids, and their number is reported.

Sources: Fader, Hardie & Ross, "The Customer-Base Audit" (2022), lens 2; Sharp, Romaniuk & Graham
(2019) for heavy buyers a year later.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.pareto.panel import (
    TICKS,
    PeriodChoice,
    Span,
    known_before,
    ranked,
    read_panel,
    side,
    side_by_side,
    two_spans,
)
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, share_of
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.proportion import wilson_interval

ABC_CUTS: Mapping[str, float] = {"A": 0.05, "B": 0.20, "C": 1.0}
"""Classes by cumulative share of the customers: the top 5 %, the next 15 %, the rest."""

RETURNED = "returned"
"""Row of those who bought in the second period and before the first, but not in it."""

NEW = "new"
"""Row of those whose first purchase in the table falls into the second period."""

GONE = "gone"
"""Column of those who bought in the first period only: no purchase, not proof of leaving."""


@dataclass(frozen=True)
class Migration:
    """Customers by class in two periods.

    Attributes
    ----------
    first, second : str
        The periods.
    value : str
        What the classes are made by.
    counts : DataFrame
        Customers; index: class in the first period, ``returned`` (when the table knows of earlier
        purchases) and ``new``; columns: class in the second period and ``gone``.
    shares, lower, upper : DataFrame
        Share of the row (0..1; NaN in an empty row) and the ends of its interval (Wilson).
    tied : dict of str to int
        For each period, customers whose value equals that of another one across a cut.
    level : float
        Confidence level of the intervals.
    """

    first: str
    second: str
    value: str
    counts: pd.DataFrame
    shares: pd.DataFrame
    lower: pd.DataFrame
    upper: pd.DataFrame
    tied: dict[str, int]
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a pair of classes: from, to, customers, share, lower, upper."""
        parts = {
            "customers": self.counts,
            "share": self.shares,
            "lower": self.lower,
            "upper": self.upper,
        }
        columns = {name: part.stack() for name, part in parts.items()}
        tidy = pd.DataFrame(columns).reindex(self.counts.stack().index)
        return tidy.rename_axis(["from", "to"]).reset_index()

    def _repr_html_(self) -> str:
        cells = self.shares.map(lambda share: f"{share:.1%}") + " (" + self.counts.astype(str) + ")"
        note = html.escape(f"Class by {self.value} in {self.first} (rows) and {self.second}.")
        return f"<p>{note} Share of the row (customers).</p>{cells.to_html(escape=True)}"


def class_migration(
    periods: pd.DataFrame,
    first: PeriodChoice = None,
    second: PeriodChoice = None,
    *,
    value: str = "revenue",
    classes: Mapping[str, float] | int = 10,
    level: float = 0.95,
    customer_id: str = "customer_id",
    period: str = "period",
    orders: str | None = "orders",
) -> Migration:
    """Count customers by class in two periods.

    Parameters
    ----------
    periods : DataFrame
        One row a customer and period in which it bought (``customers.customer_periods``).
    first, second : date-like or (date-like, date-like), optional
        A period's first day, or the first days of the first and last period of a longer one.
        Left out, the table must hold exactly two periods.
    value : str
        Column the classes are made by.
    classes : mapping of str to float, or int
        Cumulative shares of the period's buyers by class, best first, the last one 1
        (:data:`ABC_CUTS`), or a number of equal groups, "1" the best.
    level : float
        Confidence level of the row shares.
    customer_id, period, orders : str
        Columns of the table; ``orders=None`` when there is none: then buying means `value` > 0.

    Returns
    -------
    Migration
        Counts and row shares.

    Raises
    ------
    ValueError
        With every complaint about the table, the periods or the classes.
    """
    cuts = _cuts(classes)
    panel = read_panel(
        periods, amounts=(value,), customer_id=customer_id, period=period, orders=orders
    )
    spans = two_spans(panel, first, second)
    both = side_by_side(panel, *spans)
    labels, tied = zip(*(_classes(side(both, n), value, cuts) for n in (0, 1)), strict=True)
    known = pd.Series(both.index.isin(known_before(panel, spans[1].start)), both.index)
    before = labels[0].mask((labels[0] == "") & known, RETURNED)
    return _migration(before, labels[1], list(cuts), spans, value, tied, level)


def _cuts(classes: Mapping[str, float] | int) -> dict[str, float]:
    if isinstance(classes, int):
        if classes < 2:
            raise ValueError(f"classes={classes}: at least two groups are needed")
        return {str(group + 1): (group + 1) / classes for group in range(classes)}
    shares = list(classes.values())
    rising = all(low < high for low, high in zip([0.0, *shares], shares, strict=False))
    if not rising or shares[-1:] != [1.0]:
        raise ValueError(
            f"classes={dict(classes)}: cumulative shares must rise from above 0 to exactly 1, "
            "such as {'A': 0.05, 'B': 0.20, 'C': 1.0}"
        )
    if taken := {"", NEW, RETURNED, GONE} & set(classes):
        raise ValueError(f"classes: the names {sorted(taken)} are taken; choose others")
    return dict(classes)


def whole_customers(share: float, customers: int | np.ndarray) -> np.ndarray:
    """Whole customers that make up at least a share of all (12.4 means 13)."""
    # the tolerance keeps 0.07 * 100 = 7.000000000000001 at seven
    return np.ceil(np.asarray(customers) * share - 1e-9).astype(np.int64)


def _classes(span: pd.DataFrame, value: str, cuts: Mapping[str, float]) -> tuple[pd.Series, int]:
    """Class of each customer ("" without a purchase), and customers tied across a cut."""
    buyers = span.loc[span["orders"] > 0, value]
    order = ranked(buyers)
    ends = whole_customers_at(cuts, len(order))
    positions = np.searchsorted(ends, np.arange(len(order)), side="right")
    labels = pd.Series(np.array(list(cuts), dtype=object)[positions], index=order)
    values = buyers.loc[order].to_numpy()
    inner = np.unique(ends[(ends > 0) & (ends < len(order))])
    split = np.unique(values[inner][values[inner] == values[inner - 1]])
    return labels.reindex(span.index, fill_value=""), int(np.isin(values, split).sum())


def whole_customers_at(cuts: Mapping[str, float], customers: int) -> np.ndarray:
    """Position after the last customer of each class."""
    return np.array([int(whole_customers(share, customers)) for share in cuts.values()])


def _migration(
    before: pd.Series,
    after: pd.Series,
    names: list[str],
    spans: tuple[Span, Span],
    value: str,
    tied: tuple[int, ...],
    level: float,
) -> Migration:
    bought = ((before != "") & (before != RETURNED)) | (after != "")
    rows, columns = before[bought].replace("", NEW), after[bought].replace("", GONE)
    counts = pd.crosstab(rows, columns).reindex(
        index=[*names, *([RETURNED] if RETURNED in set(rows) else []), NEW],
        columns=[*names, GONE],
        fill_value=0,
    )
    counts = counts.rename_axis(index="from", columns="to")
    size = counts.sum(axis=1)
    lower, upper = wilson_interval(counts, size.to_numpy()[:, None], level)
    return Migration(
        str(spans[0]),
        str(spans[1]),
        value,
        counts,
        counts.div(size.where(size > 0), axis=0),
        pd.DataFrame(lower, counts.index, counts.columns),
        pd.DataFrame(upper, counts.index, counts.columns),
        dict(zip(("first", "second"), tied, strict=True)),
        level,
    )


@dataclass(frozen=True)
class TopRetention:
    """What became of the first period's best customers.

    Attributes
    ----------
    first, second : str
        The periods.
    value : str
        What "best" is measured by.
    top : float
        Share of the first period's buyers called best (0..1).
    customers : int
        How many these are.
    still_top : Estimate
        Share of them that is again among the best `top` of the same customers.  Were the second
        period independent of the first, it would be `top`.
    buying : Estimate
        Share of them that bought at all.
    value_share : Estimate
        Their share in the whole value of the second period, new customers included.
    top_of_buyers : Estimate
        Share of them among the best `top` of the second period's buyers, a narrower circle when
        many have stopped buying.
    """

    first: str
    second: str
    value: str
    top: float
    customers: int
    still_top: Estimate
    buying: Estimate
    value_share: Estimate
    top_of_buyers: Estimate

    def to_frame(self) -> pd.DataFrame:
        """One row a measure."""
        names = ("still_top", "buying", "value_share", "top_of_buyers")
        rows = [{"measure": name, **_row(getattr(self, name))} for name in names]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        note = html.escape(
            f"The best {self.top:.0%} by {self.value} of {self.first} ({self.customers:,} "
            f"customers) in {self.second}."
        )
        table = self.to_frame().to_html(index=False, escape=True, float_format="{:.3f}".format)
        return f"<p>{note}</p>{table}"


def _row(estimate: Estimate) -> dict[str, float | str | int]:
    return {
        "estimate": estimate.estimate,
        "lower": estimate.lower,
        "upper": estimate.upper,
        "unit": estimate.unit,
        "n": estimate.n,
    }


def retained_top(
    periods: pd.DataFrame,
    first: PeriodChoice = None,
    second: PeriodChoice = None,
    *,
    top: float = 0.2,
    value: str = "revenue",
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    customer_id: str = "customer_id",
    period: str = "period",
    orders: str | None = "orders",
    progress: Progress | None = None,
) -> TopRetention:
    """Follow the best customers of one period into the next.

    Parameters
    ----------
    periods, first, second, value, customer_id, period, orders
        As in :func:`class_migration`.
    top : float
        Share of the first period's buyers called best, between 0 and 1.
    draws : int
        Bootstrap draws of customers; who is best is decided anew in every draw.
    seed : int or Generator
        Makes the draws reproducible.
    level : float
        Confidence level.
    progress : callable, optional
        Called as ``progress(done, draws)`` when the work takes more than two seconds.

    Returns
    -------
    TopRetention
        Four shares with intervals.

    Raises
    ------
    ValueError
        With every complaint about the table or the periods, or when `top` is not a share.
    """
    if not 0 < share_of(top, "top") < 1:
        raise ValueError(f"top={top}: nobody or everybody would be best; 0.2 is the top 20 %")
    panel = read_panel(
        periods, amounts=(value,), customer_id=customer_id, period=period, orders=orders
    )
    spans = two_spans(panel, first, second)
    follower = _Follower(side_by_side(panel, *spans), value, top)
    ones = np.ones((1, follower.size))
    point = follower.shares(ones)[0]
    drawn = bootstrap(follower.shares, ones[0], draws=draws, seed=seed, progress=progress)
    customers = int(follower.top_of(ones, follower.orders[0]).sum())
    estimates = _estimates(point, drawn, value, customers, level)
    return TopRetention(str(spans[0]), str(spans[1]), value, top, customers, *estimates)


def _estimates(
    point: np.ndarray, drawn: np.ndarray, value: str, customers: int, level: float
) -> list[Estimate]:
    people = "share of customers"
    units = [people, people, f"share of {value}", people]
    return [
        _at_bound(share, unit, customers, level)
        if unit == people and share in (0, 1) and len(draws)
        else bootstrap_estimate(share, draws, unit=unit, n=customers, level=level)
        for share, draws, unit in zip(point, drawn.T, units, strict=True)
    ]


def _at_bound(share: float, unit: str, customers: int, level: float) -> Estimate:
    """Estimate where all or none do: draws cannot differ, so a bootstrap would claim certainty."""
    lower, upper = wilson_interval(share * customers, customers, level)
    method = "Wilson interval (all draws agree)"
    return Estimate(float(share), float(lower), float(upper), unit, customers, method, level)


class _Follower:
    """The four shares of `TopRetention` for any number of copies of each customer."""

    def __init__(self, both: pd.DataFrame, value: str, top: float) -> None:
        self.size, self.top = len(both), top
        self.bought = [(both[n, "orders"] > 0).to_numpy() for n in (0, 1)]
        values = [both[n, value].to_numpy() for n in (0, 1)]
        self.second = values[1] / TICKS
        was, now = self.bought
        places = [
            (values[0], was),
            (values[1], was),
            (values[1], now),
        ]
        # a stable sort of the customers in id order: equal values keep the order of their ids
        self.orders = [
            within[np.argsort(-number[within], kind="stable")]
            for number, within in ((v, np.flatnonzero(mask)) for v, mask in places)
        ]

    def top_of(self, copies: np.ndarray, order: np.ndarray) -> np.ndarray:
        """Count the copies of each customer that are among the best of those in `order`."""
        mine = copies.take(order, axis=1)
        reached = np.cumsum(mine, axis=1)
        room = whole_customers(self.top, reached[:, -1])[:, None]
        # below the place at which every draw has its best, nobody is among them
        deep = int((reached < room).sum(axis=1).max()) + 1
        mine, reached = mine[:, :deep], reached[:, :deep]
        best = np.zeros_like(copies)
        best[:, order[:deep]] = np.clip(room - (reached - mine), 0, mine)
        return best

    def shares(self, copies: np.ndarray) -> np.ndarray:
        """Shares (draws, 4): still top, buying, value share, top of the buyers."""
        best, again, of_buyers = (self.top_of(copies, order) for order in self.orders)
        size = best.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            columns = [
                np.minimum(best, again).sum(axis=1) / size,
                best @ self.bought[1] / size,
                (best @ self.second) / (copies @ self.second),
                np.minimum(best, of_buyers).sum(axis=1) / size,
            ]
        return np.stack(columns, axis=1)
