"""All levers of a firm's accounts, and their future: what :func:`account_actions` weighs.

:func:`read_levers` estimates, from what the firm sees, everything that can be done for its
accounts; what its data do not tell is left out with the reason.  `FirmLevers` then gives the future
of any of its accounts, and values of settings alone or together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import percent
from keycustomer.relationships.months.panel import CustomerMonths, customer_months
from keycustomer.relationships.service.record import read_service
from keycustomer.relationships.vocabulary import LEVELS
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
from keycustomer.strategy.told_reasons import kinds_recorded, without_ids

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
        When not even the margin of accounts is known, or who stays.
    """
    terms, unknown = _recorded(source, terms)
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
    found = _Collected(source, unknown)
    found.add(ACTIONS[0], lambda: level_lever(now, leaving, costs))
    found.add(ACTIONS[1], lambda: _discounts(source, months, now, terms, seed))
    _add_service(found, source, months, now, terms, seed)
    found.add(ACTIONS[5], lambda: _needs(source, now, terms, seed))
    today = costs[np.arange(len(own)), own]
    levers, notes = tuple(found.levers), (*_notes(terms, leaving), *_assumed(source, now.level))
    return FirmLevers(now, leaving, levers, found.skipped(), today, terms, notes)


def _recorded(source: Source, terms: Terms) -> tuple[Terms, dict[str, str]]:
    """Leave out kinds of interactions that a base does not know, and say why by action."""
    if not isinstance(source, CustomerBase):
        return terms, {}
    contacts, no_contacts = kinds_recorded(source, terms.contact_kinds, "contact_kinds")
    complaints, no_complaints = kinds_recorded(source, terms.complaint_kinds, "complaint_kinds")
    reasons = {ACTIONS[2]: no_contacts, ACTIONS[3]: no_complaints}
    known = replace(terms, contact_kinds=contacts, complaint_kinds=complaints)
    return known, {action: why for action, why in reasons.items() if why}


class _Collected:
    """Levers found, and reasons why others were not."""

    def __init__(self, source: Source, known: dict[str, str] | None = None) -> None:
        self.source, self.known = source, known or {}
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
        told = self.known.get(action, reason)
        if isinstance(self.source, CustomerBase):
            told = without_ids(self.source, told)
        self.reasons.append({"action": action, "reason": told})

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
    needs = read_needs(source, seed, terms.stated.serving_share)
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


def _assumed(source: Source, level: Rows) -> tuple[str, ...]:
    """Say what stands for what is not known: cost of goods, levels."""
    notes = []
    if isinstance(source, CustomerBase) and source.margin is not None:
        costs = source.has("transactions", "cost")
        notes.append(
            f"Cost of goods is {'partly ' * costs}not recorded: an assumed margin of "
            f"{percent(source.margin)} of list value stands for it, and the floor is kept over an "
            "assumed cost."
        )
    unknown = int((level < 0).sum())
    if unknown:
        notes.append(
            f"Of {unknown:,} of {len(level):,} accounts the relationship level is not known: "
            f"they are taken to stand at {LEVELS[MIDDLE]} today, and what another level brings "
            "them rests on that."
        )
    return tuple(notes)


def _without_contracts(
    base: CustomerBase, terms: Terms, seed: np.random.Generator, reason: str
) -> FirmLevers:
    """Take repeated purchases for staying, and next needs for all that can be done."""
    table, stayed, before = _repeats(base, reason)
    known: npt.NDArray[np.float64] = table["margin"].to_numpy(dtype=np.float64)
    if not np.isfinite(known).any():
        raise ValueError(
            f"{base.title}: no margin is known, so no action can be valued; "
            f"{without_ids(base, reason)}"
        )
    table["level"] = -1
    table["goods"] = table["revenue"] - table["margin"]
    now = AccountsNow(table, table.reset_index(), base.currency, terms.contact_kinds)
    leaving = leaving_by_repeats(stayed, before, HALF, len(table), terms.horizon, terms.draws, seed)
    found = _Collected(base)
    for action in ACTIONS[:5]:
        found.refuse(action, reason)
    found.add(ACTIONS[5], lambda: _needs(base, now, terms, seed))
    why = "No contracts"
    if base.has("contracts"):
        why = f"Who leaves could not be learned from contracts ({without_ids(base, reason)})"
    notes = (
        f"{why}: {stayed:,} of {before:,} customers of the half year before bought again in "
        "the last one, and this share is taken for the chance to stay half a year, for all alike.",
        *_assumed(base, np.array([], dtype=np.int64)),
    )
    return FirmLevers(
        now, leaving, tuple(found.levers), found.skipped(), np.zeros(len(table)), terms, notes
    )


def _repeats(base: CustomerBase, reason: str) -> tuple[pd.DataFrame, int, int]:
    """Give customers of the last half year, what they bring a month, and who bought again."""
    from keycustomer.customers import customer_table

    end = pd.Timestamp(base.end)
    middle = end - pd.DateOffset(months=HALF)
    first = end - pd.DateOffset(months=2 * HALF) + pd.Timedelta(days=1)
    if pd.Timestamp(base.start) > first or not base.has("transactions"):
        raise ValueError(
            f"{without_ids(base, reason)}; without that, who stays is told by who "
            f"buys again, and purchases of a year are needed: the base has {base.start} to "
            f"{base.end}"
        )
    late = customer_table(base, start=(middle + pd.Timedelta(days=1)).date(), end=end.date())
    early = customer_table(base, start=first.date(), end=middle.date())
    now = late[late["revenue"] > 0].set_index("customer_id")
    before = early.loc[early["revenue"] > 0, "customer_id"]
    if before.empty:
        raise ValueError(
            f"{base.title}: nobody bought between {first.date()} and {middle.date()}, so that "
            "nobody can have bought again"
        )
    stayed = int(before.isin(now.index).sum())
    amounts = now[~now.index.isin(_ended(base))][["revenue", "margin"]].astype(float) / HALF
    return amounts, stayed, len(before)


def _ended(base: CustomerBase) -> list[str]:
    """List customers whose contracts have all ended before the last day."""
    if not base.has("contracts", "end"):
        return []
    found = base.query(
        'select customer_id from contracts group by customer_id having bool_and(coalesce("end" '
        "< $end, false))",
        end=base.end,
    )
    return found["customer_id"].tolist()
