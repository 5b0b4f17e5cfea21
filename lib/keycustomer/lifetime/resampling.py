"""The customer bootstrap of lifetime models: customers drawn once, every model fitted again.

How sure are the parameters, and everything computed from them?  The standard errors of a fit trust
the model; drawing the customers again trusts only the customers, and its intervals are wider where
the model does not quite hold.  :func:`parameter_intervals` gives them for one model's parameters,
:func:`bootstrap_models` draws customers for the models of purchases and of spend together, so that
whatever is computed from both keeps their dependence.

A draw whose likelihood is largest at infinity counts with its infinite parameters: an interval
that ends at infinity says that the data do not bound the parameter.

Source: Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 6 and 13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd

from keycustomer.lifetime.histories import Histories, read_histories
from keycustomer.lifetime.laws import BetaLaw, GammaLaw, PointLaw, SplitLaw
from keycustomer.lifetime.spend.gammagamma import GammaGamma
from keycustomer.lifetime.spend.spending import Spending, checked_spending
from keycustomer.lifetime.transactions import TransactionModel
from keycustomer.stats import bootstrap
from keycustomer.stats.bootstrap import IntArray, Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

PREFIXES = {"purchasing": "purchase_", "dropout": "dropout_", "churn": "churn_"}
"""Laws of the models, and how the name of a limit law's free parameter begins, if it has one."""


class Refittable(Protocol):
    """A model that can be fitted again with other numbers of customers."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""

    @property
    def values(self) -> FloatArray:
        """Their estimates."""

    @property
    def histories(self) -> Any:
        """What it was fitted on, with the `weights` of its rows."""

    def refit(self, weights: FloatArray) -> Any:
        """Fit again with other weights of the rows."""


Transactions = TypeVar("Transactions", bound=TransactionModel)


@dataclass(frozen=True, eq=False)
class ModelDraws(Generic[Transactions]):
    """Models fitted on customers drawn again.

    Attributes
    ----------
    transactions : tuple of TransactionModel
        The model of purchases of every draw.
    spend : tuple of GammaGamma or None
        The model of spend of every draw; None where it was not asked for, or where nobody drawn
        has repeat purchases of positive revenue.
    histories : Histories
        The customers drawn from, each with its row.
    seed : int
        The draws can be made again from it.
    """

    transactions: tuple[Transactions, ...] = field(repr=False)
    spend: tuple[GammaGamma | None, ...] = field(repr=False)
    histories: Histories = field(repr=False)
    seed: int

    @property
    def draws(self) -> int:
        """Number of draws."""
        return len(self.transactions)

    @cached_property
    def buyers(self) -> IntArray:
        """Places in the table of the customers drawn from: those who ever bought."""
        return np.flatnonzero(_row_of_customer(self.histories) >= 0)

    def drawn_from(self, known: Histories) -> bool:
        """Whether the draws were made from exactly these customers, in this order."""
        return _same(self.histories, known) and np.array_equal(
            _row_of_customer(self.histories), _row_of_customer(known)
        )


def bootstrap_models(
    customers: pd.DataFrame,
    transactions: Transactions,
    spend: GammaGamma | None = None,
    *,
    draws: int = 200,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> ModelDraws[Transactions]:
    """Draw customers with replacement and fit the models again on each draw.

    Parameters
    ----------
    customers : DataFrame
        The customer table the models were fitted on.
    transactions : TransactionModel
        Model of purchases fitted on it.
    spend : GammaGamma, optional
        Model of spend fitted on it.
    draws : int
        Number of bootstrap draws.
    seed : int or Generator
        The same seed gives the same draws.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Returns
    -------
    ModelDraws
        Small: the models of a draw do not keep its customers.

    Raises
    ------
    ValueError
        When a model was fitted on other customers, or draws is below 1.
    """
    known = read_histories(customers, unit=transactions.unit, keep_customers=True)
    _check_fitted_on(customers, known, transactions, spend)
    row = _row_of_customer(known)
    buyers = np.flatnonzero(row >= 0)
    models: list[Transactions] = []
    spends: list[GammaGamma | None] = []

    def refit(weights: FloatArray) -> FloatArray:
        for drawn in weights:
            counts = np.zeros(len(customers))
            counts[buyers] = drawn
            by_row = np.bincount(row[buyers], drawn, known.rows).astype(float)
            models.append(_without_customers(transactions.refit(by_row)))
            spends.append(_redrawn_spend(spend, counts))
        return np.empty((len(weights), 0))

    number = _number(seed)
    bootstrap(refit, np.ones(buyers.size), draws=draws, seed=number, progress=progress)
    return ModelDraws(tuple(models), tuple(spends), known, number)


def _number(seed: Seed) -> int:
    """Turn a seed into the number that the draws are made from."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**62))
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise ValueError(
            f"seed={seed!r}: a whole number of at least 0 or a numpy random Generator is needed"
        )
    return int(seed)


def parameter_intervals(
    model: Refittable,
    *,
    draws: int = 200,
    seed: Seed = 0,
    level: float = 0.95,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Bootstrap intervals of a model's parameters.

    Parameters
    ----------
    model : TransactionModel, GammaGamma, BgBb, ShiftedBetaGeometric
        A fitted model.
    draws : int
        Number of bootstrap draws.
    seed : int or Generator
        The same seed gives the same draws.
    level : float
        Confidence level of the intervals, 0..1.
    progress : callable, optional
        Called as ``progress(done, draws)`` once the work has taken two seconds.

    Returns
    -------
    DataFrame
        One row a parameter: parameter, estimate, lower, upper (ends of the percentile interval,
        infinite or 0 where draws lead to a limit model), at_limit (share of draws that do).

    Raises
    ------
    ValueError
        When the level is no share between 0 and 1, or draws is below 1.
    """
    checked_level(level)

    def refit(weights: FloatArray) -> FloatArray:
        return np.array([_values(model, model.refit(row)) for row in weights])

    drawn = bootstrap(refit, model.histories.weights, draws=draws, seed=seed, progress=progress)
    tail = (1 - level) / 2
    # Without interpolation: between a number and infinity there is nothing to interpolate.
    ends = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    limit = ~np.isfinite(drawn) | (drawn == 0)
    return pd.DataFrame(
        {
            "parameter": list(model.names),
            "estimate": model.values,
            "lower": ends[0],
            "upper": ends[1],
            "at_limit": limit.mean(axis=0),
        }
    )


def _values(model: Any, drawn: Any) -> list[float]:
    """Give a drawn model's values of the parameters that the model has, limits included."""
    if isinstance(model, GammaGamma):
        return _spend_values(model, drawn)
    found: list[float] = []
    for attribute, prefix in PREFIXES.items():
        mine: Any = getattr(model, attribute, None)
        other: Any = getattr(drawn, attribute, None)
        if isinstance(mine, (GammaLaw, BetaLaw)):
            found += _pair(other)
        elif any(name.startswith(prefix) for name in model.names):
            endless = isinstance(other, SplitLaw) and "dropout_rate" in model.names
            found.append(math.inf if endless else other.mean)
    return found


def _pair(law: GammaLaw | BetaLaw | PointLaw | SplitLaw) -> list[float]:
    """Both parameters of a gamma or beta law, or where they go as it becomes the limit law."""
    if isinstance(law, GammaLaw):
        return [law.shape, law.rate]
    if isinstance(law, BetaLaw):
        return [law.a, law.b]
    if isinstance(law, SplitLaw):
        return [0.0, 0.0]
    return [math.inf, math.inf] if law.value > 0 else [0.0, math.inf]


def _spend_values(model: GammaGamma, drawn: GammaGamma) -> list[float]:
    everything = {"p": drawn.p, "q": drawn.q, "v": drawn.v, "scale": drawn.scale}
    if "mean_spend" in model.names:
        everything["mean_spend"] = drawn.mean_spend if drawn.q > 1 else math.inf
    return [everything[name] for name in model.names]


def _row_of_customer(known: Histories) -> IntArray:
    if known.row_of_customer is None:
        raise ValueError("histories: the customers were not kept; read them with keep_customers")
    return known.row_of_customer


def _redrawn_spend(spend: GammaGamma | None, counts: FloatArray) -> GammaGamma | None:
    if spend is None or spend.histories.rows_of_table is None:
        return None
    weights = counts[spend.histories.rows_of_table]
    return _without_customers(spend.refit(weights)) if weights.any() else None


Model = TypeVar("Model", bound="TransactionModel | GammaGamma")


def _without_customers(model: Model) -> Model:
    """Return the model without the customers it was fitted on, which nothing needs any more."""
    nobody = np.zeros(0)
    if isinstance(model, GammaGamma):
        return replace(model, histories=Spending(nobody, nobody, nobody))
    empty = Histories(nobody, nobody, nobody, nobody, model.unit)
    return replace(model, histories=empty)


def _same(one: Histories, other: Histories) -> bool:
    return one.unit == other.unit and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("frequency", "recency", "T", "weights")
    )


def _check_fitted_on(
    customers: pd.DataFrame,
    known: Histories,
    transactions: TransactionModel,
    spend: GammaGamma | None,
) -> None:
    """Refuse models that were fitted on other customers than those to be drawn."""
    cure = "fit it on this table, or draw the customers it was fitted on (bootstrap_models)"
    if not _same(known, transactions.histories):
        raise ValueError(
            f"transactions: this {transactions.model} was fitted on other customers "
            f"({transactions.histories.customers:,.0f}, here {known.customers:,.0f}), which "
            f"cannot be drawn from this table; {cure}"
        )
    if spend is None:
        return
    x, m = checked_spending(customers)
    kept = np.flatnonzero((x > 0) & (m > 0))
    mine = spend.histories
    if not (
        mine.rows_of_table is not None
        and np.array_equal(mine.rows_of_table, kept)
        and np.array_equal(mine.frequency, x[kept])
        and np.array_equal(mine.monetary_value, m[kept])
    ):
        raise ValueError(
            f"spend: this {spend.model} was fitted on other customers ({spend.customers:,.0f}, "
            f"here {kept.size:,}), which cannot be drawn from this table; {cure}"
        )
