"""What plans promise and what they deliver: the optimiser's curse.

Why does the best plan disappoint?  It is the best by estimates, and so the one whose estimates err
in its favour most.  :func:`promised_delivered` judges plans by the truth (or by a holdout):
what each promised on the estimates it was made from beside what it delivers.
:func:`optimisers_curse` tells how large the disappointment is to be expected where no truth is
known: every draw of the estimates is planned on and judged by the estimates themselves.

Sources: Smith & Winkler (2006), "The optimizer's curse", Management Science 52; Efron & Tibshirani
(1993), "An Introduction to the Bootstrap", chapter 10 (bias).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.relationships.selection.alternatives import (
    Alternatives,
    checked_budget,
    read_alternatives,
    read_codes,
    slack,
)
from keycustomer.relationships.selection.level_selection import Selection, select_levels
from keycustomer.relationships.selection.plans import LevelPlan
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import NORMAL, Progress, checked_level


@dataclass(frozen=True, eq=False)
class PromisedDelivered:
    """Promised and delivered gains of plans.

    Attributes
    ----------
    frame : DataFrame
        A row a plan: plan, promised and delivered (gain over the zero level for everybody, by the
        values it was made from and by those it is judged by, currency), kept (delivered as a share
        of promised), attainable_gain_share (delivered as a share of the best plan's gain),
        promised_cost, delivered_cost, within_budget (by the costs it is judged by).
    best : Selection
        The best plan by the values that plans are judged by.
    """

    frame: pd.DataFrame = field(repr=False)
    best: Selection

    def to_frame(self) -> pd.DataFrame:
        """One row a plan, a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = f"The best plan gains {self.best.gain:,.2f} under {self.best.budget:,.2f}."
        return sentence_html(said, self.frame, numbers=",.3f")


def promised_delivered(
    plans: Mapping[str, LevelPlan],
    value: Any,
    cost: Any = None,
    budget: float | None = None,
) -> PromisedDelivered:
    """Compare what plans promise with what they deliver.

    Parameters
    ----------
    plans : mapping of name to LevelPlan
        Plans with the alternatives they were chosen from, which tell what they promise.
    value, cost, budget
        As in :func:`select_levels`: what is delivered, such as the truth or a holdout.

    Raises
    ------
    TypeError
        When a plan does not tell what it promised.
    """
    judged, money = read_alternatives(value, cost), checked_budget(budget)
    best = select_levels(judged, budget=money)
    rows = []
    for name, plan in plans.items():
        if not isinstance(plan, LevelPlan):
            raise TypeError(
                f"plans[{name!r}] is {type(plan).__name__}: a plan from select_levels or plan_... "
                "is needed, which tells what it promises"
            )
        total, spent = judged.totals(read_codes(plan, judged, f"plans[{name!r}]"))
        delivered = total - judged.zero_value
        rows.append(
            {
                "plan": str(name),
                "promised": plan.gain,
                "delivered": delivered,
                "kept": delivered / plan.gain if plan.gain > 0 else math.nan,
                "attainable_gain_share": delivered / best.gain if best.gain > 0 else math.nan,
                "promised_cost": plan.cost,
                "delivered_cost": spent,
                "within_budget": spent <= money + slack(money, judged.cost),
            }
        )
    return PromisedDelivered(pd.DataFrame(rows), best)


@dataclass(frozen=True, eq=False)
class OptimisersCurse:
    """How much less than promised the plan made from estimates will bring.

    Attributes
    ----------
    promised : float
        Gain that the plan made from the estimates promises, currency.
    curse : Estimate
        Expected disappointment, currency; the interval tells how well the draws know it.
    frame : DataFrame
        A row a draw: draw, promised (gain by the draw's values), delivered (gain of the same plan
        by the estimates).
    """

    promised: float
    curse: Estimate
    frame: pd.DataFrame = field(repr=False)

    @property
    def expected(self) -> float:
        """Gain to be expected of the plan: promised less the curse, currency."""
        return self.promised - self.curse.estimate

    @property
    def share(self) -> float:
        """Curse as a share of the gain promised; NaN where none is."""
        return self.curse.estimate / self.promised if self.promised > 0 else math.nan

    def to_frame(self) -> pd.DataFrame:
        """One row a draw, a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"The plan promises a gain of {self.promised:,.2f}; {self.curse} of it is to be "
            f"expected not to come, by {len(self.frame):,} draws."
        )
        return sentence_html(said)


def optimisers_curse(
    value: Any,
    cost: Any = None,
    budget: float | None = None,
    *,
    draws: Iterable[Any],
    level: float = 0.95,
    progress: Progress | None = None,
) -> OptimisersCurse:
    """Tell how much less than promised the best plan by these estimates will bring.

    Parameters
    ----------
    value, cost, budget
        As in :func:`select_levels`: the estimates.
    draws : array of shape (draws, n, levels), or iterable of arrays of shape (n, levels)
        The estimates over again with errors as large as theirs, as from a bootstrap.
    level : float
        Confidence level of the interval, 0..1.
    progress : callable, optional
        Called with draws done and in all.

    Returns
    -------
    OptimisersCurse
        Its estimate takes the estimates for the truth and the draws for estimates of it: it is
        somewhat too small where the estimates themselves vary more than the truth.
    """
    estimates, money = read_alternatives(value, cost), checked_budget(budget)
    checked_level(level)
    plan = select_levels(estimates, budget=money)
    rows = []
    for number, drawn in each_draw(draws, estimates, progress):
        made = select_levels(drawn, budget=money)
        delivered = estimates.totals(made.levels)[0] - estimates.zero_value
        rows.append({"draw": number, "promised": made.gain, "delivered": delivered})
    frame = pd.DataFrame(rows)
    missing = (frame["promised"] - frame["delivered"]).to_numpy()
    half = NORMAL.inv_cdf((1 + level) / 2) * missing.std(ddof=1) / math.sqrt(missing.size)
    mean = float(missing.mean())
    curse = Estimate(
        mean,
        mean - half,
        mean + half,
        "currency",
        len(estimates),
        f"mean of {missing.size} draws, normal",
        level,
    )
    return OptimisersCurse(plan.gain, curse, frame)


def each_draw(
    draws: Iterable[Any], estimates: Alternatives, progress: Progress | None
) -> Iterable[tuple[int, Alternatives]]:
    """Give the draws one by one, with the costs of the estimates.

    Parameters
    ----------
    draws : array or iterable of arrays of shape (n, levels)
        Drawn values.
    estimates : Alternatives
        Whose customers, levels and costs they have.
    progress : callable, optional
        Called with draws done and in all.

    Raises
    ------
    ValueError
        When there are fewer than two draws, or one does not fit.
    """
    given = list(draws)
    if len(given) < 2:
        raise ValueError(f"draws: {len(given)} given; at least 2 are needed, better 100")
    for number, draw in enumerate(given):
        matrix = np.asarray(draw, dtype=np.float64)
        if matrix.shape != estimates.value.shape:
            raise ValueError(
                f"draws: draw {number} has shape {matrix.shape}, the estimates "
                f"{estimates.value.shape}"
            )
        yield (
            number,
            read_alternatives(
                matrix, estimates.cost, customers=estimates.customers, levels=estimates.levels
            ),
        )
        if progress is not None:
            progress(number + 1, len(given))
