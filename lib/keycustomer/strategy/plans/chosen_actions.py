"""The actions of a plan: for each account the few that promise most.

Question: what should be done for this account first?  From `account_actions` come the actions that
bring most together, each next one chosen for what it adds to those before it.  From a frame of
values, which cannot tell what actions do together, :func:`best_actions` takes for each account and
kind of action the setting with the largest expected value, keeps those that promise more than
nothing, and gives the best few.

Taking the largest of several estimates picks errors too: the chosen ones promise on average more
than they keep (the optimiser's curse), which is why a plan is judged by what it delivers in the
simulated company (`deliver_plan`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.dimensions.complaints import refuse
from keycustomer.lifetime.arguments import need_columns
from keycustomer.strategy.actions.vocabulary import ACTION_COLUMNS

if TYPE_CHECKING:
    from keycustomer.strategy.actions.estimating import AccountActions

CHOSEN = ("customer_id", "place", *ACTION_COLUMNS[1:], "added")
"""Columns of :func:`chosen_actions`."""

Actions: TypeAlias = "pd.DataFrame | AccountActions"


def read_actions(frame: pd.DataFrame) -> pd.DataFrame:
    """Read and check a table of actions.

    Parameters
    ----------
    frame : DataFrame
        With the columns `ACTION_COLUMNS`.

    Returns
    -------
    DataFrame
        With these columns.

    Raises
    ------
    ValueError
        When a column is missing, or a value is not a finite number.
    """
    need_columns(frame, ACTION_COLUMNS, "actions")
    frame = frame[list(ACTION_COLUMNS)].reset_index(drop=True)
    numbers = frame[["value", "lower", "upper", "cost"]].apply(pd.to_numeric, errors="coerce")
    wrong = ~np.isfinite(numbers["value"])
    refuse(
        f"actions.value: {frame['value'][row]} of {frame['action'][row]!r} for account "
        f"{frame['customer_id'][row]!r}; a finite amount is needed: leave out what cannot be valued"
        for row in frame.index[wrong][:3]
    )
    return frame.assign(**{name: numbers[name].astype(float) for name in numbers})


def weighed_accounts(actions: Actions, customers: list[str]) -> list[str]:
    """List the accounts for which actions were weighed.

    Parameters
    ----------
    actions : AccountActions or DataFrame
        What could be done.
    customers : list of str
        Customer ids.
    """
    known = actions["customer_id"] if isinstance(actions, pd.DataFrame) else actions.customers
    weighed = set(known)
    return [one for one in customers if one in weighed]


def chosen_actions(actions: Actions, customers: list[str], n: int = 3) -> pd.DataFrame:
    """Choose the actions that promise most for some accounts.

    Parameters
    ----------
    actions : AccountActions or DataFrame
        What could be done; a frame has been read by :func:`read_actions`.
    customers : list of str
        Customer ids, in the order wanted, all of them weighed.
    n : int
        Actions an account at most.

    Returns
    -------
    DataFrame
        customer_id, place (1 the first), action, setting, present, value, lower, upper, cost,
        assumption, added (what it adds to those before it): one row an account and action, none
        for actions that promise nothing.
    """
    if isinstance(actions, pd.DataFrame):
        return best_actions(actions, customers, n)
    parts = [actions.top(one, n) for one in customers]
    parts = [part.assign(place=np.arange(1, len(part) + 1)) for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=list(CHOSEN))
    return pd.concat(parts, ignore_index=True)[list(CHOSEN)]


def best_actions(actions: pd.DataFrame, customers: list[str], n: int = 3) -> pd.DataFrame:
    """Choose the actions with the largest expected value each, see :func:`chosen_actions`.

    Parameters
    ----------
    actions : DataFrame
        From :func:`read_actions`.
    customers : list of str
        Customer ids, in the order wanted.
    n : int
        Actions an account at most.
    """
    order = pd.Series(range(len(customers)), index=customers)
    own = actions[actions["customer_id"].isin(customers) & (actions["value"] > 0)]
    own = own.assign(order=own["customer_id"].map(order), added=own["value"])
    ranked = own.sort_values(["order", "value"], ascending=[True, False], kind="stable")
    ranked = ranked.drop_duplicates(["customer_id", "action"])
    place = ranked.groupby("customer_id", sort=False).cumcount() + 1
    chosen = ranked.assign(place=place)[place <= n]
    return chosen[list(CHOSEN)].reset_index(drop=True)


def action_columns(chosen: pd.DataFrame, customers: list[str], n: int) -> pd.DataFrame:
    """Lay the chosen actions side by side, one row an account.

    Parameters
    ----------
    chosen : DataFrame
        From :func:`chosen_actions`.
    customers : list of str
        Customer ids.
    n : int
        Actions an account.

    Returns
    -------
    DataFrame
        By customer_id: action_1, setting_1, value_1, lower_1, upper_1, cost_1, assumption_1 and
        so on up to n; empty where an account has fewer.
    """
    names = ["action", "setting", "value", "lower", "upper", "cost", "assumption"]
    index = pd.Index(customers, name="customer_id")
    parts = []
    for place in range(1, n + 1):
        own = chosen[chosen["place"] == place].set_index("customer_id")[names]
        parts.append(own.reindex(index).add_suffix(f"_{place}"))
    return pd.concat(parts, axis=1)
