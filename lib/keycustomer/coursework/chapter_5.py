"""Reference answers of the exercises of chapter 5, with the slips they are known for.

What do the exercises on strategy ask?  Whether two tools help each other, what a tool brings on
average over all orders of introduction, how much rests on the ten largest customers, what two
actions for the same account bring together, and where a budget is cut.  Traps name the slip that
leads to a wrong answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

from keycustomer.coursework.made_up import (
    RISK_OF_LEAVING,
    WORTH_OF_STAYING,
    three_levers,
    three_tools,
    two_actions,
)
from keycustomer.coursework.registry import CaseData, exercise

_TOOLS = ("segmentation", "dossier", "back office")
_ASKED = "back office"
_LARGEST = 10


@exercise("5.1", "choice")
def together(case: CaseData) -> str:
    """Say whether segmentation and back office help each other, hinder each other or neither."""
    both = _worth(("segmentation", "back office"))
    apart = _worth(("segmentation",)) + _worth(("back office",))
    return "help" if both > apart else "hinder" if both < apart else "neither"


@together.trap("each brings something alone; the question is about both against their sum")
def _no_interplay(case: CaseData) -> str:
    return "neither"


@exercise("5.2", "amount")
def average_contribution(case: CaseData) -> float:
    """Give the back office's mean contribution over all orders of introduction."""
    orders = list(permutations(_TOOLS))
    return sum(_joining(order) for order in orders) / len(orders)


@average_contribution.trap("that is what it brings where nothing else is there")
def _first(case: CaseData) -> float:
    return _worth((_ASKED,))


@average_contribution.trap("that is what it brings where all others are there already")
def _last(case: CaseData) -> float:
    return _worth(_TOOLS) - _worth(("segmentation", "dossier"))


@average_contribution.trap(
    "that is the mean over the combinations of the others; count how many orders lead to each"
)
def _each_combination_once(case: CaseData) -> float:
    before: list[tuple[str, ...]] = [(), ("segmentation",), ("dossier",), _TOOLS[:2]]
    gains = [_worth((*others, _ASKED)) - _worth(others) for others in before]
    return sum(gains) / len(gains)


@exercise("5.3", "share")
def share_of_the_ten_largest(case: CaseData) -> float:
    """Give the share of all revenue that the ten largest customers bring."""
    revenue = case.buyers["revenue"].sort_values(ascending=False)
    return float(revenue.iloc[:_LARGEST].sum() / revenue.sum())


@share_of_the_ten_largest.trap("that is the largest tenth of the customers, not the ten largest")
def _largest_tenth(case: CaseData) -> float:
    revenue = case.buyers["revenue"].sort_values(ascending=False)
    return float(revenue.iloc[: max(1, round(len(revenue) / 10))].sum() / revenue.sum())


@share_of_the_ten_largest.trap("that is their share of the customers; ask for the revenue")
def _share_of_customers(case: CaseData) -> float:
    return _LARGEST / len(case.buyers)


@exercise("5.4", "amount")
def both_actions(case: CaseData) -> float:
    """Give what two actions that keep the same account bring together."""
    left = math.prod(1 - share for share in two_actions())
    return RISK_OF_LEAVING * (1 - left) * WORTH_OF_STAYING


@both_actions.trap("an account can be kept only once: the second action works on who is left")
def _added(case: CaseData) -> float:
    return RISK_OF_LEAVING * sum(two_actions()) * WORTH_OF_STAYING


@both_actions.trap("that is the better action alone")
def _the_better_one(case: CaseData) -> float:
    return RISK_OF_LEAVING * max(two_actions()) * WORTH_OF_STAYING


@exercise("5.5", "choice")
def where_to_cut(case: CaseData) -> str:
    """Name the lever that loses one step when the budget is one step smaller."""
    last = three_levers().groupby("lever")["gain"].last()
    return str(last.idxmin())


@where_to_cut.trap("it gets most; what does its last step bring, and that of the others?")
def _the_largest(case: CaseData) -> str:
    return str(three_levers()["lever"].value_counts().idxmax())


@where_to_cut.trap("it brings least in all; a cut takes only the last step")
def _the_least_in_all(case: CaseData) -> str:
    return str(three_levers().groupby("lever")["gain"].sum().idxmin())


def _worth(tools: Sequence[str]) -> float:
    """Profit gained by some of the three tools together."""
    name = " + ".join(tool for tool in _TOOLS if tool in tools) or "none"
    return float(three_tools()[name])


def _joining(order: Sequence[str]) -> float:
    """Gain when the tool asked about joins in this order."""
    before = order[: order.index(_ASKED)]
    return _worth((*before, _ASKED)) - _worth(before)
