"""Revenue and cost with every factor as it was or as it became, customer by customer.

Question: what would revenue and cost have been, had only list prices changed, or list prices and
costs, and so on?  :func:`customer_combinations` gives both by customer for all sixteen combinations
of four factors, from which parts of a change follow; since they are sums over customers, customers
can be drawn again.

Prices that were filled in for a part in which a customer did not buy rest on those who bought in
both parts.  :func:`filled_price_shifts` says, to first order, by how much each of these customers
moves the filled-in amounts; added to the combinations it leaves all totals as they are, and lets
draws vary as much as they should.

Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 21, for influences.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.troubles.cells import PRICES, PriceChange, price_change

FACTORS = (*PRICES, "quantity")
"""Factor k changes in the combinations whose bit k is set."""

IN_REVENUE = ("list", "kept")
"""Prices that revenue has; the third, unit cost, makes the cost."""


def customer_combinations(told: pd.DataFrame) -> FloatArray:
    """Revenue and cost of each customer, with every factor as it was or as it became.

    Parameters
    ----------
    told : DataFrame
        From :func:`keycustomer.strategy.troubles.cells.with_prices`.

    Returns
    -------
    ndarray, shape (customers, 16, 2)
        Place of a combination: bit k is set where factor k of `FACTORS` is that of the last part.
    """
    codes = pd.factorize(told["customer_id"])[0]
    count = int(codes.max()) + 1
    found = np.zeros((count, 1 << len(FACTORS), 2))
    for place, amounts in _amounts(told):
        for side, amount in enumerate(amounts):
            found[:, place, side] = np.bincount(codes, amount, minlength=count)
    return found


def _amounts(told: pd.DataFrame) -> Iterator[tuple[int, tuple[FloatArray, FloatArray]]]:
    """Revenue and cost of every cell, combination by combination."""
    pairs = [told[[f"{name}_0", f"{name}_1"]].to_numpy(dtype=float) for name in FACTORS]
    for place in range(1 << len(FACTORS)):
        listed, kept, cost, sold = (pair[:, place >> k & 1] for k, pair in enumerate(pairs))
        yield place, (sold * listed * kept, sold * cost)


def filled_price_shifts(told: pd.DataFrame) -> FloatArray:
    """By how much each customer moves the amounts at filled-in prices, to first order.

    Parameters
    ----------
    told : DataFrame
        From :func:`keycustomer.strategy.troubles.cells.with_prices`.

    Returns
    -------
    ndarray, shape (customers, 16, 2)
        As :func:`customer_combinations`; the sum over customers is 0.
    """
    codes = pd.factorize(told["customer_id"])[0]
    count = int(codes.max()) + 1
    shifts = np.zeros((count, 1 << len(FACTORS), 2))
    early = told["quantity_0"].to_numpy() > 0
    alone = ~told["matched"].to_numpy()
    changes = [price_change(told, name) for name in PRICES]
    pulls = [_pulls(change) for change in changes]
    for place, amounts in _amounts(told):
        for k, name in enumerate(PRICES):
            # the price of the part without purchase is the other part's times or over the ratio
            used = alone & (early if place >> k & 1 else ~early)
            side = 0 if name in IN_REVENUE else 1
            moved = np.where(used, amounts[side], 0.0) * (1 if place >> k & 1 else -1)
            shifts[:, place, side] += _by_customer(changes[k], pulls[k], moved, codes, count)
    return shifts


def _pulls(change: PriceChange) -> tuple[FloatArray, FloatArray]:
    """Tell what a cell's weight does to the log ratio of its product, and to that of all."""
    by_product, overall = (
        _share(change.after, group) - _share(change.before, group)
        for group in (change.product, None)
    )
    return by_product, overall


def _by_customer(
    change: PriceChange,
    pulls: tuple[FloatArray, FloatArray],
    moved: FloatArray,
    codes: npt.NDArray[np.int64],
    count: int,
) -> FloatArray:
    """Tell what each customer does to the amounts that rest on the ratios."""
    rest = np.bincount(change.group, moved, minlength=int(change.product.max()) + 2)
    pull = rest[:-1][change.product] * pulls[0] + rest[-1] * pulls[1]
    return np.asarray(np.bincount(codes, pull, minlength=count), dtype=float)


def _share(value: FloatArray, group: npt.NDArray[np.int64] | None) -> FloatArray:
    """Share of each cell in its group's value, 0 where the group has none; without group of all."""
    if group is None:
        total = np.full(len(value), value.sum())
    else:
        total = np.bincount(group, value)[group]
    return np.divide(value, total, out=np.zeros(len(value)), where=total > 0)
