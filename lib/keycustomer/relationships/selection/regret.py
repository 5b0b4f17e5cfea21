"""Regret: what a plan misses, as values turn out other than estimated.

How robust is a plan?  In every draw of the values some plan would have been best; a plan's regret
is what it misses to that one: :func:`regret_over_draws`.  No plan has less mean regret than the
best plan for the mean of the draws, and what even that one misses is what perfect information would
be worth.  How often a customer's level is the best one for the draw tells how sure it is
(`certainty`).

Source: Raiffa & Schlaifer (1961), "Applied Statistical Decision Theory", chapter 4 (expected value
of perfect information).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.selection.alternatives import (
    checked_budget,
    read_alternatives,
    read_codes,
)
from keycustomer.relationships.selection.level_selection import Selection, select_levels
from keycustomer.relationships.selection.promises import each_draw
from keycustomer.stats.bootstrap import Progress

TAIL = 0.95
"""Share of draws in which regret is no more than `high`."""


@dataclass(frozen=True, eq=False)
class Regret:
    """What plans miss over draws of the values.

    Attributes
    ----------
    frame : DataFrame
        A row a plan, the best for the mean of the draws first: plan, mean_gain (over the zero
        level for everybody, mean of the draws), mean_regret, high (regret in all but one in twenty
        draws), worst, regret_share (mean regret as a share of the mean best gain); currency.
    certainty : DataFrame
        A row a customer: customer_id, level (by the plan for the mean), certainty (share of draws
        whose best plan gives it the same level).
    robust : Selection
        The best plan for the mean of the draws.
    draws : int
        Number of draws.
    """

    frame: pd.DataFrame = field(repr=False)
    certainty: pd.DataFrame = field(repr=False)
    robust: Selection
    draws: int

    @property
    def perfect_information(self) -> float:
        """What knowing the values before planning would be worth, currency."""
        return float(self.frame["mean_regret"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """One row a plan, a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"Over {self.draws:,} draws of the values; knowing them before would be worth "
            f"{self.perfect_information:,.2f}. {self.certainty['certainty'].mean():.1%} of the "
            "customers' levels are those of the draw's best plan."
        )
        return sentence_html(said, self.frame, numbers=",.3f")


def regret_over_draws(
    plans: Mapping[str, Any],
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    draws: Iterable[Any],
    progress: Progress | None = None,
) -> Regret:
    """Tell what plans miss over draws of the values.

    Parameters
    ----------
    plans : mapping of name to LevelPlan, Series by customer or array of shape (n,)
        Levels, as codes or names.
    value, cost, budget
        As in :func:`select_levels`: the estimates, of which customers, levels and costs are taken.
    draws : array of shape (draws, n, levels), or iterable of arrays of shape (n, levels)
        Values as they may be, such as draws from a posterior distribution.
    progress : callable, optional
        Called with draws done and in all.
    """
    estimates, money = read_alternatives(value, cost), checked_budget(budget)
    pairs = list(each_draw(draws, estimates, None))
    mean = np.mean([drawn.value for _, drawn in pairs], axis=0)
    robust = select_levels(
        mean,
        estimates.cost,
        money,
        customers=estimates.customers,
        levels=estimates.levels,
    )
    named = {"best for the mean": robust.levels} | {
        str(name): read_codes(plan, estimates, f"plans[{name!r}]") for name, plan in plans.items()
    }
    gains, best, same = [], [], np.zeros(len(estimates))
    for number, drawn in pairs:
        chosen = select_levels(drawn, budget=money)
        best.append(chosen.gain)
        same += chosen.levels == robust.levels
        gains.append([drawn.totals(codes)[0] - drawn.zero_value for codes in named.values()])
        if progress is not None:
            progress(number + 1, len(pairs))
    certainty = robust.to_frame()[["customer_id", "level"]].assign(certainty=same / len(pairs))
    table = _table(list(named), np.array(gains), np.array(best))
    return Regret(table, certainty, robust, len(pairs))


def _table(names: list[str], gains: np.ndarray, best: np.ndarray) -> pd.DataFrame:
    """List the plans; gains of shape (draws, plans), best gains of shape (draws,)."""
    # the best plan is found up to its gap, so that a plan may seem a hair better
    regret = np.maximum(best[:, None] - gains, 0.0)
    attainable = best.mean()
    return pd.DataFrame(
        {
            "plan": names,
            "mean_gain": gains.mean(axis=0),
            "mean_regret": regret.mean(axis=0),
            "high": np.quantile(regret, TAIL, axis=0),
            "worst": regret.max(axis=0),
            "regret_share": regret.mean(axis=0) / attainable if attainable > 0 else np.nan,
        }
    )
