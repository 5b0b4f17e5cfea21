"""What every model of customers without a contract can say: who is alive, who buys how much.

A customer without a contract leaves without a word.  The models differ in when it may leave; what
they answer is the same.  :class:`TransactionModel` holds the answers, each model's file the two
laws' formulas.

All of them rest on one decomposition: what a customer is expected to buy is the probability that
it is alive times what it would buy if it were, and of the two only the first depends on the
recency.  So the dear formulas are computed once for every different frequency and age.
"""

from __future__ import annotations

import reprlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd

from keycustomer.lifetime.ages import over_ages
from keycustomer.lifetime.discounting import ALL_DIGITS, present_value_rule
from keycustomer.lifetime.fitted import Fitted
from keycustomer.lifetime.histories import Histories, read_histories
from keycustomer.lifetime.laws import DropoutLaw, GammaLaw, RateLaw
from keycustomer.lifetime.units import days_in, force_of_interest
from keycustomer.stats.samples import FloatArray

PAIRS = 2**12
"""Different frequencies and ages discounted at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TransactionModel(Fitted, ABC):
    """A fitted model of repeat purchases without a contract.

    Attributes
    ----------
    purchasing : GammaLaw or PointLaw
        How purchase rates (per unit of time) differ between customers.
    dropout : GammaLaw, BetaLaw, PointLaw or SplitLaw
        How dropout rates (per unit of time), or probabilities (per purchase), differ.
    histories : Histories
        What the model was fitted on.
    """

    purchasing: RateLaw
    dropout: DropoutLaw
    histories: Histories = field(repr=False)

    @property
    def unit(self) -> str:
        """Unit of time of the parameters and of every horizon."""
        return self.histories.unit

    @abstractmethod
    def refit(self, weights: FloatArray) -> Self:
        """Fit again with other numbers of customers, beginning at this fit.

        Parameters
        ----------
        weights : ndarray, shape (rows of `histories`,)
            Customers with each history, as a bootstrap draws them; zeros are allowed.
        """

    @abstractmethod
    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Probability that customers with these histories are alive, times in `unit`."""

    @abstractmethod
    def _purchases_if_alive(self, t: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """Give expected purchases in (T, T + t] of customers alive at T; arguments broadcast."""

    @abstractmethod
    def _purchases_new(self, t: FloatArray) -> FloatArray:
        """Give expected repeat purchases in (0, t] of a customer just won."""

    def probability_alive(self, customers: pd.DataFrame | Histories) -> FloatArray:
        """Probability that each customer has not left yet.

        Parameters
        ----------
        customers : DataFrame or Histories
            A customer table (recency and T in days) or histories.

        Returns
        -------
        ndarray, shape (customers,) or (rows of the histories,)
            Shares 0..1; NaN for customers who never bought.
        """
        known = self._read(customers)
        return known.per_customer(self._alive(known.frequency, known.recency, known.T))

    def expected_purchases(self, horizon: float, customers: pd.DataFrame | Histories) -> FloatArray:
        """Purchases expected of each customer in the horizon that follows its T.

        Parameters
        ----------
        horizon : float
            Length of time ahead, in `unit`.
        customers : DataFrame or Histories
            A customer table (recency and T in days) or histories.

        Returns
        -------
        ndarray, shape (customers,) or (rows of the histories,)
            Purchases; NaN for customers who never bought.

        Raises
        ------
        ValueError
            When the horizon is negative or not finite.
        """
        ahead = one_horizon(horizon, self.unit)
        known = self._read(customers)
        alive = self._alive(known.frequency, known.recency, known.T)
        pairs, index = _different_pairs(known)
        return known.per_customer(alive * self._purchases_if_alive(ahead, *pairs)[index])

    def expected_purchases_new(self, horizon: float | FloatArray) -> FloatArray:
        """Repeat purchases expected of a customer just won within each horizon, in `unit`.

        Raises
        ------
        ValueError
            When a horizon is negative or not finite.
        """
        return self._purchases_new(checked_horizon(horizon, self.unit))

    def discounted_purchases(
        self,
        customers: pd.DataFrame | Histories,
        discount_rate: float,
        horizon: float | None = None,
    ) -> FloatArray:
        """Purchases expected of each customer from its T on, discounted to that day.

        Parameters
        ----------
        customers : DataFrame or Histories
            A customer table (recency and T in days) or histories.
        discount_rate : float
            Effective rate per year, a share.
        horizon : float, optional
            Length of time ahead, in `unit`; left out, for ever.

        Returns
        -------
        ndarray, shape (customers,) or (rows of the histories,)
            Discounted purchases (DERT where the horizon is left out); NaN for customers who never
            bought.

        Raises
        ------
        ValueError
            When the rate or horizon makes no sense, or a rate of 0 meets no horizon.

        References
        ----------
        Fader, Hardie & Lee (2005), Journal of Marketing Research 42, for DERT.
        """
        force = force_of_interest(discount_rate, self.unit)
        ahead = None if horizon is None else float(one_horizon(horizon, self.unit))
        known = self._read(customers)
        return known.per_customer(self.discounted_by_row(known, force, ahead))

    def discounted_by_row(
        self,
        known: Histories,
        force: float,
        horizon: float | None = None,
        digits: int = ALL_DIGITS,
    ) -> FloatArray:
        """Discounted purchases expected of a customer of each history.

        Parameters
        ----------
        known : Histories
            Histories in `unit`.
        force : float
            Continuous discount rate per unit of time.
        horizon : float, optional
            Length of time ahead, in `unit`; left out, for ever.
        digits : int
            Digits needed; eight, of which a bootstrap has no use for more, are had sooner.

        Returns
        -------
        ndarray, shape (rows,)
        """
        alive = self._alive(known.frequency, known.recency, known.T)
        (x, T), index = _different_pairs(known)
        return alive * self._discounted_if_alive(force, horizon, x, T, digits)[index]

    def _discounted_if_alive(
        self,
        force: float,
        horizon: float | None,
        x: FloatArray,
        T: FloatArray,
        digits: int = ALL_DIGITS,
    ) -> FloatArray:
        """Give discounted purchases of customers alive at T; a model may know a shorter way."""
        times, weights = present_value_rule(force, horizon, digits)
        if times.size == 1:
            return self._purchases_if_alive(times, x, T)

        def worth(x: FloatArray, T: FloatArray) -> FloatArray:
            parts = [slice(start, start + PAIRS) for start in range(0, x.size, PAIRS)]
            return np.concatenate(
                [weights @ self._purchases_if_alive(times[:, None], x[p], T[p]) for p in parts]
            )

        law = self.purchasing
        offset = law.rate if isinstance(law, GammaLaw) else 1.0
        return over_ages(worth, x, T, offset, digits)

    def _read(self, customers: pd.DataFrame | Histories) -> Histories:
        return read_histories(customers, unit=self.unit, keep_customers=True)


def _different_pairs(known: Histories) -> tuple[tuple[FloatArray, FloatArray], np.ndarray]:
    """Different frequencies and ages, and each row's place among them."""
    ages, place = np.unique(known.T, return_inverse=True)
    key = known.frequency_index * ages.size + place
    found, index = np.unique(key, return_inverse=True)
    return (known.frequencies[found // ages.size], ages[found % ages.size]), index


def checked_horizon(horizon: float | FloatArray, unit: str) -> FloatArray:
    """Return horizons as an array, or refuse those that are negative or not finite."""
    ahead = np.asarray(horizon)
    number = ahead.dtype.kind in "iuf"
    if not (number and np.isfinite(ahead).all() and (ahead >= 0).all()):
        raise ValueError(
            f"horizon={reprlib.repr(horizon)}: a finite number of {unit}s of at least 0 is needed "
            f"(a year is {days_in('year') / days_in(unit):.6g} {unit}s)"
        )
    return ahead.astype(float)


def one_horizon(horizon: float, unit: str) -> FloatArray:
    """Return a horizon that is the same for all customers, or refuse it.

    Raises
    ------
    ValueError
        When it is not one number, negative or not finite.
    """
    ahead = checked_horizon(horizon, unit)
    if ahead.ndim:
        raise ValueError(
            f"horizon: one number of {unit}s for all customers is needed, got an array of shape "
            f"{ahead.shape}; for several horizons call once for each"
        )
    return ahead
