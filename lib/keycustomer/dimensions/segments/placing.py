"""A rule that places a customer of whom little is known.

Segments are found with everything that is known of present customers, answers of a survey among
it; of a new one the sales force knows the industry, the region and the size.
:func:`placing_rule` learns from present customers which segment such facts point to, and says how
often the rule is right for customers it has not seen, beside a rule that puts everybody in the
largest segment.

The rule is a multinomial logistic regression with a ridge penalty; its accuracy comes from
cross-validation, each customer placed by a rule learnt from the others.

Sources: Wedel & Kamakura (2000), chapter 4; Cohen (1960) for kappa; Wilson (1927) for the interval.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.dimensions.segments.numbers import one_thread
from keycustomer.dimensions.segments.segmentation import Segmentation
from keycustomer.dimensions.segments.variables import SegmentVariables
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import NORMAL, Seed, checked_level
from keycustomer.stats.samples import FloatArray

LEARNT_FROM = 10_000
"""Customers a rule is learnt from; of a larger base so many are drawn."""


@dataclass(frozen=True, eq=False)
class PlacingRule:
    """A rule that places customers in segments by some kinds of variable.

    Attributes
    ----------
    kinds : tuple of str
        Kinds of variable the rule looks at.
    names : list of str
        Names of the segments.
    accuracy : Estimate
        Share of customers placed in their segment by a rule learnt from others.
    baseline : float
        Share placed right by putting everybody in the largest segment.
    kappa : float
        Agreement beyond chance (Cohen), 0 for none, 1 for perfect.
    confusion : DataFrame
        Customers by their segment (rows) and the segment the rule gave (columns).
    folds : int
        Parts of the cross-validation.
    """

    kinds: tuple[str, ...]
    names: list[str]
    accuracy: Estimate
    baseline: float
    kappa: float
    confusion: pd.DataFrame = field(repr=False)
    folds: int
    variables: SegmentVariables = field(repr=False)
    model: Any = field(repr=False)

    @property
    def sentence(self) -> str:
        """How good the rule is, in a sentence."""
        gain = "better than" if self.accuracy.lower > self.baseline else "no better than"
        return (
            f"{self.accuracy.as_percent(0)} of customers not seen before are placed right by "
            f"{' and '.join(self.kinds)} variables, {gain} putting all in the largest segment "
            f"({100 * self.baseline:.0f} %)"
        )

    def place(self, frame: pd.DataFrame, *, customer_id: str = "customer_id") -> pd.DataFrame:
        """Place new customers.

        Parameters
        ----------
        frame : DataFrame
            One row a customer, with the variables of the rule; values not known count as average.
        customer_id : str
            Column with the id; without it, the index names the customers.

        Returns
        -------
        DataFrame
            ``customer_id``, ``segment`` (1 the first), ``name``, ``certainty`` (probability).

        Raises
        ------
        ValueError
            When columns are missing or a number is none.
        """
        ids = frame[customer_id] if customer_id in frame.columns else frame.index.to_series()
        chances = self.model.predict_proba(self.variables.read_again(frame))
        best = chances.argmax(axis=1)
        labels = self.model.classes_[best]
        return pd.DataFrame(
            {
                "customer_id": ids.to_numpy(),
                "segment": labels + 1,
                "name": np.array(self.names, dtype=object)[labels],
                "certainty": chances[np.arange(len(best)), best],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """Return customers by segment and place, a copy of `confusion`."""
        return self.confusion.copy()

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence)}.</p>{self.confusion.to_html(escape=True)}"


def placing_rule(
    segmentation: Segmentation,
    kinds: Sequence[str] | None = None,
    *,
    folds: int = 5,
    level: float = 0.95,
    seed: Seed = 0,
) -> PlacingRule:
    """Learn to place customers by some kinds of variable, and how far to trust it.

    Parameters
    ----------
    segmentation : Segmentation
        From :func:`segment_customers`.
    kinds : sequence of str, optional
        Kinds of variable that will be known of new customers; left out, all.
    folds : int
        Parts of the cross-validation, 2 or more.
    level : float
        Confidence level of the accuracy, 0..1.
    seed : int or Generator
        Deals out the customers to the parts.

    Returns
    -------
    PlacingRule

    Raises
    ------
    ValueError
        When a kind is not known, there is one segment, or a segment has fewer customers than parts.
    """
    variables, labels = _seen(segmentation, kinds, folds, seed)
    chosen = variables.kinds
    with one_thread():
        placed = _cross_validated(variables.plain, labels, folds, seed)
        model = _model().fit(variables.plain, labels)
    right = int((placed == labels).sum())
    counts = np.bincount(labels, minlength=len(segmentation.names))
    table = pd.crosstab(labels + 1, placed + 1).reindex(
        index=range(1, len(counts) + 1), columns=range(1, len(counts) + 1), fill_value=0
    )
    table.index.name, table.columns.name = "segment", "placed in"
    agreement, chance = right / labels.size, _by_chance(table)
    return PlacingRule(
        chosen, segmentation.names, _accuracy(right, labels.size, folds, level),
        float(counts.max() / counts.sum()), (agreement - chance) / (1 - chance), table, folds,
        variables, model,
    )  # fmt: skip


def _seen(
    segmentation: Segmentation, kinds: Sequence[str] | None, folds: int, seed: Seed
) -> tuple[SegmentVariables, np.ndarray]:
    """Return the customers the rule learns from, by the kinds asked for, and their segments."""
    variables, labels = segmentation.variables, segmentation.labels
    chosen = variables.kinds if kinds is None else tuple(kinds)
    strange = [kind for kind in chosen if kind not in variables.kinds]
    if isinstance(kinds, str) or strange or not chosen:
        known = ", ".join(map(repr, variables.kinds))
        raise ValueError(f"kinds={kinds!r}: a list of kinds among {known} is needed")
    for kind in variables.kinds:
        if kind not in chosen:
            variables = variables.without(kind)
    if len(labels) > LEARNT_FROM:
        generator = np.random.default_rng(seed)
        rows = np.sort(generator.choice(len(labels), LEARNT_FROM, replace=False))
        variables, labels = variables.take(rows), labels[rows]
    if isinstance(folds, bool) or folds != int(folds) or folds < 2:
        raise ValueError(f"folds={folds!r}: a whole number of at least 2 is needed")
    smallest = np.bincount(labels).min()
    if len(np.unique(labels)) < 2 or smallest < folds:
        raise ValueError(
            f"two segments with at least {folds} customers each (folds) are needed; there are "
            f"{len(np.unique(labels))}, the smallest with {smallest}"
        )
    return variables, labels


def _model() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)


def _cross_validated(plain: FloatArray, labels: np.ndarray, folds: int, seed: Seed) -> np.ndarray:
    from sklearn.model_selection import StratifiedKFold

    state = int(np.random.default_rng(seed).integers(2**31))
    placed = np.empty_like(labels)
    parts = StratifiedKFold(folds, shuffle=True, random_state=state)
    for seen, unseen in parts.split(plain, labels):
        placed[unseen] = _model().fit(plain[seen], labels[seen]).predict(plain[unseen])
    return placed


def _by_chance(table: pd.DataFrame) -> float:
    counts = table.to_numpy(dtype=float)
    return float(counts.sum(axis=0) @ counts.sum(axis=1) / counts.sum() ** 2)


def _accuracy(right: int, n: int, folds: int, level: float) -> Estimate:
    """Share placed right, with Wilson's interval."""
    z = NORMAL.inv_cdf(0.5 + checked_level(level) / 2)
    share, width = right / n, z * z / n
    middle = (share + width / 2) / (1 + width)
    half = z / (1 + width) * np.sqrt(share * (1 - share) / n + width / (4 * n))
    method = f"{folds}-fold cross-validation, Wilson interval"
    return Estimate(
        share, float(middle - half), float(middle + half), "share of customers", n, method, level
    )
