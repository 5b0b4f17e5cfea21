"""Why accounts leave, as the operator's files record it.

A customer that gives notice is asked why.  What it names is drawn in proportion to what drove its
hazard in the last month: every driver weighs the factor it puts on the odds of leaving, less one,
against a weight of one for an account that is content, pays the best terms and has no offer; such
an account leaves when it closes, merges or moves away.  So the hazard by reason is known: the
hazard times the reason's chance.

- `competitor offer`: a competitor made an offer in that month;
- `price`: the net price lies above the best terms, a fifth below competitors';
- `service`: complaints still open, agent and manager at odds, loyalty below that of the content;
- `closed or moved`: nothing the operator does.

Some who leave name nothing: no reason is recorded, whatever it was.  Reasons are drawn from a
stream of their own after the process has run, and change nothing in it.  Main names: `REASONS`,
`reason_chances`, `recorded_reasons`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from keycustomer.simulate.care import CONFLICT
from keycustomer.simulate.streams import stream

if TYPE_CHECKING:
    from keycustomer.simulate.company import Company

Array = npt.NDArray[Any]

REASONS = ("competitor offer", "price", "service", "closed or moved")
"""Reasons of leaving."""

RECORDED = 0.85
"""Share of those who leave whose reason is recorded."""

CONTENT = 1.0
"""Loyalty of the content, a standard deviation above the mean: less is a reason to leave."""

BEST_TERMS = 0.8
"""Net price relative to competitors' on the best terms: more is a reason to leave."""


def reason_chances(company: Company, month: Array, number: Array) -> Array:
    """Tell how likely each reason is, should an account leave at the end of a month.

    Parameters
    ----------
    company : Company
        A simulated company with its panel.
    month, number : ndarray of int, shape (k,)
        Months of the window and accounts that are there then.

    Returns
    -------
    ndarray of float, shape (k, 4)
        Probabilities in the order of `REASONS`, whether recorded or not; rows sum to 1.  Times
        the panel's hazard they are the true hazards by reason.
    """
    churn, panel, accounts = company.parameters.churn, company.panel, company.accounts
    dearer = _net_relative(company, month, number) - np.log(BEST_TERMS)
    service = churn.unresolved * _unresolved(company, month, number)
    service += churn.conflict * (panel.channel[month, number] == CONFLICT)
    service += churn.loyalty * np.minimum(panel.loyalty[month, number] - CONTENT, 0)
    odds = np.column_stack(
        [
            churn.offer * panel.offer[month, number],
            accounts.discount_response[number] * dearer,
            service,
        ]
    )
    weights = np.column_stack([np.expm1(np.maximum(odds, 0)), np.ones(len(month))])
    chances: Array = weights / weights.sum(axis=1, keepdims=True)
    return chances


def recorded_reasons(company: Company) -> Array:
    """Draw the reason recorded for each account that left.

    Returns
    -------
    ndarray of int8, shape (accounts,)
        Positions in `REASONS`; -1 where none is recorded or the account is still there.
    """
    panel = company.panel
    drawn = stream(company.settings.seed, "observed: reason of leaving").random(
        (len(panel.left), 2)
    )
    number = np.flatnonzero(panel.left < panel.months)
    chances = reason_chances(company, panel.left[number].astype(np.int64), number)
    named = (drawn[number, :1] >= np.cumsum(chances, axis=1)).sum(axis=1)
    reasons = np.full(len(panel.left), -1, dtype=np.int8)
    known = drawn[number, 1] < RECORDED
    reasons[number] = np.where(known, np.minimum(named, len(REASONS) - 1), -1)
    return reasons


def _net_relative(company: Company, month: Array, number: Array) -> Array:
    """Log of the net price relative to competitors', over what the account uses."""
    paths, category = company.panel.paths, company.products.category
    price = np.log(paths.list_index / paths.competitor_index)[month][:, category]
    used = company.accounts.wants[number] * (company.panel.adopted[number] <= month[:, None])
    listed = (used * price).sum(axis=1) / np.maximum(used.sum(axis=1), 1e-12)
    relative: Array = listed + np.log1p(-company.panel.discount[month, number])
    return relative


def _unresolved(company: Company, month: Array, number: Array) -> Array:
    """Complaints of the month that stay open beyond its end."""
    panel = company.panel
    slow = panel.complaints[month, number].astype(float) - panel.first_contact[month, number]
    late = panel.resolution_days[month, number] > company.parameters.service.unresolved_after
    return slow * late
