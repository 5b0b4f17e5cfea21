"""How often the intervals of lifetime models contain the truth, in simulated cohorts.

    python -m benchmarks.coverage                                  # an hour
    python -m benchmarks.coverage --customers 2000 --cohorts 100 --draws 200
    python -m benchmarks.coverage --whole-days                     # purchases recorded by day

Cohorts are drawn from each model with parameters near those of CDNOW and fitted; every parameter
has a Wald interval (of its logarithm, from the exact information) and a bootstrap interval
(customers drawn with replacement).  Printed are, for each parameter, the median estimate beside
the truth, the share of the cohorts whose interval contains the truth, and the median ratio of the
interval's ends.  A cohort whose likelihood is largest at infinity has no Wald interval for the
parameters that went there; it is counted as a limit and left out.  With `--draws 0` there is no
bootstrap.

With whole days the models are fitted to histories as customer bases record them, where purchases
of one day are one and times are rounded, so that what is measured is the price of that, too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from keycustomer.lifetime import (
    BetaLaw,
    GammaLaw,
    fit_bgnbd,
    fit_gammagamma,
    fit_mbgnbd,
    fit_paretonbd,
    simulate_customers,
    simulate_spend,
)
from keycustomer.lifetime.resampling import parameter_intervals

OBSERVED = np.arange(27.0, 39.0 + 1e-9, 1 / 7)
"""Weeks since the first purchase: customers won over twelve weeks, watched to the 39th."""

RATES = GammaLaw(0.55, 10.6)
DROPOUT = {
    "BG/NBD": BetaLaw(0.79, 2.43),
    "MBG/NBD": BetaLaw(0.81, 1.23),
    "Pareto/NBD": GammaLaw(0.61, 11.7),
}
SPEND = (6.25, 3.74, 15.44)

FITS: dict[str, Callable] = {
    "BG/NBD": fit_bgnbd,
    "MBG/NBD": fit_mbgnbd,
    "Pareto/NBD": fit_paretonbd,
    "Gamma-Gamma": fit_gammagamma,
}


def truth(model: str) -> np.ndarray:
    """Parameters the cohorts are drawn with."""
    if model == "Gamma-Gamma":
        return np.array(SPEND)
    return np.array([*vars(RATES).values(), *vars(DROPOUT[model]).values()])


def cohort(model: str, customers: int, whole_days: bool, seed: int) -> pd.DataFrame:
    """Draw a cohort."""
    generator = np.random.default_rng([seed, customers])
    if model != "Gamma-Gamma":
        return simulate_customers(
            model,
            RATES,
            DROPOUT[model],
            OBSERVED,
            customers=customers,
            whole_days=whole_days,
            seed=generator,
        )
    bought = simulate_customers(
        "BG/NBD", RATES, DROPOUT["BG/NBD"], OBSERVED, customers=customers, seed=generator
    )
    return simulate_spend(bought["frequency"], *SPEND, seed=generator)


@dataclass
class Tally:
    """What the cohorts of one size said of one model's parameters."""

    true: np.ndarray
    estimates: list[np.ndarray] = field(default_factory=list)
    ends: dict[str, list[np.ndarray]] = field(default_factory=dict)
    limits: int = 0

    def add(self, frame: pd.DataFrame, kind: str) -> None:
        """Add the intervals of one cohort."""
        self.ends.setdefault(kind, []).append(frame[["lower", "upper"]].to_numpy(float))

    def coverage(self, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """Share of intervals with the truth in them, and the median ratio of their ends."""
        ends = np.array(self.ends[kind])
        covered = (ends[..., 0] <= self.true) & (self.true <= ends[..., 1])
        return covered.mean(0), np.median(ends[..., 1] / ends[..., 0], axis=0)


def study(model: str, customers: int, arguments: argparse.Namespace) -> None:
    """Fit the cohorts of one size and print what came out."""
    tally = Tally(truth(model))
    begin = time.process_time()
    for seed in range(arguments.cohorts):
        fitted = FITS[model](cohort(model, customers, arguments.whole_days, seed))
        if fitted.limit:
            tally.limits += 1
            continue
        names = fitted.names
        tally.estimates.append(fitted.values)
        tally.add(fitted.to_frame(arguments.level), "Wald")
        if arguments.draws:
            drawn = parameter_intervals(
                fitted, draws=arguments.draws, seed=seed, level=arguments.level
            )
            tally.add(drawn, "bootstrap")
    seconds = time.process_time() - begin
    print(
        f"\n{model}, {customers:,} customers, {arguments.cohorts} cohorts, "
        f"{tally.limits} in a limit, {seconds:.1f} CPU s"
    )
    if tally.estimates:
        print_table(names, tally)


def print_table(names: tuple[str, ...], tally: Tally) -> None:
    """Print one line a parameter."""
    columns = {"true": tally.true, "median": np.median(tally.estimates, axis=0)}
    for kind in tally.ends:
        columns[kind], columns[f"{kind} ratio"] = tally.coverage(kind)
    print(pd.DataFrame(columns, index=list(names)).round(3).to_string(), flush=True)


def main() -> None:
    """Study all models and sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(FITS), choices=list(FITS))
    parser.add_argument("--customers", nargs="+", type=int, default=[2_357, 10_000])
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--level", type=float, default=0.95)
    parser.add_argument("--whole-days", action="store_true")
    arguments = parser.parse_args()
    for model in arguments.models:
        for customers in arguments.customers:
            study(model, customers, arguments)


if __name__ == "__main__":
    main()
