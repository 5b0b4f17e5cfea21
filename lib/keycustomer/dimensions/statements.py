"""SQL of the value dimensions: one reviewed file a step under ``sql/``, values never pasted.

As in :mod:`keycustomer.customers.statements`: the caller binds values as ``$name``, and statements
that others build upon go into ``{name}``.
"""

from __future__ import annotations

from keycustomer.customers.statements import statement_of


def statement(name: str, /, **fragments: str) -> str:
    """Text of ``sql/<name>.sql`` of this package with its ``{fragment}`` places filled."""
    return statement_of("keycustomer.dimensions", name, **fragments)
