"""In which order to introduce the tools, and what the order costs.

Which tool comes next?  A firm cannot do six things at once.  :func:`introduction_order` compares
orders by what is earned on the way: the mean, over the stages of introduction, of what the tools in
use bring (every stage lasting the same time).  The greedy order takes the tool that adds most at
each step; the best one is found among all orders by dynamic programming over subsets, so that it
may start with a tool that pays little alone and opens the way for others.

An order picked because it looks best on some companies looks better than it is: each company is
judged by the orders picked on all others (left out one by one).  A subset's worth is that of having
it from the first month of the window on, since a policy has one start: stages show what subsets are
worth, not how long tools need to work.

Source: Bellman (1957), Dynamic Programming, chapter 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.stats import Estimate
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.tools.company_means import company_mean, interval_columns
from keycustomer.strategy.tools.subsets import ToolSubsets

ORDERS = ("best", "greedy", "chance", "worst")
"""Orders compared; "chance" is the mean over all orders."""


@dataclass(frozen=True, eq=False)
class IntroductionOrder:
    """Orders of introducing the tools.

    Attributes
    ----------
    frame : DataFrame
        One row an order ("best", "greedy", "worst", picked on all companies) and step: order, step
        (1, 2 ...), tool (introduced), gain with gain_lower and gain_upper (of the tools in use
        from then on), added with added_lower and added_upper (by this step); shares of the usual
        profit.
    judged : DataFrame
        One row an order (and "chance"): order, way with way_lower and way_upper: mean gain over
        the stages, each company under the order picked on the others.
    companies : DataFrame
        One row a company: company, and `way` under each order.
    unit : str
        Unit of the gains.
    """

    frame: pd.DataFrame
    judged: pd.DataFrame
    companies: pd.DataFrame = field(repr=False)
    unit: str
    notes: tuple[str, ...] = ()
    simulated: bool = True

    def path(self, order: str = "best") -> list[str]:
        """Tools in an order.

        Raises
        ------
        KeyError
            When there is no such order.
        """
        rows = self.frame[self.frame["order"] == order]
        if rows.empty:
            raise KeyError(f"no order {order!r}; there is: best, greedy, worst")
        return rows["tool"].tolist()

    def difference(self, order: str = "best", against: str = "greedy") -> Estimate:
        """Difference of what two orders earn on the way, each company judged by the others' picks.

        Parameters
        ----------
        order, against : {"best", "greedy", "chance", "worst"}
            Orders compared.

        Raises
        ------
        KeyError
            When there is no such order.
        """
        for name in (order, against):
            if name not in ORDERS:
                raise KeyError(f"no order {name!r}; there is: {', '.join(ORDERS)}")
        change = self.companies[order] - self.companies[against]
        return company_mean(change.to_numpy(dtype=float), self.unit)

    @property
    def sentence(self) -> str:
        """Name the best order, and what order costs."""
        best, greedy = self.path("best"), self.path("greedy")
        cost = self.difference("best", "chance")
        same = "the greedy order is the same" if best == greedy else f"greedy: {', '.join(greedy)}"
        return (
            f"The best order is {', '.join(best)} ({same}); over the stages it earns "
            f"{cost.as_percent()} of the usual profit more than an order by chance."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an order and step."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = f"{self.sentence} {'; '.join(self.notes)}."
        return sentence_html(said, self.judged, self.frame, numbers=",.3f")


def introduction_order(subsets: ToolSubsets) -> IntroductionOrder:
    """Compare the orders in which tools can be introduced, by profit.

    Parameters
    ----------
    subsets : ToolSubsets
        From :func:`keycustomer.strategy.tool_subsets`, of at least two companies.

    Raises
    ------
    ValueError
        When there is one company, or one without profit as usual.
    """
    gains = subsets.gains("profit")
    if len(gains) < 2 or not np.isfinite(gains).all():
        raise ValueError(
            "subsets: orders are picked on some companies and judged on others; at least two, all "
            "with profit as usual, are needed"
        )
    count, unit = len(subsets.tools), subsets.unit()
    total = gains.sum(axis=0)
    frame = pd.concat(
        [
            _steps(name, pick(total, count), gains, subsets.tools, unit)
            for name, pick in _PICKS.items()
        ],
        ignore_index=True,
    )
    companies = pd.DataFrame(
        {
            "company": subsets.companies,
            **{name: _left_out(gains, total, count, pick) for name, pick in _PICKS.items()},
            "chance": _by_chance(gains, count),
        }
    )
    ways = companies[list(ORDERS)].to_numpy(dtype=float)
    judged = pd.DataFrame({"order": ORDERS, **interval_columns(ways, "way", unit)})
    return IntroductionOrder(frame, judged, companies, unit, subsets.notes)


def _left_out(
    gains: FloatArray, total: FloatArray, count: int, pick: Callable[[FloatArray, int], list[int]]
) -> list[float]:
    """Earn, in each company, what the order picked on all others gives on the way."""
    return [float(_way(own, pick(total - own, count))) for own in gains]


def _way(gains: FloatArray, order: Sequence[int]) -> float:
    """Mean gain over the stages of an order."""
    return float(gains[_stages(order)].mean())


def _stages(order: Sequence[int]) -> np.ndarray:
    """Numbers of the subsets that an order passes, after each step."""
    return np.cumsum([1 << player for player in order])


def _by_chance(gains: FloatArray, count: int) -> FloatArray:
    """Mean over all orders: every subset of a size is passed as often."""
    sizes = np.array([number.bit_count() for number in range(2**count)])
    means = [gains[:, sizes == size].mean(axis=1) for size in range(1, count + 1)]
    return np.asarray(np.mean(means, axis=0))


def greedy_path(gains: FloatArray, count: int) -> list[int]:
    """Order that takes, at each step, the player who adds most; the first of equals.

    Parameters
    ----------
    gains : ndarray, shape (2**count,)
        Gain by coalition number.
    count : int
        Number of players.
    """
    there, order = 0, []
    for _ in range(count):
        free = [player for player in range(count) if not there >> player & 1]
        order.append(max(free, key=lambda player: gains[there | 1 << player]))
        there |= 1 << order[-1]
    return order


def best_path(gains: FloatArray, count: int) -> list[int]:
    """Order with the largest sum of gains over its stages, by dynamic programming.

    Parameters
    ----------
    gains, count
        As in :func:`greedy_path`.
    """
    ahead = np.zeros(2**count)
    step = np.zeros(2**count, dtype=int)
    for there in range(2**count - 2, -1, -1):
        free = [player for player in range(count) if not there >> player & 1]
        worth = [gains[there | 1 << p] + ahead[there | 1 << p] for p in free]
        ahead[there], step[there] = max(worth), free[int(np.argmax(worth))]
    there, order = 0, []
    for _ in range(count):
        order.append(int(step[there]))
        there |= 1 << order[-1]
    return order


def _worst_path(gains: FloatArray, count: int) -> list[int]:
    return best_path(-gains, count)


_PICKS: dict[str, Callable[[FloatArray, int], list[int]]] = {
    "best": best_path,
    "greedy": greedy_path,
    "worst": _worst_path,
}


def _steps(
    name: str, order: list[int], gains: FloatArray, tools: tuple[str, ...], unit: str
) -> pd.DataFrame:
    """Rows of an order, with the gains of all companies."""
    passed = gains[:, _stages(order)]
    added = np.diff(passed, axis=1, prepend=0.0)
    return pd.DataFrame(
        {
            "order": name,
            "step": np.arange(1, len(order) + 1),
            "tool": [tools[player] for player in order],
            **interval_columns(passed, "gain", unit),
            **interval_columns(added, "added", unit),
        }
    )
