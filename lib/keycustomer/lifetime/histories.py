"""Purchase histories, equal ones counted once.

What does a lifetime model see of a customer?  How often it came back (frequency x), its age at
the last purchase (recency t_x) and its age now (T); nothing else.  So customers with the same
three numbers are one row with a weight, and a fit costs what the different histories cost,
however many customers there are.  :func:`read_histories` reads them from a customer table,
:func:`count_histories` counts them in the engine without ever holding the customers.

Times are recorded in whole days, the purchases of one day being one; the models count in the
unit asked for.  Merging by calendar week instead would change the fit.

Source: Fader, Hardie & Lee (2005), Marketing Science 24, for the three numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase, customer_histories
from keycustomer.customers.table import Day
from keycustomer.lifetime.arguments import need_columns
from keycustomer.lifetime.units import days_in
from keycustomer.stats.bootstrap import IntArray
from keycustomer.stats.samples import FloatArray

LARGEST_KEY = 2**62
"""Products of the numbers' ranges up to this fit into one sortable integer."""

SHOWN = 3
"""Offending rows named in a message."""


@dataclass(frozen=True, eq=False)
class Histories:
    """Weighted different purchase histories.

    Attributes
    ----------
    frequency : ndarray, shape (rows,)
        Repeat purchases x.
    recency, T : ndarray, shape (rows,)
        Age at the last purchase and now, in `unit`.
    weights : ndarray, shape (rows,)
        Customers with each history.
    unit : str
        Unit of time.
    row_of_customer : ndarray of int, shape (customers in the table,), optional
        The row of every customer of the table read, -1 for one that never bought; None where the
        customers were not kept apart.
    never_bought : int
        Customers without any purchase, who have no history and are set apart.
    """

    frequency: FloatArray
    recency: FloatArray
    T: FloatArray
    weights: FloatArray
    unit: str
    row_of_customer: IntArray | None = field(default=None, repr=False)
    never_bought: int = 0

    @property
    def rows(self) -> int:
        """Number of different histories."""
        return self.frequency.size

    @cached_property
    def customers(self) -> float:
        """Number of customers, the sum of the weights."""
        return float(self.weights.sum())

    @cached_property
    def frequencies(self) -> FloatArray:
        """The different frequencies, rising."""
        return self._frequencies[0]

    @cached_property
    def frequency_index(self) -> IntArray:
        """Place of every row's frequency among the different ones, shape (rows,)."""
        return self._frequencies[1]

    @cached_property
    def _frequencies(self) -> tuple[FloatArray, IntArray]:
        found, index = np.unique(self.frequency, return_inverse=True)
        return found, index.astype(np.int64, copy=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of a fit must know: who was set apart."""
        if not self.never_bought:
            return ()
        return (f"{self.never_bought:,} customers never bought and are set apart.",)

    def by_frequency(self, amounts: FloatArray) -> FloatArray:
        """Sum amounts (rows,) over the rows of each different frequency."""
        sums = np.bincount(self.frequency_index, amounts, self.frequencies.size)
        return sums.astype(np.float64, copy=False)

    def mean(self, amounts: FloatArray) -> float:
        """Mean of amounts (rows,) over customers."""
        return float(self.weights @ amounts) / self.customers

    def reweighted(self, weights: FloatArray) -> Histories:
        """Return the histories with other numbers of customers; histories of none are left out."""
        kept = np.flatnonzero(weights > 0)
        return Histories(
            self.frequency[kept], self.recency[kept], self.T[kept], weights[kept], self.unit
        )

    def in_unit(self, unit: str) -> Histories:
        """Return the histories in another unit of time."""
        ratio = days_in(self.unit) / days_in(unit)
        return replace(self, recency=self.recency * ratio, T=self.T * ratio, unit=unit)

    def per_customer(self, values: FloatArray) -> FloatArray:
        """Spread values of the rows over the customers of the table read.

        Returns
        -------
        ndarray, shape (customers in the table,)
            NaN for customers who never bought; `values` itself where customers were not kept.
        """
        if self.row_of_customer is None:
            return values
        return np.append(values, np.nan)[self.row_of_customer]


def read_histories(
    customers: pd.DataFrame | Histories,
    *,
    unit: str | None = None,
    recorded_in: str = "day",
    frequency: str = "frequency",
    recency: str = "recency",
    T: str = "T",
    keep_customers: bool = False,
) -> Histories:
    """Read the purchase histories of a customer table.

    Parameters
    ----------
    customers : DataFrame or Histories
        One row a customer with frequency, recency and T, such as
        :func:`keycustomer.customers.customer_table` gives.  Customers whose T is NaN never bought:
        they are set apart and counted.  Histories are returned in `unit`.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        Unit of time to count in; left out, weeks for a table, and histories stay as they are.
    recorded_in : str
        Unit of the table's recency and T; the customer table's are days.
    frequency, recency, T : str
        Columns of the table.
    keep_customers : bool
        Whether to remember each customer's row, which costs memory.

    Returns
    -------
    Histories
        Different histories in rising order, times in `unit`.

    Raises
    ------
    ValueError
        With every complaint about the table: columns missing, numbers that are negative, not
        finite or not whole, recency beyond T, repeat purchases without recency or the reverse, or
        without T; or histories that no table could have given.
    """
    if isinstance(customers, Histories):
        _check_rows(customers)
        return customers if unit is None or unit == customers.unit else customers.in_unit(unit)
    unit = "week" if unit is None else unit
    days_in(unit)
    numbers = _columns(customers, (frequency, recency, T))
    bought = ~np.isnan(numbers[2])
    if not bought.all():
        _complain_of_unknown_age(customers.index, numbers, bought, (frequency, recency, T))
        numbers = [column[bought] for column in numbers]
    _complain(customers.index[bought], numbers, (frequency, recency, T))
    packed = _pack(numbers, keep_customers)
    ratio = days_in(recorded_in, "recorded_in") / days_in(unit)
    x, t_x, age, weights, index = packed
    row = None
    if index is not None:
        row = np.full(bought.size, -1)
        row[bought] = index
    apart = int(bought.size - bought.sum())
    return Histories(x, t_x * ratio, age * ratio, weights, unit, row, apart)


def count_histories(
    base: CustomerBase, *, start: Day = None, end: Day = None, unit: str = "week"
) -> Histories:
    """Count the purchase histories of a prepared base in its engine.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    start, end : date or ISO string, optional
        First and last day to count, inclusive; left out, all that was observed.
    unit : {"day", "week", "month", "quarter", "year"}
        Unit of time to count in.

    Returns
    -------
    Histories
        As :func:`read_histories` gives of the base's customer table, customers not kept apart.

    Raises
    ------
    ValueError
        When the base has no transactions, or nobody bought between the days.
    """
    counted = customer_histories(base, start=start, end=end)
    if counted.empty:
        raise ValueError(
            f"{base.title}: nobody bought between {start or base.start} and {end or base.end}"
        )
    columns = (counted[name].to_numpy(float) for name in ("frequency", "recency", "T", "customers"))
    x, t_x, age, weights = columns
    ratio = 1 / days_in(unit)
    return Histories(x, t_x * ratio, age * ratio, weights, unit)


def _columns(customers: pd.DataFrame, names: tuple[str, ...]) -> list[FloatArray]:
    if not isinstance(customers, pd.DataFrame):
        raise TypeError(
            "customers: a customer table (DataFrame) or Histories is needed, got "
            f"{type(customers).__name__}"
        )
    need_columns(customers, names, "customers")
    return number_columns(customers, names)


def number_columns(customers: pd.DataFrame, names: tuple[str, ...]) -> list[FloatArray]:
    """Columns of a customer table as numbers, NaN where they are missing.

    Raises
    ------
    ValueError
        When a column stands in the table twice, or holds no real numbers.
    """
    twice = [name for name in names if isinstance(customers[name], pd.DataFrame)]
    if twice:
        raise ValueError(
            f"customers: column {', '.join(map(repr, twice))} stands in the table more than once; "
            "keep one of them"
        )
    kinds = pd.api.types
    texts = [name for name in names if not kinds.is_any_real_numeric_dtype(customers[name])]
    if texts:
        held = ", ".join(str(customers[name].dtype) for name in texts)
        raise ValueError(
            f"customers: column {', '.join(map(repr, texts))} holds no numbers; convert it first, "
            f"for example with pandas.to_numeric (held: {held})"
        )
    return [customers[name].to_numpy(np.float64, na_value=np.nan) for name in names]


def _check_rows(histories: Histories) -> None:
    """Refuse histories that no table could have given."""
    days_in(histories.unit)
    names = ("frequency", "recency", "T", "weights")
    arrays = [getattr(histories, name) for name in names]
    size = histories.frequency.size if isinstance(histories.frequency, np.ndarray) else -1
    if not all(isinstance(one, np.ndarray) and one.shape == (size,) for one in arrays):
        found = ", ".join(f"{type(one).__name__} of shape {np.shape(one)}" for one in arrays)
        raise ValueError(
            f"Histories: {', '.join(names)} are needed as arrays of one length, got {found}; "
            "read_histories makes them of a table"
        )
    weights = arrays[3]
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise ValueError(
            "Histories: weights are numbers of customers, finite and at least 0, some above 0"
        )
    _complain(pd.RangeIndex(histories.rows), arrays[:3], names[:3])


def _complain_of_unknown_age(
    index: pd.Index, numbers: list[FloatArray], bought: np.ndarray, names: tuple[str, ...]
) -> None:
    """Refuse customers without age who bought all the same."""
    x, t_x, _ = numbers
    told = _complaint(
        f"{names[2]!r} is not known although {names[0]!r} or {names[1]!r} is above 0",
        ~bought & ((x > 0) | (t_x > 0)),
        index,
        numbers,
        names,
    )
    if told:
        raise ValueError(told)


def _complain(index: pd.Index, numbers: list[FloatArray], names: tuple[str, ...]) -> None:
    """Raise one error with every complaint about the numbers."""
    (x, t_x, age), (frequency, recency, T) = numbers, names
    if not x.size:
        raise ValueError(f"customers: nobody has a purchase ({T!r} is known for no row)")
    # looked for one after the other, so that of many customers one mask is held at a time
    wrong: list[tuple[str, Callable[[], Any]]] = [
        (f"{frequency!r} is not a finite number", lambda: ~np.isfinite(x)),
        (f"{recency!r} is not a finite number", lambda: ~np.isfinite(t_x)),
        (f"{T!r} is not a finite number", lambda: ~np.isfinite(age)),
        (
            f"{frequency!r} is not a whole number of at least 0",
            lambda: (x < 0) | (np.floor(x) != x) & np.isfinite(x),
        ),
        (f"{recency!r} is negative", lambda: t_x < 0),
        (f"{recency!r} exceeds {T!r}", lambda: t_x > age),
        (f"{recency!r} is 0 although {frequency!r} is not", lambda: (x > 0) & (t_x == 0)),
        (f"{frequency!r} is 0 although {recency!r} is not", lambda: (x == 0) & (t_x > 0)),
    ]
    complaints = [_complaint(what, rows(), index, numbers, names) for what, rows in wrong]
    if any(complaints):
        raise ValueError("\n".join(filter(None, complaints)))


def _complaint(
    what: str, rows: Any, index: pd.Index, numbers: list[FloatArray], names: tuple[str, ...]
) -> str:
    places = np.flatnonzero(rows)
    if not places.size:
        return ""
    shown = "; ".join(
        f"row {index[n]!r}: "
        + ", ".join(f"{name}={column[n]:g}" for name, column in zip(names, numbers, strict=True))
        for n in places[:SHOWN]
    )
    return f"customers: {what} in {places.size:,} rows ({shown}); correct or drop them"


Packed: TypeAlias = tuple[FloatArray, FloatArray, FloatArray, FloatArray, IntArray | None]


def _pack(numbers: list[FloatArray], keep: bool) -> Packed:
    """Different triples in rising order, their counts, and each customer's place where kept."""
    whole = all(np.array_equal(column, np.floor(column)) for column in numbers[1:])
    ranges = [int(column.max()) + 1 for column in numbers]
    if whole and ranges[0] * ranges[1] * ranges[2] < LARGEST_KEY:
        keys, weights, index = _count_keys(_key(numbers, ranges), keep)
        rest, age = np.divmod(keys, ranges[2])
        x, t_x = np.divmod(rest, ranges[1])
        return x.astype(float), t_x.astype(float), age.astype(float), weights, index
    levels, places = zip(
        *(np.unique(column, return_inverse=True) for column in numbers), strict=True
    )
    sizes = [level.size for level in levels]
    keys, weights, index = _count_keys(_key(list(places), sizes), keep)
    rest, age = np.divmod(keys, sizes[2])
    x, t_x = np.divmod(rest, sizes[1])
    return levels[0][x], levels[1][t_x], levels[2][age], weights, index


def _key(numbers: list[Any], ranges: list[int]) -> IntArray:
    key = numbers[0].astype(np.int64)
    for column, size in zip(numbers[1:], ranges[1:], strict=True):
        key *= size
        key += column.astype(np.int64)
    return key


def _count_keys(key: IntArray, keep: bool) -> tuple[IntArray, FloatArray, IntArray | None]:
    if keep:
        keys, index, counts = np.unique(key, return_inverse=True, return_counts=True)
        return keys, counts.astype(float), index
    key.sort()
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    return key[starts], np.diff(starts, append=key.size).astype(float), None
