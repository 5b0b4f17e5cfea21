"""Own slopes of customers with their error variances: the input of every way of pooling.

Question: what do the rows of each customer alone say, and how sure is it?  :func:`estimate_slopes`
fits all of them together with what they share, and gives the variance of each slope apart from the
others' (:func:`row_variance` by tier: large customers may be less noisy) and the error that all
have in common through shared effects, controls and the control function.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from keycustomer.pricing.pooling.first_stages import (
    FirstStage,
    first_stage,
    first_stage_loading,
)
from keycustomer.pricing.pooling.rows import PooledRows, sums_by_code
from keycustomer.pricing.pooling.slopes import (
    FURTHEST,
    Design,
    Pull,
    Slopes,
    bought_at_an_end,
    common_influence,
    fit_slopes,
    poisson_step,
    refuse_explained_price,
    weighted_slopes,
)
from keycustomer.pricing.pooling.spreads import CommonError, OwnEstimates, paule_mandel
from keycustomer.stats.regressions.clustering import covariance_over_customers
from keycustomer.stats.samples import FloatArray

LEAST_FREE = 30
"""Degrees of freedom a tier needs for a noise of its own; else all tiers together have one."""

ROUNDS = 100
"""Most rounds of a Poisson fit with shrunken slopes; it takes ten to thirty."""

SETTLED = 1e-6
"""Largest change of a slope at which such a fit ends."""

NO_NOISE = 1e-18
"""Variance of a row's log quantity (or Poisson dispersion) that is rounding."""

LEAST_NOISE = 1e-12
"""Least dispersion of a Poisson fit, so that errors stay above 0."""

LEAST_SPREAD = 1e-4
"""Least tau that slopes are drawn by in a Poisson fit, so that the precision stays finite."""


@dataclass(frozen=True, eq=False)
class OwnSlopes:
    """Slopes of customers as they are found from their own rows.

    Attributes
    ----------
    design : Design
        Rows and what they share.
    slopes : Slopes
        The last fit.
    own : OwnEstimates
        Estimates of the customers in `known`, errors and what they have in common.
    known : ndarray of bool, shape (customers,)
        Who saw more than one price.
    infinite : ndarray of int, shape (customers,)
        Whose Poisson slope of its own is infinite: 1 bought at the lowest price only, -1 at the
        highest only.
    noise : ndarray, shape (tiers,)
        Variance of a row, or (Poisson) the dispersion.
    stage : FirstStage or None
        With instruments, their first stage.
    """

    design: Design = field(repr=False)
    slopes: Slopes = field(repr=False)
    own: OwnEstimates = field(repr=False)
    known: npt.NDArray[np.bool_] = field(repr=False)
    infinite: npt.NDArray[np.int64] = field(repr=False)
    noise: FloatArray
    stage: FirstStage | None


def estimate_slopes(rows: PooledRows, *, poisson: bool = False) -> OwnSlopes:
    """Estimate the slope of every customer from its own rows.

    Parameters
    ----------
    rows : PooledRows
        The rows.
    poisson : bool
        Poisson regression of quantities instead of least squares of their logarithms.

    Raises
    ------
    ValueError
        When no customer saw two prices, or rows are too few to tell the noise.
    """
    stage = first_stage(rows) if rows.instruments.shape[1] else None
    design = Design.of(rows, *([] if stage is None else [stage.residual]))
    varied = _varied(design)
    if not varied.any():
        raise ValueError(
            f"none of {len(rows.customers):,} customers saw more than one price of a product: "
            "their price response is not in these rows"
        )
    if poisson:
        return _poisson(design, varied, stage)
    slopes = fit_slopes(design)
    refuse_explained_price(design, slopes.rank)
    noise = row_variance(design, slopes, slopes.residual**2)
    _refuse_no_noise(design, noise)
    own = _own(design, slopes, slopes.slope, noise, stage)
    return OwnSlopes(design, slopes, own, varied, np.zeros(len(varied), np.int64), noise, stage)


def row_variance(
    design: Design, slopes: Slopes, squares: FloatArray, precision: FloatArray | float = 0.0
) -> FloatArray:
    """Mean of squared residuals by tier, for degrees of freedom used, shape (tiers,).

    Parameters
    ----------
    design : Design
        Rows and what they share.
    slopes : Slopes
        The fit.
    squares : ndarray, shape (rows,)
        Squared residuals, over the weight where they have one.
    precision : ndarray, shape (customers,)
        By how much slopes were drawn: such a slope uses only a part of a degree of freedom.

    Raises
    ------
    ValueError
        When no degree of freedom is left.
    """
    rows, owner = design.rows, design.rows.group_of_cell
    tiers = len(rows.tiers)
    count = np.bincount(rows.tier[rows.group], minlength=tiers).astype(float)
    count -= np.bincount(rows.tier[owner], minlength=tiers)
    total = slopes.sums + precision
    used = np.divide(slopes.sums, total, out=np.zeros_like(total), where=total > 0)
    count -= sums_by_code(rows.tier, used, tiers)
    free = count - slopes.rank * count / max(count.sum(), 1.0)
    if free.sum() < 1:
        raise ValueError(
            f"{len(rows):,} rows for {design.cells:,} intercepts, {design.groups:,} slopes and "
            f"{slopes.rank:,} shared effects: nothing is left to tell the noise from"
        )
    sums = sums_by_code(rows.tier[rows.group], squares, tiers)
    together = sums.sum() / free.sum()
    return np.where(free >= LEAST_FREE, sums / np.maximum(free, 1.0), together)


def _refuse_no_noise(design: Design, noise: FloatArray) -> None:
    """Refuse quantities that price explains to the last digit: their errors would be 0."""
    still = [
        str(name) for name, one in zip(design.rows.tiers, noise, strict=True) if one < NO_NOISE
    ]
    if still:
        raise ValueError(
            f"quantities of tier {', '.join(still)} never change, or follow the price to the last "
            "digit, so that nothing tells an error: such quantities are filled in or agreed, not "
            "asked for at a price; leave these customers out, or take longer periods"
        )


def _varied(design: Design) -> npt.NDArray[np.bool_]:
    """Who saw more than one price of a product."""
    ones = np.ones(len(design.rows))
    return np.asarray(weighted_slopes(design, design.rows.log_price, ones)[0].sums > 0)


def _own(
    design: Design,
    slopes: Slopes,
    estimate: FloatArray,
    noise: FloatArray,
    stage: FirstStage | None,
) -> OwnEstimates:
    known = slopes.sums > 0
    rows = design.rows
    variance = noise[rows.tier[known]] / slopes.sums[known]
    common = _common_error(design, slopes, stage).of(known)
    return OwnEstimates(estimate[known], variance, rows.tier[known], len(rows.tiers), common)


def _common_error(design: Design, slopes: Slopes, stage: FirstStage | None) -> CommonError:
    if not len(slopes.common):
        return CommonError.none(design.groups)
    covariance = covariance_over_customers(common_influence(design, slopes))
    if stage is None:
        return CommonError(slopes.shared_pull, covariance)
    added = first_stage_loading(design.rows, stage, float(slopes.common[-1]), slopes.weight)
    both = np.zeros((len(covariance) + added.shape[1],) * 2)
    both[: len(covariance), : len(covariance)] = covariance
    both[len(covariance) :, len(covariance) :] = stage.covariance
    return CommonError(np.hstack([slopes.shared_pull, added]), both)


def _poisson(design: Design, varied: npt.NDArray[np.bool_], stage: FirstStage | None) -> OwnSlopes:
    """Fit with slopes drawn towards their tier's mean, and undo the drawing for the estimates.

    Slopes of customers with few purchases may be infinite; near the drawn slope each likelihood
    is a parabola, whose top is the estimate (penalised quasi-likelihood).  Means and spread are
    found from the parabolas at the tiers' means, where few purchases make no steep ones; the
    estimates from those at the slopes that are drawn by this spread.
    """
    rows, ones = design.rows, np.ones(len(design.rows))
    # few purchases may fit to the last digit; such that never change tell no error
    moved = np.abs(rows.quantity / _mean(rows.quantity, rows.cell) - 1)
    _refuse_no_noise(design, sums_by_code(rows.tier[rows.group], moved**2, len(rows.tiers)))
    refuse_explained_price(design, weighted_slopes(design, rows.log_price, ones)[0].rank)
    mean = (rows.quantity + _mean(rows.quantity, rows.cell)) / 2
    at_mean = _settled(design, varied, mean, None)
    squared = paule_mandel(at_mean.own)
    drawn = _settled(design, varied, at_mean.mean, squared)
    common = _common_error(design, drawn.slopes, stage).of(drawn.slopes.sums > 0)
    ends = np.where(varied, bought_at_an_end(rows, varied), 0).astype(np.int64)
    own = replace(drawn.own, common=common)
    return OwnSlopes(design, drawn.slopes, own, varied, ends, drawn.noise, stage)


@dataclass(frozen=True, eq=False)
class _Settled:
    """A Poisson fit at rest: slopes, parabolas there, dispersion by tier, fitted means."""

    slopes: Slopes
    own: OwnEstimates
    noise: FloatArray
    mean: FloatArray


def _settled(
    design: Design, varied: npt.NDArray[np.bool_], mean: FloatArray, squared: float | None
) -> _Settled:
    """Fit with slopes drawn by a spread towards their tier's mean (by None onto it)."""
    rows = design.rows
    by = LEAST_SPREAD**2 if squared is None else max(squared, LEAST_SPREAD**2)
    pull = Pull(np.zeros(design.groups), np.where(varied, 1.0, 0.0))
    before = np.full(design.groups, np.inf)
    for _ in range(ROUNDS):
        slopes, linear = poisson_step(design, mean, pull)
        mean = np.exp(np.clip(linear, -FURTHEST, FURTHEST))
        squares = slopes.residual**2 / mean
        noise = np.maximum(row_variance(design, slopes, squares, pull.precision), LEAST_NOISE)
        own = _own_of_drawn(design, slopes, pull, noise)
        spread = paule_mandel(own) if squared is None else squared
        means = np.nan_to_num(own.means(spread))[rows.tier]
        moved = np.abs(np.where(varied, slopes.slope - before, 0.0))
        if np.nanmax(moved) < SETTLED:
            break
        pull = Pull(means, np.where(varied, noise[rows.tier] / by, 0.0))
        before = slopes.slope
    return _Settled(slopes, own, noise, mean)


def _own_of_drawn(design: Design, slopes: Slopes, pull: Pull, noise: FloatArray) -> OwnEstimates:
    """Tops of the parabolas at the drawn slopes."""
    known, rows = slopes.sums > 0, design.rows
    with np.errstate(divide="ignore", invalid="ignore"):
        undone = pull.precision * (slopes.slope - pull.toward) / slopes.sums
    estimate = (slopes.slope + undone)[known]
    variance = noise[rows.tier[known]] / slopes.sums[known]
    none = CommonError.none(int(known.sum()))
    return OwnEstimates(estimate, variance, rows.tier[known], len(rows.tiers), none)


def _mean(quantity: FloatArray, cell: npt.NDArray[np.int64]) -> FloatArray:
    return np.asarray((np.bincount(cell, quantity) / np.bincount(cell))[cell], dtype=np.float64)
