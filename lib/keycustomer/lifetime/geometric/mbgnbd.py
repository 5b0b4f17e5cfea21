"""MBG/NBD: repeat purchases of customers who may leave after any purchase, the first included.

How many customers are still alive, and how much will they buy?  As in the BG/NBD model
(:mod:`keycustomer.lifetime.geometric.bgnbd`) customers buy at a rate of their own and leave with a
probability of their own, but they may leave after the first purchase too: one who never came back
may be gone.  :func:`fit_mbgnbd` fits the model, :class:`MbgNbd` answers.

Source: Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for
customer base analysis", International Journal of Research in Marketing 24, 201-209.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pandas as pd

from keycustomer.lifetime.geometric.dropout_after_purchase import (
    GeometricDropoutModel,
    fit_geometric,
)
from keycustomer.lifetime.histories import Histories, read_histories
from keycustomer.stats.samples import FloatArray


class MbgNbd(GeometricDropoutModel):
    """A fitted MBG/NBD model; see :class:`~keycustomer.lifetime.transactions.TransactionModel`."""

    first_occasion: ClassVar[int] = 1
    title: ClassVar[str] = "MBG/NBD"


def fit_mbgnbd(
    customers: pd.DataFrame | Histories,
    *,
    unit: str | None = None,
    start: Sequence[float] | FloatArray | None = None,
) -> MbgNbd:
    """Fit the MBG/NBD model by maximum likelihood.

    Parameters
    ----------
    customers : DataFrame or Histories
        A customer table with frequency, recency and T (in days), or histories.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        Unit of time of the parameters; left out, weeks, or the unit of the histories given.
    start : array, shape (4,), optional
        Parameters r, alpha, a, b to begin the search at; the result does not depend on them.

    Returns
    -------
    MbgNbd
        With parameters r, alpha, a and b; or, where the likelihood is largest at infinity, those
        of the limit it leads to, and `limit` saying which.

    Raises
    ------
    ValueError
        When the table is not one of purchase histories, or the start is not four positive numbers.

    References
    ----------
    Batislam, Denizel & Filiztekin (2007), International Journal of Research in Marketing 24.
    """
    return fit_geometric(MbgNbd, read_histories(customers, unit=unit), start)
