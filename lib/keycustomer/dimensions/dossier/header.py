"""The head of a dossier: who the account is, who looks after it, and what it is to the firm.

Where customers may not be named, the head has a rank or a given label in place of the name, and
personal columns stay out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.dossier.plain import cut, money, percent_of
from keycustomer.dimensions.dossier.relations import contract_state

if TYPE_CHECKING:
    from keycustomer.dimensions.dossier.book import DossierBook

MOST_FACTS = 14
"""Facts about the account in the head."""

PERSONAL = ("manager", "agent", "city", "country")
"""Columns about people and places that are shown where customers may be named."""


@dataclass(frozen=True)
class Header:
    """The head of a dossier.

    Attributes
    ----------
    label : str
        What the page calls the customer.
    lede : str
        What the account is to the firm, in a sentence or two.
    facts : list of (str, str)
        What is on file.
    """

    label: str
    lede: str
    facts: list[tuple[str, str]]


def header_of(book: DossierBook, customer_id: str, label: str | None) -> Header:
    """Write the head of a customer's dossier."""
    record = _record(book, customer_id)
    called = label or _called(book, customer_id, record)
    return Header(cut(called, 90), _lede(book, customer_id), _facts(book, customer_id, record))


def label_of(book: DossierBook, customer_id: str) -> str:
    """Give what pages call a customer: its name or id, or its rank where it may not be named.

    Parameters
    ----------
    book : DossierBook
        The base.
    customer_id : str
        The customer.
    """
    return cut(_called(book, customer_id, _record(book, customer_id)), 90)


def _record(book: DossierBook, customer_id: str) -> dict[str, object]:
    """Columns of the customers table that hold something."""
    if not book.base.has("customers"):
        return {}
    query = "from customers where customer_id = $customer limit 1"
    rows = book.base.query(query, customer=customer_id).to_dict("records")
    return {str(k): v for k, v in rows[0].items() if pd.notna(v)} if rows else {}


def _called(book: DossierBook, customer_id: str, record: dict[str, object]) -> str:
    if book.base.identifiable:
        return str(record.get("name") or f"Customer {customer_id}")
    place = book.place(customer_id)
    return f"customer {place:,}" if place else "a customer without purchases in the last year"


def _lede(book: DossierBook, customer_id: str) -> str:
    ranked, place = book.ranked, book.place(customer_id)
    if not place:
        said = "Bought nothing in the last year"
    else:
        own, total = float(ranked[customer_id]), float(ranked.sum())
        share = f", {percent_of(own / total, 1)} of all" if total > 0 and own > 0 else ""
        said = (
            f"Number {place:,} of {len(ranked):,} customers by {book.named(book.value)} of the "
            f"last year ({money(own, book.base.currency)}{share})"
        )
    known = book.potential
    if known is not None:
        row = known.frame[known.frame["customer_id"] == customer_id]
        if len(row):
            said += f"; {row['group'].iloc[0]} by what it brought and what it is expected to bring"
    left = contract_state(book, customer_id)
    return f"{said}.{_segment(book, customer_id)}{' ' + left if left else ''}"


def _written(value: object) -> str:
    """Write a value on file; decimal numbers, which come as text, without idle zeros."""
    text = str(value)
    return f"{float(text):,.10g}" if re.fullmatch(r"-?\d+\.\d+", text) else cut(text)


def _segment(book: DossierBook, customer_id: str) -> str:
    if book.segmentation is None:
        return ""
    frame = book.segmentation.frame
    row = frame[frame["customer_id"] == customer_id]
    if row.empty:
        return " In no segment: it was left out of the segmentation."
    name, sure = str(row["name"].iloc[0]), float(row["certainty"].iloc[0])
    return f" Segment {row['segment'].iloc[0]}: {cut(name, 80)} (certainty {sure:.2f})."


def _facts(book: DossierBook, customer_id: str, record: dict[str, object]) -> list[tuple[str, str]]:
    base = book.base
    facts = [("id", cut(customer_id))] if base.identifiable else []
    names = [name for columns in base.attributes.values() for name in columns]
    shown = [*PERSONAL, *names] if base.identifiable else names
    facts += [(cut(n.replace("_", " "), 28), _written(record[n])) for n in shown if n in record]
    both = base.identifiable and {"manager", "agent"} <= set(record)
    if both:
        facts.append(("territory", "a manager and an agent both look after it"))
    if not record:
        facts.append(("on file", "no record in a customers table"))
    more = len(facts) - MOST_FACTS
    return [
        *facts[:MOST_FACTS],
        *([("further", f"{counted(more, 'fact')} on file")] if more > 0 else []),
    ]
