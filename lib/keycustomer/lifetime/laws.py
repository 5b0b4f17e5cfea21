"""Laws of how customers differ: in how fast they buy, and in how easily they leave.

A lifetime model says that every customer has a purchase rate and a way to drop out, and that both
differ between customers by a law of few parameters.  :class:`GammaLaw` and :class:`BetaLaw` are
the laws of the textbook models.  Their limits are laws too: :class:`PointLaw`, by which all
customers are alike, and :class:`SplitLaw`, by which some leave at once and the others never.  A
likelihood without an inner maximum has its maximum at one of these.

Times and rates are in the model's unit.

Source: the weak closure of the gamma laws on [0, infinity] and of the beta laws on [0, 1] adds to
them exactly the point laws and the two-point laws on the ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.special import (
    betainc,
    betaincinv,
    betaln,
    gammainc,
    gammaincinv,
    gammaln,
    xlog1py,
    xlogy,
)

from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True)
class GammaLaw:
    """Rates follow a gamma law.

    Attributes
    ----------
    shape : float
        r or s: the smaller, the more customers differ.
    rate : float
        alpha or beta, a length of time.
    """

    shape: float
    rate: float

    @property
    def mean(self) -> float:
        """Mean rate per unit of time."""
        return self.shape / self.rate

    @property
    def variance(self) -> float:
        """Variance of the rate between customers."""
        return self.shape / self.rate**2

    def density(self, at: FloatArray) -> FloatArray:
        """Density of the rate."""
        inside = np.clip(np.asarray(at) * self.rate, 0.0, 1e300)
        logarithm = xlogy(self.shape - 1, inside) - inside - gammaln(self.shape)
        return np.where(np.asarray(at) < 0, 0.0, self.rate * np.exp(logarithm))

    def share_below(self, at: FloatArray) -> FloatArray:
        """Share of customers with a rate of at most this."""
        return gammainc(self.shape, np.maximum(at, 0.0) * self.rate)

    def quantile(self, share: float) -> float:
        """Rate below which a share of customers lies."""
        return float(gammaincinv(self.shape, share)) / self.rate

    def sample(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Draw the rates of customers."""
        return generator.gamma(self.shape, 1 / self.rate, size)


@dataclass(frozen=True)
class BetaLaw:
    """Probabilities follow a beta law.

    Attributes
    ----------
    a, b : float
        Parameters of the beta law; the smaller, the more customers differ.
    """

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Mean probability."""
        return self.a / (self.a + self.b)

    @property
    def variance(self) -> float:
        """Variance of the probability between customers."""
        return self.mean * (1 - self.mean) / (self.a + self.b + 1)

    def density(self, at: FloatArray) -> FloatArray:
        """Density of the probability."""
        inside = np.clip(at, 0.0, 1.0)
        powers = xlogy(self.a - 1, inside) + xlog1py(self.b - 1, -inside)
        return np.where(np.asarray(at) == inside, np.exp(powers - betaln(self.a, self.b)), 0.0)

    def share_below(self, at: FloatArray) -> FloatArray:
        """Share of customers with a probability of at most this."""
        return betainc(self.a, self.b, np.clip(at, 0.0, 1.0))

    def quantile(self, share: float) -> float:
        """Probability below which a share of customers lies."""
        return float(betaincinv(self.a, self.b, share))

    def sample(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Draw the probabilities of customers."""
        return generator.beta(self.a, self.b, size)


@dataclass(frozen=True)
class PointLaw:
    """All customers are alike.

    Attributes
    ----------
    value : float
        The rate or probability of everybody; 0 means never.
    """

    value: float

    @property
    def mean(self) -> float:
        """The value."""
        return self.value

    @property
    def variance(self) -> float:
        """Zero."""
        return 0.0

    def share_below(self, at: FloatArray) -> FloatArray:
        """Return 1 from the value on, 0 below it."""
        return (np.asarray(at) >= self.value).astype(float)

    def quantile(self, share: float) -> float:
        """Return the value, whatever the share."""
        return self.value

    def sample(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Return the value for each customer."""
        return np.full(size, self.value)


@dataclass(frozen=True)
class SplitLaw:
    """A share of the customers leaves at the first occasion, the others never.

    Attributes
    ----------
    share : float
        Share of customers that leaves at once, 0..1.
    """

    share: float

    @property
    def mean(self) -> float:
        """Mean probability of leaving at an occasion."""
        return self.share

    @property
    def variance(self) -> float:
        """Variance of that probability between customers."""
        return self.share * (1 - self.share)

    def share_below(self, at: FloatArray) -> FloatArray:
        """Return the share of stayers between 0 and 1, everybody from 1 on."""
        place = np.asarray(at)
        return np.select([place < 0, place < 1], [0.0, 1 - self.share], 1.0)

    def quantile(self, share: float) -> float:
        """Return 0 below the share of stayers, 1 above."""
        return float(share > 1 - self.share)

    def sample(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Draw 1 for those who leave at once, 0 for the others."""
        return (generator.random(size) < self.share).astype(float)


RateLaw: TypeAlias = GammaLaw | PointLaw
DropoutLaw: TypeAlias = GammaLaw | BetaLaw | PointLaw | SplitLaw
