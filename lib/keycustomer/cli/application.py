"""The application: what every command shares.

Question: how does a command tell a mistake that its user can mend from a defect?

- `application`: the typer application that commands register with.
- :func:`plain_errors`: errors a user can mend as lines, without a traceback; the exit code is then
  1, 2 for a mistyped command, 130 after Ctrl-C.
- :class:`PairsCommand`: a command whose `-p` takes a name and a value.
- `CASES`, `ACROSS`, `MACHINES`: the parts of the help that commands stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import keycustomer

CASES, ACROSS, MACHINES = PARTS = ("Cases", "Across cases", "Many cases, many machines")


class CommandsByPart(TyperGroup):
    """The commands, in the order of the parts of the help, and in it as they were registered."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands in their order."""
        parts = {name: getattr(one, "rich_help_panel", "") for name, one in self.commands.items()}
        return sorted(parts, key=lambda name: PARTS.index(parts[name]))


application = typer.Typer(
    cls=CommandsByPart,
    help="Key Customer Value Lab: the claims of key-customer marketing, measured on your data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_INTERRUPTED = 130


def plain_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Print errors a user can mend as lines, and end with code 1."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        from keycustomer.casework.errors import CaseError

        try:
            command(*args, **kwargs)
        except CaseError as error:
            complain(error.problems)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            complain(["interrupted; former outputs are as they were"])
            raise typer.Exit(_INTERRUPTED) from None

    return wrapped


def complain(problems: Sequence[str]) -> None:
    """Print lines to the standard error."""
    for problem in problems:
        typer.echo(problem, err=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"keycustomer {keycustomer.__version__}")
        raise typer.Exit


@application.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Measure the claims of key-customer marketing on your data."""


class PairsCommand(TyperCommand):
    """A command whose `-p` takes a name and a value, which typer cannot repeat."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join each `-p NAME VALUE` to `-p NAME=VALUE` before the command is read."""
        joined: list[str] = []
        rest = list(args)
        while rest:
            word = rest.pop(0)
            joined.append(word)
            if word in ("-p", "--parameter") and rest:
                name = rest.pop(0)
                joined.append(name if "=" in name or not rest else f"{name}={rest.pop(0)}")
        parsed: list[str] = super().parse_args(ctx, joined)
        return parsed
