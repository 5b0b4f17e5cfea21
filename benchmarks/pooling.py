"""Elasticities of customers: empirical Bayes and the mixed model against statsmodels' MixedLM.

    python -m benchmarks.pooling                    # 200 and 2,000 customers
    python -m benchmarks.pooling --customers 200

Panels with known elasticities (few large customers seen often, many small ones seldom).  Of each
program: CPU seconds, root mean squared error of the customers' elasticities, and how many of its
95 % intervals hold the truth (MixedLM gives none that count the errors of the fixed part).  Set
OMP_NUM_THREADS=1, or idle threads are counted too.

Goal: empirical Bayes in a twentieth of the time of MixedLM, as near to the truth, with intervals
that cover.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from keycustomer.pricing import KnownCustomers, customer_elasticities, known_customers

TIERS = {"A": (0.1, 60), "B": (0.3, 24), "C": (0.6, 8)}
"""Share of the customers, and months of each."""


def panel(customers: int, seed: int) -> KnownCustomers:
    """Draw a panel of so many customers."""
    sizes = {tier: (round(share * customers), months) for tier, (share, months) in TIERS.items()}
    return known_customers(sizes=sizes, seed=seed)


def mixed_lm(known: KnownCustomers) -> pd.DataFrame:
    """Fit the same mixed model by statsmodels."""
    import statsmodels.formula.api as smf

    frame = known.frame.assign(x=np.log(known.frame["price"]), y=np.log(known.frame["quantity"]))
    model = smf.mixedlm("y ~ 0 + tier + tier:x", frame, groups="unit", re_formula="~x")
    fit = model.fit(reml=True)
    tier = frame.groupby("unit")["tier"].first()
    means = tier.map({name: fit.params[f"tier[{name}]:x"] for name in TIERS})
    own = pd.Series({unit: effects["x"] for unit, effects in fit.random_effects.items()})
    return pd.DataFrame({"elasticity": means + own, "lower": np.nan, "upper": np.nan})


def by_library(method: Any) -> Callable[[KnownCustomers], pd.DataFrame]:
    """Give the library's estimate by a method."""

    def estimated(known: KnownCustomers) -> pd.DataFrame:
        return customer_elasticities(known, method=method).frame.set_index("customer")

    return estimated


def measured(program: Callable[[KnownCustomers], pd.DataFrame], known: KnownCustomers) -> str:
    """Run a program and write what it took and how near it came."""
    start = time.process_time()
    found = program(known)
    seconds = time.process_time() - start
    truth = known.truth[found.index]
    error = float(np.sqrt(((found["elasticity"] - truth) ** 2).mean()))
    held = (found["lower"] <= truth) & (truth <= found["upper"])
    covers = f"{held.mean():8.1%}" if found["lower"].notna().any() else "    none"
    return f"{seconds:9.3f} s {error:9.3f} {covers}"


def main() -> None:
    """Print a table by number of customers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, nargs="+", default=[200, 2000])
    programs = {
        "no pooling": by_library("no pooling"),
        "empirical Bayes": by_library("empirical Bayes"),
        "mixed model": by_library("mixed model"),
        "MixedLM (statsmodels)": mixed_lm,
    }
    warm = panel(20, 0)
    for program in programs.values():
        program(warm)
    for customers in parser.parse_args().customers:
        known = panel(customers, seed=1)
        print(f"\n{customers:,} customers, {len(known.frame):,} rows")
        print(f"{'':24} {'CPU':>9}   {'error':>9} {'covers':>8}")
        for name, program in programs.items():
            print(f"{name:24} {measured(program, known)}", flush=True)


if __name__ == "__main__":
    main()
