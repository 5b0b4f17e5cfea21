"""The mixed model: intercepts and slopes of customers as normal draws about their tier's.

Question: what is known of each customer's slope when intercepts are drawn as well?  log q = tier's
intercept + tier's slope log p + shared effects + own intercept + own slope log p + error, the own
parts normal with any correlation.  :func:`fit_mixed` maximises the restricted likelihood, which
is written in sums by customer: its cost does not depend on the number of rows.

A random intercept is not a fixed one: customers whose price level and quantity level go together
move the slope, which intercepts by customer would not allow (Mundlak).

Sources: Laird & Ware (1982), Biometrics 38, 963-974; Henderson (1975), Biometrics 31, 423-447
(error of predictions); Pinheiro & Bates, "Mixed-Effects Models in S and S-PLUS" (2000), section
2.2; Mundlak (1978), Econometrica 46, 69-85.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from keycustomer.pricing.pooling.rows import IntArray
from keycustomer.pricing.pooling.slopes import Design
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class MixedFit:
    """A fitted mixed model.

    Attributes
    ----------
    slope, error : ndarray, shape (customers,)
        Predicted slope of each customer and standard deviation of its error.
    tier_slope, tier_error : ndarray, shape (tiers,)
        Mean slope of each tier with its standard error.
    covariance : ndarray, shape (2, 2)
        Of own intercepts and slopes.
    residual_variance : float
        Of a row.
    """

    slope: FloatArray
    error: FloatArray
    tier_slope: FloatArray
    tier_error: FloatArray
    covariance: FloatArray
    residual_variance: float

    @property
    def spread(self) -> float:
        """Standard deviation of slopes about their tier's."""
        return float(np.sqrt(self.covariance[1, 1]))


@dataclass(frozen=True, eq=False)
class _Sums:
    """Products of intercept and log price (z), further fixed columns (f) and the outcome (y)."""

    zz: FloatArray = field(repr=False)
    zf: FloatArray = field(repr=False)
    zy: FloatArray = field(repr=False)
    ff: FloatArray = field(repr=False)
    fy: FloatArray = field(repr=False)
    yy: float
    chosen: FloatArray = field(repr=False)
    rows: int


@dataclass(frozen=True, eq=False)
class _Solved:
    """The model at one covariance of the own parts, relative to the residual variance."""

    criterion: float
    fixed: FloatArray
    fixed_inverse: FloatArray
    inner: FloatArray
    residual_variance: float


def fit_mixed(design: Design) -> MixedFit:
    """Fit the mixed model by restricted maximum likelihood.

    Parameters
    ----------
    design : Design
        Rows with sales; one cell a customer.

    Raises
    ------
    ValueError
        When a customer has several products, or the likelihood finds no maximum.
    """
    from scipy.optimize import minimize

    if design.cells != design.groups:
        raise ValueError(
            f"{design.cells:,} intercepts for {design.groups:,} customers: the mixed model draws "
            "one intercept a customer. Choose one product, sum over products, or use "
            "method='empirical Bayes'"
        )
    centre = float(design.rows.log_price.mean())
    sums = _sums(design, centre)
    found = minimize(
        lambda place: _solved(sums, _root(place)).criterion,
        _start(sums),
        method="BFGS",
        options={"gtol": 1e-4 * max(1.0, sums.rows / 1000)},
    )
    root = _root(found.x)
    solved = _solved(sums, root)
    if not np.isfinite(solved.criterion):
        raise ValueError("the mixed model found no maximum; use method='empirical Bayes'")
    return _predicted(sums, solved, root)


def _sums(design: Design, centre: float) -> _Sums:
    rows, price = design.rows, design.rows.log_price - centre
    outcome, one = np.log(rows.quantity), np.ones(len(rows))
    zero = np.zeros(len(rows), dtype=np.int64)
    group = design.by_group
    zz = np.stack([group(one), group(price), group(price), group(price**2)], axis=1)
    zf = np.stack(
        [design.common_by(rows.group, design.groups, values) for values in (one, price)], axis=1
    )
    kept = _determined(design)
    return _Sums(
        zz=zz.reshape(-1, 2, 2),
        zf=zf[:, :, kept],
        zy=np.stack([group(outcome), group(price * outcome)], axis=1),
        ff=design.products(one)[np.ix_(kept, kept)],
        fy=design.common_by(zero, 1, outcome)[0, kept],
        yy=float(outcome @ outcome),
        chosen=np.eye(len(rows.tiers))[rows.tier],
        rows=len(rows),
    )


def _determined(design: Design) -> IntArray:
    """Leave out the first level of a shared effect, which the intercepts hold."""
    columns = np.arange(design.levels + design.columns.shape[1])
    return columns[1:] if design.levels else columns


def _root(place: FloatArray) -> FloatArray:
    """Lower triangular root of the relative covariance, its diagonal positive."""
    return np.array([[np.exp(place[0]), 0.0], [place[1], np.exp(place[2])]])


def _start(sums: _Sums) -> FloatArray:
    """Start from own intercepts and slopes about as spread as a row's error is."""
    spread = np.sqrt(max(sums.zz[:, 1, 1].sum() / sums.rows, 1e-12))
    return np.array([0.0, 0.0, np.log(0.1 / spread)])


def _solved(sums: _Sums, root: FloatArray) -> _Solved:
    """Solve for the fixed part and the residual variance; the restricted criterion."""
    spread = root.T @ sums.zz @ root + np.eye(2)
    inner = root @ np.linalg.solve(spread, np.broadcast_to(root.T, sums.zz.shape))
    kept = np.eye(2) - sums.zz @ inner
    zz, zf = kept @ sums.zz, kept @ sums.zf
    zy = np.einsum("gij,gj->gi", kept, sums.zy)
    tiers, columns = sums.chosen.shape[1], sums.zf.shape[2]
    fixed = 2 * tiers + columns
    left, right = np.zeros((fixed, fixed)), np.zeros(fixed)
    left[: 2 * tiers, : 2 * tiers] = np.einsum(
        "gt,gij,gu->tiuj", sums.chosen, zz, sums.chosen, optimize=True
    ).reshape(2 * tiers, -1)
    cross = np.einsum("gt,gif->tif", sums.chosen, zf).reshape(2 * tiers, -1)
    left[: 2 * tiers, 2 * tiers :], left[2 * tiers :, : 2 * tiers] = cross, cross.T
    left[2 * tiers :, 2 * tiers :] = sums.ff - np.einsum(
        "gif,gij,gjk->fk", sums.zf, inner, sums.zf, optimize=True
    )
    right[: 2 * tiers] = np.einsum("gt,gi->ti", sums.chosen, zy).ravel()
    right[2 * tiers :] = sums.fy - np.einsum(
        "gif,gij,gj->f", sums.zf, inner, sums.zy, optimize=True
    )
    inverse = np.linalg.pinv(left, hermitian=True)
    solution = inverse @ right
    squares = sums.yy - np.einsum("gi,gij,gj->", sums.zy, inner, sums.zy) - solution @ right
    free = sums.rows - fixed
    with np.errstate(divide="ignore", invalid="ignore"):
        criterion = (
            np.log(np.linalg.det(spread)).sum()
            + np.linalg.slogdet(left)[1]
            + free * np.log(squares / free)
        )
    return _Solved(float(criterion), solution, inverse, inner, float(squares / free))


def _predicted(sums: _Sums, solved: _Solved, root: FloatArray) -> MixedFit:
    tiers = sums.chosen.shape[1]
    own = solved.fixed[: 2 * tiers].reshape(tiers, 2)[sums.chosen.argmax(axis=1)]
    left = sums.zy - np.einsum("gij,gj->gi", sums.zz, own) - sums.zf @ solved.fixed[2 * tiers :]
    drawn = np.einsum("gij,gj->gi", solved.inner, left)
    # the fixed part's error, less what the own part takes back of it (Henderson)
    slope_loading = solved.inner[:, 1, :]
    back = np.einsum("gi,gij->gj", slope_loading, sums.zz)
    kept = np.array([0.0, 1.0]) - back
    loading = np.concatenate(
        [
            np.einsum("gt,gi->gti", sums.chosen, kept).reshape(len(own), -1),
            -np.einsum("gi,gif->gf", slope_loading, sums.zf),
        ],
        axis=1,
    )
    fixed = np.einsum("gi,ij,gj->g", loading, solved.fixed_inverse, loading, optimize=True)
    error = np.sqrt(solved.residual_variance * (solved.inner[:, 1, 1] + fixed))
    places = 2 * np.arange(tiers) + 1
    return MixedFit(
        slope=own[:, 1] + drawn[:, 1],
        error=error,
        tier_slope=solved.fixed[places],
        tier_error=np.sqrt(solved.residual_variance * np.diag(solved.fixed_inverse)[places]),
        covariance=solved.residual_variance * root @ root.T,
        residual_variance=solved.residual_variance,
    )
