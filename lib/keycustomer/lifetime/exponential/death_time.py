"""The likelihood of a purchase history when a customer may leave at any time.

How likely is a history, and how does that change with the laws of purchase and dropout rates?  A
customer who came back x times, last at age t_x, and is of age T now, is still alive, or left at
some age y between t_x and T.  With the moments M_k(y) of the purchase rates and N_k(y) of the
dropout rates (:mod:`keycustomer.lifetime.exponential.rate_moments`) the likelihood is

    M_x(T) N_0(T) + integral from t_x to T of M_x(y) N_1(y) dy.

The textbook's form of the integral, two hypergeometric functions, overflows near x = 300 and has
no derivatives in closed form.  Here it is a Gauss-Legendre sum in a variable in which the
integrand is nearly constant whatever x and T are.  The terms of the sum are the distribution of
the age of death; score and Hessian are means and variances of what they would be if that age were
known (Louis).  Everything is done in logarithms.

:func:`log_likelihood` adds up over weighted histories, :func:`row_terms` gives every row its own
terms and may have its own parameters, :func:`dead_odds` gives the odds that a customer has left,
:func:`discounted_stay` what it has ahead.

Sources: Schmittlein, Morrison & Colombo (1987), Management Science 33, for the model; Louis
(1982), Journal of the Royal Statistical Society B 44, for the derivatives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from scipy.special import expit

from keycustomer.lifetime.exponential.rate_moments import (
    EqualMoments,
    GammaMoments,
    Moments,
    Number,
)
from keycustomer.lifetime.histories import Histories
from keycustomer.stats.samples import FloatArray

NODES = 24
"""Ages of death in the sum: about 1e-13 relative over all histories and parameters."""

SOFTNESS = 5.0
"""The nodes thin out by so much more slowly than the integrand falls at first.

Nodes spread like the integrand itself would leave the logarithm's singularity at the far end; a
fifth power of something smooth is what a short Gauss-Legendre sum follows.
"""

LEAST_FALL = 1e-8
"""A slower fall counts as this: any speed places valid nodes, but none may be 0."""

LONG = 10.0
"""Spans of log-age up to this need one sum; longer ones are cut into panels.

They arise where dropout is nearly at once or never (beta far below a day), for customers who never
came back, of whom there are few different ones.
"""

PANEL = 2.0
"""Span of log-age of a panel."""

WORTHLESS = 45.0
"""Interest after which a purchase is worth nothing: exp(-45) is beyond the digits of a sum."""

CHUNK = 768
"""Rows computed together, so that their nodes stay in the processor's cache."""

Rule: TypeAlias = tuple[FloatArray, FloatArray]
"""Nodes on (0, 1) and weights of a sum, as columns."""


@dataclass(frozen=True)
class Rows:
    """Histories beside each other, with the rise of the purchase moments at their frequency."""

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    rise: FloatArray


@dataclass(frozen=True)
class Deaths:
    """What rows say of the age of death, at given laws.

    Attributes
    ----------
    area : ndarray, shape (rows,)
        Integral over the ages, relative to the integrand at t_x.
    gap : ndarray, shape (nodes, rows)
        Ages of death less t_x.
    share : ndarray, shape (nodes, rows)
        Their probabilities among those who left; they add up to 1 over the nodes.
    stretches : tuple of ndarray, shape (nodes, rows)
        The gaps as the purchase and the dropout moments see them.
    """

    area: FloatArray
    gap: FloatArray
    share: FloatArray
    stretches: tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class Terms:
    """What rows say of the parameters.

    Attributes
    ----------
    log_likelihood : ndarray, shape (rows,)
    score : ndarray, shape (k, rows)
    curvature : ndarray, shape (k, k, rows)
        Mean of the second derivatives, were the age of death known.
    dead : ndarray, shape (rows,)
        Probability of having left.
    shift : ndarray, shape (k, nodes, rows)
        Score if the customer left at each age, less the score if it is alive.
    share : ndarray, shape (nodes, rows)
        Probabilities of the ages among those who left.
    mean_shift : ndarray, shape (k, rows)
        Mean of `shift` among them.
    """

    log_likelihood: FloatArray
    score: FloatArray
    curvature: FloatArray
    dead: FloatArray
    shift: FloatArray
    share: FloatArray
    mean_shift: FloatArray


def log_likelihood(
    purchasing: Moments, dropout: Moments, histories: Histories, nodes: int = NODES
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood of weighted histories with its derivatives.

    Parameters
    ----------
    purchasing, dropout : GammaMoments or EqualMoments
        Laws of the purchase and dropout rates, one for all rows.
    histories : Histories
        Different histories and their numbers of customers.
    nodes : int
        Ages of death in the sum.

    Returns
    -------
    tuple of float, ndarray (k,), ndarray (k, k)
        Value, score and Hessian with regard to the laws' parameters, purchasing first.
    """
    k = purchasing.size + dropout.size
    value, score, hessian = 0.0, np.zeros(k), np.zeros((k, k))
    table = purchasing.rise(histories.frequencies)
    x, t_x, T = histories.frequency, histories.recency, histories.T
    for part, rule in _parts(purchasing, dropout, t_x, T, nodes):
        rows = Rows(x[part], t_x[part], T[part], table[:, histories.frequency_index[part]])
        weights = histories.weights[part]
        terms = _terms(purchasing, dropout, rows, rule)
        value += float(weights @ terms.log_likelihood)
        score += terms.score @ weights
        hessian += terms.curvature @ weights
        leaving = terms.shift * (terms.share * (terms.dead * weights))
        hessian += leaving.reshape(k, -1) @ terms.shift.reshape(k, -1).T
        left = terms.mean_shift * terms.dead
        hessian -= (left * weights) @ left.T
    return value, score, hessian


def row_terms(
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    *parameters: Number,
    purchasing: type[Moments] = GammaMoments,
    dropout: type[Moments] = GammaMoments,
    nodes: int = NODES,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-likelihood of every row with its derivatives, each row with its own parameters.

    Parameters
    ----------
    x, t_x, T : ndarray, shape (rows,)
        Frequency, recency and age.
    *parameters : float or ndarray, shape (rows,)
        Those of the purchasing law, then those of the dropout law: r, alpha, s, beta for gamma
        laws.
    purchasing, dropout : type
        GammaMoments, or EqualMoments where all customers of equal parameters are alike.
    nodes : int
        Ages of death in the sum.

    Returns
    -------
    tuple of ndarray (rows,), ndarray (k, rows), ndarray (k, k, rows)
        Value, score and Hessian with regard to the parameters.
    """
    k = purchasing.size + dropout.size
    value, score, hessian = np.empty(x.size), np.empty((k, x.size)), np.empty((k, k, x.size))
    free = np.broadcast_arrays(*parameters, x)[:k]
    laws = purchasing(*free[: purchasing.size]), dropout(*free[purchasing.size :])
    for part, rule in _parts(*laws, t_x, T, nodes):
        buys, leaves = (_of_rows(law, part) for law in laws)
        rows = Rows(x[part], t_x[part], T[part], buys.rise(x[part]))
        terms = _terms(buys, leaves, rows, rule)
        value[part], score[:, part] = terms.log_likelihood, terms.score
        spread = np.einsum("jn,kjn,ljn->kln", terms.share, terms.shift, terms.shift)
        left = terms.mean_shift * terms.dead
        hessian[:, :, part] = terms.curvature + terms.dead * spread - left[:, None] * left
    return value, score, hessian


def dead_odds(
    purchasing: Moments,
    dropout: Moments,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    nodes: int = NODES,
) -> FloatArray:
    """Log-odds that customers with these histories have left, shape (rows,).

    The laws may be one for all rows or one a row.
    """
    odds = np.empty(x.size)
    for part, rule in _parts(purchasing, dropout, t_x, T, nodes):
        rows = Rows(x[part], t_x[part], T[part], np.empty((3, 0)))
        laws = _of_rows(purchasing, part), _of_rows(dropout, part)
        odds[part] = _log_odds(*laws, rows, _deaths(*laws, rows, rule).area)
    return odds


def discounted_stay(
    shape: float, rate: float, T: FloatArray, force: float, horizon: float | None = None
) -> FloatArray:
    """Time that customers alive at T will stay, discounted to T.

    It is the integral of exp(-force t) (1 + t / (rate + T))^-shape over t, of the same form as
    that over the age of death, and computed in the same way; for ever it is Tricomi's function
    ``(rate + T) U(1, 2 - shape, force (rate + T))``.

    Parameters
    ----------
    shape, rate : float
        Gamma law of the dropout rates: s and beta.
    T : ndarray, shape (rows,)
        Ages.
    force : float
        Continuous discount rate per unit of time, above 0.
    horizon : float, optional
        Time up to which to count; left out, for ever.

    Returns
    -------
    ndarray, shape (rows,)
    """
    span = WORTHLESS / force if horizon is None else min(horizon, WORTHLESS / force)
    interest, stay = EqualMoments(force), GammaMoments(shape - 1, rate)
    panels = int(np.ceil(np.log1p(span / (rate + T.min())))) + 1
    rows = Rows(np.zeros(T.size), T, T + span, np.empty((3, 0)))
    return _deaths(interest, stay, rows, _panels(NODES, panels)).area


def _of_rows(law: Moments, part: Any) -> Moments:
    """Return the laws of some rows."""
    free = (getattr(law, one.name) for one in fields(law))
    return type(law)(*(one[part] if np.ndim(one) else one for one in free))


def _parts(
    purchasing: Moments, dropout: Moments, t_x: FloatArray, T: FloatArray, nodes: int
) -> Iterator[tuple[Any, Rule]]:
    """Rows to be computed together, as slices or indices, and the rule of their sums."""
    bend = np.minimum(purchasing.scale, dropout.scale) + t_x
    reach = np.log1p((T - t_x) / bend)
    rule = _legendre(nodes)
    if not (reach > LONG).any():
        yield from ((slice(first, first + CHUNK), rule) for first in range(0, T.size, CHUNK))
        return
    rules = (rule, _panels(nodes, int(np.ceil(reach.max() / PANEL))))
    for rows, rule in zip((reach <= LONG, reach > LONG), rules, strict=True):
        found, size = np.flatnonzero(rows), max(1, CHUNK * nodes // rule[0].size)
        yield from ((found[first : first + size], rule) for first in range(0, found.size, size))


@cache
def _legendre(nodes: int) -> Rule:
    """Nodes on (0, 1) and weights of one sum."""
    places, weights = np.polynomial.legendre.leggauss(nodes)
    return (places[:, None] + 1) / 2, weights[:, None] / 2


def _panels(nodes: int, panels: int) -> Rule:
    """Nodes on (0, 1) and weights of as many sums beside each other."""
    places, weights = _legendre(nodes)
    starts = np.arange(panels)[:, None, None]
    return ((starts + places) / panels).reshape(-1, 1), np.tile(weights / panels, (panels, 1))


def _deaths(purchasing: Moments, dropout: Moments, rows: Rows, rule: Rule) -> Deaths:
    """Integrate over the age of death.

    The variable is u = log((m + y) / (m + t_x)), m the smaller of the two rate parameters, or the
    age itself where there is none; its nodes follow a truncated exponential law.
    """
    x, t_x, span = rows.x, rows.t_x, rows.T - rows.t_x
    at, weight = rule
    fall = purchasing.hazard(x, t_x) + dropout.hazard(1, t_x)
    near = np.minimum(purchasing.scale, dropout.scale)
    bend, curved = near + t_x, bool(np.isfinite(near).all())
    speed = (bend * fall - 1 if curved else fall) / SOFTNESS
    speed = np.where(np.abs(speed) < LEAST_FALL, LEAST_FALL, speed)
    covered = -np.expm1(-speed * (np.log1p(span / bend) if curved else span))
    u = np.log1p(-covered * at) / -speed
    gap = bend * np.expm1(u) if curved else u
    stretches = tuple(
        u if np.array_equal(law.scale, near) else law.stretch(t_x, gap)
        for law in (purchasing, dropout)
    )
    share = (speed + 1 if curved else speed) * u
    share -= purchasing.exponent(x) * stretches[0]
    share -= dropout.exponent(1) * stretches[1]
    np.exp(share, out=share)
    share *= weight
    total = share.sum(axis=0)
    share /= total
    area = total * covered / speed * (bend if curved else 1.0)
    return Deaths(area, gap, share, (stretches[0], stretches[1]))


def _log_odds(purchasing: Moments, dropout: Moments, rows: Rows, area: FloatArray) -> FloatArray:
    """Log-odds of having left, from the integral over the ages of death."""
    t_x, span = rows.t_x, rows.T - rows.t_x
    with np.errstate(divide="ignore"):
        odds = np.log(area * dropout.hazard(0, t_x))
    odds += purchasing.exponent(rows.x) * purchasing.stretch(t_x, span)
    odds += dropout.exponent(0) * dropout.stretch(t_x, span)
    return odds


def _terms(purchasing: Moments, dropout: Moments, rows: Rows, rule: Rule) -> Terms:
    """Value, score and the pieces of the Hessian of every row."""
    x, T = rows.x, rows.T
    found = _deaths(purchasing, dropout, rows, rule)
    odds = _log_odds(purchasing, dropout, rows, found.area)
    dead = expit(odds)
    once, never = dropout.first_rise(), np.zeros((3, 1))
    alive = purchasing.score(x, rows.rise, T), dropout.score(0, never, T)
    value = purchasing.log_moment(x, rows.rise, T) + dropout.log_moment(0, never, T)
    value += np.logaddexp(0, odds)
    buys, near = _shift(purchasing, x, rows, found, found.stretches[0])
    leaves, near_dropout = _shift(dropout, 1, rows, found, found.stretches[1])
    for later, one, none in zip(leaves, dropout.score(1, once, T), alive[1], strict=True):
        later += one - none
    shift = np.stack([*buys, *leaves])
    mean_shift = np.einsum("jn,kjn->kn", found.share, shift)
    score = np.stack([*alive[0], *alive[1]]) + dead * mean_shift
    k = purchasing.size
    curvature = np.zeros((shift.shape[0], *score.shape))
    curvature[:k, :k] = _curvature(purchasing, (x, x), rows.rise[2], near, found.share, T, dead)
    curvature[k:, k:] = _curvature(
        dropout, (0, 1), dead * once[2], near_dropout, found.share, T, dead
    )
    return Terms(value, score, curvature, dead, shift, found.share, mean_shift)


def _shift(
    law: Moments, k: Number, rows: Rows, found: Deaths, stretch: FloatArray
) -> tuple[list[FloatArray], FloatArray]:
    """Score of a law's moment at the ages of death less that at T, and 1 / (rate + age)."""
    rest = law.stretch(rows.t_x, rows.T - rows.t_x) - stretch
    inverse = law.inverse(rows.t_x + found.gap)
    return law.shift(k, rest, inverse, law.inverse(rows.T)), inverse


def _curvature(
    law: Moments,
    k: tuple[Number, Number],
    bend: FloatArray,
    near: FloatArray,
    share: FloatArray,
    T: FloatArray,
    dead: FloatArray,
) -> FloatArray:
    """Mean second derivatives of a law's moment, of the k of the living and that of the dead."""
    end, alive = law.inverse(T), 1 - dead
    weighted = share * near
    mean = alive * end + dead * weighted.sum(axis=0)
    square = np.einsum("jn,jn->n", weighted, np.broadcast_to(near, share.shape))
    power = alive * law.exponent(k[0]) * end**2 + dead * law.exponent(k[1]) * square
    return law.hessian(bend, mean, power)
