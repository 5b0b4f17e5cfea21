"""Estimates with their bootstrap intervals as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from keycustomer.stats import Estimate
from keycustomer.stats.samples import FloatArray


def interval_table(
    labels: pd.DataFrame, estimates: Sequence[Estimate], draws: FloatArray
) -> pd.DataFrame:
    """Table of estimates: the labels, estimate, lower, upper, standard_error, n, method.

    Parameters
    ----------
    labels : DataFrame
        What each row is about.
    estimates : sequence of Estimate
        One a row.
    draws : array, shape (draws, rows)
        Bootstrap draws, for the standard errors.
    """
    with np.errstate(invalid="ignore"):
        spread = draws.std(axis=0, ddof=1) if len(draws) > 1 else np.full(draws.shape[1], np.nan)
    return labels.assign(
        estimate=[own.estimate for own in estimates],
        lower=[own.lower for own in estimates],
        upper=[own.upper for own in estimates],
        standard_error=spread,
        n=[own.n for own in estimates],
        method=[own.method for own in estimates],
    )
