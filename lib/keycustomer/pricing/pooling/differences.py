"""Changes from one period to the next instead of levels.

Question: what is left of price and quantity when all that moves slowly is taken out?  Demand of a
customer drifts: it grows, shrinks, takes up products, has good and bad years.  In levels such
drifts look like price responses, errors of neighbouring periods are alike, and intervals that take
them as independent are far too short.  Changes from period to period know neither levels nor slow
drifts; an intercept of a customer is then its own trend.  :func:`first_differences` takes them.

Source: Wooldridge, "Econometric Analysis of Cross Section and Panel Data" (2010), section 10.6.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.pricing.pooling.rows import IntArray, PooledRows, sums_by_code
from keycustomer.stats.samples import FloatArray


def first_differences(rows: PooledRows) -> PooledRows:
    """Take differences of neighbouring periods of each customer and product.

    Parameters
    ----------
    rows : PooledRows
        Rows with sales, and with periods.

    Returns
    -------
    PooledRows
        Customers stay as they are, also those of whom no two neighbouring periods are known.

    Raises
    ------
    ValueError
        When the panel has no periods, a customer and product stands twice in one, or no two
        periods are neighbours.
    """
    order, neighbours = _neighbours(rows)
    if not neighbours.any():
        raise ValueError(
            "differences=True: no customer bought the same product in two neighbouring periods; "
            "use longer periods, or differences=False"
        )
    later, earlier = order[1:][neighbours], order[:-1][neighbours]
    log_quantity = np.log(rows.quantity)
    lost = {"reason": "no row of the period before to take the difference from"}
    excluded = pd.DataFrame([{**lost, "rows": len(rows) - len(later)}])
    return replace(
        rows,
        log_price=rows.log_price[later] - rows.log_price[earlier],
        quantity=np.exp(log_quantity[later] - log_quantity[earlier]),
        group=rows.group[later],
        cell=_renumbered(rows.cell[later]),
        shared=None if rows.shared is None else _renumbered(rows.shared[later]),
        period=None if rows.period is None else rows.period[later],
        columns=rows.columns[later] - rows.columns[earlier],
        instruments=rows.instruments[later] - rows.instruments[earlier],
        excluded=pd.concat([rows.excluded, excluded], ignore_index=True),
    )


def lagged_correlation(rows: PooledRows, residual: FloatArray) -> float:
    """Correlation of the residuals of neighbouring periods.

    Parameters
    ----------
    rows : PooledRows
        The rows.
    residual : ndarray, shape (rows,)
        What is not explained.

    Returns
    -------
    float
        Corrected for the intercepts; NaN where no two periods are neighbours.
    """
    if rows.period is None:
        return np.nan
    order, neighbours = _neighbours(rows)
    if not neighbours.any():
        return np.nan
    later, earlier = residual[order[1:][neighbours]], residual[order[:-1][neighbours]]
    size = sums_by_code(rows.cell, np.ones(len(rows)), int(rows.cell.max()) + 1)
    # independent errors less their mean correlate by -1 / (n - 1)
    expected = float(np.mean(1 / np.maximum(size[rows.cell[order[1:][neighbours]]] - 1, 1)))
    return float((later @ earlier) / len(later) / np.mean(residual**2)) + expected


def _neighbours(rows: PooledRows) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Rows in order, and which of them follow the one before by one period."""
    if rows.period is None:
        raise ValueError("differences=True needs a period in every row; name its column by period")
    order = np.lexsort((rows.period, rows.cell))
    cell, period = rows.cell[order], rows.period[order]
    same = cell[1:] == cell[:-1]
    twice = same & (period[1:] == period[:-1])
    if twice.any():
        who = rows.customers[rows.group[order[1:][twice]]].unique()
        raise ValueError(
            f"differences=True: {twice.sum():,} rows repeat a customer, product and period, first "
            f"of {who[:3].tolist()}; sum them up before"
        )
    return order.astype(np.int64), same & (period[1:] - period[:-1] == 1)


def _renumbered(code: IntArray) -> IntArray:
    return np.unique(code, return_inverse=True)[1].astype(np.int64)
