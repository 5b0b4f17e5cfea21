"""Lifetime value by a Markov chain: customers move between states, each state brings or costs.

What is a customer worth who bought last month, and one who bought five months ago?  At the end of
every period a customer is in one state, gains or costs its reward, and moves on with probabilities
that depend on the state alone.  :class:`CustomerChain` gives the value of every state for ever or
up to a horizon, and tells in which states it is better to stop spending on a customer.

:func:`recency_chain` makes the chain of direct marketing: the state is how many periods ago a
customer bought last; every period it is sent a mailing, buys and is back in state 1, or moves on;
after the last state it is given up.

Source: Pfeifer & Carraway (2000), Journal of Interactive Marketing 14(2), 43-55; Howard (1960),
"Dynamic Programming and Markov Processes", for the best rule.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from numbers import Real

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import refuse_endless, whole_number
from keycustomer.lifetime.units import days_in, force_of_interest
from keycustomer.stats.samples import FloatArray, finite_values

ROUNDING = 1e-9
"""Deviation of a sum of probabilities from 1 that rounding explains."""


@dataclass(frozen=True, eq=False)
class CustomerChain:
    """A Markov chain of customer states with rewards.

    Attributes
    ----------
    states : tuple of str
        Names of the states.
    transition : ndarray, shape (states, states)
        Probability to be in the column's state one period after the row's.
    reward : ndarray, shape (states,)
        What a customer brings on entering the state, less what is spent on it there, currency.
    unit : str
        Length of a period.
    """

    states: tuple[str, ...]
    transition: FloatArray = field(repr=False)
    reward: FloatArray = field(repr=False)
    unit: str = "year"

    def __post_init__(self) -> None:
        """Refuse what is no chain."""
        days_in(self.unit)
        size = len(self.states)
        if self.transition.shape != (size, size) or self.reward.shape != (size,):
            raise ValueError(
                f"{size} states need a transition matrix of shape ({size}, {size}) and {size} "
                f"rewards, got shapes {self.transition.shape} and {self.reward.shape}"
            )
        if not np.isfinite(self.reward).all():
            raise ValueError(f"reward={self.reward.tolist()}: every reward must be finite")
        sums = self.transition.sum(axis=1)
        wrong = ~(self.transition >= 0).all(axis=1) | ~(np.abs(sums - 1) <= ROUNDING)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"transition: the row of state {self.states[at]!r} must hold probabilities that "
                f"add up to 1, got {self.transition[at].tolist()}"
            )

    def value(self, discount_rate: float, horizon: int | None = None) -> FloatArray:
        """Value a customer in each state: expected discounted rewards, the present one included.

        Parameters
        ----------
        discount_rate : float
            Effective rate per year, a share.
        horizon : int, optional
            Periods after the present one; left out, for ever.

        Returns
        -------
        ndarray, shape (states,)
            Currency.

        Raises
        ------
        ValueError
            When nothing is discounted and the time is without end, or the horizon makes no sense.

        References
        ----------
        Pfeifer & Carraway (2000), equations 5 (finite) and 6 (for ever).
        """
        factor = self._factor(discount_rate, horizon)
        if horizon is None:
            system = np.eye(len(self.states)) - factor * self.transition
            return np.linalg.solve(system, self.reward).astype(np.float64)
        value = self.reward.copy()
        for _ in range(horizon):
            value = self.reward + factor * (self.transition @ value)
        return value

    def stopped(self, states: Sequence[str]) -> CustomerChain:
        """Return the chain in which customers are given up when they come into these states.

        Parameters
        ----------
        states : sequence of str
            Names of states; nothing is spent there any more, and nobody leaves them.

        Raises
        ------
        ValueError
            When there is no such state.
        """
        states = [states] if isinstance(states, str) else states
        unknown = [state for state in states if state not in self.states]
        if unknown:
            raise ValueError(f"states={unknown}: the chain has {', '.join(self.states)}")
        given_up = np.isin(self.states, list(states))
        transition = np.where(given_up[:, None], np.eye(len(self.states)), self.transition)
        return replace(self, transition=transition, reward=np.where(given_up, 0.0, self.reward))

    def best_rule(self, discount_rate: float) -> pd.DataFrame:
        """Find the states in which it is best to give customers up.

        Parameters
        ----------
        discount_rate : float
            Effective rate per year, a share.

        Returns
        -------
        DataFrame
            One row a state: state, value (never giving up), best_value (by the best rule), give_up.

        References
        ----------
        Howard (1960): give up wherever going on loses, value the new rule, until none changes.
        """
        factor = self._factor(discount_rate, None)
        never = value = self.value(discount_rate)
        given_up = np.zeros(len(self.states), bool)
        while True:
            better = self.reward + factor * (self.transition @ value) < -ROUNDING
            if (better == given_up).all():
                break
            given_up = better
            names = [name for name, out in zip(self.states, given_up, strict=True) if out]
            value = self.stopped(names).value(discount_rate)
        columns = (self.states, never, value, given_up)
        names = ["state", "value", "best_value", "give_up"]
        return pd.DataFrame(dict(zip(names, columns, strict=True)))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a state: state, reward, and the probabilities to move to each state."""
        moves = pd.DataFrame(self.transition, columns=[f"to {name}" for name in self.states])
        return pd.concat(
            [pd.DataFrame({"state": self.states, "reward": self.reward}), moves], axis=1
        )

    def _repr_html_(self) -> str:
        said = f"A chain of {len(self.states)} states, one step a {self.unit}."
        table = self.to_frame().to_html(index=False, escape=True, float_format="{:,.4g}".format)
        return f"<p>{html.escape(said)}</p>{table}"

    def _factor(self, discount_rate: float, horizon: int | None) -> float:
        """Discount factor of a period, checked against the horizon."""
        force = force_of_interest(discount_rate, self.unit)
        refuse_endless(force, horizon, "rewards")
        if horizon is not None:
            whole_number(horizon, "horizon", of="periods")
        return float(np.exp(-force))


def recency_chain(
    purchase_probabilities: Sequence[float] | FloatArray,
    contribution: float,
    contact_cost: float = 0.0,
    *,
    unit: str = "year",
) -> CustomerChain:
    """Make the chain of customers by the time since they bought.

    Parameters
    ----------
    purchase_probabilities : sequence of float, length k
        Probability to buy within the next period, by recency 1 (bought in the last period) to k;
        who does not buy at recency k is given up.
    contribution : float
        Margin of a purchase, currency.
    contact_cost : float
        Spent per period on a customer who is not given up, currency.
    unit : {"day", "week", "month", "quarter", "year"}
        Length of a period.

    Returns
    -------
    CustomerChain
        States `recency 1` ... `recency k` and `former`.

    Raises
    ------
    ValueError
        When a probability is none, or an amount is not finite or the cost negative.

    References
    ----------
    Pfeifer & Carraway (2000), figure 1 and equations 1 and 2.
    """
    chances = finite_values(purchase_probabilities, "purchase_probabilities")
    if ((chances < 0) | (chances > 1)).any():
        raise ValueError(
            f"purchase_probabilities={chances.tolist()}: shares between 0 and 1 are needed"
        )
    amounts = all(isinstance(one, Real) for one in (contribution, contact_cost))
    if not (amounts and np.isfinite(contribution) and 0 <= contact_cost < np.inf):
        raise ValueError(
            f"contribution={contribution!r} and contact_cost={contact_cost!r}: amounts are needed, "
            "the cost as a positive one"
        )
    size = chances.size
    transition = np.zeros((size + 1, size + 1))
    transition[:size, 0] = chances
    transition[np.arange(size), np.arange(size) + 1] += 1 - chances
    transition[size, size] = 1.0
    reward = np.append(np.full(size, -float(contact_cost)), 0.0)
    reward[0] += contribution
    states = (*(f"recency {n}" for n in range(1, size + 1)), "former")
    return CustomerChain(states, transition, reward, unit)
