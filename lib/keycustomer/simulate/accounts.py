"""Accounts of the simulated operator: who they are, what they need, how they are looked after.

`Accounts` holds what does not change over the window, one array a subject.  Everything is drawn
account by account in order, so that the first n accounts of a larger company are those of the
smaller one; staff comes with accounts: every 600 accounts bring ten managers and four agents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from keycustomer.simulate.parameters import NeedParameters, Parameters
from keycustomer.simulate.products import Products
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.streams import Draws
from keycustomer.simulate.vocabulary import DIMENSIONS, SEGMENTS, TRAITS

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Accounts:
    """What does not change over the window, n accounts.

    Attributes
    ----------
    number : ndarray of int64, shape (n,)
        Position in the company, 0, 1, 2 ...
    industry, region, ownership : ndarray of int8, shape (n,)
        Positions in `INDUSTRIES`, `REGIONS`, `OWNERSHIPS`.
    employees : ndarray of int32, shape (n,)
        People employed.
    sites : ndarray of int16, shape (n,)
        Locations, at least 1.
    firm_age : ndarray of int16, shape (n,)
        Years since the firm was founded, at the start.
    traits : ndarray of float64, shape (n, 5)
        Psychographic traits in the order of `TRAITS`, standard normal.
    segment : ndarray of int8, shape (n,)
        Need segment, position in `SEGMENTS`; latent.
    segment_probability : ndarray of float64, shape (n, 4)
        Its probabilities given firmographics and traits.
    weights : ndarray of float64, shape (n, 5)
        Value weights in the order of `DIMENSIONS`: satisfaction per unit of perceived value;
        positive numbers, that of sacrifice is subtracted.
    outlook : ndarray of float64, shape (n, 5)
        Lasting part of perceived value by dimension.
    contentment, attachment : ndarray of float64, shape (n,)
        Lasting part of the residual of satisfaction and of loyalty, standard normal.
    elasticity : ndarray of float64, shape (n,)
        Own price elasticity of usage, negative.
    cross_elasticity : ndarray of float64, shape (n,)
        Elasticity of usage to competitors' prices, positive.
    discount_response : ndarray of float64, shape (n,)
        Log-odds of leaving per unit of log price relative to competitors, positive.
    level_response : ndarray of float64, shape (n,)
        Factor on all effects of relationship level and contacts, about 1.
    demanding : ndarray of float64, shape (n,)
        Factor on complaints and service cost, about 1.
    size : ndarray of float64, shape (n,)
        Rank of the potential as a standard normal number; what "per sd of log size" means.
    potential : ndarray of float64, shape (n,)
        Monthly spend at list prices of the start if it had every product, currency.
    wants : ndarray of float64, shape (n, P)
        Monthly spend by product at list prices of the start, if owned, currency.
    owned : ndarray of bool, shape (n, P)
        Products at the start (or on joining).
    growth : ndarray of float64, shape (n,)
        Growth of usage per month, log points.
    joined : ndarray of int16, shape (n,)
        First month as a customer; negative before the window, less than `months`.
    term : ndarray of int8, shape (n,)
        Length of its contracts in months: 12, 24, or 0 for none.
    contract_left : ndarray of int8, shape (n,)
        Months left, the first one of the window (or of joining) included; 0 without a contract.
    manager, agent : ndarray of int32, shape (n,)
        Numbers of the account manager and the outside agent, -1 for none; both: a conflict.
    manager_habit : ndarray of float64, shape (n,)
        Discount its manager tends to give beyond the others', share of the list price.
    prominence : ndarray of float64, shape (n,)
        How well known the account is in the house, standard normal; hardly its value.
    key_account : ndarray of bool, shape (n,)
        The flag given by habit.
    level : ndarray of int8, shape (n,)
        Relationship level by habit, position in `LEVELS`.
    """

    number: Array
    industry: Array
    region: Array
    ownership: Array
    employees: Array
    sites: Array
    firm_age: Array
    traits: Array
    segment: Array
    segment_probability: Array
    weights: Array
    outlook: Array
    contentment: Array
    attachment: Array
    elasticity: Array
    cross_elasticity: Array
    discount_response: Array
    level_response: Array
    demanding: Array
    size: Array
    potential: Array
    wants: Array
    owned: Array
    growth: Array
    joined: Array
    term: Array
    contract_left: Array
    manager: Array
    agent: Array
    manager_habit: Array
    prominence: Array
    key_account: Array
    level: Array

    def __len__(self) -> int:
        """Count the accounts."""
        return len(self.number)

    def block(self, start: int, stop: int) -> Accounts:
        """Accounts `start` to `stop` (not included) as views."""
        return Accounts(**{f.name: getattr(self, f.name)[start:stop] for f in fields(self)})


DISTRICT = 600
"""Accounts that bring a set of staff with them."""

MANAGERS, AGENTS = 10, 4
"""Account managers and outside agents of a district: two managers a region, agents overlap."""

_LEVEL_CUTS = (-0.72, 0.16, 0.96, 1.72)
"""Cuts of the care by habit between the levels; about 25, 30, 26, 13 and 6 % of the accounts."""

_TRAIT_OF_SEGMENT = (2, 0, 3, 1)
"""The trait that makes each segment likely: risk, price, social, innovation."""

_INDUSTRIES_OF_SEGMENT = ((4, 5, 6), (1, 2), (0, 3), (7,))
"""Industries in which each segment is frequent, positions in `INDUSTRIES`."""

_TERMS = (0, 12, 24)


def draw_accounts(
    settings: Settings,
    parameters: Parameters,
    products: Products,
    *,
    draws: Draws | None = None,
) -> Accounts:
    """Draw the accounts of a company.

    Parameters
    ----------
    settings : Settings
        Number of accounts, months and seed.
    parameters : Parameters
        True coefficients.
    products : Products
        Catalogue.
    draws : Draws, optional
        The block of accounts to draw; left out, all.
    """
    draws = draws or Draws(settings.seed, 0, settings.accounts)
    firm = _firm(draws, parameters)
    needs = _needs(draws, parameters.needs, firm)
    opinions = _outlook(draws, parameters)
    joined = _joined(draws, settings.months, parameters)
    usage = _usage(draws, parameters, products, firm, joined)
    care = _care(draws, parameters, firm)
    contract = _contracts(draws, firm["size"], joined)
    return Accounts(**firm, **needs, **opinions, **usage, **care, **contract, joined=joined)


def _firm(draws: Draws, parameters: Parameters) -> dict[str, Array]:
    """Draw who an account is, and how large."""
    firms = parameters.firms
    staff = draws.normal("employees")
    together = firms.size_by_employees
    size = together * staff + np.sqrt(1 - together**2) * draws.normal("size")
    sites = np.exp(0.55 * staff + 0.5 * draws.normal("sites"))
    return {
        "number": np.arange(draws.start, draws.stop),
        "industry": _pick(draws.uniform("industry"), firms.industry),
        "region": _pick(draws.uniform("region"), firms.region),
        "ownership": _pick(draws.uniform("ownership"), firms.ownership),
        "employees": np.maximum(
            1, firms.employees_median * np.exp(firms.employees_spread * staff)
        ).astype(np.int32),
        "sites": np.clip(sites, 1, 400).astype(np.int16),
        "firm_age": np.clip(
            18 * np.exp(0.7 * draws.normal("firm age") + 0.15 * staff), 1, 180
        ).astype(np.int16),
        "size": size,
        "potential": _potential(size, parameters),
        "prominence": draws.normal("prominence"),
        "traits": draws.normal("traits", columns=len(TRAITS)),
        "demanding": np.exp(parameters.needs.demanding_spread * draws.normal("demanding")),
        "growth": firms.growth_mean + firms.growth_spread * draws.normal("growth"),
    }


def _pick(uniform: Array, shares: Sequence[float]) -> Array:
    """Positions drawn with the given shares."""
    return np.searchsorted(np.cumsum(shares)[:-1], uniform, side="right").astype(np.int8)


def _potential(size: Array, parameters: Parameters) -> Array:
    """Turn sizes (standard normal) into spend: a lognormal body, a bounded Pareto tail."""
    firms = parameters.firms
    body = firms.potential_spread * size
    if firms.tail_share == 0:
        return firms.potential_median * np.exp(body)
    above = np.clip(ndtr(-size), min(firms.tail_limit, firms.tail_share), None)
    start = firms.potential_spread * ndtri(1 - firms.tail_share)
    tail = start + np.log(firms.tail_share / above) / firms.tail_exponent
    return firms.potential_median * np.exp(np.where(above < firms.tail_share, tail, body))


def _needs(draws: Draws, needs: NeedParameters, firm: dict[str, Array]) -> dict[str, Array]:
    """Draw the need segment, and with it value weights and responses to price and care."""
    chances = segment_probabilities(needs, firm["industry"], firm["traits"], firm["size"])
    reached = np.cumsum(chances, axis=1)[:, :-1]
    segment = (draws.uniform("segment")[:, None] > reached).sum(axis=1).astype(np.int8)
    weights = np.array(
        (
            needs.weights_reliability,
            needs.weights_price,
            needs.weights_partners,
            needs.weights_innovators,
        )
    )
    own = needs.weights_spread * draws.normal("value weights", columns=len(DIMENSIONS))
    size = firm["size"]
    spread = needs.elasticity_spread * draws.normal("elasticity")
    elasticity = np.take(needs.elasticity, segment) * np.exp(needs.elasticity_size * size + spread)
    response = needs.level_response_spread * draws.normal("level response")
    return {
        "segment": segment,
        "segment_probability": chances,
        "weights": np.maximum(weights[segment] + own, 0.0),
        "elasticity": elasticity,
        "cross_elasticity": -needs.cross_elasticity * elasticity,
        "discount_response": np.take(needs.discount_response, segment)
        * np.exp(needs.discount_response_size * size),
        "level_response": np.take(needs.level_response, segment) * np.exp(response),
    }


def segment_probabilities(
    needs: NeedParameters, industry: Array, traits: Array, size: Array
) -> Array:
    """Probabilities of the need segments given what can be known of an account.

    Parameters
    ----------
    needs : NeedParameters
        True coefficients.
    industry : ndarray of int, shape (n,)
        Positions in `INDUSTRIES`.
    traits : ndarray of float, shape (n, 5)
        Psychographic traits.
    size : ndarray of float, shape (n,)
        Size, standard normal.

    Returns
    -------
    ndarray of float, shape (n, 4)
        Rows add up to 1.
    """
    odds = np.tile(np.asarray(needs.segment_base, dtype=float), (len(industry), 1))
    for segment, trait in enumerate(_TRAIT_OF_SEGMENT):
        odds[:, segment] += needs.segment_trait * traits[:, trait]
        frequent = np.isin(industry, _INDUSTRIES_OF_SEGMENT[segment])
        odds[:, segment] += needs.segment_industry * frequent
    odds[:, SEGMENTS.index("partners")] += needs.segment_size * size
    chances = np.exp(odds - odds.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True)


def _outlook(draws: Draws, parameters: Parameters) -> dict[str, Array]:
    """Draw the lasting parts of opinions; a halo ties the dimensions together."""
    value = parameters.value
    halo = draws.normal("halo")[:, None]
    own = draws.normal("outlook", columns=len(DIMENSIONS))
    shared = np.array([np.sqrt(value.halo)] * (len(DIMENSIONS) - 1) + [value.sacrifice_halo])
    return {
        "outlook": value.outlook_spread * (shared * halo + np.sqrt(1 - shared**2) * own),
        "contentment": draws.normal("contentment"),
        "attachment": draws.normal("attachment"),
    }


def _joined(draws: Draws, months: int, parameters: Parameters) -> Array:
    """Draw the months of joining: most before the window, a steady trickle within."""
    within = parameters.firms.joining * months
    share = within / (1 + within)
    when = draws.uniform("joining")
    month = np.floor(when / share * months) if share > 0 else np.full(len(when), months)
    before = -1 - np.floor(-parameters.firms.tenure_mean * np.log(draws.uniform("tenure")))
    return np.where(month < months, month, np.maximum(before, -600)).astype(np.int16)


def _usage(
    draws: Draws,
    parameters: Parameters,
    products: Products,
    firm: dict[str, Array],
    joined: Array,
) -> dict[str, Array]:
    """Draw what an account would spend on each product, and which it has."""
    count = len(products.weight)
    spread = parameters.firms.product_spread
    taste = np.exp(spread * draws.normal("product taste", columns=count) - spread**2 / 2)
    age = np.where(joined < 0, 1 - np.exp(joined / 30), 0.0)[:, None]
    wanted = draws.uniform("first products", columns=count) < products.owned * (0.65 + 0.45 * age)
    first = int(np.argmax(products.owned))
    wanted[:, first] |= ~wanted[:, products.needs < 0].any(axis=1)
    for product, base in enumerate(products.needs):
        if base >= 0:
            wanted[:, product] &= wanted[:, base]
    return {"wants": firm["potential"][:, None] * products.weight * taste, "owned": wanted}


def _care(draws: Draws, parameters: Parameters, firm: dict[str, Array]) -> dict[str, Array]:
    """Draw who looks after an account, and how closely: by habit, hardly by value."""
    firms = parameters.firms
    odds = firms.flag_base + firms.flag_size * firm["size"]
    odds += firms.flag_prominence * firm["prominence"]
    flag = draws.uniform("key account") < 1 / (1 + np.exp(-odds))
    care = firms.level_prominence * firm["prominence"] + firms.level_flag * flag
    care += firms.level_size * firm["size"] + 0.85 * draws.normal("care")
    district = firm["number"] // DISTRICT
    second = draws.uniform("which manager") < 0.5
    manager = district * MANAGERS + 2 * firm["region"] + second
    agent = district * AGENTS + (firm["region"] + (draws.uniform("which agent") < 0.5)) % AGENTS
    managed = draws.uniform("managed") < firms.managed
    first = int(draws.start // DISTRICT * MANAGERS)
    staff = Draws(draws.seed, first, int((draws.stop - 1) // DISTRICT + 1) * MANAGERS)
    habit = parameters.discounts.habit * staff.normal("manager habit")
    return {
        "key_account": flag,
        "level": np.searchsorted(_LEVEL_CUTS, care).astype(np.int8),
        "manager": np.where(managed, manager, -1).astype(np.int32),
        "agent": np.where(draws.uniform("represented") < firms.represented, agent, -1).astype(
            np.int32
        ),
        "manager_habit": np.where(managed, habit[manager - first], 0.0),
    }


def _contracts(draws: Draws, size: Array, joined: Array) -> dict[str, Array]:
    """Draw terms of contracts, larger accounts having longer ones, renewed since joining."""
    term = np.take(_TERMS, np.searchsorted((-0.45, 0.55), 0.3 * size + draws.normal("term")))
    passed = np.maximum(-joined.astype(int), 0) % np.maximum(term, 1)
    return {
        "term": term.astype(np.int8),
        "contract_left": np.where(term > 0, term - passed, 0).astype(np.int8),
    }
