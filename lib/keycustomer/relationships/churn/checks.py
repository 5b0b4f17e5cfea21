"""Checks of what a churn model is given: columns, events, customers.

:func:`need_columns_of`, :func:`events_of` and :func:`probabilities_of` give the values or say what
is wrong with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.stats.samples import FloatArray, Values, finite_values

BoolArray = npt.NDArray[np.bool_]


def need_columns_of(frame: pd.DataFrame, columns: Sequence[str], argument: str) -> None:
    """Check that a frame has rows and columns.

    Raises
    ------
    TypeError
        When it is no frame.
    ValueError
        When it is empty, or columns are missing.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{argument}={type(frame).__name__}: a DataFrame is needed")
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(
            f"{argument}: there is no column {', '.join(map(repr, missing))}; it has "
            f"{frame.columns.tolist()}"
        )
    if frame.empty:
        raise ValueError(f"{argument}: there is no row in it")


def events_of(frame: pd.DataFrame, event: str) -> BoolArray:
    """Whether each row ended in leaving.

    Raises
    ------
    ValueError
        When the column holds anything but True and False, or 1 and 0.
    """
    values = frame[event]
    known = values.dropna()
    texts = pd.api.types.is_string_dtype(known) or not known.isin([0, 1]).all()
    if values.isna().any() or texts:
        wrong = known[~known.isin([0, 1])].unique().tolist()[:5] or ["missing values"]
        raise ValueError(
            f"column {event!r} must say in every row whether the customer left, True or False (or "
            f"1 and 0), got {wrong}; write for example "
            f"frame.assign({event}=frame[{event!r}] == 'Yes')"
        )
    return values.to_numpy(dtype=bool)


def probabilities_of(values: Values, argument: str = "probability") -> FloatArray:
    """Give predicted probabilities as an array.

    Raises
    ------
    ValueError
        When some are not known, or not between 0 and 1.
    """
    given = finite_values(values, argument)
    wrong = (given < 0) | (given > 1)
    if wrong.any():
        raise ValueError(
            f"{argument}: probabilities lie between 0 and 1, got {given[wrong][:3].tolist()}"
        )
    return given
