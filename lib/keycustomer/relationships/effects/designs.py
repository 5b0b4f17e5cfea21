"""Covariates of any kind as columns of numbers.

Question: how do firmographics, amounts and words enter a regression?  :func:`read_design` learns
it from a frame (which words there are, centres and scales); `Design.matrix` applies it to any frame
with the same columns, so that customers who come later are coded alike.

Numbers are standardised; those that are 0 or larger and skewed (amounts, staff) are taken in
logarithms first, as log(1 + x).  Words become one column each but for the most frequent; those of
few rows are put together.  What is not known becomes the median, or a word of its own, with a
column that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.dimensions.complaints import did_you_mean, refuse
from keycustomer.stats.samples import FloatArray

SKEWED = 2.0
"""Skewness from which numbers of 0 or larger are taken in logarithms."""

RARE = 0.02
"""Share of the rows below which words are put together as `other`."""

UNKNOWN, OTHER = "not known", "other"


@dataclass(frozen=True)
class Number:
    """How a column of numbers is coded.

    Attributes
    ----------
    name : str
        The column.
    logarithm : bool
        Whether log(1 + x) is taken first.
    median, centre, scale : float
        Put in for what is not known; subtracted; divided by.
    gaps : bool
        Whether values were missing, which then have a column of their own.
    """

    name: str
    logarithm: bool
    median: float
    centre: float
    scale: float
    gaps: bool

    def columns(self) -> list[str]:
        """Name the columns it becomes."""
        told = f"log {self.name}" if self.logarithm else self.name
        return [told, f"{self.name} {UNKNOWN}"][: 1 + self.gaps]

    def coded(self, values: pd.Series) -> list[FloatArray]:
        """Give its columns for the rows of a frame."""
        numbers = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
        missing = ~np.isfinite(numbers)
        filled = np.where(missing, self.median, numbers)
        if self.logarithm:
            filled = np.log1p(np.maximum(filled, 0.0))
        parts = [(filled - self.centre) / self.scale, missing.astype(float)]
        return parts[: 1 + self.gaps]


@dataclass(frozen=True)
class Words:
    """How a column of words is coded.

    Attributes
    ----------
    name : str
        The column.
    usual : str
        The most frequent word, which has no column.
    words : tuple of str
        Words with a column of their own.
    """

    name: str
    usual: str
    words: tuple[str, ...]

    def columns(self) -> list[str]:
        """Name the columns it becomes."""
        return [f"{self.name}: {word}" for word in self.words]

    def coded(self, values: pd.Series) -> list[FloatArray]:
        """Give its columns for the rows of a frame."""
        known = {self.usual, *self.words}
        said = _words(values)
        folded = said.where(said.isin(known), OTHER).to_numpy()
        return [(folded == word).astype(float) for word in self.words]


@dataclass(frozen=True)
class Design:
    """How covariates become columns of numbers.

    Attributes
    ----------
    parts : tuple of Number or Words
        One for each covariate that varies.
    constant : tuple of str
        Covariates left out since all rows have the same value.
    """

    parts: tuple[Number | Words, ...]
    constant: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the columns of `matrix`."""
        return [name for part in self.parts for name in part.columns()]

    def matrix(self, frame: pd.DataFrame) -> FloatArray:
        """Code the rows of a frame, shape (rows, columns).

        Parameters
        ----------
        frame : DataFrame
            With the columns the design was read from.
        """
        refuse_missing(frame, [part.name for part in self.parts], "covariates")
        columns = [one for part in self.parts for one in part.coded(frame[part.name])]
        return np.column_stack(columns) if columns else np.zeros((len(frame), 0))


def read_design(frame: pd.DataFrame, covariates: Sequence[str]) -> Design:
    """Learn how covariates are coded.

    Parameters
    ----------
    frame : DataFrame
        One row a unit.
    covariates : sequence of str
        Columns of numbers, words, or true and false.

    Returns
    -------
    Design

    Raises
    ------
    TypeError
        When the covariates are one text, or a column holds days.
    ValueError
        When a column is missing or named twice.
    """
    if isinstance(covariates, str):
        raise TypeError(f"covariates={covariates!r}: give a list of columns")
    names = list(covariates)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"covariates: named twice: {', '.join(twice)}")
    refuse_missing(frame, names, "covariates")
    read = {name: _read_one(frame[name]) for name in names}
    parts = tuple(part for part in read.values() if part is not None)
    return Design(parts, tuple(name for name, part in read.items() if part is None))


def refuse_missing(frame: pd.DataFrame, names: Sequence[str], argument: str) -> None:
    """Refuse a frame that lacks columns.

    Raises
    ------
    ValueError
        With every column that is missing, and the nearest ones there are.
    """
    found = [str(column) for column in frame.columns]
    refuse(
        f"{argument}: there is no column {name!r}{did_you_mean(name, found)}"
        for name in names
        if name not in frame.columns
    )


def _words(values: pd.Series) -> pd.Series:
    return values.astype("object").where(values.notna(), UNKNOWN).astype(str)


def _read_one(values: pd.Series) -> Number | Words | None:
    if pd.api.types.is_datetime64_any_dtype(values):
        raise TypeError(
            f"covariates: {values.name!r} holds days; give a number, such as years since then"
        )
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return _read_number(values)
    return _read_words(values)


def _read_number(values: pd.Series) -> Number | None:
    numbers = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
    known = numbers[np.isfinite(numbers)]
    if not known.size or (known == known[0]).all():
        return None
    logarithm = bool(known.min() >= 0 and _skewness(known) > SKEWED)
    median = float(np.median(known))
    filled = np.where(np.isfinite(numbers), numbers, median)
    coded = np.log1p(filled) if logarithm else filled
    gaps = known.size < numbers.size
    name = str(values.name)
    return Number(name, logarithm, median, float(coded.mean()), float(coded.std()), gaps)


def _skewness(values: FloatArray) -> float:
    deviation = (values - values.mean()) / values.std()
    return float((deviation**3).mean())


def _read_words(values: pd.Series) -> Words | None:
    said = _words(values)
    counts = said.value_counts()
    rare = counts.index[counts < max(RARE * len(said), 2)]
    counts = said.where(~said.isin(rare), OTHER).value_counts()
    if len(counts) < 2:
        return None
    order: list[Any] = counts.index.tolist()
    return Words(str(values.name), str(order[0]), tuple(sorted(map(str, order[1:]))))
