"""Cox regression: by what factor covariates change the rate of leaving.

The rate of leaving (hazard) of a customer is that of a reference customer at the same time, times a
factor that depends on covariates.  Only who left is compared with who could have left at that time,
so the course of the rate over time may be anything.  Many customers of a monthly base leave at the
same time; such ties are treated by Efron's method, since Breslow's, the default of many programs,
shrinks effects.  Customers that come late (left truncation) and covariates that change over time
are spells in pieces, see :func:`keycustomer.relationships.month_spells`.

Main names: :func:`fit_cox`, `CoxModel`.  The partial likelihood is maximised by exact Newton steps;
statsmodels' PHReg gives the same numbers where it can: its search did not converge on one of the
simulated companies, and it keeps a spell at risk at its entry, so that the adjoining pieces of one
customer would count twice.

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
from keycustomer.lifetime.newton import Derivatives, maximise
from keycustomer.relationships.survival.efron import Moments, efron_moments, score_residuals
from keycustomer.relationships.survival.groups import group_codes
from keycustomer.relationships.survival.risk_sets import RiskSets, risk_sets
from keycustomer.relationships.survival.spells import Spells
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray

SHARPEST = 1e3
"""Standard error per standard deviation of a covariate beyond which its effect is not found."""


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
    spread : ndarray, shape (p,)
        Standard deviation of a number of more than two values among those who could leave, the
        natural step for its effect; NaN for levels and flags, whose step is 1.
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
    residuals : ndarray, shape (rows of the spells, p)
        Score residuals.
    """

    design: Design
    coefficients: FloatArray
    covariance: FloatArray
    spread: FloatArray
    customers: int
    left: int
    log_likelihood: float
    null_log_likelihood: float
    baseline: pd.DataFrame = field(repr=False)
    unit: str
    strata: str | None
    level: float
    notes: tuple[str, ...]
    moments: Moments = field(repr=False)
    residuals: FloatArray = field(repr=False)

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

    def influence(self) -> FloatArray:
        """Give every row's influence on the coefficients, shape (rows of the spells, p).

        The change of the coefficients, to first order, when a row counts once more: its score
        residual times the covariance.  Sums over rows are 0; sums over a customer's rows squared
        give a covariance that is robust to what the model leaves out (Lin & Wei 1989).
        """
        return self.residuals @ self.covariance

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
    coefficients, covariance, moments = _estimate(design, coded, sets)
    without = efron_moments(sets, coded[:, :0], np.ones(len(coded)))
    return CoxModel(
        design=design,
        coefficients=coefficients,
        covariance=covariance,
        spread=_spread(coded[sets.last > sets.first]),
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
        residuals=score_residuals(sets, coded, np.exp(coded @ coefficients), moments),
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


def _estimate(
    design: Design, coded: FloatArray, sets: RiskSets
) -> tuple[FloatArray, FloatArray, Moments]:
    """Maximise the partial likelihood over standardised covariates, by exact Newton steps."""
    used = sets.last > sets.first
    spread = coded[used].std(axis=0)
    if (spread == 0).any():
        constant = [n for n, s in zip(design.names, spread, strict=True) if s == 0]
        raise ValueError(
            f"covariates: {', '.join(constant)} is the same for all who could leave when somebody "
            "did; leave it out"
        )
    scaled = coded / spread
    leavers = sets.ending(scaled).sum(axis=0)

    def derivatives(coefficients: FloatArray) -> Derivatives:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            moments = efron_moments(sets, scaled, np.exp(scaled @ coefficients))
        value = float(leavers @ coefficients) - moments.log_sum
        return value, moments.surplus.sum(axis=0), -moments.variance.sum(axis=0)

    size = len(spread)
    found = maximise(derivatives, np.zeros(size), positive=[False] * size)
    error = np.sqrt(np.diag(found.covariance))
    if not found.inner or (error > SHARPEST).any():
        far = design.names[int(np.abs(found.parameters).argmax())]
        raise ValueError(
            f"covariates: the effect of {far} runs to infinity: it tells leavers from stayers "
            "without exception; leave it out or put it into classes"
        )
    coefficients = found.parameters / spread
    moments = efron_moments(sets, coded, np.exp(coded @ coefficients))
    return coefficients, found.covariance / np.outer(spread, spread), moments


def _spread(coded: FloatArray) -> FloatArray:
    lowest, highest = coded.min(axis=0), coded.max(axis=0)
    between = ((coded > lowest) & (coded < highest)).any(axis=0)
    return np.where(between, coded.std(axis=0), np.nan)


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
