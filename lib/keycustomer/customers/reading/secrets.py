"""Database URLs whose secrets come from the environment and are never said again.

`open_address` replaces every ``${NAME}`` of a URL by the environment's value and refuses secrets
written out in the case file. An `Address` shows only the URL as written; `Address.redact` takes
every secret out of a driver's message.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.records import SourceError, listed

if TYPE_CHECKING:
    from sqlalchemy import URL

_PLACE = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STAND_IN = "kcplace{}kcend"
_STAND_INS = re.compile(r"kcplace(\d+)kcend")
_SECRET_KEY = re.compile(r"pass|pwd|secret|token|key|credential|odbc_connect", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"(?:pass\w*|pwd|secret|token)\s*=", re.IGNORECASE)
_SHORTEST_REPLACED = 4


class Address:
    """A database's URL with its secrets, which it never shows.

    Attributes
    ----------
    written : str
        The URL as the case file writes it, without secrets.
    """

    def __init__(self, written: str, url: URL, secrets: dict[str, str]) -> None:
        self.written = written
        self._url = url
        self._secrets = secrets

    def __repr__(self) -> str:
        """Show the URL as written."""
        return f"Address({self.written!r})"

    def __reduce__(self) -> str:
        """Refuse to be pickled."""
        raise TypeError("a database address holds secrets and is not pickled")

    @property
    def url(self) -> URL:
        """The resolved URL, for the engine alone."""
        return self._url

    def redact(self, message: str) -> str:
        """Take every secret out of a message, in each form a driver may write it."""
        for secret, shown in sorted(self._secrets.items(), key=lambda pair: -len(pair[0])):
            for form in {secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}:
                if form not in message:
                    continue
                if len(form) < _SHORTEST_REPLACED:
                    return "(the driver's message is withheld: it holds a secret)"
                message = message.replace(form, shown)
        return message


def open_address(written: str) -> Address:
    """Resolve a database URL.

    Parameters
    ----------
    written : str
        The URL of the case file, with ``${NAME}`` for secrets or for the whole.

    Raises
    ------
    SourceError
        When a secret is written out, a variable is not set, or the URL cannot be understood; the
        message never holds a secret.
    """
    address, problem = _resolve(written)
    if address is None:
        raise SourceError(problem)
    return address


def _resolve(written: str) -> tuple[Address | None, str]:
    """Do the work apart from the raising, so that no traceback has a frame with secrets."""
    names = _PLACE.findall(written)
    odd = [name for name in names if not _NAME.fullmatch(name)]
    if odd:
        return None, f"sql: ${{...}} must hold the name of a variable, got {listed(odd)}"
    literal = _written_secret(written)
    if literal:
        return None, literal
    unset = [name for name in dict.fromkeys(names) if not os.environ.get(name)]
    if unset:
        return None, (
            f"sql: the environment variable {listed(unset)} is not set; set it before the run, as "
            f"in `export {unset[0]}=...`"
        )
    values = [os.environ[name] for name in names]
    if _PLACE.fullmatch(written):
        return _whole(written, values[0])
    return _filled(written, names, values)


def _parse(text: str) -> URL | None:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        return None


def _with_stand_ins(written: str) -> str:
    """Put a word in each ``${NAME}``'s place, digits where a port stands."""
    count = iter(range(len(_PLACE.findall(written))))
    text = _PLACE.sub(lambda _: _STAND_IN.format(next(count)), written)
    return re.sub(r":kcplace(\d+)kcend(?=[/?]|$)(?!.*@)", r":9\1", text)


def _written_secret(written: str) -> str:
    """Complain of a secret written out, without saying it."""
    if _PLACE.fullmatch(written):
        return ""
    url = _parse(_with_stand_ins(written))
    cure = "write ${NAME} in its place and set that environment variable; a case file is shared"
    if url is None:
        return (
            "sql: the URL cannot be understood; write dialect://user:${PASSWORD}@host/database, "
            "or sqlite:///file.db, or ${NAME} for a URL kept in the environment"
        )
    if url.password is not None and not _STAND_INS.fullmatch(str(url.password)):
        return f"sql: the URL holds a password; {cure}"
    for key, values in url.normalized_query.items():
        secret = _SECRET_KEY.search(key) or any(_SECRET_VALUE.search(value) for value in values)
        if secret and not all(_STAND_INS.fullmatch(value) for value in values):
            return f"sql: the URL's {printable(key)!r} may hold a secret; {cure}"
    return ""


def _whole(written: str, value: str) -> tuple[Address | None, str]:
    url = _parse(value)
    if url is None:
        return None, f"sql: the value of {written} is no database URL, dialect://user:..@host/name"
    secrets = {value: written, url.render_as_string(hide_password=False): written}
    kept = [str(url.password)] if url.password else []
    for key, values in url.normalized_query.items():
        if _SECRET_KEY.search(key) or any(_SECRET_VALUE.search(value) for value in values):
            kept += values
    secrets |= dict.fromkeys(filter(None, kept), "***")
    return Address(written, url, secrets), ""


def _filled(written: str, names: list[str], values: list[str]) -> tuple[Address | None, str]:
    url = _parse(_with_stand_ins(written))
    if url is None:
        return None, "sql: the URL cannot be understood"

    def fill(text: str | None) -> str | None:
        return text and _STAND_INS.sub(lambda match: values[int(match[1])], text)

    port = re.search(r":\$\{([^{}]*)\}(?=[/?]|$)(?!.*@)", written)
    if port and not os.environ[port[1]].isdigit():
        return None, f"sql: the environment variable {port[1]} stands for a port and is no number"
    query = {
        key: tuple(str(fill(value)) for value in given)
        for key, given in url.normalized_query.items()
    }
    url = url.set(
        username=fill(url.username),
        password=fill(str(url.password)) if url.password is not None else None,
        host=fill(url.host),
        port=int(os.environ[port[1]]) if port else url.port,
        database=fill(url.database),
        query=query,
    )
    secrets = {value: f"${{{name}}}" for name, value in zip(names, values, strict=True)}
    full = url.render_as_string(hide_password=False)
    return Address(written, url, {**secrets, full: written}), ""
