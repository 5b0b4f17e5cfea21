"""What is in force in a month: habit before a policy starts, its rules afterwards.

`Regime` turns a policy and the parameters into the numbers that the monthly process computes with,
for a block of accounts; business as usual is the regime of ``Policy()``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.policy import ChannelRule, LevelRule, Policy, PricingRule, level_codes
from keycustomer.simulate.vocabulary import ATTRIBUTES, DIMENSIONS

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Regime:
    """Numbers in force, for a block of accounts.

    Attributes
    ----------
    policy : Policy
        Whose they are.
    levels : ndarray of int8 or LevelRule
        Level of each account, or the rule that gives it.
    archive, delivery : float
        Shares of the account file that are kept, of the promised level that is delivered.
    fit : float
        Worth of a contact relative to one without a dossier.
    hit : float
        Factor on the take-up of products.
    first_contact : float
        Added log-odds of resolving at the first contact.
    speed : float
        Factor on the days to resolve.
    visits, calls : float or ndarray
        Factors on the contacts planned.
    discount : float or ndarray
        Added to the discount.
    quality : ndarray, shape (5,)
        Shift of perceived value by dimension from changed attributes and from answers at the
        first contact; that of sacrifice is 0.
    quality_change : float
        Sum of the changes of attributes, standard deviations; what they cost goes by it.
    tool_cost : float
        Cost of running the tools, currency an account and month.
    complaint_cost : float
        Added cost of a complaint.
    """

    policy: Policy
    levels: Array | LevelRule
    archive: float
    delivery: float
    fit: float
    hit: float
    first_contact: float
    speed: float
    visits: Any
    calls: Any
    discount: Any
    quality: Array
    quality_change: float
    tool_cost: float
    complaint_cost: float

    @property
    def pricing(self) -> PricingRule | None:
        """Pricing rule, None for habit."""
        return self.policy.pricing

    @property
    def channel(self) -> ChannelRule | str | None:
        """Channel rule, or one channel for all, None for habit."""
        return self.policy.channel


def regime_of(policy: Policy, parameters: Parameters, habit: Array) -> Regime:
    """Work out the numbers of a policy for a block of accounts.

    Parameters
    ----------
    policy : Policy
        The block's policy, see `Policy.for_block`.
    parameters : Parameters
        True coefficients.
    habit : ndarray of int8, shape (block,)
        Relationship level of each account by habit.
    """
    service, office, dossier = policy.service, policy.back_office, policy.dossier
    archive = office.archive if office else parameters.service.archive
    quality = _quality(policy, parameters)
    if service:
        quality[:2] += service.answer
    return Regime(
        policy=policy,
        levels=_levels(policy, habit),
        archive=archive,
        delivery=office.delivery if office else parameters.service.delivery,
        fit=1 + (dossier.fit * archive if dossier else 0.0),
        hit=1 + (dossier.hit * archive if dossier else 0.0),
        first_contact=service.first_contact if service else 0.0,
        speed=service.speed if service else 1.0,
        visits=np.asarray(policy.visits, dtype=float),
        calls=np.asarray(policy.calls, dtype=float),
        discount=np.asarray(policy.discount, dtype=float),
        quality=quality,
        quality_change=float(sum(policy.quality.values())),
        tool_cost=_tool_cost(policy, parameters),
        complaint_cost=parameters.costs.service_complaint if service else 0.0,
    )


def _levels(policy: Policy, habit: Array) -> Array | LevelRule:
    if policy.levels is None:
        return habit
    if isinstance(policy.levels, LevelRule):
        return policy.levels
    return np.broadcast_to(level_codes(policy.levels), habit.shape).astype(np.int8)


def _quality(policy: Policy, parameters: Parameters) -> Array:
    shift = np.zeros(len(DIMENSIONS))
    gains = dict(zip(ATTRIBUTES, parameters.service.attribute_gain, strict=True))
    for attribute, change in policy.quality.items():
        shift[DIMENSIONS.index(ATTRIBUTES[attribute])] += gains[attribute] * change
    return shift


def _tool_cost(policy: Policy, parameters: Parameters) -> float:
    costs = parameters.costs
    running = (
        (policy.dossier, costs.dossier),
        (policy.service, costs.service),
        (policy.pricing, costs.pricing),
        (policy.back_office, costs.back_office),
    )
    return float(sum(cost for tool, cost in running if tool is not None))
