"""Two-way fixed-effect elasticities of a million rows against pyfixest, linearmodels and dummies.

    python -m benchmarks.elasticity                    # 1,000,000 rows
    python -m benchmarks.elasticity --rows 100000 --units 2000

A price follows unobserved demand; units and periods are absorbed, a cost shock is the instrument,
errors are clustered by unit.  The library sweeps the effects out once for everything, its
first-stage diagnostics included; pyfixest and linearmodels (AbsorbingLS, which has no instruments,
so without) do the same regression.  Dummies are possible at a small size only: 10,000 units of a
million rows would take 80 GB.  CPU seconds, in one process, after a first call for the imports;
set OPENBLAS_NUM_THREADS=1, or idle threads are counted too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from keycustomer.pricing import price_elasticity

TRUE = -2.0
DUMMY_ROWS, DUMMY_UNITS = 20_000, 400
"""Size at which a regression with dummies is run too."""

AGREE = 1e-6
"""Largest difference between two ways to the same estimate."""

GOAL = 10.0
"""CPU seconds that a million rows may take."""


def panel(rows: int, units: int, periods: int) -> pd.DataFrame:
    """Draw a panel with endogenous prices."""
    chance = np.random.default_rng(0)
    unit, period = chance.integers(0, units, rows), chance.integers(0, periods, rows)
    shock, demand, other = 0.1 * chance.normal(size=(3, rows))
    log_price = shock + 0.5 * demand + other + 0.01 * (unit % 7)
    log_quantity = TRUE * log_price + demand + 0.1 * (unit % 11) + 0.01 * period
    return pd.DataFrame(
        {
            "unit": unit,
            "period": period,
            "price": np.exp(log_price),
            "quantity": np.exp(log_quantity),
            "cost_shock": shock,
            "lp": log_price,
            "lq": log_quantity,
        }
    )


def library(frame: pd.DataFrame, method: str) -> float:
    """Estimate by this library."""
    found = price_elasticity(
        frame,
        method=method,
        effects=("unit", "period"),
        cluster="unit",
        instruments="cost_shock" if method == "iv" else (),
    )
    return float(found.own["elasticity"].iloc[0])


def by_pyfixest(frame: pd.DataFrame, method: str) -> float:
    """Estimate by pyfixest."""
    import pyfixest

    formula = {
        "iv": "lq ~ 1 | unit + period | lp ~ cost_shock",
        "fixed effects": "lq ~ lp | unit + period",
    }
    if method == "poisson":
        fit = pyfixest.fepois("quantity ~ lp | unit + period", frame, vcov={"CRV1": "unit"})
    else:
        fit = pyfixest.feols(formula[method], frame, vcov={"CRV1": "unit"})
    return float(fit.coef()["lp"])


def by_linearmodels(frame: pd.DataFrame) -> float:
    """Estimate by absorbing least squares, which has no instruments."""
    from linearmodels.iv import AbsorbingLS

    absorb = frame[["unit", "period"]].astype("category")
    fit = AbsorbingLS(frame["lq"], frame[["lp"]], absorb=absorb).fit(
        cov_type="clustered", clusters=frame["unit"]
    )
    return float(fit.params["lp"])


def by_dummies(frame: pd.DataFrame) -> float:
    """Estimate by two-stage least squares on a dummy for each unit and period."""
    from linearmodels.iv import IV2SLS

    dummies = pd.get_dummies(frame[["unit", "period"]].astype("category"), drop_first=True)
    exogenous = dummies.astype(float).assign(constant=1.0)
    fit = IV2SLS(frame["lq"], exogenous, frame["lp"], frame["cost_shock"]).fit(
        cov_type="clustered", clusters=frame["unit"]
    )
    return float(fit.params["lp"])


def timed(run: Callable[[], float]) -> tuple[float, float]:
    """Run it, and give the result and the CPU seconds."""
    begin = time.process_time()
    value = run()
    return value, time.process_time() - begin


def compare(name: str, size: int, own: Callable[[], float], **peers: Callable[[], float]) -> bool:
    """Print the library's seconds and each peer's; tell whether all agree and the goal is met."""
    value, seconds = timed(own)
    print(f"{name:28} {size:>10,} rows  library {seconds:7.2f} CPU s  ({value:.6f})", flush=True)
    fine = seconds < GOAL
    for peer, run in peers.items():
        other, taken = timed(run)
        agree = abs(other - value) < AGREE
        fine &= agree
        said = "" if agree else f"  DIFFERS: {other:.6f}"
        print(f"{'':28} {'':>10}       {peer} {taken:7.2f} CPU s  {taken / seconds:5.1f}x{said}")
    return fine


def main() -> int:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--periods", type=int, default=500)
    asked = parser.parse_args()
    warm = panel(2_000, 40, 24)
    for method in ("iv", "poisson"):
        timed(lambda method=method: library(warm, method))
        timed(lambda method=method: by_pyfixest(warm, method))
    large = panel(asked.rows, asked.units, asked.periods)
    small = panel(DUMMY_ROWS, DUMMY_UNITS, 24)
    fine = [
        compare(
            "instruments, dummies too",
            len(small),
            lambda: library(small, "iv"),
            dummies=lambda: by_dummies(small),
            pyfixest=lambda: by_pyfixest(small, "iv"),
        ),
        compare(
            "instruments",
            len(large),
            lambda: library(large, "iv"),
            pyfixest=lambda: by_pyfixest(large, "iv"),
        ),
        compare(
            "least squares",
            len(large),
            lambda: library(large, "fixed effects"),
            pyfixest=lambda: by_pyfixest(large, "fixed effects"),
            linearmodels=lambda: by_linearmodels(large),
        ),
        compare(
            "Poisson",
            len(large),
            lambda: library(large, "poisson"),
            pyfixest=lambda: by_pyfixest(large, "poisson"),
        ),
    ]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    raise SystemExit(main())
