"""A price panel: what was sold of a product to a unit in a period, and at which price.

Question: over which rows is a price elasticity estimated, and what was left out?  Main names:
`PricePanel`, which :func:`~keycustomer.pricing.panels.sales.sales_panel`,
:func:`~keycustomer.pricing.panels.accounts.account_panel` and
:func:`~keycustomer.pricing.panels.markets.market_panel` give; :func:`checked_rows` lays out a
frame of the reader's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.pricing.panels.numbers import numbers_in

KEYS = ("product", "unit", "period")
"""Columns that say what a row is about."""

AMOUNTS = ("quantity", "price", "revenue")
"""Columns that every panel has beside its keys."""


@dataclass(frozen=True, eq=False)
class PricePanel:
    """Sales and prices by product, unit and period.

    Attributes
    ----------
    frame : DataFrame
        One row a product, unit and period, sorted by these: ``product``, ``unit`` (what the panel
        is over: tier, customer, region), ``period`` (first day; NaT where the data have no time),
        ``quantity`` (0 where nothing was sold while a price is known), ``price`` (paid per unit),
        ``revenue`` (currency); and where known ``list_price``, ``discount`` (share of the list
        price), ``promotion`` (share of the units on deal, 0..1), ``competitor_price``,
        ``unit_cost``, ``tier``, ``price_of_others`` (nothing was sold: the price is what the
        others paid), instruments and controls.
    per : str
        What a unit of quantity is.
    every : {"week", "month", "market"}
        Length of a period.
    excluded : DataFrame
        reason, rows: what was not used.
    simulated : bool
        Whether the data are made up.
    currency : str
        Unit of amounts.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    per: str
    every: str
    excluded: pd.DataFrame = field(repr=False)
    simulated: bool
    currency: str
    notes: tuple[str, ...] = ()

    @property
    def zeros(self) -> float:
        """Share of the rows in which nothing was sold."""
        return float((self.frame["quantity"] == 0).mean())

    @property
    def sentence(self) -> str:
        """The panel in words."""
        frame, every = self.frame, self.every
        periods = frame["period"].nunique()
        time = f", {counted(periods, every)}" if periods else ""
        return (
            f"{counted(frame['product'].nunique(), 'product')}, "
            f"{counted(frame['unit'].nunique(), 'unit')}{time}: {counted(len(frame), 'row')}, of "
            f"which {percent(self.zeros)} without a sale; quantity in {self.per}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a product, unit and period."""
        return self.frame.copy()

    def __repr__(self) -> str:
        """Say how large the panel is."""
        return f"PricePanel({'simulated: ' * self.simulated}{self.sentence})"

    def _repr_html_(self) -> str:
        tables = {"First rows": self.frame.head(5), "Not used": self.excluded}
        return report_html(
            "Price panel", [*made_up_note(self.simulated), self.sentence, *self.notes], tables
        )


def checked_rows(frame: pd.DataFrame, what: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take the rows with a price and a quantity, and count the others.

    Parameters
    ----------
    frame : DataFrame
        With product, unit, period, quantity and price.
    what : str
        Name of the data, for the message.

    Returns
    -------
    rows, excluded : DataFrame
        Sorted rows with revenue; reason and rows of the others.

    Raises
    ------
    ValueError
        When a column is missing or holds no numbers, a row stands twice, or no row is left.
    """
    missing = [name for name in (*KEYS, "quantity", "price") if name not in frame]
    if missing:
        raise ValueError(
            f"{what}: no column {', '.join(missing)}; a price panel needs product, unit, period, "
            f"quantity and price, there are {list(map(str, frame.columns))[:20]}"
        )
    several = [n for n in (*KEYS, "quantity", "price") if int((frame.columns == n).sum()) > 1]
    if several:
        raise ValueError(f"{what}: more than one column {', '.join(several)}; name each apart")
    frame = frame.assign(
        **{n: numbers_in(frame[n], f"{what}: column {n!r}") for n in ("quantity", "price")}
    )
    reason = _reasons(frame)
    rows = frame[reason.isna()].sort_values(list(KEYS), ignore_index=True)
    twice = rows.duplicated(list(KEYS))
    if twice.any():
        first = rows.loc[twice, list(KEYS)].iloc[0].to_dict()
        raise ValueError(
            f"{what}: {int(twice.sum()):,} rows repeat a product, unit and period (first {first}); "
            "sum them up first"
        )
    if rows.empty:
        raise ValueError(
            f"{what}: no row has a price and a quantity: {dict(reason.value_counts())}"
        )
    if "revenue" not in rows:
        rows = rows.assign(revenue=rows["quantity"] * rows["price"])
    return rows, exclusions(reason.value_counts())


def _reasons(frame: pd.DataFrame) -> pd.Series:
    """Why a row cannot be used; missing where it can."""
    quantity, price = frame["quantity"], frame["price"]
    reasons: dict[str, pd.Series] = {
        "product or unit not known": frame["product"].isna() | frame["unit"].isna(),
        "quantity not known": ~quantity.abs().lt(np.inf),
        "quantity below 0": quantity < 0,
        "price not known": ~price.abs().lt(np.inf),
        "price not above 0": price <= 0,
    }
    found = pd.Series(pd.NA, index=frame.index, dtype="string")
    for reason, holds in reasons.items():
        found[found.isna() & holds] = reason
    return found


def exclusions(counts: pd.Series | dict[str, int]) -> pd.DataFrame:
    """Write counts by reason as the table of what was not used."""
    given = {reason: int(rows) for reason, rows in dict(counts).items() if rows}
    return pd.DataFrame({"reason": list(given), "rows": pd.Series(list(given.values()), dtype=int)})
