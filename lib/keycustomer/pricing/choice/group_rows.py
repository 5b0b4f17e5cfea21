"""Rows of one group of respondents, out of results by group; what is not there is named.

Main names: :func:`rows_of_group`, :func:`row_named`.
"""

from __future__ import annotations

import pandas as pd


def rows_of_group(frame: pd.DataFrame, group: str) -> pd.DataFrame:
    """Give the rows of one group, counted from 0.

    Raises
    ------
    ValueError
        When there is no such group.
    """
    known = frame["group"].unique()
    if group not in known:
        raise ValueError(f"no group {group!r}; there are {', '.join(map(repr, known))}")
    return frame[frame["group"] == group].reset_index(drop=True)


def row_named(rows: pd.DataFrame, column: str, name: str) -> pd.Series:
    """Give the row that bears a name in a column.

    Raises
    ------
    ValueError
        When there is no such row.
    """
    known = rows[column]
    if name not in set(known):
        raise ValueError(f"no {column} {name!r}; there are {', '.join(map(repr, known))}")
    return rows[known == name].iloc[0]
