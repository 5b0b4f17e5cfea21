"""Regressions of effects: chances, amounts and plain numbers, with the influence of every row.

:func:`fit_regression` fits a generalised linear model by Newton's method, with a small quadratic
penalty that keeps it finite where groups are separated; `Regression.influence` tells by how much
each row moves each coefficient, from which clustered standard errors of anything computed from the
coefficients follow by the delta method.

Sources: McCullagh & Nelder, "Generalized Linear Models" (1989), chapter 2; Huber (1967) and
White (1982) for the sandwich; MacKinnon & White (1985), Journal of Econometrics 29, 305-325
(HC3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Link = Literal["logistic", "log", "identity"]

STEPS = 100
"""Most Newton steps; a fit takes five to ten."""

STILL = 1e-9
"""Largest step, relative to the coefficients, at which the fit has come to rest."""

LEAST_FREE = 0.05
"""Least part of a row's error that its leverage is taken to leave."""

LARGEST = 30.0
"""Largest linear predictor on the logistic and log scale: beyond it rounding rules."""


@dataclass(frozen=True, eq=False)
class Regression:
    """A fitted regression.

    Attributes
    ----------
    coefficients : ndarray, shape (columns,)
        One for each column of the design, which holds its own constant.
    bread : ndarray, shape (columns, columns)
        Inverse of the penalised information.
    link : {"logistic", "log", "identity"}
        Chance of an event, mean of amounts of 0 or larger, mean.
    """

    coefficients: FloatArray
    bread: FloatArray
    link: Link

    def predict(self, design: FloatArray) -> FloatArray:
        """Mean of each row, shape (rows,)."""
        return _LINKS[self.link](design @ self.coefficients)[0]

    def slope(self, design: FloatArray) -> FloatArray:
        """Give the derivative of the mean by the linear predictor, shape (rows,)."""
        return _LINKS[self.link](design @ self.coefficients)[1]

    def influence(
        self, design: FloatArray, outcome: FloatArray, weights: FloatArray | None = None
    ) -> FloatArray:
        """Move of the coefficients by each row, shape (rows, columns); sums to about 0.

        A row that draws the fit to itself has too small an error: it is divided by one less the
        row's leverage (HC3).
        """
        mean, slope = _LINKS[self.link](design @ self.coefficients)
        weigh = np.ones(len(outcome)) if weights is None else weights
        leverage = weigh * slope * np.einsum("ij,jk,ik->i", design, self.bread, design)
        error = weigh * (outcome - mean) / np.maximum(1 - leverage, LEAST_FREE)
        return (design * error[:, None]) @ self.bread


def fit_regression(
    design: FloatArray,
    outcome: FloatArray,
    link: Link,
    *,
    penalty: FloatArray | float = 0.0,
    weights: FloatArray | None = None,
) -> Regression:
    """Fit a generalised linear model with its canonical link.

    Parameters
    ----------
    design : ndarray, shape (rows, columns)
        Columns of numbers, the constant among them.
    outcome : ndarray, shape (rows,)
        0 or 1, amounts of 0 or larger, or any numbers.
    link : {"logistic", "log", "identity"}
        Log-odds of the chance, logarithm of the mean, or the mean itself are linear.
    penalty : float or ndarray, shape (columns,)
        Half of it times the squared coefficient is subtracted from the log-likelihood.
    weights : ndarray, shape (rows,), optional
        How often each row counts.

    Returns
    -------
    Regression

    Raises
    ------
    ValueError
        When the fit does not come to rest.
    """
    weigh = np.ones(len(outcome)) if weights is None else weights
    ridge = np.broadcast_to(np.asarray(penalty, dtype=float), design.shape[1:])
    value = _start(design, outcome, link, weigh)
    best = _objective(design, outcome, link, weigh, ridge, value)
    for _ in range(STEPS):
        mean, slope = _LINKS[link](design @ value)
        information = (design * (weigh * slope)[:, None]).T @ design + np.diag(ridge)
        score = design.T @ (weigh * (outcome - mean)) - ridge * value
        step = np.asarray(np.linalg.lstsq(information, score, rcond=None)[0], dtype=np.float64)
        value, best, moved = _damped(
            lambda b: _objective(design, outcome, link, weigh, ridge, b), value, step, best
        )
        if np.abs(moved).max(initial=0.0) <= STILL * (1 + np.abs(value).max(initial=0.0)):
            bread = np.linalg.pinv(information, hermitian=True)
            return Regression(value, np.asarray(bread, dtype=np.float64), link)
    raise ValueError(
        f"the regression of {len(outcome):,} rows on {design.shape[1]} columns did not come to "
        "rest; give fewer covariates, or a larger penalty"
    )


def _start(design: FloatArray, outcome: FloatArray, link: Link, weights: FloatArray) -> FloatArray:
    """Coefficients to start from: the overall mean on the constant, if there is one."""
    value = np.zeros(design.shape[1])
    constant = np.flatnonzero((design == 1).all(axis=0))
    mean = float(np.average(outcome, weights=weights))
    if constant.size and link == "log" and mean > 0:
        value[constant[0]] = np.log(mean)
    return value


def _damped(
    objective: Callable[[FloatArray], float], value: FloatArray, step: FloatArray, best: float
) -> tuple[FloatArray, float, FloatArray]:
    """Go as far along the step as the objective rises."""
    share = 1.0
    while share > 1e-8:
        reached = objective(value + share * step)
        if reached >= best - 1e-12 * abs(best):
            return value + share * step, reached, share * step
        share /= 2
    return value, best, 0.0 * step


def _objective(
    design: FloatArray,
    outcome: FloatArray,
    link: Link,
    weights: FloatArray,
    ridge: FloatArray,
    value: FloatArray,
) -> float:
    """Penalised log-likelihood, apart from a constant."""
    linear = design @ value
    if link == "logistic":
        fit = outcome * linear - np.logaddexp(0.0, linear)
    elif link == "log":
        fit = outcome * linear - np.exp(np.minimum(linear, LARGEST))
    else:
        fit = outcome * linear - linear**2 / 2
    return float(weights @ fit - ridge @ value**2 / 2)


def _logistic(linear: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean = 1 / (1 + np.exp(-np.clip(linear, -LARGEST, LARGEST)))
    return mean, mean * (1 - mean)


def _log(linear: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean = np.exp(np.minimum(linear, LARGEST))
    return mean, mean


def _identity(linear: FloatArray) -> tuple[FloatArray, FloatArray]:
    return linear, np.ones_like(linear)


_LINKS: dict[str, Callable[[FloatArray], tuple[FloatArray, FloatArray]]] = {
    "logistic": _logistic,
    "log": _log,
    "identity": _identity,
}
