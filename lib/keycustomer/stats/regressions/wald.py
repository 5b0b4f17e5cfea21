"""Wald's test that several coefficients are all zero, and the distance it rests on.

Source: Wald (1943), Transactions of the American Mathematical Society 54, 426-482.
"""

from __future__ import annotations

import numpy as np

from keycustomer.stats.samples import FloatArray


def wald_distance(coefficients: FloatArray, covariance: FloatArray) -> float:
    """Squared distance of coefficients from zero, in units of their covariance.

    Parameters
    ----------
    coefficients : ndarray, shape (k,)
        Coefficients, or differences of them.
    covariance : ndarray, shape (k, k)
        Their covariance.
    """
    return float(coefficients @ np.linalg.pinv(covariance, hermitian=True) @ coefficients)


def wald_test(coefficients: FloatArray, covariance: FloatArray) -> float:
    """Error probability of coefficients that are all zero.

    Parameters
    ----------
    coefficients : ndarray, shape (k,)
        Coefficients, or differences of them.
    covariance : ndarray, shape (k, k)
        Their covariance.
    """
    from scipy.stats import chi2

    return float(chi2.sf(wald_distance(coefficients, covariance), len(coefficients)))
