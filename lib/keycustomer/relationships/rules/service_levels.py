"""Service-level rules: what each tier is promised, what that costs, and whether it is kept.

Who may expect an answer within which time, how many visits and calls a year, and a person in
charge?  A :class:`ServiceRule` says so for one tier; :data:`SERVICE_RULES` are those of the five
relationship levels.  :func:`service_rule_table` shows rules with what a customer of the tier costs
a year; :func:`check_service_rules` holds the records of a base against them.

The numbers of `SERVICE_RULES` are a proposal to start from, not a standard; what a visit and a call
cost comes from the records where they have it.

Source: the course's T6 (back office: service levels by type of relationship).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase
from keycustomer.customers.rendering import amount, counted, percent, report_html
from keycustomer.dimensions.complaints import listed, refuse
from keycustomer.lifetime.arguments import Day, day_of
from keycustomer.relationships.rules.one_row import tiers_of
from keycustomer.relationships.rules.quality import first_day
from keycustomer.relationships.rules.service_kept import Kept, kept_by_customer
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.samples import FloatArray

PERSONS = ("nobody", "anybody", "manager")
"""Who is in charge of a customer: nobody, a manager or an agent, a manager of our own."""

PROMISES = ("answered in time", "visited as promised", "called as promised", "person in charge")
"""What is checked."""

KEPT = ("visited", "called", "charged")
"""Columns of what was kept to each customer, of all promises but the first."""

ROUNDING = 1e-9
"""Share of a contact that rounding may be off."""

MONTHS = 12
"""Months that are checked, where no start is given."""


@dataclass(frozen=True)
class ServiceRule:
    """What the customers of one tier are promised.

    Attributes
    ----------
    response_days : float
        Days within which a complaint is resolved.
    visits, calls : float
        A year.
    person : {"nobody", "anybody", "manager"}
        Who is in charge.
    care : float
        Cost of care beside visits and calls, currency a customer and month: an assumption, since
        no record holds it.
    """

    response_days: float
    visits: float
    calls: float
    person: str = "nobody"
    care: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a rule that makes no sense, all complaints at once."""
        complaints = [
            f"{name}={value!r}: a finite number of at least 0"
            for name in ("response_days", "visits", "calls", "care")
            if not _amount(value := getattr(self, name))
        ]
        if self.person not in PERSONS:
            complaints.append(f"person={self.person!r}: one of {', '.join(PERSONS)}")
        refuse(complaints, "this is no service rule")


def _amount(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value < math.inf  # type: ignore[operator]


SERVICE_RULES: dict[str, ServiceRule] = {
    "basic": ServiceRule(30, 0, 0, "nobody", 2.0),
    "reactive": ServiceRule(21, 0, 2, "nobody", 6.0),
    "accountable": ServiceRule(14, 1, 6, "anybody", 20.0),
    "proactive": ServiceRule(7, 4, 12, "manager", 72.0),
    "partnership": ServiceRule(3, 12, 24, "manager", 250.0),
}
"""Rules of the five relationship levels; `care` is the telecom case's assumption, EUR."""


@dataclass(frozen=True, eq=False)
class ServiceKept:
    """How far the service of some months kept the rules.

    Attributes
    ----------
    frame : DataFrame
        One row a tier and promise (`PROMISES`), where something was promised: tier, promise,
        promised (days, a year, who), kept, cases (complaints, or customers), share, lower, upper,
        method.
    costs : DataFrame
        One row a tier: tier, customers, promised_cost (currency a year, all its customers, as the
        rule says), contact_cost (of it visits and calls), made_cost (visits and calls made), and
        missing_cost (what visits and calls that were promised and not made would have cost).
    customers : DataFrame
        One row a customer: customer_id, tier, years (that it was there), visits, calls,
        complaints, in_time, person.
    rules : dict of str to ServiceRule
        Rules by tier.
    start, end : date
        Days checked.
    currency : str
        Of the costs.
    excluded : dict of str to int
        Customers without a tier or rule; complaints still open whose time is not yet up.
    notes : tuple of str
        What the reader should know.
    """

    frame: pd.DataFrame
    costs: pd.DataFrame
    customers: pd.DataFrame = field(repr=False)
    rules: dict[str, ServiceRule] = field(repr=False)
    start: dt.date
    end: dt.date
    currency: str
    excluded: dict[str, int]
    notes: tuple[str, ...]

    def of(self, tier: str, promise: str) -> Estimate:
        """Share of the cases of a tier in which a promise was kept.

        Raises
        ------
        KeyError
            When there is no such row.
        """
        for row in self.frame.to_dict("records"):
            if (row["tier"], row["promise"]) == (tier, promise):
                unit = "share of complaints" if promise == PROMISES[0] else "share of customers"
                ends = row["share"], row["lower"], row["upper"]
                return Estimate(*ends, unit, int(row["cases"]), row["method"])
        raise KeyError(
            f"no promise {promise!r} to tier {tier!r}; promises: {', '.join(PROMISES)}; tiers: "
            f"{', '.join(self.rules)}"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a tier and promise."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        missing = self.costs["missing_cost"].sum()
        said = [
            f"{counted(len(self.customers), 'customer')}, {self.start} to {self.end}",
            f"visits and calls promised and not made: {amount(missing, self.currency)} a year",
            *self.notes,
        ]
        tables = {"Promises kept": self.frame.drop(columns="method"), "Costs a year": self.costs}
        return report_html("Service levels", said, tables)


def service_rule_table(
    rules: Mapping[str, ServiceRule] | None = None,
    *,
    visit_cost: float = 90.0,
    call_cost: float = 9.0,
) -> pd.DataFrame:
    """Show rules with what a customer of each tier costs.

    Parameters
    ----------
    rules : mapping of str to ServiceRule, optional
        Rules by tier; default: `SERVICE_RULES`.
    visit_cost, call_cost : float
        Cost of one, currency; default: the telecom case's.

    Returns
    -------
    DataFrame
        tier, response_days, visits, calls (a year), person, care (currency a month), contact_cost
        and cost (currency a customer and year).
    """
    table = pd.DataFrame([{"tier": k} | asdict(v) for k, v in _rules(rules).items()])
    contacts = table["visits"] * visit_cost + table["calls"] * call_cost
    return table.assign(contact_cost=contacts, cost=contacts + 12 * table["care"])


def check_service_rules(
    base: CustomerBase,
    rules: Mapping[str, ServiceRule] | None = None,
    tiers: pd.Series | None = None,
    *,
    start: Day = None,
    end: Day = None,
    visit_kinds: Sequence[str] = ("visit",),
    call_kinds: Sequence[str] = ("call",),
    complaint_kinds: Sequence[str] = ("complaint",),
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> ServiceKept:
    """Hold the records of a base against service-level rules.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with interactions.
    rules : mapping of str to ServiceRule, optional
        Rules by tier; default: `SERVICE_RULES`.
    tiers : Series, optional
        Tier by customer_id; default: the relationship level of the customer's last contract begun
        by the end.
    start, end : date or ISO string, optional
        Days to check, inclusive; default: the last twelve months observed.
    visit_kinds, call_kinds, complaint_kinds : sequence of str
        Kinds of interactions that are visits, calls and complaints.
    draws, seed, level, progress
        Bootstrap of customers.

    Returns
    -------
    ServiceKept
        A customer is visited (called) as promised when it got as many as the rule says for the
        time it was there, fractions dropped.  A complaint is answered in time when it was resolved
        at the first contact or within the days promised; one still open whose days are not up is
        not judged.

    Raises
    ------
    TypeError, ValueError
        When the base has no interactions, or nobody has a tier with a rule.
    """
    promised = _rules(rules)
    if not base.has("interactions"):
        raise ValueError(f"{base.title}: no table interactions, so that no service is on record")
    first, last = _days(base, start, end)
    kinds = {"visits": visit_kinds, "calls": call_kinds, "complaints": complaint_kinds}
    found = kept_by_customer(base, first, last, kinds)
    given = _levels(base, last, found.customers.index) if tiers is None else tiers
    customers = _ruled(found, given, promised)
    judged = found.complaints_of(customers, {k: r.response_days for k, r in promised.items()})
    table = _by_customer(customers, judged, promised, found)
    excluded = {
        "customers without a tier or rule": len(found.customers) - len(customers),
        "complaints still open whose time is not up": int(judged["pending"].sum()),
    }
    names = [name for name in promised if (table["tier"] == name).any()]
    return ServiceKept(
        _frame(table, names, promised, draws, np.random.default_rng(seed), level, progress),
        _costs(table, names, promised, found),
        table.rename_axis("customer_id").reset_index()[
            ["customer_id", "tier", "years", *kinds, "in_time", "person"]
        ],
        promised,
        first,
        last,
        base.currency,
        excluded,
        _notes(found, excluded),
    )


def _days(base: CustomerBase, start: Day, end: Day) -> tuple[dt.date, dt.date]:
    """First and last day to check."""
    last = day_of(end, "end") or base.end
    first = day_of(start, "start") or max(first_day(last, MONTHS), base.start)
    if not base.start <= first < last <= base.end:
        raise ValueError(
            f"start {first} and end {last} must lie in this order within {base.start} to {base.end}"
        )
    return first, last


def _ruled(found: Kept, tiers: pd.Series, rules: Mapping[str, ServiceRule]) -> pd.DataFrame:
    """Keep the customers whose tier has a rule, with their tier."""
    own = tiers_of(tiers, found.customers.index)
    ruled = own.isin(list(rules))
    if not ruled.any():
        raise ValueError(
            f"no customer's tier has a rule; tiers are {listed(own.dropna().unique())}, rules are "
            f"for {listed(rules)}"
        )
    return found.customers[ruled].assign(tier=own[ruled])


def _rules(rules: Mapping[str, ServiceRule] | None) -> dict[str, ServiceRule]:
    given = dict(SERVICE_RULES if rules is None else rules)
    wrong = [name for name, rule in given.items() if not isinstance(rule, ServiceRule)]
    if wrong or not given:
        raise TypeError(
            "rules must map tiers to ServiceRule, such as {'A': ServiceRule(3, 4, 12, 'manager')}"
            + (f"; {wrong[0]!r} has {given[wrong[0]]!r}" if wrong else "")
        )
    return {str(name): rule for name, rule in given.items()}


def _levels(base: CustomerBase, end: dt.date, ids: Iterable[str]) -> pd.Series:
    """Relationship level of each customer's last contract begun by the end."""
    if not base.has("contracts", "relationship_level"):
        raise ValueError(
            f"{base.title}: no relationship level in the contracts; give tiers, a series "
            "customer_id -> tier"
        )
    found = base.query(
        "select customer_id, arg_max(relationship_level, start) as tier from contracts "
        "where start <= $end group by customer_id",
        end=end,
    )
    return found.set_index("customer_id")["tier"].reindex(list(ids))


def _by_customer(
    customers: pd.DataFrame, judged: pd.DataFrame, rules: dict[str, ServiceRule], found: Kept
) -> pd.DataFrame:
    """Tell of each customer what was kept of its promises, as hits and cases."""
    own = [rules[tier] for tier in customers["tier"]]
    due = {
        name: np.floor([getattr(rule, name) for rule in own] * customers["years"] + ROUNDING)
        for name in ("visits", "calls")
    }
    person = customers["person"].map(PERSONS.index).to_numpy()
    wanted = np.array([PERSONS.index(rule.person) for rule in own])
    table = customers.assign(
        in_time=judged["in_time"].reindex(customers.index).fillna(0.0),
        judged=judged["judged"].reindex(customers.index).fillna(0.0),
        visited=(customers["visits"] >= due["visits"]).astype(float),
        called=(customers["calls"] >= due["calls"]).astype(float),
        charged=(person >= wanted).astype(float),
        due_visits=due["visits"],
        due_calls=due["calls"],
    )
    return table if found.staffed else table.assign(charged=math.nan)


def _frame(
    table: pd.DataFrame,
    names: Sequence[str],
    rules: dict[str, ServiceRule],
    draws: int,
    generator: np.random.Generator,
    level: float,
    progress: Progress | None,
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for name in names:
        own, rule = table[table["tier"] == name], rules[name]
        found = _answered(own, draws, generator, level, progress)
        kept = {"kept": int(own["in_time"].sum()), "cases": int(own["judged"].sum())}
        head = {"tier": name, "promise": PROMISES[0], "promised": f"{rule.response_days:g} days"}
        ends = {"share": found.estimate, "lower": found.lower, "upper": found.upper}
        rows.append(head | kept | ends | {"method": found.method})
        told = (f"{rule.visits:g} a year", f"{rule.calls:g} a year", rule.person)
        made = (rule.visits > 0, rule.calls > 0, rule.person != PERSONS[0])
        for promise, said, promised, column in zip(PROMISES[1:], told, made, KEPT, strict=True):
            if promised:
                head = {"tier": name, "promise": promise, "promised": said}
                rows.append(head | _customers_kept(own[column], level))
    return pd.DataFrame(rows)


def _customers_kept(kept: pd.Series, level: float) -> dict[str, Any]:
    """Share of the customers to whom a promise was kept; none where it is not on record."""
    known = int(kept.notna().sum())
    lower, upper = wilson_interval(kept.sum(), known, level)
    share = float(kept.mean()) if known else math.nan
    counts = {"kept": int(kept.sum()), "cases": known}
    ends = {"share": share, "lower": float(lower), "upper": float(upper)}
    return counts | ends | {"method": "Wilson interval"}


def _answered(
    own: pd.DataFrame,
    draws: int,
    generator: np.random.Generator,
    level: float,
    progress: Progress | None,
) -> Estimate:
    """Share of the complaints answered in time; a customer's complaints are drawn together."""
    hits, cases = own["in_time"].to_numpy(float), own["judged"].to_numpy(float)
    complained, total = int((cases > 0).sum()), int(cases.sum())
    unit, n = "share of complaints", len(own)
    if not total:
        return Estimate.without_interval(math.nan, unit, 0, "no complaint", level)
    share = float(hits.sum() / total)
    if share in (0.0, 1.0):
        # all alike: no resample differs, but as many customers could hide some
        lower, upper = wilson_interval(share * complained, complained, level)
        method = "Wilson interval over the customers who complained"
        return Estimate(share, float(lower), float(upper), unit, total, method, level)

    def statistic(counts: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return (counts @ hits / (counts @ cases))[:, None]

    drawn = bootstrap(statistic, np.ones(n), draws=draws, seed=generator, progress=progress)
    found = bootstrap_estimate(share, drawn[:, 0], unit=unit, n=n, level=level)
    return replace(found, n=total)


def _costs(
    table: pd.DataFrame,
    names: Sequence[str],
    rules: dict[str, ServiceRule],
    found: Kept,
) -> pd.DataFrame:
    rows = []
    for name in names:
        own, rule = table[table["tier"] == name], rules[name]
        each = rule.visits * found.unit_cost["visits"] + rule.calls * found.unit_cost["calls"]
        there = own["years"].sum() / found.years
        missing = sum(
            (own[f"due_{kind}"] - own[kind]).clip(lower=0).sum() * found.unit_cost[kind]
            for kind in ("visits", "calls")
        )
        rows.append(
            {
                "tier": name,
                "customers": len(own),
                "promised_cost": there * (each + 12 * rule.care),
                "contact_cost": there * each,
                "made_cost": own["made_cost"].sum() / found.years,
                "missing_cost": missing / found.years,
            }
        )
    return pd.DataFrame(rows)


def _notes(found: Kept, excluded: dict[str, int]) -> tuple[str, ...]:
    notes = [f"{count:,} {what} not judged" for what, count in excluded.items() if count]
    if not found.staffed:
        notes.append("no manager or agent on file: who is in charge is not known")
    if not found.timed:
        notes.append("complaints carry no day of resolution: only first contacts count as in time")
    unknown = [kind for kind, cost in found.unit_cost.items() if math.isnan(cost)]
    if unknown:
        notes.append(f"no cost on record of {', '.join(unknown)}: their cost is not known")
    share = float((found.customers["years"] < found.years - ROUNDING).mean())
    if share:
        notes.append(
            f"{percent(share)} of the customers were there for a part of the time; they are due "
            "that part of the contacts"
        )
    return tuple(notes)
