"""What can be wrong with choice tasks, and which tasks it is about.

:func:`complaints_about` looks for tasks without exactly one choice, with a lonely or repeated
alternative, or with values that are not known; :func:`left_out` counts them by the first of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Complaint:
    """What is wrong, and with which tasks.

    Attributes
    ----------
    what : str
        In words.
    tasks : ndarray of int
        Codes of the tasks, ascending.
    """

    what: str
    tasks: IntArray

    def told(self, rows: pd.DataFrame, task: IntArray) -> str:
        """Count the tasks and name the first: ``2 tasks (respondent K1 task 3, ...)``."""
        first = rows.iloc[np.searchsorted(task, self.tasks[:3])]
        names = [
            f"respondent {who} task {what}"
            for who, what in zip(first["respondent_id"], first["task"], strict=True)
        ]
        more = ", ..." if len(self.tasks) > 3 else ""
        return f"{counted(len(self.tasks), 'task')} ({', '.join(names)}{more})"


def complaints_about(
    rows: pd.DataFrame,
    task: IntArray,
    chosen: pd.Series,
    offered: Sequence[str],
    levels: Mapping[str, Sequence[str]],
) -> list[Complaint]:
    """Look for what is wrong with tasks.

    Parameters
    ----------
    rows : DataFrame
        One row an alternative, with is_none and the columns `offered`.
    task : ndarray of int, shape (rows,)
        Codes of the tasks; the rows of a task stand together.
    chosen : Series of float
        1 where chosen, NaN where not known.
    offered : sequence of str
        Price and attributes.
    levels : mapping of str to sequence of str
        Attributes that are no numbers.
    """
    found = {**_counts(rows, task, chosen), **dict(_gaps(rows, task, offered, levels))}
    return [Complaint(what, np.unique(tasks)) for what, tasks in found.items() if len(tasks)]


def _counts(rows: pd.DataFrame, task: IntArray, chosen: pd.Series) -> dict[str, IntArray]:
    taken = np.bincount(task, weights=chosen.fillna(0.0))
    alternative = pd.factorize(rows["alternative"])[0].astype(np.int64)
    pair = task * (alternative.max() + 1) + alternative
    return {
        "column chosen is empty": task[chosen.isna()],
        "no alternative is chosen": np.flatnonzero(taken == 0),
        "several alternatives are chosen": np.flatnonzero(taken > 1),
        "there is one alternative only": np.flatnonzero(np.bincount(task) == 1),
        "an alternative is there twice": task[pd.Series(pair).duplicated()],
    }


def _gaps(
    rows: pd.DataFrame, task: IntArray, offered: Sequence[str], levels: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, IntArray]]:
    is_offer = ~rows["is_none"]
    for name in offered:
        yield f"column {name} is empty", task[is_offer & rows[name].isna()]
        if name not in levels:
            yield f"column {name} is infinite", task[is_offer & np.isinf(rows[name])]


def left_out(
    task: IntArray, wrong: Sequence[Complaint]
) -> tuple[npt.NDArray[np.bool_], pd.DataFrame]:
    """Rows that stay, and the tasks that do not: what, tasks; each counts once, the first time."""
    bad = np.zeros(int(task.max()) + 1, dtype=bool)
    counts = []
    for one in wrong:
        counts.append((one.what, int((~bad[one.tasks]).sum())))
        bad[one.tasks] = True
    excluded = pd.DataFrame([row for row in counts if row[1]], columns=["what", "tasks"])
    return ~bad[task], excluded


def numbers_of(values: pd.Series, name: str) -> pd.Series:
    """Numbers of a column, also those written as text; NaN where empty.

    Raises
    ------
    ValueError
        When some are no numbers, with the first of them.
    """
    written = values.replace({True: 1.0, False: 0.0}) if values.dtype == object else values
    numbers = pd.to_numeric(written, errors="coerce")
    wrong = numbers.isna() & values.notna()
    if wrong.any():
        first = ", ".join(repr(one) for one in values[wrong].head(3))
        raise ValueError(
            f"column {name} holds {counted(int(wrong.sum()), 'value')} that are no numbers, first "
            f"at rows {values.index[wrong][:3].tolist()}: {first}"
        )
    return numbers.astype(float)
