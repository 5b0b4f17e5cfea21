"""Effect of the relationship level on leaving and on margin, from the customer-month panel.

Question: how much less would customers leave, and how much more margin would they bring, if all
had this level instead of that (R6)?  :func:`level_effects` compares the levels three ways;
`true_level_effects` (in `truth`) tells the same estimand of the simulated company;
`effects_over_companies` (in `over_companies`) does both in many companies.

The estimand is that of a decree: every customer of the base is given the level when it comes into
view and keeps it, and whatever follows from it (fewer complaints, more contacts, higher
satisfaction) is part of the effect.  Leaving is told as a rate, customers who left per
customer-month under observation, sum by sum; in the simulated company (1 - survival) summed over
customers, divided by their expected months.  Larger customers get more care and leave more often,
so that the naive comparison understates what care does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.relationships.effects.entry import customers_at_entry, default_confounders
from keycustomer.relationships.effects.outcomes_compared import (
    TreatmentEffects,
    treatment_effects,
)
from keycustomer.relationships.effects.truth import OUTCOMES
from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.vocabulary import LEVELS


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
    unit = f", {months.currency}" if outcome == "margin" else ""
    named = replace(found, treatment="relationship level", outcome=_SAID[outcome] + unit)
    return _with_notes(named, entry, len(months.customers))


_SAID = {
    "leaving": "customers who leave per customer-month",
    "margin": "margin a customer within the window",
    "months": "months stayed within the window",
}


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
