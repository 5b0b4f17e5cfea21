"""Groups of customers in spells: by a column, in a stable order, none dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

EVERYBODY = "all customers"
UNKNOWN = "not known"
"""Group of those whose column is empty."""

MOST = 30
"""Groups beyond which a column looks like a number or an identifier rather than a group."""


def group_codes(frame: pd.DataFrame, by: str | None) -> tuple[npt.NDArray[Any], list[str]]:
    """Give every row the number of its group.

    Parameters
    ----------
    frame : DataFrame
        Spells.
    by : str or None
        A column; None puts all into one group.

    Returns
    -------
    codes : ndarray of int, shape (rows,)
    names : list of str
        In the column's own order where it has one, else sorted; those not known last.

    Raises
    ------
    ValueError
        When there is no such column or it has too many values.
    """
    if by is None:
        return np.zeros(len(frame), np.int64), [EVERYBODY]
    if by not in frame.columns:
        raise ValueError(
            f"by={by!r}: the spells have no such column; there is: "
            f"{', '.join(map(str, frame.columns[5:])) or 'none'}"
        )
    values = frame[by]
    known = values.dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        order = known.cat.remove_unused_categories().cat.categories.tolist()
    else:
        order = sorted(known.unique().tolist(), key=lambda value: (str(type(value)), value))
    if len(order) > MOST:
        raise ValueError(
            f"by={by!r} has {len(order):,} values, more than {MOST}; put them into classes first, "
            "for example with pandas.qcut"
        )
    codes = pd.Index(order).get_indexer(pd.Index(values)) if order else np.full(len(frame), -1)
    names = [str(name) for name in order]
    if (codes < 0).any():
        codes, names = np.where(codes < 0, len(order), codes), [*names, UNKNOWN]
    return codes.astype(np.int64), names
