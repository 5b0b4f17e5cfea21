"""Instant checks: `check("1.3", answer)` says right, or what kind of mistake it looks like."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any, Protocol

from keycustomer.coursework.mistakes import agrees, diagnose, malformed
from keycustomer.coursework.registry import CaseData, exercises
from keycustomer.customers import CustomerBase

_STYLE = "border-left:.4em solid {};padding:.3em .8em;margin:.3em 0"
_COLOURS = {"right": "#009E73", "not yet": "#D55E00", "open": "#737373"}


class _Chapter(Protocol):
    @property
    def base(self) -> CustomerBase: ...

    @property
    def parameters(self) -> Any: ...


@dataclass(frozen=True)
class Feedback:
    """What a check says of an answer.

    Attributes
    ----------
    number : str
        The exercise.
    verdict : {"right", "not yet", "open"}
        `open` where no answer was given.
    hint : str
        What kind of mistake it looks like; empty when right.
    """

    number: str
    verdict: str
    hint: str = ""

    @property
    def correct(self) -> bool:
        """Whether the answer is right."""
        return self.verdict == "right"

    def __str__(self) -> str:
        """One line."""
        return f"Exercise {self.number}: {self.verdict}" + (f" - {self.hint}" if self.hint else "")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        style = _STYLE.format(_COLOURS[self.verdict])
        return f'<div style="{style}">{html.escape(str(self))}</div>'


@dataclass(frozen=True)
class Checker:
    """Checks answers against reference answers computed from one case's data."""

    data: CaseData

    def __call__(self, number: str, answer: Any = None) -> Feedback:
        """Check an answer.

        Parameters
        ----------
        number : str
            The exercise, `"1.3"`.
        answer : optional
            The answer; without one (or `...`) the exercise stays open.

        Returns
        -------
        Feedback
            Right, or the kind of mistake it looks like; never the right answer.

        Raises
        ------
        ValueError
            When there is no such exercise.
        """
        known = exercises()
        if number not in known:
            raise ValueError(f"no exercise {number!r}; there are {', '.join(known)}")
        if answer is None or answer is ...:
            return Feedback(number, "open", "no answer yet")
        exercise = known[number]
        complaint = malformed(answer, exercise.kind)
        if complaint:
            return Feedback(number, "not yet", complaint)
        reference = exercise.reference(self.data)
        if agrees(answer, reference, exercise.kind):
            return Feedback(number, "right")
        traps = {slip: wrong(self.data) for slip, wrong in exercise.traps.items()}
        return Feedback(number, "not yet", diagnose(answer, reference, exercise.kind, traps))


def checker(chapter: _Chapter) -> Checker:
    """Return the checker of a chapter's exercises on its case.

    Parameters
    ----------
    chapter : Chapter
        An open chapter, see `keycustomer.casework.open_chapter`.
    """
    return Checker(CaseData(chapter.base, chapter.parameters))
