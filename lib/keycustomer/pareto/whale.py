"""The whale curve: how much profit the best customers make before others lose it again.

Customers are sorted from the most profitable down and their profit is cumulated.  The curve
rises above the final profit, stays level over customers that bring nothing, and falls over
those that cost more than they bring.  :func:`whale_curve` measures its peak (height and
position), the loss-makers, and the erosion from the peak to the end.

Where some profits are negative, concentration indices such as Gini are not shares of anything;
this curve is the right picture.  All its measures are functions of four sums (customers with a
gain, with a loss, gains, losses), so a bootstrap resample costs four weighted sums, and leaving
one customer out has a closed form: intervals are BCa.

Sources: Cooper & Kaplan, "Profit priorities from activity-based costing" (Harvard Business
Review 1991); Kaplan & Narayanan, "Measuring and managing customer profitability" (2001).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape

import numpy as np
import pandas as pd

from keycustomer.pareto.ladder import Ladder
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, finite_values
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray, Values

POINTS = 400
"""Points kept of the curve, besides its start, peak and end."""

MEASURES = ("peak_height", "peak_position", "loss_makers", "erosion")


@dataclass(frozen=True)
class WhaleCurve:
    """The whale curve of one set of customers.

    Attributes
    ----------
    quantity : str
        What is cumulated, for example `profit`.
    customers, gainers, losers : int
        Customers, those with a gain, those with a loss.
    total, gains, losses : float
        Sum of the values, of the positive ones, of the negative ones (as a positive number).
    peak_height : Estimate
        Gains as a share of the total: 1.3 when 30 % of the final profit is lost again.  NaN
        where the total is not above zero.
    peak_position : Estimate
        Share of customers with a gain.
    loss_makers : Estimate
        Share of customers with a loss.
    erosion : Estimate
        Losses as a share of the gains, 0..1 while the total is positive.
    curve : DataFrame
        `customers` (share, from the best), `value` (cumulated), `share` (of the total).
    """

    quantity: str
    customers: int
    gainers: int
    losers: int
    total: float
    gains: float
    losses: float
    peak_height: Estimate
    peak_position: Estimate
    loss_makers: Estimate
    erosion: Estimate
    curve: pd.DataFrame = field(repr=False)

    def estimates(self) -> list[tuple[str, str, Estimate]]:
        """Rows of (measure, group, estimate) under the names of the case output."""
        names = ("whale_peak", "whale_peak_position", "loss_making_share", "whale_erosion")
        return [(name, "", getattr(self, m)) for name, m in zip(names, MEASURES, strict=True)]

    def to_frame(self) -> pd.DataFrame:
        """One row a measure: measure, estimate, lower, upper, unit, n, method."""
        columns = ("estimate", "lower", "upper", "unit", "n", "method")
        return pd.DataFrame(
            [
                {"measure": name, **{c: getattr(e, c) for c in columns}}
                for name, _, e in self.estimates()
            ]
        )

    def _repr_html_(self) -> str:
        table = self.to_frame().drop(columns=["n"])
        note = (
            f"{self.quantity} of {self.customers:,} customers: {self.gainers:,} bring "
            f"{self.gains:,.2f}, {self.losers:,} cost {self.losses:,.2f}."
        )
        return table.to_html(index=False, na_rep="", float_format=lambda v: f"{v:.4g}") + (
            f"<p>{escape(note)}</p>"
        )


def whale_curve(
    values: Values,
    *,
    quantity: str = "profit",
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> WhaleCurve:
    """Measure the whale curve of customers' profits.

    Parameters
    ----------
    values : Series, array or sequence of numbers
        One profit (or revenue net of returns) a customer; negatives welcome.
    quantity : str
        What the values are.
    draws, seed, level, progress
        As in :func:`keycustomer.pareto.concentration`.

    Raises
    ------
    TypeError, ValueError
        When values are not numbers, unknown, infinite, or none, or when all are zero.
    """
    numbers = finite_values(values)
    if not numbers.any():
        raise ValueError(f"all {numbers.size:,} values are zero: there is no curve to draw")
    ladder = Ladder.of(numbers)
    parts = _parts(ladder.values)
    sizes = ladder.sizes.astype(np.float64)
    drawn = bootstrap(
        lambda weights: _measures(weights @ parts),
        ladder.sizes,
        draws=draws,
        seed=seed,
        progress=progress,
    )
    sums = sizes @ parts
    point, without = _measures(sums[None, :])[0], _measures(sums - parts)
    units = (f"share of total {quantity}", *["share of customers"] * 2, "share of gains")
    estimates = {
        name: bootstrap_estimate(
            float(point[i]),
            drawn[:, i],
            unit=units[i],
            n=numbers.size,
            leave_one_out=without[:, i],
            multiplicities=ladder.sizes,
            level=level,
        )
        for i, name in enumerate(MEASURES)
    }
    gainers, losers, gains, losses, _ = sums.tolist()
    total = gains - losses
    return WhaleCurve(
        quantity,
        numbers.size,
        int(gainers),
        int(losers),
        total,
        gains,
        losses,
        **estimates,
        curve=_curve(ladder, total),
    )


def _parts(values: FloatArray) -> FloatArray:
    """Give what each customer adds to the sums: gainers, losers, gains, losses, customers."""
    return np.column_stack(
        [
            values > 0,
            values < 0,
            np.maximum(values, 0),
            np.maximum(-values, 0),
            np.ones_like(values),
        ]
    ).astype(np.float64)


def _measures(sums: FloatArray) -> FloatArray:
    """Peak height, peak position, loss-makers, erosion from rows of the five sums."""
    gainers, losers, gains, losses, customers = sums.T
    total = np.where(gains - losses > 0, gains - losses, np.nan)
    there = np.where(customers > 0, customers, np.nan)
    return np.column_stack(
        [
            gains / total,
            gainers / there,
            losers / there,
            losses / np.where(gains > 0, gains, np.nan),
        ]
    )


def _curve(ladder: Ladder, total: float) -> pd.DataFrame:
    customers, value = (line[0] for line in ladder.curve(ladder.sizes[None, :].astype(float)))
    last = customers.size - 1
    kept = np.unique([*np.linspace(0, last, POINTS).astype(int), ladder.positive, last])
    share = value[kept] / total if total > 0 else np.full(kept.size, math.nan)
    return pd.DataFrame(
        {"customers": customers[kept] / customers[-1], "value": value[kept], "share": share}
    )
