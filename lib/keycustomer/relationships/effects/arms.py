"""Units with the setting of a treatment each had, and how regressions see them.

`Arms` holds settings, outcome, exposure and coded covariates; :func:`regressors` puts them together
for a regression under the settings they had, or under any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.stats.regressions.links import Link
from keycustomer.stats.samples import FloatArray

SETTING_PENALTY, COVARIATE_PENALTY = 0.01, 1.0
"""Penalties of regressions, in units of one row's information: the effects themselves are hardly
shrunk, covariates (standardised) by as much as one more row would."""


@dataclass(frozen=True, eq=False)
class Arms:
    """Units with their settings and outcomes.

    Attributes
    ----------
    setting : ndarray of int, shape (n,)
        Position of each unit's setting.
    count : int
        Number of settings.
    outcome, exposure : ndarray, shape (n,)
        What is counted, and by what it is told.
    covariates : ndarray, shape (n, columns)
        Columns of numbers.
    group : ndarray of int, shape (n,)
        The customer of each unit, 0, 1, 2 ...
    """

    setting: np.ndarray
    count: int
    outcome: FloatArray
    exposure: FloatArray
    covariates: FloatArray
    group: np.ndarray

    def __len__(self) -> int:
        """Count the units."""
        return len(self.setting)

    def part(self, rows: np.ndarray) -> Arms:
        """Give some of the units."""
        return Arms(
            self.setting[rows],
            self.count,
            self.outcome[rows],
            self.exposure[rows],
            self.covariates[rows],
            self.group[rows],
        )

    def targets(self) -> tuple[FloatArray, FloatArray]:
        """Give outcome and exposure, which are modelled alike."""
        return self.outcome, self.exposure


def link_of(target: FloatArray) -> Link:
    """Choose the link that fits the values: chances, amounts, or any numbers."""
    if np.isin(target, (0.0, 1.0)).all():
        return "logistic"
    return "log" if target.min() >= 0 else "identity"


def scale_of(target: FloatArray) -> float:
    """Give the size of a target, by which it is divided so that penalties have no units."""
    return 1.0 if link_of(target) == "logistic" else float(np.abs(target).mean()) or 1.0


def regressors(setting: np.ndarray, arms: Arms) -> FloatArray:
    """Put together the design of a regression: constant, settings but the first, covariates."""
    given = (setting[:, None] == np.arange(1, arms.count)).astype(float)
    return np.column_stack([np.ones(len(setting)), given, arms.covariates])


def penalties(arms: Arms) -> FloatArray:
    """Give the penalties of the columns of `regressors`."""
    settings = [SETTING_PENALTY] * (arms.count - 1)
    return np.array([0.0, *settings, *[COVARIATE_PENALTY] * arms.covariates.shape[1]])
