"""Fits of lifetime models against lifetimes: CPU time, memory, evaluations, growth.

    python -m benchmarks.lifetime_fits                       # CDNOW, 1 and 10 million simulated
    python -m benchmarks.lifetime_fits --peers-on 1e5        # the peers on simulated customers, too

Every fit runs in a process of its own, from a table of customers in memory to parameters with
standard errors; what is timed is the fit alone, reading the table included, the fastest of several
where it is short.  The peers get the same customers.  `short of` says by how much the
log-likelihood that a peer reached lies below ours.  Memory is the largest of the process while it
fits; what it held before (imports and the table) is said.

CDNOW is the first 39 weeks of the shipped purchases, all 23,570 customers or each tenth.
Simulated customers have CDNOW's parameters and whole days; they were won over a quarter, as
CDNOW's, or over two years, which makes many more different histories.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measure import ROOT, in_own_process

DATA = ROOT / "benchmarks" / "data"
BLOCK = 500_000
"""Customers simulated at once."""

DRAWS = 200
ENOUGH = 2.0
"""CPU seconds after which no fit is repeated."""

MOST_REPEATS = 100

GOALS = {"BG/NBD": 45, "Pareto/NBD": 65, "Gamma-Gamma": 20}
"""Times as fast as lifetimes on all of CDNOW, by CPU time."""

OURS = {
    "BG/NBD": "fit_bgnbd",
    "MBG/NBD": "fit_mbgnbd",
    "Pareto/NBD": "fit_paretonbd",
    "Gamma-Gamma": "fit_gammagamma",
}
LIFETIMES = {
    "BG/NBD": "BetaGeoFitter",
    "MBG/NBD": "ModifiedBetaGeoFitter",
    "Pareto/NBD": "ParetoNBDFitter",
    "Gamma-Gamma": "GammaGammaFitter",
}
PYMC = {
    "BG/NBD": "BetaGeoModel",
    "MBG/NBD": "ModifiedBetaGeoModel",
    "Pareto/NBD": "ParetoNBDModel",
    "Gamma-Gamma": "GammaGammaModel",
}
WON = {"quarter": (27, 39), "two years": (1, 104)}
"""Ages of simulated customers in weeks, by how long they were won for."""

Fit = Callable[[], Mapping[str, float]]


def cdnow(each: int) -> pd.DataFrame:
    """Return a customer table of CDNOW's first 39 weeks, of each so-many-th customer."""
    folder = Path(importlib.util.find_spec("lifetimes").origin).parent / "datasets"
    names = ["customer_id", "date", "units", "revenue"]
    lines = pd.read_csv(
        folder / "CDNOW_master.txt", sep=r"\s+", header=0, names=names, parse_dates=["date"]
    )
    end = pd.Timestamp(1997, 9, 30)
    lines = lines[(lines["date"] <= end) & (lines["customer_id"] % each == 0)]
    days = lines.groupby(["customer_id", "date"], as_index=False)["revenue"].sum()
    days["again"] = days["revenue"].where(days["customer_id"].duplicated())
    table = days.groupby("customer_id").agg(
        frequency=("again", "count"),
        monetary_value=("again", "mean"),
        first=("date", "min"),
        last=("date", "max"),
    )
    table["recency"] = (table["last"] - table["first"]).dt.days.astype(float)
    table["T"] = (end - table["first"]).dt.days.astype(float)
    return table[["frequency", "recency", "T", "monetary_value"]].reset_index(drop=True)


def simulated(customers: int, won: str) -> Path:
    """Return the file of so many simulated customers, made once."""
    from keycustomer.lifetime import BetaLaw, GammaLaw, simulate_customers, simulate_spend

    path = DATA / f"customers_{customers}_{won.replace(' ', '_')}.npy"
    if path.exists():
        return path
    DATA.mkdir(exist_ok=True)
    print(f"simulating {customers:,} customers", flush=True)
    generator = np.random.default_rng(39)
    ages = np.arange(7 * WON[won][0], 7 * WON[won][1] + 1) / 7
    laws = GammaLaw(0.25, 4.8), BetaLaw(0.72, 2.16)
    rows = np.empty((4, customers), dtype=np.float32)
    for start in range(0, customers, BLOCK):
        size = min(BLOCK, customers - start)
        drawn = simulate_customers(
            "BG/NBD", *laws, ages, customers=size, whole_days=True, seed=generator
        )
        spend = simulate_spend(drawn["frequency"], 6.3, 3.6, 15.0, seed=generator)
        table = drawn[["frequency", "recency", "T"]].assign(m=spend["monetary_value"].round(2))
        rows[:, start : start + size] = table.to_numpy().T
    np.save(path, rows)
    return path


def table_of(source: str) -> pd.DataFrame:
    """Return the customer table of a source: `cdnow`, `cdnow tenth` or a file."""
    if source.startswith("cdnow"):
        return cdnow(10 if source.endswith("tenth") else 1)
    columns = ("frequency", "recency", "T", "monetary_value")
    table = {}
    for place, name in enumerate(columns):
        # mapped anew for each column, so that the pages of the file are given back
        row = np.load(source, mmap_mode="r")[place]
        table[name] = row.astype(np.int64 if name == "frequency" else np.float64)
    table["monetary_value"][table["frequency"] == 0] = np.nan
    return pd.DataFrame(table, copy=False)


def ours(model: str, table: pd.DataFrame) -> Fit:
    """Return a fit by the library."""
    from keycustomer import lifetime

    function = getattr(lifetime, OURS[model])

    def fit() -> dict[str, float]:
        begin = time.process_time()
        read = table if model == "Gamma-Gamma" else lifetime.read_histories(table)
        reading = time.process_time() - begin
        fitted = function(read)
        told = {"evaluations": fitted.evaluations, "log_likelihood": fitted.log_likelihood}
        if model != "Gamma-Gamma":
            told |= {"rows": fitted.histories.rows, "reading": reading}
        return told

    return fit


def lifetimes(model: str, table: pd.DataFrame) -> Fit:
    """Return a fit by lifetimes.

    What it stores as likelihood is one of times it has scaled, and a mean but for the Pareto/NBD,
    whose search it begins at random.
    """
    import lifetimes as peer

    kind = getattr(peer, LIFETIMES[model])
    counted = _count_calls(kind)
    if model == "Gamma-Gamma":
        table = table[(table["frequency"] > 0) & (table["monetary_value"] > 0)]
        given = [table["frequency"], table["monetary_value"]]
    else:
        given = [table["frequency"], table["recency"] / 7, table["T"] / 7]

    def fit() -> dict[str, float]:
        counted.clear()
        np.random.seed(1)
        fitter = kind().fit(*given)
        total = -fitter._negative_log_likelihood_ * (1 if model == "Pareto/NBD" else len(table))
        if model != "Gamma-Gamma":
            total += table["frequency"].sum() * math.log(fitter._scale)
        return {"evaluations": len(counted), "log_likelihood": float(total)}

    return fit


def _count_calls(kind: type) -> list[int]:
    """Make a fitter of lifetimes note every evaluation of its likelihood."""
    calls: list[int] = []
    likelihood = kind._negative_log_likelihood

    def noted(*arguments: object) -> float:
        calls.append(1)
        return likelihood(*arguments)

    kind._negative_log_likelihood = staticmethod(noted)
    return calls


def pymc(model: str, table: pd.DataFrame) -> Fit:
    """Return a fit by pymc-marketing's fast mode, the largest posterior under its priors."""
    from pymc_marketing import clv

    if model == "Gamma-Gamma":
        table = table[(table["frequency"] > 0) & (table["monetary_value"] > 0)]
    weeks = table.assign(recency=table["recency"] / 7, T=table["T"] / 7)
    data = weeks.assign(customer_id=np.arange(len(weeks))).reset_index(drop=True)
    kind = getattr(clv, PYMC[model])

    def fit() -> dict[str, float]:
        kind(data=data).fit(method="map", progressbar=False)
        return {}

    return fit


def refits(model: str, table: pd.DataFrame) -> Fit:
    """Return bootstrap refits by the library, their first fit included."""
    from keycustomer import lifetime

    function = getattr(lifetime, OURS[model])

    def fit() -> dict[str, float]:
        lifetime.parameter_intervals(function(table), draws=DRAWS, seed=1)
        return {}

    return fit


WAYS: dict[str, Callable[[str, pd.DataFrame], Fit]] = {
    "library": ours,
    "lifetimes": lifetimes,
    "pymc": pymc,
    "refits": refits,
}


def job(way: str, model: str, source: str) -> None:
    """Fit in this process and print what it took."""
    table = table_of(source)
    fit = WAYS[way](model, table)
    loaded = _forget_peak()
    fits: list[dict[str, float]] = []
    while not fits or (sum(fit["cpu"] for fit in fits) < ENOUGH and len(fits) < MOST_REPEATS):
        begin = time.process_time()
        told = fit()
        fits.append({"cpu": time.process_time() - begin, **told})
    fastest = min(fits, key=lambda fit: fit["cpu"])
    print(json.dumps({**fastest, "loaded": loaded, "peak": _peak()}))


def _peak() -> int:
    """Return the largest memory so far, bytes."""
    if sys.platform == "linux":
        return _status("VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _forget_peak() -> int:
    """Return the memory held now, bytes; on Linux, measure the peak from here."""
    if sys.platform != "linux":
        return _peak()
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    """Return a figure of this process, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def run(way: str, model: str, source: str) -> dict[str, float]:
    """Fit in a process of its own, on one thread."""
    call = f"from benchmarks.lifetime_fits import job; job({way!r}, {model!r}, {source!r})"
    command = [sys.executable, "-W", "ignore", "-c", call]
    _, output = in_own_process(command, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    return json.loads(output.splitlines()[-1])


def show(way: str, model: str, told: Mapping[str, float], own: Mapping[str, float]) -> None:
    """Print what a fit took, a peer's beside ours."""
    line = (
        f"  {model:12} {way:10} {1000 * told['cpu']:12,.1f} CPU ms  "
        f"{told['peak'] / 2**20:6,.0f} MB ({told['loaded'] / 2**20:,.0f} before)"
    )
    if "evaluations" in told:
        line += f"  {told['evaluations']:5,.0f} evaluations"
    if "rows" in told:
        line += f"  {told['rows']:,.0f} rows, {1000 * told['reading']:,.1f} ms to read them"
    if told is not own:
        line += f"  {told['cpu'] / own['cpu']:,.1f} times ours"
    if told is not own and "log_likelihood" in told:
        line += f"  {own['log_likelihood'] - told['log_likelihood']:.3g} short of ours"
    print(line, flush=True)


def compare(title: str, source: str, peers: list[str]) -> dict[str, dict[str, float]]:
    """Fit all models to a source, ours and the peers'; return what ours took."""
    print(title, flush=True)
    taken = {}
    for model in OURS:
        own = taken[model] = run("library", model, source)
        show("library", model, own, own)
        for peer in peers:
            theirs = run(peer, model, source)
            show(peer, model, theirs, own)
            if source == "cdnow" and peer == "lifetimes" and model in GOALS:
                ratio, goal = theirs["cpu"] / own["cpu"], GOALS[model]
                print(f"  {'':12} goal {goal} times: {'met' if ratio >= goal else 'MISSED'}")
    return taken


def bootstrap(source: str) -> None:
    """Print what bootstrap refits take beside one fit of lifetimes."""
    print(f"{DRAWS} bootstrap refits, {source}")
    for model in ("BG/NBD", "Pareto/NBD"):
        own, peer = run("refits", model, source), run("lifetimes", model, source)
        verdict = "met" if own["cpu"] < peer["cpu"] else "MISSED"
        print(
            f"  {model:12} {own['cpu']:.2f} CPU s; one fit of lifetimes {peer['cpu']:.2f} CPU s; "
            f"goal less than one: {verdict}",
            flush=True,
        )


def imports() -> None:
    """Print what importing costs."""
    print("import (whole process)")
    ways = {"nothing": "", "library": "from keycustomer.lifetime import fit_bgnbd"}
    ways |= {"library, all": "from keycustomer.lifetime import *", "lifetimes": "import lifetimes"}
    for name, line in ways.items():
        usages = [in_own_process([sys.executable, "-W", "ignore", "-c", line])[0] for _ in range(3)]
        least = min(usages, key=lambda usage: usage.cpu)
        print(f"  {name:14} {least.cpu:.2f} CPU s  {least.peak_memory / 2**20:,.0f} MB", flush=True)


def growth(taken: Mapping[int, Mapping[str, Mapping[str, float]]]) -> None:
    """Print how time grows from the smallest to the largest number of customers."""
    small, large = min(taken), max(taken)
    for model in OURS:
        one, other = taken[small][model], taken[large][model]
        fits = [told["cpu"] - told.get("reading", 0.0) for told in (one, other)]
        more = math.log(large / small)
        line = f"  {model:12} CPU time of a fit grows with customers^"
        line += f"{math.log(fits[1] / fits[0]) / more:.2f}"
        if "rows" in one:
            line += ", different histories with customers^"
            line += f"{math.log(other['rows'] / one['rows']) / more:.2f}"
            line += ", reading with customers^"
            line += f"{math.log(other['reading'] / one['reading']) / more:.2f}"
        print(line)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", nargs="*", type=float, default=[1e6, 1e7])
    parser.add_argument("--peers-on", nargs="*", type=float, default=[])
    arguments = parser.parse_args()
    peers = ["lifetimes", *(["pymc"] if importlib.util.find_spec("pymc_marketing") else [])]
    imports()
    compare("CDNOW, each tenth customer", "cdnow tenth", peers)
    compare("CDNOW", "cdnow", peers)
    bootstrap("cdnow tenth")
    bootstrap("cdnow")
    sizes = sorted({int(size) for size in [*arguments.customers, *arguments.peers_on]})
    for won in WON:
        taken = {}
        for size in sizes:
            beside = ["lifetimes"] if size in arguments.peers_on else []
            title = f"{size:,} simulated customers, won over a {won}".replace("a two", "two")
            taken[size] = compare(title, str(simulated(size, won)), beside)
        if len(taken) > 1:
            growth(taken)


if __name__ == "__main__":
    main()
