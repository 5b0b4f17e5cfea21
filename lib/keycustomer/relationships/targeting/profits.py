"""What a rule of choice earns: the profit of giving the offer to those it puts first.

:func:`targeting_profits` tells for each rule what the offer earns at a fixed depth, the same for
all rules, at each rule's own best depth, and, for rules whose score is what the offer is expected
to earn, where that is above zero.  The best depth is not read off the curve it is then judged by,
which would flatter it: for each part of the customers it is the one that was best in the other
parts.

Profits come from doubly robust scores of customers whom the models had not seen.  Rules are
compared on the same resamples of customers, so that the interval of a difference is that of the
difference.  Models and scores are held fixed: intervals tell how far another sample of customers
would judge these scores differently, not how far other data would have given other scores.

:func:`targeting_value` judges any choice of customers, also one made by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.relationships.targeting.cross_fit import FittedUplift
from keycustomer.relationships.targeting.curves import rankings_of
from keycustomer.relationships.targeting.learners import IntArray
from keycustomer.relationships.targeting.ranking import Ranking
from keycustomer.relationships.targeting.rules import RANDOM, RISK, earns
from keycustomer.relationships.targeting.trial import BoolArray, Trial
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, share_of, verdict_above
from keycustomer.stats.bootstrap import Progress, Seed, Statistic, checked_level
from keycustomer.stats.samples import FloatArray

FIXED, BEST, WORTH = "fixed depth", "best depth", "gain above 0"
"""Where a rule stops."""

GRID = np.linspace(0, 1, 101)
"""Depths among which the best is sought."""

UNIT = "currency a customer"


@dataclass(frozen=True, eq=False)
class TargetingProfits:
    """What each rule of choice earns.

    Attributes
    ----------
    depth : float
        The fixed depth, share of the customers.
    customers : int
        Customers in the trial.
    profits : dict of (rule, stop) to Estimate
        Profit of the offer against giving it to nobody, currency a customer of all customers.
    gaps : dict of (rule, other, stop) to Estimate
        Profit of a rule less that of another with the same stop, or with its own best depth where
        the first one stops at gains above 0.
    chosen : dict of (rule, stop) to ndarray, shape (n,)
        Share of the offer each customer gets, 1 for those chosen; shares below 1 are of customers
        with the same score among whom the rule has to draw lots.
    """

    depth: float
    customers: int
    profits: dict[tuple[str, str], Estimate]
    gaps: dict[tuple[str, str, str], Estimate] = field(repr=False)
    chosen: dict[tuple[str, str], FloatArray] = field(repr=False)

    def gap(self, rule: str, other: str = RISK, stop: str = BEST) -> Estimate:
        """Profit of a rule less that of another, currency a customer.

        Raises
        ------
        KeyError
            When the two were not compared.
        """
        if (rule, other, stop) not in self.gaps:
            rules = ", ".join(dict.fromkeys(name for name, _ in self.profits))
            raise KeyError(
                f"no gap of {rule!r} and {other!r} at {stop!r}; rules: {rules}; stops: {FIXED}, "
                f"{BEST}, and for uplift x value {WORTH}"
            )
        return self.gaps[rule, other, stop]

    def verdict(self, rule: str, other: str = RISK, stop: str = BEST) -> str:
        """Verdict on the claim that a rule earns more than another, see `stats.verdict_above`."""
        return verdict_above(self.gap(rule, other, stop), 0.0)

    def truth(self, true_gain: FloatArray) -> pd.Series:
        """Tell what the choices really earn, where each customer's true gain is known.

        Parameters
        ----------
        true_gain : ndarray, shape (n,)
            True gain of the offer by customer of the trial, currency.

        Returns
        -------
        Series
            By rule and stop, currency a customer.
        """
        earned = {key: float(share @ true_gain) / len(share) for key, share in self.chosen.items()}
        return pd.Series(earned, name="truth").rename_axis(["rule", "stop"])

    def to_frame(self) -> pd.DataFrame:
        """One row a rule and stop: share chosen, profit with interval, gaps to random and risk."""
        rows = []
        for (rule, stop), profit in self.profits.items():
            row = {"rule": rule, "stop": stop, "chosen": float(self.chosen[rule, stop].mean())}
            row |= {"profit": profit.estimate, "lower": profit.lower, "upper": profit.upper}
            for other in (RANDOM, RISK):
                gap = self.gaps.get((rule, other, stop))
                row[f"over {other}"] = np.nan if gap is None else gap.estimate
            rows.append(row)
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        from keycustomer.customers.rendering import report_html

        said = [
            f"Profit of the offer in {UNIT}, all {self.customers:,} customers counted; fixed depth "
            f"{self.depth:.0%}.",
            "Best depths were chosen on other customers than those they are judged by.",
        ]
        table = self.to_frame().rename(columns={"lower": "profit from", "upper": "profit to"})
        return report_html("Profit of rules of choice", said, {"Rules": table})


def targeting_profits(
    trial: Trial,
    fitted: FittedUplift,
    rules: pd.DataFrame,
    *,
    depth: float = 0.2,
    draws: int = 500,
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> TargetingProfits:
    """Tell what each rule of choice earns.

    Parameters
    ----------
    trial : Trial
        From :func:`keycustomer.relationships.read_trial`.
    fitted : FittedUplift
        From :func:`keycustomer.relationships.cross_fit_uplift`.
    rules : DataFrame
        Scores from :func:`keycustomer.relationships.targeting_rules`, or others: one row a
        customer, one column a rule.
    depth : float
        Fixed depth, share of the customers.
    draws, level, seed, progress
        Bootstrap of customers.

    Returns
    -------
    TargetingProfits

    Raises
    ------
    ValueError
        When a share is none, or the scores are not those of the trial's customers.
    """
    checked_level(level)
    share_of(depth, "depth")
    rankings = rankings_of(trial, rules, GRID)
    options = [(rule, stop) for rule in rankings for stop in _stops(rule)]
    compared = [(a, b) for a in options for b in _rivals(a, list(rankings)) if a[0] != b[0]]
    positive = {rule: _above_zero(rules, rule) for rule in rankings if earns(rule)}
    judge = _Judge(rankings, positive, fitted.money_gain, fitted.part, depth)

    def statistic(weights: FloatArray) -> FloatArray:
        profit = dict(zip(options, judge.profits(options, weights), strict=True))
        gaps = [profit[a] - profit[b] for a, b in compared]
        return np.column_stack([*profit.values(), *gaps])

    n = len(trial)
    point = statistic(np.ones((1, n)))[0]
    drawn = bootstrap(statistic, np.ones(n), draws=draws, seed=seed, progress=progress)
    estimates = [
        bootstrap_estimate(float(value), drawn[:, k], unit=UNIT, n=n, level=level)
        for k, value in enumerate(point)
    ]
    first, rest = estimates[: len(options)], estimates[len(options) :]
    gaps = {(a[0], b[0], a[1]): gap for (a, b), gap in zip(compared, rest, strict=True)}
    chosen = {option: judge.chosen(*option) for option in options}
    return TargetingProfits(depth, n, dict(zip(options, first, strict=True)), gaps, chosen)


def _stops(rule: str) -> tuple[str, ...]:
    return (FIXED, BEST, WORTH) if earns(rule) else (FIXED, BEST)


def _rivals(option: tuple[str, str], rules: list[str]) -> list[tuple[str, str]]:
    """Options that an option is compared with: all rules at its stop, or else at their best."""
    stop = option[1]
    return [(other, stop if stop in _stops(other) else BEST) for other in rules]


def _above_zero(rules: pd.DataFrame, rule: str) -> FloatArray:
    return (rules[rule].to_numpy(dtype=float) > 0).astype(float)


@dataclass(frozen=True, eq=False)
class _Judge:
    """Rankings and gains, to be summed under any weights of customers."""

    rankings: dict[str, Ranking]
    positive: dict[str, FloatArray]
    gains: FloatArray
    part: IntArray
    depth: float

    def profits(self, options: list[tuple[str, str]], weights: FloatArray) -> list[FloatArray]:
        """Profit of each option a customer, each of shape (rows,)."""
        total = weights.sum(axis=1)
        told = []
        for rule, stop in options:
            if stop == BEST:
                told.append(self._at_best(rule, weights)[0] / total)
            else:
                told.append(weights @ (self.chosen(rule, stop) * self.gains) / total)
        return told

    def _at_best(self, rule: str, weights: FloatArray) -> tuple[FloatArray, IntArray]:
        """Sum gains when each part stops where it was best in the others; and those places."""
        numbers = range(int(self.part.max()) + 1)
        curves = np.array(
            [self.rankings[rule].sums(self.gains * (self.part == k), weights) for k in numbers]
        )
        place = (curves.sum(axis=0) - curves).argmax(axis=2)
        return np.take_along_axis(curves, place[..., None], axis=2)[..., 0].sum(axis=0), place

    def chosen(self, rule: str, stop: str) -> FloatArray:
        """Share of the offer each customer gets, shape (n,)."""
        if stop == WORTH:
            return self.positive[rule]
        if stop == FIXED:
            return self.rankings[rule].offered(self.depth)
        place = self._at_best(rule, np.ones((1, len(self.part))))[1][:, 0]
        at = [self.rankings[rule].offered(float(GRID[p])) for p in place]
        return np.array(at)[self.part, np.arange(len(self.part))]


def targeting_value(
    trial: Trial,
    chosen: Iterable[bool],
    fitted: FittedUplift | None = None,
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: Seed = 0,
) -> Estimate:
    """Tell what giving the offer to some customers, and to nobody else, would have earned.

    Parameters
    ----------
    trial : Trial
        From :func:`keycustomer.relationships.read_trial`.
    chosen : sequence of bool
        Who would get the offer, one a customer; made without the trial's outcomes.
    fitted : FittedUplift, optional
        With it the value is doubly robust; without it customers whose lot agrees with the choice
        are weighted by the inverse of its probability (Hajek), which needs an offer by lot.
    draws, level, seed
        Bootstrap of customers.

    Returns
    -------
    Estimate
        Money earned against giving the offer to nobody, currency a customer.

    Raises
    ------
    ValueError
        When `chosen` is not one truth value a customer, or there is neither a known propensity
        nor `fitted`.
    """
    checked_level(level)
    wanted = _one_each(trial, chosen)
    n = len(trial)
    statistic = _inverse_probability(trial, wanted) if fitted is None else _scores(fitted, wanted)
    point = float(statistic(np.ones((1, n)))[0, 0])
    drawn = bootstrap(statistic, np.ones(n), draws=draws, seed=seed)[:, 0]
    return bootstrap_estimate(point, drawn, unit=UNIT, n=n, level=level)


def _one_each(trial: Trial, chosen: Iterable[bool]) -> BoolArray:
    given = np.asarray(chosen if isinstance(chosen, pd.Series) else list(chosen))
    if given.shape != (len(trial),) or not np.isin(given, (0, 1)).all():
        raise ValueError(
            f"chosen: {given.shape} values, where one true or false a customer of the trial is "
            f"needed ({len(trial):,})"
        )
    return given.astype(bool)


def _scores(fitted: FittedUplift, wanted: BoolArray) -> Statistic:
    """Give the mean score of the chosen, counted over all customers."""
    gains = np.where(wanted, fitted.money_gain, 0.0)

    def statistic(weights: FloatArray) -> FloatArray:
        return (weights @ gains / weights.sum(axis=1))[:, None]

    return statistic


def _inverse_probability(trial: Trial, wanted: BoolArray) -> Statistic:
    """Give the mean money of those treated as chosen, less that of those without the offer."""
    if trial.propensity is None:
        raise ValueError(
            "propensity: the offer was not given by lot; give `fitted` from cross_fit_uplift"
        )
    chance = np.where(trial.treated, trial.propensity, 1 - trial.propensity)
    agree, without = (trial.treated == wanted) / chance, ~trial.treated / chance

    def statistic(weights: FloatArray) -> FloatArray:
        means = [weights @ (w * trial.money) / (weights @ w) for w in (agree, without)]
        return (means[0] - means[1])[:, None]

    return statistic
