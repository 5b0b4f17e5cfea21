"""Placeholders of notes: what may stand between two braces, read strictly.

Question: which numbers and verdicts does a text ask for, and is each of them one there can be?

- :func:`parse_note`: the parts of a text, or every mistake in it with its line.
- :class:`Reference`: a measure with its group, or a claim with the measure that decided.
- :class:`Placeholder`: what is asked of references; :class:`Choice`: texts of which one is shown.

The syntax is told in :mod:`keycustomer.casework.across.notes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from keycustomer.casework.errors import CaseError, did_you_mean
from keycustomer.casework.measures import CLAIMS, MEASURES

FORMS = ("percent", "points", "number", "whole", "money")
"""How a number may be written; left out: as the report writes the measure's unit."""

PARTS = ("lower", "upper", "truth", "interval", "n")
"""What may be asked of a row but its estimate."""

CASE_FACTS = ("name", "title", "data", "currency", "start", "end", "chapters")
"""What may be asked of a case."""

_REFERENCE = r"(?:(?:\d+)\.)?[A-Za-z_]\w*(?:\[[^\]]*\])?"
_WRITTEN = r"(?: as (?P<form>[a-z]+)(?: (?P<digits>\d))?)?"
_TAG = re.compile(r"\{\{(?P<inside>.*?)\}\}", re.DOTALL)
_ALONE = re.compile(
    r"(?m)^[ \t]*\{\{(?P<inside>[ \t]*(?:if|elif|else|end)\b(?:(?!\}\})[^\n])*)\}\}[ \t]*(?:\n|\Z)"
)

_PATTERNS = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "ledger of all": r"ledger",
        "ledger": rf"ledger (?P<one>{_REFERENCE})",
        "verdict": rf"verdict (?P<one>{_REFERENCE})",
        "statement": rf"statement (?P<one>{_REFERENCE})",
        "table": rf"table (?P<one>{_REFERENCE})",
        "parameter": rf"parameter (?P<one>\d+\.[A-Za-z_]\w*){_WRITTEN}",
        "case": r"case (?P<fact>\w+)",
        "difference": rf"difference (?P<one>{_REFERENCE}), ?(?P<other>{_REFERENCE}){_WRITTEN}",
        "ratio": rf"ratio (?P<one>{_REFERENCE}), ?(?P<other>{_REFERENCE}){_WRITTEN}",
        "part": rf"(?P<part>{'|'.join(PARTS)}) (?P<one>{_REFERENCE}){_WRITTEN}",
        "value": rf"(?P<one>{_REFERENCE}){_WRITTEN}(?P<interval> with interval)?",
    }.items()
}
_OF_CLAIMS = ("ledger", "verdict", "statement")
_CONDITIONS = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "is": rf"(?P<one>{_REFERENCE}) is (?P<verdict>supported|not supported|undecided)",
        "known": rf"known (?P<one>{_REFERENCE})",
        "ran": r"ran (?P<chapter>\d+)",
        "compared": rf"(?P<one>{_REFERENCE}) (?P<way>above|below) "
        rf"(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<other>{_REFERENCE}))",
    }.items()
}


@dataclass(frozen=True)
class Reference:
    """A measure with its group, or a claim with the measure that decided.

    Attributes
    ----------
    name : str
        Name of the measure, or id of the claim.
    group : str
        Group of the measure, or the claim's measure; empty: none is named.
    chapter : int or None
        Number of the chapter, where the name alone does not tell.
    """

    name: str
    group: str = ""
    chapter: int | None = None

    @property
    def is_claim(self) -> bool:
        """Whether this is a claim of the ledger."""
        return self.name in CLAIMS

    def __str__(self) -> str:
        """Return it as it is written in a note."""
        number = "" if self.chapter is None else f"{self.chapter}."
        return f"{number}{self.name}" + (f"[{self.group}]" if self.group else "")


@dataclass(frozen=True)
class Placeholder:
    """What stands between two braces.

    Attributes
    ----------
    kind : str
        `value`, `part`, `difference`, `ratio`, `verdict`, `statement`, `ledger`, `ledger of all`,
        `table`, `parameter` or `case`.
    line : int
        Line of the note.
    text : str
        As written.
    references : tuple of Reference
        Measures and claims it asks for.
    part, form, fact : str
        Part of the row, form of the number, fact of the case or name of the parameter.
    digits : int or None
        Decimals.
    with_interval : bool
        Whether the interval stands behind the number.
    """

    kind: str
    line: int
    text: str
    references: tuple[Reference, ...] = ()
    part: str = ""
    form: str = ""
    fact: str = ""
    digits: int | None = None
    with_interval: bool = False


@dataclass(frozen=True)
class Condition:
    """When a text is shown: `is`, `known`, `ran` or `compared`."""

    kind: str
    line: int
    text: str
    references: tuple[Reference, ...] = ()
    verdict: str = ""
    way: str = ""
    number: float | None = None
    chapter: int | None = None


@dataclass
class Choice:
    """Texts of which the first whose condition holds is shown; no condition: else."""

    line: int
    branches: list[tuple[Condition | None, list[Part]]] = field(default_factory=list)


Part = str | Placeholder | Choice
"""A part of a note: text as it stands, a placeholder, or a choice of texts."""


def parse_note(text: str, name: str = "note.md") -> list[Part]:
    """Read a note.

    Parameters
    ----------
    text : str
        The note.
    name : str
        What errors call it.

    Returns
    -------
    list of Part
        In the order of the text.

    Raises
    ------
    CaseError
        With every mistake, each with its line.
    """
    reader = _Reader(name)
    for piece, line in _pieces(text):
        reader.take(piece, line)
    return reader.end()


def _pieces(text: str) -> Iterator[tuple[str | re.Match[str], int]]:
    """Texts and tags in turn, with their lines; a tag of a choice alone on a line takes it all."""
    place = 0
    while (tag := _TAG.search(text, place)) is not None:
        alone = _ALONE.search(text, place)
        found = alone if alone is not None and alone.start() <= tag.start() else tag
        if found.start() > place:
            yield text[place : found.start()], text.count("\n", 0, place) + 1
        yield found, text.count("\n", 0, tag.start()) + 1
        place = found.end()
    if place < len(text):
        yield text[place:], text.count("\n", 0, place) + 1


class _Reader:
    """Takes pieces of a note in turn, and collects what is wrong with them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._problems: list[str] = []
        self._whole: list[Part] = []
        self._open: list[Choice] = []

    def take(self, piece: str | re.Match[str], line: int) -> None:
        """Take a text or a tag."""
        if isinstance(piece, str):
            self._take_text(piece, line)
            return
        inside = " ".join(piece.group("inside").split())
        word, _, rest = inside.partition(" ")
        try:
            if word in ("if", "elif", "else", "end"):
                self._branch(word, rest, line)
            else:
                self._parts.append(_placeholder(inside, line))
        except CaseError as error:
            self._complain(line, str(error))

    def end(self) -> list[Part]:
        """Return the parts, or complain."""
        for choice in self._open:
            self._complain(choice.line, "this {{ if ... }} has no {{ end }}")
        if self._problems:
            raise CaseError(*self._problems)
        return self._whole

    @property
    def _parts(self) -> list[Part]:
        return self._open[-1].branches[-1][1] if self._open else self._whole

    def _take_text(self, text: str, line: int) -> None:
        for brace in ("{{", "}}"):
            before, found, _ = text.partition(brace)
            if found:
                told = "{{ has no }}" if brace == "{{" else "}} has no {{"
                self._complain(line + before.count("\n"), told)
        self._parts.append(text)

    def _branch(self, word: str, rest: str, line: int) -> None:
        """Begin, continue or end a choice."""
        if word == "if":
            choice = Choice(line)
            self._parts.append(choice)
            self._open.append(choice)
        elif not self._open:
            raise CaseError(f"{{{{ {word} }}}} without an {{{{ if ... }}}} before it")
        if word == "end":
            self._open.pop()
            return
        # The branch is there even where its condition is wrong, so that its text has a place.
        branches = self._open[-1].branches
        branches.append((None, []))
        if word != "else":
            branches[-1] = (_condition(rest, line), branches[-1][1])

    def _complain(self, line: int, what: str) -> None:
        self._problems.append(f"{self._name}, line {line}: {what}")


def _placeholder(inside: str, line: int) -> Placeholder:
    kind, found = _match(_PATTERNS, inside, "placeholder")
    groups = found.groupdict()
    if kind == "case":
        return Placeholder(kind, line, inside, fact=_one_of("fact", groups["fact"], CASE_FACTS))
    form, digits = groups.get("form") or "", groups.get("digits")
    _one_of("form", form or FORMS[0], FORMS)
    references = () if kind == "parameter" else _references(groups, claim=kind in _OF_CLAIMS)
    if kind == "table" and references[0].is_claim:
        raise CaseError(f"a claim has no table; write {{{{ ledger {references[0].name} }}}}")
    return Placeholder(
        kind,
        line,
        inside,
        references,
        part=groups.get("part") or "",
        form=form,
        digits=None if digits is None else int(digits),
        fact=groups["one"] if kind == "parameter" else "",
        with_interval=bool(groups.get("interval")),
    )


def _condition(text: str, line: int) -> Condition:
    kind, found = _match(_CONDITIONS, text, "condition")
    groups = found.groupdict()
    number, chapter = groups.get("number"), groups.get("chapter")
    return Condition(
        kind,
        line,
        text,
        _references(groups, claim=kind == "is"),
        verdict=groups.get("verdict") or "",
        way=groups.get("way") or "",
        number=None if number is None else float(number),
        chapter=None if chapter is None else int(chapter),
    )


def _match(patterns: dict[str, re.Pattern[str]], text: str, what: str) -> tuple[str, re.Match[str]]:
    for kind, pattern in patterns.items():
        found = pattern.fullmatch(text)
        if found:
            return kind, found
    raise CaseError(
        f"{{{{ {text} }}}} is no {what}; see the syntax in keycustomer.casework.across.notes, "
        "such as {{ pareto_share[top_20] as percent with interval }}, {{ verdict K1 }} or "
        "{{ if K1 is supported }} ... {{ else }} ... {{ end }}"
    )


def _references(groups: dict[str, str | None], *, claim: bool) -> tuple[Reference, ...]:
    texts = [groups.get(key) for key in ("one", "other")]
    return tuple(_reference(text, claim=claim) for text in texts if text)


def _reference(text: str, *, claim: bool) -> Reference:
    """Read a reference, and refuse a name that no chapter has."""
    before, bracket, group = text.partition("[")
    number, dot, name = before.rpartition(".")
    chapter = int(number) if dot else None
    reference = Reference(name, group.removesuffix("]") if bracket else "", chapter)
    if claim or re.fullmatch(r"[A-Z]\d\w?", name):
        _one_of("claim", name, sorted(CLAIMS))
        return reference
    _known_measure(reference)
    return reference


def _known_measure(reference: Reference) -> None:
    """Refuse a measure, or a group of it, that the vocabulary does not have."""
    if chapters_of(reference):
        return
    without_group = Reference(reference.name, chapter=reference.chapter)
    chapters = chapters_of(without_group)
    if chapters:
        groups = {group for name in chapters for group in MEASURES[name][reference.name].groups}
        _one_of(f"group of {without_group}", reference.group, sorted(groups))
    names = {name for chapter in MEASURES.values() for name in chapter}
    if reference.name in names:
        owners = ", ".join(chapters_of(Reference(reference.name)))
        raise CaseError(
            f"chapter {reference.chapter} has no measure {reference.name!r}; {owners} has it"
        )
    raise CaseError(
        f"no chapter has a measure {reference.name!r}{did_you_mean(reference.name, names)}"
    )


def chapters_of(reference: Reference) -> list[str]:
    """Chapters whose vocabulary has the measure of a reference, and its group if that is closed."""
    return [
        chapter
        for chapter, names in MEASURES.items()
        if reference.name in names
        and reference.chapter in (None, int(chapter.partition("_")[0]))
        and (
            not reference.group
            or reference.group in (names[reference.name].groups or [reference.group])
        )
    ]


def _one_of(what: str, word: str, known: tuple[str, ...] | list[str]) -> str:
    if word not in known:
        raise CaseError(
            f"no {what} {word!r}{did_you_mean(word, known)}; there are: {', '.join(known)}"
        )
    return word
