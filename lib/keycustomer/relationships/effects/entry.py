"""Customers as they were when they came into view, and what became of them.

The relationship level of a customer hardly changes while it is watched, so its effect is a matter
of customers: each is one row of :func:`customers_at_entry`, with its level and what was known in
its first month (nothing of that can be a result of the level since then), and with what followed:
whether it left, the months it stayed, the margin it brought.

Source: Hernán & Robins (2020), chapter 22 (time zero: eligibility, assignment and the start of
follow-up fall together).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.vocabulary import LEVELS

FIRST_MONTH = ("margin", "revenue", "products", "tenure", "contract_left", "price_plan", "channel")
"""Columns of the first month that may tell how a customer fares, with the names they get."""

HABIT = ("key_account",)
"""Attributes that say what the house believes of a customer and nothing of the customer: they move
the level alone, and adjusting for them widens intervals without taking confounding away."""

PEOPLE = ("customer_id", "joined_on", "manager", "agent")


def customers_at_entry(months: CustomerMonths) -> pd.DataFrame:
    """Lay out customers with what was known at first and what followed.

    Parameters
    ----------
    months : CustomerMonths
        The panel.

    Returns
    -------
    DataFrame
        One row a customer whose level is known: customer_id; level (word out of `LEVELS`);
        level_changed (within the window); left; months (under observation); total_margin (of these
        months, currency; NaN where a month's is not known); contacts_a_month, complaints_a_month
        (after entry, where known); window (months from entry to the window's end); margin_at_entry,
        revenue_at_entry, products_at_entry, tenure_at_entry, contract_left_at_entry,
        price_plan_at_entry, channel_at_entry; then the attributes.
    """
    rows = months.frame
    by = rows.groupby("customer_id", sort=False)
    first = by.head(1).set_index("customer_id")
    levels = by["level"].agg(["min", "max"])
    length = by.size()
    table = pd.DataFrame(
        {
            "level": first["level"].map(dict(enumerate(LEVELS))),
            "level_changed": levels["min"] < levels["max"],
            "left": by["left"].any(),
            "months": length,
            "total_margin": by["margin"].sum().where(by["margin"].count() == length),
            "contacts_a_month": by["contacts"].mean(),
            "complaints_a_month": by["complaints"].mean(),
            "window": months.months - first["number"],
        }
    )
    for name in FIRST_MONTH:
        table[f"{name}_at_entry"] = first[name]
    attributes = months.customers.set_index("customer_id")
    attributes = attributes.drop(columns=[name for name in PEOPLE if name in attributes])
    told = table.join(attributes).reset_index()
    return told[told["level"].notna()].reset_index(drop=True)


def default_confounders(entry: pd.DataFrame) -> list[str]:
    """Choose the covariates that may be adjusted for: known at entry, and more than a habit.

    Parameters
    ----------
    entry : DataFrame
        From :func:`customers_at_entry`.

    Returns
    -------
    list of str
        Columns that vary, without those in `HABIT` and without texts that name single customers.
    """
    known = entry.columns[entry.columns.get_loc("window") :]
    return [name for name in known if name not in HABIT and _useful(entry[name])]


def _useful(values: pd.Series) -> bool:
    """Whether a column varies, and is no list of names."""
    distinct = int(values.nunique())
    if pd.api.types.is_datetime64_any_dtype(values):
        return False
    words = not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values))
    return 1 < distinct <= (np.sqrt(len(values)) if words else np.inf)
