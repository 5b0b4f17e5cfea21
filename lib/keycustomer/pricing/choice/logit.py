"""Multinomial logit: what makes respondents choose an offer, and how much of it price undoes.

:func:`fit_logit` fits McFadden's conditional logit to answered tasks by Newton's method, for all
respondents and, with ``by=``, for every group of them; the :class:`LogitModel` holds coefficients,
their covariance (errors of one respondent's tasks go together), fit, and the probabilities of any
offers.  Coefficients are utilities, known up to their scale only: compare groups by willingness to
pay (:func:`keycustomer.pricing.willingness_to_pay`), not by coefficients.

Sources: McFadden (1974), in Frontiers in Econometrics; Train (2009), chapter 3; Liang & Zeger
(1986), Biometrika 73, 13-22, for the clustered covariance; Swait & Louviere (1993), Journal of
Marketing Research 30, 305-314, for the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.pricing.choice.choice_data import ChoiceData, task_starts
from keycustomer.pricing.choice.coding import Coding, Constants, coding_of
from keycustomer.pricing.choice.identification import check_separation, check_variation
from keycustomer.pricing.choice.likelihood import (
    Peak,
    Tasks,
    climb_logit,
    log_probabilities,
    tasks_of,
)
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.regressions.clustering import covariance_over_customers, sums_by_customer
from keycustomer.stats.samples import FloatArray
from keycustomer.stats.student import student_quantile

Errors = Literal["clustered", "classical"]

EVERYBODY = "all"
"""Group of all respondents."""

FEW_RESPONDENTS = 30
"""Respondents below which clustered errors are said to be too small."""


@dataclass(frozen=True, eq=False)
class LogitModel:
    """A fitted multinomial logit.

    Attributes
    ----------
    coefficients : Series
        Utility per unit of each column, by name.
    covariance : DataFrame
        Covariance of the coefficients, of the kind that `errors` names.
    classical_covariance : DataFrame
        Inverse of the information.
    influence : ndarray, shape (respondents, coefficients)
        By how much each respondent moves the coefficients.
    coding : Coding
        What the columns are made of.
    data : ChoiceData
        The tasks.
    log_likelihood, null_log_likelihood : float
        Of the model, and of equal shares within every task.
    hit_rate : float
        Share of tasks whose most probable alternative was chosen (ties count by parts).
    group : str
        Whose choices; ``all`` for all respondents.
    groups : dict of str to LogitModel
        Models of the groups asked for by ``by=``.
    by : str
        Column of the groups; empty without.
    errors : {"clustered", "classical"}
        Kind of covariance.
    level : float
        Level of the intervals.
    notes : tuple of str
        What a reader should know.
    """

    coefficients: pd.Series
    covariance: pd.DataFrame = field(repr=False)
    classical_covariance: pd.DataFrame = field(repr=False)
    influence: FloatArray = field(repr=False)
    coding: Coding = field(repr=False)
    data: ChoiceData = field(repr=False)
    log_likelihood: float
    null_log_likelihood: float
    hit_rate: float
    group: str = EVERYBODY
    groups: dict[str, LogitModel] = field(default_factory=dict, repr=False)
    by: str = ""
    errors: Errors = "clustered"
    level: float = 0.95
    notes: tuple[str, ...] = ()

    @property
    def price(self) -> str:
        """Name of the price coefficient."""
        return self.coding.price

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attributes of the alternatives in the model."""
        return self.coding.attributes

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return self.data.tasks

    @property
    def respondents(self) -> int:
        """Number of respondents."""
        return len(self.influence)

    @property
    def mcfadden(self) -> float:
        """McFadden's R2 against equal shares, 0..1; 0.2 to 0.4 is an excellent fit."""
        return 1.0 - self.log_likelihood / self.null_log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's criterion; smaller is better."""
        return 2.0 * len(self.coefficients) - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion over tasks; smaller is better."""
        return float(np.log(self.tasks)) * len(self.coefficients) - 2.0 * self.log_likelihood

    @property
    def standard_errors(self) -> pd.Series:
        """Standard errors of the coefficients."""
        return pd.Series(np.sqrt(np.diag(self.covariance)), self.coefficients.index)

    @property
    def margin(self) -> float:
        """Standard errors on each side of an interval at `level`: Student's t by respondents."""
        return interval_quantile(self.level, self.respondents if self.errors == "clustered" else 0)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a coefficient, of all respondents and then of every group."""
        parts = [_table(one) for one in (self, *self.groups.values())]
        return pd.concat(parts, ignore_index=True)

    @property
    def sentence(self) -> str:
        """Size and fit in one sentence."""
        made_up = "Simulated: " if self.data.simulated else ""
        return (
            f"{made_up}{counted(self.respondents, 'respondent')}, {counted(self.tasks, 'task')}, "
            f"{counted(len(self.coefficients), 'coefficient')}: log-likelihood "
            f"{self.log_likelihood:,.2f}, McFadden R2 {self.mcfadden:.3f}, hit rate "
            f"{100 * self.hit_rate:.1f} %; standard errors {self.errors}."
        )

    def utilities(self, offers: pd.DataFrame) -> pd.Series:
        """Compute the utility of each offer.

        Parameters
        ----------
        offers : DataFrame
            One row an alternative, with the columns of the model.
        """
        utility = self.coding.design(offers) @ self.coefficients.to_numpy()
        return pd.Series(utility, offers.index, name="utility")

    def probabilities(self, offers: pd.DataFrame) -> pd.Series:
        """Probability of each offer among those shown with it.

        Parameters
        ----------
        offers : DataFrame
            One row an alternative, with the columns of the model; rows of one respondent_id and
            task stand together, without these columns all rows are one task.
        """
        keyed = {"respondent_id", "task"} <= set(offers)
        starts = task_starts(offers) if keyed else np.zeros(1, dtype=np.int64)
        logs = log_probabilities(self.utilities(offers).to_numpy(), starts)
        return pd.Series(np.exp(logs), offers.index, name="probability")

    def to_frame(self) -> pd.DataFrame:
        """One row a coefficient: group, coefficient, estimate and its errors."""
        return self.frame

    def _repr_html_(self) -> str:
        shown = self.frame.drop(columns=["respondents", "tasks"])
        shown = shown.rename(columns={"lower": "from", "upper": "to"})
        text = shown.map(lambda v: f"{v:.5g}" if isinstance(v, float) else v)
        return report_html("Logit model", [self.sentence, *self.notes], {"Coefficients": text})


def fit_logit(
    data: ChoiceData,
    *,
    price: str | None = None,
    attributes: Sequence[str] | None = None,
    constants: Constants | None = "none option",
    reference: str | None = None,
    interactions: Sequence[str] = (),
    by: str | None = None,
    errors: Errors = "clustered",
    level: float = 0.95,
) -> LogitModel:
    """Fit a multinomial (conditional) logit.

    Parameters
    ----------
    data : ChoiceData
        Answered tasks, from :func:`keycustomer.pricing.read_choices`.
    price : str, optional
        Column of the price; default: the data's.
    attributes : sequence of str, optional
        Columns with coefficients; default: all attributes of the data.
    constants : {"none option", "alternatives"} or None
        A constant for the option to take none where there is one; or for every alternative but the
        reference (labelled alternatives: brands, modes); or none at all.
    reference : str, optional
        Alternative without constant; default: the first.
    interactions : sequence of str
        Products of two columns, such as ``"energy:green_attitude"`` or ``"price:segment"``.  With
        ``alternative``, such as ``"alternative:time"``, each alternative has a coefficient of its
        own; what does not vary within tasks (income) has none for the reference.
    by : str, optional
        Column of groups of respondents that are fitted each for itself too.
    errors : {"clustered", "classical"}
        Covariance: sandwich over respondents, or the inverse of the information, as most
        publications give it.
    level : float
        Level of the intervals.

    Returns
    -------
    LogitModel

    Raises
    ------
    ValueError
        When a column is missing, does not vary within tasks, follows from others, or separates the
        choices; when there are too few tasks or respondents.
    """
    if not isinstance(data, ChoiceData):
        raise TypeError(
            f"data is a {type(data).__name__}; make it with read_choices(base or table)"
        )
    if errors not in ("clustered", "classical"):
        raise ValueError(f"errors={errors!r}: give 'clustered' or 'classical'")
    checked_level(level)
    coding = coding_of(
        data,
        price=price,
        attributes=attributes,
        constants=constants,
        reference=reference,
        interactions=interactions,
    )
    whole = fit_coding(data, coding, errors, level)
    return whole if by is None else _with_groups(whole, by)


def fit_coding(
    data: ChoiceData, coding: Coding, errors: Errors, level: float, group: str = EVERYBODY
) -> LogitModel:
    """Fit the coefficients of a coding to tasks."""
    tasks = tasks_of(coding.design(data.frame), data.starts, data.frame["chosen"].to_numpy())
    spread = check_variation(tasks, coding.names)
    peak = climb_logit(tasks)
    check_separation(tasks, peak, spread, coding.names)
    bread = peak.inverse
    influence = _influence(data, tasks, peak, bread)
    clustered = errors == "clustered"
    if clustered and len(influence) < 2:
        raise ValueError(
            "errors='clustered' needs the tasks of at least two respondents; name them in the "
            "column respondent_id, or ask for errors='classical'"
        )
    covariance = covariance_over_customers(influence) if clustered else bread
    return LogitModel(
        coefficients=pd.Series(peak.place, coding.names, name="coefficient"),
        covariance=pd.DataFrame(covariance, coding.names, coding.names),
        classical_covariance=pd.DataFrame(bread, coding.names, coding.names),
        influence=influence,
        coding=coding,
        data=data,
        log_likelihood=peak.log_likelihood,
        null_log_likelihood=-float(np.log(tasks.sizes).sum()),
        hit_rate=hit_rate(tasks.probabilities(peak.place), data),
        group=group,
        errors=errors,
        level=level,
        notes=_notes(len(influence), coding, errors, data),
    )


def hit_rate(probability: FloatArray, data: ChoiceData) -> float:
    """Share of tasks whose most probable alternative was chosen; ties count by parts."""
    starts = data.starts
    sizes = np.diff(starts, append=len(probability))
    top = probability >= np.repeat(np.maximum.reduceat(probability, starts), sizes) * (1 - 1e-12)
    hits = np.add.reduceat(top * data.frame["chosen"].to_numpy(), starts)
    return float((hits / np.add.reduceat(top.astype(float), starts)).mean())


def interval_quantile(level: float, clusters: int) -> float:
    """Give standard errors on each side of an interval: Student's t, normal without clusters."""
    if clusters < 2:
        return NormalDist().inv_cdf((1 + level) / 2)
    return student_quantile(level, clusters - 1)


def _influence(data: ChoiceData, tasks: Tasks, peak: Peak, bread: FloatArray) -> FloatArray:
    who = pd.factorize(data.frame["respondent_id"].to_numpy()[data.starts])[0]
    return sums_by_customer(tasks.scores(peak.place), who.astype(np.int64)) @ bread


def _with_groups(whole: LogitModel, by: str) -> LogitModel:
    """Add the models of the groups of a column."""
    frame = whole.data.frame
    if by not in frame:
        raise ValueError(
            f"by={by!r} is no column of the tasks ({', '.join(map(str, frame))}); what is known "
            "of respondents comes in by read_choices(traits=...)"
        )
    group = frame[by]
    if frame.groupby("respondent_id", sort=False)[by].nunique(dropna=False).max() > 1:
        raise ValueError(f"by={by!r} changes within respondents; give a column that does not")
    names = sorted(group.dropna().unique())
    unknown = frame["respondent_id"][group.isna()].nunique()
    models = {str(name): _of_group(whole, by, name) for name in names}
    told = (f"{counted(unknown, 'respondent')} without {by} count in no group",) if unknown else ()
    return replace(whole, groups=models, by=by, notes=(*whole.notes, *told))


def _of_group(whole: LogitModel, by: str, name: object) -> LogitModel:
    part = whole.data.where(whole.data.frame[by] == name)
    try:
        return fit_coding(part, whole.coding, whole.errors, whole.level, str(name))
    except ValueError as wrong:
        raise ValueError(f"group {name!r} of {by}: {wrong}") from wrong


def _table(model: LogitModel) -> pd.DataFrame:
    from scipy.stats import norm, t

    estimate, error = model.coefficients.to_numpy(), model.standard_errors.to_numpy()
    ratio = estimate / error
    law = t(model.respondents - 1) if model.errors == "clustered" else norm()
    return pd.DataFrame(
        {
            "group": model.group,
            "coefficient": model.coefficients.index,
            "estimate": estimate,
            "standard_error": error,
            "t_value": ratio,
            "p_value": 2 * law.sf(np.abs(ratio)),
            "lower": estimate - model.margin * error,
            "upper": estimate + model.margin * error,
            "respondents": model.respondents,
            "tasks": model.tasks,
        }
    )


def _notes(respondents: int, coding: Coding, errors: str, data: ChoiceData) -> tuple[str, ...]:
    few = errors == "clustered" and respondents < max(FEW_RESPONDENTS, 2 * len(coding.names))
    told = (
        f"{counted(respondents, 'respondent')} for {counted(len(coding.names), 'coefficient')}: "
        "clustered errors are too small with so few"
    )
    return (*data.notes, *((told,) if few else ()))
