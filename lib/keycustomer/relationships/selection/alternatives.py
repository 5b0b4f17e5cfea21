"""The alternatives: what every level would be worth and would cost for every customer.

Which choice is there?  Two matrices with a row a customer and a column a level, `value` (currency,
before cost to serve) and `cost` (currency), over the same horizon, with the names of customers and
levels: :class:`Alternatives`.  :func:`read_alternatives` reads them from arrays, from tables or
from a result that carries both, and says which customers and levels hold what cannot be compared.

The first level is the zero level: the one every customer has when nothing is spent on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.samples import FloatArray

CodeArray: TypeAlias = npt.NDArray[np.integer[Any]]

ZERO = 0
"""Code of the zero level."""

SHOWN = 3
"""Customers named in a message."""

ROUNDING = 1e-12
"""Relative difference of two sums of the same costs that their order alone makes."""


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Value and cost of every level for every customer.

    Attributes
    ----------
    value : ndarray, shape (n, levels)
        Expected value over the horizon, currency.
    cost : ndarray, shape (n, levels)
        Expected cost over the same horizon, currency.
    customers : Index
        Who stands in which row.
    levels : tuple of str
        Names of the levels; the first one is the zero level.
    """

    value: FloatArray = field(repr=False)
    cost: FloatArray = field(repr=False)
    customers: pd.Index = field(repr=False)
    levels: tuple[str, ...]

    def __len__(self) -> int:
        """Count the customers."""
        return len(self.value)

    @property
    def zero_value(self) -> float:
        """Value when every customer has the zero level, currency."""
        return float(self.value[:, ZERO].sum())

    @property
    def zero_cost(self) -> float:
        """Cost when every customer has the zero level, currency."""
        return float(self.cost[:, ZERO].sum())

    def chosen(self, codes: CodeArray) -> tuple[FloatArray, FloatArray]:
        """Value and cost of each customer at its level, each of shape (n,)."""
        rows = np.arange(len(self))
        return self.value[rows, codes], self.cost[rows, codes]

    def totals(self, codes: CodeArray) -> tuple[float, float]:
        """Value and cost of a plan, currency."""
        value, cost = self.chosen(codes)
        return float(value.sum()), float(cost.sum())

    def code(self, level: str | int) -> int:
        """Code of a level given by its name or code.

        Raises
        ------
        ValueError
            When there is no such level.
        """
        if isinstance(level, str) and level in self.levels:
            return self.levels.index(level)
        whole = isinstance(level, (int, np.integer)) and not isinstance(level, bool)
        if whole and 0 <= int(level) < len(self.levels):
            return int(level)
        raise ValueError(
            f"level {level!r}: there is no such level; levels are "
            f"{', '.join(map(repr, self.levels))}, or their codes 0 to {len(self.levels) - 1}"
        )


def read_alternatives(
    value: Any,
    cost: Any = None,
    *,
    customers: Sequence[Any] | pd.Index | None = None,
    levels: Sequence[str] | None = None,
) -> Alternatives:
    """Read value and cost of every level for every customer.

    Parameters
    ----------
    value : Alternatives, array or DataFrame, shape (n, levels), or a result that has both
        Value; a DataFrame's index names the customers and its columns the levels.  A result with
        the attributes `value` and `cost` (and `customers`, `levels`, where it has them) is read
        when `cost` is left out.
    cost : array or DataFrame, shape (n, levels), optional
        Cost, customers and levels in the same order.
    customers : sequence, optional
        Names of the customers; left out, those of the table or result, or row numbers.
    levels : sequence of str, optional
        Names of the levels; left out, those of the table or result, Kotler's five where there are
        five columns, else numbers.

    Raises
    ------
    TypeError
        When there is no cost, or entries are not numbers.
    ValueError
        When shapes or names do not fit, a customer comes twice, or entries are unknown or
        infinite; the message names the first customers and levels.
    """
    if isinstance(value, Alternatives) and cost is None:
        return value
    if cost is None:
        if not (hasattr(value, "value") and hasattr(value, "cost")):
            raise TypeError(
                f"cost is missing: give value and cost, each a row a customer and a column a "
                f"level, or a result that has both (got {type(value).__name__})"
            )
        customers = getattr(value, "customers", None) if customers is None else customers
        levels = getattr(value, "levels", None) if levels is None else levels
        value, cost = value.value, value.cost
    _check_same_names(value, cost)
    if isinstance(value, pd.DataFrame):
        customers = value.index if customers is None else customers
        levels = [str(name) for name in value.columns] if levels is None else levels
    values, costs = _matrix(value, "value"), _matrix(cost, "cost")
    if values.shape != costs.shape:
        raise ValueError(
            f"value has shape {values.shape} and cost {costs.shape}: both need a row a customer "
            "and a column a level"
        )
    read = Alternatives(
        values, costs, _customers(customers, len(values)), _levels(levels, values.shape[1])
    )
    _check_finite(read)
    return read


def _check_same_names(value: Any, cost: Any) -> None:
    """Refuse two tables whose customers or levels stand in another order."""
    if isinstance(value, pd.DataFrame) and isinstance(cost, pd.DataFrame):
        for axis, what in (("index", "customers"), ("columns", "levels")):
            if not getattr(value, axis).equals(getattr(cost, axis)):
                raise ValueError(
                    f"value and cost do not have the same {what} in the same order; give "
                    "cost.reindex_like(value)"
                )


def _matrix(given: Any, argument: str) -> FloatArray:
    """Read a matrix of numbers with at least one customer and one level."""
    try:
        numbers = np.ascontiguousarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{argument} holds what is no number ({error}); a row a customer and a column a "
            "level are needed, in currency"
        ) from None
    if np.ndim(given) != 2 or not numbers.size:
        raise ValueError(
            f"{argument} has shape {np.shape(given)}: a row a customer and a column a level are "
            "needed, at least one of each"
        )
    return numbers


def _customers(given: Sequence[Any] | pd.Index | None, n: int) -> pd.Index:
    if given is None:
        return pd.RangeIndex(n, name="customer_id")
    labels = pd.Index(given, name="customer_id")
    if len(labels) != n:
        raise ValueError(f"customers: {len(labels):,} names for {n:,} rows of value; one a row")
    if not labels.is_unique:
        twice = labels[labels.duplicated()].unique()
        raise ValueError(
            f"customers: {named(twice)} come more than once; add up or drop the "
            "rows, so that every customer has one"
        )
    return labels


def _levels(given: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if given is None:
        known = count == len(LEVELS)
        return LEVELS if known else tuple(f"level {code}" for code in range(count))
    names = tuple(map(str, given))
    if len(names) != count or len(set(names)) != count:
        raise ValueError(
            f"levels={names!r}: {count} different names are needed, one for each column of value"
        )
    return names


def _check_finite(read: Alternatives) -> None:
    """Refuse unknown and infinite entries, all at once, naming the first."""
    complaints = []
    for argument, matrix in (("value", read.value), ("cost", read.cost)):
        for wrong, what in (
            (np.isnan(matrix), "not known (NaN)"),
            (np.isinf(matrix), "infinite"),
        ):
            if wrong.any():
                first = ", ".join(
                    f"customer {named(read.customers[[row]])} at level {read.levels[code]!r}"
                    for row, code in np.argwhere(wrong)[:SHOWN]
                )
                complaints.append(f"{argument}: {wrong.sum():,} entries are {what}, first {first}")
    if complaints:
        raise ValueError(
            f"{'; '.join(complaints)}. Every level needs a finite value and cost: estimate them, "
            "or drop these customers"
        )


def named(labels: Any) -> str:
    """Name the first of some labels in a message, as they would be typed."""
    return ", ".join(map(repr, np.asarray(labels[:SHOWN]).tolist()))


def checked_budget(budget: Any) -> float:
    """Read a budget.

    Raises
    ------
    ValueError
        When it is no finite number.
    """
    number = np.asarray(budget)
    if number.ndim or number.dtype.kind not in "iuf" or not np.isfinite(number):
        raise ValueError(f"budget={budget!r}: one finite amount is needed, in the unit of cost")
    return float(number)


def slack(budget: float, costs: FloatArray) -> float:
    """Amount above the budget that rounding alone makes when these costs are added."""
    return ROUNDING * max(abs(budget), float(np.abs(costs).sum()))


def per_customer(given: Any, alternatives: Alternatives, argument: str) -> npt.NDArray[Any]:
    """Read one entry a customer: a series by its index, anything else by its order.

    Raises
    ------
    ValueError
        When customers are missing in the series, or the length does not fit.
    """
    if isinstance(given, pd.Series):
        missing = alternatives.customers.difference(given.index, sort=False)
        if len(missing) or not given.index.is_unique:
            what = f"no entry for {named(missing)} ({len(missing):,} such)"
            raise ValueError(
                f"{argument}: {what if len(missing) else 'customers come more than once'}; a "
                "series is read by its index, which must hold the customers, as in "
                "table.set_index('customer_id')['column']; or give an array in their order"
            )
        return given.reindex(alternatives.customers).to_numpy()
    entries = np.asarray(given)
    if entries.shape != (len(alternatives),):
        raise ValueError(
            f"{argument} has shape {entries.shape}: one entry for each of the "
            f"{len(alternatives):,} customers is needed"
        )
    return entries


def read_codes(given: Any, alternatives: Alternatives, argument: str) -> CodeArray:
    """Read the levels of a plan, as codes or names, one a customer.

    Parameters
    ----------
    given : Selection, other plan with `codes()`, Series by customer or array
        The plan.
    alternatives : Alternatives
        The customers and levels.
    argument : str
        What the plan was given as.

    Raises
    ------
    ValueError
        When there are no such levels, or not one a customer.
    """
    codes = getattr(given, "codes", None)
    entries = per_customer(codes() if callable(codes) else given, alternatives, argument)
    if entries.dtype.kind in "iu":
        known = (entries >= 0) & (entries < len(alternatives.levels))
        read = entries
    else:
        read = pd.Index(alternatives.levels).get_indexer(pd.Index(entries.astype(object)))
        known = read >= 0
    if not known.all():
        first = int(np.flatnonzero(~known)[0])
        raise ValueError(
            f"{argument}: customer {named(alternatives.customers[[first]])} has the level "
            f"{named(entries[[first]])}, which is none ({(~known).sum():,} such); levels are "
            f"{', '.join(map(repr, alternatives.levels))}, or their codes"
        )
    return np.asarray(read, dtype=np.int8)
