"""Quantities every model has: standardised coefficients, explained variance, reliability.

What would a coefficient be if every variable had the standard deviation 1?  How much of a
construct does the model explain?  How reliable is the sum of a construct's items?  Each function
here takes a :class:`Structure` and free coefficients (draws, free), real or complex, and gives
values (draws, quantities), so that one function serves the estimate, its delta-method interval
and its bootstrap interval.

Sources: Bollen, "Structural Equations with Latent Variables" (1989); McDonald, "Test Theory"
(1999) for omega; Fornell & Larcker (Journal of Marketing Research 18, 1981) for the average
variance extracted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.syntax import LOADING


def standardised(structure: Structure, theta: np.ndarray) -> np.ndarray:
    """Every cell in standard deviations, shape (draws, cells).

    A loading or path is the change of the one in its standard deviations when the other rises by
    one of its own; a variance is the share not explained; a covariance is the correlation of the
    remainders.
    """
    implied = structure.implied(theta)
    row, column = structure.row, structure.column
    with np.errstate(all="ignore"):
        total = _diagonal(implied.covariance)
        spread = np.sqrt(total)
        directed = implied.values * spread[:, column] / spread[:, row]
        remainders = np.sqrt(_diagonal(implied.arrows))
        joint = implied.values / (remainders[:, row] * remainders[:, column])
        own = implied.values / total[:, row]
    either = np.where(row == column, own, joint)
    return np.where(structure.directed, directed, either)


def explained(structure: Structure, theta: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """Share of variance explained of the variables with these numbers (R squared)."""
    implied = structure.implied(theta)
    with np.errstate(all="ignore"):
        share = 1 - _diagonal(implied.arrows) / _diagonal(implied.covariance)
    return share[:, list(numbers)]


def correlations(structure: Structure, theta: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Correlations of pairs of variables, shape (pairs, 2), that the model implies."""
    covariance = structure.implied(theta).covariance
    with np.errstate(all="ignore"):
        spread = np.sqrt(_diagonal(covariance))
        first, second = pairs[:, 0], pairs[:, 1]
        return covariance[:, first, second] / (spread[:, first] * spread[:, second])


def reliability(structure: Structure, theta: np.ndarray, construct: str) -> np.ndarray:
    """Omega and average variance extracted of a construct's items, shape (draws, 2).

    Omega is the share of the variance of the items' sum that the construct explains; the average
    variance extracted is its share of the sum of the items' variances.
    """
    specification = structure.specification
    cells = [
        i
        for i, cell in enumerate(specification.cells)
        if cell.operator == LOADING and cell.left == construct and cell.row < structure.items
    ]
    implied = structure.implied(theta)
    number = specification.variables.index(construct)
    items = structure.row[cells]
    loading = implied.values[:, cells]
    variance = implied.covariance[:, number, number]
    remainder = implied.arrows[:, items[:, None], items[None, :]]
    with np.errstate(all="ignore"):
        true = loading.sum(axis=1) ** 2 * variance
        omega = true / (true + remainder.sum(axis=(1, 2)))
        shared = (loading**2).sum(axis=1) * variance
        extracted = shared / (shared + np.einsum("dii->d", remainder))
    return np.stack([omega, extracted], axis=1)


def _diagonal(matrices: np.ndarray) -> np.ndarray:
    return np.einsum("dii->di", matrices)
