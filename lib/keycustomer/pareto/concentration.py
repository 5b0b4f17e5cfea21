"""Concentration: how much of the value a few customers bring.

Does a fifth of the customers bring four fifths of the value (course claim K1)?
:func:`pareto_share` gives the share of value from the top customers, :func:`customers_for` its
inverse, :func:`lorenz` the whole curve, :func:`gini`, :func:`hhi` and :func:`theil` one number
each, :func:`deciles` and :func:`equal_value_groups` tables.  :func:`concentration` gives all of
them with intervals from one customer bootstrap.

Two populations answer two questions.  ``population="all"`` takes every customer handed in,
those that bought nothing in the window included; ``population="buyers"`` takes customers with a
value above zero.  The share of the top 20 % is smaller among buyers, since those who bought
nothing no longer fill the bottom.

A border that falls inside a customer takes the fraction of that customer's value, so that
equal customers give exactly p for the top p, ties need no rule, and the order of the rows does
not matter.

Intervals are BCa bootstrap intervals (see :mod:`keycustomer.stats.bootstrap`): the measures are
bounded, biased in small samples and skewed when a few customers are very large, and leaving
out one customer has a closed form for each.  How often such a 95 % interval caught the truth,
in samples of 1,000 customers (300 samples of 400 draws, so plus or minus .02 to .06; percentile
intervals did as well with light tails, and up to .14 worse with heavy ones):

====================  ========  =====  =====  =====
spending              top 20 %  Gini   Theil  HHI
====================  ========  =====  =====  =====
exponential           .94       .96    .94    .95
lognormal, sigma 1    .92       .92    .89    .82
lognormal, sigma 1.5  .91       .89    .81    .62
Pareto, a = 2.5       .88       .88    .80    .55
Pareto, a = 1.16      .47       .45    .07    .00
====================  ========  =====  =====  =====

The last line is an exact 80/20 law: the largest customers that could exist are not in the
sample, every measure comes out too low, and no interval from the sample alone can know it.  So
the result carries a tail index (Hill's), and its notes say when intervals are too short.

Sources: Schmittlein, Cooper & Morrison, "Truth in concentration in the land of (80/20) laws"
(Marketing Science 1993); Kim, Singh & Winer (Marketing Letters 2017); Cowell, "Measuring
Inequality" (2011); Hill, "A simple general approach to inference about the tail of a
distribution" (Annals of Statistics 1975).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from keycustomer.pareto.ladder import INDICES, Ladder, interpolate
from keycustomer.pareto.resampled import Resampled
from keycustomer.stats import Estimate, finite_values, share_of
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray, Values

Population: TypeAlias = Literal["all", "buyers"]

TENTHS = np.arange(1, 11) / 10
"""Borders of ten equal groups."""

SLOW_TAIL, HEAVY_TAIL = 3.0, 1.5
"""Tail indices below which intervals of HHI and Theil, and of everything, are too short."""

TAIL_CUSTOMERS = 50
"""Fewest customers with a value for a tail index."""

FEW = 30
"""Below this number of customers a bootstrap interval is called rough."""

PERCENTS = np.arange(1, 101) / 100
"""Shares of customers at which the curve of a `Concentration` is given."""


def pareto_share(values: Values, top: float = 0.2, *, population: Population = "all") -> float:
    """Share of the total value that the top customers bring.

    Parameters
    ----------
    values : Series, array or sequence of numbers
        One value a customer, for example revenue.
    top : float
        Share of customers, 0..1: .2 for the top 20 %.
    population : {"all", "buyers"}
        All customers given, or those with a value above zero.

    Returns
    -------
    float
        0..1; above 1 where other customers' values are negative.

    Raises
    ------
    ValueError
        When `top` is no share, or the total is not above zero.

    Examples
    --------
    >>> pareto_share([6, 1, 1, 1, 1], top=.2)
    0.6
    """
    falling, total = _falling(values, population)
    places = np.arange(falling.size + 1.0)
    line = np.append(0.0, np.cumsum(falling))
    return float(np.interp(share_of(top, "top") * falling.size, places, line) / total)


def customers_for(values: Values, share: float = 0.8, *, population: Population = "all") -> float:
    """Smallest share of customers that brings a share of the value.

    Parameters
    ----------
    values : Series, array or sequence of numbers
        One value a customer.
    share : float
        Share of the total value, 0..1.
    population : {"all", "buyers"}
        All customers given, or those with a value above zero.

    Returns
    -------
    float
        Share of customers, 0..1.

    Examples
    --------
    >>> customers_for([6, 1, 1, 1, 1], share=.8)
    0.6
    """
    falling, total = _falling(values, population)
    rising = falling[falling > 0]
    line = np.append(0.0, np.cumsum(rising))
    places = np.arange(line.size, dtype=np.float64)
    wanted = np.array([share_of(share, "share") * total])
    return float(interpolate(wanted, line, places)[0] / falling.size)


def lorenz(values: Values, *, population: Population = "all") -> pd.DataFrame:
    """Lorenz curve: share of value of the smallest customers.

    Parameters
    ----------
    values : Series, array or sequence of numbers
        One value a customer.
    population : {"all", "buyers"}
        All customers given, or those with a value above zero.

    Returns
    -------
    DataFrame
        `customers` and `value`, both cumulated from the smallest customer, 0..1; one row a
        distinct value and the origin.
    """
    chosen = _chosen(values, population)
    _positive_total(chosen)
    ladder = Ladder.of(chosen)
    customers, value = ladder.curve(ladder.sizes[None, :].astype(np.float64))
    return pd.DataFrame(
        {
            "customers": 1 - customers[0, ::-1] / customers[0, -1],
            "value": 1 - value[0, ::-1] / value[0, -1],
        }
    )


def gini(values: Values, *, population: Population = "all") -> float:
    """Gini coefficient: 0 when all customers are equal, near 1 when one has everything.

    Parameters
    ----------
    values : Series, array or sequence of numbers
        One value a customer, none negative.
    population : {"all", "buyers"}
        All customers given, or those with a value above zero.

    Returns
    -------
    float
        Twice the area between the Lorenz curve and equality.

    Raises
    ------
    ValueError
        When a value is negative: the curve then leaves the unit square and the coefficient is
        no share of anything.

    Examples
    --------
    >>> gini([1, 1, 1, 1]), gini([0, 0, 0, 1])
    (0.0, 0.75)
    """
    falling, total = _falling(values, population)
    _refuse_negatives("gini", falling)
    n = falling.size
    return float((n + 1 - 2 * (np.arange(1, n + 1) @ falling) / total) / n)


def hhi(values: Values, *, population: Population = "all") -> float:
    """Herfindahl-Hirschman index: the sum of squared shares, 1/n when all are equal.

    Parameters and errors as in :func:`gini`.

    Examples
    --------
    >>> hhi([1, 1, 1, 1])
    0.25
    """
    falling, total = _falling(values, population)
    _refuse_negatives("hhi", falling)
    return float(((falling / total) ** 2).sum())


def theil(values: Values, *, population: Population = "all") -> float:
    """Theil index: 0 when all customers are equal, log n when one has everything.

    Parameters and errors as in :func:`gini`; in nats.

    Examples
    --------
    >>> theil([1, 1, 1, 1])
    0.0
    """
    falling, total = _falling(values, population)
    _refuse_negatives("theil", falling)
    relative = falling[falling > 0] * (falling.size / total)
    return float((relative * np.log(relative)).sum() / falling.size)


def deciles(values: Values, *, population: Population = "all") -> pd.DataFrame:
    """Ten groups of equally many customers, the largest first.

    Returns
    -------
    DataFrame
        One row a decile: `decile` (1 has the largest customers), `customers` (a fraction where
        ten does not divide their number), `value`, `mean_value`, `share`, `cumulative_share`.
    """
    chosen = _chosen(values, population)
    cumulative = [pareto_share(chosen, float(p)) for p in TENTHS]
    return _decile_table(np.array(cumulative), chosen.size, float(chosen.sum()))


def _decile_table(cumulative: FloatArray, customers: int, total: float) -> pd.DataFrame:
    share = np.diff(cumulative, prepend=0.0)
    return pd.DataFrame(
        {
            "decile": np.arange(1, 11),
            "customers": customers / 10,
            "value": share * total,
            "mean_value": share * total / (customers / 10),
            "share": share,
            "cumulative_share": cumulative,
        }
    )


def equal_value_groups(values: Values, *, population: Population = "all") -> pd.DataFrame:
    """Ten groups of customers that bring equally much, the largest customers first.

    Returns
    -------
    DataFrame
        One row a group: `group` (1 has the largest customers), `value`, `customers` (a fraction
        where the border falls inside a customer), `share` and `cumulative_share` of customers.
        Customers without value come after the tenth group.
    """
    chosen = _chosen(values, population)
    cumulative = [customers_for(chosen, float(s)) for s in TENTHS]
    return _equal_value_table(np.array(cumulative), chosen.size, float(chosen.sum()))


def _equal_value_table(cumulative: FloatArray, customers: int, total: float) -> pd.DataFrame:
    share = np.diff(cumulative, prepend=0.0)
    return pd.DataFrame(
        {
            "group": np.arange(1, 11),
            "value": total / 10,
            "customers": share * customers,
            "share": share,
            "cumulative_share": cumulative,
        }
    )


@dataclass(frozen=True)
class Concentration:
    """Every concentration measure of one set of customers, with intervals.

    Attributes
    ----------
    quantity : str
        What the values are, for example `revenue`.
    population : str
        `all` customers, or `buyers` only.
    customers, buyers : int
        Customers measured, and those among them with a value above zero.
    left_out : int
        Customers given but not measured (those without value under `population="buyers"`).
    total : float
        Sum of the values.
    top : dict of float to Estimate
        Share of value by top share of customers: `top[.2]`.
    needed : dict of float to Estimate
        Share of customers by share of value: `needed[.8]`.
    gini, hhi, theil : Estimate
        Indices; NaN with the reason as method where they mean nothing.
    deciles, equal_value : DataFrame
        As :func:`deciles` and :func:`equal_value_groups`, with `lower` and `upper` of `share`.
    curve : DataFrame
        `customers`, `value`, `lower`, `upper`: the curve from the top at every percent.
    tail_index : float
        Hill's estimate on the largest 2 % of values: how fast large customers become rare (3 and
        above fast, 1 very slowly); NaN below 50 customers with a value.
    notes : tuple of str
        What a reader has to know before using the numbers.
    """

    quantity: str
    population: Population
    customers: int
    buyers: int
    left_out: int
    total: float
    top: Mapping[float, Estimate]
    needed: Mapping[float, Estimate]
    gini: Estimate
    hhi: Estimate
    theil: Estimate
    deciles: pd.DataFrame = field(repr=False)
    equal_value: pd.DataFrame = field(repr=False)
    curve: pd.DataFrame = field(repr=False)
    tail_index: float = math.nan
    notes: tuple[str, ...] = ()

    def estimates(self) -> list[tuple[str, str, Estimate]]:
        """Measures as rows of (measure, group, estimate), under the names of the case output."""
        tops = [("pareto_share", f"top_{100 * p:g}", e) for p, e in self.top.items()]
        needed = [(f"customers_for_{100 * s:g}", "", e) for s, e in self.needed.items()]
        indices = [(name, "", getattr(self, name)) for name in INDICES]
        return [*tops, *needed, *indices]

    def to_frame(self) -> pd.DataFrame:
        """One row a measure: measure, group, estimate, lower, upper, unit, n, method."""
        columns = ("estimate", "lower", "upper", "unit", "n", "method")
        return pd.DataFrame(
            [
                {"measure": measure, "group": group, **{c: getattr(e, c) for c in columns}}
                for measure, group, e in self.estimates()
            ]
        )

    def _repr_html_(self) -> str:
        shown = self.to_frame().drop(columns=["n"])
        note = "".join(f"<p>{escape(note)}</p>" for note in (self._caption(), *self.notes))
        return shown.to_html(index=False, na_rep="", float_format=lambda v: f"{v:.4g}") + note

    def _caption(self) -> str:
        who = "buyers" if self.population == "buyers" else "customers, with or without purchases"
        left = f"; {self.left_out:,} without value left out" if self.left_out else ""
        return f"{self.quantity} of {self.customers:,} {who}{left}."


def concentration(
    values: Values,
    *,
    quantity: str = "value",
    population: Population = "all",
    tops: Sequence[float] = (0.2, 0.1, 0.01),
    shares: Sequence[float] = (0.8,),
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> Concentration:
    """Measure concentration in every way, with intervals from one customer bootstrap.

    Parameters
    ----------
    values : Series, array or sequence of numbers
        One value a customer.
    quantity : str
        What the values are, for units and titles.
    population : {"all", "buyers"}
        All customers given, or those with a value above zero.
    tops : sequence of float
        Shares of customers whose share of value is wanted.
    shares : sequence of float
        Shares of value whose share of customers is wanted.
    draws : int
        Bootstrap resamples.
    seed : int or Generator
        The same customers in any order and the same seed give the same intervals.
    level : float
        Confidence level of the intervals.
    progress : callable, optional
        Called as ``progress(done, draws)`` when the work takes more than two seconds.

    Returns
    -------
    Concentration

    Raises
    ------
    TypeError, ValueError
        When values are not numbers, unknown, infinite, none, or sum to nothing.
    """
    given = finite_values(values)
    chosen = _chosen(given, population)
    total = _positive_total(chosen)
    resampled = Resampled.of(
        Ladder.of(chosen),
        tops=[*(share_of(top, "tops") for top in tops), *PERCENTS],
        shares=[*(share_of(share, "shares") for share in shares), *TENTHS],
        draws=draws,
        seed=seed,
        level=level,
        progress=progress,
    )
    value, people = f"share of {quantity}", "share of customers"
    return Concentration(
        quantity=quantity,
        population=population,
        customers=chosen.size,
        buyers=int((chosen > 0).sum()),
        left_out=given.size - chosen.size,
        total=total,
        top={float(top): resampled.top(top, value) for top in tops},
        needed={float(share): resampled.needed(share, people) for share in shares},
        gini=resampled.index("gini", "index, 0 to 1"),
        hhi=resampled.index("hhi", "index, 1/n to 1"),
        theil=resampled.index("theil", "nats"),
        deciles=_with_interval(
            _decile_table(resampled.points_at(TENTHS), chosen.size, total),
            [resampled.top(p, value, above=p - 0.1) for p in TENTHS],
        ),
        equal_value=_with_interval(
            _equal_value_table(resampled.needs_at(TENTHS), chosen.size, total),
            [resampled.needed(s, people, above=s - 0.1) for s in TENTHS],
        ),
        curve=_curve_table(resampled, value),
        tail_index=_tail_index(chosen),
        notes=_notes(chosen),
    )


def _with_interval(table: pd.DataFrame, estimates: Sequence[Estimate]) -> pd.DataFrame:
    return table.assign(lower=[e.lower for e in estimates], upper=[e.upper for e in estimates])


def _curve_table(resampled: Resampled, unit: str) -> pd.DataFrame:
    points = [resampled.top(p, unit) for p in PERCENTS]
    rows = [(p, e.estimate, e.lower, e.upper) for p, e in zip(PERCENTS, points, strict=True)]
    return pd.DataFrame(
        [(0.0, 0.0, 0.0, 0.0), *rows], columns=["customers", "value", "lower", "upper"]
    )


def _notes(chosen: FloatArray) -> tuple[str, ...]:
    negative = int((chosen < 0).sum())
    notes = []
    if negative:
        notes.append(
            f"{negative:,} customers have a negative value: shares are of the net total and the "
            "curve passes 100 %, and Gini, HHI and Theil are not shares of anything, so they are "
            "not given. The whale curve shows what these customers cost."
        )
    if chosen.size < FEW:
        notes.append(f"Only {chosen.size:,} customers: the intervals are rough.")
    tail = _tail_index(chosen)
    if tail < SLOW_TAIL:
        which = "all intervals are" if tail < HEAVY_TAIL else "the intervals of HHI and Theil are"
        notes.append(
            f"Large customers become rare only slowly (tail index {tail:.1f}): {which} too short, "
            "because the largest customers that could exist are not among these."
        )
    return tuple(notes)


def _tail_index(chosen: FloatArray) -> float:
    """Estimate Hill's tail index from the largest 2 % of the positive values, at least 10."""
    falling = np.sort(chosen[chosen > 0])[::-1]
    if falling.size < TAIL_CUSTOMERS:
        return math.nan
    last = max(10, falling.size // 50)
    excess = float(np.log(falling[:last] / falling[last]).mean())
    return 1 / excess if excess > 0 else math.inf


def _chosen(values: Values, population: Population) -> FloatArray:
    """Values of the population, checked."""
    if population not in get_args(Population):
        allowed = ", ".join(map(repr, get_args(Population)))
        raise ValueError(f"population={population!r} is not known; choose one of {allowed}")
    numbers = finite_values(values)
    chosen = numbers[numbers > 0] if population == "buyers" else numbers
    if not chosen.size:
        raise ValueError(
            f"none of the {numbers.size:,} customers has a value above zero, so there are no "
            "buyers to measure; look at the window and at the sign of the values"
        )
    return chosen


def _positive_total(chosen: FloatArray) -> float:
    total = float(chosen.sum())
    if total <= 0:
        raise ValueError(
            f"the values of {chosen.size:,} customers sum to {total:g}: a share of a total that "
            "is not above zero means nothing; look at the sign of the values, or use "
            "whale_curve() for gains and losses"
        )
    return total


def _falling(values: Values, population: Population) -> tuple[FloatArray, float]:
    """Values from the largest down, and their total."""
    chosen = _chosen(values, population)
    return np.sort(chosen)[::-1], _positive_total(chosen)


def _refuse_negatives(measure: str, falling: FloatArray) -> None:
    if falling[-1] < 0:
        raise ValueError(
            f"{measure}: {(falling < 0).sum():,} of {falling.size:,} customers have a negative "
            f"value (lowest {falling[-1]:g}); it is then no share of anything and may even exceed "
            "1; use whale_curve() for gains and losses, or population='buyers'"
        )
