"""Simulated likelihood of choices by respondents whose coefficients differ.

The probability of all the choices of a respondent is averaged over draws of the coefficients; the
same draws serve all tasks of a respondent, since it is one person.  Halton draws cover the unit
cube more evenly than random ones.  The logarithm of an average over few draws is too small, by an
amount that shrinks with their number: log-likelihoods are comparable at equal draws only.

Sources: Train (2009), chapters 6, 9 and 11; Bhat (2001), Transportation Research Part B 35,
677-693; Owen (2017), arXiv:1706.02808, for scrambled Halton points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, ndtri

from keycustomer.pricing.choice.mixing import FURTHEST, Mixing
from keycustomer.stats.samples import FloatArray

CELLS = 2**20
"""Utilities held at once (8 MiB)."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Tasks by respondent, padded to one shape.

    Attributes
    ----------
    difference : ndarray, shape (respondents, tasks, others, coefficients)
        Columns of the alternatives that were not chosen less those of the chosen one.
    there : ndarray, shape (respondents, tasks, others)
        1 where the alternative was shown, 0 where the place is empty.
    respondents : ndarray
        Who they are.
    """

    difference: FloatArray
    there: FloatArray
    respondents: npt.NDArray[np.generic]

    def blocks(self, draws: int) -> Iterator[slice]:
        """Respondents that are computed together."""
        n, tasks, others, _ = self.difference.shape
        step = max(int(CELLS // max(tasks * others * draws, 1)), 1)
        for first in range(0, n, step):
            yield slice(first, first + step)


def panel_of(
    difference: FloatArray,
    starts: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.bool_],
    who: npt.NDArray[np.int64],
    names: npt.NDArray[np.generic],
) -> Panel:
    """Arrange tasks by respondent.

    Parameters
    ----------
    difference : ndarray, shape (rows, coefficients)
        Columns less those of the chosen alternative.
    starts : ndarray of int, shape (tasks,)
        First row of each task.
    chosen : ndarray of bool, shape (rows,)
        Whether the alternative was chosen.
    who : ndarray of int, shape (tasks,)
        Respondent of each task, ascending.
    names : ndarray, shape (respondents,)
        Who they are.
    """
    sizes = np.diff(starts, append=len(difference))
    task = np.repeat(np.arange(len(starts)), sizes)[~chosen]
    first = np.searchsorted(task, np.arange(len(starts)))
    place = np.arange(len(task)) - first[task]
    nth = np.arange(len(who)) - np.searchsorted(who, who)
    shape = (len(names), int(nth.max()) + 1, int(place.max()) + 1)
    padded = np.zeros((*shape, difference.shape[1]))
    there = np.zeros(shape)
    at = (who[task], nth[task], place)
    padded[at] = difference[~chosen]
    there[at] = 1.0
    return Panel(padded, there, names)


def normal_points(respondents: int, random: int, draws: int, seed: int) -> FloatArray:
    """Give standard normal numbers by scrambled Halton points.

    Parameters
    ----------
    respondents, random, draws : int
        Shape of the result.
    seed : int
        Of the scrambling.

    Returns
    -------
    ndarray, shape (respondents, random, draws)
    """
    from scipy.stats.qmc import Halton

    if random == 0:
        return np.zeros((respondents, 0, draws))
    points = Halton(random, scramble=True, rng=np.random.default_rng(seed))
    uniform = points.random(respondents * draws).reshape(respondents, draws, random)
    inside = np.clip(uniform, 1e-12, 1 - 1e-12)
    return np.ascontiguousarray(ndtri(inside).transpose(0, 2, 1))


def simulated_scores(
    parameters: FloatArray, panel: Panel, mixing: Mixing, draws: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of each respondent and its derivatives.

    Parameters
    ----------
    parameters : ndarray, shape (parameters,)
        Means and spreads, see :class:`Mixing`.
    panel : Panel
        The tasks.
    mixing : Mixing
        The distribution of the coefficients.
    draws : ndarray, shape (respondents, random, draws)
        Standard normal numbers.

    Returns
    -------
    (ndarray, ndarray)
        Shapes (respondents,) and (respondents, parameters).
    """
    values = np.empty(len(panel.there))
    scores = np.empty((len(panel.there), len(parameters)))
    for block in panel.blocks(draws.shape[2]):
        noise = draws[block]
        measured = mixing.measured(mixing.latent(parameters, noise))
        logs, slope = _choice_logs(panel, block, mixing.coefficients(measured))
        total = logsumexp(logs, axis=1, keepdims=True)
        values[block] = total[:, 0] - np.log(noise.shape[2])
        weighted = mixing.back(slope, measured) * np.exp(logs - total)[:, None, :]
        scores[block, : weighted.shape[1]] = weighted.sum(axis=2)
        scores[block, weighted.shape[1] :] = (weighted[:, mixing.random] * noise).sum(axis=2)
    return values, scores


def mean_measured(
    parameters: FloatArray, panel: Panel, mixing: Mixing, draws: FloatArray
) -> FloatArray:
    """Mean coefficients or worths of each respondent, given its choices.

    Returns
    -------
    ndarray, shape (respondents, coefficients)
        Train (2009), equation 11.5.
    """
    found = np.empty((len(panel.there), len(mixing.kinds)))
    for block in panel.blocks(draws.shape[2]):
        measured = mixing.measured(mixing.latent(parameters, draws[block]))
        logs, _ = _choice_logs(panel, block, mixing.coefficients(measured))
        share = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
        found[block] = (measured * share[:, None, :]).sum(axis=2)
    return found


def _choice_logs(
    panel: Panel, block: slice, coefficients: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log-probability of the choices at each draw, and its derivatives by the coefficients.

    Returns
    -------
    (ndarray, ndarray)
        Shapes (respondents, draws) and (respondents, coefficients, draws).
    """
    n, tasks, others, columns = panel.difference[block].shape
    flat = panel.difference[block].reshape(n, tasks * others, columns)
    odds = np.exp(np.minimum(flat @ coefficients, FURTHEST))
    odds *= panel.there[block].reshape(n, -1, 1)
    by_task = odds.reshape(n, tasks, others, -1)
    total = 1.0 + by_task.sum(axis=2)
    by_task /= total[:, :, None]
    return -np.log(total).sum(axis=1), -(flat.transpose(0, 2, 1) @ odds)
