"""How sure a quantity is that is computed from a model's coefficients.

A standardised loading, an indirect effect, a reliability: each is a function of the free
coefficients.  :class:`DeltaSpread` gives its standard error and normal interval from the
covariance of the coefficients; derivatives are exact, by a complex step.  :class:`DrawnSpread`
gives its percentile interval over bootstrap draws.  Both take the same functions, which compute
many sets of coefficients at once.

Sources: Squire & Trapp, "Using complex variables to estimate derivatives of real functions"
(SIAM Review 40, 1998); Sobel (Sociological Methodology 13, 1982) for the delta method; MacKinnon,
Lockwood & Williams (Multivariate Behavioral Research 39, 2004) for why indirect effects, whose
distribution is skewed, are better given with bootstrap intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol, TypeAlias

import numpy as np

from keycustomer.stats.samples import FloatArray

Quantity: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""Free coefficients (draws, free), real or complex, to values (draws, quantities)."""

STEP = 1e-30
"""Complex step: so small that nothing of second order is left."""


@dataclass(frozen=True, eq=False)
class Uncertain:
    """Quantities with standard errors and intervals, each of shape (quantities,).

    Attributes
    ----------
    estimate, se, lower, upper : ndarray
        NaN where a quantity is not defined; a standard error of 0 where it is fixed.
    """

    estimate: FloatArray
    se: FloatArray
    lower: FloatArray
    upper: FloatArray


class Spread(Protocol):
    """What gives quantities their intervals."""

    @property
    def method(self) -> str:
        """How the intervals are made, in words."""

    def of(self, quantity: Quantity) -> Uncertain:
        """Estimate quantities with their intervals."""


@dataclass(frozen=True, eq=False)
class DeltaSpread:
    """Intervals by the delta method.

    Attributes
    ----------
    theta : ndarray, shape (free,)
        Free coefficients.
    covariance : ndarray, shape (free, free)
        Their covariance.
    level : float
        Confidence level.
    """

    theta: FloatArray
    covariance: FloatArray
    level: float = 0.95

    @property
    def method(self) -> str:
        """How the intervals are made, in words."""
        return "delta method, normal theory"

    def of(self, quantity: Quantity) -> Uncertain:
        """Estimate quantities with normal intervals."""
        estimate = quantity(self.theta[None])[0]
        slope = slopes_of(quantity, self.theta)
        variance = np.einsum("kq,kl,lq->q", slope, self.covariance, slope)
        with np.errstate(invalid="ignore"):
            se = np.sqrt(np.where(np.abs(slope).max(axis=0, initial=0) > 0, variance, 0.0))
        half = NormalDist().inv_cdf((1 + self.level) / 2) * se
        return Uncertain(estimate, se, estimate - half, estimate + half)


@dataclass(frozen=True, eq=False)
class DrawnSpread:
    """Percentile intervals over bootstrap draws.

    Attributes
    ----------
    theta : ndarray, shape (free,)
        Free coefficients of the answers themselves.
    draws : ndarray, shape (draws, free)
        Those of the draws that have a solution.
    level : float
        Confidence level.
    """

    theta: FloatArray
    draws: FloatArray
    level: float = 0.95

    @property
    def method(self) -> str:
        """How the intervals are made, in words."""
        return f"percentile bootstrap of respondents, {len(self.draws):,} draws"

    def of(self, quantity: Quantity) -> Uncertain:
        """Estimate quantities with percentile intervals; NaN where a draw has no value."""
        estimate = quantity(self.theta[None])[0]
        drawn = quantity(self.draws)
        known = np.isfinite(drawn).all(axis=0)
        safe = np.where(known, drawn, 0.0)
        tail = (1 - self.level) / 2
        lower, upper = np.quantile(safe, [tail, 1 - tail], axis=0)
        se = safe.std(axis=0, ddof=1)
        gap = np.where(known, 0.0, np.nan)
        return Uncertain(estimate, se + gap, lower + gap, upper + gap)


def slopes_of(quantity: Quantity, theta: FloatArray) -> FloatArray:
    """Exact slopes of quantities in each coefficient, shape (free, quantities)."""
    stepped = theta + 1j * STEP * np.eye(theta.size)
    return np.imag(quantity(stepped)) / STEP
