"""The exact plan: what no other plan within budget and capacities beats.

How good is the best plan?  A plan that fits and prices of budget and capacities (with the bound
they prove) leave few levels open: a level of a customer that loses more against the prices than
lies between bound and plan is in no better plan.  :func:`exact_plan` hands what is left open to a
solver of integer programmes (HiGHS), which then has a small problem even where there are thousands
of customers.

Source: Pisinger (1995), European Journal of Operational Research 83, for the reduction; Huangfu &
Hall (2018), "Parallelizing the dual revised simplex method", for HiGHS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from keycustomer.relationships.selection.alternatives import (
    ROUNDING,
    Alternatives,
    CodeArray,
    slack,
)
from keycustomer.relationships.selection.capacities import Limit
from keycustomer.relationships.selection.prices import Prices, net_values
from keycustomer.relationships.selection.solver_output import quiet_solver
from keycustomer.stats.samples import FloatArray

SAME = 1e-8
"""Part of the distance to the bound within which values count as equal."""

SCALE = 1e4
"""Size that distance and rows are scaled to: the solver's tolerances (1e-6) are absolute."""

TRIES = 4
"""Times the solver is asked until its answer is within the limits."""

OVERSTEP = 2e-6
"""What is kept back from each limit, scaled, at each further time: the solver's tolerance twice."""


@dataclass(frozen=True, eq=False)
class ExactPlan:
    """The best plan, or the best found in the time.

    Attributes
    ----------
    codes : ndarray, shape (n,)
        Level of every customer.
    bound : float
        Value no plan exceeds, currency.
    open_customers : int
        Customers for whom more than one level was open.
    notes : tuple of str
        What a reader must know.
    """

    codes: CodeArray
    bound: float
    open_customers: int
    notes: tuple[str, ...] = ()


def exact_plan(
    alternatives: Alternatives,
    budget: float,
    limits: list[Limit],
    prices: Prices,
    known: CodeArray,
    *,
    time_limit: float,
) -> ExactPlan:
    """Find the best plan.

    Parameters
    ----------
    alternatives : Alternatives
        Value and cost of every level for every customer.
    budget : float
        Money for all customers together.
    limits : list of Limit
        Capacities.
    prices : Prices
        Prices and the bound they prove; the lower the bound, the less is left open.
    known : ndarray, shape (n,)
        A plan that fits.
    time_limit : float
        Seconds given to the solver.
    """
    total = alternatives.totals(known)[0]
    distance = prices.bound - total
    net = net_values(alternatives, limits, prices.budget, prices.limits)
    loss = net.max(axis=1)[:, None] - net
    is_open = loss <= distance * (1 + SAME)
    is_open[np.arange(len(known)), known] = True
    customers = np.flatnonzero(is_open.sum(axis=1) > 1)
    if distance <= ROUNDING * abs(prices.bound) or not customers.size:
        return ExactPlan(known, total, 0)
    core = _Core(alternatives, budget, limits, known, customers, is_open[customers])
    return core.solve(distance, prices.bound, time_limit)


class _Core:
    """The choice that is left: open levels of some customers, all others as in a known plan."""

    def __init__(
        self,
        alternatives: Alternatives,
        budget: float,
        limits: list[Limit],
        known: CodeArray,
        customers: CodeArray,
        is_open: Any,
    ) -> None:
        self.alternatives, self.known, self.customers = alternatives, known, customers
        self.row, self.code = np.nonzero(is_open)
        whom = customers[self.row]
        self.gain = alternatives.value[whom, self.code] - alternatives.value[whom, known[whom]]
        self.budget, self.limits, self.whom = budget, limits, whom
        spent = alternatives.totals(known)[1]
        self.uses = [alternatives.cost[whom, self.code] - alternatives.cost[whom, known[whom]]]
        self.owners = [np.zeros(len(whom), np.int64)]
        self.left = [np.array([max(budget - spent, 0.0)])]
        for limit in limits:
            self.uses.append(limit.use[whom, self.code] - limit.use[whom, known[whom]])
            self.owners.append(limit.group[whom])
            self.left.append(np.maximum(limit.within_reach() - limit.used(known), 0.0))

    def solve(self, distance: float, bound: float, time_limit: float) -> ExactPlan:
        """Ask the solver, with less to spend where its tolerance overstepped a limit."""
        total = self.alternatives.totals(self.known)[0]
        best, proven = self.known, bound
        for attempt in range(TRIES):
            result = self._ask(distance, attempt * OVERSTEP, time_limit)
            # only the first question is the one asked: later ones have less to spend
            if not attempt and result.mip_dual_bound is not None:
                proven = min(bound, total - float(result.mip_dual_bound) * distance / SCALE)
            if result.x is None:
                break
            codes = self._codes(result.x)
            if self._fits(codes):
                if self.alternatives.totals(codes)[0] > total:
                    best = codes
                break
        value = self.alternatives.totals(best)[0]
        # the solver's tolerance is far below what counts here
        if proven - value <= SAME * distance:
            return ExactPlan(best, value, len(self.customers))
        note = f"the solver could not prove within {time_limit:g} seconds that no plan is better"
        return ExactPlan(best, max(proven, value), len(self.customers), (note,))

    def _ask(self, distance: float, kept: float, time_limit: float) -> Any:
        """Run the solver on the scaled core."""
        from scipy import sparse
        from scipy.optimize import Bounds, LinearConstraint, milp

        columns = np.arange(len(self.row))
        one_each = sparse.csr_matrix((np.ones(len(self.row)), (self.row, columns)))
        constraints = [LinearConstraint(one_each, 1, 1)]
        for use, owner, left in zip(self.uses, self.owners, self.left, strict=True):
            size = np.maximum(left, _largest(np.abs(use), owner, len(left)))
            size = np.where(size > 0, size, 1.0)
            there = owner >= 0
            scaled = use[there] * (SCALE / size[owner[there]])
            matrix = sparse.csr_matrix(
                (scaled, (owner[there], columns[there])), shape=(len(left), len(columns))
            )
            most = left / size * SCALE - kept
            constraints.append(LinearConstraint(matrix, -np.inf, most))
        with quiet_solver():
            return milp(
                -self.gain * (SCALE / distance),
                constraints=constraints,
                integrality=np.ones(len(columns)),
                bounds=Bounds(0, 1),
                options={"mip_rel_gap": 0.0, "time_limit": time_limit},
            )

    def _codes(self, chosen: FloatArray) -> CodeArray:
        """Levels of the solver's answer, everybody's."""
        taken = np.zeros((len(self.customers), len(self.alternatives.levels)))
        taken[self.row, self.code] = chosen
        codes = self.known.copy()
        codes[self.customers] = taken.argmax(axis=1)
        return codes

    def _fits(self, codes: CodeArray) -> bool:
        spent = self.alternatives.totals(codes)[1]
        return spent <= self.budget + slack(self.budget, self.alternatives.cost) and all(
            (limit.used(codes) <= limit.within_reach() + limit.spare()).all()
            for limit in self.limits
        )


def _largest(amounts: FloatArray, owner: CodeArray, groups: int) -> FloatArray:
    """Largest amount of each group, shape (groups,)."""
    largest = np.zeros(groups)
    np.maximum.at(largest, owner[owner >= 0], amounts[owner >= 0])
    return largest
