"""Plans judged: what levels chosen on estimates truly bring, beside the best there was.

Question: a plan promises so much; what does it deliver, and how much of what was attainable is
that?  :func:`judge_plans` adds up the true value and cost of every plan in the simulated company
and solves for the best plan with the same budget.

The *attainable gain* is what the best plan brings over the zero level for everybody.  A plan made
on estimates may cost more than it said.  What it spends above the budget is charged at the shadow
price of the budget, so that overspending never pays and no plan attains more than all.

What is promised is an estimate, and a plan is chosen because its estimates are high: among many
levels those overrated are taken more often (the optimiser's curse, Smith & Winkler 2006).  So
delivered values fall short of promised ones even where every estimate by itself is unbiased.

Source: Smith & Winkler (2006), Management Science 52(3), 311-322, for the curse.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.relationships.judged.true_levels import LevelTruth, Source, level_truth
from keycustomer.relationships.selection.alternatives import (
    Alternatives,
    CodeArray,
    checked_budget,
    read_alternatives,
    read_codes,
)
from keycustomer.relationships.selection.level_selection import Selection, select_levels
from keycustomer.stats.bootstrap import Progress

BEST = "true optimum"
"""The plan that knows the truth."""

TODAY = "today"
"""The plan that changes nothing."""

COLUMNS = (
    "plan",
    "value",
    "cost",
    "profit",
    "gain",
    "overspent",
    "attainable_gain_share",
    "promised_value",
    "promised_cost",
    "promised_profit",
    "promised_gain",
    "delivered_share",
)


@dataclass(frozen=True, eq=False)
class JudgedPlans:
    """Plans with what they truly bring.

    Attributes
    ----------
    truth : LevelTruth
        What every level truly brings and costs.
    budget : float
        What a plan may cost over the months ahead, currency.
    optimum : Selection
        The best plan for that budget, chosen on the truth.
    codes : DataFrame
        Code of the level, one row a customer (index customer_id), one column a plan.
    frame : DataFrame
        One row a plan, the true optimum last: plan; value (true expected margin), cost (to serve),
        profit; gain (value over the zero level for everybody); overspent (cost above the budget);
        attainable_gain_share (gain, less what is overspent at the shadow price, over the
        optimum's gain); what its estimates promised: promised_value, promised_cost,
        promised_profit, promised_gain (NaN where a plan promises nothing); delivered_share (gain
        over the gain promised; NaN where no gain was promised).  Amounts in currency.
    """

    truth: LevelTruth
    budget: float
    optimum: Selection = field(repr=False)
    codes: pd.DataFrame = field(repr=False)
    frame: pd.DataFrame = field(repr=False)

    @property
    def shadow_price(self) -> float:
        """True value that one more unit of budget would bring."""
        return self.optimum.shadow_price

    def to_frame(self) -> pd.DataFrame:
        """Return one row a plan."""
        return self.frame.copy()

    def of(self, plan: str) -> pd.Series:
        """Return the row of a plan.

        Raises
        ------
        KeyError
            When there is no such plan.
        """
        rows = self.frame.set_index("plan")
        if plan not in rows.index:
            raise KeyError(f"no plan {plan!r}; judged were: {', '.join(rows.index)}")
        return rows.loc[[plan]].iloc[0]

    def level_shares(self) -> pd.DataFrame:
        """Count who got what.

        Returns
        -------
        DataFrame
            One row a plan and level: plan, level, customers, share (of the customers), cost_share
            (of the plan's true cost).
        """
        levels = self.truth.alternatives.levels
        rows = []
        for plan in self.codes:
            codes = self.codes[plan].to_numpy()
            cost = self.truth.alternatives.chosen(codes)[1]
            counts = np.bincount(codes, minlength=len(levels))
            spent = np.bincount(codes, cost, minlength=len(levels))
            rows.append(
                pd.DataFrame(
                    {
                        "plan": str(plan),
                        "level": levels,
                        "customers": counts,
                        "share": counts / len(codes),
                        "cost_share": spent / cost.sum(),
                    }
                )
            )
        return pd.concat(rows, ignore_index=True)

    def by_group(self, groups: pd.Series) -> pd.DataFrame:
        """Compare plans within groups of customers, such as tiers.

        Parameters
        ----------
        groups : Series
            Group by customer_id.

        Returns
        -------
        DataFrame
            One row a plan and group: plan, group, customers, mean_level (mean code), value, cost,
            gain (over the zero level), all true, currency.

        Raises
        ------
        ValueError
            When customers have no group.
        """
        own = groups.reindex(self.codes.index)
        if own.isna().any():
            raise ValueError(
                f"groups: {int(own.isna().sum()):,} of {len(own):,} customers have none, first "
                f"{own.index[own.isna()][0]!r}; give a series by customer_id with all of them"
            )
        zero = self.truth.alternatives.value[:, 0]
        rows = []
        for plan in self.codes:
            codes = self.codes[plan].to_numpy()
            value, cost = self.truth.alternatives.chosen(codes)
            told = pd.DataFrame(
                {"code": codes, "value": value, "cost": cost, "gain": value - zero}
            ).groupby(own.to_numpy(), sort=True)
            sums = told[["value", "cost", "gain"]].sum()
            sums.insert(0, "mean_level", told["code"].mean())
            sums.insert(0, "customers", told.size())
            rows.append(sums.rename_axis("group").reset_index().assign(plan=str(plan)))
        frame = pd.concat(rows, ignore_index=True)
        return frame[["plan", *frame.columns.drop("plan")]]

    def _repr_html_(self) -> str:
        said = (
            f"Simulated: {len(self.codes):,} customers, {self.truth.settings.ahead} months ahead, "
            f"a budget of {self.budget:,.0f}; the last unit of it brings {self.shadow_price:.2f} "
            "of margin."
        )
        table = self.frame.to_html(index=False, escape=True, na_rep="", float_format=_amount)
        return f"<p>{html.escape(said)}</p>{table}"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3f}"


def judge_plans(
    plans: Mapping[str, Any],
    truth: LevelTruth | Source,
    *,
    budget: float | None = None,
    estimates: Any = None,
    horizon: int = 36,
    discount_rate: float = 0.1,
    progress: Progress | None = None,
) -> JudgedPlans:
    """Judge plans by what they truly bring in the simulated company.

    Parameters
    ----------
    plans : mapping of str to Selection, Series or array
        Levels by name of the plan: a :class:`Selection`, codes or names by customer_id, or an
        array in the order of the truth's customers.
    truth : LevelTruth, CustomerBase, Company or mapping
        From :func:`level_truth`, or what that makes one of.
    budget : float, optional
        What a plan may cost over the months ahead, currency; left out, what today's levels will
        cost.
    estimates : Alternatives or result with `value` and `cost`, optional
        What plans promise is read from it, where a plan is no Selection with estimates of its own.
    horizon, discount_rate, progress
        As in :func:`level_truth`, where the truth is still to be made.

    Returns
    -------
    JudgedPlans
        With "today" and "true optimum" added.

    Raises
    ------
    TypeError, ValueError
        When a plan has other customers than are present, levels that do not exist, or a name that
        is taken; or the budget does not reach for the zero level of everybody.
    """
    if not isinstance(truth, LevelTruth):
        truth = level_truth(truth, horizon=horizon, discount_rate=discount_rate, progress=progress)
    given = _named(plans)
    alternatives = truth.alternatives
    money = truth.today_cost if budget is None else checked_budget(budget)
    optimum = select_levels(alternatives, budget=money)
    promised = None if estimates is None else _same_customers(estimates, alternatives)
    known = {TODAY: truth.today_codes, **given, BEST: optimum.codes()}
    codes = {name: read_codes(plan, alternatives, name) for name, plan in known.items()}
    rows = [
        _judged(name, code, optimum)
        | _promised(plans.get(name), None if name == BEST else promised, code)
        for name, code in codes.items()
    ]
    frame = pd.DataFrame(rows)
    gain = frame["promised_gain"]
    frame["delivered_share"] = frame["gain"] / gain.where(gain > 0)
    table = pd.DataFrame(codes, index=alternatives.customers)
    return JudgedPlans(truth, money, optimum, table, frame[list(COLUMNS)])


def _named(plans: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(plans, Mapping):
        raise TypeError(
            f"plans={type(plans).__name__}: a mapping of names to plans is needed, such as "
            "{'optimised': select_levels(values, budget=budget)}"
        )
    given = {name: plan for name, plan in plans.items() if name != TODAY}
    if BEST in given:
        raise ValueError(f"plans: the name {BEST!r} is taken by the plan that knows the truth")
    return given


def _same_customers(estimates: Any, alternatives: Alternatives) -> Alternatives:
    """Estimates in the order of the truth's customers."""
    read = read_alternatives(estimates)
    place = read.customers.get_indexer(alternatives.customers)
    if (place < 0).any() or read.levels != alternatives.levels:
        raise ValueError(
            f"estimates: {int((place < 0).sum()):,} of {len(place):,} present customers have none, "
            f"and levels are {', '.join(read.levels)}; the truth has "
            f"{', '.join(alternatives.levels)} for every present customer"
        )
    return Alternatives(
        read.value[place], read.cost[place], alternatives.customers, alternatives.levels
    )


def _judged(name: str, codes: CodeArray, optimum: Selection) -> dict[str, Any]:
    """Add up what a plan truly brings and costs, beside the best one."""
    alternatives = optimum.alternatives
    value, cost = alternatives.totals(codes)
    gain = value - alternatives.zero_value
    overspent = max(cost - optimum.budget, 0.0)
    attainable = optimum.gain
    share = (gain - optimum.shadow_price * overspent) / attainable if attainable > 0 else np.nan
    return {
        "plan": name,
        "value": value,
        "cost": cost,
        "profit": value - cost,
        "gain": gain,
        "overspent": overspent,
        "attainable_gain_share": share,
    }


def _promised(plan: Any, estimates: Alternatives | None, codes: CodeArray) -> dict[str, float]:
    """Add up what a plan said it would bring, by its own estimates or by those for all."""
    own = getattr(plan, "alternatives", estimates)
    value = cost = gain = float("nan")
    if own is not None:
        value, cost = own.totals(getattr(plan, "levels", codes))
        gain = value - own.zero_value
    return {
        "promised_value": value,
        "promised_cost": cost,
        "promised_profit": value - cost,
        "promised_gain": gain,
    }
