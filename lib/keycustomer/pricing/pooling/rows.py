"""Rows from which elasticities of customers are estimated: prices, quantities, who belongs where.

Question: which rows of a panel tell of a customer's price response, and which do not?
:func:`read_rows` takes a price panel or a frame, with column names as arguments, refuses what
cannot be read and counts what cannot be used.  Every customer has one slope; every customer and
product has an intercept of its own (a *cell*), so that only changes of price within a cell count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.pricing.panels.numbers import numbers_in
from keycustomer.stats.samples import FloatArray

IntArray = npt.NDArray[np.int64]

Demand = Literal["log-log", "poisson"]

DEMANDS: tuple[Demand, ...] = ("log-log", "poisson")
"""How quantity follows price: its logarithm is linear in log price, or its mean is exponential."""

ALL = "all"
"""Name of the only tier where none is given."""

SHOWN = 3
"""Offending values that an error shows."""


def sums_by_code(code: IntArray, values: npt.NDArray[Any], size: int) -> FloatArray:
    """Add up values by code, shape (size,).

    Parameters
    ----------
    code : ndarray of int, shape (rows,)
        From 0 to below `size`.
    values : ndarray, shape (rows,)
        Numbers, or true and false.
    size : int
        Number of codes.
    """
    return np.asarray(np.bincount(code, weights=values, minlength=size), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class PooledRows:
    """Rows of customers.

    Attributes
    ----------
    log_price, quantity : ndarray, shape (rows,)
        Natural logarithm of the price paid; units, 0 or larger.
    group : ndarray of int, shape (rows,)
        Customer of each row, a place in `customers`.
    cell : ndarray of int, shape (rows,)
        Customer and product of each row, from 0 on.
    shared : ndarray of int, shape (rows,), or None
        Level of the effect that customers share (period, or tier and period), from 0 on.
    period : ndarray of int, shape (rows,), or None
        Number of the period of each row, from 0 on; None where the panel has no time.
    columns : ndarray, shape (rows, columns)
        Controls that all customers share a coefficient of.
    instruments : ndarray, shape (rows, instruments)
        What moves the price and nothing else.
    names : tuple of str
        Names of `columns`.
    customers : Index, shape (customers,)
        Ids.
    tier : ndarray of int, shape (customers,)
        Tier of each customer, a place in `tiers`.
    tiers : tuple of str
        Names of the tiers, sorted.
    excluded : DataFrame
        reason, rows.
    simulated : bool
        Whether the data are made up.
    """

    log_price: FloatArray = field(repr=False)
    quantity: FloatArray = field(repr=False)
    group: IntArray = field(repr=False)
    cell: IntArray = field(repr=False)
    shared: IntArray | None = field(repr=False)
    period: IntArray | None = field(repr=False)
    columns: FloatArray = field(repr=False)
    instruments: FloatArray = field(repr=False)
    names: tuple[str, ...]
    customers: pd.Index = field(repr=False)
    tier: IntArray = field(repr=False)
    tiers: tuple[str, ...]
    excluded: pd.DataFrame = field(repr=False)
    simulated: bool = False

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.group)

    @property
    def group_of_cell(self) -> IntArray:
        """Customer of each cell, shape (cells,)."""
        found = np.zeros(int(self.cell.max(initial=-1)) + 1, dtype=np.int64)
        found[self.cell] = self.group
        return found


@dataclass(frozen=True)
class Named:
    """Names of the columns of a panel.

    Attributes
    ----------
    customer, tier, product, price, quantity : str or None
        Who, its class (None: all in one), what, price paid per unit, units.
    period : str or None
        When; used where the panel has it.
    effects : sequence of str
        Columns whose combinations have an effect on all customers alike.
    controls, instruments : sequence of str
        Columns of numbers.
    """

    customer: str = "unit"
    tier: str | None = "tier"
    product: str | None = "product"
    price: str = "price"
    quantity: str = "quantity"
    period: str | None = "period"
    effects: Sequence[str] = ()
    controls: Sequence[str] = ()
    instruments: Sequence[str] = ()

    def needed(self) -> list[str]:
        """Columns that have to be there, each once."""
        single = [self.customer, self.tier, self.product, self.price, self.quantity]
        parts = [part for effect in self.effects for part in effect.split("^")]
        wanted = [*filter(None, single), *parts, *self.controls, *self.instruments]
        return list(dict.fromkeys(wanted))


def read_rows(source: Any, named: Named, demand: Demand) -> PooledRows:
    """Read rows of customers from a panel.

    Parameters
    ----------
    source : PricePanel or DataFrame
        A panel, or a frame with the columns named.
    named : Named
        Names of its columns.
    demand : {"log-log", "poisson"}
        With `log-log` rows without sales have no logarithm: they are left out and counted.

    Raises
    ------
    ValueError
        When a column is missing, a number is none, a quantity is negative, a customer stands in
        two tiers, or no row is left.
    """
    if demand not in DEMANDS:
        raise ValueError(f"demand={demand!r}: {' or '.join(map(repr, DEMANDS))} is needed")
    whole: pd.DataFrame = getattr(source, "frame", source)
    _refuse_missing(whole, named)
    frame, excluded = _usable(_with_numbers(whole, named), named, demand)
    if frame.empty:
        raise ValueError(
            f"none of the {counted(len(whole), 'row')} can be used "
            f"({'; '.join(f'{row.rows:,} with {row.reason}' for row in excluded.itertuples())}): "
            "there is nothing to estimate from"
        )
    group, customers = pd.factorize(frame[named.customer], sort=True)
    tier, tiers = _tiers_of(frame, group, len(customers), named)
    return PooledRows(
        log_price=np.log(frame[named.price].to_numpy(float)),
        quantity=frame[named.quantity].to_numpy(float),
        group=group.astype(np.int64),
        cell=_codes(frame, [named.customer, *filter(None, [named.product])]),
        shared=_shared(frame, named),
        period=_periods(frame, named),
        columns=frame[list(named.controls)].to_numpy(float),
        instruments=frame[list(named.instruments)].to_numpy(float),
        names=tuple(named.controls),
        customers=pd.Index(customers, name="customer"),
        tier=tier,
        tiers=tiers,
        excluded=excluded,
        simulated=bool(getattr(source, "simulated", False)),
    )


def _refuse_missing(frame: pd.DataFrame, named: Named) -> None:
    missing = [name for name in named.needed() if name not in frame.columns]
    if missing:
        raise ValueError(
            f"the panel has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, frame.columns))}. Name the columns by the arguments customer, "
            "tier, product, price, quantity, effects, controls and instruments (tier=None and "
            "product=None where there are none)"
        )
    quantity = numbers_in(frame[named.quantity], f"column {named.quantity!r}")
    negative = quantity[quantity < 0]
    if len(negative):
        many = counted(len(negative), "negative quantity", "negative quantities")
        raise ValueError(
            f"column {named.quantity!r} holds {many}, first {negative.iloc[:SHOWN].tolist()} in "
            f"rows {negative.index[:SHOWN].tolist()}; take returns out before"
        )


def _with_numbers(whole: pd.DataFrame, named: Named) -> pd.DataFrame:
    """Read price, quantity, controls and instruments as numbers."""
    names = dict.fromkeys((named.price, named.quantity, *named.controls, *named.instruments))
    return whole.assign(**{n: numbers_in(whole[n], f"column {n!r}") for n in names})


def _usable(whole: pd.DataFrame, named: Named, demand: Demand) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with a price, all numbers and, in logs, a sale; and what the others lack."""
    numbers = [*named.controls, *named.instruments]
    others = [name for name in named.needed() if name not in (named.price, named.quantity)]
    known = whole[others].notna().all(axis=1)
    known &= np.isfinite(whole[numbers].to_numpy(float)).all(axis=1) if numbers else True
    amounts = whole[[named.price, named.quantity]].to_numpy(float)
    priced = np.isfinite(amounts).all(axis=1) & (amounts[:, 0] > 0)
    steps: list[tuple[str, Any]] = [
        ("a price or quantity that is not known, or no price above 0", ~priced),
        ("an effect, control, instrument or tier that is not known", ~known),
    ]
    if demand == "log-log":
        steps.append(("no sale, of which no logarithm can be taken", amounts[:, 1] == 0))
    keep, rows = np.ones(len(whole), dtype=bool), []
    for reason, failing in steps:
        lost = keep & np.asarray(failing)
        keep &= ~lost
        if lost.any():
            rows.append({"reason": reason, "rows": int(lost.sum())})
    frame = whole[keep]
    if demand == "poisson":
        silent = _silent(frame, named)
        frame = frame[~silent]
        if silent.any():
            reason = "a customer and product, or an effect, in which nothing was ever sold"
            rows.append({"reason": reason, "rows": int(silent.sum())})
    return frame, pd.DataFrame(rows, columns=["reason", "rows"])


def _silent(frame: pd.DataFrame, named: Named) -> npt.NDArray[np.bool_]:
    """Rows of which an intercept or effect of minus infinity says all there is to say."""
    quantity = frame[named.quantity].to_numpy(float)
    cell = _codes(frame, [named.customer, *filter(None, [named.product])])
    shared = _shared(frame, named)
    silent = np.zeros(len(frame), dtype=bool)
    for code in (cell, shared):
        if code is not None and len(code):
            silent |= (np.bincount(code, quantity) == 0)[code]
    return silent


def _codes(frame: pd.DataFrame, names: Iterable[str]) -> IntArray:
    """Whole numbers from 0 on, one for each combination of values that occurs."""
    code = np.zeros(len(frame), dtype=np.int64)
    for name in names:
        own, values = pd.factorize(frame[name])
        code = pd.factorize(code * max(len(values), 1) + own)[0].astype(np.int64)
    return code


def _periods(frame: pd.DataFrame, named: Named) -> IntArray | None:
    """Give the periods that occur numbers in their order; None where a row has none."""
    if named.period is None or named.period not in frame.columns:
        return None
    known = frame[named.period]
    if known.isna().any():
        return None
    return pd.factorize(known, sort=True)[0].astype(np.int64)


def _shared(frame: pd.DataFrame, named: Named) -> IntArray | None:
    if not named.effects:
        return None
    if len(named.effects) > 1:
        raise ValueError(
            f"effects={list(named.effects)}: one effect that customers share is taken, such as "
            "'period' or 'tier^period'; every customer and product has one of its own anyway"
        )
    return _codes(frame, named.effects[0].split("^"))


def _tiers_of(
    frame: pd.DataFrame, group: npt.NDArray[Any], customers: int, named: Named
) -> tuple[IntArray, tuple[str, ...]]:
    if named.tier is None:
        return np.zeros(customers, dtype=np.int64), (ALL,)
    code, names = pd.factorize(frame[named.tier].astype(str), sort=True)
    tier = np.zeros(customers, dtype=np.int64)
    tier[group] = code
    twice = np.flatnonzero(tier[group] != code)
    if len(twice):
        who = frame[named.customer].iloc[twice].unique()
        raise ValueError(
            f"{counted(len(who), 'customer')} stand in more than one {named.tier!r}, first "
            f"{who[:SHOWN].tolist()}: give every customer one tier for the whole panel"
        )
    return tier, tuple(map(str, names))
