"""Simulated companies at the end of their window, run on under plans, with what each lever costs.

Question: what do the months ahead bring under a plan, and how much of the money went to which
lever?  :func:`observed_companies` runs the windows once; :meth:`ObservedCompanies.look_ahead` goes
on from there under a policy with the same random numbers, and adds up profit and spending.

All amounts are expected ones (weighed by the probability of still being there), discounted to the
end of the window, per account present there and year.  What counts as spending:

- *product quality*: its share of revenue, from the bottom of the attributes on;
- *service*: staff time of the relationship level above that of the basic level;
- *communication*: visits and calls of the own staff (an agent's are paid by the commission);
- *price*: discounts granted, list price less price, on what is used at that price;
- *channel*: agents' commission and managers' bonus.

Profit is after all of it.  Complaints, help desk and tools are costs like any other.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keycustomer.simulate import Parameters, Policy, Settings
from keycustomer.simulate.care import AGENT, CONFLICT, MANAGER
from keycustomer.simulate.demand import take_up
from keycustomer.simulate.process import run_month
from keycustomer.simulate.regime import Regime, regime_of
from keycustomer.simulate.state import Month, State, World, first_state
from keycustomer.simulate.together import batches, stacked_world
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.levers.rules import BUDGET_LEVERS, KnownAccounts, bottom_of_quality

MONTHS_A_YEAR = 12


@dataclass(frozen=True, eq=False)
class LeverOutcome:
    """What the months ahead bring, currency per account present at their start and year.

    Attributes
    ----------
    profit : ndarray, shape (companies,)
        After all costs.
    spending : ndarray, shape (companies, levers)
        Money by lever in the order of `BUDGET_LEVERS`, counted from its setting 0.
    revenue : ndarray, shape (companies,)
        Paid by the accounts.
    survival : ndarray, shape (companies,)
        Share of the accounts that is still there at the end.
    """

    profit: FloatArray
    spending: FloatArray
    revenue: FloatArray
    survival: FloatArray

    @property
    def spent(self) -> FloatArray:
        """Money spent on all levers, shape (companies,)."""
        return self.spending.sum(axis=1)


@dataclass(frozen=True, eq=False)
class ObservedCompanies:
    """Simulated companies of one size, side by side, at the end of their window.

    Attributes
    ----------
    seeds : tuple of int
        Seed of each company.
    world : World
        What their accounts meet, company after company.
    state : State
        What the window left behind.
    present : ndarray of bool, shape (n,)
        Whether the account is a customer there.
    known : KnownAccounts
        What the books tell.
    """

    seeds: tuple[int, ...]
    world: World
    state: State
    present: npt.NDArray[np.bool_]
    known: KnownAccounts

    def look_ahead(self, policy: Policy) -> LeverOutcome:
        """Run the months ahead under a policy that starts with them.

        Parameters
        ----------
        policy : Policy
            Its list prices must be as usual; levers given for each account are in the order of
            the accounts.
        """
        world, settings = self.world, self.world.settings
        state = copy.deepcopy(self.state)
        regime = regime_of(policy, world.parameters, world.accounts.level)
        chance = self.present.astype(float)
        sums = np.zeros((2 + len(BUDGET_LEVERS), len(chance)))
        for number in range(settings.months, settings.span):
            month = run_month(world, state, regime, number)
            profit = month.revenue - month.goods_cost - month.cost_to_serve
            amounts = [profit, month.revenue, *_spendings(world, month, regime)]
            weight = chance * month.present * settings.present_value(number)
            sums += weight * np.array(amounts)
            chance = chance * (1 - month.hazard)
            take_up(world, state, month)
        here = self._by_company(self.present.astype(float))
        shared = self._by_company(sums) * MONTHS_A_YEAR / (here * settings.ahead)
        return LeverOutcome(shared[0], shared[2:].T, shared[1], self._by_company(chance) / here)

    def _by_company(self, amounts: FloatArray) -> FloatArray:
        """Add up what stands account by account over those of each company."""
        return amounts.reshape(*amounts.shape[:-1], len(self.seeds), -1).sum(axis=-1)


def observed_companies(
    settings: Sequence[Settings], parameters: Parameters
) -> list[ObservedCompanies]:
    """Run the windows of simulated companies under today's habits.

    Parameters
    ----------
    settings : sequence of Settings
        One a company, alike but for the seed, with months ahead.
    parameters : Parameters
        True coefficients.

    Returns
    -------
    list of ObservedCompanies
        As many side by side as fit into the processor's cache.

    Raises
    ------
    ValueError
        When there are no months ahead, or nobody is left at the end of a window.
    """
    if not settings[0].ahead:
        raise ValueError("ahead=0: give the months that a plan is meant for, such as 36")
    return [_observed(batch, parameters) for batch in batches(settings)]


def _observed(batch: list[Settings], parameters: Parameters) -> ObservedCompanies:
    world = stacked_world(batch, parameters)
    accounts, state = world.accounts, first_state(world)
    habit = regime_of(Policy(), parameters, accounts.level)
    here = accounts.joined <= 0
    for number in range(batch[0].months):
        here = here | ((accounts.joined == number) & (number > 0))
        month = run_month(world, state, habit, number)
        here = here & ~(world.draws.uniform("leaving", number) < month.hazard)
        take_up(world, state, month)
    known = KnownAccounts(state.year_margin, np.asarray(accounts.level))
    made = ObservedCompanies(tuple(one.seed for one in batch), world, state, here, known)
    empty = here.reshape(len(batch), -1).sum(axis=1) == 0
    if empty.any():
        raise ValueError(
            f"accounts={batch[0].accounts}: nobody is left at the end of the window with seed "
            f"{made.seeds[int(empty.argmax())]}; simulate more accounts"
        )
    return made


def _spendings(world: World, month: Month, regime: Regime) -> list[FloatArray]:
    """Money of a month by account, in the order of `BUDGET_LEVERS`."""
    costs, accounts = world.parameters.costs, world.accounts
    above = np.asarray(costs.level) - costs.level[0]
    own = month.channel != AGENT
    agent = (month.channel == AGENT) | (month.channel == CONFLICT)
    manager = (month.channel == MANAGER) | (month.channel == CONFLICT)
    raised = regime.quality_change - bottom_of_quality()
    quality = costs.quality * raised * month.revenue
    service = np.take(above, month.level) * np.exp(costs.level_size * accounts.size)
    communication = own * (costs.visit * month.visits + costs.call * month.calls)
    price = month.revenue * month.discount / (1 - month.discount)
    channel = (costs.commission * agent + costs.bonus * manager) * month.revenue
    return [quality, service, communication, price, channel]
