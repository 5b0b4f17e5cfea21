"""What complaints, and how they are resolved, do to who stays.

How many customers leave for a complaint, and how many fewer would if every complaint were resolved
at the first contact?  :func:`complaint_effects` puts the month's leaving beside the complaints of
this month and, fading with a half-life, of the months before, by how they were resolved: at the
first contact, in time, or late.  From the regression it tells what the leaving rate would be had no
complaint come, had all been resolved at the first contact, in time, or none at the first contact:
plainly, and with size, contract, level and the like held fixed.

Large customers complain more and leave more, so that the plain numbers charge complaints with what
size does.  How a complaint is resolved is nearly chance, so that there plain and adjusted agree.

The rules for the claims, set before any data: R3 (trouble drives away) is supported when fewer
would leave without complaints, T3 (first-contact responsibility keeps customers) when fewer would
leave were all resolved at the first contact, each by an adjusted interval wholly below 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import made_up_note, report_html
from keycustomer.relationships.service.carry_over import carried, carry_factor
from keycustomer.relationships.service.controls import control_columns, identification
from keycustomer.relationships.service.record import ServiceRecord
from keycustomer.relationships.service.regression import Regression, fit_regression
from keycustomer.stats import Estimate, verdict_below
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.stats.regressions.links import event_log_likelihood

Array = npt.NDArray[Any]

KINDS = ("first", "in_time", "late")
"""How a complaint ended: at the first contact; later but within the days promised; later still, or
not at all."""

CONTRASTS = {
    "no complaints": "had no complaint come",
    "all at first contact": "had all been resolved at the first contact",
    "none late": "had those that were late been resolved in time",
    "none at first contact": "had none been resolved at the first contact",
}
"""Other worlds that the leaving rate is compared with."""

PER = 1_000
"""Leavers are told per so many customer-months."""

UNIT = "leavers per 1,000 customer-months"

DAYS = (0, 7, 14, 30)
"""Upper ends of the classes of days to resolve; 0 is the first contact."""


@dataclass(frozen=True, eq=False)
class ComplaintEffects:
    """Leaving beside complaints and their resolution.

    Attributes
    ----------
    effects : dict of (str, str) to Estimate
        Change of the leaving rate by contrast and adjustment ("naive", "adjusted"); below 0 fewer
        would leave.
    each : dict of (str, str) to Estimate
        Leavers that 100 complaints of a kind add, by kind and adjustment.
    by_days : DataFrame
        days (class), complaints, left (within `follow` months), rate, lower, upper, seen over
        customers, without adjustment.
    counts : dict of str to int
        Complaints on the months used, by how they ended.
    rate : float
        Leavers per 1,000 customer-months.
    rows, leavers, customers : int
        Customer-months, leavers and customers used.
    patience, half_life : float
        Days within which a complaint is resolved in time; months after which half is forgotten.
    follow : int
        Months after a complaint, its own included, in which `by_days` looks for leaving.
    excluded : dict of str to int
        Customer-months and leavers left out, by reason.
    identification : str
        Under which assumption the adjusted numbers are effects.
    study : ResolutionStudy
        The rows and columns it rests on.
    """

    effects: dict[tuple[str, str], Estimate]
    each: dict[tuple[str, str], Estimate]
    by_days: pd.DataFrame
    counts: dict[str, int]
    rate: float
    rows: int
    leavers: int
    customers: int
    patience: float
    half_life: float
    follow: int
    excluded: dict[str, int]
    identification: str
    simulated: bool
    study: ResolutionStudy = field(repr=False)

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdicts of R3 (complaints drive away) and T3 (the first contact keeps customers)."""
        return {
            "R3": verdict_below(self.effects["no complaints", "adjusted"], 0.0),
            "T3": verdict_below(self.effects["all at first contact", "adjusted"], 0.0),
        }

    @cached_property
    def sensitivity(self) -> pd.DataFrame:
        """Tell the adjusted effect of the first contact under other half-lives.

        Columns half_life, log_likelihood (of the regression), estimate, lower, upper.
        """
        return self.study.sensitivity(self.half_life)

    def to_frame(self) -> pd.DataFrame:
        """List the contrasts: contrast, adjustment, estimate, lower, upper (per 1,000 months)."""
        return _listed(self.effects, "contrast")

    def each_frame(self) -> pd.DataFrame:
        """List what 100 complaints of a kind add: kind, adjustment, estimate, lower, upper."""
        return _listed(self.each, "kind")

    def _repr_html_(self) -> str:
        first = self.effects["all at first contact", "adjusted"]
        sentences = [
            *made_up_note(self.simulated),
            f"{self.leavers:,} of {self.customers:,} customers left in {self.rows:,} "
            f"customer-months: {self.rate:.1f} per 1,000.",
            f"Were all complaints resolved at the first contact: {first} {first.unit} (adjusted).",
            f"Verdicts: R3 {self.verdicts['R3']}, T3 {self.verdicts['T3']}.",
            self.identification,
            *(f"Left out: {n:,} {why}." for why, n in self.excluded.items() if n),
        ]
        tables = {
            f"Change of the leaving rate, {UNIT}": self.to_frame(),
            "Leavers that 100 complaints add": self.each_frame(),
            "After a complaint, by days to resolve": self.by_days,
        }
        return report_html("Complaints and leaving", sentences, tables)


def _listed(estimates: Mapping[tuple[str, str], Estimate], name: str) -> pd.DataFrame:
    rows = [
        {name: what, "adjustment": how}
        | {"estimate": one.estimate, "lower": one.lower, "upper": one.upper}
        for (what, how), one in estimates.items()
    ]
    return pd.DataFrame(rows)


def complaint_effects(
    record: ServiceRecord,
    *,
    patience: float = 14.0,
    half_life: float = 2.0,
    burn_in: int = 6,
    follow: int = 3,
    attributes: Sequence[str] = (),
    level: float = 0.95,
    progress: Progress | None = None,
) -> ComplaintEffects:
    """Put leaving beside complaints and how they were resolved.

    Parameters
    ----------
    record : ServiceRecord
        From :func:`keycustomer.relationships.read_service`.
    patience : float
        Days within which a complaint is resolved in time.
    half_life : float
        Months after which half of a complaint's effect is left; stated, see `sensitivity`.
    burn_in : int
        First months of the window that are left out, since what came before them is not known.
    follow : int
        Months after a complaint, its own included, over which `by_days` looks for leaving.
    attributes : sequence of str
        Attributes of the customers that are held fixed as well.
    level : float
        Confidence level.
    progress : callable, optional
        Called with contrasts done and in all, once the work has taken two seconds.

    Raises
    ------
    ValueError
        When there are no complaints, or nobody (or everybody) left.
    """
    _refuse(record, patience, burn_in, follow)
    counts, pending, again = resolution_counts(record, patience)
    used = (record.number >= burn_in) & ~pending & ~record.cut_short
    rows = np.flatnonzero(used)
    report, done = after_quiet(progress), 0
    left = record.leaving[rows]
    study = ResolutionStudy(record, counts, again, rows, left, attributes)
    effects: dict[tuple[str, str], Estimate] = {}
    each: dict[tuple[str, str], Estimate] = {}
    for how in ("naive", "adjusted"):
        model = study.fit(half_life, adjusted=how == "adjusted")
        for name in CONTRASTS:
            effects[name, how] = study.contrast(model, name, half_life, level)
            report(done := done + 1, 2 * len(CONTRASTS))
        each |= {(kind, how): study.each(model, kind, half_life, level) for kind in KINDS}
    present = [kind for kind in KINDS if counts[rows, KINDS.index(kind)].sum()]
    return ComplaintEffects(
        effects=effects,
        each={key: one for key, one in each.items() if key[0] in present},
        by_days=leaving_by_days(record, follow, level),
        counts={kind: int(counts[rows, place].sum()) for place, kind in enumerate(KINDS)},
        rate=PER * float(left.mean()),
        rows=len(rows),
        leavers=int(left.sum()),
        customers=len(np.unique(record.customer[rows])),
        patience=patience,
        half_life=half_life,
        follow=follow,
        excluded=_excluded(record, pending, burn_in),
        identification=identification("complaints", alone=("satisfaction", "loyalty", "discount")),
        simulated=record.months.simulated,
        study=study,
    )


def _excluded(record: ServiceRecord, pending: Array, burn_in: int) -> dict[str, int]:
    """Count the customer-months left out."""
    early = record.number < burn_in
    return {
        f"customer-months among the first {burn_in} of the window": int(early.sum()),
        "customer-months with a complaint too new to tell how it ended": int(
            (pending & ~early & ~record.cut_short).sum()
        ),
        **record.not_whole(burn_in),
    }


def _refuse(record: ServiceRecord, patience: float, burn_in: int, follow: int) -> None:
    complaints = []
    if not record.contacts["is_complaint"].any():
        kinds = sorted(record.contacts["kind"].dropna().unique())[:12]
        complaints.append(
            f"no interaction is a complaint: complaint_kinds={record.complaint_kinds!r}, the "
            f"kinds recorded are {kinds}"
        )
    if not patience >= 0:
        complaints.append(f"patience={patience!r} must be a number of days, 0 or larger")
    if not 0 <= burn_in < record.months.months:
        complaints.append(f"burn_in={burn_in!r} must be 0 to {record.months.months - 1} months")
    if follow < 1:
        complaints.append(f"follow={follow!r} must be at least 1 month")
    if complaints:
        raise ValueError("; ".join(complaints))


def resolution_days(record: ServiceRecord) -> tuple[Array, Array]:
    """Days each complaint took (0 at the first contact, NaN if open) and was observed for.

    A complaint without a flag that was resolved on its day counts as resolved at the first contact.
    """
    rows = record.contacts[record.contacts["is_complaint"]]
    opened = pd.to_datetime(rows["date"])
    days = (pd.to_datetime(rows["resolved_on"]) - opened).dt.days.to_numpy(dtype=float)
    at_first = rows["first"].fillna(False).to_numpy(dtype=bool)
    later = ~rows["first"].fillna(True).to_numpy(dtype=bool)
    days = np.where(at_first, 0.0, days)
    days = np.where(later & (days == 0), 1.0, days)
    seen = (pd.Timestamp(record.months.end) - opened).dt.days.to_numpy(dtype=float)
    return days, seen


def resolution_counts(record: ServiceRecord, patience: float) -> tuple[Array, Array, Array]:
    """Complaints by customer-month and how they ended.

    How they ended is told with hindsight, of who left and of who stayed alike: to class those of
    leavers alone by what was known when they left would bring a difference where there is none.
    What is still open when the customer leaves counts as late.

    Returns
    -------
    counts : ndarray, shape (n, 3)
        Complaints by `KINDS`.
    pending : ndarray of bool, shape (n,)
        Months with a complaint still open, and observed for no longer than `patience` days.
    again : ndarray, shape (n,)
        Complaints that came in the month after one that was late: as many as may be its repetition.
    """
    n = len(record.months.frame)
    row = record.contacts["row"].to_numpy()[record.contacts["is_complaint"].to_numpy()]
    days, seen = resolution_days(record)
    open_still = np.isnan(days)
    pending = np.bincount(row[open_still & (seen <= patience)], minlength=n) > 0
    ended = [days == 0, (days > 0) & (days <= patience), ~(days <= patience)]
    counts = np.column_stack([np.bincount(row[one], minlength=n) for one in ended]).astype(float)
    before = np.zeros(n)
    before[record.followed + 1] = counts[record.followed, 2]
    return counts, pending, np.minimum(counts.sum(axis=1), before)


@dataclass(frozen=True, eq=False)
class ResolutionStudy:
    """Complaints by how they ended, beside leaving: what the regressions are fitted on.

    Attributes
    ----------
    record : ServiceRecord
        The service record.
    counts : ndarray, shape (months, 3)
        Complaints by customer-month and `KINDS`.
    again : ndarray, shape (months,)
        Of these, those that may repeat one that was late.
    rows : ndarray of int, shape (n,)
        Customer-months used.
    left : ndarray, shape (n,)
        Whether the customer left at their end, or within the next one.
    attributes : sequence of str
        Attributes of the customers that are held fixed as well.
    """

    record: ServiceRecord
    counts: Array
    again: Array
    rows: Array
    left: Array
    attributes: Sequence[str]

    def columns(self, counts: Array, half_life: float) -> Array:
        """Complaints by kind with what is carried over, and this month's late ones.

        A late complaint is open when the month ends, which weighs apart from what is remembered.
        """
        factor = carry_factor(half_life)
        stock = carried(counts, self.record.customer, self.record.number, factor)
        return np.column_stack([stock, counts[:, KINDS.index("late")]])[self.rows]

    def fit(self, half_life: float, *, adjusted: bool) -> Regression:
        """Regress leaving on the complaints, with or without what is held fixed."""
        design = self.columns(self.counts, half_life)
        names = [*KINDS, "late now"]
        if adjusted:
            held, more = self.held
            design, names = np.column_stack([design, held]), [*names, *more]
        customer = pd.factorize(self.record.customer[self.rows])[0]
        return fit_regression(self.left, design, names, customer)

    @cached_property
    def held(self) -> tuple[Array, list[str]]:
        """What is held fixed."""
        return control_columns(self.record.months, self.rows, self.attributes)

    def _states(self, model: Regression, counts: Array, half_life: float) -> tuple[Array, Array]:
        """Columns in the other world and as they are."""
        after, before = self.columns(counts, half_life), self.columns(self.counts, half_life)
        if len(model.names) > 1 + before.shape[1]:
            held = self.held[0]
            return np.column_stack([after, held]), np.column_stack([before, held])
        return after, before

    def contrast(self, model: Regression, name: str, half_life: float, level: float) -> Estimate:
        """Change of the leaving rate in another world."""
        counts = other_world(self.counts, self.again, self.record.followed, name)
        after, before = self._states(model, counts, half_life)
        return model.change(after, before, UNIT, per=PER, level=level)

    def each(self, model: Regression, kind: str, half_life: float, level: float) -> Estimate:
        """Leavers that 100 complaints of a kind add."""
        place = KINDS.index(kind)
        counts = self.counts.copy()
        counts[:, place] = 0.0
        total = float(self.counts[self.rows, place].sum())
        after, before = self._states(model, counts, half_life)
        per = 100 * len(self.rows) / total if total else np.nan
        return model.change(before, after, "leavers per 100 complaints", per=per, level=level)

    def sensitivity(self, half_life: float, level: float = 0.95) -> pd.DataFrame:
        """Tell the adjusted effect of the first contact under other half-lives."""
        found = []
        for months in sorted({1.0, 2.0, 4.0, float(half_life)}):
            model = self.fit(months, adjusted=True)
            before = self._states(model, self.counts, months)[1]
            likelihood = event_log_likelihood(self.left, model.predict(before)).sum()
            effect = self.contrast(model, "all at first contact", months, level)
            told = {"estimate": effect.estimate, "lower": effect.lower, "upper": effect.upper}
            found.append({"half_life": months, "log_likelihood": float(likelihood)} | told)
        return pd.DataFrame(found)


def other_world(counts: Array, again: Array, followed: Array, name: str) -> Array:
    """Complaints by kind in another world.

    Where none is late nobody has to complain again.  Where none is resolved at the first contact,
    they end in time or late in the proportions of today's others, and who then has to complain
    again does so as often as today after late ones.

    Parameters
    ----------
    counts : ndarray, shape (n, 3)
        Complaints by customer-month and `KINDS`.
    again : ndarray, shape (n,)
        Of these, those that may repeat one that was late.
    followed : ndarray of int
        Customer-months whose next row is the customer's next month.
    name : str
        One of `CONTRASTS`.

    Returns
    -------
    ndarray, shape (n, 3)
    """
    total = counts.sum(axis=1)
    changed = np.zeros_like(counts)
    if name == "all at first contact":
        changed[:, 0] = total - again
    elif name == "none late":
        once = np.divide(total - again, total, out=np.ones_like(total), where=total > 0)
        changed[:, 0] = once * counts[:, 0]
        changed[:, 1] = once * (counts[:, 1] + counts[:, 2])
    elif name == "none at first contact":
        late = counts[:, 2].sum() / max(counts[:, 1:].sum(), 1.0)
        rate = again.sum() / max(counts[followed, 2].sum(), 1.0)
        more = counts[:, 0].copy()
        more[followed + 1] += rate * late * counts[followed, 0]
        changed[:, 1] = counts[:, 1] + (1 - late) * more
        changed[:, 2] = counts[:, 2] + late * more
    elif name != "no complaints":
        raise KeyError(f"no contrast {name!r}; there is: {', '.join(CONTRASTS)}")
    return changed


def leaving_by_days(record: ServiceRecord, follow: int, level: float) -> pd.DataFrame:
    """Share of complaints after which the customer left within some months, by days to resolve.

    Complaints too near the window's end to be followed, or too new to be classed, are left out.
    """
    days, seen = resolution_days(record)
    row = record.contacts["row"].to_numpy()[record.contacts["is_complaint"].to_numpy()]
    number, customer = record.number, record.customer
    gone = np.full(int(customer.max()) + 1, np.iinfo(np.int64).max)
    left = record.months.frame["left"].to_numpy()
    gone[customer[left]] = number[left]
    left_soon = gone[customer[row]] - number[row] < follow
    followed = number[row] + follow <= record.months.months
    classes = [("first contact", days == 0)]
    for low, high in pairwise(DAYS):
        classes.append((f"{low + 1} to {high} days", (days > low) & (days <= high)))
    later = (days > DAYS[-1]) | (np.isnan(days) & (seen > DAYS[-1]))
    classes.append((f"over {DAYS[-1]} days or open", later))
    found = [
        {"days": name} | _share(left_soon[own & followed], customer[row][own & followed], level)
        for name, own in classes
    ]
    return pd.DataFrame(found)


def _share(hits: Array, customer: Array, level: float) -> dict[str, float]:
    """Share of complaints, its interval over customers."""
    from keycustomer.stats.proportion import wilson_interval

    trials = len(hits)
    told = {"complaints": trials, "left": int(hits.sum())}
    if not trials:
        return told | {"rate": np.nan, "lower": np.nan, "upper": np.nan}
    share = float(hits.mean())
    spread = np.bincount(customer, hits - share)
    plain = share * (1 - share) * trials
    # complaints of one customer count for fewer where they end alike (design effect)
    effect = max(float(spread @ spread) / plain, 1.0) if plain else 1.0
    lower, upper = wilson_interval(share * trials / effect, trials / effect, level)
    return told | {"rate": share, "lower": float(lower), "upper": float(upper)}
