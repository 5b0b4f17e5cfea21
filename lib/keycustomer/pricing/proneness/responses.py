"""How strongly purchases of a customer follow the price, beside those of all other customers.

Question: who buys when a category is cheap?  Of the weeks in which a customer bought a category,
each is as likely as the share of all customers' purchases that fell into it, times the week's
price to the power of the customer's *relative elasticity*: 0 means as elastic as the average
customer, -1 one unit more.  What moves all customers of a category (holidays, seasons, displays)
is in these shares and cancels out.  Weeks without a purchase count: they are the others that the
customer could have chosen.  Buying in a week or not is what is explained: a customer who buys a
category nearly every week has hardly a week left in which a low price could show.

:func:`price_responses` fits it for all customers at once, slopes drawn towards the mean as far as
they are not known (so that few purchases, all at the lowest price, give a finite number).

Sources: Chamberlain (1980), Review of Economic Studies 47, 225-238 (conditional likelihood);
McFadden (1974) for the choice of a week; Paule & Mandel (1982) for the spread.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted
from keycustomer.customers.statements import statement_of
from keycustomer.pricing.pooling.rows import IntArray, sums_by_code
from keycustomer.pricing.pooling.spreads import (
    CommonError,
    OwnEstimates,
    Pooled,
    partial_pooling,
    paule_mandel,
)
from keycustomer.stats.samples import FloatArray

PACKAGE = "keycustomer.pricing.proneness"

ROUNDS = 50
"""Most rounds of the fit."""

SETTLED = 1e-6
"""Largest change of a slope at which the fit ends."""

LEAST_INFORMATION = 1e-9
"""Information on the slope below which purchases tell nothing of it."""

CELLS = 2**21
"""Chances that are computed at once."""


@dataclass(frozen=True, eq=False)
class Choices:
    """Weeks in which customers bought categories.

    Attributes
    ----------
    customers : Index
        Ids.
    log_price, share : ndarray, shape (categories, weeks)
        Log of the price as a part of the list price; share of the category's purchases in the
        week (0 where there were none).
    count : ndarray, shape (customers, categories)
        Weeks in which each customer bought each category.
    bought : ndarray, shape (customers,)
        Sum of the log prices of these weeks.
    dispersion : float
        Variance of purchases as a multiple of what independent choices of weeks would have.
    """

    customers: pd.Index = field(repr=False)
    log_price: FloatArray = field(repr=False)
    share: FloatArray = field(repr=False)
    count: FloatArray = field(repr=False)
    bought: FloatArray = field(repr=False)
    dispersion: float


@dataclass(frozen=True, eq=False)
class PriceResponses:
    """Relative elasticities of customers.

    Attributes
    ----------
    customers : Index
        Ids, of those whose purchases tell of prices.
    raw, variance : ndarray, shape (customers,)
        Own estimate near the drawn one, and its error variance.
    pooled : Pooled
        Drawn towards the mean.
    spread : float
        Standard deviation between customers.
    categories, weeks : int
        What they were estimated from.
    """

    customers: pd.Index = field(repr=False)
    raw: FloatArray = field(repr=False)
    variance: FloatArray = field(repr=False)
    pooled: Pooled = field(repr=False)
    spread: float
    categories: int
    weeks: int


def need_prices(base: CustomerBase) -> None:
    """Refuse a base whose lines tell no price."""
    for name in ("quantity", "revenue"):
        if not base.has("transactions", name):
            raise ValueError(
                f"{base.title}: the base knows no transactions.{name}, so that no price can be "
                "told; map the column in the case file"
            )


def price_responses(
    base: CustomerBase, window: dict[str, object], *, categories: int
) -> PriceResponses:
    """Estimate the relative elasticity of every customer in a window.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with discounts and product categories.
    window : dict
        `start` and `end`, inclusive.
    categories : int
        How many categories to use, those with the largest revenue.

    Raises
    ------
    ValueError
        When no price changed, or nobody bought in two weeks.
    """
    need_prices(base)
    sql = statement_of(PACKAGE, "category_weeks")
    rows = base.query(sql, categories=categories, **window)
    if rows.empty or rows.groupby("category")["price"].nunique().max() < 2:
        raise ValueError(
            f"{base.title}: no category has two prices in whole weeks between {window['start']} "
            f"and {window['end']}: nobody's response to prices can be told"
        )
    return fit_responses(choices_of(rows))


def choices_of(rows: pd.DataFrame) -> Choices:
    """Lay out purchases by customer, category and week.

    Parameters
    ----------
    rows : DataFrame
        One row a customer, category and week in which it bought: customer_id, category, week,
        price (above 0, the same for all customers of a category and week).
    """
    who, customers = pd.factorize(rows["customer_id"], sort=True)
    what, categories = pd.factorize(rows["category"], sort=True)
    when, weeks = pd.factorize(rows["week"], sort=True)
    price = np.log(rows["price"].to_numpy(float))
    table = np.zeros((len(categories), len(weeks)))
    table[what, when] = price
    place = (what * len(weeks) + when).astype(np.int64)
    ones = np.ones(len(rows))
    share = sums_by_code(place, ones, table.size).reshape(table.shape)
    share /= share.sum(axis=1, keepdims=True)
    pair = (who * len(categories) + what).astype(np.int64)
    every = sums_by_code(pair, ones, len(customers) * len(categories))
    count = every.reshape(len(customers), -1)
    return Choices(
        customers=pd.Index(customers, name="customer_id"),
        log_price=table,
        share=share,
        count=count,
        bought=sums_by_code(who.astype(np.int64), price, len(customers)),
        dispersion=_dispersion(share[what, when], every[pair], count, share),
    )


def fit_responses(choices: Choices) -> PriceResponses:
    """Fit the relative elasticities of all customers.

    Parameters
    ----------
    choices : Choices
        From `choices_of`.

    Raises
    ------
    ValueError
        When no purchases tell of prices.
    """
    at_mean, known = _settled(choices, None)
    squared = paule_mandel(at_mean)
    own, known = _settled(choices, squared)
    return PriceResponses(
        customers=choices.customers[known],
        raw=own.estimate,
        variance=own.variance,
        pooled=partial_pooling(own),
        spread=float(np.sqrt(squared)),
        categories=choices.log_price.shape[0],
        weeks=choices.log_price.shape[1],
    )


def _settled(choices: Choices, squared: float | None) -> tuple[OwnEstimates, npt.NDArray[np.bool_]]:
    """Fit slopes drawn towards their mean by a spread (by None onto it), and who is told of.

    Few purchases, all in cheap weeks, make steep likelihoods far from the mean: the spread is
    therefore found at the mean.
    """
    slope = np.zeros(len(choices.customers))
    for _ in range(ROUNDS):
        mean, information = _moments(choices, slope)
        known = information > LEAST_INFORMATION
        if known.sum() < 2:
            raise ValueError(
                f"purchases of {counted(int(known.sum()), 'customer')} tell of prices: at least "
                "2 must have bought a category in weeks of different prices"
            )
        own = _own(slope, choices.bought - mean, information, known, choices.dispersion)
        spread = paule_mandel(own) if squared is None else squared
        centre = own.means(spread)[0]
        share = 0.0 if squared is None else squared / (squared + own.variance)
        moved = np.full_like(slope, centre)
        moved[known] = centre + share * (own.estimate - centre)
        step = np.abs(moved - slope).max()
        # half a step where a far customer would be thrown to and fro
        slope = np.where(np.abs(moved - slope) > 1, (moved + slope) / 2, moved)
        if step < SETTLED:
            break
    return own, known


def _own(
    slope: FloatArray,
    score: FloatArray,
    information: FloatArray,
    known: npt.NDArray[np.bool_],
    dispersion: float,
) -> OwnEstimates:
    """Newton's step of each customer's own likelihood."""
    estimate = slope[known] + score[known] / information[known]
    zero: IntArray = np.zeros(len(estimate), dtype=np.int64)
    none = CommonError.none(len(estimate))
    return OwnEstimates(estimate, dispersion / information[known], zero, 1, none)


def _moments(choices: Choices, slope: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give expectation and variance of the sum of log prices of each customer at its slope."""
    price, share = choices.log_price, choices.share
    mean, variance = np.zeros(len(slope)), np.zeros(len(slope))
    chunk = max(1, CELLS // price.size)
    for start in range(0, len(slope), chunk):
        part = slice(start, start + chunk)
        chance = share * np.exp(slope[part, None, None] * price)
        chance /= chance.sum(axis=2, keepdims=True)
        first = (chance * price).sum(axis=2)
        second = (chance * price**2).sum(axis=2)
        mean[part] = (choices.count[part] * first).sum(axis=1)
        variance[part] = (choices.count[part] * np.maximum(second - first**2, 0.0)).sum(axis=1)
    return mean, variance


def _dispersion(
    share: FloatArray, own_count: FloatArray, count: FloatArray, shares: FloatArray
) -> float:
    """Pearson's statistic of purchases by customer, category and week per degree of freedom."""
    weeks = (shares > 0).sum(axis=1)
    free = float(((count > 0) * (weeks - 1)).sum())
    if free <= 0:
        return 1.0
    return float(((1 / (own_count * share)).sum() - count.sum()) / free)


def relative_to(responses: PriceResponses, customers: pd.Index) -> PriceResponses:
    """Keep some customers, in the order given; those that are not known are left out."""
    kept = customers[customers.isin(responses.customers)]
    place = responses.customers.get_indexer(kept)
    pooled = responses.pooled
    return replace(
        responses,
        customers=kept,
        raw=responses.raw[place],
        variance=responses.variance[place],
        pooled=Pooled(pooled.estimate[place], pooled.error[place], pooled.shrinkage[place]),
    )
