"""The structure of a separated text file: its records, and whether they are all alike.

Does every record have the header's number of fields? The engine's CSV reader is fast and lenient:
it takes a trailing delimiter, blanks before a quote and other slips without a word. `scan` reads
the bytes once before it, record by record under RFC 4180, and reports each slip with its line; the
engine must then arrive at the same number of rows. Blocks without a stray quote are scanned as
arrays, the others field by field.

Sources: RFC 4180, Common Format and MIME Type for CSV Files (2005).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.records import plural

_BLOCK = 4 << 20
LONGEST_LINE = 8 << 20
_SHOWN = 5
_NEWLINE, _RETURN = 10, 13

Positions = npt.NDArray[np.intp]


@dataclass
class Structure:
    """What a scan found.

    Attributes
    ----------
    records : int
        Data records, without header and empty lines.
    empty_lines : int
        Empty lines between or after them.
    mixed_ends : bool
        Whether some lines end with CRLF and some with LF.
    problems : list of str
        The first slips in words.
    slips : int
        How many there are.
    """

    records: int = 0
    empty_lines: int = 0
    crlf: int = 0
    lf: int = 0
    slips: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def mixed_ends(self) -> bool:
        """Whether line ends are not all of one kind."""
        return self.crlf > 0 and self.lf > 0

    def complain(self, problem: str) -> None:
        """Count a slip and keep the first ones."""
        self.slips += 1
        if len(self.problems) < _SHOWN:
            self.problems.append(problem)


def scan(path: Path, fields: int, *, delimiter: str, quote: str, header: bool) -> Structure:
    """Check the structure of a UTF-8 file.

    Parameters
    ----------
    path : Path
        The file, with or without byte-order mark.
    fields : int
        Fields that every record must have.
    delimiter, quote : str
        One ASCII character each.
    header : bool
        Whether the first record holds the names; it is not counted.
    """
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        scanner = _Scanner(fields, ord(delimiter), ord(quote), header)
        for block in _blocks(file, scanner):
            scanner.take(block)
        scanner.finish()
    return scanner.found


def _blocks(file: io.BufferedReader, scanner: _Scanner) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        if not block.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE)
            block += rest
            if len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
                scanner.found.complain(
                    f"a line after line {scanner.line} is longer than {LONGEST_LINE >> 20} MiB; "
                    "a quote that never closes, or not a text file"
                )
                return
        yield block


class _Scanner:
    """State between blocks: whether inside quotes, and what the open record has so far."""

    def __init__(self, fields: int, delimiter: int, quote: int, header: bool) -> None:
        self.found = Structure()
        self.fields, self.delimiter, self.quote = fields, delimiter, quote
        self.edges = np.zeros(256, bool)
        self.edges[[delimiter, _NEWLINE, quote]] = True
        self.skip_next = header
        self.quoted = False
        self.line = 1
        self.opened_on = 1
        self.pending_fields = 0
        self.pending = b""

    def take(self, block: bytes) -> None:
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == _NEWLINE)
        marks = np.flatnonzero(data == self.delimiter)
        quotes = np.flatnonzero(data == self.quote)
        if len(quotes) or self.quoted:
            if not self._regular(data, quotes):
                ends, marks, self.quoted = self._walk(block)
            else:
                ends_inside = self._inside(ends, quotes)
                marks_inside = self._inside(marks, quotes)
                self.quoted = (len(quotes) + self.quoted) % 2 == 1
                ends, marks = ends[~ends_inside], marks[~marks_inside]
        self._returns(block, data, quotes)
        self._records(block, data, ends, marks)

    def _inside(self, positions: Positions, quotes: Positions) -> npt.NDArray[np.bool_]:
        before = np.searchsorted(quotes, positions)
        inside: npt.NDArray[np.bool_] = (before + self.quoted) % 2 == 1
        return inside

    def _regular(self, data: npt.NDArray[np.uint8], quotes: Positions) -> bool:
        """Whether each quote opens or closes a whole field, or doubles another."""
        opens = (np.arange(len(quotes)) + self.quoted) % 2 == 0
        edge = np.array([_NEWLINE], np.uint8)
        padded = np.concatenate([edge, data, edge])
        before, after = padded[quotes], padded[quotes + 2]
        good_open, good_close = self.edges[before], self.edges[after] | (after == _RETURN)
        return bool(np.all(np.where(opens, good_open, good_close)))

    def _walk(self, block: bytes) -> tuple[Positions, Positions, bool]:
        """Separate fields one by one where quotes stand inside unquoted ones."""
        walk = _Walk(block, self.delimiter, self.quote, self.quoted, self.line)
        walk.run()
        for problem in walk.problems:
            self.found.complain(problem)
        return np.array(walk.ends, np.intp), np.array(walk.marks, np.intp), walk.quoted

    def _returns(self, block: bytes, data: npt.NDArray[np.uint8], quotes: Positions) -> None:
        """Complain of carriage returns that end no line and stand outside quotes."""
        if b"\r" not in block:
            return
        returns = np.flatnonzero(data == _RETURN)
        follower = np.concatenate([data, [_NEWLINE]])[returns + 1]
        lone = returns[follower != _NEWLINE]
        if len(lone) and not len(quotes) and not self.pending:
            line = self.line + block.count(b"\n", 0, int(lone[0]))
            self.found.complain(
                f"line {line} holds a carriage return that ends no line; quote the field or "
                "remove the character"
            )

    def _records(
        self, block: bytes, data: npt.NDArray[np.uint8], ends: Positions, marks: Positions
    ) -> None:
        starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else np.array([], np.intp)
        counts = np.diff(np.concatenate([[0], np.searchsorted(marks, ends)])) + 1
        sizes = ends - starts
        crlf = (sizes > 0) & (data[np.maximum(ends - 1, 0)] == _RETURN)
        if len(counts):
            counts[0] += self.pending_fields
            sizes[0] += len(self.pending)
        self.found.crlf += int(crlf.sum())
        self.found.lf += int(len(ends) - crlf.sum())
        self._judge(block, starts, ends, counts, sizes - crlf)
        self._carry(block, ends, marks)

    def _judge(
        self, block: bytes, starts: Positions, ends: Positions, counts: Positions, sizes: Positions
    ) -> None:
        if self.skip_next and len(counts):
            starts, ends, counts, sizes = starts[1:], ends[1:], counts[1:], sizes[1:]
            self.skip_next, self.pending = False, b""
        empty = (sizes == 0) if self.fields > 1 else np.zeros(len(sizes), bool)
        self.found.empty_lines += int(empty.sum())
        self.found.records += int(len(counts) - empty.sum())
        for at in np.flatnonzero((counts != self.fields) & ~empty):
            if len(self.found.problems) >= _SHOWN:
                self.found.slips += 1
                continue
            first = at == 0 and bool(self.pending)
            text = (self.pending if first else b"") + block[starts[at] : ends[at]]
            line = self.opened_on if first else self.line + block.count(b"\n", 0, int(starts[at]))
            self._ragged(line, int(counts[at]), text)

    def _ragged(self, line: int, got: int, text: bytes) -> None:
        shown = printable(text.decode("utf-8", "replace").rstrip("\r"))
        self.found.complain(
            f"line {line} has {plural(got, 'field')} where {self.fields} were expected: {shown}"
        )

    def _carry(self, block: bytes, ends: Positions, marks: Positions) -> None:
        last = int(ends[-1]) + 1 if len(ends) else 0
        tail = block[last:]
        fields = int(len(marks) - np.searchsorted(marks, last))
        if len(ends):
            self.pending, self.pending_fields = tail, fields
            self.opened_on = self.line + block.count(b"\n", 0, last)
        elif tail:
            if not self.pending:
                self.opened_on = self.line
            self.pending += tail[: LONGEST_LINE - min(LONGEST_LINE, len(self.pending))]
            self.pending_fields += fields
        self.line += block.count(b"\n")

    def finish(self) -> None:
        """Judge a last record without line end, and a quote that never closed."""
        if self.quoted:
            shown = printable(self.pending.decode("utf-8", "replace"))
            self.found.complain(
                f"a quote opened in the record of line {self.opened_on} never closes: {shown}"
            )
        elif self.pending:
            got = np.array([self.pending_fields + 1])
            size = np.array([len(self.pending)])
            at = np.array([0], np.intp)
            self._judge(b"", at, at, got, size)


class _Walk:
    """A block separated field by field."""

    def __init__(self, block: bytes, delimiter: int, quote: int, quoted: bool, line: int) -> None:
        self.block, self.quoted, self.line = block, quoted, line
        self.ends: list[int] = []
        self.marks: list[int] = []
        self.problems: list[str] = []
        self.quote = bytes([quote])
        self.delimiter = bytes([delimiter])
        mark, q = re.escape(self.delimiter), re.escape(self.quote)
        self.plain = re.compile(b"[^" + mark + rb"\n]*")
        self.rest = re.compile(b"(?:[^" + q + b"]|" + q + q + b")*" + q + b"(?!" + q + b")")

    def run(self) -> None:
        position = 0
        while position < len(self.block):
            position = self._field(position)

    def _field(self, start: int) -> int:
        position, was_quoted = start, self.quoted
        if was_quoted or self.block.startswith(self.quote, start):
            closed = self.rest.match(self.block, start if was_quoted else start + 1)
            self.quoted = closed is None
            if closed is None:
                return len(self.block)
            position = closed.end()
            self._after_quote(position)
        end = self.plain.match(self.block, position)
        position = end.end() if end else position
        if not was_quoted and self.block[start:position].lstrip(b" ").startswith(self.quote):
            self._before_quote(start)
        return self._separator(position)

    def _separator(self, position: int) -> int:
        if position < len(self.block):
            at_end = self.block[position] == _NEWLINE
            (self.ends if at_end else self.marks).append(position)
        return position + 1

    def _after_quote(self, position: int) -> None:
        following = self.block[position : position + 1]
        if following not in (b"", b"\n", b"\r", self.delimiter):
            self._complain(position, "text follows a closing quote")

    def _before_quote(self, start: int) -> None:
        if self.block[start : start + 1] == b" ":
            self._complain(start, "blanks stand before an opening quote")

    def _complain(self, position: int, what: str) -> None:
        line = self.line + self.block.count(b"\n", 0, position)
        first = self.block.rfind(b"\n", 0, position) + 1
        last = self.block.find(b"\n", position)
        text = self.block[first : last if last >= 0 else None].decode("utf-8", "replace")
        self.problems.append(
            f"line {line}: {what}; double a quote inside a quoted field and leave no blanks "
            f"around quotes: {printable(text.rstrip())}"
        )
