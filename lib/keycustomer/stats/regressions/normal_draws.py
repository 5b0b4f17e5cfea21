"""Normal draws that hardly change when the last digits of a covariance do.

:func:`normal_draws` draws coefficients from their distribution; :func:`covariance_root` is what
standard normal numbers are multiplied with.  A root made of
eigenvectors as they come may turn its sign, or turn altogether, with the rounding of another
machine, and with it every draw of a seed; the symmetric root does not.

Source: Higham, "Functions of Matrices" (2008), chapter 6.
"""

from __future__ import annotations

import numpy as np

from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray


def covariance_root(covariance: FloatArray) -> FloatArray:
    """Symmetric square root of a covariance that may be singular, shape (k, k)."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def normal_draws(means: FloatArray, covariance: FloatArray, draws: int, seed: Seed) -> FloatArray:
    """Draw coefficients from their normal distribution.

    Parameters
    ----------
    means : ndarray, shape (k,)
        Estimates.
    covariance : ndarray, shape (k, k)
        Theirs.
    draws : int
        How many.
    seed : int or Generator
        The same seed gives the same draws.

    Returns
    -------
    ndarray, shape (draws, k)
    """
    noise = np.random.default_rng(seed).standard_normal((draws, len(means)))
    # a coefficient's units must not decide which digits of the others are kept
    units = np.sqrt(np.diag(covariance))
    units = np.where(units > 0, units, 1.0)
    root = covariance_root(covariance / np.outer(units, units))
    return np.asarray(means + noise @ (root * units))
