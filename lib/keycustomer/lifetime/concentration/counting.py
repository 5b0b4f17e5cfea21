"""Probabilities of purchase counts: how many customers will have come back how often.

What does a fitted model say of 0, 1, 2 ... repeat purchases in a window?
:func:`count_probabilities` gives the exact probabilities for customers of given ages, for every
combination of laws the models can end in.

A customer who never leaves has a negative binomial count (Poisson where all are alike).  Leaving
after a purchase (BG/NBD, MBG/NBD) stops that count at one of its values: the customer has made n
purchases when the count reached n and none of its occasions to leave was taken, or when it reached
at least n and the n-th was.  Leaving at any time (Pareto/NBD) stops the clock instead: the counts
are mixed over the times of activity, an integral taken by Gauss-Legendre panels.

Sources: Fader, Hardie & Lee (2005), Marketing Science 24, equation 8, and Fader & Hardie, "Deriving
an expression for P(X(t)=x) under the Pareto/NBD model" (2006), whose closed forms are the oracles.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammainc, gammaln, xlog1py, xlogy

from keycustomer.lifetime.laws import BetaLaw, DropoutLaw, GammaLaw, PointLaw, RateLaw, SplitLaw
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.stats.samples import FloatArray

SMALLEST_TAIL = 1e-15
"""Probability of still larger counts at which the list of counts ends."""

MOST_COUNTS = 2**20
"""Counts listed at most: a million purchases of one customer."""

CELLS = 2**18
"""Probabilities held at once (2 MiB)."""

NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
"""Gauss-Legendre rule of one panel of the time of activity."""

WIDEST_PANEL = 0.25
"""Longest panel, in logarithms of time."""

PANEL_DEVIATIONS = 1.5
"""Longest panel, in standard deviations of the most peaked probability: 1e-12 at 8 nodes."""


def count_probabilities(
    model: TransactionModel, ages: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> FloatArray:
    """Probability of each number of repeat purchases since the first purchase.

    Parameters
    ----------
    model : TransactionModel
        A fitted BG/NBD, MBG/NBD or Pareto/NBD model, or one of their limits.
    ages : array, shape (groups,)
        Time since the first purchase, in the model's unit; one number for customers of one age.
    weights : array, shape (groups,), optional
        Customers of each age; left out, equally many.

    Returns
    -------
    ndarray, shape (counts,)
        Probability of 0, 1, 2 ... repeat purchases of a customer drawn from these; the counts end
        where the rest has a probability below 1e-15.

    Raises
    ------
    ValueError
        When the model is another one, or an age is negative or not finite.
    """
    times, shares = _checked_ages(ages, weights)
    if model.model == "Pareto/NBD":
        return _mixed_counts(model.purchasing, *_times_of_activity(model, times, shares))
    occasions_before = {"BG/NBD": 0, "MBG/NBD": 1}
    if model.model not in occasions_before:
        raise ValueError(
            f"{model.model}: the probabilities of its counts are not known here; fit a BG/NBD, "
            "MBG/NBD or Pareto/NBD model"
        )
    counts = _mixed_counts(model.purchasing, times, shares)
    return _stopped(counts, model.dropout, occasions_before[model.model])


def alike_probabilities(
    model: TransactionModel, ages: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> FloatArray:
    """Probability of each number of repeat purchases, if all customers were alike.

    Everybody of an age then buys as often as the model expects on average, and differs from the
    others by chance alone: a Poisson law.  Parameters and errors as in
    :func:`count_probabilities`.
    """
    times, shares = _checked_ages(ages, weights)
    return _mixed_counts(PointLaw(1.0), model.expected_purchases_new(times), shares)


def _checked_ages(
    ages: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Different ages, rising, and the share of customers of each."""
    given = np.atleast_1d(np.asarray(ages, dtype=float))
    sizes = np.ones(given.size) if weights is None else np.asarray(weights, dtype=float)
    if sizes.shape != given.shape or not given.size:
        raise ValueError(
            f"ages of {given.size} groups with {sizes.size} weights: one weight an age is needed"
        )
    if not (np.isfinite(given).all() and (given >= 0).all()):
        raise ValueError(f"ages={ages!r}: finite times of at least 0 are needed")
    if not (sizes.min() >= 0 and 0 < sizes.sum() < np.inf):
        raise ValueError("weights: numbers of customers of at least 0, not all 0, are needed")
    found, place = np.unique(given, return_inverse=True)
    return found, np.bincount(place, sizes, found.size) / sizes.sum()


def _mixed_counts(law: RateLaw, times: FloatArray, masses: FloatArray) -> FloatArray:
    """Probabilities of the counts of customers who stay, mixed over the times observed."""
    counts = np.arange(_longest_count(law, times.max()) + 1.0)
    logarithms = _log_counts(law, counts)
    total = np.zeros(counts.size)
    rows = max(1, CELLS // counts.size)
    for first in range(0, times.size, rows):
        part = slice(first, first + rows)
        total += masses[part] @ np.exp(logarithms(times[part, None]))
    return total


def _longest_count(law: RateLaw, time: float) -> int:
    """Count that is exceeded with no more than the smallest probability that matters."""
    longest = 16
    while longest < MOST_COUNTS and _exceeding(law, longest, time) > SMALLEST_TAIL:
        longest *= 2
    return longest


def _exceeding(law: RateLaw, count: int, time: float) -> float:
    """Probability that a customer who stays buys more than `count` times."""
    if isinstance(law, PointLaw):
        return float(gammainc(count + 1, law.value * time))
    return float(betainc(count + 1, law.shape, time / (law.rate + time)))


def _log_counts(law: RateLaw, counts: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Give the logarithms of the probabilities (times, counts) of any times (times, 1)."""
    if isinstance(law, PointLaw):
        factorials = gammaln(counts + 1)
        return lambda time: xlogy(counts, law.value * time) - law.value * time - factorials
    # the ways to draw n, (r)_n / n!, from one n to the next: exact for any shape
    steps = np.log((law.shape + counts[:-1]) / (counts[:-1] + 1))
    ways = np.append(0.0, np.cumsum(steps))
    return lambda time: (
        ways - law.shape * np.log1p(time / law.rate) + xlogy(counts, time / (law.rate + time))
    )


def _stopped(counts: FloatArray, dropout: DropoutLaw, before: int) -> FloatArray:
    """Stop counts where the customer leaves; `before` occasions to leave precede purchase 1."""
    stay = _staying(dropout, counts.size + before)
    reached = np.cumsum(counts[::-1])[::-1]
    leave = (
        -np.diff(stay, prepend=1.0) if isinstance(dropout, SplitLaw) else _leaving(dropout, stay)
    )
    return stay[before:][: counts.size] * counts + leave[before:][: counts.size] * reached


def _staying(dropout: DropoutLaw, occasions: int) -> FloatArray:
    """Probability of having taken none of 0, 1, 2 ... occasions to leave."""
    taken = np.arange(occasions, dtype=float)
    if isinstance(dropout, BetaLaw):
        steps = np.log1p(-dropout.a / (dropout.a + dropout.b + taken[:-1]))
        return np.exp(np.append(0.0, np.cumsum(steps)))
    if isinstance(dropout, SplitLaw):
        return np.where(taken == 0, 1.0, 1 - dropout.share)
    return np.exp(xlog1py(taken, -dropout.mean))


def _leaving(dropout: DropoutLaw, stay: FloatArray) -> FloatArray:
    """Probability of leaving at the n-th occasion, from those of staying; 0 at n = 0."""
    before = np.arange(stay.size - 1.0)
    if isinstance(dropout, BetaLaw):
        chance = dropout.a / (dropout.a + dropout.b + before)
        return np.append(0.0, stay[:-1] * chance)
    return np.append(0.0, stay[:-1] * dropout.mean)


def _times_of_activity(
    model: TransactionModel, ages: FloatArray, shares: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """List the times for which customers are active within their age, and their probabilities.

    Those who outlive their age are active for all of it; the others' times are the nodes of an
    integral over the time of leaving, in panels of its logarithm.
    """
    dropout = model.dropout
    if isinstance(dropout, SplitLaw):
        return np.append(0.0, ages), np.append(dropout.share, (1 - dropout.share) * shares)
    alive = _surviving(dropout, ages)
    if dropout.mean == 0 or ages[-1] == 0:
        return ages, shares
    scale = min(_scale(dropout), _scale(model.purchasing))
    place, width = _weighted_nodes(
        np.log1p(ages / scale), shares, _panel(model.purchasing, ages[-1])
    )
    times = scale * np.expm1(place)
    masses = width * scale * np.exp(place) * _death_density(dropout, times)
    return np.append(ages, times), np.append(shares * alive, masses)


def _weighted_nodes(
    ages: FloatArray, shares: FloatArray, longest: float
) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of integrals from 0 to each age, averaged over the customers' ages.

    The share of customers still observed falls in a step at every age.  The nodes lie in panels
    that know nothing of the steps, few however many ages there are; what a step does to the
    weights of its panel is exact for the polynomials through the panel's nodes.
    """
    count = int(np.ceil(ages[-1] / longest))
    panel = ages[-1] / count
    edges = np.union1d(np.linspace(0, ages[-1], count + 1), ages)
    half = np.diff(edges)[:, None] / 2
    fine = edges[:-1, None] + half * (1 + NODES)
    # of those who leave at this time, the customers that are older: the others still live
    older = np.append(np.cumsum(shares[::-1])[::-1], 0.0)[np.searchsorted(ages, fine)]
    inside = np.minimum((fine[:, :1] / panel).astype(int), count - 1)
    parts = (half * NODE_WEIGHTS * older)[:, None, :] * _lagrange(2 * (fine / panel - inside) - 1)
    weights = np.zeros((count, NODES.size))
    np.add.at(weights, inside[:, 0], parts.sum(axis=2))
    place = panel * (np.arange(count)[:, None] + (1 + NODES) / 2)
    return place.ravel(), weights.ravel()


def _lagrange(at: FloatArray) -> FloatArray:
    """Polynomials that are 1 at one node and 0 at the others: (rows, nodes, places)."""
    degrees = NODES.size - 1
    here = np.polynomial.legendre.legvander(at, degrees)
    there = np.polynomial.legendre.legvander(NODES, degrees)
    scaled = there * (np.arange(NODES.size) + 0.5) * NODE_WEIGHTS[:, None]
    return np.einsum("nd,rpd->rnp", scaled, here)


def _scale(law: RateLaw | DropoutLaw) -> float:
    """Length of time over which the law's probabilities change."""
    if isinstance(law, GammaLaw):
        return law.rate / max(law.shape, 1.0)
    return 1 / law.mean if law.mean else np.inf


def _panel(law: RateLaw, longest: float) -> float:
    """Longest panel at which the most peaked count is followed."""
    most = _longest_count(law, longest)
    variance = 1 / most + (1 / law.shape if isinstance(law, GammaLaw) else 0.0)
    return min(WIDEST_PANEL, PANEL_DEVIATIONS * float(np.sqrt(variance)))


def _surviving(dropout: DropoutLaw, times: FloatArray) -> FloatArray:
    """Probability of not having left by these times, rates following a law or being alike."""
    if isinstance(dropout, GammaLaw):
        survived: FloatArray = np.exp(-dropout.shape * np.log1p(times / dropout.rate))
        return survived
    staying: FloatArray = np.exp(-dropout.mean * times)
    return staying


def _death_density(dropout: DropoutLaw, times: FloatArray) -> FloatArray:
    survived = _surviving(dropout, times)
    if isinstance(dropout, GammaLaw):
        return dropout.shape / (dropout.rate + times) * survived
    return dropout.mean * survived
