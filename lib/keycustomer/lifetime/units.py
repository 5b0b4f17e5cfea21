"""Units of time of a lifetime model, and rates per year in them.

Which unit do a model's parameters count in?  `DAYS` gives the length of every unit, `days_in`
looks one up, `force_of_interest` turns a yearly discount rate into a continuous one per unit.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["day", "week", "month", "quarter", "year"]

DAYS: dict[str, float] = {
    "day": 1.0,
    "week": 7.0,
    "month": 30.4375,
    "quarter": 91.3125,
    "year": 365.25,
}
"""Mean length of a unit in days: a month is 30.4375 days, not 30."""


def days_in(unit: str, argument: str = "unit") -> float:
    """Length of a unit of time in days.

    Raises
    ------
    ValueError
        When there is no such unit.
    """
    if not isinstance(unit, str) or unit not in DAYS:
        raise ValueError(f"{argument}={unit!r}: one of {', '.join(map(repr, DAYS))} is needed")
    return DAYS[unit]


def force_of_interest(discount_rate: float, unit: str) -> float:
    """Continuous discount rate per unit of time.

    Parameters
    ----------
    discount_rate : float
        Effective rate per year, a share: 0.10 makes a sum due in a year worth 1/1.10 today.
    unit : str
        Unit of time.

    Returns
    -------
    float
        The rate delta of the discount factor exp(-delta t), t in `unit`.

    Raises
    ------
    ValueError
        When the rate is not a finite share of at least 0; 10 % is 0.10.
    """
    rate = isinstance(discount_rate, Real) and not isinstance(discount_rate, bool)
    if not (rate and 0 <= discount_rate < math.inf):
        raise ValueError(
            f"discount_rate={discount_rate!r} must be a share per year of at least 0, "
            "for example 0.10 for 10 %"
        )
    if discount_rate > 1:
        raise ValueError(
            f"discount_rate={discount_rate!r} is {discount_rate:.0%} a year; "
            f"{discount_rate:g} % is discount_rate={discount_rate / 100:g}"
        )
    return math.log1p(discount_rate) * days_in(unit) / DAYS["year"]
