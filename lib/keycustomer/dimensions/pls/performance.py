"""Importance and performance of constructs: what moves the target most, and how good it is now.

Where does an improvement of one point bring most, and where is there room for it?
:func:`construct_performance` sets each construct's importance for a target, the points the target
gains when the construct gains one (the unstandardised total effect), against its performance, the
mean score on a scale from 0 to 100.  The same for items: an item's importance is its construct's
times its share in the construct's score.

Points are of answers rescaled from the ends of the scale to 0 and 100, so that importances
can be compared.  Weights are divided by the items' standard deviations and brought to the sum one.

Sources: Ringle & Sarstedt, "Gain more insight from your PLS-SEM results: the importance-performance
map analysis" (Industrial Management & Data Systems 2016); Martilla & James (Journal of Marketing
1977) for the fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.drivers.priorities import CONCENTRATE, KEEP, LOW, OVERKILL
from keycustomer.dimensions.measurement.intervals import drawn_estimate, readable
from keycustomer.dimensions.pls.path_model import PlsFit
from keycustomer.dimensions.pls.quantities import QuantityLabels
from keycustomer.dimensions.pls.resampled import PlsBootstrap
from keycustomer.stats import Estimate
from keycustomer.stats.samples import FloatArray

POINTS = "points of the target a point"
"""Unit of importance."""


@dataclass(frozen=True, eq=False)
class ConstructPerformance:
    """Importance and performance of everything that leads to a target.

    Attributes
    ----------
    target : str
        Construct that is to be moved.
    performance : float
        The target's own mean score, 0..100.
    constructs : DataFrame
        construct, importance, importance_lower, importance_upper, performance,
        performance_lower, performance_upper, field; the most important first.
    items : DataFrame
        The same by construct and item, without a field.
    importance_border, performance_border : float
        Means over the constructs, where the fields meet.
    low, high : float
        Ends of the answers' scale.
    respondents : int
        Number of respondents.
    notes : tuple of str
        What the reader should know.
    """

    target: str
    performance: float
    constructs: pd.DataFrame
    items: pd.DataFrame = field(repr=False)
    importance_border: float
    performance_border: float
    low: float
    high: float
    respondents: int
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a construct."""
        return self.constructs.copy()

    @property
    def sentences(self) -> list[str]:
        """Say what moves the target most, and what to work on."""
        first = self.constructs.iloc[0]
        weak = self.constructs.loc[self.constructs["field"] == CONCENTRATE, "construct"]
        return [
            f"A point more of {first['construct']} goes with {first['importance']:.2f} points of "
            f"{self.target}; it stands at {first['performance']:.0f} of 100.",
            f"Important and weak: {', '.join(weak) or 'none'}.",
            f"{counted(self.respondents, 'respondent')}, answers from {self.low:g} to "
            f"{self.high:g}, {self.target} at {self.performance:.0f} of 100.",
            *self.notes,
        ]

    def _repr_html_(self) -> str:
        return report_html(
            f"Importance and performance for {self.target}",
            self.sentences,
            {"Constructs": readable(self.constructs), "Items": readable(self.items)},
        )


class _Points(NamedTuple):
    """Importance and performance of a stack, (draws, constructs) and (draws, cells)."""

    importance: FloatArray
    performance: FloatArray
    item_importance: FloatArray
    item_performance: FloatArray
    shares: FloatArray


def construct_performance(
    model: PlsFit | PlsBootstrap,
    target: str,
    *,
    low: float,
    high: float,
    reverse: Sequence[str] = (),
) -> ConstructPerformance:
    """Set the importance of constructs for a target against their performance.

    Parameters
    ----------
    model : PlsFit or PlsBootstrap
        A path model; intervals come from its bootstrap.
    target : str
        Construct that is to be moved.
    low, high : float
        Ends of the answers' scale, such as 1 and 7, the same for all items.
    reverse : sequence of str
        Constructs of which less is better, such as sacrifices: their performance is counted from
        the upper end of the scale, their importance is what the target gains when they fall.

    Raises
    ------
    ValueError
        When a construct is unknown or nothing leads to the target, when answers lie outside the
        scale, or when weights of a construct sum to nothing.
    """
    fit = model.fit if isinstance(model, PlsBootstrap) else model
    labels = fit.labels
    at = fit.model.position(target)
    leading = [cause for cause, effect in labels.total if effect == at]
    if not leading:
        ends = [fit.model.constructs[c] for c in labels.endogenous]
        raise ValueError(f"nothing leads to {target!r}; targets: {', '.join(map(repr, ends))}")
    _refuse_scale(fit, low, high)
    turned = frozenset(fit.model.position(name) for name in _names(reverse))
    scale = low, high
    means, covariances = fit.moments.sample()
    told = fit.quantities | {
        "mean": means,
        "deviation": np.sqrt(np.diagonal(covariances, axis1=1, axis2=2)),
    }
    point = _points(told, labels, at, scale, turned)
    _refuse_shares(point, labels)
    drawn, level = None, 0.95
    if isinstance(model, PlsBootstrap):
        drawn, level = _points(model.draws, labels, at, scale, turned), model.level
    table = _constructs_frame(point, drawn, fit, leading, level)
    borders = float(table["importance"].mean()), float(table["performance"].mean())
    table["field"] = [
        _field(own >= borders[0], good >= borders[1])
        for own, good in zip(table["importance"], table["performance"], strict=True)
    ]
    return ConstructPerformance(
        target,
        float(point.performance[0, at]),
        table,
        _items_frame(point, drawn, fit, leading, level),
        *borders,
        low,
        high,
        fit.respondents,
        (*_turned(fit, turned), *_negative(point, labels), *_worse(table, target)),
    )


def _refuse_scale(fit: PlsFit, low: float, high: float) -> None:
    if not low < high:
        raise ValueError(f"low={low:g}, high={high:g}: the scale must rise from low to high")
    least, most = fit.answers.frame.min(), fit.answers.frame.max()
    outside = [
        f"{item} ({a:g} to {b:g})"
        for item, a, b in zip(fit.answers.items, least, most, strict=True)
        if a < low or b > high
    ]
    if outside:
        raise ValueError(
            f"answers outside the scale {low:g} to {high:g}: {', '.join(outside)}; give the ends "
            "of the scale that was asked"
        )


def _points(
    told: dict[str, FloatArray],
    labels: QuantityLabels,
    target: int,
    scale: tuple[float, float],
    turned: frozenset[int],
) -> _Points:
    """Give importance and performance of every construct and item, over a stack."""
    model = labels.model
    item_of, owner = (np.array(part) for part in zip(*labels.cells, strict=True))
    low, high = scale
    unit = 100 / (high - low)
    shares = told["weight"] / (told["deviation"][:, item_of] * unit)
    totals = np.stack([shares[:, owner == c].sum(axis=1) for c in range(model.size)], axis=1)
    # a score of variance one is worth 1 / total points
    with np.errstate(divide="ignore", invalid="ignore"):
        spreads = 1 / totals
        shares = shares * spreads[:, owner]
    at_items = (told["mean"][:, item_of] - low) * unit
    performance = np.stack(
        [(shares * at_items)[:, owner == c].sum(axis=1) for c in range(model.size)], axis=1
    )
    importance = np.zeros_like(spreads)
    for number, (cause, effect) in enumerate(labels.total):
        if effect == target:
            slope = spreads[:, target] / spreads[:, cause]
            importance[:, cause] = told["total"][:, number] * slope
    less = [construct in turned for construct in range(model.size)]
    performance = np.where(less, 100 - performance, performance)
    importance = np.where(less, -importance, importance)
    at_items = np.where(np.array(less)[owner], 100 - at_items, at_items)
    return _Points(importance, performance, importance[:, owner] * shares, at_items, shares)


def _names(reverse: Sequence[str]) -> Sequence[str]:
    return (reverse,) if isinstance(reverse, str) else reverse


def _refuse_shares(point: _Points, labels: QuantityLabels) -> None:
    _, owner = zip(*labels.cells, strict=True)
    for construct, name in enumerate(labels.model.constructs):
        own = point.shares[0, np.array(owner) == construct]
        if not np.isfinite(own).all() or np.abs(own).max() > 1 + len(own):
            raise ValueError(
                f"weights of {name!r} cancel each other, so its score has no scale; turn items "
                "asked the other way round (read_answers(..., reverse=[...]))"
            )


def _negative(point: _Points, labels: QuantityLabels) -> list[str]:
    names = [
        f"{labels.model.items[item]} ({share:.2f})"
        for (item, _), share in zip(labels.cells, point.shares[0], strict=True)
        if share < 0
    ]
    if not names:
        return []
    return [f"negative weights, so performance may leave 0 to 100: {', '.join(names)}"]


def _turned(fit: PlsFit, turned: frozenset[int]) -> list[str]:
    names = ", ".join(fit.model.constructs[at] for at in sorted(turned))
    return [f"counted from the upper end of the scale, less is better: {names}"] if names else []


def _worse(table: pd.DataFrame, target: str) -> list[str]:
    """Name constructs that lower the target, or seem to where there are no intervals."""
    end = table["importance_upper"].fillna(table["importance"])
    names = ", ".join(map(str, table.loc[end < 0, "construct"]))
    if not names:
        return []
    return [
        f"the more of it, the less {target}: {names}; if less of it is better, name it in reverse"
    ]


def _field(important: bool, strong: bool) -> str:
    if important:
        return KEEP if strong else CONCENTRATE
    return OVERKILL if strong else LOW


def _constructs_frame(
    point: _Points, drawn: _Points | None, fit: PlsFit, leading: list[int], level: float
) -> pd.DataFrame:
    table = pd.DataFrame({"construct": [fit.model.constructs[c] for c in leading]})
    draws = (drawn.importance, drawn.performance) if drawn else None
    told = point.importance, point.performance
    return _with_ends(table, told, draws, leading, fit.respondents, level)


def _items_frame(
    point: _Points, drawn: _Points | None, fit: PlsFit, leading: list[int], level: float
) -> pd.DataFrame:
    cells = [at for at, (_, owner) in enumerate(fit.labels.cells) if owner in leading]
    table = fit.labels.frame("loading").iloc[cells]
    draws = (drawn.item_importance, drawn.item_performance) if drawn else None
    told = point.item_importance, point.item_performance
    return _with_ends(table, told, draws, cells, fit.respondents, level)


def _with_ends(
    table: pd.DataFrame,
    point: tuple[FloatArray, FloatArray],
    drawn: tuple[FloatArray, FloatArray] | None,
    columns: list[int],
    n: int,
    level: float,
) -> pd.DataFrame:
    """Add importance and performance with the ends of their intervals; the largest first."""
    for number, (name, unit) in enumerate((("importance", POINTS), ("performance", "0 to 100"))):
        told = [
            Estimate.without_interval(float(point[number][0, at]), unit, n, "no bootstrap", level)
            if drawn is None
            else drawn_estimate(
                float(point[number][0, at]), drawn[number][:, at], unit=unit, n=n, level=level
            )
            for at in columns
        ]
        table = table.assign(
            **{
                name: [own.estimate for own in told],
                f"{name}_lower": [own.lower for own in told],
                f"{name}_upper": [own.upper for own in told],
            }
        )
    return table.sort_values("importance", ascending=False, ignore_index=True)
