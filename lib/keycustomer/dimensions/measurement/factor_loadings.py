"""Loadings of items on their constructs' common factors, for one sample and many resamples.

How much of each item does its construct make?  :class:`FactorModel` fits common factors by maximum
likelihood to a stack of covariance matrices: one factor to each construct alone, or all
constructs jointly in one confirmatory model.  Three items alone have a closed form, Spearman's
triad: the product of two correlations over the third is a squared loading.  With two items alone
two loadings cannot be told apart, so their standardised loadings are taken as equal; a single item
is its own factor in a joint model and has none alone.

Sources: Spearman, "General intelligence, objectively determined and measured" (American Journal of
Psychology 1904); Jöreskog, "Statistical analysis of sets of congeneric tests" (Psychometrika 1971).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keycustomer.dimensions.measurement.moments import correlations_of
from keycustomer.dimensions.structural.ram import Structure
from keycustomer.dimensions.structural.search import search, walk_all
from keycustomer.dimensions.structural.specification import specify
from keycustomer.dimensions.structural.syntax import COVARIANCE, LOADING
from keycustomer.stats.samples import FloatArray

SINGULAR = 1e-10
"""Smallest root of the factors' correlations below which they determine each other."""


@dataclass(frozen=True, eq=False)
class FactorLoadings:
    """Loadings and what the factors leave, for a stack of covariance matrices.

    Attributes
    ----------
    loadings : ndarray, shape (draws, items)
        Of each item on its own factor, which has variance one; items of variance one.  NaN where
        there is no solution.
    uniquenesses : ndarray, shape (draws, items)
        Variances the factor leaves.
    factors : ndarray, shape (draws, factors, factors)
        Correlations of the factors.
    """

    loadings: FloatArray
    uniquenesses: FloatArray
    factors: FloatArray

    @property
    def improper(self) -> npt.NDArray[np.bool_]:
        """Whether a variance is negative or factors determine each other, (draws,)."""
        solved = np.asarray(np.isfinite(self.factors).all(axis=(1, 2)))
        # one on the diagonal and nowhere else has no small root
        apart = np.eye(self.factors.shape[1])
        roots = np.linalg.eigvalsh(np.where(solved[:, None, None], self.factors, apart))
        return np.any(self.uniquenesses < 0, axis=1) | np.asarray(roots[:, 0] < SINGULAR)

    def trouble(self, items: Sequence[str], factors: Sequence[str]) -> str:
        """Say what forbids to read the first solution, empty where nothing does.

        Parameters
        ----------
        items, factors : sequence of str
            Their names.
        """
        if not np.isfinite(self.loadings[0]).all():
            return "no common factor makes these correlations; do all its items go together?"
        heywood = [
            f"{item} ({own:.3f})"
            for item, own in zip(items, self.uniquenesses[0], strict=True)
            if own < 0
        ]
        if heywood:
            return (
                f"Heywood case, a negative share of own variance: {', '.join(heywood)}; leave the "
                "item out, or ask more people"
            )
        if self.improper[0]:
            between = np.tril(np.abs(self.factors[0]), -1)
            a, b = np.unravel_index(between.argmax(), between.shape)
            return (
                "the factors determine each other: the smallest root of their correlations is not "
                f"above zero (closest are {factors[b]} and {factors[a]}, correlated by "
                f"{self.factors[0][a, b]:.2f}); merge constructs, or give factors='each'"
            )
        return ""


class FactorModel:
    """Common factors of blocks of items.

    Parameters
    ----------
    blocks : sequence of lists of int
        Positions of the items of each factor; no item in two blocks.
    """

    def __init__(self, blocks: Sequence[list[int]]) -> None:
        self.positions = [item for block in blocks for item in block]
        self._closed = len(blocks) == 1 and len(blocks[0]) in (2, 3)
        lines, start = [], 0
        for factor, block in enumerate(blocks):
            names = [f"x{start + at}" for at in range(len(block))]
            start += len(block)
            lines.append(f"f{factor} =~ " + " + ".join(names))
            if len(block) == 1:
                lines.append(f"{names[0]} ~~ 0*{names[0]}")
        columns = [f"x{at}" for at in range(start)]
        self._structure = Structure(specify("\n".join(lines), columns, scale="variance"))
        self._start: FloatArray | None = None

    def fit(self, covariances: FloatArray, respondents: int) -> FactorLoadings:
        """Fit the factors to the sample itself, whose solution later draws start from.

        Parameters
        ----------
        covariances : array, shape (1, all items, all items)
        respondents : int
            How many the covariances rest on.
        """
        matrix = self._matrices(covariances)
        if self._closed:
            return _closed_form(matrix)
        found = search(self._structure, matrix[0], respondents)
        self._start = found.theta[0]
        return self._read(found.theta, found.converged)

    def fit_all(self, covariances: FloatArray, respondents: int) -> FactorLoadings:
        """Fit the factors to a stack of resamples, from the sample's solution.

        Parameters
        ----------
        covariances : array, shape (draws, all items, all items)
        respondents : int
            How many each rests on.
        """
        matrices = self._matrices(covariances)
        if self._closed:
            return _closed_form(matrices)
        if self._start is None:
            raise RuntimeError("fit the sample itself before its resamples")
        found = walk_all(self._structure, matrices, self._start, respondents)
        return self._read(found.theta, found.converged)

    def _matrices(self, covariances: FloatArray) -> FloatArray:
        """Correlations of the items, in the model's order; likelihoods do not mind the units."""
        own = covariances[:, self.positions][:, :, self.positions]
        order = [int(item[1:]) for item in self._structure.specification.items]
        return correlations_of(own[:, order][:, :, order])

    def _read(self, theta: FloatArray, converged: np.ndarray) -> FactorLoadings:
        """Sort the coefficients, in the order of the blocks' items."""
        specification = self._structure.specification
        values = np.where(converged[:, None], self._structure.values(theta), np.nan)
        items, factors = len(specification.items), len(specification.constructs)
        loadings = np.zeros((len(values), items))
        left = np.zeros((len(values), items))
        between = np.broadcast_to(np.eye(factors), (len(values), factors, factors)).copy()
        owner = np.zeros(items, dtype=int)
        for number, cell in enumerate(specification.cells):
            if cell.operator == LOADING:
                at = int(cell.right[1:])
                loadings[:, at], owner[at] = values[:, number], int(cell.left[1:])
            elif cell.operator == COVARIANCE and cell.left in specification.items:
                left[:, int(cell.left[1:])] = values[:, number]
            elif cell.operator == COVARIANCE:
                a, b = int(cell.left[1:]), int(cell.right[1:])
                between[:, a, b] = between[:, b, a] = values[:, number]
        sign = _signs(loadings, owner, factors)
        return FactorLoadings(
            loadings * sign[:, owner], left, between * sign[:, :, None] * sign[:, None, :]
        )


def _closed_form(correlations: FloatArray) -> FactorLoadings:
    """Give loadings of two or three items; NaN where no factor makes such correlations."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if correlations.shape[-1] == 2:
            root = np.sqrt(correlations[:, 0, 1])
            loadings = np.stack([root, root], axis=1)
        else:
            ab, ac, bc = (correlations[:, i, j] for i, j in ((0, 1), (0, 2), (1, 2)))
            first = np.sqrt(ab * ac / bc)
            loadings = np.stack([first, ab / first, ac / first], axis=1)
    known = np.isfinite(loadings).all(axis=1, keepdims=True)
    loadings = np.where(known, loadings, np.nan)
    loadings *= np.where(loadings.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    factors = np.where(known[:, :, None], 1.0, np.nan)
    return FactorLoadings(loadings, 1 - loadings**2, factors)


def _signs(loadings: FloatArray, owner: npt.NDArray[np.int64], factors: int) -> FloatArray:
    """Sign of each factor under which its loadings sum to more than zero."""
    sums = np.stack([loadings[:, owner == f].sum(axis=1) for f in range(factors)], axis=1)
    return np.where(sums < 0, -1.0, 1.0)
