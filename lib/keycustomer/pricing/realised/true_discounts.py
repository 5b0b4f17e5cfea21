"""The future of a simulated company's customers with and without further points of discount.

Question: what does a point of discount truly cost, account by account?  :func:`future_of` runs the
months ahead as usual and with the points, meeting the same chance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.dimensions.known_truth import company_of
from keycustomer.simulate import Company, Policy, compare_policies
from keycustomer.simulate.accounts import draw_accounts
from keycustomer.simulate.columns import customer_ids
from keycustomer.simulate.process import simulate_process
from keycustomer.simulate.products import product_arrays
from keycustomer.simulate.settings import Settings


def future_of(
    source: Company | CustomerBase, points: float, horizon: int, discount_rate: float
) -> pd.DataFrame:
    """Simulate the months ahead as usual and with further points of discount.

    Parameters
    ----------
    source : Company or CustomerBase
        The company, or the base of one.
    points : float
        Further discount, share of the list price.
    horizon : int
        Months ahead.
    discount_rate : float
        Effective rate per year.

    Returns
    -------
    DataFrame
        One row an account: customer_id; there (at the end of the window); loss (the points of its
        expected list value), net (expected change of profit), currency over the months ahead.

    Raises
    ------
    ValueError
        When the data are real.
    """
    company = company_of(source, "true losses by a discount")
    settings = Settings(
        company.settings.accounts,
        company.settings.months,
        company.settings.seed,
        company.settings.start,
        horizon,
        discount_rate,
    )
    compared = compare_policies(
        {"as usual": company.policy, "points": _with_points(company.policy, points)},
        settings.accounts,
        settings.months,
        settings.seed,
        start=settings.start,
        ahead=horizon,
        discount_rate=discount_rate,
        parameters=company.parameters,
    )
    usual = compared.outcomes["as usual"]
    net = compared.outcomes["points"].expected_profit - usual.expected_profit
    return pd.DataFrame(
        {
            "customer_id": customer_ids(company.accounts.number),
            "there": usual.expected_months > 0,
            "loss": points * usual.expected_revenue * _list_per_revenue(company, settings),
            "net": net,
        }
    )


def _with_points(policy: Policy, points: float) -> Policy:
    """Give the policy with further points, from the end of the window on."""
    return replace(policy, discount=np.asarray(policy.discount, dtype=float) + points)


def _list_per_revenue(company: Company, settings: Settings) -> np.ndarray:
    """List value per revenue of each account in the months ahead, as usual; 1 without any."""
    products = product_arrays()
    accounts = draw_accounts(settings, company.parameters, products)
    panel, _ = simulate_process(settings, company.parameters, accounts, products, company.policy)
    revenue = panel.revenue[settings.months :].astype(float)
    discount = np.nan_to_num(panel.discount[settings.months :].astype(float))
    listed, paid = (revenue / (1 - discount)).sum(axis=0), revenue.sum(axis=0)
    return np.where(paid > 0, listed / np.where(paid > 0, paid, 1.0), 1.0)
