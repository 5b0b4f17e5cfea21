"""Random numbers of the simulated company: one stream for every purpose and month.

Why do two policies meet the same chance?  Every purpose ("complaints", "leaving", ...) has in
every month a stream of its own, known from the seed, the purpose and the month alone, and gives
one number an account in the order of the accounts.  So a policy that changes what one draw is
used for never shifts another's numbers (common random numbers), the first n accounts of a larger
company meet the chance of the smaller one, and any block of accounts can be drawn by itself.

Only uniform numbers are drawn; normal ones and counts come from them by the inverse of their
distribution function.  The uniform numbers are the same bits on every platform; what is computed
from them agrees to the last digits only.  Main names: `stream`, `Draws`.

Source: Law, "Simulation Modeling and Analysis" (2015), section 11.2, on synchronised streams.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Array = npt.NDArray[Any]

_SMALLEST = 2.0**-54
"""Stands for a uniform number of exactly 0, whose normal quantile is infinite."""

_OUTSIDE = -1
"""Month of what is drawn once."""


def _bits(seed: int, purpose: str, month: int) -> np.random.PCG64:
    word = int.from_bytes(sha256(purpose.encode()).digest()[:8], "little")
    return np.random.PCG64(np.random.SeedSequence([seed, word, month - _OUTSIDE]))


def stream(seed: int, purpose: str, month: int = _OUTSIDE) -> np.random.Generator:
    """Give the generator of one purpose in one month.

    Parameters
    ----------
    seed : int
        Seed of the company, 0 or larger.
    purpose : str
        What the numbers are for; different purposes have unrelated numbers.
    month : int
        Month of the window, 0 the first; left out, for what is drawn once.
    """
    return np.random.Generator(_bits(seed, purpose, month))


class Draws:
    """Numbers of a block of accounts.

    Parameters
    ----------
    seed : int
        Seed of the company.
    start, stop : int
        The block: accounts `start` to `stop`, not included.
    remember : bool
        Keep what was drawn, so that another policy need not draw it again.
    """

    def __init__(self, seed: int, start: int, stop: int, *, remember: bool = False) -> None:
        self.seed = seed
        self.start = start
        self.stop = stop
        self._kept: dict[tuple[str, int, int, bool], Array] | None = {} if remember else None

    def uniform(self, purpose: str, month: int = _OUTSIDE, columns: int = 1) -> Array:
        """Uniform numbers in (0, 1), shape (block,), or (block, columns) for several columns."""
        return self._draw(purpose, month, columns, normal=False)

    def normal(self, purpose: str, month: int = _OUTSIDE, columns: int = 1) -> Array:
        """Draw standard normal numbers, the quantiles of the uniform ones."""
        return self._draw(purpose, month, columns, normal=True)

    def _draw(self, purpose: str, month: int, columns: int, *, normal: bool) -> Array:
        key = (purpose, month, columns, normal)
        if self._kept is not None and key in self._kept:
            return self._kept[key]
        bits = _bits(self.seed, purpose, month)
        bits.advance(self.start * columns)
        numbers = np.random.Generator(bits).random((self.stop - self.start) * columns)
        np.maximum(numbers, _SMALLEST, out=numbers)
        if normal:
            ndtri(numbers, out=numbers)
        if columns > 1:
            numbers = numbers.reshape(-1, columns)
        numbers.setflags(write=False)
        if self._kept is not None:
            self._kept[key] = numbers
        return numbers


def poisson_counts(uniform: Array, mean: Array) -> Array:
    """Turn uniform numbers into Poisson counts by the inverse of the distribution function.

    The counts never fall when a mean rises, whatever the uniform numbers are.

    Parameters
    ----------
    uniform, mean : ndarray of float, shape (n,)
        Numbers in (0, 1), and means, 0 or larger.

    Returns
    -------
    ndarray of float, shape (n,)
        Counts 0 to 255; means above 100 are not meant.
    """
    counts = np.zeros(len(uniform))
    term = np.exp(-mean)
    gone = term.copy()
    open_ = np.flatnonzero(uniform > gone)
    term, gone, mean, uniform = term[open_], gone[open_], mean[open_], uniform[open_]
    for count in range(1, 256):
        if not open_.size:
            break
        counts[open_] = count
        term = term * mean / count
        gone = gone + term
        still = uniform > gone
        open_, term, gone = open_[still], term[still], gone[still]
        mean, uniform = mean[still], uniform[still]
    return counts
