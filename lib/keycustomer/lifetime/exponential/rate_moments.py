"""Moments of purchase and dropout rates: E[rate^k exp(-rate y)].

How likely are k events and then none up to age y, when rates differ by a law?  Everything a
likelihood needs of a law of rates is the logarithm of that moment and its derivatives.
:class:`GammaMoments` has them for a gamma law, :class:`EqualMoments` for its limit, where all
customers are alike.

For gamma laws the moment is ``Gamma(shape + k) / Gamma(shape) rate^shape / (rate + y)^(shape+k)``;
the first factor depends on k alone and is passed as its *rise*: logarithm, first and second
derivative with regard to the parameter, shape (3, rows).

Source: Schmittlein, Morrison & Colombo (1987), Management Science 33, appendix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

from keycustomer.lifetime.rising import log_rising
from keycustomer.stats.samples import FloatArray

Number: TypeAlias = float | FloatArray


@dataclass(frozen=True)
class GammaMoments:
    """Moments of rates that follow a gamma law, one law for all rows or one a row.

    Attributes
    ----------
    shape, rate : float or ndarray, shape (rows,)
        r and alpha, or s and beta.
    """

    shape: Number
    rate: Number

    size: ClassVar[int] = 2

    @property
    def scale(self) -> Number:
        """Time in which the moment bends: the rate parameter."""
        return self.rate

    def rise(self, k: FloatArray) -> FloatArray:
        """Log of Gamma(shape + k) / Gamma(shape) and two derivatives, shape (3, rows)."""
        return np.stack(log_rising(self.shape, k))

    def first_rise(self) -> FloatArray:
        """Rise at k = 1: of log shape."""
        shape = np.atleast_1d(self.shape)
        return np.stack([np.log(shape), 1 / shape, -1 / shape**2])

    def log_moment(self, k: Number, rise: FloatArray, y: FloatArray) -> FloatArray:
        """Logarithm of the moment."""
        return rise[0] - k * np.log(self.rate) - (self.shape + k) * np.log1p(y / self.rate)

    def score(self, k: Number, rise: FloatArray, y: FloatArray) -> list[FloatArray]:
        """Its derivatives with regard to shape and rate."""
        bend = self.shape * y / self.rate - k
        return [rise[1] - np.log1p(y / self.rate), bend / (self.rate + y)]

    def hessian(self, bend: Number, mean: FloatArray, power: FloatArray) -> FloatArray:
        """Its second derivatives, shape (2, 2, rows), in the mean over an uncertain y.

        `bend` is the mean of the rise's second derivative, `mean` that of 1 / (rate + y), `power`
        that of (shape + k) / (rate + y)^2.
        """
        found = np.empty((2, 2, mean.size))
        found[0, 0] = bend
        found[0, 1] = found[1, 0] = 1 / self.rate - mean
        found[1, 1] = power - self.shape / self.rate**2
        return found

    def exponent(self, k: Number) -> Number:
        """How many stretches a gap takes off the log moment."""
        return self.shape + k

    def stretch(self, y: FloatArray, gap: FloatArray) -> FloatArray:
        """Length of a gap after age y as the moment sees it."""
        return np.log1p(gap / (self.rate + y))

    def hazard(self, k: Number, y: FloatArray) -> FloatArray:
        """Speed at which the log moment falls at age y."""
        return (self.shape + k) / (self.rate + y)

    def inverse(self, y: FloatArray) -> FloatArray:
        """1 / (rate + y), of which the derivatives are made."""
        return 1 / (self.rate + y)

    def shift(
        self, k: Number, rest: FloatArray, inverse: FloatArray, end: FloatArray
    ) -> list[FloatArray]:
        """Score at an age less the score at the end, given the stretch between them."""
        return [rest, (self.shape + k) * (end - inverse)]


@dataclass(frozen=True)
class EqualMoments:
    """Moments of a rate that all customers share: value^k exp(-value y).

    Attributes
    ----------
    value : float or ndarray, shape (rows,)
        The rate, above 0; one a row where only customers of one row share it.
    """

    value: Number

    size: ClassVar[int] = 1
    scale: ClassVar[float] = np.inf

    def rise(self, k: FloatArray) -> FloatArray:
        """Log of value^k and two derivatives, shape (3, rows)."""
        return np.stack([k * np.log(self.value), k / self.value, -k / self.value**2])

    def first_rise(self) -> FloatArray:
        """Rise at k = 1: of log value."""
        return self.rise(np.ones(1))

    def log_moment(self, k: Number, rise: FloatArray, y: FloatArray) -> FloatArray:
        """Logarithm of the moment."""
        return rise[0] - self.value * y

    def score(self, k: Number, rise: FloatArray, y: FloatArray) -> list[FloatArray]:
        """Its derivative with regard to the rate."""
        return [rise[1] - y]

    def hessian(self, bend: Number, mean: FloatArray, power: FloatArray) -> FloatArray:
        """Its second derivative, shape (1, 1, rows), whatever y is."""
        return np.full((1, 1, mean.size), bend)

    def exponent(self, k: Number) -> Number:
        """How many stretches a gap takes off the log moment."""
        return self.value

    def stretch(self, y: FloatArray, gap: FloatArray) -> FloatArray:
        """Length of a gap: itself."""
        return gap

    def hazard(self, k: Number, y: FloatArray) -> Number:
        """Speed at which the log moment falls: the rate."""
        return self.value

    def inverse(self, y: FloatArray) -> FloatArray:
        """0: the limit of 1 / (rate + y)."""
        return np.zeros(1)

    def shift(
        self, k: Number, rest: FloatArray, inverse: FloatArray, end: FloatArray
    ) -> list[FloatArray]:
        """Score at an age less the score at the end, given the time between them."""
        return [rest]


Moments: TypeAlias = GammaMoments | EqualMoments
