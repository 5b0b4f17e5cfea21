"""Normal draws that hardly change when the last digits of a covariance do.

:func:`covariance_root` is what standard normal numbers are multiplied with.  A root made of
eigenvectors as they come may turn its sign, or turn altogether, with the rounding of another
machine, and with it every draw of a seed; the symmetric root does not.

Source: Higham, "Functions of Matrices" (2008), chapter 6.
"""

from __future__ import annotations

import numpy as np

from keycustomer.stats.samples import FloatArray


def covariance_root(covariance: FloatArray) -> FloatArray:
    """Symmetric square root of a covariance that may be singular, shape (k, k)."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
