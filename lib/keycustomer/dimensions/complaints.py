"""Complaints about a call: all of them at once, names listed, and what was perhaps meant.

What does a message need to say so that the reader can put it right?  :func:`refuse` raises with
every complaint, :func:`listed` writes names so that many of them do not fill the screen, and
:func:`did_you_mean` tells the known names next to one that is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_LISTED = 12
"""Names a message writes out; of more it tells how many."""


def refuse(complaints: Iterable[str], heading: str = "") -> None:
    """Raise a ValueError with all complaints, where there are any.

    Parameters
    ----------
    complaints : iterable of str
        What is wrong, one sentence each.
    heading : str
        What cannot be done for it; above the complaints.
    """
    found = list(complaints)
    if heading and found:
        raise ValueError("\n  ".join([f"{heading}:", *found]))
    if found:
        raise ValueError(found[0] if len(found) == 1 else "\n- ".join(["", *found]))


def listed(names: Iterable[object], most: int = MOST_LISTED) -> str:
    """Write names in quotation marks, one after the other.

    Examples
    --------
    >>> listed(["price", "trust", "service"], most=2)
    "'price', 'trust', ... (1 more)"
    """
    shown = [repr(str(name)) for name in names]
    more = f", ... ({len(shown) - most:,} more)" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more


def did_you_mean(name: object, known: Iterable[object], most: int = 3) -> str:
    """Ask for the known names nearest to one that is not known; empty where none is near.

    Examples
    --------
    >>> did_you_mean("Satisfation", ["satisfaction", "loyalty"])
    "; did you mean 'satisfaction'?"
    """
    by_fold = {str(one).casefold(): str(one) for one in known}
    near = get_close_matches(str(name).casefold(), list(by_fold), n=most)
    return f"; did you mean {' or '.join(repr(by_fold[one]) for one in near)}?" if near else ""
