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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from keycustomer.lifetime.discrete.powers import FAMILIES, ChanceLaw, Family
from keycustomer.lifetime.newton import Optimum, maximise
from keycustomer.stats.samples import FloatArray

SMALL = 5_000
"""Terms of a likelihood up to which data are few: all limits are tried where there is doubt."""

LOOSE = 0.3
"""Relative standard error from which a parameter is so loose that a limit may be better."""

FAR = 7.0
"""A log-parameter beyond this, where a search did not settle, is on its way to a limit."""

WIDEST = 1e6
"""Parameters of beta laws beyond this, or below its inverse, are no place to begin at."""

SAME = 1e-9
"""Log-likelihoods this close, relative to their size, are the same: then the simpler law is it."""

SIMPLEST = tuple(FAMILIES)
"""Kinds of law, the simplest first."""

FLAT = (
    "The data do not tell the parameters apart: others have the same likelihood, so that there "
    "are no standard errors."
)
"""Note on parameters that are not the only ones with their likelihood."""


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


def begin_again(searched: FloatArray, otherwise: Sequence[float]) -> FloatArray:
    """Give a place to begin another search at: where one of beta laws ended, if it did there."""
    if searched.size != len(otherwise):
        return np.asarray(otherwise, dtype=float)
    return np.clip(searched, 10 / WIDEST, WIDEST / 10)


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

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the parameters."""
        return () if self.identified else (FLAT,)


def fit_laws(
    sight: Sight,
    starts: Sequence[Sequence[float] | FloatArray],
    laws: int,
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

    Returns
    -------
    LawFit

    Raises
    ------
    ValueError
        When a start holds too few or too many numbers, or one that is not above 0.
    """
    for start in starts:
        _check_start(start, 2 * laws)
    search = _Contest(sight)
    kinds = ("beta",) * laws
    search.enter(kinds, starts[0])
    small = sight.cells <= SMALL
    if not search.settled or (small and search.loose):
        for start in starts[1:] if small else ():
            search.enter(kinds, start)
        everything = itertools.product(FAMILIES, repeat=laws)
        for limits in everything if small else search.suspected():
            if limits != kinds:
                search.enter(limits)
    return search.winner()


def _check_start(start: Sequence[float] | FloatArray, size: int) -> None:
    try:
        given = np.asarray(start, dtype=float)
    except (TypeError, ValueError):
        given = np.empty(0)
    if given.shape != (size,) or not ((given > 1 / WIDEST) & (given < WIDEST)).all():
        raise ValueError(
            f"start={start!r}: {size} numbers between {1 / WIDEST:g} and {WIDEST:g} are needed"
        )


class _Contest:
    """Families that were tried, and where the search for each ended."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.entries: list[tuple[tuple[str, ...], Optimum]] = []
        self.evaluations = 0

    @property
    def settled(self) -> bool:
        """Whether the first search found an inner maximum, and not one on the way to a limit."""
        first = self.entries[0][1]
        return first.inner and bool((np.abs(np.log(first.parameters)) < FAR).all())

    @property
    def loose(self) -> bool:
        """Whether the first search left a parameter open within wide bounds."""
        first = self.entries[0][1]
        errors = np.sqrt(np.diag(first.covariance)) / first.parameters
        return bool((errors > LOOSE).any())

    def suspected(self) -> Iterable[tuple[str, ...]]:
        """Give the kinds of laws to which the first search was on its way."""
        reached = np.log(self.entries[0][1].parameters)
        away = np.abs(reached).reshape(-1, 2).max(axis=1) > FAR
        if not away.any():
            away[:] = True
        return itertools.product(*(tuple(FAMILIES) if gone else ("beta",) for gone in away))

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
