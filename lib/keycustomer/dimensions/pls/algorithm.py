"""The PLS algorithm on correlation matrices, for one sample or for a stack of resamples at once.

Which weights make each construct's score go best with its neighbours'?  Starting from equal
weights, :func:`solve_paths` alternates between the structure (each construct's proxy is a
weighted sum of its neighbours, by the `scheme`) and the measurement (weights are the items'
correlations with the proxy, mode A, or their regression weights, mode B), until the weights
stand still.  Scores are never formed: all that is needed is in the correlations of the
items, so a thousand resamples are a thousand small matrices, multiplied together by numpy.

Schemes of the structural step: `centroid` weighs neighbours by the sign of their correlation,
`factorial` by the correlation, `path` by regression weights for what comes before and
correlations for what comes after.

Sources: Wold, "Soft modelling" (1982); Lohmöller, "Latent Variable Path Modeling with Partial
Least Squares" (1989), chapter 2, for the schemes; Dijkstra & Henseler, "Consistent partial least
squares path modeling" (MIS Quarterly 2015), for the consistent variant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from keycustomer.dimensions.measurement.coefficients import rho_a
from keycustomer.dimensions.pls.specification import PathModel
from keycustomer.stats.samples import FloatArray

Scheme: TypeAlias = Literal["path", "factorial", "centroid"]

SCHEMES: tuple[Scheme, ...] = ("path", "factorial", "centroid")
"""Ways to weigh a construct's neighbours."""

TOLERANCE = 1e-7
"""Sum of the changes of all weights below which they stand still, as in semPLS and seminr."""

FINE_TOLERANCE = 1e-11
"""The same for the sample itself, whose figures are printed to six digits."""

MOST_ITERATIONS = 300
"""Steps after which a solution is given up, as in seminr."""

STACK = 128
"""Matrices treated together: with thirty items they still fit in a core's cache."""


@dataclass(frozen=True, eq=False)
class Solution:
    """Solutions of a path model for a stack of correlation matrices.

    Attributes
    ----------
    weights : ndarray, shape (draws, items, constructs)
        Weights of the standardised items, zero outside a construct's items; scores have variance
        one.
    loadings : ndarray, shape (draws, items, constructs)
        Correlations of every item with every score: loadings and cross-loadings.
    correlations : ndarray, shape (draws, constructs, constructs)
        Correlations of the scores; disattenuated where the solution is consistent.
    paths : ndarray, shape (draws, constructs, constructs)
        Path coefficients, effect in the rows, cause in the columns.
    r_squared : ndarray, shape (draws, constructs)
        Share of each construct's variance its predecessors explain; 0 without predecessors.
    rho_a : ndarray, shape (draws, constructs)
        Dijkstra and Henseler's reliability; 1 for mode B and single items, by convention.
    iterations : ndarray of int, shape (draws,)
        Steps until the weights stood still.
    turned : ndarray of bool, shape (draws, constructs)
        Constructs whose sign was turned to that of the reference.
    converged : ndarray of bool, shape (draws,)
        Whether they stood still; what did not is NaN.
    """

    weights: FloatArray
    loadings: FloatArray
    correlations: FloatArray
    paths: FloatArray
    r_squared: FloatArray
    rho_a: FloatArray
    iterations: npt.NDArray[np.int64]
    turned: npt.NDArray[np.bool_]
    converged: npt.NDArray[np.bool_]


def solve_paths(
    correlations: FloatArray,
    model: PathModel,
    *,
    scheme: Scheme = "path",
    consistent: bool = False,
    reference: FloatArray | None = None,
    tolerance: float = TOLERANCE,
) -> Solution:
    """Estimate a path model for each of a stack of correlation matrices.

    Parameters
    ----------
    correlations : array, shape (draws, items, items)
        Correlations of the model's items, in its order.
    model : PathModel
        From `read_path_model`.
    scheme : {"path", "factorial", "centroid"}
        Structural step.
    consistent : bool
        Divide the scores' correlations by the square roots of their reliabilities (PLSc).
    reference : array, shape (items, constructs), optional
        Weights whose signs the solutions take; left out, loadings of a construct sum to more
        than zero.
    tolerance : float
        Sum of the weights' changes that counts as standing still.
    """
    parts = [
        _solve_stack(
            correlations[start : start + STACK], model, scheme, consistent, reference, tolerance
        )
        for start in range(0, len(correlations), STACK)
    ]
    if len(parts) == 1:
        return parts[0]
    names = [field.name for field in fields(Solution)]
    return Solution(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _solve_stack(
    stack: FloatArray,
    model: PathModel,
    scheme: Scheme,
    consistent: bool,
    reference: FloatArray | None,
    tolerance: float,
) -> Solution:
    weights, iterations = _standing_weights(stack, model, scheme, tolerance)
    loadings = stack @ weights
    if reference is None:
        signed = np.where(model.membership, loadings, 0).sum(axis=1)
    else:
        signed = np.einsum("pj,bpj->bj", reference, loadings)
    turned = signed < 0
    sign = np.where(turned, -1.0, 1.0)[:, None, :]
    weights, loadings = weights * sign, loadings * sign
    between = weights.transpose(0, 2, 1) @ loadings
    reliability = _reliabilities(stack, weights, model)
    if consistent:
        between = disattenuated(between, reliability)
    paths, r_squared = structural_paths(between, model)
    return Solution(
        weights,
        loadings,
        between,
        paths,
        r_squared,
        reliability,
        iterations,
        turned,
        np.asarray(np.isfinite(weights).all(axis=(1, 2))),
    )


def _standing_weights(
    stack: FloatArray, model: PathModel, scheme: Scheme, tolerance: float
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Iterate until the weights of every draw stand still; a draw that is done leaves the stack."""
    member = model.membership
    found = np.full((len(stack), *member.shape), np.nan)
    taken = np.full(len(stack), MOST_ITERATIONS)
    within = _inverse_blocks(stack, model)
    weights, image = _unit_variance(stack, np.broadcast_to(member * 1.0, found.shape))
    open_draws = np.arange(len(stack))
    for step in range(1, MOST_ITERATIONS + 1):
        inner = _inner_weights(weights.transpose(0, 2, 1) @ image, model, scheme)
        proposal = np.where(member, image @ inner, 0.0)
        for construct, inverse in within.items():
            block = list(model.blocks[construct])
            own = proposal[:, block, construct, None]
            proposal[:, block, construct] = (inverse @ own)[:, :, 0]
        last = weights
        weights, image = _unit_variance(stack, proposal)
        change = np.abs(np.abs(weights) - np.abs(last)).sum(axis=(1, 2))
        moving = change >= tolerance
        if not moving.all():
            found[open_draws[~moving]] = weights[~moving]
            taken[open_draws[~moving]] = step
            open_draws, stack = open_draws[moving], stack[moving]
            weights, image = weights[moving], image[moving]
            within = {construct: inverse[moving] for construct, inverse in within.items()}
        if not open_draws.size:
            break
    return found, taken


def _unit_variance(stack: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scale weights to scores of variance one; give also the items' correlations with them."""
    image = stack @ weights
    variance = (weights * image).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1 / np.sqrt(variance)
    return weights * scale, image * scale


def _inner_weights(between: FloatArray, model: PathModel, scheme: Scheme) -> FloatArray:
    """Weights of the neighbours in each construct's proxy, (draws, neighbours, constructs)."""
    if scheme == "centroid":
        return np.sign(between) * model.neighbours
    if scheme == "factorial":
        return between * model.neighbours
    inner = np.zeros_like(between)
    for cause, effect in model.arrows:
        inner[:, effect, cause] = between[:, effect, cause]
    for effect, before in _regressions(model):
        inner[:, before, effect] = _regression(between, before, effect)
    return inner


def _inverse_blocks(stack: FloatArray, model: PathModel) -> dict[int, FloatArray]:
    """Inverse correlations of the items of each construct in mode B."""
    inverses = {}
    for construct, (block, mode) in enumerate(zip(model.blocks, model.modes, strict=True)):
        if mode == "B":
            own = stack[:, block][:, :, block]
            inverses[construct] = solve_each(own, np.broadcast_to(np.eye(len(block)), own.shape))
    return inverses


def _regressions(model: PathModel) -> Iterator[tuple[int, list[int]]]:
    for effect, before in enumerate(model.predecessors):
        if before:
            yield effect, list(before)


def _regression(between: FloatArray, before: list[int], effect: int) -> FloatArray:
    """Regression weights of the predecessors, (draws, predecessors)."""
    own = between[:, before, effect]
    if len(before) == 1:
        alone: FloatArray = own / between[:, before, before]
        return alone
    return solve_each(between[:, before][:, :, before], own[:, :, None])[:, :, 0]


def solve_each(matrices: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a stack of linear systems; NaN for those that are singular.

    Parameters
    ----------
    matrices : array, shape (draws, n, n)
    right : array, shape (draws, n, m)
    """
    try:
        return np.asarray(np.linalg.solve(matrices, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        # numpy gives up the whole stack for one singular matrix: go one by one
        solved = np.full(right.shape, np.nan)
        for draw, (matrix, own) in enumerate(zip(matrices, right, strict=True)):
            if np.isfinite(matrix).all() and np.linalg.matrix_rank(matrix) == len(matrix):
                solved[draw] = np.linalg.solve(matrix, own)
        return solved


def structural_paths(between: FloatArray, model: PathModel) -> tuple[FloatArray, FloatArray]:
    """Path coefficients and R2 from correlations of the constructs.

    Parameters
    ----------
    between : array, shape (draws, constructs, constructs)
    model : PathModel

    Returns
    -------
    paths : ndarray, shape (draws, constructs, constructs)
        Effect in the rows, cause in the columns.
    r_squared : ndarray, shape (draws, constructs)
    """
    paths = np.zeros_like(between)
    for effect, before in _regressions(model):
        paths[:, effect, before] = _regression(between, before, effect)
    return paths, np.einsum("bij,bij->bi", paths, between)


def total_effects(paths: FloatArray) -> FloatArray:
    """Direct and indirect effects together, over a stack.

    Parameters
    ----------
    paths : array, shape (draws, constructs, constructs)
        Effect in the rows, cause in the columns, causes before effects.
    """
    total = paths.copy()
    longer = paths @ paths
    for _ in range(paths.shape[-1] - 2):
        total += longer
        longer = longer @ paths
    return total


def _reliabilities(stack: FloatArray, weights: FloatArray, model: PathModel) -> FloatArray:
    found = np.ones((len(stack), model.size))
    for construct, block in enumerate(model.blocks):
        if model.modes[construct] == "A" and len(block) > 1:
            own = stack[:, block][:, :, block]
            found[:, construct] = rho_a(own, weights[:, list(block), construct])
    return found


def disattenuated(between: FloatArray, reliability: FloatArray) -> FloatArray:
    """Correlations of constructs had they been measured without error.

    Parameters
    ----------
    between : array, shape (draws, constructs, constructs)
        Correlations of the scores.
    reliability : array, shape (draws, constructs)
    """
    with np.errstate(invalid="ignore"):
        root = np.sqrt(reliability)
    corrected = between / (root[:, :, None] * root[:, None, :])
    size = between.shape[-1]
    corrected[:, range(size), range(size)] = 1.0
    return corrected
