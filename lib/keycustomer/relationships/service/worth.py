"""What one more contact with each customer is worth, beside its cost.

:func:`contact_worth` takes the response of leaving to contacts and asks of every customer who is
still there: one more visit now lowers the chance to leave this month, a little less next month, and
so on while it is remembered.  Leaving that is avoided is worth what the relationship is worth: the
customer's margin of the last year times the margin multiple at its chance to leave.

Diminishing returns work twice: who is visited often hears little new, and what is worth a visit
depends on the margin.  The slope's interval is carried through; where it holds 0, nothing is shown
to be worth anything.

Source: Gupta & Lehmann (2005), "Managing Customers as Investments", chapter 2, for the multiple.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from keycustomer.customers.rendering import amount, made_up_note, report_html
from keycustomer.lifetime import margin_multiple
from keycustomer.relationships.service.carry_over import carry_factor
from keycustomer.relationships.service.contacts import ContactResponse
from keycustomer.relationships.service.record import ServiceRecord
from keycustomer.stats import Estimate

Array = npt.NDArray[Any]

REMEMBERED = 24
"""Months over which a contact is followed."""


@dataclass(frozen=True, eq=False)
class ContactWorth:
    """Worth of one more contact, customer by customer.

    Attributes
    ----------
    frame : DataFrame
        customer_id, stock (contacts remembered, in visits), margin (of the last year, currency),
        leaving (chance this month, 0..1), value (of the relationship, currency), avoided (chance
        to leave that one more contact takes away over the months it is remembered), worth, lower,
        upper (currency), cost, pays (worth above cost).
    kind : str
        Kind of the contact.
    cost : float
        Cost of one, currency.
    share : Estimate
        Share of customers for whom it pays; the interval from the slope's.
    excluded : int
        Customers without a known margin.
    """

    frame: pd.DataFrame = field(repr=False)
    kind: str
    cost: float
    share: Estimate
    excluded: int
    currency: str
    horizon: int
    discount_rate: float
    simulated: bool

    def to_frame(self) -> pd.DataFrame:
        """Give a copy of `frame`."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        worth = float(self.frame["worth"].median())
        sentences = [
            *made_up_note(self.simulated),
            f"One more {self.kind} costs {amount(self.cost, self.currency)}; for the middle "
            f"customer it is worth {worth:,.2f} {self.currency} of avoided leaving.",
            f"It pays for {self.share.as_percent()} of {len(self.frame):,} customers.",
            f"{self.excluded:,} customers without a known margin are left out.",
        ]
        best = self.frame.sort_values("worth", ascending=False)
        return report_html("Worth of one more contact", sentences, {"Worth most": best})


def contact_worth(
    record: ServiceRecord,
    response: ContactResponse,
    *,
    kind: str | None = None,
    cost: float | None = None,
    horizon: int = 36,
    discount_rate: float = 0.10,
) -> ContactWorth:
    """Tell what one more contact with each present customer is worth.

    Parameters
    ----------
    record : ServiceRecord
        The record that the response was estimated on.
    response : ContactResponse
        Of leaving (``contact_response(record, "left")``).
    kind : str, optional
        Kind of the contact; left out, the record's first contact kind.
    cost : float, optional
        Cost of one, currency; left out, the mean cost recorded.
    horizon : int
        Months over which a relationship is valued.
    discount_rate : float
        Effective rate per year, a share.

    Raises
    ------
    ValueError
        When the response is of another outcome, the kind is none of the contact kinds, no cost is
        recorded, or no margin of a present customer is known.
    """
    kind = record.contact_kinds[0] if kind is None else kind
    _refuse(record, response, kind)
    cost = _mean_cost(record, kind) if cost is None else float(cost)
    step = 1.0 if kind == record.contact_kinds[0] else response.form.call_worth
    last, margin = _present(record, response)
    known = np.isfinite(margin)
    if not known.any():
        raise ValueError("no customer with a known margin is there at the end of the window")
    frame = _worths(response, last[known], margin[known], step, horizon, discount_rate)
    place = response.places[last[known]]
    frame.insert(0, "customer_id", record.months.frame["customer_id"].to_numpy()[place])
    return ContactWorth(
        frame=frame.assign(cost=cost, pays=frame["worth"] > cost),
        kind=kind,
        cost=cost,
        share=_share(frame, cost),
        excluded=int((~known).sum()),
        currency=record.months.currency,
        horizon=horizon,
        discount_rate=discount_rate,
        simulated=record.months.simulated,
    )


def _worths(
    response: ContactResponse, last: Array, margin: Array, step: float, horizon: int, rate: float
) -> pd.DataFrame:
    """Worth of one more contact with each customer, at the slope and at the interval's ends."""
    score = _scores(response, last)
    leaving = expit(score)
    multiple = margin_multiple(1 - leaving, rate, horizon=horizon, unit="month")
    value = np.maximum(margin, 0.0) / 12 * multiple
    slopes = (response.slope.estimate, response.slope.upper, response.slope.lower)
    avoided = [_avoided(response, last, score, slope, step) for slope in slopes]
    told = {"stock": response.stock[last], "margin": margin, "leaving": leaving, "value": value}
    ends = zip(("worth", "lower", "upper"), avoided, strict=True)
    return pd.DataFrame(told | {"avoided": avoided[0]} | {name: one * value for name, one in ends})


def _share(frame: pd.DataFrame, cost: float) -> Estimate:
    """Share of the customers for whom a contact is worth more than it costs."""
    above = {name: float((frame[name] > cost).mean()) for name in ("worth", "lower", "upper")}
    unit, method = "share of customers", "ends of the slope's interval"
    if frame[["lower", "upper"]].isna().any(axis=None):
        why = "the slope has none"
        return Estimate.without_interval(above["worth"], unit, len(frame), why)
    return Estimate(above["worth"], above["lower"], above["upper"], unit, len(frame), method)


def _refuse(record: ServiceRecord, response: ContactResponse, kind: str) -> None:
    if response.outcome != "left":
        raise ValueError(
            f"the response is of {response.outcome!r}; the worth of a contact needs that of "
            "leaving: contact_response(record, 'left')"
        )
    if kind not in record.contact_kinds:
        raise ValueError(f"kind={kind!r} must be one of {record.contact_kinds!r}")
    if not record.months.frame["margin"].notna().any():
        raise ValueError("no margin is known, so leaving that is avoided cannot be valued")


def _mean_cost(record: ServiceRecord, kind: str) -> float:
    costs = record.contacts.loc[record.contacts["kind"] == kind, "cost"].astype(float)
    if not costs.notna().any():
        raise ValueError(f"no cost of a {kind} is recorded; give cost=")
    return float(costs.mean())


def _present(record: ServiceRecord, response: ContactResponse) -> tuple[Array, Array]:
    """Rows of the response that are the last months of who is there at the end, their margins."""
    frame = record.months.frame
    there = frame["customer_id"].isin(record.months.present).to_numpy()
    final = there & (record.number == record.number.max())
    last = np.flatnonzero(final[response.places])
    return last, frame["last_year_margin"].to_numpy(dtype=float)[response.places[last]]


def _scores(response: ContactResponse, rows: Array) -> Array:
    coefficients = response.model.coefficients
    return np.asarray(coefficients[0] + response.design[rows] @ coefficients[1:])


def _avoided(
    response: ContactResponse, rows: Array, score: Array, slope: float, step: float
) -> Array:
    """Chance to leave that one more contact takes away, summed over the months after it."""
    stock, factor = response.stock[rows], carry_factor(response.form.half_life)
    now = response.form.of(stock)
    base = expit(score)
    total = np.zeros(len(rows))
    for month in range(REMEMBERED):
        more = response.form.of(stock + step * factor**month) - now
        total += base - expit(score + slope * more)
    return total
