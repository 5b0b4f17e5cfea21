"""Estimated effects of the level beside the truth, in many simulated companies.

One company is one draw of chance.  :func:`effects_over_companies` estimates the effects of the
levels in many of them by all methods, :func:`adjustment_over_companies` by regression with
different sets of covariates; `EffectsOverCompanies` sums up bias, spread and how often the
intervals hold the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.effects.levels_compared import level_effects
from keycustomer.relationships.effects.roles import adjustment_sets
from keycustomer.relationships.effects.truth import true_level_effects
from keycustomer.relationships.many_companies import simulated_companies
from keycustomer.relationships.months.panel import CustomerMonths, customer_months
from keycustomer.stats.bootstrap import Progress

if TYPE_CHECKING:
    from keycustomer.simulate import Parameters


@dataclass(frozen=True, eq=False)
class EffectsOverCompanies:
    """Estimated effects beside the truth in many simulated companies.

    Attributes
    ----------
    frame : DataFrame
        company (seed), method, measure, setting, estimate, lower, upper, truth, error, held.
    outcome : str
        What the effects are of.
    accounts, months : int
        Size of each company.
    """

    frame: pd.DataFrame = field(repr=False)
    outcome: str
    accounts: int
    months: int

    @property
    def companies(self) -> int:
        """Number of companies."""
        return int(self.frame["company"].nunique())

    def to_frame(self) -> pd.DataFrame:
        """Summarise by method, measure and setting.

        Returns
        -------
        DataFrame
            method, measure, setting; truth and estimate (means over companies); bias (mean error)
            with bias_error, its standard error; spread (standard deviation of the error); rmse;
            coverage (share of companies whose interval holds the truth).
        """
        by = self.frame.groupby(["method", "measure", "setting"], sort=False)
        table = by.agg(
            truth=("truth", "mean"),
            estimate=("estimate", "mean"),
            bias=("error", "mean"),
            spread=("error", "std"),
            rmse=("error", lambda error: float(np.sqrt((error**2).mean()))),
            coverage=("held", "mean"),
        )
        table.insert(3, "bias_error", table["spread"] / np.sqrt(self.companies))
        return table.reset_index()

    def _repr_html_(self) -> str:
        ratios = self.to_frame().query("measure == 'ratio'").drop(columns="measure")
        sentence = (
            f"Simulated: {self.outcome} in {self.companies} companies of {self.accounts:,} "
            f"accounts and {self.months} months; ratios against the lowest level."
        )
        return report_html("Effects of the level, estimated and true", [sentence], {"": ratios})


def effects_over_companies(
    outcome: str = "leaving",
    *,
    companies: int = 20,
    accounts: int = 1_000,
    months: int = 36,
    first_seed: int = 1,
    covariates: Sequence[str] | None = None,
    learner: str = "regression",
    trim: float = 0.01,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> EffectsOverCompanies:
    """Estimate the effects of the levels in many simulated companies, beside the truth of each.

    Parameters
    ----------
    outcome, covariates, learner, trim
        As in :func:`level_effects`.
    companies, accounts, months : int
        How many, and how large.
    first_seed : int
        Seed of the first company; the others follow.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with companies done and in all.

    Returns
    -------
    EffectsOverCompanies

    Raises
    ------
    ValueError
        When there is not one company.
    """
    parts = []
    for size, panel in _companies(companies, accounts, months, first_seed, parameters, progress):
        found = level_effects(panel, outcome, covariates=covariates, learner=learner, trim=trim)
        truth = true_level_effects(size, outcome, customers=found.kept, parameters=parameters)
        parts.append(found.beside(truth).assign(company=size["seed"]))
    return EffectsOverCompanies(pd.concat(parts, ignore_index=True), outcome, accounts, months)


def adjustment_over_companies(
    *,
    companies: int = 20,
    accounts: int = 1_000,
    months: int = 36,
    first_seed: int = 1,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> EffectsOverCompanies:
    """Estimate the effect on leaving with different sets of covariates in many companies.

    Parameters
    ----------
    companies, accounts, months, first_seed, parameters, progress
        As in :func:`effects_over_companies`.

    Returns
    -------
    EffectsOverCompanies
        Ratios alone; `method` is the name of the set, see
        :func:`~keycustomer.relationships.effects.roles.adjustment_sets`.

    Raises
    ------
    ValueError
        When there is not one company.
    """
    parts = []
    for size, panel in _companies(companies, accounts, months, first_seed, parameters, progress):
        truth = true_level_effects(size, parameters=parameters)
        found = adjustment_sets(panel, truth=truth).frame.rename(columns={"adjusted_for": "method"})
        held = (found["lower"] <= found["truth"]) & (found["truth"] <= found["upper"])
        error = found["estimate"] - found["truth"]
        parts.append(
            found.assign(company=size["seed"], measure="ratio", error=error, held=held).drop(
                columns="covariates"
            )
        )
    return EffectsOverCompanies(pd.concat(parts, ignore_index=True), "leaving", accounts, months)


def _companies(
    companies: int,
    accounts: int,
    months: int,
    first_seed: int,
    parameters: Parameters | None,
    progress: Progress | None,
) -> Iterator[tuple[dict[str, int], CustomerMonths]]:
    """Simulate one company after the other; give its size and seed, and its panel."""
    for company in simulated_companies(
        companies, accounts, months, first_seed, parameters=parameters, progress=progress
    ):
        size = {"accounts": accounts, "months": months, "seed": company.settings.seed}
        yield size, customer_months(company)
