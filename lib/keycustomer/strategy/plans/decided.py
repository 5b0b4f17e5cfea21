"""What to do put into plans: chosen actions, what they promise, recommended levels, outlook.

:func:`decide` fills the columns of a plan that come from `account_actions` (or from a frame of
values).  Where contracts tell who left, the actions know what each account would bring if all went
on as today, and that is the account's potential value: actions are counted against it, and it uses
what is known of the account's risk to leave.  Without contracts it stays the residual lifetime
value.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.dossier.relations import dated_contracts
from keycustomer.strategy.plans.chosen_actions import (
    Actions,
    action_columns,
    chosen_actions,
    read_actions,
    weighed_accounts,
)
from keycustomer.strategy.plans.promised import PROMISED, promises

if TYPE_CHECKING:
    from keycustomer.strategy.actions.estimating import AccountActions
    from keycustomer.strategy.plans.top_accounts import AccountPlans

NO_ACTIONS = "give actions=, from account_actions(base, ...)"
NO_LEVELS = "give recommended=, a Series of levels by customer_id, or actions that have one"


def empty_decisions(customers: list[str], each: int) -> pd.DataFrame:
    """Give the columns of decisions, empty.

    Parameters
    ----------
    customers : list of str
        Customer ids.
    each : int
        Actions an account.
    """
    index = pd.Index(customers, name="customer_id")
    names = ["action", "setting", "value", "lower", "upper", "cost", "assumption"]
    acted = [f"{name}_{place}" for place in range(1, each + 1) for name in names]
    columns = ["level_recommended", *acted]
    texts = pd.DataFrame(None, index=index, columns=columns, dtype=object)
    return texts.join(pd.DataFrame(index=index, columns=list(PROMISED), dtype=float))


def decide(
    plans: AccountPlans, actions: Actions | None, recommended: pd.Series | None
) -> AccountPlans:
    """Put actions and recommended levels into plans.

    Parameters
    ----------
    plans : AccountPlans
        The plans.
    actions : AccountActions, DataFrame or None
        What could be done and what it would bring.
    recommended : Series or None
        Relationship level by customer_id; None: that of the actions.
    """
    before = plans if plans.before is None else plans.before
    decided = before if actions is None else _with_actions(before, actions)
    return replace(_with_levels(decided, actions, recommended), before=before)


def _with_actions(plans: AccountPlans, actions: Actions) -> AccountPlans:
    if isinstance(actions, pd.DataFrame):
        actions = read_actions(actions)
    customers, each = plans.customers, plans.actions_each
    weighed = weighed_accounts(actions, customers)
    if not weighed:
        raise ValueError(
            f"actions: none of the {counted(len(customers), 'account')} with a plan was weighed; "
            "give account_actions the plans' customers"
        )
    chosen = chosen_actions(actions, weighed, each)
    promise = promises(actions, chosen, weighed, each)
    frame = plans.frame.set_index("customer_id")
    laid = action_columns(chosen, customers, each)
    for part in (laid, promise.frame.reindex(customers)):
        frame[part.columns] = part
    missing = {what: why for what, why in plans.missing.items() if what != "actions"}
    notes = plans.notes
    absent = len(customers) - len(weighed)
    if absent:
        notes = (*notes, f"For {counted(absent, 'account')} no action was weighed.")
    known = replace(
        plans, frame=frame.reset_index(), actions=chosen, total=promise.total,
        plain=promise.plain, missing=missing, notes=notes,
    )  # fmt: skip
    return known if isinstance(actions, pd.DataFrame) else _with_outlook(known, actions)


def _with_outlook(plans: AccountPlans, actions: AccountActions) -> AccountPlans:
    """Tell what was not weighed, and take what accounts would bring as today from the actions."""
    reasons: dict[str, list[str]] = {}
    for row in actions.skipped.to_dict("records"):
        reasons.setdefault(str(row["reason"]), []).append(str(row["action"]))
    skipped = {f"actions ({', '.join(names)})": why for why, names in reasons.items()}
    plans = replace(plans, missing=plans.missing | skipped, horizon=actions.horizon)
    if not dated_contracts(plans.book.base):
        return plans
    today = actions.today.set_index("customer_id").reindex(plans.customers)
    values = today[["value", "lower", "upper", "months"]].to_numpy(float).T
    names = ("potential", "potential_lower", "potential_upper", "months_expected")
    frame = plans.frame.assign(**dict(zip(names, values, strict=True)))
    missing = {what: why for what, why in plans.missing.items() if what != "potential value"}
    said = (
        f"Potential value: profit of the {actions.horizon} months ahead if all goes on as today, "
        "which is also what actions are counted against."
    )
    return replace(
        plans, frame=frame, missing=missing, notes=(*plans.notes, said), potential_of="profit",
        potential_months=float(actions.horizon),
    )  # fmt: skip


def _with_levels(
    plans: AccountPlans, actions: Actions | None, recommended: pd.Series | None
) -> AccountPlans:
    """Give the recommended level of each account."""
    levels = recommended
    if levels is None and actions is not None and not isinstance(actions, pd.DataFrame):
        levels = actions.levels if len(actions.levels) else None
    if levels is None:
        return plans
    if not isinstance(levels, pd.Series):
        raise TypeError(
            f"recommended: a Series of levels by customer_id is needed, not {type(levels).__name__}"
        )
    if levels.index.has_duplicates:
        twice = levels.index[levels.index.duplicated()][0]
        raise ValueError(f"recommended: {twice!r} comes more than once; one level a customer")
    found = levels.reindex(plans.customers).astype(object)
    frame = plans.frame.assign(level_recommended=found.where(found.notna(), None).to_numpy())
    missing = {what: why for what, why in plans.missing.items() if what != "recommended level"}
    return replace(plans, frame=frame, missing=missing)
