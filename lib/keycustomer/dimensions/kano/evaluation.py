"""Kano's evaluation table: what a pair of answers says of an attribute.

Every respondent is asked twice about an attribute: how is it if you get it (functional), how if
you do not (dysfunctional)?  Both are answered by like, must-be, neutral, live with or dislike,
coded 1 to 5.  :data:`KANO_TABLE` gives the class of each of the 25 pairs, :func:`evaluate_pairs`
applies it, :func:`leading_class` and :func:`grouped_class` turn counts into one class.

Sources: Kano, Seraku, Takahashi & Tsuji (1984); Berger et al., "Kano's methods for understanding
customer-defined quality" (Center for Quality of Management Journal 2(4), 1993), table and rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

ANSWERS = ("like", "must-be", "neutral", "live with", "dislike")
"""The five answers, coded 1 to 5 in this order."""

KANO_TABLE = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")
"""Class by functional answer (row) and dysfunctional answer (letter)."""

CLASS_NAMES = {
    "M": "must-be",
    "O": "one-dimensional",
    "A": "attractive",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}
"""Names of the classes, in the order that decides ties: M before O before A before I."""

CLASSES = "".join(CLASS_NAMES)
"""The letters of the classes in the order that decides ties."""

_LETTERS = np.array([list(row) for row in KANO_TABLE])

Letters = npt.NDArray[np.str_]


def evaluate_pairs(functional: npt.ArrayLike, dysfunctional: npt.ArrayLike) -> Letters:
    """Class of each pair of answers.

    Parameters
    ----------
    functional, dysfunctional : array of int, same shape
        Answers 1 to 5 on having the attribute and on not having it.

    Returns
    -------
    ndarray of str
        Letters of :data:`CLASS_NAMES`.

    Raises
    ------
    ValueError
        When the answers are of different number, or one is no whole number from 1 to 5.

    Examples
    --------
    >>> evaluate_pairs([1, 2, 1], [3, 5, 5]).tolist()
    ['A', 'M', 'O']
    """
    rows = _codes(functional, "functional")
    columns = _codes(dysfunctional, "dysfunctional")
    if rows.shape != columns.shape:
        raise ValueError(
            f"functional has shape {rows.shape}, dysfunctional {columns.shape}: each respondent "
            "answers both questions"
        )
    return _LETTERS[rows - 1, columns - 1]


def _codes(answers: npt.ArrayLike, argument: str) -> npt.NDArray[np.int64]:
    values = np.asarray(answers)
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{argument}: answers are numbers 1 to 5, got {values.dtype} values")
    wrong = ~np.isin(values, range(1, 6))
    if wrong.any():
        raise ValueError(
            f"{argument}: answers are 1 (like), 2 (must-be), 3 (neutral), 4 (live with) or "
            f"5 (dislike), got {values[wrong][:3].tolist()}"
        )
    return values.astype(np.int64)


def count_classes(letters: Letters) -> npt.NDArray[np.int64]:
    """Count the letters of each class, in the order of :data:`CLASSES`."""
    return np.array([(letters == letter).sum() for letter in CLASSES])


def leading_class(counts: npt.ArrayLike) -> Any:
    """Class with the most answers; ties go to M, then O, A, I.

    Parameters
    ----------
    counts : array, shape (..., 6)
        Answers by class in the order of :data:`CLASSES`.

    Returns
    -------
    ndarray of str, shape (...)
    """
    return np.array(list(CLASSES))[np.argmax(np.asarray(counts), axis=-1)]


def grouped_class(counts: npt.ArrayLike) -> Any:
    """Class by the rule of Berger et al. (1993): first whether it matters, then how.

    Where more answers say M, O or A than I, R or Q, the most frequent of the first three is the
    class, otherwise that of the last three.  So an attribute that matters in three ways is not
    called indifferent because no single way leads.

    Parameters
    ----------
    counts : array, shape (..., 6)
        Answers by class in the order of :data:`CLASSES`.

    Returns
    -------
    ndarray of str, shape (...)
    """
    numbers = np.asarray(counts)
    first, second = numbers[..., :3], numbers[..., 3:]
    matters = first.sum(-1) > second.sum(-1)
    places = np.where(matters, first.argmax(-1), 3 + second.argmax(-1))
    return np.array(list(CLASSES))[places]
