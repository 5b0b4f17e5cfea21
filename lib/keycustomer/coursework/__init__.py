"""Coursework: exercises whose right answers are computed from the case at hand.

An exercise's reference answer is a function of the case's data, so the same exercise works on any
case and on a student's own. In a notebook::

    check = kc.coursework.checker(chapter)
    check("1.3", answer)

`registry` holds the exercises, `mistakes` tells what kind of slip a wrong answer looks like,
`checking` joins them; `chapter_0`, `chapter_1`, `chapter_1_lifetime`, `chapter_2` to `chapter_5`
hold the exercises of those chapters, `made_up` the made-up customers that some of
them are about.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "Checker": "checking",
    "Feedback": "checking",
    "checker": "checking",
    "CaseData": "registry",
    "Exercise": "registry",
    "exercise": "registry",
    "exercises": "registry",
    "diagnose": "mistakes",
    "ASKED": "made_up",
    "BUDGET_OF_SIX": "made_up",
    "DISCOUNT_AT_RISK": "made_up",
    "LIFETIME_VALUE": "made_up",
    "RISK_OF_LEAVING": "made_up",
    "SOLD": "made_up",
    "UNIT_COST_ASKED": "made_up",
    "WORTH_OF_STAYING": "made_up",
    "asked_prices": "made_up",
    "at_risk": "made_up",
    "offered_discount": "made_up",
    "six_customers": "made_up",
    "ten_customers": "made_up",
    "three_levers": "made_up",
    "three_tools": "made_up",
    "twelve_answers": "made_up",
    "twelve_weeks": "made_up",
    "two_actions": "made_up",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    """Load a name's module when it is first asked for."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
