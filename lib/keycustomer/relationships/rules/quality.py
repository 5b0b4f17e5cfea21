"""Relationship quality: satisfaction, trust, commitment and service history as one index.

How good is the relationship with a customer, and how well can that be told?
:func:`relationship_quality` puts up to four parts together, each from 0 to 1 and of equal weight,
to an index from 0 to 100:

- satisfaction, trust, commitment: mean answers of the survey.  Where the construct was not asked,
  another stands in (`STAND_INS`: commitment by loyalty, say), or for commitment the regularity and
  breadth of purchases; the part is then called a proxy, and the notes say of what;
- service: what the records tell, 1 / (1 + trouble a year), a complaint counting one half where the
  first contact resolved it, one where it did not, and two while it is not resolved.

A part that nothing stands in for is left out, and said to be.  A customer has an index where all
other parts are known of it.  The index's reliability is that of a sum of scales (stratified alpha):
the answers' error comes from the items of a construct, the records' from months taken in turn.

Sources: Crosby, Evans & Cowles (Journal of Marketing 1990) and Morgan & Hunt (1994) for the parts;
Cronbach, Schönemann & McKie (Educational and Psychological Measurement 1965) for the reliability.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase
from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.complaints import did_you_mean, listed
from keycustomer.dimensions.measurement.coefficients import cronbach_alpha
from keycustomer.dimensions.measurement.intervals import readable
from keycustomer.dimensions.measurement.moments import ItemMoments
from keycustomer.dimensions.measurement.survey import open_survey
from keycustomer.lifetime.arguments import Day, day_of, whole_number
from keycustomer.relationships.rules.purchases import read_purchases
from keycustomer.relationships.rules.service_record import service_halves
from keycustomer.relationships.rules.signs import signs_of
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

PARTS = ("satisfaction", "trust", "commitment", "service")
"""Parts of relationship quality."""

STAND_INS: dict[str, tuple[str, ...]] = {
    "satisfaction": ("satisfaction",),
    "trust": ("trust", "image", "reputation"),
    "commitment": ("commitment", "loyalty"),
}
"""Constructs of a survey that each part is read from, the first one asked; all but the part itself
are proxies."""

FEWEST = 10
"""Customers below which reliability is not measured."""

UNIT = "share of the index's variance"


@dataclass(frozen=True, eq=False)
class RelationshipQuality:
    """Relationship quality of customers.

    Attributes
    ----------
    frame : DataFrame
        One row a customer who bought in the months before `as_of`: customer_id, a column a part
        (0..1, NaN where not known), index (0..100, NaN where a part is not known).
    parts : DataFrame
        One row a part used: part, kind (answers, proxy, records), source (what it is read from),
        items, customers (of whom it is known), mean, sd, reliability, lower, upper, correlation
        (with the mean of the other parts).
    reliability : Estimate
        Of the index.
    as_of : date
        Day up to which things are known.
    months : int
        Months before it that count.
    without : tuple of str
        Parts that nothing tells.
    notes : tuple of str
        What is proxied, left out or not known.
    """

    frame: pd.DataFrame = field(repr=False)
    parts: pd.DataFrame
    reliability: Estimate
    as_of: dt.date
    months: int
    without: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def index(self) -> pd.Series:
        """Index by customer_id, of those who have one."""
        return self.frame.set_index("customer_id")["index"].dropna()

    def to_frame(self) -> pd.DataFrame:
        """One row a customer."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            f"{counted(len(self.index), 'customer')} with an index, as of {self.as_of}; mean "
            f"{self.index.mean():.1f} of 100",
            f"reliability {self.reliability}",
            *self.notes,
        ]
        return report_html("Relationship quality", said, {"Parts": readable(self.parts)})


@dataclass(frozen=True, eq=False)
class _Part:
    """A part's items, 0..1, by customer, and where they come from."""

    name: str
    kind: str
    source: str
    items: pd.DataFrame
    notes: tuple[str, ...] = ()


def relationship_quality(
    base: CustomerBase,
    *,
    as_of: Day = None,
    months: int = 12,
    stand_ins: Mapping[str, str] | None = None,
    low: float | None = None,
    high: float | None = None,
    complaint_kinds: Sequence[str] = ("complaint",),
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> RelationshipQuality:
    """Measure the relationship quality of the customers who bought in the months before a day.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with transactions; a survey and interactions add parts.
    as_of : date or ISO string, optional
        Last day that counts; default: the last one observed.
    months : int
        Whole months before it whose answers, purchases and contacts count, at least 2.
    stand_ins : mapping of str to str, optional
        Construct of the survey to read a part from, such as ``{"trust": "image"}``; default: the
        first of `STAND_INS` that was asked.
    low, high : float, optional
        Ends of the survey's scale; default: the smallest and the largest answer.
    complaint_kinds : sequence of str
        Kinds of interactions that are complaints.
    draws, seed, level, progress
        Bootstrap of customers for the reliabilities, as in :func:`keycustomer.stats.bootstrap`.

    Raises
    ------
    ValueError
        When nobody bought in these months, a construct was not asked, or nothing tells of quality.
    """
    day = day_of(as_of, "as_of") or base.end
    whole_number(months, "months", of="months", least=2)
    start = first_day(day, months)
    bought = read_purchases(base, start=max(start, base.start), end=day)
    ids = pd.Index(bought.ids)
    found = _asked_parts(base, start, day, stand_ins or {}, low, high)
    if "commitment" not in found:
        signs = signs_of(bought, np.arange(bought.periods)).set_index("customer_id")
        found["commitment"] = _commitment_of_purchases(signs)
    service = service_halves(base, ids, start, day, complaint_kinds)
    if service is not None:
        found["service"] = _Part("service", "records", "complaints on record", service)
    parts = [found[name] for name in PARTS if name in found]
    values = _values(parts, ids)
    measured = _Measured(parts, ids)
    estimates, overall = measured.reliabilities(draws, seed, level, progress)
    without = tuple(name for name in PARTS if name not in found)
    return RelationshipQuality(
        values.rename_axis("customer_id").reset_index(),
        _parts_table(parts, values, estimates),
        overall,
        day,
        months,
        without,
        (*_notes(parts, without), *_coverage(values)),
    )


def first_day(day: dt.date, months: int) -> dt.date:
    """First day of the whole months that end with a day (or with its month so far)."""
    after = pd.Timestamp(day) + pd.Timedelta(days=1)
    first: dt.date = (after - pd.DateOffset(months=months)).date()
    return first


def _asked_parts(
    base: CustomerBase,
    start: dt.date,
    day: dt.date,
    stand_ins: Mapping[str, str],
    low: float | None,
    high: float | None,
) -> dict[str, _Part]:
    """Parts that the survey tells, from each customer's last answers in the window."""
    unknown = [name for name in stand_ins if name not in STAND_INS]
    if unknown:
        raise ValueError(f"stand_ins: no part {unknown[0]!r} is asked; {listed(STAND_INS)}")
    known = base.has("survey", "customer_id") and base.has("survey", "date")
    chosen = _constructs(base, stand_ins) if known else {}
    if not chosen:
        return {}
    survey = open_survey(base, low=low, high=high)
    read = survey.answers(dict.fromkeys(chosen.values()), every_wave=True)
    whose = survey.table.loc[read.answers.index, ["customer_id", "date"]]
    date = pd.to_datetime(whose["date"])
    inside = date.between(pd.Timestamp(start), pd.Timestamp(day)) & whose["customer_id"].notna()
    order = date[inside].sort_values(kind="stable").index
    last = whose.loc[order].drop_duplicates("customer_id", keep="last")
    if last.empty:
        return {}
    scaled = (read.answers.loc[last.index] - read.low) / (read.high - read.low)
    scaled = scaled.set_axis(pd.Index(last["customer_id"].astype(str), name="customer_id"))
    return {
        name: _asked_part(name, own, scaled[list(read.constructs[own])])
        for name, own in chosen.items()
    }


def _asked_part(name: str, construct: str, items: pd.DataFrame) -> _Part:
    source = f"answers: {', '.join(items.columns)}"
    if construct == name:
        return _Part(name, "answers", source, items)
    note = f"{name} was not asked: the answers on {construct} stand in for it (a proxy)"
    return _Part(name, "proxy", source, items, (note,))


def _constructs(base: CustomerBase, stand_ins: Mapping[str, str]) -> dict[str, str]:
    """Construct of the survey by part."""
    asked = [name for name, items in base.constructs.items() if items]
    chosen = {}
    for part, construct in stand_ins.items():
        if construct not in asked:
            raise ValueError(
                f"stand_ins[{part!r}]: construct {construct!r} was not asked; there are "
                f"{listed(asked)}{did_you_mean(construct, asked)}"
            )
        chosen[part] = construct
    for part, candidates in STAND_INS.items():
        there = [one for one in candidates if one in asked]
        if part not in chosen and there:
            chosen[part] = there[0]
    return {part: chosen[part] for part in STAND_INS if part in chosen}


def _commitment_of_purchases(signs: pd.DataFrame) -> _Part:
    columns = [name for name in ("active", "breadth") if signs[name].notna().any()]
    note = (
        "commitment was not asked: regularity and breadth of purchases stand in for it (a proxy); "
        "who is held by a contract looks committed"
    )
    return _Part("commitment", "proxy", f"purchases: {', '.join(columns)}", signs[columns], (note,))


def _values(parts: Sequence[_Part], ids: pd.Index) -> pd.DataFrame:
    """Parts 0..1 and the index 0..100 by customer."""
    values = pd.DataFrame({part.name: part.items.mean(axis=1) for part in parts}).reindex(ids)
    return values.assign(index=100 * values.mean(axis=1, skipna=False))


class _Measured:
    """Items of all parts of the customers who have all of them, to resample together."""

    def __init__(self, parts: Sequence[_Part], ids: pd.Index) -> None:
        table = pd.concat([part.items.add_prefix(f"{part.name}: ") for part in parts], axis=1)
        self.items = table.reindex(ids).dropna().to_numpy(float)
        ends = np.cumsum([part.items.shape[1] for part in parts])
        self.blocks = [np.arange(a, z) for a, z in zip([0, *ends[:-1]], ends, strict=True)]
        self.names = [part.name for part in parts]

    def reliabilities(
        self, draws: int, seed: Seed, level: float, progress: Progress | None
    ) -> tuple[list[Estimate], Estimate]:
        """Reliability of every part, and of the index."""
        n = len(self.items)
        if n < FEWEST:
            why = f"{counted(n, 'customer')} with all answers and records, {FEWEST} are needed"
            none = Estimate.without_interval(math.nan, UNIT, n, why, level)
            return [none] * len(self.blocks), none
        moments = ItemMoments(self.items)

        def statistic(counts: FloatArray) -> FloatArray:
            return sum_reliability(moments.weighted(counts)[1], self.blocks)

        point = statistic(np.ones((1, n)))[0]
        drawn = bootstrap(statistic, np.ones(n), draws=draws, seed=seed, progress=progress)
        found = [self._estimate(k, point, drawn, level) for k in range(len(point))]
        return found[:-1], found[-1]

    def _estimate(self, k: int, point: FloatArray, drawn: FloatArray, level: float) -> Estimate:
        alone = [
            name for name, block in zip(self.names, self.blocks, strict=True) if len(block) < 2
        ]
        n = len(self.items)
        if math.isnan(point[k]):
            why = (
                f"one item shows no error: {', '.join(alone)}"
                if alone
                else "nothing differs between these customers"
            )
            return Estimate.without_interval(math.nan, UNIT, n, why, level)
        return bootstrap_estimate(float(point[k]), drawn[:, k], unit=UNIT, n=n, level=level)


def sum_reliability(covariances: FloatArray, blocks: Sequence[np.ndarray]) -> FloatArray:
    """Alpha of every block of items, and stratified alpha of the mean of the blocks' means.

    Parameters
    ----------
    covariances : ndarray, shape (draws, items, items)
        Covariances of all items.
    blocks : sequence of ndarray of int
        Items of each part.

    Returns
    -------
    ndarray, shape (draws, blocks + 1)
        NaN for a block of one item, and then for the whole.
    """
    weights = np.zeros(covariances.shape[-1])
    alphas, errors = [], np.zeros(len(covariances))
    for block in blocks:
        own = covariances[:, block[:, None], block]
        weights[block] = 1 / len(block)
        alpha = cronbach_alpha(own)
        errors += (1 - alpha) * own.sum(axis=(1, 2)) / len(block) ** 2
        alphas.append(alpha)
    whole = np.einsum("i,dij,j->d", weights, covariances, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.column_stack([*alphas, 1 - errors / whole])


def _parts_table(
    parts: Sequence[_Part], values: pd.DataFrame, estimates: Sequence[Estimate]
) -> pd.DataFrame:
    complete = values.dropna()
    names = [part.name for part in parts]
    rows = []
    for part, found in zip(parts, estimates, strict=True):
        others = complete[[name for name in names if name != part.name]].mean(axis=1)
        varies = len(names) > 1 and complete[part.name].std() > 0 and others.std() > 0
        known = values[part.name].dropna()
        rows.append(
            {
                "part": part.name,
                "kind": part.kind,
                "source": part.source,
                "items": part.items.shape[1],
                "customers": len(known),
                "mean": known.mean(),
                "sd": known.std(),
                "reliability": found.estimate,
                "lower": found.lower,
                "upper": found.upper,
                "correlation": complete[part.name].corr(others) if varies else math.nan,
            }
        )
    return pd.DataFrame(rows)


def _notes(parts: Sequence[_Part], without: tuple[str, ...]) -> list[str]:
    notes = [note for part in parts for note in part.notes]
    if without:
        notes.append(f"nothing tells of {', '.join(without)}: left out of the index")
    if len(parts) == 1:
        notes.append(f"{parts[0].name} alone is no measure of the relationship: read it as such")
    return notes


def _coverage(values: pd.DataFrame) -> list[str]:
    share = float(values["index"].notna().mean())
    if share == 1:
        return []
    return [
        f"{percent(share)} of {counted(len(values), 'customer')} have all parts and so an index; "
        "those who answer a survey may differ from those who do not"
    ]
