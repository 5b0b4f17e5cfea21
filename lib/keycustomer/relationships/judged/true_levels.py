"""What every relationship level would truly bring and cost, where the company is simulated.

Question: at the end of the window a level is chosen for every present customer; what follows from
it?  :func:`level_truth` runs the simulated company on under each level and gives the expected
margin and cost of every customer at every level over the months ahead, so that any plan can be
judged, and the best one found.  Customers do not influence each other in the simulated company, so
that the totals of a mixed plan are sums over its customers.

Real data have no known truth: nobody has seen one customer under five levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import sentence_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.selection.alternatives import Alternatives, CodeArray
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.simulate import Company, Parameters, Policy, true_effects
from keycustomer.simulate.accounts import draw_accounts
from keycustomer.simulate.columns import customer_ids
from keycustomer.simulate.products import product_arrays
from keycustomer.simulate.settings import Settings
from keycustomer.stats.bootstrap import Progress
from keycustomer.stats.samples import FloatArray

Source: TypeAlias = CustomerBase | Company | Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class LevelTruth:
    """True values and costs of the levels, for the customers present at the end of the window.

    Attributes
    ----------
    settings : Settings
        The simulated company, with the months ahead and the discount rate.
    alternatives : Alternatives
        `value`: expected margin before cost to serve; `cost`: expected cost to serve, the level's
        included; both over the months ahead, discounted to the end of the window, currency.
    survival : ndarray, shape (n, levels)
        Probability to be still a customer after the months ahead.
    months : ndarray, shape (n, levels)
        Expected months as a customer within the months ahead, not discounted.
    today : ndarray of int, shape (n,)
        Code of the level that each has by habit.
    today_value, today_cost : float
        Expected margin and cost over the months ahead if nothing is changed, currency.
    """

    settings: Settings
    alternatives: Alternatives
    survival: FloatArray = field(repr=False)
    months: FloatArray = field(repr=False)
    today: CodeArray = field(repr=False)
    today_value: float
    today_cost: float

    @property
    def customers(self) -> pd.Index:
        """Ids of the customers present at the end of the window."""
        return self.alternatives.customers

    @property
    def today_codes(self) -> pd.Series:
        """Code of today's level by customer_id."""
        return pd.Series(self.today.astype(np.int64), self.customers, name="level")

    def budget(self, share: float = 1.0) -> float:
        """Set a budget between nothing for anybody and what is spent today.

        Parameters
        ----------
        share : float
            Of what today's levels cost beyond the zero level for everybody, at least 0; 1 is the
            same money as today.

        Returns
        -------
        float
            True cost to serve over the months ahead, currency.

        Raises
        ------
        ValueError
            When the share is negative or not finite.
        """
        if isinstance(share, bool) or not 0 <= share < np.inf:
            raise ValueError(f"share={share!r}: a finite share of at least 0 is needed, 1 is today")
        least = self.alternatives.zero_cost
        return least + share * (self.today_cost - least)

    @property
    def best_budget(self) -> float:
        """True cost of the plan with the largest profit, currency: beyond it money is lost."""
        codes = (self.alternatives.value - self.alternatives.cost).argmax(axis=1)
        return self.alternatives.totals(codes)[1]

    def to_frame(self) -> pd.DataFrame:
        """List customers and levels.

        Returns
        -------
        DataFrame
            A row a customer and level: customer_id, level, value, cost, profit (currency),
            survival.
        """
        count, levels = self.survival.shape
        value, cost = self.alternatives.value.ravel(), self.alternatives.cost.ravel()
        return pd.DataFrame(
            {
                "customer_id": np.repeat(self.customers.to_numpy(), levels),
                "level": np.tile(self.alternatives.levels, count),
                "value": value,
                "cost": cost,
                "profit": value - cost,
                "survival": self.survival.ravel(),
            }
        )

    def _repr_html_(self) -> str:
        said = (
            f"Simulated: {len(self.customers):,} customers at the end of the window, "
            f"{self.settings.ahead} months ahead at {self.settings.discount_rate:.1%} a year. If "
            f"nothing is changed they bring {self.today_value:,.0f} and cost "
            f"{self.today_cost:,.0f}. Profit would be largest at a cost of {self.best_budget:,.0f}."
        )
        sums = pd.DataFrame(
            {
                "all customers at": self.alternatives.levels,
                "value": self.alternatives.value.sum(axis=0),
                "cost": self.alternatives.cost.sum(axis=0),
                "survival": self.survival.mean(axis=0),
            }
        )
        return sentence_html(said, sums, numbers=",.4g")


def level_truth(
    source: Source,
    *,
    horizon: int = 36,
    discount_rate: float = 0.1,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
) -> LevelTruth:
    """Tell what every level would bring and cost for every present customer.

    Parameters
    ----------
    source : CustomerBase, Company or mapping
        A base made from a simulated company, such a company under business as usual, or its
        accounts, months and seed.
    horizon : int
        Months ahead of the end of the window, at least 1.
    discount_rate : float
        Effective rate per year, a share.
    parameters : Parameters, optional
        True coefficients, where the source is no company; left out, those of the course.
    progress : callable, optional
        Called with runs done and in all.

    Raises
    ------
    TypeError, ValueError
        When the data are real, the company was run under another policy, or nobody is left.
    """
    ahead = whole_number(horizon, "horizon", of="months", least=1)
    size, truth = _described(source, parameters)
    effects = true_effects(
        "level", **size, ahead=ahead, discount_rate=discount_rate, parameters=truth,
        progress=progress,
    )  # fmt: skip
    settings = Settings(**size, ahead=ahead, discount_rate=discount_rate)
    usual = effects.baseline
    here = usual.expected_months > 0
    if not here.any():
        raise ValueError("source: no customer is left at the end of the window to choose for")
    accounts = draw_accounts(settings, truth, product_arrays())
    margin, profit = effects.values("margin")[here], effects.values("profit")[here]
    ids = pd.Index(customer_ids(accounts.number[here]), name="customer_id")
    return LevelTruth(
        settings,
        Alternatives(margin, margin - profit, ids, LEVELS),
        effects.values("survival")[here],
        effects.values("months")[here],
        np.asarray(accounts.level[here], dtype=np.int8),
        float(usual.expected_margin.sum()),
        float((usual.expected_margin - usual.expected_profit).sum()),
    )


def _described(source: Source, parameters: Parameters | None) -> tuple[dict[str, Any], Parameters]:
    """Size, window and seed of the company, and its true coefficients."""
    if isinstance(source, Company):
        if parameters is not None:
            raise TypeError("parameters: a company has its own; leave them out")
        _need_usual(source.policy)
        names = ("accounts", "months", "seed", "start")
        return {name: getattr(source.settings, name) for name in names}, source.parameters
    if isinstance(source, CustomerBase):
        if source.simulation is None:
            raise ValueError(
                f"{source.title!r} holds real data: what levels not given would have brought is "
                "not known; judge plans in the simulated company"
            )
        return dict(source.simulation), parameters or Parameters()
    if isinstance(source, Mapping):
        unknown = set(source) - {"accounts", "months", "seed", "start"}
        if unknown:
            raise ValueError(
                f"source: {', '.join(sorted(map(repr, unknown)))} is no setting; there are "
                "accounts, months, seed and start"
            )
        return dict(source), parameters or Parameters()
    raise TypeError(
        f"source={type(source).__name__}: a simulated CustomerBase or Company, or a mapping such "
        "as {'accounts': 500, 'months': 36, 'seed': 1} is needed"
    )


def _need_usual(policy: Policy) -> None:
    usual = Policy()
    names = [one.name for one in fields(Policy) if one.name not in ("name", "start")]
    changed = [name for name in names if getattr(policy, name) is not getattr(usual, name)]
    different = [name for name in changed if getattr(policy, name) != getattr(usual, name)]
    if different:
        raise ValueError(
            f"source: the company was run under the policy {policy.name!r} ({', '.join(different)} "
            "differ); plans are judged from business as usual on: simulate it without a policy"
        )
