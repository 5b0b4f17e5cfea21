"""Which accounts get a plan: the largest by value of the last year that are still there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.dossier.relations import dated_contracts
from keycustomer.strategy.plans.care import contract_columns

if TYPE_CHECKING:
    from keycustomer.dimensions import DossierBook


def plan_accounts(
    book: DossierBook, n: int, customers: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Choose the accounts, and say who was passed over.

    Parameters
    ----------
    book : DossierBook
        The base.
    n : int
        Accounts.
    customers : sequence of str or None
        The accounts, in place of the n largest.

    Returns
    -------
    (customers, notes) : tuple of list of str

    Raises
    ------
    KeyError, ValueError
        When a named customer is unknown or comes twice, or nobody can be planned for.
    """
    if customers is not None:
        return _named(book, customers), []
    notes = ["No contracts: nobody is known to have left, so some of the accounts may have."]
    ended: set[str] = set()
    if dated_contracts(book.base):
        left = contract_columns(book)["contract_ended"].astype(bool)
        ended, notes = set(left.index[left]), []
    there = [str(one) for one in book.ranked.index if one not in ended][:n]
    if not there:
        raise ValueError("no customer bought in the last year and is still there: nobody to plan")
    place = book.place(there[-1])
    gone = place - len(there)
    if gone:
        notes.append(
            f"{counted(gone, 'account')} among the {place:,} largest had a contract that has "
            "ended, and no plan."
        )
    if len(there) < n:
        notes.append(f"Only {counted(len(there), 'account')} bought in the last year.")
    return there, notes


def _named(book: DossierBook, customers: Sequence[str]) -> list[str]:
    if isinstance(customers, str) or not len(customers):
        raise ValueError(f"customers={customers!r}: a list of customer ids is needed")
    named = pd.Index([str(one) for one in customers])
    if named.has_duplicates:
        raise ValueError(f"customers: {named[named.duplicated()][0]!r} comes more than once")
    unknown = named.difference(book.customers.index)
    if len(unknown):
        raise KeyError(
            f"customers: no customer {unknown[0]!r} in {book.base.title!r}; ids are texts, such as "
            f"{book.key_accounts[0]!r}"
        )
    return list(named)
