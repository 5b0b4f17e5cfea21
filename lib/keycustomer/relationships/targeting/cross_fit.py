"""Uplift of the customers of a trial, from models that did not see them.

A model that has seen a customer's outcome flatters itself on that customer.
:func:`cross_fit_uplift` splits the customers into parts, fits everything on the other parts and
predicts for each part, so that the whole trial serves as its own holdout.  A `FittedUplift` has for
each customer the expected outcomes, the uplift by learner, and two doubly robust scores: of what
the offer did to the outcome, and of what it did to the money.  The mean score of any group of
customers, chosen by anything known before the offer, estimates the mean effect on that group; that
is how rules of choice are judged without having been tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.relationships.targeting.encoding import Encoding
from keycustomer.relationships.targeting.learners import (
    INNER_FOLDS,
    LEARNERS,
    LEAST_PROPENSITY,
    Difference,
    IntArray,
    NuisanceModels,
    Nuisances,
    TrialArrays,
    checked_folds,
    checked_learners,
    checked_models,
    cross_fitted,
    doubly_robust,
    folds_of,
)
from keycustomer.relationships.targeting.trial import Trial
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import NORMAL, Progress, Seed, after_quiet, checked_level
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class FittedUplift:
    """Uplift of each customer of a trial, n customers.

    Attributes
    ----------
    customers : Index
        Their ids.
    uplift : dict of str to ndarray, shape (n,)
        Expected outcome with the offer less that without, by learner.
    nuisances : Nuisances
        Expected outcomes without and with the offer, acceptance, propensity.
    expected_cost : ndarray, shape (n,)
        Expected cost of the offer if made, currency.
    outcome_gain, money_gain : ndarray, shape (n,)
        Doubly robust scores of the effect on the outcome, and on the money.
    average : Estimate
        Mean effect of the offer on the outcome.
    average_money : Estimate
        Mean effect on the money, currency a customer.
    part : ndarray of int, shape (n,)
        Part that each customer belonged to.
    models : str
        Kind of regression.
    identification : str
        Why the groups can be compared.
    notes : tuple of str
        What a reader should know.
    """

    customers: pd.Index
    uplift: dict[str, FloatArray]
    nuisances: Nuisances = field(repr=False)
    expected_cost: FloatArray = field(repr=False)
    outcome_gain: FloatArray = field(repr=False)
    money_gain: FloatArray = field(repr=False)
    average: Estimate
    average_money: Estimate
    part: IntArray = field(repr=False)
    models: str
    identification: str
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a customer: expectations, uplift by learner, scores."""
        expected = {
            "untreated": self.nuisances.untreated,
            "treated": self.nuisances.treated,
            "accepted": self.nuisances.accepted,
            "propensity": self.nuisances.propensity,
            "expected_cost": self.expected_cost,
        }
        learned = {f"uplift_{name}": values for name, values in self.uplift.items()}
        scores = {"outcome_gain": self.outcome_gain, "money_gain": self.money_gain}
        return pd.DataFrame(expected | learned | scores, index=self.customers)

    def _repr_html_(self) -> str:
        from keycustomer.customers.rendering import report_html

        said = [
            f"Mean effect of the offer on the outcome {self.average}, on the money "
            f"{self.average_money} a customer.",
            self.identification,
            *self.notes,
        ]
        spread = pd.DataFrame(self.uplift).describe().loc[["mean", "std", "min", "max"]]
        tables = {"Uplift by learner": spread.T.rename_axis("learner").reset_index()}
        return report_html("Uplift of an offer", said, tables)


def cross_fit_uplift(
    trial: Trial,
    *,
    learners: Sequence[str] = LEARNERS,
    models: str = "linear",
    folds: int = 5,
    level: float = 0.95,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> FittedUplift:
    """Estimate the uplift of each customer of a trial, from the other customers.

    Parameters
    ----------
    trial : Trial
        From :func:`keycustomer.relationships.read_trial`.
    learners : sequence of {"T", "DR", "by risk"}
        Learners to use, see :func:`keycustomer.relationships.fit_uplift`.
    models : {"linear", "boosting"}
        Kind of regression.
    folds : int
        Parts the customers are split into; at least four customers of each group a part.
    level : float
        Confidence level of the averages.
    seed : int or Generator
        Splits the customers.
    progress : callable, optional
        Called with parts done and in all, once the work has taken two seconds.

    Returns
    -------
    FittedUplift

    Raises
    ------
    ValueError
        When a learner or kind is not known, a learner by risk has no outcome of 0 and 1, or the
        groups are too small for so many parts.
    """
    wanted = checked_learners(list(learners), trial)
    checked_models(models)
    checked_level(level)
    number = checked_folds(folds, trial.treated)
    generator = np.random.default_rng(seed)
    part = folds_of(trial.treated, number, generator)
    arrays = TrialArrays.of(trial, Encoding.learn(trial.features))
    held = _Held(np.empty((5, len(trial))), {name: np.empty(len(trial)) for name in wanted}, [0])
    report = after_quiet(progress)
    for one in range(number):
        _predict_part(trial, arrays, part == one, models, held, generator)
        report(one + 1, number)
    return _fitted(trial, held, part, models, level)


@dataclass(frozen=True, eq=False)
class _Held:
    """Predictions being filled: nuisances and money score by row, uplift by learner."""

    rows: FloatArray
    uplift: dict[str, FloatArray]
    clipped: list[int]


def _predict_part(
    trial: Trial,
    arrays: TrialArrays,
    rows: np.ndarray,
    models: str,
    held: _Held,
    generator: np.random.Generator,
) -> None:
    """Fit on all other customers, and predict those of a part."""
    others, mine = arrays.part(~rows), arrays.part(rows)
    fitted = NuisanceModels.fit(others, models).apply(mine)
    inner_part = folds_of(others.treated, INNER_FOLDS, generator)
    inner = cross_fitted(others, inner_part, models)
    held.rows[:4, rows] = fitted.untreated, fitted.treated, fitted.accepted, fitted.propensity
    held.rows[4, rows] = _money_scores(trial, rows, fitted, inner)
    held.clipped[0] += fitted.clipped
    for learner, uplift in held.uplift.items():
        if learner == "T":
            uplift[rows] = fitted.treated - fitted.untreated
        else:
            difference = Difference.of(learner, others, inner, models)
            uplift[rows] = difference.apply(mine.features, fitted.untreated)


def _money_scores(
    trial: Trial, rows: np.ndarray, fitted: Nuisances, inner: Nuisances
) -> FloatArray:
    """Doubly robust scores of the effect on the money, for the customers of a part."""
    expected = []
    for offered in (False, True):
        known = _money_terms(trial, ~rows, inner, offered)
        group = trial.treated[~rows] == offered
        weight = 1 / np.hypot(_typical(trial.value), trial.value[~rows][group])
        root = weight[:, None]
        money = trial.money[~rows][group] * weight
        slopes = np.linalg.lstsq(known[group] * root, money, rcond=None)[0]
        expected.append(_money_terms(trial, rows, fitted, offered) @ slopes)
    without, with_offer = expected
    return doubly_robust(
        trial.money[rows], trial.treated[rows], without, with_offer, fitted.propensity
    )


def _money_terms(trial: Trial, rows: np.ndarray, some: Nuisances, offered: bool) -> FloatArray:
    """Give what money is regressed on: the expected outcome in money, the value, the cost."""
    value = trial.value[rows]
    expected = some.treated if offered else some.untreated
    cost = trial.contact_cost[rows] + trial.offer_cost[rows] * some.accepted
    return np.column_stack([np.ones(len(value)), value * expected, value, cost])


def _typical(value: FloatArray) -> float:
    """Size of a usual value: errors of money grow with it."""
    return float(np.median(np.abs(value))) or 1.0


def _fitted(trial: Trial, held: _Held, part: IntArray, models: str, level: float) -> FittedUplift:
    without, with_offer, taken, chance, money = held.rows
    found = Nuisances(without, with_offer, taken, chance, held.clipped[0])
    gain = doubly_robust(trial.outcome, trial.treated, without, with_offer, chance)
    notes = list(trial.notes)
    if found.clipped:
        notes.append(
            f"{found.clipped:,} customers were so sure to get the offer, or not to, that their "
            f"probability was kept at {LEAST_PROPENSITY:.0%} from 0 or 1: about them the trial "
            "tells little."
        )
    return FittedUplift(
        customers=trial.customers,
        uplift=held.uplift,
        nuisances=found,
        expected_cost=trial.contact_cost + trial.offer_cost * taken,
        outcome_gain=gain,
        money_gain=money,
        average=_mean(gain, "outcome", level),
        average_money=_mean(money, "currency a customer", level),
        part=part,
        models=models,
        identification=trial.identification,
        notes=tuple(notes),
    )


def _mean(scores: FloatArray, unit: str, level: float) -> Estimate:
    """Mean of scores with its normal interval."""
    middle, n = float(scores.mean()), len(scores)
    half = NORMAL.inv_cdf((1 + level) / 2) * float(scores.std(ddof=1)) / np.sqrt(n)
    return Estimate(middle, middle - half, middle + half, unit, n, "doubly robust, normal", level)
