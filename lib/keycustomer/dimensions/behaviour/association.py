"""What take-up of a category goes with: its popularity, the customer's breadth, what else it buys.

The chance that a customer without category c takes it up within the horizon is modelled as::

    logit P = a + b popularity(c) + d breadth(customer) + g association(customer, c)

Popularity is the log odds of take-up among all who did not have c; breadth the logarithm of the
number of categories bought.  Association adds up, over the categories s the customer buys, how much
buying s goes with buying c when all others are held fixed: ridge regressions of each category on
all others, which one inverse gives for all of them at once (Steck's formula).  The ridge with the
largest likelihood of the take-up is used.

All of it is learnt from customers before a day: what they had, and what they took up within the
horizon that ends on that day.

Source: Steck, "Embarrassingly shallow autoencoders for sparse data" (WWW 2019), equation 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from keycustomer.dimensions.behaviour.adoption import Adoption
from keycustomer.stats.samples import FloatArray

RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Ridges tried, as multiples of the number of customers."""

MOST_TRAINED = 20_000
"""Customers from whose pairs with categories the weights are learnt; more are drawn from."""

STEPS = 50

TERMS = ("constant", "popularity", "breadth", "association")


@dataclass(frozen=True, eq=False)
class TakeUpModel:
    """A model of what customers take up next.

    Attributes
    ----------
    candidates : ndarray of int64
        Columns of the categories it speaks of.
    popularity : ndarray, shape (categories,)
        Log odds of take-up among customers without the category.
    association : ndarray, shape (categories, categories)
        What buying the row adds to the score of the column; zero on the diagonal.
    weights : ndarray, shape (4,)
        Constant, and the weights of popularity, breadth and association.
    simple_weights : ndarray, shape (3,)
        Those of the model without association.
    ridge : float
        The ridge used, a multiple of the number of customers.
    customers, pairs, taken : int
        Customers it was learnt from, their pairs with categories they did not have, take-ups.
    """

    candidates: npt.NDArray[np.int64]
    popularity: FloatArray
    association: FloatArray
    weights: FloatArray
    simple_weights: FloatArray
    ridge: float
    customers: int
    pairs: int
    taken: int

    def chances(self, owned: csr_matrix, *, simple: bool = False) -> FloatArray:
        """Chance of take-up of each candidate, NaN where the customer has it already.

        Parameters
        ----------
        owned : sparse matrix, shape (customers, categories)
            What the customers have.
        simple : bool
            Without association: popularity and breadth alone.

        Returns
        -------
        ndarray, shape (customers, candidates)
        """
        weights = self.simple_weights if simple else self.weights
        parts = _features(owned, self.popularity, self.candidates)
        score = weights[0] + weights[1] * parts[0][None, :] + weights[2] * parts[1][:, None]
        if not simple:
            score = score + weights[3] * np.asarray(owned @ self.association[:, self.candidates])
        chance = 1 / (1 + np.exp(-score))
        return np.where(owned[:, self.candidates].toarray() > 0, np.nan, chance)


def learn_take_up(
    adoption: Adoption, days: int, horizon: int, at_least: int, generator: np.random.Generator
) -> TakeUpModel:
    """Learn from what customers had before the horizon, and took up in it.

    Parameters
    ----------
    adoption : Adoption
        First purchases.
    days : int
        Days from the first observed to the end of the horizon that is learnt from.
    horizon : int
        Days in which a take-up counts.
    at_least : int
        Take-ups a category needs to be a candidate.
    generator : Generator
        Draws the customers where there are very many.

    Raises
    ------
    ValueError
        When no category was taken up so often, or nobody had bought before.
    """
    owned, taken = adoption.owned(days - horizon), adoption.taken_up(days - horizon, horizon)
    there = np.flatnonzero(owned.getnnz(axis=1))
    owned, taken = owned[there], taken[there]
    counts = np.asarray(taken.sum(axis=0)).ravel()
    candidates = np.flatnonzero(counts >= at_least)
    if not len(there) or not len(candidates):
        raise ValueError(
            f"of {len(there):,} customers who had bought before the {horizon} days to learn from, "
            f"at least {at_least} took up no category (the most: {counts.max(initial=0):.0f}); "
            "choose a longer horizon or a smaller at_least"
        )
    without = len(there) - np.asarray(owned.sum(axis=0)).ravel()
    popularity = np.log((counts + 0.5) / (np.maximum(without - counts, 0) + 0.5))
    drawn = there
    if len(there) > MOST_TRAINED:
        chosen = np.sort(generator.choice(len(there), MOST_TRAINED, replace=False))
        owned, taken, drawn = owned[chosen], taken[chosen], there[chosen]
    missing = owned[:, candidates].toarray() == 0
    answer = taken[:, candidates].toarray()[missing]
    columns = _columns(owned, popularity, candidates, missing)
    simple, _ = fit_logistic(columns, answer)
    best = _best_ridge(owned, candidates, missing, columns, answer)
    return TakeUpModel(
        candidates=candidates,
        popularity=popularity,
        association=best[1],
        weights=best[2],
        simple_weights=simple,
        ridge=best[0],
        customers=len(drawn),
        pairs=len(answer),
        taken=int(answer.sum()),
    )


def _features(
    owned: csr_matrix, popularity: FloatArray, candidates: npt.NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Popularity by candidate and breadth by customer."""
    return popularity[candidates], np.log1p(owned.getnnz(axis=1))


def _columns(
    owned: csr_matrix,
    popularity: FloatArray,
    candidates: npt.NDArray[np.int64],
    missing: npt.NDArray[np.bool_],
) -> list[FloatArray]:
    by_category, by_customer = _features(owned, popularity, candidates)
    both = (
        np.broadcast_to(by_category[None, :], missing.shape),
        np.broadcast_to(by_customer[:, None], missing.shape),
    )
    return [np.ones(int(missing.sum())), *(values[missing] for values in both)]


def _best_ridge(
    owned: csr_matrix,
    candidates: npt.NDArray[np.int64],
    missing: npt.NDArray[np.bool_],
    columns: Sequence[FloatArray],
    answer: FloatArray,
) -> tuple[float, FloatArray, FloatArray]:
    """Ridge, association and weights with the largest likelihood."""
    together = np.asarray((owned.T @ owned).todense())
    best: tuple[float, float, FloatArray, FloatArray] | None = None
    for ridge in RIDGES:
        links = association_of(together, ridge * owned.shape[0])
        score = np.asarray(owned @ links[:, candidates])[missing]
        weights, likelihood = fit_logistic([*columns, score], answer)
        if best is None or likelihood > best[0]:
            best = likelihood, ridge, links, weights
    assert best is not None  # noqa: S101 - there is at least one ridge
    return best[1:]


def association_of(together: FloatArray, ridge: float) -> FloatArray:
    """Weights of the ridge regressions of each column on all others.

    Parameters
    ----------
    together : ndarray, shape (categories, categories)
        How many customers have both.
    ridge : float
        Added to the diagonal.

    Returns
    -------
    ndarray, shape (categories, categories)
        Row: what is had; column: what is explained; zero on the diagonal (Steck 2019, equation 8).
    """
    inverse = np.linalg.inv(together + ridge * np.eye(len(together)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def fit_logistic(columns: Sequence[FloatArray], answer: FloatArray) -> tuple[FloatArray, float]:
    """Logistic regression by Newton's method.

    Parameters
    ----------
    columns : sequence of ndarray, shape (n,)
        Explaining variables, the constant among them.
    answer : ndarray, shape (n,)
        0 or 1.

    Returns
    -------
    weights, log_likelihood : ndarray, float
        A column that explains nothing new gets what the smallest weights need.
    """
    design = np.column_stack(columns)
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-(design @ weights)))
        slope = design.T @ (answer - chance)
        bend = (design * (chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.lstsq(bend, slope, rcond=1e-12)[0]
        # a long step of Newton's method may overshoot
        weights += step * min(1.0, 5.0 / max(np.abs(step).max(), 1e-300))
        if np.abs(step).max() < 1e-8:
            break
    score = design @ weights
    return weights, float((answer * score - np.logaddexp(0, score)).sum())
