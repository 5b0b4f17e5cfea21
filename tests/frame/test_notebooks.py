"""The notebooks keep the form that course, slides, nbval and papermill rely on.

The rules are functions from a notebook to complaints, so that they are themselves tried on
notebooks that break them.
"""

import ast
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import papermill
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = [
    "0_customer_file",
    "1_pareto_analysis",
    "2_value_dimensions",
    "3_relationship_levels",
    "4_pricing_elasticity",
    "5_marketing_strategy",
]

TAGS = {
    "parameters",
    "injected-parameters",
    "setup",
    "question",
    "by-hand",
    "exercise",
    "solution",
    "keep_output",
    "nbval-check-output",
    "nbval-skip",
    "remove-input",
    "claim",
    "ledger",
    "results",
    "interactive",
}
# Tags that every chapter has somewhere: its anatomy.
ANATOMY = {
    "parameters",
    "claim",
    "question",
    "by-hand",
    "exercise",
    "solution",
    "ledger",
    "results",
}
OPENING = ("you will be able to", "prerequisites", "previous", "next")
HEADINGS = ("exercises", "evidence", "further reading")
SLIDES = {"slide", "subslide", "fragment", "notes", "skip", "-"}

LONGEST_CELL = 15  # lines of code; what is longer belongs in the library
MEDIAN_CELL = 5
LONGEST_TEXT = 250  # words of one text cell
FEWEST_CHECKED = 3  # outputs that nbval compares, in a notebook
FEWEST_EXERCISES = 3

PARAMETER = re.compile(r"[a-z][a-z0-9_]*: [a-z][a-z0-9_\[\], |]* = .*?  # \w.*")
NOT_IN_LESSONS = ("sys.path", "filterwarnings", "plt.show", "rcParams", "!pip", "%pip")


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def cells(book: NotebookNode, kind: str = "code", tag: str | None = None) -> list[NotebookNode]:
    return [c for c in book.cells if c.cell_type == kind and (tag is None or tag in tags(c))]


def named(number: int, cell: NotebookNode) -> str:
    first = cell.source.strip().splitlines() or ["(empty)"]
    return f"cell {number} ({first[0][:40]})"


def schema(book: NotebookNode) -> Iterator[str]:
    try:
        nbformat.validate(book)
    except nbformat.ValidationError as error:
        yield str(error).splitlines()[0]
    if (book.nbformat, book.nbformat_minor) < (4, 5):
        yield "older than format 4.5: its cells have no ids"
    if book.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "kernelspec is not python3"
    if "language" not in book.metadata.get("kernelspec", {}) and not book.metadata.get(
        "language_info", {}
    ).get("name"):
        yield "papermill finds no language in the metadata"


def vocabulary(book: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(book.cells):
        for tag in sorted(tags(cell) - TAGS):
            yield f"{named(number, cell)} has the unknown tag {tag!r}"
        if ("keep_output" in tags(cell)) != ("nbval-check-output" in tags(cell)):
            yield f"{named(number, cell)} has only one of keep_output and nbval-check-output"
        if "injected-parameters" in tags(cell):
            yield f"{named(number, cell)} was injected by a run"


def slides(book: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(book.cells):
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if kind not in SLIDES:
            yield f"{named(number, cell)} has the slide type {kind!r}"


def stripped(book: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(book.cells):
        if cell.cell_type != "code":
            continue
        if "keep_output" not in tags(cell):
            if cell.outputs:
                yield f"{named(number, cell)} keeps an output"
        elif not cell.outputs or cell.execution_count is None:
            # nbval compares nothing with a cell that has no execution count.
            yield f"{named(number, cell)} has no output that nbval could compare"
        elif any("text/plain" not in out.get("data", {"text/plain": ""}) for out in cell.outputs):
            yield f"{named(number, cell)} keeps more than text"


def length(book: NotebookNode) -> Iterator[str]:
    lines = []
    for number, cell in enumerate(book.cells):
        if cell.cell_type == "code":
            lines.append(len([line for line in cell.source.splitlines() if line.strip()]))
            if lines[-1] > LONGEST_CELL:
                yield f"{named(number, cell)} has {lines[-1]} lines"
        elif (words := len(cell.source.split())) > LONGEST_TEXT:
            yield f"{named(number, cell)} has {words} words"
    if lines and statistics.median(lines) > MEDIAN_CELL:
        yield f"the median cell has {statistics.median(lines)} lines"


def parameters(book: NotebookNode) -> Iterator[str]:
    found = cells(book, tag="parameters")
    if len(found) != 1:
        yield f"{len(found)} parameters cells"
        return
    for line in filter(str.strip, found[0].source.splitlines()):
        if not PARAMETER.fullmatch(line):
            yield f"not of the form `name: type = value  # meaning, unit`: {line}"
        elif ": float" in line and "," not in line.partition("  # ")[2]:
            yield f"a measure without its unit: {line}"


def anatomy(book: NotebookNode) -> Iterator[str]:
    present = {tag for cell in book.cells for tag in tags(cell)}
    yield from (f"no cell is tagged {tag}" for tag in sorted(ANATOMY - present))
    if not book.cells or not book.cells[0].source.startswith("# "):
        yield "the first cell is no title"
    opening = "\n".join(cell.source for cell in book.cells[:6]).lower()
    yield from (f"the opening does not say {text!r}" for text in OPENING if text not in opening)
    if not re.search(r"\b[KTRMV]\d", "\n".join(cell.source for cell in book.cells[:6])):
        yield "the opening names no claim of the course"
    headings = re.findall(r"(?m)^##+ (.*)$", "\n".join(c.source for c in cells(book, "markdown")))
    for text in HEADINGS:
        if not any(text in heading.lower() for heading in headings):
            yield f"no heading says {text!r}"
    code = cells(book)
    if not code or "results" not in tags(code[-1]) or ".save()" not in code[-1].source:
        yield "the last code cell does not write the results (tag results, .save())"


def exercises(book: NotebookNode) -> Iterator[str]:
    numbered = {
        number
        for cell in cells(book, "markdown", "exercise")
        for number in re.findall(r"\b(\d\.\d+)\b", cell.source.splitlines()[0])
    }
    checked = {n for c in cells(book) for n in re.findall(r"check\(\s*[\"'](\d\.\d+)", c.source)}
    if len(numbered) < FEWEST_EXERCISES:
        yield f"{len(numbered)} numbered exercises"
    for number in sorted(numbered ^ checked):
        yield f"exercise {number} has {'no check' if number in numbered else 'no text'}"
    for number, cell in enumerate(book.cells):
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
        if cell.cell_type == "code" and "solution" in tags(cell) and not hidden:
            yield f"{named(number, cell)} is a solution that is not folded"


def checked_outputs(book: NotebookNode) -> Iterator[str]:
    number = len(cells(book, tag="nbval-check-output"))
    if number < FEWEST_CHECKED:
        yield f"{number} outputs are compared by nbval"


def lessons(book: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(book.cells):
        if cell.cell_type == "code":
            for text in NOT_IN_LESSONS:
                if text in cell.source:
                    yield f"{named(number, cell)} uses {text}"


RULES = [
    schema,
    vocabulary,
    slides,
    stripped,
    length,
    parameters,
    anatomy,
    exercises,
    checked_outputs,
    lessons,
]


def test_the_chapters_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == CHAPTERS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_notebook_keeps_the_form(path: Path, rule: Callable[[NotebookNode], Iterator[str]]) -> None:
    assert list(rule(nbformat.read(path, as_version=4))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_papermill_sees_every_parameter(path: Path) -> None:
    (cell,) = cells(nbformat.read(path, as_version=4), tag="parameters")
    stated = [node.target.id for node in ast.parse(cell.source).body]
    inspected = papermill.inspect_notebook(path)
    assert list(inspected) == stated
    assert [name for name in stated if not inspected[name]["help"]] == []


def toy() -> NotebookNode:
    """Build the smallest notebook that keeps every rule."""

    def text(source: str, *tagged: str) -> NotebookNode:
        metadata = {"tags": list(tagged), "slideshow": {"slide_type": "slide"}}
        return new_markdown_cell(source, metadata=metadata)

    def code(source: str, *tagged: str, **more: object) -> NotebookNode:
        metadata = {"tags": list(tagged), "slideshow": {"slide_type": "-"}, **more}
        return new_code_cell(source, metadata=metadata)

    def kept(source: str) -> NotebookNode:
        cell = code(source, "keep_output", "nbval-check-output", "by-hand")
        cell.execution_count = 1
        cell.outputs = [new_output("execute_result", {"text/plain": "2"}, execution_count=1)]
        return cell

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = new_notebook(metadata={"kernelspec": kernel})
    book.cells = [
        text("# Chapter\nYou will be able to ... Prerequisites ... Previous / next"),
        text("K1: a fifth brings four fifths", "claim"),
        code('case: str = "cdnow"  # customer base, name of a case', "parameters"),
        text("How much?", "question"),
        *(kept("1 + 1") for _ in range(FEWEST_CHECKED)),
        text("## Exercises"),
        *(text(f"### 1.{n} Count", "exercise") for n in range(FEWEST_EXERCISES)),
        *(code(f'check("1.{n}", ...)', "exercise") for n in range(FEWEST_EXERCISES)),
        code("answer = 2", "solution", jupyter={"source_hidden": True}),
        text("## What the evidence says", "ledger"),
        text("## Further reading"),
        code("chapter.save()", "results"),
    ]
    return book


def test_a_sound_notebook_raises_no_complaint() -> None:
    book = toy()
    assert [complaint for rule in RULES for complaint in rule(book)] == []


def spoil_cell(cell: NotebookNode, **changes: object) -> None:
    for name, value in changes.items():
        setattr(cell, name, value)


SPOILED: list[tuple[Callable, Callable[[NotebookNode], object], str]] = [
    (schema, lambda b: b.cells[2].pop("outputs"), "'outputs' is a required property"),
    (schema, lambda b: b.metadata.clear(), "kernelspec is not python3"),
    (schema, lambda b: b.metadata.kernelspec.pop("language"), "papermill finds no language"),
    (vocabulary, lambda b: b.cells[3].metadata.tags.append("qeustion"), "unknown tag 'qeustion'"),
    (vocabulary, lambda b: b.cells[4].metadata.tags.remove("keep_output"), "only one of"),
    (slides, lambda b: b.cells[3].metadata.pop("slideshow"), "slide type None"),
    (stripped, lambda b: b.cells[4].metadata.tags.clear(), "keeps an output"),
    (stripped, lambda b: spoil_cell(b.cells[4], execution_count=None), "no output that nbval"),
    (stripped, lambda b: b.cells[4].outputs[0].data.clear(), "keeps more than text"),
    (length, lambda b: spoil_cell(b.cells[4], source="1\n" * 16), "has 16 lines"),
    (length, lambda b: [spoil_cell(c, source="1\n" * 6) for c in b.cells], "median cell has 6"),
    (length, lambda b: spoil_cell(b.cells[3], source="why " * 251), "has 251 words"),
    (parameters, lambda b: b.cells.pop(2), "0 parameters cells"),
    (parameters, lambda b: spoil_cell(b.cells[2], source="top = 0.2"), "not of the form"),
    (parameters, lambda b: spoil_cell(b.cells[2], source="top: float = 0.2  # the top"), "unit"),
    (anatomy, lambda b: b.cells.pop(3), "no cell is tagged question"),
    (anatomy, lambda b: b.cells.pop(0), "the first cell is no title"),
    (anatomy, lambda b: b.cells.pop(), "does not write the results"),
    (anatomy, lambda b: b.cells.pop(-2), "no heading says 'further reading'"),
    (exercises, lambda b: spoil_cell(b.cells[11], source="check(4)"), "exercise 1.0 has no check"),
    (exercises, lambda b: b.cells[14].metadata.pop("jupyter"), "solution that is not folded"),
    (checked_outputs, lambda b: b.cells.pop(4), "2 outputs are compared"),
    (lessons, lambda b: spoil_cell(b.cells[4], source="plt.show()"), "uses plt.show"),
]


@pytest.mark.parametrize(
    ("rule", "spoil", "complaint"), SPOILED, ids=lambda v: getattr(v, "__name__", v)
)
def test_a_broken_rule_is_told(
    rule: Callable, spoil: Callable[[NotebookNode], object], complaint: str
) -> None:
    book = toy()
    spoil(book)
    assert any(complaint in told for told in rule(book))
