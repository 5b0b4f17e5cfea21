"""Customer value as one number: benefits over sacrifices, or benefits less sacrifices.

Monroe (1990) takes value as the ratio of perceived benefits to perceived sacrifices, Kotler as
the difference of total value and total cost.  :func:`value_indices` gives both for every
respondent, with the reliability of each.  Which predicts loyalty better, and what the ratio owes to
the origin of the scale, is answered in
:mod:`keycustomer.dimensions.measurement.value_comparison`.

Sources: Monroe, "Pricing: Making Profitable Decisions" (1990); Kotler & Keller, "Marketing
Management" (2016), chapter 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.measurement.answers import named_items
from keycustomer.dimensions.measurement.complete import Missing, complete_answers
from keycustomer.dimensions.measurement.value_reliability import (
    INDICES,
    Groups,
    index_reliability,
)
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

Parts: TypeAlias = Mapping[str, Sequence[str]] | Iterable[str]

DECIMALS = 12
"""Decimals of an index, so that equal customers stay equal however the scale is counted."""

DRAWS = 1000
"""Resamples of respondents for the intervals."""


@dataclass(frozen=True, eq=False)
class ValueIndices:
    """Perceived value of every respondent, as a ratio and as a difference.

    Attributes
    ----------
    frame : DataFrame
        One row a respondent, with the index of the answers: benefits and sacrifices (mean
        answers, points of the scale less `origin`), ratio (benefits over sacrifices, NaN where
        the sacrifices are not above 0) and difference (benefits less sacrifices, points).
    dimensions : DataFrame
        One row a respondent: mean answer by dimension of benefits and of sacrifices.
    reliability : dict of str to Estimate
        By index: share of its variance that is not error of measurement.
    correlation : float
        Rank correlation of ratio and difference.
    origin : float
        What was taken from every answer: where the scale is counted from.
    undefined : int
        Respondents without a ratio.
    excluded : int
        Respondents left out for missing answers.
    notes : tuple of str
        What the reader should know of it.
    """

    frame: pd.DataFrame = field(repr=False)
    dimensions: pd.DataFrame = field(repr=False)
    reliability: dict[str, Estimate]
    correlation: float
    origin: float
    undefined: int
    excluded: int
    notes: tuple[str, ...]

    @property
    def respondents(self) -> int:
        """Number of respondents."""
        return len(self.frame)

    def to_frame(self) -> pd.DataFrame:
        """One row an index: index, mean, sd, reliability with its interval."""
        return pd.DataFrame(
            {
                "index": list(INDICES),
                "mean": [self.frame[name].mean() for name in INDICES],
                "sd": [self.frame[name].std() for name in INDICES],
                "reliability": [self.reliability[name].estimate for name in INDICES],
                "reliability_low": [self.reliability[name].lower for name in INDICES],
                "reliability_high": [self.reliability[name].upper for name in INDICES],
            }
        )

    def _repr_html_(self) -> str:
        said = [
            f"{counted(self.respondents, 'respondent')}; ratio and difference order them with a "
            f"rank correlation of {self.correlation:.3f}",
            *self.notes,
        ]
        return report_html("Perceived value", said, {"Indices": self.to_frame()})


def value_indices(
    answers: pd.DataFrame,
    benefits: Parts,
    sacrifices: Parts,
    *,
    origin: float = 0.0,
    missing: Missing = "listwise",
    draws: int = DRAWS,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> ValueIndices:
    """Value as perceived by every respondent: Monroe's ratio and Kotler's difference.

    Parameters
    ----------
    answers : DataFrame
        Numbers on one scale, one row a respondent, one column an item, NaN where not answered;
        high answers mean much benefit, and much sacrifice.
    benefits, sacrifices : mapping of str to sequences of str, or iterable of str
        Items by dimension; every dimension counts alike.  Plain items are one dimension.
    origin : float
        Taken from every answer first: with 1, a scale from 1 to 7 is counted from 0 to 6.
    missing : {"listwise", "mean"}
        Leave respondents with missing answers out, or let the item's mean stand for them.
    draws, seed, level
        Of the bootstrap of respondents for the intervals of the reliabilities.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Returns
    -------
    ValueIndices

    Raises
    ------
    ValueError
        When items are named twice, are constant or hold no numbers, when there are too few
        respondents, or fewer than ten have a ratio.
    """
    parts = _parts(benefits, sacrifices)
    items = [item for side in parts for names in side.values() for item in names]
    complete = complete_answers(answers, items, missing=missing)
    values = complete.whole.to_numpy()
    groups = _groups(parts)
    means = [np.stack([values[:, g].mean(axis=1) for g in side], axis=1) for side in groups]
    sides = [side.mean(axis=1) for side in means]
    frame = both_indices(sides[0], sides[1], origin, complete.frame.index)
    defined = frame["ratio"].notna().to_numpy()
    _refuse_undefined(defined, origin)
    names = [f"{name}" for side in parts for name in side]
    dimensions = pd.DataFrame(np.hstack(means), index=frame.index, columns=names)
    reliability = index_reliability(
        values[defined] - origin, *groups, draws=draws, seed=seed, level=level, progress=progress
    )
    undefined = int((~defined).sum())
    return ValueIndices(
        frame,
        dimensions,
        reliability,
        rank_correlation(frame["ratio"], frame["difference"]),
        origin,
        undefined,
        complete.excluded,
        tuple([*complete.notes, *_notes(reliability, undefined)]),
    )


def _parts(benefits: Parts, sacrifices: Parts) -> tuple[dict[str, tuple[str, ...]], ...]:
    """Dimensions of both sides; plain items are one dimension."""
    sides = []
    for name, given in (("benefits", benefits), ("sacrifices", sacrifices)):
        constructs, items = named_items(given)
        dimensions = constructs or {name: items}
        empty = [dimension for dimension, items in dimensions.items() if not items]
        if empty:
            raise ValueError(f"{name}: no items are given for {', '.join(map(repr, empty))}")
        sides.append(dimensions)
    same = sorted(set(sides[0]) & set(sides[1]))
    if same:
        raise ValueError(f"benefits and sacrifices share the name {', '.join(map(repr, same))}")
    return tuple(sides)


def _groups(parts: tuple[dict[str, tuple[str, ...]], ...]) -> tuple[Groups, Groups]:
    """Columns of every dimension, for benefits and for sacrifices."""
    sides: list[Groups] = []
    start = 0
    for side in parts:
        groups = []
        for items in side.values():
            groups.append(np.arange(start, start + len(items), dtype=np.int64))
            start += len(items)
        sides.append(groups)
    return sides[0], sides[1]


def both_indices(
    benefits: FloatArray, sacrifices: FloatArray, origin: float, index: pd.Index
) -> pd.DataFrame:
    """Give benefits, sacrifices, their ratio (NaN unless sacrifices are above 0), difference.

    Parameters
    ----------
    benefits, sacrifices : array, shape (respondents,)
        Mean answers as they were given.
    origin : float
        Taken from both first.
    index : Index
        Names of the respondents.
    """
    above, below = benefits - origin, sacrifices - origin
    ratio = np.full(len(above), np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    difference = np.round(benefits - sacrifices, DECIMALS)
    columns = (above, below, np.round(ratio, DECIMALS), difference)
    return pd.DataFrame(dict(zip(INDICES, columns, strict=True)), index=index)


def _refuse_undefined(defined: npt.NDArray[np.bool_], origin: float) -> None:
    if defined.sum() >= 10:
        return
    raise ValueError(
        f"origin={origin:g}: only {int(defined.sum()):,} of {defined.size:,} respondents have "
        "sacrifices above 0, so there is no ratio; count the scale from a lower origin"
    )


def rank_correlation(first: pd.Series, second: pd.Series) -> float:
    """Spearman's correlation of what both series know.

    Parameters
    ----------
    first, second : Series
        Values of the same respondents.
    """
    both = first.notna() & second.notna()
    ranks = first[both].rank(), second[both].rank()
    if any(rank.std() == 0 for rank in ranks):
        return math.nan
    return float(np.corrcoef(*ranks)[0, 1])


def _notes(reliability: dict[str, Estimate], undefined: int) -> list[str]:
    notes = []
    if undefined:
        notes.append(
            f"{counted(undefined, 'respondent')} without a ratio: their sacrifices are not above 0"
        )
    doubtful = {name: e.method for name, e in reliability.items() if math.isnan(e.estimate)}
    for why in dict.fromkeys(doubtful.values()):
        which = ", ".join(name for name, told in doubtful.items() if told == why)
        notes.append(f"no reliability of {which}: {why.removeprefix('no interval: ')}")
    return notes
