"""What contacts may lead to: leaving, taking up, and what customers answer.

:func:`outcome_rows` gives, for one outcome, the customer-months on which it is known, its values
and the kind of regression that fits: `left` (the customer left at the month's end, or within the
next month), `take_up` (a further product in the month after), or a construct of the survey, such as
`loyalty`, in standard deviations of the answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.dimensions.complaints import did_you_mean, listed
from keycustomer.relationships.service.record import ServiceRecord
from keycustomer.relationships.service.regression import Family

Array = npt.NDArray[Any]

EVENTS = {
    "left": "leaving, per 1,000 customer-months",
    "take_up": "taking up a further product, per 1,000 customer-months",
}
"""Outcomes of the months themselves, with their unit."""


@dataclass(frozen=True, eq=False)
class OutcomeRows:
    """Customer-months on which an outcome is known.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Places in the months; a customer-month with several questionnaires comes several times.
    values : ndarray of float, shape (n,)
        0 or 1, or standard deviations.
    family : {"logistic", "linear"}
        Regression that fits.
    unit : str
        Unit of a mean change times `per`.
    per : float
        1000 for events, 1 for answers.
    excluded : dict of str to int
        What was left out of leaving, by reason.
    """

    rows: Array
    values: Array
    family: Family
    unit: str
    per: float
    excluded: dict[str, int] = field(default_factory=dict)


def outcome_rows(record: ServiceRecord, outcome: str, burn_in: int) -> OutcomeRows:
    """Find the rows and values of an outcome.

    Parameters
    ----------
    record : ServiceRecord
        From :func:`keycustomer.relationships.read_service`.
    outcome : str
        "left", "take_up", or a construct of the survey.
    burn_in : int
        First months of the window that are left out.

    Raises
    ------
    ValueError
        When there is no such outcome, or it is nowhere known.
    """
    asked = [name for name in record.answers.columns if name != "row"]
    if outcome not in EVENTS and outcome not in asked:
        known = [*EVENTS, *asked]
        raise ValueError(
            f"outcome={outcome!r}: there is {listed(known)}{did_you_mean(outcome, known)}"
        )
    if not 0 <= burn_in < record.months.months:
        raise ValueError(f"burn_in={burn_in!r} must be 0 to {record.months.months - 1} months")
    if outcome in EVENTS:
        values = record.leaving if outcome == "left" else _taken_up(record)
        excluded = record.not_whole(burn_in) if outcome == "left" else {}
        rows = np.flatnonzero(np.isfinite(values) & (record.number >= burn_in))
        found = OutcomeRows(rows, values[rows], "logistic", EVENTS[outcome], 1000.0, excluded)
    else:
        rows = record.answers["row"].to_numpy(dtype=np.int64)
        marks = record.answers[outcome].to_numpy(dtype=float)
        used = np.isfinite(marks) & (record.number[rows] >= burn_in)
        rows, marks = rows[used], marks[used]
        spread = marks.std() if len(marks) else 0.0
        scores = (marks - marks.mean()) / spread if spread > 0 else marks
        found = OutcomeRows(rows, scores, "linear", f"{outcome}, sd of the answers", 1.0)
    if not len(found.rows):
        raise ValueError(f"outcome={outcome!r} is not known in any month after the first {burn_in}")
    return found


def _taken_up(record: ServiceRecord) -> Array:
    """Whether the next month shows more products; NaN where there is no next month."""
    products = record.months.frame["products"].to_numpy(dtype=float)
    taken = np.full(len(products), np.nan)
    now, after = products[record.followed], products[record.followed + 1]
    taken[record.followed] = np.where(np.isfinite(now) & np.isfinite(after), after > now, np.nan)
    return taken
