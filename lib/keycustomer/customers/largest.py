"""Last year's largest customers, and whether they still order.

Question: of the customers that were largest in the former year (or half of a shorter window), who
is active, who is gone, and how much of the fall is only the luck by which the largest are chosen?
Name: :func:`last_largest`.

A customer counts among the largest by what it is worth and by a good spell. In the next period the
spell is over: the largest fall on average even when no relation has changed. The same happens
backwards, where nobody can have been lost: the size of the backward fall tells what to expect.

Sources: the course's R2; Galton (1886) for regression to the mean; Sharp, Romaniuk & Graham (2019)
for heavy buyers a year later.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import pandas as pd

from keycustomer.customers.answers import Answer, ranked, whole_customers
from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import amount, counted, percent, share_of
from keycustomer.customers.statements import statement


@dataclass(frozen=True)
class Halves:
    """Two periods of equal length that end with the observation.

    Attributes
    ----------
    start, turn, end : datetime.date
        First day of the former period, first day of the latter, last day of the latter.
    unit : str
        What a period is called: `year` or the number of days.
    """

    start: dt.date
    turn: dt.date
    end: dt.date
    unit: str


def halves(base: CustomerBase) -> Halves:
    """Two last years of a base, or the halves of what it observes.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    """
    days = 365 if base.days >= 730 else base.days // 2
    turn = base.end - dt.timedelta(days=days - 1)
    unit = "year" if days == 365 else f"{days} days"
    return Halves(turn - dt.timedelta(days=days), turn, base.end, unit)


def last_largest(base: CustomerBase, *, large: float = 0.2) -> Answer:
    """Find whether the largest customers of the former period still order.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with transactions.
    large : float
        Share of the former period's buyers that count as the largest, 0..1.

    Returns
    -------
    Answer
        `customers` has customer_id, former, latter, change (currency), still_orders, last_order,
        rank_former, rank_latter, still_large; the largest of the former period first. `value` is
        their revenue in the latter period.
    """
    spans = halves(base)
    both = base.query(
        statement("differentiation_periods"), start=spans.start, turn=spans.turn, end=spans.end
    )
    both["last_order"] = pd.to_datetime(both["last_order"])
    both = _with_ranks(both)
    cut = {
        side: whole_customers(large, int(both[f"buys_{side}"].sum()))
        for side in ("former", "latter")
    }
    both["still_large"] = both["still_orders"] & (both["rank_latter"] <= cut["latter"])
    largest = both[both["ordered_before"] & (both["rank_former"] <= cut["former"])]
    latter, total = float(largest["latter"].sum()), float(both["latter"].sum())
    return Answer(
        name="last_largest",
        question=f"Do the largest of the former {spans.unit} still order?",
        n=len(largest),
        share_customers=share_of(len(largest), int(both["ordered_before"].sum())),
        value=latter,
        share_value=share_of(latter, total),
        sentence=_say(largest, both, spans, base.currency),
        customers=_listed(largest),
    )


def _with_ranks(both: pd.DataFrame) -> pd.DataFrame:
    both = both.assign(buys_former=both["ordered_before"], buys_latter=both["still_orders"])
    for side in ("former", "latter"):
        order = both.sort_values(
            [f"buys_{side}", side, "customer_id"], ascending=[False, False, True]
        ).index
        both[f"rank_{side}"] = pd.Series(range(1, len(both) + 1), index=order)
    return both


def _listed(largest: pd.DataFrame) -> pd.DataFrame:
    listed = ranked(largest, "former").assign(change=lambda f: f["latter"] - f["former"])
    names = ["customer_id", "former", "latter", "change", "still_orders", "last_order"]
    return listed[[*names, "rank_former", "rank_latter", "still_large"]]


def _say(largest: pd.DataFrame, both: pd.DataFrame, spans: Halves, currency: str) -> str:
    if not len(largest):
        return f"Nobody ordered in the {spans.unit} from {spans.start}."
    left = largest[~largest["still_orders"]]
    stayed = len(largest) - len(left)
    return (
        f"Of the {counted(len(largest), 'largest customer')} of {spans.start} to "
        f"{spans.turn - dt.timedelta(days=1)}, {stayed:,} "
        f"({percent(share_of(stayed, len(largest)))}) ordered again from {spans.turn} to "
        f"{spans.end}, and {int(largest['still_large'].sum()):,} are still among the largest. "
        f"Their revenue went from {amount(float(largest['former'].sum()), currency)} to "
        f"{amount(float(largest['latter'].sum()), currency)} "
        f"({_change(largest, 'former', 'latter')}), while that of all customers changed by "
        f"{_change(both, 'former', 'latter')}; {counted(len(left), 'customer')} who left had "
        f"brought {amount(float(left['former'].sum()), currency)}. {_say_regression(largest, both)}"
    )


def _say_regression(largest: pd.DataFrame, both: pd.DataFrame) -> str:
    """Compare the fall of those who stayed with the same fall seen backwards."""
    stayed = largest[largest["still_orders"]]
    mirrored = both[both["still_large"] & both["ordered_before"]]
    return (
        "Part of a fall is luck, since the largest were picked for a good spell: those who stayed "
        f"changed by {_change(stayed, 'former', 'latter')}, but picked the other way round, by the "
        f"latter period, the largest had {_change(mirrored, 'latter', 'former')} in the "
        "former one, before anybody could lose them."
    )


def _change(customers: pd.DataFrame, before: str, after: str) -> str:
    ratio = share_of(float(customers[after].sum()), float(customers[before].sum()))
    return "not known" if math.isnan(ratio) else f"{100 * (ratio - 1):+.1f} %"
