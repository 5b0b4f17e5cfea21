"""Complete answers: numbers on which correlations can be computed.

Who is counted when an item was not answered?  :func:`complete_answers` leaves incomplete
respondents out (`listwise`) or lets a missing answer count as the mean of its item (`mean`),
counts either, and refuses what no correlation can be computed from; :func:`item_correlations`
gives the correlation matrix and names items that determine each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent
from keycustomer.dimensions.complaints import listed, refuse
from keycustomer.dimensions.measurement.answers import (
    FEWEST_RESPONDENTS,
    flat_complaints,
    item_complaints,
    number_complaints,
)
from keycustomer.stats.samples import FloatArray

Missing: TypeAlias = Literal["listwise", "mean"]
"""What is done about answers not given: leave the respondent out, or put the item's mean."""

SINGULAR = 1e-10
"""Smallest eigenvalue of a correlation matrix below which items determine each other."""

INVOLVED = 1e-4
"""Weight of an item in what is constant, below which it is not named."""

UNUSABLE = "the answers cannot be measured with"

MUCH_FILLED = 0.05
"""Share of an item's answers that are means from which on the notes warn of it."""


@dataclass(frozen=True, eq=False)
class CompleteAnswers:
    """Answers that can be measured with.

    Attributes
    ----------
    frame : DataFrame, shape (respondents, items)
        Floats; NaN only under `mean`, at answers that count as the item's mean, so that every
        resample can take a mean of its own.
    excluded : int
        Respondents left out: under `listwise` those with a missing answer, under `mean` those
        without any.
    filled : int
        Answers that count as the item's mean.
    notes : tuple of str
        What was left out or filled, in words.
    """

    frame: pd.DataFrame
    excluded: int
    filled: int
    notes: tuple[str, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """Names of the items."""
        return tuple(self.frame.columns)

    @property
    def respondents(self) -> int:
        """Number of respondents that enter."""
        return len(self.frame)

    @property
    def values(self) -> FloatArray:
        """The answers as an array with NaN where one is missing, (respondents, items)."""
        return self.frame.to_numpy(dtype=float)

    @property
    def whole(self) -> pd.DataFrame:
        """The answers with the item's mean where one is missing."""
        return self.frame.fillna(self.frame.mean())


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
        raise ValueError(f"missing={missing!r}: choose 'listwise' or 'mean'")
    table = _numeric(answers, items, least_items)
    _refuse_flat(table, UNUSABLE)
    given = table.dropna(how="all" if missing == "mean" else "any")
    _refuse_few(given, table)
    _refuse_flat(given, f"{UNUSABLE}, among the {len(given):,} respondents that can be counted")
    excluded, filled = len(table) - len(given), int(given.isna().to_numpy().sum())
    return CompleteAnswers(given, excluded, filled, tuple(_notes(given, excluded, missing)))


def _numeric(answers: pd.DataFrame, items: Iterable[str] | None, least: int) -> pd.DataFrame:
    """Take the columns as floats, or say what keeps them from it."""
    if not isinstance(answers, pd.DataFrame):
        raise TypeError(
            f"answers: a table is needed, one row a respondent, got {type(answers).__name__}; "
            "read_answers(...).answers is one"
        )
    names = list(answers.columns if items is None else [items] if isinstance(items, str) else items)
    complaints = item_complaints(answers, {}, names)
    if not complaints:
        complaints = [told for name in names for told in number_complaints(name, answers[name])]
    if names and len(names) < least:
        complaints.append(f"{counted(len(names), 'item')} given, at least {least} needed")
    refuse(complaints, UNUSABLE)
    return answers[names].astype(float)


def _refuse_flat(table: pd.DataFrame, heading: str) -> None:
    refuse((told for item in table for told in flat_complaints(str(item), table[item])), heading)


def _refuse_few(given: pd.DataFrame, table: pd.DataFrame) -> None:
    if len(given) >= FEWEST_RESPONDENTS:
        return
    lost = len(table) - len(given)
    worst = table.isna().sum().sort_values(ascending=False).head(3)
    why = ", ".join(f"{item} ({n:,} missing)" for item, n in worst.items() if n)
    left = f", {lost:,} left out for missing answers, most often {why}" if lost else ""
    cure = ": leave such items out, or give missing='mean'" if lost else ""
    raise ValueError(
        f"answers: {counted(len(given), 'respondent')} can be counted{left}; at least "
        f"{FEWEST_RESPONDENTS} are needed{cure}"
    )


def _notes(given: pd.DataFrame, excluded: int, missing: str) -> Iterator[str]:
    if excluded:
        why = "for missing answers" if missing == "listwise" else "without any answer"
        yield f"{counted(excluded, 'respondent')} left out {why}"
    share = given.isna().mean()
    if share.any():
        holes = int(given.isna().to_numpy().sum())
        yield f"{counted(holes, 'missing answer')} replaced by the item's mean"
    much = share[share > MUCH_FILLED]
    if len(much):
        worst = ", ".join(f"{item} ({percent(part, 0)})" for item, part in much.items())
        yield f"so many answers are means that correlations come out too small: {worst}"


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
    matrix = np.atleast_2d(np.corrcoef(complete.whole, rowvar=False))
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
        f"answers: the items {listed(names)} determine each other (one is a sum or a copy of "
        "the others); leave one of them out"
    )
