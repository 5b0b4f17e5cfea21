"""Mixtures by the EM algorithm, many at once: normal laws for numbers, probabilities for answers.

A finite mixture says that customers come from a few classes, and that within a class the variables
are independent: numbers normal, categories with a probability a level.  With numbers only this is
the normal mixture with diagonal covariances, with categories only latent class analysis.  The
log-likelihood of a customer is linear in a row of the design (numbers squared, numbers, codes), so
one matrix product serves every class of every fit; stability needs hundreds of fits, and weights
(how often a customer was drawn) take the place of copies of the data.

:class:`Design` makes the rows, :func:`mixtures_of_labels` a start, :func:`fit_mixtures` fits;
:class:`Mixture` is one fit.

Sources: Dempster, Laird & Rubin (1977); McLachlan & Peel, "Finite Mixture Models" (2000);
Lazarsfeld & Henry, "Latent Structure Analysis" (1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from keycustomer.dimensions.segments.variables import SegmentVariables
from keycustomer.stats.samples import FloatArray

Rows: TypeAlias = npt.NDArray[np.floating[Any]]
"""Numbers of whole or half the digits."""

SMALLEST_VARIANCE = 1e-2
"""Variance within a class below which none falls, in variances of the variable: no class shrinks to
a single value, where the likelihood has no bound."""

SMOOTHING = 1e-6
"""Customers added to every level of a class, so that no probability is zero."""

CELLS = 2**21
"""Customers x fits x classes held at once (16 MiB)."""

MOST_CATEGORIES = 10
"""Different values up to which a number is taken as categories in a latent class analysis."""

QUARTERS = (0.25, 0.5, 0.75)
"""Quantiles at which other numbers are cut for it."""


@dataclass(frozen=True, eq=False)
class Design:
    """Which codes are numbers, which are levels, and where numbers are cut into categories.

    Attributes
    ----------
    numbers : ndarray
        Codes taken as numbers.
    cuts : tuple of (int, ndarray)
        Codes of numbers taken as categories, with the borders of these.
    levels : ndarray
        Codes that are levels of categories already.
    widths : tuple of int
        Number of levels of every category, in the order of the design's columns.
    """

    numbers: np.ndarray
    cuts: tuple[tuple[int, FloatArray], ...]
    levels: np.ndarray
    widths: tuple[int, ...]

    @classmethod
    def of(cls, variables: SegmentVariables, *, categories: bool) -> Design:
        """Choose the design: numbers as numbers, or everything as categories."""
        numbers: list[int] = []
        levels: list[int] = []
        cuts: list[tuple[int, FloatArray]] = []
        given, start = [], 0
        for variable in variables.variables:
            codes = range(start, start + variable.width)
            if variable.levels:
                levels += codes
                given.append(variable.width)
            elif categories:
                cuts.append((start, _borders(variables.plain[:, start])))
            else:
                numbers.append(start)
            start += variable.width
        widths = (*(len(borders) + 1 for _, borders in cuts), *given)
        return cls(np.array(numbers, int), tuple(cuts), np.array(levels, int), widths)

    def rows(self, plain: FloatArray) -> FloatArray:
        """Rows of the design: squares, numbers, then 0/1 codes; shape (customers, columns)."""
        x = plain[:, self.numbers]
        cut = [
            (np.searchsorted(borders, plain[:, code])[:, None] == np.arange(len(borders) + 1))
            for code, borders in self.cuts
        ]
        return np.hstack([x**2, x, *cut, plain[:, self.levels]]).astype(float)

    @property
    def starts(self) -> np.ndarray:
        """First column of each category, counted from the end of the numbers."""
        return np.concatenate([[0], np.cumsum(self.widths)[:-1]]).astype(int)

    def parameters(self, classes: int) -> int:
        """Count the free parameters of a mixture of so many classes."""
        each = 2 * len(self.numbers) + sum(self.widths) - len(self.widths)
        return classes * each + classes - 1


def _borders(values: FloatArray) -> FloatArray:
    """Borders between the few different values of a number, else at its quarters."""
    different = np.unique(values)
    if different.size <= MOST_CATEGORIES:
        return (different[1:] + different[:-1]) / 2
    return np.unique(np.quantile(values, QUARTERS))


@dataclass(frozen=True, eq=False)
class Mixture:
    """One fitted mixture.

    Attributes
    ----------
    design : Design
        How customers become rows.
    terms : ndarray, shape (classes, columns)
        Coefficients of the rows in each class's log-density.
    constants : ndarray, shape (classes,)
        Their constants, with the logarithm of the class's share.
    log_likelihood : float
        Of the customers it was fitted on.
    """

    design: Design
    terms: Rows = field(repr=False)
    constants: Rows = field(repr=False)
    log_likelihood: float

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.constants)

    def scores(self, rows: Rows) -> Rows:
        """Log of share times density of each class, shape (customers, classes)."""
        return rows @ self.terms.T + self.constants


def fit_mixtures(
    rows: Rows,
    weights: Rows,
    start: Sequence[Mixture],
    *,
    tolerance: float,
    iterations: int,
) -> list[Mixture]:
    """Fit mixtures by EM, one for each row of weights.

    Parameters
    ----------
    rows : ndarray, shape (customers, columns)
        The customers, as the design of the mixtures makes them.
    weights : ndarray, shape (fits, customers)
        How often each customer counts.
    start : sequence of Mixture
        Where each fit begins, all with the same number of classes.
    tolerance : float
        Gain of log-likelihood a customer below which a fit ends.
    iterations : int
        Steps at most.

    Returns
    -------
    list of Mixture
        In the order of the weights.
    """
    together = max(1, CELLS // (len(rows) * start[0].classes))
    fitted: list[Mixture] = []
    for first in range(0, len(weights), together):
        chunk = slice(first, first + together)
        fitted += _fit_chunk(rows, weights[chunk], start[chunk], tolerance, iterations)
    return fitted


def mixtures_of_labels(
    design: Design, rows: Rows, weights: Rows, labels: np.ndarray, classes: int
) -> list[Mixture]:
    """Mixtures of customers whose classes are known, as a start.

    Parameters
    ----------
    design, rows, weights
        As in :func:`fit_mixtures`.
    labels : ndarray of int, shape (fits, customers)
        Class of every customer.
    classes : int
        Number of classes.
    """
    together = max(1, CELLS // (len(rows) * classes))
    made: list[Mixture] = []
    for first in range(0, len(weights), together):
        chunk = slice(first, first + together)
        shares = labels[chunk][:, None, :] == np.arange(classes)[:, None]
        counts = weights[chunk].astype(rows.dtype)
        terms, constants = _maximise(design, rows, counts, shares.astype(rows.dtype))
        made += [Mixture(design, *one, -np.inf) for one in zip(terms, constants, strict=True)]
    return made


def _fit_chunk(
    rows: Rows,
    weights: Rows,
    start: Sequence[Mixture],
    tolerance: float,
    iterations: int,
) -> list[Mixture]:
    """Run EM; fits that have ended leave the product, so that the slow ones cost less."""
    design, result, weights = start[0].design, list(start), weights.astype(rows.dtype)
    totals = weights.sum(axis=1)
    active, before = np.arange(len(weights)), np.full(len(weights), -np.inf)
    terms, constants = (
        np.stack([getattr(one, name) for one in start]).astype(rows.dtype)
        for name in ("terms", "constants")
    )
    for step in range(iterations):
        shares, likelihood = _expect(rows, weights[active], terms, constants)
        done = likelihood - before < tolerance * totals[active]
        done |= step == iterations - 1
        for place in np.flatnonzero(done):
            found = terms[place].copy(), constants[place].copy(), float(likelihood[place])
            result[active[place]] = Mixture(design, *found)
        active, before = active[~done], likelihood[~done]
        if not active.size:
            break
        terms, constants = _maximise(design, rows, weights[active], shares[~done])
    return result


def _expect(rows: Rows, weights: Rows, terms: Rows, constants: Rows) -> tuple[Rows, Rows]:
    """Shares of the classes in every customer, shape (fits, classes, customers); likelihoods."""
    fits, classes, columns = terms.shape
    scores = (terms.reshape(-1, columns) @ rows.T).reshape(fits, classes, -1)
    scores += constants[:, :, None]
    highest = scores.max(axis=1, keepdims=True)
    np.exp(np.subtract(scores, highest, out=scores), out=scores)
    total = scores.sum(axis=1, keepdims=True)
    scores /= total
    logs = (np.log(total) + highest)[:, 0]
    return scores, np.einsum("fn,fn->f", logs, weights, dtype=float)


def _maximise(design: Design, rows: Rows, weights: Rows, shares: Rows) -> tuple[Rows, Rows]:
    """Give every class's terms and constant from the shares of the customers in it."""
    fits, classes, n = shares.shape
    weighted = (shares * weights[:, None, :]).reshape(-1, n)
    sums = (weighted @ rows).reshape(fits, classes, -1)
    size = np.maximum(weighted.sum(axis=1).reshape(fits, classes, 1), SMOOTHING)
    d = len(design.numbers)
    mean = sums[:, :, d : 2 * d] / size
    variance = np.maximum(sums[:, :, :d] / size - mean**2, SMALLEST_VARIANCE)
    counts = sums[:, :, 2 * d :] + SMOOTHING
    logs = np.empty_like(counts)
    if design.widths:
        totals = np.add.reduceat(counts, design.starts, axis=2)
        logs = np.log(counts / np.repeat(totals, design.widths, axis=2))
    terms = np.concatenate([-0.5 / variance, mean / variance, logs], axis=2)
    constants = -0.5 * (mean**2 / variance + np.log(2 * np.pi * variance)).sum(axis=2)
    return terms, constants + np.log(size[:, :, 0] / weights.sum(axis=1)[:, None])
