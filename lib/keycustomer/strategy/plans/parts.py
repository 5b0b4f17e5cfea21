"""The parts of a plan that a base may lack, each with the reason where it is missing.

:func:`gaps_of`, :func:`prices_of`, :func:`care_of` and :func:`needs_of` give the
columns of a part, empty where the base cannot fill them, and write the reason into `missing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.dossier.relations import dated_contracts
from keycustomer.strategy.plans.care import (
    CHARGE,
    CONTRACT,
    SERVICE,
    charge_columns,
    contract_columns,
    service_columns,
)
from keycustomer.strategy.plans.gaps import GAPS, value_dimensions, value_gaps
from keycustomer.strategy.plans.prices import PRICES, price_columns

if TYPE_CHECKING:
    from keycustomer.dimensions import DossierBook

NEED = ("next_need", "next_need_chance")
"""Columns on the next need: category, and chance to take it up within the horizon, 0..1."""


def _empty(customers: list[str], columns: Sequence[str]) -> pd.DataFrame:
    index = pd.Index(customers, name="customer_id")
    return pd.DataFrame(None, index=index, columns=list(columns), dtype=object)


def gaps_of(
    book: DossierBook,
    customers: list[str],
    benefits: Sequence[str] | None,
    sacrifices: Sequence[str] | None,
    missing: dict[str, str],
    notes: list[str],
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Put ratings beside those of others, and name the sacrifices; tell why where none are."""
    if book.survey is None:
        missing["value dimensions"] = book.missing.get("survey", "no survey")
    elif not len(book.ratings) or "customer_id" not in book.ratings:
        missing["value dimensions"] = "no construct of the survey can be put beside a customer"
    else:
        sides = value_dimensions(book, benefits, sacrifices)
        gaps = value_gaps(book, customers, *sides)
        silent = len(customers) - gaps["customer_id"].nunique()
        if silent:
            notes.append(
                f"{silent:,} of {counted(len(customers), 'account')} did not answer the survey: "
                "ask them."
            )
        return gaps, tuple(sides[1])
    return pd.DataFrame(columns=list(GAPS)), ()


def prices_of(
    book: DossierBook, customers: list[str], floor: float, missing: dict[str, str]
) -> pd.DataFrame:
    """Give prices, with the reason where own or permitted discount are missing."""
    found = price_columns(book, customers, floor)
    if not found["discount"].notna().any():
        missing["price position"] = "no discounts in these data (transactions.discount)"
    if not found["discount_permitted"].notna().any():
        missing["permitted discount"] = (
            "the base knows no cost of goods, or no list price, of these accounts"
        )
    return found[list(PRICES)]


def care_of(book: DossierBook, customers: list[str], missing: dict[str, str]) -> list[pd.DataFrame]:
    """Give service, responsibility and contract, each with the reason where it is missing."""
    if book.base.has("interactions"):
        service = service_columns(book, customers)
        if not service["complaints"].notna().any():
            missing["complaints"] = "the table interactions records no complaint of anybody"
    else:
        service = _empty(customers, SERVICE)
        missing["service"] = "the base has no table interactions"
    parts = [service]
    try:
        parts.append(charge_columns(book, customers))
    except ValueError as error:
        missing["channel"] = str(error)
        parts.append(_empty(customers, CHARGE))
    if dated_contracts(book.base):
        parts.append(contract_columns(book, customers))
    else:
        missing["contract and relationship level"] = (
            "the base has no table contracts, or one without days"
        )
        parts.append(_empty(customers, CONTRACT))
    return parts


def needs_of(book: DossierBook, customers: list[str]) -> pd.DataFrame:
    """Give the most likely next need of each account."""
    if book.needs is None:
        return _empty(customers, NEED)
    first = book.needs.frame[book.needs.frame["rank"] == 1].set_index("customer_id")
    found = first[["category", "probability"]].reindex(pd.Index(customers, name="customer_id"))
    return found.set_axis(list(NEED), axis=1)
