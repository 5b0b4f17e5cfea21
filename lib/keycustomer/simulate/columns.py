"""Columns of the simulated tables: ids, days and texts made quickly from codes.

Texts are repeated by code and never formatted row by row.  Main names: `customer_ids`,
`account_numbers`, `texts`, `days_in_month`, `end_of_month`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[Any]

BILLING_DAYS = 28
"""Every day drawn within a month is one of its first 28."""


def texts(words: Sequence[str] | Array, codes: Array) -> Any:
    """Repeat words by code as a text column; a negative code is a missing text."""
    return pd.array(list(words), dtype="str").take(codes, allow_fill=True)


def customer_ids(number: Array) -> Any:
    """Ids of accounts by number, text with leading zeros: K0000001 is the first."""
    return pd.array([f"K{k + 1:07d}" for k in number.tolist()], dtype="str")


def account_numbers(ids: Any) -> Array:
    """Numbers of accounts by their ids, the inverse of `customer_ids`; -1 for no such id."""
    told = pd.Series(np.asarray(ids, dtype=object)).astype(str).str.extract(r"^K(\d{7,})$")[0]
    return pd.to_numeric(told).fillna(0).to_numpy(np.int64) - 1


def days_in_month(first_days: Array, day: Array) -> Array:
    """Calendar days from the first day of a month and a day of the month, 1 to 28."""
    moments: Array = first_days.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    return moments.astype("datetime64[s]")


def end_of_month(first_days: Array) -> Array:
    """Last calendar days of months given by their first days."""
    months = first_days.astype("datetime64[M]") + 1
    ends: Array = months.astype("datetime64[D]") - np.timedelta64(1, "D")
    return ends.astype("datetime64[s]")


def month_starts(start: str, months: Array) -> Array:
    """First days of months counted from a calendar month, negative ones before it."""
    first = np.datetime64(start, "M") + months.astype(np.int64)
    days: Array = first.astype("datetime64[D]")
    return days
