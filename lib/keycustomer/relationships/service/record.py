"""The service record: customers by month, every contact with its day, and what customers answered.

What was done for each customer, when, and what did it say?  :func:`read_service` reads it once from
a prepared base or a simulated company; everything in this package takes the record.

Who leaves in the middle of a month is seen for part of it only, and has fewer contacts and
complaints there for that reason alone.  Studies of leaving therefore take whole months
(`ServiceRecord.leaving`): the month cut short is dropped, and the customer counts as leaving at the
end of the month before.

What is needed: interactions with a kind and a day; for complaints the day of resolution and whether
the first contact resolved it; a phase where service is told by phase; answers where opinions are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import made_up_note, report_html
from keycustomer.customers.statements import identifier
from keycustomer.relationships.months.panel import CustomerMonths, customer_months

if TYPE_CHECKING:
    from keycustomer.simulate import Company

Array = npt.NDArray[Any]

OPINIONS = ("satisfaction", "loyalty", "social", "trust", "commitment")
"""Constructs of a survey that service is put beside, where they were asked."""

ANSWERED = 0.5
"""Share of a construct's items that an answer needs to be counted."""

PHASES = ("pre", "during", "after")
"""Phases of a contact, before, during and after a sale."""


def _no_days() -> pd.Series:
    return pd.Series([], index=pd.Index([], dtype=object), dtype="datetime64[s]")


@dataclass(frozen=True, eq=False)
class ServiceRecord:
    """Customers by month, with every contact and answer.

    Attributes
    ----------
    months : CustomerMonths
        The customer-months.
    contacts : DataFrame
        One row an interaction within a customer-month: row (place in `months.frame`), date, kind,
        phase, resolved_on, first (resolved at the first contact: true, false or missing), cost,
        is_contact, is_complaint.
    answers : DataFrame
        One row a questionnaire: row (place in `months.frame`), then a column a construct: mean of
        its items, NaN where fewer than half were answered.  Empty without a survey.
    contact_kinds, complaint_kinds : tuple of str
        Kinds that count as contacts and as complaints.
    outside : int
        Interactions of nobody's customer-month, left out.
    unmatched : int
        Questionnaires of nobody's customer-month, left out.
    last_days : Series
        Day on which the last contract of a customer ended, by customer_id; where it is not told
        who left was there to the month's end.
    """

    months: CustomerMonths
    contacts: pd.DataFrame = field(repr=False)
    answers: pd.DataFrame = field(repr=False)
    contact_kinds: tuple[str, ...]
    complaint_kinds: tuple[str, ...]
    outside: int
    unmatched: int
    last_days: pd.Series = field(default_factory=_no_days, repr=False)

    @cached_property
    def customer(self) -> Array:
        """Code of the customer of each customer-month, in the order of `months.customers`."""
        return pd.factorize(self.months.frame["customer_id"])[0].astype(np.int64)

    @cached_property
    def number(self) -> Array:
        """Number of the month of each customer-month, 0 the window's first."""
        return self.months.frame["number"].to_numpy(dtype=np.int64)

    @cached_property
    def followed(self) -> Array:
        """Places of customer-months whose next row is the same customer's next month."""
        same = self.customer[1:] == self.customer[:-1]
        return np.flatnonzero(same & (np.diff(self.number) == 1))

    @cached_property
    def cut_short(self) -> Array:
        """Whether the customer left within the month, before its last day; shape (n,)."""
        frame = self.months.frame
        stop = self.last_days.reindex(frame["customer_id"]).to_numpy(dtype="datetime64[ns]")
        last = (frame["month"] + pd.offsets.MonthEnd(0)).to_numpy()
        return frame["left"].to_numpy(dtype=bool) & (stop < last)

    @cached_property
    def leaving(self) -> Array:
        """1 where the customer left at the month's end or within the next one, else 0; shape (n,).

        NaN of months cut short.  Of the window's last month only who left at its end is known.
        """
        values = self.months.frame["left"].to_numpy(dtype=float)
        values[self.followed] += self.cut_short[self.followed + 1]
        return np.where(self.cut_short, np.nan, values)

    def not_whole(self, burn_in: int) -> dict[str, int]:
        """Count what studies of leaving drop after the first months: months cut short."""
        later = self.cut_short & (self.number >= burn_in)
        before = np.zeros(len(later), dtype=bool)
        before[self.followed + 1] = True
        return {
            "customer-months cut short, since the customer left before their last day (it counts "
            "as leaving a month earlier)": int(later.sum()),
            "customers who left so without a month before it": int((later & ~before).sum()),
        }

    def count(self, chosen: Array, weights: Array | None = None) -> Array:
        """Count chosen interactions (or sum their weights) by customer-month, shape (n,)."""
        rows = self.contacts["row"].to_numpy()[chosen]
        amounts = None if weights is None else weights[chosen]
        return np.bincount(rows, amounts, minlength=len(self.months.frame)).astype(float)

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `contacts` with customer and month."""
        where = self.months.frame[["customer_id", "month"]]
        told = where.iloc[self.contacts["row"].to_numpy()].reset_index(drop=True)
        return pd.concat([told, self.contacts.drop(columns="row")], axis=1)

    def _repr_html_(self) -> str:
        kinds = self.contacts["kind"].value_counts()
        told = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
        sentences = [
            *made_up_note(self.months.simulated),
            f"{len(self.months.customers):,} customers, {len(self.months.frame):,} "
            "customer-months.",
            f"Interactions: {told or 'none'}; {self.outside:,} in months without a contract are "
            "left out.",
            f"{len(self.answers):,} questionnaires; {self.unmatched:,} others are left out.",
        ]
        return report_html("Service record", sentences, {})


def read_service(
    source: CustomerBase | Company,
    *,
    contact_kinds: Sequence[str] = ("visit", "call"),
    complaint_kinds: Sequence[str] = ("complaint",),
    months: CustomerMonths | None = None,
) -> ServiceRecord:
    """Read the service record of a base or of a simulated company.

    Parameters
    ----------
    source : CustomerBase or Company
        With contracts and interactions.
    contact_kinds, complaint_kinds : sequence of str
        Kinds of interactions that count as contacts by the house, and as complaints.
    months : CustomerMonths, optional
        The customer-months, where they are laid out already.

    Raises
    ------
    ValueError
        When the base has no interactions or no contracts.
    """
    if isinstance(source, CustomerBase) and not source.has("interactions"):
        raise ValueError(
            f"{source.title}: the base has no interactions table, so nothing is known of service; "
            "map one in the case file (customer_id, date, kind, ...)"
        )
    if months is None:
        months = customer_months(
            source, contact_kinds=contact_kinds, complaint_kinds=complaint_kinds
        )
    tables = _tables(source) if isinstance(source, CustomerBase) else source.tables()
    contacts, outside = _placed(months, tables["interactions"])
    contacts = contacts.rename(columns={"first_contact_resolution": "first"})
    contacts["first"] = contacts["first"].astype("boolean")
    contacts["is_contact"] = contacts["kind"].isin(list(contact_kinds))
    contacts["is_complaint"] = contacts["kind"].isin(list(complaint_kinds))
    answers, unmatched = _answers(months, tables.get("survey"), getattr(source, "constructs", None))
    kinds = tuple(contact_kinds), tuple(complaint_kinds)
    last_days = tables["contracts"].groupby("customer_id")["end"].max()
    return ServiceRecord(months, contacts, answers, *kinds, outside, unmatched, last_days)


def _tables(base: CustomerBase) -> dict[str, pd.DataFrame]:
    tables = {
        "interactions": base.query(
            "select customer_id, date, kind, phase, resolved_on, first_contact_resolution, "
            "cost::double as cost from interactions where date between $start and $end "
            "order by customer_id, date, kind",
            start=base.start,
            end=base.end,
        ),
        "contracts": _last_days(base),
    }
    if base.has("survey") and base.has("survey", "date"):
        items = _constructs(base.constructs, base.query("describe survey")["column_name"])
        wanted = ["customer_id", "date", *(item for some in items.values() for item in some)]
        columns = ", ".join(identifier(name) for name in wanted)
        tables["survey"] = base.query(f"select {columns} from survey")  # noqa: S608
    return tables


def _last_days(base: CustomerBase) -> pd.DataFrame:
    """Last day of each customer's contracts that end."""
    if not base.has("contracts", "end"):
        return _no_days().rename("end").rename_axis("customer_id").reset_index()
    return base.query(
        'select customer_id, max("end") as "end" from contracts '
        'where start is not null and "end" is not null group by customer_id'
    )


def _placed(months: CustomerMonths, rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Say in which customer-month each row lies; count those that lie in none."""
    frame = months.frame
    days = pd.to_datetime(rows["date"])
    number = 12 * (days.dt.year - months.start.year) + days.dt.month - months.start.month
    keys = pd.DataFrame({"customer_id": rows["customer_id"], "number": number})
    places = frame[["customer_id", "number"]].assign(row=np.arange(len(frame)))
    row = keys.merge(places, on=["customer_id", "number"], how="left")["row"]
    inside = row.notna().to_numpy()
    wanted = [name for name in rows.columns if name != "customer_id"]
    kept = rows.loc[inside, wanted].reset_index(drop=True)
    kept.insert(0, "row", row[inside].to_numpy(dtype=np.int64))
    order = np.lexsort((kept["date"].to_numpy(), kept["row"].to_numpy()))
    return kept.iloc[order].reset_index(drop=True), int((~inside).sum())


def _answers(
    months: CustomerMonths,
    survey: pd.DataFrame | None,
    constructs: dict[str, list[str]] | None,
) -> tuple[pd.DataFrame, int]:
    """Scores of the questionnaires by construct."""
    if survey is None or not len(survey):
        return pd.DataFrame({"row": np.zeros(0, dtype=np.int64)}), 0
    placed, unmatched = _placed(months, survey)
    scores: dict[str, Any] = {"row": placed["row"]}
    for name, items in _constructs(constructs, survey.columns).items():
        marks = placed[items].astype(float)
        enough = marks.notna().mean(axis=1) >= ANSWERED
        scores[name] = marks.mean(axis=1).where(enough)
    return pd.DataFrame(scores), unmatched


def _constructs(
    constructs: dict[str, list[str]] | None, columns: Iterable[str]
) -> dict[str, list[str]]:
    """Items of the opinions, from the case file or by the names of the columns."""
    known = list(columns)
    if constructs:
        given = {name: constructs.get(name, []) for name in OPINIONS}
    else:
        given = {name: [c for c in known if c.startswith(f"{name}_")] for name in OPINIONS}
    present = {name: [item for item in items if item in known] for name, items in given.items()}
    return {name: items for name, items in present.items() if items}
