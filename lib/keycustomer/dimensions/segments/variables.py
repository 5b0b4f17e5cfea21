"""Variables of four kinds, made comparable and weighed by kind, before any segment is sought.

Customers differ in what they think (psychographic), what they are (demographic, firmographic), what
they bring (value) and where they are (geographic).  Distances between customers mean something only
when the variables are on one scale, and when the kind with the most columns does not decide alone.
:func:`read_variables` standardises numbers, codes categories, and scales every kind so that it
makes its stated share of the squared distance between two customers.

Every variable has variance 1 before the weights; a category of several levels shares that variance
among its codes.  The mean squared distance between two customers is twice the sum of the variances,
so a kind of weight w with m variables is multiplied by the root of w / m.

Sources: Wedel & Kamakura, "Market Segmentation" (2000), chapter 2, for the bases of segmentation;
Dolnicar, Grün & Leisch, "Market Segmentation Analysis" (2018), chapters 5 and 7.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted
from keycustomer.dimensions.complaints import listed, refuse
from keycustomer.stats.samples import FloatArray

FEWEST = 20
"""Customers below which no segments are sought."""

RAREST = 0.01
"""Levels of a category with a smaller share of the customers are counted as `other`."""

MOST_LEVELS = 15
"""Levels of a category that are kept; the rarer ones become `other`."""

TOGETHER = 3
"""Values not known of one customer from which it is told."""

SKEWED = 3.0
"""Skewness from which a number is said to need a logarithm."""

OTHER, UNKNOWN = "other", "not known"
"""Levels for rare categories and for categories that were not given."""

SHOWN = 3
"""Offending values named in a message."""


@dataclass(frozen=True)
class Variable:
    """One variable, and how it becomes numbers.

    Attributes
    ----------
    name, kind : str
        Column of the table, and the kind it belongs to.
    logged : bool
        Whether log(1 + x) is taken first.
    centre, spread : float
        Mean and standard deviation of a number (after the logarithm); 0 and 1 for a category.
    levels : tuple of str
        Levels of a category; empty for a number.
    """

    name: str
    kind: str
    logged: bool = False
    centre: float = 0.0
    spread: float = 1.0
    levels: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Number of columns the variable is coded in."""
        return len(self.levels) or 1

    def standardised(self, values: pd.Series) -> FloatArray:
        """Return values as standardised numbers or 0/1 codes, shape (customers, width).

        Numbers not known are 0, the mean; levels not seen before count as `other`, and as no level
        where there is none.
        """
        if not self.levels:
            numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
            numbers = np.log1p(numbers) if self.logged else numbers
            return np.nan_to_num((numbers - self.centre) / self.spread, nan=0.0)[:, None]
        given = _texts(values)
        texts = given.where(given.isin(self.levels), OTHER).to_numpy(dtype=object)
        return (texts[:, None] == np.array(self.levels, dtype=object)).astype(float)


@dataclass(frozen=True, eq=False)
class SegmentVariables:
    """Customers described by variables of several kinds, ready for a search for segments.

    Attributes
    ----------
    customers : ndarray, shape (customers,)
        Ids.
    variables : tuple of Variable
        The variables in the order of their kinds.
    weights : dict of str to float
        Share of the squared distance that each kind makes; the shares add up to 1.
    weighed : bool
        Whether the shares were given, or are equal for want of others.
    plain : ndarray, shape (customers, codes)
        Standardised numbers and 0/1 codes.
    middle, scale : ndarray, shape (codes,)
        What is taken off `plain`, and what it is multiplied by, to weigh the kinds.
    excluded : int
        Customers left out because a value is not known.
    notes : tuple of str
        What a reader must know: values filled in, levels put together, numbers very skewed.
    """

    customers: np.ndarray = field(repr=False)
    variables: tuple[Variable, ...]
    weights: dict[str, float]
    weighed: bool
    plain: FloatArray = field(repr=False)
    middle: FloatArray = field(repr=False)
    scale: FloatArray = field(repr=False)
    excluded: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Count the customers."""
        return len(self.plain)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of variable, in order."""
        return tuple(self.weights)

    @property
    def coded(self) -> FloatArray:
        """Weighted codes: squared distances between these rows are what k-means works on."""
        return (self.plain - self.middle) * self.scale

    def codes_of(self, *, kind: str | None = None, name: str | None = None) -> np.ndarray:
        """Positions of the codes of a kind or of a variable."""
        owners = [v for v in self.variables for _ in range(v.width)]
        return np.flatnonzero([v.kind == kind or v.name == name for v in owners])

    def take(self, rows: np.ndarray) -> SegmentVariables:
        """Return some of the customers, coded as before."""
        return replace(self, customers=self.customers[rows], plain=self.plain[rows])

    def without(self, kind: str) -> SegmentVariables:
        """Leave a kind out; the weights of the others keep their proportions.

        Raises
        ------
        ValueError
            When there is no such kind, or no other.
        """
        if kind not in self.weights or len(self.weights) < 2:
            raise ValueError(f"kind={kind!r}: one of several kinds ({listed(self.kinds)}) needed")
        kept = np.setdiff1d(np.arange(self.plain.shape[1]), self.codes_of(kind=kind))
        rest = 1 - self.weights[kind]
        weights = {name: w / rest for name, w in self.weights.items() if name != kind}
        return replace(
            self,
            variables=tuple(v for v in self.variables if v.kind != kind),
            weights=weights,
            plain=self.plain[:, kept],
            middle=self.middle[kept],
            scale=self.scale[kept] / np.sqrt(rest),
        )

    def read_again(self, frame: pd.DataFrame) -> FloatArray:
        """Code other customers by the means, spreads and levels of these.

        Parameters
        ----------
        frame : DataFrame
            One row a customer, with every variable's column; values not known count as average.

        Returns
        -------
        ndarray, shape (rows, codes)
            As `plain`.

        Raises
        ------
        ValueError
            When columns are missing, or a number is none.
        """
        missing = [v.name for v in self.variables if v.name not in frame.columns]
        if missing:
            raise ValueError(
                f"the table lacks the columns {listed(missing)}; to place customers of whom less "
                "is known, learn a rule from what is known of them: placing_rule(..., kinds=...)"
            )
        for variable in self.variables:
            if not variable.levels:
                _numbers(frame[variable.name], variable.name, variable.logged)
        return np.hstack([v.standardised(frame[v.name]) for v in self.variables])

    def to_frame(self) -> pd.DataFrame:
        """One row a variable: kind, variable, coded as, levels, share of the distance."""
        counts = pd.Series([v.kind for v in self.variables]).value_counts()
        rows = [
            {
                "kind": v.kind,
                "variable": v.name,
                "coded_as": "category" if v.levels else "logarithm" if v.logged else "number",
                "levels": len(v.levels) or None,
                "share_of_distance": self.weights[v.kind] / counts[v.kind],
            }
            for v in self.variables
        ]
        return pd.DataFrame(rows).astype({"levels": "Int64"})

    def _repr_html_(self) -> str:
        head = f"{len(self):,} customers, {len(self.variables)} variables of {len(self.kinds)} "
        said = [head + ("kinds." if len(self.kinds) != 1 else "kind."), *self.notes]
        table = self.to_frame().to_html(index=False, na_rep="", float_format="{:.3f}".format)
        return "".join(f"<p>{html.escape(one)}</p>" for one in said) + table


def read_variables(
    frame: pd.DataFrame,
    kinds: Mapping[str, Sequence[str]],
    *,
    weights: Mapping[str, float] | None = None,
    categorical: Sequence[str] = (),
    logged: Sequence[str] = (),
    missing: str = "mean",
    customer_id: str = "customer_id",
) -> SegmentVariables:
    """Read, standardise and weigh variables of several kinds.

    Parameters
    ----------
    frame : DataFrame
        One row a customer.
    kinds : mapping of str to sequence of str
        Kind of variable -> its columns, for example psychographic, firmographic, value and
        geographic.  A column is a number when all its values are, else a category.
    weights : mapping of str to float, optional
        Share of the distance each kind is to make, in any unit; left out, equal shares.
    categorical : sequence of str
        Columns of numbers that are categories, such as postal codes.
    logged : sequence of str
        Columns whose logarithm is taken, log(1 + x): amounts of money, numbers of employees.
    missing : {"mean", "listwise"}
        Values not known: the mean (for a category a level of its own), or leave the customer out.
    customer_id : str
        Column with the id; without it, the index names the customers.

    Returns
    -------
    SegmentVariables

    Raises
    ------
    ValueError
        When columns are missing, named twice, constant or not finite, a logarithm cannot be taken,
        weights do not fit, or fewer than 20 customers are left; all complaints at once.
    """
    _check_call(frame, kinds, weights, (*categorical, *logged), missing)
    names = [name for columns in kinds.values() for name in columns]
    ids = frame[customer_id] if customer_id in frame.columns else frame.index.to_series()
    unknown = frame[names].isna().any(axis=1).to_numpy()
    kept = ~unknown if missing == "listwise" else np.ones(len(frame), dtype=bool)
    if kept.sum() < FEWEST:
        raise ValueError(
            f"{kept.sum():,} customers are left of {len(frame):,}; at least {FEWEST} are needed"
            + ("" if missing == "mean" else ": with missing='mean' nobody is left out")
        )
    table, notes = frame[kept], []
    complaints: list[str] = []
    variables: list[Variable] = []
    for kind, columns in kinds.items():
        for name in columns:
            variable, said = _described(table[name], kind, name in categorical, name in logged)
            if isinstance(variable, Variable):
                variables.append(variable)
            else:
                complaints.append(variable)
            notes += said
    refuse(complaints)
    notes += _unknown_together(table[names])
    return _weighed(
        table, ids[kept].to_numpy(), tuple(variables), weights, int((~kept).sum()), notes
    )


def _unknown_together(table: pd.DataFrame) -> list[str]:
    """Warn of customers who lack several values at once: filled in, they look alike."""
    several = int((table.isna().sum(axis=1) >= TOGETHER).sum())
    if several < max(1, RAREST * len(table)):
        return []
    return [
        f"{counted(several, 'customer')} lack {TOGETHER} or more values at once; filled in they "
        "look alike and may make a segment of their own: compare with missing='listwise'"
    ]


def _check_call(
    frame: pd.DataFrame,
    kinds: Mapping[str, Sequence[str]],
    weights: Mapping[str, float] | None,
    marked: Sequence[str],
    missing: str,
) -> None:
    if missing not in ("mean", "listwise"):
        raise ValueError(f"missing={missing!r}: 'mean' or 'listwise' is needed")
    single = [kind for kind, columns in kinds.items() if isinstance(columns, str) or not columns]
    names = [name for kind, columns in kinds.items() if kind not in single for name in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    absent = [name for name in names if name not in frame.columns]
    stray = [name for name in marked if name not in names]
    complaints = [
        *(["kinds is empty: name at least one kind with its columns"] if not kinds else []),
        *([f"kinds: a list of columns is needed for {listed(single)}"] if single else []),
        *([f"kinds: {listed(twice)} named twice; a column is of one kind"] if twice else []),
        *(
            [f"kinds: no column {listed(absent)}; the table has {listed(frame.columns)}"]
            if absent
            else []
        ),
        *([f"categorical, logged: {listed(stray)} is in no kind"] if stray else []),
        *_wrong_weights(kinds, weights),
    ]
    refuse(complaints)


def _wrong_weights(
    kinds: Mapping[str, Sequence[str]], weights: Mapping[str, float] | None
) -> list[str]:
    if weights is None:
        return []
    if set(weights) != set(kinds):
        return [f"weights: one for each kind ({listed(kinds)}) is needed, got {listed(weights)}"]
    wrong = [kind for kind, weight in weights.items() if not 0 < weight < np.inf]
    cure = "leave a kind that is not to count out of kinds"
    return [f"weights: {listed(wrong)} must be above zero; {cure}"] if wrong else []


def _described(
    values: pd.Series, kind: str, category: bool, logged: bool
) -> tuple[Variable | str, list[str]]:
    """Describe a variable, or say what is wrong with it; and what a reader must know of it."""
    name, known = str(values.name), values.dropna()
    if not len(known):
        return f"{name}: no value is known; leave it out", []
    blanks = int(values.isna().sum())
    is_number = pd.to_numeric(known, errors="coerce").notna().all() and known.dtype != bool
    if category or not is_number:
        if logged:
            return f"{name}: no logarithm of {list(known.unique()[:SHOWN])}", []
        return _category(values, kind, name, blanks)
    try:
        numbers = _numbers(known, name, logged)
    except ValueError as error:
        return str(error), []
    centre, spread = float(numbers.mean()), float(numbers.std())
    if spread <= 1e-12 * max(1.0, abs(centre)):
        return f"{name} is constant ({known.iloc[0]}): it tells no customer apart; leave it out", []
    said = [f"{name}: {counted(blanks, 'value')} not known, taken as the mean"] if blanks else []
    skewness = float((((numbers - centre) / spread) ** 3).mean())
    if skewness > SKEWED and not logged:
        few = "its few largest values will make segments of their own; consider logged=[...]"
        said.append(f"{name} is very skewed ({skewness:.1f}): {few}")
    return Variable(name, kind, logged, centre, spread), said


def _numbers(values: pd.Series, name: str, logged: bool) -> FloatArray:
    """Read numbers, logged where asked; refuse text, infinities and logarithms of -1 or less."""
    given = values.dropna()
    numbers = pd.to_numeric(given, errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(numbers) | (logged & (numbers <= -1))
    if wrong.any():
        first = [str(value) for value in given[wrong].unique()[:SHOWN]]
        what = "no logarithm can be taken of" if logged else "not a finite number:"
        raise ValueError(f"{name}: {what} {listed(first)} ({counted(int(wrong.sum()), 'value')})")
    return np.log1p(numbers) if logged else numbers


def _texts(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), UNKNOWN).astype(str)


def _category(
    values: pd.Series, kind: str, name: str, blanks: int
) -> tuple[Variable | str, list[str]]:
    shares = _texts(values).value_counts(normalize=True)
    if len(shares) < 2:
        return f"{name} is constant ({shares.index[0]}): it tells no customer apart", []
    if len(shares) > len(values) / 2 and len(shares) > MOST_LEVELS:
        return f"{name}: {len(shares):,} different values for {len(values):,} customers; an id?", []
    common = shares[(shares >= RAREST)].index[:MOST_LEVELS].tolist()
    rare = [level for level in shares.index if level not in common]
    said = [f"{name}: {counted(len(rare), 'rare level')} counted as '{OTHER}'"] if rare else []
    if blanks:
        said.append(f"{name}: {counted(blanks, 'value')} not known, a level of their own")
    levels = sorted({*common, OTHER} if rare else common)
    if len(levels) < 2:
        return f"{name}: all levels are rarer than {RAREST:.0%} of the customers; an id?", []
    return Variable(name, kind, levels=tuple(levels)), said


def _weighed(
    table: pd.DataFrame,
    ids: np.ndarray,
    variables: tuple[Variable, ...],
    weights: Mapping[str, float] | None,
    excluded: int,
    notes: list[str],
) -> SegmentVariables:
    plain = np.hstack([v.standardised(table[v.name]) for v in variables])
    kinds = list(dict.fromkeys(v.kind for v in variables))
    given = dict.fromkeys(kinds, 1.0) if weights is None else weights
    total = sum(given[kind] for kind in kinds)
    shares = {kind: given[kind] / total for kind in kinds}
    per_kind = {kind: sum(v.kind == kind for v in variables) for kind in kinds}
    scale, start = np.empty(plain.shape[1]), 0
    for variable in variables:
        codes = slice(start, start + variable.width)
        variance = plain[:, codes].var(axis=0).sum()
        share = shares[variable.kind] / per_kind[variable.kind]
        scale[codes] = np.sqrt(share / variance)
        start += variable.width
    if excluded:
        notes = [f"{counted(excluded, 'customer')} left out, since a value is not known", *notes]
    middle = plain.mean(axis=0)
    return SegmentVariables(
        ids, variables, shares, weights is not None, plain, middle, scale, excluded, tuple(notes)
    )
