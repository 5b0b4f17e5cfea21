"""Value of a policy when customers move between states: what to do in which state.

Question: whom should we go on mailing, and when should we stop?  The rewards and moves of customers
in each state, by what is done there, make a Markov decision process.  :func:`policy_value` takes
one chain, or one chain for each action (such as each relationship level), and gives the value of
the policy asked about beside that of the best one; giving a customer up is always allowed unless
forbidden.

Sources: Pfeifer & Carraway (2000), Journal of Interactive Marketing 14(2), 43-55; Howard (1960),
"Dynamic Programming and Markov Processes", for policy iteration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.dimensions.complaints import did_you_mean
from keycustomer.lifetime.arguments import refuse_endless, whole_number
from keycustomer.lifetime.chains.markov import CustomerChain
from keycustomer.lifetime.units import force_of_interest
from keycustomer.stats.samples import FloatArray

GIVE_UP = "give up"
"""The action of spending nothing any more; it brings nothing either."""

KEEP = "keep on"
"""Name of the only action where one chain is given."""

BETTER = 1e-9
"""Gain from which another action counts as better, so that rounding ends no search too late."""

Codes = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)
class PolicyValue:
    """Values of the states under a policy and under the best one.

    Attributes
    ----------
    actions : tuple of str
        What can be done.
    discount_rate : float
        Effective rate per year, a share.
    horizon : int or None
        Periods after the present one; None for ever.
    frame : DataFrame
        One row a state: state, action (of the policy), value (under it), best_action, best_value,
        gain (currency).
    """

    actions: tuple[str, ...]
    discount_rate: float
    horizon: int | None
    frame: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a state."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        ahead = "for ever" if self.horizon is None else f"over {self.horizon} periods"
        said = (
            f"Value of a customer by state {ahead} at {self.discount_rate:.1%} a year; actions: "
            f"{', '.join(self.actions)}."
        )
        return sentence_html(said, self.frame, numbers=",.3f")


def policy_value(
    chains: CustomerChain | Mapping[str, CustomerChain],
    discount_rate: float,
    *,
    policy: Mapping[str, str] | str | None = None,
    horizon: int | None = None,
    giving_up: bool = True,
) -> PolicyValue:
    """Value a policy in every state, and find the best one.

    Parameters
    ----------
    chains : CustomerChain or mapping of str to CustomerChain
        How customers move and what they bring under each action; the states must be the same.  One
        chain alone is the action "keep on".
    discount_rate : float
        Effective rate per year, a share.
    policy : mapping of state to action, or str, optional
        What is done: one action everywhere, or actions by state, the first action elsewhere; left
        out, the first action everywhere.
    horizon : int, optional
        Periods after the present one; left out, for ever.
    giving_up : bool
        Whether "give up" is an action: from then on nothing is spent and nothing comes.

    Returns
    -------
    PolicyValue
        With a horizon, best actions are those of the present period; the best value allows them
        to change over time.

    Raises
    ------
    TypeError, ValueError
        When chains do not fit together, or the policy names an unknown state or action.

    References
    ----------
    Pfeifer & Carraway (2000), section "Managing customer relationships"; Howard (1960).
    """
    named = {KEEP: chains} if isinstance(chains, CustomerChain) else dict(chains)
    first = _checked(named)
    if giving_up:
        named[GIVE_UP] = first.stopped(first.states)
    moves = np.stack([chain.transition for chain in named.values()])
    rewards = np.stack([chain.reward for chain in named.values()])
    force = force_of_interest(discount_rate, first.unit)
    refuse_endless(force, horizon, "rewards")
    chosen = _codes(policy, first.states, tuple(named))
    process = _Process(moves, rewards, float(np.exp(-force)))
    if horizon is None:
        value = process.value(chosen)
        best = process.improved(chosen)
        best_value = process.value(best)
    else:
        periods = whole_number(horizon, "horizon", of="periods")
        value = process.ahead(periods, chosen)[0]
        best_value, best = process.ahead(periods, None)
    names = np.array(list(named), dtype=object)
    frame = pd.DataFrame(
        {
            "state": first.states,
            "action": names[chosen],
            "value": value,
            "best_action": names[best],
            "best_value": best_value,
            "gain": best_value - value,
        }
    )
    return PolicyValue(tuple(named), discount_rate, horizon, frame)


@dataclass(frozen=True, eq=False)
class _Process:
    """Moves (actions, states, states), rewards (actions, states) and the discount factor."""

    moves: FloatArray
    rewards: FloatArray
    factor: float

    def of(self, chosen: Codes) -> tuple[FloatArray, FloatArray]:
        """Give moves and rewards when each state has its action."""
        states = np.arange(len(chosen))
        return self.moves[chosen, states], self.rewards[chosen, states]

    def value(self, chosen: Codes) -> FloatArray:
        """Value of the states for ever."""
        moves, rewards = self.of(chosen)
        system = np.eye(len(chosen)) - self.factor * moves
        return np.linalg.solve(system, rewards).astype(np.float64)

    def improved(self, chosen: Codes) -> Codes:
        """Change actions where another one is better until none is (Howard)."""
        while True:
            worth = self.rewards + self.factor * self.moves @ self.value(chosen)
            states = np.arange(len(chosen))
            best = worth.argmax(axis=0)
            better = worth[best, states] > worth[chosen, states] + BETTER
            if not better.any():
                return chosen
            chosen = np.where(better, best, chosen)

    def ahead(self, periods: int, chosen: Codes | None) -> tuple[FloatArray, Codes]:
        """Value over some periods after the present one, and the present actions."""
        states = np.arange(self.rewards.shape[1])
        value = np.zeros(len(states))
        for _ in range(periods + 1):
            worth = self.rewards + self.factor * self.moves @ value
            best = worth.argmax(axis=0) if chosen is None else chosen
            value = worth[best, states]
        return value, best


def _checked(named: Mapping[str, CustomerChain]) -> CustomerChain:
    """Refuse chains that are not of one kind; give the first."""
    if not named:
        raise ValueError("chains: no chain given; give one for each action")
    if GIVE_UP in named:
        raise ValueError(
            f"chains: {GIVE_UP!r} is an action of its own; call yours by another name, and leave "
            "the other one out by giving_up=False"
        )
    for name, chain in named.items():
        if not isinstance(chain, CustomerChain):
            raise TypeError(f"chains[{name!r}]={chain!r} must be a lifetime.CustomerChain")
    (before, first), *others = named.items()
    for name, chain in others:
        if (chain.states, chain.unit) != (first.states, first.unit):
            raise ValueError(
                f"chains: {name!r} has states {', '.join(chain.states)} by {chain.unit}, "
                f"{before!r} has {', '.join(first.states)} by {first.unit}; all need the same"
            )
    return first


def _codes(
    policy: Mapping[str, str] | str | None, states: tuple[str, ...], actions: tuple[str, ...]
) -> Codes:
    """Positions of the actions of a policy by state."""
    given: dict[str, str] = {}
    if isinstance(policy, str):
        given = dict.fromkeys(states, policy)
    elif policy is not None:
        given = dict(policy)
    for state, action in given.items():
        for what, name, known in (("state", state, states), ("action", action, actions)):
            if name not in known:
                raise ValueError(
                    f"policy: no {what} {name!r}; there is: {', '.join(known)}"
                    + did_you_mean(name, known)
                )
    return np.array([actions.index(given.get(state, actions[0])) for state in states])
