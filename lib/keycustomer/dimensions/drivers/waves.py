"""Waves of a survey: which answers belong to which wave, or to which window of time.

:func:`read_waves` takes the wave each respondent answered in, or cuts dates or numbers into
windows, and refuses waves too small for the drivers asked of them.  The rows of a respondent who
answered in several waves stay known as one person's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.complaints import refuse
from keycustomer.dimensions.drivers.scores import (
    DriverScores,
    IntArray,
    Persons,
    read_persons,
    unusable,
)
from keycustomer.stats.samples import FloatArray

Span: TypeAlias = Literal["month", "quarter", "year"]
Windows: TypeAlias = int | Span | None
"""A number of windows with equally many answers, a span of the calendar, or the waves as given."""

MOST_WAVES = 24
"""More waves than this are windows that were forgotten to be cut."""


@dataclass(frozen=True, eq=False)
class Waves:
    """Scores of respondents by wave.

    Attributes
    ----------
    labels : tuple of str
        The waves, in their order.
    values : ndarray, shape (answers, drivers + 1)
        Scores; the outcome is the last column.
    wave : ndarray of int, shape (answers,)
        Place of each row's wave in `labels`.
    persons : Persons
        Who gave each answer.
    without : int
        Answers left out since their wave is not known.
    """

    labels: tuple[str, ...]
    values: FloatArray
    wave: IntArray
    persons: Persons
    without: int

    @property
    def sizes(self) -> IntArray:
        """Answers in each wave."""
        return np.bincount(self.wave, minlength=len(self.labels))


def read_waves(
    answers: pd.DataFrame,
    scores: DriverScores,
    wave: str,
    *,
    windows: Windows = None,
    respondent: str | None = None,
) -> Waves:
    """Sort the scores into waves.

    Parameters
    ----------
    answers : DataFrame
        The table the scores were read from.
    scores : DriverScores
        Scores of the respondents used.
    wave : str
        Column with the wave (numbers, dates or names) of each row.
    windows : int or {"month", "quarter", "year"}, optional
        How to cut the column: into so many windows of about equally many answers (of dates or
        numbers; the same day is never cut), or by the calendar; left out, each value is a wave.
    respondent : str, optional
        Column that names the person, where a person may have answered in several waves.

    Returns
    -------
    Waves

    Raises
    ------
    ValueError
        With every complaint: columns not in the table, dates that cannot be read, fewer than two
        waves or too many, waves whose answers are too few, constant or collinear.
    """
    refuse(_wrong_waves(answers, wave, windows))
    column = answers[wave].iloc[scores.rows].reset_index(drop=True)
    known = column.notna().to_numpy()
    codes, labels = _cut(column[known].reset_index(drop=True), windows, wave)
    rows = scores.rows[known]
    persons = read_persons(answers, respondent, rows)
    found = Waves(labels, scores.values[known], codes, persons, int((~known).sum()))
    refuse(_unfit(found, scores, wave))
    return found


def _wrong_waves(answers: pd.DataFrame, wave: str, windows: Windows) -> Iterator[str]:
    if wave not in answers.columns:
        yield (
            f"wave={wave!r} is no column of the answers; columns are "
            f"{', '.join(map(repr, list(answers.columns)[:12]))}"
        )
    whole = isinstance(windows, int) and not isinstance(windows, bool) and windows >= 2
    if windows is not None and not whole and windows not in get_args(Span):
        yield (
            f"windows={windows!r}: a number of at least 2, or one of "
            f"{', '.join(map(repr, get_args(Span)))}"
        )


def _cut(column: pd.Series, windows: Windows, wave: str) -> tuple[IntArray, tuple[str, ...]]:
    """Give the number of each value's wave, and the waves' names in order."""
    if not len(column):
        raise ValueError(f"wave={wave!r}: no row says its wave")
    if isinstance(windows, str):
        periods = _dates(column, wave).dt.to_period(
            {"month": "M", "quarter": "Q", "year": "Y"}[windows]
        )
        codes, found = pd.factorize(periods, sort=True)
        return codes, tuple(map(str, found))
    values = _in_order(column, wave, needed=windows is not None)
    codes, found = pd.factorize(values, sort=True)
    if windows is None:
        return codes, tuple(_label(value) for value in found)
    counts = np.bincount(codes)
    # the middle of a value's answers decides its window, so that the same day is never cut
    middle = (np.cumsum(counts) - counts / 2) / counts.sum()
    window = np.minimum((middle * windows).astype(int), windows - 1)
    kept, window = np.unique(window, return_inverse=True)
    labels = [
        _span(found[np.flatnonzero(window == n)[0]], found[np.flatnonzero(window == n)[-1]])
        for n in range(len(kept))
    ]
    return window[codes], tuple(labels)


def _in_order(column: pd.Series, wave: str, *, needed: bool) -> pd.Series:
    """Values that sort as they should: numbers or dates, where they are any."""
    if column.dtype.kind in "iufM":
        return column
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().all():
        return numbers
    if needed or pd.to_datetime(column, errors="coerce", format="ISO8601").notna().all():
        return _dates(column, wave)
    return column.astype(str)


def _dates(column: pd.Series, wave: str) -> pd.Series:
    # a number would be read as nanoseconds since 1970
    texts = column.astype(str) if column.dtype.kind in "iuf" else column
    dates = pd.to_datetime(texts, errors="coerce", format="ISO8601")
    bad = column if column.dtype.kind in "iuf" else column[dates.isna()]
    if len(bad):
        raise ValueError(
            f"wave={wave!r}: {counted(len(bad), 'value')} cannot be read as a date, first "
            f"{', '.join(map(repr, bad.iloc[:3].tolist()))}; write dates as 2024-01-31"
        )
    return dates


def _label(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)


def _span(first: object, last: object) -> str:
    return _label(first) if first == last else f"{_label(first)} to {_label(last)}"


def _unfit(waves: Waves, scores: DriverScores, wave: str) -> Iterator[str]:
    count = len(waves.labels)
    if count < 2:
        yield f"wave={wave!r} holds one wave ({waves.labels[0]}); drift needs at least two"
    if count > MOST_WAVES:
        yield (
            f"wave={wave!r} holds {count:,} waves, at most {MOST_WAVES} can be compared; cut it by "
            "windows=4, or windows='quarter' for dates"
        )
        return
    names = (*scores.drivers, scores.outcome)
    for n, label in enumerate(waves.labels):
        own = waves.values[waves.wave == n]
        cure = "take fewer or longer windows, or fewer drivers"
        yield from (f"wave {label}: {said}" for said in unusable(own, names, 0, cure))
