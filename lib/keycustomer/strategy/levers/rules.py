"""The five levers a budget goes to, each turned by one dial.

Question: what does a firm do with more or less money for one lever?  It follows a simple rule, the
same in every plan, so that plans differ in how money is split and in nothing else:

- *product quality*: every attribute of service may stand one standard deviation of perception
  below or above today; money raises the attribute that brought most in the trial first, from
  bottom to top, then the next.  The dial counts standard deviations above the bottom.
- *service*: relationship levels by value, cut at yearly margins; the dial divides the cuts of
  `LevelRule`.  0 gives everybody the basic level.  Contacts stay as today's level plans them.
- *communication*: visits and calls by value, as the level of the same cuts plans them, none for
  accounts below the first cut; the dial divides the cuts.
- *price*: one discount for all accounts, never below cost; the dial is the discount.
- *channel*: up to 1 the dial brings managers to the largest accounts, down to a yearly revenue of
  `MANAGED`; from 1 to 2 agents to the others, from the largest down.  0 is inside sales for all.

At 0 a lever costs nothing: spending is counted from there.  Margins and revenues are those of the
trailing year, from the books.  Main names: `BUDGET_LEVERS`, `DIALS`, `lever_policy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate import ATTRIBUTES, ChannelRule, LevelRule, Parameters, Policy, PricingRule

Array = npt.NDArray[Any]

BUDGET_LEVERS = ("product quality", "service", "communication", "price", "channel")
"""What a budget goes to."""

MANAGED = 12_000.0
"""Yearly revenue, currency, down to which managers come before agents do."""

SWING = 1.0
"""Standard deviations by which an attribute may stand below or above today."""

_NOBODY = 1e12
"""A threshold that no account reaches."""


@dataclass(frozen=True)
class Dial:
    """How a lever is turned.

    Attributes
    ----------
    unit : str
        What the dial counts.
    top : float
        Its largest setting.
    settings : tuple of float
        Settings of a trial, 0 first, rising.
    """

    unit: str
    top: float
    settings: tuple[float, ...]


DIALS: dict[str, Dial] = {
    "product quality": Dial(
        "sd of attributes above the bottom", 2 * SWING * len(ATTRIBUTES), (0, 2, 4, 8, 14, 24)
    ),
    "service": Dial("usual cuts divided by", 100.0, (0, 0.15, 0.5, 1, 2, 4)),
    "communication": Dial("usual cuts divided by", 100.0, (0, 0.15, 0.5, 1, 3, 8)),
    "price": Dial("discount, share of the list price", 0.5, (0, 0.05, 0.1, 0.15, 0.2, 0.25)),
    "channel": Dial("managers to 1, agents to 2", 2.0, (0, 0.5, 1, 1.5, 2)),
}
"""Dial of every lever."""


@dataclass(frozen=True, eq=False)
class KnownAccounts:
    """What the rules need to know of the accounts, from the books at the end of the window.

    Attributes
    ----------
    margin : ndarray, shape (n,)
        Gross margin of the trailing year, currency.
    level : ndarray of int, shape (n,)
        Relationship level today, position in `LEVELS`.
    """

    margin: Array
    level: Array


def lever_policy(
    dials: Mapping[str, float],
    known: KnownAccounts,
    attributes: Sequence[str],
    parameters: Parameters,
    *,
    name: str = "mix",
) -> Policy:
    """Policy in which some levers follow their rule at a setting, the others today's habits.

    Parameters
    ----------
    dials : mapping of str to float
        Setting by lever; a lever left out stays as today.
    known : KnownAccounts
        What the rules go by.
    attributes : sequence of str
        Attributes in the order in which money raises them.
    parameters : Parameters
        Of the company, for its planned contacts.
    name : str
        What to call the policy.
    """
    parts: dict[str, Any] = {}
    if "product quality" in dials:
        parts["quality"] = _quality(dials["product quality"], attributes)
    levels = _levels(dials["service"], known) if "service" in dials else known.level
    parts["levels"] = levels
    contacted = known.level
    if "communication" in dials:
        contacted = _levels(dials["communication"], known)
    called = contacted > 0 if "communication" in dials else np.ones(len(contacted), dtype=bool)
    for kind in ("visits", "calls"):
        plan = np.asarray(getattr(parameters.service, kind), dtype=float)
        # the level given plans contacts of its own; the factor turns them into the wanted ones
        parts[kind] = called * plan[contacted] / np.maximum(plan[levels], 1e-12)
    if "price" in dials:
        parts["pricing"] = PricingRule(discount="none", floor=0.0)
        parts["discount"] = float(dials["price"])
    if "channel" in dials:
        parts["channel"] = _channel(dials["channel"])
    return Policy(name, **parts)


def bottom_of_quality() -> float:
    """Sum of the attributes' changes at setting 0 of product quality, standard deviations."""
    return -SWING * len(ATTRIBUTES)


def _quality(dial: float, attributes: Sequence[str]) -> dict[str, float]:
    """Raise the attributes one after the other from bottom to top."""
    reach = 2 * SWING
    return {
        attribute: float(np.clip(dial - reach * place, 0, reach)) - SWING
        for place, attribute in enumerate(attributes)
    }


def _levels(dial: float, known: KnownAccounts) -> Array:
    """Levels by the usual cuts, divided by the dial."""
    cuts = np.asarray(LevelRule().cuts) / max(dial, 1 / _NOBODY)
    return np.searchsorted(cuts, known.margin, side="right").astype(np.int8)


def _channel(dial: float) -> ChannelRule:
    """Give managers to the largest accounts up to 1, agents to the others from there on."""
    if dial <= 1:
        limit = MANAGED / max(dial, MANAGED / _NOBODY)
        return ChannelRule(limit, limit)
    return ChannelRule(MANAGED, MANAGED * (2 - dial))
