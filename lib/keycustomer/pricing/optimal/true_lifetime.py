"""What other list prices would truly bring in a simulated company.

Question: how near does the price that was computed come to the best one?  :func:`true_price_curve`
runs the company ahead under list prices moved up and down, all else staying as usual, with the same
chance: the truth beside :meth:`keycustomer.pricing.LifetimePrice.curve`.

The truth holds more than the two responses of :mod:`keycustomer.pricing.optimal.price_responses`:
customers grow and take up products, a dearer offer is also felt as a sacrifice, which lowers
loyalty.  Levels therefore differ; the best price differs little, since profit is flat around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from keycustomer.lifetime.arguments import whole_number
from keycustomer.simulate import Policy, compare_policies
from keycustomer.stats.bootstrap import Progress

if TYPE_CHECKING:
    from keycustomer.simulate import Company

CHANGES = (-0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4)
"""Changes of all list prices, shares, if none are given."""


def true_price_curve(
    company: Company,
    changes: Sequence[float] = CHANGES,
    *,
    horizon: int = 36,
    discount_rate: float = 0.1,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Run a simulated company ahead under other list prices.

    Parameters
    ----------
    company : Company
        A simulated company.
    changes : sequence of float
        Changes of all list prices, shares; 0, today's prices, is added where it is missing.
    horizon : int
        Months ahead of the end of the window.
    discount_rate : float
        Effective rate per year, a share.
    progress : callable, optional
        Called with runs done and in all.

    Returns
    -------
    DataFrame
        One row a change: change, profit (over the months ahead, expected, currency),
        profit_change (share of that at today's prices), retention (probability to be there at
        the end, mean over today's customers).

    Raises
    ------
    ValueError
        When a change or the horizon makes no sense.
    """
    ahead = whole_number(horizon, "horizon", of="months", least=1)
    tried = sorted({0.0, *map(float, changes)})
    made = company.settings
    compared = compare_policies(
        {f"{change:+}": Policy(list_price=change) for change in tried},
        made.accounts,
        made.months,
        made.seed,
        start=made.start,
        ahead=ahead,
        discount_rate=discount_rate,
        parameters=company.parameters,
        progress=progress,
    )
    profit = [float(one.expected_profit.sum()) for one in compared.outcomes.values()]
    there = [one.expected_months > 0 for one in compared.outcomes.values()]
    stay = [
        float(one.survival[here].mean())
        for one, here in zip(compared.outcomes.values(), there, strict=True)
    ]
    frame = pd.DataFrame({"change": tried, "profit": profit, "retention": stay})
    today = float(frame.loc[frame["change"] == 0, "profit"].iloc[0])
    return frame.assign(profit_change=frame["profit"] / today - 1)
