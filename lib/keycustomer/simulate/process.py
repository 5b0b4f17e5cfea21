"""The monthly process: what happens to the accounts of the simulated operator, month by month.

:func:`simulate_process` runs it under a policy and gives what happened (`Panel`) and totals per
account (`Outcome`); :func:`simulate_outcomes` gives the totals alone, under several policies.  The
process loops over months and is vectorised over accounts; accounts do not meet
each other, so it goes through them in blocks that fit the processor's cache, and totals of a
million accounts need little memory.

In a month: care (level, channel) is set, then the discount; contacts are made, complaints come;
value, satisfaction and loyalty are formed; competitors make offers; usage is paid for; at the end
some accounts leave, others take up a new product.  Nobody's number depends on who has left: those
who have are carried on unseen, so that expected values can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate import care, demand, discounting, leaving, perception
from keycustomer.simulate.accounts import Accounts, draw_accounts
from keycustomer.simulate.panel import Outcome, Panel
from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.paths import market_paths
from keycustomer.simulate.policy import Policy
from keycustomer.simulate.products import Products
from keycustomer.simulate.regime import Regime, regime_of
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.state import Month, State, World, first_state, open_month
from keycustomer.simulate.streams import Draws
from keycustomer.simulate.vocabulary import DIMENSIONS, NEVER

Array = npt.NDArray[Any]
Progress = Callable[[int, int], None]

BLOCK = 8_192
"""Accounts that are run together."""

_AMOUNTS = ("revenue", "goods_cost", "cost_to_serve")
_COUNTS = ("visits", "calls", "complaints", "repeats", "first_contact")
_SCORES = ("usage", "demand", "discount", "satisfaction", "loyalty", "hazard", "resolution_days")
_CODES = ("level", "channel", "contract_left")


def simulate_process(
    settings: Settings,
    parameters: Parameters,
    accounts: Accounts,
    products: Products,
    policy: Policy,
    *,
    progress: Progress | None = None,
) -> tuple[Panel, Outcome]:
    """Run the process under a policy and keep what happens month by month.

    Parameters
    ----------
    settings, parameters, accounts, products
        The company.
    policy : Policy
        What is done differently.
    progress : callable, optional
        Called with blocks done and blocks in all.

    Raises
    ------
    ValueError
        When the policy's levers are not for as many accounts.
    """
    paths = market_paths(settings, parameters, policy)
    record = Record.blank(len(accounts), settings.span, len(products.weight))
    parts = _blocks(settings)
    for done, (start, stop) in enumerate(parts):
        draws = Draws(settings.seed, start, stop)
        some = accounts.block(start, stop)
        world = World(settings, parameters, some, products, paths, draws)
        run_block(world, policy.for_block(start, stop, len(accounts)), record.part(start, stop))
        if progress:
            progress(done + 1, len(parts))
    panel = Panel(**record.monthly, left=record.left, adopted=record.adopted, paths=paths)
    return panel, record.outcome()


def simulate_outcomes(
    settings: Settings,
    parameters: Parameters,
    products: Products,
    policies: Sequence[Policy],
    *,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Run the process under several policies, meeting the same chance, for the totals alone.

    Each block of accounts is drawn once and run under all policies, so that memory does not grow
    with months: a million accounts take about a hundred megabytes a policy.

    Parameters
    ----------
    settings, parameters, products
        The company.
    policies : sequence of Policy
        What is done differently.
    progress : callable, optional
        Called with runs done and runs in all, a run being a block under a policy.

    Returns
    -------
    list of Outcome
        One for each policy.

    Raises
    ------
    ValueError
        When a policy's levers are not for as many accounts.
    """
    paths = [market_paths(settings, parameters, policy) for policy in policies]
    records = [Record.blank(settings.accounts) for _ in policies]
    parts = _blocks(settings)
    done = 0
    for start, stop in parts:
        draws = Draws(settings.seed, start, stop, remember=len(policies) > 1)
        some = draw_accounts(settings, parameters, products, draws=draws)
        for policy, path, record in zip(policies, paths, records, strict=True):
            world = World(settings, parameters, some, products, path, draws)
            mine = policy.for_block(start, stop, settings.accounts)
            run_block(world, mine, record.part(start, stop))
            done += 1
            if progress:
                progress(done, len(parts) * len(policies))
    return [record.outcome() for record in records]


def _blocks(settings: Settings) -> list[tuple[int, int]]:
    starts = range(0, settings.accounts, BLOCK)
    return [(start, min(start + BLOCK, settings.accounts)) for start in starts]


def run_block(world: World, policy: Policy, record: Record) -> None:
    """Run all months for a block of accounts, adding up what happens in the record."""
    habit = regime_of(Policy(), world.parameters, world.accounts.level)
    changed = regime_of(policy, world.parameters, world.accounts.level)
    state = first_state(world)
    here = np.zeros(len(world.accounts), dtype=bool)
    survival = np.ones(len(world.accounts))
    settings = world.settings
    for number in range(settings.span):
        here |= world.accounts.joined == number if number else world.accounts.joined <= 0
        month = run_month(world, state, changed if number >= policy.start else habit, number)
        if settings.ahead and number == settings.months:
            survival = here.astype(float)
        record.add(month, state.demand, here, survival, settings)
        survival = survival * (1 - month.hazard)
        leaves = here & (world.draws.uniform("leaving", number) < month.hazard)
        record.left[leaves] = number
        here &= ~leaves
        demand.take_up(world, state, month)
    record.close(state, survival)


def run_month(world: World, state: State, regime: Regime, number: int) -> Month:
    """Run one month, without its end: everything but leaving and taking up."""
    demand.shock_demand(world, state, number)
    month = open_month(world, state, regime, number)
    care.set_level(world, state, month)
    care.set_channel(world, state, month)
    discounting.set_discount(world, state, month)
    care.make_contacts(world, state, month)
    care.take_complaints(world, state, month)
    perception.perceive(world, state, month)
    leaving.receive_offers(world, month)
    leaving.set_hazard(world, state, month)
    demand.use_and_pay(world, state, month)
    demand.cost_to_serve(world, month)
    return month


@dataclass(eq=False)
class Record:
    """Arrays being filled: totals, and the panel's if it is wanted."""

    totals: dict[str, Array]
    left: Array
    adopted: Array
    monthly: dict[str, Array]

    @classmethod
    def blank(cls, accounts: int, months: int = 0, products: int = 0) -> Record:
        """Make the arrays; without months only those of the totals."""
        names = [one.name for one in fields(Outcome) if one.name != "left"]
        totals = {name: np.zeros(accounts) for name in names}
        left = np.full(accounts, NEVER, dtype=np.int16)
        if not months:
            return cls(totals, left, np.zeros((accounts, 0), dtype=np.int16), {})
        kinds: dict[str, Any] = dict.fromkeys((*_AMOUNTS, *_SCORES), np.float32)
        kinds |= dict.fromkeys(_COUNTS, np.uint8) | dict.fromkeys(_CODES, np.int8)
        kinds |= {"active": bool, "offer": bool}
        monthly = {name: np.empty((months, accounts), dtype=kind) for name, kind in kinds.items()}
        monthly["value"] = np.empty((months, accounts, len(DIMENSIONS)), dtype=np.float32)
        return cls(totals, left, np.empty((accounts, products), dtype=np.int16), monthly)

    def part(self, start: int, stop: int) -> Record:
        """Give the same arrays, of a block of accounts."""
        return Record(
            {name: array[start:stop] for name, array in self.totals.items()},
            self.left[start:stop],
            self.adopted[start:stop],
            {name: array[:, start:stop] for name, array in self.monthly.items()},
        )

    def add(
        self, month: Month, shock: Array, here: Array, survival: Array, settings: Settings
    ) -> None:
        """Add a month's amounts to the totals, and keep it if wanted."""
        if self.monthly:
            self._keep(month, shock, here)
        if month.number >= settings.counted_from:
            self._count(month, here, survival * month.present, settings)

    def _count(self, month: Month, here: Array, chance: Array, settings: Settings) -> None:
        """Add a month's amounts to the totals, at their present value."""
        profit = month.revenue - month.goods_cost - month.cost_to_serve
        worth = settings.present_value(month.number)
        amounts = {name: getattr(month, name) for name in _AMOUNTS} | {"profit": profit}
        for name, amount in amounts.items():
            self.totals[name] += worth * amount * here
        self.totals["months"] += here
        self.totals["expected_months"] += chance
        self.totals["expected_revenue"] += worth * chance * month.revenue
        self.totals["expected_margin"] += worth * chance * (month.revenue - month.goods_cost)
        self.totals["expected_profit"] += worth * chance * profit
        if month.number >= settings.span - 12:
            self.totals["expected_last_year"] += worth * chance * profit

    def _keep(self, month: Month, shock: Array, here: Array) -> None:
        """Write a month's row of the panel."""
        number = month.number
        self.monthly["active"][number] = here
        for name in (*_AMOUNTS, *_COUNTS, "offer"):
            self.monthly[name][number] = getattr(month, name) * here
        for name in _CODES:
            self.monthly[name][number] = np.where(here, getattr(month, name), -1)
        for name in _SCORES:
            score = shock if name == "demand" else getattr(month, name)
            self.monthly[name][number] = np.where(here, score, np.nan)
        self.monthly["value"][number] = np.where(here[:, None], month.value, np.nan)

    def close(self, state: State, survival: Array) -> None:
        """Note what is known at the end."""
        self.totals["survival"][:] = survival
        if self.monthly:
            seen = state.adopted <= self.left[:, None]
            self.adopted[:] = np.where(seen, state.adopted, NEVER)

    def outcome(self) -> Outcome:
        """Give the totals."""
        return Outcome(**self.totals, left=self.left)
