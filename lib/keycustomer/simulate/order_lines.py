"""Transactions of the simulated operator: a bill a month, a line a product.

`order_lines` turns the panel into one line per account, product and month with quantity, list
price, price paid and unit cost; quantities are billed to the hundredth of a unit, prices to the
hundredth of a cent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.columns import customer_ids, days_in_month, texts
from keycustomer.simulate.panel import Panel
from keycustomer.simulate.products import PRODUCTS, Products
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.vocabulary import CHANNELS

Array = npt.NDArray[Any]

SMALLEST = 0.01
"""Least quantity billed, units."""


def order_lines(
    settings: Settings, accounts: Accounts, products: Products, panel: Panel, billing_day: Array
) -> pd.DataFrame:
    """Write the order lines, month by month, account by account.

    Parameters
    ----------
    settings, accounts, products, panel
        The company.
    billing_day : ndarray of int, shape (accounts,)
        Day of the month on which each account is billed, 1 to 28.

    Returns
    -------
    DataFrame
        customer_id, order_id (one an account and month), date, product_id, quantity (units),
        list_price and price and unit_cost (EUR a unit), channel.
    """
    months = [_month(month, accounts, products, panel) for month in range(panel.months)]
    number, product, quantity = (np.concatenate([part[k] for part in months]) for k in range(3))
    month = np.repeat(np.arange(panel.months), [len(part[0]) for part in months])
    listed = np.array([panel.list_prices(t, products) for t in range(panel.months)])
    costs = np.array([panel.unit_costs(t, products) for t in range(panel.months)])
    list_price = listed.round(4)[month, product]
    price = list_price * (1 - panel.discount[month, number].astype(float))
    customer, order = _keys(accounts, month, number)
    return pd.DataFrame(
        {
            "customer_id": customer,
            "order_id": order,
            "date": days_in_month(settings.calendar()[month], billing_day[number]),
            "product_id": texts([one.product_id for one in PRODUCTS], product),
            "quantity": np.maximum(quantity.round(2), SMALLEST),
            "list_price": list_price,
            "price": price.round(4),
            "unit_cost": costs.round(4)[month, accounts.region[number], product],
            "channel": texts(CHANNELS, panel.channel[month, number]),
        }
    )


def _month(
    month: int, accounts: Accounts, products: Products, panel: Panel
) -> tuple[Array, Array, Array]:
    """Account, product and quantity of every line of a month."""
    quantities = panel.quantities(month, accounts, products)
    number, product = np.nonzero(quantities)
    return number, product, quantities[number, product]


def _keys(accounts: Accounts, month: Array, number: Array) -> tuple[Any, Any]:
    """Ids of the customers and of the orders: an order is an account's month."""
    ids = customer_ids(accounts.number)
    customer = ids.take(number)
    labels = pd.array([f"-{t + 1:03d}" for t in range(int(month.max(initial=0)) + 1)], dtype="str")
    return customer, customer + labels.take(month)
