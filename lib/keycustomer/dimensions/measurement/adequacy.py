"""Fitness of answers for factor analysis.

Do the items share anything?  :func:`sampling_adequacy` gives the measure of Kaiser, Meyer and Olkin
(how much of the correlations is shared by more than two items at a time; above .8 good, below .5
useless), over all items and for each, and Bartlett's test that the items are all uncorrelated. With
many respondents the test rejects whatever the answers; the measure says more.

Sources: Kaiser & Rice, "Little jiffy, mark IV" (EPM 1974); Bartlett (Biometrika 1951).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.measurement.complete import (
    Missing,
    complete_answers,
    item_correlations,
)
from keycustomer.stats.samples import FloatArray

WORDS = (
    (0.9, "marvellous"),
    (0.8, "meritorious"),
    (0.7, "middling"),
    (0.6, "mediocre"),
    (0.5, "miserable"),
    (0.0, "unacceptable"),
)
"""Kaiser's words for his measure, from the value on."""


@dataclass(frozen=True, eq=False)
class SamplingAdequacy:
    """Fitness of answers for factor analysis.

    Attributes
    ----------
    kmo : float
        Kaiser-Meyer-Olkin measure over all items, 0..1.
    by_item : Series
        The measure of each item.
    chi2, p_value : float
        Bartlett's test that no items correlate.
    df : int
        Its degrees of freedom.
    respondents, excluded : int
        Who entered, and who was left out for missing answers.
    notes : tuple of str
        What was done about missing answers.
    """

    kmo: float
    by_item: pd.Series
    chi2: float
    df: int
    p_value: float
    respondents: int
    excluded: int
    notes: tuple[str, ...]

    @property
    def word(self) -> str:
        """Kaiser's word for the measure: `marvellous` ... `unacceptable`."""
        return kaiser_word(self.kmo)

    def to_frame(self) -> pd.DataFrame:
        """One row an item: item, kmo, word; the weakest first."""
        weakest = self.by_item.sort_values()
        return pd.DataFrame(
            {
                "item": list(weakest.index),
                "kmo": weakest.to_numpy(),
                "word": [kaiser_word(value) for value in weakest],
            }
        )

    def _repr_html_(self) -> str:
        said = [
            f"KMO {self.kmo:.3f}, {self.word}, from {counted(self.respondents, 'respondent')}",
            f"Bartlett's test: chi-square {self.chi2:,.1f} on {self.df:,} degrees of freedom, "
            f"p {'below .0001' if self.p_value < 1e-4 else f'{self.p_value:.4f}'}",
            *self.notes,
        ]
        return report_html("Fitness for factor analysis", said, {"By item": self.to_frame()})


def kaiser_word(value: float) -> str:
    """Kaiser's word for a value of the measure.

    Parameters
    ----------
    value : float
        Measure of sampling adequacy, 0..1.

    Examples
    --------
    >>> kaiser_word(0.752)
    'middling'
    """
    return next(word for least, word in WORDS if value >= least)


def sampling_adequacy(
    answers: pd.DataFrame, items: Iterable[str] | None = None, *, missing: Missing = "listwise"
) -> SamplingAdequacy:
    """Measure whether the items share enough for factors to be sought.

    Parameters
    ----------
    answers : DataFrame
        Numbers, one row a respondent, one column an item, NaN where not answered.
    items : iterable of str, optional
        Items to take; all columns when left out.
    missing : {"listwise", "mean"}
        Leave respondents with missing answers out, or let the item's mean stand for them.

    Raises
    ------
    ValueError
        When items are constant, determine each other or hold no numbers, when there are fewer
        than two, or too few respondents.
    """
    complete = complete_answers(answers, items, missing=missing, least_items=2)
    matrix = item_correlations(complete)
    overall, by_item = kaiser_meyer_olkin(matrix)
    chi2, df, p_value = bartlett_test(matrix, complete.respondents)
    return SamplingAdequacy(
        overall,
        pd.Series(by_item, index=list(complete.items), name="kmo"),
        chi2,
        df,
        p_value,
        complete.respondents,
        complete.excluded,
        complete.notes,
    )


def kaiser_meyer_olkin(correlations: FloatArray) -> tuple[float, FloatArray]:
    """Measure of sampling adequacy, over all items and by item (Kaiser & Rice 1974).

    Squared correlations over themselves plus squared partial correlations given all other items.

    Parameters
    ----------
    correlations : array, shape (items, items)
        Correlations, with an inverse.
    """
    inverse = np.linalg.inv(correlations)
    scale = np.sqrt(np.diag(inverse))
    partial = (inverse / np.outer(scale, scale)) ** 2
    squared = correlations**2
    for matrix in (partial, squared):
        np.fill_diagonal(matrix, 0.0)
    whole = squared.sum() / (squared.sum() + partial.sum())
    return float(whole), squared.sum(axis=0) / (squared.sum(axis=0) + partial.sum(axis=0))


def bartlett_test(correlations: FloatArray, respondents: int) -> tuple[float, int, float]:
    """Bartlett's test of sphericity: chi-square, degrees of freedom, p-value (Bartlett 1951).

    Parameters
    ----------
    correlations : array, shape (items, items)
        Correlations, with an inverse.
    respondents : int
        How many answered.
    """
    from scipy.special import chdtrc

    items = len(correlations)
    chi2 = -(respondents - 1 - (2 * items + 5) / 6) * float(np.linalg.slogdet(correlations)[1])
    df = items * (items - 1) // 2
    return chi2, df, float(chdtrc(df, max(chi2, 0.0)))
