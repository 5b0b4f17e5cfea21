"""Gamma-Gamma: how much a customer spends a purchase, freed from the luck of a few purchases.

What will the next purchase of this customer bring in?  The mean of its past purchases is a poor
guide where they were few.  The model takes the purchases of a customer as gamma distributed around
its own mean (shape p, rate nu), and nu as gamma distributed between customers (shape q, rate v).
:func:`fit_gammagamma` finds p, q and v; :class:`GammaGamma` answers with a mean of the customer's
own spend and everybody's, weighted by what each tells.

A likelihood that is largest at infinity leads to one of three simpler models, and says so: all
customers have the same mean spend (q and v infinite), each customer always spends the same
(p infinite, v zero), or everybody always spends the same (all of them).

Sources: Fader, Hardie & Lee (2005), Journal of Marketing Research 42; Fader & Hardie (2013), "The
Gamma-Gamma Model of Monetary Value", equations 1a, 4 and 5, whose gamma is v here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import gammaln

from keycustomer.lifetime.arguments import checked_start, checked_weights
from keycustomer.lifetime.fitted import Fitted
from keycustomer.lifetime.newton import Optimum, maximise
from keycustomer.lifetime.spend.likelihood import (
    Derivatives,
    Shape,
    SpendingLikelihood,
    centring,
)
from keycustomer.lifetime.spend.spending import Spending, checked_spending, read_spending
from keycustomer.stats.samples import FloatArray

MODEL = "Gamma-Gamma"

PLAY = ((2.0, 1.2), (30.0, 1.1), (1.1, 30.0), (1.5, 1.5))
"""Starts, in multiples of the limits' p and q: each limit has no room for the other's spread."""

CLEAR = 1e-6
"""An inner maximum lies above the limits by so much, or rounding alone may have made it."""

ROUNDING = 1e-10
"""The same, relative to the log-likelihood, for very many customers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GammaGamma(Fitted):
    """A fitted Gamma-Gamma model of spend per purchase.

    Attributes
    ----------
    p : float
        Shape of a customer's purchases: the larger, the more alike they are.
    q : float
        Shape of the differences between customers: the larger, the more alike they are.
    scale : float
        p v, currency; with p and q all that predictions need.  Infinite where q is.
    histories : Spending
        What the model was fitted on.
    """

    p: float
    q: float
    scale: float
    histories: Spending = field(repr=False)

    @property
    def v(self) -> float:
        """Rate v of the differences between customers, the gamma of the source, currency."""
        return self.scale / self.p if math.isfinite(self.q) else math.inf

    @property
    def mean_spend(self) -> float:
        """Mean spend a purchase of the customers the data were drawn from, p v / (q - 1).

        Raises
        ------
        ValueError
            When q is 1 or less: so many customers of so large spend that there is no mean.
        """
        if not math.isfinite(self.q):
            return self.parameters["mean_spend"]
        if self.q <= 1:
            raise ValueError(
                f"Gamma-Gamma with q = {self.q:.4g} has no mean spend: at q of 1 or less the law "
                "of spend between customers has so heavy a tail that its mean is infinite. Look "
                "for a few customers of another kind (dealers, firms) and fit them on their own."
            )
        return self.scale / (self.q - 1)

    def expected_spend(self, customers: pd.DataFrame) -> FloatArray:
        """Spend a purchase expected of each customer.

        Parameters
        ----------
        customers : DataFrame
            A customer table with frequency and monetary_value.

        Returns
        -------
        ndarray, shape (customers,)
            Currency.  Customers without repeat purchase get `mean_spend`; repeat purchases that
            brought in less than nothing count as having brought in nothing.

        Raises
        ------
        ValueError
            When there is no mean spend (`mean_spend`), or the table is refused.

        References
        ----------
        Fader & Hardie (2013), equation 5.
        """
        x, m = checked_spending(customers)
        intercept, slope = self.spend_line(x)
        return intercept + slope * np.maximum(m, 0.0)

    def spend_line(self, frequency: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Intercept and slope of the expected spend as a line in the customer's mean spend.

        Parameters
        ----------
        frequency : ndarray, shape (n,)
            Repeat purchases.

        Returns
        -------
        intercept, slope : ndarray, shape (n,)
            Currency, and the weight of the customer's own mean, 0..1.

        Raises
        ------
        ValueError
            When there is no mean spend (`mean_spend`).
        """
        mean = self.mean_spend
        if math.isinf(self.q):
            own = np.zeros(frequency.shape)
        elif math.isinf(self.p):
            own = (frequency > 0).astype(float)
        else:
            own = self.p * frequency / (self.p * frequency + self.q - 1)
        return mean * (1 - own), own

    def sample_mean_spend(self, size: int, generator: np.random.Generator) -> FloatArray:
        """Draw the mean spend a purchase p / nu of customers, currency."""
        if math.isinf(self.q):
            return np.full(size, self.mean_spend)
        return self.scale / generator.gamma(self.q, 1.0, size)

    def mean_spend_density(self, at: FloatArray) -> FloatArray:
        """Density of customers' mean spend a purchase, per unit of currency.

        Raises
        ------
        ValueError
            When all customers have the same mean spend, and there is no density.
        """
        if math.isinf(self.q):
            raise ValueError(f"all customers have the mean spend {self.mean_spend:g}: no density")
        at = np.asarray(at, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            log = self.q * np.log(self.scale / at) - self.scale / at - np.log(at) - gammaln(self.q)
        return np.where(at > 0, np.exp(np.where(at > 0, log, -math.inf)), 0.0)

    def refit(self, weights: FloatArray) -> GammaGamma:
        """Fit again with other numbers of customers, beginning at this fit.

        Parameters
        ----------
        weights : ndarray, shape (rows of `histories`,)
            Customers in each row, as a bootstrap draws them; zeros are allowed.

        Raises
        ------
        ValueError
            When the weights are not one finite number of at least 0 a row, or no customer is left.
        """
        known = self.histories
        weights = checked_weights(weights, known.frequency.size)
        inner = len(self.names) == 3
        start = (self.p, self.q, self.v) if inner else None
        return _fit(known.reweighted(weights), start)


def fit_gammagamma(customers: pd.DataFrame, *, start: Sequence[float] | None = None) -> GammaGamma:
    """Fit the Gamma-Gamma model by maximum likelihood.

    Parameters
    ----------
    customers : DataFrame
        One row a customer with frequency (repeat purchases) and monetary_value (their mean
        revenue, currency), such as :func:`keycustomer.customers.customer_table` gives.
    start : (p, q, v), optional
        Where to begin; the answer does not depend on it.

    Returns
    -------
    GammaGamma
        With the parameters p, q and v, or those of the limit model the data lead to, and notes on
        who was set apart and on the correlation of frequency and spend.

    Raises
    ------
    ValueError
        When the table is refused (see :func:`keycustomer.lifetime.read_spending`), when nobody has
        repeat purchases of positive revenue, or when the start is not positive.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"frequency": [1, 2, 5, 3, 1, 2], "monetary_value": [9.0, 31.0, 14.0, 22.0, 6.0, 50.0]}
    ... )
    >>> model = fit_gammagamma(table)
    >>> model.expected_spend(table).round(1)
    array([21.6, 24.1, 19.9, 22.6, 21.3, 27.2])
    """
    begin = checked_start(start, "p", "q", "v")
    spending = read_spending(customers)
    return _fit(spending, begin, notes=_notes(spending))


def _notes(spending: Spending) -> tuple[str, ...]:
    said = []
    if spending.no_repeat:
        said.append(
            f"Set apart: {spending.no_repeat:,} without repeat purchase, who get the mean spend."
        )
    if spending.no_revenue:
        said.append(
            f"Set apart: {spending.no_revenue:,} whose repeat purchases brought in nothing or less "
            "(free or returned)."
        )
    found = spending.correlation if spending.frequency.size else None
    if found is not None and not math.isnan(found.lower):
        apart = found.lower <= 0 <= found.upper
        meaning = "agrees" if apart else "does not quite agree"
        said.append(
            f"Frequency and spend a purchase correlate by {found.estimate:.3f} "
            f"[{found.lower:.3f}, {found.upper:.3f}], which {meaning} with the model's assumption "
            "that they are independent."
        )
    return tuple(said)


def _fit(
    spending: Spending, start: Sequence[float] | FloatArray | None, notes: tuple[str, ...] = ()
) -> GammaGamma:
    """Find the largest likelihood among the inner model and its limits."""
    if not spending.frequency.size:
        raise ValueError(
            "customers: nobody has repeat purchases of positive revenue "
            f"({spending.no_repeat:,} customers without repeat purchase, {spending.no_revenue:,} "
            "with free or returned ones), so there is nothing to learn spend from"
        )
    likelihood = SpendingLikelihood(spending)
    if likelihood.alike:
        return _everybody_alike(spending, notes)
    purchases, customers = likelihood.customers_alike(), likelihood.purchases_alike()
    bar = likelihood.constant + max(purchases.log_likelihood, customers.log_likelihood)
    found = _search(likelihood, _starts(start, purchases.value, customers.value, likelihood), bar)
    if found is not None:
        return _inner(found, likelihood, spending, notes)
    # two customers of one purchase each are as likely either way, but for rounding
    if purchases.log_likelihood >= customers.log_likelihood - CLEAR:
        return _customers_alike(purchases, likelihood, spending, notes)
    return _purchases_alike(customers, likelihood, spending, notes)


def _starts(
    start: Sequence[float] | FloatArray | None, p: float, q: float, likelihood: SpendingLikelihood
) -> list[FloatArray]:
    """Places to begin at, as p, q and pv/q in units: the limits' shapes with some play."""
    given = []
    if start is not None:
        given = [np.array([start[0], start[1], start[0] * start[2] / start[1] / likelihood.unit])]
    typical = math.exp(likelihood.log_mean / likelihood.n)
    return given + [np.array([p * more, q * less, typical]) for more, less in PLAY]


def _search(likelihood: SpendingLikelihood, starts: list[FloatArray], bar: float) -> Optimum | None:
    """Walk to the inner maximum that lies above the limits' likelihood; None without one."""
    scale, spent = starts[-1], 0

    def objective(scaled: FloatArray) -> Derivatives:
        value, score, hessian = likelihood.centred(scaled * scale)
        return value, score * scale, hessian * np.outer(scale, scale)

    for start in starts:
        found = maximise(objective, start / scale)
        spent += found.evaluations
        if found.inner and found.log_likelihood > bar + max(CLEAR, ROUNDING * abs(bar)):
            covariance = found.covariance * np.outer(scale, scale)
            reached = found.parameters * scale
            return Optimum(reached, found.log_likelihood, covariance, spent, inner=True)
    return None


def _inner(
    found: Optimum, likelihood: SpendingLikelihood, spending: Spending, notes: tuple[str, ...]
) -> GammaGamma:
    p, q, mean = found.parameters.tolist()
    slope = np.diag([1, 1, likelihood.unit]) @ centring(p, q, mean)
    return GammaGamma(
        model=MODEL,
        names=("p", "q", "v"),
        values=np.array([p, q, mean * q / p * likelihood.unit]),
        covariance=slope @ found.covariance @ slope.T,
        log_likelihood=found.log_likelihood,
        customers=spending.customers,
        notes=notes,
        evaluations=found.evaluations,
        p=p,
        q=q,
        scale=mean * q * likelihood.unit,
        histories=spending,
    )


def _customers_alike(
    shape: Shape, likelihood: SpendingLikelihood, spending: Spending, notes: tuple[str, ...]
) -> GammaGamma:
    mean, p = likelihood.unit, shape.value
    purchases = float(likelihood.both[1].sum())
    return GammaGamma(
        model=MODEL,
        names=("p", "mean_spend"),
        values=np.array([p, mean]),
        covariance=np.diag([shape.variance, mean**2 / (p * purchases)]),
        log_likelihood=shape.log_likelihood + likelihood.constant,
        customers=spending.customers,
        limit=(
            "The data show no differences in mean spend between customers: the likelihood is "
            f"largest where q and v go to infinity with p v / q = {mean:.4g}. Every customer is "
            "expected to spend this mean."
        ),
        notes=notes,
        evaluations=shape.evaluations,
        p=p,
        q=math.inf,
        scale=math.inf,
        histories=spending,
    )


def _purchases_alike(
    shape: Shape, likelihood: SpendingLikelihood, spending: Spending, notes: tuple[str, ...]
) -> GammaGamma:
    q, typical = shape.value, likelihood.harmonic * likelihood.unit
    # q and scale / q are uncorrelated; the variance of the latter is typical^2 / (n q).
    slope = np.array([[1, 0], [typical, q]])
    spread = np.diag([shape.variance, typical**2 / (spending.customers * q)])
    return GammaGamma(
        model=MODEL,
        names=("q", "scale"),
        values=np.array([q, q * typical]),
        covariance=slope @ spread @ slope.T,
        log_likelihood=shape.log_likelihood + likelihood.constant,
        customers=spending.customers,
        limit=(
            "The data show no differences between the purchases of a customer: the likelihood is "
            f"largest where p goes to infinity and v to 0 with scale = p v = {q * typical:.4g}. "
            "Every customer is expected to go on spending what it spent."
        ),
        notes=notes,
        evaluations=shape.evaluations,
        p=math.inf,
        q=q,
        scale=q * typical,
        histories=spending,
    )


def _everybody_alike(spending: Spending, notes: tuple[str, ...]) -> GammaGamma:
    mean = spending.mean_spend
    return GammaGamma(
        model=MODEL,
        names=("mean_spend",),
        values=np.array([mean]),
        covariance=np.full((1, 1), np.nan),
        log_likelihood=math.inf,
        customers=spending.customers,
        limit=(
            f"All {spending.customers:,.0f} customers with repeat purchases spend {mean:.4g} a "
            "purchase: the likelihood grows without end as p and q go to infinity. Every customer "
            "is expected to spend this; how sure that is the data cannot say."
        ),
        notes=notes,
        p=math.inf,
        q=math.inf,
        scale=math.inf,
        histories=spending,
    )
