"""The monthly process: what happens to the accounts of the simulated operator, month by month.

:func:`simulate_process` runs it under a policy and gives what happened (`Panel`) and totals per
account (`Outcome`).  It loops over months and is vectorised over accounts; accounts do not meet
each other, so it goes through them in blocks that fit the processor's cache, and totals of a
million accounts need little memory.

In a month: care (level, channel) is set, then the discount; contacts are made, complaints come;
value, satisfaction and loyalty are formed; competitors make offers; usage is paid for; at the end
some accounts leave, others take up a new product.  Nobody's number depends on who has left: those
who have are carried on unseen, so that expected values can be told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate import care, demand, discounting, leaving, perception
from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.panel import Outcome, Panel
from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.paths import Paths, market_paths
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
    draws: list[Draws] | None = None,
    with_panel: bool = True,
    progress: Progress | None = None,
) -> tuple[Panel | None, Outcome]:
    """Run the process under a policy.

    Parameters
    ----------
    settings, parameters, accounts, products
        The company.
    policy : Policy
        What is done differently.
    draws : list of Draws, optional
        One for each block, see :func:`blocks`; remembered ones serve several policies.
    with_panel : bool
        Whether to keep what happens month by month; without it there are only totals.
    progress : callable, optional
        Called with blocks done and blocks in all.

    Returns
    -------
    Panel or None, Outcome

    Raises
    ------
    ValueError
        When the policy's levers are not for as many accounts.
    """
    parts = draws or blocks(settings)
    paths = market_paths(settings, parameters, policy)
    whole = policy.for_block(0, len(accounts), len(accounts))
    record = _Record.blank(len(accounts), settings.months, len(products.weight), with_panel)
    for done, block in enumerate(parts):
        world = World(
            settings, parameters, accounts.block(block.start, block.stop), products, paths, block
        )
        mine = whole.for_block(block.start, block.stop, len(accounts))
        _run_block(world, mine, record.part(block.start, block.stop))
        if progress:
            progress(done + 1, len(parts))
    return record.panel(paths, _scales(settings, parameters, policy)), record.outcome()


def blocks(settings: Settings, *, remember: bool = False) -> list[Draws]:
    """Cut the accounts into blocks, each with its random numbers.

    Parameters
    ----------
    settings : Settings
        Number of accounts and seed.
    remember : bool
        Keep what is drawn for the next policy: about 10 kB an account over 36 months.
    """
    starts = range(0, settings.accounts, BLOCK)
    ends = [min(start + BLOCK, settings.accounts) for start in starts]
    return [
        Draws(settings.seed, start, stop, remember=remember)
        for start, stop in zip(starts, ends, strict=True)
    ]


def _scales(settings: Settings, parameters: Parameters, policy: Policy) -> Array:
    """Factor of the policy on price elasticities, by month."""
    scale = regime_of(policy, parameters, np.zeros(0, np.int8)).elasticity_scale
    return np.where(np.arange(settings.months) < policy.start, 1.0, scale)


def _run_block(world: World, policy: Policy, record: _Record) -> None:
    """Run all months for a block of accounts."""
    habit = regime_of(Policy(), world.parameters, world.accounts.level)
    changed = regime_of(policy, world.parameters, world.accounts.level)
    state = first_state(world)
    here = np.zeros(len(world.accounts), dtype=bool)
    survival = np.ones(len(world.accounts))
    for number in range(world.settings.months):
        here |= world.accounts.joined == number if number else world.accounts.joined <= 0
        month = run_month(world, state, changed if number >= policy.start else habit, number)
        record.add(month, state.demand, here, survival)
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
class _Record:
    """Arrays being filled: totals, and the panel's if it is wanted."""

    totals: dict[str, Array]
    left: Array
    adopted: Array | None
    monthly: dict[str, Array]

    @classmethod
    def blank(cls, accounts: int, months: int, products: int, with_panel: bool) -> _Record:
        names = [one.name for one in fields(Outcome) if one.name != "left"]
        totals = {name: np.zeros(accounts) for name in names}
        left = np.full(accounts, NEVER, dtype=np.int16)
        if not with_panel:
            return cls(totals, left, None, {})
        kinds: dict[str, Any] = dict.fromkeys((*_AMOUNTS, *_SCORES), np.float32)
        kinds |= dict.fromkeys(_COUNTS, np.uint8) | dict.fromkeys(_CODES, np.int8)
        kinds |= {"active": bool, "offer": bool}
        monthly = {name: np.empty((months, accounts), dtype=kind) for name, kind in kinds.items()}
        monthly["value"] = np.empty((months, accounts, len(DIMENSIONS)), dtype=np.float32)
        return cls(totals, left, np.empty((accounts, products), dtype=np.int16), monthly)

    def part(self, start: int, stop: int) -> _Record:
        """Give the same arrays, of a block of accounts."""
        return _Record(
            {name: array[start:stop] for name, array in self.totals.items()},
            self.left[start:stop],
            None if self.adopted is None else self.adopted[start:stop],
            {name: array[:, start:stop] for name, array in self.monthly.items()},
        )

    def add(self, month: Month, shock: Array, here: Array, survival: Array) -> None:
        """Add a month's amounts to the totals, and keep it if wanted."""
        profit = month.revenue - month.goods_cost - month.cost_to_serve
        chance = survival * month.present
        amounts = {name: getattr(month, name) for name in _AMOUNTS} | {"profit": profit}
        for name, amount in amounts.items():
            self.totals[name] += amount * here
        self.totals["months"] += here
        self.totals["expected_months"] += chance
        self.totals["expected_revenue"] += chance * month.revenue
        self.totals["expected_profit"] += chance * profit
        if self.monthly:
            self._keep(month, shock, here)

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
        if self.adopted is not None:
            seen = state.adopted <= self.left[:, None]
            self.adopted[:] = np.where(seen, state.adopted, NEVER)

    def panel(self, paths: Paths, scales: Array) -> Panel | None:
        """Give the panel, if it was wanted."""
        if self.adopted is None:
            return None
        return Panel(
            **self.monthly,
            left=self.left,
            adopted=self.adopted,
            paths=paths,
            elasticity_scale=scales,
        )

    def outcome(self) -> Outcome:
        """Give the totals."""
        return Outcome(**self.totals, left=self.left)
