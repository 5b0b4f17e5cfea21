"""Customers of a simulated company on the day a pilot starts: what the firm knows of each.

Only what stands in the operator's tables is used (see `customer_months`), besides last year's cost
to serve by account, as a firm with activity-based costing knows it.  Main name: :func:`known_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.relationships.months.panel import CustomerMonths, customer_months

if TYPE_CHECKING:
    from keycustomer.simulate import Company

YEAR = 12
"""Months that count as the last year."""

LATE = 3
"""Months at the end of the window that are compared with the ones before."""

AT_END = ("tenure", "contract_left", "price_plan", "discount", "products", "channel")
"""What is taken as it stands in the last month."""

COUNTED = ("contacts", "complaints", "competitor_offer")
"""Counts that are averaged over the last year."""

ATTRIBUTES = (
    "industry",
    "region",
    "ownership",
    "key_account",
    "price_orientation",
    "innovativeness",
    "risk_aversion",
    "sociability",
)
"""Attributes of the account file."""


def known_of(company: Company) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell what is known of each customer at the end of a simulated company's window.

    Parameters
    ----------
    company : Company
        From :func:`keycustomer.simulate.simulate_company`.

    Returns
    -------
    features, amounts : DataFrame
        One row a customer who is still there, by customer_id.  `features`: what may move staying
        and the response to an offer.  `amounts`: account (position in the company), level,
        revenue, profit, contact_cost (of the last year, scaled to a year, currency).
    """
    months = customer_months(company)
    frame = months.frame
    rows = frame[frame["customer_id"].isin(months.present)]
    last = rows[rows["number"] == company.settings.months - 1].set_index("customer_id")
    year = rows[rows["number"] >= company.settings.months - YEAR]
    amounts = _amounts(company, year, last)
    features = last[list(AT_END)].assign(
        level=last["level"].astype(float),
        log_revenue=np.log(np.maximum(amounts["revenue"], 1.0)),
        log_employees=np.log(_attributes(months, last.index)["employees"].astype(float)),
        revenue_trend=_trend(year, company.settings.months).reindex(last.index),
        unresolved=last["open_complaints"],
        **year.groupby("customer_id")[list(COUNTED)].mean(),
    )
    return features.join(_attributes(months, last.index)[list(ATTRIBUTES)]), amounts


def _attributes(months: CustomerMonths, ids: pd.Index) -> pd.DataFrame:
    return months.customers.set_index("customer_id").loc[ids]


def _amounts(company: Company, year: pd.DataFrame, last: pd.DataFrame) -> pd.DataFrame:
    """Amounts of the last year, scaled to a year for who joined within it."""
    from keycustomer.simulate.columns import account_numbers

    seen = year.groupby("customer_id")[["revenue", "contact_cost"]].sum()
    scale = YEAR / year.groupby("customer_id").size()
    account = account_numbers(seen.index)
    profit = company.panel.profit[-YEAR:, account].sum(axis=0)
    scaled = seen.mul(scale, axis=0).assign(profit=profit * scale.to_numpy(), account=account)
    return scaled.loc[last.index].assign(level=last["level"])


def _trend(year: pd.DataFrame, months: int) -> pd.Series:
    """Log of mean revenue of the last months over that of the months before in the year."""
    late = year["number"] >= months - LATE
    after, before = (year[rows].groupby("customer_id")["revenue"].mean() for rows in (late, ~late))
    ratio = after / before.where(before > 0)
    return ratio.map(np.log)
