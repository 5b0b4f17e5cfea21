"""How accounts' chances to leave and their margins go on, in draws of the coefficients.

:func:`leaving_by_level` takes the chapter's chance to leave by relationship level
(:mod:`keycustomer.relationships.effects.level_hazard`), and the growth of margins by level.  What a
level does differs between accounts as far as it is known to: the largest accounts lie so far from
the others that what the regression says of them alone is mostly chance, and is drawn towards what
holds for all (:func:`keycustomer.relationships.shrink_values`).  Where a base has no
contracts nobody is seen to leave: :func:`leaving_by_repeats` then takes the share of last year's
customers who bought again, the same for all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from keycustomer.relationships.effects.amounts import contact_costs, margin_growth
from keycustomer.relationships.effects.landmarks import landmark_months
from keycustomer.relationships.effects.level_hazard import Outlook, fit_level_hazard
from keycustomer.relationships.months.panel import CustomerMonths
from keycustomer.relationships.selection.shrinkage import shrink_values
from keycustomer.relationships.vocabulary import LEVELS
from keycustomer.stats.regressions.normal_draws import normal_draws
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.actions.accounts_now import AccountsNow

MIDDLE = len(LEVELS) // 2
"""Level that an account is taken to have where its own is not known."""


@dataclass(frozen=True, eq=False)
class Leaving:
    """Chances to leave and growth of margins, for any of n accounts.

    Attributes
    ----------
    outlook : Outlook
        What chances to leave are made of.
    coefficients : ndarray, shape (draws, k)
        Drawn.
    growth : ndarray, shape (draws, levels + 1, months, levels)
        Factors on margins by present level (unknown first) and given level.
    weight : ndarray, shape (n, levels)
        Weight of what is said of the account alone, 0..1; the rest is what holds for all.
    level : ndarray of int, shape (n,)
        Present level, -1 unknown.
    contact_costs : ndarray, shape (n, levels)
        Cost of recorded contacts by level, currency a month.
    """

    outlook: Outlook = field(repr=False)
    coefficients: FloatArray = field(repr=False)
    growth: FloatArray = field(repr=False)
    weight: FloatArray = field(repr=False)
    level: npt.NDArray[np.int64] = field(repr=False)
    contact_costs: FloatArray = field(repr=False)
    leavers: int = 0

    def odds(self, rows: npt.NDArray[np.int64]) -> FloatArray:
        """Log-odds of leaving at the present level, shape (draws, rows, months)."""
        p, q = self.outlook.standing.shape[1], self.outlook.time.shape[2]
        standing = self.coefficients[:, :p] @ self.outlook.standing[rows].T
        time = np.einsum("rhq,dq->drh", self.outlook.time[rows], self.coefficients[:, p : p + q])
        present = self.outlook.given[rows, self._known(rows)] @ self.coefficients[:, p + q :].T
        return standing[:, :, None] + time + present.T[:, :, None]

    def added(self, rows: npt.NDArray[np.int64], given: npt.NDArray[np.int64]) -> FloatArray:
        """Tell what given levels add to the log-odds over the first, shape (draws, rows)."""
        p = self.outlook.standing.shape[1] + self.outlook.time.shape[2]
        levels = self.coefficients[:, p:].T
        weight = self.weight[rows, given][:, None]
        own = (self.outlook.given[rows, given] - self.outlook.given[rows, 0]) @ levels
        mean = (self.outlook.given[:, given] - self.outlook.given[:, :1]).mean(axis=0) @ levels
        return np.asarray((mean + weight * (own - mean)).T)

    def moved(self, rows: npt.NDArray[np.int64], given: int) -> tuple[FloatArray, FloatArray]:
        """Change of log-odds (draws, rows, 1) and growth ratio (draws, rows, months) at a level."""
        known = self._known(rows)
        to = np.full(len(rows), given)
        odds = self.added(rows, to) - self.added(rows, known)
        now = self.level[rows] + 1
        ratio = self.growth[:, now, :, given] / self.growth[:, now, :, known]
        return odds[:, :, None], np.moveaxis(ratio, 0, 1)

    def grown(self, rows: npt.NDArray[np.int64]) -> FloatArray:
        """Growth factors at the present level, shape (draws, rows, months)."""
        return np.moveaxis(self.growth[:, self.level[rows] + 1, :, self._known(rows)], 0, 1)

    def _known(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.where(self.level[rows] < 0, MIDDLE, self.level[rows])


def leaving_by_level(
    months: CustomerMonths,
    now: AccountsNow,
    horizon: int,
    draws: int,
    generator: np.random.Generator,
) -> Leaving:
    """Learn who leaves by level, and how margins grow.

    Raises
    ------
    ValueError
        When too few left, or no level is known.
    """
    rows = landmark_months(months)
    hazard = fit_level_hazard(rows)
    regression = hazard.regression
    drawn = normal_draws(regression.coefficients, regression.bread, draws, generator)
    rates = margin_growth(months)
    levels = np.arange(-1, len(LEVELS))
    growth = np.stack([rates.drawn(generator).factors(levels, horizon) for _ in range(draws)])
    outlook = hazard.outlook(now.landmarks, horizon)
    costs = contact_costs(rows).of(now.landmarks)
    weight = _own_weights(outlook, drawn, regression.coefficients)
    return Leaving(outlook, drawn, growth, weight, now.level, costs, hazard.leavers)


def _own_weights(outlook: Outlook, drawn: FloatArray, fitted: FloatArray) -> FloatArray:
    """Weights of what is said of each account alone, shape (accounts, levels)."""
    start = outlook.standing.shape[1] + outlook.time.shape[2]
    uplift = outlook.given - outlook.given[:, :1]
    apart = uplift - uplift.mean(axis=0)
    error = np.stack([(part @ drawn[:, start:].T).std(axis=1, ddof=1) for part in _by_level(apart)])
    nothing = np.zeros(uplift.shape[:2])
    shrunk = shrink_values(uplift @ fitted[start:], nothing, standard_error=error.T)
    return shrunk.weight


def _by_level(values: FloatArray) -> list[FloatArray]:
    return [values[:, level] for level in range(values.shape[1])]


def leaving_by_repeats(
    stayed: int, customers: int, over: int, accounts: int, horizon: int, draws: int,
    generator: np.random.Generator,
) -> Leaving:  # fmt: skip
    """Take the share of customers who bought again for a chance to stay.

    Parameters
    ----------
    stayed, customers : int
        Those of the customers of some months who bought again in as many months after.
    over : int
        How many months.
    accounts : int
        Number of accounts to tell of.
    horizon, draws, generator
        Months ahead, draws, and where they come from (Jeffreys' posterior of the share).
    """
    share = generator.beta(stayed + 0.5, customers - stayed + 0.5, draws)
    odds = logit(1 - share ** (1 / over))
    outlook = Outlook(
        np.ones((accounts, 1)),
        np.zeros((accounts, horizon, 0)),
        np.zeros((accounts, len(LEVELS), 0)),
    )
    growth = np.ones((draws, len(LEVELS) + 1, horizon, len(LEVELS)))
    level = np.full(accounts, -1, dtype=np.int64)
    nothing = np.zeros((accounts, len(LEVELS)))
    return Leaving(outlook, odds[:, None], growth, nothing, level, nothing, customers - stayed)
