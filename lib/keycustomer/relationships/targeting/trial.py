"""A trial of a retention offer: who got it, who stayed, and what that was worth.

To whom should the offer go next time?  The answer needs customers with the offer and without it.
:func:`read_trial` reads them from any table with one row a customer and checks it; a `Trial` holds
the offer, the outcome, what was known of each customer before, what a customer is worth who stays,
and what the offer costs.

Where the offer was given by lot, give the probability (`propensity`); where managers gave it as
they saw fit, leave it out: it is then estimated from the features, and everything rests on the
features telling all that moved both the offer and the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.stats import finite_values
from keycustomer.stats.samples import FloatArray

BoolArray = npt.NDArray[np.bool_]

FEWEST = 20
"""Least number of customers with the offer, and without it."""


@dataclass(frozen=True, eq=False)
class Trial:
    """Customers with and without an offer, n customers.

    Attributes
    ----------
    customers : Index
        Their ids, each once.
    treated : ndarray of bool, shape (n,)
        Who got the offer.
    outcome : ndarray, shape (n,)
        What the offer should raise: 1 for who stayed and 0 for who left, or any number.
    features : DataFrame
        What was known of each customer before the offer.
    value : ndarray, shape (n,)
        Worth of one unit of the outcome, currency; below zero for who costs more than it brings.
    contact_cost : ndarray, shape (n,)
        Cost of making the offer, currency.
    offer_cost : ndarray, shape (n,)
        Cost of the offer once accepted, currency.
    accepted : ndarray, shape (n,)
        Share of the offer that was taken, 0..1; of no meaning for who did not get it.
    money : ndarray, shape (n,)
        What came of each customer, currency, all costs of the offer taken off.
    propensity : ndarray, shape (n,), or None
        Probability to get the offer, None where it was not given by lot.
    notes : tuple of str
        What a reader should know.
    """

    customers: pd.Index
    treated: BoolArray
    outcome: FloatArray
    features: pd.DataFrame = field(repr=False)
    value: FloatArray = field(repr=False)
    contact_cost: FloatArray = field(repr=False)
    offer_cost: FloatArray = field(repr=False)
    accepted: FloatArray = field(repr=False)
    money: FloatArray = field(repr=False)
    propensity: FloatArray | None = field(repr=False)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Count the customers."""
        return len(self.customers)

    @property
    def binary(self) -> bool:
        """Whether the outcome is 0 or 1."""
        return bool(np.isin(self.outcome, (0.0, 1.0)).all())

    @property
    def identification(self) -> str:
        """Why the two groups can be compared."""
        if self.propensity is not None:
            return (
                "The offer was given by lot with known probability: customers with it and without "
                "it differ by chance only."
            )
        return (
            "The offer was not given by lot: the comparison holds if the features "
            f"({', '.join(map(str, self.features))}) tell everything that moved both the offer and "
            "the outcome, which the data cannot show."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a customer: treated, outcome, value, costs, money, propensity, features."""
        chance = np.nan if self.propensity is None else self.propensity
        known = {
            "treated": self.treated,
            "outcome": self.outcome,
            "value": self.value,
            "contact_cost": self.contact_cost,
            "offer_cost": self.offer_cost,
            "accepted": np.where(self.treated, self.accepted, np.nan),
            "money": self.money,
            "propensity": chance,
        }
        return pd.concat([pd.DataFrame(known, index=self.customers), self.features], axis=1)

    def summary(self) -> pd.DataFrame:
        """One row a group: customers, mean outcome, money a customer, share that accepted."""
        groups = np.where(self.treated, "with the offer", "without")
        frame = self.to_frame().groupby(groups)
        means = frame[["outcome", "money", "accepted"]].mean()
        return means.assign(customers=frame.size()).rename_axis("group")

    def _repr_html_(self) -> str:
        from keycustomer.customers.rendering import report_html

        said = [self.identification, *self.notes]
        return report_html("Trial of an offer", said, {"Groups": self.summary().reset_index()})


def read_trial(
    frame: pd.DataFrame,
    *,
    treated: str,
    outcome: str,
    features: Sequence[str],
    value: str | float = 1.0,
    contact_cost: str | float = 0.0,
    offer_cost: str | float = 0.0,
    accepted: str | None = None,
    money: str | None = None,
    propensity: str | float | None = None,
    customer: str | None = None,
) -> Trial:
    """Read a trial from a table with one row a customer.

    Parameters
    ----------
    frame : DataFrame
        Customers with the offer and without it.
    treated : str
        Column that tells who got the offer: true or false, 1 or 0.
    outcome : str
        Column of numbers that the offer should raise, such as 1 for who stayed.
    features : sequence of str
        Columns known before the offer: numbers, true or false, or words; unknown values stay and
        are marked as unknown.
    value : str or float
        Worth of one unit of the outcome, currency: a column, or one number for all.
    contact_cost, offer_cost : str or float
        Cost of making the offer, and of the offer once accepted, currency.
    accepted : str, optional
        Column of the share of the offer that was taken, 0..1, read for who got it; the outcome's
        own column where who stays has taken it.  Left out, everybody takes it.
    money : str, optional
        Column of what really came of each customer, costs of the offer taken off; left out,
        outcome x value less the costs of who got the offer.
    propensity : str or float, optional
        Probability to get the offer, above 0 and below 1; left out, it was not given by lot.
    customer : str, optional
        Column of the customers' ids; left out, the index.

    Returns
    -------
    Trial

    Raises
    ------
    KeyError
        When a column is not there.
    TypeError, ValueError
        When values are no numbers, unknown or out of range, a customer stands in two rows, or one
        of the groups has fewer than 20 customers.
    """
    named = [treated, outcome, *features, accepted, money, customer]
    amounts = [value, contact_cost, offer_cost, propensity]
    _check_columns(frame, [name for name in (*named, *amounts) if isinstance(name, str)])
    if not len(features):
        raise ValueError("features: give at least one column that was known before the offer")
    _check_features(features, treated, outcome, accepted, money)
    offered = _offered(frame, treated)
    y = finite_values(frame[outcome], outcome)
    worth = _amount(frame, value, "value")
    contact = _cost(frame, contact_cost, "contact_cost")
    offer = _cost(frame, offer_cost, "offer_cost")
    taken = _taken(frame, accepted, offered)
    earned = y * worth - np.where(offered, contact + offer * taken, 0.0)
    return Trial(
        customers=_customers(frame, customer),
        treated=offered,
        outcome=y,
        features=_features(frame, features, customer),
        value=worth,
        contact_cost=contact,
        offer_cost=offer,
        accepted=taken,
        money=earned if money is None else finite_values(frame[money], money),
        propensity=None if propensity is None else _probability(frame, propensity),
        notes=_notes(frame, features),
    )


def _check_columns(frame: pd.DataFrame, names: list[str]) -> None:
    for name in names:
        if name not in frame.columns:
            near = get_close_matches(name, list(map(str, frame.columns)), 1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise KeyError(
                f"no column {name!r} in the table; there is: "
                f"{', '.join(map(str, frame.columns))}{meant}"
            )


def _check_features(features: Sequence[str], *results: str | None) -> None:
    """Refuse features that are results: they were not known before the offer."""
    wrong = [name for name in features if name in results]
    if wrong:
        raise ValueError(
            f"features: {', '.join(map(repr, wrong))} is what the offer leads to and was not known "
            "before it; leave it out of the features"
        )


def _offered(frame: pd.DataFrame, treated: str) -> BoolArray:
    known = frame[treated].isin([0, 1])
    if not known.all():
        wrong = frame[treated][~known]
        raise ValueError(
            f"{treated}: {len(wrong):,} values are neither true nor false (1 or 0), first at rows "
            f"{', '.join(map(repr, wrong.index[:3].tolist()))}: "
            f"{', '.join(map(repr, wrong.iloc[:3].tolist()))}"
        )
    offered = frame[treated].to_numpy(dtype=bool)
    counts = int(offered.sum()), int((~offered).sum())
    if min(counts) < FEWEST:
        raise ValueError(
            f"{treated}: {counts[0]:,} customers with the offer and {counts[1]:,} without; at "
            f"least {FEWEST} of each are needed to compare them"
        )
    return offered


def _amount(frame: pd.DataFrame, given: str | float, argument: str) -> FloatArray:
    """Amounts from a column, or one number for all."""
    if isinstance(given, str):
        return finite_values(frame[given], given)
    if isinstance(given, bool) or not np.isfinite(given):
        raise ValueError(f"{argument}={given!r} must be a column or a finite number")
    return np.full(len(frame), float(given))


def _cost(frame: pd.DataFrame, given: str | float, argument: str) -> FloatArray:
    costs = _amount(frame, given, argument)
    if (costs < 0).any():
        first = frame.index[costs < 0][:3].tolist()
        raise ValueError(
            f"{argument}: {int((costs < 0).sum()):,} costs are below zero, first at rows "
            f"{', '.join(map(repr, first))}; give costs as amounts of at least 0"
        )
    return costs


def _taken(frame: pd.DataFrame, accepted: str | None, offered: BoolArray) -> FloatArray:
    taken = np.ones(len(frame))
    if accepted is not None:
        taken[offered] = finite_values(frame[accepted][offered], accepted)
    if ((taken < 0) | (taken > 1)).any():
        raise ValueError(f"accepted: column {accepted!r} must hold shares from 0 to 1")
    return taken


def _probability(frame: pd.DataFrame, given: str | float) -> FloatArray:
    chance = _amount(frame, given, "propensity")
    wrong = ~((chance > 0) & (chance < 1))
    if wrong.any():
        raise ValueError(
            f"propensity: {chance[wrong][0]:g} must lie above 0 and below 1; customers who could "
            "not get the offer, or had to, tell nothing about it: leave them out"
        )
    return chance


def _customers(frame: pd.DataFrame, customer: str | None) -> pd.Index:
    ids = frame.index if customer is None else pd.Index(frame[customer])
    twice = ids[ids.duplicated()]
    if len(twice):
        raise ValueError(
            f"{customer or 'index'}: {twice.nunique():,} customers stand in more than one row, "
            f"first {', '.join(map(repr, twice[:3].tolist()))}; give one row a customer, for "
            "example with groupby"
        )
    return ids.rename(customer or ids.name or "customer_id")


def _features(frame: pd.DataFrame, names: Sequence[str], customer: str | None) -> pd.DataFrame:
    chosen = frame[list(names)].copy()
    wrong = [name for name in names if chosen[name].dtype.kind in "mMc"]
    if wrong:
        raise TypeError(
            f"features: {', '.join(map(repr, wrong))} holds days or durations; turn them into "
            "numbers first, such as months since the first order"
        )
    if customer is not None:
        chosen.index = pd.Index(frame[customer])
    return chosen


def _notes(frame: pd.DataFrame, features: Sequence[str]) -> tuple[str, ...]:
    unknown = frame[list(features)].isna().sum()
    told = ", ".join(f"{name} {count:,}" for name, count in unknown[unknown > 0].items())
    notes = [f"Unknown values of features, marked as unknown: {told}."] if told else []
    same = [name for name in features if frame[name].nunique(dropna=False) == 1]
    if same:
        notes.append(f"Features the same for all, which tell nothing: {', '.join(same)}.")
    return tuple(notes)
