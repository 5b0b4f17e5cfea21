"""Commands on what runs have published: compare cases, tell runs apart, index and annotate them.

Question: what does somebody type who wants to see several reports together?

Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from keycustomer.cli.application import ACROSS, application, complain, plain_errors
from keycustomer.cli.options import CasesArgument, PageFolderOption, ReadOption


@application.command(rich_help_panel=ACROSS)
@plain_errors
def compare(
    cases: Annotated[
        list[str],
        typer.Argument(metavar="CASE", help="Two or more: names of cases, or output folders."),
    ],
    output: ReadOption = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this measure, or NAME[GROUP]; may be repeated."),
    ] = None,
    pairwise: Annotated[
        bool, typer.Option("--pairwise", help="Compare every pair, not only with the first case.")
    ] = False,
    to: PageFolderOption = None,
) -> None:
    """Set the measures of cases side by side: a page, and tables as CSV."""
    from keycustomer.casework.across.comparing import compare_cases
    from keycustomer.casework.across.comparing_page import write_comparison
    from keycustomer.casework.across.outputs import find_outputs
    from keycustomer.casework.errors import CaseError
    from keycustomer.casework.project import find_project

    if len(cases) < 2:
        raise CaseError("to compare, name at least two cases: keycustomer compare CASE CASE")
    compared = compare_cases(
        find_outputs(cases, output=output), measures=measure or (), pairwise=pairwise
    )
    folder = to or output or find_project().casework
    page = write_comparison(compared, folder, figures=measure or ())
    for sentence in compared.sentences:
        typer.echo(sentence)
    typer.echo(f"written: {page}")


@application.command(rich_help_panel=ACROSS)
def diff(
    old: Annotated[str, typer.Argument(metavar="RUN", help="Output folder, or name of a case.")],
    new: Annotated[str, typer.Argument(metavar="RUN", help="Output folder, or name of a case.")],
    tolerance: Annotated[
        float, typer.Option(help="Largest relative change of a number that counts as none.")
    ] = 1e-9,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Tell what changed between two runs; exit code 0: nothing, 1: something, 2: an error."""
    from keycustomer.casework.across.differing import diff_runs
    from keycustomer.casework.across.outputs import find_outputs
    from keycustomer.casework.errors import CaseError

    try:
        found = diff_runs(*find_outputs([old, new]), tolerance=tolerance)
    except CaseError as error:
        # As diff does: 1 says that runs differ, and must not say that one could not be read.
        complain(error.problems)
        raise typer.Exit(2) from None
    typer.echo(found.to_json() if as_json else found.text)
    raise typer.Exit(0 if found.same else 1)


@application.command(rich_help_panel=ACROSS)
@plain_errors
def index(
    output: ReadOption = None,
    to: PageFolderOption = None,
) -> None:
    """Write a page that leads to all reports: index.html."""
    from keycustomer.casework.across.indexing import write_index
    from keycustomer.casework.project import find_project

    page = write_index(find_project(), to, output=output)
    typer.echo(f"written: {page}")


@application.command(rich_help_panel=ACROSS)
@plain_errors
def note(
    cases: CasesArgument,
    output: ReadOption = None,
) -> None:
    """Fill the instructor's notes of cases from their results; exit code 1 for a mistake."""
    from keycustomer.casework.across.notes import fill_case_note

    problems: list[str] = []
    for name in cases:
        problems += _fill(name, fill_case_note, output)
    if problems:
        complain(problems)
        raise typer.Exit(1)


def _fill(name: str, fill: Callable[..., Any], output: Path | None) -> list[str]:
    """Fill one note and say where it is; return what is wrong with it."""
    from keycustomer.casework.errors import CaseError

    try:
        page, filled = fill(name, output)
    except CaseError as error:
        return [f"{name}: {problem}" for problem in error.problems]
    typer.echo(f"{name}: {page}")
    for row in filled.missing.to_dict("records"):
        typer.echo(f"  line {row['line']}, {row['placeholder']}: {row['missing']}")
    return []
