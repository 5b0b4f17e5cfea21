"""Window length: the top share depends on how long one looks.

How much of the 80/20 rule is the length of the window?  In a short window luck spreads buyers
apart, and most customers do not buy at all; in a long one luck averages out, and heavy buyers
have time to stand out.  :func:`pareto_by_window` gives the share of the top customers in windows
that grow from the same first day, :func:`pareto_by_period` in every period on its own; both for
the buyers of the window and for all customers of the table, which are different populations and
give very different shares.

Source: Schmittlein, Cooper & Morrison, "Truth in concentration in the land of (80/20) laws",
Marketing Science 12 (1993).
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from keycustomer.pareto.calendar import Calendar, read_calendar
from keycustomer.pareto.ladder import Ladder
from keycustomer.pareto.panel import TICKS, Span, choose_span, describe_periods, read_panel, totals
from keycustomer.pareto.resampled import Resampled
from keycustomer.stats import Estimate, share_of
from keycustomer.stats.bootstrap import Progress, Seed

MOST_WINDOWS = 12
"""Windows measured when the reader names none."""


class _Resampling(NamedTuple):
    """How intervals are made."""

    draws: int
    seed: Seed
    level: float
    progress: Progress | None


@dataclass(frozen=True)
class WindowShares:
    """Share of value from the top customers in several windows.

    Attributes
    ----------
    top : float
        Share of customers called top (0..1).
    value : str
        What is measured.
    growing : bool
        Whether the windows all begin on the same day, or follow one another.
    frame : DataFrame
        One row a window and population: ``start``, ``end`` (first day of the window's first and
        last period), ``days`` (length), ``population`` ("buyers": value above zero in the window;
        "all": everybody in the table), ``customers``, ``share``, ``lower``, ``upper``.
    level : float
        Confidence level.
    """

    top: float
    value: str
    growing: bool
    frame: pd.DataFrame = field(repr=False)
    level: float = 0.95

    def of(self, population: str) -> pd.DataFrame:
        """Rows of one population ("buyers" or "all")."""
        return self.frame[self.frame["population"] == population].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a window and population."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        note = html.escape(f"Share of {self.value} from the top {self.top:.0%} of customers.")
        table = self.frame.to_html(index=False, escape=True, float_format="{:.3f}".format)
        return f"<p>{note}</p>{table}"


def pareto_by_window(
    periods: pd.DataFrame,
    *,
    start: dt.date | str | None = None,
    ends: Sequence[dt.date | str] | None = None,
    top: float = 0.2,
    value: str = "revenue",
    on_file: int | None = None,
    every: str | None = None,
    draws: int = 300,
    seed: Seed = 0,
    level: float = 0.95,
    customer_id: str = "customer_id",
    period: str = "period",
    repeated: bool = False,
    progress: Progress | None = None,
) -> WindowShares:
    """Share of value from the top customers in windows that grow from the first day.

    Parameters
    ----------
    periods : DataFrame
        One row a customer and period in which it bought (``customers.customer_periods``), or with
        ``repeated=True`` one row an order.
    start : date-like, optional
        First day of every window; left out, the table's.  A start after the time in which most
        customers were won shows the length of the window apart from the growth of the base.
    ends : sequence of date-like, optional
        First day of every window's last period; left out, at most twelve evenly spaced ones.
    top : float
        Share of customers called top, 0..1.
    value : str
        Column measured.
    on_file : int, optional
        Number of all customers, when some on file never bought.
    every : str, optional
        Length of a period (``week``, ``month``, ``quarter``, ``year``, ``N days``); left out, it
        is taken from the distances between periods.
    draws, seed, level
        Bootstrap of customers.
    customer_id, period : str
        Columns of the table.
    repeated : bool
        Whether several rows of one customer and period are allowed, and added up.
    progress : callable, optional
        Called as ``progress(done, draws)`` when the draws of a window, or of all windows with
        equally many customers, take more than two seconds.

    Returns
    -------
    WindowShares
        Shares with intervals, for buyers and for all customers.

    Raises
    ------
    ValueError
        With every complaint about the table, or when nothing was sold in a window.
    """
    panel = _panel(periods, value, customer_id, period, repeated)
    days = _days_from(panel, start)
    if ends is None:
        places = np.unique(np.linspace(0, len(days) - 1, MOST_WINDOWS).round().astype(int))
        last = list(days[places])
    else:
        last = [pd.Timestamp(end) for end in ends]
    spans = [choose_span(panel, (days[0], end), "ends") for end in last]
    resampling = _Resampling(draws, seed, level, progress)
    return _shares(panel, spans, top, value, on_file, every, resampling, growing=True)


def pareto_by_period(
    periods: pd.DataFrame,
    *,
    top: float = 0.2,
    value: str = "revenue",
    on_file: int | None = None,
    every: str | None = None,
    draws: int = 300,
    seed: Seed = 0,
    level: float = 0.95,
    customer_id: str = "customer_id",
    period: str = "period",
    repeated: bool = False,
    progress: Progress | None = None,
) -> WindowShares:
    """Share of value from the top customers in every period on its own.

    Parameters and errors as in :func:`pareto_by_window`.
    """
    panel = _panel(periods, value, customer_id, period, repeated)
    spans = [choose_span(panel, day, "periods") for day in sorted(panel["period"].unique())]
    resampling = _Resampling(draws, seed, level, progress)
    return _shares(panel, spans, top, value, on_file, every, resampling, growing=False)


def _days_from(panel: pd.DataFrame, start: dt.date | str | None) -> pd.DatetimeIndex:
    days = pd.DatetimeIndex(np.sort(panel["period"].unique()))
    after = days if start is None else days[days >= pd.Timestamp(start)]
    if after.empty:
        raise ValueError(f"start={start!r}: nobody bought from then on; {describe_periods(panel)}")
    return after


def _panel(
    periods: pd.DataFrame, value: str, customer_id: str, period: str, repeated: bool
) -> pd.DataFrame:
    return read_panel(
        periods,
        amounts=(value,),
        customer_id=customer_id,
        period=period,
        orders=None,
        repeated=repeated,
    )


def _shares(
    panel: pd.DataFrame,
    spans: Sequence[Span],
    top: float,
    value: str,
    on_file: int | None,
    every: str | None,
    resampling: _Resampling,
    *,
    growing: bool,
) -> WindowShares:
    share_of(top, "top")
    everybody = _everybody(panel, on_file)
    calendar = read_calendar(pd.DatetimeIndex(panel["period"]), every)
    values: dict[str, list[np.ndarray]] = {"buyers": [], "all": []}
    for span in spans:
        sums = totals(panel, span)[value].to_numpy() / TICKS
        _refuse_nothing_sold(sums, span, panel)
        values["buyers"].append(sums[sums > 0])
        values["all"].append(np.pad(sums, (0, everybody - len(sums))))
    unit = f"share of {value}"
    shares = {name: _top_shares(windows, top, unit, resampling) for name, windows in values.items()}
    rows = [
        {"start": span.start, "end": span.end, "days": _days(span, calendar)}
        | {"population": population, "customers": estimates[n].n, "share": estimates[n].estimate}
        | {"lower": estimates[n].lower, "upper": estimates[n].upper}
        for n, span in enumerate(spans)
        for population, estimates in shares.items()
    ]
    return WindowShares(top, value, growing, pd.DataFrame(rows), resampling.level)


def _everybody(panel: pd.DataFrame, on_file: int | None) -> int:
    seen = int(panel["customer_id"].nunique())
    if on_file is not None and on_file < seen:
        raise ValueError(f"on_file={on_file}: the table itself holds {seen} customers")
    return seen if on_file is None else on_file


def _refuse_nothing_sold(sums: np.ndarray, span: Span, panel: pd.DataFrame) -> None:
    if not sums.sum() > 0:
        raise ValueError(
            f"the customers' values in the window {span} add up to {sums.sum():g}: a share of "
            f"nothing has no meaning; {describe_periods(panel)}"
        )


def _days(span: Span, calendar: Calendar) -> int:
    after = calendar.start(int(calendar.numbers(pd.DatetimeIndex([span.end]))[0]) + 1)
    return (after - span.start).days


def _top_shares(
    windows: Sequence[np.ndarray], top: float, unit: str, resampling: _Resampling
) -> list[Estimate]:
    """Share of the top in every window; windows of equally many customers share their draws."""
    ladders = [Ladder.of(values) for values in windows]
    measured: dict[int, list[Resampled]] = {}
    for size in dict.fromkeys(ladder.customers for ladder in ladders):
        alike = [ladder for ladder in ladders if ladder.customers == size]
        measured[size] = Resampled.of_each(alike, tops=[top], shares=[], **resampling._asdict())
    return [measured[ladder.customers].pop(0).top(top, unit) for ladder in ladders]
