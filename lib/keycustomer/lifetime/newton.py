"""Maximum likelihood by damped Newton steps with exact derivatives.

Where is the likelihood largest, and how sure is that place?  :func:`maximise` takes a function
that gives value, score and Hessian in natural parameters, walks in the logarithms of those that
are positive, and stops when a further step could gain nothing measurable (the Newton decrement).
It never raises for a hard likelihood: an :class:`Optimum` says whether it stands at an inner
maximum or ran towards infinity, where the model's file looks for the limit.

Source: Boyd & Vandenberghe, "Convex Optimization" (2004), section 9.5, for the decrement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from keycustomer.stats.samples import FloatArray

Derivatives: TypeAlias = tuple[float, FloatArray, FloatArray]
"""Log-likelihood, score (k,) and Hessian (k, k)."""

Objective: TypeAlias = Callable[[FloatArray], Derivatives]
"""Gives them at natural parameters (k,)."""

LONGEST_STEP = 2.0
"""Largest change of a log-parameter in one step: a factor of seven."""

SMALLEST_GAIN = 1e-13
"""Expected gain of a further step, relative to the log-likelihood, that counts as none."""

BOUND = 14.0
"""A log-parameter beyond this is on its way to infinity: a million to one."""

FLATTEST = 1e-9
"""Curvature, relative to the steepest direction, below which a direction counts as flat."""


@dataclass(frozen=True)
class Optimum:
    """Where a search for the maximum ended.

    Attributes
    ----------
    parameters : ndarray, shape (k,)
        Natural parameters.
    log_likelihood : float
        Its value there.
    covariance : ndarray, shape (k, k)
        Inverse of the observed information, natural scale; NaN away from an inner maximum.
    evaluations : int
        Times the objective was computed.
    inner : bool
        Whether this is an inner maximum: False when the search ran towards infinity, stalled, or
        ended where the likelihood is flat.
    """

    parameters: FloatArray
    log_likelihood: float
    covariance: FloatArray
    evaluations: int
    inner: bool


def maximise(
    objective: Objective,
    start: Sequence[float] | FloatArray,
    *,
    positive: Sequence[bool] | None = None,
    most_steps: int = 200,
    at_start: Derivatives | None = None,
    smallest_gain: float = SMALLEST_GAIN,
) -> Optimum:
    """Walk to the maximum of a log-likelihood.

    Parameters
    ----------
    objective : callable
        Gives log-likelihood, score and Hessian at natural parameters; it may return a value that
        is not finite where it cannot be computed, and the step is then halved.
    start : array, shape (k,)
        Natural parameters to begin at.
    positive : sequence of bool, optional
        Which parameters are positive and searched in logarithms; left out, all.
    most_steps : int
        Steps after which the search gives up and says that it stands at no inner maximum.
    at_start : tuple, optional
        What the objective gives at the start, where that is known already.
    smallest_gain : float
        Expected gain, relative to the log-likelihood, below which a step is the last one.

    Returns
    -------
    Optimum
        The place reached; never an exception for a likelihood without a maximum.
    """
    search = _Search(objective, np.asarray(start, dtype=float), positive, at_start)
    for _ in range(most_steps):
        step, gain, flat = search.step()
        if gain <= smallest_gain * max(1.0, abs(search.value)):
            search.finish(step, gain, flat)
            return search.optimum(inner=not flat)
        if not search.walk(step) or search.far():
            break
    return search.optimum(inner=False)


def positive_numbers(start: object, count: int) -> FloatArray | None:
    """Read parameters to begin at; None where they are not so many finite positive numbers."""
    try:
        given = np.asarray(start, dtype=float)
    except (TypeError, ValueError):
        return None
    fits = given.shape == (count,) and bool((np.isfinite(given) & (given > 0)).all())
    return given if fits else None


class _Search:
    """The place of a search, in logarithms of the positive parameters."""

    def __init__(
        self,
        objective: Objective,
        start: FloatArray,
        positive: Sequence[bool] | None,
        at_start: Derivatives | None,
    ) -> None:
        self.objective = objective
        self.positive = np.ones(start.size, bool) if positive is None else np.asarray(positive)
        self.evaluations = 0
        self.z = np.where(self.positive, np.log(np.where(self.positive, start, 1.0)), start)
        known = None if at_start is None else self.scaled(start, at_start)
        self.value, self.score, self.hessian = known or self.evaluate(self.z)

    def natural(self, z: FloatArray) -> FloatArray:
        return np.where(self.positive, np.exp(np.where(self.positive, z, 0.0)), z)

    def evaluate(self, z: FloatArray) -> Derivatives:
        """Value and derivatives with regard to z."""
        self.evaluations += 1
        parameters = self.natural(z)
        return self.scaled(parameters, self.objective(parameters))

    def scaled(self, parameters: FloatArray, found: Derivatives) -> Derivatives:
        """Turn derivatives with regard to natural parameters into those with regard to z."""
        value, score, hessian = found
        slope = np.where(self.positive, parameters, 1.0)
        score = score * slope
        hessian = hessian * np.outer(slope, slope) + np.diag(np.where(self.positive, score, 0.0))
        return value, score, hessian

    def step(self) -> tuple[FloatArray, float, bool]:
        """Newton step, the gain it promises, and whether some direction is flat or rising."""
        curvature, directions = np.linalg.eigh(-self.hessian)
        steepest = max(float(np.abs(curvature).max()), np.finfo(float).tiny)
        flat = bool(curvature.min() < FLATTEST * steepest)
        size = np.maximum(np.abs(curvature), 1e-12 * steepest)
        step = directions @ ((directions.T @ self.score) / size)
        gain = 0.5 * float(self.score @ step)
        longest = float(np.abs(step).max())
        return step * min(1.0, LONGEST_STEP / max(longest, LONGEST_STEP)), gain, flat

    def walk(self, step: FloatArray) -> bool:
        """Take the step, halved until the likelihood rises; False when it does not."""
        share = 1.0
        slope = float(self.score @ step)
        noise = 1e-13 * abs(self.value)
        while share > 1e-8:
            place = self.z + share * step
            reached = self.evaluate(place)
            finite = all(np.isfinite(part).all() for part in reached)
            if finite and reached[0] >= self.value + 1e-4 * share * slope - noise:
                self.z = place
                self.value, self.score, self.hessian = reached
                return True
            share /= 2
        return False

    def finish(self, step: FloatArray, gain: float, flat: bool) -> None:
        """Take the last step unseen: it gains what it promises, but for the third order."""
        if not flat:
            self.z = self.z + step
            self.value += gain

    def far(self) -> bool:
        """Whether a positive parameter runs towards zero or infinity."""
        return bool((np.abs(self.z[self.positive]) > BOUND).any())

    def optimum(self, *, inner: bool) -> Optimum:
        covariance = np.full(self.hessian.shape, np.nan)
        if inner:
            slope = np.where(self.positive, self.natural(self.z), 1.0)
            covariance = np.linalg.inv(-self.hessian) * np.outer(slope, slope)
        return Optimum(self.natural(self.z), float(self.value), covariance, self.evaluations, inner)
