"""What is held fixed when service is put beside leaving: confounders, and what must be left alone.

Why do the customers who are visited most stay longest?  Partly since those are visited who would
stay anyway.  :func:`control_columns` gives the columns of a customer-month that both bring service
or trouble and let a customer stay or leave (:data:`CONFOUNDERS`, each with its reason).  What comes
after the service (:data:`MEDIATORS`) is not held fixed: that would take away what service does.

Source: Pearl, "Causality" (2009), section 3.3, for which columns to hold fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.dimensions.complaints import did_you_mean, listed
from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.vocabulary import LEVELS

Array = npt.NDArray[Any]

CONFOUNDERS = {
    "size": "large customers are contacted and complain more, and competitors court them",
    "tenure": "old customers know whom to call, and stay",
    "contract": "who is bound is called before the term runs out, and cannot leave before",
    "products": "more lines, more trouble, and more that binds",
    "level": "the relationship level brings contacts, and acts on its own",
    "channel": "who is in charge decides how much is done, and how well",
    "season": "prices, offers and contacts change with the calendar",
}
"""Held fixed, with the reason."""

MEDIATORS = {
    "satisfaction": "what service changes first",
    "loyalty": "follows from satisfaction",
    "discount": "may be given after a complaint",
    "contacts": "calls may answer a complaint (left alone where complaints are studied)",
}
"""Not held fixed, since they lie on the way from service to leaving."""

IDENTIFICATION = (
    "Read as an effect only if, among customer-months alike in {held}, it is chance who has how "
    "many {what}. Not held fixed, since they follow from the service: {mediators}. "
    "Rests on nothing else that brings {what} and makes leave, such as a need segment no table "
    "tells."
)


def control_columns(
    months: CustomerMonths, rows: Array, attributes: Sequence[str] = ()
) -> tuple[Array, list[str]]:
    """Columns held fixed, of some customer-months.

    Parameters
    ----------
    months : CustomerMonths
        The customer-months.
    rows : ndarray of int, shape (n,)
        Places in `months.frame`.
    attributes : sequence of str
        Columns of `months.customers` to hold fixed as well: numbers above 0 as logarithms, other
        numbers as they are, texts by value.

    Returns
    -------
    design : ndarray of float, shape (n, k)
        Without a constant; a column that is nowhere known is left out.
    names : list of str
        Their names.

    Raises
    ------
    KeyError
        When there is no such attribute.
    """
    frame = months.frame.iloc[rows]
    columns = _size(frame)
    columns["tenure, log"] = np.log1p(frame["tenure"].to_numpy(dtype=float))
    left = frame["contract_left"].to_numpy()
    columns["contract runs"] = left > 1
    columns["contract runs out"] = left == 1
    columns |= _number("products", frame["products"])
    columns |= _dummies("level", frame["level"].map(dict(enumerate(LEVELS))))
    columns |= _dummies("channel", frame["channel"])
    columns |= _dummies("season", frame["month"].dt.to_period("Q").astype(str))
    columns |= _attributes(months, frame["customer_id"], attributes)
    known = {name: column for name, column in columns.items() if np.isfinite(column).all()}
    design = np.column_stack([np.asarray(c, dtype=float) for c in known.values()])
    return design, list(known)


def _size(frame: pd.DataFrame) -> dict[str, Array]:
    """Revenue of the last year, of new customers that of this month, on a bent logarithmic scale.

    Sizes differ by factors; what is lost or sent back counts as nothing bought.
    """
    last = frame["last_year_revenue"].to_numpy(dtype=float)
    known = np.isfinite(last)
    year = np.where(known, last, 12 * frame["revenue"].to_numpy(dtype=float))
    if not np.isfinite(year).any():
        return {}
    size = np.log1p(np.maximum(np.nan_to_num(year, nan=float(np.nanmean(year))), 0.0))
    size = size - size.mean()
    return {"size, log": size, "size, squared": size**2, "new this month": ~known}


def _number(name: str, values: pd.Series) -> dict[str, Array]:
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    missing = ~np.isfinite(numbers)
    if missing.all():
        return {}
    filled = np.where(missing, np.nanmean(numbers), numbers)
    return {name: filled} | ({f"{name} not known": missing} if missing.any() else {})


def _dummies(name: str, values: pd.Series) -> dict[str, Array]:
    """Make a column for each value but the most frequent one; unknown is a value."""
    told = values.astype("object").where(values.notna(), "not known").astype(str)
    counts = told.value_counts()
    return {f"{name}: {value}": (told == value).to_numpy() for value in sorted(counts.index[1:])}


def _attributes(
    months: CustomerMonths, customers: pd.Series, attributes: Sequence[str]
) -> dict[str, Array]:
    table = months.customers.set_index("customer_id")
    unknown = [name for name in attributes if name not in table.columns]
    if unknown:
        raise KeyError(
            f"attributes: no column {listed(unknown)} of the customers; there is "
            f"{listed(table.columns)}{did_you_mean(unknown[0], table.columns)}"
        )
    columns: dict[str, Array] = {}
    for name in attributes:
        values = table[name].reindex(customers)
        if not pd.api.types.is_numeric_dtype(values) or values.dtype == bool:
            columns |= _dummies(name, values)
        elif (values.dropna() > 0).all():
            columns |= _number(f"{name}, log", pd.Series(np.log(values.to_numpy(dtype=float))))
        else:
            columns |= _number(name, values)
    return columns


def identification(what: str, *, alone: Sequence[str] = ("satisfaction", "loyalty")) -> str:
    """Say under which assumption an adjusted difference is an effect."""
    return IDENTIFICATION.format(what=what, held=", ".join(CONFOUNDERS), mediators=", ".join(alone))
