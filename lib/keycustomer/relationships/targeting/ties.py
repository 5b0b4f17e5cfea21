"""An order by churn risk against choosing at random, by how the offer works on the risky.

When is it worse?  It depends on how the response to the offer goes with the risk to leave.
:func:`profits_by_tie` makes trials in which the two are tied from strongly against each other to
strongly together, many times each, learns the uplift from the trial, and tells what each order
truly earns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.targeting.cross_fit import cross_fit_uplift
from keycustomer.relationships.targeting.known_trial import simulate_trial
from keycustomer.relationships.targeting.learners import BY_RISK
from keycustomer.relationships.targeting.ranking import Ranking
from keycustomer.relationships.targeting.rules import RANDOM, RISK, targeting_rules
from keycustomer.stats import share_of
from keycustomer.stats.bootstrap import Progress, after_quiet

TIES = (-0.8, -0.4, 0.0, 0.4, 0.8)
"""Correlations of the risk to leave with the response to the offer."""


@dataclass(frozen=True, eq=False)
class ProfitsByTie:
    """What each order truly earns by how response goes with risk, in made-up trials.

    Attributes
    ----------
    depth : float
        Share of the customers who get the offer.
    customers, repeats : int
        Customers in a trial, trials by tie.
    profits : DataFrame
        One row a tie, trial and rule: tie, trial, rule, truth (currency a customer).
    """

    depth: float
    customers: int
    repeats: int
    profits: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row a tie and rule, over trials.

        Returns
        -------
        DataFrame
            tie, rule, truth (mean, currency a customer), spread (standard deviation), least, most,
            below_random (trials in which the rule earned less than choosing at random).
        """
        random = self.profits[self.profits["rule"] == RANDOM].set_index(["tie", "trial"])["truth"]
        keys = pd.MultiIndex.from_frame(self.profits[["tie", "trial"]])
        below = self.profits["truth"].to_numpy() < random.reindex(keys).to_numpy()
        groups = self.profits.assign(below=below).groupby(["tie", "rule"], sort=False)
        return groups.agg(
            truth=("truth", "mean"),
            spread=("truth", "std"),
            least=("truth", "min"),
            most=("truth", "max"),
            below_random=("below", "sum"),
        ).reset_index()

    def _repr_html_(self) -> str:
        from keycustomer.customers.rendering import report_html

        worst = self.to_frame()
        risk = worst[worst["rule"] == RISK].iloc[0]
        said = [
            f"Simulated: {self.repeats} trials of {self.customers:,} customers by tie, offer to "
            f"the first {self.depth:.0%}, true profit in currency a customer.",
            f"At a tie of {risk['tie']:g} an order by churn risk earned less than choosing at "
            f"random in {int(risk['below_random'])} of {self.repeats} trials.",
        ]
        return report_html("Profit by tie of risk and response", said, {"Rules": worst})


def profits_by_tie(
    ties: Sequence[float] = TIES,
    *,
    repeats: int = 20,
    customers: int = 2_000,
    depth: float = 0.2,
    models: str = "linear",
    folds: int = 5,
    first_seed: int = 1,
    progress: Progress | None = None,
) -> ProfitsByTie:
    """Tell what each order earns by how the response to the offer goes with the risk to leave.

    Parameters
    ----------
    ties : sequence of float
        Correlations of risk and response, -1..1.
    repeats : int
        Trials by tie, each with its own seed.
    customers : int
        Customers in a trial.
    depth : float
        Share of the customers who get the offer.
    models : {"linear", "boosting"}
        Kind of regression that uplift (DR-learner, and by risk) and risk are learned by.
    folds : int
        Parts the customers of a trial are split into.
    first_seed : int
        Seed of the first trial; the others follow.
    progress : callable, optional
        Called with trials done and in all.

    Returns
    -------
    ProfitsByTie
    """
    number = whole_number(repeats, "repeats", of="trials", least=1)
    share_of(depth, "depth")
    report = after_quiet(progress)
    rows = []
    for place, tie in enumerate(ties):
        for trial in range(number):
            earned = _earned(customers, first_seed + trial, tie, depth, (models, folds))
            rows += [
                {"tie": tie, "trial": trial, "rule": rule, "truth": truth}
                for rule, truth in earned.items()
            ]
            report(place * number + trial + 1, number * len(ties))
    return ProfitsByTie(depth, customers, number, pd.DataFrame(rows))


def _earned(
    customers: int, seed: int, tie: float, depth: float, how: tuple[str, int]
) -> dict[str, float]:
    """Give what each order truly earns in one made-up trial, currency a customer."""
    known = simulate_trial(customers, seed, tie=tie)
    fitted = cross_fit_uplift(
        known.trial, learners=("DR", BY_RISK), models=how[0], folds=how[1], seed=seed
    )
    rules = targeting_rules(known.trial, fitted)
    ends = np.array([0.0, 1.0])
    return {
        str(name): float(
            Ranking.of(rules[name].to_numpy(), ends).offered(depth) @ known.true_gain / customers
        )
        for name in rules
    }
