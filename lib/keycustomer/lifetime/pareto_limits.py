"""Where the likelihood of the Pareto/NBD is largest, be it at infinity.

Which laws of purchase and dropout rates make the histories likeliest?  The gamma laws have limits
that are laws too: all customers alike, or some at zero and the others at infinity.  In small
samples the likelihood is often largest there, and a search in the gamma laws' parameters would
run for ever.  :func:`likeliest` searches the gamma laws and, where that search ends nowhere or in
doubt, every family of limits as a problem of its own with exact derivatives, and says which one
the histories choose.

Rates are compared with ages, so of the two-point laws on zero and infinity only that of dropout
can be likeliest: a customer who came back has a purchase rate between them.

Sources: :mod:`keycustomer.lifetime.death_time` for the likelihood; the weak closure of the gamma
laws for the families.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import expit

from keycustomer.lifetime.death_time import NODES, log_likelihood
from keycustomer.lifetime.histories import Histories
from keycustomer.lifetime.laws import DropoutLaw, GammaLaw, PointLaw, RateLaw, SplitLaw
from keycustomer.lifetime.newton import Objective, maximise
from keycustomer.lifetime.rate_moments import EqualMoments, GammaMoments, Moments
from keycustomer.stats.samples import FloatArray

Purchasing: TypeAlias = Literal["gamma", "equal"]
Dropout: TypeAlias = Literal["gamma", "equal", "split", "never"]

APPROACH_NODES = 8
"""Ages of death in the sums that lead to the maximum; the last steps use `NODES`."""

APPROACH_ROWS = 20_000
"""Histories that lead to the maximum when there are many more."""

DOUBT = 0.75
"""Standard error of a log-parameter above which the limits are looked at, too."""

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


def likeliest(histories: Histories, starts: Iterable[FloatArray] = ()) -> Maximum:
    """Find the laws that make the histories likeliest.

    Parameters
    ----------
    histories : Histories
        Histories of which at least one has a repeat purchase.
    starts : iterable of ndarray, shape (4,)
        Parameters r, alpha, s, beta to begin at; left out, a usual place.

    Returns
    -------
    Maximum
        An inner maximum, or the simplest limit that is as likely.
    """
    found = [_search(GAMMA, histories, start) for start in starts]
    if not found:
        found = [_search(GAMMA, histories, GAMMA.start(histories))]
    elif _doubtful(found[0]):
        found.append(_search(GAMMA, histories, GAMMA.start(histories)))
    if _doubtful(found[-1]):
        found += [_search(family, histories, family.start(histories)) for family in LIMITS]
    return _choose(found)


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


def _search(family: Family, histories: Histories, start: FloatArray) -> Maximum:
    """Go to the maximum of one family by shorter sums and fewer histories first."""
    evaluations, begin = 0, np.asarray(start, dtype=float)
    for known, nodes in _stages(family, histories):
        reached = maximise(family.objective(known, nodes), begin)
        evaluations += reached.evaluations
        begin = reached.parameters
    place = Maximum(
        family,
        reached.parameters,
        reached.covariance,
        reached.log_likelihood,
        evaluations,
        reached.inner,
    )
    return _with_share(place) if family.dropout == "split" else place


def _stages(family: Family, histories: Histories) -> list[tuple[Histories, int]]:
    """Histories and nodes of one search after the other."""
    stages = [(histories, NODES)]
    if family.dropout in ("gamma", "equal"):
        stages.insert(0, (histories, APPROACH_NODES))
    if histories.rows > 2 * APPROACH_ROWS:
        stages.insert(0, (_some(histories), APPROACH_NODES))
    return stages


def _some(histories: Histories) -> Histories:
    """Return evenly spread histories: they are ordered, so that all kinds are among them."""
    kept = np.zeros(histories.rows)
    rows = np.linspace(0, histories.rows - 1, APPROACH_ROWS).astype(np.int64)
    kept[rows] = histories.weights[rows]
    return histories.reweighted(kept)


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
    rise = purchasing.rise_table(histories.frequencies)[:, histories.frequency_index]
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
    curvature = purchasing.hessian(x, rise, end, end**2)
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
