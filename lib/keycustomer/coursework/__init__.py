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

from keycustomer.lazy import lazy_names

_NAMES: dict[str, tuple[str, ...]] = {
    "checking": ("Checker", "Feedback", "checker"),
    "made_up": (
        "ASKED",
        "BUDGET_OF_SIX",
        "DISCOUNT_AT_RISK",
        "LIFETIME_VALUE",
        "RISK_OF_LEAVING",
        "SOLD",
        "UNIT_COST_ASKED",
        "WORTH_OF_STAYING",
        "asked_prices",
        "at_risk",
        "offered_discount",
        "six_customers",
        "ten_customers",
        "three_levers",
        "three_tools",
        "twelve_answers",
        "twelve_weeks",
        "two_actions",
    ),
    "mistakes": ("diagnose",),
    "registry": ("CaseData", "Exercise", "exercise", "exercises"),
}
"""Public names by module; a name must differ from every module's name."""

__all__, __getattr__, __dir__ = lazy_names(__name__, _NAMES)
