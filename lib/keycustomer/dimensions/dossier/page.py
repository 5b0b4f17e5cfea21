"""The page of one key account: its blocks put into HTML that opens offline and prints on one sheet.

:class:`Dossier` is the page; :func:`make_dossier` puts it together from the blocks of
:mod:`keycustomer.dimensions.dossier.blocks`.  The template escapes every text, styles and figures
stand in the page, and nothing is fetched.  :class:`CustomerPage` and :func:`render_page` are what
other pages of one customer share with it, such as the account plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from markupsafe import Markup

from keycustomer.dimensions.dossier.blocks import Block, all_blocks
from keycustomer.dimensions.dossier.header import header_of
from keycustomer.dimensions.dossier.plain import SENTENCES, cut

if TYPE_CHECKING:
    from keycustomer.dimensions.dossier.book import DossierBook

HEIGHT = 760
"""Height in which a notebook shows the page, pixels."""


@dataclass(frozen=True, eq=False)
class CustomerPage:
    """A page on one customer.

    Attributes
    ----------
    customer_id : str
        The customer.
    label : str
        What the page calls it.
    blocks : tuple of Block
        The parts of the page.
    html : str
        The page.
    """

    customer_id: str
    label: str
    blocks: tuple[Block, ...] = field(repr=False)
    html: str = field(repr=False)
    kind: ClassVar[str] = "page"

    @property
    def missing(self) -> dict[str, str]:
        """Parts that could not be filled, with the reason."""
        return {block.title: block.missing for block in self.blocks if block.missing}

    def __getitem__(self, name: str) -> Block:
        """Return a part by its name.

        Raises
        ------
        KeyError
            When there is no such part.
        """
        for block in self.blocks:
            if block.name == name:
                return block
        names = ", ".join(block.name for block in self.blocks)
        raise KeyError(f"no part {name!r} of a {self.kind}; there are {names}")

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, and return where it is."""
        Path(path).write_text(self.html, encoding="utf-8", newline="\n")
        return Path(path)

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html)}" title="{escape(self.label)}: {self.kind}" '
            f'style="width:100%;height:{HEIGHT}px;border:1px solid #d6dce1"></iframe>'
        )


@dataclass(frozen=True, eq=False)
class Dossier(CustomerPage):
    """The dossier of one key account."""

    kind: ClassVar[str] = "dossier"


def make_dossier(book: DossierBook, customer_id: str, label: str | None) -> Dossier:
    """Make the page of a customer; see `DossierBook.dossier`."""
    head = header_of(book, customer_id, label)
    columns = all_blocks(book, customer_id)
    content: dict[str, Any] = {
        "house": "Key-account dossier",
        "label": head.label,
        "lede": cut(head.lede, SENTENCES),
        "facts": head.facts,
        "columns": columns,
    }
    blocks = tuple(block for column in columns for block in column)
    return Dossier(customer_id, head.label, blocks, render_page(book, content))


def render_page(book: DossierBook, content: Mapping[str, Any]) -> str:
    """Put the parts of a page into its HTML.

    Parameters
    ----------
    book : DossierBook
        The base that the page is from.
    content : mapping of str to object
        house (kind of page), label, lede, facts (pairs of name and text), columns (two lists of
        blocks) and optionally lead (a block across the page, above the columns).
    """
    base = book.base
    return _rendered(
        {
            "lead": None,
            "title": cut(base.title, 60),
            "simulated": base.simulated,
            "period": f"{base.start} to {base.end}",
            "made": _made(book),
            **content,
        }
    )


def _made(book: DossierBook) -> str:
    base, (start, end) = book.base, book.window
    named = "" if base.identifiable else " Customers may not be named: personal data left out."
    return (
        f"Made by the Key Customer Value Lab from the base {cut(base.title, 60)}, "
        f"{base.currency}. The last year is {start} to {end}; ranks are among "
        f"{len(book.ranked):,} customers who bought in it.{named}"
        f"{' All data are simulated.' if base.simulated else ''}"
    )


def _rendered(content: dict[str, Any]) -> str:
    import jinja2

    folder = files("keycustomer.dimensions.dossier")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string((folder / "dossier.html.j2").read_text(encoding="utf-8"))
    style = (folder / "dossier.css").read_text(encoding="utf-8")
    # The style is our own file.
    return template.render(style=Markup(style), **content)  # noqa: S704
