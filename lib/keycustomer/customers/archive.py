"""The account archive: what a key customer's file should hold, and how much of it is there.

Question: are the files of the customers that matter most more complete than those of the rest?
Names: `ARCHIVE` (the fields), :func:`account_archive` (completeness of each customer's file),
:func:`archive_summary` (key customers against the rest, with intervals).

Sources: the course's T6 (account archive); Welch (1947) for the interval of a difference.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from keycustomer.customers.answers import ranked, whole_customers

ARCHIVE = (
    *("name", "email", "phone", "address", "city", "postal_code", "country"),
    *("manager", "joined_on", "updated_on"),
)
"""Fields a key account's file should have, next to its attributes."""

KEY_SHARE = 0.2
"""Share of customers that count as key accounts in the archive's comparison."""


def account_archive(known: pd.DataFrame, expected: tuple[str, ...]) -> pd.DataFrame:
    """Count the fields that each customer's file holds.

    Parameters
    ----------
    known : DataFrame
        One row a customer: customer_id, revenue, and a flag `has <field>` for each field kept.
    expected : tuple of str
        The fields a file should hold; one that the base does not keep is filled for nobody.

    Returns
    -------
    DataFrame
        customer_id, key (among the top fifth by revenue, ties by id), filled, expected,
        completeness (filled / expected, 0..1).
    """
    flags = [f"has {field}" for field in expected if f"has {field}" in known.columns]
    filled = known[flags].sum(axis=1).astype(int) if flags else pd.Series(0, index=known.index)
    keys = ranked(known, "revenue")["customer_id"].head(whole_customers(KEY_SHARE, len(known)))
    return pd.DataFrame(
        {
            "customer_id": known["customer_id"],
            "key": known["customer_id"].isin(keys),
            "filled": filled,
            "expected": len(expected),
            "completeness": filled / len(expected) if expected else math.nan,
        }
    )


def archive_summary(archive: pd.DataFrame) -> pd.DataFrame:
    """Compare the completeness of key customers' files with that of the rest.

    Parameters
    ----------
    archive : DataFrame
        What :func:`account_archive` returns.

    Returns
    -------
    DataFrame
        group, customers, completeness (mean share of fields), lower, upper: 95 % intervals by
        Student's distribution for the means and by Welch's approximation for the difference.
    """
    key = archive.loc[archive["key"], "completeness"].to_numpy(float)
    rest = archive.loc[~archive["key"], "completeness"].to_numpy(float)
    rows = [
        _mean_row("key customers (top fifth)", key),
        _mean_row("the rest", rest),
        _difference_row("difference", key, rest),
    ]
    return pd.DataFrame(rows).head(len(rows) if len(archive) else 0)


def _mean_row(group: str, values: np.ndarray) -> dict[str, object]:
    n, mean = len(values), float(values.mean()) if len(values) else math.nan
    half = math.nan
    if n > 1:
        half = _t(n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return {
        "group": group,
        "customers": n,
        "completeness": mean,
        "lower": max(mean - half, 0.0) if n > 1 else math.nan,
        "upper": min(mean + half, 1.0) if n > 1 else math.nan,
    }


def _difference_row(group: str, key: np.ndarray, rest: np.ndarray) -> dict[str, object]:
    if min(len(key), len(rest)) < 2:
        return _mean_row(group, np.array([])) | {"customers": len(key) + len(rest)}
    # Files that are all equally complete differ by 0 exactly, not by a rounding with a sign.
    key, rest = key - key[0], rest - key[0]
    errors = key.var(ddof=1) / len(key), rest.var(ddof=1) / len(rest)
    freedom = [e**2 / (len(v) - 1) for e, v in zip(errors, (key, rest), strict=True)]
    df = sum(errors) ** 2 / sum(freedom) if sum(freedom) > 0 else len(key) + len(rest) - 2
    gap, half = float(key.mean() - rest.mean()), _t(df) * math.sqrt(sum(errors))
    return {
        "group": group,
        "customers": len(key) + len(rest),
        "completeness": gap,
        "lower": gap - half,
        "upper": gap + half,
    }


def _t(freedom: float) -> float:
    """Quantile .975 of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
