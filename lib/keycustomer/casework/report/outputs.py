"""What a notebook's cell has shown, as HTML.

Question: which of the forms an output comes in does the page show, and how?

:func:`render_output` shows images with their text alternative as data URIs, tables and Markdown
cleaned, everything else as text.  Messages on the error stream are folded, an error is shown with
its traceback.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Mapping
from typing import Any

from keycustomer.casework.report.cleaning import clean
from keycustomer.casework.report.mathematics import to_mathml
from keycustomer.casework.report.prose import render

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
_OBJECT = re.compile(r"\s*<[\w.]+( [^<>]*)?>\s*")
_NO_DESCRIPTION = "Figure without a description."


def joined(text: Any) -> str:
    """Text of a notebook's field, which may be a list of lines."""
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


def render_output(output: Mapping[str, Any]) -> str:
    """Return an output as HTML; empty where it has nothing to show.

    Parameters
    ----------
    output : mapping
        Output of a code cell, as notebooks store it.
    """
    kind = output.get("output_type")
    if kind == "stream":
        return _stream(str(output.get("name")), joined(output.get("text")))
    if kind == "error":
        return _error(output)
    data = output.get("data") or {}
    for mime in _IMAGES:
        if mime in data:
            return _image(mime, joined(data[mime]), output)
    return _text(data)


def plain(text: str) -> str:
    """Text without terminal colours, escaped."""
    return html.escape(_COLOURS.sub("", text))


def _stream(name: str, text: str) -> str:
    if not text.strip():
        return ""
    block = f'<pre class="printed">{plain(text)}</pre>'
    if name != "stderr":
        return block
    return f'<details class="messages"><summary>Messages</summary>{block}</details>'


def _error(output: Mapping[str, Any]) -> str:
    name, value = plain(str(output.get("ename"))), plain(str(output.get("evalue")))
    traceback = plain("\n".join(map(str, output.get("traceback") or ())))
    return (
        f'<div class="failure"><p><strong>{name}</strong>: {value}</p>'
        f"<details><summary>Traceback</summary><pre>{traceback}</pre></details></div>"
    )


def _image(mime: str, content: str, output: Mapping[str, Any]) -> str:
    metadata = output.get("metadata") or {}
    own = metadata.get(mime) or {}
    encoded = _encoded(mime, content)
    if encoded is None:
        return f'<p class="missing">{html.escape(_alternative(metadata, own, output))}</p>'
    sizes = "".join(
        f' {name}="{round(own[name])}"'
        for name in ("width", "height")
        if isinstance(own.get(name), int | float) and 0 < own[name] < 10_000
    )
    alternative = html.escape(_alternative(metadata, own, output))
    return f'<figure><img src="data:{mime};base64,{encoded}" alt="{alternative}"{sizes}></figure>'


def _encoded(mime: str, content: str) -> str | None:
    """Image in base64; None where it is not."""
    if mime == "image/svg+xml":
        # As an image an SVG neither runs scripts nor loads anything.
        return base64.b64encode(content.encode()).decode()
    compact = "".join(content.split())
    try:
        base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return None
    return compact


def _alternative(
    metadata: Mapping[str, Any], own: Mapping[str, Any], output: Mapping[str, Any]
) -> str:
    """Text alternative: from the metadata, else the output's plain text, else a plain statement."""
    given = str(own.get("alt") or metadata.get("alt") or "").strip()
    text = joined((output.get("data") or {}).get("text/plain")).strip()
    if _OBJECT.fullmatch(text):
        text = ""
    return " ".join((given or text or _NO_DESCRIPTION).split())


def _text(data: Mapping[str, Any]) -> str:
    """Richest form of text there is."""
    if "text/html" in data:
        return f'<div class="shown">{clean(joined(data["text/html"]))}</div>'
    if "text/markdown" in data:
        return f'<div class="said">{render(joined(data["text/markdown"]))}</div>'
    if "text/latex" in data:
        return f"<p>{to_mathml(joined(data['text/latex']).strip().strip('$'), block=True)}</p>"
    text = joined(data.get("text/plain"))
    return f'<pre class="printed">{plain(text)}</pre>' if text.strip() else ""
