"""Expected powers of a probability that differs between customers.

Where chances come one by one (a renewal is due, an appeal is mailed), every likelihood is made of
one expression: E[p^up (1 - p)^down], whole numbers `up` and `down`, over the law by which p
differs.  A :class:`Family` gives its logarithm with first and second derivatives for each law:
:class:`BetaFamily`, and what it tends to where the likelihood has no inner maximum,
:class:`PointFamily` (all alike), :class:`SplitFamily` (some always, others never) and
:class:`FixedFamily` (everybody always, or never).

With whole powers, gamma functions are products, their derivatives sums: nothing cancels, however
large a parameter.  Point and split laws are searched by their odds p / (1 - p), which need no
upper bound.

Source: the beta-binomial moments (a)_up (b)_down / (a + b)_(up + down), for example Skellam
(1948), Journal of the Royal Statistical Society B 10.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.special import xlogy

from keycustomer.lifetime.laws import BetaLaw, PointLaw, SplitLaw
from keycustomer.stats.bootstrap import IntArray
from keycustomer.stats.samples import FloatArray

ChanceLaw: TypeAlias = BetaLaw | PointLaw | SplitLaw
"""How a probability differs between customers."""


@dataclass(frozen=True, eq=False)
class Powers:
    """Logarithm of the expected powers, and its derivatives.

    Attributes
    ----------
    log : ndarray, shape (n,)
        log E[p^up (1 - p)^down]; minus infinity where the law rules it out.
    score : ndarray, shape (k, n)
        First derivatives with regard to the family's parameters.
    hessian : ndarray, shape (k, k, n)
        Second derivatives.
    """

    log: FloatArray
    score: FloatArray
    hessian: FloatArray


class Family(ABC):
    """Laws of one kind, told apart by positive parameters that can be searched.

    Attributes
    ----------
    start : tuple of float
        Where a search may begin; its length is the number of parameters.
    """

    start: tuple[float, ...]

    @abstractmethod
    def powers(self, parameters: FloatArray, up: IntArray, down: IntArray) -> Powers:
        """Give expected powers at these parameters, `up` and `down` of shape (n,)."""

    @abstractmethod
    def law(self, parameters: FloatArray) -> ChanceLaw:
        """Give the law with these parameters."""

    def reported(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Parameters as a reader knows them, and the slope of each in the one searched."""
        return parameters, np.ones_like(parameters)


class BetaFamily(Family):
    """Beta laws, parameters a and b."""

    start = (1.0, 1.0)

    def powers(self, parameters: FloatArray, up: IntArray, down: IntArray) -> Powers:
        """Give expected powers at these parameters, `up` and `down` of shape (n,)."""
        a, b = parameters
        first = _rising(a, up)
        second = _rising(b, down)
        both = _rising(a + b, up + down)
        score = np.stack([first[1] - both[1], second[1] - both[1]])
        hessian = np.array([[first[2] - both[2], -both[2]], [-both[2], second[2] - both[2]]])
        return Powers(first[0] + second[0] - both[0], score, hessian)

    def law(self, parameters: FloatArray) -> BetaLaw:
        """Give the law with these parameters."""
        return BetaLaw(float(parameters[0]), float(parameters[1]))


class PointFamily(Family):
    """Point laws between 0 and 1, searched by their odds."""

    start = (0.5,)

    def powers(self, parameters: FloatArray, up: IntArray, down: IntArray) -> Powers:
        """Give expected powers at these parameters, `up` and `down` of shape (n,)."""
        odds = parameters[0]
        tries = up + down
        log = up * np.log(odds) - tries * np.log1p(odds)
        score = up / odds - tries / (1 + odds)
        hessian = tries / (1 + odds) ** 2 - up / odds**2
        return Powers(log, score[None, :], hessian[None, None, :])

    def law(self, parameters: FloatArray) -> ChanceLaw:
        """Give the law with these parameters."""
        return PointLaw(float(parameters[0] / (1 + parameters[0])))

    def reported(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give the probability instead of the odds."""
        return parameters / (1 + parameters), 1 / (1 + parameters) ** 2


class SplitFamily(PointFamily):
    """Split laws: p is 1 for a share of the customers, 0 for the others."""

    def powers(self, parameters: FloatArray, up: IntArray, down: IntArray) -> Powers:
        """Give expected powers at these parameters, `up` and `down` of shape (n,)."""
        once = super().powers(parameters, np.minimum(up, 1), np.minimum(down, 1))
        mixed = (up > 0) & (down > 0)
        return Powers(np.where(mixed, -np.inf, once.log), once.score, once.hessian)

    def law(self, parameters: FloatArray) -> ChanceLaw:
        """Give the law with these parameters."""
        return SplitLaw(float(parameters[0] / (1 + parameters[0])))


class FixedFamily(Family):
    """A point law that is known: everybody always (1) or never (0)."""

    start = ()

    def __init__(self, value: float) -> None:
        self.value = value

    def powers(self, parameters: FloatArray, up: IntArray, down: IntArray) -> Powers:
        """Give expected powers, `up` and `down` of shape (n,); nothing to differentiate."""
        log = xlogy(up, self.value) + xlogy(down, 1 - self.value)
        return Powers(log, np.empty((0, up.size)), np.empty((0, 0, up.size)))

    def law(self, parameters: FloatArray) -> ChanceLaw:
        """Give the law."""
        return PointLaw(self.value)


FAMILIES: dict[str, Family] = {
    "never": FixedFamily(0.0),
    "always": FixedFamily(1.0),
    "point": PointFamily(),
    "split": SplitFamily(),
    "beta": BetaFamily(),
}
"""The closure of the beta laws, the simplest first."""


def log_powers(law: ChanceLaw, up: IntArray, down: IntArray) -> FloatArray:
    """Logarithm of E[p^up (1 - p)^down] under a law.

    Parameters
    ----------
    law : BetaLaw, PointLaw or SplitLaw
        How p differs between customers.
    up, down : ndarray of int, shape (n,)
        Whole powers of at least 0.

    Returns
    -------
    ndarray, shape (n,)
        Minus infinity where the law rules it out.
    """
    if isinstance(law, BetaLaw):
        return BetaFamily().powers(np.array([law.a, law.b]), up, down).log
    if isinstance(law, PointLaw):
        return FixedFamily(law.value).powers(np.empty(0), up, down).log
    once = FixedFamily(law.share).powers(np.empty(0), np.minimum(up, 1), np.minimum(down, 1)).log
    return np.where((up > 0) & (down > 0), -np.inf, once)


def _rising(value: float, powers: IntArray) -> FloatArray:
    """Logarithm of the rising factorial (value)_n and its two derivatives, shape (3, n)."""
    terms = value + np.arange(int(powers.max(initial=0)))
    table = np.zeros((3, terms.size + 1))
    np.cumsum([np.log(terms), 1 / terms, -1 / terms**2], axis=1, out=table[:, 1:])
    return table[:, powers]
