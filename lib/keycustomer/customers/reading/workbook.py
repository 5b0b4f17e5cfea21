"""Excel workbooks: cells as their own types say, read row by row.

A number becomes the shortest text that is exactly it, so that 0.1 stays 0.1 and the id 7 stays
``7``; text stays as it is, ``007`` too; a column of dates stays dates. In a column of mixed cells,
numbers are written with the declared decimal mark and dates in the declared date format, so that
they are read as the text beside them is. Formulas give the values saved with them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.batches import BATCH, Sink, as_text, shortest
from keycustomer.customers.reading.files import locate
from keycustomer.customers.reading.records import (
    SourceError,
    StagedTable,
    fingerprint,
    listed,
    plural,
)
from keycustomer.customers.reading.separated import refuse_names
from keycustomer.customers.specification import Format, TableSpecification

ENDINGS = (".xlsx", ".xlsm")
_EXACT_DIGITS = 10**15
_SHOWN = 5


def stage_excel(
    connection: duckdb.DuckDBPyConnection, name: str, table: TableSpecification, folder: Path
) -> StagedTable:
    """Stage one sheet of a workbook; its first row holds the names, if the format says so.

    Raises
    ------
    SourceError
        When the file or sheet is missing, the header is not usable, or cells hold errors.
    """
    path = locate(table.location, folder)
    relation = f"staged_{name}"
    with closing(open_workbook(path)) as book:
        sheet = choose_sheet(book, table.sheet, path.name)
        shown = f"{path.name}, sheet {printable(sheet.title)}"
        _refuse_uncomputed(book, sheet, shown)
        reading = _Sheet(sheet, shown, table.format)
        sink = Sink(connection, relation, reading.names, reading.write)
        for rows, numbers in reading.batches():
            sink.take(rows, numbers)
    reading.refuse()
    return StagedTable(
        name=name,
        relation=relation,
        columns=sink.finish(),
        inputs=(fingerprint(path, table.location, sink.rows),),
        label=f"Excel file {table.location}, sheet {printable(reading.title)}",
        notes=reading.notes(),
        typed=True,
    )


def open_workbook(path: Path) -> Any:
    """Open a workbook for reading in a stream.

    Raises
    ------
    SourceError
        When it is of the old binary format, encrypted, or no workbook.
    """
    if path.suffix.lower() not in ENDINGS:
        raise SourceError(
            f"{path.name} is not an {' or '.join(ENDINGS)} file; open it in a spreadsheet program "
            "and save it as .xlsx"
        )
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError):
        pass
    raise SourceError(
        f"{path.name} cannot be opened as a workbook; it may be protected by a password, damaged, "
        "or another kind of file: save it anew as .xlsx"
    )


def choose_sheet(book: Any, wanted: str | None, shown: str) -> Any:
    """Find the sheet by name, or the only one.

    Raises
    ------
    SourceError
        When there is no such sheet, or several and none named.
    """
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if wanted is None and len(sheets) == 1:
        return next(iter(sheets.values()))
    if wanted is None:
        raise SourceError(f"{shown} has several sheets; name one under `sheet`: {listed(sheets)}")
    if wanted not in sheets:
        raise SourceError(
            f"{shown} has no sheet {printable(wanted)!r}; its sheets: {listed(sheets)}"
        )
    return sheets[wanted]


_UNCOMPUTED = re.compile(
    rb'<c r="([A-Z]+[0-9]+)"[^>]*><f(?:[^>]*/>|[^>]*>[^<]*</f>)(?:<v></v>|<v ?/>)?</c>'
)
_OVERLAP = 64 << 10


def _refuse_uncomputed(book: Any, sheet: Any, shown: str) -> None:
    """Refuse formulas saved without their values, which would read as empty cells."""
    found: list[str] = []
    with book._archive.open(sheet._worksheet_path) as xml:
        kept = b""
        while block := xml.read(1 << 20):
            kept += block
            cells = list(_UNCOMPUTED.finditer(kept))
            found += [match[1].decode() for match in cells]
            kept = kept[cells[-1].end() if cells else 0 :][-_OVERLAP:]
    if found:
        raise SourceError(
            f"{shown}: {plural(len(found), 'formula')} saved without a value, first "
            f"{listed(found[:_SHOWN])}; open the workbook in a spreadsheet program and save it, "
            "so that the values are stored"
        )


class _Sheet:
    """The rows of one sheet, with what was found amiss in them."""

    def __init__(self, sheet: Any, shown: str, form: Format) -> None:
        self.title, self.shown, self.form = sheet.title, shown, form
        self.problems: list[str] = []
        self.slips = self.blank_rows = 0
        self.long_numbers: set[str] = set()
        sheet.reset_dimensions()
        self.rows = enumerate(sheet.iter_rows(), 1)
        self.held: list[tuple[int, Any]] = []
        self.names = self._names()

    def _names(self) -> tuple[str, ...]:
        number, cells = next(self.rows, (0, ()))
        values = [cell.value for cell in cells]
        while values and values[-1] is None:
            values.pop()
        if not values:
            raise SourceError(
                f"{self.shown}: row 1 is empty; the first row must hold the column names"
            )
        if not self.form.header:
            self.held.append((number, cells))
            return tuple(f"column{i}" for i in range(1, len(values) + 1))
        names = tuple("" if value is None else self.write(value).strip() for value in values)
        refuse_names(names, self.shown)
        return names

    def write(self, value: Any) -> str:
        """Write a cell as the format says that text is written."""
        if isinstance(value, float):
            return shortest(value).replace(".", self.form.decimal)
        if isinstance(value, dt.date):
            return _as_declared(value, self.form.date)
        return as_text(value)

    def batches(self) -> Iterator[tuple[list[list[Any]], list[int]]]:
        """Yield batches of rows with their numbers, empty rows left out."""
        first = 2 if self.form.header else 1
        rows: list[list[Any]] = []
        numbers: list[int] = []
        trailing = 0
        for number, cells in self._all():
            row = self._row(number, cells)
            if all(value is None for value in row):
                trailing += 1
                continue
            self.blank_rows, trailing = self.blank_rows + trailing, 0
            rows.append(row)
            numbers.append(number - first + 1)
            if len(rows) == BATCH:
                yield rows, numbers
                rows, numbers = [], []
        yield rows, numbers

    def _all(self) -> Iterator[tuple[int, Any]]:
        yield from self.held
        yield from self.rows

    def _row(self, number: int, cells: Any) -> list[Any]:
        width = len(self.names)
        row = [self._value(cell) for cell in cells[:width]]
        for cell in cells[width:]:
            if cell.value is not None:
                self._complain(cell.coordinate, "holds a value beyond the last named column")
        return row + [None] * (width - len(row))

    def _value(self, cell: Any) -> Any:
        value = cell.value
        if value is None or value == "":
            return None
        if cell.data_type == "e":
            self._complain(cell.coordinate, f"holds the error {printable(value)}")
            return None
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, int | float):
            if abs(value) >= _EXACT_DIGITS:
                self.long_numbers.add(self.names[cell.column - 1])
            return self.write(value)
        if isinstance(value, dt.datetime) and value.time() == dt.time():
            return value.date()
        return value if isinstance(value, dt.date | str) else self.write(value)

    def _complain(self, cell: str, what: str) -> None:
        self.slips += 1
        if self.slips <= _SHOWN:
            self.problems.append(f"{self.shown}: cell {cell} {what}")

    def refuse(self) -> None:
        """Refuse the sheet when cells were amiss."""
        if not self.slips:
            return
        more = self.slips - len(self.problems)
        rest = [f"{self.shown}: ... and {plural(more, 'more cell')} like these"] if more else []
        cure = f"{self.shown}: correct or empty the cells in the workbook and save it"
        raise SourceError([*self.problems, *rest, cure])

    def notes(self) -> tuple[str, ...]:
        """Say what the reader of the report should know."""
        said = []
        if self.blank_rows:
            said.append(f"{plural(self.blank_rows, 'empty row')} left out")
        if self.long_numbers:
            said.append(
                f"numbers of more than 15 digits in {listed(sorted(self.long_numbers))}: a "
                "workbook keeps 15; if these are ids, enter them as text"
            )
        return tuple(said)


def _as_declared(value: dt.date, form: str) -> str:
    """Write a date in the declared format, unless that would lose part of it."""
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    try:
        text = moment.strftime(form)
        same = dt.datetime.strptime(text, form) == moment
    except ValueError:
        same = False
    return text if same else as_text(value)
