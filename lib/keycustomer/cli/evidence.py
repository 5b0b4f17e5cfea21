"""The command `ledger`: the evidence of all cases on every claim of the course.

Question: what does somebody type who wants to know which claims hold?

Nothing heavy is imported before the command needs it.
"""

from __future__ import annotations

from typing import Annotated

import typer

from keycustomer.cli.application import ACROSS, application, plain_errors
from keycustomer.cli.options import PageFolderOption, ReadOption


@application.command(rich_help_panel=ACROSS)
@plain_errors
def ledger(
    cases: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CASE", help="Names of cases, or output folders; default: all that ran."
        ),
    ] = None,
    output: ReadOption = None,
    to: PageFolderOption = None,
) -> None:
    """Gather the evidence on every claim, over all cases: a page, and tables as CSV."""
    from keycustomer.casework.across.ledger import evidence_ledger
    from keycustomer.casework.across.ledger_page import write_ledger
    from keycustomer.casework.across.outputs import find_outputs
    from keycustomer.casework.project import find_project

    found = evidence_ledger(find_outputs(cases or (), output=output))
    page = write_ledger(found, to or output or find_project().casework)
    for sentence in found.summary:
        typer.echo(sentence)
    typer.echo(f"written: {page}")
