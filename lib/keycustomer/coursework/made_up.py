"""Made-up customers for exercises by hand: few enough to compute with on paper.

:func:`ten_customers` gives ten purchase histories for fitting a lifetime model by hand.
"""

from __future__ import annotations

import pandas as pd

_HISTORIES = {
    "A": (11, 35),
    "B": (2, 21),
    "C": (1, 17),
    "D": (11, 38),
    "E": (4, 5),
    "F": (3, 35),
    "G": (1, 6),
    "H": (5, 4),
    "I": (1, 12),
    "J": (1, 22),
}

_AGE = 39


def ten_customers() -> pd.DataFrame:
    """Ten made-up customers, each first seen 39 weeks ago.

    Returns
    -------
    DataFrame
        customer_id, frequency (repeat purchases), recency and T (weeks).
    """
    rows = [(name, x, float(t_x), float(_AGE)) for name, (x, t_x) in _HISTORIES.items()]
    return pd.DataFrame(rows, columns=["customer_id", "frequency", "recency", "T"])
