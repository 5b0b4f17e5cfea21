"""Rules of choice: in which order customers would get the offer.

Churn risk, value, what is at risk, or what the offer would earn: :func:`targeting_rules` scores the
customers of a trial by each.  The usual order is by churn risk; but who is likely to leave is not
who can be kept, and being kept is not worth the same at every customer.  *Uplift x value* orders by
what the offer is expected to earn, its cost taken off, and so also says where to stop: at zero.

Source: Ascarza (2018), "Retention futility", Journal of Marketing Research 55(1), 80-98; Lemmens &
Gupta (2020), "Managing churn to maximize profits", Marketing Science 39(5), 956-973.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from keycustomer.relationships.targeting.cross_fit import FittedUplift
from keycustomer.relationships.targeting.learners import IntArray
from keycustomer.relationships.targeting.trial import Trial
from keycustomer.stats.samples import FloatArray

UPLIFT = "uplift x value"
UPLIFT_ALONE = "uplift"
RISK = "churn risk"
AT_RISK = "risk x value"
VALUE = "value"
RANDOM = "random"


QUANTITIES = ("money", "outcome")
"""What an order may be made for."""


def targeting_rules(trial: Trial, fitted: FittedUplift, of: str = "money") -> pd.DataFrame:
    """Score the customers of a trial by each rule.

    Parameters
    ----------
    trial : Trial
        From :func:`keycustomer.relationships.read_trial`.
    fitted : FittedUplift
        From :func:`keycustomer.relationships.cross_fit_uplift` on the same trial.
    of : {"money", "outcome"}
        What is to be raised.

    Returns
    -------
    DataFrame
        One row a customer, one column a rule, the highest score first in turn: `uplift x value`
        (one column a learner, currency the offer is expected to earn), `risk x value` (currency
        expected to be lost without the offer; outcomes of 0 and 1 alone), `churn risk` (how low
        the outcome is expected to be without the offer), `value` (currency),
        `random` (the same for all: every order alike).  For the outcome alone `uplift` by learner,
        `churn risk` and `random`, all parts of the customers brought to the same mean uplift.

    Raises
    ------
    ValueError
        When `fitted` is of another trial, or `of` is neither.
    """
    if of not in QUANTITIES:
        raise ValueError(f"of={of!r} must be one of {', '.join(map(repr, QUANTITIES))}")
    if not trial.customers.equals(fitted.customers):
        raise ValueError("fitted: made of another trial; its customers are not those of `trial`")
    risk = 1 - fitted.nuisances.untreated
    scores: dict[str, FloatArray] = {}
    for learner, uplift in fitted.uplift.items():
        if of == "money":
            gain = uplift * trial.value - fitted.expected_cost
            scores[_called(UPLIFT, learner, fitted)] = gain
        else:
            scores[_called(UPLIFT_ALONE, learner, fitted)] = _alike(uplift, fitted.part)
    if of == "money":
        scores |= {AT_RISK: risk * trial.value} if trial.binary else {}
        scores[VALUE] = trial.value
    scores[RISK] = risk
    return pd.DataFrame(scores | {RANDOM: np.zeros(len(trial))}, index=trial.customers)


def _alike(uplift: FloatArray, part: IntArray) -> FloatArray:
    """Give every part the same mean uplift.

    Each part's model was fitted without it, so that a part in which the offer happened to do well
    is given a low level by the others: left in, this alone would make a good order look bad.
    """
    means = np.bincount(part, uplift) / np.bincount(part)
    return uplift - means[part] + uplift.mean()


def _called(rule: str, learner: str, fitted: FittedUplift) -> str:
    return rule if len(fitted.uplift) == 1 else f"{rule} ({learner})"


def earns(rule: str) -> bool:
    """Whether a rule's score is the expected gain of the offer, so that it says where to stop."""
    return rule.startswith(UPLIFT)
