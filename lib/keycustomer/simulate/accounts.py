"""Accounts of the simulated operator: who they are, what they need, how they are looked after.

`Accounts` holds what does not change over the window, one array a subject.  Everything is drawn
account by account in order, so that the first n accounts of a larger company are those of the
smaller one; staff comes with accounts: every 600 accounts bring ten managers and four agents.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy.typing as npt

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
