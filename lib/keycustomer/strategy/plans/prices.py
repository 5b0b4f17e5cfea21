"""Where an account stands in price, and how far its price may fall.

Question: what discount has the account beside customers of its size, and what is the largest one
that still leaves the floor over unit cost?  :func:`price_columns` answers from the order lines of
the last year.  With list value L and cost of goods C of an account's lines, a discount x (share of
the list price) leaves the floor f when L (1 - x) >= (1 + f) C, so the *permitted discount* is

    x = 1 - (1 + f) C / L,        not below 0.

Where even the list price leaves less, the permitted discount is 0 and the floor is not kept:
`price_columns` says so (`floor_kept`).  It is permitted on the account's purchases as a whole.
Given on everything alike it may still undercut the floor of one category, so the category with the
least room stands beside it.

Source: the course's T4 (never below cost), `keycustomer.pricing.discount_options` (the same floor).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.dimensions.dossier.worth import discount_shares, peers_alike

if TYPE_CHECKING:
    from keycustomer.dimensions import DossierBook

PRICES = (
    "discount",
    "discount_alike",
    "discount_permitted",
    "floor_kept",
    "tightest_category",
    "tightest_permitted",
)
"""Columns on prices, see :func:`price_columns`."""


def permitted_discount(
    list_value: pd.Series | float, cost: pd.Series | float, floor: float
) -> pd.Series:
    """Give the largest discount that leaves the floor over cost.

    Parameters
    ----------
    list_value, cost : Series or float
        Value at list prices, and cost of goods, currency.
    floor : float
        Least margin over unit cost, share of unit cost.

    Returns
    -------
    Series
        Share of the list price, 0 where even the list price is below the floor; NaN where list
        value or cost is not known, or nothing was bought.
    """
    listed, costs = pd.Series(list_value, dtype=float), pd.Series(cost, dtype=float)
    room = 1 - (1 + floor) * costs / listed.where(listed > 0)
    return room.clip(lower=0.0)


def price_columns(book: DossierBook, customers: list[str], floor: float) -> pd.DataFrame:
    """Give own, usual and permitted discount of some customers.

    Parameters
    ----------
    book : DossierBook
        The base.
    customers : list of str
        Customer ids.
    floor : float
        Least margin over unit cost, share of unit cost.

    Returns
    -------
    DataFrame
        By customer_id, of the last year, shares of the list price: discount, discount_alike
        (median of the customers nearest by revenue), discount_permitted, floor_kept (whether the
        permitted discount leaves the floor: not where even the list price does not),
        tightest_category and
        tightest_permitted (the category with the least room); empty where not known.
    """
    shares = discount_shares(book.now)
    own = shares.reindex(customers)
    alike = [
        float(np.median(peers_alike(book, one, shares))) if np.isfinite(share) else np.nan
        for one, share in zip(customers, own, strict=True)
    ]
    now = book.now.loc[customers]
    listed = now["revenue"] + now["discount"]
    costs = now["revenue"] - now["margin"]
    permitted = permitted_discount(listed, costs, floor)
    kept = (listed >= (1 + floor) * costs).astype(object).where(permitted.notna(), None)
    found = pd.DataFrame(
        {
            "discount": own,
            "discount_alike": alike,
            "discount_permitted": permitted,
            "floor_kept": kept,
        },
        index=pd.Index(customers, name="customer_id"),
    )
    tight = _tightest(book, customers, floor).reindex(customers)
    return found.assign(tightest_category=tight["category"], tightest_permitted=tight["permitted"])


def _tightest(book: DossierBook, customers: list[str], floor: float) -> pd.DataFrame:
    """Category with the least room, by customer."""
    base, (start, end) = book.base, book.window
    named = base.has("transactions", "product_id") and base.has("products", "category")
    if not (named and base.has("transactions", "cost") and base.has("transactions", "discount")):
        return pd.DataFrame(columns=["category", "permitted"])
    query = (
        "select customer_id, category, sum(revenue + discount)::double as listed, "
        "sum(cost)::double as cost from transactions join products using (product_id) "
        "where date between $start and $end and list_contains($customers, customer_id) "
        "and category is not null group by all having count(*) = count(cost) order by all"
    )
    rows = base.query(query, start=start, end=end, customers=customers)
    rows["permitted"] = permitted_discount(rows["listed"], rows["cost"], floor)
    ranked = rows.dropna(subset="permitted").sort_values("permitted", kind="stable")
    return ranked.drop_duplicates("customer_id").set_index("customer_id")
