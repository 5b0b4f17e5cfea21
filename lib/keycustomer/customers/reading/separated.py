"""CSV and other separated text files: every value as text, exactly as written.

`stage_csv` takes the declared delimiter, quote and header, detects the encoding or checks the
declared one, proves that every record has the header's fields, and only then lets the engine read
it, with all guessing off. An empty field, quoted or not, is missing; everything else is kept,
`NA`, `null` and `-` too.
"""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.encoding import Encoding, identify, transcode
from keycustomer.customers.reading.files import as_pattern, literal, locate
from keycustomer.customers.reading.lines import LONGEST_LINE, Structure, scan
from keycustomer.customers.reading.records import (
    SourceError,
    StagedTable,
    fingerprint,
    listed,
    plural,
)
from keycustomer.customers.specification import Format, TableSpecification
from keycustomer.customers.statements import identifier

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_PROBE = 1 << 20


@dataclass(frozen=True)
class Opened:
    """A separated file ready to be read: a UTF-8 path, its marks and its column names."""

    path: Path
    encoding: Encoding
    delimiter: str
    quote: str
    header: bool
    names: tuple[str, ...]
    notes: tuple[str, ...]


def stage_csv(
    connection: duckdb.DuckDBPyConnection, name: str, table: TableSpecification, folder: Path
) -> StagedTable:
    """Stage a separated text file as text columns.

    Raises
    ------
    SourceError
        When its encoding, header or structure is not as declared; all slips together.
    """
    path = locate(table.location, folder)
    with open_text(path, table.format) as opened:
        structure = scan(
            opened.path,
            len(opened.names),
            delimiter=opened.delimiter,
            quote=opened.quote,
            header=opened.header,
        )
        _refuse_slips(path.name, structure)
        relation = f"staged_{name}"
        _load(connection, relation, opened, structure)
    names, dropped = _drop_blank_last(connection, relation, opened.names, path.name)
    record = fingerprint(path, table.location, structure.records)
    return StagedTable(
        name=name,
        relation=relation,
        columns=dict.fromkeys(names, "VARCHAR"),
        inputs=(record,),
        label=f"CSV file {table.location}",
        notes=(*opened.notes, *_remarks(structure), *dropped),
    )


@contextmanager
def open_text(path: Path, form: Format) -> Iterator[Opened]:
    """Find out how a separated file is to be read, with a UTF-8 copy where it is not UTF-8.

    Parameters
    ----------
    path : Path
        The file.
    form : Format
        What the case file declares.

    Yields
    ------
    Opened
        The copy, if any, is removed afterwards.

    Raises
    ------
    SourceError
        When encoding, delimiter or header cannot be had as declared.
    """
    if path.stat().st_size == 0:
        raise SourceError(f"{path.name} is empty: not even a header line")
    encoding = identify(path, form.encoding)
    with tempfile.TemporaryDirectory(prefix="keycustomer-") as aside:
        readable, notes = path, [encoding.note] if encoding.note else []
        returns = _lone_returns(path, encoding)
        if not encoding.utf8 or returns:
            readable = Path(aside) / "utf8.csv"
            transcode(path, encoding.name, readable, returns=returns)
        if returns:
            notes.append("line ends are lone carriage returns, read as line ends")
        delimiter = _delimiter(readable, path.name, form)
        names = _names(readable, path.name, delimiter, form)
        yield Opened(readable, encoding, delimiter, form.quote, form.header, names, tuple(notes))


def _lone_returns(path: Path, encoding: Encoding) -> bool:
    """Whether the file has carriage returns and not one line feed, as old Macintosh files do."""
    with path.open(encoding=encoding.name, newline="") as file:
        start = file.read(_PROBE)
        return "\r" in start and "\n" not in start and all("\n" not in line for line in file)


def _first_record(path: Path, delimiter: str, quote: str) -> tuple[list[str], str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        start = file.readline(_PROBE)
        file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, quotechar=quote, strict=False)
        try:
            return next(reader, []), start
        except csv.Error:
            return [], start


def _delimiter(path: Path, shown: str, form: Format) -> str:
    if form.delimiter != "auto":
        if not form.delimiter.isascii() or not form.quote.isascii():
            raise SourceError(
                f"delimiter {form.delimiter!r} and quote {form.quote!r} must be ASCII characters"
            )
        return form.delimiter
    counts = {mark: len(_first_record(path, mark, form.quote)[0]) for mark in DELIMITERS}
    able = {mark: count for mark, count in counts.items() if count > 1}
    if len(able) == 1:
        return next(iter(able))
    if not able:
        raise SourceError(
            f"{shown}: the first line holds no {listed(DELIMITERS.values())}; a file of one column "
            "needs a declared delimiter, such as `delimiter: ','`"
        )
    options = "; ".join(f"{DELIMITERS[m]} gives {n} columns" for m, n in able.items())
    raise SourceError(
        f"{shown}: the delimiter is not certain: {options}; name it under format.delimiter"
    )


def _names(path: Path, shown: str, delimiter: str, form: Format) -> tuple[str, ...]:
    fields, line = _first_record(path, delimiter, form.quote)
    if not line.strip():
        raise SourceError(f"{shown}: line 1 is empty; the first line must hold the column names")
    if len(fields) == 1:
        _refuse_wrong_delimiter(shown, delimiter, line)
    if not form.header:
        return tuple(f"column{i}" for i in range(1, len(fields) + 1))
    names = tuple(field.strip() for field in fields)
    refuse_names(names, shown, blank_last=True)
    return names


def _refuse_wrong_delimiter(shown: str, delimiter: str, line: str) -> None:
    if line.strip().lower().startswith("sep="):
        raise SourceError(
            f"{shown}: line 1 is a spreadsheet's mark {line.strip()!r}, not a header; remove it"
        )
    others = {mark: line.count(mark) for mark in DELIMITERS if mark != delimiter and mark in line}
    if others:
        best = max(others, key=lambda mark: others[mark])
        named = "tab" if best == "\t" else best
        raise SourceError(
            f"{shown}: the header is one column with delimiter {delimiter!r}: "
            f"{printable(line.strip())}; write `delimiter: '{named}'` under format"
        )


def refuse_names(
    names: tuple[str, ...],
    shown: str,
    *,
    blank_last: bool = False,
    reserved: frozenset[str] = frozenset(),
) -> None:
    """Refuse column names that are empty, stand twice, or that the engine could not tell apart.

    Parameters
    ----------
    names : tuple of str
        The names in order.
    shown : str
        The source, for the message.
    blank_last : bool
        Whether the last may be empty, as a trailing delimiter leaves it.
    reserved : frozenset of str
        Names besides `source_row` that the engine needs for itself.

    Raises
    ------
    SourceError
        All of these together.
    """
    problems = []
    last = len(names) if blank_last and len(names) > 1 else None
    blank = [i for i, name in enumerate(names, 1) if not name and i != last]
    if blank:
        problems.append(f"{shown}: column {listed(blank)} has no name; name it in the header")
    counts = Counter(name.casefold() for name in names if name)
    twice = [name for name in names if counts[name.casefold()] > 1]
    if twice:
        problems.append(
            f"{shown}: column names stand more than once, or differ only by case: "
            f"{listed(dict.fromkeys(twice))}; rename them in the source"
        )
    ours = [name for name in names if name.casefold() in reserved | {"source_row"}]
    if ours:
        problems.append(
            f"{shown}: columns with names that row numbers need: {listed(ours)}; rename them"
        )
    nul = [name for name in names if "\x00" in name]
    if nul:
        problems.append(f"{shown}: a column name holds a NUL character: {listed(nul)}")
    if problems:
        raise SourceError(problems)


def _refuse_slips(shown: str, structure: Structure) -> None:
    if not structure.slips:
        return
    more = structure.slips - len(structure.problems)
    problems = [f"{shown}: {problem}" for problem in structure.problems]
    if more > 0:
        problems.append(f"{shown}: ... and {plural(more, 'more line')} like these")
    problems.append(
        f"{shown}: correct the lines, or the declared delimiter and quote, which decide where a "
        "field ends"
    )
    raise SourceError(problems)


def _load(
    connection: duckdb.DuckDBPyConnection, relation: str, opened: Opened, structure: Structure
) -> None:
    names = [name or f"unnamed{i}" for i, name in enumerate(opened.names, 1)]
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    query = f"""
        CREATE OR REPLACE TEMP TABLE {identifier(relation)} AS
        SELECT *, row_number() OVER () AS source_row
        FROM read_csv(
            $path, columns = {{{columns}}}, auto_detect = false, header = $header,
            delim = $delimiter, quote = $quote, escape = $quote, nullstr = '',
            null_padding = false, strict_mode = $strict, max_line_size = {LONGEST_LINE}
        )"""  # noqa: S608 - names are quoted, values bound
    values = {
        "path": as_pattern(opened.path),
        "header": opened.header,
        "delimiter": opened.delimiter,
        "quote": opened.quote,
        "strict": not structure.mixed_ends,
    }
    with file_order(connection):
        failure = _attempt(connection, query, values)
    if failure:
        raise SourceError(f"{opened.path.name}: the engine cannot read the file: {failure}")
    _refuse_difference(connection, relation, opened, structure)


def _attempt(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, object]
) -> str | None:
    try:
        connection.execute(query, values)
    except duckdb.Error as error:
        return str(error).partition("Possible fixes")[0].partition("LINE 1")[0].strip()
    return None


@contextmanager
def file_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the engine number rows in the order of the file, whatever the connection's setting."""
    setting = "SELECT current_setting('preserve_insertion_order')"
    (kept,) = connection.execute(setting).fetchone() or (True,)
    connection.execute("SET preserve_insertion_order = true")
    try:
        yield
    finally:
        connection.execute(f"SET preserve_insertion_order = {str(bool(kept)).lower()}")


def _refuse_difference(
    connection: duckdb.DuckDBPyConnection, relation: str, opened: Opened, structure: Structure
) -> None:
    query = f"SELECT count(*) FROM {identifier(relation)}"  # noqa: S608 - quoted
    (rows,) = connection.execute(query).fetchone() or (0,)
    if rows != structure.records:
        raise SourceError(
            f"{opened.path.name}: the engine reads {rows:,} rows where the file has "
            f"{structure.records:,} records; save the file anew with quoted fields and one kind of "
            "line ends"
        )


def _drop_blank_last(
    connection: duckdb.DuckDBPyConnection, relation: str, names: tuple[str, ...], shown: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Drop the empty column that a delimiter at every line's end leaves."""
    if names[-1]:
        return names, ()
    column = identifier(f"unnamed{len(names)}")
    query = f"SELECT count({column}) FROM {identifier(relation)}"  # noqa: S608 - quoted
    (filled,) = connection.execute(query).fetchone() or (0,)
    if filled:
        raise SourceError(
            f"{shown}: column {len(names)} has no name, and holds {plural(filled, 'value')}; "
            "name it in the header"
        )
    connection.execute(f"ALTER TABLE {identifier(relation)} DROP COLUMN {column}")
    return names[:-1], ("every line ends with a delimiter; the empty last column is left out",)


def _remarks(structure: Structure) -> list[str]:
    notes = []
    if structure.empty_lines:
        notes.append(f"{plural(structure.empty_lines, 'empty line')} left out")
    if structure.mixed_ends:
        notes.append("some lines end with CRLF and some with LF")
    return notes
