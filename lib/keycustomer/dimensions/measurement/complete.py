"""Complete answers: numbers without holes, on which correlations can be computed.

Who is counted when an item was not answered?  :func:`complete_answers` leaves incomplete
respondents out (`listwise`) or gives a hole the mean of its item (`mean`), counts either, and
refuses what no correlation can be computed from; :func:`item_correlations` gives the correlation
matrix and names items that determine each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.measurement.answers import FEWEST_RESPONDENTS
from keycustomer.stats.samples import FloatArray

Missing: TypeAlias = Literal["listwise", "mean"]

SINGULAR = 1e-10
"""Smallest eigenvalue of a correlation matrix below which items determine each other."""

INVOLVED = 1e-4
"""Weight of an item in what is constant, below which it is not named."""

LISTED = 12
"""Items a message names."""


@dataclass(frozen=True, eq=False)
class CompleteAnswers:
    """Answers without holes.

    Attributes
    ----------
    answers : DataFrame, shape (respondents, items)
        Floats, in the order of the table.
    excluded : int
        Respondents left out for missing answers.
    filled : int
        Missing answers that got the mean of their item.
    """

    answers: pd.DataFrame
    excluded: int
    filled: int

    @property
    def items(self) -> tuple[str, ...]:
        """Names of the items."""
        return tuple(self.answers.columns)

    @property
    def respondents(self) -> int:
        """Number of respondents that enter."""
        return len(self.answers)

    @property
    def values(self) -> FloatArray:
        """The answers as an array, shape (respondents, items)."""
        return self.answers.to_numpy(dtype=float)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out or filled, in words."""
        left, filled = counted(self.excluded, "respondent"), counted(self.filled, "missing answer")
        return (
            *([f"{left} left out for missing answers"] if self.excluded else []),
            *([f"{filled} replaced by the item's mean"] if self.filled else []),
        )


def complete_answers(
    answers: pd.DataFrame,
    items: Iterable[str] | None = None,
    *,
    missing: Missing = "listwise",
    least_items: int = 1,
) -> CompleteAnswers:
    """Take the answers to some items without holes.

    Parameters
    ----------
    answers : DataFrame
        Numbers, one row a respondent, one column an item, NaN where not answered.
    items : iterable of str, optional
        Columns to take; all of them when left out.
    missing : {"listwise", "mean"}
        Leave respondents with a missing answer out, or fill it with the mean of its item;
        respondents without any answer are left out in both.
    least_items : int
        Fewest items that make sense.

    Raises
    ------
    TypeError
        When the answers are no table.
    ValueError
        When items are not in the table, hold no numbers or never differ, or when fewer than ten
        respondents remain; all complaints about the items at once.
    """
    if missing not in get_args(Missing):
        raise ValueError(f"missing={missing!r}: 'listwise' or 'mean' is needed")
    table = _numeric(answers, items, least_items)
    given = table.dropna(how="all" if missing == "mean" else "any")
    _refuse_few(given, table)
    flat = [item for item in given.columns if not given[item].min() < given[item].max()]
    if flat:
        raise ValueError(
            f"items without differing answers: {_listed(flat)}, among the "
            f"{counted(len(given), 'respondent')} counted; they measure nothing, leave them out"
        )
    filled = int(given.isna().to_numpy().sum())
    return CompleteAnswers(given.fillna(given.mean()), len(table) - len(given), filled)


def _numeric(answers: pd.DataFrame, items: Iterable[str] | None, least: int) -> pd.DataFrame:
    """Take the columns as floats, or say what keeps them from it."""
    if not isinstance(answers, pd.DataFrame):
        raise TypeError(
            f"answers: a table is needed, one row a respondent, got {type(answers).__name__}; "
            "read_answers(...).answers is one"
        )
    names = list(answers.columns if items is None else [items] if isinstance(items, str) else items)
    lost = [name for name in names if name not in answers.columns]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    complaints = [
        *([f"not in the table: {_listed(lost)}"] if lost else []),
        *([f"named twice: {_listed(twice)}"] if twice else []),
        *([] if lost or twice else _no_numbers(answers[names])),
        *([f"{len(names)} given, at least {least} needed"] if len(names) < least else []),
    ]
    if complaints:
        raise ValueError(f"items {'; '.join(complaints)}")
    return answers[names].astype(float)


def _no_numbers(table: pd.DataFrame) -> list[str]:
    text = [name for name in table.columns if table[name].dtype.kind not in "iufb"]
    if text:
        return [f"without numbers: {_listed(text)} (read the survey by read_answers first)"]
    endless = [n for n in table.columns if np.isinf(table[n].to_numpy(float, na_value=0.0)).any()]
    return [f"with infinite answers: {_listed(endless)}"] if endless else []


def _refuse_few(given: pd.DataFrame, table: pd.DataFrame) -> None:
    if len(given) >= FEWEST_RESPONDENTS:
        return
    lost = len(table) - len(given)
    worst = table.isna().sum().sort_values(ascending=False).head(3)
    why = ", ".join(f"{item} ({n:,} missing)" for item, n in worst.items() if n)
    raise ValueError(
        f"answers: {counted(len(given), 'respondent')} can be counted, {lost:,} left out for "
        f"missing answers{f', most often {why}' if why else ''}; at least {FEWEST_RESPONDENTS} are "
        "needed: leave such items out, or give missing='mean'"
    )


def _listed(names: Sequence[object]) -> str:
    shown = ", ".join(repr(str(name)) for name in names[:LISTED])
    return shown + (", ..." if len(names) > LISTED else "")


def item_correlations(complete: CompleteAnswers) -> FloatArray:
    """Correlation matrix of complete answers.

    Parameters
    ----------
    complete : CompleteAnswers
        From :func:`complete_answers`.

    Returns
    -------
    ndarray, shape (items, items)

    Raises
    ------
    ValueError
        When items determine each other, so that the matrix has no inverse; they are named.
    """
    matrix = np.atleast_2d(np.corrcoef(complete.values, rowvar=False))
    refuse_singular(matrix, complete.items, complete.respondents)
    return matrix


def refuse_singular(
    matrix: FloatArray, items: Sequence[str], respondents: int | None = None
) -> None:
    """Refuse a correlation matrix without an inverse, naming the items at fault.

    Parameters
    ----------
    matrix : array, shape (items, items)
        Correlations.
    items : sequence of str
        Names of the items.
    respondents : int, optional
        How many answered, to tell too few respondents from items that repeat each other.

    Raises
    ------
    ValueError
        When the smallest eigenvalue is 0 up to rounding.
    """
    roots, vectors = np.linalg.eigh(matrix)
    if roots[0] > SINGULAR:
        return
    if respondents is not None and respondents <= len(items):
        raise ValueError(
            f"answers: {respondents:,} respondents are too few for {len(items)} items; "
            "more respondents than items are needed"
        )
    constant = np.abs(vectors[:, roots <= SINGULAR]).max(axis=1) > INVOLVED
    names = [str(item) for item, involved in zip(items, constant, strict=True) if involved]
    raise ValueError(
        f"answers: the items {_listed(names)} determine each other (one is a sum or a copy of "
        "the others); leave one of them out"
    )
