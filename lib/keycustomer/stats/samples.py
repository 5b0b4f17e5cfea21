"""Values of customers as numbers that can be computed with.

Are these values numbers, all known and finite?  :func:`finite_values` turns a series, array
or list into a float array, or says which rows are not what they should be and how to cure it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Number
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray: TypeAlias = npt.NDArray[np.float64]
Values: TypeAlias = pd.Series | Sequence[float] | npt.NDArray[Any]


def finite_values(values: Values, argument: str = "values") -> FloatArray:
    """Values as a float array, one number a customer.

    Parameters
    ----------
    values : Series, array or sequence of numbers
        One value a customer; a series' index names the customers in messages.
    argument : str
        Name of the argument in messages.

    Returns
    -------
    ndarray of float64, shape (n,)
        A copy, in the given order.

    Raises
    ------
    TypeError
        When the values are not numbers, or not one number a customer.
    ValueError
        When there are no values, or some are unknown (NaN) or infinite; the message names the
        first rows.
    """
    series = _as_series(values, argument)
    numbers = _as_numbers(series, argument)
    if not numbers.size:
        raise ValueError(f"{argument} is empty: there is no customer to measure")
    complaints = [
        _complaint(series.index[wrong], wrong.sum(), what)
        for wrong, what in (
            (np.isnan(numbers), "not known (NaN): drop these customers or give them a value"),
            (np.isinf(numbers), "infinite: look for a division by zero"),
        )
        if wrong.any()
    ]
    if complaints:
        raise ValueError(f"{argument} cannot be measured: {'; '.join(complaints)}")
    return numbers


def _as_series(values: Values, argument: str) -> pd.Series:
    if isinstance(values, pd.Series):
        return values
    if isinstance(values, (str, bytes, pd.DataFrame)) or np.ndim(values) != 1:
        kind = f"a table with columns {list(values)}" if isinstance(values, pd.DataFrame) else ""
        raise TypeError(
            f"{argument} must hold one number a customer, got {kind or _kind(values)}; "
            "give one column, for example table['revenue']"
        )
    return pd.Series(values)


def _kind(values: Any) -> str:
    if isinstance(values, (str, bytes)):
        return f"the text {values!r}"
    return "a single value" if np.ndim(values) == 0 else f"{np.ndim(values)} dimensions"


def _as_numbers(series: pd.Series, argument: str) -> FloatArray:
    wrong = [not _is_number(value) for value in series] if series.dtype.kind not in "iuf" else []
    if any(wrong):
        first = series[wrong].index[:3].tolist(), series[wrong].iloc[:3].tolist()
        raise TypeError(
            f"{argument} holds {sum(wrong):,} values that are not numbers, first at rows "
            f"{_listed(first[0])}: {', '.join(map(repr, first[1]))}; convert the column first, "
            "for example with pandas.to_numeric"
        )
    # pandas gives a view in spite of copy=True where no value is missing
    return np.array(series.to_numpy(dtype=np.float64, na_value=math.nan))


def _is_number(value: Any) -> bool:
    if value is None or value is pd.NA:
        return True
    return isinstance(value, Number) and not isinstance(value, (bool, np.bool_, complex))


def _complaint(rows: pd.Index, count: int, what: str) -> str:
    verb = "value is" if count == 1 else "values are"
    return f"{count:,} {verb} {what}; first at rows {_listed(rows[:3].tolist())}"


def _listed(rows: list[Any]) -> str:
    return ", ".join(map(repr, rows))


def share_of(value: float, argument: str) -> float:
    """Check that an argument is a share between 0 and 1, not a percentage.

    Raises
    ------
    ValueError
        When it is not; for a number from 1 to 100 the message gives the share that was meant.
    """
    if isinstance(value, (bool, str)) or not 0 <= value <= 1:
        meant = (
            f"; {value:g} % is {argument}={value / 100:g}"
            if not isinstance(value, (bool, str)) and 1 < value <= 100
            else ""
        )
        raise ValueError(f"{argument}={value!r} must be a share between 0 and 1{meant}")
    return float(value)
