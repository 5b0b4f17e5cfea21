"""Plans for the top accounts judged over simulated companies: one plan each against one for all.

Question (course material R4): is it worth while to adapt to each of the largest customers?
:func:`judge_account_plans` lets each of many simulated firms weigh actions for its ten largest
accounts from its own records, makes for each account a plan of its own and, beside it, the one plan
that promises most when all ten get the same, and counts what both deliver against doing nothing.

The rule, fixed before any data: R4 is supported where own plans deliver more than the common plan,
the interval of the mean difference over companies lying wholly above 0; not supported where it lies
wholly at or below.  Own plans promise at least as much by construction, and promises decide
nothing: where accounts hardly differ in what helps, or estimates are too poor to tell them apart,
what is chosen account by account is chance, and own plans deliver less.

Source: Law, "Simulation Modeling and Analysis" (2015), section 9.4, for replications.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.many_companies import FEWEST, mean_over_companies
from keycustomer.simulate import Company, Parameters, Policy
from keycustomer.simulate.companies import companies_under
from keycustomer.stats import Estimate, verdict_above
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.delivering import Ahead
from keycustomer.strategy.actions.estimating import AccountActions, account_actions
from keycustomer.strategy.actions.levers import Doing
from keycustomer.strategy.actions.outlooks import FirmLevers
from keycustomer.strategy.actions.promising import Chosen, choose_actions, promised

OWN, COMMON = "own plans", "common plan"

UNIT = "EUR an account"

LEVEL_COSTS = (2.0, 6.0, 20.0, 72.0, 250.0)
"""Cost of the operator's relationship levels, EUR an account and month."""


@dataclass(frozen=True, eq=False)
class JudgedAccountPlans:
    """Plans for top accounts in many simulated companies.

    Attributes
    ----------
    frame : DataFrame
        One row a company and plan: company (its seed), accounts, plan ("own plans" or "common
        plan"), promised, delivered (against going on as today, EUR an account), today (profit as
        today, EUR an account), worse (accounts that would have been better left alone).
    actions : DataFrame
        One row a company, plan and action: company, plan, action, accounts (that get it).
    accounts, months, horizon, n : int
        Size and window of each company, months ahead, actions an account at most.
    """

    frame: pd.DataFrame
    actions: pd.DataFrame = field(repr=False)
    accounts: int
    months: int
    horizon: int
    n: int

    @property
    def companies(self) -> int:
        """Number of companies."""
        return int(self.frame["company"].nunique())

    def values(self, plan: str, column: str = "delivered") -> FloatArray:
        """Give a column of a plan by company.

        Raises
        ------
        KeyError
            When there is no such plan or column.
        """
        if plan not in (OWN, COMMON) or column not in self.frame:
            raise KeyError(
                f"no {column!r} of {plan!r}; plans: {OWN}, {COMMON}; columns: "
                f"{', '.join(self.frame.columns)}"
            )
        own = self.frame.loc[self.frame["plan"] == plan, column]
        return own.to_numpy(dtype=np.float64)

    def mean(self, plan: str, column: str = "delivered") -> Estimate:
        """Mean of a column over companies with its interval."""
        return mean_over_companies(self.values(plan, column), UNIT)

    @property
    def gap(self) -> Estimate:
        """What own plans deliver more than the common plan, mean over companies."""
        return mean_over_companies(self.values(OWN) - self.values(COMMON), UNIT)

    @property
    def verdict(self) -> str:
        """Verdict on R4: own plans deliver more than one plan for all."""
        return verdict_above(self.gap, 0.0)

    def kept(self, plan: str = OWN) -> Estimate:
        """Share of what a plan promised that was delivered: summed over companies, drawn again."""
        return _ratio(self.values(plan), self.values(plan, "promised"))

    def overrated(self, plan: str = OWN) -> Estimate:
        """Promised less delivered, mean over companies."""
        return mean_over_companies(self.values(plan, "promised") - self.values(plan), UNIT)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        kept = self.kept()
        judged = counted(self.companies, "simulated company", "simulated companies")
        return (
            f"Over {judged} own plans for the top accounts promised "
            f"{self.mean(OWN, 'promised').estimate:,.0f} {UNIT} and delivered "
            f"{self.mean(OWN).estimate:,.0f} ({percent(kept.estimate, 0)}), the best common plan "
            f"delivered {self.mean(COMMON).estimate:,.0f}: a difference of {self.gap}; that own "
            f"plans deliver more is {self.verdict}."
        )

    def summary(self) -> pd.DataFrame:
        """Summarise plans over companies.

        Returns
        -------
        DataFrame
            plan, promised, delivered, lower, upper (interval of the mean delivered), share (of
            profit as today that is gained), kept (delivered over promised), worse (share of the
            accounts that would have been better left alone), losses (companies in which the plan
            loses money).
        """
        rows = []
        for plan in (OWN, COMMON):
            mean, delivered = self.mean(plan), self.values(plan)
            worse = self.values(plan, "worse").sum() / self.values(plan, "accounts").sum()
            rows.append(
                {
                    "plan": plan,
                    "promised": float(self.values(plan, "promised").mean()),
                    "delivered": mean.estimate,
                    "lower": mean.lower,
                    "upper": mean.upper,
                    "share": float(delivered.sum() / self.values(plan, "today").sum()),
                    "kept": self.kept(plan).estimate,
                    "worse": float(worse),
                    "losses": int((delivered < 0).sum()),
                }
            )
        return pd.DataFrame(rows)

    def action_shares(self) -> pd.DataFrame:
        """Tell how often actions are chosen: plan, action, share (of the accounts)."""
        total = self.frame.groupby("plan")["accounts"].sum()
        counts = self.actions.groupby(["plan", "action"], sort=False)["accounts"].sum()
        table = counts.reset_index()
        return table.assign(share=table["accounts"] / table["plan"].map(total))

    def to_frame(self) -> pd.DataFrame:
        """One row a company and plan."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            f"Simulated: {self.companies} companies of {self.accounts:,} accounts, "
            f"{self.horizon} months ahead; {self.n} actions an account at most.",
            self.sentence,
        ]
        if self.companies < FEWEST:
            said.append(f"Fewer than {FEWEST} companies: an anecdote.")
        tables = {"Plans": self.summary(), "Chosen": self.action_shares()}
        return report_html("Plans for the top accounts, judged", said, tables)


def _ratio(part: FloatArray, whole: FloatArray) -> Estimate:
    """Ratio of sums over companies with the interval of companies drawn again."""
    from keycustomer.stats import bootstrap, bootstrap_estimate

    unit = "share of the promise"
    if not whole.sum() > 0 or len(part) < 2:
        value = float(part.sum() / whole.sum()) if whole.sum() > 0 else np.nan
        return Estimate.without_interval(value, unit, len(part), "nothing promised, or one company")
    drawn = bootstrap(
        lambda weights: ((weights @ part) / (weights @ whole))[:, None],
        np.ones(len(part), dtype=np.int64),
        draws=1000,
        seed=0,
    )
    left = (part.sum() - part) / (whole.sum() - whole)
    value = float(part.sum() / whole.sum())
    return bootstrap_estimate(value, drawn[:, 0], unit=unit, n=len(part), leave_one_out=left)


def judge_account_plans(
    companies: int = FEWEST,
    accounts: int = 300,
    months: int = 36,
    *,
    top: int = 10,
    n: int = 3,
    horizon: int = 36,
    discount_rate: float = 0.10,
    floor: float = 0.10,
    level_costs: Sequence[float] = LEVEL_COSTS,
    visit_cost: float = 90.0,
    call_cost: float = 9.0,
    draws: int = 60,
    first_seed: int = 1,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> JudgedAccountPlans:
    """Judge plans for the top accounts by what they deliver in many simulated companies.

    Parameters
    ----------
    companies : int
        How many; their seeds follow one another.
    accounts, months : int
        Size and window of each.
    top : int
        Largest accounts by revenue of the last year, of those still there, that get a plan.
    n : int
        Actions an account at most.
    horizon, discount_rate, floor, level_costs, visit_cost, call_cost, draws
        As in :func:`account_actions`.
    first_seed : int
        Seed of the first company.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with companies done and in all, once the work has taken two seconds.

    Raises
    ------
    ValueError
        When there is no company, or numbers are out of range.
    """
    whole_number(companies, "companies", of="companies", least=1)
    whole_number(top, "top", of="accounts", least=1)
    weighing = {
        "level_costs": level_costs, "visit_cost": visit_cost, "call_cost": call_cost,
        "horizon": horizon, "discount_rate": discount_rate, "floor": floor, "draws": draws,
    }  # fmt: skip
    seeds = range(first_seed, first_seed + companies)
    made = companies_under({"": Policy()}, seeds, accounts, months, parameters=parameters)
    report = after_quiet(progress)
    firms = []
    for done, (_, company) in enumerate(made, start=1):
        actions = account_actions(company, _largest(company, top), **weighing)  # type: ignore[arg-type]
        firms.append(_planned(company, actions, n))
        report(done, companies)
    frame, chosen = _delivered(firms, horizon, discount_rate)
    return JudgedAccountPlans(frame, chosen, accounts, months, horizon, n)


def _largest(company: Company, top: int) -> list[str]:
    """Find the customers present at the end with the largest revenue of the last year."""
    from keycustomer.simulate.columns import customer_ids

    revenue = company.panel.revenue[-12:].sum(axis=0)
    here = company.panel.active[-1] & (company.panel.left > company.settings.months - 1)
    order = np.argsort(-np.where(here, revenue, -np.inf), kind="stable")[: min(top, here.sum())]
    return [str(one) for one in customer_ids(company.accounts.number[order])]


@dataclass(frozen=True, eq=False)
class _Planned:
    """Plans of one company.

    Attributes
    ----------
    company : Company
        The company.
    names : list of str
        Its accounts with a plan.
    doings : dict of str to list of Doing
        What is done for each, by plan.
    promised : dict of str to float
        Promise by plan, an account.
    actions : dict of str to dict of str to int
        Accounts that get an action, by plan.
    """

    company: Company
    names: list[str]
    doings: dict[str, list[Doing]]
    promised: dict[str, float]
    actions: dict[str, Counter[str]]


def _planned(company: Company, actions: AccountActions, n: int) -> _Planned:
    """Make own plans and the common plan of one company."""
    names = actions.customers.tolist()
    rows = {name: actions.row(name) for name in names}
    common = choose_actions(actions.firm, np.array(list(rows.values())), n)
    plans = {
        OWN: {name: actions.chosen(name, n) for name in names},
        COMMON: dict.fromkeys(names, common),
    }
    doings = {
        plan: [_done(actions.firm, rows[name], picked) for name, picked in own.items()]
        for plan, own in plans.items()
    }
    promises = {plan: promised(actions.firm, own, rows, 0.95, True) for plan, own in plans.items()}
    told = {
        plan: Counter(" + ".join(one.frame["actions"]).split(" + "))
        for plan, one in promises.items()
    }
    each = {plan: one.joint.estimate / len(names) for plan, one in promises.items()}
    return _Planned(company, names, doings, each, told)


def _done(firm: FirmLevers, row: int, picked: Sequence[Chosen]) -> Doing:
    done = Doing()
    for one in picked:
        lever = firm.levers[one.lever]
        if lever.open[row, one.setting]:
            done = done.and_also(lever.doing(row, one.setting))
    return done


def _delivered(
    firms: list[_Planned], horizon: int, discount_rate: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run the accounts of all companies on, and put what came beside what was promised."""
    cases = [
        (k, name, done)
        for k, firm in enumerate(firms)
        for doings in ([Doing()] * len(firm.names), firm.doings[OWN], firm.doings[COMMON])
        for name, done in zip(firm.names, doings, strict=True)
    ]
    profit = Ahead.of([firm.company for firm in firms], horizon, discount_rate).profits(cases)
    rows: list[dict[str, Any]] = []
    chosen: list[dict[str, Any]] = []
    start = 0
    for firm in firms:
        size = len(firm.names)
        today, own, common = profit[start : start + 3 * size].reshape(3, size)
        start += 3 * size
        for plan, after in ((OWN, own), (COMMON, common)):
            head = {"company": firm.company.settings.seed, "plan": plan}
            told = {"promised": firm.promised[plan], "delivered": float((after - today).mean())}
            counts = {"accounts": size, "worse": int((after < today).sum())}
            rows.append(head | counts | told | {"today": float(today.mean())})
            chosen += [
                head | {"action": action, "accounts": count}
                for action, count in firm.actions[plan].items()
                if action
            ]
    columns = ["company", "plan", "action", "accounts"]
    return pd.DataFrame(rows), pd.DataFrame(chosen, columns=columns)
