"""The simulated company: its accounts, what happened to them, and the tables made of it.

:func:`simulate_company` makes one; a `Company` has the settings, the true parameters, the accounts
with all that is latent, the monthly panel, totals, tables and truth.  All of it is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from keycustomer.simulate.accounts import Accounts, draw_accounts
from keycustomer.simulate.panel import Outcome, Panel
from keycustomer.simulate.parameters import Parameters
from keycustomer.simulate.perception import weights_at
from keycustomer.simulate.policy import Policy
from keycustomer.simulate.process import Progress, simulate_process
from keycustomer.simulate.products import Products, product_arrays
from keycustomer.simulate.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Company:
    """A simulated company.

    Attributes
    ----------
    settings : Settings
        Size, window and seed.
    parameters : Parameters
        True coefficients.
    policy : Policy
        Policy under which it was run.
    accounts : Accounts
        Who the accounts are; the same under every policy.
    products : Products
        Catalogue.
    panel : Panel
        What happened month by month.
    outcome : Outcome
        Totals per account.
    """

    settings: Settings
    parameters: Parameters
    policy: Policy
    accounts: Accounts
    products: Products
    panel: Panel
    outcome: Outcome

    def weights_at(self, month: int) -> Array:
        """Give the true value weights of a month, shape (n, 5), in the order of `DIMENSIONS`."""
        return weights_at(self.accounts, self.parameters, month)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Write the tables of the data model by name, as the operator's systems hold them."""
        from keycustomer.simulate.tables import company_tables

        return company_tables(self)

    @cached_property
    def truth(self) -> Any:
        """What is true of the company and no table tells, see :mod:`keycustomer.simulate.truth`."""
        from keycustomer.simulate.truth import company_truth

        return company_truth(self)

    def __repr__(self) -> str:
        """Say that it is simulated, how large, and under which policy."""
        settings = self.settings
        return (
            f"Company(simulated: {settings.accounts:,} accounts, {settings.months} months from "
            f"{settings.start}, seed {settings.seed}, policy {self.policy.name!r})"
        )


def simulate_company(
    accounts: int = 2_000,
    months: int = 36,
    seed: int = 1,
    *,
    start: str = "2023-01",
    policy: Policy | None = None,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> Company:
    """Simulate the business customers of a regional telecom operator.

    The same arguments give the same company; another policy gives the same accounts meeting the
    same chance under other rules.

    Parameters
    ----------
    accounts : int
        Business customers, those who join within the window included.
    months : int
        Months of the window, 1 to 600.
    seed : int
        Seed of everything random, 0 or larger.
    start : str
        First calendar month, "YYYY-MM".
    policy : Policy, optional
        What is done differently; left out, business as usual.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with blocks of accounts done and in all.

    Raises
    ------
    TypeError, ValueError
        When a setting is no such number, or policy and parameters are no such objects.

    Examples
    --------
    >>> simulate_company(500, 24)
    Company(simulated: 500 accounts, 24 months from 2023-01, seed 1, policy 'business as usual')
    """
    settings = Settings(accounts, months, seed, start)
    rules, truth = checked(policy, Policy, "policy"), checked(parameters, Parameters, "parameters")
    products = product_arrays()
    everybody = draw_accounts(settings, truth, products)
    panel, outcome = simulate_process(
        settings, truth, everybody, products, rules, progress=progress
    )
    return Company(settings, truth, rules, everybody, products, panel, outcome)


def checked(given: Any, kind: type, name: str) -> Any:
    """Give the argument, or the usual one of its kind if it is None.

    Raises
    ------
    TypeError
        When it is something else.
    """
    if given is None:
        return kind()
    if not isinstance(given, kind):
        raise TypeError(f"{name}={given!r} must be a keycustomer.simulate.{kind.__name__}")
    return given
