"""What a plan promises, account by account and in all.

Question: what would the chosen actions bring together?  Actions overlap: a customer is kept only
once.  :func:`promises` takes the joint value from `account_actions`, which combines actions on the
scale of the hazard and the margin, with the plain sum beside it.  From a frame of values only the
plain sum can be had, and says so.

An interval of a plain sum needs to know how far the errors go together.  Values of one kind of
action rest on the same coefficients, so the ends are added up: as if all errors went together,
which makes the interval rather too wide than too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.stats import Estimate
from keycustomer.strategy.plans.chosen_actions import Actions

PROMISED = ("promised", "promised_lower", "promised_upper", "promised_plain")
"""Columns of `Promises.frame`."""

UNIT = "currency"


@dataclass(frozen=True, eq=False)
class Promises:
    """What the chosen actions promise.

    Attributes
    ----------
    frame : DataFrame
        By customer_id: promised (together), promised_lower, promised_upper, promised_plain (the
        values added up), currency; 0 where no action promises more than nothing.
    total : Estimate
        Of all accounts together, currency; n counts the accounts.
    plain : Estimate
        Values of all actions added up.
    """

    frame: pd.DataFrame
    total: Estimate
    plain: Estimate


def promises(actions: Actions, chosen: pd.DataFrame, weighed: list[str], n: int) -> Promises:
    """Tell what the chosen actions of accounts promise together.

    Parameters
    ----------
    actions : AccountActions or DataFrame
        Where they come from.
    chosen : DataFrame
        From `chosen_actions`.
    weighed : list of str
        Accounts for which actions were weighed.
    n : int
        Actions an account at most.
    """
    index = pd.Index(weighed, name="customer_id")
    if isinstance(actions, pd.DataFrame):
        return _added_up(chosen, index)
    joint = actions.promise(weighed, n)
    frame = joint.frame.set_index("customer_id")[["joint", "lower", "upper", "plain"]]
    frame = frame.reindex(index).set_axis(list(PROMISED), axis=1)
    return Promises(frame, joint.joint, joint.plain)


def _added_up(chosen: pd.DataFrame, index: pd.Index) -> Promises:
    names = ["value", "lower", "upper"]
    sums = chosen.groupby("customer_id")[names].sum(skipna=False)
    frame = sums.reindex(index).assign(plain=sums["value"])
    frame = frame.set_axis(list(PROMISED), axis=1).astype(float)
    idle = ~index.isin(chosen["customer_id"])
    frame.loc[np.asarray(idle)] = 0.0
    value, lower, upper = (float(frame[name].sum(skipna=False)) for name in PROMISED[:3])
    method = "values of actions and their ends added up, as if all errors went together"
    total = Estimate(value, lower, upper, UNIT, len(index), method)
    return Promises(frame, total, total)
