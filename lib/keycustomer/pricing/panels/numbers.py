"""Columns of numbers, also of numbers written as text, with the rows named that hold none.

Main name: :func:`numbers_in`.
"""

from __future__ import annotations

import pandas as pd

from keycustomer.customers.rendering import counted

NAMED = 3
"""Values that a message shows."""


def numbers_in(values: pd.Series, what: str) -> pd.Series:
    """Read a column of numbers; blank ones stay unknown.

    Parameters
    ----------
    values : Series
        Numbers, or numbers written as text.
    what : str
        Table and column, for the message.

    Raises
    ------
    ValueError
        When some are neither numbers nor blank, with the first of them.
    """
    if values.dtype.kind in "iuf":
        return values.astype(float)
    numbers = pd.to_numeric(values.astype(object), errors="coerce").astype(float)
    blank = (values.astype("string").str.strip() == "").fillna(True).astype(bool)
    wrong = numbers.isna() & values.notna() & ~blank
    if wrong.any():
        first = values[wrong].head(NAMED)
        raise ValueError(
            f"{what} holds {counted(int(wrong.sum()), 'value')} that are no numbers, first at rows "
            f"{first.index.tolist()}: {', '.join(map(repr, first))}; correct them, or leave them "
            "blank"
        )
    return numbers
