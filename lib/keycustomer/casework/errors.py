"""Errors a user can mend: what is wrong, where, and the cure, without a traceback.

`CaseError` carries one or more problems; `did_you_mean` adds the likely word to a complaint.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class CaseError(Exception):
    """One or more problems with a case, a parameter or a command, shown together.

    Attributes
    ----------
    problems : tuple of str
        One line or more each.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Text ` (did you mean 'x'?)` for the known word nearest to `word`, or nothing."""
    originals = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), list(originals), n=1, cutoff=0.6)
    return f" (did you mean {originals[near[0]]!r}?)" if near else ""
