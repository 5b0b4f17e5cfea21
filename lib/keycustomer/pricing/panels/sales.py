"""Price panels from order lines: by product or category, tier or customer, week or month.

Question: what did a product cost a tier in a week, and how much of it was bought, nothing
included?  A week in which a tier buys nothing of a product has no price of its own: it gets what
the others paid for the product in that week, and `price_of_others` says so.  Weeks in which nobody
bought a product have no price at all and are not on the panel.

Several products together (a category) have a quantity at constant prices: their units, each at
its list price on average over the window.  The price is then an index, 1 for the average list
price, and a basket of dearer products is more quantity, not a higher price.

Sources: Diewert (1976), Journal of Econometrics 4, 115-145, on quantities at constant prices;
Santos Silva & Tenreyro (2006), Review of Economics and Statistics 88, 641-658, on keeping zeros.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, percent
from keycustomer.customers.statements import identifier, statement_of
from keycustomer.dimensions.behaviour.windows import observed_window
from keycustomer.lifetime.arguments import Day
from keycustomer.pricing.panels.panel import PricePanel, exclusions

PACKAGE = "keycustomer.pricing.panels"

PRODUCTS = {
    "product_id": "lines.product_id",
    "category": "lines.category",
    "all": "'all products'",
}
"""SQL of what counts as a product."""

MOST_ROWS = 20_000_000
"""Rows of a panel beyond which it is refused: they would not fit into memory."""


@dataclass(frozen=True)
class _Request:
    """What is asked for, as SQL."""

    fragments: dict[str, str]
    values: dict[str, Any]
    until_end: bool
    tiered: bool


def sales_panel(
    base: CustomerBase,
    *,
    product: str = "category",
    unit: str | None = "tier",
    tiers: pd.Series | None = None,
    category: str | Sequence[str] | None = None,
    largest: int | None = None,
    every: str = "week",
    least_periods: int = 2,
    start: Day = None,
    end: Day = None,
) -> PricePanel:
    """Lay out sales and prices by product, unit and period.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with transactions.
    product : {"category", "product_id", "all"}
        What counts as a product.  Of one product quantities are units and prices currency per
        unit; of several together quantities are at constant prices and prices an index.
    unit : str or None
        "tier" (needs `tiers`), "customer_id", any column of the customers table such as "region",
        or None for all customers together.
    tiers : Series, optional
        Tier by customer_id.  Customers without one are left out and counted.
    category : str or sequence of str, optional
        Categories to take; left out, all.
    largest : int, optional
        Take only so many products, those with the largest revenue.
    every : {"week", "month"}
        Period, from Monday or from the first of the month; those that the window cuts are left
        out.
    least_periods : int
        A unit is on the panel of a product that it bought in at least so many periods.
    start, end : date or ISO string, optional
        First and last day to use; default: all that was observed.

    Returns
    -------
    PricePanel
        With list_price, discount, promotion, unit_cost where costs are known, tier where tiers are
        given, market_price (what all units together paid) and price_of_others.

    Raises
    ------
    ValueError
        When an argument is none of these, the base lacks what is needed, nothing is left, or the
        panel would be too large.
    """
    _checked(base, product, every, unit, tiers, least_periods, largest)
    window = observed_window(base, start, end)
    with _tiers_told(base, tiers):
        request = _request(base, product, every, unit, tiers is not None, category, window)
        with _lines_laid_out(base, request, largest):
            counts = _counts(base, least_periods)
            _refuse_unfit(base, counts, least_periods)
            frame = _cells(base, request, least_periods)
    return PricePanel(
        frame=frame,
        per="units" if product == "product_id" else f"{base.currency} at constant list prices",
        every=every,
        excluded=exclusions(counts),
        simulated=base.simulated,
        currency=base.currency,
        notes=tuple(_notes(frame, product, every, request.until_end)),
    )


def _checked(
    base: CustomerBase,
    product: str,
    every: str,
    unit: str | None,
    tiers: pd.Series | None,
    least_periods: int,
    largest: int | None,
) -> None:
    if product not in PRODUCTS:
        raise ValueError(f"product={product!r}: one of {sorted(PRODUCTS)} is needed")
    if every not in ("week", "month"):
        raise ValueError(f"every={every!r}: 'week' or 'month' is needed")
    for name, number in (("least_periods", least_periods), ("largest", largest)):
        if number is not None and (not isinstance(number, int) or number < 1):
            raise ValueError(f"{name}={number!r}: a whole number of at least 1 is needed")
    if unit == "tier" and tiers is None:
        raise ValueError(
            "unit='tier' needs tiers: a Series customer_id -> tier (A, B, C); or give unit="
            "'customer_id' or unit=None"
        )
    if product == "category" and not base.has("products", "category"):
        raise ValueError(
            f"{base.title}: the base knows no products.category; map it in the case file, or give "
            "product='product_id' or 'all'"
        )
    if tiers is not None and unit not in ("tier", "customer_id"):
        raise ValueError(f"unit={unit!r}: tiers go with unit='tier' or unit='customer_id'")
    known = ["customer_id", "tier", *base.query("describe customers")["column_name"]]
    if unit is not None and unit not in known:
        raise ValueError(f"unit={unit!r}: None or one of {sorted(set(known))} is needed")


@contextmanager
def _tiers_told(base: CustomerBase, tiers: pd.Series | None) -> Iterator[None]:
    """Let the engine see the tiers, while it needs them."""
    if tiers is None:
        yield
        return
    told = tier_rows(tiers)
    base.connection.register("panel_tiers", told)
    try:
        yield
    finally:
        base.connection.unregister("panel_tiers")


def tier_rows(tiers: pd.Series) -> pd.DataFrame:
    """Check tiers and write them as rows: customer_id and tier, both text.

    Parameters
    ----------
    tiers : Series
        Tier by customer_id.

    Raises
    ------
    TypeError, ValueError
        When it is no Series, or a customer has two tiers.
    """
    if not isinstance(tiers, pd.Series):
        raise TypeError(f"tiers={type(tiers).__name__}: a Series customer_id -> tier is needed")
    known = tiers.dropna()
    twice = known.index[known.index.duplicated()]
    if len(twice):
        raise ValueError(
            f"tiers: {counted(len(twice), 'customer')} stand twice (first {twice[0]!r}); give each "
            "customer one tier"
        )
    return pd.DataFrame(
        {"customer_id": known.index.astype(str), "tier": known.astype(str).to_numpy()}
    )


def _request(
    base: CustomerBase,
    product: str,
    every: str,
    unit: str | None,
    tiered: bool,
    category: str | Sequence[str] | None,
    window: dict[str, dt.date],
) -> _Request:
    """Write what is asked for as SQL; names of columns are quoted, values bound."""
    joins = "left join panel_tiers using (customer_id)" if tiered else ""
    units = {None: "'all customers'", "tier": "tier", "customer_id": "customer_id"}
    if unit not in units:
        column = identifier(str(unit))
        joins += (
            f" left join (select customer_id, any_value({column}) as place from customers "  # noqa: S608
            "group by customer_id) using (customer_id)"
        )
    values: dict[str, Any] = dict(window)
    if category is not None:
        values["categories"] = [category] if isinstance(category, str) else list(category)
    fragments = {
        "wanted": "" if category is None else "and list_contains($categories, products.category)",
        "basis": "1.0" if product == "product_id" else "basis",
        "product": PRODUCTS[product],
        "unit": units.get(unit, "place"),
        "tier": "tier" if tiered else "''",
        "every": every,
        "joins": joins,
        "what": "category" if product == "category" else "product",
        "whom": "customer" if unit == "customer_id" else unit or "customer",
    }
    # who has left buys nothing at any price, and contracts tell that somebody can leave
    stays = unit != "customer_id" or not base.has("contracts")
    return _Request(fragments, values, stays, tiered)


@contextmanager
def _lines_laid_out(base: CustomerBase, request: _Request, largest: int | None) -> Iterator[None]:
    """Keep the order lines with product, unit and period in the engine while they are needed."""
    sql = statement_of(PACKAGE, "sales_lines", **request.fragments)
    base.connection.execute(f"create or replace temp table panel_lines as {sql}", request.values)
    try:
        if largest is not None:
            base.connection.execute(statement_of(PACKAGE, "keep_largest"), {"largest": largest})
        yield
    finally:
        base.connection.execute("drop table panel_lines")


def _counts(base: CustomerBase, least_periods: int) -> dict[str, int]:
    """Lines that are not used, by reason."""
    found = base.query(statement_of(PACKAGE, "not_used"), least_periods=least_periods)
    return dict(zip("order lines: " + found["reason"], found["lines"].astype(int), strict=True))


def _refuse_unfit(base: CustomerBase, counts: dict[str, int], least_periods: int) -> None:
    """Refuse a panel without a row, and one that does not fit into memory."""
    size = base.query(statement_of(PACKAGE, "panel_size"), least_periods=least_periods)
    rows = int(size["rows"].fillna(0).iloc[0])
    if rows == 0:
        raise ValueError(
            f"{base.title}: no sale is left for the price panel; not used: {counts or 'nothing'}; "
            "see category, tiers, least_periods and the days asked for"
        )
    if rows > MOST_ROWS:
        raise ValueError(
            f"{base.title}: the price panel would have up to {rows:,} rows, at most "
            f"{MOST_ROWS:,} are laid out; take fewer products (category=, largest=), unit='tier', "
            "or more least_periods"
        )


def _cells(base: CustomerBase, request: _Request, least_periods: int) -> pd.DataFrame:
    frame = base.query(
        statement_of(PACKAGE, "sales_cells"),
        least_periods=least_periods,
        until_end=request.until_end,
    )
    frame["period"] = frame["period"].astype("datetime64[s]")
    if base.has("transactions", "discount"):
        # rounding of amounts may leave a discount of a hair below nothing
        frame["discount"] = (1 - frame["price"] / frame["list_price"]).clip(lower=0)
    else:
        frame = frame.drop(columns=["list_price", "promotion"])
    if not request.tiered:
        frame = frame.drop(columns="tier")
    return frame.drop(columns=["unit_cost"] if frame["unit_cost"].isna().all() else [])


def _notes(frame: pd.DataFrame, product: str, every: str, until_end: bool) -> list[str]:
    notes = []
    others = frame["price_of_others"].mean()
    if others:
        notes.append(
            f"in {percent(others)} of the rows nothing was sold: their price is what all others "
            f"paid for the product in that {every}; a {every} in which nobody bought it has no "
            "price and no row"
        )
    if product != "product_id":
        notes.append(
            "quantities are units at each product's average list price, prices an index "
            "(1 = that list price), so that a change of mix is no change of price"
        )
    stays = "to the end of the window" if until_end else "to its last one: who left buys nothing"
    notes.append(f"a unit has rows from its first purchase {stays}")
    return notes
