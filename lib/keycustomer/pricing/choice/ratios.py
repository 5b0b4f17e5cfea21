"""Intervals of a ratio of two estimates, such as willingness to pay: three ways that differ.

Willingness to pay is a coefficient over the price coefficient, both estimated.  The delta method
takes the ratio for normal, which it is only where the price coefficient is many standard errors
from zero.  Krinsky and Robb draw both coefficients and cut equal tails of the ratios.  Fieller
inverts a test, which keeps its level whatever the price coefficient, and says so where the data do
not bound the ratio: then the interval is the whole line, or all but a middle part.

Sources: Krinsky & Robb (1986), Review of Economics and Statistics 68, 715-719; Fieller (1954),
Journal of the Royal Statistical Society B 16, 175-185; Hole (2007), Health Economics 16, 827-840,
for the three compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.stats.bootstrap import Seed, percentile_interval
from keycustomer.stats.regressions.fieller import fieller_roots
from keycustomer.stats.regressions.normal_draws import normal_draws
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class Ratios:
    """Ratios of linear combinations of coefficients to a common one.

    Attributes
    ----------
    tops : ndarray, shape (ratios, coefficients)
        Combination above the line of each ratio.
    bottoms : ndarray, shape (ratios, coefficients)
        Combination below the line.
    coefficients : ndarray, shape (coefficients,)
        Estimates.
    covariance : ndarray, shape (coefficients, coefficients)
        Their covariance.
    """

    tops: FloatArray
    bottoms: FloatArray
    coefficients: FloatArray
    covariance: FloatArray

    @property
    def values(self) -> FloatArray:
        """The ratios, shape (ratios,)."""
        return np.asarray((self.tops @ self.coefficients) / (self.bottoms @ self.coefficients))

    @property
    def gradients(self) -> FloatArray:
        """Derivatives of the ratios by the coefficients, shape (ratios, coefficients)."""
        below = (self.bottoms @ self.coefficients)[:, None]
        return np.asarray((self.tops - self.values[:, None] * self.bottoms) / below)

    @property
    def joint_covariance(self) -> FloatArray:
        """Covariance of the ratios by the delta method, shape (ratios, ratios)."""
        return np.asarray(self.gradients @ self.covariance @ self.gradients.T)

    def delta(self, margin: float) -> tuple[FloatArray, FloatArray]:
        """Delta-method interval, `margin` standard errors on each side."""
        reach = margin * np.sqrt(np.diag(self.joint_covariance))
        return self.values - reach, self.values + reach

    def draws(self, draws: int, seed: Seed) -> FloatArray:
        """Ratios of normal draws of the coefficients, shape (draws, ratios)."""
        drawn = normal_draws(self.coefficients, self.covariance, draws, seed)
        return np.asarray((drawn @ self.tops.T) / (drawn @ self.bottoms.T))

    def krinsky_robb(self, level: float, draws: int, seed: Seed) -> tuple[FloatArray, FloatArray]:
        """Equal tails of the draws."""
        ends = [percentile_interval(column, level) for column in self.draws(draws, seed).T]
        lower, upper = np.array(ends).reshape(-1, 2).T
        return lower, upper

    def fieller(self, margin: float) -> tuple[FloatArray, FloatArray]:
        """Fieller's interval; infinite at both ends where the data do not bound the ratio.

        Where they exclude only a middle part, which no interval can say, both ends are infinite
        too.
        """
        top, below = self.tops @ self.coefficients, self.bottoms @ self.coefficients
        spread = np.einsum("ri,ij,rj->r", self.tops, self.covariance, self.tops)
        both = np.einsum("ri,ij,rj->r", self.tops, self.covariance, self.bottoms)
        under = np.einsum("ri,ij,rj->r", self.bottoms, self.covariance, self.bottoms)
        roots = fieller_roots(top, below, spread, both, under, margin)
        bounded = (roots.square > 0) & np.isfinite(roots.first)
        lower = np.where(bounded, roots.first, -np.inf)
        upper = np.where(bounded, roots.second, np.inf)
        return lower, upper
