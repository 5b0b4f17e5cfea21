r"""Explained variance of every subset of drivers, and importance measures made from it.

How much of an outcome does each driver explain, when drivers overlap?  :func:`lmg` averages what
a driver adds to R2 over all orders in which drivers can enter a regression: the Shapley value of
R2, which is also general dominance.  It needs R2 of all :math:`2^p` subsets, and
:func:`subset_r2` computes them for many correlation matrices at once: drivers are taken or left
one after the other, and only the part of the matrix that is still ahead (a Schur complement) is
carried along.  Half of all subsets are finished at the last driver, a quarter at the one before,
so a subset costs about six operations, whatever the number of drivers (a sweep in Gray-code order
costs :math:`p^2`).  :func:`johnson_weights` approximates the same from :math:`p` orthogonal axes
and serves for more drivers.

Sources: Lindeman, Merenda & Gold (1980); Grömping, Journal of Statistical Software 17(1), 2006;
Furnival & Wilson, Technometrics 16, 1974, for the cost of all regressions; Budescu,
Psychological Bulletin 114, 1993; Johnson, Multivariate Behavioral Research 35, 2000.
"""

from __future__ import annotations

from math import factorial

import numpy as np

from keycustomer.stats.samples import FloatArray

MOST_DRIVERS = 20
"""Drivers that all subsets can be had of: a million subsets."""

PIVOT = 1e-10
"""Share of variance left to a driver by others below which it adds nothing."""

ROUNDING = 1e-12
"""Differences of R2 below this are rounding."""

CELLS = 2**17
"""Subsets times matrices worked on at once, so that they stay in cache."""


def subset_r2(correlations: FloatArray) -> FloatArray:
    """R2 of the last variable on every subset of those before it.

    Parameters
    ----------
    correlations : ndarray, shape (draws, p + 1, p + 1)
        Correlation matrices, the outcome last.

    Returns
    -------
    ndarray, shape (2**p, draws)
        Bit k of the row's number says whether driver k is in the subset; row 0 is no driver.
        A driver that others of its subset determine adds nothing.

    Raises
    ------
    ValueError
        For more than `MOST_DRIVERS` drivers, whose subsets would not fit into memory.
    """
    p = correlations.shape[-1] - 1
    if p > MOST_DRIVERS:
        raise ValueError(
            f"{p} drivers have {2**p:,} subsets; all subsets are computed for at most "
            f"{MOST_DRIVERS} drivers, take Johnson's relative weights for more"
        )
    # one entry a row of the upper triangle: (columns from the diagonal on, subsets, draws)
    rows = [
        np.ascontiguousarray(np.moveaxis(correlations[:, k, k:], 0, -1))[:, None]
        for k in range(p + 1)
    ]
    for _ in range(p):
        rows = _decide(rows)
    return np.asarray(1 - rows[0][0])


def _decide(rows: list[FloatArray]) -> list[FloatArray]:
    """Leave the first driver out of all subsets so far, and take it into a copy of each."""
    first, rest = rows[0], rows[1:]
    alive = first[0] > PIVOT
    slopes = np.where(alive, first[1:] / np.where(alive, first[0], 1), 0)
    decided = []
    for k, row in enumerate(rest):
        columns, subsets, draws = row.shape
        both = np.empty((columns, 2 * subsets, draws))
        both[:, :subsets] = row
        taken = both[:, subsets:]
        np.multiply(slopes[k], first[1 + k :], out=taken)
        np.subtract(row, taken, out=taken)
        decided.append(both)
    return decided


def lmg(correlations: FloatArray) -> FloatArray:
    """Share of the outcome's variance by driver: R2 split over drivers, averaged over orders.

    Parameters
    ----------
    correlations : ndarray, shape (draws, p + 1, p + 1) or (p + 1, p + 1)
        Correlation matrices, the outcome last.

    Returns
    -------
    ndarray, shape (draws, p) or (p,)
        Adds up to R2 of all drivers; none is negative.

    Notes
    -----
    Lindeman, Merenda & Gold (1980), page 120 onward; Grömping (2006), equation 9.
    """
    if correlations.ndim == 2:
        return np.asarray(lmg(correlations[None])[0])
    p = correlations.shape[-1] - 1
    rows = max(CELLS >> p, 1)
    return np.concatenate(
        [
            split_over_drivers(subset_r2(correlations[start : start + rows]))
            for start in range(0, len(correlations), rows)
        ]
    )


def split_over_drivers(r2: FloatArray) -> FloatArray:
    """Shapley value of a worth known for every subset.

    Parameters
    ----------
    r2 : ndarray, shape (2**p, draws)
        Worth of each subset, as :func:`subset_r2` gives it.

    Returns
    -------
    ndarray, shape (draws, p)
    """
    p = r2.shape[0].bit_length() - 1
    sizes = np.bitwise_count(np.arange(2**p))
    joining = np.array([factorial(k) * factorial(p - k - 1) / factorial(p) for k in range(p)])
    # a subset of s is reached by joining s - 1 and left by joining s
    reached, left = np.append(0.0, joining), np.append(joining, 0.0)
    common = left[sizes] @ r2
    sums = (reached + left)[sizes][:, None] * r2
    importance = np.empty((r2.shape[1], p))
    for driver in reversed(range(p)):
        half = 2**driver
        importance[:, driver] = sums[half:].sum(axis=0) - common
        sums = sums[:half] + sums[half:]
    return importance


def split_by_size(r2: FloatArray) -> FloatArray:
    """Mean contribution of each driver by number of drivers already there.

    Parameters
    ----------
    r2 : ndarray, shape (2**p, draws)
        R2 of each subset, as :func:`subset_r2` gives it.

    Returns
    -------
    ndarray, shape (draws, p, p)
        Draw, driver, drivers already there; the mean over the last is LMG.
    """
    p = r2.shape[0].bit_length() - 1
    subsets = np.arange(2**p)
    sizes = np.bitwise_count(subsets)
    sized = np.empty((r2.shape[1], p, p))
    for driver in range(p):
        without = subsets[subsets >> driver & 1 == 0]
        added = r2[without | 1 << driver] - r2[without]
        groups = np.eye(p)[sizes[without]]
        sized[:, driver] = added.T @ (groups / groups.sum(axis=0))
    return sized


def johnson_weights(correlations: FloatArray) -> FloatArray:
    r"""Johnson's relative weights: R2 split over drivers by the nearest orthogonal axes.

    Parameters
    ----------
    correlations : ndarray, shape (draws, p + 1, p + 1) or (p + 1, p + 1)
        Correlation matrices, the outcome last.

    Returns
    -------
    ndarray, shape (draws, p) or (p,)
        Adds up to R2 of all drivers; none is negative.

    Notes
    -----
    Johnson (2000), equations 1 to 6: with the drivers' correlations :math:`R = V D V'`, the axes'
    loadings are :math:`\Lambda = V D^{1/2} V'` and the weights
    :math:`\Lambda^{2} (\Lambda^{-1} r)^{2}`, squares taken element by element.
    """
    among, with_outcome = correlations[..., :-1, :-1], correlations[..., :-1, -1]
    variances, axes = np.linalg.eigh(among)
    alive = variances > PIVOT
    roots = np.sqrt(np.where(alive, variances, 0))
    inverse = np.where(alive, 1 / np.where(alive, roots, 1), 0)
    turned = np.swapaxes(axes, -1, -2)
    loadings = (axes * roots[..., None, :]) @ turned
    slopes = (axes * inverse[..., None, :]) @ turned @ with_outcome[..., None]
    return np.asarray((loadings**2 @ slopes**2)[..., 0])
