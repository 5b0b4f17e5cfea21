"""Digits that somebody typed into a brief or a note: numbers that would grow stale.

Question: does a number stand in this text that no code has computed?

:func:`typed_numbers` finds them.  Allowed are placeholders (see
:mod:`keycustomer.casework.across.notes`), code, targets of links, numbers of a list, ids of the
course's claims (K1, T8a), numbers of chapters, exercises, sections, questions and the like, the
name of the 80/20 rule, years (of four digits, alone after a comma, a bracket, an author or a word
such as "in" or "of"), and everything below a heading that begins with "Source".
"""

from __future__ import annotations

import re

from keycustomer.casework.measures import CLAIMS

_NUMBERED = (
    "chapter|notebook|exercise|section|question|part|step|task|figure|table|equation|trouble|wave|"
    "quarter|slide|session|level|article"
)
_NUMBER = r"\d+(?:\.\d+)*[a-z]?"
_YEAR = r"(?:1[89]|20)\d\d(?![\d,.]\d|\s?%)"
_SEASON = (
    "spring|summer|autumn|winter|january|february|march|april|may|june|july|august|september|"
    "october|november|december"
)

# In this order: what is taken out first cannot hide what follows.
_ALLOWED = [
    re.compile(pattern, re.IGNORECASE | re.MULTILINE | re.DOTALL)
    for pattern in (
        r"^(`{3,}|~{3,}).*?^\1[`~]*[ \t]*$",
        r"\{\{.*?\}\}",
        r"<!--.*?-->",
        r"`[^`\n]+`",
        r"^#+[ \t]+sources?\b.*?(?=^#|\Z)",
        r"(?<=\])\([^)\s]*\)|<?https?://\S+",
        r"^[ \t]*(?:>[ \t]*)*\d+[.)](?=[ \t])",
        rf"\b(?:{_NUMBERED})s?\s+{_NUMBER}(?:\s*(?:,|and|or|to|–|-)\s*{_NUMBER})*\b",  # noqa: RUF001
        r"\b(?:80/20|20/80)\b",
        rf"(?:[(,;]\s*|\b(?:in|of|since|from|until|till|by|to|and|before|after|between|{_SEASON})"
        rf"\s+){_YEAR}[a-z]?\b",
        rf"(?-i:\b[A-Z])\w+\s+{_YEAR}[a-z]?(?=[;,.)])",
    )
]
_CLAIM = re.compile(rf"\b(?:{'|'.join(sorted(CLAIMS, key=len, reverse=True))})\b")
_DIGITS = re.compile(r"\S*\d\S*")


def typed_numbers(text: str) -> list[tuple[int, str]]:
    """Find digits in a text that are no placeholder, id, reference or year.

    Parameters
    ----------
    text : str
        A brief or a note, Markdown.

    Returns
    -------
    list of (int, str)
        Line and word of each.

    Examples
    --------
    >>> typed_numbers("Question 3: {{ gini as number 2 }} of K1 (Schmittlein et al., 1993).")
    []
    >>> typed_numbers("The top fifth brings 67 % of it.")
    [(1, '67')]
    """
    left = text
    for pattern in (*_ALLOWED, _CLAIM):
        left = pattern.sub(_blank, left)
    return [
        (left.count("\n", 0, found.start()) + 1, found.group()) for found in _DIGITS.finditer(left)
    ]


def _blank(found: re.Match[str]) -> str:
    """Return what keeps the lines of what it replaces."""
    return re.sub(r"[^\n]", " ", found.group())
