"""Whether customers stay in their type: noise, change, and the choice of thresholds.

Is a type a trait of the customer, or of the months it was read from?  :func:`type_stability` reads
the types again from two halves of the periods, in two ways:

- in turn: every second period against the others.  Both halves see the same customer at the same
  time, so what differs is noise;
- earlier and later: the first half against the second.  What differs there beyond noise is change.

Agreement is the share of customers with the same type in both halves, and Cohen's kappa, which
takes out what chance alone would give; intervals are by bootstrap of customers.  Each half has half
of the evidence, so types of the whole window agree rather better.  Customers without a purchase in
a half have no type there; they are counted apart (`gone`), not left out in silence.  How much hangs
on the thresholds is told by `sensitivity`: shares of the types, and of customers with another type,
when a threshold is moved.

Answers to a survey are used for the earlier and the later half where each has some; halves in turn
rest on behaviour alone, since waves would fall into one of them.

Sources: Cohen, "A coefficient of agreement for nominal scales" (Educational and Psychological
Measurement 20, 1960); Landis & Koch (Biometrics 1977) for what agreement is called substantial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.measurement.intervals import readable
from keycustomer.relationships.rules.customer_types import (
    TYPE_OF_PART,
    TYPES,
    RelationshipTypes,
    TypeThresholds,
    parts_of,
)
from keycustomer.relationships.rules.purchases import IntArray
from keycustomer.relationships.rules.signs import LoyaltySigns, signs_of
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, verdict_above
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.samples import FloatArray

IN_TURN, OVER_TIME = "in turn", "earlier and later"
SPLITS = (IN_TURN, OVER_TIME)
"""Ways of halving the periods."""

FEWEST_PERIODS = 4
"""Periods below which halves say nothing."""

ABSENT = len(TYPES)
"""Place of a customer without a purchase in a half."""

NAMES = (*TYPES, "no purchase")

SUBSTANTIAL = 0.6
"""Kappa above which agreement is called substantial (Landis & Koch 1977)."""


@dataclass(frozen=True, eq=False)
class TypeStability:
    """How far types of relationship come again.

    Attributes
    ----------
    frame : DataFrame
        One row a split and measure: split, measure (same, kappa), estimate, lower, upper, n,
        method; customers with a type in both halves.
    each : DataFrame
        One row a split and type of the first half: split, type, customers, stayed, share, lower,
        upper (Wilson, 95 %), gone (customers without a purchase in the second half, not in
        `customers`).
    moves : dict of str to DataFrame
        By split: customers by type in the first half (rows) and in the second (columns).
    sensitivity : DataFrame
        One row a change of a threshold: threshold, change, value, changed (share of customers with
        another type), and the share of each type.
    splits : dict of str to tuple
        Periods of the halves.
    notes : tuple of str
        What the reader should know of it.
    """

    frame: pd.DataFrame
    each: pd.DataFrame
    moves: dict[str, pd.DataFrame] = field(repr=False)
    sensitivity: pd.DataFrame = field(repr=False)
    splits: dict[str, tuple[IntArray, IntArray]] = field(repr=False)
    notes: tuple[str, ...]

    def of(self, split: str, measure: str = "kappa") -> Estimate:
        """One measure of one split.

        Raises
        ------
        KeyError
            When there is no such row.
        """
        for row in self.frame.to_dict("records"):
            if (row["split"], row["measure"]) == (split, measure):
                ends = row["estimate"], row["lower"], row["upper"]
                return Estimate(*ends, UNITS[measure], row["n"], row["method"])
        raise KeyError(
            f"no {measure!r} of {split!r}; splits: {', '.join(SPLITS)}; measures: "
            f"{', '.join(UNITS)}"
        )

    def verdict(self, split: str) -> str:
        """Verdict on the claim that types agree substantially: kappa above `SUBSTANTIAL`."""
        return verdict_above(self.of(split), SUBSTANTIAL)

    @property
    def sentence(self) -> str:
        """The stability in words."""
        noise, change = (self.of(split, "same").estimate for split in SPLITS)
        return (
            f"{percent(noise, 0)} have the same type in periods taken in turn, "
            f"{percent(change, 0)} in the earlier and the later half"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a split and measure."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        tables = {
            "Agreement": readable(self.frame),
            "By type": self.each,
            "When a threshold is moved": self.sensitivity,
        }
        return report_html("Stability of types", [self.sentence, *self.notes], tables)


UNITS = {"same": "share of customers", "kappa": "agreement beyond chance"}
"""Units by measure."""

CHANGES: dict[str, Sequence[float]] = {
    "volume": (0.5, 0.8, 1.25, 2.0),
    "loyalty": (-0.2, -0.1, 0.1, 0.2),
}
"""Factors on the volume a year, and shifts of loyalty, for the sensitivity."""


def type_stability(
    types: RelationshipTypes,
    *,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> TypeStability:
    """Measure how far types come again in halves of the data and under other thresholds.

    Parameters
    ----------
    types : RelationshipTypes
        Made from :func:`keycustomer.relationships.loyalty_signs`.
    draws, seed, level, progress
        Bootstrap of customers, as in :func:`keycustomer.stats.bootstrap`.

    Raises
    ------
    ValueError
        When the types come from a plain table, or the window has fewer than four periods.
    """
    signs = types.signs
    if signs is None:
        raise ValueError(
            "these types come from a table: types in halves of the window need the purchases; make "
            "them of loyalty_signs(base)"
        )
    count = signs.purchases.periods
    if count < FEWEST_PERIODS:
        raise ValueError(
            f"the window has {counted(count, signs.purchases.every)}: halves need at least "
            f"{FEWEST_PERIODS}; take shorter periods with loyalty_signs(base, every='week')"
        )
    splits = _splits(count)
    generator = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    each, moves = [], {}
    for split, halves in splits.items():
        first, second = _both(signs, types.thresholds, split, halves)
        moves[split] = _cross(first, second)
        counts = moves[split].to_numpy()
        rows += _agreement(split, counts[:-1, :-1], draws, generator, level, progress)
        each.append(_each(split, counts))
    return TypeStability(
        pd.DataFrame(rows),
        pd.concat(each, ignore_index=True),
        moves,
        _sensitivity(types),
        splits,
        _notes(signs, moves),
    )


def _splits(count: int) -> dict[str, tuple[IntArray, IntArray]]:
    periods, half = np.arange(count), count // 2
    # an odd period is left out of halves over time, so that both have the same length
    return {IN_TURN: (periods[::2], periods[1::2]), OVER_TIME: (periods[:half], periods[-half:])}


def _both(
    signs: LoyaltySigns,
    thresholds: TypeThresholds,
    split: str,
    halves: tuple[IntArray, IntArray],
) -> tuple[np.ndarray, np.ndarray]:
    """Place of every customer's type in both halves, `ABSENT` without a purchase."""
    answers = signs.answers if split == OVER_TIME else None
    places = []
    for chosen in halves:
        own = signs_of(signs.purchases, chosen, broad=signs.broad, answers=answers)
        place = np.full(len(signs.purchases.ids), ABSENT)
        if len(own):
            volume, loyalty = own["volume"].to_numpy(), own["loyalty"].to_numpy()
            parts = parts_of(volume, loyalty, thresholds.cut(volume), thresholds)
            there = np.searchsorted(signs.purchases.ids, own["customer_id"].to_numpy(object))
            place[there] = np.array(TYPE_OF_PART)[parts]
        places.append(place)
    return places[0], places[1]


def _cross(first: np.ndarray, second: np.ndarray) -> pd.DataFrame:
    size = len(NAMES)
    counts = np.bincount(first * size + second, minlength=size**2).reshape(size, size)
    return pd.DataFrame(counts, pd.Index(NAMES, name="first"), pd.Index(NAMES, name="second"))


def _agreement(
    split: str,
    counts: np.ndarray,
    draws: int,
    generator: np.random.Generator,
    level: float,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Share of the same type and kappa, with intervals over customers."""
    n = int(counts.sum())
    if not n:
        raise ValueError("no customer bought in both halves of the window")
    point = agreement_of(counts.reshape(1, -1).astype(float), len(TYPES))[0]
    drawn = bootstrap(
        lambda weights: agreement_of(weights, len(TYPES)),
        counts.ravel(),
        draws=draws,
        seed=generator,
        progress=progress,
    )
    rows = []
    for k, (measure, unit) in enumerate(UNITS.items()):
        found = bootstrap_estimate(float(point[k]), drawn[:, k], unit=unit, n=n, level=level)
        ends = {"estimate": found.estimate, "lower": found.lower, "upper": found.upper}
        rows.append({"split": split, "measure": measure} | ends | {"n": n, "method": found.method})
    return rows


def agreement_of(counts: FloatArray, classes: int) -> FloatArray:
    """Share on the diagonal, and Cohen's kappa, of cross tables.

    Parameters
    ----------
    counts : ndarray, shape (tables, classes * classes)
        Cross tables, row by row.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray, shape (tables, 2)
        Kappa is NaN where chance alone agrees fully.
    """
    tables = counts.reshape(-1, classes, classes)
    total = tables.sum(axis=(1, 2))
    same = np.trace(tables, axis1=1, axis2=2) / total
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / total**2
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = np.where(chance < 1, (same - chance) / (1 - chance), math.nan)
    return np.column_stack([same, kappa])


def _each(split: str, counts: np.ndarray) -> pd.DataFrame:
    stayed, size = np.diag(counts)[:-1], counts[:-1, :-1].sum(axis=1)
    lower, upper = wilson_interval(stayed, size)
    with np.errstate(invalid="ignore"):
        share = stayed / np.where(size, size, np.nan)
    return pd.DataFrame(
        {
            "split": split,
            "type": TYPES,
            "customers": size,
            "stayed": stayed,
            "share": share,
            "lower": lower,
            "upper": upper,
            "gone": counts[:-1, -1],
        }
    )


def _sensitivity(types: RelationshipTypes) -> pd.DataFrame:
    """Shares of the types, and of customers that change, when a threshold is moved."""
    limits, rows = types.thresholds, [_moved(types, "", math.nan, types.volume_cut)]
    for factor in CHANGES["volume"]:
        rows.append(_moved(types, "volume", factor, types.volume_cut * factor))
    for shift in CHANGES["loyalty"]:
        if 0 <= limits.loyalty + shift <= 1:
            own = replace(limits, loyalty=limits.loyalty + shift)
            rows.append(_moved(types, "loyalty", shift, types.volume_cut, own))
    return pd.DataFrame(rows)


def _moved(
    types: RelationshipTypes,
    threshold: str,
    change: float,
    cut: float,
    limits: TypeThresholds | None = None,
) -> dict[str, Any]:
    own = limits or types.thresholds
    frame = types.frame
    parts = parts_of(frame["volume"].to_numpy(), frame["loyalty"].to_numpy(), cut, own)
    found = np.array(TYPES)[np.array(TYPE_OF_PART)[parts]]
    return {
        "threshold": threshold or "as chosen",
        "change": change,
        "value": own.loyalty if threshold == "loyalty" else cut,
        "changed": float((found != frame["type"].to_numpy()).mean()),
    } | {name: float((found == name).mean()) for name in TYPES}


def _notes(signs: LoyaltySigns, moves: dict[str, pd.DataFrame]) -> tuple[str, ...]:
    notes = []
    later = moves[OVER_TIME].to_numpy()
    gone, came = int(later[:-1, -1].sum()), int(later[-1, :-1].sum())
    if gone or came:
        notes.append(
            f"{counted(gone, 'customer')} bought nothing in the later half, {came:,} nothing in "
            "the earlier one: they have no type there and are not in the agreement"
        )
    if signs.answers is not None:
        notes.append("periods taken in turn rest on behaviour alone, without answers")
    return tuple(notes)
