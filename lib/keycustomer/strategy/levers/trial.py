"""A trial of every lever in simulated companies: what its money brings, one lever at a time.

Question: what does the firm get for what it spends on quality, service, communication, price and
channel?  :func:`lever_trial` turns one dial after the other (see
:mod:`keycustomer.strategy.levers.rules`), everything else staying as today, in companies that meet
the same chance at every setting, and tells money and gain by setting.

*Gain* is what the months ahead bring before the lever's own spending, over the lever's setting 0:
profit and the lever's spending added up, less the same at 0.  What the setting changes in other
levers' costs (customers who stay are visited longer) is part of the gain.  Customers' worth after
the months ahead is not counted, so a lever that binds them is worth somewhat more than is told.

Price works both ways: a discount costs revenue on everything that is used, and raises usage,
products and retention.  All discounts granted are its spending; what is used, owned and kept more
is its gain, at list prices less cost of goods.

Today's habits are not on the curves: habit gives levels, visits and discounts without much regard
to value.  They are told beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.many_companies import mean_over_companies
from keycustomer.simulate import ATTRIBUTES, Parameters, Policy, Settings
from keycustomer.stats.bootstrap import Progress, after_quiet
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.levers.months_ahead import (
    LeverOutcome,
    ObservedCompanies,
    observed_companies,
)
from keycustomer.strategy.levers.rules import BUDGET_LEVERS, DIALS, lever_policy

ONE_BETTER = 1.0
"""Standard deviations by which a single attribute is raised to see what it brings."""


@dataclass(frozen=True, eq=False)
class LeverTrial:
    """What every lever brought, one at a time.

    Attributes
    ----------
    settings : Settings
        Of the first company; the others differ in their seed.
    seeds : tuple of int
        Seed of each company.
    parameters : Parameters
        True coefficients.
    frame : DataFrame
        One row a company, lever and setting: company (seed), lever, dial, spending, gain, profit,
        survival; currency per account and year.
    attributes : DataFrame
        One row an attribute, the best first: attribute, profit (gained by raising it by one
        standard deviation), lower, upper.
    today : dict of str to float
        Spending by today's habits.
    today_profit : float
        Profit by today's habits.
    """

    settings: Settings
    seeds: tuple[int, ...]
    parameters: Parameters = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    attributes: pd.DataFrame = field(repr=False)
    today: dict[str, float]
    today_profit: float
    simulated: bool = True

    @property
    def companies(self) -> int:
        """Number of companies."""
        return len(self.seeds)

    @property
    def means(self) -> pd.DataFrame:
        """One row a lever and setting: lever, dial, spending, gain, profit, survival."""
        columns = ["spending", "gain", "profit", "survival"]
        return self.frame.groupby(["lever", "dial"], sort=False)[columns].mean().reset_index()

    def dials(self, spending: Mapping[str, float]) -> dict[str, float]:
        """Find the settings of the dials at which levers cost so much.

        Parameters
        ----------
        spending : mapping of str to float
            Currency per account and year by lever.

        Raises
        ------
        ValueError
            When a lever cost less at every setting tried.
        """
        found = {}
        for lever, amount in spending.items():
            tried = self.means.query("lever == @lever")
            costs = np.maximum.accumulate(tried["spending"].to_numpy(dtype=float))
            # the last digits of an amount at the end of the curve are rounding
            if amount > costs[-1] * (1 + 1e-9):
                raise ValueError(
                    f"{lever}: {amount:,.2f} a year is more than was tried ({costs[-1]:,.2f}); "
                    f"try higher settings, settings={{{lever!r}: (..., higher)}}"
                )
            found[lever] = float(np.interp(amount, costs, tried["dial"].to_numpy(dtype=float)))
        return found

    @property
    def bottom_profit(self) -> dict[str, float]:
        """Mean profit with a lever at 0 and the others as today, currency a year."""
        first = self.means.query("dial == 0").set_index("lever")["profit"]
        return {str(lever): float(profit) for lever, profit in first.items()}

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lever and setting, means over companies."""
        return self.means

    @property
    def sentence(self) -> str:
        """Say what the levers cost today and which setting of each brought most."""
        means = self.means.assign(more=self.means["profit"] - self.today_profit)
        best = means.loc[means.groupby("lever", sort=False)["more"].idxmax()]
        told = "; ".join(
            f"{lever} {spending:,.0f} instead of {self.today[lever]:,.0f} ({more:+,.0f} of profit)"
            for lever, spending, more in zip(
                best["lever"], best["spending"], best["more"], strict=True
            )
        )
        return (
            f"Simulated, {self.companies} companies: today's habits spend "
            f"{sum(self.today.values()):,.0f} an account and year on the five levers. The best "
            f"setting of each alone: {told}."
        )

    def _repr_html_(self) -> str:
        return sentence_html(self.sentence, self.means, numbers=",.3g")


def lever_trial(
    companies: int = 12,
    accounts: int = 200,
    months: int = 24,
    *,
    ahead: int = 36,
    first_seed: int = 1,
    discount_rate: float = 0.1,
    settings: Mapping[str, Sequence[float]] | None = None,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> LeverTrial:
    """Try settings of every lever in simulated companies.

    Parameters
    ----------
    companies, accounts, months : int
        How many companies, of which size, with which window before the trial.
    ahead : int
        Months that the trial lasts.
    first_seed : int
        Seed of the first company.
    discount_rate : float
        Effective rate per year, a share.
    settings : mapping of str to sequence of float, optional
        Settings of some levers' dials, rising from 0; left out, those of `DIALS`.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with runs done and in all, once the work has taken two seconds.

    Returns
    -------
    LeverTrial

    Raises
    ------
    ValueError
        When a lever is unknown, settings do not rise from 0, or a company cannot be simulated.
    """
    dials = _checked_dials(settings or {})
    truth = parameters or Parameters()
    each = company_settings(companies, accounts, months, first_seed, ahead, discount_rate)
    observed = observed_companies(each, truth)
    runs = 1 + len(ATTRIBUTES) + sum(map(len, dials.values()))
    report, done = after_quiet(progress), 0
    found: list[LeverOutcome] = []

    def run(policies: Iterable[Policy]) -> LeverOutcome:
        nonlocal done
        parts = [one.look_ahead(policy) for one, policy in zip(observed, policies, strict=True)]
        done += 1
        report(done, runs)
        return joined(parts)

    today = run([Policy()] * len(observed))
    found = [run([Policy(quality={a: ONE_BETTER})] * len(observed)) for a in ATTRIBUTES]
    attributes = _ranked(
        {a: f.profit - today.profit for a, f in zip(ATTRIBUTES, found, strict=True)}
    )
    order = attributes["attribute"].tolist()
    rows = []
    for lever, turned in dials.items():
        outcomes = [run(mix_policies(observed, {lever: dial}, order)) for dial in turned]
        rows.append(_lever_rows(lever, turned, outcomes, [one.seed for one in each]))
    return LeverTrial(
        settings=each[0],
        seeds=tuple(one.seed for one in each),
        parameters=truth,
        frame=pd.concat(rows, ignore_index=True),
        attributes=attributes,
        today=dict(zip(BUDGET_LEVERS, today.spending.mean(axis=0).tolist(), strict=True)),
        today_profit=float(today.profit.mean()),
    )


def company_settings(
    companies: int, accounts: int, months: int, first_seed: int, ahead: int, discount_rate: float
) -> list[Settings]:
    """Make the settings of companies whose seeds follow one another."""
    count = whole_number(companies, "companies", of="companies", least=1)
    return [
        Settings(accounts, months, first_seed + place, ahead=ahead, discount_rate=discount_rate)
        for place in range(count)
    ]


def mix_policies(
    observed: Sequence[ObservedCompanies], dials: Mapping[str, float], order: Sequence[str]
) -> list[Policy]:
    """Policies of the same settings, for the accounts of each batch of companies."""
    return [lever_policy(dials, one.known, order, one.world.parameters) for one in observed]


def joined(parts: Sequence[LeverOutcome]) -> LeverOutcome:
    """Outcomes of all companies, one batch after the other."""
    return LeverOutcome(
        *(
            np.concatenate([getattr(one, name) for one in parts])
            for name in ("profit", "spending", "revenue", "survival")
        )
    )


def _lever_rows(
    lever: str, dials: Sequence[float], outcomes: Sequence[LeverOutcome], seeds: Sequence[int]
) -> pd.DataFrame:
    """Spending and gain of a lever by company and setting."""
    place = BUDGET_LEVERS.index(lever)
    spending = np.array([one.spending[:, place] for one in outcomes])
    profit = np.array([one.profit for one in outcomes])
    gross = profit + spending
    count = len(seeds)
    return pd.DataFrame(
        {
            "company": np.tile(seeds, len(dials)),
            "lever": lever,
            "dial": np.repeat(np.asarray(dials, dtype=float), count),
            "spending": spending.ravel(),
            "gain": (gross - gross[0]).ravel(),
            "profit": profit.ravel(),
            "survival": np.array([one.survival for one in outcomes]).ravel(),
        }
    )


def _ranked(gains: Mapping[str, FloatArray]) -> pd.DataFrame:
    """Order attributes by what raising them brought."""
    told = {name: mean_over_companies(gain, "currency a year") for name, gain in gains.items()}
    rows = [
        {"attribute": name, "profit": one.estimate, "lower": one.lower, "upper": one.upper}
        for name, one in told.items()
    ]
    return pd.DataFrame(rows).sort_values("profit", ascending=False, ignore_index=True)


def _checked_dials(settings: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, ...]]:
    """Take the settings by lever, the usual ones where none are given."""
    unknown = [lever for lever in settings if lever not in DIALS]
    if unknown:
        raise ValueError(
            f"settings: no lever {unknown[0]!r}; there is: {', '.join(map(repr, DIALS))}"
        )
    dials = {}
    for lever, dial in DIALS.items():
        turned = tuple(map(float, settings.get(lever, dial.settings)))
        rising = len(turned) > 2 and turned[0] == 0 and all(np.diff(turned) > 0)
        if not rising or turned[-1] > dial.top:
            raise ValueError(
                f"settings[{lever!r}]={turned!r}: at least three settings ({dial.unit}) must rise "
                f"from 0, to {dial.top:g} at most"
            )
        dials[lever] = turned
    return dials
