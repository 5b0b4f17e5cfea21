"""What accounts bring over the months ahead, as they are and with something done for them.

An action moves an account's chance to leave, its margin or its cost.  `Shift` says by how much;
two actions together add up on the scale of the log-odds of leaving and multiply on the scale of the
margin (:meth:`Shift.and_also`), so that an account that one action keeps is not kept again by the
next.  `Future` adds up discounted profit under a shift, for every draw of the coefficients.

Amounts of a month are due at its end; who leaves pays for the month of leaving.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from keycustomer.stats.samples import FloatArray

Many = Any
"""A number, or an array that spreads over (draws, accounts, months)."""


@dataclass(frozen=True, eq=False)
class Shift:
    """What something done for an account changes.

    Attributes
    ----------
    odds : array
        Added to the log-odds of leaving in a month.
    price, usage, growth : array
        Factors on the price paid, on what is used, and on both revenue and cost of goods.
    extra : array
        Margin that comes on top, currency a month.
    cost : array
        Added cost to serve, currency a month.
    share : array
        Added cost to serve, share of revenue.
    """

    odds: Many = 0.0
    price: Many = 1.0
    usage: Many = 1.0
    growth: Many = 1.0
    extra: Many = 0.0
    cost: Many = 0.0
    share: Many = 0.0

    def and_also(self, other: Shift) -> Shift:
        """Do both."""
        return Shift(
            self.odds + other.odds,
            self.price * other.price,
            self.usage * other.usage,
            self.growth * other.growth,
            self.extra + other.extra,
            self.cost + other.cost,
            self.share + other.share,
        )

    def only(self, who: npt.NDArray[np.bool_]) -> Shift:
        """Do it for some of the accounts alone, shape (accounts,)."""
        chosen = who[:, None]
        return Shift(
            *(
                np.where(chosen, one, 0.0 if name in _ADDED else 1.0)
                for name, one in vars(self).items()
            )
        )


_ADDED = ("odds", "extra", "cost", "share")
"""Fields of `Shift` that add up; the others multiply."""


@dataclass(frozen=True, eq=False)
class Future:
    """Some accounts' months ahead if all goes on as today, in draws.

    Attributes
    ----------
    odds : ndarray, shape (draws, accounts, months)
        Log-odds of leaving.
    growth : ndarray, shape (draws, accounts, months)
        Factor on today's revenue and cost of goods.
    revenue, goods, cost : ndarray, shape (accounts,)
        Today's revenue, cost of goods, cost to serve apart from `serving`, currency a month.
    serving : float
        Cost to serve, share of revenue.
    worth : ndarray, shape (months,)
        Present value of one unit of currency by month.
    """

    odds: FloatArray = field(repr=False)
    growth: FloatArray = field(repr=False)
    revenue: FloatArray
    goods: FloatArray
    cost: FloatArray
    serving: float
    worth: FloatArray

    def profit(self, shift: Shift | None = None) -> FloatArray:
        """Discounted profit under a shift, shape (draws, accounts), currency."""
        return self.accounts(shift)[0]

    def accounts(self, shift: Shift | None = None) -> tuple[FloatArray, FloatArray]:
        """Discounted profit, and what the shift costs, each (draws, accounts), currency.

        The cost is what is added to the cost to serve, and the revenue that a lower price gives
        up, of the months that the account is there.
        """
        done = shift or Shift()
        there = self.worth * self._there(done.odds)
        used = self.growth * (done.growth * done.usage)
        revenue = self.revenue[:, None] * used * done.price
        goods = self.goods[:, None] * used
        added = done.cost + done.share * revenue
        month = revenue * (1 - self.serving) - goods - self.cost[:, None] + done.extra - added
        given = self.revenue[:, None] * used * np.maximum(1 - done.price, 0.0)
        return (there * month).sum(axis=2), (there * (added + given)).sum(axis=2)

    def months(self, shift: Shift | None = None) -> FloatArray:
        """Months that accounts are expected to be there, shape (draws, accounts)."""
        return self._there((shift or Shift()).odds).sum(axis=2)

    def _there(self, odds: Many) -> FloatArray:
        """Chance to be there in each month."""
        stays = np.cumprod(expit(-(self.odds + odds)), axis=2)
        return np.concatenate([np.ones((*stays.shape[:2], 1)), stays[:, :, :-1]], axis=2)
