"""Concentration measures of a ladder of customers, each with its bootstrap interval.

How sure is each measure?  :class:`Resampled` computes all measures on the customers and on every
resample in one pass, then hands out one `Estimate` at a time, with the leave-one-out values that
its BCa interval needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from keycustomer.pareto.ladder import INDICES, Ladder, LeaveOneOut
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

DIGITS = 12
"""Shares that agree to so many digits are the same share."""


@dataclass(frozen=True)
class Resampled:
    """Measures of the customers (`points`) and of their resamples (`draws`), by column."""

    ladder: Ladder
    tops: FloatArray
    shares: FloatArray
    points: FloatArray
    draws: FloatArray
    level: float

    @classmethod
    def of(
        cls,
        ladder: Ladder,
        *,
        tops: Sequence[float],
        shares: Sequence[float],
        draws: int,
        seed: Seed,
        level: float,
        progress: Progress | None,
    ) -> Resampled:
        """Measure the customers and `draws` resamples of them."""
        return cls.of_each(
            [ladder],
            tops=tops,
            shares=shares,
            draws=draws,
            seed=seed,
            level=level,
            progress=progress,
        )[0]

    @classmethod
    def of_each(
        cls,
        ladders: Sequence[Ladder],
        *,
        tops: Sequence[float],
        shares: Sequence[float],
        draws: int,
        seed: Seed,
        level: float,
        progress: Progress | None,
    ) -> list[Resampled]:
        """Measure several ladders of equally many customers on resamples drawn once for all."""
        p, s = _distinct(tops), _distinct(shares)
        drawn = bootstrap(
            lambda weights: np.hstack(
                [ladder.measures(ladder.joined(weights), p, s) for ladder in ladders]
            ),
            np.ones(ladders[0].customers),
            draws=draws,
            seed=seed,
            progress=progress,
        )
        return [
            cls(ladder, p, s, ladder.measures(ladder.once, p, s)[0], columns, level)
            for ladder, columns in zip(ladders, np.split(drawn, len(ladders), axis=1), strict=True)
        ]

    @cached_property
    def _without(self) -> LeaveOneOut:
        return LeaveOneOut(self.ladder)

    def top(self, top: float, unit: str, *, above: float = 0.0) -> Estimate:
        """Share of value of the customers between two places of the order, 0 the first."""
        columns = [self._top_column(place) for place in (top, above)]
        return self._between(columns, self._without.top_share, (top, above), unit)

    def needed(self, share: float, unit: str, *, above: float = 0.0) -> Estimate:
        """Share of customers that brings the value between two shares of it."""
        columns = [self._needed_column(place) for place in (share, above)]
        return self._between(columns, self._without.customers_for, (share, above), unit)

    def index(self, name: str, unit: str) -> Estimate:
        """One of Gini, HHI and Theil; without a value where some customer's is negative."""
        n = self.ladder.customers
        if self.ladder.has_negatives:
            why = "not computed: some customers' values are negative"
            return Estimate(math.nan, math.nan, math.nan, unit, n, why, self.level)
        column = INDICES.index(name) - len(INDICES)
        left_out = self._without.index(name) if n > 1 else None
        return self._estimate(self.points[column], self.draws[:, column], left_out, unit)

    def points_at(self, tops: FloatArray) -> FloatArray:
        """Shares of value of the top customers, without interval."""
        return np.array([self.points[self._top_column(top)] for top in tops])

    def needs_at(self, shares: FloatArray) -> FloatArray:
        """Shares of customers that bring shares of value, without interval."""
        return np.array([self.points[self._needed_column(share)] for share in shares])

    def _top_column(self, top: float) -> int:
        return int(np.searchsorted(self.tops, np.round(top, DIGITS)))

    def _needed_column(self, share: float) -> int:
        return self.tops.size + int(np.searchsorted(self.shares, np.round(share, DIGITS)))

    def _between(
        self,
        columns: list[int],
        left_out_at: Callable[[float], FloatArray],
        places: tuple[float, float],
        unit: str,
    ) -> Estimate:
        """Estimate the difference of two columns."""
        point, start = self.points[columns]
        drawn = self.draws[:, columns[0]] - self.draws[:, columns[1]]
        left_out = None
        if self.ladder.customers > 1:
            left_out = left_out_at(places[0]) - left_out_at(places[1])
        return self._estimate(point - start, drawn, left_out, unit)

    def _estimate(
        self, point: float, drawn: FloatArray, left_out: FloatArray | None, unit: str
    ) -> Estimate:
        return bootstrap_estimate(
            float(point),
            drawn,
            unit=unit,
            n=self.ladder.customers,
            leave_one_out=left_out,
            multiplicities=self.ladder.sizes,
            level=self.level,
        )


def _distinct(shares: Sequence[float]) -> FloatArray:
    """Shares in rising order, each once, zero included as the start of the curve."""
    return np.unique(np.round([0.0, *shares], DIGITS))
