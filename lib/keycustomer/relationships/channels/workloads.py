"""Managers' workloads: accounts, contacts and revenue of each manager, and who has too much.

Is the work spread so that every account gets its share?  :func:`manager_workloads` counts what each
manager (or agent) looked after in some months, turns contacts into hours by stated assumptions, and
calls overloaded who has more hours than a year holds, or more than a multiple of the median.

Source: the course's T5 (key-account managers with KPIs).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import pandas as pd

from keycustomer.customers import CustomerBase, customer_table
from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.lifetime.arguments import Day, day_of
from keycustomer.relationships.rules.quality import first_day
from keycustomer.relationships.rules.service_kept import kept_by_customer

Staff: TypeAlias = Literal["manager", "agent"]

HOURS: dict[str, float] = {"visits": 4.0, "calls": 0.5, "complaints": 1.5, "account": 6.0}
"""Hours that a visit, a call and a complaint take with preparation, and an account a year beside
them: assumptions."""

KINDS: dict[str, tuple[str, ...]] = {
    "visits": ("visit",),
    "calls": ("call",),
    "complaints": ("complaint",),
}
"""Kinds of interactions that are visits, calls and complaints."""

CAPACITY = 1_400.0
"""Hours a year that a manager has for customers: an assumption."""

MULTIPLE = 1.5
"""Hours over the median manager's from which one is overloaded."""

MONTHS = 12


@dataclass(frozen=True, eq=False)
class ManagerWorkloads:
    """What each manager looks after.

    Attributes
    ----------
    frame : DataFrame
        One row a manager, most hours first: the staff column's name, customers (there in the
        time), visits, calls, complaints, hours (a year), load (share of the capacity),
        contacts_per_customer (visits and calls a year), revenue, margin (currency in the time),
        shared (customers an agent, or a manager, also claims), overloaded.
    staff : {"manager", "agent"}
        Whose workloads they are.
    unmanaged : int
        Customers there of whom nobody is in charge.
    hours : dict of str to float
        Hours by kind of work.
    capacity : float
        Hours a year.
    multiple : float
        Of the median's hours from which one is overloaded.
    start, end : date
        Days counted.
    currency : str
        Of revenue and margin.
    notes : tuple of str
        What is assumed.
    """

    frame: pd.DataFrame
    staff: str
    unmanaged: int
    hours: dict[str, float]
    capacity: float
    multiple: float
    start: dt.date
    end: dt.date
    currency: str
    notes: tuple[str, ...]

    @property
    def overloaded(self) -> pd.DataFrame:
        """Those with too much."""
        return self.frame[self.frame["overloaded"]].reset_index(drop=True)

    @property
    def sentence(self) -> str:
        """The workloads in words."""
        most, least = self.frame["hours"].max(), self.frame["hours"].min()
        spread = f"{most / least:.1f} times" if least > 0 else "far more than"
        return (
            f"{len(self.overloaded):,} of {counted(len(self.frame), self.staff)} are overloaded; "
            f"the busiest has {spread} the hours of the least busy"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a manager."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [self.sentence, *self.notes]
        return report_html("Workloads", said, {f"By {self.staff}": self.frame})


def manager_workloads(
    base: CustomerBase,
    *,
    staff: Staff = "manager",
    start: Day = None,
    end: Day = None,
    hours: Mapping[str, float] | None = None,
    capacity: float = CAPACITY,
    multiple: float = MULTIPLE,
) -> ManagerWorkloads:
    """Count what each manager looks after, and tell who has too much.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with customers that know their manager (or agent), and interactions.
    staff : {"manager", "agent"}
        Whose workloads to count.
    start, end : date or ISO string, optional
        Days, inclusive; default: the last twelve months observed.
    hours : mapping of str to float, optional
        Hours by kind of work (`visits`, `calls`, `complaints`, `account`), in place of `HOURS`.
    capacity : float
        Hours a year that a manager has for customers.
    multiple : float
        Of the median's hours from which one is overloaded, even within the capacity.

    Raises
    ------
    ValueError
        When the staff is not on file, there are no interactions, or a number makes no sense.
    """
    per = HOURS | dict(hours or {})
    _check(staff, per, capacity, multiple)
    if not base.has("customers", staff) or not base.has("interactions"):
        missing = "interactions" if base.has("customers", staff) else f"customers.{staff}"
        raise ValueError(f"{base.title}: the base has no {missing}; workloads cannot be counted")
    last = day_of(end, "end") or base.end
    first = day_of(start, "start") or max(first_day(last, MONTHS), base.start)
    found = kept_by_customer(base, first, last, KINDS)
    own = _with_staff(base, found.customers, first, last)
    years = found.years
    other = "agent" if staff == "manager" else "manager"
    own["shared"] = own[other].notna()
    table = _by_staff(own, staff, per, years)
    table["load"] = table["hours"] / capacity
    limit = multiple * table["hours"].median()
    table["overloaded"] = (table["hours"] > capacity) | (table["hours"] > limit)
    table = table.sort_values(["hours", "staff"], ascending=[False, True], ignore_index=True)
    return ManagerWorkloads(
        table[[*COLUMNS, "load", "overloaded"]].rename(columns={"staff": staff}),
        staff,
        int(own[staff].isna().sum()),
        per,
        capacity,
        multiple,
        first,
        last,
        base.currency,
        _notes(per, capacity, multiple, limit, int(own[staff].isna().sum()), staff),
    )


COLUMNS = (
    *("staff", "customers", "visits", "calls", "complaints", "hours", "contacts_per_customer"),
    *("revenue", "margin", "shared"),
)


def _check(staff: str, hours: Mapping[str, float], capacity: float, multiple: float) -> None:
    complaints = []
    if staff not in get_args(Staff):
        complaints.append(f"staff={staff!r}: 'manager' or 'agent'")
    unknown = [name for name in hours if name not in HOURS]
    if unknown:
        complaints.append(f"hours: no kind of work {unknown[0]!r}; {', '.join(HOURS)}")
    wrong = [name for name, value in hours.items() if not 0 <= value < math.inf]
    if wrong:
        complaints.append(f"hours[{wrong[0]!r}]={hours[wrong[0]]!r}: at least 0 and finite")
    for name, value in (("capacity", capacity), ("multiple", multiple)):
        if not 0 < value < math.inf:
            complaints.append(f"{name}={value!r}: above 0 and finite")
    refuse(complaints)


def _with_staff(
    base: CustomerBase, customers: pd.DataFrame, start: dt.date, end: dt.date
) -> pd.DataFrame:
    """Add to customers who is in charge, and their revenue and margin in the time."""
    parts = [
        name if base.has("customers", name) else f"null::varchar as {name}"
        for name in ("manager", "agent")
    ]
    sql = f"select customer_id, {', '.join(parts)} from customers"  # noqa: S608
    staff = base.query(sql).set_index("customer_id")
    table = customers.join(staff)
    if not base.has("transactions"):
        return table.assign(revenue=math.nan, margin=math.nan)
    sales = customer_table(base, start=start, end=end).set_index("customer_id")
    return table.join(sales[["revenue", "margin"]])


def _by_staff(
    own: pd.DataFrame, staff: str, hours: Mapping[str, float], years: float
) -> pd.DataFrame:
    grouped = own.dropna(subset=staff).groupby(staff)
    sums: Any = grouped[["years", *KINDS, "revenue", "margin", "shared"]].sum(min_count=1)
    table = sums.assign(customers=grouped.size())
    work = sum(hours[kind] * table[kind] for kind in KINDS) + hours["account"] * table["years"]
    table["hours"] = work / years
    table["contacts_per_customer"] = (table["visits"] + table["calls"]) / table["years"]
    counts = ["visits", "calls", "complaints", "shared"]
    table[counts] = table[counts].astype(int)
    return table.rename_axis("staff").reset_index()


def _notes(
    hours: Mapping[str, float],
    capacity: float,
    multiple: float,
    limit: float,
    unmanaged: int,
    staff: str,
) -> tuple[str, ...]:
    told = ", ".join(f"{name} {value:g}" for name, value in hours.items())
    notes = [
        f"assumed hours: {told} (an account's a year); capacity {capacity:,.0f} a year",
        f"overloaded: above the capacity, or above {multiple:g} times the median ({limit:,.0f} "
        "hours)",
    ]
    if unmanaged:
        notes.append(f"{counted(unmanaged, 'customer')} without {staff}")
    return tuple(notes)
