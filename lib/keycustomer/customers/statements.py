"""SQL files of the package: read once, identifiers quoted, values never pasted.

A step of the engine is one reviewed file under ``sql/``. Values are bound by the caller as
``$name``; names of tables and columns, which no engine can bind, go into ``{name}`` through
:func:`identifier`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def statement(name: str, /, **fragments: str) -> str:
    """Text of ``sql/<name>.sql`` with its ``{fragment}`` places filled.

    Parameters
    ----------
    name : str
        Name of the file without its ending.
    **fragments : str
        SQL text for each place: quoted identifiers or other statements, never a value from data.
    """
    return statement_of("keycustomer.customers", name, **fragments)


def statement_of(package: str, name: str, /, **fragments: str) -> str:
    """As :func:`statement`, from the ``sql/`` of any package."""
    text = _text(package, name)
    return text.format(**fragments) if fragments else text


def identifier(name: str) -> str:
    """Quote the name of a table or column: ``identifier('a"b')`` is ``"a""b"``."""
    return '"' + name.replace('"', '""') + '"'


@cache
def _text(package: str, name: str) -> str:
    path = files(package) / "sql" / f"{name}.sql"
    return path.read_text(encoding="utf-8")
