"""A Snakefile for cases: one job a case and chapter, for one machine or many.

Question: how do cases run where a workflow system deals out the work, without another engine?

- :func:`write_workflow`: writes the Snakefile.
- :class:`Workflow`: where it is, and its jobs.

Every job is a command of `keycustomer`: `prepare` a base, `run --part` one chapter, `gather` the
chapters of a case, then `ledger` and `index`; see :mod:`keycustomer.casework.parts`.  Memory and
time come from the last run of each chapter, with a margin.

Source: Mölder et al. (2021), "Sustainable data analysis with Snakemake", F1000Research 10:33.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from keycustomer.casework.errors import CaseError
from keycustomer.casework.files import make_folder, read_chapter
from keycustomer.casework.parts import part_folder
from keycustomer.casework.plan import Plan, plan_run
from keycustomer.casework.project import Project, find_project
from keycustomer.casework.publish import failed_folder

MARK = "# Written by `keycustomer workflow`"
"""How a Snakefile begins that may be written over."""

_FILES = ("csv", "parquet", "excel", "duckdb")
_UNKNOWN_MB, _UNKNOWN_MINUTES = 2000, 30
# The kernel's peak is measured; the processes that start it are not.
_MEMORY_MARGIN, _BESIDE_MB = 1.5, 500
_TIME_MARGIN, _LEAST_MINUTES = 5.0, 10
_REPORT_MB = 1500


@dataclass(frozen=True)
class Workflow:
    """A Snakefile that was written.

    Attributes
    ----------
    path : Path
        The file.
    jobs : dict of str to tuple of str
        Chapters by case.
    measured : int
        Chapters whose memory and time come from a former run.
    """

    path: Path
    jobs: dict[str, tuple[str, ...]]
    measured: int

    @property
    def sentence(self) -> str:
        """What was written."""
        chapters = sum(map(len, self.jobs.values()))
        return (
            f"{len(self.jobs)} case{'s' * (len(self.jobs) != 1)}, {chapters} chapters, "
            f"{2 * len(self.jobs) + chapters + 1} jobs; memory and time of {self.measured} "
            "chapters as measured in their last run"
        )


def write_workflow(
    cases: Sequence[str | Path] = (),
    *,
    to: Path | None = None,
    output: Path | None = None,
    threads: int = 1,
) -> Workflow:
    """Write a Snakefile for cases.

    Parameters
    ----------
    cases : sequence of str or Path
        Names or paths of cases; empty: all of the project.
    to : Path, optional
        The file; default: `Snakefile` in the project's folder.
    output : Path, optional
        Folder under which each case gets its own, as in `keycustomer run --output`.
    threads : int
        Cores of a job.

    Raises
    ------
    CaseError
        With all problems of all cases, or when the file is not one of ours.
    """
    project = find_project()
    plans = plan_run(cases or project.cases(), output=output)
    if not plans:
        raise CaseError(f"no case under {project.casework}; begin one with: keycustomer new")
    path = (to or project.root / "Snakefile").resolve()
    _refuse_foreign(path)
    names = _distinct(plans)
    described = {
        name: _described(plan, project, output) for name, plan in zip(names, plans, strict=True)
    }
    measured = sum(
        chapter.pop("measured") for case in described.values() for chapter in _chapters(case)
    )
    text = _text(described, project, path, output, threads, measured)
    make_folder(path.parent)
    path.write_text(text, encoding="utf-8", newline="\n")
    jobs = {name: tuple(case["chapters"]) for name, case in described.items()}
    return Workflow(path, jobs, measured)


def _chapters(case: dict[str, Any]) -> list[dict[str, Any]]:
    return list(case["chapters"].values())


def _refuse_foreign(path: Path) -> None:
    """Refuse to write over a file that somebody else has written."""
    if path.is_file() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARK):
        raise CaseError(f"{path} was not written by this command; name another file with --to")


def _distinct(plans: Sequence[Plan]) -> list[str]:
    """Names of the cases; a case of a name that was taken gets a number."""
    names: list[str] = []
    for plan in plans:
        name, number = plan.case.name, 2
        while name in names:
            name, number = f"{plan.case.name}_{number}", number + 1
        names.append(name)
    return names


def _described(plan: Plan, project: Project, output: Path | None) -> dict[str, Any]:
    case = plan.case
    own = case.path.parent == (project.casework / case.name).resolve()
    sources = case.specification.tables.values()
    found = [case.folder / table.location for table in sources if table.kind in _FILES]
    return {
        "case": case.name if own else _relative(case.path, project.root),
        "files": [_relative(path, project.root) for path in (case.path, *found) if path.is_file()],
        "mem_mb": _UNKNOWN_MB,
        "minutes": _UNKNOWN_MINUTES,
        "chapters": {name: _chapter(plan, name, project, output) for name in plan.chapters},
    }


def _chapter(plan: Plan, name: str, project: Project, output: Path | None) -> dict[str, Any]:
    run = _last_run(plan, name, output)
    peak = (run.get("peak_memory_bytes") or 0) / 1e6
    memory = _rounded_up(_MEMORY_MARGIN * peak + _BESIDE_MB, 100) if peak else _UNKNOWN_MB
    needed = math.ceil(_TIME_MARGIN * run.get("seconds", 0.0) / 60)
    return {
        "notebook": _relative(plan.case.project.notebooks[name], project.root),
        "mem_mb": memory,
        "minutes": max(needed, _LEAST_MINUTES) if peak else _UNKNOWN_MINUTES,
        "measured": bool(peak),
    }


def _last_run(plan: Plan, name: str, output: Path | None) -> dict[str, Any]:
    """Record of a chapter's last run, where there is one."""
    for folder in (plan.output, part_folder(plan, name, output), failed_folder(plan.output)):
        try:
            return read_chapter(folder, name, "run")
        except (OSError, ValueError):
            continue
    return {}


def _rounded_up(value: float, step: int) -> int:
    return math.ceil(value / step) * step


def _relative(path: Path, root: Path) -> str:
    """Path as seen from the project, whose folder may be moved."""
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _text(
    described: dict[str, Any],
    project: Project,
    path: Path,
    output: Path | None,
    threads: int,
    measured: int,
) -> str:
    import jinja2

    source = (files("keycustomer.casework") / "workflow.smk.j2").read_text(encoding="utf-8")
    # Nothing of it is HTML: every value is written as Python would read it.
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701
        keep_trailing_newline=True,
        # Snakemake's own braces stay.
        variable_start_string="@@",
        variable_end_string="@@",
        undefined=jinja2.StrictUndefined,
    )
    written = _relative(output.resolve(), project.root) if output else ""
    mark = f"-{hashlib.sha256(written.encode()).hexdigest()[:8]}" if written else ""
    origin = f"of {measured} chapters as measured in their last run with a margin, else guessed"
    return environment.from_string(source).render(
        up=repr(_relative(project.root, path.parent)),
        output=repr(written),
        marks=repr(f"build/workflow{mark}"),
        threads=int(threads),
        origin=origin,
        cases=json.dumps(described, indent=4, ensure_ascii=False),
        report_mb=_REPORT_MB,
    )
