"""Commands on single cases: begin new ones, check their data, run them, list them.

Question: what does somebody type who wants a report on their own customers?

Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from keycustomer.cli.application import (
    CASES,
    PairsCommand,
    application,
    complain,
    plain_errors,
)
from keycustomer.cli.options import (
    CaseArgument,
    CasesArgument,
    ChapterOption,
    EngineOption,
    ForceOption,
    JobsOption,
    ParameterOption,
    WriteOption,
)


@application.command(rich_help_panel=CASES)
@plain_errors
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the case.")],
    data: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE", help="File of a table: CSV, Excel or Parquet; one --data for each."
        ),
    ],
) -> None:
    """Begin a case: propose a case file from data files."""
    from keycustomer.casework.proposal import begin_case

    begun = begin_case(name, data)
    typer.echo(f"written: {begun.case_file}\n         {begun.brief}")
    typer.echo("\nPlease confirm, in the case file:")
    for question in begun.questions:
        typer.echo(f"- {question}")
    typer.echo(f"\nThen: keycustomer check {name}, and keycustomer run {name}")


@application.command(rich_help_panel=CASES)
@plain_errors
def check(case: CaseArgument) -> None:
    """Check a case's file and data only; exit code 1 when there are errors."""
    from keycustomer.casework.inspection import check_case

    report, passed = check_case(case)
    typer.echo(report)
    if not passed:
        raise typer.Exit(1)


@application.command(cls=PairsCommand, rich_help_panel=CASES)
@plain_errors
def run(
    cases: CasesArgument,
    chapter: ChapterOption = None,
    output: WriteOption = None,
    parameter: ParameterOption = None,
    jobs: JobsOption = None,
    force: ForceOption = False,
    engine: EngineOption = "default",
    part: Annotated[
        bool,
        typer.Option("--part", help="Write each chapter by itself, for `gather` to put together."),
    ] = False,
) -> None:
    """Run cases and write their reports; exit code 1 when something failed."""
    if part:
        from keycustomer.casework.parts import run_parts as run_them
    else:
        from keycustomer.casework.runner import run_cases as run_them

    outcomes = run_them(
        cases,
        chapters=chapter or (),
        output=output,
        parameters=pairs_of(parameter or []),
        jobs=jobs,
        force=force,
        engine=engine,
    )
    tell_outcomes(outcomes)


def pairs_of(pairs: Sequence[str]) -> dict[str, str]:
    """Values by name of each `-p NAME=VALUE`."""
    from keycustomer.casework.errors import CaseError

    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CaseError(f"-p {name}: no value is given; write -p NAME VALUE")
        if name in values:
            raise CaseError(f"-p {name} is given twice")
        values[name] = value
    return values


def tell_outcomes(outcomes: Sequence[Any]) -> None:
    """Say what became of each case; end with code 1 where one failed."""
    for outcome in outcomes:
        _tell(outcome)
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(1)


def _tell(outcome: Any) -> None:
    """Say what became of a case and where its report is."""
    if outcome.status != "failed":
        typer.echo(f"{outcome.case}: {outcome.status}, {outcome.seconds:.1f} s: {outcome.report}")
        return
    lines = [f"{outcome.case}: FAILED after {outcome.seconds:.1f} s", *outcome.problems]
    if outcome.incomplete is not None:
        lines.append(f"what ran, and the failed notebooks with their errors: {outcome.incomplete}")
    if outcome.folder.is_dir():
        lines.append(f"the former output is as it was: {outcome.folder}")
    complain(lines)


@application.command(name="list", rich_help_panel=CASES)
@plain_errors
def list_cases() -> None:
    """List the cases and chapters of the project."""
    from keycustomer.casework.inspection import describe_cases

    for line in describe_cases():
        typer.echo(line)
