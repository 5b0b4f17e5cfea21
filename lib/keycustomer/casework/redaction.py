"""Secrets out of everything that is written: notebooks, tracebacks, messages.

Question: a database refuses a password; how does the password not end up in the report?

`secrets_of` lists the secrets a case uses; `redact` replaces them, and credentials inside any URL,
in text; `redact_notebook` does so in all of a notebook.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from keycustomer.casework.variables import PSEUDONYM_KEY
from keycustomer.customers.specification import BaseSpecification

REDACTED = "[redacted]"

# Shorter ones would be found in half of all words.
_SHORTEST = 4
# What makes a notebook a notebook must stay, even where a password is the word `code`.
_STRUCTURE = frozenset({"cell_type", "output_type", "id", "kernelspec", "language_info"})

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_URL_CREDENTIALS = re.compile(r"(?<=://)[^\s/@'\"\\<>]+(?=@)")


def secrets_of(specification: BaseSpecification) -> list[str]:
    """Values of the environment variables that a case's sources name, and the pseudonym key."""
    names = {PSEUDONYM_KEY}
    for table in specification.tables.values():
        names.update(_VARIABLE.findall(table.location))
    values = {os.environ[name] for name in names if os.environ.get(name)}
    return sorted(values | {password for value in values if (password := _password(value))})


def _password(value: str) -> str:
    """Password inside a value that is a whole URL."""
    try:
        return unquote(urlsplit(value).password or "") if "://" in value else ""
    except ValueError:
        return ""


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return text without the secrets, however written, and without credentials in URLs."""
    for form in _forms(secrets):
        text = text.replace(form, REDACTED)
    return _URL_CREDENTIALS.sub(REDACTED, text)


def _forms(secrets: Iterable[str]) -> list[str]:
    """Secrets plain, as in Python, JSON and URLs; the longest first."""
    forms: set[str] = set()
    for secret in secrets:
        forms |= {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]}
        forms |= {quote(secret, safe=""), quote_plus(secret)}
    long = [form for form in forms if len(form) >= _SHORTEST]
    return sorted(long, key=lambda form: (-len(form), form))


def redact_notebook(path: Path, secrets: Iterable[str]) -> None:
    """Redact every text of a notebook file, in place."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    clean = _redacted(notebook, list(secrets))
    aside = path.with_suffix(".redacted")
    text = json.dumps(clean, ensure_ascii=False, indent=1, sort_keys=True)
    aside.write_text(text + "\n", encoding="utf-8", newline="\n")
    aside.replace(path)


def _redacted(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, list):
        return [_redacted(item, secrets) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key in _STRUCTURE else _redacted(item, secrets)
            for key, item in value.items()
        }
    return value
