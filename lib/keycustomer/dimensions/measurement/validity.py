"""Discriminant validity: whether two constructs are two, or one under two names.

Items of different constructs should correlate less than items of the same.
:func:`heterotrait_monotrait` compares the two as a ratio: `HTMT` by arithmetic means of the
correlations (taken without sign), `HTMT2` by geometric means, which is consistent also where
items' loadings differ.  A ratio near one says that the constructs cannot be told apart; the
bootstrap interval says whether a ratio below the threshold is more than luck.  Correlations taken
without sign cannot fall below zero, so that draws of a ratio near zero lie above it: where the
correlations between two constructs may as well be zero, the interval begins at zero.
:func:`fornell_larcker` asks whether a construct's items share more variance with it (AVE) than
any other construct does; it finds trouble less reliably.

Sources: Henseler, Ringle & Sarstedt, "A new criterion for assessing discriminant validity"
(Journal of the Academy of Marketing Science 2015); Roemer, Schuberth & Henseler, "HTMT2: an
improved criterion" (Industrial Management & Data Systems 2021); Fornell & Larcker (Journal of
Marketing Research 1981).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, combinations
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.measurement.answers import Constructs, construct_items
from keycustomer.dimensions.measurement.complete import Missing, complete_answers
from keycustomer.dimensions.measurement.intervals import (
    drawn_estimate,
    interval_table,
    readable,
)
from keycustomer.dimensions.measurement.moments import (
    ItemMoments,
    correlations_of,
)
from keycustomer.stats import Estimate, bootstrap, percentile_interval, share_of
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

Ratio: TypeAlias = Literal["HTMT", "HTMT2"]
Blocks: TypeAlias = dict[str, list[int]]

RATIOS: tuple[Ratio, ...] = ("HTMT", "HTMT2")
"""Arithmetic or geometric means of the correlations."""

DISTINCT = 0.9
"""Ratio below which two constructs count as two (Henseler et al. 2015; .85 is stricter)."""


@dataclass(frozen=True, eq=False)
class TraitRatios:
    """HTMT or HTMT2 of every pair of constructs.

    Attributes
    ----------
    kind : {"HTMT", "HTMT2"}
        Which means of the correlations were taken.
    pairs : DataFrame
        construct, other, estimate, lower, upper, standard_error, n, method, verdict: `distinct`
        (interval below the threshold), `not distinct` (above it), `undecided`.
    constructs : tuple of str
        Constructs in the order given.
    threshold : float
        Ratio below which two constructs count as two.
    respondents : int
        Number of respondents.
    notes : tuple of str
        Missing answers, single items, items that correlate the wrong way.
    """

    kind: Ratio
    pairs: pd.DataFrame
    constructs: tuple[str, ...]
    threshold: float
    respondents: int
    notes: tuple[str, ...] = field(default=())

    @property
    def matrix(self) -> pd.DataFrame:
        """Ratios as a square, one on the diagonal."""
        square = pd.DataFrame(
            np.eye(len(self.constructs)), index=self.constructs, columns=self.constructs
        )
        for row in self.pairs.to_dict("records"):
            square.loc[row["construct"], row["other"]] = row["estimate"]
            square.loc[row["other"], row["construct"]] = row["estimate"]
        return square

    @property
    def doubtful(self) -> pd.DataFrame:
        """Pairs that are not shown to be distinct, the closest first."""
        rows = self.pairs[self.pairs["verdict"] != "distinct"]
        return rows.sort_values("estimate", ascending=False, ignore_index=True)

    def estimates(self) -> list[tuple[str, str, Estimate]]:
        """Rows of (measure, group, estimate), the group `A~B`."""
        return [
            (
                self.kind.lower(),
                f"{row['construct']}~{row['other']}",
                Estimate(
                    row["estimate"],
                    row["lower"],
                    row["upper"],
                    "ratio of correlations",
                    row["n"],
                    row["method"],
                ),
            )
            for row in self.pairs.to_dict("records")
        ]

    def to_frame(self) -> pd.DataFrame:
        """One row a pair of constructs."""
        return self.pairs.copy()

    def _repr_html_(self) -> str:
        said = (
            f"{counted(len(self.doubtful), 'pair')} of {len(self.pairs)} not shown to be distinct "
            f"({self.kind} below {self.threshold:g} with its interval)"
        )
        return report_html(
            "Discriminant validity", [said, *self.notes], {self.kind: readable(self.pairs)}
        )


@dataclass(frozen=True, eq=False)
class FornellLarcker:
    """AVE of constructs against their squared correlations.

    Attributes
    ----------
    pairs : DataFrame
        construct, other, correlation, squared, ave, other_ave, margin (the smaller AVE less the
        squared correlation) with lower and upper where there are draws, holds: whether the margin
        is above zero.
    table : DataFrame, shape (constructs, constructs)
        Correlations below the diagonal, square root of AVE on it, NaN above.
    notes : tuple of str
        Constructs without AVE, which are not judged.
    """

    pairs: pd.DataFrame
    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every pair that can be judged passes."""
        return bool(self.pairs["holds"].all())

    def to_frame(self) -> pd.DataFrame:
        """One row a pair of constructs."""
        return self.pairs.copy()

    def _repr_html_(self) -> str:
        failing = self.pairs[~self.pairs["holds"]]
        said = f"{len(failing)} of {counted(len(self.pairs), 'pair')} share more than the AVE"
        shown = self.table.reset_index(names="construct")
        return report_html(
            "Fornell-Larcker criterion",
            [said, *self.notes],
            {"Roots of AVE": readable(shown), "Pairs": readable(self.pairs)},
        )


def heterotrait_monotrait(
    constructs: Constructs,
    answers: pd.DataFrame,
    *,
    kind: Ratio = "HTMT2",
    threshold: float = DISTINCT,
    missing: Missing = "listwise",
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> TraitRatios:
    """Compare correlations between constructs' items with those within.

    Parameters
    ----------
    constructs : mapping of str to sequences of str
        Construct -> its items; at least two constructs.
    answers : DataFrame
        One row a respondent, one column an item, NaN where not answered.
    kind : {"HTMT2", "HTMT"}
        Geometric or arithmetic means.
    threshold : float
        Ratio below which two constructs count as two.
    missing : {"listwise", "mean"}
        What is done about answers not given.
    draws, seed, level, progress
        Bootstrap of respondents, as in :func:`keycustomer.stats.bootstrap`; the intervals are
        percentile intervals, from zero on where the interval of the mean correlation between the
        two constructs, taken with its sign, holds zero.

    Raises
    ------
    ValueError
        When a name is unknown, there is one construct only, or items cannot be measured with.
    """
    if kind not in RATIOS:
        raise ValueError(f"kind={kind!r}: choose one of {', '.join(map(repr, RATIOS))}")
    share_of(threshold, "threshold")
    named = construct_items(constructs)
    if len(named) < 2:
        raise ValueError(
            f"discriminant validity needs at least two constructs, got {', '.join(named)}"
        )
    given = complete_answers(answers, chain(*named.values()), missing=missing)
    blocks = {name: [given.items.index(item) for item in own] for name, own in named.items()}
    moments = ItemMoments(given.values)
    whole = correlations_of(moments.sample()[1])
    point = trait_ratios(whole, blocks, kind)[0]

    def statistics(counts: FloatArray) -> FloatArray:
        drawn = correlations_of(moments.weighted(counts)[1])
        return np.hstack([trait_ratios(drawn, blocks, kind), _signed_means(drawn, blocks)])

    cloud = bootstrap(
        statistics, np.ones(given.respondents), draws=draws, seed=seed, progress=progress
    )
    drawn, signed = np.hsplit(cloud, 2)
    labels = pd.DataFrame(list(combinations(named, 2)), columns=["construct", "other"])
    estimates = [
        _held(
            drawn_estimate(
                float(ratio), own, unit="ratio of correlations", n=given.respondents, level=level
            ),
            means,
        )
        for ratio, own, means in zip(point, drawn.T, signed.T, strict=True)
    ]
    pairs = interval_table(labels, estimates, drawn)
    pairs["verdict"] = [_verdict(own, threshold) for own in estimates]
    notes = (*given.notes, *_notes(whole[0], blocks, given.items))
    return TraitRatios(kind, pairs, tuple(named), threshold, given.respondents, notes)


def _held(ratio: Estimate, means: FloatArray) -> Estimate:
    """Let the interval reach zero where the correlations may be, and hold the ratio itself."""
    if np.isnan(ratio.lower):
        return ratio
    lower, upper = percentile_interval(means, ratio.level)
    least = ratio.lower if lower > 0 or upper < 0 else 0.0
    return replace(ratio, lower=min(least, ratio.estimate), upper=max(ratio.upper, ratio.estimate))


def _signed_means(correlations: FloatArray, blocks: Blocks) -> FloatArray:
    """Mean correlation between the items of every pair of blocks with its sign, over a stack."""
    columns = [
        correlations[:, blocks[a]][:, :, blocks[b]].mean(axis=(1, 2))
        for a, b in combinations(blocks, 2)
    ]
    return np.stack(columns, axis=1)


def _verdict(ratio: Estimate, threshold: float) -> str:
    if ratio.upper < threshold:
        return "distinct"
    return "not distinct" if ratio.lower >= threshold else "undecided"


def trait_ratios(correlations: FloatArray, blocks: Blocks, kind: Ratio) -> FloatArray:
    """HTMT or HTMT2 of every pair of blocks, over a stack.

    Parameters
    ----------
    correlations : array, shape (draws, items, items)
    blocks : dict of str to list of int
        Positions of each construct's items.
    kind : {"HTMT", "HTMT2"}

    Returns
    -------
    ndarray, shape (draws, pairs)
        Pairs in the order of `itertools.combinations`.  A single item has no correlations within:
        one takes their place.
    """
    sizes = np.abs(correlations)
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.log(sizes) if kind == "HTMT2" else sizes
        within = {name: _within(shown, block, kind) for name, block in blocks.items()}
        columns = []
        for a, b in combinations(blocks, 2):
            between = shown[:, blocks[a]][:, :, blocks[b]].mean(axis=(1, 2))
            between = np.exp(between) if kind == "HTMT2" else between
            columns.append(between / np.sqrt(within[a] * within[b]))
    return np.stack(columns, axis=1)


def _within(shown: FloatArray, block: list[int], kind: Ratio) -> FloatArray:
    """Mean correlation of a construct's items, one for a single item."""
    if len(block) < 2:
        return np.ones(len(shown))
    rows, columns = (np.array(block)[part] for part in np.tril_indices(len(block), -1))
    mean = shown[:, rows, columns].mean(axis=1)
    return np.exp(mean) if kind == "HTMT2" else mean


def _notes(correlations: FloatArray, blocks: Blocks, items: tuple[str, ...]) -> list[str]:
    single = [name for name, block in blocks.items() if len(block) == 1]
    notes = []
    if single:
        notes.append(
            f"a single item counts as measured without error: {', '.join(single)}; ratios with it "
            "come out too small"
        )
    for name, block in blocks.items():
        own = correlations[np.ix_(block, block)]
        wrong = [items[block[at]] for at in range(len(block)) if own[at].sum() < 1]
        if wrong:
            notes.append(
                f"{', '.join(wrong)} correlates negatively with the other items of {name}: asked "
                "the other way round?"
            )
    return notes


def fornell_larcker(
    ave: pd.Series, correlations: pd.DataFrame, *, margins: FloatArray | None = None, n: int = 0
) -> FornellLarcker:
    """Compare what constructs share with their items and with each other.

    Parameters
    ----------
    ave : Series
        Average variance extracted by construct; NaN for constructs without, which are not judged.
    correlations : DataFrame, shape (constructs, constructs)
        Correlations of the constructs.
    margins : array, shape (draws, pairs), optional
        Bootstrap draws of the margins, pairs in the order of `itertools.combinations`.
    n : int
        Number of respondents, for the draws.

    Raises
    ------
    ValueError
        When the constructs of the two differ.
    """
    names = list(correlations.columns)
    if set(names) != set(ave.index) or list(correlations.index) != names:
        raise ValueError(
            f"ave is of {list(ave.index)}, correlations of {list(correlations.index)} by {names}: "
            "the same constructs are needed"
        )
    rows = []
    for at, (a, b) in enumerate(combinations(names, 2)):
        r = float(correlations.loc[a, b])  # type: ignore[arg-type]
        own, other = float(ave[a]), float(ave[b])
        margin = min(own, other) - r * r
        if not np.isnan([own, other]).any():
            drawn = margins[:, at] if margins is not None else np.empty(0)
            ends = drawn_estimate(margin, drawn, unit="share of variance", n=n)
            rows.append((a, b, r, r * r, own, other, margin, ends.lower, ends.upper, margin > 0))
    columns = ["construct", "other", "correlation", "squared", "ave", "other_ave"]
    columns += ["margin", "lower", "upper", "holds"]
    square = correlations.to_numpy(float).copy()
    square[np.triu_indices(len(names))] = np.nan
    np.fill_diagonal(square, np.sqrt(ave.reindex(names)))
    unjudged = [str(name) for name in names if np.isnan(ave[name])]
    notes = (f"without AVE, not judged: {', '.join(unjudged)}",) if unjudged else ()
    pairs = pd.DataFrame(rows, columns=columns).astype({"holds": bool})
    return FornellLarcker(pairs, pd.DataFrame(square, index=names, columns=names), notes)
