"""Contracts of the simulated operator: terms, relationship levels and price plans over time.

`agreements` writes a row for every stretch of months in which an account's level, price plan and
contract stay the same: a renewal begins a new row, and so does a change of level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.columns import customer_ids, end_of_month, month_starts, texts
from keycustomer.simulate.leaving_reasons import REASONS
from keycustomer.simulate.panel import Panel
from keycustomer.simulate.settings import Settings
from keycustomer.simulate.vocabulary import LEVELS

Array = npt.NDArray[Any]

TERMS = (0, 12, 24)
PLANS = ("monthly", "12 months", "24 months")
"""Price plans by length of the contract in months; 0 may be ended at any month."""


def agreements(
    settings: Settings, accounts: Accounts, panel: Panel, reasons: Array
) -> pd.DataFrame:
    """Write the service relationships, account by account in order of time.

    Parameters
    ----------
    settings, accounts, panel
        The company.
    reasons : ndarray of int, shape (accounts,)
        Reason of leaving, position in `REASONS`; -1 where none is recorded.

    Returns
    -------
    DataFrame
        customer_id, start, end (last day; missing while it runs), relationship_level, price_plan,
        reason (of leaving; in the last row of who left, where recorded).  What ran when the window
        opened starts on the day it was concluded, as far as contracts tell, otherwise on the day
        the account joined.
    """
    active, left = panel.active.T, panel.contract_left.T
    level = panel.level.T
    begins = active.copy()
    renewed = left[:, 1:] > left[:, :-1]
    moved = level[:, 1:] != level[:, :-1]
    begins[:, 1:] &= ~active[:, :-1] | renewed | moved
    number, month = np.nonzero(begins)
    last = _last_months(active, number, month)
    ongoing = (last == panel.months - 1) & (panel.left[number] > last)
    starts = month_starts(settings.start, month + _before(accounts, number, month))
    ends = end_of_month(month_starts(settings.start, last))
    plan = np.searchsorted(TERMS, accounts.term[number])
    final = (last == panel.left[number]) & (reasons[number] >= 0)
    return pd.DataFrame(
        {
            "customer_id": customer_ids(accounts.number).take(number),
            "start": starts.astype("datetime64[s]"),
            "end": np.where(ongoing, np.datetime64("NaT"), ends).astype("datetime64[s]"),
            "relationship_level": texts(LEVELS, level[number, month]),
            "price_plan": texts(PLANS, plan),
            "reason": texts(REASONS, np.where(final, reasons[number], -1)),
        }
    )


def _last_months(active: Array, number: Array, month: Array) -> Array:
    """Last month of every stretch: before the account's next one, or its last active month."""
    final = active.shape[1] - 1 - active[:, ::-1].argmax(axis=1)
    last = final[number]
    followed = number[:-1] == number[1:]
    last[:-1][followed] = month[1:][followed] - 1
    return last


def _before(accounts: Accounts, number: Array, month: Array) -> Array:
    """Months by which a stretch that ran when the window opened began before it, negative."""
    term = accounts.term[number].astype(np.int64)
    done = np.where(term > 0, accounts.contract_left[number] - term, accounts.joined[number])
    early = np.maximum(done, accounts.joined[number].astype(np.int64))
    return np.where((month == 0) & (accounts.joined[number] < 0), np.minimum(early, 0), 0)
