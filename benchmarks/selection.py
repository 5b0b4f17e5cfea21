"""Selection of relationship levels against HiGHS: seconds, and distance to the best plan.

    python -m benchmarks.selection                          # 1,000 to 1,000,000 customers
    python -m benchmarks.selection --customers 1000 --minutes 5

One choice of five levels for every customer under one budget, in CPU seconds: the library's greedy
plan with its bound, its exact plan, and the same integer programme given to HiGHS (through
scipy.optimize.milp) as it stands, asked for a plan within a millionth of the best.  HiGHS is given
some minutes, up to ten thousand customers; where it has not finished by then the ratio is a lower
bound, and so it is called.  Set OMP_NUM_THREADS=1, or idle threads are counted too.

Goals: a million customers in under 5 s with a gap under 1e-6; 1,000 times faster than HiGHS at
1,000 to 10,000 customers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from keycustomer.relationships import Alternatives, read_alternatives, select_levels

BASE_COST = np.array([0.0, 2.0, 8.0, 30.0, 120.0])
RETENTION = np.array([0.60, 0.66, 0.72, 0.78, 0.82])
DISCOUNT_RATE = 0.1

BUDGET_SHARE = 0.15
"""Budget, as a share of what the highest level for everybody costs."""

GAP = 1e-6
"""How near to the best plan HiGHS is asked to come."""

MOST_FOR_SOLVER = 10_000
"""Most customers that HiGHS is given."""

MOST_FOR_EXACT = 100_000
"""Most customers that the library's exact plan is asked for."""

LEAST_SECONDS = 0.2
"""A measurement is repeated until it has taken this long."""


def alternatives(customers: int) -> tuple[Alternatives, float]:
    """Draw values and costs of five levels, and a budget.

    The value is a margin times its multiple at a retention rate that rises with the level (Gupta &
    Lehmann 2005), by customer more or less.
    """
    generator = np.random.default_rng(customers)
    margin = generator.lognormal(4, 1.2, customers)
    cost = BASE_COST * generator.lognormal(0, 0.25, (customers, 1))
    uplift = (RETENTION - RETENTION[0]) * generator.lognormal(0, 0.5, (customers, 1))
    retention = np.clip(RETENTION[0] + uplift, 0, 0.97)
    value = margin[:, None] * (1 + DISCOUNT_RATE) / (1 + DISCOUNT_RATE - retention)
    return read_alternatives(value, cost), BUDGET_SHARE * float(cost[:, -1].sum())


def solved(problem: Alternatives, budget: float, seconds: float) -> Any:
    """Give the integer programme to HiGHS as it stands."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, levels = problem.value.shape
    one_each = sparse.kron(sparse.eye(n), np.ones((1, levels)), format="csr")
    spent = sparse.csr_matrix(problem.cost.reshape(1, -1))
    return milp(
        -problem.value.ravel(),
        constraints=[LinearConstraint(one_each, 1, 1), LinearConstraint(spent, -np.inf, budget)],
        integrality=np.ones(n * levels),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": GAP, "time_limit": seconds},
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one call, the mean of as many as take a fifth of a second."""
    result, calls, begin = None, 0, time.process_time()
    while not calls or time.process_time() - begin < LEAST_SECONDS:
        result, calls = work(), calls + 1
    return (time.process_time() - begin) / calls, result


def compare(customers: int, minutes: float) -> None:
    """Print the seconds and gaps of one size."""
    problem, budget = alternatives(customers)
    ours, plan = timed(lambda: select_levels(problem, budget=budget))
    assert plan.within_budget
    print(f"{customers:>9,} customers  greedy {ours:9.4f} s  gap {plan.gap:.1e}", end="")
    if customers <= MOST_FOR_EXACT:
        seconds, exact = timed(lambda: select_levels(problem, budget=budget, method="exact"))
        assert plan.value <= exact.value * (1 + GAP) and exact.value <= plan.bound * (1 + GAP)
        print(f"  exact {seconds:8.4f} s  gap {exact.gap:.1e}", end="")
    if customers <= MOST_FOR_SOLVER:
        theirs, answer = timed(lambda: solved(problem, budget, 60 * minutes))
        at_least = "" if answer.status == 0 else "at least "
        gap = answer.mip_gap if answer.x is not None else float("nan")
        print(f"  HiGHS {theirs:8.2f} s  gap {gap:.1e}  {at_least}{theirs / ours:,.0f}x", end="")
        if answer.x is not None:
            assert -answer.fun <= plan.bound * (1 + GAP)
            print(f"  plan above HiGHS' by {(plan.value + answer.fun) / plan.value:+.1e}", end="")
    print(flush=True)


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", nargs="+", type=int, default=[10**k for k in range(3, 7)])
    parser.add_argument("--minutes", type=float, default=1.0, help="given to HiGHS for each size")
    arguments = parser.parse_args()
    for customers in arguments.customers:
        compare(customers, arguments.minutes)


if __name__ == "__main__":
    main()
