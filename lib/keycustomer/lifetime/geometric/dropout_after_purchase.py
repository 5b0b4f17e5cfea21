"""Models whose customers leave at a purchase: what BG/NBD and MBG/NBD share.

A customer buys at a constant rate and, at each occasion, leaves with a constant probability.  The
two models differ in whether the first purchase is an occasion already.
:class:`GeometricDropoutModel` holds their predictions under any pair of laws, the textbook's and
their limits, by the formulas of each; :func:`fit_geometric` fits either.

Given that a customer is alive, its rate and its dropout probability are independent: a gamma law
of shape r + x and rate alpha + T, and a beta law of a and b plus the occasions survived.  A
customer of rate l and probability p buys (1 - exp(-l p t)) / p times within t.

Sources: Fader, Hardie & Lee (2005), Marketing Science 24, equations 9 and 10; Batislam, Denizel &
Filiztekin (2007), International Journal of Research in Marketing 24.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import ClassVar, Self, TypeVar

import numpy as np
import pandas as pd
from scipy.special import expit

from keycustomer.lifetime.arguments import checked_start, checked_weights
from keycustomer.lifetime.geometric.beta_mean import beta_nodes, purchases_before_leaving
from keycustomer.lifetime.geometric.likelihood import CHUNK, Rows
from keycustomer.lifetime.geometric.names import dropout_law, limit_sentence, rate_law
from keycustomer.lifetime.geometric.search import search_laws
from keycustomer.lifetime.geometric.terms import geometric_terms
from keycustomer.lifetime.histories import Histories
from keycustomer.lifetime.laws import BetaLaw, GammaLaw, PointLaw, SplitLaw
from keycustomer.lifetime.newton import Derivatives
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.stats.samples import FloatArray

SHARES = ("dropout_probability", "dropout_share")
"""Parameters between 0 and 1."""

LAWS = 4_096
"""Beta laws whose nodes are held at once."""

UPPER = np.triu_indices(4)
"""Places of a Hessian's different entries."""


class GeometricDropoutModel(TransactionModel):
    """A model whose customers may leave at each purchase."""

    first_occasion: ClassVar[int]
    """1 where the first purchase is an occasion to leave, else 0."""

    title: ClassVar[str]
    """Name of the model."""

    purchasing: GammaLaw | PointLaw
    dropout: BetaLaw | PointLaw | SplitLaw

    def refit(self, weights: FloatArray) -> Self:
        """Fit again with other numbers of customers, beginning at this fit.

        Parameters
        ----------
        weights : ndarray, shape (rows of `histories`,)
            Customers with each history, as a bootstrap draws them; zeros are allowed.

        Returns
        -------
        GeometricDropoutModel
            The model fitted on the customers drawn.

        Raises
        ------
        ValueError
            When the weights are not one number of at least 0 a row, or all are 0.
        """
        weights = checked_weights(weights, self.histories.rows)
        drawn = self.histories.reweighted(weights)
        if self.limit:
            return fit_geometric(type(self), drawn)
        return fit_geometric(type(self), drawn, self.values, _unpacked(self._terms @ weights))

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """One row a parameter: parameter, estimate, standard_error, lower, upper.

        The interval is a Wald interval of the logarithm; of the log-odds where the parameter is a
        share.
        """
        frame = super().to_frame(level)
        shares = frame["parameter"].isin(SHARES).to_numpy()
        odds = 1 / (1 - self.values[shares])
        for end in ("lower", "upper"):
            ratio = (frame.loc[shares, end] / self.values[shares]) ** odds * (odds - 1)
            frame.loc[shares, end] = ratio / (1 + ratio)
        return frame

    @cached_property
    def _terms(self) -> FloatArray:
        """Log-likelihood, score and Hessian of every row, packed, shape (15, rows)."""
        rows = self.histories
        columns = (rows.frequency, rows.recency, rows.T)
        packed = np.empty((1 + 4 + 10, rows.rows))
        for low in range(0, rows.rows, CHUNK):
            part = slice(low, low + CHUNK)
            found = geometric_terms(
                *(column[part] for column in columns), *self.values, first=self.first_occasion
            )
            packed[0, part], packed[1:5, part] = found[0], found[1]
            packed[5:, part] = found[2][UPPER]
        return packed

    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        gap = T - t_x
        if isinstance(self.purchasing, GammaLaw):
            silence = (self.purchasing.shape + x) * np.log1p(gap / (self.purchasing.rate + t_x))
        else:
            silence = self.purchasing.value * gap
        return expit(-(self._log_odds_of_leaving(x + self.first_occasion) + silence))

    def _log_odds_of_leaving(self, occasions: FloatArray) -> FloatArray:
        """Log-odds of leaving at the last of the occasions rather than staying through all."""
        dropout = self.dropout
        if isinstance(dropout, BetaLaw):
            before = np.where(occasions > 0, dropout.b + occasions - 1, np.inf)
            with np.errstate(divide="ignore"):
                return np.log(dropout.a / before)
        if isinstance(dropout, SplitLaw):
            return np.where(occasions == 1, np.log(dropout.share / (1 - dropout.share)), -np.inf)
        with np.errstate(divide="ignore"):
            odds = np.log(dropout.value) - np.log1p(-np.float64(dropout.value))
        return np.where(occasions > 0, odds, -np.inf)

    def _purchases_if_alive(self, t: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        dropout, occasions = self.dropout, x + self.first_occasion
        if isinstance(dropout, BetaLaw):
            return self._bought_by_beta(dropout, occasions, *self._pace(t, x, T))
        if isinstance(dropout, SplitLaw):
            once, always = self._bought(1.0, t, x, T), self._bought(0.0, t, x, T)
            return always + np.where(occasions == 0, dropout.share, 0.0) * (once - always)
        return self._bought(dropout.value, t, x, T)

    def _pace(self, t: FloatArray, x: FloatArray, T: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give the shape of customers' rates, inf where they are alike, and the mean per shape.

        The shape is that of the gamma law given the history, the mean that of the purchases within
        t, were all to stay.
        """
        law = self.purchasing
        if isinstance(law, GammaLaw):
            events, reach = np.broadcast_arrays(law.shape + x, t / (law.rate + T))
        else:
            nothing = np.zeros(np.broadcast(t, x, T).shape)
            events, reach = nothing + np.inf, nothing + law.value * t
        return events, reach

    def _bought(
        self, p: float | FloatArray, t: FloatArray, x: FloatArray, T: FloatArray
    ) -> FloatArray:
        """Give purchases expected within t of a customer alive with dropout probability p."""
        events, reach = self._pace(t, x, T)
        if np.all(p == 0):
            return reach * (1.0 if np.isinf(events).all() else events)
        return -np.expm1(-_fading(events, p * reach)) / p

    def _bought_by_beta(
        self, law: BetaLaw, occasions: FloatArray, events: FloatArray, reach: FloatArray
    ) -> FloatArray:
        """Give the same where the probability follows a beta law, here after some occasions."""
        # One law a customer is possible, too; a complex number stands for its two parameters.
        each = np.asarray(law.a + 1j * (law.b + occasions))
        laws, place = np.unique(each, return_inverse=True)
        index = np.broadcast_to(place.reshape(each.shape), reach.shape).ravel()
        order = np.argsort(index, kind="stable")
        cuts = np.searchsorted(index[order], np.arange(0, laws.size + LAWS, LAWS))
        bought = np.empty(index.size)
        for n, (low, high) in enumerate(pairwise(cuts)):
            cases = order[low:high]
            bought[cases] = _mean_bought(
                laws[n * LAWS : (n + 1) * LAWS],
                index[cases] - n * LAWS,
                events.ravel()[cases],
                reach.ravel()[cases],
            )
        return bought.reshape(reach.shape)

    def _purchases_new(self, t: FloatArray) -> FloatArray:
        nothing = np.zeros(np.shape(t))
        left = 0.0 if self.first_occasion == 0 else self.dropout.mean
        return (1 - left) * self._purchases_if_alive(t, nothing, nothing)


def _fading(events: FloatArray, reach: FloatArray) -> FloatArray:
    """Minus the logarithm of E[exp(-l p t)], l the purchase rate, reach as in `_pace` times p."""
    if np.isinf(events).all():
        return reach
    return events * np.log1p(reach)


def _mean_bought(
    laws: np.ndarray, index: np.ndarray, events: FloatArray, reach: FloatArray
) -> FloatArray:
    """Mean purchases before leaving over beta laws of which each case has one."""
    alike = bool(np.isinf(events).all())
    bend = float((reach if alike else events * reach).max(initial=0.0))
    return purchases_before_leaving(
        lambda part, p: _fading(events[part, None], np.multiply.outer(reach[part], p)),
        index.size,
        index,
        beta_nodes(laws.real, laws.imag, bend),
    )


def _unpacked(sums: FloatArray) -> Derivatives:
    """Turn sums of packed rows into log-likelihood, score and Hessian."""
    hessian = np.empty((4, 4))
    hessian[UPPER] = sums[5:]
    hessian.T[UPPER] = sums[5:]
    return float(sums[0]), sums[1:5], hessian


Model = TypeVar("Model", bound=GeometricDropoutModel)


def fit_geometric(
    model: type[Model],
    histories: Histories,
    start: Sequence[float] | FloatArray | None = None,
    at_start: Derivatives | None = None,
) -> Model:
    """Fit a model whose customers leave at a purchase.

    Parameters
    ----------
    model : type
        The model's class.
    histories : Histories
        Purchase histories.
    start : array, shape (4,), optional
        Parameters r, alpha, a, b to begin at; the result does not depend on them.
    at_start : tuple, optional
        Log-likelihood, score and Hessian there, where they are known.

    Returns
    -------
    GeometricDropoutModel
        Of the class asked for.

    Raises
    ------
    ValueError
        When the start is not four positive numbers.
    """
    begin = checked_start(start, "r", "alpha", "a", "b")
    bought = float(histories.weights @ histories.frequency)
    if bought == 0:
        return _nobody_came_back(model, histories)
    scale = histories.mean(histories.T)
    units = np.array([1.0, scale, 1.0, 1.0])
    if begin is not None:
        begin = begin / units
    if at_start is not None:
        value, score, hessian = at_start
        at_start = value + bought * math.log(scale), score * units, hessian * np.outer(units, units)
    found = search_laws(Rows.of(histories, model.first_occasion, scale), begin, at_start)
    optimum = found.optimum
    purchasing, rates = rate_law(found, scale)
    dropout, chances = dropout_law(found)
    free = {**rates, **chances}
    slope = np.array([slope for _, slope in free.values()])
    return model(
        model=model.title,
        names=tuple(free),
        values=np.array([value for value, _ in free.values()]),
        covariance=optimum.covariance * np.outer(slope, slope),
        log_likelihood=optimum.log_likelihood - bought * math.log(scale),
        customers=histories.customers,
        limit=limit_sentence(purchasing, dropout, histories.unit),
        notes=histories.notes,
        evaluations=optimum.evaluations,
        purchasing=purchasing,
        dropout=dropout,
        histories=histories,
    )


def _nobody_came_back(model: type[Model], histories: Histories) -> Model:
    """Give the limit of a likelihood without a repeat purchase: a purchase rate of zero."""
    return model(
        model=model.title,
        names=(),
        values=np.zeros(0),
        covariance=np.zeros((0, 0)),
        log_likelihood=0.0,
        customers=histories.customers,
        limit=(
            "Nobody bought again: the likelihood is largest where the purchase rate goes to 0, "
            "and says nothing of drop-out."
        ),
        notes=histories.notes,
        purchasing=PointLaw(0.0),
        dropout=PointLaw(0.0),
        histories=histories,
    )
