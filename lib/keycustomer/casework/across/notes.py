"""An instructor's note on a case: a text whose every number is filled in from the case's results.

Question: how does a note on the answers stay true when the data, the seed or a method changes?

`casework/<case>/note.md` is Markdown with placeholders; each run of the case fills it into
`output/note.html`, an offline page for instructors.  A measure, claim or group that cannot be is
refused with its line; one whose chapter did not run is said to be missing where it stands.

Numbers (a number stands as the report writes its unit: shares in percent):

- ``{{ gini }}``, ``{{ pareto_share[top_20] }}``: the estimate of a measure, of one of its groups.
- ``{{ K1[pareto_share_of_profit] }}``: the estimate that decided a claim; the measure may be left
  out where a claim has one verdict only.
- ``{{ 3.plan_promised[today] }}``: the chapter, where two chapters report a measure of one name.
- ``{{ wtp[price] as money }}``: forms are `percent`, `points` (percentage points), `number`,
  `whole`, `money`; with decimals: ``as percent 0``, ``as number 3``.
- ``{{ gini as number 2 with interval }}``: 0.61 (0.58 to 0.64), or "(no interval)".
- ``{{ interval gini }}``, ``{{ lower gini }}``, ``{{ upper gini }}``, ``{{ truth wtp[price] }}``,
  ``{{ n gini }}``: parts of the row; forms as above.
- ``{{ difference plan_promised[optimised], plan_promised[today] as money }}``,
  ``{{ ratio A, B as percent }}``: of two estimates, without an interval, since they may depend on
  each other.
- ``{{ parameter 3.budget_share as percent }}``: a parameter of a chapter's run;
  ``{{ case title }}``, also `name`, `data`, `currency`, `start`, `end`, `chapters`.

Verdicts (a claim decided by several measures needs one in brackets, but for `ledger`):

- ``{{ verdict K1[pareto_share] }}``: supported, not supported or undecided.
- ``{{ statement K1[pareto_share] }}``: the claim in one line.
- ``{{ ledger K1 }}``: each row of a claim: statement, verdict, estimate and interval.
- ``{{ ledger }}``: the whole ledger as a table; ``{{ table driver_importance }}``: all groups of a
  measure as a table.  Both stand alone between blank lines.

Texts that depend on what came out (the tags alone on a line, or within one; they nest)::

    {{ if K1[pareto_share] is supported }}
    The rule of thumb holds here.
    {{ elif pareto_share[top_20] above 0.6 }}
    It does not hold, but a few customers carry the firm.
    {{ else }}
    It does not hold.
    {{ end }}

Conditions: ``CLAIM is supported`` (`not supported`, `undecided`); ``A above B`` and ``A below B``
(estimates; B a number or another reference); ``known A`` (an estimate is there); ``ran 3`` (the
chapter ran).  Where a condition cannot be decided, the reason stands instead of the text.

Digits outside placeholders are for ids, numbers of exercises and years of sources only:
:func:`keycustomer.casework.across.numerals.typed_numbers` finds the others.

- :mod:`keycustomer.casework.across.note_file` finds mistakes that no results can mend, before
  anything runs.
- :func:`fill_note`: a text and results make a :class:`FilledNote`; :func:`write_note` its page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from keycustomer.casework.across.note_file import NOTE, PAGE, note_hash, read_note
from keycustomer.casework.across.note_syntax import Choice, Part, Placeholder, parse_note
from keycustomer.casework.across.note_values import Answers, NotComputed
from keycustomer.casework.across.outputs import read_output
from keycustomer.casework.across.page import Verdict
from keycustomer.casework.case import load_case
from keycustomer.casework.crate import METADATA_FILE, crate
from keycustomer.casework.errors import CaseError
from keycustomer.casework.files import write_json
from keycustomer.casework.record import outputs
from keycustomer.casework.report.front import day
from keycustomer.casework.report.templates import render_page

# Private characters that frame a value's number on its way through Markdown and cleaning.
_OPEN, _CLOSE = "\ue100", "\ue101"
_PLACE = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_PRIVATE = re.compile("[\ue100-\ue101]")
_ALONE = re.compile(f"<p>\\s*({_OPEN}[0-9]+{_CLOSE})\\s*</p>")
_EQUATION = re.compile(r"<math\b.*?</math>", re.DOTALL)
_TITLE = re.compile(r"\s*<h1>(.*?)</h1>", re.DOTALL)
_HEADING = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)
_LONG = ' class="long"'
_LONGEST = 40
_BLOCKS = ("ledger of all", "table")


@dataclass(frozen=True)
class FilledSection:
    """A part of a filled note: its heading and its content as HTML; no heading before the first."""

    heading: str
    content: str = field(repr=False)


@dataclass(frozen=True, eq=False)
class FilledNote:
    """A note with its placeholders filled.

    Attributes
    ----------
    title : str
        Its heading as HTML.
    sections : tuple of FilledSection
        Its text.
    values : DataFrame
        One row a placeholder that was shown: line, placeholder, shown, missing (why there is no
        value; empty where there is one).
    source : str
        Hash of the text.
    """

    title: str
    sections: tuple[FilledSection, ...]
    values: pd.DataFrame = field(repr=False)
    source: str = field(repr=False)

    @property
    def missing(self) -> pd.DataFrame:
        """Placeholders that no value could fill."""
        return self.values[self.values["missing"] != ""]


def fill_note(text: str, results: Mapping[str, Any], name: str = NOTE) -> FilledNote:
    """Fill the placeholders of a note.

    Parameters
    ----------
    text : str
        The note.
    results : mapping
        Content of `results.json`.
    name : str
        What complaints call it.

    Returns
    -------
    FilledNote

    Raises
    ------
    CaseError
        With every mistake and its line: braces and syntax, unknown measures, claims and groups,
        several rows where one is asked for.
    """
    from keycustomer.casework.report.prose import render

    parts = parse_note(_PRIVATE.sub("", text), name)
    filler = _Filler(Answers(results), name)
    markdown = filler.join(parts)
    if filler.problems:
        raise CaseError(*filler.problems)
    markup = filler.put_back(_ALONE.sub(r"\1", render(markdown, links={})))
    if filler.problems:
        raise CaseError(*filler.problems)
    title = _TITLE.match(markup)
    named = title.group(1) if title else html.escape(str(results["case"].get("title") or "Note"))
    body = markup[title.end() :] if title else markup
    columns = ["line", "placeholder", "shown", "missing"]
    values = pd.DataFrame(filler.rows, columns=columns).sort_values("line", kind="stable")
    return FilledNote(named, _sections(body), values.reset_index(drop=True), note_hash(text))


def write_note(
    folder: Path, results: Mapping[str, Any], path: Path, *, report: str = "report.html"
) -> FilledNote | None:
    """Fill the note of a case into a page, where the case has one.

    Parameters
    ----------
    folder : Path
        Folder of the case.
    results : mapping
        Content of `results.json`.
    path : Path
        The page.
    report : str
        Where the page's link to the report leads.

    Returns
    -------
    FilledNote or None
        None: the case has no note.

    Raises
    ------
    CaseError
        With every mistake of the note.
    """
    note = folder / NOTE
    if not note.is_file():
        return None
    filled = fill_note(read_note(note), results)
    path.write_text(_page(filled, results, report), encoding="utf-8", newline="\n")
    return filled


def fill_case_note(case: str, output: Path | None = None) -> tuple[Path, FilledNote]:
    """Fill the note of a case that has been run into its output folder.

    Parameters
    ----------
    case : str
        Name or path of the case.
    output : Path, optional
        Folder under which runs wrote, as in `keycustomer run --output`.

    Returns
    -------
    page : Path
    filled : FilledNote

    Raises
    ------
    CaseError
        When the case has no note or no results, or with every mistake of the note.
    """
    loaded = load_case(case)
    folder = loaded.folder / "output" if output is None else output / loaded.name
    results = read_output(folder).results
    filled = write_note(loaded.folder, results, folder / PAGE)
    if filled is None:
        raise CaseError(f"{loaded.folder / NOTE} is missing; write the note first")
    # The record of the output's files has the page's size.
    record = crate(results["case"], results["run"], outputs(folder))
    write_json(folder / METADATA_FILE, record)
    return folder / PAGE, filled


class _Filler:
    """Puts a mark for each value into the text, and its HTML for the mark afterwards."""

    def __init__(self, answers: Answers, name: str) -> None:
        self._answers = answers
        self._name = name
        self._markup: list[str] = []
        self.rows: list[tuple[int, str, str, str]] = []
        self.problems: list[str] = []

    def join(self, parts: Sequence[Part]) -> str:
        """Markdown with marks for values."""
        return "".join(self._one(part) for part in parts)

    def put_back(self, markup: str) -> str:
        """HTML with values for marks."""
        present = set(map(int, _PLACE.findall(_EQUATION.sub("", markup))))
        for number, (line, placeholder, _, _) in enumerate(self.rows):
            if number not in present:
                self._complain(
                    line,
                    f"{{{{ {placeholder} }}}} stands in an equation or a link; "
                    "move it into the text",
                )
        return _PLACE.sub(lambda found: self._markup[int(found.group(1))], markup)

    def _one(self, part: Part) -> str:
        if isinstance(part, str):
            return part
        try:
            return self._choose(part) if isinstance(part, Choice) else self._value(part)
        except CaseError as error:
            self._complain(part.line, str(error))
            return ""

    def _choose(self, choice: Choice) -> str:
        """Text of the first branch whose condition holds; all are checked."""
        taken: list[Part] | str = []
        found = False
        for condition, parts in choice.branches:
            self._check(parts)
            try:
                holds = condition is None or self._answers.holds(condition)
            except NotComputed as why:
                text = "" if condition is None else f"if {condition.text}"
                if not found:
                    taken, found = self._missing(choice.line, text, str(why)), True
                continue
            if holds and not found:
                taken, found = parts, True
        return taken if isinstance(taken, str) else self.join(taken)

    def _check(self, parts: Sequence[Part]) -> None:
        """Refuse what cannot be also in a text that is not shown."""
        aside = _Filler(self._answers, self._name)
        aside.join(parts)
        self.problems += [one for one in aside.problems if one not in self.problems]

    def _value(self, asked: Placeholder) -> str:
        try:
            if asked.kind in _BLOCKS:
                return self._block(asked)
            if asked.kind == "ledger":
                rows = self._answers.verdicts(asked.references[0])
                lines = [_verdict_text(self._answers, row) for row in rows]
                return self._put(asked.line, asked.text, "; ".join(lines))
            return self._put(asked.line, asked.text, self._answers.text(asked))
        except NotComputed as why:
            return self._missing(asked.line, asked.text, str(why))

    def _put(self, line: int, placeholder: str, text: str) -> str:
        escaped = html.escape(text)
        return self._mark(
            line,
            placeholder,
            text,
            f'<span class="filled" title="{html.escape(placeholder)}">{escaped}</span>',
        )

    def _missing(self, line: int, placeholder: str, why: str) -> str:
        told = f'<span class="missing">[{html.escape(placeholder)}: {html.escape(why)}]</span>'
        return self._mark(line, placeholder, "", told, why)

    def _mark(self, line: int, placeholder: str, shown: str, markup: str, why: str = "") -> str:
        self.rows.append((line, placeholder, shown, why))
        self._markup.append(markup)
        return f"{_OPEN}{len(self._markup) - 1}{_CLOSE}"

    def _block(self, asked: Placeholder) -> str:
        answers = self._answers
        if asked.kind == "table":
            rows = answers.rows(asked.references[0])
            markup = _measure_table(answers, asked, rows)
        else:
            rows = answers.all_verdicts()
            markup = _ledger_table(answers, rows)
        return self._mark(asked.line, asked.text, f"{len(rows)} rows", markup)

    def _complain(self, line: int, what: str) -> None:
        self.problems.append(f"{self._name}, line {line}: {what}")


def _verdict_text(answers: Answers, row: Mapping[str, Any]) -> str:
    number, interval = answers.verdict_line(row)
    told = f"{row['measure']} {number}" + (f", {interval}" if interval else "")
    return f"{row['statement']}: {row['verdict']} ({told})"


def _ledger_table(answers: Answers, rows: Sequence[Mapping[str, Any]]) -> str:
    cells = [
        (
            row["claim"],
            row["statement"],
            Verdict(row["verdict"]),
            *answers.verdict_line(row),
            row["measure"],
        )
        for row in rows
    ]
    heads = ("claim", "in one line", "verdict", "estimate", "interval", "measure")
    return _table("Evidence ledger", heads, cells)


def _measure_table(answers: Answers, asked: Placeholder, rows: Sequence[Mapping[str, Any]]) -> str:
    heads = ["group", "estimate", "interval"]
    with_truth = any(row["truth"] is not None for row in rows)
    cells = []
    for row in rows:
        truth = "" if row["truth"] is None else answers.number(row["truth"], row)
        last = [truth] if with_truth else []
        cells.append([row["group"] or "all", *answers.verdict_line(row), *last])
    caption = f"{asked.references[0].name}, {rows[0]['unit']}"
    return _table(caption, [*heads, "truth"] if with_truth else heads, cells)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Table as HTML, every cell escaped, within a frame that scrolls."""
    said = html.escape(caption)
    head = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{html.escape(str(row[0]))}</th>'
        + "".join(f"<td{_LONG if _is_long(cell) else ''}>{_cell(cell)}</td>" for cell in row[1:])
        + "</tr>\n"
        for row in rows
    )
    return (
        f'<div class="frame" role="region" tabindex="0" aria-label="{said}"><table>\n'
        f"<caption><span>{said}</span></caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table></div>"
    )


def _is_long(cell: Any) -> bool:
    """Whether a cell is a text that needs a wide column, as on other pages."""
    return isinstance(cell, str) and len(cell) > _LONGEST


def _cell(value: Any) -> str:
    if isinstance(value, Verdict):
        kind = {"supported": "yes", "not supported": "no"}.get(value.text, "open")
        return f'<span class="verdict {kind}">{html.escape(value.text)}</span>'
    return html.escape(str(value))


def _sections(body: str) -> tuple[FilledSection, ...]:
    """Cut a text at its headings of the second order."""
    before, *rest = _HEADING.split(body)
    sections = [FilledSection("", before.strip())] if before.strip() else []
    sections += [
        FilledSection(heading, content.strip())
        for heading, content in zip(rest[::2], rest[1::2], strict=True)
    ]
    return tuple(sections)


def _page(filled: FilledNote, results: Mapping[str, Any], report: str) -> str:
    """Return the page of a filled note."""
    case, run = results["case"], results["run"]
    # Headings and texts have been cleaned, and values in them escaped.
    return render_page(
        "across/note.html.j2",
        note=filled,
        case=case,
        made=day(run.get("ended") or run.get("started") or ""),
        report=report,
        values=filled.values.to_dict("records"),
        missing=len(filled.missing),
    )
