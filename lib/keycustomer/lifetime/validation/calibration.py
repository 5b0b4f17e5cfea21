"""Validation: whether a model follows what really happened.

:func:`tracking` sets the repeat purchases expected by a model against the actual ones, week by
week and cumulated, through the calibration period and beyond.  :func:`conditional_expectation`
asks whether customers with the same history bought as much afterwards as expected, and
:func:`calibration_table` whether those of whom much was expected bought much.  A model may follow
the total and still be wrong about whom it comes from, so look at all three.

Sources: Fader, Hardie & Lee (2005), Marketing Science 24, figures 2 to 4; Schmittlein & Peterson
(1994), Marketing Science 13, for the conditional expectations.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.lifetime.ranking import Ranking
from keycustomer.lifetime.units import days_in
from keycustomer.lifetime.validation.predictions import (
    BASELINES,
    FORESIGHT,
    HoldoutPredictions,
    Predictors,
    named_models,
    predict_holdout,
    refuse_foreknowledge,
)
from keycustomer.lifetime.validation.scores import equal_customers
from keycustomer.stats import bootstrap, percentile_interval
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

if TYPE_CHECKING:
    from keycustomer.lifetime.validation.holdout import HoldoutSplit

Every: TypeAlias = Literal["day", "week", "month", "quarter", "year"]
Grouping: TypeAlias = Literal["frequency", "recency"]

OFFSETS: dict[str, Callable[[int], pd.DateOffset]] = {
    "day": lambda n: pd.DateOffset(days=n),
    "week": lambda n: pd.DateOffset(days=7 * n),
    "month": lambda n: pd.DateOffset(months=n),
    "quarter": lambda n: pd.DateOffset(months=3 * n),
    "year": lambda n: pd.DateOffset(years=n),
}
"""What to add to a day to be a number of periods later."""

MOST_SINGLE = 0.9
"""Share of customers that classes of a single frequency must cover, or they are made wider."""


@dataclass(frozen=True, eq=False)
class Tracking:
    """Actual and expected repeat purchases over time.

    Attributes
    ----------
    every : str
        Length of a period.
    models : tuple of str
        Names of the models.
    split : Timestamp
        Last day of the calibration period; a period ends on it.
    frame : DataFrame
        One row a model and period: model, start, end (its days), complete (False for a period cut
        off by the first or last day observed), holdout, actual, expected (repeat purchases in the
        period), cumulative_actual, cumulative_expected (from the first day on).
    ratios : DataFrame
        One row a model: calibration and holdout, expected over actual repeat purchases.
    """

    every: str
    models: tuple[str, ...]
    split: pd.Timestamp
    frame: pd.DataFrame = field(repr=False)
    ratios: pd.DataFrame

    def of(self, model: str) -> pd.DataFrame:
        """Rows of one model."""
        return self.frame[self.frame["model"] == model].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a model and period."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = "Expected over actual repeat purchases, in the calibration period and after it."
        table = self.ratios.to_html(index=False, escape=True, float_format="{:.4f}".format)
        return f"<p>{html.escape(note)}</p>{table}"


def tracking(models: Predictors, split: HoldoutSplit, every: Every = "week") -> Tracking:
    """Set expected repeat purchases against the actual ones over time.

    Parameters
    ----------
    models : model, sequence of models, or mapping from names
        Models fitted on `split.calibration`.
    split : HoldoutSplit
        From :func:`keycustomer.lifetime.split_holdout`.
    every : {"day", "week", "month", "quarter", "year"}
        Length of a period; one ends on the day of the split.

    Returns
    -------
    Tracking
        The customers of the split only: those won later are in neither line.

    Raises
    ------
    ValueError
        When `every` is unknown, or a model has seen the holdout period.

    Notes
    -----
    What is expected by a day is the sum over customers of the repeat purchases expected of a
    customer won on the day it was won (Fader, Hardie & Lee 2005, section 4); nothing that a
    customer did after its first purchase enters.
    """
    if every not in OFFSETS:
        raise ValueError(f"every={every!r}: one of {', '.join(map(repr, OFFSETS))} is needed")
    periods = _periods(split, every)
    ends = ((periods["end"] - pd.Timestamp(split.start)).dt.days + 1).to_numpy()
    actual = np.cumsum(np.append(0.0, split.daily["repeats"]))
    parts = [
        _tracked(periods, ends, actual, _expected_by_day(name, model, split)).assign(model=name)
        for name, model in named_models(models).items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "model", frame.pop("model"))
    names = tuple(frame["model"].unique())
    return Tracking(every, names, pd.Timestamp(split.split), frame, _ratios(frame))


def _periods(split: HoldoutSplit, every: str) -> pd.DataFrame:
    """First and last days of periods; one begins on the day after the split."""
    first, last = pd.Timestamp(split.start), pd.Timestamp(split.end)
    border = pd.Timestamp(split.split) + pd.Timedelta(days=1)
    length = days_in(every)
    before = math.ceil(split.calibration_days / length) + 1
    after = math.ceil(split.holdout_days / length) + 1
    # counted from the border: adding months again and again would move the day of the month
    starts = pd.DatetimeIndex([border + OFFSETS[every](n) for n in range(-before, after + 1)])
    starts, ends = starts[:-1], starts[1:] - pd.Timedelta(days=1)
    met = (ends >= first) & (starts <= last)
    starts, ends = starts[met], ends[met]
    return pd.DataFrame(
        {
            "start": starts.where(starts >= first, first),
            "end": ends.where(ends <= last, last),
            "complete": (starts >= first) & (ends <= last),
            "holdout": starts >= border,
        }
    )


def _expected_by_day(name: str, model: Any, split: HoldoutSplit) -> FloatArray:
    """Repeat purchases expected by the end of each number of days since the first."""
    if not hasattr(model, "expected_purchases_new"):
        raise TypeError(
            f"models[{name!r}]: a fitted model is needed, which says what to expect of a new "
            f"customer; got {type(model).__name__}"
        )
    refuse_foreknowledge(name, model, split)
    days = len(split.daily)
    age = np.arange(days) / days_in(model.unit)
    won = split.daily["won"].to_numpy(np.float64)
    each = np.asarray(model.expected_purchases_new(age), dtype=np.float64)
    return np.append(0.0, np.convolve(won[: split.calibration_days], each)[:days])


def _tracked(
    periods: pd.DataFrame, ends: np.ndarray, actual: FloatArray, expected: FloatArray
) -> pd.DataFrame:
    sums = {"actual": actual[ends], "expected": expected[ends]}
    each = {name: np.diff(total, prepend=0.0) for name, total in sums.items()}
    cumulative = {f"cumulative_{name}": total for name, total in sums.items()}
    return periods.assign(**each, **cumulative)


def _ratios(frame: pd.DataFrame) -> pd.DataFrame:
    sums = frame.groupby(["model", "holdout"], sort=False)[["expected", "actual"]].sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(sums["actual"] > 0, sums["expected"] / sums["actual"], np.nan)
    wide = pd.Series(ratio, sums.index).unstack("holdout")
    wide = wide.rename(columns={False: "calibration", True: "holdout"})
    wide = wide.loc[frame["model"].unique()]
    return wide.rename_axis(columns=None).reset_index()


@dataclass(frozen=True, eq=False)
class GroupedPurchases:
    """Mean actual and predicted holdout purchases of groups of customers.

    Attributes
    ----------
    by : str
        What the groups share: `frequency`, `recency`, or `prediction`.
    predictors : tuple of str
        Names of the models, or models and baselines.
    frame : DataFrame
        One row a predictor and group: predictor, group, customers, actual, lower, upper (mean
        holdout purchases of the group and its interval), predicted (mean).
    level : float
        Confidence level of the intervals.
    """

    by: str
    predictors: tuple[str, ...]
    frame: pd.DataFrame = field(repr=False)
    level: float = 0.95

    def of(self, predictor: str) -> pd.DataFrame:
        """Rows of one predictor."""
        return self.frame[self.frame["predictor"] == predictor].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a predictor and group."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = f"Mean holdout purchases per customer, customers grouped by {self.by}."
        table = self.frame.to_html(index=False, escape=True, float_format="{:,.3f}".format)
        return f"<p>{html.escape(note)}</p>{table}"


def conditional_expectation(
    models: Predictors,
    split: HoldoutSplit,
    by: Grouping = "frequency",
    *,
    groups: int = 8,
    unit: str = "week",
    draws: int = 500,
    seed: Seed = 0,
    level: float = 0.95,
) -> GroupedPurchases:
    """Set holdout purchases against what was expected, customers grouped by their history.

    Parameters
    ----------
    models : model, sequence of models, or mapping
        As in :func:`keycustomer.lifetime.predict_holdout`.
    split : HoldoutSplit
        From :func:`keycustomer.lifetime.split_holdout`.
    by : {"frequency", "recency"}
        What the customers of a group share: repeat purchases in the calibration period, or the
        age at the last of them (those who never came back are a group of their own).
    groups : int
        Most groups, at least 2.  Every frequency is its own group, the last one open, if that
        covers nine tenths of the customers; else groups have about equally many customers.
        Recency is cut into equal lengths of time.
    unit : str
        Unit of time of the recency.
    draws, seed, level
        Bootstrap of customers for the intervals of what they bought.

    Returns
    -------
    GroupedPurchases

    Raises
    ------
    ValueError
        When `by` is unknown, or there are too few groups.
    """
    if by not in ("frequency", "recency"):
        raise ValueError(f"by={by!r}: 'frequency' or 'recency' is needed")
    if groups < 2:
        raise ValueError(f"groups={groups!r}: at least 2 are needed")
    predictions = predict_holdout(models, split)
    table = split.calibration
    if by == "frequency":
        labels, place = _frequency_classes(table["frequency"].to_numpy(), groups)
    else:
        labels, place = _recency_classes(table["recency"].to_numpy() / days_in(unit), groups, unit)
    return _grouped(predictions, labels, place, by, (draws, seed, level))


def _frequency_classes(frequency: np.ndarray, groups: int) -> tuple[list[str], np.ndarray]:
    """Labels of classes of frequencies, and each customer's class."""
    lower = np.arange(min(groups, int(frequency.max()) + 1))
    if (frequency < groups - 1).mean() < MOST_SINGLE:
        cuts = np.quantile(frequency, np.arange(1, groups) / groups, method="higher")
        lower = np.unique(np.append(frequency.min(), cuts))
    place = np.searchsorted(lower, frequency, side="right") - 1
    last = [*(lower[1:] - 1), frequency.max()]
    labels = [
        f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"
        for low, high in zip(lower, last, strict=True)
    ]
    if lower[-1] < frequency.max():
        labels[-1] = f"{lower[-1]:.0f}+"
    kept, place = np.unique(place, return_inverse=True)
    return [labels[n] for n in kept], place


def _recency_classes(recency: FloatArray, groups: int, unit: str) -> tuple[list[str], np.ndarray]:
    """Labels of lengths of recency, and each customer's class; who never came back is first."""
    width = max(1, math.ceil(recency.max() / (groups - 1)))
    place = np.ceil(recency / width).astype(int)
    kept, place = np.unique(place, return_inverse=True)
    labels = [
        f"{width * (n - 1)} to {width * n} {unit}s" if n else "never came back"
        for n in kept.tolist()
    ]
    return labels, place


def _grouped(
    predictions: HoldoutPredictions,
    labels: Sequence[str],
    place: np.ndarray,
    by: str,
    resampling: tuple[int, Seed, float],
) -> GroupedPurchases:
    count = len(labels)
    sizes = np.bincount(place, minlength=count)
    actual = np.bincount(place, predictions.purchases, count) / sizes
    lower, upper = _mean_intervals(place, predictions.purchases, count, resampling)
    parts = [
        pd.DataFrame(
            {
                "predictor": name,
                "group": labels,
                "customers": sizes,
                "actual": actual,
                "lower": lower,
                "upper": upper,
                "predicted": np.bincount(place, predictions.frame[name], count) / sizes,
            }
        )
        for name in predictions.models
    ]
    frame = pd.concat(parts, ignore_index=True)
    return GroupedPurchases(by, tuple(predictions.models), frame, resampling[-1])


def _mean_intervals(
    place: np.ndarray, purchases: FloatArray, count: int, resampling: tuple[int, Seed, float]
) -> tuple[FloatArray, FloatArray]:
    """Intervals of the groups' means; NaN where a resample may leave a group empty."""
    draws, seed, level = resampling
    pairs = pd.DataFrame({"place": place, "bought": purchases})
    alike = pairs.value_counts(sort=False).sort_index().reset_index()
    inside = np.equal.outer(alike["place"].to_numpy(), np.arange(count)).astype(float)
    bought = inside * alike["bought"].to_numpy()[:, None]

    def means(weights: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):
            return (weights @ bought) / (weights @ inside)

    cloud = bootstrap(means, alike["count"].to_numpy(), draws=draws, seed=seed)
    lower, upper = np.array([percentile_interval(column, level) for column in cloud.T]).T
    return lower, upper


def calibration_table(
    models: Predictors,
    split: HoldoutSplit,
    *,
    groups: int = 10,
    draws: int = 500,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> GroupedPurchases:
    """Set holdout purchases against predicted ones, customers grouped by the prediction.

    Parameters
    ----------
    models : model, sequence of models, or mapping
        As in :func:`keycustomer.lifetime.predict_holdout`.
    split : HoldoutSplit
        From :func:`keycustomer.lifetime.split_holdout`.
    groups : int
        Number of equal groups of customers, the first with the highest predictions.  Customers of
        equal predictions share the groups they span in equal parts.
    draws, seed, level
        Bootstrap of customers for the intervals of what they bought.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Returns
    -------
    GroupedPurchases
        Models first, then the naive baselines.

    Raises
    ------
    ValueError
        When there are fewer customers than groups, or fewer than two groups.
    """
    if not 2 <= groups <= split.customers:
        raise ValueError(
            f"groups={groups!r}: between 2 and the number of customers ({split.customers:,}) are "
            "needed"
        )
    predictions = predict_holdout(models, split)
    sizes, (predicted, actual) = equal_customers(predictions)
    parts = []
    for name, column in zip(predictions.kinds, predicted, strict=True):
        if name == FORESIGHT:
            continue
        cut = _Cut(column, actual, groups)
        cloud = bootstrap(cut, sizes, draws=draws, seed=seed, progress=progress)
        parts.append(_calibrated(name, cut, sizes, cloud, level))
    frame = pd.concat(parts, ignore_index=True)
    return GroupedPurchases("prediction", (*predictions.models, *BASELINES), frame, level)


class _Cut:
    """Means of values over equal groups of customers by falling prediction."""

    def __init__(self, predicted: FloatArray, actual: FloatArray, groups: int) -> None:
        self.ranking, self.predicted, self.actual = Ranking(predicted), predicted, actual
        self.groups = groups

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Mean actual purchases of the groups, shape (rows, groups)."""
        return self.means(weights, self.actual)

    def means(self, weights: FloatArray, values: FloatArray) -> FloatArray:
        return self.ranking.group_means(weights, values, groups=self.groups)


def _calibrated(
    name: str, cut: _Cut, sizes: FloatArray, cloud: FloatArray, level: float
) -> pd.DataFrame:
    lower, upper = np.array([percentile_interval(column, level) for column in cloud.T]).T
    return pd.DataFrame(
        {
            "predictor": name,
            "group": np.arange(1, cut.groups + 1),
            "customers": sizes.sum() / cut.groups,
            "actual": cut(sizes[None, :])[0],
            "lower": lower,
            "upper": upper,
            "predicted": cut.means(sizes[None, :], cut.predicted)[0],
        }
    )
