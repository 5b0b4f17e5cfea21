"""Pareto/NBD: customers who buy at random and may leave at any time.

Who is still a customer, and what will each one buy?  While alive, a customer buys at random at
its own rate; it leaves at an age that has its own rate, too.  Both rates differ between customers
by gamma laws: r and alpha those of purchase, s and beta those of dropout.
:func:`fit_paretonbd` finds the four numbers by maximum likelihood, exactly and with their
standard errors; where the likelihood has its maximum at infinity, it finds the limit and says so.
:class:`ParetoNbd` answers what the model expects of customers.

Sources: Schmittlein, Morrison & Colombo (1987), Management Science 33; Fader & Hardie (2005), "A
note on deriving the Pareto/NBD model and related expressions".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit, exprel

from keycustomer.lifetime.arguments import checked_start, checked_weights
from keycustomer.lifetime.discounting import ALL_DIGITS
from keycustomer.lifetime.exponential.death_time import dead_odds, discounted_stay, row_terms
from keycustomer.lifetime.exponential.limits import GAMMA, Maximum, likeliest
from keycustomer.lifetime.exponential.rate_moments import EqualMoments, GammaMoments, Moments
from keycustomer.lifetime.histories import Histories, read_histories
from keycustomer.lifetime.laws import DropoutLaw, GammaLaw, PointLaw, RateLaw, SplitLaw
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.stats.samples import FloatArray

MODEL = "Pareto/NBD"


@dataclass(frozen=True, kw_only=True, eq=False)
class ParetoNbd(TransactionModel):
    """A fitted Pareto/NBD or one of its limits.

    The parameters are r, alpha (purchasing), s and beta (dropout); in a limit `purchase_rate`
    takes the place of the first two, `dropout_rate`, `dropout_share` or nothing that of the
    others.  See :class:`keycustomer.lifetime.transactions.TransactionModel` for the attributes.
    """

    def refit(self, weights: FloatArray) -> Self:
        """Fit again with other numbers of customers, beginning at this fit.

        Parameters
        ----------
        weights : ndarray, shape (rows of `histories`,)
            Customers with each history, as a bootstrap draws them; zeros are allowed.

        Raises
        ------
        ValueError
            When the weights are not one number of at least 0 a row, or all 0.
        """
        counts = checked_weights(weights, self.histories.rows)
        start = None if self.limit else self._one_step(counts)
        drawn = self.histories.reweighted(counts)
        return replace(self, **_fitted(drawn, start, near=start is not None))

    @cached_property
    def _log_derivatives(self) -> tuple[FloatArray, FloatArray]:
        """Score (4, rows) and Hessian (4, 4, rows) of every history in the log-parameters."""
        known = self.histories
        _, score, hessian = row_terms(known.frequency, known.recency, known.T, *self.values)
        score = score * self.values[:, None]
        hessian = hessian * np.outer(self.values, self.values)[:, :, None]
        hessian[np.diag_indices(4)] += score
        return score, hessian

    def _one_step(self, weights: FloatArray) -> FloatArray:
        """Parameters one Newton step from here for other numbers of customers."""
        score, hessian = self._log_derivatives
        step = np.linalg.solve(-(hessian @ weights), score @ weights)
        return self.values * np.exp(np.clip(step, -1, 1))

    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Probability that customers with these histories are alive, times in `unit`."""
        if isinstance(self.dropout, SplitLaw):
            return np.where(x > 0, 1.0, self._stayed(T))
        if np.all(self.dropout.mean == 0):
            return np.ones(np.broadcast(x, t_x, T).shape)
        return expit(-dead_odds(_moments(self.purchasing), _moments(self.dropout), x, t_x, T))

    def _stayed(self, T: FloatArray) -> FloatArray:
        """Probability of a customer who never came back up to T to be one of the stayers."""
        share = self.dropout.mean
        silent = np.exp(_moments(self.purchasing).log_moment(0.0, np.zeros((3, 1)), T))
        return (1 - share) * silent / (share + (1 - share) * silent)

    def _purchases_if_alive(self, t: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """Give expected purchases in (T, T + t] of customers alive at T; arguments broadcast."""
        return self._rate_if_alive(x, T) * self._time_if_alive(t, T)

    def _purchases_new(self, t: FloatArray) -> FloatArray:
        """Give expected repeat purchases in (0, t] of a customer just won."""
        nothing = np.zeros(1)
        alive = self._alive(nothing, nothing, nothing)[0]
        return alive * self._purchases_if_alive(t, np.zeros(()), np.zeros(()))

    def _rate_if_alive(self, x: FloatArray, T: FloatArray) -> FloatArray:
        """Give the expected purchase rate of customers with these histories."""
        if isinstance(self.purchasing, GammaLaw):
            return (self.purchasing.shape + x) / (self.purchasing.rate + T)
        return self.purchasing.mean + 0 * (x + T)

    def _time_if_alive(self, t: FloatArray, T: FloatArray) -> FloatArray:
        """Give the expected time in (T, T + t] that a customer alive at T will stay."""
        if isinstance(self.dropout, GammaLaw):
            age = self.dropout.rate + T
            log = np.log1p(t / age)
            return age * log * exprel(-(self.dropout.shape - 1) * log)
        if isinstance(self.dropout, PointLaw):
            return t * exprel(-self.dropout.value * t) + 0 * T
        return t + 0 * T

    def _discounted_if_alive(
        self,
        force: float,
        horizon: float | None,
        x: FloatArray,
        T: FloatArray,
        digits: int = ALL_DIGITS,
    ) -> FloatArray:
        """Give discounted purchases of customers alive at T: the rate times the time to come."""
        if force == 0:
            return super()._discounted_if_alive(force, horizon, x, T, digits)
        rate = self._rate_if_alive(x, T)
        if isinstance(self.dropout, GammaLaw):
            ages, place = np.unique(T, return_inverse=True)
            law = self.dropout
            return rate * discounted_stay(law.shape, law.rate, ages, force, horizon)[place]
        fall = force + (self.dropout.mean if isinstance(self.dropout, PointLaw) else 0.0)
        return rate * (1 / fall if horizon is None else horizon * exprel(-fall * horizon))


def fit_paretonbd(
    customers: pd.DataFrame | Histories,
    *,
    unit: str | None = None,
    start: Sequence[float] | None = None,
) -> ParetoNbd:
    """Fit the Pareto/NBD by maximum likelihood.

    Parameters
    ----------
    customers : DataFrame or Histories
        A customer table (frequency; recency and T in days) or histories.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        Unit of time of the parameters; left out, weeks, or the unit of the histories given.
    start : sequence of 4 floats, optional
        r, alpha, s, beta to begin at; the result does not depend on it.

    Returns
    -------
    ParetoNbd
        The fitted model; `limit` says where the maximum lies when it lies at infinity.

    Raises
    ------
    ValueError
        When the table is wrong (see :func:`keycustomer.lifetime.histories.read_histories`), or
        `start` is not four positive numbers.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987), Management Science 33.
    """
    histories = read_histories(customers, unit=unit)
    return ParetoNbd(**_fitted(histories, checked_start(start, *GAMMA.names)))


def _fitted(
    histories: Histories, start: FloatArray | None, *, near: bool = False
) -> dict[str, Any]:
    """Fields of the model that makes the histories likeliest."""
    common = {
        "model": MODEL,
        "customers": histories.customers,
        "notes": histories.notes,
        "histories": histories,
    }
    if not (histories.weights @ histories.frequency) > 0:
        return {**common, **_NOBODY_CAME_BACK}
    found = likeliest(histories, start, near=near)
    return {
        **common,
        "names": found.family.names,
        "values": found.values,
        "covariance": found.covariance,
        "log_likelihood": found.log_likelihood,
        "evaluations": found.evaluations,
        "purchasing": found.purchasing,
        "dropout": found.dropout,
        "limit": _limit(found, histories.unit),
    }


_NOBODY_CAME_BACK: dict[str, Any] = {
    "names": (),
    "values": np.empty(0),
    "covariance": np.empty((0, 0)),
    "log_likelihood": 0.0,
    "evaluations": 0,
    "purchasing": PointLaw(0.0),
    "dropout": PointLaw(0.0),
    "limit": (
        "Nobody bought again: the likelihood is largest where the purchase rates go to 0, and "
        "whether customers have left cannot be told."
    ),
}


def _limit(found: Maximum, unit: str) -> str:
    """Say in plain sentences where the maximum lies; nothing when it is an inner one."""
    values = dict(zip(found.family.names, found.values.tolist(), strict=True))
    sentences = []
    if found.family.purchasing == "equal":
        sentences.append(
            "The data show no differences in purchase rates between customers: the likelihood is "
            "largest where r and alpha go to infinity with r/alpha = "
            f"{values['purchase_rate']:.4g} purchases a {unit}."
        )
    if found.family.dropout == "equal":
        sentences.append(
            "The data show no differences in drop-out between customers: the likelihood is "
            f"largest where s and beta go to infinity with s/beta = {values['dropout_rate']:.4g} "
            f"a {unit}."
        )
    if found.family.dropout == "split":
        sentences.append(
            "The data show customers who leave after the first purchase and others who never do: "
            "the likelihood is largest where s and beta go to 0 with a share of "
            f"{values['dropout_share']:.4g} leaving at once."
        )
    if found.family.dropout == "never":
        sentences.append(
            "The data show no drop-out: the likelihood is largest where s/beta goes to 0."
        )
    return " ".join(sentences)


def _moments(law: RateLaw | DropoutLaw) -> Moments:
    """Moments of a law of rates above 0."""
    if isinstance(law, GammaLaw):
        return GammaMoments(law.shape, law.rate)
    return EqualMoments(law.mean)
