"""The next need: which category a customer takes up next, and because of what.

:func:`next_needs` learns from the last horizon what customers took up, given what they had
(:mod:`keycustomer.dimensions.behaviour.association`), and ranks for every customer the categories
it does not have yet.  Whether that is more than naming what is popular is asked by
:func:`keycustomer.dimensions.check_next_needs`.

A category counts as had from its first purchase on, within the days observed: what was bought
before is not known, so that a "next" need may be an old one.

Sources: Knott, Hayes & Neslin, "Next-product-to-buy models for cross-selling applications"
(Journal of Interactive Marketing 16(3), 2002); Kamakura, Ramaswami & Srivastava (1991),
International Journal of Research in Marketing 8, 329-349, on the order of take-up.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.behaviour.adoption import Adoption, read_adoption
from keycustomer.dimensions.behaviour.association import TERMS, TakeUpModel, learn_take_up
from keycustomer.lifetime.arguments import whole_number
from keycustomer.stats.bootstrap import Seed

BLOCK = 10_000
"""Customers whose chances are held at once."""

REASONS = 3
"""Categories named as the reason of a suggestion, at most."""


@dataclass(frozen=True, eq=False)
class NextNeeds:
    """What customers are likely to take up next.

    Attributes
    ----------
    frame : DataFrame
        One row a customer and suggestion: ``customer_id``, ``rank`` (from 1), ``category``,
        ``probability`` (of take-up within the horizon), ``popularity`` (share of all without the
        category that took it up), ``lift`` (probability over popularity), ``because`` (up to three
        categories it buys that speak for it, separated by `; `).
    product_level : str
        What is taken up: `category` or `product`.
    end : date
        Day after which the needs lie.
    horizon : int
        Days.
    model : TakeUpModel
        What was learnt.
    left_out : DataFrame
        category, take_ups: categories taken up too seldom to be suggested.
    customers : Index
        Customers with a purchase.
    complete : int
        Those of them who have every candidate already, and get no suggestion.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    product_level: str
    end: dt.date
    horizon: int
    model: TakeUpModel = field(repr=False)
    left_out: pd.DataFrame = field(repr=False)
    customers: pd.Index = field(repr=False)
    complete: int
    notes: tuple[str, ...]

    @property
    def weights(self) -> pd.DataFrame:
        """Weights of the model: term, weight, without_association."""
        simple = [*self.model.simple_weights, np.nan]
        return pd.DataFrame(
            {"term": TERMS, "weight": self.model.weights, "without_association": simple}
        )

    @property
    def sentence(self) -> str:
        """The result in words."""
        customers = self.frame["customer_id"].nunique()
        firsts = self.frame.loc[self.frame["rank"] == 1, "category"]
        most = firsts.value_counts()
        what = self.product_level
        return (
            f"Next needs of {counted(customers, 'customer')} among "
            f"{counted(len(self.model.candidates), what, _many(what))} within "
            f"{self.horizon} days after {self.end}; most often first: {most.index[0]} "
            f"({most.iloc[0]:,}), of {firsts.nunique():,} different ones."
        )

    def of(self, customer_id: str) -> pd.DataFrame:
        """Suggestions for one customer, empty where it has every candidate.

        Raises
        ------
        KeyError
            When the customer has bought nothing.
        """
        if customer_id not in self.customers:
            what = self.product_level
            raise KeyError(f"no customer {customer_id!r} with a purchase of a known {what}")
        return self.frame[self.frame["customer_id"] == customer_id].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """One row a customer and suggestion."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        tables = {"Suggestions": self.frame.head(10), "Weights": self.weights}
        return report_html("Next needs", [self.sentence, *self.notes], tables)


def next_needs(
    base: CustomerBase,
    *,
    product_level: str = "category",
    horizon: int = 91,
    at_least: int = 30,
    top: int = 5,
    seed: Seed = 0,
) -> NextNeeds:
    """Rank what each customer is likely to take up next.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with transactions and products.
    product_level : {"category", "product"}
        What is taken up.
    horizon : int
        Days after the end of observation in which; the last as many days observed are learnt from.
    at_least : int
        Take-ups in those days that make a category a candidate.
    top : int
        Suggestions a customer.
    seed : int or Generator
        Draws 20,000 customers to learn from where there are more.

    Returns
    -------
    NextNeeds

    Raises
    ------
    ValueError
        When the base lacks categories or products, the horizon leaves no days before, or no
        category was taken up often enough.
    """
    horizon, at_least, top = (
        whole_number(value, name, of=of, least=1)
        for value, name, of in (
            (horizon, "horizon", "days"),
            (at_least, "at_least", "take-ups"),
            (top, "top", "suggestions"),
        )
    )
    adoption = read_adoption(base, product_level)
    refuse_long_horizon(base, horizon, base.days)
    model = learn_take_up(adoption, base.days, horizon, at_least, np.random.default_rng(seed))
    owned = adoption.owned(base.days)
    parts = [
        _suggestions(adoption, model, owned[start : start + BLOCK], start, top)
        for start in range(0, owned.shape[0], BLOCK)
    ]
    frame = pd.concat(parts, ignore_index=True)
    return NextNeeds(
        frame=frame,
        product_level=product_level,
        end=base.end,
        horizon=horizon,
        model=model,
        left_out=_left_out(adoption, model, base.days, horizon),
        customers=adoption.customers,
        complete=len(adoption.customers) - frame["customer_id"].nunique(),
        notes=(
            f"learnt from {counted(model.customers, 'customer')} who took up {model.taken:,} of "
            f"{model.pairs:,} categories they did not have in the last {horizon} days",
            "what was bought before the first day observed is not known: a next need may be an old "
            "one, and the season of the days learnt from is carried over",
        ),
    )


def refuse_long_horizon(base: CustomerBase, horizon: int, days: int) -> None:
    """Refuse a horizon that leaves no earlier days to learn from.

    Parameters
    ----------
    base : CustomerBase
        The prepared base.
    horizon : int
        Days.
    days : int
        Days observed that may be learnt from.

    Raises
    ------
    ValueError
        When as many days do not lie before the horizon.
    """
    if 2 * horizon > days:
        raise ValueError(
            f"horizon={horizon} days: as many must lie before the days learnt from, and there are "
            f"{days:,} in all from {base.start}; use at most {days // 2}"
        )


def _many(one: str) -> str:
    return {"category": "categories"}.get(one, f"{one}s")


def _suggestions(
    adoption: Adoption, model: TakeUpModel, owned: csr_matrix, start: int, top: int
) -> pd.DataFrame:
    """Rows of the customers of one block."""
    chances = model.chances(owned)
    order = np.argsort(-np.nan_to_num(chances, nan=-1.0), axis=1, kind="stable")[:, :top]
    best = np.take_along_axis(chances, order, axis=1)
    row, rank = np.nonzero(~np.isnan(best))
    column = model.candidates[order[row, rank]]
    popularity = 1 / (1 + np.exp(-model.popularity[column]))
    probability = best[row, rank]
    return pd.DataFrame(
        {
            "customer_id": adoption.customers[start + row],
            "rank": rank + 1,
            "category": adoption.categories[column],
            "probability": probability,
            "popularity": popularity,
            "lift": probability / popularity,
            "because": _reasons(adoption, model, owned, row, column),
        }
    )


def _reasons(
    adoption: Adoption,
    model: TakeUpModel,
    owned: csr_matrix,
    row: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
) -> list[str]:
    """Name what each customer buys that speaks most for the suggestion, if anything does."""
    sign = np.sign(model.weights[3])
    told = []
    for customer, category in zip(row, column, strict=True):
        has = owned.indices[owned.indptr[customer] : owned.indptr[customer + 1]]
        speaks = sign * model.association[has, category]
        strongest = np.argsort(-speaks, kind="stable")[:REASONS]
        named = [adoption.categories[has[k]] for k in strongest if speaks[k] > 0]
        told.append("; ".join(named))
    return told


def _left_out(adoption: Adoption, model: TakeUpModel, days: int, horizon: int) -> pd.DataFrame:
    counts = np.asarray(adoption.taken_up(days - horizon, horizon).sum(axis=0)).ravel()
    frame = pd.DataFrame({"category": adoption.categories, "take_ups": counts.astype(int)})
    rare = ~frame.index.isin(model.candidates)
    return frame[rare].reset_index(drop=True)
