"""Likelihood of models whose customers leave at a purchase: BG/NBD, MBG/NBD and their limits.

How likely are these histories?  A customer buys at a constant rate and leaves, at every occasion,
with a constant probability; rate and probability differ between customers by a law each.  Its
history says that it is alive still, or that it left at its last purchase:
``L = E[(1-p)^k] E[l^x exp(-l T)] + E[p (1-p)^(k-1)] E[l^x exp(-l t_x)]``.  The occasions k are the
repeat purchases x (BG/NBD), or one more where the first purchase is an occasion too (MBG/NBD).

With P the probability of having left, given the history, score and Hessian follow from those of
the two states: the score is the mean of the states' scores, the Hessian the mean of their Hessians
plus the variance of their scores.  :class:`GeometricLikelihood` sums them over customers for any
pair of laws.  What depends on the frequency alone is computed once for each different frequency.

Sources: Fader, Hardie & Lee (2005), Marketing Science 24, equation 6; Batislam, Denizel &
Filiztekin (2007), International Journal of Research in Marketing 24; Louis (1982), Journal of the
Royal Statistical Society B 44, for the Hessian.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from keycustomer.lifetime.geometric.occasions import Dropout, Terms, dropout_tables
from keycustomer.lifetime.histories import Histories
from keycustomer.lifetime.newton import Derivatives
from keycustomer.lifetime.rising import log_rising
from keycustomer.stats.samples import FloatArray

Purchasing: TypeAlias = Literal["gamma", "point"]
"""Laws of the purchase rate: parameters r and alpha, or the rate of everybody."""

CHUNK = 10_000
"""Rows taken at a time, so that what is computed of them stays in the processor's cache."""

SURELY_ALIVE = -700.0
"""Log-odds of having left that stand for all smaller ones."""


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
        return cls(x, t_x, T, weights, np.flatnonzero(np.r_[True, x[1:] != x[:-1]]), first)

    @property
    def levels(self) -> FloatArray:
        """The different frequencies, rising."""
        return self.x[self.starts]

    def chunks(self) -> list[Chunk]:
        """Cut the rows into pieces of about the same size."""
        pieces = -(-self.x.size // CHUNK)
        cuts = np.linspace(0, self.x.size, pieces + 1).astype(int).tolist()
        return [self._chunk(low, high) for low, high in pairwise(cuts)]

    def _chunk(self, low: int, high: int) -> Chunk:
        part = slice(low, high)
        begin = int(np.searchsorted(self.starts, low, side="right")) - 1
        levels = slice(begin, int(np.searchsorted(self.starts, high)))
        starts = np.maximum(self.starts[levels] - low, 0)
        x, T = self.x[part], self.T[part]
        weights = np.empty((3, x.size))
        weights[0] = self.weights[part]
        np.multiply(weights[0], x, out=weights[1])
        np.multiply(weights[0], T, out=weights[2])
        counts = np.diff(starts, append=x.size)
        return Chunk(x, self.t_x[part], T, T - self.t_x[part], levels, starts, counts, weights)


class Chunk(NamedTuple):
    """A piece of the rows, and where its different frequencies stand."""

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    gap: FloatArray
    """Time since the last purchase."""
    levels: slice
    """Its frequencies among all."""
    starts: np.ndarray
    """First row of each."""
    counts: np.ndarray
    """Rows of each."""
    weights: FloatArray
    """Customers, purchases and ages of each row, shape (3, rows)."""


class Sums:
    """Score and Hessian as they are added up, and what is summed by frequency.

    Attributes
    ----------
    total : float
        The log-likelihood.
    score, hessian : ndarray, shape (k,) and (k, k)
        Its derivatives.
    left : ndarray, shape (2 + rates, levels)
        Customers of each frequency that have left; how uncertain that is, p (1 - p) summed; and
        the same times the slopes of the log-odds by the parameters of the purchase rates.
    """

    def __init__(self, rates: int, size: int, levels: int) -> None:
        self.total = 0.0
        self.score = np.zeros(size)
        self.hessian = np.zeros((size, size))
        self.left = np.zeros((2 + rates, levels))


class GeometricLikelihood:
    """Log-likelihood of the rows with score and Hessian, for one pair of laws.

    Parameters
    ----------
    rows : Rows
        Weighted histories.
    purchasing : {"gamma", "point"}
        Law of the purchase rate.
    dropout : {"beta", "point", "split", "nobody"}
        Law of the dropout probability.
    """

    def __init__(self, rows: Rows, purchasing: Purchasing, dropout: Dropout) -> None:
        self.purchasing = purchasing
        self.dropout = dropout
        self.rates = 2 if purchasing == "gamma" else 1
        self.size = self.rates + {"beta": 2, "nobody": 0}.get(dropout, 1)
        self.levels = rows.levels
        self.occasions = self.levels + rows.first
        self.customers = np.add.reduceat(rows.weights, rows.starts)
        self.chunks = rows.chunks()

    def __call__(self, parameters: FloatArray) -> Derivatives:
        """Log-likelihood, score and Hessian at natural parameters."""
        rates, chances = parameters[: self.rates], parameters[self.rates :]
        stay, odds = dropout_tables(self.dropout, self.occasions, chances)
        sums = Sums(self.rates, self.size, self.levels.size)
        add_times = _add_gamma if self.purchasing == "gamma" else _add_point
        for chunk in self.chunks:
            add_times(chunk, rates, odds[0], sums)
        self._add_counts(rates, sums)
        self._add_occasions(stay, odds, sums)
        return sums.total, sums.score, sums.hessian

    def _add_counts(self, rates: FloatArray, sums: Sums) -> None:
        """Add what the frequencies say of the purchase rates."""
        bought = float(self.customers @ self.levels)
        if self.purchasing == "gamma":
            value, slope, bend = log_rising(rates[0], self.levels)
            sums.total += float(self.customers @ value - bought * np.log(rates[1]))
            sums.score[0] += self.customers @ slope
            sums.hessian[0, 0] += self.customers @ bend
        else:
            sums.total += bought * float(np.log(rates[0]))
            sums.score[0] += bought / rates[0]
            sums.hessian[0, 0] -= bought / rates[0] ** 2

    def _add_occasions(self, stay: Terms, odds: Terms, sums: Sums) -> None:
        """Add what the occasions say of the dropout probabilities."""
        own, rates = slice(self.rates, self.size), slice(0, self.rates)
        left, uncertain, mixed = sums.left[0], sums.left[1], sums.left[2:]
        sums.total += float(self.customers @ stay[0])
        sums.score[own] += stay[1] @ self.customers + odds[1] @ left
        sums.hessian[own, own] += (
            stay[2] @ self.customers + np.diag(odds[2] @ left) + (odds[1] * uncertain) @ odds[1].T
        )
        across = mixed @ odds[1].T
        sums.hessian[rates, own] += across
        sums.hessian[own, rates] += across.T


def _add_gamma(chunk: Chunk, rates: FloatArray, odds: FloatArray, sums: Sums) -> None:
    """Add what times say of purchase rates that follow a gamma law.

    All is written in T / alpha, since r log(alpha / (alpha + T)) loses its digits for a large r.
    """
    r, alpha = rates
    last = 1 / (alpha + chunk.t_x)
    ratio = chunk.gap * last
    end = last / (1 + ratio)
    grown = np.log1p(ratio)
    nearer = ratio * end
    events = r + chunk.x
    steeper = events * nearer
    gone, uncertain, extra = _left(chunk, odds, events * grown)
    longer = chunk.weights[:2] @ np.log1p(chunk.T / alpha)
    ends, squares = chunk.weights[1:] @ end, chunk.weights[1:] @ (end * end)
    by_r, by_alpha = uncertain * grown, uncertain * steeper
    sums.total += extra - float(r * longer[0] + longer[1])
    sums.score[0] += gone @ grown - longer[0]
    sums.score[1] += r / alpha * ends[1] - ends[0] - gone @ steeper
    mixed = ends[1] / alpha - gone @ nearer - by_r @ steeper
    curve = squares[0] - r / alpha * (squares[1] + ends[1] / alpha)
    last += end
    sums.hessian[:2, :2] += [
        [by_r @ grown, mixed],
        [mixed, curve + gone @ (steeper * last) + by_alpha @ steeper],
    ]
    _add_left(chunk, sums, gone, uncertain, by_r, -by_alpha)


def _add_point(chunk: Chunk, rates: FloatArray, odds: FloatArray, sums: Sums) -> None:
    """Add what times say of a purchase rate that everybody shares."""
    gone, uncertain, extra = _left(chunk, odds, rates[0] * chunk.gap)
    age = chunk.weights[2].sum()
    by_rate = uncertain * chunk.gap
    sums.total += extra - float(rates[0] * age)
    sums.score[0] += gone @ chunk.gap - age
    sums.hessian[0, 0] += by_rate @ chunk.gap
    _add_left(chunk, sums, gone, uncertain, by_rate)


def _left(
    chunk: Chunk, odds: FloatArray, silence: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """Give the customers of each row that have left, the variance of that, and what it adds."""
    log_odds = np.repeat(odds[chunk.levels], chunk.counts)
    log_odds += silence
    np.maximum(log_odds, SURELY_ALIVE, out=log_odds)
    whole = np.exp(-log_odds)
    whole += 1
    dead = 1 / whole
    gone = chunk.weights[0] * dead
    uncertain = gone * (1 - dead)
    log_odds += np.log(whole)
    return gone, uncertain, float(chunk.weights[0] @ log_odds)


def _add_left(chunk: Chunk, sums: Sums, *amounts: FloatArray) -> None:
    for total, amount in zip(sums.left, amounts, strict=True):
        total[chunk.levels] += np.add.reduceat(amount, chunk.starts)
