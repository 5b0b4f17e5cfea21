"""Arguments that many functions of lifetime value take, checked in one way.

Does the table have the columns, is this a day, a whole number of periods, can a sum for ever be
finite, may a search begin here?  Each check says what is wrong and how to mend it:
:func:`need_columns`, :func:`day_of`, :func:`whole_number`, :func:`refuse_endless`,
:func:`checked_start`, :func:`checked_weights`.  Units and discount rates are checked in
:mod:`keycustomer.lifetime.units`, horizons in time in :mod:`keycustomer.lifetime.transactions`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.table import Day
from keycustomer.lifetime.newton import positive_numbers
from keycustomer.stats.samples import FloatArray


def need_columns(
    table: pd.DataFrame, names: Iterable[str], argument: str, *, cure: str = ""
) -> None:
    """Refuse a table without the columns needed.

    Parameters
    ----------
    table : DataFrame
        The table given.
    names : iterable of str
        Columns needed.
    argument : str
        What the table was given as.
    cure : str
        What to do, where more can be said than which columns there are.

    Raises
    ------
    ValueError
        With every column that is missing, and those found.
    """
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(
            f"{argument}: column {', '.join(map(repr, missing))} is missing; columns found: "
            f"{', '.join(map(str, table.columns)) or 'none'}" + (f"; {cure}" if cure else "")
        )


def day_of(value: Day, argument: str) -> dt.date | None:
    """Read a day given as an argument; None where none was given.

    Raises
    ------
    ValueError
        When it is no day.
    """
    if value is None:
        return None
    try:
        day = pd.Timestamp(value)
    except (TypeError, ValueError):
        day = None
    if day is None or pd.isna(day):
        raise ValueError(f"{argument} is a day such as '2017-06-30', got {value!r}")
    return day.date()


def whole_number(value: Any, argument: str, *, of: str, least: int = 0) -> int:
    """Read a whole number such as a horizon in periods.

    Parameters
    ----------
    value : int
        The number given.
    argument : str
        What it was given as.
    of : str
        What is counted, such as `periods`.
    least : int
        The smallest that makes sense.

    Raises
    ------
    ValueError
        When it is not whole, not finite or too small.
    """
    number = np.asarray(value)
    given = number.item() if number.size == 1 else value
    finite = number.dtype.kind in "iuf" and number.size == 1 and math.isfinite(given)
    if not finite or given < least or given % 1:
        raise ValueError(
            f"{argument}={given!r}: a whole number of {of} of at least {least} is needed"
        )
    return int(given)


def refuse_endless(force: float, horizon: float | None, what: str) -> None:
    """Refuse to add up for ever what is not discounted.

    Parameters
    ----------
    force : float
        Continuous discount rate.
    horizon : float or None
        Time counted; None is for ever.
    what : str
        What is added up, such as `purchases`.

    Raises
    ------
    ValueError
        When nothing is discounted and the time is without end.
    """
    if horizon is None and force == 0:
        raise ValueError(
            f"discount_rate=0 without a horizon: {what} for ever may add up to infinity; give a "
            "discount rate above 0 or a horizon"
        )


def checked_weights(weights: FloatArray, rows: int) -> FloatArray:
    """Read the weights of a refit: how many customers each row of a model's data stands for.

    Raises
    ------
    ValueError
        When they are not one finite number of at least 0 a row, or all 0.
    """
    drawn = np.asarray(weights, dtype=float)
    if drawn.shape != (rows,):
        raise ValueError(
            f"weights: one number for each of the {rows:,} rows of the model's `histories` is "
            f"needed, got shape {drawn.shape}"
        )
    if not (drawn.min() >= 0 and 0 < drawn.sum() < np.inf):
        raise ValueError("weights: finite numbers of at least 0 are needed, not all of them 0")
    return drawn


def checked_start(start: object, *names: str) -> FloatArray | None:
    """Read parameters to begin a search at; None where none were given.

    Parameters
    ----------
    start : array
        The parameters given.
    *names : str
        What the model calls them.

    Raises
    ------
    ValueError
        When they are not one finite positive number a name.
    """
    if start is None:
        return None
    given = positive_numbers(start, len(names))
    if given is None:
        raise ValueError(
            f"start={start!r}: {len(names)} positive numbers are needed, {', '.join(names)}"
        )
    return given
