"""All levers of a firm's accounts, and their future: what :func:`account_actions` weighs.

:func:`read_levers` estimates, from what the firm sees, everything that can be done for its
accounts; what its data do not tell is left out with the reason.  `FirmLevers` then gives the future
of any of its accounts, and values of settings alone or together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.relationships.months.panel import CustomerMonths, customer_months
from keycustomer.relationships.service.record import read_service
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.accounts_now import AccountsNow, accounts_now
from keycustomer.strategy.actions.discount_lever import discount_lever, price_draws
from keycustomer.strategy.actions.leaving import (
    MIDDLE,
    Leaving,
    leaving_by_level,
    leaving_by_repeats,
)
from keycustomer.strategy.actions.level_lever import level_cost, level_lever
from keycustomer.strategy.actions.levers import Lever, Rows
from keycustomer.strategy.actions.need_lever import need_lever, read_needs
from keycustomer.strategy.actions.service_levers import (
    Serving,
    complaint_lever,
    contacts_lever,
    responsible_lever,
)
from keycustomer.strategy.actions.shifts import Future, Shift
from keycustomer.strategy.actions.source import Source
from keycustomer.strategy.actions.vocabulary import ACTIONS, ActionAssumptions

HALF = 6
"""Months in which who bought before must buy again to count as staying, without contracts."""


@dataclass(frozen=True, eq=False)
class Terms:
    """How far and at which prices actions are weighed.

    Attributes
    ----------
    level_costs : ndarray, shape (levels,)
        Cost of each level without contacts, currency a month.
    visit_cost, call_cost : float
        Cost of a contact of the first kind, and of any other.
    horizon : int
        Months ahead.
    discount_rate : float
        Effective rate a year.
    floor : float
        Least margin over unit cost, share of it.
    draws : int
        Draws of the coefficients.
    contact_kinds, complaint_kinds : tuple of str
        Kinds of interactions.
    stated : ActionAssumptions
        What is stated of actions.
    """

    level_costs: FloatArray
    visit_cost: float
    call_cost: float
    horizon: int
    discount_rate: float
    floor: float
    draws: int
    contact_kinds: tuple[str, ...]
    complaint_kinds: tuple[str, ...]
    stated: ActionAssumptions


@dataclass(frozen=True, eq=False)
class FirmLevers:
    """What can be done for the accounts of a firm.

    Attributes
    ----------
    now : AccountsNow
        The accounts.
    leaving : Leaving
        Their chances to leave.
    levers : tuple of Lever
        What can be done.
    skipped : DataFrame
        action, reason: what the data do not tell.
    cost : ndarray, shape (n,)
        Cost to serve today apart from the share of revenue, currency a month.
    terms : Terms
        How far and at which prices.
    notes : tuple of str
        What the reader must know.
    """

    now: AccountsNow
    leaving: Leaving = field(repr=False)
    levers: tuple[Lever, ...]
    skipped: pd.DataFrame
    cost: FloatArray = field(repr=False)
    terms: Terms
    notes: tuple[str, ...]

    def future(self, rows: Rows) -> Future:
        """Give the months ahead of some accounts."""
        months = np.arange(1, self.terms.horizon + 1)
        return Future(
            odds=self.leaving.odds(rows),
            growth=self.leaving.grown(rows),
            revenue=self.now.column("revenue")[rows],
            goods=self.now.column("goods")[rows],
            cost=self.cost[rows],
            serving=self.terms.stated.serving_share,
            worth=(1 + self.terms.discount_rate) ** (-months / 12),
        )

    @property
    def settings(self) -> list[tuple[int, int]]:
        """All settings: places of lever and setting."""
        return [
            (place, k) for place, lever in enumerate(self.levers) for k in range(len(lever.names))
        ]

    def together(self, rows: Rows, chosen: Sequence[tuple[int, int]]) -> Shift:
        """Shift of several settings of the same accounts."""
        done = Shift()
        for place, k in chosen:
            done = done.and_also(self.levers[place].shift(rows, k))
        return done


def read_levers(source: Source, terms: Terms, seed: np.random.Generator) -> FirmLevers:
    """Estimate what can be done for the accounts of a base or simulated company.

    Raises
    ------
    ValueError
        When not even the margin of accounts is known.
    """
    try:
        months = customer_months(
            source, contact_kinds=terms.contact_kinds, complaint_kinds=terms.complaint_kinds
        )
        now = accounts_now(months, terms.contact_kinds)
        leaving = leaving_by_level(months, now, terms.horizon, terms.draws, seed)
    except ValueError as refused:
        if not isinstance(source, CustomerBase):
            raise
        return _without_contracts(source, terms, seed, str(refused))
    costs = level_cost(now, terms.level_costs, terms.stated.cost_per_size) + leaving.contact_costs
    own = np.where(now.level < 0, MIDDLE, now.level)
    found = _Collected()
    found.add(ACTIONS[0], lambda: level_lever(now, leaving, costs))
    found.add(ACTIONS[1], lambda: _discounts(source, months, now, terms, seed))
    _add_service(found, source, months, now, terms, seed)
    found.add(ACTIONS[5], lambda: _needs(source, now, terms, seed))
    today = costs[np.arange(len(own)), own]
    levers, notes = tuple(found.levers), _notes(terms, leaving)
    return FirmLevers(now, leaving, levers, found.skipped(), today, terms, notes)


class _Collected:
    """Levers found, and reasons why others were not."""

    def __init__(self) -> None:
        self.levers: list[Lever] = []
        self.reasons: list[dict[str, str]] = []

    def add(self, action: str, make: Callable[[], Lever]) -> None:
        """Add a lever, or the reason why there is none."""
        try:
            self.levers.append(make())
        except ValueError as refused:
            self.refuse(action, str(refused))

    def refuse(self, action: str, reason: str) -> None:
        """Note why an action cannot be weighed."""
        self.reasons.append({"action": action, "reason": reason})

    def skipped(self) -> pd.DataFrame:
        """List action and reason."""
        return pd.DataFrame(self.reasons, columns=["action", "reason"])


def _add_service(
    found: _Collected,
    source: Source,
    months: CustomerMonths,
    now: AccountsNow,
    terms: Terms,
    seed: np.random.Generator,
) -> None:
    """Add what the service record tells of."""
    try:
        record = read_service(
            source,
            contact_kinds=terms.contact_kinds,
            complaint_kinds=terms.complaint_kinds,
            months=months,
        )
    except ValueError as refused:
        for action in ACTIONS[2:5]:
            found.refuse(action, str(refused))
        return
    serving = Serving(record, now, terms.stated, terms.draws, seed)
    costs = terms.visit_cost, terms.call_cost
    found.add(ACTIONS[2], lambda: contacts_lever(serving, *costs, terms.horizon))
    found.add(ACTIONS[3], lambda: complaint_lever(serving))
    found.add(ACTIONS[4], lambda: responsible_lever(serving))


def _discounts(
    source: Source, months: CustomerMonths, now: AccountsNow, terms: Terms,
    seed: np.random.Generator,
) -> Lever:  # fmt: skip
    drawn = price_draws(source, months, now, terms.draws, seed)
    return discount_lever(now, drawn, terms.stated.discount_steps, terms.floor)


def _needs(source: Source, now: AccountsNow, terms: Terms, seed: np.random.Generator) -> Lever:
    needs = read_needs(source, seed)
    return need_lever(now, needs, terms.stated, terms.horizon, terms.draws, seed)


def _notes(terms: Terms, leaving: Leaving) -> tuple[str, ...]:
    return (
        f"What accounts bring after {terms.horizon} months is not counted, which speaks for a "
        "dearer price and against what keeps them longer.",
        "Intervals hold what is uncertain of coefficients, drawn together for all accounts; "
        "estimates of different actions count as independent of each other. They do not hold the "
        "luck of a single account.",
        f"Leaving was learned from {leaving.leavers:,} who left.",
    )


def _without_contracts(
    base: CustomerBase, terms: Terms, seed: np.random.Generator, reason: str
) -> FirmLevers:
    """Take repeated purchases for staying, and next needs for all that can be done."""
    table, stayed, before = _repeats(base)
    known: npt.NDArray[np.float64] = table["margin"].to_numpy(dtype=np.float64)
    if not np.isfinite(known).any():
        raise ValueError(f"{base.title}: no margin is known, so no action can be valued; {reason}")
    table["level"] = -1
    table["goods"] = table["revenue"] - table["margin"]
    now = AccountsNow(table, table.reset_index(), base.currency, terms.contact_kinds)
    leaving = leaving_by_repeats(stayed, before, HALF, len(table), terms.horizon, terms.draws, seed)
    found = _Collected()
    for action in ACTIONS[:5]:
        found.refuse(action, reason)
    found.add(ACTIONS[5], lambda: _needs(base, now, terms, seed))
    notes = (
        f"No contracts: {stayed:,} of {before:,} customers of the half year before bought again in "
        "the last one, and this share is taken for the chance to stay half a year, for all alike.",
    )
    return FirmLevers(
        now, leaving, tuple(found.levers), found.skipped(), np.zeros(len(table)), terms, notes
    )


def _repeats(base: CustomerBase) -> tuple[pd.DataFrame, int, int]:
    """Give customers of the last half year, what they bring a month, and who bought again."""
    from keycustomer.customers import customer_table

    end = pd.Timestamp(base.end)
    middle = end - pd.DateOffset(months=HALF)
    first = max(end - pd.DateOffset(months=2 * HALF), pd.Timestamp(base.start))
    late = customer_table(base, start=(middle + pd.Timedelta(days=1)).date(), end=end.date())
    early = customer_table(base, start=first.date(), end=middle.date())
    now = late[late["revenue"] > 0].set_index("customer_id")
    before = early.loc[early["revenue"] > 0, "customer_id"]
    amounts = now[["revenue", "margin"]].astype(float) / HALF
    return amounts, int(before.isin(now.index).sum()), len(before)
