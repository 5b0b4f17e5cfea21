"""Service before, during and after the sale: which phase's contacts go with what.

Contacts carry a phase.  :func:`phase_effects` puts an outcome beside the contacts of the three
phases at once, each as the logarithm of what is remembered, with what is held fixed elsewhere.

The trap: complaints are booked as contacts *after* the sale, and competitors' offers *before* it.
Counted in, they let after-sales service look harmful.  Both ways stand side by side: `all contacts`
(every interaction, nothing held fixed) and `own contacts` (what the house did, with what is held
fixed).

What cannot be told: a phase is what the record says a contact was for, so a difference between
phases is one of purpose and not of an experiment; and where slopes do not differ beyond chance
(`equal`), the phases are one thing to these data.

The rule for K6 (service before, during and after the sale each count), set before any data: for an
outcome, supported when the slopes of all three phases lie on the good side of 0 with their whole
intervals, not supported when one lies wholly on the other side, else undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import made_up_note, report_html
from keycustomer.relationships.service.carry_over import carried, carry_factor
from keycustomer.relationships.service.controls import control_columns, identification
from keycustomer.relationships.service.outcomes import OutcomeRows, outcome_rows
from keycustomer.relationships.service.record import PHASES, ServiceRecord
from keycustomer.relationships.service.regression import Regression, fit_regression
from keycustomer.stats import Estimate, verdict_above, verdict_below
from keycustomer.stats.regressions.wald import wald_test

Array = npt.NDArray[Any]

WAYS = ("all contacts", "own contacts")
"""Every interaction and nothing held fixed; what the house did, with what is held fixed."""


@dataclass(frozen=True, eq=False)
class PhaseEffects:
    """Slopes of the phases.

    Attributes
    ----------
    outcome, unit : str
        What goes with the contacts, and the unit of a slope.
    slopes : dict of (str, str) to Estimate
        Per unit of log(1 + contacts of the phase remembered), by phase and way.
    contacts : dict of (str, str) to int
        Contacts counted, by phase and way.
    equal : float
        p-value of the slopes of `own contacts` being equal; NaN where a phase has no slope.
    verdict : str
        On K6, for this outcome.
    without_phase : int
        Contacts without a known phase, left out.
    excluded : dict of str to int
        What was left out of leaving, by reason.
    """

    outcome: str
    unit: str
    slopes: dict[tuple[str, str], Estimate]
    contacts: dict[tuple[str, str], int]
    equal: float
    verdict: str
    without_phase: int
    rows: int
    customers: int
    identification: str
    simulated: bool
    excluded: dict[str, int] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """List the slopes: phase, way, contacts, estimate, lower, upper."""
        rows = [
            {"phase": phase, "way": way, "contacts": self.contacts[phase, way]}
            | {"estimate": one.estimate, "lower": one.lower, "upper": one.upper}
            for (phase, way), one in self.slopes.items()
        ]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        sentences = [
            *made_up_note(self.simulated),
            f"{self.outcome}: {self.rows:,} rows of {self.customers:,} customers.",
            f"The three slopes of what the house did are equal with p = {self.equal:.2g}; "
            f"K6: {self.verdict}.",
            f"{self.without_phase:,} contacts have no known phase.",
            self.identification,
            *(f"Left out: {n:,} {why}." for why, n in self.excluded.items() if n),
        ]
        return report_html("Service by phase", sentences, {self.unit: self.to_frame()})


def phase_effects(
    record: ServiceRecord,
    outcome: str = "satisfaction",
    *,
    half_life: float = 3.0,
    burn_in: int = 6,
    attributes: Sequence[str] = (),
    level: float = 0.95,
) -> PhaseEffects:
    """Put an outcome beside contacts before, during and after the sale.

    Parameters
    ----------
    record : ServiceRecord
        From :func:`keycustomer.relationships.read_service`.
    outcome : str
        "left", "take_up", or a construct of the survey.
    half_life : float
        Months after which half a contact is forgotten; contacts count alike here.
    burn_in : int
        First months of the window that are left out.
    attributes : sequence of str
        Attributes of the customers that are held fixed as well.
    level : float
        Confidence level.

    Raises
    ------
    ValueError
        When no contact has a phase, or the outcome is not known.
    """
    phase = record.contacts["phase"].to_numpy(dtype=object)
    known_phase = np.isin(phase.astype(str), PHASES)
    if not known_phase.any():
        found = sorted({str(word) for word in phase})[:8]
        raise ValueError(f"no contact has a phase; needed: {', '.join(PHASES)}, found: {found}")
    known = outcome_rows(record, outcome, burn_in)
    customer = pd.factorize(record.customer[known.rows])[0].astype(np.int64)
    slopes: dict[tuple[str, str], Estimate] = {}
    contacts: dict[tuple[str, str], int] = {}
    equal = np.nan
    unit = ("log-odds" if known.family == "logistic" else known.unit) + " per unit of log contacts"
    for way in WAYS:
        own = record.contacts["is_contact"].to_numpy() | (way == "all contacts")
        counted = [own & (phase.astype(str) == name) for name in PHASES]
        factor = carry_factor(half_life)
        counts = np.column_stack([record.count(one) for one in counted])
        stock = carried(counts, record.customer, record.number, factor)[known.rows]
        held = control_columns(record.months, known.rows, attributes) if way != WAYS[0] else None
        model = _fit(known, np.log1p(stock), held, customer)
        slopes |= {(name, way): model.coefficient(name, unit, level) for name in PHASES}
        contacts |= {(name, way): int(one.sum()) for name, one in zip(PHASES, counted, strict=True)}
        equal = equal_slopes(model, PHASES)
    return PhaseEffects(
        outcome=outcome,
        unit=unit,
        slopes=slopes,
        contacts=contacts,
        equal=equal,
        verdict=phase_verdict([slopes[name, WAYS[1]] for name in PHASES], outcome),
        without_phase=int((~known_phase).sum()),
        rows=len(known.rows),
        customers=int(customer.max()) + 1,
        identification=identification("contacts of a phase"),
        simulated=record.months.simulated,
        excluded=known.excluded,
    )


def _fit(
    known: OutcomeRows, shape: Array, held: tuple[Array, list[str]] | None, customer: Array
) -> Regression:
    design, names = shape, list(PHASES)
    if held is not None:
        design, names = np.column_stack([shape, held[0]]), [*PHASES, *held[1]]
    return fit_regression(known.values, design, names, customer, known.family)


def equal_slopes(model: Regression, names: Sequence[str]) -> float:
    """p-value of some coefficients being equal (Wald test over customers), NaN if one has none."""
    if set(names) & {*model.left_out, *model.unbounded}:
        return float("nan")
    places = [model.names.index(name) for name in names]
    apart = np.zeros((len(names) - 1, len(names)))
    apart[:, 0], apart[:, 1:] = -1.0, np.eye(len(names) - 1)
    differences = apart @ model.coefficients[places]
    spread = apart @ model.covariance[np.ix_(places, places)] @ apart.T
    return wald_test(differences, spread)


def phase_verdict(slopes: Sequence[Estimate], outcome: str) -> str:
    """Verdict on K6 from the three slopes: good is below 0 for leaving, else above."""
    said = [verdict_below(one, 0.0) if outcome == "left" else verdict_above(one) for one in slopes]
    if "not supported" in said:
        return "not supported"
    return "supported" if set(said) == {"supported"} else "undecided"
