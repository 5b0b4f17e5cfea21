"""What reading a table hands on: the staged relation, its inputs' fingerprints, and its problems.

`StagedTable` says where in the engine the source's rows stand and how they were read;
`InputRecord` identifies one input without its secrets; `SourceError` collects everything that
keeps a source from being read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from keycustomer.customers.errors import printable

_BLOCK = 1 << 20


@dataclass(frozen=True)
class InputRecord:
    """One input, as the run record names it.

    Attributes
    ----------
    location : str
        Path, package or URL as the case file writes it: without secrets and machine folders.
    bytes : int or None
        Size; None for a database.
    sha256 : str or None
        Hash of the content in hexadecimal; of a database, of the extract, and None until it
        has been read.
    rows : int or None
        Data rows, where reading or the file's own metadata tell.
    note : str
        What the reader of the record has to know, such as how a database extract is hashed.
    """

    location: str
    bytes: int | None
    sha256: str | None
    rows: int | None = None
    note: str = ""


@dataclass(frozen=True)
class StagedTable:
    """One source table, readable by SQL.

    Attributes
    ----------
    name : str
        Name in the data model.
    relation : str
        Temporary table or view of the connection: every column of the source under its own name,
        and `source_row` BIGINT, the number of the data row from 1.
    columns : dict of str to str
        The source's column names and their types in the engine, in order, without `source_row`.
    inputs : tuple of InputRecord
        What was read.
    label : str
        The source in words, for messages.
    notes : tuple of str
        What the reader decided and the reader of the report should know.
    typed : bool
        Whether the source itself has types; else every column is text as written.
    timestamps_in : str or None
        Time zone of time stamps that carry none, where the source is known to have one; the case
        file's `format.timestamps_in` decides otherwise.
    """

    name: str
    relation: str
    columns: dict[str, str]
    inputs: tuple[InputRecord, ...]
    label: str
    notes: tuple[str, ...] = ()
    typed: bool = False
    timestamps_in: str | None = None


class SourceError(ValueError):
    """A source that cannot be read as the case file describes it.

    Attributes
    ----------
    problems : tuple of str
        All complaints, each with its cure.
    table : str
        The table of the data model, where known.
    """

    def __init__(self, problems: str | Iterable[str], table: str = "") -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        self.table = table
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        where = f"table {self.table}: " if self.table else ""
        return [where + problem for problem in self.problems]

    def __reduce__(self) -> tuple[type[SourceError], tuple[tuple[str, ...], str]]:
        """Survive the way from a worker process to its parent."""
        return type(self), (self.problems, self.table)


def fingerprint(path: Path, location: str, rows: int | None = None) -> InputRecord:
    """Record a file's size and hash, reading it in blocks.

    Parameters
    ----------
    path : Path
        The file.
    location : str
        How the record names it.
    rows : int or None
        Its data rows, where known.
    """
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return InputRecord(location, size, digest.hexdigest(), rows)


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: ``plural(2, "row")`` is ``2 rows``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(names: Iterable[object], most: int = 12) -> str:
    """List names for a message, escaped and shortened."""
    shown = [printable(name) for name in names]
    more = f", ... ({len(shown) - most} more)" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more if shown else "none"
