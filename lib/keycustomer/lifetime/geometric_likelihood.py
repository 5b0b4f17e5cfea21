"""Likelihood of models whose customers leave at a purchase: BG/NBD, MBG/NBD and their limits.

How likely are these histories?  A customer buys at a constant rate and leaves, at every occasion,
with a constant probability; rate and probability differ between customers by a law each.  Its
history says that it is alive still, or that it left at its last purchase:
``L = E[(1-p)^k] E[l^x exp(-l T)] + E[p (1-p)^(k-1)] E[l^x exp(-l t_x)]``.  The occasions k are the
repeat purchases x (BG/NBD), or one more where the first purchase is an occasion too (MBG/NBD).

With P the probability of having left, given the history, score and Hessian follow from those of
the two states: the score is the mean of the states' scores, the Hessian the mean of their Hessians
plus the variance of their scores.  :class:`GeometricLikelihood` sums them over customers for any
pair of laws, :func:`geometric_terms` gives them row by row.

Sources: Fader, Hardie & Lee (2005), Marketing Science 24, equation 6; Batislam, Denizel &
Filiztekin (2007), International Journal of Research in Marketing 24; Louis (1982), Journal of the
Royal Statistical Society B 44, for the Hessian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from keycustomer.lifetime.histories import Histories
from keycustomer.lifetime.newton import Derivatives
from keycustomer.lifetime.rising import log_rising, rising_slopes
from keycustomer.stats.samples import FloatArray

Terms: TypeAlias = tuple[FloatArray, FloatArray, FloatArray]
"""Value (n,), gradient (k, n) and Hessian (k, k, n) of each row or level."""

Purchasing: TypeAlias = Literal["gamma", "point"]
Dropout: TypeAlias = Literal["beta", "point", "split", "nobody"]

CHUNK = 16_384
"""Rows taken at a time, so that what is computed of them stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Purchase histories in order of their frequency, ready to be summed by it.

    Attributes
    ----------
    x, t_x, T, weights : ndarray, shape (rows,)
        Histories, frequency rising, and the customers of each.
    starts : ndarray of int, shape (levels,)
        First row of every different frequency.
    first : int
        1 where the first purchase is an occasion to leave, else 0.
    """

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    weights: FloatArray
    starts: np.ndarray
    first: int

    @classmethod
    def of(cls, histories: Histories, first: int, scale: float = 1.0) -> Rows:
        """Take the rows of histories, times divided by `scale`."""
        x, t_x, T = histories.frequency, histories.recency / scale, histories.T / scale
        weights = histories.weights
        if (x[1:] < x[:-1]).any():
            order = np.argsort(x, kind="stable")
            x, t_x, T, weights = x[order], t_x[order], T[order], weights[order]
        return cls(x, t_x, T, weights, _starts(x), first)

    @property
    def levels(self) -> FloatArray:
        """The different frequencies, rising."""
        return self.x[self.starts]

    @property
    def counts(self) -> np.ndarray:
        """Rows of every different frequency."""
        return np.diff(self.starts, append=self.x.size)

    def by_level(self, amounts: FloatArray) -> FloatArray:
        """Sum amounts (rows,) over the rows of each different frequency."""
        return np.add.reduceat(amounts, self.starts)


def _starts(x: FloatArray) -> np.ndarray:
    return np.flatnonzero(np.r_[True, x[1:] != x[:-1]])


class GeometricLikelihood:
    """Log-likelihood of the rows with score and Hessian, for one pair of laws.

    Parameters
    ----------
    rows : Rows
        Weighted histories.
    purchasing : {"gamma", "point"}
        Law of the purchase rate; parameters r and alpha, or the rate of everybody.
    dropout : {"beta", "point", "split", "nobody"}
        Law of the dropout probability; parameters a and b, or the odds p / (1 - p) of everybody's
        probability or of the share that leaves at once, or none.
    """

    def __init__(self, rows: Rows, purchasing: Purchasing, dropout: Dropout) -> None:
        self.rows = rows
        self.purchasing = purchasing
        self.dropout = dropout
        self.split = 2 if purchasing == "gamma" else 1
        self.size = self.split + {"beta": 2, "nobody": 0}.get(dropout, 1)
        self.level_weights = rows.by_level(rows.weights)
        self.gap = rows.T - rows.t_x

    def __call__(self, parameters: FloatArray) -> Derivatives:
        """Log-likelihood, score and Hessian at natural parameters."""
        rows, rates, chances = self.rows, parameters[: self.split], parameters[self.split :]
        score, hessian = np.zeros(self.size), np.zeros((self.size, self.size))
        levels = rows.levels
        stay, odds = _dropout_tables(self.dropout, levels + rows.first, chances)
        total = self._settled(levels, rates, stay, score, hessian)
        place = np.repeat(np.arange(levels.size), rows.counts)
        left = np.empty(rows.x.size)
        for low in range(0, rows.x.size, CHUNK):
            part = slice(low, low + CHUNK)
            total += self._part(part, place[part], rates, odds, score, hessian, left)
        weight = rows.by_level(left)
        own = slice(self.split, self.size)
        score[own] += odds[1] @ weight
        hessian[own, own] += np.diag(odds[2] @ weight)
        return float(total), score, hessian

    def _settled(
        self,
        levels: FloatArray,
        rates: FloatArray,
        stay: Terms,
        score: FloatArray,
        hessian: FloatArray,
    ) -> float:
        """Add what depends on the frequency alone, as if everybody were alive."""
        own = slice(self.split, self.size)
        weights = self.level_weights
        score[own] += stay[1] @ weights
        hessian[own, own] += stay[2] @ weights
        total = float(weights @ stay[0])
        if self.purchasing == "gamma":
            slope, bend = rising_slopes(rates[0], levels)
            score[0] += weights @ slope
            hessian[0, 0] += weights @ bend
            total += weights @ (log_rising(rates[0], levels) - levels * np.log(rates[1]))
        else:
            bought = float(weights @ levels)
            score[0] += bought / rates[0]
            hessian[0, 0] -= bought / rates[0] ** 2
            total += bought * np.log(rates[0])
        return total

    def _part(
        self,
        part: slice,
        place: np.ndarray,
        rates: FloatArray,
        odds: Terms,
        score: FloatArray,
        hessian: FloatArray,
        left: FloatArray,
    ) -> float:
        """Add what depends on the times of some rows, and note who has left."""
        rows = self.rows
        weights, x, T, gap = rows.weights[part], rows.x[part], rows.T[part], self.gap[part]
        gradient = np.empty((self.size, x.size))
        gradient[self.split :] = odds[1][:, place]
        if self.purchasing == "gamma":
            alive, silence, bends = _gamma_times(x, T, gap, rates, gradient)
        else:
            alive, silence, bends = _point_times(T, gap, rates, gradient)
        log_odds = odds[0][place]
        log_odds += silence
        dead, extra = _left(log_odds)
        gone = weights * dead
        left[part] = gone
        uncertain = gone * (1 - dead)
        hessian += (gradient * uncertain) @ gradient.T
        own = slice(0, self.split)
        score[own] += alive[1] @ weights + gradient[own] @ gone
        hessian[own, own] += _square(alive[2] @ weights + bends @ gone)
        return float(weights @ (alive[0] + extra))


def geometric_terms(
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    *parameters: FloatArray | float,
    first: int,
    purchasing: Purchasing = "gamma",
    dropout: Dropout = "beta",
) -> Terms:
    """Log-likelihood of each row, with derivatives, where each may have parameters of its own.

    Parameters
    ----------
    x, t_x, T : ndarray, shape (n,)
        Histories.
    *parameters : ndarray, shape (n,), or float
        Those of the purchasing law, then those of the dropout law, as in
        :class:`GeometricLikelihood`: r, alpha, a, b for the textbook pair.
    first : int
        1 where the first purchase is an occasion to leave, else 0.
    purchasing, dropout : str
        The laws, as in :class:`GeometricLikelihood`.

    Returns
    -------
    tuple of ndarray
        Log-likelihood (n,), score (k, n) and Hessian (k, k, n) in natural parameters.
    """
    own = 2 if purchasing == "gamma" else 1
    free = np.stack(np.broadcast_arrays(*parameters, x)[:-1])
    rates, chances = free[:own], free[own:]
    stay, odds = _dropout_tables(dropout, x + first, chances)
    gradient = np.empty((len(free), x.size))
    gradient[own:] = odds[1]
    if purchasing == "gamma":
        alive, silence, bends = _gamma_times(x, T, T - t_x, rates, gradient)
    else:
        alive, silence, bends = _point_times(T, T - t_x, rates, gradient)
    dead, extra = _left(odds[0] + silence)
    count = _count_terms(purchasing, x, rates)
    value = count[0] + stay[0] + alive[0] + extra
    score = gradient * dead
    score[:own] += alive[1]
    score[0] += count[1]
    score[own:] += stay[1]
    hessian = gradient[:, None] * gradient * (dead * (1 - dead))
    hessian[:own, :own] += _square(alive[2] + bends * dead)
    hessian[0, 0] += count[2]
    hessian[own:, own:] += stay[2]
    diagonal = np.arange(own, len(free))
    hessian[diagonal, diagonal] += odds[2] * dead
    return value, score, hessian


def _count_terms(purchasing: Purchasing, x: FloatArray, rates: FloatArray) -> Terms:
    """Give what numbers of purchases say of the rates, and of its first parameter's derivatives."""
    if purchasing == "gamma":
        slope, bend = rising_slopes(rates[0], x)
        return log_rising(rates[0], x) - x * np.log(rates[1]), slope, bend
    return x * np.log(rates[0]), x / rates[0], -x / rates[0] ** 2


def _left(log_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probability of having left, and log(1 + odds), from the logarithm of the odds."""
    small = np.exp(-np.abs(log_odds))
    one = 1 + small
    dead = np.where(log_odds > 0, 1.0, small) / one
    return dead, np.log(one) + np.maximum(log_odds, 0.0)


def _square(entries: FloatArray) -> FloatArray:
    """Turn entries (0,0), (0,1), (1,1) into a symmetric matrix; a single one into 1 x 1."""
    places = [[0]] if len(entries) == 1 else [[0, 1], [1, 2]]
    return entries[places]


Times: TypeAlias = tuple[Terms, FloatArray, FloatArray]
"""Alive until T (value, gradient, Hessian entries); the silence's log ratio; its bends."""


def _gamma_times(
    x: FloatArray, T: FloatArray, gap: FloatArray, rates: FloatArray, gradient: FloatArray
) -> Times:
    """Give what times say of rates by a gamma law; the log ratio's gradient goes to `gradient`.

    All is written in T / alpha, since r log(alpha / (alpha + T)) loses its digits for a large r.
    """
    r, alpha = rates
    age = T / alpha
    end = 1 / (alpha + T)
    last = 1 / (alpha + T - gap)
    longer = np.log1p(age)
    events = r + x
    grown = np.log1p(gap * last)
    nearer = gap * end * last
    steeper = events * nearer
    gradient[0] = grown
    np.negative(steeper, out=gradient[1])
    value = -events * longer
    slope = np.stack([-longer, (r * age - x) * end])
    bent = (x - r * age * (2 + age)) * end**2
    bends = np.stack([np.zeros_like(x), -nearer, steeper * (last + end)])
    return (value, slope, np.stack([np.zeros_like(x), age * end, bent])), events * grown, bends


def _point_times(T: FloatArray, gap: FloatArray, rates: FloatArray, gradient: FloatArray) -> Times:
    """Give what times say where everybody has one rate."""
    gradient[0] = gap
    nothing = np.zeros((1, T.size))
    return (-rates[0] * T, -T[None], nothing), rates[0] * gap, nothing


def _dropout_tables(
    law: Dropout, occasions: FloatArray, chances: FloatArray
) -> tuple[Terms, Terms]:
    """Give what numbers of occasions say of the dropout probability.

    Returns
    -------
    tuple
        Logarithm of the chance to stay through all occasions with gradient (k, n) and Hessian
        (k, k, n); and log-odds of leaving at the last of them instead, with gradient (k, n) and
        the diagonal of the Hessian (k, n).
    """
    some = occasions > 0
    if law == "beta":
        return _beta_tables(occasions, some, *chances)
    if law == "nobody":
        nothing = np.zeros((0, occasions.size))
        return (
            (np.zeros(occasions.size), nothing, nothing[None][:0]),
            (np.full(occasions.size, -np.inf), nothing, nothing),
        )
    times = occasions if law == "point" else some.astype(float)
    may = some if law == "point" else occasions == 1
    odds = chances[0]
    stay = (
        -times * np.log1p(odds),
        -(times / (1 + odds))[None],
        (times / (1 + odds) ** 2)[None, None],
    )
    slope = np.where(may, 1 / odds, 0.0)[None]
    return stay, (np.where(may, np.log(odds), -np.inf), slope, -(slope**2))


def _beta_tables(
    occasions: FloatArray, some: np.ndarray, a: FloatArray, b: FloatArray
) -> tuple[Terms, Terms]:
    slope_b, bend_b = rising_slopes(b, occasions)
    slope_ab, bend_ab = rising_slopes(a + b, occasions)
    stay = (
        log_rising(b, occasions) - log_rising(a + b, occasions),
        np.stack([-slope_ab, slope_b - slope_ab]),
        np.array([[-bend_ab, -bend_ab], [-bend_ab, bend_b - bend_ab]]),
    )
    before = np.where(some, b + occasions - 1, 1.0)
    slope = np.where(some, np.stack([np.broadcast_to(1 / a, before.shape), -1 / before]), 0.0)
    bend = slope**2 * np.array([[-1.0], [1.0]])
    return stay, (np.where(some, np.log(a / before), -np.inf), slope, bend)
