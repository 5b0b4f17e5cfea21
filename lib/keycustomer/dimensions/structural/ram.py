"""What a model says the covariances are, and how far that is from those seen.

Which covariances do coefficients imply?  With one-way arrows A and two-way arrows S, all
variables have the covariances ``(I - A)^-1 S (I - A)^-T``, and the items are the upper left
corner.  :class:`Structure` computes them, the maximum-likelihood discrepancy
``log|Sigma| + tr(S Sigma^-1) - log|S| - p`` with its gradient, expected and exact second
derivatives, for many sets of coefficients at once: arrays have a leading axis of draws.

Each coefficient changes Sigma by ``u v' + v u'`` with two columns u, v of a small matrix, so all
second derivatives are made of products that are looked up, never computed
(:meth:`Structure.evaluate`): a draw costs microseconds where differentiating Sigma coefficient by
coefficient costs milliseconds.  All but :meth:`Structure.evaluate` also take complex
coefficients, by which intervals get exact derivatives (see `uncertainty`).

Sources: McArdle & McDonald (British Journal of Mathematical and Statistical Psychology 1984);
Jöreskog, "A general approach to confirmatory maximum likelihood factor analysis" (Psychometrika
34, 1969), for discrepancy and information.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from keycustomer.dimensions.structural.specification import FIXED, PATH, Specification
from keycustomer.dimensions.structural.syntax import LOADING
from keycustomer.stats.samples import FloatArray


class Implied(NamedTuple):
    """What coefficients imply, each with a leading axis of draws.

    Attributes
    ----------
    values : ndarray, shape (draws, cells)
        Value of every cell, free or fixed.
    effects : ndarray, shape (draws, variables, variables)
        Total effect of each variable (column) on each other (row), 1 on itself.
    arrows : ndarray, shape (draws, variables, variables)
        S: two-way arrows, the variances and covariances not explained by other variables.
    covariance : ndarray, shape (draws, variables, variables)
        Covariances of items and constructs.
    """

    values: np.ndarray
    effects: np.ndarray
    arrows: np.ndarray
    covariance: np.ndarray


class Evaluation(NamedTuple):
    """Discrepancy with derivatives, each with a leading axis of draws.

    Attributes
    ----------
    value : ndarray, shape (draws,)
        Discrepancy less what only the seen covariances determine; infinite where the implied
        covariances are none.
    gradient : ndarray, shape (draws, free)
        Its slope.
    curvature : ndarray, shape (draws, free, free)
        Its expected second derivatives.
    exact : ndarray, shape (draws, free, free)
        Its second derivatives.
    """

    value: FloatArray
    gradient: FloatArray
    curvature: FloatArray
    exact: FloatArray

    def at(self, rows: np.ndarray) -> Evaluation:
        """Pick some draws."""
        return Evaluation(*(part[rows] for part in self))

    def put(self, rows: np.ndarray, other: Evaluation) -> None:
        """Overwrite some draws."""
        for own, new in zip(self, other, strict=True):
            own[rows] = new


@dataclass(frozen=True, eq=False)
class Places:
    """Cells as columns u, v of the matrix whose products give all derivatives.

    Attributes
    ----------
    u, v : ndarray of int, shape (cells,)
        Columns among the total effects, then (counted on) among the covariances.
    weight : ndarray, shape (cells,)
        One half for a variance, which stands in S once.
    uu, vv, uv : ndarray of int, shape (cells, cells)
        Where the products of two cells' columns stand in the flat matrix of products.
    weights : ndarray, shape (cells, cells)
        Products of weights.
    """

    u: np.ndarray
    v: np.ndarray
    weight: FloatArray
    uu: np.ndarray
    vv: np.ndarray
    uv: np.ndarray
    weights: FloatArray


class Structure:
    """A specification as matrices."""

    def __init__(self, specification: Specification) -> None:
        self.specification = specification
        cells = specification.cells
        self.items = len(specification.items)
        self.size = len(specification.variables)
        self.parameters = len(specification.free)
        self.row = np.array([cell.row for cell in cells], int)
        self.column = np.array([cell.column for cell in cells], int)
        self.directed = np.array([cell.operator in (LOADING, PATH) for cell in cells], bool)
        self.number = np.array([cell.free for cell in cells], int)
        self.fixed = np.array([cell.value for cell in cells], float)
        self.free = np.flatnonzero(self.number != FIXED)
        self.depth = _longest_way(self.row[self.directed], self.column[self.directed], self.size)
        self.places = self.places_of(
            self.row[self.free], self.column[self.free], self.directed[self.free]
        )
        self.shares = _shares(self.number[self.free], self.parameters)
        arrows = self.directed[self.free]
        self.one_way = np.flatnonzero(arrows)
        self.half = 2 * self.places.weight * np.where(arrows, 0.5, 1.0)

    def places_of(self, row: np.ndarray, column: np.ndarray, directed: np.ndarray) -> Places:
        """Columns u, v of cells."""
        u, v = row, np.where(directed, column + self.size, column)
        weight = np.where(~directed & (row == column), 0.5, 1.0)
        wide = 2 * self.size

        def flat(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
            return rows[:, None] * wide + columns[None, :]

        return Places(
            u, v, weight, flat(u, u), flat(v, v), flat(u, v), weight[:, None] * weight[None, :]
        )

    def values(self, theta: np.ndarray) -> np.ndarray:
        """Value of every cell, shape (draws, cells), from free coefficients (draws, free)."""
        values = np.empty((len(theta), len(self.fixed)), dtype=theta.dtype)
        values[:] = self.fixed
        values[:, self.free] = theta[:, self.number[self.free]]
        return values

    def implied(self, theta: np.ndarray) -> Implied:
        """Compute what free coefficients (draws, free) imply."""
        values = self.values(theta)
        shape = len(theta), self.size, self.size
        one_way, two_way = np.zeros(shape, theta.dtype), np.zeros(shape, theta.dtype)
        arrows = self.directed
        one_way[:, self.row[arrows], self.column[arrows]] = values[:, arrows]
        two_way[:, self.row[~arrows], self.column[~arrows]] = values[:, ~arrows]
        two_way[:, self.column[~arrows], self.row[~arrows]] = values[:, ~arrows]
        # arrows never come back, so the inverse of I - A is a short sum of powers
        identity = np.eye(self.size)
        effects = identity + one_way
        for _ in range(self.depth - 1):
            effects = identity + one_way @ effects
        covariance = effects @ two_way @ effects.transpose(0, 2, 1)
        return Implied(values, effects, two_way, covariance)

    def columns(self, implied: Implied) -> np.ndarray:
        """Columns that change covariances: total effects, then covariances; first the items'."""
        return np.concatenate([implied.effects, implied.covariance], axis=2)

    def evaluate(self, theta: FloatArray, seen: FloatArray) -> Evaluation:
        """Discrepancy with gradient, expected and exact second derivatives.

        Parameters
        ----------
        theta : ndarray, shape (draws, free)
            Coefficients.
        seen : ndarray, shape (draws, items, items)
            Covariances of the answers.
        """
        with np.errstate(all="ignore"):
            implied = self.implied(theta)
            sigma = implied.covariance[:, : self.items, : self.items]
            log_determinant, root, sound = _inverse_root(sigma)
            columns = self.columns(implied)
            whitened = root @ columns[:, : self.items]
            products = whitened.transpose(0, 2, 1) @ whitened
            relative = root @ seen @ root.transpose(0, 2, 1)
            misfit = products - whitened.transpose(0, 2, 1) @ relative @ whitened
            value = log_determinant + np.trace(relative, axis1=1, axis2=2)
            gradient = self.shared(slopes(misfit, self.places))
            curvature = 2 * information(products, self.places)
            exact = curvature + self._bend(products, misfit, columns)
            curvature, exact = (self.shared(self.shared(c, 1), 2) for c in (curvature, exact))
        sound &= np.isfinite(value) & np.isfinite(gradient).all(axis=1)
        sound &= np.isfinite(curvature).all(axis=(1, 2)) & np.isfinite(exact).all(axis=(1, 2))
        return Evaluation(np.where(sound, value, np.inf), gradient, curvature, exact)

    def _bend(self, products: FloatArray, misfit: FloatArray, columns: FloatArray) -> FloatArray:
        """Compute what misfit adds to the expected second derivatives of cells."""
        places = self.places
        uu, vv, uv = (_looked_up(products, at) for at in (places.uu, places.vv, places.uv))
        bent_uu, bent_vv, bent_uv = (
            _looked_up(misfit, at) for at in (places.uu, places.vv, places.uv)
        )
        crossed = uv.transpose(0, 2, 1) * bent_uv
        added = uu * bent_vv + vv * bent_uu + crossed + crossed.transpose(0, 2, 1)
        added *= -2 * places.weights
        # an arrow also changes how other coefficients reach the items
        arrows = self.one_way
        begin = self.column[self.free][arrows][:, None]
        twice = bent_uv[:, arrows] * columns[:, begin, places.u] * (2 * places.weight)
        twice += bent_uu[:, arrows] * columns[:, begin, places.v] * self.half
        added[:, arrows] += twice
        added[:, :, arrows] += twice.transpose(0, 2, 1)
        return added

    def shared(self, array: np.ndarray, axis: int = 1) -> np.ndarray:
        """Add up cells that share a coefficient."""
        if self.shares is None:
            return array
        return np.moveaxis(np.tensordot(array, self.shares, (axis, 0)), -1, axis)

    def change(self, theta: FloatArray) -> FloatArray:
        """How the distinct covariances of items change with each coefficient of one theta.

        Returns
        -------
        ndarray, shape (moments, free)
            In standard deviations of the items.
        """
        implied = self.implied(theta[None])
        variance = np.abs(np.einsum("ii->i", implied.covariance[0]))[: self.items]
        spread = np.sqrt(np.where(variance > 0, variance, 1.0))
        columns = self.columns(implied)[0, : self.items] / spread[:, None]
        u, v = columns[:, self.places.u], columns[:, self.places.v]
        outer = u[:, None] * v[None] * self.places.weight
        lower = np.tril_indices(self.items)
        changed = (outer + outer.transpose(1, 0, 2))[lower]
        return changed if self.shares is None else changed @ self.shares


def slopes(misfit: np.ndarray, places: Places) -> np.ndarray:
    """Slope of the discrepancy in cells, shape (draws, cells)."""
    return 2 * places.weight * misfit[:, places.u, places.v]


def information(products: np.ndarray, places: Places) -> np.ndarray:
    """Compute the expected information of one respondent on cells, shape (draws, cells, cells)."""
    crossed = _looked_up(products, places.uv)
    found = _looked_up(products, places.uu) * _looked_up(products, places.vv)
    found += crossed * crossed.transpose(0, 2, 1)
    return found * places.weights


def _looked_up(products: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.take(products.reshape(len(products), -1), places, axis=1)


def _shares(numbers: np.ndarray, parameters: int) -> FloatArray | None:
    """Which cell belongs to which coefficient; None where they are the same, in order."""
    if np.array_equal(numbers, np.arange(parameters)):
        return None
    return np.eye(parameters)[numbers]


def _longest_way(rows: np.ndarray, columns: np.ndarray, size: int) -> int:
    """Arrows of the longest way through the model, at least one."""
    reached = np.zeros((size, size))
    reached[rows, columns] = 1
    power, length = reached, 0
    while power.any():
        power = np.minimum(power @ reached, 1)
        length += 1
    return max(length, 1)


def _inverse_root(sigma: FloatArray) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """Log-determinants, inverse Cholesky roots, and whether each matrix is positive definite."""
    sound = np.asarray(np.isfinite(sigma).all(axis=(1, 2)))
    try:
        root = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        identity = np.eye(sigma.shape[1])
        finite = np.where(sound[:, None, None], sigma, identity)
        smallest, largest = np.linalg.eigvalsh(finite)[:, [0, -1]].T
        sound &= smallest > 1e-12 * np.abs(largest)
        root = np.linalg.cholesky(np.where(sound[:, None, None], finite, identity))
    diagonal = np.einsum("dii->di", root)
    return 2 * np.log(diagonal).sum(axis=1), np.linalg.inv(root), sound
