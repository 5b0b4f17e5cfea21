"""Perceived value, satisfaction and loyalty of a month.

Value is what an account sees: its lasting outlook, a passing mood, the level and contacts it gets,
trouble, prices against competitors'.  Satisfaction is linear in value with the account's own
weights, loyalty linear in satisfaction and two dimensions, so that population paths are known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.care import CONFLICT, felt_level
from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.state import Month, State, World
from keycustomer.simulate.vocabulary import DIMENSIONS

Array = npt.NDArray[Any]

_SIGN = np.array([1.0, 1.0, 1.0, 1.0, -1.0])
"""Benefits add to satisfaction, sacrifice is subtracted."""


def weights_at(accounts: Accounts, parameters: Parameters, month: int) -> Array:
    """Value weights in a month: those of the accounts, drifting with the years (V6).

    Returns
    -------
    ndarray of float, shape (n, 5)
        Satisfaction per unit of perceived value in the order of `DIMENSIONS`, 0 or larger.
    """
    drift = np.asarray(parameters.needs.weights_drift, dtype=float) * (month / 12)
    return np.maximum(accounts.weights + drift, 0.0)


def perceive(world: World, state: State, month: Month) -> None:
    """Form perceived value, and from it satisfaction and loyalty."""
    value, accounts = world.parameters.value, world.accounts
    month.value = accounts.outlook + _mood(world, state, month.number)
    month.value += _care(world, month) + month.regime.quality
    month.value += _events(world, state, month)
    weights = weights_at(accounts, world.parameters, month.number)
    month.satisfaction = np.einsum("ij,ij->i", weights, month.value * _SIGN)
    month.satisfaction += value.satisfaction_residual * _residual(
        world, accounts.contentment, "satisfaction", month.number
    )
    month.loyalty = value.loyalty_satisfaction * month.satisfaction
    month.loyalty += value.loyalty_social * month.value[:, DIMENSIONS.index("social")]
    month.loyalty += value.loyalty_experiential * month.value[:, DIMENSIONS.index("experiential")]
    month.loyalty += value.loyalty_residual * _residual(
        world, accounts.attachment, "loyalty", month.number
    )
    state.loyalty = month.loyalty


def _mood(world: World, state: State, number: int) -> Array:
    value = world.parameters.value
    drawn = world.draws.normal("mood", number, columns=len(DIMENSIONS))
    keep = value.mood_persistence if number else 0.0
    state.mood = keep * state.mood + value.mood_spread * np.sqrt(1 - keep**2) * drawn
    return state.mood


def _residual(world: World, lasting: Array, purpose: str, number: int) -> Array:
    """Part of satisfaction or loyalty that nothing tells, standard normal."""
    share = world.parameters.value.residual_lasting
    return np.sqrt(share) * lasting + np.sqrt(1 - share) * world.draws.normal(purpose, number)


def level_effects(parameters: Parameters) -> Array:
    """Effect of each relationship level on perceived value, if delivered, shape (levels, 5)."""
    service = parameters.service
    return np.column_stack(
        [
            service.level_functional,
            service.level_convenience,
            service.level_social,
            service.level_experiential,
            np.zeros(len(service.level_social)),
        ]
    )


def _care(world: World, month: Month) -> Array:
    """Shift of perceived value by the level that is delivered."""
    return felt_level(world, month, level_effects(world.parameters))


def _events(world: World, state: State, month: Month) -> Array:
    """Shift of perceived value by contacts, trouble and prices."""
    service, accounts = world.parameters.service, world.accounts
    known = accounts.level_response * np.log1p(state.contact_memory)
    trouble = state.complaint_memory
    shift = np.zeros((len(accounts), len(DIMENSIONS)))
    shift[:, 0] = service.contact_functional * known + service.complaint_functional * trouble
    shift[:, 1] = 0.5 * service.complaint_functional * trouble
    shift[:, 2] = service.contact_social * known
    shift[:, 4] = world.parameters.value.price_sacrifice * net_relative(month)
    shift[:, 4] += service.complaint_effort * trouble
    shift[:, 4] += service.conflict_effort * (month.channel == CONFLICT)
    return shift


def net_relative(month: Month) -> Array:
    """Log of the net price relative to competitors'."""
    return month.relative + np.log1p(-month.discount)
