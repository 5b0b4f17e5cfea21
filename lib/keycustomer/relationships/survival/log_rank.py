"""Do groups of customers leave at different rates?  The log-rank test.

At every time at which somebody left, each group should have as many leavers as its share of those
who could leave; the test adds up what is observed beyond it.  With strata the comparison is made
within each, of like with like: large customers with large ones.

Main name: :func:`log_rank`.  Source: Mantel (1966), Cancer Chemotherapy Reports 50, 163-170;
Klein & Moeschberger, "Survival Analysis" (2003), section 7.3, with left truncation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.survival.groups import group_codes
from keycustomer.relationships.survival.risk_sets import RiskSets, risk_sets
from keycustomer.relationships.survival.spells import Spells
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class LogRank:
    """A log-rank test.

    Attributes
    ----------
    by : str
        Column of the groups.
    strata : str or None
        Column within whose values they are compared.
    statistic : float
        Chi-squared statistic.
    degrees : int
        Its degrees of freedom: groups compared less one.
    p_value : float
        Probability of at least this statistic if all groups left at one rate.
    frame : DataFrame
        One row a group: group, customers, left, expected (leavers at the rate of all).
    """

    by: str
    strata: str | None
    statistic: float
    degrees: int
    p_value: float
    frame: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return observed and expected leavers by group."""
        return self.frame.copy()

    def sentence(self) -> str:
        """Say what the test found."""
        within = f" within {self.strata}" if self.strata else ""
        chance = "below .001" if self.p_value < 0.001 else f"{self.p_value:.3f}"
        return (
            f"Log-rank test of {self.by}{within}: chi-squared {self.statistic:.2f} on "
            f"{self.degrees} degrees of freedom, p {chance}."
        )

    def _repr_html_(self) -> str:
        return report_html("Log-rank test", [self.sentence()], {"Leavers": self.frame})


def log_rank(spells: Spells, by: str, *, strata: str | None = None) -> LogRank:
    """Test whether groups leave at different rates.

    Parameters
    ----------
    spells : Spells
        See :func:`keycustomer.relationships.read_spells`.
    by : str
        Column of the groups.
    strata : str, optional
        Column within whose values the groups are compared.

    Returns
    -------
    LogRank

    Raises
    ------
    ValueError
        When there is no such column, there are no two groups, or nobody left.
    """
    frame = spells.frame
    codes, names = group_codes(frame, by)
    if len(names) < 2:
        raise ValueError(f"by={by!r}: all customers are in one group, {names[0]!r}")
    if not frame["ended"].any():
        raise ValueError("nobody left: there is nothing to compare")
    within = group_codes(frame, strata)[0] if strata else None
    entry, tenure = frame["entry"].to_numpy(float), frame["tenure"].to_numpy(float)
    sets = risk_sets(entry, tenure, frame["ended"].to_numpy(bool), within)
    observed, expected, covariance = _moments(sets, codes, len(names))
    beyond = observed.sum(axis=0) - expected.sum(axis=0)
    compared = np.diag(covariance) > 0
    part = np.ix_(compared, compared)
    statistic = float(beyond[compared] @ np.linalg.pinv(covariance[part]) @ beyond[compared])
    degrees = int(np.linalg.matrix_rank(covariance[part]))
    table = pd.DataFrame(
        {
            "group": names,
            "customers": frame.groupby(codes)["customer_id"].nunique().to_numpy(),
            "left": observed.sum(axis=0).astype(int),
            "expected": expected.sum(axis=0),
        }
    )
    return LogRank(by, strata, statistic, degrees, _upper_tail(statistic, degrees), table)


def _moments(
    sets: RiskSets, codes: np.ndarray, groups: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Leavers by cell and group, those expected, and the covariance of the sums."""
    member = codes[:, None] == np.arange(groups)
    there = np.column_stack([sets.at_risk(member[:, g]) for g in range(groups)])
    left = np.column_stack([sets.ending(member[:, g]) for g in range(groups)])
    everybody, leaving = there.sum(axis=1), left.sum(axis=1)
    share = there / everybody[:, None]
    # of those who could leave, the leavers are drawn without replacement
    spread = leaving * (everybody - leaving) / np.maximum(everybody - 1, 1)
    covariance = np.diag(spread @ share) - np.einsum("c,cg,ch->gh", spread, share, share)
    return left, leaving[:, None] * share, covariance


def _upper_tail(statistic: float, degrees: int) -> float:
    from scipy.stats import chi2

    return float(chi2.sf(statistic, degrees)) if degrees else 1.0
