"""Parameters of a lifetime model that depend on covariates, and their exact likelihood.

How does a likelihood whose parameters differ from customer to customer change with what they
share?  A :class:`Parameter` is ``base * exp(sign * covariates @ effects)``, a :class:`Family` the
parameters of a model; an :class:`EffectsLikelihood` takes the model's likelihood, score and
Hessian of every row and chains them into those of base values and effects.

The logarithm of a parameter is linear in the covariates, so the score of an effect is the rows'
scores weighted by the covariate, and the Hessian of two effects the rows' Hessians weighted by
both.  Probabilities are searched by their odds, so that an effect is a log odds ratio.

Source: Fader & Hardie (2007), "Incorporating time-invariant covariates into the Pareto/NBD and
BG/NBD models".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from keycustomer.lifetime.laws import DropoutLaw, RateLaw
from keycustomer.stats.samples import FloatArray

RowTerms: TypeAlias = Callable[..., tuple[FloatArray, FloatArray, FloatArray]]
"""Log-likelihood (n,), score (k, n) and Hessian (k, k, n) of rows x, t_x, T and k parameters."""

Law: TypeAlias = Literal["purchasing", "dropout"]

FARTHEST = 18.0
"""A row's log-parameter beyond this is as good as infinite: sixty million to one."""

Number: TypeAlias = float | FloatArray

CHUNK = 8192
"""Rows computed together, so that their Hessians stay in the processor's cache."""


@dataclass(frozen=True)
class Parameter:
    """A positive parameter of a model and how covariates move it.

    Attributes
    ----------
    name : str
        Its name, such as `alpha`.
    law : {"purchasing", "dropout"}
        Whose covariates move it.
    effect : str
        What its effects are called, such as `purchasing`; empty when covariates leave it alone.
    sign : float
        Sign with which the covariates enter: -1 for alpha and beta, by which a positive effect
        means a higher rate.
    odds : bool
        Whether it is the odds of a probability, which is what a reader is told.
    """

    name: str
    law: Law
    effect: str = ""
    sign: float = 1.0
    odds: bool = False

    def reported(self, value: Number) -> tuple[Number, Number]:
        """Value as a reader knows it, and its slope in the one searched."""
        if not self.odds:
            return value, 1.0
        return value / (1 + value), 1 / (1 + value) ** 2

    def searched(self, reported: float) -> float:
        """Value as it is searched."""
        return reported / (1 - reported) if self.odds else reported


@dataclass(frozen=True)
class Family:
    """A model with its laws, seen as parameters that covariates may move.

    Attributes
    ----------
    parameters : tuple of Parameter
        In the order in which `row_terms` takes them.
    row_terms : callable
        The model's likelihood of rows, each with parameters of its own.
    laws : callable
        Gives the purchasing and the dropout law of parameters.
    """

    parameters: tuple[Parameter, ...]
    row_terms: RowTerms
    laws: Callable[..., tuple[RateLaw, DropoutLaw]]

    def effect_names(self, columns: dict[Law, tuple[str, ...]]) -> tuple[str, ...]:
        """Names of the effects: `purchasing: region=north`."""
        return tuple(
            f"{parameter.effect}: {column}"
            for parameter in self.parameters
            if parameter.effect
            for column in columns[parameter.law]
        )


@dataclass(frozen=True, eq=False)
class CovariateRows:
    """Different histories with different covariates, equal ones counted once.

    Attributes
    ----------
    x, t_x, T, weights : ndarray, shape (rows,)
        Frequency, recency and age, in the model's unit, and customers.
    covariates : dict of str to ndarray, shape (rows, columns)
        Coded covariates of the purchasing and of the dropout law.
    """

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    weights: FloatArray
    covariates: dict[Law, FloatArray]


class EffectsLikelihood:
    """Log-likelihood, score and Hessian of base values and effects.

    The free parameters are the base values in the family's order, then the effects of each.

    Parameters
    ----------
    family : Family
        The model.
    rows : CovariateRows
        The customers.
    """

    def __init__(self, family: Family, rows: CovariateRows) -> None:
        self.family = family
        self.rows = rows
        count = len(family.parameters)
        self.columns: list[FloatArray] = []
        self.places: list[np.ndarray] = []
        self.size = count
        for k, parameter in enumerate(family.parameters):
            sums = [np.ones((1, rows.x.size))]
            if parameter.effect:
                sums.append(parameter.sign * rows.covariates[parameter.law].T)
            self.columns.append(np.concatenate(sums))
            end = self.size + len(self.columns[-1]) - 1
            self.places.append(np.append(k, np.arange(self.size, end)))
            self.size = end

    @property
    def positive(self) -> list[bool]:
        """Which free parameters are positive: the base values."""
        return [k < len(self.family.parameters) for k in range(self.size)]

    def values(self, free: FloatArray) -> list[FloatArray]:
        """Parameters of every row, each of shape (rows,)."""
        return [np.exp(one) for one in self._logs(free)]

    def _logs(self, free: FloatArray) -> list[FloatArray]:
        """Logarithms of the parameters of every row."""
        logs = np.where(self.positive, np.log(np.where(self.positive, free, 1.0)), free)
        return [
            logs[place] @ column for place, column in zip(self.places, self.columns, strict=True)
        ]

    def __call__(self, free: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Value, score and Hessian with regard to the free parameters.

        The value is minus infinity where a row's parameter is as good as infinite or 0: a search
        ends there, short of places where the likelihood is flat and its digits are lost.
        """
        free = np.asarray(free, dtype=float)
        score, hessian = np.zeros(self.size), np.zeros((self.size, self.size))
        logs = self._logs(free)
        if max(float(np.abs(one).max()) for one in logs) > FARTHEST:
            return -np.inf, score, hessian
        value, parameters = 0.0, [np.exp(one) for one in logs]
        # A step may go too far for some rows' parameters; the search then takes half of it.
        with np.errstate(all="ignore"):
            for start in range(0, self.rows.x.size, CHUNK):
                part = slice(start, start + CHUNK)
                value += self._add([one[part] for one in parameters], part, score, hessian)
        hessian -= np.diag(np.where(self.positive, score, 0.0))
        slope = np.where(self.positive, free, 1.0)
        return value, score / slope, hessian / np.outer(slope, slope)

    def _add(
        self, parameters: list[FloatArray], part: slice, score: FloatArray, hessian: FloatArray
    ) -> float:
        """Add some rows' score and Hessian with regard to logarithms; return their value."""
        rows, weights = self.rows, self.rows.weights[part]
        terms = self.family.row_terms(rows.x[part], rows.t_x[part], rows.T[part], *parameters)
        columns = [column[:, part] for column in self.columns]
        for k, one in enumerate(parameters):
            slope = one * terms[1][k]
            score[self.places[k]] += columns[k] @ (weights * slope)
            for j, other in enumerate(parameters):
                bend = one * other * terms[2][k, j] + (slope if j == k else 0.0)
                block = (columns[k] * (weights * bend)) @ columns[j].T
                hessian[np.ix_(self.places[k], self.places[j])] += block
        return float(weights @ terms[0])
