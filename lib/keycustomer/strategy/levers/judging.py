"""Mixes judged: what a mix found from single curves brings when all levers are turned together.

Question: curves are tried one lever at a time and added up; does the best mix on paper also win
when quality, service, contacts, discounts and channels act on the same customers?  A customer is
kept only once, care that is not felt is not worth more for being planned, and who is served well
minds a dearer price less: what single curves promise and what the mix delivers may differ.

:func:`judge_mixes` sets the dials of every mix in companies that the trial has not seen and runs
the months ahead.  At every share of today's money it compares

- *best mix*: equal marginal returns, the same money, all of it spent;
- *proportional*: the same share of today's money for every lever;

and, with all of today's money at hand but free to keep it,

- *pays back*: the best mix, every lever up to where a unit just comes back;
- *one lever*: the lever that gains most by itself, up to there, nothing into the others;
- *today's habits*, which follow none of the rules.

The two mixes at one share cost the same on paper; what they cost in these companies differs a
little, is told, and is paid for: profit is after all spending.

Verdict of M2, fixed beforehand: profit of the best mix less that of the proportional one, at 80 %
of today's money, supported if its interval over companies lies above 0.  Both follow the same rule
within each lever and spend all the money, so that neither a better rule nor money saved counts.
It would be "not supported" if levers brought about the same at the margin today, so that splitting
otherwise gains nothing, or if levers stood in for one another so much that single curves mislead.
Everything happens in a made-up company: how much levers help or hinder each other is built in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.many_companies import FEWEST, mean_over_companies
from keycustomer.simulate import Parameters, Policy
from keycustomer.stats import Estimate, verdict_above
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.strategy.levers.curves import LeverCurves, fit_lever_curves
from keycustomer.strategy.levers.mixes import best_mix, refuse_untried, spending_today
from keycustomer.strategy.levers.months_ahead import (
    MONTHS_A_YEAR,
    LeverOutcome,
    observed_companies,
)
from keycustomer.strategy.levers.rules import BUDGET_LEVERS
from keycustomer.strategy.levers.trial import LeverTrial, company_settings, joined, mix_policies

BEST, PROPORTIONAL, ONE = "best mix", "proportional", "one lever"
PAYS_BACK, TODAY = "pays back", "today's habits"

JUDGED_AT = 0.8
"""Share of today's money at which the verdict is given."""

SHARES = (0.5, JUDGED_AT, 1.0, 1.2)
"""Shares of today's money at which mixes are compared."""

UNIT = "currency an account and year"


@dataclass(frozen=True, eq=False)
class JudgedMixes:
    """Mixes with what they bring when all levers are turned together.

    Attributes
    ----------
    trial : LeverTrial
        Where the curves come from.
    curves : LeverCurves
        Of single levers.
    money_today : float
        What today's habits spend in the trial, currency an account and year.
    plans : DataFrame
        One row a share and plan: share (of today's money; NaN for plans free to keep money), plan,
        budget, promised (profit on paper), and spending by lever on paper.
    frame : DataFrame
        One row a company, share and plan: company (seed), share, plan, profit, spent, survival,
        and what was spent by lever.
    """

    trial: LeverTrial = field(repr=False)
    curves: LeverCurves = field(repr=False)
    money_today: float
    plans: pd.DataFrame = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    simulated: bool = True

    @property
    def companies(self) -> int:
        """Number of companies judged in."""
        return int(self.frame["company"].nunique())

    def profit(self, plan: str, share: float = JUDGED_AT) -> pd.Series:
        """Profit of a plan by company, currency an account and year.

        Parameters
        ----------
        plan : str
            Its name.
        share : float
            Share of today's money, for plans that have one.

        Raises
        ------
        KeyError
            When there is no such plan at that share of today's money.
        """
        return self._of(plan, share)["profit"]

    def _of(self, plan: str, share: float) -> pd.DataFrame:
        """Rows of a plan by company; a plan free to keep money has them at no share."""
        own = share if plan in (BEST, PROPORTIONAL) else math.nan
        same = self.frame["share"].isna() if math.isnan(own) else self.frame["share"] == own
        rows = self.frame[same & (self.frame["plan"] == plan)]
        if rows.empty:
            known = self.plans[["share", "plan"]].itertuples(index=False, name=None)
            raise KeyError(
                f"no plan {plan!r} at share {share!r}; there is: "
                + ", ".join(f"{name!r} at {at!r}" for at, name in known)
            )
        return rows.set_index("company")

    def difference(self, plan: str, against: str, share: float = JUDGED_AT) -> Estimate:
        """Profit of one plan less that of another in the same company, with its interval.

        Parameters
        ----------
        plan, against : str
            Names.
        share : float
            Share of today's money, for plans that have one.
        """
        apart = self.profit(plan, share) - self.profit(against, share)
        return mean_over_companies(apart.to_numpy(dtype=float), UNIT)

    def worth_to_even(self, plan: str, against: str, share: float = JUDGED_AT) -> float:
        """Find what a customer still there at the end must be worth for two plans to be even.

        Profit counts the months ahead alone; a plan that earns more and keeps fewer customers is
        the better one as long as they are worth less than this from then on.

        Parameters
        ----------
        plan, against, share
            As in :meth:`difference`.

        Returns
        -------
        float
            Currency per customer, at its worth at the start of the months ahead; NaN where the
            plan that earns more also keeps more.
        """
        years = self.trial.settings.ahead / MONTHS_A_YEAR
        one, other = (
            self._of(name, share)[["profit", "survival"]].mean() for name in (plan, against)
        )
        earned = years * float(one["profit"] - other["profit"])
        lost = float(other["survival"] - one["survival"])
        return earned / lost if earned * lost > 0 else math.nan

    @property
    def gain(self) -> Estimate:
        """Best mix less proportional, at 80 % of today's money: the measure of M2."""
        return self.difference(BEST, PROPORTIONAL)

    @property
    def verdict(self) -> str:
        """Whether the best mix beats the same share for every lever (M2)."""
        return verdict_above(self.gain, 0.0)

    def to_frame(self) -> pd.DataFrame:
        """Compare the plans.

        Returns
        -------
        DataFrame
            One row a share and plan: share, plan, budget, spent (delivered), promised, profit,
            lower, upper, survival, gain (of the best mix over the proportional one), gain_lower,
            gain_upper.
        """
        return pd.DataFrame([self._row(plan) for plan in self.plans.to_dict("records")])

    def _row(self, plan: dict[Any, Any]) -> dict[str, Any]:
        share, name = float(plan["share"]), str(plan["plan"])
        rows = self._of(name, share)
        profit = mean_over_companies(rows["profit"].to_numpy(dtype=float), UNIT)
        gain = self.difference(name, PROPORTIONAL, share) if name == BEST else None
        ends = ("estimate", "lower", "upper")
        told = [math.nan if gain is None else getattr(gain, end) for end in ends]
        return {
            "share": share,
            "plan": name,
            "budget": plan["budget"],
            "spent": float(rows["spent"].mean()),
            "promised": plan["promised"],
            "profit": profit.estimate,
            "lower": profit.lower,
            "upper": profit.upper,
            "survival": float(rows["survival"].mean()),
        } | dict(zip(("gain", "gain_lower", "gain_upper"), told, strict=True))

    @property
    def sentence(self) -> str:
        """Say what splitting well is worth, what it promised, and what today's habits leave."""
        judged = self.plans[self.plans["share"] == JUDGED_AT].set_index("plan")["promised"]
        paper = float(judged[BEST]) - float(judged[PROPORTIONAL])
        few = f" Only {self.companies} companies: too few for a verdict to rely on."
        return (
            f"Simulated, {self.companies} companies: with {JUDGED_AT:.0%} of today's money the "
            f"best mix brings {self.gain} more an account and year than the same share for every "
            f"lever ({paper:,.0f} on paper): {self.verdict}. Spending only what comes back "
            f"brings {self.difference(PAYS_BACK, TODAY)} more than today's habits, "
            f"{self.difference(PAYS_BACK, ONE)} more than the best single lever."
            + (few if self.companies < FEWEST else "")
        )

    def _repr_html_(self) -> str:
        return sentence_html(self.sentence, self.to_frame(), numbers=",.3g")


def judge_mixes(
    trial: LeverTrial,
    curves: LeverCurves | None = None,
    *,
    companies: int = FEWEST,
    accounts: int = 300,
    first_seed: int = 1_001,
    shares: Sequence[float] = SHARES,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> JudgedMixes:
    """Judge best mixes against proportional change and against one lever, all levers at once.

    Parameters
    ----------
    trial : LeverTrial
        From :func:`lever_trial`; window, months ahead and discount rate are those of the trial.
    curves : LeverCurves, optional
        From :func:`fit_lever_curves`; left out, fitted to the trial.
    companies, accounts : int
        How many companies, of which size.
    first_seed : int
        Seed of the first company; none may have been in the trial.
    shares : sequence of float
        Shares of today's money, above 0; the one of the verdict, 0.8, is added.
    parameters : Parameters, optional
        True coefficients of these companies; left out, the trial's.
    progress : callable, optional
        Called with runs done and in all, once the work has taken two seconds.

    Returns
    -------
    JudgedMixes

    Raises
    ------
    ValueError
        When a company was in the trial, a share is none, or more of a lever is wanted than was
        tried.
    """
    fitted = curves or fit_lever_curves(trial)
    window = trial.settings
    each = company_settings(
        companies, accounts, window.months, first_seed, window.ahead, window.discount_rate
    )
    seen = sorted({one.seed for one in each} & set(trial.seeds))
    if seen:
        raise ValueError(
            f"first_seed={first_seed}: company {seen[0]} was in the trial; take seeds from "
            f"{max(trial.seeds) + 1} on"
        )
    plans = _plans(trial, fitted, _checked_shares(shares))
    observed = observed_companies(each, parameters or trial.parameters)
    order = trial.attributes["attribute"].tolist()
    report = after_quiet(progress)
    rows = []
    for done, plan in enumerate(plans.to_dict("records"), start=1):
        if plan["plan"] == TODAY:
            policies = [Policy()] * len(observed)
        else:
            dials = trial.dials({lever: plan[lever] for lever in BUDGET_LEVERS})
            policies = mix_policies(observed, dials, order)
        parts = [one.look_ahead(one_s) for one, one_s in zip(observed, policies, strict=True)]
        seeds = [one.seed for one in each]
        rows.append(_delivered(plan["share"], plan["plan"], joined(parts), seeds))
        report(done, len(plans))
    frame = pd.concat(rows, ignore_index=True)
    return JudgedMixes(trial, fitted, sum(trial.today.values()), plans, frame)


def _plans(trial: LeverTrial, curves: LeverCurves, shares: Sequence[float]) -> pd.DataFrame:
    """Spending by lever of every plan, with the profit it promises."""
    today = spending_today(curves, trial.today)
    money = sum(today.values())
    chosen: list[tuple[float, str, float, dict[str, float]]] = []
    for share in shares:
        kept = {lever: share * amount for lever, amount in today.items()}
        refuse_untried(curves, kept)
        best = best_mix(curves, share * money, spend_all=True).spending
        for name, spending in ((BEST, best), (PROPORTIONAL, kept)):
            chosen.append((share, name, share * money, spending))
    chosen.append((math.nan, PAYS_BACK, money, best_mix(curves, money).spending))
    chosen.append((math.nan, ONE, money, _one_lever(curves, money)))
    rows = [
        {"share": share, "plan": name, "budget": budget}
        | {"promised": _promised(trial, curves, spending)}
        | spending
        for share, name, budget, spending in chosen
    ]
    habits = {"share": math.nan, "plan": TODAY, "budget": money, "promised": trial.today_profit}
    return pd.DataFrame([*rows, habits | today])


def _one_lever(curves: LeverCurves, money: float) -> dict[str, float]:
    """Money into the lever that gains most by itself, as long as it comes back."""
    spent = {lever: min(money, curves[lever].spending_at(1.0)) for lever in curves.levers}
    net = {lever: float(curves[lever].gain(one)) - one for lever, one in spent.items()}
    best = max(net, key=lambda lever: net[lever])
    return {lever: spent[lever] if lever == best else 0.0 for lever in curves.levers}


def _promised(trial: LeverTrial, curves: LeverCurves, spending: dict[str, float]) -> float:
    """Profit on paper: today's, and what each lever alone changes of it, added up."""
    bottom = trial.bottom_profit
    changes = [
        bottom[lever] - trial.today_profit + float(curves[lever].gain(spent)) - spent
        for lever, spent in spending.items()
    ]
    return trial.today_profit + sum(changes)


def _delivered(
    share: float, plan: str, outcome: LeverOutcome, seeds: Sequence[int]
) -> pd.DataFrame:
    """Tell what a plan brought and cost, by company."""
    columns = {"company": seeds, "share": share, "plan": plan, "profit": outcome.profit}
    columns |= {"spent": outcome.spent, "survival": outcome.survival}
    by_lever = dict(zip(BUDGET_LEVERS, outcome.spending.T, strict=True))
    return pd.DataFrame(columns | by_lever)


def _checked_shares(shares: Sequence[float]) -> list[float]:
    given = sorted({float(one) for one in shares} | {JUDGED_AT})
    wrong = [one for one in given if not 0 < one < math.inf]
    if wrong or not np.isfinite(given).all():
        raise ValueError(f"shares={list(shares)!r}: shares of today's money must be above 0")
    return given
