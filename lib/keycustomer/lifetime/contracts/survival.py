"""The survival curve of contracts, without a model: Kaplan and Meier's estimate.

What share of customers makes a first, second, third renewal, when some contracts began too lately
to tell?  At each renewal those count who have come to it; the product of their retention rates is
the survival curve.  It assumes nothing on how customers differ, and says nothing beyond the last
renewal that anybody has come to: what a customer may bring later is missing in its sums.

Main names: :func:`survival_curve`, :class:`SurvivalCurve`.  Sources: Kaplan & Meier (1958), Journal
of the American Statistical Association 53, 457-481; Kalbfleisch & Prentice (2002), "The Statistical
Analysis of Failure Time Data", section 1.4, for the interval of log(-log S).
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri

from keycustomer.lifetime.contracts.tenures import Renewals, Tenures, read_tenures
from keycustomer.lifetime.units import force_of_interest
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """Survival over renewals, as observed.

    Attributes
    ----------
    tenures : Tenures
        What it was estimated from.
    level : float
        Confidence level of the intervals.
    curve : DataFrame
        One row a renewal, from 0: renewal, at_risk (customers who came to it), left, retention
        (share of them that renewed), survival (share of all that made it), standard_error
        (Greenwood), lower, upper (NaN before anybody left and after all have).
    """

    tenures: Tenures = field(repr=False)
    level: float
    curve: pd.DataFrame = field(repr=False)

    @property
    def unit(self) -> str:
        """Time between two renewals."""
        return self.tenures.unit

    @property
    def customers(self) -> float:
        """Number of customers the curve rests on."""
        return self.tenures.customers

    def to_frame(self) -> pd.DataFrame:
        """Return the curve, one row a renewal."""
        return self.curve.copy()

    def _repr_html_(self) -> str:
        said = (
            f"Survival of {self.customers:,.0f} contracts by renewal, one a {self.unit}; "
            f"intervals at {self.level:.0%}."
        )
        table = self.curve.to_html(index=False, na_rep="", float_format="{:,.4f}".format)
        return f"<p>{html.escape(said)}</p>{table}"

    def survival(self, renewals: Renewals) -> FloatArray:
        """Share of customers who make at least so many renewals.

        Returns
        -------
        ndarray
            NaN beyond the last renewal observed.
        """
        made = np.asarray(renewals).astype(np.int64)
        known = np.append(self.curve["survival"].to_numpy(), np.nan)
        return known[np.minimum(made, known.size - 1)]

    def expected_renewals(self, renewals: Renewals, horizon: int | None = None) -> FloatArray:
        """Further renewals expected of customers who are still there, as far as was observed.

        Parameters
        ----------
        renewals : int or array of int
            Renewals made so far.
        horizon : int, optional
            Renewals to look ahead, at most those observed; left out, as far as was observed.

        Returns
        -------
        ndarray
            NaN where the horizon, or the number of renewals, reaches beyond what was observed.
        """
        return self._sum(renewals, horizon, 0.0)

    def discounted_renewals(
        self,
        renewals: Renewals,
        discount_rate: float,
        horizon: int | None = None,
        until_renewal: float | FloatArray = 0.0,
    ) -> FloatArray:
        """Further renewals expected of customers who are still there, discounted to today.

        Parameters
        ----------
        renewals : int or array of int
            Renewals made so far.
        discount_rate : float
            Effective rate per year, a share.
        horizon : int, optional
            Renewals to look ahead, at most those observed; left out, as far as was observed.
        until_renewal : float or array
            Periods until the next renewal, when its fee would be due.

        Returns
        -------
        ndarray
            Without a horizon a lower bound of the value for ever, 0 at the last renewal observed;
            NaN where the horizon, or the number of renewals, reaches beyond what was observed.
        """
        force = force_of_interest(discount_rate, self.unit)
        worth = self._sum(renewals, horizon, force)
        return worth * np.exp(-force * (np.asarray(until_renewal, dtype=float) - 1))

    def _sum(self, renewals: Renewals, horizon: int | None, force: float) -> FloatArray:
        survival = self.curve["survival"].to_numpy()
        size = survival.size
        made, place = np.unique(np.asarray(renewals).astype(np.int64), return_inverse=True)
        if horizon is None:  # what was not observed adds nothing
            survival = np.nan_to_num(survival)
        totals = np.full(made.size, np.nan)
        for i, n in enumerate(made.tolist()):
            ahead = size - 1 - n if horizon is None else horizon
            if 0 <= ahead <= size - 1 - n:
                discount = np.exp(-force * np.arange(1, ahead + 1))
                to_come = survival[n + 1 : n + 1 + ahead] @ discount
                totals[i] = to_come / survival[n] if survival[n] != 0 else 0.0
        return totals[place].reshape(np.shape(renewals))

    def refit(self, weights: FloatArray) -> SurvivalCurve:
        """Estimate again with other numbers of customers.

        Parameters
        ----------
        weights : ndarray, shape (rows of `tenures`,)
            Customers with each tenure, as a bootstrap draws them; zeros are allowed.
        """
        return _curve(self.tenures.reweighted(weights), self.level, self.tenures.longest)


def survival_curve(
    contracts: pd.DataFrame | Tenures, *, unit: str | None = None, level: float = 0.95
) -> SurvivalCurve:
    """Estimate the survival curve of contracts.

    Parameters
    ----------
    contracts : DataFrame or Tenures
        As in :func:`keycustomer.lifetime.fit_sbg`.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        Time between two renewals; left out, the tenures', for a table a month.
    level : float
        Confidence level of the intervals, 0..1.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    ValueError
        With every complaint about the table, or when the level is no share.
    """
    tenures = read_tenures(contracts, unit=unit)
    return _curve(tenures, checked_level(level), tenures.longest)


def _curve(tenures: Tenures, level: float, longest: int) -> SurvivalCurve:
    periods = tenures.periods.astype(np.int64)
    leaving = tenures.weights * tenures.ended
    left = np.bincount(periods, leaving, longest + 1)
    there = np.bincount(periods, tenures.weights, longest + 1)
    at_risk = np.cumsum(there[::-1])[::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        retention = 1 - left / at_risk
        survival = np.cumprod(retention)
        spread = np.cumsum(left / (at_risk * (at_risk - left)))
        log = np.log(survival)
        half = ndtri((1 + level) / 2) * np.sqrt(spread) / np.abs(log)
        lower, upper = survival ** np.exp(half), survival ** np.exp(-half)
        error = survival * np.sqrt(spread)
    columns = (np.arange(longest + 1), at_risk, left, retention, survival, error, lower, upper)
    names = "renewal at_risk left retention survival standard_error lower upper".split()
    return SurvivalCurve(tenures, level, pd.DataFrame(dict(zip(names, columns, strict=True))))
