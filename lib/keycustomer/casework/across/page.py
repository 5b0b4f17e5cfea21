"""A page on several cases: one HTML file that opens offline, in the looks of the reports.

Question: how does every page made of other cases' data escape what it shows?

- :class:`Page`, made of :class:`Section`; a section holds sentences, tables and figures.
- :class:`Table`: rows whose cells are texts, :class:`Link`, :class:`Number` or :class:`Verdict`.
- :func:`relative_link`, :func:`simulated_banner`: links to reports, and the line on made-up data.

Cells are escaped by the template; styles and figures stand in the page, and nothing is fetched.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from keycustomer.casework.files import make_folder
from keycustomer.casework.report.templates import render_page

_DPI = 110


@dataclass(frozen=True)
class Link:
    """A cell that leads to another page, relative to this one."""

    text: str
    target: str


@dataclass(frozen=True)
class Number:
    """A cell set to the right."""

    text: str


@dataclass(frozen=True)
class Verdict:
    """A verdict of the evidence ledger, with a mark that needs no colour; `note` stands below."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes
    ----------
    caption : str
        What it shows.
    heads : sequence of str
        Its columns.
    rows : sequence of sequence
        Cells: text, Link, Number or Verdict; the first one is the row's head.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure inside a page: the PNG and its text alternative."""

    image: bytes = field(repr=False)
    alt: str

    @property
    def data(self) -> str:
        """The image as a data URI."""
        return f"data:image/png;base64,{base64.b64encode(self.image).decode('ascii')}"


@dataclass(frozen=True, eq=False)
class Section:
    """A section of a page.

    Attributes
    ----------
    title : str
        Its heading.
    sentences : sequence of str
        Paragraphs.
    tables, pictures : sequence
        What is shown.
    folded : bool
        Whether the tables are folded.
    """

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    folded: bool = False


@dataclass(frozen=True, eq=False)
class Page:
    """A page on several cases.

    Attributes
    ----------
    kind, title, lede : str
        What kind of page, its heading, and what it is about.
    sections : sequence of Section
        Its content.
    simulated : str
        Which of the data are simulated, in words; empty where none are.
    """

    kind: str
    title: str
    lede: str
    sections: Sequence[Section]
    simulated: str = ""

    @property
    def html(self) -> str:
        """The page."""
        kinds = {Link: "link", Number: "number", Verdict: "verdict"}
        return render_page(
            "across/page.html.j2", page=self, kind_of=lambda cell: kinds.get(type(cell), "text")
        )

    def write(self, path: Path) -> Path:
        """Write the page, and return where.

        Raises
        ------
        CaseError
            When there can be no such folder.
        """
        make_folder(path.parent)
        path.write_text(self.html, encoding="utf-8", newline="\n")
        return path


def picture(ax: Any) -> Picture:
    """Take the figure of some axes into a page, and close it.

    Parameters
    ----------
    ax : Axes
        One of its axes, with the text alternative its plot function has set.
    """
    from matplotlib import pyplot

    from keycustomer.plots import description

    image = io.BytesIO()
    alt = description(ax)
    ax.figure.savefig(image, dpi=_DPI, format="png", metadata={"Software": None})
    pyplot.close(ax.figure)
    return Picture(image.getvalue(), alt)


def relative_link(target: Path, folder: Path) -> str:
    """Return a link to a file from a page in a folder.

    Examples
    --------
    >>> relative_link(Path("casework/a b/output/report.html"), Path("casework"))
    'a%20b/output/report.html'
    """
    try:
        path = os.path.relpath(target, folder)
    except ValueError:  # another drive of Windows
        return target.resolve().as_uri()
    return quote(Path(path).as_posix())


def simulated_banner(cases: Iterable[str]) -> str:
    """Return the line that names the cases whose data are simulated; empty where none are."""
    names = ", ".join(cases)
    return f"Simulated data: {names}. No real customer, no real firm." if names else ""
