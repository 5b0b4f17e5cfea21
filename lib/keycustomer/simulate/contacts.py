"""Interactions of the simulated operator: visits, calls, complaints, competitors' offers.

`contacts` turns the panel's monthly counts into one row a contact with its day, its phase, and for
complaints the day of resolution and whether the first contact resolved it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.accounts import Accounts
from keycustomer.simulate.columns import BILLING_DAYS, customer_ids, days_in_month, texts
from keycustomer.simulate.panel import Panel
from keycustomer.simulate.settings import Settings

Array = npt.NDArray[Any]

KINDS = ("visit", "call", "complaint", "competitor offer")
PHASES = ("pre", "during", "after")

STEP = 9
"""Days between several contacts of one account and kind in a month."""

PRE_SHARE = 0.3
"""Share of visits and calls that prepare a sale; as many accompany one, the rest follow it."""


@dataclass(frozen=True)
class ContactCosts:
    """What a contact costs the operator, EUR; a competitor's offer costs nothing."""

    visit: float
    call: float
    complaint: float


def contacts(
    settings: Settings, accounts: Accounts, panel: Panel, costs: ContactCosts, uniform: Array
) -> pd.DataFrame:
    """Write the contacts, ordered by day.

    Parameters
    ----------
    settings, accounts, panel
        The company.
    costs : ContactCosts
        Cost of each kind.
    uniform : ndarray, shape (months, accounts)
        Numbers between 0 and 1 that place the contacts within their month.

    Returns
    -------
    DataFrame
        customer_id, date, kind, phase, resolved_on (complaints; missing when not resolved within
        the window), first_contact_resolution (complaints), cost (EUR).
    """
    counts = (panel.visits, panel.calls, panel.complaints, panel.offer)
    parts = [
        _rows(settings, panel, kind, np.asarray(count, dtype=np.int64), uniform)
        for kind, count in enumerate(counts)
    ]
    rows = pd.concat(parts, ignore_index=True).sort_values(
        ["date", "number", "kind"], kind="stable", ignore_index=True
    )
    kind = rows["kind"].to_numpy()
    known = np.array([costs.visit, costs.call, costs.complaint, 0.0])
    return pd.DataFrame(
        {
            "customer_id": customer_ids(accounts.number).take(rows["number"].to_numpy()),
            "date": rows["date"],
            "kind": texts(KINDS, kind),
            "phase": texts(PHASES, rows["phase"].to_numpy()),
            "resolved_on": rows["resolved_on"],
            "first_contact_resolution": rows["first"].astype("boolean").mask(kind != 2),
            "cost": known[kind],
        }
    )


def _rows(
    settings: Settings, panel: Panel, kind: int, count: Array, uniform: Array
) -> pd.DataFrame:
    """Contacts of one kind: account, day, phase and, for complaints, their resolution."""
    month, number = np.nonzero(count)
    often = count[month, number]
    month, number = np.repeat(month, often), np.repeat(number, often)
    which = np.arange(len(month)) - np.repeat(np.cumsum(often) - often, often)
    place = uniform[month, number] + 0.381966 * (kind + 1)  # kinds fall on different days
    day = (((place % 1) * BILLING_DAYS).astype(np.int64) + STEP * which) % BILLING_DAYS + 1
    date = days_in_month(settings.calendar()[month], day)
    phase = np.full(len(month), 2)
    if KINDS[kind] in ("visit", "call"):
        part = (place * 97 + 0.618034 * which) % 1
        phase = (part >= PRE_SHARE).astype(int) + (part >= 2 * PRE_SHARE)
    if KINDS[kind] == "competitor offer":
        phase = np.zeros(len(month), dtype=np.int64)
    first = which < panel.first_contact[month, number]
    days = np.where(first, 0, _days_to_resolve(panel.resolution_days[month, number], place, which))
    resolved = date + days.astype("timedelta64[D]")
    if KINDS[kind] != "complaint":
        resolved = np.full(len(month), np.datetime64("NaT"), dtype="datetime64[s]")
    end = np.datetime64(settings.start, "M") + settings.months
    resolved = np.where(resolved < end.astype("datetime64[s]"), resolved, np.datetime64("NaT"))
    return pd.DataFrame(
        {
            "number": number,
            "kind": kind,
            "date": date,
            "phase": phase,
            "first": first,
            "resolved_on": resolved.astype("datetime64[s]"),
        }
    )


def _days_to_resolve(mean: Array, place: Array, which: Array) -> Array:
    """Whole days from 1 on around the month's mean."""
    spread = 0.7 + 0.6 * ((place * 53 + 0.618034 * which) % 1)
    return np.maximum(np.nan_to_num(mean * spread).round(), 1)
