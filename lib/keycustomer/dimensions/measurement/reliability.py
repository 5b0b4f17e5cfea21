"""Reliability: how much of a construct's score is the construct, and not noise of its items.

:func:`measure_reliability` gives, with intervals, for every construct

- `alpha`, Cronbach's alpha of the items as answered (raw), and `alpha_standardised`, of the items
  brought to one variance; both are lower bounds where loadings differ;
- `omega`, the share of the summed items' variance that one common factor makes (McDonald), and
  `composite_reliability` (rho_C), the same for standardised items;
- `ave`, average variance extracted: the share of the items' own variances that the factor makes.

Omega, composite reliability and AVE need loadings.  ``factors="each"`` fits a factor to each
construct alone; ``factors="joint"`` takes the loadings of one confirmatory factor model of all
constructs (`fit_cfa`), as lavaan's users do, and then refuses when that model is not admissible.
rho_A belongs to the weights of a path model: `PlsFit.reliability`.

Sources: Cronbach (Psychometrika 1951); McDonald, "Test Theory" (1999), chapter 6; Fornell & Larcker
(Journal of Marketing Research 1981); Kelley & Pornprasertmanit, "Confidence intervals for
population reliability coefficients" (Psychological Methods 2016), for the bootstrap of omega.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.measurement.answers import Constructs, construct_items
from keycustomer.dimensions.measurement.coefficients import (
    average_variance_extracted,
    composite_reliability,
    cronbach_alpha,
)
from keycustomer.dimensions.measurement.complete import CompleteAnswers, Missing, complete_answers
from keycustomer.dimensions.measurement.factor_loadings import FactorLoadings, FactorModel
from keycustomer.dimensions.measurement.intervals import (
    drawn_estimate,
    interval_table,
    readable,
)
from keycustomer.dimensions.measurement.moments import (
    ItemMoments,
    collinear_item,
    correlations_of,
)
from keycustomer.stats import Estimate, bootstrap
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

MEASURES = ("alpha", "alpha_standardised", "omega", "composite_reliability", "ave")
"""Measures of reliability, in the order of the table."""

UNITS = {name: "share of the score's variance" for name in MEASURES} | {
    "ave": "share of the items' variance"
}

"""Units by measure."""

OF_FACTORS = ("omega", "composite_reliability", "ave")
"""Measures that need loadings."""

SINGLE = "one item, whose reliability its answers cannot tell"

Factors: TypeAlias = Literal["each", "joint"]

Blocks: TypeAlias = dict[str, list[int]]

FACTORS: tuple[Factors, ...] = ("each", "joint")
"""A factor model of each construct alone, or one of all."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """Reliability of constructs, with intervals.

    Attributes
    ----------
    frame : DataFrame
        construct, measure, items (number), estimate, lower, upper, standard_error, n, method.
    dropped : DataFrame
        Raw alpha without an item: construct, item, estimate, change, lower, upper (of the change),
        standard_error, n, method.
    loadings : DataFrame
        construct, item, loading, standardised, uniqueness on the construct's factor.
    respondents : int
        Number of respondents.
    excluded : int
        Respondents left out for missing answers.
    notes : tuple of str
        What the reader should know: missing answers, Heywood cases, single items.
    """

    frame: pd.DataFrame
    dropped: pd.DataFrame = field(repr=False)
    loadings: pd.DataFrame = field(repr=False)
    respondents: int
    excluded: int
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """Estimates alone, constructs by measures."""
        wide = self.frame.pivot(index="construct", columns="measure", values="estimate")
        names = self.frame["construct"].unique()
        return wide.reindex(index=names, columns=list(MEASURES)).rename_axis(columns=None)

    def of(self, construct: str, measure: str = "alpha") -> Estimate:
        """One measure of one construct.

        Raises
        ------
        KeyError
            When there is no such row.
        """
        rows = {(c, m): own for m, c, own in self.estimates()}
        if (construct, measure) not in rows:
            raise KeyError(
                f"no {measure!r} of {construct!r}; measures: {', '.join(MEASURES)}; constructs: "
                f"{', '.join(map(str, self.frame['construct'].unique()))}"
            )
        return rows[construct, measure]

    def estimates(self) -> list[tuple[str, str, Estimate]]:
        """Rows of (measure, group, estimate), the group a construct."""
        return [
            (
                row["measure"],
                row["construct"],
                Estimate(
                    row["estimate"],
                    row["lower"],
                    row["upper"],
                    UNITS[row["measure"]],
                    row["n"],
                    row["method"],
                ),
            )
            for row in self.frame.to_dict("records")
        ]

    def to_frame(self) -> pd.DataFrame:
        """One row a construct and measure."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [f"{counted(self.respondents, 'respondent')}", *self.notes]
        shown = self.table.reset_index()
        return report_html(
            "Reliability",
            said,
            {
                "Estimates": readable(shown),
                "With intervals": readable(self.frame),
                "Alpha without": readable(self.dropped),
            },
        )


def measure_reliability(
    constructs: Constructs,
    answers: pd.DataFrame,
    *,
    factors: Factors = "each",
    missing: Missing = "listwise",
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> Reliability:
    """Measure the reliability of constructs from the answers to their items.

    Parameters
    ----------
    constructs : mapping of str to sequences of str
        Construct -> its items.
    answers : DataFrame
        One row a respondent, one column an item, NaN where not answered.
    factors : {"each", "joint"}
        Loadings of a factor fitted to each construct alone, or of one model of all constructs.
    missing : {"listwise", "mean"}
        What is done about answers not given, over all items together.
    draws, seed, level, progress
        Bootstrap of respondents, as in :func:`keycustomer.stats.bootstrap`; the intervals are
        percentile intervals.

    Raises
    ------
    ValueError
        When `factors` is neither, items cannot be measured with, or some are determined by
        others.
    """
    if factors not in FACTORS:
        raise ValueError(f"factors={factors!r}: choose one of {', '.join(map(repr, FACTORS))}")
    named = construct_items(constructs)
    given = complete_answers(answers, chain(*named.values()), missing=missing)
    moments = ItemMoments(given.values)
    covariances = moments.sample()[1]
    blocks = {name: [given.items.index(item) for item in own] for name, own in named.items()}
    _refuse_collinear(covariances, blocks, given)
    study = _Study(blocks, factors, given.respondents)
    point = study.begin(covariances)
    drawn = bootstrap(
        lambda counts: study.figures(moments.weighted(counts)[1]),
        np.ones(given.respondents),
        draws=draws,
        seed=seed,
        progress=progress,
    )
    barred = study.barred(given.items)
    return Reliability(
        _measures_frame(study, point, drawn, barred, level),
        _dropped_frame(study, point, drawn, given.items, level),
        _loadings_frame(study, covariances, given.items),
        given.respondents,
        given.excluded,
        (*given.notes, *_notes(study, drawn, barred)),
    )


def _refuse_collinear(covariances: FloatArray, blocks: Blocks, given: CompleteAnswers) -> None:
    matrix = correlations_of(covariances)[0]
    for name, block in blocks.items():
        if given.respondents <= len(block):
            raise ValueError(
                f"construct {name!r} has {len(block)} items and {given.respondents} respondents: "
                "more respondents than items are needed"
            )
        at = collinear_item(matrix[np.ix_(block, block)])
        if at is not None:
            others = ", ".join(repr(given.items[item]) for item in block[:at])
            raise ValueError(
                f"item {given.items[block[at]]!r} of construct {name!r} is determined by {others} "
                "(perfect collinearity): leave it out"
            )


class _Study:
    """What is computed for every resample: all figures of all constructs in one row.

    The row holds the measures construct by construct, then alpha without each item, then for
    every factor model whether it came out improper.
    """

    def __init__(self, blocks: Blocks, factors: Factors, respondents: int) -> None:
        self.blocks, self.factors, self.respondents = blocks, factors, respondents
        self.several = [name for name, block in blocks.items() if len(block) > 1]
        self.owners = (
            [list(blocks)] if factors == "joint" and self.several else [[n] for n in self.several]
        )
        self.models = [FactorModel([blocks[name] for name in names]) for names in self.owners]
        self.dropped = [
            (name, item) for name, block in blocks.items() if len(block) > 2 for item in block
        ]
        self.fitted: list[FactorLoadings] = []

    @property
    def size(self) -> int:
        """Number of measures in a row."""
        return len(MEASURES) * len(self.blocks)

    def begin(self, covariances: FloatArray) -> FloatArray:
        """Figures of the sample itself, (figures,)."""
        self.fitted = [model.fit(covariances, self.respondents) for model in self.models]
        return self._rows(covariances, self.fitted)[0]

    def figures(self, covariances: FloatArray) -> FloatArray:
        """Figures of resamples, (draws, figures)."""
        fitted = [model.fit_all(covariances, self.respondents) for model in self.models]
        return self._rows(covariances, fitted)

    def _rows(self, covariances: FloatArray, fitted: list[FactorLoadings]) -> FloatArray:
        loadings, left = self.spread(fitted, covariances)
        columns: list[np.ndarray] = []
        for block in self.blocks.values():
            own = covariances[:, block][:, :, block]
            columns += _measures(own, loadings[:, block], left[:, block])
        for name, item in self.dropped:
            rest = [other for other in self.blocks[name] if other != item]
            columns.append(cronbach_alpha(covariances[:, rest][:, :, rest]))
        columns += [own.improper for own in fitted]
        return np.stack(columns, axis=1).astype(np.float64)

    def spread(
        self, fitted: list[FactorLoadings], covariances: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Give loadings and uniquenesses of standardised items, NaN for those without a factor."""
        loadings, left = np.full((2, *covariances.shape[:2]), np.nan)
        for model, own in zip(self.models, fitted, strict=True):
            loadings[:, model.positions] = own.loadings
            left[:, model.positions] = own.uniquenesses
        return loadings, left

    def barred(self, items: tuple[str, ...]) -> dict[str, str]:
        """Why a construct has no omega, composite reliability and AVE."""
        reasons = {name: SINGLE for name in self.blocks if name not in self.several}
        for names, model, own in zip(self.owners, self.models, self.fitted, strict=True):
            why = own.trouble([items[at] for at in model.positions], names)
            reasons |= {name: why for name in names if why and name not in reasons}
        return reasons


def _measures(covariances: FloatArray, loadings: FloatArray, left: FloatArray) -> list[FloatArray]:
    """Measures of one construct, in their order, (draws,) each."""
    deviations = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    raw = loadings * deviations, left * deviations**2
    return [
        cronbach_alpha(covariances),
        cronbach_alpha(correlations_of(covariances)),
        composite_reliability(*raw),
        composite_reliability(loadings, left),
        average_variance_extracted(*raw),
    ]


def _measures_frame(
    study: _Study,
    point: FloatArray,
    drawn: FloatArray,
    barred: Mapping[str, str],
    level: float,
) -> pd.DataFrame:
    rows, estimates = [], []
    for at, (name, block) in enumerate(study.blocks.items()):
        for number, measure in enumerate(MEASURES, at * len(MEASURES)):
            rows.append({"construct": name, "measure": measure, "items": len(block)})
            why = barred.get(name) if measure in OF_FACTORS or len(block) < 2 else None
            n, unit = study.respondents, UNITS[measure]
            estimates.append(
                Estimate.without_interval(math.nan, unit, n, why, level)
                if why
                else drawn_estimate(
                    float(point[number]), drawn[:, number], unit=unit, n=n, level=level
                )
            )
    return interval_table(pd.DataFrame(rows), estimates, drawn[:, : study.size])


def _dropped_frame(
    study: _Study, point: FloatArray, drawn: FloatArray, items: tuple[str, ...], level: float
) -> pd.DataFrame:
    rows, estimates, changes = [], [], [np.empty((len(drawn), 0))]
    names = list(study.blocks)
    for number, (name, item) in enumerate(study.dropped, study.size):
        alpha = names.index(name) * len(MEASURES)
        rows.append({"construct": name, "item": items[item], "alpha_without": point[number]})
        changes.append((drawn[:, number] - drawn[:, alpha])[:, None])
        estimates.append(
            drawn_estimate(
                float(point[number] - point[alpha]),
                changes[-1][:, 0],
                unit="change of alpha",
                n=study.respondents,
                level=level,
            )
        )
    labels = pd.DataFrame(rows, columns=["construct", "item", "alpha_without"])
    table = interval_table(labels, estimates, np.concatenate(changes, axis=1))
    return table.rename(columns={"estimate": "change"})


def _loadings_frame(study: _Study, covariances: FloatArray, items: tuple[str, ...]) -> pd.DataFrame:
    loadings, left = (own[0] for own in study.spread(study.fitted, covariances))
    deviations = np.sqrt(np.diagonal(covariances[0]))
    return pd.DataFrame(
        [
            {
                "construct": name,
                "item": items[at],
                "loading": loadings[at] * deviations[at],
                "standardised": loadings[at],
                "uniqueness": left[at] * deviations[at] ** 2,
            }
            for name in (study.several if study.factors == "each" else study.blocks)
            for at in study.blocks[name]
        ],
        columns=["construct", "item", "loading", "standardised", "uniqueness"],
    )


def _notes(study: _Study, drawn: FloatArray, barred: Mapping[str, str]) -> list[str]:
    notes = []
    for why in dict.fromkeys(barred.values()):
        names = ", ".join(name for name in barred if barred[name] == why)
        notes.append(f"{names}: no omega, composite reliability, AVE: {why}")
    two = [name for name in study.several if len(study.blocks[name]) == 2]
    if two and study.factors == "each":
        notes.append(f"two items, whose standardised loadings are taken as equal: {', '.join(two)}")
    first = study.size + len(study.dropped)
    for owners, flags in zip(study.owners, drawn[:, first:].T, strict=True):
        if flags.any() and not any(name in barred for name in owners):
            notes.append(
                f"{', '.join(owners)}: improper in {counted(int(flags.sum()), 'draw')} of "
                f"{len(drawn):,} (a negative variance, or factors that determine each other)"
            )
    return notes
