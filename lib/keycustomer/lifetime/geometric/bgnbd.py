"""BG/NBD: repeat purchases of customers who may leave after each of them.

How many customers are still alive, and how much will they buy?  Customers buy at a rate of their
own (a gamma law of r and alpha) and leave after any repeat purchase with a probability of their
own (a beta law of a and b).  :func:`fit_bgnbd` fits the model, :class:`BgNbd` answers.  A customer
who never came back cannot have left by this model; in
:mod:`keycustomer.lifetime.geometric.mbgnbd` it can.

Source: Fader, Hardie & Lee (2005), "Counting your customers the easy way: an alternative to the
Pareto/NBD model", Marketing Science 24, 275-284.
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


class BgNbd(GeometricDropoutModel):
    """A fitted BG/NBD model; see :class:`~keycustomer.lifetime.transactions.TransactionModel`."""

    first_occasion: ClassVar[int] = 0
    title: ClassVar[str] = "BG/NBD"


def fit_bgnbd(
    customers: pd.DataFrame | Histories,
    *,
    unit: str | None = None,
    start: Sequence[float] | FloatArray | None = None,
) -> BgNbd:
    """Fit the BG/NBD model by maximum likelihood.

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
    BgNbd
        With parameters r, alpha, a and b; or, where the likelihood is largest at infinity, those
        of the limit it leads to, and `limit` saying which.

    Raises
    ------
    ValueError
        When the table is not one of purchase histories, or the start is not four positive numbers.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24, equations 6, 7 and 10.
    """
    return fit_geometric(BgNbd, read_histories(customers, unit=unit), start)
