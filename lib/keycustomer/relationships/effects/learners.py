"""How outcomes and propensities are learned: by regression, or by boosted trees.

Both are called with the units to learn from and the units to predict, never the same ones.
Regressions are steady with some hundreds of events; boosted trees find interactions and bends where
there are thousands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from keycustomer.dimensions.complaints import did_you_mean
from keycustomer.relationships.effects.arms import Arms, link_of, penalties, regressors, scale_of
from keycustomer.stats.regressions.regression import fit_regression
from keycustomer.stats.samples import FloatArray

OutcomeLearner = Callable[[Arms, FloatArray, Arms], FloatArray]
"""Units to learn from, their target, units to predict -> predictions, shape (units, settings)."""

FEWEST_IN_LEAF = 40
"""Units in a leaf of a tree: smaller ones learn single customers by heart."""

TREES: dict[str, Any] = {
    "max_iter": 80,
    "learning_rate": 0.06,
    "max_leaf_nodes": 6,
    "min_samples_leaf": FEWEST_IN_LEAF,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 0,
}
"""Small steps and small trees: what is learned enters as a nuisance, and must not be overdone."""

STRENGTH = 0.3
"""Inverse penalty of the regression of propensities (standardised covariates)."""


def learner_of(name: str) -> OutcomeLearner:
    """Find the learner of outcomes by name.

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    learners: dict[str, OutcomeLearner] = {"regression": _by_regression, "boosting": _by_boosting}
    if name not in learners:
        raise ValueError(
            f"learner={name!r}: 'regression' or 'boosting' are known{did_you_mean(name, learners)}"
        )
    return learners[name]


def _by_regression(known: Arms, target: FloatArray, asked: Arms) -> FloatArray:
    scale = scale_of(target)
    design = regressors(known.setting, known)
    model = fit_regression(design, target / scale, link_of(target), penalty=penalties(known))
    return scale * _under_each(asked, lambda k: model.predict(regressors(k, asked)))


def _by_boosting(known: Arms, target: FloatArray, asked: Arms) -> FloatArray:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    design, link = regressors(known.setting, known)[:, 1:], link_of(target)
    if link == "logistic":
        classifier = HistGradientBoostingClassifier(**TREES).fit(design, target > 0)
        return _under_each(
            asked, lambda k: classifier.predict_proba(regressors(k, asked)[:, 1:])[:, 1]
        )
    loss = "poisson" if link == "log" else "squared_error"
    regressor = HistGradientBoostingRegressor(loss=loss, **TREES).fit(design, target)
    return _under_each(asked, lambda k: regressor.predict(regressors(k, asked)[:, 1:]))


def _under_each(asked: Arms, predict: Callable[[np.ndarray], FloatArray]) -> FloatArray:
    """Predict all units under each setting."""
    return np.column_stack([predict(np.full(len(asked), k)) for k in range(asked.count)])


def propensities(arms: Arms, fold: np.ndarray, learner: str) -> FloatArray:
    """Chance of each setting given the covariates, cross-fitted, shape (n, settings).

    Without covariates it is the setting's share.

    Parameters
    ----------
    arms : Arms
        The units.
    fold : ndarray of int, shape (n,)
        Each unit is predicted by a model of the other folds.
    learner : {"regression", "boosting"}
        How they are learned.
    """
    shares = np.bincount(arms.setting, minlength=arms.count) / len(arms)
    chances = np.tile(shares, (len(arms), 1))
    if not arms.covariates.shape[1]:
        return chances
    for one in np.unique(fold):
        out = fold == one
        model = _classifier(learner).fit(arms.covariates[~out], arms.setting[~out])
        chances[out] = model.predict_proba(arms.covariates[out])
    return chances


def _classifier(learner: str) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    if learner == "boosting":
        return HistGradientBoostingClassifier(**TREES)
    return LogisticRegression(C=STRENGTH, max_iter=2_000)
