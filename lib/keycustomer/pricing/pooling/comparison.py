"""Ways of pooling held against known elasticities.

Question: which estimate of a customer's elasticity comes nearest to the truth, and whose intervals
hold it as often as they promise?  :func:`pooling_comparison` answers it for one simulated base or
known panel; :func:`pooling_over_seeds` for many drawn panels, and :func:`pooling_over_companies`
for many simulated companies, from which coverage can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, percent, sentence_html
from keycustomer.dimensions.known_truth import company_of
from keycustomer.pricing.pooling.customers import (
    CustomerElasticities,
    checked_arguments,
    pooled_elasticities,
    read_slopes,
)
from keycustomer.pricing.pooling.known import KnownCustomers, known_customers
from keycustomer.pricing.pooling.methods import METHODS, Method
from keycustomer.stats.bootstrap import Progress, after_quiet

LEAST_SEEDS = 2
"""Repetitions from which a spread over them can be told."""

COLUMNS = ("rmse", "bias", "coverage", "length", "positive", "correlation")
"""What is measured of each method."""


@dataclass(frozen=True, eq=False)
class PoolingComparison:
    """Methods of pooling beside the truth.

    Attributes
    ----------
    frame : DataFrame
        One row a method and tier ("all" for all): ``method``, ``tier``, ``customers`` (with an
        estimate, on average), ``rmse`` (root mean squared error of the customers' elasticities;
        the median over repetitions), ``bias``, ``coverage`` (share of intervals that hold the
        truth), ``length`` (median length of the intervals), ``positive`` (share of estimates above
        0), ``correlation`` (of estimate and truth), and with repetitions ``rmse_error`` and
        ``coverage_error`` (standard errors over them).
    runs : DataFrame
        The same, one row a repetition, method and tier.
    estimates : dict of method to CustomerElasticities
        Of the first repetition.
    truth : Series
        True elasticities of the first repetition, by customer.
    repetitions : int
        Panels or companies.
    level : float
        Level of the intervals.
    what : str
        What was simulated.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    runs: pd.DataFrame = field(repr=False)
    estimates: Mapping[str, CustomerElasticities] = field(repr=False)
    truth: pd.Series = field(repr=False)
    repetitions: int
    level: float
    what: str
    notes: tuple[str, ...] = ()

    simulated = True

    def of(self, method: str, tier: str = "all") -> pd.Series:
        """Row of a method and tier."""
        found = self.frame[(self.frame["method"] == method) & (self.frame["tier"] == tier)]
        if found.empty:
            raise ValueError(
                f"no method {method!r} of tier {tier!r}; there are methods "
                f"{self.frame['method'].unique().tolist()} and tiers "
                f"{self.frame['tier'].unique().tolist()}"
            )
        return found.iloc[0]

    @property
    def best(self) -> str:
        """Method with the smallest root mean squared error."""
        whole = self.frame[self.frame["tier"] == "all"]
        return str(whole.sort_values("rmse")["method"].iloc[0])

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        whole = self.frame[self.frame["tier"] == "all"]
        told = "; ".join(
            f"{method} {rmse:.2f} (intervals hold {percent(float(held), 0)})"
            for method, rmse, held in whole[["method", "rmse", "coverage"]].to_numpy().tolist()
        )
        over = f" over {self.repetitions:,} {self.what}" if self.repetitions > 1 else ""
        return (
            f"Typical error of a customer's elasticity{over}: {told}; "
            f"{percent(self.level, 0)} were promised."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a method and tier."""
        return self.frame.copy()

    def __repr__(self) -> str:
        """Say the comparison in words."""
        return f"PoolingComparison({self.sentence})"

    def _repr_html_(self) -> str:
        said = " ".join([f"Simulated ({self.what}).", self.sentence, *self.notes])
        return sentence_html(said, self.frame, numbers=",.3f")


def pooling_comparison(
    source: Any,
    truth: pd.Series | None = None,
    *,
    tiers: pd.Series | None = None,
    methods: Sequence[Method] = METHODS,
    level: float = 0.95,
    **arguments: Any,
) -> PoolingComparison:
    """Hold ways of pooling against the true elasticities of one simulated panel.

    Parameters
    ----------
    source : CustomerBase, Company, KnownCustomers, or panel
        A simulated base or company, a panel with a known truth, or any panel with `truth`.
    truth : Series, optional
        True elasticity by customer; left out, that of the source.
    tiers : Series, optional
        Tier by customer_id, for a base or company; left out, all in one.
    methods : sequence of str
        Ways of pooling.
    level : float
        Level of the intervals.
    **arguments
        As in :func:`customer_elasticities`; of a base or company monthly changes are taken with
        effects of the period, unless they say otherwise.

    Returns
    -------
    PoolingComparison

    Raises
    ------
    ValueError
        When the truth is not known.
    """
    panel, known, told = _laid_out(source, truth, tiers, arguments)
    run = _run(panel, known, methods, level, told)
    one = run.table.assign(repetition=1)
    return PoolingComparison(
        frame=_summary(one),
        runs=one,
        estimates=run.estimates,
        truth=known,
        repetitions=1,
        level=level,
        what="one company" if panel is not source else "one panel",
        notes=tuple(next(iter(run.estimates.values())).notes),
    )


def pooling_over_seeds(
    *,
    seeds: int = 100,
    first_seed: int = 1,
    methods: Sequence[Method] = METHODS,
    level: float = 0.95,
    progress: Progress | None = None,
    **drawn: Any,
) -> PoolingComparison:
    """Hold ways of pooling against the truth of many drawn panels.

    Parameters
    ----------
    seeds : int
        Panels.
    first_seed : int
        Seed of the first.
    methods, level
        As in :func:`pooling_comparison`.
    progress : callable, optional
        Told how many are done.
    **drawn
        As in :func:`known_customers`.
    """

    def panels() -> Iterable[tuple[Any, pd.Series]]:
        for seed in range(first_seed, first_seed + seeds):
            known = known_customers(seed=seed, **drawn)
            yield known, known.truth

    return _repeated(panels, seeds, "drawn panels", methods, level, {}, progress)


def pooling_over_companies(
    *,
    companies: int = 20,
    accounts: int = 250,
    months: int = 36,
    first_seed: int = 1,
    methods: Sequence[Method] = METHODS,
    level: float = 0.95,
    progress: Progress | None = None,
    **arguments: Any,
) -> PoolingComparison:
    """Hold ways of pooling against the truth of many simulated companies.

    Parameters
    ----------
    companies, accounts, months : int
        How many, and how large.
    first_seed : int
        Seed of the first.
    methods, level, **arguments
        As in :func:`pooling_comparison`; tiers are halves by revenue.
    progress : callable, optional
        Told how many are done.
    """
    from keycustomer.relationships.many_companies import simulated_companies

    told = {**_ACCOUNTS, **arguments}

    def panels() -> Iterable[tuple[Any, pd.Series]]:
        for company in simulated_companies(companies, accounts, months, first_seed):
            panel, truth, _ = _laid_out(company, None, None, {})
            yield _with_halves(panel), truth

    return _repeated(panels, companies, "companies", methods, level, told, progress)


_ACCOUNTS: dict[str, Any] = {"effects": ("period",), "differences": True}
"""How elasticities of simulated accounts are estimated unless told otherwise."""


@dataclass(frozen=True, eq=False)
class _Run:
    table: pd.DataFrame
    estimates: dict[str, CustomerElasticities]


def _laid_out(
    source: Any, truth: pd.Series | None, tiers: pd.Series | None, arguments: Mapping[str, Any]
) -> tuple[Any, pd.Series, dict[str, Any]]:
    """Panel, truth and arguments of a source."""
    from keycustomer.pricing.panels.accounts import account_panel
    from keycustomer.simulate import Company

    if isinstance(source, (CustomerBase, Company)):
        company = company_of(source, "true elasticities")
        panel = account_panel(source, tiers=tiers)
        frame = company.truth.accounts.set_index("customer_id")["elasticity"]
        base = {**_ACCOUNTS, "tier": "tier" if tiers is not None else None}
        return panel, frame if truth is None else truth, {**base, **arguments}
    if tiers is not None:
        raise ValueError("tiers are for a base or company; a panel has its own column, named tier")
    if isinstance(source, KnownCustomers) and truth is None:
        return source, source.truth, dict(arguments)
    if truth is None:
        raise ValueError("truth: the true elasticity of every customer is needed with a panel")
    return source, truth, dict(arguments)


def _with_halves(panel: Any) -> pd.DataFrame:
    """Panel with two tiers: the largest customers that make half of the revenue, the others."""
    revenue = panel.frame.groupby("unit")["revenue"].sum().sort_values(ascending=False)
    large = (revenue.cumsum() - revenue) < revenue.sum() / 2
    tier = large.map({True: "large", False: "small"})
    return panel.frame.assign(tier=panel.frame["unit"].map(tier))


def _run(
    panel: Any, truth: pd.Series, methods: Sequence[Method], level: float, told: Mapping[str, Any]
) -> _Run:
    arguments = checked_arguments(methods, level, told)
    found = read_slopes(panel, arguments)
    estimates: dict[str, CustomerElasticities] = {
        method: pooled_elasticities(found, method, arguments.demand, level) for method in methods
    }
    tables = [_measured(estimate, truth).assign(method=m) for m, estimate in estimates.items()]
    return _Run(pd.concat(tables, ignore_index=True), estimates)


def _measured(estimate: CustomerElasticities, truth: pd.Series) -> pd.DataFrame:
    frame = estimate.frame.assign(truth=estimate.frame["customer"].map(truth))
    unknown = frame["truth"].isna()
    if unknown.any():
        who = frame.loc[unknown, "customer"].tolist()[:3]
        raise ValueError(
            f"truth: {unknown.sum():,} customers have no true elasticity, first {who}; index it by "
            "customer"
        )
    frame = frame.dropna(subset=["elasticity"])
    parts = {"all": frame, **dict(iter(frame.groupby("tier")))}
    if len(parts) == 2:
        parts = {"all": frame}
    return pd.DataFrame([{"tier": name, **_errors(part)} for name, part in parts.items()])


def _errors(part: pd.DataFrame) -> dict[str, float]:
    error = part["elasticity"] - part["truth"]
    held = (part["lower"] <= part["truth"]) & (part["truth"] <= part["upper"])
    varied = len(part) > 1 and part["elasticity"].std() > 0 and part["truth"].std() > 0
    return {
        "customers": len(part),
        "rmse": float(np.sqrt((error**2).mean())),
        "bias": float(error.mean()),
        "coverage": float(held.mean()),
        "length": float((part["upper"] - part["lower"]).median()),
        "positive": float((part["elasticity"] > 0).mean()),
        "correlation": float(part["elasticity"].corr(part["truth"])) if varied else np.nan,
    }


def _repeated(
    panels: Callable[[], Iterable[tuple[Any, pd.Series]]],
    repetitions: int,
    what: str,
    methods: Sequence[Method],
    level: float,
    told: Mapping[str, Any],
    progress: Progress | None,
) -> PoolingComparison:
    if repetitions < LEAST_SEEDS:
        raise ValueError(f"{repetitions} {what}: at least {LEAST_SEEDS} are needed")
    report, tables, first = after_quiet(progress), [], None
    for number, (panel, truth) in enumerate(panels(), start=1):
        run = _run(panel, truth, methods, level, told)
        first = first or (run, truth)
        tables.append(run.table.assign(repetition=number))
        report(number, repetitions)
    assert first is not None  # noqa: S101 - there are at least two
    runs = pd.concat(tables, ignore_index=True)
    return PoolingComparison(
        frame=_summary(runs),
        runs=runs,
        estimates=first[0].estimates,
        truth=first[1],
        repetitions=repetitions,
        level=level,
        what=what,
        notes=(f"Root mean squared errors are medians over {counted(repetitions, 'repetition')}.",),
    )


def _summary(runs: pd.DataFrame) -> pd.DataFrame:
    groups = runs.groupby(["method", "tier"], sort=False)
    table = groups[["customers", *COLUMNS]].mean()
    # without pooling a few customers with hardly any variation of price rule every mean
    table["rmse"] = groups["rmse"].median()
    count = groups.size()
    if count.max() > 1:
        for column in ("rmse", "coverage"):
            table[f"{column}_error"] = groups[column].std() / np.sqrt(count)
    return table.reset_index()
