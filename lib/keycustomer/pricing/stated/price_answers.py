"""Answers to van Westendorp's four price questions, read from a survey.

Question: who said at which price the offer becomes too cheap, cheap, expensive, too expensive?
:func:`read_price_points` takes a customer base with a survey, or any table with four columns, and
gives :class:`PriceAnswers`: complete answers as numbers, and how many were left out for what.
Whether answers contradict themselves is told, not judged: see
:func:`~keycustomer.pricing.stated.sensitivity.price_sensitivity`.

Source: van Westendorp (1976), ESOMAR Congress, 139-167.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, made_up_note, report_html
from keycustomer.dimensions.complaints import did_you_mean, listed, refuse
from keycustomer.dimensions.measurement.survey import WAVE, open_survey
from keycustomer.pricing.panels.names import names_of

QUESTIONS = ("price_too_cheap", "price_cheap", "price_expensive", "price_too_expensive")
"""The four questions, as a survey's columns are called, from the lowest price up."""

WORDS = ("too cheap", "cheap", "expensive", "too expensive")
"""The same in words."""

CUSTOMER = "customer_id"

EVERY = "every"
"""Stands for all waves together."""

EXAMPLES = 3
"""Rows that a complaint shows."""


@dataclass(frozen=True, eq=False)
class PriceAnswers:
    """Complete answers to the four price questions.

    Attributes
    ----------
    frame : DataFrame
        One row an answered questionnaire, with the index of the table read: customer_id where it
        is known, and the four prices under the names of `QUESTIONS`, currency per unit.
    excluded : DataFrame
        reason, questionnaires: those not used.
    currency : str
        Unit of the prices; empty where it is not known.
    simulated : bool
        Whether the answers are made up.
    notes : tuple of str
        What the reader should know.
    """

    frame: pd.DataFrame
    excluded: pd.DataFrame = field(repr=False)
    currency: str = ""
    simulated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def prices(self) -> np.ndarray:
        """The four prices, shape (questionnaires, 4), from too cheap to too expensive."""
        return self.frame[list(QUESTIONS)].to_numpy(float)

    @property
    def respondents(self) -> np.ndarray:
        """Number of the respondent of each questionnaire: one person may have answered twice."""
        if CUSTOMER not in self.frame:
            return np.arange(len(self.frame))
        return pd.factorize(self.frame[CUSTOMER])[0]

    def to_frame(self) -> pd.DataFrame:
        """One row an answered questionnaire."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        told = f" in {self.currency}" if self.currency else ""
        said = [
            *made_up_note(self.simulated),
            f"{counted(len(self.frame), 'complete questionnaire')}, prices{told}.",
            *self.notes,
        ]
        tables = {"First answers": self.frame.head(5), "Not used": self.excluded}
        return report_html("Answers to four price questions", said, tables)


def read_price_points(
    source: CustomerBase | pd.DataFrame,
    *,
    wave: str | int | None = None,
    columns: Sequence[str] = QUESTIONS,
) -> PriceAnswers:
    """Read the four price questions.

    Parameters
    ----------
    source : CustomerBase or DataFrame
        A prepared base with a survey, or a table with one row a questionnaire; answers may be
        numbers or text.
    wave : str or int, optional
        Wave of a survey that asked more than once, or ``"every"`` for all of them (respondents
        are then resampled with all their answers); left out, the latest.
    columns : sequence of str
        The four columns, from too cheap to too expensive.

    Returns
    -------
    PriceAnswers

    Raises
    ------
    TypeError
        When the source is neither.
    ValueError
        With every complaint at once: no survey, columns that are not there, answers that are no
        prices, nobody who answered all four questions.
    """
    if isinstance(source, CustomerBase):
        table = _of_wave(source, wave)
        return _read(table, columns, source.currency, source.simulated, _wave_note(table, wave))
    if not isinstance(source, pd.DataFrame):
        raise TypeError(
            f"source={type(source).__name__}: a prepared CustomerBase (customers.open_base) or a "
            "table with the four price columns is needed"
        )
    if wave is not None and WAVE not in source:
        raise ValueError(f"wave={wave!r}: the table has no column {WAVE!r}; leave wave out")
    return _read(_waves_of(source, wave), columns, "", False, ())


def _of_wave(base: CustomerBase, wave: str | int | None) -> pd.DataFrame:
    survey = open_survey(base)
    if wave is None:
        return survey.latest
    if wave != EVERY and str(wave) not in survey.waves:
        raise ValueError(
            f"wave={wave!r}: the survey has waves {listed(survey.waves)}; or take 'every'"
        )
    return _waves_of(survey.table, wave)


def _waves_of(table: pd.DataFrame, wave: str | int | None) -> pd.DataFrame:
    if wave is None or wave == EVERY:
        return table
    return table[table[WAVE].astype(str) == str(wave)]


def _wave_note(table: pd.DataFrame, wave: str | int | None) -> tuple[str, ...]:
    if WAVE not in table:
        return ()
    waves = sorted(table[WAVE].astype(str).unique())
    told = "the latest" if wave is None else "as asked for"
    return (f"survey wave {', '.join(waves)} ({told})",)


def _read(
    table: pd.DataFrame,
    columns: Sequence[str],
    currency: str,
    simulated: bool,
    notes: tuple[str, ...],
) -> PriceAnswers:
    names = list(columns)
    refuse(_column_complaints(table, names), "the price questions cannot be read")
    prices = pd.DataFrame(
        {question: _numbers(table[name]) for question, name in zip(QUESTIONS, names, strict=True)}
    )
    complaints = [
        complaint
        for question, name in zip(QUESTIONS, names, strict=True)
        for complaint in _value_complaints(name, table[name], prices[question])
    ]
    complaints += _customer_complaints(table)
    refuse(complaints, "the price questions cannot be read")
    silent, complete = prices.isna().all(axis=1), prices.notna().all(axis=1)
    if not complete.any():
        raise ValueError(
            f"nobody of {counted(len(table), 'respondent')} answered all four price questions "
            f"{listed(names)}: there is nothing to measure"
        )
    if CUSTOMER in table:
        prices.insert(0, CUSTOMER, names_of(table[CUSTOMER]))
    excluded = _excluded(int(silent.sum()), int((~silent & ~complete).sum()))
    return PriceAnswers(prices[complete], excluded, currency, simulated, notes)


def _excluded(silent: int, partly: int) -> pd.DataFrame:
    rows = [("no price question answered", silent), ("some price questions left open", partly)]
    return pd.DataFrame(
        [row for row in rows if row[1]], columns=["reason", "questionnaires"]
    ).astype({"questionnaires": int})


def _column_complaints(table: pd.DataFrame, names: list[str]) -> Iterable[str]:
    if len(names) != len(QUESTIONS) or len(set(names)) != len(names):
        return [
            f"columns={names!r}: four different ones are needed, in the order {', '.join(WORDS)}"
        ]
    twice = [name for name in (*names, CUSTOMER) if int((table.columns == name).sum()) > 1]
    if twice:
        return [f"column {name!r} is in the table more than once" for name in twice]
    return [
        f"column {name!r} is not in the table"
        + (did_you_mean(name, table.columns) or f"; its columns are {listed(table.columns, 8)}")
        for name in names
        if name not in table
    ]


def _customer_complaints(table: pd.DataFrame) -> list[str]:
    """Tell of questionnaires without a customer_id: together they would count as one person."""
    if CUSTOMER not in table or not table[CUSTOMER].isna().any():
        return []
    rows = table.index[table[CUSTOMER].isna()]
    return [
        f"column {CUSTOMER!r}: {counted(len(rows), 'questionnaire')} without one, first at rows "
        f"{', '.join(map(repr, rows[:EXAMPLES].tolist()))}; fill them in, or drop the column when "
        "everybody answered once"
    ]


def _numbers(column: pd.Series) -> pd.Series:
    if column.dtype.kind in "iuf":
        return column.astype(float)
    blank = column.isna() | (column.astype(str).str.strip() == "")
    return pd.to_numeric(column.where(~blank), errors="coerce").astype(float)


def _value_complaints(name: str, given: pd.Series, read: pd.Series) -> list[str]:
    blank = given.isna() | (given.astype(str).str.strip() == "")
    found = []
    for wrong, what in (
        (read.isna() & ~blank, "no number"),
        (read < 0, "below zero"),
        (read == np.inf, "infinite"),
    ):
        if wrong.any():
            rows = given[wrong]
            first = ", ".join(map(repr, rows.iloc[:EXAMPLES].tolist()))
            found.append(
                f"column {name!r}: {counted(len(rows), 'answer')} "
                f"{'is' if len(rows) == 1 else 'are'} {what}, first at rows "
                f"{', '.join(map(repr, rows.index[:EXAMPLES].tolist()))}: {first}; correct them or "
                "leave them blank"
            )
    return found
