"""A rule of responsibility: what it is worth that every account belongs to one channel.

What would be gained if agents and managers no longer claimed the same accounts?
:func:`responsibility_effect` asks simulated companies, where it can be known: the same accounts
meet the same chance under business as usual and under rules of responsibility,

- the manager keeps every account that both claim, or the agent does; all others stay as they are;
- the larger of them go to the manager and the rest to the agent;
- every account goes to the channel its revenue calls for (`simulate.ChannelRule`): the manager, an
  agent, or inside sales;
- one channel looks after everybody: what the other rules are to be measured by.

Since accounts do not meet each other, the first three are put together account by account from runs
in which a channel looks after everybody.  One company is one draw: the effect is told for at least
20, with its mean, interval and spread over companies.  Beside the truth stands what the tables of
the same company would have said: how often accounts left that both claimed, against the others.

A rule costs what the simulated operator's parameters say (commissions, bonuses); what it takes to
talk agents into it is in none of the figures.

Profit does not tell whether conflict does harm: it rises by any rule that saves a commission, also
in companies in which nobody minds being claimed twice.  There staying does not rise, so that this
is what to judge conflict by, with a rule that changes the accounts in conflict alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.simulate import ChannelRule, Outcome, Policy, compare_policies
from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.products import product_arrays
from keycustomer.simulate.settings import Settings
from keycustomer.stats import Estimate, verdict_above
from keycustomer.stats.bootstrap import Progress
from keycustomer.stats.samples import FloatArray

SHARED_RULES = ("manager keeps them", "agent keeps them", "larger to the manager")
"""Rules that change the accounts in conflict alone."""

BY_REVENUE = "by revenue"

FOR_ALL = {
    "inside sales for all": "inside sales",
    "agents for all": "agent",
    "managers for all": "manager",
}
"""One channel for everybody."""

RULES = (*SHARED_RULES, BY_REVENUE, *FOR_ALL)
"""Rules of responsibility."""

USUAL = "business as usual"

MEASURES = ("profit", "survival", "last_year")
"""What effects are told of: profit and that of the last twelve months, currency an account over the
months, and the probability to be a customer after them."""

LEAST = 20
"""Companies below which a comparison on simulated data is not told."""


@dataclass(frozen=True, eq=False)
class ResponsibilityEffect:
    """What rules of responsibility change in simulated companies.

    Attributes
    ----------
    frame : DataFrame
        One row a rule and measure (`MEASURES`): rule, measure, mean (change against business as
        usual, an account of the company), lower, upper (95 % interval of the mean over companies),
        sd, least, most (of companies), gaining (share of companies that gain).
    companies : DataFrame
        One row a company and rule: seed, rule, conflicts (accounts both claim), conflict_share,
        moved (share of the accounts whose channel the rule changes), and the changes an account.
    naive : DataFrame
        One row a company: seed, conflict, others (leaving rates a month, of what happened),
        difference, and true_difference: by how much accounts in conflict would have left less
        with their manager alone.
    rule : ChannelRule
        The rule by revenue.
    accounts, months, ahead : int
        Size of each company, months of its window, and months ahead that count (0: the window).
    notes : tuple of str
        What the figures are of.
    """

    frame: pd.DataFrame
    companies: pd.DataFrame = field(repr=False)
    naive: pd.DataFrame = field(repr=False)
    rule: ChannelRule
    accounts: int
    months: int
    ahead: int
    notes: tuple[str, ...]

    def of(self, rule: str, measure: str = "profit") -> Estimate:
        """Mean change by a rule over companies, an account.

        Raises
        ------
        KeyError
            When there is no such row.
        """
        for row in self.frame.to_dict("records"):
            if (row["rule"], row["measure"]) == (rule, measure):
                unit = "probability" if measure == "survival" else "EUR an account"
                ends = row["mean"], row["lower"], row["upper"]
                count = self.companies["seed"].nunique()
                method = f"Student's interval over {count:,} simulated companies"
                return Estimate(*ends, unit, count, method)
        raise KeyError(
            f"no {measure!r} of {rule!r}; rules: {', '.join(RULES)}; measures: "
            f"{', '.join(MEASURES)}"
        )

    def verdict(self, rule: str, measure: str = "profit") -> str:
        """Verdict on the claim that a rule raises a measure, over companies.

        Parameters
        ----------
        rule : str
            One of `RULES`.
        measure : {"profit", "survival", "last_year"}
            Profit tells of costs saved as well; survival of conflict alone, with `SHARED_RULES`.
        """
        return verdict_above(self.of(rule, measure), 0.0)

    def to_frame(self) -> pd.DataFrame:
        """One row a rule and measure."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        gain = self.frame[self.frame["measure"] == "profit"]
        best = str(gain["rule"].iloc[int(gain["mean"].argmax())])
        said = [
            "Simulated companies: made up by a program, no real customer",
            f"{counted(self.companies['seed'].nunique(), 'company', 'companies')} of "
            f"{self.accounts:,} accounts; best: {best}, {self.of(best)} EUR an account",
            *self.notes,
        ]
        tables = {"Change against business as usual, an account": _shown(self.frame)}
        return report_html("Rules of responsibility", said, tables)


def responsibility_effect(
    *,
    companies: int = LEAST,
    accounts: int = 500,
    months: int = 36,
    ahead: int = 0,
    discount_rate: float = 0.0,
    rule: ChannelRule | None = None,
    larger_share: float = 0.5,
    seed: int = 1,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> ResponsibilityEffect:
    """Tell what rules of responsibility change, in simulated companies where it can be known.

    Parameters
    ----------
    companies : int
        Companies, at least 20: seeds `seed`, `seed` + 1, ...
    accounts, months : int
        Size of each company and months of its window.
    ahead, discount_rate
        Months after the window for which the rules hold and count, and the rate per year their
        amounts are discounted by; with 0 months the rules hold from the window's first month.
    rule : ChannelRule, optional
        The rule by revenue; default: the operator's.
    larger_share : float
        Share of the accounts in conflict that are "larger": by true potential spend, from the top.
    seed : int
        Seed of the first company.
    parameters : Parameters, optional
        True coefficients; default: those of the course.
    progress : callable, optional
        Called with companies done and in all.

    Raises
    ------
    ValueError
        When there are fewer than 20 companies, or a number makes no sense.
    """
    whole_number(companies, "companies", of="companies", least=LEAST)
    if not 0 <= larger_share <= 1:
        raise ValueError(f"larger_share={larger_share!r}: a share between 0 and 1")
    by_revenue = rule or ChannelRule()
    settings = [
        Settings(accounts, months, seed + k, ahead=ahead, discount_rate=discount_rate)
        for k in range(companies)
    ]
    rows: list[dict[str, Any]] = []
    naive = []
    for done, own in enumerate(settings, start=1):
        company = _Company(own, by_revenue, larger_share, parameters or Parameters())
        rows += company.effects()
        naive.append(company.naive())
        if progress:
            progress(done, companies)
    table = pd.DataFrame(rows)
    return ResponsibilityEffect(
        _over_companies(table),
        table,
        pd.DataFrame(naive),
        by_revenue,
        accounts,
        months,
        ahead,
        _notes(table, by_revenue, months, ahead),
    )


class _Company:
    """One simulated company under business as usual and with each channel for everybody."""

    def __init__(
        self, settings: Settings, rule: ChannelRule, larger: float, parameters: Parameters
    ) -> None:
        from keycustomer.simulate import draw_accounts

        policies = {USUAL: Policy(), BY_REVENUE: Policy(channel=rule)}
        policies |= {name: Policy(channel=name) for name in FOR_ALL.values()}
        self.outcomes = compare_policies(
            policies,
            settings.accounts,
            settings.months,
            settings.seed,
            start=settings.start,
            ahead=settings.ahead,
            discount_rate=settings.discount_rate,
            parameters=parameters,
        ).outcomes
        own = draw_accounts(settings, parameters, product_arrays())
        self.conflict = (own.manager >= 0) & (own.agent >= 0)
        order = np.argsort(-own.potential, kind="stable")
        claimed = order[self.conflict[order]]
        self.larger = np.zeros(len(own), dtype=bool)
        self.larger[claimed[: round(larger * len(claimed))]] = True
        self.seed = settings.seed

    def effects(self) -> list[dict[str, Any]]:
        """Tell the changes by every rule, an account of the company."""
        return [self._effect(rule) for rule in RULES]

    def _effect(self, rule: str) -> dict[str, Any]:
        usual = _measured(self.outcomes[USUAL])
        there = self.outcomes[USUAL].expected_months > 0
        changes = {name: self._under(rule, name) - usual[name] for name in MEASURES}
        moved = np.any([np.abs(one) > 0 for one in changes.values()], axis=0)
        return {
            "seed": self.seed,
            "rule": rule,
            "conflicts": int((self.conflict & there).sum()),
            "conflict_share": float(self.conflict[there].mean()),
            "moved": float(moved[there].mean()),
        } | {name: float(one[there].mean()) for name, one in changes.items()}

    def _under(self, rule: str, measure: str) -> FloatArray:
        """Measure of every account under a rule."""
        values = {name: _measured(one)[measure] for name, one in self.outcomes.items()}
        if rule not in SHARED_RULES:
            return values[FOR_ALL.get(rule, rule)]
        everyone = np.full(len(self.conflict), rule == SHARED_RULES[0])
        to_manager = self.larger if rule == SHARED_RULES[2] else everyone
        kept = np.where(to_manager, values["manager"], values["agent"])
        return np.where(self.conflict, kept, values[USUAL])

    def naive(self) -> dict[str, Any]:
        """Leaving a month of accounts in conflict and of the others, and the true difference."""
        usual = self.outcomes[USUAL]
        seen = usual.months > 0
        here, other = seen & self.conflict, seen & ~self.conflict
        rates = [_leaving(usual, group) for group in (here, other)]
        true = _expected_leaving(usual, here) - _expected_leaving(self.outcomes["manager"], here)
        return {
            "seed": self.seed,
            "conflict": rates[0],
            "others": rates[1],
            "difference": rates[0] - rates[1],
            "true_difference": true,
        }


def _measured(outcome: Outcome) -> dict[str, FloatArray]:
    return {
        "profit": outcome.expected_profit,
        "survival": outcome.survival,
        "last_year": outcome.expected_last_year,
    }


def _leaving(outcome: Outcome, group: npt.NDArray[np.bool_]) -> float:
    """Share of the months of some accounts at whose end they left, of what happened."""
    from keycustomer.simulate.vocabulary import NEVER

    months = outcome.months[group].sum()
    return float((outcome.left[group] < NEVER).sum() / months) if months else math.nan


def _expected_leaving(outcome: Outcome, group: npt.NDArray[np.bool_]) -> float:
    """Divide expected leavers by expected months."""
    months = outcome.expected_months[group].sum()
    return float((1 - outcome.survival[group]).sum() / months) if months else math.nan


def _over_companies(table: pd.DataFrame) -> pd.DataFrame:
    """Mean change by rule and measure, with Student's interval and the spread over companies."""
    rows = []
    for rule in RULES:
        own = table[table["rule"] == rule]
        for measure in MEASURES:
            values = own[measure].to_numpy(float)
            half = _student(len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
            rows.append(
                {
                    "rule": rule,
                    "measure": measure,
                    "mean": values.mean(),
                    "lower": values.mean() - half,
                    "upper": values.mean() + half,
                    "sd": values.std(ddof=1),
                    "least": values.min(),
                    "most": values.max(),
                    "gaining": float((values > 0).mean()),
                }
            )
    return pd.DataFrame(rows)


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Table for readers: a row a rule, each change with its interval."""
    told = {
        measure: [
            f"{row['mean']:,.{digits}f} [{row['lower']:,.{digits}f}, {row['upper']:,.{digits}f}]"
            for row in frame[frame["measure"] == measure].to_dict("records")
        ]
        for measure, digits in zip(MEASURES, (0, 4, 0), strict=True)
    }
    gaining = frame.loc[frame["measure"] == "profit", "gaining"].to_numpy()
    return pd.DataFrame({"rule": list(RULES)} | told).assign(
        gaining=[percent(g, 0) for g in gaining]
    )


def _student(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _notes(table: pd.DataFrame, rule: ChannelRule, months: int, ahead: int) -> tuple[str, ...]:
    share = table.groupby("seed")["conflict_share"].first().mean()
    span = f"{ahead} months ahead" if ahead else f"a window of {months} months"
    return (
        f"{percent(float(share))} of the accounts are claimed by both; totals over {span}",
        f"by revenue: a manager from {rule.manager_from:,.0f}, an agent from "
        f"{rule.agent_from:,.0f} a year, inside sales below",
    )
