"""Partial pooling: how far customers differ, and what an estimate is worth beside its tier's mean.

Estimates b of customers with error variances v follow theta ~ N(mean of the tier, tau^2) and
b ~ N(theta, v).  :func:`paule_mandel` solves for tau^2 the equation that sets the generalised
Q statistic to its expectation; :func:`spread_interval` inverts its distribution.
:func:`partial_pooling` gives what is known of every theta.  Intervals that take tau as known are
too short: here they are averaged over what the estimates leave open about tau^2, all values of
which are held equally likely beforehand (which covers over repeated samples where a flat density
of tau does not quite), and the mean's own error is carried along.

An error that customers have in common (of shared effects, of a control function) comes as loadings
on common coefficients and their covariance.

Sources: Paule & Mandel (1982), Journal of Research NBS 87, 377-385; Viechtbauer (2007), Statistics
in Medicine 26, 37-52 (Q-profile intervals); Morris (1983), JASA 78, 47-55, and Everson & Morris
(2000), JRSS B 62, 399-412 (flat density of the variance); Hartung & Knapp (2001), Statistics in
Medicine 20, 3875-3889 (error of the mean); Laird & Louis (1987), JASA 82, 739-750 (plain empirical
Bayes intervals are too short).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from keycustomer.pricing.pooling.rows import IntArray, sums_by_code
from keycustomer.stats.samples import FloatArray

EXACT = 1e-13
"""Relative error of tau^2."""

GRID = 81
"""Values of tau over which is averaged."""

REACH = 6.0
"""Multiple of the spread that could go unseen up to which tau is looked at; 4 times its estimate
at least."""

LEAST_SPARE = 3
"""Customers beyond the number of tiers below which nothing is known of their spread."""


@dataclass(frozen=True, eq=False)
class CommonError:
    """An error that estimates have in common.

    Attributes
    ----------
    loading : ndarray, shape (customers, common)
        Move of each estimate for one unit of each common coefficient.
    covariance : ndarray, shape (common, common)
        Of the common coefficients.
    """

    loading: FloatArray = field(repr=False)
    covariance: FloatArray = field(repr=False)

    @classmethod
    def none(cls, customers: int) -> CommonError:
        """No common error."""
        return cls(np.zeros((customers, 0)), np.zeros((0, 0)))

    def of(self, kept: npt.NDArray[np.bool_]) -> CommonError:
        """Those of some customers."""
        return CommonError(self.loading[kept], self.covariance)

    def variance(self, loading: FloatArray) -> FloatArray:
        """Variance of combinations with these loadings, shape (combinations,)."""
        return np.einsum("ij,jk,ik->i", loading, self.covariance, loading)


@dataclass(frozen=True, eq=False)
class OwnEstimates:
    """Estimates of customers from their own rows alone.

    Attributes
    ----------
    estimate, variance : ndarray, shape (customers,)
        Slope and error variance.
    tier : ndarray of int, shape (customers,)
        Tier of each.
    tiers : int
        How many tiers there are.
    common : CommonError
        What their errors have in common, beyond `variance`.
    """

    estimate: FloatArray
    variance: FloatArray
    tier: IntArray
    tiers: int
    common: CommonError = field(repr=False)

    def __len__(self) -> int:
        """Count the customers."""
        return len(self.estimate)

    @property
    def free(self) -> int:
        """Customers beyond one a tier that has any."""
        return len(self) - len(np.unique(self.tier))

    def of_tier(self, code: int) -> OwnEstimates:
        """Those of one tier."""
        kept = self.tier == code
        return OwnEstimates(
            self.estimate[kept],
            self.variance[kept],
            self.tier[kept],
            self.tiers,
            self.common.of(kept),
        )

    def weights(self, squared: float) -> FloatArray:
        """Precision of each estimate as one of its tier's mean, shape (customers,)."""
        return 1 / np.maximum(self.variance + squared, np.finfo(float).tiny)

    def means(self, squared: float) -> FloatArray:
        """Mean of each tier at a spread, shape (tiers,); NaN for one without estimates."""
        weight = self.weights(squared)
        mass = sums_by_code(self.tier, weight, self.tiers)
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums_by_code(self.tier, weight * self.estimate, self.tiers) / mass

    def dispersion(self, squared: float) -> float:
        """Weighted squares about the tiers' means: the generalised Q statistic."""
        distance = self.estimate - self.means(squared)[self.tier]
        return float((self.weights(squared) * distance**2).sum())


@dataclass(frozen=True, eq=False)
class Pooled:
    """What is known of the customers' true values.

    Attributes
    ----------
    estimate, error : ndarray, shape (customers,)
        Posterior mean and standard deviation.
    shrinkage : ndarray, shape (customers,)
        Weight of the tier's mean, 0..1.
    """

    estimate: FloatArray
    error: FloatArray
    shrinkage: FloatArray


def paule_mandel(own: OwnEstimates, target: float | None = None) -> float:
    """Variance of the true values about their tier's mean.

    Parameters
    ----------
    own : OwnEstimates
        The estimates.
    target : float, optional
        Value of the Q statistic to solve for; left out, its expectation.

    Returns
    -------
    float
        tau^2; 0 where the estimates differ less than their errors make expect.
    """
    from scipy.optimize import brentq

    wanted = float(own.free) if target is None else target
    if own.free < 1 or own.dispersion(0.0) <= wanted:
        return 0.0
    low, high = 0.0, max(float(np.var(own.estimate)), float(own.variance.min()), 1e-300)
    while own.dispersion(high) > wanted:
        high *= 4
    return float(brentq(lambda squared: own.dispersion(squared) - wanted, low, high, rtol=EXACT))


def spread_interval(own: OwnEstimates, level: float) -> tuple[float, float]:
    """Interval of tau by Q profile.

    Parameters
    ----------
    own : OwnEstimates
        The estimates.
    level : float
        Level, 0..1.

    Returns
    -------
    lower, upper : float
        NaN where there are too few customers.
    """
    from scipy.stats import chi2

    if own.free < LEAST_SPARE:
        return math.nan, math.nan
    tails = chi2.ppf([(1 + level) / 2, (1 - level) / 2], own.free)
    low, high = (math.sqrt(paule_mandel(own, float(tail))) for tail in tails)
    return low, high


def partial_pooling(own: OwnEstimates, *, plug_in: bool = False) -> Pooled:
    """Draw estimates towards their tier's mean, as far as they are not known.

    Parameters
    ----------
    own : OwnEstimates
        The estimates.
    plug_in : bool
        Take Paule and Mandel's tau as if it were known: the intervals are then too short.

    Returns
    -------
    Pooled
        The estimates as they are where too few customers tell of a spread.
    """
    if own.free < LEAST_SPARE:
        error = np.sqrt(own.variance + own.common.variance(own.common.loading))
        return Pooled(own.estimate, error, np.zeros(len(own)))
    if plug_in:
        squared = paule_mandel(own)
        weight = own.variance * own.weights(squared)
        drawn = weight * own.means(squared)[own.tier] + (1 - weight) * own.estimate
        return Pooled(drawn, np.sqrt((1 - weight) * own.variance), weight)
    spreads = _grid(own)
    chances = _chances(own, spreads)
    parts = [_given(own, float(spread) ** 2) for spread in spreads]
    means, variances, weights = (np.array(part) for part in zip(*parts, strict=True))
    centre = chances @ means
    error = np.sqrt(chances @ (variances + (means - centre) ** 2))
    return Pooled(centre, error, chances @ weights)


def tier_mean_error(own: OwnEstimates, squared: float) -> FloatArray:
    """Give the standard error of each tier's mean, shape (tiers,).

    The spread of the estimates about the mean is taken as it is found (Hartung & Knapp), but not
    as smaller than their errors and tau make expect; t intervals with one less than the tier's
    customers as degrees of freedom belong to it.
    """
    weight = own.weights(squared)
    mass = sums_by_code(own.tier, weight, own.tiers)
    count = np.bincount(own.tier, minlength=own.tiers)
    distance = own.estimate - own.means(squared)[own.tier]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = sums_by_code(own.tier, weight * distance**2, own.tiers) / (count - 1)
        loading = mean_loadings(own, weight, mass)
        variance = np.maximum(found, 1.0) / mass + own.common.variance(loading)
    return np.sqrt(np.where(count > 1, variance, np.nan))


def mean_loadings(own: OwnEstimates, weight: FloatArray, mass: FloatArray) -> FloatArray:
    """Give the loadings of the tiers' means on what is common, shape (tiers, common)."""
    columns = [
        sums_by_code(own.tier, weight * column, own.tiers) for column in own.common.loading.T
    ]
    if not columns:
        return np.zeros((own.tiers, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.column_stack(columns) / mass[:, None])


def _given(own: OwnEstimates, squared: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Posterior mean and variance of each customer and weight of the mean, at a known tau^2."""
    weight = own.weights(squared)
    mass = sums_by_code(own.tier, weight, own.tiers)
    mean = own.means(squared)[own.tier]
    toward = own.variance * weight
    estimate = toward * mean + (1 - toward) * own.estimate
    variance = (1 - toward) * own.variance + toward**2 / mass[own.tier]
    if own.common.loading.shape[1]:
        pulled = toward[:, None] * mean_loadings(own, weight, mass)[own.tier]
        variance = variance + own.common.variance(
            pulled + (1 - toward)[:, None] * own.common.loading
        )
    return estimate, variance, toward


def _grid(own: OwnEstimates) -> FloatArray:
    """Values of tau that are looked at."""
    unseen = (2 / (own.weights(0.0) ** 2).sum()) ** 0.25
    high = max(4 * math.sqrt(paule_mandel(own)), REACH * unseen)
    return np.linspace(0, high, GRID)


def _chances(own: OwnEstimates, spreads: FloatArray) -> FloatArray:
    """Chance of each tau, tau^2 flat beforehand and the means' own errors integrated out."""
    logs = np.full(len(spreads), -np.inf)
    for k, spread in enumerate(spreads):
        if spread > 0:
            weight = own.weights(float(spread) ** 2)
            mass = sums_by_code(own.tier, weight, own.tiers)
            seen = np.log(weight).sum() - np.log(mass[mass > 0]).sum()
            logs[k] = (seen - own.dispersion(float(spread) ** 2)) / 2 + math.log(spread)
    chances = np.exp(logs - logs.max())
    return np.asarray(chances / chances.sum())
