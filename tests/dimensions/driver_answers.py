"""Made-up answers on drivers: populations with known correlations, and shorthand for the tests."""

from itertools import permutations

import numpy as np
import pandas as pd


def population(among, coefficients, noise=1.0):
    """Correlation matrix of drivers and, last, the outcome they drive."""
    among, b = np.asarray(among, float), np.asarray(coefficients, float)
    size = len(b)
    whole = np.eye(size + 1)
    whole[:-1, :-1] = among
    whole[:-1, -1] = whole[-1, :-1] = among @ b / np.sqrt(b @ among @ b + noise**2)
    return whole


def alike(size, correlation):
    """Correlation matrix of drivers that all correlate the same."""
    return np.full((size, size), correlation) + (1 - correlation) * np.eye(size)


def sample(correlations, n, seed, names=None):
    """Normal answers of n respondents: drivers a, b, c ... and the outcome y."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, len(correlations))) @ np.linalg.cholesky(correlations).T
    names = names or [*"abcdefghijklmnopqrstuvwx"[: len(correlations) - 1], "y"]
    return pd.DataFrame(4 + values, columns=names)


def r2_by_regression(values, subset):
    """R2 of the last column on a subset of the others, by least squares."""
    if not len(subset):
        return 0.0
    y = values[:, -1] - values[:, -1].mean()
    design = np.column_stack([np.ones(len(y)), values[:, list(subset)]])
    rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - rest @ rest / (y @ y)


def shapley_by_orders(values):
    """Average of what each driver adds to R2, over all orders of entry."""
    size = values.shape[1] - 1
    known = {}
    total = np.zeros(size)
    orders = list(permutations(range(size)))
    for order in orders:
        for place, driver in enumerate(order):
            before, after = (tuple(sorted(order[: place + k])) for k in (0, 1))
            for subset in (before, after):
                if subset not in known:
                    known[subset] = r2_by_regression(values, subset)
            total[driver] += known[after] - known[before]
    return total / len(orders)
