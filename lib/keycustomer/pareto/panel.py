"""Customers over time: reading and checking a frame of customers by period.

What did each customer buy in which period?  The modules that compare periods
(:mod:`~keycustomer.pareto.migration`, :mod:`~keycustomer.pareto.audit`,
:mod:`~keycustomer.pareto.cohorts`, :mod:`~keycustomer.pareto.windows`) take a tidy frame with one
row a customer and period, as ``customers.customer_periods`` gives it, and read it here once:
:func:`read_panel` checks it and reports every complaint together, :func:`choose_span` and
:func:`two_spans` find periods by name, :func:`totals` adds a customer's rows up.

Money is held as whole ten-thousandths of the currency unit (``TICKS``), so that sums do not depend
on the order of the rows, ranks never flip, and bridges add up to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.pareto.calendar import read_calendar

TICKS = 10_000
"""Parts of a currency unit in which sums are made."""

LARGEST_TOTAL = 9.0e14
"""Largest sum of absolute values that ten-thousandths hold exactly in 64 bits."""

PeriodChoice = Any
"""A period's first day, or a pair (first, last) of them, both included."""


@dataclass(frozen=True)
class Span:
    """One or several consecutive periods of a panel.

    Attributes
    ----------
    start, end : Timestamp
        First day of the first and of the last period, both included.
    length : str
        Length of a period where it is known: "month", "quarter" or "year".
    """

    start: pd.Timestamp
    end: pd.Timestamp
    length: str = ""

    def __str__(self) -> str:
        """Name the period as a reader would: 1997-01 to 1997-09, or 2017 Q3."""
        names = list(dict.fromkeys(period_name(day, self.length) for day in (self.start, self.end)))
        return " to ".join(names)


def period_name(day: pd.Timestamp, length: str = "") -> str:
    """Name a period by its first day: 1997-04, 2017 Q3, 2017, or the day itself."""
    if length == "quarter":
        return f"{day:%Y} Q{day.quarter}"
    return day.strftime({"month": "%Y-%m", "year": "%Y"}.get(length, "%Y-%m-%d"))


def _length(panel: pd.DataFrame) -> str:
    """Length of the periods of a panel as far as their names depend on it."""
    days = pd.DatetimeIndex(panel["period"])
    return str(read_calendar(days)) if days.nunique() > 1 else ""


def read_panel(
    frame: pd.DataFrame,
    *,
    amounts: Sequence[str] = ("revenue",),
    customer_id: str = "customer_id",
    period: str = "period",
    orders: str | None = "orders",
    repeated: bool = False,
    argument: str = "periods",
) -> pd.DataFrame:
    """Check a frame of customers by period and give its columns fixed names.

    Parameters
    ----------
    frame : DataFrame
        One row a customer and period in which it bought.
    amounts : sequence of str
        Columns of money (or other additive values) to keep.
    customer_id, period : str
        Columns of the customer and of the period's first day.
    orders : str or None
        Column of the number of orders; None when there is none: then whoever has a positive
        first amount counts as one order.
    repeated : bool
        Whether several rows of one customer and period are allowed, and added up.
    argument : str
        Name of the argument in messages.

    Returns
    -------
    DataFrame
        Columns ``customer_id``, ``period``, ``orders`` and the amounts as int64 in
        1/10,000 of the unit, sorted by customer and period.

    Raises
    ------
    TypeError
        When `frame` is not a DataFrame.
    ValueError
        With every complaint about the frame.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{argument}: a pandas DataFrame is needed, got {type(frame).__name__}")
    names = [customer_id, period, *([] if orders is None else [orders]), *amounts]
    complain(argument, missing_columns(frame, names))
    numbers = names[2:]
    complaints = [*_bad_keys(frame, customer_id, period), *bad_numbers(frame, numbers)]
    complain(argument, complaints)
    if not repeated:
        complain(argument, repeated_keys(frame, customer_id, period))
    return _canonical(frame, customer_id, period, orders, amounts)


def complain(argument: str, complaints: Sequence[str]) -> None:
    """Raise one ValueError that shows all complaints about an argument.

    Raises
    ------
    ValueError
        When there is any complaint.
    """
    if complaints:
        raise ValueError("\n".join(f"{argument}: {complaint}" for complaint in complaints))


def missing_columns(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Complaints about columns that a frame lacks, or about its having no rows."""
    found = [str(column) for column in frame.columns]
    missing = [name for name in dict.fromkeys(names) if name not in frame.columns]
    return [
        f"column {name!r} is missing; columns found: {', '.join(found) or 'none'}"
        + "".join(f"; did you mean {near!r}?" for near in get_close_matches(name, found, 1))
        for name in missing
    ] or (["the table has no rows"] if frame.empty else [])


def _bad_keys(frame: pd.DataFrame, customer_id: str, period: str) -> list[str]:
    complaints = [
        f"column {name!r} is empty in {_rows(frame[name].isna())}; drop or complete these rows"
        for name in (customer_id, period)
        if frame[name].isna().any()
    ]
    kind = pd.api.types.infer_dtype(frame[customer_id], skipna=True)
    if kind not in ("string", "integer", "categorical"):
        complaints.append(
            f"column {customer_id!r} holds {kind} values; customer ids are text "
            f"(frame[{customer_id!r}].astype(str))"
        )
    if not pd.api.types.is_datetime64_any_dtype(frame[period]):
        complaints.append(
            f"column {period!r} holds {frame[period].dtype} values such as "
            f"{frame[period].iloc[0]!r}; dates are needed (pandas.to_datetime)"
        )
    return complaints


def bad_numbers(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Complaints about columns that are not finite numbers."""
    complaints = []
    for name in dict.fromkeys(names):
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            complaints.append(f"column {name!r} holds {column.dtype} values; numbers are needed")
            continue
        values = column.to_numpy(float, na_value=np.nan)
        broken = ~np.isfinite(values)
        if broken.any():
            complaints.append(f"column {name!r} is not a finite number in {_rows(broken)}")
        elif np.abs(values).sum() > LARGEST_TOTAL:
            complaints.append(
                f"column {name!r} adds up to more than {LARGEST_TOTAL:.0e}; "
                "state it in thousands or millions"
            )
    return complaints


def repeated_keys(frame: pd.DataFrame, *keys: str) -> list[str]:
    """Complaint about rows that repeat a key."""
    repeated = frame.duplicated(list(keys), keep=False)
    if not repeated.any():
        return []
    names = ", ".join(map(repr, keys))
    return [
        f"{_rows(repeated)} repeat {names}; one row each is needed: "
        f"frame.groupby([{names}], as_index=False).sum(numeric_only=True)"
    ]


def _rows(mask: Any) -> str:
    positions = np.flatnonzero(np.asarray(mask))
    first = ", ".join(str(position) for position in positions[:5])
    return f"{len(positions)} rows (first: {first})" if len(positions) > 1 else f"row {first}"


def _canonical(
    frame: pd.DataFrame, customer_id: str, period: str, orders: str | None, amounts: Sequence[str]
) -> pd.DataFrame:
    data = {
        "customer_id": frame[customer_id].astype(object).to_numpy(),
        "period": pd.DatetimeIndex(frame[period]).tz_localize(None).normalize(),
    }
    money = {name: ticks(frame[name]) for name in amounts}
    counts = (
        (money[amounts[0]] > 0).astype(np.int64)
        if orders is None
        else ticks(frame[orders]) // TICKS
    )
    panel = pd.DataFrame(data | {"orders": counts} | money)
    return panel.sort_values(["customer_id", "period"], kind="stable", ignore_index=True)


def ticks(values: Any) -> np.ndarray:
    """Values in whole ten-thousandths (int64)."""
    return np.rint(np.asarray(values, dtype=float) * TICKS).astype(np.int64)


def choose_span(panel: pd.DataFrame, choice: PeriodChoice, argument: str) -> Span:
    """Find the periods of a panel that a reader named.

    Parameters
    ----------
    panel : DataFrame
        As :func:`read_panel` gives it.
    choice : date-like or (date-like, date-like)
        A period's first day, or the first days of the first and the last one.
    argument : str
        Name of the argument in messages.

    Raises
    ------
    ValueError
        When nobody bought in the period: it may be misspelt, or not be a first day.
    """
    pair = choice if isinstance(choice, tuple | list) else (choice, choice)
    if len(pair) != 2:
        raise ValueError(f"{argument}: a period or a pair (first, last) is needed, got {choice!r}")
    try:
        span = Span(pd.Timestamp(pair[0]), pd.Timestamp(pair[1]), _length(panel))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument}: {choice!r} is not a date or a pair of dates") from error
    if not _within(panel, span).any():
        raise ValueError(
            f"{argument}: nobody bought in the period {span}; {describe_periods(panel)}"
        )
    return span


def describe_periods(panel: pd.DataFrame) -> str:
    """Name the periods that a panel holds, for messages."""
    found = sorted(panel["period"].unique())
    shown = [f"{pd.Timestamp(day):%Y-%m-%d}" for day in found]
    if len(shown) > 6:
        shown = [*shown[:3], "...", *shown[-2:]]
    return f"the table has {len(found)} periods: {', '.join(shown)}"


def two_spans(panel: pd.DataFrame, first: PeriodChoice, second: PeriodChoice) -> tuple[Span, Span]:
    """Find two periods to compare; both left out mean the only two there are.

    Raises
    ------
    ValueError
        When a period is unknown or empty, when they overlap or are in the wrong order, or when
        they are left out and the panel does not hold exactly two.
    """
    if first is None and second is None:
        days = sorted(panel["period"].unique())
        if len(days) != 2:
            raise ValueError(
                "first, second: name the two periods to compare, for example "
                f"first='2017-01-01', second='2017-02-01'; {describe_periods(panel)}"
            )
        first, second = days
    spans = choose_span(panel, first, "first"), choose_span(panel, second, "second")
    if spans[0].end >= spans[1].start:
        raise ValueError(
            f"first, second: the first period ({spans[0]}) must end before the second "
            f"({spans[1]}) begins"
        )
    return spans


def _within(panel: pd.DataFrame, span: Span) -> pd.Series:
    return panel["period"].between(span.start, span.end)


def totals(panel: pd.DataFrame, span: Span | None = None) -> pd.DataFrame:
    """Orders and amounts of each customer in a span.

    Returns
    -------
    DataFrame
        Index ``customer_id`` (sorted); ``orders`` and the amounts (amounts in ticks).
    """
    rows = panel if span is None else panel[_within(panel, span)]
    return rows.drop(columns="period").groupby("customer_id", sort=True).sum()


def side_by_side(panel: pd.DataFrame, first: Span, second: Span) -> pd.DataFrame:
    """Orders and amounts of each customer in two spans, zero where it did not buy.

    Returns
    -------
    DataFrame
        Index ``customer_id`` (sorted); columns (0, name) for the first span and (1, name) for the
        second, with name ``orders`` or an amount in ticks.
    """
    spans = totals(panel, first), totals(panel, second)
    customers = spans[0].index.union(spans[1].index)
    # reindexing, not concatenating: a detour over float would round large sums
    both: dict[int, pd.DataFrame] = {
        n: part.reindex(customers, fill_value=0) for n, part in enumerate(spans)
    }
    return pd.concat(both, axis=1)


def known_before(panel: pd.DataFrame, day: pd.Timestamp) -> pd.Index:
    """Return the ids of the customers who ordered before a day, sorted."""
    earlier = panel.loc[(panel["period"] < day) & (panel["orders"] > 0), "customer_id"]
    return pd.Index(sorted(earlier.unique()), name="customer_id", dtype=object)


def side(both: pd.DataFrame, which: int) -> pd.DataFrame:
    """Return one of the two spans of :func:`side_by_side` (0 or 1)."""
    return both[[which]].droplevel(0, axis=1)


def ranked(values: pd.Series) -> pd.Index:
    """Order customers from the largest value down, equal values in the order of their ids."""
    return values.sort_index().sort_values(ascending=False, kind="stable").index
