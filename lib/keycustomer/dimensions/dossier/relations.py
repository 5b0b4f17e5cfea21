"""How the account is served: contacts, complaints and contracts, two parts of a dossier."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import pandas as pd

from keycustomer.dimensions.dossier.blocks import Block, Fact
from keycustomer.dimensions.dossier.drawing import timeline
from keycustomer.dimensions.dossier.plain import cut, listed, money, percent_of

if TYPE_CHECKING:
    from keycustomer.customers import CustomerBase
    from keycustomer.dimensions.dossier.book import DossierBook

MOST_KINDS = 5
MOST_CONTRACTS = 4
COMPLAINT = "complaint"
OTHERS = "competitor"
"""Word in a kind of contact that is not ours."""


def contacts_block(book: DossierBook, customer_id: str) -> Block:
    """Make the part on contacts and complaints."""
    name, title, base = "contacts", "Service, contacts and complaints", book.base
    if not base.has("interactions"):
        return Block(
            name, title, missing="No table interactions in these data: visits, calls and "
            "complaints of the account are not known.",
        )  # fmt: skip
    query = "from interactions where customer_id = $customer order by date"
    found = base.query(query, customer=customer_id)
    if found.empty:
        return Block(name, title, "No contact in all the days observed.")
    found["date"] = pd.to_datetime(found["date"])
    counts = found["kind"].value_counts()
    kinds = [str(kind) for kind in counts.index[:MOST_KINDS]]
    events = [
        (kind, [day.date() for day in found.loc[found["kind"] == kind, "date"]]) for kind in kinds
    ]
    said = f"{len(found):,} contacts: " + listed([f"{counts[k]:,} {k}" for k in kinds], MOST_KINDS)
    facts = [*_last_contact(book, found), *_complaints(book, found), *_cost(book, customer_id)]
    others = len(counts) - MOST_KINDS
    note = f"{others} rarer kinds of contact are not shown." if others > 0 else ""
    figure = timeline(events, base.start, base.end, said)
    return Block(name, title, "", tuple(facts), figure, note=note)


def _last_contact(book: DossierBook, found: pd.DataFrame) -> list[Fact]:
    kinds = found["kind"].str.lower()
    contacts = found[(kinds != COMPLAINT) & ~kinds.str.contains(OTHERS)]
    if contacts.empty:
        return []
    last = contacts.iloc[-1]
    ago = (book.base.end - last["date"].date()).days
    return [
        Fact(
            "last contact",
            last["date"].date().isoformat(),
            f"{cut(last['kind'])}, {ago:,} days ago",
        )
    ]


def _complaints(book: DossierBook, found: pd.DataFrame) -> list[Fact]:
    own = found[found["kind"].str.lower() == COMPLAINT]
    if own.empty:
        return [Fact("complaints", "none")]
    facts = []
    start, _ = book.window
    recent = int((own["date"] >= pd.Timestamp(start)).sum())
    remark = f"{recent:,} in the last year"
    if "resolved_on" in own and book.base.has("interactions", "resolved_on"):
        resolved = pd.to_datetime(own["resolved_on"])
        remark += f"; {int(resolved.isna().sum()):,} not resolved"
        days = (resolved - own["date"]).dt.days.dropna()
        if len(days):
            usual = _usual_days(book)
            facts.append(Fact("days to resolve", f"{days.mean():.1f}", f"mean; of all {usual:.1f}"))
    facts.insert(0, Fact("complaints", f"{len(own):,}", remark))
    if book.base.has("interactions", "first_contact_resolution"):
        first = own["first_contact_resolution"].dropna()
        if len(first):
            share = percent_of(float(first.astype(float).mean()))
            facts.append(Fact("resolved at first contact", share, f"of {len(first):,}"))
    return facts


def _usual_days(book: DossierBook) -> float:
    query = (
        "select avg(date_diff('day', date, resolved_on)) as days from interactions "
        "where lower(kind) = $kind"
    )
    return float(book.base.query(query, kind=COMPLAINT)["days"].iloc[0])


def _cost(book: DossierBook, customer_id: str) -> list[Fact]:
    own = book.now.loc[customer_id].to_dict()
    if not math.isfinite(own["cost_to_serve"]):
        return []
    cost = own["cost_to_serve"]
    share = cost / own["margin"] if own["margin"] > 0 else math.nan
    remark = (
        f"last year; {percent_of(share)} of its margin" if math.isfinite(share) else "last year"
    )
    return [Fact("cost to serve", money(cost, book.base.currency), remark)]


def contracts_block(book: DossierBook, customer_id: str) -> Block:
    """Make the part on contracts and the relationship level."""
    name, title, base = "contracts", "Contracts and relationship level", book.base
    if not dated_contracts(base):
        return Block(
            name,
            title,
            missing="No table contracts in these data, or one without days: terms and the "
            "relationship level of the account are not known.",
        )
    query = "from contracts where customer_id = $customer order by start"
    found = base.query(query, customer=customer_id)
    if found.empty:
        return Block(name, title, "No contract on file.")
    rows = [_contract(row) for row in found.tail(MOST_CONTRACTS)[::-1].to_dict("records")]
    last = found.iloc[-1]
    until = _day(last["end"])
    level = _text(last.get("relationship_level"))
    ended = until is not None and until < base.end
    state = f"Ended on {until}" if ended else f"Runs {'until ' + str(until) if until else 'on'}"
    said = f"{state}{', level ' + cut(level) if level else ''}{_commonness(book, level)}."
    more = len(found) - MOST_CONTRACTS
    note = f"{more:,} earlier stretches are not shown." if more > 0 else ""
    heads = ("from", "to", "level", "plan")
    return Block(name, title, said, heads=heads, rows=tuple(rows), note=note)


def dated_contracts(base: CustomerBase) -> bool:
    """Tell whether there are contracts of which the days are known."""
    return base.has("contracts") and "start" in base.query("from contracts limit 0").columns


def contract_state(book: DossierBook, customer_id: str) -> str:
    """Say when the last contract ended; empty where one runs or none is known."""
    if not dated_contracts(book.base):
        return ""
    query = (
        'select case when count(*) filter ("end" is null) = 0 then max("end") end as ended '
        "from contracts where customer_id = $customer"
    )
    ended = _day(book.base.query(query, customer=customer_id)["ended"].iloc[0])
    return f"Its contract ended on {ended}." if ended and ended < book.base.end else ""


def _contract(row: dict[object, object]) -> tuple[str, ...]:
    end = _day(row["end"])
    return (
        str(_day(row["start"])),
        str(end or "runs"),
        cut(_text(row.get("relationship_level")) or "not known", 24),
        cut(_text(row.get("price_plan")) or "not known", 24),
    )


def _day(value: object) -> dt.date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()  # type: ignore[call-overload,arg-type]


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)


def _commonness(book: DossierBook, level: str) -> str:
    """Share of the running contracts that have the same level."""
    if not level:
        return ""
    query = (
        "select avg((relationship_level = $level)::double) as share from contracts "
        'where "end" is null or "end" >= $day'
    )
    share = float(book.base.query(query, level=level, day=book.base.end)["share"].iloc[0])
    return f" (as {percent_of(share)} of running contracts)" if math.isfinite(share) else ""
