"""Exercises of chapter 2, customer-value dimensions: reliability, drivers, Kano, decisions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.coursework.made_up import twelve_answers
from keycustomer.coursework.registry import CaseData, exercise
from keycustomer.dimensions import (
    CLASS_NAMES,
    evaluate_pairs,
    importance_performance,
    relative_importance,
)
from keycustomer.dimensions.kano.evaluation import count_classes, leading_class


@exercise("2.1", "choice")
def reliability_when_the_scale_is_doubled(case: CaseData) -> str:
    """Say what alpha does when every answer is written on a scale twice as long."""
    before, after = (_alpha(factor * _first_benefit(case)) for factor in (1, 2))
    return "stays" if np.isclose(before, after) else "rises" if after > before else "falls"


@exercise("2.2", "share")
def alpha_by_hand(case: CaseData) -> float:
    """Raw Cronbach's alpha of the items of the first benefit, whole answers only."""
    return _alpha(_first_benefit(case))


@alpha_by_hand.trap("that is the standardised alpha, of the mean correlation; use the variances")
def _standardised(case: CaseData) -> float:
    answers = _first_benefit(case)
    k, correlation = answers.shape[1], answers.corr().to_numpy()
    mean = (correlation.sum() - k) / (k * (k - 1))
    return float(k * mean / (1 + (k - 1) * mean))


@alpha_by_hand.trap("that leaves out the factor k / (k - 1)")
def _without_the_factor(case: CaseData) -> float:
    k = _first_benefit(case).shape[1]
    return _alpha(_first_benefit(case)) * (k - 1) / k


@alpha_by_hand.trap("that is the mean correlation of two items; alpha is of their sum")
def _mean_correlation(case: CaseData) -> float:
    correlation = _first_benefit(case).corr().to_numpy()
    return float(correlation[np.triu_indices_from(correlation, 1)].mean())


@exercise("2.3", "choice")
def class_of_twelve(case: CaseData) -> str:
    """Say in which of Kano's classes the attribute of the twelve made-up customers falls."""
    return _kano_class("with", "without")


@class_of_twelve.trap("there is a tie: it goes to the class whose absence hurts more")
def _tie_to_the_delight(case: CaseData) -> str:
    return CLASS_NAMES["A"]


@class_of_twelve.trap("the two questions are swapped: the row is the answer when it is there")
def _swapped(case: CaseData) -> str:
    return _kano_class("without", "with")


@exercise("2.4", "share")
def first_of_two_drivers(case: CaseData) -> float:
    """Share of R2 of the first of two drivers, by the mean over both orders."""
    return _two_drivers(case)[0]


@first_of_two_drivers.trap("that is what it explains when it comes first; take the other order too")
def _when_first(case: CaseData) -> float:
    return _two_drivers(case)[1]


@first_of_two_drivers.trap("that is what it adds when it comes last; take the other order too")
def _when_last(case: CaseData) -> float:
    return _two_drivers(case)[2]


@exercise("2.5", "choice")
def first_to_improve(case: CaseData) -> str:
    """Name the benefit with the most to win: importance times the room above it."""
    room, importance = _room_and_importance(case)
    return str((importance * room).idxmax())


@first_to_improve.trap("that is the most important; much of its room may be used up already")
def _most_important(case: CaseData) -> str:
    return str(_room_and_importance(case)[1].idxmax())


@first_to_improve.trap("that is the one rated worst; it may hardly matter")
def _worst_rated(case: CaseData) -> str:
    return str(_room_and_importance(case)[0].idxmax())


def _alpha(answers: pd.DataFrame) -> float:
    k = answers.shape[1]
    return float(k / (k - 1) * (1 - answers.var().sum() / answers.sum(axis=1).var()))


def _first_benefit(case: CaseData) -> pd.DataFrame:
    first = case.parameters["benefits"][:1]
    return case.survey.answers(first).answers.dropna()


def _kano_class(row: str, column: str) -> str:
    answers = twelve_answers()
    letters = evaluate_pairs(answers[row], answers[column])
    return CLASS_NAMES[str(leading_class(count_classes(letters)))]


def _two_drivers(case: CaseData) -> tuple[float, float, float]:
    """Share of R2 of the first two benefits' first: by LMG, when it comes first, and last."""
    outcome, drivers = case.parameters["satisfaction"], case.parameters["benefits"][:2]
    scores = case.survey.scores([outcome, *drivers])[[outcome, *drivers]].dropna()
    (_, own, other), (_, _, between), _ = np.corrcoef(scores.to_numpy().T).tolist()
    both = (own**2 + other**2 - 2 * own * other * between) / (1 - between**2)
    first, last = own**2 / both, 1 - other**2 / both
    return (first + last) / 2, first, last


def _room_and_importance(case: CaseData) -> tuple[pd.Series, pd.Series]:
    """Give what is missing to the best answer, share of the scale, and importance, by benefit."""
    given = case.parameters
    names = [given["satisfaction"], *given["benefits"]]
    scores = case.survey.scores(names)[names].dropna()
    fitted = relative_importance(scores, names[0], names[1:], draws=100)
    found = importance_performance(fitted, low=given["scale_low"], high=given["scale_high"])
    frame = found.frame.set_index("driver")
    return 1 - frame["performance"] / 100, frame["importance"]
