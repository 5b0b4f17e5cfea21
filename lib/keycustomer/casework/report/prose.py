"""Markdown of notebooks as HTML, with equations as MathML.

Question: how does an author's text, or a sentence computed from data, reach the page?

:func:`render` turns Markdown into clean HTML.  Equations are taken out while the text is parsed, so
that neither Markdown nor the cleaning touches them, and put back as MathML.  A dollar sign starts
an equation only where no space follows it, and ends one only where no space precedes and no digit
follows it: "from $5 to $10" stays a sentence, and so does an escaped dollar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import mistune

from keycustomer.casework.report.cleaning import clean
from keycustomer.casework.report.mathematics import to_mathml

_BLOCK = (
    r"^ {0,3}\$\$(?P<block_dollars>(?:[^$\\]|\\[\s\S])+?)\$\$[ \t]*(?:\n|$)|"
    r"^ {0,3}(?P<block_environment>\\begin\{(?P<block_name>\w+\*?)\}[\s\S]+?"
    r"\\end\{(?P=block_name)\})[ \t]*(?:\n|$)"
)
_INLINE = (
    r"\$\$(?P<display_dollars>(?:[^$\\]|\\[\s\S])+?)\$\$|"
    r"\$(?![\s$])(?P<inline_dollars>(?:[^$\\]|\\[\s\S])*?(?:[^$\\\s]|\\\S))\$(?!\d)"
)
# Private characters that frame an equation's number on its way through Markdown and cleaning.
_OPEN, _CLOSE = "\ue000", "\ue001"
_PLACE = re.compile(f"{_OPEN}([01])([0-9]+){_CLOSE}")
_RESERVED = re.compile("[\ue000-\ue01f]")
_PARAGRAPH_OF_PLACES = re.compile(f"<p>\\s*({_OPEN}1[0-9]+{_CLOSE})\\s*</p>")


def render(markdown: str, *, links: Mapping[str, str] | None = None) -> str:
    """Render Markdown.

    Parameters
    ----------
    markdown : str
        The text.
    links : mapping, optional
        Chapter by notebook's file name; without it links lose their target (see `clean`).

    Returns
    -------
    str
        HTML that can do no harm.
    """
    formulas: list[str] = []
    text, _ = _parser().parse(_RESERVED.sub("", markdown), _state(formulas))
    cleaned = _PARAGRAPH_OF_PLACES.sub(r"\1", clean(str(text), links=links))
    return _PLACE.sub(lambda found: _formula(found, formulas), cleaned)


def _formula(place: re.Match[str], formulas: list[str]) -> str:
    number = int(place.group(2))
    if number >= len(formulas):
        return ""
    return to_mathml(formulas[number], block=place.group(1) == "1")


def _state(formulas: list[str]) -> Any:
    """Parser's state that collects equations."""
    state = _parser().block.state_cls()
    state.env["formulas"] = formulas
    return state


@cache
def _parser() -> Any:
    """Make a Markdown parser that takes equations out."""
    parser = mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "def_list"])
    _add_equations(parser)
    return parser


def _add_equations(markdown: Any) -> None:
    """Add the rules for equations to a parser."""
    markdown.block.register("block_equation", _BLOCK, _take_block, before="list")
    markdown.inline.register("equation", _INLINE, _take_inline, before="codespan")
    markdown.renderer.register("equation", lambda _renderer, text: text)
    markdown.renderer.register("block_equation", lambda _renderer, text: f"<p>{text}</p>\n")


def _place(state: Any, latex: str, block: bool) -> str:
    """Put an equation aside and return what stands for it."""
    formulas = state.env["formulas"]
    formulas.append(latex)
    return f"{_OPEN}{int(block)}{len(formulas) - 1}{_CLOSE}"


def _take_block(_block: Any, found: re.Match[str], state: Any) -> int:
    latex = found.group("block_dollars") or found.group("block_environment")
    state.append_token({"type": "block_equation", "raw": _place(state, latex, block=True)})
    return found.end()


def _take_inline(_inline: Any, found: re.Match[str], state: Any) -> int:
    display = found.group("display_dollars")
    latex = display or found.group("inline_dollars")
    place = _place(state, latex, block=display is not None)
    state.append_token({"type": "equation", "raw": place})
    return found.end()
