"""YAML as written: every value stays the text that stands in the file, and every key has a line.

Question: how does a case file mean what its author typed?

YAML loaders turn `NO` into false, `010` into 8, `1e3` into text and `2017-01-01` into a date.
`read_yaml` turns nothing into anything: a value is text, an empty value or `null` is None, and the
model of the case file decides what the text must be.  Tags, anchors, aliases and merge keys,
which can build objects or bombs, and duplicate keys, of which a loader keeps the last without a
word, are refused with file and line.

- :func:`read_yaml`: a file to a :class:`Document` of plain dicts, lists and texts.
- :class:`Document`: the content and, for every key and item, its line.

Source: YAML 1.1 events as PyYAML gives them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from keycustomer.casework.errors import CaseError

_NULLS = frozenset({"", "~", "null"})
_LONGEST_FILE = 1_000_000
_DEEPEST = 20

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A YAML file's content.

    Attributes
    ----------
    name : str
        Name of the file, for messages.
    content : dict
        Dicts, lists, texts and None.
    lines : dict of tuple to int
        Line, from 1, of every key and item by its path, such as `("tables", "transactions")`.
    """

    name: str
    content: dict[str, Any]
    lines: dict[Location, int] = field(repr=False)

    def line(self, location: Location) -> int:
        """Line of a path; of its nearest known parent where the path is not in the file."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def problem(self, location: Location, text: str) -> str:
        """`case.yaml:12: text`."""
        return f"{self.name}:{self.line(location)}: {text}"


def read_yaml(path: Path) -> Document:
    """Read a YAML file whose top level is a mapping.

    Parameters
    ----------
    path : Path
        The file, UTF-8.

    Raises
    ------
    CaseError
        With file and line: bad encoding, bad syntax, tags, anchors, aliases, merge keys,
        duplicate keys, several documents, or a top level that is no mapping.
    """
    data = path.read_bytes()
    if len(data) > _LONGEST_FILE:
        raise CaseError(
            f"{path.name}:1: the file has {len(data):,} bytes; a case file has at most "
            f"{_LONGEST_FILE:,}"
        )
    try:
        return parse_yaml(data.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise CaseError(
            f"{path.name}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; "
            "save the file as UTF-8"
        ) from error


def parse_yaml(text: str, name: str) -> Document:
    """Read YAML text; see :func:`read_yaml`."""
    try:
        reader = _Reader(name, yaml.parse(text, Loader=yaml.SafeLoader))
        content = reader.document()
    except yaml.MarkedYAMLError as error:
        raise CaseError(_syntax_problem(name, error)) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise CaseError(
            f"{name}:{line}: character U+{error.character:04X} is not allowed in YAML; remove it"
        ) from error
    return Document(name, content, reader.lines)


def _syntax_problem(name: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    cure = "look for a missing quote, colon or indentation there or on the line before"
    if "\\t" in str(error.problem):
        cure = "indent with spaces, never with tabs"
    return f"{name}:{line}: not readable as YAML: {error.problem}; {cure}"


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Reader:
    """Builds plain values from YAML events, and keeps lines."""

    def __init__(self, name: str, events: Iterator[yaml.Event]) -> None:
        self.name = name
        self.events = events
        self.lines: dict[Location, int] = {}

    def document(self) -> dict[str, Any]:
        self._expect_start()
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            raise CaseError(f"{self.name}:1: the file is empty")
        event = next(self.events)
        if not isinstance(event, yaml.MappingStartEvent):
            raise self._refuse(event, "the file must hold `key: value` lines")
        self._refuse_machinery(event)
        content = self._mapping(())
        next(self.events)
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._refuse(event, "a second document begins; a case file holds one")
        return content

    def _expect_start(self) -> None:
        next(self.events)

    def _refuse(self, event: yaml.Event, text: str) -> CaseError:
        return CaseError(f"{self.name}:{_line(event)}: {text}")

    def _refuse_machinery(self, event: yaml.Event) -> None:
        """Refuse what makes YAML more than text."""
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            raise self._refuse(event, f"alias *{anchor} is refused; write the value out")
        if anchor is not None:
            raise self._refuse(event, f"anchor &{anchor} is refused; write the value out")
        if tag is not None:
            raise self._refuse(event, f"tag {tag} is refused; write the plain value")

    def _value(self, location: Location, event: yaml.Event) -> Any:
        self._refuse_machinery(event)
        if len(location) > _DEEPEST:
            raise self._refuse(event, f"nested deeper than {_DEEPEST} levels")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(location)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(location)
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refuse(event, "a value is missing")
        return None if event.style is None and event.value in _NULLS else event.value

    def _mapping(self, location: Location) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event)
            path = (*location, key)
            if key in mapping:
                first = self.lines[path]
                raise self._refuse(event, f"key {key!r} stands here and on line {first}; keep one")
            self.lines[path] = _line(event)
            mapping[key] = self._value(path, next(self.events))
        return mapping

    def _key(self, event: yaml.Event) -> str:
        self._refuse_machinery(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refuse(event, "a key must be a word")
        if event.value == "<<" and event.style is None:
            raise self._refuse(event, "merge key << is refused; write the values out")
        return str(event.value)

    def _sequence(self, location: Location) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            path = (*location, len(items))
            self.lines[path] = _line(event)
            items.append(self._value(path, event))
        return items
