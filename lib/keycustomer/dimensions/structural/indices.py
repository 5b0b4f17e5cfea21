"""Does a model fit the covariances?  Chi-square and the indices beside it.

:func:`fit_indices` compares the covariances a model implies with those seen: the chi-square test
of exact fit; CFI and TLI beside a model without any relation; RMSEA, misfit per degree of
freedom, with its interval; SRMR, the mean residual correlation; and the information criteria.
A good fit does not make a solution readable: see `admissibility`.

Sources: Bentler (Psychological Bulletin 107, 1990) for CFI; Tucker & Lewis (Psychometrika 38,
1973); Steiger & Lind (1980) and Browne & Cudeck (1992) for RMSEA; Hu & Bentler, "Cutoff criteria
for fit indexes" (Structural Equation Modeling 6, 1999) for the borders; formulas as in lavaan
with normal-theory maximum likelihood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.stats import Estimate
from keycustomer.stats.samples import FloatArray

GOOD_CFI, GOOD_RMSEA, GOOD_SRMR = 0.95, 0.06, 0.08
"""Borders of good fit by Hu & Bentler: rules of thumb, not tests."""

RMSEA_LEVEL = 0.90
"""Level of the interval of RMSEA, by custom."""

HALVINGS = 45
"""Halvings of the bracket of a noncentrality: thirteen digits."""


@dataclass(frozen=True)
class FitIndices:
    """Fit of a model.

    Attributes
    ----------
    n, parameters, df : int
        Respondents, free coefficients, degrees of freedom.
    chi2, p : float
        Test of exact fit; NaN for p without degrees of freedom.
    baseline_chi2, baseline_df : float, int
        The same of the model in which no item is related to another.
    cfi, tli : float
        Comparative and Tucker-Lewis index; 1 is perfect.
    rmsea, rmsea_lower, rmsea_upper : float
        Root mean square error of approximation with its 90 % interval; 0 is perfect.
    close_p : float
        Probability of a misfit so large if RMSEA were .05.
    srmr : float
        Standardised root mean square residual; 0 is perfect.
    log_likelihood, aic, bic : float
        Of the answers less their means.
    """

    n: int
    parameters: int
    df: int
    chi2: float
    p: float
    baseline_chi2: float
    baseline_df: int
    cfi: float
    tli: float
    rmsea: float
    rmsea_lower: float
    rmsea_upper: float
    close_p: float
    srmr: float
    log_likelihood: float
    aic: float
    bic: float

    def estimates(self) -> list[tuple[str, str, Estimate]]:
        """Rows of (measure, group, estimate) under the names of the case output."""
        custom = "the index has no interval by custom"
        rmsea = Estimate(
            self.rmsea,
            self.rmsea_lower,
            self.rmsea_upper,
            "index",
            self.n,
            "noncentral chi-square",
            RMSEA_LEVEL,
        )
        plain = {
            name: Estimate.without_interval(getattr(self, name), "index", self.n, custom)
            for name in ("cfi", "tli", "srmr")
        }
        return [(name, "", e) for name, e in (*plain.items(), ("rmsea", rmsea))]

    def to_frame(self) -> pd.DataFrame:
        """One row an index: index, value, lower, upper, good (by Hu & Bentler; empty if none)."""
        borders = {
            "cfi": f"at least {GOOD_CFI}",
            "tli": f"at least {GOOD_CFI}",
            "rmsea": f"at most {GOOD_RMSEA}",
            "srmr": f"at most {GOOD_SRMR}",
        }
        names = ("chi2", "df", "p", "cfi", "tli", "rmsea", "srmr", "log_likelihood", "aic", "bic")
        ends = {"rmsea": (self.rmsea_lower, self.rmsea_upper)}
        rows = [
            (
                name,
                float(getattr(self, name)),
                *ends.get(name, (math.nan,) * 2),
                borders.get(name, ""),
            )
            for name in names
        ]
        return pd.DataFrame(rows, columns=["index", "value", "lower", "upper", "good"])

    @property
    def good(self) -> bool:
        """Whether CFI, RMSEA and SRMR all reach Hu and Bentler's borders."""
        return self.cfi >= GOOD_CFI and self.rmsea <= GOOD_RMSEA and self.srmr <= GOOD_SRMR

    def __str__(self) -> str:
        """`chi-square 85.31 on 24 df (p < .001), CFI .931, RMSEA .092 [.071, .114], SRMR .065`."""
        if self.df == 0:
            return "as many coefficients as covariances: the model fits any answers"
        p = "p < .001" if self.p < 0.001 else f"p = {_short(self.p)}"
        return (
            f"chi-square {self.chi2:,.2f} on {self.df} df ({p}), CFI {_short(self.cfi)}, RMSEA "
            f"{_short(self.rmsea)} [{_short(self.rmsea_lower)}, {_short(self.rmsea_upper)}], SRMR "
            f"{_short(self.srmr)}"
        )

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(index=False, na_rep="", float_format=lambda v: f"{v:,.3f}")


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"


def fit_indices(
    seen: FloatArray, implied: FloatArray, respondents: int, parameters: int
) -> FitIndices:
    """Measure the fit of implied covariances to those seen.

    Parameters
    ----------
    seen, implied : ndarray, shape (items, items)
        Covariance matrices, the seen one divided by the number of respondents.
    respondents, parameters : int
        How many respondents, how many free coefficients.

    Returns
    -------
    FitIndices
    """
    from scipy.special import chdtrc

    items = len(seen)
    log_seen, log_implied = (float(np.linalg.slogdet(matrix)[1]) for matrix in (seen, implied))
    traced = float(np.trace(np.linalg.solve(implied, seen)))
    value = max(respondents * (log_implied + traced - log_seen - items), 0.0)
    df = items * (items + 1) // 2 - parameters
    alone = respondents * (float(np.log(np.diag(seen)).sum()) - log_seen)
    alone_df = items * (items - 1) // 2
    cfi, tli = _beside_baseline(value, df, alone, alone_df)
    rmsea, lower, upper, close = _rmsea(value, df, respondents)
    likelihood = -respondents / 2 * (items * math.log(2 * math.pi) + log_implied + traced)
    return FitIndices(
        n=respondents,
        parameters=parameters,
        df=df,
        chi2=value,
        p=float(chdtrc(df, value)) if df else math.nan,
        baseline_chi2=alone,
        baseline_df=alone_df,
        cfi=cfi,
        tli=tli,
        rmsea=rmsea,
        rmsea_lower=lower,
        rmsea_upper=upper,
        close_p=close,
        srmr=_srmr(seen, implied),
        log_likelihood=likelihood,
        aic=-2 * likelihood + 2 * parameters,
        bic=-2 * likelihood + parameters * math.log(respondents),
    )


def _beside_baseline(value: float, df: int, alone: float, alone_df: int) -> tuple[float, float]:
    """CFI and TLI."""
    if df == 0:
        return 1.0, 1.0
    misfit = max(value - df, 0.0)
    worst = max(alone - alone_df, misfit)
    cfi = 1.0 if worst == 0 else 1 - misfit / worst
    spread = alone / alone_df - 1 if alone_df else 0.0
    return cfi, 1 - (value / df - 1) / spread if spread > 0 else math.nan


def _rmsea(value: float, df: int, respondents: int) -> tuple[float, float, float, float]:
    """RMSEA, ends of its interval, probability of close fit."""
    from scipy.special import chndtr

    if df == 0:
        return 0.0, 0.0, 0.0, math.nan
    tail = (1 - RMSEA_LEVEL) / 2
    ends = [_noncentrality(value, df, share) for share in (1 - tail, tail)]
    point, lower, upper = (
        math.sqrt(size / (df * respondents)) for size in (max(value - df, 0.0), *ends)
    )
    close = 1 - float(chndtr(value, df, 0.05**2 * df * respondents))
    return point, lower, upper, close


def _noncentrality(value: float, df: int, share: float) -> float:
    """Noncentrality under which this share of chi-squares is smaller."""
    from scipy.special import chndtr

    if chndtr(value, df, 0.0) < share:
        return 0.0
    low, high = 0.0, 1.0
    while chndtr(value, df, high) > share:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if chndtr(value, df, middle) > share else (low, middle)
    return (low + high) / 2


def _srmr(seen: FloatArray, implied: FloatArray) -> float:
    spread = np.sqrt(np.diag(seen))
    residual = ((seen - implied) / np.outer(spread, spread))[np.tril_indices(len(seen))]
    return float(np.sqrt(np.mean(residual**2)))
