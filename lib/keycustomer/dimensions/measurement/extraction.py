"""Extraction of factors by maximum likelihood, from a correlation matrix.

How much of every item do common factors explain?  :func:`extract_factors` finds the
uniquenesses (shares of variance that an item does not share) under which the correlations are
likeliest, by Newton's method with the exact Hessian in their logarithms, from several starts.  A
uniqueness that runs against its lower bound is a Heywood case: the item would be explained
perfectly, which means too many factors, too few respondents or a copied item.

Sources: Jöreskog, "Some contributions to maximum likelihood factor analysis" (Psychometrika 1967);
Lawley & Maxwell, "Factor Analysis as a Statistical Method" (1971), chapter 4 and appendix II (the
derivatives).  Bound as in R's factanal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray

Derivatives: TypeAlias = tuple[float, FloatArray, FloatArray]

LOWEST = 0.005
"""Lower bound of a uniqueness, as in R's factanal."""

STEPS = 200
"""Most Newton steps from one start."""

STILL = 1e-10
"""Largest free derivative at which a search ends."""

LAST_STEP = 1e-9
"""Decrease a Newton step promises below which it is taken unseen: rounding hides what it gains,
and it leaves an error of the order of this number."""


@dataclass(frozen=True, eq=False)
class Extraction:
    """Unrotated factors.

    Attributes
    ----------
    loadings : ndarray, shape (items, factors)
        Unrotated loadings, with diagonal L' inverse(Psi) L.
    uniquenesses : ndarray, shape (items,)
        Share of each item's variance that no factor explains.
    discrepancy : float
        Minimum of log det Sigma - log det R + trace(R inverse(Sigma)) - items.
    at_bound : ndarray of bool, shape (items,)
        Items whose uniqueness lies at the lower bound: Heywood cases.
    slope : float
        Largest derivative of a free log-uniqueness at the end.
    """

    loadings: FloatArray
    uniquenesses: FloatArray
    discrepancy: float
    at_bound: npt.NDArray[np.bool_]
    slope: float


def extract_factors(correlations: FloatArray, factors: int) -> Extraction:
    """Extract factors by maximum likelihood.

    Parameters
    ----------
    correlations : array, shape (items, items)
        Correlations, with an inverse.
    factors : int
        Number of factors; no more than :func:`most_factors` allows.

    Returns
    -------
    Extraction
        The likeliest of three starts.
    """
    ends = [_descend(correlations, factors, start) for start in _starts(correlations, factors)]
    logs, (discrepancy, gradient, _), free = min(ends, key=lambda end: round(end[1][0], 12))
    uniquenesses = np.exp(logs)
    slope = float(np.abs(gradient[free]).max(initial=0.0))
    loadings = _loadings(correlations, uniquenesses, factors)
    return Extraction(loadings, uniquenesses, discrepancy, ~free, slope)


def most_factors(items: int) -> int:
    """Most factors that leave at least no degrees of freedom below zero (Ledermann).

    Parameters
    ----------
    items : int
        Number of items.
    """
    return max((k for k in range(items) if freedom(items, k) >= 0), default=0)


def freedom(items: int, factors: int) -> int:
    """Degrees of freedom of the test that so many factors suffice.

    Parameters
    ----------
    items, factors : int
        Numbers of items and of factors.
    """
    return ((items - factors) ** 2 - items - factors) // 2


def _starts(correlations: FloatArray, factors: int) -> list[FloatArray]:
    """Logarithms of uniquenesses to begin at: factanal's start, the middle, close to none."""
    items = len(correlations)
    joereskog = (1 - factors / (2 * items)) / np.diag(np.linalg.inv(correlations))
    starts = [joereskog, np.full(items, 0.5), np.full(items, 0.1)]
    return [np.log(np.clip(start, LOWEST, 1.0)) for start in starts]


def _descend(
    correlations: FloatArray, factors: int, logs: FloatArray
) -> tuple[FloatArray, Derivatives, npt.NDArray[np.bool_]]:
    """Newton steps within the bounds until the free derivatives vanish."""
    lowest = np.log(LOWEST)
    here = _derivatives(correlations, factors, logs)
    for _ in range(STEPS):
        free = ~((logs <= lowest) & (here[1] > 0)) & ~((logs >= 0) & (here[1] < 0))
        if np.abs(here[1][free]).max(initial=0.0) < STILL:
            break
        step = np.zeros_like(logs)
        step[free] = _newton_step(here[1][free], here[2][np.ix_(free, free)])
        if -(here[1] @ step) < LAST_STEP:
            logs = np.clip(logs + step, lowest, 0.0)
            here = _derivatives(correlations, factors, logs)
            break
        moved = _line_search(correlations, factors, logs, here, step)
        if moved is None:
            break
        logs, here = moved
    return logs, here, ~((logs <= lowest) & (here[1] > 0))


def _newton_step(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Newton's step, with negative and tiny curvatures turned into safe ones."""
    roots, vectors = np.linalg.eigh(hessian)
    roots = np.maximum(np.abs(roots), 1e-3 * max(float(np.abs(roots).max()), 1e-3))
    return -vectors @ ((vectors.T @ gradient) / roots)


def _line_search(
    correlations: FloatArray,
    factors: int,
    logs: FloatArray,
    here: Derivatives,
    step: FloatArray,
) -> tuple[FloatArray, Derivatives] | None:
    """Shorten the step until the discrepancy falls; None when it falls no more."""
    part = 1.0
    while part > 1e-10:
        trial = np.clip(logs + part * step, np.log(LOWEST), 0.0)
        there = _derivatives(correlations, factors, trial)
        promised = float(here[1] @ (trial - logs))
        if there[0] <= here[0] + min(1e-4 * promised, 0.0):
            return trial, there
        part /= 2
    return None


def _derivatives(correlations: FloatArray, factors: int, logs: FloatArray) -> Derivatives:
    """Discrepancy, gradient and Hessian in the logarithms of the uniquenesses.

    With roots t and vectors w of Psi^-1/2 R Psi^-1/2 and the rest m beyond the factors:
    F = sum_m (t - log t - 1), dF/dx_i = sum_m (1 - t_m) w_im^2 (Lawley & Maxwell 1971, A2).
    """
    roots, vectors = _scaled_roots(correlations, np.exp(logs))
    rest, kept = slice(factors, None), slice(0, factors)
    t, w = roots[rest], vectors[:, rest]
    value = float((t - np.log(t) - 1).sum())
    gradient = (w**2) @ (1 - t)
    hessian = ((w * t) @ w.T) * (w @ w.T)
    for root, vector in zip(roots[kept], vectors[:, kept].T, strict=True):
        apart = np.where(root - t > 1e-12, root - t, 1e-12)
        inner = (w * ((1 - t) * (t + root) / apart)) @ w.T
        hessian += inner * np.outer(vector, vector)
    return value, gradient, hessian


def _scaled_roots(
    correlations: FloatArray, uniquenesses: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues, the largest first, and vectors of Psi^-1/2 R Psi^-1/2."""
    scale = 1 / np.sqrt(uniquenesses)
    roots, vectors = np.linalg.eigh(correlations * np.outer(scale, scale))
    return roots[::-1], vectors[:, ::-1]


def _loadings(correlations: FloatArray, uniquenesses: FloatArray, factors: int) -> FloatArray:
    roots, vectors = _scaled_roots(correlations, uniquenesses)
    common = np.sqrt(np.maximum(roots[:factors] - 1, 0.0))
    return np.sqrt(uniquenesses)[:, None] * vectors[:, :factors] * common
