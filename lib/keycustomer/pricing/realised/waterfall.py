"""Price realisation: what is left of the list price, step by step.

Question: of 100 at list prices, how much reaches the pocket, and where does the rest go?
:func:`price_waterfall` adds up, for all customers and by tier,

    list value - discounts = invoice value - rebates = pocket value
    - cost of goods = margin - cost to serve = profit.

Rebates are whatever is taken off after the invoice (bonuses, cash discounts, free freight); few
systems hold them with the order line, so they are given by the caller.  The last step is what the
literature calls the pocket margin.

How far the pocket prices of customers lie apart, see
:func:`~keycustomer.pricing.realised.pocket_prices.pocket_price_band`.

Source: Marn & Rosiello (1992), Harvard Business Review 70(5), 84-94.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import amount, counted, made_up_note, report_html
from keycustomer.customers.table import Day, customer_table

ALL = "all"
"""Name of the group of all customers."""

NOT_IN_A_TIER = "not in a tier"

DAYS_OF_MONTH = 365.25 / 12
"""Mean length of a month, days."""

TOTALS = ("list value", "invoice value", "pocket value", "margin", "profit")
"""Steps at which something remains."""


@dataclass(frozen=True, eq=False)
class PriceWaterfall:
    """From list value to profit, by step and group of customers.

    Attributes
    ----------
    frame : DataFrame
        One row a group and step: group ("all" first), step, kind ("total" or "change"), amount
        (currency in the window, changes negative), share (of the group's list value).
    customers : DataFrame
        One row a customer: customer_id, group, months (from its first purchase in the window to
        the end, at least 1), list_value, discount, invoice_value, rebates, pocket_value,
        cost_of_goods, margin, cost_to_serve, profit (currency in the window; NaN where the base
        does not tell).
    excluded : DataFrame
        reason, customers.
    start, end : date
        First and last day of the window.
    currency : str
        Unit of all amounts.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What the reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    customers: pd.DataFrame = field(repr=False)
    excluded: pd.DataFrame = field(repr=False)
    start: dt.date
    end: dt.date
    currency: str
    simulated: bool
    notes: tuple[str, ...]

    @property
    def groups(self) -> list[str]:
        """Groups of customers, "all" first."""
        return list(self.frame["group"].unique())

    def of(self, group: str = ALL) -> pd.DataFrame:
        """Give the steps of one group.

        Raises
        ------
        KeyError
            When there is no such group.
        """
        if group not in self.groups:
            raise KeyError(f"no group {group!r}; there are: {', '.join(self.groups)}")
        return self.frame[self.frame["group"] == group].reset_index(drop=True)

    def share(self, step: str, group: str = ALL) -> float:
        """Share of the list value that a step takes or leaves, NaN where it is not known.

        Parameters
        ----------
        step : str
            Such as ``"pocket value"``.
        group : str
            Group of customers.
        """
        steps = self.of(group).set_index("step")["share"]
        return float(steps[step]) if step in steps.index else float("nan")

    @property
    def sentence(self) -> str:
        """The result in words."""
        remaining = [(step, self.share(step)) for step in TOTALS[1:]]
        told = ", ".join(f"{100 * s:.1f} {step}" for step, s in remaining if not np.isnan(s))
        whole = float(self.of()["amount"].iloc[0])
        return f"Of 100 at list prices remain: {told}. List value {amount(whole, self.currency)}."

    def to_frame(self) -> pd.DataFrame:
        """One row a group and step."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        wide = self.frame.pivot(index="step", columns="group", values="share")
        steps = list(self.of()["step"])
        shown = wide.loc[steps, self.groups].reset_index()
        shown.columns = pd.Index(["step", *(f"share: {group}" for group in self.groups)])
        said = [
            *made_up_note(self.simulated),
            f"{self.start} to {self.end}, {counted(len(self.customers), 'customer')}.",
            self.sentence,
            *self.notes,
        ]
        tables = {"Share of list value": shown, "Left out": self.excluded}
        return report_html("Price realisation", said, tables)


def price_waterfall(
    base: CustomerBase,
    *,
    tiers: pd.Series | None = None,
    start: Day = None,
    end: Day = None,
    margin: float | None = None,
    cost_per_order: float | None = None,
    rebates: Mapping[str, pd.Series] | None = None,
) -> PriceWaterfall:
    """Follow the list value down to profit.

    Parameters
    ----------
    base : CustomerBase
        A prepared base that knows discounts.
    tiers : Series, optional
        Tier by customer_id; left out, all customers are one group.
    start, end : date or ISO string, optional
        First and last day, inclusive; default: all that was observed.
    margin, cost_per_order : float, optional
        As in :func:`keycustomer.customers.customer_table`.
    rebates : mapping of str to Series, optional
        What is taken off after the invoice: by name, currency in the window (at least 0) by
        customer_id; customers that a series does not hold got none.

    Returns
    -------
    PriceWaterfall

    Raises
    ------
    ValueError
        When the base knows no discounts, nobody bought anything, or tiers or rebates do not fit.
    """
    if not base.has("transactions", "discount"):
        raise ValueError(
            f"{base.title}: the base knows no discounts, so there is no list value; map discount, "
            "list_amount or list_price in the case file"
        )
    table = customer_table(base, start=start, end=end, margin=margin, cost_per_order=cost_per_order)
    named = dict(rebates or {})
    window = tuple(_day(given, known) for given, known in ((start, base.start), (end, base.end)))
    customers, excluded = _customers(table, _tier_of(table, tiers), window[1])
    for name, given in named.items():
        customers[name] = _rebate(name, given, customers["customer_id"])
    customers = _with_steps(customers, list(named))
    if customers.empty:
        raise ValueError(f"{base.title}: no customer bought anything at a list value above 0")
    groups = [ALL] if tiers is None else [ALL, *sorted(customers["group"].unique())]
    frame = pd.concat([_steps(customers, group, list(named)) for group in groups])
    return PriceWaterfall(
        frame=frame.reset_index(drop=True),
        customers=customers,
        excluded=excluded,
        start=window[0],
        end=window[1],
        currency=base.currency,
        simulated=base.simulated,
        notes=tuple(_notes(base, customers, bool(named))),
    )


def _tier_of(table: pd.DataFrame, tiers: pd.Series | None) -> pd.Series:
    ids = table["customer_id"]
    if tiers is None:
        return pd.Series(ALL, index=table.index)
    if not isinstance(tiers, pd.Series) or not tiers.index.is_unique:
        raise ValueError("tiers must be a series of tiers with one customer_id once as its index")
    known = tiers.copy()
    known.index = known.index.astype(str)
    found = ids.map(known)
    if found.notna().sum() == 0:
        raise ValueError(
            f"tiers: none of its {len(tiers):,} customers is in the base; its index must be the "
            f"customer_id, first here {ids.iloc[:3].tolist()}, there {known.index[:3].tolist()}"
        )
    return found.astype(object).where(found.notna(), NOT_IN_A_TIER).astype(str)


def _customers(
    table: pd.DataFrame, group: pd.Series, end: dt.date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep customers with a list value, and say why the others are left out."""
    frame = pd.DataFrame(
        {
            "customer_id": table["customer_id"],
            "group": group,
            "months": ((pd.Timestamp(end) - table["first_order"]).dt.days + 1) / DAYS_OF_MONTH,
            "list_value": table["revenue"] + table["discount"],
            "discount": table["discount"],
            "invoice_value": table["revenue"],
            "cost_of_goods": table["revenue"] - table["margin"],
            "cost_to_serve": table["cost_to_serve"],
        }
    )
    idle = table["orders"] == 0
    unknown = ~idle & frame["discount"].isna()
    returned = ~idle & ~unknown & ~(frame["list_value"] > 0)
    reasons = (
        ("bought nothing in the window", idle),
        ("discounts not known", unknown),
        ("list value not above 0 (returns)", returned),
    )
    rows = [(reason, int(which.sum())) for reason, which in reasons if which.any()]
    kept = frame[~(idle | unknown | returned)].reset_index(drop=True)
    return kept, pd.DataFrame(rows, columns=["reason", "customers"])


def _rebate(name: str, given: pd.Series, ids: pd.Series) -> pd.Series:
    if not isinstance(given, pd.Series) or not given.index.is_unique:
        raise ValueError(f"rebates[{name!r}] must be a series of amounts, each customer_id once")
    known = given.astype(float)
    known.index = known.index.astype(str)
    wrong = known[~(known >= 0) | (known == np.inf)]
    if len(wrong):
        raise ValueError(
            f"rebates[{name!r}]: {counted(len(wrong), 'amount')} below 0 or not known, first for "
            f"{wrong.index[:3].tolist()}: give what is taken off as a positive amount"
        )
    if not known.index.isin(ids).any():
        raise ValueError(
            f"rebates[{name!r}]: none of its customers is in the waterfall; its index must be the "
            "customer_id"
        )
    return ids.map(known).fillna(0.0)


def _with_steps(customers: pd.DataFrame, rebates: list[str]) -> pd.DataFrame:
    taken = customers[rebates].sum(axis=1) if rebates else 0.0
    frame = customers.assign(rebates=taken)
    frame["pocket_value"] = frame["invoice_value"] - frame["rebates"]
    frame["margin"] = frame["pocket_value"] - frame["cost_of_goods"]
    # without anything known of the cost to serve the margin is all that is known of profit
    frame["profit"] = frame["margin"] - frame["cost_to_serve"]
    frame["months"] = frame["months"].clip(lower=1.0)
    names = [
        "customer_id",
        "group",
        "months",
        "list_value",
        "discount",
        "invoice_value",
        *rebates,
        "rebates",
    ]
    names += ["pocket_value", "cost_of_goods", "margin", "cost_to_serve", "profit"]
    return frame[names]


def _steps(customers: pd.DataFrame, group: str, rebates: list[str]) -> pd.DataFrame:
    """Totals and changes of a group, as far as the base tells them."""
    own = customers if group == ALL else customers[customers["group"] == group]
    rows: list[tuple[str, str, float]] = [("list value", "total", own["list_value"].sum())]
    rows.append(("discounts", "change", -own["discount"].sum()))
    rows.append(("invoice value", "total", own["invoice_value"].sum()))
    rows += [(name, "change", -own[name].sum()) for name in rebates]
    if rebates:
        rows.append(("pocket value", "total", own["pocket_value"].sum()))
    if own["cost_of_goods"].notna().all():
        rows.append(("cost of goods", "change", -own["cost_of_goods"].sum()))
        rows.append(("margin", "total", own["margin"].sum()))
        if own["cost_to_serve"].notna().all():
            rows.append(("cost to serve", "change", -own["cost_to_serve"].sum()))
            rows.append(("profit", "total", own["profit"].sum()))
    frame = pd.DataFrame(rows, columns=["step", "kind", "amount"])
    frame.insert(0, "group", group)
    return frame.assign(share=frame["amount"] / frame["amount"].iloc[0])


def _day(given: Day, known: dt.date) -> dt.date:
    if given is None:
        return known
    return dt.date.fromisoformat(given) if isinstance(given, str) else given


def _notes(base: CustomerBase, customers: pd.DataFrame, rebated: bool) -> list[str]:
    notes = []
    if not rebated:
        notes.append(
            "no rebates after the invoice were given: the pocket price is the invoice price"
        )
    if customers["cost_of_goods"].isna().any():
        notes.append(
            "the cost of goods is neither recorded nor assumed: the steps end with the pocket price"
        )
    elif not base.has("transactions", "cost"):
        notes.append("the cost of goods is the case's assumption, not recorded")
    if customers["cost_to_serve"].isna().all():
        notes.append("nothing is known of the cost to serve")
    return notes
