"""Campaign lists out of the customer base, with a control group to measure the campaign by.

Question: whom do we write to, and why not the others? :func:`campaign_list` narrows the customers
down by named selectors, counts who drops out at each, and sets a random part aside that is left in
peace: without it, nobody can tell what the campaign did from what would have happened anyway.

Sources: the course's M4 (database marketing).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from keycustomer.customers.answers import ranked, whole_customers
from keycustomer.customers.base import CustomerBase
from keycustomer.customers.placeholders import PLACEHOLDERS
from keycustomer.customers.questions import VALUES
from keycustomer.customers.rendering import amount, counted, percent, report_html, share_of
from keycustomer.customers.schema import TABLES
from keycustomer.customers.statements import identifier, statement
from keycustomer.customers.table import customer_table

CLASSES = ("A", "B", "C")
CONTACT_FIELDS = ("name", "email", "phone", "address", "city", "postal_code", "country", "manager")
"""Fields of the customers table that go onto a list."""

STRATA = 10
"""Groups of like value from each of which the control group takes its part."""


@dataclass(frozen=True)
class CampaignList:
    """A list for a campaign, who dropped out on the way, and who is left in peace.

    Attributes
    ----------
    customers : DataFrame
        rank, customer_id, group (`contact` or `control`), abc (class), the value, orders,
        days_silent (since the last purchase) and the contact fields on file; by value, equal ones
        by id.
    funnel : DataFrame
        selector, customers (left after it), dropped, share_left (of those at the start).
    value : str
        Column of the customer table that ranks the list.
    seed : int
        Seed of the control group.
    currency : str
        Currency of amounts.
    """

    customers: pd.DataFrame = field(repr=False)
    funnel: pd.DataFrame = field(repr=False)
    value: str
    seed: int
    currency: str

    @property
    def contacts(self) -> pd.DataFrame:
        """Customers to write to."""
        chosen = self.customers["group"] == "contact"
        return self.customers[chosen].reset_index(drop=True)

    @property
    def control(self) -> pd.DataFrame:
        """Customers left in peace, to compare with."""
        chosen = self.customers["group"] == "control"
        return self.customers[chosen].reset_index(drop=True)

    @property
    def sentence(self) -> str:
        """The list in words, computed."""
        start, chosen = int(self.funnel["customers"].iloc[0]), len(self.customers)
        worth = float(self.customers[self.value].sum())
        return (
            f"{counted(chosen, 'customer')} of {start:,} ({percent(share_of(chosen, start))}) are "
            f"on the list, with {amount(worth, self.currency)} of {self.value}; "
            f"{len(self.control):,} of them, drawn at random (seed {self.seed}) within groups of "
            f"like value, are left in peace to compare with."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the list, one row a customer."""
        return self.customers.copy()

    def _repr_html_(self) -> str:
        return report_html("Campaign list", [self.sentence], {"Who drops out where": self.funnel})


@dataclass(frozen=True)
class _Step:
    """One selector: what it is called, and whom it keeps (ids, or a mask over the table)."""

    label: str
    keep: pd.Series


def campaign_list(
    base: CustomerBase,
    *,
    classes: Collection[str] | None = None,
    top: float | None = None,
    value: str = "revenue",
    silent_for: int | None = None,
    active_within: int | None = None,
    bought: Sequence[str] = (),
    not_bought: Sequence[str] = (),
    bought_within: int | None = None,
    attributes: Mapping[str, str | Sequence[str]] | None = None,
    reachable_by: Sequence[str] = (),
    not_contacted_within: int | None = None,
    limit: int | None = None,
    holdout: float = 0.1,
    seed: int = 0,
) -> CampaignList:
    """Select customers for a campaign.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with transactions.
    classes : collection of str, optional
        Classes by value to keep: A (the top 5 % of the buyers), B (the next 15 %), C (the rest).
    top : float, optional
        Share of the buyers to keep by value, 0..1.
    value : {"revenue", "margin", "profit"}
        What makes a customer large, and the order of the list.
    silent_for, active_within : int, optional
        Least and most days between the last purchase and the end of observation.
    bought, not_bought : sequence of str
        Product categories of which a customer bought each, or none.
    bought_within : int, optional
        Days before the end that count for `bought` and `not_bought`; default: all observed.
    attributes : mapping of str to str or sequence of str, optional
        Attribute column to the value or values to keep.
    reachable_by : sequence of str
        Fields of the customers table that must hold a value, such as `email`.
    not_contacted_within : int, optional
        Leave out customers in contact within so many days before the end.
    limit : int, optional
        Longest list; the largest customers stay.
    holdout : float
        Share of the list that is left in peace as a control group, 0..1.
    seed : int
        Seed of the control group.

    Returns
    -------
    CampaignList

    Raises
    ------
    ValueError
        When an argument makes no sense, with all complaints together, or the base lacks the table,
        column, category or value that a selector needs, with those it has.
    """
    _check(classes, top, value, limit, holdout, silent_for, active_within)
    table = _ranked_table(base, value)
    chosen = table
    funnel = [("customers who bought", len(chosen))]
    steps = [
        *_by_value(table, classes, top, value),
        *_by_silence(table, silent_for, active_within),
        *_by_category(base, table, bought, not_bought, bought_within),
        *_by_attribute(base, table, attributes or {}),
        *_by_reach(base, table, reachable_by),
        *_by_contact(base, table, not_contacted_within),
    ]
    for step in steps:
        chosen = chosen[step.keep.loc[chosen.index]]
        funnel.append((step.label, len(chosen)))
    if limit is not None:
        chosen = chosen.head(limit)
        funnel.append((f"at most {limit:,}", len(chosen)))
    return CampaignList(
        customers=_listed(base, _with_control(chosen, holdout, seed), value),
        funnel=_funnel(funnel),
        value=value,
        seed=seed,
        currency=base.currency,
    )


def _check(
    classes: Collection[str] | None,
    top: float | None,
    value: str,
    limit: int | None,
    holdout: float,
    silent_for: int | None,
    active_within: int | None,
) -> None:
    wrong = []
    if classes is not None and (not classes or not set(classes) <= set(CLASSES)):
        wrong.append(f"classes are among {', '.join(CLASSES)}, got {classes!r}")
    if top is not None and not 0 < top <= 1:
        wrong.append(f"top is a share above 0 and at most 1, such as 0.2, got {top!r}")
    if value not in VALUES:
        wrong.append(f"value is one of {', '.join(VALUES)}, got {value!r}")
    if limit is not None and limit < 1:
        wrong.append(f"limit is at least 1, got {limit!r}")
    if not 0 <= holdout < 1:
        wrong.append(f"holdout is a share of at least 0 and below 1, got {holdout!r}")
    if None not in (silent_for, active_within) and silent_for > active_within:  # type: ignore[operator]
        wrong.append(
            f"silent_for {silent_for} lies above active_within {active_within}: nobody can be both"
        )
    if wrong:
        raise ValueError("campaign_list: " + "; ".join(wrong))


def _ranked_table(base: CustomerBase, value: str) -> pd.DataFrame:
    """Buyers by value with rank, class and days since the last purchase."""
    table = customer_table(base)
    table = ranked(table[table["orders"] > 0], value)
    if table[value].isna().any():
        raise ValueError(
            f"campaign_list: {base.title} knows no {value} of its customers; map a cost column, or "
            "assume economics.margin in the case file, or ask for value='revenue'"
        )
    first, second = (whole_customers(share, len(table)) for share in (0.05, 0.2))
    place = np.arange(1, len(table) + 1)
    table["abc"] = np.select([place <= first, place <= second], ["A", "B"], "C")
    table["days_silent"] = (pd.Timestamp(base.end) - table["last_order"]).dt.days
    return table


def _by_value(
    table: pd.DataFrame, classes: Collection[str] | None, top: float | None, value: str
) -> Iterator[_Step]:
    if classes is not None:
        yield _Step(f"class {' or '.join(sorted(classes))}", table["abc"].isin(list(classes)))
    if top is not None:
        keep = table.index < whole_customers(top, len(table))
        yield _Step(f"top {percent(top)} by {value}", pd.Series(keep, index=table.index))


def _by_silence(table: pd.DataFrame, least: int | None, most: int | None) -> Iterator[_Step]:
    if least is not None:
        yield _Step(f"last order at least {least} days ago", table["days_silent"] >= least)
    if most is not None:
        yield _Step(f"last order at most {most} days ago", table["days_silent"] <= most)


def _by_category(
    base: CustomerBase,
    table: pd.DataFrame,
    bought: Sequence[str],
    not_bought: Sequence[str],
    within: int | None,
) -> Iterator[_Step]:
    asked = [*_names(bought, "bought"), *_names(not_bought, "not_bought")]
    if not asked:
        return
    _need(base, "products", "category")
    known = base.query("select distinct category from products where category is not null")
    _refuse_unknown("category", asked, known["category"])
    since = base.start if within is None else base.end - dt.timedelta(days=within - 1)
    sql = statement("campaign_buyers")
    for category in asked:
        ids = base.query(sql, category=category, since=since, until=base.end)["customer_id"]
        buyers = table["customer_id"].isin(ids)
        wanted = category in bought
        label = f"{'bought' if wanted else 'did not buy'} {category}"
        span = "" if within is None else f" in the last {within} days"
        yield _Step(label + span, buyers if wanted else ~buyers)


def _names(values: Sequence[str], argument: str) -> list[str]:
    if isinstance(values, str):
        raise ValueError(f"campaign_list: {argument} is a list of names, such as [{values!r}]")
    return list(dict.fromkeys(values))


def _by_attribute(
    base: CustomerBase, table: pd.DataFrame, attributes: Mapping[str, str | Sequence[str]]
) -> Iterator[_Step]:
    allowed = _selectable(base) if attributes else []
    for attribute, wanted in attributes.items():
        _refuse_unknown("attribute", [attribute], allowed)
        values = [wanted] if isinstance(wanted, str) else list(wanted)
        column = identifier(attribute)
        found = base.query(
            f"select distinct {column} as value from customers "  # noqa: S608
            f"where {column} is not null"
        )
        _refuse_unknown(f"value of {attribute}", values, found["value"])
        ids = base.query(statement("campaign_attribute", attribute=column), wanted=values)
        yield _Step(
            f"{attribute} is {' or '.join(values)}", table["customer_id"].isin(ids["customer_id"])
        )


def _selectable(base: CustomerBase) -> list[str]:
    """Text columns of the customers table: the attributes and the data model's own."""
    _need(base, "customers")
    present = base.query("describe customers")["column_name"]
    own = TABLES["customers"].columns
    return [name for name in present if name not in own or own[name].kind == "text"]


def _by_reach(base: CustomerBase, table: pd.DataFrame, fields: Sequence[str]) -> Iterator[_Step]:
    fields = _names(fields, "reachable_by")
    allowed = _selectable(base) if fields else []
    for name in fields:
        _refuse_unknown("field", [name], allowed)
        sql = statement("campaign_reachable", field=identifier(name))
        ids = base.query(sql, placeholders=list(PLACEHOLDERS))
        yield _Step(f"{name} on file", table["customer_id"].isin(ids["customer_id"]))


def _by_contact(base: CustomerBase, table: pd.DataFrame, days: int | None) -> Iterator[_Step]:
    if days is None:
        return
    _need(base, "interactions")
    ids = base.query(statement("campaign_contacted"), until=base.end, days=days)["customer_id"]
    yield _Step(f"not contacted within {days} days", ~table["customer_id"].isin(ids))


def _need(base: CustomerBase, table: str, column: str | None = None) -> None:
    if not base.has(table, column):
        what = f"table {table}" if column is None else f"column {table}.{column}"
        raise ValueError(
            f"campaign_list: the base has no {what}, which this selector needs; map it in the "
            "case file, or leave the selector out"
        )


def _refuse_unknown(what: str, asked: Sequence[str], known: Sequence[str] | pd.Series) -> None:
    allowed = sorted(str(name) for name in known)
    unknown = [name for name in asked if name not in set(allowed)]
    if unknown:
        more = f" and {len(allowed) - 12} more" if len(allowed) > 12 else ""
        raise ValueError(
            f"campaign_list: no {what} {', '.join(map(repr, unknown))}; there are "
            f"{', '.join(allowed[:12])}{more}"
        )


def _with_control(chosen: pd.DataFrame, holdout: float, seed: int) -> pd.DataFrame:
    """Draw the control group within strata of like value, each giving its part."""
    chosen = chosen.reset_index(drop=True)
    rng = np.random.default_rng(seed)
    edges = np.unique(np.linspace(0, len(chosen), STRATA + 1).round().astype(int))
    control = np.zeros(len(chosen), dtype=bool)
    for start, end in pairwise(edges):
        # What is due up to here, less what earlier strata gave: parts add up to the whole.
        due = int(np.floor(holdout * end + 0.5)) - int(control.sum())
        control[rng.choice(np.arange(start, end), min(due, end - start), replace=False)] = True
    return chosen.assign(group=np.where(control, "control", "contact"))


def _listed(base: CustomerBase, chosen: pd.DataFrame, value: str) -> pd.DataFrame:
    names = ["customer_id", "group", "abc", value, "orders", "days_silent"]
    listed = chosen[names]
    listed.insert(0, "rank", np.arange(1, len(listed) + 1))
    fields = [field for field in CONTACT_FIELDS if base.has("customers", field)]
    if not base.has("customers") or not fields:
        return listed
    quoted = ", ".join(identifier(field) for field in fields)
    file = base.query(f"select customer_id, {quoted} from customers")  # noqa: S608
    return listed.merge(file, on="customer_id", how="left", validate="many_to_one")


def _funnel(steps: list[tuple[str, int]]) -> pd.DataFrame:
    funnel = pd.DataFrame(steps, columns=["selector", "customers"])
    funnel["dropped"] = (-funnel["customers"].diff()).fillna(0).astype(int)
    funnel["share_left"] = funnel["customers"] / max(steps[0][1], 1)
    return funnel
