"""One regression on customer-months, with the spread over customers.

How does an outcome go with many things at once, and what would it be if some of them were
different?  :func:`fit_regression` fits a logistic regression (leaving, taking up) or a linear one
(answers), keeping every customer's influence on the coefficients.  :meth:`Regression.change` is the
mean change of the outcome between two states of the same customer-months (standardisation, or the
g-formula), :meth:`Regression.coefficient` one coefficient.  All intervals are over customers: the
months of one customer are not independent.

Sources: Liang & Zeger (1986), Biometrika 73, 13-22, for the covariance over clusters; Robins
(1986), Mathematical Modelling 7, 1393-1512, for the g-formula; Hampel (1974), JASA 69, 383-393,
for influence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from keycustomer.stats import Estimate

Array = npt.NDArray[Any]
Family = Literal["logistic", "linear"]

STEPS = 60
"""Steps of Newton's method at most."""

CLOSE = 1e-9
"""Change of a coefficient, in standard deviations of its column, that ends the steps."""

RIDGE = 1e-5
"""Ridge on standardised columns: keeps finite the coefficient of a group in which nobody left."""

COLLINEAR = 1e-9
"""Share of a column's variance that the columns before it must leave."""

METHOD = "influence of customers"


@dataclass(frozen=True, eq=False)
class Regression:
    """A fitted regression.

    Attributes
    ----------
    family : {"logistic", "linear"}
        Kind of outcome.
    names : tuple of str
        Columns, the constant first.
    coefficients : ndarray, shape (k,)
        Log-odds or units of the outcome, per unit of the column; 0 where a column was left out.
    influence : ndarray, shape (customers, k)
        What each customer moves the coefficients by.
    customer : ndarray of int, shape (n,)
        Code of the customer of each row.
    left_out : tuple of str
        Columns that are constant or follow from others.
    """

    family: Family
    names: tuple[str, ...]
    coefficients: Array
    influence: Array
    customer: Array
    left_out: tuple[str, ...]

    @property
    def customers(self) -> int:
        """Number of customers."""
        return len(self.influence)

    @property
    def covariance(self) -> Array:
        """Covariance of the coefficients over customers, shape (k, k)."""
        return _correction(self.customers) * (self.influence.T @ self.influence)

    def predict(self, design: Array) -> Array:
        """Probabilities, or means, of rows of columns (without the constant)."""
        return _mean(self.family, with_constant(design) @ self.coefficients)

    def coefficient(self, name: str, unit: str = "log-odds", level: float = 0.95) -> Estimate:
        """Give one coefficient with its interval.

        Raises
        ------
        KeyError
            When there is no such column.
        """
        if name not in self.names:
            raise KeyError(f"no column {name!r}; there is: {', '.join(self.names)}")
        place = self.names.index(name)
        spread = float(np.sqrt(self.covariance[place, place]))
        return normal_estimate(
            float(self.coefficients[place]), spread, unit, self.customers, level=level
        )

    def change(
        self, after: Array, before: Array, unit: str, *, per: float = 1.0, level: float = 0.95
    ) -> Estimate:
        """Mean change of the outcome between two states of the same rows.

        Parameters
        ----------
        after, before : ndarray, shape (n, k - 1)
            Columns of the rows that were fitted, in either state.
        unit : str
            Unit of the result.
        per : float
            What the mean is multiplied with, such as 1000 for leavers per 1,000 months.
        level : float
            Confidence level.
        """
        one, other = with_constant(after), with_constant(before)
        high, low = one @ self.coefficients, other @ self.coefficients
        each = _mean(self.family, high) - _mean(self.family, low)
        mean, n = float(each.mean()), len(each)
        slope = (_steepness(self.family, high) @ one - _steepness(self.family, low) @ other) / n
        own = np.bincount(self.customer, each - mean, minlength=self.customers) / n
        moved = own + self.influence @ slope
        spread = float(np.sqrt(_correction(self.customers) * (moved @ moved)))
        return normal_estimate(per * mean, abs(per) * spread, unit, self.customers, level=level)


def normal_estimate(
    estimate: float, error: float, unit: str, n: int, *, level: float = 0.95
) -> Estimate:
    """Estimate with a normal interval from a standard error over customers."""
    half = NormalDist().inv_cdf((1 + level) / 2) * error
    return Estimate(estimate, estimate - half, estimate + half, unit, n, METHOD, level)


def with_constant(design: Array) -> Array:
    """Put a column of ones before the columns."""
    return np.column_stack([np.ones(len(design)), design])


def fit_regression(
    outcome: npt.ArrayLike,
    design: Array,
    names: Sequence[str],
    customer: Array,
    family: Family = "logistic",
) -> Regression:
    """Fit a regression, its spread taken over customers.

    Parameters
    ----------
    outcome : array, shape (n,)
        0 or 1 (logistic), or numbers (linear).
    design : ndarray, shape (n, k)
        Columns without the constant.
    names : sequence of str
        Their names.
    customer : ndarray of int, shape (n,)
        Code of the customer of each row, 0 or larger; every code occurs.
    family : {"logistic", "linear"}
        Kind of outcome.

    Raises
    ------
    ValueError
        When values are not finite (the column is named), a logistic outcome is other than 0 and 1
        or always the same, or there are fewer than two customers.
    """
    y, x = np.asarray(outcome, dtype=float), np.asarray(design, dtype=float)
    _refuse(y, x, names, customer, family)
    kept = independent(x)
    centre, scale = x[:, kept].mean(axis=0), x[:, kept].std(axis=0)
    z = with_constant((x[:, kept] - centre) / scale)
    weights = newton(y, z, family)
    steep = _steepness(family, z @ weights)
    bend = (z * steep[:, None]).T @ z + RIDGE * _unpenalised(z.shape[1])
    residual = y - _mean(family, z @ weights)
    score = np.zeros((int(customer.max()) + 1, z.shape[1]))
    for column in range(z.shape[1]):
        score[:, column] = np.bincount(customer, z[:, column] * residual, minlength=len(score))
    moved = np.linalg.solve(bend, score.T).T * np.sqrt((len(y) - 1) / (len(y) - z.shape[1]))
    back = _to_own_units(centre, scale, kept, x.shape[1])
    left_out = tuple(name for place, name in enumerate(names) if place not in set(kept))
    return Regression(
        family, ("constant", *names), back @ weights, moved @ back.T, customer, left_out
    )


def newton(y: Array, z: Array, family: Family) -> Array:
    """Coefficients of standardised columns (the constant first) by Newton's method."""
    weights = np.zeros(z.shape[1])
    if family == "logistic":
        share = float(np.clip(y.mean(), 1e-6, 1 - 1e-6))
        weights[0] = np.log(share / (1 - share))
    ridge = RIDGE * _unpenalised(z.shape[1])
    for _ in range(STEPS):
        score = z @ weights
        slope = z.T @ (y - _mean(family, score)) - ridge @ weights
        step = np.linalg.solve((z * _steepness(family, score)[:, None]).T @ z + ridge, slope)
        # a long step of Newton's method may overshoot
        weights = weights + (step * min(1.0, 3.0 / np.abs(step).max()) if step.any() else step)
        if np.abs(step).max() < CLOSE or family == "linear":
            break
    return weights


def independent(x: Array) -> list[int]:
    """Places of the columns that are neither constant nor follow from those before them."""
    spread = x.std(axis=0)
    varies = np.flatnonzero(spread > 1e-12 * np.maximum(np.abs(x).max(axis=0, initial=0), 1e-300))
    z = (x[:, varies] - x[:, varies].mean(axis=0)) / spread[varies]
    moments = z.T @ z / max(len(z), 1)
    kept: list[int] = []
    for place in range(len(varies)):
        if kept:
            across = moments[np.ix_(kept, [place])]
            told = across.T @ np.linalg.solve(moments[np.ix_(kept, kept)], across)
            if 1 - float(told[0, 0]) < COLLINEAR:
                continue
        kept.append(place)
    return [int(varies[place]) for place in kept]


def _to_own_units(centre: Array, scale: Array, kept: list[int], columns: int) -> Array:
    """Matrix that takes coefficients of standardised columns to those of the columns given."""
    back = np.zeros((columns + 1, len(kept) + 1))
    back[0, 0] = 1.0
    back[0, 1:] = -centre / scale
    back[np.asarray(kept, dtype=int) + 1, np.arange(1, len(kept) + 1)] = 1 / scale
    return back


def _unpenalised(columns: int) -> Array:
    diagonal = np.eye(columns)
    diagonal[0, 0] = 0.0
    return diagonal


def _mean(family: Family, score: Array) -> Array:
    if family == "linear":
        return score
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -500, 500))))


def _steepness(family: Family, score: Array) -> Array:
    if family == "linear":
        return np.ones(len(score))
    mean = _mean(family, score)
    return np.asarray(mean * (1 - mean))


def _correction(customers: int) -> float:
    return customers / (customers - 1)


def _refuse(y: Array, x: Array, names: Sequence[str], customer: Array, family: Family) -> None:
    if len(np.unique(customer)) < 2:
        raise ValueError("a regression over customers needs at least two customers with known rows")
    columns = zip((*names, "the outcome"), (*x.T, y), strict=True)
    wrong = [name for name, column in columns if not np.isfinite(column).all()]
    if wrong:
        raise ValueError(f"not known or infinite in some rows: {', '.join(wrong[:8])}")
    if family == "logistic" and (not np.isin(y, (0, 1)).all() or y.min() == y.max()):
        found = np.unique(y)[:4].tolist()
        raise ValueError(
            f"the outcome must be 0 in some rows and 1 in others, found {found}: where nobody (or "
            "everybody) left there is nothing to explain"
        )
