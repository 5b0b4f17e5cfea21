"""SQL of the value dimensions: one reviewed file a step under ``sql/``, values never pasted.

As in :mod:`keycustomer.customers.statements`: the caller binds values as ``$name``, and statements
that others build upon go into ``{name}``.
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
        SQL text for each place: other statements or quoted identifiers, never a value from data.
    """
    text = _text(name)
    return text.format(**fragments) if fragments else text


@cache
def _text(name: str) -> str:
    path = files("keycustomer.dimensions") / "sql" / f"{name}.sql"
    return path.read_text(encoding="utf-8")
