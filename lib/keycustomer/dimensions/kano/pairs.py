"""The pairs of Kano answers in a survey table, checked once for all methods.

:func:`read_pairs` finds the two columns of each attribute, refuses what is no answer from 1 to 5
with every complaint at once, and splits the respondents into groups.  A respondent who left one of
the two questions open counts for no class of that attribute; how many did is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.dimensions.complaints import did_you_mean

WITH, WITHOUT = "kano_with_", "kano_without_"
"""How the columns of the two questions begin; the attribute's name follows."""

EVERYBODY = ""
"""Name of the group of all respondents."""

EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class KanoPairs:
    """Answers to both questions on every attribute.

    Attributes
    ----------
    attributes : tuple of str
        The attributes.
    functional, dysfunctional : DataFrame, shape (respondents, attributes)
        Answers 1 to 5, NaN where not answered.
    groups : dict of str to array of bool
        Who belongs to each group: all respondents first, under the empty name.
    without_group : int
        Respondents whose group is not known.
    """

    attributes: tuple[str, ...]
    functional: pd.DataFrame
    dysfunctional: pd.DataFrame
    groups: dict[str, npt.NDArray[np.bool_]]
    without_group: int

    def complete(
        self, attribute: str, group: str
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Both answers of those of a group who gave both."""
        both = np.column_stack([self.functional[attribute], self.dysfunctional[attribute]])
        kept = both[self.groups[group] & ~np.isnan(both).any(axis=1)]
        return kept[:, 0], kept[:, 1]

    def cells(self) -> Iterator[tuple[str, str]]:
        """Every group and attribute, all respondents first."""
        return ((group, attribute) for group in self.groups for attribute in self.attributes)

    def excluded(self) -> pd.DataFrame:
        """Respondents not counted, by attribute: what (`one answer`, `no answer`), respondents."""
        first, second = self.functional.isna(), self.dysfunctional.isna()
        counts = {"one answer": (first ^ second).sum(), "no answer": (first & second).sum()}
        frame = pd.DataFrame(counts).rename_axis("attribute").reset_index()
        long = frame.melt("attribute", var_name="what", value_name="respondents")
        return long[long["respondents"] > 0].reset_index(drop=True)


def read_pairs(
    answers: pd.DataFrame,
    attributes: Sequence[str] | None,
    functional: str,
    dysfunctional: str,
    by: str | None,
) -> KanoPairs:
    """Read the Kano questions of a survey table.

    Parameters
    ----------
    answers : DataFrame
        One row a respondent; numbers, NaN where not answered.
    attributes : sequence of str or None
        The attributes; None takes all that have both columns.
    functional, dysfunctional : str
        How the columns of the functional and dysfunctional question begin.
    by : str or None
        Column of groups.

    Raises
    ------
    TypeError
        When `answers` is no table, or `attributes` a single text.
    ValueError
        With every complaint: no attribute, columns missing, answers outside 1 to 5 or no numbers,
        an attribute nobody answered, groups without a member.
    """
    if not isinstance(answers, pd.DataFrame):
        raise TypeError(f"answers: a pandas DataFrame is needed, got {type(answers).__name__}")
    if isinstance(attributes, str):
        raise TypeError(f"attributes is a list of names, such as [{attributes!r}]")
    names = tuple(_found(answers, functional, dysfunctional) if attributes is None else attributes)
    complaints = list(_missing(answers, names, functional, dysfunctional, by))
    if not complaints:
        columns = [prefix + name for name in names for prefix in (functional, dysfunctional)]
        complaints = [told for column in columns for told in _no_answers(answers[column])]
    if complaints:
        raise ValueError("\n".join(f"answers: {complaint}" for complaint in complaints))
    groups, unknown = _groups(answers, by)
    first, second = (
        answers[[prefix + name for name in names]].astype(float).set_axis(list(names), axis=1)
        for prefix in (functional, dysfunctional)
    )
    return KanoPairs(names, first, second, groups, unknown)


def _found(answers: pd.DataFrame, functional: str, dysfunctional: str) -> list[str]:
    starts = [
        str(c).removeprefix(functional) for c in answers.columns if str(c).startswith(functional)
    ]
    return [name for name in starts if dysfunctional + name in answers.columns]


def _missing(
    answers: pd.DataFrame, names: Sequence[str], functional: str, dysfunctional: str, by: str | None
) -> Iterator[str]:
    if not names:
        yield (
            f"no attribute has both columns {functional}<name> and {dysfunctional}<name>; name "
            "the attributes, or how their columns begin by functional= and dysfunctional="
        )
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        yield f"attributes named twice: {', '.join(repeated)}"
    wanted = [prefix + name for name in names for prefix in (functional, dysfunctional)]
    known = [str(column) for column in answers.columns]
    for column in [*wanted, *([] if by is None else [by])]:
        if column not in known:
            yield f"column {column!r} is missing{did_you_mean(column, known, 1)}"
        elif known.count(column) > 1:
            yield f"column {column!r} stands in the table {known.count(column)} times"


def _no_answers(column: pd.Series) -> Iterator[str]:
    if column.dtype.kind not in "iuf":
        yield (
            f"column {column.name!r} holds {column.dtype} values, not numbers; read the survey "
            "with keycustomer.dimensions.read_answers(..., low=1, high=5) first"
        )
        return
    wrong = column.notna() & ~column.isin(range(1, 6))
    if wrong.any():
        rows = ", ".join(
            f"{value:g} (row {row!r})" for row, value in column[wrong].head(EXAMPLES).items()
        )
        yield (
            f"column {column.name!r} has {int(wrong.sum())} answers that are none of 1 (like), "
            f"2 (must-be), 3 (neutral), 4 (live with), 5 (dislike), first {rows}; turn marks such "
            "as 9 or -99 for 'no answer' into NaN"
        )
    if not column.notna().any():
        yield f"column {column.name!r} was answered by nobody"


def _groups(answers: pd.DataFrame, by: str | None) -> tuple[dict[str, npt.NDArray[np.bool_]], int]:
    everybody = {EVERYBODY: np.ones(len(answers), dtype=bool)}
    if by is None:
        return everybody, 0
    known = answers[by].notna().to_numpy()
    names = answers[by].astype(str).to_numpy()
    members = {name: known & (names == name) for name in sorted(set(names[known]))}
    if EVERYBODY in members:
        raise ValueError(f"answers: column {by!r} holds an empty name; a group needs a name")
    return everybody | members, int((~known).sum())
