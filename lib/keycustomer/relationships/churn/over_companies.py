"""Churn models over many simulated companies: what one company's luck hides.

:func:`churn_over_companies` makes companies, validates the models in each, scores the true
probabilities beside them, and tells the spread.  All of it is simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.churn.month_features import churn_features
from keycustomer.relationships.churn.truth import true_hazards
from keycustomer.relationships.churn.validation import SAME, TRUTH, How, Models, validate_churn
from keycustomer.relationships.many_companies import simulated_companies
from keycustomer.relationships.months.panel import customer_months
from keycustomer.simulate import Company
from keycustomer.stats.bootstrap import Progress

WAYS: Mapping[str, Mapping[str, Any]] = {
    "logistic": {"model": "logistic"},
    "boosting": {"model": "boosting"},
    "class weights": {"model": "logistic", "class_weight": "balanced"},
}
"""Models compared when nothing else is said."""

BETTER = {"auc": 1, "auc_share": 1, "brier_skill": 1, "brier": -1, "ece": -1, "log_loss": -1}
"""Measures of which more is better (1) or worse (-1)."""

SPREAD = (0.05, 0.95)
"""Percentiles over companies that the spread gives."""


@dataclass(frozen=True, eq=False)
class ChurnOverCompanies:
    """Models validated in several simulated companies.

    Attributes
    ----------
    frame : DataFrame
        One row a company and model: company (seed), model, auc, auc_share (what of the attainable
        area above one half was attained), brier, brier_skill, ece, ece_if_calibrated, ece_limit,
        calibrated, log_loss, slope, mean_predicted, observed.
    companies, accounts, months : int
        What was simulated.
    how : {"time", "customers", "both"}
        What the models were tested on.
    lead : int
        Months between what is known and leaving.
    """

    frame: pd.DataFrame = field(repr=False)
    companies: int
    accounts: int
    months: int
    how: How
    lead: int

    def summary(self, measure: str = "auc") -> pd.DataFrame:
        """Mean and spread of a measure over companies.

        Parameters
        ----------
        measure : str
            A column of `frame`.

        Returns
        -------
        DataFrame
            model, mean, lower, upper (5th and 95th percentile over companies), best (share of
            companies in which no other model was better; NaN of "truth" and "same for all", and
            of measures for which more is neither better nor worse).

        Raises
        ------
        ValueError
            When there is no such measure.
        """
        allowed = [c for c in self.frame.columns if c not in ("company", "model")]
        if measure not in allowed:
            raise ValueError(f"measure={measure!r}: allowed are {allowed}")
        wide = self.frame.pivot(index="company", columns="model", values=measure).astype(float)
        wide = wide[self.frame["model"].unique()]
        models = [name for name in wide if name not in (SAME, TRUTH)]
        better = wide[models] * BETTER.get(measure, np.nan)
        best = better.eq(better.max(axis=1), axis=0).mean().where(better.notna().any())
        table = pd.DataFrame(
            {
                "mean": wide.mean(),
                "lower": wide.quantile(SPREAD[0]),
                "upper": wide.quantile(SPREAD[1]),
                "best": best.reindex(wide.columns),
            }
        )
        return table.rename_axis("model").reset_index()

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"Simulated: {self.companies} companies of {self.accounts:,} accounts over "
            f"{self.months} months; tested by {self.how}, forecasts {self.lead} months ahead."
        )
        tables = {m: self.summary(m) for m in ("auc", "brier_skill", "ece", "slope")}
        return report_html("Churn models over simulated companies", [said], tables)


def churn_over_companies(
    companies: int = 20,
    *,
    accounts: int = 500,
    months: int = 36,
    models: Models = WAYS,
    how: How = "time",
    lead: int = 1,
    bins: int = 10,
    seed: int = 1,
    progress: Progress | None = None,
) -> ChurnOverCompanies:
    """Validate churn models in many simulated companies.

    Parameters
    ----------
    companies : int
        Number of companies; their seeds are `seed`, `seed` + 1, ...
    accounts, months : int
        Size and window of each.
    models : sequence of str, or mapping
        See :func:`~keycustomer.relationships.validate_churn`.
    how : {"time", "customers", "both"}
        What is kept for the test.
    lead : int
        See :func:`~keycustomer.relationships.churn_features`.
    bins : int
        Groups of the calibration error.
    seed : int
        Seed of the first company.
    progress : callable, optional
        Called with companies done and in all, once the work has taken two seconds.

    Returns
    -------
    ChurnOverCompanies

    Raises
    ------
    ValueError
        When `companies` is below 2, or a company has hardly any events.
    """
    made = simulated_companies(companies, accounts, months, seed, least=2, progress=progress)
    parts = [_one_company(company, models, how, lead, bins) for company in made]
    frame = pd.concat(parts, ignore_index=True)
    return ChurnOverCompanies(frame, companies, accounts, months, how, lead)


def _one_company(company: Company, models: Models, how: How, lead: int, bins: int) -> pd.DataFrame:
    """Validate in one company; its seed also chooses the folds."""
    seed = company.settings.seed
    table = churn_features(customer_months(company), lead=lead)
    hazard = true_hazards(company, table.frame)
    rows = table.with_rows(table.frame.assign(true_hazard=hazard))
    found = validate_churn(
        rows, models, how=how, truth="true_hazard", bins=bins, draws=2, seed=seed
    )
    scored = found.table()
    chance = found.predictions[scored["model"]].mean().to_numpy()
    attainable = scored["auc"].where(scored["model"] == TRUTH).max()
    return scored.assign(
        company=seed,
        auc_share=(scored["auc"] - 0.5) / (attainable - 0.5),
        mean_predicted=chance,
        observed=float(found.predictions[table.event].mean()),
    )
