"""The page itself: template and style filled with front, chapters and appendix.

Question: does what was written escape everything it was given?

:func:`write_report`.  The template escapes every value; only bodies and headings of chapters, which
are clean by construction, go in as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keycustomer.casework.report.chapters import read_chapters
from keycustomer.casework.report.front import front
from keycustomer.casework.report.templates import render_page


def write_report(notebooks: Sequence[Path], path: Path, results: Mapping[str, Any]) -> Path:
    """Write the report of a case as one HTML file.

    Parameters
    ----------
    notebooks : sequence of Path
        Executed notebooks, in reading order; failed ones end with their error.
    path : Path
        The file.
    results : mapping
        Content of ``results.json``: `case`, `measures`, `ledger`, `exclusions`, `skipped`, `run`.

    Returns
    -------
    Path
        The file.
    """
    path.write_text(render_report(notebooks, results), encoding="utf-8", newline="\n")
    return path


def render_report(notebooks: Sequence[Path], results: Mapping[str, Any]) -> str:
    """Return the report of a case as HTML; see `write_report`."""
    content = front(results)
    chapters = read_chapters(notebooks, content["problems"])
    # Chapters and headings have been cleaned.
    return render_page("report/page.html.j2", chapters=chapters, **content)
