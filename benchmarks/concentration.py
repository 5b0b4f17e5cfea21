"""Concentration measures with 1,000 bootstrap draws, against a plain loop.

    python -m benchmarks.concentration                       # up to 235,700 customers
    python -m benchmarks.concentration --customers 1e6 --spending continuous

The plain loop does what a careful analyst writes: draw customers with replacement, call the
point functions on them, take quantiles. It computes seven measures; the library computes these,
ten deciles, ten groups of equal value and a hundred points of the curve with BCa intervals. Both
run in processes of their own, and the CPU seconds of starting and importing are taken off both.
The loop runs fewer draws on large bases and is scaled, since its cost is proportional to them.
Spending `in cents` has ties, as real spending has; `continuous` spending has none, which is the
worst case for the library.
"""

from __future__ import annotations

import argparse
import json
import math
import sys

import numpy as np
from keycustomer import pareto
from keycustomer.stats import percentile_interval

from benchmarks.measure import Usage, in_own_process, report

DRAWS = 1_000
LOOP_WORK = 4_000_000
"""Customers times draws that the plain loop is run on, at most `DRAWS` draws."""

SPENDING = ("in cents", "continuous")


def spending(customers: int, kind: str) -> np.ndarray:
    """Draw lognormal spending, one customer in twenty without any."""
    generator = np.random.default_rng(20)
    values = generator.lognormal(3.5, 1.3, customers)
    values[generator.random(customers) < 0.05] = 0
    return np.round(values, 2) if kind == "in cents" else values


def library(values: np.ndarray, draws: int) -> list[list[float]]:
    """Measure with the library."""
    result = pareto.concentration(values, draws=draws, seed=1)
    return [[e.lower, e.upper] for _, _, e in result.estimates()]


def plain_loop(values: np.ndarray, draws: int) -> list[list[float]]:
    """Measure with a plain loop over resampled arrays."""
    generator = np.random.default_rng(1)
    n = len(values)
    rows = [points(values[generator.integers(0, n, n)]) for _ in range(draws)]
    return [list(percentile_interval(column)) for column in np.array(rows).T]


def points(values: np.ndarray) -> list[float]:
    """Compute the seven measures by the point functions."""
    tops = [pareto.pareto_share(values, top) for top in (0.2, 0.1, 0.01)]
    others = (pareto.customers_for, pareto.gini, pareto.hhi, pareto.theil)
    return [*tops, *(measure(values) for measure in others)]


def job(method: str, customers: int, kind: str, draws: int) -> None:
    """Run one method in this process and print its intervals."""
    values = spending(customers, kind)
    work = {"library": library, "loop": plain_loop, "nothing": lambda *_: []}[method]
    print(json.dumps(work(values, draws)))


def run(method: str, customers: int, kind: str, draws: int) -> tuple[Usage, list[list[float]]]:
    """Run one method in a process of its own; generating and importing are taken off."""
    spent = []
    for name in ("nothing", method):
        call = f"job({name!r}, {customers}, {kind!r}, {draws})"
        command = [sys.executable, "-c", f"from benchmarks.concentration import job; {call}"]
        spent.append(in_own_process(command, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1"))
    (start, _), (whole, output) = spent
    net = Usage(whole.wall - start.wall, whole.cpu - start.cpu, whole.peak_memory)
    return net, json.loads(output.splitlines()[-1])


def compare(customers: int, kind: str) -> float:
    """Print what both took and the ratio; return the CPU seconds of the library."""
    loop_draws = min(DRAWS, max(LOOP_WORK // customers, 5))
    ours, intervals = run("library", customers, kind, DRAWS)
    loop, theirs = run("loop", customers, kind, loop_draws)
    report("library", customers, ours)
    report("plain loop", customers, loop)
    scaled = loop.cpu * DRAWS / loop_draws
    print(
        f"  {kind}: loop on {loop_draws:,} draws, {scaled:,.1f} CPU s for {DRAWS:,}; "
        f"ratio {scaled / ours.cpu:.1f}",
        flush=True,
    )
    if loop_draws == DRAWS:
        assert all(overlap(a, b) for a, b in zip(intervals, theirs, strict=True)), (
            intervals,
            theirs,
        )
    return ours.cpu


def overlap(one: list[float], two: list[float]) -> bool:
    """Whether two intervals of the same quantity share at least two thirds of the longer."""
    shared = min(one[1], two[1]) - max(one[0], two[0])
    return shared >= 2 / 3 * max(one[1] - one[0], two[1] - two[0])


def main() -> None:
    """Measure all sizes and print the ratios and the growth of the library's time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", nargs="+", type=float, default=[2_357, 23_570, 235_700])
    parser.add_argument("--spending", nargs="+", default=list(SPENDING), choices=SPENDING)
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.customers]
    for kind in arguments.spending:
        seconds = [compare(size, kind) for size in sizes]
        if len(sizes) > 1:
            growth = math.log(seconds[-1] / seconds[0]) / math.log(sizes[-1] / sizes[0])
            print(f"{kind}: CPU time of the library grows with customers^{growth:.2f}")


if __name__ == "__main__":
    main()
