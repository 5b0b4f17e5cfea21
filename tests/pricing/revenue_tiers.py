"""Tiers of customers by cumulative revenue, for panels by tier."""

import numpy as np
import pandas as pd
from keycustomer.customers import CustomerBase


def abc(base: CustomerBase) -> pd.Series:
    """Tiers by cumulative revenue: 80 %, the next 15 %, the rest."""
    spent = base.query(
        "select customer_id, sum(revenue)::double as revenue from transactions group by 1 "
        "order by 2 desc, 1"
    ).set_index("customer_id")["revenue"]
    before = (spent.cumsum() - spent) / spent.sum()
    return pd.Series(np.select([before < 0.8, before < 0.95], ["A", "B"], "C"), spent.index)
