"""Plans for accounts put into practice in the simulated company: what they promised and delivered.

Question: of what a plan promised, how much came?  :func:`deliver_plan` runs the simulated company
on from the end of its window, once as today and once with what was chosen for each account, all
meeting the same chance, and puts the difference in expected profit beside the promise: for each
account, for each action alone, and in all.

Accounts do not meet each other, so that those of the plan are run alone.  Leaving is expected, not
drawn; complaints, competitors' offers and take-ups are one draw, so that what a single account
delivers is partly luck.

Promises fall short for three reasons: coefficients are estimates, accounts differ in what no table
tells, and what is chosen is what was overrated (the optimiser's curse: Smith & Winkler 2006,
Management Science 52, 311-322).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.simulate import Company, Dossier, Parameters, Policy, ServiceProcess
from keycustomer.simulate.chosen import chosen_outcomes
from keycustomer.simulate.columns import account_numbers
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.state import World
from keycustomer.simulate.together import stacked_world
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.estimating import AccountActions
from keycustomer.strategy.actions.levers import Doing
from keycustomer.strategy.actions.source import Source, company_of

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
            f"{where} the interval; {counted(int((self.frame['delivered'] < 0).sum()), 'account')} "
            "would have been better left alone."
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
        When the data are real, or of another company than the actions.
    KeyError
        When an account was not weighed.
    """
    _refuse_another(actions, base)
    names = list(dict.fromkeys(actions.customers if customers is None else customers))
    promise = actions.promise(names, n)
    alone = _alone(actions, names, n)
    cases = [(0, name, Doing()) for name in names]
    cases += [(0, name, _together(actions, name, n)) for name in names]
    cases += [
        (0, name, done) for name, done in zip(alone["customer_id"], alone["doing"], strict=True)
    ]
    profit = Ahead.of([base], actions.horizon, actions.discount_rate).profits(cases, progress)
    today, plan, each = np.split(profit, [len(names), 2 * len(names)])
    usual = dict(zip(names, today, strict=True))
    alone["delivered"] = each - alone["customer_id"].map(usual).to_numpy(dtype=float)
    expected = actions.today.set_index("customer_id")["value"]
    frame = (
        promise.frame.rename(columns={"joint": "promised"})
        .drop(columns="plain")
        .assign(
            delivered=plan - today,
            today_promised=expected.reindex(names).to_numpy(),
            today_delivered=today,
        )
    )
    return PlanDelivered(
        frame,
        alone.drop(columns="doing"),
        _by_action(alone),
        promise.joint,
        float((plan - today).sum()),
        promise.plain.estimate,
        float(alone["delivered"].sum()),
        actions.horizon,
        actions.currency,
    )


def _refuse_another(actions: AccountActions, base: Source) -> None:
    """Refuse to deliver in one company what was weighed in another."""
    _size_of(base)
    size = company_of(base)
    if actions.company != size:
        raise ValueError(
            f"actions were weighed in {_called(actions.company)}, base is {_called(size)}: give "
            "the company, or the base made from it, that the actions were weighed in"
        )


def _called(size: dict[str, int] | None) -> str:
    if size is None:
        return "a base of no simulated company"
    return "the company of " + ", ".join(f"{name} {value:,}" for name, value in size.items())


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
        parts.append(actions.top(name, n)[columns].assign(doing=pd.Series(doing, dtype=object)))
    table = pd.concat(parts, ignore_index=True) if parts else _no_actions(columns)
    return table.rename(columns={"value": "promised"})


def _no_actions(columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=[*columns, "doing"])


def _by_action(alone: pd.DataFrame) -> pd.DataFrame:
    by = alone.groupby("action", sort=False)
    table = by[["promised", "delivered"]].sum().astype(float)
    table.insert(0, "accounts", by.size())
    kept = table["delivered"] / table["promised"].where(table["promised"] > 0)
    return table.assign(kept=kept).sort_values("promised", ascending=False).reset_index()


@dataclass(frozen=True, eq=False)
class Ahead:
    """Simulated companies whose accounts can be run on under plans of their own.

    Attributes
    ----------
    settings : tuple of Settings
        The companies, of one size, with the months ahead.
    parameters : Parameters
        True coefficients.
    """

    settings: tuple[Settings, ...]
    parameters: Parameters

    @classmethod
    def of(cls, sources: Iterable[Source], horizon: int, discount_rate: float) -> Ahead:
        """Find the companies behind sources.

        Raises
        ------
        ValueError
            When the data are real.
        """
        known = [_size_of(one) for one in sources]
        settings = tuple(
            Settings(**size, ahead=horizon, discount_rate=discount_rate) for size, _ in known
        )
        return cls(settings, known[0][1])

    @cached_property
    def world(self) -> World:
        """All accounts of all companies, company after company."""
        return stacked_world(self.settings, self.parameters)

    def profits(
        self, cases: Sequence[tuple[int, str, Doing]], progress: Progress | None = None
    ) -> FloatArray:
        """Run accounts on, each with what is done for it.

        Parameters
        ----------
        cases : sequence of (int, str, Doing)
            Company, customer_id, what is done; an account may come several times.
        progress : callable, optional
            Called with runs done and in all.

        Returns
        -------
        ndarray, shape (cases,)
            Expected discounted profit over the months ahead, currency.
        """
        accounts = self.settings[0].accounts
        company = np.array([one for one, _, _ in cases], dtype=np.int64)
        places = company * accounts + account_numbers([name for _, name, _ in cases])
        tools = [_tools(done) for _, _, done in cases]
        profit = np.zeros(len(cases))
        kinds = sorted(set(tools))
        for number, kind in enumerate(kinds, start=1):
            rows = np.array([k for k, one in enumerate(tools) if one == kind])
            policy = self._policy(places[rows], [cases[row][2] for row in rows], kind)
            profit[rows] = chosen_outcomes(self.world, places[rows], policy).expected_profit
            if progress:
                progress(number, len(kinds))
        return profit

    def _policy(
        self, places: npt.NDArray[np.int64], doings: Sequence[Doing], tools: tuple[bool, ...]
    ) -> Policy:
        """Write what is done for each account as a policy, with the tools that all of them get."""
        service, habit = self.parameters.service, self.world.accounts.level[places]
        level = np.array(
            [
                own if done.level is None else done.level
                for own, done in zip(habit, doings, strict=True)
            ],
            dtype=np.int64,
        )
        visits, calls = np.take(service.visits, level), np.take(service.calls, level)
        process, dossier, manager = tools
        levers: dict[str, Any] = {
            "levels": level,
            "discount": np.array([done.discount for done in doings]),
            "visits": _factors(np.array([done.first_contacts for done in doings]), visits),
            "calls": _factors(np.array([done.other_contacts for done in doings]), calls),
        }
        return Policy(
            service=RESOLVING_ALONE if process else None,
            dossier=OFFERS_ALONE if dossier else None,
            channel="manager" if manager else None,
            **levers,
        )


def _size_of(source: Source) -> tuple[dict[str, Any], Parameters]:
    """Size, window and seed of the company behind a source, and its true coefficients."""
    if isinstance(source, Company):
        names = ("accounts", "months", "seed", "start")
        return {name: getattr(source.settings, name) for name in names}, source.parameters
    if isinstance(source, CustomerBase) and source.simulation is not None:
        return dict(source.simulation), Parameters()
    held = f"the base {source.title!r}" if isinstance(source, CustomerBase) else "base"
    raise ValueError(
        f"{held} holds real data: what a plan would have delivered is not known; give a simulated "
        "company, or a base made from one"
    )


def _tools(done: Doing) -> tuple[bool, bool, bool]:
    return done.process, done.dossier, done.manager


def _factors(added: FloatArray, planned: FloatArray) -> FloatArray:
    """Give factors on planned contacts that add so many, none below 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(planned > 0, 1 + added / planned, 1.0)
    return np.clip(factor, 0.0, 100.0)
