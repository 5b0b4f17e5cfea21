"""Scores on the holdout: how well each model foretold, beside what needs no model.

:func:`holdout_scores` measures every prediction of :func:`predict_holdout` by

- ``rmse`` and ``mae``: root of the mean squared, and mean absolute, error in purchases per
  customer.  Where most customers buy nothing, "everybody zero" has a small mae: it rewards the
  median, and no headline should rest on it;
- ``total_ratio``: predicted purchases over actual ones, all customers together;
- ``correlation`` of predicted and actual purchases (Pearson's);
- ``capture``: share of the holdout purchases made by the fifth of the customers predicted to buy
  most.  Customers with equal predictions at the border are taken in equal parts, so that their
  order in the table decides nothing, and a prediction that tells nobody apart captures .20.

Intervals come from one bootstrap of customers, so :meth:`HoldoutScores.difference` can set two
predictions against each other on the same draws: two intervals may well overlap where the
difference is clear.  The models are not fitted again: the intervals say how sure the verdict on
these predictions is, not how much the parameters vary.

Source: Fader, Hardie & Lee (2005), Marketing Science 24; Malthouse & Blattberg (2005), Journal of
Interactive Marketing 19, for the capture of the future best customers.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.lifetime.ranking import Ranking
from keycustomer.lifetime.validation.predictions import (
    HoldoutPredictions,
    Kind,
    Predictors,
    predict_holdout,
)
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, share_of
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

if TYPE_CHECKING:
    from keycustomer.lifetime.validation.holdout import HoldoutSplit

MEASURES: dict[str, str] = {
    "rmse": "purchases per customer",
    "mae": "purchases per customer",
    "total_ratio": "predicted over actual",
    "correlation": "correlation",
    "capture": "share of holdout purchases",
}
"""Measures and their units, in the order of the tables."""

PERCENTS = np.arange(101) / 100
"""Shares of customers at which the capture curve is given."""


@dataclass(frozen=True, eq=False)
class HoldoutScores:
    """Scores of models and baselines on the holdout period.

    Attributes
    ----------
    customers : int
        Customers scored.
    purchases : float
        What they bought in the holdout period.
    top : float
        Share of customers of the capture.
    level : float
        Confidence level of the intervals.
    kinds : dict of str to str
        Every predictor's kind: `model`, `baseline` or `foresight`.
    estimates : dict of str to dict of str to Estimate
        ``estimates[predictor][measure]``; NaN where a measure means nothing.
    curve : DataFrame
        predictor, customers, purchases: the share of holdout purchases captured by the top share
        of customers, at every percent.
    notes : tuple of str
        What a reader must know of the models.
    """

    customers: int
    purchases: float
    top: float
    level: float
    kinds: Mapping[str, Kind]
    estimates: Mapping[str, Mapping[str, Estimate]] = field(repr=False)
    curve: pd.DataFrame = field(repr=False)
    cloud: FloatArray = field(repr=False)
    notes: tuple[str, ...] = ()

    def difference(self, measure: str, first: str, second: str) -> Estimate:
        """Estimate by how much the first predictor's score exceeds the second's.

        Parameters
        ----------
        measure : {"rmse", "mae", "total_ratio", "correlation", "capture"}
            What to compare.
        first, second : str
            Names of predictors.

        Returns
        -------
        Estimate
            With an interval from the same draws for both.

        Raises
        ------
        ValueError
            When there is no such measure or predictor.
        """
        _known(measure, MEASURES, "measure")
        column = list(MEASURES).index(measure)
        points, clouds = [], []
        for name in (first, second):
            _known(name, self.kinds, "predictor")
            points.append(self.estimates[name][measure].estimate)
            clouds.append(self.cloud[:, list(self.kinds).index(name), column])
        return bootstrap_estimate(
            points[0] - points[1],
            clouds[0] - clouds[1],
            unit=MEASURES[measure],
            n=self.customers,
            level=self.level,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a predictor: predictor, kind, and each measure with _lower and _upper."""
        rows = []
        for name, kind in self.kinds.items():
            row: dict[str, object] = {"predictor": name, "kind": kind}
            for measure, estimate in self.estimates[name].items():
                row[measure] = estimate.estimate
                row[f"{measure}_lower"], row[f"{measure}_upper"] = estimate.lower, estimate.upper
            rows.append(row)
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        told = [
            f"{self.customers:,} customers bought on {self.purchases:,.0f} days of the holdout "
            f"period. capture: share of them by the top {self.top:.0%} of customers as predicted. "
            f"{self.level:.0%} intervals from a bootstrap of customers.",
            *self.notes,
        ]
        said = {
            name: {measure: str(estimate) for measure, estimate in scores.items()}
            for name, scores in self.estimates.items()
        }
        table = pd.DataFrame(said).T.reindex(columns=list(MEASURES)).to_html(escape=True)
        return "".join(f"<p>{html.escape(one)}</p>" for one in told) + table


def _known(name: str, names: Mapping[str, object], argument: str) -> None:
    if name not in names:
        raise ValueError(f"{argument}={name!r}: one of {', '.join(map(repr, names))} is needed")


def holdout_scores(
    models: Predictors,
    split: HoldoutSplit,
    *,
    top: float = 0.2,
    draws: int = 500,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> HoldoutScores:
    """Score models on the holdout period, beside naive baselines and perfect foresight.

    Parameters
    ----------
    models : model, sequence of models, or mapping
        As in :func:`keycustomer.lifetime.predict_holdout`.
    split : HoldoutSplit
        From :func:`keycustomer.lifetime.split_holdout`.
    top : float
        Share of customers of the capture, 0..1.
    draws, seed, level
        Bootstrap of customers for the intervals.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Returns
    -------
    HoldoutScores
        A measure that means nothing is NaN: correlation where all predictions are equal, ratio
        and capture where nobody bought.

    Raises
    ------
    ValueError
        As :func:`keycustomer.lifetime.predict_holdout`.
    """
    predictions = predict_holdout(models, split)
    sizes, alike = equal_customers(predictions)
    statistic = _Scores(*alike, top=share_of(top, "top"))
    point = statistic(sizes[None, :])[0]
    cloud = bootstrap(statistic, sizes, draws=draws, seed=seed, progress=progress)
    shape = (len(predictions.kinds), len(MEASURES))
    return HoldoutScores(
        split.customers,
        float(split.purchases.sum()),
        top,
        level,
        predictions.kinds,
        _estimates(predictions, point.reshape(shape), cloud.reshape(-1, *shape), level),
        _curve(predictions, statistic, sizes),
        cloud.reshape(-1, *shape),
        predictions.notes,
    )


def equal_customers(
    predictions: HoldoutPredictions,
) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Group customers who are alike in all predictions and in what they bought.

    Returns
    -------
    sizes : ndarray, shape (groups,)
        Customers of each group.
    predicted, actual : ndarrays, shapes (predictors, groups) and (groups,)
    """
    columns = predictions.frame.to_numpy(np.float64).T
    key = np.zeros(columns.shape[1], dtype=np.int64)
    for column in [*columns, predictions.purchases]:
        codes, found = pd.factorize(column)
        key = pd.factorize(key * len(found) + codes)[0]
    _, first, sizes = np.unique(key, return_index=True, return_counts=True)
    return sizes.astype(np.float64), (columns[:, first], predictions.purchases[first])


class _Scores:
    """All measures of all predictors, for any number of copies of each group of customers."""

    def __init__(self, predicted: FloatArray, actual: FloatArray, *, top: float) -> None:
        self.actual, self.top = actual, np.array([top])
        self.rankings = [Ranking(column) for column in predicted]
        # moments around the middle: differences of large sums would lose their digits
        self.centred = actual - actual.mean()
        self.largest = [np.abs(column - column.mean()).max() for column in (actual, *predicted)]
        columns = [np.ones(actual.size), actual, self.centred, self.centred**2]
        self.columns = np.column_stack(columns + [c for p in predicted for c in self._columns(p)])

    def _columns(self, predicted: FloatArray) -> list[FloatArray]:
        """Values of the groups whose weighted sums give all measures of a predictor."""
        error, centred = predicted - self.actual, predicted - predicted.mean()
        moments = [centred, centred**2, centred * self.centred]
        return [error**2, np.abs(error), predicted, *moments]

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Scores, shape (rows, predictors * measures)."""
        sums = weights @ self.columns
        common, own = sums[:, :4], np.split(sums[:, 4:], len(self.rankings), axis=1)
        bought = common[:, 1]
        scores = []
        for ranking, moments, largest in zip(self.rankings, own, self.largest[1:], strict=True):
            means = moments / common[:, :1]
            held = ranking.reached(weights, self.actual, shares=self.top)[:, 0]
            with np.errstate(invalid="ignore", divide="ignore"):
                ratio = np.where(bought > 0, moments[:, 2] / bought, np.nan)
                capture = np.where(bought > 0, held / bought, np.nan)
            correlation = _correlation(means[:, 3:], common, (largest, self.largest[0]))
            scores += [np.sqrt(means[:, 0]), means[:, 1], ratio, correlation, capture]
        return np.column_stack(scores)


def _correlation(means: FloatArray, common: FloatArray, largest: tuple[float, float]) -> FloatArray:
    """Correlation from means of p, p squared and p y, both centred; NaN where one is constant."""
    mean, square = common[:, 2] / common[:, 0], common[:, 3] / common[:, 0]
    spreads = [means[:, 1] - means[:, 0] ** 2, square - mean**2]
    together = means[:, 2] - means[:, 0] * mean
    apart = [spread > EQUAL * size**2 for spread, size in zip(spreads, largest, strict=True)]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = together / np.sqrt(spreads[0] * spreads[1])
    return np.where(apart[0] & apart[1], np.clip(found, -1, 1), np.nan)


EQUAL = 1e-14
"""Variance, relative to the largest square, that rounding alone makes."""


def _estimates(
    predictions: HoldoutPredictions, point: FloatArray, cloud: FloatArray, level: float
) -> dict[str, dict[str, Estimate]]:
    return {
        name: {
            measure: bootstrap_estimate(
                float(point[n, m]),
                cloud[:, n, m],
                unit=unit,
                n=predictions.purchases.size,
                level=level,
            )
            for m, (measure, unit) in enumerate(MEASURES.items())
        }
        for n, name in enumerate(predictions.kinds)
    }


def _curve(predictions: HoldoutPredictions, statistic: _Scores, sizes: FloatArray) -> pd.DataFrame:
    total = sizes @ statistic.actual
    parts = []
    for name, ranking in zip(predictions.kinds, statistic.rankings, strict=True):
        held = ranking.reached(sizes[None, :], statistic.actual, shares=PERCENTS)[0]
        share = held / total if total > 0 else np.full(PERCENTS.size, np.nan)
        parts.append(
            pd.DataFrame({"customers": PERCENTS, "purchases": share}).assign(predictor=name)
        )
    return pd.concat(parts, ignore_index=True)[["predictor", "customers", "purchases"]]
