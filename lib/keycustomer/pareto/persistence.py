"""Regression to the mean: how much of the best customers' fall is luck.

:func:`regression_to_mean` ranks customers by their value in one period and follows the groups into
the next, beside three expectations: that nobody differs (no persistence), that everybody keeps the
same multiple of the mean (full persistence), and that customers stay exactly as they are and only
their luck is not repeated.  A fall down to the third is no reason to call it churn.

No lifetime model is needed.  A customer's value in a period is its usual value plus luck; the
months of the first period, compared with each other, tell how much of the differences is luck
(their reliability, Cronbach's alpha, which is the mean of all ways to split the months in halves).
Given it, the expected value of a customer is ``mean * (1 + reliability * (value / mean - 1))``.

Sources: Kelley, "Fundamentals of Statistics" (1947), for the expected value; Cronbach (1951),
Psychometrika 16, for the reliability.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from keycustomer.pareto.panel import (
    TICKS,
    PeriodChoice,
    Span,
    known_before,
    read_panel,
    side_by_side,
    totals,
    two_spans,
)
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, percentile_interval
from keycustomer.stats.bootstrap import Progress, Seed

Population: TypeAlias = Literal["buyers", "known"]
"""Customers who bought in the first period, or who had bought before it began."""


@dataclass(frozen=True)
class RegressionToMean:
    """Value in the second period by groups made in the first.

    Attributes
    ----------
    first, second : str
        The periods.
    value : str
        What is averaged.
    customers : int
        Customers followed: all groups together.
    frame : DataFrame
        One row a group, the best first: ``group``, ``customers``, ``first`` and ``second`` (means
        per customer), ``lower`` and ``upper`` (interval of ``second``), and what ``second`` would
        be in expectation: ``no_persistence``, ``full_persistence``, ``luck_only`` (NaN when the
        reliability is unknown).
    reliability : Estimate
        Share of the first period's variance that is difference between customers and not luck;
        NaN when the first period is a single period of the table.
    luck_share : Estimate
        Share of the best group's fall below full persistence that luck alone explains; above 1
        when it fell less than luck would have it, NaN when it did not fall.
    rank_correlation : float
        Spearman's correlation between the two periods, ties at their middle rank.
    """

    first: str
    second: str
    value: str
    customers: int
    frame: pd.DataFrame
    reliability: Estimate
    luck_share: Estimate
    rank_correlation: float

    def to_frame(self) -> pd.DataFrame:
        """Return the table of the groups."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = html.escape(
            f"Mean {self.value} per customer in {self.first} and {self.second}, by group of "
            f"{self.first}. Reliability {self.reliability}, share of the best group's fall that "
            f"is luck {self.luck_share}, rank correlation {self.rank_correlation:.2f}."
        )
        table = self.frame.to_html(index=False, escape=True, float_format="{:,.2f}".format)
        return f"<p>{note}</p>{table}"


def regression_to_mean(
    periods: pd.DataFrame,
    first: PeriodChoice = None,
    second: PeriodChoice = None,
    *,
    groups: int = 10,
    value: str = "revenue",
    population: Population = "buyers",
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    customer_id: str = "customer_id",
    period: str = "period",
    orders: str | None = "orders",
    progress: Progress | None = None,
) -> RegressionToMean:
    """Set the second period's value of every group of the first against luck alone.

    Parameters
    ----------
    periods : DataFrame
        One row a customer and period in which it bought (``customers.customer_periods``).
    first, second : date-like or (date-like, date-like), optional
        A period's first day, or the first days of the first and last period of a longer one.
        The reliability needs a first period of two or more periods of the table, such as
        ``first=("1997-04-01", "1997-12-01")`` of months.
    groups : int
        Number of equal groups of customers.  Customers of equal value share the groups they
        span in equal parts, so that ids decide nothing.
    value : str
        Column to rank by and to average.
    population : {"buyers", "known"}
        Whom to follow: those who bought in the first period, or those who had bought before it
        began, whether they bought in it or not.  Where many customers were won in the first
        period, take "known": a first purchase is certain for them and tells little of the next.
    draws, seed, level
        Bootstrap of customers for the intervals.
    customer_id, period, orders : str
        Columns of the table; ``orders=None`` when there is none: then buying means `value` > 0.
    progress : callable, optional
        Called as ``progress(done, draws)`` when the work takes more than two seconds.

    Returns
    -------
    RegressionToMean
        Table of the groups, reliability, share of luck, rank correlation.

    Raises
    ------
    ValueError
        With every complaint about the table or the periods, or when there are fewer customers
        than groups.
    """
    panel = read_panel(
        periods, amounts=(value,), customer_id=customer_id, period=period, orders=orders
    )
    spans = two_spans(panel, first, second)
    followed = _followed(panel, spans[0], population)
    if not 2 <= groups <= len(followed):
        raise ValueError(
            f"groups={groups}: between 2 and the number of customers followed ({len(followed)}, "
            f"population={population!r}) are needed"
        )
    both = side_by_side(panel, *spans).reindex(followed, fill_value=0)
    values = [both[n, value].to_numpy() / TICKS for n in (0, 1)]
    statistics = _Groups(values[0], values[1], _parts(panel, spans[0], value, followed), groups)
    ones = np.ones((1, statistics.customers))
    drawn = bootstrap(statistics, ones[0], draws=draws, seed=seed, progress=progress)
    return _result(statistics, drawn, spans, value, level)


def _followed(panel: pd.DataFrame, first: Span, population: Population) -> pd.Index:
    """Ids of the customers of a population, sorted."""
    if population not in get_args(Population):
        raise ValueError(
            f"population={population!r}: one of {', '.join(map(repr, get_args(Population)))}"
        )
    if population == "known":
        return known_before(panel, first.start)
    sums = totals(panel, first)
    return sums.index[sums["orders"] > 0]


def _parts(panel: pd.DataFrame, span: Span, value: str, followed: pd.Index) -> np.ndarray:
    """Value of each customer in each period of a span (customers, periods)."""
    rows = panel[panel["period"].between(span.start, span.end)]
    wide = rows.pivot(index="customer_id", columns="period", values=value)
    return wide.reindex(followed).fillna(0).to_numpy() / TICKS


class _Groups:
    """Group means and reliability for any number of copies of each customer."""

    def __init__(
        self, first: np.ndarray, second: np.ndarray, parts: np.ndarray, groups: int
    ) -> None:
        # rows in the order of the ranking: blocks of equal values are then contiguous
        order = np.argsort(-first, kind="stable")
        self.values = (first[order], second[order])
        # distances from the mean: variances of large numbers would lose their digits
        self.parts = (parts - parts.mean(axis=0))[order]
        self.starts = np.flatnonzero(np.r_[True, np.diff(first[order]) != 0])
        self.order, self.groups, self.customers = order, groups, len(first)

    def __call__(self, copies: np.ndarray) -> np.ndarray:
        """Means of the first and second period by group, then the reliability, by draw."""
        weights = copies[:, self.order]
        means = [self._means(weights, values) for values in self.values]
        return np.hstack([*means, self._reliability(weights)[:, None]])

    def _means(self, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
        counts = np.add.reduceat(weights, self.starts, axis=1)
        sums = np.add.reduceat(weights * values, self.starts, axis=1)
        return np.array([self._cut(*pair) for pair in zip(counts, sums, strict=True)])

    def _cut(self, counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
        # within a block of equal values the cumulated sum is a straight line: that is what
        # spreads the block over the groups in equal parts
        ranks, reached = np.cumsum(np.r_[0.0, counts]), np.cumsum(np.r_[0.0, sums])
        edges = np.linspace(0, ranks[-1], self.groups + 1)
        return np.diff(np.interp(edges, ranks, reached)) / (ranks[-1] / self.groups)

    def _reliability(self, weights: np.ndarray) -> np.ndarray:
        """Cronbach's alpha, between 0 and 1; NaN for one period, or when nobody differs."""
        count = self.parts.shape[1]
        if count < 2:
            return np.full(len(weights), np.nan)
        whole = _variances(weights, self.parts.sum(axis=1, keepdims=True))[:, 0]
        apart = _variances(weights, self.parts).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            alpha = count / (count - 1) * (1 - apart / whole)
        return np.clip(np.where(whole > 0, alpha, np.nan), 0, 1)


def _variances(weights: np.ndarray, columns: np.ndarray) -> np.ndarray:
    size = weights.sum(axis=1, keepdims=True)
    return np.maximum((weights @ columns**2) / size - ((weights @ columns) / size) ** 2, 0)


def _expectations(statistics: np.ndarray, groups: int) -> dict[str, np.ndarray]:
    """Second-period means by group (draws, groups) under the three assumptions."""
    first, second = statistics[:, :groups], statistics[:, groups : 2 * groups]
    mean, level = (part.mean(axis=1, keepdims=True) for part in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        full = level * first / mean
    none = np.broadcast_to(level, full.shape)
    luck = none + statistics[:, -1:] * (full - none)
    return {"no_persistence": none, "full_persistence": full, "luck_only": luck}


def _luck_share(statistics: np.ndarray, groups: int) -> np.ndarray:
    expected = _expectations(statistics, groups)
    full, luck = expected["full_persistence"][:, 0], expected["luck_only"][:, 0]
    fall = full - statistics[:, groups]
    return np.divide(full - luck, fall, out=np.full(len(fall), np.nan), where=fall > 0)


def _result(
    groups: _Groups, cloud: np.ndarray, spans: tuple[Span, Span], value: str, level: float
) -> RegressionToMean:
    point = groups(np.ones((1, groups.customers)))
    luck_share = bootstrap_estimate(
        _luck_share(point, groups.groups)[0],
        _luck_share(cloud, groups.groups),
        unit="share of the fall",
        n=groups.customers,
        level=level,
    )
    reliability = bootstrap_estimate(
        point[0, -1], cloud[:, -1], unit="share of variance", n=groups.customers, level=level
    )
    return RegressionToMean(
        str(spans[0]),
        str(spans[1]),
        value,
        groups.customers,
        _table(point, cloud, groups, level),
        reliability,
        luck_share,
        _rank_correlation(*groups.values),
    )


def _table(point: np.ndarray, cloud: np.ndarray, groups: _Groups, level: float) -> pd.DataFrame:
    count = groups.groups
    seconds = cloud[:, count : 2 * count].T
    lower, upper = np.array([percentile_interval(column, level) for column in seconds]).T
    expected = _expectations(point, count)
    return pd.DataFrame(
        {
            "group": np.arange(1, count + 1),
            "customers": groups.customers / count,
            "first": point[0, :count],
            "second": point[0, count : 2 * count],
            "lower": lower,
            "upper": upper,
        }
        | {name: means[0] for name, means in expected.items()}
    )


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    ranks = [pd.Series(values).rank() for values in (first, second)]
    if any(rank.nunique() == 1 for rank in ranks):
        return float("nan")
    return float(ranks[0].corr(ranks[1]))
