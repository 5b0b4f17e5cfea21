"""Words of actions, and what is stated of them rather than estimated.

`ACTIONS` is the closed vocabulary of what can be done for one account.  `ActionAssumptions` holds
what no record of the firm tells before it is tried: what a tool costs to run, which discounts and
how many contacts are weighed, how many complaints a process resolves at once, how much more often
an offered need is taken up.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

ACTIONS = (
    "relationship level",
    "discount",
    "contacts",
    "complaint process",
    "one responsible",
    "next need",
)
"""What can be done for an account."""

ACTION_COLUMNS = (
    "customer_id",
    "action",
    "setting",
    "present",
    "value",
    "lower",
    "upper",
    "cost",
    "assumption",
)
"""Columns of a table of actions: present and proposed setting, value against going on as today
with its interval and its cost in currency, and what must be true."""

PEOPLE = ("manager", "agent")
"""Columns of the customers that name who looks after them."""


@dataclass(frozen=True)
class ActionAssumptions:
    """What is stated of actions.

    Attributes
    ----------
    discount_steps : tuple of float
        Changes of the discount that are weighed, shares of the list price; below 0 less discount.
    contact_factors : tuple of float
        Multiples of today's contacts that are weighed.
    half_life : float
        Months after which half a contact is forgotten.
    call_worth : float
        Visits that a contact of any kind but the first counts for.
    first_contact : float
        Share of complaints that a complaint process resolves at the first contact.
    speed : float
        Share of today's late complaints that are still late under it, of those not resolved at
        the first contact.
    process_cost : float
        Running it for an account, currency a month.
    complaint_cost : float
        What a complaint costs more under it, currency.
    commission : float
        Agent's share of revenue that is saved where the manager alone is responsible.
    offer_effect : float
        By which share an account takes up its next needs more often when they are offered.
    dossier_cost : float
        Keeping the dossier that offers rest on, currency a month.
    cost_per_size, serving_share : float
        As in :func:`keycustomer.relationships.level_values`.
    """

    discount_steps: tuple[float, ...] = (-0.10, -0.05, -0.02, 0.02, 0.05, 0.10)
    contact_factors: tuple[float, ...] = (0.5, 2.0, 3.0)
    half_life: float = 3.0
    call_worth: float = 0.3
    first_contact: float = 0.80
    speed: float = 0.5
    process_cost: float = 1.5
    complaint_cost: float = 12.0
    commission: float = 0.05
    offer_effect: float = 0.5
    dossier_cost: float = 2.0
    cost_per_size: float = 0.3
    serving_share: float = 0.09

    def __post_init__(self) -> None:
        """Refuse numbers out of range, all complaints at once."""
        wrong = [
            f"{name}={getattr(self, name)!r} must be {told}"
            for name, low, high, told in _RANGES
            if not within(getattr(self, name), low, high)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))

    def to_frame(self) -> pd.DataFrame:
        """List what is stated: name, value."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return pd.DataFrame({"name": list(told), "value": list(told.values())})


_RANGES = (
    ("discount_steps", -0.9, 0.9, "changes of the discount between -0.9 and 0.9"),
    ("contact_factors", 0.0, 20.0, "multiples of today's contacts, 0 to 20"),
    ("half_life", 0.1, 60.0, "months, 0.1 to 60"),
    ("call_worth", 0.0, 10.0, "visits, 0 to 10"),
    ("first_contact", 0.0, 1.0, "a share, 0 to 1"),
    ("speed", 0.0, 1.0, "a share, 0 to 1"),
    ("process_cost", 0.0, np.inf, "an amount of 0 or larger"),
    ("complaint_cost", 0.0, np.inf, "an amount of 0 or larger"),
    ("commission", 0.0, 1.0, "a share of revenue, 0 to 1"),
    ("offer_effect", 0.0, 20.0, "a share of 0 or larger"),
    ("dossier_cost", 0.0, np.inf, "an amount of 0 or larger"),
    ("cost_per_size", -2.0, 2.0, "a number of -2 to 2"),
    ("serving_share", 0.0, 1.0, "a share of revenue, 0 to 1"),
)


def within(value: object, low: float, high: float) -> bool:
    """Whether a number, or every one of several, is finite and lies between two others."""
    try:
        numbers = np.atleast_1d(np.asarray(value, dtype=float))
    except (TypeError, ValueError):
        return False
    return bool(np.isfinite(numbers).all() and ((numbers >= low) & (numbers <= high)).all())
