"""Logistic regression by Newton's method, with a ridge and with clustered standard errors.

:func:`fit_logistic` maximises the weighted log-likelihood less half the penalty times the squares
of the coefficients (not of the intercept); :func:`clustered_covariance` gives the covariance that
holds when the rows of one customer are alike; :func:`penalty_path` chooses the penalty by leaving
out whole customers.

Sources: Liang & Zeger (1986), Biometrika 73, for the clustered covariance; Hastie, Tibshirani &
Friedman, "The Elements of Statistical Learning", section 4.4, for Newton's method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.stats.samples import FloatArray

MOST_STEPS = 60
CLOSE = 1e-9
"""Newton's decrement per row at which the fit has come to rest."""

LARGEST = 12.0
"""Standardised coefficients beyond this mean that a column separates those who left."""

PENALTIES = tuple(float(p) for p in np.geomspace(1000, 0.3, 10))
"""Penalties of a path, on standardised columns and in units of rows."""


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """Coefficients of a logistic regression.

    Attributes
    ----------
    coefficients : ndarray, shape (1 + columns,)
        Log-odds: the intercept, then one for each column.
    covariance : ndarray, shape (1 + columns, 1 + columns)
        Clustered by customer; NaN with a penalty, which makes the intervals too short.
    penalty : float
        Strength of the ridge.
    separated : tuple of int
        Columns whose coefficient runs away.
    """

    coefficients: FloatArray
    covariance: FloatArray
    penalty: float
    separated: tuple[int, ...] = ()

    def log_odds(self, matrix: FloatArray) -> FloatArray:
        """Log-odds of rows of the design."""
        return self.coefficients[0] + matrix @ self.coefficients[1:]


def expit(log_odds: FloatArray) -> FloatArray:
    """Probabilities from log-odds, without overflow."""
    small = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1 / (1 + small), small / (1 + small))


def logit(probability: FloatArray) -> FloatArray:
    """Log-odds from probabilities, those of 0 and 1 kept finite."""
    inside = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.log(inside) - np.log1p(-inside)


def fit_logistic(
    matrix: FloatArray,
    event: npt.NDArray[np.bool_],
    penalty: float = 0.0,
    *,
    weights: FloatArray | None = None,
    start: FloatArray | None = None,
    offset: FloatArray | float = 0.0,
) -> FloatArray:
    """Maximise the penalised log-likelihood.

    Parameters
    ----------
    matrix : ndarray, shape (rows, columns)
        Standardised columns, without the intercept.
    event : ndarray of bool, shape (rows,)
        Whether the customer left.
    penalty : float
        Ridge on all but the intercept.
    weights : ndarray, shape (rows,), optional
        Weights of the rows.
    start : ndarray, shape (1 + columns,), optional
        Where to begin.
    offset : ndarray or float
        Added to the log-odds.

    Returns
    -------
    ndarray, shape (1 + columns,)
        The intercept and the coefficients; as far as it got where columns separate the events.
    """
    full = np.column_stack([np.ones(len(matrix)), matrix])
    weights = np.ones(len(full)) if weights is None else weights
    ridge = np.full(full.shape[1], penalty)
    ridge[0] = 0.0
    beta = np.zeros(full.shape[1]) if start is None else start.copy()
    value = _objective(full, event, weights, ridge, beta, offset)
    for _ in range(MOST_STEPS):
        step, decrement = _newton_step(full, event, weights, ridge, beta, offset)
        if (
            decrement < CLOSE * weights.sum() * 1e-3
            or np.abs(beta[1:]).max(initial=0.0) > 4 * LARGEST
        ):
            break
        size = 1.0
        while (new := _objective(full, event, weights, ridge, beta + size * step, offset)) < value:
            size /= 2
            if size < 1e-6:
                return beta
        beta, value = beta + size * step, new
    return beta


def _objective(
    full: FloatArray,
    event: npt.NDArray[np.bool_],
    weights: FloatArray,
    ridge: FloatArray,
    beta: FloatArray,
    offset: FloatArray | float,
) -> float:
    odds = full @ beta + offset
    likelihood = weights @ (odds * event - np.logaddexp(0, odds))
    return float(likelihood - ridge @ beta**2 / 2)


def _newton_step(
    full: FloatArray,
    event: npt.NDArray[np.bool_],
    weights: FloatArray,
    ridge: FloatArray,
    beta: FloatArray,
    offset: FloatArray | float,
) -> tuple[FloatArray, float]:
    chance = expit(full @ beta + offset)
    gradient = full.T @ (weights * (event - chance)) - ridge * beta
    information = (full * (weights * chance * (1 - chance))[:, None]).T @ full + np.diag(ridge)
    # the smallest ridge lets a column that separates the events run instead of fail
    information[np.diag_indices_from(information)] += 1e-12 * np.trace(information)
    step = np.linalg.solve(information, gradient).astype(np.float64)
    return step, float(gradient @ step)


def clustered_covariance(
    matrix: FloatArray,
    event: npt.NDArray[np.bool_],
    coefficients: FloatArray,
    cluster: npt.NDArray[np.int64],
    *,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Covariance of coefficients that allows for likeness of the rows of one customer.

    Parameters
    ----------
    matrix, event, coefficients
        As fitted, without penalty.
    cluster : ndarray of int, shape (rows,)
        Customer of each row, from 0 on.
    weights : ndarray, shape (rows,), optional
        Weights of the rows.

    Returns
    -------
    ndarray, shape (1 + columns, 1 + columns)
        With the factor G / (G - 1) for G customers; NaN for one customer.
    """
    full = np.column_stack([np.ones(len(matrix)), matrix])
    weights = np.ones(len(full)) if weights is None else weights
    chance = expit(full @ coefficients)
    information = (full * (weights * chance * (1 - chance))[:, None]).T @ full
    residual = weights * (event - chance)
    groups = int(cluster.max()) + 1
    scores = np.column_stack(
        [np.bincount(cluster, weights=residual * column, minlength=groups) for column in full.T]
    )
    if groups < 2:
        return np.full(information.shape, np.nan)
    bread = np.linalg.pinv(information, hermitian=True)
    return groups / (groups - 1) * bread @ (scores.T @ scores) @ bread


def folds_of(
    cluster: npt.NDArray[np.int64], folds: int, seed: int | np.random.Generator
) -> npt.NDArray[np.int64]:
    """Fold of each row, all rows of a customer in the same one."""
    groups = int(cluster.max()) + 1
    fold = np.random.default_rng(seed).permutation(np.arange(groups) % folds)
    return fold[cluster]


def penalty_path(
    matrix: FloatArray,
    event: npt.NDArray[np.bool_],
    cluster: npt.NDArray[np.int64],
    *,
    penalties: tuple[float, ...] = PENALTIES,
    folds: int = 5,
    seed: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """Try penalties, each time leaving out a part of the customers.

    Returns
    -------
    DataFrame
        One row a penalty, strongest first: penalty, log_loss (mean of the rows left out), excess
        (over the best), standard_error (of the excess, over folds), chosen (the strongest whose
        excess is within its standard error).
    """
    fold = folds_of(cluster, folds, seed)
    losses = np.empty((folds, len(penalties)))
    for k in range(folds):
        inside, outside = fold != k, fold == k
        beta = None
        for n, penalty in enumerate(penalties):
            beta = fit_logistic(matrix[inside], event[inside], penalty, start=beta)
            odds = beta[0] + matrix[outside] @ beta[1:]
            losses[k, n] = (np.logaddexp(0, odds) - odds * event[outside]).mean()
    excess = losses - losses[:, [int(losses.mean(axis=0).argmin())]]
    mean, error = excess.mean(axis=0), excess.std(axis=0, ddof=1) / np.sqrt(folds)
    chosen = int(np.flatnonzero(mean <= error)[0])
    return pd.DataFrame(
        {
            "penalty": penalties,
            "log_loss": losses.mean(axis=0),
            "excess": mean,
            "standard_error": error,
            "chosen": np.arange(len(penalties)) == chosen,
        }
    )
