"""The green premium: what a green attribute is worth, and to whom it is worth more.

Course claim K9.  :func:`green_premium` estimates from choices by how much a package may cost more
for being green, over all respondents, by group, and by a green attitude that they declared
elsewhere.  Two verdicts, by rules fixed before looking: *respondents pay for green* is supported
when the 95 % interval of the premium lies wholly above 0, not supported when it lies at or below 0,
undecided otherwise; *greener respondents pay more* by the same rule on the premium's rise per
standard deviation of the attitude.

A premium in stated choices costs the respondents nothing, and an attitude is answered with error:
the first makes premiums too large, the second makes them rise too little with the attitude.

Sources: McFadden & Train (2000), Journal of Applied Econometrics 15, 447-470, for pollution in the
choice of cars; Murphy et al. (2005), Environmental and Resource Economics 30, 313-325, for what
hypothetical answers add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, report_html
from keycustomer.pricing.choice.attitudes import attitude_groups, checked_attitude, trait_of
from keycustomer.pricing.choice.choice_data import ChoiceData, read_choices
from keycustomer.pricing.choice.coding import Constants
from keycustomer.pricing.choice.logit import EVERYBODY, LogitModel, fit_logit, interval_quantile
from keycustomer.pricing.choice.money_gaps import (
    delta_estimate,
    package_gap,
    price_weights,
    worth_ratios,
)
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.estimate import Estimate, verdict_above

SCORE = "attitude_score"
"""Column of the attitude in standard deviations from the mean respondent."""

STATED = "stated choices cost nothing: premiums tend to be too large"

Steps = tuple[dict[str, object], dict[str, object]]


@dataclass(frozen=True, eq=False)
class GreenPremium:
    """What a green attribute is worth.

    Attributes
    ----------
    frame : DataFrame
        One row a group: ``kind`` (all, or the name of the attitude or groups), ``group``,
        ``premium`` (currency), ``standard_error``, ``lower``, ``upper``, ``respondents``, ``truth``
        (mean over the group's respondents; NaN where not known).
    what : str
        The step that is valued, in words.
    premium : Estimate
        Over all respondents.
    slope : Estimate or None
        By how much the premium rises per standard deviation of the attitude, around its mean; None
        without an attitude.
    attitude : str
        Name of the attitude; empty without.
    true_slope : float
        The same slope of the true premiums; NaN where not known.
    mean_price : float
        Mean price in the tasks.
    currency : str
        Currency; empty where not known.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    what: str
    premium: Estimate
    slope: Estimate | None
    attitude: str
    true_slope: float
    mean_price: float
    currency: str = ""
    simulated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Whether respondents pay for green (K9): supported, not supported, undecided."""
        return verdict_above(self.premium, 0.0)

    @property
    def attitude_verdict(self) -> str:
        """Whether greener respondents pay more; undecided without an attitude."""
        return "undecided" if self.slope is None else verdict_above(self.slope, 0.0)

    @property
    def share_of_price(self) -> float:
        """Premium as a share of the mean price in the tasks."""
        return self.premium.estimate / self.mean_price

    @property
    def sentence(self) -> str:
        """The finding in words."""
        made_up = "Simulated: " if self.simulated else ""
        unit = f" {self.currency}" if self.currency else ""
        rises = (
            ""
            if self.slope is None
            else (
                f"; it rises by {self.slope}{unit} per standard deviation of {self.attitude} "
                f"({self.attitude_verdict})"
            )
        )
        return (
            f"{made_up}{self.what} is worth {self.premium}{unit}, "
            f"{100 * self.share_of_price:.1f} % of the mean price ({self.verdict}){rises}."
        )

    def difference(self, group: str, than: str) -> Estimate:
        """By how much one group pays more for green than another of other respondents.

        Raises
        ------
        ValueError
            When a group is not there, or the groups share respondents.
        """
        rows = self.frame.set_index("group")
        wrong = [name for name in (group, than) if name not in rows.index or name == EVERYBODY]
        if wrong or group == than or rows["kind"][group] != rows["kind"][than]:
            raise ValueError(
                f"difference compares two groups of one kind, got {group!r} and {than!r}; there "
                f"are {', '.join(map(repr, rows.index[1:])) or 'none: give attitude= or by='}"
            )
        one, two = rows.loc[[group, than]].to_dict("records")
        n = one["respondents"] + two["respondents"]
        level = self.premium.level
        gap = one["premium"] - two["premium"]
        errors = float(np.hypot(one["standard_error"], two["standard_error"]))
        reach = interval_quantile(level, n - 1) * errors
        how = f"logit by group, delta, {n:,} respondents"
        return Estimate(gap, gap - reach, gap + reach, self.premium.unit, n, how, level)

    def summary(self) -> pd.DataFrame:
        """Sum up: claim, estimate, lower, upper, unit, truth, verdict."""
        rows = [("respondents pay for green", self.premium, self.verdict, self._true_premium)]
        if self.slope is not None:
            told = "greener respondents pay more"
            rows.append((told, self.slope, self.attitude_verdict, self.true_slope))
        return pd.DataFrame(
            [
                {
                    "claim": claim,
                    "estimate": one.estimate,
                    "lower": one.lower,
                    "upper": one.upper,
                    "unit": one.unit,
                    "truth": truth,
                    "verdict": verdict,
                }
                for claim, one, verdict, truth in rows
            ]
        )

    @property
    def _true_premium(self) -> float:
        return float(self.frame["truth"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """One row a group."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        names = {"lower": "from", "upper": "to"}
        tables = {
            "Verdicts": self.summary().rename(columns=names).dropna(axis=1, how="all"),
            "By group": self.frame.rename(columns=names).dropna(axis=1, how="all"),
        }
        return report_html("Green premium", [self.sentence, *self.notes], tables)


def green_premium(
    choices: CustomerBase | ChoiceData,
    attribute: str,
    green: str | None = None,
    *,
    change: float = 1.0,
    attitude: str | pd.Series | None = None,
    by: str | pd.Series | None = None,
    groups: int = 3,
    attributes: Sequence[str] | None = None,
    constants: Constants | None = "none option",
    interactions: Sequence[str] = (),
    truth: pd.Series | None = None,
    level: float = 0.95,
) -> GreenPremium:
    """Estimate what a green attribute is worth, over all and by who is asked.

    Parameters
    ----------
    choices : CustomerBase or ChoiceData
        A prepared base with the table choices, or its tasks.
    attribute : str
        The green attribute.
    green : str, optional
        Its green level, valued against the reference; left out, the only other level there is.
    change : float
        Of a number: the change that is valued; -1 for one less of a pollutant.
    attitude : str or Series, optional
        Green attitude as a number: a column of the customers or of the survey (the last answer of
        each), or a Series by respondent_id.
    by : str or Series, optional
        Groups of respondents, found in the same way.
    groups : int
        Groups of about equal size into which the attitude is cut for the table.
    attributes, constants, interactions
        As for :func:`keycustomer.pricing.fit_logit`.
    truth : Series, optional
        True premiums by respondent_id, from :func:`keycustomer.pricing.true_premiums`.
    level : float
        Level of the intervals.

    Returns
    -------
    GreenPremium

    Raises
    ------
    TypeError, ValueError
        When the attribute, level or trait is not there, a group is too small, or the price
        coefficient of all respondents is not negative.
    """
    checked_level(level)
    _check_truth(truth)
    source, data = _opened(choices)
    offered = data.attributes if attributes is None else tuple(attributes)
    steps, what = _steps(data, offered, attribute, green, change)
    terms = _terms(offered, constants, interactions)
    whole = fit_logit(data, **terms, level=level)
    rows = [_row("all", EVERYBODY, whole, steps, level)]
    members = {EVERYBODY: data.frame["respondent_id"].unique().astype(object)}
    notes: list[str] = []
    slope, name, score = None, "", None
    if attitude is not None:
        name, known = _attitude(data, source, attitude)
        score = (known - known.mean()) / known.std(ddof=0)
        slope = _slope(whole, terms, score, steps, level)
        rows += _by_group(whole, terms, attitude_groups(known, groups), name, steps, members)
        notes += _unknown(data, known, name)
    if by is not None:
        kind, own = _groups_by(data, source, by)
        rows += _by_group(whole, terms, own, kind, steps, members)
        notes += _unknown(data, own, kind)
    frame = _with_truth(pd.DataFrame(rows), members, truth)
    return GreenPremium(
        frame=frame,
        what=what,
        premium=_of_all(whole, steps, level),
        slope=slope,
        attitude=name.replace("_", " "),
        true_slope=_true_slope(score, truth),
        mean_price=float(data.frame.loc[~data.frame["is_none"], data.price].mean()),
        currency=data.currency,
        simulated=data.simulated,
        notes=(*whole.notes, *notes, *_not_told(frame), STATED),
    )


def _check_truth(truth: object) -> None:
    if truth is None or (isinstance(truth, pd.Series) and pd.api.types.is_numeric_dtype(truth)):
        return
    raise TypeError("truth: give a Series of numbers by respondent_id, as of true_premiums")


def _opened(choices: CustomerBase | ChoiceData) -> tuple[CustomerBase | None, ChoiceData]:
    """Tell base and tasks apart."""
    if isinstance(choices, CustomerBase):
        return choices, read_choices(choices)
    if not isinstance(choices, ChoiceData):
        raise TypeError(f"choices is a {type(choices).__name__}; give a base or read_choices(...)")
    return None, choices


def _terms(
    offered: Sequence[str], constants: Constants | None, interactions: Sequence[str]
) -> dict[str, Any]:
    """Give what all the models have in common."""
    return {"attributes": offered, "constants": constants, "interactions": list(interactions)}


def _attitude(
    data: ChoiceData, source: CustomerBase | None, attitude: str | pd.Series
) -> tuple[str, pd.Series]:
    """Name of the attitude, and its numbers by respondent."""
    known = checked_attitude(trait_of(data, source, attitude, "attitude"))
    return attitude if isinstance(attitude, str) else str(attitude.name or "attitude"), known


def _groups_by(
    data: ChoiceData, source: CustomerBase | None, by: str | pd.Series
) -> tuple[str, pd.Series]:
    """Name of the groups, and the group by respondent."""
    own = trait_of(data, source, by, "by").astype(str)
    return by if isinstance(by, str) else str(by.name or "group"), own


def _steps(
    data: ChoiceData, offered: Sequence[str], attribute: str, green: str | None, change: float
) -> tuple[Steps, str]:
    """Give the packages that are compared, and name the step between them."""
    if attribute not in offered:
        raise ValueError(
            f"attribute={attribute!r} is not in the model; there are {', '.join(offered)}"
        )
    told = attribute.replace("_", " ")
    own = data.levels.get(attribute)
    if own is None:
        if green is not None or not np.isfinite(change) or change == 0:
            raise ValueError(
                f"{attribute!r} is a number: leave green out and give change, a number but 0"
            )
        size = f"{abs(change):g} {'more' if change > 0 else 'less'} of {told}"
        return ({attribute: float(change)}, {attribute: 0.0}), size
    if change != 1:
        raise ValueError(
            f"{attribute!r} is no number: leave change out and give the level green, one of "
            f"{', '.join(map(repr, own[1:]))}"
        )
    level = own[1] if green is None and len(own) == 2 else green
    if level is None or level not in own[1:]:
        raise ValueError(
            f"green={green!r}: give one of {', '.join(map(repr, own[1:]))}; the reference is "
            f"{own[0]!r}"
        )
    return ({attribute: level}, {attribute: own[0]}), f"{level} ({told})"


def _estimate(model: LogitModel, steps: Steps, level: float) -> Estimate:
    """Premium in one model; without a value where the price coefficient is not negative."""
    bottom = price_weights(model)
    unit = model.data.currency or "currency"
    if float(bottom @ model.coefficients.to_numpy()) <= 0:
        why = "the price coefficient is not negative"
        return Estimate.without_interval(float("nan"), unit, model.respondents, why, level)
    ratios = worth_ratios(model, [package_gap(model, *steps)], [bottom])
    return delta_estimate(model, ratios, np.ones(1), level, unit)


def _of_all(model: LogitModel, steps: Steps, level: float) -> Estimate:
    found = _estimate(model, steps, level)
    if np.isnan(found.estimate):
        raise ValueError(
            f"the coefficient of {model.price} is not negative: respondents take the dearer offer, "
            "so that no premium can be told"
        )
    return found


def _not_told(frame: pd.DataFrame) -> list[str]:
    names = frame.loc[frame["premium"].isna(), "group"]
    return [f"{name}: the price coefficient is not negative, no premium" for name in names]


def _row(kind: str, group: str, model: LogitModel, steps: Steps, level: float) -> dict[str, object]:
    found = _estimate(model, steps, level)
    return {
        "kind": kind,
        "group": group,
        "premium": found.estimate,
        "standard_error": (found.upper - found.lower) / 2 / model.margin,
        "lower": found.lower,
        "upper": found.upper,
        "respondents": found.n,
    }


def _by_group(
    whole: LogitModel,
    terms: Mapping[str, Any],
    group: pd.Series,
    kind: str,
    steps: Steps,
    members: dict[str, npt.NDArray[np.object_]],
) -> list[dict[str, object]]:
    """Rows of groups that are fitted each for itself; who is in them is added to `members`."""
    column = f"{kind} group"
    data = whole.data
    frame = data.frame.assign(**{column: data.frame["respondent_id"].map(group).astype(object)})
    models = fit_logit(
        replace(data, frame=frame),
        **terms,
        by=column,
        level=whole.level,
    ).groups
    ordered = group.cat.categories if isinstance(group.dtype, pd.CategoricalDtype) else models
    rows = []
    for name in ordered:
        label = f"{kind.replace('_', ' ')}: {name}"
        members[label] = group.index[(group == name).to_numpy()].to_numpy(dtype=object)
        rows.append(_row(kind, label, models[str(name)], steps, whole.level))
    return rows


def _slope(
    whole: LogitModel, terms: Mapping[str, Any], score: pd.Series, steps: Steps, level: float
) -> Estimate:
    """Rise of the premium from half a standard deviation below the mean attitude to half above."""
    data = whole.data
    frame = data.frame.assign(**{SCORE: data.frame["respondent_id"].map(score)})
    attribute = next(iter(steps[0]))
    # the price too: greener respondents may mind prices less, whatever green is worth
    crossed = [f"{attribute}:{SCORE}", f"{whole.price}:{SCORE}"]
    model = fit_logit(
        replace(data, frame=frame).where(frame[SCORE].notna().to_numpy()),
        **{**terms, "interactions": [*terms["interactions"], *crossed]},
        level=level,
    )
    ends = [{SCORE: 0.5}, {SCORE: -0.5}]
    tops = [package_gap(model, *steps, at=at) for at in ends]
    ratios = worth_ratios(model, tops, [price_weights(model, at=at) for at in ends])
    unit = data.currency or "currency"
    return delta_estimate(model, ratios, np.array([1.0, -1.0]), level, unit)


def _unknown(data: ChoiceData, known: pd.Series, name: str) -> list[str]:
    missing = data.respondents - len(known)
    told = f"{counted(missing, 'respondent')} without {name.replace('_', ' ')} count in no group"
    return [told] if missing else []


def _with_truth(
    frame: pd.DataFrame, members: dict[str, npt.NDArray[np.object_]], truth: pd.Series | None
) -> pd.DataFrame:
    if truth is None:
        return frame.assign(truth=np.nan)
    return frame.assign(truth=[float(truth.reindex(members[g]).mean()) for g in frame["group"]])


def _true_slope(score: pd.Series | None, truth: pd.Series | None) -> float:
    """Slope of the true premiums on the attitude, by least squares over respondents."""
    if score is None or truth is None:
        return float("nan")
    own = truth.reindex(score.index).to_numpy(dtype=float)
    there = np.isfinite(own)
    x = score.to_numpy()[there]
    return float(np.cov(x, own[there], ddof=0)[0, 1] / x.var()) if there.sum() > 1 else float("nan")
