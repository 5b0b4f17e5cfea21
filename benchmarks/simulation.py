"""The simulated company: time and memory by number of accounts, 36 months.

    python -m benchmarks.simulation                        # 500 to 1,000,000 accounts
    python -m benchmarks.simulation --accounts 500 1e5

Three jobs, each in a process of its own from which starting and importing are taken off: the
`process` with its panel and truth kept month by month, all `tables` of the data model made from it
(up to 10,000 accounts: they are frames of order lines), and `totals`, the totals per account of one
policy, which is what policies are compared by. Small companies are made several times and the time
is divided. The peer is a plain loop over accounts, the process itself on blocks of one account: the
ratio tells what going through all accounts at once brings. The loop runs few accounts and is
scaled, since accounts do not meet each other.
"""

from __future__ import annotations

import argparse
import sys

from keycustomer import simulate
from keycustomer.simulate import process

from benchmarks.measure import Usage, in_own_process, report

MONTHS = 36
LOOPED = 50
"""Accounts that the plain loop runs."""

REPEATED = 20_000
"""Companies below this size are made as often as makes so many accounts, 20 times at most."""

TABLES_UP_TO = 10_000

GOALS = {("process", 500): 1.0, ("tables", 500): 1.0, ("process", 100_000): 10.0}
"""CPU seconds that a job may take, by job and accounts."""


def job(name: str, accounts: int, times: int = 1) -> None:
    """Run one job in this process, so many times."""
    for _ in range(times):
        work(name, accounts)


def work(name: str, accounts: int) -> None:
    """Do the work of a job once."""
    if name == "process":
        simulate.simulate_company(accounts, MONTHS)
    elif name == "tables":
        simulate.simulate_company(accounts, MONTHS).tables()
    elif name == "totals":
        simulate.compare_policies([simulate.Policy()], accounts, MONTHS)
    elif name == "loop":
        process.BLOCK = 1
        simulate.simulate_company(accounts, MONTHS)
    elif name == "nothing":
        simulate.simulate_company(1, 1).tables()


def run(name: str, accounts: int, times: int = 1) -> Usage:
    """Run one job in a process of its own."""
    command = [
        sys.executable,
        "-c",
        f"from benchmarks.simulation import job; job({name!r}, {accounts}, {times})",
    ]
    used, _ = in_own_process(command, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    return used


def net(name: str, accounts: int, start: Usage) -> Usage:
    """Run one job and take starting and importing off."""
    times = max(1, min(20, REPEATED // accounts))
    used = run(name, accounts, times)
    wall, cpu = (used.wall - start.wall) / times, (used.cpu - start.cpu) / times
    return Usage(wall, cpu, used.peak_memory)


def main() -> None:
    """Measure all sizes, print the ratios, and hold the times to the goals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--accounts", nargs="+", type=float, default=[500, 10_000, 100_000, 1_000_000]
    )
    start = run("nothing", 1)
    each = net("loop", LOOPED, start).cpu / LOOPED
    print(f"plain loop: {1000 * each:.1f} CPU ms an account, from {LOOPED}")
    for accounts in (int(size) for size in parser.parse_args().accounts):
        for name in ("totals", "process", "tables"):
            if name == "tables" and accounts > TABLES_UP_TO:
                continue
            used = net(name, accounts, start)
            report(name, accounts, used)
            print(f"  plain loop / {name}: {each * accounts / used.cpu:,.0f}", flush=True)
            goal = GOALS.get((name, accounts))
            assert goal is None or used.cpu < goal, f"{name} of {accounts:,}: {used.cpu:.1f} s"


if __name__ == "__main__":
    main()
