"""Links: what is linear in the columns, and the mean that follows from it.

Log-odds of a chance, the logarithm of a mean amount, or the mean itself: :data:`LINKS` gives mean
and slope of the mean by the linear predictor, :func:`log_likelihood` what a fit makes as large as
it can, :func:`logit` log-odds of probabilities.

Source: McCullagh & Nelder, "Generalized Linear Models" (1989), chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from keycustomer.stats.samples import FloatArray

Link = Literal["logistic", "log", "identity"]

LARGEST = 30.0
"""Largest linear predictor of log-odds and logarithms: beyond it rounding rules."""

INSIDE = 1e-12
"""How far from 0 and 1 a probability is kept where its logarithm is taken."""


def logit(probability: FloatArray) -> FloatArray:
    """Log-odds from probabilities, those of 0 and 1 kept finite."""
    inside = np.clip(probability, INSIDE, 1 - INSIDE)
    return np.log(inside) - np.log1p(-inside)


def event_log_likelihood(event: npt.NDArray[Any], probability: FloatArray) -> FloatArray:
    """Log-likelihood of each event or its absence, shape (rows,), kept finite."""
    inside = np.clip(probability, INSIDE, 1 - INSIDE)
    return np.where(event == 1, np.log(inside), np.log1p(-inside))


def log_likelihood(linear: FloatArray, outcome: FloatArray, link: Link) -> FloatArray:
    """Log-likelihood of each row at its linear predictor, apart from a constant."""
    if link == "logistic":
        return outcome * linear - np.logaddexp(0.0, linear)
    if link == "log":
        return outcome * linear - np.exp(np.minimum(linear, LARGEST))
    return outcome * linear - linear**2 / 2


def _logistic(linear: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean = np.asarray(expit(np.clip(linear, -LARGEST, LARGEST)), dtype=np.float64)
    return mean, mean * (1 - mean)


def _log(linear: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean = np.exp(np.minimum(linear, LARGEST))
    return mean, mean


def _identity(linear: FloatArray) -> tuple[FloatArray, FloatArray]:
    return linear, np.ones_like(linear)


LINKS: dict[Link, Callable[[FloatArray], tuple[FloatArray, FloatArray]]] = {
    "logistic": _logistic,
    "log": _log,
    "identity": _identity,
}
"""Mean, and its derivative by the linear predictor, of each link."""
