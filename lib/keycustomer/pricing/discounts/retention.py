"""What one level more, and what a lower price, do to leaving: the response of retention.

Question: does service keep customers, and does a discount?  :func:`retention_response` fits the
monthly log-odds of leaving on the relationship level and the logarithm of the price paid
(1 - discount), with what else was known of the customer and an effect of every month.

Discounts go where a manager senses risk, so that customers with discounts leave more often and the
plain regression says that discounts drive customers away.  The control function takes the part of
the discount that neither cost shocks nor managers' habits explain, the part that answers to the
customer, into the regression: what is left is the effect of discounts that came about for other
reasons.  It needs that cost shocks and the manager move leaving through the discount alone.  It
learns from discounts only, so that it compares with levels of service;
:func:`keycustomer.pricing.customers_at_prices` also learns from list prices, and is sharper.

A manager's habit is the mean discount, relative to what customers like these get, of the manager's
*other* customers, so that no customer is in its own instrument.

Sources: Rivers & Vuong (1988), Journal of Econometrics 39, 347-366, and Terza, Basu & Rathouz
(2008), Journal of Health Economics 27, 531-543 (residual inclusion); Murphy & Topel (1985), JBES 3,
370-379 (errors of two steps); Kling (2006), American Economic Review 96, 863-876 (habits of
deciders, own case left out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.pricing.discounts.discount_months import (
    OFFERS,
    SHOCKS,
    DiscountMonths,
    Source,
    discount_months,
)
from keycustomer.relationships.effects.designs import read_design
from keycustomer.stats.regressions.clustering import (
    IntArray,
    covariance_over_customers,
    sums_by_customer,
)
from keycustomer.stats.regressions.instruments import WEAK_F, joint_f
from keycustomer.stats.regressions.regression import fit_regression
from keycustomer.stats.samples import FloatArray

METHODS = ("control function", "naive")

INSTRUMENTS = ("cost shocks", "managers' habits")

FEWEST_LEAVERS = 30
"""Leavers below which no effect can be told from chance."""

RIDGE = 0.01
"""Penalty on the covariates: it keeps months in which nobody left finite.  A hundred times as much
took a third of the price response away in twelve simulated companies."""

RESPONSES = ("level", "log price")


@dataclass(frozen=True, eq=False)
class RetentionResponse:
    """How leaving responds to level and price.

    Attributes
    ----------
    frame : DataFrame
        One row for "level" (one step more) and "log price": term, log_odds of leaving a month,
        standard_error (customers clustered), lower, upper.
    covariance : ndarray, shape (2, 2)
        Of the two, in that order.
    influence : ndarray, shape (customers, 2)
        By how much each customer moves them; sums to about 0.
    method : str
        One of `METHODS`.
    instruments : tuple of str
        Used instruments, none where the method is naive.
    first_stage : DataFrame
        One row an instrument: instrument, coefficient (on log price), standard_error (customers
        clustered), t; empty where the method is naive.
    first_stage_f : float
        Joint F of the instruments, customers clustered; NaN where the method is naive.
    data : DiscountMonths
        What it was learned from.
    level : float
        Of the intervals.
    notes : tuple of str
        What the reader should know.
    """

    frame: pd.DataFrame
    covariance: FloatArray = field(repr=False)
    influence: FloatArray = field(repr=False)
    method: str
    instruments: tuple[str, ...]
    first_stage: pd.DataFrame
    first_stage_f: float
    data: DiscountMonths = field(repr=False)
    level: float
    notes: tuple[str, ...]

    @property
    def coefficients(self) -> FloatArray:
        """Log-odds of leaving by one level more and by the logarithm of the price, shape (2,)."""
        return self.frame["log_odds"].to_numpy(dtype=float)

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        told = "Simulated data. " if self.data.months.simulated else ""
        leavers = int(self.data.frame["left"].sum())
        said = [
            f"{told}Method: {self.method}; {len(self.data):,} customer-months, "
            f"{counted(leavers, 'customer')} left.",
            *self.notes,
        ]
        tables = {"Log-odds of leaving in a month": self.frame, "First stage": self.first_stage}
        return report_html("What level and price do to leaving", said, tables)


def retention_response(
    source: Source | DiscountMonths,
    *,
    method: str = "control function",
    instruments: Sequence[str] = INSTRUMENTS,
    controls: Sequence[str] = OFFERS,
    level: float = 0.95,
) -> RetentionResponse:
    """Estimate what a relationship level and a lower price do to leaving.

    Parameters
    ----------
    source : CustomerBase, Company or DiscountMonths
        A prepared base, a simulated company, or customer-months already laid out.
    method : {"control function", "naive"}
        Whether to correct for discounts that answer to the risk of leaving.
    instruments : sequence of str
        Out of `INSTRUMENTS`; those that the source does not tell are left out, with a note.
    controls : sequence of str
        As in :func:`discount_months`.
    level : float
        Of the intervals.

    Raises
    ------
    TypeError, ValueError
        When the source does not do, too few customers left, level or discount never vary, or there
        is no instrument.
    """
    data = (
        source if isinstance(source, DiscountMonths) else discount_months(source, controls=controls)
    )
    if method not in METHODS:
        raise ValueError(f"method={method!r}: choose one of {', '.join(map(repr, METHODS))}")
    used = _instruments(data, instruments) if method == METHODS[0] else ()
    _refuse_unusable(data)
    rows = _Rows(data)
    stage = _FirstStage(rows, used) if used else None
    coefficients, influence = _hazard(rows, stage)
    covariance = covariance_over_customers(influence)
    return RetentionResponse(
        _table(coefficients, covariance, level),
        covariance,
        influence,
        method,
        used,
        stage.table() if stage else pd.DataFrame(),
        stage.joint_f() if stage else np.nan,
        data,
        level,
        tuple(_notes(data, instruments, used, stage)),
    )


class _Rows:
    """The regression's columns."""

    def __init__(self, data: DiscountMonths) -> None:
        frame = data.frame
        self.frame = frame
        self.customer: IntArray = pd.factorize(frame["customer_id"])[0].astype(np.int64)
        self.log_price: FloatArray = np.log1p(
            -np.clip(frame["discount"].to_numpy(dtype=float), -1.0, 0.95)
        )
        self.left = frame["left"].to_numpy(dtype=float)
        coded = read_design(frame, data.covariates).matrix(frame)
        number = frame["number"].to_numpy()
        months = (number[:, None] == np.unique(number)[1:]).astype(float)
        left = frame["contract_left"].to_numpy()
        time = [np.log1p(np.maximum(frame["tenure"].to_numpy(dtype=float), 0.0)), left > 1]
        step = frame["level"].to_numpy(dtype=float)
        columns = [np.ones(len(frame)), coded, months, *time, left == 1, step]
        self.design: FloatArray = np.column_stack(columns).astype(float)

    def penalty(self, more: int) -> FloatArray:
        """Ridge on all but the constant, the level and what comes after it."""
        covariates = self.design.shape[1] - 2
        return np.concatenate([[0.0], np.full(covariates, RIDGE), np.zeros(1 + more)])


class _FirstStage:
    """What moves the price, and what of it answers to the customer."""

    def __init__(self, rows: _Rows, used: tuple[str, ...]) -> None:
        self.used, self.rows = used, rows
        apart = rows.log_price - _fitted(rows.design, rows.log_price)
        made = {
            "cost shocks": lambda: rows.frame[SHOCKS].to_numpy(dtype=float),
            "managers' habits": lambda: _habit(rows, apart),
        }
        self.design: FloatArray = np.column_stack([rows.design, *(made[one]() for one in used)])
        gram = self.design.T @ self.design
        inverse = np.linalg.pinv(gram, hermitian=True)
        moved = inverse @ (self.design.T @ rows.log_price)
        self.coefficients: FloatArray = np.asarray(moved, dtype=np.float64)
        fitted = np.asarray(self.design @ self.coefficients, dtype=np.float64)
        self.residual: FloatArray = rows.log_price - fitted
        scores = sums_by_customer(self.design * self.residual[:, None], rows.customer)
        self.influence: FloatArray = np.asarray(scores @ inverse, dtype=np.float64)

    def _own(self) -> tuple[FloatArray, FloatArray]:
        """Coefficients of the instruments and their covariance."""
        last = slice(-len(self.used), None)
        return self.coefficients[last], covariance_over_customers(self.influence[:, last])

    def joint_f(self) -> float:
        """Wald statistic of the instruments over their number."""
        return joint_f(*self._own())

    def table(self) -> pd.DataFrame:
        """List the instruments."""
        own, covariance = self._own()
        error = np.sqrt(np.diag(covariance))
        return pd.DataFrame(
            {
                "instrument": list(self.used),
                "coefficient": own,
                "standard_error": error,
                "t": own / error,
            }
        )


def _fitted(design: FloatArray, outcome: FloatArray) -> FloatArray:
    return np.asarray(design @ np.linalg.lstsq(design, outcome, rcond=None)[0], dtype=np.float64)


def _habit(rows: _Rows, apart: FloatArray) -> FloatArray:
    """Mean of what the manager's other customers get beyond their like; 0 without a manager."""
    manager = rows.frame["manager"]
    code, _ = pd.factorize(manager)
    there = code >= 0
    own, count = (np.bincount(rows.customer, part) for part in (apart, np.ones_like(apart)))
    total = np.bincount(code[there], apart[there])
    number = np.bincount(code[there])
    others = number[code] - count[rows.customer]
    mean = (total[code] - own[rows.customer]) / np.maximum(others, 1.0)
    return np.where(there & (others > 0), mean, 0.0)


def _hazard(rows: _Rows, stage: _FirstStage | None) -> tuple[FloatArray, FloatArray]:
    """Log-odds of level and log price, and how each customer moves them, both steps counted."""
    price = [rows.log_price, *([stage.residual] if stage else [])]
    design = np.column_stack([rows.design, *price])
    penalty = rows.penalty(len(price))
    regression = fit_regression(design, rows.left, "logistic", penalty=penalty)
    error = rows.left - regression.predict(design)
    scores = sums_by_customer(design * error[:, None], rows.customer)
    if stage:
        answered = regression.coefficients[-1]
        slope = regression.slope(design) * answered
        through = design.T @ (slope[:, None] * stage.design)
        through[-1] -= error @ stage.design
        scores = scores + stage.influence @ through.T
    place = rows.design.shape[1]
    influence = scores @ regression.bread
    return regression.coefficients[[place - 1, place]], influence[:, [place - 1, place]]


def _table(coefficients: FloatArray, covariance: FloatArray, level: float) -> pd.DataFrame:
    from scipy.stats import norm

    error = np.sqrt(np.diag(covariance))
    away = norm.ppf((1 + level) / 2) * error
    return pd.DataFrame(
        {
            "term": list(RESPONSES),
            "log_odds": coefficients,
            "standard_error": error,
            "lower": coefficients - away,
            "upper": coefficients + away,
        }
    )


def _instruments(data: DiscountMonths, asked: Sequence[str]) -> tuple[str, ...]:
    unknown = [one for one in asked if one not in INSTRUMENTS]
    if isinstance(asked, str) or unknown:
        raise ValueError(
            f"instruments={asked!r}: a sequence out of {', '.join(map(repr, INSTRUMENTS))} is "
            "needed"
        )
    used = tuple(one for one in INSTRUMENTS if one in asked and one in data.instruments)
    if not used:
        raise ValueError(
            "instruments: neither cost shocks (market.cost_shock by region and month) nor "
            "managers' habits (customers.manager, at least two) are known; discounts given at "
            "random in a pilot would do; method='naive' tells what merely goes with discounts"
        )
    return used


def _refuse_unusable(data: DiscountMonths) -> None:
    leavers = int(data.frame["left"].sum())
    if leavers < FEWEST_LEAVERS:
        raise ValueError(
            f"source: {leavers} customers with known level and discount left, and {FEWEST_LEAVERS} "
            "are needed to tell what keeps them; take a longer window or more customers"
        )
    for column, what in (("level", "relationship level"), ("discount", "discount")):
        if data.frame[column].nunique() < 2:
            raise ValueError(
                f"{column}: all customer-months have the {what} {data.frame[column].iloc[0]}, so "
                "that nothing can be learned of others"
            )


def _notes(
    data: DiscountMonths,
    asked: Sequence[str],
    used: tuple[str, ...],
    stage: _FirstStage | None,
) -> list[str]:
    if stage is None:
        return ["Discounts that answer to a sensed risk count as if they were given by chance."]
    told = [
        f"Identified by {' and '.join(used)}, which must move leaving through the discount alone; "
        f"first-stage F {stage.joint_f():,.1f}."
    ]
    missing = [one for one in asked if one not in used]
    if missing:
        told.append(f"Not known in these data: {', '.join(missing)}.")
    if stage.joint_f() < WEAK_F:
        told.append(f"The instruments are weak (F below {WEAK_F:g}): do not trust the interval.")
    left_out = data.excluded[data.excluded["rows"] > 0]
    told += [
        f"{row.rows:,} customer-months left out: {row.reason}." for row in left_out.itertuples()
    ]
    return told
