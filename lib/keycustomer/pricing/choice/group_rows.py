"""Rows of one group of respondents, out of results by group; a group that is not there is named."""

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
