"""The page of one account plan: what to do and why, on one printed sheet in the dossier's look.

:class:`AccountPlan` is the page; :func:`make_plan` puts it together from the account's row and the
parts of its dossier.  Across the page stand the chosen actions, below what they rest on: value,
price position, service; value dimensions, level and contract, next need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from keycustomer.dimensions.dossier.blocks import Block
from keycustomer.dimensions.dossier.header import header_of
from keycustomer.dimensions.dossier.opinions import next_block
from keycustomer.dimensions.dossier.page import CustomerPage, render_page
from keycustomer.dimensions.dossier.plain import SENTENCES, cut, money
from keycustomer.strategy.plans.blocks import (
    care_block,
    gaps_block,
    price_block,
    service_block,
    value_block,
)

if TYPE_CHECKING:
    from keycustomer.strategy.plans.top_accounts import AccountPlans

MOST_FACTS = 9
"""Facts on file in the head."""


@dataclass(frozen=True, eq=False)
class AccountPlan(CustomerPage):
    """The plan of one account."""

    kind: ClassVar[str] = "plan"


def make_plan(plans: AccountPlans, row: pd.Series, label: str | None) -> AccountPlan:
    """Make the page of an account; see `AccountPlans.page`.

    Parameters
    ----------
    plans : AccountPlans
        The plans.
    row : Series
        The account's row of their frame.
    label : str or None
        What the page calls the account.
    """
    book, customer = plans.book, str(row["customer_id"])
    head = header_of(book, customer, label)
    lead = actions_block(plans, customer, row)
    left = [value_block(plans, row), price_block(plans, row), service_block(plans, row)]
    right = [gaps_block(plans, row), care_block(plans, row), next_block(book, customer)]
    graded = [] if pd.isna(row["class"]) else [("class", str(row["class"]))]
    content: dict[str, Any] = {
        "house": "Account plan",
        "label": head.label,
        "lede": cut(head.lede, SENTENCES),
        "facts": [*graded, *head.facts[:MOST_FACTS]],
        "lead": lead,
        "columns": (left, right),
    }
    return AccountPlan(customer, head.label, (lead, *left, *right), render_page(book, content))


def actions_block(plans: AccountPlans, customer_id: str, row: pd.Series) -> Block:
    """Make the part on what to do.

    Parameters
    ----------
    plans : AccountPlans
        The plans.
    customer_id : str
        The account.
    row : Series
        Its row.
    """
    name, title = "actions", "What to do"
    if plans.total is None:
        return Block(name, title, missing=f"No actions: {plans.missing['actions']}.")
    own = plans.actions[plans.actions["customer_id"] == customer_id]
    if pd.isna(row["promised"]):
        return Block(name, title, missing="No action was weighed for this account.")
    if own.empty:
        return Block(
            name, title, "No action promises more than going on as today.",
            note="Each was valued from what the firm has on record, or could not be.",
        )  # fmt: skip
    rows = tuple(
        (
            cut(one["action"], 30),
            _change(one),
            _amount(one["value"]),
            _between(one["lower"], one["upper"]),
            _amount(one["cost"]),
            cut(one["assumption"], 240),
        )
        for one in own.to_dict("records")
    )
    ends = (
        ""
        if pd.isna(row["promised_lower"])
        else (f" (between {_amount(row['promised_lower'])} and {_amount(row['promised_upper'])})")
    )
    said = (
        f"Together promised: {money(row['promised'], plans.currency)}{ends} more than going on as "
        f"today{_ahead(plans)}{_plain(plans, row)}."
    )
    heads = (
        "action", "from, to", f"alone, {plans.currency}", "interval", f"cost, {plans.currency}",
        "what must be true",
    )  # fmt: skip
    note = (
        "Alone: expected value of this action only, against going on as today. The largest of "
        "several estimates are chosen, and such choices promise on average more than they keep."
    )
    return Block(name, title, said, heads=heads, rows=rows, note=note)


def _change(action: dict[Any, Any]) -> str:
    """Present and proposed setting."""
    present = "" if pd.isna(action["present"]) else cut(action["present"], 50)
    setting = cut(action["setting"], 60)
    return f"{present} \N{RIGHTWARDS ARROW} {setting}" if present else setting


def _between(lower: float, upper: float) -> str:
    if pd.isna(lower) or pd.isna(upper):
        return "not known"
    return f"{_amount(lower)} to {_amount(upper)}"


def _amount(value: float) -> str:
    return "not known" if pd.isna(value) else money(value, "").rstrip()


def _ahead(plans: AccountPlans) -> str:
    return "" if plans.horizon is None else f", over {plans.horizon} months"


def _plain(plans: AccountPlans, row: pd.Series) -> str:
    """Tell the plain sum where it is another."""
    alone = money(row["promised_plain"], plans.currency)
    same = alone == money(row["promised"], plans.currency)
    return "" if same else f"; each counted alone they add up to {alone}"
