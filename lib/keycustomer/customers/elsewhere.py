"""Customers of one or two categories who probably buy the rest elsewhere.

Question: who gives this company only a corner of the shopping list? What a customer buys from
others is in no company's records, so the answer is made of signs that can be measured, each named
in `SIGNS`, and it proposes whom to ask, no more. Name: :func:`buying_elsewhere`.

Source: the course's R2.
"""

from __future__ import annotations

import math

import pandas as pd

from keycustomer.customers.answers import Answer, ranked
from keycustomer.customers.base import CustomerBase
from keycustomer.customers.largest import halves
from keycustomer.customers.rendering import counted, percent, share_of
from keycustomer.customers.statements import statement

SIGNS = {
    "peers_buy_more": "customers of like size spread over at least twice as many categories",
    "large_in_one": "among the largest buyers of its main category, yet hardly in any other",
    "narrowing": "still buys, but in at most half as many categories as before",
}
"""Signs of buying elsewhere, by name."""


def buying_elsewhere(
    base: CustomerBase,
    table: pd.DataFrame,
    *,
    value: str = "revenue",
    few: int = 2,
    large: float = 0.2,
) -> Answer:
    """Find customers of few categories with signs of buying the rest elsewhere.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with product categories.
    table : DataFrame
        The customer table: customer_id, orders and `value`.
    value : str
        Column by which peers are of like size (tenths of the repeat buyers).
    few : int
        Categories that make 80 % of a customer's revenue, at most.
    large : float
        Share of a category's buyers that are its largest, 0..1.

    Returns
    -------
    Answer
        `customers` has customer_id, the value, categories, main_categories (making 80 % of the
        revenue), peers (median of the same of customers of like size), main_category,
        share_main_category, categories before and after the middle, the signs and their number.

    Notes
    -----
    Customers with a single order are left out: one basket tells nothing about a shopping list.
    """
    spans = halves(base)
    breadth = base.query(
        statement("differentiation_breadth"),
        start=base.start,
        end=base.end,
        turn=spans.turn,
        large=large,
    )
    repeat = table.loc[table["orders"] >= 2, ["customer_id", value]]
    asked = _with_signs(repeat.merge(breadth, on="customer_id"), value)
    narrow = asked[asked["main_categories"] <= few]
    signed = narrow[narrow["signs"] > 0]
    worth = float(signed[value].sum())
    return Answer(
        name="elsewhere",
        question="Who buys one or two categories here and probably the rest elsewhere?",
        n=len(signed),
        share_customers=share_of(len(signed), len(asked)),
        value=worth,
        share_value=share_of(worth, float(table[value].sum())),
        sentence=_say(asked, narrow, signed, few),
        customers=ranked(signed, value),
    )


def _with_signs(asked: pd.DataFrame, value: str) -> pd.DataFrame:
    ladder = ranked(asked, value)
    tenth = (ladder.index.to_series() * 10) // max(len(ladder), 1)
    ladder["peers"] = ladder.groupby(tenth)["main_categories"].transform("median").astype(float)
    ladder["peers_buy_more"] = ladder["peers"] >= 2 * ladder["main_categories"]
    ladder["large_in_one"] = ladder.pop("large_in_main_category").astype(bool)
    after = ladder["categories_after"]
    ladder["narrowing"] = (after > 0) & (2 * after <= ladder["categories_before"])
    ladder["signs"] = ladder[list(SIGNS)].sum(axis=1).astype(int)
    return ladder


def _say(asked: pd.DataFrame, narrow: pd.DataFrame, signed: pd.DataFrame, few: int) -> str:
    if not len(asked):
        return "Nobody ordered twice in a known category, so no shopping list can be judged."
    by_sign = "; ".join(f"{int(signed[sign].sum()):,}: {told}" for sign, told in SIGNS.items())
    middle = float(asked["main_categories"].median())
    peers = "" if math.isnan(middle) else f" (the median customer needs {middle:g})"
    return (
        f"Of {counted(len(asked), 'customer')} with at least two orders, {len(narrow):,} "
        f"({percent(share_of(len(narrow), len(asked)))}) spend 80 % of their money here in at most "
        f"{counted(few, 'category', 'categories')}{peers}; {len(signed):,} of them show a sign of "
        f"buying elsewhere ({by_sign})."
    )
