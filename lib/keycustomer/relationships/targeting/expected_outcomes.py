"""Expected outcomes from features: the regressions that uplift is built of.

:func:`fit_mean` fits one regression and gives a function of features.  `linear` is logistic
regression for outcomes of 0 and 1 and ridge regression for others; `boosting` is gradient boosting
of small trees.  None uses class weights, which would ruin the probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from keycustomer.stats.samples import FloatArray

Mean: TypeAlias = Callable[[FloatArray], FloatArray]

MODELS = ("linear", "boosting")
"""Kinds of regression."""

PRIOR_SPREAD = 0.3
"""Log-odds by which a standard deviation of a feature moves an outcome, as a rule: coefficients of
the logistic regression are shrunk as if they came from a normal distribution of this spread."""

PENALTIES = np.logspace(-1, 5, 7)
"""Penalties of ridge regression from which leave-one-out prediction chooses."""


def fit_mean(features: FloatArray, outcome: FloatArray, models: str = "linear") -> Mean:
    """Fit the expected outcome as a function of the features.

    Parameters
    ----------
    features : ndarray, shape (n, k)
        Encoded features.
    outcome : ndarray, shape (n,)
        Outcome; with 0 and 1 alone, probabilities are fitted.
    models : {"linear", "boosting"}
        Kind of regression.

    Returns
    -------
    callable
        Takes features of shape (m, k), gives expected outcomes of shape (m,).

    Raises
    ------
    ValueError
        When there is no such kind.
    """
    if models not in MODELS:
        raise ValueError(f"models={models!r} must be one of {', '.join(map(repr, MODELS))}")
    first = float(outcome[0])
    if (outcome == first).all():
        return lambda given: np.full(len(given), first)
    binary = bool(np.isin(outcome, (0.0, 1.0)).all())
    if features.shape[1] == 0:
        level = float(outcome.mean())
        return lambda given: np.full(len(given), level)
    model: Any = _logistic(models) if binary else _numeric(models)
    model.fit(features, outcome)
    if binary:
        return lambda given: model.predict_proba(given)[:, 1]
    return lambda given: model.predict(given)


def _logistic(models: str) -> Any:
    if models == "boosting":
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(**_BOOSTING)
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=PRIOR_SPREAD**2, solver="newton-cholesky")


def _numeric(models: str) -> Any:
    if models == "boosting":
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(**_BOOSTING)
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=PENALTIES)


_BOOSTING: dict[str, Any] = {
    "learning_rate": 0.05,
    "max_iter": 80,
    "max_leaf_nodes": 6,
    "min_samples_leaf": 30,
    "l2_regularization": 10.0,
    "early_stopping": False,
    "random_state": 0,
}
"""Small trees, slowly added: trials have thousands of customers, not millions."""
