"""Instruments for prices in a market table: what moves prices, but not what buyers want.

Three kinds, each a frame with the index of the table's rows, to be joined to it:
:func:`rival_instruments` (what the other products of the firm and those of its rivals are like: the
more crowded the place, the lower the price), :func:`differentiation_instruments` (how many rivals
are near, or how far away they are), :func:`other_region_prices` (prices of the same product
elsewhere in the same period, which share its costs).  The first two rest on characteristics being
fixed before demand is known, the third on demand shocks not being shared between regions (a
national campaign breaks it).

Sources: Berry, Levinsohn & Pakes (1995), Econometrica 63, 841-890; Gandhi & Houde (2020), NBER
working paper 26375; Hausman, Leonard & Zona (1994), Annales d'Economie et de Statistique 34.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from keycustomer.pricing.market.tables import MarketTable, need_column, need_owners, read_market
from keycustomer.stats.samples import FloatArray

Version = Literal["local", "quadratic"]


def rival_instruments(
    market: MarketTable | pd.DataFrame, characteristics: Sequence[str], *, constant: bool = True
) -> pd.DataFrame:
    """Sum characteristics over the other products of the firm, and over those of its rivals.

    Parameters
    ----------
    market : MarketTable or DataFrame
        With a column firm.
    characteristics : sequence of str
        Columns of numbers.
    constant : bool
        Whether the numbers of these products count among the characteristics.

    Returns
    -------
    DataFrame
        own_<name> and rival_<name>, with the index of the table's rows.
    """
    table, values = _values(market, characteristics, constant)
    same = table.frame["firm"].to_numpy()

    def sums(rows: np.ndarray) -> FloatArray:
        mine = same[rows][:, None] == same[rows]
        x = values[rows]
        return np.column_stack([mine @ x - x, ~mine @ x])

    names = [*(["number"] if constant else []), *characteristics]
    return _frame(
        table, _by_market(table, sums), [f"{s}_{n}" for s in ("own", "rival") for n in names]
    )


def differentiation_instruments(
    market: MarketTable | pd.DataFrame,
    characteristics: Sequence[str],
    *,
    version: Version = "quadratic",
) -> pd.DataFrame:
    """Tell how near the other products of the firm are, and those of its rivals.

    Parameters
    ----------
    market : MarketTable or DataFrame
        With a column firm.
    characteristics : sequence of str
        Columns of numbers.
    version : {"quadratic", "local"}
        The sum of squared differences, or the number of products nearer than one standard deviation
        of all differences within markets.

    Returns
    -------
    DataFrame
        near_own_<name> and near_rival_<name> ("local"), far_own_<name> and far_rival_<name>
        ("quadratic"), with the index of the table's rows.
    """
    if version not in ("local", "quadratic"):
        raise ValueError(f"version={version!r}: allowed are 'local' and 'quadratic'")
    table, values = _values(market, characteristics, False)
    same = table.frame["firm"].to_numpy()
    spread = _difference_spread(table, values)

    def sums(rows: np.ndarray) -> FloatArray:
        mine = same[rows][:, None] == same[rows]
        gap = values[rows][:, None, :] - values[rows][None, :, :]
        told = gap**2 if version == "quadratic" else (np.abs(gap) < spread).astype(float)
        np.einsum("jjk->jk", told)[:] = 0
        return np.column_stack([(told * side[:, :, None]).sum(axis=1) for side in (mine, ~mine)])

    word = "far" if version == "quadratic" else "near"
    names = [f"{word}_{side}_{name}" for side in ("own", "rival") for name in characteristics]
    return _frame(table, _by_market(table, sums), names)


def other_region_prices(
    market: MarketTable | pd.DataFrame, *, region: str = "region", period: str = "month"
) -> pd.Series:
    """Mean price of the same product in the same period in other regions (Hausman's instrument).

    Parameters
    ----------
    market : MarketTable or DataFrame
        With columns of region and period.
    region, period : str
        Their names.

    Returns
    -------
    Series
        With the index of the table's rows; NaN where no other region sold it then.
    """
    rows = read_market(market).frame
    for name, role in ((region, "region"), (period, "period")):
        need_column(rows, name, role)
    price = rows["price"]
    cells = price.groupby([rows["product"], rows[period]])
    inside = price.groupby([rows["product"], rows[period], rows[region]])
    others = cells.transform("size") - inside.transform("size")
    total = cells.transform("sum") - inside.transform("sum")
    return (total / others.where(others > 0)).rename("other_region_price")


def _values(
    market: MarketTable | pd.DataFrame, characteristics: Sequence[str], constant: bool
) -> tuple[MarketTable, FloatArray]:
    table = read_market(market)
    need_owners(table.frame, "firm")
    if isinstance(characteristics, str) or not (len(characteristics) or constant):
        raise ValueError(f"characteristics={characteristics!r}: give a list of columns of numbers")
    columns = [table.numbers(name, "characteristic") for name in characteristics]
    ones = [np.ones(len(table))] if constant else []
    return table, np.column_stack([*ones, *columns])


def _by_market(table: MarketTable, sums: Callable[[np.ndarray], FloatArray]) -> FloatArray:
    return np.concatenate([sums(rows) for rows in table.places.values()])


def _difference_spread(table: MarketTable, values: FloatArray) -> FloatArray:
    """Root mean square of the differences of all pairs within markets, by characteristic."""
    total, pairs = np.zeros(values.shape[1]), 0
    for rows in table.places.values():
        x = values[rows]
        total += 2 * (len(x) * (x**2).sum(axis=0) - x.sum(axis=0) ** 2)
        pairs += len(x) * (len(x) - 1)
    return np.sqrt(total / max(pairs, 1))


def _frame(table: MarketTable, values: FloatArray, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(values, index=table.frame.index, columns=names)
