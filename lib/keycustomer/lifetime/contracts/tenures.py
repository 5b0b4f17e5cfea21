"""Tenures under a contract: how many renewals each customer made, and who left at which.

Under a contract the firm sees who leaves.  A customer is won, pays for a first period, and at its
end renews or does not; at the second end again.  :class:`Tenures` holds how many customers left at
which renewal, and how many renewals those made who are still there.  :func:`contract_tenures`
takes them from the contracts of a base, :func:`read_tenures` from a table with one row a customer,
:func:`tenures_from_survivors` from the numbers still there of one cohort.

Two traps are kept out.  A contract that began lately has had no occasion to end, so a renewal
counts only when its day has passed, for those who have given notice too.  And where a system
records no contract that ended before it was introduced, the older ones in it are survivors only:
such contracts are refused until `since` leaves them out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers import CustomerBase
from keycustomer.customers.table import Day
from keycustomer.lifetime.arguments import day_of, need_columns
from keycustomer.lifetime.contracts.calendar_periods import add_periods, whole_periods
from keycustomer.lifetime.units import days_in
from keycustomer.stats.samples import FloatArray, finite_values

Renewals: TypeAlias = int | Sequence[int] | npt.NDArray[Any]
"""Whole numbers of renewals: one, or an array of them."""

SHOWN = 3
"""Offending rows named in a message."""


@dataclass(frozen=True, eq=False)
class Tenures:
    """Weighted different tenures.

    Attributes
    ----------
    periods : ndarray, shape (rows,)
        For those who left, at which renewal, 1, 2, ...; for the others, renewals made, 0, 1, ...
    ended : ndarray of bool, shape (rows,)
        Whether these customers left.
    weights : ndarray, shape (rows,)
        Customers with each tenure.
    unit : str
        Time between two renewals.
    """

    periods: FloatArray
    ended: np.ndarray
    weights: FloatArray
    unit: str

    @property
    def customers(self) -> float:
        """Number of customers, the sum of the weights."""
        return float(self.weights.sum())

    @property
    def longest(self) -> int:
        """Last renewal that any customer has faced."""
        return int(self.periods.max(initial=0))

    def reweighted(self, weights: FloatArray) -> Tenures:
        """Return the tenures with other numbers of customers; tenures of none are left out."""
        kept = weights > 0
        return Tenures(self.periods[kept], self.ended[kept], weights[kept], self.unit)

    def redrawn(self, seed: int | np.random.Generator) -> FloatArray:
        """Weights of as many customers drawn with replacement."""
        generator = np.random.default_rng(seed)
        drawn = generator.multinomial(round(self.customers), self.weights / self.customers)
        return drawn.astype(np.float64)


def tenures_from_survivors(survivors: Sequence[float], *, unit: str = "year") -> Tenures:
    """Tenures of one cohort from the numbers of customers still there.

    Parameters
    ----------
    survivors : sequence of float
        Customers at the start, after the first renewal, after the second, and so on.  Shares do,
        but then standard errors are those of one customer.
    unit : {"day", "week", "month", "quarter", "year"}
        Time between two renewals.

    Returns
    -------
    Tenures

    Raises
    ------
    ValueError
        When there are no two numbers, one is negative or not known, or one exceeds the one before.
    """
    days_in(unit)
    there = finite_values(survivors, "survivors")
    if there.size < 2 or there[0] <= 0:
        raise ValueError(
            "survivors: customers at the start (above 0) and after at least one renewal are "
            f"needed, got {there.tolist()}"
        )
    wrong = np.flatnonzero((np.diff(there) > 0) | (there[1:] < 0))
    if wrong.size:
        at = wrong[0] + 1
        raise ValueError(
            f"survivors: {there[at]:g} after renewal {at} does not lie between 0 and the "
            f"{there[at - 1]:g} before it; count customers who came back as new ones"
        )
    last = there.size - 1
    periods = np.append(np.arange(1.0, last + 1), last)
    weights = np.append(-np.diff(there), there[-1])
    ended = np.append(np.ones(last, bool), False)
    return Tenures(periods, ended, weights, unit).reweighted(weights)


def read_tenures(contracts: pd.DataFrame | Tenures, *, unit: str | None = None) -> Tenures:
    """Read the tenures of a table of contracts.

    Parameters
    ----------
    contracts : DataFrame or Tenures
        One row a contract with tenure (whole periods: the renewal at which it ended, from 1, or
        renewals made, from 0) and ended (bool), such as :func:`contract_tenures` gives.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        Time between two renewals; left out, the tenures', for a table a month.

    Returns
    -------
    Tenures

    Raises
    ------
    ValueError
        With every complaint about the table, or when the tenures count in another unit.
    """
    if unit is not None:
        days_in(unit)
    if isinstance(contracts, Tenures):
        if unit is not None and contracts.unit != unit:
            raise ValueError(
                f"contracts: these tenures count a {contracts.unit} as a period, the model a "
                f"{unit}; renewals cannot be converted"
            )
        return contracts
    need_columns(contracts, ("tenure", "ended"), "contracts")
    if contracts.empty:
        raise ValueError("contracts: there is no contract in the table")
    periods, ended = _checked(contracts)
    key, weights = np.unique(2 * periods + ended, return_counts=True)
    return Tenures(key // 2, key % 2 == 1, weights.astype(float), unit or "month")


def _checked(contracts: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Tenure and end as numbers, or one error with every complaint."""
    if not pd.api.types.is_bool_dtype(contracts["ended"]) or contracts["ended"].isna().any():
        raise ValueError("contracts: column 'ended' must be True or False in every row")
    periods = finite_values(contracts["tenure"], "contracts['tenure']")
    ended = contracts["ended"].to_numpy(dtype=float)
    wrong = {
        "'tenure' is not a whole number of at least 0": (periods < 0) | (periods % 1 != 0),
        "ended before a first renewal was due ('tenure' counts from 1 for those)": (
            (ended == 1) & (periods == 0)
        ),
    }
    said = [
        f"contracts: {what} in {rows.sum():,} rows (first: "
        f"{contracts.index[rows][:SHOWN].tolist()}); correct or drop them"
        for what, rows in wrong.items()
        if rows.any()
    ]
    if said:
        raise ValueError("\n".join(said))
    return periods, ended


def contract_tenures(
    base: CustomerBase, every: str = "month", *, since: Day = None, bridge: int = 0
) -> pd.DataFrame:
    """Take the tenures of a base's contracts.

    Parameters
    ----------
    base : CustomerBase
        A prepared base with a contracts table.
    every : {"day", "week", "month", "quarter", "year"}
        Time between two renewals.
    since : date or ISO string, optional
        Leave out customers whose contract began before this day: the first from which ended
        contracts were recorded.
    bridge : int
        Days without contract that still count as no interruption.  A customer's contracts that
        follow each other (another level, another price plan) are one relationship; one that comes
        back after a longer pause begins anew.

    Returns
    -------
    DataFrame
        One row a relationship, sorted by customer_id and start: customer_id, start, end (last day;
        NaT while it runs), running (on the last day observed), tenure (for a relationship that
        ended, the renewal at which it did; else renewals made), ended (whether that renewal's day
        has come), until_renewal (periods until the next renewal is due, above 0, at most 1; NaN
        unless running).  Contracts that begin after the last day observed are left out.

    Raises
    ------
    ValueError
        When the base has no contracts table, contracts end before they begin, an argument makes
        no sense, or older contracts look like survivors only.
    """
    days_in(every, "every")
    if bridge < 0:
        raise ValueError(f"bridge={bridge!r}: a number of days of at least 0 is needed")
    if not base.has("contracts"):
        raise ValueError(f"{base.title}: the base has no contracts table")
    contracts = base.query("select * from contracts")
    if "start" not in contracts.columns:
        raise ValueError(
            f"{base.title}: contracts.start is not known, so that no renewal can be dated; "
            "keycustomer.relationships.read_spells takes tenures as they are"
        )
    table = _relationships(_dated(contracts, base), bridge)
    table = _begun_since(table, base, day_of(since, "since"))
    if table.empty:
        raise ValueError(f"{base.title}: no contract began {f'since {since} ' if since else ''}yet")
    return _measured(table, every, pd.Timestamp(base.end) + pd.Timedelta(days=1))


def _dated(contracts: pd.DataFrame, base: CustomerBase) -> pd.DataFrame:
    """Give customer, start and end (NaT: still running) of contracts that have begun."""
    end = contracts["end"] if "end" in contracts.columns else pd.Series(pd.NaT, contracts.index)
    table = pd.DataFrame(
        {
            "customer_id": contracts["customer_id"],
            "start": pd.to_datetime(contracts["start"]).astype("datetime64[s]"),
            "end": pd.to_datetime(end).astype("datetime64[s]"),
        }
    )
    wrong = table[table["end"] < table["start"]]
    if len(wrong):
        raise ValueError(
            f"contracts: {len(wrong):,} contracts end before they begin (first: customers "
            f"{wrong['customer_id'].iloc[:SHOWN].tolist()}); mend them, or drop them by the case "
            "file's rule `contradiction: drop`"
        )
    observed = pd.Timestamp(base.end)
    table["end"] = table["end"].where(table["end"] <= observed)
    return table[table["start"] <= observed].sort_values(["customer_id", "start"])


def _relationships(table: pd.DataFrame, bridge: int) -> pd.DataFrame:
    """Join contracts of a customer that follow each other."""
    last = table["end"].fillna(pd.Timestamp.max.floor("s"))
    so_far = last.groupby(table["customer_id"]).cummax()
    before = so_far.groupby(table["customer_id"]).shift()
    gap = table["start"].to_numpy() - before.to_numpy()
    anew = before.isna() | (gap > np.timedelta64(bridge + 1, "D"))
    grouped = table.assign(last=last).groupby(anew.cumsum())
    joined = grouped.agg(customer_id=("customer_id", "first"), start=("start", "first"))
    end = grouped["last"].max()
    joined["end"] = end.where(end < pd.Timestamp.max.floor("s"))
    return joined.reset_index(drop=True)


def _begun_since(table: pd.DataFrame, base: CustomerBase, since: dt.date | None) -> pd.DataFrame:
    if since is not None:
        return table[table["start"] >= pd.Timestamp(since)].reset_index(drop=True)
    first = pd.Timestamp(base.start)
    older = table["start"] < first
    if older.any() and not (table["end"] < first).any():
        raise ValueError(
            f"contracts: {older.sum():,} began before {first.date()}, the first day observed, but "
            "none ended before it: these may be the survivors of others that were not recorded, "
            f"and would make customers look more loyal than they are. Give since='{first.date()}' "
            "to leave them out, or since='0001-01-01' where all that ended are there"
        )
    return table


def _measured(table: pd.DataFrame, every: str, today: pd.Timestamp) -> pd.DataFrame:
    """Add tenures; `today` is the day after the last one observed."""
    now = np.datetime64(today.date().isoformat(), "D")
    start = table["start"].to_numpy().astype("datetime64[D]")
    running = table["end"].isna().to_numpy()
    over = (table["end"] + pd.Timedelta(days=1)).fillna(today).to_numpy().astype("datetime64[D]")
    whole = whole_periods(start, over, every)
    exact = (add_periods(start, whole, every) == over) & (whole > 0)
    left_at = np.where(exact, whole, whole + 1)
    ended = ~running & (add_periods(start, left_at, every) <= now)
    last, following = (add_periods(start, whole + n, every) for n in (0, 1))
    ahead = (following - now).astype(float) / (following - last).astype(float)
    return table.assign(
        running=running,
        tenure=np.where(ended, left_at, whole),
        ended=ended,
        until_renewal=np.where(running, ahead, np.nan),
    )
