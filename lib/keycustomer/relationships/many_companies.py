"""One simulated company after the other: what one company's luck hides, many tell.

:func:`simulated_companies` gives them with seeds that follow one another, and tells how far it is.
Every comparison over companies (churn models, effects, switching costs, service, plans) runs on it.

Source: Law, "Simulation Modeling and Analysis" (2015), section 9.4, for replications.
"""

from __future__ import annotations

from collections.abc import Iterator

from keycustomer.simulate import Company, Parameters, simulate_company
from keycustomer.stats.bootstrap import Progress, after_quiet


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
