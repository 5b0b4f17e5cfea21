"""Margin and cost to serve by channel: as they stand, and like compared with like.

Is a channel dear because of what it does, or because of whom it serves?  :func:`compare_channels`
gives margin, cost to serve and profit a customer and year by channel, twice.  The plain figures mix
both.  Like with like, customers are sorted into groups that are alike in size before (or in any
columns named), means are taken within each group, and every channel is given the same mix of groups
(direct standardisation).  Groups in which a channel has too few customers are left out for all
channels, and counted: nothing can be said of them.

What channels differ in beyond the columns named stays in the figures; only where chance, or these
columns alone, decided who came to which channel is the difference the channel's doing.

Source: Kitagawa, "Components of a difference between two rates" (JASA 1955) on standardisation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers import CustomerBase, customer_table
from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.complaints import did_you_mean, listed
from keycustomer.lifetime.arguments import Day, day_of
from keycustomer.relationships.channels.overlap import channel_overlap, group_of
from keycustomer.relationships.rules.quality import first_day
from keycustomer.relationships.rules.service_kept import years_there
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

MEASURES = ("revenue", "margin", "cost_to_serve", "profit")
"""What is compared, currency a customer and year; profit is margin less cost to serve."""

RATE = "cost_share"
"""Cost to serve as a share of revenue."""

WAYS = ("as they stand", "like with like")

SIZE = "revenue before"
"""Revenue of the twelve months before, by which customers are alike where nothing is named."""

BINS = 5
"""Groups of equal size that a number is cut into."""

FEWEST = 5
"""Customers of a channel below which a group is left out."""

LARGE = 0.2
"""Share of a channel's revenue from which a single customer is told of."""

MONTHS = 12


@dataclass(frozen=True, eq=False)
class ChannelComparison:
    """Channels compared, as they stand and like with like.

    Attributes
    ----------
    frame : DataFrame
        One row a way, channel and measure (`MEASURES`, `cost_share`): way, channel, measure,
        estimate (currency a customer and year; a share), lower, upper, customers, method.
    groups : DataFrame
        One row a group of like customers: group, compared (whether all channels have enough of
        them), and the customers of each channel.
    alike : tuple of str
        Columns in which customers are alike.
    commissions : dict of str to float
        Share of revenue added to the cost of each channel: an assumption.
    start, end : date
        Days compared.
    currency : str
        Of the amounts.
    excluded : dict of str to int
        Customers left out, by why.
    notes : tuple of str
        What the reader should know.
    """

    frame: pd.DataFrame
    groups: pd.DataFrame = field(repr=False)
    alike: tuple[str, ...]
    commissions: dict[str, float]
    start: dt.date
    end: dt.date
    currency: str
    excluded: dict[str, int]
    notes: tuple[str, ...]

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels compared."""
        return tuple(self.frame["channel"].unique())

    def of(self, channel: str, measure: str = "profit", way: str = "like with like") -> Estimate:
        """One figure.

        Raises
        ------
        KeyError
            When there is no such row.
        """
        for row in self.frame.to_dict("records"):
            if (row["way"], row["channel"], row["measure"]) == (way, channel, measure):
                unit = "share of revenue" if measure == RATE else f"{self.currency} a year"
                ends = row["estimate"], row["lower"], row["upper"]
                return Estimate(*ends, unit, row["customers"], row["method"])
        raise KeyError(
            f"no {measure!r} of {channel!r}, {way}; channels: {', '.join(self.channels)}; "
            f"measures: {', '.join((*MEASURES, RATE))}; ways: {', '.join(WAYS)}"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a way, channel and measure."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        wide = self.frame.pivot(index=["channel", "way"], columns="measure", values="estimate")
        order = pd.MultiIndex.from_product([self.channels, WAYS])
        wide = wide.reindex(order)[[*MEASURES, RATE]].rename_axis(["channel", "way"])
        said = [
            f"{self.start} to {self.end}, {self.currency} a customer and year; alike in "
            f"{', '.join(self.alike)}",
            *self.notes,
        ]
        tables = {"Channels": wide.reset_index().rename(columns={RATE: "share of revenue"})}
        return report_html("Channels compared", said, tables)


def compare_channels(
    base: CustomerBase,
    *,
    alike: Sequence[str] = (SIZE,),
    start: Day = None,
    end: Day = None,
    commissions: Mapping[str, float] | None = None,
    kinds: Mapping[str, str] | None = None,
    bins: int = BINS,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> ChannelComparison:
    """Compare margin, cost to serve and profit of the channels.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with transactions; a customer's channel is the one that sold it most, or
        else by who is in charge of it.
    alike : sequence of str
        Columns of the customers table in which customers compared are alike, numbers being cut into
        `bins` groups of equal size; "revenue before" is the revenue of the twelve months before
        `start`, customers without any being a group of their own.
    start, end : date or ISO string, optional
        Days to compare, inclusive; default: the last twelve months observed.
    commissions : mapping of str to float, optional
        Share of revenue to add to the cost to serve of each channel, such as ``{"agent": 0.05}``:
        an assumption; default: recorded contacts alone.
    kinds : mapping, optional
        As in :func:`keycustomer.relationships.channel_overlap`.
    bins : int
        Groups that a number is cut into.
    draws, seed, level, progress
        Bootstrap of customers.

    Raises
    ------
    KeyError, ValueError
        When a column is not in the customers table, there are fewer than two channels, or no group
        has enough customers of every channel.
    """
    last = day_of(end, "end") or base.end
    first = day_of(start, "start") or max(first_day(last, MONTHS), base.start)
    rates = _commissions(commissions)
    table, excluded = _customers(base, first, last, kinds)
    _refuse_unknown(rates, table["channel"])
    table["cost_to_serve"] += table["channel"].map(rates).fillna(0.0) * table["revenue"]
    table["profit"] = table["margin"] - table["cost_to_serve"]
    groups = _groups_of(base, table, alike, first, bins)
    study = _Study(table, groups)
    point = study.figures(np.ones((1, len(table))))[0]
    drawn = bootstrap(study.figures, np.ones(len(table)), draws=draws, seed=seed, progress=progress)
    return ChannelComparison(
        study.table(point, drawn, level),
        study.group_table(),
        tuple(alike),
        rates,
        first,
        last,
        base.currency,
        excluded | {"customers in groups that not every channel has": study.outside},
        _notes(study, excluded, rates),
    )


def _commissions(commissions: Mapping[str, float] | None) -> dict[str, float]:
    rates = dict(commissions or {})
    for channel, rate in rates.items():
        if not 0 <= rate < 1:
            raise ValueError(f"commissions[{channel!r}]={rate!r}: a share of revenue, 0 to 1")
    return rates


def _refuse_unknown(rates: Mapping[str, float], channels: pd.Series) -> None:
    there = sorted(channels.unique())
    unknown = [name for name in rates if name not in there]
    if unknown:
        raise ValueError(
            f"commissions: no channel {unknown[0]!r}; there are {listed(there)}"
            f"{did_you_mean(unknown[0], there)}"
        )
    if len(there) < 2:
        raise ValueError(f"all customers are in one channel ({there[0]}): nothing to compare")


def _customers(
    base: CustomerBase, start: dt.date, end: dt.date, kinds: Mapping[str, str] | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Channel, years there and amounts of the customers who bought, by customer_id."""
    overlap = channel_overlap(base, start=start, end=end, kinds=kinds).frame
    channel = overlap["channel"].where(overlap["channel"].notna(), group_of(overlap))
    sales = customer_table(base, start=start, end=end).set_index("customer_id")
    table = sales.loc[sales["orders"] > 0, ["revenue", "margin", "cost_to_serve"]].copy()
    table["channel"] = channel.set_axis(overlap["customer_id"]).reindex(table.index)
    there = years_there(base, start, end)
    table["years"] = there.reindex(table.index)
    known = table[["margin", "years", "channel"]].notna().all(axis=1)
    if not known.any():
        raise ValueError(
            f"{base.title}: margins are not known; map cost, or state a margin under economics"
        )
    own = table[known].assign(cost_to_serve=table.loc[known, "cost_to_serve"].fillna(0.0))
    return own, {"customers without margin, channel or contract": int((~known).sum())}


def _groups_of(
    base: CustomerBase, table: pd.DataFrame, alike: Sequence[str], start: dt.date, bins: int
) -> pd.Series:
    """Group of like customers, in words."""
    if isinstance(alike, str) or not alike:
        raise ValueError(f"alike={alike!r}: a sequence of columns is needed, such as ('{SIZE}',)")
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 2:
        raise ValueError(f"bins={bins!r}: a whole number of at least 2 is needed")
    labels = []
    for name in alike:
        values = _revenue_before(base, start) if name == SIZE else _attribute(base, name)
        labels.append(_cut(values.reindex(table.index), name, bins))
    return pd.concat(labels, axis=1).agg(", ".join, axis=1)


def _revenue_before(base: CustomerBase, start: dt.date) -> pd.Series:
    day = start - dt.timedelta(days=1)
    if day < base.start:
        raise ValueError(
            f"start={start}: nothing is known before, so that size before is not known; start "
            "later or name other columns to be alike in"
        )
    before = customer_table(base, start=max(first_day(day, MONTHS), base.start), end=day)
    return before.set_index("customer_id")["revenue"]


def _attribute(base: CustomerBase, name: str) -> pd.Series:
    found = base.query("from customers").set_index("customer_id")
    if name not in found.columns:
        raise KeyError(
            f"alike: no column {name!r} in the customers table; there is {SIZE!r} and "
            f"{listed(found.columns)}{did_you_mean(name, found.columns)}"
        )
    return found[name]


def _cut(values: pd.Series, name: str, bins: int) -> pd.Series:
    """Cut numbers into groups of equal size, leave words as they are, name what is not known."""
    numbers = pd.Series(pd.to_numeric(values, errors="coerce"), values.index, dtype=float)
    if numbers.notna().sum() < values.notna().sum():
        words = name + " " + values.astype(str)
        return words.where(values.notna(), f"{name} not known")
    group = (numbers.rank(pct=True) * bins).apply(np.ceil).clip(1, bins)
    words = name + " " + group.map("{:.0f}".format) + f" of {bins}"
    return words.where(numbers.notna(), f"{name} not known")


class _Study:
    """Sums by channel and group of like customers, for any weights of the customers."""

    def __init__(self, table: pd.DataFrame, groups: pd.Series) -> None:
        self.channel, names = pd.factorize(table["channel"], sort=True)
        self.group, labels = pd.factorize(groups, sort=True)
        self.names, self.labels = list(names), list(labels)
        self.shape = len(self.labels), len(self.names)
        self.size = np.bincount(self.cells, minlength=np.prod(self.shape)).reshape(self.shape)
        self.compared: npt.NDArray[np.bool_] = np.all(self.size >= FEWEST, axis=1)
        if not self.compared.any():
            raise ValueError(
                f"no group of like customers has {FEWEST} of every channel: name fewer columns, or "
                "fewer bins"
            )
        amounts = table[[*MEASURES]].to_numpy(float)
        self.amounts = np.column_stack([table["years"].to_numpy(float), amounts])

    @property
    def cells(self) -> npt.NDArray[np.int64]:
        """Cell of every customer: group by channel."""
        return np.asarray(self.group * self.shape[1] + self.channel, dtype=np.int64)

    @property
    def outside(self) -> int:
        """Customers in groups that are not compared."""
        return int(self.size[~self.compared].sum())

    def figures(self, counts: FloatArray) -> FloatArray:
        """Give means by way, channel and measure, one row a row of counts."""
        sums = self._sums(counts)  # rows, groups, channels, (years, amounts)
        plain = sums.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            naive = plain[..., 1:] / plain[..., :1]
            within = sums[:, self.compared]
            means = within[..., 1:] / within[..., :1]
            # a group that a resample leaves without customers of a channel is not in its mix
            whole: npt.NDArray[np.bool_] = np.all(within[..., 0] > 0, axis=2)
            years = within[..., 0].sum(axis=2) * whole
            mix = years / years.sum(axis=1, keepdims=True)
            alike = np.einsum("dg,dgcm->dcm", mix, np.where(whole[..., None, None], means, 0.0))
            both = np.stack([naive, alike], axis=1)
            rate = both[..., 2:3] / both[..., 0:1]
        return np.concatenate([both, rate], axis=-1).reshape(len(counts), -1)

    def _sums(self, counts: FloatArray) -> FloatArray:
        cells = np.prod(self.shape)
        spread = np.zeros((len(self.amounts), cells))
        spread[np.arange(len(self.amounts)), self.cells] = 1.0
        sums = [counts @ (spread * column[:, None]) for column in self.amounts.T]
        return np.stack(sums, axis=-1).reshape(len(counts), *self.shape, -1)

    def table(self, point: FloatArray, drawn: FloatArray, level: float) -> pd.DataFrame:
        """One row a way, channel and measure."""
        rows: list[dict[str, Any]] = []
        for way in WAYS:
            inside = self.compared[:, None] if way == WAYS[1] else np.ones((self.shape[0], 1))
            sizes = (self.size * inside).sum(axis=0)
            for channel, size in zip(self.names, sizes, strict=True):
                for measure in (*MEASURES, RATE):
                    k = len(rows)
                    one = bootstrap_estimate(
                        float(point[k]), drawn[:, k], unit="", n=int(size), level=level
                    )
                    head = {"way": way, "channel": channel, "measure": measure}
                    ends = {"estimate": one.estimate, "lower": one.lower, "upper": one.upper}
                    rows.append(head | ends | {"customers": int(size), "method": one.method})
        return pd.DataFrame(rows)

    def group_table(self) -> pd.DataFrame:
        """One row a group: how many customers of each channel."""
        sizes = pd.DataFrame(self.size, columns=self.names)
        return pd.concat(
            [pd.DataFrame({"group": self.labels, "compared": self.compared}), sizes], axis=1
        )


def _notes(
    study: _Study, excluded: Mapping[str, int], rates: Mapping[str, float]
) -> tuple[str, ...]:
    notes = [f"{count:,} {what} left out" for what, count in excluded.items() if count]
    for place, name in enumerate(study.names):
        revenue = study.amounts[study.channel == place, 1]
        if revenue.max() > LARGE * revenue.sum() > 0:
            share = percent(revenue.max() / revenue.sum(), 0)
            notes.append(
                f"one customer brings {share} of the revenue of channel {name}: its means are that "
                "customer's as much as the channel's"
            )
    if study.outside:
        share = percent(study.outside / int(study.size.sum()))
        notes.append(
            f"{counted(study.outside, 'customer')} ({share}) are in groups that not every channel "
            "has, and are not compared like with like"
        )
    if rates:
        told = ", ".join(f"{name} {percent(rate)}" for name, rate in rates.items())
        notes.append(f"assumed commissions, of revenue: {told}")
    else:
        notes.append("cost to serve is that of recorded contacts: no commission is in it")
    return tuple(notes)
