"""What a report may disclose, and how values of data are written so that they stay values.

Question: may this customer be named, is this group large enough to be shown, and does a customer
called ``<script>`` remain a name?

- :class:`CustomerLabels`: own ids where the case is identifiable, else pseudonyms.
- :func:`withhold_small_cells`: groups below the minimum size lose their numbers.
- :func:`escape_markdown`, :func:`neutralise_formulas`: values for Markdown and for spreadsheets.

Sources: suppression of small cells with complementary suppression, Hundepool et al. (2012)
*Statistical Disclosure Control*; formula injection, OWASP "CSV Injection".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.casework.variables import PSEUDONYM_KEY
from keycustomer.customers.base import CustomerBase

PERSONAL_COLUMNS = (
    "name", "email", "phone", "address", "city", "postal_code", "manager", "agent"
)  # fmt: skip
"""Columns of the customers table that name or find a person."""

QUOTING_COLUMNS = ("examples",)
"""Columns of findings that quote rows of the source, with whatever ids they hold."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# All that Markdown, HTML or mathematics could take for its own, in any place of a line.
_SPECIAL = re.compile(r"[\\`*_{}\[\]()#+\-.!|~$<>&\"':@/=^]")


class CustomerLabels:
    """Labels under which a report speaks of customers.

    An identifiable case shows the ids themselves.  Otherwise, with a key in the environment
    variable `KEYCUSTOMER_PSEUDONYM_KEY`, a label is a keyed hash of the id (HMAC-SHA256): the same
    customer has the same label in every run and case with this key, and who has the key can find
    the customer of a label by labelling all ids.  Without a key a label is the customer's rank by
    revenue in the base, ties by id: ``customer 17`` is the seventeenth largest; it holds within
    this base only.

    Parameters
    ----------
    base : CustomerBase
        The base whose customers are labelled.
    """

    def __init__(self, base: CustomerBase) -> None:
        self._base = base
        self._key = os.environ.get(PSEUDONYM_KEY, "").encode()

    def __call__(self, ids: Iterable[str]) -> list[str]:
        """Return a label for each id.

        Raises
        ------
        KeyError
            When an id is not in the base.
        """
        if self._base.identifiable:
            return [str(customer) for customer in ids]
        if self._key:
            return [self._hashed(str(customer)) for customer in ids]
        return [f"customer {self._rank(str(customer))}" for customer in ids]

    def _hashed(self, customer: str) -> str:
        digest = hmac.new(self._key, customer.encode(), hashlib.sha256).digest()
        return "customer " + base64.b32encode(digest)[:12].decode().lower()

    def _rank(self, customer: str) -> int:
        if customer not in self._ranks:
            raise KeyError(f"no customer {customer!r} in this base")
        return self._ranks[customer]

    @cached_property
    def _ranks(self) -> Mapping[str, int]:
        sides = {
            "transactions": "select customer_id, revenue from transactions",
            "customers": "select customer_id, 0 from customers",
            "survey": "select customer_id, 0 from survey",
        }
        known = [query for table, query in sides.items() if self._base.has(table, "customer_id")]
        ranked = self._base.query(
            f"""
            select customer_id, sum(revenue) as revenue
            from ({" union all ".join(known)}) as told (customer_id, revenue)
            where customer_id is not null
            group by customer_id
            order by revenue desc, customer_id
            """  # noqa: S608
        )
        return {customer: rank for rank, customer in enumerate(ranked["customer_id"], start=1)}

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with labels for ids, without personal columns and quoted rows.

        Ids stand in columns whose names begin with `customer_id`; personal columns are those
        beside them.  In an identifiable case a frame is returned as it is.
        """
        if self._base.identifiable:
            return frame
        ids = [name for name in frame.columns if str(name).startswith("customer_id")]
        hidden = (*QUOTING_COLUMNS, *PERSONAL_COLUMNS) if ids else QUOTING_COLUMNS
        labelled = frame.drop(
            columns=[name for name in frame.columns if re.sub(r"_[lr]$", "", str(name)) in hidden]
        )
        for name in ids:
            labelled[name] = self._column(frame[name])
        return labelled

    def _column(self, ids: pd.Series) -> list[str | None]:
        known = [str(customer) for customer in ids.dropna().unique()]
        label = dict(zip(known, self(known), strict=True))
        return [None if pd.isna(customer) else label[str(customer)] for customer in ids]


def withhold_small_cells(
    frame: pd.DataFrame, count: str | list[str], minimum: int
) -> tuple[pd.DataFrame, int]:
    """Withhold the numbers of groups of fewer than `minimum` customers.

    The columns to the left of the count say which group a row is and stay; the count and all to
    its right become empty.  Where one row alone is withheld and could be had by subtraction from
    a total, the next smallest row is withheld too.  Groups of none stay.

    Parameters
    ----------
    frame : DataFrame
        One row a group.
    count : str or list of str
        Columns with the number of customers of the group, or of parts of it.
    minimum : int
        Smallest number of customers that may be shown.

    Returns
    -------
    frame : DataFrame
        A copy with empty cells.
    rows : int
        Number of rows withheld.

    Raises
    ------
    ValueError
        When a count column is not in the frame.
    """
    counts = [count] if isinstance(count, str) else list(count)
    missing = [name for name in counts if name not in frame.columns]
    if missing:
        raise ValueError(f"no count column {missing}; the table has {list(map(str, frame))}")
    sizes = frame[counts].apply(pd.to_numeric).to_numpy(dtype=float, na_value=np.nan)
    small = ((sizes > 0) & (sizes < minimum)).any(axis=1)
    shown = np.where((sizes > 0).all(axis=1) & ~small, sizes.min(axis=1), np.inf)
    if small.sum() == 1 and np.isfinite(shown).any():
        small[shown.argmin()] = True
    if not small.any():
        return frame, 0
    first = min(list(frame.columns).index(name) for name in counts)
    withheld = frame.copy()
    for name in frame.columns[first:]:
        withheld[name] = _nullable(frame[name]).mask(small)
    return withheld, int(small.sum())


def _nullable(column: pd.Series) -> pd.Series:
    """Return a column that can lose values and still hold whole numbers and flags as such."""
    if pd.api.types.is_bool_dtype(column):
        return column.astype("boolean")
    return column.astype("Int64") if pd.api.types.is_integer_dtype(column) else column


def escape_markdown(text: object) -> str:
    """Return text that Markdown and HTML show exactly as it stands, on one line."""
    flat = " ".join(str(text).split())
    return _SPECIAL.sub(lambda found: f"&#{ord(found.group())};", flat)


def neutralise_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts and headings no spreadsheet takes for a formula.

    A text that begins as a formula does gets an apostrophe before it.
    """
    safe = frame.rename(columns=_neutral)
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(_neutral)
    return safe


def _neutral(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value
