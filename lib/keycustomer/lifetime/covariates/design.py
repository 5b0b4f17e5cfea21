"""Covariates as numbers: how columns of a customer table enter a model.

:func:`read_design` looks at the columns once and remembers how each is coded; the resulting
:class:`Design` codes any table of the same columns, the customers fitted or others.  A numeric
column enters as its distance from the mean of the customers fitted on, so that a model's other
parameters are those of an average customer.  Any other column enters as one 0/1 column for each
of its levels but the first, so that they are those of a customer of the first level.

Source: Fader & Hardie (2007), "Incorporating time-invariant covariates into the Pareto/NBD and
BG/NBD models", for covariates that do not change over time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import need_columns
from keycustomer.stats.samples import FloatArray

SHOWN = 3
"""Offending rows named in a message."""

MOST_LEVELS = 50
"""Levels beyond which a column looks like an identifier rather than a group."""

DEPENDENT = 1e-9
"""Share of a standardised column left over by the others below which it counts as their sum."""


@dataclass(frozen=True)
class Coding:
    """How one column is coded.

    Attributes
    ----------
    column : str
        The column.
    mean : float
        What is taken off a numeric column: its mean over the customers fitted; NaN for levels.
    levels : tuple
        Levels of a column that is not numeric, the first being the one compared with.
    """

    column: str
    mean: float
    levels: tuple[object, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coded columns: `age`, or `region=north`, `region=south` ..."""
        if not self.levels:
            return (self.column,)
        return tuple(f"{self.column}={level}" for level in self.levels[1:])

    def sentence(self) -> str:
        """Say what a coefficient of this column compares with."""
        if not self.levels:
            return f"{self.column} counts from its mean, {self.mean:.6g}"
        return f"{self.column} compares with {self.levels[0]!r}"

    def code(self, values: pd.Series) -> FloatArray:
        """Code values, shape (customers, columns coded); refuse levels never seen."""
        if not self.levels:
            return values.to_numpy(np.float64)[:, None] - self.mean
        place = pd.Index(self.levels).get_indexer(pd.Index(values))
        if (place < 0).any():
            raise ValueError(
                f"customers: {self.column!r} holds {_some(values[place < 0])}, which the model "
                f"has not seen; it knows {', '.join(map(repr, self.levels))}"
            )
        return (place[:, None] == np.arange(1, len(self.levels))).astype(float)


@dataclass(frozen=True)
class Design:
    """Columns and how they are coded.

    Attributes
    ----------
    codings : tuple of Coding
        One for each column.
    """

    codings: tuple[Coding, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coded columns."""
        return tuple(name for coding in self.codings for name in coding.names)

    def code(self, customers: pd.DataFrame) -> FloatArray:
        """Code a table's columns.

        Returns
        -------
        ndarray, shape (customers, coded columns)

        Raises
        ------
        ValueError
            When a column is missing or of another kind, or a value is not known or never seen.
        """
        _check_columns(customers, [coding.column for coding in self.codings])
        parts = [np.empty((len(customers), 0))]
        for coding in self.codings:
            values = customers[coding.column]
            if not coding.levels and not _is_numeric(values):
                raise ValueError(
                    f"customers: {coding.column!r} was numeric when the model was fitted and is "
                    f"{values.dtype} here; convert it first"
                )
            parts.append(coding.code(_all_known(values, customers)))
        return np.concatenate(parts, axis=1)


def read_design(customers: pd.DataFrame, columns: Sequence[str]) -> Design:
    """Look at columns of a customer table and settle how they are coded.

    Parameters
    ----------
    customers : DataFrame
        The customers to fit on, one a row.
    columns : sequence of str
        Columns that may explain differences between customers.

    Returns
    -------
    Design

    Raises
    ------
    ValueError
        When a column is missing, holds unknown values (the rows are named) or dates, is the same
        for everybody, has too many levels, or follows from the other columns.
    """
    if isinstance(columns, str):
        raise TypeError(f"covariates={columns!r}: a list of columns is needed, [{columns!r}]")
    _check_columns(customers, columns)
    design = Design(tuple(_read_coding(customers, column) for column in columns))
    _check_independent(design, design.code(customers))
    return design


def _read_coding(customers: pd.DataFrame, column: str) -> Coding:
    values = _all_known(customers[column], customers)
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values):
        raise ValueError(
            f"customers: {column!r} holds dates; turn them into numbers first, for example days "
            "since the first one"
        )
    if values.nunique() < 2:
        raise ValueError(
            f"customers: {column!r} is {_some(values)} for everybody and can explain nothing; "
            "leave it out"
        )
    if _is_numeric(values):
        return Coding(column, float(values.to_numpy(np.float64).mean()))
    return Coding(column, np.nan, _levels(values))


def _levels(values: pd.Series) -> tuple[object, ...]:
    """Levels in their own order where the column has one, else sorted."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        levels = values.cat.remove_unused_categories().cat.categories.tolist()
    else:
        levels = sorted(values.unique().tolist(), key=lambda level: (str(type(level)), level))
    if len(levels) > MOST_LEVELS:
        raise ValueError(
            f"customers: {values.name!r} has {len(levels):,} levels, more than {MOST_LEVELS}; join "
            "rare ones, or convert it with pandas.to_numeric if they are numbers"
        )
    return tuple(levels)


def _check_columns(customers: pd.DataFrame, columns: Sequence[str]) -> None:
    need_columns(customers, columns, "covariates")
    twice = sorted({column for column in columns if list(columns).count(column) > 1})
    if twice:
        raise ValueError(f"covariates: {', '.join(map(repr, twice))} is given more than once")


def _all_known(values: pd.Series, customers: pd.DataFrame) -> pd.Series:
    """Refuse values that are not known or not finite, naming the customers."""
    unknown = values.isna().to_numpy()
    if _is_numeric(values):
        unknown = ~np.isfinite(values.to_numpy(np.float64, na_value=np.nan))
    if unknown.any():
        who = customers["customer_id"] if "customer_id" in customers.columns else customers.index
        raise ValueError(
            f"customers: {values.name!r} is not known or not finite for {unknown.sum():,} "
            f"customers ({_some(pd.Series(who)[unknown])}); give them a value or a level such as "
            "'not known', or leave them out"
        )
    return values


def _is_numeric(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _some(values: pd.Series) -> str:
    shown = values.drop_duplicates()
    more = " ..." if len(shown) > SHOWN else ""
    return ", ".join(map(repr, shown.head(SHOWN).tolist())) + more


def _check_independent(design: Design, coded: FloatArray) -> None:
    """Refuse a column that follows from those before it."""
    centred = coded - coded.mean(0)
    scaled = centred / np.linalg.norm(centred, axis=0)
    left = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    follows = [name for name, rest in zip(design.names, left, strict=False) if rest < DEPENDENT]
    if follows or coded.shape[1] > len(coded):
        raise ValueError(
            f"covariates: {', '.join(follows) or 'some'} can be computed from the others, so that "
            "their effects cannot be told apart; leave one of them out"
        )
