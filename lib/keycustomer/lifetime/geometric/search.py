"""Search for the laws under which histories with dropout at a purchase are likeliest.

Which laws of purchase rates and dropout probabilities fit best, and what if none does?  On small
data the likelihood often has no inner maximum: it grows while the parameters run to infinity.  The
laws themselves then tend to something simple, a point (all customers are alike) or a split (some
leave at once, the others never), and the likelihood of the limit is a smaller problem of its own.
:func:`search_laws` walks to the maximum of the textbook pair of laws; where it finds none, or one
so flat that another may be higher, it looks at all pairs of limits too and takes the best.

Source: the closure of the gamma and beta laws, see :mod:`keycustomer.lifetime.laws`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from keycustomer.lifetime.geometric.likelihood import (
    GeometricLikelihood,
    Purchasing,
    Rows,
)
from keycustomer.lifetime.geometric.occasions import Dropout
from keycustomer.lifetime.newton import SMALLEST_GAIN, Derivatives, Optimum, maximise
from keycustomer.stats.samples import FloatArray

DOUBTFUL = 0.45
"""Standard error of a log-parameter beyond which an inner maximum is compared with others.

Two inner maxima are rare: of a thousand refits of simulated cohorts of 15 to 400 customers one
ended at a second, lower one, at which the largest standard error was 0.47.
"""

SAME = 1e-9
"""Difference of log-likelihoods, relative, that counts as none: then the simpler pair is taken."""

CLOSE = 20.0
"""Size of the parameters of a textbook law that begins a search near its limit."""

REFIT_ERROR = 1e-4
"""Order of the distance from the maximum, in standard errors, at which a refit may end.

A step that promises the gain g, taken unseen, leaves in the order of 2 g / sqrt(customers)."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A pair of laws with its maximum.

    Attributes
    ----------
    purchasing : {"gamma", "point"}
    dropout : {"beta", "point", "split", "nobody", "everybody"}
    optimum : Optimum
        Of the parameters: r and alpha or the rate; a and b, the odds of the dropout probability
        or share, or nothing.
    """

    purchasing: Purchasing
    dropout: Dropout
    everybody: bool
    optimum: Optimum

    @property
    def inner(self) -> bool:
        """Whether this is the textbook pair at an inner maximum."""
        return self.optimum.inner and (self.purchasing, self.dropout) == ("gamma", "beta")


def search_laws(
    rows: Rows, start: FloatArray | None = None, at_start: Derivatives | None = None
) -> Pair:
    """Find the pair of laws under which the rows are likeliest.

    Parameters
    ----------
    rows : Rows
        Weighted histories, at least one with a repeat purchase.
    start : ndarray, shape (4,), optional
        Where to begin: r, alpha, a, b.
    at_start : tuple, optional
        Log-likelihood, score and Hessian there, where they are known.

    Returns
    -------
    Pair
        The textbook pair at its inner maximum, or the likeliest pair of limits.
    """
    likelihood = GeometricLikelihood(rows, "gamma", "beta")
    begin = usual_start(rows) if start is None else start
    gain = SMALLEST_GAIN if at_start is None else _refit_gain(rows, at_start[0])
    reached = maximise(likelihood, begin, at_start=at_start, smallest_gain=gain)
    known = at_start is not None  # a refit begins near its end, any other start anywhere
    if start is not None and not (known and reached.inner):
        again = maximise(likelihood, usual_start(rows))
        better = (again.inner, again.log_likelihood) >= (reached.inner, reached.log_likelihood)
        effort = reached.evaluations if better else again.evaluations
        reached = _with_effort(again if better else reached, effort)
    if reached.inner and not _doubtful(reached):
        return Pair("gamma", "beta", False, reached)
    return _likeliest(rows, likelihood, reached)


def _refit_gain(rows: Rows, log_likelihood: float) -> float:
    """Relative gain below which the next step of a refit is the last."""
    allowed = REFIT_ERROR * math.sqrt(rows.weights.sum()) / 2
    return allowed / max(1.0, abs(log_likelihood))


def usual_start(rows: Rows) -> FloatArray:
    """Parameters to begin at: much difference between customers, mean count as observed."""
    mean = float(rows.weights @ rows.x) / float(rows.weights.sum())
    age = float(rows.weights @ rows.T) / float(rows.weights.sum())
    return np.array([0.5, 0.25 * age / mean, 1.0, 2.0])


def _doubtful(reached: Optimum) -> bool:
    variances = np.diag(reached.covariance) / reached.parameters**2
    return not bool((variances < DOUBTFUL**2).all())


def _likeliest(rows: Rows, likelihood: GeometricLikelihood, reached: Optimum) -> Pair:
    """Compare the textbook pair, begun near each limit too, with all pairs of limits."""
    limits = list(_limits(rows))
    effort = reached.evaluations + sum(limit.optimum.evaluations for limit in limits)
    best = reached
    for start in filter(None, map(_near, limits)):
        again = maximise(likelihood, start)
        effort += again.evaluations
        if (again.inner, again.log_likelihood) > (best.inner, best.log_likelihood):
            best = again
    found = [limit for limit in limits if limit.optimum.inner]
    if best.inner or not found:
        found.append(Pair("gamma", "beta", False, best))
    highest = max(pair.optimum.log_likelihood for pair in found)
    enough = highest - SAME * max(1.0, abs(highest))
    chosen = next(pair for pair in found if pair.optimum.log_likelihood >= enough)
    more = effort - chosen.optimum.evaluations
    return replace(chosen, optimum=_with_effort(chosen.optimum, more))


def _with_effort(optimum: Optimum, more: int) -> Optimum:
    return replace(optimum, evaluations=optimum.evaluations + more)


def _limits(rows: Rows) -> Iterator[Pair]:
    """Pairs with a limit on one side at least, the simpler first."""
    usual = usual_start(rows)
    rates: dict[Purchasing, list[float]] = {
        "point": [usual[0] / usual[1]],
        "gamma": [usual[0], usual[1]],
    }
    chances: dict[Dropout, list[float]] = {
        "nobody": [],
        "point": [0.2],
        "split": [0.2],
        "beta": [1.0, 2.0],
    }
    at_once = _all_leave_at_once(rows)
    for dropout, purchasing in product(chances, rates):
        if (purchasing, dropout) == ("gamma", "beta"):
            continue
        likelihood = GeometricLikelihood(rows, purchasing, dropout)
        optimum = maximise(likelihood, [*rates[purchasing], *chances[dropout]])
        yield Pair(purchasing, dropout, False, optimum)
        if dropout == "nobody" and at_once is not None:
            likelihood = GeometricLikelihood(at_once, purchasing, "nobody")
            yield Pair(purchasing, "nobody", True, maximise(likelihood, rates[purchasing]))


def _all_leave_at_once(rows: Rows) -> Rows | None:
    """Give the histories of customers who all leave at their first occasion, if they may have.

    Who has left is observed until then, so the likelihood is that of staying until then.
    """
    occasions = rows.x + rows.first
    if occasions[-1] > 1:
        return None
    return replace(rows, T=np.where(occasions == 1, rows.t_x, rows.T))


def _near(limit: Pair) -> list[float] | None:
    """Parameters of the textbook pair close to a limit, None where nothing is close."""
    if not limit.optimum.inner or limit.dropout in ("nobody", "beta"):
        return None
    *rates, odds = limit.optimum.parameters
    share = odds / (1 + odds)
    size = CLOSE if limit.dropout == "point" else 1 / CLOSE
    if limit.purchasing == "point":
        rates = [CLOSE, CLOSE / rates[0]]
    return [*rates, size * share, size * (1 - share)]
