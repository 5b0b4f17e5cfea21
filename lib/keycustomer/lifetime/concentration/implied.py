"""Concentration that a fitted model implies: heterogeneity and luck told apart.

How much of the 80/20 rule is the customers, and how much the luck of a short window?  A fitted
model knows both.  :func:`implied_share` gives the share of purchases, or of revenue, that the top
customers bring in a window after their first purchase: customers who differ, and chance besides.
:func:`luck_share` gives what chance alone would make of customers who are all alike, and
:func:`lasting_share` what is left where chance has averaged out: the share of the top customers by
their true purchase rates (times their true mean spend), which no window shows.

Two populations answer two questions.  Among all customers a short window looks very unequal, since
most buy nothing in it; among its buyers it looks very equal, since most buy once.

Everything is exact.  The share of purchases is a sum over the counts of
:mod:`~keycustomer.lifetime.concentration.counting`.  The revenue Z of n purchases of a Gamma-Gamma
customer is such that Z / (Z + v) follows a beta law with pn and q, and its part below a border one
with pn + 1 and q - 1, so the share of revenue is a sum over the same counts.  The true rates follow
a gamma law of shape r: their top fifth has the share 1 - G(r+1; g) with G(r; g) = 0.8.  Times the
true mean spend they follow a beta prime law, and have the share 1 - I(r+1, q-1; u) with
I(r, q; u) = 0.8.

Sources: Schmittlein, Cooper & Morrison, "Truth in concentration in the land of (80/20) laws",
Marketing Science 12 (1993), for the purchases; Fader & Hardie (2013), "The Gamma-Gamma Model of
Monetary Value", equation 1a, for the spend.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import (
    betainc,
    betaincc,
    betaincinv,
    expit,
    gammainc,
    gammaincc,
    gammaincinv,
)

from keycustomer.lifetime.concentration.counting import alike_probabilities, count_probabilities
from keycustomer.lifetime.laws import PointLaw
from keycustomer.lifetime.spend.gammagamma import GammaGamma
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.stats import Estimate, share_of
from keycustomer.stats.samples import FloatArray

Population: TypeAlias = Literal["all", "buyers"]
"""All customers of the window, or those who buy in it."""

RAREST = 1e-14
"""Probability below which a count is left out of sums over revenue."""

FARTHEST = 300.0
"""Border of revenue looked for at most, in logarithms of the law's scale."""


def implied_share(
    model: TransactionModel,
    window: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    top: float = 0.2,
    population: Population = "all",
    spend: GammaGamma | None = None,
    first_purchase: bool = False,
) -> float:
    """Share of purchases or revenue that the top customers bring in a window, by the model.

    Parameters
    ----------
    model : TransactionModel
        A fitted BG/NBD, MBG/NBD or Pareto/NBD model.
    window : float or array, shape (groups,)
        Length of the window since the first purchase, in the model's unit; an array where it
        differs between customers (their T).
    weights : array, shape (groups,), optional
        Customers of each window; left out, equally many.
    top : float
        Share of the customers called top, 0..1.
    population : {"all", "buyers"}
        All customers, or those who buy in the window.
    spend : GammaGamma, optional
        Model of spend: the share is then one of revenue.
    first_purchase : bool
        Whether the first purchase counts too, which makes a buyer of everybody.

    Returns
    -------
    float
        Share 0..1 of what the customers together are expected to bring.

    Raises
    ------
    ValueError
        When the window holds no purchase, the model's counts are not known, `top` is no share, or
        spend has no mean (q of 1 or less).
    """
    chances = count_probabilities(model, window, weights)
    law = None if spend is None else SpendLaw.of(spend)
    return top_share(
        with_first(chances) if first_purchase else chances, law, top=top, population=population
    )


def luck_share(
    model: TransactionModel,
    window: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    top: float = 0.2,
    population: Population = "all",
    spend: GammaGamma | None = None,
    first_purchase: bool = False,
) -> float:
    """Share that the top customers would bring by chance, if all customers were alike.

    Everybody then buys at the rate that brings the model's expected purchases, by a Poisson law,
    and spends around one mean.  Parameters and errors as in :func:`implied_share`.
    """
    chances = alike_probabilities(model, window, weights)
    law = None if spend is None else SpendLaw.alike(spend)
    return top_share(
        with_first(chances) if first_purchase else chances, law, top=top, population=population
    )


def lasting_share(
    model: TransactionModel, *, top: float = 0.2, spend: GammaGamma | None = None
) -> float:
    """Share of the top customers by true purchase rate: concentration without any luck.

    Parameters
    ----------
    model : TransactionModel
        A fitted model whose purchase rates follow a gamma law or are all alike.
    top : float
        Share of the customers called top, 0..1.
    spend : GammaGamma, optional
        Model of spend: the share is then that of purchase rate times mean spend.

    Returns
    -------
    float
        Share 0..1; `top` itself where all customers are alike.

    Raises
    ------
    ValueError
        When `top` is no share, or spend has no mean (q of 1 or less).

    Notes
    -----
    It is the share while nobody has left: leaving makes the purchases of a long window differ
    still more than the rates.
    """
    below = 1 - share_of(top, "top")
    rates = model.purchasing
    law = None if spend is None else SpendLaw.of(spend)
    if law is None or math.isinf(law.q):
        if isinstance(rates, PointLaw):
            return float(top)
        return float(gammaincc(rates.shape + 1, gammaincinv(rates.shape, below)))
    if isinstance(rates, PointLaw):
        return float(gammainc(law.q - 1, gammaincinv(law.q, top)))
    return float(betaincc(rates.shape + 1, law.q - 1, betaincinv(rates.shape, law.q, below)))


def lasting_estimate(model: TransactionModel, *, top: float = 0.2, level: float = 0.95) -> Estimate:
    """Share of the top customers by true purchase rate, with the interval of the rates' shape.

    The share depends on nothing but the shape r of the rates and falls with it, so the ends of the
    shape's interval are those of the share.

    Parameters
    ----------
    model : TransactionModel
        A fitted model.
    top : float
        Share of the customers called top, 0..1.
    level : float
        Confidence level of the interval, 0..1.

    Returns
    -------
    Estimate
        `top` itself, without interval, where the data show no differences between rates.

    Raises
    ------
    ValueError
        When `top` is no share.
    """
    share, unit = lasting_share(model, top=top), "share of purchases"
    n = round(model.customers)
    if "r" not in model.names:
        return Estimate.without_interval(share, unit, n, "no differences between rates", level)
    shape = model.estimates(level)["r"]
    below = 1 - top
    lower, upper = (
        float(gammaincc(r + 1, gammaincinv(r, below))) for r in (shape.upper, shape.lower)
    )
    return Estimate(share, lower, upper, unit, n, f"{shape.method}, of the shape r", level)


def with_first(chances: FloatArray) -> FloatArray:
    """Count the first purchase besides the repeat purchases."""
    return np.append(0.0, chances)


def top_share(
    chances: FloatArray,
    law: SpendLaw | None = None,
    *,
    top: float = 0.2,
    population: Population = "all",
) -> float:
    """Share of the top customers, from the probabilities of 0, 1, 2 ... purchases.

    Parameters
    ----------
    chances : ndarray, shape (counts,)
        Probabilities of the counts, as :func:`keycustomer.lifetime.count_probabilities` gives.
    law : SpendLaw, optional
        How purchases make revenue; left out, the share is one of purchases.
    top, population
        As in :func:`implied_share`.

    Returns
    -------
    float
        Share 0..1.  A border that falls among customers of equal count takes the part of them
        that fills the top.

    Raises
    ------
    ValueError
        As :func:`implied_share`.
    """
    if population not in get_args(Population):
        raise ValueError(
            f"population={population!r}: one of {', '.join(map(repr, get_args(Population)))}"
        )
    below = 1 - share_of(top, "top")
    if population == "buyers":
        chances = np.append(0.0, chances[1:])
    if not chances[1:].sum() > 0:
        raise ValueError(
            "nobody is expected to buy in this window: a share of nothing has no meaning; give a "
            "longer window"
        )
    if below == 1:
        return 0.0
    chances = chances / chances.sum()
    if law is None or (math.isinf(law.p) and math.isinf(law.q)):
        return _share_of_counts(chances, below)
    return _share_of_spend(chances, below, law)


def _share_of_counts(chances: FloatArray, below: float) -> float:
    """Share of the purchases of those above the lowest `below` of the customers."""
    counts = np.arange(chances.size)
    reached = np.cumsum(chances)
    border = min(int(np.searchsorted(reached, below)), chances.size - 1)
    under = reached[border - 1] if border else 0.0
    rest = counts[:border] @ chances[:border] + border * (below - under)
    return max(0.0, float(1 - rest / (counts @ chances)))


def _share_of_spend(chances: FloatArray, below: float, law: SpendLaw) -> float:
    """Share of the revenue of those above the lowest `below` of the customers."""
    kept = chances > RAREST
    kept[0] = False
    counts, weights = np.flatnonzero(kept).astype(float), chances[kept]
    nothing = float(chances[0])
    if below <= nothing:
        return 1.0

    def excess(border: float) -> float:
        return nothing + float(weights @ law.customers_below(border, counts)) - below

    border = brentq(excess, -FARTHEST, FARTHEST, xtol=1e-13)
    value = weights * counts
    return float(1 - value @ law.value_below(border, counts) / value.sum())


@dataclass(frozen=True)
class SpendLaw:
    """The revenue of n purchases of a customer, up to a unit.

    Attributes
    ----------
    p : float
        Shape of a customer's purchases; infinite where each customer always spends the same.
    q : float
        Shape of the differences between customers; infinite where they have one mean.
    """

    p: float
    q: float

    @classmethod
    def of(cls, spend: GammaGamma) -> SpendLaw:
        """Take the law of a fitted model; refuse one without a mean."""
        _ = spend.mean_spend
        return cls(spend.p, spend.q)

    @classmethod
    def alike(cls, spend: GammaGamma) -> SpendLaw:
        """Law of customers who all have the mean spend of a fitted model's."""
        _ = spend.mean_spend
        return cls(spend.p, math.inf)

    def customers_below(self, border: float, counts: FloatArray) -> FloatArray:
        """Share of the customers with each count whose revenue lies below a border.

        Parameters
        ----------
        border : float
            Logarithm of the border, in units that the law's scale cancels from.
        counts : ndarray, shape (n,)
            Purchases.
        """
        return self._below(border, counts, 0.0)

    def value_below(self, border: float, counts: FloatArray) -> FloatArray:
        """Share of the revenue of each count that such customers bring."""
        return self._below(border, counts, 1.0)

    def _below(self, border: float, counts: FloatArray, power: float) -> FloatArray:
        """Weigh the customers by revenue to the power 0 or 1."""
        if math.isinf(self.p):
            return gammaincc(self.q - power, counts * math.exp(-border))
        if math.isinf(self.q):
            return gammainc(self.p * counts + power, math.exp(border))
        return betainc(self.p * counts + power, self.q - power, expit(border))
