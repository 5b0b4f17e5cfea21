"""The registry of exercises: each one's kind, reference answer and traps.

`exercise` registers a function of the case's data under an id such as `"1.3"`; `exercises` lists
what is registered; `CaseData` is what such a function is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd

from keycustomer.coursework.mistakes import Kind
from keycustomer.customers import CustomerBase, customer_table

if TYPE_CHECKING:
    from keycustomer.dimensions.measurement.survey import Survey

Answer = Callable[["CaseData"], Any]

_MODULES = (
    "keycustomer.coursework.chapter_0",
    "keycustomer.coursework.chapter_1",
    "keycustomer.coursework.chapter_1_lifetime",
    "keycustomer.coursework.chapter_2",
    "keycustomer.coursework.chapter_3",
    "keycustomer.coursework.chapter_4",
    "keycustomer.coursework.chapter_5",
)
_REGISTRY: dict[str, Exercise] = {}


@dataclass
class CaseData:
    """A case as the reference answers see it.

    Attributes
    ----------
    base : CustomerBase
        The prepared base.
    parameters : mapping
        The chapter's parameters.
    """

    base: CustomerBase
    parameters: Mapping[str, Any]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The customer table, all customers."""
        return customer_table(self.base)

    @cached_property
    def survey(self) -> Survey:
        """The survey of the base, read as the chapter's parameters say."""
        from keycustomer.dimensions import open_survey

        given = self.parameters
        ends = {"low": given["scale_low"], "high": given["scale_high"]}
        return open_survey(self.base, **ends, missing=given["missing_marks"])

    @property
    def buyers(self) -> pd.DataFrame:
        """Customers with positive revenue."""
        return self.table[self.table["revenue"] > 0]


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    number : str
        Chapter and number, `"1.3"`.
    kind : str
        What its answer is, see `keycustomer.coursework.mistakes`.
    reference : callable
        The right answer as a function of `CaseData`.
    traps : dict of str to callable
        Wrong answers by the sentence that names the slip leading to them.
    """

    number: str
    kind: Kind
    reference: Answer
    traps: dict[str, Answer] = field(default_factory=dict)

    def trap(self, slip: str) -> Callable[[Answer], Answer]:
        """Register what comes out when a known slip is made."""

        def register(wrong: Answer) -> Answer:
            self.traps[slip] = wrong
            return wrong

        return register


def exercise(number: str, kind: Kind) -> Callable[[Answer], Exercise]:
    """Register the decorated function as the reference answer of an exercise.

    Parameters
    ----------
    number : str
        Chapter and number, `"1.3"`.
    kind : str
        What the answer is.

    Raises
    ------
    ValueError
        When the number is taken.
    """

    def register(reference: Answer) -> Exercise:
        if number in _REGISTRY:
            raise ValueError(f"exercise {number} is registered already")
        _REGISTRY[number] = Exercise(number, kind, reference)
        return _REGISTRY[number]

    return register


def exercises() -> dict[str, Exercise]:
    """All exercises by number."""
    for module in _MODULES:
        import_module(module)
    return dict(sorted(_REGISTRY.items(), key=lambda item: [int(n) for n in item[0].split(".")]))
