"""A new case, begun from data files: a case file to be confirmed and a brief to be written.

Question: what is the least a reader must type to have a report on customers of their own?

:func:`begin_case` writes `case.yaml` with what the files say of themselves and `brief.md` with the
questions of a teaching case, and returns what a person must confirm.  Nothing that cannot be known
from the files is filled in: a currency is asked for, not guessed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keycustomer.casework.case import check_name
from keycustomer.casework.errors import CaseError
from keycustomer.casework.project import Project, find_project

if TYPE_CHECKING:
    from keycustomer.customers.reading.proposal import Proposal

# What any YAML reader takes for text without quotes, and for nothing else.
_PLAIN = re.compile(r"[A-Za-z_][\w./%-]*(?: [\w./%-]+)*", re.ASCII)
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True)
class Begun:
    """A case that was begun.

    Attributes
    ----------
    case_file, brief : Path
        The files written.
    questions : tuple of str
        What a person must confirm or fill in.
    """

    case_file: Path
    brief: Path
    questions: tuple[str, ...]


def begin_case(name: str, data: Sequence[Path]) -> Begun:
    """Write the case file and the brief of a new case.

    Parameters
    ----------
    name : str
        Name of the case.
    data : sequence of Path
        Its files, one a table.

    Raises
    ------
    CaseError
        When the name is none, the case exists, or a file cannot be read.
    """
    project = find_project()
    folder = project.casework / check_name(name)
    proposals = [_propose(path, folder) for path in data]
    _check_tables(proposals, data)
    case_file, brief = folder / "case.yaml", folder / "brief.md"
    for path in (case_file, brief):
        if path.exists():
            raise CaseError(f"{path} exists and is not overwritten; choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    _write_new(case_file, "\n".join(_case_lines(name, proposals, project)) + "\n")
    _write_new(brief, _BRIEF.format(title=_title(name)))
    return Begun(case_file, brief, tuple(_questions(proposals)))


def _propose(path: Path, folder: Path) -> Proposal:
    """Look at a file; the proposal has its path as the case file must write it."""
    import dataclasses

    from keycustomer.customers.reading.proposal import propose

    try:
        proposal = propose(path.resolve())
    except (ValueError, OSError) as error:
        raise CaseError(str(error)) from error
    kind = next(iter(proposal.table))
    written = {**proposal.table, kind: _written_path(path.resolve(), folder)}
    return dataclasses.replace(proposal, table=written)


def _written_path(path: Path, folder: Path) -> str:
    """Path relative to the case's folder where it lies in the same project, else absolute."""
    root = folder.parents[1]
    inside = path.is_relative_to(root)
    return Path(os.path.relpath(path, folder)).as_posix() if inside else str(path)


def _check_tables(proposals: Sequence[Proposal], data: Sequence[Path]) -> None:
    names = [proposal.name for proposal in proposals]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        files = ", ".join(
            path.name for path, name in zip(data, names, strict=True) if name == repeated[0]
        )
        raise CaseError(
            f"{files}: both look like the table {repeated[0]}; give one of them, and add the other "
            "to the case file by hand"
        )


def _write_new(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _title(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip().capitalize()


def _case_lines(name: str, proposals: Sequence[Proposal], project: Project) -> Iterator[str]:
    """Lines of the case file."""
    yield from _HEAD.format(title=_scalar(_title(name))).splitlines()
    for proposal in proposals:
        yield from _table_lines(proposal)
    yield from _FOOT.splitlines()
    yield from (f"  - {chapter}" for chapter in project.notebooks)


def _table_lines(proposal: Proposal) -> Iterator[str]:
    yield f"  {proposal.name}:"
    for key, value in proposal.table.items():
        yield from _entry_lines(key, value, 4)
    if proposal.missing and not proposal.table.get("columns"):
        yield "    columns:"
    for needed in proposal.missing:
        yield f"      # {needed}:    # needed: write which column of the file it is"
    if proposal.unmapped:
        columns = ", ".join(map(_scalar, proposal.unmapped))
        yield f"    # not used: {columns}"
    for note in proposal.notes:
        yield f"    # {_one_line(note)}"


def _entry_lines(key: str, value: Any, indent: int) -> Iterator[str]:
    margin = " " * indent
    if isinstance(value, Mapping):
        if value:
            yield f"{margin}{_scalar(key)}:"
        for inner, content in value.items():
            yield from _entry_lines(inner, content, indent + 2)
    elif isinstance(value, list | tuple):
        yield f"{margin}{_scalar(key)}:"
        yield from (f"{margin}  - {_scalar(item)}" for item in value)
    else:
        yield f"{margin}{_scalar(key)}: {_scalar(value)}"


def _scalar(value: object) -> str:
    """Text as YAML: plain where it cannot be taken for anything else, else in double quotes."""
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _questions(proposals: Sequence[Proposal]) -> Iterator[str]:
    yield "`currency`: the one currency of all amounts; it is left empty, since no file says it"
    yield "`time_zone`, and `identifiable`: whether reports may name customers"
    for proposal in proposals:
        mapped = proposal.table.get("columns", {})
        pairs = ", ".join(f"{ours} is {theirs!r}" for ours, theirs in mapped.items())
        yield f"{proposal.name}: {pairs or 'the columns bear our names already'}"
        for needed in proposal.missing:
            yield f"{proposal.name}: no column was found for {needed}, which is needed"
        if proposal.unmapped:
            yield f"{proposal.name}: not used are {', '.join(map(repr, proposal.unmapped))}"
        for note in proposal.notes:
            yield f"{proposal.name}: {_one_line(note)}"


_HEAD = """\
# What this case's data are and what is run on them. A key or value that does not fit is refused
# with its line. Lines to confirm are marked; the README explains every key ("Your own data").

title: {title}
# One or two sentences on what the data are and whether they are real; they stand on every report.
data: ""

# CONFIRM: the one currency of all amounts, such as EUR. It has to be filled in.
currency:

# CONFIRM: the time zone whose calendar days count, such as Europe/Berlin.
time_zone: UTC

# CONFIRM: whether reports may show customers' own ids and names. With false they appear under
# pseudonyms, and groups of fewer than minimum_cell customers are withheld.
identifiable: false
minimum_cell: 5

# The days the data cover; without these lines, the first and the last day seen.
# observed:
#   start: 2024-01-01
#   end: 2024-12-31

# Assumptions where the data hold no cost; without them nothing is said about profit.
# economics:
#   margin: 0.3          # gross margin at list price, share
#   cost_per_order: 2.0  # handling one order, in the currency

tables:
"""

_FOOT = """\

# What is done with lines a check has found; `keycustomer check` names the rules that apply.
# rules:
#   returns: net
#   duplicate_line: drop

# Values for the notebooks' parameters, by chapter.
# parameters:
#   1_pareto_analysis:
#     draws: 1000

chapters:
"""

_BRIEF = """\
# {title}

## The situation

Who is the company, what has happened, who has to decide what until when?

## The questions

1. Can the customer file be trusted: who is in it, what is missing, what had to be left out?
2. How much of the revenue do the best customers bring, and how sure is that?
3. Which customers would you name first, and what would you do for them tomorrow?

## The data

What is one line, where does it come from, which days does it cover, what is excluded and why?

## Honest limits

What do the data not show, and which figures rest on assumptions?
"""
