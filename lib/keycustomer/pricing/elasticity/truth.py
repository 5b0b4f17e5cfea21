"""The true elasticity behind an estimate, where the data are simulated.

Question: what should an estimate over many accounts have found?  Accounts differ in their
elasticity, so that the truth is a mean, and the method decides with which weights:
:func:`true_elasticities` gives both kinds.  A regression of logs, by instruments or not, aims at
the mean over its rows (customer-months): who stays longer counts more.  A Poisson regression aims
at the mean over what is sold: large accounts count more.

Source: Angrist & Imbens (1995), Journal of the American Statistical Association 90, 431-442, on
the weights of estimates by instruments where effects differ; here the cost shock moves all
discounts alike.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.simulate import Company, simulate_company

WEIGHTS = {"poisson": "quantity"}
"""What a method weighs accounts by; all others weigh rows alike."""


def account_elasticities(source: Company | CustomerBase) -> pd.Series | None:
    """Give the true elasticity of each account, by customer_id; None where data are real.

    Parameters
    ----------
    source : Company or CustomerBase
        A simulated company, or a prepared base, whose company is simulated anew.
    """
    from keycustomer.simulate.columns import customer_ids

    if isinstance(source, CustomerBase):
        if source.simulation is None:
            return None
        source = simulate_company(**source.simulation)
    ids = np.asarray(customer_ids(source.accounts.number), dtype=object)
    return pd.Series(source.accounts.elasticity, ids, name="elasticity")


def true_elasticities(
    frame: pd.DataFrame, elasticity: pd.Series, by: str | None = None
) -> pd.DataFrame:
    """Average accounts' true elasticities over the rows of a panel.

    Parameters
    ----------
    frame : DataFrame
        Rows of an account panel: unit and quantity.
    elasticity : Series
        By customer_id.
    by : str, optional
        Column of groups.

    Returns
    -------
    DataFrame
        Indexed by group ("all" without groups): rows (every row counts alike), quantity (rows
        weighted by what was sold).
    """
    told = frame.assign(value=frame["unit"].map(elasticity)).dropna(subset=["value"])
    groups = [("all", told)] if by is None else told.groupby(by, sort=True, observed=True)
    found = {
        str(name): {
            "rows": float(rows["value"].mean()),
            "quantity": float(np.average(rows["value"], weights=rows["quantity"])),
        }
        for name, rows in groups
    }
    return pd.DataFrame.from_dict(found, orient="index")
