"""Settings of a simulated company: how many accounts, how many months, which seed, which start.

`Settings` holds them, checked; everything random follows from the seed, see
:mod:`keycustomer.simulate.streams`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

LONGEST = 600
"""Most months a company may be simulated, fifty years."""


@dataclass(frozen=True)
class Settings:
    """Size, window and seed of a simulated company.

    Attributes
    ----------
    accounts : int
        Business customers, those who join within the window included.
    months : int
        Months of the window, 1 to 600.
    seed : int
        Seed of everything random, 0 or larger.
    start : str
        First calendar month of the window, "YYYY-MM".
    ahead : int
        Months simulated after the window, in which nobody new joins: the future of the customers
        there at its end.  With them, totals are of these months alone.
    discount_rate : float
        Effective rate per year, a share, by which amounts after the window are discounted to its
        end; a month's amounts are due at the end of the month.

    Raises
    ------
    TypeError, ValueError
        When one of them is no such number or month; all complaints at once.
    """

    accounts: int = 2_000
    months: int = 36
    seed: int = 1
    start: str = "2023-01"
    ahead: int = 0
    discount_rate: float = 0.0

    def __post_init__(self) -> None:
        """Check all settings and complain about all of them at once."""
        complaints = [
            _whole(self.accounts, "accounts", low=1),
            _whole(self.months, "months", low=1, high=LONGEST),
            _whole(self.seed, "seed", low=0),
            _calendar_month(self.start),
            _whole(self.ahead, "ahead", low=0, high=LONGEST),
            _rate(self.discount_rate),
        ]
        said = [complaint for complaint in complaints if complaint]
        if said:
            raise ValueError("; ".join(said))

    @property
    def span(self) -> int:
        """Months simulated, those after the window included."""
        return self.months + self.ahead

    @property
    def counted_from(self) -> int:
        """First month that totals count: the window's, or the first after it."""
        return self.months if self.ahead else 0

    def present_value(self, month: int) -> float:
        """Worth at the end of the window of one unit of currency due in a month."""
        if month < self.months:
            return 1.0
        return float((1 + self.discount_rate) ** (-(month - self.months + 1) / 12))

    def calendar(self) -> npt.NDArray[Any]:
        """First days of the months of the window, datetime64[D], shape (months,)."""
        first = np.datetime64(self.start, "M")
        return (first + np.arange(self.months)).astype("datetime64[D]")

    def month_of_year(self, month: int) -> int:
        """Calendar month, 0 = January, of a month of the window (0 = first)."""
        return (int(self.start[5:]) - 1 + month) % 12


def _whole(value: object, name: str, low: int, high: int | None = None) -> str | None:
    allowed = f"{low} or larger" if high is None else f"{low} to {high}"
    right = isinstance(value, Integral) and not isinstance(value, bool)
    if right and value >= low and (high is None or value <= high):  # type: ignore[operator]
        return None
    return f"{name}={value!r} must be a whole number, {allowed}"


def _rate(value: object) -> str | None:
    if isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) <= 1:
        return None
    return f"discount_rate={value!r} must be a share a year, 0 to 1; 10 % is 0.1"


def _calendar_month(start: object) -> str | None:
    if isinstance(start, str) and re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", start):
        return None
    return f"start={start!r} must be a calendar month written YYYY-MM, such as '2023-01'"
