"""Item analysis: what every question of a survey is worth, and how respondents used the scale.

Which questions fail, and who answered without reading?  :func:`analyse_items` gives for every item
how many answered, mean, spread, skewness, answers at the ends of the scale, and its correlation
with the rest of its construct; it tells items that run against their construct (asked the other
way round and not turned), and for every respondent how evenly he answered, whether he gave the same
answer throughout, and how often the ends of the scale.

Sources: Nunnally & Bernstein, "Psychometric Theory" (1994), chapter 8 (item-total correlation of
.3 and more); Terwee et al. (J Clin Epidemiol 2007): 15 % at an end is a floor or ceiling effect;
Dunn et al. (J Bus Psychol 2018) on intra-individual variability and Johnson (JRP 2005) on long
runs as marks of careless answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.measurement.answers import Constructs, named_items, read_answers
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray

AT_AN_END = 0.15
"""Share of answers at one end of the scale from which on it is a floor or ceiling effect."""

WEAK = 0.3
"""Item-total correlation below which an item says little of its construct."""

WEAK_REMARK = "weak"
"""Remark on such an item."""

MUCH_UNANSWERED = 0.1
"""Share not answered from which on an item is remarked on."""

STRAIGHT = 6
"""Equal answers, to all items answered, from which on they count as a straight line."""

ALL_ITEMS = "all items"
"""Name of the construct when plain items are given."""


@dataclass(frozen=True, eq=False)
class ItemAnalysis:
    """Items of a survey and how they were answered.

    Attributes
    ----------
    items : DataFrame
        One row an item: construct, item, answered, share_unanswered, mean, sd, skewness,
        share_floor, share_ceiling, item_total (correlation with the mean of the construct's other
        items), low and high end of its interval (item_total_low, item_total_high), remark.
    respondents : DataFrame
        One row a respondent, with the index of the answers: answered, mean, sd, longest_run
        (equal answers in a row), share_extreme (answers at either end), straight_line.
    usage : DataFrame
        One row a point of the scale: answer, answers, share.
    distribution : DataFrame, shape (items, points)
        Share of an item's answers at each point of the scale that anybody chose.
    reversed_items : tuple of str
        Items that run against the rest of their construct.
    low, high : float
        Ends of the scale.
    mean_correlation : float
        Mean correlation of all pairs of items: what any two questions share, whatever they ask.
    level : float
        Confidence level of the intervals.
    notes : tuple of str
        What stands out.
    """

    items: pd.DataFrame
    respondents: pd.DataFrame = field(repr=False)
    usage: pd.DataFrame
    distribution: pd.DataFrame = field(repr=False)
    reversed_items: tuple[str, ...]
    low: float
    high: float
    mean_correlation: float
    level: float
    notes: tuple[str, ...]

    @property
    def straight_liners(self) -> pd.Index:
        """Respondents who gave one and the same answer throughout."""
        return self.respondents.index[self.respondents["straight_line"]]

    def to_frame(self) -> pd.DataFrame:
        """One row an item, as in `items`."""
        return self.items.copy()

    def _repr_html_(self) -> str:
        tables = {"Items": self.items, "Use of the scale": self.usage}
        return report_html("Item analysis", self.notes, tables)


def analyse_items(
    answers: pd.DataFrame,
    constructs_or_items: Constructs | Iterable[str],
    *,
    low: float | None = None,
    high: float | None = None,
    level: float = 0.95,
) -> ItemAnalysis:
    """Analyse the items of a survey as they were answered.

    Parameters
    ----------
    answers : DataFrame
        Numbers, one row a respondent, one column an item, NaN where not answered; in the order in
        which the items were asked, and before reversed items are turned.
    constructs_or_items : mapping of str to sequences of str, or iterable of str
        Items by construct; plain items count as one construct.
    low, high : float, optional
        Ends of the scale; left out, those of the answers.
    level : float
        Confidence level of the intervals of the item-total correlations.

    Raises
    ------
    ValueError
        As :func:`keycustomer.dimensions.read_answers`.
    """
    checked_level(level)
    read = read_answers(answers, constructs_or_items, low=low, high=high)
    constructs = read.constructs or {ALL_ITEMS: named_items(constructs_or_items)[1]}
    ends = read.low, read.high
    table = read.answers
    against = tuple(
        item for items in constructs.values() for item in _against_the_rest(table[list(items)])
    )
    rows = [
        _item(table, construct, items, item, ends, level)
        for construct, items in constructs.items()
        for item in items
    ]
    frame = pd.DataFrame(rows)
    disturbed = set(frame.loc[frame["item"].isin(against), "construct"])
    frame["remark"] = [_remark(row, against, row["construct"] in disturbed) for row in rows]
    respondents = _respondents(table, ends)
    correlations = table.corr().to_numpy()
    pairs = correlations[np.tril_indices(len(correlations), -1)]
    shared = float(np.nanmean(pairs)) if pairs.size else math.nan
    notes = _notes(frame, respondents, against, read.notes)
    return ItemAnalysis(
        frame,
        respondents,
        _usage(table),
        _distribution(table),
        against,
        *ends,
        shared,
        level,
        tuple(notes),
    )


def _item(
    table: pd.DataFrame,
    construct: str,
    items: tuple[str, ...],
    item: str,
    ends: tuple[float, float],
    level: float,
) -> dict[str, object]:
    given = table[item].dropna()
    rest = table[[other for other in items if other != item]].mean(axis=1)
    both = table[item].notna() & rest.notna()
    total = _correlation(table.loc[both, item], rest[both]) if len(items) > 1 else math.nan
    lower, upper = fisher_interval(total, int(both.sum()), level)
    return {
        "construct": construct,
        "item": item,
        "answered": len(given),
        "share_unanswered": 1 - len(given) / len(table),
        "mean": float(given.mean()),
        "sd": float(given.std()),
        "skewness": _skewness(given.to_numpy()),
        "share_floor": float((given == ends[0]).mean()),
        "share_ceiling": float((given == ends[1]).mean()),
        "item_total": total,
        "item_total_low": lower,
        "item_total_high": upper,
    }


def _skewness(values: FloatArray) -> float:
    """Skewness of a sample, adjusted for its size (as in spreadsheets and in pandas)."""
    n = values.size
    if n < 3 or np.ptp(values) == 0:
        return math.nan
    standard = (values - values.mean()) / values.std(ddof=1)
    return float((standard**3).sum() * n / ((n - 1) * (n - 2)))


def _correlation(first: pd.Series, second: pd.Series) -> float:
    if len(first) < 3 or first.std() == 0 or second.std() == 0:
        return math.nan
    return float(np.corrcoef(first, second)[0, 1])


def fisher_interval(correlation: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a correlation by Fisher's transformation.

    Parameters
    ----------
    correlation : float
        Of `n` pairs.
    n : int
        Number of pairs; below 4 there is no interval.
    level : float
        Confidence level.

    Examples
    --------
    >>> low, high = fisher_interval(0.5, 103)
    >>> round(low, 3), round(high, 3)
    (0.339, 0.632)
    """
    if n < 4 or math.isnan(correlation):
        return math.nan, math.nan
    if abs(correlation) >= 1:
        return correlation, correlation
    reach = NormalDist().inv_cdf((1 + level) / 2) / math.sqrt(n - 3)
    centre = math.atanh(correlation)
    return math.tanh(centre - reach), math.tanh(centre + reach)


def _against_the_rest(table: pd.DataFrame) -> list[str]:
    """Items of one construct that run against most of the others, beyond chance."""
    if table.shape[1] < 3:
        return []
    correlations = table.corr().fillna(0.0)
    signs = np.sign(np.linalg.eigh(correlations.to_numpy())[1][:, -1])
    if (signs < 0).sum() > (signs > 0).sum():
        signs = -signs
    turned = (table - table.mean()) * signs
    against = []
    for item, sign in zip(table.columns, signs, strict=True):
        rest = turned.drop(columns=item).mean(axis=1)
        both = table[item].notna() & rest.notna()
        total = _correlation(table.loc[both, item], rest[both])
        if sign < 0 and fisher_interval(total, int(both.sum()))[1] < 0:
            against.append(str(item))
    return against


def _remark(row: dict[str, object], against: tuple[str, ...], disturbed: bool) -> str:
    """Say what is wrong with an item; empty when nothing is.

    In a construct disturbed by an item that runs against it, weakness cannot be told.
    """
    shares = {
        "not answered by many": float(str(row["share_unanswered"])) >= MUCH_UNANSWERED,
        "floor": float(str(row["share_floor"])) >= AT_AN_END,
        "ceiling": float(str(row["share_ceiling"])) >= AT_AN_END,
    }
    remarks = [word for word, holds in shares.items() if holds]
    if row["item"] in against:
        remarks.insert(0, "runs against its construct")
    elif float(str(row["item_total"])) < WEAK and not disturbed:
        remarks.insert(0, WEAK_REMARK)
    return "; ".join(remarks)


def _respondents(table: pd.DataFrame, ends: tuple[float, float]) -> pd.DataFrame:
    answered = table.notna().sum(axis=1)
    extreme = ((table == ends[0]) | (table == ends[1])).sum(axis=1)
    return pd.DataFrame(
        {
            "answered": answered,
            "mean": table.mean(axis=1),
            "sd": table.std(axis=1),
            "longest_run": longest_runs(table),
            "share_extreme": extreme / answered,
            "straight_line": (table.min(axis=1) == table.max(axis=1)) & (answered >= STRAIGHT),
        },
        index=table.index,
    )


def longest_runs(table: pd.DataFrame) -> pd.Series:
    """Count the most equal answers in a row, for every respondent; a hole ends a row.

    Parameters
    ----------
    table : DataFrame
        Answers in the order in which they were asked.

    Examples
    --------
    >>> longest_runs(pd.DataFrame([[4, 4, 4, 2], [1, 2, 3, 3]])).tolist()
    [3, 2]
    """
    values = table.to_numpy(dtype=float)
    run = np.zeros(len(values), dtype=int)
    longest = run.copy()
    before = np.full(len(values), np.nan)
    for column in values.T:
        run = np.where(np.isnan(column), 0, np.where(column == before, run + 1, 1))
        longest = np.maximum(longest, run)
        before = column
    return pd.Series(longest, index=table.index)


def _usage(table: pd.DataFrame) -> pd.DataFrame:
    values = table.to_numpy().ravel()
    points, answers = np.unique(values[~np.isnan(values)], return_counts=True)
    return pd.DataFrame({"answer": points, "answers": answers, "share": answers / answers.sum()})


def _distribution(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of answers by item (rows) and point of the scale (columns)."""
    shares = {item: table[item].value_counts(normalize=True) for item in table.columns}
    return pd.DataFrame(shares).fillna(0.0).sort_index().T


def _notes(
    frame: pd.DataFrame,
    respondents: pd.DataFrame,
    against: tuple[str, ...],
    read: tuple[str, ...],
) -> list[str]:
    straight = int(respondents["straight_line"].sum())
    ceiling = frame[frame["share_ceiling"] >= AT_AN_END]
    floor = frame[frame["share_floor"] >= AT_AN_END]
    weak = frame[frame["remark"].str.startswith(WEAK_REMARK)]
    notes = list(read)
    if against:
        notes.append(
            f"{', '.join(against)} run against their construct: if asked the other way round, "
            f"read the survey with reverse={against!r}"
        )
    if straight:
        notes.append(
            f"{counted(straight, 'respondent')} ({percent(straight / len(respondents))}) gave one "
            "and the same answer throughout"
        )
    for share, name in ((ceiling, "highest"), (floor, "lowest")):
        if len(share):
            notes.append(
                f"{counted(len(share), 'item')} with at least {percent(AT_AN_END, 0)} of the "
                f"answers at the {name} point: differences among those respondents are not seen"
            )
    if len(weak):
        notes.append(f"hardly related to their construct: {', '.join(weak['item'])}")
    return notes
