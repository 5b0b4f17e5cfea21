"""The best price when the elasticity is only estimated.

Question: how sure is the best price, and what does a wrong one cost?  :func:`uncertain_price` takes
an elasticity with its interval, today's price and quantity, and the cost of a unit.  It gives the
price of the point estimate, the interval of prices that follows from the elasticity's (unbounded
where that interval reaches -1: the data then do not exclude that every rise pays), the price with
the largest expected profit, and what knowing the elasticity exactly would be worth.

Expected profit is only looked at within a range of prices around today's: beyond it the demand
curve is a guess, and with any chance of an elasticity above -1 expected profit rises without end.

Sources: Rossi, Allenby & McCulloch (2005), "Bayesian Statistics and Marketing", section 1.4, for
decisions by expected profit; Raiffa & Schlaifer (1961), "Applied Statistical Decision Theory",
section 4.5, for the value of perfect information.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from keycustomer.customers.rendering import sentence_html
from keycustomer.lifetime.arguments import whole_number
from keycustomer.pricing.optimal.demand_curves import (
    ConstantElasticityDemand,
    DemandCurve,
    LinearDemand,
    LogitDemand,
    NoOptimalPrice,
    above_zero,
    falling,
)
from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray

Form: TypeAlias = Literal["constant elasticity", "linear", "logit"]

FORMS = ("constant elasticity", "linear", "logit")
"""Forms of a demand curve through today's price and quantity."""

GRID = 201
"""Prices at which expected profit is looked at, evenly spaced."""

FLATTEST = -1e-6
"""Drawn elasticities above 0 are taken for this: quantity then does not react to the price."""


@dataclass(frozen=True, eq=False)
class UncertainPrice:
    """The best price under an estimated elasticity.

    Attributes
    ----------
    elasticity : Estimate
        Own-price elasticity with its interval.
    price : float
        Best price at the point estimate; infinite where there is none.
    lower, upper : float
        Best prices at the ends of the elasticity's interval; the upper one infinite where the
        interval reaches an elasticity at which no price is the best one.
    expected_price : float
        Price with the largest expected profit within the range that was looked at.
    at_edge : bool
        Whether it lies at an end of the range: the data then tell no best price within it.
    prices, expected_profit, lower_profit, upper_profit : ndarray, shape (prices,)
        Expected profit per period by price, and the middle part of the drawn profits at the level
        of the elasticity's interval, currency.
    information_value : float
        What knowing the elasticity exactly would add to expected profit, currency per period.
    regret : float
        Expected profit lost, as a share, by charging `price` (held within the range) instead of
        `expected_price`.
    without_optimum : float
        Share of the drawn elasticities at which no price would be the best one.
    today, unit_cost, floor_price : float
        Today's price, cost of a unit and lowest allowed price, currency.
    form : str
        Form of the demand curve.
    notes : tuple of str
        What the reader must know.
    """

    elasticity: Estimate
    price: float
    lower: float
    upper: float
    expected_price: float
    at_edge: bool
    prices: FloatArray = field(repr=False)
    expected_profit: FloatArray = field(repr=False)
    lower_profit: FloatArray = field(repr=False)
    upper_profit: FloatArray = field(repr=False)
    information_value: float
    regret: float
    without_optimum: float
    today: float
    unit_cost: float
    floor_price: float
    form: str
    notes: tuple[str, ...] = ()

    @property
    def unbounded(self) -> bool:
        """Whether the interval of the best price has no upper end."""
        return bool(np.isinf(self.upper))

    def to_frame(self) -> pd.DataFrame:
        """List the result in one row: price, lower, upper, expected_price, ... ."""
        names = ("price", "lower", "upper", "expected_price", "at_edge", "information_value")
        row = {name: getattr(self, name) for name in (*names, "regret", "without_optimum")}
        return pd.DataFrame([{"own_price_elasticity": self.elasticity.estimate} | row])

    def curve(self) -> pd.DataFrame:
        """List expected profit by price: price, expected_profit, lower_profit, upper_profit."""
        names = ("expected_profit", "lower_profit", "upper_profit")
        return pd.DataFrame({"price": self.prices} | {name: getattr(self, name) for name in names})

    def _repr_html_(self) -> str:
        ends = "no upper end" if self.unbounded else f"{self.upper:,.4g}"
        said = f"Best price {self.price:,.4g} [{self.lower:,.4g}, {ends}] at an elasticity of "
        said += f"{self.elasticity}. {' '.join(self.notes)}"
        return sentence_html(said.strip(), self.to_frame(), numbers=",.4g")


def uncertain_price(
    elasticity: Estimate,
    unit_cost: float,
    price: float,
    quantity: float = 1.0,
    *,
    form: Form = "constant elasticity",
    size: float | None = None,
    floor: float = 0.0,
    within: tuple[float, float] = (0.5, 2.0),
    draws: int = 2_000,
    seed: Seed = 0,
) -> UncertainPrice:
    """Find the best price and its interval from an estimated elasticity.

    Parameters
    ----------
    elasticity : Estimate
        Own-price elasticity with its interval, which is read as that of a normal distribution.
    unit_cost : float
        Cost of a unit, currency, above 0.
    price, quantity : float
        Today's price per unit (currency) and units per period; the demand curve passes there.
    form : {"constant elasticity", "linear", "logit"}
        Form of the demand curve; the elasticity is that at today's price.
    size : float, optional
        Possible buyers, for the form "logit".
    floor : float
        Lowest allowed margin over unit cost as a share of unit cost.
    within : tuple of float
        Range of prices in which expected profit is looked at, multiples of today's price.
    draws : int
        Elasticities drawn.
    seed : int or Generator
        Of the draws.

    Raises
    ------
    NoOptimalPrice
        When the floor price is above the range.
    ValueError
        When the estimate has no interval or is not below 0, or a number makes no sense.
    """
    shape = _checked_form(form, size)
    above_zero("unit_cost", unit_cost)
    above_zero("price", price)
    above_zero("floor", floor, zero=True)
    _check_interval(elasticity)
    floor_price = unit_cost * (1 + floor)
    prices = _range(price, within, floor_price)
    drawn = _drawn(elasticity, draws, seed)

    def best(own: float) -> float:
        return _best(shape(price, quantity, own), unit_cost, floor_price)

    profits = np.array([shape(price, quantity, own).profit(prices, unit_cost) for own in drawn])
    expected = profits.mean(axis=0)
    top, tail = int(expected.argmax()), (1 - elasticity.level) / 2
    plug_in = best(elasticity.estimate)
    charged = np.interp(np.clip(plug_in, prices[0], prices[-1]), prices, expected)
    at_edge = bool(top == GRID - 1 or (top == 0 and prices[0] > floor_price))
    return UncertainPrice(
        elasticity,
        plug_in,
        best(elasticity.lower),
        best(min(elasticity.upper, FLATTEST)),
        float(prices[top]),
        at_edge,
        prices,
        expected,
        np.quantile(profits, tail, axis=0),
        np.quantile(profits, 1 - tail, axis=0),
        float(profits.max(axis=1).mean() - expected[top]),
        float(1 - charged / expected[top]) if expected[top] > 0 else np.nan,
        float(np.mean([np.isinf(best(own)) for own in drawn])),
        float(price),
        float(unit_cost),
        float(floor_price),
        form,
        _notes(elasticity, form, at_edge, prices),
    )


def _checked_form(form: str, size: float | None) -> Callable[[float, float, float], DemandCurve]:
    """Give the function that draws a demand curve through a price, a quantity, an elasticity."""
    if form not in FORMS:
        raise ValueError(f"form={form!r} must be one of {', '.join(map(repr, FORMS))}")
    if form == "constant elasticity":
        return ConstantElasticityDemand.through
    if form == "linear":
        return LinearDemand.through
    if size is None:
        raise ValueError("size is missing: form='logit' needs the number of possible buyers")
    return lambda price, quantity, own: LogitDemand.through(price, quantity, own, size)


def _check_interval(elasticity: Estimate) -> None:
    if not isinstance(elasticity, Estimate):
        raise TypeError(f"elasticity={elasticity!r} must be an Estimate with its interval")
    falling("elasticity", elasticity.estimate)
    if (
        not elasticity.lower < elasticity.upper
        or not np.isfinite([elasticity.lower, elasticity.upper]).all()
    ):
        raise ValueError(
            f"elasticity={elasticity} has no interval ({elasticity.method}): without it the "
            "uncertainty of the price is not known; use optimal_price"
        )


def _range(price: float, within: tuple[float, float], floor_price: float) -> FloatArray:
    low, high = within
    if not 0 < low < high < np.inf:
        raise ValueError(f"within={within!r} must be two rising multiples of today's price")
    if floor_price >= high * price:
        raise NoOptimalPrice(
            f"the floor price {floor_price:g} is not below the highest price looked at "
            f"({high:g} x {price:g}); widen within, or lower the floor"
        )
    return np.linspace(max(low * price, floor_price), high * price, GRID)


def _drawn(elasticity: Estimate, draws: int, seed: Seed) -> FloatArray:
    """Draw elasticities by their interval, those above 0 taken for no reaction."""
    draws = whole_number(draws, "draws", of="draws", least=1)
    normal = np.random.default_rng(seed).standard_normal(draws)
    return np.minimum(elasticity.estimate + elasticity.standard_error * normal, FLATTEST)


def _best(demand: DemandCurve, unit_cost: float, floor_price: float) -> float:
    """Best allowed price; infinite where profit rises without end."""
    if demand.without_end:
        return np.inf
    try:
        return max(demand.best_price(unit_cost), floor_price)
    except NoOptimalPrice:
        # a line that ends below the unit cost: the least loss is the floor
        return floor_price


def _notes(elasticity: Estimate, form: str, at_edge: bool, prices: FloatArray) -> tuple[str, ...]:
    said = []
    if form == "constant elasticity" and elasticity.upper >= -1:
        said.append(
            "The elasticity's interval reaches -1: the data do not exclude that every rise of the "
            "price pays, and the interval of the best price has no upper end."
        )
    if at_edge:
        said.append(
            f"Expected profit is largest at the end of the range {prices[0]:,.4g} to "
            f"{prices[-1]:,.4g}: no best price within it; try prices before moving that far."
        )
    return tuple(said)
