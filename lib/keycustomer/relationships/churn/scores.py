"""Scores of predicted probabilities of leaving, with intervals over customers.

Do they rank those who leave first (area under the ROC curve), are they right (calibration error,
slope), do they help at all (Brier score against "the same for all")?  :func:`churn_scores` answers
for one column of predictions; resamples draw whole customers, since the months of one are alike.

Sources: Brier (1950), Monthly Weather Review 78; Cox (1958), Biometrika 45, for intercept and slope
of calibration; for the parts of the score and the calibration error see
:mod:`~keycustomer.relationships.churn.reliability`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from keycustomer.customers.rendering import report_html
from keycustomer.dimensions.behaviour.discrimination import weighted_auc
from keycustomer.relationships.churn.checks import events_of, probabilities_of
from keycustomer.relationships.churn.logistic import (
    clustered_covariance,
    fit_logistic,
)
from keycustomer.relationships.churn.reliability import (
    BrierParts,
    brier_parts,
    error_if_calibrated,
    group_of,
    reliability_groups,
)
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import NORMAL, Progress, Seed, checked_level
from keycustomer.stats.regressions.clustering import sums_by_customer
from keycustomer.stats.regressions.links import logit
from keycustomer.stats.samples import FloatArray, Values

MEASURES: dict[str, str] = {
    "auc": "area under the ROC curve",
    "brier": "Brier score",
    "brier_skill": "Brier skill against the same for all",
    "ece": "expected calibration error",
    "log_loss": "log loss",
}
"""Measures with an interval over resampled customers, each with its unit."""


@dataclass(frozen=True, eq=False)
class ChurnScores:
    """Scores of one column of predictions.

    Attributes
    ----------
    name : str
        What predicted.
    rows, customers, events : int
        What was predicted.
    bins : int
        Groups of equal size asked for, of the calibration error and the Brier parts.
    estimates : dict of str to Estimate
        By `MEASURES`, and "slope" and "intercept" of the calibration: 1 and 0 are right.
    parts : BrierParts
        The Brier score taken apart.
    if_calibrated : float
        Mean calibration error of predictions that are exactly right, at this size.
    limit : float
        Their 95th percentile.
    p_value : float
        Share of such predictions whose error is at least as large as the one found.
    groups : DataFrame
        See :func:`~keycustomer.relationships.churn.reliability.reliability_groups`.
    draws : ndarray, shape (draws, measures)
        Resamples of `MEASURES`.
    """

    name: str
    rows: int
    customers: int
    events: int
    bins: int
    estimates: dict[str, Estimate]
    parts: BrierParts
    if_calibrated: float
    limit: float
    p_value: float
    groups: pd.DataFrame = field(repr=False)
    draws: FloatArray = field(repr=False)

    @property
    def auc(self) -> Estimate:
        """Area under the ROC curve."""
        return self.estimates["auc"]

    @property
    def brier(self) -> Estimate:
        """Brier score."""
        return self.estimates["brier"]

    @property
    def ece(self) -> Estimate:
        """Expected calibration error."""
        return self.estimates["ece"]

    @property
    def calibrated(self) -> bool:
        """Whether the calibration error is within the limit of predictions that are right."""
        return self.estimates["ece"].estimate <= self.limit

    def to_frame(self) -> pd.DataFrame:
        """One row a measure: model, measure, estimate, lower, upper, unit."""
        rows = [
            (self.name, measure, one.estimate, one.lower, one.upper, one.unit)
            for measure, one in self.estimates.items()
        ]
        return pd.DataFrame(
            rows, columns=["model", "measure", "estimate", "lower", "upper", "unit"]
        )

    def sentence(self) -> str:
        """Say in a sentence whether the probabilities are right."""
        found = self.estimates["ece"].estimate
        verdict = "no more than" if self.calibrated else "more than"
        return (
            f"{self.name}: in {len(self.groups)} groups predictions are off by {found:.3%} on "
            f"average, {verdict} the {self.limit:.3%} that chance alone reaches in one of twenty "
            f"perfect models ({self.if_calibrated:.3%} on average)."
        )

    def _repr_html_(self) -> str:
        said = (
            f"{self.rows:,} rows of {self.customers:,} customers, {self.events:,} left. Intervals: "
            "percentile bootstrap of customers. That of the calibration error lies high, since "
            "resampling adds chance to chance; the verdict compares with perfect models instead."
        )
        tables = {"Scores": self.to_frame().drop(columns="model"), "Groups": self.groups}
        return report_html(f"Churn scores: {self.name}", [self.sentence()], tables, said)


def churn_scores(
    left: Values,
    probability: Values,
    customer: Values | None = None,
    *,
    name: str = "model",
    bins: int = 10,
    draws: int = 300,
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> ChurnScores:
    """Score predicted probabilities of leaving.

    Parameters
    ----------
    left : Series or array of bool, shape (rows,)
        Who left.
    probability : Series or array, shape (rows,)
        What was predicted, 0..1.
    customer : Series or array, shape (rows,), optional
        Whose row it is; left out, every row is a customer.
    name : str
        What predicted.
    bins : int
        Groups of equal size for calibration.
    draws : int
        Resamples of customers.
    level : float
        Confidence level.
    seed : int or Generator
        Of the resamples.
    progress : callable, optional
        Called with draws done and in all, if it takes long.

    Returns
    -------
    ChurnScores

    Raises
    ------
    ValueError
        When lengths differ, probabilities are none, or everybody or nobody left.
    """
    chance, gone, cluster = _checked(left, probability, customer)
    generator = np.random.default_rng(seed)
    statistic = _Statistic(gone, chance, cluster, bins)
    customers = int(cluster.max()) + 1
    found = statistic(np.ones((1, customers)))[0]
    drawn = bootstrap(statistic, np.ones(customers), draws=draws, seed=generator, progress=progress)
    estimates = {
        measure: bootstrap_estimate(
            float(found[n]), drawn[:, n], unit=unit, n=customers, level=level
        )
        for n, (measure, unit) in enumerate(MEASURES.items())
    }
    perfect = error_if_calibrated(chance, bins=bins, seed=generator)
    return ChurnScores(
        name, len(chance), customers, int(gone.sum()), bins,
        estimates | calibration_line(gone, chance, cluster, level),
        brier_parts(gone, chance, bins=bins),
        float(perfect.mean()), float(np.quantile(perfect, 0.95)),
        float((perfect >= found[list(MEASURES).index("ece")]).mean()),
        reliability_groups(gone, chance, bins=bins, level=level), drawn,
    )  # fmt: skip


def _checked(
    left: Values, probability: Values, customer: Values | None
) -> tuple[FloatArray, npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    chance = probabilities_of(probability)
    gone = events_of(pd.DataFrame({"left": np.asarray(left)}), "left")
    ids = np.arange(len(chance)) if customer is None else np.asarray(customer)
    if not len(chance) == len(gone) == len(ids):
        raise ValueError(
            f"probability has {len(chance):,} rows, left {len(gone):,}, customer {len(ids):,}; "
            "they must be of the same rows"
        )
    if gone.all() or not gone.any():
        raise ValueError(
            f"left: {int(gone.sum()):,} of {len(gone):,} rows ended in leaving; predictions can "
            "only be scored where some did and some did not"
        )
    return chance, gone, np.asarray(pd.factorize(ids)[0], dtype=np.int64)


class _Statistic:
    """All measures for weights of customers, from sums worked out once."""

    def __init__(
        self,
        left: npt.NDArray[np.bool_],
        chance: FloatArray,
        cluster: npt.NDArray[np.int64],
        bins: int,
    ) -> None:
        self._left, self._chance, self._cluster = left, chance, cluster
        customers = int(cluster.max()) + 1
        odds = logit(chance)
        columns = (
            np.ones(len(chance)),
            left.astype(float),
            (chance - left) ** 2,
            np.logaddexp(0, odds) - odds * left,
        )
        self._sums = sums_by_customer(np.column_stack(columns), cluster)
        group = group_of(chance, bins)
        width = int(group.max()) + 1
        gaps = np.bincount(cluster * width + group, weights=chance - left,
                           minlength=customers * width)  # fmt: skip
        self._gaps = gaps.reshape(customers, width)

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Measures in the order of `MEASURES`, shape (draws, measures)."""
        rows, gone, squares, losses = (weights @ self._sums).T
        brier, rate = squares / rows, gone / rows
        with np.errstate(divide="ignore", invalid="ignore"):
            skill = 1 - brier / (rate * (1 - rate))
        error = np.abs(weights @ self._gaps).sum(axis=1) / rows
        area = weighted_auc(weights[:, self._cluster], self._chance, self._left)
        columns = (area, brier, skill, error, losses / rows)
        return np.column_stack(columns)


def calibration_line(
    left: npt.NDArray[np.bool_],
    probability: FloatArray,
    cluster: npt.NDArray[np.int64],
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Fit intercept and slope of calibration: log-odds = intercept + slope x predicted log-odds.

    A slope below 1 says that predictions are too extreme; the intercept, with the slope at 1, says
    whether they are too low (above 0) or too high on the whole.

    Returns
    -------
    dict of str to Estimate
        "slope" and "intercept", intervals clustered by customer; NaN where all predictions are
        equal.
    """
    odds = logit(probability)
    customers = int(cluster.max()) + 1
    z = NORMAL.inv_cdf((1 + checked_level(level)) / 2)
    shift = fit_logistic(np.empty((len(odds), 0)), left, offset=odds)
    residual = np.bincount(cluster, weights=left - probability)
    chance = expit(odds + shift[0])
    error = np.sqrt((residual**2).sum()) / (chance * (1 - chance)).sum()
    told = "logistic recalibration, clustered by customer"
    intercept = Estimate(
        float(shift[0]), float(shift[0] - z * error), float(shift[0] + z * error), "log-odds",
        customers, told, level,
    )  # fmt: skip
    if np.ptp(odds) < 1e-9:
        why = "all predictions are equal"
        return {
            "slope": Estimate.without_interval(np.nan, "ratio", customers, why, level),
            "intercept": intercept,
        }
    beta = fit_logistic(odds[:, None], left)
    spread = np.sqrt(clustered_covariance(odds[:, None], left, beta, cluster)[1, 1])
    ends = (float(beta[1] - z * spread), float(beta[1] + z * spread))
    return {
        "slope": Estimate(float(beta[1]), *ends, "ratio", customers, told, level),
        "intercept": intercept,
    }
