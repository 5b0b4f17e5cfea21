"""Customers with known truth: histories drawn from a lifetime model.

Does a model find the truth when the truth is known?  :func:`simulate_customers` draws customers
whose purchase rates and dropout follow given laws, and tells of each what nobody sees in real
data: its rate, its dropout, whether it is alive, and what it buys afterwards.
:func:`simulate_spend` gives every purchase an amount by the Gamma-Gamma model.

No purchase is drawn that need not be.  The number of purchases in a time is a Poisson draw, and
the k-th of n purchases that fall at random into a time is a draw from the beta law with k and
n - k + 1, so a customer's history costs four random numbers however much it buys.  Only where
purchases are recorded in whole days, as customer bases have them, each purchase gets its time.

Sources: Schmittlein, Morrison & Colombo (1987), Management Science 33, for the Pareto/NBD; Fader,
Hardie & Lee (2005), Marketing Science 24, for the BG/NBD; Batislam, Denizel & Filiztekin (2007),
International Journal of Research in Marketing 24, for the MBG/NBD, whose customers may leave
after the first purchase already; Fader & Hardie (2013), note 025, for the Gamma-Gamma.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.lifetime.laws import (
    BetaLaw,
    DropoutLaw,
    GammaLaw,
    PointLaw,
    RateLaw,
    SplitLaw,
)
from keycustomer.lifetime.units import days_in
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray

CHUNK = 2**17
"""Customers simulated together, which bounds the memory of purchases held at once."""

DROPOUT_LAWS: dict[str, tuple[type, ...]] = {
    "BG/NBD": (BetaLaw, PointLaw, SplitLaw),
    "MBG/NBD": (BetaLaw, PointLaw, SplitLaw),
    "Pareto/NBD": (GammaLaw, PointLaw, SplitLaw),
}
"""Laws that the dropout of each model may follow; a probability or, for Pareto/NBD, a rate."""


@dataclass(frozen=True)
class _Lives:
    """What customers are: shape (customers,) each; time in days, rates per day.

    `until` is the time of leaving, `repeats` the repeat purchase at which the customer leaves;
    the one that a model does not know is infinite.
    """

    rate: FloatArray
    dropout: FloatArray
    until: FloatArray
    repeats: FloatArray


def simulate_customers(
    model: str,
    purchasing: RateLaw,
    dropout: DropoutLaw,
    observed: float | npt.ArrayLike,
    *,
    customers: int | None = None,
    horizon: float = 0.0,
    unit: str = "week",
    whole_days: bool = False,
    seed: Seed = 0,
) -> pd.DataFrame:
    """Draw customers from a lifetime model.

    Parameters
    ----------
    model : {"BG/NBD", "MBG/NBD", "Pareto/NBD"}
        The model.
    purchasing : GammaLaw or PointLaw
        Law of the purchase rates, per `unit`.
    dropout : BetaLaw, GammaLaw, PointLaw or SplitLaw
        Law of the dropout: a probability after each purchase, or with Pareto/NBD a rate per
        `unit`.
    observed : float or array, shape (customers,)
        Time T for which each customer is observed since its first purchase, in `unit`.
    customers : int, optional
        Number of customers: their times are drawn from `observed` with replacement.  Left out,
        one customer for each time observed.
    horizon : float
        Time after T for which to count future purchases, in `unit`.
    unit : {"day", "week", "month", "quarter", "year"}
        Unit of time of the laws, `observed` and `horizon`.
    whole_days : bool
        Whether purchases are recorded by day, as a customer base does: those of one day count
        once, at an unknown time of it, and `observed` and `horizon` are rounded to days.
    seed : int or Generator
        The same seed gives the same customers.

    Returns
    -------
    DataFrame
        One row a customer: customer_id, frequency, recency and T (both in days, as in every
        customer table), then the truth: true_rate (purchases per `unit`), true_dropout (probability
        after a purchase, or rate per `unit`), alive (at T), future_purchases (in the horizon).

    Raises
    ------
    ValueError
        When the model is not one of the three, a law does not fit it or has parameters out of
        range, or a time is negative or not finite.

    Examples
    --------
    >>> from keycustomer.lifetime import BetaLaw, GammaLaw
    >>> drawn = simulate_customers("BG/NBD", GammaLaw(0.25, 4.4), BetaLaw(0.8, 2.4), 39.0,
    ...                            customers=1000, horizon=39.0)
    >>> drawn[["customer_id", "T"]].head(2).to_numpy().tolist()
    [[0.0, 273.0], [1.0, 273.0]]
    """
    _check_laws(model, purchasing, dropout)
    generator = np.random.default_rng(seed)
    day = days_in(unit)
    age = _ages(observed, customers, generator) * day
    ahead = float(_times(horizon, "horizon")) * day
    record = _whole_days if whole_days else _continuous
    parts = [
        _chunk(
            model, (purchasing, dropout), age[start : start + CHUNK], ahead, day, record, generator
        )
        for start in range(0, age.size, CHUNK)
    ]
    drawn = pd.concat(parts, ignore_index=True)
    drawn.insert(0, "customer_id", np.arange(age.size))
    return drawn


def simulate_spend(
    frequency: npt.ArrayLike, p: float, q: float, v: float, *, seed: Seed = 0
) -> pd.DataFrame:
    """Draw the spend of customers by the Gamma-Gamma model.

    A customer's purchases follow a gamma law of shape `p` and a rate of its own, and the rates
    follow a gamma law of shape `q` and rate `v`.

    Parameters
    ----------
    frequency : array of int, shape (customers,)
        Repeat purchases of each customer.
    p, q, v : float
        Parameters of the model, all positive; `v` in money.
    seed : int or Generator
        The same seed gives the same amounts.

    Returns
    -------
    DataFrame
        One row a customer: frequency, monetary_value (mean spend per repeat purchase; 0 without
        repeat purchases, as customer tables have it) and true_spend (the mean it tends to).

    Raises
    ------
    ValueError
        When a parameter is not positive or a frequency not a whole number of at least 0.
    """
    for name, value in (("p", p), ("q", q), ("v", v)):
        if not 0 < value < np.inf:
            raise ValueError(f"{name}={value!r}: a finite number above 0 is needed")
    x = np.asarray(frequency, dtype=float)
    if not (np.isfinite(x) & (x >= 0) & (x % 1 == 0)).all():
        raise ValueError("frequency: whole numbers of at least 0 are needed")
    generator = np.random.default_rng(seed)
    rate = generator.gamma(q, 1 / v, x.size)
    total = generator.gamma(p * x) / rate
    mean = np.divide(total, x, out=np.zeros_like(total), where=x > 0)
    return pd.DataFrame({"frequency": x, "monetary_value": mean, "true_spend": p / rate})


Recorder = Callable[[_Lives, FloatArray, float, np.random.Generator], dict[str, npt.NDArray]]


def _chunk(
    model: str,
    laws: tuple[RateLaw, DropoutLaw],
    age: FloatArray,
    ahead: float,
    day: float,
    record: Recorder,
    generator: np.random.Generator,
) -> pd.DataFrame:
    lives = _lives(model, *laws, age.size, day, generator)
    recorded = record(lives, age, ahead, generator)
    scale = day if model == "Pareto/NBD" else 1.0
    truth = {"true_rate": lives.rate * day, "true_dropout": lives.dropout * scale}
    names = ("frequency", "recency", "T", "true_rate", "true_dropout", "alive", "future_purchases")
    columns = recorded | truth
    return pd.DataFrame({name: columns[name] for name in names})


def _lives(
    model: str,
    purchasing: RateLaw,
    dropout: DropoutLaw,
    size: int,
    day: float,
    generator: np.random.Generator,
) -> _Lives:
    """Draw what customers are: how fast they buy and when they leave."""
    rate = purchasing.sample(size, generator) / day
    leaves = dropout.sample(size, generator)
    patience = generator.exponential(size=size)
    never = np.full(size, np.inf)
    with np.errstate(divide="ignore"):
        if model == "Pareto/NBD":
            if isinstance(dropout, SplitLaw):
                leaves = np.where(leaves > 0, np.inf, 0.0)
            leaves = leaves / day
            return _Lives(rate, leaves, patience / leaves, never)
        survived = np.floor(patience / -np.log1p(-leaves))
    return _Lives(rate, leaves, never, survived + (model == "BG/NBD"))


def _continuous(
    lives: _Lives, age: FloatArray, ahead: float, generator: np.random.Generator
) -> dict[str, npt.NDArray]:
    """Histories by the laws of order, times exact."""
    active = np.minimum(age, lives.until)
    offered = generator.poisson(lives.rate * active).astype(float)
    frequency = np.minimum(offered, lives.repeats)
    place = generator.beta(np.maximum(frequency, 1.0), offered - frequency + 1)
    recency = np.where(frequency > 0, place * active, 0.0)
    alive = (offered < lives.repeats) & (lives.until > age)
    remaining = np.clip(lives.until - age, 0, ahead)
    later = np.minimum(generator.poisson(lives.rate * remaining), lives.repeats - frequency)
    return {
        "frequency": frequency,
        "recency": recency,
        "T": age,
        "alive": alive,
        "future_purchases": np.where(alive, later, 0.0),
    }


def _whole_days(
    lives: _Lives, age: FloatArray, ahead: float, generator: np.random.Generator
) -> dict[str, npt.NDArray]:
    """Histories by day: the first purchase falls at any time of day 0, each day counts once."""
    last, span = np.rint(age), round(ahead)
    clock = generator.random(age.size)
    whose, time = _purchases(lives, last + span + 1 - clock, generator)
    before = time < (last + 1 - clock)[whose]
    made = np.bincount(whose[before], minlength=age.size)
    alive = (made < lives.repeats) & (lives.until > last + 1 - clock)
    width = round(last.max()) + span + 2
    days = np.floor(time + clock[whose]).astype(np.int64)
    customer, on = np.divmod(np.unique(whose * width + days), width)
    seen = (on > 0) & (on <= last[customer])
    recency = np.zeros(age.size)
    recency[customer[seen]] = on[seen]
    frequency = np.bincount(customer[seen], minlength=age.size)
    future = np.bincount(customer[on > last[customer]], minlength=age.size)
    return {
        "frequency": frequency.astype(float),
        "recency": recency,
        "T": last,
        "alive": alive,
        "future_purchases": future.astype(float),
    }


def _purchases(
    lives: _Lives, length: FloatArray, generator: np.random.Generator
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Every repeat purchase until `length` days after the first: whose and when, in order."""
    active = np.minimum(length, lives.until)
    offered = generator.poisson(lives.rate * active)
    whose = np.repeat(np.arange(active.size), offered)
    time = generator.random(whose.size) * active[whose]
    order = np.lexsort((time, whose))
    time = time[order]
    nth = np.arange(whose.size) - np.repeat(np.cumsum(offered) - offered, offered)
    made = nth < lives.repeats[whose]
    return whose[made], time[made]


def _ages(
    observed: float | npt.ArrayLike, customers: int | None, generator: np.random.Generator
) -> FloatArray:
    """Give one time observed a customer."""
    times = np.atleast_1d(_times(observed, "observed"))
    if times.ndim != 1 or not times.size:
        raise ValueError(
            f"observed: a number or one number a customer is needed, got shape {times.shape}"
        )
    if customers is None:
        return times
    if customers != int(customers) or customers < 1:
        raise ValueError(f"customers={customers!r}: a whole number of at least 1 is needed")
    return times[generator.integers(0, times.size, int(customers))]


def _times(value: float | npt.ArrayLike, argument: str) -> FloatArray:
    times = np.asarray(value, dtype=float)
    if not (np.isfinite(times).all() and (times >= 0).all()):
        raise ValueError(f"{argument}={value!r}: finite times of at least 0 are needed")
    return times


def _check_laws(model: str, purchasing: RateLaw, dropout: DropoutLaw) -> None:
    if model not in DROPOUT_LAWS:
        raise ValueError(f"model={model!r}: one of {', '.join(map(repr, DROPOUT_LAWS))} is needed")
    largest = np.inf if model == "Pareto/NBD" else 1.0
    _check_law("purchasing", model, purchasing, (GammaLaw, PointLaw), np.inf)
    _check_law("dropout", model, dropout, DROPOUT_LAWS[model], largest)


def _check_law(
    argument: str, model: str, law: object, allowed: tuple[type, ...], largest: float
) -> None:
    """Refuse a law of the wrong kind or with impossible parameters."""
    if not isinstance(law, allowed):
        raise ValueError(
            f"{argument}={law!r} does not fit {model}, which takes a "
            f"{' or '.join(kind.__name__ for kind in allowed)}"
        )
    positive = isinstance(law, (GammaLaw, BetaLaw))
    top = {PointLaw: largest, SplitLaw: 1.0}.get(type(law), np.inf)
    for name, value in vars(law).items():
        if not (np.isfinite(value) and 0 <= value <= top) or (positive and value == 0):
            raise ValueError(
                f"{argument}={law!r}: {name} must be "
                + ("a finite number above 0" if positive else f"between 0 and {top:g}")
            )
