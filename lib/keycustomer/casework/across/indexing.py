"""The index: one page that leads to every report.

Question: which cases have been run, what did each find, and which need attention?

- :func:`index_page`: the page; :func:`write_index` writes it beside the cases.

Reports, failed runs, outputs that cannot be read and cases that have not been run stand each in
their place, so that nothing is missing without a word.  Links are relative, so that the folder can
be moved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keycustomer.casework.across.ledger import outdated
from keycustomer.casework.across.note_file import PAGE as NOTE_PAGE
from keycustomer.casework.across.outputs import FAILED, RESULTS, CaseOutput, read_output
from keycustomer.casework.across.page import (
    Link,
    Page,
    Section,
    Table,
    relative_link,
    simulated_banner,
)
from keycustomer.casework.errors import CaseError
from keycustomer.casework.measures import VERDICTS
from keycustomer.casework.project import Project
from keycustomer.casework.publish import failed_folder
from keycustomer.casework.report.front import day, front

INDEX = "index.html"
"""Name of the page."""

FIGURES_SHOWN = 3
"""Main figures of a case that the page shows."""

OUTDATED = "outdated"
"""What a report is called that another version of the library's code has made."""

_ACROSS = (
    ("ledger.html", "Evidence ledger: every claim of the course, in every case"),
    ("compare.html", "Cases compared, measure by measure"),
)


@dataclass(frozen=True)
class _Found:
    """What there is of the cases: outputs, complaints on those that cannot be read, folders."""

    outputs: Sequence[CaseOutput]
    problems: Sequence[str]
    failed: Sequence[Path]
    not_run: Sequence[str]
    sweeps: Sequence[Path]


def write_index(
    project: Project, folder: Path | None = None, *, output: Path | None = None
) -> Path:
    """Write the index.

    Parameters
    ----------
    project : Project
        Whose cases.
    folder : Path, optional
        Where to write; default: `casework/`, or `output`.
    output : Path, optional
        Folder under which runs wrote, as in `keycustomer run --output`.

    Returns
    -------
    Path
        The page.
    """
    target = folder or output or project.casework
    return index_page(project, target, output=output).write(target / INDEX)


def index_page(project: Project, folder: Path, *, output: Path | None = None) -> Page:
    """Return the index; its links are relative to `folder`."""
    found = _find(project, output)
    made_up = [one.name for one in found.outputs if one.simulated]
    return Page(
        "Index",
        "All reports",
        _lede(found),
        list(_sections(found, folder)),
        simulated_banner(made_up),
    )


def _find(project: Project, output: Path | None) -> _Found:
    """Look for outputs of all cases of the project, or for all under a folder."""
    if output is None:
        expected = {name: project.casework / name / "output" for name in project.cases()}
        sweeps = sorted(project.casework.glob("*/sweeps/*/*.html"))
    else:
        expected = {path.parent.name: path.parent for path in sorted(output.glob(f"*/{RESULTS}"))}
        expected = {name: path for name, path in expected.items() if not _is_failed(path)}
        sweeps = []
    outputs, problems = _read(path for path in expected.values() if (path / RESULTS).is_file())
    failed = _failed(expected.values() if output is None else output.glob(f"*{FAILED}"))
    not_run = [name for name, path in expected.items() if not (path / RESULTS).is_file()]
    return _Found(outputs, problems, failed, not_run, sweeps)


def _is_failed(path: Path) -> bool:
    return path.name.endswith(FAILED)


def _read(folders: Iterable[Path]) -> tuple[list[CaseOutput], list[str]]:
    outputs: list[CaseOutput] = []
    problems: list[str] = []
    for folder in folders:
        try:
            outputs.append(read_output(folder))
        except CaseError as error:
            problems += error.problems
    return outputs, problems


def _failed(folders: Iterable[Path]) -> list[Path]:
    """Folders of runs in which something failed."""
    paths = [path if _is_failed(path) else failed_folder(path) for path in folders]
    return sorted(path for path in paths if path.is_dir())


def _lede(found: _Found) -> str:
    count = len(found.outputs)
    told = [f"{count} {'case has' if count == 1 else 'cases have'} a report"]
    if found.failed:
        told.append(f"{len(found.failed)} failed the last time")
    if found.problems:
        told.append(f"{len(found.problems)} cannot be read")
    if found.not_run:
        told.append(f"{len(found.not_run)} not run yet")
    return "; ".join(told) + "."


def _sections(found: _Found, folder: Path) -> Iterator[Section]:
    if found.failed:
        text = "The former reports, where there are any, stand as they were."
        yield Section("Failed runs", [text], [_failed_table(found.failed, folder)])
    if found.problems:
        yield Section("Outputs that cannot be read", list(found.problems))
    if found.outputs:
        text = (
            f"What is {OUTDATED} was made by another version of the code or of its notebooks than "
            "this page, or by one that is not known."
        )
        yield Section("Reports", [text], [_report_table(found.outputs, folder)])
    else:
        yield Section("Reports", ["No case has been run yet; first: keycustomer run CASE"])
    links = _links(found, folder)
    if links:
        yield Section(
            "Across cases", (), [Table("Pages on several cases or runs", ["page"], links)]
        )
    if found.not_run:
        yield Section("Not run yet", [f"{name}: keycustomer run {name}" for name in found.not_run])


def _report_table(outputs: Sequence[CaseOutput], folder: Path) -> Table:
    return Table(
        "Reports, with their verdicts on the claims of the course",
        ["report", "data", "made on", "chapters", "main figures", "verdicts", "note"],
        [_report_row(output, folder) for output in outputs],
    )


def _report_row(output: CaseOutput, folder: Path) -> list[Any]:
    counts = Counter(output.ledger["verdict"])
    note = output.folder / NOTE_PAGE
    return [
        Link(output.title, relative_link(output.report, folder)),
        "simulated" if output.simulated else "real",
        _made(output),
        ", ".join(_chapter(output, name) for name in output.chapters),
        "; ".join(_main_figures(output)),
        ", ".join(f"{counts[one]} {one}" for one in VERDICTS if counts[one]),
        Link("note", relative_link(note, folder)) if note.is_file() else "",
    ]


def _made(output: CaseOutput) -> str:
    made = day(output.run.get("ended") or output.run.get("started") or "")
    return f"{made} ({OUTDATED})" if outdated(output) else made


def _chapter(output: CaseOutput, name: str) -> str:
    record = (output.run.get("chapters") or {}).get(name, {})
    number = name.partition("_")[0]
    return f"{number} (failed)" if record.get("status") == "failed" else number


def _main_figures(output: CaseOutput) -> list[str]:
    figures = front(output.results)["main"][:FIGURES_SHOWN]
    if not figures:
        return [f"{len(output.measures):,} measures"]
    return [f"{one['value']} {one['unit']} {one['caption']}".replace("  ", " ") for one in figures]


def _failed_table(folders: Sequence[Path], folder: Path) -> Table:
    rows = [row for path in folders for row in _failed_rows(path, folder)]
    return Table("What failed, and why", ["run", "chapter", "error"], rows)


def _failed_rows(path: Path, folder: Path) -> list[list[Any]]:
    """Rows on a failed run: one a failed chapter."""
    owner = path.parent.name if path.name == "output.failed" else path.name.removesuffix(FAILED)
    report = path / "report.html"
    head = Link(owner, relative_link(report, folder)) if report.is_file() else owner
    try:
        chapters = read_output(path).run.get("chapters") or {}
    except CaseError:
        return [[head, "", "the run wrote no results; see its notebooks"]]
    failed = {name: one for name, one in chapters.items() if one.get("status") == "failed"}
    if not failed:
        return [[head, "", "all chapters ran; the report or the note was not written"]]
    return [
        [head, name, str(record.get("error") or "the notebook ended with an error")]
        for name, record in failed.items()
    ]


def _links(found: _Found, folder: Path) -> list[list[Any]]:
    rows: list[list[Any]] = [
        [Link(told, name)] for name, told in _ACROSS if (folder / name).is_file()
    ]
    for path in found.sweeps:
        case, sweep = path.parents[2].name, path.parent.name
        rows.append([Link(f"Sweep of {case}: {sweep}", relative_link(path, folder))])
    return rows
