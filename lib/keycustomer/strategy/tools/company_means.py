"""Means over simulated companies, with Student's interval.

How sure is a mean over twenty companies?  :func:`company_mean` gives it as an estimate at any
level of confidence: one interval among fifteen needs tails (99.7 %) of which a bootstrap of twenty
companies has none.  Fewer companies than `FEWEST` are called too small by :func:`company_notes`.

Source: Student (1908), Biometrika 6, 1-25.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keycustomer.customers.rendering import counted
from keycustomer.relationships.many_companies import FEWEST
from keycustomer.stats import Estimate
from keycustomer.stats.student import student_quantile

MADE_UP = "simulated companies: made up by a program, in which the interplay of tools is built in"


def company_mean(values: npt.ArrayLike, unit: str, *, level: float = 0.95) -> Estimate:
    """Mean of one number a company.

    Parameters
    ----------
    values : array, shape (companies,)
        One number a company; NaN where it is not known.
    unit : str
        Their unit.
    level : float
        Confidence level, 0..1.

    Returns
    -------
    Estimate
        Without interval for one company, or where it is not known in every one.
    """
    numbers = np.asarray(values, dtype=float)
    count = numbers.size
    mean = float(numbers.mean()) if count else math.nan
    if count < 2 or not math.isfinite(mean):
        why = ("no company", "one company", "not known in every company")[min(count, 2)]
        return Estimate.without_interval(mean, unit, count, why, level)
    reach = student_quantile(level, count - 1) * float(numbers.std(ddof=1)) / math.sqrt(count)
    method = f"Student's interval over {counted(count, 'simulated company', 'simulated companies')}"
    return Estimate(mean, mean - reach, mean + reach, unit, count, method, level)


def interval_columns(
    values: npt.NDArray[np.float64], name: str, unit: str, *, level: float = 0.95
) -> dict[str, list[float]]:
    """Means of several numbers a company as columns: `name`, `name`_lower, `name`_upper.

    Parameters
    ----------
    values : ndarray, shape (companies, k)
        A column for each of the k rows of a table.
    name, unit, level
        Name of the columns, and as in :func:`company_mean`.
    """
    made = [company_mean(column, unit, level=level) for column in values.T]
    return {
        name: [one.estimate for one in made],
        f"{name}_lower": [one.lower for one in made],
        f"{name}_upper": [one.upper for one in made],
    }


def company_notes(companies: int) -> list[str]:
    """Say that companies are made up, and whether they are too few."""
    said = [f"{counted(companies, 'company', 'companies')}, {MADE_UP}"]
    if companies < FEWEST:
        said.append(f"fewer than {FEWEST} companies: too small to tell")
    return said
