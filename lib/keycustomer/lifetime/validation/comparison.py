"""Which model: likelihood, parsimony and the holdout in one table.

:func:`compare_models` sets models fitted on the same calibration table side by side: the
likelihood they reach, what it costs in parameters (AIC, BIC), and how well they foretold the
holdout, with the naive baselines below.  A model can win by likelihood and not foretell better;
and one that foretells no better than a plain count still says who is alive, and with what
uncertainty, which a count does not.

Sources: Akaike (1974), IEEE Transactions on Automatic Control 19; Schwarz (1978), Annals of
Statistics 6.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from keycustomer.lifetime.validation.predictions import (
    Predictor,
    Predictors,
    fitted_on,
    named_models,
)
from keycustomer.lifetime.validation.scores import MEASURES, HoldoutScores, holdout_scores
from keycustomer.stats.bootstrap import Progress, Seed

if TYPE_CHECKING:
    from keycustomer.lifetime.validation.holdout import HoldoutSplit


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Models side by side, baselines below.

    Attributes
    ----------
    frame : DataFrame
        One row a model, then one a baseline and perfect foresight: predictor, kind, parameters
        (number of free ones), log_likelihood, aic, bic (NaN without a likelihood), aic_difference
        (to the smallest), rmse, mae, total_ratio, correlation, capture.
    estimates : DataFrame
        One row a model and parameter: model, parameter, estimate, standard_error, lower, upper.
    scores : HoldoutScores
        The holdout scores with their intervals.
    """

    frame: pd.DataFrame = field(repr=False)
    estimates: pd.DataFrame = field(repr=False)
    scores: HoldoutScores

    def to_frame(self) -> pd.DataFrame:
        """Return one row a model or baseline."""
        return self.frame.copy()

    @property
    def likeliest(self) -> str:
        """Name of the model with the smallest AIC; empty where none has a likelihood."""
        known = self.frame.dropna(subset="aic")
        return "" if known.empty else str(known.sort_values("aic")["predictor"].iloc[0])

    def _repr_html_(self) -> str:
        said = self.frame.drop(columns="kind").rename(columns={"predictor": ""})
        formats: dict[str, Any] = {
            name: "{:,.2f}".format for name in ("log_likelihood", "aic", "bic", "aic_difference")
        }
        formats |= {name: "{:.4f}".format for name in MEASURES}
        table = said.to_html(index=False, escape=True, formatters=formats, na_rep="")
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.scores.notes)
        return table + notes


def compare_models(
    models: Predictors,
    split: HoldoutSplit,
    *,
    top: float = 0.2,
    draws: int = 500,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> ModelComparison:
    """Compare models by likelihood, AIC, BIC and holdout, with baselines below.

    Parameters
    ----------
    models : model, sequence of models, or mapping
        Models fitted on `split.calibration`; predictions by other means are scored on the holdout
        only.
    split : HoldoutSplit
        From :func:`keycustomer.lifetime.split_holdout`.
    top, draws, seed, level, progress
        As in :func:`keycustomer.lifetime.holdout_scores`.

    Returns
    -------
    ModelComparison

    Raises
    ------
    ValueError
        When a model was fitted on other customers than `split.calibration`: likelihoods of
        different data cannot be compared.
    """
    named = named_models(models)
    strangers = [name for name, model in named.items() if fitted_on(model, split) is False]
    if strangers:
        raise ValueError(
            f"models: {', '.join(map(repr, strangers))} not fitted on split.calibration "
            f"({split.customers:,} customers, {split.start} to {split.split}); likelihoods of "
            "different data cannot be compared. Fit all models on split.calibration"
        )
    scores = holdout_scores(
        models, split, top=top, draws=draws, seed=seed, level=level, progress=progress
    )
    fits = pd.DataFrame([_fit(name, model) for name, model in named.items()])
    frame = scores.to_frame()[["predictor", "kind", *MEASURES]]
    frame = frame.merge(fits, how="left", on="predictor")
    frame["aic_difference"] = frame["aic"] - frame["aic"].min()
    frame["parameters"] = frame["parameters"].astype("Int64")
    columns = ["parameters", "log_likelihood", "aic", "bic", "aic_difference"]
    frame = frame[["predictor", "kind", *columns, *MEASURES]]
    return ModelComparison(frame, _estimates(named, level), scores)


def _fit(name: str, model: Predictor) -> dict[str, object]:
    """Likelihood and parsimony of a model; NaN where it has no likelihood."""
    measures = ("log_likelihood", "aic", "bic")
    found = {measure: float(getattr(model, measure, math.nan)) for measure in measures}
    parameters = len(getattr(model, "names", ())) or math.nan
    return {"predictor": name, "parameters": parameters, **found}


def _estimates(named: dict[str, Predictor], level: float) -> pd.DataFrame:
    parts = [
        model.to_frame(level).assign(model=name)  # type: ignore[union-attr]
        for name, model in named.items()
        if hasattr(model, "standard_errors")
    ]
    columns = ["model", "parameter", "estimate", "standard_error", "lower", "upper"]
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat(parts, ignore_index=True)[columns]
