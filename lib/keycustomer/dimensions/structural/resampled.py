"""Bootstrap of a structural model: how its numbers would differ with other respondents.

:func:`resample` draws respondents with replacement and fits the model to each draw, beginning at
the solution of the answers themselves, dozens of draws at a time.  Draws that have no solution
are counted and left out, draws with an impossible one are counted and kept, as leaving them out
would cut the spread short.  :class:`SemBootstrap` has every table of a fit with percentile
intervals, which follow the skewness of indirect effects.

Source: Bollen & Stine, "Direct and indirect effects: classical and bootstrap estimates of
variability" (Sociological Methodology 20, 1990).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.structural.admissibility import Problem, improper_draws
from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.readings import Readings
from keycustomer.dimensions.structural.sample import Sample
from keycustomer.dimensions.structural.search import walk_all
from keycustomer.dimensions.structural.uncertainty import DrawnSpread
from keycustomer.stats import bootstrap
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

MOST_FAILED = 0.05
"""Share of draws without solution above which intervals would be too short to show."""


@dataclass(frozen=True, eq=False)
class SemBootstrap(Readings):
    """A structural model fitted to resamples of its respondents.

    Attributes
    ----------
    structure : Structure
        The model.
    theta : ndarray, shape (free,)
        Coefficients of the answers themselves.
    drawn : ndarray, shape (draws with a solution, free)
        Those of the draws.
    draws : int
        Draws asked for.
    failed : int
        Draws without solution.
    improper : int
        Draws with a negative variance or impossible correlations; they are kept.
    respondents : int
        Respondents.
    level : float
        Confidence level of the intervals.
    """

    structure: Structure = field(repr=False)
    theta: FloatArray = field(repr=False)
    drawn: FloatArray = field(repr=False)
    draws: int
    failed: int
    improper: int
    respondents: int
    level: float

    @cached_property
    def spread(self) -> DrawnSpread:
        """Percentile intervals."""
        return DrawnSpread(self.theta, self.drawn, self.level)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Too many draws without solution; empty when there are intervals to read."""
        if self.failed <= MOST_FAILED * self.draws and len(self.drawn) > 1:
            return ()
        return (
            Problem(
                "draws without solution",
                "",
                float(self.failed),
                f"{self.failed:,} of {counted(self.draws, 'bootstrap draw')} have no solution, "
                "and intervals from the others would be too short",
                "the sample is too small for the model, or the model nearly not identified: take "
                "items or paths out, or read the delta-method intervals of the fit with caution",
            ),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Draws without solution or with an impossible one."""
        said = []
        if self.failed:
            said.append(f"{counted(self.failed, 'draw')} without solution left out.")
        if self.improper:
            said.append(
                f"{counted(self.improper, 'draw')} with a negative variance or impossible "
                "correlations kept."
            )
        return tuple(said)

    def to_frame(self) -> pd.DataFrame:
        """Every coefficient with its percentile interval, as :meth:`parameters`."""
        return self.parameters()

    def _repr_html_(self) -> str:
        head = (
            f"<p>{self.draws:,} resamples of {self.respondents:,} respondents. "
            f"{escape(' '.join(self.notes))}</p>"
        )
        if self.problems:
            return head + f"<p><strong>{escape(str(self.problems[0]))}</strong></p>"
        table = self.paths().drop(columns=["standardised_se"])
        return head + table.to_html(index=False, na_rep="", float_format=lambda v: f"{v:,.3f}")


def resample(
    structure: Structure,
    sample: Sample,
    theta: FloatArray,
    *,
    draws: int,
    seed: Seed,
    level: float,
    progress: Progress | None = None,
) -> SemBootstrap:
    """Fit a model to resamples of its respondents, beginning at its solution.

    Parameters
    ----------
    structure, sample, theta
        The model, the answers and their solution.
    draws, seed, level, progress
        As in :meth:`SemFit.bootstrap`.
    """
    checked_level(level)
    centred, n = sample.centred, sample.respondents

    def fitted(weights: FloatArray) -> FloatArray:
        means = weights @ centred / n
        seen = np.stack([(centred * row[:, None]).T @ centred for row in weights]) / n
        seen -= means[:, :, None] * means[:, None, :]
        found = walk_all(structure, seen, theta, n)
        return np.where(found.converged[:, None], found.theta, np.nan)

    every = bootstrap(fitted, np.ones(n), draws=draws, seed=seed, progress=progress)
    solved = np.isfinite(every).all(axis=1)
    drawn = every[solved]
    improper = int(improper_draws(structure, drawn).sum()) if len(drawn) else 0
    return SemBootstrap(
        structure, theta, drawn, draws, int((~solved).sum()), improper, n, float(level)
    )
