"""The trap of class weights: "balancing" those who left ruins the probabilities.

Few leave in a month, so that many weight them up until they count as much as the rest, or throw
away most who stayed.  :func:`class_weight_trap` fits both ways and shows that ranking stays as it
is, while the probabilities become many times too large: everything computed from them (expected
months, lifetime value, who is worth an offer) is wrong.  Dividing the odds by the ratio of the
weights mends most of it; not weighting at all is simpler.

Sources: King & Zeng (2001), Political Analysis 9, for the correction of the odds; van den Goorbergh
and others (2022), Journal of the American Medical Informatics Association 29, for the harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.churn.checks import events_of
from keycustomer.relationships.churn.model import Kind, as_table
from keycustomer.relationships.churn.scores import ChurnScores, churn_scores
from keycustomer.relationships.churn.table import ChurnTable
from keycustomer.relationships.churn.validation import How, validate_churn
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.regressions.links import logit

PLAIN = "as the rows are"
WEIGHTED = "class weights"
SAME_RANKING = 0.01
"""Areas under the curve that differ by less rank alike."""

CORRECTED = "class weights, odds corrected"


@dataclass(frozen=True, eq=False)
class ClassWeightTrap:
    """The same model with and without class weights, on rows neither has seen.

    Attributes
    ----------
    model : {"logistic", "boosting"}
        The method.
    scores : dict of str to ChurnScores
        `PLAIN`, `WEIGHTED`, `CORRECTED`.
    predictions : DataFrame
        Customer, time, event, and a column for each.
    observed : float
        Share of the rows that ended in leaving.
    ratio : float
        How many times more one who left weighed than one who stayed.
    """

    model: str
    scores: dict[str, ChurnScores]
    predictions: pd.DataFrame = field(repr=False)
    observed: float
    ratio: float

    def to_frame(self) -> pd.DataFrame:
        """One row a way of fitting.

        Returns
        -------
        DataFrame
            fitted, auc, brier, brier_skill, ece, mean_predicted, observed, times_too_high (mean
            prediction over the share that left), expected_periods (1 / mean prediction: the stay of
            a customer who leaves at that rate, as in a simple lifetime value), calibrated.
        """
        rows = []
        for name, one in self.scores.items():
            chance = self.predictions[name].to_numpy(float)
            found = {m: one.estimates[m].estimate for m in ("auc", "brier", "brier_skill", "ece")}
            rows.append(
                {"fitted": name}
                | found
                | {
                    "mean_predicted": float(chance.mean()),
                    "observed": self.observed,
                    "times_too_high": float(chance.mean()) / self.observed,
                    "expected_periods": 1 / float(chance.mean()),
                    "calibrated": one.calibrated,
                }
            )
        return pd.DataFrame(rows)

    def sentence(self) -> str:
        """Say what the weights did."""
        table = self.to_frame().set_index("fitted")
        plain, weighted = table.loc[PLAIN], table.loc[WEIGHTED]
        same = abs(weighted["auc"] - plain["auc"]) < SAME_RANKING
        areas = f"AUC {plain['auc']:.3f} without, {weighted['auc']:.3f} with"
        return (
            f"Class weights {'keep' if same else 'change'} the ranking ({areas}) and predict "
            f"{weighted['times_too_high']:.1f} times as many to leave as did"
        )

    def _repr_html_(self) -> str:
        return report_html(
            "The trap of class weights", [f"{self.sentence()}."], {"Fitted": self.to_frame()}
        )


def class_weight_trap(
    table: ChurnTable | pd.DataFrame,
    *,
    model: Kind = "logistic",
    how: How = "time",
    since: float | None = None,
    folds: int = 5,
    bins: int = 10,
    draws: int = 300,
    seed: Seed = 0,
    **columns: Any,
) -> ClassWeightTrap:
    """Fit a churn model with and without class weights, and score both.

    Parameters
    ----------
    table : ChurnTable or DataFrame
        As for :func:`~keycustomer.relationships.fit_churn`.
    model : {"logistic", "boosting"}
        The method.
    how, since, folds, bins, draws
        See :func:`~keycustomer.relationships.validate_churn`.
    seed : int or Generator
        Of folds, models and resamples.
    **columns
        `features`, `event`, `customer`, `time` of a frame.

    Returns
    -------
    ClassWeightTrap
    """
    rows = as_table(table, **columns)
    generator = np.random.default_rng(seed)
    both: dict[str, dict[str, Any]] = {
        PLAIN: {"model": model},
        WEIGHTED: {"model": model, "class_weight": "balanced"},
    }
    checked = validate_churn(
        rows, both, how=how, since=since, folds=folds, bins=bins, draws=draws, seed=generator
    )
    # The weights were those of the rows learnt from, which under folds differ a little by fold.
    seen = _learnt_rate(rows, how, checked.since)
    ratio = (1 - seen) / seen
    predictions = checked.predictions.copy()
    weighted = predictions[WEIGHTED].to_numpy(float)
    predictions[CORRECTED] = expit(logit(weighted) - np.log(ratio))
    left = predictions[rows.event]
    corrected = churn_scores(
        left, predictions[CORRECTED], predictions[rows.customer], name=CORRECTED, bins=bins,
        draws=draws, seed=generator,
    )  # fmt: skip
    scores = {name: checked.scores[name] for name in both} | {CORRECTED: corrected}
    return ClassWeightTrap(model, scores, predictions, float(left.mean()), float(ratio))


def _learnt_rate(table: ChurnTable, how: How, since: float | None) -> float:
    """Share that left of the rows learnt from."""
    left = events_of(table.frame, table.event)
    if how == "customers" or since is None:
        return float(left.mean())
    return float(left[table.frame[table.time].to_numpy() < since].mean())
