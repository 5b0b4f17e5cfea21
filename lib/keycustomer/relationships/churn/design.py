"""Features as numbers: what a model reads, learnt from one frame and applied to others.

:func:`learn_design` looks at the features once; `Design.matrix` then gives the numbers of any frame
with them, standardised and with words as indicators (logistic regression), and `Design.raw` the
plain numbers with words as codes (trees).  A number that is missing stands at the mean and has an
indicator; a word that was not learnt counts as the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.relationships.churn.checks import need_columns_of
from keycustomer.stats.samples import FloatArray

MOST_WORDS = 60
"""A text feature with more different words than this is refused: it names rows, not kinds."""

DEPENDENT = 1e-7
"""Share of a column's length that is its own; below it the others tell it already."""


@dataclass(frozen=True, eq=False)
class Design:
    """Columns of a model.

    Attributes
    ----------
    features : tuple of str
        Features in their order.
    words : dict of str to tuple of str
        Words of each text feature, the reference (the most frequent) first.
    missing : frozenset of str
        Number features with an indicator of being missing.
    columns : tuple of (str, str)
        Feature and word (or "", "missing") of every column of the matrix.
    means, spreads : ndarray, shape (columns,)
        What numbers are centred at and divided by; flags and words are divided by 1.
    notes : tuple of str
        Columns left out and why.
    """

    features: tuple[str, ...]
    words: dict[str, tuple[str, ...]]
    missing: frozenset[str]
    columns: tuple[tuple[str, str], ...]
    means: FloatArray
    spreads: FloatArray
    notes: tuple[str, ...] = field(default=())

    def matrix(self, frame: pd.DataFrame) -> FloatArray:
        """Standardised columns of a frame, shape (rows, columns)."""
        need_columns_of(frame, self.features, "frame")
        out = np.empty((len(frame), len(self.columns)), order="F")
        for n, (feature, word) in enumerate(self.columns):
            out[:, n] = _column(frame[feature], feature in self.words, word)
        out -= self.means
        out /= self.spreads
        # a missing number stands at the mean, where standardised columns are 0
        return np.nan_to_num(out, copy=False, nan=0.0)

    def raw(self, frame: pd.DataFrame) -> FloatArray:
        """Numbers and codes of a frame, NaN where missing or not learnt, shape (rows, features)."""
        need_columns_of(frame, self.features, "frame")
        out = np.empty((len(frame), len(self.features)))
        for n, feature in enumerate(self.features):
            if feature in self.words:
                codes = pd.Index(self.words[feature]).get_indexer(pd.Index(_texts(frame[feature])))
                out[:, n] = np.where(codes < 0, np.nan, codes)
            else:
                out[:, n] = _numbers(frame[feature])
        return out

    @property
    def labels(self) -> list[str]:
        """Columns in words: the feature, and after a colon the word."""
        return [f"{feature}: {word}" if word else feature for feature, word in self.columns]

    def unlearnt(self, frame: pd.DataFrame) -> dict[str, int]:
        """Rows of a frame with a word that was not learnt, by feature."""
        counts = {
            feature: int((~_texts(frame[feature]).isin(words)).sum())
            for feature, words in self.words.items()
        }
        return {feature: count for feature, count in counts.items() if count}


MISSING_WORD = "missing"
"""Word for a text that is missing."""


def learn_design(frame: pd.DataFrame, features: Sequence[str]) -> Design:
    """Learn the columns of features from a frame.

    Parameters
    ----------
    frame : DataFrame
        The rows a model is fitted on.
    features : sequence of str
        Columns of numbers, flags, or words.

    Raises
    ------
    TypeError
        When a feature is neither numbers, flags nor words.
    ValueError
        When a feature is missing, infinite, has too many words, or none varies.
    """
    if isinstance(features, str) or not features:
        raise ValueError(f"features={features!r}: a sequence of column names is needed")
    need_columns_of(frame, features, "frame")
    words, missing = {}, set()
    columns: list[tuple[str, str]] = []
    for feature in dict.fromkeys(features):
        if _is_text(frame[feature]):
            words[feature] = _words(frame[feature])
            columns += [(feature, word) for word in words[feature][1:]]
            continue
        unknown = np.isnan(_numbers(frame[feature]))
        columns += [(feature, "")] if not unknown.all() else []
        if unknown.any() and not unknown.all():
            missing.add(feature)
            columns.append((feature, "missing"))
    full = Design(tuple(dict.fromkeys(features)), words, frozenset(missing), tuple(columns),
                  np.zeros(len(columns)), np.ones(len(columns)))  # fmt: skip
    return _scaled(full, frame)


def _scaled(design: Design, frame: pd.DataFrame) -> Design:
    """Centre numbers, and leave out columns that do not vary or that the others tell already."""
    means, spreads = np.zeros(len(design.columns)), np.ones(len(design.columns))
    for n, (feature, word) in enumerate(design.columns):
        if not word:
            values = _numbers(frame[feature])
            flag = np.isin(values, (0.0, 1.0)).all()
            means[n] = np.nanmean(values)
            spreads[n] = 1.0 if flag else np.nanstd(values) or 1.0
    scaled = Design(design.features, design.words, design.missing, design.columns, means, spreads)
    kept, notes = _independent(scaled, scaled.matrix(frame))
    if not kept:
        raise ValueError(
            f"features={list(design.features)}: none of them varies, so they explain nothing"
        )
    return Design(
        design.features, design.words, design.missing,
        tuple(design.columns[n] for n in kept), means[kept], spreads[kept], tuple(notes),
    )  # fmt: skip


def _independent(design: Design, matrix: FloatArray) -> tuple[list[int], list[str]]:
    centred = matrix - matrix.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    constant = length <= DEPENDENT * np.sqrt(len(matrix))
    own = np.abs(np.diag(np.linalg.qr(centred / np.where(constant, 1.0, length), mode="r")))
    own = np.append(own, np.zeros(len(length) - len(own)))
    told = ~constant & (own < DEPENDENT)
    labels = design.labels
    notes = []
    if constant.any():
        names = [labels[n] for n in np.flatnonzero(constant)]
        notes.append(f"Left out, since they do not vary: {', '.join(names)}.")
    if told.any():
        names = [labels[n] for n in np.flatnonzero(told)]
        notes.append(f"Left out, since the columns before tell them: {', '.join(names)}.")
    return np.flatnonzero(~constant & ~told).tolist(), notes


def _is_text(values: pd.Series) -> bool:
    if isinstance(values.dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(values):
        return True
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return False
    raise TypeError(
        f"feature {values.name!r} has values of type {values.dtype}; numbers, True and False, or "
        "words are needed (turn days into numbers, such as days since a day)"
    )


def _texts(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), MISSING_WORD).astype(str)


def _words(values: pd.Series) -> tuple[str, ...]:
    """Words by how frequent they are, ties in order of the alphabet."""
    counts = _texts(values).value_counts()
    if len(counts) > MOST_WORDS:
        raise ValueError(
            f"feature {values.name!r} has {len(counts):,} different words, more than the "
            f"{MOST_WORDS} that are taken (first: {counts.index[:3].tolist()}); leave it out or "
            "group its words"
        )
    order = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return tuple(str(word) for word, _ in order)


def _numbers(values: pd.Series) -> FloatArray:
    numbers = pd.to_numeric(values, errors="raise").to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(numbers).any():
        rows = values.index[np.isinf(numbers)][:5].tolist()
        raise ValueError(
            f"feature {values.name!r} is infinite, first at rows {rows}: look for a division by 0"
        )
    return numbers


def _column(values: pd.Series, text: bool, word: str) -> FloatArray:
    if text:
        return np.asarray(_texts(values) == word, dtype=np.float64)
    if word:
        return np.asarray(values.isna(), dtype=np.float64)
    return _numbers(values)
