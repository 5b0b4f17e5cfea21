"""Regressions with absorbed effects: least squares, instruments and Poisson, errors by cluster.

Question: what do columns do to an outcome, among rows that share the same product, unit or period?
Effects are not estimated but swept out (Frisch, Waugh and Lovell), by pyfixest's engine;
:func:`sweep` does it, :func:`fit_linear` and :func:`fit_poisson` fit what is left, and
:func:`free_of` counts what the effects cost in degrees of freedom.

Standard errors are clustered: G/(G-1) x (n-1)/(n-K) times the sandwich, where K counts the slopes
and the absorbed effects, but not those that are nested in clusters.

Sources: Frisch & Waugh (1933), Econometrica 1, 387-401; Cameron & Miller (2015), Journal of Human
Resources 50, 317-372, for clusters; Correia, Guimaraes & Zylkin (2020), Stata Journal 20, 95-115,
for Poisson; Guimaraes & Portugal (2010), Stata Journal 10, 628-649.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keycustomer.stats.regressions.clustering import small_sample, sums_by_customer
from keycustomer.stats.samples import FloatArray

Codes = npt.NDArray[np.int64]

CLOSE = 1e-10
"""Change of a column, in its standard deviations, at which sweeping has come to rest."""

SWEEPS = 100_000
"""Most rounds of sweeping; effects that are well connected take ten."""

STEPS = 200
"""Most steps of the Poisson fit; it takes about ten."""

STILL = 1e-10
"""Relative change of the deviance at which the Poisson fit has come to rest."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Slopes and what is needed for inference.

    Attributes
    ----------
    slopes : ndarray, shape (k,)
        Coefficients of the columns.
    covariance : ndarray, shape (k, k)
        Clustered covariance.
    residual : ndarray, shape (n,)
        Outcome less fit (of Poisson, of the mean).
    columns : ndarray, shape (n, k)
        The columns as they are left by the effects (fitted by the instruments, where there are
        any).
    """

    slopes: FloatArray
    covariance: FloatArray
    residual: FloatArray
    columns: FloatArray


def sweep(columns: FloatArray, effects: Codes, weights: FloatArray | None = None) -> FloatArray:
    """Sweep effects out of columns: what is left of each beyond the effects' means.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
        Numbers.
    effects : ndarray of int, shape (n, m)
        Level of each effect, 0, 1, ...; without a column only the mean is taken off.
    weights : ndarray, shape (n,), optional
        Weights of the means.

    Raises
    ------
    ValueError
        When it does not come to rest.
    """
    weigh = np.ones(len(columns)) if weights is None else weights
    spread = np.sqrt(np.average((columns - columns.mean(axis=0)) ** 2, axis=0))
    scale = np.where(spread > 0, spread, 1.0)
    # taken off first, a large mean does not cost digits
    centred = (columns - np.average(columns, axis=0, weights=weigh)) / scale
    if not effects.shape[1]:
        return np.asarray(centred * scale)
    from pyfixest.core import demean

    left, at_rest = demean(
        np.ascontiguousarray(centred), effects.astype(np.uint64), weigh, CLOSE, SWEEPS
    )
    if not at_rest:
        raise ValueError(
            f"sweeping {effects.shape[1]} effects out of {len(columns):,} rows did not come to "
            "rest: their levels hardly overlap; give fewer effects"
        )
    return np.asarray(left * scale)


def free_of(effects: Codes, clusters: Codes) -> int:
    """Count the degrees of freedom that absorbed effects cost.

    Parameters
    ----------
    effects : ndarray of int, shape (n, m)
        Level of each effect.
    clusters : ndarray of int, shape (n,)
        Cluster of each row.

    Notes
    -----
    An effect whose levels each lie within one cluster costs nothing: its mean is part of what the
    clusters may have in common.  Every other effect costs its levels less one, and the constant
    one; exact for two effects whose levels are all connected, and at most too many otherwise.
    """
    return 1 + sum(int(level.max()) for level in effects.T if not _nested(level, clusters))


def _nested(levels: Codes, clusters: Codes) -> bool:
    """Whether each level lies within one cluster."""
    order = np.argsort(levels, kind="stable")
    same_level = np.diff(levels[order]) == 0
    return bool((np.diff(clusters[order])[same_level] == 0).all())


def fit_linear(
    outcome: FloatArray,
    columns: FloatArray,
    instruments: FloatArray | None,
    clusters: Codes,
    absorbed: int,
) -> Fit:
    """Fit by least squares, or by two stages where instruments are given.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
        Swept.
    columns : ndarray, shape (n, k)
        Swept; the first one is instrumented where instruments are given.
    instruments : ndarray, shape (n, l), or None
        Swept, without the columns that instrument themselves.
    clusters : ndarray of int, shape (n,)
        Cluster of each row, 0, 1, ...
    absorbed : int
        Degrees of freedom that the effects cost.
    """
    used = columns
    if instruments is not None:
        used = columns.copy()
        first = np.column_stack([instruments, columns[:, 1:]])
        used[:, 0] = first @ solve(first, columns[:, 0])
    slopes = solve(used, outcome)
    residual = outcome - columns @ slopes
    covariance = clustered(used, residual, clusters, absorbed)
    return Fit(slopes, covariance, residual, used)


def solve(columns: FloatArray, outcome: FloatArray) -> FloatArray:
    """Least-squares coefficients, shape (k,) or (k, outcomes), whatever units columns are in."""
    size = np.sqrt((columns**2).sum(axis=0))
    size = np.where(size > 0, size, 1.0)
    found = np.linalg.lstsq(columns / size, outcome, rcond=None)[0]
    return np.asarray((found.T / size).T, dtype=np.float64)


def inverse_of(gram: FloatArray) -> FloatArray:
    """Give the pseudo-inverse of products of columns, whatever units these are in."""
    size = np.sqrt(np.diag(gram))
    both = np.outer(size, size)
    both = np.where(both > 0, both, 1.0)
    return np.asarray(np.linalg.pinv(gram / both, hermitian=True) / both)


def clustered(
    columns: FloatArray,
    residual: FloatArray,
    clusters: Codes,
    absorbed: int,
    bread: FloatArray | None = None,
) -> FloatArray:
    """Clustered covariance of slopes.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
        Regressors, swept.
    residual : ndarray, shape (n,)
        What is not explained.
    clusters : ndarray of int, shape (n,)
        Cluster of each row.
    absorbed : int
        Degrees of freedom that the effects cost.
    bread : ndarray, shape (k, k), optional
        Inverse information; left out, that of least squares.
    """
    n, k = columns.shape
    inverse = inverse_of(columns.T @ columns) if bread is None else bread
    sums = sums_by_customer(columns * residual[:, None], clusters)
    factor = small_sample(len(sums), n, k + absorbed)
    return np.asarray(factor * inverse @ (sums.T @ sums) @ inverse)


def fit_poisson(
    outcome: FloatArray, columns: FloatArray, effects: Codes, clusters: Codes, absorbed: int
) -> Fit:
    """Fit a Poisson regression with absorbed effects by weighted least squares in turn.

    Parameters
    ----------
    outcome : ndarray, shape (n,)
        Amounts of 0 or larger; only their mean need follow the model.
    columns : ndarray, shape (n, k)
        Not swept.
    effects : ndarray of int, shape (n, m)
        Level of each effect; every level needs a positive outcome.
    clusters : ndarray of int, shape (n,)
        Cluster of each row.
    absorbed : int
        Degrees of freedom that the effects cost.

    Raises
    ------
    ValueError
        When it does not come to rest.
    """
    mean = (outcome + outcome.mean()) / 2
    linear, before = np.log(mean), np.inf
    for _ in range(STEPS):
        working = linear + (outcome - mean) / mean
        swept = sweep(np.column_stack([working, columns]), effects, mean)
        root = np.sqrt(mean)
        slopes = solve(swept[:, 1:] * root[:, None], swept[:, 0] * root)
        linear = working - (swept[:, 0] - swept[:, 1:] @ slopes)
        mean = np.exp(np.clip(linear, -_FAR, _FAR))
        deviance = _deviance(outcome, mean)
        if abs(before - deviance) <= STILL * (abs(deviance) + STILL):
            break
        before = deviance
    else:
        raise ValueError(
            f"the Poisson regression of {len(outcome):,} rows did not come to rest in {STEPS} "
            "steps: a column separates the rows without a sale from the others; give fewer "
            "controls or effects"
        )
    left = sweep(columns, effects, mean)
    bread = inverse_of((left * mean[:, None]).T @ left)
    covariance = clustered(left, outcome - mean, clusters, absorbed, bread)
    return Fit(slopes, covariance, outcome - mean, left)


_FAR = 50.0


def _deviance(outcome: FloatArray, mean: FloatArray) -> float:
    from scipy.special import xlogy

    return float(2 * (xlogy(outcome, outcome / mean) - outcome + mean).sum())
