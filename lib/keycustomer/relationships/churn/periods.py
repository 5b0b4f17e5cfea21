"""Person-periods: a cross-section of tenures laid out period by period.

:func:`person_periods` turns one row a customer (tenure and whether it ended) into one row a period
that the customer began, with the event in its last one: the form of a discrete-time model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from keycustomer.relationships.churn.checks import events_of, need_columns_of
from keycustomer.relationships.churn.table import ChurnTable
from keycustomer.stats.samples import finite_values

MOST_ROWS = 20_000_000
"""More person-periods than this are refused: they would not fit into a laptop's memory."""


def person_periods(
    frame: pd.DataFrame,
    *,
    tenure: str = "tenure",
    ended: str = "ended",
    features: Sequence[str] | None = None,
    customer: str | None = None,
    entry: str | None = None,
) -> ChurnTable:
    """Expand a cross-section of customers to one row a customer and period.

    Parameters
    ----------
    frame : DataFrame
        One row a customer.
    tenure : str
        Column: periods as a customer, the one in which it ended included; whole numbers.
    ended : str
        Column: whether the customer left in its last period (True or False, 1 or 0).
    features : sequence of str, optional
        Columns to repeat in every period; left out, all others.
    customer : str, optional
        Column of ids; left out, the frame's index becomes `customer_id`.
    entry : str, optional
        Column: periods before the customer was first observed (left truncation).  These are not
        laid out: had it left in them, it would not be in the table.

    Returns
    -------
    ChurnTable
        Columns: the customer's id, `period` (1 is the first), the event, `period_log`, the
        features; `time` is "period".  Customers without a whole observed period are excluded and
        counted.

    Raises
    ------
    ValueError
        When a column is missing, tenures or entries are not whole numbers of at least 0, ids are
        not unique, or nothing is left.

    Notes
    -----
    It is taken that a customer's features were the same all the time, and that those who left
    earlier are in the table too.  A table of today's customers and of those who left last month
    is no such table: of it, fit the last month as a cross-section (`time=None`), or give `entry`.
    """
    need_columns_of(
        frame, [tenure, ended, *(features or ()), *filter(None, (customer, entry))], "frame"
    )
    periods, before = _whole(frame, tenure), _whole(frame, entry) if entry else 0
    event, ids = events_of(frame, ended), _ids(frame, customer)
    name = customer or "customer_id"
    keys = [tenure, ended, *filter(None, (customer, entry))]
    chosen = list(features) if features is not None else list(map(str, frame.columns.drop(keys)))
    observed = np.asarray(periods - before)
    kept = observed > 0
    if not kept.any():
        raise ValueError(f"frame: no customer has a whole period observed in {tenure!r}")
    table = _expanded(frame[chosen], ids, periods, observed, event, kept, (name, ended))
    excluded = pd.DataFrame({"reason": ["no whole period observed"], "rows": [int((~kept).sum())]})
    later = _still_there(frame[chosen], ids, periods, event, name)
    return ChurnTable(
        frame=table,
        upcoming=later,
        features=("period_log", *chosen),
        event=ended,
        customer=name,
        time="period",
        excluded=excluded[excluded["rows"] > 0].reset_index(drop=True),
        notes=("Features are taken to have been the same in all periods of a customer.",),
    )


def _whole(frame: pd.DataFrame, column: str) -> np.ndarray:
    values = finite_values(frame[column], f"frame[{column!r}]")
    wrong = (values < 0) | (values % 1 != 0)
    if wrong.any():
        raise ValueError(
            f"frame[{column!r}]: whole numbers of at least 0 are needed, got "
            f"{values[wrong][:5].tolist()} (first at rows {frame.index[wrong][:5].tolist()})"
        )
    return values.astype(np.int64)


def _ids(frame: pd.DataFrame, customer: str | None) -> pd.Series:
    ids = frame.index.to_series() if customer is None else frame[customer]
    if ids.duplicated().any():
        raise ValueError(
            f"frame: one row a customer is needed; {ids[ids.duplicated()].tolist()[:5]} come "
            "several times"
        )
    return ids


def _expanded(
    features: pd.DataFrame,
    ids: pd.Series,
    periods: np.ndarray,
    observed: np.ndarray,
    event: np.ndarray,
    kept: np.ndarray,
    names: tuple[str, str],
) -> pd.DataFrame:
    """Repeat every customer for each of its observed periods."""
    size = int(observed[kept].sum())
    if size > MOST_ROWS:
        raise ValueError(
            f"frame: {size:,} person-periods are more than the {MOST_ROWS:,} that are laid out; "
            "count tenure in longer periods, or take a sample of the customers"
        )
    row = np.repeat(np.flatnonzero(kept), observed[kept])
    last = np.cumsum(observed[kept])
    step = np.arange(size) - np.repeat(last - observed[kept], observed[kept])
    period = (periods - observed)[row] + step + 1
    left = np.zeros(size, dtype=bool)
    left[last - 1] = event[kept]
    keys = {names[0]: ids.to_numpy()[row], "period": period, names[1]: left}
    repeated = features.iloc[row].reset_index(drop=True)
    return pd.DataFrame(keys | {"period_log": np.log(period)}).join(repeated)


def _still_there(
    features: pd.DataFrame, ids: pd.Series, periods: np.ndarray, event: np.ndarray, name: str
) -> pd.DataFrame:
    """Rows of the next period of those who have not left."""
    there = ~event
    following = periods[there] + 1
    keys = pd.DataFrame(
        {name: ids.to_numpy()[there], "period": following, "period_log": np.log(following)}
    )
    return keys.join(features[there].reset_index(drop=True))
