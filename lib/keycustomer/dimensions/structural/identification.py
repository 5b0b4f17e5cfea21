"""Whether the coefficients of a model can be told apart at all.

A model that asks more of the covariances than they hold has infinitely many best solutions, and
a program that prints one of them prints nonsense.  :func:`refuse_unidentified` finds this before
any answers are looked at: it counts, then looks at how the covariances change with each
coefficient at a place without special values, and names the coefficients that can replace each
other, with the cure.  Answers themselves may still fail to tell coefficients apart, as where two
constructs are unrelated; :func:`replaceable` is asked again at the solution (see
`admissibility`).

Source: Bollen, "Structural Equations with Latent Variables" (1989), chapters 7 and 8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.complaints import listed
from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.specification import FIXED, Specification
from keycustomer.dimensions.structural.syntax import LOADING, ModelError
from keycustomer.stats.samples import FloatArray

FLAT = 1e-9
"""Change of the covariances, relative to the largest, that counts as none."""

TAKES_PART = 0.05
"""Weight in a direction without change from which a coefficient is named."""

SHOWN = 8
"""Coefficients named at most."""


def refuse_unidentified(structure: Structure) -> None:
    """Refuse a model whose coefficients the covariances cannot tell apart.

    Raises
    ------
    ModelError
        With the count, or the coefficients that can replace each other, and the cure.
    """
    specification = structure.specification
    moments, parameters = specification.moments, structure.parameters
    if parameters == 0:
        raise ModelError(["every coefficient of the model is fixed: there is nothing to estimate"])
    if parameters > moments:
        raise ModelError(
            [
                f"the model is not identified: {counted(len(specification.items), 'item')} "
                f"{'has' if moments == 1 else 'have'} {counted(moments, 'variance')} and "
                f"covariances, the model asks for {counted(parameters, 'coefficient')}; "
                f"{_cure(specification)}"
            ]
        )
    names = replaceable(structure.change(_plain_place(structure)), specification.free)
    if names:
        raise ModelError(
            [
                "the model is not identified: the covariances cannot tell apart "
                f"{listed(names, SHOWN)}; {_cure(specification)}"
            ]
        )


def replaceable(change: FloatArray, names: Sequence[str], flat: float = FLAT) -> list[str]:
    """Name coefficients that can replace each other.

    Parameters
    ----------
    change : ndarray, shape (moments, free)
        How each coefficient changes the covariances, in standard deviations of the items.
    names : sequence of str
        Names of the coefficients.
    flat : float
        Change relative to the largest that counts as none.

    Returns
    -------
    list of str
        Empty where all are told apart.
    """
    if not np.isfinite(change).all():
        return list(names)
    sizes = np.sqrt((change**2).sum(axis=0))
    still = [name for name, size in zip(names, sizes, strict=True) if size == 0]
    if still:
        return still
    _, values, directions = np.linalg.svd(change / sizes, full_matrices=True)
    values = np.concatenate([values, np.zeros(change.shape[1] - values.size)])
    loose = directions[values <= flat * values[0]]
    weights = np.abs(loose).max(axis=0) if len(loose) else np.zeros(len(names))
    return [name for name, weight in zip(names, weights, strict=True) if weight > TAKES_PART]


def _plain_place(structure: Structure) -> FloatArray:
    """Coefficients without special values, the same on every call."""
    generator = np.random.default_rng(1939)
    theta = np.zeros(structure.parameters)
    for cell in structure.specification.cells:
        if cell.free != FIXED:
            variance = not structure.directed[structure.specification.cells.index(cell)]
            low, high = (0.1, 0.4) if variance and cell.row != cell.column else (0.5, 1.5)
            theta[cell.free] = generator.uniform(low, high)
    return theta


def _cure(specification: Specification) -> str:
    """Say what to do, as the model stands."""
    unscaled = [name for name in specification.constructs if not _has_unit(specification, name)]
    if unscaled:
        return (
            f"{unscaled[0]} has no unit: fix one of its loadings (1*item) or its variance "
            f"({unscaled[0]} ~~ 1*{unscaled[0]})"
        )
    few = [name for name in specification.constructs if 1 <= len(specification.items_of(name)) < 3]
    if few:
        who = f"{few[0]} has" if len(few) == 1 else f"{', '.join(few)} have"
        return (
            f"{who} fewer than three items: add items, relate each construct to another, or give "
            "the loadings of a construct one label"
        )
    return "remove paths or covariances, or give some coefficients the same label or a value"


def _has_unit(specification: Specification, construct: str) -> bool:
    return any(
        cell.free == FIXED
        and cell.value != 0
        and (
            (cell.operator == LOADING and cell.left == construct)
            or (cell.left == cell.right == construct)
        )
        for cell in specification.cells
    )
