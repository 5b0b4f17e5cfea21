"""What the monthly process leaves behind: the panel month by month, and totals per account.

A `Panel` has everything that tables and surveys are made from; an `Outcome` has what the
comparison of policies needs and takes a few numbers an account, so that a million accounts fit.

Arrays over time are (months, accounts), row t the whole month t.  An account is there, and
`active`, from its `joined` month to its `left` month, both included.  Elsewhere amounts and counts
are 0 and everything else is NaN (integers -1).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.paths import Paths, category_factors
from keycustomer.simulate.products import Products

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Panel:
    """The monthly process, n accounts.

    Attributes
    ----------
    active : ndarray of bool, shape (months, n)
        Whether the account is a customer in the month.
    left : ndarray of int16, shape (n,)
        Last month as a customer, `NEVER` while it is one.
    adopted : ndarray of int16, shape (n, P)
        First month with a product, -1 if owned before the window or on joining, `NEVER` if not.
        An account's order lines of a month are the products with adopted <= month.
    usage : ndarray of float32, shape (months, n)
        Factor on all quantities: season, growth, demand shock, response to the discount.
    demand : ndarray of float32, shape (months, n)
        The part of log usage that is the unobserved demand shock.
    discount : ndarray of float32, shape (months, n)
        Share off the list price, 0..1, on all products of the account.
    level : ndarray of int8, shape (months, n)
        Relationship level, position in `LEVELS`.
    channel : ndarray of int8, shape (months, n)
        Position in `CHANNELS`; 3 is a conflict of agent and manager.
    visits, calls : ndarray of uint8, shape (months, n)
        Contacts of the month.
    complaints : ndarray of uint8, shape (months, n)
        Complaints of the month, repeated ones included.
    repeats : ndarray of uint8, shape (months, n)
        Of these, those repeated since last month's was not resolved.
    first_contact : ndarray of uint8, shape (months, n)
        Of the complaints, those resolved at the first contact.
    resolution_days : ndarray of float32, shape (months, n)
        Mean days to resolve the complaints that needed more than the first contact, NaN if none.
    offer : ndarray of bool, shape (months, n)
        Whether a competitor made the account an offer.
    contract_left : ndarray of int8, shape (months, n)
        Months left of the contract, this one included; 0 without a contract.  1 is the month in
        which it runs out, after which it is renewed (or the account leaves).
    value : ndarray of float32, shape (months, n, 5)
        Perceived value by dimension, order of `DIMENSIONS`, about standard normal.
    satisfaction, loyalty : ndarray of float32, shape (months, n)
        Latent scores, about standard normal; linear in `value`, see `ValueParameters`.
    hazard : ndarray of float32, shape (months, n)
        Probability to leave at the end of the month.
    revenue : ndarray of float32, shape (months, n)
        Paid in the month, currency.
    goods_cost : ndarray of float32, shape (months, n)
        Cost of what was used, currency.
    cost_to_serve : ndarray of float32, shape (months, n)
        Level, contacts, complaints, commissions and tools, currency.
    paths : Paths
        What is the same for all accounts.
    """

    active: Array
    left: Array
    adopted: Array
    usage: Array
    demand: Array
    discount: Array
    level: Array
    channel: Array
    visits: Array
    calls: Array
    complaints: Array
    repeats: Array
    first_contact: Array
    resolution_days: Array
    offer: Array
    contract_left: Array
    value: Array
    satisfaction: Array
    loyalty: Array
    hazard: Array
    revenue: Array
    goods_cost: Array
    cost_to_serve: Array
    paths: Paths

    @property
    def months(self) -> int:
        """Months of the window."""
        return int(self.active.shape[0])

    @property
    def margin(self) -> Array:
        """Gross margin, revenue less cost of goods, currency, shape (months, n)."""
        return self.revenue - self.goods_cost

    @property
    def profit(self) -> Array:
        """Gross margin less cost to serve, currency, shape (months, n)."""
        return self.revenue - self.goods_cost - self.cost_to_serve

    def list_prices(self, month: int, products: Products) -> Array:
        """List price per unit of each product in a month, currency, shape (P,)."""
        return products.list_price * self.paths.list_index[month, products.category]

    def unit_costs(self, month: int, products: Products) -> Array:
        """Cost per unit by region and product in a month, currency, shape (regions, P)."""
        return self.paths.cost_index[month][:, None] * products.unit_cost

    def quantities(self, month: int, accounts: Accounts, products: Products) -> Array:
        """Units of each product used in a month, shape (n, P); 0 where not owned or not there.

        Times list price times (1 - discount) they sum to `revenue`, times unit cost of the
        account's region to `goods_cost`, to single precision.
        """
        factor = category_factors(self.paths, month, accounts)
        owned = (self.adopted <= month) & self.active[month][:, None]
        spend = accounts.wants * factor[:, products.category] / products.list_price
        usage = np.nan_to_num(self.usage[month])
        return np.where(owned, spend * usage[:, None], 0.0)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Totals per account over the window, arrays of shape (n,).

    Where the settings look ahead, totals are of the months after the window alone, discounted to
    its end, and given who is a customer there: accounts that have left are all 0.

    `expected_...` weigh each month by the probability of still being there instead of by a draw
    of leaving; given all other chance they are exact means, so differences between policies are
    far less noisy than those of what happened.

    Attributes
    ----------
    months : ndarray of float
        Months as a customer.
    revenue, goods_cost, cost_to_serve, profit : ndarray of float
        What happened, currency; profit = revenue - goods_cost - cost_to_serve.
    left : ndarray of int16
        Last month as a customer, `NEVER` if still one.
    expected_months, expected_revenue, expected_margin, expected_profit : ndarray of float
        Months and currency, weighed by survival; the margin is before cost to serve.
    expected_last_year : ndarray of float
        The part of `expected_profit` that falls into the last twelve months, currency; with
        survival it tells what a policy leaves behind.
    survival : ndarray of float
        Probability to be a customer after the last month simulated.
    """

    months: Array
    revenue: Array
    goods_cost: Array
    cost_to_serve: Array
    profit: Array
    left: Array
    expected_months: Array
    expected_revenue: Array
    expected_margin: Array
    expected_profit: Array
    expected_last_year: Array
    survival: Array

    def totals(self) -> dict[str, float]:
        """Sum up over the accounts; of survival take the mean."""
        sums = {one.name: float(getattr(self, one.name).sum()) for one in fields(self)}
        del sums["left"]
        return sums | {"survival": float(self.survival.mean())}
