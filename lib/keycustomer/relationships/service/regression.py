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
from keycustomer.stats.regressions.clustering import (
    covariance_over_customers,
    sums_by_customer,
)
from keycustomer.stats.regressions.links import LINKS, Link
from keycustomer.stats.regressions.newton import climb

Array = npt.NDArray[Any]
Family = Literal["logistic", "linear"]

LINK: dict[Family, Link] = {"logistic": "logistic", "linear": "identity"}

RIDGE = 1e-5
"""Ridge on standardised columns: keeps finite the coefficient of a group in which nobody left."""

UNBOUNDED = 20.0
"""Standard error by the model, per standard deviation of a column, beyond which its coefficient has
no finite value but for the ridge: the column tells events from others without exception."""

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
    unbounded : tuple of str
        Columns that tell events from others without exception, so that nothing bounds their
        coefficients and no interval can be given.
    """

    family: Family
    names: tuple[str, ...]
    coefficients: Array
    influence: Array
    customer: Array
    left_out: tuple[str, ...]
    unbounded: tuple[str, ...] = ()

    @property
    def customers(self) -> int:
        """Number of customers."""
        return len(self.influence)

    @property
    def covariance(self) -> Array:
        """Covariance of the coefficients over customers, shape (k, k)."""
        return covariance_over_customers(self.influence)

    def predict(self, design: Array) -> Array:
        """Probabilities, or means, of rows of columns (without the constant)."""
        return LINKS[LINK[self.family]](with_constant(design) @ self.coefficients)[0]

    def coefficient(self, name: str, unit: str = "log-odds", level: float = 0.95) -> Estimate:
        """Give one coefficient with its interval.

        There is none where nothing bounds it, or the column was left out.

        Raises
        ------
        KeyError
            When there is no such column.
        """
        if name not in self.names:
            raise KeyError(f"no column {name!r}; there is: {', '.join(self.names)}")
        place = self.names.index(name)
        if name in self.unbounded:
            return self._without_bound(float(self.coefficients[place]), unit, level)
        if name in self.left_out:
            why = f"{name} is the same in all rows, or follows from others"
            return Estimate.without_interval(float("nan"), unit, self.customers, why, level)
        spread = float(np.sqrt(self.covariance[place, place]))
        return normal_estimate(
            float(self.coefficients[place]), spread, unit, self.customers, level=level
        )

    def change(
        self, after: Array, before: Array, unit: str, *, per: float = 1.0, level: float = 0.95
    ) -> Estimate:
        """Mean change of the outcome between two states of the same rows.

        There is no interval where a column that differs between the states is unbounded.

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
        link = LINKS[LINK[self.family]]
        high, steep_high = link(one @ self.coefficients)
        low, steep_low = link(other @ self.coefficients)
        mean, n = float((high - low).mean()), len(high)
        moves = [name for name, differs in zip(self.names, (one != other).any(axis=0), strict=True)
                 if differs]  # fmt: skip
        if set(moves) & set(self.unbounded):
            return self._without_bound(per * mean, unit, level)
        slope = (steep_high @ one - steep_low @ other) / n
        own = sums_by_customer((high - low - mean)[:, None], self.customer) / n
        moved = own + (self.influence @ slope)[:, None]
        spread = float(np.sqrt(covariance_over_customers(moved)[0, 0]))
        return normal_estimate(per * mean, abs(per) * spread, unit, self.customers, level=level)

    def _without_bound(self, value: float, unit: str, level: float) -> Estimate:
        why = "it tells events from others without exception"
        return Estimate.without_interval(value, unit, self.customers, why, level)


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
    ridge = np.full(z.shape[1], RIDGE)
    ridge[0] = 0.0
    fitted = climb(z, y, LINK[family], penalty=ridge)
    residual = y - LINKS[LINK[family]](z @ fitted.coefficients)[0]
    score = sums_by_customer(z * residual[:, None], customer)
    moved = np.linalg.solve(fitted.information, score.T).T
    moved *= np.sqrt((len(y) - 1) / (len(y) - z.shape[1]))
    back = _to_own_units(centre, scale, kept, x.shape[1])
    left_out = tuple(name for place, name in enumerate(names) if place not in set(kept))
    return Regression(
        family,
        ("constant", *names),
        back @ fitted.coefficients,
        moved @ back.T,
        customer,
        left_out,
        _unbounded([names[place] for place in kept], fitted.information, family),
    )


def _unbounded(names: Sequence[str], information: Array, family: Family) -> tuple[str, ...]:
    """Columns whose coefficient would run to infinity, by the curvature that is left."""
    if family == "linear":
        return ()
    error = np.sqrt(np.diag(np.linalg.inv(information)))[1:]
    return tuple(name for name, one in zip(names, error, strict=True) if not one < UNBOUNDED)


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
