"""LMG by number of drivers, and its bootstrap, against a regression for every subset.

    python -m benchmarks.drivers                        # up to 20 drivers
    python -m benchmarks.drivers --drivers 10 15 --draws 1000

Three ways to the same importance, on the same correlation matrix, in CPU seconds: the library,
which finishes all subsets in one recursion; a sweep of all subsets in Gray-code order, which
changes one driver at a time; and a plain loop that solves a regression for every subset, as the
textbook has it.  Set OPENBLAS_NUM_THREADS=1, or idle threads are counted too.  Where a peer would
take minutes it is run on fewer drivers only.  The bootstrap draws respondents, and the library
computes all resamples together.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from itertools import compress

import numpy as np
from keycustomer.dimensions.drivers.scores import WeightedMoments
from keycustomer.dimensions.drivers.subsets import johnson_weights, lmg

RESPONDENTS = 1_000
SWEEP_DRIVERS, LOOP_DRIVERS = 16, 14
"""Most drivers that the peers are run on."""

LEAST_SECONDS = 0.2
"""A measurement is repeated until it has taken this long."""

AGREE = 1e-9
"""Largest difference between three ways to the same figure."""


def scores(drivers: int) -> np.ndarray:
    """Draw answers on drivers that go together, and an outcome."""
    generator = np.random.default_rng(drivers)
    values = generator.normal(size=(RESPONDENTS, drivers)) + generator.normal(size=(RESPONDENTS, 1))
    weights = np.linspace(1, 0, drivers)
    outcome = values @ weights + 2 * generator.normal(size=RESPONDENTS)
    return np.column_stack([values, outcome])


def plain_loop(correlations: np.ndarray) -> np.ndarray:
    """Solve a regression for every subset, then average what each driver adds."""
    p = len(correlations) - 1
    r2 = np.zeros(2**p)
    for mask in range(1, 2**p):
        inside = list(compress(range(p), (mask >> k & 1 for k in range(p))))
        among, with_outcome = correlations[np.ix_(inside, inside)], correlations[inside, -1]
        r2[mask] = with_outcome @ np.linalg.solve(among, with_outcome)
    return average(r2, p)


def gray_code_sweep(correlations: np.ndarray) -> np.ndarray:
    """Sweep one driver in or out at a time, in Gray-code order, then average."""
    p = len(correlations) - 1
    swept, r2, inside = correlations.copy(), np.zeros(2**p), 0
    for step in range(1, 2**p):
        k = (step & -step).bit_length() - 1
        pivot, row, column = swept[k, k], swept[k].copy(), swept[:, k].copy()
        swept -= np.outer(column, row) / pivot
        swept[k], swept[:, k], swept[k, k] = row / pivot, -column / pivot, 1 / pivot
        inside ^= 1 << k
        r2[inside] = 1 - swept[p, p]
    return average(r2, p)


def average(r2: np.ndarray, p: int) -> np.ndarray:
    """Average what each driver adds to R2, by the number of drivers already there."""
    subsets = np.arange(2**p)
    sizes = np.bitwise_count(subsets)
    weights = np.array(
        [math.factorial(k) * math.factorial(p - k - 1) / math.factorial(p) for k in range(p)]
    )
    importance = []
    for k in range(p):
        without = subsets[subsets >> k & 1 == 0]
        importance.append(weights[sizes[without]] @ (r2[without | 1 << k] - r2[without]))
    return np.array(importance)


def timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """CPU seconds of one call, the mean of as many as take a fifth of a second."""
    result, calls, begin = work(), 0, time.process_time()
    while not calls or time.process_time() - begin < LEAST_SECONDS:
        result, calls = work(), calls + 1
    return (time.process_time() - begin) / calls, result


def compare(drivers: int) -> None:
    """Print the seconds of the three ways, and check that they agree."""
    correlations = np.corrcoef(scores(drivers).T)
    ours, importance = timed(lambda: lmg(correlations))
    line = f"{drivers:3d} drivers {2**drivers:>9,} subsets  library {1000 * ours:10.3f} ms"
    for name, work, most in (
        ("sweep", gray_code_sweep, SWEEP_DRIVERS),
        ("plain loop", plain_loop, LOOP_DRIVERS),
    ):
        if drivers <= most:
            theirs, other = timed(lambda work=work: work(correlations))
            assert np.abs(other - importance).max() < AGREE, (name, drivers)
            line += f"  {name} {1000 * theirs:10.1f} ms ({theirs / ours:,.0f}x)"
    print(line, flush=True)


def compare_bootstrap(drivers: int, draws: int) -> None:
    """Print the seconds of a bootstrap, and those of a plain loop over one draw, scaled."""
    values = scores(drivers)
    moments = WeightedMoments(values)
    generator = np.random.default_rng(1)
    weights = generator.multinomial(RESPONDENTS, np.full(RESPONDENTS, 1 / RESPONDENTS), size=draws)
    begin = time.process_time()
    correlations = moments(weights.astype(float)).correlations
    matrices = time.process_time() - begin
    begin = time.process_time()
    lmg(correlations)
    ours = time.process_time() - begin
    axes, _ = timed(lambda: johnson_weights(correlations))
    line = (
        f"{drivers:3d} drivers {draws:,} draws  correlations {matrices:6.3f} s  LMG {ours:7.3f} s  "
        f"Johnson {axes:6.3f} s"
    )
    if drivers <= LOOP_DRIVERS:
        once, _ = timed(lambda: gray_code_sweep(np.corrcoef(values.T)))
        line += f"  sweep by draw {once * draws:8.1f} s ({once * draws / (matrices + ours):,.0f}x)"
    print(line, flush=True)


def main() -> None:
    """Measure all numbers of drivers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drivers", nargs="+", type=int, default=[5, 10, 12, 14, 16, 18, 20])
    parser.add_argument("--bootstrap", nargs="+", type=int, default=[5, 10, 12, 15])
    parser.add_argument("--draws", type=int, default=1_000)
    arguments = parser.parse_args()
    for drivers in arguments.drivers:
        compare(drivers)
    for drivers in arguments.bootstrap:
        compare_bootstrap(drivers, arguments.draws)


if __name__ == "__main__":
    main()
