"""What is used, paid and spent in a month, and what is taken up next.

Usage follows season, growth, a lasting shock that the data do not show, and the account's own
price elasticity.  New products come in their order, sooner after contacts and when satisfied.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.care import AGENT, CONFLICT, MANAGER
from keycustomer.simulate.state import Month, State, World, appetite, ready

Array = npt.NDArray[Any]


def shock_demand(world: World, state: State, number: int) -> None:
    """Move the demand shock, a first-order autoregression."""
    demand = world.parameters.demand
    keep = demand.shock_persistence if number else 0.0
    drawn = world.draws.normal("demand shock", number)
    state.demand = keep * state.demand + demand.shock_spread * np.sqrt(1 - keep**2) * drawn


def use_and_pay(world: World, state: State, month: Month) -> None:
    """Use what is owned, pay for it, and count what it costs."""
    accounts, demand, number = world.accounts, world.parameters.demand, month.number
    season = world.paths.season[world.settings.month_of_year(number)][accounts.industry]
    grown = accounts.growth * (number - np.maximum(accounts.joined, 0)) + state.demand
    grown += demand.noise * world.draws.normal("usage", number)
    grown += accounts.elasticity * np.log1p(-month.discount)
    month.usage = season * np.exp(grown) * month.present
    listed = (state.spend * month.factors) @ world.paths.list_index[number]
    month.revenue = month.usage * listed * (1 - month.discount)
    cost = (state.cost * month.factors).sum(axis=1)
    month.goods_cost = month.usage * cost * world.paths.cost_index[number][accounts.region]
    keep = np.where(month.present, 11 / 12, 1.0)
    state.year_revenue = keep * state.year_revenue + month.revenue
    state.year_margin = keep * state.year_margin + month.revenue - month.goods_cost


def cost_to_serve(world: World, month: Month) -> None:
    """Add up level, contacts, complaints, service, commissions and tools."""
    costs, accounts, regime = world.parameters.costs, world.accounts, month.regime
    spent = np.take(costs.level, month.level) * np.exp(costs.level_size * accounts.size)
    own = month.channel != AGENT
    spent += own * (costs.visit * month.visits + costs.call * month.calls)
    spent += (costs.complaint + regime.complaint_cost) * month.complaints
    slow = month.complaints - month.first_contact
    spent += costs.complaint_day * np.where(slow > 0, slow * month.resolution_days, 0.0)
    agent = (month.channel == AGENT) | (month.channel == CONFLICT)
    manager = (month.channel == MANAGER) | (month.channel == CONFLICT)
    share = costs.service_share * accounts.demanding + costs.commission * agent
    share += costs.bonus * manager + costs.quality * regime.quality_change
    month.cost_to_serve = (spent + share * month.revenue + regime.tool_cost) * month.present


def take_up(world: World, state: State, month: Month) -> None:
    """Let accounts take up their next product, one a month at most."""
    accounts, demand = world.accounts, world.parameters.demand
    tendency = demand.adoption_innovation * accounts.traits[:, 1]
    tendency = tendency + demand.adoption_contact * np.log1p(state.contact_memory)
    tendency += demand.adoption_satisfaction * month.satisfaction
    chance = demand.adoption * month.regime.hit * state.readiness * np.exp(tendency)
    drawn = world.draws.uniform("next product", month.number)
    takers = np.flatnonzero((drawn < chance) & month.present)
    if not takers.size:
        return
    wishes = _wishes(world, takers, state.adopted[takers] <= month.number)
    reached = np.cumsum(wishes, axis=1)
    place = drawn[takers] / chance[takers] * reached[:, -1]
    taken = np.minimum((place[:, None] >= reached).sum(axis=1), wishes.shape[1] - 1)
    _install(world, state, takers, taken, month.number)


def _wishes(world: World, who: Array, owned: Array) -> Array:
    """Probabilities to take up the products that some accounts do not own yet."""
    accounts, products = world.accounts, world.products
    wished = appetite(accounts.wants[who], accounts.potential[who], products)
    return wished * ready(owned, products)


def _install(world: World, state: State, takers: Array, taken: Array, number: int) -> None:
    """Add the new products to what is owned, from the next month on."""
    products, wants = world.products, world.accounts.wants[takers, taken]
    state.adopted[takers, taken] = number + 1
    state.products[takers] += 1
    state.spend[takers, products.category[taken]] += wants
    state.cost[takers, products.category[taken]] += wants * products.cost_share[taken]
    owned = state.adopted[takers] <= number + 1
    state.readiness[takers] = _wishes(world, takers, owned).sum(axis=1)
