"""Is a churn model any good on what it has not seen?  A later time, or other customers.

:func:`validate_churn` fits models on a part of the rows and scores them on the rest: `how="time"`
learns from the first months and is tested on the later ones, as in use; `how="customers"` learns
from some customers and is tested on others (folds, every customer tested once); `how="both"` asks
for both at once.  Rows of one customer never lie on both sides by chance, which would let a model
recognise customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.churn.checks import events_of, need_columns_of
from keycustomer.relationships.churn.model import as_table, clusters_of, fit_churn
from keycustomer.relationships.churn.scores import MEASURES, ChurnScores, churn_scores
from keycustomer.relationships.churn.table import ChurnTable
from keycustomer.stats import Estimate, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.regressions.clustering import folds_of
from keycustomer.stats.samples import FloatArray

How: TypeAlias = Literal["time", "customers", "both"]
Models: TypeAlias = Sequence[str] | Mapping[str, Mapping[str, Any]]
Part: TypeAlias = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]

SAME = "same for all"
"""The baseline: everybody leaves at the rate of the rows learnt from."""

TRUTH = "truth"
"""The true probabilities, where they are known: nobody can do better but by luck."""

LATER = 1 / 3
"""Share of the periods that are kept for the test when nothing else is said."""


@dataclass(frozen=True, eq=False)
class ChurnValidation:
    """Models scored on rows they have not seen.

    Attributes
    ----------
    how : {"time", "customers", "both"}
        What was kept for the test.
    since : float or None
        First period of the test; None when the test is by customers alone.
    scores : dict of str to ChurnScores
        By model, with `SAME` and, where given, `TRUTH`.
    predictions : DataFrame
        Customer, time, event and one column a model, of the rows of the test.
    learnt, tested : int
        Rows learnt from (mean over folds) and rows tested.
    """

    how: How
    since: float | None
    scores: dict[str, ChurnScores]
    predictions: pd.DataFrame = field(repr=False)
    learnt: int
    tested: int

    @property
    def models(self) -> list[str]:
        """Names of the models, without baseline and truth."""
        return [name for name in self.scores if name not in (SAME, TRUTH)]

    @property
    def attainable_auc(self) -> float:
        """Area under the curve of the true probabilities; NaN where they are not known."""
        return self.scores[TRUTH].auc.estimate if TRUTH in self.scores else np.nan

    def difference(self, one: str, other: str, measure: str = "auc") -> Estimate:
        """Compare two models on the same resamples of customers.

        Parameters
        ----------
        one, other : str
            Names of models.
        measure : str
            One of `MEASURES`.

        Returns
        -------
        Estimate
            `one` less `other`.

        Raises
        ------
        ValueError
            When a model or measure does not exist.
        """
        if measure not in MEASURES:
            raise ValueError(f"measure={measure!r}: allowed are {list(MEASURES)}")
        for name in (one, other):
            if name not in self.scores:
                raise ValueError(f"there is no model {name!r}; there are {list(self.scores)}")
        first, second = self.scores[one], self.scores[other]
        place = list(MEASURES).index(measure)
        gap = first.estimates[measure].estimate - second.estimates[measure].estimate
        return bootstrap_estimate(
            gap,
            first.draws[:, place] - second.draws[:, place],
            unit=f"difference in {MEASURES[measure]}",
            n=first.customers,
            level=first.estimates[measure].level,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a model and measure: model, measure, estimate, lower, upper, unit."""
        return pd.concat([one.to_frame() for one in self.scores.values()], ignore_index=True)

    def table(self) -> pd.DataFrame:
        """One row a model: auc, brier, brier_skill, ece, ece if calibrated, limit, slope."""
        rows = [
            {measure: one.estimates[measure].estimate for measure in (*MEASURES, "slope")}
            | {"ece_if_calibrated": one.if_calibrated, "ece_limit": one.limit}
            | {"calibrated": one.calibrated}
            for one in self.scores.values()
        ]
        return pd.DataFrame(rows, index=pd.Index(list(self.scores), name="model")).reset_index()

    def _repr_html_(self) -> str:
        told = {
            "time": f"learnt before period {self.since}, tested from it on",
            "customers": "learnt from some customers, tested on others",
            "both": f"learnt before period {self.since}, tested on other customers after",
        }[self.how]
        tested = next(iter(self.scores.values()))
        sentences = [
            f"Test: {told}; {tested.rows:,} rows of {tested.customers:,} customers, "
            f"{tested.events:,} left.",
            *(self.scores[name].sentence() for name in self.models),
        ]
        return report_html("Validation of churn models", sentences, {"Scores": self.table()})


def validate_churn(
    table: ChurnTable | pd.DataFrame,
    models: Models = ("logistic", "boosting"),
    *,
    how: How = "time",
    since: float | None = None,
    folds: int = 5,
    truth: str | None = None,
    bins: int = 10,
    draws: int = 300,
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
    **columns: Any,
) -> ChurnValidation:
    """Fit models on a part of the rows and score them on the rest.

    Parameters
    ----------
    table : ChurnTable or DataFrame
        As for :func:`~keycustomer.relationships.fit_churn`.
    models : sequence of str, or mapping
        Kinds of models; or arguments of `fit_churn` by name, such as
        ``{"ridge": {"model": "logistic", "penalty": "path"}}``.
    how : {"time", "customers", "both"}
        What is kept for the test.
    since : float, optional
        First period of the test; left out, the last third of the periods.
    folds : int
        Parts of the customers, for "customers" and "both".
    truth : str, optional
        Column of the true probabilities, to be scored beside the models.
    bins, draws, level
        See :func:`~keycustomer.relationships.churn_scores`.
    seed : int or Generator
        Of folds, models and resamples.
    progress : callable, optional
        Called with models fitted and in all.
    **columns
        `features`, `event`, `customer`, `time` of a frame.

    Returns
    -------
    ChurnValidation

    Raises
    ------
    ValueError
        When an argument is not allowed, there is no time to split by, or a part has no events.
    """
    rows = as_table(table, **columns)
    chosen = named_models(models)
    if how not in ("time", "customers", "both"):
        raise ValueError(f"how={how!r}: allowed are 'time', 'customers' and 'both'")
    if truth is not None:
        need_columns_of(rows.frame, [truth], "table")
    generator = np.random.default_rng(seed)
    first = _first_period(rows, since) if how != "customers" else None
    parts = list(_parts(rows, how, first, folds, generator))
    predicted = _predict_parts(rows, chosen, parts, int(generator.integers(2**31)), progress)
    tested = np.logical_or.reduce([test for _, test in parts])
    if truth is not None:
        predicted[TRUTH] = rows.frame[truth].to_numpy(float)
    event = events_of(rows.frame, rows.event)[tested]
    owner = rows.frame[rows.customer].to_numpy()[tested]
    draw_seed = int(generator.integers(2**31))
    scores = {
        name: churn_scores(
            event, values[tested], owner, name=name, bins=bins, draws=draws, level=level,
            seed=draw_seed,
        )
        for name, values in predicted.items()
    }  # fmt: skip
    keys = [rows.customer, *filter(None, [rows.time]), rows.event]
    frame = rows.frame.loc[tested, keys].reset_index(drop=True)
    predictions = frame.assign(**{name: values[tested] for name, values in predicted.items()})
    learnt = int(np.mean([train.sum() for train, _ in parts]))
    return ChurnValidation(how, first, scores, predictions, learnt, int(tested.sum()))


def named_models(models: Models) -> dict[str, dict[str, Any]]:
    """Give arguments of `fit_churn` by the name of the model.

    Raises
    ------
    ValueError
        When there is none, or a name is taken.
    """
    if isinstance(models, str):
        models = (models,)
    given = models if isinstance(models, Mapping) else {name: {"model": name} for name in models}
    if not given:
        raise ValueError("models: at least one is needed, such as ('logistic',)")
    if taken := {SAME, TRUTH} & set(given):
        raise ValueError(f"models: the names {sorted(taken)} are taken; choose others")
    return {name: dict(arguments) for name, arguments in given.items()}


def _first_period(table: ChurnTable, since: float | None) -> float:
    """First period of the test."""
    if not table.time:
        raise ValueError(
            "how='time' needs a column of periods, and the table is a cross-section; test on other "
            "customers: how='customers'"
        )
    times = np.unique(table.frame[table.time].to_numpy())
    if len(times) < 2:
        raise ValueError(f"column {table.time!r}: one period alone cannot be split by time")
    if since is None:
        return float(times[int(np.floor(len(times) * (1 - LATER)))])
    if not times[0] < since <= times[-1]:
        raise ValueError(
            f"since={since!r}: a period after the first one ({times[0]}) and up to the last one "
            f"({times[-1]}) is needed"
        )
    return float(since)


def _parts(
    table: ChurnTable, how: How, first: float | None, folds: int, generator: np.random.Generator
) -> Iterator[Part]:
    """Rows learnt from and rows tested, part by part."""
    everybody = np.ones(len(table.frame), dtype=bool)
    later = everybody if first is None else table.frame[table.time].to_numpy() >= first
    earlier = everybody if first is None else ~later
    if how == "time":
        yield earlier, later
        return
    cluster = clusters_of(table)
    most = int(cluster.max()) + 1
    if isinstance(folds, bool) or not 2 <= folds <= most:
        raise ValueError(f"folds={folds!r}: from 2 to the {most:,} customers are possible")
    fold = folds_of(cluster, folds, generator)
    for k in range(folds):
        yield earlier & (fold != k), later & (fold == k)


def _predict_parts(
    table: ChurnTable,
    models: dict[str, dict[str, Any]],
    parts: list[Part],
    seed: int,
    progress: Progress | None,
) -> dict[str, FloatArray]:
    """Predictions of every row that is tested, by model; NaN elsewhere."""
    predicted = {name: np.full(len(table.frame), np.nan) for name in (*models, SAME)}
    event = events_of(table.frame, table.event)
    # one rate for all folds: rates by fold would fall where more left, and rank against the truth
    predicted[SAME][:] = np.mean([event[train].mean() for train, _ in parts])
    done = 0
    for train, test in parts:
        if not test.any():
            continue
        rows, aside = table.with_rows(table.frame[train]), table.frame[test]
        for name, arguments in models.items():
            fitted = fit_churn(rows, seed=seed, **arguments)
            predicted[name][test] = fitted.predict(aside).to_numpy()
            done += 1
            if progress:
                progress(done, len(parts) * len(models))
    return predicted
