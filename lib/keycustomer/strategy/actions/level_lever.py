"""Another relationship level for an account, and what it would bring."""

from __future__ import annotations

import numpy as np

from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.accounts_now import AccountsNow
from keycustomer.strategy.actions.leaving import MIDDLE, Leaving
from keycustomer.strategy.actions.levers import Doing, Lever, Rows
from keycustomer.strategy.actions.shifts import Shift
from keycustomer.strategy.actions.vocabulary import ACTIONS

ASSUMPTION = (
    "Nothing unmeasured moves both the relationship level and leaving; a level costs what is "
    "stated, and chances to leave at it go on as in the window."
)


def level_cost(now: AccountsNow, level_costs: FloatArray, cost_per_size: float) -> FloatArray:
    """Cost of every level for every account without contacts, currency a month, (n, levels)."""
    return level_costs * np.exp(cost_per_size * now.column("size"))[:, None]


def level_lever(now: AccountsNow, leaving: Leaving, cost: FloatArray) -> Lever:
    """Weigh every relationship level.

    Parameters
    ----------
    now : AccountsNow
        The accounts.
    leaving : Leaving
        Chances to leave by level.
    cost : ndarray, shape (n, levels)
        Cost of every level, contacts included, currency a month.
    """
    level = now.level
    known = np.where(level < 0, MIDDLE, level)

    def shift(rows: Rows, to: int) -> Shift:
        odds, growth = leaving.moved(rows, to)
        more = cost[rows, to] - cost[rows, known[rows]]
        return Shift(odds=odds, growth=growth, cost=more[:, None])

    return Lever(
        ACTIONS[0],
        tuple(LEVELS),
        level[:, None] != np.arange(len(LEVELS)),
        [LEVELS[k] if k >= 0 else "not known" for k in level],
        lambda row, to: LEVELS[to],
        shift,
        lambda row, to: Doing(level=to),
        ASSUMPTION,
    )
