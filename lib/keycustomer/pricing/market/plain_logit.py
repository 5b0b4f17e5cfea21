"""Plain and nested logit demand of a market, in closed form.

The logarithm of a product's share over the outside share is its mean utility, so that demand is a
linear equation in characteristics and price.  In the nested logit the logarithm of the share within
the nest enters too; it is endogenous like the price and needs instruments of its own (such as the
number of products in the nest).

Source: Berry (1994), RAND Journal of Economics 25, 242-262, equations 13 and 28.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from keycustomer.pricing.market.demand import MarketDemand, coefficient_rows
from keycustomer.pricing.market.design import (
    PRICE,
    DemandDesign,
    Errors,
    error_words,
    few_clusters,
    few_rows,
    identifying_words,
    interval_quantile,
)
from keycustomer.pricing.market.linear_gmm import LinearFit, absorb, linear_gmm
from keycustomer.pricing.market.tables import MarketTable, need_column, rows_in_words
from keycustomer.pricing.market.tastes import MarketTastes
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

NESTING = "share within nest"
"""Name of the nesting coefficient's term."""


@dataclass(frozen=True, eq=False)
class Nests:
    """Nests of the products, and the logarithm of each share within its nest."""

    codes: np.ndarray
    log_within: FloatArray


def fit_plain_logit(
    design: DemandDesign, *, nests: str | None, steps: int, errors: Errors, level: float
) -> MarketDemand:
    """Fit a plain or nested logit.

    Parameters
    ----------
    design : DemandDesign
        The equation.
    nests : str, optional
        Column of nests.
    steps : {1, 2}
        2SLS, or GMM in two steps.
    errors : {"robust", "plain"}
        See `linear_gmm`.
    level : float
        Confidence level of the intervals.
    """
    table = design.table
    utility = mean_utility(table)
    nested = None if nests is None else _nests(table, nests)
    fit = _fit(design, utility, nested, steps, errors)
    names = [*((n, "mean") for n in design.exogenous), (PRICE, "mean")]
    names += [(NESTING, "nesting")] if nested else []
    error = np.sqrt(np.diag(fit.covariance))
    rho = float(fit.coefficients[-1]) if nested else 0.0
    if not 0 <= rho < 1:
        raise ValueError(
            f"the nesting coefficient is {rho:.3f}, outside 0 to 1: the nests do not fit the "
            "shares, or nothing moves the shares within them; try other nests or instruments"
        )
    price = len(design.exogenous)
    critical = interval_quantile(design, level)
    rows = coefficient_rows(names, fit.coefficients, error, critical)
    model = "nested logit" if nested else "logit"
    return MarketDemand(
        table, model, _method_words(design, steps, errors), rows,
        _tastes(table, utility, float(fit.coefficients[price]), rho, nested), fit.residual,
        _mean_own(table, fit, price, nested, critical, level), fit.objective, design.first_stage(),
        identifying_words(design), _notes(design, fit, price), level,
    )  # fmt: skip


def mean_utility(table: MarketTable) -> FloatArray:
    """Logarithm of each share over the outside share, shape (rows,)."""
    rows = table.frame
    outside = 1 - rows.groupby("market", sort=False)["share"].transform("sum")
    return np.log(rows["share"].to_numpy(float)) - np.log(outside.to_numpy(float))


def _nests(table: MarketTable, name: str) -> Nests:
    need_column(table.frame, name, "nests")
    rows = table.frame
    missing = rows[name].isna()
    if missing.any():
        raise ValueError(
            f"nests: {name!r} is missing for {missing.sum():,} rows: "
            f"{rows_in_words(rows, missing, name)}"
        )
    inside = rows.groupby(["market", name], sort=False, observed=True)["share"].transform("sum")
    if (rows.groupby(["market", name], sort=False, observed=True)["share"].size() == 1).all():
        raise ValueError(
            f"nests={name!r}: every product is alone in its nest in every market, so that nothing "
            "tells how alike the products of a nest are; give larger nests, or none"
        )
    return Nests(
        pd.factorize(rows[name])[0], np.log(rows["share"].to_numpy() / inside.to_numpy(float))
    )


def _fit(
    design: DemandDesign, utility: FloatArray, nests: Nests | None, steps: int, errors: Errors
) -> LinearFit:
    if nests and not design.instruments:
        raise ValueError(
            "the share within a nest follows from the shares themselves: a nested logit needs "
            "instruments, for example the number of products in the nest"
        )
    extra = [] if nests is None else [nests.log_within]
    columns = absorb(np.column_stack([utility, *extra]), design.groups)
    endogenous = np.column_stack([design.price, columns[:, 1:]])
    excluded = design.excluded if design.instruments else design.price[:, None]
    if excluded.shape[1] < endogenous.shape[1]:
        raise ValueError(
            f"{endogenous.shape[1]} endogenous regressors need at least as many instruments, got "
            f"{list(design.instruments)}"
        )
    return linear_gmm(
        columns[:, 0],
        np.column_stack([design.regressors, endogenous]),
        np.column_stack([design.regressors, excluded]),
        steps=steps,
        cluster=design.cluster,
        errors=errors,
    )


def _tastes(
    table: MarketTable, utility: FloatArray, slope: float, rho: float, nests: Nests | None
) -> dict[str, MarketTastes]:
    """Give the tastes of the one kind of buyer of every market."""
    rows = table.frame
    without_price = utility - slope * rows["price"].to_numpy()
    if nests is not None:
        without_price = without_price - rho * nests.log_within
    tastes = {}
    for name, places in table.places.items():
        own = np.arange(len(places)) if nests is None else nests.codes[places]
        tastes[name] = MarketTastes(
            without_price[places][:, None], np.array([slope]), np.ones(1), own, rho
        )
    return tastes


def _mean_own(
    table: MarketTable,
    fit: LinearFit,
    price: int,
    nests: Nests | None,
    critical: float,
    level: float,
) -> Estimate:
    """Mean own-price elasticity at the observed shares, by the delta method."""
    rows = table.frame
    paid, share = rows["price"].to_numpy(), rows["share"].to_numpy()
    slope = float(fit.coefficients[price])
    gradient = np.zeros(len(fit.coefficients))
    if nests is None:
        unit = float((paid * (1 - share)).mean())
    else:
        rho, within = float(fit.coefficients[-1]), np.exp(nests.log_within)
        unit = float((paid * (1 - rho * within - (1 - rho) * share)).mean()) / (1 - rho)
        # d/d rho of (1 - rho w) / (1 - rho) - share
        gradient[-1] = slope * float((paid * (1 - within)).mean()) / (1 - rho) ** 2
    gradient[price] = unit
    error = math.sqrt(float(gradient @ fit.covariance @ gradient))
    reach = critical * error
    return Estimate(
        slope * unit, slope * unit - reach, slope * unit + reach, "per cent per per cent",
        len(rows), "delta method", level,
    )  # fmt: skip


def _method_words(design: DemandDesign, steps: int, errors: Errors) -> str:
    if design.instruments:
        said = "2SLS" if steps == 1 else "GMM in two steps"
    else:
        said = "ordinary least squares"
    within = f", effects of {' and '.join(design.effects)}" if design.effects else ""
    return f"{said}{within}, {error_words(design, errors)}"


def _notes(design: DemandDesign, fit: LinearFit, price: int) -> tuple[str, ...]:
    notes = [*design.table.notes, *few_clusters(design), *few_rows(design)]
    if fit.coefficients[price] >= 0:
        notes.append(
            "The price coefficient is not negative: this is not a demand curve, and markups and "
            "equilibrium prices mean nothing."
        )
    return tuple(notes)
