"""How an account is looked after: service, who is in charge, contract, relationship level.

Question: what stands open with the account, who answers for it, and until when is it bound?
:func:`service_columns`, :func:`charge_columns` and :func:`contract_columns` answer for some
customers from interactions, customers and sales, and contracts.

A contract without an end on file is taken to renew at the end of its price plan's term ("24
months", "monthly"), counted from its start; a plan that names no term leaves the months unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from keycustomer.dimensions.dossier.relations import COMPLAINT, OTHERS, dated_contracts

if TYPE_CHECKING:
    from keycustomer.dimensions import DossierBook

SERVICE = (
    "complaints",
    "complaints_open",
    "first_contact_resolution",
    "last_contact",
    "last_contact_kind",
)
"""Columns on service, see :func:`service_columns`."""

CHARGE = ("in_charge", "channel", "conflict")
"""Columns on responsibility, see :func:`charge_columns`."""

CONTRACT = ("level_now", "price_plan", "contract_until", "months_left", "contract_ended")
"""Columns on contracts, see :func:`contract_columns`."""

DAYS_OF_MONTH = 365.25 / 12

LONGEST = 1200
"""Months of a term beyond which a price plan's number is taken for something else."""

_TERMS = ((r"(\d+)[\s-]*month", 1), (r"(\d+)[\s-]*year", 12))
_WORDS = {"monthly": 1, "quarterly": 3, "yearly": 12, "annual": 12}


def service_columns(book: DossierBook, customers: list[str]) -> pd.DataFrame:
    """Give the service state of some customers.

    Parameters
    ----------
    book : DossierBook
        The base, with interactions.
    customers : list of str
        Customer ids.

    Returns
    -------
    DataFrame
        By customer_id: complaints (of the last year), complaints_open (of all days observed, not
        resolved), first_contact_resolution (share of the last year's complaints), last_contact
        (day) and last_contact_kind (of our own contacts).  A base that records no complaint of
        anybody does not know of complaints: NaN, not 0.
    """
    base, index = book.base, pd.Index(customers, name="customer_id")
    start, _ = book.window
    kinds = base.query("select distinct lower(kind) as kind from interactions")["kind"]
    records = bool((kinds == COMPLAINT).any())
    query = (
        "select customer_id, count(*) filter (date >= $start) as complaints, "
        "count(*) filter (resolved_on is null) as complaints_open, "
        "avg(first_contact_resolution::int) filter (date >= $start) as first_contact_resolution "
        "from interactions where lower(kind) = $kind and list_contains($customers, customer_id) "
        "and date <= $end group by customer_id"
    )
    told = {"start": start, "end": base.end, "customers": customers}
    found = base.query(query, kind=COMPLAINT, **told).set_index("customer_id").reindex(index)
    counts = ["complaints", "complaints_open"]
    found[counts] = found[counts].astype(float).fillna(0.0) if records else np.nan
    if not base.has("interactions", "resolved_on"):
        found["complaints_open"] = np.nan
    return found.join(_last_contacts(book, customers))[list(SERVICE)]


def _last_contacts(book: DossierBook, customers: list[str]) -> pd.DataFrame:
    query = (
        "select customer_id, max(date) as last_contact, arg_max(kind, date) as last_contact_kind "
        "from interactions where lower(kind) <> $kind and not contains(lower(kind), $others) "
        "and list_contains($customers, customer_id) and date <= $end group by customer_id"
    )
    told = {"kind": COMPLAINT, "others": OTHERS, "customers": customers, "end": book.base.end}
    found = book.base.query(query, **told).set_index("customer_id")
    return found.assign(last_contact=pd.to_datetime(found["last_contact"]))


def charge_columns(book: DossierBook, customers: list[str]) -> pd.DataFrame:
    """Give who is in charge of some customers, and whether two are.

    Parameters
    ----------
    book : DossierBook
        The base.
    customers : list of str
        Customer ids.

    Returns
    -------
    DataFrame
        By customer_id: in_charge (`manager`, `agent`, `agent and manager`, `nobody`; no names),
        channel (of most revenue), conflict (whether an agent and an own manager are both in
        charge, or both sold in one quarter of the last year).

    Raises
    ------
    ValueError
        When the base knows neither staff nor channels.
    """
    from keycustomer.relationships import channel_overlap

    start, end = book.window
    frame = channel_overlap(book.base, start=start, end=end).frame.set_index("customer_id")
    return _charge(frame, customers)


def _charge(overlap: pd.DataFrame, customers: list[str]) -> pd.DataFrame:
    found = overlap.reindex(pd.Index(customers, name="customer_id"))
    manager, agent = found["manager"].notna(), found["agent"].notna()
    who = pd.Series("nobody", index=found.index, dtype=object)
    who = (
        who.mask(agent, "agent").mask(manager, "manager").mask(manager & agent, "agent and manager")
    )
    if not overlap[["manager", "agent"]].notna().to_numpy().any():
        who[:] = None
    return pd.DataFrame(
        {"in_charge": who, "channel": found["channel"], "conflict": found["conflict"]}
    )


def contract_columns(book: DossierBook, customers: list[str] | None = None) -> pd.DataFrame:
    """Give the contract state of some customers, or of all who have a contract.

    Parameters
    ----------
    book : DossierBook
        The base.
    customers : list of str, optional
        Customer ids.

    Returns
    -------
    DataFrame
        By customer_id, of the last contract: level_now (relationship level), price_plan,
        contract_until (day of its end or next renewal), months_left (to that day), contract_ended
        (whether it ended before the last day observed); empty where not known.

    Raises
    ------
    ValueError
        When the base has no contracts with days.
    """
    base = book.base
    if not dated_contracts(base):
        raise ValueError("the base has no table contracts, or one without days")
    known = set(base.query("from contracts limit 0").columns)
    texts = [
        name if name in known else f"null::varchar as {name}"
        for name in ("relationship_level", "price_plan")
    ]
    rows = base.query(
        f'select customer_id, start, "end" as stop, {", ".join(texts)} from contracts '  # noqa: S608
        "where start is not null and start <= $end qualify row_number() over "
        "(partition by customer_id order by start desc, stop desc nulls first) = 1 "
        "order by customer_id",
        end=base.end,
    ).set_index("customer_id")
    rows = rows if customers is None else rows.reindex(customers)
    day = pd.Timestamp(base.end)
    until = pd.to_datetime(
        pd.Series([_until(row, day) for row in rows.to_dict("records")], index=rows.index)
    )
    ended = (pd.to_datetime(rows["stop"]) < day).where(rows["start"].notna())
    left = until.sub(day).dt.days / DAYS_OF_MONTH
    return pd.DataFrame(
        {
            "level_now": rows["relationship_level"],
            "price_plan": rows["price_plan"],
            "contract_until": until,
            "months_left": left.clip(lower=0.0),
            "contract_ended": ended,
        }
    ).rename_axis("customer_id")


def plan_term(price_plan: object) -> int | None:
    """Read the months between renewals from the name of a price plan.

    Examples
    --------
    >>> plan_term("24 months"), plan_term("monthly"), plan_term("fair use")
    (24, 1, None)
    """
    text = str(price_plan).lower()
    for pattern, months in _TERMS:
        found = re.search(pattern, text)
        if found and 0 < int(found[1]) * months <= LONGEST:
            return int(found[1]) * months
    return next((months for word, months in _WORDS.items() if word in text), None)


def _until(contract: Mapping[Any, Any], day: pd.Timestamp) -> pd.Timestamp | None:
    """Day of the contract's end, or of its next renewal from a day on."""
    if not pd.isna(contract["stop"]):
        return pd.Timestamp(contract["stop"])
    term = plan_term(contract["price_plan"])
    if term is None or pd.isna(contract["start"]):
        return None
    first = pd.Timestamp(contract["start"])
    whole = ((day.year - first.year) * 12 + day.month - first.month) // term
    renewals = (
        first + pd.DateOffset(months=term * number) - pd.Timedelta(days=1)
        for number in (max(whole, 1), whole + 1)
    )
    return next(renewed for renewed in renewals if renewed >= day)
