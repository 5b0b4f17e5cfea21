"""Names of markets, products, firms and customers as texts, whatever type a file gave them.

A column of whole numbers with a gap in it is read as floats: the firm 1 must stay "1" and not
become "1.0", or it is no longer the firm that another table calls "1".  Main names:
:func:`names_of` for a column, :func:`name_of` for one value.
"""

from __future__ import annotations

import numpy as np
import pandas as pd


def names_of(values: pd.Series) -> pd.Series:
    """Give names as texts, None where missing; whole numbers without a decimal point."""
    codes, unique = pd.factorize(values)
    texts = pd.Series(np.asarray(unique)).astype("string").tolist()
    names = np.empty(len(texts) + 1, dtype=object)
    names[:-1] = [_told(one, text) for one, text in zip(np.asarray(unique), texts, strict=True)]
    names[-1] = None
    return pd.Series(names[codes], values.index, dtype=object, name=values.name)


def name_of(value: object) -> str:
    """Give one name as a text; a whole number without a decimal point."""
    return _told(value, str(value))


def _told(value: object, text: str) -> str:
    whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
    return f"{float(value):.0f}" if whole else text  # type: ignore[arg-type]
