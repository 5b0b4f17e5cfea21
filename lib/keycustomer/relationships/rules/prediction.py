"""What relationship quality tells of the months after: who leaves, who buys less.

:func:`quality_prediction` measures quality up to a day, and looks at the customers still there in
the months that follow.  For the index, each of its parts, and the customer's size beside them, it
gives the chance that of two customers the one with the worse (lower) score is the one that left
(the area under the ROC curve: .5 tells nothing, 1 all), with intervals by bootstrap of customers;
below .5 it is the higher score that goes with leaving, as size may.  It also gives the share that
left among the worst, middle and best third of the index.  Buying less is told apart from leaving;
much of it is a fall back from chance highs.

That a score goes with leaving does not say that raising it keeps customers.

Source: Hanley & McNeil, "The meaning and use of the area under a ROC curve" (Radiology 1982).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase, customer_table
from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.behaviour.discrimination import weighted_auc
from keycustomer.dimensions.measurement.intervals import readable
from keycustomer.lifetime.arguments import Day, day_of, whole_number
from keycustomer.relationships.months.panel import customer_months
from keycustomer.relationships.rules.quality import (
    RelationshipQuality,
    first_day,
    relationship_quality,
)
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, verdict_above
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.samples import FloatArray

LEFT, SILENT, LESS = "left", "bought nothing", "bought less"

FALL = 0.25
"""Fall of revenue from which a customer bought less, share of that of as many months before."""

THIRDS = ("worst", "middle", "best")

UNIT = "chance that the worse score is the one it happened to"


@dataclass(frozen=True, eq=False)
class QualityPrediction:
    """How far relationship quality tells what follows.

    Attributes
    ----------
    frame : DataFrame
        One row an outcome and score: outcome (left or bought nothing; bought less), score (index,
        its parts, size), auc, lower, upper, customers, cases (to whom it happened).
    thirds : DataFrame
        One row an outcome and third of the index: outcome, third, customers, cases, share, lower,
        upper (Wilson, 95 %).
    quality : RelationshipQuality
        The measurement, up to `as_of`.
    as_of, until : date
        Last day of the measurement, and of what followed.
    customers : int
        Customers with an index who were still there.
    notes : tuple of str
        Who is left out, and what the outcomes are.
    """

    frame: pd.DataFrame
    thirds: pd.DataFrame
    quality: RelationshipQuality = field(repr=False)
    as_of: dt.date
    until: dt.date
    customers: int
    notes: tuple[str, ...]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcomes that were looked at."""
        return tuple(self.frame["outcome"].unique())

    def of(self, score: str = "index", outcome: str | None = None) -> Estimate:
        """Area under the curve of one score for an outcome; default: the first one.

        Raises
        ------
        KeyError
            When there is no such row.
        """
        wanted = self.outcomes[0] if outcome is None else outcome
        for row in self.frame.to_dict("records"):
            if (row["score"], row["outcome"]) == (score, wanted):
                ends = row["auc"], row["lower"], row["upper"]
                return Estimate(*ends, UNIT, row["customers"], "percentile bootstrap of customers")
        scores = ", ".join(self.frame["score"].unique())
        raise KeyError(
            f"no score {score!r} for {wanted!r}; scores: {scores}; outcomes: "
            f"{', '.join(self.outcomes)}"
        )

    @property
    def verdict(self) -> str:
        """Verdict on the claim that the index tells who leaves: area above one half."""
        return verdict_above(self.of(), 0.5)

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome and score."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            f"{counted(self.customers, 'customer')}, measured up to {self.as_of}, followed until "
            f"{self.until}",
            f"the index tells who {_told(self.outcomes[0])}: {self.verdict} ({self.of()})",
            *self.notes,
        ]
        tables = {"Scores": readable(self.frame), "By third of the index": self.thirds}
        return report_html("What relationship quality tells", said, tables)


def _told(outcome: str) -> str:
    return {LEFT: "leaves", SILENT: "buys nothing", LESS: "buys less"}[outcome]


def quality_prediction(
    base: CustomerBase,
    *,
    as_of: Day = None,
    months: int = 12,
    horizon: int = 12,
    low: float | None = None,
    high: float | None = None,
    complaint_kinds: Sequence[str] = ("complaint",),
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> QualityPrediction:
    """Measure how far relationship quality tells who leaves or buys less in the months after.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with transactions; with contracts leaving is known, without, a customer
        that bought nothing counts.
    as_of : date or ISO string, optional
        Last day of the measurement; default: `horizon` months before the last day observed.
    months, horizon : int
        Months before that day that are measured, and after it that are looked at.
    low, high, complaint_kinds
        As in :func:`keycustomer.relationships.relationship_quality`.
    draws, seed, level, progress
        Bootstrap of customers.

    Raises
    ------
    ValueError
        When the days after do not lie within the window, or it happened to nobody or everybody.
    """
    day, until = _days(base, as_of, horizon)
    quality = relationship_quality(
        base,
        as_of=day,
        months=months,
        low=low,
        high=high,
        complaint_kinds=complaint_kinds,
        draws=draws,
        seed=seed,
        level=level,
    )
    cases, notes = _followed(base, quality, day, until, horizon)
    scored = quality.frame.set_index("customer_id").dropna(subset="index").join(cases, how="inner")
    names = [*quality.parts["part"], "index", "size"]
    rows: list[dict[str, Any]] = []
    thirds = []
    for outcome in cases.columns.drop("size"):
        own = scored.dropna(subset=[outcome])
        happened = own[outcome].to_numpy(bool)
        if outcome == LESS and _alike(happened):
            notes.append(f"{outcome}: {int(happened.sum()):,} customers, nothing to tell apart")
            continue
        _refuse_alike(outcome, happened)
        scores = own[names].to_numpy(float)
        rows += _areas(outcome, names, scores, happened, draws, seed, level, progress)
        thirds.append(_by_third(outcome, own["index"], happened))
    told = pd.concat(thirds, ignore_index=True)
    return QualityPrediction(
        pd.DataFrame(rows), told, quality, day, until, len(scored), tuple(notes)
    )


def _days(base: CustomerBase, as_of: Day, horizon: int) -> tuple[dt.date, dt.date]:
    """Last day of the measurement, and of the months after it."""
    whole_number(horizon, "horizon", of="months", least=1)
    one = dt.timedelta(days=1)
    day = day_of(as_of, "as_of") or first_day(base.end, horizon) - one
    until = (pd.Timestamp(day + one) + pd.DateOffset(months=horizon)).date() - one
    if not base.start < day < until <= base.end:
        raise ValueError(
            f"as_of={day} with horizon={horizon}: the days after end on {until}, and the base "
            f"covers {base.start} to {base.end}"
        )
    return day, until


def _followed(
    base: CustomerBase, quality: RelationshipQuality, day: dt.date, until: dt.date, horizon: int
) -> tuple[pd.DataFrame, list[str]]:
    """Tell what happened to the customers there on a day, with their size before it."""
    start = max(first_day(day, horizon), base.start)
    after = customer_table(base, start=day + dt.timedelta(days=1), end=until)
    before = customer_table(base, start=start, end=day)
    ids = quality.frame["customer_id"]
    size, bought = (
        own.set_index("customer_id")["revenue"].reindex(ids).fillna(0.0) / days
        for own, days in ((before, (day - start).days + 1), (after, (until - day).days))
    )
    fell = bought < (1 - FALL) * size
    notes = [f"bought less: stayed, and revenue a day fell by {percent(FALL, 0)} or more"]
    if base.has("contracts"):
        left = _left(base, ids, day, until)
        there = left.notna()
        notes.append(f"left: the last contract ended by {until} and none follows")
        if not there.all():
            gone = counted(int((~there).sum()), "customer")
            notes.append(f"{gone} without a contract on {day} or after left out")
        table = pd.DataFrame({"size": size, LEFT: left, LESS: fell.where(left == 0)})
        return table[there], notes
    silent = bought <= 0
    notes.append(f"no contracts: who bought nothing until {until} may yet come back")
    return pd.DataFrame({"size": size, SILENT: silent, LESS: fell.where(~silent)}), notes


def _left(base: CustomerBase, ids: pd.Series, day: dt.date, until: dt.date) -> pd.Series:
    """Whether each customer left in the days after; NaN for who was not there on the day."""
    panel = customer_months(base, contact_kinds=(), complaint_kinds=())
    months = panel.frame[["customer_id", "month", "left"]]
    last = months.sort_values("month").groupby("customer_id").last().reindex(ids)
    first = months.groupby("customer_id")["month"].min().reindex(ids)
    there = (last["month"] > pd.Timestamp(day)) & (first <= pd.Timestamp(day))
    gone = last["left"].astype("boolean").fillna(False).to_numpy(bool)
    left = gone & (last["month"] <= pd.Timestamp(until)).to_numpy()
    return pd.Series(left.astype(float), index=ids).where(there.to_numpy())


def _alike(happened: np.ndarray) -> bool:
    return not happened.any() or bool(happened.all())


def _refuse_alike(outcome: str, happened: np.ndarray) -> None:
    if _alike(happened):
        raise ValueError(
            f"{outcome}: {int(happened.sum()):,} of {counted(len(happened), 'customer')}; with "
            "none or all of them nothing can be told apart: take a longer horizon"
        )


def _areas(
    outcome: str,
    names: Sequence[str],
    scores: FloatArray,
    happened: np.ndarray,
    draws: int,
    seed: Seed,
    level: float,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Area under the curve of every score, worse scores held more likely."""
    n = len(happened)

    def statistic(counts: FloatArray) -> FloatArray:
        return np.column_stack([weighted_auc(counts, -own, happened) for own in scores.T])

    point = statistic(np.ones((1, n)))[0]
    drawn = bootstrap(statistic, np.ones(n), draws=draws, seed=seed, progress=progress)
    rows = []
    for k, name in enumerate(names):
        found = bootstrap_estimate(float(point[k]), drawn[:, k], unit=UNIT, n=n, level=level)
        ends = {"auc": found.estimate, "lower": found.lower, "upper": found.upper}
        more = {"customers": n, "cases": int(happened.sum())}
        rows.append({"outcome": outcome, "score": name} | ends | more)
    return rows


def _by_third(outcome: str, index: pd.Series, happened: np.ndarray) -> pd.DataFrame:
    place = np.minimum(3 * index.rank(method="first").sub(1).to_numpy() // len(index), 2)
    size = np.bincount(place.astype(int), minlength=3)
    cases = np.bincount(place.astype(int), weights=happened, minlength=3)
    lower, upper = wilson_interval(cases, size)
    return pd.DataFrame(
        {
            "outcome": outcome,
            "third": THIRDS,
            "customers": size,
            "cases": cases.astype(int),
            "share": cases / np.where(size, size, math.nan),
            "lower": lower,
            "upper": upper,
        }
    )
