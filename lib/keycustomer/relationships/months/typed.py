"""Attribute columns of a base as numbers and flags: a base keeps them all as text.

:func:`typed_columns` turns a column into numbers, or into true and false, when every known value
is one; a column with leading zeros (a code, a telephone number) stays text.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

_FLAGS = {"true": True, "false": False}


def typed_columns(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Give a copy of a table in which the named columns are typed by what they hold."""
    return table.assign(**{name: _typed(table[name]) for name in columns if name in table})


def _typed(values: pd.Series) -> pd.Series:
    known = values.dropna()
    if known.empty or not (
        pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values)
    ):
        return values
    texts = known.astype(str).str.strip().str.lower()
    if texts.isin(list(_FLAGS)).all():
        flags = texts.map(_FLAGS).reindex(values.index)
        return flags.astype(bool) if values.notna().all() else flags.astype("boolean")
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.isna().any() or texts.str.match(r"[+-]?0\d").any():
        return values
    return numbers.reindex(values.index)
