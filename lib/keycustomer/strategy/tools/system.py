"""System or simple sum: what the tools bring together beyond their single gains (T7).

Do the tools bring more together than each for itself, added up?  :func:`system_minus_sum` is what
all tools bring less the sum of what each brings alone, as a share of the profit of business as
usual.  The verdict on T7 is `stats.verdict_above(estimate, 0)`: supported when the interval over
companies lies above 0, not supported when it lies at or below 0, as it would where tools do each
other's work (both keep the same customer, who can be kept only once) or simply add up.

The rule is easy on the claim: two gains that only multiply (more customers, each with more margin)
add up to more than their sum.  :func:`system_minus_product` asks for more than that: what all bring
beyond the single gains compounded.  :func:`interplay_by_size` tells how much comes from pairs, from
triples, and so on, by Harsanyi's dividends, which add up to `system_minus_sum`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.stats import Estimate
from keycustomer.stats.samples import FloatArray
from keycustomer.strategy.tools.coalitions import member_table
from keycustomer.strategy.tools.company_means import company_mean, interval_columns
from keycustomer.strategy.tools.games import harsanyi_dividends
from keycustomer.strategy.tools.subsets import ToolSubsets


def system_minus_sum(subsets: ToolSubsets, measure: str = "profit") -> Estimate:
    """Take the sum of what each tool brings alone off what all bring.

    Parameters
    ----------
    subsets : ToolSubsets
        From :func:`keycustomer.strategy.tool_subsets`.
    measure : {"profit", "margin", "revenue", "churn"}
        Of amounts as a share of the usual amount; of churn in shares a month.

    Returns
    -------
    Estimate
        Mean over companies with Student's interval.
    """
    return company_mean(beyond_sum(subsets.gains(measure)), subsets.unit(measure))


def system_minus_product(subsets: ToolSubsets, measure: str = "profit") -> Estimate:
    """Take the single gains compounded off what all tools bring.

    Parameters
    ----------
    subsets : ToolSubsets
        From :func:`keycustomer.strategy.tool_subsets`.
    measure : {"profit", "margin", "revenue"}
        An amount.

    Returns
    -------
    Estimate
        Mean over companies with Student's interval, share of the usual amount.

    Raises
    ------
    ValueError
        When the measure is churn, whose changes are no growth that compounds.
    """
    if measure == "churn":
        raise ValueError("measure='churn': changes of a rate do not compound; use an amount")
    return company_mean(beyond_product(subsets.gains(measure)), subsets.unit(measure))


def beyond_sum(gains: FloatArray) -> FloatArray:
    """Gain of all less the sum of single gains, shape (companies,); gains by coalition number."""
    return np.asarray(gains[..., -1] - _single(gains).sum(axis=-1))


def beyond_product(gains: FloatArray) -> FloatArray:
    """Gain of all less the single gains compounded, shape (companies,)."""
    return np.asarray(1 + gains[..., -1] - np.prod(1 + _single(gains), axis=-1))


def _single(gains: FloatArray) -> FloatArray:
    count = gains.shape[-1].bit_length() - 1
    return gains[..., 1 << np.arange(count)]


def interplay_by_size(subsets: ToolSubsets, measure: str = "profit") -> pd.DataFrame:
    """How much of what all tools bring comes from single tools, pairs, triples and so on.

    Parameters
    ----------
    subsets, measure
        As in :func:`system_minus_sum`.

    Returns
    -------
    DataFrame
        One row a number of tools, 1 to 6: tools, subsets (how many of that size), dividend (sum
        of their Harsanyi dividends, unit as in :func:`system_minus_sum`), dividend_lower,
        dividend_upper.  From 2 on they add up to :func:`system_minus_sum`.
    """
    gains, unit = subsets.gains(measure), subsets.unit(measure)
    sizes = member_table(len(subsets.tools)).sum(axis=1)
    known = np.isfinite(gains).all(axis=1)
    dividends = np.full(gains.shape, np.nan)
    if known.any():
        dividends[known] = harsanyi_dividends(gains[known], subsets.tools)
    counts = np.arange(1, len(subsets.tools) + 1)
    sums = np.column_stack([dividends[:, sizes == count].sum(axis=1) for count in counts])
    return pd.DataFrame(
        {
            "tools": counts,
            "subsets": [int((sizes == count).sum()) for count in counts],
            **interval_columns(sums, "dividend", unit),
        }
    )
