"""Rows of one customer belong together: spreads over customers, and folds of whole customers.

The months of a customer are alike.  Errors are therefore added up by customer before they are
squared (:func:`sums_by_customer`, :func:`covariance_over_customers`, :func:`clustered_error`;
:func:`small_sample` corrects for few), and a model is tried on customers none of whose rows it has
seen (:func:`folds_of`).

Source: Liang & Zeger (1986), Biometrika 73, 13-22.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray

IntArray = npt.NDArray[np.int64]


def sums_by_customer(values: FloatArray, customer: IntArray) -> FloatArray:
    """Add up rows by customer.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        What is added up.
    customer : ndarray of int, shape (rows,)
        Customer of each row, from 0 on.

    Returns
    -------
    ndarray, shape (customers, columns)
    """
    customers = int(customer.max()) + 1
    return np.column_stack(
        [np.bincount(customer, weights=column, minlength=customers) for column in values.T]
    )


def covariance_over_customers(influence: FloatArray) -> FloatArray:
    """Covariance of what the influences of customers move, with the factor G / (G - 1).

    Parameters
    ----------
    influence : ndarray, shape (customers, columns)
        What each customer moves.

    Returns
    -------
    ndarray, shape (columns, columns)
        NaN for one customer.
    """
    customers, columns = influence.shape
    if customers < 2:
        return np.full((columns, columns), np.nan)
    return customers / (customers - 1) * (influence.T @ influence)


def small_sample(customers: int, rows: int, used: int) -> float:
    """Give the factor of a clustered covariance for few customers and rows (CR1).

    Parameters
    ----------
    customers, rows : int
        Number of clusters and of rows.
    used : int
        Degrees of freedom that slopes and effects cost; effects within clusters cost none.
    """
    return customers / max(customers - 1, 1) * (rows - 1) / max(rows - used, 1)


def clustered_error(influence: FloatArray, customer: IntArray) -> float:
    """Give the standard error of a mean from the influence of its rows, clustered by customer.

    Parameters
    ----------
    influence : ndarray, shape (rows,)
        Of each row on the mean, times the number of rows.
    customer : ndarray of int, shape (rows,)
        Customer of each row, from 0 on.
    """
    totals = sums_by_customer(influence[:, None], customer)
    return float(np.sqrt(covariance_over_customers(totals)[0, 0])) / len(influence)


def folds_of(customer: IntArray, folds: int, seed: int | np.random.Generator) -> IntArray:
    """Share customers out to folds at random, all rows of a customer to the same, shape (rows,)."""
    customers = int(customer.max()) + 1
    return np.random.default_rng(seed).permutation(np.arange(customers) % folds)[customer]
