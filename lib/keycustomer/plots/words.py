"""Words that findings of figures share: where data are made up, capitals and minus signs."""

from __future__ import annotations

import re

MINUS = "\N{MINUS SIGN}"


def made_up(result: object) -> str:
    """Begin the finding of a figure: "Simulated: " where the data are made up."""
    return "Simulated: " if getattr(result, "simulated", False) else ""


def capital(text: str) -> str:
    """Begin a sentence with a capital, whatever a name in it looks like."""
    return text[:1].upper() + text[1:]


def with_minus(text: str) -> str:
    """Write minus signs before numbers as such; hyphens in names and months stay."""
    return re.sub(r"(?<!\w)-(?=[\d.])", MINUS, text)


def hundredths(value: float) -> str:
    """Write a number with two digits and a proper minus sign."""
    return f"{value:.2f}".replace("-", MINUS)
