"""Records of service by customer: who was there how long, contacts made, complaints resolved.

:func:`kept_by_customer` reads them for some days; service-level rules are held against them.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase

DAYS_OF_A_YEAR = 365.25


@dataclass(frozen=True, eq=False)
class Kept:
    """Service on record, by customer.

    Attributes
    ----------
    customers : DataFrame
        By customer_id: years (that it was there in these days), visits, calls, complaints,
        made_cost (of visits and calls), person (nobody, anybody, manager).
    complaints : DataFrame
        One row a complaint: customer_id, date, days (to resolve; 0 at the first contact, infinite
        when not resolved by the end), waited (days from the complaint to the end).
    unit_cost : dict of str to float
        Mean cost of a visit and of a call, NaN where not on record.
    staffed, timed : bool
        Whether managers or agents, and days of resolution, are on record.
    years : float
        Length of the days checked, to a whole month.
    """

    customers: pd.DataFrame = field(repr=False)
    complaints: pd.DataFrame = field(repr=False)
    unit_cost: dict[str, float]
    staffed: bool
    timed: bool
    years: float

    def complaints_of(self, customers: pd.DataFrame, promised: Mapping[str, float]) -> pd.DataFrame:
        """Judge the complaints of some customers against the days promised to their tiers.

        Returns
        -------
        DataFrame
            By customer_id: in_time, judged and pending (open, and the days not up) complaints.
        """
        own = self.complaints[self.complaints["customer_id"].isin(customers.index)]
        days = customers["tier"].map(promised).reindex(own["customer_id"]).to_numpy(float)
        in_time = own["days"].to_numpy() <= days
        pending = np.isinf(own["days"].to_numpy()) & (own["waited"].to_numpy() < days)
        flags = pd.DataFrame(
            {
                "customer_id": own["customer_id"].to_numpy(),
                "in_time": in_time.astype(float),
                "judged": (~pending).astype(float),
                "pending": pending.astype(float),
            }
        )
        return flags.groupby("customer_id").sum()


def kept_by_customer(
    base: CustomerBase, start: dt.date, end: dt.date, kinds: Mapping[str, Sequence[str]]
) -> Kept:
    """Read the service on record of the customers who were there in some days.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with interactions.
    start, end : date
        First and last day.
    kinds : mapping
        Kinds of interactions that are "visits", "calls" and "complaints".

    Raises
    ------
    ValueError
        When nobody was there.
    """
    there = years_there(base, start, end)
    contacts = base.query(
        "select customer_id, date, kind, resolved_on, first_contact_resolution as first, cost "
        "from interactions where date between $start and $end",
        start=start,
        end=end,
    )
    customers = pd.DataFrame({"years": there})
    unit_cost, made = {}, pd.Series(0.0, index=customers.index)
    for name, own_kinds in kinds.items():
        own = contacts[contacts["kind"].isin(own_kinds)]
        counts = own.groupby("customer_id").size().reindex(customers.index, fill_value=0)
        customers[name] = counts.astype(float)
        if name != "complaints":
            spent = pd.to_numeric(own["cost"]).groupby(own["customer_id"]).sum()
            made += spent.reindex(customers.index, fill_value=0.0).astype(float)
            unit_cost[name] = _mean_cost(base, own_kinds)
    staff, staffed = _staff(base, customers.index)
    table = customers.assign(made_cost=made, person=staff)
    timed = base.has("interactions", "resolved_on")
    complaints = _complaints(contacts[contacts["kind"].isin(kinds["complaints"])], end)
    return Kept(table, complaints, unit_cost, staffed, timed, window_years(start, end))


def window_years(start: dt.date, end: dt.date) -> float:
    """Length of a window in years, to a whole month."""
    return max(round(12 * ((end - start).days + 1) / DAYS_OF_A_YEAR), 1) / 12


def years_there(base: CustomerBase, start: dt.date, end: dt.date) -> pd.Series:
    """Years of a window that each customer was there, by customer_id; only those who were.

    A customer is there while a contract runs, or where there are no contracts from its first
    purchase on.

    Raises
    ------
    ValueError
        When nobody was there.
    """
    if base.has("contracts"):
        sql = (
            'select customer_id, min(start) as first, max(coalesce("end", $end)) as last '
            "from contracts group by customer_id"
        )
        found = base.query(sql, end=end)
    elif base.has("transactions"):
        sql = (
            "select customer_id, min(date) as first, $end as last from transactions "
            "where date <= $end group by customer_id"
        )
        found = base.query(sql, end=end)
    else:
        names = base.query("select distinct customer_id from customers")
        found = names.assign(first=pd.Timestamp(start), last=pd.Timestamp(end))
    first = pd.to_datetime(found["first"]).clip(lower=pd.Timestamp(start))
    last = pd.to_datetime(found["last"]).clip(upper=pd.Timestamp(end))
    days = (last - first).dt.days.to_numpy() + 1
    ids = pd.Index(found["customer_id"].astype(str), name="customer_id", dtype=object)
    years = days * window_years(start, end) / ((end - start).days + 1)
    if not (days > 0).any():
        raise ValueError(f"{base.title}: no customer was there from {start} to {end}")
    return pd.Series(years, ids, dtype=float)[days > 0].sort_index()


def _mean_cost(base: CustomerBase, kinds: Sequence[str]) -> float:
    query = "select avg(cost) as cost from interactions where list_contains($kinds, kind)"
    cost = base.query(query, kinds=list(kinds))["cost"].iloc[0]
    return math.nan if pd.isna(cost) else float(cost)


def _staff(base: CustomerBase, ids: pd.Index) -> tuple[pd.Series, bool]:
    """Who is in charge of each customer, and whether that is on file at all."""
    staffed = [name for name in ("manager", "agent") if base.has("customers", name)]
    person = pd.Series("nobody", index=ids, dtype=object)
    if staffed:
        found = base.query(f"select customer_id, {', '.join(staffed)} from customers")  # noqa: S608
        known = found.set_index("customer_id").reindex(ids).notna()
        for name in reversed(staffed):
            word = "manager" if name == "manager" else "anybody"
            person = person.mask(known[name], word)
    return person, bool(staffed)


def _complaints(found: pd.DataFrame, end: dt.date) -> pd.DataFrame:
    date = pd.to_datetime(found["date"])
    resolved = pd.to_datetime(found["resolved_on"])
    days = (resolved - date).dt.days.to_numpy(dtype=float)
    known = np.where(np.isnan(days) | (resolved > pd.Timestamp(end)), math.inf, days)
    first = found["first"].astype("boolean").fillna(False).to_numpy(bool)
    return pd.DataFrame(
        {
            "customer_id": found["customer_id"].astype(str).to_numpy(),
            "date": date.to_numpy(),
            "days": np.where(first, 0.0, known),
            "waited": (pd.Timestamp(end) - date).dt.days.to_numpy(dtype=float),
        }
    )
