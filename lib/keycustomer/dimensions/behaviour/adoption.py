"""Which customer bought which category first on what day: the matrix behind next needs.

:func:`read_adoption` takes it from the engine once; :class:`Adoption` then says for any day what a
customer had bought already (owned) and what it took up within a horizon after.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.table import customer_categories

PRODUCT_LEVELS = ("category", "product")
"""What can be taken up."""

MOST_CATEGORIES = 3000
"""Categories beyond which associations of each two would not fit into memory."""


@dataclass(frozen=True, eq=False)
class Adoption:
    """First purchases by customer and category.

    Attributes
    ----------
    customers, categories : Index
        Ids of the rows and names of the columns.
    row, column, day : ndarray of int64, shape (first purchases,)
        Place of the customer and the category, days from the first observed.
    days : int
        Days observed.
    """

    customers: pd.Index
    categories: pd.Index
    row: npt.NDArray[np.int64]
    column: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    days: int

    def owned(self, days: int) -> csr_matrix:
        """Categories bought within the first days: 1 by customer and category."""
        return self._matrix(self.day < days)

    def taken_up(self, days: int, horizon: int) -> csr_matrix:
        """Categories first bought within a horizon after the first days."""
        return self._matrix((self.day >= days) & (self.day < days + horizon))

    def _matrix(self, chosen: npt.NDArray[np.bool_]) -> csr_matrix:
        places = self.row[chosen], self.column[chosen]
        shape = len(self.customers), len(self.categories)
        return csr_matrix((np.ones(len(places[0])), places), shape=shape)


def read_adoption(base: CustomerBase, product_level: str) -> Adoption:
    """Read the first purchases of all customers.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    product_level : {"category", "product"}
        What is taken up.

    Raises
    ------
    ValueError
        When the base does not know categories (or products), has fewer than two of them or more
        than :data:`MOST_CATEGORIES`.
    """
    if product_level not in PRODUCT_LEVELS:
        allowed = " or ".join(map(repr, PRODUCT_LEVELS))
        raise ValueError(f"product_level={product_level!r}: choose {allowed}")
    first = customer_categories(base, product_level)
    categories = pd.Index(sorted(first["category"].unique()), name=product_level)
    if not 2 <= len(categories) <= MOST_CATEGORIES:
        other = "category" if product_level == "product" else "coarser categories of products"
        raise ValueError(
            f"{base.title}: next needs are told among 2 to {MOST_CATEGORIES:,} {product_level} "
            f"values, the base has {len(categories):,}; use {other}"
        )
    customers = pd.Index(sorted(first["customer_id"].unique()), name="customer_id")
    day = (first["first_date"] - pd.Timestamp(base.start)).dt.days
    return Adoption(
        customers=customers,
        categories=categories,
        row=customers.get_indexer(first["customer_id"]).astype(np.int64),
        column=categories.get_indexer(first["category"]).astype(np.int64),
        day=np.asarray(day, dtype=np.int64),
        days=base.days,
    )
