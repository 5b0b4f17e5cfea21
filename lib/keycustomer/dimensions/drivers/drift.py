"""Drift: whether the importance of drivers changes over waves of a survey or windows of time.

Needs change (course claims V6, M3), but two surveys never give the same figures, even when nothing
changes.  :func:`importance_drift` measures importance in every wave and asks whether it differs by
more than chance: the labels of the waves are dealt out anew, a thousand times, among answers that
were first standardised within their waves (so that a better or worse year is no drift), and the
spread of importance over the waves is compared with what such deals give.  One test for all
drivers together, and one for each driver that allows for the number of drivers (the largest of
all counts, Westfall & Young).  Persons who answered in several waves are dealt and drawn as whole
persons.

Each change comes with the change that so many answers would find four times in five: an
insignificant result of a small survey is no evidence of constancy.

Sources: Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses" (2005); Westfall & Young,
"Resampling-Based Multiple Testing" (1993).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.drivers.importance import (
    NAMES,
    Method,
    choose_method,
    ends,
    importance_by,
    shares_of,
)
from keycustomer.dimensions.drivers.scores import (
    Drivers,
    IntArray,
    Missing,
    Outcome,
    WeightedMoments,
    read_scores,
)
from keycustomer.dimensions.drivers.waves import Waves, Windows, read_waves
from keycustomer.stats import bootstrap
from keycustomer.stats.bootstrap import CELLS, Progress, Seed, after_quiet, checked_level
from keycustomer.stats.samples import FloatArray

Measure: TypeAlias = Literal["share", "importance"]
"""Share of the variance explained, or of all variance of the outcome."""

Against: TypeAlias = Literal["any", "trend"]
"""What is tested: any difference between waves, or a steady rise or fall over them."""

POWER = 2.80
"""Standard errors of a change found four times in five at the level of 95 %: 1.96 + 0.84."""


@dataclass(frozen=True, eq=False)
class ImportanceDrift:
    """Importance of drivers by wave, and whether it changes by more than chance.

    Attributes
    ----------
    outcome, method : str
        What is driven, and how importance was measured.
    measure : {"share", "importance"}
        Share of the variance explained, or of all variance.
    waves : tuple of str
        The waves, in their order.
    frame : DataFrame
        One row a driver and wave: `driver`, `wave`, `respondents`, `importance` with `lower` and
        `upper`, `r2` of the wave.
    changes : DataFrame
        One row a driver, the largest change first: `driver`, `first` and `last` (importance in
        the first and the last wave), `change` with `lower` and `upper`, `p_value` (that its
        importance is the same in all waves, allowing for the number of drivers), `detectable`
        (change that so many answers would find four times in five), `verdict` ("changed" or
        "within chance").
    p_value : float
        That no driver's importance differs between waves.
    level : float
        Confidence level of all intervals.
    notes : tuple of str
        What a reader must know.
    """

    outcome: str
    method: str
    measure: str
    waves: tuple[str, ...]
    frame: pd.DataFrame
    changes: pd.DataFrame
    p_value: float
    level: float
    notes: tuple[str, ...]

    @property
    def changed(self) -> list[str]:
        """Drivers whose importance changed by more than chance."""
        return self.changes.loc[self.changes["verdict"] == "changed", "driver"].tolist()

    @property
    def sentences(self) -> list[str]:
        """Say whether importance drifts, and what could have been found."""
        span = f"between {self.waves[0]} and {self.waves[-1]}"
        opening = f"All drivers of {self.outcome} together: p = {self.p_value:.3f}."
        if not self.changed:
            together = self.p_value < 1 - self.level
            found = (
                f"{'No single' if together else 'No'} driver's importance changed by more than "
                f"chance {span}; a change would have "
                f"to reach about {100 * self.changes['detectable'].median():.0f} percentage points "
                "to be found four times in five."
            )
        else:
            rows = self.changes[self.changes["verdict"] == "changed"].to_dict("records")
            told = (
                f"{r['driver']} from {percent(r['first'], 0)} to {percent(r['last'], 0)}"
                for r in rows
            )
            found = f"Changed by more than chance {span}: {', '.join(told)}."
        return [found, opening]

    def to_frame(self) -> pd.DataFrame:
        """Return importance by driver and wave."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        wide = self.frame.pivot(index="driver", columns="wave", values="importance")
        shown = wide[list(self.waves)].map(lambda value: percent(value, 0)).reset_index()
        title = f"Importance of the drivers of {self.outcome} by wave"
        tables = {"By wave": shown, "Changes": self.changes}
        return report_html(title, [*self.sentences, *self.notes], tables)


def importance_drift(
    answers: pd.DataFrame,
    outcome: Outcome,
    drivers: Drivers,
    wave: str,
    *,
    windows: Windows = None,
    respondent: str | None = None,
    measure: Measure = "share",
    against: Against = "any",
    method: Method = "auto",
    missing: Missing = "listwise",
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> ImportanceDrift:
    """Measure importance in every wave and test whether it changes.

    Parameters
    ----------
    answers, outcome, drivers, method, missing
        As in :func:`~keycustomer.dimensions.drivers.importance.relative_importance`; each wave has
        to have answers enough.
    wave : str
        Column with the wave of each row: numbers, dates or names.
    windows : int or {"month", "quarter", "year"}, optional
        Cut the column into so many windows of about equally many answers, or by the calendar.
    respondent : str, optional
        Column that names the person, where persons may have answered in several waves.
    measure : {"share", "importance"}
        What is compared: shares of the variance explained, which add up to 1 in every wave, or of
        all variance.
    against : {"any", "trend"}
        Test for any difference between waves, or for a steady rise or fall, which finds a slow
        drift over many waves sooner.  With two waves both are the same.
    draws : int
        Bootstrap resamples for the intervals, and deals for the tests.
    seed, level
        Of both.
    progress : callable, optional
        Called as ``progress(done, total)`` when the work takes more than two seconds.

    Returns
    -------
    ImportanceDrift

    Raises
    ------
    ValueError
        As `relative_importance`, and with every complaint about the waves, named.
    """
    checked_level(level)
    _allowed("measure", measure, get_args(Measure))
    _allowed("against", against, get_args(Against))
    scores = read_scores(answers, outcome, drivers, missing=missing)
    chosen = choose_method(method, len(scores.drivers))
    waves = read_waves(answers, scores, wave, windows=windows, respondent=respondent)
    generator = np.random.default_rng(seed)
    measured = partial(_measured, method=chosen, measure=measure)
    report = after_quiet(progress)
    point, cloud = _by_wave(
        waves, measured, draws, generator, lambda done, _: report(done, 2 * draws)
    )
    dealt = _dealt(
        waves, measured, draws, generator, lambda done, _: report(draws + done, 2 * draws)
    )
    p_value, p_values = _tested(point, dealt, waves.sizes, against)
    r2 = _by_wave_once(waves, partial(_measured, method=chosen, measure="importance")).sum(axis=1)
    return ImportanceDrift(
        scores.outcome,
        NAMES[chosen],
        measure,
        waves.labels,
        _table(scores.drivers, waves, point, cloud, r2, level),
        _changes(scores.drivers, point, cloud, p_values, level),
        p_value,
        level,
        (*scores.notes, *_notes(waves, against)),
    )


def _allowed(argument: str, value: str, values: tuple[str, ...]) -> None:
    if value not in values:
        raise ValueError(f"{argument}={value!r}: one of {', '.join(map(repr, values))}")


Measured = Callable[[WeightedMoments, FloatArray], FloatArray]
"""Importance under rows of weights, shape (rows, drivers)."""


def _measured(
    moments: WeightedMoments, weights: FloatArray, *, method: str, measure: str
) -> FloatArray:
    importance = importance_by(method, moments(weights))
    return shares_of(importance) if measure == "share" else importance


def _by_wave_once(waves: Waves, measured: Measured) -> FloatArray:
    """Measure importance by wave and driver, everybody counted once."""
    parts = [
        measured(WeightedMoments(waves.values[waves.wave == n]), np.ones((1, size)))
        for n, size in enumerate(waves.sizes)
    ]
    return np.concatenate(parts)


def _by_wave(
    waves: Waves,
    measured: Measured,
    draws: int,
    generator: np.random.Generator,
    progress: Progress,
) -> tuple[FloatArray, FloatArray]:
    """Measure importance by wave and driver, and the same by draw of persons."""
    own = [waves.wave == n for n in range(len(waves.labels))]
    moments = [WeightedMoments(waves.values[rows]) for rows in own]

    def statistics(weights: FloatArray) -> FloatArray:
        counts = waves.persons.spread(weights)
        parts = [
            measured(part, _some(counts[:, rows])) for part, rows in zip(moments, own, strict=True)
        ]
        return np.hstack(parts)

    everybody = np.ones(waves.persons.count)
    cloud = bootstrap(statistics, everybody, draws=draws, seed=generator, progress=progress)
    return _by_wave_once(waves, measured), cloud.reshape(draws, len(own), -1)


def _some(counts: FloatArray) -> FloatArray:
    """Count everybody of a wave once in a draw that missed all of it."""
    return np.where(counts.sum(axis=1, keepdims=True) > 0, counts, 1.0)


def _dealt(
    waves: Waves,
    measured: Measured,
    draws: int,
    generator: np.random.Generator,
    progress: Progress,
) -> FloatArray:
    """Measure importance by deal of the labels, wave and driver."""
    values = np.empty_like(waves.values)
    for n in range(len(waves.labels)):
        own = waves.values[waves.wave == n]
        values[waves.wave == n] = (own - own.mean(axis=0)) / own.std(axis=0)
    moments = WeightedMoments(values)
    rows = max(CELLS // len(values), 1)
    deal = _Deal(waves)
    parts = []
    for start in range(0, draws, rows):
        labels = np.stack([deal(generator) for _ in range(min(rows, draws - start))])
        own = [(labels == n).astype(float) for n in range(len(waves.labels))]
        parts.append(np.stack([measured(moments, weights) for weights in own], axis=1))
        progress(start + len(labels), draws)
    return np.concatenate(parts)


class _Deal:
    """Labels of the waves dealt out anew, whole persons kept together.

    Persons with the same number of answers exchange their sets of labels, and each person's labels
    are put in any order.
    """

    def __init__(self, waves: Waves) -> None:
        order = np.argsort(waves.persons.codes, kind="stable")
        counts = np.bincount(waves.persons.codes)
        starts = np.cumsum(counts) - counts
        self.wave = waves.wave
        self.blocks: list[IntArray] = [
            order[starts[counts == size][:, None] + np.arange(size)] for size in np.unique(counts)
        ]

    def __call__(self, generator: np.random.Generator) -> IntArray:
        labels = np.empty_like(self.wave)
        for block in self.blocks:
            sets = self.wave[block][generator.permutation(len(block))]
            labels[block] = generator.permuted(sets, axis=1) if block.shape[1] > 1 else sets
        return labels


def _tested(
    point: FloatArray, dealt: FloatArray, sizes: IntArray, against: str
) -> tuple[float, FloatArray]:
    """Chance that dealing gives as much difference of waves: in all drivers, and by driver."""
    differ = _spread if against == "any" else _slope
    spread, chance = differ(point[None], sizes)[0], differ(dealt, sizes)
    # a driver's usual spread by chance is the measure of its own
    usual = chance.mean(axis=0)
    usual = np.where(usual > 0, usual, 1)
    spread, chance = spread / usual, chance / usual
    together = _at_least(chance.sum(axis=1), spread.sum())
    return together, np.array([_at_least(chance.max(axis=1), one) for one in spread])


def _at_least(chance: FloatArray, seen: float) -> float:
    """Share of deals with as much as was seen, that itself counted as one (never 0)."""
    return float((1 + (chance >= seen * (1 - 1e-9)).sum()) / (1 + len(chance)))


def _spread(importance: FloatArray, sizes: IntArray) -> FloatArray:
    """Variance over waves (second to last dimension) by driver, waves weighted by answers."""
    weights = (sizes / sizes.sum())[:, None]
    mean = (weights * importance).sum(axis=-2, keepdims=True)
    return np.asarray((weights * (importance - mean) ** 2).sum(axis=-2))


def _slope(importance: FloatArray, sizes: IntArray) -> FloatArray:
    """Squared slope of importance over waves, by driver, waves weighted by answers."""
    weights = sizes / sizes.sum()
    places = np.arange(len(sizes)) - weights @ np.arange(len(sizes))
    lever = (weights * places / (weights @ places**2))[:, None]
    return np.asarray((lever * importance).sum(axis=-2) ** 2)


def _table(
    drivers: tuple[str, ...],
    waves: Waves,
    point: FloatArray,
    cloud: FloatArray,
    r2: FloatArray,
    level: float,
) -> pd.DataFrame:
    lower, upper = ends(cloud, level)
    count = len(drivers)
    return pd.DataFrame(
        {
            "driver": np.tile(drivers, len(waves.labels)),
            "wave": np.repeat(waves.labels, count),
            "respondents": np.repeat(waves.sizes, count),
            "importance": point.ravel(),
            "lower": lower.ravel(),
            "upper": upper.ravel(),
            "r2": np.repeat(r2, count),
        }
    )


def _changes(
    drivers: tuple[str, ...],
    point: FloatArray,
    cloud: FloatArray,
    p_values: FloatArray,
    level: float,
) -> pd.DataFrame:
    moved = cloud[:, -1] - cloud[:, 0]
    lower, upper = ends(moved, level)
    change = point[-1] - point[0]
    frame = pd.DataFrame(
        {
            "driver": drivers,
            "first": point[0],
            "last": point[-1],
            "change": change,
            "lower": lower,
            "upper": upper,
            "p_value": p_values,
            "detectable": POWER * moved.std(axis=0),
            "verdict": np.where(p_values <= 1 - level + 1e-12, "changed", "within chance"),
        }
    )
    return frame.iloc[np.argsort(-np.abs(change), kind="stable")].reset_index(drop=True)


def _notes(waves: Waves, against: str) -> Iterator[str]:
    if waves.without:
        yield f"{counted(waves.without, 'answer')} left out, since the wave is not known"
    yield from waves.persons.notes()
    if len(waves.labels) > 2 and against == "any":
        yield "the p values ask for any difference between waves, not for a steady trend"
