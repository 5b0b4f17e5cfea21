"""Does a hazard ratio hold at every tenure?  The check of proportional hazards.

A Cox model says that an effect is the same factor in the first month and in the tenth year.  What a
covariate's leavers have beyond the model's expectation at each time (Schoenfeld's residuals) must
then not drift with time.  :func:`check_proportionality` tests for every term whether its effect
changes with a function of time: the score test of adding ``term x g(time)`` to the model, where g
is by default 1 less the Kaplan-Meier curve, which gives every leaver about the same weight.

Source: Grambsch & Therneau (1994), Biometrika 81, 515-526; Therneau & Grambsch, "Modeling Survival
Data" (2000), chapter 6.  The score test uses the variance at each time, as R's survival does from
version 3 on; the article's approximation takes it as constant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.survival.cox import CoxModel
from keycustomer.stats.samples import FloatArray

GLOBAL = "all terms"
"""Row of the test of all terms together."""

SUSPECT = 0.05
"""Probability below which a ratio is said to change with time."""

Transform = Literal["km", "identity", "log"]


@dataclass(frozen=True, eq=False)
class ProportionalityCheck:
    """Tests of proportional hazards.

    Attributes
    ----------
    transform : {"km", "identity", "log"}
        Function of time.
    frame : DataFrame
        One row a term, the last for all together: term, statistic (chi-squared), degrees, p_value,
        drift (change of the coefficient from the first to the last time of leaving, one step of
        the score test; NaN in the last row).
    residuals : DataFrame
        One row a time of leaving: stratum, tenure, left, then for each term the coefficient at
        that time as scaled Schoenfeld residuals estimate it, noisily.
    """

    transform: str
    frame: pd.DataFrame
    residuals: pd.DataFrame = field(repr=False)

    @property
    def suspects(self) -> list[str]:
        """Terms whose ratio changes with time, at `SUSPECT`."""
        terms = self.frame[self.frame["term"] != GLOBAL]
        return terms.loc[terms["p_value"] < SUSPECT, "term"].tolist()

    def to_frame(self) -> pd.DataFrame:
        """Return the tests."""
        return self.frame.copy()

    def sentence(self) -> str:
        """Say what was found."""
        if not self.suspects:
            return (
                f"No ratio is seen to change with time (tests at {SUSPECT:g}, as many as there are "
                "terms); few leavers would hide a change."
            )
        return (
            f"The ratio of {', '.join(self.suspects)} changes with time: the model's is a mean "
            "over those who left; see `residuals`, or stratify by it."
        )

    def _repr_html_(self) -> str:
        return report_html("Proportional hazards", [self.sentence()], {"Score tests": self.frame})


def check_proportionality(model: CoxModel, transform: Transform = "km") -> ProportionalityCheck:
    """Test whether hazard ratios change with time.

    Parameters
    ----------
    model : CoxModel
        See :func:`keycustomer.relationships.fit_cox`.
    transform : {"km", "identity", "log"}
        Function of time with which an effect might change.

    Returns
    -------
    ProportionalityCheck

    Raises
    ------
    ValueError
        When there is no such function, or all left at one time.
    """
    moments = model.moments
    moved = _transformed(model, transform)
    size = len(model.terms)
    centred = moved - (moved @ moments.left) / moments.left.sum()
    if size == 0 or np.ptp(moved) == 0:
        raise ValueError("all who left did at one time, or there is no term: nothing can drift")
    score = centred @ moments.surplus
    within = moments.variance.sum(axis=0)
    across = np.einsum("c,cij->ij", centred, moments.variance)
    squared = np.einsum("c,cij->ij", centred**2, moments.variance)
    # the coefficients are estimated too: what they explain of the drift is taken off
    rest = squared - across @ np.linalg.solve(within, across)
    own = np.array([_own_rest(within, across, squared, j) for j in range(size)])
    singles = score**2 / own
    together = float(score @ np.linalg.solve(rest, score))
    frame = pd.DataFrame(
        {
            "term": [*model.terms, GLOBAL],
            "statistic": [*singles, together],
            "degrees": [1] * size + [size],
            "p_value": _upper_tails([*singles, together], [1] * size + [size]),
            "drift": [*(score / own * np.ptp(moved)), np.nan],
        }
    )
    return ProportionalityCheck(transform, frame, _residuals(model))


def _own_rest(within: FloatArray, across: FloatArray, squared: FloatArray, j: int) -> float:
    return float(squared[j, j] - across[j] @ np.linalg.solve(within, across[j]))


def _transformed(model: CoxModel, transform: str) -> FloatArray:
    """Give the function of time in every cell."""
    times = model.moments.times
    if transform == "identity":
        return times
    if transform == "log":
        return np.log(np.maximum(times, np.finfo(float).tiny))
    if transform != "km":
        raise ValueError(f"transform={transform!r} must be 'km', 'identity' or 'log'")
    table = model.baseline.groupby("tenure")[["at_risk", "left"]].sum()
    survival = np.cumprod(1 - (table["left"] / table["at_risk"]).to_numpy())
    before = np.append(1.0, survival[:-1])
    return 1 - before[np.searchsorted(table.index.to_numpy(), times)]


def _residuals(model: CoxModel) -> pd.DataFrame:
    """Coefficients by time: the estimate, plus scaled residuals."""
    moments = model.moments
    scaled = moments.surplus / moments.left[:, None] @ model.covariance * moments.left.sum()
    table = model.baseline[["stratum", "tenure", "left"]].copy()
    return table.join(pd.DataFrame(scaled + model.coefficients, columns=list(model.terms)))


def _upper_tails(statistics: list[float], degrees: list[int]) -> FloatArray:
    from scipy.stats import chi2

    tails: FloatArray = chi2.sf(statistics, degrees)
    return tails
