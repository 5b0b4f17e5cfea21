"""Arguments and options that several commands share, described in the same words.

Question: does the same option mean the same wherever it is typed?
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_CASE = "Name under casework/, or path of a case.yaml"

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help=f"{_CASE}.")]

CasesArgument = Annotated[list[str], typer.Argument(metavar="CASE", help=f"{_CASE}; one or more.")]

ChapterOption = Annotated[
    list[str] | None,
    typer.Option(help="Run this chapter only (name or number); may be repeated."),
]

ParameterOption = Annotated[
    list[str] | None,
    typer.Option(
        "-p", "--parameter", metavar="NAME VALUE", help="Set a parameter; may be repeated."
    ),
]

JobsOption = Annotated[
    int | None, typer.Option(min=1, help="Processes at work at a time; default: the cores.")
]

ForceOption = Annotated[bool, typer.Option("--force", help="Do also what is up to date.")]

EngineOption = Annotated[
    str, typer.Option(help="'default', or 'forked': faster kernels, not on Windows.")
]

WriteOption = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="DIR", help="Write to DIR/<case>/, not to casework/<case>/output/."
    ),
]

ReadOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="DIR",
        help="Read DIR/<case>/, as written by `keycustomer run --output DIR`.",
    ),
]

PageFolderOption = Annotated[
    Path | None,
    typer.Option("--to", metavar="DIR", help="Write to DIR; default: casework/, or --output."),
]
