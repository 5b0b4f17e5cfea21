"""Amounts that go with a relationship level: growth of the margin, cost of the contacts.

:func:`margin_growth` regresses the logarithm of the margin's change from year to year on the level,
for closer relationships sell more; :func:`contact_costs` the monthly cost of recorded contacts on
the level and the customer's size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from keycustomer.relationships.effects.designs import FloatArray
from keycustomer.relationships.effects.landmarks import STRETCH
from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.vocabulary import LEVELS

FEWEST_GROWN = 50
"""Customers seen in two full years, below which margins are taken to stay as they are."""

FASTEST = 0.25
"""Largest yearly growth of the logarithm that is carried forward."""

SHRINKAGE_SPREAD = 0.03
"""Prior standard deviation of the yearly growth per level."""

_MIDYEAR = (STRETCH - 1) / 2
"""Months between the middle of the last year, which the margin is of, and its last month."""


@dataclass(frozen=True, eq=False)
class MarginGrowth:
    """Yearly growth of the logarithm of the margin.

    Attributes
    ----------
    coefficients : ndarray, shape (4,)
        Constant, per level, per unit of log margin and per product, around the means.
    covariance : ndarray, shape (4, 4)
        Of the coefficients.
    centres : ndarray, shape (3,)
        Means of level, log margin and products.
    customers : int
        Number it was learned from; 0 where margins are taken to stay as they are.
    """

    coefficients: FloatArray
    covariance: FloatArray
    centres: FloatArray
    customers: int

    @property
    def per_level(self) -> float:
        """Growth a year by one level more."""
        return float(self.coefficients[1])

    def yearly(self, now: pd.DataFrame, level: FloatArray) -> FloatArray:
        """Growth of each customer at a level, shape (n,)."""
        design = _growth_design(level, now["yearly_margin"], now["products"], self.centres)
        return np.clip(design @ self.coefficients, -FASTEST, FASTEST)

    def factors(self, now: pd.DataFrame, horizon: int) -> FloatArray:
        """Factors on the margin of the last year in the months ahead, (n, horizon, levels).

        Up to the end of the window growth is that of the level a customer has, afterwards that of
        the level it is given.
        """
        has = now["level"].to_numpy(dtype=float)
        before = _MIDYEAR * self.yearly(now, np.where(has < 0, self.centres[0], has))
        ahead = np.arange(1, horizon + 1)
        given = np.stack(
            [self.yearly(now, np.full(len(now), float(k))) for k in range(len(LEVELS))], axis=1
        )
        grown = before[:, None, None] + ahead[:, None] * given[:, None, :]
        return np.exp(grown / 12)

    def drawn(self, generator: np.random.Generator) -> MarginGrowth:
        """Draw other coefficients that the data would also bear."""
        values, vectors = np.linalg.eigh(self.covariance)
        moved = vectors @ (np.sqrt(np.maximum(values, 0)) * generator.standard_normal(len(values)))
        return replace(self, coefficients=self.coefficients + moved)


def _growth_design(
    level: FloatArray, margin: pd.Series, products: pd.Series, centres: FloatArray
) -> FloatArray:
    size = np.log1p(np.maximum(margin.to_numpy(dtype=float, na_value=np.nan), 0.0))
    told = np.column_stack([level, size, products.to_numpy(dtype=float, na_value=np.nan)]) - centres
    return np.column_stack([np.ones(len(told)), np.nan_to_num(told)])


def margin_growth(months: CustomerMonths) -> MarginGrowth:
    """Learn how margins grow from year to year, by level.

    Parameters
    ----------
    months : CustomerMonths
        The panel.

    Returns
    -------
    MarginGrowth
        No growth where fewer than 50 customers were seen in the last two years in full.
    """
    rows = months.frame
    year = (months.months - 1 - rows["number"]) // STRETCH
    recent = rows[(year < 2) & (rows["level"] >= 0)].assign(year=year)
    by = recent.groupby(["customer_id", "year"])
    margins = by["margin"].mean().where(by.size() == STRETCH).unstack("year").reindex(columns=[0, 1])
    first = recent[recent["year"] == 1].groupby("customer_id")[["level", "products"]].first()
    both = margins[(margins > 0).all(axis=1)].join(first, how="inner")
    if len(both) < FEWEST_GROWN:
        return MarginGrowth(np.zeros(4), np.zeros((4, 4)), np.zeros(3), 0)
    return _fit_growth(both)


def _fit_growth(both: pd.DataFrame) -> MarginGrowth:
    growth = np.log(both[0] / both[1]).to_numpy(dtype=float)
    level = both["level"].to_numpy(dtype=float)
    size = np.log1p(STRETCH * both[1].to_numpy(dtype=float))
    products = both["products"].to_numpy(dtype=float)
    centres = np.array([level.mean(), size.mean(), np.nanmean(products)])
    design = _growth_design(level, STRETCH * both[1], both["products"], centres)
    information = design.T @ design
    variance = growth.var(ddof=design.shape[1])
    information[1, 1] += variance / SHRINKAGE_SPREAD**2
    inverse = np.linalg.pinv(information, hermitian=True)
    coefficients = inverse @ (design.T @ growth)
    noise = float(((growth - design @ coefficients) ** 2).sum() / max(len(growth) - 4, 1))
    return MarginGrowth(coefficients, noise * inverse, centres, len(both))


@dataclass(frozen=True, eq=False)
class ContactCosts:
    """Monthly cost of recorded contacts.

    Attributes
    ----------
    by_level : ndarray, shape (5,)
        At a customer of middle size, currency a month.
    per_size : float
        More by one unit of log margin.
    centre : float
        Log margin of the middle size.
    """

    by_level: FloatArray
    per_size: float
    centre: float

    def of(self, now: pd.DataFrame) -> FloatArray:
        """Cost of each customer at each level, currency a month, shape (n, 5), 0 or larger."""
        size = _log_margin(now["yearly_margin"]) - self.centre
        return np.maximum(self.by_level + self.per_size * size[:, None], 0.0)


def contact_costs(rows: pd.DataFrame) -> ContactCosts:
    """Learn what contacts cost by level.

    Parameters
    ----------
    rows : DataFrame
        From :func:`~keycustomer.relationships.effects.landmarks.landmark_months`.

    Returns
    -------
    ContactCosts
        All 0 where no contacts are recorded; for levels nobody had, by the line of the others.
    """
    known = rows[rows["contact_cost"].notna()]
    if known.empty:
        return ContactCosts(np.zeros(len(LEVELS)), 0.0, 0.0)
    size = _log_margin(known["yearly_margin"])
    centre = float(size.mean())
    level = known["level"].to_numpy()
    had = np.unique(level)
    columns = (level[:, None] == had).astype(float)
    design = np.column_stack([columns, size - centre])
    fitted = np.linalg.lstsq(design, known["contact_cost"].to_numpy(dtype=float), rcond=None)[0]
    by_level = np.interp(np.arange(len(LEVELS)), had, fitted[:-1])
    return ContactCosts(by_level, float(fitted[-1]), centre)


def _log_margin(margin: pd.Series) -> FloatArray:
    known = margin.to_numpy(dtype=float, na_value=np.nan)
    return np.log1p(np.maximum(np.nan_to_num(known), 0.0))
