"""Customers as they stood at the start of each year of the window, and as they stand now.

To foresee what a level given now will do, a model must learn from what was known when a stretch of
months began, and not from what the level did within it.  :func:`landmark_months` gives every
customer-month what was known at the start of its stretch (at most twelve months, counted back from
the window's end; a customer that came later begins its own); :func:`customers_now` describes the
customers present in the same words, with what is known at the window's end.

Source: van Houwelingen & Putter, "Dynamic Prediction in Clinical Survival Analysis" (2012),
chapter 7 (landmarking).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.relationships.effects.entry import HABIT, PEOPLE
from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.months.terms import term_of

STRETCH = 12
"""Months of a stretch: a year, so that seasons weigh alike in each."""

STANDING = ("yearly_margin", "yearly_revenue", "products", "price_plan", "channel")
"""What is known of a customer at the start of a stretch, besides its attributes."""


def landmark_months(months: CustomerMonths) -> pd.DataFrame:
    """Give every customer-month what was known at the start of its stretch.

    Parameters
    ----------
    months : CustomerMonths
        The panel.

    Returns
    -------
    DataFrame
        One row a customer-month whose level is known: customer_id, left, level (position), stretch
        (0 the last twelve months, 1 those before ...), tenure (years), contract_left, margin and
        contact_cost of the month; `STANDING` at the stretch's start; then the attributes.
    """
    rows = months.frame
    stretch = (months.months - 1 - rows["number"]) // STRETCH
    start = rows.groupby(["customer_id", stretch], sort=False)
    table = rows[
        ["customer_id", "left", "level", "tenure", "contract_left", "contact_cost"]
    ].assign(stretch=stretch)
    first = rows.assign(
        yearly_margin=rows["last_year_margin"].fillna(12 * rows["margin"]),
        yearly_revenue=rows["last_year_revenue"].fillna(12 * rows["revenue"]),
    )
    place = start.ngroup().to_numpy()
    opening = first.groupby(place, sort=False).head(1)
    for name in STANDING:
        table[name] = opening[name].to_numpy()[place]
    known = table[table["level"] >= 0]
    return known.merge(_attributes(months), on="customer_id", how="left")


def customers_now(months: CustomerMonths) -> pd.DataFrame:
    """Describe the customers present at the window's end as they stand.

    Parameters
    ----------
    months : CustomerMonths
        The panel.

    Returns
    -------
    DataFrame
        One row a customer present, in the order of `months.present`: customer_id, level (position,
        -1 unknown), tenure (years), contract_left, term (months, 0 for none) of its last month;
        `STANDING`, of which the amounts are those of its last twelve months, scaled to a year; then
        the attributes.
    """
    rows = months.frame
    last = rows[rows["number"] > months.months - 1 - STRETCH]
    year = last.groupby("customer_id")[["margin", "revenue"]].mean() * STRETCH
    now = rows[rows["number"] == months.months - 1].set_index("customer_id")
    table = now[["level", "tenure", "contract_left", "products", "price_plan", "channel"]].join(
        year.rename(columns={"margin": "yearly_margin", "revenue": "yearly_revenue"})
    )
    table["term"] = _terms(months.frame, table["price_plan"])
    chosen = table.loc[pd.Index(months.present)].rename_axis("customer_id").reset_index()
    return chosen.merge(_attributes(months), on="customer_id", how="left")


def _attributes(months: CustomerMonths) -> pd.DataFrame:
    spare = [name for name in (*PEOPLE[1:], *HABIT) if name in months.customers]
    return months.customers.drop(columns=spare)


def _terms(rows: pd.DataFrame, plans: pd.Series) -> pd.Series:
    """Length of the contracts that follow, by the plan's name or else the longest time left."""
    longest = rows.groupby("price_plan")["contract_left"].max()
    told = {plan: term_of(str(plan)) or int(left) for plan, left in longest.items()}
    return plans.map(told).fillna(0).astype(np.int64)


def contract_path(contract_left: np.ndarray, term: np.ndarray, horizon: int) -> np.ndarray:
    """Months left of the contracts in the months ahead, if they are renewed, (n, horizon).

    Parameters
    ----------
    contract_left, term : ndarray of int, shape (n,)
        In the last month that was seen (1: it runs out), and of the contracts that follow; 0
        without one.
    horizon : int
        Months ahead.
    """
    ahead = np.arange(1, horizon + 1)
    length = np.maximum(term, 1)[:, None]
    left = (contract_left[:, None] - 1 - ahead) % length + 1
    return np.where((contract_left > 0)[:, None] & (term > 0)[:, None], left, 0)
