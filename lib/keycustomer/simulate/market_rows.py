"""The market table: products by region and month, with prices, quantities and cost shifters.

`market_rows` sums what the accounts of a region use of a product in a month and puts beside it the
price paid on average, the competitors' price, and the unit cost, whose shocks move prices but not
demand and so serve as instruments.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.columns import texts
from keycustomer.simulate.panel import Panel
from keycustomer.simulate.products import PRODUCTS, Products
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.vocabulary import CATEGORIES, REGIONS

Array = npt.NDArray[Any]


def market_rows(
    settings: Settings, accounts: Accounts, products: Products, panel: Panel
) -> pd.DataFrame:
    """Write a row for every region, month and product that somebody there used.

    Returns
    -------
    DataFrame
        market ("capital 2023-01"), product (its id), price (paid on average, EUR a unit), quantity
        (units), share (of what all accounts of the region ever simulated would use if they had
        every product, at the start), then as attributes: region, month (first day), category,
        list_price, competitor_price, unit_cost and cost_shock (random part of the log of unit cost:
        it moves discounts and not demand, an instrument).
    """
    parts = [_sums(month, accounts, products, panel) for month in range(panel.months)]
    quantity = np.stack([part[0] for part in parts])
    revenue = np.stack([part[1] for part in parts])
    month, region, product = np.nonzero(quantity)
    sold = quantity[month, region, product]
    paid = revenue[month, region, product]
    possible = _by_region(accounts.wants / products.list_price, accounts)
    category = products.category[product]
    rival = products.list_price[product] * panel.paths.competitor_index[month, category]
    listed = products.list_price[product] * panel.paths.list_index[month, category]
    cost = panel.paths.cost_index[month, region]
    days = settings.calendar()[month]
    stamps = np.array([f" {day}" for day in settings.calendar().astype("datetime64[M]")])
    names = texts(REGIONS, region)
    return pd.DataFrame(
        {
            "market": names + texts(stamps, month),
            "product": texts([one.product_id for one in PRODUCTS], product),
            "price": (paid / sold).round(4),
            "quantity": sold.round(2),
            "share": (sold / possible[region, product]).clip(max=1).round(4),
            "region": names,
            "month": days.astype("datetime64[s]"),
            "category": texts(CATEGORIES, category),
            "list_price": listed.round(4),
            "competitor_price": rival.round(4),
            "unit_cost": (products.unit_cost[product] * cost).round(4),
            "cost_shock": panel.paths.cost_shock[month, region].round(4),
        }
    )


def _sums(month: int, accounts: Accounts, products: Products, panel: Panel) -> tuple[Array, Array]:
    """Quantity and revenue by region and product in a month."""
    quantities = panel.quantities(month, accounts, products)
    paid = 1 - np.nan_to_num(panel.discount[month].astype(float))
    revenue = quantities * paid[:, None] * panel.list_prices(month, products)
    return _by_region(quantities, accounts), _by_region(revenue, accounts)


def _by_region(amounts: Array, accounts: Accounts) -> Array:
    """Sum rows of accounts by region, shape (regions, columns)."""
    inside = accounts.region == np.arange(len(REGIONS))[:, None]
    return inside.astype(float) @ amounts
