"""Dominance of drivers: how strictly one driver is more important than another.

Is this driver ahead of that one on the average only, or in every company of other drivers?
:func:`dominance_levels` compares each pair in three ways (Azen & Budescu): a driver *generally*
dominates another when its average contribution is larger (that is LMG), *conditionally* when its
mean contribution is larger among subsets of every size, *completely* when it adds more to every
subset that holds neither.  Each kind implies the one before it.  How often the resamples repeat
the verdict is its reproducibility.

Sources: Budescu, Psychological Bulletin 114, 1993; Azen & Budescu, Psychological Methods 8, 2003.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.drivers.importance import LMG_DRIVERS
from keycustomer.dimensions.drivers.scores import (
    Drivers,
    Missing,
    Outcome,
    WeightedMoments,
    read_persons,
    read_scores,
)
from keycustomer.dimensions.drivers.subsets import (
    CELLS,
    ROUNDING,
    split_by_size,
    split_over_drivers,
    subset_r2,
)
from keycustomer.stats import bootstrap
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

KINDS = ("general", "conditional", "complete")
"""Kinds of dominance, each stricter than the one before."""


@dataclass(frozen=True, eq=False)
class Dominance:
    """Dominance of each pair of drivers.

    Attributes
    ----------
    outcome : str
        What is driven.
    drivers : tuple of str
        The drivers, in the order given.
    respondents : int
        Respondents used.
    pairs : DataFrame
        One row a pair, the one ahead on the average first: `driver`, `other`, `kind` (the
        strictest that holds: "complete", "conditional" or "general"), `subsets` and
        `subsets_ahead` (subsets with neither, and those to which the driver adds more),
        `general_share`, `conditional_share`, `complete_share` (resamples that repeat each kind).
    by_size : DataFrame
        Mean contribution by driver (row) and number of drivers already there (column); the mean
        of a row is LMG.
    notes : tuple of str
        What a reader must know.
    """

    outcome: str
    drivers: tuple[str, ...]
    respondents: int
    pairs: pd.DataFrame
    by_size: pd.DataFrame
    notes: tuple[str, ...] = field(default=())

    def to_frame(self) -> pd.DataFrame:
        """Return the table of the pairs."""
        return self.pairs.copy()

    def _repr_html_(self) -> str:
        found = self.pairs["kind"].value_counts()
        said = ", ".join(f"{found.get(kind, 0)} {kind}" for kind in reversed(KINDS))
        sentence = (
            f"{counted(len(self.pairs), 'pair')} of drivers of {self.outcome}, by the strictest "
            f"dominance that holds: {said}."
        )
        tables = {"Pairs": self.pairs, "Mean contribution by size of company": self._sized()}
        return report_html("Dominance", [sentence, *self.notes], tables)

    def _sized(self) -> pd.DataFrame:
        return self.by_size.round(4).astype(str).reset_index()


def dominance_levels(
    answers: pd.DataFrame,
    outcome: Outcome,
    drivers: Drivers,
    *,
    missing: Missing = "listwise",
    respondent: str | None = None,
    draws: int = 500,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> Dominance:
    """Compare each pair of drivers over all subsets of the others.

    Parameters
    ----------
    answers, outcome, drivers, missing, respondent
        As in :func:`~keycustomer.dimensions.drivers.importance.relative_importance`; at least two
        and at most 15 drivers.
    draws, seed
        Bootstrap of respondents for the reproducibility.
    progress : callable, optional
        Called as ``progress(done, draws)`` when the work takes more than two seconds.

    Returns
    -------
    Dominance

    Raises
    ------
    ValueError
        As `relative_importance`, and for one driver or more than 15.
    """
    scores = read_scores(answers, outcome, drivers, missing=missing)
    if not 2 <= len(scores.drivers) <= LMG_DRIVERS:
        raise ValueError(
            f"{counted(len(scores.drivers), 'driver')}: dominance compares 2 to {LMG_DRIVERS}; "
            "take constructs in place of items where there are more"
        )
    persons = read_persons(answers, respondent, scores.rows)
    moments = WeightedMoments(scores.values)
    pairs = list(combinations(range(len(scores.drivers)), 2))

    def statistics(weights: FloatArray) -> FloatArray:
        return _verdicts(moments(persons.spread(weights)).correlations, pairs)

    cloud = bootstrap(statistics, np.ones(persons.count), draws=draws, seed=seed, progress=progress)
    r2 = subset_r2(moments.plain().correlations)
    found = _verdicts(moments.plain().correlations, pairs)[0]
    rows = [
        _row(scores.drivers, pair, found[3 * n : 3 * n + 3], cloud[:, 3 * n : 3 * n + 3], r2)
        for n, pair in enumerate(pairs)
    ]
    table = pd.DataFrame(rows)
    order = np.argsort(-table["difference"].to_numpy(), kind="stable")
    by_size = pd.DataFrame(split_by_size(r2)[0], index=pd.Index(scores.drivers, name="driver"))
    table = table.iloc[order].drop(columns="difference").reset_index(drop=True)
    notes = (*scores.notes, *persons.notes())
    return Dominance(scores.outcome, scores.drivers, scores.respondents, table, by_size, notes)


def _verdicts(correlations: FloatArray, pairs: list[tuple[int, int]]) -> FloatArray:
    """Verdict by pair and kind: 1 the first dominates, -1 the second, 0 neither."""
    p = correlations.shape[-1] - 1
    rows = max(CELLS >> p, 1)
    parts = [
        _verdicts_of(subset_r2(correlations[start : start + rows]), pairs)
        for start in range(0, len(correlations), rows)
    ]
    return np.concatenate(parts)


def _verdicts_of(r2: FloatArray, pairs: list[tuple[int, int]]) -> FloatArray:
    importance, sized = split_over_drivers(r2), split_by_size(r2)
    columns: list[FloatArray] = []
    for one, two in pairs:
        ahead = _advantage(r2, one, two)
        columns.append(_sign(importance[:, [one]] - importance[:, [two]]))
        columns.append(_sign(sized[:, one] - sized[:, two]))
        columns.append(_sign(ahead.T))
    return np.stack(columns, axis=1)


def _advantage(r2: FloatArray, one: int, two: int) -> FloatArray:
    """Compare what two add to each subset with neither, shape (subsets, draws)."""
    subsets = np.arange(len(r2))
    neither = subsets[(subsets >> one & 1) + (subsets >> two & 1) == 0]
    return np.asarray(r2[neither | 1 << one] - r2[neither | 1 << two])


def _sign(advantages: FloatArray) -> FloatArray:
    """1 where all in a row are positive, -1 where all are negative, 0 otherwise."""
    above, below = (advantages > ROUNDING), (advantages < -ROUNDING)
    # a subset to which both add the same speaks against neither
    first = above.any(axis=1) & ~below.any(axis=1)
    second = below.any(axis=1) & ~above.any(axis=1)
    return first.astype(float) - second.astype(float)


def _row(
    drivers: tuple[str, ...],
    pair: tuple[int, int],
    found: FloatArray,
    cloud: FloatArray,
    r2: FloatArray,
) -> dict[str, object]:
    importance = split_over_drivers(r2)[0]
    one, two = pair if importance[pair[0]] >= importance[pair[1]] else pair[::-1]
    direction = 1 if one == pair[0] else -1
    ahead = _advantage(r2, one, two)[:, 0]
    return {
        "driver": drivers[one],
        "other": drivers[two],
        "kind": list(_strictest(found * direction))[-1],
        "subsets": len(ahead),
        "subsets_ahead": int((ahead > ROUNDING).sum()),
        "difference": importance[one] - importance[two],
    } | {f"{kind}_share": float((cloud[:, k] == direction).mean()) for k, kind in enumerate(KINDS)}


def _strictest(found: FloatArray) -> Iterator[str]:
    yield "none"
    yield from (kind for kind, verdict in zip(KINDS, found, strict=True) if verdict == 1)
