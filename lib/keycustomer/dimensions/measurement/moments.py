"""Means and covariances of items, for one sample and for many resamples of it at once.

How do the items vary together, here and in other samples like this one?  Reliability, validity
and PLS paths depend on the answers through their covariances only, so a bootstrap needs no copy
of the answers: :class:`ItemMoments` turns rows of counts (how often each respondent was drawn)
into a stack of covariance matrices by matrix products, and the measures are then computed for all
draws together.  Where means replace missing answers (:func:`complete_answers` keeps their places),
each resample has its own.

Sources: Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), on resamples as weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent
from keycustomer.dimensions.measurement.answers import Constructs, named_items, read_answers
from keycustomer.stats.samples import FloatArray

Missing: TypeAlias = Literal["listwise", "mean"]

MISSING: tuple[Missing, ...] = ("listwise", "mean")
"""What can be done about answers not given."""

MUCH_FILLED = 0.05
"""Share of an item's answers that are means from which on the notes warn of it."""

FLAT = 1e-12
"""Variance of an item in a resample, relative to that in the sample, that is rounding alone."""

COLLINEAR = 1e-9
"""Share of an item's variance left by the other items that is rounding alone."""


@dataclass(frozen=True, eq=False)
class CompleteAnswers:
    """Answers ready to be measured with.

    Attributes
    ----------
    frame : DataFrame, shape (respondents, items)
        The answers; NaN only where `missing` is `mean`, at answers that count as the item's mean.
    missing : {"listwise", "mean"}
        What was done about answers not given.
    excluded : int
        Respondents left out: under `listwise` those with a missing answer, under `mean` those
        without any.
    filled : int
        Answers that count as the item's mean.
    notes : tuple of str
        What the reader should know of it.
    """

    frame: pd.DataFrame
    missing: Missing
    excluded: int
    filled: int
    notes: tuple[str, ...]

    @property
    def values(self) -> FloatArray:
        """The answers as an array, (respondents, items)."""
        return self.frame.to_numpy(dtype=np.float64)

    @property
    def items(self) -> tuple[str, ...]:
        """Items in the order asked for."""
        return tuple(self.frame.columns)

    @property
    def respondents(self) -> int:
        """Number of respondents that enter."""
        return len(self.frame)

    @property
    def imputed(self) -> FloatArray:
        """The answers with the item's mean where one is missing."""
        values = self.values
        return np.where(np.isnan(values), np.nanmean(values, axis=0), values)


def complete_answers(
    answers: pd.DataFrame, items: Iterable[str], *, missing: Missing = "listwise"
) -> CompleteAnswers:
    """Pick the items and deal with answers not given.

    Parameters
    ----------
    answers : DataFrame
        One row a respondent, one column an item, NaN where not answered.
    items : iterable of str
        Items that are needed; an item named twice is taken once.
    missing : {"listwise", "mean"}
        Leave out respondents with a missing answer, or let it count as the item's mean.

    Raises
    ------
    TypeError
        When the answers are no table.
    ValueError
        When `missing` is neither, when items are not in the table, are no numbers or never
        differ, or when too few respondents are left; all complaints at once.
    """
    if missing not in MISSING:
        raise ValueError(f"missing={missing!r}: choose one of {', '.join(map(repr, MISSING))}")
    if not isinstance(answers, pd.DataFrame):
        raise TypeError(
            "answers: a table is needed, one row a respondent and one column an item, got "
            f"{type(answers).__name__}; read_answers(...).answers is one"
        )
    given = read_answers(answers, tuple(dict.fromkeys(items)))
    frame, silent = given.answers, given.silent
    holes = int(frame.isna().to_numpy().sum())
    if missing == "mean" or not holes:
        return CompleteAnswers(frame, missing, silent, holes, _filled_notes(frame, silent))
    kept = _without_holes(frame)
    excluded = len(answers) - len(kept)
    note = f"{counted(excluded, 'respondent')} with missing answers left out (listwise)"
    return CompleteAnswers(kept, missing, excluded, 0, (note,))


def _without_holes(frame: pd.DataFrame) -> pd.DataFrame:
    whole = frame.dropna()
    try:
        return read_answers(whole, tuple(frame.columns)).answers
    except ValueError as error:
        worst = frame.isna().sum().sort_values(ascending=False).head(3)
        shown = ", ".join(f"{item} ({n:,} missing)" for item, n in worst.items() if n)
        raise ValueError(
            f"after leaving out {counted(len(frame) - len(whole), 'respondent')} with a missing "
            f"answer (listwise), {error}\nmost often missing: {shown}; leave such items out, or "
            "give missing='mean'"
        ) from error


def _filled_notes(frame: pd.DataFrame, silent: int) -> tuple[str, ...]:
    share = frame.isna().mean()
    holes = int(frame.isna().to_numpy().sum())
    notes = [f"{counted(silent, 'respondent')} without any answer left out"] if silent else []
    if holes:
        notes.append(f"{counted(holes, 'missing answer')} replaced by the item's mean")
    much = share[share > MUCH_FILLED]
    if len(much):
        worst = ", ".join(f"{item} ({percent(part, 0)})" for item, part in much.items())
        notes.append(f"so many answers are means that correlations come out too small: {worst}")
    return tuple(notes)


def construct_items(constructs: Constructs) -> dict[str, tuple[str, ...]]:
    """Items by construct, each item in one construct.

    Parameters
    ----------
    constructs : mapping of str to sequences of str
        Construct -> its items.

    Raises
    ------
    ValueError
        When there are no constructs, one is without items, or an item is named twice.
    """
    named, items = named_items(constructs)
    if not named:
        raise ValueError(
            "constructs must name the items by construct, such as {'trust': ['trust_1', "
            "'trust_2', 'trust_3']}"
        )
    empty = [name for name, own in named.items() if not own]
    if empty:
        raise ValueError(f"constructs without items: {', '.join(map(repr, empty))}")
    twice = [item for item in dict.fromkeys(items) if items.count(item) > 1]
    if twice:
        raise ValueError(
            f"items named more than once: {', '.join(map(repr, twice))}; each may stand once, in "
            "one construct"
        )
    return named


class ItemMoments:
    """Means and covariances of items under any weights of the respondents.

    Parameters
    ----------
    values : array, shape (respondents, items)
        Answers; NaN counts as the mean of the item's answers, weighted alike.
    """

    def __init__(self, values: FloatArray) -> None:
        self.respondents, self.size = values.shape
        self._answered = (~np.isnan(values)).astype(np.float64)
        self._complete = bool(self._answered.all())
        self._centre = np.nanmean(values, axis=0)
        # centred by the sample's mean, so that sums of squares do not swallow the digits
        self._values = np.nan_to_num(values - self._centre)
        self._rounding = FLAT * np.nanvar(values, axis=0)

    def sample(self) -> tuple[FloatArray, FloatArray]:
        """Means and covariances of the sample itself, as stacks of one."""
        return self.weighted(np.ones((1, self.respondents)))

    def weighted(self, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means and covariances when respondent r is there `counts[b, r]` times.

        Parameters
        ----------
        counts : array, shape (draws, respondents)
            How often each respondent was drawn.

        Returns
        -------
        means : ndarray, shape (draws, items)
        covariances : ndarray, shape (draws, items, items)
            Divided by the number of respondents less one.
        """
        sums = counts @ self._values
        number = counts.sum(axis=1)[:, None, None]
        products = (counts[:, None, :] * self._values.T) @ self._values
        if self._complete:
            shift = sums / number[:, 0]
            products -= shift[:, :, None] * sums[:, None, :]
        else:
            shift = self._remove_means(products, sums, counts)
        return shift + self._centre, self._without_rounding(products / (number - 1))

    def _without_rounding(self, covariances: FloatArray) -> FloatArray:
        """Give items that are constant in a resample no variance at all."""
        flat = np.diagonal(covariances, axis1=1, axis2=2) <= self._rounding
        if flat.any():
            covariances[flat[:, :, None] | flat[:, None, :]] = 0.0
        return covariances

    def _remove_means(
        self, products: FloatArray, sums: FloatArray, counts: FloatArray
    ) -> FloatArray:
        """Take the means out of the products in place; only pairs of answers given count."""
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = sums / (counts @ self._answered)
        crossed = (counts[:, None, :] * self._values.T) @ self._answered
        pairs = (counts[:, None, :] * self._answered.T) @ self._answered
        crossed *= shift[:, None, :]
        products -= crossed + crossed.transpose(0, 2, 1)
        products += pairs * shift[:, :, None] * shift[:, None, :]
        return shift


def correlations_of(covariances: FloatArray) -> FloatArray:
    """Correlation matrices of a stack of covariance matrices.

    Parameters
    ----------
    covariances : array, shape (..., items, items)

    Returns
    -------
    ndarray, shape (..., items, items)
        NaN in rows and columns of items that do not vary.
    """
    variances = np.diagonal(covariances, axis1=-2, axis2=-1)
    deviations = np.sqrt(np.where(variances > 0, variances, np.nan))
    correlations = covariances / (deviations[..., :, None] * deviations[..., None, :])
    # exactly one, also where rounding leaves the last digit
    size = covariances.shape[-1]
    correlations[..., range(size), range(size)] = np.where(np.isnan(deviations), np.nan, 1.0)
    return correlations


def collinear_item(correlations: FloatArray) -> int | None:
    """Position of the first item that earlier items determine, None where there is none.

    Parameters
    ----------
    correlations : array, shape (items, items)
        Correlations of the items.
    """
    for last in range(1, len(correlations)):
        before, own = correlations[:last, :last], correlations[:last, last]
        if 1 - own @ np.linalg.solve(before, own) < COLLINEAR:
            return last
    return None
