"""The rows on which an elasticity is estimated: logs, effects, clusters, and what was left out.

Question: can an elasticity be estimated from these rows at all?  :func:`lay_out` takes a group's
rows, drops what tells nothing (zero sales where logs are taken, lone rows of an effect) and counts
it, and refuses what cannot be estimated: no sale, one price only, a price that an effect or
control explains wholly, too few clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.stats.regressions.absorbing import Codes, sweep
from keycustomer.stats.samples import FloatArray

LEAST_CLUSTERS = 5
"""Clusters below which no standard error is given."""

FEW_CLUSTERS = 30
"""Clusters below which intervals are said to be approximate."""

NOTHING = 1e-9
"""Share of a column's variance that counts as nothing left of it."""


@dataclass(frozen=True)
class Columns:
    """Which columns play which part.

    Attributes
    ----------
    quantity, price : str
        Amount sold, price paid per unit.
    cross : tuple of str
        Other prices; their logs stand beside the own one.
    controls : tuple of str
        Columns as they are.
    instruments : tuple of str
        Columns that move the price and nothing else.
    effects : tuple of str
        Columns, or several joined by "^", whose levels are absorbed.
    cluster : str
        Column, or several joined by "^", within which errors go together.
    """

    quantity: str
    price: str
    cross: tuple[str, ...]
    controls: tuple[str, ...]
    instruments: tuple[str, ...]
    effects: tuple[str, ...]
    cluster: str

    @property
    def logged(self) -> tuple[str, ...]:
        """Columns of which logs are taken."""
        return (self.price, *self.cross)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns of numbers, the quantity first."""
        return (self.quantity, self.price, *self.cross, *self.controls, *self.instruments)

    @property
    def labels(self) -> list[str]:
        """Columns of effects and clusters, taken apart."""
        return list(dict.fromkeys(p for name in (*self.effects, self.cluster) for p in parts(name)))


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of one group, ready to be fitted.

    Attributes
    ----------
    group : str
        Name of the group, "all" for everything.
    outcome : ndarray, shape (n,)
        Log quantity, or the quantity itself for a Poisson regression.
    columns : ndarray, shape (n, k)
        Log price, logs of other prices, controls.
    instruments : ndarray, shape (n, l)
        As they are.
    effects : ndarray of int, shape (n, m)
        Levels of the effects.
    names : tuple of str
        Of the effects that have more than one level.
    clusters : ndarray of int, shape (n,)
        Cluster of each row.
    left : ndarray, shape (n, 1 + k + l)
        Outcome, columns and instruments with the effects swept out.
    dropped : dict of str to int
        Rows not used, by reason.
    """

    group: str
    outcome: FloatArray
    columns: FloatArray
    instruments: FloatArray
    effects: Codes
    names: tuple[str, ...]
    clusters: Codes
    left: FloatArray
    dropped: dict[str, int]

    @property
    def clustered(self) -> int:
        """Number of clusters."""
        return int(self.clusters.max()) + 1


def parts(name: str) -> list[str]:
    """Columns of an effect: of "product^unit", product and unit."""
    return [part.strip() for part in name.split("^")]


def check_columns(frame: pd.DataFrame, columns: Columns, by: str | None) -> None:
    """Refuse column names that the frame does not have, and parts that clash.

    Raises
    ------
    ValueError
        With the names, and those there are.
    """
    wanted = [*columns.numbers, *columns.labels, *([by] if by else [])]
    absent = [name for name in dict.fromkeys(wanted) if name not in frame]
    if absent:
        raise ValueError(
            f"no column {', '.join(map(repr, absent))}; there are {list(map(str, frame.columns))}"
        )
    several = [name for name in dict.fromkeys(wanted) if int((frame.columns == name).sum()) > 1]
    if several:
        raise ValueError(
            f"{', '.join(map(repr, several))} is the name of more than one column; name each apart"
        )
    numbers = columns.numbers
    twice = sorted({name for name in numbers if numbers.count(name) > 1})
    if twice:
        raise ValueError(
            f"{', '.join(map(repr, twice))} cannot play two parts among quantity, price, cross, "
            "controls and instruments"
        )
    texts = [n for n in numbers if not pd.api.types.is_numeric_dtype(frame[n].dtype)]
    if texts:
        raise ValueError(
            f"{', '.join(map(repr, texts))} must hold numbers; a column of names can be an effect"
        )


def lay_out(frame: pd.DataFrame, columns: Columns, group: str, *, logs: bool) -> Rows:
    """Lay out a group's rows.

    Parameters
    ----------
    frame : DataFrame
        The group's rows.
    columns : Columns
        Which columns play which part.
    group : str
        Name of the group, for messages.
    logs : bool
        Whether the log of the quantity is the outcome; then zeros are dropped and counted.

    Raises
    ------
    ValueError
        When an elasticity cannot be estimated; the message names the reason and the cure.
    """
    kept, dropped = _usable(frame, columns, group, logs)
    kept, lone = _without_lone_rows(kept, columns, logs)
    dropped |= lone
    _refuse_nothing(kept, columns, group, dropped)
    numbers = np.array(kept[list(columns.numbers)], dtype=float)
    last = 1 + len(columns.logged)
    numbers[:, 1:last] = np.log(numbers[:, 1:last])
    if logs:
        numbers[:, 0] = np.log(numbers[:, 0])
    levels = {name: codes(kept, name) for name in columns.effects}
    varying = [name for name, level in levels.items() if level.max() > 0]
    effects = np.empty((len(kept), len(varying)), dtype=np.int64)
    for place, name in enumerate(varying):
        effects[:, place] = levels[name]
    clusters = codes(kept, columns.cluster)
    _refuse_few_clusters(int(clusters.max()) + 1, columns, group)
    left = sweep(numbers, effects)
    _refuse_explained(numbers, left, columns, levels, group)
    _refuse_still(left[:, 0], numbers[:, 0], columns, group)
    slopes = last - 1 + len(columns.controls)
    return Rows(
        group=group,
        outcome=numbers[:, 0],
        columns=numbers[:, 1 : 1 + slopes],
        instruments=numbers[:, 1 + slopes :],
        effects=effects,
        names=tuple(varying),
        clusters=clusters,
        left=left,
        dropped=dropped,
    )


def codes(frame: pd.DataFrame, name: str) -> Codes:
    """Give the levels of an effect or cluster numbers from 0, without gaps."""
    columns = parts(name)
    if len(columns) == 1:
        return np.asarray(pd.factorize(frame[columns[0]])[0], dtype=np.int64)
    grouped = frame.groupby(columns, sort=False, observed=True)
    return np.asarray(grouped.ngroup(), dtype=np.int64)


def _usable(
    frame: pd.DataFrame, columns: Columns, group: str, logs: bool
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows with all that is needed, and how many others there are, by reason."""
    numbers = np.column_stack(
        [frame[name].to_numpy(float, na_value=np.nan) for name in columns.numbers]
    )
    known = np.isfinite(numbers).all(axis=1)
    for name in columns.labels:
        known &= frame[name].notna().to_numpy()
    amount, prices = numbers[:, 0], numbers[:, 1 : 1 + len(columns.logged)]
    with np.errstate(invalid="ignore"):
        below, zero = known & (amount < 0), known & (amount == 0)
        priced = known & (prices > 0).all(axis=1)
    if below.any():
        raise ValueError(
            f"{_of(group)}{counted(int(below.sum()), 'row')} with a {columns.quantity} below 0 "
            f"(first: row {frame.index[below][0]!r}); net returns against sales first"
        )
    zero &= priced
    if priced.any() and zero.sum() == priced.sum():
        raise ValueError(
            f"{_of(group)}nothing was sold in any of {counted(int(zero.sum()), 'row')} "
            f"({columns.quantity} is 0): there is no demand whose elasticity could be estimated"
        )
    dropped = {
        "a column not known": int((~known).sum()),
        "price not above 0": int((known & ~priced).sum()),
        "nothing sold": int(zero.sum()) if logs else 0,
    }
    keep = priced & ~zero if logs else priced
    return (frame if keep.all() else frame[keep]), dropped


def _without_lone_rows(
    frame: pd.DataFrame, columns: Columns, logs: bool
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Drop rows that an effect explains wholly: alone in a level, or a level without a sale."""
    names = [name for name in columns.effects]
    found = {"alone in an effect": 0, "an effect without a sale": 0}
    while len(frame) and names:
        lone = np.zeros(len(frame), dtype=bool)
        idle = np.zeros(len(frame), dtype=bool)
        for name in names:
            level = codes(frame, name)
            if not logs:
                sold = np.bincount(level, frame[columns.quantity].to_numpy(float))
                idle |= sold[level] == 0
            lone |= np.bincount(level)[level] == 1
        found["an effect without a sale"] += int(idle.sum())
        found["alone in an effect"] += int((lone & ~idle).sum())
        if not (lone | idle).any():
            break
        frame = frame[~(lone | idle)]
    return frame, found


def _refuse_nothing(
    frame: pd.DataFrame, columns: Columns, group: str, dropped: dict[str, int]
) -> None:
    told = {reason: rows for reason, rows in dropped.items() if rows}
    if len(frame) < len(columns.numbers) + 1:
        raise ValueError(
            f"{_of(group)}{counted(len(frame), 'row')} left, too few for "
            f"{counted(len(columns.numbers) - 1, 'column')}; dropped: {told or 'nothing'}"
        )
    price = frame[columns.price]
    if price.nunique() == 1:
        raise ValueError(
            f"{_of(group)}{columns.price} is {price.iloc[0]:g} in all {len(frame):,} rows: one "
            "price only tells nothing of how sales follow prices; find periods, regions or "
            "customers with another price, or run a price test"
        )


def _refuse_few_clusters(number: int, columns: Columns, group: str) -> None:
    if number < LEAST_CLUSTERS:
        raise ValueError(
            f"{_of(group)}{counted(number, 'cluster')} ({columns.cluster}): a standard error "
            f"needs at least {LEAST_CLUSTERS}; cluster by a finer column, such as "
            "cluster='product', 'product^unit' or 'period'"
        )
    if number <= 2 * len(columns.instruments):
        raise ValueError(
            f"{_of(group)}{counted(number, 'cluster')} ({columns.cluster}) for "
            f"{counted(len(columns.instruments), 'instrument')}: their strength can be judged with "
            "more than two clusters an instrument only; give fewer instruments or a finer cluster"
        )


def _refuse_explained(
    numbers: FloatArray,
    left: FloatArray,
    columns: Columns,
    levels: dict[str, Codes],
    group: str,
) -> None:
    """Refuse columns of which effects and the other columns leave nothing."""
    total = ((numbers - numbers.mean(axis=0)) ** 2).sum(axis=0)
    remains = (left**2).sum(axis=0)
    for place, name in enumerate(columns.numbers[1:], start=1):
        if remains[place] > NOTHING * total[place] and total[place] > 0:
            continue
        which = [e for e, level in levels.items() if _explains(numbers[:, place], level)]
        by_what = " and ".join(which or levels) or "nothing: it does not vary"
        what = "price" if place == 1 else "column"
        raise ValueError(
            f"{_of(group)}{what} {name!r} is explained wholly by the effects ({by_what}): "
            f"nothing is left of it; {_cure(place, columns)}"
        )
    slopes = 1 + len(columns.logged) + len(columns.controls)
    _refuse_collinear(left[:, 1:slopes], columns.numbers[1:slopes], group)
    if columns.instruments:
        moved = np.column_stack([left[:, 2:slopes], left[:, slopes:]])
        _refuse_collinear(moved, (*columns.numbers[2:slopes], *columns.instruments), group)


def _refuse_still(left: FloatArray, amount: FloatArray, columns: Columns, group: str) -> None:
    """Refuse a quantity that the effects explain wholly: its errors would be nil."""
    total = float((amount**2).sum())
    if (left**2).sum() <= NOTHING**2 * total or not np.ptp(amount):
        raise ValueError(
            f"{_of(group)}{columns.quantity!r} does not vary beyond the effects in "
            f"{counted(len(amount), 'row')}: an elasticity of 0 without an error would be no "
            "estimate; see whether these are quantities, and not a plan or a limit of stock"
        )


def _cure(place: int, columns: Columns) -> str:
    if place == 1:
        return "leave out that effect, or find prices that vary within it"
    if place > len(columns.numbers) - 1 - len(columns.instruments):
        return "an instrument must vary within the effects; leave it out or leave out the effect"
    return "leave the column or the effect out"


def _refuse_collinear(left: FloatArray, names: Sequence[str], group: str) -> None:
    """Refuse a regressor, or an instrument, that the other ones explain."""
    for place, name in enumerate(names):
        others = np.delete(left, place, axis=1)
        if not others.shape[1]:
            return
        others = others / np.sqrt((others**2).sum(axis=0))
        rest = left[:, place] - others @ np.linalg.lstsq(others, left[:, place], rcond=None)[0]
        if (rest**2).sum() <= NOTHING * (left[:, place] ** 2).sum():
            with_what = [n for k, n in enumerate(names) if k != place]
            raise ValueError(
                f"{_of(group)}{name!r} is a sum of multiples of {with_what} beyond the effects, so "
                "that their shares cannot be told apart; leave one of them out"
            )


def _explains(values: FloatArray, level: Codes) -> bool:
    """Whether a column does not vary within the levels of one effect."""
    left = sweep(values[:, None], level[:, None])[:, 0]
    total = ((values - values.mean()) ** 2).sum()
    return bool((left**2).sum() <= NOTHING * total)


def _of(group: str) -> str:
    return "" if group == "all" else f"group {group!r}: "


def groups_of(frame: pd.DataFrame, by: str | None) -> Iterable[tuple[str, pd.DataFrame]]:
    """Give the rows of each group in order; without groups all rows as "all".

    Raises
    ------
    ValueError
        When no row has a group.
    """
    if by is None:
        return [("all", frame)]
    found = [(str(name), rows) for name, rows in frame.groupby(by, sort=True, observed=True)]
    if not found:
        raise ValueError(f"by={by!r}: no row has a value in that column")
    return found
