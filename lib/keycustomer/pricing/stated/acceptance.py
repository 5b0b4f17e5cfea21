"""Gabor & Granger: who would buy at which price, asked price by price.

Question: how many would buy at each price tested, and which of them brings most?
:func:`gabor_granger` takes the dearest price each respondent accepts (or yes and no at each price)
and gives a :class:`StatedDemand`: the share that accepts each price with its interval, revenue,
profit, and the arc elasticity between neighbouring prices, by the midpoint formula

    (change of demand / mean demand) / (change of price / mean price),

which is not the elasticity at a price.  The interval of the best price is that of the best price
*among those tested*: it names tested prices.

Source: Gabor & Granger (1966), Economica 33, 43-70; the arc elasticity is that of Allen (1934).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted, made_up_note, percent, report_html
from keycustomer.dimensions.complaints import listed
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate, percentile_interval
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.proportion import wilson_interval
from keycustomer.stats.samples import FloatArray

Inconsistent = Literal["exclude", "lowest", "highest"]

SAME = 1e-12
"""Relative difference of two profits that rounding alone makes."""


@dataclass(frozen=True, eq=False)
class StatedDemand:
    """Demand by price as respondents state it.

    Attributes
    ----------
    method : str
        How it was asked.
    frame : DataFrame
        One row a price: price; buyers (number, or sum of weights, who accept it); demand (their
        share, 0..1) with lower and upper; revenue, profit (currency, from all respondents);
        arc_elasticity (between this price and the one before it, midpoint formula); best (share of
        bootstrap draws in which no price brings more profit).
    best_revenue, best_profit : Estimate
        Prices among those tested that bring most.
    unit_cost : float
        Cost per unit, currency.
    respondents : int
        Respondents the curve rests on.
    excluded : DataFrame
        reason, respondents: those left out.
    currency : str
        Unit of the prices.
    simulated : bool
        Whether the answers are made up.
    level : float
        Level of the intervals.
    notes : tuple of str
        What the reader should know.
    """

    method: str
    frame: pd.DataFrame = field(repr=False)
    best_revenue: Estimate
    best_profit: Estimate
    unit_cost: float
    respondents: int
    excluded: pd.DataFrame = field(repr=False)
    currency: str
    simulated: bool
    level: float
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The result in words."""
        unit = f" {self.currency}" if self.currency else ""
        at_best = self.frame["price"] == self.best_profit.estimate
        accepting = float(self.frame.loc[at_best, "demand"].iloc[0])
        return (
            f"Revenue is largest at {self.best_revenue}{unit}, profit at a unit cost of "
            f"{self.unit_cost:,.4g} at {self.best_profit}{unit}, which {percent(accepting)} of "
            f"{counted(self.respondents, 'respondent')} accept."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a price."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = [
            *made_up_note(self.simulated),
            self.sentence,
            *self.notes,
        ]
        shown = self.frame.rename(columns={"demand": "share who buy", "best": "share best"})
        return report_html(self.method, said, {"By price": shown, "Not used": self.excluded})


def gabor_granger(
    answers: pd.Series | pd.DataFrame | npt.ArrayLike,
    prices: npt.ArrayLike | None = None,
    *,
    unit_cost: float = 0.0,
    inconsistent: Inconsistent = "exclude",
    weights: npt.ArrayLike | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
    currency: str = "",
    simulated: bool = False,
    progress: Progress | None = None,
) -> StatedDemand:
    """Measure demand from the prices respondents accept.

    Parameters
    ----------
    answers : Series, array or DataFrame
        The dearest price each respondent accepts, 0 who accepts none, NaN who did not answer; or a
        table with a column a price (its name) and yes and no (true and false, 1 and 0) in it.
    prices : array, optional
        Prices tested; left out, those that answers name, or the table's columns.
    unit_cost : float
        Cost per unit, currency.
    inconsistent : {"exclude", "lowest", "highest"}
        Of a table: what is done with respondents who refuse a price and accept a dearer one: leave
        them out, believe the first refusal, or the dearest price accepted.
    weights : array, optional
        Weight of each respondent, above 0.
    level, draws, seed, progress
        Wilson intervals of demand (bootstrap where there are weights), percentile bootstrap of
        respondents for the best prices.
    currency : str
        Unit of the prices.
    simulated : bool
        Whether the answers are made up.

    Returns
    -------
    StatedDemand

    Raises
    ------
    ValueError
        When there is nothing to measure, fewer than two prices were tested, answers are no tested
        prices, or the unit cost is not below the dearest price.
    """
    if isinstance(answers, pd.DataFrame):
        dearest, tested, excluded = _from_table(answers, prices, inconsistent)
    else:
        dearest, tested = _from_dearest(answers, prices)
        excluded = []
    silent = np.isnan(dearest)
    reasons = [("no answer", int(silent.sum()) - sum(n for _, n in excluded)), *excluded]
    return stated_demand(
        dearest[~silent],
        tested,
        method="Gabor-Granger",
        unit_cost=unit_cost,
        weights=_some(weights, silent),
        excluded=[reason for reason in reasons if reason[1]],
        level=level,
        draws=draws,
        seed=seed,
        currency=currency,
        simulated=simulated,
        progress=progress,
    )


def stated_demand(
    dearest: FloatArray,
    prices: FloatArray,
    *,
    method: str,
    unit_cost: float,
    weights: FloatArray | None,
    excluded: list[tuple[str, int]],
    level: float,
    draws: int,
    seed: Seed,
    currency: str,
    simulated: bool,
    progress: Progress | None,
    notes: tuple[str, ...] = (),
) -> StatedDemand:
    """Demand curve of respondents who buy up to a price of their own.

    Parameters
    ----------
    dearest : ndarray, shape (respondents,)
        The dearest price each accepts, 0 for none.
    prices : ndarray, shape (prices,)
        Rising prices at which demand is told.
    method : str
        Name of the method.
    excluded : list of (str, int)
        Reasons and respondents left out.
    notes : tuple of str
        What the reader should know.
    unit_cost, weights, level, draws, seed, currency, simulated, progress
        As in :func:`gabor_granger`.
    """
    checked_level(level)
    _check(dearest, prices, unit_cost, weights)
    accepts = (dearest[:, None] >= prices).astype(float)
    weight = np.ones(len(dearest)) if weights is None else weights
    curves = bootstrap(
        lambda counts: (counts * weight) @ accepts / (counts * weight).sum(axis=1)[:, None],
        np.ones(len(dearest)),
        draws=draws,
        seed=seed,
        progress=progress,
    )
    frame = _frame(weight @ accepts, float(weight.sum()), prices, curves, unit_cost)
    lower, upper = _ends(frame, curves, weights is None, float(len(dearest)), level)
    frame.insert(3, "lower", lower)
    frame.insert(4, "upper", upper)
    told: dict[str, Any] = {"unit": currency or "price", "n": len(dearest), "level": level}
    best_revenue, best_profit = (
        bootstrap_estimate(*_best_price(frame, curves, cost), **told) for cost in (0.0, unit_cost)
    )
    return StatedDemand(
        method=method,
        frame=frame,
        best_revenue=best_revenue,
        best_profit=best_profit,
        unit_cost=float(unit_cost),
        respondents=len(dearest),
        excluded=pd.DataFrame(excluded, columns=["reason", "respondents"]),
        currency=currency,
        simulated=simulated,
        level=level,
        notes=(*notes, *_notes(frame)),
    )


def _best_price(
    frame: pd.DataFrame, curves: FloatArray, unit_cost: float
) -> tuple[float, FloatArray]:
    """Price that brings most, of the respondents themselves and of every resample."""
    prices, demand = frame["price"].to_numpy(float), frame["demand"].to_numpy(float)
    gain = prices - unit_cost
    return float(prices[np.argmax(gain * demand)]), prices[(curves * gain).argmax(axis=1)]


def _ends(
    frame: pd.DataFrame, curves: FloatArray, equal: bool, everybody: float, level: float
) -> tuple[FloatArray, FloatArray]:
    """Interval of demand: Wilson's where all count equally, else that of the resamples."""
    if equal:
        return wilson_interval(frame["buyers"].to_numpy(float), everybody, level)
    lower, upper = np.array([percentile_interval(one, level) for one in curves.T]).T
    return lower, upper


def _frame(
    buyers: FloatArray,
    everybody: float,
    prices: FloatArray,
    curves: FloatArray,
    unit_cost: float,
) -> pd.DataFrame:
    """Curve on the respondents themselves, and how often each price is the best resampled."""
    profits = curves * (prices - unit_cost)
    most = profits.max(axis=1, keepdims=True)
    demand = buyers / everybody
    return pd.DataFrame(
        {
            "price": prices,
            "buyers": buyers,
            "demand": demand,
            "revenue": prices * buyers,
            "profit": (prices - unit_cost) * buyers,
            "arc_elasticity": arc_elasticities(prices, demand),
            "best": (profits >= most - SAME * np.abs(most)).mean(axis=0),
        }
    )


def arc_elasticities(prices: FloatArray, demand: FloatArray) -> FloatArray:
    """Arc elasticity between each price and the one before it, by the midpoint formula.

    Parameters
    ----------
    prices, demand : ndarray, shape (prices,)
        Rising prices and what is sold at each.

    Returns
    -------
    ndarray, shape (prices,)
        NaN at the first price, and where nothing is sold at either.

    Examples
    --------
    >>> arc_elasticities(np.array([1.0, 3.0]), np.array([3.0, 1.0])).tolist()
    [nan, -1.0]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.diff(demand) / (demand[1:] + demand[:-1])
        found = change / (np.diff(prices) / (prices[1:] + prices[:-1]))
    return np.append(np.nan, found)


def _from_dearest(
    answers: npt.ArrayLike, prices: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    dearest = given_numbers(answers, "answers")
    if dearest.ndim != 1:
        raise ValueError(
            "answers must hold one price a respondent; a table of yes and no is given as a "
            "DataFrame whose columns are the prices"
        )
    named = np.unique(dearest[dearest > 0])
    tested = named if prices is None else tested_prices(prices)
    strange = ~np.isnan(dearest) & (dearest != 0) & ~np.isin(dearest, tested)
    if strange.any():
        raise ValueError(
            f"answers: {counted(int(strange.sum()), 'answer')} not among the prices tested "
            f"{listed(tested, 6)}, first {dearest[strange][:3].tolist()}; who accepts none has 0"
        )
    return dearest, tested


def _from_table(
    table: pd.DataFrame, prices: npt.ArrayLike | None, inconsistent: str
) -> tuple[FloatArray, FloatArray, list[tuple[str, int]]]:
    if inconsistent not in ("exclude", "lowest", "highest"):
        raise ValueError(f"inconsistent={inconsistent!r} must be 'exclude', 'lowest' or 'highest'")
    names = list(table.columns) if prices is None else list(np.asarray(prices).tolist())
    try:
        tested = np.array([float(name) for name in names])
    except ValueError:
        raise ValueError(
            f"the table's columns {listed(names, 6)} must be the prices tested, as numbers"
        ) from None
    order = np.argsort(tested)
    if len(np.unique(tested)) < len(tested) or not np.isfinite(tested).all():
        raise ValueError(f"the prices tested {listed(names, 6)} must be finite, each once")
    said = np.column_stack([_answered(table[names[k]]) for k in order])
    tested = tested[order]
    wrong = ~np.isnan(said) & ~np.isin(said, (0, 1))
    if wrong.any():
        raise ValueError(
            f"answers must be yes and no (true and false, 1 and 0), got "
            f"{np.unique(said[wrong])[:3].tolist()}"
        )
    silent = np.isnan(said).any(axis=1)
    contrary = ~silent & (np.diff(np.nan_to_num(said), axis=1) > 0).any(axis=1)
    accepted = np.nan_to_num(said) > 0
    first = np.append(0.0, tested)[np.cumprod(accepted, axis=1).sum(axis=1).astype(int)]
    last = np.where(accepted, tested, 0.0).max(axis=1)
    dearest = np.where(silent, np.nan, last if inconsistent == "highest" else first)
    if inconsistent != "exclude":
        return dearest, tested, []
    reason = "refuses a price and accepts a dearer one"
    return np.where(contrary, np.nan, dearest), tested, [(reason, int(contrary.sum()))]


def _answered(column: pd.Series) -> FloatArray:
    """Yes and no at one price as 1 and 0, NaN where not answered."""
    numbers = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(float)
    odd = np.isnan(numbers) & column.notna().to_numpy()
    if odd.any():
        raise ValueError(
            f"answers at price {float(str(column.name)):g}: {counted(int(odd.sum()), 'answer')} "
            f"neither true and false nor 1 and 0, first at rows {column.index[odd][:3].tolist()}: "
            f"{', '.join(map(repr, column[odd].head(3)))}"
        )
    return np.asarray(numbers)


def given_numbers(values: npt.ArrayLike, name: str) -> FloatArray:
    """Read an argument of numbers.

    Raises
    ------
    ValueError
        When some are no numbers.
    """
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold numbers, got {values!r:.60}") from None


def tested_prices(prices: npt.ArrayLike) -> FloatArray:
    """Give the prices tested in order, each once.

    Raises
    ------
    ValueError
        When one is no finite number.
    """
    found = np.unique(given_numbers(prices, "prices"))
    if not np.isfinite(found).all():
        raise ValueError(f"prices {found.tolist()[:5]} must be finite amounts")
    return found


def _some(weights: npt.ArrayLike | None, silent: npt.NDArray[np.bool_]) -> FloatArray | None:
    if weights is None:
        return None
    given = np.asarray(weights, dtype=float)
    if given.shape != silent.shape:
        raise ValueError(
            f"weights have shape {given.shape}, there are {len(silent):,} respondents: one each"
        )
    return given[~silent]


def _check(
    dearest: FloatArray, prices: FloatArray, unit_cost: float, weights: FloatArray | None
) -> None:
    if len(dearest) < 2:
        raise ValueError(f"{counted(len(dearest), 'respondent')} answered: at least 2 are needed")
    if (dearest < 0).any() or not np.isfinite(dearest).all():
        raise ValueError("answers must be prices of at least 0, finite")
    if len(prices) < 2 or prices[0] <= 0:
        raise ValueError(
            f"prices {prices.tolist()[:5]}: at least two prices above 0 must have been tested; at "
            "one price alone nothing is learnt about other prices"
        )
    if not 0 <= unit_cost < prices[-1]:
        raise ValueError(
            f"unit_cost={unit_cost!r} must be at least 0 and below the dearest price tested, "
            f"{prices[-1]:g}: at or below cost no price brings a profit"
        )
    paying = prices[prices > unit_cost][0]
    if dearest.max() < paying:
        raise ValueError(
            f"nobody of {counted(len(dearest), 'respondent')} accepts {paying:g}, the lowest price "
            f"tested above unit_cost={unit_cost:g}: no price is best; test lower ones"
        )
    if weights is not None and not ((weights > 0) & np.isfinite(weights)).all():
        raise ValueError("weights must be finite and above 0; leave out whom you do not count")


def _notes(frame: pd.DataFrame) -> list[str]:
    notes = []
    place = int(frame["profit"].argmax())
    if place in (0, len(frame) - 1):
        end = "lowest" if place == 0 else "dearest"
        notes.append(
            f"the best price is the {end} one tested: test prices beyond it before you believe it"
        )
    close = frame.loc[frame["best"] > 0.05, "price"]
    if len(close) > 1:
        notes.append(
            f"{counted(len(close), 'price')} from {close.min():g} to {close.max():g} are each best "
            "in more than 5 % of the resamples"
        )
    return notes
