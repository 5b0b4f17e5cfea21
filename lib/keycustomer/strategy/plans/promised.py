"""What a plan promises, account by account and in all.

Question: what would the chosen actions bring together?  :func:`account_promises` and
:func:`total_promise` add up the expected values of the actions of each account.  Actions overlap (a
customer is kept only once), so where the actions can tell their joint value, the total is that.

An interval of a sum needs to know how far the errors go together.  Values of one kind of action
rest on the same coefficients, so the ends are added up here: as if all errors went together, which
makes the interval rather too wide than too narrow.
"""

from __future__ import annotations

import pandas as pd

from keycustomer.stats import Estimate
from keycustomer.strategy.plans.chosen_actions import Actions

PROMISED = ("promised", "promised_lower", "promised_upper")
"""Columns of :func:`account_promises`."""

UNIT = "currency"


def account_promises(
    actions: Actions | None, chosen: pd.DataFrame, customers: list[str]
) -> pd.DataFrame:
    """Add up what the chosen actions of each account promise.

    Parameters
    ----------
    actions : AccountActions, DataFrame or None
        Where they come from; None: nothing is promised, and the columns are empty.
    chosen : DataFrame
        From `best_actions`.
    customers : list of str
        Customer ids.

    Returns
    -------
    DataFrame
        By customer_id: promised (currency, 0 where no action promises more than nothing) and its
        ends.
    """
    index = pd.Index(customers, name="customer_id")
    if actions is None:
        return pd.DataFrame(index=index, columns=list(PROMISED), dtype=float)
    sums = chosen.groupby("customer_id")[["value", "lower", "upper"]].sum(min_count=1)
    found = sums.reindex(index).set_axis(list(PROMISED), axis=1)
    without = ~index.isin(chosen["customer_id"])
    return found.mask(pd.Series(without, index=index), 0.0)


def total_promise(
    actions: Actions, chosen: pd.DataFrame, customers: list[str], each: int
) -> Estimate:
    """Give what the chosen actions of all accounts promise together.

    Parameters
    ----------
    actions : AccountActions or DataFrame
        Where they come from.
    chosen : DataFrame
        From `best_actions`.
    customers : list of str
        Customer ids.
    each : int
        Actions an account at most.

    Returns
    -------
    Estimate
        Currency; n counts the accounts.
    """
    value, lower, upper = (float(chosen[c].sum(skipna=False)) for c in ("value", "lower", "upper"))
    method = "sum of the actions; ends added up, as if all errors went together"
    return Estimate(value, lower, upper, UNIT, len(customers), method)
