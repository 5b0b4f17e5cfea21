"""RFM scores and segments: recency, frequency and monetary value, each from 1 to 5.

Who bought lately, often, and much?  :func:`rfm_scores` scores customers, :func:`rfm_segments`
names segments by a table of rules, and :func:`rfm_cover` proves that the rules of a table cover
every combination of scores exactly once.

Equal customers get equal scores.  Scores by quantile borders fail on ties: when half of the
customers ordered once, several borders fall together and whole segments come out empty without
a word.  Here a group of equal customers stands at the middle of the places it fills
(`midrank`), or at the lowest of them (`lowest`: customers with a single order then score 1), or
scores come from fixed thresholds, which mean the same in every base and period.  A score that
no customer has, and a segment without customers, is reported as empty.

Sources: Hughes, "Strategic Database Marketing" (1994); Fader, Hardie & Lee, "RFM and CLV" (JMR
2005).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import product
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from keycustomer.stats import finite_values

Scoring: TypeAlias = Literal["midrank", "lowest"] | Sequence[float]

NEVER_BOUGHT = "never bought"
"""Segment of customers without any order; their scores are 0."""

DIMENSIONS = ("recency", "frequency", "monetary")


@dataclass(frozen=True)
class SegmentRule:
    """A segment: ranges of scores, both ends included, and what to do with it."""

    segment: str
    r: tuple[int, int]
    f: tuple[int, int]
    m: tuple[int, int] = (1, 5)
    advice: str = ""

    def covers(self, r: int, f: int, m: int) -> bool:
        """Whether a cell of scores lies in the segment."""
        ranges = zip((r, f, m), (self.r, self.f, self.m), strict=True)
        return all(low <= score <= high for score, (low, high) in ranges)


RFM_RULES: tuple[SegmentRule, ...] = (
    SegmentRule("champions", (4, 5), (4, 5), (4, 5), "keep them close; ask what they need next"),
    SegmentRule("loyal, small baskets", (4, 5), (4, 5), (1, 3), "widen the range they buy"),
    SegmentRule("loyal, cooling", (3, 3), (4, 5), (1, 5), "get in touch before they drift"),
    SegmentRule("growing", (4, 5), (2, 3), (1, 5), "give a reason for the next order"),
    SegmentRule("new", (5, 5), (1, 1), (1, 5), "welcome; make the second order easy"),
    SegmentRule("promising", (4, 4), (1, 1), (1, 5), "make the second order easy"),
    SegmentRule("undecided", (3, 3), (2, 3), (1, 5), "ask, remind"),
    SegmentRule("fading newcomers", (3, 3), (1, 1), (1, 5), "one reminder"),
    SegmentRule("not to be lost", (1, 2), (4, 5), (4, 5), "a personal call"),
    SegmentRule("slipping away", (1, 2), (4, 5), (1, 3), "win back at low cost"),
    SegmentRule("asleep", (1, 2), (2, 3), (1, 5), "test whether a contact pays"),
    SegmentRule("lost", (1, 2), (1, 1), (1, 5), "no spending beyond automatic mail"),
)
"""Twelve segments of the five by five by five scores; proven complete by `rfm_cover`."""


def rfm_scores(
    table: pd.DataFrame,
    *,
    recency: str | None = None,
    frequency: str = "orders",
    monetary: str = "revenue",
    scoring: Mapping[str, Scoring] | Scoring = "midrank",
    scores: int = 5,
    customer: str = "customer_id",
) -> pd.DataFrame:
    """Score customers on recency, frequency and monetary value; 5 is best.

    Parameters
    ----------
    table : DataFrame
        A customer table.
    recency : str, optional
        Column with days since the last order; left out, `T` less `recency` of the table.
    frequency, monetary : str
        Columns with orders and with value; customers with no order are not scored.
    scoring : {"midrank", "lowest"}, thresholds, or a mapping of them
        How scores are made; a mapping gives it for `recency`, `frequency`, `monetary` (those
        left out by midrank).  Thresholds rise, one less than there are scores: a value gets one
        point, and one more for every threshold it reaches.  For recency, one more for every
        threshold of days it stays within.
    scores : int
        Number of scores.
    customer : str
        Column with the id.

    Returns
    -------
    DataFrame
        `customer_id`, `days_since`, `frequency`, `monetary`, `r`, `f`, `m`, in the order of the
        table; scores are 0 for customers who never bought.  `attrs["empty_scores"]` lists
        scores that no customer has.
    """
    bought = _bought(table, frequency, customer)
    days = _days_since(table, recency)
    columns = {"recency": days, "frequency": table[frequency], "monetary": _column(table, monetary)}
    kinds = scoring if isinstance(scoring, Mapping) else dict.fromkeys(DIMENSIONS, scoring)
    unknown = set(kinds) - set(DIMENSIONS)
    if unknown:
        raise ValueError(f"scoring: {sorted(unknown)} not known; use {', '.join(DIMENSIONS)}")
    result = pd.DataFrame({"customer_id": table[customer].astype(str)})
    names = {"recency": "days_since", "frequency": "frequency", "monetary": "monetary"}
    for dimension, column in columns.items():
        result[names[dimension]] = column.to_numpy()
    for letter, dimension in zip("rfm", DIMENSIONS, strict=True):
        values = finite_values(columns[dimension][bought], dimension)
        scored = _score(values, kinds.get(dimension, "midrank"), scores, dimension)
        result[letter] = 0
        result.loc[bought.to_numpy(), letter] = scored
    result.attrs["empty_scores"] = {
        letter: [s for s in range(1, scores + 1) if not (result[letter] == s).any()]
        for letter in "rfm"
    }
    return result


def _bought(table: pd.DataFrame, frequency: str, customer: str) -> pd.Series:
    _column(table, customer)
    bought = _column(table, frequency) > 0
    if not bought.any():
        raise ValueError(f"no customer has {frequency} above zero: there is nobody to score")
    return bought


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table.columns:
        raise KeyError(
            f"the table has no column {name!r}; it has {', '.join(map(repr, table.columns))}"
        )
    return table[name]


def _days_since(table: pd.DataFrame, recency: str | None) -> pd.Series:
    """Days from the last order to the end of the window."""
    if recency is not None:
        return _column(table, recency)
    return _column(table, "T") - _column(table, "recency")


def _score(values: npt.NDArray, scoring: Scoring, scores: int, dimension: str) -> npt.NDArray:
    sign = -1.0 if dimension == "recency" else 1.0
    if isinstance(scoring, str):
        if scoring not in ("midrank", "lowest"):
            raise ValueError(
                f"scoring of {dimension}={scoring!r} is not known; 'midrank', 'lowest', or "
                f"{scores - 1} thresholds"
            )
        method = "average" if scoring == "midrank" else "min"
        offset = 0.5 if scoring == "midrank" else 1.0
        place = (rankdata(sign * values, method=method) - offset) / values.size
        return np.minimum((place * scores).astype(int), scores - 1) + 1
    borders = np.asarray(scoring, dtype=np.float64)
    if borders.shape != (scores - 1,) or (np.diff(borders) <= 0).any():
        raise ValueError(
            f"thresholds of {dimension} must be {scores - 1} rising numbers for {scores} scores, "
            f"got {list(scoring)}"
        )
    if dimension == "recency":
        return scores - np.searchsorted(borders, values, side="left")
    return 1 + np.searchsorted(borders, values, side="right")


def rfm_cover(rules: Sequence[SegmentRule] = RFM_RULES, scores: int = 5) -> pd.DataFrame:
    """Prove that rules cover every combination of scores exactly once.

    Returns
    -------
    DataFrame
        One row a cell: `r`, `f`, `m`, `segment`.

    Raises
    ------
    ValueError
        When cells belong to no rule or to several, or a segment name is used twice; all such
        cells are counted and the first ones named.
    """
    names = [rule.segment for rule in rules]
    twice = sorted(
        {name for name in names if names.count(name) > 1} | ({NEVER_BOUGHT} & set(names))
    )
    cells = list(product(range(1, scores + 1), repeat=3))
    owners = [[rule.segment for rule in rules if rule.covers(*cell)] for cell in cells]
    missing = [cell for cell, owner in zip(cells, owners, strict=True) if not owner]
    shared = [(cell, owner) for cell, owner in zip(cells, owners, strict=True) if len(owner) > 1]
    complaints = [
        *([f"{len(missing)} cells belong to no segment, first {missing[:3]}"] if missing else []),
        *([f"{len(shared)} cells belong to several, first {shared[:3]}"] if shared else []),
        *([f"segment names used twice: {', '.join(twice)}"] if twice else []),
    ]
    if complaints:
        raise ValueError(f"the segment rules (cells r, f, m): {'; '.join(complaints)}")
    frame = pd.DataFrame(cells, columns=["r", "f", "m"])
    return frame.assign(segment=[owner[0] for owner in owners])


@dataclass(frozen=True)
class RfmSegments:
    """Customers by RFM segment.

    Attributes
    ----------
    customers : DataFrame
        The scores with a column `segment`.
    summary : DataFrame
        One row a segment of the rules, empty ones included, and `never bought` where there are
        such customers: `segment`, `customers`, `customer_share`, `value`, `value_share`,
        `advice`.
    cells : DataFrame
        Customers, value and segments by `r` and `f`, empty cells included.
    empty : tuple of str
        Segments without customers.
    rules : tuple of SegmentRule
        The rules of the segments.
    """

    customers: pd.DataFrame = field(repr=False)
    summary: pd.DataFrame
    cells: pd.DataFrame = field(repr=False)
    empty: tuple[str, ...]
    rules: tuple[SegmentRule, ...] = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Give the customers with scores and segment."""
        return self.customers.copy()

    def _repr_html_(self) -> str:
        table = self.summary.to_html(index=False, na_rep="", float_format=lambda v: f"{v:,.4g}")
        empty = f"<p>Empty: {escape(', '.join(self.empty))}.</p>" if self.empty else ""
        return table + empty


def rfm_segments(
    scored: pd.DataFrame, rules: Sequence[SegmentRule] = RFM_RULES, *, scores: int = 5
) -> RfmSegments:
    """Name the segment of every customer.

    Parameters
    ----------
    scored : DataFrame
        From :func:`rfm_scores`.
    rules : sequence of SegmentRule
        Must cover every cell once; checked by :func:`rfm_cover`.
    scores : int
        Number of scores.
    """
    cover = rfm_cover(rules, scores)
    outside = ~scored[["r", "f", "m"]].isin(range(scores + 1)).all(axis=1)
    if outside.any():
        raise ValueError(
            f"{outside.sum():,} customers have scores outside 1 to {scores}; score with "
            f"rfm_scores(..., scores={scores})"
        )
    order = [*(rule.segment for rule in rules), NEVER_BOUGHT]
    customers = scored.merge(cover, on=["r", "f", "m"], how="left", validate="many_to_one")
    customers["segment"] = pd.Categorical(customers["segment"].fillna(NEVER_BOUGHT), order)
    summary = _segment_summary(customers, {rule.segment: rule.advice for rule in rules})
    empty = tuple(summary.loc[summary["customers"] == 0, "segment"])
    return RfmSegments(customers, summary, _cells(customers, scores), empty, tuple(rules))


def _segment_summary(customers: pd.DataFrame, advice: Mapping[str, str]) -> pd.DataFrame:
    grouped = customers.groupby("segment", observed=False)["monetary"]
    summary = grouped.agg(customers="size", value="sum").reset_index()
    total = summary["value"].sum()
    summary.insert(2, "customer_share", summary["customers"] / len(customers))
    summary["value_share"] = summary["value"] / total if total > 0 else np.nan
    summary["segment"] = summary["segment"].astype(str)
    summary["advice"] = summary["segment"].map(advice).fillna("")
    never = (summary["segment"] == NEVER_BOUGHT) & (summary["customers"] == 0)
    return summary[~never].reset_index(drop=True)


def _cells(customers: pd.DataFrame, scores: int) -> pd.DataFrame:
    bought = customers[customers["r"] > 0]
    grouped = bought.groupby(["r", "f"])["monetary"].agg(customers="size", value="sum")
    every = pd.MultiIndex.from_product([range(1, scores + 1)] * 2, names=["r", "f"])
    return grouped.reindex(every, fill_value=0).reset_index()
