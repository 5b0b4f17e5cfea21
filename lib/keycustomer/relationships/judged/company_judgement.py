"""Plans judged over many simulated companies, since one company is an anecdote.

Question: does a plan that wins in one company win in the next?  :func:`judge_over_companies` makes
companies with different seeds, has plans made from what each firm can see of its own customers
(:func:`keycustomer.relationships.customer_months`), and judges them by the truth.  The result tells
the spread over companies, and compares plans pairwise in the same companies.

Source: Law, "Simulation Modeling and Analysis" (2015), section 9.4, for replications.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.judged.plan_judgement import BEST, TODAY, judge_plans
from keycustomer.relationships.judged.true_levels import level_truth
from keycustomer.relationships.many_companies import (
    FEWEST,
    mean_over_companies,
    simulated_companies,
)
from keycustomer.relationships.months.panel import CustomerMonths, customer_months
from keycustomer.simulate import Parameters
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.estimate import verdict_above
from keycustomer.stats.samples import FloatArray

PlanMaker: TypeAlias = Callable[[CustomerMonths, float], Mapping[str, Any]]
"""Makes plans by name from the customer-months that the firm sees, for a share of today's money."""

SHARE = "attainable_gain_share"
"""What plans are compared by, if nothing else is said."""


@dataclass(frozen=True, eq=False)
class JudgedCompanies:
    """Plans judged in many simulated companies.

    Attributes
    ----------
    frame : DataFrame
        One row a company and plan: company (its seed), customers (present), budget, best_budget
        (at which profit would be largest), shadow_price, then the columns of
        :attr:`JudgedPlans.frame`.
    levels : DataFrame
        One row a company, plan and level, as :meth:`JudgedPlans.level_shares`.
    accounts, months, horizon : int
        Size and window of each company, months ahead.
    discount_rate, budget_share : float
        Rate per year; budget as a share of what today's levels cost beyond the zero level.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    levels: pd.DataFrame = field(repr=False)
    accounts: int
    months: int
    horizon: int
    discount_rate: float
    budget_share: float
    notes: tuple[str, ...] = ()

    @property
    def companies(self) -> int:
        """Number of companies."""
        return int(self.frame["company"].nunique())

    @property
    def plans(self) -> tuple[str, ...]:
        """Names of the plans, the true optimum last."""
        return tuple(self.frame["plan"].drop_duplicates())

    def to_frame(self) -> pd.DataFrame:
        """Return one row a company and plan."""
        return self.frame.copy()

    def table(self, column: str = SHARE) -> pd.DataFrame:
        """Lay out one column, a row a company and a column a plan.

        Raises
        ------
        KeyError
            When there is no such column.
        """
        if column not in self.frame.columns:
            raise KeyError(f"no column {column!r}; there is: {', '.join(self.frame.columns)}")
        return self.frame.pivot(index="company", columns="plan", values=column)[list(self.plans)]

    def estimate(
        self, plan: str, column: str = SHARE, *, draws: int = 1000, seed: Seed = 0
    ) -> Estimate:
        """Mean of a plan over companies, with the interval of companies drawn again.

        Parameters
        ----------
        plan : str
            One of `plans`.
        column : str
            A column of `frame`.
        draws, seed
            Bootstrap of companies.
        """
        return _mean(self._column(plan, column), column, draws, seed)

    def difference(
        self, plan: str, other: str, column: str = SHARE, *, draws: int = 1000, seed: Seed = 0
    ) -> Estimate:
        """Mean difference of two plans in the same companies, with its interval."""
        apart = self._column(plan, column) - self._column(other, column)
        return _mean(apart, column, draws, seed)

    def better(self, plan: str, other: str, column: str = SHARE) -> str:
        """Whether one plan does better than another: supported, not supported or undecided."""
        return verdict_above(self.difference(plan, other, column), 0.0)

    def summary(self, column: str = SHARE, *, draws: int = 1000, seed: Seed = 0) -> pd.DataFrame:
        """Summarise plans over companies.

        Parameters
        ----------
        column : str
            A column of `frame`.
        draws, seed
            Bootstrap of companies.

        Returns
        -------
        DataFrame
            One row a plan, best first, the true optimum at the top: plan, mean, lower, upper (95 %
            interval of the mean), sd, least, most (over companies), companies, wins (share of
            companies in which no other plan but the true optimum does better).
        """
        table = self.table(column)
        rivals = table.drop(columns=BEST)
        wins = rivals.eq(rivals.max(axis=1), axis=0).mean()
        rows = []
        for plan in self.plans:
            own = table[plan].to_numpy()
            mean = _mean(own, column, draws, seed)
            rows.append(
                {
                    "plan": plan,
                    "mean": mean.estimate,
                    "lower": mean.lower,
                    "upper": mean.upper,
                    "sd": float(np.std(own, ddof=1)) if len(own) > 1 else np.nan,
                    "least": own.min(),
                    "most": own.max(),
                    "companies": len(own),
                    "wins": wins.get(plan, np.nan),
                }
            )
        return pd.DataFrame(rows).sort_values("mean", ascending=False, ignore_index=True)

    def promises(
        self, against: str | None = TODAY, *, draws: int = 1000, seed: Seed = 0
    ) -> pd.DataFrame:
        """Put what plans promised beside what they delivered.

        Estimates that are too high or too low for every plan overrate or underrate all.  The
        optimiser's curse is what a plan that was chosen for its estimates is overrated by beyond a
        plan that was not, such as today's levels.

        Parameters
        ----------
        against : str, optional
            The plan that was not chosen for its estimates; None compares with none.
        draws, seed
            Bootstrap of companies.

        Returns
        -------
        DataFrame
            One row a plan that promised something: plan, promised_gain and gain (over the zero
            level, means over companies, currency), overrated (promised less delivered, as a share
            of the optimum's gain, mean over companies), beyond (the same beyond `against`), with
            its interval lower, upper.

        Raises
        ------
        KeyError
            When there is no plan of the name `against`.
        """
        optimum = self._column(BEST, "gain")
        short = {
            plan: (self._column(plan, "promised_gain") - self._column(plan, "gain")) / optimum
            for plan in self.plans
        }
        if against is not None and against not in short:
            raise KeyError(f"no plan {against!r}; judged were: {', '.join(self.plans)}")
        rows = []
        for plan, own in short.items():
            if np.isnan(own).all():
                continue
            beyond = _mean(own - short[against] if against else own, SHARE, draws, seed)
            rows.append(
                {
                    "plan": plan,
                    "promised_gain": self._column(plan, "promised_gain").mean(),
                    "gain": self._column(plan, "gain").mean(),
                    "overrated": own.mean(),
                    "beyond": beyond.estimate,
                    "lower": beyond.lower,
                    "upper": beyond.upper,
                }
            )
        names = ("plan", "promised_gain", "gain", "overrated", "beyond", "lower", "upper")
        return pd.DataFrame(rows, columns=list(names))

    def level_shares(self) -> pd.DataFrame:
        """Average who got what: plan, level, share (of customers), cost_share, over companies."""
        grouped = self.levels.groupby(["plan", "level"], sort=False)[["share", "cost_share"]]
        return grouped.mean().reset_index()

    def _column(self, plan: str, column: str) -> FloatArray:
        table = self.table(column)
        if plan not in table.columns:
            raise KeyError(f"no plan {plan!r}; judged were: {', '.join(self.plans)}")
        return table[plan].to_numpy(dtype=np.float64)

    def _repr_html_(self) -> str:
        said = (
            f"Simulated: {self.companies} companies of {self.accounts:,} accounts, {self.horizon} "
            f"months ahead. Share of the attainable gain by plan; {' '.join(self.notes)}"
        )
        return sentence_html(said.strip().removesuffix(";"), self.summary(), numbers=",.3f")


def judge_over_companies(
    make_plans: PlanMaker,
    companies: int = 20,
    accounts: int = 500,
    months: int = 36,
    *,
    horizon: int = 36,
    discount_rate: float = 0.1,
    budget_share: float = 1.0,
    first_seed: int = 1,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> JudgedCompanies:
    """Have plans made in many simulated companies, and judge them by the truth.

    Parameters
    ----------
    make_plans : callable
        Takes the customer-months that a firm sees and `budget_share`, and gives plans by name,
        such as :func:`judge_plans` takes; it must give the same names in every company.  The
        usual one is :func:`planner`.
    companies : int
        How many; their seeds are `first_seed`, `first_seed` + 1, ...
    accounts, months : int
        Size and window of each.
    horizon : int
        Months ahead of the end of the window.
    discount_rate : float
        Effective rate per year, a share.
    budget_share : float
        Budget as a share of what today's levels cost beyond the zero level for everybody; 1 is the
        same money as today.
    first_seed : int
        Seed of the first company.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with companies done and in all.

    Raises
    ------
    ValueError
        When a number makes no sense, or plans differ by company; a complaint of `make_plans` names
        the company.
    """
    judged, levels = [], []
    for company in simulated_companies(
        companies, accounts, months, first_seed, parameters=parameters, progress=progress
    ):
        seed = company.settings.seed
        truth = level_truth(company, horizon=horizon, discount_rate=discount_rate)
        budget = truth.budget(budget_share)
        try:
            plans = make_plans(customer_months(company), budget_share)
            result = judge_plans(plans, truth, budget=budget)
        except (TypeError, ValueError, KeyError) as error:
            error.add_note(f"in the simulated company with {accounts:,} accounts and seed {seed}")
            raise
        own = {"company": seed, "customers": len(truth.customers), "budget": budget}
        own |= {"best_budget": truth.best_budget, "shadow_price": result.shadow_price}
        judged.append(pd.DataFrame([own] * len(result.frame)).join(result.frame))
        levels.append(result.level_shares().assign(company=seed))
        if set(judged[-1]["plan"]) != set(judged[0]["plan"]):
            raise ValueError(
                f"make_plans: plans in company {seed} are {', '.join(judged[-1]['plan'])}, in "
                f"company {first_seed} they were {', '.join(judged[0]['plan'])}"
            )
    few = companies < FEWEST
    note = f"Fewer than {FEWEST} companies: too few to compare plans." if few else ""
    return JudgedCompanies(
        pd.concat(judged, ignore_index=True),
        pd.concat(levels, ignore_index=True),
        accounts,
        months,
        horizon,
        discount_rate,
        budget_share,
        (note,) if note else (),
    )


def _mean(values: FloatArray, column: str, draws: int, seed: Seed) -> Estimate:
    """Mean over companies with its BCa interval."""
    unit = "share of gain" if column == SHARE else column.replace("_", " ")
    return mean_over_companies(values, unit, draws=draws, seed=seed)
