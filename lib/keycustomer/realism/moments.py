"""Moments of a customer base and of a survey, each by one function for simulated and real data.

`tenure_moments` of who leaves, `survey_moments` of how people answer, `spend_moments` of how
spend is concentrated.  `MOMENTS` says of each what it is and how far it may lie from the real ones.
The functions take plain frames and know nothing of where these come from.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

FLEXIBLE, ONE_YEAR, TWO_YEARS = "monthly", "one year", "two years"
"""Kinds of contract in a frame of tenures."""


@dataclass(frozen=True)
class Moment:
    """One number that is compared.

    Attributes
    ----------
    theme : {"leaving", "answers", "spend"}
        What it is about; real sets belong to a theme.
    meaning : str
        What is counted, in words.
    tolerance : float
        How far outside the real sets' range the simulated one may lie: a difference, or a factor.
    factor : bool
        Whether the tolerance is a factor, for ratios.
    """

    theme: str
    meaning: str
    tolerance: float
    factor: bool = False


MOMENTS: dict[str, Moment] = {
    "monthly_to_two_years": Moment(
        "leaving", "leaving rate, monthly over two-year contracts", 1.5, True
    ),
    "one_year_to_two_years": Moment(
        "leaving", "leaving rate, one-year over two-year contracts", 1.5, True
    ),
    "few_to_many_products": Moment("leaving", "leaving rate, few over many products", 1.5, True),
    "leaving_rate": Moment("leaving", "customers lost per hundred months of tenure", 1.5, True),
    "within": Moment("answers", "mean correlation of two items of a construct", 0.10),
    "between": Moment("answers", "mean correlation of two items of different constructs", 0.10),
    "alpha": Moment("answers", "mean Cronbach alpha of the constructs (raw)", 0.10),
    "satisfaction_loyalty": Moment("answers", "correlation of satisfaction and loyalty", 0.10),
    "level": Moment("answers", "mean answer, as a part of the scale", 0.05),
    "spread": Moment("answers", "standard deviation of an answer, as a part of the scale", 0.05),
    "top_box": Moment("answers", "share of answers in the highest box", 0.05),
    "bottom_box": Moment("answers", "share of answers in the lowest box", 0.05),
    "skewness": Moment("answers", "mean skewness of the items", 0.25),
    "unanswered": Moment("answers", "share of answers left out", 0.02),
    "same_answer": Moment("answers", "share of respondents with one answer to all items", 0.02),
    "top_20": Moment("spend", "share of spend of the top 20 % of customers", 0.10),
    "top_1": Moment("spend", "share of spend of the top 1 % of customers", 0.10),
    "gini": Moment("spend", "Gini coefficient of spend", 0.10),
}
"""All moments by name.  Tolerances were fixed before the simulated company was looked at."""


def tenure_moments(tenures: pd.DataFrame) -> dict[str, float]:
    """Compute how leaving depends on the contract and on the number of products.

    Rates are customers lost per month of tenure, whoever is in the file; in a file that leaves out
    those who left earlier they are too low, but their ratios can be compared.

    Parameters
    ----------
    tenures : DataFrame
        One row a customer: contract (`monthly`, `one year`, `two years`), months (tenure), left
        (bool), products (number used).

    Returns
    -------
    dict of str to float
        NaN where a group is empty or nobody of it left.
    """
    by_contract = {kind: _rate(tenures[tenures["contract"] == kind]) for kind in (
        FLEXIBLE, ONE_YEAR, TWO_YEARS)}  # fmt: skip
    many = tenures["products"] > tenures["products"].median()
    return {
        "monthly_to_two_years": _ratio(by_contract[FLEXIBLE], by_contract[TWO_YEARS]),
        "one_year_to_two_years": _ratio(by_contract[ONE_YEAR], by_contract[TWO_YEARS]),
        "few_to_many_products": _ratio(_rate(tenures[~many]), _rate(tenures[many])),
        "leaving_rate": 100 * _rate(tenures),
    }


def _rate(tenures: pd.DataFrame) -> float:
    months = tenures["months"].sum()
    return float(tenures["left"].sum() / months) if months > 0 else float("nan")


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")


def survey_moments(
    answers: pd.DataFrame,
    constructs: Mapping[str, Sequence[str]],
    scale: tuple[int, int],
    satisfaction: str,
    loyalty: str,
) -> dict[str, float]:
    """Compute how people answer rating items.

    Parameters
    ----------
    answers : DataFrame
        One row a respondent, one column an item, NaN where not answered.
    constructs : mapping of str to sequence of str
        Items of each construct, at least two constructs; single items may be constructs.
    scale : (int, int)
        Lowest and highest answer.
    satisfaction, loyalty : str
        Which constructs these are.

    Returns
    -------
    dict of str to float
    """
    items = answers[[item for group in constructs.values() for item in group]].astype(float)
    correlation = items.corr()
    low, high = scale
    given = items.to_numpy()[items.notna().to_numpy()]
    same = items.max(axis=1) == items.min(axis=1)
    means = {name: items[list(group)].mean(axis=1) for name, group in constructs.items()}
    within, between = _item_correlations(correlation, constructs)
    return {
        "within": within,
        "between": between,
        "alpha": float(
            np.mean([_alpha(items[list(g)]) for g in constructs.values() if len(g) > 1])
        ),
        "satisfaction_loyalty": float(means[satisfaction].corr(means[loyalty])),
        "level": float((given.mean() - low) / (high - low)),
        "spread": float(items.std().mean() / (high - low)),
        "top_box": float((given == high).mean()),
        "bottom_box": float((given == low).mean()),
        "skewness": float(items.skew().mean()),
        "unanswered": float(items.isna().to_numpy().mean()),
        "same_answer": float(same.mean()),
    }


def _item_correlations(
    correlation: pd.DataFrame, constructs: Mapping[str, Sequence[str]]
) -> tuple[float, float]:
    own = {item: name for name, group in constructs.items() for item in group}
    parts: dict[bool, list[float]] = {True: [], False: []}
    for a, b in itertools.combinations(own, 2):
        parts[own[a] == own[b]].append(float(correlation.loc[a, b]))  # type: ignore[arg-type]
    return float(np.mean(parts[True])), float(np.mean(parts[False]))


def _alpha(items: pd.DataFrame) -> float:
    covariance = items.cov().to_numpy()
    k = len(covariance)
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def spend_moments(spend: pd.Series) -> dict[str, float]:
    """Compute how spend is concentrated on few customers.

    Parameters
    ----------
    spend : Series
        One value a customer.

    Returns
    -------
    dict of str to float
    """
    from keycustomer.pareto import gini, pareto_share

    return {
        "top_20": pareto_share(spend, 0.20, population="buyers"),
        "top_1": pareto_share(spend, 0.01, population="buyers"),
        "gini": gini(spend, population="buyers"),
    }
