"""The coefficients under which the covariances seen are most likely.

Where is the discrepancy of a model least?  :func:`walk` takes damped Newton steps from given
coefficients, Fisher-scoring steps where the discrepancy bends downward, for many covariance
matrices at once (bootstrap draws start at the solution of the answers themselves and need three
or four steps), until a further step would move no
coefficient by a noticeable part of its standard error.  :func:`search` fits one matrix from
scratch: from two sets of start values, with a quasi-Newton search where scoring stalls.

Source: Jöreskog, "A general method for analysis of covariance structures" (Biometrika 57, 1970).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.dimensions.structural.ram import Evaluation, Structure
from keycustomer.dimensions.structural.start import start_values
from keycustomer.stats.samples import FloatArray

EXACT = 1e-15
"""Squared length of a last step of a fit, in standard errors: digits beyond the eighth."""

DRAWN = 1e-8
"""The same of a bootstrap draw: a ten-thousandth of a standard error."""

SHORTEST = 1e-4
"""Part of a step below which a search has stalled."""

FLATTEST = 1e-6
"""Curvature, of coefficients scaled to expected curvature 1, that counts as none."""

TOGETHER = 64
"""Draws computed together: their matrices stay in the processor's cache."""

MOST_STEPS = 80
"""Steps of a fit."""

MOST_DRAWN_STEPS = 60
"""Steps of a bootstrap draw."""


@dataclass(frozen=True, eq=False)
class Solutions:
    """Where searches ended, a row a covariance matrix.

    Attributes
    ----------
    theta : ndarray, shape (draws, free)
        Free coefficients.
    discrepancy : ndarray, shape (draws,)
        Less what only the seen covariances determine.
    converged : ndarray of bool, shape (draws,)
        Whether it is a minimum.
    steps : int
        Steps of the longest search.
    """

    theta: FloatArray
    discrepancy: FloatArray
    converged: np.ndarray
    steps: int


def search(structure: Structure, seen: FloatArray, respondents: int) -> Solutions:
    """Fit one covariance matrix, shape (items, items), from scratch."""
    best: Solutions | None = None
    for start in start_values(structure, seen):
        found = walk(structure, seen[None], start[None], respondents)
        if not found.converged[0]:
            bent = _quasi_newton(structure, seen, found.theta[0])
            found = walk(structure, seen[None], bent[None], respondents)
        if found.converged[0]:
            return found
        if best is None or found.discrepancy[0] < best.discrepancy[0]:
            best = found
    assert best is not None  # noqa: S101 - there are always start values
    return best


def walk_all(
    structure: Structure, seen: FloatArray, start: FloatArray, respondents: int
) -> Solutions:
    """Fit many covariance matrices from one set of coefficients, a cacheful at a time.

    Parameters
    ----------
    structure : Structure
        The model.
    seen : ndarray, shape (draws, items, items)
        Covariance matrices.
    start : ndarray, shape (free,)
        Coefficients to begin at.
    respondents : int
        How many each matrix rests on.
    """
    parts = []
    for first in range(0, len(seen), TOGETHER):
        part = seen[first : first + TOGETHER]
        begin = np.broadcast_to(start, (len(part), start.size)).copy()
        parts.append(
            walk(structure, part, begin, respondents, exact=DRAWN, most_steps=MOST_DRAWN_STEPS)
        )
    return Solutions(
        np.concatenate([part.theta for part in parts]),
        np.concatenate([part.discrepancy for part in parts]),
        np.concatenate([part.converged for part in parts]),
        max(part.steps for part in parts),
    )


def walk(
    structure: Structure,
    seen: FloatArray,
    start: FloatArray,
    respondents: int,
    *,
    exact: float = EXACT,
    most_steps: int = MOST_STEPS,
) -> Solutions:
    """Walk to the minima.

    Parameters
    ----------
    structure : Structure
        The model.
    seen : ndarray, shape (draws, items, items)
        Covariance matrices.
    start : ndarray, shape (draws, free)
        Coefficients to begin at.
    respondents : int
        How many each matrix rests on.
    exact : float
        Squared length in standard errors below which a step is the last.
    most_steps : int
        Steps after which a search is given up.
    """
    theta = start.copy()
    draws = len(theta)
    converged = np.zeros(draws, bool)
    here = structure.evaluate(theta, seen)
    going = np.flatnonzero(np.isfinite(here.value))
    steps = 0
    while going.size and steps < most_steps:
        steps += 1
        now = here.at(going)
        step = _steps(now)
        gain = np.einsum("dk,dk->d", step, now.gradient)
        last = (gain >= 0) & (gain * respondents < exact)
        ended = going[last]
        theta[ended] -= step[last]
        converged[ended] = True
        going, step, gain = going[~last], step[~last], gain[~last]
        if going.size:
            moved = _take(structure, seen, theta, here, going, step, gain)
            going = going[moved]
    return Solutions(theta, here.value, converged, steps)


def _steps(now: Evaluation) -> FloatArray:
    """Newton steps; curvature is scaled first, since items may have very different units."""
    diagonal = np.einsum("dkk->dk", now.curvature)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scales = scale[:, :, None] * scale[:, None, :]
    scaled = now.exact * scales
    downward = ~_rises_everywhere(scaled)
    scaled[downward] = (now.curvature * scales)[downward]
    right = (now.gradient * scale)[:, :, None]
    try:
        step = np.linalg.solve(scaled, right)
    except np.linalg.LinAlgError:
        step = np.linalg.pinv(scaled, rcond=1e-10, hermitian=True) @ right
    return step[:, :, 0] * scale


def _rises_everywhere(curvature: FloatArray) -> np.ndarray:
    """Whether each matrix is positive definite, and by more than rounding."""
    lowered = curvature - FLATTEST * np.eye(curvature.shape[1])
    try:
        np.linalg.cholesky(lowered)
    except np.linalg.LinAlgError:
        return np.linalg.eigvalsh(lowered)[:, 0] > 0
    return np.ones(len(curvature), bool)


def _take(
    structure: Structure,
    seen: FloatArray,
    theta: FloatArray,
    here: Evaluation,
    going: np.ndarray,
    step: FloatArray,
    gain: FloatArray,
) -> np.ndarray:
    """Take the steps, each halved until its discrepancy falls; tell which did."""
    moved = np.zeros(going.size, bool)
    open_ = np.arange(going.size)
    share = 1.0
    while open_.size and share >= SHORTEST:
        rows = going[open_]
        place = theta[rows] - share * step[open_]
        there = structure.evaluate(place, seen[rows])
        noise = 1e-13 * np.abs(here.value[rows])
        falls = there.value <= here.value[rows] - 1e-4 * share * gain[open_] + noise
        theta[rows[falls]] = place[falls]
        here.put(rows[falls], there.at(falls))
        moved[open_[falls]] = True
        open_ = open_[~falls]
        share /= 2
    return moved


def _quasi_newton(structure: Structure, seen: FloatArray, start: FloatArray) -> FloatArray:
    """Go on where scoring has stalled, in coefficients scaled by their curvature."""
    from scipy.optimize import minimize

    begin = structure.evaluate(start[None], seen[None])
    if not np.isfinite(begin.value[0]):
        return start
    diagonal = np.diag(begin.curvature[0])
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))

    def objective(scaled: FloatArray) -> tuple[float, FloatArray]:
        there = structure.evaluate((scaled * scale)[None], seen[None])
        if not np.isfinite(there.value[0]):
            return 1e10, np.zeros(scaled.size)
        return float(there.value[0]), there.gradient[0] * scale

    options = {"maxiter": 300, "gtol": 1e-7}
    found = minimize(objective, start / scale, jac=True, method="BFGS", options=options)
    return np.asarray(found.x * scale, dtype=float)
