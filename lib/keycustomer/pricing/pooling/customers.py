"""Elasticities by customer and by tier: no, complete and partial pooling side by side.

Question: how price-sensitive is each customer, and how much of that does its own history tell?
:func:`customer_elasticities` gives every customer's elasticity with an interval, its tier's mean
and the spread within the tier.  With *no pooling* each customer stands alone, and few months make
its estimate worthless; with *complete pooling* all of a tier are alike, and its intervals are those
of the tier's mean, not of the customer; *empirical Bayes* draws each estimate towards its tier's
mean as far as it is not known; the *mixed model* does the same in one likelihood.  *Plug-in
empirical Bayes* takes the estimated spread as known, as textbooks do: its intervals are too short.

`CustomerElasticities.difference` sets two tiers side by side; `verdict` is that of the measurable
part of the claim that price sensitivity differs by customer (K8).

Sources: Efron & Morris (1975), JASA 70, 311-319; Paule & Mandel (1982), Journal of Research NBS 87,
377-385; Laird & Ware (1982), Biometrics 38, 963-974; Rossi, McCulloch & Allenby (1996), Marketing
Science 15, 321-340 (price sensitivity of single customers).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, report_html
from keycustomer.pricing.pooling.differences import first_differences, lagged_correlation
from keycustomer.pricing.pooling.first_stages import FirstStage
from keycustomer.pricing.pooling.methods import (
    METHODS,
    Method,
    PooledSlopes,
    pool_slopes,
    spread_out,
)
from keycustomer.pricing.pooling.own_slopes import OwnSlopes, estimate_slopes
from keycustomer.pricing.pooling.rows import Demand, Named, read_rows
from keycustomer.pricing.pooling.spreads import (
    LEAST_SPARE,
    OwnEstimates,
    paule_mandel,
    spread_interval,
)
from keycustomer.stats import Estimate, verdict_above
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray
from keycustomer.stats.student import student_quantile

MATTERS = 0.2
"""Difference of elasticities from which tiers count as different: about the error of a good
estimate of one customer, and a tenth of a common elasticity of -2."""

ALIKE = 0.2
"""Correlation of the errors of neighbouring periods from which a reader is warned."""

UNIT = "per cent of quantity per per cent of price"


@dataclass(frozen=True, eq=False)
class CustomerElasticities:
    """Elasticities of customers and of their tiers.

    Attributes
    ----------
    frame : DataFrame
        One row a customer: ``customer``, ``tier``, ``rows``, ``elasticity``, ``standard_error``,
        ``lower``, ``upper``, ``own_estimate`` and ``own_error`` (its own rows alone; missing
        without variation of price or where infinite), ``shrinkage`` (weight of the tier's mean,
        0..1).
    tiers : DataFrame
        One row a tier: ``tier``, ``customers``, ``with_own`` (saw more than one price), ``mean``
        (of the customers' elasticities), ``standard_error``, ``lower``, ``upper``, ``spread``
        (standard deviation between the tier's customers), ``spread_lower``, ``spread_upper``.
    tau : Estimate
        Standard deviation of elasticities about their tier's mean, all tiers together.
    method, demand : str
        How they were pooled; log-log or poisson.
    level : float
        Level of the intervals.
    mean_covariance : DataFrame
        Covariance of the tiers' means.
    excluded : DataFrame
        reason, rows: what was not used.
    first_stage : FirstStage or None
        With instruments, what they move.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know: who has no estimate of its own, weak instruments.
    """

    frame: pd.DataFrame = field(repr=False)
    tiers: pd.DataFrame = field(repr=False)
    tau: Estimate
    method: Method
    demand: Demand
    level: float
    mean_covariance: pd.DataFrame = field(repr=False)
    excluded: pd.DataFrame = field(repr=False)
    first_stage: FirstStage | None = field(repr=False)
    simulated: bool
    notes: tuple[str, ...]

    def difference(self, first: str | None = None, last: str | None = None) -> Estimate:
        """Elasticity of one tier less that of another.

        Parameters
        ----------
        first, last : str, optional
            Names of tiers; left out, the first and the last of the table.

        Returns
        -------
        Estimate

        Raises
        ------
        ValueError
            When a tier is not known, or both are the same.
        """
        names = self.tiers["tier"].tolist()
        pair = (names[0] if first is None else first, names[-1] if last is None else last)
        for name in pair:
            if name not in names:
                raise ValueError(f"no tier {name!r}; there are {', '.join(map(repr, names))}")
        if pair[0] == pair[1]:
            raise ValueError(f"two different tiers are needed, got {pair[0]!r} twice")
        at = [names.index(name) for name in pair]
        contrast = np.array([1.0, -1.0])
        variance = contrast @ self.mean_covariance.to_numpy(float)[np.ix_(at, at)] @ contrast
        counts = self.tiers["with_own"].to_numpy()[at]
        n, free = int(counts.sum()), float(counts.min()) - 1
        value = float(contrast @ self.tiers["mean"].to_numpy(float)[at])
        if not (free > 0 and variance >= 0):
            why = f"{counted(int(counts.min()), 'customer')} with an estimate in a tier"
            return Estimate.without_interval(value, UNIT, n, why, self.level)
        reach = student_quantile(self.level, free) * math.sqrt(variance)
        method = f"t interval, {free:.0f} degrees of freedom, errors over customers"
        return Estimate(value, value - reach, value + reach, UNIT, n, method, self.level)

    @property
    def verdict(self) -> str:
        """Verdict on "elasticity differs between the first and the last tier" (part of K8).

        `supported` when the interval of the size of the difference lies above 0.2, `not supported`
        when it lies below, else `undecided`.
        """
        if len(self.tiers) < 2:
            return "undecided"
        return verdict_above(_size(self.difference()), MATTERS)

    @property
    def sentence(self) -> str:
        """The result in words."""
        told = ", ".join(f"{row.tier} {_interval(row)}" for row in self.tiers.itertuples())
        own = int(self.tiers["with_own"].sum())
        return (
            f"Elasticity by tier ({self.method}, {self.demand}): {told}; within tiers customers "
            f"differ by a standard deviation of {self.tau}. {own:,} of "
            f"{counted(len(self.frame), 'customer')} saw more than one price."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a customer."""
        return self.frame.copy()

    def __repr__(self) -> str:
        """Say the result in words."""
        return f"CustomerElasticities({self.sentence})"

    def _repr_html_(self) -> str:
        tables = {"Tiers": self.tiers, "Customers": self.frame.head(10), "Not used": self.excluded}
        return report_html(
            "Elasticities of customers",
            [*made_up_note(self.simulated), self.sentence, *self.notes],
            tables,
        )


def customer_elasticities(
    source: Any,
    *,
    customer: str = "unit",
    tier: str | None = "tier",
    product: str | None = "product",
    price: str = "price",
    quantity: str = "quantity",
    method: Method = "empirical Bayes",
    demand: Demand = "log-log",
    effects: Sequence[str] = (),
    controls: Sequence[str] = (),
    instruments: Sequence[str] = (),
    period: str | None = "period",
    differences: bool = False,
    level: float = 0.95,
) -> CustomerElasticities:
    """Estimate the elasticity of every customer and of every tier.

    Parameters
    ----------
    source : PricePanel or DataFrame
        One row a customer, product and period, with price and quantity.
    customer, tier, product, price, quantity : str
        Names of the columns; `tier` and `product` may be None.
    method : str
        "no pooling", "complete pooling", "empirical Bayes", "plug-in empirical Bayes" or
        "mixed model".
    demand : {"log-log", "poisson"}
        Log quantity on log price, or Poisson regression, which keeps rows without sales.
    effects : sequence of str
        What all customers share, such as ("period",) or ("tier^period",).
    controls : sequence of str
        Columns of numbers with one coefficient for all.
    instruments : sequence of str
        Columns that move prices and nothing else: where prices follow demand, the residual of
        their first stage is one more control (control function).  Log-log only.
    period : str or None
        Column of the period, for differences and to tell whether errors of neighbours are alike.
    differences : bool
        Changes from period to period instead of levels: where demand drifts, intervals from levels
        are too short and estimates biased.  Log-log only.
    level : float
        Level of the intervals.

    Returns
    -------
    CustomerElasticities

    Raises
    ------
    ValueError
        When the panel lacks a column, nothing tells of the price response, or the arguments do not
        go together.
    """
    told = {
        "customer": customer,
        "tier": tier,
        "product": product,
        "price": price,
        "quantity": quantity,
        "demand": demand,
        "effects": effects,
        "controls": controls,
        "instruments": instruments,
        "period": period,
        "differences": differences,
    }
    arguments = checked_arguments([method], level, told)
    return pooled_elasticities(read_slopes(source, arguments), method, demand, level)


@dataclass(frozen=True)
class SlopeArguments:
    """Arguments of an estimate that have been checked.

    Attributes
    ----------
    named : Named
        Names of the columns.
    demand : {"log-log", "poisson"}
        How quantity follows price.
    differences : bool
        Changes instead of levels.
    """

    named: Named
    demand: Demand
    differences: bool


def checked_arguments(
    methods: Sequence[str], level: float, told: Mapping[str, Any]
) -> SlopeArguments:
    """Check the arguments of :func:`customer_elasticities`.

    Parameters
    ----------
    methods : sequence of str
        Ways of pooling that are asked for.
    level : float
        Level of intervals.
    told : mapping
        The other arguments by name.

    Raises
    ------
    TypeError, ValueError
        When one is not known, or they do not go together.
    """
    checked_level(level)
    named = dict(told)
    demand: Demand = named.pop("demand", "log-log")
    differences = bool(named.pop("differences", False))
    for method in methods:
        _checked(method, demand, named.get("instruments", ()), differences)
    return SlopeArguments(Named(**named), demand, differences)


def read_slopes(source: Any, arguments: SlopeArguments) -> OwnSlopes:
    """Read a panel and estimate the customers' own slopes.

    Parameters
    ----------
    source : PricePanel or DataFrame
        The panel.
    arguments : SlopeArguments
        From `checked_arguments`.
    """
    rows = read_rows(source, arguments.named, arguments.demand)
    if arguments.differences:
        rows = first_differences(rows)
    return estimate_slopes(rows, poisson=arguments.demand == "poisson")


def pooled_elasticities(
    found: OwnSlopes, method: Method, demand: Demand, level: float
) -> CustomerElasticities:
    """Pool slopes that have been estimated, so that several methods share one estimate.

    Parameters
    ----------
    found : OwnSlopes
        From `estimate_slopes`.
    method, demand, level
        As in :func:`customer_elasticities`.
    """
    rows, pooled = found.design.rows, pool_slopes(found, method, demand)
    index = pd.Index(rows.tiers, name="tier")
    return CustomerElasticities(
        frame=_frame(found, pooled, _reach(found, pooled, method, level)),
        tiers=_tiers(found, pooled, level),
        tau=_tau(found.own, pooled.spread, method, level),
        method=method,
        demand=demand,
        level=level,
        mean_covariance=pd.DataFrame(pooled.covariance, index, index),
        excluded=rows.excluded,
        first_stage=found.stage,
        simulated=rows.simulated,
        notes=tuple(_notes(found, demand)),
    )


def _checked(method: str, demand: str, instruments: Sequence[str], differences: bool) -> None:
    if method not in METHODS:
        raise ValueError(f"method={method!r}: one of {', '.join(map(repr, METHODS))} is needed")
    if demand == "poisson" and method == "mixed model":
        raise ValueError(
            "method='mixed model' is fitted to logarithms; for demand='poisson' use "
            "method='empirical Bayes'"
        )
    if demand == "poisson" and differences:
        raise ValueError(
            "differences=True takes logarithms, of which rows without sales have none; with "
            "demand='poisson' use effects such as ('period',)"
        )
    if demand == "poisson" and instruments:
        raise ValueError(
            f"instruments={list(instruments)} with demand='poisson' are not fitted here; use "
            "demand='log-log', or price_elasticity(method='iv') by tier"
        )


def _reach(found: OwnSlopes, pooled: PooledSlopes, method: Method, level: float) -> FloatArray:
    """Half the length of each customer's interval."""
    if method != "complete pooling":
        return NormalDist().inv_cdf((1 + level) / 2) * pooled.error
    rows = found.design.rows
    free = np.bincount(rows.tier, minlength=len(rows.tiers)) - 1.0
    return np.array([student_quantile(level, f) for f in free])[rows.tier] * pooled.error


def _frame(found: OwnSlopes, pooled: PooledSlopes, reach: FloatArray) -> pd.DataFrame:
    rows, own, known = found.design.rows, found.own, found.known
    told = known & (found.infinite == 0)
    estimate = spread_out(own.estimate, known, np.nan)
    error = spread_out(np.sqrt(own.variance), known, np.nan)
    return pd.DataFrame(
        {
            "customer": rows.customers,
            "tier": np.array(rows.tiers, dtype=object)[rows.tier],
            "rows": np.bincount(rows.group, minlength=len(known)),
            "elasticity": pooled.value,
            "standard_error": pooled.error,
            "lower": pooled.value - reach,
            "upper": pooled.value + reach,
            "own_estimate": np.where(told, estimate, np.nan),
            "own_error": np.where(told, error, np.nan),
            "shrinkage": pooled.shrinkage,
        }
    )


def _tiers(found: OwnSlopes, pooled: PooledSlopes, level: float) -> pd.DataFrame:
    rows, own = found.design.rows, found.own
    counts = np.bincount(own.tier, minlength=len(rows.tiers))
    means, errors = pooled.mean, np.sqrt(np.diag(pooled.covariance))
    reach = np.array([student_quantile(level, count - 1.0) for count in counts]) * errors
    of_tier = [own.of_tier(code) for code in range(len(rows.tiers))]
    enough = [len(part) - 1 >= LEAST_SPARE for part in of_tier]
    spreads = [
        math.sqrt(paule_mandel(part)) if many else math.nan
        for part, many in zip(of_tier, enough, strict=True)
    ]
    ends = [
        spread_interval(part, level) if many else (math.nan, math.nan)
        for part, many in zip(of_tier, enough, strict=True)
    ]
    return pd.DataFrame(
        {
            "tier": rows.tiers,
            "customers": np.bincount(rows.tier, minlength=len(rows.tiers)),
            "with_own": counts,
            "mean": means,
            "standard_error": errors,
            "lower": means - reach,
            "upper": means + reach,
            "spread": spreads,
            "spread_lower": [low for low, _ in ends],
            "spread_upper": [high for _, high in ends],
        }
    )


def _tau(own: OwnEstimates, spread: float, method: Method, level: float) -> Estimate:
    if own.free < LEAST_SPARE:
        why = f"{counted(len(own), 'customer')} tell no spread"
        return Estimate.without_interval(math.nan, UNIT, len(own), why, level)
    low, high = spread_interval(own, level)
    how = "restricted likelihood" if method == "mixed model" else "Paule-Mandel"
    return Estimate(spread, low, high, UNIT, len(own), f"{how}, interval by Q profile", level)


def _notes(found: OwnSlopes, demand: Demand) -> list[str]:
    said, rows = [], found.design.rows
    lacking = int((~found.known).sum())
    if lacking:
        said.append(
            f"{counted(lacking, 'customer')} saw one price only (or, in logs, bought once): they "
            "have their tier's mean."
        )
    infinite = int((found.infinite != 0).sum())
    if infinite:
        said.append(
            f"{counted(infinite, 'customer')} bought at the lowest price only, or at the highest "
            "only: their own estimate is infinite; drawn towards the tier's mean it is not."
        )
    if found.stage is not None:
        strength = "weak: " if found.stage.weak else ""
        said.append(
            f"First stage of the instruments: {strength}F {found.stage.statistic:,.1f}; the "
            "residual of the first stage is a control (control function), its error is common to "
            "all customers."
        )
    alike = lagged_correlation(rows, found.slopes.residual) if demand == "log-log" else 0.0
    if alike > ALIKE:
        said.append(
            f"Errors of neighbouring periods are alike (correlation {alike:.2f}): intervals, which "
            "take them as independent, are too short and the spread too large. Take "
            "differences=True."
        )
    squares = ", ".join(
        f"{name} {value:.3g}" for name, value in zip(rows.tiers, found.noise, strict=True)
    )
    what = "Dispersion of a row" if demand == "poisson" else "Variance of a row's log quantity"
    said.append(f"{what} by tier: {squares}.")
    return said


def _size(difference: Estimate) -> Estimate:
    """Estimate of the size of a difference, with the interval that its interval makes."""
    ends = sorted((abs(difference.lower), abs(difference.upper)))
    low = 0.0 if difference.lower <= 0 <= difference.upper else ends[0]
    return Estimate(
        abs(difference.estimate),
        low if not math.isnan(difference.lower) else math.nan,
        ends[1],
        difference.unit,
        difference.n,
        difference.method,
        difference.level,
    )


def _interval(row: Any) -> str:
    if math.isnan(row.lower):
        return f"{row.mean:.2f}"
    return f"{row.mean:.2f} [{row.lower:.2f}, {row.upper:.2f}]"
