"""Where the likelihood of the Pareto/NBD is largest, be it at infinity.

Which laws of purchase and dropout rates make the histories likeliest?  The gamma laws have limits
that are laws too: all customers alike, or some at zero and the others at infinity.  In small
samples the likelihood is often largest there, and a search in the gamma laws' parameters would
run for ever.  :func:`likeliest` searches the gamma laws and, where that search ends nowhere or in
doubt, every family of limits as a problem of its own with exact derivatives, and says which one
the histories choose.

Rates are compared with ages, so of the two-point laws on zero and infinity only that of dropout
can be likeliest: a customer who came back has a purchase rate between them.

Sources: :mod:`keycustomer.lifetime.exponential.death_time` for the likelihood; the weak closure of
the gamma laws for the families.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import expit

from keycustomer.lifetime.exponential.death_time import NODES, log_likelihood
from keycustomer.lifetime.exponential.rate_moments import EqualMoments, GammaMoments, Moments
from keycustomer.lifetime.histories import Histories
from keycustomer.lifetime.laws import DropoutLaw, GammaLaw, PointLaw, RateLaw, SplitLaw
from keycustomer.lifetime.newton import BOUND, SMALLEST_GAIN, Objective, maximise
from keycustomer.stats.samples import FloatArray

Purchasing: TypeAlias = Literal["gamma", "equal"]
Dropout: TypeAlias = Literal["gamma", "equal", "split", "never"]

APPROACH_NODES = 8
"""Ages of death in the sums that lead to the maximum; the last steps use `NODES`."""

APPROACH_ROWS = 4_000
"""Histories that lead to the maximum when there are many more."""

MORE_ROWS = 16
"""So many times more histories take the next part of the way, whose end is four times surer."""

APPROACH_GAIN = 1e-9
"""Relative gain that ends an approach: the last step, taken unseen, squares what is left."""

DOUBT = 1.0
"""Standard error of a log-parameter above which the limits are looked at, too.

Two maxima are rare: of several hundred simulated cohorts of 8 to 400 customers one had a second,
lower one, at which the largest standard error was 1.75.
"""

BESIDE = (0.05, 0.15)
"""Places beside the split where a search begins: beta is the mean age times exp(-20), exp(-7)."""

LEAST_BETA = 1e-130
"""Below this the squares of 1/beta cannot be computed: the split itself is as likely."""

TIE = 1e-9
"""Differences of log-likelihoods, relative or absolute, that rounding alone makes."""

NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "purchasing": {"gamma": ("r", "alpha"), "equal": ("purchase_rate",)},
    "dropout": {
        "gamma": ("s", "beta"),
        "equal": ("dropout_rate",),
        "split": ("dropout_share",),
        "never": (),
    },
}
"""Free parameters of each law."""


@dataclass(frozen=True)
class Family:
    """A pair of laws with free parameters."""

    purchasing: Purchasing
    dropout: Dropout

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free parameters."""
        return NAMES["purchasing"][self.purchasing] + NAMES["dropout"][self.dropout]

    def units(self, scale: float) -> FloatArray:
        """Factors that turn the parameters into those of a unit of time so many times shorter."""
        purchasing = {"gamma": (1.0, scale), "equal": (1 / scale,)}[self.purchasing]
        dropout: tuple[float, ...] = {
            "gamma": (1.0, scale),
            "equal": (1 / scale,),
            "split": (1.0,),
            "never": (),
        }[self.dropout]
        return np.array(purchasing + dropout)

    def objective(self, histories: Histories, nodes: int = NODES) -> Objective:
        """Log-likelihood of the histories; a share is searched by its odds."""
        size = len(NAMES["purchasing"][self.purchasing])

        def value(parameters: FloatArray) -> tuple[float, FloatArray, FloatArray]:
            purchasing = _moments(parameters[:size])
            if self.dropout in ("gamma", "equal"):
                return log_likelihood(purchasing, _moments(parameters[size:]), histories, nodes)
            return _staying_likelihood(purchasing, parameters[size:], histories)

        return value

    def start(self, histories: Histories) -> FloatArray:
        """Parameters to begin at, which follow the unit of time."""
        age = histories.mean(histories.T)
        rate = 2 * histories.mean(histories.frequency) / age
        purchasing = {"gamma": (0.5, 0.5 / rate), "equal": (rate,)}[self.purchasing]
        dropout: tuple[float, ...] = {
            "gamma": (0.5, 0.3 * age),
            "equal": (0.5 / age,),
            "split": (0.5,),
            "never": (),
        }[self.dropout]
        return np.array(purchasing + dropout)


GAMMA = Family("gamma", "gamma")
"""The Pareto/NBD itself."""

LIMITS = (
    Family("equal", "never"),
    Family("equal", "split"),
    Family("gamma", "never"),
    Family("equal", "equal"),
    Family("gamma", "split"),
    Family("gamma", "equal"),
    Family("equal", "gamma"),
)
"""Its limits, the simpler ones first."""


@dataclass(frozen=True)
class Maximum:
    """The laws at which the likelihood is largest.

    Attributes
    ----------
    family : Family
    values : ndarray, shape (k,)
        The family's free parameters.
    covariance : ndarray, shape (k, k)
    log_likelihood : float
    evaluations : int
        Times a likelihood was computed, over all families.
    inner : bool
        Whether the search ended at a maximum within the family.
    """

    family: Family
    values: FloatArray
    covariance: FloatArray
    log_likelihood: float
    evaluations: int
    inner: bool

    @property
    def purchasing(self) -> RateLaw:
        """Law of the purchase rates."""
        if self.family.purchasing == "gamma":
            return GammaLaw(float(self.values[0]), float(self.values[1]))
        return PointLaw(float(self.values[0]))

    @property
    def dropout(self) -> DropoutLaw:
        """Law of the dropout rates."""
        free = [
            float(one) for one in self.values[len(NAMES["purchasing"][self.family.purchasing]) :]
        ]
        if self.family.dropout == "gamma":
            return GammaLaw(*free)
        if self.family.dropout == "split":
            return SplitLaw(*free)
        return PointLaw(*free) if free else PointLaw(0.0)


def likeliest(
    histories: Histories, start: FloatArray | None = None, *, near: bool = False
) -> Maximum:
    """Find the laws that make the histories likeliest.

    Parameters
    ----------
    histories : Histories
        Histories of which at least one has a repeat purchase.
    start : ndarray, shape (4,), optional
        Parameters r, alpha, s, beta to begin at; left out, a usual place.
    near : bool
        Whether the maximum is expected close to `start`.

    Returns
    -------
    Maximum
        An inner maximum, or the simplest limit that is as likely.
    """
    scale = histories.mean(histories.T)
    aged = replace(histories, recency=histories.recency / scale, T=histories.T / scale)
    begin = None if start is None else start / GAMMA.units(scale)
    return _in_unit(_likeliest_of_age_one(aged, begin, near), histories, scale)


def _likeliest_of_age_one(histories: Histories, start: FloatArray | None, near: bool) -> Maximum:
    """Find the laws in units of the mean age, so that no unit of time decides what is far."""
    usual = GAMMA.start(histories)
    found = [_search(GAMMA, histories, usual if start is None else start, near)]
    if start is not None and not (near and not _doubtful(found[0])):
        found.append(_search(GAMMA, histories, usual))
    if _doubtful(found[-1]):
        found += [_search(family, histories, family.start(histories)) for family in LIMITS]
        splits = [place for place in found if place.family.dropout == "split" and place.inner]
        found += [_beside_split(histories, split) for split in splits]
    return _choose(found)


def _in_unit(found: Maximum, histories: Histories, scale: float) -> Maximum:
    """Turn a maximum in units of the mean age into one in the unit of the histories."""
    units = found.family.units(scale)
    purchases = float(histories.weights @ histories.frequency)
    return replace(
        found,
        values=found.values * units,
        covariance=found.covariance * np.outer(units, units),
        log_likelihood=found.log_likelihood - purchases * np.log(scale),
    )


def _choose(found: list[Maximum]) -> Maximum:
    """Of the likeliest places the one with the fewest parameters."""
    best = max(place.log_likelihood for place in found)
    level = best - TIE * max(1.0, abs(best))
    tied = [place for place in found if place.log_likelihood >= level]
    inner = [place for place in tied if place.inner] or tied
    chosen = min(inner, key=lambda place: (place.values.size, -place.log_likelihood))
    return replace(chosen, evaluations=sum(place.evaluations for place in found))


def _doubtful(place: Maximum) -> bool:
    """Whether another place may be likelier: no maximum, or a flat one."""
    if not place.inner:
        return True
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diag(place.covariance)) / place.values
    return not bool((errors < DOUBT).all())


def _search(family: Family, histories: Histories, start: FloatArray, near: bool = False) -> Maximum:
    """Go to the maximum of one family by shorter sums and fewer histories first."""
    evaluations, begin = 0, np.asarray(start, dtype=float)
    for known, nodes in _stages(family, histories, near):
        gain = SMALLEST_GAIN if nodes == NODES else APPROACH_GAIN
        reached = maximise(family.objective(known, nodes), begin, smallest_gain=gain)
        evaluations += reached.evaluations
        if not _far(reached.parameters):
            begin = reached.parameters
        elif known is histories and nodes != NODES:
            value = family.objective(histories)(reached.parameters)[0]
            reached = replace(reached, log_likelihood=value, inner=False)
            break
    place = Maximum(
        family,
        reached.parameters,
        reached.covariance,
        reached.log_likelihood,
        evaluations,
        reached.inner,
    )
    return _with_share(place) if family.dropout == "split" else place


def _far(parameters: FloatArray) -> bool:
    """Whether a search ran towards zero or infinity."""
    return bool((np.abs(np.log(parameters)) > BOUND).any())


def _beside_split(histories: Histories, split: Maximum) -> Maximum:
    """Search the gamma laws of dropout that are nearly a split between at once and never.

    There beta is far below a day, in a valley too narrow and bent for a search in s and beta.
    Straight it is in e = 1/log(age/beta), of which 0 is the split, and in c = s/e, the risk of
    leaving up to the mean age.
    """
    family = Family(split.family.purchasing, "gamma")
    age = histories.mean(histories.T)
    natural = family.objective(histories)
    places = [
        maximise(
            lambda free: _straightened(natural, free, age),
            np.array([*split.values[:-1], -np.log1p(-split.values[-1]), beside]),
        )
        for beside in BESIDE
    ]
    best = max(places, key=lambda place: place.log_likelihood)
    values, slope, _ = _bent(best.parameters, age)
    evaluations = sum(place.evaluations for place in places)
    covariance = slope @ best.covariance @ slope.T
    return Maximum(family, values, covariance, best.log_likelihood, evaluations, best.inner)


def _straightened(
    natural: Objective, free: FloatArray, age: float
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood in the coordinates of :func:`_beside_split`, with derivatives."""
    parameters, slope, second = _bent(free, age)
    if parameters[-1] < LEAST_BETA:
        return -np.inf, free * np.nan, np.outer(free, free) * np.nan
    value, score, hessian = natural(parameters)
    return value, slope.T @ score, slope.T @ hessian @ slope + np.tensordot(score, second, 1)


def _bent(free: FloatArray, age: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Turn c and e, the last two, into s = c e and beta = age exp(-1/e), with derivatives."""
    k = free.size
    c, e = free[-2:]
    beta = age * np.exp(-1 / e)
    slope, second = np.eye(k), np.zeros((k, k, k))
    slope[-2:, -2:] = [[e, c], [0.0, beta / e**2]]
    second[-2, -2:, -2:] = [[0.0, 1.0], [1.0, 0.0]]
    second[-1, -1, -1] = beta * (1 - 2 * e) / e**4
    return np.append(free[:-2], [c * e, beta]), slope, second


def _stages(family: Family, histories: Histories, near: bool) -> Iterator[tuple[Histories, int]]:
    """Histories and nodes of one search after the other."""
    rows = APPROACH_ROWS
    while histories.rows > 2 * rows and not near:
        yield _some(histories, rows), APPROACH_NODES
        rows *= MORE_ROWS
    if family.dropout in ("gamma", "equal"):
        yield histories, APPROACH_NODES
    yield histories, NODES


def _some(histories: Histories, rows: int) -> Histories:
    """Draw at most so many histories, evenly through their order, the frequent ones for certain."""
    weights = histories.weights
    chance = np.minimum(1, weights * rows / weights.sum())
    ends = np.cumsum(chance)
    drawn = np.floor(ends + 0.5) > np.floor(ends - chance + 0.5)
    return histories.reweighted(np.where(drawn, weights / chance, 0.0))


def _with_share(place: Maximum) -> Maximum:
    """Turn the odds of leaving at once, the last parameter, into the share."""
    odds = place.values[-1]
    slope = np.ones(place.values.size)
    slope[-1] = 1 / (1 + odds) ** 2
    values = np.append(place.values[:-1], odds / (1 + odds))
    return replace(place, values=values, covariance=place.covariance * np.outer(slope, slope))


def _moments(parameters: FloatArray) -> Moments:
    free = [float(one) for one in parameters]
    return GammaMoments(*free) if len(free) == GammaMoments.size else EqualMoments(*free)


def _staying_likelihood(
    purchasing: Moments, odds: FloatArray, histories: Histories
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood where customers leave after the first purchase or never, with derivatives.

    `odds` of leaving is an array of one, or of none where nobody leaves.
    """
    rise = purchasing.rise(histories.frequencies)[:, histories.frequency_index]
    known = histories.frequency, histories.T
    value, score, hessian = _staying_rows(purchasing, rise, odds, *known)
    weights = histories.weights
    return float(weights @ value), score @ weights, hessian @ weights


def staying_terms(
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    *parameters: FloatArray,
    purchasing: type[Moments] = GammaMoments,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-likelihood of every row where customers leave after the first purchase or never.

    Parameters
    ----------
    x, t_x, T : ndarray, shape (rows,)
        Frequency, recency and age.
    *parameters : ndarray, shape (rows,)
        Those of the purchasing law, then the odds of leaving; without odds nobody leaves.
    purchasing : type
        GammaMoments, or EqualMoments where all customers of equal parameters are alike.

    Returns
    -------
    tuple of ndarray (rows,), ndarray (k, rows), ndarray (k, k, rows)
        Value, score and Hessian with regard to the parameters.
    """
    law = purchasing(*parameters[: purchasing.size])
    odds = np.concatenate([np.empty(0), *parameters[purchasing.size :]])
    return _staying_rows(law, law.rise(x), odds, x, T)


def _staying_rows(
    purchasing: Moments, rise: FloatArray, odds: FloatArray, x: FloatArray, T: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value, score and Hessian of every row; `odds` of none where nobody leaves."""
    moment = purchasing.log_moment(x, rise, T)
    end = purchasing.inverse(T)
    alive_score = np.stack(purchasing.score(x, rise, T))
    curvature = purchasing.hessian(rise[2], end + 0 * T, purchasing.exponent(x) * end**2)
    if not odds.size:
        return moment, alive_score, curvature
    gone = np.where(x == 0, np.log(odds) - moment, -np.inf)
    dead = expit(gone)
    value = moment + np.logaddexp(0, gone) - np.log1p(odds)
    # Score of a dead customer less that of one alive, whose odds of leaving are the last.
    shift = np.vstack([-alive_score, 1 / odds + 0 * x])
    score = np.vstack([alive_score, 0 * x]) + dead * shift
    hessian = shift[:, None] * shift * (dead * (1 - dead))
    hessian[:-1, :-1] += curvature * (1 - dead)
    score[-1] -= 1 / (1 + odds)
    hessian[-1, -1] += 1 / (1 + odds) ** 2 - dead / odds**2
    return value, score, hessian
