"""The file of a case's note, looked at before anything runs.

Question: is the note one that can be filled, and was its page filled from it as it is now?

- :func:`check_note`, :func:`note_problems`: mistakes that no results can mend.
- :func:`note_holds`: whether the page of an output is of today's note.

A run is planned with these, so they need neither results nor what renders a page
(:mod:`keycustomer.casework.across.notes`).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from keycustomer.casework.across.note_syntax import parse_note
from keycustomer.casework.errors import CaseError

NOTE = "note.md"
"""Name of a note beside the case file."""

PAGE = "note.html"
"""Name of the filled note in the output folder."""

_SOURCE = re.compile(r'<meta name="note-source" content="([0-9a-f]{64})">')


def check_note(text: str, name: str = NOTE) -> tuple[str, ...]:
    """Find the mistakes of a note that no results can mend.

    Parameters
    ----------
    text : str
        The note.
    name : str
        What complaints call it.

    Returns
    -------
    tuple of str
        One line a mistake, with its line in the note.
    """
    try:
        parse_note(text, name)
    except CaseError as error:
        return error.problems
    return ()


def note_problems(folder: Path) -> tuple[str, ...]:
    """Find the mistakes of a case's note that no results can mend; none where there is no note."""
    path = folder / NOTE
    if not path.is_file():
        return ()
    try:
        return check_note(read_note(path))
    except CaseError as error:
        return error.problems


def note_holds(folder: Path, output: Path) -> bool:
    """Whether the page in an output folder was filled from the case's note as it is now.

    Parameters
    ----------
    folder, output : Path
        Folders of the case and of its output.
    """
    note, page = folder / NOTE, output / PAGE
    if not note.is_file():
        return not page.is_file()
    found = _SOURCE.search(page.read_text(encoding="utf-8")) if page.is_file() else None
    return found is not None and found.group(1) == note_hash(read_note(note))


def read_note(note: Path) -> str:
    """Read the text of a note.

    Raises
    ------
    CaseError
        When the file is not UTF-8.
    """
    try:
        return note.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError(f"{note}: not UTF-8 ({error.reason}); save it as UTF-8") from error


def note_hash(text: str) -> str:
    """Return the hash of a note's text, by which its page tells whether it still holds."""
    return hashlib.sha256(text.encode()).hexdigest()
