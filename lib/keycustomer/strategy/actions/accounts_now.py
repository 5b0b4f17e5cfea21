"""Accounts as they stand at the end of the window, in the numbers that actions start from.

:func:`accounts_now` reads the last twelve months of every customer who is there: what it pays and
costs a month, its discount, level, contacts and complaints, who looks after it.  Contacts and
complaints of one account in one year are few, so that its rate is drawn towards that of accounts
of its level as far as chance explains the differences (Gamma-Poisson, Robbins 1956).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.relationships import CustomerMonths
from keycustomer.relationships.effects.landmarks import customers_now
from keycustomer.relationships.effects.values_by_level import standard_size
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.vocabulary import PEOPLE

YEAR = 12


@dataclass(frozen=True, eq=False)
class AccountsNow:
    """Customers present at the end of the window.

    Attributes
    ----------
    frame : DataFrame
        One row a customer, index customer_id: level (position, -1 unknown), revenue, margin, goods
        (cost of goods), list_value (a month, currency), discount (share of the list price), size
        (log margin, standard deviations around the mean), first_contacts, other_contacts,
        complaints, resolved_first (a month, rates), manager, agent where known.
    landmarks : DataFrame
        The same customers as :func:`customers_now` describes them.
    currency : str
        Unit of amounts.
    contact_kinds : tuple of str
        Kinds of contacts, the first one apart.
    """

    frame: pd.DataFrame = field(repr=False)
    landmarks: pd.DataFrame = field(repr=False)
    currency: str
    contact_kinds: tuple[str, ...]

    @property
    def level(self) -> npt.NDArray[np.int64]:
        """Position of each customer's level, -1 unknown."""
        return self.frame["level"].to_numpy(dtype=np.int64)

    def column(self, name: str) -> FloatArray:
        """Numbers of a column."""
        return self.frame[name].to_numpy(dtype=np.float64)


def accounts_now(
    months: CustomerMonths, contact_kinds: tuple[str, ...] = ("visit", "call")
) -> AccountsNow:
    """Describe the customers present at the end of the window.

    Parameters
    ----------
    months : CustomerMonths
        The customer-months.
    contact_kinds : tuple of str
        Kinds of interactions that are contacts, the one that others are counted in first.

    Raises
    ------
    ValueError
        When nobody is present, or no margin is known.
    """
    landmarks = customers_now(months)
    if landmarks.empty or landmarks["yearly_margin"].isna().all():
        raise ValueError(
            "months: nobody is a customer at the end of the window whose margin is known; the "
            "base needs transactions with costs, or an assumed margin in the case file"
        )
    rows = months.frame
    year = rows[rows["number"] > months.months - 1 - YEAR].groupby("customer_id")
    names = landmarks["customer_id"]
    columns = {"revenue": "revenue", "margin": "margin", "list_value": "list_revenue"}
    means = year[list(columns.values())].mean().reindex(names)
    frame = means.rename(columns={old: new for new, old in columns.items()})
    frame["level"] = landmarks["level"].to_numpy(dtype=np.int64)
    frame["goods"] = frame["revenue"] - frame["margin"]
    with np.errstate(divide="ignore", invalid="ignore"):
        off = 1 - frame["revenue"] / frame["list_value"]
    frame["discount"] = off.where(np.isfinite(off))
    frame["size"] = standard_size(12 * frame["margin"].to_numpy(dtype=float))
    frame = frame.assign(**_rates(rows, year, frame, contact_kinds))
    people = months.customers.set_index("customer_id").reindex(frame.index)
    for name in PEOPLE:
        frame[name] = people[name] if name in people else None
    return AccountsNow(frame, landmarks, months.currency, contact_kinds)


def _rates(
    rows: pd.DataFrame,
    year: pd.api.typing.DataFrameGroupBy,
    frame: pd.DataFrame,
    contact_kinds: tuple[str, ...],
) -> dict[str, FloatArray]:
    """Contacts and complaints a month, each account's drawn towards those of its level."""
    kinds = [kind.replace(" ", "_").replace("-", "_") for kind in contact_kinds]
    asked = {
        "first_contacts": kinds[:1],
        "other_contacts": kinds[1:],
        "complaints": ["complaints"],
        "resolved_first": ["resolved_first"],
    }
    seen = np.asarray(year.size().reindex(frame.index), dtype=np.float64)
    level: npt.NDArray[np.int64] = frame["level"].to_numpy(dtype=np.int64)
    found = {}
    for name, columns in asked.items():
        known = [column for column in columns if column in rows]
        if len(known) < len(columns) or not known:
            found[name] = np.full(len(frame), np.nan if not known else 0.0)
        if known:
            counts = year[known].sum().sum(axis=1).reindex(frame.index)
            found[name] = pooled_rates(counts.to_numpy(dtype=np.float64), seen, level)
    return found


def pooled_rates(
    counts: FloatArray, months: FloatArray, group: npt.NDArray[np.int64]
) -> FloatArray:
    """Draw each rate towards the mean of its group as far as chance explains the differences.

    Parameters
    ----------
    counts, months : ndarray, shape (n,)
        Events, and months they were counted in.
    group : ndarray of int, shape (n,)
        Group of each.

    Returns
    -------
    ndarray, shape (n,)
        Events a month: ``(counts + m k) / (months + k)`` with the group's mean m and the months k
        that the prior is worth, by the method of moments.
    """
    rates = np.empty(len(counts))
    for one in np.unique(group):
        own = group == one
        total, spent = counts[own].sum(), months[own].sum()
        mean = total / spent if spent else 0.0
        chance = mean * (months[own] > 0).sum()
        surplus = float(
            ((counts[own] - mean * months[own]) ** 2 / np.maximum(months[own], 1)).sum()
        )
        between = (surplus - chance) / spent if spent else 0.0
        if between <= 0:
            rates[own] = mean
        else:
            prior = mean / between
            rates[own] = (counts[own] + mean * prior) / (months[own] + prior)
    return rates
