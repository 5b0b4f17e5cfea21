"""Monthly chance to leave as a function of the relationship level, for everybody and each.

:func:`fit_level_hazard` fits a logistic regression on customer-months (a survival model in discrete
time).  The level enters as a straight line over the five levels, with a departure of every level
and a line that differs with what customers are, both drawn towards zero: with some hundreds of
leavers the data cannot tell five free effects for every kind of customer.  What a level does on
its way (contacts, complaints, satisfaction) is not among the covariates, so that its effect is the
whole one.

Sources: Singer & Willett (1993), Journal of Educational Statistics 18, 155-195 (survival in
discrete time); Gelman et al., "Bayesian Data Analysis" (2013), section 16.3 (priors of
regressions).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from keycustomer.relationships.effects.designs import (
    Design,
    Number,
    read_design,
)
from keycustomer.relationships.effects.landmarks import STANDING, contract_path
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.regressions.regression import Regression, fit_regression
from keycustomer.stats.samples import FloatArray

DEPARTURE_SPREAD = 0.1
"""Log-odds by which a level may depart from the line: prior standard deviation, about half of what
a step from one level to the next usually does."""

DIFFERENCE_SPREAD = 0.05
"""Log-odds per level and standard deviation of a covariate: prior standard deviation of how much
the effect differs between customers, about a quarter of a usual effect per level."""

COVARIATE_SPREAD = 1.0
"""Log-odds per standard deviation of a covariate: prior standard deviation."""

FEWEST_LEAVERS = 30
"""Leavers below which no effect can be told from chance."""

_CODES = np.arange(len(LEVELS), dtype=float)
_MIDDLE = _CODES.mean()


@dataclass(frozen=True, eq=False)
class LevelHazard:
    """A fitted monthly chance to leave.

    Attributes
    ----------
    design : Design
        How covariates are coded.
    regression : Regression
        Coefficients: covariates, time, stretches, then the level's.
    stretches : int
        Twelve-month stretches that were learned from.
    modifiers : tuple of int
        Columns of the design by which the level's effect may differ.
    customers, months, leavers : int
        What it was learned from.
    """

    design: Design
    regression: Regression
    stretches: int
    modifiers: tuple[int, ...]
    customers: int
    months: int
    leavers: int

    @property
    def columns(self) -> list[str]:
        """Names of the coefficients."""
        told = self.design.columns
        return [
            "constant",
            *told,
            *(f"stretch {k}" for k in range(1, self.stretches)),
            *_TIME,
            "level",
            *(f"level {name}" for name in LEVELS[1:]),
            *(f"level x {told[k]}" for k in self.modifiers),
        ]

    def to_frame(self) -> pd.DataFrame:
        """List the coefficients.

        Returns
        -------
        DataFrame
            term, log_odds, standard_error.
        """
        error = np.sqrt(np.diag(self.regression.bread))
        return pd.DataFrame(
            {
                "term": self.columns,
                "log_odds": self.regression.coefficients,
                "standard_error": error,
            }
        )

    def outlook(self, now: pd.DataFrame, horizon: int) -> Outlook:
        """Prepare what customers' chances to leave are made of in the months ahead.

        Parameters
        ----------
        now : DataFrame
            From :func:`~keycustomer.relationships.effects.landmarks.customers_now`.
        horizon : int
            Months ahead.
        """
        coded = self.design.matrix(now)
        constant = np.ones((len(now), 1))
        recent = np.zeros((len(now), self.stretches - 1))
        tenure = now["tenure"].to_numpy(dtype=float)[:, None] + np.arange(1, horizon + 1) / 12
        left = contract_path(
            now["contract_left"].to_numpy(dtype=np.int64),
            now["term"].to_numpy(dtype=np.int64),
            horizon,
        )
        given = [
            _level_columns(np.full(len(now), k), coded[:, self.modifiers])
            for k in range(len(LEVELS))
        ]
        return Outlook(
            np.hstack([constant, coded, recent]),
            np.stack(_time(tenure, left), axis=2),
            np.stack(given, axis=1),
        )


@dataclass(frozen=True, eq=False)
class Outlook:
    """What chances to leave are made of: arrays to be weighed by coefficients.

    Attributes
    ----------
    standing : ndarray, shape (n, p)
        What stays as it is.
    time : ndarray, shape (n, horizon, q)
        What the months bring.
    given : ndarray, shape (n, levels, r)
        What each level adds.
    """

    standing: FloatArray
    time: FloatArray
    given: FloatArray

    def staying(self, coefficients: FloatArray) -> FloatArray:
        """Chance to be a customer in each month ahead and after the last, (n, horizon + 1, levels).

        Parameters
        ----------
        coefficients : ndarray, shape (p + q + r,)
            Of a `LevelHazard`.
        """
        p, q = self.standing.shape[1], self.time.shape[2]
        odds = (self.standing @ coefficients[:p])[:, None] + self.time @ coefficients[p : p + q]
        added = self.given @ coefficients[p + q :]
        stays = expit(-odds[:, :, None] - added[:, None, :])
        first = np.ones((len(odds), 1, added.shape[1]))
        return np.concatenate([first, np.cumprod(stays, axis=1)], axis=1)


_TIME = ("log tenure", "contract binds", "contract runs out")


def _time(tenure: FloatArray, left: np.ndarray) -> tuple[FloatArray, ...]:
    return np.log1p(tenure), (left > 1).astype(float), (left == 1).astype(float)


def _level_columns(level: np.ndarray, modifiers: FloatArray) -> FloatArray:
    """Line, departures of the levels above the first, and lines by what customers are."""
    line = (level - _MIDDLE)[:, None]
    departures = (level[:, None] == np.arange(1, len(LEVELS))).astype(float)
    return np.hstack([line, departures, line * modifiers])


def fit_level_hazard(rows: pd.DataFrame) -> LevelHazard:
    """Fit the monthly chance to leave.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~keycustomer.relationships.effects.landmarks.landmark_months`.

    Returns
    -------
    LevelHazard

    Raises
    ------
    ValueError
        When fewer than 30 customers left, or all months have the same level.
    """
    leavers = int(rows["left"].sum())
    if leavers < FEWEST_LEAVERS:
        raise ValueError(
            f"months: {leavers} customers with a known level left, and {FEWEST_LEAVERS} are needed "
            "to tell what levels do; take a longer window or more customers"
        )
    if rows["level"].nunique() < 2:
        raise ValueError(
            f"months: all have the level {LEVELS[int(rows['level'].iloc[0])]!r}, so that nothing "
            "can be learned of the others"
        )
    design = read_design(rows, [*STANDING, *_attribute_names(rows)])
    coded = design.matrix(rows)
    modifiers = _modifiers(design)
    stretch = rows["stretch"].to_numpy()
    stretches = int(stretch.max()) + 1
    matrix = np.column_stack(
        [
            np.ones(len(rows)),
            coded,
            *((stretch == k).astype(float) for k in range(1, stretches)),
            *_time(rows["tenure"].to_numpy(dtype=float), rows["contract_left"].to_numpy()),
            _level_columns(rows["level"].to_numpy(), coded[:, modifiers]),
        ]
    )
    penalty = _penalty(coded.shape[1], stretches - 1 + len(_TIME), len(modifiers))
    outcome = rows["left"].to_numpy(dtype=float)
    regression = fit_regression(matrix, outcome, "logistic", penalty=penalty)
    customers = rows["customer_id"].nunique()
    return LevelHazard(design, regression, stretches, modifiers, customers, len(rows), leavers)


def _attribute_names(rows: pd.DataFrame) -> list[str]:
    """Attributes that are no list of names."""
    start = rows.columns.get_loc(STANDING[-1])
    names = rows.columns[start + 1 :]  # type: ignore[operator]
    customers = rows["customer_id"].nunique()
    return [
        str(name)
        for name in names
        if pd.api.types.is_numeric_dtype(rows[name])
        or pd.api.types.is_bool_dtype(rows[name])
        or rows[name].nunique() <= np.sqrt(customers)
    ]


def _modifiers(design: Design) -> tuple[int, ...]:
    """Columns of numbers, without those that say that one is not known."""
    numbers = {part.columns()[0] for part in design.parts if isinstance(part, Number)}
    return tuple(k for k, name in enumerate(design.columns) if name in numbers)


def _penalty(covariates: int, time: int, modifiers: int) -> FloatArray:
    parts = [
        [0.0],
        [COVARIATE_SPREAD**-2] * (covariates + time),
        [0.0],
        [DEPARTURE_SPREAD**-2] * (len(LEVELS) - 1),
        [DIFFERENCE_SPREAD**-2] * modifiers,
    ]
    return np.concatenate(parts)
