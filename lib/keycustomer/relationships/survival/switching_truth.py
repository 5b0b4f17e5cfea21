"""What ties truly hold in simulated companies, beside what is estimated.

:func:`true_switching` reruns a company with the same chance and a tie's effect on leaving switched
off in the process (for integration: everybody on the basic level), and takes the difference of
expected months and margin: the very quantities that
:func:`keycustomer.relationships.switching_costs` estimates from the tables.
:func:`switching_over_companies` does both for many companies, so that chance is told from bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.many_companies import simulated_companies
from keycustomer.relationships.months.panel import customer_months
from keycustomer.relationships.survival.switching import switching_costs
from keycustomer.relationships.survival.ties import (
    CONTRACT,
    INTEGRATION,
    PRODUCTS,
    TENURE,
    TOGETHER,
)
from keycustomer.simulate import (
    Outcome,
    Parameters,
    Policy,
    Settings,
    product_arrays,
    simulate_outcomes,
)
from keycustomer.stats.bootstrap import Progress

OFF: dict[str, dict[str, float]] = {
    CONTRACT: {"churn.contract": 0.0, "churn.renewal": 0.0, "churn.offers_contract": 0.0},
    PRODUCTS: {"churn.products": 0.0},
    TENURE: {"churn.tenure": 0.0},
}
"""Coefficients that make each tie hold, 0 without it."""

FIRM = ("estimated_potential", "employees")
"""Columns of the simulated operator that say how large a firm is and that no tie makes."""


def true_switching(
    accounts: int = 2_000,
    months: int = 36,
    seed: int = 1,
    *,
    parameters: Parameters | None = None,
) -> pd.DataFrame:
    """Tell what each tie truly keeps in a simulated company.

    Parameters
    ----------
    accounts, months, seed, parameters
        The company, see :func:`keycustomer.simulate.simulate_company`.

    Returns
    -------
    DataFrame
        One row a tie and one for all switching costs: tie, months, margin (currency): expected
        customer-months and margin over the window less those without the tie.  That of
        integration contains what less care would sell and raise in complaints.
    """
    truth = parameters or Parameters()
    settings = Settings(accounts, months, seed)
    usual, basic = simulate_outcomes(
        settings, truth, product_arrays(), [Policy(), Policy("basic", levels="basic")]
    )
    without = {tie: _rerun(settings, truth.but(off), Policy()) for tie, off in OFF.items()}
    both = truth.but(OFF[CONTRACT] | OFF[PRODUCTS])
    without |= {
        INTEGRATION: basic,
        TOGETHER: _rerun(settings, both, Policy("basic", levels="basic")),
    }
    order = (CONTRACT, PRODUCTS, INTEGRATION, TENURE, TOGETHER)
    rows = [{"tie": tie} | _difference(usual, without[tie]) for tie in order]
    return pd.DataFrame(rows)


def _rerun(settings: Settings, parameters: Parameters, policy: Policy) -> Outcome:
    return simulate_outcomes(settings, parameters, product_arrays(), [policy])[0]


def _difference(usual: Outcome, other: Outcome) -> dict[str, float]:
    return {
        "months": float((usual.expected_months - other.expected_months).sum()),
        "margin": float((usual.expected_margin - other.expected_margin).sum()),
    }


@dataclass(frozen=True, eq=False)
class SwitchingComparison:
    """Estimates of what ties hold beside the truth, over simulated companies.

    Attributes
    ----------
    accounts, months : int
        Size and window of each company.
    size : tuple of str
        Columns at equal values of which customers were compared.
    frame : DataFrame
        One row a company and tie: seed, tie, true_months, naive_months, months, months_lower,
        months_upper, and the same of margin.
    """

    accounts: int
    months: int
    size: tuple[str, ...]
    frame: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a company and tie."""
        return self.frame.copy()

    def summary(self, what: str = "months") -> pd.DataFrame:
        """Average over the companies.

        Parameters
        ----------
        what : {"months", "margin"}
            Months or margin kept.

        Returns
        -------
        DataFrame
            One row a tie: tie, companies, truth (mean), naive_error, error (mean of the estimate
            less the truth), naive_spread, spread (their standard deviations over companies),
            covered (share of companies whose interval holds the truth).
        """
        if what not in ("months", "margin"):
            raise ValueError(f"what={what!r} must be 'months' or 'margin'")
        rows = []
        for tie, own in self.frame.groupby("tie", sort=False):
            true = own[f"true_{what}"]
            error, alone = own[what] - true, own[f"naive_{what}"] - true
            held = (own[f"{what}_lower"] <= true) & (true <= own[f"{what}_upper"])
            rows.append(
                {
                    "tie": tie,
                    "companies": len(own),
                    "truth": true.mean(),
                    "naive_error": alone.mean(),
                    "error": error.mean(),
                    "naive_spread": alone.std(),
                    "spread": error.std(),
                    "covered": held.mean(),
                }
            )
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        said = [
            "Simulated: what ties hold, estimated from the tables of each company, against the "
            "same company rerun without them.",
            f"{self.frame['seed'].nunique()} companies of {self.accounts:,} accounts and "
            f"{self.months} months; compared at equal {', '.join(self.size)}.",
        ]
        return report_html(
            "Switching costs against the truth", said, {"Customer-months kept": self.summary()}
        )


def switching_over_companies(
    companies: int = 20,
    accounts: int = 1_000,
    months: int = 36,
    *,
    seed: int = 1,
    size: Sequence[str] = FIRM,
    draws: int = 200,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> SwitchingComparison:
    """Estimate what ties hold in many simulated companies, and compare with the truth.

    Parameters
    ----------
    companies : int
        Number of companies, with seeds `seed`, `seed` + 1 and so on.
    accounts, months, parameters
        Each company, see :func:`keycustomer.simulate.simulate_company`.
    seed : int
        Seed of the first.
    size, draws
        As in :func:`keycustomer.relationships.switching_costs`.
    progress : callable, optional
        Called with companies done and in all, once the work has taken two seconds.

    Returns
    -------
    SwitchingComparison
    """
    parts = []
    for company in simulated_companies(
        companies, accounts, months, seed, parameters=parameters, progress=progress
    ):
        one = company.settings.seed
        found = switching_costs(customer_months(company), size=size, draws=draws, seed=one)
        true = true_switching(accounts, months, one, parameters=parameters)
        true = true.rename(columns={"months": "true_months", "margin": "true_margin"})
        parts.append(found.kept.merge(true, on="tie", how="left").assign(seed=np.int64(one)))
    frame = pd.concat(parts, ignore_index=True)
    return SwitchingComparison(accounts, months, tuple(size), frame)
