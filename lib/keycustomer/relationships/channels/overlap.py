"""Where agents and own managers overlap: accounts that both look after, or both sell to.

Who belongs to whom?  :func:`channel_overlap` calls an account a conflict when an agent and a
manager are both in charge of it (from the customer file), or when both channels sold to it within
the same period (from the order lines).  It counts them, with their revenue, tells which agents
share accounts with which managers, and what may have been missed.

Source: the course's T5 (channels: agents without conflict).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from keycustomer.customers import CustomerBase
from keycustomer.customers.rendering import amount, counted, percent, report_html
from keycustomer.dimensions.behaviour.windows import observed_window
from keycustomer.dimensions.complaints import listed
from keycustomer.lifetime.arguments import Day
from keycustomer.stats import Estimate
from keycustomer.stats.proportion import wilson_interval

OWN, AGENT, BOTH = "own", "agent", "both"

CHANNEL_KINDS: dict[str, str] = {
    "inside sales": OWN,
    "manager": OWN,
    "agent": AGENT,
    "agent and manager": BOTH,
}
"""Who sells in a channel: the own people, an agent, or both."""

EVERY = ("week", "month", "quarter", "year")

REASONS = ("both in charge", "both sold", "both")
"""Why an account is a conflict."""


@dataclass(frozen=True, eq=False)
class ChannelOverlap:
    """Accounts that agents and own managers share.

    Attributes
    ----------
    frame : DataFrame
        One row an account that bought or has somebody in charge: customer_id, manager, agent
        (text, missing where none), channel (that of most revenue), both_in_charge, both_sold
        (within one period), conflict, reason (one of `REASONS`, empty without conflict), revenue.
    groups : DataFrame
        One row a way of being looked after (nobody, manager, agent, agent and manager): group,
        customers, share, revenue, revenue_share.
    agents : DataFrame
        One row an agent: agent, customers, shared (also a manager's), share, managers (it shares
        with), revenue, conflict_revenue.
    matrix : DataFrame
        Accounts that each agent (row) shares with each manager (column).
    start, end : date
        Days whose sales count.
    every : str
        Period within which both channels sold.
    currency : str
        Of the revenue.
    notes : tuple of str
        What is not known.
    """

    frame: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame
    agents: pd.DataFrame = field(repr=False)
    matrix: pd.DataFrame = field(repr=False)
    start: dt.date
    end: dt.date
    every: str
    currency: str
    notes: tuple[str, ...]

    @property
    def conflicts(self) -> pd.DataFrame:
        """The accounts in conflict, largest revenue first."""
        found = self.frame[self.frame["conflict"]]
        return found.sort_values(
            ["revenue", "customer_id"], ascending=[False, True], ignore_index=True
        )

    @property
    def conflict_accounts(self) -> int:
        """Number of accounts in conflict."""
        return int(self.frame["conflict"].sum())

    @property
    def conflict_share(self) -> Estimate:
        """Share of the accounts that are in conflict."""
        hits, n = self.conflict_accounts, len(self.frame)
        lower, upper = wilson_interval(hits, n)
        ends = float(lower), float(upper)
        return Estimate(hits / n, *ends, "share of customers", n, "Wilson interval")

    @property
    def revenue_share(self) -> float:
        """Share of the revenue that comes from accounts in conflict."""
        total = self.frame["revenue"].sum()
        return float(self.conflicts["revenue"].sum() / total) if total > 0 else math.nan

    @property
    def sentence(self) -> str:
        """The overlap in words."""
        share = percent(self.conflict_share.estimate)
        return (
            f"{counted(self.conflict_accounts, 'account')} ({share}) are claimed by an agent and "
            f"by an own manager, with {percent(self.revenue_share)} of the revenue"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an account."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        revenue = self.conflicts["revenue"].sum()
        said = [
            self.sentence,
            f"revenue of these from {self.start} to {self.end}: {amount(revenue, self.currency)}",
            *self.notes,
        ]
        groups = self.groups.rename(columns={"revenue_share": "share of revenue"})
        tables = {"Who is in charge": groups, "Agents": self.agents}
        return report_html("Overlap of agents and own sales", said, tables)


def channel_overlap(
    base: CustomerBase,
    *,
    every: str = "quarter",
    start: Day = None,
    end: Day = None,
    kinds: Mapping[str, str] | None = None,
) -> ChannelOverlap:
    """Find the accounts that both an agent and the own people look after or sell to.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with transactions, which know their channel, or customers who know their
        manager and agent; with both, both count.
    every : {"week", "month", "quarter", "year"}
        Calendar period within which sales of both channels are a conflict.
    start, end : date or ISO string, optional
        Days whose sales count, inclusive; default: all that was observed.
    kinds : mapping of str to {"own", "agent", "both"}, optional
        Who sells in each channel of the base; added to `CHANNEL_KINDS`.

    Raises
    ------
    ValueError
        When a channel's kind is not known, or the base knows neither staff nor channels.
    """
    if every not in EVERY:
        raise ValueError(f"every={every!r}: choose one of {', '.join(map(repr, EVERY))}")
    window = observed_window(base, start, end)
    staffed = base.has("customers", "manager") and base.has("customers", "agent")
    sold = base.has("transactions", "channel")
    if not (staffed or sold):
        raise ValueError(
            f"{base.title}: neither customers.manager and customers.agent nor "
            "transactions.channel is known; map them in the case file to see who overlaps"
        )
    known = {**CHANNEL_KINDS, **(kinds or {})}
    sales = _sales(base, window, every, known)
    staff = _staff(base)
    table = sales.join(staff, how="outer")
    frame = _frame(table)
    return ChannelOverlap(
        frame,
        _groups(frame),
        _agents(frame),
        _matrix(frame),
        window["start"],
        window["end"],
        every,
        base.currency,
        _notes(staffed, sold, frame),
    )


def kinds_of_channels(channels: pd.Series, kinds: Mapping[str, str]) -> pd.Series:
    """Tell who sells in each channel: own, agent, both.

    Raises
    ------
    ValueError
        When one is not known, or a kind is none of the three.
    """
    wrong = sorted({kind for kind in kinds.values() if kind not in (OWN, AGENT, BOTH)})
    if wrong:
        raise ValueError(f"kinds: {wrong[0]!r} is no kind of channel; 'own', 'agent' or 'both'")
    unknown = sorted(set(channels.dropna().astype(str)) - set(kinds))
    if unknown:
        raise ValueError(
            f"channels {listed(unknown)} of the transactions are not known; say who sells in them, "
            f"as in kinds={{{unknown[0]!r}: 'agent'}} ('own', 'agent' or 'both')"
        )
    return channels.map(dict(kinds))


def _sales(
    base: CustomerBase, window: dict[str, dt.date], every: str, kinds: Mapping[str, str]
) -> pd.DataFrame:
    """Revenue, main channel and whether both kinds sold in one period, by customer."""
    channel = "channel" if base.has("transactions", "channel") else "null::varchar"
    found = base.query(
        f"select customer_id, {channel} as channel, date_trunc($every, date) as period, "  # noqa: S608
        "sum(revenue)::double as revenue from transactions where date between $start and $end "
        "group by all",
        every=every,
        **window,
    )
    found["kind"] = kinds_of_channels(found["channel"], kinds)
    by_channel = found.groupby(["customer_id", "channel"])["revenue"].sum().reset_index()
    by_channel = by_channel.sort_values(["revenue", "channel"], ascending=[False, True])
    seen = found.dropna(subset="kind")[["customer_id", "period", "kind"]].drop_duplicates()
    pairs = pd.crosstab([seen["customer_id"], seen["period"]], seen["kind"])
    pairs = pairs.reindex(columns=[OWN, AGENT, BOTH], fill_value=0)
    clash = ((pairs[OWN] > 0) & (pairs[AGENT] > 0)) | (pairs[BOTH] > 0)
    table = found.groupby("customer_id")["revenue"].sum().to_frame()
    table["channel"] = by_channel.drop_duplicates("customer_id").set_index("customer_id")["channel"]
    table["both_sold"] = clash.groupby(level=0).any().reindex(table.index, fill_value=False)
    return table


def _staff(base: CustomerBase) -> pd.DataFrame:
    """Read manager and agent of each customer on file."""
    parts = [
        name if base.has("customers", name) else f"null::varchar as {name}"
        for name in ("manager", "agent")
    ]
    sql = f"select customer_id, {', '.join(parts)} from customers"  # noqa: S608
    return base.query(sql).set_index("customer_id")


def _frame(table: pd.DataFrame) -> pd.DataFrame:
    there = table["revenue"].notna() | table["manager"].notna() | table["agent"].notna()
    own = table[there].sort_index()
    charged = own["manager"].notna() & own["agent"].notna()
    sold = own["both_sold"].astype("boolean").fillna(False).astype(bool)
    reason = pd.Series("", index=own.index)
    reason = reason.mask(charged, REASONS[0]).mask(sold, REASONS[1])
    return pd.DataFrame(
        {
            "customer_id": own.index.astype(str),
            "manager": own["manager"],
            "agent": own["agent"],
            "channel": own["channel"],
            "both_in_charge": charged,
            "both_sold": sold,
            "conflict": charged | sold,
            "reason": reason.mask(charged & sold, REASONS[2]),
            "revenue": own["revenue"].fillna(0.0),
        }
    ).reset_index(drop=True)


GROUPS = ("nobody", "manager", "agent", "agent and manager")
"""Ways of being looked after, by the customer file."""


def group_of(frame: pd.DataFrame) -> pd.Series:
    """Tell who is in charge of each account, one of `GROUPS`."""
    manager, agent = frame["manager"].notna(), frame["agent"].notna()
    group = pd.Series(GROUPS[0], index=frame.index)
    group = group.mask(manager, GROUPS[1]).mask(agent, GROUPS[2])
    return group.mask(manager & agent, GROUPS[3])


def _groups(frame: pd.DataFrame) -> pd.DataFrame:
    grouped = frame.groupby(group_of(frame))["revenue"]
    table = pd.DataFrame({"customers": grouped.size(), "revenue": grouped.sum()})
    table = table.reindex(list(GROUPS), fill_value=0).rename_axis("group").reset_index()
    total = table["revenue"].sum()
    table.insert(2, "share", table["customers"] / len(frame))
    return table.assign(revenue_share=table["revenue"] / total if total > 0 else math.nan)


def _agents(frame: pd.DataFrame) -> pd.DataFrame:
    own = frame[frame["agent"].notna()]
    shared = own[own["manager"].notna()]
    by, both = own.groupby("agent"), shared.groupby("agent")
    table = pd.DataFrame({"customers": by.size(), "revenue": by["revenue"].sum()})
    table["shared"] = both.size().reindex(table.index, fill_value=0)
    table["managers"] = both["manager"].nunique().reindex(table.index, fill_value=0)
    table["conflict_revenue"] = both["revenue"].sum().reindex(table.index, fill_value=0.0)
    table["share"] = table["shared"] / table["customers"]
    columns = ["agent", "customers", "shared", "share", "managers", "revenue", "conflict_revenue"]
    return table.reset_index()[columns]


def _matrix(frame: pd.DataFrame) -> pd.DataFrame:
    shared = frame[frame["agent"].notna() & frame["manager"].notna()]
    return pd.crosstab(shared["agent"], shared["manager"])


def _notes(staffed: bool, sold: bool, frame: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    if not staffed:
        notes.append(
            "managers and agents are not both on file: an account that both look after and only "
            "one sells to is not seen"
        )
    if not sold:
        notes.append("the order lines know no channel: only who is in charge counts")
    elif frame["channel"].isna().any():
        count = counted(int(frame["channel"].isna().sum()), "account")
        notes.append(f"{count} without sales in a known channel: only who is in charge counts")
    return tuple(notes)
