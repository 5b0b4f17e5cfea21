"""Ratio or difference: which value index predicts loyalty, and what a scale's origin does to it.

:func:`compare_indices` asks which of the two indices of value predicts loyalty better for
respondents it has not seen, with the interval of the gap.  :func:`origin_dependence` shows the
ratio's trap: a rating scale has no zero, and the same answers counted from 0 or from 1 give other
ratios, another order of the customers and another prediction.  The difference does not change;
and the farther the scale is counted from 0, the closer the ratio comes to the difference.

Sources: Stone, "Cross-validatory choice" (JRSS B 1974); Stevens, "On the theory of scales of
measurement" (Science 1946) on why an interval scale allows no ratios.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.measurement.complete import complete_answers
from keycustomer.dimensions.measurement.value_index import (
    DRAWS,
    ValueIndices,
    both_indices,
    rank_correlation,
)
from keycustomer.dimensions.measurement.value_reliability import INDICES
from keycustomer.stats.bootstrap import Progress, Seed, bootstrap, bootstrap_estimate
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class IndexComparison:
    """How well the indices predict loyalty for respondents not seen.

    Attributes
    ----------
    accuracy : dict of str to Estimate
        By predictor (`ratio`, `difference`, `both parts`: benefits and sacrifices each with a
        weight of its own): share of the variance of loyalty predicted out of sample; below 0 when
        the mean predicts better.
    ratio_less_difference : Estimate
        Accuracy of the ratio less that of the difference.
    gain_of_weights : Estimate
        Accuracy of both parts with weights of their own less that of the difference, which gives
        them equal ones.
    winner : str
        `ratio`, `difference`, or empty when the interval holds 0.
    folds, repeats, respondents, excluded : int
        How the sample was split; who entered, and who was left out without loyalty or ratio.
    origin : float
        What was taken from every answer.
    """

    accuracy: dict[str, Estimate]
    ratio_less_difference: Estimate
    gain_of_weights: Estimate
    winner: str
    folds: int
    repeats: int
    respondents: int
    excluded: int
    origin: float

    @property
    def sentence(self) -> str:
        """Which predicts better, in words."""
        ratio, difference = self.accuracy["ratio"], self.accuracy["difference"]
        seen = f"R² {ratio.estimate:.3f} against {difference.estimate:.3f}"
        gap = self.ratio_less_difference
        ends = f"[{gap.lower:.3f}, {gap.upper:.3f}]"
        verdict = (
            f"The {self.winner} predicts loyalty better"
            if self.winner
            else "Which index predicts loyalty better is not established"
        )
        return (
            f"{verdict}: ratio and difference, {seen}; ratio less difference {gap.estimate:.3f} "
            f"{ends}{self._weights_told()}"
        )

    def _weights_told(self) -> str:
        if not self.gain_of_weights.lower > 0:
            return ""
        both = self.accuracy["both parts"].estimate
        return f"; neither reaches benefits and sacrifices with weights of their own, R² {both:.3f}"

    def to_frame(self) -> pd.DataFrame:
        """One row a predictor and a gap: predictor, r2, r2_low, r2_high."""
        gaps = {
            "ratio less difference": self.ratio_less_difference,
            "both parts less difference": self.gain_of_weights,
        }
        rows = [*self.accuracy.items(), *gaps.items()]
        return pd.DataFrame(
            [(name, e.estimate, e.lower, e.upper) for name, e in rows],
            columns=["predictor", "r2", "r2_low", "r2_high"],
        )

    def _repr_html_(self) -> str:
        said = [
            self.sentence,
            f"{counted(self.respondents, 'respondent')}, {self.folds} folds, {self.repeats} times"
            + (f"; {self.excluded:,} left out" if self.excluded else ""),
        ]
        return report_html("Ratio or difference", said, {"Out of sample": self.to_frame()})


def compare_indices(
    indices: ValueIndices,
    answers: pd.DataFrame,
    loyalty: Iterable[str],
    *,
    folds: int = 10,
    repeats: int = 20,
    draws: int = DRAWS,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> IndexComparison:
    """Compare how well ratio and difference predict loyalty out of sample.

    Every respondent is predicted by regressions fitted without him, in repeated cross-validation;
    his squared errors are averaged over the repeats, and the interval comes from drawing
    respondents anew.

    Parameters
    ----------
    indices : ValueIndices
        From :func:`value_indices`.
    answers : DataFrame
        The answers they were made from, with the items of loyalty.
    loyalty : iterable of str
        Items of loyalty; their mean is predicted.
    folds, repeats : int
        Parts of the sample, each predicted from the others, and how often it is split anew.
    draws, seed, level
        Of the bootstrap; the seed also splits.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Raises
    ------
    ValueError
        When respondents cannot be told apart by the index, loyalty does not differ, or there are
        too few respondents for so many folds.
    """
    wanted = _loyalty(indices, answers, loyalty)
    kept = (wanted.notna() & indices.frame["ratio"].notna()).to_numpy()
    loyal, frame = wanted.to_numpy()[kept], indices.frame[kept]
    _check_folds(folds, repeats, len(frame))
    generator = np.random.default_rng(seed)
    designs = {
        "ratio": frame[["ratio"]].to_numpy(),
        "difference": frame[["difference"]].to_numpy(),
        "both parts": frame[["benefits", "sacrifices"]].to_numpy(),
    }
    errors = _out_of_sample([*designs.values()], loyal, folds, repeats, generator)
    drawn = bootstrap(
        lambda counts: _accuracy(counts @ errors),
        np.ones(len(frame)),
        draws=draws,
        seed=generator,
        progress=progress,
    )
    point = _accuracy(errors.sum(axis=0)[None])[0]
    made = [
        bootstrap_estimate(
            float(point[k]), drawn[:, k], unit="share of variance", n=len(frame), level=level
        )
        for k in range(point.size)
    ]
    gap = made[len(designs)]
    winner = "ratio" if gap.lower > 0 else "difference" if gap.upper < 0 else ""
    return IndexComparison(
        dict(zip(designs, made[: len(designs)], strict=True)),
        gap,
        made[-1],
        winner,
        folds,
        repeats,
        len(frame),
        len(answers) - len(frame),
        indices.origin,
    )


def _loyalty(indices: ValueIndices, answers: pd.DataFrame, items: Iterable[str]) -> pd.Series:
    """Mean loyalty of the respondents of the indices."""
    if not answers.index.is_unique:
        raise ValueError(
            "answers: the index names respondents and must not repeat; call reset_index first"
        )
    complete = complete_answers(answers, items, missing="listwise")
    lost = indices.frame.index.difference(answers.index)
    if len(lost):
        raise ValueError(
            f"answers: {len(lost):,} respondents of the indices are not in the table, first "
            f"{lost[:3].tolist()}; give the answers the indices were made from"
        )
    return complete.frame.mean(axis=1).reindex(indices.frame.index)


def _check_folds(folds: int, repeats: int, respondents: int) -> None:
    for name, value, least in (("folds", folds, 2), ("repeats", repeats, 1)):
        if isinstance(value, bool) or value != int(value) or value < least:
            raise ValueError(f"{name}={value!r}: a whole number of at least {least} is needed")
    if respondents < 3 * folds:
        raise ValueError(
            f"folds={folds}: {respondents:,} respondents are too few, at least {3 * folds} needed"
        )


def _out_of_sample(
    designs: Sequence[FloatArray],
    wanted: FloatArray,
    folds: int,
    repeats: int,
    generator: np.random.Generator,
) -> FloatArray:
    """Squared errors by respondent: one column a design, the last of the plain mean."""
    n = len(wanted)
    whole = [np.column_stack([np.ones(n), design]) for design in [*designs, np.empty((n, 0))]]
    errors = np.zeros((n, len(whole)))
    for _ in range(repeats):
        part = generator.permutation(np.arange(n) % folds)
        for fold in range(folds):
            out = part == fold
            for column, design in enumerate(whole):
                weights = np.linalg.lstsq(design[~out], wanted[~out], rcond=None)[0]
                errors[out, column] += (wanted[out] - design[out] @ weights) ** 2
    return errors / repeats


def _accuracy(sums: FloatArray) -> FloatArray:
    """Share of variance predicted by ratio, difference, both parts, and the two gaps.

    From summed squared errors, those of the plain mean last.
    """
    shares = 1 - sums[:, :-1] / sums[:, -1:]
    ratio, difference, both = shares.T
    return np.column_stack([shares, ratio - difference, both - difference])


@dataclass(frozen=True, eq=False)
class OriginDependence:
    """The ratio under other origins of the scale.

    Attributes
    ----------
    frame : DataFrame
        One row a coding: lowest (number that the lowest point of the scale gets), undefined
        (respondents without a ratio), rank_correlation (of the ratio with the ratio as answered),
        share_moved (of the best fifth by the ratio as answered, who leave it), loyalty_r2
        (squared correlation of the ratio with loyalty; NaN without loyalty).
    difference_r2 : float
        Squared correlation of the difference with loyalty: the same under every coding.
    answered_from : float
        Lowest point of the scale as answered.
    respondents : int
        Number of respondents.
    """

    frame: pd.DataFrame
    difference_r2: float
    answered_from: float
    respondents: int

    @property
    def sentence(self) -> str:
        """What counting from elsewhere changes, in words."""
        # counting from 0 is what happens by accident, so it is told where it was tried
        zero = self.frame[self.frame["lowest"] == 0]
        told = zero if len(zero) else self.frame.nlargest(1, "share_moved")
        row = told.to_dict("records")[0]
        return (
            f"Counted from {row['lowest']:g} in place of {self.answered_from:g}, the ratio moves "
            f"{percent(row['share_moved'], 0)} of its best fifth out of it; the "
            "difference moves nobody"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a coding, as in `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        return report_html("Where the scale begins", [self.sentence], {"Codings": self.frame})


LOWEST_POINTS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0)
"""Numbers that the lowest point of the scale gets, one coding each."""


def origin_dependence(
    indices: ValueIndices,
    low: float,
    *,
    answers: pd.DataFrame | None = None,
    loyalty: Iterable[str] | None = None,
    lowest: Sequence[float] = LOWEST_POINTS,
) -> OriginDependence:
    """Count the scale from elsewhere and see what becomes of the ratio.

    Parameters
    ----------
    indices : ValueIndices
        From :func:`value_indices`.
    low : float
        Lowest point of the scale as answered, such as 1.
    answers : DataFrame, optional
        The answers with the items of loyalty.
    loyalty : iterable of str, optional
        Items of loyalty.
    lowest : sequence of float
        Numbers that the lowest point gets; the farther from 0, the closer the ratio comes to
        the difference.

    Raises
    ------
    ValueError
        When only one of answers and loyalty is given, or a number is below 0.
    """
    if (answers is None) != (loyalty is None):
        raise ValueError("give answers and loyalty together, or neither")
    if min(lowest) < 0:
        raise ValueError(f"lowest={list(lowest)}: with points below 0 a ratio has no meaning")
    frame = indices.frame
    wanted = None
    if answers is not None and loyalty is not None:
        wanted = _loyalty(indices, answers, loyalty)
    # back to the answers as they were given, then on to the coding
    benefits, sacrifices = (frame[side] + indices.origin for side in INDICES[:2])
    sides = benefits.to_numpy(), sacrifices.to_numpy()
    usual = both_indices(*sides, 0.0, frame.index)["ratio"]
    rows = []
    for point in lowest:
        ratio = both_indices(*sides, low - point, frame.index)["ratio"]
        rows.append(
            (
                float(point),
                int(ratio.isna().sum()),
                rank_correlation(ratio, usual),
                _moved(usual, ratio),
                _squared(ratio, wanted),
            )
        )
    names = ["lowest", "undefined", "rank_correlation", "share_moved", "loyalty_r2"]
    return OriginDependence(
        pd.DataFrame(rows, columns=names), _squared(frame["difference"], wanted), low, len(frame)
    )


def _moved(before: pd.Series, after: pd.Series) -> float:
    """Share of the best fifth before that is not among the best fifth after."""
    size = max(len(before) // 5, 1)
    best = [
        set(np.argsort(-ratio.fillna(-np.inf).to_numpy(), kind="stable")[:size].tolist())
        for ratio in (before, after)
    ]
    return 1 - len(best[0] & best[1]) / size


def _squared(values: pd.Series, wanted: pd.Series | None) -> float:
    if wanted is None:
        return math.nan
    both = values.notna() & wanted.notna()
    return float(np.corrcoef(values[both], wanted[both])[0, 1] ** 2)
