"""HTML that came from elsewhere, made harmless.

Question: how does a table of a notebook get into the page without bringing a script, a style, a
request to another machine, or a customer called ``<script>``?

:func:`clean` keeps elements of text, tables and images that carry their own data, without ids,
classes and styles.  Links survive only where the text is the notebook author's own.  Tables get a
frame that scrolls, columns of numbers are set to the right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner

_TAGS = frozenset(
    "a abbr b blockquote br caption code col colgroup dd del details dfn div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub "
    "summary sup table tbody td tfoot th thead time tr u ul var wbr".split()
)
_ATTRIBUTES: dict[str, frozenset[str]] = {
    "a": frozenset({"href"}),
    "abbr": frozenset({"title"}),
    "col": frozenset({"span"}),
    "details": frozenset({"open"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "ol": frozenset({"start", "type"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "time": frozenset({"datetime"}),
}
_PROTOCOLS = frozenset({"http", "https", "mailto", "data"})

# Their content is no text for readers.  What slips through here loses its tags below.
_WITH_CONTENT = re.compile(
    r"<(script|style|template|noscript|iframe|object|svg|math|title|select|textarea)\b.*?"
    r"</\1\s*>|<!--.*?-->",
    re.IGNORECASE | re.DOTALL,
)
_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")
_WEB = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_NUMBER = re.compile(
    # A number; one with its interval; or an interval.  Leading zeros are ids, dates are dates.
    r"(?:{0})?\s*(?:[\[(]?{0}\s*(?:,|to|±|/)\s*{0}[\])]?)?".format(
        r"[+\-−]?(?!0\d)\d[\d,.\u2009\u202f]*(?:e[+\-]?\d+)?\s?%?"  # noqa: RUF001
    )
)
# A cell with more characters is not squeezed.
_LONG = 32
_BLANK = frozenset({"", "-", "–", "—", "NaN", "nan", "None", "NaT", "inf"})  # noqa: RUF001


def clean(markup: str, *, links: Mapping[str, str] | None = None) -> str:
    """Return markup that can do nothing but show text, tables and its own images.

    Parameters
    ----------
    markup : str
        HTML.
    links : mapping, optional
        Where links lead that name a notebook's file.  Without it, all links lose their target:
        the text may come from data.

    Returns
    -------
    str
        HTML.
    """

    def links_and_images(source: Any) -> _LinksAndImages:
        return _LinksAndImages(source, links)

    cleaner = Cleaner(
        tags=_TAGS,
        attributes=_allowed,
        protocols=_PROTOCOLS,
        strip=True,
        strip_comments=True,
        filters=[links_and_images, _Tables],
    )
    return str(cleaner.clean(_WITH_CONTENT.sub("", markup)))


def _allowed(tag: str, name: str, value: str) -> bool:
    """Whether an attribute stays."""
    if name not in _ATTRIBUTES.get(tag, ()):
        return False
    if name == "src":
        return _IMAGE.fullmatch(value) is not None
    if name in ("width", "height", "colspan", "rowspan", "span", "start"):
        return value.isascii() and value.isdigit() and len(value) < 5
    if name == "scope":
        return value in ("row", "col", "rowgroup", "colgroup")
    return True


def _set(token: dict[str, Any], name: str, value: str) -> None:
    token["data"][None, name] = value


def _get(token: dict[str, Any], name: str) -> str | None:
    value = token["data"].get((None, name))
    return None if value is None else str(value)


class _LinksAndImages(Filter):
    """Gives links a harmless target or none, drops images without data."""

    def __init__(self, source: Any, links: Mapping[str, str] | None) -> None:
        super().__init__(source)
        self.links = links

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Tokens, corrected."""
        for token in super().__iter__():
            name = token.get("name")
            if name == "a" and "data" in token:
                self._aim(token)
            if name == "img":
                if _get(token, "src") is None:
                    yield {"type": "Characters", "data": _get(token, "alt") or ""}
                    continue
                _set(token, "alt", _get(token, "alt") or "")
            yield token

    def _aim(self, token: dict[str, Any]) -> None:
        """Replace the target of a link."""
        target = str(token["data"].pop((None, "href"), ""))
        if self.links is None:
            return
        notebook = self.links.get(target.partition("#")[0].rpartition("/")[2])
        if notebook:
            _set(token, "href", notebook)
        elif _WEB.fullmatch(target):
            _set(token, "href", target)
            _set(token, "rel", "noopener noreferrer")


class _Tables(Filter):
    """Frames tables, gives their headings a scope and their numbers a class."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Tokens; those of a table are held back until it is complete."""
        held: list[dict[str, Any]] = []
        depth = 0
        for token in super().__iter__():
            starts = token["type"] == "StartTag" and token["name"] == "table"
            ends = token["type"] == "EndTag" and token["name"] == "table"
            depth += starts - ends
            if depth or ends:
                held.append(token)
            else:
                yield token
            if ends and not depth:
                yield from _framed(held)
                held = []
        yield from held


def _framed(table: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Tokens of a table within a frame that scrolls and can be reached by keyboard."""
    caption = _text(_between(table, "caption"))
    _mark_cells(table)
    if not any(token.get("name") == "td" for token in table):
        table[-1:-1] = _empty_body(table)
    frame: dict[str, Any] = {"type": "StartTag", "namespace": None, "name": "div", "data": {}}
    for name, value in {
        "class": "frame",
        "role": "region",
        "tabindex": "0",
        "aria-label": caption or "Table",
    }.items():
        _set(frame, name, value)
    yield frame
    yield from table
    yield {"type": "EndTag", "namespace": None, "name": "div", "data": {}}


def _empty_body(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tokens of a row that says that there are none."""
    columns = sum(token["type"] == "StartTag" and token["name"] == "th" for token in table)
    names = ("tbody", "tr", "td")
    starts: list[dict[str, Any]] = [
        {"type": "StartTag", "namespace": None, "name": name, "data": {}} for name in names
    ]
    _set(starts[-1], "colspan", str(max(columns, 1)))
    ends: list[dict[str, Any]] = [
        {"type": "EndTag", "namespace": None, "name": name, "data": {}} for name in names[::-1]
    ]
    return [*starts, {"type": "Characters", "data": "none"}, *ends]


def _between(tokens: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Tokens inside the first element of a name."""
    inside: list[dict[str, Any]] = []
    started = False
    for token in tokens:
        if token.get("name") == name:
            if started:
                break
            started = True
        elif started:
            inside.append(token)
    return inside


def _text(tokens: list[dict[str, Any]]) -> str:
    """Plain text of tokens."""
    parts = []
    for token in tokens:
        if token["type"] in ("Characters", "SpaceCharacters"):
            parts.append(token["data"])
        elif token["type"] == "Entity":
            parts.append("&")
    return " ".join("".join(parts).split())


def _mark_cells(table: list[dict[str, Any]]) -> None:
    """Give headings their scope, and columns that hold only numbers their class."""
    body = False
    rows: list[list[tuple[dict[str, Any], str, bool]]] = []
    for position, token in enumerate(table):
        kind, name = token["type"], token.get("name")
        if name in ("thead", "tbody", "tfoot"):
            body = kind == "StartTag" and name != "thead"
        if kind != "StartTag":
            continue
        if name == "tr":
            rows.append([])
        if name in ("td", "th") and rows:
            if name == "th" and _get(token, "scope") is None:
                _set(token, "scope", "row" if body else "col")
            text = _text(_cell(table, position))
            rows[-1].append((token, text, name == "td" and body))
            if name == "td" and len(text) > _LONG:
                _set(token, "class", "long")
    _mark_numbers(rows)


def _cell(table: list[dict[str, Any]], start: int) -> list[dict[str, Any]]:
    """Tokens of the cell that starts at a position."""
    name = table[start]["name"]
    end = start + 1
    while end < len(table) and not (
        table[end]["type"] == "EndTag" and table[end].get("name") == name
    ):
        end += 1
    return table[start + 1 : end]


def _mark_numbers(rows: list[list[tuple[dict[str, Any], str, bool]]]) -> None:
    """Set the class of the columns whose every filled body cell is a number."""
    for column in range(max(map(len, rows), default=0)):
        cells = [row[column] for row in rows if column < len(row)]
        texts = [text for _, text, counts in cells if counts and text not in _BLANK]
        if texts and all(map(_NUMBER.fullmatch, texts)):
            for token, _, _ in cells:
                _set(token, "class", "number")
