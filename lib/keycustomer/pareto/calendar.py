"""The calendar of a table of periods: which period follows which.

Which periods lie between the first and the last one of a table, also those in which nobody
bought, and how many periods after another is one?  :func:`read_calendar` takes the length of a
period from its name, or from the distances between the periods of the table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Calendar:
    """Periods of equal length.

    Attributes
    ----------
    origin : Timestamp
        First day of a period.
    unit : {"days", "months"}
        What `step` counts.
    step : int
        Length of a period.
    """

    origin: pd.Timestamp
    unit: str
    step: int

    def __str__(self) -> str:
        """Name of a period: month, quarter, year, week, day or N days."""
        names = {("months", step): name for name, step in MONTHS.items()}
        names |= {("days", 1): "day", ("days", 7): "week"}
        return names.get((self.unit, self.step), f"{self.step} {self.unit}")

    def start(self, number: int) -> pd.Timestamp:
        """First day of a period; the one of the origin has number 0."""
        length = self.step * int(number)
        if self.unit == "days":
            return self.origin + pd.Timedelta(days=length)
        return self.origin + pd.DateOffset(months=length)

    def starts(self, count: int) -> pd.DatetimeIndex:
        """First days of the first `count` periods."""
        return pd.DatetimeIndex([self.start(number) for number in range(count)])

    def numbers(self, days: pd.DatetimeIndex) -> np.ndarray:
        """Return the number of the period in which each day lies."""
        if self.unit == "days":
            return np.asarray((days - self.origin).days) // self.step
        since = (days.year - self.origin.year) * 12 + days.month - self.origin.month
        return np.asarray(since) // self.step


def read_calendar(days: pd.DatetimeIndex, every: str | None = None) -> Calendar:
    """Find the length of the periods.

    Parameters
    ----------
    days : DatetimeIndex
        First days of the periods of a table, in any order, repeated or not.
    every : str, optional
        ``week``, ``month``, ``quarter``, ``year`` or ``N days``; left out, the largest length of
        which all distances are multiples (in months where every day is the first of one).

    Raises
    ------
    ValueError
        When `every` is none of these, when there is one period only and `every` is left out, or
        when days do not begin a period.
    """
    distinct = days.unique().sort_values()
    origin = pd.Timestamp(distinct[0])
    calendar = _inferred(distinct) if every is None else Calendar(origin, *_length(every))
    expected = pd.DatetimeIndex([calendar.start(n) for n in calendar.numbers(distinct)])
    wrong = distinct[distinct != expected]
    if len(wrong):
        shown = ", ".join(f"{day:%Y-%m-%d}" for day in wrong[:3])
        raise ValueError(
            f"every={every!r}: {len(wrong)} of {len(distinct)} periods do not begin one counted "
            f"from {origin:%Y-%m-%d} (first: {shown})"
        )
    return calendar


def _length(every: str) -> tuple[str, int]:
    if every in MONTHS:
        return "months", MONTHS[every]
    if every == "week":
        return "days", 7
    days = re.fullmatch(r"([1-9]\d*) days?", every)
    if days is None:
        raise ValueError(f"every={every!r}: week, month, quarter, year or 'N days' is needed")
    return "days", int(days[1])


def _inferred(distinct: pd.DatetimeIndex) -> Calendar:
    origin = pd.Timestamp(distinct[0])
    if len(distinct) < 2:
        raise ValueError(
            "every: the table has one period only, which does not tell how long it is; "
            "say every='month', for example"
        )
    if (distinct.day == 1).all():
        months = distinct.year * 12 + distinct.month
        return Calendar(origin, "months", int(np.gcd.reduce(np.diff(months))))
    gaps = np.diff(distinct.to_numpy()) // np.timedelta64(1, "D")
    return Calendar(origin, "days", int(np.gcd.reduce(gaps)))
