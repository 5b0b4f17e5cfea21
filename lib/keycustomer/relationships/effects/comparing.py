"""Settings of a treatment compared: rates or means, differences, ratios, with their intervals.

:func:`compared` turns the means under each setting into a table against a reference, by the delta
method; influences are added up by customer before they are squared, so that a customer's months do
not count as so many customers.

Source: van der Vaart, "Asymptotic Statistics" (1998), chapter 3 (delta method).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.relationships.effects.means import Means
from keycustomer.stats.regressions.clustering import clustered_error
from keycustomer.stats.samples import FloatArray

MEASURES = ("mean", "difference", "ratio")
"""Outcome per unit of exposure under a setting; less that of the reference; divided by it."""


def compared(
    means: Means, settings: Sequence[str], reference: int, group: np.ndarray, level: float
) -> pd.DataFrame:
    """Compare settings with a reference.

    Parameters
    ----------
    means : Means
        Of outcome and exposure by setting.
    settings : sequence of str
        Names of the settings.
    reference : int
        Position of the one that is compared with.
    group : ndarray of int, shape (n,)
        The customer of each unit.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        measure, setting, estimate, standard_error (of the logarithm where the measure is a
        ratio), lower, upper.
    """
    outcome, exposure = means.mean[:, 0], means.mean[:, 1]
    rate = outcome / exposure
    own = (means.influence[:, :, 0] - rate * means.influence[:, :, 1]) / exposure
    rows = []
    for k, name in enumerate(settings):
        rows.append(_plain("mean", name, rate[k], own[:, k], group, level))
        if k == reference:
            continue
        gap = own[:, k] - own[:, reference]
        rows.append(_plain("difference", name, rate[k] - rate[reference], gap, group, level))
        rows.append(_ratio(name, rate[[k, reference]], own[:, [k, reference]], group, level))
    return pd.DataFrame(rows)


def _plain(
    measure: str,
    setting: str,
    estimate: float,
    influence: FloatArray,
    group: np.ndarray,
    level: float,
) -> dict[str, Any]:
    error = clustered_error(influence, group)
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    return {
        "measure": measure,
        "setting": setting,
        "estimate": float(estimate),
        "standard_error": error,
        "lower": float(estimate - reach),
        "upper": float(estimate + reach),
    }


def _ratio(
    setting: str, rates: FloatArray, influence: FloatArray, group: np.ndarray, level: float
) -> dict[str, Any]:
    """Divide two rates; the interval is on the logarithmic scale, NaN unless both are above 0."""
    if not (rates > 0).all():
        nothing = np.zeros(len(group))
        return _plain("ratio", setting, np.nan, nothing + np.nan, group, level)
    row = _plain(
        "ratio", setting, np.log(rates[0] / rates[1]), (influence / rates) @ [1, -1], group, level
    )
    return row | {name: float(np.exp(row[name])) for name in ("estimate", "lower", "upper")}
