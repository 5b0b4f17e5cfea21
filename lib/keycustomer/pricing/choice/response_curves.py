"""One offer's share, revenue and profit at every price, and its best price in a choice model.

:func:`price_response` moves the price of one offer while the other offers (and none) stay as they
are.  For respondents of one kind the best price has a closed form, p = c + (1 + W(e^(u - 1)))/a
with the slope a of utility in price, u the utility of the offer at cost over that of all others
together, and Lambert's W.  Over respondents who differ, the best price of all lies between their
own best prices, where it is searched.  Rivals do not answer here: see
:func:`keycustomer.pricing.equilibrium_prices` for what happens if they do.

Sources: Aravindakshan & Ratchford (2011), Review of Marketing Science 9(1), for the closed form;
Train (2009), section 3.6, for elasticities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import report_html
from keycustomer.pricing.choice.offer_rows import (
    ChoiceModel,
    OfferRows,
    Offers,
    Values,
    offer_rows,
    offer_table,
    taste_draws,
    utilities,
)
from keycustomer.pricing.choice.offers import check_draws, checked_model, model_name, share_notes
from keycustomer.pricing.optimal.demand_curves import NoOptimalPrice
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.estimate import Estimate
from keycustomer.stats.samples import FloatArray

POINTS = 41
"""Prices of a curve, and of one round of the search."""

ROUNDS = 6
"""Rounds of the search; each narrows the range to two of its forty steps."""


@dataclass(frozen=True, eq=False)
class OfferPriceResponse:
    """What one offer does at every price, the others staying as they are.

    Attributes
    ----------
    frame : DataFrame
        One row a price: ``price``, ``share`` (0..1), ``lower``, ``upper``, ``revenue``, ``profit``
        (both of a respondent), ``elasticity`` (of the share in the price).
    offer : str
        The offer.
    price : float
        Its price as given.
    unit_cost : float
        Cost of serving one who takes it, in the unit of the price.
    best : Estimate
        Price with the largest profit (the largest revenue where the unit cost is 0); its upper end
        is infinite where draws have a price coefficient that is not negative.
    best_profit, profit_now : float
        Profit of a respondent at the best price, and at the price as given.
    tested : tuple of float
        Lowest and highest price in the tasks.
    currency : str
        Currency; empty where not known.
    simulated : bool
        Whether the data are made up.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    offer: str
    price: float
    unit_cost: float
    best: Estimate
    best_profit: float
    profit_now: float
    tested: tuple[float, float]
    currency: str = ""
    simulated: bool = False
    notes: tuple[str, ...] = ()

    @property
    def gain(self) -> float:
        """Profit at the best price over that at the price as given, less 1; NaN where that is 0."""
        return self.best_profit / self.profit_now - 1 if self.profit_now > 0 else math.nan

    @property
    def sentence(self) -> str:
        """The best price in words."""
        made_up = "Simulated: " if self.simulated else ""
        what = "profit" if self.unit_cost else "revenue"
        unit = f" {self.currency}" if self.currency else ""
        return (
            f"{made_up}{self.offer} brings the largest {what} at {_told(self.best.estimate)}{unit} "
            f"[{_told(self.best.lower)}, {_told(self.best.upper)}], while the others stay as they "
            "are."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a price."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame.iloc[:: max(len(self.frame) // 10, 1)]
        shown = shown.rename(columns={"lower": "share from", "upper": "share to"})
        shown["share"] = shown["share"].round(3)
        return report_html("Price response", [self.sentence, *self.notes], {"Some prices": shown})


def _told(price: float) -> str:
    """Write a price to the cent, or to three digits where it is a part of a cent."""
    return f"{price:.3g}" if 0 < abs(price) < 0.1 else f"{price:,.2f}"


@dataclass(frozen=True, eq=False)
class _Curve:
    """Advantage of an offer at price 0 over all others together, and its slope in price.

    Shapes (draws, respondents); shares of the respondents (respondents,).
    """

    ahead: FloatArray
    slope: FloatArray
    weights: FloatArray

    def shares(self, price: FloatArray) -> FloatArray:
        """Share at prices of shape (draws or 1, prices): shape (draws, prices)."""
        each = self._each(price)
        return np.einsum("drp,r->dp", each, self.weights)

    def slopes(self, price: FloatArray) -> FloatArray:
        """Differentiate the share by the price, of the shape of :meth:`shares`."""
        each = self._each(price)
        return np.einsum("drp,dr,r->dp", each * (1 - each), self.slope, self.weights)

    def _each(self, price: FloatArray) -> FloatArray:
        from scipy.special import expit

        utility = self.ahead[:, :, None] + self.slope[:, :, None] * price[:, None, :]
        return np.asarray(expit(utility))

    def best(self, cost: float) -> FloatArray:
        """Price with the largest (price - cost) x share, shape (draws,)."""
        from scipy.special import wrightomega

        own = cost + (1 + wrightomega(self.ahead + self.slope * cost - 1)) / -self.slope
        low, high = own.min(axis=1), own.max(axis=1)
        for _ in range(ROUNDS if own.shape[1] > 1 else 0):
            prices = cost + np.geomspace(low - cost, high - cost, POINTS, axis=1)
            top = ((prices - cost) * self.shares(prices)).argmax(axis=1)
            rows = np.arange(len(prices))
            low = prices[rows, np.maximum(top - 1, 0)]
            high = prices[rows, np.minimum(top + 1, POINTS - 1)]
        return (low + high) / 2

    def part(self, kept: npt.NDArray[np.bool_]) -> _Curve:
        """Keep some draws."""
        return _Curve(self.ahead[kept], self.slope[kept], self.weights)


def price_response(
    model: ChoiceModel,
    offers: Offers,
    offer: str,
    *,
    unit_cost: float = 0.0,
    prices: npt.ArrayLike | None = None,
    none: bool = True,
    at: Values | None = None,
    level: float = 0.95,
    draws: int = 300,
    seed: Seed = 0,
) -> OfferPriceResponse:
    """Compute share, revenue and profit of one offer at every price, and its best price.

    Parameters
    ----------
    model : LogitModel or MixedLogitModel
        Fitted model.
    offers : DataFrame or mapping
        The offers side by side, as for :func:`keycustomer.pricing.offer_shares`.
    offer : str
        The offer whose price moves.
    unit_cost : float
        Cost of serving one who takes it; 0 for the price with the largest revenue.
    prices : array, optional
        Prices of the curve; default: from the lowest price tested (or the cost) to the highest
        tested.
    none, at, level, draws, seed
        As for :func:`keycustomer.pricing.offer_shares`.

    Returns
    -------
    OfferPriceResponse

    Raises
    ------
    NoOptimalPrice
        When the offer stands alone and must be taken, or a price coefficient is not negative.
    ValueError
        When the offer is not there, or costs or prices are no sound numbers.
    """
    checked_model(model)
    check_draws(level, draws)
    table = offer_table(offers)
    _check_offer(offer, table, unit_cost)
    rows = offer_rows(model, table, none=none, at=at)
    if len(rows.names) == 1:
        raise NoOptimalPrice(
            f"{offer!r} stands alone and must be taken, whatever its price: add the offers it "
            "competes with, or a model of tasks in which none could be taken"
        )
    place = rows.names.index(offer)
    tested = _tested(model)
    highest = max(map(abs, tested)) or 1.0
    ends = [
        offer_rows(model, table.assign(**_at_price(table, offer, model, one)), none=none, at=at)
        for one in (0.0, highest)
    ]
    curve = _curve(model, ends, highest, place, draws, seed)
    shown = _prices(prices, tested, unit_cost)
    best, told = _best_price(curve, unit_cost, level, model)
    at_ends = np.array([[best.estimate, rows.prices[place]]])
    profit = (at_ends - unit_cost) * curve.part(np.arange(1 + draws) == 0).shares(at_ends)
    return OfferPriceResponse(
        frame=_frame(curve, shown, unit_cost, level),
        offer=offer,
        price=float(rows.prices[place]),
        unit_cost=float(unit_cost),
        best=best,
        best_profit=float(profit[0, 0]),
        profit_now=float(profit[0, 1]),
        tested=tested,
        currency=model.data.currency,
        simulated=model.data.simulated,
        notes=(*share_notes(model), *told, *_beyond(best, tested)),
    )


def _check_offer(offer: str, table: pd.DataFrame, unit_cost: float) -> None:
    if offer not in table.index:
        raise ValueError(
            f"offer={offer!r} is not among the offers {', '.join(map(repr, table.index))}"
        )
    if not (math.isfinite(unit_cost) and unit_cost >= 0):
        raise ValueError(f"unit_cost={unit_cost!r}: give a number of at least 0")


def _at_price(
    table: pd.DataFrame, offer: str, model: ChoiceModel, price: float
) -> dict[str, pd.Series]:
    """Price column with the offer at another price, for the slope of utility."""
    column = model.coding.price
    return {column: pd.to_numeric(table[column]).where(table.index != offer, price)}


def _curve(
    model: ChoiceModel,
    ends: list[OfferRows],
    highest: float,
    place: int,
    draws: int,
    seed: Seed,
) -> _Curve:
    """Compare utility with the offer free and at the highest price tested.

    A step of one unit of currency would lose the digits of very small or large units.
    """
    if isinstance(seed, np.random.Generator):
        seed = int(seed.integers(2**31))
    design, weights, tastes = taste_draws(model, ends[0], draws, seed)
    utility = utilities(design, tastes)
    slope = utilities(taste_draws(model, ends[1], draws, seed)[0], tastes)[..., place]
    slope = (slope - utility[..., place]) / highest
    others = np.delete(utility, place, axis=2)
    most = others.max(axis=2)
    together = most + np.log(np.exp(others - most[..., None]).sum(axis=2))
    return _Curve(utility[..., place] - together, slope, weights)


def _tested(model: ChoiceModel) -> tuple[float, float]:
    frame = model.data.frame
    prices = frame.loc[~frame["is_none"], model.coding.price].astype(float)
    return float(prices.min()), float(prices.max())


def _prices(
    prices: npt.ArrayLike | None, tested: tuple[float, float], unit_cost: float
) -> FloatArray:
    if prices is None:
        low = min(max(tested[0], unit_cost), tested[1])
        return np.linspace(low, tested[1], POINTS) if low < tested[1] else np.array([tested[1]])
    shown = np.atleast_1d(np.asarray(prices, dtype=float))
    if shown.ndim != 1 or not (np.isfinite(shown) & (shown >= 0)).all():
        raise ValueError(f"prices={prices!r}: give numbers of at least 0")
    return np.sort(shown)


def _best_price(
    curve: _Curve, unit_cost: float, level: float, model: ChoiceModel
) -> tuple[Estimate, list[str]]:
    falls = np.asarray((curve.slope < 0).all(axis=1), dtype=bool)
    if not falls[0]:
        raise NoOptimalPrice(
            f"a price coefficient is {curve.slope[0].max():.4g}, not negative: at any price a "
            "dearer offer would bring more, without end; look for what goes with price and is not "
            "in the model"
        )
    best = np.full(len(falls), np.inf)
    best[falls] = curve.part(falls).best(unit_cost)
    tail = (1 - level) / 2
    ends = np.quantile(best[1:], [tail, 1 - tail], method="closest_observation")
    told = [] if falls.all() else [f"{(~falls).sum()} draws have no best price"]
    unit = model.data.currency or "currency"
    how = f"{model_name(model)}, {len(falls) - 1} draws of the coefficients"
    lower, upper = map(float, ends)
    return Estimate(float(best[0]), lower, upper, unit, model.respondents, how, level), told


def _frame(curve: _Curve, prices: FloatArray, cost: float, level: float) -> pd.DataFrame:
    shares = curve.shares(prices[None, :])
    tail = (1 - level) / 2
    lower, upper = np.quantile(shares[1:], [tail, 1 - tail], axis=0)
    slope = curve.part(np.arange(len(shares)) == 0).slopes(prices[None, :])[0]
    share = shares[0]
    return pd.DataFrame(
        {
            "price": prices,
            "share": share,
            "lower": lower,
            "upper": upper,
            "revenue": prices * share,
            "profit": (prices - cost) * share,
            "elasticity": prices * slope / np.maximum(share, np.finfo(float).tiny),
        }
    )


def _beyond(best: Estimate, tested: tuple[float, float]) -> list[str]:
    low, high = tested
    if low <= best.estimate <= high:
        return []
    return [
        f"the best price lies outside the prices tested ({low:,.2f} to {high:,.2f}): nobody was "
        "asked there, and the model only carries its line on"
    ]
