"""Signs of loyalty in what a customer does and says, each between 0 and 1.

How likely is a customer to stay loyal, as far as can be seen?  :func:`loyalty_signs` reads four
signs from behaviour, so that it works on any base of purchases, and one from a survey where there
is one:

- ``repeated``: share of its purchases that are repeats, 1 - 1 / purchases;
- ``active``: share of periods with a purchase, from its first one on;
- ``breadth``: categories bought, over `broad` (at most 1);
- ``rhythm``: its usual gap between purchases over the days since the last one (at most 1): 1 while
  it keeps its rhythm, one half when it is silent twice as long as usual;
- ``answers``: mean answer to the questions on loyalty, brought to 0..1.

Behaviour is the mean of its signs; with answers, loyalty is the mean of behaviour and answers
(Dick and Basu call behaviour without attitude spurious loyalty: a contract can make it).  Volume is
revenue in the window, scaled to a year.

A customer's usual gap is the mean of its gaps and of one typical gap of all (the median customer's
mean), so that one who came once or twice has one too.

Source: Dick & Basu, "Customer loyalty: toward an integrated conceptual framework" (Journal of the
Academy of Marketing Science 1994).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers import CustomerBase
from keycustomer.customers.rendering import counted, percent, report_html
from keycustomer.dimensions.measurement.survey import open_survey
from keycustomer.lifetime.arguments import Day
from keycustomer.relationships.rules.purchases import IntArray, Purchases, read_purchases
from keycustomer.stats.samples import FloatArray

BEHAVIOUR = ("repeated", "active", "breadth", "rhythm")
"""Signs in behaviour."""

BROAD_SHARE = 0.9
"""Quantile of the customers' numbers of categories that counts as broad, where none is given."""

DAYS_OF_A_YEAR = 365.25


@dataclass(frozen=True, eq=False)
class LoyaltySigns:
    """Volume and signs of loyalty of the customers who bought in a window.

    Attributes
    ----------
    frame : DataFrame
        One row a customer, by id: customer_id, volume (revenue a year), purchases (days),
        repeated, active, categories, breadth, rhythm, behaviour, answers, loyalty; NaN where a
        sign is not known.
    purchases : Purchases
        What behaviour was read from.
    answers : DataFrame or None
        customer_id, date, score (0..1) of every questionnaire in the window.
    broad : float or None
        Categories that were asked for; None: a quantile of the customers.
    currency : str
        Of the volume.
    notes : tuple of str
        What the reader should know of it.
    """

    frame: pd.DataFrame = field(repr=False)
    purchases: Purchases = field(repr=False)
    answers: pd.DataFrame | None = field(repr=False)
    broad: float | None
    currency: str
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a customer."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        own = self.frame.drop(columns="customer_id")
        means = own.agg(["mean", "median"]).T.rename_axis("sign").reset_index()
        known = own.notna().sum().to_numpy()
        said = [
            f"{counted(len(own), 'customer')} who bought from {self.purchases.start} to "
            f"{self.purchases.end}; volume in {self.currency or 'units'} a year",
            *self.notes,
        ]
        return report_html("Signs of loyalty", said, {"Signs": means.assign(customers=known)})


def loyalty_signs(
    base: CustomerBase,
    *,
    every: str = "month",
    start: Day = None,
    end: Day = None,
    broad: float | None = None,
    answers: str | None = "loyalty",
    low: float | None = None,
    high: float | None = None,
) -> LoyaltySigns:
    """Read volume and signs of loyalty of every customer who bought in a window.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with transactions.
    every : {"week", "month", "quarter", "year"}
        Kind of period in which a loyal customer buys.
    start, end : date or ISO string, optional
        First and last day, inclusive; default: all that was observed.
    broad : float, optional
        Categories from which a customer's breadth is 1; default: the 90 % quantile of customers.
    answers : str or None
        Construct of the survey on loyalty; None to go by behaviour alone.  Where the base has no
        such construct with customers and days, behaviour alone is used and a note says so.
    low, high : float, optional
        Ends of the survey's scale; default: the smallest and the largest answer.

    Raises
    ------
    ValueError
        When nobody bought in the window, or `every` or `broad` makes no sense.
    """
    if broad is not None and not 0 < broad < math.inf:
        raise ValueError(f"broad={broad!r}: a number of categories above 0 is needed")
    purchases = read_purchases(base, every=every, start=start, end=end)
    asked, notes = _asked(base, answers, purchases, low, high)
    frame = signs_of(purchases, np.arange(purchases.periods), broad=broad, answers=asked)
    if asked is not None:
        share = float(frame["answers"].notna().mean())
        notes.append(
            f"{percent(share)} of the customers answered on loyalty; the others are judged by "
            "behaviour alone"
        )
    if purchases.categories is None:
        notes.append("no products in the transactions: breadth is not known")
    return LoyaltySigns(frame, purchases, asked, broad, base.currency, tuple(notes))


def signs_of(
    purchases: Purchases,
    chosen: IntArray,
    *,
    broad: float | None = None,
    answers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Signs of the customers who bought in some periods, from these periods alone.

    Parameters
    ----------
    purchases : Purchases
        Purchases of a window.
    chosen : ndarray of int
        Numbers of the periods, rising.
    broad : float, optional
        Categories from which breadth is 1.
    answers : DataFrame, optional
        customer_id, date, score; each customer's last one within the chosen periods counts.

    Returns
    -------
    DataFrame
        As `LoyaltySigns.frame`.
    """
    own = purchases.within(chosen)
    length = purchases.length(chosen)
    grouped = own.groupby("customer")
    there = np.asarray(grouped.size().index)
    count = np.asarray(grouped.size(), dtype=np.float64)
    frame = pd.DataFrame(
        {
            "customer_id": purchases.ids[there],
            "volume": grouped["revenue"].sum().to_numpy() * DAYS_OF_A_YEAR / length,
            "purchases": count.astype(np.int64),
            "repeated": 1 - 1 / count,
            "active": grouped["period"].nunique().to_numpy() / purchases.exposed(chosen)[there],
        }
    )
    kinds = purchases.kinds_bought(chosen)
    frame["categories"] = np.nan if kinds is None else kinds[there]
    frame["breadth"] = _breadth(frame["categories"], broad)
    frame["rhythm"] = _rhythm(own, count, length)
    frame["behaviour"] = frame[list(BEHAVIOUR)].mean(axis=1)
    frame["answers"] = _last_answers(answers, purchases, chosen, frame["customer_id"])
    frame["loyalty"] = frame[["behaviour", "answers"]].mean(axis=1)
    return frame


def _breadth(categories: pd.Series, broad: float | None) -> pd.Series:
    most = categories.quantile(BROAD_SHARE) if broad is None else broad
    return (categories / max(most, 1.0)).clip(upper=1.0)


def _rhythm(own: pd.DataFrame, count: FloatArray, length: int) -> FloatArray:
    """Usual gap over the days of silence at the end, at most 1; days sorted by customer."""
    clock = own["clock"].to_numpy(float)
    last = clock[np.cumsum(count).astype(np.int64) - 1]
    first = clock[(np.cumsum(count) - count).astype(np.int64)]
    gaps = count - 1
    repeats = gaps > 0
    typical = float(np.median((last - first)[repeats] / gaps[repeats])) if repeats.any() else length
    usual = (last - first + typical) / (gaps + 1)
    silent = np.maximum(length - 1 - last, 0)
    return np.minimum(usual / np.maximum(silent, usual), 1.0)


def _last_answers(
    answers: pd.DataFrame | None,
    purchases: Purchases,
    chosen: IntArray,
    ids: pd.Series,
) -> npt.NDArray[np.float64]:
    if answers is None or not len(answers):
        return np.full(len(ids), np.nan)
    day = (answers["date"] - pd.Timestamp(purchases.start)).dt.days.to_numpy()
    period = np.searchsorted(purchases.ends, day, side="right")
    own = answers[np.isin(period, chosen)]
    last = own.sort_values("date", kind="stable").groupby("customer_id")["score"].last()
    return last.reindex(ids).to_numpy(dtype=float)


def _asked(
    base: CustomerBase,
    construct: str | None,
    purchases: Purchases,
    low: float | None,
    high: float | None,
) -> tuple[pd.DataFrame | None, list[str]]:
    """Answers on loyalty with their day, and why there are none."""
    if construct is None:
        return None, []
    known = base.has("survey", "customer_id") and base.has("survey", "date")
    if not known or not base.constructs.get(construct):
        return None, [f"no dated answers on {construct}: loyalty is judged by behaviour alone"]
    found = dated_scores(base, [construct], low=low, high=high)
    inside = found["date"].between(pd.Timestamp(purchases.start), pd.Timestamp(purchases.end))
    return found[inside].rename(columns={construct: "score"}), []


def dated_scores(
    base: CustomerBase,
    constructs: list[str],
    *,
    low: float | None = None,
    high: float | None = None,
    until: dt.date | None = None,
) -> pd.DataFrame:
    """Mean answer to some constructs of every questionnaire, brought to 0..1, with its day.

    Parameters
    ----------
    base : CustomerBase
        A prepared base whose survey has customer_id and date.
    constructs : list of str
        Constructs, whose items share a scale.
    low, high : float, optional
        Ends of the scale; default: the smallest and the largest answer.
    until : date, optional
        Last day; default: all.

    Returns
    -------
    DataFrame
        customer_id, date, a column a construct (0..1), by day.
    """
    survey = open_survey(base, low=low, high=high)
    read = survey.answers(constructs, every_wave=True)
    reach = read.high - read.low
    scores = {name: (read.of(name).mean(axis=1) - read.low) / reach for name in constructs}
    table = pd.DataFrame(scores).assign(
        customer_id=survey.table["customer_id"].astype(str),
        date=pd.to_datetime(survey.table["date"]),
    )
    table = table[["customer_id", "date", *constructs]].dropna(subset="date")
    if until is not None:
        table = table[table["date"] <= pd.Timestamp(until)]
    return table.sort_values("date", kind="stable", ignore_index=True)
