"""Plans that fit: from what prices would choose to what budget and capacities allow.

How is a plan made to fit at the least loss?  At given prices every customer has a best level; the
plan of all these may take too much of something.  :func:`fit_plan` first moves customers down, in
order of what is lost for each unit of what is short, then uses what is left, in order of what a
change loses against the prices for what it gains.  It always ends with a plan that fits, as the
zero level does.
"""

from __future__ import annotations

import numpy as np

from keycustomer.relationships.selection.alternatives import (
    ZERO,
    Alternatives,
    CodeArray,
    slack,
)
from keycustomer.relationships.selection.capacities import Limit
from keycustomer.relationships.selection.prices import Prices, net_values
from keycustomer.stats.samples import FloatArray

LOOKED_AT = 20_000
"""Changes looked at in one pass of using what is left, those of the least loss."""

PASSES = 20
"""Most passes; one that changes nothing is the last."""


def fit_plan(
    alternatives: Alternatives, budget: float, limits: list[Limit], prices: Prices
) -> CodeArray:
    """Make a plan that fits from prices.

    Parameters
    ----------
    alternatives : Alternatives
        Value and cost of every level for every customer.
    budget : float
        Money for all customers together; must reach for the zero level of everybody.
    limits : list of Limit
        Capacities; the zero level of everybody must fit.
    prices : Prices
        Of the budget and the capacities.

    Returns
    -------
    ndarray, shape (n,)
        Codes of the levels.
    """
    net = net_values(alternatives, limits, prices.budget, prices.limits)
    stock = Stock(alternatives, budget, limits, net.argmax(axis=1))
    for _ in range(PASSES):
        short = stock.short()
        if not short:
            break
        for kind, group in short:
            _lower(stock, net, kind, group)
    else:
        stock = Stock(alternatives, budget, limits, np.full(len(net), ZERO))
    for _ in range(PASSES):
        if not _use_what_is_left(stock, alternatives, net):
            break
    return stock.codes.astype(np.int8)


class Stock:
    """What budget and capacities still have, as a plan is changed customer by customer.

    Parameters
    ----------
    alternatives : Alternatives
        Value and cost of every level for every customer.
    budget : float
        Money for all customers together.
    limits : list of Limit
        Capacities.
    codes : ndarray, shape (n,)
        The plan at the start; a copy is changed.
    """

    def __init__(
        self, alternatives: Alternatives, budget: float, limits: list[Limit], codes: CodeArray
    ) -> None:
        self.codes = codes.copy()
        self.uses = [alternatives.cost, *(limit.use for limit in limits)]
        self.groups = [np.zeros(len(codes), np.int64), *(limit.group for limit in limits)]
        money = budget + slack(budget, alternatives.cost) - alternatives.totals(codes)[1]
        self.left = [np.array([money])]
        for limit in limits:
            self.left.append(limit.within_reach() + limit.spare() - limit.used(codes))

    def short(self) -> list[tuple[int, int]]:
        """List what is short: which thing (0 is money), whose."""
        return [
            (kind, int(group))
            for kind, left in enumerate(self.left)
            for group in np.flatnonzero(left < 0)
        ]

    def added(self, kind: int, rows: CodeArray) -> FloatArray:
        """Give what each change of level takes more of one thing, shape (rows, levels)."""
        use = self.uses[kind][rows]
        return use - use[np.arange(len(rows)), self.codes[rows]][:, None]

    def change(self, customer: int, code: int, *, fitting: bool = True) -> bool:
        """Change a customer's level, if it fits where that is asked; tell whether it was."""
        now = self.codes[customer]
        amounts = [
            (left, int(group[customer]), float(use[customer, code] - use[customer, now]))
            for left, group, use in zip(self.left, self.groups, self.uses, strict=True)
            if group[customer] >= 0
        ]
        if fitting and any(more > 0 and more > left[owner] for left, owner, more in amounts):
            return False
        for left, owner, more in amounts:
            left[owner] -= more
        self.codes[customer] = code
        return True


def _lower(stock: Stock, net: FloatArray, kind: int, group: int) -> None:
    """Move customers down until one thing is no longer short, the least loss first."""
    rows = np.flatnonzero(stock.groups[kind] == group)
    freed = -stock.added(kind, rows)
    short = -stock.left[kind][group]
    loss = net[rows, stock.codes[rows]][:, None] - net[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(freed > 0, loss / np.minimum(freed, short), np.inf)
    best = rate.argmin(axis=1)
    rate = rate[np.arange(len(rows)), best]
    for fitting in (True, False):
        for place in np.argsort(rate, kind="stable"):
            if stock.left[kind][group] >= 0 or not np.isfinite(rate[place]):
                break
            customer = int(rows[place])
            code = int(best[place]) if fitting else ZERO
            less = (
                stock.uses[kind][customer, code] < stock.uses[kind][customer][stock.codes[customer]]
            )
            if less:
                stock.change(customer, code, fitting=fitting)


def _use_what_is_left(stock: Stock, alternatives: Alternatives, net: FloatArray) -> bool:
    """Make changes that gain and fit, those that lose least against the prices first."""
    everybody = np.arange(len(net))
    value = alternatives.value
    gain = value - value[everybody, stock.codes][:, None]
    fits = gain > 0
    for kind, group in enumerate(stock.groups):
        left = np.append(np.maximum(stock.left[kind], 0.0), np.inf)[group]
        fits &= stock.added(kind, everybody) <= left[:, None]
    customer, code = np.nonzero(fits)
    if not customer.size:
        return False
    loss = net[customer, stock.codes[customer]] - net[customer, code]
    rate = loss / gain[customer, code]
    changed = np.zeros(len(net), bool)
    for place in np.argsort(rate, kind="stable")[:LOOKED_AT]:
        one = int(customer[place])
        if not changed[one]:
            changed[one] = stock.change(one, int(code[place]))
    return bool(changed.any())
