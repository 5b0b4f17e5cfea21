"""Coefficients of reliability as plain formulas, over stacks of matrices.

Given covariances or correlations of a construct's items, or loadings and uniquenesses of a
factor, how reliable is the sum of the items?  All take leading axes, so that bootstrap
draws are measured together: :func:`cronbach_alpha`, :func:`composite_reliability`,
:func:`average_variance_extracted`, :func:`rho_a`.

Sources: Cronbach, "Coefficient alpha and the internal structure of tests" (Psychometrika 1951);
McDonald, "Test Theory" (1999), chapter 6, for omega; Fornell & Larcker (Journal of Marketing
Research 1981) for composite reliability and AVE; Dijkstra & Henseler (MIS Quarterly 2015),
equation 3, for rho_A.
"""

from __future__ import annotations

import math

import numpy as np

from keycustomer.stats.samples import FloatArray


def cronbach_alpha(matrices: FloatArray) -> FloatArray:
    """Cronbach's alpha: raw from covariances, standardised from correlations.

    Parameters
    ----------
    matrices : array, shape (..., items, items)
        Covariances or correlations of the items.

    Returns
    -------
    ndarray, shape (...)
        NaN for a single item.
    """
    items = matrices.shape[-1]
    if items < 2:
        return np.full(matrices.shape[:-2], math.nan)
    trace = np.trace(matrices, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alpha: FloatArray = items / (items - 1) * (1 - trace / matrices.sum(axis=(-2, -1)))
    return alpha


def composite_reliability(loadings: FloatArray, uniquenesses: FloatArray) -> FloatArray:
    """Share of the variance of the summed items that the factor makes.

    With loadings of the items as answered this is omega, with standardised loadings the composite
    reliability (rho_C).

    Parameters
    ----------
    loadings, uniquenesses : array, shape (..., items)
        Loadings on a factor of variance one, and the variances it leaves.
    """
    common = loadings.sum(axis=-1) ** 2
    return common / (common + uniquenesses.sum(axis=-1))


def average_variance_extracted(loadings: FloatArray, uniquenesses: FloatArray) -> FloatArray:
    """Share of the items' variances that the factor makes (AVE).

    With standardised loadings the mean communality; with loadings of the items as answered,
    communalities are weighted by the items' variances.

    Parameters
    ----------
    loadings, uniquenesses : array, shape (..., items)
    """
    common = (loadings**2).sum(axis=-1)
    return common / (common + uniquenesses.sum(axis=-1))


def rho_a(correlations: FloatArray, weights: FloatArray) -> FloatArray:
    """Dijkstra and Henseler's reliability of a score with mode A weights.

    Parameters
    ----------
    correlations : array, shape (..., items, items)
        Correlations of the construct's items.
    weights : array, shape (..., items)
        Their weights; the score has variance one.
    """
    square = (weights**2).sum(axis=-1)
    score = np.einsum("...i,...ij,...j->...", weights, correlations, weights)
    # w'(R - diag R)w and w'(ww' - diag ww')w, the diagonal of R being one
    own, crossed = score - square, square**2 - (weights**4).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        reliability: FloatArray = square**2 * own / crossed
    return reliability
