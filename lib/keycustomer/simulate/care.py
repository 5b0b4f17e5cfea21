"""How accounts are looked after in a month: level, channel, contacts, complaints.

By habit the relationship level hardly follows value, and agents claim accounts that a manager has;
a policy may give both by rule.  Contacts are remembered with diminishing returns; complaints come
more often where much is bought and the archive is poor, and those left open come again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.policy import ChannelRule, LevelRule
from keycustomer.simulate.state import Month, State, World
from keycustomer.simulate.streams import poisson_counts
from keycustomer.simulate.vocabulary import CHANNELS

Array = npt.NDArray[Any]

MANAGER, AGENT, CONFLICT = 2, 1, 3
"""Positions in `CHANNELS`."""

_KNOWLEDGE = 1.5
"""Error of the log margin that is known, per share of the archive that is missing."""


def set_level(world: World, state: State, month: Month) -> None:
    """Give each account its relationship level: by habit, by decree, or by a rule on value."""
    levels = month.regime.levels
    if not isinstance(levels, LevelRule):
        month.level = state.level = levels
        return
    start = month.regime.policy.start
    joins = world.accounts.joined == month.number
    if (month.number - start) % levels.review == 0 or joins.any():
        error = _KNOWLEDGE * (1 - month.regime.archive)
        noise = world.draws.normal("knowledge of value", (month.number - start) // levels.review)
        known = np.maximum(state.year_margin, 0) * np.exp(error * noise)
        given = np.searchsorted(levels.cuts, known, side="right").astype(np.int8)
        review = (month.number - start) % levels.review == 0
        state.level = given if review else np.where(joins, given, state.level)
    month.level = state.level


def felt_level(world: World, month: Month, effects: Sequence[float] | Array) -> Array:
    """Effect of the level that reaches the account, shape (n,) or (n, k).

    What is promised and not delivered leaves the account where the basic level is.

    Parameters
    ----------
    effects : sequence of float or ndarray, shape (levels,) or (levels, k)
        Effects of the levels, from basic to partnership.
    """
    given = np.asarray(effects, dtype=float)
    reached = given[0] + month.regime.delivery * (given - given[0])
    response = world.accounts.level_response
    return (response if given.ndim == 1 else response[:, None]) * reached[month.level]


def set_channel(world: World, state: State, month: Month) -> None:
    """Tell who looks after each account, and where agent and manager are in conflict."""
    accounts, rule = world.accounts, month.regime.channel
    if rule is None:
        month.channel = habitual_channel(accounts.manager, accounts.agent)
    elif isinstance(rule, ChannelRule):
        limits = (rule.agent_from, rule.manager_from)
        month.channel = np.searchsorted(limits, state.year_revenue, side="right").astype(np.int8)
    else:
        month.channel = np.full(len(accounts), CHANNELS.index(rule), dtype=np.int8)


def habitual_channel(manager: Array, agent: Array) -> Array:
    """Channel of today, positions in `CHANNELS`, from the staff assigned (-1 for none)."""
    return (MANAGER * (manager >= 0) + AGENT * (agent >= 0)).astype(np.int8)


def make_contacts(world: World, state: State, month: Month) -> None:
    """Visit and call, as the level plans, and remember it."""
    service, regime, number = world.parameters.service, month.regime, month.number
    plan_visits = np.take(service.visits, month.level) * regime.visits
    plan_calls = np.take(service.calls, month.level) * regime.calls
    visits = poisson_counts(world.draws.uniform("visits", number), plan_visits)
    calls = poisson_counts(world.draws.uniform("calls", number), plan_calls)
    month.visits, month.calls = visits * month.present, calls * month.present
    worth = np.take(service.contact_worth, month.channel) * regime.fit
    made = worth * (month.visits + service.call_worth * month.calls)
    state.contact_memory = service.contact_memory * state.contact_memory + made


def take_complaints(world: World, state: State, month: Month) -> None:
    """Receive complaints, resolve them or not, and remember it."""
    service, number, draws = world.parameters.service, month.number, world.draws
    arrived = poisson_counts(draws.uniform("complaints", number), _complaint_rate(world, month))
    again = (state.unresolved > 0) & (draws.uniform("repeated complaint", number) < service.repeat)
    month.repeats = (again & month.present).astype(float)
    month.complaints = arrived * month.present + month.repeats
    odds = service.first_contact_level * month.level
    odds = odds + service.first_contact + month.regime.first_contact
    first = draws.uniform("first contact", number) < 1 / (1 + np.exp(-odds))
    month.first_contact = month.complaints * first
    spread = np.exp(service.resolution_spread * draws.normal("resolution days", number))
    days = service.resolution_days * month.regime.speed * spread
    slow = month.complaints - month.first_contact
    month.resolution_days = np.where(slow > 0, days, np.nan)
    state.unresolved = slow * (days > service.unresolved_after)
    harm = slow + (1 - service.recovery) * month.first_contact + 0.5 * state.unresolved
    state.complaint_memory = service.complaint_memory * state.complaint_memory + harm


def _complaint_rate(world: World, month: Month) -> Array:
    service, accounts, regime = world.parameters.service, world.accounts, month.regime
    odds = service.complaints_size * accounts.size
    odds = odds + felt_level(world, month, service.level_complaints)
    odds += service.complaints_archive * (1 - regime.archive) - regime.quality[0]
    return np.minimum(service.complaints * accounts.demanding * np.exp(odds), 50.0)
