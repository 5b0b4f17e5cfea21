"""Qini and profit curves: what is gained by how far down a list the offer goes.

Order the customers by a score, give the offer to the first share of them: how many more stay
(:func:`qini_curves`), and what is earned (:func:`profit_curves`)?  A score that knows nothing gains
in proportion, on a straight line; the area between a curve and that line is the Qini measure, here
in units of the outcome a customer, not divided by that of a perfect order.

Without `fitted` the gain down to a depth is Radcliffe's: outcome of those with the offer there,
less that of those without, scaled to the same number, and divided by the customers with the offer
in all.  With it, doubly robust scores are summed, which is less noisy and also right where the
offer was not given by lot.  Intervals resample customers and hold the scores fixed.

Source: Radcliffe (2007), "Using control groups to target on predicted lift", Direct Marketing
Analytics Journal 1, 14-21; Radcliffe & Surry (2011), Stochastic Solutions white paper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.targeting.cross_fit import FittedUplift
from keycustomer.relationships.targeting.ranking import Ranking
from keycustomer.relationships.targeting.trial import Trial
from keycustomer.stats import Estimate, bootstrap, percentile_interval
from keycustomer.stats.bootstrap import Progress, Seed, bootstrap_estimate, checked_level
from keycustomer.stats.samples import FloatArray

POINTS = 101
"""Depths at which a curve is told, from nobody to everybody."""

Curve = Callable[[Ranking, FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class GainCurves:
    """What each rule gains by depth.

    Attributes
    ----------
    quantity : {"outcome", "money"}
        What is gained.
    unit : str
        Unit of the gain, per customer of all customers.
    customers : int
        Customers in the trial.
    curves : DataFrame
        rule, depth (share with the offer, 0..1), gain, lower, upper (at each depth).
    area : dict of str to Estimate
        Qini measure of each rule: area between its curve and the straight line.
    method : str
        How gains were measured.
    """

    quantity: str
    unit: str
    customers: int
    curves: pd.DataFrame = field(repr=False)
    area: dict[str, Estimate]
    method: str

    @property
    def rules(self) -> list[str]:
        """Names of the rules."""
        return list(self.area)

    def curve(self, rule: str) -> pd.DataFrame:
        """Give one rule's curve.

        Raises
        ------
        KeyError
            When there is no such rule.
        """
        if rule not in self.area:
            raise KeyError(f"no rule {rule!r}; there is: {', '.join(self.area)}")
        return self.curves[self.curves["rule"] == rule].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """One row a rule: area with its interval, best depth and gain there, gain of everybody."""
        rows = []
        for rule, area in self.area.items():
            curve = self.curve(rule)
            best = curve.iloc[int(curve["gain"].argmax())]
            rows.append(
                {"rule": rule, "area": area.estimate, "lower": area.lower, "upper": area.upper}
                | {"best_depth": best["depth"], "best_gain": best["gain"]}
                | {"gain_of_all": curve["gain"].iloc[-1]}
            )
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        from keycustomer.customers.rendering import report_html

        said = [f"Gains in {self.unit}, {self.customers:,} customers, {self.method}."]
        table = self.to_frame().rename(columns={"lower": "area from", "upper": "area to"})
        return report_html("Gain by depth", said, {"Rules": table})


def qini_curves(
    trial: Trial,
    rules: pd.DataFrame,
    fitted: FittedUplift | None = None,
    *,
    points: int = POINTS,
    draws: int = 500,
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> GainCurves:
    """Tell how much of the outcome is gained by depth, for each rule.

    Parameters
    ----------
    trial : Trial
        From :func:`keycustomer.relationships.read_trial`.
    rules : DataFrame
        One row a customer of the trial, one column of scores a rule.
    fitted : FittedUplift, optional
        With it gains are doubly robust; without it Radcliffe's, which needs an offer by lot.
    points : int
        Depths, from nobody to everybody.
    draws, level, seed, progress
        Bootstrap of customers.

    Returns
    -------
    GainCurves

    Raises
    ------
    ValueError
        When the scores are not those of the trial's customers, or there is neither a known
        propensity nor `fitted`.
    """
    return _gain_curves(trial, rules, fitted, "outcome", (points, draws, level, seed, progress))


def profit_curves(
    trial: Trial,
    rules: pd.DataFrame,
    fitted: FittedUplift | None = None,
    *,
    points: int = POINTS,
    draws: int = 500,
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> GainCurves:
    """Tell how much money is earned by depth, costs of the offer taken off, for each rule.

    Parameters and errors are those of :func:`qini_curves`.
    """
    return _gain_curves(trial, rules, fitted, "money", (points, draws, level, seed, progress))


_Settings = tuple[int, int, float, Seed, Progress | None]


def _gain_curves(
    trial: Trial,
    rules: pd.DataFrame,
    fitted: FittedUplift | None,
    quantity: str,
    settings: _Settings,
) -> GainCurves:
    points, draws, level, seed, progress = settings
    checked_level(level)
    depths = np.linspace(0, 1, whole_number(points, "points", of="depths", least=2))
    rankings = rankings_of(trial, rules, depths)
    measured, method = _measured(trial, fitted, quantity)
    n, names = len(trial), list(rankings)

    def curves(weights: FloatArray) -> FloatArray:
        return np.hstack([measured(rankings[name], weights) for name in names])

    point = curves(np.ones((1, n)))[0].reshape(len(names), points)
    drawn = bootstrap(curves, np.ones(n), draws=draws, seed=seed, progress=progress)
    drawn = drawn.reshape(len(drawn), len(names), points)
    unit = "currency a customer" if quantity == "money" else "outcome a customer"
    area = {
        name: bootstrap_estimate(
            float(_area(point[k], depths)), _area(drawn[:, k], depths), unit=unit, n=n, level=level
        )
        for k, name in enumerate(names)
    }
    told = [_told(name, depths, point[k], drawn[:, k], level) for k, name in enumerate(names)]
    return GainCurves(quantity, unit, n, pd.concat(told, ignore_index=True), area, method)


def _told(
    rule: str, depths: FloatArray, gain: FloatArray, drawn: FloatArray, level: float
) -> pd.DataFrame:
    ends = np.array([percentile_interval(column, level) for column in drawn.T])
    return pd.DataFrame(
        {"rule": rule, "depth": depths, "gain": gain, "lower": ends[:, 0], "upper": ends[:, 1]}
    )


def _area(gain: FloatArray, depths: FloatArray) -> FloatArray:
    """Area between curves and the straight line to their ends, by trapezia."""
    return np.trapezoid(gain, depths, axis=-1) - gain[..., -1] / 2


def _measured(trial: Trial, fitted: FittedUplift | None, quantity: str) -> tuple[Curve, str]:
    """Give the function that measures a ranking's curve under weights, and what it is called."""
    if fitted is not None:
        return _summed(fitted.money_gain if quantity == "money" else fitted.outcome_gain)
    if trial.propensity is None:
        raise ValueError(
            "propensity: the offer was not given by lot, so groups down to a depth cannot be "
            "compared as they are; give `fitted` from cross_fit_uplift"
        )
    return _radcliffe(trial, trial.money if quantity == "money" else trial.outcome)


def _summed(gains: FloatArray) -> tuple[Curve, str]:
    """Mean of scores down to each depth."""

    def curve(ranking: Ranking, weights: FloatArray) -> FloatArray:
        return ranking.sums(gains, weights) / weights.sum(axis=1, keepdims=True)

    return curve, "doubly robust"


def _radcliffe(trial: Trial, observed: FloatArray) -> tuple[Curve, str]:
    """Outcome of those with the offer less that of those without, scaled to their number."""
    chance = np.asarray(trial.propensity)
    mine = trial.treated / chance
    others = ~trial.treated / (1 - chance)

    def curve(ranking: Ranking, weights: FloatArray) -> FloatArray:
        offered, without = ranking.sums(mine, weights), ranking.sums(others, weights)
        scale = np.divide(offered, without, out=np.zeros_like(offered), where=without > 0)
        gained = ranking.sums(mine * observed, weights)
        gained -= scale * ranking.sums(others * observed, weights)
        return np.where(without > 0, gained, 0.0) / offered[:, -1:]

    return curve, "difference of the groups down to each depth (Radcliffe)"


def rankings_of(trial: Trial, rules: pd.DataFrame, depths: FloatArray) -> dict[str, Ranking]:
    """Order a trial's customers by the scores of each rule, cut at some depths.

    Raises
    ------
    ValueError
        When the scores are of other customers, or some are unknown.
    """
    if not rules.index.equals(trial.customers):
        raise ValueError(
            f"rules: {len(rules):,} rows of scores, and not of the trial's {len(trial):,} "
            "customers in their order; use targeting_rules, or reindex with trial.customers"
        )
    if not rules.columns.size:
        raise ValueError("rules: no column of scores; give at least one")
    unknown = [str(name) for name in rules if not np.isfinite(rules[name].to_numpy(float)).all()]
    if unknown:
        raise ValueError(
            f"rules: scores of {', '.join(map(repr, unknown))} are unknown or infinite for some "
            "customers; give every customer a score"
        )
    return {str(name): Ranking.of(rules[name].to_numpy(float), depths) for name in rules}
