"""The likelihood of a logit model over tasks of any size, and its maximum by Newton's method.

The rows of a task stand together, and all sums over a task are sums of segments, so tasks may show
different numbers of alternatives.  Columns enter as differences from the chosen alternative: the
probability of the choice is then 1 / sum of exp(difference), which neither overflows nor cancels.
The log-likelihood is concave, so a step that is halved where it leads down always arrives, unless
there is no largest value (see :mod:`keycustomer.pricing.choice.identification`).

Sources: McFadden (1974), "Conditional logit analysis of qualitative choice behavior", in Frontiers
in Econometrics; Train (2009), chapter 3 and section 8.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray

IntArray = npt.NDArray[np.int64]

STEPS = 100
"""Most Newton steps; a fit takes five to eight."""

STILL = 1e-18
"""Newton's decrement per task at which the next step is the last one."""

LEAST_SHARE = 1e-8
"""Smallest part of a step that is tried before the walk is said to be at rest."""


@dataclass(frozen=True, eq=False)
class Tasks:
    """Tasks as numbers.

    Attributes
    ----------
    difference : ndarray, shape (rows, columns)
        Columns of each alternative less those of the chosen one in its task.
    starts : ndarray of int, shape (tasks,)
        First row of each task.
    chosen : ndarray of bool, shape (rows,)
        Whether the alternative was chosen.
    """

    difference: FloatArray
    starts: IntArray
    chosen: npt.NDArray[np.bool_]

    @property
    def sizes(self) -> IntArray:
        """Number of alternatives of each task."""
        return np.diff(self.starts, append=len(self.difference))

    def probabilities(self, place: FloatArray) -> FloatArray:
        """Probability of each alternative, shape (rows,)."""
        return self._weights(self.difference @ place)[0]

    def log_likelihood(self, place: FloatArray) -> float:
        """Log-likelihood of the choices."""
        return float(self._weights(self.difference @ place)[1].sum())

    def scores(self, place: FloatArray) -> FloatArray:
        """Derive each task's log-likelihood by the coefficients, shape (tasks, columns)."""
        return -self.sums(self.difference * self.probabilities(place)[:, None])

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum rows by task."""
        return np.add.reduceat(values, self.starts, axis=0)

    def curvature(self, place: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Score and information of all tasks, shapes (columns,) and (columns, columns)."""
        weighted = self.difference * self.probabilities(place)[:, None]
        means = self.sums(weighted)
        return -means.sum(axis=0), self.difference.T @ weighted - means.T @ means

    def _weights(self, utility: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probabilities of the alternatives, and log-probabilities of the choices."""
        largest = np.maximum.reduceat(utility, self.starts)
        weights = np.exp(utility - np.repeat(largest, self.sizes))
        total = np.add.reduceat(weights, self.starts)
        return weights / np.repeat(total, self.sizes), -largest - np.log(total)


@dataclass(frozen=True, eq=False)
class Peak:
    """Where the walk ended.

    Attributes
    ----------
    place : ndarray, shape (columns,)
        Coefficients.
    information : ndarray, shape (columns, columns)
        Negative second derivatives there.
    log_likelihood : float
        Log-likelihood there.
    at_rest : bool
        Whether no further step would gain anything.
    """

    place: FloatArray
    information: FloatArray
    log_likelihood: float
    at_rest: bool

    @property
    def inverse(self) -> FloatArray:
        """Inverse of the information, whatever units the columns are in."""
        units = np.sqrt(np.diag(self.information))
        own = np.linalg.inv(self.information / np.outer(units, units))
        return np.asarray(own / np.outer(units, units), dtype=np.float64)


def tasks_of(design: FloatArray, starts: IntArray, chosen: npt.NDArray[np.bool_]) -> Tasks:
    """Take differences from the chosen alternatives.

    Parameters
    ----------
    design : ndarray, shape (rows, columns)
        Columns of the alternatives.
    starts : ndarray of int, shape (tasks,)
        First row of each task.
    chosen : ndarray of bool, shape (rows,)
        One True in each task.
    """
    sizes = np.diff(starts, append=len(design))
    taken = np.repeat(np.flatnonzero(chosen), sizes)
    return Tasks(np.ascontiguousarray(design - design[taken]), starts, chosen)


def log_probabilities(utility: FloatArray, starts: IntArray) -> FloatArray:
    """Logarithm of the logit probabilities, shape (rows,) or (rows, draws).

    Parameters
    ----------
    utility : ndarray, shape (rows,) or (rows, draws)
        Utility of each alternative.
    starts : ndarray of int, shape (tasks,)
        First row of each task.
    """
    sizes = np.diff(starts, append=len(utility))
    centred = utility - np.repeat(np.maximum.reduceat(utility, starts, axis=0), sizes, axis=0)
    total = np.add.reduceat(np.exp(centred), starts, axis=0)
    return centred - np.repeat(np.log(total), sizes, axis=0)


def climb_logit(tasks: Tasks) -> Peak:
    """Walk to the largest log-likelihood, from coefficients of zero.

    Columns are brought to a like size first: a price of millions beside a share of thousandths
    would else cost the steps their digits.
    """
    units = _units(tasks.difference)
    peak = _climb(Tasks(tasks.difference / units, tasks.starts, tasks.chosen))
    information = peak.information * np.outer(units, units)
    return Peak(peak.place / units, information, peak.log_likelihood, peak.at_rest)


def _units(difference: FloatArray) -> FloatArray:
    """Power of two near the size of each column: to divide by it costs no digit."""
    size = np.abs(difference).max(axis=0, initial=0.0)
    return np.exp2(np.round(np.log2(np.where(size > 0, size, 1.0))))


def _climb(tasks: Tasks) -> Peak:
    place = np.zeros(tasks.difference.shape[1])
    best, at_rest = tasks.log_likelihood(place), not place.size
    for _ in range(STEPS if place.size else 0):
        score, information = tasks.curvature(place)
        step = np.asarray(np.linalg.lstsq(information, score, rcond=None)[0], dtype=np.float64)
        place, best, moved = _uphill(tasks, place, step, best)
        at_rest = not moved or float(score @ step) <= STILL * len(tasks.starts)
        if at_rest:
            break
    return Peak(place, tasks.curvature(place)[1], best, at_rest)


def _uphill(
    tasks: Tasks, place: FloatArray, step: FloatArray, best: float
) -> tuple[FloatArray, float, bool]:
    """Go as far along the step as it leads up, and tell whether it did at all."""
    share = 1.0
    while share > LEAST_SHARE:
        reached = tasks.log_likelihood(place + share * step)
        if reached >= best - 1e-12 * abs(best):
            return place + share * step, reached, True
        share /= 2
    return place, best, False
