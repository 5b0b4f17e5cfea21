"""One price for all against prices by tier and by customer, judged by the truth (K8).

Question: does it pay to charge customers differently?  :func:`plan_prices` makes three plans from
the same estimates, the same floor and the same range: one price for all, one for each tier, one for
each customer.  :func:`judge_prices` runs a simulated company under them;
:func:`price_differentiation` does so in many companies, where luck evens out.

The rule of the verdict is fixed: the gain of prices by tier over one price for all, as a share of
the profit under one price for all, mean over companies; *supported* when its interval lies above 0,
*not supported* when it lies at or below, else *undecided*.  Estimates are those a firm can make
from its own data; the true responses are used by nobody but the judge.

Customers differ in cost and in how likely they leave, too: a gain is no proof that they differ in
sensitivity.  In companies whose customers all respond alike, prices by tier gained 1 % on average
over six runs of 20 companies (supported in one of them), prices by customer 4 to 6 %.

What comes after the horizon is not counted: plans ask for more than today's prices and keep fewer
customers (see ``retention``), and where the retention response is estimated too low, today's habit
can be the better of the two over a long horizon.  The rule compares plans that share this.

Source: course material K8; Law, "Simulation Modeling and Analysis" (2015), section 9.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.optimal.customers_today import CustomersAtPrices, customers_at_prices
from keycustomer.pricing.optimal.over_lifetime import LifetimePrice, lifetime_optimal_price
from keycustomer.pricing.optimal.price_responses import Response
from keycustomer.relationships.many_companies import (
    FEWEST,
    mean_over_companies,
    simulated_companies,
)
from keycustomer.simulate import Parameters, Policy, PolicyComparison, PricingRule, compare_policies
from keycustomer.simulate.columns import customer_ids
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.estimate import verdict_above

if TYPE_CHECKING:
    from keycustomer.simulate import Company

HABIT = "today's habit"
ONE_PRICE = "one price for all"
BY_TIER = "price by tier"
BY_CUSTOMER = "price by customer"

CUTS = (0.8, 0.95)
"""Shares of revenue that end the tiers A and B."""

DISCOUNTS = (-1.0, 0.95)
"""Range of discounts that a price is made of; below 0 a price above the list."""


def plan_prices(
    customers: CustomersAtPrices,
    *,
    horizon: int = 36,
    discount_rate: float = 0.1,
    floor: float = 0.1,
    within: tuple[float, float] = (0.7, 1.4),
) -> dict[str, LifetimePrice]:
    """Plan one price for all, a price by tier and a price by customer from the same estimates.

    Parameters
    ----------
    customers : CustomersAtPrices
        Customers with estimated responses.
    horizon, discount_rate
        Months counted and rate per year.
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost, for every customer.
    within : tuple of float
        Range of prices, multiples of each group's price today: data tell little beyond it.

    Returns
    -------
    dict of str to LifetimePrice
        By name of the plan.
    """
    by_customer = customers.elasticity_by_customer
    plans: dict[str, tuple[str | None, Response]] = {
        ONE_PRICE: (None, customers.elasticity_used),
        BY_TIER: ("tier", by_customer),
        BY_CUSTOMER: ("customer_id", by_customer),
    }
    return {
        name: lifetime_optimal_price(
            customers.frame,
            elasticity,
            customers.response_used,
            by=by,
            horizon=horizon,
            discount_rate=discount_rate,
            floor=floor,
            within=within,
            currency=customers.currency,
            simulated=customers.simulated,
        )
        for name, (by, elasticity) in plans.items()
    }


def judge_prices(
    company: Company,
    plans: Mapping[str, LifetimePrice],
    customers: CustomersAtPrices,
) -> PolicyComparison:
    """Run a simulated company under plans of prices, and under today's habit of discounts.

    Parameters
    ----------
    company : Company
        The company that the plans were made for.
    plans : mapping of str to LifetimePrice
        Plans by name, with the same horizon, rate and floor.
    customers : CustomersAtPrices
        Their customers.

    Returns
    -------
    PolicyComparison
        Of the months ahead; the first policy is today's habit.  Under a plan discounts by habit
        end, the list stays, and each customer pays its price; no discount breaks the floor.

    Raises
    ------
    ValueError
        When there is no plan, or plans differ in horizon, rate or floor.
    """
    terms = {
        (one.responses.horizon, one.responses.discount_rate, one.floor) for one in plans.values()
    }
    if len(terms) != 1:
        raise ValueError(
            f"plans: {len(plans)} plans with {len(terms)} different (horizon, rate, floor); give "
            "plans that share them"
        )
    horizon, rate, floor = terms.pop()
    rule, listed = PricingRule("none", floor=min(floor, 1.0)), _list_prices(customers)
    policies = {HABIT: Policy(HABIT)}
    for name, plan in plans.items():
        discounts = _discounts(company, plan.prices, listed)
        policies[name] = Policy(name, pricing=rule, discount=discounts.tolist())
    made = company.settings
    return compare_policies(
        policies,
        made.accounts,
        made.months,
        made.seed,
        start=made.start,
        ahead=horizon,
        discount_rate=rate,
        parameters=company.parameters,
    )


def _list_prices(customers: CustomersAtPrices) -> pd.Series:
    return customers.frame.set_index("customer_id")["list_price"]


def _discounts(company: Company, prices: pd.Series, listed: pd.Series) -> pd.Series:
    """Discount of every account of the company; none for who is not priced."""
    given = 1 - prices / listed.reindex(prices.index)
    return given.reindex(customer_ids(company.accounts.number)).fillna(0.0).clip(*DISCOUNTS)


def revenue_tiers(company: Company) -> pd.Series:
    """Put a simulated company's customers in tiers by revenue of the last year.

    Parameters
    ----------
    company : Company
        A simulated company.

    Returns
    -------
    Series
        A, B, C by customer_id: A the largest who bring 80 % of the revenue of the last twelve
        months, B the next up to 95 %, C the rest; everybody has one.
    """
    names = pd.Index(customer_ids(company.accounts.number), name="customer_id")
    spent = pd.Series(np.nansum(company.panel.revenue[-12:], axis=0), names)
    ranked = spent.sort_values(ascending=False, kind="stable")
    before = (ranked.cumsum() - ranked) / ranked.sum()
    tiers = np.select([before < CUTS[0], before < CUTS[1]], ["A", "B"], "C")
    return pd.Series(tiers, ranked.index, name="tier").reindex(names)


@dataclass(frozen=True, eq=False)
class PriceDifferentiation:
    """Prices for all, by tier and by customer, judged in many simulated companies.

    Attributes
    ----------
    frame : DataFrame
        One row a company and plan: company (its seed), plan, profit (over the months ahead, true,
        currency), gain (over one price for all, as a share of its profit), promised (what the
        estimates promised over today's prices, currency), delivered (true profit over today's
        habit, currency), retention (expected, at the end).
    estimates : DataFrame
        One row a company: company, own_price_elasticity, retention_response, naive (the response
        without control), true_elasticity, true_response (means over accounts).
    companies, accounts, months, horizon : int
        Companies, and the size, window and months ahead of each.
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost.
    notes : tuple of str
        What the reader must know.
    """

    frame: pd.DataFrame
    estimates: pd.DataFrame = field(repr=False)
    companies: int
    accounts: int
    months: int
    horizon: int
    floor: float
    notes: tuple[str, ...] = ()

    def gain(self, plan: str = BY_TIER, *, draws: int = 1000, seed: Seed = 0) -> Estimate:
        """Give a plan's gain over one price for all, share of profit, mean over companies.

        Raises
        ------
        KeyError
            When there is no such plan.
        """
        values = self.frame.loc[self.frame["plan"] == plan, "gain"].to_numpy(float)
        if not len(values):
            known = ", ".join(map(repr, self.frame["plan"].unique()))
            raise KeyError(f"no plan {plan!r}; there is: {known}")
        return mean_over_companies(values, "share of profit", draws=draws, seed=seed)

    @property
    def verdict(self) -> str:
        """Verdict on K8: prices by tier bring more than one price for all."""
        return self.verdict_of(BY_TIER)

    def verdict_of(self, plan: str) -> str:
        """Verdict on a plan bringing more than one price for all; undecided for few companies."""
        if self.companies < FEWEST:
            return "undecided"
        return verdict_above(self.gain(plan), 0.0)

    def summary(self) -> pd.DataFrame:
        """Summarise plans: plan, gain, lower, upper, wins (share of companies), retention."""
        rows = []
        for plan, part in self.frame.groupby("plan", sort=False):
            mean = self.gain(str(plan))
            rows.append(
                {
                    "plan": plan,
                    "gain": mean.estimate,
                    "lower": mean.lower,
                    "upper": mean.upper,
                    "wins": float((part["gain"] > 0).mean()),
                    "retention": float(part["retention"].mean()),
                }
            )
        return pd.DataFrame(rows)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a company and plan."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"Simulated: {self.companies} companies of {self.accounts:,} accounts, {self.horizon} "
            f"months ahead, floor {self.floor:.0%} over cost. Prices by tier bring more than one "
            f"price for all: {self.verdict} ({self.gain(BY_TIER).as_percent()} of profit). "
            f"{' '.join(self.notes)}"
        )
        return sentence_html(said.strip(), self.summary(), numbers=",.3f")


def price_differentiation(
    companies: int = 20,
    accounts: int = 500,
    months: int = 36,
    *,
    horizon: int = 36,
    discount_rate: float = 0.1,
    floor: float = 0.1,
    within: tuple[float, float] = (0.7, 1.4),
    first_seed: int = 1,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> PriceDifferentiation:
    """Set prices from estimates in many simulated companies, and judge them by the truth.

    Parameters
    ----------
    companies, accounts, months : int
        How many, and the size and window of each; seeds follow `first_seed`.
    horizon, discount_rate
        Months ahead that count, and the rate per year.
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost.
    within : tuple of float
        Range of prices, multiples of today's.
    first_seed : int
        Seed of the first company.
    parameters : Parameters, optional
        True coefficients; left out, those of the course.
    progress : callable, optional
        Called with companies done and in all.

    Raises
    ------
    ValueError
        When a number makes no sense; a complaint about a company names it.
    """
    judged, estimated = [], []
    for company in simulated_companies(
        companies, accounts, months, first_seed, parameters=parameters, progress=progress
    ):
        seed = company.settings.seed
        try:
            customers = customers_at_prices(company, revenue_tiers(company))
            plans = plan_prices(
                customers,
                horizon=horizon,
                discount_rate=discount_rate,
                floor=floor,
                within=within,
            )
            compared = judge_prices(company, plans, customers).to_frame()
        except (ValueError, KeyError) as error:
            error.add_note(f"in the simulated company with {accounts:,} accounts and seed {seed}")
            raise
        judged.append(_judged(seed, plans, compared))
        estimated.append(_estimated(seed, company, customers))
    estimates = pd.DataFrame(estimated)
    return PriceDifferentiation(
        pd.concat(judged, ignore_index=True),
        estimates,
        companies,
        accounts,
        months,
        horizon,
        floor,
        _notes(companies, estimates),
    )


def _notes(companies: int, estimates: pd.DataFrame) -> tuple[str, ...]:
    mean = estimates.mean(numeric_only=True)
    said = [f"Fewer than {FEWEST} companies: too few for a verdict."] * (companies < FEWEST)
    said.append(
        f"Mean retention response estimated {mean['retention_response']:.1f}, without control "
        f"{mean['naive']:.1f}, true {mean['true_response']:.1f} log-odds per log price; elasticity "
        f"{mean['own_price_elasticity']:.2f}, true {mean['true_elasticity']:.2f}."
    )
    return tuple(said)


def _judged(seed: int, plans: Mapping[str, LifetimePrice], compared: pd.DataFrame) -> pd.DataFrame:
    profit = compared["profit"]
    one = float(profit[ONE_PRICE])
    promised = {HABIT: 0.0} | {name: plan.gain for name, plan in plans.items()}
    return pd.DataFrame(
        {
            "company": seed,
            "plan": compared.index,
            "profit": profit.to_numpy(),
            "gain": (profit / one - 1).to_numpy(),
            "promised": [promised[str(name)] for name in compared.index],
            "delivered": (profit - profit[HABIT]).to_numpy(),
            "retention": compared["survival"].to_numpy(),
        }
    )


def _estimated(seed: int, company: Company, customers: CustomersAtPrices) -> dict[str, float]:
    return {
        "company": seed,
        "own_price_elasticity": customers.own_price_elasticity.estimate,
        "retention_response": customers.retention_response.estimate,
        "naive": customers.naive_retention_response.estimate,
        "true_elasticity": float(company.accounts.elasticity.mean()),
        "true_response": float(company.accounts.discount_response.mean()),
    }
