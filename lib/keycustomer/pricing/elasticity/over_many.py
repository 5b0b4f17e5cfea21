"""Estimators of the elasticity over many companies, or many panels, of known truth.

Question: was the estimate near by luck?  :func:`elasticity_over_companies` and
:func:`elasticity_over_panels` repeat the comparison with new seeds; an `ElasticityRecovery` tells
for each estimator how far it is off on average, its spread, and how often its interval holds the
truth.

Source: Law, "Simulation Modeling and Analysis" (2015), section 9.4, for replications.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.elasticity.comparison import elasticity_comparison
from keycustomer.pricing.elasticity.synthetic import known_panel
from keycustomer.relationships.many_companies import simulated_companies
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.student import student_quantile


@dataclass(frozen=True, eq=False)
class ElasticityRecovery:
    """Estimates over many simulated data sets.

    Attributes
    ----------
    frame : DataFrame
        One row a data set and estimator: ``seed``, then as in `ElasticityComparison.frame`.
    what : str
        What was repeated.
    level : float
        Level of the intervals.
    """

    frame: pd.DataFrame = field(repr=False)
    what: str
    level: float

    @property
    def summary(self) -> pd.DataFrame:
        """Each estimator over all data sets.

        Returns
        -------
        DataFrame
            method, repetitions, mean, truth (means), limit, bias (mean error) with bias_lower and
            bias_upper (its interval, Student's t), rmse, standard_error (mean), coverage (share
            of intervals that hold the truth) with coverage_lower and coverage_upper (Wilson).
        """
        rows = [
            _summarised(str(name), rows, self.level)
            for name, rows in self.frame.groupby("method", sort=False)
        ]
        return pd.DataFrame(rows)

    def to_frame(self) -> pd.DataFrame:
        """One row a data set and estimator."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        table = self.summary
        covering = [
            f"{name} {share:.0%}"
            for name, share in zip(table["method"], table["coverage"], strict=True)
        ]
        said = f"Simulated: {self.what}; {self.level:.0%} intervals hold the truth: "
        return report_html(
            "Recovery of the elasticity",
            [said + ", ".join(covering) + "."],
            {
                "Estimators": table.rename(
                    columns={"coverage_lower": "coverage from", "coverage_upper": "coverage to"}
                )
            },
        )


def _summarised(name: str, rows: pd.DataFrame, level: float) -> dict[str, Any]:
    error, n = rows["error"].to_numpy(float), len(rows)
    reach = student_quantile(level, n - 1) * error.std(ddof=1) / np.sqrt(n)
    held = int(rows["held"].sum())
    lower, upper = wilson_interval(held, n, level)
    return {
        "method": name,
        "repetitions": n,
        "mean": rows["elasticity"].mean(),
        "truth": rows["truth"].mean(),
        "limit": rows["limit"].mean(),
        "bias": error.mean(),
        "bias_lower": error.mean() - reach,
        "bias_upper": error.mean() + reach,
        "rmse": float(np.sqrt((error**2).mean())),
        "standard_error": rows["standard_error"].mean(),
        "coverage": held / n,
        "coverage_lower": float(lower),
        "coverage_upper": float(upper),
    }


def elasticity_over_companies(
    companies: int = 20,
    *,
    accounts: int = 300,
    months: int = 36,
    cluster: str = "unit",
    level: float = 0.95,
    first_seed: int = 1,
    progress: Progress | None = None,
) -> ElasticityRecovery:
    """Compare the estimators in many simulated companies.

    Parameters
    ----------
    companies : int
        Number of companies, at least 2; their seeds are `first_seed`, `first_seed` + 1, ...
    accounts, months : int
        Size and window of each.
    cluster : str
        Column within which errors go together.
    level : float
        Level of the intervals.
    first_seed : int
        Seed of the first company.
    progress : callable, optional
        Called with companies done and in all, once the work has taken two seconds.

    Returns
    -------
    ElasticityRecovery
    """
    made = simulated_companies(companies, accounts, months, first_seed, least=2, progress=progress)
    parts = [
        elasticity_comparison(one, cluster=cluster, level=level).frame.assign(
            seed=one.settings.seed
        )
        for one in made
    ]
    what = f"{companies} companies of {accounts:,} accounts over {months} months"
    return ElasticityRecovery(pd.concat(parts, ignore_index=True), what, level)


def elasticity_over_panels(
    panels: int = 200,
    *,
    level: float = 0.95,
    first_seed: int = 1,
    progress: Progress | None = None,
    **design: Any,
) -> ElasticityRecovery:
    """Compare the estimators on many panels of known elasticity.

    Parameters
    ----------
    panels : int
        Number of panels, at least 2; their seeds are `first_seed`, `first_seed` + 1, ...
    level : float
        Level of the intervals.
    first_seed : int
        Seed of the first panel.
    progress : callable, optional
        Called with panels done and in all, once the work has taken two seconds.
    **design
        Arguments of :func:`known_panel`, such as units, periods, elasticity, endogeneity.

    Returns
    -------
    ElasticityRecovery

    Raises
    ------
    ValueError
        When there are too few panels.
    """
    if isinstance(panels, bool) or not isinstance(panels, int) or panels < 2:
        raise ValueError(f"panels={panels!r}: at least 2 must be made")
    report, parts = after_quiet(progress), []
    for done in range(panels):
        known = known_panel(seed=first_seed + done, **design)
        compared = elasticity_comparison(
            known, methods=("naive OLS", "fixed effects", "IV"), level=level
        )
        parts.append(compared.frame.assign(seed=first_seed + done))
        report(done + 1, panels)
    return ElasticityRecovery(pd.concat(parts, ignore_index=True), f"{panels} panels", level)
