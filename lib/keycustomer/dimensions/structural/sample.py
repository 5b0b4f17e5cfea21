"""Answers as a model takes them: who answered, how the items vary together.

May these answers be described by their covariances?  :func:`read_sample` checks the items a model
names (numbers, known or left out, no constant, no item that others make up, enough respondents),
tells all complaints at once, and gives the covariance matrix that the model is fitted to.
Covariances are divided by the number of respondents, as maximum likelihood does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import pandas as pd

from keycustomer.customers.errors import quoted
from keycustomer.customers.rendering import counted
from keycustomer.dimensions.measurement.complete import Missing
from keycustomer.stats.samples import FloatArray

MADE_UP = 1e-10
"""Smallest eigenvalue of a correlation matrix below which items make up each other exactly."""

TAKES_PART = 0.1
"""Weight in that combination from which an item is named."""

SMALL = 100
"""Respondents below which the result says that intervals are rough."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Answers that a model is fitted to.

    Attributes
    ----------
    items : tuple of str
        Items in the model's order.
    index : Index
        Rows of the answers, all of them.
    used : ndarray of bool, shape (rows,)
        Which of them are respondents of the fit.
    centred : ndarray, shape (respondents, items)
        Their answers less the mean.
    means : ndarray, shape (items,)
        Mean answers.
    covariance : ndarray, shape (items, items)
        Covariances, divided by the number of respondents.
    filled : int
        Answers not given and filled with the item's mean.
    missing : {"listwise", "mean"}
        What became of gaps; who answered no item is left out in any case.
    """

    items: tuple[str, ...]
    index: pd.Index
    used: np.ndarray = field(repr=False)
    centred: FloatArray = field(repr=False)
    means: FloatArray = field(repr=False)
    covariance: FloatArray = field(repr=False)
    filled: int
    missing: Missing

    @property
    def respondents(self) -> int:
        """Respondents of the fit."""
        return len(self.centred)

    @property
    def excluded(self) -> int:
        """Respondents left out since they did not answer every item, or, under `mean`, none."""
        return int((~self.used).sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """Who was left out, what was filled, how small the sample is."""
        said = []
        if self.excluded:
            who = counted(self.excluded, "respondent")
            verb = "was" if self.excluded == 1 else "were"
            gap = "an item not answered" if self.missing == "listwise" else "no answer at all"
            said.append(f"{who} with {gap} {verb} left out.")
        if self.filled:
            what = counted(self.filled, "answer")
            said.append(f"{what} not given: filled with the item's mean, which weakens relations.")
        if self.respondents < SMALL:
            who = counted(self.respondents, "respondent")
            said.append(f"Only {who}: intervals and tests of fit are rough below {SMALL}.")
        return tuple(said)


def read_sample(
    answers: pd.DataFrame, items: Sequence[str], *, missing: Missing = "listwise"
) -> Sample:
    """Check the answers to a model's items and describe how they vary.

    Parameters
    ----------
    answers : DataFrame
        One row a respondent, one numeric column an item, NaN where not answered.
    items : sequence of str
        Items of the model; all are columns.
    missing : {"listwise", "mean"}
        What becomes of a respondent with gaps.

    Returns
    -------
    Sample

    Raises
    ------
    TypeError
        When the answers are no table or hold text.
    ValueError
        When items are infinite, constant, made up of each other, or too few respondents are
        left; all complaints at once.
    """
    if missing not in get_args(Missing):
        raise ValueError(
            f"missing={missing!r}: give 'listwise' (leave respondents with gaps out) or 'mean' "
            "(fill gaps with the item's mean)"
        )
    table = _table(answers, items)
    numbers = _numbers(table)
    gaps = np.isnan(numbers)
    if missing == "mean":
        numbers = _filled(numbers, gaps)
    # who answered nothing would be put at the mean of everything: no respondent at all
    used = np.asarray(~np.isnan(numbers).any(axis=1) & ~gaps.all(axis=1))
    filled = int(gaps[used].sum())
    _enough(items, gaps, int(used.sum()))
    kept = numbers[used]
    means = kept.mean(axis=0)
    centred = kept - means
    covariance = centred.T @ centred / len(centred)
    _varied(items, kept, covariance, len(centred))
    return Sample(tuple(items), table.index, used, centred, means, covariance, filled, missing)


def columns_of(answers: pd.DataFrame) -> list[str]:
    """Names of the columns of answers as a model's text names them: a column 1 is `1` there.

    Raises
    ------
    TypeError
        When the answers are no table.
    """
    if not isinstance(answers, pd.DataFrame):
        raise TypeError(
            f"answers must be a DataFrame with a column an item, got {type(answers).__name__}"
        )
    return [str(column) for column in answers.columns]


def _table(answers: pd.DataFrame, items: Sequence[str]) -> pd.DataFrame:
    names = columns_of(answers)
    twice = sorted({name for name in items if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"answers has more than one column called {', '.join(map(quoted, twice))}; rename or "
            "drop the others"
        )
    return answers.iloc[:, [names.index(item) for item in items]]


def _numbers(table: pd.DataFrame) -> FloatArray:
    told = [
        _not_numbers(str(name), table.iloc[:, i])
        for i, name in enumerate(table.columns)
        if table.dtypes.iloc[i].kind not in "biuf"
    ]
    if told:
        more = f"; and {counted(len(told) - 3, 'item')} more" if len(told) > 3 else ""
        raise TypeError(
            f"answers that are not numbers: {'; '.join(told[:3])}{more}. Cast them first, with "
            "read_answers(table, items), which also takes marks of missing answers"
        )
    numbers = table.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.isinf(numbers).any(axis=0)
    if infinite.any():
        names = ", ".join(quoted(n) for n, bad in zip(table, infinite, strict=True) if bad)
        raise ValueError(f"answers to {names} are infinite; look for a division by zero")
    return numbers


def _not_numbers(name: str, column: pd.Series) -> str:
    wrong = column[[not _is_number(value) for value in column]]
    if wrong.empty:
        return f"{quoted(name)} has the type {column.dtype}"
    shown = ", ".join(f"{quoted(v)} in row {i!r}" for i, v in wrong.head(3).items())
    return f"{quoted(name)} has {counted(len(wrong), 'answer')} such as {shown}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) or value is None or value is pd.NA


def _filled(numbers: FloatArray, gaps: np.ndarray) -> FloatArray:
    answered = (~gaps).sum(axis=0)
    totals = np.where(gaps, 0.0, numbers).sum(axis=0)
    means = totals / np.where(answered, answered, np.nan)
    return np.where(gaps, means, numbers)


def _enough(items: Sequence[str], gaps: np.ndarray, respondents: int) -> None:
    """Refuse fewer respondents than a covariance matrix needs."""
    if respondents > len(items) + 1:
        return
    empty = [quoted(name) for i, name in enumerate(items) if gaps[:, i].all()]
    if empty and len(gaps):
        raise ValueError(f"nobody answered {', '.join(empty)}; take these items out of the model")
    some = gaps.any(axis=1).sum()
    cure = (
        f"{counted(int(some), 'respondent')} left an item out: missing='mean' keeps them, or take "
        "the items with most gaps out of the model"
        if some
        else "ask more respondents or use fewer items"
    )
    raise ValueError(
        f"{counted(respondents, 'respondent')} answered all {len(items)} items; more than "
        f"{len(items) + 1} are needed, and some hundred for results to trust; {cure}"
    )


def _varied(
    items: Sequence[str], kept: FloatArray, covariance: FloatArray, respondents: int
) -> None:
    """Refuse items that never vary, or that other items make up."""
    constant = [i for i in range(len(items)) if kept[:, i].min() == kept[:, i].max()]
    if constant:
        said = ", ".join(f"{quoted(items[i])} (always {kept[0, i]:g})" for i in constant)
        raise ValueError(
            f"items that never vary among the {respondents:,} respondents: {said}; a constant is "
            "related to nothing, so take them out of the model"
        )
    spread = np.sqrt(np.diag(covariance))
    sizes, directions = np.linalg.eigh(covariance / np.outer(spread, spread))
    if sizes[0] < MADE_UP:
        weights = np.abs(directions[:, 0])
        names = [
            quoted(name)
            for name, weight in zip(items, weights / weights.max(), strict=True)
            if weight > TAKES_PART
        ]
        raise ValueError(
            f"the items {', '.join(names)} make each other up exactly (one is a copy, a sum or a "
            "mean of others); take one of them out of the model"
        )
