"""Slopes of many customers at once: each has its own, and an intercept for each of its products.

Question: how does quantity follow price for each customer, when some effects (periods, controls)
are the same for all?  :func:`fit_slopes` solves

    log q = intercept(cell) + slope(customer) log p + effect(shared) + controls + error

by least squares, or the same for the logarithm of the mean of `q` by Poisson regression, which
keeps rows without sales.  Sums by cell and customer stand for the rows: the shared effects are
found from what they leave after intercepts and slopes (Frisch & Waugh), the slopes follow from
them.  A slope can be drawn towards a value with a given precision, which Poisson regression needs
where a customer bought at its lowest price only and its own slope is infinite.

Sources: Frisch & Waugh (1933), Econometrica 1, 387-401; Lovell (1963), JASA 58, 993-1010;
Hausman, Hall & Griliches (1984), Econometrica 52, 909-938 (Poisson with own intercepts);
Cameron & Miller (2015), Journal of Human Resources 50, 317-372 (clustered errors).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from keycustomer.pricing.pooling.rows import IntArray, PooledRows, sums_by_code
from keycustomer.stats.samples import FloatArray

LEAST_VARIATION = 1e-9
"""Standard deviation of the log price within cells below which a customer saw one price."""

STEPS = 100
"""Most steps of a Poisson fit; it takes six to fifteen."""

STILL = 1e-11
"""Relative change of the deviance at which a Poisson fit ends."""

FURTHEST = 30.0
"""Largest linear predictor: beyond it rounding rules."""

RANK = 1e-10
"""Share of the largest eigenvalue below which a shared effect adds nothing."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """Slopes of customers with what they were found from.

    Attributes
    ----------
    slope : ndarray, shape (customers,)
        Elasticity of each customer; NaN without variation of price.
    sums : ndarray, shape (customers,)
        Weighted squares of the log price about its cell's mean: the information on the slope.
    shared_pull : ndarray, shape (customers, common)
        Change of the slope for one unit more of each common coefficient, negative.
    common : ndarray, shape (common,)
        Levels of the shared effect, then controls.
    inverse : ndarray, shape (common, common)
        Inverse of the information on `common`, after intercepts and slopes.
    rank : int
        Common coefficients that are determined.
    residual : ndarray, shape (rows,)
        Quantity (Poisson) or log quantity less what is fitted.
    weight : ndarray, shape (rows,)
        1, or the fitted mean (Poisson).
    centred : ndarray, shape (rows,)
        Log price less its weighted mean in the cell.
    """

    slope: FloatArray
    sums: FloatArray
    shared_pull: FloatArray = field(repr=False)
    common: FloatArray = field(repr=False)
    inverse: FloatArray = field(repr=False)
    rank: int
    residual: FloatArray = field(repr=False)
    weight: FloatArray = field(repr=False)
    centred: FloatArray = field(repr=False)


@dataclass(frozen=True, eq=False)
class Pull:
    """What slopes are drawn towards, as a ridge.

    Attributes
    ----------
    toward, precision : ndarray, shape (customers,)
        Value, and its precision in units of the information on the slope.
    """

    toward: FloatArray
    precision: FloatArray


@dataclass(frozen=True, eq=False)
class Design:
    """Rows with their shared effects; built once for many fits.

    Attributes
    ----------
    rows : PooledRows
        The rows.
    columns : ndarray, shape (rows, controls)
        Controls, with those added to the rows' own.
    cells, groups, levels : int
        How many cells, customers, levels of the shared effect.
    """

    rows: PooledRows
    columns: FloatArray = field(repr=False)
    cells: int
    groups: int
    levels: int

    @classmethod
    def of(cls, rows: PooledRows, *added: FloatArray) -> Design:
        """Lay out the rows, with further controls of shape (rows,)."""
        columns = np.column_stack([rows.columns, *added]) if added else rows.columns
        levels = 0 if rows.shared is None else int(rows.shared.max()) + 1
        return cls(rows, columns, int(rows.cell.max()) + 1, len(rows.customers), levels)

    def by_cell(self, values: FloatArray) -> FloatArray:
        """Sum rows by cell, shape (cells,)."""
        return sums_by_code(self.rows.cell, values, self.cells)

    def by_group(self, values: FloatArray) -> FloatArray:
        """Sum rows by customer, shape (customers,)."""
        return sums_by_code(self.rows.group, values, self.groups)

    def common_by(self, code: IntArray, size: int, values: FloatArray) -> FloatArray:
        """Sum values times each common column by a code of the rows, shape (size, common)."""
        sums = np.zeros((size, self.levels + self.columns.shape[1]))
        if self.rows.shared is not None:
            place = code * self.levels + self.rows.shared
            sums[:, : self.levels] = sums_by_code(place, values, size * self.levels).reshape(
                size, self.levels
            )
        for k, column in enumerate(self.columns.T):
            sums[:, self.levels + k] = sums_by_code(code, values * column, size)
        return sums

    def products(self, weight: FloatArray) -> FloatArray:
        """Weighted products of the common columns, shape (common, common)."""
        zero = np.zeros(len(self.rows), dtype=np.int64)
        crossed = np.zeros((self.levels + self.columns.shape[1],) * 2)
        if self.rows.shared is not None:
            crossed[: self.levels] = self.common_by(self.rows.shared, self.levels, weight)
        for k, column in enumerate(self.columns.T):
            crossed[self.levels + k] = self.common_by(zero, 1, weight * column)[0]
        return crossed

    def fitted(self, common: FloatArray) -> FloatArray:
        """Give what the common coefficients add to each row, shape (rows,)."""
        found = self.columns @ common[self.levels :]
        return found if self.rows.shared is None else found + common[self.rows.shared]


def fit_slopes(design: Design, *, poisson: bool = False, pull: Pull | None = None) -> Slopes:
    """Fit intercepts of cells, slopes of customers and what they share.

    Parameters
    ----------
    design : Design
        The rows; without rows of zero sales for least squares.
    poisson : bool
        Poisson regression of the quantity instead of least squares of its logarithm.
    pull : Pull, optional
        What slopes are drawn towards.
    """
    rows = design.rows
    if not poisson:
        log_quantity = np.log(rows.quantity)
        return weighted_slopes(design, log_quantity, np.ones(len(rows)), pull)[0]
    mean = (rows.quantity + _cell_mean(design)) / 2
    before = np.inf
    for _ in range(STEPS):
        found, linear = poisson_step(design, mean, pull)
        mean = np.exp(np.clip(linear, -FURTHEST, FURTHEST))
        deviance = _deviance(rows.quantity, mean)
        if abs(before - deviance) <= STILL * max(deviance, 1.0):
            break
        before = deviance
    return found


def poisson_step(
    design: Design, mean: FloatArray, pull: Pull | None = None
) -> tuple[Slopes, FloatArray]:
    """One weighted least-squares step of a Poisson regression.

    Parameters
    ----------
    design : Design
        The rows.
    mean : ndarray, shape (rows,)
        Fitted means to step from, above 0.
    pull : Pull, optional
        What slopes are drawn towards.

    Returns
    -------
    slopes, linear : Slopes, ndarray of shape (rows,)
        The slopes, and the linear predictor after the step.
    """
    quantity = design.rows.quantity
    working = np.log(mean) + (quantity - mean) / mean
    found, linear = weighted_slopes(design, working, mean, pull)
    fitted = np.exp(np.clip(linear, -FURTHEST, FURTHEST))
    return replace(found, residual=quantity - fitted), linear


def weighted_slopes(
    design: Design,
    outcome: FloatArray,
    weight: FloatArray,
    pull: Pull | None = None,
    *,
    flat: bool = False,
) -> tuple[Slopes, FloatArray]:
    """Weighted least squares with intercepts by cell and slopes by customer.

    Parameters
    ----------
    design : Design
        The rows.
    outcome, weight : ndarray, shape (rows,)
        What is explained, and by how much each row counts.
    pull : Pull, optional
        What slopes are drawn towards.
    flat : bool
        No slopes: intercepts and common coefficients alone.

    Returns
    -------
    slopes, linear : Slopes, ndarray of shape (rows,)
        The slopes, and what is fitted.
    """
    rows, cell = design.rows, design.rows.cell
    mass = design.by_cell(weight)
    centre = design.by_cell(weight * rows.log_price) / mass
    centred = rows.log_price - centre[cell]
    centred -= (design.by_cell(weight * centred) / mass)[cell]
    sums = design.by_group(weight * centred**2)
    varied = (sums > LEAST_VARIATION**2 * design.by_group(weight)) & (not flat)
    ridge = np.zeros(design.groups) if pull is None else pull.precision
    total = np.where(varied, sums, 0.0) + ridge
    part = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    explained = design.by_group(weight * centred * outcome)
    if pull is not None:
        explained = explained + ridge * pull.toward
    by_cell = design.common_by(cell, design.cells, weight)
    by_group = design.common_by(rows.group, design.groups, weight * centred)
    crossed = design.products(weight)
    left = crossed - by_cell.T @ (by_cell / mass[:, None])
    left -= by_group.T @ (by_group * part[:, None])
    cell_outcome = design.by_cell(weight * outcome)
    zero = np.zeros(len(rows), dtype=np.int64)
    answer = design.common_by(zero, 1, weight * outcome)[0]
    answer = answer - by_cell.T @ (cell_outcome / mass) - by_group.T @ (explained * part)
    inverse, rank = _inverse(left, np.diag(crossed))
    common = inverse @ answer
    slope = (explained - by_group @ common) * part
    shared = design.fitted(common)
    level = (cell_outcome - design.by_cell(weight * shared)) / mass
    linear = level[cell] + slope[rows.group] * centred + shared
    found = Slopes(
        slope=np.where(total > 0, slope, np.nan),
        sums=np.where(varied, sums, 0.0),
        shared_pull=-by_group * part[:, None],
        common=common,
        inverse=inverse,
        rank=rank,
        residual=outcome - linear,
        weight=weight,
        centred=centred,
    )
    return found, linear


def refuse_explained_price(design: Design, rank: int) -> None:
    """Refuse prices that effects and controls explain for all customers alike.

    Parameters
    ----------
    design : Design
        Rows and what they share.
    rank : int
        Common coefficients that are determined beside the slopes.

    Raises
    ------
    ValueError
        When slopes leave a common coefficient undetermined: all slopes could then move together.
    """
    ones = np.ones(len(design.rows))
    alone = weighted_slopes(design, design.rows.log_price, ones, flat=True)[0].rank
    if rank < alone:
        raise ValueError(
            "effects or controls explain the price: every customer paid the same in a period, or "
            "rows are too few for what is asked of them; all slopes could move together without "
            "any change of fit. Take fewer effects, such as effects=(), or prices that differ "
            "between customers"
        )


def common_influence(design: Design, found: Slopes, cluster: IntArray | None = None) -> FloatArray:
    """Move of the common coefficients by each cluster, shape (clusters, common).

    Parameters
    ----------
    design : Design
        Rows and what they share.
    found : Slopes
        The fit.
    cluster : ndarray of int, shape (rows,), optional
        Cluster of each row: customers where left out, else whole cells within them.
    """
    rows, error = design.rows, found.residual
    code = rows.group if cluster is None else cluster
    size = int(code.max()) + 1
    score = design.common_by(code, size, error)
    mass = design.by_cell(found.weight)
    means = design.common_by(rows.cell, design.cells, found.weight) / mass[:, None]
    by_cell = design.by_cell(error)[:, None] * means
    owner, group = np.zeros(design.cells, np.int64), np.zeros(size, np.int64)
    owner[rows.cell], group[code] = code, rows.group
    for k in range(score.shape[1]):
        score[:, k] -= sums_by_code(owner, by_cell[:, k], size)
    tilt = sums_by_code(code, error * found.centred, size)
    score += tilt[:, None] * found.shared_pull[group]
    return score @ found.inverse


def slope_influence(design: Design, found: Slopes, cluster: IntArray) -> FloatArray:
    """Move of the slopes by each cluster, shape (clusters, customers of the design).

    Parameters
    ----------
    design : Design
        Rows and what they share.
    found : Slopes
        The fit, not drawn towards anything.
    cluster : ndarray of int, shape (rows,)
        Cluster of each row: whole cells of one slope.
    """
    size = int(cluster.max()) + 1
    group = np.zeros(size, np.int64)
    group[cluster] = design.rows.group
    tilt = sums_by_code(cluster, found.residual * found.centred, size)
    part = np.divide(1.0, found.sums, out=np.zeros_like(found.sums), where=found.sums > 0)
    moved = common_influence(design, found, cluster) @ found.shared_pull.T
    moved[np.arange(size), group] += tilt * part[group]
    return moved


def bought_at_an_end(rows: PooledRows, varied: npt.NDArray[np.bool_]) -> IntArray:
    """Tell customers whose own Poisson slope is infinite.

    All they bought, they bought at the lowest price of each cell, or all at the highest.

    Parameters
    ----------
    rows : PooledRows
        The rows.
    varied : ndarray of bool, shape (customers,)
        Who saw more than one price.

    Returns
    -------
    ndarray of int, shape (customers,)
        1 lowest price only, -1 highest only, 0 otherwise.
    """
    cells = int(rows.cell.max()) + 1
    lowest, highest = np.full(cells, np.inf), np.full(cells, -np.inf)
    np.minimum.at(lowest, rows.cell, rows.log_price)
    np.maximum.at(highest, rows.cell, rows.log_price)
    bought = rows.quantity > 0
    above = bought & (rows.log_price > lowest[rows.cell] + LEAST_VARIATION)
    below = bought & (rows.log_price < highest[rows.cell] - LEAST_VARIATION)
    size = len(rows.customers)
    dear = sums_by_code(rows.group, above, size) > 0
    cheap = sums_by_code(rows.group, below, size) > 0
    return np.where(varied & ~dear, 1, np.where(varied & ~cheap, -1, 0))


def _cell_mean(design: Design) -> FloatArray:
    mean = design.by_cell(design.rows.quantity) / np.bincount(design.rows.cell)
    return np.asarray(mean[design.rows.cell], dtype=np.float64)


def _deviance(quantity: FloatArray, mean: FloatArray) -> float:
    logs = np.log(np.where(quantity > 0, quantity, 1.0)) - np.log(mean)
    return float(2 * (quantity * logs - (quantity - mean)).sum())


def _inverse(matrix: FloatArray, sizes: FloatArray) -> tuple[FloatArray, int]:
    """Inverse on the part that is determined, and its rank; `sizes` are the columns' squares."""
    if not len(matrix):
        return matrix, 0
    scale = np.divide(1.0, np.sqrt(sizes), out=np.zeros_like(sizes), where=sizes > 0)
    values, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
    kept = values > RANK
    used = vectors[:, kept] * scale[:, None]
    return np.asarray((used / values[kept]) @ used.T), int(kept.sum())
