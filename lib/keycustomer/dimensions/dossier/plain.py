"""How a dossier words its figures: amounts, shares, ranks, days, and texts cut to their place.

Names: :func:`money`, :func:`percent_of`, :func:`place_among`, :func:`above`, :func:`change`,
:func:`listed`, :func:`cut`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

CELL, SENTENCES = 44, 320
"""Characters of a cell, and of a sentence or two; longer texts end in an ellipsis."""


def cut(text: object, longest: int = CELL) -> str:
    """Text on one line, no longer than so many characters."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return flat if len(flat) <= longest else flat[: longest - 1].rstrip() + "…"


def money(value: float, currency: str) -> str:
    """Write an amount: ``money(1234.5, "EUR")`` is ``1,234 EUR``."""
    if not math.isfinite(value):
        return "not known"
    digits = 0 if abs(value) >= 100 else 2
    return f"{value:,.{digits}f} {currency}".replace("-", "\N{MINUS SIGN}")


def percent_of(share: float, digits: int = 0) -> str:
    """Write a share in percent: ``percent_of(.345)`` is ``34 %``."""
    if not math.isfinite(share):
        return "not known"
    return f"{100 * share:.{digits}f} %".replace("-", "\N{MINUS SIGN}")


def place_among(value: float, all_values: Sequence[float] | np.ndarray) -> float:
    """Share of the others that lie below a value, ties by half, 0..1."""
    known = np.asarray(all_values, dtype=float)
    known = known[np.isfinite(known)]
    if not known.size or not math.isfinite(value):
        return math.nan
    return float(((known < value).mean() + (known <= value).mean()) / 2)


def above(place: float) -> str:
    """Write a place among others: ``above(.345)`` is ``34 %``; never all of them."""
    if not math.isfinite(place):
        return "not known"
    return f"{min(int(100 * place), 99)} %"


def change(now: float, before: float) -> str:
    """Write a change in percent with its sign; a note where there was nothing before."""
    if not (math.isfinite(now) and math.isfinite(before)) or before <= 0:
        return "nothing to compare with the year before"
    share = now / before - 1
    sign = "+" if share >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(100 * share):.0f} % on the year before"


def listed(texts: Sequence[str], most: int = 4, longest: int = CELL) -> str:
    """Write some of several texts with commas, and count the rest."""
    shown = [cut(text, longest) for text in texts[:most]]
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(shown) + more
