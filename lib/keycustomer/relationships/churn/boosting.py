"""Gradient-boosted trees for leaving, the number of trees chosen on customers set aside.

:func:`fit_boosting` fits scikit-learn's histogram boosting with small trees: first on four fifths
of the customers, to see after how many trees the others are forecast best, then on all.

Sources: Friedman (2001), Annals of Statistics 29; Ke and others (2017) for the histograms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.regressions.clustering import folds_of
from keycustomer.stats.samples import FloatArray

MOST_TREES = 300
LEARNING_RATE = 0.06
LEAVES = 8
LEAST_IN_LEAF = 40
ASIDE = 5
"""One in so many customers is set aside to choose the number of trees."""


@dataclass(frozen=True, eq=False)
class BoostingFit:
    """Fitted trees.

    Attributes
    ----------
    trees : int
        Number of trees.
    estimator : HistGradientBoostingClassifier
        From scikit-learn.
    """

    trees: int
    estimator: Any

    def probability(self, raw: FloatArray) -> FloatArray:
        """Probabilities to leave of rows of raw features."""
        with one_thread():
            return np.asarray(self.estimator.predict_proba(raw)[:, 1])


def fit_boosting(
    raw: FloatArray,
    event: npt.NDArray[np.bool_],
    cluster: npt.NDArray[np.int64],
    words: tuple[bool, ...],
    *,
    weights: FloatArray | None = None,
    seed: Seed = 0,
) -> BoostingFit:
    """Fit trees, their number chosen on customers set aside.

    Parameters
    ----------
    raw : ndarray, shape (rows, features)
        Numbers and codes, NaN where missing.
    event : ndarray of bool, shape (rows,)
        Whether the customer left.
    cluster : ndarray of int, shape (rows,)
        Customer of each row, from 0 on.
    words : tuple of bool
        Which features are codes of words.
    weights : ndarray, shape (rows,), optional
        Weights of the rows.
    seed : int or Generator
        Chooses the customers set aside.

    Returns
    -------
    BoostingFit
    """
    generator = np.random.default_rng(seed)
    aside = folds_of(cluster, ASIDE, generator) == 0
    both = (event[aside].any(), event[~aside].any(), (~event[~aside]).any())
    with one_thread():
        trees = MOST_TREES // 3
        if all(both):
            inner = None if weights is None else weights[~aside]
            first = _estimator(MOST_TREES, words, generator)
            first.fit(raw[~aside], event[~aside], sample_weight=inner)
            outer = None if weights is None else weights[aside]
            trees = _best_number(first, raw[aside], event[aside], outer)
        final = _estimator(trees, words, generator).fit(raw, event, sample_weight=weights)
    return BoostingFit(trees, final)


def one_thread() -> Any:
    """Keep the trees to one thread: for work this small more of them only wait."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _estimator(trees: int, words: tuple[bool, ...], generator: np.random.Generator) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=trees,
        learning_rate=LEARNING_RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST_IN_LEAF,
        l2_regularization=1.0,
        categorical_features=np.array(words) if any(words) else None,
        early_stopping=False,
        random_state=int(generator.integers(2**31)),
    )


def _best_number(
    fitted: Any, raw: FloatArray, event: npt.NDArray[np.bool_], weights: FloatArray | None
) -> int:
    """Find the number of trees after which the rows set aside have the least log loss."""
    losses = []
    for odds in fitted.staged_decision_function(raw):
        margin = np.asarray(odds).ravel()
        losses.append(np.average(np.logaddexp(0, margin) - margin * event, weights=weights))
    return int(np.argmin(losses)) + 1
