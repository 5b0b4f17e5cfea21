"""Coefficients that the choices cannot tell, refused with the names of the columns.

A column that is the same for all alternatives of every task drops out of the model; columns that
add up to one another cannot be told apart; and where the choices follow a column without exception
its coefficient has no largest likelihood (separation): it runs to infinity, and every standard
error of it is made up.  :func:`check_variation` and :func:`check_separation` look for these.

Sources: Albert & Anderson (1984), Biometrika 71, 1-10, for separation; Konis (2007) for finding it
by linear programming.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keycustomer.pricing.choice.likelihood import Peak, Tasks
from keycustomer.stats.samples import FloatArray

COLLINEAR = 1e-10
"""Smallest eigenvalue of the correlations of the columns that counts as larger than zero."""

FLAT = 1e-7
"""Curvature at the end, against that at the start, below which separation is looked for."""

INVOLVED = 1e-4
"""Part in a combination of columns, against the largest, from which a column is named."""

TOLERANCE = 1e-7
"""What the linear programme's bounds are kept to."""


def check_variation(tasks: Tasks, names: Sequence[str]) -> FloatArray:
    """Refuse columns that do not vary within tasks, or that are combinations of one another.

    Parameters
    ----------
    tasks : Tasks
        Differences from the chosen alternatives.
    names : sequence of str
        Names of the columns.

    Returns
    -------
    ndarray, shape (columns,)
        Spread of the columns within tasks.

    Raises
    ------
    ValueError
        Naming the columns.
    """
    if len(tasks.starts) <= len(names):
        raise ValueError(
            f"{len(tasks.starts)} tasks cannot tell {len(names)} coefficients; ask more "
            "respondents or drop attributes"
        )
    gram = tasks.curvature(np.zeros(len(names)))[1]
    spread = np.sqrt(np.maximum(np.diag(gram), 0.0) / len(tasks.starts))
    # differences of equal numbers are exactly zero, so their spread is rounding at most
    largest = np.abs(tasks.difference).max(axis=0, initial=0.0)
    still = [n for n, s, top in zip(names, spread, largest, strict=True) if s <= 1e-9 * top]
    if still:
        raise ValueError(
            f"{_listed(still)} never differs between the alternatives of a task, so that the "
            "choices say nothing about it; drop it, or cross it with an attribute or with "
            "alternative in interactions"
        )
    scaled = gram / np.outer(spread, spread) / len(tasks.starts)
    values, vectors = np.linalg.eigh(scaled)
    if values[0] < COLLINEAR:
        part = np.abs(vectors[:, 0])
        raise ValueError(
            f"{_listed([n for n, p in zip(names, part, strict=True) if p > INVOLVED])} cannot be "
            "told apart: one follows exactly from the others within every task; drop one of them "
            "(constants for all alternatives and a level that only one of them has do this)"
        )
    return spread


def check_separation(tasks: Tasks, peak: Peak, spread: FloatArray, names: Sequence[str]) -> None:
    """Refuse coefficients that run to infinity.

    Parameters
    ----------
    tasks : Tasks
        Differences from the chosen alternatives.
    peak : Peak
        Where the walk ended.
    spread : ndarray, shape (columns,)
        From :func:`check_variation`.
    names : sequence of str
        Names of the columns.

    Raises
    ------
    ValueError
        Naming the columns, or when the walk did not come to rest.
    """
    scaled = peak.information / np.outer(spread, spread) / len(tasks.starts)
    if peak.at_rest and float(np.linalg.eigvalsh(scaled)[0]) > FLAT:
        return
    away = _separating(tasks.difference / spread, tasks.chosen)
    if np.abs(away).max(initial=0.0) > TOLERANCE:
        part = np.abs(away) / np.abs(away).max()
        signed = [
            f"{name} ({'+' if a > 0 else '-'})"
            for name, a, p in zip(names, away, part, strict=True)
            if p > INVOLVED
        ]
        raise ValueError(
            f"the choices follow {_listed(signed)} without exception, so that the likelihood has "
            "no maximum and the coefficients run to infinity; drop it, merge levels, or ask more "
            "respondents"
        )
    if not peak.at_rest:
        raise ValueError(
            f"the fit of {len(tasks.starts):,} tasks on {len(names)} columns did not come to "
            "rest; look for columns of very different size, or drop attributes"
        )


def _separating(difference: FloatArray, chosen: np.ndarray) -> FloatArray:
    """Direction in which no alternative gains on the chosen one; zeros where there is none."""
    from scipy.optimize import linprog

    others = np.unique(difference[~chosen], axis=0)
    found = linprog(
        others.sum(axis=0), A_ub=others, b_ub=np.zeros(len(others)), bounds=(-1, 1), method="highs"
    )
    if found.status != 0 or found.fun > -TOLERANCE * max(np.abs(others).sum(), 1.0) / len(others):
        return np.zeros(difference.shape[1])
    return np.asarray(found.x, dtype=np.float64)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
