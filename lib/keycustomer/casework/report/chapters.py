"""A notebook as a chapter of the report.

Question: what of a notebook does a reader want who will never run it?

:func:`read_chapters` keeps the text and what the cells have shown; code is folded behind one line
a step, exercises with their solutions are folded, instructor's notes are left out, headings get
ids that are unique in the whole page.  A notebook that failed ends with its error.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from keycustomer.casework.report.outputs import joined, render_output
from keycustomer.casework.report.prose import render

_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
_MARKUP = re.compile(r"<math\b.*?</math>|<[^>]*>", re.DOTALL)
_NOT_IN_IDS = re.compile(r"[^\w]+")
_CLAIMS = re.compile(r"\n>[ \t]*(?=\*\*)")
_ATTACHMENT = re.compile(r"\]\(attachment:([^)\s]+)\)")
_FIGURE = "<figure>"
_SECTION = re.compile(r"<h[123]>")


@dataclass(frozen=True)
class Heading:
    """A heading of the table of contents.

    Attributes
    ----------
    identifier : str
        Id of the element.
    markup : str
        What it says, as clean HTML without links.
    """

    identifier: str
    markup: str


@dataclass(frozen=True)
class Chapter:
    """A chapter of the report.

    Attributes
    ----------
    name : str
        Name of the notebook, without its ending.
    heading : Heading
        Its title.
    sections : tuple of Heading
        Its sections.
    body : str
        Clean HTML.
    failed : bool
        Whether the notebook ended with an error.
    """

    name: str
    heading: Heading
    sections: tuple[Heading, ...]
    body: str
    failed: bool


@dataclass
class _Step:
    """Text, or the outputs of a cell with the code that led to them."""

    fold: str
    markup: str
    failed: bool = False


@dataclass
class _Numbering:
    """Ids given so far in the page, and the figures of a chapter."""

    taken: set[str]
    prefix: str
    figures: int = 0
    sections: list[Heading] = field(default_factory=list)

    def identifier(self, text: str) -> str:
        """Give an id that no other element has."""
        stem = f"{self.prefix}-{_NOT_IN_IDS.sub('-', text.lower()).strip('-')[:60]}".strip("-")
        candidate, count = stem, 1
        while candidate in self.taken:
            count += 1
            candidate = f"{stem}-{count}"
        self.taken.add(candidate)
        return candidate


def chapter_id(name: str) -> str:
    """Id of a chapter by the name of its notebook."""
    return "chapter-" + _NOT_IN_IDS.sub("-", name).strip("-")


def read_chapters(notebooks: Sequence[Path], failed: Iterable[str] = ()) -> list[Chapter]:
    """Read executed notebooks as chapters.

    Parameters
    ----------
    notebooks : sequence of Path
        Notebooks of format 4, in reading order.
    failed : iterable of str
        Names of chapters known to have failed; others fail by an error among their outputs.

    Returns
    -------
    list of Chapter
    """
    links = {path.name: f"#{chapter_id(path.stem)}" for path in notebooks}
    taken = {chapter_id(path.stem) for path in notebooks}
    known = set(failed)
    return [_chapter(path, links, taken, path.stem in known) for path in notebooks]


def _chapter(path: Path, links: Mapping[str, str], taken: set[str], failed: bool) -> Chapter:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    identifier = chapter_id(path.stem)
    numbering = _Numbering(taken, identifier.removeprefix("chapter-"))
    steps, stopped = _steps(notebook.get("cells", []), links)
    body = "".join(_folded(fold, list(group)) for fold, group in groupby(steps, _group))
    title, body = _split_title(body, path.stem.replace("_", " "))
    body = _HEADING.sub(lambda found: _anchored(found, numbering), body)
    body = _numbered_figures(body)
    return Chapter(
        name=path.stem,
        heading=Heading(identifier, title),
        sections=tuple(numbering.sections),
        body=body,
        failed=stopped or failed,
    )


def _group(step: _Step) -> str:
    """Exercises and their solutions are folded together."""
    return "exercise" if step.fold else ""


def _steps(
    cells: Sequence[Mapping[str, Any]], links: Mapping[str, str]
) -> tuple[list[_Step], bool]:
    """Return a notebook's steps, up to an error, and whether there was one."""
    steps: list[_Step] = []
    code = _Code()
    for cell in cells:
        metadata = cell.get("metadata") or {}
        tags = set(metadata.get("tags") or ())
        if "papermill-error-cell-tag" in tags or _slide(metadata) == "notes":
            continue
        fold = next((tag for tag in ("solution", "exercise") if tag in tags), "")
        if cell.get("cell_type") == "markdown":
            markup = render(_author_text(cell, tags), links=links)
            if fold or _SECTION.search(markup):
                steps += code.flushed()
            steps.append(_Step(fold, markup))
        elif cell.get("cell_type") == "code":
            step = code.step(cell, fold, shown="remove-input" not in tags)
            steps.append(step)
            if step.failed:
                return [*steps, *code.flushed()], True
    return [*steps, *code.flushed()], False


def _slide(metadata: Mapping[str, Any]) -> str:
    return str((metadata.get("slideshow") or {}).get("slide_type") or "")


def _author_text(cell: Mapping[str, Any], tags: set[str]) -> str:
    """Markdown of a cell, its attachments in place and its claims on lines of their own."""
    text = joined(cell.get("source"))
    attachments = cell.get("attachments") or {}

    def inlined(found: re.Match[str]) -> str:
        for mime, content in (attachments.get(found.group(1)) or {}).items():
            return f"](data:{mime};base64,{''.join(joined(content).split())})"
        return found.group()

    text = _ATTACHMENT.sub(inlined, text)
    return _CLAIMS.sub("\n>\n> ", text) if "claim" in tags else text


class _Code:
    """Collects the code of a section, so that it folds into one line at the section's end."""

    def __init__(self) -> None:
        self.sources: list[str] = []

    def step(self, cell: Mapping[str, Any], fold: str, *, shown: bool) -> _Step:
        """Take a code cell; an exercise's code stands where it is, since all of it is folded."""
        source = joined(cell.get("source")).strip("\n") if shown else ""
        outputs = cell.get("outputs") or []
        markup = "".join(map(render_output, outputs))
        failed = any(output.get("output_type") == "error" for output in outputs)
        if fold and source.strip():
            markup = _block(source) + markup
        elif source.strip():
            self.sources.append(source)
        return _Step(fold, f'<div class="step">{markup}</div>' if markup else "", failed)

    def flushed(self) -> list[_Step]:
        """Return a step with the code collected, folded, and forget it."""
        sources, self.sources = self.sources, []
        if not sources:
            return []
        blocks = "".join(map(_block, sources))
        return [_Step("", f'<details class="code"><summary>Code</summary>{blocks}</details>')]


def _block(source: str) -> str:
    return f"<pre><code>{_highlight()(source)}</code></pre>"


@cache
def _highlight() -> Callable[[str], str]:
    """Highlighter of Python, with classes only."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    lexer, formatter = PythonLexer(), HtmlFormatter(nowrap=True, classprefix="py-")
    return lambda source: str(highlight(source, lexer, formatter)).rstrip("\n")


def _folded(group: str, steps: list[_Step]) -> str:
    """Markup of steps that follow each other; exercises folded, their solutions within them."""
    if not group:
        return "".join(step.markup for step in steps)
    parts = []
    for fold, same in groupby(steps, lambda step: step.fold):
        markup = "".join(step.markup for step in same)
        if fold == "solution":
            markup = f'<details class="solution"><summary>Solution</summary>{markup}</details>'
        parts.append(markup)
    shown = " open" if any(step.failed for step in steps) else ""
    return (
        f'<details class="exercises"{shown}><summary>Exercises and solutions</summary>'
        f"{''.join(parts)}</details>"
    )


def _split_title(body: str, default: str) -> tuple[str, str]:
    """Take the first heading of the first level out as the chapter's title."""
    for found in _HEADING.finditer(body):
        if found.group(1) == "1":
            return _without_links(found.group(2)), body[: found.start()] + body[found.end() :]
    return html.escape(default), body


def _anchored(found: re.Match[str], numbering: _Numbering) -> str:
    """Heading one level lower, with an id; those of the second level enter the contents."""
    level, markup = int(found.group(1)), _without_links(found.group(2))
    identifier = numbering.identifier(_plain(markup))
    if level <= 2:
        numbering.sections.append(Heading(identifier, markup))
    lower = min(level + 1, 6)
    return f'<h{lower} id="{html.escape(identifier)}">{markup}</h{lower}>'


def _without_links(markup: str) -> str:
    return re.sub(r"</?a\b[^>]*>|<img\b[^>]*>", "", markup).strip()


def _plain(markup: str) -> str:
    """Text of clean markup, without equations."""
    return html.unescape(_MARKUP.sub(" ", markup))


def _numbered_figures(body: str) -> str:
    """Give each figure of a chapter a number, so that a reader can point at it."""
    pieces = body.split(_FIGURE)
    return pieces[0] + "".join(
        _FIGURE
        + piece.replace("</figure>", f"<figcaption>Figure {number}</figcaption></figure>", 1)
        for number, piece in enumerate(pieces[1:], start=1)
    )
