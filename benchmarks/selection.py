"""Selection of relationship levels against HiGHS: seconds, and distance to the best plan.

    python -m benchmarks.selection                          # 1,000 to 1,000,000 customers
    python -m benchmarks.selection --customers 1000 --minutes 5

One choice of five levels for every customer under one budget, in CPU seconds: the library's greedy
plan with its bound, its exact plan, and the same integer programme given to HiGHS (through
scipy.optimize.milp) as it stands, asked for the best plan (or one within `--gap` of it).  HiGHS is
given a minute, up to ten thousand customers; where it has not finished by then the ratio is a lower
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
from keycustomer.relationships import (
    Alternatives,
    Selection,
    read_alternatives,
    select_levels,
)

BASE_COST = np.array([0.0, 2.0, 8.0, 30.0, 120.0])
RETENTION = np.array([0.60, 0.66, 0.72, 0.78, 0.82])
DISCOUNT_RATE = 0.1

BUDGET_SHARE = 0.15
"""Budget, as a share of what the highest level for everybody costs."""

SAME = 1e-6
"""Tolerance of the solver, relative."""

MOST_FOR_SOLVER = 10_000
"""Most customers that HiGHS is given."""

MOST_FOR_EXACT = 100_000
"""Most customers that the library's exact plan is asked for."""

LEAST_SECONDS = 0.2
"""A measurement is repeated until it has taken this long."""


def alternatives(customers: int, seed: int = 0) -> tuple[Alternatives, float]:
    """Draw values and costs of five levels, and a budget.

    The value is a margin times its multiple at a retention rate that rises with the level (Gupta &
    Lehmann 2005), by customer more or less.
    """
    generator = np.random.default_rng([customers, seed])
    margin = generator.lognormal(4, 1.2, customers)
    cost = BASE_COST * generator.lognormal(0, 0.25, (customers, 1))
    uplift = (RETENTION - RETENTION[0]) * generator.lognormal(0, 0.5, (customers, 1))
    retention = np.clip(RETENTION[0] + uplift, 0, 0.97)
    value = margin[:, None] * (1 + DISCOUNT_RATE) / (1 + DISCOUNT_RATE - retention)
    return read_alternatives(value, cost), BUDGET_SHARE * float(cost[:, -1].sum())


def solved(problem: Alternatives, budget: float, seconds: float, gap: float) -> Any:
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
        options={"mip_rel_gap": gap, "time_limit": seconds},
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one call, the mean of as many as take a fifth of a second."""
    result, calls, begin = None, 0, time.process_time()
    while not calls or time.process_time() - begin < LEAST_SECONDS:
        result, calls = work(), calls + 1
    return (time.process_time() - begin) / calls, result


def compare(customers: int, minutes: float, gap: float) -> None:
    """Print the mean seconds and largest gaps of the problems of one size."""
    problems = [alternatives(customers, seed) for seed in range(problems_of(customers))]
    greedy = [timed(lambda p=p, b=b: select_levels(p, budget=b)) for p, b in problems]
    plans = [plan for _, plan in greedy]
    assert all(plan.within_budget for plan in plans)
    ours = float(np.mean([seconds for seconds, _ in greedy]))
    line = f"{customers:>9,} customers x {len(plans):<2}  greedy {1000 * ours:8.2f} ms"
    line += f"  gap {max(plan.gap for plan in plans):.1e}"
    if customers <= MOST_FOR_EXACT:
        line += exact(problems, plans)
    if customers <= MOST_FOR_SOLVER:
        line += solver(problems, plans, ours, 60 * minutes, gap)
    # the solver itself writes lines, so ours is written at the end
    print(line, flush=True)


def exact(problems: list[Any], plans: list[Selection]) -> str:
    """Tell the seconds of the library's exact plan, and what the greedy one misses to it."""
    found = [
        timed(lambda p=p, b=b: select_levels(p, budget=b, method="exact")) for p, b in problems
    ]
    missing = [
        (best.value - plan.value) / best.value for (_, best), plan in zip(found, plans, strict=True)
    ]
    assert all(best.gap < SAME for _, best in found) and min(missing) > -SAME
    seconds = np.mean([seconds for seconds, _ in found])
    return f", misses {max(missing):.1e}  exact {1000 * seconds:7.0f} ms"


def solver(
    problems: list[Any], plans: list[Selection], ours: float, seconds: float, gap: float
) -> str:
    """Tell the seconds of HiGHS, its gap, and how many times faster the greedy plan is."""
    found = [timed(lambda p=p, b=b: solved(p, b, seconds, gap)) for p, b in problems]
    for (_, answer), plan in zip(found, plans, strict=True):
        assert answer.x is None or -answer.fun <= plan.bound * (1 + SAME)
    theirs = float(np.mean([seconds for seconds, _ in found]))
    left = max(np.inf if one.x is None else one.mip_gap for _, one in found)
    at_least = "" if all(one.status == 0 for _, one in found) else "at least "
    return f"  HiGHS {theirs:6.2f} s  gap {left:.1e}  {at_least}{theirs / ours:,.0f}x"


def problems_of(customers: int) -> int:
    """Count the problems of a size: several small ones, as HiGHS' time varies much."""
    return max(1, min(10, 10_000 // customers))


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", nargs="+", type=int, default=[10**k for k in range(3, 7)])
    parser.add_argument("--minutes", type=float, default=1.0, help="given to HiGHS for each size")
    parser.add_argument("--gap", type=float, default=0.0, help="HiGHS may stop at, relative")
    arguments = parser.parse_args()
    for customers in arguments.customers:
        compare(customers, arguments.minutes, arguments.gap)


if __name__ == "__main__":
    main()
