"""Expected regression to the mean: how much of last period's stars' fall was to be foreseen.

The best customers of one period bring less in the next.  Is that churn?  :func:`foreseen_fall`
ranks the customers of a split by what they brought in the calibration period, and sets beside what
each group brought in the holdout period what a model fitted before it expected of them.  The fall
then has three parts:

- what does not come again: first purchases, and the luck that put them on top;
- who has left: customers that the model gives up, by their silence before the split;
- what was not foreseen: the rest, and only this calls for an explanation.

The chapter on Pareto analysis tells luck apart without a model (`pareto.regression_to_mean`); here
leaving is told apart as well, and the expectation needs nothing of the second period.

Sources: Schmittlein, Morrison & Colombo (1987), Management Science 33, for conditional expectations
by past purchases; Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", for spend.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.lifetime.histories import read_histories
from keycustomer.lifetime.ranking import Ranking
from keycustomer.lifetime.spend.gammagamma import GammaGamma
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.lifetime.validation.holdout import HoldoutSplit
from keycustomer.lifetime.validation.predictions import refuse_foreknowledge
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, percentile_interval
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

MEANS = ("first", "second", "expected", "if_alive")
"""Means of every group."""

DIGITS = 6
"""Decimals by which customers are ranked: sums of equal amounts are equal customers."""


@dataclass(frozen=True, eq=False)
class ForeseenFall:
    """What groups of customers brought in two periods, and what a model expected of the second.

    Attributes
    ----------
    model : str
        Name of the model.
    value : str
        `purchases` (days) or `revenue`.
    customers : int
        Customers followed: all groups together.
    first, second : str
        The periods.
    frame : DataFrame
        One row a group, the best first: ``group``, ``customers``, and per customer ``first``
        (brought in the first period), ``same_again`` (as much in the second, scaled to its
        length), ``if_alive`` (expected if nobody had left by the split), ``expected``, ``second``
        (brought) with its interval ``lower``, ``upper``, ``full_persistence`` (if everybody kept
        the same multiple of the mean) and ``no_persistence`` (if nobody differed).
    foreseen : Estimate
        Share of the best group's fall below `same_again` that the model expected; above 1 when it
        fell less than expected, NaN when it did not fall.
    """

    model: str
    value: str
    customers: int
    first: str
    second: str
    frame: pd.DataFrame = field(repr=False)
    foreseen: Estimate

    def parts(self) -> pd.DataFrame:
        """Split the fall of every group.

        Returns
        -------
        DataFrame
            One row a group, per customer: ``group``, ``fall`` (below `same_again`) and its parts
            ``not_repeated``, ``left``, ``not_foreseen``.
        """
        known = self.frame
        return pd.DataFrame(
            {
                "group": known["group"],
                "fall": known["same_again"] - known["second"],
                "not_repeated": known["same_again"] - known["if_alive"],
                "left": known["if_alive"] - known["expected"],
                "not_foreseen": known["expected"] - known["second"],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the table of the groups."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = html.escape(
            f"Mean {self.value} per customer from {self.first} and from {self.second}, by group of "
            f"the first period, beside what {self.model} expected. Share of the best group's fall "
            f"that was to be foreseen: {self.foreseen}."
        )
        table = self.frame.to_html(index=False, escape=True, float_format="{:,.3f}".format)
        return f"<p>{note}</p>{table}"


def foreseen_fall(
    model: TransactionModel,
    split: HoldoutSplit,
    *,
    spend: GammaGamma | None = None,
    groups: int = 10,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> ForeseenFall:
    """Set the second period's value of every group of the first beside what a model expected.

    Parameters
    ----------
    model : TransactionModel
        Fitted on `split.calibration`.
    split : HoldoutSplit
        From :func:`keycustomer.lifetime.split_holdout`.
    spend : GammaGamma, optional
        Model of spend fitted on `split.calibration`: customers are then ranked, and followed, by
        revenue instead of purchases.
    groups : int
        Number of equal groups of customers: 10 for deciles, 5 for the top fifth.  Customers of
        equal value share the groups they span in equal parts, so that ids decide nothing.
    draws, seed, level
        Bootstrap of customers for the intervals; the model is held as it is.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Returns
    -------
    ForeseenFall

    Raises
    ------
    ValueError
        When the model has seen the holdout period, revenue is not known, spend has no mean, or
        there are fewer customers than groups.
    """
    refuse_foreknowledge(model.model, model, split)
    if not 2 <= groups <= split.customers:
        raise ValueError(
            f"groups={groups}: between 2 and the number of customers ({split.customers}) are needed"
        )
    columns = _columns(model, split, spend)
    ranking = Ranking(np.round(columns[0], DIGITS))

    def means(weights: FloatArray) -> FloatArray:
        return ranking.group_means(weights, *columns, groups=groups)

    ones = np.ones((1, split.customers))
    point = means(ones)
    drawn = bootstrap(means, ones[0], draws=draws, seed=seed, progress=progress)
    ratio = split.holdout_days / split.calibration_days
    foreseen = bootstrap_estimate(
        _foreseen(point, groups, ratio)[0],
        _foreseen(drawn, groups, ratio),
        unit="share of the fall",
        n=split.customers,
        level=level,
    )
    return ForeseenFall(
        model.model,
        "purchases" if spend is None else "revenue",
        split.customers,
        f"{split.start} to {split.split}",
        f"{split.split + pd.Timedelta(days=1)} to {split.end}",
        _table(point, drawn, groups, ratio, split.customers, level),
        foreseen,
    )


def _columns(
    model: TransactionModel, split: HoldoutSplit, spend: GammaGamma | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """First and second period's value, and what the model expects, one number a customer."""
    table = split.calibration
    horizon = split.horizon(model.unit)
    expected = model.expected_purchases(horizon, table)
    if_alive = _if_alive(model, table, horizon)
    if spend is None:
        first = table["frequency"].to_numpy(float) + 1
        return first, split.purchases, expected, if_alive
    if np.isnan(split.revenue).any():
        raise ValueError(
            "spend: the split knows no revenue; split a table of purchases with amounts, or leave "
            "spend out to follow purchases"
        )
    each = spend.expected_spend(table)
    return table["revenue"].to_numpy(float), split.revenue, expected * each, if_alive * each


def _if_alive(model: TransactionModel, table: pd.DataFrame, horizon: float) -> FloatArray:
    """Purchases expected of every customer if it has not left by now."""
    known = read_histories(table, unit=model.unit, keep_customers=True)
    ahead = np.asarray(horizon)
    return known.per_customer(model._purchases_if_alive(ahead, known.frequency, known.T))


def _by_name(statistics: FloatArray, groups: int) -> dict[str, FloatArray]:
    """Means (draws, groups) by name."""
    return {
        name: statistics[:, place * groups : (place + 1) * groups]
        for place, name in enumerate(MEANS)
    }


def _foreseen(statistics: FloatArray, groups: int, ratio: float) -> FloatArray:
    """Share of the best group's fall that was expected; NaN where it did not fall."""
    best = {name: means[:, 0] for name, means in _by_name(statistics, groups).items()}
    fall = ratio * best["first"] - best["second"]
    expected = ratio * best["first"] - best["expected"]
    return np.divide(expected, fall, out=np.full(fall.size, math.nan), where=fall > 0)


def _table(
    point: FloatArray, drawn: FloatArray, groups: int, ratio: float, customers: int, level: float
) -> pd.DataFrame:
    means = {name: values[0] for name, values in _by_name(point, groups).items()}
    seconds = _by_name(drawn, groups)["second"].T
    lower, upper = np.array([percentile_interval(column, level) for column in seconds]).T
    mean = means["second"].mean()
    kept = mean * means["first"] / means["first"].mean() if means["first"].any() else math.nan
    return pd.DataFrame(
        {
            "group": np.arange(1, groups + 1),
            "customers": customers / groups,
            "first": means["first"],
            "same_again": ratio * means["first"],
            "if_alive": means["if_alive"],
            "expected": means["expected"],
            "second": means["second"],
            "lower": lower,
            "upper": upper,
            "full_persistence": kept,
            "no_persistence": mean,
        }
    )
