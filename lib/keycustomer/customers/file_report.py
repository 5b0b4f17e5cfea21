"""The customer file report: what is known of the customers, how completely and how freshly.

Question: can the file be trusted to identify customers (collect, verify, update, delete), and does
it hold what a key account's file should hold? :func:`customer_file_report` answers with a
:class:`CustomerFileReport`: fields filled and stale, customers on file against customers buying,
static against dynamic information, the archive of key accounts against the rest, and what the
missing tables would have told.

Sources: the course's R1 (identify), M1 (static and dynamic information), M4 (database marketing)
and T6 (account archive).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from keycustomer.customers.archive import ARCHIVE, account_archive, archive_summary
from keycustomer.customers.base import CustomerBase
from keycustomer.customers.placeholders import PLACEHOLDERS
from keycustomer.customers.rendering import amount, counted, percent, report_html, share_of
from keycustomer.customers.schema import TABLES, Column
from keycustomer.customers.statements import identifier, statement

EVENT_DATES = {"transactions": "date", "interactions": "date", "contracts": "start"}
"""Tables of dynamic information and the column that says when."""

ANSWERS = {
    "customers": "who they are: contact data, attributes, and which records are out of date",
    "transactions": "what they buy: every measure of value",
    "products": "what they buy it in: categories bought, and categories bought elsewhere",
    "interactions": "how they are served: contacts, complaints, cost to serve",
    "contracts": "on what terms they are served: relationship levels and price plans over time",
    "survey": "what they value and how satisfied they are",
    "choices": "what they would pay for",
    "market": "how the market's prices and shares move",
}
"""The question that each table answers."""

_WANTED: dict[str, tuple[str, ...]] = {
    "transactions": ("order_id", "product_id", "discount", "cost", "channel"),
    "products": ("name", "category", "brand"),
    "interactions": ("phase", "resolved_on", "first_contact_resolution", "cost"),
    "contracts": ("relationship_level", "price_plan"),
}
"""Columns worth having in tables other than the customer file."""

_KIND_OF_FIELD = {
    "customer_id": "identity",
    "name": "identity",
    "email": "contact",
    "phone": "contact",
    "address": "geographic",
    "city": "geographic",
    "postal_code": "geographic",
    "country": "geographic",
    "manager": "management",
    "agent": "management",
    "joined_on": "management",
    "updated_on": "management",
}


@dataclass(frozen=True)
class CustomerFileReport:
    """How complete and how fresh a customer base is.

    Attributes
    ----------
    as_of : datetime.date
        Day to which age is counted.
    stale_after : int
        Days after which a record without a sign of life counts as stale.
    currency : str
        Currency of amounts.
    fields : DataFrame
        One row a table and field: table, field, kind, rows, filled, placeholders, share_filled,
        share_stale (of the filled, in the customers table), last_update.
    coverage : DataFrame
        Customers on file and buying, buying only, on file only: group, customers, share, revenue.
    staleness : DataFrame
        By what is known of age (updated_on, last purchase, last activity): basis, customers,
        stale, share_stale, median_age (days), last.
    information : DataFrame
        Static attributes and dynamic events: information, table, kind, fields, rows, customers,
        share_customers, first, last, span (days).
    archive : DataFrame
        One row a customer, none without a customer file: customer_id, key (among the top fifth by
        revenue), filled, expected, completeness (share of the fields, 0..1).
    archive_summary : DataFrame
        Mean completeness of key customers, of the rest, and the difference, with 95 % interval.
    missing : DataFrame
        Tables and columns the base lacks: table, column, would_tell.
    """

    as_of: dt.date
    stale_after: int
    currency: str
    fields: pd.DataFrame = field(repr=False)
    coverage: pd.DataFrame = field(repr=False)
    staleness: pd.DataFrame = field(repr=False)
    information: pd.DataFrame = field(repr=False)
    archive: pd.DataFrame = field(repr=False)
    archive_summary: pd.DataFrame = field(repr=False)
    missing: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return the fields: table, field, kind, rows, filled, share_filled, share_stale ..."""
        return self.fields.copy()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The report in plain sentences, computed."""
        said = [_say_coverage(self), _say_fields(self), _say_staleness(self), _say_archive(self)]
        return tuple(sentence for sentence in said if sentence)

    def _repr_html_(self) -> str:
        tables = {
            "Customers on file against customers buying": self.coverage,
            "Fields": self.fields,
            "Age of what is known": self.staleness,
            "Static and dynamic information": self.information,
            "Completeness of the file, key customers against the rest": self.archive_summary,
            "What the base lacks, and what it would tell": self.missing,
        }
        note = f"Stale: no sign of life for more than {self.stale_after} days before {self.as_of}."
        return report_html("Customer file", self.sentences, tables, note)


def customer_file_report(
    base: CustomerBase,
    *,
    as_of: dt.date | str | None = None,
    stale_after: int = 365,
    archive_fields: Sequence[str] | None = None,
) -> CustomerFileReport:
    """Report how complete and how fresh a customer base is.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    as_of : date or ISO string, optional
        Day to which age is counted; later events are not; default: the last day observed.
    stale_after : int
        Days after which a record counts as stale.
    archive_fields : sequence of str, optional
        Fields of the customers table that a key account's file should have; default: the data
        model's (`ARCHIVE`) and every attribute the base has.

    Returns
    -------
    CustomerFileReport

    Raises
    ------
    ValueError
        When `as_of` is no date, `stale_after` is negative, or `archive_fields` names a field that
        neither the data model nor the base knows.
    """
    day = _as_day(as_of, base.end)
    if stale_after < 0:
        raise ValueError(f"stale_after is a number of days of at least 0, got {stale_after!r}")
    present = _present_columns(base)
    expected = _expected_fields(base, present.get("customers", []), archive_fields)
    kept = [field for field in present.get("customers", []) if field != "customer_id"]
    known = _known_customers(base, kept, day)
    return CustomerFileReport(
        as_of=day,
        stale_after=stale_after,
        currency=base.currency,
        fields=_fields(base, present, known, day, stale_after),
        coverage=_coverage(known),
        staleness=_staleness(known, day, stale_after),
        information=_information(base, present, len(known)),
        archive=(archive := account_archive(known if kept else known.head(0), expected)),
        archive_summary=archive_summary(archive),
        missing=_missing(base, expected, present),
    )


def _as_day(value: dt.date | str | None, default: dt.date) -> dt.date:
    if value is None:
        return default
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"as_of is a day such as '2017-12-31', got {value!r}") from None


def _present_columns(base: CustomerBase) -> dict[str, list[str]]:
    """Columns by table; of the customer file also empty ones, of other tables those with values."""
    described = {
        name: list(base.query(f"describe {identifier(name)}")["column_name"])
        for name in TABLES
        if name in base.tables
    }
    return {
        name: columns if name == "customers" else [c for c in columns if base.has(name, c)]
        for name, columns in described.items()
    }


def _attributes(base: CustomerBase) -> dict[str, str]:
    return {column: kind for kind, columns in base.attributes.items() for column in columns}


def _expected_fields(
    base: CustomerBase, present: list[str], fields: Sequence[str] | None
) -> tuple[str, ...]:
    attributes = [column for column in _attributes(base) if column in present]
    if fields is None:
        return (*ARCHIVE, *attributes)
    allowed = [*TABLES["customers"].columns, *attributes]
    unknown = [field for field in fields if field not in allowed or field == "customer_id"]
    if unknown:
        raise ValueError(
            f"archive_fields: no such field {unknown} in the customers table; "
            f"it can have {', '.join(name for name in allowed if name != 'customer_id')}"
        )
    return tuple(dict.fromkeys(fields))


def _known_customers(base: CustomerBase, kept: list[str], day: dt.date) -> pd.DataFrame:
    """One row a customer known from anywhere, with a flag `has <field>` for each field."""
    sql = statement(
        "file_report_customers",
        transactions="transactions" if base.has("transactions") else _nothing(),
        contacts=_contacts(base),
        file=_file(kept) if base.has("customers") else _nobody(),
    )
    known = base.query(sql, as_of=day, **_placeholders(sql))
    flags = ["on_file", *(f"has {field}" for field in kept)]
    known[flags] = known[flags].fillna(False).astype(bool)
    for column in ("last_purchase", "last_contact", "updated_on"):
        known[column] = pd.to_datetime(known[column])
    known["last_activity"] = known[["last_purchase", "last_contact"]].max(axis=1)
    return known


def _placeholders(sql: str) -> dict[str, list[str]]:
    """Value of `$placeholders` where the statement has it; the engine refuses idle values."""
    return {"placeholders": list(PLACEHOLDERS)} if "$placeholders" in sql else {}


def _nothing() -> str:
    return (
        "(select null::varchar as customer_id, null::decimal(18, 4) as revenue, "
        "null::date as date where false)"
    )


def _nobody() -> str:
    empty = "null::varchar as customer_id, null::boolean as on_file, null::date as updated_on"
    return f"select {empty} where false"


def _contacts(base: CustomerBase) -> str:
    """Statement for every dated contact that is not a purchase."""
    parts = [
        f"select customer_id, {identifier(date)} as date from {identifier(table)}"  # noqa: S608
        for table, date in EVENT_DATES.items()
        if table != "transactions" and base.has(table, date)
    ]
    return " union all ".join(parts) or f"from {_nothing()}"


def _file(kept: list[str]) -> str:
    flags = ", ".join(f"{_says(field)} as {identifier(f'has {field}')}" for field in kept)
    updated = "updated_on" if "updated_on" in kept else "null::date"
    return statement("file_report_file", updated_on=updated, flags=flags or "true as nothing")


def _says(field: str) -> str:
    """Condition that a field holds a value which says something."""
    if field in TABLES["customers"].columns and TABLES["customers"].columns[field].kind != "text":
        return f"{identifier(field)} is not null"
    text = _written(field)
    return f"coalesce(not list_contains($placeholders, lower({text})), false)"


def _written(field: str) -> str:
    return f"nullif(trim({identifier(field)}), '')"


def _fields(
    base: CustomerBase,
    present: dict[str, list[str]],
    known: pd.DataFrame,
    day: dt.date,
    stale_after: int,
) -> pd.DataFrame:
    attributes = _attributes(base)
    rows = [
        {
            "table": table,
            "field": field,
            "kind": _kind(table, field, attributes),
            **_count(base, table, field),
            **_freshness(known, table, field, day, stale_after),
        }
        for table, columns in present.items()
        for field in columns
        if field != "line"
    ]
    names = ["table", "field", "kind", "rows", "filled", "placeholders", "share_filled"]
    return pd.DataFrame(rows, columns=[*names, "share_stale", "last_update"])


def _kind(table: str, field: str, attributes: dict[str, str]) -> str:
    if table != "customers":
        return "dynamic" if table in EVENT_DATES else "other"
    return attributes.get(field) or _KIND_OF_FIELD.get(field, "other")


def _count(base: CustomerBase, table: str, field: str) -> dict[str, float]:
    column = TABLES[table].columns.get(field, Column("text", ""))
    text = column.kind == "text" and (table != "transactions" or field == "channel")
    sql = statement(
        "file_report_field" if text else "file_report_field_typed",
        value=_written(field) if text else identifier(field),
        table=identifier(table),
    )
    rows, written, filled = (int(n) for n in base.query(sql, **_placeholders(sql)).iloc[0])
    return {
        "rows": rows,
        "filled": filled,
        "placeholders": written - filled,
        "share_filled": share_of(filled, rows),
    }


def _freshness(
    known: pd.DataFrame, table: str, field: str, day: dt.date, stale_after: int
) -> dict[str, object]:
    """How old a field of the customer file is, by verification, else by the last activity."""
    nothing: dict[str, object] = {"share_stale": math.nan, "last_update": pd.NaT}
    if table != "customers" or field == "customer_id":
        return nothing
    filled = known[known["on_file"] & known[f"has {field}"]]
    when = filled["updated_on"] if known["updated_on"].notna().any() else filled["last_activity"]
    if not len(filled):
        return nothing
    return {"share_stale": float(_stale(when, day, stale_after).mean()), "last_update": when.max()}


def _stale(when: pd.Series, day: dt.date, stale_after: int) -> pd.Series:
    """Whether the last sign of life is too long ago; without any it is."""
    return when.isna() | ((pd.Timestamp(day) - when).dt.days > stale_after)


def _coverage(known: pd.DataFrame) -> pd.DataFrame:
    buying = known["lines"] > 0
    groups = {
        "on file and buying": known["on_file"] & buying,
        "buying, not on file": ~known["on_file"] & buying,
        "on file, never buying": known["on_file"] & ~buying,
        "only contacts": ~known["on_file"] & ~buying,
    }
    rows = [
        {
            "group": group,
            "customers": int(member.sum()),
            "share": share_of(int(member.sum()), len(known)),
            "revenue": float(known.loc[member, "revenue"].sum()),
        }
        for group, member in groups.items()
        if group != "only contacts" or member.any()
    ]
    return pd.DataFrame(rows)


def _staleness(known: pd.DataFrame, day: dt.date, stale_after: int) -> pd.DataFrame:
    on_file, buying = known[known["on_file"]], known[known["lines"] > 0]
    bases = {
        "record verified": on_file["updated_on"],
        "last purchase of buyers": buying["last_purchase"],
        "last activity of customers on file": on_file["last_activity"],
    }
    rows = [
        {
            "basis": basis,
            "customers": len(when),
            "stale": int(_stale(when, day, stale_after).sum()),
            "share_stale": float(_stale(when, day, stale_after).mean()),
            "median_age": float((pd.Timestamp(day) - when).dt.days.median()),
            "last": when.max(),
        }
        for basis, when in bases.items()
        if when.notna().any()
    ]
    names = ["basis", "customers", "stale", "share_stale", "median_age", "last"]
    return pd.DataFrame(rows, columns=names)


def _information(base: CustomerBase, present: dict[str, list[str]], customers: int) -> pd.DataFrame:
    """Count static information by kind of field, dynamic information by table of events."""
    rows = [*_static(base, present, customers), *_dynamic(base, present, customers)]
    names = ["information", "table", "kind", "fields", "rows", "customers", "share_customers"]
    information = pd.DataFrame(rows, columns=[*names, "first", "last", "span"])
    return information.astype({"span": "Int64"})


def _static(
    base: CustomerBase, present: dict[str, list[str]], customers: int
) -> list[dict[str, object]]:
    attributes = _attributes(base)
    kinds: dict[str, list[str]] = {}
    for name in present.get("customers", []):
        if name != "customer_id":
            kinds.setdefault(_kind("customers", name, attributes), []).append(name)
    return [
        {
            "information": "static",
            "table": "customers",
            "kind": kind,
            "fields": len(fields),
            **_people(base, fields, customers),
        }
        for kind, fields in kinds.items()
    ]


def _people(base: CustomerBase, fields: list[str], customers: int) -> dict[str, float]:
    filled = " or ".join(_says(field) for field in fields)
    sql = f"select count(*) as rows, count(*) filter ({filled}) as n from customers"  # noqa: S608
    rows, n = (int(value) for value in base.query(sql, **_placeholders(sql)).iloc[0])
    return {"rows": rows, "customers": n, "share_customers": share_of(n, customers)}


def _dynamic(
    base: CustomerBase, present: dict[str, list[str]], customers: int
) -> list[dict[str, object]]:
    rows = []
    for table, date in EVENT_DATES.items():
        if date not in present.get(table, ()):
            continue
        sql = statement("file_report_events", table=identifier(table), date=identifier(date))
        found = base.query(sql).iloc[0]
        first, last = pd.to_datetime(found["first"]), pd.to_datetime(found["last"])
        rows.append(
            {
                "information": "dynamic",
                "table": table,
                "kind": "events",
                "fields": len(present[table]),
                "rows": int(found["rows"]),
                "customers": int(found["customers"]),
                "share_customers": share_of(int(found["customers"]), customers),
                "first": first,
                "last": last,
                "span": (last - first).days + 1 if found["rows"] else 0,
            }
        )
    return rows


def _missing(
    base: CustomerBase, expected: tuple[str, ...], present: dict[str, list[str]]
) -> pd.DataFrame:
    """Tables the base lacks; and of the tables it has, the columns."""
    rows = [(table, "", ANSWERS[table]) for table in TABLES if table not in base.tables]
    wanted = _WANTED | {"customers": expected}
    rows += [
        (table, column, TABLES[table].columns[column].meaning)
        for table in present
        for column in wanted.get(table, ())
        if column in TABLES[table].columns and column not in present[table]
    ]
    return pd.DataFrame(rows, columns=["table", "column", "would_tell"])


def _say_coverage(report: CustomerFileReport) -> str:
    groups = {row["group"]: row for row in report.coverage.to_dict("records")}
    both, only = groups["on file and buying"], groups["buying, not on file"]
    never = groups["on file, never buying"]
    if not both["customers"] + never["customers"]:
        return "There is no customer file: customers are known only by what they buy."
    buyers = both["customers"] + only["customers"]
    return (
        f"{counted(buyers, 'customer')} bought; {percent(share_of(both['customers'], buyers))} of "
        f"them are on file. {counted(only['customers'], 'buyer')} without a record brought "
        f"{amount(only['revenue'], report.currency)}; "
        f"{counted(never['customers'], 'customer')} on file never bought."
    )


def _say_fields(report: CustomerFileReport) -> str:
    own = report.fields[report.fields["table"] == "customers"]
    own = own[own["field"] != "customer_id"]
    if not len(own):
        return ""
    worst = own.sort_values(["share_filled", "field"]).iloc[0]
    return (
        f"The file has {counted(len(own), 'field')}, filled to "
        f"{percent(float(own['share_filled'].mean()))} on average; the emptiest is "
        f"{worst['field']} ({percent(float(worst['share_filled']))} filled)."
    )


def _say_staleness(report: CustomerFileReport) -> str:
    said = [
        f"{row['basis']}: {percent(row['share_stale'])} of {row['customers']:,} stale"
        for row in report.staleness.to_dict("records")
    ]
    return f"After {report.stale_after} days without news, {'; '.join(said)}." if said else ""


def _say_archive(report: CustomerFileReport) -> str:
    if not len(report.archive):
        return ""
    key, rest, gap = report.archive_summary.to_dict("records")
    if math.isnan(rest["completeness"]):
        return ""
    doubt = "" if gap["lower"] > 0 or gap["upper"] < 0 else ", a difference that may be chance"
    return (
        f"The files of key customers hold {percent(key['completeness'])} of what they should, "
        f"those of the rest {percent(rest['completeness'])}{doubt}."
    )
