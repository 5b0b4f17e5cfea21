"""Tables with one row a customer, checked: the columns are there and no id comes twice.

:func:`one_row_a_customer` gives the columns needed, by id; :func:`tiers_of` reads a tier for every
customer from a series that another chapter made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.complaints import did_you_mean, listed


def one_row_a_customer(table: pd.DataFrame, customer: str, columns: Sequence[str]) -> pd.DataFrame:
    """Take some columns of a table, by customer.

    Parameters
    ----------
    table : DataFrame
        One row a customer.
    customer : str
        Column with the id.
    columns : sequence of str
        Columns needed.

    Returns
    -------
    DataFrame
        The columns, in the order given, the ids as text in the index.

    Raises
    ------
    KeyError
        When a column is missing.
    ValueError
        When there is no customer, or an id is missing or repeated.
    """
    wanted = list(dict.fromkeys([customer, *columns]))
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        raise KeyError(
            f"the table has no column {listed(missing)}; it has {listed(table.columns)}"
            f"{did_you_mean(missing[0], table.columns)}"
        )
    if not len(table):
        raise ValueError("the table is empty: there is no customer")
    unknown = table[customer].isna()
    if unknown.any():
        raise ValueError(f"{customer} is missing in {counted(int(unknown.sum()), 'row')}")
    ids = pd.Index(table[customer].astype(str), name="customer_id", dtype=object)
    refuse_repeated(ids, customer)
    rest = [column for column in wanted if column != customer]
    return table[rest].set_axis(ids, axis=0)


def refuse_repeated(ids: pd.Index, name: str) -> None:
    """Refuse ids that come more than once.

    Raises
    ------
    ValueError
        With the first of them.
    """
    if ids.has_duplicates:
        first = listed(ids[ids.duplicated()].unique(), 3)
        raise ValueError(
            f"{name} must be unique, one row a customer; repeated: {first}; sum the rows of a "
            "customer first"
        )


def tiers_of(tiers: pd.Series, customers: Iterable[object], argument: str = "tiers") -> pd.Series:
    """Tier of each customer as text; missing where the series does not name it.

    Parameters
    ----------
    tiers : Series
        Tier by customer_id (the index).
    customers : iterable
        Whose tiers are wanted.
    argument : str
        Name of the argument in messages.

    Returns
    -------
    Series of str
        In the order of `customers`, its index their ids as text.

    Raises
    ------
    TypeError, ValueError
        When it is no series, an id is repeated, or none of the customers has a tier.
    """
    if not isinstance(tiers, pd.Series):
        raise TypeError(
            f"{argument} must be a series customer_id -> tier, got {type(tiers).__name__}; for "
            "example classes.to_frame().set_index('customer_id')['abc']"
        )
    given = tiers.set_axis(pd.Index(tiers.index.astype(str), dtype=object))
    refuse_repeated(given.index, argument)
    ids = pd.Index([str(one) for one in customers], name="customer_id", dtype=object)
    found = given.reindex(ids)
    if len(ids) and found.isna().all():
        raise ValueError(
            f"{argument}: none of {counted(len(ids), 'customer')} has a tier; its index must hold "
            f"customer_ids such as {ids[0]!r}, and holds {listed(given.index[:3])}"
        )
    return found.astype(object).where(found.isna(), found.astype(str))
