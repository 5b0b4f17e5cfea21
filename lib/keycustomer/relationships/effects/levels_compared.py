"""Effect of the relationship level on leaving and on margin, from the customer-month panel.

Question: how much less would customers leave, and how much more margin would they bring, if all
had this level instead of that (R6)?  :func:`level_effects` compares the levels three ways;
:func:`~keycustomer.relationships.effects.known.true_level_effects` tells the same estimand of the
simulated company; :func:`effects_over_companies` does both in many companies.

The estimand is that of a decree: every customer of the base is given the level when it comes into
view and keeps it, and whatever follows from it (fewer complaints, more contacts, higher
satisfaction) is part of the effect.  Leaving is told as a rate, customers who left per
customer-month under observation, sum by sum; in the simulated company (1 - survival) summed over
customers, divided by their expected months.  Larger customers get more care and leave more often,
so that the naive comparison understates what care does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.relationships.effects.entry import customers_at_entry, default_confounders
from keycustomer.relationships.effects.known import OUTCOMES, true_level_effects
from keycustomer.relationships.effects.outcomes_compared import (
    METHODS,
    TreatmentEffects,
    treatment_effects,
)
from keycustomer.relationships.months.panel import CustomerMonths, customer_months
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.bootstrap import after_quiet

if TYPE_CHECKING:
    from keycustomer.simulate import Parameters

Progress = Callable[[int, int], None]


def level_effects(
    months: CustomerMonths,
    outcome: str = "leaving",
    *,
    covariates: Sequence[str] | None = None,
    reference: str = LEVELS[0],
    learner: str = "regression",
    trim: float = 0.01,
    level: float = 0.95,
    seed: int | np.random.Generator = 0,
) -> TreatmentEffects:
    """Compare relationship levels: as observed, adjusted, and doubly robust.

    Parameters
    ----------
    months : CustomerMonths
        The panel.
    outcome : {"leaving", "margin", "months"}
        Customers who left per customer-month; margin before cost to serve a customer over the
        window (currency); months stayed within the window.
    covariates : sequence of str, optional
        Columns of :func:`~keycustomer.relationships.effects.entry.customers_at_entry`; left out,
        all that was known at entry but for the key-account flag.
    reference : str
        Level that the others are compared with.
    learner, trim, level, seed
        As in :func:`treatment_effects`.

    Returns
    -------
    TreatmentEffects

    Raises
    ------
    ValueError
        When there is no such outcome, or too few customers have a level.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome={outcome!r}: one of {', '.join(OUTCOMES)} is needed")
    entry = customers_at_entry(months)
    counted_column, exposure = OUTCOMES[outcome]
    found = treatment_effects(
        entry.set_index("customer_id"),
        treatment="level",
        outcome=counted_column,
        covariates=default_confounders(entry) if covariates is None else covariates,
        exposure=exposure,
        settings=[name for name in LEVELS if (entry["level"] == name).any()],
        reference=reference,
        learner=learner,
        trim=trim,
        level=level,
        seed=seed,
    )
    return _with_notes(found, entry, len(months.customers))


def _with_notes(found: TreatmentEffects, entry: pd.DataFrame, customers: int) -> TreatmentEffects:
    said = list(found.notes)
    moved, unknown = int(entry["level_changed"].sum()), customers - len(entry)
    if moved:
        said.append(
            f"{counted(moved, 'customer')} changed level within the window; each counts with the "
            "level it had at first, so that effects are of being given a level, kept or not."
        )
    if unknown:
        said.append(f"The level of {counted(unknown, 'customer')} is not known: left out.")
    return replace(found, notes=tuple(said))


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
    from keycustomer.simulate import simulate_company

    if companies < 1:
        raise ValueError(f"companies={companies!r}: at least 1 is needed")
    report = after_quiet(progress)
    parts = []
    for done, seed in enumerate(range(first_seed, first_seed + companies), start=1):
        size = {"accounts": accounts, "months": months, "seed": seed}
        panel = customer_months(simulate_company(**size, parameters=parameters))
        found = level_effects(panel, outcome, covariates=covariates, learner=learner, trim=trim)
        truth = true_level_effects(size, outcome, customers=found.kept, parameters=parameters)
        parts.append(found.beside(truth).assign(company=seed))
        report(done, companies)
    frame = pd.concat(parts, ignore_index=True)
    frame["method"] = pd.Categorical(frame["method"], METHODS)
    return EffectsOverCompanies(
        frame.sort_values(["company", "method"], kind="stable").astype({"method": str}),
        outcome,
        accounts,
        months,
    )
