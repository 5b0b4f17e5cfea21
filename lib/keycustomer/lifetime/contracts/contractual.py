"""Renewals under a contract: the shifted beta-geometric model.

Why do retention rates rise with tenure although nobody becomes more loyal?  The shifted
beta-geometric model (sBG) says that a customer leaves at every renewal with the same probability
theta, which differs between customers by a beta law.  Those with a high theta leave early, so that
the others' rate is better.  Two numbers, fitted to a few renewals, project survival far ahead, and
say what a customer is worth who has already stayed for so long.

With T the renewal at which a customer leaves, P(T = t) = E[theta (1-theta)^(t-1)] and
S(t) = P(T > t) = E[(1-theta)^t].

Main names: :func:`fit_sbg`, :class:`ShiftedBetaGeometric`.  Sources: Fader & Hardie (2007), Journal
of Interactive Marketing 21, 76-90; Fader & Hardie (2010), Marketing Science 29, 85-93.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import refuse_endless, whole_number
from keycustomer.lifetime.contracts.tenures import Renewals, Tenures, read_tenures
from keycustomer.lifetime.discrete.chances import LawFit, Sight, begin_again, fit_laws
from keycustomer.lifetime.discrete.lasting import total_lasting
from keycustomer.lifetime.discrete.powers import ChanceLaw, Family, IntArray, log_powers
from keycustomer.lifetime.fitted import Fitted
from keycustomer.lifetime.laws import SplitLaw
from keycustomer.lifetime.units import force_of_interest
from keycustomer.stats.samples import FloatArray

STARTS = ((1.0, 1.0), (0.3, 1.0), (5.0, 20.0))
"""Parameters to begin at: one for all data, the others for few customers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShiftedBetaGeometric(Fitted):
    """A fitted shifted beta-geometric model; times are counted in periods between renewals.

    Attributes
    ----------
    churn : BetaLaw, PointLaw or SplitLaw
        How the probability to leave at a renewal differs between customers.
    tenures : Tenures
        What the model was fitted on.
    """

    churn: ChanceLaw
    tenures: Tenures = field(repr=False)
    searched: FloatArray = field(repr=False)

    @property
    def unit(self) -> str:
        """Time between two renewals."""
        return self.tenures.unit

    @property
    def histories(self) -> Tenures:
        """The tenures, by the name under which resampling looks for every model's data."""
        return self.tenures

    def survival(self, renewals: Renewals) -> FloatArray:
        """Share of new customers who make at least so many renewals, S(t).

        Parameters
        ----------
        renewals : int or array of int
            Whole numbers of at least 0.

        Returns
        -------
        ndarray
            Shares 0..1, of the argument's shape.
        """
        made = _whole(renewals, "renewals")
        with np.errstate(under="ignore"):
            return np.exp(self._log_survival(made))

    def retention_rate(self, renewal: Renewals) -> FloatArray:
        """Share that renews, of those who come to their first, second ... renewal: S(t)/S(t-1).

        Parameters
        ----------
        renewal : int or array of int
            Which renewal, 1, 2, ...

        Returns
        -------
        ndarray
            Shares 0..1, of the argument's shape; NaN at a renewal to which nobody comes.
        """
        which = _whole(renewal, "renewal")
        if (which < 1).any():
            raise ValueError(f"renewal={renewal!r}: the first renewal is number 1")
        before = self._log_survival(which - 1)
        with np.errstate(invalid="ignore"):
            return np.exp(self._log_survival(which) - before)

    def expected_renewals(self, renewals: Renewals, horizon: int | None = None) -> FloatArray:
        """Further renewals expected of customers who have made so many and are still there.

        Parameters
        ----------
        renewals : int or array of int
            Renewals made so far; a new customer, 0, is expected to pay for one period more.
        horizon : int, optional
            Periods to look ahead; left out, without end.

        Returns
        -------
        ndarray
            Infinite where the law has so many loyal customers that the mean is (alpha <= 1).
        """
        made = _whole(renewals, "renewals")
        return _each(made, lambda n: total_lasting(self.churn, n, _horizon(horizon)))

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
            Renewals to look ahead; left out, for ever.
        until_renewal : float or array
            Periods until the next renewal, when its fee would be due.  At 0, the moment before,
            the result is DERL; 1 plus the result at 1 for a new customer is the discounted
            lifetime of one about to be won.

        Returns
        -------
        ndarray
            In periods paid for, discounted.

        Raises
        ------
        ValueError
            When the rate or horizon makes no sense, or a rate of 0 meets no horizon.

        References
        ----------
        Fader & Hardie (2010), equations 5 (new customers) and 6 (DERL).
        """
        force = force_of_interest(discount_rate, self.unit)
        refuse_endless(force, horizon, "renewals")
        made, ahead = _whole(renewals, "renewals"), _horizon(horizon)
        worth = _each(made, lambda n: total_lasting(self.churn, n, ahead, force))
        return worth * np.exp(-force * (np.asarray(until_renewal, dtype=float) - 1))

    def refit(self, weights: FloatArray) -> ShiftedBetaGeometric:
        """Fit again with other numbers of customers, beginning at this fit.

        Parameters
        ----------
        weights : ndarray, shape (rows of `tenures`,)
            Customers with each tenure, as a bootstrap draws them; zeros are allowed.
        """
        begin = begin_again(self.searched, STARTS[0])
        return _fit(self.tenures.reweighted(weights), [begin, *STARTS[1:]])

    def _log_survival(self, made: IntArray) -> FloatArray:
        flat = made.reshape(-1)
        return log_powers(self.churn, np.zeros_like(flat), flat).reshape(made.shape)


def fit_sbg(
    contracts: pd.DataFrame | Tenures,
    *,
    unit: str | None = None,
    start: Sequence[float] | None = None,
) -> ShiftedBetaGeometric:
    """Fit the shifted beta-geometric model by maximum likelihood.

    Parameters
    ----------
    contracts : DataFrame or Tenures
        One row a contract with tenure and ended, such as
        :func:`keycustomer.lifetime.contract_tenures` gives, or tenures, such as
        :func:`keycustomer.lifetime.tenures_from_survivors` gives.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        Time between two renewals; left out, the tenures', for a table a month.
    start : sequence of two floats, optional
        alpha, beta to begin the search at; the result does not depend on it.

    Returns
    -------
    ShiftedBetaGeometric
        Parameters alpha and beta, or that of the limit law.

    Raises
    ------
    ValueError
        With every complaint about the table, or when nobody has come to a renewal yet.

    References
    ----------
    Fader & Hardie (2007), equations 5 and 6, appendix B.
    """
    tenures = read_tenures(contracts, unit=unit)
    if not tenures.longest:
        raise ValueError("contracts: nobody has come to a first renewal yet")
    starts = STARTS if start is None else (start, *STARTS)
    return _fit(tenures, starts)


class _Renewals(Sight):
    """The likelihood of tenures."""

    def __init__(self, tenures: Tenures) -> None:
        self.weights = tenures.weights
        self.left = tenures.ended.astype(np.int64)
        self.stayed = tenures.periods.astype(np.int64) - self.left
        self.cells = self.left.size

    def objective(
        self, families: Sequence[Family], parameters: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """Log-likelihood, score and Hessian at the parameters of the family."""
        powers = families[0].powers(parameters, self.left, self.stayed)
        if not np.isfinite(powers.log).all():
            return -np.inf, np.zeros(parameters.size), np.zeros((parameters.size,) * 2)
        value = float(self.weights @ powers.log)
        return value, powers.score @ self.weights, powers.hessian @ self.weights


def _fit(tenures: Tenures, starts: Sequence[Sequence[float] | FloatArray]) -> ShiftedBetaGeometric:
    found = fit_laws(_Renewals(tenures), starts, 1)
    return ShiftedBetaGeometric(
        model="shifted beta-geometric",
        names=NAMES[found.kinds[0]],
        values=found.values,
        covariance=found.covariance,
        log_likelihood=found.log_likelihood,
        customers=tenures.customers,
        limit=_limit(found),
        notes=found.notes,
        evaluations=found.evaluations,
        churn=found.laws[0],
        tenures=tenures,
        searched=found.searched,
    )


NAMES: dict[str, tuple[str, ...]] = {
    "beta": ("alpha", "beta"),
    "point": ("churn_probability",),
    "split": ("churn_share",),
    "never": (),
    "always": (),
}
"""Names of the free parameters by kind of law."""


def _limit(found: LawFit) -> str:
    """Say in which respect the fit is a limit of the model."""
    law = found.laws[0]
    if isinstance(law, SplitLaw):
        return (
            "The likelihood is largest where alpha and beta go to 0: a share "
            f"{law.share:.4g} of the customers leaves at the first renewal, the others never."
        )
    return {
        "beta": "",
        "never": "Nobody left: the likelihood is largest where nobody ever does.",
        "always": "Everybody left at the first renewal: the likelihood is largest where all do.",
        "point": (
            "The data show no differences in churn between customers: the likelihood is largest "
            f"where alpha and beta go to infinity with alpha/(alpha+beta) = {law.mean:.4g}."
        ),
    }[found.kinds[0]]


def _whole(numbers: Renewals, argument: str) -> IntArray:
    given = np.asarray(numbers, dtype=float)
    if not (np.isfinite(given).all() and (given >= 0).all() and (given % 1 == 0).all()):
        raise ValueError(f"{argument}={numbers!r}: whole numbers of at least 0 are needed")
    return given.astype(np.int64)


def _horizon(horizon: int | None) -> int | None:
    return None if horizon is None else whole_number(horizon, "horizon", of="renewals")


def _each(made: IntArray, answer: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Answer once for every different number of renewals."""
    different, place = np.unique(made, return_inverse=True)
    return answer(different.astype(float))[place].reshape(made.shape)
