"""Newton, Miller & Smith: from price points to how many would buy, and at what revenue.

Question: which price would most people buy at, and which brings most?  To van Westendorp's four
questions two are added: how likely would you buy at the price you called cheap, and at the one you
called expensive?  A respondent's chance to buy is then 0 at the prices called too cheap and too
expensive, as stated at the two between, and straight in between: :func:`newton_miller_smith` adds
these up to the reach of a price, and reads off the prices of most reach, revenue and profit.

Stated intentions overrate buying; the scale's answers are therefore taken for much less than
certainty (`CALIBRATION`).  The prices depend on the calibration little, the reach wholly.

Source: Newton, Miller & Smith (1993), American Marketing Association Advanced Research Techniques
Forum; calibration as in the R package pricesensitivitymeter (Alletsee).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.dimensions.complaints import listed
from keycustomer.pricing.stated.price_answers import PriceAnswers, read_price_points
from keycustomer.pricing.stated.sensitivity import FEWEST, contradictions
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

CALIBRATION: dict[Any, float] = {5: 0.7, 4: 0.5, 3: 0.3, 2: 0.1, 1: 0.0}
"""Probability to buy for each answer on a scale from 1 (certainly not) to 5 (certainly)."""

MOST_PRICES = 400
"""Prices at which the curves are computed; of more, evenly spaced ones."""


@dataclass(frozen=True, eq=False)
class ReachCurves:
    """Reach, revenue and profit of each price, by what respondents state.

    Attributes
    ----------
    frame : DataFrame
        One row a price: price, reach (mean probability to buy, 0..1), revenue, profit (currency
        per respondent).
    best_reach, best_revenue, best_profit : Estimate
        Prices at which each is largest.
    unit_cost : float
        Cost per unit, currency.
    respondents, contradicting : int
        Questionnaires used, and those left out since they contradict themselves.
    excluded : DataFrame
        reason, questionnaires: incomplete ones.
    currency : str
        Unit of the prices.
    simulated : bool
        Whether the answers are made up.
    notes : tuple of str
        What the reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    best_reach: Estimate
    best_revenue: Estimate
    best_profit: Estimate
    unit_cost: float
    respondents: int
    contradicting: int
    excluded: pd.DataFrame = field(repr=False)
    currency: str
    simulated: bool
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The result in words."""
        unit = f" {self.currency}" if self.currency else ""
        most = float(self.frame["reach"].max())
        return (
            f"Most would buy at {self.best_reach}{unit} ({percent(most)} of the respondents); "
            f"revenue is largest at {self.best_revenue}{unit}, profit at a unit cost of "
            f"{self.unit_cost:,.4g} at {self.best_profit}{unit}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a price."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        best = pd.DataFrame(
            [
                {"most": name, "price": one.estimate, "from": one.lower, "to": one.upper}
                for name, one in (
                    ("reach", self.best_reach),
                    ("revenue", self.best_revenue),
                    ("profit", self.best_profit),
                )
            ]
        )
        said = [
            *made_up_note(self.simulated),
            self.sentence,
            *self.notes,
        ]
        tables = {"Best prices": best, "Not used": self.excluded}
        return report_html("Reach by price (Newton, Miller & Smith)", said, tables)


def newton_miller_smith(
    answers: PriceAnswers | pd.DataFrame,
    cheap_intent: Any,
    expensive_intent: Any,
    *,
    calibration: Mapping[Any, float] | None = None,
    unit_cost: float = 0.0,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> ReachCurves:
    """Estimate reach, revenue and profit by price.

    Parameters
    ----------
    answers : PriceAnswers or DataFrame
        From :func:`read_price_points`, or a table with its four columns.
    cheap_intent, expensive_intent : Series, or float
        Answers to the two questions on buying, at the price called cheap and the one called
        expensive, by the index of the table read or by customer_id; or one probability for all,
        where nobody was asked.
    calibration : mapping, optional
        Probability to buy for each answer; left out, `CALIBRATION`.
    unit_cost : float
        Cost per unit, currency.
    level, draws, seed, progress
        Percentile bootstrap of respondents.

    Raises
    ------
    ValueError
        When answers cannot be read, an intention is not on the scale, or too few respondents
        remain.
    """
    checked_level(level)
    if not 0 <= unit_cost < np.inf:
        raise ValueError(f"unit_cost={unit_cost!r} must be an amount of at least 0")
    read = read_price_points(answers) if isinstance(answers, pd.DataFrame) else answers
    scale = _scale(calibration)
    stated = [
        _chances(cheap_intent, "cheap_intent", read, scale),
        _chances(expensive_intent, "expensive_intent", read, scale),
    ]
    valid = contradictions(read.prices) == ""
    asked = np.isfinite(stated[0]) & np.isfinite(stated[1])
    used = valid & asked
    _refuse_too_few(int(used.sum()))
    prices = read.prices[used]
    grid = _grid(prices)
    bought = purchase_chances(prices, stated[0][used], stated[1][used], grid)
    reach = bought.mean(axis=0)
    _refuse_no_buyer(reach, grid, unit_cost)
    best_reach, best_revenue, best_profit = _best_prices(
        bought, grid, unit_cost, read, used, (level, draws, seed, progress)
    )
    return ReachCurves(
        frame=pd.DataFrame(
            {"price": grid, "reach": reach}
            | {"revenue": grid * reach, "profit": (grid - unit_cost) * reach}
        ),
        best_reach=best_reach,
        best_revenue=best_revenue,
        best_profit=best_profit,
        unit_cost=float(unit_cost),
        respondents=int(used.sum()),
        contradicting=int((~valid).sum()),
        excluded=read.excluded,
        currency=read.currency,
        simulated=read.simulated,
        notes=(*read.notes, *_notes(cheap_intent, expensive_intent, int((valid & ~asked).sum()))),
    )


def purchase_chances(
    prices: FloatArray, at_cheap: FloatArray, at_expensive: FloatArray, grid: FloatArray
) -> FloatArray:
    """Chance of each respondent to buy at each price: straight between four stated points.

    Parameters
    ----------
    prices : ndarray, shape (respondents, 4)
        Strictly rising from too cheap to too expensive.
    at_cheap, at_expensive : ndarray, shape (respondents,)
        Probability to buy at the second and third price; it is 0 at the first and last.
    grid : ndarray, shape (prices,)
        Prices asked for.

    Returns
    -------
    ndarray, shape (respondents, prices)
    """
    knots = np.column_stack([np.zeros(len(prices)), at_cheap, at_expensive, np.zeros(len(prices))])
    chances = np.zeros((len(prices), len(grid)))
    for k in range(3):
        start, end = prices[:, k, None], prices[:, k + 1, None]
        part = (grid - start) / (end - start)
        inside = (part >= 0) & (part <= 1)
        line = knots[:, k, None] + part * (knots[:, k + 1, None] - knots[:, k, None])
        chances = np.where(inside, line, chances)
    return chances


def _chances(
    intent: Any, name: str, answers: PriceAnswers, scale: Mapping[Any, float]
) -> FloatArray:
    """Probability to buy of every complete questionnaire, NaN where it was not stated."""
    if isinstance(intent, (int, float)) and not isinstance(intent, bool):
        if not 0 <= intent <= 1:
            raise ValueError(
                f"{name}={intent!r}: one probability for all must lie between 0 and 1; answers on "
                "a scale are given as a series"
            )
        return np.full(len(answers.frame), float(intent))
    if not isinstance(intent, pd.Series):
        raise ValueError(f"{name}: a series of answers, or one probability for all, is needed")
    if not intent.index.is_unique:
        raise ValueError(
            f"{name}: '{intent.index[intent.index.duplicated()][0]}' stands twice in its index; "
            "give one answer a respondent"
        )
    whose: Any = answers.frame.index
    if "customer_id" in answers.frame and not whose.isin(intent.index).any():
        whose = answers.frame["customer_id"]
    given = intent.reindex(whose)
    off = given.notna() & ~given.isin(list(scale))
    if off.any():
        raise ValueError(
            f"{name}: {counted(int(off.sum()), 'answer')} not on the scale {listed(scale)}, first "
            f"{given[off].iloc[:3].tolist()}; give the scale's probabilities as calibration"
        )
    return given.map(scale).to_numpy(float)


def _scale(calibration: Mapping[Any, float] | None) -> dict[Any, float]:
    scale = dict(CALIBRATION if calibration is None else calibration)
    wrong = {answer: chance for answer, chance in scale.items() if not 0 <= chance <= 1}
    if wrong:
        raise ValueError(f"calibration={wrong}: probabilities must lie between 0 and 1")
    return scale


def _refuse_no_buyer(reach: FloatArray, grid: FloatArray, unit_cost: float) -> None:
    if not reach[grid > unit_cost].any():
        raise ValueError(
            f"nobody would buy at a price above unit_cost={unit_cost:g}, at any of the "
            f"{len(grid):,} prices named: no price is best; look at the intentions, their "
            "calibration and the cost"
        )


def _refuse_too_few(used: int) -> None:
    if used < FEWEST:
        raise ValueError(
            f"{counted(used, 'respondent')} with rising prices and both intentions: at least "
            f"{FEWEST} are needed"
        )


def _grid(prices: FloatArray) -> FloatArray:
    named = np.unique(prices)
    if len(named) <= MOST_PRICES:
        return named
    return np.linspace(named[0], named[-1], MOST_PRICES)


def _best_prices(
    bought: FloatArray,
    grid: FloatArray,
    unit_cost: float,
    answers: PriceAnswers,
    used: np.ndarray,
    how: tuple[float, int, Seed, Progress | None],
) -> list[Estimate]:
    level, draws, seed, progress = how
    people, owner = np.unique(answers.respondents[used], return_inverse=True)
    gains = np.stack([np.ones_like(grid), grid, grid - unit_cost])

    def best(counts: FloatArray) -> FloatArray:
        reach = counts[:, owner] @ bought
        return grid[(reach[:, None, :] * gains).argmax(axis=2)]

    drawn = bootstrap(best, np.ones(len(people)), draws=draws, seed=seed, progress=progress)
    found, unit = best(np.ones((1, len(people))))[0], answers.currency or "price"
    return [
        bootstrap_estimate(float(found[k]), drawn[:, k], unit=unit, n=len(bought), level=level)
        for k in range(3)
    ]


def _notes(cheap: Any, expensive: Any, silent: int) -> list[str]:
    notes = []
    if not isinstance(cheap, pd.Series) and not isinstance(expensive, pd.Series):
        notes.append(
            f"nobody was asked how likely a purchase is: {percent(float(cheap), 0)} at the cheap "
            f"and {percent(float(expensive), 0)} at the expensive price are assumed for all"
        )
    if silent:
        notes.append(f"{counted(silent, 'respondent')} did not state both intentions")
    return notes
