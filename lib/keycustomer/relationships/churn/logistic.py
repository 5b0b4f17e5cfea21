"""Logistic regression of leaving, with a ridge and with clustered standard errors.

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

from keycustomer.stats.regressions.clustering import (
    covariance_over_customers,
    folds_of,
    sums_by_customer,
)
from keycustomer.stats.regressions.links import LINKS
from keycustomer.stats.regressions.newton import climb
from keycustomer.stats.samples import FloatArray

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
    ridge = np.full(full.shape[1], penalty)
    ridge[0] = 0.0
    return climb(
        full,
        event.astype(float),
        "logistic",
        penalty=ridge,
        weights=weights,
        offset=offset,
        start=start,
        furthest=4 * LARGEST,
    ).coefficients


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
    chance, slope = LINKS["logistic"](full @ coefficients)
    information = (full * (weights * slope)[:, None]).T @ full
    scores = sums_by_customer(full * (weights * (event - chance))[:, None], cluster)
    return covariance_over_customers(scores @ np.linalg.pinv(information, hermitian=True))


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
