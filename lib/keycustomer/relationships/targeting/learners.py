"""Uplift: how much more of the outcome a customer gives with the offer than without it.

Three learners, all made of ordinary regressions.  The *T-learner* fits the outcome of customers
with the offer and of those without, and takes the difference of the two predictions: simple, and
noisy where both groups are small, since each model errs on its own.  The *DR-learner* first makes
for each customer a doubly robust score of the difference, from both models, the outcome itself and
the probability to get the offer, and then regresses these scores on the features: the difference is
modelled directly, and shrunk towards the same for all where the data tell no more.  The learner
*by risk* takes one number from the trial, the mean effect, and gives it to customers in proportion
to their risk to leave: the rival that the other two have to beat, right where an offer works on the
risky, and wrong where it does not.

:func:`fit_uplift` fits a learner on a trial, to be used on customers outside it (`UpliftModel`);
predictions for customers of the trial itself come from
:func:`keycustomer.relationships.cross_fit_uplift`.

Sources: Künzel, Sekhon, Bickel & Yu (2019), PNAS 116(10), 4156-4165 (T-learner); Kennedy (2023),
Electronic Journal of Statistics 17(2), 3008-3049 (DR-learner); Chernozhukov et al. (2018),
Econometrics Journal 21(1), C1-C68 (cross-fitting).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.lifetime.arguments import whole_number
from keycustomer.relationships.targeting.encoding import Encoding
from keycustomer.relationships.targeting.expected_outcomes import MODELS, Mean, fit_mean
from keycustomer.relationships.targeting.trial import BoolArray, Trial
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray

LEARNERS = ("T", "DR")
"""Learners of uplift that make no assumption about who responds."""

BY_RISK = "by risk"
"""The learner that gives the mean effect to customers in proportion to their risk."""

ALL_LEARNERS = (*LEARNERS, BY_RISK)

INNER_FOLDS = 3
"""Parts into which customers are split to make scores from models that did not see them."""

LEAST_PROPENSITY = 0.02
"""Estimated probabilities to get the offer are kept this far from 0 and 1."""

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Nuisances:
    """What is expected of each customer, n customers.

    Attributes
    ----------
    untreated, treated : ndarray, shape (n,)
        Expected outcome without and with the offer.
    accepted : ndarray, shape (n,)
        Expected share of the offer taken.
    propensity : ndarray, shape (n,)
        Probability to get the offer, kept from 0 and 1 where it was estimated.
    clipped : int
        Customers whose probability had to be kept from 0 or 1.
    """

    untreated: FloatArray
    treated: FloatArray
    accepted: FloatArray
    propensity: FloatArray
    clipped: int = 0


@dataclass(frozen=True, eq=False)
class TrialArrays:
    """A trial as the regressions take it: encoded features and what was observed."""

    features: FloatArray
    treated: BoolArray
    outcome: FloatArray
    accepted: FloatArray
    propensity: FloatArray | None

    @classmethod
    def of(cls, trial: Trial, encoding: Encoding) -> TrialArrays:
        """Encode a trial."""
        return cls(
            encoding.apply(trial.features),
            trial.treated,
            trial.outcome,
            trial.accepted,
            trial.propensity,
        )

    def part(self, rows: BoolArray) -> TrialArrays:
        """Give some of the customers."""
        chance = None if self.propensity is None else self.propensity[rows]
        return TrialArrays(
            self.features[rows],
            self.treated[rows],
            self.outcome[rows],
            self.accepted[rows],
            chance,
        )


@dataclass(frozen=True, eq=False)
class NuisanceModels:
    """Regressions fitted on some customers, to be applied to others."""

    untreated: Mean
    treated: Mean
    accepted: Mean
    propensity: Mean | None

    @classmethod
    def fit(cls, some: TrialArrays, models: str) -> NuisanceModels:
        """Fit outcome with and without the offer, acceptance and, if unknown, propensity."""
        x, offered = some.features, some.treated
        treated = fit_mean(x[offered], some.outcome[offered], models)
        same = np.array_equal(some.accepted[offered], some.outcome[offered])
        taken = treated if same else fit_mean(x[offered], some.accepted[offered], models)
        chance = None
        if some.propensity is None:
            chance = fit_mean(x, offered.astype(float), models)
        return cls(fit_mean(x[~offered], some.outcome[~offered], models), treated, taken, chance)

    def apply(self, others: TrialArrays) -> Nuisances:
        """Predict for other customers."""
        x = others.features
        if self.propensity is None:
            if others.propensity is None:
                raise ValueError("propensity: unknown, and the models were fitted with a known one")
            chance, clipped = others.propensity, 0
        else:
            raw = self.propensity(x)
            chance = np.clip(raw, LEAST_PROPENSITY, 1 - LEAST_PROPENSITY)
            clipped = int((chance != raw).sum())
        taken = np.clip(self.accepted(x), 0.0, 1.0)
        return Nuisances(self.untreated(x), self.treated(x), taken, chance, clipped)


def doubly_robust(
    observed: FloatArray,
    treated: BoolArray,
    untreated_mean: FloatArray,
    treated_mean: FloatArray,
    propensity: FloatArray,
) -> FloatArray:
    """Score whose mean, over any customers chosen by features, is the mean effect on them.

    Parameters
    ----------
    observed : ndarray, shape (n,)
        What came of each customer.
    treated : ndarray of bool, shape (n,)
        Who got the offer.
    untreated_mean, treated_mean : ndarray, shape (n,)
        Expected without and with the offer, from models that did not see the customer.
    propensity : ndarray, shape (n,)
        Probability to get the offer.

    Returns
    -------
    ndarray, shape (n,)
        ``m1 - m0 + t (y - m1) / e - (1 - t) (y - m0) / (1 - e)``; right on average if either the
        two means or the propensity are right (Robins, Rotnitzky & Zhao 1994).
    """
    over = np.where(treated, (observed - treated_mean) / propensity, 0.0)
    under = np.where(treated, 0.0, (observed - untreated_mean) / (1 - propensity))
    return treated_mean - untreated_mean + over - under


def folds_of(treated: BoolArray, folds: int, generator: np.random.Generator) -> IntArray:
    """Part of each customer, 0 .. folds - 1, by chance, each with its share of both groups."""
    part = np.empty(len(treated), dtype=np.int64)
    for group in (treated, ~treated):
        where = generator.permutation(np.flatnonzero(group))
        part[where] = np.arange(len(where)) % folds
    return part


def cross_fitted(some: TrialArrays, part: IntArray, models: str) -> Nuisances:
    """Nuisances of every customer from models that did not see its part."""
    means = np.empty((4, len(part)))
    clipped = 0
    for number in range(int(part.max()) + 1):
        held = part == number
        fitted = NuisanceModels.fit(some.part(~held), models).apply(some.part(held))
        means[:, held] = fitted.untreated, fitted.treated, fitted.accepted, fitted.propensity
        clipped += fitted.clipped
    return Nuisances(means[0], means[1], means[2], means[3], clipped)


@dataclass(frozen=True, eq=False)
class Difference:
    """Uplift as a function of the features and of the outcome expected without the offer."""

    level: float
    slope: float
    rest: Mean | None

    @classmethod
    def fit(cls, some: TrialArrays, inner: Nuisances, models: str) -> Difference:
        """Regress doubly robust scores: the last step of the DR-learner.

        How uplift goes with the outcome expected without the offer, which is where uplift differs
        first of all, is fitted by least squares; what the features tell beyond that is shrunk.
        """
        scores = doubly_robust(
            some.outcome, some.treated, inner.untreated, inner.treated, inner.propensity
        )
        apart = inner.untreated - inner.untreated.mean()
        spread = float(apart @ apart)
        slope = float(apart @ scores) / spread if spread > 0 else 0.0
        level = float(scores.mean()) - slope * float(inner.untreated.mean())
        left = scores - level - slope * inner.untreated
        return cls(level, slope, fit_mean(some.features, left, models))

    @classmethod
    def by_risk(cls, some: TrialArrays, inner: Nuisances) -> Difference:
        """Spread the mean effect over customers in proportion to their risk, 1 - outcome."""
        scores = doubly_robust(
            some.outcome, some.treated, inner.untreated, inner.treated, inner.propensity
        )
        risk = float((1 - inner.untreated).mean())
        share = float(scores.mean()) / risk if risk > 0 else 0.0
        return cls(share, -share, None)

    @classmethod
    def of(cls, learner: str, some: TrialArrays, inner: Nuisances, models: str) -> Difference:
        """Fit the learner of that name."""
        return cls.by_risk(some, inner) if learner == BY_RISK else cls.fit(some, inner, models)

    def apply(self, features: FloatArray, untreated: FloatArray) -> FloatArray:
        """Predict the uplift of other customers."""
        line = self.level + self.slope * untreated
        return line if self.rest is None else line + self.rest(features)


@dataclass(frozen=True, eq=False)
class UpliftModel:
    """A learner fitted on a whole trial, for customers outside it.

    Attributes
    ----------
    learner : str
        T, DR or by risk.
    models : str
        Kind of regression.
    customers : int
        Customers it was fitted on.
    """

    learner: str
    models: str
    customers: int
    encoding: Encoding = field(repr=False)
    nuisances: NuisanceModels = field(repr=False)
    difference: Difference | None = field(repr=False)

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict for customers outside the trial.

        Parameters
        ----------
        features : DataFrame
            The features the model was fitted with, one row a customer.

        Returns
        -------
        DataFrame
            Columns untreated, treated (expected outcome without and with the offer), accepted
            (expected share of the offer taken), uplift.
        """
        x = self.encoding.apply(features)
        without, with_offer = self.nuisances.untreated(x), self.nuisances.treated(x)
        uplift = with_offer - without
        if self.difference is not None:
            uplift = self.difference.apply(x, without)
        taken = np.clip(self.nuisances.accepted(x), 0.0, 1.0)
        return pd.DataFrame(
            {"untreated": without, "treated": with_offer, "accepted": taken, "uplift": uplift},
            index=features.index,
        )

    def expected_gain(
        self,
        features: pd.DataFrame,
        value: npt.ArrayLike,
        *,
        contact_cost: npt.ArrayLike = 0.0,
        offer_cost: npt.ArrayLike = 0.0,
    ) -> pd.Series:
        """Tell what the offer is expected to earn with customers outside the trial.

        Parameters
        ----------
        features : DataFrame
            As in :meth:`predict`.
        value : float or array
            Worth of one unit of the outcome by customer, currency.
        contact_cost, offer_cost : float or array
            Cost of making the offer, and of the offer once accepted, currency.

        Returns
        -------
        Series
            Uplift x value less the expected cost, currency, by customer.
        """
        expected = self.predict(features)
        cost = np.asarray(contact_cost) + np.asarray(offer_cost) * expected["accepted"]
        return (expected["uplift"] * np.asarray(value) - cost).rename("expected_gain")


def fit_uplift(
    trial: Trial, learner: str = "DR", *, models: str = "linear", seed: Seed = 0
) -> UpliftModel:
    """Fit a learner of uplift on all customers of a trial.

    Parameters
    ----------
    trial : Trial
        From :func:`keycustomer.relationships.read_trial`.
    learner : {"T", "DR", "by risk"}
        See the module.
    models : {"linear", "boosting"}
        Kind of regression.
    seed : int or Generator
        Splits the customers for the scores of the DR-learner.

    Returns
    -------
    UpliftModel

    Raises
    ------
    ValueError
        When there is no such learner or kind, or a learner by risk has no outcome of 0 and 1.
    """
    checked_learners([learner], trial)
    checked_models(models)
    encoding = Encoding.learn(trial.features)
    arrays = TrialArrays.of(trial, encoding)
    difference = None
    if learner != "T":
        part = folds_of(trial.treated, INNER_FOLDS, np.random.default_rng(seed))
        inner = cross_fitted(arrays, part, models)
        difference = Difference.of(learner, arrays, inner, models)
    return UpliftModel(
        learner, models, len(trial), encoding, NuisanceModels.fit(arrays, models), difference
    )


def checked_learners(learners: list[str], trial: Trial) -> list[str]:
    """Check names of learners, and that a risk is there where one is needed.

    Raises
    ------
    ValueError
        When there is none, no such learner, or one by risk for an outcome that is not 0 or 1.
    """
    wrong = [one for one in learners if one not in ALL_LEARNERS]
    if wrong or not learners:
        raise ValueError(
            f"learner={wrong[0] if wrong else None!r} must be one of "
            f"{', '.join(map(repr, ALL_LEARNERS))}"
        )
    if BY_RISK in learners and not trial.binary:
        raise ValueError(
            f"learner={BY_RISK!r} needs an outcome of 1 for who stayed and 0 for who left; use "
            "'T' or 'DR' for other outcomes"
        )
    return learners


def checked_models(models: str) -> str:
    """Check the kind of regression.

    Raises
    ------
    ValueError
        When there is no such kind.
    """
    if models not in MODELS:
        raise ValueError(f"models={models!r} must be one of {', '.join(map(repr, MODELS))}")
    return models


def checked_folds(folds: int, treated: BoolArray) -> int:
    """Check the number of parts against the size of the groups.

    Raises
    ------
    ValueError
        When a group has fewer than four customers a part.
    """
    number = whole_number(folds, "folds", of="parts", least=2)
    smallest = int(min(treated.sum(), (~treated).sum()))
    if smallest < 4 * number:
        raise ValueError(
            f"folds={number}: the smaller group has {smallest:,} customers; at least 4 a part are "
            "needed, so choose fewer folds"
        )
    return number
