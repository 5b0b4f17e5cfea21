"""Rotations of factor loadings: the same fit, read along axes that items lie close to.

Which items belong together?  Loadings are fixed only up to a rotation, and :func:`rotate` takes the
one that a criterion calls simplest: `varimax` keeps factors uncorrelated, `promax` and `oblimin`
let them correlate.  With Kaiser's normalisation every item counts alike, however much of it the
factors explain.  Criteria are minimised by gradient projection from several starts, since a
criterion may have several minima; how many starts ended in the best one is told.

Sources: Kaiser, "The varimax criterion for analytic rotation" (Psychometrika 1958); Hendrickson &
White, "Promax" (BJSP 1964); Jennrich & Sampson, "Rotation for simple loadings" (Psychometrika
1966: direct quartimin, which is oblimin with gamma 0); Jennrich (Psychometrika 2001, 2002) and
Bernaards & Jennrich (EPM 2005): gradient projection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray

Method: TypeAlias = Literal["none", "varimax", "promax", "oblimin"]
Criterion: TypeAlias = Callable[[FloatArray], tuple[float, FloatArray]]
Value: TypeAlias = tuple[float, FloatArray]
Point: TypeAlias = tuple[FloatArray, float, float]

PROMAX_POWER = 4.0
"""Power that varimax loadings are raised to for promax's target, as in R and SPSS."""

STARTS = 10
"""Starts of the search: the axes of the extraction, and random ones."""

STEPS = 2000
"""Most steps of one search."""

STILL = 1e-9
"""Norm of the projected gradient at which a search ends."""

SHORTEST = 1e-9
"""Step below which the criterion falls no more but for rounding: a search ends there too."""

SAME = 1e-7
"""Difference in the criterion below which two ends count as one."""


@dataclass(frozen=True, eq=False)
class Rotation:
    """Rotated loadings.

    Attributes
    ----------
    method : str
        Name of the rotation.
    kaiser : bool
        Whether items were given equal length first.
    loadings : ndarray, shape (items, factors)
        Pattern loadings, the unrotated ones times `matrix`; the factor with the largest sum of
        squares first, every column with a positive sum.
    matrix : ndarray, shape (factors, factors)
        The rotation.
    correlations : ndarray, shape (factors, factors)
        Correlations of the factors.
    criterion : float
        What was minimised, at its end (for promax, of the varimax it starts from).
    slope : float
        Norm of the projected gradient there: 0 at a minimum.
    starts, agreeing : int
        Searches made, and those that ended in this minimum.
    """

    method: str
    kaiser: bool
    loadings: FloatArray
    matrix: FloatArray
    correlations: FloatArray
    criterion: float
    slope: float
    starts: int
    agreeing: int

    @property
    def oblique(self) -> bool:
        """Whether the factors may correlate."""
        return self.method in ("promax", "oblimin")


def rotate(
    loadings: FloatArray,
    method: Method = "oblimin",
    *,
    kaiser: bool = True,
    starts: int = STARTS,
    seed: Seed = 0,
) -> Rotation:
    """Rotate loadings to simple structure.

    Parameters
    ----------
    loadings : array, shape (items, factors)
        Unrotated loadings.
    method : {"none", "varimax", "promax", "oblimin"}
        Varimax is orthogonal; promax (power 4) and oblimin (gamma 0) are oblique.
    kaiser : bool
        Give every item the same length during the rotation (Kaiser's normalisation).
    starts : int
        Searches to make, the first from the given axes.
    seed : int or Generator
        Of the random starts.

    Returns
    -------
    Rotation

    Raises
    ------
    ValueError
        When the method is not known, or the loadings are not finite numbers in two dimensions.
    """
    if method not in get_args(Method):
        raise ValueError(f"rotation={method!r}: one of {', '.join(get_args(Method))} is needed")
    given = np.asarray(loadings, dtype=float)
    if given.ndim != 2 or not np.isfinite(given).all():
        raise ValueError("loadings: finite numbers, one row an item, one column a factor, needed")
    if given.shape[1] == 1 or method == "none":
        return _ordered(given, np.eye(given.shape[1]), method, kaiser, (0.0, 0.0, 1, 1))
    lengths = _lengths(given) if kaiser else np.ones(len(given))
    matrix, told = _search(given / lengths[:, None], method, starts, np.random.default_rng(seed))
    return _ordered(given, matrix, method, kaiser, told)


def _lengths(loadings: FloatArray) -> FloatArray:
    """Square roots of the communalities; 1 for an item that no factor explains."""
    lengths = np.sqrt((loadings**2).sum(axis=1))
    return np.where(lengths > 0, lengths, 1.0)


def _search(
    loadings: FloatArray, method: Method, starts: int, generator: np.random.Generator
) -> tuple[FloatArray, tuple[float, float, int, int]]:
    """Search from every start; give the best rotation and how it was reached."""
    factors = loadings.shape[1]
    begins = [np.eye(factors)]
    begins += [
        np.linalg.qr(generator.standard_normal((factors, factors)))[0] for _ in range(starts - 1)
    ]
    project, criterion = (_oblique, oblimin) if method == "oblimin" else (_orthogonal, varimax)
    ends = [project(loadings, begin, criterion) for begin in begins]
    lowest = min(end[1] for end in ends)
    agreeing = [end for end in ends if end[1] <= lowest + SAME]
    matrix, value, slope = agreeing[0]
    if method == "promax":
        matrix = matrix @ sharpen(loadings @ matrix)
    return matrix, (value, slope, len(ends), len(agreeing))


def varimax(loadings: FloatArray) -> tuple[float, FloatArray]:
    """Varimax criterion and its gradient (Kaiser 1958), negative so that less is simpler.

    Parameters
    ----------
    loadings : array, shape (items, factors)
        Loadings at which the criterion is taken.
    """
    squares = loadings**2
    spread = squares - squares.mean(axis=0)
    return -float((spread**2).sum()) / 4, -loadings * spread


def oblimin(loadings: FloatArray) -> tuple[float, FloatArray]:
    """Direct quartimin criterion and its gradient: products of squared loadings of an item.

    Parameters
    ----------
    loadings : array, shape (items, factors)
        Loadings at which the criterion is taken.
    """
    squares = loadings**2
    others = squares.sum(axis=1, keepdims=True) - squares
    return float((squares * others).sum()) / 4, loadings * others


def sharpen(loadings: FloatArray, power: float = PROMAX_POWER) -> FloatArray:
    """Rotation that brings varimax loadings close to a power of themselves (promax).

    Parameters
    ----------
    loadings : array, shape (items, factors)
        Loadings after varimax.
    power : float
        Power; the higher, the more factors may correlate.
    """
    target = loadings * np.abs(loadings) ** (power - 1)
    matrix = np.linalg.lstsq(loadings, target, rcond=None)[0]
    scale = np.sqrt(np.diag(np.linalg.inv(matrix.T @ matrix)))
    return np.asarray(matrix * scale, dtype=float)


def _orthogonal(loadings: FloatArray, turn: FloatArray, criterion: Criterion) -> Point:
    """Minimise over orthogonal rotations (Jennrich 2001)."""

    def project(at: FloatArray, gradient: FloatArray) -> FloatArray:
        inner = at.T @ gradient
        return gradient - at @ (inner + inner.T) / 2

    def restore(at: FloatArray) -> FloatArray:
        left, _, right = np.linalg.svd(at)
        return np.asarray(left @ right, dtype=float)

    def value(at: FloatArray) -> Value:
        reached, gradient = criterion(loadings @ at)
        return reached, loadings.T @ gradient

    return _descend(turn, value, project, restore)


def _oblique(loadings: FloatArray, axes: FloatArray, criterion: Criterion) -> Point:
    """Minimise over oblique rotations (Jennrich 2002); `axes` has columns of length 1."""

    def project(at: FloatArray, gradient: FloatArray) -> FloatArray:
        return gradient - at * (at * gradient).sum(axis=0)

    def restore(at: FloatArray) -> FloatArray:
        return np.asarray(at / np.linalg.norm(at, axis=0), dtype=float)

    def value(at: FloatArray) -> Value:
        inverse = np.linalg.inv(at)
        pattern = loadings @ inverse.T
        reached, gradient = criterion(pattern)
        return reached, -(pattern.T @ gradient @ inverse).T

    axes, reached, slope = _descend(axes, value, project, restore)
    return np.asarray(np.linalg.inv(axes).T, dtype=float), reached, slope


def _descend(
    point: FloatArray,
    value: Callable[[FloatArray], Value],
    project: Callable[[FloatArray, FloatArray], FloatArray],
    restore: Callable[[FloatArray], FloatArray],
) -> Point:
    """Descend by projected gradients, each step as long as the last one's curvature says.

    The length is Barzilai & Borwein's (IMA J Numer Anal 1988), halved until the criterion falls.
    """
    here, gradient = value(point)
    direction = project(point, gradient)
    step, slope = 1.0, float(np.linalg.norm(direction))
    for _ in range(STEPS):
        if slope < STILL:
            break
        while True:
            moved = restore(point - step * direction)
            there, gradient = value(moved)
            if there < here - slope**2 * step / 4 or step < SHORTEST:
                break
            step /= 2
        if step < SHORTEST:
            break
        turned = project(moved, gradient)
        way, change = moved - point, turned - direction
        bend = float((way * change).sum())
        step = float((way**2).sum()) / bend if bend > 0 else 2 * step
        point, here, direction = moved, there, turned
        slope = float(np.linalg.norm(direction))
    return point, here, slope


def _ordered(
    unrotated: FloatArray,
    matrix: FloatArray,
    method: str,
    kaiser: bool,
    told: tuple[float, float, int, int],
) -> Rotation:
    """Put the strongest factor first and give every factor a positive sum."""
    rotated = unrotated @ matrix
    order = np.argsort(-(rotated**2).sum(axis=0), kind="stable")
    signs = np.where(rotated[:, order].sum(axis=0) < 0, -1.0, 1.0)
    turned = matrix[:, order] * signs
    correlations = np.asarray(np.linalg.inv(turned.T @ turned), dtype=float)
    value, slope, starts, agreeing = told
    return Rotation(
        method,
        kaiser,
        unrotated @ turned,
        turned,
        correlations,
        value,
        slope,
        starts,
        agreeing,
    )
