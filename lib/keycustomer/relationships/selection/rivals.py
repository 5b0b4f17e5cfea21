"""Rival plans: how levels are given by rule of thumb, all under the same budget.

What does weighing value against cost bring over a rule?  :func:`plan_largest_first` gives the
highest level to the largest customers until the money is gone, :func:`plan_churn_risk_first` to
those most likely to leave, :func:`plan_uniform` the same level to everybody, and
:func:`plan_by_table` what a table such as Kotler's says.  They are compared in
:mod:`keycustomer.relationships.selection.attained`.

The rules get no worse than they deserve: money that does not reach for one more customer at the
highest level goes to the next customers at the next lower level, and so on; what is left when all
have the same level raises customers drawn by lot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keycustomer.relationships.selection.alternatives import (
    ZERO,
    Alternatives,
    CodeArray,
    checked_budget,
    per_customer,
    read_alternatives,
    read_codes,
    slack,
)
from keycustomer.relationships.selection.plans import LevelPlan
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray, finite_values

BEST = "best"
"""Level of a plan in order: the one that makes most of the rule, by the values it is given."""


def plan_in_order(
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    score: Any,
    level: str | int | None = None,
    method: str = "highest score first",
) -> LevelPlan:
    """Give a level to the customers of the highest score until the money is gone.

    Parameters
    ----------
    value, cost, budget
        As in :func:`select_levels`.
    score : Series by customer, or array of shape (n,)
        The highest first, equal ones in the customers' order.
    level : str or int, optional
        Level that is given; left out, the highest.  With ``"best"`` the level that brings most by
        these values.
    method : str
        Name of the plan.

    Raises
    ------
    ValueError
        When the budget does not reach for the zero level of everybody, or scores are unknown.
    """
    alternatives, money = _read(value, cost, budget)
    # a stable sort of the negative: equal scores stay in order
    order = np.argsort(
        -finite_values(per_customer(score, alternatives, "score"), "score"), kind="stable"
    )
    if level == BEST:
        tried = [
            _spend_in_order(alternatives, money, order, code)
            for code in range(1, len(alternatives.levels))
        ]
        zero = np.full(len(alternatives), ZERO, np.int8)
        codes = max([zero, *tried], key=lambda plan: alternatives.totals(plan)[0])
    else:
        top = len(alternatives.levels) - 1 if level is None else alternatives.code(level)
        codes = _spend_in_order(alternatives, money, order, top)
    return LevelPlan(alternatives=alternatives, levels=codes, budget=money, method=method)


def plan_largest_first(
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    size: Any,
    level: str | int | None = None,
) -> LevelPlan:
    """Give the highest level to the largest customers until the money is gone.

    Parameters
    ----------
    value, cost, budget, level
        As in :func:`plan_in_order`.
    size : Series by customer, or array of shape (n,)
        What large means, such as last year's revenue.
    """
    return plan_in_order(
        value, cost, budget, score=size, level=level, method="largest customers first"
    )


def plan_churn_risk_first(
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    risk: Any,
    level: str | int | None = None,
) -> LevelPlan:
    """Give the highest level to the customers most likely to leave until the money is gone.

    Parameters
    ----------
    value, cost, budget, level
        As in :func:`plan_in_order`.
    risk : Series by customer, or array of shape (n,)
        Estimated probability to leave.
    """
    return plan_in_order(value, cost, budget, score=risk, level=level, method="churn risk first")


def plan_uniform(
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    seed: Seed | None = 0,
) -> LevelPlan:
    """Spread the money evenly: the same level for everybody, and the rest by lot.

    Everybody gets the level of most value that the budget reaches for.  A step for all is large,
    and money may be left: customers drawn by lot get the next dearer level that brings more, until
    it is gone, so that the plan is compared with others of the same money, not of less.

    Parameters
    ----------
    value, cost, budget
        As in :func:`select_levels`.
    seed : int or Generator, optional
        Of the lot; None leaves the rest unspent.

    Raises
    ------
    ValueError
        When the budget reaches for no level of everybody.
    """
    alternatives, money = _read(value, cost, budget)
    costs, values = alternatives.cost.sum(axis=0), alternatives.value.sum(axis=0)
    reached = costs <= money + slack(money, alternatives.cost)
    code = int(np.where(reached, values, -np.inf).argmax())
    codes = np.full(len(alternatives), code, np.int8)
    dearer = np.flatnonzero((costs > costs[code]) & (values > values[code]))
    if seed is not None and dearer.size:
        above = int(dearer[costs[dearer].argmin()])
        lot = np.random.default_rng(seed).permutation(len(alternatives))
        extra = (alternatives.cost[:, above] - alternatives.cost[:, code])[lot]
        room = max(money - float(costs[code]), 0.0)
        codes[lot[: _reached(extra, room, alternatives)]] = above
    return LevelPlan(
        alternatives=alternatives, levels=codes, budget=money, method="the same for everybody"
    )


def plan_by_table(
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    codes: Any,
    score: Any = None,
) -> LevelPlan:
    """Give the levels of a table, as far as the money reaches.

    Parameters
    ----------
    value, cost, budget
        As in :func:`select_levels`.
    codes : Series by customer, or array of shape (n,)
        Level the table has for each customer, code or name.
    score : Series by customer, or array of shape (n,), optional
        Who gets the table's level first where the money does not reach for all; left out, those
        with the highest level, and among them in the customers' order.  The others have the zero
        level.

    Returns
    -------
    LevelPlan
        With a note where the money did not reach.
    """
    alternatives, money = _read(value, cost, budget)
    asked = read_codes(codes, alternatives, "codes")
    first = asked.astype(float)
    if score is not None:
        first = finite_values(per_customer(score, alternatives, "score"), "score")
    order = np.argsort(-first, kind="stable")
    extra = alternatives.chosen(asked)[1] - alternatives.cost[:, ZERO]
    given = order[: _reached(extra[order], money - alternatives.zero_cost, alternatives)]
    plan = np.full(len(asked), ZERO, np.int8)
    plan[given] = asked[given]
    notes: tuple[str, ...] = ()
    if (plan != asked).any():
        notes = (
            f"The table asks for {alternatives.totals(asked)[1]:,.0f}; the money did not reach for "
            f"{(plan != asked).sum():,} customers, who have the zero level.",
        )
    return LevelPlan(
        alternatives=alternatives, levels=plan, budget=money, method="by table", notes=notes
    )


def _read(value: Any, cost: Any, budget: float | None) -> tuple[Alternatives, float]:
    return read_alternatives(value, cost), checked_budget(budget)


def _spend_in_order(
    alternatives: Alternatives, budget: float, order: CodeArray, top: int
) -> CodeArray:
    """Give `top` in this order while money lasts, then go on with the next lower level."""
    codes = np.full(len(order), ZERO, np.int8)
    room = budget - alternatives.zero_cost
    for code in range(top, ZERO, -1):
        extra = alternatives.cost[order, code] - alternatives.cost[order, ZERO]
        count = _reached(extra, room, alternatives)
        codes[order[:count]] = code
        room -= float(extra[:count].sum())
        order = order[count:]
    return codes


def _reached(extra: FloatArray, room: float, alternatives: Alternatives) -> int:
    """Count the customers, in order, that the money reaches for."""
    spare = slack(room, alternatives.cost)
    if room < -spare:
        raise ValueError(
            f"budget: it misses {-room:,.6g} to the zero level of everybody, which costs "
            f"{alternatives.zero_cost:,.6g}; give at least that much"
        )
    beyond = np.cumsum(extra) > room + spare
    return int(beyond.argmax()) if beyond.any() else len(extra)
