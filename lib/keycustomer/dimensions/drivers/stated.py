"""Stated against derived importance: what customers say matters, and what satisfaction hangs on.

Asked outright, customers call nearly everything important; what their satisfaction goes with can
be another thing.  :func:`stated_against_derived` sets the mean stated importance of each attribute
against its derived importance (LMG, a share of what all drivers explain) and reads off four kinds:
*said and felt*, *said, not felt* (a basic that is taken for granted, or a polite answer), *felt,
not said* (a hidden driver) and *neither*.  Borders are the means over the attributes, and the
resamples tell how sure each reading is.

A basic that everybody delivers hardly varies, and what does not vary explains nothing: low
derived importance does not say that it could be dropped.

Sources: Kotler & Keller, "Marketing Management", chapter 1, for stated and real needs; Gustafsson &
Johnson, Managing Service Quality 14, 2004, for stated and derived importance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.dimensions.drivers.importance import (
    NAMES,
    Method,
    choose_method,
    ends,
    importance_by,
    ranks_of,
    shares_of,
)
from keycustomer.dimensions.drivers.scores import (
    Drivers,
    DriverScores,
    Missing,
    Outcome,
    WeightedMoments,
    read_persons,
    read_scores,
)
from keycustomer.dimensions.measurement.answers import column_complaints
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

SAID_AND_FELT, SAID, FELT, NEITHER = (
    "said and felt",
    "said, not felt",
    "felt, not said",
    "neither",
)
READINGS = (SAID_AND_FELT, SAID, FELT, NEITHER)
"""Kinds of attribute by stated and derived importance, above or below their means."""

FEWEST = 3
"""Fewest attributes whose two orders can be compared."""


@dataclass(frozen=True, eq=False)
class StatedDerived:
    """Stated against derived importance of attributes.

    Attributes
    ----------
    outcome, method : str
        What is driven, and how derived importance was measured.
    respondents : int
        Respondents used.
    frame : DataFrame
        One row an attribute, the largest derived importance first: `driver`, `stated` (mean of the
        stated importance) with `stated_lower` and `stated_upper`, `stated_rank`, `answers` (who
        stated one), `derived` (share of what is explained) with its ends, `derived_rank`,
        `reading`, `certainty` (resamples with the same reading).
    agreement : Estimate
        Spearman's rank correlation of the two orders.
    undifferentiated : float
        Share of the respondents who state the same importance for all attributes.
    stated_border, derived_border : float
        Where the readings meet: the means over the attributes.
    level : float
        Confidence level of all intervals.
    notes : tuple of str
        What a reader must know.
    """

    outcome: str
    method: str
    respondents: int
    frame: pd.DataFrame
    agreement: Estimate
    undifferentiated: float
    stated_border: float
    derived_border: float
    level: float
    notes: tuple[str, ...]

    def of_reading(self, reading: str) -> list[str]:
        """Attributes with a reading, the largest derived importance first.

        Raises
        ------
        ValueError
            When there is no such reading.
        """
        if reading not in READINGS:
            raise ValueError(f"reading={reading!r}: one of {', '.join(map(repr, READINGS))}")
        return self.frame.loc[self.frame["reading"] == reading, "driver"].tolist()

    @property
    def sentences(self) -> list[str]:
        """Say how far the two orders agree, and what is felt but not said and the reverse."""
        hidden, polite = self.of_reading(FELT), self.of_reading(SAID)
        return [
            f"The orders of stated and derived importance correlate {self.agreement}; "
            f"{percent(self.undifferentiated, 0)} of the respondents state the same importance "
            "for everything.",
            f"Felt, not said: {', '.join(hidden) or 'none'}.",
            f"Said, not felt: {', '.join(polite) or 'none'}.",
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return the table of the attributes."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame[["driver", "stated", "derived", "reading", "certainty"]].copy()
        for column in ("derived", "certainty"):
            shown[column] = [percent(value, 0) for value in self.frame[column]]
        title = f"Stated and derived importance for {self.outcome}"
        return report_html(title, [*self.sentences, *self.notes], {"Attributes": shown})


def stated_against_derived(
    answers: pd.DataFrame,
    outcome: Outcome,
    drivers: Drivers,
    stated: Mapping[str, str],
    *,
    method: Method = "auto",
    missing: Missing = "listwise",
    respondent: str | None = None,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> StatedDerived:
    """Compare what customers call important with what the outcome hangs on.

    Parameters
    ----------
    answers, outcome, drivers, method, missing, respondent
        As in :func:`~keycustomer.dimensions.drivers.importance.relative_importance`.
    stated : mapping of driver to column
        Column with the stated importance of each driver, such as
        ``{"functional_quality": "importance_quality"}``.  Drivers without one help to explain the
        outcome and are not compared.  Stated answers not given are left out one by one.
    draws, seed, level
        Bootstrap of respondents for the intervals.
    progress : callable, optional
        Called as ``progress(done, draws)`` when the work takes more than two seconds.

    Returns
    -------
    StatedDerived

    Raises
    ------
    ValueError
        As `relative_importance`; when stated importance belongs to no driver, its column is not in
        the table or holds no numbers, or fewer than three drivers have one.
    """
    checked_level(level)
    scores = read_scores(answers, outcome, drivers, missing=missing)
    chosen = choose_method(method, len(scores.drivers))
    refuse(_complaints(answers, scores, stated))
    compared = [k for k, driver in enumerate(scores.drivers) if driver in stated]
    said = answers[[stated[scores.drivers[k]] for k in compared]].to_numpy(float, na_value=np.nan)
    said = said[scores.rows]
    moments, known = WeightedMoments(scores.values), ~np.isnan(said)
    refuse(_unstated(known, [scores.drivers[k] for k in compared]))
    persons = read_persons(answers, respondent, scores.rows)

    def statistics(drawn: FloatArray) -> FloatArray:
        weights = persons.spread(drawn)
        derived = shares_of(importance_by(chosen, moments(weights)))[:, compared]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.hstack([(weights @ np.where(known, said, 0)) / (weights @ known), derived])

    cloud = bootstrap(statistics, np.ones(persons.count), draws=draws, seed=seed, progress=progress)
    point = statistics(np.ones((1, persons.count)))
    names = tuple(scores.drivers[k] for k in compared)
    frame = _table(names, point, cloud, known.sum(axis=0), level)
    stated_border, derived_border = (float(part.mean()) for part in np.split(point[0], 2))
    same = known.all(axis=1) & (np.ptp(said, axis=1) == 0)
    return StatedDerived(
        scores.outcome,
        NAMES[chosen],
        scores.respondents,
        frame,
        _agreement(point, cloud, scores.respondents, level),
        float(same.mean()),
        stated_border,
        derived_border,
        level,
        (*scores.notes, *persons.notes(), *_notes(scores, stated, known, names)),
    )


def _complaints(
    answers: pd.DataFrame, scores: DriverScores, stated: Mapping[str, str]
) -> Iterator[str]:
    if not isinstance(stated, Mapping):
        yield (
            f"stated={stated!r}: a mapping is needed, such as "
            f"{{{scores.drivers[0]!r}: column of its stated importance}}"
        )
        return
    unknown = [driver for driver in stated if driver not in scores.drivers]
    if unknown:
        yield (
            f"stated importance of {', '.join(map(repr, unknown))}, which is no driver; drivers "
            f"are {', '.join(map(repr, scores.drivers))}"
        )
    if len(stated) - len(unknown) < FEWEST:
        yield f"stated importance of at least {FEWEST} drivers is needed to compare two orders"
    for column in stated.values():
        yield from column_complaints(answers, column)


def _unstated(known: np.ndarray, names: list[str]) -> Iterator[str]:
    for name, count in zip(names, known.sum(axis=0), strict=True):
        if count < 2:
            yield f"{counted(int(count), 'answer')} on the stated importance of {name!r}"


def _table(
    names: tuple[str, ...], point: FloatArray, cloud: FloatArray, answers: Any, level: float
) -> pd.DataFrame:
    stated, derived = np.split(point[0], 2)
    readings = _readings(point)[0]
    lower, upper = ends(cloud, level)
    k = len(names)
    frame = pd.DataFrame(
        {
            "driver": names,
            "stated": stated,
            "stated_lower": lower[:k],
            "stated_upper": upper[:k],
            "stated_rank": ranks_of(stated[None])[0],
            "answers": answers,
            "derived": derived,
            "derived_lower": lower[k:],
            "derived_upper": upper[k:],
            "derived_rank": ranks_of(derived[None])[0],
            "reading": [READINGS[code] for code in readings],
            "certainty": (_readings(cloud) == readings).mean(axis=0),
        }
    )
    return frame.sort_values("derived_rank", ignore_index=True)


def _readings(statistics: FloatArray) -> np.ndarray:
    """Places in `READINGS`, by row and attribute."""
    above = [part >= part.mean(axis=1, keepdims=True) for part in np.split(statistics, 2, axis=1)]
    return 2 * (~above[0]).astype(int) + (~above[1]).astype(int)


def _agreement(point: FloatArray, cloud: FloatArray, n: int, level: float) -> Estimate:
    return bootstrap_estimate(
        float(_spearman(point)[0]), _spearman(cloud), unit="rank correlation", n=n, level=level
    )


def _spearman(statistics: FloatArray) -> FloatArray:
    """Rank correlation of the two halves of each row; NaN where one half is all ties."""
    from scipy.stats import rankdata

    centred = [
        ranks - ranks.mean(axis=1, keepdims=True)
        for ranks in (rankdata(part, axis=1) for part in np.split(statistics, 2, axis=1))
    ]
    scale = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    together = (centred[0] * centred[1]).sum(axis=1)
    return np.divide(together, scale, out=np.full(len(scale), np.nan), where=scale > 0)


def _notes(
    scores: DriverScores, stated: Mapping[str, str], known: np.ndarray, names: tuple[str, ...]
) -> Iterator[str]:
    gaps = int((~known).sum())
    if gaps:
        yield f"{counted(gaps, 'stated importance', 'stated importances')} not given, left out"
    others = [driver for driver in scores.drivers if driver not in stated]
    if others:
        yield (
            f"no stated importance for {', '.join(others)}: these explain {scores.outcome} too, "
            "but are not compared"
        )
    spread = dict(zip(scores.drivers, scores.values[:, :-1].std(axis=0), strict=True))
    typical = float(np.median(list(spread.values())))
    still = [name for name in names if spread[name] < typical / 2]
    if still:
        yield (
            f"answers on {', '.join(still)} vary less than half as much as is usual here: derived "
            "importance cannot show what hardly varies"
        )
