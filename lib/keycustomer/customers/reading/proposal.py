"""What a case file should say about a file: proposed from its content, for the reader to confirm.

`propose` looks at a CSV, Excel or Parquet file and proposes the table entry of a case file: kind,
delimiter, encoding, formats, and which of its columns are ours, by headings common in English,
German, French and Chinese. What the values leave open, such as day and month, is said and left
open. Nothing is proposed that reading would not check again.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.files import locate
from keycustomer.customers.reading.formats import date_formats, number_marks
from keycustomer.customers.reading.headings import match_columns
from keycustomer.customers.reading.records import SourceError, listed
from keycustomer.customers.schema import TABLES

_ROWS = 2_000
_KINDS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet",
    ".xlsx": "excel", ".xlsm": "excel",
}  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """What to write about a file in a case file.

    Attributes
    ----------
    name : str
        Which table of the data model it seems to be.
    table : dict
        Entry of that table, ready to be written as YAML.
    notes : tuple of str
        What was decided on which evidence, and what the reader must decide.
    unmapped : tuple of str
        The file's columns without a counterpart.
    missing : tuple of str
        Needed columns of ours for which none was found.
    """

    name: str
    table: dict[str, Any]
    notes: tuple[str, ...]
    unmapped: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass
class _Look:
    """What a look at the file gave: its columns with sample values, format and notes so far."""

    columns: list[str]
    values: dict[str, Iterable[Any]]
    entry: dict[str, Any] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    path: Path | None = None


def propose(path: str | Path, name: str | None = None) -> Proposal:
    """Propose the case-file entry of a data file.

    Parameters
    ----------
    path : str or Path
        A CSV, Excel or Parquet file.
    name : str or None
        Table of the data model it holds; None takes the one its columns fit best.

    Raises
    ------
    SourceError
        When the file is missing, of another kind, or cannot be read surely.
    """
    found = locate(str(path), Path())
    kind = _KINDS.get(found.suffix.lower())
    if kind is None:
        raise SourceError(
            f"{found.name}: a file ending with {printable(found.suffix)!r} is not known; give one "
            f"of {', '.join(sorted(_KINDS))}, or write the case file by hand for a database"
        )
    look = {"csv": _look_csv, "excel": _look_excel, "parquet": _look_parquet}[kind](found)
    table = name or _best_table(look.columns)
    mapping = match_columns(look.columns, table)
    _read_values(look, table, mapping)
    entry: dict[str, Any] = {kind: str(path), **look.entry}
    entry["columns"] = {ours: theirs for ours, theirs in mapping.items() if ours != theirs}
    if look.form:
        entry["format"] = look.form
    missing = _missing(table, mapping)
    unmapped = tuple(c for c in look.columns if c not in mapping.values())
    return Proposal(table, entry, tuple(look.notes), unmapped, missing)


def _best_table(columns: list[str]) -> str:
    def fit(name: str) -> tuple[int, int]:
        mapping = match_columns(columns, name)
        missing = len(_missing(name, mapping))
        return len(mapping) - missing, -missing

    return max(("transactions", "customers", "products", "interactions"), key=fit)


def _missing(table: str, mapping: dict[str, str]) -> tuple[str, ...]:
    needed = [name for name in TABLES[table].required if name not in mapping]
    needed += [
        " or ".join(group)
        for group in TABLES[table].one_of
        if not any(name in mapping for name in group)
    ]
    return tuple(needed)


def _look_csv(path: Path) -> _Look:
    from keycustomer.customers.reading.separated import DELIMITERS, open_text
    from keycustomer.customers.specification import Format

    delimiter = _guess_delimiter(path)
    with open_text(path, Format(delimiter=delimiter)) as opened:
        notes = list(opened.notes)
        with opened.path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(islice(csv.reader(file, delimiter=delimiter), _ROWS + 1))[1:]
    names = [name for name in opened.names if name]
    look = _Look(names, _by_column(names, rows), notes=notes, path=path)
    if delimiter != ",":
        look.form["delimiter"] = "tab" if delimiter == "\t" else delimiter
        look.notes.append(f"the delimiter is the {DELIMITERS[delimiter]}")
    if not opened.encoding.utf8:
        look.form["encoding"] = opened.encoding.name
    return look


def _guess_delimiter(path: Path) -> str:
    """Take the delimiter that gives most columns, alike in header and first rows."""
    from keycustomer.customers.reading.encoding import identify
    from keycustomer.customers.reading.separated import DELIMITERS

    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty: not even a header line")
    fits = {}
    encoding = identify(path).name
    for mark in DELIMITERS:
        with path.open(encoding=encoding, newline="") as file:
            rows = [row for row in islice(csv.reader(file, delimiter=mark), 50) if row]
        widths = [len(row) for row in rows]
        if widths and max(widths) > 1:
            fits[mark] = (min(widths) == max(widths), widths[0])
    return max(fits, key=lambda mark: fits[mark]) if fits else ","


def _by_column(names: list[str], rows: Iterable[Any]) -> dict[str, Iterable[Any]]:
    values: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows:
        for name, value in zip(names, row, strict=False):
            if value not in (None, ""):
                values[name].append(value)
    return dict(values)


def _look_excel(path: Path) -> _Look:
    from keycustomer.customers.reading.workbook import choose_sheet, open_workbook

    with closing(open_workbook(path)) as book:
        sheets = [sheet.title for sheet in book.worksheets]
        first = sheets[0] if len(sheets) > 1 else None
        rows = choose_sheet(book, first, path.name).iter_rows(max_row=_ROWS + 1, values_only=True)
        header = next(rows, ())
        names = [str(name).strip() for name in header if name is not None]
        look = _Look(names, _by_column(names, rows))
    if not names:
        raise SourceError(f"{path.name}: row 1 is empty; the first row must hold the column names")
    if first is not None:
        look.entry["sheet"] = first
        look.notes.append(f"the workbook has the sheets {listed(sheets)}; the first is proposed")
    return look


def _look_parquet(path: Path) -> _Look:
    from pyarrow import ArrowException
    from pyarrow import parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            batch = next(file.iter_batches(_ROWS), None)
            rows = zip(*batch.to_pydict().values(), strict=True) if batch is not None else ()
            return _Look(names, _by_column(names, rows))
    except (ArrowException, OSError):
        pass
    raise SourceError(f"{path.name} is no readable Parquet file; export it again")


def _read_values(look: _Look, table: str, mapping: dict[str, str]) -> None:
    """Tell number marks and date format from the values of the mapped columns."""
    kinds = {ours: TABLES[table].columns[ours].kind for ours in mapping}
    numbers = [ours for ours, kind in kinds.items() if kind in ("amount", "number", "real")]
    dates = [ours for ours, kind in kinds.items() if kind == "date"]
    texts = [t for ours in numbers for t in _texts(look.values[mapping[ours]])]
    _say_marks(look, texts)
    for ours in dates:
        _say_dates(look, mapping[ours])


def _texts(values: Iterable[Any]) -> list[str]:
    return [value.strip() for value in values if isinstance(value, str) and value.strip()]


def _say_marks(look: _Look, texts: list[str]) -> None:
    if not texts:
        return
    marks = number_marks(texts)
    if marks is None:
        look.notes.append(
            "whether a comma or a point is the decimal mark cannot be told from values such as "
            f"{listed(dict.fromkeys(t for t in texts if re.search('[.,]', t)), 3)}; write "
            "`decimal:` and `thousands:` under format"
        )
        return
    decimal, thousands = marks
    if decimal != ".":
        look.form["decimal"] = decimal
    if thousands:
        look.form["thousands"] = thousands


def _say_dates(look: _Look, column: str) -> None:
    texts = _texts(look.values[column])
    if not texts:
        return
    formats = date_formats(texts)
    if len(formats) > 1 and look.path is not None:
        formats = date_formats(_whole_column(look, column), formats)
    if len(formats) == 1:
        if formats[0] != "%Y-%m-%d":
            look.form["date"] = formats[0]
        return
    shown = listed(dict.fromkeys(texts), 3)
    if formats:
        options = " or ".join(
            f"{form} ({dt.datetime.strptime(texts[0], form):%d %B %Y})" for form in formats
        )
        look.notes.append(
            f"column {printable(column)!r}: day and month cannot be told from {shown}: {options}; "
            "write `date:` under format"
        )
    else:
        look.notes.append(
            f"column {printable(column)!r}: no known date format fits {shown}; write `date:` under "
            "format"
        )


def _whole_column(look: _Look, column: str) -> Iterator[str]:
    """Read a CSV column to its end: the day above 12 may come late."""
    from keycustomer.customers.reading.encoding import identify

    delimiter = {"tab": "\t"}.get(look.form.get("delimiter", ","), look.form.get("delimiter", ","))
    path = look.path or Path()
    at = look.columns.index(column)
    with path.open(encoding=identify(path).name, newline="") as file:
        rows = csv.reader(file, delimiter=delimiter)
        next(rows, None)
        for row in rows:
            if at < len(row) and row[at].strip():
                yield row[at].strip()
