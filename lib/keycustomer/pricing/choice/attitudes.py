"""What is known of the respondents of a choice study: from customers, surveys or a column given.

:func:`trait_of` finds a trait by name in the tasks, the customers or the last survey answers of a
base; :func:`attitude_groups` cuts an attitude into about equal groups without dividing an answer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.pricing.choice.choice_data import ChoiceData

SMALLEST = 1e-100
"""Range of an attitude whose square is no number any more; so is that of one over it."""

SAME = 1e-9
"""Range of an attitude, against its size, that may be rounding."""

FEWEST = 10
"""Respondents with a known attitude below which nothing is estimated by it."""


def trait_of(
    data: ChoiceData, source: CustomerBase | None, trait: str | pd.Series, argument: str
) -> pd.Series:
    """Find a trait of the respondents.

    Parameters
    ----------
    data : ChoiceData
        The tasks.
    source : CustomerBase or None
        Base of the tasks, where there is one.
    trait : str or Series
        Column of the tasks, of the customers, or of the survey (each customer's last answer), or
        the trait by respondent_id.
    argument : str
        Name of the argument, for messages.

    Returns
    -------
    Series
        By respondent_id, in the order of the tasks, without those who are not known.

    Raises
    ------
    ValueError
        When there is no such column, or it knows none of the respondents.
    """
    who = pd.Index(data.frame["respondent_id"].unique(), name="respondent_id")
    if not isinstance(trait, pd.Series | str):
        raise TypeError(
            f"{argument} is a {type(trait).__name__}; give the name of a column, or a Series by "
            "respondent_id"
        )
    if isinstance(trait, pd.Series):
        found = trait
    elif trait in data.frame:
        found = data.frame.drop_duplicates("respondent_id").set_index("respondent_id")[trait]
    else:
        found = _from_base(source, trait, argument)
    if not found.index.is_unique:
        twice = found.index[found.index.duplicated()][:3].tolist()
        raise ValueError(f"{argument} has several values for {twice}; give one a respondent")
    if found.isna().all():
        raise ValueError(f"{argument} is empty: it holds no value of any respondent")
    own = found.reindex(who).dropna()
    if own.empty:
        raise ValueError(
            f"{argument} knows none of the respondents: it is indexed by "
            f"{found.index[:3].tolist()}, they are {who[:3].tolist()} (numbers and words differ: "
            "write both alike)"
        )
    return own


def _from_base(source: CustomerBase | None, trait: str, argument: str) -> pd.Series:
    if source is None:
        raise ValueError(
            f"{argument}={trait!r} is no column of the tasks; give a Series by respondent_id, or "
            "the base instead of its tasks"
        )
    columns: dict[str, list[str]] = {}
    for table in ("customers", "survey"):
        if not source.has(table):
            continue
        columns[table] = [str(one) for one in source.query(f"from {table} limit 0").columns]
        if trait in columns[table]:
            rows = source.query(f"from {table}").dropna(subset=trait)
            order = [name for name in ("wave", "date") if name in rows]
            last = rows.sort_values(order, kind="stable") if order else rows
            return last.drop_duplicates("customer_id", keep="last").set_index("customer_id")[trait]
    told = "; ".join(f"{table} has {', '.join(names)}" for table, names in columns.items())
    raise ValueError(f"{argument}={trait!r} is in no table of the base: {told}")


def checked_attitude(attitude: pd.Series, argument: str = "attitude") -> pd.Series:
    """Give an attitude as numbers, or refuse what has no more than one value."""
    numbers = pd.to_numeric(attitude, errors="coerce")
    if pd.api.types.is_datetime64_any_dtype(attitude):
        raise ValueError(f"{argument} holds dates; give numbers, or use by= for groups")
    if numbers.isna().any():
        words = sorted({str(one) for one in attitude[numbers.isna()]})[:3]
        raise ValueError(f"{argument} holds {words}; give numbers, or use by= for groups")
    if len(numbers) < FEWEST or numbers.nunique() < 2:
        raise ValueError(
            f"{argument} is known of {len(numbers)} respondents with {numbers.nunique()} different "
            f"values; at least {FEWEST} respondents and two values are needed"
        )
    found = numbers.astype(float)
    spread = float(np.ptp(found)) if np.isfinite(found).all() else np.inf
    if not SMALLEST < spread < 1 / SMALLEST or spread <= SAME * float(found.abs().max()):
        raise ValueError(
            f"{argument} runs from {found.min():g} to {found.max():g}, which no spread can be told "
            "of; give finite numbers of a common size, such as answers from 1 to 7"
        )
    return found


def attitude_groups(attitude: pd.Series, groups: int) -> pd.Series:
    """Cut an attitude into groups of about equal size, without dividing an answer.

    Returns
    -------
    Series
        Label by respondent, such as ``1 to 2``, as ordered categories from low to high.
    """
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 2:
        raise ValueError(f"groups={groups!r}: give a whole number of at least 2")
    share = attitude.value_counts(normalize=True).sort_index()
    middle = share.cumsum() - share / 2
    code = np.minimum((middle * groups).astype(int), groups - 1)
    code = pd.Series(pd.factorize(code, sort=True)[0], share.index)
    labels: list[str] = []
    # four digits, or as many as it takes to tell how far apart the answers are
    largest, spread = float(np.abs(code.index).max()), float(np.ptp(code.index))
    digits = min(17, 4 + max(0, int(np.log10(largest / spread)))) if spread > 0 else 4
    for number in range(int(code.max()) + 1):
        own = code.index[code == number]
        low, high = f"{own.min():.{digits}g}", f"{own.max():.{digits}g}"
        labels.append(low if low == high else f"{low} to {high}")
    told = attitude.map(code).map(dict(enumerate(labels)))
    return told.astype(pd.CategoricalDtype(labels, ordered=True))
