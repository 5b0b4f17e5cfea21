"""Intervals of a PLS path model by the bootstrap of respondents.

How far could every figure be off, with other respondents?  :func:`bootstrap_pls` draws respondents
with replacement, estimates the whole model for each draw, weights included, and cuts off equal
tails (percentile intervals).  Draws are estimated together on stacks of correlation matrices.

A resample may settle with a construct's sign turned round, which would widen every interval for
no reason.  ``signs="construct"`` turns a construct whose score correlates negatively with the
score that the fitted weights make of the same resample; ``"none"`` leaves each draw as it comes,
its loadings summing to more than zero.  The result counts how often it happened.

Sources: Tenenhaus et al. (CSDA 2005), section 3.3, on construct-level sign changes; Aguirre-Urreta
& Rönkkö, "Statistical inference with PLSc using bootstrap confidence intervals" (MIS Quarterly
2018), for percentile intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.measurement.intervals import (
    drawn_estimate,
    interval_table,
    readable,
)
from keycustomer.dimensions.measurement.moments import correlations_of
from keycustomer.dimensions.measurement.validity import FornellLarcker, fornell_larcker
from keycustomer.dimensions.pls.algorithm import solve_paths
from keycustomer.dimensions.pls.path_model import PlsFit
from keycustomer.dimensions.pls.quantities import RELIABILITIES, Quantities, quantities
from keycustomer.stats import Estimate, bootstrap
from keycustomer.stats.bootstrap import Progress, Seed
from keycustomer.stats.samples import FloatArray

Signs: TypeAlias = Literal["construct", "none"]

SIGNS: tuple[Signs, ...] = ("construct", "none")
"""What is done about constructs that come out turned round in a resample."""

UNITS = {
    "path": "standard deviations a standard deviation",
    "total": "standard deviations a standard deviation",
    "indirect": "standard deviations a standard deviation",
    "r_squared": "share of variance",
    "loading": "correlation",
    "weight": "weight of a standardised item",
    "correlation": "correlation",
    "ave": "share of variance",
}
"""Units by quantity; reliabilities are shares of the score's variance."""


@dataclass(frozen=True, eq=False)
class PlsBootstrap:
    """Bootstrap draws of a PLS path model, and the intervals they make.

    Attributes
    ----------
    fit : PlsFit
        The model on the respondents themselves.
    draws : dict of str to ndarray, shape (draws, rows of the table)
        Figures of every draw, by the name of the quantity; also `mean` and `deviation` of the
        items.
    failed : int
        Draws without a solution: an item constant among those drawn, or weights that did not
        settle.  They count beyond both ends of an interval.
    turned : dict of str to int
        Draws in which a construct's sign was turned.
    signs : {"construct", "none"}
        What was done about signs.
    level : float
        Confidence level of the intervals.
    """

    fit: PlsFit
    draws: Quantities = field(repr=False)
    failed: int
    turned: dict[str, int]
    signs: Signs
    level: float

    @property
    def count(self) -> int:
        """Number of draws."""
        return len(self.draws["path"])

    def _table(self, quantity: str) -> pd.DataFrame:
        labels = self.fit.labels.frame(quantity)
        return interval_table(labels, self._estimates(quantity), self.draws[quantity])

    def _estimates(self, quantity: str) -> list[Estimate]:
        return [
            drawn_estimate(
                float(point),
                own,
                unit=UNITS.get(quantity, "share of the score's variance"),
                n=self.fit.respondents,
                level=self.level,
            )
            for point, own in zip(
                self.fit.quantities[quantity][0], self.draws[quantity].T, strict=True
            )
        ]

    def paths(self) -> pd.DataFrame:
        """Path coefficients with intervals, one row a path."""
        return self._table("path")

    def total_effects(self) -> pd.DataFrame:
        """Direct and indirect effects together, with intervals."""
        return self._table("total")

    def indirect_effects(self) -> pd.DataFrame:
        """Effects along each route, and their sum where there are several, with intervals."""
        return self._table("indirect")

    def r_squared(self) -> pd.DataFrame:
        """Variance explained, with intervals."""
        return self._table("r_squared")

    def loadings(self) -> pd.DataFrame:
        """Correlations of items with their own construct, with intervals."""
        return self._table("loading")

    def weights(self) -> pd.DataFrame:
        """Weights of the standardised items, with intervals."""
        return self._table("weight")

    def construct_correlations(self) -> pd.DataFrame:
        """Correlations of the constructs, with intervals, one row a pair."""
        return self._table("correlation")

    def reliability(self) -> pd.DataFrame:
        """Reliabilities by construct with intervals: construct, measure, estimate ..."""
        parts = [self._table(name).assign(measure=name) for name in RELIABILITIES]
        table = pd.concat(parts, ignore_index=True).dropna(subset=["estimate"])
        first = ["construct", "measure"]
        return table[first + [c for c in table if c not in first]].reset_index(drop=True)

    def fornell_larcker(self) -> FornellLarcker:
        """Whether constructs share more with their items than with others, with intervals."""
        first, second = (list(part) for part in zip(*self.fit.labels.pairs, strict=True))
        ave = self.draws["ave"]
        margins = np.minimum(ave[:, first], ave[:, second]) - self.draws["correlation"] ** 2
        point = pd.Series(self.fit.quantities["ave"][0], index=list(self.fit.model.constructs))
        return fornell_larcker(
            point,
            self.fit.construct_correlations(),
            margins=margins,
            n=self.fit.respondents,
        )

    def estimates(self) -> list[tuple[str, str, Estimate]]:
        """Rows of (measure, group, estimate): `path`, `indirect` and `r_squared`."""
        rows = []
        for quantity in ("path", "indirect", "r_squared"):
            labels = self.fit.labels.frame(quantity)
            for label, estimate in zip(
                labels.to_dict("records"), self._estimates(quantity), strict=True
            ):
                stations = [str(part).replace(" -> ", "->") for part in label.values()]
                rows.append((quantity, "->".join(stations), estimate))
        return rows

    def to_frame(self) -> pd.DataFrame:
        """Path coefficients with intervals, one row a path."""
        return self.paths()

    @property
    def sentences(self) -> list[str]:
        """Say how the model was estimated and the intervals were made."""
        said = [*self.fit.sentences, f"percentile intervals from {counted(self.count, 'draw')}"]
        flips = {name: times for name, times in self.turned.items() if times}
        if self.signs == "construct" and flips:
            told = ", ".join(f"{name} in {counted(times, 'draw')}" for name, times in flips.items())
            said.append(f"signs turned to those of the fit: {told}")
        if self.failed:
            said.append(f"{counted(self.failed, 'draw')} without a solution")
        return said

    def _repr_html_(self) -> str:
        return report_html(
            "PLS path model with intervals",
            self.sentences,
            {
                "Paths": readable(self.paths()),
                "Indirect effects": readable(self.indirect_effects()),
                "Explained": readable(self.r_squared()),
                "Reliability": readable(self.reliability()),
            },
        )


def bootstrap_pls(
    fit: PlsFit,
    *,
    draws: int = 1000,
    seed: Seed = 0,
    level: float = 0.95,
    signs: Signs = "construct",
    progress: Progress | None = None,
) -> PlsBootstrap:
    """Estimate a path model again on resamples of its respondents.

    Parameters
    ----------
    fit : PlsFit
        From `fit_pls`; scheme, modes, missing answers and consistency are taken over.
    draws : int
        Number of resamples.
    seed : int or Generator
        The same seed gives the same draws.
    level : float
        Confidence level of the intervals, 0..1.
    signs : {"construct", "none"}
        Whether constructs that come out turned round are turned back.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.
    """
    if signs not in SIGNS:
        raise ValueError(f"signs={signs!r}: choose one of {', '.join(map(repr, SIGNS))}")
    names: dict[str, int] = {}
    drawn = bootstrap(
        _one_row_a_draw(fit, signs, names),
        np.ones(fit.respondents),
        draws=draws,
        seed=seed,
        progress=progress,
    )
    ends = np.cumsum(list(names.values()))[:-1]
    parts = dict(zip(names, np.split(drawn, ends, axis=1), strict=True))
    flips = parts.pop("turned").sum(axis=0)
    turned = {name: int(times) for name, times in zip(fit.model.constructs, flips, strict=True)}
    failed = int((~np.isfinite(parts["path"]).all(axis=1)).sum())
    return PlsBootstrap(fit, parts, failed, turned, signs, level)


def _one_row_a_draw(
    fit: PlsFit, signs: Signs, names: dict[str, int]
) -> Callable[[FloatArray], FloatArray]:
    """Make the statistic of the bootstrap; it writes the widths of its parts into `names`."""
    reference = fit.solution.weights[0] if signs == "construct" else None

    def statistic(counts: FloatArray) -> FloatArray:
        means, covariances = fit.moments.weighted(counts)
        matrices = correlations_of(covariances)
        solution = solve_paths(
            matrices,
            fit.model,
            scheme=fit.scheme,
            consistent=fit.consistent,
            reference=reference,
        )
        told = quantities(solution, matrices, fit.labels, consistent=fit.consistent)
        told["mean"] = means
        told["deviation"] = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
        told["turned"] = solution.turned.astype(np.float64)
        names.update({name: own.shape[1] for name, own in told.items()})
        return np.concatenate(list(told.values()), axis=1)

    return statistic
