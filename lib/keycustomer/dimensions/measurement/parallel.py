"""Parallel analysis: the number of factors that stand out from chance.

How many factors would unrelated items seem to have? Even unrelated items give some components above
average. :func:`parallel_analysis` shuffles each item's answers among the respondents, so that items
keep their scale, skew and ties but lose what they share, and keeps the leading components whose
eigenvalue exceeds the upper quantile of the shuffled ones. Beside it stands the rule "eigenvalue
above 1", which keeps too many.

Sources: Horn, "A rationale and test for the number of factors" (Psychometrika 1965); Glorfeld (EPM
1995: upper quantile in place of the mean); Buja & Eyuboglu (MBR 1992: shuffling).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.measurement.complete import (
    CompleteAnswers,
    Missing,
    complete_answers,
    item_correlations,
)
from keycustomer.stats.bootstrap import Progress, Seed, after_quiet, checked_level
from keycustomer.stats.samples import FloatArray

DRAWS = 500
"""Shuffled tables."""

FEWEST_DRAWS = 20
"""Fewest shuffled tables from which a quantile can be taken."""


@dataclass(frozen=True, eq=False)
class ParallelAnalysis:
    """Eigenvalues beside those that chance makes.

    Attributes
    ----------
    eigenvalues : ndarray, shape (items,)
        Of the correlation matrix, the largest first.
    chance_mean, chance_upper : ndarray, shape (items,)
        Mean and upper quantile of the shuffled eigenvalues.
    factors : int
        Leading eigenvalues above the upper quantile: factors to keep.
    above_one : int
        What the rule "eigenvalue above 1" would keep.
    quantile : float
        Which quantile `chance_upper` is.
    draws, respondents, excluded : int
        Shuffled tables; who entered, and who was left out for missing answers.
    notes : tuple of str
        What was done about missing answers.
    """

    eigenvalues: FloatArray
    chance_mean: FloatArray
    chance_upper: FloatArray
    factors: int
    above_one: int
    quantile: float
    draws: int
    respondents: int
    excluded: int
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a component: component, eigenvalue, chance_mean, chance_upper, kept."""
        number = np.arange(1, self.eigenvalues.size + 1)
        return pd.DataFrame(
            {
                "component": number,
                "eigenvalue": self.eigenvalues,
                "chance_mean": self.chance_mean,
                "chance_upper": self.chance_upper,
                "kept": number <= self.factors,
            }
        )

    def _repr_html_(self) -> str:
        said = [
            f"{counted(self.factors, 'factor')} stand out from chance; the rule 'eigenvalue above "
            f"1' would keep {self.above_one}",
            f"{counted(self.respondents, 'respondent')}, {self.draws:,} shuffled tables, "
            f"{100 * self.quantile:g} % quantile",
            *self.notes,
        ]
        return report_html("Parallel analysis", said, {"Components": self.to_frame()})


def parallel_analysis(
    answers: pd.DataFrame,
    items: Iterable[str] | None = None,
    *,
    draws: int = DRAWS,
    quantile: float = 0.95,
    missing: Missing = "listwise",
    seed: Seed = 0,
    progress: Progress | None = None,
) -> ParallelAnalysis:
    """Find how many factors stand out from chance.

    Parameters
    ----------
    answers : DataFrame
        Numbers, one row a respondent, one column an item, NaN where not answered.
    items : iterable of str, optional
        Items to take; all columns when left out.
    draws : int
        Shuffled tables, at least 20.
    quantile : float
        Quantile of the shuffled eigenvalues to exceed.
    missing : {"listwise", "mean"}
        Leave respondents with missing answers out, or let the item's mean stand for them.
    seed : int or Generator
        Of the shuffling.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Raises
    ------
    ValueError
        When items are constant, determine each other or hold no numbers, when there are fewer
        than three, or too few respondents or draws.
    """
    if isinstance(draws, bool) or draws != int(draws) or draws < FEWEST_DRAWS:
        raise ValueError(f"draws={draws!r}: a whole number of at least {FEWEST_DRAWS} is needed")
    checked_level(quantile)
    complete = complete_answers(answers, items, missing=missing, least_items=3)
    eigenvalues = np.asarray(np.linalg.eigvalsh(item_correlations(complete))[::-1], dtype=float)
    chance = _shuffled(complete, int(draws), np.random.default_rng(seed), progress)
    upper = np.asarray(np.quantile(chance, quantile, axis=0), dtype=float)
    below = np.flatnonzero(eigenvalues <= upper)
    return ParallelAnalysis(
        eigenvalues,
        chance.mean(axis=0),
        upper,
        int(below[0]) if below.size else eigenvalues.size,
        int((eigenvalues > 1).sum()),
        quantile,
        int(draws),
        complete.respondents,
        complete.excluded,
        complete.notes,
    )


def _shuffled(
    complete: CompleteAnswers,
    draws: int,
    generator: np.random.Generator,
    progress: Progress | None,
) -> FloatArray:
    """Eigenvalues of shuffled tables, one row a table, the largest first."""
    values = complete.whole.to_numpy()
    standard = (values - values.mean(axis=0)) / (values.std(axis=0) * np.sqrt(len(values)))
    report = after_quiet(progress)
    chance = np.empty((draws, standard.shape[1]))
    mixed = np.empty_like(standard)
    for draw in range(draws):
        generator.permuted(standard, axis=0, out=mixed)
        chance[draw] = np.linalg.eigvalsh(mixed.T @ mixed)[::-1]
        report(draw + 1, draws)
    return chance
