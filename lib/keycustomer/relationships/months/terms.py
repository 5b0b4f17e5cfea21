"""Length of a contract as the name of its price plan tells it.

:func:`term_of` reads "12 months", "Two year", "24-month plan", "monthly"; None where a name tells
no length.
"""

from __future__ import annotations

import re

_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}

_LENGTH = re.compile(
    rf"\b(?P<number>\d{{1,3}}|{'|'.join(_NUMBERS)})[\s_-]*(?P<unit>month|year)s?\b", re.IGNORECASE
)

_NO_TERM = re.compile(r"\b(monthly|month[\s_-]to[\s_-]month|no (fixed )?term)\b", re.IGNORECASE)


def term_of(plan: str) -> int | None:
    """Months of a contract in a price plan; 0 when it may be ended any month, None when not told.

    Examples
    --------
    >>> term_of("12 months"), term_of("Two year"), term_of("Month-to-month"), term_of("gold")
    (12, 24, 0, None)
    """
    found = _LENGTH.search(plan)
    if found:
        word = found["number"].lower()
        number = _NUMBERS[word] if word in _NUMBERS else int(word)
        return number * (12 if found["unit"].lower() == "year" else 1)
    return 0 if _NO_TERM.search(plan) else None
