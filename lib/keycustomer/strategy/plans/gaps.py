"""Where an account's value falls short: its ratings beside those of others and its own needs.

Question: on which dimension of value are we weakest with this account, and which of its needs do
we leave open?  :func:`value_gaps` gives one row an account and dimension: its mean rating, that of
the other respondents of its wave, and how many of their standard deviations lie between, counted
downward for what a customer gives up (sacrifices: a high rating is bad).  The *weakest dimension*
is the one that stands lowest among others, since ratings of one account have a level of their own
only beside those of other accounts.  The *open need* is the attribute that it calls more important
than it rates it, by the most points.

Source: Martilla & James, "Importance-performance analysis" (Journal of Marketing 41, 1977).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.dimensions.dossier.ratings import IMPORTANCE, rating_item

if TYPE_CHECKING:
    from keycustomer.dimensions import DossierBook

GAPS = ("customer_id", "dimension", "rating", "others", "standing", "respondents")
"""Columns of :func:`value_gaps`."""

SACRIFICE = "sacrifice"
"""How dimensions of what is given up begin, unless they are named."""

WEAK = (
    "weakest_dimension",
    "weakest_rating",
    "weakest_others",
    "weakest_standing",
    "open_need",
    "open_need_importance",
    "open_need_rating",
)
"""Columns on value dimensions, see :func:`weakest`."""


def value_dimensions(
    book: DossierBook, benefits: Sequence[str] | None, sacrifices: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Name the constructs of the survey that are dimensions of value: benefits, sacrifices.

    Parameters
    ----------
    book : DossierBook
        The base.
    benefits, sacrifices : sequence of str, optional
        Names; left out, benefits are the rated constructs of whose every attribute the survey also
        asks the importance (all rated ones, where there is none such), sacrifices those that begin
        with `sacrifice`.

    Raises
    ------
    ValueError
        When a name is no construct that is answered by ratings.
    """
    known = list(book.rated)
    unknown = [one for one in (*(benefits or ()), *(sacrifices or ())) if one not in known]
    if unknown:
        raise ValueError(
            f"{unknown[0]!r} is no construct of the survey that is answered by ratings; there are "
            f"{', '.join(map(repr, known)) or 'none'}"
        )
    if sacrifices is None:
        sacrifices = [one for one in known if one.startswith(SACRIFICE)]
    if benefits is None:
        rest = [one for one in known if one not in sacrifices]
        asked = _attributes(book)
        benefits = [one for one in rest if _asks_importance(book.rated[one], asked)] or rest
    return list(benefits), list(sacrifices)


def _attributes(book: DossierBook) -> list[str]:
    """Attributes whose importance the survey asks for."""
    columns = [] if book.survey is None else book.survey.table.columns
    return [c.removeprefix(IMPORTANCE) for c in columns if c.startswith(IMPORTANCE)]


def _asks_importance(items: list[str], attributes: list[str]) -> bool:
    """Tell whether importance is asked of every attribute that the items rate."""
    return all(any(item.endswith(f"_{one}") for one in attributes) for item in items)


def value_gaps(
    book: DossierBook,
    customers: Sequence[str],
    benefits: Sequence[str],
    sacrifices: Sequence[str],
) -> pd.DataFrame:
    """Put each customer's ratings beside those of the other respondents of its latest wave.

    Parameters
    ----------
    book : DossierBook
        The base.
    customers : sequence of str
        Customer ids; those who did not answer get no row.
    benefits, sacrifices : sequence of str
        Dimensions, from :func:`value_dimensions`.

    Returns
    -------
    DataFrame
        customer_id, dimension, rating (mean answer), others (mean of the others), standing
        (standard deviations of the others by which the account is better off than they are;
        NaN where all others agree or there are fewer than two), respondents (others).
    """
    ratings = book.ratings
    rows = []
    for customer in customers if len(ratings) else ():
        own = latest_answer(ratings, customer)
        if own is None:
            continue
        others = ratings[ratings["customer_id"] != customer]
        if "wave" in ratings:
            others = others[others["wave"] == own["wave"]]
        for kind in (*benefits, *sacrifices):
            sign = -1 if kind in sacrifices else 1
            row = (customer, kind, *_beside(float(own[kind]), others[kind], sign))
            rows.append(row)
    frame = pd.DataFrame(rows, columns=list(GAPS))
    return frame[frame["rating"].notna()].reset_index(drop=True)


def latest_answer(table: pd.DataFrame, customer_id: str) -> pd.Series | None:
    """Give a customer's row of the latest wave, None where it did not answer."""
    own = table[table["customer_id"] == customer_id]
    if own.empty:
        return None
    if "wave" not in own:
        return own.iloc[-1]
    order = pd.to_numeric(own["wave"], errors="coerce").argsort(kind="stable")
    return own.iloc[int(order.iloc[-1])]


def _beside(own: float, others: pd.Series, sign: int) -> tuple[float, float, float, int]:
    known = others.dropna().to_numpy(float)
    if not known.size:
        return own, math.nan, math.nan, 0
    spread = float(known.std(ddof=1)) if known.size > 1 else 0.0
    mean = float(known.mean())
    standing = sign * (own - mean) / spread if spread > 0 else math.nan
    return own, mean, standing, known.size


def open_need(book: DossierBook, customer_id: str) -> tuple[str, float, float] | None:
    """Name the attribute that a customer calls more important than it rates it, by the most points.

    Parameters
    ----------
    book : DossierBook
        The base.
    customer_id : str
        The customer.

    Returns
    -------
    (attribute, importance, rating) or None
        None where the customer did not answer, is asked no importance, or has no such attribute.
    """
    if book.survey is None or "customer_id" not in book.survey.table:
        return None
    own = latest_answer(book.survey.table, customer_id)
    if own is None:
        return None
    found = []
    for attribute in _attributes(book):
        item = rating_item(book.rated, attribute)
        if item is None:
            continue
        importance, rating = (
            float(pd.to_numeric(own[column], errors="coerce"))
            for column in (IMPORTANCE + attribute, item)
        )
        if rating < importance:
            found.append((importance - rating, importance, attribute, rating))
    if not found:
        return None
    _, importance, attribute, rating = max(found, key=lambda one: one[:2])
    return attribute, importance, rating


def weakest(book: DossierBook, customers: list[str], gaps: pd.DataFrame) -> pd.DataFrame:
    """Give weakest dimension and open need of some customers, by customer_id.

    Parameters
    ----------
    book : DossierBook
        The base.
    customers : list of str
        Customer ids.
    gaps : DataFrame
        From :func:`value_gaps`.

    Returns
    -------
    DataFrame
        weakest_dimension, weakest_rating, weakest_others, weakest_standing (of `GAPS`), open_need
        (an attribute), open_need_importance, open_need_rating; empty where not known.
    """
    ranked = gaps.dropna(subset="standing").sort_values("standing", kind="stable")
    low = ranked.drop_duplicates("customer_id").set_index("customer_id")
    low = low[["dimension", "rating", "others", "standing"]].reindex(customers)
    needs = [open_need(book, one) or (None, np.nan, np.nan) for one in customers]
    stated = pd.DataFrame(needs, index=low.index, columns=["need", "importance", "rated"])
    return pd.concat([low, stated], axis=1).set_axis(list(WEAK), axis=1)
