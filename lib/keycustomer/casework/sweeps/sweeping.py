"""Running a case at every point of a grid.

Question: how do any number of runs of a case share its base and the machine, survive being killed,
and become one table?

- :func:`sweep_case`: runs what has not been run, and writes table and page.

A point is an output of the case like any other, in a folder of its own: what is up to date is not
run again, a point that fails stops no other, and a sweep that was killed goes on where it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from keycustomer.casework.case import Case, load_case
from keycustomer.casework.errors import CaseError
from keycustomer.casework.files import make_folder
from keycustomer.casework.parameters import Parameter, read_parameters
from keycustomer.casework.plan import Plan, plan_case
from keycustomer.casework.progress import Progress
from keycustomer.casework.runner import Outcome, check_engine, run_plans
from keycustomer.casework.sweeps.grid import Axis, Point, grid_points, read_grid
from keycustomer.casework.sweeps.results import Sweep, gather_points, gather_verdicts
from keycustomer.casework.sweeps.variants import check_variants, write_variant

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")


@dataclass(frozen=True)
class _Layout:
    """What a sweep will run, and where."""

    case: Case
    axes: tuple[Axis, ...]
    points: list[Point]
    plan: Plan
    folder: Path
    declared: dict[str, dict[str, Parameter]]

    def output(self, point: Point) -> Path:
        return self.folder / "points" / point.name


def sweep_case(
    case: str | Path | Case,
    grid: Mapping[str, Sequence[Any]],
    *,
    chapters: Sequence[str] = (),
    parameters: Mapping[str, str] | None = None,
    name: str = "",
    to: Path | None = None,
    jobs: int | None = None,
    force: bool = False,
    engine: str = "default",
    progress: Progress | None = None,
) -> Sweep:
    """Run a case at every point of a grid, in parallel, and write one table of all.

    Parameters
    ----------
    case : str or Path or Case
        The case.
    grid : mapping of str to sequence
        Values, or texts of them, by parameter of a chapter or key of the case file with dots.
    chapters : sequence of str
        Names or numbers of the chapters to run; empty: all that the case lists.
    parameters : mapping, optional
        Values that are the same at all points.
    name : str
        Name of the sweep's folder under `sweeps` in the case's; default: the names of the grid.
    to : Path, optional
        The sweep's folder itself, where it is to be elsewhere.
    jobs, force, engine, progress
        As in :func:`keycustomer.casework.run_cases`.

    Returns
    -------
    Sweep
        Points that failed are in it.

    Raises
    ------
    CaseError
        Before anything starts, with all problems of the grid.
    """
    check_engine(engine)
    layout = _layout(load_case(case), grid, chapters, parameters or {}, name, to)
    make_folder(layout.folder)
    plans = _plans(layout)
    counter = _Counter(len(plans))
    settings: dict[str, Any] = {"jobs": jobs, "force": force, "engine": engine}
    outcomes = run_plans(plans, progress=progress, ended=counter.tell, **settings)
    sweep = _gather(layout, outcomes)
    sweep.write()
    _write_page(sweep)
    return sweep


def _layout(
    case: Case,
    grid: Mapping[str, Sequence[Any]],
    chapters: Sequence[str],
    parameters: Mapping[str, str],
    name: str,
    to: Path | None,
) -> _Layout:
    plan = plan_case(case, chapters, None, parameters)
    declared = {one: read_parameters(case.project.notebooks[one]) for one in plan.chapters}
    axes = read_grid(grid, declared)
    twice = sorted({axis.name for axis in axes} & set(parameters))
    if twice:
        raise CaseError(f"-p {twice[0]}: it is in the grid too; give it once")
    points = grid_points(axes)
    check_variants(case, _variants(axes, points))
    folder = (to or case.folder / "sweeps" / _folder_name(name, axes)).resolve()
    return _Layout(case, axes, points, plan, folder, declared)


def _folder_name(name: str, axes: Sequence[Axis]) -> str:
    chosen = name or "+".join(axis.name for axis in axes)[:64].rstrip(".+-")
    if not _NAME.fullmatch(chosen):
        raise CaseError(
            f"--name {chosen!r}: use at most 64 letters, digits and _ . + -, beginning with a "
            "letter or digit"
        )
    return chosen


def _variants(axes: Sequence[Axis], points: Sequence[Point]) -> list[dict[str, Any]]:
    """Values for keys of the case file, each combination once."""
    own = [axis for axis in axes if axis.in_case]
    if not own:
        return []
    found: dict[str, dict[str, Any]] = {}
    for point in points:
        values = point.part(own)
        found.setdefault(Point(tuple(values.items())).name, values)
    return list(found.values())


def _plans(layout: _Layout) -> list[Plan]:
    """One plan a point; points with the same case file share its base."""
    own = [axis for axis in layout.axes if axis.in_case]
    bases: dict[str, Plan] = {}
    plans = []
    for point in layout.points:
        part = Point(tuple(point.part(own).items()))
        if part.name not in bases:
            bases[part.name] = _base_plan(layout, part) if own else layout.plan
        parameters = _with_values(bases[part.name], layout, point)
        output = layout.output(point)
        label = f"{layout.case.name} {point.name}"
        plan = replace(bases[part.name], parameters=parameters, output=output, label=label)
        plans.append(plan)
    return plans


def _base_plan(layout: _Layout, part: Point) -> Plan:
    """Plan of the case with other values in its case file."""
    folder = layout.folder / "bases" / part.name
    variant = write_variant(layout.case, dict(part.values), folder)
    return replace(layout.plan, case=variant, base=folder / "base.duckdb")


def _with_values(plan: Plan, layout: _Layout, point: Point) -> dict[str, dict[str, Any]]:
    """Parameters of every chapter, with the point's values where a chapter that runs has them."""
    values = dict(point.values)
    changed = dict(plan.parameters)
    for chapter, own in layout.declared.items():
        given = {n: own[n].convert(v) for n, v in values.items() if n in own and n != "case"}
        changed[chapter] = {**plan.parameters[chapter], **given}
    return changed


class _Counter:
    """Says how many points are done."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.failed = total, 0, 0

    def tell(self, outcome: Outcome, progress: Progress) -> None:
        """Count a point."""
        self.done += 1
        self.failed += outcome.status == "failed"
        failed = f", {self.failed} failed" if self.failed else ""
        progress.say(f"{outcome.case}: {outcome.status} ({self.done} of {self.total}{failed})")


def _gather(layout: _Layout, outcomes: Sequence[Outcome]) -> Sweep:
    pairs = list(zip(layout.points, outcomes, strict=True))
    failed = {point.name: _problems(o) for point, o in pairs if o.status == "failed"}
    outputs = {p.name: o.incomplete if o.status == "failed" else o.folder for p, o in pairs}
    chapters = layout.plan.chapters
    points, frame = gather_points(layout.axes, chapters, layout.points, outputs, failed)
    said = layout.case.specification
    facts = (layout.case.name, said.title, said.simulated, layout.axes, chapters, layout.folder)
    verdicts = gather_verdicts(layout.axes, layout.points, outputs)
    return Sweep(*facts, points, frame, verdicts)


def _problems(outcome: Outcome) -> list[str]:
    """Say what went wrong at a point, without its name."""
    return [text.removeprefix(outcome.case).lstrip(": ") for text in outcome.problems]


def _write_page(sweep: Sweep) -> None:
    from keycustomer.casework.sweeps.sheet import sweep_page

    sweep_page(sweep).write(sweep.page)
