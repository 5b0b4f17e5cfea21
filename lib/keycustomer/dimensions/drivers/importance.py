"""Relative importance: which drivers satisfaction or loyalty hangs on, and how sure that is.

What are the strategic value drivers (course claim V7)?  Drivers overlap, so that a regression
coefficient says little: of two drivers that go together, one may take all.
:func:`relative_importance` splits the variance explained over the drivers, by LMG (the Shapley
value of R2) for up to 15 drivers and by Johnson's relative weights beyond, with bootstrap
intervals of importance, share and rank.  An order of drivers is told only as far as the
respondents establish it: see :meth:`RelativeImportance.places`.

Importance has no sign and says nothing of cause; the column `correlation` gives the direction.

Intervals are percentile intervals of the customer bootstrap.  How often such a 95 % interval of
LMG caught the truth, the worst and the mean of all drivers of a population, with its bias
(normal scores, 300 samples of 500 draws, so plus or minus .025):

========================================  =============  =============  =============
population                                n = 100        n = 300        n = 1,000
========================================  =============  =============  =============
4 drivers, correlated .5, R2 .39          .94 .94 .006   .94 .95 .002   .94 .95 .001
6 drivers, correlated .5, R2 .50          .91 .94 .005   .92 .94 .001   .94 .95 .000
6 drivers, correlated .2, R2 .18          .91 .95 .009   .93 .94 .003   .93 .95 .001
========================================  =============  =============  =============

BCa intervals, which serve concentration well, fell to .80 for drivers of small importance: it
cannot be below 0, and its bias is not a shift.  For the same reason an interval of importance
never reaches 0, and is no test of whether a driver counts at all; the interval of its
`coefficient` is.

Sources: Grömping, Journal of Statistical Software 17(1), 2006; Johnson, Multivariate Behavioral
Research 35, 2000; Budescu, Psychological Bulletin 114, 1993.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.drivers.scores import (
    Drivers,
    DriverScores,
    IntArray,
    Missing,
    Moments,
    Outcome,
    WeightedMoments,
    read_persons,
    read_scores,
)
from keycustomer.dimensions.drivers.subsets import MOST_DRIVERS, johnson_weights, lmg
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

Method: TypeAlias = Literal["auto", "lmg", "johnson"]

LMG_DRIVERS = 15
"""Drivers up to which the method "auto" takes LMG."""

NAMES = {"lmg": "LMG", "johnson": "Johnson's relative weights"}
"""Methods by the name a reader is told."""


@dataclass(frozen=True, eq=False)
class Draws:
    """What each bootstrap resample of respondents gave.

    Attributes
    ----------
    importance : ndarray, shape (draws, drivers)
        Share of the outcome's variance.
    coefficients : ndarray, shape (draws, drivers)
        Regression coefficients.
    means : ndarray, shape (draws, drivers)
        Mean scores.
    """

    importance: FloatArray
    coefficients: FloatArray
    means: FloatArray

    @property
    def shares(self) -> FloatArray:
        """Importance as a share of the variance explained, shape (draws, drivers)."""
        return shares_of(self.importance)


@dataclass(frozen=True, eq=False)
class RelativeImportance:
    """Importance of drivers, with intervals and the certainty of their order.

    Attributes
    ----------
    outcome : str
        What is driven.
    method : {"LMG", "Johnson's relative weights"}
        How explained variance was split.
    drivers : tuple of str
        The drivers in the order given, which the arrays follow.
    respondents, excluded : int
        Respondents used, and left out for answers not given.
    r2 : Estimate
        Share of the outcome's variance that all drivers explain.
    adjusted_r2 : float
        The same, less what that many drivers explain by chance.
    frame : DataFrame
        One row a driver, the most important first: `driver`, `importance` (share of the outcome's
        variance) with `lower` and `upper`, `share` (of the variance explained) with its ends,
        `rank` with its ends, `correlation` with the outcome, `alone` and `last` (R2 of the
        driver alone, and what it adds to all others), `beta`, `coefficient` (units of the
        outcome for one unit of the driver) with its ends, `mean`.
    correlations : ndarray, shape (drivers + 1, drivers + 1)
        Correlations among the drivers and, last, with the outcome.
    draws : Draws
        The bootstrap resamples.
    rows : ndarray of int
        Places of the respondents used in the table given.
    level : float
        Confidence level of all intervals.
    notes : tuple of str
        What a reader must know.
    """

    outcome: str
    method: str
    drivers: tuple[str, ...]
    respondents: int
    excluded: int
    r2: Estimate
    adjusted_r2: float
    frame: pd.DataFrame
    correlations: FloatArray
    draws: Draws = field(repr=False)
    rows: IntArray = field(repr=False)
    level: float
    notes: tuple[str, ...]

    @property
    def order(self) -> list[str]:
        """Drivers, the most important first."""
        return self.frame["driver"].tolist()

    def in_order_given(self, column: str) -> FloatArray:
        """Values of a column of `frame`, in the order of `drivers`."""
        return self.frame.set_index("driver")[column].loc[list(self.drivers)].to_numpy(float)

    def estimate(self, driver: str) -> Estimate:
        """Give a driver's importance, as a share of the outcome's variance.

        Raises
        ------
        ValueError
            When there is no such driver.
        """
        k = self._place(driver)
        return bootstrap_estimate(
            float(self.in_order_given("importance")[k]),
            self.draws.importance[:, k],
            unit=f"share of the variance of {self.outcome}",
            n=self.respondents,
            level=self.level,
        )

    def difference(self, driver: str, other: str) -> Estimate:
        """How much more important one driver is than another; positive when it is."""
        k, j = self._place(driver), self._place(other)
        importance = self.in_order_given("importance")
        return bootstrap_estimate(
            float(importance[k] - importance[j]),
            self.draws.importance[:, k] - self.draws.importance[:, j],
            unit=f"share of the variance of {self.outcome}",
            n=self.respondents,
            level=self.level,
        )

    def _place(self, driver: str) -> int:
        if driver not in self.drivers:
            raise ValueError(
                f"{driver!r} is none of the drivers: {', '.join(map(repr, self.drivers))}"
            )
        return self.drivers.index(driver)

    def pairs(self) -> pd.DataFrame:
        """Differences of importance between all pairs of drivers.

        Returns
        -------
        DataFrame
            `driver`, `other` (the less important), `difference` with `lower` and `upper`,
            `share_of_draws` in which the first is ahead, `established`: the interval excludes 0.
        """
        rows = []
        for n, driver in enumerate(self.order):
            for other in self.order[n + 1 :]:
                gap = self.difference(driver, other)
                ahead = self._ahead(driver, other)
                known = gap.lower > 0
                rows.append((driver, other, gap.estimate, gap.lower, gap.upper, ahead, known))
        columns = "driver other difference lower upper share_of_draws established".split()
        return pd.DataFrame(rows, columns=columns)

    def _ahead(self, driver: str, other: str) -> float:
        drawn = self.draws.importance
        return float((drawn[:, self._place(driver)] > drawn[:, self._place(other)]).mean())

    def places(self) -> pd.DataFrame:
        """Who is first, second ... and whether the respondents establish it.

        Returns
        -------
        DataFrame
            `place`, `driver`, `share_of_draws` in which it has this place, `rival` (who has it
            most often otherwise) and `rival_share`, `established`: this driver differs from each
            other by an interval that excludes 0.
        """
        ranks = ranks_of(self.draws.importance)
        pairs = self.pairs()
        open_ = pairs.loc[~pairs["established"], ["driver", "other"]].to_numpy().ravel()
        rows = []
        for place, driver in enumerate(self.order, start=1):
            shares = dict(zip(self.drivers, (ranks == place).mean(axis=0), strict=True))
            own = float(shares.pop(driver))
            rival = max(shares, key=lambda name: shares[name]) if shares else ""
            share = float(shares.get(rival, 0.0))
            rows.append((place, driver, own, rival, share, driver not in open_))
        columns = "place driver share_of_draws rival rival_share established".split()
        return pd.DataFrame(rows, columns=columns)

    @property
    def sentences(self) -> list[str]:
        """Say what was found: R2, then who has each of the first three places."""
        return [
            f"All {len(self.drivers)} drivers together explain {self.r2.as_percent()} of the "
            f"variance of {self.outcome} ({counted(self.respondents, 'respondent')}, "
            f"{self.method}).",
            *map(_said_of_place, self.places().head(3).to_dict("records")),
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return the table of the drivers."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame[["driver", "importance", "lower", "upper"]].assign(
            rank=[f"{r['rank_lower']} to {r['rank_upper']}" for r in self.frame.to_dict("records")],
            share=self.frame["share"],
            correlation=self.frame["correlation"],
        )
        shown["importance"] = [percent(value) for value in shown["importance"]]
        title = f"What {self.outcome} hangs on"
        tables = {"Importance, share of the outcome's variance": shown}
        return report_html(title, [*self.sentences, *self.notes], tables)


def _said_of_place(row: dict) -> str:
    place = ordinal(row["place"])
    if row["established"]:
        return f"{row['driver']} is {place}: {percent(row['share_of_draws'], 0)} of the resamples."
    return (
        f"Who is {place} is not established: {row['driver']} in "
        f"{percent(row['share_of_draws'], 0)} of the resamples, {row['rival']} in "
        f"{percent(row['rival_share'], 0)}."
    )


def ordinal(place: int) -> str:
    """Name a place: first, second, third, 4th."""
    return {1: "first", 2: "second", 3: "third"}.get(place, f"{place}th")


def relative_importance(
    answers: pd.DataFrame,
    outcome: Outcome,
    drivers: Drivers,
    *,
    method: Method = "auto",
    missing: Missing = "listwise",
    respondent: str | None = None,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> RelativeImportance:
    """Split the explained variance of an outcome over its drivers.

    Parameters
    ----------
    answers : DataFrame
        Numbers, one row a respondent, one column an item, NaN where not answered.
    outcome : str or mapping of one construct to its items
        What is driven.
    drivers : sequence of str, or mapping of construct to items
        What may drive it; the score of a construct is the mean of its items.
    method : {"auto", "lmg", "johnson"}
        "auto" takes LMG for at most 15 drivers and Johnson's relative weights beyond, and says so.
    missing : {"listwise", "available", "mean"}
        Leave out respondents with answers not given; take the mean of the items of a construct
        that were answered; or put the item's mean over all respondents.
    respondent : str, optional
        Column that names the person, where persons may have answered several times: resamples
        then draw whole persons, since answers of one person are no independent evidence.
    draws, seed, level
        Bootstrap of respondents for the intervals.
    progress : callable, optional
        Called as ``progress(done, draws)`` when the work takes more than two seconds.

    Returns
    -------
    RelativeImportance

    Raises
    ------
    ValueError
        As :func:`~keycustomer.dimensions.drivers.scores.read_scores`; for an unknown method; for
        ``method="lmg"`` with more than 20 drivers.
    """
    checked_level(level)
    scores = read_scores(answers, outcome, drivers, missing=missing)
    chosen = choose_method(method, len(scores.drivers))
    persons = read_persons(answers, respondent, scores.rows)
    moments = WeightedMoments(scores.values)

    def statistics(weights: FloatArray) -> FloatArray:
        drawn = moments(persons.spread(weights))
        return np.hstack([importance_by(chosen, drawn), drawn.coefficients, drawn.means[:, :-1]])

    cloud = bootstrap(statistics, np.ones(persons.count), draws=draws, seed=seed, progress=progress)
    drawn = Draws(*np.split(cloud, 3, axis=1))
    notes = (*scores.notes, *persons.notes(), *_notes(scores, moments.plain(), chosen, method))
    return _result(scores, moments.plain(), drawn, chosen, level, notes)


def choose_method(method: str, drivers: int) -> str:
    """Choose the method for a number of drivers: "lmg" or "johnson".

    Raises
    ------
    ValueError
        For an unknown method, or LMG with more drivers than all subsets can be had of.
    """
    if method not in get_args(Method):
        raise ValueError(f"method={method!r}: one of {', '.join(map(repr, get_args(Method)))}")
    if method == "lmg" and drivers > MOST_DRIVERS:
        raise ValueError(
            f"method='lmg' with {drivers} drivers: at most {MOST_DRIVERS}; take method='johnson', "
            "or fewer drivers, such as constructs in place of items"
        )
    if method == "auto":
        return "lmg" if drivers <= LMG_DRIVERS else "johnson"
    return method


def importance_by(method: str, moments: Moments) -> FloatArray:
    """Split R2 by the method "lmg" or "johnson", shape (rows, drivers)."""
    return (lmg if method == "lmg" else johnson_weights)(moments.correlations)


def shares_of(importance: FloatArray) -> FloatArray:
    """Turn importance into shares of its sum, by row; equal ones where nothing is explained."""
    total = importance.sum(axis=-1, keepdims=True)
    equal = np.full_like(importance, 1 / importance.shape[-1])
    return np.divide(importance, total, out=equal, where=total > 0)


def ranks_of(importance: FloatArray) -> IntArray:
    """Ranks by row, 1 the largest; of equal values the first column is ahead."""
    order = np.argsort(-importance, axis=-1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, importance.shape[-1] + 1)[None, :], axis=-1)
    return ranks


def ends(draws: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Lower and upper ends of percentile intervals, by column."""
    tail = (1 - level) / 2
    lower, upper = np.quantile(draws, [tail, 1 - tail], axis=0)
    return lower, upper


def _result(
    scores: DriverScores,
    point: Moments,
    drawn: Draws,
    chosen: str,
    level: float,
    notes: tuple[str, ...],
) -> RelativeImportance:
    importance = importance_by(chosen, point)[0]
    n, p = scores.respondents, len(scores.drivers)
    r2 = bootstrap_estimate(
        float(importance.sum()),
        drawn.importance.sum(axis=1),
        unit=f"share of the variance of {scores.outcome}",
        n=n,
        level=level,
    )
    return RelativeImportance(
        scores.outcome,
        NAMES[chosen],
        scores.drivers,
        n,
        scores.excluded,
        r2,
        1 - (1 - r2.estimate) * (n - 1) / (n - p - 1),
        _table(scores.drivers, importance, point, drawn, level),
        point.correlations[0],
        drawn,
        scores.rows,
        level,
        notes,
    )


def _table(
    drivers: tuple[str, ...], importance: FloatArray, point: Moments, drawn: Draws, level: float
) -> pd.DataFrame:
    ranks = ranks_of(drawn.importance)
    columns: dict[str, Any] = {"driver": list(drivers)}
    intervals = {
        "importance": (importance, drawn.importance, ""),
        "share": (shares_of(importance), drawn.shares, "share_"),
        "coefficient": (point.coefficients[0], drawn.coefficients, "coefficient_"),
    }
    for name, (value, draws, prefix) in intervals.items():
        columns[name] = value
        columns[f"{prefix}lower"], columns[f"{prefix}upper"] = ends(draws, level)
    columns["rank"] = ranks_of(importance[None])[0]
    low, high = ends(ranks.astype(float), level)
    columns["rank_lower"], columns["rank_upper"] = np.floor(low), np.ceil(high)
    columns["correlation"] = point.correlations[0, :-1, -1]
    columns["alone"] = columns["correlation"] ** 2
    columns["last"] = _added_last(point.correlations[0])
    columns["beta"], columns["mean"] = point.betas[0], point.means[0, :-1]
    frame = pd.DataFrame(columns).astype({"rank_lower": int, "rank_upper": int})
    first = ["driver", "importance", "lower", "upper", "share", "share_lower", "share_upper"]
    second = ["rank", "rank_lower", "rank_upper", "correlation", "alone", "last", "beta"]
    third = ["coefficient", "coefficient_lower", "coefficient_upper", "mean"]
    return frame.sort_values("rank", ignore_index=True)[[*first, *second, *third]]


def _added_last(correlations: FloatArray) -> FloatArray:
    """Compute what each driver adds to R2 of all others."""
    among, with_outcome = correlations[:-1, :-1], correlations[:-1, -1]
    inverse = np.linalg.inv(among)
    return np.asarray((inverse @ with_outcome) ** 2 / np.diagonal(inverse))


def _notes(scores: DriverScores, point: Moments, chosen: str, asked: str) -> Iterator[str]:
    if asked == "auto" and chosen == "johnson":
        yield (
            f"{len(scores.drivers)} drivers: Johnson's relative weights, since LMG is taken for at "
            f"most {LMG_DRIVERS}"
        )
    if importance_by("johnson", point).sum() > 1 - 1e-9:
        yield (
            f"the drivers give {scores.outcome} exactly: it may have been computed from them, and "
            "then their importance says how, not what customers value"
        )
