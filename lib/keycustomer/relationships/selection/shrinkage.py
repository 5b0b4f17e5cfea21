"""Values drawn towards their mean, as far as they are not known.

How much of an estimated uplift is luck?  The customers for whom a level seems to bring most are
those whose estimates err upwards most, and just these are chosen.  Empirical Bayes draws each
estimate towards the mean of its level, the more the larger its standard error is beside the spread
that the true uplifts have: :func:`shrink_values`.  Standard errors of the uplifts come from
draws of the values, without the part that all customers have in common (:func:`uplift_errors`): a
common error does not change who is more worth than whom, and shrinking does not help against it.
Where something known of customers (segment, size) tells of their uplifts, each is drawn towards
what that predicts; without it, estimates whose errors grow with the uplift are drawn too far.

Sources: Efron & Morris (1975), "Data analysis using Stein's estimator", JASA 70; Morris (1983),
"Parametric empirical Bayes inference", JASA 78, equation 1.17; Fay & Herriot (1979), "Estimates of
income for small places", JASA 74, for the regression; Paule & Mandel (1982), "Consensus
values and weighting factors", Journal of Research NBS 87, for the spread.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.selection.alternatives import (
    ZERO,
    Alternatives,
    per_customer,
    read_alternatives,
)
from keycustomer.stats.samples import FloatArray, finite_values

SPARE = 3
"""Customers needed beyond the predictors' number: with fewer nothing is known of the spread, and
estimates stay as they are."""

EXACT = 1e-12
"""Least variance of an estimate as a part of the largest one, so that weights stay finite."""

HALVINGS = 200
"""Halvings of the interval that the spread lies in, until rounding ends them."""


@dataclass(frozen=True, eq=False)
class UpliftErrors:
    """How far estimated uplifts over the zero level may be off.

    Attributes
    ----------
    own : ndarray, shape (n, levels)
        Standard error of each customer's uplift apart from the others', currency.
    common : ndarray, shape (levels,)
        Standard error that all customers have in common, per unit of `scale`.
    """

    own: FloatArray = field(repr=False)
    common: FloatArray


@dataclass(frozen=True, eq=False)
class ShrunkValues:
    """Values drawn towards the mean uplift of their level.

    Attributes
    ----------
    value, cost : ndarray, shape (n, levels)
        Values after shrinking, costs as they were: :func:`select_levels` takes this result.
    customers : Index
        Who stands in which row.
    levels : tuple of str
        Names of the levels.
    weight : ndarray, shape (n, levels)
        Weight of the customer's own estimate, 0..1; 1 at the zero level, which is not shrunk.
    frame : DataFrame
        A row a level above zero: level, mean_uplift and spread (standard deviation of the true
        uplifts around what is predicted, both per unit of scale), typical_error (root mean
        square standard error), own_weight (mean weight of the customers' own estimates).
    excluded : int
        Customers left as they were, as they have no positive scale.
    notes : tuple of str
        What a reader must know.
    """

    value: FloatArray = field(repr=False)
    cost: FloatArray = field(repr=False)
    customers: pd.Index = field(repr=False)
    levels: tuple[str, ...]
    weight: FloatArray = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    excluded: int
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a level, a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = " ".join([f"Uplifts of {len(self.value):,} customers, shrunk.", *self.notes])
        return sentence_html(said, self.frame, numbers=",.4g")


def uplift_errors(
    value: Any, draws: Iterable[Any], *, scale: Any = None, cost: Any = None
) -> UpliftErrors:
    """Take the standard errors of uplifts from draws of the values.

    Parameters
    ----------
    value : Alternatives, array or DataFrame, shape (n, levels), or a result that has `value`
        The estimates.
    draws : array of shape (draws, n, levels), or iterable of arrays of shape (n, levels)
        The same estimates over again, as from a bootstrap.
    scale : Series by customer, or array of shape (n,), optional
        Size of the customers, as in :func:`shrink_values`.
    cost : optional
        As in :func:`select_levels`; not needed.

    Raises
    ------
    ValueError
        When there are fewer than two draws, or their shape does not fit.
    """
    base = _value_of(value, cost)
    size, known = _sizes(scale, base)
    estimate = _uplift(base.value) / size[:, None]
    count, squares = 0, np.zeros_like(base.value)
    shifts: list[FloatArray] = []
    for draw in draws:
        drawn = np.asarray(draw, dtype=np.float64)
        if drawn.shape != base.value.shape:
            raise ValueError(
                f"draws: draw {count} has shape {drawn.shape}, the values {base.value.shape}"
            )
        error = _uplift(drawn) / size[:, None] - estimate
        shift = error[known].mean(axis=0)
        squares += (error - shift) ** 2
        shifts.append(shift)
        count += 1
    if count < 2:
        raise ValueError(f"draws: {count} given; standard errors need at least 2, better 100")
    own = np.sqrt(squares / (count - 1)) * size[:, None]
    return UpliftErrors(own, np.std(shifts, axis=0, ddof=1))


def shrink_values(
    value: Any,
    cost: Any = None,
    *,
    standard_error: Any,
    scale: Any = None,
    predictors: Any = None,
) -> ShrunkValues:
    """Draw uplifts towards the mean of their level, each as far as it is not known.

    Parameters
    ----------
    value, cost
        As in :func:`select_levels`.
    standard_error : UpliftErrors, or array of shape (n, levels)
        Standard error of each uplift over the zero level, currency; the zero level's is not used.
    scale : Series by customer, or array of shape (n,), optional
        Size of the customers, such as margin a year: uplifts per unit of it are then drawn
        together, not uplifts in currency.  Customers whose scale is not above 0 stay as they are.
    predictors : array of shape (n, predictors), optional
        Numbers known of the customers that uplifts (per unit of scale) are regressed on; left out,
        they are drawn towards the level's mean.

    Returns
    -------
    ShrunkValues
        Which :func:`select_levels` takes.

    Raises
    ------
    ValueError
        When standard errors are negative or unknown, or shapes do not fit.

    References
    ----------
    Morris (1983), equation 1.17: with r coefficients the weight of what is predicted is
    (k - r - 2) / (k - r) times the ratio of variances, since the spread is itself estimated.
    """
    read = read_alternatives(value, cost)
    errors = _errors(standard_error, read)
    size, known = _sizes(scale, read)
    design = _design(predictors, len(read))[known]
    shrunk, weight = read.value.copy(), np.ones_like(read.value)
    rows = []
    for code in range(1, len(read.levels)):
        estimate = (read.value[known, code] - read.value[known, ZERO]) / size[known]
        error = errors[known, code] / size[known]
        toward, spread, own = _weights(estimate, error, design)
        drawn = toward + own * (estimate - toward)
        shrunk[known, code] = read.value[known, ZERO] + drawn * size[known]
        weight[known, code] = own
        rows.append(
            {
                "level": read.levels[code],
                "mean_uplift": float(toward.mean()) if toward.size else math.nan,
                "spread": spread,
                "typical_error": float(np.sqrt(np.mean(error**2))) if error.size else 0.0,
                "own_weight": float(own.mean()) if own.size else 1.0,
            }
        )
    columns = ["level", "mean_uplift", "spread", "typical_error", "own_weight"]
    return ShrunkValues(
        shrunk,
        read.cost,
        read.customers,
        read.levels,
        weight,
        pd.DataFrame(rows, columns=columns),
        int((~known).sum()),
        _notes(known, design),
    )


def _weights(
    estimate: FloatArray, error: FloatArray, design: FloatArray
) -> tuple[FloatArray, float, FloatArray]:
    """Give what is predicted, the spread of the true uplifts around it, own weights."""
    free = len(estimate) - design.shape[1]
    if free < SPARE:
        return estimate, math.nan, np.ones(len(estimate))
    variance = _true_variance(estimate, error, design)
    toward = _predicted(estimate, error, design, variance)
    total = error**2 + variance
    ratio = np.divide(error**2, total, out=np.zeros_like(total), where=total > 0)
    return toward, math.sqrt(variance), 1 - (free - 2) / free * ratio


def _predicted(
    estimate: FloatArray, error: FloatArray, design: FloatArray, variance: float
) -> FloatArray:
    """Regress the estimates on the design, each by its precision."""
    total = error**2 + variance
    # an estimate without any error outweighs all others, up to what can be computed
    floor = max(float(total.max()) * EXACT, np.finfo(float).tiny)
    root = 1 / np.sqrt(np.maximum(total, floor))
    coefficients = np.linalg.lstsq(design * root[:, None], estimate * root, rcond=None)[0]
    return np.asarray(design @ coefficients)


def _true_variance(estimate: FloatArray, error: FloatArray, design: FloatArray) -> float:
    """Variance of the true values that explains the spread of the estimates (Paule & Mandel)."""
    free = len(estimate) - design.shape[1]

    def surplus(variance: float) -> float:
        distance = estimate - _predicted(estimate, error, design, variance)
        total = np.maximum(error**2 + variance, np.finfo(float).tiny)
        with np.errstate(over="ignore"):
            return float((distance**2 / total).sum()) - free

    low, high = 0.0, float(((estimate - estimate.mean()) ** 2).sum()) / free
    if high == 0 or surplus(0.0) <= 0:
        return 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if surplus(middle) > 0 else (low, middle)
    return high


def _design(predictors: Any, n: int) -> FloatArray:
    """Columns of ones and of the predictors, these about their mean."""
    if predictors is None:
        return np.ones((n, 1))
    given = np.asarray(predictors, dtype=np.float64)
    if given.ndim != 2 or len(given) != n or not np.isfinite(given).all():
        raise ValueError(
            f"predictors has shape {given.shape}: finite numbers, a row for each of the {n:,} "
            "customers and a column a predictor, are needed"
        )
    return np.column_stack([np.ones(n), given - given.mean(axis=0)])


def _uplift(value: FloatArray) -> FloatArray:
    return value - value[:, [ZERO]]


def _value_of(value: Any, cost: Any) -> Alternatives:
    """Read values whose costs do not matter."""
    if cost is None and not (hasattr(value, "value") and hasattr(value, "cost")):
        return read_alternatives(value, np.zeros(np.shape(value)))
    return read_alternatives(value, cost)


def _sizes(scale: Any, read: Alternatives) -> tuple[FloatArray, Any]:
    """Size of every customer (1 where it has none), and who has one."""
    if scale is None:
        return np.ones(len(read)), np.ones(len(read), bool)
    given = finite_values(per_customer(scale, read, "scale"), "scale")
    return np.where(given > 0, given, 1.0), given > 0


def _errors(standard_error: Any, read: Alternatives) -> FloatArray:
    own = getattr(standard_error, "own", standard_error)
    errors = np.asarray(own, dtype=np.float64)
    if errors.shape != read.value.shape:
        raise ValueError(
            f"standard_error has shape {errors.shape}, the values {read.value.shape}: one for each "
            "customer and level is needed"
        )
    above = errors[:, ZERO + 1 :]
    if not (np.isfinite(above) & (above >= 0)).all():
        raise ValueError(
            "standard_error holds negative, unknown or infinite entries above the zero level"
        )
    return errors


def _notes(known: Any, design: FloatArray) -> tuple[str, ...]:
    said = []
    if not known.all():
        said.append(f"{(~known).sum():,} customers have no positive scale and stay as they were.")
    if len(design) - design.shape[1] < SPARE:
        said.append("Nothing is shrunk: so few customers tell no spread.")
    return tuple(said)
