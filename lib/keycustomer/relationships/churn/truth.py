"""The true probability to leave, in a simulated company.

:func:`true_hazards` gives it for rows of customer months: what the process itself used to draw who
leaves.  No model can rank better, but by luck.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from keycustomer.relationships.churn.checks import need_columns_of

if TYPE_CHECKING:
    from keycustomer.simulate import Company


def true_hazards(company: Company, frame: pd.DataFrame) -> pd.Series:
    """Look up the true probability to leave at the end of each month.

    Parameters
    ----------
    company : Company
        The simulated company that the rows come from.
    frame : DataFrame
        Rows with customer_id and number (month of the window, 0 is the first).

    Returns
    -------
    Series
        Named "true_hazard", indexed as the frame.

    Raises
    ------
    ValueError
        When a row is no month of a customer of this company.
    """
    from keycustomer.simulate.columns import account_numbers

    need_columns_of(frame, ["customer_id", "number"], "frame")
    account, month = account_numbers(frame["customer_id"]), frame["number"].to_numpy(np.int64)
    panel = company.panel
    inside = (account >= 0) & (account < panel.active.shape[1])
    inside &= (month >= 0) & (month < panel.months)
    there = inside.copy()
    there[inside] = panel.active[month[inside], account[inside]]
    if not there.all():
        first = frame.loc[~there, ["customer_id", "number"]].head(3).to_numpy().tolist()
        raise ValueError(
            f"frame: {int((~there).sum()):,} rows are no month of a customer of this company "
            f"(first: {first}); take the months of the same accounts, months and seed"
        )
    hazard = panel.hazard[month, account].astype(float)
    return pd.Series(hazard, index=frame.index, name="true_hazard")
