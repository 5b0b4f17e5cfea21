"""The indicators of the troubles in a simulated company, as its tables would tell them.

Question: after a remedy, would the same diagnosis still find the trouble?  :func:`company_symptoms`
computes the indicators from a company's panel; that they equal those of
:func:`~keycustomer.strategy.troubles.diagnosis.diagnose_troubles` on a base made of its tables is
tested.  They are what happened, as a firm would see it, not expectations.

The indicator of trouble *e* is here the leaving rate of the large over that of the others, since a
remedy for the large is to show in who leaves; the odds ratio of chapter 3 holds service equal, and
with it the remedy.  That of *a* is the part of class A kept at a distance: which yardstick is the
right one no remedy decides, whether the house acts by it does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.pareto import abc_by_rank
from keycustomer.simulate import CHANNELS
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.troubles.cells import YEAR, company_cells, with_prices
from keycustomer.strategy.troubles.combinations import customer_combinations
from keycustomer.strategy.troubles.price_cost_mix import rates_and_parts
from keycustomer.strategy.troubles.vocabulary import CLOSE_LEVELS, FURTHER, TROUBLES, Trouble

if TYPE_CHECKING:
    from keycustomer.simulate import Company

SYMPTOMS: dict[str, Trouble] = {
    "a": FURTHER["overlooked"],
    "b": TROUBLES["b"],
    "c": TROUBLES["c"],
    "d": TROUBLES["d"],
    "e": FURTHER["large_leaving"],
}
"""Indicator of each trouble that a remedy is judged by."""

OWN_CODES = tuple(CHANNELS.index(name) for name in ("inside sales", "manager"))
AGENT_CODES = (CHANNELS.index("agent"),)
BOTH_CODES = (CHANNELS.index("agent and manager"),)
QUARTER = 3


def company_symptoms(company: Company) -> dict[str, float]:
    """Compute the indicators of the troubles in a simulated company.

    Parameters
    ----------
    company : Company
        With a window of at least two years, beginning with a quarter of the calendar.

    Returns
    -------
    dict of str to float
        By letter, see `SYMPTOMS`; "large" is the leaving rate of classes A and B a year.  NaN where
        it is not defined, such as a ratio to nobody.
    """
    tiers = company_tiers(company)
    leaving = _leaving(company, tiers)
    return {
        "a": _overlooked(company, tiers),
        "b": _contact_ratio(company, tiers),
        "c": _claimed_twice(company),
        "d": _lost_to_price(company),
        "e": _over(leaving["large"], leaving["others"]),
        "large": leaving["large"],
    }


def company_tiers(company: Company) -> FloatArray:
    """Class of each account by revenue a month: 0 is A, 1 B, 2 C, -1 never there."""
    months = company.panel.active.sum(axis=0)
    there = np.flatnonzero(months > 0)
    monthly = company.panel.revenue.sum(axis=0, dtype=float)[there] / months[there]
    table = pd.DataFrame({"customer_id": there, "revenue": monthly})
    classes = abc_by_rank(table).customers
    tiers = np.full(len(months), -1)
    tiers[classes["customer_id"].to_numpy(dtype=np.int64)] = classes["abc"].cat.codes.to_numpy()
    return tiers


def _overlooked(company: Company, tiers: FloatArray) -> float:
    """Part of class A whose last level lies below proactive."""
    best = np.flatnonzero(tiers == 0)
    active = company.panel.active[:, best]
    last = len(active) - 1 - active[::-1].argmax(axis=0)
    return _over(float((company.panel.level[last, best] < CLOSE_LEVELS).sum()), len(best))


def _contact_ratio(company: Company, tiers: FloatArray) -> float:
    """Contacts a month of class A over those of class C."""
    panel = company.panel
    made = panel.visits.sum(axis=0, dtype=float) + panel.calls.sum(axis=0, dtype=float)
    months = panel.active.sum(axis=0)
    first, last = (_over(made[tiers == t].sum(), months[tiers == t].sum()) for t in (0, 2))
    return _over(first, last)


def _claimed_twice(company: Company) -> float:
    """Share of the accounts to which agents and own people sold within one quarter.

    Whoever is in charge sells, so that an account in the hands of both counts; one that was handed
    over within a quarter does too.
    """
    panel = company.panel
    channel, active = panel.channel, panel.active
    clash = np.zeros(active.shape[1], dtype=bool)
    for start in range(0, len(active), QUARTER):
        part = channel[start : start + QUARTER], active[start : start + QUARTER]
        own, agent, both = (
            (np.isin(part[0], codes) & part[1]).any(axis=0)
            for codes in (OWN_CODES, AGENT_CODES, BOTH_CODES)
        )
        clash |= both | (own & agent)
    return float(clash[active.any(axis=0)].mean())


def _lost_to_price(company: Company) -> float:
    """Margin lost to own prices between the first and the last year, share of revenue."""
    told = with_prices(company_cells(company, YEAR))
    totals = customer_combinations(told).sum(axis=0, keepdims=True)
    return float(rates_and_parts(totals)[0, -2])


def _leaving(company: Company, tiers: FloatArray) -> dict[str, float]:
    """Leavers a year of classes A and B, and of class C."""
    panel = company.panel
    left, months = panel.left < panel.months, panel.active.sum(axis=0)
    groups = {"large": (tiers == 0) | (tiers == 1), "others": tiers == 2}
    return {
        name: 12 * _over(float(left[own].sum()), float(months[own].sum()))
        for name, own in groups.items()
    }


def _over(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else math.nan
