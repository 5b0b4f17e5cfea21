"""Amounts that go with a relationship level: growth of the margin, cost of the contacts.

:func:`margin_growth` regresses the logarithm of the margin's change from year to year on the
level, for closer relationships sell more, and takes the common growth from the last half year;
:func:`contact_costs` regresses the monthly cost of recorded contacts on the level and the
customer's size.

Sources: Gardner & McKenzie (1985), Management Science 31, 1237-1246 (growth that fades); Oldham
(1962), Journal of Chronic Diseases 15, 969-977 (change adjusted for the mean of both values).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.relationships.effects.landmarks import STRETCH
from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.samples import FloatArray

FEWEST_GROWN = 50
"""Customers seen in both years, below which margins are taken to stay as they are."""

HALF = STRETCH // 2
"""Months of the recent growth: the last half year against the same months a year before, so that
seasons cancel and what is long over is out."""

FASTEST = 0.25
"""Largest yearly growth of the logarithm that is carried forward."""

STEP_SPREAD = 0.03
"""Yearly growth by one level more: prior standard deviation."""

FADING = 0.95
"""Share of the growth that is left after a month: growth in all is that of twenty months."""

_MIDYEAR = (STRETCH - 1) / 2
"""Months between the middle of the last year, which the margin is of, and its last month."""


@dataclass(frozen=True, eq=False)
class MarginGrowth:
    """Yearly growth of the logarithm of the margin.

    Attributes
    ----------
    common, common_error : float
        Recent growth of all customers together, with its standard error.
    per_level, per_level_error : float
        Growth by one level more, with its standard error.
    middle : float
        Mean level, which grows by the common rate.
    customers : int
        Number it was learned from; 0 where margins are taken to stay as they are.
    """

    common: float
    common_error: float
    per_level: float
    per_level_error: float
    middle: float
    customers: int

    def yearly(self, level: FloatArray) -> FloatArray:
        """Growth at a level, of the shape of `level`."""
        growth = self.common + self.per_level * (level - self.middle)
        return np.clip(growth, -FASTEST, FASTEST)

    def factors(self, level: npt.NDArray[np.int64], horizon: int) -> FloatArray:
        """Factors on the margin of the last year in the months ahead, (n, horizon, levels).

        Up to the end of the window growth is that of the level a customer has, afterwards that of
        the level it is given, and fades.

        Parameters
        ----------
        level : ndarray of int, shape (n,)
            Present levels, -1 unknown.
        horizon : int
            Months ahead.
        """
        before = _MIDYEAR * self.yearly(np.where(level < 0, self.middle, level))
        ahead = (1 - FADING ** np.arange(1, horizon + 1)) / (1 - FADING)
        given = self.yearly(np.arange(len(LEVELS), dtype=float))
        return np.exp((before[:, None, None] + ahead[:, None] * given) / 12)

    def drawn(self, generator: np.random.Generator) -> MarginGrowth:
        """Draw other rates that the data would also bear."""
        common, step = generator.standard_normal(2)
        return replace(
            self,
            common=self.common + common * self.common_error,
            per_level=self.per_level + step * self.per_level_error,
        )


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
    back = months.months - 1 - rows["number"]
    recent = rows[(back < 2 * STRETCH) & (rows["level"] >= 0)]
    wide = recent.assign(back=back).pivot(index="customer_id", columns="back", values="margin")
    wide = wide.reindex(columns=range(2 * STRETCH)).dropna()
    if len(wide) < FEWEST_GROWN:
        return MarginGrowth(0.0, 0.0, 0.0, 0.0, 0.0, 0)
    margin = wide.to_numpy(dtype=float)
    level = recent.groupby("customer_id")["level"].first()[wide.index].to_numpy(dtype=float)
    step, step_error = _step(margin, level)
    common, common_error = _common(margin)
    return MarginGrowth(common, common_error, step, step_error, float(level.mean()), len(wide))


def _common(margin: FloatArray) -> tuple[float, float]:
    """Growth of the sum over the last half year, with its error; 0 where a sum is not above 0."""
    now, before = margin[:, :HALF].sum(axis=1), margin[:, STRETCH : STRETCH + HALF].sum(axis=1)
    if now.sum() <= 0 or before.sum() <= 0:
        return 0.0, 0.0
    influence = now / now.mean() - before / before.mean()
    error = influence.std(ddof=1) / np.sqrt(len(now))
    return float(np.log(now.sum() / before.sum())), float(error)


def _step(margin: FloatArray, level: FloatArray) -> tuple[float, float]:
    """Growth from the year before to the last year by one level more, drawn towards 0.

    Adjusted for the size over both years: with that of the year before, a good year that is
    followed by a worse one would pass for growth of those whose level tells that they are large.
    """
    now, before = margin[:, :STRETCH].sum(axis=1), margin[:, STRETCH:].sum(axis=1)
    grown = (now > 0) & (before > 0)
    if grown.sum() < FEWEST_GROWN or np.ptp(level[grown]) == 0:
        return 0.0, 0.0
    growth = np.log(now[grown] / before[grown])
    size = (np.log(now[grown]) + np.log(before[grown])) / 2
    design = np.column_stack([np.ones(len(size)), level[grown] - level[grown].mean(), size])
    noise = float(growth.var(ddof=design.shape[1]))
    information = design.T @ design
    information[1, 1] += noise / STEP_SPREAD**2
    inverse = np.linalg.pinv(information, hermitian=True)
    return float((inverse @ (design.T @ growth))[1]), float(np.sqrt(noise * inverse[1, 1]))


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
