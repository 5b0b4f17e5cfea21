"""Two fitted choice models against each other, the smaller within the larger.

Does the larger one say more than chance?  :func:`compare_likelihoods` is the likelihood-ratio test.
It refuses what cannot be compared: models of different tasks, and simulated likelihoods at
different numbers of draws, which differ by the draws alone (electricity contracts: -3952 at 100
draws, -3915 at 200, -3888 at 600).

Sources: Train (2009), section 3.8; Self & Liang (1987), Journal of the American Statistical
Association 82, 605-610, for spreads at the border of zero; Liang & Self (1996) for clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.pricing.choice.logit import LogitModel
from keycustomer.pricing.choice.mixed import MixedLogitModel

ChoiceModel = LogitModel | MixedLogitModel


@dataclass(frozen=True)
class ComparedLikelihoods:
    """A likelihood-ratio test of a smaller model within a larger one.

    Attributes
    ----------
    gain : float
        Log-likelihood of the larger model less that of the smaller one.
    parameters : int
        Parameters more.
    p_value : float
        Error probability by chi-square of twice the gain; too large where the parameters are
        spreads, which cannot be below zero, and too small where answers of a respondent go
        together and the models do not say so.
    gain_per_task : float
        Gain by task.
    simulated : bool
        Whether the data are made up.
    """

    gain: float
    parameters: int
    p_value: float
    gain_per_task: float
    simulated: bool = False

    @property
    def sentence(self) -> str:
        """The test in words."""
        made_up = "Simulated: " if self.simulated else ""
        return (
            f"{made_up}{self.parameters} parameters more gain {self.gain:,.2f} of log-likelihood "
            f"(p {self.p_value:.3g})."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row with the test."""
        names = ("gain", "parameters", "p_value", "gain_per_task")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def _repr_html_(self) -> str:
        return sentence_html(self.sentence, self.to_frame(), numbers=",.4f")


def compare_likelihoods(smaller: ChoiceModel, larger: ChoiceModel) -> ComparedLikelihoods:
    """Test a smaller model against a larger one that contains it.

    Parameters
    ----------
    smaller, larger : LogitModel or MixedLogitModel
        Models of the same tasks.  A logit with groups (``by=``) is the larger model of its groups
        together.

    Raises
    ------
    ValueError
        When the tasks or the draws differ, or the larger model has no more parameters.
    """
    from scipy.stats import chi2

    if not smaller.data.frame["chosen"].equals(larger.data.frame["chosen"]):
        raise ValueError(
            f"the models were fitted to different tasks ({smaller.data.tasks:,} and "
            f"{larger.data.tasks:,}); their likelihoods cannot be compared"
        )
    mixed = [one for one in (smaller, larger) if isinstance(one, MixedLogitModel)]
    if len({(one.draws, one.seed) for one in mixed}) > 1:
        told = " and ".join(f"{one.draws} draws with seed {one.seed}" for one in mixed)
        raise ValueError(
            f"the likelihoods were simulated with {told}: they differ by that alone; fit both with "
            "the same draws and seed"
        )
    fits = [_fit(one) for one in (smaller, larger)]
    gain, more = fits[1][0] - fits[0][0], fits[1][1] - fits[0][1]
    if more < 1:
        raise ValueError(
            f"the larger model has {fits[1][1]} parameters, the smaller one {fits[0][1]}; give the "
            "smaller one first"
        )
    p_value = float(chi2.sf(max(2 * gain, 0.0), more))
    return ComparedLikelihoods(gain, more, p_value, gain / larger.data.tasks, larger.data.simulated)


def _fit(model: ChoiceModel) -> tuple[float, int]:
    """Log-likelihood and number of parameters, of the groups together where there are some."""
    if isinstance(model, MixedLogitModel):
        return model.log_likelihood, len(model.parameters)
    if not model.groups:
        return model.log_likelihood, len(model.coefficients)
    parts = model.groups.values()
    if sum(one.tasks for one in parts) < model.tasks:
        raise ValueError(
            f"some respondents have no {model.by}, so that the groups are not all tasks; leave "
            "them out of both models"
        )
    return (
        sum(one.log_likelihood for one in parts),
        sum(len(one.coefficients) for one in parts),
    )
