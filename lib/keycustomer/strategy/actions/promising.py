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
from keycustomer.strategy.actions.outlooks import FirmLevers

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


def choose_actions(firm: FirmLevers, row: int, n: int) -> list[Chosen]:
    """Pick up to `n` actions for an account, one after the other what adds most.

    Parameters
    ----------
    firm : FirmLevers
        What can be done.
    row : int
        Place of the account.
    n : int
        Actions at most.
    """
    rows = np.array([row])
    future = firm.future(rows)
    best = float(future.profit().mean())
    shift, chosen = firm.together(rows, ()), []
    left = {place for place, lever in enumerate(firm.levers) if lever.open[row].any()}
    while left and len(chosen) < n:
        tried = [
            (float(future.profit(shift.and_also(firm.levers[place].shift(rows, int(k)))).mean()), place, int(k))
            for place in sorted(left)
            for k in np.flatnonzero(firm.levers[place].open[row])
        ]  # fmt: skip
        value, place, k = max(tried, key=lambda one: one[0])
        if value <= best:
            break
        chosen.append(Chosen(place, k, value - best))
        shift, best = shift.and_also(firm.levers[place].shift(rows, k)), value
        left.discard(place)
    return chosen


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
        picked = [(one.lever, one.setting) for one in chosen]
        joint[:, place] = future.profit(firm.together(row, picked))[:, 0] - today
        for one in picked:
            plain[:, place] += future.profit(firm.together(row, [one]))[:, 0] - today
        lower, upper = percentile_interval(joint[:, place], level)
        actions = " + ".join(firm.levers[one.lever].action for one in chosen)
        told = {"customer_id": name, "actions": actions, "joint": float(joint[:, place].mean())}
        table.append(told | {"lower": lower, "upper": upper, "plain": plain[:, place].mean()})
    columns = ["customer_id", "actions", "joint", "lower", "upper", "plain"]
    unit, count = firm.now.currency, len(plans)
    sums = joint.sum(axis=1), plain.sum(axis=1), (plain - joint).sum(axis=1)
    return PlanPromise(
        pd.DataFrame(table, columns=columns),
        *(summed(one, unit, count, level) for one in sums),
        currency=unit,
        simulated=simulated,
        drawn=joint,
    )


def summed(drawn: FloatArray, unit: str, n: int, level: float) -> Estimate:
    """Mean and percentile interval of draws."""
    ends = percentile_interval(drawn, level)
    return Estimate(float(drawn.mean()), *ends, unit, n, METHOD, level)
