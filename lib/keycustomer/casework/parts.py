"""Chapters of a case run one by one, each with an output of its own, and gathered into one report.

Question: how do the chapters of a case run as separate jobs, perhaps on several machines, and
still become the output that one run would have made?

- :func:`prepare_cases`: the customer bases, which the chapters share.
- :func:`run_parts`: chapters, each into its part: ``work/parts/<chapter>`` in the case's folder.
- :func:`gather_cases`: outputs made of parts that are up to date; nothing is run.

A chapter that failed is gathered with its error, and the case then counts as failed: as after a
run, its former output stays, and the report of what ran stands in ``output.failed``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from keycustomer.casework.plan import Plan, plan_run
from keycustomer.casework.progress import Progress
from keycustomer.casework.runner import Outcome, check_engine, run_plans


def part_folder(plan: Plan, chapter: str, output: Path | None = None) -> Path:
    """Output folder of a chapter that is run as a part.

    Parameters
    ----------
    plan : Plan
        Plan of the whole case.
    chapter : str
        The chapter.
    output : Path, optional
        Folder under which each case gets its own, as in `keycustomer run --output`.
    """
    if output is None:
        return plan.case.folder / "work" / "parts" / chapter
    return plan.output.with_name(f"{plan.output.name}.parts") / chapter


def prepare_cases(
    cases: Sequence[str | Path],
    *,
    output: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Prepare the customer bases of cases, where they are missing or outdated.

    Parameters
    ----------
    cases, output
        As in :func:`keycustomer.casework.run_cases`.
    force : bool
        Prepare also what is up to date.
    progress : Progress, optional
        Where progress is shown.

    Returns
    -------
    list of Path
        The bases, in the order of `cases`.

    Raises
    ------
    CaseError
        When the data cannot be read or fail the checks.
    """
    from keycustomer.casework.tasks import prepare

    plans = plan_run(cases, output=output)
    for plan in plans:
        prepare(_Reporter(plan.name, progress), plan.case.path, plan.base, force)
    return [plan.base for plan in plans]


class _Reporter:
    """Tells the news of a case."""

    def __init__(self, name: str, progress: Progress | None) -> None:
        self._name, self._progress = name, progress

    def __call__(self, news: Any) -> None:
        if self._progress is not None:
            self._progress.update(self._name, news)


def run_parts(
    cases: Sequence[str | Path],
    *,
    chapters: Sequence[str] = (),
    output: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    jobs: int | None = None,
    force: bool = False,
    engine: str = "default",
    progress: Progress | None = None,
) -> list[Outcome]:
    """Run chapters of cases, each into an output of its own.

    Parameters
    ----------
    cases, chapters, output, parameters, jobs, force, engine, progress
        As in :func:`keycustomer.casework.run_cases`.

    Returns
    -------
    list of Outcome
        One a case and chapter.
    """
    check_engine(engine)
    plans = plan_run(cases, chapters=chapters, output=output, parameters=parameters)
    parts = [_part(plan, chapter, output) for plan in plans for chapter in plan.chapters]
    return run_plans(parts, jobs=jobs, force=force, engine=engine, progress=progress)


def _part(plan: Plan, chapter: str, output: Path | None) -> Plan:
    folder = part_folder(plan, chapter, output)
    return replace(plan, chapters=(chapter,), output=folder, label=f"{plan.name} (part)")


def gather_cases(
    cases: Sequence[str | Path],
    *,
    output: Path | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Make the outputs of cases of what their parts hold.

    Parameters
    ----------
    cases, output, jobs, progress
        As in :func:`keycustomer.casework.run_cases`.

    Returns
    -------
    list of Outcome
        One a case; failed where a chapter has failed or was not run.
    """
    plans = [_gathering(plan, output) for plan in plan_run(cases, output=output)]
    return run_plans(plans, jobs=jobs, progress=progress)


def _gathering(plan: Plan, output: Path | None) -> Plan:
    parts = tuple(part_folder(plan, chapter, output) for chapter in plan.chapters)
    return replace(plan, parts=parts, gathers=True)
