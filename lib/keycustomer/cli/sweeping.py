"""The command `sweep`: a case at every point of a grid.

Question: what does somebody type who asks whether a finding holds under other assumptions?
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keycustomer.cli.application import (
    ACROSS,
    PairsCommand,
    application,
    complain,
    plain_errors,
)
from keycustomer.cli.options import (
    CaseArgument,
    ChapterOption,
    EngineOption,
    ForceOption,
    JobsOption,
    ParameterOption,
)
from keycustomer.cli.running import pairs_of

if TYPE_CHECKING:
    from keycustomer.casework.sweeps.results import Sweep


GridOption = Annotated[
    list[str],
    typer.Option(
        metavar="NAME=V1,V2,...",
        help="Values of a parameter, or of a key of the case file such as simulation.seed; "
        "1..20 counts. Several grids: all combinations.",
    ),
]


@application.command(cls=PairsCommand, rich_help_panel=ACROSS)
@plain_errors
def sweep(
    case: CaseArgument,
    grid: GridOption,
    chapter: ChapterOption = None,
    parameter: ParameterOption = None,
    name: Annotated[
        str, typer.Option(help="Name of its folder under casework/<case>/sweeps/.")
    ] = "",
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write to DIR, not below the case.")
    ] = None,
    jobs: JobsOption = None,
    force: ForceOption = False,
    engine: EngineOption = "default",
) -> None:
    """Run a case at every point of a grid; exit code 1 when a point failed."""
    from keycustomer.casework.sweeps.sweeping import sweep_case

    found = sweep_case(
        case,
        _grid(grid),
        chapters=chapter or (),
        parameters=pairs_of(parameter or []),
        name=name,
        to=to,
        jobs=jobs,
        force=force,
        engine=engine,
    )
    _tell(found)


def _tell(found: Sweep) -> None:
    """Say what was found and where it is; end with code 1 where a point failed."""
    typer.echo(found.sentence)
    typer.echo(f"page:  {found.page}\ntable: {found.table}")
    for row in found.failed.itertuples():
        complain([f"{row.point}: FAILED: {row.problem}"])
    if len(found.failed):
        raise typer.Exit(1)


def _grid(texts: Sequence[str]) -> dict[str, list[str]]:
    """Texts of values by name, with all problems at once."""
    from keycustomer.casework.errors import CaseError
    from keycustomer.casework.sweeps.grid import parse_axis

    grid: dict[str, list[str]] = {}
    problems: list[str] = []
    for text in texts:
        try:
            name, values = parse_axis(text)
        except CaseError as error:
            problems += error.problems
            continue
        if name in grid:
            problems.append(f"--grid {name} is given twice; give all its values at once")
        grid[name] = values
    if problems:
        raise CaseError(*problems)
    return grid
