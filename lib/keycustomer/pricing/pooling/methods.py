"""Ways of pooling: what each makes of the slopes that customers have on their own.

Question: how much of a customer's elasticity is its own, and how much its tier's?
:func:`pool_slopes` gives, by any of `METHODS`, value and error of each customer and mean of each
tier.  Who saw one price only has its tier's mean, and the spread within the tier as its error.

Sources: Efron & Morris (1975), JASA 70, 311-319; Laird & Ware (1982), Biometrics 38, 963-974.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from keycustomer.pricing.pooling.mixed import fit_mixed
from keycustomer.pricing.pooling.own_slopes import OwnSlopes
from keycustomer.pricing.pooling.rows import Demand, sums_by_code
from keycustomer.pricing.pooling.spreads import (
    CommonError,
    OwnEstimates,
    mean_loadings,
    partial_pooling,
    paule_mandel,
    tier_mean_error,
)
from keycustomer.pricing.pooling.tier_slopes import fit_tier_slopes
from keycustomer.stats.samples import FloatArray

Method = Literal[
    "no pooling",
    "complete pooling",
    "plug-in empirical Bayes",
    "empirical Bayes",
    "mixed model",
]

METHODS: tuple[Method, ...] = (
    "no pooling",
    "complete pooling",
    "plug-in empirical Bayes",
    "empirical Bayes",
    "mixed model",
)
"""Ways of pooling: the customer alone, the tier alone, and between them."""


@dataclass(frozen=True, eq=False)
class PooledSlopes:
    """Slopes after pooling.

    Attributes
    ----------
    value, error, shrinkage : ndarray, shape (customers,)
        Elasticity, its standard error, weight of the tier's mean (0..1); NaN where there is none.
    mean : ndarray, shape (tiers,)
        Mean of each tier.
    covariance : ndarray, shape (tiers, tiers)
        Of the means.
    spread : float
        Standard deviation of customers about their tier's mean.
    """

    value: FloatArray
    error: FloatArray
    shrinkage: FloatArray
    mean: FloatArray
    covariance: FloatArray
    spread: float


def pool_slopes(found: OwnSlopes, method: Method, demand: Demand) -> PooledSlopes:
    """Pool slopes by a method.

    Parameters
    ----------
    found : OwnSlopes
        From `estimate_slopes`.
    method : str
        One of `METHODS`.
    demand : {"log-log", "poisson"}
        How the slopes were found.
    """
    if method == "complete pooling":
        return _complete(found, demand)
    if method == "mixed model":
        return _mixed(found)
    if method == "no pooling":
        return _none(found)
    return _partial(found, plug_in=method == "plug-in empirical Bayes")


def _complete(found: OwnSlopes, demand: Demand) -> PooledSlopes:
    rows = found.design.rows
    pooled = fit_tier_slopes(rows, poisson=demand == "poisson")
    spread = math.sqrt(paule_mandel(found.own))
    whole = np.ones(len(rows.customers))
    value, error = pooled.slope[rows.tier], pooled.error[rows.tier]
    return PooledSlopes(value, error, whole, pooled.slope, pooled.covariance, spread)


def _mixed(found: OwnSlopes) -> PooledSlopes:
    mixed = fit_mixed(found.design)
    variance = found.own.variance
    weight = spread_out(variance / (variance + mixed.spread**2), found.known, 1.0)
    covariance = np.diag(mixed.tier_error**2)
    return PooledSlopes(
        mixed.slope, mixed.error, weight, mixed.tier_slope, covariance, mixed.spread
    )


def _none(found: OwnSlopes) -> PooledSlopes:
    own, told = found.own, found.known & (found.infinite == 0)
    squared = paule_mandel(own)
    error = np.sqrt(own.variance + own.common.variance(own.common.loading))
    value = spread_out(own.estimate, found.known, np.nan)
    return PooledSlopes(
        value=np.where(told, value, np.nan),
        error=np.where(told, spread_out(error, found.known, np.nan), np.nan),
        shrinkage=np.where(told, 0.0, np.nan),
        mean=own.means(squared),
        covariance=_mean_covariance(own, squared),
        spread=math.sqrt(squared),
    )


def _partial(found: OwnSlopes, *, plug_in: bool) -> PooledSlopes:
    own, known, tier = found.own, found.known, found.design.rows.tier
    squared = paule_mandel(own)
    mean, covariance = own.means(squared), _mean_covariance(own, squared)
    drawn = partial_pooling(own, plug_in=plug_in)
    lacking = np.sqrt(np.diag(covariance) + squared)
    return PooledSlopes(
        value=spread_out(drawn.estimate, known, mean[tier]),
        error=spread_out(drawn.error, known, lacking[tier]),
        shrinkage=spread_out(drawn.shrinkage, known, 1.0),
        mean=mean,
        covariance=covariance,
        spread=math.sqrt(squared),
    )


def spread_out(
    values: FloatArray, known: npt.NDArray[np.bool_], otherwise: FloatArray | float
) -> FloatArray:
    """Values of all customers from those of the known ones, shape (customers,)."""
    whole = np.broadcast_to(np.asarray(otherwise, dtype=float), known.shape).copy()
    whole[known] = values
    return whole


def _mean_covariance(own: OwnEstimates, squared: float) -> FloatArray:
    """Covariance of the tiers' means: own errors, and what they have in common."""
    weight = own.weights(squared)
    mass = sums_by_code(own.tier, weight, own.tiers)
    none = CommonError.none(len(own))
    alone = OwnEstimates(own.estimate, own.variance, own.tier, own.tiers, none)
    loading = mean_loadings(own, weight, mass)
    shared = loading @ own.common.covariance @ loading.T
    return np.diag(tier_mean_error(alone, squared) ** 2) + shared
