"""Fitting laws of chances by maximum likelihood, limits included.

A likelihood made of expected powers of probabilities is a continuous function of their laws, and
the beta laws together with their limits are a closed set: so it has a maximum there, always.
:func:`fit_laws` looks for it among the beta laws, and among the limits wherever the search runs
away or the data are so few that a limit may be better.

Main names: :class:`Sight`, what one kind of likelihood sees of the customers; :func:`fit_laws`;
:class:`LawFit`, its result.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from keycustomer.lifetime.newton import Optimum, maximise
from keycustomer.lifetime.powers import FAMILIES, ChanceLaw, Family
from keycustomer.stats.samples import FloatArray

SMALL = 20_000
"""Cells of a likelihood up to which all limits are tried, the search's success notwithstanding."""

SAME = 1e-9
"""Log-likelihoods this close, relative to their size, are the same: then the simpler law is it."""

SIMPLEST = tuple(FAMILIES)
"""Kinds of law, the simplest first."""


class Sight(ABC):
    """What a likelihood sees of the customers.

    Attributes
    ----------
    cells : int
        Terms of the likelihood, which set the price of computing it.
    """

    cells: int

    @abstractmethod
    def objective(
        self, families: Sequence[Family], parameters: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """Log-likelihood, score and Hessian at the joined parameters of the families."""


@dataclass(frozen=True, eq=False)
class LawFit:
    """Laws with the largest likelihood.

    Attributes
    ----------
    kinds : tuple of str
        Kind of each law, a key of `FAMILIES`.
    laws : tuple
        The laws.
    values : ndarray, shape (k,)
        Their free parameters: those of beta laws, the probability of a point law, the share of a
        split law.
    covariance : ndarray, shape (k, k)
        From the observed information; NaN where the data do not tell the parameters apart.
    log_likelihood : float
    searched : ndarray, shape (k,)
        The parameters as searched, to begin another search at.
    evaluations : int
    identified : bool
        Whether the parameters are the only ones with this likelihood nearby.
    """

    kinds: tuple[str, ...]
    laws: tuple[ChanceLaw, ...]
    values: FloatArray
    covariance: FloatArray
    log_likelihood: float
    searched: FloatArray
    evaluations: int
    identified: bool


def fit_laws(
    sight: Sight,
    starts: Sequence[Sequence[float] | FloatArray],
    laws: int,
    *,
    thorough: bool = True,
) -> LawFit:
    """Find the laws with the largest likelihood.

    Parameters
    ----------
    sight : Sight
        The likelihood.
    starts : sequence of sequences of float
        Parameters of beta laws to begin at; those after the first are tried on small data.
    laws : int
        Number of laws.
    thorough : bool
        Whether to try limits and further starts on small data although the search ended well.

    Returns
    -------
    LawFit
    """
    search = _Contest(sight)
    kinds = ("beta",) * laws
    search.enter(kinds, starts[0])
    small = sight.cells <= SMALL
    if not search.settled or (thorough and small):
        for start in starts[1:] if small else ():
            search.enter(kinds, start)
        for limits in itertools.product(FAMILIES, repeat=laws):
            if limits != kinds:
                search.enter(limits)
    return search.winner()


class _Contest:
    """Families that were tried, and where the search for each ended."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.entries: list[tuple[tuple[str, ...], Optimum]] = []
        self.evaluations = 0

    @property
    def settled(self) -> bool:
        """Whether an inner maximum was found."""
        return any(optimum.inner for _, optimum in self.entries)

    def enter(
        self, kinds: tuple[str, ...], start: Sequence[float] | FloatArray | None = None
    ) -> None:
        """Search the families of these kinds, where the data do not rule them out."""
        families = [FAMILIES[kind] for kind in kinds]
        if start is None:
            start = [value for family in families for value in family.start]
        begin = np.asarray(start, dtype=float)
        objective = self._objective(families)
        value, _, _ = objective(begin)
        self.evaluations += 1
        if not np.isfinite(value):
            return
        if begin.size:
            optimum = maximise(objective, begin)
            self.evaluations += optimum.evaluations
        else:
            optimum = Optimum(begin, value, np.empty((0, 0)), 1, True)
        self.entries.append((kinds, optimum))

    def _objective(
        self, families: Sequence[Family]
    ) -> Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]:
        return lambda parameters: self.sight.objective(families, parameters)

    def winner(self) -> LawFit:
        """Give the largest likelihood; of equal ones, an inner maximum with few parameters.

        The last law, by which customers leave, is simplified first: nobody leaves unless the data
        say so.
        """
        largest = max(optimum.log_likelihood for _, optimum in self.entries)
        tolerance = SAME * max(1.0, abs(largest))
        kinds, best = min(
            (entry for entry in self.entries if entry[1].log_likelihood >= largest - tolerance),
            key=lambda entry: (
                not entry[1].inner,
                entry[1].parameters.size,
                [SIMPLEST.index(kind) for kind in reversed(entry[0])],
                -entry[1].log_likelihood,
            ),
        )
        return _reported(kinds, best, self.evaluations)


def _reported(kinds: tuple[str, ...], best: Optimum, evaluations: int) -> LawFit:
    laws, values, slopes, place = [], [], [], 0
    for family in (FAMILIES[kind] for kind in kinds):
        part = best.parameters[place : place + len(family.start)]
        place += part.size
        value, slope = family.reported(part)
        laws.append(family.law(part))
        values.append(value)
        slopes.append(slope)
    slope = np.concatenate(slopes)
    covariance = best.covariance * np.outer(slope, slope)
    return LawFit(
        kinds,
        tuple(laws),
        np.concatenate(values),
        covariance,
        best.log_likelihood,
        best.parameters,
        evaluations,
        best.inner,
    )
