"""Plans for accounts put into practice in the simulated company: what they promised and delivered.

Question: of what a plan promised, how much came?  :func:`deliver_plan` runs the simulated company
on from the end of its window, once as today and once with what was chosen for each account, all
meeting the same chance, and puts the difference in expected profit beside the promise: for each
account, for each action alone, and in all.

Levels, discounts and contacts are given account by account; a complaint process, a dossier, one
channel hold for all accounts of a run, so that the accounts that got them are taken from runs in
which everybody did: accounts do not meet each other.

Promises fall short for three reasons: coefficients are estimates, accounts differ in what no table
tells, and what is chosen is what was overrated (the optimiser's curse: Smith & Winkler 2006,
Management Science 52, 311-322).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.simulate import (
    Company,
    Dossier,
    Outcome,
    Parameters,
    Policy,
    ServiceProcess,
    compare_policies,
)
from keycustomer.simulate.accounts import draw_accounts
from keycustomer.simulate.columns import account_numbers
from keycustomer.simulate.products import product_arrays
from keycustomer.simulate.settings import Settings
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.estimating import AccountActions
from keycustomer.strategy.actions.levers import Doing
from keycustomer.strategy.actions.source import Source

TODAY = "as today"

OFFERS_ALONE = Dossier(fit=0.0)
"""A dossier whose contacts are worth what they are today: `next need` promises offers alone."""

RESOLVING_ALONE = ServiceProcess(answer=0.0)
"""A complaint process that does not change how other calls are answered: `complaint process`
promises what is resolved at the first contact."""


@dataclass(frozen=True, eq=False)
class PlanDelivered:
    """A plan with what it promised and delivered.

    Attributes
    ----------
    frame : DataFrame
        One row an account: customer_id, actions, promised, lower, upper (together, currency),
        delivered, today_promised, today_delivered (profit if all goes on as today).
    actions : DataFrame
        One row an account and chosen action: customer_id, action, setting, promised, lower, upper,
        delivered, each action alone.
    by_action : DataFrame
        One row an action: action, accounts, promised, delivered (each alone, added up), kept
        (delivered over promised; NaN where nothing was promised).
    promised : Estimate
        Of the whole plan, actions combined.
    delivered : float
        By the whole plan, currency.
    plain : float
        Values of the actions alone added up.
    delivered_alone : float
        What the actions alone deliver, added up.
    horizon : int
        Months ahead.
    currency : str
        Unit of amounts.
    """

    frame: pd.DataFrame
    actions: pd.DataFrame
    by_action: pd.DataFrame
    promised: Estimate
    delivered: float
    plain: float
    delivered_alone: float
    horizon: int
    currency: str
    simulated: bool = field(default=True, init=False)

    @property
    def kept(self) -> float:
        """Share of the promise that was delivered; NaN where nothing was promised."""
        return self.delivered / self.promised.estimate if self.promised.estimate > 0 else np.nan

    @property
    def sentence(self) -> str:
        """The finding in words."""
        inside = self.promised.lower <= self.delivered <= self.promised.upper
        where = "within" if inside else "outside"
        return (
            f"The plan for {counted(len(self.frame), 'account')} promised {self.promised} "
            f"{self.currency} and delivered {self.delivered:,.0f} ({percent(self.kept, 0)}), "
            f"{where} the interval; {int((self.frame['delivered'] < 0).sum())} accounts would "
            "have been better left alone."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an account."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            "Simulated company: made up by a program, no real customer.",
            self.sentence,
            "What is chosen is what was overrated: a promise of chosen actions falls short even "
            "where every estimate by itself is right on average.",
        ]
        tables = {"By account": self.frame, "By action, each alone": self.by_action}
        return report_html("Promised and delivered", said, tables)


def deliver_plan(
    actions: AccountActions,
    base: Source,
    customers: Iterable[str] | None = None,
    n: int = 3,
    *,
    progress: Progress | None = None,
) -> PlanDelivered:
    """Put the chosen actions into practice in the simulated company.

    Parameters
    ----------
    actions : AccountActions
        What was weighed.
    base : CustomerBase or Company
        The simulated company it was weighed in, or the base made from one.
    customers : iterable of str, optional
        Accounts of the plan; left out, all that were weighed.
    n : int
        Actions an account at most.
    progress : callable, optional
        Called with runs done and in all.

    Raises
    ------
    ValueError
        When the data are real.
    KeyError
        When an account was not weighed.
    """
    names = list(actions.customers if customers is None else customers)
    promise = actions.promise(names, n)
    alone = _alone(actions, names, n)
    plans = {"plan": {name: _together(actions, name, n) for name in names}}
    for action in alone["action"].drop_duplicates():
        own = alone[alone["action"] == action]
        plans[action] = dict(zip(own["customer_id"], own["doing"], strict=True))
    company = FirmAhead.of(base, actions.horizon, actions.discount_rate)
    gains, today = company.gains(plans, names, progress)
    alone["delivered"] = [
        gains[action][names.index(name)]
        for name, action in zip(alone["customer_id"], alone["action"], strict=True)
    ]
    usual = actions.today.set_index("customer_id")["value"]
    frame = promise.frame.rename(columns={"joint": "promised"}).drop(columns="plain").assign(
        delivered=gains["plan"],
        today_promised=usual.reindex(names).to_numpy(),
        today_delivered=today,
    )  # fmt: skip
    return PlanDelivered(
        frame,
        alone.drop(columns="doing"),
        _by_action(alone),
        promise.joint,
        float(gains["plan"].sum()),
        promise.plain.estimate,
        float(alone["delivered"].sum()),
        actions.horizon,
        actions.currency,
    )


def _together(actions: AccountActions, name: str, n: int) -> Doing:
    """Tell what the chosen actions of an account come to."""
    done, row = Doing(), actions.row(name)
    for one in actions.chosen(name, n):
        done = done.and_also(actions.firm.levers[one.lever].doing(row, one.setting))
    return done


def _alone(actions: AccountActions, names: list[str], n: int) -> pd.DataFrame:
    """List the chosen actions with what each promises alone, and what is done."""
    columns = ["customer_id", "action", "setting", "value", "lower", "upper"]
    parts = []
    for name in names:
        row = actions.row(name)
        doing = [
            actions.firm.levers[one.lever].doing(row, one.setting)
            for one in actions.chosen(name, n)
        ]
        parts.append(actions.top(name, n)[columns].assign(doing=doing))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table.rename(columns={"value": "promised"})


def _by_action(alone: pd.DataFrame) -> pd.DataFrame:
    by = alone.groupby("action", sort=False)
    table = by[["promised", "delivered"]].sum().astype(float)
    table.insert(0, "accounts", by.size())
    kept = table["delivered"] / table["promised"].where(table["promised"] > 0)
    return table.assign(kept=kept).sort_values("promised", ascending=False).reset_index()


@dataclass(frozen=True, eq=False)
class FirmAhead:
    """A simulated company whose months ahead can be run under plans for single accounts.

    Attributes
    ----------
    settings : Settings
        The company, with the months ahead.
    parameters : Parameters
        True coefficients.
    level : ndarray of int, shape (accounts,)
        Level of each account by habit.
    """

    settings: Settings
    parameters: Parameters
    level: npt.NDArray[np.int8] = field(repr=False)

    @classmethod
    def of(cls, source: Source, horizon: int, discount_rate: float) -> FirmAhead:
        """Find the company behind a source.

        Raises
        ------
        ValueError
            When the data are real.
        """
        if isinstance(source, Company):
            size = {name: getattr(source.settings, name) for name in _SIZE}
            parameters = source.parameters
        elif isinstance(source, CustomerBase) and source.simulation is not None:
            size, parameters = dict(source.simulation), Parameters()
        else:
            held = f"the base {source.title!r}" if isinstance(source, CustomerBase) else "base"
            raise ValueError(
                f"{held} holds real data: what a plan would have delivered is not known; give a "
                "simulated company, or a base made from one"
            )
        settings = Settings(**size, ahead=horizon, discount_rate=discount_rate)
        level = draw_accounts(settings, parameters, product_arrays()).level
        return cls(settings, parameters, np.asarray(level, dtype=np.int8))

    def gains(
        self,
        plans: Mapping[str, Mapping[str, Doing]],
        names: list[str],
        progress: Progress | None = None,
    ) -> tuple[dict[str, FloatArray], FloatArray]:
        """Run plans on, and tell what each brings for each account.

        Parameters
        ----------
        plans : mapping of name to mapping of customer_id to Doing
            What is done for whom; whoever is not named goes on as today.
        names : list of str
            Accounts to tell of.
        progress : callable, optional
            Called with runs done and in all.

        Returns
        -------
        gains : dict of str to ndarray, shape (accounts told of,)
            Expected discounted profit against going on as today, currency.
        today : ndarray
            That profit as today.
        """
        place = account_numbers(names)
        runs: dict[str, Policy] = {TODAY: Policy()}
        taken: dict[str, dict[tuple[bool, ...], str]] = {}
        for plan, doings in plans.items():
            taken[plan] = {}
            for tools in {_tools(one) for one in doings.values()} - {_tools(Doing())}:
                taken[plan][tools] = f"{plan}: {tools}"
                runs[taken[plan][tools]] = self.policy(doings, tools)
            if any(_tools(one) == _tools(Doing()) for one in doings.values()):
                taken[plan][_tools(Doing())] = f"{plan}: no tool"
                runs[f"{plan}: no tool"] = self.policy(doings, _tools(Doing()))
        outcomes = self._run(runs, progress)
        today = outcomes[TODAY].expected_profit[place]
        gains = {}
        for plan, doings in plans.items():
            own = [doings.get(name, Doing()) for name in names]
            after = [
                outcomes[taken[plan].get(_tools(done), TODAY)].expected_profit[at]
                if name in doings
                else today[k]
                for k, (name, done, at) in enumerate(zip(names, own, place, strict=True))
            ]
            gains[plan] = np.array(after) - today
        return gains, today

    def policy(self, doings: Mapping[str, Doing], tools: tuple[bool, ...]) -> Policy:
        """Write what is done for each account as a policy, with some tools for everybody."""
        service = self.parameters.service
        level = self.level.astype(np.int64)
        discount, visits, calls = np.zeros(len(level)), np.ones(len(level)), np.ones(len(level))
        for at, done in zip(account_numbers(list(doings)), doings.values(), strict=True):
            level[at] = level[at] if done.level is None else done.level
            discount[at] = done.discount
            visits[at] = _factor(done.first_contacts, service.visits[level[at]])
            calls[at] = _factor(done.other_contacts, service.calls[level[at]])
        process, dossier, manager = tools
        return Policy(
            levels=level,  # type: ignore[arg-type]
            discount=discount,  # type: ignore[arg-type]
            visits=visits,  # type: ignore[arg-type]
            calls=calls,  # type: ignore[arg-type]
            service=RESOLVING_ALONE if process else None,
            dossier=OFFERS_ALONE if dossier else None,
            channel="manager" if manager else None,
        )

    def _run(self, runs: Mapping[str, Policy], progress: Progress | None) -> dict[str, Outcome]:
        own = self.settings
        size: dict[str, Any] = {name: getattr(own, name) for name in _SIZE}
        return compare_policies(
            dict(runs),
            **size,
            ahead=own.ahead,
            discount_rate=own.discount_rate,
            parameters=self.parameters,
            progress=progress,
        ).outcomes


_SIZE = ("accounts", "months", "seed", "start")


def _tools(done: Doing) -> tuple[bool, bool, bool]:
    return done.process, done.dossier, done.manager


def _factor(added: float, planned: float) -> float:
    """Factor on planned contacts that adds so many, none below 0."""
    return float(np.clip(1 + added / planned, 0.0, 100.0)) if planned > 0 else 1.0
