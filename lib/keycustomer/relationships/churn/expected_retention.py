"""How long will each customer stay?  Retention curves from a churn model, with their uncertainty.

:func:`retention_curves` applies a fitted model period by period: tenure grows, contracts run out
and are renewed, all else stays as it is.  The chance to be there after k periods is the product of
the chances to stay; a `RetentionCurves` holds it for every customer.

The interval of the mean curve tells how far the coefficients may be off, not that times change.
And where customers differ in what a model does not know, its curves fall too fast at their far
end: those who would leave anyway leave first, and the others stay.

Sources: Fader & Hardie (2007), Journal of Interactive Marketing 21, for customers who differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import expit

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.churn.checks import need_columns_of
from keycustomer.relationships.churn.logistic import LogisticFit
from keycustomer.relationships.churn.model import ChurnModel
from keycustomer.relationships.churn.month_features import month_ahead
from keycustomer.relationships.churn.table import ChurnTable
from keycustomer.stats.bootstrap import Progress, Seed, after_quiet, checked_level
from keycustomer.stats.regressions.normal_draws import normal_draws
from keycustomer.stats.samples import FloatArray

Ahead = Callable[[pd.DataFrame, int], pd.DataFrame]

LONGEST = 600
"""Most periods ahead."""


@dataclass(frozen=True, eq=False)
class RetentionCurves:
    """Chance of each customer to be there after 0, 1, 2 ... periods.

    Attributes
    ----------
    customers : Index
        Ids of n customers.
    hazard : ndarray, shape (n, periods)
        Probability to leave in each period, given that the customer is there.
    retention : ndarray, shape (n, periods + 1)
        Probability to be there after so many periods; 1 at first.
    mean_draws : ndarray, shape (draws, periods + 1)
        Mean curve of all customers under drawn coefficients; empty where there are none.
    level : float
        Confidence level of intervals.
    notes : tuple of str
        What the reader must know.
    """

    customers: pd.Index
    hazard: FloatArray = field(repr=False)
    retention: FloatArray = field(repr=False)
    mean_draws: FloatArray = field(repr=False)
    level: float = 0.95
    notes: tuple[str, ...] = ()

    @property
    def periods(self) -> int:
        """Number of periods ahead."""
        return int(self.hazard.shape[1])

    @property
    def expected_periods(self) -> pd.Series:
        """Expected number of periods, of those ahead, that each customer begins."""
        started = self.retention[:, :-1].sum(axis=1)
        return pd.Series(started, index=self.customers, name="expected_periods")

    def mean(self) -> pd.DataFrame:
        """Mean curve of all customers.

        Returns
        -------
        DataFrame
            period, retention, lower, upper (of the mean, from drawn coefficients; NaN without),
            tenth, ninetieth (percentiles over customers).
        """
        tail = (1 - self.level) / 2
        ends = np.full((2, self.periods + 1), np.nan)
        if len(self.mean_draws):
            ends = np.quantile(self.mean_draws, [tail, 1 - tail], axis=0)
        spread = np.quantile(self.retention, [0.1, 0.9], axis=0)
        return pd.DataFrame(
            {
                "period": np.arange(self.periods + 1),
                "retention": self.retention.mean(axis=0),
                "lower": ends[0],
                "upper": ends[1],
                "tenth": spread[0],
                "ninetieth": spread[1],
            }
        )

    def of(self, customer: object) -> pd.Series:
        """Curve of one customer by period.

        Raises
        ------
        KeyError
            When there is no such customer.
        """
        if customer not in self.customers:
            raise KeyError(
                f"no customer {customer!r}; there are {self.customers[:3].tolist()} and "
                f"{max(len(self.customers) - 3, 0):,} more"
            )
        row = self.retention[self.customers.get_loc(customer)]
        return pd.Series(row, index=pd.RangeIndex(self.periods + 1, name="period"), name=customer)

    def to_frame(self) -> pd.DataFrame:
        """One row a customer and period (from 1): customer_id, period, hazard, retention."""
        n = len(self.customers)
        return pd.DataFrame(
            {
                "customer_id": self.customers.repeat(self.periods),
                "period": np.tile(np.arange(1, self.periods + 1), n),
                "hazard": self.hazard.ravel(),
                "retention": self.retention[:, 1:].ravel(),
            }
        )

    def _repr_html_(self) -> str:
        last = self.mean().iloc[-1]
        said = (
            f"{last['retention']:.1%} of {len(self.customers):,} customers are expected to be "
            f"there after {self.periods} periods."
        )
        return report_html("Retention curves", [said, *self.notes], {"Mean": self.mean()})


def retention_curves(
    model: ChurnModel,
    rows: ChurnTable | pd.DataFrame,
    periods: int = 12,
    *,
    ahead: Ahead | None = None,
    draws: int = 0,
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> RetentionCurves:
    """Work out how long customers are expected to stay.

    Parameters
    ----------
    model : ChurnModel
        A fitted model.
    rows : ChurnTable or DataFrame
        A table, of which the customers in `upcoming` are taken, or one row a customer as known for
        the first period ahead.
    periods : int
        Periods ahead, 1 to 600.
    ahead : callable, optional
        Gives the rows k periods later, ``ahead(rows, k)``.  Left out, tenure and contracts of
        customer months move on, the period of person-periods too, and nothing else.
    draws : int
        Draws of a logistic model's coefficients for the interval of the mean curve; 0 for none.
    level : float
        Confidence level.
    seed : int or Generator
        Of the draws.
    progress : callable, optional
        Called with periods done and in all, if it takes long.

    Returns
    -------
    RetentionCurves

    Raises
    ------
    ValueError
        When `periods` is not allowed, a customer comes twice, or draws are asked of a model
        without intervals.
    """
    if isinstance(periods, bool) or not isinstance(periods, int) or not 1 <= periods <= LONGEST:
        raise ValueError(f"periods={periods!r}: a whole number from 1 to {LONGEST} is needed")
    checked_level(level)
    frame = rows.upcoming if isinstance(rows, ChurnTable) else rows
    need_columns_of(frame, [model.customer, *model.features], "rows")
    customers = pd.Index(frame[model.customer])
    if customers.has_duplicates:
        raise ValueError(
            f"rows: one row a customer is needed; {customers[customers.duplicated()][:3].tolist()} "
            "come several times. Take ChurnTable.upcoming, or each customer's last row"
        )
    move = ahead or _mover(frame)
    drawn = _drawn_coefficients(model, draws, seed)
    report = after_quiet(progress)
    hazard = np.empty((len(frame), periods))
    alive = np.ones((len(frame), len(drawn)))
    means = np.ones((len(drawn), periods + 1))
    for step in range(periods):
        later = move(frame, step) if step else frame
        hazard[:, step] = model.predict(later).to_numpy()
        if len(drawn):
            alive *= 1 - _drawn_chances(model, later, drawn)
            means[:, step + 1] = alive.mean(axis=0)
        report(step + 1, periods)
    retention = np.column_stack([np.ones(len(frame)), np.cumprod(1 - hazard, axis=1)])
    return RetentionCurves(customers, hazard, retention, means, level, _notes(model, move))


def _mover(frame: pd.DataFrame) -> Ahead:
    """Choose how rows move on in time, by their columns."""
    if {"tenure", "contract_left", "term", "month", "number"} <= set(frame.columns):
        return month_ahead
    if {"period", "period_log"} <= set(frame.columns):
        return _period_ahead
    return _unmoved


def _period_ahead(frame: pd.DataFrame, periods: int) -> pd.DataFrame:
    later = frame["period"] + periods
    return frame.assign(period=later, period_log=np.log(later))


def _unmoved(frame: pd.DataFrame, periods: int) -> pd.DataFrame:
    return frame


def _drawn_coefficients(model: ChurnModel, draws: int, seed: Seed) -> FloatArray:
    """Coefficients drawn from their clustered normal distribution, shape (draws, 1 + columns)."""
    if draws == 0:
        return np.empty((0, 0))
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 0:
        raise ValueError(f"draws={draws!r}: a whole number of at least 0 is needed")
    fit = model.fit
    if not isinstance(fit, LogisticFit) or np.isnan(fit.covariance).any() or fit.separated:
        raise ValueError(
            f"draws={draws}: only a logistic model without penalty and separated columns has a "
            "distribution of coefficients to draw from; fit one, or give draws=0"
        )
    return normal_draws(fit.coefficients, fit.covariance, draws, seed)


def _drawn_chances(model: ChurnModel, frame: pd.DataFrame, drawn: FloatArray) -> FloatArray:
    """Probabilities of rows under drawn coefficients, shape (rows, draws)."""
    chance = expit(drawn[:, 0] + model.design.matrix(frame) @ drawn[:, 1:].T)
    return chance if model.recalibration is None else model.recalibration.apply(chance)


def _notes(model: ChurnModel, move: Ahead) -> tuple[str, ...]:
    notes = []
    if move is _unmoved:
        notes.append("Nothing known of the customers changes over time: hazards are constant.")
    if model.weighting == "balanced":
        notes.append("The model was fitted with class weights: its curves fall far too fast.")
    return tuple(notes)
