"""Units of a comparison read from a frame: which had which setting, and what can be used.

:func:`read_units` checks the columns and the settings of a treatment and codes the covariates;
`Units.arms` gives the arrays that the estimators take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.complaints import did_you_mean, listed, refuse
from keycustomer.relationships.effects.arms import Arms
from keycustomer.relationships.effects.designs import Design, read_design, refuse_missing

FEWEST = 20
"""Units that a setting needs: with fewer nothing can be learned of who has it."""


@dataclass(frozen=True, eq=False)
class Units:
    """Rows of a frame, and which of their columns are what.

    Attributes
    ----------
    frame : DataFrame
        Rows that can be used.
    design : Design
        How covariates are coded.
    treatment, outcome : str
        Columns.
    exposure, customer : str or None
        Columns; None where each row counts alike, or is a customer.
    order : list of str
        Settings in their order.
    reference : int
        Position of the setting that the others are compared with.
    excluded : dict of str to int
        Rows that cannot be used, by reason.
    """

    frame: pd.DataFrame
    design: Design
    treatment: str
    outcome: str
    exposure: str | None
    customer: str | None
    order: list[str]
    reference: int
    excluded: dict[str, int]

    def arms(self) -> Arms:
        """Code the rows."""
        frame, n = self.frame, len(self.frame)
        place = {name: k for k, name in enumerate(self.order)}
        who = np.arange(n) if self.customer is None else pd.factorize(frame[self.customer])[0]
        return Arms(
            frame[self.treatment].astype(str).map(place).to_numpy(dtype=np.int64),
            len(self.order),
            frame[self.outcome].to_numpy(dtype=float),
            np.ones(n) if self.exposure is None else frame[self.exposure].to_numpy(dtype=float),
            self.design.matrix(frame),
            np.asarray(who, dtype=np.int64),
        )

    def refuse_few(self, arms: Arms, when: str = "") -> None:
        """Refuse settings with too few units."""
        units = np.bincount(arms.setting, minlength=arms.count)
        refuse(
            f"frame: {self.treatment} {name!r} has {counted(int(n), 'unit')}{when}, and {FEWEST} "
            "are needed; leave it out or put settings together"
            for name, n in zip(self.order, units, strict=True)
            if n < FEWEST
        )


def read_units(
    frame: pd.DataFrame,
    treatment: str,
    outcome: str,
    covariates: Sequence[str],
    exposure: str | None = None,
    customer: str | None = None,
    settings: Sequence[str] | None = None,
    reference: str | None = None,
) -> Units:
    """Read the units of a comparison.

    Parameters
    ----------
    frame, treatment, outcome, covariates, exposure, customer, settings, reference
        As in :func:`~keycustomer.relationships.effects.outcomes_compared.treatment_effects`.

    Raises
    ------
    TypeError, ValueError
        When columns are missing, values are no numbers, or settings are unknown.
    """
    named = [treatment, outcome, *filter(None, (exposure, customer))]
    refuse_missing(frame, named, "frame")
    if treatment in covariates or outcome in covariates:
        raise ValueError("covariates: the treatment and the outcome are none of them")
    usable, excluded = _usable(frame, treatment, outcome, exposure)
    order = _settings(usable[treatment], settings)
    compared_with = order.index(_reference(reference, order))
    design = read_design(usable, covariates)
    return Units(
        usable, design, treatment, outcome, exposure, customer, order, compared_with, excluded
    )


def _usable(
    frame: pd.DataFrame, treatment: str, outcome: str, exposure: str | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows whose setting, outcome and exposure are known, and how many are not."""
    excluded = {}
    unknown = frame[treatment].isna()
    if unknown.any():
        excluded[f"{treatment} not known"] = int(unknown.sum())
    for name in filter(None, (outcome, exposure)):
        if not (
            pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_bool_dtype(frame[name])
        ):
            raise TypeError(f"frame: column {name!r} must hold numbers, or true and false")
        missing = frame[name].isna() & ~unknown
        if missing.any():
            excluded[f"{name} not known"] = int(missing.sum())
        unknown = unknown | missing
    rows = frame[~unknown]
    if exposure is not None and (rows[exposure] < 0).any():
        raise ValueError(f"frame: {exposure} is below 0 in {int((rows[exposure] < 0).sum())} rows")
    return rows, excluded


def _settings(had: pd.Series, settings: Sequence[str] | None) -> list[str]:
    found = had.astype(str)
    order = sorted(found.unique()) if settings is None else [str(one) for one in settings]
    strange = sorted(set(found) - set(order))
    refuse(
        f"frame: {had.name} has {name!r}, which is none of settings {listed(order)}"
        for name in strange[:3]
    )
    if len(order) < 2:
        raise ValueError(f"frame: {had.name} has one setting only ({listed(order)}); compare two")
    return order


def _reference(reference: str | None, order: list[str]) -> str:
    if reference is None:
        return order[0]
    if str(reference) not in order:
        raise ValueError(
            f"reference={reference!r} is no setting; there is {listed(order)}"
            f"{did_you_mean(reference, order)}"
        )
    return str(reference)
