"""What the monthly process carries from month to month, and the world it moves in.

`World` is what a block of accounts meets and no month changes; `State` is what a month leaves to
the next; `Month` is what happens in one month.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.paths import Paths, category_factors
from keycustomer.simulate.products import Products
from keycustomer.simulate.regime import Regime
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.streams import Draws
from keycustomer.simulate.vocabulary import CATEGORIES, NEVER

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class World:
    """What a block of accounts meets."""

    settings: Settings
    parameters: Parameters
    accounts: Accounts
    products: Products
    paths: Paths
    draws: Draws


@dataclass(eq=False)
class State:
    """What a month leaves to the next, arrays over a block of n accounts.

    Attributes
    ----------
    spend, cost : ndarray, shape (n, categories)
        Monthly spend at list prices of the start, and its cost, of the products owned.
    readiness : ndarray, shape (n,)
        Probability per month to take some product up, before contacts and satisfaction.
    adopted : ndarray of int16, shape (n, P)
        First month with a product; -1 before the window or on joining, `NEVER` if not.
    products : ndarray of int, shape (n,)
        Number of products owned.
    demand : ndarray, shape (n,)
        Demand shock, log.
    mood : ndarray, shape (n, 5)
        Passing part of perceived value.
    loyalty : ndarray, shape (n,)
        Of the month before.
    risk : ndarray, shape (n,)
        Log-odds of leaving in the month before, without what the price does.
    contact_memory, complaint_memory, unresolved : ndarray, shape (n,)
        Contacts and complaints remembered, complaints still open.
    year_margin, year_revenue : ndarray, shape (n,)
        Gross margin and revenue of about the last twelve months, currency.
    level : ndarray of int8, shape (n,)
        Relationship level in force.
    """

    spend: Array
    cost: Array
    readiness: Array
    adopted: Array
    products: Array
    demand: Array
    mood: Array
    loyalty: Array
    risk: Array
    contact_memory: Array
    complaint_memory: Array
    unresolved: Array
    year_margin: Array
    year_revenue: Array
    level: Array


@dataclass(eq=False)
class Month:
    """One month, arrays over a block of n accounts, filled step by step.

    Attributes
    ----------
    number : int
        Month of the window.
    regime : Regime
        What is in force.
    present : ndarray of bool
        Joined by now; those who have left go on as if they had not, for expected values.
    contract_left : ndarray of int
        Months left of the contract, 0 without one.
    factors : ndarray, shape (n, categories)
        Response of quantities to list prices.
    relative : ndarray
        Log of the own list price relative to competitors', mean over what the account uses.
    """

    number: int
    regime: Regime
    present: Array
    contract_left: Array
    factors: Array
    relative: Array
    level: Array
    channel: Array
    discount: Array
    visits: Array
    calls: Array
    complaints: Array
    repeats: Array
    first_contact: Array
    resolution_days: Array
    value: Array
    satisfaction: Array
    loyalty: Array
    offer: Array
    hazard: Array
    usage: Array
    revenue: Array
    goods_cost: Array
    cost_to_serve: Array


def first_state(world: World) -> State:
    """State before the first month."""
    accounts, products = world.accounts, world.products
    count = len(accounts)
    zero = np.zeros(count)
    spend, cost = spend_by_category(accounts.wants * accounts.owned, products)
    value = world.parameters.value
    outlook = accounts.outlook * np.array([1.0, 1.0, 1.0, 1.0, -1.0])
    loyalty = value.loyalty_satisfaction * (accounts.weights * outlook).sum(axis=1)
    margin = spend.sum(axis=1) - cost.sum(axis=1)
    wishes = appetite(accounts.wants, accounts.potential, products)
    return State(
        spend=spend,
        cost=cost,
        readiness=(wishes * ready(accounts.owned, products)).sum(axis=1),
        adopted=np.where(accounts.owned, -1, NEVER).astype(np.int16),
        products=accounts.owned.sum(axis=1),
        demand=zero,
        mood=np.zeros((count, accounts.outlook.shape[1])),
        loyalty=loyalty,
        risk=np.full(count, world.parameters.churn.base),
        contact_memory=zero,
        complaint_memory=zero,
        unresolved=zero,
        year_margin=12 * margin,
        year_revenue=12 * spend.sum(axis=1),
        level=accounts.level,
    )


def spend_by_category(spend: Array, products: Products) -> tuple[Array, Array]:
    """Sum spend by product, and its cost, over categories, each of shape (n, categories)."""
    belongs = (products.category[:, None] == np.arange(len(CATEGORIES))).astype(float)
    return spend @ belongs, spend @ (belongs * products.cost_share[:, None])


def appetite(wants: Array, potential: Array, products: Products) -> Array:
    """Probability per month to take each product up, before all else, shape (n, P).

    Products of which an account would use more than others do come earlier.
    """
    return products.adoption * np.sqrt(wants / (potential[:, None] * products.weight))


def ready(owned: Array, products: Products) -> Array:
    """Whether a product is not there yet and what it builds on is, shape (n, P)."""
    base = np.where(products.needs < 0, True, owned[:, products.needs])
    return base & ~owned


def open_month(world: World, state: State, regime: Regime, number: int) -> Month:
    """Begin a month: who is there, which contracts run, what prices say."""
    accounts, paths = world.accounts, world.paths
    since = number - np.maximum(accounts.joined, 0).astype(int)
    passed = accounts.contract_left - 1 - since
    left = np.where(accounts.term > 0, passed % np.maximum(accounts.term, 1) + 1, 0)
    price = np.log(paths.list_index[number] / paths.competitor_index[number])
    total = np.maximum(state.spend.sum(axis=1), 1e-12)
    nothing = np.zeros(0)
    parts = dict.fromkeys(_FILLED, nothing)
    return Month(
        number=number,
        regime=regime,
        present=accounts.joined <= number,
        contract_left=left,
        factors=category_factors(paths, number, accounts),
        relative=state.spend @ price / total,
        **parts,
    )


_FILLED = (
    "level",
    "channel",
    "discount",
    "visits",
    "calls",
    "complaints",
    "repeats",
    "first_contact",
    "resolution_days",
    "value",
    "satisfaction",
    "loyalty",
    "offer",
    "hazard",
    "usage",
    "revenue",
    "goods_cost",
    "cost_to_serve",
)
