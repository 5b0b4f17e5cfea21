"""What a run will do, checked before anything starts.

Question: which chapters run on which cases, with which values, and where does everything go?

:func:`plan_run` gives one :class:`Plan` a case, or all problems of all cases at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keycustomer.casework.across.note_file import note_problems
from keycustomer.casework.case import Case, load_case
from keycustomer.casework.errors import CaseError, did_you_mean
from keycustomer.casework.files import refuse_file
from keycustomer.casework.parameters import convert_all, read_parameters


@dataclass(frozen=True)
class Plan:
    """What a run will do for one case.

    Attributes
    ----------
    case : Case
        The case.
    chapters : tuple of str
        Chapters asked for.
    parameters : dict
        Values by parameter of every chapter of the case.
    output, base : Path
        Where output and prepared base go.
    parts : tuple of Path
        Further outputs, of which chapters that hold are taken over.
    gathers : bool
        Whether the run only gathers what other runs have made, and runs no chapter.
    label : str
        What the run is called when it is not the only one of its case; empty: the case's name.
    """

    case: Case
    chapters: tuple[str, ...]
    parameters: dict[str, dict[str, Any]]
    output: Path
    base: Path
    parts: tuple[Path, ...] = ()
    gathers: bool = False
    label: str = ""

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.label or self.case.name


def plan_run(
    cases: Sequence[str | Path],
    *,
    chapters: Sequence[str] = (),
    output: Path | None = None,
    parameters: Mapping[str, str] | None = None,
) -> list[Plan]:
    """Check cases, chapters and parameters, and say where everything goes.

    Parameters
    ----------
    cases : sequence of str or Path
        Names or paths of cases.
    chapters : sequence of str
        Names or numbers of the chapters to run; empty: all that the case lists.
    output : Path, optional
        Folder under which each case gets its own; default: `output` in the case's folder.
    parameters : mapping, optional
        Values by parameter, for every chosen chapter that declares it.

    Raises
    ------
    CaseError
        With all problems of all cases.
    """
    plans: list[Plan] = []
    problems: list[str] = []
    for name in cases:
        try:
            plans.append(plan_case(load_case(name), chapters, output, parameters or {}))
        except CaseError as error:
            several = len(cases) > 1
            problems += [f"{name}: {text}" if several else text for text in error.problems]
    outputs = [plan.output for plan in plans]
    problems += [
        f"two cases would write {path}; run them one after the other, or rename a folder"
        for path in sorted({path for path in outputs if outputs.count(path) > 1})
    ]
    if problems:
        raise CaseError(*problems)
    return plans


def plan_case(
    case: Case,
    chapters: Sequence[str] = (),
    output: Path | None = None,
    given: Mapping[str, Any] | None = None,
) -> Plan:
    """Check chapters and parameters of one case; see :func:`plan_run`."""
    given = given or {}
    chosen = _chosen(case, chapters)
    declared = {
        chapter: read_parameters(case.project.notebooks[chapter]) for chapter in case.chapters
    }
    values: dict[str, dict[str, Any]] = {}
    problems: dict[str, str] = {}
    for chapter in case.chapters:
        own = {name: value for name, value in given.items() if name in declared[chapter]}
        converted, wrong = convert_all(own if chapter in chosen else {}, declared[chapter], chapter)
        problems |= wrong
        defaults = {name: p.default for name, p in declared[chapter].items() if name != "case"}
        in_case = case.specification.parameters.get(chapter, {})
        values[chapter] = {**defaults, **in_case, **converted}
    problems |= _unknown(given, {name for chapter in chosen for name in declared[chapter]})
    complaints = [*problems.values(), *note_problems(case.folder)]
    if complaints:
        raise CaseError(*complaints)
    if output is None:
        return Plan(case, chosen, values, case.folder / "output", case.folder / "base.duckdb")
    root = output.resolve()
    refuse_file(root)
    return Plan(case, chosen, values, root / case.name, root / f"{case.name}.duckdb")


def _unknown(given: Mapping[str, str], known: set[str]) -> dict[str, str]:
    """Complaints about parameters that no chosen chapter declares."""
    names = sorted(known - {"case"})
    return {
        name: f"no chapter of this run has a parameter {name!r}{did_you_mean(name, names)}; "
        f"they have: {', '.join(names) or 'none'}"
        for name in sorted(set(given) - known)
    }


def _chosen(case: Case, chapters: Sequence[str]) -> tuple[str, ...]:
    """Chapters to run, in the case's order."""
    wanted = [case.project.chapter(chapter) for chapter in chapters]
    foreign = [name for name in wanted if name not in case.chapters]
    if foreign:
        raise CaseError(
            f"case {case.name} does not list chapter {foreign[0]}; "
            f"it lists: {', '.join(case.chapters)}"
        )
    chosen = tuple(name for name in case.chapters if not wanted or name in wanted)
    if not chosen:
        raise CaseError(f"case {case.name}: no chapters to run; the project has no notebooks")
    return chosen
