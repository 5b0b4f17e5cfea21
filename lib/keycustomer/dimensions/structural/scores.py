"""Where each respondent stands on each construct.

:func:`score_weights` gives the weights that turn a respondent's answers (less the mean) into
scores.  Regression scores come closest to the true ones but are shrunken towards the mean and mix
constructs that are related; Bartlett's are unbiased for each respondent, and spread wider.

Sources: Thomson (1939) and Bartlett, "The statistical conception of mental factors" (British
Journal of Psychology 28, 1937).
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np

from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.syntax import LOADING
from keycustomer.stats.samples import FloatArray

ScoreMethod: TypeAlias = Literal["regression", "bartlett"]


def score_weights(structure: Structure, theta: FloatArray, method: ScoreMethod) -> FloatArray:
    """Weights of items in the scores, shape (items, constructs).

    Raises
    ------
    ValueError
        When the method is neither, or the model has no such scores.
    """
    if method not in get_args(ScoreMethod):
        raise ValueError(f"method={method!r}: give 'regression' or 'bartlett'")
    items = structure.items
    implied = structure.implied(theta[None])
    covariance = implied.covariance[0]
    sigma = covariance[:items, :items]
    if structure.size == items:
        raise ValueError("the model has no constructs, so there are no scores")
    if method == "regression":
        return np.linalg.solve(sigma, covariance[:items, items:])
    return _bartlett(structure, implied.values[0], sigma)


def _bartlett(structure: Structure, values: FloatArray, sigma: FloatArray) -> FloatArray:
    """Bartlett's weights; with the items' covariances, so that an item without error may be."""
    specification = structure.specification
    loading = np.zeros((structure.items, structure.size - structure.items))
    for i, cell in enumerate(specification.cells):
        if cell.operator == LOADING and cell.row < structure.items:
            loading[cell.row, cell.column - structure.items] = values[i]
    arrows = structure.directed
    between = bool(
        (arrows & (structure.row < structure.items) & (structure.column < structure.items)).any()
    )
    unmeasured = [
        name
        for name, column in zip(specification.constructs, loading.T, strict=True)
        if not column.any()
    ]
    if between or unmeasured:
        why = f"{', '.join(unmeasured)} has no items" if unmeasured else "items act on items"
        raise ValueError(
            f"Bartlett scores need items that only measure constructs, but {why}; "
            "use method='regression'"
        )
    measured = np.flatnonzero(loading.any(axis=1))
    own = loading[measured]
    weighted = np.linalg.solve(sigma[np.ix_(measured, measured)], own)
    weights = np.zeros_like(loading)
    weights[measured] = weighted @ np.linalg.inv(own.T @ weighted)
    return weights
