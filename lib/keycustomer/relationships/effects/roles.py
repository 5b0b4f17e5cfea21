"""Which covariates to adjust for, and what happens when the wrong ones are taken.

A *confounder* moves both the level and the outcome: it has to be adjusted for.  What moves the
outcome alone may be, and makes intervals shorter.  What moves the level alone (a habit) should not
be: it widens them.  What the level itself moves (contacts, complaints, satisfaction: a *mediator*)
must not be: part of the effect would be taken out.  When something became known decides which of
them it can be; data alone cannot.

:func:`covariate_roles` lists the covariates of customers with what they are and why;
:func:`adjustment_sets` estimates the effect of the level with different sets of them.

Sources: Hernán & Robins (2020), chapters 7 and 18; Cinelli, Forney & Pearl, "A crash course in good
and bad controls" (Sociological Methods & Research 2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.effects.comparing import compared
from keycustomer.relationships.effects.designs import read_design, refuse_missing
from keycustomer.relationships.effects.entry import (
    HABIT,
    customers_at_entry,
    default_confounders,
)
from keycustomer.relationships.effects.means import adjusted_means
from keycustomer.relationships.effects.units import read_units
from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.regressions.regression import fit_regression
from keycustomer.stats.regressions.wald import wald_test
from keycustomer.stats.samples import FloatArray

MEDIATORS = ("contacts_a_month", "complaints_a_month")
"""What the level moves, as it is known after entry."""

SIZE = ("margin_at_entry", "revenue_at_entry", "products_at_entry")
"""What tells how large a customer was at entry."""

CLEAR = 0.05
"""Error probability from which a connection is called one in the table of roles."""

_WHY = {
    "confounder": "known before, goes with both the level and leaving: adjust",
    "sharpens": "known before, goes with leaving: adjusting makes intervals shorter",
    "goes with the level": "known before, goes with the level: adjusting is safe",
    "neither": "known before, goes with neither: adjusting hardly matters",
    "habit": "moves the level and nothing else: adjusting only widens intervals",
    "mediator": "the level moves it: adjusting would take part of the effect out",
}


def covariate_roles(months: CustomerMonths) -> pd.DataFrame:
    """List covariates with what they are to the effect of the level on leaving.

    Parameters
    ----------
    months : CustomerMonths
        The panel.

    Returns
    -------
    DataFrame
        covariate; known ("at entry" or "afterwards"); p_level, p_leaving (error probabilities of no
        connection with the level, and with leaving at the same level and window); role; adjust
        (bool); why.

    Notes
    -----
    Of what was known at entry all is adjusted for whatever its connections: to choose by error
    probabilities would leave out weak confounders.
    """
    entry = customers_at_entry(months)
    confounders = default_confounders(entry)
    rows = [_role(entry, name, "at entry", confounders) for name in confounders]
    rows += [_role(entry, name, "at entry", confounders) for name in HABIT if name in entry]
    there = [name for name in MEDIATORS if entry[name].nunique() > 1]
    return pd.DataFrame(rows + [_role(entry, name, "afterwards", confounders) for name in there])


def _role(
    entry: pd.DataFrame, name: str, known: str, confounders: Sequence[str]
) -> dict[str, object]:
    columns = read_design(entry, [name]).matrix(entry)
    with_level = _connection(columns, entry["level"].map(LEVELS.index).to_numpy(dtype=float))
    with_leaving = _connection_with_leaving(columns, entry)
    if known == "afterwards":
        role = "mediator"
    elif name in HABIT:
        role = "habit"
    else:
        role = _ROLES[with_level < CLEAR, with_leaving < CLEAR]
    return {
        "covariate": name,
        "known": known,
        "p_level": with_level,
        "p_leaving": with_leaving,
        "role": role,
        "adjust": name in confounders and known == "at entry",
        "why": _WHY[role],
    }


_ROLES = {
    (True, True): "confounder",
    (False, True): "sharpens",
    (True, False): "goes with the level",
    (False, False): "neither",
}


def _connection(columns: FloatArray, target: FloatArray) -> float:
    """Error probability of no connection with numbers (robust Wald test)."""
    design = np.column_stack([np.ones(len(columns)), columns])
    model = fit_regression(design, target, "identity", penalty=1e-6)
    influence = model.influence(design, target)[:, 1:]
    return wald_test(model.coefficients[1:], influence.T @ influence)


def _connection_with_leaving(columns: FloatArray, entry: pd.DataFrame) -> float:
    """Error probability of no connection with having left, at the same level and window."""
    given = pd.get_dummies(entry["level"], dtype=float).to_numpy()
    window = np.log(entry["window"].to_numpy(dtype=float))
    design = np.column_stack([given, window - window.mean(), columns])
    left = entry["left"].to_numpy(dtype=float)
    model = fit_regression(design, left, "logistic", penalty=0.01)
    influence = model.influence(design, left)[:, -columns.shape[1] :]
    return wald_test(model.coefficients[-columns.shape[1] :], influence.T @ influence)


@dataclass(frozen=True, eq=False)
class AdjustmentSets:
    """Effect of the level under different sets of covariates.

    Attributes
    ----------
    frame : DataFrame
        adjusted_for (name of the set), covariates (how many), setting, estimate, lower, upper:
        ratios of the rates of leaving to that of the reference; truth where it was given.
    reference : str
        Level that the others are compared with.
    """

    frame: pd.DataFrame
    reference: str = field(default=LEVELS[0])

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        sentence = (
            f"Rate of leaving as a ratio to {self.reference}, by regression. Only sets without "
            "what the level moves tell its whole effect."
        )
        return report_html("Adjusted for what?", [sentence], {"": self.frame})


def adjustment_sets(
    months: CustomerMonths,
    sets: Mapping[str, Sequence[str]] | None = None,
    *,
    reference: str = LEVELS[0],
    truth: pd.DataFrame | None = None,
    level: float = 0.95,
) -> AdjustmentSets:
    """Estimate the effect of the level on leaving with different sets of covariates.

    Parameters
    ----------
    months : CustomerMonths
        The panel.
    sets : mapping of str to sequence of str, optional
        Columns of :func:`~keycustomer.relationships.effects.entry.customers_at_entry` by name of
        the set; left out: nothing, size alone, all that was known at entry, and all with what the
        level moves.
    reference : str
        Level that the others are compared with.
    truth : DataFrame, optional
        measure, setting, truth, from `true_level_effects`.
    level : float
        Confidence level.

    Returns
    -------
    AdjustmentSets

    Raises
    ------
    ValueError
        When a column is missing, or a level has fewer than 20 customers.
    """
    entry = customers_at_entry(months)
    chosen = _usual_sets(entry) if sets is None else dict(sets)
    parts = [_one_set(entry, name, list(of), reference, level) for name, of in chosen.items()]
    frame = pd.concat(parts, ignore_index=True)
    if truth is not None:
        refuse_missing(truth, ["measure", "setting", "truth"], "truth")
        known = truth.loc[truth["measure"] == "ratio", ["setting", "truth"]]
        frame = frame.merge(known, on="setting", how="left")
    return AdjustmentSets(frame, reference)


def _usual_sets(entry: pd.DataFrame) -> dict[str, list[str]]:
    known = default_confounders(entry)
    size = [name for name in (*SIZE, "window") if name in known]
    moved = [name for name in MEDIATORS if entry[name].nunique() > 1]
    return {
        "nothing": [],
        "size": size,
        "all known at entry": known,
        "also what the level moves": [*known, *moved],
    }


def _one_set(
    entry: pd.DataFrame, name: str, covariates: list[str], reference: str, level: float
) -> pd.DataFrame:
    settings = [one for one in LEVELS if (entry["level"] == one).any()]
    units = read_units(
        entry, "level", "left", covariates, "months", settings=settings, reference=reference
    )
    arms = units.arms()
    units.refuse_few(arms)
    table = compared(adjusted_means(arms), units.order, units.reference, arms.group, level)
    ratios = table[table["measure"] == "ratio"].drop(columns=["measure", "standard_error"])
    ratios.insert(0, "adjusted_for", name)
    ratios.insert(1, "covariates", len(covariates))
    return ratios
