"""Structureless data: customers as spread and correlated as the real ones, but of a single kind.

Every method finds segments, in a cloud without any too, and cuts a long cloud in two halves quite
reproducibly.  So what is found must be held against data that have no segments:
:class:`Structureless` draws customers from one normal cloud and bends it to the variables' spread
and skewness (Yeo-Johnson), their few values (thresholds) or their levels, with the correlations of
the real ones.  A single cloud has no gaps: humps of a variable's distribution are not copied.

Sources: Tibshirani, Walther & Hastie (2001), the gap statistic; Liu, Hayes, Nobel & Marron (2008),
SigClust, for a single normal as the reference; Cario & Nelson (1997) for the correlations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from keycustomer.dimensions.segments.variables import SegmentVariables
from keycustomer.stats.samples import FloatArray

FEW_VALUES = 10
"""Different values up to which a number is drawn by thresholds, as a rating is."""

HEAPED = 0.05
"""Share of the customers with one and the same value from which a number is drawn so too: a curve
would not copy the heap, such as that of firms with a single site."""

TRIAL = 10_000
"""Customers on which the correlations are adjusted; made exactly uncorrelated before."""

ROUNDS = 4
"""Adjustments of the correlations; the last changes them by less than .01."""


@dataclass(frozen=True, eq=False)
class _Curve:
    """A number that follows from a normal one by a smooth curve."""

    curve: float
    centre: float
    spread: float
    ends: tuple[float, float]

    def numbers(self, normal: FloatArray) -> FloatArray:
        """Give the number of every customer."""
        return np.clip(_unbend(self.centre + self.spread * normal, self.curve), *self.ends)

    def codes(self, normal: FloatArray) -> FloatArray:
        """Give its one code."""
        return self.numbers(normal)[:, None]


@dataclass(frozen=True, eq=False)
class _Steps:
    """A rating or category that follows from a normal number by thresholds."""

    borders: FloatArray
    values: FloatArray
    rows: FloatArray

    def numbers(self, normal: FloatArray) -> FloatArray:
        """Give the number that stands for the level of every customer."""
        return self.values[np.searchsorted(self.borders, normal)]

    def codes(self, normal: FloatArray) -> FloatArray:
        """Codes of the level, shape (customers, width)."""
        return self.rows[np.searchsorted(self.borders, normal)]


@dataclass(frozen=True, eq=False)
class Structureless:
    """Where customers without segments are drawn from.

    Attributes
    ----------
    variables : SegmentVariables
        The real customers.
    root : ndarray
        Root of the correlations of the normal cloud.
    """

    variables: SegmentVariables = field(repr=False)
    bent: tuple[_Curve | _Steps, ...] = field(repr=False)
    root: FloatArray = field(repr=False)

    def draw(self, generator: np.random.Generator) -> FloatArray:
        """Draw as many customers as there are real ones, coded as `plain`."""
        normal = generator.standard_normal((len(self.variables), len(self.bent))) @ self.root.T
        return np.hstack([one.codes(normal[:, i]) for i, one in enumerate(self.bent)])


def structureless(variables: SegmentVariables, generator: np.random.Generator) -> Structureless:
    """Learn from customers what data like theirs, but without segments, look like.

    Parameters
    ----------
    variables : SegmentVariables
        The customers.
    generator : Generator
        Draws on which the correlations are adjusted.
    """
    columns = _one_number_each(variables)
    bent = tuple(
        _bend(codes, column) for codes, column in zip(_parts(variables), columns.T, strict=True)
    )
    normal = _uncorrelated(generator.standard_normal((TRIAL, len(bent))))
    return Structureless(variables, bent, _root(columns, bent, normal))


def _uncorrelated(normal: FloatArray) -> FloatArray:
    """Take off what correlation the draws have by chance."""
    normal = normal - normal.mean(axis=0)
    factor = np.linalg.cholesky(normal.T @ normal / len(normal))
    return np.linalg.solve(factor, normal.T).T


def _parts(variables: SegmentVariables) -> list[FloatArray]:
    """Codes of every variable."""
    ends = np.cumsum([v.width for v in variables.variables])
    return np.split(variables.plain, ends[:-1], axis=1)


def _one_number_each(variables: SegmentVariables) -> FloatArray:
    """One number a variable: numbers as they are, levels by their place on the common direction.

    The levels of a category have no order of their own; their mean on the first principal
    component of all codes gives the order in which they go with the other variables.
    """
    coded = variables.coded
    _, direction = np.linalg.eigh(coded.T @ coded)
    common = coded @ direction[:, -1]
    columns = []
    for variable, codes in zip(variables.variables, _parts(variables), strict=True):
        if variable.levels:
            none = codes.sum(axis=1) == 0
            sizes = np.maximum(codes.sum(axis=0), 1)
            columns.append(codes @ ((codes.T @ common) / sizes) + none * common.mean())
        else:
            columns.append(codes[:, 0])
    return np.column_stack(columns)


def _bend(codes: FloatArray, column: FloatArray) -> _Curve | _Steps:
    from scipy.special import ndtri
    from scipy.stats import yeojohnson

    values, first, counts = np.unique(column, return_index=True, return_counts=True)
    heaped = counts.max() > HEAPED * column.size
    if values.size <= FEW_VALUES or heaped or codes.shape[1] > 1:
        below = np.cumsum(counts)[:-1] / column.size
        return _Steps(ndtri(below), values, codes[first])
    straight, curve = yeojohnson(column)
    ends = float(column.min()), float(column.max())
    return _Curve(float(curve), float(straight.mean()), float(straight.std()), ends)


def _unbend(values: FloatArray, curve: float) -> FloatArray:
    """Invert the curve of Yeo and Johnson (2000); beyond its reach, the farthest value."""
    result = np.empty_like(values)
    above = values >= 0
    up, down = values[above], -values[~above]
    tiny = 1e-12
    if abs(curve) < tiny:
        result[above] = np.expm1(up)
    else:
        result[above] = np.maximum(curve * up + 1, tiny) ** (1 / curve) - 1
    other = 2 - curve
    if abs(other) < tiny:
        result[~above] = -np.expm1(down)
    else:
        result[~above] = 1 - np.maximum(other * down + 1, tiny) ** (1 / other)
    return result


def _root(columns: FloatArray, bent: tuple[_Curve | _Steps, ...], normal: FloatArray) -> FloatArray:
    """Root of correlations that, once bent, are those of the columns."""
    aim = np.corrcoef(columns, rowvar=False).reshape(len(bent), len(bent))
    latent = aim.copy()
    root = _nearest_root(latent)
    for _ in range(ROUNDS):
        cloud = (normal @ root.T).T
        numbers = [one.numbers(z) for one, z in zip(bent, cloud, strict=True)]
        made = np.corrcoef(numbers).reshape(aim.shape)
        latent = np.clip(latent + np.nan_to_num(aim - made), -0.999, 0.999)
        np.fill_diagonal(latent, 1.0)
        root = _nearest_root(latent)
    return root


def _nearest_root(correlations: FloatArray) -> FloatArray:
    """Root of the nearest matrix without negative eigenvalues and with a diagonal of ones."""
    values, vectors = np.linalg.eigh(correlations)
    root = vectors * np.sqrt(np.maximum(values, 1e-9))
    return root / np.sqrt((root**2).sum(axis=1, keepdims=True))
