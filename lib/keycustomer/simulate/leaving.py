"""Who leaves: competitors' offers, contracts, loyalty, trouble and price.

The probability to leave at the end of a month is logistic.  Competitors aim at large accounts;
contracts hold until they run out; who is served well minds less that the offer is dearer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.care import CONFLICT, felt_level
from keycustomer.simulate.perception import level_effects, net_relative
from keycustomer.simulate.state import Month, State, World

Array = npt.NDArray[Any]


def receive_offers(world: World, month: Month) -> None:
    """Let competitors make their offers."""
    churn, number = world.parameters.churn, month.number
    odds = churn.offers + churn.offers_size * world.accounts.size
    odds = odds + churn.offers_war * world.paths.war[number]
    odds += churn.offers_contract * (month.contract_left > 1)
    reached = world.draws.uniform("offers", number) < 1 / (1 + np.exp(-odds))
    month.offer = reached & month.present


def set_hazard(world: World, state: State, month: Month) -> None:
    """Work out the probability to leave at the end of the month."""
    churn = world.parameters.churn
    apart = _apart_from_price(world, state, month)
    better = _differentiation(world, month)
    price = net_relative(month)
    minded = np.where(price > 0, np.exp(-churn.differentiation * better), 1.0) * price
    odds = apart + world.accounts.discount_response * minded
    state.risk = apart
    month.hazard = np.where(month.present, churn.scale / (1 + np.exp(-odds)), 0.0)


def _apart_from_price(world: World, state: State, month: Month) -> Array:
    churn, accounts = world.parameters.churn, world.accounts
    years = np.maximum(month.number - accounts.joined + 1, 0) / 12
    odds = churn.base + churn.loyalty * month.loyalty + churn.tenure * np.log1p(years)
    odds += churn.contract * (month.contract_left > 1) + churn.renewal * (month.contract_left == 1)
    odds += churn.products * np.maximum(state.products - 1, 0) + churn.offer * month.offer
    odds += churn.size * accounts.size
    odds += churn.unresolved * state.unresolved + churn.conflict * (month.channel == CONFLICT)
    return odds + felt_level(world, month, world.parameters.service.level_hazard)


def _differentiation(world: World, month: Month) -> Array:
    """How much better than usual the account is served: function and experience, in sd."""
    served = level_effects(world.parameters)[:, [0, 3]].mean(axis=1)
    return felt_level(world, month, served) + month.regime.quality[[0, 3]].mean()
