"""Does deal-proneness hold? It is estimated in one window and held against a later one.

:func:`check_deal_proneness` asks three things of customers whose proneness was estimated from
purchases up to a day.  Do the more prone ones go on to buy on deal more than others in the same
categories?  Does the estimate tell the size of it (a slope of 1 says that it was shrunken neither
too much nor too little, and that the trait lasts)?  Does it predict the later share of deals better
than the plain share of the past?  Where the base knows offers and answers to them, such as
campaigns and coupons redeemed, a fourth: do the prone ones answer more often, also among customers
who buy as much?
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.behaviour.deals import DealCounts, read_deals
from keycustomer.dimensions.behaviour.discrimination import weighted_auc
from keycustomer.dimensions.behaviour.proneness import (
    LEAST_LINES,
    FittedProneness,
    fit_proneness,
    log_odds,
    weighted_correlation,
    working_response,
)
from keycustomer.dimensions.behaviour.windows import observed_window, split_day
from keycustomer.dimensions.statements import statement
from keycustomer.lifetime.arguments import Day, whole_number
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Seed, Statistic, checked_level
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.samples import FloatArray

METHODS = ("all alike", "past deal share", "basket", "basket and proneness")
"""Predictions of the later share of deals, from the simplest on."""


@dataclass(frozen=True, eq=False)
class DealCheck:
    """Deal-proneness held against later purchases.

    Attributes
    ----------
    split : date
        Last day of the window in which proneness was estimated.
    customers : int
        Customers with purchases in both windows.
    gone : int
        Customers of the first window without purchases in the second: they tell nothing.
    correlation : Estimate
        Of proneness and the later excess of deals, customers with at least 20 later lines.
    slope, raw_slope : Estimate
        Change of later proneness for one unit of the shrunken, and of the unshrunken estimate.
    prediction : DataFrame
        One row a method: ``method``, ``error`` (root mean square, share of lines, customers with at
        least 20 later lines) with ``lower`` and ``upper``; ``saved`` (error of `basket` less this
        one) with ``saved_lower``, ``saved_upper``.
    groups : DataFrame
        One row a group of customers, the least prone first: ``group``, ``customers``,
        ``proneness`` (mean), ``later_share``, ``expected_share`` (of later lines); where answers
        are known ``offered`` (customers), ``answered``, ``answer_share``, ``lower``, ``upper``.
    answer_auc : DataFrame
        One row a score where answers are known, else empty: ``score``, ``auc`` (chance that one who
        answered scores higher than one who did not) with ``lower``, ``upper``.
    answer : str
        Kind of interaction that counts as an answer; empty where none was asked for.
    """

    split: dt.date
    customers: int
    gone: int
    correlation: Estimate
    slope: Estimate
    raw_slope: Estimate
    prediction: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    answer_auc: pd.DataFrame = field(repr=False)
    answer: str

    @property
    def sentence(self) -> str:
        """The check in words."""
        low, high = self.groups.iloc[0], self.groups.iloc[-1]
        return (
            f"After {self.split} the most prone group bought {high['later_share']:.1%} of its "
            f"lines on deal where {high['expected_share']:.1%} were to be expected, the least "
            f"prone {low['later_share']:.1%} against {low['expected_share']:.1%}; slope "
            f"{self.slope} (unshrunken {self.raw_slope})."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a group."""
        return self.groups.copy()

    def _repr_html_(self) -> str:
        said = [
            self.sentence,
            f"{counted(self.customers, 'customer')} bought in both windows, {self.gone:,} in the "
            "first only.",
            f"Correlation of proneness and later excess {self.correlation}.",
        ]
        tables = {
            "Later purchases by proneness": self.groups,
            "Later share of deals predicted": self.prediction,
            "Who answers": self.answer_auc,
        }
        return report_html("Deal-proneness against later purchases", said, tables)


@dataclass(frozen=True)
class _Draws:
    """How intervals are made."""

    level: float
    draws: int
    seed: Seed


@dataclass(frozen=True, eq=False)
class _Later:
    """Customers of both windows: what was estimated, and what they did later."""

    ids: pd.Index
    shrunken: FloatArray
    raw: FloatArray
    past: pd.DataFrame
    future: pd.DataFrame
    response: FloatArray
    weight: FloatArray
    prone_share: FloatArray

    @property
    def enough(self) -> npt.NDArray[np.bool_]:
        """Customers with enough later lines to speak of their share."""
        return (self.future["lines"] >= LEAST_LINES).to_numpy()


def check_deal_proneness(
    base: CustomerBase,
    *,
    split: Day,
    end: Day = None,
    deeper_than: float = 0.0,
    offer: str | None = None,
    answer: str | None = None,
    groups: int = 5,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
) -> DealCheck:
    """Hold deal-proneness against later purchases.

    Parameters
    ----------
    base : CustomerBase
        The prepared base, with discounts and product categories.
    split : date or ISO string
        Last day whose purchases are used for the estimate.
    end : date or ISO string, optional
        Last day to check on; default: the last observed.
    deeper_than : float
        As in :func:`keycustomer.dimensions.deal_proneness`.
    offer, answer : str, optional
        Kinds of interaction after the split, such as `campaign` and `coupon redemption`: of the
        customers with an offer (or, without `offer`, of all) those with an answer are compared.
    groups : int
        Groups by proneness, as equal in size as can be.
    level, draws, seed
        Bootstrap of customers.

    Returns
    -------
    DealCheck

    Raises
    ------
    ValueError
        When the base lacks what is needed, a kind of interaction does not occur after the split, or
        fewer customers than twice the groups bought in both windows.
    """
    checked_level(level)
    groups = whole_number(groups, "groups", of="groups", least=2)
    day = split_day(base, split)
    window = observed_window(base, day + dt.timedelta(days=1), end)
    early = read_deals(base, {"start": base.start, "end": day}, deeper_than)
    fitted, later = fit_proneness(early), read_deals(base, window, deeper_than)
    both = _matched(early, fitted, later)
    if len(both.ids) < 2 * groups:
        raise ValueError(
            f"only {counted(len(both.ids), 'customer')} bought both until and after {day}; choose "
            f"another split, or fewer groups than {groups}"
        )
    answers = _answers(base, window, both.ids, offer, answer)
    settings = _Draws(level, draws, seed)
    return DealCheck(
        split=day,
        customers=len(both.ids),
        gone=len(early.customers) - len(both.ids),
        correlation=_correlation(both, settings),
        slope=_slope(both, both.shrunken, settings),
        raw_slope=_slope(both, both.raw, settings),
        prediction=_prediction(both, settings),
        groups=_groups(both, answers, groups, level),
        answer_auc=_answer_auc(both, answers, groups, settings),
        answer=answer or "",
    )


def _matched(early: DealCounts, fitted: FittedProneness, later: DealCounts) -> _Later:
    ids = early.customers.intersection(later.customers)
    first, second = early.customers.get_indexer(ids), later.customers.get_indexer(ids)
    lines, deals = later.lines.sum(axis=1)[second], later.deals.sum(axis=1)[second]
    weights = np.where(lines > 0, lines, 1.0)
    expected = (later.lines * later.expected).sum(axis=1)[second] / weights
    offset = log_odds(np.where(lines > 0, expected, 0.5))
    # the step from the average customer uses nothing of what is to be checked
    average = np.full(len(ids), fitted.average)
    response, variance = working_response(average, lines, deals, offset, later.dispersion)
    chance = 1 / (1 + np.exp(-(offset + fitted.shrunken[first][:, None])))
    return _Later(
        ids=ids,
        shrunken=fitted.shrunken[first],
        raw=fitted.raw[first],
        past=early.totals().loc[ids],
        future=later.totals().loc[ids],
        response=response,
        weight=1 / variance,
        prone_share=(lines * chance).sum(axis=1) / lines.sum(axis=1),
    )


def _correlation(both: _Later, settings: _Draws) -> Estimate:
    future = both.future[both.enough]
    excess = ((future["deals"] - future["expected"]) / future["lines"]).to_numpy()
    score = both.shrunken[both.enough]
    if len(score) < 3:
        why = f"{counted(len(score), 'customer')} with {LEAST_LINES} later lines"
        return Estimate.without_interval(np.nan, "correlation", len(score), why, settings.level)
    return _estimate(
        lambda weights: weighted_correlation(weights, score, excess)[:, None],
        len(score),
        "correlation",
        settings,
    )[0]


def _slope(both: _Later, score: FloatArray, settings: _Draws) -> Estimate:
    """Weighted least squares of the later response on a score."""
    known = np.isfinite(score) & np.isfinite(both.response)
    x, y, w = score[known], both.response[known], both.weight[known]
    parts = np.column_stack([w, w * x, w * y, w * x * x, w * x * y])

    def slope(weights: FloatArray) -> FloatArray:
        total, sx, sy, sxx, sxy = (weights @ parts).T
        with np.errstate(divide="ignore", invalid="ignore"):
            return ((sxy - sx * sy / total) / (sxx - sx**2 / total))[:, None]

    return _estimate(slope, len(x), "log odds per log odds", settings)[0]


def _estimate(statistic: Statistic, n: int, unit: str, settings: _Draws) -> list[Estimate]:
    point = statistic(np.ones((1, n)))[0]
    drawn = bootstrap(statistic, np.ones(n), draws=settings.draws, seed=settings.seed)
    return [
        bootstrap_estimate(float(value), drawn[:, k], unit=unit, n=n, level=settings.level)
        for k, value in enumerate(point)
    ]


def _prediction(both: _Later, settings: _Draws) -> pd.DataFrame:
    """Errors of the later share of deals by each method, and what is saved against the basket."""
    enough = both.enough
    past, future = both.past[enough], both.future[enough]
    if len(future) < 3:
        return pd.DataFrame({"method": METHODS})
    alike = past["deals"].sum() / past["lines"].sum()
    predicted = np.column_stack(
        [
            np.full(len(future), alike),
            past["deals"] / past["lines"],
            future["expected"] / future["lines"],
            both.prone_share[enough],
        ]
    )
    squares = (predicted - (future["deals"] / future["lines"]).to_numpy()[:, None]) ** 2

    def errors(weights: FloatArray) -> FloatArray:
        error = np.sqrt(weights @ squares / weights.sum(axis=1, keepdims=True))
        return np.column_stack([error, error[:, [2]] - error])

    estimates = _estimate(errors, len(future), "share of lines", settings)
    rows = [
        {
            "method": method,
            "error": error.estimate,
            "lower": error.lower,
            "upper": error.upper,
            "saved": saved.estimate,
            "saved_lower": saved.lower,
            "saved_upper": saved.upper,
        }
        for method, error, saved in zip(METHODS, estimates[:4], estimates[4:], strict=True)
    ]
    return pd.DataFrame(rows)


def _answers(
    base: CustomerBase,
    window: dict[str, dt.date],
    ids: pd.Index,
    offer: str | None,
    answer: str | None,
) -> pd.DataFrame:
    """Who had an offer and who answered, by customer; empty where nothing was asked for."""
    if answer is None:
        if offer is not None:
            raise ValueError(f"offer={offer!r} needs the kind of interaction that answers it")
        return pd.DataFrame(index=ids)
    answered = _with_interaction(base, window, answer, "answer")
    offered = _with_interaction(base, window, offer, "offer") if offer else ids
    frame = pd.DataFrame({"offered": ids.isin(offered), "answered": ids.isin(answered)}, index=ids)
    return frame.assign(answered=frame["answered"] & frame["offered"])


def _with_interaction(
    base: CustomerBase, window: dict[str, dt.date], kind: str, argument: str
) -> pd.Series:
    found = base.query(statement("later_contacts"), kind=kind, **window)["customer_id"]
    if found.empty:
        kinds = base.query("select distinct kind from interactions order by kind")["kind"]
        raise ValueError(
            f"{argument}: no interaction of kind {kind!r} between {window['start']} and "
            f"{window['end']}; kinds in the base: {', '.join(map(repr, kinds)) or 'none'}"
        )
    return found


def _groups(both: _Later, answers: pd.DataFrame, groups: int, level: float) -> pd.DataFrame:
    place = _equal_parts(both.shrunken, groups)
    frame = both.future.assign(proneness=both.shrunken, group=place + 1).groupby("group")
    sums = frame[["lines", "deals", "expected"]].sum()
    table = pd.DataFrame(
        {
            "customers": frame.size(),
            "proneness": frame["proneness"].mean(),
            "later_share": sums["deals"] / sums["lines"],
            "expected_share": sums["expected"] / sums["lines"],
        }
    )
    if len(answers.columns):
        counts = answers.groupby(place + 1)[["offered", "answered"]].sum()
        lower, upper = wilson_interval(counts["answered"], counts["offered"], level)
        share = counts["answered"] / counts["offered"].where(counts["offered"] > 0)
        table = table.assign(
            offered=counts["offered"],
            answered=counts["answered"],
            answer_share=share,
            lower=lower,
            upper=upper,
        )
    return table.reset_index()


def _equal_parts(values: FloatArray, parts: int) -> npt.NDArray[np.int64]:
    """Give each value the number of its part by rank, parts as equal in size as can be."""
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    return rank * parts // len(values)


def _answer_auc(both: _Later, answers: pd.DataFrame, groups: int, settings: _Draws) -> pd.DataFrame:
    """Areas of proneness, of how much was bought, and of proneness among equals in that."""
    if not len(answers.columns):
        return pd.DataFrame()
    offered = answers["offered"].to_numpy()
    positive = answers["answered"].to_numpy()[offered]
    score, bought = both.shrunken[offered], both.past["lines"].to_numpy()[offered]
    strata = _equal_parts(bought, groups)

    def areas(weights: FloatArray) -> FloatArray:
        return np.column_stack(
            [
                weighted_auc(weights, score, positive),
                weighted_auc(weights, bought, positive),
                weighted_auc(weights, score, positive, strata),
            ]
        )

    scores = ("proneness", "lines bought", "proneness among those who buy as much")
    estimates = _estimate(areas, len(score), "area under the ROC curve", settings)
    return pd.DataFrame(
        [
            {"score": name, "auc": e.estimate, "lower": e.lower, "upper": e.upper}
            for name, e in zip(scores, estimates, strict=True)
        ]
    )
