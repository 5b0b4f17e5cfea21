"""What a fitted model says of every history a customer may have.

Who is alive, and who will buy how much, by how often a customer came back and when it was last
seen?  :func:`alive_matrix` and :func:`purchase_matrix` ask a model about customers of one age with
every frequency and recency; the answers are a :class:`HistoryMatrix`.  Histories that cannot be
stay empty: nobody who never came back has a recency, and as the purchases of a day (in BG/BB, of
an opportunity) are one, x repeat purchases take x days.

Source: Fader, Hardie & Lee (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base
Analysis", Journal of Marketing Research 42, for the view of value by frequency and recency.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from keycustomer.lifetime.histories import Histories
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.lifetime.units import days_in
from keycustomer.stats.samples import FloatArray

STEPS = 40
"""Recencies of a matrix: fine enough for an eye, coarse enough for a table."""

MOST_FREQUENT = 0.998
"""Share of the fitted customers whose frequencies a matrix shows when none are asked for."""

DISCRETE = ("BG/BB",)
"""Models whose customers buy at discrete opportunities, so that all times are whole."""

MOST_ROWS = 60
"""Largest frequency shown when none are asked for."""


@dataclass(frozen=True, eq=False)
class HistoryMatrix:
    """A model's answer for every frequency and recency at one age.

    Attributes
    ----------
    measure : {"probability_alive", "expected_purchases"}
        What the cells hold: a share, or purchases in the horizon.
    frame : DataFrame
        Index frequency (repeat purchases), columns recency (age at the last purchase, in `unit`);
        NaN where no such history can be.
    T : float
        Age of the customers, in `unit`.
    horizon : float
        Time ahead in which purchases are expected, in `unit`; 0 for the probability alive.
    unit : str
        Unit of time.
    model : str
        Name of the model.
    """

    measure: Literal["probability_alive", "expected_purchases"]
    frame: pd.DataFrame
    T: float
    horizon: float
    unit: str
    model: str

    def to_frame(self) -> pd.DataFrame:
        """One row a possible history: frequency, recency, T and the measure."""
        long = self.frame.stack().dropna()
        frequency, recency = (long.index.get_level_values(level) for level in (0, 1))
        return pd.DataFrame(
            {
                "frequency": frequency,
                "recency": recency.astype(float),
                "T": self.T,
                self.measure: long.to_numpy(),
            }
        )

    def _repr_html_(self) -> str:
        ahead = f" within {self.horizon:g} {self.unit}s" if self.horizon else ""
        said = (
            f"{self.measure.replace('_', ' ')}{ahead} by {self.model}, customers of age "
            f"{self.T:g} {self.unit}s, by frequency and recency ({self.unit}s)"
        )
        table = self.frame.to_html(float_format="{:.3g}".format, na_rep="")
        return f"<p>{html.escape(said)}</p>{table}"


def alive_matrix(
    model: TransactionModel, *, T: float | None = None, frequencies: Sequence[int] | None = None
) -> HistoryMatrix:
    """Probability that a customer is alive, by frequency and recency.

    Parameters
    ----------
    model : TransactionModel
        A fitted model, such as :func:`fit_bgnbd` gives.
    T : float, optional
        Age of the customers, in the model's unit; left out, that of the oldest it was fitted on.
    frequencies : sequence of int, optional
        Numbers of repeat purchases; left out, all up to one that next to no customer exceeds.

    Returns
    -------
    HistoryMatrix

    Raises
    ------
    ValueError
        When the age is not a positive number or a frequency is no whole number of at least 0.
    """
    asked = _histories(model, T, frequencies)
    return _matrix(model, asked, model.probability_alive(asked), "probability_alive", 0.0)


def purchase_matrix(
    model: TransactionModel,
    horizon: float,
    *,
    T: float | None = None,
    frequencies: Sequence[int] | None = None,
) -> HistoryMatrix:
    """Purchases expected of a customer in the horizon ahead, by frequency and recency.

    Parameters
    ----------
    model : TransactionModel
        A fitted model, such as :func:`fit_bgnbd` gives.
    horizon : float
        Length of time ahead, in the model's unit.
    T, frequencies
        As in :func:`alive_matrix`.

    Returns
    -------
    HistoryMatrix

    Raises
    ------
    ValueError
        When the horizon or age is not a positive number, or a frequency no whole number.
    """
    ahead = _positive("horizon", horizon, model.unit)
    asked = _histories(model, T, frequencies)
    expected = model.expected_purchases(ahead, asked)
    return _matrix(model, asked, expected, "expected_purchases", ahead)


def _histories(
    model: TransactionModel, T: float | None, frequencies: Sequence[int] | None
) -> Histories:
    """Every history of customers of one age that can be."""
    age = _positive("T", model.histories.T.max() if T is None else T, model.unit)
    recencies = _recencies(model, age)
    x, t_x = np.meshgrid(_frequencies(model, frequencies), recencies, indexing="ij")
    longest = t_x if model.model in DISCRETE else t_x * days_in(model.unit)
    possible = np.where(x == 0, t_x == 0, longest >= x)
    frequency, recency = x[possible], t_x[possible]
    return replace(
        model.histories,
        frequency=frequency,
        recency=recency,
        T=np.full(frequency.size, age),
        weights=np.ones(frequency.size),
        row_of_customer=None,
        never_bought=0,
    )


def _recencies(model: TransactionModel, age: float) -> FloatArray:
    """Recencies to show, rising from 0 to the age."""
    return np.linspace(0.0, age, round(age) + 1 if model.model in DISCRETE else STEPS)


def _frequencies(model: TransactionModel, asked: Sequence[int] | None) -> FloatArray:
    """Frequencies to show, rising, 0 among them when none are asked for."""
    if asked is None:
        known = model.histories
        customers = np.cumsum(known.by_frequency(known.weights))
        place = int(np.searchsorted(customers, MOST_FREQUENT * customers[-1]))
        return np.arange(min(max(known.frequencies[place], 5.0), MOST_ROWS) + 1)
    frequencies = np.unique(np.asarray(asked, dtype=float))
    if not frequencies.size or not ((frequencies >= 0) & (frequencies % 1 == 0)).all():
        raise ValueError(
            f"frequencies={asked!r}: whole numbers of at least 0 are needed, for example range(21)"
        )
    return frequencies


def _positive(argument: str, value: float, unit: str) -> float:
    if not 0 < value < np.inf:
        raise ValueError(f"{argument}={value!r}: a number of {unit}s above 0 is needed")
    return float(value)


def _matrix(
    model: TransactionModel,
    asked: Histories,
    answers: FloatArray,
    measure: Literal["probability_alive", "expected_purchases"],
    horizon: float,
) -> HistoryMatrix:
    age = float(asked.T[0])
    frame = pd.DataFrame(
        np.nan,
        index=pd.Index(asked.frequencies.astype(int), name="frequency"),
        columns=pd.Index(_recencies(model, age), name="recency"),
    )
    cells = frame.to_numpy(copy=True)
    cells[asked.frequency_index, np.searchsorted(frame.columns, asked.recency)] = answers
    frame = pd.DataFrame(cells, index=frame.index, columns=frame.columns)
    return HistoryMatrix(measure, frame, age, horizon, model.unit, model.model)
