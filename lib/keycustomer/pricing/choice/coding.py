"""Coefficients of a choice model: which column of numbers belongs to which attribute and level.

A number enters as it is, an attribute of levels as one column for every level but the reference.
The option to take none has zeros there and a constant of its own.  An interaction such as
``"price:segment"`` multiplies the columns of both; one with ``alternative`` gives a variable a
coefficient of its own for each alternative.  :func:`coding_of` says which coefficients there are,
:meth:`Coding.design` computes their columns for any table of alternatives, also of new offers.

Source: Train, "Discrete Choice Methods with Simulation" (2009), section 2.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from keycustomer.pricing.choice.choice_data import NONE_COLUMN, ChoiceData
from keycustomer.stats.samples import FloatArray

Constants = Literal["none option", "alternatives"]
Factor = tuple[str, str]
"""A column, and the level it must have; the level is empty where the column is a number."""

ALTERNATIVE = "alternative"
NONE_OPTION = "none of the offers"
"""Name of the constant of the option to take none."""


@dataclass(frozen=True)
class Coefficient:
    """A coefficient and the factors whose product it multiplies.

    Attributes
    ----------
    factors : tuple of (str, str)
        One or two factors: a column, and its level or nothing.
    """

    factors: tuple[Factor, ...]

    @property
    def name(self) -> str:
        """Name, such as ``energy: green`` or ``price * segment: B``."""
        return " * ".join(factor_name(*one) for one in self.factors)

    def beside(self, factor: Factor) -> tuple[Factor, ...] | None:
        """Other factors of the coefficient; None where `factor` is not among its own."""
        if factor not in self.factors:
            return None
        return tuple(one for one in self.factors if one != factor)


def factor_name(column: str, level: str) -> str:
    """Name of a factor: ``price``, ``energy: green``."""
    return f"{column}: {level}" if level else column


@dataclass(frozen=True)
class Coding:
    """The coefficients of a model, and what their columns are computed from.

    Attributes
    ----------
    coefficients : tuple of Coefficient
        In the order of the columns.
    price : str
        Column of the price.
    attributes : tuple of str
        Columns of what the alternatives offer.
    levels : dict of str to tuple of str
        Levels by column that is no number, the reference first; ``alternative`` among them where
        its labels matter.
    """

    coefficients: tuple[Coefficient, ...]
    price: str
    attributes: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]

    @property
    def names(self) -> list[str]:
        """Names of the coefficients."""
        return [one.name for one in self.coefficients]

    def design(self, frame: pd.DataFrame) -> FloatArray:
        """Compute the columns of the coefficients.

        Parameters
        ----------
        frame : DataFrame
            One row an alternative with price, attributes and the other columns the model uses, and
            ``is_none`` where some of them are the option to take none.

        Returns
        -------
        ndarray, shape (rows, coefficients)

        Raises
        ------
        ValueError
            When a column or a value is missing, or a level is not one of the model's.
        """
        factors = dict.fromkeys(one for each in self.coefficients for one in each.factors)
        columns = {factor: self._column(frame, *factor) for factor in factors}
        design = np.empty((len(frame), len(self.coefficients)), order="F")
        for place, one in enumerate(self.coefficients):
            design[:, place] = np.prod([columns[factor] for factor in one.factors], axis=0)
        return design

    def _column(self, frame: pd.DataFrame, column: str, level: str) -> FloatArray:
        is_none = is_none_row(frame)
        if column == NONE_OPTION:
            return is_none.astype(float)
        if column not in frame:
            raise ValueError(
                f"the model needs the column {column!r}; there are {', '.join(map(str, frame))}"
            )
        values = frame[column]
        offered = column == self.price or column in self.attributes
        found: FloatArray
        if level:
            _check_levels(values[~is_none] if offered else values, column, self.levels[column])
            found = np.array(values.astype(str) == level, dtype=np.float64)
        else:
            found = np.array(pd.to_numeric(values, errors="coerce"), dtype=float)
        if offered:
            found[is_none] = 0.0
        _check_numbers(found, frame, column)
        return found


def is_none_row(frame: pd.DataFrame) -> np.ndarray:
    """Whether each row is the option to take none, shape (rows,)."""
    if NONE_COLUMN not in frame:
        return np.zeros(len(frame), dtype=bool)
    return frame[NONE_COLUMN].to_numpy(dtype=bool)


def _check_levels(values: pd.Series, column: str, levels: Sequence[str]) -> None:
    strangers = sorted({str(one) for one in values.unique()} - set(levels))
    if strangers:
        raise ValueError(
            f"column {column!r} holds {', '.join(map(repr, strangers[:5]))}; the model knows "
            f"{', '.join(map(repr, levels))}"
        )


def _check_numbers(values: FloatArray, frame: pd.DataFrame, column: str) -> None:
    wrong = ~np.isfinite(values)
    if wrong.any():
        raise ValueError(
            f"column {column!r} has {wrong.sum():,} values that are no finite numbers, first at "
            f"rows {frame.index[wrong][:3].tolist()}; fill them in or leave these tasks out"
        )


def coding_of(
    data: ChoiceData,
    *,
    price: str | None = None,
    attributes: Sequence[str] | None = None,
    constants: Constants | None = "none option",
    reference: str | None = None,
    interactions: Sequence[str] = (),
) -> Coding:
    """Say which coefficients a model has.

    Parameters
    ----------
    data : ChoiceData
        Answered tasks.
    price, attributes, constants, reference, interactions
        As in :func:`keycustomer.pricing.fit_logit`.
    """
    price = data.price if price is None else price
    offered = data.attributes if attributes is None else tuple(attributes)
    _check_arguments(data, price, offered, constants, reference)
    levels = {name: data.levels[name] for name in offered if name in data.levels}
    levels[ALTERNATIVE] = _alternatives(data, reference)
    offered = tuple(name for name in offered if name != price)
    mains = [Coefficient((factor,)) for factor in _constants(data, constants, levels)]
    mains.append(Coefficient(((price, ""),)))
    mains += [Coefficient((factor,)) for name in offered for factor in _factors(name, levels)]
    crossed = _crossed(data, interactions, {price, *offered}, levels)
    return Coding((*mains, *crossed), price, _offered(data, offered, interactions), levels)


def _check_arguments(
    data: ChoiceData,
    price: str,
    offered: tuple[str, ...],
    constants: str | None,
    reference: str | None,
) -> None:
    if constants not in (None, "none option", "alternatives"):
        raise ValueError(
            f"constants={constants!r}: give 'none option', 'alternatives', or None for none"
        )
    missing = [name for name in (price, *offered) if name not in data.frame]
    if missing:
        raise ValueError(
            f"the tasks have no column {', '.join(map(repr, missing))}; there are "
            f"{', '.join((data.price, *data.attributes))}"
        )
    if price in data.levels:
        raise ValueError(f"price={price!r} is one of levels; give the column of the price")
    if reference is not None and reference not in data.alternatives:
        raise ValueError(
            f"reference={reference!r} is no alternative; there are {', '.join(data.alternatives)}"
        )


def _alternatives(data: ChoiceData, reference: str | None) -> tuple[str, ...]:
    first = data.alternatives[0] if reference is None else reference
    return (first, *(one for one in data.alternatives if one != first))


def _constants(
    data: ChoiceData, constants: str | None, levels: Mapping[str, Sequence[str]]
) -> list[Factor]:
    if constants == "alternatives":
        return [(ALTERNATIVE, one) for one in levels[ALTERNATIVE][1:]]
    return [(NONE_OPTION, "")] if constants == "none option" and data.has_none else []


def _factors(name: str, levels: Mapping[str, Sequence[str]]) -> list[Factor]:
    return [(name, level) for level in levels[name][1:]] if name in levels else [(name, "")]


def _crossed(
    data: ChoiceData,
    interactions: Sequence[str],
    mains: set[str],
    levels: dict[str, tuple[str, ...]],
) -> Iterator[Coefficient]:
    if isinstance(interactions, str):
        raise TypeError(f"interactions={interactions!r} is one text; give [{interactions!r}]")
    for one in interactions:
        names = [part.strip() for part in one.split(":")]
        if len(names) != 2 or names[0] == names[1]:
            raise ValueError(f"interaction {one!r}: give two columns, such as 'price:segment'")
        for name in names:
            _learn_levels(data, name, levels)
        left, right = (_factors(name, levels) for name in names)
        if ALTERNATIVE in names:
            other = next(name for name in names if name != ALTERNATIVE)
            every = other not in mains and _varies_within(data, other)
            left = [(ALTERNATIVE, a) for a in levels[ALTERNATIVE][0 if every else 1 :]]
            right = _factors(other, levels)
        yield from (Coefficient((a, b)) for a in left for b in right)


def _learn_levels(data: ChoiceData, name: str, levels: dict[str, tuple[str, ...]]) -> None:
    """Note the levels of a column of the respondents that is no number."""
    if name in levels:
        return
    if name not in data.frame:
        raise ValueError(
            f"an interaction names the column {name!r}; there are "
            f"{', '.join(map(str, data.frame))}; what is known of respondents comes in by "
            "read_choices(traits=...)"
        )
    values = data.frame[name]
    if name in data.levels:
        levels[name] = data.levels[name]
    elif values.dtype.kind not in "iufb":
        levels[name] = tuple(sorted(values.dropna().astype(str).unique()))


def _varies_within(data: ChoiceData, name: str) -> bool:
    values = pd.factorize(data.frame[name])[0]
    first = np.repeat(values[data.starts], np.diff(data.starts, append=len(values)))
    return bool((values != first).any())


def _offered(
    data: ChoiceData, offered: tuple[str, ...], interactions: Sequence[str]
) -> tuple[str, ...]:
    """Attributes of the alternatives that the model uses, also in interactions only."""
    named = [part.strip() for one in interactions for part in one.split(":")]
    return (*offered, *(n for n in data.attributes if n in named and n not in offered))
