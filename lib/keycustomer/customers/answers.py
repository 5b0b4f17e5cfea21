"""One question about the customers, answered by name and number.

Every part of the differentiation report returns an :class:`Answer`: the question, how many
customers it concerns, their share of the value, and who they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pandas as pd

from keycustomer.customers.rendering import report_html


@dataclass(frozen=True)
class Answer:
    """The answer to one question about the customers.

    Attributes
    ----------
    name : str
        Short name of the answer, for code.
    question : str
        The question in plain words.
    n : int
        Customers the answer names.
    share_customers : float
        Their share of the customers asked about, 0..1; NaN where nobody could be asked about.
    value : float
        Their value, currency.
    share_value : float
        Their share of the total value, 0..1; NaN where the total is not positive.
    sentence : str
        The answer in words, computed.
    customers : DataFrame
        Who they are, one row a customer, `customer_id` first, the most important first.
    """

    name: str
    question: str
    n: int
    share_customers: float
    value: float
    share_value: float
    sentence: str
    customers: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return the customers named, one row each."""
        return self.customers.copy()

    def _repr_html_(self) -> str:
        return report_html(self.question, [self.sentence], {})

    @property
    def row(self) -> dict[str, object]:
        """The answer without its customers, as a row of the report."""
        return {
            "name": self.name,
            "question": self.question,
            "customers": self.n,
            "share_customers": self.share_customers,
            "value": self.value,
            "share_value": self.share_value,
            "answer": self.sentence,
        }


def whole_customers(share: float, customers: int) -> int:
    """Count the customers of a top share, rounded up: at least one where there is one.

    Parameters
    ----------
    share : float
        Share of the customers, 0..1.
    customers : int
        Customers in all.

    Examples
    --------
    >>> whole_customers(0.05, 2469)
    124
    """
    return math.ceil(customers * share - 1e-9)


def ranked(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """Sort customers by falling value, equal ones by id, so that ranks never depend on luck.

    Parameters
    ----------
    table : DataFrame
        customer_id and `value`.
    value : str
        Column to rank by.
    """
    return table.sort_values([value, "customer_id"], ascending=[False, True], ignore_index=True)
