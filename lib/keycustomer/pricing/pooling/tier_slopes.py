"""One slope for each tier: complete pooling.

Question: what is the elasticity of a tier when all its customers are taken to have the same?  Each
customer and product keeps an intercept of its own; errors are clustered by customer, with t
intervals of one less than the tier's customers as degrees of freedom.

Sources: Cameron & Miller (2015), Journal of Human Resources 50, 317-372, section VI.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from keycustomer.pricing.pooling.first_stages import FirstStage, first_stage, first_stage_loading
from keycustomer.pricing.pooling.rows import IntArray, PooledRows
from keycustomer.pricing.pooling.slopes import (
    Design,
    Slopes,
    fit_slopes,
    refuse_explained_price,
    slope_influence,
)
from keycustomer.stats.regressions.clustering import small_sample
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class TierSlopes:
    """Slopes of tiers.

    Attributes
    ----------
    slope : ndarray, shape (tiers,)
        Elasticity of each tier, NaN where no customer saw two prices.
    covariance : ndarray, shape (tiers, tiers)
        Of the slopes, clustered.
    clusters : ndarray of int, shape (tiers,)
        Clusters of each tier.
    stage : FirstStage or None
        With instruments, their first stage.
    """

    slope: FloatArray
    covariance: FloatArray
    clusters: IntArray
    stage: FirstStage | None

    @property
    def error(self) -> FloatArray:
        """Standard errors, shape (tiers,)."""
        return np.sqrt(np.diag(self.covariance))


def fit_tier_slopes(
    rows: PooledRows, *, poisson: bool = False, by_cell: bool = False
) -> TierSlopes:
    """Fit one slope a tier.

    Parameters
    ----------
    rows : PooledRows
        The rows.
    poisson : bool
        Poisson regression of quantities instead of least squares of their logarithms.
    by_cell : bool
        Cluster by customer and product instead of by customer, where the tier is the customer.

    Raises
    ------
    ValueError
        When effects or controls explain the price.
    """
    stage = first_stage(rows) if rows.instruments.shape[1] else None
    tiers = replace(
        rows,
        group=rows.tier[rows.group],
        customers=pd.Index(rows.tiers, name="tier"),
        tier=np.arange(len(rows.tiers)),
    )
    design = Design.of(tiers, *([] if stage is None else [stage.residual]))
    found = fit_slopes(design, poisson=poisson)
    refuse_explained_price(design, found.rank)
    cluster = rows.cell if by_cell else rows.group
    influence = slope_influence(design, found, cluster)
    covariance = _small_sample(design, found, cluster) * (influence.T @ influence)
    if stage is not None:
        loading = first_stage_loading(tiers, stage, float(found.common[-1]), found.weight)
        covariance = covariance + loading @ stage.covariance @ loading.T
    owner = np.zeros(int(cluster.max()) + 1, np.int64)
    owner[cluster] = tiers.group
    known = found.sums > 0
    slope = np.where(known, found.slope, np.nan)
    covariance = np.where(np.outer(known, known), covariance, np.nan)
    return TierSlopes(slope, covariance, np.bincount(owner, minlength=len(rows.tiers)), stage)


def _small_sample(design: Design, found: Slopes, cluster: IntArray) -> float:
    """G / (G - 1) x (n - 1) / (n - k): intercepts lie within clusters and do not count in k."""
    used = found.rank + int((found.sums > 0).sum()) + 1
    return small_sample(int(cluster.max()) + 1, len(design.rows), used)
