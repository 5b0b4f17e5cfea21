"""What the account brings, what it may bring, and what it pays for it: two parts of a dossier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.dossier.blocks import Block, Fact
from keycustomer.dimensions.dossier.drawing import Strip, columns, strips
from keycustomer.dimensions.dossier.plain import (
    SENTENCES,
    above,
    change,
    cut,
    money,
    percent_of,
    place_among,
)
from keycustomer.lifetime.units import days_in

if TYPE_CHECKING:
    from keycustomer.dimensions.dossier.book import DossierBook
    from keycustomer.lifetime import CustomerValues

PEERS = 0.2
"""Share of the customers, those nearest by revenue, that discounts are compared with."""

FEWEST_PEERS = 10


def value_block(book: DossierBook, customer_id: str) -> Block:
    """Make the part on value now and potential."""
    own, currency = book.now.loc[customer_id].to_dict(), book.base.currency
    orders = int(book.customers["orders"].to_dict()[customer_id])
    facts = [
        Fact("revenue, last year", money(own["revenue"], currency), _growth(book, customer_id))
    ]
    for name in ("margin", "profit"):
        if math.isfinite(own[name]):
            share = own[name] / own["revenue"] if own["revenue"] > 0 else math.nan
            remark = f"{percent_of(share)} of revenue" if math.isfinite(share) else ""
            facts.append(Fact(f"{book.named(name)}, last year", money(own[name], currency), remark))
    potential, missing = _potential(book, customer_id)
    since = Fact("customer since", _since(book, customer_id), counted(orders, "order"))
    figure, legend = _by_month(book, customer_id)
    return Block(
        "value", "Value now and potential", _said(book, own),
        (*facts, *potential, since), figure, legend, missing=missing,
    )  # fmt: skip


def _growth(book: DossierBook, customer_id: str) -> str:
    if book.before.empty:
        return ""
    now, before = (t["revenue"].to_dict()[customer_id] for t in (book.now, book.before))
    return change(now, before)


def _said(book: DossierBook, own: dict[Any, Any]) -> str:
    """Say what the account is worth."""
    if not own["orders"] > 0:
        return "Bought nothing in the last year."
    if math.isfinite(own["profit"]) and own["profit"] < 0:
        cost = money(-own["profit"], book.base.currency)
        return f"Costs more than it brings: a loss of {cost} in the last year."
    if own[book.value] >= book.ranked.iloc[0]:
        return f"No customer brings more {book.named(book.value)}."
    place = place_among(own[book.value], book.ranked.to_numpy())
    return f"Brings more {book.named(book.value)} than {above(place)} of the customers."


def _since(book: DossierBook, customer_id: str) -> str:
    first = book.customers["first_order"].to_dict()[customer_id]
    return first.date().isoformat() if pd.notna(first) else "no order yet"


def _potential(book: DossierBook, customer_id: str) -> tuple[list[Fact], str]:
    if book.values is None:
        return [], f"Potential value not known: {cut(book.missing['potential value'], 160)}"
    values = book.values
    row = values.frame[values.frame["customer_id"] == customer_id]
    if row.empty or not np.isfinite(row["residual_value"].iloc[0]):
        return [], "Potential value not known: the customer has bought nothing yet."
    one = row.iloc[0]
    place = place_among(one["residual_value"], values.frame["residual_value"].to_numpy())
    ahead = _ahead(values)
    interval = ""
    if "lower" in one:
        interval = f", between {money(one['lower'], '')}and {money(one['upper'], '')}".rstrip()
    return [
        Fact(
            "potential value",
            money(one["residual_value"], book.base.currency),
            f"{ahead}{interval}; above {above(place)} of all",
        ),
        Fact("still a customer", percent_of(one["probability_alive"]), " and ".join(values.models)),
    ], ""


def _ahead(values: CustomerValues) -> str:
    """Say how far ahead values are counted."""
    if values.horizon is None:
        return "for ever"
    years = values.horizon * days_in(values.unit) / days_in("year")
    return f"{years:.2g} years ahead"


def _by_month(book: DossierBook, customer_id: str) -> tuple[Markup, str]:
    query = (
        "select date_trunc('month', date) as month, sum(revenue)::double as revenue "
        "from transactions where customer_id = $customer group by 1"
    )
    found = book.base.query(query, customer=customer_id)
    months = pd.period_range(book.base.start, book.base.end, freq="M")
    amounts = pd.Series(
        found["revenue"].to_numpy(), index=pd.PeriodIndex(pd.to_datetime(found["month"]), freq="M")
    ).reindex(months, fill_value=0.0)
    best = amounts.idxmax()
    active = int((amounts > 0).sum())
    said = (
        f"Revenue by month: {active} of {len(months)} months with revenue, most in {best} "
        f"({money(float(amounts.max()), book.base.currency)})"
    )
    legend = f"{said}."
    return columns(amounts.tolist(), str(months[0]), str(months[-1]), said), legend


def price_block(book: DossierBook, customer_id: str) -> Block:
    """Make the part on discounts among customers of the same size."""
    title, name = "Price position", "price"
    shares = discount_shares(book.now)
    if not np.isfinite(shares).any():
        return Block(
            name, title, missing="No discounts in these data: map list_price or discount of the "
            "table transactions to see what the account pays of the list price.",
        )  # fmt: skip
    own = float(shares.get(customer_id, math.nan))
    if not math.isfinite(own):
        return Block(name, title, missing="Nothing bought in the last year to take a price from.")
    peers = peers_alike(book, customer_id, shares)
    low, middle, high = np.quantile(peers, [0.1, 0.5, 0.9])
    place = place_among(own, peers)
    former = _former_share(book, customer_id)
    strip = Strip(
        "discount", own, float(peers.mean()), float(low), float(high), percent_of(own, 1), former
    )
    end = max(0.05, float(np.nanmax([own, high, former or 0.0])) * 1.1)
    said = (
        f"Pays {percent_of(1 - own, 1)} of the list price; a larger discount than "
        f"{above(place)} of {len(peers):,} customers of its size (median "
        f"{percent_of(middle, 1)})."
    )
    legend = "Line: mean of its size; band: their middle 80 %" + (
        "; circle: the year before." if former is not None else "."
    )
    deal = float(book.now["deal_share"].to_dict()[customer_id])
    facts = (Fact("bought at a discount", percent_of(deal), "of its revenue"),)
    figure = strips([strip], (0.0, end), said)
    return Block(name, title, cut(said, SENTENCES), facts, figure, legend)


def discount_shares(table: pd.DataFrame) -> pd.Series:
    """Give the discount as a share of list value, NaN where not known or nothing was bought."""
    if table.empty:
        return pd.Series(dtype=float)
    listed = table["revenue"] + table["discount"]
    return (table["discount"] / listed).where((listed > 0) & (table["orders"] > 0))


def _former_share(book: DossierBook, customer_id: str) -> float | None:
    before = discount_shares(book.before)
    value = float(before.get(customer_id, math.nan)) if len(before) else math.nan
    return value if math.isfinite(value) else None


def peers_alike(book: DossierBook, customer_id: str, shares: pd.Series) -> np.ndarray:
    """Give the discounts of the customers nearest by revenue, itself among them.

    Parameters
    ----------
    book : DossierBook
        The base.
    customer_id : str
        A customer with a discount that is known.
    shares : Series
        Discounts of the last year by customer, from :func:`discount_shares`.
    """
    known = shares.dropna()
    revenue = book.now.loc[known.index, "revenue"].rank(method="first")
    count = min(len(known), max(FEWEST_PEERS, int(PEERS * len(known))))
    near = (revenue - revenue[customer_id]).abs().sort_values(kind="stable").index[:count]
    return known[near].to_numpy()
