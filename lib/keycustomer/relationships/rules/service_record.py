"""What the records tell of the service a customer got: complaints, and how they were resolved.

:func:`service_halves` scores every customer from its complaints, once from every second month and
once from the months between, so that the score's own noise can be told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from keycustomer.customers import CustomerBase

TROUBLE = {"first contact": 0.5, "later": 1.0, "unresolved": 2.0}
"""What a complaint counts, by when it was resolved."""

MONTHS_OF_A_YEAR = 12


def service_halves(
    base: CustomerBase,
    ids: pd.Index,
    start: dt.date,
    end: dt.date,
    kinds: Sequence[str] = ("complaint",),
) -> pd.DataFrame | None:
    """Score the service of each customer from two halves of the months.

    Parameters
    ----------
    base : CustomerBase
        A prepared base.
    ids : Index of str
        Customers to score.
    start, end : date
        First and last day that count; nothing later is looked at.
    kinds : sequence of str
        Kinds of interactions that are complaints.

    Returns
    -------
    DataFrame or None
        By customer: "odd months", "even months", each 1 / (1 + trouble a year), 0..1; None where
        the base records no interactions of these kinds.
    """
    if not base.has("interactions") or not _recorded(base, kinds):
        return None
    found = base.query(
        "select customer_id, date, first_contact_resolution as first, resolved_on "
        "from interactions where list_contains($kinds, kind) and date between $start and $end",
        kinds=list(kinds),
        start=start,
        end=end,
    )
    late = pd.to_datetime(found["resolved_on"]) > pd.Timestamp(end)
    open_ = found["resolved_on"].isna() | late
    at_once = found["first"].astype("boolean").fillna(False).to_numpy(bool)
    known = base.has("interactions", "resolved_on")
    names = np.select([at_once, open_ & known], ["first contact", "unresolved"], "later")
    date = pd.to_datetime(found["date"])
    month = (date.dt.year - start.year) * MONTHS_OF_A_YEAR + date.dt.month - start.month
    trouble = pd.DataFrame(
        {
            "customer_id": found["customer_id"].astype(str),
            "even": month % 2,
            "trouble": pd.Series(names).map(TROUBLE).to_numpy(float),
        }
    )
    sums = trouble.groupby(["customer_id", "even"])["trouble"].sum().unstack()
    sums = sums.reindex(index=ids, columns=[0, 1]).fillna(0.0)
    months = (end.year - start.year) * MONTHS_OF_A_YEAR + end.month - start.month + 1
    years = np.array([(months + 1) // 2, months // 2]) / MONTHS_OF_A_YEAR
    scores = 1 / (1 + sums.to_numpy(float) / years)
    return pd.DataFrame(scores, ids, ["odd months", "even months"])


def _recorded(base: CustomerBase, kinds: Sequence[str]) -> bool:
    query = "select 1 from interactions where list_contains($kinds, kind) limit 1"
    return len(base.query(query, kinds=list(kinds))) > 0
