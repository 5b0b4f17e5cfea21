"""Cox regression: by what factor covariates change the rate of leaving.

The rate of leaving (hazard) of a customer is that of a reference customer at the same time, times a
factor that depends on covariates.  Only who left is compared with who could have left at that time,
so the course of the rate over time may be anything.  Many customers of a monthly base leave at the
same time; such ties are treated by Efron's method, since Breslow's, the default of many programs,
shrinks effects.  Customers that come late (left truncation) and covariates that change over time
are spells in pieces, see :func:`keycustomer.relationships.month_spells`.

Main names: :func:`fit_cox`, `CoxModel`.  Estimated by statsmodels' PHReg.

Sources: Cox (1972), Journal of the Royal Statistical Society B 34, 187-220; Efron (1977), Journal
of the American Statistical Association 72, 557-565; Therneau & Grambsch, "Modeling Survival Data"
(2000), chapters 3 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from keycustomer.customers.rendering import report_html
from keycustomer.lifetime.covariates.design import Design, read_design
from keycustomer.relationships.survival.efron import Moments, efron_moments
from keycustomer.relationships.survival.groups import group_codes
from keycustomer.relationships.survival.risk_sets import FloatArray, RiskSets, risk_sets
from keycustomer.relationships.survival.spells import Spells
from keycustomer.stats.bootstrap import checked_level

SHARPEST = 1e3
"""Standard error, in standard deviations of a covariate, beyond which its effect is not found."""


@dataclass(frozen=True, eq=False)
class CoxModel:
    """A fitted Cox regression.

    Attributes
    ----------
    design : Design
        How covariates are coded: numbers count from their mean, levels compare with the first.
    coefficients : ndarray, shape (p,)
        Logarithms of hazard ratios.
    covariance : ndarray, shape (p, p)
        Their estimated covariance.
    customers, left : int
        Customers, and those of them who left.
    log_likelihood, null_log_likelihood : float
        Partial log-likelihood at the estimate, and without covariates (Efron).
    baseline : DataFrame
        One row a stratum and time at which somebody left: stratum, tenure, at_risk, left, hazard
        (of a customer at the mean of numbers and the first level of the others, by Efron).
    unit : str
        Unit of time.
    strata : str or None
        Column whose groups have baselines of their own.
    level : float
        Confidence level of the intervals.
    notes : tuple of str
        What the reader must know.
    moments : Moments
        Sums over who could leave, at the estimate.
    """

    design: Design
    coefficients: FloatArray
    covariance: FloatArray
    customers: int
    left: int
    log_likelihood: float
    null_log_likelihood: float
    baseline: pd.DataFrame = field(repr=False)
    unit: str
    strata: str | None
    level: float
    notes: tuple[str, ...] = ()
    moments: Moments = field(default=None, repr=False)  # type: ignore[assignment]

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return self.design.names

    def to_frame(self) -> pd.DataFrame:
        """Tabulate the effects.

        Returns
        -------
        DataFrame
            One row a term: term, coefficient, standard_error, hazard_ratio, lower, upper (of the
            ratio), z, p_value.
        """
        error = np.sqrt(np.diag(self.covariance))
        half = ndtri((1 + self.level) / 2) * error
        z = self.coefficients / error
        return pd.DataFrame(
            {
                "term": self.terms,
                "coefficient": self.coefficients,
                "standard_error": error,
                "hazard_ratio": np.exp(self.coefficients),
                "lower": np.exp(self.coefficients - half),
                "upper": np.exp(self.coefficients + half),
                "z": z,
                "p_value": 2 * ndtr(-np.abs(z)),
            }
        )

    def relative_hazard(self, customers: pd.DataFrame) -> FloatArray:
        """Hazard of customers relative to the reference customer's, shape (rows,)."""
        return np.exp(self.design.code(customers) @ self.coefficients)

    def survival(self, customers: pd.DataFrame, times: Sequence[float]) -> pd.DataFrame:
        """Share of customers with these covariates that stay at least so long.

        Parameters
        ----------
        customers : DataFrame
            The covariates, one row a customer.
        times : sequence of float
            Tenures.

        Returns
        -------
        DataFrame
            Shape (customers, times).

        Raises
        ------
        ValueError
            When the model has strata: each has a curve of its own.
        """
        if self.strata:
            raise ValueError(
                f"the model is stratified by {self.strata!r}, so there is no one survival curve; "
                "use `baseline` of the stratum"
            )
        until = np.searchsorted(self.baseline["tenure"], np.asarray(times, float), side="right")
        hazard = np.append(0.0, np.cumsum(self.baseline["hazard"]))[until]
        shares = np.exp(-np.outer(self.relative_hazard(customers), hazard))
        return pd.DataFrame(shares, index=customers.index, columns=list(times))

    def sentences(self) -> list[str]:
        """Say what the model is."""
        said = (
            f"Cox regression of {self.customers:,} customers, {self.left:,} of whom left; ties by "
            f"Efron; partial log-likelihood {self.log_likelihood:,.2f}, without covariates "
            f"{self.null_log_likelihood:,.2f}."
        )
        within = [f"Within strata of {self.strata}."] if self.strata else []
        compared = "; ".join(coding.sentence() for coding in self.design.codings)
        return [said, *within, f"{compared[:1].upper()}{compared[1:]}.", *self.notes]

    def _repr_html_(self) -> str:
        table = self.to_frame().rename(columns={"lower": "ratio from", "upper": "ratio to"})
        return report_html("What changes the rate of leaving", self.sentences(), {"Effects": table})


def fit_cox(
    spells: Spells,
    covariates: Sequence[str],
    *,
    strata: str | None = None,
    level: float = 0.95,
) -> CoxModel:
    """Estimate hazard ratios by Cox regression with Efron ties.

    Parameters
    ----------
    spells : Spells
        Whole spells, or pieces of them with covariates that change.
    covariates : sequence of str
        Columns of the spells; text, categories and flags enter by level.
    strata : str, optional
        Column whose groups each have a course of the hazard of their own.
    level : float
        Confidence level of the intervals, 0..1.

    Returns
    -------
    CoxModel

    Raises
    ------
    ValueError
        When nobody left, a covariate is missing, unknown for some or follows from others, or a
        level has no leavers (or only leavers), so that its effect has no finite estimate.

    Notes
    -----
    Intervals take spells of different customers as independent, and the pieces of one customer,
    at most one of which ends, as conditionally independent.
    """
    checked_level(level)
    frame = spells.frame
    if not frame["ended"].any():
        raise ValueError("nobody left: there is no rate of leaving to explain")
    design = read_design(frame, covariates)
    coded = design.code(frame)
    within, names = group_codes(frame, strata)
    sets = risk_sets(
        frame["entry"].to_numpy(float),
        frame["tenure"].to_numpy(float),
        frame["ended"].to_numpy(bool),
        within if strata else None,
    )
    _refuse_without_leavers(design, coded, sets)
    coefficients, covariance = _estimate(design, coded, sets)
    moments = efron_moments(sets, coded, np.exp(coded @ coefficients))
    without = efron_moments(sets, coded[:, :0], np.ones(len(coded)))
    return CoxModel(
        design=design,
        coefficients=coefficients,
        covariance=covariance,
        customers=spells.customers,
        left=spells.left,
        log_likelihood=float(coded[sets.cell >= 0].sum(0) @ coefficients) - moments.log_sum,
        null_log_likelihood=-without.log_sum,
        baseline=_baseline(sets, moments, names),
        unit=spells.unit,
        strata=strata,
        level=level,
        notes=spells.notes,
        moments=moments,
    )


def _refuse_without_leavers(design: Design, coded: FloatArray, sets: RiskSets) -> None:
    """Refuse levels whose effect is infinite, since none of their customers left, or all did."""
    ever = (sets.last > sets.first)[:, None]
    group = ((coded == 0) | (coded == 1)).all(axis=0)
    at_risk = (ever & (coded == 1)).sum(axis=0)
    leaving = ((sets.cell >= 0)[:, None] & (coded == 1)).sum(axis=0)
    none, all_left = group & (leaving == 0), group & (leaving == (sets.cell >= 0).sum())
    said = [
        f"{name}: {'nobody' if nobody else 'only customers'} with it left, of "
        f"{n:,} rows at risk when somebody did"
        for name, nobody, everybody, n in zip(design.names, none, all_left, at_risk, strict=True)
        if nobody or everybody
    ]
    if said:
        raise ValueError(
            f"covariates have no finite hazard ratio: {'; '.join(said)}. Join levels, or leave "
            "them out"
        )


def _estimate(design: Design, coded: FloatArray, sets: RiskSets) -> tuple[FloatArray, FloatArray]:
    """Maximise the partial likelihood over standardised covariates.

    PHReg keeps a row at risk at an event that falls on its entry, which would count a customer's
    adjoining pieces twice.  Given positions among the times of leaving in place of times, and
    entries half a step later, it has exactly the risk sets of R's survival; strata lie on one axis.
    """
    from statsmodels.duration.hazard_regression import PHReg

    used = sets.last > sets.first
    spread = coded[used].std(axis=0)
    if (spread == 0).any():
        constant = [n for n, s in zip(design.names, spread, strict=True) if s == 0]
        raise ValueError(
            f"covariates: {', '.join(constant)} is the same for all who could leave when somebody "
            "did; leave it out"
        )
    model = PHReg(
        sets.last[used],
        coded[used] / spread,
        (sets.cell[used] >= 0).astype(float),
        entry=sets.first[used] + 0.5,
        ties="efron",
    )
    with np.errstate(all="ignore"):
        fitted = model.fit()
        scaled, covariance = np.asarray(fitted.params), np.asarray(fitted.cov_params())
    error = np.sqrt(np.diag(covariance))
    lost = ~(np.isfinite(scaled) & (error < SHARPEST))
    if lost.any():
        names = [name for name, gone in zip(design.names, lost, strict=True) if gone]
        raise ValueError(
            f"covariates: the effect of {', '.join(names)} has no finite estimate: leavers and "
            "stayers are told apart without exception; leave it out or put it into classes"
        )
    return scaled / spread, covariance / np.outer(spread, spread)


def _baseline(sets: RiskSets, moments: Moments, names: list[str]) -> pd.DataFrame:
    one = np.ones(len(sets.first))
    return pd.DataFrame(
        {
            "stratum": np.array(names, dtype=object)[sets.stratum],
            "tenure": sets.times,
            "at_risk": sets.at_risk(one).round().astype(int),
            "left": sets.ending(one).astype(int),
            "hazard": moments.hazard,
        }
    )
