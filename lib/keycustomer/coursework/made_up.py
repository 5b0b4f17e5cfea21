"""Made-up customers for exercises by hand: few enough to compute with on paper.

:func:`ten_customers` gives ten purchase histories for fitting a lifetime model by hand,
:func:`twelve_answers` the answers to Kano's two questions on one attribute.
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


_WITH = (1, 1, 2, 1, 1, 1, 1, 3, 1, 1, 2, 1)
_WITHOUT = (5, 3, 5, 5, 5, 3, 5, 5, 2, 3, 5, 1)


def twelve_answers() -> pd.DataFrame:
    """Twelve made-up customers on one attribute, asked Kano's two questions.

    Returns
    -------
    DataFrame
        customer, with, without; the answers coded 1 like, 2 must-be, 3 neutral, 4 live with,
        5 dislike.
    """
    return pd.DataFrame({"customer": list("ABCDEFGHIJKL"), "with": _WITH, "without": _WITHOUT})
