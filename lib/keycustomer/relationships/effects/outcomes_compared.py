"""Effect of a treatment from observation: naive, adjusted and doubly robust, side by side.

Question: what would the outcome be if everybody had this setting instead of that?
:func:`treatment_effects` answers it for any frame (rows are customers, or customer-months), with
two or several settings; `TreatmentEffects` holds the three answers with clustered intervals, what
they rest on (overlap, balance), how strong something unmeasured would have to be, and in words
what has to be true for the answer to be right.

Sources: Hernán & Robins, "Causal Inference: What If" (2020), chapters 3, 7, 12 and 13; see
:mod:`~keycustomer.relationships.effects.means` for the estimators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.complaints import listed, refuse
from keycustomer.relationships.effects.arms import Arms
from keycustomer.relationships.effects.comparing import MEASURES, compared
from keycustomer.relationships.effects.confounding import e_value
from keycustomer.relationships.effects.designs import Design, refuse_missing
from keycustomer.relationships.effects.learners import learner_of, propensities
from keycustomer.relationships.effects.means import (
    adjusted_means,
    inverse_weights,
    naive_means,
    robust_means,
)
from keycustomer.relationships.effects.overlap import BALANCED, balance_table, overlap_table
from keycustomer.relationships.effects.units import Units, read_units
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.regressions.clustering import folds_of
from keycustomer.stats.samples import FloatArray

METHODS = ("naive", "adjusted", "doubly robust")
"""As observed; by regression for everybody; regression with weighted errors, cross-fitted."""


@dataclass(frozen=True, eq=False)
class TreatmentEffects:
    """Effects of the settings of a treatment against a reference.

    Attributes
    ----------
    treatment, outcome : str
        What differs, and what is told, with its unit.
    settings : tuple of str
        Settings in their order.
    reference : str
        Setting that the others are compared with.
    table : DataFrame
        method, measure (one of `MEASURES`), setting, estimate, standard_error (of the logarithm
        for ratios), lower, upper.
    overlap : DataFrame
        Settings with units, share, least_chance, largest_weight, effective; see
        :func:`~keycustomer.relationships.effects.overlap.overlap_table`.
    balance : DataFrame
        Covariates with their largest standardised difference before and after weighting.
    sensitivity : DataFrame
        Settings with the doubly robust ratio, its e_value and that of the interval's nearer end.
    propensities : DataFrame
        The setting each unit had (`had`) and its cross-fitted chance of each, indexed as the
        frame's rows.
    kept : Index
        Index of the rows the effects are of: those left after trimming.
    customers : int
        Customers among them.
    identification : str
        What has to be true for the adjusted answers to be effects.
    covariates : tuple of str
        What is adjusted for.
    level : float
        Confidence level of the intervals.
    excluded : DataFrame
        reason, units: rows that could not be used or had no counterparts.
    notes : tuple of str
        What the reader should know of this result.
    """

    treatment: str
    outcome: str
    settings: tuple[str, ...]
    reference: str
    table: pd.DataFrame
    overlap: pd.DataFrame
    balance: pd.DataFrame
    sensitivity: pd.DataFrame
    propensities: pd.DataFrame = field(repr=False)
    kept: pd.Index = field(repr=False)
    customers: int
    identification: str
    covariates: tuple[str, ...]
    level: float
    excluded: pd.DataFrame
    notes: tuple[str, ...] = ()

    def estimate(
        self, setting: str, measure: str = "ratio", method: str = "doubly robust"
    ) -> Estimate:
        """Give one effect with its interval.

        Parameters
        ----------
        setting : str
            One of `settings`; for differences and ratios not the reference.
        measure : {"ratio", "difference", "mean"}
            Divided by the reference, less the reference, or the mean itself.
        method : {"doubly robust", "adjusted", "naive"}
            How it is estimated.

        Raises
        ------
        KeyError
            When there is no such effect.
        """
        table = self.table
        chosen = table[
            (table["method"] == method)
            & (table["measure"] == measure)
            & (table["setting"] == setting)
        ]
        if chosen.empty:
            raise KeyError(
                f"no {method!r} {measure!r} of {setting!r} against {self.reference!r}; methods: "
                f"{listed(METHODS)}; measures: {listed(MEASURES)}; settings: "
                f"{listed(self.settings)}"
            )
        row = chosen.iloc[0]
        unit = f"ratio to {self.reference}" if measure == "ratio" else self.outcome
        name = f"{method}, clustered by customer"
        ends = float(row["lower"]), float(row["upper"])
        return Estimate(float(row["estimate"]), *ends, unit, self.customers, name, self.level)

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `table`."""
        return self.table.copy()

    def beside(self, truth: pd.DataFrame) -> pd.DataFrame:
        """Put the truth beside the estimates.

        Parameters
        ----------
        truth : DataFrame
            measure, setting, truth, such as `true_level_effects` gives.

        Returns
        -------
        DataFrame
            The rows of `table` whose truth is known, with truth, error (estimate - truth) and held
            (whether the interval holds it).
        """
        refuse_missing(truth, ["measure", "setting", "truth"], "truth")
        known = truth[["measure", "setting", "truth"]]
        found = self.table.merge(known, on=["measure", "setting"], how="inner")
        held = (found["lower"] <= found["truth"]) & (found["truth"] <= found["upper"])
        return found.assign(error=found["estimate"] - found["truth"], held=held)

    def _in_words(self, measure: str) -> pd.DataFrame:
        """Estimates with their intervals, a row a setting and a column a method."""
        own = self.table[self.table["measure"] == measure]
        told = [
            f"{row['estimate']:.4g} [{row['lower']:.4g}, {row['upper']:.4g}]"
            for row in own.to_dict("records")
        ]
        wide = own.assign(told=told).pivot(index="setting", columns="method", values="told")
        shown = [name for name in self.settings if name in wide.index]
        return wide.loc[shown, list(METHODS)].reset_index()

    def _repr_html_(self) -> str:
        sentences = [
            f"{self.outcome} by {self.treatment} against {self.reference}, "
            f"{counted(self.customers, 'customer')}; intervals of {self.level:.0%}, clustered by "
            "customer.",
            self.identification,
            *self.notes,
        ]
        tables = {
            "Means under each setting": self._in_words("mean"),
            f"Ratios to {self.reference}": self._in_words("ratio"),
            "Overlap": self.overlap,
            "Balance (standardised differences)": self.balance.head(8),
            "Unmeasured confounding (E-values)": self.sensitivity,
            "Left out": self.excluded,
        }
        return report_html(f"Effect of {self.treatment}", sentences, tables)


def treatment_effects(
    frame: pd.DataFrame,
    *,
    treatment: str,
    outcome: str,
    covariates: Sequence[str],
    exposure: str | None = None,
    customer: str | None = None,
    settings: Sequence[str] | None = None,
    reference: str | None = None,
    learner: str = "regression",
    folds: int = 5,
    trim: float = 0.01,
    level: float = 0.95,
    seed: int | np.random.Generator = 0,
) -> TreatmentEffects:
    """Compare the settings of a treatment: as observed, adjusted, and doubly robust.

    Parameters
    ----------
    frame : DataFrame
        One row a unit: a customer, or a customer in a month.
    treatment : str
        Column of the setting each unit had: words, numbers, or true and false.
    outcome : str
        Column of the outcome: true and false, or numbers.
    covariates : sequence of str
        Columns known before the setting was given, that move both setting and outcome (or the
        outcome alone, which makes intervals shorter).  Never what the setting itself moves.
    exposure : str, optional
        Column of what the outcome is told by, above 0 in sum, such as months under observation:
        the outcome is then a rate, sum by sum.
    customer : str, optional
        Column of the customer where a customer has several rows; left out, each row is one.
    settings : sequence of str, optional
        Settings in their order; left out, as they sort.
    reference : str, optional
        What the others are compared with; left out, the first.
    learner : {"regression", "boosting"}
        How outcomes and propensities are learned for the doubly robust answer.
    folds : int
        Parts for cross-fitting, whole customers each.
    trim : float
        Units whose chance of any setting lies below are left out of all three answers, and
        counted: nobody like them had it.
    level : float
        Confidence level.
    seed : int or Generator
        For the folds.

    Returns
    -------
    TreatmentEffects

    Raises
    ------
    TypeError, ValueError
        When columns are missing, values are no numbers, settings are unknown or have fewer than 20
        units, or trimming leaves too few.
    """
    checked_level(level)
    learner_of(learner)
    _refuse_settings(folds, trim)
    units = read_units(
        frame, treatment, outcome, covariates, exposure, customer, settings, reference
    )
    order, design, excluded = units.order, units.design, dict(units.excluded)
    generator = np.random.default_rng(seed)
    fitted = _fit(units, learner, folds, generator, trim)
    if fitted.trimmed:
        excluded[f"chance of a setting below {trim:g}"] = fitted.trimmed
    table = _tables(fitted, order, units.reference, learner, level)
    return TreatmentEffects(
        treatment=treatment,
        outcome=outcome if exposure is None else f"{outcome} per {exposure}",
        settings=tuple(order),
        reference=order[units.reference],
        table=table,
        customers=int(fitted.arms.group.max()) + 1,
        identification=_identification(treatment, tuple(covariates)),
        covariates=tuple(covariates),
        level=level,
        excluded=pd.DataFrame({"reason": list(excluded), "units": list(excluded.values())}),
        notes=tuple(_notes(fitted, design)),
        **_diagnostics(fitted, order, design, table),
    )


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Units after trimming, with propensities, folds and how they were learned."""

    arms: Arms
    index: pd.Index
    chances: FloatArray
    fold: np.ndarray
    trimmed: int


def _fit(
    units: Units, learner: str, folds: int, generator: np.random.Generator, trim: float
) -> _Fitted:
    arms = units.arms()
    fold = folds_of(arms.group, folds, generator)
    units.refuse_few(arms)
    chances = propensities(arms, fold, learner)
    keep = np.flatnonzero(chances.min(axis=1) >= trim)
    if len(keep) == len(arms):
        return _Fitted(arms, units.frame.index, chances, fold, 0)
    kept = replace(units, frame=units.frame.iloc[keep])
    arms = kept.arms()
    units.refuse_few(arms, " after trimming")
    fold = folds_of(arms.group, folds, generator)
    again = propensities(arms, fold, learner)
    chances = np.maximum(again, trim)
    chances /= chances.sum(axis=1, keepdims=True)
    return _Fitted(arms, kept.frame.index, chances, fold, len(units.frame) - len(keep))


def _tables(
    fitted: _Fitted, order: list[str], reference: int, learner: str, level: float
) -> pd.DataFrame:
    arms = fitted.arms
    answers = {
        "naive": naive_means(arms),
        "adjusted": adjusted_means(arms),
        "doubly robust": robust_means(arms, fitted.chances, fitted.fold, learner),
    }
    parts = [
        compared(means, order, reference, arms.group, level).assign(method=name)
        for name, means in answers.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[["method", *table.columns.drop("method")]]


def _diagnostics(
    fitted: _Fitted, order: list[str], design: Design, table: pd.DataFrame
) -> dict[str, Any]:
    arms = fitted.arms
    weights = inverse_weights(arms, fitted.chances)
    chances = pd.DataFrame(fitted.chances, index=fitted.index, columns=order)
    chances.insert(0, "had", np.asarray(order, dtype=object)[arms.setting])
    return {
        "overlap": overlap_table(order, arms.setting, fitted.chances, weights),
        "balance": balance_table(design.columns, order, arms.covariates, arms.setting, weights),
        "sensitivity": _sensitivity(table),
        "propensities": chances,
        "kept": fitted.index,
    }


def _sensitivity(table: pd.DataFrame) -> pd.DataFrame:
    own = table[(table["method"] == "doubly robust") & (table["measure"] == "ratio")]
    rows = [
        {
            "setting": row["setting"],
            "ratio": row["estimate"],
            "e_value": strength[0],
            "e_value_of_limit": strength[1],
        }
        for row in own[own["estimate"] > 0].to_dict("records")
        for strength in [e_value(row["estimate"], row["lower"], row["upper"])]
    ]
    return pd.DataFrame(rows, columns=["setting", "ratio", "e_value", "e_value_of_limit"])


def _identification(treatment: str, covariates: tuple[str, ...]) -> str:
    adjusted = listed(covariates, most=20) or "nothing"
    return (
        f"The adjusted and doubly robust answers are effects of {treatment} if, among customers "
        f"alike in {adjusted}, who had which setting is as good as random for the outcome (no "
        "unmeasured confounder); if every kind of customer could have had every setting; if one "
        "customer's setting does not change another's outcome; and if none of the covariates is "
        "itself moved by the setting (then part of the effect would be taken out). Data cannot "
        "prove the first and the last; the naive answer needs that nothing at all moves both."
    )


def _notes(fitted: _Fitted, design: Design) -> list[str]:
    said = []
    if design.constant:
        said.append(f"Covariates without variation are left out: {listed(design.constant)}.")
    weights = inverse_weights(fitted.arms, fitted.chances)
    after = balance_table(
        design.columns,
        [str(k) for k in range(fitted.arms.count)],
        fitted.arms.covariates,
        fitted.arms.setting,
        weights,
    )["after"]
    off = int((after > BALANCED).sum())
    if off:
        said.append(
            f"{off} of {counted(len(after), 'coded covariate')} differ by more than {BALANCED:g} "
            "standard deviations in some setting even after weighting: there the answer leans on "
            "the regression."
        )
    return said


def _refuse_settings(folds: int, trim: float) -> None:
    refuse(
        sentence
        for wrong, sentence in (
            (not 2 <= folds <= 50, f"folds={folds!r}: a whole number of 2 to 50 is needed"),
            (not 0 <= trim < 0.2, f"trim={trim!r}: a chance of 0 to below 0.2 is needed"),
        )
        if wrong
    )
