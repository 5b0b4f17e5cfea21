"""Answers on drivers and on what they drive: read, checked, and correlated under any weights.

Which respondents can a driver analysis use, and are their answers fit for one?
:func:`read_scores` takes a table of answers and returns :class:`DriverScores`, or says everything
that stands in the way at once: columns that are missing or hold no numbers, answers that are all
the same, drivers that are sums of each other.  :class:`WeightedMoments` gives the means and
correlations of many bootstrap resamples in one product of matrices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.complaints import refuse
from keycustomer.dimensions.measurement.answers import column_complaints
from keycustomer.stats.samples import FloatArray

Drivers: TypeAlias = Sequence[str] | Mapping[str, Sequence[str]]
"""Columns, or constructs with their items; a construct's score is the mean of its items."""

Outcome: TypeAlias = str | Mapping[str, Sequence[str]]
"""A column, or one construct with its items."""

Missing: TypeAlias = Literal["listwise", "available", "mean"]
"""What is done about answers not given: leave the respondent out, take the mean of the items of the
construct that the respondent did answer, or put the item's mean over all respondents."""

STANDS_FOR = {
    "available": "the mean of the same person's other items of the construct stands for them",
    "mean": "the item's mean stands for them",
}

IntArray: TypeAlias = npt.NDArray[np.intp]

COLLINEAR = 1e-9
"""Share of a driver's variance that the drivers before it must leave; less is rounding."""

CONSTANT = 1e-12
"""Standard deviation, relative to the largest value, below which answers are all the same."""

FEW_A_DRIVER = 10
"""Respondents a driver below which results are called rough."""

FEWEST_PERSONS = 10
"""Persons behind repeated answers below which drawing them shows nothing."""


@dataclass(frozen=True, eq=False)
class DriverScores:
    """Scores of the respondents that a driver analysis uses.

    Attributes
    ----------
    outcome : str
        What is driven.
    drivers : tuple of str
        The drivers, in the order given.
    values : ndarray, shape (respondents, drivers + 1)
        Scores in the units of the answers; the outcome is the last column.
    rows : ndarray of int, shape (respondents,)
        Places of these respondents in the table given.
    excluded : int
        Respondents left out for answers not given.
    filled : int
        Answers not given that a mean stands for.
    notes : tuple of str
        What a reader must know about these scores.
    """

    outcome: str
    drivers: tuple[str, ...]
    values: FloatArray
    rows: IntArray
    excluded: int
    filled: int
    notes: tuple[str, ...]

    @property
    def respondents(self) -> int:
        """Number of respondents used."""
        return len(self.values)

    @property
    def means(self) -> FloatArray:
        """Mean score of each driver."""
        return np.asarray(self.values[:, :-1].mean(axis=0))


def read_scores(
    answers: pd.DataFrame,
    outcome: Outcome,
    drivers: Drivers,
    *,
    missing: Missing = "listwise",
) -> DriverScores:
    """Scores of drivers and outcome, one row a respondent.

    Parameters
    ----------
    answers : DataFrame
        Numbers, one row a respondent, one column an item, NaN where not answered.
    outcome : str or mapping of one construct to its items
        What is driven, such as ``"satisfaction_overall"`` or ``{"Satisfaction": [...]}``.
    drivers : sequence of str, or mapping of construct to items
        What may drive it; the score of a construct is the mean of its items.
    missing : {"listwise", "available", "mean"}
        Leave out respondents who did not answer everything used; or take the mean of the items of
        a construct that were answered, and leave out who answered none of one; or put the item's
        mean over all respondents.

    Returns
    -------
    DriverScores

    Raises
    ------
    TypeError
        When `drivers` is one text or `answers` is no table.
    ValueError
        With every complaint: columns not in the table (and what was perhaps meant), answers that
        are no numbers or not finite (first rows), an outcome among its own drivers, constant
        answers, too few respondents, perfectly collinear drivers (named).
    """
    parts, target, items = _named(answers, outcome, drivers)
    refuse(_complaints(answers, parts, target, items, missing))
    numbers = answers[items].to_numpy(dtype=np.float64, na_value=np.nan)
    places = {item: n for n, item in enumerate(items)}
    blocks = [numbers[:, [places[item] for item in used]] for used in parts.values()]
    rows, filled, values = _scored(blocks, missing)
    names = tuple(parts)[:-1]
    refuse(unusable(values, (*names, target), len(answers) - len(rows)))
    excluded = len(answers) - len(rows)
    notes = tuple(_notes(len(rows), len(names), excluded, filled, missing))
    return DriverScores(target, names, values, rows, excluded, filled, notes)


def _named(
    answers: pd.DataFrame, outcome: Outcome, drivers: Drivers
) -> tuple[dict[str, list[str]], str, list[str]]:
    """Items of each driver and, last, of the outcome; the outcome's name; all items."""
    if not isinstance(answers, pd.DataFrame):
        raise TypeError(f"answers must be a DataFrame, got {type(answers).__name__}")
    if isinstance(drivers, str):
        raise TypeError(f"drivers={drivers!r} is one text; give a list, such as [{drivers!r}]")
    given = drivers if isinstance(drivers, Mapping) else {name: [name] for name in drivers}
    if not given or len(given) < len(drivers):
        raise ValueError(f"drivers={list(drivers)!r}: at least one is needed, none of them twice")
    driven = outcome if isinstance(outcome, Mapping) else {outcome: [outcome]}
    if len(driven) != 1:
        raise ValueError(f"outcome={outcome!r}: one construct with its items is needed")
    ((target, own),) = driven.items()
    if target in given:
        raise ValueError(f"outcome={target!r} is among its own drivers; take it out of `drivers`")
    parts = {name: list(items) for name, items in given.items()} | {str(target): list(own)}
    return parts, str(target), list(dict.fromkeys(i for items in parts.values() for i in items))


def _complaints(
    answers: pd.DataFrame,
    parts: Mapping[str, list[str]],
    target: str,
    items: list[str],
    missing: str,
) -> Iterator[str]:
    if missing not in get_args(Missing):
        yield f"missing={missing!r}: one of {', '.join(map(repr, get_args(Missing)))}"
    yield from (f"{name!r} has no items" for name, used in parts.items() if not used)
    driving = {item for name, used in parts.items() if name != target for item in used}
    yield from (
        f"item {item!r} is part of the outcome and of a driver; leave it out of one of them"
        for item in parts[target]
        if item in driving
    )
    for item in items:
        yield from column_complaints(answers, item)


def _scored(blocks: list[FloatArray], missing: str) -> tuple[IntArray, int, FloatArray]:
    """Rows used, answers that something else stands for, and the mean of each block of items."""
    gaps = [np.isnan(block) for block in blocks]
    if missing == "listwise":
        without = np.any([gap.any(axis=1) for gap in gaps], axis=0)
    elif missing == "available":
        without = np.any([gap.all(axis=1) for gap in gaps], axis=0)
    else:
        # who answered nothing would be put at the mean of everything: no respondent at all
        without = np.all([gap.all(axis=1) for gap in gaps], axis=0)
        blocks = [_by_item_means(block) for block in blocks]
    rows = np.flatnonzero(~without)
    filled = sum(int(gap[rows].sum()) for gap in gaps)
    means = [np.nanmean(block[rows], axis=1) if len(rows) else np.empty(0) for block in blocks]
    return rows, filled, np.column_stack(means)


def _by_item_means(block: FloatArray) -> FloatArray:
    return np.where(np.isnan(block), np.nanmean(block, axis=0), block)


def unusable(
    values: FloatArray, names: tuple[str, ...], excluded: int, cure: str = "take fewer drivers"
) -> Iterator[str]:
    """Say why scores cannot be used: too few, the same from everybody, collinear.

    Parameters
    ----------
    values : ndarray, shape (respondents, columns)
        Scores, the outcome last.
    names : tuple of str
        Their names.
    excluded : int
        Respondents left out before.
    cure : str
        What to do about too few.
    """
    n, p = len(values), values.shape[1] - 1
    if n < p + 3:
        left = f" ({counted(excluded, 'more')} left out for answers not given)" if excluded else ""
        yield (
            f"{counted(n, 'respondent')}{left} for {counted(p, 'driver')}: at least {p + 3} are "
            f"needed; {cure}, or missing='available' where constructs have several items"
        )
        return
    spread = values.std(axis=0)
    flat = spread <= CONSTANT * np.maximum(np.abs(values).max(axis=0), 1)
    if flat.any():
        told = ", ".join(f"{names[k]!r} (always {values[0, k]:g})" for k in np.flatnonzero(flat))
        yield f"the same answer from everybody: {told}; what never differs drives nothing"
        return
    standard = (values - values.mean(axis=0)) / spread
    for sentence in _collinear(standard[:, :-1], names[:-1]):
        yield f"perfectly collinear drivers: {sentence}; leave one of them out"


def _collinear(standard: FloatArray, names: tuple[str, ...]) -> Iterator[str]:
    """Name each driver that those before it determine, and which of them do."""
    kept: list[int] = []
    for k, column in enumerate(standard.T):
        slope, *_ = np.linalg.lstsq(standard[:, kept], column, rcond=None)
        rest = column - standard[:, kept] @ slope
        if kept and float(rest @ rest) < COLLINEAR * len(column):
            by = [names[j] for j, b in zip(kept, slope, strict=True) if abs(b) > COLLINEAR**0.5]
            yield f"{names[k]!r} follows from {', '.join(map(repr, by))}"
        else:
            kept.append(k)


def _notes(n: int, drivers: int, excluded: int, filled: int, missing: str) -> Iterator[str]:
    if excluded:
        yield (
            f"{counted(excluded, 'respondent')} of {n + excluded:,} left out for answers not given"
        )
    if filled:
        yield f"{counted(filled, 'answer')} not given: {STANDS_FOR[missing]}"
    if n < FEW_A_DRIVER * drivers:
        yield (
            f"{counted(n, 'respondent')} for {counted(drivers, 'driver')}: fewer than "
            f"{FEW_A_DRIVER} a driver, so importance is rough and biased upward"
        )


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of scores under rows of weights.

    Attributes
    ----------
    means, deviations : ndarray, shape (rows, columns)
        Means and standard deviations, in the units of the answers.
    correlations : ndarray, shape (rows, columns, columns)
        A column that does not vary under a row of weights correlates 0 with every other.
    """

    means: FloatArray
    deviations: FloatArray
    correlations: FloatArray

    @property
    def betas(self) -> FloatArray:
        """Standardised regression coefficients of the last column, shape (rows, columns - 1)."""
        among = np.linalg.pinv(self.correlations[:, :-1, :-1], rcond=1e-10, hermitian=True)
        return np.asarray((among @ self.correlations[:, :-1, -1:])[..., 0])

    @property
    def coefficients(self) -> FloatArray:
        """Regression coefficients in units of the answers, shape (rows, columns - 1)."""
        spread, outcome = self.deviations[:, :-1], self.deviations[:, -1:]
        ratio = np.divide(outcome, spread, out=np.zeros_like(spread), where=spread > 0)
        return self.betas * ratio


@dataclass(frozen=True, eq=False)
class Persons:
    """Who gave each answer, for resamples of whole persons.

    Attributes
    ----------
    codes : ndarray of int, shape (answers,)
        Number of the person behind each row.
    count : int
        Number of persons.
    """

    codes: IntArray
    count: int

    @property
    def repeated(self) -> bool:
        """Whether some persons answered more than once."""
        return self.count < len(self.codes)

    def spread(self, weights: FloatArray) -> FloatArray:
        """Weights of answers, for weights of persons of shape (draws, persons)."""
        return weights[:, self.codes] if self.repeated else weights

    def notes(self) -> Iterator[str]:
        """Say that persons answered repeatedly, where they did."""
        if self.repeated:
            yield (
                f"{counted(len(self.codes), 'answer')} of {counted(self.count, 'person')}: drawn "
                "as whole persons"
            )


def read_persons(answers: pd.DataFrame, respondent: str | None, rows: IntArray) -> Persons:
    """Tell who gave the answers in some rows.

    Parameters
    ----------
    answers : DataFrame
        The table of answers.
    respondent : str, optional
        Column that names the person; left out, every row is a person of its own, as is a row
        whose person is not known.
    rows : ndarray of int
        Places of the rows.

    Raises
    ------
    ValueError
        When there is no such column, or it names too few persons to draw from.
    """
    if respondent is None:
        return Persons(np.arange(len(rows)), len(rows))
    if respondent not in answers.columns:
        raise ValueError(
            f"respondent={respondent!r} is no column of the answers; columns are "
            f"{', '.join(map(repr, list(answers.columns)[:12]))}"
        )
    named = answers[respondent].iloc[rows]
    codes, known = pd.factorize(named)
    # in the order of the rows, so that a table without repetition draws as one without names
    unknown = codes < 0
    codes[unknown] = len(known) + np.arange(unknown.sum())
    codes, found = pd.factorize(codes)
    if len(found) < min(FEWEST_PERSONS, len(rows)):
        raise ValueError(
            f"respondent={respondent!r} names {counted(len(found), 'person')} behind "
            f"{counted(len(rows), 'answer')}: intervals come from drawing persons, at least "
            f"{FEWEST_PERSONS} are needed; give the column that tells one person from another"
        )
    return Persons(codes, len(found))


class WeightedMoments:
    """Means and correlations of respondents, each counted any number of times."""

    def __init__(self, values: FloatArray) -> None:
        self.centre, spread = values.mean(axis=0), values.std(axis=0)
        self.scale = np.where(spread > 0, spread, 1)
        # standardised, so that weighted moments lose no digits to large means
        self.values = (values - self.centre) / self.scale
        self.upper = np.triu_indices(values.shape[1])
        self.products = self.values[:, self.upper[0]] * self.values[:, self.upper[1]]

    @property
    def respondents(self) -> int:
        """Number of respondents."""
        return len(self.values)

    def plain(self) -> Moments:
        """Moments with every respondent counted once, one row."""
        return self(np.ones((1, self.respondents)))

    def __call__(self, weights: FloatArray) -> Moments:
        """Moments for weights of shape (rows, respondents)."""
        total = weights.sum(axis=1, keepdims=True)
        means = (weights @ self.values) / total
        moments = (weights @ self.products) / total
        moments -= means[:, self.upper[0]] * means[:, self.upper[1]]
        size = means.shape[1]
        matrices = np.empty((len(weights), size, size))
        matrices[:, self.upper[0], self.upper[1]] = moments
        matrices[:, self.upper[1], self.upper[0]] = moments
        deviations, correlations = _standardised(matrices)
        return Moments(means * self.scale + self.centre, deviations * self.scale, correlations)


def _standardised(covariances: FloatArray) -> tuple[FloatArray, FloatArray]:
    variance = np.diagonal(covariances, axis1=1, axis2=2)
    varies = variance > CONSTANT
    deviations = np.sqrt(np.where(varies, variance, 0))
    factor = np.where(varies, 1 / np.where(varies, deviations, 1), 0)
    correlations = covariances * factor[:, :, None] * factor[:, None, :]
    diagonal = np.arange(variance.shape[1])
    correlations[:, diagonal, diagonal] = 1
    return deviations, correlations
