"""Attracting against keeping: what a customer costs on average, and what the next one costs.

Question: it is said to cost five times as much to win a customer as to keep one; should the firm
then spend more on keeping?  The ratio says nothing of that as long as it compares averages.  Most
customers would have stayed anyway, so that the money for keeping is spread over many who did not
need it, and the average is low; what the *next* customer kept costs can be a hundred times as much.
Only marginal costs tell where the next unit of currency should go (Pfeifer 2005).

:func:`attracting_against_keeping` puts both beside each other for a spending plan;
:func:`cost_by_level` computes both from data, from what several levels of care cost and how many
customers stay under each.

Source: Pfeifer (2005), Journal of Targeting, Measurement and Analysis for Marketing 13(2),
179-188.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.economics.spending import SpendingPlan
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.estimate import verdict_above
from keycustomer.stats.samples import FloatArray

EVEN = 1e-6
"""Relative difference up to which two marginal costs count as the same."""


@dataclass(frozen=True, eq=False)
class AttractingKeeping:
    """Costs of winning and of keeping a customer under a spending plan.

    Attributes
    ----------
    plan : SpendingPlan
        The plan.
    """

    plan: SpendingPlan

    @property
    def average_ratio(self) -> float:
        """Average cost of winning a customer over that of keeping one."""
        return _ratio(self.plan.average_acquisition_cost, self.plan.average_retention_cost)

    @property
    def marginal_ratio(self) -> float:
        """Cost of winning one customer more over that of keeping one more."""
        return _ratio(self.plan.marginal_acquisition_cost, self.plan.marginal_retention_cost)

    @property
    def move(self) -> str:
        """Where the next unit of currency is worth more.

        "keeping" or "winning", or "neither" where both cost the same or the next customer is worth
        less than it costs either way.
        """
        winning, keeping = (self.plan.marginal_acquisition_cost, self.plan.marginal_retention_cost)
        cheapest = min(winning, keeping)
        if math.isclose(winning, keeping, rel_tol=EVEN) or cheapest >= self.plan.lifetime_value:
            return "neither"
        return "winning" if cheapest == winning else "keeping"

    def to_frame(self) -> pd.DataFrame:
        """List winning and keeping.

        Returns
        -------
        DataFrame
            The rows of :meth:`SpendingPlan.to_frame`, with average_beyond_floor: spending per
            customer who would not have come or stayed anyway, currency.
        """
        beyond = [
            self.plan.acquisition.average_cost(self.plan.acquisition_spending, beyond_floor=True),
            self.plan.retention.average_cost(self.plan.retention_spending, beyond_floor=True),
        ]
        frame = self.plan.to_frame()
        frame.insert(list(frame).index("marginal_cost"), "average_beyond_floor", beyond)
        return frame

    @property
    def reading(self) -> str:
        """What averages say, what margins say, and where the next unit of currency should go."""
        next_step = {
            "keeping": "the next unit of currency does more for keeping",
            "winning": "the next unit of currency does more for winning",
            "neither": "moving money between them gains nothing",
        }[self.move]
        return (
            f"On average winning a customer costs {self.average_ratio:.2g} times as much as "
            f"keeping one; the next one costs {self.marginal_ratio:.2g} times as much: {next_step}."
        )

    def _repr_html_(self) -> str:
        return sentence_html(self.reading, self.to_frame(), numbers=",.4g")


def attracting_against_keeping(plan: SpendingPlan) -> AttractingKeeping:
    """Compare what winning and keeping a customer cost, on average and at the margin.

    Parameters
    ----------
    plan : SpendingPlan
        From :func:`keycustomer.relationships.spending_plan` or `best_spending`.

    Raises
    ------
    TypeError
        When it is no plan.
    """
    if not isinstance(plan, SpendingPlan):
        raise TypeError(f"plan={plan!r} must be a SpendingPlan; make one by spending_plan(...)")
    return AttractingKeeping(plan)


def _ratio(one: float, other: float) -> float:
    return one / other if other > 0 else float("inf")


@dataclass(frozen=True, eq=False)
class CostByLevel:
    """Cost of keeping customers at several levels of care, on average and for one more.

    Attributes
    ----------
    labels : tuple of str
        The levels, from least to most care.
    customers : int
        Customers counted.
    frame : DataFrame
        One row a level: level, cost (of all customers at that level, currency), kept (customers),
        average_cost (per customer kept, with lower, upper), extra_cost and extra_kept (over the
        level before), marginal_cost (per further customer kept, with marginal_lower,
        marginal_upper).  The first level has nothing before it; where no more customers stay,
        there is no such cost (NaN).
    times : Estimate
        Marginal cost of the last level over its average cost.
    """

    labels: tuple[str, ...]
    customers: int
    frame: pd.DataFrame = field(repr=False)
    times: Estimate

    @property
    def verdict(self) -> str:
        """Whether one customer more costs more than customers do on average, at the last level."""
        return verdict_above(self.times, 1.0)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a level."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"{self.customers:,} customers. At the level {self.labels[-1]} one customer more costs "
            f"{self.times} times as much to keep as customers do on average."
        )
        return sentence_html(said, self.frame, numbers=",.4g")


def cost_by_level(
    cost: npt.ArrayLike,
    kept: npt.ArrayLike,
    *,
    labels: Sequence[str] = LEVELS,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> CostByLevel:
    """Compute what keeping customers costs when all are at one level, and what one more costs.

    Parameters
    ----------
    cost : array, shape (customers, levels)
        Cost of each customer at each level over the time looked at, currency.
    kept : array, shape (customers, levels)
        Probability that the customer is still there at its end, or whether it was (0 or 1).
    labels : sequence of str
        Names of the levels, from least to most care.
    draws, seed, progress
        Bootstrap of customers for the intervals.
    level : float
        Confidence level of the intervals, 0..1.

    Raises
    ------
    ValueError
        When shapes do not fit, numbers are not finite, or `kept` holds no probabilities.
    """
    costs, stays = _matrices(cost, kept, labels)
    customers, levels = costs.shape
    sums = np.hstack([costs, stays])
    drawn = bootstrap(
        lambda weights: _ratios(weights @ sums, levels),
        np.ones(customers, dtype=np.int64),
        draws=draws,
        seed=seed,
        progress=progress,
    )
    point = _ratios(sums.sum(axis=0)[None, :], levels)[0]
    lower, upper = _quantiles(drawn, level)
    frame = pd.DataFrame(
        {
            "level": list(labels),
            "cost": costs.sum(axis=0),
            "kept": stays.sum(axis=0),
            "average_cost": point[:levels],
            "lower": lower[:levels],
            "upper": upper[:levels],
            "extra_cost": np.append(np.nan, np.diff(costs.sum(axis=0))),
            "extra_kept": np.append(np.nan, np.diff(stays.sum(axis=0))),
        }
    )
    for name, values in (
        ("marginal_cost", point),
        ("marginal_lower", lower),
        ("marginal_upper", upper),
    ):
        frame[name] = np.append(np.nan, values[levels:-1])
    times = bootstrap_estimate(
        float(point[-1]), drawn[:, -1], unit="times the average cost", n=customers, level=level
    )
    return CostByLevel(tuple(labels), customers, frame, times)


def _ratios(sums: FloatArray, levels: int) -> FloatArray:
    """Average costs, marginal costs and the last over the last, from sums of cost and kept."""
    cost, kept = sums[:, :levels], sums[:, levels:]
    extra = np.diff(kept, axis=1)
    average = cost / np.where(kept > 0, kept, np.nan)
    marginal = np.diff(cost, axis=1) / np.where(extra > 0, extra, np.nan)
    return np.hstack([average, marginal, marginal[:, -1:] / average[:, -1:]])


def _quantiles(drawn: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Cut off equal tails; no ends where some resamples have no such cost."""
    ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return ends[0], ends[1]


def _matrices(
    cost: npt.ArrayLike, kept: npt.ArrayLike, labels: Sequence[str]
) -> tuple[FloatArray, FloatArray]:
    costs, stays = (np.asarray(one, dtype=np.float64) for one in (cost, kept))
    if costs.ndim != 2 or costs.shape != stays.shape or costs.shape[1] != len(labels):
        raise ValueError(
            f"cost and kept need a row a customer and a column for each of the {len(labels)} "
            f"levels ({', '.join(labels)}), got shapes {costs.shape} and {stays.shape}"
        )
    if len(labels) < 2 or not len(costs):
        raise ValueError("at least two levels and one customer are needed to compare costs")
    for name, one in (("cost", costs), ("kept", stays)):
        if not np.isfinite(one).all():
            at = np.argwhere(~np.isfinite(one))[0]
            raise ValueError(f"{name}: not finite at customer {at[0]}, level {labels[at[1]]}")
    if ((stays < 0) | (stays > 1)).any():
        raise ValueError(f"kept: probabilities from 0 to 1 are needed, got up to {stays.max():g}")
    return costs, stays
