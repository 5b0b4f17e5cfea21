"""The parts of a dossier: each says one thing of the account, or why it cannot be said.

Value now and potential, value dimensions, needs, next needs, price position, service, contacts,
contracts: :func:`all_blocks` makes a :class:`Block` of each, in the two columns of the page.  A
part whose table is missing stays on the page with the table's name and what it would tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from keycustomer.dimensions.dossier.book import DossierBook


@dataclass(frozen=True)
class Fact:
    """One figure with its name, and a remark that puts it into proportion."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True, eq=False)
class Block:
    """One part of a dossier.

    Attributes
    ----------
    name, title : str
        Name in code, and heading.
    finding : str
        What the part found, in a sentence.
    facts : tuple of Fact
        Its figures.
    figure : Markup
        Inline SVG with its alternative text.
    legend : str
        How to read the figure.
    heads, rows : tuple
        A small table.
    note : str
        What a reader must know.
    missing : str
        Why there is nothing, or not all; empty where nothing is missing.
    """

    name: str
    title: str
    finding: str = ""
    facts: tuple[Fact, ...] = ()
    figure: Markup = field(default=Markup(), repr=False)
    legend: str = ""
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    note: str = ""
    missing: str = ""


def all_blocks(book: DossierBook, customer_id: str) -> tuple[list[Block], list[Block]]:
    """Make the parts of a customer's dossier, in the page's two columns."""
    from keycustomer.dimensions.dossier.opinions import needs_block, next_block, ratings_block
    from keycustomer.dimensions.dossier.relations import contacts_block, contracts_block
    from keycustomer.dimensions.dossier.worth import price_block, value_block

    left = [value_block, price_block, next_block, contracts_block]
    right = [ratings_block, needs_block, contacts_block]
    return [make(book, customer_id) for make in left], [make(book, customer_id) for make in right]
