"""A response curve estimated from counts: how many were won or kept at which spending.

Question: the managers' guess of the ceiling decides everything in Blattberg & Deighton's model;
what do counts say of it?  Where groups of people met different spendings, :func:`fit_response`
finds the exponential curve by maximum likelihood, with intervals from people drawn again within
each group.  A ceiling far above every spending tried is hardly known, and its interval says so.

The curve shows what spending does only where it was set by chance or by a rule that has nothing to
do with how people answer.  Where large customers get more *and* leave more, or the loyal get more,
it shows who was given how much: compare like with like first.

Source: Blattberg & Deighton (1996), Harvard Business Review 74(4), for the curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.lifetime.arguments import need_columns, whole_number
from keycustomer.relationships.economics.responses import ExponentialResponse
from keycustomer.stats import Estimate, bootstrap_estimate
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.samples import FloatArray

IDENTIFICATION = (
    "The curve is the effect of spending where spending was set by chance, or like is compared "
    "with like; else it also shows who was given how much."
)

STARTS = np.array([0.3, 1.0, 3.0])
"""Where the search begins: steepness times the mean spending above 0."""

NARROWEST = 1e-9
"""Rates keep this distance from 0 and 1, so that logarithms stay finite."""


@dataclass(frozen=True, eq=False)
class FittedResponse:
    """A response curve with what it was estimated from.

    Attributes
    ----------
    response : ExponentialResponse
        The curve.
    ceiling, floor, steepness : Estimate
        Its parameters with their intervals.
    cells : DataFrame
        One row a spending: spending, people, successes, rate, lower, upper (Wilson), fitted.
    misfit : float
        Probability that counts as far from the curve come about by chance if it holds (likelihood
        ratio); NaN where there are no more spendings than parameters.
    identification : str
        When the curve is the effect of spending.
    """

    response: ExponentialResponse
    ceiling: Estimate
    floor: Estimate
    steepness: Estimate
    cells: pd.DataFrame = field(repr=False)
    misfit: float
    identification: str = IDENTIFICATION

    def to_frame(self) -> pd.DataFrame:
        """Return one row a parameter: parameter, estimate, lower, upper, unit, n, method."""
        columns = ("estimate", "lower", "upper", "unit", "n", "method")
        return pd.DataFrame(
            [
                {"parameter": name, **{c: getattr(getattr(self, name), c) for c in columns}}
                for name in ("ceiling", "floor", "steepness")
            ]
        )

    def _repr_html_(self) -> str:
        chance = "" if math.isnan(self.misfit) else f" Misfit by chance: {self.misfit:.2g}."
        said = self.identification + chance
        return sentence_html(said, self.to_frame(), self.cells, numbers=",.4g")


def fit_response(
    counts: pd.DataFrame,
    *,
    spending: str = "spending",
    people: str = "people",
    successes: str = "successes",
    floor: float | None = None,
    draws: int = 200,
    seed: Seed = 0,
    level: float = 0.95,
) -> FittedResponse:
    """Estimate a response curve from the numbers of people won or kept at several spendings.

    Parameters
    ----------
    counts : DataFrame
        One row a group of people who met the same spending; rows of one spending are added up.
    spending, people, successes : str
        Columns: currency a head, people, people won or kept.
    floor : float, optional
        Rate without spending, where it is known (0 if nobody comes by himself); left out, it is
        estimated, for which a spending more is needed.
    draws : int
        Bootstrap draws for the intervals, 0 for none.
    seed : int or Generator
        The same seed gives the same intervals.
    level : float
        Confidence level of the intervals, 0..1.

    Raises
    ------
    ValueError
        When columns are missing, counts are none, or there are too few spendings for the curve.
    """
    cells = _cells(counts, spending, people, successes)
    _enough(cells, floor)
    amounts, sizes, hits = (cells[c].to_numpy(float) for c in ("spending", "people", "successes"))
    found, loglik = _search(amounts, sizes, hits, floor, None)
    curve = ExponentialResponse(found[0], found[2], found[1])
    generator = np.random.default_rng(seed)
    drawn = np.empty((whole_number(draws, "draws", of="draws"), 3))
    for row in drawn:
        again = generator.binomial(sizes.astype(np.int64), hits / sizes).astype(float)
        row[:] = _search(amounts, sizes, again, floor, found)[0]
    estimates = {
        name: _estimate(found[k], drawn[:, k], unit, int(sizes.sum()), level)
        for k, (name, unit) in enumerate(
            (("ceiling", "share"), ("floor", "share"), ("steepness", "per unit of currency"))
        )
    }
    if floor is not None:
        estimates["floor"] = Estimate.without_interval(floor, "share", int(sizes.sum()), "given")
    return FittedResponse(
        curve,
        ceiling=estimates["ceiling"],
        floor=estimates["floor"],
        steepness=estimates["steepness"],
        cells=cells.assign(fitted=curve.rate(amounts)),
        misfit=_misfit(loglik, sizes, hits, 2 + (floor is None)),
    )


def _cells(counts: pd.DataFrame, spending: str, people: str, successes: str) -> pd.DataFrame:
    """Add up the counts of every spending, with the rates."""
    need_columns(counts, (spending, people, successes), "counts")
    chosen = counts[[spending, people, successes]].astype(float)
    chosen.columns = pd.Index(["spending", "people", "successes"])
    whole = (chosen[["people", "successes"]] % 1 == 0).all(axis=1)
    right = whole & (chosen["people"] > 0) & (chosen["successes"].between(0, chosen["people"]))
    right &= (chosen["spending"] >= 0) & np.isfinite(chosen["spending"])
    if not right.all():
        rows = ", ".join(map(repr, counts.index[~right][:3].tolist()))
        raise ValueError(
            f"counts: {int((~right).sum()):,} rows are no counts, first at {rows}: {spending} must "
            f"be an amount of at least 0, {people} a whole number above 0, {successes} one from 0 "
            f"to {people}"
        )
    cells = chosen.groupby("spending", as_index=False).sum()
    lower, upper = wilson_interval(cells["successes"], cells["people"])
    rates = cells["successes"] / cells["people"]
    return cells.assign(rate=rates, lower=lower, upper=upper)


def _enough(cells: pd.DataFrame, floor: float | None) -> None:
    """Refuse fewer spendings than the curve has parameters, and none that wins anybody."""
    usable = len(cells) if floor is None else int((cells["spending"] > 0).sum())
    needed = 3 if floor is None else 2
    if usable < needed:
        given = "a floor to estimate" if floor is None else "a given floor"
        raise ValueError(
            f"counts: {usable} different spendings are too few, a curve with {given} needs "
            f"{needed}; with one known point use calibrate_response(spending, rate, ceiling)"
        )
    if cells["successes"].sum() == 0:
        raise ValueError("counts: nobody was won or kept at any spending; there is no curve")


def _search(
    spending: FloatArray,
    people: FloatArray,
    successes: FloatArray,
    floor: float | None,
    start: tuple[float, float, float] | None,
) -> tuple[tuple[float, float, float], float]:
    """Find ceiling, floor and steepness of the largest likelihood, and that likelihood."""
    from scipy.optimize import minimize

    scale = float(spending[spending > 0].mean())

    def unpacked(point: FloatArray) -> tuple[float, float, float]:
        low = point[1] if floor is None else floor
        return low + (1 - low) * point[0], low, math.exp(point[2]) / scale

    def badness(point: FloatArray) -> tuple[float, FloatArray]:
        high, low, steep = unpacked(point)
        left = np.exp(-steep * spending)
        rates = low + (high - low) * (1 - left)
        safe = np.clip(rates, NARROWEST, 1 - NARROWEST)
        pull = successes / safe - (people - successes) / (1 - safe)
        slopes = np.stack(
            [
                (1 - low) * (1 - left),
                np.where(floor is None, 1 - point[0] * (1 - left), 0.0),
                (high - low) * steep * spending * left,
            ]
        )
        return -_loglik(rates, people, successes) / count, -(slopes @ pull) / count

    count = people.sum()
    rate = float(successes.sum() / people.sum())
    low = 0.5 * rate if floor is None else floor
    firsts = [[min((1 + rate) / 2, 0.9), low, math.log(one)] for one in STARTS]
    if start is not None:
        firsts = [[(start[0] - start[1]) / (1 - start[1]), start[1], math.log(start[2] * scale)]]
    bounds = [(1e-6, 1.0), (0.0, 0.999), (-7.0, 7.0)]
    found = min(
        (minimize(badness, one, jac=True, method="L-BFGS-B", bounds=bounds) for one in firsts),
        key=lambda one: float(one.fun),
    )
    return unpacked(found.x), -float(found.fun) * count


def _loglik(rate: FloatArray, people: FloatArray, successes: FloatArray) -> float:
    safe = np.clip(rate, NARROWEST, 1 - NARROWEST)
    return float(successes @ np.log(safe) + (people - successes) @ np.log1p(-safe))


def _misfit(loglik: float, people: FloatArray, successes: FloatArray, parameters: int) -> float:
    from scipy.stats import chi2

    spare = len(people) - parameters
    if spare < 1:
        return math.nan
    most = _loglik(successes / people, people, successes)
    return float(chi2.sf(max(2 * (most - loglik), 0.0), spare))


def _estimate(point: float, drawn: FloatArray, unit: str, n: int, level: float) -> Estimate:
    if not drawn.size:
        return Estimate.without_interval(point, unit, n, "no draws", level)
    return bootstrap_estimate(point, drawn, unit=unit, n=n, level=level)
