"""Commands for cases whose chapters run as separate jobs: `workflow`, `prepare`, `gather`.

Question: what does somebody type who has more cases than one machine, or one evening, can run?

Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keycustomer.cli.application import MACHINES, application, plain_errors
from keycustomer.cli.options import CasesArgument, ForceOption, WriteOption
from keycustomer.cli.running import tell_outcomes


@application.command(rich_help_panel=MACHINES)
@plain_errors
def workflow(
    cases: Annotated[
        list[str] | None,
        typer.Argument(metavar="CASE", help="Names or paths of cases; default: all."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write FILE; default: the project's Snakefile."),
    ] = None,
    output: WriteOption = None,
    threads: Annotated[int, typer.Option(min=1, help="Cores of a job.")] = 1,
) -> None:
    """Write a Snakefile: one job a case and chapter, for one machine or a cluster."""
    from keycustomer.casework.workflow import write_workflow

    written = write_workflow(cases or (), to=to, output=output, threads=threads)
    typer.echo(f"{written.path}: {written.sentence}")
    typer.echo(f"Then: snakemake --snakefile {written.path} --cores 2 --keep-going")


@application.command(rich_help_panel=MACHINES)
@plain_errors
def prepare(
    cases: CasesArgument,
    output: WriteOption = None,
    force: ForceOption = False,
) -> None:
    """Prepare the customer bases of cases, and run nothing."""
    from keycustomer.casework.parts import prepare_cases
    from keycustomer.casework.progress import progress_for

    with progress_for() as progress:
        bases = prepare_cases(cases, output=output, force=force, progress=progress)
    for base in bases:
        typer.echo(f"prepared: {base}")


@application.command(rich_help_panel=MACHINES)
@plain_errors
def gather(cases: CasesArgument, output: WriteOption = None) -> None:
    """Write the reports of chapters that ran with --part; exit code 1 when one failed."""
    from keycustomer.casework.parts import gather_cases

    tell_outcomes(gather_cases(cases, output=output))
