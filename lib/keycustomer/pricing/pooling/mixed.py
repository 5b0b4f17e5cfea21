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

SMALL = 0.1
"""What own slopes move a row at the start of the search, in standard deviations of its error."""

STEP = 1e-4
"""Relative step of central differences of the criterion, above what rounding hides."""

NOTHING = -8.0
"""Logarithm of the part of a spread at the start below which a spread is nothing."""

FLAT = 1e-13
"""Relative change of the criterion at which the search ends."""

GRADIENT = 1e-3
"""Gradient of the criterion at which the search ends: the spreads are then right to 5 digits."""


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
    members: tuple[IntArray, ...] = field(repr=False)
    tier: IntArray = field(repr=False)
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
    from threadpoolctl import threadpool_limits

    several = np.bincount(design.rows.group_of_cell, minlength=design.groups) > 1
    if several.any():
        raise ValueError(
            f"{several.sum():,} of {design.groups:,} customers have several products: the mixed "
            "model draws one intercept a customer. Choose one product, sum over products, or use "
            "method='empirical Bayes'"
        )
    centre = float(design.rows.log_price.mean())
    sums = _sums(design, centre)
    start = _start(sums)
    # a spread of nothing lies infinitely far away: the search stops where it no longer matters
    bounds = [(start[0] + NOTHING, None), (None, None), (start[2] + NOTHING, None)]
    # with several threads these small products wait for each other, a hundredfold
    with threadpool_limits(1, user_api="blas"):
        found = minimize(
            lambda place: _solved(sums, _root(place)).criterion,
            start,
            jac="3-point",
            method="L-BFGS-B",
            bounds=bounds,
            options={"gtol": GRADIENT, "ftol": FLAT, "finite_diff_rel_step": STEP},
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
        members=tuple(np.flatnonzero(rows.tier == tier) for tier in range(len(rows.tiers))),
        tier=rows.tier,
        rows=len(rows),
    )


def _determined(design: Design) -> IntArray:
    """Leave out the first level of a shared effect, which the intercepts hold."""
    columns = np.arange(design.levels + design.columns.shape[1])
    return columns[1:] if design.levels else columns


def _root(place: FloatArray) -> FloatArray:
    """Triangular root of the relative covariance, its diagonal positive.

    Intercepts follow slopes and not the other way round: in changes from period to period there
    may be no own intercepts, and the search then ends with both their parts at nothing.
    """
    return np.array([[np.exp(place[0]), place[1]], [0.0, np.exp(place[2])]])


def _start(sums: _Sums) -> FloatArray:
    """Start from the spread of the customers' means, and a slope that moves a row a little."""
    count = np.maximum(sums.zz[:, 0, 0], 1.0)
    means = sums.zy[:, 0] / count
    within = (sums.yy - float(count @ means**2)) / max(sums.rows - len(count), 1)
    noise = np.sqrt(max(within, 1e-12))
    spread = np.sqrt(max(float(sums.zz[:, 1, 1].sum()) / sums.rows, 1e-12))
    return np.log([max(np.std(means) / noise, 1e-3), 1.0, SMALL / spread]) * [1.0, 0.0, 1.0]


def _solved(sums: _Sums, root: FloatArray) -> _Solved:
    """Solve for the fixed part and the residual variance; the restricted criterion."""
    inner, determinant = _inner(sums.zz, root)
    back = inner @ sums.zf
    kept = np.eye(2) - sums.zz @ inner
    tiers, columns = len(sums.members), sums.zf.shape[2]

    def by_tier(values: FloatArray) -> FloatArray:
        return np.stack([values[which].sum(axis=0) for which in sums.members])

    own, fixed = 2 * tiers, 2 * tiers + columns
    left, right = np.zeros((fixed, fixed)), np.zeros(fixed)
    for tier, block in enumerate(by_tier(kept @ sums.zz)):
        left[2 * tier : 2 * tier + 2, 2 * tier : 2 * tier + 2] = block
    cross = by_tier(sums.zf - sums.zz @ back).reshape(own, columns)
    left[:own, own:], left[own:, :own] = cross, cross.T
    stacked = sums.zf.reshape(2 * len(sums.zf), columns).T
    left[own:, own:] = sums.ff - stacked @ back.reshape(2 * len(sums.zf), columns)
    drawn = (inner @ sums.zy[:, :, None])[:, :, 0]
    right[:own] = by_tier((kept @ sums.zy[:, :, None])[:, :, 0]).ravel()
    right[own:] = sums.fy - stacked @ drawn.ravel()
    inverse = np.linalg.pinv(left, hermitian=True)
    solution = inverse @ right
    squares = sums.yy - float((sums.zy * drawn).sum()) - float(solution @ right)
    free = sums.rows - fixed
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.linalg.slogdet(left)[1]
        criterion = np.log(determinant).sum() + information + free * np.log(squares / free)
    return _Solved(float(criterion), solution, inverse, inner, float(squares / free))


def _inner(zz: FloatArray, root: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Inverse of what the prior and a customer's rows tell of its own parts, and a determinant.

    With L the root it is L (1 + L' Z'Z L)^-1 L', by the closed form for 2 x 2, with the
    determinant of what is inverted.
    """
    spread = root.T @ zz @ root + np.eye(2)
    determinant = spread[:, 0, 0] * spread[:, 1, 1] - spread[:, 0, 1] ** 2
    inverse = np.empty_like(spread)
    inverse[:, 0, 0], inverse[:, 1, 1] = spread[:, 1, 1], spread[:, 0, 0]
    inverse[:, 0, 1] = inverse[:, 1, 0] = -spread[:, 0, 1]
    return root @ (inverse / determinant[:, None, None]) @ root.T, determinant


def _predicted(sums: _Sums, solved: _Solved, root: FloatArray) -> MixedFit:
    tiers = len(sums.members)
    own = solved.fixed[: 2 * tiers].reshape(tiers, 2)[sums.tier]
    left = sums.zy - np.einsum("gij,gj->gi", sums.zz, own) - sums.zf @ solved.fixed[2 * tiers :]
    drawn = np.einsum("gij,gj->gi", solved.inner, left)
    # the fixed part's error, less what the own part takes back of it (Henderson)
    slope_loading = solved.inner[:, 1, :]
    back = np.einsum("gi,gij->gj", slope_loading, sums.zz)
    kept = np.array([0.0, 1.0]) - back
    loading = np.concatenate(
        [
            np.einsum("gt,gi->gti", np.eye(tiers)[sums.tier], kept).reshape(len(own), -1),
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
