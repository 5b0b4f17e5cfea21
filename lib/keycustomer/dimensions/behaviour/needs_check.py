"""Are next needs more than what is popular? They are held against later take-ups.

:func:`check_next_needs` learns from the days up to a split, then looks at what customers who had
bought by then took up within the horizon after it.  Beside the model stands the same without
association, which ranks for everyone what is popular and for a category those who buy broadly.

Three measures: the hit rate (share of customers, among those who took up anything, with at least
one of their first k suggestions among it); the area under the ROC curve among the categories of a
customer (which category?), and among the customers of a category (which customer?).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.behaviour.adoption import read_adoption
from keycustomer.dimensions.behaviour.association import learn_take_up
from keycustomer.dimensions.behaviour.discrimination import weighted_auc
from keycustomer.dimensions.behaviour.needs import refuse_long_horizon
from keycustomer.dimensions.behaviour.windows import split_day
from keycustomer.lifetime.arguments import Day, whole_number
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

MOST_CHECKED = 20_000
"""Customers on whom the check is made; more are drawn from."""

CLASSES = 10
"""Classes of foretold chance of the calibration."""

Taken = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NextNeedCheck:
    """Next needs held against later take-ups.

    Attributes
    ----------
    frame : DataFrame
        One row a measure: ``measure`` (`hit rate at k`, `which category`, `which customer`),
        ``model``, ``baseline`` and ``difference``, each with ``_lower`` and ``_upper``.
    calibration : DataFrame
        One row a class of foretold chance: ``foretold`` (mean), ``observed`` (share taken up),
        ``pairs``.
    split : date
        Last day that was learnt from.
    horizon : int
        Days after it.
    customers, takers : int
        Customers who had bought by the split, and those who took up a candidate after it.
    candidates : int
        Categories that could be suggested.
    outside : int
        Take-ups of other categories, which nobody could be told.
    level : float
        Level of the intervals.
    """

    frame: pd.DataFrame = field(repr=False)
    calibration: pd.DataFrame = field(repr=False)
    split: dt.date
    horizon: int
    customers: int
    takers: int
    candidates: int
    outside: int
    level: float

    def estimate(self, measure: str, of: str = "model") -> Estimate:
        """One figure with its interval.

        Parameters
        ----------
        measure : str
            As in the column ``measure``.
        of : {"model", "baseline", "difference"}
            Whose figure.

        Raises
        ------
        ValueError
            When there is no such figure.
        """
        rows = self.frame[self.frame["measure"] == measure]
        if rows.empty or of not in ("model", "baseline", "difference"):
            raise ValueError(
                f"no {of!r} of {measure!r}; measures are {', '.join(self.frame['measure'])}"
            )
        row = rows.iloc[0]
        unit = "share of customers" if measure.startswith("hit") else "area under the ROC curve"
        method = "percentile bootstrap of customers"
        ends = float(row[f"{of}_lower"]), float(row[f"{of}_upper"])
        return Estimate(float(row[of]), *ends, unit, self.takers, method, self.level)

    @property
    def sentence(self) -> str:
        """The check in words."""
        row = self.frame.iloc[0]
        return (
            f"Of {counted(self.takers, 'customer')} who took up something within {self.horizon} "
            f"days after {self.split}, the {row['measure']} is {row['model']:.1%} against "
            f"{row['baseline']:.1%} for what is popular (difference {row['difference']:.1%}, "
            f"{row['difference_lower']:.1%} to {row['difference_upper']:.1%})."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a measure."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        told = f"{self.outside:,} take-ups were of categories too rare to be suggested."
        tables = {"Model and baseline": self.frame, "Foretold and observed": self.calibration}
        return report_html("Next needs against later take-ups", [self.sentence, told], tables)


def check_next_needs(
    base: CustomerBase,
    *,
    split: Day,
    product_level: str = "category",
    horizon: int = 91,
    at_least: int = 30,
    hits: Sequence[int] = (1, 3, 5),
    level: float = 0.95,
    draws: int = 200,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> NextNeedCheck:
    """Hold next needs against later take-ups.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with transactions and products.
    split : date or ISO string
        Last day that is learnt from.
    product_level, horizon, at_least
        As in :func:`keycustomer.dimensions.next_needs`.
    hits : sequence of int
        Numbers of suggestions whose hit rate is told.
    level : float
        Confidence level of the intervals.
    draws, seed, progress
        Bootstrap of customers.

    Returns
    -------
    NextNeedCheck

    Raises
    ------
    ValueError
        When the base lacks what is needed, the split leaves too few days on either side, or nobody
        took up a candidate.
    """
    checked_level(level)
    horizon = whole_number(horizon, "horizon", of="days", least=1)
    at_least = whole_number(at_least, "at_least", of="take-ups", least=1)
    kept = [whole_number(k, "hits", of="suggestions", least=1) for k in hits]
    day = split_day(base, split)
    days = (day - base.start).days + 1
    refuse_long_horizon(base, horizon, days)
    if days + horizon > base.days:
        raise ValueError(
            f"{horizon} days after {day} end beyond the last day observed, {base.end}; choose an "
            "earlier split or a shorter horizon"
        )
    generator = np.random.default_rng(seed)
    adoption = read_adoption(base, product_level)
    model = learn_take_up(adoption, days, horizon, at_least, generator)
    owned, taken = adoption.owned(days), adoption.taken_up(days, horizon)
    there = np.flatnonzero(owned.getnnz(axis=1))
    if len(there) > MOST_CHECKED:
        there = np.sort(generator.choice(there, MOST_CHECKED, replace=False))
    happened = taken[there][:, model.candidates].toarray() > 0
    chances = [model.chances(owned[there], simple=simple) for simple in (False, True)]
    takers = happened.any(axis=1)
    if not takers.any():
        raise ValueError(f"no customer took up a candidate within {horizon} days after {day}")
    frame = _measures(chances, happened, kept, level, draws, generator, progress)
    return NextNeedCheck(
        frame=frame,
        calibration=_calibration(chances[0], happened),
        split=day,
        horizon=horizon,
        customers=len(there),
        takers=int(takers.sum()),
        candidates=len(model.candidates),
        outside=int(taken[there].sum() - happened.sum()),
        level=level,
    )


def _measures(
    chances: list[FloatArray],
    happened: Taken,
    hits: list[int],
    level: float,
    draws: int,
    generator: np.random.Generator,
    progress: Progress | None,
) -> pd.DataFrame:
    """Table of the measures of model and baseline, and their difference."""
    names = [*(f"hit rate at {k}" for k in hits), "which category", "which customer"]
    single = [_by_customer(chance, happened, hits) for chance in chances]

    def statistic(weights: FloatArray) -> FloatArray:
        parts = []
        for values, chance in zip(single, chances, strict=True):
            parts.append(_means(weights, values))
            parts.append(_which_customer(weights, chance, happened)[:, None])
        model, baseline = np.hstack(parts[:2]), np.hstack(parts[2:])
        return np.hstack([model, baseline, model - baseline])

    point = statistic(np.ones((1, len(happened))))[0]
    drawn = bootstrap(
        statistic, np.ones(len(happened)), draws=draws, seed=generator, progress=progress
    )
    frame = pd.DataFrame({"measure": names})
    for place, whose in enumerate(("model", "baseline", "difference")):
        columns = range(place * len(names), (place + 1) * len(names))
        estimates = [
            bootstrap_estimate(float(point[k]), drawn[:, k], unit="", n=len(happened), level=level)
            for k in columns
        ]
        frame[whose] = [e.estimate for e in estimates]
        frame[f"{whose}_lower"] = [e.lower for e in estimates]
        frame[f"{whose}_upper"] = [e.upper for e in estimates]
    return frame


def _by_customer(chance: FloatArray, happened: Taken, hits: list[int]) -> FloatArray:
    """Hits and area of each customer, NaN of those who took up nothing (or everything)."""
    score = np.nan_to_num(chance, nan=-1.0)
    order = np.argsort(-score, axis=1, kind="stable")
    found = np.take_along_axis(happened, order, axis=1)
    takers = happened.any(axis=1)
    first = np.where(takers, found.argmax(axis=1), np.iinfo(np.int64).max)
    columns = [np.where(takers, first < k, np.nan) for k in hits]
    areas = np.full(len(chance), np.nan)
    for row in np.flatnonzero(takers):
        open_ = ~np.isnan(chance[row])
        areas[row] = weighted_auc(
            np.ones((1, int(open_.sum()))), chance[row, open_], happened[row, open_]
        )[0]
    return np.column_stack([*columns, areas])


def _means(weights: FloatArray, values: FloatArray) -> FloatArray:
    known = ~np.isnan(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (weights @ np.where(known, values, 0.0)) / (weights @ known.astype(float))


def _which_customer(weights: FloatArray, chance: FloatArray, happened: Taken) -> FloatArray:
    """Mean over the categories of the area among the customers without it."""
    areas = []
    for column in range(chance.shape[1]):
        open_ = ~np.isnan(chance[:, column])
        taken = happened[open_, column]
        if taken.any() and not taken.all():
            areas.append(weighted_auc(weights[:, open_], chance[open_, column], taken))
    if not areas:
        return np.full(len(weights), np.nan)
    told = np.array(areas)
    known = ~np.isnan(told)
    # a resample without a taker of a category says nothing of it
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known, told, 0.0).sum(axis=0) / known.sum(axis=0)


def _calibration(chance: FloatArray, happened: Taken) -> pd.DataFrame:
    open_ = ~np.isnan(chance)
    foretold, observed = chance[open_], happened[open_]
    order = np.argsort(foretold, kind="stable")
    parts = np.array_split(order, min(CLASSES, len(order)))
    return pd.DataFrame(
        [
            {
                "foretold": foretold[part].mean(),
                "observed": observed[part].mean(),
                "pairs": len(part),
            }
            for part in parts
        ]
    )
