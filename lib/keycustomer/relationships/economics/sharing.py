"""Sharing one budget between winning and keeping, or between segments of customers.

Question: there is so much money this year; how much of it goes to prospects and how much to the
customers of each tier?  With diminishing returns the answer is the same everywhere: until the last
unit of currency wins equally much, that is until one customer more costs the same (per unit of its
worth) wherever it is won or kept.  :func:`share_budget` finds that common cost; who is too dear for
it gets nothing.  Large groups do not get more a head for being large.

Source: Berger & Nasr-Bechwati (2001), Omega 29, 49-61, for a budget in the model of Blattberg &
Deighton (1996); the equal-margin condition is that of any concave allocation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.economics.responses import ExponentialResponse
from keycustomer.stats.samples import FloatArray

TIGHT = 1e-14
"""Relative width at which the search for the common cost ends."""


@dataclass(frozen=True, eq=False)
class SharedBudget:
    """A budget shared so that its last unit does equally much everywhere.

    Attributes
    ----------
    budget : float
        Currency.
    marginal_cost : float
        What one unit of worth more costs in every group that gets money, currency.
    frame : DataFrame
        One row a group: group, people, worth (of a customer won or kept there), spending (currency
        a head), total (currency), share (of the budget), rate, won (customers), average_cost,
        marginal_cost (of a customer, currency).
    """

    budget: float
    marginal_cost: float
    frame: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a group."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"A budget of {self.budget:,.2f}: one unit of worth more costs "
            f"{self.marginal_cost:,.4g} wherever money is spent."
        )
        return sentence_html(said, self.frame, numbers=",.4g")


def share_budget(
    responses: Mapping[str, ExponentialResponse],
    people: Mapping[str, float],
    budget: float,
    *,
    worth: Mapping[str, float] | None = None,
) -> SharedBudget:
    """Share a budget between groups of people so that it wins and keeps most worth.

    Parameters
    ----------
    responses : mapping of str to ExponentialResponse
        How each group answers to spending, such as prospects and customers.
    people : mapping of str to float
        Size of each group, above 0.
    budget : float
        Currency to spend, all of it, above 0.
    worth : mapping of str to float, optional
        Worth of a customer won or kept in each group, above 0; left out, all are worth the same,
        as a customer just won and one just kept are in Blattberg & Deighton's model.

    Raises
    ------
    ValueError
        When groups do not fit together or a number makes no sense.
    """
    names = list(responses)
    if not names:
        raise ValueError("responses: no group given")
    if not (isinstance(budget, Real) and 0 < budget < math.inf):
        raise ValueError(f"budget={budget!r} must be a finite amount above 0")
    sizes = _numbers(people, names, "people")
    values = np.ones(len(names)) if worth is None else _numbers(worth, names, "worth")
    curves = list(responses.values())
    common = _common_cost(curves, sizes, values, float(budget))
    spending = _spendings(curves, values, common)
    return SharedBudget(
        float(budget), common, _table(names, curves, sizes, values, spending, float(budget))
    )


def _spendings(curves: list[ExponentialResponse], values: FloatArray, common: float) -> FloatArray:
    """Spending a head in each group when a unit of worth may cost so much."""
    pairs = zip(curves, values, strict=True)
    return np.array([curve.spending_at(common * value) for curve, value in pairs])


def _common_cost(
    curves: list[ExponentialResponse], sizes: FloatArray, values: FloatArray, budget: float
) -> float:
    """Cost of a unit of worth at which exactly the budget is spent."""
    from scipy.optimize import brentq

    def beyond(log_cost: float) -> float:
        return float(sizes @ _spendings(curves, values, math.exp(log_cost))) - budget

    first = np.log([c.first_cost / v for c, v in zip(curves, values, strict=True)])
    # all the money in the group that answers last would raise the cost at most so far
    rise = max(c.steepness * budget / n for c, n in zip(curves, sizes, strict=True))
    return math.exp(brentq(beyond, first.min(), first.max() + rise + 1, xtol=TIGHT, rtol=TIGHT))


def _table(
    names: list[str],
    curves: list[ExponentialResponse],
    sizes: FloatArray,
    values: FloatArray,
    spending: FloatArray,
    budget: float,
) -> pd.DataFrame:
    pairs = list(zip(curves, spending, strict=True))
    rate = np.array([curve.rate(spent) for curve, spent in pairs])
    return pd.DataFrame(
        {
            "group": names,
            "people": sizes,
            "worth": values,
            "spending": spending,
            "total": sizes * spending,
            "share": sizes * spending / budget,
            "rate": rate,
            "won": sizes * rate,
            "average_cost": [curve.average_cost(spent) for curve, spent in pairs],
            "marginal_cost": [curve.marginal_cost(spent) for curve, spent in pairs],
        }
    )


def _numbers(given: Mapping[str, float], names: list[str], argument: str) -> FloatArray:
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if missing or unknown:
        raise ValueError(
            f"{argument}: groups must be those of responses ({', '.join(names)})"
            + (f"; missing: {', '.join(missing)}" if missing else "")
            + (f"; unknown: {', '.join(unknown)}" if unknown else "")
        )
    for name in names:
        if not (isinstance(given[name], Real) and 0 < given[name] < math.inf):
            raise ValueError(f"{argument}[{name!r}]={given[name]!r} must be finite and above 0")
    return np.array([float(given[name]) for name in names])
