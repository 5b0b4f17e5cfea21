"""Who answers an offer: proneness beside what else was known of the customer before.

Question: of those who got an offer, does deal-proneness tell who redeemed a coupon better than how
much a customer buys, or than the plain share of its purchases on deal?  :func:`redemptions` gives
for each score the area under the ROC curve (the chance that one who answered scores higher than one
who did not), what proneness is ahead by, and odds ratios with all scores in one regression.

Sources: Hanley & McNeil (1982), Radiology 143, 29-36; Bawa & Shoemaker (1987), Journal of Marketing
51(4), 99-110 (who redeems coupons).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.dimensions.behaviour.discrimination import weighted_auc
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.regressions.clustering import covariance_over_customers
from keycustomer.stats.regressions.regression import fit_regression
from keycustomer.stats.samples import FloatArray

AMONG = "deal-proneness, among those who spend alike"
"""Score of customers who are compared within groups of spending only."""

LEAST_ANSWERS = 10
"""Answers, and offers without one, below which nothing is told."""


@dataclass(frozen=True, eq=False)
class Redemptions:
    """Scores of those who got an offer, and who answered.

    Attributes
    ----------
    offered, answered : int
        Customers with an offer, and those of them who answered.
    auc : DataFrame
        One row a score: ``score``, ``auc`` with ``lower``, ``upper``; ``behind`` (of
        deal-proneness less this one) with ``behind_lower``, ``behind_upper``.
    odds : DataFrame
        One row a score, all in one regression: ``score``, ``odds_ratio`` (of one standard
        deviation more) with ``lower``, ``upper``.
    among_alike : Estimate
        Area of deal-proneness among customers who spend alike.
    """

    offered: int
    answered: int
    auc: pd.DataFrame = field(repr=False)
    odds: pd.DataFrame = field(repr=False)
    among_alike: Estimate


def redemptions(
    scores: pd.DataFrame,
    answered: npt.NDArray[np.bool_],
    *,
    spending: str,
    groups: int,
    level: float,
    draws: int,
    seed: Seed,
) -> Redemptions:
    """Compare scores by who answered.

    Parameters
    ----------
    scores : DataFrame
        One row a customer with an offer, one column a score known before, the first
        deal-proneness.
    answered : ndarray of bool, shape (customers,)
        Who answered.
    spending : str
        Column by which customers who spend alike are grouped.
    groups : int
        Groups by spending.
    level, draws, seed
        Bootstrap of customers.

    Raises
    ------
    ValueError
        When too few answered, or nearly all.
    """
    yes, no = int(answered.sum()), int((~answered).sum())
    if min(yes, no) < LEAST_ANSWERS:
        raise ValueError(
            f"{yes:,} customers answered an offer and {no:,} did not: at least {LEAST_ANSWERS} of "
            "each are needed; choose an earlier split"
        )
    names, values = list(scores.columns), scores.to_numpy(float)
    strata = _strata(scores[spending].to_numpy(float), groups)

    def areas(weights: FloatArray) -> FloatArray:
        found = [weighted_auc(weights, column, answered) for column in values.T]
        inside = weighted_auc(weights, values[:, 0], answered, strata)
        return np.column_stack([*found, *(found[0] - other for other in found), inside])

    point = areas(np.ones((1, len(scores))))[0]
    drawn = bootstrap(areas, np.ones(len(scores)), draws=draws, seed=seed)
    unit = "area under the ROC curve"
    made = [
        bootstrap_estimate(float(p), drawn[:, k], unit=unit, n=len(scores), level=level)
        for k, p in enumerate(point)
    ]
    return Redemptions(
        offered=len(scores),
        answered=yes,
        auc=_table(names, made),
        odds=_odds(names, values, answered, level),
        among_alike=made[-1],
    )


def _strata(spending: FloatArray, groups: int) -> npt.NDArray[np.int64]:
    rank = np.argsort(np.argsort(spending, kind="stable"), kind="stable")
    return (rank * groups // len(spending)).astype(np.int64)


def _table(names: list[str], made: list[Estimate]) -> pd.DataFrame:
    areas, behind = made[: len(names)], made[len(names) : 2 * len(names)]
    rows = [
        {
            "score": name,
            "auc": area.estimate,
            "lower": area.lower,
            "upper": area.upper,
            "behind": less.estimate,
            "behind_lower": less.lower,
            "behind_upper": less.upper,
        }
        for name, area, less in zip(names, areas, behind, strict=True)
    ]
    inside = {"score": AMONG, "auc": made[-1].estimate}
    inside |= {"lower": made[-1].lower, "upper": made[-1].upper}
    table = pd.DataFrame([*rows, inside])
    first = table["score"] == names[0]
    return table.mask(first, table.drop(columns=["behind", "behind_lower", "behind_upper"]))


def _odds(
    names: list[str], values: FloatArray, answered: npt.NDArray[np.bool_], level: float
) -> pd.DataFrame:
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(scaled)), scaled])
    outcome = answered.astype(float)
    found = fit_regression(design, outcome, "logistic")
    covariance = covariance_over_customers(found.influence(design, outcome))
    reach = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(np.diag(covariance))[1:]
    value = found.coefficients[1:]
    return pd.DataFrame(
        {
            "score": names,
            "odds_ratio": np.exp(value),
            "lower": np.exp(value - reach),
            "upper": np.exp(value + reach),
        }
    )
