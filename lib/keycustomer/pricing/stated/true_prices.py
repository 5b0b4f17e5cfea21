"""What respondents would really pay in the simulated company, beside what they state.

Question: what do the price points tell, and what not?  The simulated company knows what the
standard package is worth to every account: :func:`true_willingness_to_pay`.  From it follow the
price points that endlessly many exact answers would give (:func:`true_price_points`; answers to the
survey are rounded, and not all accounts answer), and the profit that any price would bring:
:func:`judge_price_points` sets recommended prices beside the one that earns most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from keycustomer.customers.base import CustomerBase
from keycustomer.customers.rendering import percent, report_html
from keycustomer.dimensions.known_truth import company_of
from keycustomer.pricing.stated.cumulated import shares
from keycustomer.pricing.stated.sensitivity import (
    POINTS,
    Convention,
    PriceSensitivity,
    contradictions,
    price_points,
)
from keycustomer.simulate import Company
from keycustomer.simulate.willingness_to_pay import POINTS as PARTS
from keycustomer.stats import finite_values
from keycustomer.stats.bootstrap import Seed
from keycustomer.stats.samples import FloatArray, Values

TRUTH = "true willingness to pay"
"""What real data do not tell."""

ANSWERS = 200_000
"""Exact answers drawn in all: their price points err by about a thousandth."""


POINTS_OF_A_CURVE = 2001
"""Prices at which the exact curves are computed."""


@dataclass(frozen=True, eq=False)
class JudgedPrices:
    """Recommended prices judged by true willingness to pay.

    Attributes
    ----------
    frame : DataFrame
        One row a price: name, price (currency), demand (share who would pay it, 0..1), profit
        (currency per 100 customers), share_of_best (of the largest profit that any price brings).
    best_price, best_profit : float
        Price with the largest profit, and that profit per 100 customers.
    willingness_to_pay : ndarray, shape (customers,)
        True worth, currency.
    unit_cost : float
        Cost per unit, currency.
    currency : str
        Unit of the prices.
    """

    frame: pd.DataFrame
    best_price: float
    best_profit: float
    willingness_to_pay: FloatArray = field(repr=False)
    unit_cost: float
    currency: str

    @property
    def sentence(self) -> str:
        """The result in words."""
        unit = f" {self.currency}" if self.currency else ""
        told = ", ".join(
            f"{row['name']} ({row['price']:.0f}{unit}) {percent(row['share_of_best'], 0)}"
            for row in self.frame.to_dict("records")
        )
        return (
            f"Simulated: profit is largest at {self.best_price:.0f}{unit}, at a unit cost of "
            f"{self.unit_cost:.4g}; of that profit bring {told}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a price."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        return report_html("Prices judged by the truth", [self.sentence], {"Prices": self.frame})


def true_willingness_to_pay(
    source: CustomerBase | Company, *, wave: int | None = None, responded: bool = False
) -> pd.Series:
    """Tell what the standard package is truly worth to each account of a simulated company.

    Parameters
    ----------
    source : CustomerBase or Company
        A base of simulated data, or the company.
    wave : int, optional
        Survey wave; left out, the latest.
    responded : bool
        Whether only those who answered the survey are told.

    Returns
    -------
    Series
        EUR a month by customer_id, of the accounts that are there in that wave.

    Raises
    ------
    ValueError
        When the data are real, or the wave was not held.
    """
    latents = company_of(source, TRUTH).truth.latents
    asked = int(latents["wave"].max()) if wave is None else wave
    own = latents[latents["wave"] == asked]
    if own.empty:
        waves = ", ".join(map(str, sorted(latents["wave"].unique())))
        raise ValueError(f"wave={wave!r}: the simulated survey has waves {waves}")
    told = own[own["responded"]] if responded else own
    return told.set_index("customer_id")["willingness_to_pay"]


def true_price_points(
    source: CustomerBase | Company,
    *,
    wave: int | None = None,
    convention: Convention = "original",
    validate: bool = True,
    seed: Seed = 0,
) -> pd.DataFrame:
    """Find the price points that endlessly many exact answers would give.

    Parameters
    ----------
    source : CustomerBase or Company
        A base of simulated data, or the company.
    wave : int, optional
        Survey wave; left out, the latest.
    convention : {"original", "narrower"}
        How the range is read.
    validate : bool
        Whether contradictory answers are left out.
    seed : int or Generator
        Draws the answers.

    Returns
    -------
    DataFrame
        point; accounts, respondents: the price (EUR a month) if all accounts answered, and if
        those answered who do.  Their difference is what keeping silent does.

    Raises
    ------
    ValueError
        When the data are real, or the wave was not held.
    """
    company, generator = company_of(source, TRUTH), np.random.default_rng(seed)
    columns = {
        name: _exact_points(
            true_willingness_to_pay(company, wave=wave, responded=responded).to_numpy(float),
            convention,
            validate,
            generator,
        )
        for name, responded in (("accounts", False), ("respondents", True))
    }
    return pd.DataFrame({"point": [name.upper() for name in POINTS]} | columns)


def _exact_points(
    worth: FloatArray, convention: Convention, validate: bool, generator: np.random.Generator
) -> FloatArray:
    part, spread = np.array(list(PARTS.values())).T
    repeated = np.repeat(worth, max(1, ANSWERS // len(worth)))
    errors = spread * generator.standard_normal((len(repeated), len(part)))
    answers = repeated[:, None] * part * np.exp(errors)
    if validate:
        answers = answers[contradictions(answers) == ""]
    grid = np.unique(np.quantile(answers, np.linspace(0, 1, POINTS_OF_A_CURVE)))
    curves = shares(answers, np.ones((1, len(answers))), grid, "half")
    return price_points(grid, curves, convention)[0]


def judge_price_points(
    prices: PriceSensitivity | Mapping[str, float],
    willingness_to_pay: Values,
    *,
    unit_cost: float,
    currency: str = "",
) -> JudgedPrices:
    """Judge recommended prices by the profit they would bring.

    Parameters
    ----------
    prices : PriceSensitivity or mapping of str to float
        Price points, or any prices by name.
    willingness_to_pay : Series, array or sequence of numbers
        True worth to each customer, currency: each buys one where it is at least the price.
    unit_cost : float
        Cost per unit, currency.
    currency : str
        Unit; left out, that of the price points.

    Returns
    -------
    JudgedPrices

    Raises
    ------
    ValueError
        When no customer would pay more than the cost, or an argument makes no sense.
    """
    worth = finite_values(willingness_to_pay, "willingness_to_pay")
    if not 0 <= unit_cost < worth.max():
        raise ValueError(
            f"unit_cost={unit_cost!r} must be at least 0 and below the largest willingness to pay, "
            f"{worth.max():.4g}: otherwise no price brings a profit"
        )
    named: dict[str, float] = (
        {name.upper(): one.estimate for name, one in prices.points.items()}
        if isinstance(prices, PriceSensitivity)
        else {str(name): float(price) for name, price in prices.items()}
    )
    odd = {name: price for name, price in named.items() if not 0 < price < np.inf}
    if odd or not named:
        raise ValueError(f"prices={odd or named}: at least one is needed, each finite and above 0")
    unit = prices.currency if isinstance(prices, PriceSensitivity) and not currency else currency
    rising = np.sort(worth)
    offered = np.array(list(named.values()))
    best = _profits(rising, rising, unit_cost)
    profit = _profits(rising, offered, unit_cost)
    frame = pd.DataFrame(
        {
            "name": list(named),
            "price": offered,
            "demand": _demand(rising, offered),
            "profit": 100 * profit,
            "share_of_best": profit / best.max(),
        }
    )
    return JudgedPrices(
        frame, float(rising[best.argmax()]), 100 * float(best.max()), rising, float(unit_cost), unit
    )


def _demand(rising: FloatArray, prices: FloatArray) -> FloatArray:
    return 1 - np.searchsorted(rising, prices, side="left") / len(rising)


def _profits(rising: FloatArray, prices: FloatArray, unit_cost: float) -> FloatArray:
    """Profit per customer asked at each price."""
    found: FloatArray = (prices - unit_cost) * _demand(rising, prices)
    return found
