"""What the outcome would be on average under each setting of a treatment: three ways to say it.

:func:`naive_means` takes those who had the setting as they are.  :func:`adjusted_means` lets a
regression say what everybody's outcome would be under each setting (g-computation).
:func:`robust_means` adds to the regression the weighted errors of those who had the setting
(augmented inverse probability weighting): right when either the regression or the propensities
are, and cross-fitted, so that both may be learned by machines.

Each gives two means a setting, of the outcome and of the exposure it is told by (months under
observation; 1 where none), and the influence of every row on both, from which rates, differences
and ratios get standard errors clustered by customer.

Sources: Robins, "A new approach to causal inference in mortality studies" (1986) for
g-computation; Robins, Rotnitzky & Zhao (1994) and Bang & Robins (2005) for the augmented weights;
van der Laan & Rose, "Targeted Learning" (2011), chapter 7; Chernozhukov et al., "Double/debiased
machine learning" (2018) for cross-fitting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.relationships.effects.arms import Arms, link_of, penalties, regressors, scale_of
from keycustomer.relationships.effects.learners import OutcomeLearner, learner_of
from keycustomer.stats.regressions.regression import fit_regression
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class Means:
    """Means under each setting.

    Attributes
    ----------
    mean : ndarray, shape (settings, 2)
        Of outcome and exposure, if all units had the setting.
    influence : ndarray, shape (n, settings, 2)
        Each unit's influence; its mean over units is 0, that of its square n times the variance.
    """

    mean: FloatArray
    influence: FloatArray


def naive_means(arms: Arms) -> Means:
    """Take those who had each setting as they are."""
    had = (arms.setting[:, None] == np.arange(arms.count)).astype(float)
    share = had.mean(axis=0)
    values = np.column_stack(arms.targets())
    mean = (had.T @ values) / (len(arms) * share[:, None])
    influence = (had / share)[:, :, None] * (values[:, None, :] - mean)
    return Means(mean, influence)


def adjusted_means(arms: Arms) -> Means:
    """Let a regression on setting and covariates say everybody's outcome under each setting."""
    parts = [_standardised(arms, target) for target in arms.targets()]
    return Means(
        np.column_stack([mean for mean, _ in parts]),
        np.stack([influence for _, influence in parts], axis=2),
    )


def _standardised(arms: Arms, target: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean of the predictions under each setting, shape (settings,), and (n, settings)."""
    n = len(arms)
    if (target == target[0]).all():
        return np.full(arms.count, target[0]), np.zeros((n, arms.count))
    scale = scale_of(target)
    own = regressors(arms.setting, arms)
    model = fit_regression(own, target / scale, link_of(target), penalty=penalties(arms))
    moved = n * model.influence(own, target / scale)
    means, influences = np.empty(arms.count), np.empty((n, arms.count))
    for k in range(arms.count):
        design = regressors(np.full(n, k), arms)
        predicted = model.predict(design)
        gradient = (design * model.slope(design)[:, None]).mean(axis=0)
        means[k] = scale * predicted.mean()
        influences[:, k] = scale * (predicted - predicted.mean() + moved @ gradient)
    return means, influences


def robust_means(arms: Arms, chances: FloatArray, fold: np.ndarray, learner: str) -> Means:
    """Add to cross-fitted predictions the weighted errors of those who had each setting.

    Parameters
    ----------
    arms : Arms
        The units.
    chances : ndarray, shape (n, settings)
        Propensities, cross-fitted and away from 0.
    fold : ndarray of int, shape (n,)
        Fold in which each unit is predicted by a model of the others; whole customers.
    learner : {"regression", "boosting"}
        How outcomes are learned.

    Notes
    -----
    The weights of a setting are scaled to a mean of 1 (Hajek), which keeps single customers of a
    rare setting from ruling the estimate.  Predictions of amounts are first multiplied, for each
    setting, so that their weighted errors add up to 0: means then stay above 0, and a few very
    large customers of a rare setting move them less (targeted maximum likelihood).
    """
    weights = inverse_weights(arms, chances)
    parts = [
        _augmented(arms, target, weights, fold, learner_of(learner)) for target in arms.targets()
    ]
    return Means(
        np.column_stack([mean for mean, _ in parts]),
        np.stack([influence for _, influence in parts], axis=2),
    )


def inverse_weights(arms: Arms, chances: FloatArray) -> FloatArray:
    """Weigh each unit for its own setting, mean 1 a setting, shape (n, settings)."""
    had = arms.setting[:, None] == np.arange(arms.count)
    weights = np.where(had, 1 / chances, 0.0)
    return weights / weights.mean(axis=0)


def _augmented(
    arms: Arms,
    target: FloatArray,
    weights: FloatArray,
    fold: np.ndarray,
    learner: OutcomeLearner,
) -> tuple[FloatArray, FloatArray]:
    if (target == target[0]).all():
        return np.full(arms.count, target[0]), np.zeros((len(arms), arms.count))
    predicted = np.empty((len(arms), arms.count))
    for one in np.unique(fold):
        out = fold == one
        predicted[out] = learner(arms.part(~out), target[~out], arms.part(out))
    if link_of(target) == "log":
        predicted = predicted * (weights.T @ target) / (weights * predicted).sum(axis=0)
    scores = predicted + weights * (target[:, None] - predicted)
    mean = scores.mean(axis=0)
    return mean, scores - mean
