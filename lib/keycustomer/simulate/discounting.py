"""Discounts of a month: by habit, where risk is sensed, or as a rule allows.

By habit discounts are endogenous: large accounts, weak demand and a sensed risk get more, and the
price war deepens them, so that discounts tell about demand and demand about discounts.  Managers'
habits and shocks of wholesale costs move discounts and nothing else: they are instruments.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.policy import PricingRule
from keycustomer.simulate.state import Month, State, World

Array = npt.NDArray[Any]


def set_discount(world: World, state: State, month: Month) -> None:
    """Give each account its discount of the month, share of the list price."""
    rule = month.regime.pricing
    if rule is None or rule.discount == "habit":
        given = _habit(world, state, month)
    elif rule.discount == "at risk":
        given = rule.depth * _sensed_at_risk(world, state, month, rule)
    else:
        given = np.zeros(len(world.accounts))
    given = np.clip(given, 0, world.parameters.discounts.limit) + month.regime.discount
    if rule is not None:
        given = np.minimum(given, np.maximum(_largest(world, state, month, rule.floor), 0))
    month.discount = np.clip(given, -1.0, 0.95)


def _habit(world: World, state: State, month: Month) -> Array:
    rule, accounts, number = world.parameters.discounts, world.accounts, month.number
    sensed = -state.loyalty + rule.sensing_noise * world.draws.normal("sensed risk", number)
    given = rule.base + rule.size * accounts.size + rule.weak_demand * state.demand
    given += rule.sensed_risk * sensed + accounts.manager_habit
    given += rule.war * world.paths.war[number]
    given += rule.cost * world.paths.cost_shock[number][accounts.region]
    return given + rule.noise * world.draws.normal("discount", number)


def _sensed_at_risk(world: World, state: State, month: Month, rule: PricingRule) -> Array:
    """Whether last month's log-odds of leaving, price aside, look high: badly without archive."""
    noise = world.parameters.discounts.sensing_noise * (1 - month.regime.archive)
    sensed = state.risk + noise * world.draws.normal("sensed risk", month.number)
    return sensed > np.log(rule.risk / (1 - rule.risk)) if 0 < rule.risk < 1 else sensed < rule.risk


def _largest(world: World, state: State, month: Month, floor: float) -> Array:
    """Largest discount that leaves the floor over cost, on what the account uses."""
    cost = (state.cost * month.factors).sum(axis=1)
    cost *= world.paths.cost_index[month.number][world.accounts.region]
    listed = (state.spend * month.factors) @ world.paths.list_index[month.number]
    return 1 - (1 + floor) * cost / np.maximum(listed, 1e-12)
