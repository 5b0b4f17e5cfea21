"""What an account is to the firm: its class, its value now, what it may still bring.

Question: is the account large, and will it be?  :func:`worth_columns` reads both from an opened
dossier book, :func:`read_classes` the classes A, B, C, from `keycustomer.pareto` or from a frame.

Source: the course's K2 (value now and potential value).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import need_columns

if TYPE_CHECKING:
    from keycustomer.dimensions import DossierBook

WORTH = (
    "rank",
    "class",
    "value_now",
    "value_share",
    "revenue",
    "margin",
    "profit",
    "potential",
    "potential_lower",
    "potential_upper",
    "still_a_customer",
    "months_expected",
)
"""Columns on value, see :func:`worth_columns`."""


class HasCustomers(Protocol):
    """Classes of customers, such as `pareto.AbcClasses`."""

    @property
    def customers(self) -> pd.DataFrame:
        """One row a customer: customer_id, abc."""


Classes: TypeAlias = pd.DataFrame | HasCustomers


def read_classes(book: DossierBook, classes: Classes | None) -> pd.Series:
    """Read the class of every customer, or class customers by their value of the last year.

    Parameters
    ----------
    book : DossierBook
        The base.
    classes : AbcClasses, DataFrame or None
        customer_id and abc; None: the fewest customers with 80 % of the value of the last year
        are A, those up to 95 % B (`pareto.abc_by_value`).

    Returns
    -------
    Series
        Class by customer_id, text.

    Raises
    ------
    ValueError
        When a column is missing, a customer stands there twice, or the value of the last year sums
        to nothing.
    """
    if classes is None:
        from keycustomer.pareto import abc_by_value

        table = book.now.reset_index()[["customer_id", book.value]]
        classes = abc_by_value(table, book.value)
    frame = classes if isinstance(classes, pd.DataFrame) else classes.customers
    need_columns(frame, ("customer_id", "abc"), "classes")
    twice = frame.loc[frame["customer_id"].duplicated(), "customer_id"]
    if len(twice):
        raise ValueError(
            f"classes.customer_id: {twice.iloc[0]!r} comes more than once; one row a customer is "
            "needed"
        )
    return frame.set_index("customer_id")["abc"].astype(object)


def classes_of(book: DossierBook, classes: Classes | None, missing: dict[str, str]) -> pd.Series:
    """Read classes, and write the reason where value adds up to nothing into `missing`.

    Parameters
    ----------
    book : DossierBook
        The base.
    classes : AbcClasses, DataFrame or None
        As :func:`read_classes`.
    missing : dict of str to str
        Parts that are missing, with the reason.
    """
    total = float(book.now[book.value].astype(float).sum())
    if classes is None and not total > 0:
        missing["class"] = (
            f"{book.value} of the last year adds up to {total:,.0f}: give classes=, or another by="
        )
        return pd.Series(dtype=object, index=pd.Index([], name="customer_id"))
    return read_classes(book, classes)


def worth_columns(book: DossierBook, customers: list[str], classes: pd.Series) -> pd.DataFrame:
    """Give value now and potential of some customers.

    Parameters
    ----------
    book : DossierBook
        The base.
    customers : list of str
        Customer ids.
    classes : Series
        Class by customer id.

    Returns
    -------
    DataFrame
        By customer_id: rank (by value of the last year, 0 where nothing was bought), class,
        value_now (currency), value_share (of all who bought, 0..1), revenue, margin, profit (of
        the last year, NaN where not known), potential (currency over the horizon of the lifetime
        values) with its ends (NaN without draws), still_a_customer (probability),
        months_expected (as a customer within the horizon; empty here, `account_actions` knows it).
    """
    now = book.now.loc[customers]
    total = float(book.ranked.sum())
    value = now[book.value].astype(float)
    found = pd.DataFrame(
        {
            "rank": [book.place(one) for one in customers],
            "class": classes.reindex(customers),
            "value_now": value,
            "value_share": value / total if total > 0 else np.nan,
            **{name: now[name].astype(float) for name in ("revenue", "margin", "profit")},
        },
        index=pd.Index(customers, name="customer_id"),
    )
    names = ["residual_value", "lower", "upper", "probability_alive"]
    known = pd.DataFrame(index=found.index, columns=names, dtype=float)
    if book.values is not None:
        known = book.values.frame.set_index("customer_id").reindex(index=customers, columns=names)
    found = found.assign(**dict(zip(WORTH[-5:-1], known[names].to_numpy(float).T, strict=True)))
    return found.assign(months_expected=np.nan)
