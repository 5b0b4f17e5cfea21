"""A fitted structural model.

:class:`SemFit` holds the solution, its fit indices and the reasons, if any, why it may not be
read; its tables have delta-method intervals, :meth:`SemFit.bootstrap` gives the same tables with
percentile intervals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from statistics import NormalDist

import numpy as np
import pandas as pd

from keycustomer.dimensions.structural.admissibility import Problem
from keycustomer.dimensions.structural.indices import FitIndices
from keycustomer.dimensions.structural.modification import modification_hints
from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.readings import Readings
from keycustomer.dimensions.structural.resampled import SemBootstrap, resample
from keycustomer.dimensions.structural.sample import Sample
from keycustomer.dimensions.structural.scores import ScoreMethod, score_weights
from keycustomer.dimensions.structural.standardised import standardised
from keycustomer.dimensions.structural.uncertainty import DeltaSpread, Uncertain
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

NORMAL = NormalDist()


@dataclass(frozen=True, eq=False)
class SemFit(Readings):
    """A structural model fitted by maximum likelihood.

    Attributes
    ----------
    model : str
        The text it was written in.
    structure : Structure
        The model as matrices; `structure.specification` lists its coefficients.
    sample : Sample
        The answers; `sample.respondents`, `sample.excluded`, `sample.filled`.
    theta : ndarray, shape (free,)
        Free coefficients, in the order of `structure.specification.free`.
    covariance : ndarray, shape (free, free)
        Their covariance, by the expected information; NaN where they are not identified.
    converged : bool
        Whether the search ended at a minimum.
    indices : FitIndices
        Fit; readable also when the solution is not.
    problems : tuple of Problem
        Why the solution may not be read; empty when it may.
    level : float
        Confidence level of the intervals.
    """

    model: str
    structure: Structure = field(repr=False)
    sample: Sample = field(repr=False)
    theta: FloatArray = field(repr=False)
    covariance: FloatArray = field(repr=False)
    converged: bool
    indices: FitIndices
    problems: tuple[Problem, ...]
    level: float = 0.95

    @cached_property
    def spread(self) -> DeltaSpread:
        """Intervals by the delta method."""
        return DeltaSpread(self.theta, self.covariance, self.level)

    @property
    def respondents(self) -> int:
        """Respondents the solution rests on."""
        return self.sample.respondents

    @property
    def constructs(self) -> tuple[str, ...]:
        """Names of the constructs."""
        return self.specification.constructs

    @property
    def notes(self) -> tuple[str, ...]:
        """Who was left out, what was filled, how small the sample is."""
        return self.sample.notes

    def to_frame(self) -> pd.DataFrame:
        """Every coefficient, as :meth:`parameters`."""
        return self.parameters()

    def estimates(self) -> list[tuple[str, str, Estimate]]:
        """Rows of (measure, group, estimate): cfi, tli, srmr, rmsea, then the readings."""
        return [*self.indices.estimates(), *super().estimates()]

    def raw_parameters(self) -> pd.DataFrame:
        """Every coefficient as the search left it, also of an improper solution.

        For finding out what is wrong, not for reading: left, operator, right, estimate,
        standardised (NaN where a negative variance makes it impossible).
        """
        cells = self.specification.cells
        return pd.DataFrame(
            {
                "left": [cell.left for cell in cells],
                "operator": [cell.operator for cell in cells],
                "right": [cell.right for cell in cells],
                "estimate": self.structure.values(self.theta[None])[0],
                "standardised": standardised(self.structure, self.theta[None])[0],
            }
        )

    def diagnosis(self) -> pd.DataFrame:
        """Reasons why the solution may not be read: kind, where, value, what, cure."""
        columns = ("kind", "where", "value", "what", "cure")
        rows = [[getattr(problem, name) for name in columns] for problem in self.problems]
        return pd.DataFrame(rows, columns=list(columns))

    def implied_covariance(self) -> pd.DataFrame:
        """Covariances of the items that the solution implies."""
        self.refuse()
        items = len(self.specification.items)
        sigma = self.structure.implied(self.theta[None]).covariance[0, :items, :items]
        names = list(self.specification.items)
        return pd.DataFrame(sigma, index=names, columns=names)

    def residual_correlations(self) -> pd.DataFrame:
        """Correlations seen less those implied: where the model misses."""
        implied = self.implied_covariance()
        spread = np.sqrt(np.diag(self.sample.covariance))
        return (self.sample.covariance - implied) / np.outer(spread, spread)

    def scores(
        self, answers: pd.DataFrame | None = None, *, method: ScoreMethod = "regression"
    ) -> pd.DataFrame:
        """Score of every respondent on every construct.

        Parameters
        ----------
        answers : DataFrame, optional
            Other respondents' answers to the same items; left out, those of the fit.
        method : {"regression", "bartlett"}
            See `scores`.

        Returns
        -------
        DataFrame
            One row a row of the answers, one column a construct, in units of the construct
            around its mean; NaN for respondents with an item not answered (mean-filled when the
            fit was).
        """
        self.refuse()
        weights = score_weights(self.structure, self.theta, method)
        names = list(self.constructs)
        if answers is not None:
            return self._scores_of_others(answers, weights)
        scores = np.full((len(self.sample.index), len(names)), np.nan)
        scores[self.sample.used] = self.sample.centred @ weights
        return pd.DataFrame(scores, index=self.sample.index, columns=names)

    def _scores_of_others(self, answers: pd.DataFrame, weights: FloatArray) -> pd.DataFrame:
        if not isinstance(answers, pd.DataFrame):
            raise TypeError(f"answers must be a DataFrame, got {type(answers).__name__}")
        items = list(self.sample.items)
        absent = [item for item in items if item not in answers.columns]
        if absent:
            raise ValueError(
                f"answers lacks the items {', '.join(map(repr, absent))} of the model; scores "
                "need all of them"
            )
        try:
            numbers = answers[items].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"answers that are not numbers ({error}); cast them first, with read_answers"
            ) from error
        if self.sample.missing == "mean":
            numbers = np.where(np.isnan(numbers), self.sample.means, numbers)
        scores = (numbers - self.sample.means) @ weights
        return pd.DataFrame(scores, index=answers.index, columns=list(self.constructs))

    def modification_hints(self, most: int = 10) -> pd.DataFrame:
        """Rank coefficients the model leaves out by the fall of chi-square, the first `most`.

        Returns
        -------
        DataFrame
            left, operator, right, chi2_drop, change, standardised_change.
        """
        self.refuse()
        hints = modification_hints(
            self.structure, self.theta, self.sample.covariance, self.respondents
        )
        return hints.head(most)

    def bootstrap(
        self,
        draws: int = 1000,
        *,
        seed: Seed = 0,
        level: float | None = None,
        progress: Progress | None = None,
    ) -> SemBootstrap:
        """Fit resamples of the respondents, for percentile intervals of every table.

        Parameters
        ----------
        draws : int
            Number of resamples.
        seed : int or Generator
            The same seed gives the same draws.
        level : float, optional
            Confidence level; left out, that of the fit.
        progress : callable, optional
            Called as ``progress(done, draws)`` once the work has taken two seconds.

        Returns
        -------
        SemBootstrap
            Its `failed` counts draws without solution, `improper` those with an impossible one.

        Raises
        ------
        ImproperSolution
            When the solution itself may not be read.
        """
        self.refuse()
        return resample(
            self.structure,
            self.sample,
            self.theta,
            draws=draws,
            seed=seed,
            level=self.level if level is None else level,
            progress=progress,
        )

    def _tests(self, found: Uncertain) -> dict[str, FloatArray]:
        with np.errstate(all="ignore"):
            z = np.where(found.se > 0, found.estimate / found.se, np.nan)
        p = np.array([2 * NORMAL.cdf(-abs(value)) for value in z])
        return {"z": z, "p": p}

    def _repr_html_(self) -> str:
        head = (
            f"<p>Structural model of {len(self.specification.items)} items and "
            f"{len(self.constructs)} constructs, {self.respondents:,} respondents: "
            f"{escape(str(self.indices))}.</p>"
        )
        notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in self.notes)
        if self.problems:
            listed = "".join(f"<li>{escape(str(problem))}</li>" for problem in self.problems)
            return (
                f"{head}<p><strong>The solution is improper and must not be read, however well "
                f"the model fits:</strong></p><ul>{listed}</ul>{notes}"
            )
        table = self.parameters().drop(columns=["standardised_se"])
        return (
            head + table.to_html(index=False, na_rep="", float_format=lambda v: f"{v:,.3f}") + notes
        )
