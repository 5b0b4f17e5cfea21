"""The customer-month panel of a prepared base.

:func:`months_of_base` checks what the base can tell and lays it out;
:func:`lay_out` runs the query on any connection that has the tables, and is shared with simulated
companies.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.statements import identifier, statement_of
from keycustomer.relationships.months.terms import term_of
from keycustomer.relationships.months.typed import typed_columns
from keycustomer.relationships.vocabulary import LEVELS

if TYPE_CHECKING:
    import duckdb

PACKAGE = "keycustomer.relationships.months"

_COUNTS = ("contacts", "complaints", "resolved_first")

RESERVED = frozenset(
    {"customer_id", "month", "number", "tenure", "left", "contract_left", "price_plan", "level"}
    | {"revenue", "margin", "list_revenue", "discount", "products", "categories", "channel"}
    | {*_COUNTS, "complaints", "open_complaints", "resolution_days", "contact_cost", "opened"}
    | {"last_year_margin", "last_year_revenue", "elapsed", "closed", "since", "term"}
)
"""Columns of the panel and of its query; a kind of contact of the same name gets `_contacts`."""


@dataclass(frozen=True)
class Layout:
    """What the query of a panel is made for.

    Attributes
    ----------
    start, end : date
        First and last day.
    contracts : str
        Query of the contracts: customer_id, start, end, relationship_level, price_plan.
    sold, contacted : bool
        Whether there are transactions and interactions; where not, their columns are NaN.
    margin : float or None
        Assumed gross margin as a share of list value of lines without a cost.
    """

    start: dt.date
    end: dt.date
    contracts: str
    sold: bool
    contacted: bool
    margin: float | None


def months_of_base(
    base: CustomerBase, contact_kinds: list[str], complaint_kinds: list[str]
) -> dict[str, Any]:
    """Lay out a prepared base; gives the fields of `CustomerMonths`."""
    contracts = _contracts(base)
    sold, contacted = base.has("transactions"), base.has("interactions")
    layout = Layout(base.start, base.end, contracts, sold, contacted, base.margin)
    frame = lay_out(base.connection, layout, contact_kinds, complaint_kinds)
    if frame.empty:
        raise ValueError(
            f"{base.title}: no contract runs between {base.start} and {base.end}, so no month can "
            "be laid out; see the days of the contracts table"
        )
    attributes = [name for kind in base.attributes.values() for name in kind]
    plans = base.query(f"select distinct price_plan from ({contracts})")["price_plan"]  # noqa: S608
    return {
        "frame": frame,
        "customers": customer_rows(base.query("from customers"), frame, attributes),
        "start": base.start,
        "end": base.end,
        "present": present_at_end(frame),
        "currency": base.currency,
        "simulated": base.simulated,
        "excluded": _excluded(base, frame, contracts),
        "notes": (*_notes(base, frame, plans), *_cut_short(base, contracts)),
    }


_NO_AMOUNTS = """
    select
        null::varchar as customer_id, null::date as month, null::double as revenue,
        null::double as margin, null::double as list_revenue, null::bigint as products,
        null::bigint as categories, null::varchar as channel
    where false
"""


def _contracts(base: CustomerBase) -> str:
    """Query of the contracts that says all columns, or an error where they have no days."""
    if not base.has("contracts"):
        raise ValueError(
            f"{base.title}: the base has no contracts table, so nobody can be said to have left; "
            "for customers without contracts see lifetime (probability alive), or map a contracts "
            "table in the case file"
        )
    known = set(base.query("describe contracts")["column_name"])
    if "start" not in known or not base.has("contracts", "start"):
        raise ValueError(
            f"{base.title}: its contracts have no first days (column start), so they cannot be "
            "placed in calendar months; relationships.fit_churn takes a row a customer with "
            "tenure instead"
        )
    wanted = {"end": "date", "relationship_level": "varchar", "price_plan": "varchar"}
    columns = ["customer_id", "start"] + [
        identifier(name) if name in known else f"null::{kind} as {identifier(name)}"
        for name, kind in wanted.items()
    ]
    _refuse_backward(base, "end" in known)
    return f"select {', '.join(columns)} from contracts where start is not null"  # noqa: S608


def _refuse_backward(base: CustomerBase, ends: bool) -> None:
    if not ends:
        return
    wrong = base.query('select customer_id from contracts where "end" < start order by 1')
    if len(wrong):
        raise ValueError(
            f"{base.title}: {len(wrong):,} contracts end before they begin (first: customers "
            f"{wrong['customer_id'].iloc[:5].tolist()}); mend them, or drop them by the case "
            "file's rule `contradiction: drop`"
        )


def lay_out(
    connection: duckdb.DuckDBPyConnection,
    layout: Layout,
    contact_kinds: list[str],
    complaint_kinds: list[str],
) -> pd.DataFrame:
    """Run the query of the panel.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With the tables interactions and customers, and what the layout's queries ask for.
    layout : Layout
        Window and queries.
    contact_kinds, complaint_kinds : list of str
        Kinds of interactions that count as contacts and as complaints.

    Raises
    ------
    ValueError
        When there are interactions, and none of a kind that is asked for.
    """
    kinds = _kinds(connection, layout) if layout.contacted else []
    _refuse_unknown(kinds, contact_kinds, complaint_kinds)
    columns = kind_columns(kinds)
    plans = _plans(connection, layout.contracts)
    sql = statement_of(
        PACKAGE,
        "customer_months",
        contracts=layout.contracts,
        joined_on=_joined_on(connection),
        amounts=statement_of(PACKAGE, "month_amounts") if layout.sold else _NO_AMOUNTS,
        nothing="0" if layout.sold else "null",
        no_contact="0" if layout.contacted else "null::double",
        kind_counts="\n        ".join(_kind_count(n, c) for n, c in enumerate(columns)),
        contact_columns="\n        ".join(_contact_columns(list(columns), layout.contacted)),
    )
    values: dict[str, Any] = {
        "start": layout.start,
        "end": layout.end,
        "levels": list(LEVELS),
        "plans": plans,
        "terms": [term_of(plan) or 0 for plan in plans],
        "contact_kinds": contact_kinds,
        "complaint_kinds": complaint_kinds,
    }
    values |= {f"kind_{n}": counted for n, counted in enumerate(columns.values())}
    if layout.sold:
        values["margin"] = layout.margin
    return _tidy(connection.execute(sql, values).df())


def _joined_on(connection: duckdb.DuckDBPyConnection) -> str:
    """Give the day the customer joined, unknown where the customers table does not tell."""
    columns = {row[0] for row in connection.execute("describe customers").fetchall()}
    return "joined_on::date" if "joined_on" in columns else "null::date"


def _plans(connection: duckdb.DuckDBPyConnection, contracts: str) -> list[str]:
    found = connection.execute(
        f"select distinct price_plan from ({contracts}) "  # noqa: S608
        "where price_plan is not null order by price_plan"
    )
    return [plan for (plan,) in found.fetchall()]


def _kinds(connection: duckdb.DuckDBPyConnection, layout: Layout) -> list[str]:
    found = connection.execute(
        "select distinct kind from interactions where kind is not null "
        "and date between $start and $end order by kind",
        {"start": layout.start, "end": layout.end},
    )
    return [kind for (kind,) in found.fetchall()]


def _refuse_unknown(kinds: list[str], *wanted: list[str]) -> None:
    for name, asked in zip(("contact_kinds", "complaint_kinds"), wanted, strict=True):
        if kinds and asked and not set(asked) & set(kinds):
            raise ValueError(
                f"{name}={tuple(asked)!r}: the interactions know none of these kinds; there are "
                f"{kinds[:12]}; name those that count, or give {name}=() where none does"
            )


def kind_columns(kinds: list[str]) -> dict[str, list[str]]:
    """Name the count columns, and the kinds that each one counts."""
    columns: dict[str, list[str]] = {}
    for kind in kinds:
        name = "_".join(kind.strip().lower().replace("-", " ").split())
        name = f"{name}_contacts" if name in RESERVED else name
        columns.setdefault(name, []).append(kind)
    return columns


def _kind_count(number: int, column: str) -> str:
    count = f"count(*) filter (list_contains($kind_{number}, kind))"
    return f"{count} as {identifier(column)},"


def _contact_columns(kinds: list[str], known: bool) -> list[str]:
    """Write the counts of a month: 0 without a contact, null where none are recorded."""
    nothing = "0" if known else "null::double"
    columns = [
        f"coalesce({identifier(name)}, {nothing}) as {identifier(name)},"
        for name in (*_COUNTS, *kinds)
    ]
    return [
        *columns,
        f"coalesce(opened, {nothing}) - coalesce(closed, 0) as open_complaints,",
        "resolution_days,",
        f"coalesce(contact_cost, {nothing}) as contact_cost",
    ]


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Give months as days, counts as whole numbers where they are known."""
    frame["month"] = pd.to_datetime(frame["month"])
    for name in ("number", "level", "contract_left"):
        frame[name] = frame[name].astype("int64")
    frame["left"] = frame["left"].astype(bool)
    return frame


def present_at_end(frame: pd.DataFrame) -> pd.Index:
    """Ids of the customers who are there after the last day."""
    last = frame["number"] == frame["number"].max()
    return pd.Index(frame.loc[last & ~frame["left"], "customer_id"], name="customer_id")


def customer_rows(
    customers: pd.DataFrame, frame: pd.DataFrame, attributes: list[str]
) -> pd.DataFrame:
    """Say who the customers of a panel are, with typed attributes."""
    there = pd.DataFrame({"customer_id": frame["customer_id"].unique()})
    names = ["customer_id", "joined_on", "manager", "agent", *attributes]
    table = customers.reindex(columns=list(dict.fromkeys(names)))
    told = there.merge(table.drop_duplicates("customer_id"), on="customer_id", how="left")
    told["joined_on"] = pd.to_datetime(told["joined_on"]).astype("datetime64[s]")
    return typed_columns(told, attributes)


def _excluded(base: CustomerBase, frame: pd.DataFrame, contracts: str) -> pd.DataFrame:
    """Count the customers, lines and contacts that no month holds."""
    there = frame[["customer_id", "month"]]
    base.connection.register("laid_out_months", there)
    try:
        parts = [
            base.query(
                statement_of(PACKAGE, "outside_months", table=table),
                reason=reason,
                start=base.start,
                end=base.end,
            )
            for table, reason in _OUTSIDE.items()
            if base.has(table)
        ]
        never = base.query(
            statement_of(PACKAGE, "never_there", contracts=contracts),
            start=base.start,
            end=base.end,
        )
    finally:
        base.connection.unregister("laid_out_months")
    found = pd.concat([never, *parts], ignore_index=True)
    return found[found["customers"] > 0].reset_index(drop=True)


_OUTSIDE = {
    "transactions": "order lines in months without a contract",
    "interactions": "contacts in months without a contract",
}


def _notes(base: CustomerBase, frame: pd.DataFrame, plans: pd.Series) -> list[str]:
    said = []
    unknown = int((frame["level"] < 0).sum())
    if unknown:
        said.append(f"The relationship level of {unknown:,} customer-months is not known (-1).")
    if not base.has("transactions"):
        said.append("The base has no transactions: amounts and products are not known.")
    elif frame["margin"].isna().any():
        missing = int(frame["margin"].isna().sum())
        said.append(
            f"The margin of {missing:,} customer-months is not known: lines have no cost and the "
            "case assumes no margin."
        )
    if not base.has("interactions"):
        said.append("The base has no interactions: contacts and complaints are not known.")
    loose = [plan for plan in plans.dropna() if term_of(plan) is None]
    if loose:
        said.append(
            f"Price plans that name no length count as without a term: {sorted(loose)[:5]}."
        )
    if plans.isna().all():
        said.append("No price plan is recorded: contracts count as without a term.")
    return said + _calendar_notes(base, frame)


def _cut_short(base: CustomerBase, contracts: str) -> list[str]:
    """Say how many left before their last month was over, of which less is then seen."""
    found = base.query(
        "select count(*) as leavers, count(*) filter (stop < last_day(stop)) as early from ("  # noqa: S608
        """select max(coalesce("end", date '9999-12-31')) as stop """
        f"from ({contracts}) group by customer_id) where stop between $start and $end",
        start=base.start,
        end=base.end,
    )
    leavers, early = found.iloc[0].tolist()
    if not early:
        return []
    return [
        f"{early:,} of {leavers:,} who left did so before the month was over: their last month "
        "holds fewer contacts, complaints and sales for that reason alone, so that in the month "
        "itself these seem to keep customers; forecasts take what was known a month before."
    ]


def _calendar_notes(base: CustomerBase, frame: pd.DataFrame) -> list[str]:
    said = []
    after = base.end + dt.timedelta(days=1)
    if base.start.day != 1 or after.day != 1:
        said.append(
            f"The window {base.start} to {base.end} cuts months: the first or last one is shorter."
        )
    steps = frame.groupby("customer_id")["number"].diff()
    back = frame.loc[steps > 1, "customer_id"].nunique()
    if back:
        said.append(f"{back:,} customers came back after a pause; only their last end is a loss.")
    return said
