"""Coefficients that, if they were free, would improve the fit most.

:func:`modification_hints` computes for every loading that is not in the model and every
covariance of two items' remainders by how much chi-square would fall and what the coefficient
would be.  A hint is a place to look at (two questions worded alike, an item that belongs
elsewhere); freeing coefficients until the model fits describes chance.

Sources: Sörbom, "Model modification" (Psychometrika 54, 1989); Saris, Satorra & Sörbom
(Sociological Methodology 17, 1987) for the expected change.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from keycustomer.dimensions.structural.ram import Places, Structure, information, slopes
from keycustomer.dimensions.structural.syntax import COVARIANCE, LOADING
from keycustomer.stats.samples import FloatArray


def modification_hints(
    structure: Structure, theta: FloatArray, seen: FloatArray, respondents: int
) -> pd.DataFrame:
    """Rank the coefficients a model leaves out by what they would do.

    Parameters
    ----------
    structure : Structure
        The model.
    theta : ndarray, shape (free,)
        Its solution.
    seen : ndarray, shape (items, items)
        Covariances of the answers.
    respondents : int
        How many.

    Returns
    -------
    DataFrame
        left, operator, right, chi2_drop, change (of the coefficient, from 0), standardised_change;
        largest drop first.
    """
    names = structure.specification.variables
    candidates = _left_out(structure)
    table = pd.DataFrame(
        [(a, o, b) for a, o, b in candidates], columns=["left", "operator", "right"]
    )
    if not candidates:
        return table.assign(chi2_drop=0.0, change=0.0, standardised_change=0.0)
    number = {name: i for i, name in enumerate(names)}
    directed = np.array([operator == LOADING for _, operator, _ in candidates])
    left = np.array([number[a] for a, _, _ in candidates])
    right = np.array([number[b] for _, _, b in candidates])
    places = _joined(
        structure, np.where(directed, right, left), np.where(directed, left, right), directed
    )
    implied = structure.implied(theta[None])
    sigma = implied.covariance[:, : structure.items, : structure.items]
    columns = structure.columns(implied)[:, : structure.items]
    solved = np.linalg.solve(sigma, columns)
    products = columns.transpose(0, 2, 1) @ solved
    misfit = products - solved.transpose(0, 2, 1) @ seen @ solved
    drop, change = _drops(structure, places, products, misfit, respondents)
    spread = np.sqrt(np.diag(implied.covariance[0]))
    arrows = np.sqrt(np.maximum(np.diag(implied.arrows[0]), 0))
    with np.errstate(all="ignore"):
        scaled = np.where(
            directed,
            change * spread[left] / spread[right],
            change / (arrows[left] * arrows[right]),
        )
    table = table.assign(chi2_drop=drop, change=change, standardised_change=scaled)
    return table.sort_values("chi2_drop", ascending=False, ignore_index=True)


def _left_out(structure: Structure) -> list[tuple[str, str, str]]:
    """List loadings and covariances of items' remainders that are not in the model."""
    specification = structure.specification
    there = {(cell.operator, frozenset((cell.left, cell.right))) for cell in specification.cells}
    measured = [
        name
        for i, name in enumerate(specification.items)
        if any(c.operator == LOADING and c.row == i for c in specification.cells)
    ]
    every = [(c, LOADING, i) for c in specification.constructs for i in measured]
    every += [(a, COVARIANCE, b) for a, b in combinations(measured, 2)]
    return [(a, o, b) for a, o, b in every if (o, frozenset((a, b))) not in there]


def _joined(
    structure: Structure, row: np.ndarray, column: np.ndarray, directed: np.ndarray
) -> Places:
    """Free cells, then candidates."""
    free = structure.free
    return structure.places_of(
        np.concatenate([structure.row[free], row]),
        np.concatenate([structure.column[free], column]),
        np.concatenate([structure.directed[free], directed]),
    )


def _drops(
    structure: Structure,
    places: Places,
    products: FloatArray,
    misfit: FloatArray,
    respondents: int,
) -> tuple[FloatArray, FloatArray]:
    """Fall of chi-square and change of each candidate, one at a time."""
    known = len(structure.free)
    whole = information(products, places)[0]
    score = -respondents / 2 * slopes(misfit, places)[0, known:]
    free = structure.shared(structure.shared(whole[None, :known, :known], 1), 2)[0]
    across = structure.shared(whole[None, :known, known:], 1)[0]
    left = np.diag(whole)[known:] - np.einsum("kc,kc->c", across, np.linalg.solve(free, across))
    left = np.where(left > 1e-10 * np.diag(whole)[known:], respondents * left, np.nan)
    drop, change = score**2 / left, score / left
    return np.nan_to_num(drop), np.nan_to_num(change)
