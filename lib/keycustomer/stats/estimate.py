"""An estimate with its interval, and the verdicts a claim gets from it.

`Estimate` is what a chapter reports; the evidence ledger's rules are `verdict_at_least`, for claims
of the form "the share is at least so much", `verdict_above`, for "this is larger than that", and
`verdict_below`, for the contrary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

Verdict = str


@dataclass(frozen=True)
class Estimate:
    """A point estimate with a confidence interval.

    Attributes
    ----------
    estimate : float
        The point estimate, in `unit`.
    lower, upper : float
        Ends of the interval at `level`; NaN where no interval can be given.
    unit : str
        Unit of the estimate, for example `share of revenue` or `customers`.
    n : int
        Number of units (customers, respondents ...) the estimate rests on.
    method : str
        How the interval was made.
    level : float
        Confidence level of the interval, 0..1.
    """

    estimate: float
    lower: float
    upper: float
    unit: str
    n: int
    method: str
    level: float = 0.95

    @classmethod
    def without_interval(
        cls, estimate: float, unit: str, n: int, why: str, level: float = 0.95
    ) -> Estimate:
        """Return an estimate that has no interval, its method saying why: `no interval: ...`."""
        return cls(estimate, math.nan, math.nan, unit, n, f"no interval: {why}", level)

    @property
    def standard_error(self) -> float:
        """Standard deviation of the normal distribution that has this interval, in `unit`."""
        return (self.upper - self.lower) / (2 * NormalDist().inv_cdf((1 + self.level) / 2))

    def __str__(self) -> str:
        """`0.677 [0.655, 0.699]`, with digits fitting the size of the number."""
        if math.isnan(self.lower) or math.isnan(self.upper):
            return _digits(self.estimate)
        return f"{_digits(self.estimate)} [{_digits(self.lower)}, {_digits(self.upper)}]"

    def as_percent(self, digits: int = 1) -> str:
        """Write a share in per cent, `67.7 % [65.5, 69.9]`."""
        point = f"{100 * self.estimate:.{digits}f} %"
        if math.isnan(self.lower) or math.isnan(self.upper):
            return point
        return f"{point} [{100 * self.lower:.{digits}f}, {100 * self.upper:.{digits}f}]"


def _digits(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 10_000 or (float(value).is_integer() and abs(value) >= 10):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def verdict_at_least(estimate: Estimate, threshold: float) -> Verdict:
    """Verdict on the claim that a quantity is at least `threshold`.

    Parameters
    ----------
    estimate : Estimate
        The quantity with its interval.
    threshold : float
        The claimed value, in the estimate's unit.

    Returns
    -------
    {"supported", "not supported", "undecided"}
        `supported` when the interval includes or exceeds the threshold, `not supported` when it
        lies wholly below, `undecided` when there is no interval.
    """
    if np.isnan([estimate.estimate, estimate.lower, estimate.upper]).any():
        return "undecided"
    return "supported" if estimate.upper >= threshold else "not supported"


def verdict_above(estimate: Estimate, threshold: float = 0.0) -> Verdict:
    """Verdict on the claim that a quantity, such as a difference, lies above `threshold`.

    Parameters
    ----------
    estimate : Estimate
        The quantity with its interval.
    threshold : float
        The value to exceed, in the estimate's unit.

    Returns
    -------
    {"supported", "not supported", "undecided"}
        `supported` when the interval lies wholly above the threshold, `not supported` when it lies
        wholly at or below, `undecided` when it holds values on both sides or there is none.
    """
    if np.isnan([estimate.estimate, estimate.lower, estimate.upper]).any():
        return "undecided"
    if estimate.lower > threshold:
        return "supported"
    return "not supported" if estimate.upper <= threshold else "undecided"


def verdict_below(estimate: Estimate, threshold: float) -> Verdict:
    """Verdict on the claim that a quantity, such as an overlap, lies below `threshold`.

    Parameters
    ----------
    estimate : Estimate
        The quantity with its interval.
    threshold : float
        The value not to reach, in the estimate's unit.

    Returns
    -------
    {"supported", "not supported", "undecided"}
        `supported` when the interval lies wholly below the threshold, `not supported` when it lies
        wholly at or above, `undecided` when it holds values on both sides or there is none.
    """
    if np.isnan([estimate.estimate, estimate.lower, estimate.upper]).any():
        return "undecided"
    if estimate.upper < threshold:
        return "supported"
    return "not supported" if estimate.lower >= threshold else "undecided"
