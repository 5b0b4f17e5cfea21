"""BG/BB: customers without a contract who may buy at discrete opportunities.

Donors are asked once a year, readers once a month: at every opportunity a customer who is still
there buys or does not.  The BG/BB model says that a customer first leaves for ever with
probability theta, else buys with probability p; both differ between customers, by beta laws.
Whether one that has not bought for three years is gone, it tells from how often it used to buy.

A customer alive for k opportunities and gone after has likelihood
E[p^x (1-p)^(k-x)] E[theta (1-theta)^k]; the likelihood of a history adds these up over the k that
are possible.  Which k it was is not observed, so score and Hessian are those of the complete data,
averaged, plus the variance of the complete score (Louis).

Main names: :func:`fit_bgbb`, :class:`BgBb`.  Sources: Fader, Hardie & Shang (2010), Marketing
Science 29, 1086-1108; Louis (1982), Journal of the Royal Statistical Society B 44, 226-233.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from keycustomer.lifetime.arguments import refuse_endless, whole_number
from keycustomer.lifetime.discrete.chances import LawFit, Sight, begin_again, fit_laws
from keycustomer.lifetime.discrete.lasting import total_lasting
from keycustomer.lifetime.discrete.powers import ChanceLaw, Family, IntArray, log_powers
from keycustomer.lifetime.histories import Histories, read_histories
from keycustomer.lifetime.laws import BetaLaw, PointLaw, SplitLaw
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.lifetime.units import force_of_interest
from keycustomer.stats.samples import FloatArray

STARTS = ((1.0, 1.0, 0.5, 2.0), (0.3, 0.3, 0.3, 1.0), (3.0, 3.0, 2.0, 10.0))
"""Parameters to begin at: one for all data, the others for few customers."""

CHUNK = 2**15
"""Terms of the likelihood computed together, so that they stay in cache."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BgBb(TransactionModel):
    """A fitted BG/BB model; times and horizons are counted in opportunities.

    Answers about customers are NaN for histories that a limit law rules out, such as a pause of one
    who buys at every opportunity.

    Attributes
    ----------
    purchasing : BetaLaw, PointLaw or SplitLaw
        How the probability to buy at an opportunity differs between customers.
    dropout : BetaLaw, PointLaw or SplitLaw
        How the probability to leave before an opportunity differs.
    """

    # a probability per opportunity here, where the models in continuous time have a rate
    purchasing: ChanceLaw  # type: ignore[assignment]
    dropout: ChanceLaw
    searched: FloatArray = field(repr=False)

    def refit(self, weights: FloatArray) -> BgBb:
        """Fit again with other numbers of customers, beginning at this fit.

        Parameters
        ----------
        weights : ndarray, shape (rows of `histories`,)
            Customers with each history, as a bootstrap draws them; zeros are allowed.
        """
        histories = self.histories.reweighted(weights)
        begin = begin_again(self.searched, STARTS[0])
        return _fit(histories, [begin, *STARTS[1:]])

    def discounted_purchases(
        self,
        customers: pd.DataFrame | Histories,
        discount_rate: float,
        horizon: float | None = None,
    ) -> FloatArray:
        """Purchases expected of each customer from its T on, discounted to that day.

        Parameters
        ----------
        customers : DataFrame or Histories
            An opportunity table or histories.
        discount_rate : float
            Effective rate per year, a share; the next opportunity lies one `unit` ahead.
        horizon : float, optional
            Whole number of opportunities ahead; left out, for ever.

        Returns
        -------
        ndarray, shape (customers,) or (rows of the histories,)
            Discounted purchases (DERT where the horizon is left out); NaN for customers who never
            bought.

        Raises
        ------
        ValueError
            When the rate or horizon makes no sense, or a rate of 0 meets no horizon.

        References
        ----------
        Fader, Hardie & Shang (2010), equation 14.
        """
        force = force_of_interest(discount_rate, self.unit)
        refuse_endless(force, horizon, "purchases")
        known = self._read(customers)
        x, t_x, T = known.frequency, known.recency, known.T
        ahead = None if horizon is None else _whole(horizon)
        worth = self._per_age(T, ahead, force) * self._chance(x, T)
        return known.per_customer(self._alive(x, t_x, T) * worth)

    def _alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Probability that customers with these histories are alive after T opportunities."""
        alive = np.empty(x.size)
        for rows, states in _states(x, t_x, T):
            logs = self._logs(states)
            top = np.maximum.reduceat(logs, states.first)
            top[np.isneginf(top)] = np.nan  # ruled out by the laws: nothing follows from it
            odds = np.exp(logs - top[states.row])
            alive[rows] = odds[states.last] / np.add.reduceat(odds, states.first)
        return alive

    def _logs(self, states: _States) -> FloatArray:
        return log_powers(self.purchasing, states.bought, states.passed) + log_powers(
            self.dropout, states.left, states.stayed
        )

    def _purchases_if_alive(self, t: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """Give expected purchases in the next t opportunities of customers alive at T."""
        return self._chance(x, T) * self._per_age(T, _whole(t), 0.0)

    def _purchases_new(self, t: FloatArray) -> FloatArray:
        """Give expected repeat purchases in the first t opportunities."""
        horizons, place = np.unique(np.asarray(t), return_inverse=True)
        new = np.zeros(1)
        totals = [total_lasting(self.dropout, new, _whole(h))[0] for h in horizons]
        return self.purchasing.mean * np.array(totals)[place].reshape(np.shape(t))

    def _per_age(self, T: FloatArray, ahead: int | None, force: float) -> FloatArray:
        ages, place = np.unique(T, return_inverse=True)
        return total_lasting(self.dropout, ages, ahead, force)[place]

    def _chance(self, x: FloatArray, T: FloatArray) -> FloatArray:
        """Give the expected probability to buy of one who did so x times in T opportunities."""
        law = self.purchasing
        if isinstance(law, BetaLaw):
            return (law.a + x) / (law.a + law.b + T)
        if isinstance(law, PointLaw):
            return np.full(x.shape, law.value)
        return np.where(T == 0, law.share, np.where(x == T, 1.0, 0.0))

    def _read(self, customers: pd.DataFrame | Histories) -> Histories:
        return _read(customers, self.unit)


def fit_bgbb(
    customers: pd.DataFrame | Histories,
    *,
    unit: str = "year",
    start: Sequence[float] | None = None,
) -> BgBb:
    """Fit the BG/BB model by maximum likelihood.

    Parameters
    ----------
    customers : DataFrame or Histories
        One row a customer with frequency (opportunities at which it bought again), recency (the
        last of them, 0 if none) and opportunities (all it had since its first purchase), such as
        :func:`keycustomer.lifetime.opportunity_table` gives; or such histories, T being the
        opportunities.
    unit : {"day", "week", "month", "quarter", "year"}
        Time between two opportunities; needed for discounting only.
    start : sequence of four floats, optional
        alpha, beta, gamma, delta to begin the search at; the result does not depend on it.

    Returns
    -------
    BgBb
        Parameters alpha and beta of the probability to buy, gamma and delta of the probability to
        leave, or those of the limit laws.

    Raises
    ------
    ValueError
        With every complaint about the table, or when nobody has had an opportunity yet.

    References
    ----------
    Fader, Hardie & Shang (2010), Marketing Science 29, equation 6.
    """
    histories = _read(customers, unit)
    if not histories.T.any():
        raise ValueError("customers: nobody has had an opportunity to buy again yet")
    starts = STARTS if start is None else (start, *STARTS)
    return _fit(histories, starts)


@dataclass(frozen=True, eq=False)
class _States:
    """The ends of customers' lives that their histories allow: one cell a row and last day.

    `row` is the row of each cell, `first` and `last` the cells where each row begins and ends;
    its last cell is the one in which the customer is still alive.  `bought` and `passed` are the
    powers of p and 1-p, `left` and `stayed` those of theta and 1-theta.
    """

    row: IntArray
    first: IntArray
    last: IntArray
    bought: IntArray
    passed: IntArray
    left: IntArray
    stayed: IntArray


def _states(x: FloatArray, t_x: FloatArray, T: FloatArray) -> Iterator[tuple[slice, _States]]:
    """Give rows and the states they allow, as many at once as fit into cache."""
    counts = (T - t_x).astype(np.int64) + 1
    ends = np.cumsum(counts)
    begin = 0
    while begin < x.size:
        done = int(ends[begin - 1]) if begin else 0
        stop = max(begin + 1, int(np.searchsorted(ends, done + CHUNK, side="right")))
        rows = slice(begin, stop)
        yield rows, _expand(x[rows], t_x[rows], T[rows], counts[rows])
        begin = stop


def _expand(x: FloatArray, t_x: FloatArray, T: FloatArray, counts: IntArray) -> _States:
    row = np.repeat(np.arange(counts.size), counts)
    last = np.cumsum(counts) - 1
    first = last - counts + 1
    stayed = np.arange(row.size) - first[row] + t_x.astype(np.int64)[row]
    bought = x.astype(np.int64)[row]
    left = (stayed < T[row]).astype(np.int64)
    return _States(row, first, last, bought, stayed - bought, left, stayed)


class _Donors(Sight):
    """The likelihood of histories at discrete opportunities."""

    def __init__(self, histories: Histories) -> None:
        self.histories = histories

    @cached_property
    def cells(self) -> int:  # type: ignore[override]
        """States that the histories allow."""
        return int((self.histories.T - self.histories.recency + 1).sum())

    def objective(
        self, families: Sequence[Family], parameters: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """Log-likelihood, score and Hessian at the joined parameters of the families."""
        known, size = self.histories, parameters.size
        value, score, hessian = 0.0, np.zeros(size), np.zeros((size, size))
        for rows, states in _states(known.frequency, known.recency, known.T):
            parts = _louis(families, parameters, states, known.weights[rows])
            value, score, hessian = value + parts[0], score + parts[1], hessian + parts[2]
        return value, score, hessian


def _louis(
    families: Sequence[Family], parameters: FloatArray, states: _States, weights: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Add up log-likelihood, score and Hessian over rows (Louis's identity)."""
    cut = len(families[0].start)
    buying = families[0].powers(parameters[:cut], states.bought, states.passed)
    leaving = families[1].powers(parameters[cut:], states.left, states.stayed)
    logs = buying.log + leaving.log
    top = np.maximum.reduceat(logs, states.first)
    if not np.isfinite(top).all():
        return -np.inf, np.zeros(parameters.size), np.zeros((parameters.size,) * 2)
    odds = np.exp(logs - top[states.row])
    sums = np.add.reduceat(odds, states.first)
    share = odds / sums[states.row]
    complete = np.concatenate([buying.score, leaving.score])
    mean = np.add.reduceat(share * complete, states.first, axis=1)
    weighted = share * weights[states.row]
    hessian = (complete * weighted) @ complete.T - (mean * weights) @ mean.T
    hessian[:cut, :cut] += buying.hessian @ weighted
    hessian[cut:, cut:] += leaving.hessian @ weighted
    return float(weights @ (top + np.log(sums))), mean @ weights, hessian


def _fit(histories: Histories, starts: Sequence[Sequence[float] | FloatArray]) -> BgBb:
    found = fit_laws(_Donors(histories), starts, 2)
    names = [*NAMES[0][found.kinds[0]], *NAMES[1][found.kinds[1]]]
    return BgBb(
        model="BG/BB",
        names=tuple(names),
        values=found.values,
        covariance=found.covariance,
        log_likelihood=found.log_likelihood,
        customers=histories.customers,
        limit=_limit(found),
        notes=found.notes,
        evaluations=found.evaluations,
        purchasing=found.laws[0],
        dropout=found.laws[1],
        histories=histories,
        searched=found.searched,
    )


NAMES: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "beta": ("alpha", "beta"),
        "point": ("purchase_probability",),
        "split": ("purchase_share",),
        "never": (),
        "always": (),
    },
    {
        "beta": ("gamma", "delta"),
        "point": ("dropout_probability",),
        "split": ("dropout_share",),
        "never": (),
        "always": (),
    },
)
"""Names of the free parameters by kind of law: of buying, of leaving."""


def _limit(found: LawFit) -> str:
    """Say in which respects the fit is a limit of the model."""
    said = [_buying(found.kinds[0], found.laws[0]), _leaving(found.kinds[1], found.laws[1])]
    return " ".join(filter(None, said))


def _buying(kind: str, law: ChanceLaw) -> str:
    if isinstance(law, SplitLaw):
        return (
            "The likelihood is largest where alpha and beta go to 0: while they are there, a share "
            f"{law.share:.4g} of the customers buys at every opportunity, the others at none."
        )
    return {
        "beta": "",
        "never": "Nobody bought again: the likelihood is largest where nobody ever does.",
        "always": "All buy at every opportunity as long as they are there.",
        "point": (
            "The data show no differences in buying between customers: the likelihood is largest "
            f"where alpha and beta go to infinity with alpha/(alpha+beta) = {law.mean:.4g}."
        ),
    }[kind]


def _leaving(kind: str, law: ChanceLaw) -> str:
    if isinstance(law, SplitLaw):
        return (
            "The likelihood is largest where gamma and delta go to 0: a share "
            f"{law.share:.4g} of the customers leaves before the first opportunity, the others "
            "never."
        )
    return {
        "beta": "",
        "never": "The data show no drop-out: the likelihood is largest where nobody leaves.",
        "always": "The likelihood is largest where everybody leaves before the first opportunity.",
        "point": (
            "The data show no differences in drop-out between customers: the likelihood is largest "
            f"where gamma and delta go to infinity with gamma/(gamma+delta) = {law.mean:.4g}."
        ),
    }[kind]


def _whole(horizon: float | FloatArray) -> int:
    return whole_number(horizon, "horizon", of="opportunities")


def _read(customers: pd.DataFrame | Histories, unit: str) -> Histories:
    """Read histories at discrete opportunities, and check that they are such."""
    if isinstance(customers, Histories):
        if customers.unit != unit:
            raise ValueError(
                f"customers: these histories count opportunities a {customers.unit} apart, the "
                f"model one a {unit}; opportunities cannot be converted"
            )
        known = customers
    else:
        if isinstance(customers, pd.DataFrame) and "opportunities" not in customers.columns:
            raise ValueError(
                "customers: column 'opportunities' is missing; BG/BB counts opportunities, not "
                "days: make the table with opportunity_table(base, every='month'); columns found: "
                f"{', '.join(map(str, customers.columns)) or 'none'}"
            )
        known = read_histories(
            customers, unit=unit, recorded_in=unit, T="opportunities", keep_customers=True
        )
    _check(known)
    return known


def _check(known: Histories) -> None:
    wrong = {
        "recency or opportunities is not a whole number": (known.recency % 1 != 0)
        | (known.T % 1 != 0),
        "frequency exceeds recency: at most one purchase counts at each opportunity": (
            known.frequency > known.recency
        ),
    }
    said = [
        f"customers: {what} (first: frequency={known.frequency[at[0]]:g}, "
        f"recency={known.recency[at[0]]:g}, opportunities={known.T[at[0]]:g})"
        for what, rows in wrong.items()
        if (at := np.flatnonzero(rows)).size
    ]
    if said:
        raise ValueError("\n".join(said))
