"""Do those with different settings resemble each other?  Overlap and balance.

:func:`overlap_table` tells for every setting whether all kinds of customers had a chance of it, and
on how many customers its mean effectively rests; :func:`balance_table` how far the covariates of
those with a setting lie from everybody's, before and after weighting.

Sources: Crump, Hotz, Imbens & Mitnik (2009), Biometrika 96, 187-199 (trimming); Kish, "Survey
Sampling" (1965) (effective number); Austin (2009), Statistics in Medicine 28, 3083-3107
(standardised differences, .10 as a limit).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from keycustomer.stats.samples import FloatArray

BALANCED = 0.10
"""Standardised difference up to which a covariate counts as balanced."""


def overlap_table(
    settings: Sequence[str], setting: np.ndarray, chances: FloatArray, weights: FloatArray
) -> pd.DataFrame:
    """Tell on what the mean of each setting rests.

    Parameters
    ----------
    settings : sequence of str
        Names.
    setting : ndarray of int, shape (n,)
        The setting each unit had.
    chances, weights : ndarray, shape (n, settings)
        Propensities, and weights of the units that had the setting.

    Returns
    -------
    DataFrame
        setting, units, share, least_chance (of any unit to have it), largest_weight (share of the
        setting's weight that one unit has), effective (number of equally weighted units that would
        be as sure).
    """
    units = np.bincount(setting, minlength=len(settings))
    total = weights.sum(axis=0)
    return pd.DataFrame(
        {
            "setting": list(settings),
            "units": units,
            "share": units / len(setting),
            "least_chance": chances.min(axis=0),
            "largest_weight": weights.max(axis=0) / total,
            "effective": total**2 / (weights**2).sum(axis=0),
        }
    )


def balance_table(
    columns: Sequence[str],
    settings: Sequence[str],
    covariates: FloatArray,
    setting: np.ndarray,
    weights: FloatArray,
) -> pd.DataFrame:
    """Tell how far those with a setting lie from everybody, before and after weighting.

    Parameters
    ----------
    columns, settings : sequence of str
        Names of the coded covariates and of the settings.
    covariates : ndarray, shape (n, columns)
        Coded covariates.
    setting : ndarray of int, shape (n,)
        The setting each unit had.
    weights : ndarray, shape (n, settings)
        Weights of the units that had the setting.

    Returns
    -------
    DataFrame
        covariate, before, after (largest standardised difference of any setting from everybody,
        without its sign), setting (in which it is largest before), most different on top.
    """
    had = (setting[:, None] == np.arange(len(settings))).astype(float)
    spread = covariates.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    overall = covariates.mean(axis=0)

    def distance(weight: FloatArray) -> FloatArray:
        means = (weight.T @ covariates) / weight.sum(axis=0)[:, None]
        return np.abs(means - overall) / scale

    before, after = distance(had), distance(weights)
    table = pd.DataFrame(
        {
            "covariate": list(columns),
            "before": before.max(axis=0, initial=0.0),
            "after": after.max(axis=0, initial=0.0),
            "setting": np.asarray(settings, dtype=object)[before.argmax(axis=0)],
        }
    )
    return table.sort_values("before", ascending=False, kind="stable", ignore_index=True)
