"""What ties a customer: contract, further products, closeness of the relationship, tenure.

:func:`tie_columns` adds to customer-months the columns in which a regression of leaving sees each
tie, and `WITHOUT` tells what they are for a customer who does not have it.

- contract: one that runs on beyond the month, and its last month, when renewing is in question;
- products: those beyond the first;
- integration: the relationship level, against basic;
- tenure: years as a customer, logarithm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from keycustomer.relationships.vocabulary import LEVELS

CONTRACT, PRODUCTS, INTEGRATION, TENURE = "contract", "products", "integration", "tenure"

WITHOUT: dict[str, dict[str, float | str]] = {
    CONTRACT: {"contract runs on": 0.0, "contract ends": 0.0},
    PRODUCTS: {"further products": 0.0},
    INTEGRATION: {"level": LEVELS[0]},
    TENURE: {"log years": 0.0},
}
"""Columns of each tie, and their values for a customer without it."""

SWITCHING = (CONTRACT, PRODUCTS, INTEGRATION)
"""Ties that make switching costly; tenure is none by itself."""

TOGETHER = "all switching costs"
"""Row of all `SWITCHING` ties at once."""


def tie_columns(months: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of the ties to customer-months.

    Parameters
    ----------
    months : DataFrame
        With contract_left (months), products (number), level (position in `LEVELS`, -1 unknown)
        and years (tenure).

    Returns
    -------
    DataFrame
        A copy with the columns of `WITHOUT`; an unknown level is a level of its own.
    """
    words = np.array([*LEVELS, "not known"], dtype=object)
    kinds = [*LEVELS, *(["not known"] if (months["level"] < 0).any() else [])]
    named = pd.Categorical(words[months["level"].to_numpy(int)], kinds)
    return months.assign(
        **{
            "contract runs on": (months["contract_left"] > 1).astype(float),
            "contract ends": (months["contract_left"] == 1).astype(float),
            "further products": np.maximum(months["products"].fillna(1) - 1, 0).astype(float),
            "level": named,
            "log years": np.log1p(months["years"]),
        }
    )


def ties_there(months: pd.DataFrame) -> dict[str, list[str]]:
    """Give the columns of the ties that differ between customers, and by which some left.

    Returns
    -------
    dict of str to list of str
        Columns by tie; a tie without any is absent.
    """
    left = months[months["ended"].to_numpy(bool)]
    columns = {tie: [c for c in own if _tells(months[c], left[c])] for tie, own in WITHOUT.items()}
    return {tie: own for tie, own in columns.items() if own}


def _tells(values: pd.Series, leavers: pd.Series) -> bool:
    """Whether values differ, and both among those who left and among all."""
    if values.nunique() < 2:
        return False
    flag = set(values.unique()) <= {0.0, 1.0}
    return leavers.nunique() > 1 if flag else True


def without_ties(months: pd.DataFrame, ties: Sequence[str]) -> pd.DataFrame:
    """Give customer-months in which nobody has these ties, all else being as it is."""
    changed = {column: value for tie in ties for column, value in WITHOUT[tie].items()}
    level = changed.pop("level", None)
    table = months.copy()
    for column, value in changed.items():
        table[column] = value
    if level is not None:
        kinds = months["level"].cat.categories
        table["level"] = pd.Categorical([level] * len(months), kinds)
    return table


def size_columns(
    months: pd.DataFrame, size: Sequence[str]
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Turn columns that tell how large a customer is into logarithms.

    Parameters
    ----------
    months : DataFrame
        Customer-months.
    size : sequence of str
        Numeric columns, 0 or larger.

    Returns
    -------
    table : DataFrame
        A copy with a column "log <name>" each; where it is not known a customer's own mean
        stands, and the mean of all for a customer of whom it never is.
    columns : list of str
        The added columns.
    notes : list of str
        What was filled.

    Raises
    ------
    ValueError
        When a column is missing, no number, negative or never known.
    """
    table, columns, notes = months.copy(), [], []
    for name in size:
        logs = pd.Series(np.log1p(_numbers(months, name)), months.index)
        own = logs.groupby(months["customer_id"]).transform("mean")
        table[f"log {name}"] = logs.fillna(own).fillna(logs.mean())
        columns.append(f"log {name}")
        unknown = int(logs.isna().sum())
        if unknown:
            notes.append(
                f"{name} is not known in {unknown:,} customer-months; the customer's mean, or that "
                "of all, stands in."
            )
    return table, columns, notes


def _numbers(months: pd.DataFrame, name: str) -> np.ndarray:
    if name not in months.columns:
        raise ValueError(
            f"size: there is no column {name!r}; there is: {', '.join(map(str, months.columns))}"
        )
    if not pd.api.types.is_numeric_dtype(months[name]):
        raise ValueError(f"size: {name!r} holds {months[name].dtype}, not numbers")
    values = months[name].to_numpy(float, na_value=np.nan)
    if not (values >= 0).any() or (values < 0).any():
        raise ValueError(f"size: {name!r} must hold numbers of at least 0, some of them known")
    return values
