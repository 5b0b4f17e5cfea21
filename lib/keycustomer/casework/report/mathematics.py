"""Equations: LaTeX to MathML that browsers show without a script.

Question: how does a formula of a notebook get into a page that loads nothing?

:func:`to_mathml` converts one formula.  The converter writes text without escaping it and passes
links and styles through, so that its result is parsed as XML and only known elements and
attributes are kept.  A formula that cannot be converted is shown as its LaTeX source.

Sources: MathML Core (W3C).
"""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree as ET

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"

_ELEMENTS = frozenset(
    "math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot "
    "mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none "
    "semantics".split()
)
_ATTRIBUTES = frozenset(
    "accent accentunder columnalign columnlines columnspacing depth display displaystyle fence "
    "form height largeop linebreak linethickness lspace mathsize mathvariant maxsize minsize "
    "movablelimits notation rowlines rowspacing rspace scriptlevel separator stretchy symmetric "
    "voffset width".split()
)
# What may follow a function's name without a bracket; a thin space parts them, as in LaTeX.
_ARGUMENTS = frozenset({"mi", "mn", "mfrac", "msqrt", "msub", "msup", "msubsup"})
_VALUE = re.compile(r"[\w.%+\- ]*")

# Characters with a meaning in XML cross the converter as private ones.
_PRIVATE = {"<": "\ue010", ">": "\ue011"}
_BACK = {ord(private): mark for mark, private in _PRIVATE.items()}
_LONE_AMPERSAND = re.compile(r"&(?!#x?[0-9A-Fa-f]+;)")
_NUMBERED = re.compile(r"\\tag\*?\{[^}]*\}|\\label\{[^}]*\}|\\nonumber|\\notag")
# Environments the converter does not know under this name, or numbers.
_KNOWN_AS = {
    r"{aligned}": r"{align*}",
    r"{align}": r"{align*}",
    r"{equation}": "",
    r"{equation*}": "",
}


def to_mathml(latex: str, *, block: bool = False) -> str:
    r"""Convert a formula.

    Parameters
    ----------
    latex : str
        LaTeX without the dollar signs.
    block : bool
        Whether it stands on lines of its own.

    Returns
    -------
    str
        A `math` element with the source as its `alttext`, or the source as code where it cannot
        be converted.

    Examples
    --------
    >>> to_mathml("x < 2").partition("<mrow>")[2]
    '<mi>x</mi><mo>&lt;</mo><mn>2</mn></mrow></math>'
    """
    source = latex.strip()
    element = _converted(_prepared(source), block)
    if element is None or _unknown_command(element):
        return f'<code class="latex">{html.escape(source)}</code>'
    element.attrib = {"display": "block" if block else "inline", "alttext": source}
    return ET.tostring(element, encoding="unicode", short_empty_elements=False)


def _prepared(source: str) -> str:
    """LaTeX as the converter knows it."""
    text = _NUMBERED.sub("", source)
    for ours, theirs in _KNOWN_AS.items():
        for command in (r"\begin", r"\end"):
            text = text.replace(command + ours, command + theirs if theirs else "")
    for mark, private in _PRIVATE.items():
        text = text.replace(mark, private)
    return text


def _converted(text: str, block: bool) -> ET.Element | None:
    """Parse what the converter makes of it; None where it fails."""
    from latex2mathml.converter import convert
    from latex2mathml.exceptions import NoAvailableTokensError

    try:
        markup = convert(text, display="block" if block else "inline")
        # The document is made here from one formula: no entity or external reference can be in it.
        element = ET.fromstring(_LONE_AMPERSAND.sub("&amp;", markup))  # noqa: S314
    except (ET.ParseError, NoAvailableTokensError, LookupError, ValueError, RecursionError):
        return None
    except Exception as error:
        if type(error).__module__ != "latex2mathml.exceptions":
            raise
        return None
    return _kept(element)


def _kept(element: ET.Element) -> ET.Element:
    """Copy of an element with known elements, attributes and values only."""
    name = element.tag.removeprefix(f"{{{_NAMESPACE}}}")
    copy = ET.Element(name if name in _ELEMENTS else "mrow")
    for key, value in element.attrib.items():
        if key in _ATTRIBUTES and _VALUE.fullmatch(value):
            copy.set(key, value)
    copy.text = element.text.translate(_BACK) if element.text else None
    if name == "mi" and copy.text in _PRIVATE:
        copy.tag = "mo"
    for child in element:
        kept = _kept(child)
        kept.tail = None
        in_row = copy.tag in ("math", "mrow", "mtd") and len(copy)
        if in_row and _is_function(copy[-1]) and kept.tag in _ARGUMENTS:
            copy.append(ET.Element("mspace", {"width": "0.167em"}))
        copy.append(kept)
    return copy


def _is_function(element: ET.Element) -> bool:
    """Whether an element is a function's name, as in "log 5", with or without an index."""
    if element.tag in ("msub", "msup", "msubsup") and len(element):
        return _is_function(element[0])
    text = element.text or ""
    return element.tag in ("mi", "mo") and len(text) > 1 and text.isalpha() and text.isascii()


def _unknown_command(element: ET.Element) -> bool:
    """Whether a command has come through as text."""
    return any(
        part.tag in ("mi", "mo", "mtext") and (part.text or "").startswith("\\")
        for part in element.iter()
    )
