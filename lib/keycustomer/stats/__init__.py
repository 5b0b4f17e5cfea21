"""Estimates with intervals, used by every chapter.

`Estimate` and the verdict rules of the evidence ledger stand in `estimate`, the customer
bootstrap in `bootstrap`, the check of values in `samples`.
"""

from keycustomer.stats.bootstrap import (
    acceleration,
    bca_interval,
    bootstrap,
    bootstrap_counts,
    bootstrap_estimate,
    percentile_interval,
)
from keycustomer.stats.estimate import Estimate, verdict_above, verdict_at_least, verdict_below
from keycustomer.stats.samples import finite_values, share_of

__all__ = [
    "Estimate",
    "acceleration",
    "bca_interval",
    "bootstrap",
    "bootstrap_counts",
    "bootstrap_estimate",
    "finite_values",
    "percentile_interval",
    "share_of",
    "verdict_above",
    "verdict_at_least",
    "verdict_below",
]
