"""Packages whose names load their module at first use.

Question: how does ``import keycustomer`` stay quick while every package offers its names directly?
:func:`lazy_names` makes what such a package needs, of a table of its public names by module.

Source: PEP 562, module ``__getattr__`` and ``__dir__``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, names: Mapping[str, Iterable[str]]
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Make a package's `__all__`, `__getattr__` and `__dir__`.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    names : mapping of str to iterable of str
        Public names by module, relative to the package; a name must differ from every module's
        name, which would hide it once the module is loaded.

    Returns
    -------
    tuple
        The sorted names; a function that loads the module owning a name and keeps what it found;
        a function that lists all names, loaded or not.
    """
    owners = {name: module for module, owned in names.items() for name in owned}
    public = sorted(owners)

    def load(name: str) -> Any:
        if name not in owners:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{owners[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *public})

    return public, load, listed
