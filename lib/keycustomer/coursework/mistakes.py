"""What kind of mistake a wrong answer looks like, without giving the right one away.

`diagnose` compares an answer with the reference and with the exercise's traps (answers that come
out when a known slip is made: the wrong population, returns left in, ties cut) and names the first
slip that explains it: a share written in per cent, a wrong unit, a turned sign, the complement,
rounding too early, one off at a border.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["share", "count", "amount", "days", "choice", "customers"]

# Half a unit of the last digit asked for: shares to three digits, amounts to the cent, days whole.
TOLERANCE: dict[str, float] = {"share": 5e-4, "count": 0.0, "amount": 5e-3, "days": 0.5}

_UNITS: dict[str, tuple[tuple[float, str], ...]] = {
    "share": (
        (100.0, "it looks like per cent; a share lies between 0 and 1"),
        (0.01, "it looks divided by 100 once too often; a share lies between 0 and 1"),
    ),
    "count": ((0.001, "it looks like thousands; count single units"),),
    "amount": (
        (100.0, "it looks like hundredths (cents); answer in the currency unit"),
        (10_000.0, "it looks like the engine's 1/10,000; answer in the currency unit"),
        (0.001, "it looks like thousands; answer in the currency unit"),
    ),
    "days": (
        (1 / 7, "it looks like weeks; answer in days"),
        (1 / 30.4375, "it looks like months; answer in days"),
        (1 / 365.25, "it looks like years; answer in days"),
    ),
}


def agrees(answer: Any, reference: Any, kind: Kind) -> bool:
    """Whether an answer is right, to the digits its kind asks for.

    Parameters
    ----------
    answer, reference
        A number for `share`, `count`, `amount` and `days`; a word for `choice`; a collection of
        customer ids for `customers`, whose order does not matter.
    kind : {"share", "count", "amount", "days", "choice", "customers"}
        What the answer is.
    """
    if kind == "choice":
        return _word(answer) == _word(reference)
    if kind == "customers":
        return len(list(answer)) == len(set(answer)) and set(answer) == set(reference)
    return _near(float(answer), float(reference), TOLERANCE[kind])


def diagnose(
    answer: Any, reference: Any, kind: Kind, traps: Mapping[str, Any] | None = None
) -> str:
    """Name the slip that a wrong answer looks like.

    Parameters
    ----------
    answer, reference, kind
        As in `agrees`.
    traps : mapping of str to answer, optional
        What comes out when a known slip is made, by the sentence that names the slip.

    Returns
    -------
    str
        One sentence; never the reference itself.
    """
    complaint = malformed(answer, kind)
    if complaint:
        return complaint
    for slip, wrong in (traps or {}).items():
        if not agrees(wrong, reference, kind) and agrees(answer, wrong, kind):
            return slip
    if kind == "choice":
        return "not this one; read the question and the figure before it again"
    if kind == "customers":
        return _customers_slip(list(answer), set(reference))
    return _number_slip(float(answer), float(reference), kind)


def malformed(answer: Any, kind: Kind) -> str | None:
    """Say what is wrong with an answer's form, or None.

    Parameters
    ----------
    answer
        The answer given.
    kind
        What it should be.
    """
    if kind == "choice":
        return None if isinstance(answer, str) else f"answer with a word, not a {_type(answer)}"
    if kind == "customers":
        if isinstance(answer, str | pd.DataFrame) or not isinstance(answer, Iterable):
            return f"answer with a list of customer ids, not a {_type(answer)}"
        strays = [one for one in answer if not isinstance(one, str)]
        return f"customer ids are text; {strays[0]!r} is a {_type(strays[0])}" if strays else None
    if isinstance(answer, bool | np.bool_) or not isinstance(answer, int | float | np.number):
        return f"answer with one number, not a {_type(answer)}"
    if not math.isfinite(answer):
        return "the answer is not a finite number; are there missing values in the column?"
    return None


def _number_slip(answer: float, reference: float, kind: Kind) -> str:
    tolerance = TOLERANCE[kind]
    for factor, slip in _UNITS[kind]:
        if reference != 0 and _near(answer, reference * factor, tolerance * factor):
            return slip
    if reference != 0 and _near(answer, -reference, tolerance):
        return "the sign is turned"
    if kind == "share" and _near(answer, 1 - reference, tolerance):
        return "it is the share of all the others; look at what was asked for"
    if kind == "count" and 0 < abs(answer - reference) <= 1:
        return "one off: think of the customer at the border, and of ties there"
    if _near(answer, reference, max(10 * tolerance, 1e-3 * abs(reference))):
        return "very close: was something rounded too early, or a tie cut at the border?"
    return "not right yet; check which customers and which column the question means"


def _customers_slip(answer: list[str], reference: set[str]) -> str:
    if len(answer) != len(set(answer)):
        return "some customers are named more than once"
    zeros = {one.lstrip("0") for one in reference}
    if not set(answer) & reference and {one.lstrip("0") for one in answer} & zeros:
        return "the ids lost their leading zeros; ids are text, exactly as on file"
    strangers, missing = len(set(answer) - reference), len(reference - set(answer))
    if strangers and not missing:
        return f"all that belong are there, and {strangers} too many"
    if missing and not strangers:
        return f"all named belong, and {missing} are missing"
    return (
        f"{strangers} named do not belong and {missing} are missing; check order, ties and period"
    )


def _near(a: float, b: float, tolerance: float) -> bool:
    # A hair of slack for decimal fractions; none where an exact count is asked for.
    return abs(a - b) <= tolerance * (1 + 1e-9) + (1e-9 * abs(b) if tolerance else 0)


def _word(value: Any) -> str:
    return " ".join(str(value).split()).casefold()


def _type(value: Any) -> str:
    return type(value).__name__
