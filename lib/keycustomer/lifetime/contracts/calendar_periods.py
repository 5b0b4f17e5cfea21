"""Whole calendar periods between days: a month from 31 January ends in February.

How many whole months lie between two days, and which day is so many months later?  Counting days
and dividing by 30.4 would put renewals on wrong days; :func:`whole_periods` and
:func:`add_periods` follow the calendar.  A day that a month lacks becomes its last one.
"""

from __future__ import annotations

import numpy as np

MONTHS = {"month": 1, "quarter": 3, "year": 12}
"""Months in the periods that the calendar makes of unequal length."""

DAYS = {"day": 1, "week": 7}
"""Days in the others."""


def add_periods(start: np.ndarray, periods: np.ndarray, unit: str) -> np.ndarray:
    """Day that lies so many periods after each start.

    Parameters
    ----------
    start : ndarray of datetime64[D], shape (n,)
        Days.
    periods : ndarray of int, shape (n,)
        Whole periods.
    unit : {"day", "week", "month", "quarter", "year"}
        The period.

    Returns
    -------
    ndarray of datetime64[D], shape (n,)
    """
    if unit in DAYS:
        return start + (DAYS[unit] * periods).astype("timedelta64[D]")
    month = start.astype("datetime64[M]")
    day = (start - month.astype("datetime64[D]")).astype(np.int64)
    target = month + (MONTHS[unit] * periods).astype("timedelta64[M]")
    first = target.astype("datetime64[D]")
    length = ((target + np.timedelta64(1, "M")).astype("datetime64[D]") - first).astype(np.int64)
    return first + np.minimum(day, length - 1).astype("timedelta64[D]")


def whole_periods(start: np.ndarray, day: np.ndarray, unit: str) -> np.ndarray:
    """Whole periods from each start up to a day.

    Parameters
    ----------
    start, day : ndarray of datetime64[D], shape (n,)
        Days, `start` not after `day`.
    unit : {"day", "week", "month", "quarter", "year"}
        The period.

    Returns
    -------
    ndarray of int, shape (n,)
        The largest number for which :func:`add_periods` does not go beyond the day.
    """
    if unit in DAYS:
        return (day - start).astype(np.int64) // DAYS[unit]
    months = (day.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(np.int64)
    most = months // MONTHS[unit]
    return most - (add_periods(start, most, unit) > day)
