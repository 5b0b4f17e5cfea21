"""Concentration over growing windows: what was seen beside what the model implies.

How much of "80/20" is the luck of a short window?  :func:`concentration_by_age` follows customers
from their first purchase and looks at their repeat purchases up to growing ages;
:func:`concentration_by_window` takes the calendar windows of chapter 1, which grow from the first
day observed and count first purchases too.  Both give, window by window, the share of the top
customers that was seen, the share that the fitted model implies, and the share that chance alone
would make of customers who are all alike; beside them stands the lasting share, that of the true
rates, which chance has no part in.

A window seen and a window implied hold the same customers for the same time: of the model, every
customer is given its own age.  First purchases are counted as certain, and spent on as the
repeat purchases are.

Source: Schmittlein, Cooper & Morrison, "Truth in concentration in the land of (80/20) laws",
Marketing Science 12 (1993).
"""

from __future__ import annotations

import datetime as dt
import html
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase
from keycustomer.customers.table import Day
from keycustomer.lifetime.arguments import day_of
from keycustomer.lifetime.concentration.counting import alike_probabilities, count_probabilities
from keycustomer.lifetime.concentration.implied import (
    Population,
    SpendLaw,
    lasting_share,
    top_share,
    with_first,
)
from keycustomer.lifetime.purchase_log import Columns, PurchaseLog, observed_days, read_log
from keycustomer.lifetime.ranking import Ranking
from keycustomer.lifetime.resampling import ModelDraws
from keycustomer.lifetime.spend.gammagamma import GammaGamma
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.lifetime.units import days_in
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, share_of
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

MOST_WINDOWS = 12
"""Windows looked at when the reader names none."""

OBSERVED = 0.75
"""Share of customers observed up to the longest age looked at when the reader names none."""

COLUMNS: Columns = ("customer_id", "date", "revenue")
"""Columns of a table of purchases (`keycustomer.customers.purchase_days`)."""


@dataclass(frozen=True, eq=False)
class WindowConcentration:
    """Share of the top customers in growing windows, seen and implied.

    Attributes
    ----------
    model : str
        Name of the model.
    value : str
        What is shared, for example `repeat purchases` or `revenue`.
    top : float
        Share of the customers called top, 0..1.
    by_age : bool
        Whether windows are ages since the first purchase, or calendar windows.
    frame : DataFrame
        One row a window and population: ``days`` (length), ``end`` (last day; NaT by age),
        ``population`` ("all", or "buyers" of the window), ``customers``, ``seen`` with ``lower``
        and ``upper``, ``implied`` with ``implied_lower`` and ``implied_upper`` (NaN without
        draws), ``luck_alone``: shares 0..1.  ``seen`` is NaN where nobody bought.
    lasting : Estimate
        Share of the top customers by true rate.
    level : float
        Confidence level of the intervals.
    """

    model: str
    value: str
    top: float
    by_age: bool
    frame: pd.DataFrame = field(repr=False)
    lasting: Estimate
    level: float = 0.95

    def of(self, population: Population) -> pd.DataFrame:
        """Rows of one population."""
        return self.frame[self.frame["population"] == population].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a window and population."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = html.escape(
            f"Share of {self.value} from the top {self.top:.0%} of customers, seen and implied by "
            f"the {self.model} model. By true rate their share is {self.lasting.as_percent()}."
        )
        table = self.frame.to_html(index=False, escape=True, float_format="{:.3f}".format)
        return f"<p>{note}</p>{table}"


class _Window(NamedTuple):
    """Customers of a window: what each brought, and how long the model follows whom."""

    days: int
    end: dt.date | None
    values: FloatArray
    ages: FloatArray
    sizes: FloatArray
    absent: int


class _Settings(NamedTuple):
    """How shares and their intervals are made."""

    top: float
    draws: int
    seed: Seed
    level: float
    unit: str
    progress: Progress | None


def concentration_by_age(
    model: TransactionModel,
    purchases: CustomerBase | pd.DataFrame,
    ages: Sequence[float] | None = None,
    *,
    spend: GammaGamma | None = None,
    top: float = 0.2,
    start: Day = None,
    end: Day = None,
    models: ModelDraws[Any] | None = None,
    draws: int = 200,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> WindowConcentration:
    """Set the share of the top customers, by age since the first purchase, beside the model's.

    Parameters
    ----------
    model : TransactionModel
        A fitted BG/NBD, MBG/NBD or Pareto/NBD model.
    purchases : CustomerBase or DataFrame
        A prepared base, or one row a purchase (`keycustomer.customers.purchase_days`).
    ages : sequence of float, optional
        Ages up to which to count repeat purchases, in the model's unit; left out, twelve up to
        the age that three quarters of the customers have reached.
    spend : GammaGamma, optional
        Model of spend: shares are then of revenue.
    top : float
        Share of the customers called top, 0..1.
    start, end : date or ISO string, optional
        First and last day to count, inclusive; left out, all that was observed.
    models : ModelDraws, optional
        Models fitted to customers drawn again (:func:`keycustomer.lifetime.bootstrap_models`),
        for the intervals of what is implied.
    draws, seed, level
        Bootstrap of customers for the intervals of what was seen.
    progress : callable, optional
        Called as ``progress(done, total)`` after every window and the models of every draw.

    Returns
    -------
    WindowConcentration
        In every window, the customers observed for at least its length.  Where observation began
        in the midst of the customers' lives, frequent buyers are seen first, and the longest
        windows hold them alone.

    Raises
    ------
    ValueError
        With every complaint about the table; when an age is one that nobody has reached, `top` is
        no share, the model's counts are not known or spend has no mean.
    """
    log, first_day, last_day = _read(purchases, start, end)
    lengths = _lengths(log, (last_day - first_day).days, ages, model.unit)
    windows = [
        _up_to_age(log, (last_day - first_day).days, days, model.unit, spend is not None)
        for days in lengths
    ]
    settings = _Settings(share_of(top, "top"), draws, seed, level, model.unit, progress)
    value = "repeat revenue" if spend is not None else "repeat purchases"
    return _compared(model, spend, windows, value, models, settings)


def concentration_by_window(
    model: TransactionModel,
    purchases: CustomerBase | pd.DataFrame,
    ends: Sequence[dt.date | str] | None = None,
    *,
    spend: GammaGamma | None = None,
    top: float = 0.2,
    start: Day = None,
    end: Day = None,
    models: ModelDraws[Any] | None = None,
    draws: int = 200,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> WindowConcentration:
    """Set the share of the top customers in calendar windows beside the model's.

    Parameters
    ----------
    model, purchases, spend, top, models, draws, seed, level, progress
        As in :func:`concentration_by_age`.
    ends : sequence of date or ISO string, optional
        Last day of every window; left out, twelve evenly spaced ones.
    start, end : date or ISO string, optional
        First and last day to count, inclusive; left out, all that was observed.  Every window
        begins on the first.

    Returns
    -------
    WindowConcentration
        The population "buyers" of a window are the customers won by its end; "all" are the
        customers of the longest window, those won later included, as in
        `keycustomer.pareto.pareto_by_window`.

    Raises
    ------
    ValueError
        As :func:`concentration_by_age`; when a window ends before the first purchase.
    """
    log, first_day, last_day = _read(purchases, start, end)
    windows = [
        _up_to_day(log, first_day, day, model.unit, spend is not None)
        for day in _last_days(first_day, last_day, ends)
    ]
    settings = _Settings(share_of(top, "top"), draws, seed, level, model.unit, progress)
    value = "revenue" if spend is not None else "purchases"
    return _compared(model, spend, windows, value, models, settings)


def _read(
    purchases: CustomerBase | pd.DataFrame, start: Day, end: Day
) -> tuple[PurchaseLog, dt.date, dt.date]:
    if isinstance(purchases, CustomerBase):
        first, last = purchases.start, purchases.end
    else:
        first, last = observed_days(purchases, COLUMNS)
    first, last = day_of(start, "start") or first, day_of(end, "end") or last
    if not first < last:
        raise ValueError(f"start={str(first)!r}, end={str(last)!r}: the start must lie before")
    log = read_log(purchases, first, last, COLUMNS)
    if not log.who.size:
        raise ValueError(f"nobody bought between {first} and {last}")
    return log, first, last


def _lengths(log: PurchaseLog, last: int, ages: Sequence[float] | None, unit: str) -> list[int]:
    """Ages in whole days."""
    reached = last - _first_days(log)
    if ages is None:
        longest = max(float(np.quantile(reached, 1 - OBSERVED)), 1.0)
        steps = np.linspace(0, longest, MOST_WINDOWS + 1)[1:]
        return np.unique(np.maximum(steps.round(), 1)).astype(int).tolist()
    days = [round(age * days_in(unit)) for age in ages]
    wrong = [
        age for age, length in zip(ages, days, strict=True) if not 1 <= length <= reached.max()
    ]
    if wrong or not days:
        raise ValueError(
            f"ages={list(ages)!r}: ages from one day to the {reached.max() / days_in(unit):.6g} "
            f"{unit}s for which a customer was observed are needed"
        )
    return days


def _last_days(
    first: dt.date, last: dt.date, ends: Sequence[dt.date | str] | None
) -> list[dt.date]:
    """Last days of calendar windows."""
    if ends is None:
        length = (last - first).days + 1
        places = np.unique(np.linspace(0, length, MOST_WINDOWS + 1)[1:].round().astype(int))
        return [first + dt.timedelta(days=int(days) - 1) for days in places if days]
    days = [day for day in (day_of(one, "ends") for one in ends) if day is not None]
    wrong = [str(day) for day in days if not first <= day <= last]
    if wrong or not days:
        raise ValueError(
            f"ends={[str(day) for day in ends]!r}: days from {first} to {last} are needed, all "
            "that was observed"
        )
    return days


def _first_days(log: PurchaseLog) -> np.ndarray:
    """Day of every customer's first purchase; the log runs by customer and day."""
    return log.day[np.flatnonzero(np.r_[True, log.who[1:] != log.who[:-1]])]


def _up_to_age(log: PurchaseLog, last: int, days: int, unit: str, money: bool) -> _Window:
    first = _first_days(log)
    observed = last - first >= days
    age = log.day - first[log.who]
    counted = (age > 0) & (age <= days) & observed[log.who]
    values = _summed(log, counted, money)[observed]
    return _Window(days, None, values, np.array([days / days_in(unit)]), np.ones(1), 0)


def _up_to_day(
    log: PurchaseLog, first_day: dt.date, day: dt.date, unit: str, money: bool
) -> _Window:
    first = _first_days(log)
    last = (day - first_day).days
    won = first <= last
    if not won.any():
        raise ValueError(f"ends: nobody bought between {first_day} and {day}")
    ages, sizes = np.unique((last - first[won]) / days_in(unit), return_counts=True)
    values = _summed(log, log.day <= last, money)
    absent = int(won.size - won.sum())
    return _Window(last + 1, day, values, ages, sizes.astype(float), absent)


def _summed(log: PurchaseLog, counted: np.ndarray, money: bool) -> FloatArray:
    amounts = log.amount[counted] if money else None
    sums = np.bincount(log.who[counted], amounts, len(log.ids))
    return sums.astype(np.float64)


def _compared(
    model: TransactionModel,
    spend: GammaGamma | None,
    windows: Sequence[_Window],
    value: str,
    models: ModelDraws[Any] | None,
    settings: _Settings,
) -> WindowConcentration:
    others = _drawn(models, spend is not None)
    report = _counting(settings.progress, len(windows) + len(others))
    # luck first: it refuses spend without a mean, which only the models of a draw may have
    luck = _luck(model, spend, windows, settings.top)
    implied = _implied(model, spend, windows, settings.top)
    again = []
    for drawn in others:
        again.append(_implied(*drawn, windows, settings.top))
        report()
    lower, upper = _ends(np.array(again), implied.shape, settings.level)
    told = {"implied": implied, "implied_lower": lower, "implied_upper": upper, "luck_alone": luck}
    rows = []
    for place, window in enumerate(windows):
        for kind, population in enumerate(get_args(Population)):
            shares = {name: values[place, kind] for name, values in told.items()}
            rows.append(_window_row(window, population, settings) | shares)
        report()
    return WindowConcentration(
        model.model,
        value,
        settings.top,
        windows[0].end is None,
        pd.DataFrame(rows),
        _lasting(model, spend, others, settings),
        settings.level,
    )


def _window_row(window: _Window, population: Population, settings: _Settings) -> dict[str, Any]:
    """Say of a window and population what was seen."""
    seen = _seen(window.values, population, settings)
    return {
        "days": window.days,
        "end": pd.Timestamp(window.end) if window.end else pd.NaT,
        "population": population,
        "customers": seen.n,
        "seen": seen.estimate,
        "lower": seen.lower,
        "upper": seen.upper,
    }


def _drawn(
    models: ModelDraws[Any] | None, money: bool
) -> list[tuple[TransactionModel, GammaGamma | None]]:
    """Pair the models of each draw; refuse draws without models of spend where they are needed."""
    if models is None:
        return []
    if not money:
        return [(one, None) for one in models.transactions]
    if any(one is None for one in models.spend):
        raise ValueError(
            "models: some draws have no model of spend; give it to bootstrap_models, and draw from "
            "customers of whom more than a few came back"
        )
    return list(zip(models.transactions, models.spend, strict=True))


def _counting(progress: Progress | None, total: int) -> Callable[[], None]:
    """Report one more step done at every call."""
    steps: Iterator[int] = iter(range(1, total + 1))

    def report() -> None:
        if progress is not None:
            progress(next(steps), total)

    return report


def _implied(
    model: TransactionModel, spend: GammaGamma | None, windows: Sequence[_Window], top: float
) -> FloatArray:
    """Shares that a model implies, shape (windows, populations)."""
    if _endless(spend):
        return np.full((len(windows), len(get_args(Population))), math.nan)
    law = None if spend is None else SpendLaw.of(spend)
    chances = (count_probabilities(model, window.ages, window.sizes) for window in windows)
    return _of_populations(chances, windows, law, top)


def _endless(spend: GammaGamma | None) -> bool:
    """Whether spend has no mean, as a draw of few customers may find."""
    return spend is not None and spend.q <= 1


def _luck(
    model: TransactionModel, spend: GammaGamma | None, windows: Sequence[_Window], top: float
) -> FloatArray:
    law = None if spend is None else SpendLaw.alike(spend)
    chances = (alike_probabilities(model, window.ages, window.sizes) for window in windows)
    return _of_populations(chances, windows, law, top)


def _of_populations(
    chances: Iterable[FloatArray], windows: Sequence[_Window], law: SpendLaw | None, top: float
) -> FloatArray:
    return np.array(
        [
            [
                top_share(_of_everybody(own, window), law, top=top, population=population)
                for population in get_args(Population)
            ]
            for own, window in zip(chances, windows, strict=True)
        ]
    )


def _of_everybody(chances: FloatArray, window: _Window) -> FloatArray:
    """Count first purchases in a calendar window, and those who are won after it."""
    if window.end is None:
        return chances
    won = window.sizes.sum() / (window.sizes.sum() + window.absent)
    every = won * with_first(chances)
    every[0] = 1 - won
    return every


def _ends(again: FloatArray, shape: tuple[int, ...], level: float) -> tuple[FloatArray, FloatArray]:
    """Cut what was drawn off at both ends; NaN without any."""
    if not again.size:
        return np.full(shape, math.nan), np.full(shape, math.nan)
    lower, upper = np.quantile(again, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return lower, upper


def _lasting(
    model: TransactionModel,
    spend: GammaGamma | None,
    models: Sequence[tuple[TransactionModel, GammaGamma | None]],
    settings: _Settings,
) -> Estimate:
    share = lasting_share(model, top=settings.top, spend=spend)
    again = [
        math.nan if _endless(other) else lasting_share(one, top=settings.top, spend=other)
        for one, other in models
    ]
    customers = int(model.customers)
    if not again:
        return Estimate.without_interval(share, "share", customers, "no draws", settings.level)
    return bootstrap_estimate(share, again, unit="share", n=customers, level=settings.level)


def _seen(values: FloatArray, population: Population, settings: _Settings) -> Estimate:
    """Share of the top customers that was seen, with its interval."""
    chosen = values if population == "all" else values[values > 0]
    n = chosen.size
    if not chosen.sum() > 0:
        return Estimate.without_interval(math.nan, "share", n, "nobody bought", settings.level)
    falling, sizes = np.unique(-chosen, return_counts=True)
    value, top = -falling, np.array([settings.top])
    ranking = Ranking(value)

    def share(weights: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):
            return ranking.reached(weights, value, shares=top) / (weights @ value)[:, None]

    drawn = bootstrap(share, sizes, draws=settings.draws, seed=settings.seed)[:, 0]
    point = float(share(sizes[None, :].astype(float))[0, 0])
    return bootstrap_estimate(point, drawn, unit="share", n=n, level=settings.level)
