"""What several actions of an account promise together: a customer is kept only once.

:func:`choose_actions` picks one after the other the action that adds most to those picked before,
and stops where nothing adds anything; :func:`promised` adds up what the picked actions bring, on
the scale of the log-odds of leaving and of the margin, for all draws of the coefficients, beside
the plain sum of what each would bring alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, report_html
from keycustomer.stats import Estimate, percentile_interval
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.levers import Rows
from keycustomer.strategy.actions.outlooks import FirmLevers
from keycustomer.strategy.actions.shifts import Future, Shift

METHOD = "draws of the coefficients"


@dataclass(frozen=True)
class Chosen:
    """A picked action.

    Attributes
    ----------
    lever, setting : int
        Places of the action and its setting.
    added : float
        What it adds to those picked before, currency.
    """

    lever: int
    setting: int
    added: float


@dataclass(frozen=True, eq=False)
class PlanPromise:
    """What a plan for some accounts promises.

    Attributes
    ----------
    frame : DataFrame
        One row an account: customer_id, actions (names joined by " + "), joint, lower, upper (what
        they bring together, currency), plain (their values added up).
    joint : Estimate
        What all accounts' actions bring together.
    plain : Estimate
        Values of all actions added up.
    overlap : Estimate
        Plain sum less joint value.
    currency : str
        Unit of amounts.
    simulated : bool
        Whether the data are made up.
    """

    frame: pd.DataFrame
    joint: Estimate
    plain: Estimate
    overlap: Estimate
    currency: str
    simulated: bool
    drawn: FloatArray = field(repr=False)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        actions = int((self.frame["actions"] != "").sum())
        return (
            f"{counted(actions, 'account')} with actions promise {self.joint} {self.currency} "
            f"together; added up one by one they would promise {self.plain}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row an account."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [*made_up_note(self.simulated), self.sentence]
        return report_html("What the plan promises", said, {"Accounts": self.frame})


def choose_actions(firm: FirmLevers, rows: Rows, n: int) -> list[Chosen]:
    """Pick up to `n` actions that are done alike for some accounts, one after the other.

    Each is the one that adds most to those picked before, over all these accounts; picking stops
    where nothing adds anything.  An account for which a setting is not open (its level already, no
    second claim) stays as it is.

    Parameters
    ----------
    firm : FirmLevers
        What can be done.
    rows : ndarray of int
        Places of the accounts; one of them for a plan of its own.
    n : int
        Actions at most.
    """
    future = firm.future(rows)
    best, shift = float(future.profit().mean(axis=0).sum()), Shift()
    chosen: list[Chosen] = []
    left = {place for place, lever in enumerate(firm.levers) if lever.open[rows].any()}
    while left and len(chosen) < n:
        value, one, done = _best_next(firm, rows, future, shift, left)
        if value <= best:
            break
        chosen.append(Chosen(*one, value - best))
        best, shift = value, done
        left.discard(one[0])
    return chosen


def _best_next(
    firm: FirmLevers, rows: Rows, future: Future, shift: Shift, left: set[int]
) -> tuple[float, tuple[int, int], Shift]:
    """Value in all, lever and setting, and shift of the best next action."""
    best = (-np.inf, (-1, -1), shift)
    for place in sorted(left):
        lever = firm.levers[place]
        for k in np.flatnonzero(lever.open[rows].any(axis=0)).tolist():
            tried = shift.and_also(lever.shift(rows, k).only(lever.open[rows, k]))
            value = float(future.profit(tried).mean(axis=0).sum())
            if value > best[0]:
                best = (value, (place, k), tried)
    return best


def promised(
    firm: FirmLevers,
    plans: Mapping[str, Sequence[Chosen]],
    rows: Mapping[str, int],
    level: float,
    simulated: bool,
) -> PlanPromise:
    """Add up what plans promise.

    Parameters
    ----------
    firm : FirmLevers
        What can be done.
    plans : mapping of customer_id to picked actions
        The plans.
    rows : mapping of customer_id to int
        Places of the accounts.
    level : float
        Of the intervals.
    simulated : bool
        Whether the data are made up.
    """
    joint = np.zeros((firm.terms.draws, len(plans)))
    plain = np.zeros_like(joint)
    table = []
    for place, (name, chosen) in enumerate(plans.items()):
        row = np.array([rows[name]])
        future = firm.future(row)
        today = future.profit()[:, 0]
        picked = [
            (one.lever, one.setting)
            for one in chosen
            if firm.levers[one.lever].open[row[0], one.setting]
        ]
        joint[:, place] = future.profit(firm.together(row, picked))[:, 0] - today
        for one in picked:
            plain[:, place] += future.profit(firm.together(row, [one]))[:, 0] - today
        lower, upper = percentile_interval(joint[:, place], level)
        actions = " + ".join(firm.levers[lever].action for lever, _ in picked)
        told = {"customer_id": name, "actions": actions, "joint": float(joint[:, place].mean())}
        table.append(told | {"lower": lower, "upper": upper, "plain": plain[:, place].mean()})
    columns = ["customer_id", "actions", "joint", "lower", "upper", "plain"]
    unit, count = firm.now.currency, len(plans)
    return PlanPromise(
        pd.DataFrame(table, columns=columns),
        summed(joint.sum(axis=1), unit, count, level),
        summed(plain.sum(axis=1), unit, count, level),
        summed((plain - joint).sum(axis=1), unit, count, level),
        unit,
        simulated,
        joint,
    )


def summed(drawn: FloatArray, unit: str, n: int, level: float) -> Estimate:
    """Mean and percentile interval of draws."""
    ends = percentile_interval(drawn, level)
    return Estimate(float(drawn.mean()), *ends, unit, n, METHOD, level)
