"""One simulated company after the other: what one company's luck hides, many tell.

:func:`simulated_companies` gives them with seeds that follow one another, and tells how far it is;
:func:`mean_over_companies` is the mean of one number a company, with the interval of companies
drawn again.  A comparison of fewer than `FEWEST` is called too small.

Every comparison over companies (churn models, effects, switching costs, service, plans) runs on it.

Source: Law, "Simulation Modeling and Analysis" (2015), section 9.4, for replications.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from keycustomer.simulate import Company, Parameters, simulate_company
from keycustomer.stats.bootstrap import (
    Progress,
    Seed,
    after_quiet,
    bootstrap,
    bootstrap_estimate,
)
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

FEWEST = 20
"""Companies below which a comparison is called too small."""


def simulated_companies(
    companies: int,
    accounts: int,
    months: int,
    first_seed: int,
    *,
    parameters: Parameters | None = None,
    least: int = 1,
    progress: Progress | None = None,
) -> Iterator[Company]:
    """Simulate companies one by one.

    Parameters
    ----------
    companies : int
        How many; their seeds are `first_seed`, `first_seed` + 1, ...
    accounts, months : int
        Size and window of each.
    first_seed : int
        Seed of the first company.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    least : int
        Fewest companies that make sense.
    progress : callable, optional
        Called with companies done and in all, once the work has taken two seconds.

    Raises
    ------
    ValueError
        When there are too few companies.
    """
    if isinstance(companies, bool) or not isinstance(companies, int) or companies < least:
        raise ValueError(f"companies={companies!r}: at least {least} must be simulated")
    report = after_quiet(progress)
    for done in range(companies):
        yield simulate_company(accounts, months, first_seed + done, parameters=parameters)
        report(done + 1, companies)


def mean_over_companies(
    values: FloatArray, unit: str, *, draws: int = 1000, seed: Seed = 0
) -> Estimate:
    """Mean over companies with its BCa interval.

    Parameters
    ----------
    values : ndarray, shape (companies,)
        One a company.
    unit : str
        Their unit.
    draws, seed
        As in :func:`keycustomer.stats.bootstrap`.

    Returns
    -------
    Estimate
        Without interval for one company, or where it is not known in every one.
    """
    count = len(values)
    if count < 2 or not np.isfinite(values).all():
        why = ("no company", "one company", "not known in every company")[min(count, 2)]
        mean = float(values.mean()) if count else math.nan
        return Estimate.without_interval(mean, unit, count, why)
    drawn = bootstrap(
        lambda weights: (weights @ values)[:, None] / count,
        np.ones(count, dtype=np.int64),
        draws=draws,
        seed=seed,
    )
    return bootstrap_estimate(
        float(values.mean()),
        drawn[:, 0],
        unit=unit,
        n=count,
        leave_one_out=(values.sum() - values) / (count - 1),
    )
